"""Checks of notebook 11: spherical interpolation; a way on which only chosen levels move; a formula to derive."""

import math
from collections.abc import Iterator, Sequence
from itertools import chain

import torch
from torch import Tensor

from glowlab.checks.answers import explain, least_mistaken
from glowlab.checks.base import Mistake, check, run, same
from glowlab.explorers.editing import interpolate
from glowlite import latents as latent_space
from glowlite.latents import Latents

BATCHES = {  # what torch says where a batch was forgotten -> what we add
    "must match the size": "A number for each picture, (B,), needs the shape (B, 1, 1, 1)",
    "only one element tensors": "math.sin takes one number: torch.sin takes the whole batch",
    "is ambiguous": "`if` asks one question, and a batch has many angles: torch.where decides picture by picture",
}

# ---- two ends, and the ways between them that mistakes lead to ----------------------------------------------


def random_ends(generator: torch.Generator) -> tuple[Latents, Latents]:
    """Two lists of latents (B, C_l, H_l, W_l). Angles and lengths differ from picture to picture and level
    to level, and no size of a level is B, so that every mix-up shows."""
    batch = int(torch.randint(2, 4, (1,), generator=generator))
    levels = int(torch.randint(3, 5, (1,), generator=generator))
    a, b = [], []
    for level in range(levels):
        shape = (batch, 4 + 2 * level, 8 - level, 4 + level)
        x, noise = torch.randn(2, *shape, generator=generator, dtype=torch.float64)
        share, length = torch.rand(2, batch, 1, 1, 1, generator=generator, dtype=torch.float64)
        share, length = 0.75 * share + 0.2 * (level % 2), 0.6 + length
        a.append(x.float())
        b.append((length * (share * x + (1 - share**2).sqrt() * noise)).float())
    return a, b


def exactly(a: Latents) -> Latents:
    """In float64, for what an answer is compared with."""
    return [x.double() for x in a]


def random_t(generator: torch.Generator) -> float:
    """Away from 0, 1 and the middle, where mistakes hide."""
    part = 0.12 + 0.28 * torch.rand((), generator=generator, dtype=torch.float64).item()
    return part if torch.rand((), generator=generator) < 0.5 else 1 - part


def angle(x: Tensor, y: Tensor) -> Tensor:
    """(B,): the angle between pictures of two batches, each taken as one vector."""
    return torch.acos(torch.cosine_similarity(x.flatten(1), y.flatten(1), dim=1).clamp(-1, 1))


def weighted(a: Latents, b: Latents, first, second) -> Latents:
    """first * a + second * b, level by level; a weight is a number, or (B,)."""
    first, second = (w.view(-1, 1, 1, 1) if isinstance(w, Tensor) else w for w in (first, second))
    return [first * x + second * y for x, y in zip(a, b, strict=True)]


def on_arc(a: Latents, b: Latents, t: float, w) -> Latents:
    return weighted(a, b, torch.sin((1 - t) * w) / torch.sin(w), torch.sin(t * w) / torch.sin(w))


def alone(a: Latents, b: Latents, t: float) -> Latents:
    """Each level on an arc of its own."""
    return [on_arc([x], [y], t, angle(x, y))[0] for x, y in zip(a, b, strict=True)]


def wrong_arcs(a: Latents, b: Latents, t: float) -> Iterator[tuple[list[str], Tensor]]:
    """([], right) and (words, wrong) for each mistake one makes in the formula, all levels flattened: (B, D)."""
    flat_a, flat_b = latent_space.flatten(a), latent_space.flatten(b)
    w = angle(flat_a, flat_b)
    whole = angle(flat_a.flatten()[None], flat_b.flatten()[None])
    sines = torch.sin((1 - t) * w), torch.sin(t * w)
    norm_a, norm_b = flat_a.norm(dim=1), flat_b.norm(dim=1)
    loose = torch.acos((flat_a * flat_b).sum(1) / (flat_a.norm() * flat_b.norm()))
    line = (1 - t) * flat_a + t * flat_b
    long = ((1 - t) * norm_a + t * norm_b) / line.norm(dim=1)
    turn = 0.5 * math.pi * t
    right = on_arc(a, b, t, w)
    everything = {
        "": right,
        "that is the straight line; an arc weights both ends by sines": latent_space.lerp(a, b, t),
        "it runs from b to a: at t = 0 it has to be at a": on_arc(b, a, t, w),
        "each level got an angle of its own; there is one for the whole list, over all levels": alone(a, b, t),
        "one angle was taken for the whole batch; every pair of pictures has its own": on_arc(a, b, t, whole),
        "both norms were taken over the whole batch; norm(dim=1) gives one for each picture": on_arc(a, b, t, loose),
        "only the first level's angle was used; it is that between whole lists": on_arc(a, b, t, angle(a[0], b[0])),
        "you forgot to divide by sin(w)": weighted(a, b, *sines),
        "only the weight of b is divided by sin(w)": weighted(a, b, sines[0], sines[1] / torch.sin(w)),
        "only the weight of a is divided by sin(w)": weighted(a, b, sines[0] / torch.sin(w), sines[1]),
        "sin and cos of a quarter turn are right only where the angle is 90 degrees; here it is not":
            weighted(a, b, math.cos(turn), math.sin(turn)),
        "the cosine of the angle was taken for the angle: acos is missing": on_arc(a, b, t, torch.cos(w)),
        "the angle is in degrees; torch.sin takes radians": on_arc(a, b, t, torch.rad2deg(w)),
        "both ends were made one unit long first, and their lengths are lost":
            weighted(a, b, sines[0] / torch.sin(w) / norm_a, sines[1] / torch.sin(w) / norm_b),
        "that is the straight line, stretched: it reaches the same arc, but not at a constant speed":
            weighted(a, b, (1 - t) * long, t * long),
        "both ends got the same weight": weighted(a, b, *[sines[0] / torch.sin(w)] * 2),
        "the end b is missing": weighted(a, b, sines[0] / torch.sin(w), 0.0),
    }  # fmt: skip
    for words, value in everything.items():
        yield [words] if words else [], latent_space.flatten(value)


