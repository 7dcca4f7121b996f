"""Batches for training, each a function of (seed, step) alone, so a run resumes from its step number alone."""

from pathlib import Path

import torch
from torch import Tensor

from glowlite.errors import GlowliteError
from glowlite.seeds import generator, mix

# PyTorch's CPU generator uses 32 bits of a seed. Training faces take seeds from the upper half of them, so
# the faces of *every* seed below 2**31 were never trained on: those that a person draws are held out too.
TRAINING_SEEDS = 2**31
VALIDATION_SEED = 1_811_000_000
TEST_SEED = 1_812_000_000
VALIDATION_SHARE = 0.1  # of a folder of pictures, at most


class FaceStream:
    """An endless stream of newly drawn faces: uint8 (batch, 3, size, size) on `device`; no batch twice within 2**31.

    >>> stream = FaceStream(size=16, batch=4, seed=0)
    >>> stream.batch(7).shape, torch.equal(stream.batch(7), stream.batch(7))
    (torch.Size([4, 3, 16, 16]), True)
    """

    def __init__(self, size: int, batch: int, seed: int, device="cpu", rank: int = 0, world: int = 1):
        self.size, self.batch_size, self.device = size, batch, device
        self.rank, self.world = rank, world
        self.start = mix(seed)

    def batch(self, step: int) -> Tensor:
        offset = self.start + step * self.world + self.rank
        return self._draw(self.batch_size, TRAINING_SEEDS + offset % 2**31)

    def first(self, count: int) -> Tensor:
        """`count` faces to initialise from, the same on every process."""
        return self._draw(count, TRAINING_SEEDS + (self.start - 1) % 2**31)

    def held_out(self, count: int) -> Tensor:
        """`count` faces for validation, the same ones for every run: uint8 (count, 3, size, size)."""
        return self._draw(count, VALIDATION_SEED)

    def _draw(self, count: int, seed: int) -> Tensor:
        from glowlite.data import faces

        return faces.draw(count, size=self.size, seed=seed, device=self.device).images


class PictureStream:
    """Pictures held in memory, in a new order every epoch; a tenth of them is kept back for validation.

    images: uint8 (N, C, H, W). The choice of the pictures kept back depends on N alone, so a second run with another
    seed keeps the same ones.

    >>> stream = PictureStream(torch.zeros(20, 1, 8, 8, dtype=torch.uint8), batch=4, seed=0)
    >>> stream.batch(0).shape, len(stream.held_out(100))
    (torch.Size([4, 1, 8, 8]), 2)
    """

    def __init__(self, images: Tensor, batch: int, seed: int, device="cpu", rank: int = 0, world: int = 1):
        if len(images) < 2:
            raise GlowliteError(
                f"Training needs at least 2 pictures, one of them for validation, and found {len(images)}."
            )
        self.images, self.batch_size, self.seed, self.device = images, batch, seed, device
        self.rank, self.world = rank, world
        order = torch.randperm(len(images), generator=generator("cpu", len(images)))
        kept_back = max(1, int(VALIDATION_SHARE * len(images)))
        self.validation, self.training = order[:kept_back], order[kept_back:]
        self._epoch, self._order = None, None

    def batch(self, step: int) -> Tensor:
        first = (step * self.world + self.rank) * self.batch_size
        places = range(first, first + self.batch_size)
        picks = torch.stack(
            [self._shuffled(place // len(self.training))[place % len(self.training)] for place in places]
        )
        return self.images[picks].to(self.device)

    def first(self, count: int) -> Tensor:
        """At most `count` training pictures to initialise from, the same on every process."""
        return self.images[self._shuffled(0)[:count]].to(self.device)

    def held_out(self, count: int) -> Tensor:
        """At most `count` pictures that no batch contains: uint8 (n, C, H, W)."""
        return self.images[self.validation[:count]].to(self.device)

    def _shuffled(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            places = torch.randperm(len(self.training), generator=generator("cpu", self.seed, epoch))
            self._epoch, self._order = epoch, self.training[places]
        return self._order


def flip_half(images: Tensor, generator: torch.Generator) -> Tensor:
    """Images (B, C, H, W), each mirrored left to right with probability 1/2."""
    mirror = torch.rand(len(images), generator=generator, device=images.device) < 0.5
    return torch.where(mirror.view(-1, 1, 1, 1), images.flip(3), images)


def face_size(shape: tuple[int, int, int]) -> int:
    """The side in pixels of faces of `shape` (C, H, W). GlowliteError if faces cannot have that shape."""
    channels, height, width = shape
    if channels != 3 or height != width:
        raise GlowliteError(
            f"Faces are square and in colour, but the model's pictures are {channels} x {height} x {width}: "
            "choose a preset for square colour pictures, or other data."
        )
    return height


def read_pictures(data: str, shape: tuple[int, int, int], split: str = "train") -> Tensor:
    """A named data set ("mnist", "cifar10", ...) or a folder of pictures as uint8 (N, *shape)."""
    from glowlite.data import pictures

    if Path(data).is_dir():
        if shape[0] != 3 or shape[1] != shape[2]:
            raise GlowliteError(
                f"Pictures of a folder are read as square and in colour, but the model's are {tuple(shape)}: "
                "choose a preset for square colour pictures."
            )
        images = pictures.folder(data, shape[1])
    else:
        images = pictures.load(data, split).images
    if tuple(images.shape[1:]) != tuple(shape):
        raise GlowliteError(
            f"The pictures of {data} have shape {tuple(images.shape[1:])}, the model takes {tuple(shape)}: "
            "choose a preset of the same shape."
        )
    return images


def open_stream(
    data: str, shape: tuple[int, int, int], batch: int, seed: int, device="cpu", rank: int = 0, world: int = 1
):
    """The batches of `data`: "faces", the name of a data set, or a folder of pictures.

    batch is the number of pictures for each of `world` processes, of which this is number `rank`.
    """
    if data == "faces":
        return FaceStream(face_size(shape), batch, seed, device, rank, world)
    return PictureStream(read_pictures(data, shape), batch, seed, device, rank, world)


def test_pictures(data: str, shape: tuple[int, int, int], count: int, device="cpu") -> Tensor:
    """At most `count` pictures for a last measurement: faces of another seed, a test split, or a folder."""
    if data == "faces":
        from glowlite.data import faces

        return faces.draw(count, size=face_size(shape), seed=TEST_SEED, device=device).images
    return read_pictures(data, shape, split="test")[:count].to(device)
