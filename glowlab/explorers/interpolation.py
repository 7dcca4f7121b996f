"""Interpolation explorer: two real pictures, and the pictures between them in pixels and in latent space."""

from collections.abc import Iterator, Mapping

import ipywidgets
import torch
from torch import Tensor

from glowlab.explorers import charts, precomputed
from glowlab.explorers.address import Address
from glowlab.explorers.explorer import Explorer, make_card, open_explorer
from glowlab.explorers.gallery import Gallery, GalleryFace, index_of, learned_drawn_faces, to_tiles
from glowlab.explorers.interpolation_state import NAMES, STOPS, WAYS, InterpolationState, format_levels, parse_levels
from glowlab.explorers.render import measure_bits
from glowlab.explorers.wording import readout_entries
from glowlab.widgets.controls import CheckBox, Choice, Slider, Upload
from glowlab.widgets.frame import Frame, box
from glowlab.widgets.picture import Picture, Tiles
from glowlab.widgets.readout import Words
from glowlite.latents import cat, effective_temperature

TITLE = "Between two faces"
PROMISE = "Half-way between two pictures the pixels show two ghosts. Half-way between their latents stands a person."
LIKELY = "Bits per dimension: fewer are likelier. Far from the band of {people}, on either side, is foreign."
FAR = "Two draws are nearly at right angles, so half-way on the straight line |eps| is down to 0.71 of theirs."
OPENING = (3, 2)  # the gallery's faces it opens on, counted from 0
OPENING_REAL = ("mona-lisa", "kalpana-chawla")  # with a model of real faces


