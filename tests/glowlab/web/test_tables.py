"""The explorers' tables, as traits of widgets and as names for teachers; what a page is told of a model."""

import subprocess
import sys

import pytest
import torch
import traitlets

from glowlab.explorers.precomputed import Precomputed
from glowlab.web import measured, tables
from glowlab.web.widgets import TemperatureExplorer
from glowlite import Glow, GlowConfig

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
    script = "import sys; from glowlab.web.widgets import TemperatureExplorer as T; " + (
        "T(models='models/tiny.bin')._repr_mimebundle_(); print('torch' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "False"


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
