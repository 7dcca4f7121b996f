"""Checks of notebook 09: what a state must hold, and the largest batch for a budget of memory."""

import copy
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from glowlab.checks.base import Mistake, Untried, check, run, same
from glowlite.flows import Chain, Coupling, InvertibleConv1x1LU
from glowlite.training.loop import Trainer

# ---- what a state must hold --------------------------------------------------------------------------------


class SmallRun:
    """A training. Its batch is a function of (seed, step)."""

    def __init__(self, seed=0):
        self.seed, self.step = seed, 0
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.model = Chain(InvertibleConv1x1LU(4), Coupling(4, width=8), InvertibleConv1x1LU(4))
        self.average = copy.deepcopy(self.model)  # of the weights, over the last steps
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=0.02)

    def train(self, steps):
        losses = []
        for _ in range(steps):
            generator = torch.Generator().manual_seed(1000 * self.seed + self.step)
            x = torch.randn(32, 1, 4, 4, generator=generator) + 0.3 * torch.randn(32, 4, 4, 4, generator=generator)
            z, log_det = self.model(x)
            loss = (0.5 * z.square().sum((1, 2, 3)) - log_det).mean() / 64
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            for mean, weight in zip(self.average.parameters(), self.model.parameters(), strict=True):
                mean.data.lerp_(weight.data, 0.1)
            self.step += 1
            losses.append(loss.item())
        return losses


def restore(run, state):
    """Give a new run everything that the state holds, by its name in the run."""
    for name, part in state.items():
        if isinstance(part, dict):
            getattr(run, name).load_state_dict(part)
        else:
            setattr(run, name, part)
    return run


NEEDED = {
    "model": "the model's weights are missing: the new run begins with random ones",
    "step": "the step is missing: the new run gets the batches of the first steps again",
    "optimizer": "the optimizer is missing: Adam's averages of gradients begin at 0, and the curve jumps",
    "average": "the average of the weights is missing. The loss does not show it, but the model that is kept for use "
    "is made of it",
}


def check_parts(state) -> None:
    """Mistake where the state is no dict of the parts of a run, or lacks one."""
    if not isinstance(state, Mapping):
        raise Mistake(f"a state is a dict, {{name: part}}, not a {type(state).__name__}")
    if state and all(part is None or part is Ellipsis for part in state.values()):
        raise Untried
    for name, part in state.items():
        if name not in (*NEEDED, "seed"):
            raise Mistake(f"a run has no {name!r} that could be restored; it has {', '.join(NEEDED)}")
        if isinstance(part, (nn.Module, torch.optim.Optimizer)):
            raise Mistake(f"{name} is the object itself; a state holds its numbers: state_dict()")
    for name, words in NEEDED.items():
        if name not in state:
            raise Mistake(words)
    if isinstance(state["step"], bool) or not isinstance(state["step"], (int, Tensor)):
        raise Mistake(f"step is a number, not a {type(state['step']).__name__}")
    for name in ("model", "average", "optimizer"):
        if not isinstance(state[name], Mapping):
            raise Mistake(f"{name} is a {type(state[name]).__name__}; the new run can read what its state_dict() gives")


def numbers(part) -> list[Tensor]:
    """All tensors in a state, however nested."""
    if isinstance(part, Tensor):
        return [part]
    parts = part.values() if isinstance(part, Mapping) else part if isinstance(part, (list, tuple)) else ()
    return [tensor for each in parts for tensor in numbers(each)]


@check(
    "save",
    hints=[
        "List what changes while a run trains. All of it has to be in the state, or it begins anew.",
        "Four things change: the weights, their average, the optimizer, the step. Optimizers have a state_dict(), too.",
        "Print a number of state['model'] before the run goes on and after. Why does it change? copy.deepcopy helps.",
    ],
    solution=[Trainer.save],
)
def save(attempt, generator):
    """attempt(run) -> a dict {name: part}; a new run that gets it goes on exactly as this one does."""
    seed = int(torch.randint(1000, (1,), generator=generator))
    one = SmallRun(seed)
    one.train(4)
    before = copy.deepcopy([one.model.state_dict(), one.average.state_dict()])
    state = run(attempt, one)
    check_parts(state)
    yield "weights, average, optimizer and step are there"
    if one.step != 4 or not same(numbers(before), numbers([one.model.state_dict(), one.average.state_dict()])):
        raise Mistake("it changes the run that it saves")
    kept = copy.deepcopy(numbers(state))
    expected = one.train(4)
    if not all(map(torch.equal, kept, numbers(state))):
        raise Mistake(
            "the state changed while the run went on: state_dict() hands out the tensors themselves, and each step "
            "changes them in place. A state needs copies"
        )
    yield "it stays as it is while the run goes on"
    try:
        other = restore(SmallRun(seed), state)
        losses = other.train(4)
    except Exception as error:
        raise Mistake(f"a new run cannot go on with it: {type(error).__name__}: {str(error)[:100]}") from error
    if other.step != one.step or not same(torch.tensor(losses), torch.tensor(expected)):
        raise Mistake(f"the first loss afterwards is {losses[0]:.4f}, and without a stop it is {expected[0]:.4f}")
    if not same(numbers(other.average.state_dict()), numbers(one.average.state_dict())):
        raise Mistake("the losses agree, but the average of the weights does not")
    yield "a new run goes on with the same losses"


