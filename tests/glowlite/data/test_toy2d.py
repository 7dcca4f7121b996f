"""Shapes in the plane: where their points lie, how dense, and that a seed fixes them."""

import math

import numpy as np
import pytest
import torch

from glowlite.data import toy2d
from glowlite.errors import GlowliteError

SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], float)


@pytest.mark.parametrize("shape", toy2d.SHAPES)
def test_every_shape_has_its_size_its_type_and_its_place(shape):
    points = toy2d.draw(shape, 5000)
    assert points.shape == (5000, 2) and points.dtype == torch.float32
    assert points.isfinite().all() and points.abs().max() < toy2d.REACH
    assert points.mean(0).abs().max() < 0.1 and 1.2 < points.norm(dim=1).mean() < 1.8
    assert toy2d.draw(shape, 1).shape == (1, 2)


@pytest.mark.parametrize("shape", toy2d.SHAPES)
def test_the_seed_fixes_the_points_and_torchs_own_numbers_stay(shape):
    state = torch.get_rng_state()
    first, again, other = (toy2d.draw(shape, 50, seed) for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(state, torch.get_rng_state())


def test_without_noise_the_moons_are_half_circles_with_half_of_the_points_each():
    points = toy2d.draw("moons", 20_000, noise=0.0) / 1.5 + torch.tensor([0.5, 0.25])
    upper = (points.norm(dim=1) - 1).abs() < 1e-5
    lower = ((points - torch.tensor([1.0, 0.5])).norm(dim=1) - 1).abs() < 1e-5
    assert (upper ^ lower).float().mean() > 0.999
    assert upper.float().mean() == pytest.approx(0.5, abs=0.02)
    assert (points[upper, 1] > -1e-5).all() and (points[lower, 1] < 0.5 + 1e-5).all()


def test_noise_is_a_standard_deviation():
    still, shaken = (toy2d.draw("moons", 20_000, noise=noise) for noise in (0.0, 0.3))
    assert (shaken - still).std() == pytest.approx(0.3, rel=0.03)


def test_rings_and_spiral_are_as_dense_all_along():
    radius = toy2d.draw("rings", 20_000, noise=0.0).norm(dim=1)
    assert (radius < 1.3).float().mean() == pytest.approx(1 / 3, abs=0.02)  # as the circles' lengths are
    assert sorted(set(radius.mul(1000).round().tolist())) == [900.0, 1800.0]
    points = toy2d.draw("spiral", 40_000, noise=0.0) - torch.tensor([0.15, -0.35])
    turn = (points.norm(dim=1) - 0.25) / 0.21
    counts = torch.histc(turn, 6, 0, 3 * math.pi)
    fine = np.linspace(0, 3 * math.pi, 6 * 100 + 1)
    speed = np.hypot(0.25 + 0.21 * fine, 0.21)  # length of the arm for each unit of turn
    lengths = torch.tensor([np.trapezoid(speed[i : i + 101], dx=fine[1]) for i in range(0, 600, 100)])
    assert counts.sum() > 39_900
    assert (counts / counts.sum()).tolist() == pytest.approx((lengths / lengths.sum()).tolist(), abs=0.01)


def test_the_checkerboard_has_ink_on_eight_fields_only():
    points = toy2d.draw("checkerboard", 8000)
    column, row = points.add(2).floor().long().unbind(1)
    assert ((column + row) % 2 == 0).all()
    counts = torch.bincount(row * 4 + column, minlength=16)
    assert (counts > 0).sum() == 8 and counts[counts > 0].min() > 850


def test_an_unknown_shape_is_named_with_those_there_are():
    with pytest.raises(GlowliteError, match="'star': choose one of moons, spiral"):
        toy2d.draw("star", 10)


# ---- a drawing ---------------------------------------------------------------------------------------------


def test_points_lie_along_the_strokes_equally_dense():
    points = toy2d.along(SQUARE, 8000, noise=0.0)
    assert points.dtype == torch.float32 and points.shape == (8000, 2)
    x, y = points.double().unbind(1)
    sides = torch.stack([y, 1 - x, 1 - y, x]).abs() < 1e-6
    assert sides.any(0).all()
    assert sides.double().mean(1).tolist() == pytest.approx([0.25] * 4, abs=0.02)


def test_a_long_stroke_gets_more_points_than_a_short_one():
    strokes = np.array([[0, 0], [0.9, 0], [np.nan, np.nan], [0, 1], [0.3, 1]])
    points = toy2d.along(strokes, 4000, noise=0.0)
    assert (points[:, 1] == 0).float().mean() == pytest.approx(0.75, abs=0.03)
    assert set(points[:, 1].tolist()) == {0.0, 1.0}


def test_nothing_lies_where_the_pen_was_lifted():
    points = toy2d.along([[-1, 0], [-1, 0.5], [np.nan, np.nan], [1, 0], [1, 0.5]], 500, noise=0.0)
    assert (points[:, 0].abs() == 1).all() and points[:, 0].unique().numel() == 2


def test_a_dot_is_a_blob_as_wide_as_the_pen():
    points = toy2d.along([[1.0, 2.0]], 20_000, noise=0.2)
    assert points.mean(0).tolist() == pytest.approx([1, 2], abs=0.01)
    assert points.std(0).tolist() == pytest.approx([0.2, 0.2], rel=0.03)
    lines_and_dot = np.array([[-0.1, 0], [0.1, 0], [np.nan, np.nan], [2, 2]])
    assert toy2d.along(lines_and_dot, 10).shape == (10, 2)


def test_the_same_drawing_gives_the_same_points_unless_a_generator_says_otherwise():
    assert torch.equal(toy2d.along(SQUARE, 20), toy2d.along(torch.tensor(SQUARE), 20))
    other = toy2d.along(SQUARE, 20, torch.Generator().manual_seed(5))
    assert not torch.equal(other, toy2d.along(SQUARE, 20))


@pytest.mark.parametrize("strokes", [np.zeros((0, 2)), [], [[np.nan, np.nan]]])
def test_an_empty_drawing_says_so(strokes):
    with pytest.raises(GlowliteError, match="nothing is drawn yet"):
        toy2d.along(strokes, 10)
