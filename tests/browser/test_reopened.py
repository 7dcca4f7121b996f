"""A notebook that was run, saved and closed shows its pictures when it is opened again without its kernel."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from .conftest import Watched
from .lab import Lab, run_all, wait

CELLS = {
    "prediction": """from glowlab.checks import Prediction
guess = Prediction("Which comes out?", ["one", "two"])
guess""",
    "outcome": 'guess.outcome("two")',
    "live": """from glowlab.figures.live import Live, Slider, Watch
from glowlab.figures.scene import Scene

def draw(amount=0.5):
    scene = Scene(f"A line up to {amount}.", height=120)
    scene.panel(x=(0, 2), y=(0, 2), frame=False).line([0, 1], [0, amount])
    return scene

Live(draw, Slider("amount", "Amount", 0.0, 2.0, 0.5))""",
    "watch": """done = 0
for step in Watch(3, lambda: draw(done / 3)):
    done = step + 1""",
    "picture": """import torch
from glowlab.widgets.picture import Picture
Picture(torch.full((3, 8, 8), 128, dtype=torch.uint8), label="Grey")""",
}
NAME = "run.ipynb"
# Of each code cell, the outputs that can be seen: "widget", "picture" (once it is drawn) or the words.
SEEN = """() => [...document.querySelectorAll(".jp-CodeCell")].map((cell) =>
    [...cell.querySelectorAll(".jp-OutputArea-output")].filter((output) => output.checkVisibility()).map((output) =>
        output.querySelector(":scope > .lm-Widget") ? "widget"
        : output.querySelector("img")?.naturalWidth ? "picture" : output.innerText.trim()))"""
SAVE = """() => { window.saved = null; window.jupyterapp.commands.execute("docmanager:save").then(
    () => (window.saved = true)); }"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory, chromium):
    running = Lab(tmp_path_factory.mktemp("lab"))
    cells = [new_code_cell(source) for source in CELLS.values()]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), running.folder / NAME)
    yield running
    running.stop()


def seen(lab, browser, notebook: str, run: bool = False) -> dict:
    """What a person sees of each cell, in a page of its own; what was run is saved, then its kernel ended."""
    watched = Watched(browser, lab.address, viewport={"width": 1100, "height": 900})
    page = watched.page
    lab.open(page, notebook)
    if run:
        run_all(page)
    else:  # until the widgets are looked for, and not found
        wait(page, "!document.querySelector('.jp-OutputArea').textContent.includes('Loading widget')")
    found = dict(zip(CELLS, page.evaluate(SEEN), strict=True))
    if run:
        page.evaluate(SAVE)
        wait(page, "window.saved")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    watched.context.close()
    return found


def test_a_reopened_notebook_shows_what_its_widgets_left(lab, browser):
    running = seen(lab, browser, NAME, run=True)
    assert running == dict.fromkeys(CELLS, ["widget"]), "the picture is hidden while the widget is there"

    stored = nbformat.read(lab.folder / NAME, as_version=4)
    assert any("widget-view" in kind for cell in stored.cells for output in cell.outputs for kind in output.data)
    nbformat.write(stored, lab.folder / "handed-in.ipynb")  # elsewhere, a notebook is not trusted
    for name in (NAME, "handed-in.ipynb"):
        reopened = seen(lab, browser, name)
        question, outcome = reopened.pop("prediction"), reopened.pop("outcome")
        assert reopened == dict.fromkeys(reopened, ["picture"]), name
        assert len(question) == len(outcome) == 1 and "Which comes out?" in question[0], name
        assert "see what came out" in outcome[0], name  # folded, since no guess was made
