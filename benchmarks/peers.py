"""Speed of this Glow beside other flow libraries at equal architecture: `python -m benchmarks.peers`.

Training images per second and decoding times, measured in turns in one run, so that a busy moment of the
machine meets all alike; the share of the machine's matrix-product rate that our training reaches; peak memory of
a training step, and where its time goes.
"""

import argparse
import json
import os
import sys
import time
import warnings
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import median

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import memory
from benchmarks.contenders import BUILDERS, Contender, Size
from glowlite import pixels
from glowlite.data import faces
from glowlite.flows.base import allow_tf32
from glowlite.training import metrics

RESULTS = Path(__file__).parent / "RESULTS-peers.md"
SQUARE = 2048  # side of the matrices whose product shows what the machine can do
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
TRAIN, ONE, SIXTEEN = "training, images/s", "decode one, ms", "decode 16, ms"


@dataclass
class Entry:
    """A contender in one memory layout, with its optimiser and what was measured of it, round by round."""

    contender: Contender
    layout: str
    optimiser: torch.optim.Optimizer
    measured: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    bits: float = float("nan")  # per dimension, of the last training batch


def prepare(builder, size: Size, layout: str, images: Tensor) -> Entry:
    """A fresh contender that has seen data (ActNorm) and stepped twice."""
    torch.manual_seed(0)
    contender = builder(size)
    contender.model.to(images.device, memory_format=LAYOUTS[layout]).train()
    with torch.no_grad():
        first = pixels.dequantize(images).contiguous(memory_format=LAYOUTS[layout])
        getattr(contender.model, "initialize", contender.log_density)(first)
    weights = [p for p in contender.model.parameters() if p.requires_grad]
    entry = Entry(contender, layout, torch.optim.Adamax(weights, lr=1e-3, foreach=True))
    for _ in range(2):
        train_step(entry, images)
    return entry


def loss(entry: Entry, images: Tensor) -> Tensor:
    """Bits per dimension of dequantised pictures, the mean over the batch."""
    x = pixels.dequantize(images).contiguous(memory_format=LAYOUTS[entry.layout])
    dims = images[0].numel()
    return pixels.bits_per_dim(entry.contender.log_density(x) - pixels.log_bins(dims, 8), dims).mean()


def train_step(entry: Entry, images: Tensor) -> Tensor:
    entry.optimiser.zero_grad(set_to_none=True)
    bits = loss(entry, images)
    bits.backward()
    entry.optimiser.step()
    return bits.detach()


