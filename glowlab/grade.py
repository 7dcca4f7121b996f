"""Marks notebooks that were handed in: `glowlite grade FOLDER`.

Of each notebook only the definitions that its exercises ask for are run, with what they need, in a process of its own:
with a limit of time and memory, without output, in an empty folder. A process that ends early is started again for the
exercises that are left. No submission is ever written to.
"""

import contextlib
import csv
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from glowlab import exercises
from glowlab.checks.base import RIGHT
from glowlab.judge import first_line
from glowlite.errors import GlowliteError

ROOT = Path(__file__).resolve().parent.parent / "notebooks"
STOPPED = "stopped"
IDLE = 5  # an exercise may take so many times its CPU seconds by the clock, and a minute in any case
START = 300  # seconds for a process to import torch
ALONE = {"OMP_NUM_THREADS": "1", "GLOWLITE_SOLUTIONS": "off", "PYTHONUTF8": "1"}


@dataclass
class Marked:
    """One submission: its state at each exercise, {"02 affine": "right"}, and why, a sentence for each that is not."""

    file: str
    student: str
    notebook: str = ""
    states: dict[str, str] = field(default_factory=dict)
    why: list[str] = field(default_factory=list)

    @property
    def right(self) -> int:
        """How many answers are right."""
        return list(self.states.values()).count(RIGHT)


@dataclass(frozen=True)
class Limits:
    """For each exercise: CPU seconds and MB of memory; `seed` fixes the inputs of the checks."""

    seconds: float = 60
    memory: int = 4000
    seed: int = 0


def submissions(folder: Path) -> Iterator[tuple[str, Path]]:
    """(student, notebook): a student's folder in `folder`, or the name of a notebook that lies in it directly."""
    if not folder.is_dir():
        raise GlowliteError(f"There is no folder {folder}.")
    hidden = (".ipynb_checkpoints", "__MACOSX")
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in hidden:
            found = [one for one in sorted(path.rglob("*.ipynb")) if not set(hidden) & set(one.parts)]
            yield from ((path.name, one) for one in found or [path])
        elif path.suffix == ".ipynb":
            yield path.stem, path


@dataclass(frozen=True)
class Course:
    """A course notebook: its cells and its exercises."""

    name: str
    cells: list[str]
    exercises: list[exercises.Exercise]


def course() -> list[Course]:
    """The course's notebooks."""
    found = []
    for path in sorted(ROOT.glob("[0-9][0-9]*_*.ipynb")):
        cells = exercises.code_cells(path)
        found.append(Course(path.stem, cells, exercises.exercises(exercises.statements(cells))))
    if not found:
        raise GlowliteError(f"There are no notebooks in {ROOT}: run this from a checkout.")
    return found


def which(path: Path, cells: Sequence[str], notebooks: Sequence[Course]) -> Course | None:
    """The course notebook that was handed in: by the file's name, else by the checks that its cells ask for."""
    asked = {(one.module, one.check) for one in exercises.exercises(exercises.statements(cells))}
    named = [one for one in notebooks if one.name in path.stem]
    alike = [one for one in notebooks if asked & {(each.module, each.check) for each in one.exercises}]
    return next(iter(named + alike), None)


def grade(
    folder: Path, limits: Limits = Limits(), jobs: int = 2, progress: Callable[[Marked], None] = lambda marked: None
) -> list[Marked]:
    """Mark every notebook in `folder`, `jobs` at a time; `progress` is told of each."""
    notebooks, found = course(), list(submissions(folder))

    def one(submission: tuple[str, Path]) -> Marked:
        student, path = submission
        marked = Marked(path.relative_to(folder).as_posix(), student)
        try:
            mark(marked, path, notebooks, limits)
        except Exception as error:  # one submission stops no other
            marked.why.append(
                f"it could not be marked ({type(error).__name__}: {first_line(error)}); look at it yourself"
            )
        progress(marked)
        return marked

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, found))


