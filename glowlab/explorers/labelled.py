"""A thousand faces with labels: where they lie along each direction, and what direction few of them give."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from glowlab.explorers.scheduler import Pace
from glowlite import latents as latent_space
from glowlite.data import faces
from glowlite.errors import GlowliteError

SEED = 1  # the first of the faces that the shipped directions were made from
COUNT = 1000
FEW = (10, 100, 1000)  # how many labels a direction can be made from here
REACH = 0.635  # what a slider's unit moves an attribute by: 1.1 standard deviations, as the shipped directions do


def labels(names: list[str], count: int = COUNT) -> dict[str, Tensor]:
    """What is known about the first `count` labelled faces: (count,) in [-1, 1] for each name."""
    table = faces.numbers(count, SEED)
    return {name: table[:, faces.PARAMETERS.index(name)] for name in names}


def direction(latents: list[Tensor], values: Tensor) -> list[Tensor]:
    """From B latents and as many labels: with minus without, parted at the middle label; a step is REACH of the label.

    The published demo's direction (Kingma & Dhariwal 2018, section 6), at the length that a slider's unit needs.
    """
    has = values > values.median()
    found = latent_space.mean_difference(latents, has)
    gap = (values[has].mean() - values[~has].mean()).item()
    return [REACH / gap * eps for eps in found]


def project(latents: list[Tensor], step: list[Tensor]) -> Tensor:
    """Where latents (B, ...) lie along a direction, in steps of the direction: (B,)."""
    flat = latent_space.flatten(step)[0]
    return latent_space.flatten(latents).float() @ flat / flat.square().sum()


@dataclass
class Labelled:
    """The labelled faces under one model. `encode` brings what is missing, a few faces at a time.

    places      name -> (n,): where the first n faces lie along the model's own directions
    few         how many labels -> name -> the direction they give, once it is known
    radii       (n,): the effective temperatures of those faces
    """

    model: torch.nn.Module
    directions: Mapping[str, list[Tensor]]
    places: dict[str, Tensor] = field(default_factory=dict)
    few: dict[int, dict[str, list[Tensor]]] = field(default_factory=dict)
    radii: Tensor = field(default_factory=lambda: torch.zeros(0))

    def __post_init__(self):
        self.names = [name for name in self.directions if name in faces.ATTRIBUTES]
        self.labels = labels(self.names)
        self.pace = Pace()
        self.rows: list[list[Tensor]] = []  # float16 latents of the faces encoded here

    def known(self) -> int:
        """How many faces' places are known."""
        return len(next(iter(self.places.values()), ()))

    def ready(self, count: int, batch: int = 0) -> bool:
        """Whether `find` knows this direction already."""
        return (batch == 0 and count in self.few) or len(self.rows) >= count * (batch + 1)

    @torch.inference_mode()
    def encode(self, count: int) -> Iterator[int]:
        """Encode the first `count` faces as far as needed; gives how many are done after each piece."""
        device = next(self.model.parameters()).device
        if len(self.rows) < count:
            images = faces.draw(count, self.model.config.shape[-1], SEED).images
        while (start := len(self.rows)) < count:
            part = images[start : start + self.pace.count].to(device)
            self.pace.timed(lambda part=part: self._keep(self.model.encode(part)), len(part))
            yield len(self.rows)

    def _keep(self, latents: list[Tensor]) -> None:
        half = [eps.half().cpu() for eps in latents]
        self.rows += [[eps[i : i + 1] for eps in half] for i in range(len(half[0]))]

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
        latents = [torch.cat(level).float() for level in zip(*rows, strict=True)]
        found = {name: direction(latents, self.labels[name][which]) for name in self.names}
        if batch == 0:
            self.few[count] = found
        return found

    @torch.inference_mode()
    def place(self) -> None:
        """Find where all faces encoded so far lie: along the model's own directions, and from the middle."""
        latents = [torch.cat(level) for level in zip(*self.rows, strict=True)]
        self.places = {name: project(latents, self.directions[name]) for name in self.names}
        self.radii = latent_space.effective_temperature([eps.float() for eps in latents])
