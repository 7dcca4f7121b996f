"""The interpolation explorer in a real Chromium: every control by mouse and by keyboard, and what it shows then."""

import numpy as np
import pytest

from .conftest import click, png
from .visitor import (
    afresh,
    apart,
    card,
    chart,
    comes_back,
    differ,
    drag,
    drawn,
    grasp,
    held,
    looks,
    number,
    pictures,
    rests,
    says,
    shown,
    slider,
    upload,
    visit,
    waits_for,
)

FIRST, MIDDLE, SECOND = (f".gl-trio > :nth-child({i})" for i in (1, 2, 3))
WAYS = ["pixel blend", "straight line", "arc"]
BATCH = 1  # grey level by which a face may differ when it is drawn with others: float32 rounds otherwise


@pytest.fixture(scope="module")
def opened(server, browser):
    yield from visit(server, browser, "interpolation", "?t=0.50")


@pytest.fixture
def page(opened):
    yield from afresh(opened, t="0.50", way=None, levels=None)


def how_far(page):
    return slider(page, "How far")


def row(way: str) -> str:
    return f".gl-way:nth-child({WAYS.index(way) + 2})"  # the card's heading is the first child


def stop(page, way: str, number: int):
    return page.locator(row(way)).get_by_role("radio").nth(number)


def choose(page, way: str) -> None:
    page.locator(".gl-choice label", has_text=way).click()


def picture(page, where: str) -> np.ndarray:
    return pictures(page, where)[0]


def blend(page, t: float) -> np.ndarray:
    first, second = picture(page, FIRST), picture(page, SECOND)
    return np.round(first + t * (second - first))


def start_from(page, first: int, second: int) -> None:
    """Choose two gallery faces, counted from 1."""
    for title, key, face in (("The first picture", "a", first), ("The second picture", "b", second)):
        card(page, title).get_by_role("radio").nth(face - 1).click()
        rests(page, **{key: f"gallery-{face}"})


def test_it_opens_half_way_along_the_arc(new_page):
    page = new_page("interpolation")
    rests(page)
    assert page.title() == page.get_by_role("heading", level=1).inner_text() == "Between two faces"
    assert says(page).startswith("50 % of the way from gallery face 4 to gallery face 3, along the arc.")
    assert number(page, "Effective temperature") == pytest.approx(1.0, abs=0.05)
    for way in WAYS:
        seven = pictures(page, row(way))
        assert len(seven) == 7
        assert apart(seven[0], picture(page, FIRST)) == apart(seven[-1], picture(page, SECOND)) == 0
    assert apart(pictures(page, row("arc"))[3], picture(page, MIDDLE)) <= BATCH
    assert stop(page, "arc", 3).get_attribute("aria-checked") == "true"
    assert "arc" in chart(page, "How likely each stop is") and "0.7" in chart(page, "How far from the middle")
    assert page.locator(".gl-hint").first.inner_text().startswith("Drag the slider")
    assert page.locator("text=open_interpolation").count() == 0


def test_the_way_by_mouse_and_its_ends_are_the_two_pictures(page):
    half = picture(page, MIDDLE)
    grasp(page, how_far(page))
    drag(page, how_far(page), 0.25)
    quarter = differ(page, MIDDLE, half)  # the button is still down: it follows
    drag(page, how_far(page), 0.0)
    rests(page, t="0.00")
    assert apart(picture(page, MIDDLE), picture(page, FIRST)) == 0 < apart(picture(page, FIRST), quarter)
    assert number(page, "Change from the first") == 0 and "where the way begins" in says(page)
    drag(page, how_far(page), 1.0)
    page.mouse.up()
    rests(page, t="1.00")
    assert apart(picture(page, MIDDLE), picture(page, SECOND)) == 0
    assert "where the way ends" in says(page)
    change = np.abs(picture(page, SECOND) - picture(page, FIRST)).mean()
    assert number(page, "Change from the first") == pytest.approx(change, abs=0.06)
    how_far(page).dblclick()
    rests(page, t="0.50")
    assert apart(picture(page, MIDDLE), half) == 0


def test_the_way_by_keyboard(page):
    for key, t, words in [
        ("Home", 0.0, "where the way begins"),
        ("ArrowRight", 0.01, "1 % of the way"),
        ("End", 1.0, "where the way ends"),
        ("PageDown", 0.9, "90 % of the way"),
    ]:
        how_far(page).press(key)
        rests(page, t=f"{t:.2f}")
        assert words in says(page) and page.locator(f"{MIDDLE} figcaption").inner_text() == f"arc, t = {t:.2f}"
    assert how_far(page).get_attribute("aria-valuetext") == "0.90, toward second"


