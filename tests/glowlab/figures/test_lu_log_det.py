"""Figures of notebook 04: areas, bars, slopes and marks are right, and bad input is refused."""

import math

import numpy as np
import pytest
import torch

from glowlab.figures import lu_log_det as figures
from glowlite.errors import GlowliteError
from glowlite.flows import InvertibleConv1x1LU
from tests.glowlab.figures.painted import text


def layer(channels=6, seed=0):
    return InvertibleConv1x1LU(channels, torch.Generator().manual_seed(seed)).requires_grad_(False)


# ---- a square on its way ------------------------------------------------------------------------------------

UPPER, LOWER = torch.tensor([[2.0, 0.7], [0.0, 0.6]]), torch.tensor([[1.0, 0.0], [-0.4, 1.0]])
SWAP = torch.eye(2).flip(0)


def test_only_the_diagonal_changes_the_area_of_the_square():
    scene = figures.square_through_factors({"U": UPPER, "L": LOWER, "P": SWAP})
    assert "x: 1.00; U x: 1.20; L U x: 1.20; P L U x: 1.20" in scene.alt
    assert text(scene).count("area 1.20") == 3 and "P L U x" in text(scene)


def test_the_square_that_is_drawn_has_that_area():
    scene = figures.square_through_factors({"U": UPPER})
    drawn = [shape for shape in scene.drawing().shapes if shape["kind"] == "polygons"]
    first, last = (np.array(drawn[i]["points"][0]).reshape(4, 2) for i in (0, 2))

    def area(corners):
        x, y = corners.T
        return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2

    assert area(last) / area(first) == pytest.approx(1.2, rel=0.02)


def test_a_square_of_the_plane_needs_2_x_2_matrices():
    with pytest.raises(GlowliteError, match="must be"):
        figures.square_through_factors({"U": torch.eye(3)})


# ---- the factors as heat maps -------------------------------------------------------------------------------


def bar(scene) -> float:
    """The height of the green bar, in nats."""
    panel = scene.panels[-1]
    scene.drawing()
    shapes = [s for s in scene.drawing().shapes if s["kind"] == "path" and s.get("fill") == "log_det"]
    y = np.array(shapes[-1]["points"]).reshape(-1, 2)[:, 1]
    zero = panel.to_page(0, 0)[1]
    unit = zero - panel.to_page(0, 1)[1]
    return float((zero - y[np.abs(y - zero).argmax()]) / unit)


@pytest.mark.parametrize("amount", [-1.5, 0.0, 0.8])
def test_the_bar_is_the_log_det_and_follows_log_s_alone(amount):
    moved = layer()
    moved.log_s[3] += amount
    assert bar(figures.factor_maps(*moved.factors(), moved.log_abs_det())) == pytest.approx(amount, abs=0.02)
    moved.L[4, 1] += 1
    moved.U[1, 4] -= 1
    scene = figures.factor_maps(*moved.factors(), moved.log_abs_det(), ("L", 4, 1))
    assert bar(scene) == pytest.approx(amount, abs=0.02)
    assert "entry (4, 1) of L is framed" in scene.alt and scene.shown().png


def test_the_bar_stays_in_its_panel_with_the_true_number():
    scene = figures.factor_maps(*layer().factors(), 40.0)
    assert bar(scene) == pytest.approx(figures.LARGEST_BAR, abs=0.02) and "40" in text(scene)


def test_heat_maps_show_the_factors_themselves():
    drawing = figures.factor_maps(*layer(4).factors(), 0.0).drawing()
    P, lower, upper, W = (image[..., 3] for image in drawing.images)
    assert ((P > 0).sum(0) == 1).all() and ((P > 0).sum(1) == 1).all()
    assert not np.triu(lower, 1).any() and not np.tril(upper, -1).any() and (W > 0).all()


def test_an_entry_of_p_cannot_be_marked():
    with pytest.raises(GlowliteError, match="L or U"):
        figures.factor_maps(*layer().factors(), 0.0, ("P", 0, 0))


# ---- cost ---------------------------------------------------------------------------------------------------

CHANNELS = [8, 16, 32, 64]


def test_the_slope_is_the_power():
    assert figures.fit_power(CHANNELS, [1e-6 * c**3 for c in CHANNELS]) == pytest.approx(3)
    assert figures.fit_power(CHANNELS, [1.0, 1e-6 * 16, 1e-6 * 32, 1e-6 * 64]) == pytest.approx(1)


def test_time_curves_state_powers_and_times():
    cubic, flat = [1e-7 * c**3 for c in CHANNELS], [2e-6] * 4
    plot = figures.time_curves(CHANNELS, {"one": {"slow": cubic, "fast": flat}, "two": {"slow": cubic}})
    assert plot.points("slow: about C^3.0")[0] == CHANNELS and plot.points("fast: hardly grows")[1] == flat
    assert "26 ms at 64 channels" in plot.alt and "2 µs at 64 channels" in plot.alt
    assert [trace.get("xaxis") for trace in plot.figure["data"]] == ["x", "x", "x2"] and plot.shown().png
    assert figures._time(2.5) == "2.5 s" and figures._time(0.1099) == "110 ms" and figures._time(1.23e-4) == "120 µs"


def test_times_without_a_logarithm_are_refused():
    with pytest.raises(GlowliteError, match="above 0"):
        figures.time_curves(CHANNELS, {"one": {"slow": [0.0, 1.0, 1.0, 1.0]}})
    with pytest.raises(GlowliteError, match="a slope needs"):
        figures.fit_power(CHANNELS, [1.0, 2.0])


# ---- before and after training ------------------------------------------------------------------------------


def test_before_and_after_training_states_the_change():
    start = [layer(4, seed) for seed in range(3)]
    trained = [layer(4, seed) for seed in range(3)]
    trained[1].log_s += 0.5
    scene = figures.before_after_training(start, trained, 2)
    assert "off the identity by 0.00 before" in scene.alt and "sum(log_s) is 2 instead of 0" in scene.alt
    assert "largest in layer 2" in scene.alt
    expected = trained[1].matrix() @ trained[1].matrix().T - torch.eye(4)
    assert f"{expected.abs().max():.2f} after" in scene.alt
    assert len(scene.panels) == 9 and scene.shown().png


@pytest.mark.parametrize("number", [0, 4])
def test_a_layer_that_is_not_there_is_refused(number):
    layers = [layer(4, seed) for seed in range(3)]
    with pytest.raises(GlowliteError, match="layers 1 to 3"):
        figures.before_after_training(layers, layers, number)


def test_log_abs_det_as_a_tensor_with_a_gradient_is_taken():
    trained = InvertibleConv1x1LU(4, torch.Generator().manual_seed(0))
    assert math.isclose(bar(figures.factor_maps(*trained.factors(), trained.log_abs_det())), 0.0, abs_tol=0.02)


def test_the_jacobian_of_pixels_holds_w_once_for_each():
    scene = figures.jacobian_of_pixels(torch.eye(3), 4)
    assert "Jacobian, 12 by 12" in scene.alt and "4 times along the diagonal" in scene.alt
