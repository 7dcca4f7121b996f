"""A button that folds part of a page away and brings it back."""

import ipywidgets
import traitlets

from glowlab.widgets import JS
from glowlab.widgets.base import Widget


class Fold(Widget):
    """A button that shows `content` while `value` is true; screen readers call it expanded or collapsed."""

    from_page = ("value",)
    _esm = JS / "fold.js"
    label = traitlets.Unicode().tag(sync=True)
    value = traitlets.Bool(False).tag(sync=True)

    def __init__(self, content: ipywidgets.DOMWidget, **traits):
        self.content = content
        super().__init__(**traits)
        self._update()

    @traitlets.observe("value")
    def _update(self, change=None) -> None:
        self.content.layout.display = None if self.value else "none"
