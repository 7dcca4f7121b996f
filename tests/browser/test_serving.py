"""The running server: visitors with and without a token, the number of places, and messages when something stops."""

import asyncio
import json
import re
import signal
import socket
import time
from urllib.parse import urljoin, urlsplit

import nbformat
import psutil
import pytest

from .asking import ABSENT, SECONDS, ask, connect, finished, kernel_of, knock, leave, refused
from .conftest import Served, Watched

pytestmark = pytest.mark.slow

# ---- tokens and places ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(chromium):
    """A server that asks for a token and has one place."""
    running = Served("", "--token", "open sesame", "--visitors", "1")
    yield running
    running.stop()


def test_a_token_opens_and_turns_into_a_cookie(guarded):
    assert guarded.lines[0].strip().endswith("/?token=open%20sesame")
    for path in (
        "/",
        "/?token=wrong",
        "/explore/studio",
        "/notebooks/00_why_reversible.html",
        f"/alive/{ABSENT}",
    ):
        status, _, text = ask(guarded, path)
        assert status == 403 and "asks for a token" in text and "terminal" in text, path
    asked = "/notebooks/00_why_reversible.html?token=open%20sesame&size=lecture"
    status, headers, _ = ask(guarded, asked)
    assert status == 302
    assert urljoin(asked, headers["Location"]) == "/notebooks/00_why_reversible.html?size=lecture"
    cookie = headers["Set-Cookie"].split(";")[0]
    assert "sesame" not in cookie and "HttpOnly" in headers["Set-Cookie"]
    status, _, text = ask(guarded, "/", Cookie=cookie)
    assert status == 200 and "sesame" not in text
    assert ask(guarded, "/", Cookie=cookie[:-3] + "xyz")[0] == 403


def test_whether_it_answers_can_be_asked_without_a_token(guarded):
    status, headers, text = ask(guarded, "/health")
    assert (status, text) == (200, "ok") and headers["Content-Type"].startswith("text/plain")
    assert "Set-Cookie" not in headers and headers["Cache-Control"] == "no-store"
    for method in ("POST", "PUT", "DELETE"):
        assert ask(guarded, "/health", method)[0] in (403, 405), method
    assert ask(guarded, "/health/x")[0] in (403, 404)
    assert ask(guarded, "/places")[0] == 403


def test_with_a_token_nothing_else_is_open(guarded):
    for path in ("/api/kernels", "/api/contents", "/files/x"):
        assert ask(guarded, path)[0] in (403, 404)
        assert ask(guarded, path, "POST", "{}")[0] in (403, 404)
    assert refused(guarded, str(ABSENT)) == 403
    assert ask(guarded, f"/voila/api/shutdown/{ABSENT}", "POST")[0] == 403


def test_a_full_server_shows_explorers_without_a_kernel(guarded):
    cookie = ask(guarded, "/?token=open%20sesame")[1]["Set-Cookie"].split(";")[0]
    status, _, text = ask(guarded, "/explore/attributes", Cookie=cookie)
    assert status == 200
    kernel = kernel_of(text)
    try:
        status, _, text = ask(guarded, "/explore/studio", Cookie=cookie)
        assert status == 200 and "<glow-studio" in text and "kernelId" not in text
        assert '"../models/faces64.bin ../models/portraits64.bin"' in text
        assert json.loads(ask(guarded, "/places", Cookie=cookie)[2]) == {"free": False}
        assert ask(guarded, "/", Cookie=cookie)[0] == 200  # what needs no kernel is there for everybody
        assert refused(guarded, kernel) == 403
        assert refused(guarded, kernel, Cookie=cookie) == 0
    finally:
        assert ask(guarded, f"/voila/api/shutdown/{kernel}", "POST", Cookie=cookie)[0] == 204
    status, _, text = ask(guarded, "/explore/studio", Cookie=cookie)
    assert status == 200
    assert ask(guarded, f"/voila/api/shutdown/{kernel_of(text)}", "POST", Cookie=cookie)[0] == 204


def test_a_visitor_without_a_kernel_has_the_same_explorer(chromium, browser):
    full = Served("", "--visitors", "1")
    first, second = Watched(browser, full.address), Watched(browser, full.address)
    try:
        first.open(full.explorer("studio"))
        page = second.open(full.explorer("studio", "?face=gallery-2"))
        assert second.page.evaluate("document.getElementById('jupyter-config-data')") is None
        page.get_by_role("slider", name="Age").press("End")
        page.wait_for_function("location.search === '?face=gallery-2&age=1.00'")
        assert len(full.kernels()) == 1 and not first.wrong and not second.wrong
    finally:
        first.context.close()
        second.context.close()
        full.stop()


