"""Checks of notebook 10: sampling at a temperature for each level. The others are in temperature_density.py and
temperature_foreign.py.
"""

import math

import torch
from torch import Tensor

from glowlab.checks.base import Mistake, check, run
from glowlab.checks.many_scales import random_flow
from glowlab.checks.temperature_density import tempered_log_prob
from glowlab.checks.temperature_foreign import foreign
from glowlite.glow import Glow
from glowlite.latents import sample_eps, scale

__all__ = ["foreign", "sample", "tempered_log_prob"]

MANY = 96  # pictures asked for: some thousand numbers in each level, so that 5 % of a width can be told


class Witness:
    """A model with `latent_shapes` and `decode`, which notes the latents that it was given."""

    def __init__(self, flow: Glow):
        self.flow, self.latent_shapes = flow, list(flow.latent_shapes)
        self.decoded: list[list[Tensor]] = []
        self.pictures: list[Tensor] = []

    def decode(self, latents) -> Tensor:
        levels = len(self.latent_shapes)
        if isinstance(latents, Tensor) or len(latents) != levels:
            raise Mistake(f"decode takes a list with the latents of all {levels} levels")
        for l, (eps, shape) in enumerate(zip(latents, self.latent_shapes, strict=True), 1):
            if not isinstance(eps, Tensor) or tuple(eps.shape[1:]) != tuple(shape):
                what = tuple(eps.shape) if isinstance(eps, Tensor) else type(eps).__name__
                raise Mistake(f"the latents of level {l} have the shape (n, {', '.join(map(str, shape))}), not {what}")
        self.decoded.append([eps.detach().double().clone() for eps in latents])
        self.pictures.append(self.flow.decode([eps.to(self.flow.dtype) for eps in latents]))
        return self.pictures[-1].clone()

    def __getattr__(self, name: str):
        if name in ("sample", "inverse", "forward", "encode"):
            raise Mistake(f"model.{name} is not needed: draw eps, scale them, and decode")
        raise AttributeError(f"this model has latent_shapes and decode, but no {name}")


@check(
    "sample",
    hints=[
        "torch.randn(n, *shape, generator=generator), once for each shape in model.latent_shapes.",
        "One number stands for the same number at every level: [temperature] * len(model.latent_shapes).",
        "isinstance(temperature, (int, float)) tells a number from a list.",
        "Then multiply each level by its temperature, and hand the whole list to model.decode.",
    ],
    solution=[Glow.sample, sample_eps, scale],
)
@torch.no_grad()
def sample(attempt, generator):
    """attempt(model, n, temperature, generator) -> n pictures; temperature is a number, or one for each level."""
    flow = random_flow(generator)
    levels = len(flow.latent_shapes)
    stretch = 1 + 0.06 * torch.rand((), generator=generator).item()
    apart = [stretch * (0.4, 0.8, 1.4)[i] for i in torch.randperm(3, generator=generator)[:levels]]
    for temperature in (0.6 * stretch, apart, 1):
        source = torch.Generator().manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
        state = source.get_state()
        eps, wanted = called(attempt, flow, temperature, source), per_level(temperature, levels)
        diagnose_eps(eps, wanted, flow.latent_shapes)
        yield {
            float: "one number cools every level",
            list: "a list gives each level its own temperature",
            int: "a whole number is a temperature, too",
        }[type(temperature)]
        diagnose_source(attempt, flow, temperature, eps, source, state)
        yield "all numbers come from the generator, and each call draws new ones"


def per_level(temperature, levels: int) -> list[float]:
    return list(temperature) if isinstance(temperature, list) else [float(temperature)] * levels


def called(attempt, flow: Glow, temperature, source: torch.Generator, n: int = MANY) -> list[Tensor]:
    """The latents that the attempt had decoded, (n, D_l) for each level; a Mistake where it did something else."""
    model = Witness(flow)
    given = list(temperature) if isinstance(temperature, list) else temperature
    try:
        pictures = run(attempt, model, n, given, source)
    except Mistake as mistake:
        if "with TypeError" in str(mistake):
            kind = "a list, one for each level" if isinstance(temperature, list) else f"the number {temperature:.3g}"
            raise Mistake(f"where the temperature is {kind}, {mistake}") from mistake
        raise
    if isinstance(temperature, list) and given != temperature:
        raise Mistake("it changes the list of temperatures that it is given")
    if not model.decoded:
        raise Mistake("nothing went through model.decode: latents are numbers, and it makes pictures of them")
    if not isinstance(pictures, Tensor):
        raise Mistake(f"it must give back the pictures, one tensor, not a {type(pictures).__name__}")
    shown = torch.cat(model.pictures)
    if len(shown) == 1 < n and pictures.shape[0] == n:
        raise Mistake("one picture was drawn and copied; each of the n needs eps of its own")
    if len(shown) != n or len(pictures) != n:
        raise Mistake(f"{n} pictures were asked for; decode was given {len(shown)} and you return {len(pictures)}")
    if pictures.shape != shown.shape:
        raise Mistake(f"decode made pictures of the shape {tuple(shown.shape)}, and you return {tuple(pictures.shape)}")
    if not torch.equal(pictures.double(), shown.double()):
        raise Mistake("the pictures were changed after decode: temperature belongs to eps, not to pixels")
    return [torch.cat([latents[l] for latents in model.decoded]).flatten(1) for l in range(len(model.latent_shapes))]


