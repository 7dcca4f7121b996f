"""The static edition, served by `python -m http.server` under a prefix, in a real Chromium and without any kernel."""

import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from glowlab import site
from glowlab.pages import course
from glowlab.web import posters

from .conftest import LONG
from .web_site import Quiet, Site, rests

pytestmark = pytest.mark.slow

EXPLORERS = [f"explore/{explorer.name}.html" for explorer in course.EXPLORERS]
SOME = ["index.html", *EXPLORERS, "notebooks/00_why_reversible.html", "source/flows/base.html"]
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 400, "height": 800}
MEGABYTE = 1_000_000
DRAWN = "[...document.querySelectorAll('main canvas')].map((canvas) => canvas.toDataURL()).join()"


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
        if message.type in ("error", "warning") and "blocked by Playwright" not in message.text:
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
    return set(page.evaluate("[...document.links].filter((link) => !link.hidden).map((link) => link.href)"))


def test_every_link_holds_and_every_page_is_reached(visit, address, folder):
    visitor = visit(viewport=WIDE)
    waiting, parts, found = [address], {}, {}
    while waiting:
        page = visitor.open(waiting.pop().removeprefix(address))
        here = urldefrag(page.url)[0].partition("?")[0]
        parts[here] = set(page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)"))
        near = [link for link in links(page) if urlsplit(link).netloc == urlsplit(address).netloc]
        found[here] = [urldefrag(re.sub(r"\?[^#]*", "", link)) for link in near]
        assert page.title() and page.locator("h1").count() == 1
        for path, _ in found[here]:
            if path.startswith(address) and path not in parts and path not in waiting:
                waiting.append(path)
    for here, all_links in found.items():
        for path, part in all_links:
            assert path in parts and (not part or unquote(part) in parts[path]), f"{here} links to {path}#{part}"
    pages = {urljoin(address, path.relative_to(folder).as_posix()) for path in folder.rglob("*.html")}
    assert pages == (set(parts) - {address}) | {address + "index.html"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SOME)
def test_axe_finds_nothing(visit, name, scheme):
    page = visit(viewport=WIDE, color_scheme=scheme).open(name)
    if name in EXPLORERS:
        rests(page)
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


# ---- the explorers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPLORERS)
def test_a_slider_moves_pictures(visit, name):
    a_slider_moves_pictures(visit(viewport=WIDE).open(name))


def a_slider_moves_pictures(page) -> None:
    rests(page)
    before = page.evaluate(DRAWN)
    page.locator("main input[type=range]").first.press("Home")
    page.wait_for_function(f"(before) => {DRAWN} !== before", arg=before)
    rests(page)


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_mona_lisa_smiles_in_two_clicks(visit, viewport):
    visitor = visit(viewport=viewport)
    page = visitor.open()
    door = page.get_by_role("link", name="Make the Mona Lisa smile")
    assert door.bounding_box()["y"] < viewport["height"]  # in sight at once
    door.click()
    rests(page)
    assert "Mona Lisa, unchanged" in page.locator(".gl-says").first.inner_text()
    smile = page.get_by_role("slider", name="Smile")
    box = smile.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    page.wait_for_function("document.querySelector('.gl-says').textContent === 'Mona Lisa with a much bigger smile.'")
    assert page.url.endswith("/explore/studio.html?model=portraits64&face=mona-lisa&smile=1.00")


def test_the_model_is_chosen_by_a_link_and_goes_along(visit):
    visitor = visit(viewport=WIDE)
    page = visitor.open("explore/temperature.html")
    rests(page)
    marked = page.locator(".gl-models [aria-current]")
    assert marked.inner_text() == "drawn" and "drawn faces" in page.locator(".gl-numbers").inner_text()
    page.get_by_role("link", name="real").click()
    page.wait_for_url("**/temperature.html?model=portraits64")
    rests(page)
    assert marked.inner_text() == "real" and "drawn faces" not in page.locator(".gl-numbers").inner_text()
    page.locator(".gl-nav").get_by_role("link", name="Studio").click()
    page.wait_for_url("**/studio.html?model=portraits64**")
    rests(page)
    page.reload()
    rests(page)
    assert marked.inner_text() == "real" and "model=portraits64" in page.url
    page.get_by_role("link", name="drawn").click()
    page.wait_for_url("**/studio.html")
    assert "model=" not in page.locator(".gl-nav a").first.get_attribute("href")


def test_a_poster_of_the_chosen_model_stands_while_it_is_fetched(visit, address):
    visitor = visit(viewport=WIDE, service_workers="block")
    page, held = visitor.page, []
    page.route("**/*.bin", lambda route: held.append(route))
    for query, model in (("", "faces64"), ("?model=portraits64", "portraits64")):
        page.goto(f"{address}explore/studio.html{query}")
        page.get_by_role("progressbar").wait_for()
        poster = page.get_by_role("img", name="A face before and after an edit")
        assert poster.get_attribute("src") == posters.read(f"studio.{model}")
        assert poster.bounding_box()["height"] > 300 and page.locator("canvas").count() == 0
    held.pop().continue_()
    rests(page)
    assert page.get_by_role("progressbar").count() == 0 and poster.count() == 0


