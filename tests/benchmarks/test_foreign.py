"""The measurement of foreign pictures: the areas it writes are those of its numbers; without data a model is left."""

import json

import pytest

from benchmarks import foreign
from glowlab.foreign import load_foreign
from glowlite.errors import GlowliteError


def test_the_areas_that_ship_are_those_of_the_numbers_that_ship():
    for one in load_foreign()["models"].values():
        for name, row in foreign.areas(one["sets"]).items():
            assert row == pytest.approx(one["auroc"][name], abs=2e-4)


def test_the_table_shows_every_set_and_the_means():
    lines = foreign.table(load_foreign()["models"]).splitlines()
    assert len(lines) == 2 + 8 + 1 and lines[-1].startswith("| mean")


def test_a_model_without_its_pictures_keeps_what_is_recorded(tmp_path, monkeypatch, capsys):
    path = tmp_path / "foreign.json"
    models = load_foreign()["models"]
    path.write_text(json.dumps({"models": models}))

    def nothing(name, count):
        raise GlowliteError("there is no data set")

    monkeypatch.setattr(foreign, "numbers_of", nothing)
    monkeypatch.setattr("sys.argv", ["foreign", "--out", str(path)])
    foreign.main()
    assert json.loads(path.read_text())["models"] == models
    assert "faces64 is left as it is recorded" in capsys.readouterr().out