def listed(result, like: Latents) -> Latents:
    """`result` where it is a list of tensors of the shapes of `like`, else a Mistake that says what it is."""
    if isinstance(result, Tensor):
        if result.dim() == 2 and result.shape == latent_space.flatten(like).shape:
            raise Mistake("the levels are still side by side, (B, D): give back a list with a tensor for each")
        raise Mistake("it must give back a list with one tensor for each level, not one tensor")
    if not isinstance(result, (list, tuple)):
        raise Mistake(f"it must give back a list with one tensor for each level, not a {type(result).__name__}")
    if len(result) != len(like):
        raise Mistake(f"the list has {len(result)} parts; there are {len(like)} levels")
    for level, (part, wanted) in enumerate(zip(result, like, strict=True), 1):
        if not isinstance(part, Tensor):
            raise Mistake(f"level {level} is a {type(part).__name__}, not a tensor")
        if part.shape != wanted.shape:
            raise Mistake(f"level {level} has the shape {tuple(part.shape)}; it must be {tuple(wanted.shape)}")
    return [part.detach() for part in result]


def called(attempt, *given) -> object:
    """The attempt's result; a Mistake with a hint where a batch was forgotten, and one where an end was changed."""
    before = [[part.clone() for part in latents] for latents in given[:2]]
    kept = [list(latents) for latents in given[:2]]
    try:
        result = run(attempt, *given)
    except Mistake as mistake:
        hint = next((words for sign, words in BATCHES.items() if sign in str(mistake)), None)
        if hint is None:
            raise
        raise Mistake(f"{mistake}. {hint}") from mistake
    for latents, parts, values in zip(given[:2], kept, before, strict=True):
        if len(latents) != len(parts) or any(x is not y for x, y in zip(latents, parts, strict=True)):
            raise Mistake("it puts other tensors into a list it is given; make a new list")
        if not all(map(torch.equal, latents, values)):
            raise Mistake("it changes a tensor it is given, in place; make a new one")
    return result


# ---- exercise 1 ----------------------------------------------------------------------------------------------


@check(
    "slerp",
    hints=[
        "The angle w is between two long vectors: latents.flatten(a) and latents.flatten(b), (B, D) each. Its cosine "
        "is their product over both norms: torch.cosine_similarity(..., dim=1). Rounding can lift it slightly above 1, "
        "where acos is NaN: clamp(-1, 1) helps.",
        "The weights are sin((1 - t) w) / sin(w) for a and sin(t w) / sin(w) for b, the same ones at every level.",
        "w is (B,), a level (B, C, H, W): w.view(-1, 1, 1, 1) lets the weights fit.",
        "Where sin(w) is tiny, the sines may give way to 1 - t and t. torch.where chooses picture by picture, but it "
        "computes both sides: divide by something that is safe there.",
    ],
    solution=[latent_space.slerp],
)
def slerp(attempt, generator):
    """attempt(a, b, t) -> the list of latents at t of the arc from a to b; levels (B, C, H, W), t a number."""
    a, b = random_ends(generator)
    t = random_t(generator)
    result = listed(called(attempt, a, b, t), a)
    flat = latent_space.flatten(result)
    if not torch.isfinite(flat).all():
        raise Mistake("there is a NaN or infinity: acos takes a cosine, from -1 to 1. Was it divided by both norms?")
    ends = exactly(a), exactly(b)
    mistakes = chain(wrong_arcs(*ends, t), wrong_arcs(a, b, t))  # some make float32's rounding large
    explain(least_mistaken(flat, mistakes), _elsewhere(flat.double(), *ends, t))
    yield "it is on the arc, at a constant speed: one angle for the whole list, and one for each picture"
    for end, latents in ((0.0, a), (1.0, b)):
        if not same(listed(called(attempt, a, b, end), a), latents):
            raise Mistake(f"at t = {end:.0f} it is not at its end")
    tensor = listed(called(attempt, a, b, torch.tensor(t)), a)
    if not same(tensor, result):
        raise Mistake("t may be a tensor, too; here that gives something else than the same number does")
    yield "it begins at a and ends at b, and t may be a tensor"
    diagnose_parallel(attempt, a, b, t)
    yield "ends that lie nearly in one line are no trouble, even beside others in the batch"


