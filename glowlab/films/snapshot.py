"""An explorer's widgets written down, states and pictures, so that a page can show them without a kernel (film.py)."""

import base64
import functools
import io
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import anywidget
import ipywidgets
import numpy as np
from PIL import Image

from glowlab.explorers.scheduler import BatchSize
from glowlab.films.film import pack
from glowlab.widgets import JS
from glowlite.errors import GlowliteError

COLUMNS = 16  # pictures side by side on a sheet
# Messages between page and kernel about a move; a film has its own.
SPOKEN = {"clicks", "compared", "drag", "epoch", "move", "pick", "trace"}
QUALITY = 86  # of WebP: two pictures side by side look the same


@contextmanager
def fix_batch_sizes():
    """Keep batch sizes constant: as many pictures at once on a slow machine as on a fast one."""

    def run(batch_size: BatchSize, action: Callable[[], int | None], done: int) -> float:
        action()
        return 0.0

    before, BatchSize.run = BatchSize.run, run
    try:
        yield
    finally:
        BatchSize.run = before


class Pixels(NamedTuple):
    """Pictures that a widget holds, the bytes (H, W, 3) of each."""

    pictures: tuple[bytes, ...]


def parts(root) -> list:
    """All widgets under `root`, itself first, in reading order."""
    found = [root]
    for child in getattr(root, "children", ()):
        found += parts(child)
    return found


def kind(widget) -> str:
    """ "box", "html", or the name of the widget's script in js/."""
    if isinstance(widget, anywidget.AnyWidget):
        return _scripts()[widget._esm]
    for name, of in (("html", ipywidgets.HTML), ("box", ipywidgets.Box)):
        if isinstance(widget, of):
            return name
    raise GlowliteError(f"a film cannot hold a {type(widget).__name__}")


@functools.cache
def _scripts() -> dict[str, str]:
    return {path.read_text(encoding="utf-8"): path.stem for path in JS.glob("*.js")}


def tree(root) -> dict:
    """The structure: {"kind", "classes", "children"}, numbered as in `parts`."""
    made = {"kind": kind(root), "classes": list(root._dom_classes)}
    children = [tree(child) for child in getattr(root, "children", ())]
    return made | ({"children": children} if children else {})


def state(root) -> dict[tuple[int, str], object]:
    """(number of the widget, trait) -> what it holds; pixels as `Pixels`, numbers of charts to two digits."""
    found: dict[tuple[int, str], object] = {}
    for number, widget in enumerate(parts(root)):
        found[number, "display"] = widget.layout.display or ""
        if kind(widget) == "html":
            found[number, "value"] = widget.value
        elif kind(widget) != "box":
            found |= {(number, name): _value(widget, name) for name in _traits(widget)}
    return found


def _traits(widget) -> list[str]:
    known = {*ipywidgets.DOMWidget().keys}
    return sorted(name for name in widget.keys if not name.startswith("_") and name not in known | SPOKEN)


def _value(widget, name: str):
    value = getattr(widget, name)
    if isinstance(value, bytes):
        size = widget.width * widget.height * 3
        return Pixels(tuple(value[i : i + size] for i in range(0, len(value), size)))
    if name == "entries":  # a recording cannot say how long decoding took
        untimed = {"value": "\u2013", "unit": "", "note": "recorded"}
        return [e | untimed if e["name"] == "Time to draw" else e for e in value]
    return rounded(value) if name in ("shapes", "handles", "pads") else value


def rounded(value):
    """Round every number to two digits, and make numpy's numbers plain."""
    if isinstance(value, Mapping):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    return round(value, 2) + 0.0 if isinstance(value, float) else value


