"""Text on a page: `Readout`, a strip of numbers, and `Words`, a description and a hint."""

import traitlets

from glowlab.widgets import JS
from glowlab.widgets.base import Widget


class Readout(Widget):
    """A strip of entries {name, value, note}; optional: unit, tone (as in figures/colours.py), flag, stale."""

    _esm = JS / "readout.js"
    entries = traitlets.List(traitlets.Dict()).tag(sync=True)


class Words(Widget):
    """`says`: a description of the picture, which screen readers read aloud; `hint`: advice what to try next."""

    _esm = JS / "words.js"
    says = traitlets.Unicode().tag(sync=True)
    hint = traitlets.Unicode().tag(sync=True)
