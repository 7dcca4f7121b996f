"""The comparison of a flow with its neighbours: trained weights are kept, and each measure is of known numbers."""

import math

import pytest
import torch

from benchmarks import neighbours
from glowlab.neighbours import MODELS, VAE, load_neighbours, load_record
from glowlite.data import faces


def test_all_three_are_trained_kept_and_not_trained_again(tmp_path, monkeypatch):
    monkeypatch.setattr(neighbours, "IMAGES", dict.fromkeys(MODELS, 64))
    monkeypatch.setattr(neighbours, "VALIDATED", 32)
    monkeypatch.setattr(neighbours, "HELD_OUT", 16)
    path = tmp_path / "weights.safetensors"
    models, facts = neighbours.trained(path)
    assert list(models) == list(MODELS) and all(one["images"] <= 64 for one in facts.values())
    before = path.read_bytes()
    again, _ = neighbours.trained(path)
    assert path.read_bytes() == before
    first, second = (each["vae"].state_dict() for each in (models, again))
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_the_autoregressive_model_stops_where_it_is_good_enough(monkeypatch):
    monkeypatch.setattr(neighbours, "VALIDATED", 32)
    monkeypatch.setattr(neighbours, "HELD_OUT", 8)
    _, facts = neighbours.train_neighbour("autoregressive", enough=100.0)
    assert facts["images"] == 32


def test_bounds_with_more_draws_are_better_and_one_draw_is_the_elbo():
    torch.manual_seed(0)
    vae, images = VAE(latents=4, width=4).eval(), faces.draw(8, size=16, seed=1).images
    found = neighbours.bounds(vae, images, (1, 4, 16))
    assert found["1"] >= found["4"] >= found["16"]
    generator = torch.Generator().manual_seed(neighbours.SEED)
    nats = []
    for _ in range(16):
        said, prior, guessed = vae.terms(images, generator)
        nats.append(said + prior - guessed)
    assert found["1"] == pytest.approx(-torch.stack(nats).mean().item() / 768 / math.log(2), rel=1e-5)


def test_a_linear_reading_reads_a_linear_attribute():
    images = torch.randint(0, 256, (900, 3, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    brightness = images.float().mean((1, 2, 3))
    read = neighbours.read_linear(images, {"brightness": brightness})
    wanted = (brightness - brightness.mean()) / brightness.std()
    assert (read(images)[:, 0] - wanted).abs().max() < 0.05


def test_each_way_there_and_back_gives_the_picture_but_the_vaes():
    models = load_neighbours()
    images = neighbours.pictures_of(neighbours.values_of(faces.draw(2, size=16, seed=9).images))
    back = {name: decode(encode(images)) for name, (encode, decode) in neighbours.ways(models).items()}
    assert torch.equal(neighbours.values_of(back["flow"]), neighbours.values_of(images))
    assert (back["autoregressive"] == images).float().mean() > 0.99
    assert not torch.equal(back["vae"], images)


def test_the_table_has_a_line_for_each_model():
    record = load_record()
    lines = neighbours.table(record).splitlines()
    assert len(lines) == 5 and "(a bound)" in lines[-1]
