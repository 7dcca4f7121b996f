"""Small pictures for the first page: one of each explorer, made of what its film recorded, and the Mona Lisa."""

import io

from PIL import Image, ImageDraw

from glowlab.explorers.explorer import load_shared
from glowlab.explorers.gallery import make_gallery
from glowlab.explorers.render import decode
from glowlab.films.film import FOLDER, unpack
from glowlite import latents

SIZE = 640, 480  # pixels, two for each of the page's
GAP = 14
ROUND = 16  # radius of the pictures' corners


class Reels:
    """A film's opening and its first moves, to take pictures from: `at(point)[kind][i]` are those of a widget."""

    def __init__(self, name: str):
        opening, sheets = unpack((FOLDER / f"{name}.film").read_bytes())
        moves, more = unpack((FOLDER / f"{name}.moves.film").read_bytes())
        self.opening, self.moves = opening, moves
        self.pictures: dict[int, Image.Image] = {}
        width, height = opening["size"]
        known = opening["sheets"] + moves["sheets"]
        for (first, count, _, lossless), webp in zip(known, sheets + more, strict=True):
            sheet = in_colour(webp, lossless)
            for i in range(count):
                y, x = divmod(i, opening["columns"])
                box = (x * width, y * height, (x + 1) * width, (y + 1) * height)
                self.pictures[first + i] = sheet.crop(box)

    def at(self, **where) -> dict[str, list[list[Image.Image]]]:
        """The pictures of every widget, by the kind of it, at the recorded state that agrees with `where`."""
        wanted = {name: dim["opening"] for name, dim in self.opening["dims"].items()} | where
        traits = [dict(traits) for traits in self.opening["traits"]]
        if where:
            points = [dict(zip(self.moves["dims"], at, strict=True)) for at, _ in self.moves["states"]]
            changed = self.moves["states"][points.index(wanted)][1]
            for trait, value in zip(changed[::2], changed[1::2], strict=True):
                widget, name = self.moves["traits"][trait]
                traits[widget][name] = self.moves["pool"][value]
        found: dict[str, list[list[Image.Image]]] = {"tiles": [], "picture": []}
        for held in traits:
            if "pixels" in held:
                kind = "tiles" if "count" in held else "picture"
                found[kind].append([self.pictures[number] for number in held["pixels"]["of"]])
        return found


def in_colour(webp: bytes, lossless: bool) -> Image.Image:
    """A sheet as snapshot.py had it before it was packed."""
    whole = Image.open(io.BytesIO(webp)).convert("RGB")
    if lossless:
        return whole
    width, height = whole.size[0], whole.size[1] // 3
    grey = whole.getchannel("G")
    planes = [grey.crop((0, i * height, width, (i + 1) * height)) for i in range(3)]
    return Image.merge("YCbCr", planes).convert("RGB")


def rows_of(name: str) -> list[list[Image.Image]]:
    """Rows of pictures for the poster of an explorer."""
    reels = Reels(name)
    if name == "temperature":  # three people, from where they are one to where they are bold
        sheets = [reels.at(t=t)["tiles"][0] for t in (0.0, 0.3, 0.6, 0.9)]
        return [[sheet[i] for sheet in sheets] for i in (0, 3, 7)]
    if name == "interpolation":  # the three ways
        ways = reels.at()["tiles"][:3]
        return [[way[stop] for stop in (0, 2, 4, 6)] for way in ways]
    if name == "attributes":  # before, after, and where it changed
        dims = reels.opening["dims"]
        rest = {n: 0.0 for n, dim in dims.items() if dim["plain"] == 0.0}
        older = rest | {"face": "gallery-4", "glasses": 1.0, "beard": 0.8, "age": 0.6}
        return [[part[0] for part in reels.at(**where)["picture"]] for where in ({}, older)]
    found = reels.at()
    return [[part[0] for part in found["picture"]], found["tiles"][0][1:5]]


def compose(rows: list[list[Image.Image]]) -> Image.Image:
    """Rows of square pictures with round corners on nothing, each row as wide as the others."""
    heights = [1 / len(row) for row in rows]  # of a row, where all are one wide, without gaps
    wide = min(SIZE[0], (SIZE[1] - GAP * (len(rows) - 1) + GAP * sum(1 - h for h in heights)) / sum(heights))
    sides = [int((wide - GAP * (len(row) - 1)) / len(row)) for row in rows]
    whole = Image.new("RGBA", SIZE)
    y = (SIZE[1] - sum(sides) - GAP * (len(rows) - 1)) // 2
    for row, side in zip(rows, sides, strict=True):
        x = (SIZE[0] - side * len(row) - GAP * (len(row) - 1)) // 2
        mask = rounded(side)
        for picture in row:
            whole.paste(picture.resize((side, side), Image.Resampling.BICUBIC), (x, y), mask)
            x += side + GAP
        y += side + GAP
    return whole


def rounded(side: int) -> Image.Image:
    """A square with round corners, smooth at its edge."""
    mask = Image.new("L", (4 * side, 4 * side))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, 4 * side - 1, 4 * side - 1), 4 * ROUND, fill=255)
    return mask.resize((side, side), Image.Resampling.LANCZOS)


def make(name: str) -> bytes:
    """The poster of an explorer as WebP."""
    return as_webp(compose(rows_of(name)))


def make_mona_lisa() -> bytes:
    """The Mona Lisa, and the Mona Lisa as portraits64 makes her smile, side by side, as WebP."""
    model, directions, _ = load_shared("portraits64")
    face = next(face for face in make_gallery(model, drawn=False) if face.key == "mona-lisa")
    after = decode(model, latents.add(face.latents, directions["smile"], 1.0)).image
    both = compose([[Image.fromarray(image.movedim(0, -1).numpy()) for image in (face.image, after)]])
    return as_webp(both.crop(both.getbbox()))


def as_webp(image: Image.Image) -> bytes:
    """A picture as WebP, with nothing behind it where it is empty, so that it stands on light and dark."""
    file = io.BytesIO()
    image.save(file, "WEBP", quality=82, method=6)
    return file.getvalue()
