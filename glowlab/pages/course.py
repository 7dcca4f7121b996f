"""The contents of the course: explorers, notebooks, and the files of the package in reading order."""

import functools
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

import nbformat

from glowlab.pages.mathml import to_mathml

LAB = Path(__file__).resolve().parents[1]
NUMBERED = "[0-9][0-9]*_*.ipynb"  # the names of the notebooks: 12_name, 12b_name
HEAD = re.compile(r"^# (\d\d[a-z]?) · (.+?)\n+(.+?)(?:\n\n|\Z)", re.DOTALL)
MINUTES = re.compile(r"\*\*Minutes\.\*\* About (\d+) to read and (\d+) for the exercises")


@dataclass(frozen=True)
class Entry:
    """An explorer on the landing page: its name in addresses, its title, and one sentence about it."""

    name: str
    title: str
    sentence: str


EXPLORERS = (
    Entry(
        "studio",
        "Glow studio",
        "Turn a face's smile, hair or glasses, and see a picture of your own come back exactly.",
    ),
    Entry("temperature", "Temperature", "Make the same sixteen people bolder or calmer with one number."),
    Entry("interpolation", "Between two faces", "Walk from one face to another, and meet a person half-way."),
    Entry(
        "attributes",
        "Attributes",
        "See what a direction changes, what it does not, and how few labels make one.",
    ),
)
# The files of the model in reading order, each with what it holds.
READING_ORDER = {
    "flows/base.py": "what a flow is: a function, its inverse, and the log-det",
    "flows/actnorm.py": "a scale and a shift for each channel, set from data",
    "flows/coupling.py": "half of the channels decide how the other half changes",
    "flows/mixing.py": "the order of channels: reversed, shuffled, or learned as a 1x1 convolution and its LU form",
    "flows/multiscale.py": "squeeze, split, and the prior of the channels that leave early",
    "flows/reversible.py": "backpropagation that keeps little: inputs are found again by the inverse",
    "pixels.py": "from whole numbers to densities, and bits per dimension",
    "latents.py": "temperature, interpolation, directions",
    "glow.py": "the whole model, with the paper's settings",
    "fusion.py": "a faster form of a trained model for inference, with equal results",
}


# Pages of docs/ that belong to the notebooks, each with its title and what it holds.
DOCS = {
    "course": ("The course in one page", "all parts of Glow together, other flows, other models, and their uses"),
    "glossary": ("Glossary", "the words of the course, each with the notebook that explains it"),
    "training": ("Train on many machines", "torchrun, Slurm, Kubernetes and clouds, and what goes wrong"),
    "project": ("A project", "six questions to choose from, and how the work is marked"),
}


@dataclass(frozen=True)
class Lesson:
    """A notebook, by its first cells: number ("00"), title, promise, minutes to read and for the exercises."""

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
        """The promise as plain text, for search engines."""
        return re.sub(r"[$`*]", "", self.promise)

    @property
    def promise_html(self) -> str:
        """The promise as HTML, with its formulas, code and emphasis."""
        parts = re.split(r"(\$[^$]+\$|`[^`]+`)", self.promise)
        return "".join(
            to_mathml(part[1:-1])
            if part[:1] == "$"
            else f"<code>{escape(part[1:-1])}</code>"
            if part[:1] == "`"
            else re.sub(r"(\*{1,2})(.+?)\1", r"<em>\2</em>", escape(part))
            for part in parts
        )


def read_lesson(path: Path) -> Lesson | None:
    """The lesson in the notebook at `path`; None if it does not begin with a number and a title."""
    return _read_lesson(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _read_lesson(path: Path, changed: int) -> Lesson | None:
    cells = nbformat.read(path, as_version=4).cells[:4]
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    head, minutes = HEAD.search(text), MINUTES.search(text)
    if head is None:
        return None
    promise = " ".join(head[3].split())
    read, exercises = (int(minutes[1]), int(minutes[2])) if minutes else (0, 0)
    return Lesson(path, head[1], head[2].strip(), promise, read, exercises)


def find_notebooks() -> Path | None:
    """The folder of the notebooks, beside the package in a checkout; None if the package was installed without them."""
    folder = LAB.parent / "notebooks"
    return folder if any(folder.glob(NUMBERED)) else None


def find_doc(name: str) -> Path | None:
    """The page `name` of DOCS, beside the package in a checkout; None if the package was installed without it."""
    path = LAB.parent / "docs" / f"{name}.md"
    return path if name in DOCS and path.is_file() else None


def list_lessons() -> list[Lesson]:
    """The notebooks in order; empty if the package was installed without them."""
    folder = find_notebooks()
    found = [read_lesson(path) for path in sorted(folder.glob(NUMBERED))] if folder else []
    return [each for each in found if each is not None]
