"""Script to notebook: stable ids, outputs that are the same every time, one sentence where a cell fails."""

import base64
import io
import re
import subprocess
import sys

import jupytext
import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from glowlab import notebooks
from glowlab.widgets.picture import to_bytes, to_png
from glowlab.widgets.still import still
from glowlite.errors import GlowliteError
from tests.helpers import glowlite

SCRIPT = """# %% [markdown]
# # A title
#
# **Minutes.** Many.

# %% tags=["nbval-check-output"]
1 + 1

# %%
1 + 1

# %%
from glowlab.figures import style

made, ax = style.figure(2, 1)
style.show(made, "An empty chart.")

# %%
from glowlab.checks import Prediction

Prediction("Which?", ["this", "that"])
"""


@pytest.fixture
def script(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(notebooks.ROOT.parent))  # the kernel finds a checkout that is not installed
    (tmp_path / "scripts").mkdir()
    path = tmp_path / "scripts" / "00_a.py"
    path.write_text(SCRIPT)
    return path


def test_ids_follow_from_the_text_and_survive_a_cell_put_before_them(script):
    before = [cell.id for cell in notebooks.from_script(script).cells]
    assert len(set(before)) == 5
    assert before == [cell.id for cell in notebooks.from_script(script).cells]
    script.write_text("# %% [markdown]\n# new\n\n" + SCRIPT)
    assert [cell.id for cell in notebooks.from_script(script).cells][1:] == before


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the kernel's client has some of its own
def test_a_build_runs_cells_and_gives_the_same_bytes_twice(script, monkeypatch):
    run = notebooks.execute
    monkeypatch.setattr(notebooks, "execute", lambda *given: run(*given) and 1.0)  # this machine may be busy
    notebooks.build(script)
    first = notebooks.notebook_of(script).read_bytes()
    notebooks.build(script)
    assert notebooks.notebook_of(script).read_bytes() == first
    stored = nbformat.read(notebooks.notebook_of(script), as_version=4)
    assert stored.cells[1].outputs[0].data == {"text/plain": "2"} and stored.cells[1].metadata.tags == [
        "nbval-check-output"
    ]
    assert stored.cells[3].outputs[0].metadata["image/png"]["alt"] == "An empty chart."
    assert set(stored.cells[4].outputs[0].data) == {"text/plain", "text/html"}
    assert "widgets" not in stored.metadata
    head = "About 5 to read and 0 for the exercises; all cells run in under"
    assert head in stored.cells[0].source and head in script.read_text()
    assert [c.source for c in jupytext.read(script).cells] == [c.source for c in stored.cells]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_cell_that_fails_is_named_and_nothing_is_written(script):
    script.write_text(SCRIPT + "\n# %%\n1 / 0\n")
    with pytest.raises(GlowliteError, match="ZeroDivisionError"):
        notebooks.build(script)
    assert not notebooks.notebook_of(script).exists()


def test_normalising_leaves_the_picture_and_its_words():
    picture = torch.randint(0, 256, (3, 8, 8), dtype=torch.uint8)
    png = base64.encodebytes(to_png(picture)).decode()  # in lines, as a kernel sends it
    data = {notebooks.WIDGET: {"model_id": "1"}, "image/png": png, "text/plain": "A <face>."}
    lines = [new_output("stream", text=text) for text in ("one\n", "two\n")]
    metadata = {"tags": ["a"], "execution": {}, "trusted": True}
    code = new_code_cell("x", metadata=metadata, outputs=[*lines, new_output("display_data", data=data)])
    notebook = new_notebook(metadata={"widgets": {}}, cells=[code])
    notebooks.normalise(notebook)
    (cell,) = notebook.cells
    assert cell.metadata == {"tags": ["a"]} and "widgets" not in notebook.metadata
    assert cell.outputs[0].text == "one\ntwo\n"
    assert set(cell.outputs[1].data) == {"image/png", "text/plain", "text/html"}
    assert "\n" not in cell.outputs[1].data["image/png"]
    assert 'alt="A &lt;face&gt;."' in cell.outputs[1].data["text/html"]
    webp = re.search(r"data:image/webp;base64,([^\"]+)", cell.outputs[1].data["text/html"]).group(1)
    shown = Image.open(io.BytesIO(base64.b64decode(webp))).convert("RGB")
    assert shown.tobytes() == to_bytes(picture)
    assert cell.outputs[1].metadata == {"image/png": {"alt": "A <face>."}}


def test_normalising_joins_a_widget_with_the_picture_before_it():
    png = base64.b64encode(to_png(torch.zeros(3, 8, 8, dtype=torch.uint8))).decode()
    bundles = [{"image/png": png, "text/plain": "A face."}, {"text/html": "<p>Which?</p>", "text/plain": "Which?"}]
    outputs = []
    for bundle in bundles:
        outputs.append(new_output("display_data", data=still(bundle)))
        outputs.append(new_output("display_data", data={notebooks.WIDGET: {"model_id": "1"}}))
    notebook = new_notebook(cells=[new_code_cell("x", outputs=outputs)])
    notebooks.normalise(notebook)
    picture, question = notebook.cells[0].outputs
    assert set(picture.data) == {"image/png", "text/plain", "text/html"}
    assert picture.data["text/html"].startswith('<img src="data:image/webp;base64,')
    assert question.data == bundles[1], "without the style sheet"
    alone = new_notebook(cells=[new_code_cell("x", outputs=outputs[1:2])])
    with pytest.raises(GlowliteError, match="nothing to see"):
        notebooks.normalise(alone)


