"""The three colours that mean something wherever they appear: pictures x, latents z, the log-det between.

They are from the palette of Okabe and Ito (2008), which people with any of the common kinds of colour
blindness can tell apart; lighter shades for a dark ground. The explorers' style sheet holds the same values.
"""

from typing import NamedTuple


class Shades(NamedTuple):
    """One meaning as two sRGB colours, "#rrggbb": for a light ground and for a dark one."""

    light: str
    dark: str


X = Shades("#0072B2", "#56B4E9")  # a picture, data space
Z = Shades("#D55E00", "#F58A4B")  # latents
LOG_DET = Shades("#009E73", "#2FC79B")  # log-det and likelihood
MEANINGS: dict[str, Shades] = {"x": X, "z": Z, "log_det": LOG_DET}


def colour(meaning: str, dark: bool = False) -> str:
    """The colour of "x", "z" or "log_det" as "#rrggbb"; KeyError for anything else."""
    return MEANINGS[meaning][1 if dark else 0]
