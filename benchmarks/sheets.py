"""Pictures of what a model does, for the documentation:  python -m benchmarks.sheets --model portraits64

The first eight faces of the model's gallery, public-domain portraits or drawn faces, with every slider at -1, 0 and 1,
and the great circle from each to the next; 64 samples; the smile of the first face. Each sheet is one WebP file.
"""

import argparse
from pathlib import Path

import matplotlib
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from glowlab.explorers.gallery import draw_people, learned_drawn_faces, read_portraits
from glowlab.web.posters import to_webp
from glowlite import checkpoint, latents
from glowlite.evaluation import slide
from glowlite.files import write_atomically
from glowlite.fusion import fuse
from glowlite.glow import Glow
from glowlite.latents import Latents
from glowlite.sheet import PAPER

FACES = 8
SLIDERS = 4  # on one sheet
STOPS = 7  # on a great circle
SAMPLES, TEMPERATURE = 64, 0.7
INK = (32, 33, 36)
GAP, LABEL = 4, 76  # pixels between pictures; width of a row's label
FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"  # has the letters of all names


def write(text: str, width: int, size: int = 26) -> Image.Image:
    """Words on a strip of paper, centred, on as many lines as they need; smaller where a word is too wide."""
    longest = max((ImageFont.truetype(FONT, size).getlength(word) for word in text.split()), default=0)
    size = int(size * min(1, width / max(longest, 1)))
    font, lines = ImageFont.truetype(FONT, size), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], longer] if font.getlength(longer) <= width or not lines[-1] else [*lines, word]
    paper = Image.new("RGB", (width, round(size * (1.25 * len(lines) + 0.5))), PAPER)
    for i, line in enumerate(lines):
        ImageDraw.Draw(paper).text((width / 2, size * (1.25 * i + 0.25)), line, INK, font, "ma")
    return paper


def enlarge(pictures: Tensor, side: int) -> list[Image.Image]:
    """Pictures uint8 (N, 3, H, W) as images of another size."""
    images = [Image.fromarray(picture) for picture in pictures.permute(0, 2, 3, 1).numpy()]
    return [image.resize((side, side), Image.Resampling.BICUBIC) for image in images]


def beside(images: list[Image.Image]) -> Image.Image:
    """A row of images, each in the middle of its height."""
    height = max(image.height for image in images)
    paper = Image.new("RGB", (sum(image.width + GAP for image in images) + GAP, height + GAP), PAPER)
    x = GAP
    for image in images:
        paper.paste(image, (x, (height - image.height) // 2))
        x += image.width + GAP
    return paper


def below(rows: list[Image.Image]) -> Image.Image:
    """Rows one below the other."""
    paper = Image.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows) + GAP), PAPER)
    y = GAP
    for row in rows:
        paper.paste(row, (0, y))
        y += row.height
    return paper


def signed(amount: float) -> str:
    """How far a slider was moved: −1, −0.5, 0, +0.5.

    >>> signed(-1), signed(0), signed(0.5)
    ('−1', '0', '+0.5')
    """
    return f"{amount:+g}".replace("-", "−") if amount else "0"


def sliders(model: Glow, directions: dict[str, Latents], eps: Latents, names: list[str], side: int = 112) -> list:
    """Sheets of four attributes each: a column for each face, and three rows for each slider, at -1, 0 and 1."""
    amounts, blocks = (-1, 0, 1), []
    over = beside([write("", LABEL), *(write(name, side, 20) for name in names)])
    for name, direction in directions.items():
        shown = slide(model, eps, direction, amounts)[0]
        rows = [
            beside([write(signed(amount), LABEL), *enlarge(row, side)])
            for amount, row in zip(amounts, shown, strict=True)
        ]
        blocks.append(below([write(name.replace("_", " "), over.width), *rows]))
    return [below([over, *blocks[i : i + SLIDERS]]) for i in range(0, len(blocks), SLIDERS)]


def interpolations(model: Glow, eps: Latents, names: list[str], side: int = 128) -> Image.Image:
    """A row for each face but the last: the great circle to the next one."""
    first, second = [level[:-1] for level in eps], [level[1:] for level in eps]
    stops = [model.decode(latents.slerp(first, second, t)) for t in torch.linspace(0, 1, STOPS).tolist()]
    rows = []
    for pictures, *ends in zip(torch.stack(stops, 1), names[:-1], names[1:], strict=True):
        row = beside(enlarge(pictures, side))
        rows += [write(" → ".join(ends), row.width), row]
    return below(rows)


def samples(model: Glow, side: int = 112) -> Image.Image:
    """Eight rows of samples, under a heading."""
    drawn = model.sample(SAMPLES, TEMPERATURE, torch.Generator().manual_seed(0))
    rows = [beside(enlarge(part, side)) for part in drawn.split(8)]
    return below([write(f"{SAMPLES} samples at temperature {TEMPERATURE:g}, seed 0", rows[0].width), *rows])


def one_slider(model: Glow, name: str, direction: Latents, eps: Latents, side: int = 240) -> Image.Image:
    """One face at five places of one slider."""
    amounts = (-1, -0.5, 0, 0.5, 1)
    shown = slide(model, eps, direction, amounts)[0][:, 0]
    under = beside([write(f"{name} {signed(amount)}", side, 30) for amount in amounts])
    return below([beside(enlarge(shown, side)), under])


def make(name: str) -> dict[str, Image.Image]:
    """All sheets of a model that ships, or of a path, by the end of their files' names."""
    model, directions = fuse(checkpoint.load(name)), checkpoint.load_directions(name)
    drawn = learned_drawn_faces(checkpoint.read_card(name, required=False))
    images, names, _ = (draw_people if drawn else read_portraits)(model.config.shape[-1])
    eps, names = model.encode(images[:FACES]), names[:FACES]
    smile = one_slider(model, "smile", directions["smile"], [level[:1] for level in eps])
    sheets = {"smile": smile, "samples": samples(model), "interpolations": interpolations(model, eps, names)}
    return sheets | {f"sliders-{i}": sheet for i, sheet in enumerate(sliders(model, directions, eps, names), 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="portraits64", help="a model that ships, or a path (default: portraits64)")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"), help="a folder (default: docs/pictures)")
    arguments = parser.parse_args()
    for what, sheet in make(arguments.model).items():
        path = arguments.out / f"{Path(arguments.model).stem}.{what}.webp"
        write_atomically(path, to_webp(sheet))
        print(f"{path}: {sheet.width} x {sheet.height}, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
