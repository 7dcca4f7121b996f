"""The attribute explorer in a real Chromium: every control by mouse and by keyboard, and what it shows then."""

import re

import numpy as np
import pytest
import torch
from glowlab.explorers.attribute_state import paint_change
from glowlab.explorers.wording import WORDINGS

from glowlite.data import faces

from .conftest import click, png
from .visitor import (
    afresh,
    apart,
    card,
    chart,
    comes_back,
    comes_to,
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
    state,
    upload,
    visit,
    waits_for,
)

BEFORE, AFTER, CHANGE = (f".gl-trio > :nth-child({i})" for i in (1, 2, 3))
FACE = "gallery-11"  # it opens on
PLACES, OVERLAP = "Where this face lies", "How the directions overlap"
UNEDITED = dict.fromkeys(faces.ATTRIBUTES)


@pytest.fixture(scope="module")
def opened(server, browser):
    yield from visit(server, browser, "attributes", "")


@pytest.fixture
def page(opened):
    yield from afresh(opened, **UNEDITED)


def attributes(page) -> dict[str, str]:
    """Name in the address -> on the slider, of all there are."""
    titles = page.locator(".gl-sliders .gl-slider label").all_inner_texts()
    names = {WORDINGS[name].title: name for name in faces.ATTRIBUTES}
    return {names[title]: title for title in titles}


def picture(page, where: str) -> np.ndarray:
    return pictures(page, where)[0]


def the_same(page) -> bool:
    """Before and after are equal, the picture of the change is dark, and the words and numbers say so."""
    nothing = (picture(page, CHANGE) == picture(page, CHANGE)[0, 0]).all()
    told = says(page).endswith("unchanged.") and number(page, "Change from the start") == 0
    return bool(apart(picture(page, BEFORE), picture(page, AFTER)) == 0 and nothing and told)


def choose(page, words: str) -> None:
    page.locator(".gl-choice label").filter(has_text=re.compile(f"^{words}$")).click()


def choice(page, words: str):
    return page.locator(".gl-choice").get_by_role("radio", name=words, exact=True)


def note(page) -> str:
    return card(page, "How many labels").locator(".gl-says").inner_text()


def noted(page, words: str) -> None:
    card(page, "How many labels").locator(".gl-says", has_text=words).wait_for()


def test_it_opens_on_an_edited_face(new_page):
    page = new_page("attributes")
    rests(page)
    assert page.title() == page.get_by_role("heading", level=1).inner_text() == "Attributes"
    assert says(page) == "Gallery face 11 with much bolder glasses and a bigger smile."
    assert apart(picture(page, BEFORE), picture(page, AFTER)) > 30 and not the_same(page)
    assert slider(page, "Smile").input_value() == "0.7" and slider(page, "Glasses").input_value() == "0.9"
    assert page.locator(".gl-hint").first.inner_text().startswith("Drag a slider")
    assert len(attributes(page)) >= 8
    assert "labelled faces lie along glasses" in chart(page, PLACES)
    assert "Cosines between the 10 directions" in chart(page, OVERLAP)
    assert page.locator("text=open_attributes").count() == 0


def test_each_attribute_by_mouse_there_and_back_to_the_very_same_pixels(page):
    start = picture(page, BEFORE)
    assert the_same(page)
    for name, title in attributes(page).items():
        thing = slider(page, title)
        grasp(page, thing)
        drag(page, thing, 0.5)
        half = differ(page, AFTER, start[None])[0]
        drag(page, thing, 1.0)  # the button is still down: it follows
        rests(page, **{name: "1.00"}, look=name)
        assert apart(picture(page, AFTER), half) > 0
        drag(page, thing, 0.0)
        page.mouse.up()
        rests(page, **{name: None})
        assert the_same(page) and apart(picture(page, AFTER), start) == 0


def test_each_attribute_by_keyboard_and_the_words_follow(page):
    start = picture(page, BEFORE)
    for name, title in attributes(page).items():
        words = WORDINGS[name]
        slider(page, title).press("End")
        rests(page, **{name: "1.00"})
        more = picture(page, AFTER)
        assert says(page) == f"Gallery face 11 with {words.more.format('much ')}."
        assert slider(page, title).get_attribute("aria-valuetext") == f"+1.00, toward {words.high}"
        was, now = re.findall(r"(?:was|is) at ([+-]\d\.\d+)", chart(page, PLACES))
        assert float(now) == pytest.approx(float(was) + 1, abs=0.011)  # one step along its own direction
        assert f"lie along {words.title.lower()}:" in chart(page, PLACES)
        slider(page, title).press("Home")
        rests(page, **{name: "-1.00"})
        assert says(page) == f"Gallery face 11 with {words.less.format('much ')}."
        assert slider(page, title).get_attribute("aria-valuetext") == f"minus 1.00, toward {words.low}"
        assert apart(picture(page, AFTER), more) > 30
        slider(page, title).dblclick()
        rests(page, **{name: None})
        assert the_same(page) and apart(picture(page, AFTER), start) == 0


