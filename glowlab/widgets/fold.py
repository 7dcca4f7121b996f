"""A button that folds part of a page away and brings it back."""

import anywidget
import ipywidgets
import traitlets

from glowlab.widgets import JS


class Fold(anywidget.AnyWidget):
    """Shows `content` while `value` is true; the keyboard and screen readers know it as a button that expands."""

    _esm = JS / "fold.js"
    label = traitlets.Unicode().tag(sync=True)
    value = traitlets.Bool(False).tag(sync=True)

    def __init__(self, content: ipywidgets.DOMWidget, **traits):
        self.content = content
        super().__init__(**traits)
        self._follow()

    @traitlets.observe("value")
    def _follow(self, change=None) -> None:
        self.content.layout.display = None if self.value else "none"
