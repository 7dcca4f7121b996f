"""The two commands of notebook 15b, at a tiny size: what they record is what the notebook's figures take."""

import json

import pytest

from benchmarks import attention, notes
from glowlab.figures import after_glow as figures
from glowlab.sound import flow


@pytest.mark.slow
def test_notes_are_trained_tried_recorded_and_shipped(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(notes, "COUNT", 512)
    out, ship = tmp_path / "notes.json", tmp_path / "shipped" / "notes.safetensors"
    given = ["--seconds", "0.1", "--train", "0.1", "--out", str(out), "--ship", str(ship)]
    assert notes.main(given) == 0
    runs = figures.load_runs("notes", tmp_path)
    assert [(run["form"], run["coupling"]) for run in runs] == [
        ("wave", "affine"), ("spectrum", "affine"), ("turns", "affine"), ("turns", "additive")
    ]  # fmt: skip
    assert all(run["wrong_samples"] == 0 and len(run["pitch"]) == len(run["stops"]) for run in runs)
    assert figures.reach(runs).shown().png
    model, directions = flow.load(ship)
    assert len(directions) == len(model.levels)
    assert json.loads(ship.with_suffix(".json").read_text())["training"]["seconds"] == 0
    assert "| turns | additive |" in capsys.readouterr().out
    before = out.read_text()
    monkeypatch.setattr(notes, "train", None)
    assert notes.main(given[:2] + given[4:]) == 0, "what is recorded is not run again"
    assert out.read_text() == before


@pytest.mark.slow
def test_a_flow_of_transformers_is_measured_beside_glow(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(attention, "COUNT", 256)
    monkeypatch.setattr(attention, "HELD_OUT", 8)
    monkeypatch.setattr(attention, "RATES", (1e-3,))
    monkeypatch.setattr(attention, "MODELS", {name: attention.MODELS[name] for name in ("Glow", "transformers")})
    assert attention.main(["--seconds", "0.1", "--out", str(tmp_path / "attention.json")]) == 0
    runs = figures.load_runs("attention", tmp_path)
    assert [run["name"] for run in runs] == ["Glow", "transformers"]
    assert all(run["round_trip"] < 0.01 and run["curve"] for run in runs)
    assert figures.learning(runs, "bits per dimension").shown().png
    assert "| transformers |" in capsys.readouterr().out
