"""The measurements of `python -m benchmarks.gpu`, each a part that runs in a process of its own."""

import argparse
import copy
import math
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks import peers
from benchmarks.contenders import BUILDERS, Size
from benchmarks.gpu_record import Record
from glowlite import latents, pixels
from glowlite.data import faces
from glowlite.flows import ActNorm
from glowlite.flows.base import allow_tf32
from glowlite.flows.reversible import set_memory
from glowlite.fusion import fuse
from glowlite.glow import PRESETS, Glow
from glowlite.training.loop import set_precision
from glowlite.training.optimizers import make_optimizer

POOL = 2048  # pictures to pick batches from


# ---- training steps --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Variant:
    """A way to train. engine: eager; step or level, of which torch.compile makes one; graph, of forward and backward.

    pictures: held (one batch again and again), copied or pinned (from the CPU at every step), picked (from many that
    the device holds) or drawn (faces, on the device). wait: for the loss at every step, as a training does.
    """

    precision: str = "float32"
    channels_last: bool = True
    memory: str = "stored"
    engine: str = "eager"
    pictures: str = "held"
    wait: bool = True


BF16 = partial(Variant, "bf16")
STEPS = {
    "float32": Variant(),
    "float32, contiguous": Variant(channels_last=False),
    "tf32": Variant("tf32"),
    "bf16": BF16(),
    "bf16, contiguous": BF16(channels_last=False),
    "bf16, checkpointed": BF16(memory="checkpointed"),
    "bf16, reversible": BF16(memory="reversible"),
    "float32, checkpointed": Variant(memory="checkpointed"),
    "float32, reversible": Variant(memory="reversible"),
    "bf16, pictures copied": BF16(pictures="copied"),
    "bf16, pictures pinned": BF16(pictures="pinned"),
    "bf16, pictures picked": BF16(pictures="picked"),
    "bf16, faces drawn": BF16(pictures="drawn"),
    "bf16, no wait": BF16(wait=False),
}
ENGINES = {  # what may break the process comes last
    "bf16": BF16(),
    "float32": Variant(),
    "bf16, graph": BF16(engine="graph"),
    "float32, graph": Variant(engine="graph"),
    "bf16, a step compiled": BF16(engine="step"),
    "bf16, reversible, graph": BF16(memory="reversible", engine="graph"),
    "bf16, a level compiled": BF16(engine="level"),
}
PAPER = {name: STEPS[name] for name in ("float32", "tf32", "bf16", "bf16, contiguous", "float32, reversible")}


class Training:
    """Training steps in one variant: what `glowlite.training.loop` does in a step, on its own."""

    def __init__(self, variant: Variant, preset: str, batch: int, device: torch.device):
        self.variant, self.batch, self.device, self.steps = variant, batch, device, 0
        self.layout = torch.channels_last if variant.channels_last else torch.contiguous_format
        allow_tf32(variant.precision == "tf32")
        self.model = Glow(PRESETS[preset]).to(device, memory_format=self.layout)
        channels, size, _ = self.model.config.shape
        drawn = faces.draw(
            max(batch, POOL if variant.pictures in ("copied", "pinned", "picked") else 0), size, 1
        ).images
        self.pool = drawn[:, :channels].to("cpu" if variant.pictures in ("copied", "pinned") else device)
        self.static = self.pool[:batch].to(device)
        self.model.initialize(self.noisy(self.static))
        set_precision(self.model.train(), variant.precision)
        set_memory(self.model, variant.memory)
        self.weights = list(self.model.parameters())
        self.average = [weight.detach().clone() for weight in self.weights]
        self.optimizer = make_optimizer("muon", self.model, 1e-4)
        self.told: list[Tensor] = []  # of the graph
        self.prepare()

    def prepare(self) -> None:
        """Compile, or record a CUDA graph."""
        if self.variant.engine in ("step", "level"):
            backend = "inductor" if self.device.type == "cuda" else "eager"  # a CPU only tries that it can be done
            for level in self.model.levels:
                for part in level.steps.flows[1:] if self.variant.engine == "step" else [level]:
                    part.compile(dynamic=False, backend=backend)
        if self.variant.engine == "graph":
            self.replay = recorded(
                lambda: self.told.append(self.gradients(self.static)),
                lambda: self.optimizer.zero_grad(set_to_none=True),
            )

    def noisy(self, images: Tensor) -> Tensor:
        return pixels.dequantize(images, self.model.config.n_bits).contiguous(memory_format=self.layout)

    def gradients(self, images: Tensor) -> Tensor:
        """Forward, backward and clipping: (bits per dimension, norm of the gradient)."""
        model = self.model
        log_prob = model.log_density(self.noisy(images)) - pixels.log_bins(model.dims, model.config.n_bits)
        loss = pixels.bits_per_dim(log_prob, model.dims).mean()
        loss.backward()
        return torch.stack([loss.detach(), torch.nn.utils.clip_grad_norm_(self.weights, 10.0, foreach=True)])

    def pictures(self) -> Tensor:
        kind, pool = self.variant.pictures, self.pool
        if kind == "held":
            return self.static
        if kind == "drawn":
            return faces.draw(self.batch, pool.shape[-1], self.steps, self.device).images
        picks = torch.randint(len(pool), (self.batch,), device=pool.device)
        if kind == "pinned" and self.device.type == "cuda":
            return pool[picks].pin_memory().to(self.device, non_blocking=True)
        return pool[picks].to(self.device)

    def step(self) -> None:
        self.steps += 1
        if self.variant.engine == "graph":
            self.replay()
            told = self.told[-1]
        else:
            self.optimizer.zero_grad(set_to_none=True)
            told = self.gradients(self.pictures())
        if self.variant.wait and not all(math.isfinite(value) for value in told.tolist()):
            raise FloatingPointError(f"not finite after {self.steps} steps")
        self.optimizer.step()
        with torch.no_grad():
            get_ema_multi_avg_fn(0.999)(self.average, self.weights, None)

    def waits(self) -> int | None:
        """How often a step waits for the GPU."""
        if self.device.type != "cuda":
            return None
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            self.step()
            torch.cuda.set_sync_debug_mode("default")
        return sum("synchroniz" in str(each.message) for each in seen)

    def turn(self, steps: int) -> None:
        """Some steps; gradients are freed, so that only one variant's are there at a time."""
        allow_tf32(self.variant.precision == "tf32")
        for _ in range(steps):
            self.step()
        if self.variant.engine != "graph":
            self.optimizer.zero_grad(set_to_none=True)