def test_the_change_and_the_numbers_are_those_of_the_two_pictures(page):
    slider(page, "Beard").press("End")
    slider(page, "Smile").press("Home")
    rests(page, beard="1.00", smile="-1.00")
    before, after = (torch.tensor(picture(page, where)).movedim(-1, 0) for where in (BEFORE, AFTER))
    assert apart(picture(page, CHANGE), paint_change(before, after).movedim(0, -1).numpy()) == 0
    change = (before.float() - after.float()).abs().mean().item()
    assert number(page, "Change from the start") == pytest.approx(change, abs=0.06)
    assert "Where it changed: most" in page.locator(f"{CHANGE} canvas").get_attribute("aria-label")
    click(page, "Reset")
    rests(page, **UNEDITED)
    assert "Where it changed: nowhere" in page.locator(f"{CHANGE} canvas").get_attribute("aria-label")


@pytest.mark.parametrize("key", ["", "Space", "Enter"])
def test_hold_to_compare(page, key):
    slider(page, "Beard").press("End")
    rests(page, beard="1.00")
    before, after, caption = picture(page, BEFORE), picture(page, AFTER), page.locator(f"{AFTER} figcaption")
    with held(page, f"{AFTER} canvas", "Hold to compare with before", key):
        assert apart(picture(page, AFTER), before) == 0 and caption.inner_text() == "before"
    assert apart(picture(page, AFTER), after) == 0 and caption.inner_text() == "after"


def test_another_face_by_mouse_and_by_arrow_keys_with_the_same_edits(page):
    slider(page, "Beard").press("End")
    rests(page, beard="1.00")
    gallery = card(page, "Start from another face").get_by_role("radio")
    gallery.nth(2).click()
    rests(page, face="gallery-3", beard="1.00")
    assert says(page) == "Gallery face 3 with much more beard."
    assert apart(picture(page, BEFORE), pictures(page, ".gl-card .gl-tiles")[2]) == 0
    gallery.nth(2).press("ArrowRight")
    rests(page, face="gallery-4")
    assert gallery.nth(3).get_attribute("aria-checked") == "true"
    gallery.nth(3).press("End")
    rests(page, face="gallery-12")
    gallery.nth(10).click()
    rests(page, face=FACE)


def test_surprise_me_and_reset_by_mouse_and_by_keyboard(page):
    seen = []
    for use in (lambda button: button.click(), lambda button: button.press("Enter")):
        with drawn(page):
            use(page.get_by_role("button", name="Surprise me"))
        moved = [title for title in attributes(page).values() if slider(page, title).input_value() != "0"]
        assert 2 <= len(moved) <= 4 and not the_same(page) and " with " in says(page)
        seen.append(says(page))
    assert seen[0] != seen[1]
    page.get_by_role("button", name="Reset").press("Space")
    rests(page, **UNEDITED)
    assert the_same(page)
    assert {slider(page, title).input_value() for title in attributes(page).values()} == {"0"}


def test_the_attribute_to_look_at_by_mouse_and_by_keyboard(page):
    after = picture(page, AFTER)
    choose(page, "Age")
    rests(page, look="age")
    assert "lie along age:" in chart(page, PLACES)
    choice(page, "Age").press("ArrowRight")
    rests(page, look="eye_openness")
    assert "lie along eyes:" in chart(page, PLACES)
    was, now = re.findall(r"(?:was|is) at ([+-]\d\.\d+)", chart(page, PLACES))
    assert was == now and apart(picture(page, AFTER), after) == 0