def test_each_way_by_mouse_and_by_keyboard(page):
    arc, warm = picture(page, MIDDLE), number(page, "Effective temperature")
    choose(page, "straight line")
    rests(page, way="linear")
    line, cool = picture(page, MIDDLE), number(page, "Effective temperature")
    assert cool == pytest.approx(0.71 * warm, abs=0.02) and "along the straight line" in says(page)
    assert f"straight line {cool:.2f}" in chart(page, "How far from the middle")
    assert apart(pictures(page, row("straight line"))[3], line) <= BATCH
    page.get_by_role("radio", name="straight line", exact=True).press("ArrowLeft")
    rests(page, way="pixels")
    assert apart(picture(page, MIDDLE), blend(page, 0.5)) <= 1 and "mixed as pixels" in says(page)
    assert not page.locator(".gl-hold").last.is_visible()  # there is nothing to compare it with
    assert stop(page, "pixel blend", 3).get_attribute("aria-checked") == "true"
    page.get_by_role("radio", name="pixel blend", exact=True).press("ArrowLeft")  # round to the last
    rests(page, way=None)
    assert apart(picture(page, MIDDLE), arc) == 0 and min(apart(arc, line), apart(arc, blend(page, 0.5))) > 10


@pytest.mark.parametrize("key", ["", "Space", "Enter"])
def test_hold_to_compare_with_the_pixel_blend(page, key):
    how_far(page).press("PageDown")
    rests(page, t="0.40")
    mixed, arc, words = blend(page, 0.4), picture(page, MIDDLE), page.locator(f"{MIDDLE} canvas")
    with held(page, f"{MIDDLE} canvas", "Hold to compare with pixel blend", key):
        assert apart(picture(page, MIDDLE), mixed) <= 1
        assert page.locator(f"{MIDDLE} figcaption").inner_text() == "pixel blend"
        assert words.get_attribute("aria-label") == "The pixels of both pictures, mixed at t = 0.40."
    assert apart(picture(page, MIDDLE), arc) == 0 and words.get_attribute("aria-label") == says(page)


def test_levels_stay_behind_by_mouse_and_by_keyboard(page):
    ticks = [page.get_by_role("checkbox", name=f"level {level}") for level in (1, 2, 3, 4)]
    whole, rows = picture(page, MIDDLE), pictures(page, row("arc"))
    ticks[0].click()
    rests(page, levels="234")
    assert "Level 1 stayed as in gallery face 4." in says(page)
    assert apart(picture(page, MIDDLE), whole) > 10
    assert apart(differ(page, row("arc"), rows)[0], rows[0]) == 0  # where it begins, nothing has moved
    ticks[1].press("Space")
    rests(page, levels="34")
    ticks[2].click()
    rests(page, levels="4")
    ticks[3].press("Space")
    rests(page, levels="none")
    assert "Levels 1, 2, 3, 4 stayed" in says(page)
    assert apart(picture(page, MIDDLE), picture(page, FIRST)) == 0  # nothing moves
    choose(page, "pixel blend")  # knows no levels
    rests(page, way="pixels")
    assert "stayed" not in says(page) and apart(picture(page, MIDDLE), blend(page, 0.5)) <= 1
    click(page, "Reset")
    rests(page, levels=None, way=None)
    assert all(tick.is_checked() for tick in ticks) and apart(picture(page, MIDDLE), whole) == 0


def test_a_stop_of_each_row_is_shown_large(page):
    for way, key in zip(WAYS, ("pixels", "linear", None), strict=True):
        stop(page, way, 2).click()
        rests(page, t="0.33", way=key)
        assert page.locator(f"{MIDDLE} figcaption").inner_text() == f"{way}, t = 0.33"
        assert stop(page, way, 2).get_attribute("aria-checked") == "true"
        stop(page, way, 2).press("End")
        rests(page, t="1.00", way=key)
        assert apart(picture(page, MIDDLE), picture(page, SECOND)) <= (1 if key else 0)
        assert page.locator(".gl-way [aria-checked='true']").count() == 1
        stop(page, way, 6).press("ArrowRight")  # round to the first
        rests(page, t="0.00", way=key)
        assert apart(picture(page, MIDDLE), picture(page, FIRST)) == 0
        assert page.evaluate("document.activeElement.ariaLabel") == f"{way}, t = 0.00"


