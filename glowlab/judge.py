"""Runs the checks on one submission, in a process that `glowlite grade` starts: `python -m glowlab.judge`.

It reads a job from stdin and writes a line of JSON when an exercise begins and when it ends.
"""

import json
import os
import random
import sys
from collections.abc import Sequence

from glowlab import exercises
from glowlab.checks.base import WRONG

MISSING = "missing"


def main() -> None:
    """The process: reads a job from stdin, writes a line of JSON as each exercise begins and ends."""
    job = json.load(sys.stdin.buffer)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    silence = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(silence, number)

    def say(**message) -> None:
        print(json.dumps(message), file=answers, flush=True)

    import numpy
    import torch

    mine, theirs = exercises.statements(job["cells"]), exercises.statements(job["given"])
    done: dict[str, object] = {}  # what the exercises after it use: the answer where it is right, else ours
    for exercise in exercises.exercises(theirs):
        done[exercise.name] = exercise.find_check().answer()
        if exercise.name in job["names"]:
            random.seed(job["seed"])
            numpy.random.seed(job["seed"])
            torch.manual_seed(job["seed"])
            say(begin=exercise.name)
            state, why = judge(exercise, mine, theirs, done, job["seed"])
            if state == MISSING:
                why = missing(exercise.name, job["cells"])
            last = {"last": True} if exercise.name == job["names"][-1] else {}
            say(state=state, why=why, **last)
    os._exit(0)  # whatever threads an answer has left behind


def judge(exercise, mine, theirs, done: dict[str, object], seed: int) -> tuple[str, str]:
    """(state, why) of an answer; one that is right goes into `done`."""
    place = exercises.find_answer(exercise, mine, theirs)
    if place is None:
        return MISSING, ""
    ours = exercises.around(theirs, exercises.definitions(exercise.name, theirs)[0])
    space = {"__name__": "__main__"} | {name: one for name, one in done.items() if name != exercise.name and one}
    helpers = {"__name__": "__main__"}  # as the course has them
    try:
        exercises.execute(space, mine[place], exercises.around(mine, place), ours)
        attempt = space[mine[place].name]
        exercises.fill(helpers, {name for one in exercise.more for name in exercises.needs(one)}, ours)
        more = [eval(one, helpers) for one in exercise.more]
    except BaseException as error:
        return WRONG, f"its cell stops with {type(error).__name__}: {first_line(error)}"
    try:
        verdict = exercise.find_check()(attempt, *more, seed=seed)
    except Exception as error:
        return WRONG, f"the check cannot judge it ({type(error).__name__}: {first_line(error)}); look at it yourself"
    except BaseException as error:
        return WRONG, f"it ends Python ({type(error).__name__})"
    if verdict:
        done[exercise.name] = attempt
    held = f" (what holds: {'; '.join(verdict.holds)})" if verdict.mistake and verdict.holds else ""
    return verdict.state, f"{verdict.mistake}{held}"


def missing(name: str, cells: Sequence[str]) -> str:
    """The sentence for an exercise without a definition."""
    for source in cells:
        try:
            exercises.parse(source)
        except SyntaxError as error:
            if name in source:
                return f"its cell is no Python: line {error.lineno}, {error.msg}"
    return f"nothing of the name {name} is defined"


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or ["no further words"])[0][:200]


if __name__ == "__main__":
    main()
