"""Check of notebook 14: the smallest batch at which communication takes a tenth of a step."""

import math

import torch

from glowlab.checks.base import Mistake, Untried, check, run


def wrong_smallest(world: int, weights: int, each: float, bandwidth: float, latency: float) -> dict[str, int]:
    """What the usual mistakes lead to, by their words; "" is right."""

    def batch(factor=2 * (world - 1) / world, size=4, messages=2 * (world - 1), share=9.0) -> float:
        return share * (factor * size * weights / bandwidth + messages * latency) / each

    return {
        "": math.ceil(batch()),
        "with that batch communication is still a little more than a tenth: round up": math.floor(batch()),
        "communication is a tenth of the computing there; it shall be a tenth of the whole step, computing and "
        "communication together": math.ceil(batch(share=10)),
        "a weight has 4 bytes": math.ceil(batch(size=1)),
        "the ring sends each gradient once around to add and once more to hand out: 2 (N-1)/N of the bytes":
            math.ceil(batch((world - 1) / world)),
        "the latency is forgotten: a ring has 2 (N-1) messages, one after another": math.ceil(batch(messages=0)),
        "the latency counts once for each message, and there are 2 (N-1) of them": math.ceil(batch(messages=1)),
        "2 N instead of 2 (N-1)/N: a process sends N parts, each of 1/N of the bytes":
            math.ceil(batch(2 * (world - 1))),
        "that is the batch of all processes together; asked is that of one": world * math.ceil(batch()),
    }  # fmt: skip


def draw_machines(generator) -> tuple[int, int, float, float, float]:
    """world, weights, each, bandwidth, latency, such that every mistake leads to another number."""
    while True:
        a, b, c, d, e = torch.rand(5, generator=generator).tolist()
        world, weights = 3 + int(30 * a), int(1e6 * (5 + 200 * b))
        case = world, weights, 0.002 + 0.01 * c, 1e9 * (1 + 9 * d), 1e-4 * (1 + 20 * e)
        exact = 9 * (8 * (world - 1) / world * weights / case[3] + 2 * (world - 1) * case[4]) / case[2]
        if len(set(wrong_smallest(*case).values())) == 9 and 0.1 < exact % 1 < 0.9:
            return case


@check(
    "smallest_batch",
    hints=[
        "Write down two times: computing takes batch * each; communication is that of section 6, and does not "
        "depend on the batch.",
        "communication = 2 (world - 1) / world * bytes / bandwidth + 2 (world - 1) * latency, with 4 bytes a weight.",
        "communication <= 0.1 (communication + batch * each). Solve for batch and round up; it is 1 at least.",
    ],
)
def smallest_batch(attempt, generator):
    """attempt(world, weights, each, bandwidth, latency) -> pictures for each process, a whole number."""
    case = draw_machines(generator)
    found = whole(run(attempt, *case))
    wrong = wrong_smallest(*case)
    if found != wrong[""]:
        words = next((words for words, number in wrong.items() if number == found), "")
        direction = "too few" if found < wrong[""] else "more than are needed"
        raise Mistake(words or f"{found} pictures are {direction}: with {case[0]} processes it is another number")
    yield "it is the smallest batch at which communication takes a tenth at most"
    if whole(run(attempt, 1, *case[1:])) != 1:
        raise Mistake("one process has nobody to talk to: there a batch of 1 is enough")
    yield "one process alone needs a batch of 1"


def whole(result) -> int:
    """The answer as an int, or the Mistake that it is none."""
    if result is None or result is Ellipsis:
        raise Untried
    try:
        value = float(result)
    except (TypeError, ValueError):
        raise Mistake(f"a batch is a whole number, not a {type(result).__name__}") from None
    if not math.isfinite(value) or value != round(value):
        raise Mistake(f"a batch is a whole number of pictures, not {value:.2f}: round up")
    return round(value)
