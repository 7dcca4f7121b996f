"""Checks of notebook 05: scale and shift from a batch, ActNorm forward with its log-det, and the way back."""

from collections.abc import Iterator

import torch
from torch import Tensor

from glowlab.checks.answers import (
    diagnose_log_det,
    explain,
    least_mistaken,
    random_batch,
    random_log_s,
    tensor_of,
)
from glowlab.checks.base import Mistake, check, name_mistake, run, same
from glowlite.flows.actnorm import ActNorm, per_channel

LARGEST = 1000.0  # the scale of a channel that never changes


def random_channels(generator: torch.Generator) -> Tensor:
    """x (B, C, h, w), float64, each channel with its own spread, 0.2 to 2, and its own place, 1 to 2 off zero."""
    x = random_batch(generator)
    spread, place = torch.rand(2, x.shape[1], generator=generator, dtype=torch.float64)
    sign = 1 - 2 * torch.randint(0, 2, place.shape, generator=generator)
    return x * per_channel(0.2 + 1.8 * spread, x) + per_channel(sign * (1 + place), x)


def pair(result, names: tuple[str, str]) -> tuple:
    """The two things that were given back, or the Mistake that they are something else."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Mistake(f"it must give back two things: return {', '.join(names)}")
    for name, part in zip(names, result, strict=True):
        if part is None or part is Ellipsis:
            raise Mistake(f"{name} is still missing")
    return tuple(result)


def untouched(*pairs: tuple[Tensor, Tensor]) -> None:
    """Mistake where what was handed over is not what it was."""
    if not all(torch.equal(now, before) for now, before in pairs):
        raise Mistake("it changes what it is given, in place; make new tensors, or the caller's are spoilt")


# ---- scale and shift from a batch --------------------------------------------------------------------------


def values_of(x: Tensor) -> Tensor:
    return x.transpose(0, 1).flatten(1)  # (C, B*H*W)


def check_shapes(s, b, x: Tensor) -> None:
    """Mistake where s or b is not one number for each channel."""
    batch, channels, height, width = x.shape
    for name, part in (("s", s), ("b", b)):
        shape = tuple(part.shape) if isinstance(part, Tensor) else ()
        reasons = {
            (): "one number for all channels; each channel has its own",
            (batch, channels): "one for each picture, too; take the whole batch together, axis 0 as well",
            (channels, height, width): "one for each pixel; a channel shares its numbers over all pixels",
            (batch,): "one for each picture; it should be one for each channel, so keep axis 1",
            (1, channels, 1, 1): "right for broadcasting, but a parameter is stored as (C,): flatten it",
        }
        if shape != (channels,):
            why = reasons.get(shape, "not one for each channel")
            raise Mistake(f"{name} must have the shape ({channels},), one for each channel; yours is {shape}: {why}")


def diagnose_scale(s: Tensor, x: Tensor) -> None:
    """Return if s is 1 / std of each channel of x; else raise the Mistake that explains it."""
    values = values_of(x)
    std = values.std(1, unbiased=False)
    if same(s, 1 / std):
        return
    name_mistake(s, {
        "almost: torch's std divides by N - 1, and then this very batch does not get variance 1; "
        "std(..., unbiased=False)": 1 / values.std(1),
        "s is the spread itself; x must be divided by it, so s = 1 / std": std,
        "that is 1 / variance; the scale undoes the std, its square root": 1 / std**2,
        "that is the variance": std**2,
        "that is log s; here s itself is wanted": -std.log(),
        "that is log s / 3, which the package stores; here s itself is wanted": -std.log() / 3,
        "the spread around zero was taken; take it around the mean": 1 / values.square().mean(1).sqrt(),
        "that is the mean; s comes from the spread": values.mean(1),
        "that is -mean / std, the shift: s comes first, then b": -values.mean(1) / std,
        "the first picture alone was used; take the whole batch": 1 / values_of(x[:1]).std(1, unbiased=False),
        "one scale for all channels; each has its own": (1 / x.std(unbiased=False)).expand(len(std)),
    })  # fmt: skip
    extra = 1 / s - std
    if extra.min() > 0 and extra.max() - extra.min() < 1e-3 * extra.max():
        words = f"something is added to every std ({extra.mean():.2g})"
        raise Mistake(f"almost: {words}, so no channel gets variance 1; clamp the small ones, leave the others")
    spread = (s * std).square()
    raise Mistake(f"s * x has variances from {spread.min():.3g} to {spread.max():.3g}; all should be 1")


def diagnose_shift(b: Tensor, s: Tensor, x: Tensor) -> None:
    """Return if s * x + b has mean 0 in each channel; else raise the Mistake that explains it."""
    mean = values_of(x).mean(1)
    if same(b, -mean * s):
        return
    wrong = {
        "b has the wrong sign": mean * s,
        "b is added after the scaling, so the mean must be scaled, too": -mean,
        "b is added after the scaling, so the mean must be scaled; and it has the wrong sign": mean,
        "the mean was divided by s instead of multiplied": -mean / s,
    }
    name_mistake(b, wrong)
    left = s * mean + b
    raise Mistake(f"s * x + b has means from {left.min():.3g} to {left.max():.3g}; all should be 0")


@check(
    "scale_and_shift",
    hints=[
        "z = s * x + b should have mean 0 and variance 1 in each channel. First solve that on paper for s and b.",
        "A channel's numbers are those of all pictures and all pixels: x.mean((0, 2, 3)) gives one mean for each.",
        "torch's std divides by N - 1 unless told unbiased=False. clamp_min keeps it away from 0.",
    ],
    solution=[ActNorm.initialize],
)
def scale_and_shift(attempt, generator):
    """attempt(x) -> s, b, both (C,): s * x + b has mean 0, variance 1 in each channel of this batch (B, C, h, w).

    For a channel that never changes s stays finite, 1000 at most.
    """
    x = random_channels(generator)
    given = x.clone()
    s, b = pair(run(attempt, given), ("s", "b"))
    untouched((given, x))
    check_shapes(s, b, x)
    yield "one scale and one shift for each channel"
    diagnose_scale(s, x)
    yield "every channel gets variance 1"
    diagnose_shift(b, s, x)
    yield "every channel gets mean 0"
    x[:, 1] = 0.5
    s, b = run(attempt, x)
    if not (torch.isfinite(s).all() and torch.isfinite(b).all()) or s.abs().max() > LARGEST * 1.01:
        raise Mistake(
            f"one channel of this batch never changes, and its scale becomes {s[1]:.2g}: keep std above 0.001"
        )
    yield "a channel that never changes does no harm"


# ---- forward -----------------------------------------------------------------------------------------------


def random_parameters(channels: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """log_s and b, float64 (C,), no b near 0."""
    b = torch.rand(channels, generator=generator, dtype=torch.float64) + 0.5
    return random_log_s(channels, generator), b


def wrong_forwards(x: Tensor, log_s: Tensor, b: Tensor) -> Iterator[tuple[list[str], Tensor]]:
    log_s, b = per_channel(log_s, x), per_channel(b, x)
    s = log_s.exp()
    yield [], x * s + b
    yield ["b is added before the scaling; the formula is s * x + b"], (x + b) * s
    yield ["x is multiplied by log_s; s = exp(log_s) is wanted"], x * log_s + b
    yield (
        ["x is multiplied by exp(3 log_s): the log_s given here is the whole log s"],
        x * (3 * log_s).exp() + b,
    )
    yield ["x is divided by s; forward multiplies"], x / s + b
    yield ["that is the inverse: (x - b) / s; forward is s * x + b"], (x - b) / s
    yield ["b is subtracted; forward adds it"], x * s - b
    yield ["b is missing"], x * s
    yield ["the scale is missing"], x + b


@check(
    "forward",
    hints=[
        "log_s and b are (C,), x is (B, C, h, w). log_s.view(1, -1, 1, 1) lets the channels meet.",
        "Each of the h x w pixels of a channel is multiplied by s = exp(log_s), and log-dets add up.",
        "The log-det does not depend on x, but it has the shape (B,): the same number for each picture.",
    ],
    solution=[ActNorm.forward, per_channel],
)
def forward(attempt, generator):
    """attempt(x, log_s, b) -> z, log_det: z = exp(log_s) * x + b per channel; log_det (B,) nats."""
    x = random_channels(generator)
    log_s, b = random_parameters(x.shape[1], generator)
    given = x.clone(), log_s.clone(), b.clone()
    z, log_det = pair(run(attempt, *given), ("z", "log_det"))
    untouched((given[0], x), (given[1], log_s), (given[2], b))
    z = tensor_of(z, tuple(x.shape), "z")
    explain(least_mistaken(z, wrong_forwards(x, log_s, b)), "z is not exp(log_s) * x + b, channel by channel")
    yield "z is right"
    diagnose_log_det(log_det, x, log_s)
    yield "the log-det counts every pixel of every channel, and each picture has its own"


# ---- and back ----------------------------------------------------------------------------------------------


@check(
    "inverse",
    hints=[
        "Solve z = s * x + b for x. What was done last is undone first.",
        "The shift goes first, then the scale: dividing by s is multiplying by exp(-log_s).",
    ],
    solution=[ActNorm.inverse],
)
def inverse(attempt, generator):
    """attempt(z, log_s, b) -> x, where z = exp(log_s) * x + b per channel; all (B, C, h, w)."""
    x = random_channels(generator)
    log_s, b = random_parameters(x.shape[1], generator)
    s, shift = per_channel(log_s.exp(), x), per_channel(b, x)
    z = s * x + shift
    given = z.clone(), log_s.clone(), b.clone()
    result = run(attempt, *given)
    untouched((given[0], z), (given[1], log_s), (given[2], b))
    if isinstance(result, tuple):
        raise Mistake("x alone is wanted: the way back needs no log-det")
    result = tensor_of(result, tuple(x.shape), "x")
    wrong = {
        "the scale is undone before the shift: what came last, b, goes first": z / s - shift,
        "that is forward once more, not its inverse": z * s + shift,
        "b is added; it was added before, so take it away": (z + shift) / s,
        "multiplied by s once more instead of divided": (z - shift) * s,
        "divided by log_s; s = exp(log_s) is wanted": (z - shift) / per_channel(log_s, x),
        "the scale is not undone": z - shift,
        "the shift is not undone": z / s,
    }
    if not same(result, x):
        explain(
            least_mistaken(result, (([words], value) for words, value in wrong.items())),
            f"x does not come back: it is off by up to {(result - x).abs().max():.2g}",
        )
    yield "x comes back"
