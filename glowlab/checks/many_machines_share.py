"""Check of notebook 14: the share of one process, of a batch that depends on seed and step alone."""

from collections.abc import Callable

import torch
from torch import Tensor

from glowlab.checks.answers import tensor_of
from glowlab.checks.base import Mistake, check, run, same
from glowlite import pixels
from glowlite.seeds import generator as generator_of


def whole_share(pictures: Tensor, seed: int, step: int, rank: int, world: int) -> Tensor:
    """The rows of this process, of a batch whose noise depends on seed and step alone."""
    x = pixels.dequantize(pictures, generator=generator_of("cpu", seed, step))
    return x.chunk(world)[rank]


def share_of(attempt: Callable, pictures: Tensor, *place: int) -> Tensor:
    """What the attempt gives one process; a Mistake if it cannot be its share of the pictures."""
    *_, rank, world = place
    x = run(attempt, pictures.clone(), *place)
    shape = (len(pictures) // world, *pictures.shape[1:])
    if isinstance(x, Tensor) and x.shape == pictures.shape and world > 1:
        raise Mistake(f"each of {world} processes gets the whole batch; one process's share is {shape[0]} pictures")
    x = tensor_of(x, shape, f"what process {rank} of {world} gets")
    if not x.is_floating_point():
        raise Mistake("a share is what the model takes: floats with noise, as pixels.dequantize gives them")
    if not -0.5 <= float(x.min()) <= float(x.max()) < 0.5 + 1e-6:
        raise Mistake("the numbers are not between -0.5 and 0.5: use pixels.dequantize once")
    return x


def rows_of(x: Tensor, pictures: Tensor) -> list[int]:
    """Which of the pictures each row of x shows; -1 for none."""
    noise = (x[:, None] + 0.5) * 256 - pictures.float()  # of every row, were it every picture
    shows = ((noise > -0.01) & (noise < 1.01)).flatten(2).all(2)  # floats round noise that is nearly 1 up to 1
    return [int(row.int().argmax()) if row.any() else -1 for row in shows]


def noise_of(x: Tensor, rows: list[int], pictures: Tensor) -> Tensor:
    return (x + 0.5) * 256 - pictures[rows].float()


@check(
    "share",
    hints=[
        "What must not depend on rank or world: the noise of a picture. What may: which pictures a process takes.",
        "Draw the noise of the whole batch, in every process, from generator(\"cpu\", seed, step). Then take rows.",
        "x = pixels.dequantize(pictures, generator=...) for the whole batch; x.chunk(world) is a list of shares.",
    ],
)  # fmt: skip
def share(attempt, generator):
    """attempt(pictures, seed, step, rank, world) -> this process's pictures with noise; all shares are one batch."""
    pictures = torch.randint(256, (12, 3, 4, 4), generator=generator).to(torch.uint8)
    seed, step = (int(number) for number in torch.randint(1, 1000, (2,), generator=generator))
    whole = share_of(attempt, pictures, seed, step, 0, 1)
    rows = rows_of(whole, pictures)
    if sorted(rows) != list(range(12)):
        raise Mistake("alone, one process must get every picture of the batch once, each with its own noise")
    noise = noise_of(whole, rows, pictures)[torch.tensor(rows).argsort()]
    if float(noise.std()) < 0.1:
        raise Mistake("the pictures have no noise: give pixels.dequantize a generator")
    if same(noise[0], noise[1]):
        raise Mistake("two pictures of one batch have the same noise: draw it for the whole batch at once")
    yield "one process gets the whole batch"
    for world in (2, 3, 4):
        shares = [share_of(attempt, pictures, seed, step, rank, world) for rank in range(world)]
        places = [rows_of(x, pictures) for x in shares]
        explain_rows(places, world)
        found = [noise_of(x, at, pictures) for x, at in zip(shares, places, strict=True)]
        explain_noise(found, [noise[at] for at in places], world)
    yield "two, three and four processes share the same batch, with the same noise"
    again = share_of(attempt, pictures, seed, step, 1, 2)
    if not same(again, share_of(attempt, pictures, seed, step, 1, 2)):
        raise Mistake("asked twice, it gives other noise: a resumed run could not go on exactly")
    for other, words in (((seed, step + 1), "every step"), ((seed + 1, step), "every seed")):
        if same(again, share_of(attempt, pictures, *other, 1, 2)):
            raise Mistake(f"{words} has the same noise")
    two = [share_of(attempt, pictures, *other, 1, 2) for other in ((seed, step + 1), (seed + 1, step))]
    if same(*two):
        raise Mistake("a step of one seed has the noise of another step of another seed, as seed + step is the same "
                      "number: generator(\"cpu\", seed, step) mixes them")  # fmt: skip
    yield "each seed and step has noise of its own"


def explain_rows(places: list[list[int]], world: int) -> None:
    """Return if every picture is in one share; else raise the Mistake that explains it."""
    if any(-1 in at for at in places):
        raise Mistake("a share holds something that is none of the pictures")
    if all(at == places[0] for at in places):
        raise Mistake(f"all {world} processes take the same pictures: which rows depends on rank")
    taken = [k for at in places for k in at]
    if sorted(taken) != list(range(12)):
        missing = next(k for k in range(12) if k not in taken)
        raise Mistake(f"with {world} processes picture {missing} is in no share, and another one is in two")


def explain_noise(found: list[Tensor], right: list[Tensor], world: int) -> None:
    """Return if each picture has the noise that it has with one process; else raise the Mistake."""
    if all((a - b).abs().max() < 1e-3 for a, b in zip(found, right, strict=True)):
        return
    if (found[0] - found[1]).abs().max() < 1e-3:
        raise Mistake(
            "the noise is the same in every process: each draws it for its own share from the same generator. Draw it "
            "for the whole batch, then take rows"
        )
    raise Mistake(
        f"the pictures are right, but with {world} processes they have other noise than with one: it must not depend "
        "on rank or world"
    )
