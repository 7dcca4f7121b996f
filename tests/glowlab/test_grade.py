"""Submissions of every kind are marked, and none of them stops the others."""

import csv
import io
import subprocess
import sys

import nbformat
import psutil
import pytest

from glowlab import exercises, grade
from tests.helpers import glowlite
from tests.notebooks.solved import put_in

NAME = "02_coupling_layers"
GIVEN = exercises.code_cells(grade.ROOT / f"{NAME}.ipynb")

INVERSE = """def additive_inverse(z, network):
    z_a, z_b = z.chunk(2, dim=1)
    return torch.cat([z_a, z_b - network(z_a)], dim=1)"""
AFFINE = """def affine(x, scale_and_shift):
    x_a, x_b = x.chunk(2, dim=1)
    log_s, t = scale_and_shift(x_a)
    return torch.cat([x_a, (x_b + t) * log_s.exp()], dim=1), log_s.sum(dim=(1, 2, 3))"""


def affine(*lines: str) -> str:
    """A right answer with `lines` before its own."""
    head, *rest = AFFINE.split("\n")
    return "\n".join([head, *(f"    {line}" for line in lines), *rest])


def handed_in(*answers: str, change=lambda cells: cells) -> str:
    """The notebook with these definitions in its exercises, as a file."""
    written = {answer.split("(")[0].removeprefix("def "): answer for answer in answers}
    cells = change([put_in(source, written) for source in GIVEN])
    return nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells]))


def renamed(cells):
    """The answer has another name, which its cell hands to the check."""
    return [one.replace("affine(x,", "mine(x,").replace("check.affine(affine)", "check.affine(mine)") for one in cells]


LOOPS, KILLED = affine("while True: pass"), affine("import os, signal", "os.kill(os.getpid(), signal.SIGKILL)")
SUBMISSIONS = {
    "ada/02.ipynb": handed_in(INVERSE, AFFINE),
    "ben/02.ipynb": handed_in(INVERSE, AFFINE.replace("log_s.sum(dim=(1, 2, 3))", "log_s.sum()")),
    "cem/02.ipynb": handed_in(),
    "dia/02.ipynb": handed_in(INVERSE.replace("z_a, z_b =", "while True:\n        pass\n    z_a, z_b ="), AFFINE),
    "eli/02.ipynb": handed_in(INVERSE, affine("raise ValueError('no idea')")),
    "fay/02.ipynb": handed_in(INVERSE, affine("print('much ' * 100_000)", "print(x)")),
    "gus/02.ipynb": handed_in(KILLED.replace("affine(x, scale_and_shift)", "additive_inverse(z, network)"), AFFINE),
    f"hal_{NAME}.ipynb": "this is not a notebook",
    f"ida_{NAME}.ipynb": handed_in(INVERSE, change=lambda cells: [one for one in cells if "def affine(x" not in one]),
    f"jan_{NAME}.ipynb": handed_in(INVERSE, AFFINE, change=renamed),
}
EXPECTED = {  # additive_inverse, affine and words of why
    "ada": ("right", "right", ""),
    "ben": ("right", "not yet right", "affine: log_det adds up the whole batch"),
    "cem": ("not tried yet", "not tried yet", ""),
    "dia": ("stopped", "right", "additive_inverse: it is not done after 2 seconds"),
    "eli": ("right", "not yet right", "it stops at the line `raise ValueError('no idea')` with ValueError: no idea"),
    "fay": ("right", "right", ""),
    "gus": ("stopped", "right", "additive_inverse: it ends Python itself"),
    "hal": ("", "", "this is not a notebook"),
    "ida": ("right", "missing", "nothing of the name affine is defined"),
    "jan": ("right", "right", ""),
}


@pytest.mark.slow
def test_ten_submissions(tmp_path):
    for name, text in SUBMISSIONS.items():
        path = tmp_path / "handed in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*.ipynb")}
    out = tmp_path / "marks.csv"
    assert glowlite("grade", tmp_path / "handed in", "--out", out, "--seconds", 2) == 0
    text = out.read_text(encoding="utf-8-sig")
    rows = {row["student"].removesuffix(f"_{NAME}"): row for row in csv.DictReader(io.StringIO(text))}
    print(text)
    assert list(rows) == list(EXPECTED)
    for student, (first, second, why) in EXPECTED.items():
        row = rows[student]
        assert (row["02 additive_inverse"], row["02 affine"]) == (first, second), row
        assert why in row["why"] and bool(why) == bool(row["why"]), row
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.rglob("*.ipynb")} == before


FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
print(child.pid, flush=True)
taken = b"x" * {size}
time.sleep(300)
"""


def test_a_process_that_takes_too_much_memory_is_ended_with_its_children():
    code = FAMILY.format(size=300_000_000)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    child = psutil.Process(int(process.stdout.readline()))
    watch = grade.Watch(process, grade.Limits(memory=200))
    process.wait(60)
    watch.end()
    child.wait(60)
    assert watch.reason == "it takes more than 200 MB of memory" and process.stdout.read() == b""
    process.stdout.close()


def handed(*cells: str):
    """The statements of a student's cells."""
    return exercises.statements(cells)


def test_the_answer_is_the_last_definition_that_is_not_the_courses():
    (_, exercise, *_), course = exercises.exercises(handed(*GIVEN)), handed(*GIVEN)
    assert exercise.name == "affine"
    stub, tried = "def affine(x, scale_and_shift):\n    z = ...\n    log_det = ...\n    return z, log_det", AFFINE
    for cells, place in (([stub], 0), ([tried, stub], 0), ([stub, tried, tried + "  # again"], 2), (["x = 1"], None)):
        assert exercises.find_answer(exercise, handed(*cells), course) == place


def test_an_answer_gets_what_it_needs_and_no_more():
    cells = [
        "import math\nfrom pathlib import Path",
        "%magic",
        "def (",
        "raise SystemExit",
        "half = 1 / two",
        "two = 2",
    ]
    cells += ["def f(x):\n    return g(x) * half", "def g(x):\n    return math.sqrt(x) if x else f(x)", "half = 7"]
    found, space = handed(*cells), {}
    (place,) = exercises.definitions("f", found)
    exercises.execute(space, found[place], exercises.around(found, place))
    assert space["f"](4) == 1.0, "half is the one above f"
    assert set(space) - {"__builtins__"} == {"f", "g", "half", "two", "math"}


def test_of_what_a_student_has_not_the_courses_is_taken():
    space = {}
    exercises.fill(space, {"a"}, handed("a = b + 1"), handed("a = 5", "b = 1"))
    assert space["a"] == 2


def test_names_that_lines_need_are_their_global_ones():
    lines = (
        "@wrap\ndef f(x, y=start):\n    z = x + [i for i in many]\n    return torch.cat(z)\nclass C(Base):\n    w = f"
    )
    assert exercises.needs(lines) >= {"wrap", "start", "many", "torch", "Base", "f"}
    assert not exercises.needs(lines) & {"x", "y", "z", "i", "w"}


def test_a_table_is_no_place_for_formulas_and_no_folder_is_a_mistake(tmp_path, capsys):
    text = grade.table([grade.Marked("=1+1.ipynb", "=1+1", "02", {"02 f": "right"}, ["a", "b"])])
    assert text == "student,file,notebook,right,of,02 f,why\n'=1+1,'=1+1.ipynb,02,1,1,right,a | b\n"
    assert glowlite("grade", tmp_path / "none") == 2
    assert glowlite("grade", tmp_path, "--out", tmp_path / "marks.csv") == 2
    said = capsys.readouterr().err
    assert "There is no folder" in said and "lies among the submissions" in said


def test_submissions_are_found_flat_and_in_folders(tmp_path):
    for name in ("a/x.ipynb", "a/.ipynb_checkpoints/x.ipynb", "b/deep/y.ipynb", "c/notes.pdf", "d.ipynb", "e.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [(student, path.relative_to(tmp_path).as_posix()) for student, path in grade.submissions(tmp_path)]
    assert found == [("a", "a/x.ipynb"), ("b", "b/deep/y.ipynb"), ("c", "c"), ("d", "d.ipynb")]
    marked = grade.Marked("c", "c")
    grade.mark(marked, tmp_path / "c", [], grade.Limits())
    assert marked.why == ["there is no notebook in this folder"]
