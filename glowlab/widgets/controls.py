"""Controls: `Slider`, `Button`, `Choice` and `CheckBox`.

They are native HTML inputs with our style, so they work with keyboard, touch and screen readers. Each sends at most
one message at a time, so a kernel is never asked for more than it can compute.
"""

from collections.abc import Callable

import traitlets

from glowlab.widgets import JS
from glowlab.widgets.base import Widget


class Slider(Widget):
    """A slider from min to max with a name at each end; a double click returns it to `rest`.

    `value` is read, set and observed as usual. `put` also drops moves that are still on their way from the page.
    """

    from_page = ("move",)
    _esm = JS / "slider.js"
    value = traitlets.Float(0.0).tag(sync=True)
    move = traitlets.List([-1, 0.0]).tag(sync=True)  # from the page: [the epoch it knew, value]
    epoch = traitlets.Int(0).tag(sync=True)  # counts how often the value was set from here
    min = traitlets.Float(-1.0).tag(sync=True)
    max = traitlets.Float(1.0).tag(sync=True)
    step = traitlets.Float(0.02).tag(sync=True)
    rest = traitlets.Float(0.0).tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    low = traitlets.Unicode().tag(sync=True)
    high = traitlets.Unicode().tag(sync=True)
    digits = traitlets.Int(2).tag(sync=True)
    signed = traitlets.Bool(True).tag(sync=True)
    tone = traitlets.Unicode("z").tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)

    def put(self, value: float) -> None:
        """Set the value, and drop moves that the page made before it knows of this, even where nothing changes."""
        before = self.epoch
        self.value = value
        if self.epoch == before:  # the value did not change, but the page may show another
            self.epoch += 1

    @traitlets.validate("value")
    def _clamp(self, proposal) -> float:
        return min(max(proposal["value"], self.min), self.max)

    @traitlets.observe("move")
    def _apply_move(self, change) -> None:
        epoch, value = change["new"]
        if epoch == self.epoch:
            self.value = value

    @traitlets.observe("value")
    def _count_epoch(self, change) -> None:
        if [self.epoch, change["new"]] != self.move:
            self.epoch += 1


class Button(Widget):
    """A push button. kind: "plain" or "primary"."""

    from_page = ("clicks",)
    _esm = JS / "button.js"
    label = traitlets.Unicode().tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    kind = traitlets.Unicode("plain").tag(sync=True)
    clicks = traitlets.Int(0).tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)

    def on_click(self, action: Callable[[], None]) -> None:
        """Call `action` after each click (clicks made while the kernel is busy count as one)."""
        self.observe(lambda change: action(), "clicks")

    def click(self) -> None:
        """Do what a click on the page does."""
        self.clicks += 1


class Choice(Widget):
    """One of a few options, [value, words] each."""

    from_page = ("value",)
    _esm = JS / "choice.js"
    options = traitlets.List().tag(sync=True)
    value = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)

    @traitlets.validate("value")
    def _check_option(self, proposal) -> str:
        if self.options and proposal["value"] not in [value for value, _ in self.options]:
            raise traitlets.TraitError(f"{proposal['value']!r} is not one of {self.options}")
        return proposal["value"]


class CheckBox(Widget):
    """A box to tick."""

    from_page = ("value",)
    _esm = JS / "toggle.js"
    value = traitlets.Bool(False).tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
