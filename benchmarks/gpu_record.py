"""Variants timed side by side, recorded row by row: what the parts of `python -m benchmarks.gpu` share.

Each variant takes a turn in every round, and a ratio is the median over rounds of the ratio within a round. An error of
a variant, such as too little memory, becomes a line of its row, and the rest goes on.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import torch

from benchmarks import peers
from glowlite.files import write_atomically
from glowlite.training import metrics

LEAST = 3.0  # seconds that must be left to begin another variant or round


class Record:
    """The rows of a part, in a file that is written anew after each change, and the time that is left."""

    def __init__(self, path: Path, device: torch.device, seconds: float):
        self.path, self.device, self.end = path, device, time.monotonic() + seconds
        self.facts = {"machine": metrics.machine(device), "versions": metrics.versions()}
        self.rows: dict[str, dict] = {}
        self.derive: Callable[[str, float], dict] = lambda name, seconds: {}  # what else a row tells

    def left(self) -> float:
        return self.end - time.monotonic()

    def put(self, name: str, **values) -> None:
        self.rows.setdefault(name, {}).update(values)
        content = self.facts | {"rows": [{"name": name, **row} for name, row in self.rows.items()]}
        write_atomically(self.path, (json.dumps(content, indent=1) + "\n").encode())

    @contextmanager
    def guarded(self, name: str) -> Iterator[None]:
        """Make an error a line of the row."""
        try:
            yield
        except Exception as error:
            text = str(error).strip().splitlines() or [""]
            self.put(name, error=f"{type(error).__name__}: {text[0][:200]}")
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)

    def measure(self, contenders: dict[str, Callable[[], Callable]], rounds: int) -> None:
        """Prepare each contender, a function that returns what to time, and time all of them in turns.

        A row gets `seconds` (the median) and what `derive` makes of them, `ratio` (times as fast as the first row),
        `prepare` (seconds until it has run once) and, on a GPU, `peak` (MB that this took at most). All that are ready
        run after each is prepared, so one that never gets ready costs no figure of the others.
        """
        ready: dict[str, Callable] = {}
        for name, prepare in contenders.items():
            if self.left() < LEAST:
                self.put(name, error="no time was left")
                continue
            with self.guarded(name), peak_of(self.device) as found:
                begun = time.monotonic()
                work = prepare()
                peers.seconds(work, self.device)
                found["prepare"], ready[name] = round(time.monotonic() - begun, 2), work
            if name in ready:
                self.put(name, **found)
            self.round(ready, len(ready))
        for turn in range(rounds):
            if self.left() > LEAST:
                self.round(ready, turn)

    def round(self, ready: dict[str, Callable], turn: int) -> None:
        found, names = {}, list(ready)
        first = names[0] if names else None
        for i in range(len(names)):
            name = names[(i + turn) % len(names)]
            with self.guarded(name):
                found[name] = peers.seconds(ready[name], self.device)
            if name not in found:
                del ready[name]
        for name in found:
            row = self.rows[name]
            row.setdefault("times", []).append(found[name])
            if first in found:
                row.setdefault("ratios", []).append(found[first] / found[name])
                row["ratio"] = round(median(row["ratios"]), 3)
            seconds = median(row["times"])
            self.put(name, seconds=seconds, rounds=len(row["times"]), **self.derive(name, seconds))


@contextmanager
def peak_of(device: torch.device) -> Iterator[dict]:
    """Memory that the block takes on a GPU at most beyond what was taken before: {"peak": MB}; {} on a CPU."""
    found = {}
    if device.type != "cuda":
        yield found
        return
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    yield found
    found["peak"] = round((torch.cuda.max_memory_allocated() - before) / 2**20, 1)
