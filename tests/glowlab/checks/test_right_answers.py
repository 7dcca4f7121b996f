"""Right answers of three styles are right at every call, whatever inputs the check draws."""

import functools
import importlib.util
import os
from collections.abc import Iterator

import pytest
import torch

from glowlab.notebooks import scripts
from glowlite import Glow, GlowConfig
from tests.notebooks.solved import exercises

STYLES = {
    "solutions": "glowlab.checks.solutions",
    "second": "tests.glowlab.checks.second",
    "third": "tests.glowlab.checks.third",
}
CALLS = int(os.environ.get("CALLS", "20"))  # of each check with each answer; some take a second
EXERCISES = {f"{one.module}.{one.name}": one for script in scripts() for one in exercises(script)}
MORE = {"why_reversible.there_and_back": lambda: [small_model()]}  # what a check takes beside the answer

ELSEWHERE = ("many_machines.average_gradients", "many_machines.mended")  # they run in other processes, unseen from here


def small_model() -> Glow:
    """A model of pictures as large as the course's, quick enough for a hundred calls."""
    model = Glow(GlowConfig((3, 64, 64), levels=2, depth=1, width=8)).eval()
    model.initialize(torch.rand(4, 3, 64, 64) - 0.5)
    return model


def answer(style: str, exercise):
    """The answer in this style; fails where there is none."""
    module = f"{STYLES[style]}.{exercise.module}"
    place = module.replace(".", "/")
    found = getattr(importlib.import_module(module), exercise.name, None) if importlib.util.find_spec(module) else None
    assert found is not None, f"{place}.py has no {exercise.name}"
    return found


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", EXERCISES)
def test_a_right_answer_is_right_at_every_call(name, style):
    exercise = EXERCISES[name]
    attempt = answer(style, exercise)
    check = exercise.find_check()
    more = MORE.get(name, list)()
    verdicts = [check(attempt, *more, seed=seed) for seed in range(CALLS)]
    wrong = [verdict for verdict in verdicts if not verdict]
    assert not wrong, f"{len(wrong)} of {CALLS} calls refuse it, the first with\n{wrong[0]}"


def tensors(value) -> Iterator[torch.Tensor]:
    """The tensors in an argument: itself, or those of a list."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from tensors(part)


SEEN = [name for name, one in EXERCISES.items() if one.name.islower() and name not in ELSEWHERE]  # functions


@pytest.mark.parametrize("name", SEEN)
def test_a_check_feeds_float32_as_the_notebooks_do(name):
    exercise, types = EXERCISES[name], set()
    attempt = answer("solutions", exercise)

    @functools.wraps(attempt)
    def noted(*arguments):
        types.update(tensor.dtype for tensor in tensors(arguments))
        return attempt(*arguments)

    assert exercise.find_check()(noted, *MORE.get(name, list)(), seed=0)
    assert torch.float64 not in types


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_that_a_check_shows_is_that_answer(name):
    exercise = EXERCISES[name]
    check = exercise.find_check()
    assert check.answer() is answer("solutions", exercise)
    assert f" {exercise.name}(" in check.solution().text


def test_solutions_can_be_switched_off(monkeypatch):
    check = EXERCISES["coupling_layers.affine"].find_check()
    monkeypatch.setenv("GLOWLITE_SOLUTIONS", "off")
    assert repr(check.solution()) == "Solutions are switched off here; hints are not."
    assert "Hint 1 of" in repr(check.hint())
