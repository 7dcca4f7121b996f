"""Arrangements beside each other: equal images, equal time, and a record that goes on."""

import json

import pytest
import torch

from benchmarks import arrangements, recipes
from benchmarks.arrangements import ARRANGEMENTS, GLOW, Budget, after, measure, summarize
from glowlite.glow import PRESETS, Glow

TINY = Budget(images=64, data="faces", seeds=1, depth=1, width=8)


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def fake_run(name, budget):
    end = {"lu": 4.0, "shuffle": 4.5, "reverse": 5.0, "realnvp": 3.0}[name] + budget.seed
    cost = 2.0 if name == "realnvp" else 1.0
    return {
        "name": name, **vars(budget), "cost": cost, "parameters": 1, "seconds": 1.0, "seen": [32, 64],
        "bits_per_dim": [end + 2, end],
    }  # fmt: skip


def test_all_share_everything_but_the_arrangement():
    configs = {name: Budget().config(recipe, 100, "x").to_dict() for name, recipe in ARRANGEMENTS.items()}
    first = configs[GLOW]
    for config in configs.values():
        assert {k: v for k, v in config.items() if k != "model"} == {k: v for k, v in first.items() if k != "model"}
        differ = {key for key, value in config["model"].items() if value != first["model"][key]}
        assert differ <= {"permutation", "depth", "checkerboard"}
    model = Budget(width=64).config(ARRANGEMENTS["realnvp"], 100, "x").model
    assert [len(level.steps.flows) for level in Glow(model).levels] == [
        len(level.steps.flows) for level in Glow(PRESETS["realnvp32"]).levels
    ]


def test_a_run_sees_enough_images_for_both_questions(monkeypatch):
    asked = []
    monkeypatch.setattr(recipes, "cost", lambda recipe, budget, first: asked.append(first) or 0.5)
    cheap, glow = arrangements.one_run("reverse", TINY), arrangements.one_run(GLOW, TINY)
    assert asked == [ARRANGEMENTS[GLOW]]
    assert (cheap["seen"][-1], glow["seen"][-1], glow["cost"]) == (128, 64, 1.0)
    assert cheap["parameters"] < glow["parameters"] and glow["bits_per_dim"][-1] < glow["bits_per_dim"][0]


def test_equal_time_gives_a_dear_arrangement_fewer_images():
    run = fake_run("realnvp", TINY)
    assert after(run, 64) == 3.0 and after(run, 48) == 4.0 and after(run, 32) == 5.0 and after(run, 999) == 3.0
    dear = next(row for row in summarize([fake_run(name, TINY) for name in ARRANGEMENTS]) if row["name"] == "realnvp")
    assert (dear["images"], dear["time"], dear["cost"]) == ([3.0], [5.0], 2.0)


def test_finished_runs_are_kept_and_a_stopped_one_goes_on(tmp_path, monkeypatch):
    out, asked, said = tmp_path / "runs.json", [], []

    def stops_at_the_third(name, budget):
        asked.append((name, budget.seed))
        return None if len(asked) == 3 else fake_run(name, budget)

    monkeypatch.setattr(arrangements, "one_run", stops_at_the_third)
    two = Budget(**vars(TINY) | {"seeds": 2})
    assert not measure(two, out, said.append) and len(recipes.read(out)) == 2
    assert measure(two, out, said.append) and len(recipes.read(out)) == len(said) == 8
    assert asked[2] == asked[3] and [seed for _, seed in asked] == 5 * [0] + 4 * [1]
    assert json.loads(out.read_text())["kind"] == "glowlite arrangements"
    assert "3.500 (3.000, 4.000)" in arrangements.table(recipes.read(out))
