"""Base class of all explorers: actions, words, numbers, the address, hidden controls, slow work."""

import functools
import math
import os
import random
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlencode

import torch

from glowlab.explorers.address import Address
from glowlab.explorers.gallery import GALLERY_SEED, GalleryFace, learned_drawn_faces, read_portraits
from glowlab.explorers.models import MODELS, USUAL, asked_model
from glowlab.explorers.render import Decoded, Updater, measure_bits
from glowlab.explorers.scheduler import Scheduler
from glowlab.explorers.typical import Typical, known, read_typical
from glowlab.widgets.controls import MEGABYTE, Button, Upload
from glowlab.widgets.frame import Frame, box, try_open
from glowlab.widgets.readout import Readout, Words
from glowlite import checkpoint
from glowlite.data import faces
from glowlite.errors import GlowliteError
from glowlite.fusion import fuse

HOTTEST = 1.0  # temperature up to which samples of real faces stay free of black and white spots
SATURATED = 0.03  # share of clamped values above which a hint warns
APPEARANCE = {"controls", "model", "size", "token"}  # of an address: what the state does not depend on


class Explorer(Frame):
    """A page about one idea. A subclass builds its parts, names those that can be hidden, and defines

    show()      shows the newest state; runs at every move, so it takes under about 60 ms
    settle()    a generator of slower work, done while nothing moves, in pieces of about 45 ms
    take(a)     sets the state from an address; query() gives the state for an address
    """

    hints: list[tuple[str, str]] = []  # (lesson, hint that is shown until the lesson was learned)
    calmer = "a smaller move looks better"  # advice about a picture with many clamped values

    def __init__(self, title: str, promise: str, model, card: Mapping, seed: int | None = None):
        super().__init__(title, promise)
        self.model, self.typical = model, get_typical(model, card)
        self.drawn = learned_drawn_faces(card)
        face = "drawn face" if self.drawn else "real face"
        self.people = f"{face}s"  # that the model learned from, in sentences
        self.hints = [(lesson, hint.format(face=face)) for lesson, hint in self.hints]
        self.hottest = math.inf if self.drawn else HOTTEST
        self.asked = ""  # the model that the address asked for, where it is not the usual one
        self.random = random.Random(seed)
        self.used: set[str] = set()  # lessons that were learned, for the hints
        self.decoded: Decoded | None = None  # the picture on the page, where there is one
        self.parts: dict = {}  # parts that ?controls= can hide: name -> widget, or a list of them
        self.controls = ""  # names of the parts shown, where some are hidden
        self.words, self.readout = Words(), Readout()
        self.surprise = Button(label="Surprise me", kind="primary")
        self.reset = Button(label="Reset")
        self.scheduler = Scheduler(self.guard)
        self.updater = Updater(self.guard(self._show), self.guard(self._start_settling), rest=0.1)
        self.on_address(self._open_address)

    # ---- defined by a subclass -----------------------------------------------------------------------------

    def show(self) -> None:
        raise NotImplementedError

    def settle(self) -> Iterator[None]:
        raise NotImplementedError

    def take(self, address: Address) -> None:
        raise NotImplementedError

    def query(self) -> dict[str, str]:
        raise NotImplementedError

    # ---- shared by all explorers ---------------------------------------------------------------------------

    def when(self, widget, trait: str, action: Callable = lambda value: None, lesson: str = "") -> None:
        """Call `action(value)` when this trait changes, then update; `lesson`: learned by a change."""

        def handle(change) -> None:
            if lesson and not self.updater.held:
                self.used.add(lesson)
            with self.updater.hold():
                action(change["new"])
                self.updater.request()

        widget.observe(self.guard(handle), trait)

    def on(self, subscribe: Callable, action: Callable, lesson: str = "") -> None:
        """Call `action` at each event of `subscribe` (a button's on_click, tiles' on_pick), then update."""

        def handle(*values) -> None:
            self.used.add(lesson)
            with self.updater.hold():
                action(*values)
                self.updater.request()

        subscribe(self.guard(handle))

    def hint(self) -> str:
        """The first of `hints` whose lesson was not learned yet; or a warning of many clamped values."""
        share = self.decoded.saturated if self.decoded else 0.0
        if share > SATURATED:
            return f"{share:.0%} of the values are at full dark or full light: {self.calmer}."
        return next((text for name, text in self.hints if name not in self.used), "")

    def actions(self, *more) -> object:
        """The row of buttons: Surprise me, Reset, and `more`."""
        row = box("actions", self.surprise, self.reset, *more)
        self.parts |= {"surprise": self.surprise, "reset": self.reset}
        return row

    def arrange_gallery(self, around):
        """Set the portraits in this box seven abreast, as there are thirteen; drawn faces fill rows of six."""
        return around if self.drawn else around.add_class("gl-portraits")

    def show_only(self, names: str) -> None:
        """Hide every control but these: names in `parts`, separated by commas; "" shows all."""
        self.controls = names
        shown = names.split(",")
        for name, part in self.parts.items():
            hidden = bool(names) and name not in shown
            for widget in part if isinstance(part, list) else [part]:
                widget.layout.display = "none" if hidden else None
        self.arrange()

    def arrange(self) -> None:
        """Hide what is hidden by default; called after `show_only`."""

    def refuse_large(self, size: int) -> None:
        """Refuse an uploaded file of that many bytes."""
        most = Upload.most.default_value // MEGABYTE
        raise GlowliteError(f"That file has {size / MEGABYTE:.0f} MB; please choose one of at most {most} MB.")

    def receive(self, data: bytes, take: Callable[[GalleryFace], None], name: str = "your picture") -> str:
        """Add a person's own picture to the gallery, call `take(face)`, and update. GlowliteError as in `Gallery.read`.

        Returns a sentence where the picture is unlike all that the model learned from, else "".
        """
        face = self.gallery.read(data, name)
        (bits,) = measure_bits(self.model, face.image[None])
        face = face._replace(foreign=self.typical.unlike(bits))
        self.gallery.add(face)
        with self.updater.hold():
            take(face)
            self.updater.request()
        if not face.foreign:
            return ""
        return (
            f" It is unlike the {self.people} the model learned from: {bits:.2f} bits per dimension, while they need "
            f"{self.typical.mean:.2f} \u00b1 {self.typical.spread:.2f}. So pictures made from it may look strange."
        )

    def mark_learned(self, lesson: str) -> None:
        """Mark a lesson as learned that changes no picture, and move on to the next hint."""
        self.used.add(lesson)
        self.words.hint = self.hint()

    def remember(self) -> None:
        """Put the state into the page's address."""
        values = {"model": self.asked, **self.query()}
        values = {name: value for name, value in values.items() if value}
        if self.controls:
            values["controls"] = self.controls
        self.head.query = urlencode(values)

    def _show(self) -> None:
        self.scheduler.stop()
        self.show()
        if self.head.notice.get("kind") == "bad":
            self.notify("")

    def _start_settling(self) -> None:
        self.scheduler.start(self._settle())

    def _settle(self) -> Iterator[None]:
        self.remember()
        yield from self.settle()

    def _open_address(self, query: str) -> None:
        if not query:
            return
        address = Address(query)
        asked = [name for part in address.values.get("controls", "").split(",") if (name := part.strip())]
        parts = {*self.parts, "model"}  # the choice of the model is a part of the page around
        for name in asked:
            if name not in parts:
                address.leave_out("controls", name)
        self.show_only(",".join(name for name in asked if name in parts))
        address.one_of("model", MODELS, "")
        if set(address.values) <= APPEARANCE:  # the state stays as it opened
            self.remember()
        else:
            self.take(address)
        if sentence := address.sentence():
            self.notify(sentence)