def train_steps(record: Record, variants: dict[str, Variant], preset: str, batch: int, steps: int, rounds: int) -> None:
    """Images per second of each variant; the time of a turn is that of `steps` steps."""
    record.facts |= {"preset": preset, "batch": batch, "steps": steps}

    def prepare(name: str) -> Callable:
        training = Training(variants[name], preset, batch, record.device)
        training.step()
        record.put(name, waits=training.waits())
        return partial(training.turn, steps)

    record.derive = lambda name, seconds: {"images_per_second": round(steps * batch / seconds, 1)}
    record.measure({name: partial(prepare, name) for name in variants}, rounds)


def beside_peers(record: Record, size: Size, batch: int, steps: int, rounds: int) -> None:
    """Training steps of each library in either memory layout, float32, and its own decoding."""
    record.facts |= {"size": vars(size), "batch": batch, "steps": steps}
    allow_tf32(False)
    images = faces.draw(batch, size.side, 1, record.device).images
    entries = {}

    def prepare(library: str, layout: str) -> Callable:
        entry = entries[f"{library}, {layout}"] = peers.prepare(BUILDERS[library], size, layout, images)

        def work():
            peers.measure_round(entry, images, steps)
            entry.optimiser.zero_grad(set_to_none=True)

        return work

    def medians(name: str, seconds: float) -> dict:
        return {what: round(median(values), 2) for what, values in entries[name].measured.items()}

    record.derive = medians
    names = [(library, layout) for layout in list(peers.LAYOUTS)[::-1] for library in BUILDERS]
    record.measure({f"{a}, {b}": partial(prepare, a, b) for a, b in names}, rounds)
    entries = {name: entry for name, entry in entries.items() if "error" not in record.rows[name]}
    common = min((len(entry.measured[peers.TRAIN]) for entry in entries.values()), default=0)
    for entry in entries.values():  # the last rounds, in which all took part
        entry.measured.update({what: values[-common:] for what, values in entry.measured.items()})
    ours = [entry for entry in entries.values() if entry.contender.library == "glowlite"]
    for name, entry in entries.items():
        for what, values in entry.measured.items():
            ratio = round(peers.ahead(peers.best(ours, what), entry, what), 2) if ours else None
            record.put(name, **{what: round(median(values), 2), f"ours, {what}": ratio})


# ---- a picture of 256 x 256, and the least time for it ---------------------------------------------------------------


class Convolutions(TorchDispatchMode):
    """Notes operations and bytes of every convolution: input, weights and output, each moved once."""

    def __init__(self):
        super().__init__()
        self.seen: list[tuple[int, int]] = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        if function is torch.ops.aten.convolution.default:
            x, weight = args[:2]
            self.seen.append((2 * out.numel() * weight[0].numel(), x.nbytes + weight.nbytes + out.nbytes))
        return out

    def least(self, flops: float, bytes_per_second: float) -> float:
        """Seconds, if each convolution ran at the faster of the two limits that binds it."""
        return sum(max(work / flops, moved / bytes_per_second) for work, moved in self.seen)