class Sheet:
    """Pictures of one size, each kept once and known by a number; `before` holds numbers that came earlier."""

    def __init__(self, size: tuple[int, int], before: "Sheet | None" = None):
        self.size, self.before = size, before
        self.first = before.first + len(before.pictures) if before else 0
        self.pictures: dict[bytes, int] = {}

    def number(self, picture: bytes) -> int:
        """The number of this picture, which is put on the sheet where it is new."""
        if len(picture) != self.size[0] * self.size[1] * 3:
            raise GlowliteError("the pictures of a film are all of one size")
        if self.before and picture in self.before.pictures:
            return self.before.pictures[picture]
        return self.pictures.setdefault(picture, self.first + len(self.pictures))

    def webp(self, lossless: bool = False) -> bytes:
        """All of them on one picture, `COLUMNS` side by side.

        With loss, lightness and the two colours lie below each other as three grey pictures, since WebP would keep
        colours at half the size only, and let them run over into the next picture.
        """
        width, height = self.size
        rows = -(-len(self.pictures) // COLUMNS)
        whole = np.zeros((rows * height, COLUMNS * width, 3), np.uint8)
        for place, picture in enumerate(self.pictures):
            y, x = (place // COLUMNS) * height, (place % COLUMNS) * width
            whole[y : y + height, x : x + width] = np.frombuffer(picture, np.uint8).reshape(height, width, 3)
        if not lossless:
            planes = Image.fromarray(whole).convert("YCbCr").split()
            whole = np.concatenate([np.asarray(plane) for plane in planes])
        file = io.BytesIO()
        look = {"lossless": True, "quality": 100} if lossless else {"quality": QUALITY}
        Image.fromarray(whole).convert("RGB").save(file, "WEBP", method=6, exact=True, **look)
        return file.getvalue()


class Pool:
    """Values for JSON, each kept once: what many states share costs a number.

    Pictures become {"$": "pictures", "of": numbers}, bytes {"$": "bytes", "of": base64}, and a list of dicts
    {"$": "list", "of": numbers in this pool}.
    """

    def __init__(self, sheet: Sheet):
        self.sheet = sheet
        self.values: list = []
        self._numbers: dict[str, int] = {}

    def plain(self, value):
        """`value` as JSON can hold it; pictures go to the sheet."""
        if isinstance(value, Pixels):
            return {"$": "pictures", "of": [self.sheet.number(picture) for picture in value.pictures]}
        if isinstance(value, list) and value and isinstance(value[0], bytes):
            return {"$": "bytes", "of": [base64.b64encode(part).decode() for part in value]}
        return value

    def number(self, value) -> int:
        value = self.plain(value)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            value = {"$": "list", "of": [self.number(part) for part in value]}
        text = json.dumps(value, sort_keys=True, ensure_ascii=False)
        if text not in self._numbers:
            self._numbers[text] = len(self.values)
            self.values.append(value)
        return self._numbers[text]


class Chapter:
    """States that are fetched together: each as what differs from the opening, with the point it stands for."""

    def __init__(self, opening: Mapping, sheet: Sheet, dims: Iterable[str]):
        self.opening, self.dims = opening, list(dims)
        self.sheet = Sheet(sheet.size, before=sheet)
        self.pool = Pool(self.sheet)
        self.traits: dict[tuple[int, str], int] = {}
        self.states: list = []

    def add(self, point: Mapping, found: Mapping) -> None:
        """One more state. GlowliteError where widgets came or went, which a film cannot show."""
        if found.keys() != self.opening.keys():
            raise GlowliteError(f"at {point} the explorer has other parts than at its opening")
        changed: list[int] = []
        for key, value in found.items():
            if value != self.opening[key]:
                changed += [self.traits.setdefault(key, len(self.traits)), self.pool.number(value)]
        self.states.append([[point[dim] for dim in self.dims], changed])

    def packed(self) -> bytes:
        content = {
            "dims": self.dims,
            "traits": list(self.traits),
            "pool": self.pool.values,
            "states": self.states,
        }
        return with_sheets(content, [(self.sheet, False)])


def with_sheets(content: dict, sheets: list[tuple[Sheet, bool]]) -> bytes:
    """A film's file: `content` and these sheets, lossless or not."""
    webps = [sheet.webp(lossless) for sheet, lossless in sheets if sheet.pictures]
    kept = [(sheet, lossless) for sheet, lossless in sheets if sheet.pictures]
    rows = [
        [sheet.first, len(sheet.pictures), len(webp), lossless]
        for (sheet, lossless), webp in zip(kept, webps, strict=True)
    ]
    return pack(content | {"sheets": rows}, webps)
