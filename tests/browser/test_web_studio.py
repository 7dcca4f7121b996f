"""The studio as a web component on a static page: what it computes, and what a visitor does there."""

import json

import numpy as np
import pytest
import torch

from glowlab.web import bundle, static
from glowlab.web.widgets import StudioExplorer
from glowlite import checkpoint
from glowlite.glow import Glow, GlowConfig
from tests.helpers import perturb

from .conftest import click
from .sentences import describe
from .visitor import PHONE, apart, drag, grasp, held, number, pictures, says, shown, slider, upload
from .web_site import Site, flat, png, read, rests, visits

BEFORE, AFTER = ".gl-pair > :nth-child(1)", ".gl-pair > :nth-child(2)"
GALLERY, PARTNERS, FRESH = "Faces to start from", "Faces to blend with", "Fresh faces"
EXPLORER = "studio"
HALF = 2  # grey levels by which weights of float16 may change a picture
FIELD = "Your own picture"


def faces(page, label: str = GALLERY):
    return page.get_by_role("radiogroup", name=label).get_by_role("radio")


def row(page, label: str) -> np.ndarray:
    return pictures(page, f"[aria-label='{label}']")


def computed(folder, name: str = "tiny", **settings) -> StudioExplorer:
    """The same by PyTorch."""
    return StudioExplorer(folder / f"{name}.safetensors", **settings)


# ---- what it computes ----------------------------------------------------------------------------------------------


def test_it_opens_on_an_edited_face(visit, folder):
    page, made = visit(), computed(folder)
    assert (made.smile, made.hair_colour) == (0.9, 0.7)
    assert apart(pictures(page, AFTER)[0], flat(made.picture)) <= HALF
    assert apart(pictures(page, BEFORE)[0], flat(made.find("gallery-1").image)) == 0
    assert says(page) == describe("gallery face 1", {"smile": 0.9, "hair_colour": 0.7})
    rests(page, "?face=gallery-1&smile=0.90&hair_colour=0.70")
    text = page.locator(".gl-head").inner_text()
    assert "768 numbers" in text and page.locator(".gl-hint").inner_text().startswith("Drag a slider")


EDITS = {
    "?face=gallery-3&smile=-0.50&antennae=1.00": {"face": "gallery-3", "smile": -0.5},
    "?face=gallery-2&with=gallery-5&blend=0.40": {"face": "gallery-2", "partner": "gallery-5", "blend": 0.4},
    "?face=gallery-2&partner=gallery-5&blend=0.40&path=spherical&smile=0.2": {
        "face": "gallery-2",
        "partner": "gallery-5",
        "blend": 0.4,
        "way": "spherical",
        "smile": 0.2,
    },
    "?face=fresh-7-0.90-3&smile=0.80": {"face": "fresh-7-0.90-3", "smile": 0.8},
}


@pytest.mark.parametrize("query", EDITS)
def test_pictures_and_numbers_are_those_of_pytorch(visit, folder, query):
    page, made = visit(query), computed(folder, **EDITS[query])
    if "antennae" in query:
        latents = [eps + step for eps, step in zip(made.latents, made.directions["antennae"], strict=True)]
    else:
        latents = made.latents
    picture = made.model.decode(latents)[0]
    assert apart(pictures(page, AFTER)[0], flat(picture)) <= HALF
    length = sum(eps.square().sum().item() for eps in latents) ** 0.5
    assert number(page, "Effective temperature") == pytest.approx(length / 768**0.5, abs=0.006)
    ours = torch.from_numpy(pictures(page, AFTER)).permute(0, 3, 1, 2).byte()
    assert number(page, "Bits per dimension") == pytest.approx(made.model.bits_per_dim(ours).item(), abs=0.011)
    change = (picture.float() - made.find(made.face).image.float()).abs().mean().item()
    assert number(page, "Change from the start") == pytest.approx(change, abs=0.3)


