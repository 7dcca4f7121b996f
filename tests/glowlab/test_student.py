"""Copies for students: no outputs, outside the clone, and never over a student's work."""

import re

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from glowlab import student
from tests.helpers import glowlite

FIRST = "00_why_reversible.ipynb"
LINK = re.compile(r"\]\(([^)#\s]+)")


def read(path):
    return nbformat.read(path, as_version=4)


def write(path, notebook):
    nbformat.write(notebook, path)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A small course of one notebook and one dashboard, in place of the whole one."""
    root = tmp_path / "notebooks"
    (root / "dashboards").mkdir(parents=True)
    notebook = read(student.ROOT / FIRST)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "markdown" or cell.outputs]
    write(root / FIRST, notebook)
    write(root / "dashboards" / "studio.ipynb", read(student.ROOT / "dashboards" / "studio.ipynb"))
    monkeypatch.setattr(student, "ROOT", root)
    return root


def test_a_copy_has_the_cells_and_no_outputs(tmp_path, capsys):
    folder = tmp_path / "a folder" / "copies"
    assert glowlite("student", folder) == 0
    originals = sorted(path.relative_to(student.ROOT) for path in student.ROOT.glob("[0-9]*.ipynb"))
    assert len(originals) >= 12 and {path.relative_to(folder) for path in folder.glob("*.ipynb")} == set(originals)
    assert f"{len(originals) + 4} notebooks written" in capsys.readouterr().out
    for name in originals:
        copy, original = read(folder / name), read(student.ROOT / name)
        assert [cell.source for cell in copy.cells] == [
            cell.source.replace("](../docs/", "](docs/") for cell in original.cells
        ]
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in copy.cells)
        nbformat.validate(copy)
    assert (folder / "dashboards" / "studio.ipynb").is_file(), "the first notebook has a link there"


def test_links_between_copies_lead_somewhere(tmp_path):
    assert glowlite("student", tmp_path) == 0
    texts = {
        path: "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
        for path in tmp_path.glob("*.ipynb")
    }
    texts |= {path: path.read_text() for path in (tmp_path / "docs").glob("*.md")}
    links = [(path, link) for path, text in texts.items() for link in LINK.findall(re.sub(r"`[^`]*`", "", text))]
    assert any("docs/course.md" in link for _, link in links)
    assert [pair for pair in links if "://" not in pair[1] and not (pair[0].parent / pair[1]).exists()] == []


def test_a_second_copy_keeps_what_a_student_changed_and_says_so(course, tmp_path, capsys):
    folder = tmp_path / "copies"
    assert student.write(folder) == ([FIRST, "dashboards/studio.ipynb"], [], [])
    mine = read(folder / FIRST)
    mine.cells[-1].source += "\nmine"
    write(folder / FIRST, mine)
    assert student.write(folder).same == [FIRST, "dashboards/studio.ipynb"], "the course has not changed"
    changed = read(course / FIRST)
    changed.cells[0].source += "\n\nnews"
    write(course / FIRST, changed)
    assert glowlite("student", folder) == 0
    assert f"so they stay: {FIRST}" in capsys.readouterr().out
    assert read(folder / FIRST).cells[-1].source.endswith("mine")


def test_a_copy_that_was_only_run_follows_the_course(course, tmp_path):
    folder = tmp_path / "copies"
    student.write(folder)
    run = read(folder / FIRST)
    next(cell for cell in run.cells if cell.cell_type == "code").execution_count = 7
    write(folder / FIRST, run)
    changed = read(course / FIRST)
    changed.cells[0].source += "\n\nnews"
    write(course / FIRST, changed)
    assert student.write(folder).written == [FIRST]
    assert read(folder / FIRST).cells[0].source.endswith("news")


def test_copies_for_colab_install_the_package_and_have_badges(course, tmp_path):
    folder = tmp_path / "copies"
    assert glowlite("student", folder, "--colab", "someone/glow", "--branch", "spring") == 0
    copy = read(folder / FIRST)
    (cell,) = [cell for cell in copy.cells if "%pip install" in cell.source]
    assert cell is copy.cells[1] and '"glowlite[notebooks] @ git+https://github.com/someone/glow"' in cell.source
    compile(TransformerManager().transform_cell(cell.source), "cell", "exec")
    address = "https://colab.research.google.com/github/someone/glow/blob/spring/"
    assert f"]({address}{FIRST})" in (folder / "README.md").read_text()
    assert f"]({address}dashboards/studio.ipynb)" in "".join(cell.source for cell in copy.cells)


@pytest.mark.parametrize("case", ["in the course", "no course", "a file"])
def test_mistakes_are_stated(course, tmp_path, monkeypatch, capsys, case):
    folder = tmp_path / "copies"
    if case == "in the course":
        folder = course / "mine"
    elif case == "no course":
        monkeypatch.setattr(student, "ROOT", tmp_path / "nowhere")
    else:
        folder.write_text("")
    assert glowlite("student", folder) == 2
    words = {"in the course": "outside the clone", "no course": "from a checkout", "a file": "cannot be written"}
    assert words[case] in capsys.readouterr().err
