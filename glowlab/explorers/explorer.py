"""What the explorers of one idea each share: actions, words, numbers, the address, hidden controls, slow work."""

import functools
import random
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlencode

import torch

from glowlab.explorers.address import Address
from glowlab.explorers.gallery import GALLERY_SEED, Face
from glowlab.explorers.render import Drawn, Renderer, weigh_all
from glowlab.explorers.scheduler import Slices
from glowlab.explorers.state import Typical, typical_of
from glowlab.widgets.controls import MEGABYTE, Button, Upload
from glowlab.widgets.frame import Frame, box, opened
from glowlab.widgets.readout import Readout, Words
from glowlite import checkpoint
from glowlite.data import faces
from glowlite.errors import GlowliteError

SATURATED = 0.03  # the share of clamped values from which on a hint warns
APPEARANCE = {"controls", "size", "token"}  # what an address says about the page, and not about what it shows


class Explorer(Frame):
    """A page about one idea. A subclass builds its parts, names those that can be hidden, and says

    show()      draws the newest state: at once, for every move, so under about 60 ms
    settle()    a generator of what may wait until things rest, in pieces of about 45 ms
    take(a)     takes over what an address says; query() gives what an address is to hold
    """

    hints: list[tuple[str, str]] = []  # (what it teaches, the hint that stands until that was tried)
    calmer = "a smaller move looks better"  # what to do about a picture with many clamped values

    def __init__(self, title: str, promise: str, model, card: Mapping, seed: int | None = None):
        super().__init__(title, promise)
        self.model, self.typical = model, typical(model, card)
        self.random = random.Random(seed)
        self.used: set[str] = set()  # lessons, for the hints
        self.drawn: Drawn | None = None  # the picture shown, where it is one
        self.parts: dict = {}  # what ?controls= can leave out: name -> widget, or a list of them
        self.controls = ""  # those shown, where not all are
        self.words, self.readout = Words(), Readout()
        self.surprise = Button(label="Surprise me", kind="primary")
        self.reset = Button(label="Reset")
        self.work = Slices(self.guard)
        self.renderer = Renderer(self.guard(self._show), self.guard(self._rested), rest=0.1)
        self.on_address(self._open_address)

    # ---- what a subclass says ------------------------------------------------------------------------------

    def show(self) -> None:
        raise NotImplementedError

    def settle(self) -> Iterator[None]:
        raise NotImplementedError

    def take(self, address: Address) -> None:
        raise NotImplementedError

    def query(self) -> dict[str, str]:
        raise NotImplementedError

    # ---- what they share -----------------------------------------------------------------------------------

    def when(self, widget, trait: str, action: Callable = lambda value: None, lesson: str = "") -> None:
        """Call `action(value)` when this changes, then draw; `lesson` is what a person has tried by changing it."""

        def changed(change) -> None:
            if lesson and not self.renderer.held:
                self.used.add(lesson)
            with self.renderer.hold():
                action(change["new"])
                self.renderer.request()

        widget.observe(self.guard(changed), trait)

    def on(self, tell: Callable, action: Callable, lesson: str = "") -> None:
        """Call `action` when `tell` (a button's on_click, tiles' on_pick) says so, then draw."""

        def happened(*values) -> None:
            self.used.add(lesson)
            with self.renderer.hold():
                action(*values)
                self.renderer.request()

        tell(self.guard(happened))

    def hint(self) -> str:
        """What to try next: the first of `hints` that was not tried yet; or that the picture is at its limits."""
        share = self.drawn.saturated if self.drawn else 0.0
        if share > SATURATED:
            return f"{share:.0%} of the values are at full dark or full light: {self.calmer}."
        return next((text for name, text in self.hints if name not in self.used), "")

    def actions(self, *more) -> object:
        """The row of buttons: Surprise me, Reset, and what else there is."""
        row = box("actions", self.surprise, self.reset, *more)
        self.parts |= {"surprise": self.surprise, "reset": self.reset}
        return row

    def show_only(self, names: str) -> None:
        """Hide every control but these, by the names in `parts` with commas between; "" shows all."""
        self.controls = names
        shown = names.split(",")
        for name, part in self.parts.items():
            hidden = bool(names) and name not in shown
            for widget in part if isinstance(part, list) else [part]:
                widget.layout.display = "none" if hidden else None
        self.arrange()

    def arrange(self) -> None:
        """Called after `show_only`, for what is hidden by default."""

    def too_large(self, size: int) -> None:
        """What an `Upload` says to a file of that many bytes."""
        most = Upload.most.default_value // MEGABYTE
        raise GlowliteError(f"That file has {size / MEGABYTE:.0f} MB; please choose one of at most {most} MB.")

    def receive(self, data: bytes, take: Callable[[Face], None], name: str = "your picture") -> str:
        """Put a picture of one's own on the shelf, use it by `take`, and draw. GlowliteError as in `Shelf.read`.

        A sentence where the model knows nothing like it, else "".
        """
        face = self.shelf.read(data, name)
        (bits,) = weigh_all(self.model, face.image[None])
        face = face._replace(foreign=self.typical.unlike(bits))
        self.shelf.keep(face)
        with self.renderer.hold():
            take(face)
            self.renderer.request()
        if not face.foreign:
            return ""
        return (
            f" It is unlike the drawn faces the model learned from: {bits:.2f} bits per dimension, where they take "
            f"{self.typical.mean:.2f} \u00b1 {self.typical.spread:.2f}. So what comes of it may look strange."
        )

    def learned(self, lesson: str) -> None:
        """A person has tried this, and nothing needs to be drawn for it."""
        self.used.add(lesson)
        self.words.hint = self.hint()

    def remember(self) -> None:
        """Put the state into the page's address."""
        values = {name: value for name, value in self.query().items() if value}
        if self.controls:
            values["controls"] = self.controls
        self.head.query = urlencode(values)

    def _show(self) -> None:
        self.work.stop()
        self.show()
        if self.head.notice.get("kind") == "bad":
            self.notify("")

    def _rested(self) -> None:
        self.work.start(self._settle())

    def _settle(self) -> Iterator[None]:
        self.remember()
        yield from self.settle()

    def _open_address(self, query: str) -> None:
        if not query:
            return
        address = Address(query)
        asked = [name for part in address.values.get("controls", "").split(",") if (name := part.strip())]
        for name in asked:
            if name not in self.parts:
                address.leave_out("controls", name)
        self.show_only(",".join(name for name in asked if name in self.parts))
        if set(address.values) <= APPEARANCE:  # it stays as it opened
            self.remember()
        else:
            self.take(address)
        if sentence := address.sentence():
            self.notify(sentence)


