"""States and batches of notebook 09: the checks, tried on answers, stubs and the mistakes one makes."""

import copy

import pytest
import torch

from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlab.checks.solutions import train_on_a_gpu as solutions
from glowlab.checks.train_on_a_gpu import SmallRun, largest_batch, restore, save


def whole_state(run, *without, **more):
    state = {name: getattr(run, name).state_dict() for name in ("model", "average", "optimizer")} | {"step": run.step}
    return copy.deepcopy({name: part for name, part in state.items() if name not in without}) | more


def not_copied(run):
    return {name: getattr(run, name).state_dict() for name in ("model", "average", "optimizer")} | {"step": run.step}


def half_copied(run):
    return not_copied(run) | {"model": copy.deepcopy(run.model.state_dict())}


def trains_on(run):
    run.train(1)
    return whole_state(run)


@pytest.mark.parametrize(
    "attempt, words",
    [
        (lambda run: whole_state(run, "optimizer"), "optimizer is missing"),
        (lambda run: whole_state(run, "step"), "step is missing"),
        (lambda run: whole_state(run, "model"), "weights are missing"),
        (lambda run: whole_state(run, "average"), "average of the weights is missing"),
        (lambda run: whole_state(run, loss=3.0), "no 'loss'"),
        (lambda run: whole_state(run, step="4"), "step is a number"),
        (lambda run: whole_state(run, step=3), "the first loss afterwards"),
        (lambda run: whole_state(run, model=run.model), "the object itself"),
        (lambda run: whole_state(run, model=list(run.model.parameters())), "state_dict() gives"),
        (lambda run: whole_state(run, model=copy.deepcopy(run.average.state_dict())), "the first loss afterwards"),
        (lambda run: whole_state(run, average=copy.deepcopy(run.model.state_dict())), "but the average of the weights"),
        (lambda run: list(whole_state(run).values()), "a state is a dict"),
        (not_copied, "A state needs copies"),
        (half_copied, "A state needs copies"),
        (trains_on, "changes the run"),
        (lambda run: run.state_dict(), "AttributeError"),
    ],
)
def test_a_state_that_lacks_something_is_told_so(attempt, words):
    verdict = save(attempt, seed=0)
    assert verdict.state == WRONG and words in verdict.mistake, verdict


def test_a_run_that_is_restored_goes_on_to_the_bit():
    one = SmallRun(3)
    first = one.train(5)
    state = solutions.save(one)
    assert first[-1] < first[0] and restore(SmallRun(3), state).train(5) == one.train(5)


@pytest.mark.parametrize("stub", [lambda run: ..., lambda run: None, lambda run: {"model": ..., "step": ...}])
def test_a_state_left_open_is_untried(stub):
    assert save(stub).state == UNTRIED


def line(first, second):
    each = (second[1] - first[1]) / (second[0] - first[0])
    return first[1] - first[0] * each, each


def answer(formula):
    return lambda budget, first, second: formula(budget, *line(first, second), first, second)


@pytest.mark.parametrize(
    "attempt, words",
    [
        (answer(lambda budget, fixed, each, *ends: (budget - fixed) / each), "whole number of pictures"),
        (answer(lambda budget, fixed, each, *ends: (budget - fixed) // each + 1), "one picture too many"),
        (answer(lambda budget, fixed, each, *ends: (budget - fixed) // each - 1), "one more picture would fit"),
        (answer(lambda budget, fixed, each, *ends: budget // each), "fixed part is forgotten"),
        (answer(lambda budget, fixed, each, *ends: (budget + fixed) // each), "wrong sign"),
        (
            answer(lambda budget, fixed, each, first, second: budget // (first[1] / first[0])),
            "not the cost of a picture",
        ),
        (answer(lambda budget, fixed, each, first, second: budget // (second[1] / second[0])), "not the cost"),
        (answer(lambda budget, fixed, each, first, second: (budget - first[1]) // each), "beside the first"),
        (answer(lambda budget, fixed, each, first, second: (budget - second[1]) // each), "beside the second"),
        (answer(lambda budget, fixed, each, a, b: (budget - fixed) // (b[1] - a[1])), "not of one"),
        (answer(lambda budget, fixed, each, a, b: budget // (b[1] - a[1])), "and the fixed part is forgotten"),
        (answer(lambda budget, fixed, each, *ends: (budget - fixed) // each), "gives -1; no picture fits"),
        (
            answer(lambda budget, fixed, each, a, b: max(0, (budget - fixed) // each) if a < b else 7),
            "larger measurement",
        ),
        (lambda budget, first, second: 3, "a batch of 3 needs"),
        (lambda budget, first, second: "many", "not a str"),
        (lambda budget, first, second: float("inf"), "not inf"),
        (lambda budget, first, second: budget / 0, "ZeroDivisionError"),
    ],
)
def test_a_wrong_batch_is_explained(attempt, words):
    for seed in range(20):
        verdict = largest_batch(attempt, seed=seed)
        assert verdict.state == WRONG and words in verdict.mistake, verdict


@pytest.mark.parametrize("kind", [int, float, torch.tensor])
def test_a_whole_number_of_any_kind_will_do(kind):
    assert largest_batch(lambda *given: kind(solutions.largest_batch(*given))).state == RIGHT


def test_a_batch_left_open_is_untried():
    assert largest_batch(lambda budget, first, second: ...).state == UNTRIED
