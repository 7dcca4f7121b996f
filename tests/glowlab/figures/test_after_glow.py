"""Figures of notebook 15b: they show the numbers they are given."""

import json

import pytest
import torch

from glowlab.figures import after_glow as figures
from glowlab.sound import notes
from glowlite.errors import GlowliteError

RUN = {"name": "Glow", "form": "turns", "coupling": "affine", "stops": [-1.0, 1.0],
       "pitch": [[-210.0, -190.0, -150.0], [120.0, 180.0, 240.0]],
       "curve": [[5.0, 100, 5.5], [10.0, 200, 5.0], [15.0, 300, 4.75]]}  # fmt: skip


def words(scene):
    return [shape["words"] for shape in scene.drawing().shapes if shape["kind"] == "text"]


def test_recorded_runs_are_there_and_a_missing_record_is_a_sentence(tmp_path):
    for name in ("attention", "notes"):
        assert figures.load_runs(name)
    (tmp_path / "notes.json").write_text(json.dumps({"runs": [RUN]}))
    assert figures.load_runs("notes", tmp_path) == [RUN]
    with pytest.raises(GlowliteError, match="python -m benchmarks.attention"):
        figures.load_runs("attention", tmp_path)


def test_learning_curves_end_on_their_names_and_values():
    scene = figures.learning([RUN, RUN | {"name": "other"}], "bits per dimension")
    assert "  Glow 4.75" in words(scene) and "  other 4.75" in words(scene)
    assert "Glow 4.75; other 4.75" in scene.alt


def test_names_that_would_lie_on_each_other_are_moved_apart_in_their_order():
    assert figures.spread([1.0, 0.0, 1.05], 0.1) == pytest.approx([1.0, 0.0, 1.1])


def test_the_reach_of_a_slider_has_a_dot_and_a_bar_for_each_stop():
    scene = figures.reach([RUN])
    shapes = scene.drawing().shapes
    assert sum(shape["kind"] == "dots" for shape in shapes) == 1
    assert sum(shape.get("alpha") == 0.35 for shape in shapes) == 2
    assert "asked for 200 cents, it moves 180" in scene.alt


def test_jacobians_write_their_diagonals():
    scene = figures.jacobians({"one": torch.diag(torch.tensor([1.5, -2.0]))})
    assert {"1.5", "-2.0"} <= set(words(scene))


def test_a_spectrogram_is_dark_at_the_pitch():
    sounds = notes.play(torch.zeros(1, 4), torch.Generator().manual_seed(0))
    picture = figures.spectrogram(sounds)[0]
    rows, hertz = len(picture), figures.SHOWN_HERTZ
    strongest = picture[:, picture.shape[1] // 2 :].mean(1).argmax()
    assert abs((rows - 1 - strongest) * hertz / rows - notes.CENTRE) < 2 * hertz / rows
    assert "a note" in words(figures.spectrograms({"a note": sounds[0]}, "A note."))


def test_a_moment_and_ways_show_their_points():
    def velocity(points, t):
        return torch.ones_like(points)

    points = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    scene = figures.moment(points, velocity, 0.25)
    assert "t = 0.25" in words(scene) and "0.25" in scene.alt
    dots = [shape for shape in figures.ways((points, points), torch.stack([points, points])).drawing().shapes
            if shape["kind"] == "dots"]  # fmt: skip
    assert [len(shape["points"]) for shape in dots] == [10, 10]
    assert figures.pairs(points, points).alt.startswith("Straight lines")
    assert {"one", "two"} <= set(words(figures.clouds({"one": points, "two": points})))


def test_falling_begins_without_a_loss():
    assert "not begun" in figures.falling([], 10).alt
    assert "4.5 bits/dim" in words(figures.falling([6.0, 4.5], 10))
