"""Checks of notebook 12: a direction from few labels and its effect; two tied labels are in attributes_tied.py."""

import torch
from torch import Tensor

from glowlab.checks.answers import tensor_of
from glowlab.checks.attributes_latents import (
    as_direction,
    copies,
    mean_of,
    minus,
    normal,
    random_shapes,
    times,
    unit,
    untouched,
)
from glowlab.checks.attributes_tied import part
from glowlab.checks.base import Mistake, check, name_mistake, run, same
from glowlite import latents
from glowlite.evaluation import slide
from glowlite.latents import Latents

__all__ = ["direction_and_effect", "part"]

# ---- a direction from few labels, its effect measured ------------------------------------------------------


class Decode:
    """A random decoder, not linear in the latents. It counts its calls and checks the shapes it is given."""

    def __init__(self, shapes, generator: torch.Generator):
        self.shapes, self.calls = shapes, 0
        dims = sum(torch.Size(shape).numel() for shape in shapes)
        self.weights = torch.randn(dims, 12, generator=generator, dtype=torch.float64) / dims**0.5

    def __call__(self, eps) -> Tensor:
        if not isinstance(eps, (list, tuple)) or len(eps) != len(self.shapes):
            raise Mistake(f"decode takes a list of {len(self.shapes)} levels")
        for level, (given, shape) in enumerate(zip(eps, self.shapes, strict=True), start=1):
            if not isinstance(given, Tensor) or given.dim() != 4 or tuple(given.shape[1:]) != shape:
                size = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
                raise Mistake(f"decode was given {size} for level {level}, which is (batch, {str(shape)[1:]}")
        self.calls += 1
        return torch.sin(2 * latents.flatten(list(eps)) @ self.weights).view(-1, 3, 2, 2)


class Read:
    """A random reader of the decoder's pictures: (B, 3, 2, 2) -> (B,).

    It adds a constant, as the notebook's reader does. So the reading of a difference of two pictures is not the
    difference of their readings.
    """

    def __init__(self, generator: torch.Generator):
        self.weights = torch.randn(12, generator=generator, dtype=torch.float64)
        self.constant = 3.0

    def __call__(self, images) -> Tensor:
        if not isinstance(images, Tensor) or tuple(images.shape[1:]) != (3, 2, 2):
            raise Mistake("read reads pictures: decode the latents first")
        return images.flatten(1) @ self.weights + self.constant


