"""Recorded moves of the two explorers that edit a face: attributes and the studio. See moves.py."""

from collections.abc import Iterator

from glowlab.explorers import attributes, studio, wording
from glowlab.explorers.gallery import FRESH
from glowlab.films.moves import (
    GALLERY,
    Dim,
    Point,
    Script,
    by_address,
    control,
    distinct,
    named,
    query,
    slider,
)

AMOUNTS = [i / 5 for i in range(-5, 6)]  # where a face's attributes are recorded
FEW = [-0.8, -0.4, 0.4, 0.8]  # and those of the other faces
TENS = ["1", "2", "3"]  # batches of ten labels


def edits(names: list[str]) -> list[Point]:
    """The states of Surprise me: a few attributes each."""
    rows = [
        {"smile": 0.8, "hair_length": 0.8, "hair_colour": 0.6},
        {"glasses": 1.0, "beard": 0.8, "age": 0.6},
        {"smile": -0.6, "skin_tone": 0.6, "face_width": -0.6},
        {"head_turn": 0.8, "eye_openness": 0.8, "hair_colour": -0.8},
    ]
    return [{name: row.get(name, 0.0) for name in names} for row in rows]


def one_by_one(names: list[str], base: Point, amounts: list[float]) -> Iterator[Point]:
    """`base`, and from there each attribute alone at these amounts."""
    yield base
    for name in names:
        yield from ({**base, name: amount} for amount in sorted({*amounts, base[name]}))


# ---- attributes -------------------------------------------------------------------------------------------


def of_attributes(model: str) -> Script:
    """Each slider alone, from the opening and from rest, coarser for other faces; labels; each attribute's chart."""
    page = attributes.open_attributes(model)
    names = list(page.own)
    face = GALLERY[attributes.FACE]
    dims = {"face": Dim(face, face, "the face", 10.0, firm=True)}
    for name in names:
        dims[name] = Dim(attributes.OPENING.get(name, 0.0), 0.0, wording.wording(name).title)
    dims["labels"] = Dim(attributes.OWN, attributes.OWN, "the labels", 3.0)
    dims["ten"] = Dim("1", "1", "", 0.5)
    dims["look"] = Dim(page.looks.value, page.looks.value, "", 0.1)
    opening: Point = {name: dim.opening for name, dim in dims.items()}
    rest = opening | dict.fromkeys(names, 0.0)
    examples = list(zip(edits(names), [GALLERY[1], GALLERY[3], face, GALLERY[8]], strict=True))

    def alone(base: Point, amounts: list[float]) -> Iterator[Point]:
        """The chart below follows the slider that was moved."""
        for point in one_by_one(names, base, amounts):
            moved = [name for name in names if point[name] != base[name]]
            yield point | ({"look": moved[0]} if moved else {})

    def main() -> Iterator[Point]:
        for base in (opening, rest):
            yield from alone(base, AMOUNTS)
            yield from ({**base, "look": name} for name in names)
        for labels, ten in (*(("10", ten) for ten in TENS), ("100", "1"), ("1000", "1")):
            yield {**opening, "labels": labels, "ten": ten}
        yield {**rest, "smile": 1.0, "labels": "10", "look": "smile"}  # a link that docs/teaching.md gives
        yield from ({**rest, **edit, "face": other} for edit, other in examples)

    def other(key: str) -> Iterator[Point]:
        yield {**opening, "face": key}
        yield from alone({**rest, "face": key}, FEW)

    controls = [
        *(slider(of, name, "edit") | {"also": {"look": name}} for name, of in page.sliders.items()),
        control(page.labels, "value", "labels", dim="labels"),
        control(page.looks, "value", "look", dim="look"),
        control(page.others, "clicks", "others", go=[{"ten": ten} for ten in (*TENS[1:], TENS[0])]),
        control(page.gallery_tiles, "pick", "choose", dim="face", values=GALLERY),
        control(page.after, "compared", "compare"),
        control(page.reset, "clicks", "back", go=[dict.fromkeys(names, 0.0)]),
        control(page.surprise, "clicks", "surprise", go=[{**edit, "face": who} for edit, who in examples]),
    ]
    chapters = {"moves": ({}, distinct(main()))}
    chapters |= {key: ({"face": [key]}, distinct(other(key))) for key in GALLERY if key != face}
    go = by_address(page)
    return Script(page, dims, controls, chapters, go, page.hints, named(page.parts))


