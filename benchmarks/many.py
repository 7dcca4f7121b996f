"""One training in 1, 2 and 4 processes of this machine, by torchrun:  python -m benchmarks.many

Every run takes the same 200 steps. The table shows how far its losses are from those of one process, and how many
images a second it sees. One run is stopped twice and goes on with another number of processes each time. Muon sets
small singular values of a gradient to 1, and their rounding grows with them: one process that sums its batch in two
parts shows how much in float32, and that nothing but rounding is left in float64.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from statistics import median

from glowlite import cli, pixels
from glowlite.errors import GlowliteError
from glowlite.files import write_atomically
from glowlite.training import loop, metrics, process
from glowlite.training.config import METRICS, STATE

ROOT = Path(__file__).parents[1]
OUT = ROOT / "assets" / "runs" / "many.json"
PRESET, BATCH = "tiny", 16
RATES = {"adamax": "1e-3", "muon": "2e-3"}  # the published code's optimizer and rate, and the default
CHAIN = (2, 1, 4)  # numbers of processes of the run that is stopped
NOTE = (
    "The processes share the cores of one machine, so images/s say what several processes cost here, and nothing about "
    "GPUs or a network."
)


def train_in_float64(words: list[str]) -> int:
    """`glowlite words` with pictures, weights and gradients of float64."""
    fabric, glow, dequantize = process.Fabric, loop.Glow, pixels.dequantize
    process.Fabric = lambda **given: fabric(**given | {"precision": "64-true"})
    loop.Glow = lambda config: glow(config).double()
    pixels.dequantize = lambda *given: dequantize(*given).double()
    return cli.main(words)


def run(out: Path, size: int, steps: int, *more: str, until: int = 0, module: str = "glowlite") -> list[dict]:
    """Train in `size` processes, or go on, and stop after about `until` steps if it is given; the lines of metrics."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(size), "-m", module, "train"]
    command += ["--out", str(out), "--accelerator", "cpu", "--threads", "1", "--quiet", *more]
    if (out / STATE).exists():
        command.append("--resume")
    else:
        command += ["--preset", PRESET, "--batch", str(BATCH), "--log-every", str(BATCH), "--warmup", "800"]
        command += ["--images", str(BATCH * steps), "--init-batch", "64", "--validation-count", "64"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        while process.poll() is None:
            time.sleep(0.2)
            if until and len(lines(out)) >= until:
                process.send_signal(signal.SIGTERM)
                process.wait()
        if not until and process.returncode:
            log.seek(0)
            raise GlowliteError(f"a run of {size} processes failed: {log.read().decode(errors='replace')[-2000:]}")
    return lines(out)


def lines(out: Path) -> list[dict]:
    """A line for each step so far."""
    return [line for line in metrics.read_metrics(out / METRICS) if "bpd" in line]


def compare(name: str, found: list[dict], first: list[dict], speed: bool = True) -> dict:
    """A row of the table."""
    if [line["images"] for line in found] != [line["images"] for line in first]:
        raise GlowliteError(f"the run of {name} processes has other steps than that of one")
    return {
        "processes": name,
        "steps": len(found),
        "largest_difference": max(abs(a["bpd"] - b["bpd"]) for a, b in zip(found, first, strict=True)),
        "last_loss": found[-1]["bpd"],
        "images_per_second": round(median(line["images_per_second"] for line in found), 1) if speed else None,
    }


def measure(steps: int, folder: Path) -> dict:
    """All that the file holds."""
    rows, first = [], []

    def add(name: str, found: list[dict], first: list[dict], speed: bool = True) -> None:
        rows.append(compare(name, found, first, speed))
        print(table(rows).splitlines()[-1], flush=True)

    for optimizer, sizes in (("adamax", (1, 2, 4)), ("muon", (1, 2))):
        settings = ("--optimizer", optimizer, "--lr", RATES[optimizer])
        for size in sizes:
            found = run(folder / f"{optimizer} {size}", size, steps, *settings)
            first = found if size == 1 else first
            add(f"{size}, {optimizer}", found, first)
        if optimizer == "adamax":
            for number, size in enumerate(CHAIN, 1):
                until = 0 if number == len(CHAIN) else number * steps // len(CHAIN)
                found = run(folder / "chain", size, steps, *settings, until=until)
            add(f"{', then '.join(map(str, CHAIN))}, {optimizer}", found, first, speed=False)
        else:  # how far rounding alone leads: the same sum in two parts
            parts, name = ("--micro-batch", str(BATCH // 2)), f"1 in micro-batches of {BATCH // 2}, {optimizer}"
            add(name, run(folder / "parts", 1, steps, *settings, *parts), first)
            double = {"module": "benchmarks.many"}
            first = run(folder / "float64", 1, steps, *settings, **double)
            found = run(folder / "float64 in parts", 1, steps, *settings, *parts, **double)
            add(f"{name}, both in float64", found, first, speed=False)
    return {
        "kind": "glowlite many",
        "command": f"python -m benchmarks.many --steps {steps}",
        "date": date.today().isoformat(),
        "settings": {"preset": PRESET, "batch": BATCH, "steps": steps, "lr": RATES},
        "machine": metrics.machine(),
        "versions": metrics.versions(),
        "note": NOTE,
        "rows": rows,
    }


def table(rows: list[dict]) -> str:
    """Rows as Markdown."""
    found = [
        "| processes, optimizer | steps | largest difference of a loss, bits/dim | last loss | images/s |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        speed = "" if row["images_per_second"] is None else f"{row['images_per_second']:.0f}"
        numbers = f"{row['largest_difference']:.1e} | {row['last_loss']:.4f} | {speed}"
        found.append(f"| {row['processes']} | {row['steps']} | {numbers} |")
    return "\n".join(found)


def main(words: list[str] | None = None) -> int:
    words = sys.argv[1:] if words is None else words
    if words[:1] == ["train"]:
        return train_in_float64(words)
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="default: assets/runs/many.json")
    parser.add_argument("--steps", type=int, default=200, help="of each run (200)")
    options = parser.parse_args(words)
    try:
        with tempfile.TemporaryDirectory() as folder:
            record = measure(options.steps, Path(folder))
        write_atomically(options.out, (json.dumps(record, indent=1) + "\n").encode())
    except GlowliteError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"\n{table(record['rows'])}\n\n{NOTE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