def test_directions_from_few_labels_by_mouse_and_by_keyboard(page):
    others = page.get_by_role("button", name="Ten others")
    assert others.is_disabled() and re.search(r"the model's own, from \d,000 labels", note(page))
    slider(page, "Smile").press("End")
    rests(page, smile="1.00")
    own, overlap, seen, alike = picture(page, AFTER), chart(page, OVERLAP), {}, {}
    choose(page, "1,000")
    for count, key in ((1000, "ArrowLeft"), (100, "ArrowLeft"), (10, "")):
        rests(page, labels=str(count), ten=None)
        noted(page, f"From {count:,} labels: the direction of smile has cosine")
        waits_for(page, f"as far as {count:,} labels know it.")
        seen[count] = picture(page, AFTER)
        alike[count] = float(re.search(r"cosine ([\d.]+)", note(page)).group(1))
        if key:
            choice(page, f"{count:,}").press(key)
    assert alike[1000] > alike[100] > alike[10] and chart(page, OVERLAP) != overlap
    assert min(apart(seen[count], own) for count in seen) > 10
    for ten, use in ((2, lambda: others.click()), (3, lambda: others.press("Enter"))):
        use()
        rests(page, labels="10", ten=str(ten))
        noted(page, "From 10 labels: the direction of smile has cosine")
        seen[ten] = picture(page, AFTER)
        assert apart(seen[ten], seen[10]) > 10
    click(page, "Reset")  # whatever the direction: back at 0 are the very same pixels
    rests(page, smile=None, labels="10")
    assert the_same(page)
    slider(page, "Smile").press("End")
    choose(page, "the model's own")
    rests(page, smile="1.00", labels=None)
    noted(page, "the model's own")
    assert apart(picture(page, AFTER), own) == 0 and chart(page, OVERLAP) == overlap and others.is_disabled()


@pytest.mark.parametrize("way", ["mouse", "keyboard", "drop"])
def test_a_picture_of_ones_own(page, way):
    colour = {"mouse": (200, 60, 40), "keyboard": (30, 60, 210), "drop": (20, 190, 80)}[way]
    upload(page, "Your own picture", png(colour=colour), way)
    notice = page.get_by_role("alert").filter(has_text="Your picture went through the flow and back")
    notice.wait_for()
    rests(page)
    assert (picture(page, BEFORE) == colour).all() and the_same(page)
    assert says(page) == "Your picture, unchanged." and "unlike the drawn faces" in notice.inner_text()
    page.get_by_role("button", name="Close this message").click()
    slider(page, "Hair colour").press("End")
    waits_for(page, "Your picture, moved towards much blonder hair, as drawn faces have it.")
    assert not the_same(page)
    gallery = card(page, "Start from another face").get_by_role("radio")
    assert gallery.count() == 13  # one's own can be had again
    gallery.nth(10).click()
    rests(page, face=FACE)


def test_the_address_brings_it_back_and_another_visitor_sees_nothing_of_it(new_page, page):
    alone = page.evaluate("location.search"), says(page), pictures(page, ".gl-trio").tobytes()
    other = new_page("attributes", "?face=gallery-3&smile=0.66&age=-0.34&labels=10&ten=2&look=age")
    waits_for(other, "Gallery face 3 with a bigger smile and slightly younger features, as far as 10 labels")
    rests(other, labels="10")
    assert other.locator(".gl-hint").first.inner_text().startswith("Drag a slider")
    assert (page.evaluate("location.search"), says(page), pictures(page, ".gl-trio").tobytes()) == alone
    slider(page, "Glasses").press("End")
    rests(page, glasses="1.00")
    assert says(other).startswith("Gallery face 3") and slider(other, "Glasses").input_value() == "0"
    few = picture(other, AFTER), state(other)
    other.reload()
    comes_to(other, few[1])
    assert apart(picture(other, AFTER), few[0]) <= 1  # labelled faces are encoded as many at a time as time allows
    choose(other, "the model's own")
    rests(other, labels=None)
    comes_back(other, ".gl-trio")


def test_a_bad_address_is_said_and_the_rest_is_used_and_controls_can_be_left_out(new_page):
    bad = "face=gallery-0&beard=7&labels=20&ten=x&look=nose"
    page = new_page("attributes", f"?{bad}&smile=0.80&controls=smile,beard,overlap")
    waits_for(page, "Gallery face 11 with a bigger smile.")
    notice = page.get_by_role("alert").filter(has_text="This page cannot do")
    assert all(text in notice.inner_text() for text in bad.split("&")) and "smile=" not in notice.inner_text()
    page.get_by_role("button", name="Close this message").press("Enter")
    notice.wait_for(state="hidden")
    assert shown(page) == {"Hold to compare with before", "Attributes", "Smile", "Beard", OVERLAP}
    slider(page, "Beard").press("End")
    rests(page, beard="1.00", controls="smile,beard,overlap")
    assert says(page) == "Gallery face 11 with a bigger smile and much more beard."


def test_how_it_looks(page):
    slider(page, "Beard").press("End")
    choose(page, "1,000")
    rests(page, beard="1.00", labels="1000")
    assert looks(page, "attributes") == []
