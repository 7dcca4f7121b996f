"""A direction and its effect, of notebook 12: the check, tried on the solution, the stub and the mistakes one makes."""

import pytest
import torch

from glowlab.checks.attributes import direction_and_effect
from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlite import latents
from glowlite.latents import add, mean_difference

# ---- a direction and its effect ----------------------------------------------------------------------------


def means(eps, which):
    return [level[which].mean(0, keepdim=True) for level in eps]


def effect(a, others, decode, read):
    return read(decode(add(others, a, 1.0))) - read(decode(add(others, a, -1.0)))


def by_hand(z, has, others, decode, read):
    a = [level[has].mean(0, keepdim=True) - level[~has].mean(0, keepdim=True) for level in z]
    up = [eps + step for eps, step in zip(others, a, strict=True)]
    down = [eps - step for eps, step in zip(others, a, strict=True)]
    return a, read(decode(up)) - read(decode(down))


def with_direction(make):
    """An attempt that is right but for its direction."""

    def attempt(z, has, others, decode, read):
        a = make(z, has)
        return a, effect(mean_difference(z, has), others, decode, read)

    return attempt


def with_effect(measure):
    """An attempt that is right but for its effect: measure(a, others, decode, read)."""

    def attempt(z, has, others, decode, read):
        a = mean_difference(z, has)
        return a, measure(a, others, decode, read)

    return attempt


def at(amount, a, others, decode, read):
    return read(decode(add(others, a, amount)))


def in_place(z, has, others, decode, read):
    a = mean_difference(z, has)
    for eps, step in zip(others, a, strict=True):
        eps += step
    up = read(decode(others))
    return a, up - read(decode(add(others, a, -2.0)))


def centres(z, has, others, decode, read):
    for eps in z:
        eps -= eps.mean(0)
    return by_hand(z, has, others, decode, read)


def on_the_labelled(z, has, others, decode, read):
    a = mean_difference(z, has)
    return a, effect(a, z, decode, read)


def without_a_batch(z, has, others, decode, read):
    a = [level[has].mean(0) - level[~has].mean(0) for level in z]
    return a, effect(a, others, decode, read)


def per_level(z, has):
    return [step / step.norm() for step in mean_difference(z, has)]


def length_one(z, has):
    a = mean_difference(z, has)
    return [step / latents.flatten(a).norm() for step in a]


def direction_decoded(a, others, decode, read):
    return (read(decode(a)) - read(decode([-step for step in a]))).expand(len(others[0]))


def first_level(z, has):
    first, *rest = mean_difference(z, has)
    return [first, *(0 * step for step in rest)]


def divided_by_all(z, has):
    sides = [(level[has].sum(0, keepdim=True), level[~has].sum(0, keepdim=True)) for level in z]
    return [(x - y) / len(has) for x, y in sides]


def medians(z, has):
    return [level[has].median(0, keepdim=True)[0] - level[~has].median(0, keepdim=True)[0] for level in z]


def crashes(z, has, others, decode, read):
    return z[has].mean(0), others


