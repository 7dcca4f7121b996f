"""Attribute explorer: directions in latent space, the change each makes, their labels, and their overlap."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from glowlab.explorers import charts, precomputed, wording
from glowlab.explorers.address import Address
from glowlab.explorers.attribute_state import (
    STRONG,
    AttributeState,
    cosines,
    describe_directions,
    locate_change,
    paint_change,
)
from glowlab.explorers.explorer import Explorer, make_card, open_explorer, require_directions
from glowlab.explorers.gallery import Gallery, GalleryFace, index_of, to_tiles
from glowlab.explorers.labelled import FEW, Labelled, project
from glowlab.explorers.wording import readout_entries
from glowlab.widgets.controls import Button, Choice, Slider, Upload
from glowlab.widgets.frame import Frame, box
from glowlab.widgets.picture import Picture, Tiles
from glowlab.widgets.readout import Words
from glowlite import checkpoint
from glowlite.latents import flatten

TITLE = "Attributes"
PROMISE = "A smile is a direction among {dims:,} numbers. Walk along it, and see what changes and what does not."
OPENING = {"glasses": 0.9, "smile": 0.7}
FACE = 10  # the gallery's face it opens on, counted from 0
OPENING_REAL, FACE_REAL = {"smile": 0.8}, 0  # with a model of real faces
OWN = "own"  # the directions that belong to the model
TENS = 10  # batches of ten labels to choose from
PLACED = 200  # labelled faces that are placed along the directions where none are stored
HELD = "Several long steps at once: the latents are held at an effective temperature of 1.3."
ENCODED = "Labelled faces are being encoded."
UNPLACED = "No labelled faces were measured for this model."
LABELS = "From few labels: the mean of the faces with the attribute, minus the mean of those without."
PLACES = "The labelled faces, projected on the model's own direction, and this face among them: before and after."
OVERLAP = (
    "Cosine between directions, in latents: 0 is a right angle. What a step does to pictures is another matter, "
    "and directions can be parted by that (notebook 12)."
)


class AttributeExplorer(Explorer):
    """`AttributeExplorer(model, directions, facts)`: a Glow on square colour pictures, its directions, its card.

    facts["directions"], if given, says how those were made: "count" of labels, "parted" or not. `stored` is what
    `precomputed.load` gives; what it lacks is found while nothing moves, for drawn faces: no others can be labelled
    here. `seed` is that of Surprise me.
    """

    hints = [
        ("edit", "Drag a slider: the bright parts of the third picture are what it changes."),
        ("back", "Bring every slider back, or press Reset: the very same pixels return."),
        ("labels", "Make the directions from ten labels: now a smile drags half of the picture along."),
        ("others", "Ten other labels give quite another direction, as most of it is chance."),
        ("look", "Choose another attribute under the sliders to see where this face lies along it."),
        ("choose", "Choose another face: the same directions work for every {face}."),
        (
            "upload",
            "Give it a picture of your own: it comes back exactly, and moves as far as it is like a {face}.",
        ),
        ("surprise", "Surprise me moves a few sliders at random."),
    ]

    def __init__(
        self,
        model,
        directions: Mapping,
        facts: Mapping,
        stored: precomputed.Precomputed | None = None,
        seed: int | None = None,
    ):
        super().__init__(TITLE, PROMISE.format(dims=model.dims), model, facts, seed)
        require_directions(directions)
        stored = stored or precomputed.Precomputed()
        self.own, self.made = dict(directions), facts.get("directions", {})
        labels = None if self.drawn else stored.labels
        self.labelled = Labelled(model, self.own, stored.positions, stored.few, labels=labels)
        if not self.labelled.possible(FEW[0], 1):
            self.hints = [hint for hint in self.hints if hint[0] != "others"]
        self.gallery = Gallery(model, self.drawn)
        self.state = AttributeState(model, self.own, self.gallery.faces[FACE if self.drawn else FACE_REAL])
        self.ten = 0  # which ten labels
        self.overlapping = None  # the choice that the chart of overlaps shows
        self.bits = self.typical.mean  # of the picture at the last rest
        self._build()
        self._connect()
        opening = OPENING if self.drawn else OPENING_REAL
        self.state.amounts = {name: amount for name, amount in opening.items() if name in self.own}
        self._show_start()
        self._update_sliders()

    # ---- parts ---------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.before = Picture(caption="before", tone="x")
        self.after = Picture(caption="after", other_caption="before", tone="z")
        self.changed = Picture(caption="the change", tone="z")
        self.sliders = {}
        for name in self.own:
            words = wording.wording(name)
            self.sliders[name] = Slider(label=words.title, low=words.low, high=words.high)
        self.gallery_tiles = Tiles(label="Faces to start from")
        self.upload = Upload(self.guard(self._read), self.guard(self.refuse_large))
        counts = [[str(count), f"{count:,}"] for count in FEW if self.labelled.possible(count)]
        self.labels = Choice(options=[*counts, [OWN, "the model's own"]], value=OWN, label="Labels")
        self.others = Button(label="Ten others", title="Ten other labels", disabled=True)
        self.others.layout.display = None if self.labelled.possible(FEW[0], 1) else "none"
        self.note = Words()
        look = next((name for name in OPENING if name in self.own), next(iter(self.own)))
        looks = [[name, wording.wording(name).title] for name in self.own]
        self.looks = Choice(options=looks, value=look, label="Attribute to look at").add_class("gl-wrap")
        self.surprise.title, self.reset.title = "A few edits at random", "Undo all edits"
        blank = charts.blank("Not measured yet.")
        self.positions, self.overlap = charts.chart_board(blank), charts.chart_board(blank)

        pictures = box("trio", self.before, self.after, self.changed).add_class("gl-same")
        show = box("show", pictures, self.actions(), self.words, box("numbers", self.readout))
        self.sections = {
            "gallery": make_card(
                "Start from another face", "", self.arrange_gallery(box("row", self.gallery_tiles, self.upload))
            ),
            "labels": make_card("How many labels", LABELS, box("row", self.labels, self.others), self.note),
            "places": make_card("Where this face lies", PLACES, self.looks, self.positions),
            "overlap": make_card("How the directions overlap", OVERLAP, self.overlap),
        }
        self.parts |= {**self.sliders, "upload": self.upload, "numbers": self.readout, **self.sections}
        sliders = box("sliders", *self.sliders.values(), title="Attributes")
        self.place(box("stage", show, sliders), box("cards", *self.sections.values()))
        self.gallery_tiles.show(*to_tiles(self.gallery.faces))

    def _connect(self) -> None:
        for name, slider in self.sliders.items():
            self.when(slider, "value", lambda amount, name=name: self._edit(name, amount), "edit")
        self.when(self.labels, "value", lesson="labels")
        self.when(self.looks, "value", lesson="look")
        self.on(self.others.on_click, self._other_ten, "others")
        self.on(self.gallery_tiles.on_pick, lambda i: self._choose(self.gallery.partners()[i]), "choose")
        self.on(self.surprise.on_click, self._surprise, "surprise")
        self.on(self.reset.on_click, self._reset, "back")
        self.after.observe(self.guard(lambda change: self.mark_learned("compare")), "compared")

    # ---- actions -----------------------------------------------------------------------------------------

    def _edit(self, name: str, amount: float) -> None:
        if amount != self.state.amounts.get(name, 0.0):  # else it follows the state
            self.state.set_amount(name, amount)
            self.looks.value = name

    def _choose(self, face: GalleryFace) -> None:
        self.notify("")
        self.state.start = face
        self._show_start()

    def _other_ten(self) -> None:
        self.ten = (self.ten + 1) % TENS

    def _reset(self) -> None:
        self.notify("")
        self.state.reset()
        self._update_sliders()

    def _surprise(self) -> None:
        self.state.surprise(self.random, [])
        self.looks.value = self._largest()
        self._update_sliders()

    def _read(self, data: bytes, name: str) -> None:
        foreign = self.receive(data, self._choose_own)
        self.used.add("upload")
        self.notify(f"Your picture went through the flow and back, and is ready to be moved.{foreign}")

    def _choose_own(self, face: GalleryFace) -> None:
        self.state.reset()  # without edits, to show first that it comes back exactly
        self._choose(face)
        self._update_sliders()

    def _largest(self) -> str:
        """The attribute that is moved most; where none is moved, the one looked at."""
        amounts = {name: abs(amount) for name, amount in self.state.amounts.items() if amount}
        return max(amounts, key=amounts.get) if amounts else self.looks.value

    def take(self, address: Address) -> None:
        state = self.state
        state.start = address.face("face", self.gallery.find, state.start)
        state.amounts = {name: address.number(name, -1.0, 1.0, 0.0) for name in self.own}
        with self.updater.hold():
            self.labels.value = address.one_of("labels", [value for value, _ in self.labels.options], OWN)
            self.ten = address.whole("ten", 1, TENS if self.labelled.possible(FEW[0], 1) else 1, 1) - 1
            self.looks.value = address.one_of("look", self.own, self._largest())
            self._show_start()
            self._update_sliders()
            self.updater.request()

    def query(self) -> dict[str, str]:
        values = {"face": self.state.start.key}
        amounts = {name: self.state.amounts.get(name, 0.0) for name in self.own}
        values |= {name: f"{amount:.2f}" for name, amount in amounts.items() if amount}
        if self.labels.value != OWN:
            batch = self._which()[1]
            values |= {"labels": self.labels.value, "ten": str(batch + 1) if batch else ""}
        return values | {"look": self.looks.value}

    # ---- updates -------------------------------------------------------------------------------------------

    def _show_start(self) -> None:
        start = self.state.start
        self.before.show(start.image)
        self.before.label = f"Before: {start.name}."
        self.after.other_label = self.before.label
        if self.gallery.extra:
            self.gallery_tiles.show(*to_tiles(self.gallery.partners()))
        self.gallery_tiles.selected = index_of(start, self.gallery.partners())

    def _update_sliders(self) -> None:
        """Set the sliders from the state."""
        with self.updater.hold():
            for name, slider in self.sliders.items():
                slider.put(self.state.amounts.get(name, 0.0))
            self.updater.request()

    def _which(self) -> tuple[int, int]:
        """(number of labels, batch of them); (0, 0) for the model's own directions."""
        count = 0 if self.labels.value == OWN else int(self.labels.value)
        return count, self.ten if count == FEW[0] else 0

    def _use_directions(self) -> bool:
        """Use the chosen directions, if they are known already; whether they are."""
        count, batch = self._which()
        if count and not self.labelled.ready(count, batch):
            return False
        self.state.directions = {**self.own, **(self.labelled.find(count, batch) if count else {})}
        return True

    def show(self) -> None:
        self.others.disabled = self._which()[0] != FEW[0]
        known = self._use_directions()
        before = self.state.start.image
        self.decoded = self.state.decode()
        self.after.show(self.decoded.image, other=before)
        self.changed.show(paint_change(before, self.decoded.image))
        self._show_numbers(stale=True)
        self._show_place()
        if known:
            self._show_overlap()

    def settle(self) -> Iterator[None]:
        """Find directions that need labels; then words, bits per dimension, and positions of labelled faces."""
        count, batch = self._which()
        if not self._use_directions():
            wanted = count * (batch + 1)
            for done in self.labelled.encode(wanted):
                self.note.says = f"{done * 4 // wanted * 25} % of {wanted:,} labelled faces encoded."
                yield
            self.show()
        self._describe()
        yield
        self.bits = self.state.bits_per_dim(self.decoded.image)
        self._show_numbers(stale=False)
        yield
        if self.labelled.count_placed() < PLACED and self.labelled.possible(PLACED):
            for _ in self.labelled.encode(PLACED):
                yield
            self.labelled.place()
            self._show_place()

    def _describe(self) -> None:
        start, image, count = self.state.start, self.decoded.image, self._which()[0]
        says = wording.describe(start.name, self.state.amounts, unlike=self.people if start.foreign else "")
        unsure = count and any(self.state.amounts.values())
        self.words.says = f"{says[:-1]}, as far as {count:,} labels know it." if unsure else says
        self.after.label = f"After: {says}"
        self.changed.label = (
            f"Where it changed: {locate_change(start.image, image)}. {STRONG} grey levels are brightest."
        )
        self.words.hint = HELD if self.state.limited else self.hint()
        name = self.looks.value
        pair = [flatten(of[name]) for of in (self.state.directions, self.own)]
        alike = torch.cosine_similarity(*pair).item()
        title = wording.wording(name).title.lower()
        few = f"From {count:,} labels: the direction of {title} has cosine {alike:.2f} with the model's own."
        self.note.says = few if count else describe_directions(self.made)

    def _show_place(self) -> None:
        name = self.looks.value
        found = self.labelled.positions.get(name)
        if found is None:
            self.positions.show(charts.blank(UNPLACED if self.labelled.images is None else ENCODED))
            return
        step = self.own[name]
        now = [project(eps, step).item() for eps in (self.state.start.latents, self.state.latents())]
        self.positions.show(charts.positions(name, found, self.labelled.labels[name][: len(found)], *now))

    def _show_overlap(self) -> None:
        shown = self._which(), self.looks.value
        if shown != self.overlapping:
            self.overlapping = shown
            self.overlap.show(charts.overlap(list(self.own), cosines(self.state.directions), self.looks.value))

    def _show_numbers(self, stale: bool) -> None:
        change = self.state.change(self.decoded.image)
        self.readout.entries = readout_entries(self.bits, stale, self.typical, self.decoded, change)

    def still(self) -> Tensor:
        return torch.cat([self.before.image, self.after.image, self.changed.image], -1)


def open_attributes(name: str = "") -> Frame:
    """Open the explorer as `open_studio` does."""

    def make(name, model, directions, facts) -> AttributeExplorer:
        if directions:
            facts = {**facts, "directions": checkpoint.read_state(checkpoint.directions_path(name))[1]}
        return AttributeExplorer(model, directions, facts, precomputed.load(name))

    return open_explorer(TITLE, name, make)
