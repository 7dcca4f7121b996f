"""Every explorer with models of one's own: grey ones, and ones whose card lacks numbers or holds NaN."""

import json
import math
import re

import numpy as np
import pytest
import torch
from PIL import Image

from glowlab.explorers import precomputed
from glowlab.explorers.gallery import PORTRAITS
from glowlab.explorers.pca import PCA
from glowlab.explorers.samples import SampleQuality
from glowlab.web import bundle, export, static
from glowlab.web.widgets import EXPLORERS
from glowlite import checkpoint
from glowlite.data.pictures import read_picture
from glowlite.glow import Glow, GlowConfig
from tests.helpers import perturb

from .odd_pictures import encode
from .visitor import apart, pictures, slider
from .web_site import Site, draw_directions, flat, rests, visits

NAN = math.nan
CARDS = {
    "bare": {},
    "nan": {"data": "shoes", "held_out": {"bits_per_dim": NAN, "spread": None}, "notes": [NAN, {"loss": math.inf}]},
    "null": {"data": "shoes", "held_out": None},
    "grey": {"data": "mnist", "held_out": {"bits_per_dim": 6.0, "spread": 0.4}},
}


def make(path, card: dict, channels: int) -> None:
    """A small model with a direction, and measurements in which some numbers are missing."""
    torch.manual_seed(0)
    model = Glow(GlowConfig((channels, 16, 16), levels=2, depth=1, width=8))
    perturb(model, torch.rand(32, channels, 16, 16) - 0.5, 0.02)
    checkpoint.save(path, model.eval(), {})
    file = path.with_suffix(".json")
    file.write_text(json.dumps(json.loads(file.read_text()) | card))  # by hand: a run writes no NaN
    checkpoint.save_directions(path, {"heel": draw_directions(model, 1)[0]})
    places = torch.randn(100)
    places[::7] = NAN
    parts = torch.rand(40, 16 * channels) * 255
    pca = PCA.fit(parts) if channels == 3 else PCA(torch.full((16,), NAN), torch.rand(16, 4))
    stops = [SampleQuality(0.1 * stop, NAN if stop == 3 else 1.0, 4.0 * stop) for stop in range(14)]
    radii = torch.cat([1 + 0.02 * torch.randn(99), torch.tensor([NAN])])
    real = SampleQuality(0.0, 6.0, NAN)
    found = precomputed.Precomputed({"heel": places}, {}, radii, pca, stops, real, {"heel": places.roll(1)})
    precomputed.write(path, ["heel"], found)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    for name, card in CARDS.items():
        make(folder / f"{name}.safetensors", card, 1 if name == "grey" else 3)
    addresses = [f"models/{export.write(folder / f'{name}.safetensors', folder / 'models')[0].name}" for name in CARDS]
    for name in EXPLORERS:
        page = static.render(name, folder / "bare.safetensors", addresses)
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    (folder / "explorers.js").write_text(bundle.script(), encoding="utf-8")
    running = Site(folder, "studio.html")
    yield running
    running.stop()


@pytest.fixture
def visit(browser, site):
    with visits(browser, site) as opened:
        yield opened


@pytest.mark.parametrize("model", CARDS)
@pytest.mark.parametrize("name", EXPLORERS)
def test_no_number_that_is_not_finite_and_no_face_is_spoken_of(visit, name, model):
    page = visit(f"?model={model}", name=f"{name}.html")
    for fold in page.locator("[aria-expanded=false]").all():
        fold.click()
    rests(page)
    for moved in page.get_by_role("slider").all()[:3]:
        moved.press("End")
        rests(page)
    assert page.get_by_role("alert").is_hidden()
    html = page.locator(".gl-explorer").evaluate("(e) => e.outerHTML")
    assert not re.search(r"\bNaN\b|Infinity|undefined", html)
    said = page.evaluate(
        """() => [...document.querySelectorAll(".gl-explorer *")].flatMap((e) => [e.ariaLabel, e.title,
            ...[...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data)]).filter(Boolean)"""
    )
    assert len(said) > 30 and not [words for words in said if re.search(r"\b(face|person|people)s?\b", words, re.I)]
    assert any("picture" in words for words in said)
    if name == "attributes":
        assert any(words.startswith("Where 70 labelled pictures lie") for words in said)


def test_a_colour_picture_becomes_grey_and_comes_back(visit):
    page = visit("?model=grey")
    start = flat(read_picture(PORTRAITS / "mona_lisa.png", 16, channels=1)).repeat(3, -1)
    assert apart(pictures(page, ".gl-pair")[0], start) <= 1
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    file = {"name": "me.png", "mimeType": "image/png", "buffer": encode(noise)}
    page.get_by_label("Your own picture").set_input_files(file)
    page.get_by_role("alert").filter(has_text="every pixel is the same").wait_for()
    rests(page, "?model=grey&face=own")
    expected = flat(read_picture(encode(noise), 16, channels=1)).repeat(3, -1)
    shown = pictures(page, ".gl-pair")
    assert apart(shown, expected) <= 1
    slider(page, "Heel").press("End")
    rests(page, "?model=grey&face=own&heel=1.00")
    assert apart(pictures(page, ".gl-pair")[1], expected) > 1


def test_where_the_eyes_are_is_not_known_the_square_at_the_middle_is_used(visit):
    page = visit("?model=bare")
    wide = np.array(Image.linear_gradient("L").resize((90, 40)).convert("RGB"))
    file = {"name": "me.png", "mimeType": "image/png", "buffer": encode(wide)}
    page.get_by_label("Your own picture").set_input_files(file)
    page.get_by_role("alert").filter(has_text="It stays on this device: nothing is sent.").wait_for()
    rests(page)
    square = Image.fromarray(wide).crop((25, 0, 65, 40)).resize((16, 16), Image.Resampling.LANCZOS)
    assert np.abs(pictures(page, ".gl-pair")[0] - np.array(square).astype(int)).max() < 12
