"""Text on a page: `Readout`, a strip of numbers, and `Words`, a description and a hint."""

import anywidget
import traitlets

from glowlab.widgets import JS


class Readout(anywidget.AnyWidget):
    """A strip of entries {name, value, note}; optional: unit, tone (as in figures/colours.py), flag, stale."""

    _esm = JS / "readout.js"
    entries = traitlets.List(traitlets.Dict()).tag(sync=True)


class Words(anywidget.AnyWidget):
    """`says`: a description of the picture, which screen readers read aloud; `hint`: advice what to try next."""

    _esm = JS / "words.js"
    says = traitlets.Unicode().tag(sync=True)
    hint = traitlets.Unicode().tag(sync=True)
