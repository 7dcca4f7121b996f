"""What explorers in a page know of a model beside its weights: measured once, and sent along with them."""

import io
from collections.abc import Callable, Mapping
from functools import partial

import torch
from PIL import Image
from torch import Tensor

from glowlab.explorers import gallery, labelled
from glowlab.explorers.precomputed import Precomputed
from glowlab.explorers.typical import known, read_typical
from glowlab.web.tables import people
from glowlite.data import faces
from glowlite.glow import GlowConfig
from glowlite.latents import cat

ACROSS = 10  # pictures in a row of a sheet


def facts(card: Mapping, stored: Precomputed, measure: Callable[[], Tensor] | None = None) -> dict:
    """Facts for the head of the file: `people`; `typical` bits per dimension; quality of samples and of the data.

    measure: gives bits per dimension of some pictures, (N,), for a card that does not tell what is typical
    """
    if {"bits_per_dim", "spread"} <= set(known(card)):
        measure = partial(torch.zeros, 2)  # which are not used
    return {
        "people": people(card),
        "typical": read_typical(card, measure())._asdict() if measure else None,
        "points": [point._asdict() for point in stored.points],
        "real": stored.real and stored.real._asdict(),
    }


def tensors(stored: Precomputed) -> dict[str, Tensor]:
    """Tensors: `radii`, the labelled pictures' effective temperatures, and the PCA of coarse pictures."""
    found = {}
    if len(stored.radii):
        found["radii"] = stored.radii.half()
    if stored.pca is not None:
        found |= {"pca.mean": stored.pca.mean.float(), "pca.components": stored.pca.components.half()}
    return {f"measured.{name}": values.contiguous() for name, values in found.items()}


def starts(config: GlowConfig, card: Mapping) -> tuple[dict[str, Tensor], list[dict]]:
    """The faces to start from, bytes (N, H, W, C), and their names and keys: drawn ones, or portraits.

    None for a model that is not of square colour pictures, of 16 pixels at least.
    """
    channels, height, width = config.shape
    if channels != 3 or height != width or width < 16:
        return {}, []
    draw = gallery.draw_people if people(card) == "drawn faces" else gallery.read_portraits
    images, names, keys = draw(width)
    known_faces = [{"name": name, "key": key} for name, key in zip(names, keys, strict=True)]
    return {"measured.gallery": images.permute(0, 2, 3, 1).contiguous()}, known_faces


def labels(config: GlowConfig, stored: Precomputed) -> tuple[dict[str, Tensor], dict]:
    """The labelled faces: positions and labels (names, N); directions that few labels give, in 1/127 of `scale`.

    And their names, numbers of labels, and whether the first hundred drawn faces come along as `sheet`, a file of ten
    rows.
    """
    names = list(stored.positions)
    if not names:
        return {}, {"names": [], "counts": [], "sheet": False}
    count = len(stored.positions[names[0]])
    known_labels = stored.labels or labelled.labels(names, count)
    found = {"places": torch.stack([stored.positions[name] for name in names]).half()}
    found["labels"] = torch.stack([known_labels[name][:count] for name in names]).half()
    if not stored.labels and config.shape[0] == 3:
        found["sheet"] = draw_sheet(config.shape[-1])
    for number, directions in stored.few.items():
        for level, values in enumerate(cat([directions[name] for name in names])):  # (names, C_l, H_l, W_l)
            scale = values.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12) / 127
            found[f"few.{number}.{level}"] = (values / scale).round().to(torch.int8)
            found[f"scale.{number}.{level}"] = scale.flatten()
    tensors = {f"measured.{name}": values.contiguous() for name, values in found.items()}
    return tensors, {"names": names, "counts": list(stored.few), "sheet": "sheet" in found}


def draw_sheet(size: int) -> Tensor:
    """The first hundred labelled faces, ten in a row, as the bytes of a lossless WebP."""
    images = faces.draw(ACROSS**2, size, labelled.SEED).images
    whole = torch.cat([torch.cat(list(row), -1) for row in images.split(ACROSS)], -2)  # (3, 10 size, 10 size)
    file = io.BytesIO()
    Image.fromarray(whole.permute(1, 2, 0).numpy()).save(file, "WEBP", lossless=True)
    return torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)