# ---- studio -----------------------------------------------------------------------------------------------


def of_studio(model: str) -> Script:
    """Each slider alone, from the opening and from rest, coarser for the other faces; blends; fresh faces."""
    page = studio.open_studio(model)
    names = list(page.sliders)
    face, partner = GALLERY[:2]
    dims = {"face": Dim(face, face, "the face", 10.0, firm=True)}
    for name in names:
        dims[name] = Dim(studio.OPENING.get(name, 0.0), 0.0, wording.wording(name).title)
    dims["with"] = Dim(partner, partner, "the second face", 2.0)
    dims["blend"] = Dim(0.0, 0.0, "the blend", 2.0)
    dims["path"] = Dim("linear", "linear", "the way between the two")
    dims["heat"] = Dim(0.7, 0.7, "the temperature", 0.5)  # of the fresh faces
    dims["draw"] = Dim("1", "1", "the fresh faces", 0.5)
    opening: Point = {name: dim.opening for name, dim in dims.items()}
    rest = opening | dict.fromkeys(names, 0.0)
    fresh = [f"fresh-1-0.70-{i + 1}" for i in range(FRESH)]
    examples = list(zip(edits(names), [GALLERY[2], GALLERY[3], face, GALLERY[8]], strict=True))

    def main() -> Iterator[Point]:
        for base in (opening, rest):
            yield from one_by_one(names, base, AMOUNTS)
            for path in ("linear", "spherical"):
                yield from ({**base, "path": path, "blend": i / 10} for i in range(11))
            yield from ({**base, "with": key, "blend": 0.5} for key in GALLERY)
        yield from ({**rest, **edit, "face": other} for edit, other in examples)

    def other(key: str) -> Iterator[Point]:
        yield {**opening, "face": key}
        yield from one_by_one(names, {**rest, "face": key}, FEW)

    def colder() -> Iterator[Point]:
        for base in (opening, rest):
            yield from ({**base, "heat": round(i * 0.1, 2)} for i in range(13))
            yield from ({**base, "draw": draw} for draw in ("2", "3"))

    def go(point: Point) -> None:
        page.gallery.extra.clear()  # a fresh face that was chosen before stands among the partners
        page._open_address(query(point))

    undone = dict.fromkeys(names, 0.0) | {"blend": 0.0}
    controls = [
        *(slider(of, name, "edit") for name, of in page.sliders.items()),
        slider(page.blend, "blend", "blend"),
        control(page.path, "value", "path", dim="path"),
        control(page.gallery_tiles, "pick", "choose", dim="face", values=GALLERY),
        control(page.partner_tiles, "pick", "blend", points=[{"with": key, "blend": 0.5} for key in GALLERY]),
        control(page.fresh_tiles, "pick", "fresh", dim="face", values=fresh),
        slider(page.temperature, "heat", "fresh"),
        control(page.new_faces, "clicks", "fresh", go=[{"draw": draw} for draw in ("2", "3", "1")]),
        control(page.after, "compared", "compare"),
        control(page.reset, "clicks", "", go=[undone]),
        control(
            page.surprise,
            "clicks",
            "surprise",
            go=[{**undone, **edit, "face": who} for edit, who in examples],
        ),
    ]
    chapters = {"moves": ({}, distinct(main())), "fresh": ({"heat": None, "draw": None}, distinct(colder()))}
    chapters |= {key: ({"face": [key]}, distinct(other(key))) for key in [*GALLERY[1:], *fresh]}
    return Script(page, dims, controls, chapters, go, page.hints, named(page.parts))