def test_other_faces_by_mouse_and_by_arrow_keys(page):
    start_from(page, 2, 9)
    assert "from gallery face 2 to gallery face 9" in says(page)
    first = card(page, "The first picture").get_by_role("radio")
    assert apart(picture(page, FIRST), pictures(page, ".gl-card:nth-child(2) .gl-tiles")[1]) == 0
    assert page.locator(f"{FIRST} canvas").get_attribute("aria-label") == "First: gallery face 2."
    first.nth(1).press("ArrowRight")
    rests(page, a="gallery-3")
    assert first.nth(2).get_attribute("aria-checked") == "true"
    card(page, "The second picture").get_by_role("radio").nth(8).press("Home")
    rests(page, b="gallery-1")
    assert "from gallery face 3 to gallery face 1" in says(page)
    for way in WAYS:
        page.wait_for_function("where => document.querySelectorAll(where).length === 7", arg=f"{row(way)} canvas")
    start_from(page, 5, 5)
    assert says(page) == "Both pictures are gallery face 5, so there is no way to go."
    assert apart(picture(page, MIDDLE), picture(page, FIRST)) == 0
    start_from(page, 4, 3)


def test_surprise_me_picks_two_people_and_reset_goes_half_way(page):
    for use in (lambda button: button.click(), lambda button: button.press("Enter")):
        how_far(page).press("Home")
        rests(page, t="0.00")
        before = pictures(page, ".gl-trio")
        with drawn(page):
            use(page.get_by_role("button", name="Surprise me"))
        assert apart(pictures(page, ".gl-trio"), before) > 10
        assert apart(picture(page, MIDDLE), picture(page, FIRST)) == 0  # still where it begins
        page.get_by_role("button", name="Reset").press("Space")
        rests(page, t="0.50")
        assert "50 % of the way" in says(page)
    start_from(page, 4, 3)


def test_pictures_of_ones_own_by_mouse_by_keyboard_and_dropped(page):
    red, blue, green = (200, 60, 40), (30, 60, 210), (20, 190, 80)
    for where, end, colour, way in [
        (FIRST, "first", red, "mouse"),
        (SECOND, "second", blue, "keyboard"),
        (FIRST, "first", green, "drop"),
    ]:
        upload(page, f"Your own picture as the {end}", png(colour=colour), way)
        page.get_by_role("alert").filter(has_text=f"Your picture is the {end} one now").wait_for()
        rests(page)
        assert (picture(page, where) == colour).all() and f"your {end} picture" in says(page).lower()
        page.get_by_role("button", name="Close this message").click()
    for key, colour in (("Home", green), ("End", blue)):  # the ends of the way, through the flow and back
        with drawn(page):
            how_far(page).press(key)
        assert (picture(page, MIDDLE) == colour).all()
    start_from(page, 4, 3)


def test_the_address_brings_it_back_and_another_visitor_sees_nothing_of_it(new_page, page):
    alone = page.evaluate("location.search"), says(page), pictures(page, ".gl-trio").tobytes()
    other = new_page("interpolation", "?a=gallery-7&b=fresh-3-0.80-2&t=0.35&way=linear&levels=34")
    waits_for(other, "35 % of the way from gallery face 7 to fresh face 2, along the straight line")
    rests(other, levels="34")
    assert other.locator(".gl-hint").first.inner_text().startswith("Drag the slider")
    assert (page.evaluate("location.search"), says(page), pictures(page, ".gl-trio").tobytes()) == alone
    start_from(page, 1, 2)
    how_far(page).press("End")
    rests(page, t="1.00")
    assert "35 % of the way from gallery face 7" in says(other) and how_far(other).input_value() == "0.35"
    comes_back(other, ".gl-trio")


def test_a_bad_address_is_said_and_the_rest_is_used_and_controls_can_be_left_out(new_page):
    page = new_page("interpolation", "?t=0.20&a=gallery-99&way=round&levels=07&b=gallery-8&controls=t,bits")
    waits_for(page, "20 % of the way from gallery face 4 to gallery face 8, along the arc")
    notice = page.get_by_role("alert").filter(has_text="This page cannot do")
    assert all(text in notice.inner_text() for text in ("a=gallery-99", "way=round", "levels=07"))
    assert not any(text in notice.inner_text() for text in ("t=0.20", "b=gallery-8"))
    page.get_by_role("button", name="Close this message").press("Enter")
    notice.wait_for(state="hidden")
    assert shown(page) == {"How far", "Hold to compare with pixel blend", "How likely each stop is"}
    how_far(page).press("Home")
    rests(page, t="0.00", controls="t,bits", b="gallery-8")
    assert apart(picture(page, MIDDLE), picture(page, FIRST)) == 0


def test_how_it_looks(page):
    stop(page, "straight line", 1).click()
    rests(page, t="0.17")
    assert looks(page, "interpolation") == []