def best_rate(work: Callable, amount: float, device: torch.device) -> float:
    return amount / min(peers.seconds(work, device) for _ in range(6))


def rates(device: torch.device, side: int) -> dict[str, float]:
    """What the device can do: operations per second of matrix products by precision, and bytes per second of a copy."""
    found = {}
    for precision in ("float32", "tf32", "bf16"):
        allow_tf32(precision == "tf32")
        a, b = torch.randn(2, side, side, device=device, dtype=torch.bfloat16 if precision == "bf16" else None)
        found[precision] = best_rate(lambda a=a, b=b: a @ b, 2 * side**3, device)
    source = torch.ones(16 * side * side, device=device)  # far more than any cache
    target = torch.empty_like(source)
    found["copy"] = best_rate(lambda: target.copy_(source), 2 * source.nbytes, device)
    return found


SAMPLES = ("as trained, float32", "fused, float32", "fused, float32, channels_last", "fused, tf32", "fused, bf16")
SAMPLES += ("fused, bf16, channels_last", "fused, float32, graph", "fused, tf32, graph", "fused, bf16, graph")


def recorded(work: Callable, before: Callable = lambda: None) -> Callable:
    """`work`, run a few times and then recorded as a CUDA graph; what replays it. before: called before recording."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            work()
    torch.cuda.current_stream().wait_stream(side)
    before()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def sample(record: Record, preset: str, side: int, rounds: int) -> None:
    """Milliseconds to decode one picture, beside the least by operations and bytes. The weights are random."""
    record.facts |= {"preset": preset, "rates": rates(record.device, side)}
    model = Glow(PRESETS[preset])
    for module in model.modules():
        if isinstance(module, ActNorm):
            module.initialized = True
    model.to(record.device).eval()
    begun = time.monotonic()
    fused = fuse(model)
    record.facts["fuse_seconds"] = round(time.monotonic() - begun, 2)
    eps = latents.sample_eps(model.latent_shapes, 1, device=record.device)

    def prepare(name: str) -> Callable:
        """Its words say how: as trained or fused, precision, channels_last, graph."""
        precision = name.split(", ")[1]
        which = copy.deepcopy(fused) if "fused" in name else model
        set_precision(which, precision)
        layout = torch.channels_last if "channels_last" in name else torch.contiguous_format
        given = [part.contiguous(memory_format=layout) for part in eps]

        def decode() -> None:
            allow_tf32(precision == "tf32")
            with torch.no_grad():
                pixels.to_uint8(which.inverse(given))

        with Convolutions() as counted:
            decode()
        floor = counted.least(record.facts["rates"][precision], record.facts["rates"]["copy"])
        record.put(name, floor=round(1e3 * floor, 4), gflop=round(sum(work for work, _ in counted.seen) / 1e9, 3))
        return recorded(decode) if "graph" in name else decode

    record.derive = lambda name, seconds: {"milliseconds": round(1e3 * seconds, 3)}
    record.measure({name: partial(prepare, name) for name in SAMPLES}, rounds)


# ---- the parts -------------------------------------------------------------------------------------------------------

PARTS = {
    "steps": lambda r: train_steps(r, STEPS, "portraits64", 64, 4, 20),
    "engines": lambda r: train_steps(r, ENGINES, "portraits64", 64, 4, 20),
    "paper": lambda r: train_steps(r, PAPER, "cifar10", 64, 2, 10),
    "peers": lambda r: beside_peers(r, Size(width=64), 64, 3, 10),
    "peers_wide": lambda r: beside_peers(r, Size(width=512), 64, 3, 10),
    "sample": lambda r: sample(r, "celebahq256", 4096, 20),
}
TINY = {  # the same on a small scale
    "steps": lambda r: train_steps(r, STEPS, "tiny", 4, 1, 1),
    "engines": lambda r: train_steps(r, ENGINES, "tiny", 4, 1, 1),
    "paper": lambda r: train_steps(r, PAPER, "tiny", 2, 1, 1),
    "peers": lambda r: beside_peers(r, Size(16, 2, 1, 8), 4, 1, 1),
    "peers_wide": lambda r: beside_peers(r, Size(16, 2, 1, 16), 4, 1, 1),
    "sample": lambda r: sample(r, "tiny", 64, 1),
}


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_parts", description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--until", type=float, help="when to end, in seconds since 1970; default: in a minute")
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args(words)
    seconds = options.until - time.time() if options.until else 60.0  # loading PyTorch takes some of them
    record = Record(options.out, torch.device(options.device), seconds)
    (TINY if options.tiny else PARTS)[options.part](record)
    return 0


if __name__ == "__main__":
    sys.exit(main())
