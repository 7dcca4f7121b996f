"""The explorers' tables, as traits of widgets and as names for teachers; what a page is told of a model."""

import io
import subprocess
import sys

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

from glowlab.explorers import labelled
from glowlab.explorers.precomputed import Precomputed
from glowlab.web import measured, tables
from glowlab.web.widgets import StudioExplorer, TemperatureExplorer
from glowlite import Glow, GlowConfig
from glowlite.data import faces
from glowlite.errors import GlowliteError

TINY_CONFIG = GlowConfig((3, 16, 16), levels=2, depth=1, width=4)
TINY = "models/tiny.bin"  # an address: no file is asked for


def test_every_setting_is_a_trait_that_keeps_its_range():
    made = TemperatureExplorer(models=TINY)
    assert made.settings == ["face", "levels", "seed", "temperature"]
    assert (made.temperature, made.levels, made.seed, made.face) == (0.7, [], 1, 1)
    for name, wrong in (("temperature", 1.4), ("levels", [0.1, -1.0]), ("face", 17), ("seed", -1)):
        with pytest.raises(traitlets.TraitError):
            setattr(made, name, wrong)


def test_settings_are_observed_and_linked():
    one, other, seen = TemperatureExplorer(models=TINY), TemperatureExplorer(models=TINY), []
    traitlets.link((one, "temperature"), (other, "temperature"))
    other.observe(lambda change: seen.append(change["new"]), "temperature")
    one.levels = [0.1, 0.2, 0.3, 0.4]
    one.temperature = 0.3
    assert seen == [0.3] and other.temperature == 0.3 and one.levels == []


def test_a_page_may_change_settings_alone():
    made = TemperatureExplorer(models=TINY)
    before = made.weights
    made.set_state({"temperature": 0.2, "weights": "other", "models": "elsewhere"})
    assert (made.temperature, made.weights, made.models) == (0.2, before, TINY)


def test_the_pictures_are_samples_of_the_model():
    model = Glow(GlowConfig((3, 8, 8), levels=2, depth=1, width=4))
    model.initialize(torch.rand(16, 3, 8, 8) - 0.5)
    model.eval()
    made = TemperatureExplorer(model, temperature=0.5, seed=4, face=3)
    expected = model.sample(16, 0.5, torch.Generator().manual_seed(4))
    assert torch.equal(made.pictures, expected) and torch.equal(made.picture, expected[2])
    assert "image/png" in made._repr_mimebundle_()
    assert "image/png" not in TemperatureExplorer(model, models=TINY)._repr_mimebundle_()


