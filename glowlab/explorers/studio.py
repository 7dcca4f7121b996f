"""Studio explorer: a face, a slider for each attribute, a second face to blend with, fresh faces, numbers."""

import json
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from glowlab.explorers import wording
from glowlab.explorers.address import Address
from glowlab.explorers.explorer import Explorer, open_explorer, require_directions
from glowlab.explorers.gallery import MAX_TEMPERATURE, Gallery, GalleryFace, index_of, to_tiles
from glowlab.explorers.studio_state import StudioState
from glowlab.explorers.wording import readout_entries
from glowlab.widgets.controls import Button, Choice, Slider, Upload
from glowlab.widgets.frame import Frame, box
from glowlab.widgets.picture import Picture, Tiles, to_png

TITLE = "Glow studio"
PROMISE = (
    "A flow turns a face into {dims:,} numbers and back, without losing a pixel. "
    "Turn the numbers, and see the face change."
)
WARM = 0.7  # the temperature of fresh faces at first
OPENING = {"smile": 0.9, "hair_colour": 0.7}  # edits of the example that it opens on
OPENING_REAL = {"smile": 0.8}  # with a model of real faces
TABLE = wording.FILE.parent / "settings" / "studio.json"


class Studio(Explorer):
    """`Studio(model, directions, card)`: a Glow on square colour pictures, its directions, its card.

    Shown in a notebook like any widget; `open_studio()` loads what it needs. `seed` is that of Surprise me.
    """

    hints = json.loads(TABLE.read_text(encoding="utf-8"))["hints"]

    def __init__(self, model, directions: Mapping[str, list[Tensor]], card: Mapping, seed: int | None = None):
        require_directions(directions)
        super().__init__(TITLE, PROMISE.format(dims=model.dims), model, card, seed)
        self.gallery = Gallery(model, self.drawn)
        self.state = StudioState(model, directions, self.gallery.faces[0], self.gallery.faces[1])
        self.bits = self.state.bits_per_dim(self.state.start.image)  # of the picture at the last rest
        self._build()
        self._connect()
        self._sample_fresh()
        opening = OPENING if self.drawn else OPENING_REAL
        self.state.amounts = {name: amount for name, amount in opening.items() if name in directions}
        self._show_start()

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
        self.upload = Upload(self.guard(self._read), self.guard(self.refuse_large))
        self.partner_tiles = Tiles(label="Faces to blend with")
        self.blend = Slider(label="Blend", min=0.0, step=0.01, low="first", high="second", signed=False)
        ways = [["linear", "straight line"], ["spherical", "arc"]]
        self.path = Choice(options=ways, value="linear", label="Way between the two")
        self.fresh_tiles = Tiles(label="Fresh faces")
        self.temperature = Slider(
            label="Temperature", min=0.0, max=min(MAX_TEMPERATURE, self.hottest), value=WARM, rest=WARM, signed=False
        )
        self.temperature.low, self.temperature.high = "calm", "wild"
        self.new_faces = Button(label="New faces", title="Draw eight other faces")

        pictures = box("pair", self.before, self.after)
        actions = self.actions(self.download)
        show = box("show", pictures, actions, self.words, box("numbers", self.readout))
        sliders = box("sliders", *self.sliders.values(), title="Attributes")
        gallery = self.arrange_gallery(box("row", self.gallery_tiles, self.upload))
        blend = box("row", self.blend, self.path)
        fresh = box("row", self.temperature, self.new_faces)
        self.sections = {
            "gallery": box("card", gallery, title="Start from another face"),
            "blend": self.arrange_gallery(box("card", self.partner_tiles, blend, title="Blend with a second face")),
            "fresh": box("card", self.fresh_tiles, fresh, title="Fresh faces, never seen before"),
        }
        self.sections["fresh"].add_class("gl-wide")
        others = {"upload": self.upload, "download": self.download}
        self.parts |= {**self.sliders, **self.sections, **others}
        self.place(box("stage", show, sliders), box("cards", *self.sections.values()))
        self.gallery_tiles.show(*to_tiles(self.gallery.faces))

    def _connect(self) -> None:
        for name, slider in self.sliders.items():
            self.when(slider, "value", lambda amount, name=name: self.state.set_amount(name, amount), "edit")
        self.when(self.blend, "value", lambda amount: setattr(self.state, "blend", amount), "blend")
        self.when(self.path, "value", lambda path: setattr(self.state, "path", path), "way")
        self.on(self.gallery_tiles.on_pick, lambda i: self._choose(self.gallery.faces[i]), "choose")
        self.on(self.fresh_tiles.on_pick, self._choose_fresh, "fresh")
        self.on(self.partner_tiles.on_pick, self._choose_partner, "blend")
        self.on(self.reset.on_click, self._reset, "reset")
        self.on(self.surprise.on_click, self._surprise, "surprise")
        self.when(self.temperature, "value", lambda value: self._sample_fresh(follow=True), "fresh")
        self.on(self.new_faces.on_click, self._new_faces, "fresh")
        self.after.observe(self.guard(lambda change: self.mark_learned("compare")), "compared")
        self.download.on_click(self.guard(self._download))

    # ---- actions -----------------------------------------------------------------------------------------

    def _choose(self, face: GalleryFace) -> None:
        self.state.start = face
        self._show_start()

    def _choose_fresh(self, index: int) -> None:
        self.gallery.add(self.gallery.fresh[index])
        self._choose(self.gallery.fresh[index])

    def _choose_partner(self, index: int) -> None:
        self.state.partner = self.gallery.partners()[index]
        if not self.state.blend:
            self.state.blend = 0.5  # so that a choice of a second face changes the picture
        self._update_controls()

    def _reset(self) -> None:
        self.state.reset()
        self.notify("")
        self._update_controls()

    def _surprise(self) -> None:
        self.state.surprise(self.random, self.gallery.faces)
        self._update_controls()

    def _download(self) -> None:
        png = to_png(self.decoded.image, max(1, 512 // self.decoded.image.shape[-1]))
        self.download.save_file("glow-studio.png", png, "image/png")

    def _new_faces(self) -> None:
        self.gallery.fresh_seed += 1
        self.fresh_tiles.selected = -1
        self._sample_fresh()

    def _read(self, data: bytes, name: str) -> None:
        foreign = self.receive(data, self._choose_own)
        self.used.add("upload")
        exact = torch.equal(self.decoded.image, self.state.start.image)
        same = ", and every pixel is the same" if exact else ""
        self.notify(f"Your picture went through the flow and back{same}.{foreign}")

    def _choose_own(self, face: GalleryFace) -> None:
        self.state.reset()  # without edits, to show first that it comes back exactly
        self._choose(face)

    def take(self, address: Address) -> None:
        with self.updater.hold():
            self.gallery.fresh_seed = address.whole("draw", 1, 2**31 - 1, 1)
            self.temperature.put(address.number("heat", 0.0, self.temperature.max, WARM))
            self._sample_fresh()
            self.state.take(address, self.gallery.find)
            self._show_start()

    def query(self) -> dict[str, str]:
        temperature, seed = self.temperature.value, self.gallery.fresh_seed
        fresh = {"heat": "" if temperature == WARM else f"{temperature:.2f}", "draw": "" if seed == 1 else str(seed)}
        return self.state.query() | fresh

    # ---- updates -------------------------------------------------------------------------------------------

    def _sample_fresh(self, follow: bool = False) -> None:
        """Sample the row of fresh faces; where one of them is the start, the start follows."""
        self.gallery.sample_fresh(self.temperature.value)
        self.fresh_tiles.show(*to_tiles(self.gallery.fresh))
        if follow and self.fresh_tiles.selected >= 0:
            self._choose_fresh(self.fresh_tiles.selected)

    def _show_start(self) -> None:
        start = self.state.start
        self.notify("")
        self.before.show(start.image)
        self.before.label = f"Before: {start.name}."
        self.after.other_label = self.before.label
        self.gallery_tiles.selected = index_of(start, self.gallery.faces)
        self.fresh_tiles.selected = index_of(start, self.gallery.fresh)
        self.partner_tiles.show(*to_tiles(self.gallery.partners()))
        self._update_controls()

    def _update_controls(self) -> None:
        """Set every control from the state, and update once."""
        with self.updater.hold():
            for name, slider in self.sliders.items():
                slider.put(self.state.amounts.get(name, 0.0))
            self.blend.put(self.state.blend)
            self.path.value = self.state.path
            self.partner_tiles.selected = index_of(self.state.partner, self.gallery.partners())
            self.updater.request()

    def show(self) -> None:
        self.decoded = self.state.decode()
        self.after.show(self.decoded.image, other=self.state.start.image)
        self._show_numbers(stale=True)

    def settle(self) -> Iterator[None]:
        """Measure bits per dimension; then words."""
        self.bits = self.state.bits_per_dim(self.decoded.image)
        yield
        self._show_numbers(stale=False)
        state = self.state
        partner = state.partner.name if state.partner else ""
        unlike = self.people if state.start.foreign else ""
        says = wording.describe(state.start.name, state.amounts, partner, state.blend, unlike)
        self.words.says = says
        self.after.label = f"After: {says}"
        self.words.hint = self.hint()

    def _show_numbers(self, stale: bool) -> None:
        change = self.state.change(self.decoded.image)
        self.readout.entries = readout_entries(self.bits, stale, self.typical, self.decoded, change)

    def still(self) -> Tensor:
        return torch.cat([self.state.start.image, self.decoded.image], -1)


def open_studio(name: str = "") -> Frame:
    """Open the studio with a model that ships, or a path; else a page with a sentence that says why not.

    "" is the model that the page's address asks for, faces64 where it asks for none.
    """
    return open_explorer(TITLE, name, lambda name, *of: Studio(*of))
