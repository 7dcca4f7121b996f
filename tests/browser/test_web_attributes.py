"""The explorer of attributes as a web component on a static page: what it computes, and what a visitor does there."""

import re

import pytest
import torch

from glowlab.explorers.editing import paint_change
from glowlab.explorers.labelled import Labelled, project
from glowlab.web import static
from glowlab.web.widgets import AttributesExplorer
from glowlite import latents

from .conftest import click
from .visitor import PHONE, apart, card, number, pictures, says, shown, slider, upload
from .web_site import Site, flat, png, read, rests, visits

BEFORE, AFTER, CHANGE = (f".gl-trio > :nth-child({i})" for i in (1, 2, 3))
PLACES, OVERLAP = "Where this face lies", "How the directions overlap"
EXPLORER = "attributes"
HALF = 2  # grey levels by which weights of float16 may change a picture


def faces(page):
    return page.get_by_role("radiogroup", name="Faces to start from").get_by_role("radio")


def computed(folder, name: str = "tiny", **settings) -> AttributesExplorer:
    """The same by PyTorch."""
    return AttributesExplorer(folder / f"{name}.safetensors", **settings)


def picture(page, where: str) -> torch.Tensor:
    return torch.from_numpy(pictures(page, where)[0]).permute(2, 0, 1).byte()


def chart(page, title: str) -> str:
    return card(page, title).get_by_role("img").get_attribute("aria-label")


def option(page, words: str):
    return page.get_by_role("radio", name=words, exact=True)


# ---- what it computes ----------------------------------------------------------------------------------------------


def test_it_opens_on_an_edit_and_shows_where_it_changed(visit, folder):
    page, made = visit(), computed(folder)
    rests(page, "?face=gallery-11&smile=0.70")
    assert apart(pictures(page, AFTER)[0], flat(made.picture)) <= HALF
    assert apart(pictures(page, BEFORE)[0], flat(made.find("gallery-11").image)) == 0
    assert apart(pictures(page, CHANGE)[0], flat(paint_change(picture(page, BEFORE), picture(page, AFTER)))) <= 1
    assert says(page) == "Gallery face 11 with a bigger smile."
    label = page.locator(f"{CHANGE} canvas").get_attribute("aria-label")
    assert re.fullmatch(r"Where it changed: most .*\. 64 grey levels are brightest\.", label)
    assert number(page, "Bits per dimension") > 0 and number(page, "Change from the start") > 0


@pytest.mark.parametrize("asked", [{"labels": "10"}, {"labels": "10", "ten": 4}, {"labels": "100"}])
def test_directions_from_few_labels_are_those_of_pytorch(visit, folder, asked):
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    page, made = visit(f"?face=gallery-3&smile=0.80&{query}"), computed(folder, face="gallery-3", smile=0.8, **asked)
    assert apart(pictures(page, AFTER)[0], flat(made.picture)) <= HALF
    alike = torch.cosine_similarity(*(torch.cat([eps.flatten() for eps in each["smile"]]) for each in
                                      (made.steps, made.directions)), 0).item()  # fmt: skip
    note = card(page, "How many labels").locator(".gl-says").inner_text()
    assert note.startswith(f"From {asked['labels']} labels: the direction of smile has cosine ")
    assert float(re.search(r"cosine (-?[\d.]+) with", note)[1]) == pytest.approx(alike, abs=0.011)
    assert says(page).endswith(f", as far as {asked['labels']} labels know it.")


def test_charts_tell_their_numbers(visit, folder):
    page, made = visit("?face=gallery-3&smile=0.50"), computed(folder, face="gallery-3", smile=0.5)
    stored = static.export.precomputed.load(folder / "tiny.safetensors")
    labels = Labelled(made.model, made.directions).labels["smile"][:100]
    has = labels > labels.median()
    step = made.directions["smile"]
    before, after = (project(eps, step).item() for eps in (made.find("gallery-3").latents, made.latents))
    found = [float(value.replace("\u2212", "-")) for value in re.findall(r"[+\u2212]\d\.\d\d", chart(page, PLACES))]
    means = [stored.positions["smile"][part].mean().item() for part in (~has, has)]
    assert found == pytest.approx([*means, before, after], abs=0.011)
    steps = torch.cat([latents.flatten(each) for each in made.directions.values()])
    cosines = torch.nn.functional.normalize(steps) @ torch.nn.functional.normalize(steps).T
    (told,) = re.findall(r"with ([+\u2212]\d\.\d\d)\.", chart(page, OVERLAP))
    most = (cosines - torch.eye(3)).abs().max().item()
    assert abs(float(told.replace("\u2212", "-"))) == pytest.approx(most, abs=0.006)
    option(page, "Hair colour").check(force=True)
    rests(page, "?face=gallery-3&smile=0.50&look=hair_colour")
    assert "lie along hair colour" in chart(page, PLACES)


