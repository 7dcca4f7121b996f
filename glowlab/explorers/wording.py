"""Words of the explorers: names for both ends of an attribute, sentences about a picture, the strip of numbers."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parents[1] / "web" / "explorers" / "wordings.json"  # which the page reads, too


class Wording(NamedTuple):
    """Title, names of the slider's ends, and words for less and more of it ("{}" takes an adverb)."""

    title: str
    low: str
    high: str
    less: str
    more: str


WORDINGS = {name: Wording(*words) for name, words in json.loads(FILE.read_text(encoding="utf-8")).items()}


def wording(name: str) -> Wording:
    """The wording of an attribute; a plain one for an attribute that has none in WORDINGS."""
    plain = name.replace("_", " ")
    return WORDINGS.get(name, Wording(plain.capitalize(), "less", "more", f"{{}}less {plain}", f"{{}}more {plain}"))


def change(name: str, amount: float) -> str:
    """Words for the change of an attribute by `amount` (slider units); empty where it is hardly seen."""
    if abs(amount) < 0.1:
        return ""
    adverb = "slightly " if abs(amount) < 0.35 else "much " if abs(amount) > 0.8 else ""
    phrase = wording(name).more if amount > 0 else wording(name).less
    return phrase.format(adverb)


def listing(items: list[str]) -> str:
    """["a", "b", "c"] -> "a, b and c"."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def describe(start: str, amounts: Mapping[str, float], partner: str = "", blend: float = 0.0, unlike: str = "") -> str:
    """One sentence: the face, its edits, the face it is blended with.

    Of a picture that is unlike what the model learned from (`unlike` names that: "drawn faces") it says where it was
    moved, not that it now has the attribute.
    """
    changes = [words for name, amount in amounts.items() if (words := change(name, amount))]
    text = start[:1].upper() + start[1:]
    if partner and blend >= 0.01:
        text += (
            f", blended {round(100 * blend)} % with {partner}"
            if blend < 0.995
            else f", turned all the way into {partner}"
        )
    if changes and unlike:
        text += f", moved towards {listing(changes)}, as {unlike} have it"
    elif changes:
        text += (", then given " if partner and blend >= 0.01 else " with ") + listing(changes)
    elif not (partner and blend >= 0.01):
        text += ", unchanged"
    return text + "."


def readout_entries(bits: float, stale: bool, typical, decoded, change: float) -> list[dict]:
    """Entries of a `Readout`: bits per dimension (beside `typical`), temperature, change, time.

    `stale`: the bits are those of an earlier picture, since they are measured only while nothing moves.
    """
    usual = f"held-out faces: {typical.mean:.2f}\u00a0\u00b1\u00a0{typical.spread:.2f}"
    known = not math.isnan(bits)  # not yet measured on a new page
    unlike = known and typical.unlike(bits)
    return [
        {
            "name": "Bits per dimension",
            "value": f"{bits:.2f}" if known else "\u2013",
            "note": f"unlike what it learned from; {usual}" if unlike else usual,
            "tone": "log-det",
            "flag": unlike and not stale,
            "stale": stale,
        },
        {
            "name": "Effective temperature",
            "value": f"{decoded.temperature:.2f}",
            "note": "|eps| / \u221aD; a typical draw: 1.00",
            "tone": "z",
        },
        {
            "name": "Change from the start",
            "value": f"{change:.1f}",
            "note": "grey levels of 255, mean over pixels",
            "tone": "x",
        },
        {
            "name": "Time to draw",
            "value": f"{decoded.milliseconds:.0f}" if decoded.milliseconds else "\u2013",
            "unit": "ms" if decoded.milliseconds else "",
            "note": "latents \u2192 picture" if decoded.milliseconds else "computed before",
        },
    ]
