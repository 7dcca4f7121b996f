"""A check of notebook 12: directions of two attributes that are tied together in the data."""

from collections.abc import Iterator

import torch
from torch import Tensor

from glowlab.checks.attributes_latents import (
    as_direction,
    copies,
    minus,
    normal,
    random_shapes,
    times,
    unit,
    untouched,
)
from glowlab.checks.base import Mistake, check, run, same
from glowlite import latents
from glowlite.latents import Latents

MOST_OFF = 1.4  # times as far off as least squares; the mean over like with like is at most 1.3


def tied_labels(count: int, generator: torch.Generator, alone: tuple[int, int] = (3, 4)) -> tuple[Tensor, Tensor]:
    """Two labels, 0 or 1 (float32), of `count` faces: `alone` have the first or the second alone, the others agree."""
    first, second = alone
    y = torch.zeros(count)
    y[: count // 2 - 2] = 1
    y2 = y.clone()
    y2[:first] = 0
    y2[-second:] = 1
    order = torch.randperm(count, generator=generator)
    return y[order], y2[order]


@check(
    "separate",
    hints=[
        "That is a least-squares problem with two unknowns for each number of eps. Subtract the means of y, y2 and eps "
        "first: then m is gone.",
        "labels = torch.stack([y, y2], 1) minus its mean is (N, 2). torch.linalg.pinv(labels) is (2, N).",
        "For each level: pinv @ level.flatten(1) is (2, C * H * W), a row for d and one for d2.",
        "A row becomes a level of its direction by .view(1, C, H, W).",
    ],
    solution=[latents.directions],
)
@torch.no_grad()
def separate(attempt, generator):
    """attempt(eps, y, y2) -> d, d2: lists of (1, C, H, W), each of which moves one label and not the other."""
    shapes = random_shapes(generator)
    middle, first, second = (normal(shapes, 1, generator) for _ in range(3))
    count = 24 + int(torch.randint(0, 6, (1,), generator=generator))
    y, y2 = tied_labels(count, generator)
    eps = mixture(middle, first, second, y, y2)
    given = copies(eps)
    result = run(attempt, eps, y.clone(), y2.clone())
    untouched(eps, given, "eps")
    found = two_directions(result, shapes)
    diagnose_separated(found, (first, second), middle, eps, y, y2)
    yield "each direction moves its own label by 1 and the other one by 0, though the two are tied"

    y, y2 = tied_labels(400, generator, alone=(10, 30))
    noise = normal(shapes, 400, generator)
    eps = [x + z for x, z in zip(mixture(middle, first, second, y, y2), noise, strict=True)]
    best = latents.directions(eps, {"y": y, "y2": y2})
    found = two_directions(run(attempt, eps, y, y2), shapes)
    for mine, theirs, truth in zip(found, best.values(), (first, second), strict=True):
        off, least = (latents.flatten(minus(step, truth)).norm() for step in (mine, theirs))
        if off > MOST_OFF * least:
            raise Mistake(
                f"right as long as faces differ in nothing else; where they do, it is {off / least:.1f} times as far "
                "off as it need be: it leaves out some of the faces, and chance averages out over all of them"
            )
    yield "it uses all faces, so that chance averages out"


def mixture(middle: Latents, first: Latents, second: Latents, a: Tensor, b: Tensor) -> Latents:
    a, b = a.view(-1, 1, 1, 1), b.view(-1, 1, 1, 1)
    return [m + a * u + b * v for m, u, v in zip(middle, first, second, strict=True)]


def two_directions(result, shapes) -> list[Latents]:
    if isinstance(result, dict):
        raise Mistake("return the two directions themselves, d, d2, and not a dict of them")
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Mistake("two directions are wanted: return d, d2")
    if any(step is None or step is Ellipsis for step in result):
        raise Mistake("one of the two directions is still to be written")
    return [as_direction(step, shapes, name) for step, name in zip(result, ("d", "d2"), strict=True)]


def diagnose_separated(found, truth, middle: Latents, z: Latents, a: Tensor, b: Tensor) -> None:
    right = [same(mine, step) for mine, step in zip(found, truth, strict=True)]
    if all(right):
        return
    if same(found[0], truth[1]) and same(found[1], truth[0]):
        raise Mistake("the two directions changed places: d belongs to y, d2 to y2")
    for words, wrong in mistaken(truth, z, a, b):
        if all(ok or same(mine, step) for ok, mine, step in zip(right, found, wrong, strict=True)):
            if any(right):
                words = f"{'d2' if right[0] else 'd'} alone is wrong: {words}"
            raise Mistake(words)
    which = right.index(False)
    raise Mistake(made_of(found[which], truth, middle, which))


def mistaken(truth, z: Latents, a: Tensor, b: Tensor) -> Iterator[tuple[str, tuple[Latents, Latents]]]:
    """Typical mistakes: (their diagnosis, the two directions that they make of these latents)."""
    has_a, has_b = a > 0.5, b > 0.5
    tied = latents.mean_difference(z, has_a), latents.mean_difference(z, has_b)
    yield "each is a difference of means, still tied: its step moves the other label along", tied
    yield "the right size and the wrong sign", tuple(times(-1, step) for step in truth)
    yield (
        "the other direction was projected out; but that one is tied, too, so too much is taken away",
        (
            projected(tied[0], tied[1]),
            projected(tied[1], tied[0]),
        ),
    )
    unlike = projected(truth[0], truth[1]), projected(truth[1], truth[0])
    yield "separated already, the other direction need not be projected out as well", unlike
    yield (
        "faces with the first alone against faces with the second alone: one goes up while the other goes down",
        (
            minus(*truth),
            minus(*truth[::-1]),
        ),
    )
    labels = torch.stack([a, b], 1)
    centred = labels - labels.mean(0)
    yield (
        "the means were not subtracted: what all faces share is in both directions",
        solve(z, labels),
    )
    level = [eps - eps.mean(0) for eps in z]
    yield "the labels' means were not subtracted, only those of the latents", solve(level, labels)
    covariances = solve(z, centred, centred.T / len(a))
    yield (
        "those are covariances of labels and latents: divide by the covariances of the labels",
        covariances,
    )
    yield "those are sums over labels: divide by the sums of the labels themselves", solve(z, centred, centred.T)
    yield "half as long as they should be: labels go from 0 to 1", tuple(times(0.5, step) for step in truth)
    yield "twice as long as they should be: labels go from 0 to 1", tuple(times(2, step) for step in truth)
    yield "right, but brought to length 1: a step is to move its label by 1", tuple(map(unit, truth))
    r = torch.corrcoef(labels.T)[0, 1].item()
    wrong = tuple(minus(x, times(r, y)) for x, y in (tied, tied[::-1]))
    short = "the other's share is taken off, but with it went some of its own: divide by 1 - correlation^2"
    yield short, wrong


def solve(z: Latents, labels: Tensor, by: Tensor | None = None) -> tuple[Latents, Latents]:
    """by @ latents, (2, B) @ (B, ...), or the least-squares slopes on the labels as they are."""
    by = torch.linalg.pinv(labels) if by is None else by
    both = [torch.tensordot(by, eps, 1) for eps in z]
    return [level[:1] for level in both], [level[1:] for level in both]


def projected(step: Latents, other: Latents) -> Latents:
    """`step` without what it shares with the other."""
    x, y = latents.flatten(step)[0], latents.flatten(other)[0]
    return minus(step, times((x @ y / (y @ y)).item(), other))


def made_of(step: Latents, truth, middle: Latents, which: int) -> str:
    """A sentence: how much of either label's direction and of the mean face is in a direction."""
    parts = torch.cat([latents.flatten(part) for part in (*truth, middle)])  # (3, D)
    flat = latents.flatten(step).to(parts)[0]
    share = torch.linalg.lstsq(parts.T, flat[:, None]).solution[:, 0]
    name, label = (("d", "y"), ("d2", "y2"))[which]
    if (share @ parts - flat).norm() > 0.05 * flat.norm():
        return f"{name} is not made of what the labels move: it is something else"
    first, second, face = share.tolist()
    if abs(share[1 - which]) < 1e-4 and abs(face) < 1e-4:
        return f"{name} points the right way, and is {share[which]:.2f} times as long as it should be"
    words = f"your {name} moves y by {first:.2f} and y2 by {second:.2f}"
    words += f", and adds {face:.2f} of the mean face" if abs(face) > 0.005 else ""
    return f"{words}; it should move {label} by 1 and nothing else"
