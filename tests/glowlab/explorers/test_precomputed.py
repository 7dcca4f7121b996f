"""Labelled faces under a model, the directions that few of them give, and the measurements stored beside weights."""

import logging

import pytest
import torch

from glowlab.explorers import precomputed
from glowlab.explorers.labelled import COUNT, REACH, SEED, Labelled, direction, labels, project
from glowlite import checkpoint
from glowlite import latents as latent_space
from glowlite.data import faces
from glowlite.errors import GlowliteError


@pytest.fixture
def labelled(model, directions) -> Labelled:
    return Labelled(model, directions)


def encode(labelled, count) -> Labelled:
    done = list(labelled.encode(count))
    assert done == sorted(done) and (not done or done[-1] == count)
    return labelled


def test_the_labels_are_those_of_the_drawn_faces():
    drawn = faces.draw(20, 16, SEED).attributes
    mine = labels(["beard", "smile"], 20)
    assert torch.equal(mine["beard"], drawn["beard"]) and torch.equal(mine["smile"], drawn["smile"])


def test_a_direction_finds_what_the_labels_do(model):
    """Latents that are noise plus label times a known step: with minus without must give that step, REACH long."""
    torch.manual_seed(0)
    values = torch.rand(4000) * 2 - 1
    step = [torch.randn(1, *shape) for shape in model.latent_shapes]
    eps = [0.1 * torch.randn(4000, *s.shape[1:]) + values.view(-1, 1, 1, 1) * s for s in step]
    found = direction(eps, values)
    for a, b in zip(found, step, strict=True):
        assert torch.allclose(a, REACH * b, atol=0.03)


def test_places_count_steps(model, directions):
    step = directions["smile"]
    start = [torch.zeros(1, *shape) for shape in model.latent_shapes]
    for amount in (0.0, -0.5, 2.0):
        assert project(latent_space.add(start, step, amount), step).item() == pytest.approx(amount, abs=1e-5)


def test_faces_are_encoded_as_far_as_needed(labelled, model):
    assert not labelled.ready(10)
    encode(labelled, 10)
    assert labelled.ready(10) and not labelled.ready(10, 1) and list(labelled.encode(10)) == []
    encode(labelled, 20)
    wanted = model.encode(faces.draw(20, 16, SEED).images)
    mine = [eps.float() for eps in latent_space.cat(labelled.rows)]
    for a, b in zip(mine, wanted, strict=True):
        assert torch.allclose(a, b, atol=2e-2)  # stored as float16
    tens = [latent_space.flatten(labelled.find(10, batch)["beard"]) for batch in (0, 1)]
    assert torch.cosine_similarity(*tens).item() < 0.9
    wanted = direction([eps[10:20] for eps in mine], labels(["beard"], 20)["beard"][10:])
    assert torch.allclose(tens[1], latent_space.flatten(wanted))
    with pytest.raises(GlowliteError, match="100 labels need"):
        labelled.find(100)


def test_only_attributes_that_faces_have_are_labelled(labelled):
    assert labelled.names == ["smile", "hair_colour", "beard"]


def test_stored_measurements_come_back(model, directions, card, tmp_path, monkeypatch):
    monkeypatch.setattr(precomputed, "COUNT", 120)
    monkeypatch.setattr(precomputed, "STORED", (100,))
    path = checkpoint.save(tmp_path / "small.safetensors", model, card)
    checkpoint.save_directions(path, directions)
    words = []
    precomputed.measure(path, words.append)
    assert words[0].endswith("labelled faces encoded") and words[-1].endswith("temperatures measured")
    back = precomputed.load(path)
    straight = Labelled(model, checkpoint.load_directions(path))
    encode(straight, 120).place()
    assert torch.allclose(back.radii, straight.radii, atol=2e-3) and len(back.radii) == 120
    for name in straight.names:
        assert torch.allclose(back.positions[name], straight.positions[name], rtol=2e-3, atol=2e-3)
        pair = [latent_space.flatten(found[name]) for found in (back.few[100], straight.find(100))]
        assert torch.cosine_similarity(*pair).item() > 0.999
    assert back.pca.components.shape == (48, 19) and back.pca.mean.shape == (48,)
    assert back.points[0].temperature == 0 and back.points[-1].temperature == pytest.approx(1.3)


def test_most_models_have_no_stored_measurements(model, card, tmp_path):
    path = checkpoint.save(tmp_path / "small.safetensors", model, card)
    assert precomputed.load(path).positions == {} and precomputed.load(path).points == []


@pytest.mark.parametrize("damage", ["other weights", "other directions", "cut short", "another file"])
def test_a_file_that_does_not_belong_is_left_out(model, card, tmp_path, caplog, damage):
    path = checkpoint.save(tmp_path / "small.safetensors", model, card)
    where = precomputed.find_file(path)
    checkpoint.write_state(where, {"places": torch.zeros(3, 1)}, {"model_sha256": "0", "names": ["smile"]})
    if damage == "other directions":
        facts = {**precomputed.hash_files(path), "names": ["smile"], "directions_sha256": "0"}
        checkpoint.write_state(where, {"places": torch.zeros(3, 1)}, facts)
    if damage == "cut short":
        where.write_bytes(where.read_bytes()[:40])
    if damage == "another file":
        right = {**precomputed.hash_files(path), "names": ["smile"]}
        checkpoint.write_state(where, {"places": torch.zeros(3, 1)}, right)
    with caplog.at_level(logging.WARNING, "glowlab.explorers"):
        assert precomputed.load(path).positions == {}
    words = "other weights or directions" if damage.startswith("other") else "left out"
    assert words in caplog.text


def test_what_ships_is_small_and_fits_the_model_that_ships():
    found = precomputed.load("faces64")
    assert precomputed.find_file("faces64").stat().st_size < 800_000
    assert set(found.positions) == set(found.few[100]) == set(found.few[1000]) == set(faces.ATTRIBUTES)
    assert len(found.radii) == COUNT and 0.95 < found.radii.mean() < 1.02
    true = labels(list(found.positions))
    for name, positions in found.positions.items():  # each direction sorts the faces by what it is named after
        least = 0.25 if name in faces.ABSENT else 0.7  # where most have none, the rest of a face counts for more
        assert torch.corrcoef(torch.stack([positions, true[name]]))[0, 1] > least, name
    own = checkpoint.load_directions("faces64")
    for name, few in found.few[100].items():  # more labels, less chance
        alike = [
            torch.cosine_similarity(latent_space.flatten(d), latent_space.flatten(own[name])).item()
            for d in (few, found.few[1000][name])
        ]
        assert (0.03 if name in faces.ABSENT else 0.05) < alike[0] < alike[1], name
    odd = [point.residual for point in found.points]
    assert odd == sorted(odd) and found.points[0].spread == 0
    new = found.pca.residual(faces.draw(64, 64, seed=7).images)
    assert odd[3] < new < odd[-1]  # cool samples are cleaner than drawn faces, wild ones are not, as in notebook 10


def test_a_model_that_does_not_exist_is_one_sentence():
    with pytest.raises(GlowliteError, match="no model 'nowhere'"):
        precomputed.measure("nowhere")