def test_an_explorer_does_not_wait_for_its_kernel(new_page, server):
    page = new_page("studio")
    kernel = server.kernel(page)
    kernel.suspend()
    try:
        page.get_by_role("slider", name="Age").press("End")
        page.wait_for_function("location.search.includes('age=1.00')")
        page.wait_for_selector("[data-state=resting]")
    finally:
        kernel.resume()


# At once, as a machine that is busy spreads the presses of keys over seconds.
FOUR_STEPS = """(slider) => {
    for (let step = 0; step < 4; step++) {
        slider.stepUp();
        slider.dispatchEvent(new Event("input", { bubbles: true }));
    }
}"""


def test_a_kernel_knows_what_its_page_shows_and_imports_no_pytorch(browser, server):
    watched = Watched(browser, server.address)
    told = []

    def hear(socket) -> None:
        socket.on("framesent", lambda frame: told.append(str(frame)))

    watched.page.on("websocket", hear)
    page = watched.open(server.explorer("temperature", "?temperature=0.3"))
    kernel = server.kernel(page)

    def hears(value: str) -> None:
        patience = time.monotonic() + SECONDS
        while not any(f'"temperature":{value}' in frame for frame in told):
            assert time.monotonic() < patience, value
            page.wait_for_timeout(100)

    hears("0.3")  # which the page opened on
    page.get_by_role("slider", name="Temperature", exact=True).evaluate(FOUR_STEPS)
    hears("0.5")
    assert sum('"temperature"' in frame for frame in told) == 2  # once things rest, not at every step
    assert "torch" not in " ".join(each.path for each in kernel.memory_maps())
    assert kernel.memory_full_info().uss < 60 * 2**20
    watched.context.close()
    assert not watched.wrong