def mark(marked: Marked, path: Path, notebooks: Sequence[Course], limits: Limits) -> None:
    """Fill in what is found in the notebook at `path`."""
    if path.is_dir():
        marked.why.append("there is no notebook in this folder")
        return
    try:
        cells = exercises.code_cells(path)
    except Exception as error:  # nbformat and json raise many kinds
        marked.why.append(f"this is not a notebook: {first_line(error)}")
        return
    notebook = which(path, cells, notebooks)
    if notebook is None:
        marked.why.append("it is none of the course's notebooks: neither its name nor its cells tell which")
        return
    marked.notebook = notebook.name
    left = [one.name for one in notebook.exercises]
    while left:
        for exercise, state, why in in_process(cells, notebook.cells, list(left), limits):
            left.remove(exercise)
            marked.states[f"{notebook.name.partition('_')[0]} {exercise}"] = state
            marked.why += [f"{exercise}: {why}"] if why else []


# ---- a process for one submission ---------------------------------------------------------------------------


def in_process(cells, given, names: list[str], limits: Limits) -> Iterator[tuple[str, str, str]]:
    """(exercise, state, why) of these exercises, until one of them stops the process."""
    job = {"cells": cells, "given": given, "names": names, "seed": limits.seed}
    with tempfile.TemporaryDirectory() as empty:
        process = subprocess.Popen(
            [sys.executable, "-m", "glowlab.judge"],
            cwd=empty,
            env={**os.environ, **ALONE},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        watch = Watch(process, limits)
        try:
            with contextlib.suppress(OSError):  # it has ended already
                process.stdin.write(json.dumps(job).encode())
                process.stdin.close()
            begun = names[0]
            for line in process.stdout:
                message = json.loads(line)
                if "begin" in message:
                    begun = message["begin"]
                    watch.restart()
                else:
                    yield begun, message["state"], message["why"]
                    begun = None
                    if "last" in message:
                        break
            if begun is not None:
                yield begun, STOPPED, watch.reason or f"it ends Python itself (exit code {process.wait()})"
        finally:
            watch.end()
            process.stdout.close()


class Watch:
    """Ends a process and its children when it takes too long or too much memory; `reason` says which."""

    def __init__(self, process: subprocess.Popen, limits: Limits):
        self.process, self.limits, self.reason = process, limits, ""
        self.root, self.idle = psutil.Process(process.pid), max(60, IDLE * limits.seconds)
        self.until = START, time.monotonic() + START  # CPU seconds, and the time of the clock
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def restart(self) -> None:
        """Count the time anew, for an exercise."""
        with contextlib.suppress(psutil.Error):  # it has ended
            self.until = self._cpu() + self.limits.seconds, time.monotonic() + self.idle

    def end(self) -> None:
        """End the process, if it is still there, and wait for it."""
        self.ended.set()
        self.thread.join()  # which ends the process
        self.process.wait()

    def _family(self) -> list[psutil.Process]:
        return [self.root, *self.root.children(recursive=True)]

    def _cpu(self) -> float:
        times = self.root.cpu_times()
        return times.user + times.system

    def _run(self) -> None:
        while not self.reason and not self.ended.wait(0.2):
            try:
                if sum(one.memory_info().rss for one in self._family()) > 1e6 * self.limits.memory:
                    self.reason = f"it takes more than {self.limits.memory:,} MB of memory"
                elif self._cpu() > self.until[0]:
                    self.reason = f"it is not done after {self.limits.seconds:g} seconds: does a loop never end?"
                elif time.monotonic() > self.until[1]:
                    self.reason = f"it is not done after {self.idle:g} seconds, most of which it waits"
                elif self.root.status() == psutil.STATUS_ZOMBIE:  # its children may be there still
                    break
            except psutil.Error:
                break
        self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(psutil.Error):
            for one in reversed(self._family()):
                with contextlib.suppress(psutil.Error):
                    one.kill()
        if hasattr(os, "killpg"):
            with contextlib.suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)


# ---- the table ----------------------------------------------------------------------------------------------


def table(marks: Sequence[Marked]) -> str:
    """CSV: a row for each submission, a column for each exercise, and why."""
    names = sorted({name for one in marks for name in one.states})
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["student", "file", "notebook", "right", "of", *names, "why"])
    for one in marks:
        states = [one.states.get(name, "") for name in names]
        about = [one.student, one.file, one.notebook, one.right, len(one.states)]
        rows.writerow(map(plain, [*about, *states, " | ".join(one.why)]))
    return out.getvalue()


def plain(value) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if str(value).startswith(("=", "+", "-", "@")) else str(value)