def _elsewhere(flat: Tensor, a: Latents, b: Latents, t: float) -> str:
    """A sentence about a result that no known mistake explains."""
    right = latent_space.flatten(on_arc(a, b, t, angle(*map(latent_space.flatten, (a, b)))))
    norms = flat.norm(dim=1)[0] / right.norm(dim=1)[0]
    if not 0.98 < norms < 1.02:
        return f"at t = {t:.2f} the first picture's latents are {norms:.2f} times as long as they should be"
    away = torch.rad2deg(angle(flat, right)).max()
    return f"the length is right at t = {t:.2f}, but it stands {away:.0f} degrees off"


def diagnose_parallel(attempt, a: Latents, b: Latents, t: float) -> None:
    """The first pair of the batch lies nearly in one line; the others stand as they did."""
    for what, factor, noise in (("equal", 1.0, 0.0), ("parallel", 1.5, 0.0), ("nearly equal", 1.0, 1e-6)):
        near = [torch.cat([factor * x[:1] + noise * y[:1], y[1:]]) for x, y in zip(a, b, strict=True)]
        result = latent_space.flatten(listed(called(attempt, a, near, t), a))
        wanted = latent_space.flatten(latent_space.lerp(a, near, t))
        if not torch.isfinite(result[0]).all():
            raise Mistake(
                f"where both ends are {what}, out comes NaN: sin(w) is 0 there and the weights are 0/0. Or rounding "
                "has lifted the cosine slightly above 1, where acos is NaN: clamp it first"
            )
        if not same(result[0], wanted[0]):
            raise Mistake(f"where both ends are {what}, it is not between them")
        if same(result[1:], wanted[1:]):
            raise Mistake("one pair of the batch lies in one line, and the others went straight, too: decide for each")
        right = latent_space.flatten(latent_space.slerp(exactly(a), exactly(near), t))
        if not same(result[1:], right[1:]):
            raise Mistake(f"where one pair of the batch is {what}, the others are not on their arcs any more")


# ---- exercise 2 ----------------------------------------------------------------------------------------------


def _some(levels: int, generator: torch.Generator) -> tuple[bool, ...]:
    """Two of the levels or more move, and one or more stays."""
    order = torch.randperm(levels, generator=generator).tolist()
    count = 2 + int(torch.randint(levels - 2, (1,), generator=generator))
    return tuple(level in order[:count] for level in range(levels))


def _put(moving: Sequence[bool], moved: Sequence[Tensor], stay: Latents) -> Latents:
    """A list with the moved levels in their places, and `stay` elsewhere."""
    moved = iter(moved)
    return [next(moved) if moves else eps for moves, eps in zip(moving, stay, strict=True)]


def wrong_levels(a: Latents, b: Latents, t: float, moving: Sequence[bool]) -> Iterator[tuple[list[str], Tensor]]:
    """As `wrong_arcs`, for a way on which only some levels move."""

    def pick(latents: Latents, which: Sequence[bool] = moving) -> Latents:
        return [eps for eps, moves in zip(latents, which, strict=True) if moves]

    others = [not moves for moves in moving]
    arc = latent_space.slerp(pick(a), pick(b), t)
    whole = latent_space.slerp(a, b, t)
    everything = {
        "": _put(moving, arc, a),
        "the angle was taken over all levels; those that stay have no part in it": _put(moving, pick(whole), a),
        "the levels that stay were put into both lists: so they have a part in the angle, and the weights of both "
        "ends, which add up to more than 1, stretch them": latent_space.slerp(a, _put(moving, pick(b), a), t),
        "each level went along an arc of its own; those that move have one angle together":
            _put(moving, alone(pick(a), pick(b), t), a),
        "the wrong levels move: those that should stay do, and the others do not":
            _put(others, latent_space.slerp(pick(a, others), pick(b, others), t), a),
        "the levels that stay are those of b; they have to stay as in a": _put(moving, arc, b),
        "the levels that stay are 0; they have to stay as in a": _put(moving, arc, [0 * eps for eps in a]),
        "all levels move": whole,
        "nothing moves": a,
        "that is the straight line; latents.slerp goes along the arc":
            _put(moving, pick(latent_space.lerp(a, b, t)), a),
        "it runs from b to a: at t = 0 it has to be at a": _put(moving, latent_space.slerp(pick(b), pick(a), t), a),
    }  # fmt: skip
    for words, value in everything.items():
        yield [words] if words else [], latent_space.flatten(value)


