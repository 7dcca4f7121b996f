"""The attribute explorer's state: a face moved along attributes, and what can be said about its change."""

import torch
from torch import Tensor

from glowlab.explorers.studio_state import StudioState
from glowlite import latents as latent_space

LIMIT = 1.3  # effective temperature up to which the model's pictures stay free of black and white spots
STRONG = 64  # grey levels of change that are shown brightest
SHADES = torch.tensor([[21, 23, 27], [122, 47, 22], [213, 94, 0], [245, 166, 80], [255, 246, 230]]) / 1.0


class AttributeState(StudioState):
    """As in the studio, but the latents of a face never exceed an effective temperature of 1.3.

    Directions from few labels are mostly chance, and so long that several together would lead away from all faces.
    """

    limited = False  # whether the last latents were scaled down

    @torch.inference_mode()
    def latents(self) -> list[Tensor]:
        """Latents to decode; without edits, the start's latents bit for bit."""
        now = super().latents()
        reached = latent_space.effective_temperature(now).item()
        most = max(LIMIT, latent_space.effective_temperature(self.start.latents).item())
        self.limited = reached > most * (1 + 1e-4)
        return latent_space.scale(now, most / reached) if self.limited else now


def paint_change(before: Tensor, after: Tensor) -> Tensor:
    """Picture (3, H, W) of where two pictures, uint8 (C, H, W), differ: dark where they are the same."""
    change = (after.float() - before.float()).abs().mean(0) / STRONG
    place = change.clamp(0, 1) * (len(SHADES) - 1)
    low = place.long().clamp(max=len(SHADES) - 2)
    share = (place - low)[..., None]
    shown = SHADES[low] * (1 - share) + SHADES[low + 1] * share
    return shown.round().to(torch.uint8).movedim(-1, 0)


def locate_change(before: Tensor, after: Tensor) -> str:
    """Words for the ninth of the picture that changed most."""
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


def describe_directions(made: dict) -> str:
    """One sentence on how a model's own directions were made; `made` may hold "count" of labels and "parted"."""
    labels = f", from {made['count']:,} labels" if "count" in made else ""
    parted = ", parted by measuring what each of them moves" if made.get("parted") else ""
    return f"These are the model's own{labels}{parted}."
