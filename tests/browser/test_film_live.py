"""Films in Chromium before their live explorers, which then take over without a jump, where a person has left them."""

import pytest

from .conftest import LONG, Watched
from .filmed import PLACES, SHIFTS, moved, pictures, says


@pytest.fixture
def start(server, browser):
    """A function that opens a live page and waits for its film alone: start(name, query, **options of its context)."""
    opened = []

    def make(name: str, query: str = "", **options):
        watched = Watched(browser, server.address, **options)
        opened.append(watched)
        page = watched.page
        page.add_init_script(SHIFTS)
        # The kernel's first word waits, so that there is time to look at what stands there before.
        page.add_init_script("""
            const Socket = WebSocket;
            window.gate = new Promise((open) => { window.openGate = open; });
            window.WebSocket = class extends Socket {
                set onmessage(call) {
                    super.onmessage = call && ((event) => window.gate.then(() => call.call(this, event)));
                }
                get onmessage() { return super.onmessage; }
            };
        """)
        page.goto(server.explorer(name, query), timeout=LONG, wait_until="commit")
        page.wait_for_selector(".gl-film[data-playing]")
        return page

    yield make
    for watched in opened:
        watched.context.close()
    assert not [wrong for watched in opened for wrong in watched.wrong]


def take_over(page) -> None:
    page.evaluate("openGate()")
    page.wait_for_selector("html.gl-live", state="attached")


@pytest.mark.parametrize(("name", "width"), [("studio", 1280), ("temperature", 1280), ("attributes", 400)])
def test_the_live_explorer_takes_over_without_a_jump(start, name, width):
    page = start(name, viewport={"width": width, "height": 800})
    assert page.locator(".gl-film-kind strong").inner_text() == "recorded"
    page.evaluate("scrollTo(0, 90)")
    film_stands, film_shows = page.evaluate(PLACES, ".gl-film-stage"), pictures(page, ".gl-film-stage")
    take_over(page)
    assert page.locator(".gl-film-kind strong").inner_text() == "live"
    assert page.locator(".gl-film-stage").count() == 0
    assert page.evaluate(PLACES, "#rendered_cells") == film_stands
    assert pictures(page, "#rendered_cells") == film_shows
    assert page.evaluate("scrollY") == 90
    assert page.evaluate("shifted") < 0.02


def test_what_was_moved_is_handed_over_with_the_focus(start):
    page = start("temperature")
    slider = page.get_by_role("slider", name="Temperature")
    moved(page, lambda: slider.press("ArrowRight"))
    page.get_by_role("button", name="Advanced").click()
    slider.press("ArrowRight")
    page.wait_for_function("location.search.includes('t=0.80')")
    take_over(page)
    live = page.locator("#rendered_cells").get_by_role("slider", name="Temperature")
    assert live.input_value() == "0.8"
    assert live.evaluate("e => e === document.activeElement")
    page.locator("#rendered_cells .gl-levels").wait_for(state="visible")
    assert page.locator("#rendered_cells .gl-says").first.inner_text().startswith("Sixteen faces at temperature 0.80")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("location.search.includes('t=0.75')")


def test_an_address_the_film_does_not_know_is_shown_by_the_live_explorer(start):
    page = start("studio", "?face=gallery-4&smile=0.44&age=0.31")
    assert "not recorded" in says(page)
    assert page.evaluate("location.search") == "?face=gallery-4&smile=0.44&age=0.31"
    take_over(page)
    live = page.locator("#rendered_cells")
    page.wait_for_function(
        "document.querySelector('#rendered_cells .gl-says').textContent.startsWith('Gallery face 4')"
    )
    assert live.get_by_role("slider", name="Smile").input_value() == "0.44"
    assert live.get_by_role("slider", name="Age").input_value() in ("0.3", "0.32")