@check(
    "direction_and_effect",
    hints=[
        "has is True or False for each face. For each level of z, level[has] are the latents of those who have it.",
        "mean(0, keepdim=True) averages over the faces. With minus without, for each level, in a list.",
        "The effect: read(decode(others moved by +a)) minus read(decode(others moved by -a)). latents.add moves.",
    ],
    solution=[latents.mean_difference, slide],
)
@torch.no_grad()
def direction_and_effect(attempt, generator):
    """attempt(z, has, others, decode, read) -> (a, moved): mean with minus mean without; the change of reading (F,)."""
    shapes = random_shapes(generator)
    count, faces = (torch.randint(0, 6, (2,), generator=generator) + torch.tensor([24, 12])).tolist()
    has = torch.zeros(count, dtype=torch.bool)
    has[torch.randperm(count, generator=generator)[: count // 3]] = True  # not as many with as without
    offset = normal(shapes, 1, generator)
    z = [level + shift for level, shift in zip(normal(shapes, count, generator), offset, strict=True)]
    others = normal(shapes, faces, generator)
    decode, read = Decode(shapes, generator), Read(generator)
    given = copies(z), copies(others)
    result = run(attempt, z, has.clone(), others, decode, read)
    untouched(z, given[0], "z")
    untouched(others, given[1], "others")
    if isinstance(result, (tuple, list)) and len(result) == len(shapes):
        alone = [isinstance(x, Tensor) and tuple(x.shape[-3:]) == s for x, s in zip(result, shapes, strict=True)]
        if all(alone):
            raise Mistake("that is the direction alone; two things are wanted: return a, moved")
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Mistake("two things are wanted: return a, moved")
    step = as_direction(result[0], shapes, "a")
    a = latents.mean_difference(z, has)
    diagnose_direction(step, a, z, has)
    yield "the direction is the mean with minus the mean without, at every level"
    if result[1] is None or result[1] is Ellipsis:
        raise Mistake("and its effect? moved is still to be measured")
    diagnose_effect(result[1], a, others, z, decode, read)
    yield "its effect is the change of what is read, face by face, from -a to +a"


def diagnose_direction(step: Latents, a: Latents, z: Latents, has: Tensor) -> None:
    if same(step, a):
        return
    everyone = torch.ones_like(has)
    wrong = {
        "the direction has the right size and the wrong sign: with minus without": times(-1, a),
        "that is the mean of those with the attribute alone: most of it is what all faces share": mean_of(z, has),
        "that is the mean of those without it": mean_of(z, ~has),
        "you took off the mean of all faces; take off the mean of those without": minus(
            mean_of(z, has), mean_of(z, everyone)
        ),
        "sums instead of means: the two sides do not have equally many faces": [
            level[has].sum(0, keepdim=True) - level[~has].sum(0, keepdim=True) for level in z
        ],
        "each side has a mean of its own: both sums were divided by the number of all faces": [
            (level[has].sum(0, keepdim=True) - level[~has].sum(0, keepdim=True)) / len(has) for level in z
        ],
        "the direction was brought to length 1: its length says how far apart the two sides are": unit(a),
        "each level was brought to length 1, which makes all levels count alike": [unit([s])[0] for s in a],
        "it is half as long as it should be": times(0.5, a),
        "medians instead of means": [
            level[has].median(0, keepdim=True).values - level[~has].median(0, keepdim=True).values for level in z
        ],
    }
    name_mistake(step, wrong)
    right = [same(x, y) for x, y in zip(step, a, strict=True)]
    if any(right):
        wrong = ", ".join(str(level) for level, good in enumerate(right, start=1) if not good)
        raise Mistake(f"the direction is right, but not at level {wrong}: all levels are treated alike")
    if not torch.isfinite(latents.flatten(step)).all():
        raise Mistake("the direction has values that are not numbers: a mean of no faces. has is True or False")
    raise Mistake("the direction is not the mean of level[has] minus the mean of level[~has]")


def diagnose_effect(result, a: Latents, others: Latents, z: Latents, decode: Decode, read: Read) -> None:
    def at(amount: float) -> Tensor:
        return read(decode(latents.add(others, a, amount)))

    decoded = decode.calls > 0
    ends = read(decode(a)), read(decode(times(-1, a)))
    lone = (*ends, ends[0] - ends[1])
    low, middle, high = at(-1), at(0), at(1)
    faces = len(others[0])
    if isinstance(result, (Tensor, float)) and not isinstance(result, bool):
        value = torch.as_tensor(result)
        if value.numel() == 1 and same(value.reshape(()), (high - low).mean()):
            raise Mistake("that is the mean over the faces: the right number, but each face has its own")
        if value.numel() == 1 and any(same(value.reshape(1), alone) for alone in lone):
            raise Mistake("the direction alone was decoded: decode each face moved along it")
        if value.shape == (len(z[0]),):
            raise Mistake("measured on the faces that made the direction: others are given for that")
    moved = tensor_of(result, (faces,), "moved")
    if same(moved, high - low):
        return
    wrong = {
        "the effect has the right size and the wrong sign: at +a, minus at -a": low - high,
        "that is from the face as it is to +a; begin at -a": high - middle,
        "that is from -a to the face as it is; end at +a": middle - low,
        "the effect was halved: the whole way from -a to +a is wanted": (high - low) / 2,
        "an effect may be negative: no absolute value": (high - low).abs(),
        "that is what is read at +a; take off what is read at -a": high,
        "the direction alone was decoded, or the face alone: decode the face moved along it": torch.zeros_like(high),
        "the step is a, and yours was twice as long": at(2) - at(-2),
        "the step is a, and yours was half as long": at(0.5) - at(-0.5),
    }
    name_mistake(moved, wrong)
    if any(same(moved, alone.expand(faces)) for alone in lone):
        raise Mistake("the direction alone was decoded: decode each face moved along it")
    pair = [decode(latents.add(others, a, amount)) for amount in (1, -1)]
    if same(moved, read(pair[0] - pair[1])):
        raise Mistake("read reads pictures, and a difference of two is none: read both, then subtract")
    if not decoded:
        raise Mistake("nothing was decoded, so nothing could be read off a picture")
    raise Mistake("moved is not what is read at +a minus what is read at -a")
