"""What explorers in a page know of a model beside its weights: measured once, and sent along with them."""

from collections.abc import Mapping

from torch import Tensor

from glowlab.explorers.precomputed import Precomputed
from glowlab.explorers.typical import known

REAL = ("fairface64", "celeba")  # data sets of real faces, by the beginning of their names


def people(card: Mapping) -> str:
    """The pictures that a model learned from, in sentences."""
    data = str(card.get("data", ""))
    return "drawn faces" if data == "faces" else "real faces" if data.startswith(REAL) else "pictures"


def facts(card: Mapping, stored: Precomputed) -> dict:
    """Facts for the head of the file: `people`; `typical` bits per dimension; quality of samples and of the data."""
    held_out = known(card)
    complete = {"bits_per_dim", "spread"} <= set(held_out)
    return {
        "people": people(card),
        "typical": {"mean": held_out["bits_per_dim"], "spread": max(held_out["spread"], 1e-3)} if complete else None,
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
