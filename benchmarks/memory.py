"""Memory and time of a training step against depth, three ways:  python -m benchmarks.memory

A step is forward and backward. Memory is measured in a process of its own for each depth and way: how far the
process grows during a step (its peak resident memory, of which Linux tells) without the gradients, which every way
needs; and what autograd saves between forward and backward. Time is that of one thread of one process, the ways in
turns; it is CPU time, which other work on the machine does not lengthen much.
"""

import argparse
import ctypes
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

from glowlite import pixels
from glowlite.data import faces
from glowlite.errors import GlowliteError
from glowlite.files import write_atomically
from glowlite.flows.reversible import MEMORY, set_memory
from glowlite.glow import Glow, GlowConfig
from glowlite.training import metrics

ROOT = Path(__file__).parents[1]
OUT = ROOT / "assets" / "runs" / "memory.json"
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
MB = 2**20


@dataclass(frozen=True)
class Settings:
    """The model and the batch; depths K are of each level."""

    side: int = 64
    levels: int = 2
    width: int = 64
    batch: int = 16
    deepest: int = 128
    rounds: int = 5

    def depths(self) -> list[int]:
        """4, 8, ... up to the deepest."""
        return [2**power for power in range(2, self.deepest.bit_length())]


def prepare(settings: Settings, depth: int) -> tuple[Glow, Tensor]:
    """A model that has seen data, and a batch."""
    shape = (3, settings.side, settings.side)
    model = Glow(GlowConfig(shape, settings.levels, depth, settings.width))
    x = pixels.dequantize(faces.draw(settings.batch, settings.side).images)
    model.initialize(x)
    return model.train(), x


def step(model: Glow, x: Tensor) -> float:
    """CPU seconds of one forward and backward pass."""
    model.zero_grad(set_to_none=True)
    start = time.process_time()
    loss = -model.log_density(x).mean()
    loss.backward()
    return time.process_time() - start


def saved_bytes(model: Glow, x: Tensor) -> int:
    """Bytes that autograd saves for the backward pass; a storage counts once, and weights do not."""
    seen = {weight.untyped_storage().data_ptr() for weight in model.parameters()} | {x.untyped_storage().data_ptr()}
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in seen:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model.log_density(x)
    return sum(kept.values())


def resident(what: str) -> int:
    """Bytes of memory of this process: VmRSS now, or VmHWM at its peak."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(what))
    return int(line.split()[1]) * 1024


def measure_memory(settings: Settings, depth: int, memory: str) -> dict:
    """Memory of one depth and way, in this process."""
    model, x = prepare(settings, depth)
    set_memory(model, memory)
    saved = saved_bytes(model, x)
    step(model, x)  # what is made once
    model.zero_grad(set_to_none=True)
    peak = growth(lambda: step(model, x))
    gradients = sum(weight.grad.nbytes for weight in model.parameters())
    return {"depth": depth, "memory": memory, "saved": saved, "grown": peak - gradients}


def growth(work: Callable[[], object]) -> int:
    """Bytes by which this process grows while work() runs, at its peak."""
    ctypes.CDLL(None).malloc_trim(0)
    before = resident("VmRSS")
    CLEAR.write_text("5")  # the peak is counted from here
    work()
    return resident("VmHWM") - before


def in_a_process(*words: str) -> dict:
    """The JSON that `python -m words` prints, in a process where memory that is freed goes back at once."""
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def measure_time(settings: Settings, depth: int) -> dict:
    """Parameters, median seconds of each way, and the median of each round's ratio to "stored"."""
    model, x = prepare(settings, depth)
    rounds = []
    for _ in range(settings.rounds + 1):
        seconds = {}
        for memory in MEMORY:
            set_memory(model, memory)
            seconds[memory] = step(model, x)
        rounds.append(seconds)
    rounds = rounds[1:]  # the first warms up
    return {
        "depth": depth,
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "seconds": {memory: round(median(each[memory] for each in rounds), 4) for memory in MEMORY},
        "ratio": {memory: round(median(each[memory] / each["stored"] for each in rounds), 3) for memory in MEMORY},
    }


def options(settings: Settings) -> list[str]:
    """The settings as words of the command line, those of the default left out."""
    changed = {name: value for name, value in asdict(settings).items() if value != getattr(Settings(), name)}
    return [word for name, value in changed.items() for word in (f"--{name}", str(value))]


def measure(settings: Settings) -> dict:
    """All that the file holds."""
    rows = []
    for depth in settings.depths():
        row = measure_time(settings, depth)
        for memory in MEMORY:
            one = in_a_process("benchmarks.memory", *options(settings), "--one", str(depth), memory)
            for what in ("saved", "grown"):
                row.setdefault(what, {})[memory] = one[what]
        rows.append(row)
        print(table([row]).splitlines()[-1], flush=True)
    return {
        "kind": "glowlite memory",
        "command": " ".join(["python -m benchmarks.memory", *options(settings)]),
        "date": date.today().isoformat(),
        "settings": asdict(settings),
        "machine": metrics.machine(),
        "versions": metrics.versions(),
        "rows": rows,
    }


def table(rows: list[dict]) -> str:
    """Megabytes and time against depth, as Markdown."""
    head = ["K", "parameters, MB"]
    head += [f"{memory}: grows by, MB (saved)" for memory in MEMORY] + [f"time, {memory}" for memory in MEMORY[1:]]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        cells = [str(row["depth"]), f"{4 * row['parameters'] / MB:.1f}"]
        cells += [f"{row['grown'][memory] / MB:.1f} ({row['saved'][memory] / MB:.1f})" for memory in MEMORY]
        lines.append(cells + [f"{row['ratio'][memory]:.2f}x" for memory in MEMORY[1:]])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="default: assets/runs/memory.json")
    parser.add_argument("--one", nargs=2, metavar=("K", "WAY"), help="print memory of one depth and way alone")
    for name, value in asdict(Settings()).items():
        parser.add_argument(f"--{name}", type=int, default=value, help=f"default: {value}")
    given = vars(parser.parse_args(arguments))
    out, one = given.pop("out"), given.pop("one")
    settings = Settings(**given)
    torch.set_num_threads(1)
    try:
        if not os.access(CLEAR, os.W_OK):
            raise GlowliteError(f"peak memory is read from {STATUS} and {CLEAR}: run this on Linux")
        if one:
            print(json.dumps(measure_memory(settings, int(one[0]), one[1])))
            return 0
        record = measure(settings)
        write_atomically(out, (json.dumps(record, indent=1) + "\n").encode())
    except GlowliteError as error:
        print(error, file=sys.stderr)
        return 1
    rows = record["rows"]
    print(f"\n{table(rows)}")
    for memory in MEMORY:
        print(f"{memory}: K = {rows[-1]['depth']} needs {rows[-1]['grown'][memory] / rows[0]['grown'][memory]:.2f} "
              f"times the memory of K = {rows[0]['depth']}, beside weights and gradients")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
