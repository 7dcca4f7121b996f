"""Figures of notebook 05: the numbers they show are those of the signal, and bad input is refused."""

import math

import numpy as np
import pytest
import torch

from glowlab.figures import actnorm as figures
from glowlite.errors import GlowliteError
from glowlite.flows import ActNorm
from tests.glowlab.figures.painted import text


def batch(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# ---- channels -----------------------------------------------------------------------------------------------


def test_a_histogram_has_area_1_where_nothing_lies_beyond():
    edges, heights = figures.histogram(0.3 * batch(1000))
    assert (heights * np.diff(edges)).sum() == pytest.approx(1)
    _, heights = figures.histogram(torch.tensor([0.0, 100.0]))
    assert heights.sum() * (edges[1] - edges[0]) == pytest.approx(0.5)


def test_one_channel_shows_scale_and_shift():
    x = 0.2 * batch(4000)
    scene = figures.one_channel(x, log_s=math.log(5), b=-1.0, pixels=16)
    z = 5 * x - 1
    assert f"std {z.std(unbiased=False):.2f}" in text(scene)
    assert f"{16 * math.log(5):.1f}" in text(scene) and "25.8 nats" in scene.alt
    assert scene.shown().png


@pytest.mark.parametrize("log_s", [-1.0, 3.0, 9.0])
def test_the_bar_of_one_channel_stays_in_its_panel(log_s):
    scene = figures.one_channel(batch(100), log_s, 0.0, 16)
    panel = scene.panels[-1]
    scene.drawing()
    left, top, width, high = panel.plot
    bar = [s for s in scene.drawing().shapes if s["kind"] == "path" and s.get("fill") == "log_det"][-1]
    y = np.array(bar["points"]).reshape(-1, 2)[:, 1]
    assert top - 1 <= y.min() and y.max() <= top + high + 1
    assert f"{16 * log_s:g}".replace("-", "\N{MINUS SIGN}") in text(scene)


def test_channel_histograms_state_the_spreads():
    x = batch(200, 3, 2, 2) * torch.tensor([0.5, 1.0, 2.0]).view(1, 3, 1, 1)
    z = ActNorm(3)(x)[0]
    scene = figures.channel_histograms({"x": x, "z": z})
    stds = x.transpose(0, 1).flatten(1).std(1, unbiased=False)
    assert f"x: std {stds.min():.2g} to {stds.max():.3g}" in text(scene) and "z: std 1" in text(scene)
    assert "means 0, standard deviations 1." in scene.alt and scene.shown().png


def test_the_alt_states_the_entries_of_the_jacobian():
    matrix = torch.diag(torch.tensor([2.0, 2.0, 0.5, 0.5]))
    scene = figures.jacobian_map(matrix, channels=2)
    assert "Off the diagonal the largest is 0;" in scene.alt
    assert "channel 0: s = 2.00, 2 times" in text(scene) and "channel 1: s = 0.50" in text(scene)
    matrix[0, 3] = 0.3
    assert "the largest is 0.3;" in figures.jacobian_map(matrix, channels=2).alt


@pytest.mark.parametrize("shape", [(4, 5), (5, 5)])
def test_a_matrix_that_is_no_jacobian_of_so_many_channels_is_refused(shape):
    with pytest.raises(GlowliteError, match="Jacobian"):
        figures.jacobian_map(torch.zeros(shape), channels=2)


# ---- many layers --------------------------------------------------------------------------------------------


def test_the_alt_states_the_chosen_passage():
    wild = figures.Passage([0.2, 2.0, 20.0], [0.0, -0.5, -1.25], 3.0)
    calm = figures.Passage([0.2, 1.0, 1.0], [0.0, 1.5, 1.5], 2e-6)
    scene = figures.signal_by_depth([wild, calm], wild, "ActNorm off")
    assert "2 layers, ActNorm off" in scene.alt and "from 0.2 to 20" in scene.alt
    assert "\N{MINUS SIGN}1.25 nats" in scene.alt and "error after the inverse: 3" in text(scene)
    assert "10⁻⁶" in text(figures.signal_by_depth([wild], calm, "calm")) and scene.shown().png


def test_a_passage_that_ends_at_zero_is_drawn():
    lost = figures.Passage([0.2, 0.0], [0.0, -50.0], math.nan)
    assert "not finite" in text(figures.signal_by_depth([], lost, "lost"))


@pytest.mark.parametrize(
    "value, said", [(5.284, "5.28"), (0.0, "0"), (123456.0, "10⁵"), (2e-6, "10⁻⁶"), (math.inf, "not finite")]
)
def test_numbers_have_a_short_form(value, said):
    assert figures._power(value) == said


# ---- the first batch, and what comes of it ------------------------------------------------------------------


def test_the_first_batch_is_judged_on_new_data():
    scene = figures.first_batch_stds(torch.tensor([0.5, 1.0, 40.0]), 2)
    assert "from 0.5 to 40; best: 1" in text(scene) and "2 pictures" in text(scene)
    assert "1 picture" in text(figures.first_batch_stds(torch.ones(3), 1)) and scene.shown().png


RUNS = {"wild": [1e8, 1e6, 1e5], "lost": [1e20, math.nan], "calm": [7.0, 6.0, 5.5]}


def test_the_alt_states_how_each_run_ends():
    scene = figures.training_curves(RUNS, calm="calm")
    said = text(scene)
    assert (
        "wild: ends at 10⁵" in said
        and "lost: 10²⁰, off the axis, | then not finite" in said
        and "calm: ends at 5.5" in said
    )
    assert said.count("×") == 1 and "calm: begins at 7, ends at 5.5" in scene.alt and scene.shown().png


def test_the_alt_states_a_run_that_leaves_the_axis():
    runs = {"gone": [1e25, math.nan], "slow": [1e3, 1e5, math.nan], "high": [1e6, 1e14], "calm": [7.0, 6.0]}
    alt = figures.training_curves(runs, calm="calm").alt
    assert "gone: begins at 10²⁵, off the axis, then not finite" in alt
    assert "slow: begins at 10³, comes to 10⁵, then not finite" in alt
    assert "high: begins at 10⁶, ends at 10¹⁴, off the axis" in alt


def test_decades_are_named_and_leave_room():
    assert figures._decades(2.0) == [(1, "10"), (2, "100")]
    assert figures._decades(12.0) == [(4, "10⁴"), (8, "10⁸"), (12, "10¹²")]


def test_runs_that_cannot_be_drawn_are_refused():
    with pytest.raises(GlowliteError, match="finite"):
        figures.training_curves({"a": [math.nan]}, calm="a")
    with pytest.raises(GlowliteError, match="calm one"):
        figures.training_curves(RUNS, calm="quiet")


def test_the_std_after_actnorm_names_the_worst():
    assert "after each of 3 ActNorms. The one that is farthest from 1 has 0.1." in (
        figures.std_after_actnorm([1.0, 0.1, 5.0]).alt
    )
