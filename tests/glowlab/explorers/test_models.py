"""The models that explorers offer, and what is measured of real faces."""

import numpy as np
import pytest
import torch

from glowlab.explorers import precomputed
from glowlab.explorers.labelled import FEW
from glowlab.explorers.models import MODELS, asked_model, credit, find_weights, list_models
from glowlite import checkpoint
from glowlite import latents as latent_space
from glowlite.data import faces
from glowlite.errors import GlowliteError


@pytest.fixture
def real(card) -> dict:
    """The card of a model of real faces."""
    return {**card, "data": "people"}


# ---- the model of an address --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "model"),
    [
        ("", "faces64"),
        ("face=gallery-2", "faces64"),
        ("model=faces64", "faces64"),
        ("?smile=1&model=portraits64", "portraits64"),
        ("model=", "faces64"),
        ("model=runs/mine.safetensors", "faces64"),  # no file of the server's is opened by an address
        ("model=../../etc/passwd", "faces64"),
    ],
)
def test_an_address_asks_for_one_of_the_models_that_ship(query, model):
    assert asked_model(query, list_models()) == model


def test_every_model_that_can_be_asked_for_ships_with_directions_and_measurements():
    for name in MODELS:
        found = precomputed.load(name)
        assert set(checkpoint.load_directions(name)) == set(found.positions)
        assert found.pca and len(found.points) == 14 and set(FEW[1:]) <= set(found.few)


def test_a_model_of_ones_own_comes_first_and_must_be_a_file(tmp_path, model, card):
    path = str(checkpoint.save(tmp_path / "mine.safetensors", model, card))
    assert list_models() == list(MODELS) == ["faces64", "portraits64"]
    assert list_models("portraits64") == ["portraits64", "faces64"]
    assert list_models(path) == [path, *MODELS]
    assert str(find_weights(path)) == path and find_weights("faces64") == checkpoint.find("faces64")
    for wrong in ("celebrities", "faces32.safetensors", __file__):
        with pytest.raises(GlowliteError, match="There is no model"):
            list_models(wrong)


def test_who_is_to_be_credited_is():
    words = credit("portraits64")
    assert "FairFace (Karkkainen & Joo 2021), CC BY 4.0." in words and "NASA" in words


# ---- what is measured ----------------------------------------------------------------------------------------


@pytest.fixture
def people(tmp_path, monkeypatch) -> None:
    """A data set with measured labels, made of drawn faces."""
    monkeypatch.setenv("GLOWLITE_DATA", str(tmp_path))
    arrays = {}
    for split, seed in (("train", 3), ("test", 4)):
        images, attributes = faces.draw(120, 16, seed)
        arrays[f"{split}_images"] = images.movedim(1, -1).numpy()
        arrays |= {f"{split}_{name}": 7 + 3 * attributes[name].numpy() for name in ("smile", "beard")}
    arrays["test_beard"][5] = np.nan  # not measured on this one
    np.savez(tmp_path / "people.npz", **arrays)


def test_measurements_of_real_faces_come_from_their_labels(model, directions, real, people, tmp_path, monkeypatch):
    monkeypatch.setattr(precomputed, "COUNT", 100)
    path = checkpoint.save(tmp_path / "small.safetensors", model, real)
    checkpoint.save_directions(path, {name: directions[name] for name in ("smile", "beard")})
    precomputed.measure(path)
    found = precomputed.load(path)
    assert sorted(found.few) == [10, 100] and len(found.radii) == len(found.labels["smile"]) == 100
    for values in found.labels.values():
        assert values.mean().abs() < 1e-2 and values.std().item() == pytest.approx(3**-0.5, rel=0.02)
    assert found.real.residual > 0 and found.real.spread > 0
    step = latent_space.flatten(found.few[100]["smile"])
    assert torch.isfinite(step).all() and step.norm() > 0


def test_without_the_data_nothing_is_measured(model, directions, real, tmp_path, monkeypatch):
    monkeypatch.setenv("GLOWLITE_DATA", str(tmp_path))
    path = checkpoint.save(tmp_path / "small.safetensors", model, real)
    checkpoint.save_directions(path, directions)
    with pytest.raises(GlowliteError, match="people"):
        precomputed.measure(path)
