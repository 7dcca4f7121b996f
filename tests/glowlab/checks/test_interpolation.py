"""The checks of notebook 11, each tried on the solution, the stub and the mistakes one makes."""

import math

import pytest
import torch

from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlab.checks.interpolation import angle_of_growth, random_ends, slerp, some_levels
from glowlite import latents

flatten = latents.flatten

# ---- spherical interpolation -------------------------------------------------------------------------------


def angle(a, b):
    return torch.acos(torch.cosine_similarity(flatten(a), flatten(b), dim=1).clamp(-1, 1)).view(-1, 1, 1, 1)


def arc(a, b, t, w=None, divide=True):
    w = angle(a, b).clamp(min=1e-5) if w is None else w
    down = torch.sin(w) if divide else 1
    return [(torch.sin((1 - t) * w) * x + torch.sin(t * w) * y) / down for x, y in zip(a, b, strict=True)]


def by_hand(a, b, t):
    """Without any of the package's helpers."""
    dot = sum((x * y).sum((1, 2, 3)) for x, y in zip(a, b, strict=True))
    norms = [sum(x.square().sum((1, 2, 3)) for x in z).sqrt() for z in (a, b)]
    w = torch.acos((dot / norms[0] / norms[1]).clamp(-1, 1))
    line = torch.sin(w) < 1e-6
    safe = torch.where(line, torch.ones_like(w), w)
    u = torch.where(line, torch.full_like(w, float(1 - t)), torch.sin((1 - t) * safe) / torch.sin(safe))
    v = torch.where(line, torch.full_like(w, float(t)), torch.sin(t * safe) / torch.sin(safe))
    return [u[:, None, None, None] * x + v[:, None, None, None] * y for x, y in zip(a, b, strict=True)]


def one_picture(function):
    """An answer for single pictures, done for each of the batch."""

    def batch(a, b, t):
        done = [function([x[i : i + 1] for x in a], [y[i : i + 1] for y in b], t) for i in range(len(a[0]))]
        return latents.cat(done)

    return batch


@one_picture
def with_if(a, b, t):
    w = angle(a, b).item()
    if math.sin(w) < 1e-6:
        return latents.lerp(a, b, float(t))
    return [(math.sin((1 - t) * w) * x + math.sin(t * w) * y) / math.sin(w) for x, y in zip(a, b, strict=True)]


def naive(a, b, t):
    return arc(a, b, t, angle(a, b))


def any_if(a, b, t):
    w = angle(a, b)
    return latents.lerp(a, b, float(t)) if (torch.sin(w) < 1e-4).any() else arc(a, b, t)


def first_if(a, b, t):
    """a itself where the angle is tiny: right if both ends are equal, wrong if b is longer."""
    w = angle(a, b)
    tiny = torch.sin(w) < 1e-4
    moved = arc(a, b, t)
    return [torch.where(tiny, x, y) for x, y in zip(a, moved, strict=True)]


def per_level(a, b, t):
    return [arc([x], [y], t)[0] for x, y in zip(a, b, strict=True)]


def whole_batch(a, b, t):
    x, y = flatten(a).flatten(), flatten(b).flatten()
    return arc(a, b, t, torch.acos((x @ y / x.norm() / y.norm()).clamp(-1, 1)))


def quarter(a, b, t):
    u, v = math.cos(math.pi / 2 * t), math.sin(math.pi / 2 * t)
    return [u * x + v * y for x, y in zip(a, b, strict=True)]


def unit(a, b, t):
    units = [[x / flatten(z).norm(dim=1).view(-1, 1, 1, 1) for x in z] for z in (a, b)]
    return arc(*units, t)


def stretched(a, b, t):
    line = latents.lerp(a, b, float(t))
    norms = [flatten(z).norm(dim=1).view(-1, 1, 1, 1) for z in (a, b, line)]
    return [((1 - t) * norms[0] + t * norms[1]) / norms[2] * x for x in line]


def loose(a, b, t):
    """Norms without dim=1: of the whole batch."""
    x, y = flatten(a), flatten(b)
    return arc(a, b, t, torch.acos((x * y).sum(1) / (x.norm() * y.norm())).view(-1, 1, 1, 1))