def test_fresh_faces_are_samples_and_a_chosen_one_follows_their_temperature(visit, folder):
    page, model = visit("?temperature=0.50&seed=4&face=gallery-1"), checkpoint.load(folder / "tiny.safetensors")
    sample = lambda seed, at: flat(model.sample(8, at, torch.Generator().manual_seed(seed)))  # noqa: E731
    assert apart(row(page, FRESH), sample(4, 0.5)) <= HALF
    click(page, "New faces")
    rests(page, "?face=gallery-1&temperature=0.50&seed=5")
    assert apart(row(page, FRESH), sample(5, 0.5)) <= HALF
    faces(page, FRESH).nth(2).click()
    rests(page, "?face=fresh-5-0.50-3&temperature=0.50&seed=5")
    assert apart(pictures(page, BEFORE)[0], row(page, FRESH)[2]) == 0
    slider(page, "Temperature").press("End")
    rests(page, "?face=fresh-5-1.20-3&temperature=1.20&seed=5")
    assert apart(pictures(page, BEFORE)[0], sample(5, 1.2)[2]) <= HALF
    click(page, "New faces")  # the start stays
    rests(page, "?face=fresh-5-1.20-3&temperature=1.20&seed=6")
    assert faces(page, FRESH).and_(page.locator("[aria-checked=true]")).count() == 0
    assert faces(page, PARTNERS).last.get_attribute("aria-label") == "fresh face 3"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "face"), [("faces64", "gallery-4"), ("portraits64", "mona-lisa")])
def test_models_that_ship_edit_as_pytorch_does(browser, tmp_path, name, face):
    static.write("studio", [name], tmp_path)
    running = Site(tmp_path, "studio.html")
    with visits(browser, running) as visit:
        page = visit(f"?face={face}&age=0.60&blend=0.30")
        difference = np.abs(
            pictures(page, AFTER)[0] - flat(StudioExplorer(name, face=face, age=0.6, blend=0.3).picture)
        )
        assert difference.max() <= HALF and (difference > 0).mean() < 0.05
        assert number(page, "Bits per dimension") > 0
    running.stop()


# ---- what a visitor does -------------------------------------------------------------------------------------------


def test_attributes_by_mouse_and_by_keyboard_and_back_to_the_very_same_pixels(visit):
    page = visit("?face=gallery-2")
    start = pictures(page, BEFORE)
    assert says(page) == "Gallery face 2, unchanged." and apart(pictures(page, AFTER), start) == 0
    names = ["Smile", "Hair colour", "Antennae"]
    assert page.locator(".gl-sliders .gl-slider label").all_inner_texts() == names
    for name in names:
        grasp(page, slider(page, name))
        drag(page, slider(page, name), 0.6)
        page.mouse.up()
        rests(page)
        assert apart(pictures(page, AFTER), start) > 0
        slider(page, name).press("End")
        assert slider(page, name).get_attribute("aria-valuetext").startswith("+1.00, toward ")
        slider(page, name).dblclick()
        rests(page, "?face=gallery-2")
        assert apart(pictures(page, AFTER), start) == 0
    assert page.locator(".gl-hint").inner_text().startswith("Press and hold")


def test_another_face_by_mouse_and_by_keyboard(visit):
    page = visit()
    faces(page).nth(4).click()
    rests(page, "?face=gallery-5&smile=0.90&hair_colour=0.70")
    faces(page).nth(4).press("ArrowRight")
    rests(page, "?face=gallery-6&smile=0.90&hair_colour=0.70")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "gallery face 6"
    assert apart(pictures(page, BEFORE)[0], row(page, GALLERY)[5]) == 0
    assert page.locator(f"{BEFORE} canvas").get_attribute("aria-label") == "Before: gallery face 6."


def test_blending_both_ways(visit):
    page = visit("?face=gallery-1")
    start = pictures(page, AFTER)
    faces(page, PARTNERS).nth(7).click()
    rests(page, "?face=gallery-1&partner=gallery-8&blend=0.50")
    half = pictures(page, AFTER)
    page.get_by_role("radio", name="arc").check(force=True)
    rests(page, "?face=gallery-1&partner=gallery-8&blend=0.50&way=spherical")
    arc = pictures(page, AFTER)
    slider(page, "Blend").press("End")
    rests(page)
    assert says(page) == "Gallery face 1, turned all the way into gallery face 8."
    assert apart(pictures(page, AFTER)[0], row(page, PARTNERS)[7]) <= 1
    assert apart(half, start) > 0 and apart(arc, half) > 0
    click(page, "Reset")
    rests(page, "?face=gallery-1&partner=gallery-8&way=spherical")
    assert apart(pictures(page, AFTER), start) == 0


