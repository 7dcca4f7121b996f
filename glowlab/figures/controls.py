"""The controls of a live figure: each describes an argument of the drawing function and its first value."""

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets
import numpy as np

from glowlab.widgets import controls as widgets
from glowlab.widgets.frame import box
from glowlite.errors import GlowliteError

OnChange = Callable[[str, Any], None]  # called with a control's name and its new value
Made = tuple[ipywidgets.DOMWidget, ipywidgets.DOMWidget]  # the widget that holds the value, the one to show


class Control:
    """`name` is the argument of the drawing function that the control sets, `value` its first value."""

    def __init__(self, name: str, value: Any):
        self.name, self.value = name, value

    def make(self, on_change: OnChange) -> Made | None:
        """The widget, which calls `on_change` at every change; None if the control lies in the picture itself."""
        return None


class Slider(Control):
    """A slider from low to high; it gives whole numbers if low, high, value and step are whole.

    ends      words at its two ends;  rest: where a double click returns it to (else its first value)
    buttons   puts a button for one step back and one for one step on beside it
    """

    def __init__(
        self, name, label, low, high, value=None, step=None, ends=("", ""), rest=None, buttons=False, tone="x"
    ):
        value = low if value is None else value
        if not low <= value <= high or low == high:
            raise GlowliteError(f"the slider {name!r} goes from {low} to {high}, so it cannot start at {value}")
        whole = all(isinstance(number, int) for number in (low, high, value, step or 1))
        super().__init__(name, value)
        step = step or (1 if whole else (high - low) / 100)
        digits = 0 if whole else 1 if step >= 0.1 else 2
        look = {"label": label, "low": ends[0], "high": ends[1], "min": low, "max": high, "step": step}
        look |= {"value": value, "rest": value if rest is None else rest, "digits": digits, "signed": low < 0}
        self.look = look | {"tone": tone}
        self.whole, self.buttons, self.step = whole, buttons, step

    def make(self, on_change: OnChange) -> Made:
        slider = widgets.Slider(**self.look)

        def moved(change) -> None:
            on_change(self.name, round(change["new"]) if self.whole else change["new"])

        slider.observe(moved, "value")
        if not self.buttons:
            return slider, slider
        back = widgets.Button(label="\u2190", title="one step back")
        on = widgets.Button(label="\u2192", title="one step on")
        for button, step in ((back, -self.step), (on, self.step)):
            button.on_click(lambda step=step: setattr(slider, "value", slider.value + step))
        return slider, box("stepped", slider, back, on)


class CheckBox(Control):
    """A box to tick."""

    def __init__(self, name: str, label: str, value: bool = False):
        super().__init__(name, value)
        self.label = label

    def make(self, on_change: OnChange) -> Made:
        tick = widgets.CheckBox(label=self.label, value=self.value)
        tick.observe(lambda change: on_change(self.name, change["new"]), "value")
        return tick, tick


class Choice(Control):
    """One of a few options: {value: words}."""

    def __init__(self, name: str, label: str, options: Mapping[str, str], value: str | None = None):
        super().__init__(name, next(iter(options)) if value is None else value)
        if self.value not in options:
            raise GlowliteError(f"{self.value!r} is none of the options of {name!r}: {', '.join(options)}")
        self.label, self.options = label, dict(options)

    def make(self, on_change: OnChange) -> Made:
        pairs = [list(pair) for pair in self.options.items()]
        choice = widgets.Choice(options=pairs, value=self.value, label=self.label)
        choice.observe(lambda change: on_change(self.name, change["new"]), "value")
        return choice, choice


class Button(Control):
    """A button; its value counts the clicks."""

    def __init__(self, name: str, label: str):
        super().__init__(name, 0)
        self.label = label

    def make(self, on_change: OnChange) -> Made:
        button = widgets.Button(label=self.label)
        button.on_click(lambda: on_change(self.name, button.clicks))
        return button, button


class Point(Control):
    """A point in the picture, (x, y) in the units of the panel whose `handle` has this name."""

    def __init__(self, name: str, value: tuple[float, float]):
        super().__init__(name, (float(value[0]), float(value[1])))


class Trace(Control):
    """A stroke drawn on the panel whose `pad` has this name: (N, 2) in the panel's units, N = 0 at first."""

    def __init__(self, name: str):
        super().__init__(name, np.zeros((0, 2)))
