"""Batches for training, each a function of (seed, step) alone, so a run resumes from its step number alone."""

import os
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from glowlite.data import datasets, picture_folder, pictures
from glowlite.errors import GlowliteError, speaks
from glowlite.seeds import generator, mix

# PyTorch's CPU generator uses 32 bits of a seed. Training faces take seeds from the upper half of them, so
# the faces of *every* seed below 2**31 were never trained on: those that a person draws are held out too.
TRAINING_SEEDS = 2**31
VALIDATION_SEED = 1_811_000_000
TEST_SEED = 1_812_000_000
VALIDATION_SHARE = 0.1  # of a data set or folder, about


class FaceStream:
    """An endless stream of newly drawn faces: uint8 (batch, 3, size, size) on `device`; no batch twice within 2**31.

    Of `world` processes each draws its own `batch` rows of the faces that one process would draw.

    >>> stream = FaceStream(size=16, batch=4, seed=0)
    >>> stream.batch(7).shape, torch.equal(stream.batch(7), stream.batch(7))
    (torch.Size([4, 3, 16, 16]), True)
    """

    limit = digests = None  # of pictures that can run out

    def __init__(self, size: int, batch: int, seed: int, device="cpu", rank: int = 0, world: int = 1):
        self.size, self.batch_size, self.device = size, batch, device
        self.rank, self.world = rank, world
        self.start = mix(seed)

    def batch(self, step: int) -> Tensor:
        rows = slice(self.rank * self.batch_size, (self.rank + 1) * self.batch_size)
        return self._draw(self.world * self.batch_size, TRAINING_SEEDS + (self.start + step) % 2**31, rows)

    def first(self, count: int) -> Tensor:
        """`count` faces to initialise from, the same on every process."""
        return self._draw(count, TRAINING_SEEDS + (self.start - 1) % 2**31)

    def held_out(self, count: int) -> Tensor:
        """`count` faces for validation, the same ones for every run: uint8 (count, 3, size, size)."""
        return self._draw(count, VALIDATION_SEED)

    def _draw(self, count: int, seed: int, rows: slice = slice(None)) -> Tensor:
        from glowlite.data import faces

        return faces.draw(count, size=self.size, seed=seed, device=self.device, rows=rows).images


class PictureStream:
    """Pictures held in memory, in a new order every epoch; about a tenth of them is kept back for validation.

    images: uint8 (N, C, H, W); of equal pictures one is left. A picture is kept back if its digest is below `limit`, so
    this depends on the picture alone: neither more pictures nor another seed makes it one to train on. The limit is
    kept with a run. It is a tenth of all digests, or what leaves at least one picture on each side.

    >>> stream = PictureStream(torch.arange(20, dtype=torch.uint8).view(20, 1, 1, 1), batch=4, seed=0)
    >>> stream.batch(0).shape, len(stream.held_out(100)) + len(stream.training)
    (torch.Size([4, 1, 1, 1]), 20)
    """

    def __init__(self, images: Tensor, batch: int, seed: int, device="cpu", rank: int = 0, world: int = 1, limit=None):
        digests, order = np.unique(pictures.digests(images), return_index=True)
        if len(order) < 2:
            raise GlowliteError(
                f"Training needs at least 2 different pictures, one of them for validation, and found {len(order)}."
            )
        self.images, self.batch_size, self.seed, self.device = images, batch, seed, device
        self.rank, self.world = rank, world
        if limit is None:
            tenth = int(VALIDATION_SHARE * pictures.DIGESTS)
            limit = min(max(tenth, int(digests[0]) + 1), int(digests[-1]))
        self.limit, self.digests = limit, torch.from_numpy(digests)
        kept_back = int(np.searchsorted(digests, limit))
        if not 0 < kept_back < len(order):
            raise GlowliteError(
                f"All {len(order)} pictures that are left are for {'validation' if kept_back else 'training'}: "
                "put back those that are gone, or start a new run."
            )
        order = torch.from_numpy(order)  # of digests, so that the names of files do not matter
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


