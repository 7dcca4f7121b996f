"""The studio's state, without widgets: edits of a face's latents, and measurements of the result."""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from glowlab.explorers.address import Address
from glowlab.explorers.gallery import GalleryFace
from glowlab.explorers.render import Decoded, decode, measure_bits
from glowlite import latents as latent_space
from glowlite.errors import GlowliteError

PATHS = {"linear": latent_space.lerp, "spherical": latent_space.slerp}


@dataclass
class StudioState:
    """latents = (blend of start and partner) + sum of amount * direction, decoded to the picture."""

    model: torch.nn.Module
    directions: Mapping[str, list[Tensor]]  # name -> one (1, C_l, H_l, W_l) for each level; a step is a slider's unit
    start: GalleryFace
    partner: GalleryFace | None = None
    blend: float = 0.0  # 0: all start, 1: all partner
    path: str = "linear"  # or "spherical"
    amounts: dict[str, float] = field(default_factory=dict)  # name -> -1 ... 1

    def set_amount(self, name: str, amount: float) -> None:
        """Move along an attribute. GlowliteError for an unknown name or an amount that is no number."""
        if name not in self.directions:
            raise GlowliteError(f"There is no direction {name!r}; choose from {', '.join(self.directions)}.")
        if not math.isfinite(amount):
            raise GlowliteError(f"The amount of {name!r} must be a number, not {amount}.")
        if amount:
            self.amounts[name] = amount
        else:
            self.amounts.pop(name, None)

    def reset(self) -> None:
        """Undo edits and blend, and keep the face."""
        self.amounts.clear()
        self.blend = 0.0

    @torch.inference_mode()
    def latents(self) -> list[Tensor]:
        """Latents to decode; without edits, the start's latents bit for bit."""
        now = self.start.latents
        if self.partner is not None and self.blend:
            now = PATHS[self.path](now, self.partner.latents, self.blend)
        for name, amount in self.amounts.items():
            now = latent_space.add(now, self.directions[name], amount)
        return now

    def decode(self) -> Decoded:
        """Decode the latents. GlowliteError where a value is not finite."""
        return decode(self.model, self.latents())

    def bits_per_dim(self, image: Tensor) -> float:
        """Bits per dimension of a picture, uint8 (C, H, W)."""
        return measure_bits(self.model, image[None])[0]

    def change(self, image: Tensor) -> float:
        """Mean absolute difference from the start's picture, in grey levels (0 to 255)."""
        return (image.float() - self.start.image.float()).abs().mean().item()

    def surprise(self, chance: random.Random, partners: list[GalleryFace]) -> None:
        """Move two to four attributes at random and, one time in three, blend with one of `partners`."""
        self.reset()
        count = min(len(self.directions), chance.randint(2, 4))
        for name in chance.sample(list(self.directions), count):
            self.amounts[name] = round(chance.choice((-1, 1)) * chance.uniform(0.4, 1.0), 2)
        others = [face for face in partners if face is not self.start]
        if others and chance.random() < 1 / 3:
            self.partner = chance.choice(others)
            self.blend = round(chance.uniform(0.2, 0.6), 2)

    # ---- the page's address --------------------------------------------------------------------------------

    def query(self) -> dict[str, str]:
        """The state for an address, without what is at rest and what has no key."""
        values = {"face": self.start.key}
        if self.partner is not None and self.blend:
            values |= {"with": self.partner.key, "blend": f"{self.blend:.2f}"}
            values["path"] = "" if self.path == "linear" else self.path
        return values | {name: f"{amount:.2f}" for name, amount in self.amounts.items()}

    def take(self, address: Address, find: Callable[[str], GalleryFace | None]) -> None:
        """Set the state from an address; `find(key)` gives a face or None. Nonsense is left out."""
        self.reset()
        self.start = address.face("face", find, self.start)
        if partner := address.face("with", find, None):
            self.partner = partner
            self.blend = address.number("blend", 0.0, 1.0, 0.0)
        self.path = address.one_of("path", PATHS, "linear")
        for name in self.directions:
            self.set_amount(name, address.number(name, -1.0, 1.0, 0.0))