def test_long_steps_are_held(visit, folder):
    asked = {"face": "fresh-1-1.20-1", "smile": 1.0, "hair_colour": 1.0, "labels": "10", "ten": 2}
    page, made = visit("?" + "&".join(f"{name}={value}" for name, value in asked.items())), computed(folder, **asked)
    assert apart(pictures(page, AFTER)[0], flat(made.picture)) <= HALF
    heat = torch.cat([eps.flatten() for eps in made.latents]).square().mean().sqrt().item()
    assert number(page, "Effective temperature") == pytest.approx(heat, abs=0.006) == pytest.approx(1.3, abs=0.006)
    assert "held at an effective temperature of 1.3" in page.locator(".gl-hint").first.inner_text()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "labels"), [("faces64", "100"), ("portraits64", "10")])
def test_models_that_ship_answer_as_pytorch_does(browser, tmp_path, name, labels):
    static.write("attributes", [name], tmp_path)
    running = Site(tmp_path, "attributes.html")
    with visits(browser, running) as visit:
        page, made = visit(f"?smile=0.6&labels={labels}"), AttributesExplorer(name, smile=0.6, labels=labels)
        assert apart(pictures(page, AFTER)[0], flat(made.picture)) <= HALF
        assert "Where 1,000 labelled faces lie along smile" in chart(page, PLACES)
    running.stop()


# ---- what a visitor does -------------------------------------------------------------------------------------------


def test_sliders_labels_and_reset(visit):
    page = visit("?face=gallery-3")
    start = pictures(page, AFTER)
    slider(page, "Antennae").press("End")
    rests(page, "?face=gallery-3&antennae=1.00&look=antennae")
    option(page, "10").check(force=True)
    rests(page, "?face=gallery-3&antennae=1.00&labels=10&look=antennae")
    click(page, "Ten others")
    rests(page, "?face=gallery-3&antennae=1.00&labels=10&ten=2&look=antennae")
    slider(page, "Smile").press("End")
    rests(page, "?face=gallery-3&smile=1.00&antennae=1.00&labels=10&ten=2")
    moved, said = pictures(page, AFTER), says(page)
    page.reload()
    rests(page, "?face=gallery-3&smile=1.00&antennae=1.00&labels=10&ten=2")
    assert apart(pictures(page, AFTER), moved) == 0 and says(page) == said
    option(page, "the model's own").check(force=True)
    rests(page)
    assert page.get_by_role("button", name="Ten others").is_disabled()
    click(page, "Reset")
    rests(page)
    assert apart(pictures(page, AFTER), start) == 0 and says(page) == "Gallery face 3, unchanged."
    click(page, "Surprise me")
    rests(page)
    assert "unchanged" not in says(page)


def test_a_picture_of_ones_own_comes_back_exactly(visit):
    page = visit()
    upload(page, "Your own picture", png(), "mouse")
    page.get_by_role("alert").filter(has_text="every pixel is the same").wait_for()
    rests(page, "?face=own")
    assert apart(pictures(page, BEFORE)[0], read(png())) == apart(pictures(page, AFTER)[0], read(png())) == 0
    assert faces(page).last.get_attribute("aria-checked") == "true"
    faces(page).nth(1).click()
    rests(page, "?face=gallery-2")


def test_what_an_address_asks_in_vain_is_said(visit):
    page = visit("?labels=1000&ten=99&look=nose&smile=x&face=gallery-2&controls=smile,labels,moon")
    text = page.get_by_role("alert").inner_text()
    for asked in ("labels=1000", "ten=99", "look=nose", "smile=x", "controls=moon"):
        assert asked in text
    assert {"Smile", "How many labels", "Labels", "Ten others"} <= shown(page) and "Hair colour" not in shown(page)


def test_a_model_of_real_faces(visit):
    page = visit("?model=real")
    rests(page, "?model=real&face=mona-lisa&smile=0.80")
    assert faces(page).count() == 13 and page.locator(".gl-portraits").count() == 1


# ---- everywhere, and for everyone ----------------------------------------------------------------------------------


def test_touch_on_a_phone(visit):
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    faces(page).nth(2).tap()
    rests(page, "?face=gallery-3&smile=0.70")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
