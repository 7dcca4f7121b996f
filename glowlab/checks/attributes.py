"""Checks of notebook 12: effects of directions from shuffled labels; two tied labels are in attributes_tied.py."""

import torch
from torch import Tensor

from glowlab.checks.answers import tensor_of
from glowlab.checks.attributes_latents import as_direction, copies, normal, random_shapes, untouched
from glowlab.checks.attributes_tied import separate
from glowlab.checks.base import Mistake, check, run, same
from glowlite import latents
from glowlite.latents import Latents

__all__ = ["separate", "shuffled_effects"]
TRIALS = 8
CLOSE = 1e-3  # two weights of a face in a mean are taken as equal; they are 1/20 or so


class Effect:
    """A number for a direction, linear in it. It keeps the directions that it was given, and its answers."""

    def __init__(self, shapes, generator: torch.Generator):
        self.shapes = shapes
        self.weights = normal(shapes, 1, generator)
        self.given: list[Latents] = []
        self.found: list[float] = []

    def __call__(self, direction) -> float:
        direction = as_direction(direction, self.shapes, "the direction given to effect")
        self.given.append([level.double() for level in direction])
        self.found.append((latents.flatten(direction) @ latents.flatten(self.weights).T).item())
        return self.found[-1]


@check(
    "shuffled_effects",
    hints=[
        "torch.randperm(len(has)) is a random order of the faces, so has[torch.randperm(len(has))] are the same labels "
        "in a random order.",
        "latents.mean_difference(eps, shuffled) makes the direction, and effect(direction) gives its number.",
        "Do that trials times, with a new order each time, and make a tensor of the numbers.",
    ],
    solution=[latents.mean_difference],
)
@torch.no_grad()
def shuffled_effects(attempt, generator):
    """attempt(eps, has, effect, trials) -> effects (trials,) of directions from shuffled labels."""
    shapes = random_shapes(generator)
    count = 24 + int(torch.randint(0, 6, (1,), generator=generator))
    has = torch.zeros(count, dtype=torch.bool)
    has[torch.randperm(count, generator=generator)[: count // 3]] = True
    eps, effect = normal(shapes, count, generator), Effect(shapes, generator)
    given, labels = copies(eps), has.clone()
    result = run(attempt, eps, labels, effect, TRIALS)
    untouched(eps, given, "eps")
    if not torch.equal(labels, has):
        raise Mistake("has is not what it was: shuffle a copy, has[torch.randperm(len(has))]")
    diagnose_effects(result, effect)
    yield "each effect is that of a direction"
    faces = Faces(eps)
    shuffles = labels_of(torch.stack([faces.weights(direction) for direction in effect.given]), has)
    yield "each direction is with minus without, and as many faces have it as before"
    diagnose_shuffles(shuffles, has)
    yield "the labels are shuffled anew for each direction, so that they say nothing about the faces"


def diagnose_effects(result, effect: Effect) -> None:
    """Return if `result` holds one answer of `effect` for each trial, else raise the Mistake that explains it."""
    if isinstance(result, list) and all(isinstance(value, float) for value in result):
        result = torch.tensor(result)
    if not effect.given:
        raise Mistake("effect was never asked: effect(d) gives the number of a direction d")
    found = torch.tensor(effect.found)
    if isinstance(result, (float, Tensor)) and torch.as_tensor(result).numel() == 1:
        value = torch.as_tensor(result).reshape(())
        if same(value, found.mean()):
            raise Mistake("that is their mean; return all of them: how they spread shows what chance can do")
    values = tensor_of(result, (TRIALS,), "the effects").float()
    if len(found) != TRIALS:
        raise Mistake(f"effect was asked {len(found)} times for {TRIALS} trials; ask once for each trial")
    if same(values.sort().values, found.sort().values):
        return
    if same(values.sort().values, found.abs().sort().values):
        raise Mistake("an effect may be negative: no absolute value")
    raise Mistake("what you return is not what effect answered")


class Faces:
    """Tells the weights with which faces add up to a direction; there are more numbers than faces, so it can."""

    def __init__(self, eps: Latents):
        self.flat = [level.flatten(1).double() for level in (latents.flatten(eps), *eps)]  # all levels, then each
        self.solvers = [torch.linalg.pinv(flat) for flat in self.flat]

    def weights(self, direction: Latents) -> Tensor:
        """Weights (B,) of the faces in `direction`; a Mistake if it is not a weighted sum of them."""
        steps = [step.flatten(1).double() for step in (latents.flatten(direction), *direction)]
        found = [step @ solver for step, solver in zip(steps, self.solvers, strict=True)]
        off = [
            ((weights @ flat - step).norm() / step.norm().clamp_min(1e-12)).item()
            for weights, flat, step in zip(found, self.flat, steps, strict=True)
        ]
        if off[0] < CLOSE:
            return found[0][0]
        if max(off[1:]) < CLOSE:
            raise Mistake("each level was shuffled by itself: the levels of a face belong together, shuffle the labels")
        raise Mistake("a direction is not made of these faces: with minus without, by labels that are shuffled")


def labels_of(weights: Tensor, has: Tensor) -> Tensor:
    """The labels (trials, B) of which weights (trials, B) are with minus without; a Mistake if there are none."""
    positive = weights > 0
    counts, yes = positive.sum(1), int(has.sum())
    means = all(is_mean_difference(*given) for given in zip(weights, positive, strict=True))
    if means and (counts == yes).all():
        return positive
    if means and (counts == len(has) - yes).all():
        raise Mistake("the directions are without minus with")
    if means:
        count = int(counts[counts != yes][0])
        raise Mistake(
            f"{count} faces have it and {yes} did before: shuffle the labels that there are, do not make new ones"
        )
    if positive.all() or any(len(row.div(CLOSE).round().unique()) > 2 for row in weights):
        raise Mistake("some faces count more than others: shuffle the labels without drawing any of them twice")
    raise Mistake("a direction is not the mean of those with minus the mean of those without")


def is_mean_difference(weights: Tensor, positive: Tensor) -> bool:
    """Whether weights (B,) are 1/n for the n faces in `positive`, and -1/m for the m others."""
    wanted = torch.where(positive, 1 / positive.sum(), -1 / (~positive).sum())
    return bool((weights - wanted).abs().max() < CLOSE)


def diagnose_shuffles(shuffles: Tensor, has: Tensor) -> None:
    """shuffles: bool (trials, B), the labels that were used."""
    if (shuffles == has).all():
        raise Mistake("the labels are as they were: shuffle the labels alone, and leave the faces in their order")
    if (shuffles == shuffles[0]).all():
        raise Mistake("it is the same shuffle each time: draw a new order for each trial")
    kept = (shuffles & has).sum(1).double().mean() / has.sum()
    if kept > 0.7:
        raise Mistake(f"on average {kept:.0%} of the labels stay where they were: shuffle all of them")
