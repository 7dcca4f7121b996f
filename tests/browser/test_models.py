"""Drawn faces or real ones: the choice on every explorer's page, and the Mona Lisa who smiles after two clicks."""

import numpy as np
import pytest

from .conftest import LONG, Served, Watched
from .test_accessible import EXPLORERS, violations
from .visitor import PHONE, WIDE, at, comes_back, looks, pictures, rests, slider
from .web_site import make_model

REAL = "?model=portraits64"
BEFORE, AFTER = ".gl-pair > :nth-child(1)", ".gl-pair > :nth-child(2)"
SHOWN = {"studio": AFTER, "temperature": ".gl-grid"} | dict.fromkeys(
    ("interpolation", "attributes"), ".gl-trio > :nth-child(2)"
)


@pytest.fixture
def watched(server, browser):
    made = Watched(browser, server.address, viewport=WIDE)
    yield made
    made.context.close()
    assert not made.wrong


@pytest.fixture(scope="module", params=EXPLORERS)
def opened(request, server, browser):
    """Each explorer with the model of real faces."""
    made = Watched(browser, server.address, viewport=WIDE)
    made.open(server.explorer(request.param, REAL))
    rests(made.page)
    yield request.param, made.page
    made.context.close()
    assert not made.wrong


def arrives(page, **state: str | None) -> None:
    """Wait until another page has come, and rests so."""
    page.wait_for_selector("html.gl-ready [data-state=resting]")
    rests(page, **state)


def choice(page, faces: str):
    return page.get_by_role("navigation", name="Faces the model learned from").get_by_role("link", name=faces)


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_mona_lisa_smiles_after_two_clicks(server, watched, viewport):
    page = watched.page
    page.set_viewport_size(viewport)
    page.goto(server.address, timeout=LONG)
    page.get_by_role("link", name="Make the Mona Lisa smile").click()
    arrives(page, model="portraits64", face="mona-lisa")
    (still,) = pictures(page, BEFORE)
    assert np.abs(pictures(page, AFTER)[0] - still).max() == 0
    smile = slider(page, "Smile")
    smile.scroll_into_view_if_needed()
    page.mouse.click(*at(smile, 1.0))
    rests(page, smile="1.00")
    moved = np.abs(pictures(page, AFTER)[0] - still).mean(-1)
    high = len(moved)
    mouth, brow = moved[int(0.6 * high) : int(0.95 * high)].mean(), moved[: int(0.2 * high)].mean()
    assert mouth > 4 and mouth > 1.3 * brow, (mouth, brow)
    assert page.locator(".gl-says").first.inner_text() == "Mona Lisa with a much bigger smile."
    assert "FairFace" in page.locator(".gl-foot").inner_text()


def test_one_changes_to_real_faces_and_back_with_a_click(server, watched):
    page = watched.open(server.explorer("interpolation"))
    rests(page)
    assert choice(page, "drawn").get_attribute("aria-current") == "true" and "model" not in page.url
    choice(page, "real").click()
    arrives(page, model="portraits64")
    assert choice(page, "real").get_attribute("aria-current") == "true"
    assert "Mona Lisa" in page.locator(".gl-says").first.inner_text()
    page.locator(".gl-bar").get_by_role("link", name="Attributes").click()
    arrives(page, model="portraits64")
    assert "Mona Lisa" in page.locator(".gl-says").first.inner_text()
    choice(page, "drawn").click()
    arrives(page, model=None)
    assert "allery face 11" in page.locator(".gl-says").first.inner_text()
    assert "FairFace" not in page.locator(".gl-foot").inner_text()


def test_controls_leave_the_choice_out(server, watched):
    page = watched.page
    page.goto(server.explorer("studio", f"{REAL}&controls=smile"), timeout=LONG)
    arrives(page, model="portraits64", controls="smile")
    assert page.locator(".gl-models").count() == 0
    page.goto(server.explorer("studio", f"{REAL}&controls=smile,model"), timeout=LONG)
    arrives(page, controls="smile,model")
    choice(page, "drawn").click()
    arrives(page, controls="smile,model", model=None)
    assert page.get_by_role("slider").count() >= 1 and page.get_by_role("alert").count() == 0


def test_a_model_that_there_is_not_is_one_sentence(server, watched):
    page = watched.open(server.explorer("temperature", "?model=celebrities"))
    page.get_by_role("alert").filter(has_text="model=celebrities; that was left out").wait_for()
    rests(page)
    assert choice(page, "drawn").get_attribute("aria-current") == "true"


@pytest.mark.slow
def test_a_model_of_ones_own_opens_first(chromium, browser, tmp_path):
    make_model(tmp_path / "mine.safetensors")
    running = Served("", "--model", str(tmp_path / "mine.safetensors"))
    watched = Watched(browser, running.address, viewport=WIDE)
    try:
        page = watched.open(running.explorer("studio", "?face=gallery-2&smile=0.5"))
        assert pictures(page, AFTER).shape == (1, 16, 16, 3) and slider(page, "Antennae").count() == 1
        models = page.get_by_role("navigation", name="Models")
        assert models.get_by_role("link").all_inner_texts() == ["mine", "drawn", "real"]
        models.get_by_role("link", name="drawn").click()
        arrives(page, model="faces64")
        assert pictures(page, AFTER).shape == (1, 64, 64, 3)
    finally:
        watched.context.close()
        running.stop()
    assert not watched.wrong


def test_the_state_stays_in_the_address(opened):
    name, page = opened
    if name == "studio":
        slider(page, "Age").press("End")
        rests(page, age="1.00", model="portraits64")
    comes_back(page, SHOWN[name])
    page.go_back()
    arrives(page, model="portraits64")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_axe_finds_no_violation(opened, viewport, theme):
    _, page = opened
    page.set_viewport_size(viewport)
    page.emulate_media(color_scheme=theme)
    rests(page)
    assert violations(page) == []


def test_nothing_overlaps_or_leaves_the_window(opened):
    name, page = opened
    rests(page)
    assert looks(page, f"{name}-real") == []
