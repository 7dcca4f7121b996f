"""Checks of notebook 15: a score for foreign pictures, how far a flow must stretch, a bound from several draws."""

import functools
import math

import torch
from torch import Tensor

from glowlab.checks.answers import tensor_of
from glowlab.checks.base import Mistake, check, run, same
from glowlab.foreign import NUMBERS, auroc, load_foreign, scores

__all__ = ["importance_bound", "novelty", "stretch"]

# ---- exercise 1 -------------------------------------------------------------------------------------------------

Numbers = dict[str, Tensor]
PART = 80  # pictures of each set that one round looks at
LEAST = 0.4  # AUROC of any one set: no kind of foreign picture may look more like faces than faces do


@functools.cache
def recorded() -> dict[str, dict[str, Numbers]]:
    """Of each model, the numbers of its usual pictures, its own, and eight foreign sets."""
    models = load_foreign()["models"]
    return {
        model: {name: {key: torch.tensor(values) for key, values in each.items()} for name, each in one["sets"].items()}
        for model, one in models.items()
    }


def some(numbers: Numbers, generator: torch.Generator) -> Numbers:
    count = len(numbers["bits"])
    which = torch.randperm(count, generator=generator)[:PART]
    return {key: values[which] for key, values in numbers.items()}


@check(
    "novelty",
    hints=[
        "Each score of section 1 is blind to some set, and not to the same ones. Can several be made one?",
        "Numbers of different units can be compared once each is divided by the standard deviation of usual pictures: "
        "how many of them is it away from the usual mean?",
        "A picture is foreign if any of its numbers is unusual. torch.stack([first, second]).amax(0) takes the larger.",
    ],
)
def novelty(attempt, generator):
    """attempt(numbers, usual) -> (N,), higher for the more foreign; both dicts of NUMBERS, (N,) and (M,) each."""
    areas: dict[str, dict[tuple[str, str], float]] = {}
    for model, sets in recorded().items():
        parts = {name: some(numbers, generator) for name, numbers in sets.items()}
        usual, own = parts.pop("usual"), parts.pop("own")
        marks = called(attempt, own, usual)
        if marks.unique().numel() == 1:
            raise Mistake(
                "all faces get the same score, so nothing can be told; a score is a number, not True or False"
            )
        plain = scores(own, usual)
        for name, numbers in parts.items():
            mine = {"yours": auroc(marks, called(attempt, numbers, usual))}
            mine |= {key: auroc(plain[key], values) for key, values in scores(numbers, usual).items()}
            for key, area in mine.items():
                areas.setdefault(key, {})[model, name] = area
    explain_novelty(areas)
    yield "it beats each of the four scores in the mean"
    yield "and no set looks more like faces than faces do"


def called(attempt, numbers: Numbers, usual: Numbers) -> Tensor:
    """The attempt's scores, one for each picture, which must not depend on the other pictures."""
    given = {key: values.clone() for key, values in numbers.items()}
    known = {key: values.clone() for key, values in usual.items()}
    count = len(numbers["bits"])
    result = tensor_of(run(attempt, given, known), (count,), "the score").double()
    if set(given) != set(NUMBERS) or not all(torch.equal(given[key], numbers[key]) for key in NUMBERS):
        raise Mistake("it changes the numbers that it is given, in place; make new ones")
    if result.isnan().any():
        raise Mistake("some scores are not numbers (nan): is something divided by 0?")
    alone = run(attempt, {key: values[:1].clone() for key, values in numbers.items()}, known)
    if isinstance(alone, Tensor) and alone.numel() == 1 and not same(alone.reshape(1), result[:1]):
        raise Mistake("a picture's score changes with the pictures beside it; compare each with `usual` alone")
    return result


def explain_novelty(areas: dict[str, dict[tuple[str, str], float]]) -> None:
    """Return if the score is good enough; else raise the Mistake that says where it is not."""
    means = {key: sum(each.values()) / len(each) for key, each in areas.items()}
    yours, mean = areas["yours"], means.pop("yours")
    worst, best = min(yours, key=yours.get), max(means, key=means.get)
    said = f"AUROC is {mean:.3f} in the mean of both models, and {yours[worst]:.2f} for {worst[1]} on {worst[0]}"
    if mean < 0.3:
        raise Mistake(f"{said}: it is the wrong way round, for the score must be higher for the more foreign picture")
    for key in means:
        if areas[key] == yours:
            raise Mistake(f"{said}. It tells them just as {key!r} does; {best!r} reaches {means[best]:.3f} in the mean")
    if yours[worst] < LEAST:
        raise Mistake(f"{said}: these look more like faces than faces do. A number can be unusual on two sides")
    if mean <= means[best]:
        raise Mistake(f"{said}. That is no better than {best!r}, which reaches {means[best]:.3f} in the mean")


# ---- exercise 2 -------------------------------------------------------------------------------------------------


