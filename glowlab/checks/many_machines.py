"""Checks of notebook 14: gradients averaged, and a training mended, in the two real processes of glowlab/processes.py.

The share of a process and the smallest batch are in many_machines_share.py and many_machines_batch.py.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, distributed, nn

import glowlite
from glowlab.checks.base import Mistake, check, name_mistake, run, same
from glowlab.checks.many_machines_batch import smallest_batch
from glowlab.checks.many_machines_share import share, whole_share
from glowlab.processes import pair
from glowlite.data import faces
from glowlite.errors import GlowliteError
from glowlite.seeds import generator as generator_of

__all__ = ["average_gradients", "mended", "share", "smallest_batch"]
BATCH, SIZE = 8, 16  # pictures of a whole batch, and their pixels


def in_processes(function: Callable, *arguments, world: int = 2) -> list:
    """What each process gives back; a Mistake where they do not finish."""
    pair.start()
    try:
        return pair.run(function, *arguments, world=world, limit=30)
    except GlowliteError as error:
        raise Mistake(str(error)) from error


# ---- exercise 1: gradients ------------------------------------------------------------------------------------


def stand_in(model: nn.Module, world: int) -> None:
    """Average the gradients of all processes, in place."""
    for weight in model.parameters():
        if weight.grad is not None:
            distributed.all_reduce(weight.grad)
            weight.grad /= world


def with_gradients(rank: int, world: int, attempt: Callable, seed: int) -> tuple[list[Tensor], list[Tensor]]:
    """In each process: a model with gradients of its own; (gradients, weights) after the attempt."""
    model = small_network(seed)
    for weight, gradient in zip(model.parameters(), own_gradients(seed, rank), strict=True):
        weight.grad = gradient
    run(attempt, model, world, gives=False)
    if any(weight.grad is None for weight in model.parameters()):
        raise Mistake("a gradient is gone: weight.grad is None afterwards")
    return [weight.grad.detach() for weight in model.parameters()], [w.detach() for w in model.parameters()]


def small_network(seed: int) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))


def own_gradients(seed: int, rank: int) -> list[Tensor]:
    source = generator_of("cpu", seed, rank)
    return [torch.randn(weight.shape, generator=source) for weight in small_network(seed).parameters()]


@check(
    "average_gradients",
    hints=[
        "After backward() each weight has its gradient in weight.grad. Go through model.parameters().",
        "torch.distributed.all_reduce(tensor) puts the sum over all processes into that tensor, in each process.",
        "A mean is the sum divided by world. Divide in place, as in weight.grad /= world, before or after the sum.",
    ],
)
def average_gradients(attempt, generator):
    """attempt(model, world): afterwards each weight.grad is the mean over all processes."""
    seed = int(torch.randint(10**6, (1,), generator=generator))
    found = in_processes(with_gradients, attempt, seed)
    one, two = own_gradients(seed, 0), own_gradients(seed, 1)
    mean = [(a + b) / 2 for a, b in zip(one, two, strict=True)]
    for (gradients, weights), own in zip(found, (one, two), strict=True):
        if not same(weights, list(small_network(seed).parameters())):
            raise Mistake("it changed the weights; only their gradients are to be averaged")
        name_mistake(gradients, {
            "each process still has its own gradients: all_reduce changes the tensor that it is given, so give it "
            "weight.grad itself, not a new tensor such as weight.grad / world": own,
            "the gradients are the sum over the processes, twice as long as the mean": [2 * each for each in mean],
            "the gradients are half as long as the mean: they were divided twice": [each / 2 for each in mean],
            "each process divided its own gradients, but they were not added: all_reduce changes the tensor that it "
            "is given": [each / 2 for each in own],
            "the gradients are all zero: where did they go?": [torch.zeros_like(each) for each in mean],
        })  # fmt: skip
    if not all(same(gradients, mean) for gradients, _ in found):
        right = sum(all(same(g[k], mean[k]) for g, _ in found) for k in range(len(mean)))
        if right:
            raise Mistake(
                f"{right} of {len(mean)} gradients are the mean, the others are not: is every weight's turn taken?"
            )
        raise Mistake("the gradients are not the mean over the two processes")
    yield "in two processes, every gradient is the mean of both"
    ((alone, _),) = in_processes(with_gradients, attempt, seed, world=1)
    if not same(alone, one):
        raise Mistake("with one process alone it changes the gradients: divide by world, which is 1 then, not by 2")
    yield "one process alone keeps its gradients"


# ---- exercise 3: a training --------------------------------------------------------------------------------------


def make_model(seed: int) -> glowlite.Glow:
    """A small flow with weights drawn from the seed."""
    return glowlite.Glow(glowlite.GlowConfig((3, SIZE, SIZE), levels=1, depth=2, width=8, seed=seed))


def pictures_of(step: int) -> Tensor:
    """The whole batch of a step: uint8 (8, 3, 16, 16)."""
    return faces.draw(BATCH, size=SIZE, seed=step).images


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """Copies of all weights, by name."""
    return {name: weight.detach().clone() for name, weight in model.named_parameters()}


def clip(model: nn.Module, limit: float = 0.1) -> None:
    """Shorten the gradient, taken as one long vector, to `limit`."""
    nn.utils.clip_grad_norm_(model.parameters(), limit)


def loop(
    rank: int, world: int, seed: int, steps: int, own_seed=False, own_start=False, clip_first=False, own_loss=False
) -> tuple[list[float], dict[str, Tensor]]:
    """(losses, weights) of a training on `world` processes, with the faults asked for; with none, the right one."""
    model = make_model(seed + rank * own_seed)
    place = (rank, world) if own_start else (0, 1)
    model.initialize(whole_share(pictures_of(0), seed, 0, *place))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for step in range(steps):
        x = whole_share(pictures_of(step), seed, step, rank, world)
        loss = -model.log_density(x).mean() / model.dims
        optimizer.zero_grad()
        loss.backward()
        if clip_first:
            clip(model)
        stand_in(model, world)
        if not clip_first:
            clip(model)
        optimizer.step()
        mean = loss.detach().clone()
        if not own_loss:
            distributed.all_reduce(mean)
            mean /= world
        losses.append(mean.item())
    return losses, weights_of(model)


def run_loop(rank: int, world: int, attempt: Callable, seed: int, steps: int) -> tuple[list[float], dict]:
    """In each process: what the attempt gives, or the Mistake in its form."""
    result = run(attempt, rank, world, seed, steps)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Mistake("it must give back two things: return losses, weights_of(model)")
    losses, weights = result
    if not isinstance(weights, Mapping) or set(weights) != set(weights_of(make_model(seed))):
        raise Mistake("the second thing it gives back must be weights_of(model)")
    if not isinstance(losses, (list, tuple)) or len(losses) != steps:
        raise Mistake(f"after {steps} steps there must be {steps} losses")
    return [float(loss) for loss in losses], dict(weights)


def equal(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> bool:
    """Whether weights agree to a ten-thousandth: sums in another order differ in the last digits."""
    return all(torch.allclose(a[name], b[name], rtol=1e-4, atol=1e-4) for name in a)


@check(
    "mended",
    hints=[
        "Compare the processes before the first step. What is drawn from a seed that contains rank? What is computed "
        "from the process's own pictures?",
        "ActNorm is initialised once, from the whole batch: that is the share of rank 0 in a world of 1.",
        "Clipping: two short vectors have another mean than two long ones. First the mean, then clip, as one process "
        "would. And a loss is a number like a gradient: all_reduce takes a tensor, such as loss.detach().clone().",
    ],
)
def mended(attempt, generator):
    """attempt(rank, world, seed, steps) -> (losses, weights), the same in every process and for every world."""
    seed = int(torch.randint(1000, (1,), generator=generator))
    (_, begin), (_, other) = in_processes(run_loop, attempt, seed, 0)
    _, alone = in_processes(run_loop, attempt, seed, 0, world=1)[0]
    explain_start(begin, other, alone, in_processes(loop, seed, 0, world=1)[0][1])
    yield "all processes begin with the same weights"
    (losses, weights), (others, other) = in_processes(run_loop, attempt, seed, 3)
    if not equal(weights, other):
        raise Mistake("they begin alike, but after 3 steps the processes have different weights: are the gradients "
                      "averaged before every step?")  # fmt: skip
    yield "after 3 steps they still have the same weights"
    alone, right = in_processes(run_loop, attempt, seed, 3, world=1)[0]  # with noise as the attempt draws it
    if not equal(weights, right):
        _, clipped = in_processes(loop, seed, 3, False, False, True)[0]
        if equal(weights, clipped):
            raise Mistake("each process clips its own gradient before they are averaged. One process would clip the "
                          "gradient of the whole batch, and that is not the same")  # fmt: skip
        raise Mistake("the processes agree, but one process that takes the whole batch gets other weights")
    yield "one process with the whole batch gets the same weights, too"
    if not same(torch.tensor(losses), torch.tensor(others)):
        raise Mistake("each process reports the loss of its own share; the loss of the batch is their mean")
    if not torch.allclose(torch.tensor(losses), torch.tensor(alone), atol=1e-4):
        raise Mistake(f"the first loss is {losses[0]:.3f}; one process alone reports {alone[0]:.3f}")
    goal, right = in_processes(loop, seed, 3, world=1)[0]
    if not torch.allclose(torch.tensor(losses), torch.tensor(goal), atol=0.02):  # other noise changes the third digit
        raise Mistake(f"the first loss is {losses[0]:.3f}; that of the whole batch is {goal[0]:.3f}")
    if not all(torch.allclose(weights[name], right[name], atol=0.01) for name in right):
        raise Mistake("one process and two agree, but they take other steps than the friend's loop without its faults")
    yield "every process reports the loss of the whole batch"


def explain_start(begin: dict, other: dict, alone: dict, right: dict) -> None:
    """Return if both processes begin as one alone does, with the weights that are right; else raise the Mistake."""
    drawn = [name for name in begin if name.endswith((".L", ".U", "first.weight"))]
    if any(not torch.allclose(begin[name], other[name]) for name in drawn):
        raise Mistake("the processes begin with different weights: with one seed they would draw the same ones")
    if any(not torch.allclose(begin[name], right[name]) for name in drawn):
        raise Mistake("all begin with the same weights, but not with those of make_model(seed)")
    if not equal(begin, other):
        raise Mistake("the drawn weights are the same, but the ActNorms are not: each process initialised them from "
                      "its own share")  # fmt: skip
    if not equal(begin, alone) or not all(torch.allclose(begin[name], right[name], atol=0.05) for name in begin):
        raise Mistake("all begin alike, but the ActNorms are not those of the whole batch: another number of processes "
                      "would begin elsewhere")  # fmt: skip