def test_surprise_me_moves_some_attributes_and_the_address_brings_it_back(visit):
    page = visit("?face=gallery-1")
    click(page, "Surprise me")
    rests(page)
    before, said = pictures(page, AFTER), says(page)
    assert "unchanged" not in said and number(page, "Change from the start") > 0
    page.reload()
    rests(page)
    assert apart(pictures(page, AFTER), before) == 0 and says(page) == said


def test_what_an_address_asks_in_vain_is_said(visit):
    page = visit("?face=own&smile=7&with=fresh-1-3.00-1&heat=hot&draw=9&controls=moon")
    text = page.get_by_role("alert").inner_text()
    assert text.startswith("An address cannot hold a picture of your own; please choose its file again. This page")
    for asked in ("smile=7", "with=fresh-1-3.00-1", "heat=hot", "controls=moon"):
        assert asked in text
    assert "face=own" not in text and "draw" not in text
    rests(page, "?face=gallery-1&seed=9")


def test_controls_keeps_what_it_names_and_what_lies_around(visit):
    page = visit("?controls=smile,blend,upload&face=gallery-2")
    named = {"Smile", "Attributes", "Blend", "Blend with a second face", "Way between the two", "Faces to blend with"}
    kept = {"Start from another face", "Faces to start from", FIELD, "Use the camera", "Hold to compare with before"}
    assert shown(page) == named | kept


@pytest.mark.parametrize("key", ["", "Space"], ids=["mouse", "keyboard"])
def test_hold_to_compare(visit, key):
    page = visit("?face=gallery-2&smile=1.00")
    before, after = pictures(page, BEFORE), pictures(page, AFTER)
    with held(page, f"{AFTER} canvas", "Hold to compare with before", key):
        assert apart(pictures(page, AFTER), before) == 0
    assert apart(pictures(page, AFTER), after) == 0 and apart(before, after) > 0


@pytest.mark.parametrize("way", ["mouse", "keyboard", "drop"])
def test_a_picture_of_ones_own_comes_back_exactly(visit, way):
    page = visit()
    upload(page, FIELD, png(), way)
    page.get_by_role("alert").filter(has_text="every pixel is the same").wait_for()
    rests(page, "?face=own")
    mine = read(png())
    assert apart(pictures(page, BEFORE)[0], mine) == apart(pictures(page, AFTER)[0], mine) == 0
    text = page.get_by_role("alert").inner_text()
    assert (
        "It stays on this device: nothing is sent." in text
        and "unlike the drawn faces" in text
        and "6.50 ± 0.50" in text
    )
    slider(page, "Smile").press("End")
    rests(page, "?face=own&smile=1.00")
    assert says(page) == "Your picture, moved towards a much bigger smile, as drawn faces have it."
    assert faces(page, PARTNERS).last.get_attribute("aria-label") == "your picture"
    click(page, "Close this message")
    upload(page, FIELD, png(seed=1), way)
    page.get_by_role("alert").filter(has_text="every pixel is the same").wait_for()
    rests(page, "?face=own")
    mine = read(png(seed=1))
    shown_now = [pictures(page, BEFORE)[0], pictures(page, AFTER)[0], row(page, PARTNERS)[-1]]
    assert [apart(picture, mine) for picture in shown_now] == [0, 0, 0]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"Dear diary, " * 50, "not a picture that can be read"),
        (png()[:60], "damaged"),
        (png(8), "8 x 8 pixels"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 64, "HEIC"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='99' height='99'/>", "not a picture"),
    ],
)
def test_a_bad_file_is_one_kind_sentence_and_the_page_goes_on(visit, data, words):
    page = visit("?face=gallery-2")
    start = pictures(page, AFTER)
    upload(page, FIELD, data, "keyboard")
    notice = page.get_by_role("alert").filter(has_text=words)
    notice.wait_for()
    assert "gl-bad" in notice.get_attribute("class") and apart(pictures(page, AFTER), start) == 0
    slider(page, "Smile").press("End")
    notice.wait_for(state="hidden")
    rests(page, "?face=gallery-2&smile=1.00")
    assert apart(pictures(page, AFTER), start) > 0


