"""Checks of notebook 00: take a picture of one's own through the flow and back; undo a mix of pixels."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from glowlab.checks.base import Mistake, check, run
from glowlite.data.pictures import read_picture
from glowlite.flows.coupling import Coupling
from glowlite.glow import Glow

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
        "Whatever was added must be taken away again. On the clock of uint8 that is an ordinary minus.",
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
        raise Mistake("it changes the halves it is given, in place; make new ones, or the caller's picture is spoilt")
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
            raise Mistake(f"right but for whole turns of the clock: stay in uint8 (yours is {new.dtype})")
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
        raise Mistake("it never calls the f that it is given, and f is another one each time")
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
