"""What a person reads: `Readout`, a strip of numbers, and `Words`, what the picture shows and a hint."""

import math

import anywidget
import traitlets

from glowlab.widgets import JS


class Readout(anywidget.AnyWidget):
    """Entries {name, value, note}, if wanted with unit, tone (as in figures/colours.py), flag and stale."""

    _esm = JS / "readout.js"
    entries = traitlets.List(traitlets.Dict()).tag(sync=True)


class Words(anywidget.AnyWidget):
    """`says`: what the picture shows, which screen readers read aloud; `hint`: what to try next."""

    _esm = JS / "words.js"
    says = traitlets.Unicode().tag(sync=True)
    hint = traitlets.Unicode().tag(sync=True)


def numbers(bits: float, stale: bool, typical, drawn, change: float) -> list[dict]:
    """The strip under a picture: bits/dim beside held-out ones (`typical`), temperature, change, time.

    `stale`: bits were measured on an earlier picture, since they are only known once things rest.
    """
    usual = f"held-out faces: {typical.mean:.2f}\u00a0\u00b1\u00a0{typical.spread:.2f}"
    known = not math.isnan(bits)  # until a page has rested for the first time
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
            "value": f"{drawn.temperature:.2f}",
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
            "value": f"{drawn.milliseconds:.0f}" if drawn.milliseconds else "\u2013",
            "unit": "ms" if drawn.milliseconds else "",
            "note": "latents \u2192 picture" if drawn.milliseconds else "kept from before",
        },
    ]