# ---- the largest batch for a budget ------------------------------------------------------------------------


def whole(result) -> int:
    """The answer as an int, or the Mistake that it is none."""
    try:
        value = float(result)
    except (TypeError, ValueError):
        raise Mistake(f"a batch is a whole number, not a {type(result).__name__}") from None
    if not math.isfinite(value):
        raise Mistake(f"a batch is a whole number, not {value}")
    if value != round(value):
        raise Mistake(
            f"a batch is a whole number of pictures, not {value:.2f}: round down, since the rest does not fit"
        )
    return round(value)


def wrong_batches(budget: int, fixed: int, each: int, first: tuple, second: tuple) -> dict[int, str]:
    """What the usual mistakes lead to, and their words; fewer than ten where two lead to one number."""
    (n1, bytes1), (n2, bytes2) = first, second
    right, apart = (budget - fixed) // each, f"the difference in bytes is that of {n2 - n1} pictures, not of one"
    no_ratio = "bytes / batch is not the cost of a picture: a part of the bytes does not grow with the batch. Compare "
    beside = "that is how many pictures fit beside the {} measurement, whose own pictures count, too"
    return {
        right + 1: f"one picture too many: {budget:,} bytes are there, and {fixed + (right + 1) * each:,} needed; "
        "round down",
        right - 1: "one more picture would fit: is it `<` where `<=` is wanted, or 1 too few?",
        budget * n1 // bytes1: no_ratio + "bytes / batch of both measurements",
        budget * n2 // bytes2: no_ratio + "bytes / batch of both measurements",
        budget // each: "the fixed part is forgotten: weights and the optimizer have to fit, too",
        (budget + fixed) // each: "the fixed part has the wrong sign: it leaves less room, not more",
        (budget - bytes1) // each: beside.format("first"),
        (budget - bytes2) // each: beside.format("second"),
        (budget - fixed) // (bytes2 - bytes1): apart,
        budget // (bytes2 - bytes1): f"{apart}; and the fixed part is forgotten",
    }


def draw_budget(generator) -> tuple[int, int, int, tuple, tuple]:
    """A budget in bytes, the true fixed part and bytes of each picture, two measurements (batch, bytes)."""

    def draw(low, high):
        return int(torch.randint(low, high, (1,), generator=generator))

    while True:
        each = draw(100_000, 900_000)
        fixed = each * draw(8, 30) + draw(1000, 90_000)
        n1 = draw(2, 5)
        n2 = n1 + draw(2, 8)
        # two fifths and more of a picture too much, so that rounding in the last digit does no harm
        budget = fixed + draw(60, 200) * each + each * draw(40, 60) // 100
        case = budget, fixed, each, (n1, fixed + n1 * each), (n2, fixed + n2 * each)
        if len(wrong_batches(*case)) == 10:  # every mistake leads to another number
            return case


@check(
    "largest_batch",
    hints=[
        "bytes = fixed + batch * each. Two measurements are two equations; solve them on paper for each and fixed.",
        "each is the difference in bytes over the difference in batch. fixed is what is left of one measurement.",
        "How many times does `each` fit into what the budget leaves beside `fixed`? If nothing is left: 0.",
    ],
)
def largest_batch(attempt, generator):
    """attempt(budget, first, second) -> the largest batch within `budget` bytes.

    first and second are measurements (batch, bytes); bytes = fixed + batch * each. 0 where no picture fits.
    """

    budget, fixed, each, first, second = draw_budget(generator)
    batch = whole(run(attempt, budget, first, second))
    right = (budget - fixed) // each
    if batch != right:
        wrong = wrong_batches(budget, fixed, each, first, second)
        raise Mistake(
            wrong.get(batch, f"a batch of {batch} needs {fixed + batch * each:,} bytes, and there are {budget:,}")
        )
    yield "it is the largest batch that fits"
    if whole(run(attempt, budget, second, first)) != right:
        raise Mistake("with the larger measurement first it gives something else")
    yield "the order of the measurements does not matter"
    batch = whole(run(attempt, fixed - each // 3, first, second))
    if batch != 0:
        raise Mistake(f"where not even the fixed part fits, it gives {batch}; no picture fits there: 0")
    yield "and where nothing fits it is 0"
