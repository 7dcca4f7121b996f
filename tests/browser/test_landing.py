"""Where one lands, and what all pages of the server share: header, large type, keyboard, calm, contrast."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from glowlab.pages import course

from .conftest import LONG, Watched
from .visitor import rests, slider

WIDE = {"width": 1280, "height": 800}
PROJECTORS = [(1280, 720), (1920, 1080)]
MAIN = {"studio": "Smile", "temperature": "Temperature", "interpolation": "How far", "attributes": "Smile"}
STAGE = {
    "studio": ".gl-pair",
    "temperature": ".gl-grid",
    "interpolation": ".gl-trio",
    "attributes": ".gl-trio",
}


@pytest.fixture
def visit(server, browser):
    """A function that opens a page of the server that is no explorer; the test fails if anything went wrong on it."""
    made = []

    def make(path: str = "", **options):
        watched = Watched(browser, server.address, **({"viewport": WIDE} | options))
        made.append(watched)
        watched.page.goto(server.address + path, timeout=LONG)
        return watched.page

    yield make
    for watched in made:
        watched.context.close()
    assert [wrong for watched in made for wrong in watched.wrong] == []


def marked(page) -> list[str]:
    return page.evaluate("[...document.querySelectorAll('.gl-bar [aria-current]')].map((e) => e.textContent)")


def overflows(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


# ---- where one lands ------------------------------------------------------------------------------------


def test_each_card_shows_and_opens_an_explorer(visit):
    page = visit()
    assert marked(page) == ["Glow, explorable"]
    for explorer in course.EXPLORERS:
        card = page.get_by_role("listitem").filter(has=page.locator(f'.gl-door[href="explore/{explorer.name}"]'))
        assert explorer.title in card.inner_text() and explorer.sentence in card.inner_text()
        width = "image => image.complete && image.naturalWidth"
        assert card.locator("img").evaluate(width) > 200
    page.locator('.gl-door[href="explore/temperature"]').click()
    page.wait_for_selector("html.gl-ready", state="attached")
    assert page.get_by_role("heading", level=1).first.inner_text() == "Temperature"
    assert marked(page) == ["Temperature"]
    page.get_by_role("link", name="Glow, explorable").click()
    page.wait_for_selector(".gl-landing")


def test_each_notebook_is_a_page(visit):
    page = visit()
    for lesson in course.list_lessons():
        page.get_by_role("link", name=f"Notebook {lesson.number}: {lesson.title}").click()
        page.wait_for_url(f"**/notebooks/{lesson.page}")
        assert page.get_by_role("heading", level=1).inner_text() == f"{lesson.number} · {lesson.title}"
        assert marked(page) == ["Notebooks"]
        page.locator(".gl-bar").get_by_role("link", name="Notebooks").click()
        page.wait_for_url("**/#notebooks")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("query", ["", "?size=lecture"])
def test_axe_finds_nothing(visit, scheme, query):
    found = Axe().run(visit(query, color_scheme=scheme))
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [1280, 820, 400, 320])
@pytest.mark.parametrize("path", ["", "notebooks/00_why_reversible.html"])
def test_nothing_scrolls_sideways(visit, path, width):
    assert not overflows(visit(path, viewport={"width": width, "height": 800}))


def test_by_keyboard_alone(visit):
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "gl-skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    address = page.evaluate("document.activeElement.getAttribute('href')")
    assert address == "explore/studio?model=portraits64&face=mona-lisa"
    ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"
    page.get_by_role("button", name="Large type").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("location.search") == "?size=lecture"
    page.keyboard.press("Enter")
    assert page.evaluate("location.search") == ""


def test_paper_shows_what_is_to_be_read_and_no_more(visit):
    page = visit("notebooks/04_lu_log_det.html", color_scheme="dark")
    page.emulate_media(media="print")
    assert not page.locator(".gl-bar").is_visible() and not page.locator(".gl-contents").is_visible()
    assert page.locator("article").is_visible()
    # A dark screen's paper is white all the same, and its ink is black.
    red = "parseInt(getComputedStyle(document.body).color.match(/\\d+/)[0])"
    assert page.evaluate(red) < 60


# ---- large type -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MAIN)
def test_a_lecture_sees_stage_and_main_control_without_scrolling(new_page, name):
    page = new_page(name, "?size=lecture", viewport={"width": 1280, "height": 720})
    assert page.get_by_role("button", name="Large type").get_attribute("aria-pressed") == "true"
    for width, height in PROJECTORS:
        page.set_viewport_size({"width": width, "height": height})
        assert not overflows(page) and page.evaluate("scrollY") == 0
        for part in (page.locator(STAGE[name]).first, slider(page, MAIN[name])):
            box = part.bounding_box()
            assert box["y"] >= 0 and box["y"] + box["height"] <= height, (part, box)
            assert box["x"] >= 0 and box["x"] + box["width"] <= width
        label = page.locator(".gl label", has_text=MAIN[name]).first
        letters = label.evaluate("e => parseFloat(getComputedStyle(e).fontSize) * (e.currentCSSZoom ?? 1)")
        assert letters >= height / 33  # of the height of the screen, to be read from the last row


def test_large_type_opens_the_same_example_and_stays_while_one_moves(new_page):
    page = new_page("studio", "?size=lecture", viewport={"width": 1280, "height": 720})
    rests(page, size="lecture")
    smile = slider(page, "Smile")
    assert float(smile.input_value()) > 0.5  # the finished example, as without it
    smile.press("Home")
    rests(page, smile="-1.00", size="lecture")
    page.reload()
    page.wait_for_selector("html[data-size=lecture].gl-ready", state="attached")
    rests(page, smile="-1.00", size="lecture")
    page.locator(".gl-bar").get_by_role("link", name="Temperature").click()
    page.wait_for_url("**/explore/temperature?size=lecture")
    page.wait_for_selector("html[data-size=lecture].gl-ready", state="attached")
    page.get_by_role("button", name="Large type").click()
    assert "size=lecture" not in page.url


# ---- calm, and one's own colours ------------------------------------------------------------------------

MOVING = """() => [...document.querySelectorAll("*")].flatMap((e) => [null, "::before", "::after"].map((part) => {
    const style = getComputedStyle(e, part);
    const still = style.animationName === "none" && style.transitionDuration.split(", ").every((t) => t === "0s");
    return still ? null : e.tagName + "." + e.className + (part ?? "");
})).filter((name) => name)"""


@pytest.mark.parametrize("path", ["", "notebooks/00_why_reversible.html"])
def test_nothing_moves_for_those_who_ask_for_none(visit, path):
    assert visit(path, reduced_motion="no-preference").evaluate(MOVING) != [] or path
    assert visit(path, reduced_motion="reduce").evaluate(MOVING) == []


def test_nothing_moves_in_an_explorer_for_those_who_ask_for_none(new_page):
    page = new_page("studio", viewport=WIDE, reduced_motion="reduce")
    assert page.evaluate(f"({MOVING})().filter((name) => !name.includes('jp-'))") == []


def test_high_contrast_keeps_what_shades_said(new_page):
    page = new_page("studio", viewport=WIDE, forced_colors="active")
    border = "getComputedStyle(document.querySelector('.gl-stage')).borderTopStyle"
    assert page.evaluate(border) == "solid"
    current = page.locator(".gl-bar [aria-current]")
    assert current.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    track = page.screenshot(clip=slider(page, "Smile").bounding_box())
    assert len(set(track)) > 20  # not one flat ground