def test_a_widget_that_would_leave_nothing_is_refused():
    data = {notebooks.WIDGET: {"model_id": "1"}, "text/plain": "IntSlider(value=0)"}
    code = new_code_cell("ipywidgets.IntSlider()", outputs=[new_output("display_data", data=data)])
    with pytest.raises(GlowliteError, match="IntSlider"):
        notebooks.normalise(new_notebook(cells=[code]))


@pytest.mark.slow
def test_a_compared_cell_may_show_other_bytes_but_no_other_words(tmp_path):
    """What tests/notebooks/nbval.cfg is for: a picture in HTML is compared by its words."""
    source = 'from IPython.display import HTML\nHTML(\'<img src="data:image/webp;base64,AA==" alt="a dot">\')'
    cells = []
    for alt in ("a dot", "a line"):
        data = {
            "text/plain": "<IPython.core.display.HTML object>",
            "text/html": f'<img src="data:image/webp;base64,ZZZZ" alt="{alt}">',
        }
        shown = [new_output("execute_result", data=data, execution_count=1)]
        cells.append(new_code_cell(source, execution_count=1, outputs=shown))
        cells[-1].metadata = {"tags": ["nbval-check-output"]}
    nbformat.write(new_notebook(cells=cells), tmp_path / "a.ipynb")
    config = notebooks.ROOT.parent / "tests" / "notebooks" / "nbval.cfg"
    options = [
        "-q",
        "--nbval-lax",
        "--nbval-current-env",
        f"--nbval-sanitize-with={config}",
        "-p",
        "no:cacheprovider",
    ]
    command = [sys.executable, "-m", "pytest", *options, "a.ipynb"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    assert "1 failed, 1 passed" in found and "a line" in found, found


def test_minutes_grow_with_what_there_is_to_read():
    def minutes(count):
        def cells():
            return [
                new_markdown_cell("word " * 75),
                new_code_cell("x = 1"),
                new_markdown_cell("## Exercise 1 · Do it"),
            ]

        return notebooks.reading_minutes(new_notebook(cells=sum((cells() for _ in range(count)), [])))

    assert minutes(1) == (5, 15) and minutes(20) == (20, 300)


def test_a_class_with_two_methods_to_write_counts_as_two_exercises():
    def minutes(*sources):
        heading = new_markdown_cell("## Exercise 1 · Do it")
        return notebooks.reading_minutes(new_notebook(cells=[heading, *map(new_code_cell, sources)]))[1]

    one, both = "def forward(x):\n    z = ...\n    return z", "def inverse(z):\n    return ..., ..."
    assert minutes(one) == minutes("x = 1") == 15
    assert minutes(f"{one}\n{both}") == minutes(one, both) == 30
    assert minutes(f"{both}\ndef first(x):\n    return x[..., 0]") == 15, "an index is no gap"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_kernel_has_one_thread_and_its_own_seconds_are_counted(tmp_path):
    cells = ["import os, time, torch", "assert torch.get_num_threads() == 1", "time.sleep(20)"]
    cells.append("start = time.process_time()\nwhile time.process_time() < start + 1: pass")
    seconds = notebooks.execute(new_notebook(cells=list(map(new_code_cell, cells))), tmp_path)
    assert 1 < seconds < 20, "waiting is no work"


@pytest.mark.parametrize("seconds, said", [(9, 15), (16, 30), (31, 60), (200, 240), (999, 600)])
def test_the_time_to_run_is_said(script, seconds, said):
    notebooks.write_minutes(notebooks.from_script(script), script, seconds)
    assert f"under {said} seconds" in script.read_text()


def test_the_time_to_run_stays_while_it_is_about_right(script):
    said = []
    for seconds in (20.0, 10.0, 31.0, 16.0, 5.0):
        notebooks.write_minutes(notebooks.from_script(script), script, seconds)
        said.append(int(notebooks.RUNNING.search(script.read_text())[1]))
    assert said == [30, 30, 60, 60, 15]


@pytest.mark.parametrize(
    "said, seconds, true",
    [(60, 30, True), (60, 15, True), (60, 14, False), (60, 120, True), (60, 121, False), (15, 1, True)],
)
def test_the_time_said_is_true_within_a_factor_of_two(said, seconds, true):
    assert notebooks.still_true(said, seconds) is true


@pytest.mark.parametrize("seconds, status, words", [(5.0, 0, "5 s, and says"), (500.0, 1, "a factor of two off")])
def test_a_check_compares_times_and_stores_nothing(script, monkeypatch, capsys, seconds, status, words):
    script.write_text(SCRIPT.replace("Many.", "All cells run in under 15 seconds.".lower()))
    before = script.read_text()
    monkeypatch.setattr(notebooks, "ROOT", script.parent.parent)
    monkeypatch.setattr(notebooks, "scripts", lambda names: [script])
    monkeypatch.setattr(notebooks, "execute", lambda *given: seconds)
    assert glowlite("notebooks", "00", "--check") == status
    assert words in capsys.readouterr().out
    assert script.read_text() == before and not notebooks.notebook_of(script).exists()


def test_the_head_must_have_a_place_for_the_minutes(script):
    script.write_text("# %% [markdown]\n# # A title\n")
    with pytest.raises(GlowliteError, match="Minutes"):
        notebooks.write_minutes(notebooks.from_script(script), script, 1.0)


def test_names_choose_notebooks_and_an_unknown_one_is_said(script):
    root = script.parent.parent
    assert notebooks.scripts(root=root) == notebooks.scripts(["00"], root) == [script]
    with pytest.raises(GlowliteError, match="'99'"):
        notebooks.scripts(["99"], root)
    assert glowlite("notebooks", "99") == 2
