"""The table of recipes: equal work, a record that goes on, and changes that reach the model."""

import json

import pytest
import torch
from PIL import Image

from benchmarks import recipes
from benchmarks.recipe_list import SIGMA, Variational, denoise
from benchmarks.recipes import RECIPES, Task
from glowlite import glow
from glowlite.errors import GlowliteError

SMALL = {32: {"levels": 3, "depth": (1, 1, 1), "width": (8, 8, 8)}}
TASK = Task(images=64)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(recipes, "SIZES", SMALL)
    monkeypatch.setattr(recipes, "LABELLED", 64)
    monkeypatch.setattr(recipes, "SAMPLES", 64)
    monkeypatch.setattr(recipes, "SHARED", recipes.SHARED | {"init_batch": 16, "warmup": 32})


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_builds_a_model_that_differs_from_the_first_in_something(name):
    for size in recipes.SIZES:
        task = Task(size=size)
        first, ours = (task.config(RECIPES[each], 100, "") for each in (recipes.FIRST, name))
        with RECIPES[name].applied():
            model = glow.Glow(ours.model)
        assert len(model.levels) == recipes.SIZES[size]["levels"]
        changed = ours != first or bool(RECIPES[name].patches)
        assert changed == (name != recipes.FIRST)


def test_finished_runs_are_kept_and_a_cheaper_recipe_sees_more_images(tmp_path, small, monkeypatch):
    out, said = tmp_path / "recipes.json", []
    monkeypatch.setattr(recipes, "cost", lambda recipe, task: 0.5)
    assert recipes.measure([recipes.FIRST, "muon bf16, mixed"], TASK, out, said.append)
    first, ours = recipes.read(out)
    assert (first["seen"][-1], ours["seen"][-1]) == (64, 128)
    assert (first["cost"], ours["cost"]) == (1.0, 0.5)
    assert all(0 < bits < 10 for run in (first, ours) for bits in run["bits_per_dim"])
    before = out.read_text()
    assert recipes.measure(["muon bf16, mixed"], TASK, out, said.append)
    assert out.read_text() == before
    assert len(said) == 2
    assert {tuple(run["frechet"]) for run in (first, ours)} == {("1", "0.7")}
    assert "host" not in json.loads(before)["machine"]


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe.patches])
def test_every_recipe_that_changes_code_trains(tmp_path, small, monkeypatch, name):
    monkeypatch.setattr(recipes, "cost", lambda recipe, task: 1.0)
    assert recipes.measure([name], TASK, tmp_path / "recipes.json", str)


def test_the_cost_of_the_first_recipe_is_about_one(small):
    assert 0.5 < recipes.cost(RECIPES[recipes.FIRST], TASK, rounds=8) < 2


def test_the_table_says_after_what_work_a_recipe_was_as_good_as_the_first():
    first = {"name": recipes.FIRST, **vars(TASK), "cost": 1.0, "seen": [32, 64], "bits_per_dim": [6.0, 5.0]}
    ours = first | {"name": "muon", "cost": 2.0, "seen": [8, 16, 32], "bits_per_dim": [5.5, 4.5, 4.0]}
    slow = first | {"name": "adam", "bits_per_dim": [7.0, 6.0]}
    assert recipes.work_to(ours, 5.0) == pytest.approx((16 + 0.5 * 16) / 64)
    rows = recipes.table([first, ours, slow]).splitlines()[2:]
    assert [row.split(":")[0] for row in rows] == ["| muon", "| adamax", "| adam"]
    assert rows[0].endswith("| 1.000 | 38% |  |")
    assert rows[2].endswith("| -1.000 | not reached |  |")


def test_bits_of_other_pictures_are_not_compared():
    first = {"name": recipes.FIRST, **vars(TASK), "cost": 1.0, "seen": [64], "bits_per_dim": [5.0]}
    other = first | {"name": "muon bf16, 5 bits", "bits_per_dim": [2.0], "frechet": {"1": 0.25, "0.7": 0.5}}
    row = recipes.table([first, other]).splitlines()[2]
    assert row.endswith("| (2.000, of other pictures) |  |  | 0.250, 0.500 |")


def test_noise_that_a_network_moves_fills_a_bin_of_the_same_volume(monkeypatch):
    """The mean of |du'/du| over uniform u is the length of the bin, 1, for each value."""
    model = Variational(glow.GlowConfig((1, 2, 2), levels=1, depth=1, width=4))
    with torch.no_grad():
        model.noise[2].b += torch.tensor([0.2, -0.3])
    monkeypatch.setattr(glow.Glow, "log_density", lambda self, x: x.new_zeros(len(x)))
    grid, generator = (torch.arange(20_000) + 0.5) / 20_000, torch.Generator().manual_seed(0)
    u = torch.stack([grid[torch.randperm(len(grid), generator=generator)] for _ in range(4)], 1)
    log_det = model.log_density((100 + u.view(-1, 1, 2, 2)) / 256 - 0.5)
    assert log_det.std() > 0.1
    assert log_det.exp().mean().item() == pytest.approx(1, abs=0.02)


def test_a_denoising_step_halves_the_error_where_noise_is_as_large_as_the_picture():
    clean, more, noise = SIGMA * torch.randn(3, 256, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    model = glow.Glow(glow.GlowConfig((1, 8, 8), levels=1, depth=1, width=4))
    model.initialize(clean + more)
    better = denoise(model, clean + noise)
    assert (better - clean).square().mean() / noise.square().mean() == pytest.approx(0.5, abs=0.05)


def test_an_unknown_recipe_is_one_sentence(tmp_path):
    with pytest.raises(GlowliteError, match="There is no recipe soup: choose from adamax; adam"):
        recipes.measure(["soup"], TASK, tmp_path / "recipes.json")


def test_curves_of_one_size_are_drawn(tmp_path, capsys):
    picture = tmp_path / "curves.webp"
    assert recipes.main(["--curves", str(picture), "--size", "64", "--images", "215000"]) == 0
    with Image.open(picture) as drawn:
        assert drawn.size[0] > 1000
    (axes,) = recipes.draw_curves(recipes.read(recipes.OUT)[:2]).axes
    assert len(axes.lines) == 2 and len(axes.get_legend().get_texts()) == 2
    assert "muon bf16" in capsys.readouterr().out