def test_a_first_visit_with_one_model_weighs_at_most_seven_megabytes(visit, folder):
    """Packed as servers do, with all that the service worker keeps for later."""
    visitor = visit(viewport=WIDE)
    page = visitor.open()
    page.get_by_role("link", name="Make the Mona Lisa smile").click()
    rests(page)
    here = visitor.address
    asked = {url.removeprefix(here).partition("?")[0] or "index.html" for url in visitor.loaded if url.startswith(here)}
    first = json.loads(re.search("FIRST = (.*);", (folder / "sw.js").read_text())[1])
    wanted = {"index.html", "explore/studio.html", "explorers.js", "models/portraits64.bin"}
    assert wanted <= asked <= {*first, *wanted, "sw.js"}
    sizes = {name: len(gzip.compress((folder / name).read_bytes(), 6)) for name in {*first, *asked}}
    assert sum(sizes.values()) < 7 * MEGABYTE, sizes


# ---- offline ----------------------------------------------------------------------------------------------------


KEPT = """async () => {
    const keys = await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys()));
    return keys.flat().map(({ url }) => url);
}"""


def comes(page, is_there) -> None:
    """Wait until it holds; playwright waits for no promise."""
    for _ in range(600):
        if is_there():
            return
        page.wait_for_timeout(100)
    raise AssertionError(page.evaluate(KEPT))


def is_kept(page, name: str) -> None:
    """Wait until the service worker keeps a file."""
    comes(page, lambda: any(url.endswith(name) for url in page.evaluate(KEPT)))


def test_what_was_seen_opens_offline(visit):
    visitor = visit(viewport=WIDE)
    page = visitor.open("explore/temperature.html")
    rests(page)
    is_kept(page, "/models/faces64.bin")
    page.goto(f"{visitor.address}source/flows/base.html")
    is_kept(page, "/source/flows/base.html")
    visitor.context.set_offline(True)
    page.goto(visitor.address)
    page.get_by_role("link", name="flows/base.py").click()
    page.wait_for_url("**/source/flows/base.html")
    page.get_by_role("link", name="Studio").first.click()  # which was not seen before, of a model that was
    a_slider_moves_pictures(page)


def test_a_new_edition_takes_the_place_of_the_old_one(browser, tmp_path, folder):
    for name in ("index.html", "explorers.js", "sw.js", "explore/studio.html"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(folder / name, tmp_path / name)
    running, page = Site(tmp_path, ""), browser.new_page()
    page.goto(running.address)
    is_kept(page, "/index.html")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")  # what it keeps is there before it answers
    before = page.evaluate("caches.keys()")
    (kind,) = [name for name in before if " pages " in name]
    for name, old in (("index.html", "Turn a face"), ("sw.js", kind.rpartition(" ")[2])):
        (tmp_path / name).write_text((tmp_path / name).read_text().replace(old, "A new edition"))
        os.utime(tmp_path / name, times=(later := time.time() + 60, later))  # servers tell times in whole seconds
    page.goto(running.address)
    assert "A new edition" in page.locator("h1").inner_text()
    comes(page, lambda: any("A new edition" in name for name in page.evaluate("caches.keys()")))
    page.reload()
    comes(page, lambda: kind not in page.evaluate("caches.keys()"))
    is_kept(page, "/index.html")
    running.stop()
    page.reload()
    assert "A new edition" in page.locator("h1").inner_text()
    page.close()


# ---- browsers and hosts that can less ------------------------------------------------------------------------------


def test_a_policy_that_forbids_workers_and_wasm_is_said_and_done_without(browser, folder):
    class Strict(Quiet):
        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", "script-src 'self' 'unsafe-inline'; worker-src 'none'")
            super().end_headers()

    running, page = Site(folder, "", Strict), browser.new_page()
    page.set_default_timeout(LONG)
    page.goto(f"{running.address}explore/studio.html?controls=smile")
    rests(page)
    said = page.locator(".gl-notice").inner_text()
    assert "forbids workers" in said and "plain JavaScript" in said
    a_slider_moves_pictures(page)
    page.close()
    running.stop()


@pytest.mark.parametrize("name", ["index.html", "explore/studio.html", "notebooks/00_why_reversible.html"])
def test_browsers_without_light_dark_are_light_and_readable(visit, folder, name):
    """iOS 16 and Firefox 119: a colour that a browser does not know leaves none."""
    visitor = visit(viewport=WIDE, color_scheme="dark", service_workers="block")
    old = (folder / name).read_text(encoding="utf-8").replace("light-dark(", "not-known(")
    visitor.page.route(f"**/{name}", lambda route: route.fulfill(body=old, content_type="text/html"))
    page = visitor.open(name)
    if name.startswith("explore"):
        rests(page)
        slider = page.get_by_role("slider", name="Age")
        shot = Image.open(io.BytesIO(slider.screenshot())).convert("RGB")
        assert len(shot.getcolors(shot.width * shot.height)) > 20  # track and thumb
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 245, 242)"
    found = Axe().run(page, options={"runOnly": ["color-contrast"]})
    assert found.violations_count == 0, found.generate_report()


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
    now = page.locator("main input[type=range]").first.input_value()
    from_disk.open(page.url.removeprefix(from_disk.address))  # as a link in somebody's slides
    rests(page)
    assert page.locator("main input[type=range]").first.input_value() == now


def test_the_mona_lisa_smiles_from_a_disk(from_disk):
    page = from_disk.open("index.html")
    page.get_by_role("link", name="Make the Mona Lisa smile").click()
    rests(page)
    page.get_by_role("slider", name="Smile").press("End")
    page.wait_for_function("document.querySelector('.gl-says').textContent === 'Mona Lisa with a much bigger smile.'")


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