def test_a_page_that_is_left_before_it_has_come_leaves_no_kernel(server):
    before = {kernel.pid for kernel in server.kernels()}
    parts = urlsplit(server.address)
    with socket.create_connection((parts.hostname, parts.port), SECONDS) as impatient:
        impatient.sendall(f"GET /explore/studio HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        assert impatient.recv(1 << 16).startswith(b"HTTP/1.1 200")
    patience = time.monotonic() + SECONDS
    while not (new := [kernel for kernel in server.kernels() if kernel.pid not in before]):
        assert time.monotonic() < patience
        time.sleep(0.1)
    assert psutil.wait_procs(new, SECONDS / 2)[1] == []  # one that nobody ever asks for would stay for longer


def test_pages_that_are_left_while_they_connect_are_not_counted(server):
    kernel = kernel_of(ask(server, "/explore/studio")[2])
    (process,) = [running for running in server.kernels() if kernel in " ".join(running.cmdline())]
    process.suspend()  # it does not say yet that it is there
    knock(server, kernel)
    process.resume()

    async def come_and_go() -> None:
        stays = await connect(server, kernel)
        await leave(await connect(server, kernel), code=1001)  # as a browser does when its page is left
        await asyncio.sleep(4)  # twice as long as the server waits before it ends a kernel without pages
        assert process.is_running()
        await leave(stays, code=1001)

    finished(come_and_go())
    process.wait(30)
    assert not [line for line in server.lines if "Uncaught" in line]


# ---- when something stops -----------------------------------------------------------------------------

BAR = "#gl-watch:not([hidden])"


WIDGET = """
import ipywidgets
slider = ipywidgets.IntSlider(description="mine")
slider
"""


def write_notebook(folder, source: str) -> str:
    """A notebook of one's own, of one cell."""
    spec = {"name": "python3", "language": "python", "display_name": "Python"}
    cell = nbformat.v4.new_code_cell(source)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": spec}), folder / "mine.ipynb")
    return str(folder / "mine.ipynb")


def open_own(watched, address: str):
    """The page of a notebook of one's own."""
    watched.page.goto(address)
    watched.page.wait_for_selector("html.gl-ready .widget-slider")
    return watched.page


def start_again(page) -> None:
    page.get_by_role("button", name="Start again").click()
    page.wait_for_selector(BAR, state="detached")
    page.wait_for_selector("html.gl-ready .widget-slider")


@pytest.fixture(scope="module")
def own(chromium, tmp_path_factory):
    """A server of one's own notebook, with one place."""
    running = Served(write_notebook(tmp_path_factory.mktemp("own"), WIDGET), "--visitors", "1")
    yield running
    running.stop()


def test_a_full_server_says_so_until_a_place_is_free(own):
    status, _, text = ask(own, "/")
    assert status == 200
    status, headers, waiting = ask(own, "/")
    assert status == 503 and int(headers["Retry-After"]) > 0
    assert "All places are taken" in waiting and "looks for a free place" in waiting and "Traceback" not in waiting
    assert ask(own, f"/voila/api/shutdown/{kernel_of(text)}", "POST")[0] == 204
    assert json.loads(ask(own, "/places")[2]) == {"free": True}


def test_a_killed_kernel_is_said_and_the_page_starts_again(browser, own):
    watched = Watched(browser, own.address)
    page = open_own(watched, own.address)
    old = own.kernel(page)
    old.kill()
    page.wait_for_selector(f"{BAR}:has-text('has stopped')")
    assert page.get_by_role("alert").filter(has_text="has stopped").count() == 1
    start_again(page)
    assert own.kernel(page).pid != old.pid
    watched.context.close()


def test_a_page_that_vanishes_ends_its_kernel(browser, server):
    watched = Watched(browser, server.address)
    kernel = server.kernel(watched.open(server.explorer("attributes")))
    watched.context.close()  # as when a browser is killed: the page cannot say a word
    kernel.wait(SECONDS)


def test_a_busy_kernel_is_not_taken_for_a_dead_one(browser, own):
    watched = Watched(browser, own.address)
    page = open_own(watched, own.address)
    kernel = own.kernel(page)
    busy = {"state": "busy", "pages": 1, "server": json.loads(ask(own, f"/alive/{ABSENT}")[2])["server"]}
    looks = []
    page.route("**/alive/*", lambda route: (looks.append(1), route.fulfill(json=busy)))
    kernel.suspend()  # answers nothing, as if in the middle of a long computation
    try:
        page.wait_for_timeout(15_000)
        assert len(looks) >= 3 and page.locator(BAR).count() == 0
    finally:
        kernel.resume()
        watched.context.close()


def test_a_server_that_stops_and_comes_back_is_said(chromium, browser, tmp_path):
    first = Served(notebook := write_notebook(tmp_path, WIDGET))
    second = None
    watched = Watched(browser, first.address)
    try:
        page = open_own(watched, first.address)
        first.stop()
        page.wait_for_selector(f"{BAR}:has-text('The server has stopped')")
        assert page.get_by_role("button", name="Start again").count() == 0  # to nothing
        second = Served(notebook, port=urlsplit(first.address).port)
        page.wait_for_selector(f"{BAR}:has-text('was started again')")
        start_again(page)
        # 404: it may ask the second server for its kernel of the first; JSON: an answer may be cut off by the stop
        lost = "ERR_CONNECTION|Connection lost|404|Unexpected end of JSON input"
        assert [wrong for wrong in watched.wrong if not re.search(lost, wrong)] == []
    finally:
        watched.context.close()
        if second is not None:
            second.stop()


def test_a_failing_notebook_shows_neither_source_nor_traceback(chromium, tmp_path):
    running = Served(write_notebook(tmp_path, "secret = 1 / 0"))
    try:
        assert "mine.ipynb is at" in running.lines[0]
        status, _, text = ask(running, "/")
        assert status == 200 and "could not start" in text
        assert "secret" not in text and "ZeroDivisionError" not in text and "Traceback" not in text
        assert ask(running, "/explore/studio")[0] == 404 and ask(running, "/mine.ipynb")[0] == 404
    finally:
        running.stop()
    assert "ZeroDivisionError" in "".join(running.lines)  # for whoever looks after the server


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])  # Ctrl-C, `kill`, and no chance to tidy up
def test_a_signal_ends_the_server_and_its_kernels(chromium, name):
    # A shell starts what runs in its background with interrupts ignored, and children would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        running = Served()
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        assert ask(running, "/explore/attributes")[0] == 200
        children = psutil.Process(running.process.pid).children(recursive=True)
        assert running.kernels()
        running.process.send_signal(signal.Signals[name])
        status = running.process.wait(SECONDS)
        assert status == (-signal.SIGKILL if name == "SIGKILL" else 0)
        assert psutil.wait_procs(children, SECONDS)[1] == []
    finally:
        running.stop()
    assert name == "SIGKILL" or running.lines[-1] == "Stopped.\n"


def test_the_terminal_says_where_it_is_and_what_went_wrong_and_nothing_else(server):
    usual = r"The explorers are at|Ctrl-C|the kernel of a visitor has died"  # one was killed above
    assert [line for line in server.lines if not re.search(usual, line)] == []
