"""The colours of figures: x for pictures, z for latents, log_det for the log-det, and a few without a meaning.

They are from the palette of Okabe and Ito (2008), which people with any of the common kinds of colour
blindness can tell apart. The explorers' style sheet holds the same values of x, z and log_det.
"""

from typing import NamedTuple

from glowlite.errors import GlowliteError


class Shades(NamedTuple):
    """One meaning as two sRGB colours, "#rrggbb": for a light ground and for a dark one."""

    light: str
    dark: str


MEANINGS = {
    "x": Shades("#0072B2", "#56B4E9"),  # a picture, data space
    "z": Shades("#D55E00", "#F58A4B"),  # latents
    "log_det": Shades("#009E73", "#2FC79B"),  # log-det and likelihood
}
PALETTE = {
    "ink": "#797979",  # text and axes
    "faint": "#79797980",  # what is there but not today's subject
    **{name: shades.light for name, shades in MEANINGS.items()},
    "pink": "#CC79A7",
    "amber": "#E69F00",
    "sky": "#56B4E9",
}


def check_colour(name: str) -> str:
    """The same name if it is one of PALETTE or "#rrggbb"; GlowliteError for any other."""
    if name not in PALETTE and not (isinstance(name, str) and name.startswith("#")):
        raise GlowliteError(f"there is no colour {name!r}: choose {', '.join(PALETTE)} or #rrggbb")
    return name
