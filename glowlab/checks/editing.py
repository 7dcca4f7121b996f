"""Checks of notebook 12b: an editor that loses nothing, and a step of its own for each face."""

import torch
from torch import Tensor

from glowlab.checks.answers import tensor_of
from glowlab.checks.attributes_latents import normal, times
from glowlab.checks.base import Mistake, check, run, same
from glowlite import latents
from glowlite.latents import Latents

__all__ = ["amounts_for", "edit"]
SHAPES = [(2, 2, 2), (4, 1, 1)]  # of two levels: together as many numbers as a picture has
PICTURE = (3, 2, 2)
GREY = 16  # grey levels for a latent of 1
MOST_CALLS = 60  # of `reading`; halving the interval needs about ten
EXACT = 0.01

# ---- an editor -------------------------------------------------------------------------------------------


class Model:
    """A rotation of pictures, rounded to whole pixels: encode and decode. It keeps what it was given."""

    def __init__(self, picture: Tensor, generator: torch.Generator):
        self.picture, self.again, self.decoded = picture, False, {}
        self.rotation = torch.linalg.qr(torch.randn(12, 12, generator=generator, dtype=torch.float64))[0]

    def encode(self, picture) -> Latents:
        if not isinstance(picture, Tensor) or tuple(picture.shape[-3:]) != PICTURE:
            raise Mistake("encode takes a picture")
        self.again |= not torch.equal(picture.reshape(1, *PICTURE).double(), self.picture.double())
        flat = (picture.reshape(1, -1).double() - 128) / GREY @ self.rotation
        return latents.unflatten(flat.float(), [torch.zeros(1, *shape) for shape in SHAPES])

    def decode(self, eps) -> Tensor:
        if not isinstance(eps, (list, tuple)) or [tuple(level.shape[1:]) for level in eps] != SHAPES:
            raise Mistake("decode takes the latents of all levels, in a list")
        flat = latents.flatten(list(eps)).double()
        shown = (flat @ self.rotation.T * GREY + 128).round().clamp(0, 255).to(torch.uint8)
        for picture, one in zip(shown, flat, strict=True):
            self.decoded[tuple(picture.tolist())] = one
        return shown.view(-1, *PICTURE)


@check(
    "edit",
    hints=[
        "What does encode get in the second turn of the loop? Section 1 tells what that loses.",
        "The moves put the smile at 1, then at 0.5. By how much has the faulty editor moved along the smile by then?",
        "Encode once, before the loop. Keep a dict of the places of all sliders; a move changes one of them.",
        "After each move decode the latents of the face plus place * directions[name], for every slider in the dict.",
    ],
    solution=[latents.add],
)
@torch.no_grad()
def edit(attempt, generator):
    """attempt(picture, moves, encode, decode, directions) -> the picture after each move."""
    picture = torch.randint(96, 160, (1, *PICTURE), generator=generator, dtype=torch.uint8)
    directions = {name: times(0.6, normal(SHAPES, 1, generator)) for name in ("smile", "beard", "age")}
    moves = random_moves(list(directions), generator)
    model = Model(picture, generator)
    given = picture.clone()
    result = run(attempt, picture, list(moves), model.encode, model.decode, directions)
    if not torch.equal(picture, given):
        raise Mistake("the picture is not what it was: leave it, and make new ones")
    shown = pictures_of(result, len(moves))
    found = torch.stack([latents_of(one, model) for one in shown])
    start = latents.flatten(model.encode(given))[0]
    steps = {name: latents.flatten(step)[0] for name, step in directions.items()}
    diagnose_moves(found, start, moves, steps, model.again)
    if model.again:
        raise Mistake("an edited picture was encoded: its pixels are rounded, so something is lost with every move")
    yield "after each move every slider counts, with the place where it stands"
    yield "the face is encoded once, so nothing is lost on the way"


def random_moves(names: list[str], generator: torch.Generator) -> list[tuple[str, float]]:
    """Moves of every slider, one of them twice; at the end all are at 0 again."""
    order = [names[i] for i in torch.randperm(len(names), generator=generator)]
    places = (0.9 + 0.4 * torch.rand(len(names), generator=generator)).tolist()
    return [*zip(order, places, strict=True), (order[0], places[0] / 2), *((name, 0.0) for name in order)]


def pictures_of(result, count: int) -> list[Tensor]:
    if isinstance(result, dict) or not isinstance(result, (list, tuple, Tensor)):
        raise Mistake(f"a list is wanted, with a picture for each move, not a {type(result).__name__}")
    shown = list(result)
    if len(shown) == count + 1:
        raise Mistake(f"{count} moves give {count} pictures, without the one of the beginning")
    if len(shown) != count:
        raise Mistake(f"{count} moves give {count} pictures, and yours are {len(shown)}")
    for picture in shown:
        if not isinstance(picture, Tensor) or picture.numel() != 12:
            raise Mistake("each of the list must be a picture, as decode makes it")
    return shown


def latents_of(picture: Tensor, model: Model) -> Tensor:
    found = model.decoded.get(tuple(picture.flatten().tolist()))
    if found is None:
        raise Mistake("a picture in the list did not come from decode")
    return found


