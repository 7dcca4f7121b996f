"""Latents for the checks of notebook 12: of random shapes, and arithmetic on them."""

import torch
from torch import Tensor

from glowlab.checks.base import Mistake
from glowlite import latents
from glowlite.latents import Latents


def random_shapes(generator: torch.Generator) -> list[tuple[int, int, int]]:
    """(C, H, W) for two or three levels, none of them alike."""
    levels = int(torch.randint(2, 4, (1,), generator=generator))
    return [(level + 2, 5 - level, 6 - level) for level in range(levels)]


def normal(shapes, count: int, generator: torch.Generator) -> Latents:
    """Latents of `count` faces in float32, as a model gives them."""
    return [torch.randn(count, *shape, generator=generator) for shape in shapes]


def copies(eps: Latents) -> Latents:
    return [level.clone() for level in eps]


def untouched(eps: Latents, given: Latents, name: str) -> None:
    if len(eps) != len(given) or not all(map(torch.equal, eps, given)):
        raise Mistake(f"{name} is not what it was: make new tensors, without +=, -= or pop")


def as_direction(result, shapes, name: str) -> Latents:
    """`result` as one tensor (1, C_l, H_l, W_l) for each level, else a Mistake that says what it is."""
    if isinstance(result, Tensor) and result.dim() == 2:
        raise Mistake(f"{name} was flattened; it must be a list, with one tensor for each level")
    if not isinstance(result, (list, tuple)):
        raise Mistake(f"{name} must be a list, with one tensor for each level, not a {type(result).__name__}")
    if len(result) != len(shapes):
        raise Mistake(f"{name} has {len(result)} levels, and the latents have {len(shapes)}")
    found = []
    for level, (step, shape) in enumerate(zip(result, shapes, strict=True), start=1):
        if not isinstance(step, Tensor):
            raise Mistake(f"level {level} of {name} must be a tensor, and yours is a {type(step).__name__}")
        if tuple(step.shape) != (1, *shape):
            reason = "a mean over the faces alone, mean(0, keepdim=True), keeps every other number apart"
            if tuple(step.shape) == shape:
                reason = "keep the 1 in front, by mean(0, keepdim=True) or step[None], else channels count as faces"
            raise Mistake(
                f"level {level} of {name} must have the shape (1, {str(shape)[1:]}, not {tuple(step.shape)}: {reason}"
            )
        found.append(step.detach())
    return found


def times(number: float, step: Latents) -> Latents:
    return [number * level for level in step]


def minus(a: Latents, b: Latents) -> Latents:
    return [x - y for x, y in zip(a, b, strict=True)]


def unit(step: Latents) -> Latents:
    return times(1 / latents.flatten(step).norm().item(), step)
