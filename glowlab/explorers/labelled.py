"""A thousand labelled faces: their positions along each direction, and the directions that few labels give."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from glowlite import latents as latent_space
from glowlite.data import faces
from glowlite.errors import GlowliteError

SEED = 1  # of the drawn faces that are labelled
COUNT = 1000
BATCH = 8  # faces that are encoded at once
FEW = (10, 100, 1000)  # how many labels a direction can be made from here
REACH = 0.72  # the change of an attribute for a slider's unit: 1.25 standard deviations, as in the shipped directions


def labels(names: list[str], count: int = COUNT) -> dict[str, Tensor]:
    """Labels of the first `count` labelled faces: (count,) in [-1, 1] for each name."""
    table = faces.numbers(count, SEED)
    return {name: table[:, faces.PARAMETERS.index(name)] for name in names}


def direction(latents: list[Tensor], values: Tensor) -> list[Tensor]:
    """Direction from B latents and labels: mean with minus mean without, split at the median; a step is REACH long.

    The published demo's direction (Kingma & Dhariwal 2018, section 6), at the length that a slider's unit needs.
    """
    has = values > values.median()
    found = latent_space.mean_difference(latents, has)
    gap = (values[has].mean() - values[~has].mean()).item()
    return [REACH / gap * eps for eps in found]


def project(latents: list[Tensor], step: list[Tensor]) -> Tensor:
    """Positions of latents (B, ...) along a direction, in steps of the direction: (B,)."""
    flat = latent_space.flatten(step)[0]
    return latent_space.flatten(latents).float() @ flat / flat.square().sum()


@dataclass
class Labelled:
    """The labelled faces under one model. `encode` adds missing faces, a few at a time.

    positions   name -> (n,): positions of the first n faces along the model's own directions
    few         how many labels -> name -> the direction they give, once it was found
    radii       (n,): the effective temperatures of those faces
    labels      name -> (n,), with a standard deviation of 0.58; None: the drawn faces and their labels
    images      gives the first n faces, uint8 (n, C, H, W); None where these pictures are not here
    """

    model: torch.nn.Module
    directions: Mapping[str, list[Tensor]]
    positions: dict[str, Tensor] = field(default_factory=dict)
    few: dict[int, dict[str, list[Tensor]]] = field(default_factory=dict)
    radii: Tensor = field(default_factory=lambda: torch.zeros(0))
    labels: Mapping[str, Tensor] | None = None
    images: Callable[[int], Tensor] | None = None

    def __post_init__(self):
        known = faces.ATTRIBUTES if self.labels is None else self.labels
        self.names = [name for name in self.directions if name in known]
        if self.labels is None:
            self.labels = labels(self.names)
            self.images = lambda count: faces.draw(count, self.model.config.shape[-1], SEED).images
        self.rows: list[list[Tensor]] = []  # float16 latents of the faces encoded here

    def ready(self, count: int, batch: int = 0) -> bool:
        """Whether `find` can give this direction without encoding."""
        return (batch == 0 and count in self.few) or len(self.rows) >= count * (batch + 1)

    @torch.inference_mode()
    def encode(self, count: int) -> Iterator[int]:
        """Encode the first `count` faces as far as needed; yields how many are done after each piece."""
        if len(self.rows) < count:
            images = self.images(count)
        while (start := len(self.rows)) < count:
            half = [eps.half().cpu() for eps in self.model.encode(images[start : min(start + BATCH, count)])]
            self.rows += [[eps[i : i + 1] for eps in half] for i in range(len(half[0]))]
            yield len(self.rows)

    @torch.inference_mode()
    def find(self, count: int, batch: int = 0) -> dict[str, list[Tensor]]:
        """The direction of each attribute from labels number count * batch to count * (batch + 1).

        GlowliteError unless that many have been encoded.
        """
        if batch == 0 and count in self.few:
            return self.few[count]
        which = slice(count * batch, count * (batch + 1))
        rows = self.rows[which]
        if len(rows) < count:
            raise GlowliteError(f"{count} labels need as many encoded faces, not {len(rows)}")
        latents = [eps.float() for eps in latent_space.cat(rows)]
        found = {name: direction(latents, self.labels[name][which]) for name in self.names}
        if batch == 0:
            self.few[count] = found
        return found

    @torch.inference_mode()
    def place(self) -> None:
        """Measure positions and effective temperatures of all faces encoded so far."""
        latents = latent_space.cat(self.rows)
        self.positions = {name: project(latents, self.directions[name]) for name in self.names}
        self.radii = latent_space.effective_temperature([eps.float() for eps in latents])
