"""The temperature explorer in a real Chromium: every control by mouse and by keyboard, and what it shows then."""

import re

import pytest

from .conftest import click
from .visitor import (
    afresh,
    apart,
    card,
    chart,
    comes_back,
    differ,
    drag,
    grasp,
    looks,
    number,
    pictures,
    rests,
    says,
    shown,
    slider,
    visit,
    waits_for,
)

pytestmark = pytest.mark.slow

SIXTEEN, STRIP = ".gl-grid", ".gl-card.gl-wide"
BATCH = 1  # grey level by which a face may differ when it is drawn with others: float32 rounds otherwise


@pytest.fixture(scope="module")
def opened(server, browser):
    yield from visit(server, browser, "temperature", "?t=0.70")


@pytest.fixture
def page(opened):
    yield from afresh(opened, t="0.70", levels=None)


def temperature(page):
    return slider(page, "Temperature")


def faces(page, where=SIXTEEN):
    return page.locator(where).get_by_role("radio")


def level_names(page) -> list[str]:
    return page.locator(".gl-levels .gl-slider label").all_text_contents()


def unfold(page) -> None:
    fold = page.get_by_role("button", name="Advanced: level by level")
    if fold.get_attribute("aria-expanded") == "false":
        fold.click()
    slider(page, level_names(page)[-1]).wait_for()


def all_equal(page) -> bool:
    sixteen = pictures(page, SIXTEEN)
    return apart(sixteen, sixteen[:1]) <= BATCH


def test_it_opens_finished(new_page):
    page = new_page("temperature")
    rests(page)
    assert page.title() == "Temperature"
    assert page.get_by_role("heading", level=1).inner_text() == "Temperature"
    sixteen = pictures(page, SIXTEEN)
    assert sixteen.shape == (16, 64, 64, 3) and len({face.tobytes() for face in sixteen}) == 16
    assert len(pictures(page, STRIP)) == 7
    assert "temperature 0.70: clean" in says(page)
    assert page.locator(".gl-hint").first.inner_text().startswith("Drag the temperature to 0")
    assert number(page, "Effective temperature") == pytest.approx(0.7, abs=0.01)
    assert number(page, "Change from the start") == 0
    assert "typical draws" not in says(page) and "at 0.70" in chart(page, "Where the draws lie")
    numbers = re.findall(r"\d+\.?\d*", chart(page, "Quality against diversity"))
    unlike, apart_now, drawn_unlike, drawn_apart = map(float, numbers)
    assert 0 < unlike < drawn_unlike and 0 < apart_now < drawn_apart  # colder than drawn faces: cleaner, more alike
    assert page.locator("text=open_temperature").count() == 0  # no source is shown


def test_the_temperature_by_mouse_to_one_face_for_all_and_back_to_the_same_sixteen(page):
    start = pictures(page, SIXTEEN)
    grasp(page, temperature(page))
    drag(page, temperature(page), 0.4)
    calmer = differ(page, SIXTEEN, start)  # the button is still down: they follow
    drag(page, temperature(page), 0.0)
    rests(page, t="0.00")
    assert all_equal(page) and apart(pictures(page, SIXTEEN), calmer) > 10
    assert says(page).startswith("Sixteen times the same face")
    assert number(page, "Effective temperature") == 0
    drag(page, temperature(page), 0.7)
    page.mouse.up()
    rests(page, t="0.70")
    assert temperature(page).input_value() == "0.7" and not all_equal(page)
    assert apart(pictures(page, SIXTEEN), start) == 0


def test_the_temperature_by_keyboard_and_the_numbers_follow(page):
    bits = {}
    for key, value, words in [
        ("Home", 0.0, "the same face"),
        ("ArrowRight", 0.05, "hardly more than one mean face"),
        ("End", 1.3, "bolder than any"),
        ("ArrowLeft", 1.25, "bolder than any"),
    ]:
        temperature(page).press(key)
        rests(page, t=f"{value:.2f}")
        assert words in says(page)
        effective = number(page, "Effective temperature")
        assert effective == pytest.approx(value, abs=0.02)
        assert f"lie at {effective:.2f}" in chart(page, "Where the draws lie")
        assert number(page, "Change from the start") > 5
        bits[value] = number(page, "Bits per dimension")
    assert bits[0.0] <= bits[0.05] < bits[1.25] < bits[1.3]
    grasp(page, temperature(page))
    page.mouse.up()
    temperature(page).dblclick()
    rests(page, t="0.70")
    assert bits[0.05] < number(page, "Bits per dimension") < bits[1.25]
    assert number(page, "Change from the start") == 0


def test_a_face_is_chosen_and_runs_through_all_temperatures(page):
    faces(page).nth(5).click()
    rests(page, face="6")
    strip = card(page, "One face at seven temperatures").get_by_role("radiogroup")
    assert strip.get_attribute("aria-label") == "Face 6 at seven temperatures"
    sixth = pictures(page, STRIP)
    faces(page).nth(5).press("ArrowRight")
    rests(page, face="7")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "face 7"
    assert faces(page).nth(6).get_attribute("aria-checked") == "true"
    seventh = pictures(page, STRIP)
    assert apart(sixth[0], seventh[0]) <= BATCH < 10 < apart(sixth[-1], seventh[-1])  # at 0 all are one

    faces(page, STRIP).nth(4).click()  # a stop sets the temperature
    rests(page, t="0.80")
    assert temperature(page).input_value() == "0.8"
    assert apart(pictures(page, SIXTEEN)[6], seventh[4]) <= BATCH
    faces(page, STRIP).nth(4).press("ArrowRight")
    rests(page, t="1.00")
    assert apart(pictures(page, SIXTEEN)[6], seventh[5]) <= BATCH
    assert faces(page, STRIP).nth(5).get_attribute("aria-checked") == "true"
    faces(page).nth(6).press("Home")
    rests(page, face=None)