def seconds(work, device: torch.device) -> float:
    """Wall time of work(), with all that it queued on a GPU."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def measure_round(entry: Entry, images: Tensor, steps: int) -> None:
    """`steps` training steps, three single pictures and one batch of 16."""
    model, sample, device = entry.contender.model, entry.contender.sample, images.device

    def training():
        for _ in range(steps):
            bits = train_step(entry, images)
        entry.bits = bits.item()

    model.train()
    entry.measured[TRAIN].append(steps * len(images) / seconds(training, device))
    model.eval()
    with torch.no_grad():
        entry.measured[ONE].append(1e3 * min(seconds(lambda: sample(1), device) for _ in range(3)))
        entry.measured[SIXTEEN].append(1e3 * seconds(lambda: sample(16), device))


# ---- what the machine can do -------------------------------------------------------------------------------


def flops_per_picture(entry: Entry, images: Tensor) -> float:
    """Floating-point operations of products and convolutions, forward and backward, for one picture."""
    with FlopCounterMode(display=False) as counter:
        loss(entry, images[:2]).backward()
    return counter.get_total_flops() / 2


def convolution_products(size: Size, batch: int) -> dict[tuple[int, int, int], int]:
    """The matrix products (M, K, N) that the couplings' convolutions come to, and how many of each."""
    counts = defaultdict(int)
    for channels, height, width in size.shapes():
        places = batch * height * width
        for k, n in ((9 * channels // 2, size.width), (size.width, size.width), (9 * size.width, channels)):
            counts[places, k, n] += size.depth
    return dict(counts)


class ProductRate:
    """The best time yet of a float32 matrix product of each size."""

    def __init__(self, sizes: dict[tuple[int, int, int], int], device: torch.device):
        self.sizes, self.device = sizes, device
        self.best = dict.fromkeys(sizes, float("inf"))

    def measure_round(self) -> None:
        for m, k, n in self.sizes:
            a, b = torch.randn(m, k, device=self.device), torch.randn(k, n, device=self.device)
            out = torch.empty(m, n, device=self.device)
            for _ in range(4):
                took = seconds(lambda a=a, b=b, out=out: torch.mm(a, b, out=out), self.device)
                self.best[m, k, n] = min(self.best[m, k, n], took)

    def flops(self) -> float:
        """Operations per second over all products, each as often as it is needed."""
        work = sum(2 * m * k * n * count for (m, k, n), count in self.sizes.items())
        return work / sum(self.best[size] * count for size, count in self.sizes.items())


# ---- where the time goes -----------------------------------------------------------------------------------

GROUPS = {  # parts of PyTorch's names for what it does
    "convolutions": ("conv",),
    "matrix products": ("mm", "linear", "solve", "inv"),
    "ReLU, tanh, exp": ("threshold", "clamp", "relu", "tanh", "sigmoid", "exp", "log", "atan", "softplus"),
    "optimiser": ("Optimizer", "addcdiv", "lerp", "_foreach"),
}
REST = "all else"


def time_by_group(entry: Entry, images: Tensor, steps: int = 5) -> dict[str, float]:
    """Milliseconds of a training step by GROUPS, from PyTorch's profiler."""
    entry.contender.model.train()
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        for _ in range(steps):
            train_step(entry, images)
    spent = dict.fromkeys([*GROUPS, REST], 0.0)
    for event in profiler.key_averages():
        group = next((name for name, parts in GROUPS.items() if any(part in event.key for part in parts)), REST)
        spent[group] += event.self_cpu_time_total / 1e3 / steps
    return spent


def memory_of(library: str, layout: str, size: Size, batch: int) -> dict:
    """By how many bytes this process grows in a training step; the gradients count, the optimiser's state does not."""
    images = faces.draw(batch, size=size.side, seed=1).images
    entry = prepare(BUILDERS[library], size, layout, images)
    entry.optimiser.zero_grad(set_to_none=True)
    return {"bytes": memory.growth(lambda: train_step(entry, images))}


def peak_memory(library: str, layout: str, size: Size, batch: int) -> str:
    """`memory_of` in a process of its own, in MB."""
    given = {"side": size.side, "levels": size.levels, "depth": size.depth, "width": size.width, "batch": batch}
    words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    found = memory.in_a_process("benchmarks.peers", *words, "--threads", "1", "--memory-of", library, layout)
    return f"{found['bytes'] / memory.MB:.0f}"


def step_table(libraries: dict[str, list[Entry]], size: Size, images: Tensor) -> str:
    """Peak memory of a training step, and where its time goes, in each library's faster layout, as Markdown."""
    titles = ["a training step", "peak memory, MB", *(f"{name}, ms" for name in (*GROUPS, REST))]
    lines = [f"\n| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for name, pair in libraries.items():
        entry = best(pair, TRAIN)
        cells = [f"{value:.0f}" for value in time_by_group(entry, images).values()]
        peak = peak_memory(name, entry.layout, size, len(images)) if os.access(memory.CLEAR, os.W_OK) else ""
        lines.append(f"| {' | '.join([name, peak, *cells])} |")
    return "\n".join(lines) + "\n"


# ---- a run -------------------------------------------------------------------------------------------------


def best(entries: list[Entry], what: str) -> Entry:
    """The library's entry in the layout that is faster for it."""
    return (max if what == TRAIN else min)(entries, key=lambda entry: median(entry.measured[what]))


def ahead(ours: Entry, other: Entry, what: str) -> float:
    """How many times as fast ours is: the median over rounds of the ratio within a round."""
    pairs = zip(ours.measured[what], other.measured[what], strict=True)
    return median(a / b if what == TRAIN else b / a for a, b in pairs)


def run(size: Size, options: argparse.Namespace) -> str:
    """Measure all libraries at one size and tell it in Markdown."""
    device = torch.device(options.device)
    images = faces.draw(options.batch, size=size.side, seed=1, device=device).images
    libraries: dict[str, list[Entry]] = {}
    for name in options.libraries:
        try:
            libraries[name] = [prepare(BUILDERS[name], size, layout, images) for layout in LAYOUTS]
        except ModuleNotFoundError as error:
            print(f"{name} is left out ({error}): `make bench` installs it.", file=sys.stderr)
    entries = [entry for pair in libraries.values() for entry in pair]
    rates = [
        ProductRate(sizes, device) for sizes in ({(SQUARE, SQUARE, SQUARE): 1}, convolution_products(size, len(images)))
    ]
    for turn in range(options.rounds):
        for entry in entries[turn % len(entries) :] + entries[: turn % len(entries)]:
            measure_round(entry, images, options.steps)
        for rate in rates:
            rate.measure_round()
    work = {name: flops_per_picture(pair[0], images) for name, pair in libraries.items()}
    text = table(size, options, libraries, work) + share(libraries["glowlite"], work["glowlite"], *rates)
    return text + (step_table(libraries, size, images) if device.type == "cpu" else "")


def table(size: Size, options, libraries: dict[str, list[Entry]], work: dict[str, float]) -> str:
    steps = options.rounds * options.steps + 2
    titles = ["library", "parameters", "GFLOP/picture", TRAIN, ONE, SIXTEEN, f"bits/dim after {steps} steps"]
    lines = [
        f"## {size.side} x {size.side} RGB, L={size.levels}, K={size.depth}, width {size.width}, "
        f"batch {options.batch}\n",
        f"| {' | '.join(titles)} |",
        "|---" * len(titles) + "|",
    ]
    for name, pair in libraries.items():
        contender = pair[0].contender
        cells = [f"{name} {contender.version}", f"{contender.parameters():,}", f"{work[name] / 1e9:.3f}"]
        for what in (TRAIN, ONE, SIXTEEN):
            entry, ours = best(pair, what), best(libraries["glowlite"], what)
            star = "*" if entry.layout == "channels_last" else ""
            ratio = "" if name == "glowlite" else f" (ours {ahead(ours, entry, what):.2f}x as fast)"
            cells.append(f"{median(entry.measured[what]):.1f}{star}{ratio}")
        lines.append(f"| {' | '.join([*cells, f'{best(pair, TRAIN).bits:.2f}'])} |")
    lines.append(
        f"\nMedians of {options.rounds} interleaved rounds; ratios are medians of the ratio within a round. "
        "Each library in the memory layout that is faster for it (* channels_last). Training: dequantise, "
        "forward, backward, Adamax. Decoding: the library's own sample()."
    )
    lines += [f"- {name}: {pair[0].contender.differences}." for name, pair in libraries.items()]
    return "\n".join(lines) + "\n"


def share(ours: list[Entry], work: float, square: ProductRate, like: ProductRate) -> str:
    """Our training's floating-point rate against the machine's, measured in the same run."""
    rate = median(best(ours, TRAIN).measured[TRAIN]) * work
    return (
        f"\nMatrix products, float32, the best of all rounds: {square.flops() / 1e9:.0f} GFLOP/s at {SQUARE}^3, "
        f"{like.flops() / 1e9:.0f} at the sizes of the coupling networks' convolutions. Our training does "
        f"{rate / 1e9:.0f} GFLOP/s: {rate / square.flops():.0%} of the first, "
        f"{rate / like.flops():.0%} of the second.\n"
    )


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, action="append", help="of the coupling's network; may be given twice (64)")
    for name, value in (
        ("side", 32),
        ("levels", 3),
        ("depth", 8),
        ("batch", 64),
        ("rounds", 9),
        ("steps", 3),
    ):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--libraries", nargs="+", choices=BUILDERS, default=list(BUILDERS))
    parser.add_argument("--memory-of", nargs=2, metavar=("LIBRARY", "LAYOUT"), help="print that alone")
    parser.add_argument("--write", action="store_true", help=f"also write benchmarks/{RESULTS.name}")
    options = parser.parse_args(words)
    if "glowlite" not in options.libraries:
        options.libraries.insert(0, "glowlite")
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.memory_of:
        size = Size(options.side, options.levels, options.depth, (options.width or [64])[0])
        print(json.dumps(memory_of(*options.memory_of, size, options.batch)))
        return 0
    allow_tf32(False)  # float32 is float32 for all
    if hasattr(os, "getloadavg") and os.getloadavg()[0] > 0.5:
        print("The machine is busy: trust the ratios more than the figures.", file=sys.stderr)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the peers' use of old PyTorch functions sets off
        parts = [
            run(Size(options.side, options.levels, options.depth, width), options) for width in options.width or [64]
        ]
    machine, versions = metrics.machine(options.device), metrics.versions()
    head = (
        f"{date.today()}, {machine['device']}, {machine['cores']} cores, {machine['threads']} threads, "
        f"PyTorch {versions['torch']}\n\n"
    )
    text = head + "\n".join(parts)
    print(text)
    if options.write:
        command = " ".join(["python -m benchmarks.peers", *(sys.argv[1:] if words is None else words)])
        RESULTS.write_text(f"# Speed beside other flow libraries\n\n`{command}`, {text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
