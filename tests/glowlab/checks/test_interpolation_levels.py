"""The second check of notebook 11, tried on the solution and the mistakes one makes."""

import pytest

from glowlab.checks.base import RIGHT, WRONG
from glowlab.checks.interpolation import some_levels
from glowlite import latents


def chosen(a, b, t, moving):
    now, which = list(a), [level for level, moves in enumerate(moving) if moves]
    moved = latents.slerp([a[i] for i in which], [b[i] for i in which], t) if which else []
    for level, eps in zip(which, moved, strict=True):
        now[level] = eps
    return now


def whole_angle(a, b, t, moving):
    return [y if moves else x for x, y, moves in zip(a, latents.slerp(a, b, t), moving, strict=True)]


def each_alone(a, b, t, moving):
    ends = zip(a, b, moving, strict=True)
    return [latents.slerp([x], [y], t)[0] if moves else x for x, y, moves in ends]


def only_moving(a, b, t, moving):
    return [eps for eps, moves in zip(chosen(a, b, t, moving), moving, strict=True) if moves]


def stay(of):
    def attempt(a, b, t, moving):
        moved = zip(a, chosen(a, b, t, moving), b, moving, strict=True)
        return [y if moves else of(x, z) for x, y, z, moves in moved]

    return attempt


def put_into_both(a, b, t, moving):
    return latents.slerp(a, [y if moves else x for x, y, moves in zip(a, b, moving, strict=True)], t)


def in_order(a, b, t, moving):
    """Those that move first, then the others."""
    now = list(zip(chosen(a, b, t, moving), moving, strict=True))
    return [x for x, moves in now if moves] + [x for x, moves in now if not moves]


def into_a(a, b, t, moving):
    for level, eps in enumerate(chosen(a, b, t, moving)):
        a[level] = eps
    return a


def none_forgotten(a, b, t, moving):
    which = [level for level, moves in enumerate(moving) if moves]
    moved = iter(latents.slerp([a[i] for i in which], [b[i] for i in which], t))
    return [next(moved) if moves else x for x, moves in zip(a, moving, strict=True)]


def straight(a, b, t, moving):
    return [y if moves else x for x, y, moves in zip(a, latents.lerp(a, b, t), moving, strict=True)]


def backwards(a, b, t, moving):
    return [y if m else x for x, y, m in zip(a, chosen(b, a, t, moving), moving, strict=True)]


LEVELS = {
    "a list put together": (chosen, None),
    "the angle of all": (whole_angle, "have no part in it"),
    "put into both lists": (put_into_both, "put into both lists"),
    "an arc a level": (each_alone, "one angle together"),
    "the others": (lambda a, b, t, moving: chosen(a, b, t, [not moves for moves in moving]), "the wrong levels move"),
    "b stays": (stay(lambda x, z: z), "those of b"),
    "zeros stay": (stay(lambda x, z: 0 * x), "are 0"),
    "everything": (lambda a, b, t, moving: latents.slerp(a, b, t), "all levels move"),
    "nothing": (lambda a, b, t, moving: list(a), "nothing moves"),
    "straight": (straight, "straight line"),
    "backwards": (backwards, "runs from b to a"),
    "only those that move": (only_moving, "in their places"),
    "another order": (in_order, "has the shape|numbers are not those|have no part"),
    "into a": (into_a, "into a list it is given"),
    "none forgotten": (none_forgotten, "no level may move at all"),
    "all is b": (lambda a, b, t, moving: b if all(moving) else chosen(a, b, t, moving), "the arc of the whole list"),
    "none is b": (lambda a, b, t, moving: chosen(a, b, t, moving) if any(moving) else b, "it has to be a"),
    "half of it": (lambda a, b, t, moving: chosen(a, b, t / 2, moving), "numbers are not those on the arc"),
}  # fmt: skip


@pytest.mark.parametrize("name", LEVELS)
def test_some_levels_names_the_mistake(name):
    attempt, words = LEVELS[name]
    for seed in range(6):
        verdict = some_levels(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or any(part in verdict.mistake for part in words.split("|")), verdict
