"""A check of notebook 10: the log-density of a normal at a temperature."""

import math
from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor

from glowlab.checks.answers import explain, least_mistaken, tensor_of, variants
from glowlab.checks.base import Mistake, check, run, same
from glowlite.flows.multiscale import standard_normal_log_prob, whiten
from glowlite.latents import flatten


def random_latents(generator: torch.Generator) -> list[Tensor]:
    """Two or three levels of normal numbers, few enough for all terms of a log-density to matter."""
    batch, levels, channels = (
        int(torch.randint(low, high, (1,), generator=generator)) for low, high in ((3, 6), (2, 4), (1, 4))
    )
    sides = [2 ** (levels - 1 - l) for l in range(levels)]
    shapes = [(channels * 2**l, side, side) for l, side in enumerate(sides)]
    return [torch.randn(batch, *shape, generator=generator) for shape in shapes]


def wrong_terms(latents: list[Tensor], T: float) -> Iterator[tuple[list[str], Tensor]]:
    """All combinations of right and wrong terms of log N(eps; 0, T^2 I): (mistakes in words, (B,) values)."""
    eps = flatten(latents)
    squares, D = eps.square().sum(1), eps.shape[1]
    one = torch.ones_like(squares)
    exponent = {
        "": -squares / (2 * T**2),
        "in the exponent stands T^2, the variance, not T": -squares / (2 * T),
        "T is missing in the exponent": -squares / 2,
        "eps is divided by T, not multiplied by it": -squares * T**2 / 2,
        "the exponent has a factor 1/2": -squares / T**2,
        "the exponent is negative: far from the middle the density is low": squares / (2 * T**2),
        "eps must be squared": -eps.sum(1) / (2 * T**2),
        "that is |eps|, and |eps| squared is wanted": -eps.norm(dim=1) / (2 * T**2),
    }
    height = {
        "": -D * math.log(T) * one,
        "you forgot D log T: a narrower bell is higher": 0 * one,
        "log T counts once for each of the D numbers": -math.log(T) * one,
        "that is log of the variance, T^2; the width is T, so D log T": -2 * D * math.log(T) * one,
        "D log T has no factor 1/2": -D * math.log(T) / 2 * one,
        "the sign of D log T is wrong: a narrower bell is higher": D * math.log(T) * one,
        "T was taken away without its log": -D * T * one,
    }
    rest = {
        "": -D / 2 * math.log(2 * math.pi) * one,
        "you forgot the constant, D/2 log 2 pi": 0 * one,
        "log 2 pi counts for each of the D numbers": -0.5 * math.log(2 * math.pi) * one,
        "log 2 pi has a factor 1/2": -D * math.log(2 * math.pi) * one,
        "the constant is subtracted: a bell of width 1 is lower than 1": D / 2 * math.log(2 * math.pi) * one,
    }
    for words, terms in variants(exponent, height, rest):
        yield words, sum(terms)


@check(
    "tempered_log_prob",
    hints=[
        "eps at temperature T is T times a standard normal. So eps / T is standard normal: what is its log-density?",
        "Dividing by T changes volume, as in notebook 01: each number adds -log T, and there are D of them.",
        "Log-densities of independent numbers add up. latents.flatten(eps) puts all levels side by side: (B, D).",
    ],
    solution=[whiten, standard_normal_log_prob],
)
def tempered_log_prob(attempt, generator):
    """attempt(eps, temperature) -> (B,), nats: log N(eps; 0, T^2 I) over all levels, a list of (B, C, H, W)."""
    for T, fact in ((0.55, "right below temperature 1"), (1.6, "right above it")):
        T = T * (1 + 0.2 * torch.rand((), generator=generator).item())
        latents = random_latents(generator)
        given = [eps.clone() for eps in latents]
        result = run(attempt, given, T)
        if len(given) != len(latents) or not all(map(torch.equal, given, latents)):
            raise Mistake("it changes the latents it is given, in place; make new ones")
        diagnose_log_prob(result, [eps.double() for eps in latents], T)
        yield fact


def diagnose_log_prob(result, latents: list[Tensor], T: float) -> None:
    """Return if `result` is log N(eps; 0, T^2 I); else raise the Mistake that explains it best."""
    batch, levels = len(latents[0]), len(latents)
    if isinstance(result, list | tuple) and len(result) == levels:
        raise Mistake(f"that is one thing for each of the {levels} levels; log-densities add up, so sum them")
    right = next(values for words, values in wrong_terms(latents, T) if not words)
    if isinstance(result, Tensor) and result.numel() == 1 and batch > 1:
        what = {"the sum": right.sum(), "the mean": right.mean()}
        said = [name for name, value in what.items() if same(result.reshape(()), value)]
        words = said[0] if said else "one number"
        raise Mistake(f"that is {words} of the batch; each picture needs its own: ({batch},)")
    values = tensor_of(result, (batch,), "the log-density")
    words = least_mistaken(values, chain(wrong_terms(latents, T), other_mistakes(right, latents, T)))
    if words is None and (values > 0).all() and same(values.log(), right):
        words = ["that is the density; its log is wanted"]
    explain(words, unlike(values, latents, T))


def other_mistakes(right: Tensor, latents: list[Tensor], T: float) -> Iterator[tuple[list[str], Tensor]]:
    """Mistakes of the whole, not of one term."""
    D, levels = flatten(latents).shape[1], len(latents)
    alone = [next(v for w, v in wrong_terms([eps], T) if not w) for eps in latents]
    variance, root = (next(v for w, v in wrong_terms(latents, T**power) if not w) for power in (2, 0.5))
    wrong = {
        "right size, wrong sign: a log-density, not a cost, is wanted": -right,
        "that is per dimension; here the nats of the whole list are wanted": right / D,
        "those are bits; here nats are wanted": right / math.log(2),
        "that is the mean over levels; they add up": right / levels,
        "each level's numbers were averaged; log-densities of single numbers add up": sum(
            part / eps[0].numel() for part, eps in zip(alone, latents, strict=True)
        ),
        "T^2 was taken for the width; the width is T, and T^2 the variance": variance,
        "the root of T was taken for the width; the width is T": root,
        "that is p to the power 1/T^2 before it is made to integrate to 1; the constant changes, too": (
            standard_normal_log_prob(flatten(latents)) / T**2
        ),
        "that is p to the power T^2: with T below 1 it gets wider, not narrower": (
            standard_normal_log_prob(flatten(latents)) * T**2
        ),
    }
    wrong |= {f"only level {l} counts there; all {levels} do": part for l, part in enumerate(alone, 1)}
    yield from (([words], value) for words, value in wrong.items())


def unlike(values: Tensor, latents: list[Tensor], T: float) -> str:
    nothing = next(v for w, v in wrong_terms([0 * eps for eps in latents], T) if not w)[0]
    return (
        f"the numbers are others: yours is {values[0]:.4g} for the first picture at T = {T:.2f}. Try eps = 0: there it "
        f"must be {nothing:.4g}, with D = {flatten(latents).shape[1]}"
    )
