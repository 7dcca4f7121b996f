"""What the pages lead to: the explorers, the notebooks as they tell of themselves, the files of the package to read."""

import functools
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

import nbformat

from glowlab.pages.mathml import to_mathml

LAB = Path(__file__).resolve().parents[1]
HEAD = re.compile(r"^# (\d\d) · (.+?)\n+(.+?)(?:\n\n|\Z)", re.DOTALL)
MINUTES = re.compile(r"\*\*Minutes\.\*\* About (\d+) to read and (\d+) for the exercises")


@dataclass(frozen=True)
class Explorer:
    """A page to play on: its name in addresses, its title, and what one sees there."""

    name: str
    title: str
    sentence: str


EXPLORERS = (
    Explorer(
        "studio",
        "Glow studio",
        "Turn a face's smile, hair or glasses, and see a picture of your own come back exactly.",
    ),
    Explorer("temperature", "Temperature", "Make the same sixteen people bolder or calmer with one number."),
    Explorer("interpolation", "Between two faces", "Walk from one face to another, and meet a person half-way."),
    Explorer(
        "attributes",
        "Attributes",
        "See what a direction changes, what it does not, and how few labels make one.",
    ),
)
# The package, in the order in which it is read, and what each file tells.
READ = {
    "flows/base.py": "what a flow is: there, back, and the log-det",
    "flows/actnorm.py": "a scale and a shift for each channel, set from data",
    "flows/coupling.py": "half of the channels say what becomes of the others",
    "flows/mixing.py": "who sits where: reversing, shuffling, the 1x1 convolution and its LU form",
    "flows/multiscale.py": "squeeze, split, and the prior of what leaves early",
    "pixels.py": "from whole numbers to densities, and bits per dimension",
    "glow.py": "the whole model, with the paper's settings",
    "latents.py": "temperature, interpolation, directions",
}


@dataclass(frozen=True)
class Lesson:
    """A notebook, as its head tells: "00", title, promise, minutes to read and for the exercises."""

    path: Path
    number: str
    title: str
    promise: str
    read: int
    exercises: int

    @property
    def page(self) -> str:
        return f"{self.path.stem}.html"

    @property
    def promise_text(self) -> str:
        """The promise without marks, for a list of pages found."""
        return re.sub(r"[$`]", "", self.promise)

    @property
    def promise_html(self) -> str:
        """The promise, its formulas and code as HTML."""
        parts = re.split(r"(\$[^$]+\$|`[^`]+`)", self.promise)
        return "".join(
            to_mathml(part[1:-1])
            if part[:1] == "$"
            else f"<code>{escape(part[1:-1])}</code>"
            if part[:1] == "`"
            else escape(part)
            for part in parts
        )


def lesson(path: Path) -> Lesson | None:
    """What the notebook at `path` says of itself; None where it has no head of ours."""
    return _lesson(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _lesson(path: Path, changed: int) -> Lesson | None:
    cells = nbformat.read(path, as_version=4).cells[:4]
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    head, minutes = HEAD.search(text), MINUTES.search(text)
    if head is None:
        return None
    promise = " ".join(head[3].split())
    read, exercises = (int(minutes[1]), int(minutes[2])) if minutes else (0, 0)
    return Lesson(path, head[1], head[2].strip(), promise, read, exercises)


def first_picture(path: Path) -> str:
    """The first <img> that a notebook's cells have left, with its alt text; "" where there is none."""
    return _first_picture(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=4)
def _first_picture(path: Path, changed: int) -> str:
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            if found := re.search(r"<img [^>]*>", "".join(output.get("data", {}).get("text/html", ""))):
                return found[0]
    return ""


def notebooks_folder() -> Path | None:
    """Where the notebooks lie: in a checkout beside the package; None where it was installed without them."""
    folder = LAB.parent / "notebooks"
    return folder if any(folder.glob("[0-9][0-9]_*.ipynb")) else None


def lessons() -> list[Lesson]:
    """The notebooks in order; none where the package was installed without them."""
    folder = notebooks_folder()
    found = [lesson(path) for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))] if folder else []
    return [each for each in found if each is not None]
