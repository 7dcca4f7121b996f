"""A face moved along attributes, kept within what the model draws well; and a picture of where it changed."""

import torch
from torch import Tensor

from glowlab.explorers.state import StudioState
from glowlite import latents as latent_space

HOTTEST = 1.3  # effective temperature up to which the model's pictures stay free of black and white spots
STRONG = 64  # grey levels of change that are shown brightest
HEAT = torch.tensor([[21, 23, 27], [122, 47, 22], [213, 94, 0], [245, 166, 80], [255, 246, 230]]) / 1.0


class Moved(StudioState):
    """As in the studio, but the latents of a face are never pushed out further than an effective temperature of 1.3.

    Directions from few labels are mostly chance, and so long that several together would leave all faces behind.
    """

    held = False  # whether the last latents had to be held back

    @torch.inference_mode()
    def latents(self) -> list[Tensor]:
        """What is decoded; untouched, the start's latents bit for bit."""
        now = super().latents()
        reached = latent_space.effective_temperature(now).item()
        most = max(HOTTEST, latent_space.effective_temperature(self.start.latents).item())
        self.held = reached > most * (1 + 1e-4)
        return latent_space.scale(now, most / reached) if self.held else now


def heat(before: Tensor, after: Tensor) -> Tensor:
    """Where two pictures differ, uint8 (C, H, W) each, as a picture (3, H, W): dark where they are the same."""
    change = (after.float() - before.float()).abs().mean(0) / STRONG
    place = change.clamp(0, 1) * (len(HEAT) - 1)
    low = place.long().clamp(max=len(HEAT) - 2)
    share = (place - low)[..., None]
    shown = HEAT[low] * (1 - share) + HEAT[low + 1] * share
    return shown.round().to(torch.uint8).movedim(-1, 0)


def where(before: Tensor, after: Tensor) -> str:
    """In words, which ninth of the picture changed most."""
    change = (after.float() - before.float()).abs().mean(0)[None, None]
    if change.max() < 2:
        return "nowhere"
    ninth = int(torch.nn.functional.adaptive_avg_pool2d(change, 3).argmax())
    row, column = (
        ("at the top", "in the middle", "at the bottom")[ninth // 3],
        ("left", "", "right")[ninth % 3],
    )
    return f"most {row}, {column}" if column else f"most {row}"


def cosines(directions: dict[str, list[Tensor]]) -> Tensor:
    """Cosine between every two directions: (k, k)."""
    flat = torch.cat([latent_space.flatten(step) for step in directions.values()])
    flat = flat / flat.norm(dim=1, keepdim=True)
    return (flat @ flat.T).cpu()


def provenance(made: dict) -> str:
    """In words, where a model's own directions come from, as far as `made` tells: "count" of labels, "parted"."""
    labels = f", from {made['count']:,} labels" if "count" in made else ""
    parted = ", parted by measuring what each of them moves" if made.get("parted") else ""
    return f"These are the model's own{labels}{parted}."
