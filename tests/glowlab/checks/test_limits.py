"""The checks of notebook 15, each tried on the solution, the stub and the mistakes one makes."""

import math

import pytest
import torch

from glowlab.checks import limits as checks
from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlab.checks.solutions import limits as solutions


def verdicts(check, attempt, words):
    for seed in range(3):
        verdict = check(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict


@pytest.mark.parametrize("name", ["novelty", "stretch", "importance_bound"])
def test_a_stub_is_untried_and_hints_and_solution_are_there(name):
    check = getattr(checks, name)
    assert check(lambda *arguments: ..., seed=0).state == UNTRIED
    assert "Hint 1" in repr(check.hint()) and f"def {name}" in repr(check.solution())


def in_place(numbers, usual):
    numbers["bits"] -= usual["bits"].mean()
    return numbers["bits"].abs()


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (solutions.novelty, None),
        (lambda n, u: n["bits"], "just as 'likelihood'"),
        (lambda n, u: (n["bits"] - u["bits"].mean()).abs(), "just as 'typicality'"),
        (lambda n, u: n["bits"] - n["png"], "just as 'less PNG'"),
        (lambda n, u: n["bits"] + 0.1 * n["distance"], "two sides"),
        (lambda n, u: (4 * (n["bits"] - u["bits"].mean()).abs()).round(), "no better"),
        (lambda n, u: -solutions.novelty(n, u), "wrong way round"),
        (lambda n, u: torch.ones_like(n["bits"]), "nothing can be told"),
        (lambda n, u: n["bits"].mean(), "shape"),
        (lambda n, u: (n["bits"] - n["bits"].mean()).abs() / n["bits"].std(), "`usual` alone"),
        (lambda n, u: n["bits"] / (0 * n["png"]) * 0, "nan"),
        (in_place, "in place"),
    ],
)
def test_novelty(attempt, words):
    verdicts(checks.novelty, attempt, words)


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (solutions.stretch, None),
        (lambda a, s: 1 / solutions.stretch(a, s), "dz/dx"),
        (lambda a, s: solutions.stretch(a, s) / s, "factor s"),
        (lambda a, s: 2 * solutions.stretch(a, s), "only one of the two"),
        (lambda a, s: solutions.stretch(a, s) / 2, "added whole"),
        (lambda a, s: s * math.exp(a**2 / s**2), "2 in the exponent"),
        (lambda a, s: s * math.exp(a**2 / (2 * s)), "variance"),
        (lambda a, s: s * math.exp(-(a**2) / (2 * s**2)), "sign"),
        (lambda a, s: solutions.stretch(a, s) * math.sqrt(2 * math.pi), "1 / p(0)"),
        (lambda a, s: math.log(solutions.stretch(a, s)), "log"),
        (lambda a, s: a + s, "1.649 a"),
        (lambda a, s: "many", "one number"),
        (lambda a, s: math.inf, "finite"),
    ],
)
def test_stretch(attempt, words):
    verdicts(checks.stretch, attempt, words)


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (solutions.importance_bound, None),
        (lambda w: w.mean(0), "still averaged"),
        (lambda w: w.exp().mean(0).log(), "-inf"),
        (lambda w: w.logsumexp(0), "a mean divides by K"),
        (lambda w: w.logsumexp(0) + math.log(len(w)), "log K is subtracted"),
        (lambda w: w.logsumexp(0) - len(w), "not its log"),
        (lambda w: w.amax(0), "best draw"),
        (lambda w: w.sum(0), "product"),
        (lambda w: w.logsumexp(1) - math.log(w.shape[1]), "one number for each draw"),
        (lambda w: w.logsumexp(0) - 3, "lies between"),
        (lambda w: w.sub_(0), "shape"),
    ],
)
def test_importance_bound(attempt, words):
    verdict = checks.importance_bound(attempt, seed=0)
    assert verdict.state == (RIGHT if words is None else WRONG)
    assert words is None or words in verdict.mistake, verdict
