"""Does every pixel come back, of pictures made to break it?  python -m benchmarks.exactness

Ten hard kinds of pictures, and a search that changes pictures pixel by pixel so that they come back worse. For each:
wrong values, the largest error before rounding to bytes (in grey values: from 0.5 on a value is wrong), the largest
latent, and how many pictures `encode` gives latents of float64. With --trace, where digits are lost on the way back.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from glowlite import checkpoint, pixels
from glowlite import latents as latent_space
from glowlite.data import faces
from glowlite.glow import FAR, Glow

SEED = 95_000_000  # of drawn faces that no training sees

# ---- ten hard kinds of pictures: (count, size, generator) -> uint8 (count, 3, size, size) ----------------------------


def coins(*shape: int, generator: torch.Generator) -> Tensor:
    """0 or 255 at random, uint8."""
    return torch.randint(0, 2, shape, generator=generator).to(torch.uint8) * 255


def noise(count: int, size: int, generator: torch.Generator) -> Tensor:
    """Every value at random."""
    return torch.randint(0, 256, (count, 3, size, size), generator=generator).to(torch.uint8)


def extremes(count: int, size: int, generator: torch.Generator) -> Tensor:
    """0 or 255 for every value: eight colours at random."""
    return coins(count, 3, size, size, generator=generator)


def blocks(count: int, size: int, generator: torch.Generator) -> Tensor:
    """Eight colours at random in blocks of 2, 4, 8 or 16 pixels, at any place."""
    made = []
    for i in range(count):
        side, (down, right) = 2 ** (1 + i % 4), torch.randint(0, 16, (2,), generator=generator).tolist()
        small = coins(1, 3, size // side, size // side, generator=generator)
        made.append(small.repeat_interleave(side, 2).repeat_interleave(side, 3).roll((down, right), (2, 3)))
    return torch.cat(made)


def chessboards(count: int, size: int, generator: torch.Generator) -> Tensor:
    """Boards of two colours; fields of 1 to 8 pixels each way, any phase."""
    at = torch.arange(size)
    high, wide = (torch.randint(1, 9, (count, 1), generator=generator) for _ in range(2))
    phases = torch.randint(0, 16, (2, count, 1), generator=generator)
    board = ((at + phases[0]) // high)[:, :, None] + ((at + phases[1]) // wide)[:, None]  # (count, size, size)
    colours = coins(2, count, 3, 1, 1, generator=generator)
    return torch.where(board[:, None] % 2 == 0, *colours)


def one_channel(count: int, size: int, generator: torch.Generator) -> Tensor:
    """One colour channel is 0 or 255 at random, the others are flat black, grey or white."""
    images = torch.randint(0, 3, (count, 3, 1, 1), generator=generator).mul(127.5).to(torch.uint8)
    images = images.repeat(1, 1, size, size)
    images[torch.arange(count), torch.arange(count) % 3] = coins(count, size, size, generator=generator)
    return images


def text(count: int, size: int, generator: torch.Generator) -> Tensor:
    """Thin strokes like letters: glyphs of 3 x 5 pixels in lines, ink and paper of any colour."""
    high, wide = size // 7, size // 4
    glyphs = coins(count, 1, high, 5, wide, 3, generator=generator) > 0
    lines = F.pad(glyphs, (0, 1, 0, 0, 1, 1)).reshape(count, 1, high * 7, wide * 4)  # gaps of 1 and 2 pixels
    ink, paper = coins(2, count, 3, 1, 1, generator=generator)
    return torch.where(
        F.pad(lines, (0, size - wide * 4, 0, size - high * 7)), ink, torch.where(ink == paper, ~ink, paper)
    )


def gradients(count: int, size: int, generator: torch.Generator) -> Tensor:
    """A random colour at each corner, straight lines between."""
    corners = torch.rand(count, 3, 2, 2, generator=generator)
    return (F.interpolate(corners, size=size, mode="bilinear", align_corners=True) * 255).round().to(torch.uint8)


def flat(count: int, size: int, generator: torch.Generator) -> Tensor:
    """One colour, or one colour and a single pixel of another."""
    images = torch.randint(0, 256, (count, 3, 1, 1), generator=generator).to(torch.uint8).repeat(1, 1, size, size)
    row, column = torch.randint(0, size, (2, count), generator=generator)
    odd = torch.arange(count) % 2 == 1
    images[odd, :, row[odd], column[odd]] = coins(int(odd.sum()), 3, generator=generator)
    return images


def stripes(count: int, size: int, generator: torch.Generator) -> Tensor:
    """Saturated stripes, upright, level or slanted, 1 to 8 pixels wide; each colour channel has its own."""
    at, draw = torch.arange(size), lambda low, high: torch.randint(low, high, (count, 3, 1, 1), generator=generator)
    down, right = draw(-2, 3), draw(-2, 3)
    place = down * at[:, None] + right * at + draw(0, 16)
    return (place // draw(1, 9) % 2 * 255).to(torch.uint8)


def spoiled_faces(count: int, size: int, generator: torch.Generator) -> Tensor:
    """Drawn faces; of every other one single pixels, of the rest 2 x 2 blocks, 1 to 100 % of all, get eight colours."""
    seed = SEED + torch.randint(0, 10**6, (), generator=generator).item()
    images = faces.draw(count, size=size, seed=seed).images
    share = 10 ** (-2 * torch.rand(count, 1, 1, 1, generator=generator))
    hit = torch.rand(count, 1, size, size, generator=generator) < share
    colours = coins(count, 3, size, size, generator=generator)
    for part in (hit, colours):  # of the rest, every block is as its first pixel
        part[::2] = part[::2, :, ::2, ::2].repeat_interleave(2, 2).repeat_interleave(2, 3)
    return torch.where(hit, colours, images)


KINDS: dict[str, Callable[[int, int, torch.Generator], Tensor]] = {
    "uniform noise": noise,
    "0 or 255, each value": extremes,
    "0 or 255 in blocks": blocks,
    "chessboards": chessboards,
    "one channel 0 or 255": one_channel,
    "text": text,
    "gradients": gradients,
    "flat, or one odd pixel": flat,
    "saturated stripes": stripes,
    "faces with spoiled pixels": spoiled_faces,
}


# ---- how they come back ----------------------------------------------------------------------------------------------


@dataclass
class Trip:
    """What became of pictures that went to latents and back; each a tensor (B,)."""

    wrong: Tensor  # values
    error: Tensor  # the largest before rounding, in grey values
    furthest: Tensor  # the largest latent, in standard deviations
    double: Tensor  # whether its latents are float64

    @classmethod
    def cat(cls, trips: list["Trip"]) -> "Trip":
        return cls(*(torch.cat([getattr(trip, name) for trip in trips]) for name in cls.__dataclass_fields__))


@torch.no_grad()
def compare(model: Glow, images: Tensor, latents: list[Tensor]) -> Trip:
    """Decode latents and compare with the pictures."""
    x = model.inverse(latents)
    wrong = (pixels.to_uint8(x) != images).flatten(1).sum(1)
    error = (x.double() - pixels.to_float(images)).abs().nan_to_num(torch.inf).flatten(1).amax(1) * 256
    furthest = latent_space.flatten(latents).abs().amax(1).double()
    return Trip(wrong, error, furthest, torch.full_like(wrong, latents[0].dtype == torch.float64, dtype=torch.bool))


def travel(model: Glow, images: Tensor, batch: int = 32) -> Trip:
    """Encode and decode pictures, each as if it were alone: in float64 only where it needs it itself."""
    trips, order = [], []
    for which in torch.arange(len(images)).split(batch):
        latents = model.encode(images[which])
        flat = latent_space.flatten(latents)
        double = (flat != flat.float()).any(1)
        for rows, dtype in ((~double, torch.float32), (double, torch.float64)):
            if rows.any():
                trips.append(compare(model, images[which[rows]], [eps[rows].to(dtype) for eps in latents]))
                order.append(which[rows])
    trip = Trip.cat(trips)
    back = torch.cat(order).argsort()
    return Trip(*(getattr(trip, name)[back] for name in Trip.__dataclass_fields__))


@torch.no_grad()
def travel_in_float32(model: Glow, images: Tensor) -> Trip:
    """There and back in float32, whatever it costs."""
    return compare(model, images, model(pixels.to_float(images))[0])


# ---- the search: change pictures as long as they come back worse -----------------------------------------------------


def change(images: Tensor, generator: torch.Generator) -> Tensor:
    """Change each picture somewhere: a block of 1 to 32 pixels gets noise, one colour, or a part of another picture."""
    images, (count, _, size, _) = images.clone(), images.shape
    for i in range(count):
        side = 2 ** torch.randint(0, 6, (), generator=generator).item()
        top, left = torch.randint(0, size - side + 1, (2,), generator=generator).tolist()
        place = (..., slice(top, top + side), slice(left, left + side))
        what = torch.randint(0, 4, (), generator=generator).item()
        if what == 0:
            images[i][place] = coins(3, side, side, generator=generator)
        elif what == 1:
            images[i][place] = coins(3, 1, 1, generator=generator)
        elif what == 2:
            other = torch.randint(0, count, (), generator=generator).item()
            images[i] = torch.where(torch.rand(size, size, generator=generator) < 0.5, images[i], images[other])
        else:
            images[i][place] = 255 - images[i][place]
    return images


def worsen(model: Glow, images: Tensor, step: float, generator: torch.Generator) -> Tensor:
    """A gradient-sign step of `step` grey values, at half of all places, after which errors of latents matter more."""
    x = pixels.to_float(images).requires_grad_()
    latents = model(x)[0]
    noise = latent_space.sample_eps(model.latent_shapes, 1, generator)
    moved = [eps + 1e-4 * eps.abs().detach() * n for eps, n in zip(latents, noise, strict=True)]
    (model.inverse(moved) - x).square().flatten(1).sum(1).log().sum().backward()
    uphill = x.grad.nan_to_num().sign() * (torch.rand(x.shape, generator=generator) < 0.5)
    return (images + step * uphill).round().clamp(0, 255).to(torch.uint8)


def search(
    model: Glow, images: Tensor, rounds: int, generator: torch.Generator, limit: float = torch.inf
) -> tuple[Tensor, Trip, int]:
    """Hill-climb the error of float32 from each picture, with no latent beyond `limit`: (pictures, trips, tries)."""
    trip, steps = travel_in_float32(model, images), torch.full((len(images), 1, 1, 1), 16.0)
    for number in range(rounds):
        uphill = number % 3 == 0
        tries = worsen(model, images, steps, generator) if uphill else change(images, generator)
        new = travel_in_float32(model, tries)
        better = (new.error > trip.error) & (new.furthest <= limit)
        for name in Trip.__dataclass_fields__:
            setattr(trip, name, torch.where(better, getattr(new, name), getattr(trip, name)))
        images = torch.where(better.view(-1, 1, 1, 1), tries, images)
        if uphill:
            steps = torch.where(better.view(-1, 1, 1, 1), 2 * steps, steps / 2).clamp(1, 255)
    return images, trip, rounds * len(images)


# ---- where digits are lost -------------------------------------------------------------------------------------------


@torch.no_grad()
def trace(model: Glow, image: Tensor) -> list[tuple[str, float, float]]:
    """The way back through every step, from float32 latents: (step, largest value there, error of float32 there)."""
    x, states = pixels.to_float(image[None]), []
    for level in model.levels:
        x, _, between = level.steps(x, keep=True)
        states.append(between)
        x = level.split(x)[0]
    rows, latents = [], model(pixels.to_float(image[None]))[0]
    x = latents[-1][:, :0]
    for number in reversed(range(len(model.levels))):
        level = model.levels[number]
        x = level.split.inverse(x, latents[number])
        for step in reversed(range(len(level.steps.flows))):
            known = states[number][step + 1]
            rows.append((f"level {number + 1}, step {step}", known.abs().max().item(), (x - known).abs().max().item()))
            x = level.steps.flows[step].inverse(x)
    return rows + [("pixels", 0.5, (x - states[0][0]).abs().max().item())]


# ---- the table -------------------------------------------------------------------------------------------------------


def row(name: str, trip: Trip) -> str:
    """A row of Markdown."""
    cells = f"{len(trip.wrong):,}", f"{trip.wrong.sum():,}", f"{trip.error.max():.2g}", f"{trip.furthest.max():,.0f}"
    return f"| {name} | {' | '.join(cells)} | {trip.double.float().mean():.0%} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="faces64", help="a model that ships, or a path (default: faces64)")
    parser.add_argument("--count", type=int, default=1000, help="pictures of each kind (default: 1000)")
    parser.add_argument("--rounds", type=int, default=60, help="rounds of each search (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="of pictures and searches (default: 0)")
    parser.add_argument("--trace", action="store_true", help="show each step on the way back of the worst picture")
    arguments = parser.parse_args()
    model = checkpoint.load(arguments.model).requires_grad_(False)
    size, generator = model.config.shape[-1], torch.Generator().manual_seed(arguments.seed)
    print(f"{arguments.model}\n\n| pictures | count | wrong values | largest error | largest latent | in float64 |")
    print("|---" * 6 + "|", flush=True)
    hard = []
    for name, make in KINDS.items():
        images = make(arguments.count, size, generator)
        trip = travel(model, images)
        print(row(name, trip), flush=True)
        hard.append(images[trip.furthest.topk(min(2, len(images))).indices])
    likely = torch.cat([faces.draw(8, size=size, seed=SEED).images, model.sample(8, 1.0, generator)])
    for name, start, limit in (("from all kinds", torch.cat(hard), torch.inf), (f"within {FAR:.0f}", likely, FAR)):
        found, alone, tries = search(model, start, arguments.rounds, generator, limit)
        print(row(f"search {name}, float32 alone, worst of {tries:,}", alone))
        print(row(f"search {name}, encode and decode", travel(model, found)), flush=True)
        if arguments.trace:
            worst = found[alone.error.argmax()]
            print(
                "\n".join(
                    f"    {step}: values to {largest:.3g}, off by {error:.2g}"
                    for step, largest, error in trace(model, worst)
                )
            )


if __name__ == "__main__":
    main()
