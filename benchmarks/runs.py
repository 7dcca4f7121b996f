"""Trainings that benchmarks compare: the curve of one, and a record to which many are added one by one."""

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from glowlite.files import write_atomically
from glowlite.training import metrics
from glowlite.training.config import METRICS, TrainConfig
from glowlite.training.loop import train


def train_curve(config: TrainConfig) -> dict | None:
    """Train: images seen and held-out bits per dimension at each validation, and seconds; None if a signal stops it."""
    result = train(config, progress=sys.stderr.isatty())
    if result.stopped_by:
        return None
    lines = [line for line in metrics.read_metrics(Path(config.out) / METRICS) if "val_bpd" in line]
    return {
        "images": [line["images"] for line in lines],
        "bits_per_dim": [round(line["val_bpd"], 5) for line in lines],
        "seconds": round(result.seconds, 1),
    }


def read(path: Path) -> list[dict]:
    """The runs recorded so far."""
    return json.loads(path.read_text())["runs"] if path.exists() else []


def save(path: Path, runs: list[dict], kind: str) -> None:
    """Write all runs, whole or not at all."""
    content = {"kind": kind, "machine": metrics.machine(), "versions": metrics.versions(), "runs": runs}
    write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())


def run_missing(
    plan: Iterable[tuple[str, dict, Callable[[], dict | None]]], path: Path, kind: str, watch: Callable[[str], None]
) -> bool:
    """Run what `path` does not hold yet, and add each to it at once; False if one was stopped by a signal.

    plan: words for a run, the facts by which it is known in the record, and the function that runs it.
    """
    torch.set_num_threads(1)
    for words, facts, one_run in plan:
        if any(facts.items() <= run.items() for run in read(path)):
            continue
        run = one_run()
        if run is None:
            return False
        save(path, [*read(path), run], kind)
        watch(f"{words}: {run['bits_per_dim'][-1]:.4f} bits/dim after {run['seen'][-1]:,} images")
    return True
