"""Posters: a picture of each explorer, which stands until its model is there, and the Mona Lisa: `glowlite posters`."""

import base64
import io
from collections.abc import Iterator

from PIL import Image, ImageDraw

from glowlite.files import write_atomically
from glowlite.folders import ASSETS

FOLDER = ASSETS / "posters"
MONA_LISA = "mona-lisa"
SIZE = 640, 480  # pixels, two for each of the page's
GAP = 14
ROUND = 16  # radius of the pictures' corners
OLDER = {  # another edit for the poster of attributes
    "faces64": {"face": "gallery-4", "glasses": 1.0, "beard": 0.8, "age": 0.6},
    "portraits64": {"face": "girl-with-a-pearl-earring", "age": 0.8},
}


def read(name: str) -> str:
    """A poster as a data address: "studio.faces64", "mona-lisa"."""
    return "data:image/webp;base64," + base64.b64encode((FOLDER / f"{name}.webp").read_bytes()).decode()


def make_all(models) -> Iterator[tuple[str, int]]:
    """Write the posters of all explorers for each model, and that of the Mona Lisa: (file, bytes) of each."""
    from glowlab.web.widgets import EXPLORERS, StudioExplorer

    made = {f"{name}.{model}": (lambda n=name, m=model: rows_of(n, m)) for name in EXPLORERS for model in models}
    smiling = {"face": MONA_LISA, "smile": 1.0}
    made[MONA_LISA] = lambda: [split(StudioExplorer("portraits64", **smiling).still(), 2)]
    for name, rows in made.items():
        whole = compose(rows())
        content = to_webp(whole.crop(whole.getbbox()) if name == MONA_LISA else whole)
        FOLDER.mkdir(exist_ok=True)
        write_atomically(FOLDER / f"{name}.webp", content)
        yield f"{name}.webp", len(content)


def rows_of(name: str, model: str) -> list:
    """Rows of pictures for the poster of an explorer, uint8 (C, H, W) each."""
    import torch

    from glowlab.web.widgets import EXPLORERS

    explorer = EXPLORERS[name]
    if name == "temperature":  # three people, from where they are one to where they are bold
        sheets = [explorer(model, temperature=t).pictures for t in (0.0, 0.3, 0.6, 0.9)]
        return [[sheet[i] for sheet in sheets] for i in (0, 3, 7)]
    if name == "interpolation":
        ways = ("pixels", "linear", "spherical")
        return [[explorer(model, way=way, t=stop / 3).picture for stop in range(4)] for way in ways]
    if name == "attributes":  # before, after, and where it changed
        return [split(explorer(model, **settings).still(), 3) for settings in ({}, OLDER[model])]
    made = explorer(model)
    fresh = made.model.sample(4, 0.7, torch.Generator().manual_seed(1))
    return [split(made.still(), 2), list(fresh)]


def split(whole, count: int) -> list:
    """Pictures that stand side by side."""
    return list(whole.chunk(count, -1))


def compose(rows: list) -> Image.Image:
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
            image = Image.fromarray(picture.cpu().permute(1, 2, 0).contiguous().numpy())
            whole.paste(image.resize((side, side), Image.Resampling.BICUBIC), (x, y), mask)
            x += side + GAP
        y += side + GAP
    return whole


def rounded(side: int) -> Image.Image:
    """A square with round corners, smooth at its edge."""
    mask = Image.new("L", (4 * side, 4 * side))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, 4 * side - 1, 4 * side - 1), 4 * ROUND, fill=255)
    return mask.resize((side, side), Image.Resampling.LANCZOS)


def to_webp(image: Image.Image) -> bytes:
    """A picture as WebP, with nothing behind it where it is empty, so that it stands on light and dark."""
    file = io.BytesIO()
    image.save(file, "WEBP", quality=82, method=6)
    return file.getvalue()