def need(directions: Mapping) -> None:
    """GlowliteError where a model has no directions, for explorers that are nothing without."""
    if not directions:
        raise GlowliteError("This model has no directions yet; make them with: glowlite directions")


def card(title: str, note: str, *children):
    """A part of the page with a heading of its own."""
    return box("card", *children, title=title, note=note)


def typical(model, card: Mapping) -> Typical:
    """Bits per dimension of held-out pictures: the card's, else those of twelve drawn faces, measured now."""
    if {"bits_per_dim", "spread"} <= set(card.get("held_out", {})):
        return typical_of(card, torch.zeros(2))
    images = faces.draw(12, size=model.config.shape[-1], seed=GALLERY_SEED).images
    return typical_of(card, model.bits_per_dim(images.to(next(model.parameters()).device)).cpu())


def shared(name: str) -> tuple:
    """A model that ships (or a path), its directions and its card: read once in a process, however many use it."""
    path = checkpoint.find(name)
    files = (path, checkpoint.directions_path(path), path.with_suffix(".json"))
    return _read(str(path), tuple(file.stat().st_mtime_ns for file in files if file.is_file()))


@functools.lru_cache(maxsize=2)
def _read(path: str, changed: tuple[int, ...]) -> tuple:
    model = checkpoint.load(path).requires_grad_(False)
    card = checkpoint.read_card(path, required=False)
    try:
        return model, checkpoint.load_directions(path), card
    except GlowliteError:
        return model, {}, card


def open_explorer(title: str, name: str, make: Callable) -> Frame:
    """`make(model, directions, card)` for a trained model; or a sentence that says why it cannot open."""
    return opened(title, lambda: make(*shared(name)))
