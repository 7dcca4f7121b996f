"""Controls: `Slider`, `Button`, `Choice`, `Upload` and `CheckBox`.

They are native HTML inputs with our style, so they work with keyboard, touch and screen readers. Each sends at most
one message at a time, so a kernel is never asked for more than it can compute.
"""

import logging
from collections.abc import Callable

import traitlets

from glowlab.widgets import JS
from glowlab.widgets.base import Widget

MEGABYTE = 2**20
log = logging.getLogger(__name__)


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

    def save_file(self, name: str, data: bytes, kind: str) -> None:
        """Have the browser download `data`, of the media type `kind`, as a file called `name`."""
        self.send({"kind": "file", "name": name, "type": kind}, [data])


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


class Upload(Widget):
    """A field to choose a file, or to drop one on; `on_file(data, name)` gets the whole file."""

    _esm = JS / "upload.js"
    label = traitlets.Unicode("Your own picture").tag(sync=True)
    most = traitlets.Int(32 * MEGABYTE).tag(sync=True)  # bytes; larger files are refused before they are sent

    def __init__(self, on_file: Callable[[bytes, str], None], on_too_large: Callable[[int], None], **traits):
        super().__init__(**traits)
        self._on_file, self._on_too_large = on_file, on_too_large
        self._slices: list[bytes] = []
        self.on_msg(self._receive)

    def _receive(self, widget, message: dict, buffers: list) -> None:
        kind, size, part = (message.get(name) for name in ("kind", "size", "part"))
        if kind == "too large" and isinstance(size, int):
            self._on_too_large(size)
        if kind != "slice" or len(buffers) != 1:
            return
        if part == 0:  # a new file; the rest of an earlier one is dropped
            self._slices = []
        if part != len(self._slices):
            log.warning("a slice of an uploaded file was out of order and is ignored")
            return
        size = sum(map(len, self._slices)) + len(buffers[0])
        if size > self.most:  # the page looks at the size too, but it need not be our page
            self._slices = []
            self._on_too_large(size)
            return
        self._slices.append(bytes(buffers[0]))
        if len(self._slices) == message.get("parts"):
            data, self._slices = b"".join(self._slices), []
            self._on_file(data, str(message.get("name")))


class CheckBox(Widget):
    """A box to tick."""

    from_page = ("value",)
    _esm = JS / "toggle.js"
    value = traitlets.Bool(False).tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
