"""Trainings that benchmarks compare: the curve of one, and a record to which many are added one by one."""

import copy
import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

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


def learn_for(
    seconds: float,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss_of_batch: Callable[[], Tensor],
    measure: Callable[[nn.Module], float],
    *,
    warmup: int,
    fall: float,
    ema: float,
    clip: float,
) -> tuple[nn.Module, list[tuple[float, int, float]]]:
    """Train for so many CPU seconds: the averaged model, and (seconds, steps, measure of it) at eight moments.

    The learning rate rises over `warmup` steps, and falls to nothing over the last 1/fall of the time. Measuring does
    not count as learning.
    """
    average, lr = copy.deepcopy(model).eval(), optimizer.param_groups[0]["lr"]
    curve, steps, spent, start = [], 0, 0.0, time.process_time()
    while spent < seconds:
        optimizer.param_groups[0]["lr"] = lr * min(1, (steps + 1) / warmup, fall * (1 - spent / seconds) + 0.02)
        loss = loss_of_batch()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        steps += 1
        with torch.no_grad():
            for mean, weight in zip(average.parameters(), model.parameters(), strict=True):
                mean.lerp_(weight, 1 - min(ema, steps / (steps + 20)))
        spent = time.process_time() - start
        if spent >= (len(curve) + 1) * seconds / 8:
            with torch.no_grad():
                curve.append((round(spent, 1), steps, round(measure(average), 4)))
            print(f"{spent:.0f} s, {steps} steps: {curve[-1][2]:.3f} bits", file=sys.stderr, flush=True)
            start += time.process_time() - start - spent
    return average, curve


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