def test_a_dashboard_imports_no_pytorch():
    script = "import sys; from glowlab.web.widgets import EXPLORERS; " + (
        "[E(models='models/tiny.bin')._repr_mimebundle_() for E in EXPLORERS.values()]; print('torch' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "False"


@pytest.mark.parametrize(
    ("model", "settings", "opened"),
    [
        ("faces64", {}, {"face": "gallery-1", "smile": 0.9, "hair_colour": 0.7}),
        ("faces64", {"smile": 0.2}, {"face": "gallery-1", "smile": 0.2, "hair_colour": 0.0}),
        ("portraits64", {}, {"face": "mona-lisa", "smile": 0.8, "hair_colour": 0.0}),
        ("portraits64", {"age": -1.0}, {"face": "mona-lisa", "smile": 0.0, "age": -1.0}),
    ],
)
def test_the_studio_opens_on_an_example_that_fits_the_model(model, settings, opened):
    made = StudioExplorer(model, models=TINY, **settings)
    assert {name: getattr(made, name) for name in opened} == opened


@pytest.mark.parametrize(("face", "words"), [("own", "stays in the page"), ("nobody", "no face 'nobody'; choose from")])
def test_a_face_that_the_kernel_does_not_have_is_said(face, words):
    model = Glow(GlowConfig((3, 16, 16), levels=2, depth=1, width=4))
    model.initialize(torch.rand(16, 3, 16, 16) - 0.5)
    made = StudioExplorer(model.eval(), card={"data": "faces"}, face=face)
    with pytest.raises(GlowliteError, match=words):
        made.picture  # noqa: B018


def test_names_of_controls_are_those_of_the_table():
    known = ["temperature", "levels", "surprise", "reset", "numbers", "strip", "shell", "quality"]
    assert tables.list_controls("temperature") == known


@pytest.mark.parametrize(
    ("data", "people"),
    [("faces", "drawn faces"), ("celeba32", "real faces"), ("fairface64", "real faces"), ("mnist", "pictures")],
)
def test_a_page_is_told_what_a_model_learned_from(data, people):
    card = {"data": data, "held_out": {"bits_per_dim": 3.0, "spread": None}}
    told = measured.facts(card, Precomputed())
    assert told == {"people": people, "typical": None, "points": [], "real": None}
    assert measured.tensors(Precomputed()) == {}


def test_the_faces_to_start_from_come_along():
    card = {"data": "faces"}
    tensors, known = measured.starts(TINY_CONFIG, card)
    assert tensors["measured.gallery"].shape == (12, 16, 16, 3) and tensors["measured.gallery"].dtype == torch.uint8
    assert known[0] == {"name": "gallery face 1", "key": "gallery-1"}
    tensors, known = measured.starts(TINY_CONFIG, {})
    assert len(tensors["measured.gallery"]) == 13 and known[0] == {"name": "Mona Lisa", "key": "mona-lisa"}
    assert measured.starts(GlowConfig((1, 16, 16), levels=2, depth=1, width=4), card) == ({}, [])


def test_labelled_faces_and_directions_from_few_of_them_come_along():
    assert measured.labels(TINY_CONFIG, Precomputed()) == ({}, {"names": [], "counts": [], "sheet": False})
    positions = {name: torch.randn(20) for name in ("smile", "age")}
    few = {10: {name: [torch.randn(1, 2, 4, 4), torch.randn(1, 8, 2, 2)] for name in positions}}
    tensors, head = measured.labels(TINY_CONFIG, Precomputed(positions, few))
    assert head == {"names": ["smile", "age"], "counts": [10], "sheet": True}
    assert torch.allclose(tensors["measured.places"].float()[1], positions["age"], atol=2e-3)
    assert torch.allclose(tensors["measured.labels"].float()[0], labelled.labels(["smile"], 20)["smile"], atol=1e-3)
    steps, scale = tensors["measured.few.10.1"], tensors["measured.scale.10.1"]
    assert steps.dtype == torch.int8 and steps.shape == (2, 8, 2, 2)
    found = steps * scale.view(2, 1, 1, 1)
    assert (found[0] - few[10]["smile"][1][0]).abs().max() <= 0.51 * scale[0]
    sheet = Image.open(io.BytesIO(tensors["measured.sheet"].numpy().tobytes()))
    expected = faces.draw(100, 16, labelled.SEED).images[23].permute(1, 2, 0)
    assert (np.array(sheet)[32:48, 48:64] == expected.numpy()).all()
    given = {name: torch.full((20,), 0.5) for name in positions}
    own, head = measured.labels(TINY_CONFIG, Precomputed(positions, {}, labels=given))
    assert "measured.sheet" not in own and not head["sheet"]
    assert own["measured.labels"].unique().tolist() == [0.5]


def test_what_is_typical_is_measured_where_the_card_does_not_tell():
    told = measured.facts({"held_out": {"bits_per_dim": 3.0}}, Precomputed(), lambda: torch.tensor([2.0, 4.0]))
    assert told["typical"] == {"mean": 3.0, "spread": pytest.approx(2**0.5)}
    complete = {"held_out": {"bits_per_dim": 3.0, "spread": 0.0}}
    assert measured.facts(complete, Precomputed())["typical"] == {"mean": 3.0, "spread": 1e-3}
