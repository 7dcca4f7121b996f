"""The static edition, served by `python -m http.server` under a prefix, in a real Chromium and without any kernel."""

import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from glowlab import site
from glowlab.pages import course

from .conftest import LONG

pytestmark = pytest.mark.slow

EXPLORERS = [f"explore/{explorer.name}.html" for explorer in course.EXPLORERS]
SOME = ["index.html", *EXPLORERS, "notebooks/00_why_reversible.html", "source/flows/base.html"]
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 400, "height": 800}
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The site, some way down in a folder."""
    out = tmp_path_factory.mktemp("web") / "x" / "y"
    site.build(out)
    return out


@pytest.fixture(scope="module")
def address(folder):
    """Where a server of plain files gives the site; the server chooses a free port and says which."""
    root = folder.parents[1]
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        try:
            port = re.search(r"port (\d+)", running.stdout.readline()).group(1)
            yield f"http://127.0.0.1:{port}/x/y/"
        finally:
            running.terminate()


class Visit:
    """A page, all that went wrong on it, and how many bytes it has loaded."""

    def __init__(self, browser, address: str, **options):
        self.address, self.wrong, self.loaded = address, [], {}
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(LONG)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("console", self._console)
        self.page.on("request", self._request)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._response)

    def _console(self, message) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"console {message.type}: {message.text}")

    def _request(self, request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(f"request to {request.url}")

    def _failed(self, request) -> None:
        if "ERR_ABORTED" not in request.failure:  # which is a visitor who goes on before all has come
            self.wrong.append(f"failed: {request.url}: {request.failure}")

    def _response(self, response) -> None:
        if response.status >= 400:
            self.wrong.append(f"{response.status}: {response.url}")
        if response.url.startswith("http"):
            self.loaded[response.url] = int(response.headers.get("content-length", 0))

    def open(self, name: str = ""):
        self.page.goto(self.address + name)
        self.page.wait_for_load_state("networkidle")
        return self.page


@pytest.fixture
def visit(browser, address):
    """A function that makes a `Visit`; the test fails if anything went wrong on one."""
    made = []

    def make(**options) -> Visit:
        made.append(Visit(browser, address, **options))
        return made[-1]

    yield make
    for each in made:
        each.context.close()
    assert [wrong for each in made for wrong in each.wrong] == []


def links(page) -> set[str]:
    return set(page.evaluate("[...document.links].map((link) => link.href)"))


def test_every_link_holds_and_every_page_is_reached(visit, address, folder):
    visitor = visit(viewport=WIDE)
    waiting, parts, found = [address], {}, {}
    while waiting:
        page = visitor.open(waiting.pop().removeprefix(address))
        here = urldefrag(page.url)[0]
        parts[here] = set(page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)"))
        found[here] = [urldefrag(link) for link in links(page) if urlsplit(link).netloc == urlsplit(address).netloc]
        assert page.title() and page.locator("h1").count() == 1
        for path, _ in found[here]:
            if path.startswith(address) and path not in parts and path not in waiting:
                waiting.append(path)
    for here, all_links in found.items():
        for path, part in all_links:
            assert path in parts and (not part or unquote(part) in parts[path]), f"{here} links to {path}#{part}"
    pages = {urljoin(address, path.relative_to(folder).as_posix()) for path in folder.rglob("*.html")}
    assert pages == (set(parts) - {address}) | {address + "index.html"}


@pytest.mark.parametrize("name", ["", *EXPLORERS])
def test_a_first_page_weighs_less_than_a_megabyte(visit, name):
    visitor = visit(viewport=WIDE)
    visitor.open(name)
    assert 0 < sum(visitor.loaded.values()) < MEGABYTE


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SOME)
def test_axe_finds_nothing(visit, name, scheme):
    page = visit(viewport=WIDE, color_scheme=scheme).open(name)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("query", ["", "?size=lecture"])
def test_nothing_is_wider_than_a_phone(visit, folder, query):
    visitor = visit(viewport=PHONE)
    for path in sorted(folder.rglob("*.html")):
        page = visitor.open(path.relative_to(folder).as_posix() + query)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path.name


def test_formulas_have_a_size_and_pictures_are_whole(visit, folder):
    visitor = visit(viewport=WIDE)
    for path in sorted((folder / "notebooks").glob("*.html")):
        page = visitor.open(f"notebooks/{path.name}")
        empty = page.evaluate(
            """() => [...document.querySelectorAll("math")]
                .filter((e) => e.getBoundingClientRect().width < 3).map((e) => e.outerHTML)"""
        )
        assert empty == []
        broken = "images => images.filter((image) => !image.complete || !image.naturalWidth).length"
        assert page.eval_on_selector_all("img", broken) == 0


def test_answers_fold_out(visit):
    page = visit(viewport=WIDE).open("notebooks/00_why_reversible.html")
    answer = page.locator("details").first
    assert not answer.locator("p").first.is_visible()
    answer.locator("summary").press("Enter")
    assert answer.locator("p").first.is_visible()


def test_large_type_goes_along_and_can_be_left(visit):
    page = visit(viewport=WIDE).open("index.html?size=lecture")
    button = page.get_by_role("button", name="Large type")
    assert button.get_attribute("aria-pressed") == "true"
    large = page.locator("h2").last.bounding_box()["height"]
    page.get_by_role("link", name="Notebook 00: Why reversible?").click()
    page.wait_for_url(re.compile(r"/notebooks/00_\w+\.html\?size=lecture$"))
    page.get_by_role("link", name="Next").click()
    page.wait_for_url(re.compile(r"/notebooks/01_\w+\.html\?size=lecture$"))
    page.get_by_role("link", name="Glow, explorable").click()
    page.wait_for_url(re.compile(r"/x/y/index.html\?size=lecture$"))
    button.click()
    assert button.get_attribute("aria-pressed") == "false" and "size" not in page.url
    assert page.locator("h2").last.bounding_box()["height"] < 0.9 * large
    assert not any("size=" in link for link in links(page))


def test_the_theme_goes_along(visit):
    page = visit(viewport=WIDE, color_scheme="light").open()
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Switch between light and dark").click()
    dark = page.evaluate(ground)
    page.get_by_role("link", name="Notebook 00: Why reversible?").click()
    page.wait_for_url("**/notebooks/**")
    assert page.evaluate(ground) == dark != light


def test_where_one_is_is_marked(visit):
    visitor = visit(viewport=WIDE)
    marked = "[...document.querySelectorAll('.gl-bar [aria-current]')].map((e) => e.textContent)"
    assert visitor.open().evaluate(marked) == ["Glow, explorable"]
    assert visitor.open("explore/attributes.html").evaluate(marked) == ["Attributes"]
    assert visitor.open("notebooks/01_change_of_variables.html").evaluate(marked) == ["Notebooks"]


@pytest.mark.parametrize("name", EXPLORERS)
def test_a_slider_moves_pictures_without_a_kernel(visit, name):
    page = visit(viewport=WIDE).open(name)
    assert "recorded" in page.locator("main").inner_text() and "make explore" in page.locator("main").inner_text()
    a_slider_moves_pictures(page)


def a_slider_moves_pictures(page) -> None:
    drawn = "[...document.querySelectorAll('main canvas')].map((canvas) => canvas.toDataURL()).join()"
    page.wait_for_function("document.querySelector('main input[type=range]:enabled')")
    page.wait_for_function("document.querySelector('main canvas[data-frame]')")
    before = page.evaluate(drawn)
    page.locator("main input[type=range]:enabled").first.press("Home")
    page.wait_for_function(f"(before) => {drawn} !== before", arg=before)


# ---- without any server at all, from the disk -----------------------------------------------------------------


@pytest.fixture
def from_disk(browser, folder):
    """A `Visit` to the folder itself; the test fails if anything goes wrong on it."""
    visitor = Visit(browser, f"{folder.as_uri()}/", viewport=WIDE)
    yield visitor
    visitor.context.close()
    assert visitor.wrong == []


@pytest.mark.parametrize("name", EXPLORERS)
def test_a_slider_moves_pictures_from_a_disk(from_disk, name):
    page = from_disk.open(name)
    a_slider_moves_pictures(page)
    page.wait_for_function("location.search")
    now = page.locator("main input[type=range]:enabled").first.input_value()
    from_disk.open(page.url.removeprefix(from_disk.address))  # as a link in somebody's slides
    page.wait_for_selector(".gl-film[data-playing]")
    assert page.locator("main input[type=range]:enabled").first.input_value() == now


def test_pages_lead_to_each_other_from_a_disk(from_disk):
    page = from_disk.open("index.html?size=lecture")
    for name, wanted in [
        ("Notebook 00: Why reversible?", "/notebooks/00_why_reversible.html?size=lecture"),
        ("Studio", "/explore/studio.html?size=lecture"),
        ("Glow, explorable", "/index.html?size=lecture"),
        ("Notebooks", "/index.html?size=lecture#notebooks"),
    ]:
        page.get_by_role("link", name=name, exact=True).first.click()
        page.wait_for_url(re.compile(re.escape(wanted) + "$"))
        assert page.locator("h1").count() == 1


def test_notebooks_are_whole_from_a_disk(from_disk):
    page = from_disk.open("notebooks/00_why_reversible.html")
    assert page.locator("math").count() > 5


def test_the_server_tells_the_types(address):
    with urllib.request.urlopen(address) as answer:
        assert answer.headers.get_content_type() == "text/html"