def half_divided(a, b, t, first=1.0, second=1.0):
    """The weights with sin(w) under one of them alone, where first or second is 0."""
    w = angle(a, b)
    u, v = torch.sin((1 - t) * w) / torch.sin(w) ** first, torch.sin(t * w) / torch.sin(w) ** second
    return [u * x + v * y for x, y in zip(a, b, strict=True)]


def without_clamp(a, b, t):
    w = torch.acos(1.000001 * torch.cosine_similarity(flatten(a), flatten(b), dim=1)).view(-1, 1, 1, 1)
    line = torch.sin(w) < 1e-6
    return [torch.where(line, (1 - t) * x + t * y, moved) for x, y, moved in zip(a, b, arc(a, b, t, w), strict=True)]


def by_math(a, b, t):
    w = angle(a, b)
    return [(math.sin((1 - t) * w) * x + math.sin(t * w) * y) / math.sin(w) for x, y in zip(a, b, strict=True)]


def dot_product(a, b, t):
    return arc(a, b, t, torch.acos((flatten(a) * flatten(b)).sum(1)).view(-1, 1, 1, 1))


def channels(a, b, t):
    """The angle at every place, over its channels."""
    w = [torch.acos(torch.cosine_similarity(x, y, dim=1))[:, None] for x, y in zip(a, b, strict=True)]
    return [arc([x], [y], t, v)[0] for x, y, v in zip(a, b, w, strict=True)]


def in_place(a, b, t):
    result = arc(a, b, t)
    a[0].zero_()
    return result


def into_the_list(a, b, t):
    for level, eps in enumerate(arc(a, b, t)):
        a[level] = eps
    return a


SLERP = {
    "the package's": (lambda a, b, t: latents.slerp(a, b, t), None),
    "by hand": (by_hand, None),
    "with a clamped angle": (arc, None),
    "with if, picture by picture": (with_if, None),
    "a tuple": (lambda a, b, t: tuple(arc(a, b, t)), None),
    "a straight line": (lambda a, b, t: latents.lerp(a, b, float(t)), "straight line; an arc"),
    "backwards": (lambda a, b, t: arc(b, a, t), "runs from b to a"),
    "an angle a level": (per_level, "an angle of its own"),
    "an angle a batch": (whole_batch, "whole batch"),
    "the first level's angle": (lambda a, b, t: arc(a, b, t, angle(a[:1], b[:1])), "only the first level"),
    "no division": (lambda a, b, t: arc(a, b, t, divide=False), "divide by sin(w)"),
    "a alone divided": (lambda a, b, t: half_divided(a, b, t, second=0.0), "only the weight of a"),
    "b alone divided": (lambda a, b, t: half_divided(a, b, t, first=0.0), "only the weight of b"),
    "norms of the batch": (loose, "norm(dim=1) gives one"),
    "no clamp": (without_clamp, "clamp it first"),
    "math on a batch": (by_math, "torch.sin takes the whole batch"),
    "a quarter turn": (quarter, "90 degrees"),
    "no acos": (lambda a, b, t: arc(a, b, t, torch.cos(angle(a, b))), "acos is missing"),
    "degrees": (lambda a, b, t: arc(a, b, t, torch.rad2deg(angle(a, b))), "in degrees"),
    "unit ends": (unit, "lengths are lost"),
    "stretched": (stretched, "constant speed"),
    "one weight": (lambda a, b, t: arc(a, a, t, angle(a, b)), "b is missing|times as long|degrees off"),
    "no norms": (dot_product, "divided by both norms"),
    "angles of places": (channels, "times as long|degrees off"),
    "weights (B,)": (lambda a, b, t: arc(a, b, t, angle(a, b).flatten()), "needs the shape (B, 1, 1, 1)"),
    "side by side": (lambda a, b, t: flatten(arc(a, b, t)), "still side by side"),
    "one level": (lambda a, b, t: arc(a, b, t)[0], "not one tensor"),
    "levels missing": (lambda a, b, t: arc(a, b, t)[:2], "the list has 2 parts"),
    "one picture": (lambda a, b, t: [x[:1] for x in arc(a, b, t)], "has the shape (1,"),
    "a dict": (lambda a, b, t: dict(enumerate(arc(a, b, t))), "not a dict"),
    "numbers": (lambda a, b, t: [x.sum().item() for x in a], "level 1 is a float"),
    "in place": (in_place, "in place"),
    "into a's list": (into_the_list, "into a list it is given"),
    "a tensor t": (
        lambda a, b, t: arc(a, b, 1 - t if isinstance(t, torch.Tensor) else t),
        "t may be a tensor",
    ),
    "NaN for equal ends": (naive, "0/0"),
    "if on a batch": (lambda a, b, t: arc(a, b, t) if angle(a, b) > 1e-4 else a, "torch.where decides"),
    "all go straight": (any_if, "the others went straight"),
    "a for parallel ends": (first_if, "parallel, it is not between them"),
    "a typing mistake": (lambda a, b, t: latents.slurp(a, b, t), "AttributeError"),
}


