"""Behind a proxy that gives the server a path of its own, as jupyter-server-proxy does: everything stays below it."""

import re
import socket
import socketserver
import threading
from urllib.parse import urlsplit

import nbformat
import pytest

from .conftest import Served, Watched

pytestmark = pytest.mark.slow
PREFIX = "/user/ada/proxy/8866"


class Proxy(socketserver.ThreadingTCPServer):
    """Passes what comes for PREFIX on to a server, without PREFIX; notes every other path."""

    daemon_threads, allow_reuse_address = True, True

    def __init__(self, behind: str):
        super().__init__(("127.0.0.1", 0), Request)
        self.behind, self.strayed = urlsplit(behind), []
        self.address = f"http://127.0.0.1:{self.server_address[1]}{PREFIX}/"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class Request(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        method, path, version = self.rfile.readline().split() or (b"", b"", b"")
        if not path.startswith(f"{PREFIX}/".encode()):
            self.server.strayed.append(path.decode())
            self.wfile.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        head = [b" ".join([method, path[len(PREFIX) :], version]) + b"\r\n"]
        while (line := self.rfile.readline()).strip():
            head.append(re.sub(rb"(?i)^connection: keep-alive", b"Connection: close", line))
        with socket.create_connection((self.server.behind.hostname, self.server.behind.port)) as behind:
            behind.sendall(b"".join([*head, b"\r\n"]))
            threading.Thread(target=self.send_on, args=[behind], daemon=True).start()
            while data := behind.recv(1 << 16):
                self.wfile.write(data)

    def send_on(self, behind) -> None:
        try:
            while data := self.rfile.read1(1 << 16):
                behind.sendall(data)
        except OSError:  # either side has gone
            pass


@pytest.fixture
def proxied(browser):
    """A function that puts a proxy in front of a server, and gives a page there: proxied(server)."""
    opened = []

    def make(server) -> tuple[Watched, Proxy]:
        proxy = Proxy(server.address)
        opened.append((Watched(browser, proxy.address), proxy))
        return opened[-1]

    yield make
    for watched, proxy in opened:
        watched.context.close()
        proxy.stop()
        assert not proxy.strayed
    assert not [wrong for watched, _ in opened for wrong in watched.wrong]


def hears(watched) -> list[str]:
    """What the page tells its kernel from now on."""
    told = []
    watched.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: told.append(str(frame))))
    return told


def test_an_explorer_its_kernel_and_the_pages_around(server, proxied):
    watched, proxy = proxied(server)
    told, page = hears(watched), watched.open(f"{proxy.address}explore/temperature")
    slider = page.get_by_role("slider", name="Temperature", exact=True)
    while not any('"temperature"' in frame for frame in told):
        slider.press("ArrowLeft")
        page.wait_for_timeout(1000)  # it hears once the slider rests, if it is there
    for link in ("Faces the model learned from", "Pages"):
        page.get_by_role("navigation", name=link).get_by_role("link").nth(1).click()
        page.wait_for_selector("html.gl-ready [data-state=resting]")
    page.get_by_role("link", name="Glow, explorable").click()
    page.get_by_role("link", name=re.compile("Why reversible")).first.click()
    page.wait_for_url("**/00_why_reversible.html")
    page.goto(f"{proxy.address}explore/nothing")
    watched.wrong.clear()  # the page that is not there
    page.get_by_role("link", name="To the first page").click()
    page.wait_for_selector(".gl-bar")
    assert page.url == proxy.address


def test_a_notebook_of_ones_own(chromium, proxied, tmp_path):
    cell = nbformat.v4.new_code_cell("import ipywidgets; ipywidgets.IntSlider(description='mine')")
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=kernel), tmp_path / "mine.ipynb")
    running = Served(str(tmp_path / "mine.ipynb"))
    try:
        watched, proxy = proxied(running)
        watched.page.goto(proxy.address)
        watched.page.wait_for_selector("html.gl-ready .widget-slider")
    finally:
        running.stop()


def test_in_a_frame_a_link_opens_the_page_as_it_is_in_a_tab(server, browser):
    watched = Watched(browser, server.address)
    page = watched.open(server.address + "explore/studio?face=gallery-2")
    assert page.get_by_role("link", name="Open in a tab").count() == 0
    page.evaluate("document.body.append(Object.assign(document.createElement('iframe'), { src: location.href }))")
    frame = page.frame_locator("iframe")
    with watched.context.expect_page() as opened:
        frame.get_by_role("link", name="Open in a tab").click()
    opened.value.wait_for_selector("html.gl-ready [data-state=resting]")
    assert opened.value.url.endswith("/explore/studio?face=gallery-2") and not watched.wrong
    watched.context.close()
