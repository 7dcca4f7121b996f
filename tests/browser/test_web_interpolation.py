"""The explorer of interpolation as a web component on a static page: what it computes, what a visitor does there."""

import re

import numpy as np
import pytest
import torch

from glowlab.explorers.editing import PATHS
from glowlab.web import static
from glowlab.web.widgets import InterpolationExplorer
from glowlite import latents

from .conftest import click
from .sentences import describe_angle, describe_stop
from .visitor import PHONE, apart, card, drag, grasp, held, number, pictures, says, shown, slider, upload
from .web_site import HELD_OUT, Site, flat, png, read, rests, visits

FIRST, BETWEEN, SECOND = (f".gl-trio > :nth-child({i})" for i in (1, 2, 3))
NAMES = {"pixels": "pixel blend", "linear": "straight line", "spherical": "arc"}
EXPLORER = "interpolation"
HALF = 2  # grey levels by which weights of float16 may change a picture


def faces(page, label: str = "Faces to start from"):
    return page.get_by_role("radiogroup", name=label).get_by_role("radio")


def row(page, way: str) -> np.ndarray:
    return pictures(page, f"[aria-label='{NAMES[way]}']")


def computed(folder, name: str = "tiny", **settings) -> InterpolationExplorer:
    """The same by PyTorch."""
    return InterpolationExplorer(folder / f"{name}.safetensors", **settings)


def told(page, title: str) -> dict[str, float]:
    """The numbers half-way that a chart tells, by way."""
    label = card(page, title).get_by_role("img").get_attribute("aria-label")
    return {name: float(value) for name, value in re.findall(r"(pixel blend|straight line|arc) ([\d.]+)[,.]", label)}


# ---- what it computes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "settings"),
    [
        ("", {}),
        (
            "?t=0.30&way=linear&a=gallery-2&b=gallery-9",
            {"face": "gallery-2", "partner": "gallery-9", "way": "linear", "t": 0.3},
        ),
        ("?levels=2&face=fresh-3-0.80-2", {"levels": "2", "face": "fresh-3-0.80-2"}),
        ("?way=pixels&t=0.70", {"way": "pixels", "t": 0.7}),
    ],
)
def test_the_picture_and_its_numbers_are_those_of_pytorch(visit, folder, query, settings):
    page, made = visit(query), computed(folder, **settings)
    assert apart(pictures(page, BETWEEN)[0], flat(made.picture)) <= (1 if made.way == "pixels" else HALF)
    for where, key in ((FIRST, made.face), (SECOND, made.partner)):
        assert apart(pictures(page, where)[0], flat(made.find(key).image)) <= HALF
    length = sum(eps.square().sum().item() for eps in made.latents) ** 0.5
    assert number(page, "Effective temperature") == pytest.approx(length / 768**0.5, abs=0.02)
    ours = torch.from_numpy(pictures(page, BETWEEN)).permute(0, 3, 1, 2).byte()
    assert number(page, "Bits per dimension") == pytest.approx(made.model.bits_per_dim(ours).item(), abs=0.011)
    change = np.abs(pictures(page, BETWEEN) - pictures(page, FIRST)).mean()
    assert number(page, "Change from the first") == pytest.approx(change, abs=0.06)
    names = [made.find(key).name for key in (made.face, made.partner)]
    assert says(page) == describe_stop(*names, made.t, made.way, made.moving, number(page, "Effective temperature"))


def test_rows_and_charts(visit, folder):
    page = visit()
    for way in NAMES:
        expected = [flat(computed(folder, t=stop / 6, way=way).picture) for stop in range(7)]
        assert apart(row(page, way), np.stack(expected)) <= HALF
    assert apart(row(page, "pixels")[3], flat(computed(folder, way="pixels").picture)) == 0
    model = computed(folder).model
    middles = {way: torch.from_numpy(row(page, way)[3:4]).permute(0, 3, 1, 2).byte() for way in NAMES}
    for way, bits in told(page, "How likely each stop is").items():
        (one,) = [model.bits_per_dim(image).item() for name, image in middles.items() if NAMES[name] == way]
        assert bits == pytest.approx(one, abs=0.011)
    heat, text = told(page, "How far from the middle"), card(page, "How far from the middle").inner_text()
    line, arc = (latents.effective_temperature(computed(folder, way=way).latents).item() for way in PATHS)
    assert heat["straight line"] == pytest.approx(line, abs=0.006)
    assert heat["arc"] == pytest.approx(arc, abs=0.006) and len(heat) == 3
    ends = [latents.flatten(computed(folder, t=t, way="linear").latents) for t in (0, 1)]
    assert describe_angle(torch.rad2deg(torch.cosine_similarity(*ends).acos()).item(), line) in text
    assert page.locator(".gl-behind").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["faces64", "portraits64"])
def test_models_that_ship_answer_as_pytorch_does(browser, tmp_path, name):
    static.write("interpolation", [name], tmp_path)
    running = Site(tmp_path, "interpolation.html")
    with visits(browser, running) as visit:
        difference = np.abs(pictures(visit("?t=0.35"), BETWEEN)[0] - flat(InterpolationExplorer(name, t=0.35).picture))
        assert difference.max() <= HALF and (difference > 0).mean() < 0.05
    running.stop()


# ---- what a visitor does -------------------------------------------------------------------------------------------


