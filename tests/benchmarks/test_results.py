"""RESULTS.md: written from the records alone, and a record made from a run's folder or a model."""

import json

import pytest
import torch

from benchmarks import results
from glowlite import evaluation
from glowlite.errors import GlowliteError
from glowlite.glow import PRESETS, Glow, GlowConfig
from glowlite.training.config import TrainConfig
from glowlite.training.loop import train


def test_the_page_is_what_the_command_writes_from_the_records():
    assert results.OUT.read_text(encoding="utf-8") == results.page()


def test_every_record_of_a_training_is_in_the_page_with_its_figures():
    page = results.page()
    found = results.trainings(results.RUNS)
    assert {"faces64", "portraits64"} <= {run["name"] for run in found}
    for run in found:
        held = run["held_out"]
        assert f"| {held['bits_per_dim']:.3f} ± {held['error']:.3f} |" in page and f"`{run['command']}`" in page
        assert {"machine", "versions", "date", "seed"} <= set(run)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a short training."""
    folder = tmp_path_factory.mktemp("runs") / "short"
    config = TrainConfig(
        PRESETS["tiny"], str(folder), images=64, batch=16, init_batch=32, validate_every=32, validation_count=8,
        log_every=32, accelerator="cpu", threads=1, seed=3, flip=True,
    )  # fmt: skip
    train(config, progress=False)
    return folder


def test_a_record_is_made_from_the_folder_of_a_run(run, tmp_path):
    record = json.loads(results.add(run, 8, 2, "A note.", tmp_path).read_text())
    assert record["kind"] == results.KIND and record["name"] == "short" and record["note"] == "A note."
    assert record["images_seen"] == 64 and record["seed"] == 3 and record["curve"]["images"] == [32, 64]
    assert record["command"].startswith("glowlite train --preset tiny") and "--flip" in record["command"].split()
    assert str(run.parent) not in json.dumps(record) and record["held_out"]["pictures"] == 8
    assert results.trainings(tmp_path) == [record]


def test_held_out_bits_are_those_of_evaluation_and_more_noises_cost_fewer(run, tmp_path):
    from glowlite.training.stream import test_pictures

    model, images = results.trained(run)[0].eval(), test_pictures("faces", (3, 16, 16), 8)
    one, four = (results.held_out(model, images, noises) for noises in (1, 4))
    assert one["bits_per_dim"] == pytest.approx(evaluation.bits_per_dim(model, images).mean().item(), abs=1e-4)
    assert one["of_mean_likelihood"] == one["bits_per_dim"] == four["bits_per_dim"]
    each = torch.stack([evaluation.bits_per_dim(model, images, seed=seed) for seed in range(4)])
    best = each.amin(0)  # likelihoods are told in the best one's, as they are too small for a float
    share = torch.exp2((best - each) * model.dims).mean(0)
    assert four["of_mean_likelihood"] == pytest.approx((best - share.log2() / model.dims).mean().item(), abs=1e-4)


def test_operations_of_a_pass_are_counted():
    """Two couplings a level of the tiny preset, and what is learned beside them, times the places."""
    model = Glow(PRESETS["tiny"])
    weights = sum(
        weight.numel() * height * width
        for level, (_, height, width) in zip(model.levels, model.latent_shapes, strict=True)
        for weight in level.parameters()
        if weight.dim() == 4
    )
    assert 2e-9 * weights <= results.gflop(model) < 1.2 * 2e-9 * weights


def test_the_papers_cost_follows_from_operations_and_the_best_rate(monkeypatch):
    monkeypatch.setattr(results, "gflop", lambda model: 1.0 + model.config.depth)  # so 33 at depth 32
    runs = [
        {"name": name, "gflop": 2.0, "images_seen": 100, "seconds": seconds} for name, seconds in (("a", 5), ("b", 1))
    ]
    words = results.paper(runs)
    assert "not measured" in words and "takes 99 GFLOP" in words and "600 GFLOP/s (b)" in words
    assert f"{99 * 50_000 / 600 / 3600:.1f} hours" in words


def test_a_model_of_no_preset_is_refused():
    with pytest.raises(GlowliteError, match="names the preset"):
        results.command(GlowConfig((3, 16, 16), levels=1, depth=1, width=4), {})


def test_what_others_published_stands_beside_ours():
    ours = {"name": "a", "data": "mnist", "parameters": 5, "images_seen": 7}
    held = {"bits_per_dim": 1.5, "noises": 8, "of_mean_likelihood": 1.4}
    lines = results.beside("mnist", [ours | {"held_out": held}, ours | {"data": "faces"}]).splitlines()
    assert [float(line.split("|")[-2]) for line in lines[2:]] == [1.5, 1.4, 1.078, 1.043, 1.020]
    assert {data for data, _, _ in results.PUBLISHED} == {"mnist", "cifar10"}
