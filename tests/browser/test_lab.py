"""Every notebook in JupyterLab: Run All without an error, and every figure that moves moved, by mouse or keyboard.

GLOWLITE_SCREENSHOTS=folder also writes pictures of each notebook there, light and dark.
"""

import os
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import TimeoutError

from .conftest import Watched
from .lab import ROOT, Lab, outputs, photograph, run_all

NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]*_*.ipynb"))
WIDGET = "application/vnd.jupyter.widget-view+json"
SIZE = {"width": 1100, "height": 900}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lab(tmp_path_factory, chromium):
    running = Lab(tmp_path_factory.mktemp("lab"))
    yield running
    running.stop()


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def opened(request, lab, browser):
    """(notebook as it was stored, page that is watched, cells of that page): after Run All."""
    stored = nbformat.read(lab.folder / request.param.name, as_version=4)
    watched = Watched(browser, lab.address, viewport=SIZE)
    lab.open(watched.page, request.param.name)
    run_all(watched.page)
    yield stored, watched, outputs(watched.page)
    watched.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    watched.context.close()


def test_every_cell_runs(opened, request):
    _, watched, cells = opened
    faults = []
    for cell in cells:
        if cell["count"] is None:
            faults.append(f"not run: {cell['line']}")
        for output in cell["outputs"]:
            if output["output_type"] == "error" or output.get("name") == "stderr":
                faults.append(f"{cell['line']}: {output.get('evalue') or output.get('text')}")
    assert faults == []
    folder = os.environ.get("GLOWLITE_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        photograph(watched.page, Path(folder), request.node.callspec.id)


def test_every_widget_left_a_picture_or_its_words_in_the_stored_notebook(opened):
    notebook, _, cells = opened
    stored = {cell.id: cell for cell in notebook.cells}
    assert {cell["id"] for cell in cells} <= set(stored), "a script is newer than its notebook: make notebooks"
    for cell in cells:
        shown = [output for output in cell["outputs"] if WIDGET in output.get("data", {})]
        left = [output for output in stored[cell["id"]].outputs if "text/html" in output.get("data", {})]
        assert len(left) >= len(shown), cell["line"]


def test_every_widget_is_on_the_page(opened):
    _, watched, cells = opened
    made = [output for cell in cells for output in cell["outputs"] if WIDGET in output.get("data", {})]
    assert made
    shown = ".jp-OutputArea-output > :is(.jupyter-widgets, .gl-curves, :has(> .gl-explorer))"
    assert watched.page.locator(shown).count() == len(made)


def test_every_prediction_is_answered_when_it_is_made(opened):
    _, watched, _ = opened
    page = watched.page
    asked = page.locator(".gl-predict")
    assert asked.count() > 0
    for number in range(asked.count()):
        asked.nth(number).get_by_role("radio").first.check(force=True)
        page.wait_for_function(ANSWERED, arg=number + 1)


ANSWERED = """(count) => [...document.querySelectorAll(".jp-OutputArea-output")]
    .filter((e) => e.textContent.startsWith("You guessed")).length === count"""
# The button that asks for a camera changes nothing where there is none.
CONTROLS = "input[type=range], input[type=checkbox], .gl-choice, .gl-button:not(.gl-upload *) button, .gl-handle, "
CONTROLS += "canvas.gl-drawable"
# How often each picture was drawn, and how it looks; of curves and charts, which are no canvas, what they hold.
LOOK = """(figure) => [...figure.querySelectorAll("canvas, .gl-curves, .gl-chart")].map((shown) =>
    shown.matches("canvas") ? [shown.dataset.frame, shown.toDataURL()] : [shown.innerHTML, shown.innerHTML])"""
CHANGED = f"""([figure, before]) => ({LOOK})(figure).some(([frame, look], i) =>
    frame !== before[i]?.[0] && look !== before[i]?.[1])"""
ANSWER = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestKernelInfo().then(() => {})"
BLANK = """(canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Uint32Array(data.buffer).every((pixel, _, all) => pixel === all[0]);
}"""
NAME = "e => e.ariaLabel || e.labels?.[0]?.textContent || e.textContent"


def figures(page):
    """All that is ours and moves, but the predictions."""
    return page.locator(".jp-OutputArea-output .gl:not(.gl .gl, .gl-predict)")


def drag(page, thing, start: tuple[float, float], way: tuple[float, float]) -> None:
    """By mouse, from `start`, a share of the thing's box, for so many pixels."""
    box = thing.bounding_box()
    x, y = box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + way[0], y + way[1], steps=6)
    page.mouse.up()


def move(page, thing) -> None:
    """What a person does with a control, so that it is elsewhere afterwards."""
    thing.scroll_into_view_if_needed()
    kind = thing.evaluate("e => e.type || e.className")
    if kind == "range":
        high = thing.evaluate("e => (e.value - e.min) / (e.max - e.min) > 0.5")
        thing.press("Home" if high else "End")
    elif kind == "checkbox":
        thing.press("Space")
    elif "gl-choice" in kind:
        thing.locator("input:not(:checked)").first.check(force=True)
    elif "gl-drawable" in kind:
        for across in (0.2, 0.5, 0.8):  # one of its panels takes strokes
            drag(page, thing, (across, 0.4), (40, 30))
    elif "gl-handle" in thing.get_attribute("class"):
        drag(page, thing, (0.5, 0.5), (25, -20))
    else:
        thing.click()


def responds(page, figure, thing) -> bool:
    """Move one control of a figure: does the picture change? No later than a second after the kernel has answered."""
    before = figure.evaluate(LOOK)
    move(page, thing)
    for _ in range(2):
        try:
            page.wait_for_function(CHANGED, arg=[figure.element_handle(), before], timeout=1000)
            return True
        except TimeoutError:
            page.evaluate(ANSWER)
    return False


def idle(page, figure) -> list[str]:
    """The controls of a figure that change nothing in it, neither at first nor once any of the others was moved."""
    things = [thing for thing in figure.locator(CONTROLS).all() if thing.is_visible() and thing.is_enabled()]
    found = [thing for thing in things if not responds(page, figure, thing)]

    def after(other, thing) -> bool:
        responds(page, figure, other)
        return responds(page, figure, thing)

    return [thing.evaluate(NAME) for thing in found if not any(after(other, thing) for other in things)]


def test_everything_that_moves_changes_its_picture(opened):
    _, watched, cells = opened
    page, faults = watched.page, []
    for number in range(figures(page).count()):
        figure = figures(page).nth(number)
        figure.scroll_into_view_if_needed()
        about = figure.evaluate("e => e.querySelector('canvas, .gl-curves [role=img]')?.ariaLabel")
        faults += [f"blank at first: {about}" for c in figure.locator("canvas").all() if c.evaluate(BLANK)]
        faults += [f"{name!r} changes nothing: {about}" for name in idle(page, figure)]
    assert faults == []
    assert [cell["id"] for cell in outputs(page)] == [cell["id"] for cell in cells]  # keys were the figures' alone


def test_nothing_went_wrong_behind_the_scenes(opened):
    _, watched, _ = opened
    page = watched.page
    assert page.locator(".gl-notice:visible, .jp-Dialog, .Toastify__toast").all_inner_texts() == []
    assert watched.wrong == []
