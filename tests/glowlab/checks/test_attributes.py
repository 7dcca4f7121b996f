"""Effects of directions from shuffled labels, of notebook 12: the check, tried on answers, stub and mistakes."""

import pytest
import torch

from glowlab.checks.attributes import shuffled_effects
from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlite.latents import mean_difference


def with_labels(make):
    """An attempt that makes its labels by make(has, trial)."""

    def attempt(eps, has, effect, trials):
        return torch.tensor([effect(mean_difference(eps, make(has, trial))) for trial in range(trials)])

    return attempt


def with_direction(make):
    """An attempt that makes its directions by make(eps, shuffled labels)."""

    def attempt(eps, has, effect, trials):
        return torch.tensor([effect(make(eps, shuffle(has))) for _ in range(trials)])

    return attempt


def shuffle(has, trial=0):
    return has[torch.randperm(len(has))]


def fixed(has, trial):
    return has[torch.randperm(len(has), generator=torch.Generator().manual_seed(1))]


def two_swapped(has, trial):
    made = has.clone()
    yes, no = has.nonzero()[trial % 3], (~has).nonzero()[trial % 3]
    made[yes], made[no] = False, True
    return made


def drawn_twice(eps, has, effect, trials):
    found = []
    for _ in range(trials):
        which = torch.randint(len(has), (len(has),))
        found.append(effect(mean_difference([level[which] for level in eps], shuffle(has))))
    return torch.tensor(found)


def faces_and_labels(eps, has, effect, trials):
    found = []
    for _ in range(trials):
        order = torch.randperm(len(has))
        found.append(effect(mean_difference([level[order] for level in eps], has[order])))
    return torch.tensor(found)


def faces_shuffled(eps, has, effect, trials):
    found = []
    for _ in range(trials):
        order = torch.randperm(len(has))
        found.append(effect(mean_difference([level[order] for level in eps], has)))
    return torch.tensor(found)


def in_place(eps, has, effect, trials):
    found = []
    for _ in range(trials):
        has[:] = shuffle(has)
        found.append(effect(mean_difference(eps, has)))
    return torch.tensor(found)


def made(change):
    """The right answer, changed at the end."""
    return lambda *given: change(with_labels(shuffle)(*given))


RIGHT_ONE = with_labels(shuffle)
EFFECTS = {
    "shuffled labels": (RIGHT_ONE, None),
    "shuffled faces": (faces_shuffled, None),
    "shuffled from the last": (in_place, "has is not what it was"),
    "a list": (lambda *given: RIGHT_ONE(*given).tolist(), None),
    "float64": (lambda *given: RIGHT_ONE(*given).double(), None),
    "in another order": (made(lambda found: found.sort().values), None),
    "not shuffled": (with_labels(lambda has, trial: has), "the labels are as they were"),
    "faces and labels together": (faces_and_labels, "the labels are as they were"),
    "one shuffle": (with_labels(fixed), "the same shuffle each time"),
    "two labels swapped": (with_labels(two_swapped), "of the labels stay where they were"),
    "coins": (with_labels(lambda has, trial: torch.rand(len(has)) < 0.7), "shuffle the labels that there are"),
    "drawn twice": (drawn_twice, "some faces count more than others"),
    "without minus with": (with_direction(lambda eps, has: mean_difference(eps, ~has)), "without minus with"),
    "levels apart": (
        with_direction(lambda eps, has: [mean_difference([level], shuffle(has))[0] for level in eps]),
        "each level was shuffled by itself",
    ),
    "random numbers": (with_direction(lambda eps, has: [torch.randn_like(e[:1]) for e in eps]), "not made of these"),
    "those with": (
        with_direction(lambda eps, has: [e[has].mean(0, keepdim=True) for e in eps]),
        "not the mean of those with minus",
    ),
    "without a batch": (with_direction(lambda eps, has: [e[has].mean(0) for e in eps]), "keep the 1 in front"),
    "half": (
        with_direction(lambda eps, has: [e / 2 for e in mean_difference(eps, has)]),
        "not the mean of those with minus",
    ),
    "absolute": (made(torch.abs), "no absolute value"),
    "the mean": (made(torch.mean), "return all of them"),
    "the mean as a number": (made(lambda found: found.mean().item()), "return all of them"),
    "changed": (made(lambda found: found + 1), "not what effect answered"),
    "a column": (made(lambda found: found[:, None]), "must have the shape"),
    "too few": (lambda eps, has, effect, trials: RIGHT_ONE(eps, has, effect, 3), "must have the shape"),
    "asked twice": (lambda *given: RIGHT_ONE(*given) + 0 * RIGHT_ONE(*given), "asked 16 times for 8 trials"),
    "never asked": (lambda eps, has, effect, trials: torch.randn(trials), "effect was never asked"),
    "a word": (lambda eps, has, effect, trials: effect("beard"), "not a str"),
    "eps in place": (lambda eps, *rest: eps[0].zero_() * 0 + RIGHT_ONE(eps, *rest), "eps is not what it was"),
    "a typing mistake": (lambda eps, *rest: eps.mean(), "AttributeError"),
}  # fmt: skip


@pytest.mark.parametrize("name", EFFECTS)
def test_shuffled_effects_names_the_mistake(name):
    attempt, words = EFFECTS[name]
    torch.manual_seed(0)
    for seed in range(3):
        verdict = shuffled_effects(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict


def not_implemented(*given):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [lambda *given: None, lambda *given: ..., not_implemented])
def test_an_untouched_stub_is_not_a_mistake(stub):
    verdict = shuffled_effects(stub)
    assert verdict.state == UNTRIED and not verdict
    assert "goes on" in repr(verdict)


def test_hints_come_one_by_one_and_the_worked_answer_is_shown():
    texts = [str(shuffled_effects.hint()) for _ in range(4)]
    assert texts[0].startswith("Hint 1 of 3") and texts[-1] == texts[0]
    assert len(set(texts)) == 3
    assert "def shuffled_effects(eps, has, effect, trials):" in shuffled_effects.solution().text