def diagnose_moves(found: Tensor, start: Tensor, moves, steps: dict[str, Tensor], again: bool) -> None:
    """Return if the latents after each move, (moves, 12), are those of the sliders' places; else name the mistake.

    An editor that encodes again is off by the rounding of pixels, so it is compared to that.
    """
    places, total, right, added, alone = {}, start.clone(), [], [], []
    for name, place in moves:
        places[name] = place
        total = total + place * steps[name]
        right.append(start + sum(p * steps[n] for n, p in places.items()))
        added.append(total)
        alone.append(start + place * steps[name])
    right, added, alone = map(torch.stack, (right, added, alone))

    def like(wanted: Tensor) -> bool:
        return bool((found - wanted).abs().max() < 0.25) if again else same(found, wanted)

    if like(right):
        return
    if like(added):
        words = "a move says where the slider stands now, and it was added to where the face already was"
        raise Mistake(f"{words}; and an edited picture was encoded again" if again else words)
    if like(alone):
        raise Mistake("only the slider that moved last counts there: the others stand where they were put")
    if same(found, 2 * start - right):
        raise Mistake("the right size and the wrong sign: add the steps")
    if same(found[:1], right[:1]):
        raise Mistake("the picture after the first move is right, and a later one is not")
    raise Mistake("the latents of the face plus place * direction, for each slider, were not what you decoded")


# ---- a step of its own for each face ---------------------------------------------------------------------


class Reading:
    """Rising curves, one for each face: (B,) -> (B,). It counts its calls and refuses amounts outside the interval."""

    def __init__(self, faces: int, generator: torch.Generator):
        self.slope, self.bend, self.start = 0.5 + 0.5 * torch.rand(3, faces, generator=generator)
        self.low = -1 - torch.rand(faces, generator=generator)
        self.high = 2 + 2 * torch.rand(faces, generator=generator)
        self.calls = 0

    def curve(self, alpha: Tensor) -> Tensor:
        return self.start + self.slope * alpha + torch.sinh(self.bend * (alpha - 0.5)) / 4

    def __call__(self, alpha) -> Tensor:
        alpha = tensor_of(alpha, tuple(self.slope.shape), "the argument of reading")
        if (alpha < self.low - 1e-4).any() or (alpha > self.high + 1e-4).any():
            raise Mistake("an amount outside low and high was tried")
        self.calls += 1
        return self.curve(alpha.float())


@check(
    "amounts_for",
    hints=[
        "Try the middle of the interval: middle = (low + high) / 2. Where too little is read, the answer lies above.",
        "torch.where(reading(middle) < wanted, middle, low) is the new low, for all faces at once; high likewise.",
        "Every turn halves the interval. Twenty turns are plenty.",
    ],
)
@torch.no_grad()
def amounts_for(attempt, generator):
    """attempt(reading, wanted, low, high) -> amounts (B,) at which `wanted` is read, to EXACT."""
    count = 5 + int(torch.randint(0, 4, (1,), generator=generator))
    reading = Reading(count, generator)
    share = 0.1 + 0.8 * torch.rand(count, generator=generator)
    right = reading.low + share * (reading.high - reading.low)
    wanted = reading.curve(right)
    low, high = reading.low.clone(), reading.high.clone()
    result = run(attempt, reading, wanted.clone(), low, high)
    if isinstance(result, float) or (isinstance(result, Tensor) and result.numel() == 1):
        raise Mistake(f"each of the {count} faces needs an amount of its own")
    values = tensor_of(result, (count,), "the amounts").float()
    diagnose_amounts(values, reading, wanted)
    yield f"what is read at each amount is what was wanted, to {EXACT}"
    if reading.calls > MOST_CALLS:
        raise Mistake(
            f"reading was called {reading.calls} times, and each call decodes all faces; about ten are enough"
        )
    yield "it takes few calls of reading"


def diagnose_amounts(values: Tensor, reading: Reading, wanted: Tensor) -> None:
    if not torch.isfinite(values).all():
        raise Mistake("an amount is not a finite number")
    off = (reading.curve(values) - wanted).abs()
    if off.max() <= 1.1 * EXACT:
        return
    ends = torch.minimum((values - reading.low).abs(), (values - reading.high).abs())
    if ends.max() < 1e-3:
        raise Mistake("every search ends at low or high: it goes the wrong way. reading rises with the amount")
    if (values - values[0]).abs().max() < 1e-4:
        raise Mistake("all faces have the same amount; each needs its own")
    first, last = reading.curve(reading.low), reading.curve(reading.high)
    line = reading.low + (wanted - first) / (last - first) * (reading.high - reading.low)
    if same(values, line):
        raise Mistake("that takes reading for a straight line from low to high, and it is curved")
    if same(values, (reading.low + reading.high) / 2):
        raise Mistake("that is the middle of low and high: now ask on which side the answer lies, and go on")
    few = off.max() < 0.5 and not reading.calls > MOST_CALLS
    more = "; go on halving" if few else ""
    raise Mistake(f"what is read at your amounts is off by up to {off.max():.2f}, and {EXACT} is allowed{more}")
