"""Checks of notebook 00: a picture goes through the flow and back; find what can be undone; undo a mix of pixels."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from glowlab.checks.base import Mistake, check, run
from glowlite.data.pictures import read_picture
from glowlite.flows.coupling import Coupling
from glowlite.glow import Glow

# ---- reversible or not -------------------------------------------------------------------------------------


class ByteMap:
    """A function that takes each byte to a byte, from a table (256,). It counts how often it is asked."""

    def __init__(self, table: Tensor):
        self._table, self.calls = table.to(torch.uint8), 0

    def __call__(self, x):
        if not isinstance(x, Tensor) or x.dtype != torch.uint8:
            what = x.dtype if isinstance(x, Tensor) else f"a {type(x).__name__}"
            raise Mistake(f"f takes a tensor of bytes, uint8, and was given {what}")
        self.calls += 1
        return self._table[x.long()]


def byte_maps(generator: torch.Generator) -> list[tuple[str, ByteMap, bool]]:
    """(name, f, whether it can be undone), in random order."""
    x = torch.arange(256)
    odd, offset, one, other = (torch.randint(0, 127, (4,), generator=generator) * 2 + 1).tolist()
    order = torch.randperm(256, generator=generator)
    nearly = order.clone()
    nearly[one] = nearly[(one + other + 1) % 256]  # odd + odd + odd: another byte than `one`
    made = [
        ("x times an odd number, plus one more", odd * x + offset, True),
        ("255 - x", 255 - x, True),
        ("a list of all bytes in random order", order, True),
        ("x ^ (x >> 1)", x ^ (x >> 1), True),
        ("x times an even number", (odd + 1) * x + offset, False),
        ("x squared", x * x, False),
        ("x // 2", x // 2, False),
        ("the same byte for every x", 0 * x + offset, False),
        (NEARLY, nearly, False),
    ]
    made = [(name, ByteMap(table % 256), can) for name, table, can in made]
    return [made[i] for i in torch.randperm(len(made), generator=generator)]


NEARLY = "a list of 255 different bytes, one of them twice"


@check(
    "is_reversible",
    hints=[
        "No two inputs may have the same output. How many inputs are there in all?",
        "torch.arange(256, dtype=torch.uint8) holds every byte once. Ask f about all of them.",
        "Count the different outputs: t.unique() leaves each number once.",
    ],
)
def is_reversible(attempt, generator):
    """attempt(f) -> whether f, which takes a uint8 tensor to one of the same shape, byte by byte, can be undone."""
    said, maps = {}, byte_maps(generator)
    for name, f, _ in maps:
        answer = run(attempt, f)
        if isinstance(answer, (Tensor, np.generic)) and answer.ndim == 0:
            answer = answer.item()
        if not isinstance(answer, bool):
            raise Mistake(f"it must give back True or False, not {type(answer).__name__}")
        if not f.calls:
            raise Mistake("it never calls the f that it is given, and f is a different one each time")
        said[name] = answer
    if len(set(said.values())) == 1:
        raise Mistake(f"it says {said[NEARLY]} of every f, and some can be undone, others not")
    wrong = [name for name, _, can in maps if said[name] != can]
    if len(wrong) == len(maps):
        raise Mistake("it is always the other way round: True is for an f that can be undone")
    if wrong == [NEARLY]:
        raise Mistake(f"of {NEARLY}, it says True: a sample of the bytes, or a tolerance, is not enough")
    if wrong:
        raise Mistake(f"it says {said[wrong[0]]} of f(x) = {wrong[0]}")
    yield "it finds out which functions of a byte can be undone, and which cannot"


# ---- unmix -------------------------------------------------------------------------------------------------


def random_bytes(*shape: int, generator: torch.Generator) -> Tensor:
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)


def random_f(generator: torch.Generator) -> tuple[Callable[[Tensor], Tensor], list[Tensor]]:
    """A function of bytes without an inverse, and the list of its inputs."""
    shift, factor, offset = torch.randint(1, 100, (3,), generator=generator).tolist()
    seen = []

    def f(half: Tensor) -> Tensor:
        seen.append(half.clone())
        return half.roll(shift, -1) * half * factor + offset

    return f, seen


@check(
    "unmix",
    hints=[
        "mix left one half alone. Which one, and what can you compute from it, now as then?",
        "You never need f backwards. You have the very input that f had, so you can call f once more.",
        "Whatever was added must be taken away again. uint8 goes on at 0 after 255, and its minus does so, too.",
    ],
    solution=[Coupling.inverse],
)
def unmix(attempt, generator):
    """attempt(left, mixed, f) -> (left, right), where mixed = right + f(left) in uint8, for any f."""
    height, width = torch.randint(5, 12, (2,), generator=generator).tolist()
    left = random_bytes(3, height, width, generator=generator)
    right = random_bytes(3, height, width, generator=generator)
    f, seen = random_f(generator)
    noise = f(left)
    mixed = right + noise
    seen.clear()
    given = left.clone(), mixed.clone()
    result = run(attempt, left, mixed, f)
    if not torch.equal(left, given[0]) or not torch.equal(mixed, given[1]):
        raise Mistake("it changes the halves it is given, in place; make new ones, or the caller's picture changes")
    new_left, new_right = two_halves(result, right)
    if torch.equal(new_left, right) and torch.equal(new_right, left):
        raise Mistake("both halves are right, but they changed places: the left one comes first")
    yield "it gives back two halves of the right shape"
    if not torch.equal(new_left, left):
        raise Mistake("the wrong half moves: mix left the left half alone, so it must come back as it is")
    yield "the left half comes back untouched"
    diagnose_right(new_right, right, left, mixed, noise, f, called=bool(seen))
    yield "every number of the right half is back, for an f that it never saw before"


def two_halves(result, like: Tensor) -> tuple[Tensor, Tensor]:
    """The two tensors that were given back, or the Mistake that they are something else."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Mistake("it must give back two things, the left half and the right half: return left, right")
    for name, half in zip(("left", "right"), result, strict=True):
        if half is None or half is Ellipsis:
            raise Mistake(f"the {name} half is still missing")
        if not isinstance(half, Tensor) or half.shape != like.shape:
            what = tuple(half.shape) if isinstance(half, Tensor) else type(half).__name__
            raise Mistake(f"the {name} half must have the shape it came with, {tuple(like.shape)}, not {what}")
    return result[0], result[1]