@check(
    "some_levels",
    hints=[
        "Take the levels that move out of both lists: two shorter lists. latents.slerp takes lists of any length.",
        "Begin with now = list(a), a new list with the same tensors, and put each moved level into its place.",
        "zip(range(len(a)), moving) tells which places those are. If nothing moves, slerp has nothing to do.",
    ],
    solution=[interpolate],
)
def some_levels(attempt, generator):
    """attempt(a, b, t, moving) -> latents: the levels with moving[l] True at t of their arc, the others as in a."""
    a, b = random_ends(generator)
    t, moving = random_t(generator), _some(len(a), generator)
    result = called(attempt, a, b, t, moving)
    if isinstance(result, (list, tuple)) and len(result) == sum(moving) < len(a):
        raise Mistake("the list holds only the levels that move; those that stay belong into it, in their places")
    flat = latent_space.flatten(listed(result, a))
    said = ", ".join(str(level) for level, moves in enumerate(moving, 1) if moves)
    otherwise = f"with levels {said} moving, the numbers are not those on the arc of these levels"
    explain(least_mistaken(flat, wrong_levels(exactly(a), exactly(b), t, moving)), otherwise)
    yield "the levels that move share one arc, the others are those of a"
    if not same(listed(called(attempt, a, b, t, (True,) * len(a)), a), latent_space.slerp(a, b, t)):
        raise Mistake("if all levels move, it has to be the arc of the whole list")
    try:
        still = listed(called(attempt, a, b, t, (False,) * len(a)), a)
    except Mistake as mistake:
        raise Mistake(f"no level may move at all, and then: {mistake}") from mistake
    if not same(still, a):
        raise Mistake("if no level moves, it has to be a")
    yield "all of them may move, or none"


# ---- exercise 3 ----------------------------------------------------------------------------------------------


@check(
    "angle_of_growth",
    hints=[
        "sin w is the sine of a doubled angle: sin w = 2 sin(w/2) cos(w/2). Put that into the fraction.",
        "What is left is factor = 1 / cos(w/2). Solve it for w.",
        "math.acos(x) is the angle, in radians, whose cosine is x.",
    ],
)
def angle_of_growth(attempt, generator):
    """attempt(factor) -> the angle in radians at which what both ends share grows by this factor, a float above 1."""
    for low, high in ((1.05, 1.4), (1.45, 3.0)):  # below and above a right angle
        factor = low + (high - low) * torch.rand((), generator=generator, dtype=torch.float64).item()
        result = run(attempt, factor)
        if isinstance(result, Tensor) and result.numel() == 1:
            result = result.item()
        try:
            angle = float(result)
        except (TypeError, ValueError):
            raise Mistake(f"it must give back one angle, a number, not a {type(result).__name__}") from None
        if not abs(angle - 2 * math.acos(1 / factor)) <= ROUGHLY:  # so that NaN is wrong, too
            raise Mistake(_wrong_angle(angle, factor))
        yield "right below 90 degrees" if high < 2**0.5 else "right above them"


ROUGHLY = 1e-3  # radians; three digits are asked for


def _wrong_angle(angle: float, factor: float) -> str:
    """The diagnosis of a wrong angle."""
    half = math.acos(1 / factor)
    wrong = {
        "that is half of the angle: the cosine belongs to w/2": half,
        "that is in degrees; radians are asked for": math.degrees(2 * half),
        "that is half of the angle, and in degrees": math.degrees(half),
        "that is the cosine of the angle; acos is missing": math.cos(2 * half),
        "that is the cosine of w/2; solve for w": 1 / factor,
        "asin was taken; the cosine of w/2 is left in the formula": 2 * math.asin(1 / factor),
        "one end alone has that weight; what is shared gets the weights of both": 2 * math.acos(1 / (2 * factor)),
        "there the shared part is squared: factor is its length": 2 * math.acos(factor**-0.5),
    }
    for words, value in wrong.items():
        if abs(angle - value) < ROUGHLY:
            return words
    if not math.isfinite(angle):
        return f"it is not finite for a factor of {factor:.3f}: acos takes a cosine, which is at most 1"
    try:
        grown = 2 * math.sin(angle / 2) / math.sin(angle)
    except ZeroDivisionError:
        return f"it gives an angle of 0 for a factor of {factor:.3f}; at 0 nothing grows"
    return (
        f"for a factor of {factor:.3f} it gives {angle:.3f}; at that angle the shared part has the factor {grown:.3f}"
    )
