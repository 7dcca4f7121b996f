"""Labelled pictures: drawn faces, a data set with columns of attributes, or a folder with a table of them."""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from glowlite.data import datasets, faces, picture_folder, table
from glowlite.errors import GlowliteError

# What is measured on the people of fairface64: each attribute, and the columns whose sum it is. All other columns are
# none: a slider changes how people look into a camera, never their sex or race.
COLUMNS = {
    "fairface64": {
        "smile": ("smile", "smile_score"),
        **{name: (name,) for name in ("mouth_open", "eyes_open", "brows", "head_turn", "head_nod", "age")},
        **{name: (name,) for name in ("face_width", "light_side", "brightness", "colour")},
    }
}
MIRRORED = {"fairface64": ("head_turn", "light_side")}  # what changes its sign in a mirror
EXCLUDED = {"male", "female", "sex", "gender", "race", "ethnicity", "index"}  # never attributes, in whatever data
FACES = 24_576  # drawn faces, unless another number is asked for
SEEDS = {"train": 1, "test": 80_000_000}  # of drawn faces


class Labelled(NamedTuple):
    """Pictures and their attributes.

    images: uint8 (N, C, H, W); attributes: {name: float32 (N,)}, each of mean 0 and standard deviation 1; mirrored: the
    names of those that change their sign in a mirror, or None where pictures must not be mirrored.
    """

    images: Tensor
    attributes: dict[str, Tensor]
    mirrored: tuple[str, ...] | None = None

    def part(self, which: slice) -> "Labelled":
        """Some of the pictures: `part(slice(0, None, 2))` is every second one."""
        attributes = {name: values[which] for name, values in self.attributes.items()}
        return Labelled(self.images[which], attributes, self.mirrored)


def read(
    data: str, shape: tuple[int, int, int], split: str = "train", count: int | None = None, csv: str | None = None
) -> Labelled:
    """At most `count` labelled pictures of `shape` (C, H, W), of the split "train" or "test".

    data: "faces"; the name of a data set with attributes; or with `csv`, a table of them (see data/table.py), a folder,
    of which every tenth picture is a test. A picture that lacks a value is left out. GlowliteError where there are no
    attributes, or pictures of another shape.

    >>> images, attributes, _ = read("faces", (3, 16, 16), count=24)
    >>> images.shape, list(attributes)[:2]
    (torch.Size([24, 3, 16, 16]), ['smile', 'hair_colour'])
    """
    if csv is not None:
        images, names = picture_folder.read(data, shape[1], shape[0])
        columns = table.read_attributes(csv, names)
    elif data == "faces":
        images, columns = draw_faces(count or FACES, shape[1], SEEDS[split])
    elif Path(data).is_dir() and not datasets.is_known(data):
        raise GlowliteError(f"The pictures of {data} have no attributes yet: give a table of them with --csv.")
    else:
        images, columns = datasets.load(data, split).images, datasets.load_attributes(data, split)
    if tuple(images.shape[1:]) != tuple(shape):
        raise GlowliteError(f"The pictures of {data} have shape {tuple(images.shape[1:])}, the model takes {shape}.")
    sums = COLUMNS.get(data) or {name: (name,) for name in columns if name.lower() not in EXCLUDED}
    sums = {name: parts for name, parts in sums.items() if columns.keys() >= set(parts)}
    if not sums:
        raise GlowliteError(f"There are no attributes in {csv or data}: give data that have some, as faces does.")
    known = torch.stack([columns[part] for parts in sums.values() for part in parts]).isfinite().all(0).nonzero()[:, 0]
    if data != "faces":
        known = known[torch.randperm(len(known), generator=torch.Generator().manual_seed(0))]
    if csv is not None:
        known = known[::10] if split == "test" else known[torch.arange(len(known)) % 10 > 0]
    known = known[:count]
    if len(known) < 2 * len(sums) + 2:
        raise GlowliteError(
            f"Only {len(known)} pictures of {csv or data} have all {len(sums)} attributes, too few to learn from: "
            "give more, or a table with fewer columns."
        )
    attributes = {
        name: standardise(sum(standardise(columns[part][known], part) for part in parts), name)
        for name, parts in sums.items()
    }
    return Labelled(images[known], attributes, MIRRORED.get(data))


def draw_faces(count: int, size: int, seed: int) -> faces.Faces:
    """Drawn faces of whom half have a beard and half have glasses: a direction needs as many with as without."""
    even = 4 * torch.rand(count, len(faces.ABSENT), generator=torch.Generator().manual_seed(seed)) - 3
    amounts = dict(zip(faces.ABSENT, even.clamp(min=-1).T, strict=True))  # half are -1, none
    return faces.draw(count, size, seed, attributes=amounts)


def standardise(values: Tensor, name: str) -> Tensor:
    """Values of mean 0 and standard deviation 1, (N,). GlowliteError where all are equal."""
    deviation = values.double().std(correction=0)
    if not deviation > 0:
        raise GlowliteError(f"The attribute {name} is the same for all pictures, so it has no direction: leave it out.")
    return ((values.double() - values.double().mean()) / deviation).float()
