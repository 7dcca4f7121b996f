"""Figures of notebook 05: the numbers they show are those of the signal, and bad input is refused."""

import math

import numpy as np
import pytest
import torch

from glowlab.figures import actnorm as signal
from glowlite.errors import GlowliteError
from glowlite.flows import ActNorm


def words_of(scene) -> str:
    return " | ".join(shape["words"] for shape in scene.drawing().shapes if shape["kind"] == "text")


def batch(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# ---- channels -----------------------------------------------------------------------------------------------


def test_a_histogram_has_area_1_where_nothing_lies_beyond():
    edges, heights = signal.density(0.3 * batch(1000))
    assert (heights * np.diff(edges)).sum() == pytest.approx(1)
    _, heights = signal.density(torch.tensor([0.0, 100.0]))
    assert heights.sum() * (edges[1] - edges[0]) == pytest.approx(0.5)


def test_one_channel_tells_what_scale_and_shift_do():
    x = 0.2 * batch(4000)
    scene = signal.one_channel(x, log_s=math.log(5), b=-1.0, pixels=16)
    z = 5 * x - 1
    assert f"std {z.std(unbiased=False):.2f}" in words_of(scene)
    assert f"{16 * math.log(5):.1f}" in words_of(scene) and "25.8 nats" in scene.alt
    assert scene.shown().png


@pytest.mark.parametrize("log_s", [-1.0, 3.0, 9.0])
def test_the_bar_of_one_channel_stays_in_its_panel(log_s):
    scene = signal.one_channel(batch(100), log_s, 0.0, 16)
    panel = scene.panels[-1]
    scene.drawing()
    left, top, width, high = panel.plot
    bar = [s for s in scene.drawing().shapes if s["kind"] == "path" and s.get("fill") == "log_det"][-1]
    y = np.array(bar["points"]).reshape(-1, 2)[:, 1]
    assert top - 1 <= y.min() and y.max() <= top + high + 1
    assert f"{16 * log_s:g}".replace("-", "\N{MINUS SIGN}") in words_of(scene)


def test_channels_say_their_spreads():
    x = batch(200, 3, 2, 2) * torch.tensor([0.5, 1.0, 2.0]).view(1, 3, 1, 1)
    z = ActNorm(3)(x)[0]
    scene = signal.channels({"x": x, "z": z})
    stds = x.transpose(0, 1).flatten(1).std(1, unbiased=False)
    assert f"x: std {stds.min():.2g} to {stds.max():.3g}" in words_of(scene) and "z: std 1" in words_of(scene)
    assert "means 0, standard deviations 1." in scene.alt and scene.shown().png


def test_the_jacobian_of_actnorm_is_told_as_it_is():
    matrix = torch.diag(torch.tensor([2.0, 2.0, 0.5, 0.5]))
    scene = signal.jacobian(matrix, channels=2)
    assert "Off the diagonal the largest is 0;" in scene.alt
    assert "channel 0: s = 2.00, 2 times" in words_of(scene) and "channel 1: s = 0.50" in words_of(scene)
    matrix[0, 3] = 0.3
    assert "the largest is 0.3;" in signal.jacobian(matrix, channels=2).alt


@pytest.mark.parametrize("shape", [(4, 5), (5, 5)])
def test_a_matrix_that_is_no_jacobian_of_so_many_channels_is_refused(shape):
    with pytest.raises(GlowliteError, match="Jacobian"):
        signal.jacobian(torch.zeros(shape), channels=2)


# ---- many layers --------------------------------------------------------------------------------------------


def test_depth_tells_the_chosen_passage():
    wild = signal.Passage([0.2, 2.0, 20.0], [0.0, -0.5, -1.25], 3.0)
    calm = signal.Passage([0.2, 1.0, 1.0], [0.0, 1.5, 1.5], 2e-6)
    scene = signal.depth([wild, calm], wild, "ActNorm off")
    assert "2 layers, ActNorm off" in scene.alt and "from 0.2 to 20" in scene.alt
    assert "\N{MINUS SIGN}1.25 nats" in scene.alt and "misses x by 3" in words_of(scene)
    assert "10⁻⁶" in words_of(signal.depth([wild], calm, "calm")) and scene.shown().png


def test_a_passage_that_ends_in_nothing_is_drawn_all_the_same():
    lost = signal.Passage([0.2, 0.0], [0.0, -50.0], math.nan)
    assert "no number" in words_of(signal.depth([], lost, "lost"))


@pytest.mark.parametrize(
    "value, said", [(5.284, "5.28"), (0.0, "0"), (123456.0, "10⁵"), (2e-6, "10⁻⁶"), (math.inf, "no number")]
)
def test_numbers_as_a_person_says_them(value, said):
    assert signal._power(value) == said


# ---- the first batch, and what comes of it ------------------------------------------------------------------


def test_the_first_batch_is_judged_on_new_data():
    scene = signal.first_batch(torch.tensor([0.5, 1.0, 40.0]), 2)
    assert "from 0.5 to 40; wanted: 1" in words_of(scene) and "2 pictures" in words_of(scene)
    assert "1 picture" in words_of(signal.first_batch(torch.ones(3), 1)) and scene.shown().png


RUNS = {"wild": [1e8, 1e6, 1e5], "lost": [1e20, math.nan], "calm": [7.0, 6.0, 5.5]}


def test_curves_tell_how_each_run_ends():
    scene = signal.curves(RUNS, calm="calm")
    said = words_of(scene)
    assert (
        "wild: ends at 10⁵" in said
        and "lost: 10²⁰, off the axis, | then no number" in said
        and "calm: ends at 5.5" in said
    )
    assert said.count("×") == 1 and "calm: begins at 7, ends at 5.5" in scene.alt and scene.shown().png


def test_the_alt_tells_a_run_that_leaves_the_axis_as_it_is():
    runs = {"gone": [1e25, math.nan], "slow": [1e3, 1e5, math.nan], "high": [1e6, 1e14], "calm": [7.0, 6.0]}
    alt = signal.curves(runs, calm="calm").alt
    assert "gone: begins at 10²⁵, off the axis, then no number" in alt
    assert "slow: begins at 10³, comes to 10⁵, then no number" in alt
    assert "high: begins at 10⁶, ends at 10¹⁴, off the axis" in alt


def test_decades_are_named_and_leave_room():
    assert signal._decades(2.0) == [(1, "10"), (2, "100")]
    assert signal._decades(12.0) == [(4, "10⁴"), (8, "10⁸"), (12, "10¹²")]


def test_runs_that_cannot_be_drawn_are_refused():
    with pytest.raises(GlowliteError, match="finite"):
        signal.curves({"a": [math.nan]}, calm="a")
    with pytest.raises(GlowliteError, match="calm one"):
        signal.curves(RUNS, calm="quiet")