SUMS = with_direction(lambda z, has: [e[has].sum(0, keepdim=True) - e[~has].sum(0, keepdim=True) for e in z])
LESS_ALL = with_direction(lambda z, has: [e[has].mean(0, keepdim=True) - e.mean(0, keepdim=True) for e in z])
DIRECTION_AND_EFFECT = {
    "by hand": (by_hand, None),
    "the package's": (with_direction(mean_difference), None),
    "without a batch": (without_a_batch, "keep the 1 in front"),
    "without minus with": (with_direction(lambda z, has: mean_difference(z, ~has)), "wrong sign: with minus"),
    "those with": (with_direction(means), "all faces share"),
    "those without": (with_direction(lambda z, has: means(z, ~has)), "mean of those without it"),
    "less the mean of all": (LESS_ALL, "took off the mean of all faces"),
    "sums": (SUMS, "sums instead of means"),
    "divided by all": (with_direction(divided_by_all), "a mean of its own"),
    "medians": (with_direction(medians), "medians"),
    "half": (with_direction(lambda z, has: [s / 2 for s in mean_difference(z, has)]), "half as long"),
    "length 1": (
        with_direction(length_one),
        "brought to length 1: its length says",
    ),
    "length 1 a level": (with_direction(per_level), "all levels count alike"),
    "first level alone": (with_direction(first_level), "not at level 2"),
    "another": (with_direction(lambda z, has: [s + 1 for s in mean_difference(z, has)]), "is not the mean of"),
    "a number a level": (with_direction(lambda z, has: [e[has].mean() - e[~has].mean() for e in z]), "a mean over"),
    "a mean of none": (
        with_direction(lambda z, has: [e[has].mean(0, True) - e[has.double() == -1].mean(0, True) for e in z]),
        "a mean of no faces",
    ),
    "flattened": (with_direction(lambda z, has: latents.flatten(mean_difference(z, has))), "flattened"),
    "one level": (with_direction(lambda z, has: mean_difference(z, has)[:1]), "has 1 levels"),
    "a word": (with_direction(lambda z, has: "smile"), "not a str"),
    "a list of lists": (with_direction(lambda z, has: [[0]] * len(z)), "yours is a list"),
    "the direction alone": (lambda z, has, *more: mean_difference(z, has), "the direction alone; two"),
    "one thing": (lambda z, has, *more: [mean_difference(z, has)], "two things are wanted"),
    "no effect yet": (lambda z, has, *more: (mean_difference(z, has), ...), "still to be measured"),
    "effect turned": (with_effect(lambda *p: at(-1.0, *p) - at(1.0, *p)), "at +a, minus at -a"),
    "from the face": (with_effect(lambda *p: at(1.0, *p) - at(0.0, *p)), "begin at -a"),
    "to the face": (with_effect(lambda *p: at(0.0, *p) - at(-1.0, *p)), "end at +a"),
    "halved": (with_effect(lambda *p: effect(*p) / 2), "halved"),
    "absolute": (with_effect(lambda *p: effect(*p).abs()), "no absolute value"),
    "at +a": (with_effect(lambda *p: at(1.0, *p)), "take off what is read at -a"),
    "the mean": (with_effect(lambda *p: effect(*p).mean()), "each face has its own"),
    "the mean as a number": (with_effect(lambda *p: effect(*p).mean().item()), "each face has its own"),
    "twice the step": (with_effect(lambda *p: at(2.0, *p) - at(-2.0, *p)), "twice as long"),
    "half the step": (with_effect(lambda *p: at(0.5, *p) - at(-0.5, *p)), "half as long"),
    "the direction decoded": (
        with_effect(direction_decoded),
        "direction alone was decoded",
    ),
    "read off the direction": (with_effect(lambda a, others, decode, read: read(decode(a))), "direction alone was"),
    "a difference read": (
        with_effect(lambda a, others, decode, read: read(decode(add(others, a, 1.0)) - decode(add(others, a, -1.0)))),
        "a difference of two is none",
    ),
    "nothing moved": (with_effect(lambda *p: at(0.0, *p) - at(0.0, *p)), "decode the face moved along it"),
    "on the labelled": (on_the_labelled, "faces that made the direction"),
    "not decoded": (with_effect(lambda a, others, _, read: read(add(others, a, 1.0)[0])), "decode the latents first"),
    "one level decoded": (with_effect(lambda a, others, decode, read: read(decode(others[0]))), "a list of"),
    "a level of another size": (with_effect(lambda a, others, decode, read: read(decode(others[::-1]))), "for level 1"),
    "made up": (with_effect(lambda a, others, decode, read: torch.ones(len(others[0]))), "nothing was decoded"),
    "squared": (with_effect(lambda *p: effect(*p) ** 2 + 1), "what is read at +a minus"),
    "a list": (with_effect(lambda *p: effect(*p).tolist()), "moved must be a tensor"),
    "a column": (with_effect(lambda *p: effect(*p)[:, None]), "moved must have the shape"),
    "in place": (in_place, "others is not what it was"),
    "centred in place": (centres, "z is not what it was"),
    "a list indexed": (crashes, "at the line `return z[has].mean(0), others`"),
}  # fmt: skip


@pytest.mark.parametrize("name", DIRECTION_AND_EFFECT)
def test_direction_and_effect_names_the_mistake(name):
    attempt, words = DIRECTION_AND_EFFECT[name]
    for seed in range(5):
        verdict = direction_and_effect(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or any(word in verdict.mistake for word in words.split("|")), verdict


@pytest.mark.parametrize("name", ["by hand", "absolute", "effect turned", "on the labelled"])
def test_no_draw_of_the_inputs_hides_the_mistake_or_makes_one(name):
    attempt, words = DIRECTION_AND_EFFECT[name]
    for seed in range(100):
        verdict = direction_and_effect(attempt, seed=seed)
        assert bool(verdict) == (words is None), (seed, verdict)
        assert words is None or words in verdict.mistake, (seed, verdict)


def not_implemented(*given):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [lambda *given: None, lambda *given: (..., ...), not_implemented])
def test_an_untouched_stub_is_not_a_mistake(stub):
    verdict = direction_and_effect(stub)
    assert verdict.state == UNTRIED and not verdict
    assert "goes on" in repr(verdict)


def test_hints_come_one_by_one_and_the_solution_is_the_packages_source():
    texts = [str(direction_and_effect.hint()) for _ in range(4)]
    assert texts[0].startswith("Hint 1 of 3") and texts[-1] == texts[0]
    assert len(set(texts)) == 3
    assert "eps[has].mean(0, keepdim=True)" in direction_and_effect.solution().text
