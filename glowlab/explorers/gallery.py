"""The faces one can choose from: the gallery, fresh ones, a picture of one's own."""

from typing import NamedTuple

import torch
from torch import Tensor

from glowlab.explorers.address import OWN
from glowlab.explorers.cache import Kept
from glowlab.explorers.render import draw_all
from glowlite import latents as latent_space
from glowlite.data import faces
from glowlite.data.pictures import read_picture

GALLERY_SEED = 2  # held out: no run trains on a face of a seed that a person can give (data/stream.py)
PEOPLE = {  # twelve people, as unlike as their attributes allow; all else about them comes from the seed
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
FRESH, FRESH_KEY = 8, "fresh"
HOTTEST = 1.2  # the highest temperature
GALLERIES = Kept(1)


class Face(NamedTuple):
    """A picture together with its latents."""

    name: str  # within a sentence: "gallery face 3", "your picture"
    image: Tensor  # uint8 (C, H, W), on the CPU
    latents: list[Tensor]  # (1, C_l, H_l, W_l) for each level
    key: str  # stands for it in the page's address
    foreign: bool = False  # unlike all that the model learned from


def as_tiles(shown: list[Face]) -> tuple[Tensor, list[str]]:
    """What `Tiles.show` takes."""
    return torch.stack([face.image for face in shown]), [face.name for face in shown]


def place_of(face: Face | None, among: list[Face]) -> int:
    """The number of this very face among others; -1 if it is none of them."""
    return next((i for i, other in enumerate(among) if other is face), -1)


def split(latents: list[Tensor]) -> list[list[Tensor]]:
    """Latents of B pictures -> B times the latents of one."""
    return [[eps[i : i + 1] for eps in latents] for i in range(len(latents[0]))]


@torch.inference_mode()
def encode_faces(model, images: Tensor, names: list[str], keys: list[str]) -> list[Face]:
    """Encode pictures, uint8 (N, C, H, W), as N faces."""
    rows = split(model.encode(images.to(next(model.parameters()).device)))
    return [Face(*face) for face in zip(names, images.cpu(), rows, keys, strict=True)]


@torch.inference_mode()
def fresh_faces(model, count: int, temperature: float, seed: int) -> list[Face]:
    """Draw `count` new faces. For one seed, eps is the same at every temperature up to that factor."""
    generator = torch.Generator().manual_seed(seed)
    eps = latent_space.sample_eps(model.latent_shapes, count, generator, next(model.parameters()).device)
    eps = latent_space.scale(eps, temperature)
    names = [f"fresh face {i + 1}" for i in range(count)]
    keys = [f"{FRESH_KEY}-{seed}-{temperature:.2f}-{i + 1}" for i in range(count)]
    images = [drawn.image for drawn in draw_all(model, eps)]
    return [Face(*face) for face in zip(names, images, split(eps), keys, strict=True)]


def gallery_of(model) -> list[Face]:
    """Twelve drawn faces, held out, and their latents."""
    people = {name: torch.tensor(values) for name, values in PEOPLE.items()}
    count = len(PEOPLE["smile"])
    images = faces.draw(count, size=model.config.shape[-1], seed=GALLERY_SEED, attributes=people).images
    numbers = range(1, count + 1)
    names, keys = [f"gallery face {i}" for i in numbers], [f"gallery-{i}" for i in numbers]
    return encode_faces(model, images, names, keys)


class Shelf:
    """gallery: drawn faces, held out; fresh: the model's own; extra: uploads and the fresh face last chosen."""

    def __init__(self, model):
        self.model, self.size = model, model.config.shape[-1]
        (gallery,) = GALLERIES.all(model, ["gallery"], lambda which: [gallery_of(model)])
        self.gallery: list[Face] = list(gallery)
        self.fresh: list[Face] = []
        self.fresh_seed, self.temperature = 1, 0.7  # of the fresh faces
        self.extra: dict[str, Face] = {}

    def draw_fresh(self, temperature: float) -> None:
        """Draw the fresh faces of the present seed at this temperature."""
        self.temperature = temperature
        self.fresh = fresh_faces(self.model, FRESH, temperature, self.fresh_seed)

    def keep(self, face: Face) -> None:
        """Put a face from elsewhere among those to blend with, in place of the last of its kind."""
        self.extra[face.name if face.key == OWN else FRESH_KEY] = face

    def partners(self) -> list[Face]:
        """All that one can blend with."""
        return [*self.gallery, *self.extra.values()]

    def read(self, data: bytes, name: str = "your picture") -> Face:
        """A picture of one's own, from a file's bytes. GlowliteError if it cannot be used, saying why."""
        (face,) = encode_faces(self.model, read_picture(data, self.size)[None], [name], [OWN])
        return face

    def find(self, key: str) -> Face | None:
        """The face that a key in an address stands for; None if there is none."""
        if not key.startswith(f"{FRESH_KEY}-"):
            return next((face for face in self.gallery if face.key == key), None)
        try:
            _, seed, temperature, number = key.split("-")
            seed, temperature, number = int(seed), float(temperature), int(number)
        except ValueError:
            return None
        if not (0 < seed < 2**31 and 0 <= temperature <= HOTTEST and 1 <= number <= FRESH):
            return None
        shown = self.fresh and (seed, temperature) == (self.fresh_seed, self.temperature)
        face = (self.fresh if shown else fresh_faces(self.model, FRESH, temperature, seed))[number - 1]
        self.keep(face)
        return face
