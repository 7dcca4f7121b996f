"""Checks of notebook 05: scale and shift from a batch, ActNorm with its log-det, the first batch of many steps."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

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
from glowlite.glow import FlowStep, Glow, GlowConfig

LARGEST = 1000.0  # the scale of a channel that never changes


def random_channels(generator: torch.Generator) -> Tensor:
    """x (B, C, h, w), each channel with its own spread, 0.2 to 2, and its own place, 1 to 2 off zero.

    The first channel is narrow and near zero: there one sees what is added to a variance, 1e-6 and more.
    """
    x = random_batch(generator)
    spread, place = torch.rand(2, x.shape[1], generator=generator)
    sign = 1 - 2 * torch.randint(0, 2, place.shape, generator=generator)
    spread, place = 0.2 + 1.8 * spread, sign * (1 + place)
    spread[0], place[0] = 0.01, 0.02
    return x * per_channel(spread, x) + per_channel(place, x)


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
        raise Mistake("it changes what it is given, in place; make new tensors, or the caller's change, too")


# ---- scale and shift from a batch --------------------------------------------------------------------------


def values_of(x: Tensor) -> Tensor:
    return x.double().transpose(0, 1).flatten(1)  # (C, B*H*W)


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
        "s is the spread itself, computed with N - 1; x must be divided by it, so s = 1 / std": values.std(1),
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
    diagnose_addend(s, values)
    if same(s.abs(), 1 / std):
        raise Mistake("s is negative: the variance is right, but z is upside down, and log s needs an s above 0")
    variances = (s * std) ** 2
    raise Mistake(f"s * x has variances from {variances.min():.7g} to {variances.max():.7g}; all should be 1")


def diagnose_addend(s: Tensor, values: Tensor) -> None:
    """Mistake where something was added to the std or, as in batch normalisation, to the variance."""
    for unbiased in (False, True):
        std = values.std(1, unbiased=unbiased)
        for power, where in ((2, "variance, as batch normalisation does"), (1, "std")):
            extra = 1 / s.double() ** power - std**power
            small = (extra - extra[0]).abs() <= 1e-3 * extra[0] + 1e-5 * std**power
            if extra[0] > 1e-4 * std[0] ** power and small.all():
                raise Mistake(
                    f"about {extra[0]:.1g} is added to the {where}; here the variance of z becomes exactly 1, and "
                    "clamp_min keeps s finite"
                )


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
    """log_s and b, (C,), no b near 0."""
    b = torch.rand(channels, generator=generator) + 0.5
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
        "log_s and b are (C,), x is (B, C, h, w). log_s.view(1, -1, 1, 1) lines the channels up.",
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


# ---- the first batch of many steps -------------------------------------------------------------------------


def random_steps(generator: torch.Generator) -> list[FlowStep]:
    """Four steps of flow for x (B, 12, h, w) that saw no data yet; their couplings move what they are given."""
    seed = int(torch.randint(1000, (1,), generator=generator))
    flow = Glow(GlowConfig((3, 8, 8), levels=1, depth=4, width=8, seed=seed))
    steps = list(flow.levels[0].steps.flows[1:])  # after the squeeze
    for step in steps:
        nn.init.normal_(step.flows[-1].network.last.weight, std=0.2, generator=generator)
    return steps


def is_set_by(norm: ActNorm, x: Tensor) -> bool:
    """Whether each channel of x gets mean 0 and variance 1."""
    values = values_of(norm(x)[0])
    return bool(values.mean(1).abs().max() < 1e-3 and (values.std(1, unbiased=False) - 1).abs().max() < 1e-3)


@check(
    "initialise",
    hints=[
        "Print the std of what comes out of each step. Which ActNorm is the first that does not give 1?",
        "In a running flow the second step never sees x. What does it see?",
        "Keep the signal in a variable, signal = x at first. Each step's ActNorm is set by the signal; then the step "
        "moves it on: signal, _ = step(signal).",
    ],
    solution=[ActNorm.forward],
)
@torch.no_grad()
def initialise(attempt, generator):
    """attempt(steps, x) -> what comes out of the last step: every step's ActNorm, step.flows[0], is set from data.

    When x then comes through all the steps, each ActNorm gives mean 0 and variance 1 in each channel.
    """
    steps = random_steps(generator)
    x = 2 + 0.3 * torch.randn(16, 12, 4, 4, generator=generator)
    given = x.clone()
    result = run(attempt, steps, given)
    untouched((given, x))
    h = x
    for number, step in enumerate(steps, start=1):
        norm = step.flows[0]
        if not norm.initialized:
            raise Mistake(f"the ActNorm of step {number} has seen no data: step.flows[0].initialize(...)")
        if not is_set_by(norm, h):
            seen = "x itself" if is_set_by(norm, x) else "something else than what arrives there"
            raise Mistake(f"the ActNorm of step {number} was set by {seen}: what comes out of it is not of variance 1")
        h, _ = step(h)
    yield f"when x comes through, all {len(steps)} ActNorms give mean 0 and variance 1"
    result = tensor_of(result, tuple(x.shape), "what comes out of the last step")
    if not torch.allclose(result, h, atol=1e-4):
        raise Mistake("what is given back is not what the last step makes of x")
    yield "and what the last step makes of x is given back"
