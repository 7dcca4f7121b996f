"""The studio: a face, a slider for each attribute, a second face to blend with, fresh faces, numbers."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from glowlab.explorers import wording
from glowlab.explorers.address import Address
from glowlab.explorers.explorer import Explorer, need, open_explorer
from glowlab.explorers.gallery import HOTTEST, Face, Shelf, as_tiles, place_of
from glowlab.explorers.state import StudioState
from glowlab.widgets.controls import Button, Choice, Slider, Upload
from glowlab.widgets.frame import Frame, box
from glowlab.widgets.picture import Picture, Tiles, to_png
from glowlab.widgets.readout import numbers

TITLE = "Glow studio"
PROMISE = (
    "A flow turns a face into {dims:,} numbers and back, without losing a pixel. "
    "Turn the numbers, and see the face change."
)
WARM = 0.7  # the temperature of fresh faces at first
OPENING = {"smile": 0.9, "hair_colour": 0.7}  # the edits of the example it opens on


class Studio(Explorer):
    """`Studio(model, directions, card)`: a Glow on square colour pictures, its directions, its card.

    Shown in a notebook like any widget; `open_studio()` loads what it needs. `seed` is that of Surprise me.
    """

    hints = wording.HINTS

    def __init__(self, model, directions: Mapping[str, list[Tensor]], card: Mapping, seed: int | None = None):
        need(directions)
        super().__init__(TITLE, PROMISE.format(dims=model.dims), model, card, seed)
        self.shelf = Shelf(model)
        self.state = StudioState(model, directions, self.shelf.gallery[0], self.shelf.gallery[1])
        self.bits = self.state.bits_per_dim(self.state.start.image)  # of what was shown when things last rested
        self._build()
        self._connect()
        self._draw_fresh()
        self.state.amounts = {name: amount for name, amount in OPENING.items() if name in directions}
        self._start_changed()

    # ---- parts ---------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.before = Picture(caption="before", tone="x")
        self.after = Picture(caption="after", other_caption="before", tone="z")
        self.surprise.title, self.reset.title = "A few edits at random", "Undo all edits and the blend"
        self.download = Button(label="Download", title="Save the picture on the right as PNG")
        self.sliders = {}
        for name in self.state.directions:
            words = wording.wording(name)
            self.sliders[name] = Slider(label=words.title, low=words.low, high=words.high)
        self.gallery_tiles = Tiles(label="Faces to start from")
        self.upload = Upload(self.guard(self._uploaded), self.guard(self.too_large))
        self.partner_tiles = Tiles(label="Faces to blend with")
        self.blend = Slider(label="Blend", min=0.0, step=0.01, low="first", high="second", signed=False)
        ways = [["linear", "straight line"], ["spherical", "arc"]]
        self.path = Choice(options=ways, value="linear", label="Way between the two")
        self.fresh_tiles = Tiles(label="Fresh faces")
        self.temperature = Slider(label="Temperature", min=0.0, max=HOTTEST, value=WARM, rest=WARM, signed=False)
        self.temperature.low, self.temperature.high = "calm", "wild"
        self.new_faces = Button(label="New faces", title="Draw eight other faces")

        pictures = box("pair", self.before, self.after)
        actions = self.actions(self.download)
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
        others = {"upload": self.upload, "download": self.download}
        self.parts |= {**self.sliders, **self.sections, **others}
        self.place(box("stage", show, sliders), box("cards", *self.sections.values()))
        self.gallery_tiles.show(*as_tiles(self.shelf.gallery))

    def _connect(self) -> None:
        for name, slider in self.sliders.items():
            self.when(slider, "value", lambda amount, name=name: self.state.set_amount(name, amount), "edit")
        self.when(self.blend, "value", lambda amount: setattr(self.state, "blend", amount), "blend")
        self.when(self.path, "value", lambda path: setattr(self.state, "path", path), "path")
        self.on(self.gallery_tiles.on_pick, lambda i: self._choose(self.shelf.gallery[i]), "choose")
        self.on(self.fresh_tiles.on_pick, self._choose_fresh, "fresh")
        self.on(self.partner_tiles.on_pick, self._choose_partner, "blend")
        self.on(self.reset.on_click, self._reset, "reset")
        self.on(self.surprise.on_click, self._surprise, "surprise")
        self.when(self.temperature, "value", lambda heat: self._draw_fresh(follow=True), "fresh")
        self.on(self.new_faces.on_click, self._new_faces, "fresh")
        self.after.observe(self.guard(lambda change: self.learned("compare")), "compared")
        self.download.on_click(self.guard(self._download))

    # ---- what a person does --------------------------------------------------------------------------------

    def _choose(self, face: Face) -> None:
        self.state.start = face
        self._start_changed()

    def _choose_fresh(self, index: int) -> None:
        self.shelf.keep(self.shelf.fresh[index])
        self._choose(self.shelf.fresh[index])

    def _choose_partner(self, index: int) -> None:
        self.state.partner = self.shelf.partners()[index]
        if not self.state.blend:
            self.state.blend = 0.5  # so that choosing a second face shows something
        self._controls_follow()

    def _reset(self) -> None:
        self.state.reset()
        self.notify("")
        self._controls_follow()

    def _surprise(self) -> None:
        self.state.surprise(self.random, self.shelf.gallery)
        self._controls_follow()

    def _download(self) -> None:
        png = to_png(self.drawn.image, max(1, 512 // self.drawn.image.shape[-1]))
        self.download.save_file("glow-studio.png", png, "image/png")

    def _new_faces(self) -> None:
        self.shelf.fresh_seed += 1
        self.fresh_tiles.selected = -1
        self._draw_fresh()

    def _uploaded(self, data: bytes, name: str) -> None:
        foreign = self.receive(data, self._take_own)
        self.used.add("upload")
        exact = torch.equal(self.drawn.image, self.state.start.image)
        same = ", and every pixel is the same" if exact else ""
        self.notify(f"Your picture went through the flow and back{same}.{foreign}")

    def _take_own(self, face: Face) -> None:
        self.state.reset()  # first shown as it is, since the first thing to see is that it comes back
        self._choose(face)

    def take(self, address: Address) -> None:
        with self.renderer.hold():
            self.shelf.fresh_seed = address.whole("draw", 1, 2**31 - 1, 1)
            self.temperature.put(address.number("heat", 0.0, HOTTEST, WARM))
            self._draw_fresh()
            self.state.take(address, self.shelf.find)
            self._start_changed()

    def query(self) -> dict[str, str]:
        heat, draw = self.temperature.value, self.shelf.fresh_seed
        fresh = {"heat": "" if heat == WARM else f"{heat:.2f}", "draw": "" if draw == 1 else str(draw)}
        return self.state.query() | fresh

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

    def show(self) -> None:
        self.drawn = self.state.draw()
        self.after.show(self.drawn.image, other=self.state.start.image)
        self._numbers(stale=True)

    def settle(self) -> Iterator[None]:
        """Bits per dimension; words."""
        self.bits = self.state.bits_per_dim(self.drawn.image)
        yield
        self._numbers(stale=False)
        state = self.state
        partner = state.partner.name if state.partner else ""
        says = wording.describe(state.start.name, state.amounts, partner, state.blend, state.start.foreign)
        self.words.says = says
        self.after.label = f"After: {says}"
        self.words.hint = self.hint()

    def _numbers(self, stale: bool) -> None:
        change = self.state.change(self.drawn.image)
        self.readout.entries = numbers(self.bits, stale, self.typical, self.drawn, change)

    def still(self) -> Tensor:
        return torch.cat([self.state.start.image, self.drawn.image], -1)


def open_studio(name: str = "faces64") -> Frame:
    """The studio with a trained model that ships, or a path; or a sentence that says why it cannot open."""

    return open_explorer(TITLE, name, Studio)