def diagnose_right(new, right, left, mixed, noise, f, called: bool) -> None:
    """Return if `new` is the right half; else raise the Mistake that explains it best."""
    if new.dtype != torch.uint8:
        if torch.equal(new.long() % 256, right.long()):
            raise Mistake(f"right, except for multiples of 256: stay in uint8 (yours is {new.dtype})")
        raise Mistake(f"pixels are uint8, and yours became {new.dtype}: compute with the bytes as they are")
    if torch.equal(new, right):
        return
    explanations = {
        "the right half is still mixed: nothing was undone": mixed,
        "right size, wrong sign: it adds what mix has added already": mixed + noise,
        "the difference is the wrong way round: it is what was added, minus the mixed half": noise - mixed,
        "f was given the mixed half; mix gave it another one": mixed - f(mixed),
        "that is only what was added; it still has to be taken away from the mixed half": noise,
    }
    for words, wrong in explanations.items():
        if torch.equal(new, wrong):
            raise Mistake(words)
    if not called:
        raise Mistake("it never calls the f that it is given, and f is a different one each time")
    raise Mistake(f"{(new != right).sum()} of {right.numel()} numbers of the right half are not what they were")


# ---- there and back ----------------------------------------------------------------------------------------


class Witness:
    """A model that notes what it is asked, and names mistakes in words of the exercise."""

    def __init__(self, model: Glow):
        self.model, self.size = model, model.config.shape[-1]
        self.encoded: list[list[Tensor]] = []
        self.decoded: list[list[Tensor]] = []

    def __getattr__(self, name: str):
        return getattr(self.model, name)

    def encode(self, images) -> list[Tensor]:
        shape = tuple(getattr(images, "shape", ()))
        if not isinstance(images, Tensor):
            raise Mistake(f"encode takes a tensor of pixels, not a {type(images).__name__}: read the file first")
        if images.dtype != torch.uint8:
            raise Mistake(f"encode takes the bytes as they are, uint8; yours became {images.dtype}")
        if len(shape) == 3:
            raise Mistake(f"encode takes a batch, (how many, 3, height, width); yours is one picture, {shape}")
        if shape[-2:] != (self.size, self.size):
            raise Mistake(f"this model knows {self.size} x {self.size} pixels only; your picture is {shape}")
        self.encoded.append(self.model.encode(images))
        return [eps.clone() for eps in self.encoded[-1]]

    def decode(self, latents) -> Tensor:
        latents = list(latents) if isinstance(latents, (list, tuple)) else [latents]
        levels = len(self.model.latent_shapes)
        if len(latents) != levels:
            raise Mistake(f"decode needs all {levels} levels of latents, not {len(latents)}: nothing may be dropped")
        self.decoded.append([eps.clone() for eps in latents])
        return self.model.decode(latents)

    def sample(self, *args, **kwargs):
        raise Mistake("sample draws somebody new; here the picture's own latents must go back through decode")


