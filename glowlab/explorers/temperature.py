"""Temperature explorer: the same sixteen samples, nearer to the middle of latent space or further out."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from glowlab.explorers import charts, precomputed
from glowlab.explorers.address import Address
from glowlab.explorers.explorer import Explorer, make_card, open_explorer
from glowlab.explorers.gallery import GALLERY_SEED
from glowlab.explorers.pca import PCA, coarse_faces
from glowlab.explorers.render import Decoded
from glowlab.explorers.samples import COUNT, STOPS, SampleQuality, Samples, describe, spread, trade_off
from glowlab.explorers.wording import readout_entries
from glowlab.figures.scene import Scene
from glowlab.widgets.controls import Slider
from glowlab.widgets.fold import Fold
from glowlab.widgets.frame import Frame, box
from glowlab.widgets.picture import Tiles
from glowlite.data import faces

TITLE = "Temperature"
PROMISE = "One number decides how bold the model's drawings are. Turn it, and watch the same sixteen people follow."
SHELL = "Most of the space is far from the middle: typical draws all lie in one thin shell."
QUALITY = "Down is cleaner: less in a picture that no {face} is made of. Right is more varied."
UNMEASURED = "Not measured for this model: glowlite precompute does it."
OPENING = 0.7  # the paper's choice for pictures to show
MAX_TEMPERATURE = 1.3
STEP = 0.05
SEED = 1  # the sixteen it opens on
STRIP = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2)
STRIP_REAL = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 1.0)  # with a model of real faces


class TemperatureExplorer(Explorer):
    """`TemperatureExplorer(model, facts)`: sixteen faces of a Glow on square colour pictures; facts is its card.

    `stored` comes from `precomputed.load`; what is missing there is measured while nothing moves.
    `seed` makes the draws of Surprise me the same at each visit.
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

    def __init__(self, model, facts: Mapping, stored: precomputed.Precomputed | None = None, seed: int | None = None):
        super().__init__(TITLE, PROMISE, model, facts, seed)
        stored = stored or precomputed.Precomputed()
        self.radii, self.pca, self.points = stored.radii, stored.pca, list(stored.points)
        self.most = min(MAX_TEMPERATURE, self.hottest)
        self.stops = STRIP if self.drawn else STRIP_REAL
        self.hints = [hint for hint in self.hints if hint[0] != "hot" or self.most > 1]
        self.samples = Samples(model, SEED)
        self.levels = len(model.latent_shapes)
        self.chosen = 0
        self.shown: list[Tensor] = []  # the sixteen pictures on the page
        self.decoded_at = [0] * COUNT  # when each was decoded last, counted in moves
        self.moves = 0
        self.took = 0.0, 0  # milliseconds of the last decoding, and how many it decoded
        self.measured = float("nan"), 0.0  # bits per dimension and change, at the last rest
        self.real: SampleQuality | None = stored.real  # faces of the data
        self._build()
        self._connect()
        self.sheet = self.samples.at(self.temperatures)
        # All at once, so that the page opens finished.
        self.sheet.decode(list(range(COUNT)), self.samples.decoding)
        self.updater.request()

    # ---- parts ---------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.tiles = Tiles(label="Sixteen faces")
        look = {"min": 0.0, "max": self.most, "step": STEP, "value": OPENING, "rest": OPENING, "signed": False}
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
        self.strip.captions = ["T = 0", *(f"{t:.1f}" for t in self.stops[1:])]
        self.shell = charts.chart_board(charts.shell(torch.zeros(COUNT), self.radii, self.model.dims, 0, self.people))
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
            "strip": make_card("One face at seven temperatures", "The same eps, scaled.", self.strip),
            "shell": make_card("Where the draws lie", SHELL, self.shell),
            "quality": make_card(
                "Quality against diversity", QUALITY.format(face=self.people.removesuffix("s")), self.trade
            ),
        }
        self.sections["strip"].add_class("gl-wide")
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
        self.on(self.strip.on_pick, lambda stop: self._put(self.stops[stop]), "strip")
        self.on(self.surprise.on_click, self._surprise, "surprise")
        self.on(self.reset.on_click, lambda: self._put(OPENING), "reset")

    # ---- actions -----------------------------------------------------------------------------------------

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
        """Move the large slider where all levels have one temperature."""
        if set(self.temperatures) == {value} != {self.slider.value}:
            self.slider.put(value)

    def _put(self, value: float) -> None:
        self.notify("")
        for slider in (self.slider, *self.level_sliders):
            slider.put(value)

    def _choose(self, index: int) -> None:
        self.chosen = index

    def _surprise(self) -> None:
        self.samples.sample(self.random.randrange(1, 10_000))

    def take(self, address: Address) -> None:
        self.samples.sample(address.whole("seed", 0, 2**31 - 1, SEED))
        self.chosen = address.whole("face", 1, COUNT, 1) - 1
        with self.updater.hold():
            self._put(round_to_step(address.number("t", 0.0, self.most, OPENING)))
            apart = address.number_list("levels", self.levels, 0.0, self.most) or self.temperatures
            for slider, value in zip(self.level_sliders, apart, strict=True):
                slider.put(round_to_step(value))
            self.fold.value = self.fold.value or not self._even()
            self.updater.request()

    def query(self) -> dict[str, str]:
        levels = "" if self._even() else "_".join(f"{t:.2f}" for t in self.temperatures)
        values = {"t": f"{self.slider.value:.2f}", "levels": levels, "seed": str(self.samples.seed)}
        return values | ({"face": str(self.chosen + 1)} if self.chosen else {})

    def arrange(self) -> None:
        if self.fold.layout.display == "none":
            self.fold.value = False

    def _even(self) -> bool:
        return len({*self.temperatures, self.slider.value}) == 1

    # ---- updates -------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Decode as many as a moment allows: the chosen one, then those that were decoded longest ago."""
        self.moves += 1
        self.sheet = self.samples.at(self.temperatures)
        which = self.sheet.missing(self._order())[: self.samples.moving.count]
        took = self.sheet.decode(which, self.samples.moving)
        self.took = took, len(which)
        self._paint()
        self._show_numbers(None)
        self.shell.show(charts.shell(self.sheet.effective, self.radii, self.model.dims, self.chosen, self.people))

    def _order(self) -> list[int]:
        others = sorted(set(range(COUNT)) - {self.chosen}, key=self.decoded_at.__getitem__)
        return [self.chosen, *others]

    def _paint(self) -> None:
        """Show the pictures that are decoded; the others stay as they were."""
        for i, image in enumerate(self.sheet.images):
            if image is not None:
                self.decoded_at[i] = self.moves
                self.shown[i : i + 1] = [image]
        names = [f"face {i + 1}" for i in range(COUNT)]
        self.tiles.show(torch.stack(self.shown), names)
        self.tiles.selected = self.chosen

    def settle(self) -> Iterator[None]:
        """Decode the rest of the sixteen; then words, numbers and charts; then the slider's likely next stops."""
        now = self.sheet
        for _ in now.finish(self._order()):
            self._paint()
            yield
        images = torch.stack(now.images)
        self._describe(spread(images))
        yield from self._show_strip()
        rest = self.samples.at([OPENING] * self.levels)
        yield from rest.finish()
        yield from now.measure_all()
        change = (images.float() - torch.stack(rest.images).float()).abs().mean().item()
        self._show_numbers(change)
        yield from self._plot(images)
        yield from self._look_ahead()

    def _look_ahead(self) -> Iterator[None]:
        """Decode the slider's likely next stops, unless others need the cores now."""
        if self.scheduler.crowded or not self._even():
            return
        for step in (STEP, -STEP, 2 * STEP, -2 * STEP):
            if 0 <= self.slider.value + step <= self.most:
                yield from self.samples.at([self.slider.value + step] * self.levels).finish()

    def _show_strip(self) -> Iterator[None]:
        """Show the chosen face at every stop of the strip."""
        sheets = [self.samples.at([stop] * self.levels) for stop in self.stops]
        for stop in sheets:
            yield from stop.finish([self.chosen])
        self.strip.label = f"Face {self.chosen + 1} at seven temperatures"
        self.strip.show(
            torch.stack([stop.images[self.chosen] for stop in sheets]), [f"T = {t:.1f}" for t in self.stops]
        )
        near = [abs(self.slider.value - stop) < STEP / 2 and self._even() for stop in self.stops]
        self.strip.selected = near.index(True) if any(near) else -1

    def _plot(self, images: Tensor) -> Iterator[None]:
        size = self.model.config.shape[-1]
        if not self.drawn and (self.pca is None or self.real is None):  # the data may not be here
            self.trade.show(charts.blank(UNMEASURED))
            return
        if self.pca is None:
            people = []
            for some in coarse_faces(size):
                people.append(some)
                yield
            self.pca = PCA.fit(torch.cat(people))
        if self.real is None:
            self.real = self._point(faces.draw(24, size, GALLERY_SEED).images)
            yield
        now = self._point(images)
        self.trade.show(self._trade(now))
        while len(self.points) < len(STOPS):
            before = len(self.points)
            for _ in trade_off(self.model, self.pca, self.points):
                yield
                if len(self.points) > before:
                    before = len(self.points)
                    self.trade.show(self._trade(now))

    def _trade(self, now: SampleQuality) -> Scene:
        points = [point for point in self.points if point.temperature <= self.most + STEP / 2]
        return charts.trade(points, now, self.real, self.people)

    def _point(self, images: Tensor) -> SampleQuality:
        return SampleQuality(self.slider.value, self.pca.residual(images), spread(images))

    def _describe(self, apart: float) -> None:
        self.words.says = describe(self.temperatures, apart)
        self.words.hint = self.hint()
        self.tiles.label = self.words.says

    def _show_numbers(self, change: float | None) -> None:
        """Show the numbers; `change` is None while bits per dimension are not known yet."""
        stale = change is None
        if not stale:
            self.measured = sum(self.sheet.bits) / COUNT, change
        bits, moved = self.measured
        took, count = (self.sheet.took, COUNT) if self.sheet.complete() else self.took
        decoded = Decoded(None, took, 0.0, self.sheet.effective.mean().item())
        entries = readout_entries(bits, stale, self.typical, decoded, moved)
        usual = f"{self.people}: {self.typical.mean:.2f} \u00b1 {self.typical.spread:.2f}"
        entries[0] |= {"note": usual, "flag": False}
        entries[1]["note"] = "|eps| / \u221aD, mean of the sixteen"
        entries[2] |= {"note": f"grey levels of 255, from T = {OPENING}", "stale": stale}
        if took:
            entries[3]["note"] = "all sixteen faces" if count == COUNT else f"for {count}; the others follow"
        self.readout.entries = entries

    def still(self) -> Tensor:
        rows = [torch.cat(self.shown[i : i + 4], -1) for i in range(0, COUNT, 4)]
        return torch.cat(rows, -2)


def round_to_step(temperature: float) -> float:
    """Round to a temperature that the sliders can show."""
    return round(round(temperature / STEP) * STEP, 2)


def open_temperature(name: str = "") -> Frame:
    """Open the explorer as `open_studio` does."""

    def make(name, model, directions, facts) -> TemperatureExplorer:
        return TemperatureExplorer(model, facts, precomputed.load(name))

    return open_explorer(TITLE, name, make)
