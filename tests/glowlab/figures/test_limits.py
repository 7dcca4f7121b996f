"""Figures of notebook 15: pictures and words show the numbers they are given."""

import pytest
import torch

from glowlab import foreign, neighbours
from glowlab.figures import limits as figures
from tests.glowlab.figures.painted import pixels, words


def test_strips_tell_how_many_pass_below_and_what_lies_beyond():
    scene = figures.strips({"own": [1.0, 1.2], "low": [0.5, 1.1], "far": [9.0, 20.0]}, "bits", (0, 3))
    assert "low 50%" in scene.alt and "far 0%" in scene.alt
    assert any("2 beyond: 9 to 20" in each for each in words(scene))


def test_the_table_shows_each_area_of_the_record():
    models = foreign.load_foreign()["models"]
    scene = figures.area_table(models)
    shown = words(scene)
    for one in models.values():
        for row in one["auroc"].values():
            assert all(f"{area:.2f}" in shown for area in row.values())


@pytest.mark.parametrize("name", ["faces64", "portraits64"])
def test_bits_against_png_draws_own_pictures_in_blue(name):
    scene = figures.bits_against_png(foreign.load_foreign()["models"][name]["sets"], 8)
    assert any(shape["kind"] == "dots" and shape["fill"] == "x" for shape in scene.drawing().shapes)


def test_a_flow_that_stretches_is_told_in_words():
    scene = figures.stretching((0, 10, 100), (1.0, 5.0, 80.0), (0.7, 0.1, 0.01))
    assert "from 1 to 80" in scene.alt and "70%" in scene.alt and "1.0%" in scene.alt
    points = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    assert "up to 9 times" in figures.blobs_map(points, torch.linspace(1, 9, 50), points).alt


def test_where_no_number_is_left_the_map_is_black():
    error = torch.full((4, 4), 1e-6)
    error[0, :2] = torch.nan
    error[3, 3] = torch.inf
    scene = figures.error_maps({"free": error, "bounded": torch.full((4, 4), 1e-6)}, 2)
    black = [s for s in scene.drawing().shapes if s["kind"] == "polygons" and s["fill"] == "#222222"]
    assert len(black) == 2 and "19%" in scene.alt and "0%" in scene.alt


def test_times_bounds_and_edits_are_those_recorded():
    record = neighbours.load_record()
    assert "flow" in figures.times(record["rows"]).alt
    curve = figures.bound_curves(record["bounds"], record["flow_noises"])
    assert all(f"{value:.3f}" in curve.alt for value in record["bounds"].values())
    edit = figures.edits(record["edit"])
    assert all(f"{row['moved']:.2f}" in edit.alt for row in record["edit"].values())
    assert pixels(edit.shown()).shape[1] == 1080
