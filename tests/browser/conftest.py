"""A server of our own, a real Chromium, and pages that fail their test if anything goes wrong unseen."""

import io
import re
from pathlib import Path

import psutil
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from benchmarks.servers import Server
from tests.conftest import launch

LONG = 300_000  # milliseconds; machines that run tests may be busy, and nothing here measures time
# Voila is built with parts of one JupyterLab and loads extensions built with another, and warns of it; JupyterLab warns
# of its own parts that start slowly, as they do on a busy machine. A page may be left before its kernel has come,
# or has heard of all.
KNOWN = re.compile(
    r"WebSocket is closed before the connection is established|"
    r"Could not send widget sync message Error: Cannot send|"
    r"Unsatisfied version|No satisfying version|Plugin \S+ .*(took \S+ms|is taking too long) to activate"
)


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


class Served(Server):
    """The server, its addresses and its visitors."""

    def explorer(self, name: str, query: str = "") -> str:
        """The address of an explorer."""
        return f"{self.address}explore/{name}{query}"

    def kernel(self, page: Page) -> psutil.Process:
        """The kernel of that page."""
        mine = page.evaluate("JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId")
        (found,) = [k for k in self.kernels() if mine in " ".join(k.cmdline())]
        return found


@pytest.fixture(scope="package")
def browser(chromium):
    """One Chromium for all browser tests of a process."""
    yield from launch(chromium)


@pytest.fixture(scope="package")
def server(chromium):
    """One server for all browser tests of a process."""
    running = Served()
    yield running
    running.stop()


class Watched:
    """A page, and all that it must not do: errors, warnings we do not know, requests to another host."""

    def __init__(self, browser: Browser, address: str, **options):
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(LONG)
        self.wrong: list[str] = []
        host = re.match(r"https?://[^/]+", address).group()
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("console", self._console)
        self.page.on("request", lambda request: self._request(request.url, host))
        self.page.on("websocket", lambda socket: self._request(socket.url, host.replace("http", "ws")))

    def _console(self, message) -> None:
        if message.type in ("error", "warning") and not KNOWN.search(message.text):
            self.wrong.append(f"console {message.type}: {message.text}")

    def _request(self, url: str, host: str) -> None:
        if not url.startswith((host, "data:", "blob:")):
            self.wrong.append(f"request to {url}")

    def open(self, address: str) -> Page:
        """Go there, and wait until the explorer stands there with every picture drawn."""
        self.page.goto(address, timeout=LONG)
        self.page.wait_for_selector("html.gl-ready [data-state=resting]")
        return self.page


@pytest.fixture(scope="module")
def shared(server, browser):
    """One page at 1280 pixels for many tests; see `page`."""
    watched = Watched(browser, server.address, viewport={"width": 1280, "height": 800})
    watched.open(server.explorer("studio"))
    yield watched
    watched.context.close()


@pytest.fixture
def page(shared) -> Page:
    """The shared page, reset; the test fails if anything went wrong behind the scenes meanwhile."""
    shared.wrong.clear()
    click(shared.page, "Reset")
    settle(shared.page)
    yield shared.page
    assert not shared.wrong


@pytest.fixture
def new_page(server, browser):
    """A function that opens an explorer in a page of its own: new_page(name, query, **options of its context)."""
    opened = []

    def make(name: str = "studio", query: str = "", **options) -> Page:
        watched = Watched(browser, server.address, **options)
        opened.append(watched)
        return watched.open(server.explorer(name, query))

    yield make
    for watched in opened:
        watched.context.close()
    assert not [wrong for watched in opened for wrong in watched.wrong]


@pytest.fixture(scope="module")
def site(request, tmp_path_factory):
    """A static page of the explorer that a module's EXPLORER names."""
    from .web_site import serve

    yield from serve(request.module.EXPLORER, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def folder(site):
    return site.folder


@pytest.fixture
def visit(browser, site):
    """A function that opens the static page at a query; the test fails where anything went wrong unseen."""
    from .web_site import visits

    with visits(browser, site) as make:
        yield make


# ---- what the tests say about a page ------------------------------------------------------------------

BEFORE, AFTER = ".gl-pair > :nth-child(1) canvas", ".gl-pair > :nth-child(2) canvas"


def pixels(page: Page, selector: str = AFTER) -> str:
    """The picture on a canvas, as text that can be compared."""
    return page.eval_on_selector(selector, "canvas => canvas.toDataURL()")


def changes(page: Page, old: str, selector: str = AFTER) -> str:
    """Wait until the picture differs from `old`."""
    script = "([selector, old]) => document.querySelector(selector).toDataURL() !== old"
    page.wait_for_function(script, arg=[selector, old])
    return pixels(page, selector)


def becomes(page: Page, wanted: str, selector: str = AFTER) -> None:
    """Wait until the picture is `wanted`."""
    script = "([selector, wanted]) => document.querySelector(selector).toDataURL() === wanted"
    page.wait_for_function(script, arg=[selector, wanted])


def click(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def settle(page: Page) -> None:
    """Wait until the face is unchanged and what is measured at rest is on the page."""
    becomes(page, pixels(page, BEFORE))
    page.wait_for_function(
        "document.querySelector('.gl-says').textContent.endsWith(', unchanged.')"
        " && document.querySelector('[data-state=resting]')"
    )


def png(size=(64, 64), colour=(200, 60, 40)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()