@check(
    "stretch",
    hints=[
        "dx/dz = phi(z) / p(x): the mass in a short piece dz is that in the piece dx which it becomes.",
        "By symmetry z = 0 goes to x = 0, half-way between the blobs. phi(0) = 1 / sqrt(2 pi).",
        "p(0) is a half of each blob's normal density at a distance a from its middle: "
        "p(0) = exp(-a^2 / (2 s^2)) / (s sqrt(2 pi)).",
    ],
)
def stretch(attempt, generator):
    """attempt(a, s) -> dx/dz at z = 0, for blobs at -a and a of standard deviation s."""
    for _ in range(3):
        a, s = (1 + torch.rand(2, generator=generator)).tolist()
        s = s / 2
        value = number_of(run(attempt, a, s))
        right = s * math.exp(a**2 / (2 * s**2))
        p = 1 / right / math.sqrt(2 * math.pi)
        phi = 1 / math.sqrt(2 * math.pi)
        wrong = {
            "that is dz/dx, the way from x to z; wanted is dx/dz": 1 / right,
            "the factor s is missing: a wider blob is lower at its middle": right / s,
            "that is p(0) itself": p,
            "that is 1 / p(0); the density of z at 0 is 1 / sqrt(2 pi), not 1": 1 / p,
            "the 2 in the exponent is missing: exp(a^2 / (2 s^2))": s * math.exp(a**2 / s**2),
            "in the exponent stands s^2, the variance": s * math.exp(a**2 / (2 * s)),
            "in the exponent stands a^2": s * math.exp(a / (2 * s**2)),
            "only one of the two blobs counts there; both are as near, so their halves add up to a whole": 2 * right,
            "each blob holds half of the points; their densities were added whole": right / 2,
            "the sign in the exponent is wrong: far from the blobs p is small, so the stretch is large":
                s * math.exp(-(a**2) / (2 * s**2)),
            "s belongs in front, not under 1: p(0) has 1 / s": right / s**2,
            "that is the log; wanted is the stretch itself": math.log(right),
            "that is the density of z at 0": phi,
        }  # fmt: skip
        as_tensor = torch.tensor([value], dtype=torch.float64)
        if not same(as_tensor, torch.tensor([right], dtype=torch.float64)):
            for words, other in wrong.items():
                if math.isclose(value, other, rel_tol=1e-5):
                    raise Mistake(words)
            raise Mistake(f"for a = {a:.3f}, s = {s:.3f} it gives {value:.5g}; try s = a: there it must be 1.649 a")
        yield "right for blobs near and far"


def number_of(result) -> float:
    if isinstance(result, Tensor) and result.numel() == 1:
        result = result.item()
    if isinstance(result, bool) or not isinstance(result, (int, float)):
        raise Mistake(f"it must be one number, not a {type(result).__name__}")
    if not math.isfinite(result):
        raise Mistake(f"it gives {result}, and the stretch is finite")
    return float(result)


# ---- exercise 3 -------------------------------------------------------------------------------------------------


@check(
    "importance_bound",
    hints=[
        "Look at what is averaged. The probability of a picture is a mean of weights, not of their logs.",
        "The log comes after the mean: log of the mean of exp(log_w) over the K draws.",
        "exp(-1000) is 0 for a computer. torch.logsumexp(log_w, 0) gives the log of the sum all the same.",
    ],
)
def importance_bound(attempt, generator):
    """attempt(log_w) -> (B,), nats: log of the mean weight over K draws; log_w (K, B)."""
    for K, fact in (
        (1, "with one draw it is the lower bound of before"),
        (6, "with more draws it is the log of a mean"),
    ):
        K += int(torch.randint(0, 4, (1,), generator=generator)) if K > 1 else 0
        batch = K + 2
        log_w = -1000 + 40 * torch.rand(batch, generator=generator) + 6 * torch.randn(K, batch, generator=generator)
        given = log_w.clone()
        result = run(attempt, given)
        if not torch.equal(given, log_w):
            raise Mistake("it changes log_w, in place; make a new tensor")
        diagnose_bound(result, log_w.double())
        yield fact


def diagnose_bound(result, log_w: Tensor) -> None:
    K, batch = log_w.shape
    if isinstance(result, Tensor) and result.shape == (K,):
        raise Mistake(
            f"that is one number for each draw; the mean goes over the {K} draws, axis 0, and ({batch},) is left"
        )
    values = tensor_of(result, (batch,), "the bound").double()
    right = log_w.logsumexp(0) - math.log(K)
    if values.isinf().any():
        raise Mistake("exp of numbers near -1000 is 0 in a computer, and log 0 is -inf; torch.logsumexp avoids that")
    near = torch.isclose(values, right, rtol=1e-6, atol=2e-3)  # float32 near 1000 has four digits after the point
    if near.all():
        return
    wrong = {
        "the logs are still averaged: with any number of draws that is the bound of one draw": log_w.mean(0),
        "that is the log of the sum; a mean divides by K, so log K has to go": log_w.logsumexp(0),
        "log K is subtracted: a mean divides by K": log_w.logsumexp(0) + math.log(K),
        "K was subtracted, not its log": log_w.logsumexp(0) - K,
        "that divides the log by K; the mean is taken before the log": log_w.logsumexp(0) / K,
        "that is the best draw alone; all of them count": log_w.amax(0),
        "the sum of the logs is the log of a product": log_w.sum(0),
        "the sign is wrong: a log-probability is wanted": -right,
    }
    for words, other in wrong.items():
        if torch.allclose(values, other, rtol=1e-6, atol=2e-3):
            raise Mistake(words)
    raise Mistake(f"the first picture's bound is {values[0]:.4g}, and its log-weights run from {log_w[:, 0].min():.4g} "
                  f"to {log_w[:, 0].max():.4g}: the log of their mean lies between")  # fmt: skip
