"""Copies of the notebooks for students: `glowlite student FOLDER`, `make lab`.

A copy has no outputs, so that questions come before answers, and lies outside the clone, so that a pull never meets
a student's changes. A copy that its student has changed is never overwritten.
"""

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat.v4 import new_code_cell

from glowlab.pages.course import DOCS
from glowlite.errors import GlowliteError

ROOT = Path(__file__).resolve().parent.parent / "notebooks"
MARK = "glowlite"  # in a copy's metadata: {"text": hash of its cells as they were written}
COLAB = "https://colab.research.google.com"
INSTALL = """# On Google Colab, run this cell first; it takes a minute. Elsewhere it does nothing.
import sys

if "google.colab" in sys.modules:
    %pip install -q "glowlite[notebooks] @ git+https://github.com/{repository}\""""


class Copied(NamedTuple):
    """Names of notebooks: written now, as they were before, and changed by the student while the course's changed."""

    written: list[str]
    same: list[str]
    kept: list[str]


def write(folder: Path, repository: str = "", branch: str = "student") -> Copied:
    """Write copies of all notebooks and of the dashboards that they link into `folder`.

    With `repository` ("OWNER/NAME" on GitHub) each copy begins with a cell that installs the package on Google Colab,
    and a README.md has links that open the copies there, once the folder's content is that repository's `branch`.
    """
    found = sorted([*ROOT.glob("[0-9][0-9]*_*.ipynb"), *ROOT.glob("dashboards/*.ipynb")])
    if not found:
        raise GlowliteError(f"There are no notebooks in {ROOT}: run this from a checkout.")
    if ROOT.resolve() in (folder.resolve(), *folder.resolve().parents):
        raise GlowliteError(f"{folder} lies in the course's own notebooks: name a folder outside the clone.")
    address = f"{COLAB}/github/{repository}/blob/{branch}/" if repository else ""
    copied = Copied([], [], [])
    for path in found:
        name = path.relative_to(ROOT)
        copy = blank(nbformat.read(path, as_version=4), repository, address)
        try:
            outcome = _replace(folder / name, copy)
        except OSError as error:
            raise GlowliteError(f"{folder / name} cannot be written: {error.strerror}.") from error
        getattr(copied, outcome).append(name.as_posix())
    _copy_docs(folder)
    if address:
        (folder / "README.md").write_text(_readme(found, address), encoding="utf-8")
    return copied


def blank(notebook, repository: str = "", address: str = ""):
    """The notebook without outputs; with a repository, with a cell that installs the package on Google Colab."""
    for cell in notebook.cells:
        cell.source = cell.source.replace("](../docs/", "](docs/")
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        elif address:
            cell.source = cell.source.replace("](dashboards/", f"]({address}dashboards/")
    if repository:
        cell = new_code_cell(INSTALL.format(repository=repository))
        cell["id"] = "install"
        notebook.cells.insert(1, cell)
    notebook.metadata[MARK] = {"text": _text(notebook)}
    return notebook


def _copy_docs(folder: Path) -> None:
    """Write the pages that the notebooks link, such as the glossary, into docs/ of the folder."""
    for path in (ROOT.parent / "docs" / f"{name}.md" for name in DOCS):
        if path.is_file():
            text = path.read_text(encoding="utf-8").replace("](../notebooks/", "](../")
            text = re.sub(r"\[([^\]]*)\]\(\.\./glowlite/[^)]*\)", r"\1", text)  # the package is not beside a copy
            (folder / "docs").mkdir(exist_ok=True)
            (folder / "docs" / path.name).write_text(text, encoding="utf-8")


def _text(notebook) -> str:
    """A hash of the cells' text, outputs aside."""
    return hashlib.sha256("\0".join(cell.source for cell in notebook.cells).encode()).hexdigest()[:16]


def _replace(path: Path, copy) -> str:
    """Write the copy unless a student has changed the one that is there; the field of `Copied` that this belongs to."""
    if path.exists():
        try:
            there = nbformat.read(path, as_version=4)
        except Exception:  # no notebook, or none any more
            return "kept"
        first = there.metadata.get(MARK, {}).get("text")  # as it was when it was copied
        if first == copy.metadata[MARK]["text"]:
            return "same"
        if first != _text(there):
            return "kept"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(copy, path)
    return "written"


def _readme(found: list[Path], address: str) -> str:
    """A list of the copies, each with a badge that opens it on Google Colab."""
    lines = ["# The notebooks", "", "The badge opens a notebook on Google Colab. Run its first code cell first.", ""]
    for path in found:
        if path.parent == ROOT:
            title = nbformat.read(path, as_version=4).cells[0].source.splitlines()[0].lstrip("# ")
            badge = f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({address}{path.name})"
            lines.append(f"- {badge} [{title}]({path.name})")
    return "\n".join([*lines, ""])