@pytest.mark.parametrize("name", SLERP)
def test_slerp_names_the_mistake(name):
    attempt, words = SLERP[name]
    for seed in range(6):
        verdict = slerp(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or any(part in verdict.mistake for part in words.split("|")), verdict


def test_what_holds_is_said_before_what_does_not():
    verdict = slerp(naive, seed=1)
    assert len(verdict.holds) == 2 and "constant speed" in verdict.holds[0]
    assert len(slerp(arc, seed=1).holds) == 3


def test_random_ends_tell_mistakes_apart():
    for seed in range(20):
        a, b = random_ends(torch.Generator().manual_seed(seed))
        angles = torch.rad2deg(torch.stack([angle([x], [y]).flatten() for x, y in zip(a, b, strict=True)]))
        whole = torch.rad2deg(angle(a, b).flatten())
        assert (angles.max(0).values - angles.min(0).values > 2).all(), "levels have one angle"
        assert whole.max() - whole.min() > 0.01, "pictures have one angle"
        assert ((whole - 90).abs() > 2).all() and (whole > 5).all()
        assert len(a[0]) not in {size for x in a for size in x.shape[1:]}


# ---- the angle of a growth -----------------------------------------------------------------------------------

ANGLES = {
    "right": (lambda f: 2 * math.acos(1 / f), None),
    "a tensor": (lambda f: 2 * torch.acos(torch.tensor(1 / f)), None),
    "half": (lambda f: math.acos(1 / f), "half of the angle"),
    "degrees": (lambda f: math.degrees(2 * math.acos(1 / f)), "in degrees"),
    "half, in degrees": (lambda f: math.degrees(math.acos(1 / f)), "half of the angle, and in degrees"),
    "cosine": (lambda f: 2 / f**2 - 1, "acos is missing"),
    "cosine of the half": (lambda f: 1 / f, "solve for w"),
    "asin": (lambda f: 2 * math.asin(1 / f), "asin was taken"),
    "one end": (lambda f: 2 * math.acos(1 / (2 * f)), "the weights of both"),
    "the square": (lambda f: 2 * math.acos(1 / math.sqrt(f)), "squared"),
    "NaN": (lambda f: torch.acos(torch.tensor(f)), "not finite"),
    "always 0": (lambda f: 0.0, "at 0 nothing grows"),
    "always 1": (lambda f: 1.0, "has the factor 1.139"),
    "no number": (lambda f: "2 acos(1 / f)", "not a str"),
    "a list": (lambda f: [2 * math.acos(1 / f)], "not a list"),
    "upside down": (lambda f: 2 * math.acos(f), "it stops"),
}


@pytest.mark.parametrize("name", ANGLES)
def test_angle_of_growth_names_the_mistake(name):
    attempt, words = ANGLES[name]
    for seed in range(6):
        verdict = angle_of_growth(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict


# ---- all ---------------------------------------------------------------------------------------------------


def not_implemented(*given):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [lambda *given: None, lambda *given: ..., not_implemented])
def test_an_untouched_stub_is_not_a_mistake(stub):
    for verdict in (slerp(stub), some_levels(stub), angle_of_growth(stub)):
        assert verdict.state == UNTRIED and not verdict
        assert "goes on" in repr(verdict)


def test_hints_come_one_by_one_and_the_solution_is_an_answer():
    for check, count, line in (
        (slerp, 4, "torch.sin((1 - t) * safe)"),
        (some_levels, 3, "now = list(a)"),
        (angle_of_growth, 3, "math.acos(1 / factor)"),
    ):
        texts = [str(check.hint()) for _ in range(count + 1)]
        assert texts[0].startswith(f"Hint 1 of {count}") and texts[count] == texts[0]
        assert len(set(texts)) == count
        assert line in check.solution().text