def random_picture(folder: str, generator: torch.Generator) -> Path:
    """A PNG file of a random size in random colours: a slope from corner to corner, and noise."""
    width, height = torch.randint(40, 90, (2,), generator=generator).tolist()
    corner, slope = torch.rand(2, 3, 1, 1, generator=generator)
    ramp = torch.linspace(0, 1, height).view(-1, 1) * torch.linspace(0, 1, width)
    noise = 0.2 * torch.rand(3, height, width, generator=generator)
    pixels = ((corner + slope * ramp + noise) / 2.2 * 255).to(torch.uint8)
    path = Path(folder) / "a-picture.png"
    Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(path)
    return path


@check(
    "there_and_back",
    hints=[
        "read_picture(file) gives (3, 64, 64). The model works on batches: indexing with None adds an axis.",
        "encode gives a list of latents. decode takes that whole list, as it is.",
        "Three calls are enough: read_picture, model.encode, model.decode.",
    ],
    solution=[Glow.encode, Glow.decode],
)
def there_and_back(attempt, model, generator):
    """attempt(file, model) -> (picture, back), both uint8 (1, 3, size, size); back comes from decode."""
    witness = Witness(model)
    with tempfile.TemporaryDirectory() as folder:
        file = random_picture(folder, generator)
        expected = read_picture(file, witness.size)
        result = run(attempt, str(file), witness)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Mistake("it must give back two things, the picture and what came back: return picture, back")
    for name, image in zip(("picture", "back"), result, strict=True):
        if image is None or image is Ellipsis:
            raise Mistake(f"{name} is still missing")
        if not isinstance(image, Tensor) or image.dtype != torch.uint8 or image.shape[-3:] != expected.shape:
            what = f"{image.dtype} {tuple(image.shape)}" if isinstance(image, Tensor) else type(image).__name__
            raise Mistake(f"{name} must be uint8 (1, {', '.join(map(str, expected.shape))}), not {what}")
    picture, back = (image.reshape(expected.shape) for image in result)
    if not torch.equal(picture, expected):
        raise Mistake("picture is not what the file holds: read the file that is given, and change no pixel")
    yield "the file is read as it is"
    if not witness.encoded:
        raise Mistake("the picture never went through model.encode")
    yield "it is encoded"
    if not witness.decoded:
        raise Mistake("nothing ever came out of model.decode, so back is not the flow's answer")
    if not all(torch.equal(a, b) for a, b in zip(witness.encoded[-1], witness.decoded[-1], strict=True)):
        raise Mistake("the latents were changed between encode and decode, so another picture comes back")
    yield "all its latents, unchanged, are decoded"
    if wrong := int((back != expected).sum()):
        raise Mistake(
            f"{wrong} of {expected.numel()} numbers of back are not the picture's: give back what decode gave"
        )
    yield f"none of its {expected.numel():,} numbers is wrong"
