"""The faces to start from: held-out drawn faces or portraits, and fresh ones."""

import csv
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from glowlite import latents as latent_space
from glowlite.data import faces
from glowlite.data.pictures import read_picture
from glowlite.folders import ASSETS

GALLERY_SEED = 2  # held out: no run trains on a face of a seed that a person can give (training/stream.py)
PEOPLE = {  # twelve people with attributes as different as possible; all else about them comes from the seed
    "smile": [0.1, 0.9, -0.2, 0.4, 0.8, 0.0, 0.6, -0.5, 0.9, 0.2, 0.7, -0.1],
    "hair_colour": [-0.3, 0.9, -0.9, 0.4, -0.6, -1.0, 0.7, -0.2, 0.1, 0.95, -0.8, 0.3],
    "hair_length": [0.3, 0.8, -0.9, -0.5, 0.5, -0.9, 0.0, -0.7, 0.9, -0.8, 0.1, 0.6],
    "beard": [-1, -1, 0.8, -1, -1, -0.9, -1, 0.9, -1, 0.3, -1, -1],
    "glasses": [-1, -1, -1, 0.8, -1, 0.7, -1, -1, 0.5, -1, -1, 0.9],
    "skin_tone": [-0.4, -0.8, 0.1, -0.6, 0.7, 0.95, 0.3, -0.5, 0.2, -0.9, 0.5, -0.3],
    "head_turn": [0.1, -0.3, 0.2, 0.5, -0.2, 0.0, 0.4, -0.5, 0.1, 0.3, -0.4, 0.0],
    "age": [-0.8, -0.6, -0.2, -0.9, -0.7, 0.0, -0.5, 0.7, -0.8, -0.3, 0.6, 0.9],
    "eye_openness": [0.3, 0.2, 0.0, 0.5, 0.3, 0.1, 0.6, 0.0, 0.4, 0.2, 0.3, 0.1],
    "face_width": [-0.2, -0.5, 0.3, 0.0, -0.4, 0.4, -0.1, 0.6, -0.6, 0.2, 0.0, 0.1],
}
PORTRAITS = ASSETS / "portraits"  # public-domain portraits, and a table of them
FRESH, FRESH_KEY = 8, "fresh"
MAX_TEMPERATURE = 1.2  # of fresh faces


class GalleryFace(NamedTuple):
    """A picture together with its latents."""

    name: str  # within a sentence: "gallery face 3", "your picture"
    image: Tensor  # uint8 (C, H, W), on the CPU
    latents: list[Tensor]  # (1, C_l, H_l, W_l) for each level
    key: str  # stands for it in the page's address


def split(latents: list[Tensor]) -> list[list[Tensor]]:
    """Split the latents of B pictures into those of each one."""
    return [[eps[i : i + 1] for eps in latents] for i in range(len(latents[0]))]


@torch.inference_mode()
def encode_faces(model, images: Tensor, names: list[str], keys: list[str]) -> list[GalleryFace]:
    """Encode pictures, uint8 (N, C, H, W), as N faces."""
    rows = split(model.encode(images))
    return [GalleryFace(*face) for face in zip(names, images.cpu(), rows, keys, strict=True)]


@torch.inference_mode()
def sample_faces(model, count: int, temperature: float, seed: int) -> list[GalleryFace]:
    """Sample `count` new faces. For one seed, eps at every temperature is the same up to that factor."""
    generator = torch.Generator().manual_seed(seed)
    eps = latent_space.sample_eps(model.latent_shapes, count, generator, model.device)
    eps = latent_space.scale(eps, temperature)
    names = [f"fresh face {i + 1}" for i in range(count)]
    keys = [f"{FRESH_KEY}-{seed}-{temperature:.2f}-{i + 1}" for i in range(count)]
    return [GalleryFace(*face) for face in zip(names, model.decode(eps).cpu(), split(eps), keys, strict=True)]


def learned_drawn_faces(card: Mapping) -> bool:
    """Whether a model, by its card, learned from drawn faces; a card that names no data counts as such."""
    return card.get("data", "faces") == "faces"


def read_portraits(size: int) -> tuple[Tensor, list[str], list[str]]:
    """The public-domain portraits: pictures uint8 (N, 3, size, size), names, keys."""
    with open(PORTRAITS / "portraits.csv", encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    images = torch.stack([read_picture(PORTRAITS / f"{row['file']}.png", size) for row in rows])
    return images, [row["name"] for row in rows], [row["file"].replace("_", "-") for row in rows]


def draw_people(size: int) -> tuple[Tensor, list[str], list[str]]:
    """Twelve held-out drawn faces: pictures uint8 (N, 3, size, size), names, keys."""
    people = {name: torch.tensor(values) for name, values in PEOPLE.items()}
    count = len(PEOPLE["smile"])
    images = faces.draw(count, size=size, seed=GALLERY_SEED, attributes=people).images
    numbers = range(1, count + 1)
    return images, [f"gallery face {i}" for i in numbers], [f"gallery-{i}" for i in numbers]


def to_channels(images: Tensor, channels: int) -> Tensor:
    """Colour pictures, uint8 (N, 3, H, W), for a model of so many channels: their luma for a grey one."""
    if channels == 3:
        return images
    return (images * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True).round().to(torch.uint8)


class Gallery:
    """faces: held-out drawn faces, or portraits, with their latents."""

    def __init__(self, model, drawn: bool = True):
        self.model = model
        channels, _, size = model.config.shape
        images, names, keys = (draw_people if drawn else read_portraits)(size)
        self.faces = encode_faces(model, to_channels(images, channels), names, keys)

    def find(self, key: str) -> GalleryFace | None:
        """The face that a key stands for, of the gallery or a fresh one; None if there is none."""
        if not key.startswith(f"{FRESH_KEY}-"):
            return next((face for face in self.faces if face.key == key), None)
        try:
            _, seed, temperature, number = key.split("-")
            seed, temperature, number = int(seed), float(temperature), int(number)
        except ValueError:
            return None
        if not (0 < seed < 2**31 and 0 <= temperature <= MAX_TEMPERATURE and 1 <= number <= FRESH):
            return None
        return sample_faces(self.model, FRESH, temperature, seed)[number - 1]