def test_the_levels_behind_the_fold_by_mouse_and_by_keyboard(page):
    fold = page.get_by_role("button", name="Advanced: level by level")
    unfold(page)
    fold.press("Enter")
    page.locator(".gl-levels").wait_for(state="hidden")
    assert fold.get_attribute("aria-expanded") == "false"
    fold.press("Space")
    names = level_names(page)
    slider(page, names[0]).wait_for()
    assert len(names) == 4 and fold.get_attribute("aria-expanded") == "true"

    levels = ["0.70"] * 4
    for level, name in enumerate(names):
        before = pictures(page, SIXTEEN)
        grasp(page, slider(page, name))
        drag(page, slider(page, name), 0.2)
        differ(page, SIXTEEN, before)
        page.mouse.up()
        levels[level] = "0.20"
        if level < 3:
            rests(page, t="0.70", levels="_".join(levels))
    rests(page, t="0.20", levels=None)  # where all have come to one, so has the large slider
    assert number(page, "Effective temperature") == pytest.approx(0.2, abs=0.01)
    for level, name in enumerate(names):
        slider(page, name).press("Home")
        levels[level] = "0.00"
        rests(page, levels="_".join(levels) if level < 3 else None)
    assert all_equal(page) and says(page).startswith("Sixteen times the same face")
    slider(page, names[3]).press("End")
    rests(page, levels="0.00_0.00_0.00_1.30")
    assert not all_equal(page) and "the levels at 0.00, 0.00, 0.00, 1.30" in says(page)
    slider(page, names[3]).dblclick()
    rests(page, levels="0.00_0.00_0.00_0.70")

    temperature(page).press("ArrowRight")  # takes all levels together again
    rests(page, t="0.05", levels=None)
    assert {slider(page, name).input_value() for name in names} == {"0.05"}
    fold.click()
    page.locator(".gl-levels").wait_for(state="hidden")


def test_surprise_me_draws_other_people_at_the_same_temperature(page):
    first = pictures(page, SIXTEEN)
    temperature(page).press("Home")
    rests(page, t="0.00")
    nobody = pictures(page, SIXTEEN)
    seeds = set()
    for use in (lambda button: button.click(), lambda button: button.press("Enter")):
        before = page.evaluate("new URLSearchParams(location.search).get('seed')")
        use(page.get_by_role("button", name="Surprise me"))
        page.wait_for_function("before => new URLSearchParams(location.search).get('seed') !== before", arg=before)
        rests(page, t="0.00")
        seeds.add(page.evaluate("location.search"))
        assert apart(pictures(page, SIXTEEN), nobody) <= BATCH  # at 0 nothing is left to chance
    assert len(seeds) == 2
    page.get_by_role("button", name="Reset").press("Space")
    rests(page, t="0.70")
    assert apart(pictures(page, SIXTEEN), first) > 30 and not all_equal(page)


def test_the_address_brings_it_back_and_another_visitor_sees_nothing_of_it(new_page, page):
    alone = state_of(page)
    other = new_page("temperature", "?t=0.35&seed=12&face=4&levels=0.35_0.35_1.10_0.90")
    waits_for(other, "0.35, 0.35, 1.10, 0.90")
    rests(other, face="4")
    assert other.get_by_role("button", name="Advanced: level by level").get_attribute("aria-expanded") == "true"
    assert other.locator(".gl-hint").first.inner_text().startswith("Drag the temperature")  # not tried here yet
    assert state_of(page) == alone
    click(page, "Surprise me")
    temperature(page).press("End")
    rests(page, t="1.30")
    assert "1.10, 0.90" in says(other) and temperature(other).input_value() == "0.35"
    comes_back(other, SIXTEEN, BATCH)


def state_of(page) -> tuple:
    return page.evaluate("location.search"), says(page), pictures(page, SIXTEEN).tobytes()


def test_a_bad_address_is_said_and_the_rest_is_used_and_controls_can_be_left_out(new_page):
    page = new_page("temperature", "?t=0.90&seed=many&face=17&levels=1_1&controls=temperature,shell")
    waits_for(page, "temperature 0.90")
    notice = page.get_by_role("alert").filter(has_text="This page cannot do")
    assert all(text in notice.inner_text() for text in ("seed=many", "face=17", "levels=1_1"))
    assert "t=0.90" not in notice.inner_text() and "gl-bad" not in notice.get_attribute("class")
    rests(page)
    assert shown(page) == {says(page), "Temperature", "Where the draws lie", "Close this message"}
    page.get_by_role("button", name="Close this message").press("Enter")
    notice.wait_for(state="hidden")
    temperature(page).press("Home")
    rests(page, t="0.00", controls="temperature,shell")
    assert all_equal(page)


def test_how_it_looks(page):
    unfold(page)
    faces(page).nth(9).click()
    rests(page, face="10")
    assert looks(page, "temperature") == []