class InterpolationExplorer(Explorer):
    """`InterpolationExplorer(model, facts)`: a Glow on square colour pictures, its card; `seed` as for the others.

    `radii`: effective temperatures of faces of the data, (n,); where there are none, the gallery's are taken.
    """

    hints = [
        ("t", "Drag the slider: one person turns into another, and you meet others between them."),
        ("compare", "Press and hold the large picture: the same place on the way, mixed as pixels."),
        (
            "way",
            "Half-way on the straight line the temperature sinks. Try the arc, which keeps it.",
        ),
        (
            "levels",
            "Let only the last level move: it alone holds most of a person, the others edges and grain.",
        ),
        ("stop", "Choose any picture of the three rows to see it large."),
        ("choose", "Choose two other faces below, or a picture of your own."),
        ("surprise", "Surprise me picks two people."),
    ]
    calmer = "the model has learned nothing like this"

    def __init__(self, model, facts: Mapping, radii: Tensor | None = None, seed: int | None = None):
        super().__init__(TITLE, PROMISE, model, facts, seed)
        self.gallery = Gallery(model, self.drawn)
        first, second = (self.gallery.faces[i] for i in OPENING) if self.drawn else map(self.gallery.find, OPENING_REAL)
        self.state = InterpolationState(model, first, second)
        if radii is None or not len(radii):
            radii = effective_temperature(cat([face.latents for face in self.gallery.faces]))
        self.usual = (radii.mean() - 2 * radii.std()).item(), (radii.mean() + 2 * radii.std()).item()
        self.bits = self.typical.mean  # of the picture at the last rest
        self._build()
        self._connect()
        for way in WAYS:  # all rows at once, so that the page opens finished
            for _ in self.state.finish(way, at_once=len(STOPS)):
                pass
            self._show_row(way)
        self._show_ends()
        self.updater.request()

    # ---- parts ---------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.ends = [Picture(caption="first", tone="x"), Picture(caption="second", tone="x")]
        self.picture = Picture(tone="z", other_caption="pixel blend")
        self.slider = Slider(
            label="How far",
            min=0.0,
            max=1.0,
            step=0.01,
            value=0.5,
            rest=0.5,
            low="first",
            high="second",
            signed=False,
        )
        self.way = Choice(options=[[way, NAMES[way]] for way in WAYS], value="spherical", label="Way")
        shapes = self.model.latent_shapes
        self.levels = [CheckBox(label=f"level {level}", value=True) for level in range(1, len(shapes) + 1)]
        self.rows = {way: Tiles(label=NAMES[way]) for way in WAYS}
        self.rows[WAYS[-1]].captions = ["t = 0", *(f"{t:.2g}" for t in STOPS[1:])]  # of all three columns
        self.gallery_tiles = [Tiles(label="Faces to start from"), Tiles(label="Faces to end at")]
        reads = [self.guard(lambda data, name, end=end: self._read(end, data)) for end in ("first", "second")]
        self.uploads = [Upload(read, self.guard(self.refuse_large)) for read in reads]
        for upload, end in zip(self.uploads, ("first", "second"), strict=True):
            upload.label = f"Your own picture as the {end}"
        self.apart = Words()
        blank = charts.blank("Being measured.")
        self.bits_chart, self.temperature_chart = charts.chart_board(blank), charts.chart_board(blank)
        self.surprise.title, self.reset.title = "Two other faces", "Half-way along the arc, with all levels"

        trio = box("trio", self.ends[0], self.picture, self.ends[1])
        steer = box("row", self.slider, self.way)
        show = box("show", trio, steer)
        ticks = box(
            "ticks",
            *self.levels,
            title="",
            note="Levels that move, from the finest; the others stay as in the first:",
        )
        side = box("side", self.actions(), self.words, ticks, box("numbers", self.readout))
        rows = [
            box(
                "way",
                ipywidgets.HTML(NAMES[way]).add_class(f"gl-tone-{charts.WAYS[way]}"),
                box("seven", tiles),
            )
            for way, tiles in self.rows.items()
        ]
        pairs = zip(self.gallery_tiles, self.uploads, strict=True)
        galleries = [self.arrange_gallery(box("row", *pair)) for pair in pairs]
        self.sections = {
            "rows": make_card("Three ways, seven stops", "", *rows).add_class("gl-wide"),
            "first": make_card("The first picture", "", galleries[0]),
            "second": make_card("The second picture", "", galleries[1]),
            "bits": make_card("How likely each stop is", LIKELY.format(people=self.people), self.bits_chart),
            "temperatures": make_card("How far from the middle", FAR, self.temperature_chart, self.apart),
        }
        self.parts |= {
            "t": self.slider,
            "way": self.way,
            "levels": ticks,
            "numbers": self.readout,
            **self.sections,
        }
        self.parts["upload"] = self.uploads
        self.place(box("stage", show, side).add_class("gl-even"), box("cards", *self.sections.values()))

    def _connect(self) -> None:
        self.when(self.slider, "value", lambda t: setattr(self.state, "t", t), "t")
        self.when(self.way, "value", lambda way: setattr(self.state, "way", way), "way")
        for tick in self.levels:
            self.when(tick, "value", lambda value: self._choose({}), "levels")
        for way, tiles in self.rows.items():
            self.on(tiles.on_pick, lambda stop, way=way: self._set_stop(way, stop), "stop")
        for end, tiles in zip(("first", "second"), self.gallery_tiles, strict=True):
            self.on(tiles.on_pick, lambda i, end=end: self._choose({end: self.gallery.partners()[i]}), "choose")
        self.on(self.surprise.on_click, self._surprise, "surprise")
        self.on(self.reset.on_click, self._reset, "reset")
        self.picture.observe(self.guard(lambda change: self.mark_learned("compare")), "compared")

    # ---- actions -----------------------------------------------------------------------------------------

    def _choose(self, ends: Mapping[str, GalleryFace]) -> None:
        """Set other faces for "first" or "second", and the levels that are ticked."""
        self.notify("")
        first, second = ends.get("first", self.state.first), ends.get("second", self.state.second)
        self.state.choose(first, second, tuple(tick.value for tick in self.levels))
        self._show_ends()
        self._mark_stale(True)

    def _set_stop(self, way: str, stop: int) -> None:
        self.slider.put(round(STOPS[stop], 2))
        self.way.value = way

    def _put(self, t: float, way: str, levels: tuple[bool, ...]) -> None:
        self.slider.put(t)
        self.way.value = way
        for tick, value in zip(self.levels, levels, strict=True):
            tick.value = value

    def _surprise(self) -> None:
        first, second = self.random.sample(self.gallery.faces, 2)
        self._choose({"first": first, "second": second})

    def _reset(self) -> None:
        self.notify("")
        self._put(0.5, "spherical", (True,) * len(self.levels))

    def _read(self, end: str, data: bytes) -> None:
        foreign = self.receive(data, lambda face: self._choose({end: face}), f"your {end} picture")
        self.used.add("choose")
        self.notify(f"Your picture is the {end} one now.{foreign}")

    def take(self, address: Address) -> None:
        now, last = self.state, len(self.levels)
        ends = {
            "first": address.face("a", self.gallery.find, now.first),
            "second": address.face("b", self.gallery.find, now.second),
        }
        t, way = address.number("t", 0.0, 1.0, 0.5), address.one_of("way", WAYS, "spherical")
        chosen = address.read("levels", lambda text: parse_levels(text, last), (True,) * last)
        with self.updater.hold():
            self._put(t, way, chosen)
            self._choose(ends)
            self.updater.request()

    def query(self) -> dict[str, str]:
        now = self.state
        levels = "" if all(now.levels) else format_levels(now.levels)
        way = "" if now.way == "spherical" else now.way
        return {"a": now.first.key, "b": now.second.key, "t": f"{now.t:.2f}", "way": way, "levels": levels}

    # ---- updates -------------------------------------------------------------------------------------------

    def _show_ends(self) -> None:
        """Show the two chosen ends, and mark them in both galleries."""
        now = self.state
        for picture, face, tiles in zip(self.ends, (now.first, now.second), self.gallery_tiles, strict=True):
            if picture.image is not face.image:
                picture.show(face.image)
            picture.label = f"{picture.caption.capitalize()}: {face.name}."
            if len(self.gallery.partners()) != tiles.count or self.gallery.extra:
                tiles.show(*to_tiles(self.gallery.partners()))
            tiles.selected = index_of(face, self.gallery.partners())

    def _mark_stale(self, stale: bool) -> None:
        """Mark the rows and the chart of bits as out of date, or as up to date."""
        for part in (*self.rows.values(), self.bits_chart):
            (part.add_class if stale else part.remove_class)("gl-behind")

    def show(self) -> None:
        now = self.state
        self.decoded = now.decode()
        if now.way == "pixels":
            self.picture.show(self.decoded.image)
            self.picture.other = b""  # there is nothing to compare it with
        else:
            self.picture.show(self.decoded.image, other=now.blend(now.t))
        self.picture.caption = f"{NAMES[now.way]}, t = {now.t:.2f}"
        self._select_stops()
        self._show_numbers(stale=True)
        self._show_temperatures()
        if not any(now.missing(way, "bits") for way in WAYS):
            self._show_bits(None)

    def _select_stops(self) -> None:
        near = [abs(stop - self.state.t) < 0.006 for stop in STOPS]
        for way, tiles in self.rows.items():
            tiles.selected = near.index(True) if any(near) and way == self.state.way else -1

    def _show_row(self, way: str) -> None:
        stops = [f"{NAMES[way]}, t = {t:.2f}" for t in STOPS]
        self.rows[way].show(torch.stack([stop.image for stop in self.state.rows[way]]), stops)

    def _band(self) -> tuple[float, float]:
        return self.typical.mean - 2 * self.typical.spread, self.typical.mean + 2 * self.typical.spread

    def settle(self) -> Iterator[None]:
        """Update words; then rows, each when it is complete; then bits per dimension."""
        now = self.state
        self.words.says = now.describe(self.decoded.temperature)
        self.words.hint = self.hint()
        self.apart.says = now.describe_angle()
        self.picture.label = self.words.says
        self.picture.other_label = f"The pixels of both pictures, mixed at t = {now.t:.2f}."
        (self.bits,) = measure_bits(self.model, self.decoded.image[None])
        self._show_numbers(stale=False)
        yield
        for way in (now.way, *(way for way in WAYS if way != now.way)):
            if now.missing(way):
                yield from now.finish(way)
                self._show_row(way)
            self.rows[way].remove_class("gl-behind")
        for way in WAYS:
            yield from now.measure(way)
        self._show_bits(self.bits)
        self._mark_stale(False)
        self._show_temperatures()

    def _show_bits(self, bits: float | None) -> None:
        """Update the chart of bits per dimension; `bits` is that of the picture on the page, where it is known."""
        curves = {way: (STOPS, [stop.bits for stop in row]) for way, row in self.state.rows.items()}
        middle = {NAMES[way]: f"{values[3]:.2f}" for way, (_, values) in curves.items()}
        words = "Bits per dimension half-way: " + ", ".join(f"{name} {bits}" for name, bits in middle.items()) + "."
        now = (self.state.way, bits) if bits is not None else None
        self.bits_chart.show(charts.along(curves, self.state.t, now, words, self._band(), self.people))

    def _show_temperatures(self) -> None:
        now = self.state
        curves = dict(now.curves)
        row = now.rows["pixels"]
        if not now.missing("pixels", "temperature"):
            curves["pixels"] = STOPS, [stop.temperature for stop in row]
        words = "Effective temperature half-way: " + ", ".join(
            f"{NAMES[way]} {values[len(values) // 2]:.2f}" for way, (_, values) in curves.items()
        )
        at = now.way, self.decoded.temperature
        self.temperature_chart.show(charts.along(curves, now.t, at, words + ".", self.usual, self.people))

    def _show_numbers(self, stale: bool) -> None:
        change = (self.decoded.image.float() - self.state.first.image.float()).abs().mean().item()
        entries = readout_entries(self.bits, stale, self.typical, self.decoded, change)
        entries[2]["name"] = "Change from the first"
        if self.state.way == "pixels":
            entries[3]["note"] = "pixels mixed, without the flow"
        self.readout.entries = entries

    def still(self) -> Tensor:
        return torch.cat([self.ends[0].image, self.decoded.image, self.ends[1].image], -1)


def open_interpolation(name: str = "") -> Frame:
    """Open the explorer as `open_studio` does."""

    def make(name, model, directions, facts) -> InterpolationExplorer:
        radii = None if learned_drawn_faces(facts) else precomputed.load(name).radii
        return InterpolationExplorer(model, facts, radii)

    return open_explorer(TITLE, name, make)