def close(width: float, wanted: float) -> bool:
    return abs(width - wanted) < 0.06 * wanted + 0.01


def diagnose_eps(eps: list[Tensor], wanted: list[float], shapes) -> None:
    """Return if each level's numbers are normal with mean 0 and the wanted width; else raise what explains them."""
    for l, level in enumerate(eps, 1):
        if not torch.isfinite(level).all():
            raise Mistake(f"level {l} has values that are not numbers")
        if torch.equal(level, level[:1].expand_as(level)) and wanted[l - 1] > 0:
            raise Mistake("all n pictures have the same eps; each needs its own")
    diagnose_copies(eps, shapes)
    widths, means = [level.std().item() for level in eps], [level.mean().item() for level in eps]
    if all(map(close, widths, wanted)) and max(map(abs, means)) < 0.12:
        diagnose_shape(eps)
        return
    ones, first = [1.0] * len(wanted), [wanted[0]] * len(wanted)
    others = {
        "temperature changes nothing there: every level has width 1": ones,
        "eps was multiplied by T squared; T is the width itself, T squared the variance": [t**2 for t in wanted],
        "eps was multiplied by the root of T; T is the width itself": [t**0.5 for t in wanted],
        "eps was divided by T: below 1 it must calm, not excite": [1 / t for t in wanted],
        "the temperatures are in the wrong order: the first is for the finest level, as in the list of latents":
            wanted[::-1],
        "every level got the first temperature of the list": first,
        "every level got the last temperature of the list": [wanted[-1]] * len(wanted),
        "every level got the mean of the temperatures": [sum(wanted) / len(wanted)] * len(wanted),
        "temperature adds up from level to level there; each level takes its own once":
            [math.prod(wanted[: l + 1]) for l in range(len(wanted))],
    }  # fmt: skip
    if max(abs(m) for m in means) > 0.2:
        if all(close(w, 1) and abs(m - t) < 0.1 for w, m, t in zip(widths, means, wanted, strict=True)):
            raise Mistake("temperature was added to eps; it multiplies them")
        if all(w < 0.35 * t for w, t in zip(widths, wanted, strict=True)):
            raise Mistake("those are numbers from 0 to T, all as likely: torch.rand; eps are normal, torch.randn")
        raise Mistake(f"eps must have the mean 0; yours have {', '.join(f'{m:.2f}' for m in means)}, level by level")
    for words, value in others.items():
        if value != wanted and all(map(close, widths, value)):
            raise Mistake(words)
    right = [l for l, (w, t) in enumerate(zip(widths, wanted, strict=True), 1) if close(w, t)]
    left = [l for l in range(1, len(wanted) + 1) if l not in right]
    if right and all(close(widths[l - 1], 1) for l in left):
        where = f"level {right[0]} was scaled, and level {left[0]} still has width 1"
        raise Mistake(f"{where}; temperature is for all levels")
    asked, found = (", ".join(f"{w:.2f}" for w in numbers) for numbers in (wanted, widths))
    raise Mistake(f"eps must have the widths {asked}, level by level; yours have {found}")


def diagnose_copies(eps: list[Tensor], shapes) -> None:
    """The Mistake of numbers that are not independent."""
    count = min(level.numel() for level in eps)
    rows = torch.stack([level.flatten()[:count] for level in eps])
    apart = torch.corrcoef(rows) - torch.eye(len(eps), dtype=rows.dtype)
    if apart.abs().max() > 0.9:
        raise Mistake("the levels share their random numbers: draw new ones for each")
    for level, shape in zip(eps, shapes, strict=True):
        maps = level.view(-1, *shape)
        for axis, what in enumerate(("pictures", "channels", "rows", "columns")):
            if maps.shape[axis] > 1 and alike(maps, axis) > 0.4:
                raise Mistake(f"neighbouring {what} have the same eps; each number is drawn for itself")


def diagnose_shape(eps: list[Tensor]) -> None:
    """The Mistake of numbers with the right mean and width that are not normal."""
    values = torch.cat([(level / level.std()).flatten() for level in eps])
    if values.abs().max() < 3.05:
        raise Mistake("the width is right, but no number lies far out: normal draws have tails, so do not cut them")
    kurtosis = values.pow(4).mean().item()  # 3 for a normal
    if abs(kurtosis - 3) > 0.3:
        raise Mistake(
            "the width is right, but those are not normal draws: the mean of (eps / width)^4 is "
            f"{kurtosis:.1f}, and for normal draws it is 3. Use torch.randn"
        )


def alike(maps: Tensor, axis: int) -> float:
    """The correlation of neighbours along an axis of (n, C, H, W), taken in pairs."""
    size = maps.shape[axis] // 2 * 2
    first, second = (maps.narrow(axis, 0, size).unflatten(axis, (-1, 2)).select(axis + 1, side) for side in (0, 1))
    return torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1].item()


def diagnose_source(
    attempt, flow: Glow, temperature, eps: list[Tensor], source: torch.Generator, state: Tensor
) -> None:
    """The Mistake of an attempt that does not use the generator, or turns it back."""
    again = called(attempt, flow, temperature, source)
    if all(map(torch.equal, again, eps)):
        raise Mistake("every call gives the same pictures: do not seed the generator, the caller has done that")
    repeat = called(attempt, flow, temperature, torch.Generator().set_state(state))
    if not all(map(torch.equal, repeat, eps)):
        raise Mistake("the same generator gave other numbers: hand it to torch.randn as generator=generator")
