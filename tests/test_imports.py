"""Both packages are read in the order that CONTRIBUTING.md lists: a file imports only from what stands above it."""

import ast
import graphlib
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("glowlite", "glowlab")


def reading_order() -> list[str]:
    """The list's entries in order, as paths: "glowlite/errors.py", "glowlite/flows/", "glowlite/flows/base.py", ..."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    entries, folders = [], []
    for indent, name in re.findall(r"^( *)(\S+)", text.partition("```text\n")[2].partition("```")[0], re.M):
        folders[len(indent) // 2 :] = [name]
        entries.append("".join(folders))
    return entries


def files(root: Path) -> list[str]:
    """The Python files of both packages."""
    return sorted(path.relative_to(root).as_posix() for name in PACKAGES for path in (root / name).rglob("*.py"))


def places(root: Path, entries: list[str]) -> dict[str, int]:
    """Each listed file's place in the order. `__init__.py` and `__main__.py` come last in their folder."""
    found = {}
    for file in files(root):
        folder, _, name = file.rpartition("/")
        while "/" in folder and not any(entry.startswith(f"{folder}/") for entry in entries):
            folder = folder.rpartition("/")[0]  # a folder in a listed one, such as checks/solutions/
        inside = [i for i, entry in enumerate(entries) if entry.startswith(f"{folder}/")]
        if file in entries:
            found[file] = entries.index(file)
        elif inside and (len(inside) == 1 or name.startswith("__")):  # one: the folder, its files not listed one by one
            found[file] = inside[-1]
    return found


def imports(root: Path, file: str) -> set[str]:
    """The files of both packages that `file` imports, inside functions too."""
    modules = set()
    for node in ast.walk(ast.parse((root / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            folder = file.split("/")[: -node.level] if node.level else []
            base = ".".join([*folder, *filter(None, [node.module])])
            for alias in node.names:  # a module of the package `base`, or a name in it
                inside = f"{base}.{alias.name}"
                modules.add(inside if file_of(root, inside) else base)
    return {found for module in modules if (found := file_of(root, module)) and found != file}


def file_of(root: Path, module: str) -> str | None:
    """The file of a module of the two packages; None for any other module."""
    path = module.replace(".", "/")
    names = (f"{path}.py", f"{path}/__init__.py")
    return next((name for name in names if module.split(".")[0] in PACKAGES and (root / name).is_file()), None)


def from_below(root: Path, place: dict[str, int], file: str) -> list[str]:
    """The imports of `file` that run against the order, a sentence each."""
    below = sorted(other for other in imports(root, file) if place.get(other, 0) > place[file])
    return [f"{file} imports {other}, which stands below it" for other in below]


def check_circles(root: Path, place: dict[str, int]) -> None:
    """graphlib.CycleError where files import each other in a circle."""
    graphlib.TopologicalSorter({file: imports(root, file) for file in place}).prepare()


def test_the_list_is_the_code():
    entries = reading_order()
    assert len(entries) == len(set(entries)) > 30
    assert [entry for entry in entries if not (ROOT / entry).exists()] == []
    assert [file for file in files(ROOT) if file not in places(ROOT, entries)] == []


def test_every_import_points_upwards():
    place = places(ROOT, reading_order())
    assert [sentence for file in place for sentence in from_below(ROOT, place, file)] == []
    check_circles(ROOT, place)


@pytest.fixture(scope="module")
def copied(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.mark.parametrize(
    ("file", "line", "other"),
    [
        ("glowlite/pixels.py", "from glowlite.glow import Glow", "glowlite/glow.py"),
        ("glowlite/pixels.py", "import glowlite.latents", "glowlite/latents.py"),
        ("glowlite/pixels.py", "from glowlite import latents", "glowlite/latents.py"),
        ("glowlite/pixels.py", "def late():\n    from glowlite import latents", "glowlite/latents.py"),
        ("glowlite/pixels.py", "from . import latents", "glowlite/latents.py"),
        ("glowlite/pixels.py", "from glowlite import load", "glowlite/__init__.py"),
        ("glowlite/flows/base.py", "from .actnorm import ActNorm", "glowlite/flows/actnorm.py"),
        ("glowlite/flows/base.py", "from glowlite.flows import ActNorm", "glowlite/flows/__init__.py"),
        ("glowlite/cli.py", "from glowlab.figures import style", "glowlab/figures/style.py"),
        ("glowlab/widgets/picture.py", "from glowlab.figures import style", "glowlab/figures/style.py"),
        ("glowlab/explorers/editing.py", "import glowlab.site", "glowlab/site.py"),
    ],
)
def test_an_import_from_below_is_found(copied, file, line, other):
    with added(copied / file, line):
        place = places(copied, reading_order())
        assert f"{file} imports {other}, which stands below it" in from_below(copied, place, file)


def test_a_circle_within_a_folder_is_found(copied):
    with added(copied / "glowlab/figures/colours.py", "from glowlab.figures.scene import Scene"):
        with pytest.raises(graphlib.CycleError):
            check_circles(copied, places(copied, reading_order()))


def test_a_file_that_is_not_listed_has_no_place(copied):
    (copied / "glowlite/flows/new.py").write_text("")
    assert "glowlite/flows/new.py" not in places(copied, reading_order())
    (copied / "glowlite/flows/new.py").unlink()


@contextmanager
def added(path: Path, line: str):
    """The file with one more line, for as long as this lasts."""
    before = path.read_text(encoding="utf-8")
    path.write_text(f"{before}\n{line}\n", encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")
