"""One training in 1, 2 and 4 processes of this machine, by torchrun:  python -m benchmarks.many

Every run takes the same 200 steps. The table shows how far its losses are from those of one process, and how many
images a second it sees. A last run is stopped twice and goes on with another number of processes each time.
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

from glowlite.errors import GlowliteError
from glowlite.files import write_atomically
from glowlite.training import metrics
from glowlite.training.config import METRICS, STATE

ROOT = Path(__file__).parents[1]
OUT = ROOT / "assets" / "runs" / "many.json"
PRESET, BATCH = "tiny", 16
SIZES = (1, 2, 4)
CHAIN = (2, 1, 4)  # numbers of processes of the run that is stopped
NOTE = (
    "The processes share the cores of one machine, so images/s say what several processes cost here, and nothing about "
    "GPUs or a network."
)


def run(out: Path, size: int, steps: int, until: int = 0) -> list[dict]:
    """Train in `size` processes, or go on, and stop after about `until` steps if it is given; the lines of metrics."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(size), "-m", "glowlite", "train"]
    command += ["--out", str(out), "--accelerator", "cpu", "--threads", "1", "--quiet"]
    if (out / STATE).exists():
        command.append("--resume")
    else:
        command += [
            "--preset",
            PRESET,
            "--batch",
            str(BATCH),
            "--images",
            str(BATCH * steps),
            "--log-every",
            str(BATCH),
        ]
        command += ["--init-batch", "64", "--validation-count", "64", "--warmup", "800"]
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
    rows, first = [], None
    for size in SIZES:
        found = run(folder / str(size), size, steps)
        first = first or found
        rows.append(compare(str(size), found, first))
        print(table(rows).splitlines()[-1], flush=True)
    for number, size in enumerate(CHAIN, 1):
        last = number == len(CHAIN)
        found = run(folder / "chain", size, steps, 0 if last else number * steps // len(CHAIN))
    rows.append(compare(", then ".join(map(str, CHAIN)), found, first, speed=False))
    return {
        "kind": "glowlite many",
        "command": f"python -m benchmarks.many --steps {steps}",
        "date": date.today().isoformat(),
        "settings": {"preset": PRESET, "batch": BATCH, "steps": steps},
        "machine": metrics.machine(),
        "versions": metrics.versions(),
        "note": NOTE,
        "rows": rows,
    }


def table(rows: list[dict]) -> str:
    """Rows as Markdown."""
    found = [
        "| processes | steps | largest difference of a loss, bits/dim | last loss | images/s |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        speed = "" if row["images_per_second"] is None else f"{row['images_per_second']:.0f}"
        numbers = f"{row['largest_difference']:.1e} | {row['last_loss']:.4f} | {speed}"
        found.append(f"| {row['processes']} | {row['steps']} | {numbers} |")
    return "\n".join(found)


def main(words: list[str] | None = None) -> int:
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
