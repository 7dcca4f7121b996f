"""Every notebook as a page without a kernel, made by nbconvert: all that moves has left a picture, and it fits."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import nbformat
import pytest

from glowlab.notebooks import ROOT, WIDGET
from glowlab.pages.course import NUMBERED

NOTEBOOKS = sorted(ROOT.glob(NUMBERED))
MOVES = re.compile(r"^(?:\w+ = )?(?:for \w+ in )?(Live|Follow|Watch|Prediction)\(", re.MULTILINE)
pytestmark = [pytest.mark.slow, pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The folder with a page for each notebook, made as a person would make it."""
    folder = tmp_path_factory.mktemp("pages")
    command = [
        sys.executable,
        "-m",
        "nbconvert",
        "--to",
        "html",
        "--output-dir",
        str(folder),
        *map(str, NOTEBOOKS),
    ]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    assert "alternative text" not in made.stderr.lower(), made.stderr  # nbconvert's own word on images without alt
    return folder


@pytest.fixture
def opened(notebook, pages, browser):
    """A function that opens the notebook's page at a width; what it asks of other hosts stays unanswered."""
    made = []

    def at(width: int):
        context = browser.new_context(viewport={"width": width, "height": 900})
        context.route(re.compile("^https?:"), lambda route: route.abort())
        made.append(context)
        page = context.new_page()
        page.goto((pages / f"{notebook.stem}.html").as_uri())
        return page

    yield at
    for context in made:
        context.close()


class Images(HTMLParser):
    """The alt of each image."""

    def __init__(self, text: str):
        super().__init__()
        self.alts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.alts.append(dict(attributes).get("alt") or "")


def test_every_image_has_words_and_nothing_waits_for_a_kernel(notebook, pages):
    text = (pages / f"{notebook.stem}.html").read_text()
    body = text[text.index("<body") :]
    for phrase in ("Loading widget", WIDGET, "Output()", "children=("):
        assert phrase not in body
    alts = Images(body).alts
    assert alts and all(len(alt.split()) > 2 for alt in alts), [alt for alt in alts if len(alt.split()) <= 2]


def test_all_that_moves_has_left_something_to_see(notebook, opened):
    page = opened(1280)
    code = [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    moving = [place for place, cell in enumerate(code) if MOVES.search(cell.source)]
    assert moving
    for place in moving:
        name = MOVES.search(code[place].source)[1]
        shown = [page.locator(f'[id="cell-id={cell.id}"] .jp-OutputArea') for cell in code[place : place + 3]]
        if name == "Prediction":
            assert any("Predict before you run." in area.inner_text() for part in shown for area in part.all())
            continue
        widths = [
            image.evaluate("image => image.naturalWidth") for part in shown for image in part.locator("img").all()
        ]
        assert any(width > 1 for width in widths), code[place].source


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_is_wider_than_the_page(notebook, opened, width):
    page = opened(width)
    wide = page.evaluate(  # a table or a line of code may scroll in its own cell, a picture may not
        """() => [...document.querySelectorAll("img, svg")]
            .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1)
            .map((e) => e.outerHTML.slice(0, 200))"""
    )
    assert wide == []
    for part in ("documentElement", "body"):
        assert page.evaluate(f"document.{part}.scrollWidth <= document.{part}.clientWidth")
    broken = "images => images.filter((image) => !image.complete || !image.naturalWidth).length"
    assert page.eval_on_selector_all("img", broken) == 0