def test_a_mistake_is_said_until_the_next_move(visit):
    page = visit()
    notice = page.get_by_role("alert")
    page.evaluate("""() => {
        const explorer = document.querySelector("glow-studio");
        explorer.change({ smile: 0.1 });
        explorer.notify("This cannot be read.", "bad"); // while the picture is on its way
    }""")
    rests(page)
    assert notice.inner_text().startswith("This cannot be read.")
    slider(page, "Smile").press("End")
    notice.wait_for(state="hidden")


def test_download_is_the_picture_enlarged(visit):
    page = visit("?face=gallery-2&smile=1.00")
    with page.expect_download() as download:
        click(page, "Download")
    saved = read(download.value.path().read_bytes())
    assert download.value.suggested_filename == "glow-studio.png" and saved.shape == (512, 512, 3)
    assert apart(saved[16::32, 16::32], pictures(page, AFTER)[0]) == 0


def test_a_model_of_real_faces_starts_from_portraits(visit, folder):
    page, made = visit("?model=real"), computed(folder, "real")
    rests(page, "?model=real&face=mona-lisa&smile=0.80")
    assert apart(pictures(page, AFTER)[0], flat(made.picture)) <= HALF
    assert faces(page).count() == 13 and says(page) == "Mona Lisa with a bigger smile."
    assert page.locator(".gl-portraits").count() == 2
    slider(page, "Temperature").press("End")
    assert slider(page, "Temperature").input_value() == "1"


def test_a_model_without_directions_is_said(browser, tmp_path):
    bare = perturb(Glow(GlowConfig((3, 16, 16), levels=2, depth=1, width=4)), torch.rand(32, 3, 16, 16) - 0.5, 0.02)
    html = static.render.__globals__["PAGE"]
    checkpoint.save(tmp_path / "bare", bare, {"data": "faces"})
    static.export.write(tmp_path / "bare.safetensors", tmp_path)
    words = dict.fromkeys(["title", "promise", "style", "poster", "words"], "")
    (tmp_path / "studio.html").write_text(html.format(name="studio", models="bare.bin", **words), encoding="utf-8")
    (tmp_path / "explorers.js").write_text(bundle.script(), encoding="utf-8")
    running, page = Site(tmp_path, "studio.html"), browser.new_page()
    page.goto(f"{running.address}studio.html")
    page.get_by_role("alert").filter(has_text="This model has no directions yet").wait_for()
    page.close()
    running.stop()


# ---- everywhere, and for everyone ----------------------------------------------------------------------------------


def test_touch_on_a_phone(visit):
    page = visit("?face=gallery-1", viewport=PHONE, has_touch=True, is_mobile=True)
    faces(page).nth(2).tap()
    rests(page, "?face=gallery-3")
    slider(page, "Smile").scroll_into_view_if_needed()
    place = slider(page, "Smile").bounding_box()
    page.touchscreen.tap(place["x"] + place["width"] - 2, place["y"] + place["height"] / 2)
    rests(page, "?face=gallery-3&smile=1.00")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_in_a_notebook_its_settings_are_traits(visit, folder):
    made = computed(folder, face="gallery-3", smile=0.5)
    state = {name: getattr(made, name) for name in ("element", "settings", "weights", *made.settings)}
    stub = """
        import widget from "./studio.js";
        const state = STATE, sent = globalThis.sent = [];
        globalThis.model = { get: (name) => state[name], set: (name, value) => sent.push([name, value]),
            save_changes: () => {}, on() {}, off() {} };
        widget.render({ model, el: document.body });"""
    stub = stub.replace("STATE", json.dumps(state | {"models": "models/tiny.bin"}))
    page = f"<!doctype html><link rel=icon href='data:,'><body><script type=module>{stub}</script>"
    (folder / "studio.js").write_text(bundle.widget(), encoding="utf-8")
    (folder / "notebook.html").write_text(page, encoding="utf-8")
    page = visit(name="notebook.html")
    assert apart(pictures(page, AFTER)[0], flat(made.picture)) <= HALF
    slider(page, "Antennae").press("End")  # of which the widget has no trait
    slider(page, "Smile").press("Home")
    faces(page).nth(0).click()
    rests(page)
    assert page.evaluate("sent") == [["smile", -1], ["face", "gallery-1"]]
