"""Films in Chromium: alone, as plain files from Python's own web server, and before the live explorer comes."""

import functools
import http.server
import threading

import pytest

from glowlab import pages
from glowlab.explorers import NAMES
from glowlab.films import film

from .conftest import LONG, Watched, click
from .filmed import SHIFTS, moved, pictures, says

EVERY = pytest.mark.parametrize("name", NAMES)
MAIN = {"studio": "Age", "temperature": "Temperature", "interpolation": "How far", "attributes": "Age"}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of a folder with a page for each film and the files it asks for."""
    folder = tmp_path_factory.mktemp("site")
    for name in ("explore", "films"):
        (folder / name).mkdir()
    for name in NAMES:
        (folder / "explore" / f"{name}.html").write_text(pages.render_explorer(name), encoding="utf-8")
        for path in film.files(name)[1:]:
            (folder / "films" / f"{path.stem}.js").write_text(film.as_script(path))
    handler = functools.partial(Quiet, directory=str(folder))
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}/explore/"
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def play(site, browser):
    """A function that opens a film alone: play(name, query, **options of its context)."""
    opened = []

    def make(name: str, query: str = "", **options):
        watched = Watched(browser, site, **options)
        opened.append(watched)
        page = watched.page
        page.goto(f"{site}{name}.html{query}", timeout=LONG)
        page.wait_for_selector(".gl-film[data-playing]")
        return page

    yield make
    for watched in opened:
        watched.context.close()
    assert not [wrong for watched in opened for wrong in watched.wrong]


# ---- alone --------------------------------------------------------------------------------------------------


@EVERY
def test_a_slider_moves_the_pictures_by_keyboard_and_by_mouse(play, name):
    page = play(name)
    assert page.locator(".gl-film-kind strong").inner_text() == "recorded"
    slider = page.get_by_role("slider", name=MAIN[name])
    start = float(slider.input_value())
    for _ in range(3):  # each press leads to another stop
        before = float(slider.input_value())
        moved(page, lambda: slider.press("ArrowRight"))
        assert float(slider.input_value()) > before
    words = page.locator(".gl-says").first.inner_text()
    box = slider.bounding_box()
    moved(page, lambda: page.mouse.click(box["x"] + 0.1 * box["width"], box["y"] + box["height"] / 2))
    assert float(slider.input_value()) < start
    assert page.locator(".gl-says").first.inner_text() != words
    number = page.locator(".gl-readout .gl-number")
    assert number.first.inner_text() not in ("", "NaN") and "\u2013" in number.last.inner_text()


@EVERY
def test_reset_and_reload(play, name):
    page = play(name)
    slider = page.get_by_role("slider", name=MAIN[name])
    moved(page, lambda: slider.press("End"))
    if name != "interpolation":
        assert "=" in page.evaluate("location.search")
    now, value = pictures(page), slider.input_value()
    page.reload()
    page.wait_for_selector(".gl-film[data-playing]")
    assert pictures(page) == now and slider.input_value() == value
    moved(page, lambda: click(page, "Reset"))
    assert slider.input_value() == ("0" if name in ("studio", "attributes") else slider.input_value())


@EVERY
def test_surprise_me_goes_through_what_was_recorded(play, name):
    page = play(name)
    seen = {pictures(page)}
    for _ in range(3):
        moved(page, lambda: click(page, "Surprise me"))
        seen.add(pictures(page))
    assert len(seen) == 4


def test_what_was_not_recorded_is_said(play):
    page = play("studio")
    age, smile = (page.get_by_role("slider", name=name) for name in ("Age", "Smile"))
    age.press("End")
    page.wait_for_function("location.search.includes('age=1.00')")
    smile.press("Home")
    page.wait_for_function("location.search.includes('smile=-1.00')")
    assert age.input_value() == "0" and "so Age changed as well" in says(page)
    moved(page, lambda: smile.press("End"))
    assert "changed as well" not in says(page)


@pytest.mark.parametrize("name", ["Blend", "Temperature"])
def test_a_slider_that_was_recorded_with_another_face_alone_says_so(play, name):
    page = play("studio", "?face=gallery-5")
    slider = page.get_by_role("slider", name=name)
    rest = slider.input_value()
    slider.press("End")
    page.wait_for_selector(".gl-film-kind :text('not recorded here, only with gallery face 1;')")
    assert slider.input_value() == rest
    moved(page, lambda: page.get_by_role("slider", name="Smile").press("End"))
    assert "not recorded here" not in says(page)
    moved(page, lambda: page.get_by_role("radio", name="gallery face 1", exact=True).first.click())
    slider.press("End")
    page.wait_for_function("(rest) => Number(document.activeElement.value) > rest", arg=float(rest))
    assert "not recorded here" not in says(page)


def test_a_small_move_that_stays_at_its_stop_is_not_refused(play):
    page = play("studio")
    age = page.get_by_role("slider", name="Age")
    age.scroll_into_view_if_needed()
    box = age.bounding_box()
    page.mouse.click(box["x"] + 0.52 * box["width"], box["y"] + box["height"] / 2)
    page.wait_for_function("document.activeElement.value === '0'")
    assert says(page) == "Moves made ahead, shown at once."


def test_what_needs_the_model_cannot_be_used_and_says_so(play):
    page = play("studio")
    for dead in (page.get_by_role("button", name="Download"), page.locator(".gl-upload input")):
        assert dead.is_disabled()
        assert "live model" in dead.locator("xpath=ancestor::*[@title][1]").get_attribute("title")
    page = play("temperature")
    page.get_by_role("button", name="Advanced").click()
    level = page.get_by_role("slider", name="Level 1")
    assert level.is_visible() and level.is_disabled()
    moved(page, lambda: page.get_by_role("slider", name="Temperature").press("Home"))
    assert level.is_visible()  # what was unfolded stays so


def test_hints_follow_what_was_tried(play):
    page = play("temperature")
    hints = [page.locator(".gl-hint").first.inner_text()]
    moved(page, lambda: page.get_by_role("slider", name="Temperature").press("ArrowLeft"))
    hints.append(page.locator(".gl-hint").first.inner_text())
    moved(page, lambda: page.get_by_role("slider", name="Temperature").press("End"))
    hints.append(page.locator(".gl-hint").first.inner_text())
    assert len(set(hints)) == 3


def test_choosing_a_face_by_keyboard_fetches_its_moves(play):
    page = play("attributes")
    gallery = page.get_by_role("radiogroup", name="Faces to start from")
    gallery.get_by_role("radio", checked=True).focus()
    moved(page, lambda: page.keyboard.press("ArrowLeft"))
    page.wait_for_function("location.search.includes('face=gallery-10')")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "gallery face 10"
    moved(page, lambda: page.get_by_role("slider", name="Beard").press("End"))
    assert "face=gallery-10" in page.evaluate("location.search")


@pytest.mark.parametrize(
    ("name", "query", "exact"),
    [
        ("temperature", "?t=0.35&face=7", True),
        ("temperature", "?t=0.35&seed=77", False),
        ("temperature", "?t=0.35&levels=0.1_0.2_0.3_0.4", False),
        ("attributes", "?face=gallery-3&smile=0.80&look=smile", True),
        ("interpolation", "?a=gallery-1&t=0.17&way=pixels", True),
        ("studio", "?face=gallery-4&smile=0.44&age=0.31", False),
        ("studio", "?face=nobody", False),
    ],
)
def test_an_address_opens_a_state_or_the_nearest_and_says_so(play, name, query, exact):
    page = play(name, query)
    assert ("not recorded" in says(page)) is not exact
    assert page.evaluate("location.search") == query
    if name == "temperature":
        assert page.get_by_role("slider", name="Temperature").input_value() == "0.35"


def test_controls_can_be_hidden_by_the_address(play):
    page = play("studio", "?controls=smile,gallery")
    assert page.get_by_role("slider").count() == 1
    assert not page.get_by_text("Fresh faces, never seen before").is_visible()
    moved(page, lambda: page.get_by_role("slider", name="Smile").press("Home"))
    assert page.evaluate("new URLSearchParams(location.search).get('controls')") == "smile,gallery"


@pytest.mark.parametrize("query", ["?controls=smile", "?controls=smile&size=lecture"])
@pytest.mark.parametrize("name", ["studio", "attributes"])
def test_the_one_slider_that_is_left_is_in_sight(play, name, query):
    page = play(name, query, viewport={"width": 1280, "height": 720})
    box = page.get_by_role("slider").bounding_box()
    assert 0 < box["y"] and box["y"] + box["height"] < 720


@EVERY
@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_jumps_and_nothing_scrolls_sideways(play, site, browser, name, width):
    watched = Watched(browser, site, viewport={"width": width, "height": 800})
    page = watched.page
    page.add_init_script(SHIFTS)
    page.goto(f"{site}{name}.html", timeout=LONG)
    page.wait_for_selector(".gl-film[data-playing]")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("shifted") < 0.02
    watched.context.close()
    assert not watched.wrong


def test_moves_that_cannot_be_fetched_are_said(play, site):
    page = play("temperature")
    nonsense = 'document.currentScript.film = "nonsense"'
    page.route("**/*.seed-2.js", lambda route: route.fulfill(status=200, body=nonsense))
    now = pictures(page)
    click(page, "Surprise me")
    page.wait_for_selector(".gl-film-kind :text('could not be loaded')")
    assert pictures(page) == now
