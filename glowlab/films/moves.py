"""Recorded moves of an explorer, and the meaning of its controls; here temperature and interpolation.

A film's states are points: a value for each of a few names, the names of the page's address. A control says what a
move of it does to the point; the page shows the recorded state nearest to that.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlencode

from glowlab.explorers import interpolation, temperature
from glowlab.explorers.gallery import PEOPLE
from glowlab.explorers.interpolation_state import STOPS, WAYS
from glowlab.explorers.samples import COUNT

GALLERY = [f"gallery-{i + 1}" for i in range(len(PEOPLE["smile"]))]

Point = dict[str, float | str]


class Dim(NamedTuple):
    """One name of a point.

    opening   what the explorer opens on;  plain: what it is in an address that does not name it
    label     how it is called in a sentence that says that it had to change; "": it is not worth a sentence
    weight    how bad it is to show another value than the one that was asked for
    firm      never changes because another control was moved
    """

    opening: float | str
    plain: float | str
    label: str = ""
    weight: float = 1.0
    firm: bool = False


@dataclass
class Script:
    """The recording of one explorer. `chapters`: name -> (when it is needed, its points).

    when: {} for the chapter that comes first; else name -> the values for which it is needed, None for all except the
    opening's
    """

    explorer: object
    dims: dict[str, Dim]
    controls: list[dict]  # {"of": widget, "trait", "lesson", and what it does to the point}; see film.js
    chapters: dict[str, tuple[Mapping, list[Point]]]
    go: Callable[[Point], None]  # brings the explorer there
    hints: list[tuple[str, str]]
    parts: dict[str, list]  # what ?controls= can leave out

    @property
    def opening(self) -> Point:
        return {name: dim.opening for name, dim in self.dims.items()}

    def count(self) -> int:
        return sum(len(points) for _, points in self.chapters.values())


def control(of, trait: str, lesson: str = "", **does) -> dict:
    return {"of": of, "trait": trait, "lesson": lesson, **does}


def slider(of, name: str, lesson: str) -> dict:
    return control(of, "move", lesson, dim=name)


def query(point: Mapping) -> str:
    """The point as an address."""
    return urlencode({n: f"{v:.2f}" if isinstance(v, float) else v for n, v in point.items()})


def by_address(explorer) -> Callable[[Point], None]:
    return lambda point: explorer._open_address(query(point))


def named(parts: Mapping[str, object]) -> dict[str, list]:
    return {name: part if isinstance(part, list) else [part] for name, part in parts.items()}


def distinct(points: Iterator[Point]) -> list[Point]:
    return list({tuple(point.items()): point for point in points}.values())


# ---- temperature ------------------------------------------------------------------------------------------


def of_temperature(model: str) -> Script:
    """All sixteen at every stop of the slider, for each face that is chosen; three other sixteens at every second."""
    page = temperature.open_temperature(model)
    dims = {
        "t": Dim(temperature.OPENING, temperature.OPENING, "the temperature"),
        "seed": Dim("1", str(temperature.SEED), "the sixteen", 5.0, firm=True),
        "face": Dim("1", "1", "the chosen face", 2.0),
    }
    faces = [str(i + 1) for i in range(COUNT)]
    stops = [round(i * temperature.STEP, 2) for i in range(round(temperature.MAX_TEMPERATURE / temperature.STEP) + 1)]
    others = ["2", "3", "4"]

    def points(seed: str, at: list[float]) -> list[Point]:
        return [{"t": t, "seed": seed, "face": face} for face in faces for t in at]

    def go(point: Point) -> None:
        if int(point["seed"]) != page.samples.seed:
            page.samples.sample(int(point["seed"]))
        page.chosen = int(point["face"]) - 1
        with page.updater.hold():
            page._put(point["t"])
            page.updater.request()

    controls = [
        slider(page.slider, "t", "temperature") | {"beyond": [1.0, "hot"]},
        control(page.tiles, "pick", "choose", dim="face", values=faces),
        control(page.strip, "pick", "strip", dim="t", values=list(temperature.STRIP)),
        control(page.fold, "value", shows=page.advanced),
        control(page.reset, "clicks", "reset", go=[{"t": temperature.OPENING}]),
        control(page.surprise, "clicks", "surprise", go=[{"seed": seed} for seed in (*others, "1")]),
    ]
    chapters = {"moves": ({}, points("1", stops))}
    chapters |= {f"seed-{seed}": ({"seed": [seed]}, points(seed, stops[::2])) for seed in others}
    return Script(page, dims, controls, chapters, go, page.hints, named(page.parts))


# ---- interpolation ----------------------------------------------------------------------------------------


def of_interpolation(model: str) -> Script:
    """All three ways of the pair it opens on; seven stops of each for pairs with one other face, and for its levels."""
    page = interpolation.open_interpolation(model)
    first, second = (GALLERY[i] for i in interpolation.OPENING)
    every = "".join(str(i + 1) for i in range(len(page.levels)))
    dims = {
        "a": Dim(first, first, "the first picture", 10.0),
        "b": Dim(second, second, "the second picture", 10.0),
        "t": Dim(0.5, 0.5, "the place on the way"),
        "way": Dim("spherical", "spherical", "the way", 4.0),
        "levels": Dim(every, every, "the levels", 3.0),
    }
    seven = [round(stop, 2) for stop in STOPS]
    fine = sorted({*seven, *(i / 20 for i in range(21))})
    opening = {name: dim.opening for name, dim in dims.items()}

    def along(stops: list[float], **where) -> Iterator[Point]:
        return ({**opening, **where, "t": t, "way": way} for way in WAYS for t in stops)

    def pairs(name: str) -> list[Point]:
        return [p for face in GALLERY if face != opening[name] for p in along(seven, **{name: face})]

    def levels() -> Iterator[Point]:
        for chosen in range(2 ** len(every) - 1):
            text = "".join(level for i, level in enumerate(every) if chosen >> i & 1) or "none"
            yield from along(seven, levels=text)

    go_there = by_address(page)

    def go(point: Point) -> None:
        now = page.query()
        if all(now[name] == point[name] for name in "ab") and (now["levels"] or every) == point["levels"]:
            with page.updater.hold():
                page._put(point["t"], point["way"], tuple(level in point["levels"] for level in every))
                page.updater.request()
        else:
            go_there(point)

    controls = [
        slider(page.slider, "t", "t"),
        control(page.way, "value", "way", dim="way"),
        *(control(tick, "value", "levels", dim="levels", member=every[i]) for i, tick in enumerate(page.levels)),
        *(
            control(tiles, "pick", "stop", points=[{"t": t, "way": way} for t in seven])
            for way, tiles in page.rows.items()
        ),
        *(
            control(tiles, "pick", "choose", dim=name, values=GALLERY)
            for name, tiles in zip("ab", page.gallery_tiles, strict=True)
        ),
        control(page.picture, "compared", "compare"),
        control(page.reset, "clicks", "", go=[{"t": 0.5, "way": "spherical", "levels": every}]),
        control(
            page.surprise,
            "clicks",
            "surprise",
            go=[{"a": a, "b": b, "levels": every} for a, b in _surprising(first, second)],
        ),
    ]
    chapters = {
        "moves": ({}, list(along(fine))),
        "first": ({"a": None}, pairs("a")),
        "second": ({"b": None}, pairs("b")),
        "levels": ({"levels": None}, list(levels())),
    }
    return Script(page, dims, controls, chapters, go, page.hints, named(page.parts))


def _surprising(first: str, second: str) -> list[tuple[str, str]]:
    others = [face for face in GALLERY if face not in (first, second)]
    pairs = [pair for face in others[::-3] for pair in ((face, second), (first, face))]
    return [*pairs, (first, second)]
