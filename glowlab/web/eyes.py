"""Where faces of the data sets have their eyes, so that a page can crop a person's own picture alike."""

from collections.abc import Mapping

from glowlite.data.align import EYES
from glowlite.data.celeba import size_of

# x and y of the eye at the left and of that at the right, as shares of the picture's sides.
PLACES = {
    "fairface64": tuple((eye.real / 64, eye.imag / 64) for eye in EYES),
    "celeba": ((0.368, 0.480), (0.626, 0.480)),  # of the published landmarks (69.5, 111) and (107.6, 111)
    "faces": ((0.412, 0.467), (0.588, 0.467)),  # of data/portrait.py: a face in the mean
}


def find_places(card: Mapping) -> list[list[float]] | None:
    """The eyes of the pictures that a model learned from, [[x, y], [x, y]]; None where they are not known.

    >>> find_places({"data": "celeba32"})
    [[0.368, 0.48], [0.626, 0.48]]
    """
    data = str(card.get("data", ""))
    places = PLACES.get("celeba" if size_of(data) else data)
    return places and [list(eye) for eye in places]
