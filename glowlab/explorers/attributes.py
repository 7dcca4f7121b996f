"""Attributes: directions in latent space, what each changes, where they come from, and how they overlap."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from glowlab.explorers import charts, wording
from glowlab.explorers import precomputed as known
from glowlab.explorers.address import Address
from glowlab.explorers.explorer import Explorer, card, need, open_explorer
from glowlab.explorers.gallery import Face, Shelf, as_tiles, place_of
from glowlab.explorers.labelled import FEW, Labelled, project
from glowlab.explorers.moved import STRONG, Moved, cosines, heat, provenance, where
from glowlab.widgets.controls import Button, Choice, Slider, Upload
from glowlab.widgets.frame import Frame, box
from glowlab.widgets.picture import Picture, Tiles
from glowlab.widgets.readout import Words, numbers
from glowlite import checkpoint
from glowlite.latents import flatten

TITLE = "Attributes"
PROMISE = "A smile is a direction among {dims:,} numbers. Walk along it, and see what changes and what does not."
OPENING = {"glasses": 0.9, "smile": 0.7}
FACE = 10  # the gallery's face it opens on, counted from 0
OWN = "own"  # the directions that belong to the model
TENS = 10  # how many times ten other labels can be had
PLACED = 200  # labelled faces that are placed along the directions where nothing was kept
HELD = "Several long steps at once: the latents are held at an effective temperature of 1.3."
LABELS = "From few labels: the mean of the faces with the attribute, minus the mean of those without."
PLACES = "The labelled faces, projected on the model's own direction, and this face among them: before and after."
OVERLAP = (
    "Cosine between directions, in latents: 0 is a right angle. What a step does to pictures is another matter, "
    "and directions can be parted by that (notebook 12)."
)


class AttributeExplorer(Explorer):
    """`AttributeExplorer(model, directions, facts)`: a Glow on square colour pictures, its directions, its card.

    facts["directions"], if given, says how those were made: "count" of labels, "parted" or not. `kept` is what
    `known.load` gives; what it lacks is found while nothing moves. `seed` is that of Surprise me.
    """

    hints = [
        ("edit", "Drag a slider: the bright parts of the third picture are what it changes."),
        ("back", "Bring every slider back, or press Reset: the very same pixels return."),
        ("labels", "Make the directions from ten labels: now a smile drags half of the picture along."),
        ("others", "Ten other labels give quite another direction, as most of it is chance."),
        ("look", "Choose another attribute under the sliders to see where this face lies along it."),
        ("choose", "Choose another face: the same directions work for every drawn face."),
        (
            "upload",
            "Give it a picture of your own: it comes back exactly, and moves as far as it is like a drawn face.",
        ),
        ("surprise", "Surprise me moves a few sliders at random."),
    ]

    def __init__(
        self,
        model,
        directions: Mapping,
        facts: Mapping,
        kept: known.Known | None = None,
        seed: int | None = None,
    ):
        super().__init__(TITLE, PROMISE.format(dims=model.dims), model, facts, seed)
        need(directions)
        kept = kept or known.Known()
        self.own, self.made = dict(directions), facts.get("directions", {})
        self.labelled = Labelled(model, self.own, kept.places, kept.few)
        self.shelf = Shelf(model)
        self.state = Moved(model, self.own, self.shelf.gallery[FACE])
        self.ten = 0  # which ten labels
        self.overlapping = None  # what the chart of overlaps shows
        self.bits = self.typical.mean  # of the picture shown when things last rested
        self._build()
        self._connect()
        self.state.amounts = {name: amount for name, amount in OPENING.items() if name in self.own}
        self._start_changed()
        self._follow()

    # ---- parts ---------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.before = Picture(caption="before", tone="x")
        self.after = Picture(caption="after", other_caption="before", tone="z")
        self.changed = Picture(caption="the change", tone="z")
        self.sliders = {}
        for name in self.own:
            words = wording.wording(name)
            self.sliders[name] = Slider(label=words.title, low=words.low, high=words.high)
        self.gallery = Tiles(label="Faces to start from")
        self.upload = Upload(self.guard(self._read), self.guard(self.too_large))
        counts = [[str(count), f"{count:,}"] for count in FEW]
        self.labels = Choice(options=[*counts, [OWN, "the model's own"]], value=OWN, label="Labels")
        self.others = Button(label="Ten others", title="Ten other labels", disabled=True)
        self.note = Words()
        look = next((name for name in OPENING if name in self.own), next(iter(self.own)))
        looks = [[name, wording.wording(name).title] for name in self.own]
        self.looks = Choice(options=looks, value=look, label="Attribute to look at").add_class("gl-wrap")
        self.surprise.title, self.reset.title = "A few edits at random", "Undo all edits"
        blank = charts.blank("Not measured yet.")
        self.places, self.overlap = charts.chart_board(blank), charts.chart_board(blank)

        pictures = box("trio", self.before, self.after, self.changed).add_class("gl-same")
        show = box("show", pictures, self.actions(), self.words, box("numbers", self.readout))
        self.sections = {
            "gallery": card("Start from another face", "", box("row", self.gallery, self.upload)),
            "labels": card("How many labels", LABELS, box("row", self.labels, self.others), self.note),
            "places": card("Where this face lies", PLACES, self.looks, self.places),
            "overlap": card("How the directions overlap", OVERLAP, self.overlap),
        }
        self.parts |= {**self.sliders, "upload": self.upload, "numbers": self.readout, **self.sections}
        sliders = box("sliders", *self.sliders.values(), title="Attributes")
        self.place(box("stage", show, sliders), box("cards", *self.sections.values()))
        self.gallery.show(*as_tiles(self.shelf.gallery))

    def _connect(self) -> None:
        for name, slider in self.sliders.items():
            self.when(slider, "value", lambda amount, name=name: self._edit(name, amount), "edit")
        self.when(self.labels, "value", lesson="labels")
        self.when(self.looks, "value", lesson="look")
        self.on(self.others.on_click, self._other_ten, "others")
        self.on(self.gallery.on_pick, lambda i: self._choose(self.shelf.partners()[i]), "choose")
        self.on(self.surprise.on_click, self._surprise, "surprise")
        self.on(self.reset.on_click, self._reset, "back")
        self.after.observe(self.guard(lambda change: self.learned("compare")), "compared")

    # ---- what a person does --------------------------------------------------------------------------------

    def _edit(self, name: str, amount: float) -> None:
        if amount != self.state.amounts.get(name, 0.0):  # else it follows the state
            self.state.set_amount(name, amount)
            self.looks.value = name

    def _choose(self, face: Face) -> None:
        self.notify("")
        self.state.start = face
        self._start_changed()

    def _other_ten(self) -> None:
        self.ten = (self.ten + 1) % TENS

    def _reset(self) -> None:
        self.notify("")
        self.state.reset()
        self._follow()

    def _surprise(self) -> None:
        self.state.surprise(self.random, [])
        self.looks.value = self._largest()
        self._follow()

    def _read(self, data: bytes, name: str) -> None:
        foreign = self.receive(data, self._take_own)
        self.used.add("upload")
        self.notify(f"Your picture went through the flow and back, and is ready to be moved.{foreign}")

    def _take_own(self, face: Face) -> None:
        self.state.reset()  # first shown as it is, since the first thing to see is that it comes back
        self._choose(face)
        self._follow()

    def _largest(self) -> str:
        """The attribute that is moved most; the one looked at where none is."""
        amounts = {name: abs(amount) for name, amount in self.state.amounts.items() if amount}
        return max(amounts, key=amounts.get) if amounts else self.looks.value

    def take(self, address: Address) -> None:
        state = self.state
        state.start = address.face("face", self.shelf.find, state.start)
        state.amounts = {name: address.number(name, -1.0, 1.0, 0.0) for name in self.own}
        with self.renderer.hold():
            self.labels.value = address.one_of("labels", [value for value, _ in self.labels.options], OWN)
            self.ten = address.whole("ten", 1, TENS, 1) - 1
            self.looks.value = address.one_of("look", self.own, self._largest())
            self._start_changed()
            self._follow()
            self.renderer.request()

    def query(self) -> dict[str, str]:
        values = {"face": self.state.start.key}
        amounts = {name: self.state.amounts.get(name, 0.0) for name in self.own}
        values |= {name: f"{amount:.2f}" for name, amount in amounts.items() if amount}
        if self.labels.value != OWN:
            batch = self._which()[1]
            values |= {"labels": self.labels.value, "ten": str(batch + 1) if batch else ""}
        return values | {"look": self.looks.value}

    # ---- what follows --------------------------------------------------------------------------------------

    def _start_changed(self) -> None:
        start = self.state.start
        self.before.show(start.image)
        self.before.label = f"Before: {start.name}."
        self.after.other_label = self.before.label
        if self.shelf.extra:
            self.gallery.show(*as_tiles(self.shelf.partners()))
        self.gallery.selected = place_of(start, self.shelf.partners())

    def _follow(self) -> None:
        """Set the sliders from the state."""
        with self.renderer.hold():
            for name, slider in self.sliders.items():
                slider.put(self.state.amounts.get(name, 0.0))
            self.renderer.request()

    def _which(self) -> tuple[int, int]:
        """How many labels, and which batch of them; (0, 0) for the model's own directions."""
        count = 0 if self.labels.value == OWN else int(self.labels.value)
        return count, self.ten if count == FEW[0] else 0

    def _direct(self) -> bool:
        """Take the directions that are wanted, if they are known already."""
        count, batch = self._which()
        if count and not self.labelled.ready(count, batch):
            return False
        self.state.directions = {**self.own, **(self.labelled.find(count, batch) if count else {})}
        return True

    def show(self) -> None:
        self.others.disabled = self._which()[0] != FEW[0]
        known = self._direct()
        before = self.state.start.image
        self.drawn = self.state.draw()
        self.after.show(self.drawn.image, other=before)
        self.changed.show(heat(before, self.drawn.image))
        self._numbers(stale=True)
        self._show_place()
        if known:
            self._show_overlap()

    def settle(self) -> Iterator[None]:
        """Directions that need labels first; words; bits per dimension; what else needs labelled faces."""
        count, batch = self._which()
        if not self._direct():
            wanted = count * (batch + 1)
            for done in self.labelled.encode(wanted):
                self.note.says = f"{done * 4 // wanted * 25} % of {wanted:,} labelled faces encoded."
                yield
            self.show()
        self._say()
        yield
        self.bits = self.state.bits_per_dim(self.drawn.image)
        self._numbers(stale=False)
        yield
        if self.labelled.known() < PLACED:
            for _ in self.labelled.encode(PLACED):
                yield
            self.labelled.place()
            self._show_place()

    def _say(self) -> None:
        start, image, count = self.state.start, self.drawn.image, self._which()[0]
        says = wording.describe(start.name, self.state.amounts, foreign=start.foreign)
        unsure = count and any(self.state.amounts.values())
        self.words.says = f"{says[:-1]}, as far as {count:,} labels know it." if unsure else says
        self.after.label = f"After: {says}"
        self.changed.label = f"Where it changed: {where(start.image, image)}. {STRONG} grey levels are brightest."
        self.words.hint = HELD if self.state.held else self.hint()
        name = self.looks.value
        pair = [flatten(of[name]) for of in (self.state.directions, self.own)]
        alike = torch.cosine_similarity(*pair).item()
        title = wording.wording(name).title.lower()
        few = f"From {count:,} labels: the direction of {title} has cosine {alike:.2f} with the model's own."
        self.note.says = few if count else provenance(self.made)

    def _show_place(self) -> None:
        name = self.looks.value
        found = self.labelled.places.get(name)
        if found is None:
            self.places.show(charts.blank("Labelled faces are being encoded."))
            return
        step = self.own[name]
        now = [project(eps, step).item() for eps in (self.state.start.latents, self.state.latents())]
        self.places.show(charts.places(name, found, self.labelled.labels[name][: len(found)], *now))

    def _show_overlap(self) -> None:
        shown = self._which(), self.looks.value
        if shown != self.overlapping:
            self.overlapping = shown
            self.overlap.show(charts.overlap(list(self.own), cosines(self.state.directions), self.looks.value))

    def _numbers(self, stale: bool) -> None:
        change = self.state.change(self.drawn.image)
        self.readout.entries = numbers(self.bits, stale, self.typical, self.drawn, change)

    def still(self) -> Tensor:
        return torch.cat([self.before.image, self.after.image, self.changed.image], -1)


def open_attributes(name: str = "faces64") -> Frame:
    """The explorer with a trained model that ships, or a path; or a sentence that says why it cannot open."""

    def make(model, directions, facts) -> AttributeExplorer:
        if directions:
            facts = {**facts, "directions": checkpoint.read_state(checkpoint.directions_path(name))[1]}
        return AttributeExplorer(model, directions, facts, known.load(name))

    return open_explorer(TITLE, name, make)
