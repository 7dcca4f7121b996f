"""A check of notebook 10: a test for foreign pictures, judged by what it calls foreign."""

import torch
from torch import Tensor

from glowlab.checks.base import Mistake, check, run

UNITS = {  # the middle of usual numbers and their spread
    "bits per dimension": (3.4, 0.05),
    "distances": (0.99, 0.008),
    "log-densities in nats": (-28_700.0, 430.0),
}
FAR = 6.0  # standard deviations from the middle, at which a number is foreign beyond doubt
ALARMS = 0.1  # the largest share of usual numbers called foreign: 1 in 20, and what chance adds


@check(
    "foreign",
    hints=[
        "Section 3 asks whether a picture is as likely as draws are. There are two ways not to be.",
        "How far is each value from the mean of `usual`? Measure that in standard deviations of `usual`.",
        "With normal numbers, 1 in 20 lies more than 2 standard deviations from the mean, above or below.",
    ],
)
def foreign(attempt, generator):
    """attempt(values, usual) -> (N,) bool, True where a value is unlike the usual ones: (N,), (M,)."""
    for unit, (middle, spread) in UNITS.items():
        usual = middle + spread * torch.randn(1000, generator=generator)
        faces = middle + spread * torch.randn(512, generator=generator)
        high, low = (middle + side * FAR * spread * (1 + torch.rand(20, generator=generator)) for side in (1, -1))
        found = {
            name: called(attempt, values, usual)
            for name, values in (("faces", faces), ("high", high), ("low", low), ("alone", high[:1]))
        }
        diagnose(found, unit)
        mixed = torch.cat([faces[:40], high, low])
        if not torch.equal(called(attempt, mixed, usual)[40:], torch.ones(40, dtype=torch.bool)):
            raise Mistake("far values pass once many of them are asked about together; compare with `usual` alone")
    yield "it finds values that are too high, and values that are too low"
    yield "it calls few faces foreign, whatever the unit"


def called(attempt, values: Tensor, usual: Tensor) -> Tensor:
    """The attempt's answer as (N,) bool."""
    given = values.clone(), usual.clone()
    result = run(attempt, *given)
    if not (torch.equal(given[0], values) and torch.equal(given[1], usual)):
        raise Mistake("it changes the numbers that it is given, in place; make new ones")
    if isinstance(result, (list, tuple)):
        result = torch.as_tensor(result)
    if not isinstance(result, Tensor) or result.shape != values.shape:
        what = tuple(result.shape) if isinstance(result, Tensor) else type(result).__name__
        raise Mistake(f"it must say True or False for each of the {len(values)} values, not {what}")
    if not ((result == 0) | (result == 1)).all():
        raise Mistake("those are numbers: each answer is True or False, so compare them with a limit")
    return result.bool()


def diagnose(found: dict[str, Tensor], unit: str) -> None:
    """Return if far values on both sides are found and few faces are; else raise the Mistake that says what is not."""
    share = {name: values.float().mean().item() for name, values in found.items()}
    if share["faces"] > ALARMS and min(share["high"], share["low"]) < 0.5 and max(share["high"], share["low"]) < 0.5:
        raise Mistake("True is for foreign pictures: faces are called foreign there, and far values are not")
    if share["faces"] > ALARMS:
        raise Mistake(f"with {unit}, {share['faces']:.0%} of the faces are called foreign; at most 1 in 20 may be")
    if share["high"] < 1 and share["low"] < 1:
        raise Mistake(
            f"with {unit}, values far from all usual ones pass. Does the limit depend on how widely `usual` spreads?"
        )
    for side, other in (("low", "high"), ("high", "low")):
        if share[side] < 1:
            words = "far below" if side == "low" else "far above"
            raise Mistake(
                f"with {unit}, values {words} all usual ones pass: those are foreign, too, not only {other} ones"
            )
    if share["alone"] < 1:
        raise Mistake("a single value far above all usual ones passes: compare with `usual`, not with other values")