def require_directions(directions: Mapping) -> None:
    """GlowliteError where a model has no directions."""
    if not directions:
        raise GlowliteError("This model has no directions yet; make them with: glowlite directions")


def make_card(title: str, note: str, *children):
    """A card: a part of the page with its own heading."""
    return box("card", *children, title=title, note=note)


def get_typical(model, card: Mapping) -> Typical:
    """Bits per dimension of held-out pictures, from the card; else those of drawn faces or portraits, measured now."""
    if {"bits_per_dim", "spread"} <= set(known(card)):
        return read_typical(card, torch.zeros(2))
    size = model.config.shape[-1]
    drawn = learned_drawn_faces(card)
    images = faces.draw(12, size=size, seed=GALLERY_SEED).images if drawn else read_portraits(size)[0]
    return read_typical(card, model.bits_per_dim(images).cpu())


def load_shared(name: str) -> tuple:
    """(fused model, directions, card) of a model that ships, or of a path; read once in a process and shared."""
    path = checkpoint.find(name)
    files = (path, checkpoint.directions_path(path), path.with_suffix(".json"))
    return _read(str(path), tuple(file.stat().st_mtime_ns for file in files if file.is_file()))


@functools.lru_cache(maxsize=2)
def _read(path: str, changed: tuple[int, ...]) -> tuple:
    model = fuse(checkpoint.load(path))
    card = checkpoint.read_card(path, required=False)
    try:
        return model, checkpoint.load_directions(path), card
    except GlowliteError:
        return model, {}, card


def open_explorer(title: str, name: str, make: Callable) -> Frame:
    """Open `make(name, model, directions, card)` for a trained model; else a page with a sentence that says why not.

    Where `name` is "", it is the model that the page's address asks for (Voila puts the address into QUERY_STRING).
    """
    asked = name or asked_model(os.environ.get("QUERY_STRING", ""))

    def opened() -> Explorer:
        page = make(asked, *load_shared(asked))
        page.asked = "" if asked in (name, USUAL) else asked
        return page

    return try_open(title, opened)