def test_the_slider_the_way_and_the_levels(visit):
    page = visit()
    half = pictures(page, BETWEEN)
    grasp(page, slider(page, "How far"))
    drag(page, slider(page, "How far"), 0.2)
    page.mouse.up()
    rests(page)
    assert float(slider(page, "How far").input_value()) == pytest.approx(0.2, abs=0.02)
    slider(page, "How far").press("End")
    rests(page, "?t=1.00")
    assert apart(pictures(page, BETWEEN), pictures(page, SECOND)) <= 1
    assert says(page).startswith("Gallery face 3, where the way ends, along the arc.")
    slider(page, "How far").dblclick()
    page.get_by_role("radio", name="straight line", exact=True).check(force=True)
    rests(page, "?way=linear")
    line = pictures(page, BETWEEN)
    assert apart(line, half) > 0
    page.get_by_role("checkbox", name="level 1").uncheck()
    rests(page, "?way=linear&levels=2")
    assert apart(pictures(page, BETWEEN), line) > 0 and "Level 1 stayed as in gallery face 4." in says(page)
    page.get_by_role("checkbox", name="level 2").press("Space")
    rests(page, "?way=linear&levels=none")
    assert apart(pictures(page, BETWEEN), pictures(page, FIRST)) == 0
    page.reload()
    rests(page, "?way=linear&levels=none")
    assert not page.get_by_role("checkbox", name="level 2").is_checked()
    click(page, "Reset")
    rests(page, "")
    assert apart(pictures(page, BETWEEN), half) == 0


def test_a_stop_of_a_row_is_chosen_by_mouse_and_by_keyboard(visit):
    page = visit()
    stops = faces(page, "straight line")
    stops.nth(2).click()
    rests(page, "?t=0.33&way=linear")
    assert stops.nth(2).get_attribute("aria-checked") == "true"
    stops.nth(2).press("ArrowLeft")
    rests(page, "?t=0.17&way=linear")
    faces(page, "pixel blend").nth(6).click()
    rests(page, "?t=1.00&way=pixels")
    assert apart(pictures(page, BETWEEN), pictures(page, SECOND)) == 0
    assert page.locator(f"{BETWEEN} .gl-hold").is_hidden()


def test_other_faces_and_surprise_me(visit):
    page = visit()
    faces(page).nth(0).click()
    rests(page, "?face=gallery-1")
    faces(page, "Faces to end at").nth(5).press("Enter")
    rests(page, "?face=gallery-1&partner=gallery-6")
    before = row(page, "spherical")
    assert apart(before[0], pictures(page, FIRST)[0]) == 0 and apart(before[6], pictures(page, SECOND)[0]) <= 1
    faces(page, "Faces to end at").nth(0).click()
    rests(page)
    assert says(page) == "Both pictures are gallery face 1, so there is no way to go."
    click(page, "Surprise me")
    rests(page)
    ends = page.evaluate("({ ...document.querySelector('glow-interpolation').values })")
    assert ends["face"] != ends["partner"]


@pytest.mark.parametrize("key", ["", "Space"], ids=["mouse", "keyboard"])
def test_hold_to_compare(visit, key):
    page = visit()
    after, blend = pictures(page, BETWEEN), row(page, "pixels")[3]
    with held(page, f"{BETWEEN} canvas", "Hold to compare with pixel blend", key):
        assert apart(pictures(page, BETWEEN)[0], blend) == 0
    assert apart(pictures(page, BETWEEN), after) == 0


@pytest.mark.parametrize("way", ["mouse", "keyboard", "drop"])
def test_pictures_of_ones_own_at_both_ends(visit, way):
    page = visit()
    upload(page, "Your own picture as the first", png(), way)
    page.get_by_role("alert").filter(has_text="Your picture is the first one now.").wait_for()
    rests(page, "?face=own-first")
    upload(page, "Your own picture as the second", png(seed=1), way)
    page.get_by_role("alert").filter(has_text="Your picture is the second one now.").wait_for()
    rests(page, "?face=own-first&partner=own-second")
    assert apart(pictures(page, FIRST)[0], read(png())) == apart(pictures(page, SECOND)[0], read(png(seed=1))) == 0
    assert apart(row(page, "spherical")[0], read(png())) == 0
    assert "unlike the drawn faces" in page.get_by_role("alert").inner_text()
    names = [tile.get_attribute("aria-label") for tile in faces(page, "Faces to end at").all()[-2:]]
    assert names == ["your first picture", "your second picture"]
    page.reload()
    page.get_by_role("alert").filter(has_text="cannot hold a picture of your own").wait_for()


def test_what_an_address_asks_in_vain_is_said(visit):
    page = visit("?t=2&way=around&levels=7&a=nobody&controls=t,upload,moon")
    text = page.get_by_role("alert").inner_text()
    for asked in ("t=2", "way=around", "levels=7", "a=nobody", "controls=moon"):
        assert asked in text
    kept = {"How far", "The first picture", "The second picture", "Faces to start from", "Faces to end at"}
    fields = {
        f"{words} the {end}" for words in ("Your own picture as", "Use the camera for") for end in ("first", "second")
    }
    assert shown(page) >= kept | fields and not {"arc", "Reset", "How likely each stop is"} & shown(page)


def test_a_model_of_real_faces(visit):
    page = visit("?model=real")
    assert says(page).startswith("50 % of the way from Mona Lisa to Kalpana Chawla, along the arc.")
    assert "the band of real faces" in page.locator("main").inner_text()
    assert f"{HELD_OUT['bits_per_dim']:.2f}" in page.locator(".gl-numbers").inner_text()


# ---- everywhere, and for everyone ----------------------------------------------------------------------------------


def test_touch_on_a_phone(visit):
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    faces(page).nth(2).tap()
    rests(page, "?face=gallery-3")
    slider(page, "How far").scroll_into_view_if_needed()
    place = slider(page, "How far").bounding_box()
    page.touchscreen.tap(place["x"] + 2, place["y"] + place["height"] / 2)
    rests(page, "?face=gallery-3&t=0.00")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
