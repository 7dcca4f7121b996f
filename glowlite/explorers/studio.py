"""The studio: a face, a slider for each attribute, a second face to blend with, fresh faces, numbers."""

import random
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

import torch
from torch import Tensor

from glowlite import checkpoint
from glowlite.errors import GlowliteError
from glowlite.explorers import wording
from glowlite.explorers.controls import MEGABYTE, Button, Choice, Slider, Upload
from glowlite.explorers.frame import Frame, box, opened
from glowlite.explorers.picture import Picture, Tiles, to_png
from glowlite.explorers.readout import Readout, Words, numbers
from glowlite.explorers.render import Drawn, Renderer
from glowlite.explorers.shelf import HOTTEST, Face, Shelf, as_tiles, place_of
from glowlite.explorers.state import StudioState, typical_of

TITLE = "Glow studio"
PROMISE = (
    "A flow turns a face into {dims:,} numbers and back, without losing a pixel. "
    "Turn the numbers, and see the face change."
)
OPENING = {"smile": 0.9, "hair_colour": 0.7}  # the edits of the example it opens on


class Studio(Frame):
    """`Studio(model, directions, card)`: a Glow on square colour pictures, its directions, its card.

    Shown in a notebook like any widget; `open_studio()` loads what it needs. `seed` is that of Surprise me.
    """

    def __init__(self, model, directions: Mapping[str, list[Tensor]], card: Mapping, seed: int | None = None):
        super().__init__(TITLE, PROMISE.format(dims=model.dims))
        self.random = random.Random(seed)
        self.shelf = Shelf(model)
        self.state = StudioState(model, directions, self.shelf.gallery[0], self.shelf.gallery[1])
        measured = [self.state.bits_per_dim(face.image) for face in self.shelf.gallery]
        self.typical = typical_of(card, torch.tensor(measured))
        self.bits = measured[0]  # of the picture that was shown when things last rested
        self.drawn: Drawn | None = None
        self.used: set[str] = set()
        self.controls = ""  # those shown, where not all are
        self.renderer = Renderer(self.guard(self._show), self.guard(self._rested))
        self._build()
        self._connect()
        self._draw_fresh()
        self.state.amounts = {name: amount for name, amount in OPENING.items() if name in directions}
        self._start_changed()
        self.on_address(self._open_address)

    # ---- parts ---------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.before = Picture(caption="before", tone="x")
        self.after = Picture(caption="after", other_caption="before", tone="z")
        self.words, self.readout = Words(), Readout()
        self.surprise = Button(label="Surprise me", kind="primary", title="A few edits at random")
        self.reset = Button(label="Reset", title="Undo all edits and the blend")
        self.download = Button(label="Download", title="Save the picture on the right as PNG")
        self.sliders = {}
        for name in self.state.directions:
            words = wording.wording(name)
            self.sliders[name] = Slider(label=words.title, low=words.low, high=words.high)
        self.gallery_tiles = Tiles(label="Faces to start from")
        self.upload = Upload(self.guard(self._uploaded), self.guard(self._too_large))
        self.partner_tiles = Tiles(label="Faces to blend with")
        self.blend = Slider(label="Blend", min=0.0, step=0.01, low="first", high="second", signed=False)
        ways = [["linear", "straight line"], ["spherical", "arc"]]
        self.path = Choice(options=ways, value="linear", label="Way between the two")
        self.fresh_tiles = Tiles(label="Fresh faces")
        self.temperature = Slider(
            label="Temperature", min=0.0, max=HOTTEST, value=0.7, rest=0.7, signed=False
        )
        self.temperature.low, self.temperature.high = "calm", "wild"
        self.new_faces = Button(label="New faces", title="Draw eight other faces")

        pictures = box("pair", self.before, self.after)
        actions = box("actions", self.surprise, self.reset, self.download)
        show = box("show", pictures, actions, self.words, box("numbers", self.readout))
        sliders = box("sliders", *self.sliders.values(), title="Attributes")
        gallery = box("row", self.gallery_tiles, self.upload)
        blend = box("row", self.blend, self.path)
        fresh = box("row", self.temperature, self.new_faces)
        self.sections = {
            "gallery": box("card", gallery, title="Start from another face"),
            "blend": box("card", self.partner_tiles, blend, title="Blend with a second face"),
            "fresh": box("card", self.fresh_tiles, fresh, title="Fresh faces, never seen before"),
        }
        self.sections["fresh"].add_class("gl-wide")
        self.place(box("stage", show, sliders), box("cards", *self.sections.values()))
        self.gallery_tiles.show(*as_tiles(self.shelf.gallery))

    def _connect(self) -> None:
        def when(widget, trait: str, action) -> None:
            guarded = self.guard(action)
            widget.observe(lambda change: guarded(change["new"]), trait)

        for name, slider in self.sliders.items():
            when(slider, "value", lambda value, name=name: self._edit(name, value))
        self.gallery_tiles.on_pick(self.guard(self._choose_gallery))
        self.fresh_tiles.on_pick(self.guard(self._choose_fresh))
        self.partner_tiles.on_pick(self.guard(self._choose_partner))
        when(self.blend, "value", self._blend)
        when(self.path, "value", self._set_path)
        when(self.temperature, "value", lambda _: self._draw_fresh(follow=True))
        when(self.after, "compared", lambda _: self._learned("compare"))
        self.reset.on_click(self.guard(self._reset))
        self.surprise.on_click(self.guard(self._surprise))
        self.download.on_click(self.guard(self._download))
        self.new_faces.on_click(self.guard(self._new_faces))

    # ---- what a person does --------------------------------------------------------------------------------

    def _edit(self, name: str, amount: float) -> None:
        if amount != self.state.amounts.get(name, 0.0):
            self.state.set_amount(name, amount)
            self.used.add("edit")
            self.renderer.request()

    def _blend(self, amount: float) -> None:
        if amount != self.state.blend:
            self.state.blend = amount
            self.used.add("blend")
            self.renderer.request()

    def _set_path(self, path: str) -> None:
        if path != self.state.path:
            self.state.path = path
            self.used.add("path")
            self.renderer.request()

    def _choose(self, face: Face, lesson: str) -> None:
        self.state.start = face
        self.used.add(lesson)
        self._start_changed()

    def _choose_gallery(self, index: int) -> None:
        self._choose(self.shelf.gallery[index], "choose")

    def _choose_fresh(self, index: int) -> None:
        self.shelf.keep(self.shelf.fresh[index])
        self._choose(self.shelf.fresh[index], "fresh")

    def _choose_partner(self, index: int) -> None:
        self.state.partner = self.shelf.partners()[index]
        if not self.state.blend:
            self.state.blend = 0.5  # so that choosing a second face shows something
        self.used.add("blend")
        self._controls_follow()

    def _reset(self) -> None:
        self.state.reset()
        self.notify("")
        self._controls_follow()

    def _surprise(self) -> None:
        self.used.add("surprise")
        self.state.surprise(self.random, self.shelf.gallery)
        self._controls_follow()

    def _download(self) -> None:
        png = to_png(self.drawn.image, max(1, 512 // self.drawn.image.shape[-1]))
        self.download.save_file("glow-studio.png", png, "image/png")

    def _new_faces(self) -> None:
        self.used.add("fresh")
        self.shelf.fresh_seed += 1
        self.fresh_tiles.selected = -1
        self._draw_fresh()

    def _uploaded(self, data: bytes, name: str) -> None:
        face = self.shelf.read(data)
        self.shelf.keep(face)
        self.state.reset()  # first shown as it is, since the first thing to see is that it comes back
        self._choose(face, "upload")
        bits, (mean, spread) = self.state.bits_per_dim(face.image), self.typical
        exact = torch.equal(self.drawn.image, face.image)
        text = "Your picture went through the flow and back" + (
            ", and every pixel is the same." if exact else "."
        )
        if self.typical.unlike(bits):
            text += (
                f" It is unlike the drawn faces the model learned from: {bits:.2f} bits per dimension, where "
                f"held-out faces take {mean:.2f} \u00b1 {spread:.2f}. Edits may look strange."
            )
        self.notify(text)

    def _too_large(self, size: int) -> None:
        most = self.upload.most // MEGABYTE
        raise GlowliteError(
            f"That file has {size / MEGABYTE:.0f} MB; please choose one of at most {most} MB."
        )

    def _learned(self, lesson: str) -> None:
        self.used.add(lesson)
        self.words.hint = wording.hint(self.used)

    def _open_address(self, query: str) -> None:
        if query:
            self.show_only(dict(parse_qsl(query)).get("controls", ""))
            self.state.from_query(query, self.shelf.find)
            self._start_changed()

    def show_only(self, names: str) -> None:
        """Hide every control but these, by name with commas between: attributes, gallery, upload, blend, fresh,
        surprise, download; "" shows all. In a page's address: ?controls=smile,age,gallery.
        """
        self.controls = names
        shown = set(names.split(","))
        others = {"upload": self.upload, "surprise": self.surprise, "download": self.download}
        for name, widget in {**self.sliders, **self.sections, **others}.items():
            widget.layout.display = "none" if names and name not in shown else None

    # ---- what follows --------------------------------------------------------------------------------------

    def _draw_fresh(self, follow: bool = False) -> None:
        """Draw the row of fresh faces; where one of them is the start, the start follows."""
        self.shelf.draw_fresh(self.temperature.value)
        self.fresh_tiles.show(*as_tiles(self.shelf.fresh))
        if follow and self.fresh_tiles.selected >= 0:
            self._choose_fresh(self.fresh_tiles.selected)

    def _start_changed(self) -> None:
        start = self.state.start
        self.notify("")
        self.before.show(start.image)
        self.before.label = f"Before: {start.name}."
        self.after.other_label = self.before.label
        self.gallery_tiles.selected = place_of(start, self.shelf.gallery)
        self.fresh_tiles.selected = place_of(start, self.shelf.fresh)
        self.partner_tiles.show(*as_tiles(self.shelf.partners()))
        self._controls_follow()

    def _controls_follow(self) -> None:
        """Set every control from the state, and draw once."""
        with self.renderer.hold():
            for name, slider in self.sliders.items():
                slider.put(self.state.amounts.get(name, 0.0))
            self.blend.put(self.state.blend)
            self.path.value = self.state.path
            self.partner_tiles.selected = place_of(self.state.partner, self.shelf.partners())
            self.renderer.request()

    def _show(self) -> None:
        self.drawn = self.state.draw()
        self.after.show(self.drawn.image, other=self.state.start.image)
        self._numbers(stale=True)
        if self.head.notice.get("kind") == "bad":
            self.notify("")

    def _rested(self) -> None:
        self.bits = self.state.bits_per_dim(self.drawn.image)
        self._numbers(stale=False)
        partner = self.state.partner.name if self.state.partner else ""
        says = wording.describe(self.state.start.name, self.state.amounts, partner, self.state.blend)
        self.words.says = says
        self.after.label = f"After: {says}"
        self.words.hint = wording.hint(self.used, self.drawn.saturated)
        self.head.query = self.state.to_query() + (
            f"&controls={quote(self.controls)}" if self.controls else ""
        )

    def _numbers(self, stale: bool) -> None:
        change = self.state.change(self.drawn.image)
        self.readout.entries = numbers(self.bits, stale, self.typical, self.drawn, change)

    def still(self) -> Tensor:
        return torch.cat([self.state.start.image, self.drawn.image], -1)


def open_studio(name: str = "faces64") -> Frame:
    """The studio with a trained model that ships, or a path; or a sentence that says why it cannot open."""

    def make() -> Studio:
        return Studio(checkpoint.load(name), checkpoint.load_directions(name), checkpoint.read_card(name))

    return opened(TITLE, make)