def flip_half(images: Tensor, generator: torch.Generator, rank: int = 0, world: int = 1) -> Tensor:
    """Images (B, C, H, W), each mirrored left to right with probability 1/2; rank and world as of `dequantize`."""
    mirror = torch.rand(world * len(images), generator=generator, device=images.device) < 0.5
    mirror = mirror[rank * len(images) : (rank + 1) * len(images)]
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


def is_folder(data: str) -> bool:
    """Whether `data` is the path of a folder. The name of a data set is none, even beside a folder of that name."""
    return data != os.path.basename(data) or (not _is_name(data) and Path(data).is_dir())


def _is_name(data: str) -> bool:
    return data == "faces" or datasets.is_known(data)


def _tell_which(data: str) -> None:
    if not is_folder(data) and Path(data).is_dir() and speaks():
        print(f"{data} is read as the data set of that name; for the folder say ./{data}", file=sys.stderr)


def full_name(data: str) -> str:
    """A folder's full path, so that a run finds it from anywhere; the name of a data set as it is.

    >>> full_name("faces")
    'faces'
    """
    return os.path.abspath(data) if is_folder(data) else data


def short_name(data: str) -> str:
    """A folder's own name, for a card that others read; the name of a data set as it is.

    >>> short_name("/home/me/photos")
    'photos/'
    """
    return f"{Path(data).name}/" if is_folder(data) else data


def read_pictures(data: str, shape: tuple[int, int, int], split: str = "train") -> Tensor:
    """A named data set ("mnist", "cifar10", ...) or a folder of pictures as uint8 (N, *shape)."""
    if is_folder(data):
        if shape[0] not in (1, 3) or shape[1] != shape[2]:
            raise GlowliteError(
                f"Pictures of a folder are read as squares, in colour or grey, but the model's are {tuple(shape)}: "
                "choose a preset for square pictures."
            )
        images = picture_folder.read(data, shape[1], shape[0]).images
    else:
        images = pictures.load(data, split).images
    if tuple(images.shape[1:]) != tuple(shape):
        raise GlowliteError(
            f"The pictures of {data} have shape {tuple(images.shape[1:])}, the model takes {tuple(shape)}: "
            "choose a preset of the same shape."
        )
    return images


def open_stream(
    data: str,
    shape: tuple[int, int, int],
    batch: int,
    seed: int,
    device="cpu",
    rank: int = 0,
    world: int = 1,
    limit=None,
):
    """The batches of `data`: "faces", the name of a data set, or a folder of pictures.

    batch is the number of pictures for each of `world` processes, of which this is number `rank`; limit is that of the
    run that goes on, if one does (see PictureStream).
    """
    _tell_which(data)
    if data == "faces":
        return FaceStream(face_size(shape), batch, seed, device, rank, world)
    return PictureStream(read_pictures(data, shape), batch, seed, device, rank, world, limit)


def compare_pictures(data: str, now: Tensor, data_then: str, then: Tensor) -> None:
    """Tell what has changed since a run was saved; both Tensors are digests. GlowliteError if other data lack any."""
    gone, new = len(np.setdiff1d(then, now)), len(np.setdiff1d(now, then))
    if gone and data != data_then:
        raise GlowliteError(
            f"{data} lacks {gone:,} of the {len(then):,} pictures that this run learned from in {data_then}: "
            "name a folder or data set that has them, or start a new run."
        )
    if (gone or new) and speaks():
        print(
            f"{data} has changed since this run was saved: {new:,} pictures are new, {gone:,} are gone. "
            "No picture has gone from validation to training.",
            file=sys.stderr,
        )


def test_pictures(data: str, shape: tuple[int, int, int], count: int, device="cpu") -> Tensor:
    """At most `count` pictures for a last measurement: faces of another seed, a test split, or a folder."""
    _tell_which(data)
    if data == "faces":
        from glowlite.data import faces

        return faces.draw(count, size=face_size(shape), seed=TEST_SEED, device=device).images
    return read_pictures(data, shape, split="test")[:count].to(device)
