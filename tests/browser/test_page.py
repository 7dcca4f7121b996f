"""The page around the studio: widths, themes, accessibility, addresses; what the server keeps to itself."""

import http.client
import signal
from urllib.parse import urlsplit

import pytest

from .conftest import AFTER, BEFORE, LONG, Served, changes, pixels


def get(server, path: str, host: str | None = None) -> tuple[int, bytes]:
    parts = urlsplit(server.address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=LONG / 1000)
    connection.request("GET", path, headers={"Host": host or parts.netloc})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def no_sideways_scroll(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_every_control_has_a_name(page):
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll("button, input, [role=radiogroup], [role=img]")]
            .filter((e) => e.checkVisibility())
            .filter((e) => ![e.ariaLabel, e.textContent, e.labels?.[0]?.textContent].some((t) => t?.trim()))
            .map((e) => e.outerHTML.slice(0, 200))"""
    )
    assert unnamed == []
    assert page.locator(BEFORE).get_attribute("aria-label").startswith("Before: gallery face")
    assert page.locator(AFTER).get_attribute("aria-label").startswith("After: Gallery face")
    assert page.get_by_role("status").get_attribute("aria-live") == "polite"


def test_tab_reaches_the_controls_in_reading_order(page):
    page.locator(".gl-skip").focus()
    reached = []
    for _ in range(40):
        reached.append(
            page.evaluate(
                "(() => { const e = document.activeElement;"
                " return e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent; })()"
            )
        )
        page.keyboard.press("Tab")
    wanted = ["To the explorer", "Switch between light and dark", "Surprise me", "Reset", "Download", "Smile"]
    places = [reached.index(name) for name in wanted]
    assert places == sorted(places)
    for name in ("Your own picture", "Blend", "Temperature", "New faces"):
        assert name in reached


@pytest.mark.parametrize("width", [1280, 820, 400, 320])
def test_nothing_scrolls_sideways(page, width):
    size = page.viewport_size
    try:
        page.set_viewport_size({"width": width, "height": 800})
        assert no_sideways_scroll(page)
        for name in ("Surprise me", "Reset", "Download", "New faces"):
            box = page.get_by_role("button", name=name, exact=True).bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= width and box["height"] >= 36
    finally:
        page.set_viewport_size(size)


def test_on_a_phone_in_the_dark(new_page):
    phone = {"width": 400, "height": 800}
    page = new_page(viewport=phone, color_scheme="dark", has_touch=True, is_mobile=True)
    assert no_sideways_scroll(page)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(int(part) for part in ground[4:-1].split(",")) < 200
    before = pixels(page)
    page.get_by_role("slider", name="Age").scroll_into_view_if_needed()
    box = page.get_by_role("slider", name="Age").bounding_box()
    page.touchscreen.tap(box["x"] + 0.9 * box["width"], box["y"] + box["height"] / 2)
    changes(page, before)
    assert page.locator(AFTER).evaluate("e => e.getBoundingClientRect().bottom") > 0  # still in sight


def test_the_theme_can_be_switched_and_is_remembered(page):
    def ground():
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light = ground()
    page.get_by_role("button", name="Switch between light and dark").click()
    dark = ground()
    assert dark != light
    assert page.evaluate("localStorage.getItem('glow-theme')") == "dark"
    page.get_by_role("button", name="Switch between light and dark").click()
    assert ground() == light


def test_the_address_opens_a_state_and_closing_the_page_ends_its_kernel(new_page, server):
    page = new_page("?face=gallery-4&smile=-0.50&nonsense=1")
    page.wait_for_function("document.querySelector('.gl-says').textContent.startsWith('Gallery face 4 with')")
    assert page.get_by_role("slider", name="Smile").input_value() == "-0.5"
    page.get_by_role("slider", name="Smile").press("Home")
    page.wait_for_function("location.search === '?face=gallery-4&smile=-1.00'")
    mine = page.evaluate("JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId")
    running = [kernel for kernel in server.kernels() if mine in " ".join(kernel.cmdline())]
    assert len(running) == 1
    page.close(run_before_unload=True)
    running[0].wait(LONG / 1000)


def test_a_kernel_that_dies_is_said(new_page, server):
    page = new_page()
    mine = page.evaluate("JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId")
    (kernel,) = [kernel for kernel in server.kernels() if mine in " ".join(kernel.cmdline())]
    kernel.suspend()  # as good as dead, and nobody starts it again
    try:
        page.wait_for_selector(".gl-notice:has-text('Reload the page')")
    finally:
        kernel.resume()
    page.wait_for_selector(".gl-notice:has-text('Reload the page')", state="hidden")  # it answers again


@pytest.mark.parametrize(
    "path",
    [
        "/voila/files/studio.ipynb",
        "/voila/files/../../pyproject.toml",
        "/files/studio.ipynb",
        "/api/contents",
        "/api/kernels",
        "/api/sessions",
        "/api/terminals",
        "/voila/tree",
        "/voila/api/contents",
        "/studio.ipynb",
    ],
)
def test_nothing_but_the_page_is_served(server, path):
    status, body = get(server, path)
    assert status in (302, 403, 404) and b"open_studio" not in body
    if status == 302:  # Voila sends unknown addresses on to its files, which are closed
        assert get(server, "/voila/files" + path)[0] == 403


def test_another_sites_name_for_this_machine_is_refused(server):
    assert get(server, "/voila/files/x", host="attacker.example")[0] == 403
    assert get(server, "/", host="attacker.example")[0] == 403


def test_a_missing_file_names_no_other_host(server):
    status, body = get(server, "/voila/static/nothing.js")
    assert status in (403, 404) and b"http" not in body


def test_the_terminal_says_where_it_is_and_nothing_else(server):
    assert [line for line in server.lines if "The studio is at" not in line and "Ctrl-C" not in line] == []


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])  # what Ctrl-C sends, and what `kill` does
def test_a_signal_ends_the_server_and_its_kernels(chromium, name):
    # A shell starts what runs in its background with interrupts ignored, and children would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        running = Served()
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        assert get(running, "/")[0] == 200  # it has come to rest, with a kernel that is loaded
        kernels = running.kernels()
        assert kernels
        running.process.send_signal(signal.Signals[name])
        assert running.process.wait(LONG / 1000) == 0
        for kernel in kernels:
            kernel.wait(LONG / 1000)
    finally:
        running.stop()
    assert running.lines[-1] == "Stopped.\n"
