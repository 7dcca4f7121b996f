"""Temperature: the same sixteen draws, nearer to the middle of latent space or further out."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from glowlab.explorers import charts
from glowlab.explorers import precomputed as known
from glowlab.explorers.address import Address
from glowlab.explorers.explorer import Explorer, card, open_explorer
from glowlab.explorers.gallery import GALLERY_SEED
from glowlab.explorers.pca import Likeness, crowd
from glowlab.explorers.render import Drawn
from glowlab.explorers.samples import COUNT, STOPS, Point, Samples, describe, spread, trade_off
from glowlab.widgets.controls import Slider
from glowlab.widgets.fold import Fold
from glowlab.widgets.frame import Frame, box
from glowlab.widgets.picture import Tiles
from glowlab.widgets.readout import numbers
from glowlite.data import faces

TITLE = "Temperature"
PROMISE = "One number decides how bold the model's drawings are. Turn it, and watch the same sixteen people follow."
SHELL = "Most of the space is far from the middle: typical draws all lie in one thin shell."
QUALITY = "Down is cleaner: less in a picture that no drawn face is made of. Right is more varied."
OPENING = 0.7  # the paper's choice for pictures to show
HOTTEST = 1.3
STEP = 0.05
SEED = 1  # the sixteen it opens on
STRIP = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2)


class TemperatureExplorer(Explorer):
    """`TemperatureExplorer(model, facts)`: sixteen faces of a Glow on square colour pictures; facts is its card.

    `kept` is what `known.load` gives; what it lacks is measured while nothing moves. `seed` is that of Surprise me.
    """

    hints = [
        (
            "temperature",
            "Drag the temperature to 0 and back: nobody is swapped, everyone moves out from one mean face.",
        ),
        ("hot", "Go beyond 1: bolder than any face the model was shown."),
        (
            "choose",
            "Choose a face: below, it runs through all temperatures, and the ring shows where it lies.",
        ),
        ("surprise", "Surprise me draws sixteen other people; the charts hardly change."),
        ("strip", "Choose a stop in the row below to set the temperature to it."),
        (
            "levels",
            "Under Advanced, cool the first levels alone: soft edges, and people as varied as before.",
        ),
    ]

    def __init__(self, model, facts: Mapping, kept: known.Known | None = None, seed: int | None = None):
        super().__init__(TITLE, PROMISE, model, facts, seed)
        kept = kept or known.Known()
        self.radii, self.likeness, self.points = kept.radii, kept.likeness, list(kept.points)
        self.samples = Samples(model, SEED)
        self.levels = len(model.latent_shapes)
        self.chosen = 0
        self.shown: list[Tensor] = []  # the sixteen pictures on the page
        self.drawn_at = [0] * COUNT  # when each was drawn last, counted in moves
        self.moves = 0
        self.took = 0.0, 0  # milliseconds of the last drawing, and how many it drew
        self.measured = float("nan"), 0.0  # bits per dimension and change, when things last rested
        self.real: Point | None = None  # drawn faces
        self._build()
        self._connect()
        self.sheet = self.samples.at(self.temperatures)
        # All at once, so that the page opens finished.
        self.sheet.draw(list(range(COUNT)), self.samples.drawing)
        self.renderer.request()

    # ---- parts ---------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.tiles = Tiles(label="Sixteen faces")
        look = {"min": 0.0, "max": HOTTEST, "step": STEP, "value": OPENING, "rest": OPENING, "signed": False}
        self.slider = Slider(label="Temperature", low="calm", high="wild", **look)
        self.slider.add_class("gl-large")
        self.level_sliders = [
            Slider(label=f"Level {level}, eps {' × '.join(map(str, shape))}", low="calm", high="wild", **look)
            for level, shape in enumerate(self.model.latent_shapes, 1)
        ]
        note = "A temperature for each level, from the finest grain to the whole of the face."
        self.advanced = box("levels", *self.level_sliders, note=note)
        self.fold = Fold(self.advanced, label="Advanced: level by level")
        self.strip = Tiles(label="The chosen face at seven temperatures")
        self.strip.captions = ["T = 0", *(f"{t:.1f}" for t in STRIP[1:])]
        self.shell = charts.chart_board(charts.shell(torch.zeros(COUNT), self.radii, self.model.dims, 0))
        self.trade = charts.chart_board(charts.blank("Being measured."))
        self.surprise.title, self.reset.title = "Sixteen other draws", f"Back to temperature {OPENING}"

        show = box("show", box("grid", self.tiles))
        side = box(
            "side",
            self.slider,
            self.fold,
            self.advanced,
            self.actions(),
            self.words,
            box("numbers", self.readout),
        )
        self.sections = {
            "strip": card("One face at seven temperatures", "The same eps, scaled.", self.strip).add_class("gl-wide"),
            "shell": card("Where the draws lie", SHELL, self.shell),
            "quality": card("Quality against diversity", QUALITY, self.trade),
        }
        self.parts |= {
            "temperature": self.slider,
            "levels": self.fold,
            "numbers": self.readout,
            **self.sections,
        }
        self.place(box("stage", show, side).add_class("gl-even"), box("cards", *self.sections.values()))

    def _connect(self) -> None:
        self.when(self.slider, "value", self._set_all, "temperature")
        for slider in self.level_sliders:  # their values are the state
            self.when(slider, "value", self._set_level, "levels")
        self.on(self.tiles.on_pick, self._choose, "choose")
        self.on(self.strip.on_pick, lambda stop: self._put(STRIP[stop]), "strip")
        self.on(self.surprise.on_click, self._surprise, "surprise")
        self.on(self.reset.on_click, lambda: self._put(OPENING), "reset")

    # ---- what a person does --------------------------------------------------------------------------------

    @property
    def temperatures(self) -> tuple[float, ...]:
        """One for each level, finest first."""
        return tuple(slider.value for slider in self.level_sliders)

    def _set_all(self, value: float) -> None:
        for slider in self.level_sliders:
            if slider.value != value:
                slider.put(value)
        if value > 1:
            self.used.add("hot")

    def _set_level(self, value: float) -> None:
        """Where all levels have come to one temperature, so has the large slider."""
        if set(self.temperatures) == {value} != {self.slider.value}:
            self.slider.put(value)

    def _put(self, value: float) -> None:
        self.notify("")
        for slider in (self.slider, *self.level_sliders):
            slider.put(value)

    def _choose(self, index: int) -> None:
        self.chosen = index

    def _surprise(self) -> None:
        self.samples.redraw(self.random.randrange(1, 10_000))

    def take(self, address: Address) -> None:
        self.samples.redraw(address.whole("seed", 0, 2**31 - 1, SEED))
        self.chosen = address.whole("face", 1, COUNT, 1) - 1
        with self.renderer.hold():
            self._put(on_step(address.number("t", 0.0, HOTTEST, OPENING)))
            apart = address.numbers("levels", self.levels, 0.0, HOTTEST) or self.temperatures
            for slider, value in zip(self.level_sliders, apart, strict=True):
                slider.put(on_step(value))
            self.fold.value = self.fold.value or not self._even()
            self.renderer.request()

    def query(self) -> dict[str, str]:
        levels = "" if self._even() else "_".join(f"{t:.2f}" for t in self.temperatures)
        values = {"t": f"{self.slider.value:.2f}", "levels": levels, "seed": str(self.samples.seed)}
        return values | ({"face": str(self.chosen + 1)} if self.chosen else {})

    def arrange(self) -> None:
        if self.fold.layout.display == "none":
            self.fold.value = False

    def _even(self) -> bool:
        return len({*self.temperatures, self.slider.value}) == 1

    # ---- what follows --------------------------------------------------------------------------------------

    def show(self) -> None:
        """Draw as many as a moment allows: the chosen one, then those that were left behind longest."""
        self.moves += 1
        self.sheet = self.samples.at(self.temperatures)
        which = self.sheet.missing(self._order())[: self.samples.moving.count]
        took = self.sheet.draw(which, self.samples.moving)
        self.took = took, len(which)
        self._paint()
        self._numbers(None)
        self.shell.show(charts.shell(self.sheet.effective, self.radii, self.model.dims, self.chosen))

    def _order(self) -> list[int]:
        others = sorted(set(range(COUNT)) - {self.chosen}, key=self.drawn_at.__getitem__)
        return [self.chosen, *others]

    def _paint(self) -> None:
        """The pictures that are there; the others stay as they were."""
        for i, image in enumerate(self.sheet.images):
            if image is not None:
                self.drawn_at[i] = self.moves
                self.shown[i : i + 1] = [image]
        names = [f"face {i + 1}" for i in range(COUNT)]
        self.tiles.show(torch.stack(self.shown), names)
        self.tiles.selected = self.chosen

    def settle(self) -> Iterator[None]:
        """The rest of the sixteen; words, numbers and charts; what is likely to be asked for next."""
        now = self.sheet
        for _ in now.finish(self._order()):
            self._paint()
            yield
        images = torch.stack(now.images)
        self._say(spread(images))
        yield from self._run_through()
        rest = self.samples.at([OPENING] * self.levels)
        yield from rest.finish()
        yield from now.weigh()
        change = (images.float() - torch.stack(rest.images).float()).abs().mean().item()
        self._numbers(change)
        yield from self._plot(images)
        yield from self._look_ahead()

    def _look_ahead(self) -> Iterator[None]:
        """Draw where the slider may go next, unless others want the cores now."""
        if self.work.crowded or not self._even():
            return
        for step in (STEP, -STEP, 2 * STEP, -2 * STEP):
            if 0 <= self.slider.value + step <= HOTTEST:
                yield from self.samples.at([self.slider.value + step] * self.levels).finish()

    def _run_through(self) -> Iterator[None]:
        """The chosen face at every stop of the strip."""
        sheets = [self.samples.at([stop] * self.levels) for stop in STRIP]
        for stop in sheets:
            yield from stop.finish([self.chosen])
        self.strip.label = f"Face {self.chosen + 1} at seven temperatures"
        self.strip.show(torch.stack([stop.images[self.chosen] for stop in sheets]), [f"T = {t:.1f}" for t in STRIP])
        near = [abs(self.slider.value - stop) < STEP / 2 and self._even() for stop in STRIP]
        self.strip.selected = near.index(True) if any(near) else -1

    def _plot(self, images: Tensor) -> Iterator[None]:
        size = self.model.config.shape[-1]
        if self.likeness is None:
            people = []
            for some in crowd(size):
                people.append(some)
                yield
            self.likeness = Likeness.of(torch.cat(people))
        if self.real is None:
            self.real = self._point(faces.draw(24, size, GALLERY_SEED).images)
            yield
        now = self._point(images)
        self.trade.show(charts.trade(self.points, now, self.real))
        while len(self.points) < len(STOPS):
            before = len(self.points)
            for _ in trade_off(self.model, self.likeness, self.points):
                yield
                if len(self.points) > before:
                    before = len(self.points)
                    self.trade.show(charts.trade(self.points, now, self.real))

    def _point(self, images: Tensor) -> Point:
        return Point(self.slider.value, self.likeness.oddness(images), spread(images))

    def _say(self, apart: float) -> None:
        self.words.says = describe(self.temperatures, apart)
        self.words.hint = self.hint()
        self.tiles.label = self.words.says

    def _numbers(self, change: float | None) -> None:
        """The strip of numbers; `change` is None while bits per dimension are not known yet."""
        stale = change is None
        if not stale:
            self.measured = sum(self.sheet.bits) / COUNT, change
        bits, moved = self.measured
        took, count = (self.sheet.took, COUNT) if self.sheet.complete() else self.took
        drawn = Drawn(None, took, 0.0, self.sheet.effective.mean().item())
        entries = numbers(bits, stale, self.typical, drawn, moved)
        usual = f"drawn faces: {self.typical.mean:.2f} \u00b1 {self.typical.spread:.2f}"
        entries[0] |= {"note": usual, "flag": False}
        entries[1]["note"] = "|eps| / \u221aD, mean of the sixteen"
        entries[2] |= {"note": f"grey levels of 255, from T = {OPENING}", "stale": stale}
        if took:
            entries[3]["note"] = "all sixteen faces" if count == COUNT else f"for {count}; the others follow"
        self.readout.entries = entries

    def still(self) -> Tensor:
        rows = [torch.cat(self.shown[i : i + 4], -1) for i in range(0, COUNT, 4)]
        return torch.cat(rows, -2)


def on_step(temperature: float) -> float:
    """The nearest temperature that the sliders can show."""
    return round(round(temperature / STEP) * STEP, 2)


def open_temperature(name: str = "faces64") -> Frame:
    """The explorer with a trained model that ships, or a path; or a sentence that says why it cannot open."""

    def make(model, directions, facts) -> TemperatureExplorer:
        return TemperatureExplorer(model, facts, known.load(name))

    return open_explorer(TITLE, name, make)
