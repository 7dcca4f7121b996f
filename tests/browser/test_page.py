"""The page around the studio: widths, themes, accessibility, addresses."""

import pytest

from .conftest import AFTER, BEFORE, LONG, changes, pixels


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
    assert page.locator(".gl-says").get_attribute("aria-live") == "polite"


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
    page = new_page("studio", "?face=gallery-4&smile=-0.50&nonsense=1")
    page.wait_for_function("document.querySelector('.gl-says').textContent.startsWith('Gallery face 4 with')")
    assert page.get_by_role("slider", name="Smile").input_value() == "-0.5"
    page.get_by_role("slider", name="Smile").press("Home")
    page.wait_for_function("location.search === '?face=gallery-4&smile=-1.00'")
    kernel = server.kernel(page)
    page.close(run_before_unload=True)
    kernel.wait(LONG / 1000)
