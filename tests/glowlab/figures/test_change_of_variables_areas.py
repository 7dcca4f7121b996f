"""Figures of notebook 01 on areas: words and shapes agree, and Jacobians are those of autograd."""

import math

import pytest
import torch

from glowlab.figures import change_of_variables_areas as figures
from glowlab.figures.live import Live, Point, Slider
from glowlite.errors import GlowliteError


def bend(x):
    a, b = x.unbind(1)
    return torch.stack([a, (b + 0.8 - 0.3 * a**2) * torch.exp(0.35 * a)], 1)


def unbend(z):
    a, b = z.unbind(1)
    return torch.stack([a, b * torch.exp(-0.35 * a) - 0.8 + 0.3 * a**2], 1)


def turn(x):
    return torch.stack([-2 * x[:, 1], x[:, 0]], 1)


def said(scene) -> str:
    return " | ".join(shape["words"] for shape in scene.drawing().shapes if shape["kind"] == "text")


def test_jacobians_are_those_of_autograd():
    x = torch.randn(7, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():  # a figure may be drawn without gradients
        found = figures.compute_jacobians(bend, x)
    expected = torch.stack([torch.autograd.functional.jacobian(lambda p: bend(p[None])[0], p) for p in x])
    assert torch.allclose(found, expected)
    assert figures.compute_jacobians(turn, x[:1]).tolist() == [[[0, -2], [1, 0]]]


def test_a_square_around_a_point():
    corners, around = figures.square_around((1.0, 2.0), 0.5)
    assert corners.tolist() == [[0.75, 1.75], [1.25, 1.75], [1.25, 2.25], [0.75, 2.25]]
    assert figures.cell_areas(corners[None]).item() == pytest.approx(0.25)
    assert len(around) == 4 * figures.ALONG and figures.cell_areas(around[None]).item() == pytest.approx(0.25)
    with pytest.raises(GlowliteError, match="above 0"):
        figures.square_around((0, 0), 0)


# ---- the parallelogram -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "a, b, det", [((1.6, 0.4), (-0.5, 1.2), 2.12), ((0.0, 1.0), (1.0, 0.0), -1.0), ((0.5, 0.0), (0.0, 0.5), 0.25)]
)
def test_the_determinant_is_the_signed_area(a, b, det):
    scene = figures.parallelogram(a, b)
    words = said(scene).replace("−", "-")
    assert f"= {det:+.2f}" in words and f"area, measured: {abs(det):.2f}" in words
    assert f"log |det W| = {math.log(abs(det)):+.2f}" in words
    assert ("flipped: the F is mirrored" in words) == (det < 0)
    assert f"area {abs(det):.2f}" in scene.alt and scene.shown().alt == scene.alt
    fills = {shape["fill"] for shape in scene.drawing().shapes if shape["kind"] == "polygons"}
    assert fills == ({"x", "pink"} if det < 0 else {"x", "z"})


def test_corners_on_one_line_have_no_area():
    words = said(figures.parallelogram((1.0, 1.0), (-2.0, -2.0)))
    assert "area, measured: 0.00" in words and "log |det W| = −∞" in words
    assert "−∞" in said(figures.parallelogram((0.0, 0.0), (0.0, 0.0)))


def test_both_panels_have_one_scale():
    scene = figures.parallelogram((1, 0), (0, 1))
    scene.place_panels()
    left, right = (panel.plot[2] / (panel.x[1] - panel.x[0]) for panel in scene.panels[:2])
    assert left == pytest.approx(right, rel=0.02)


def test_the_corners_can_be_dragged():
    live = Live(figures.parallelogram, Point("a", (1.6, 0.4)), Point("b", (-0.5, 1.2)))
    live.set(a=(-1.0, 0.0))
    assert "determinant is -1.20" in live.scene.alt
    assert set(live.scene.drawing().handles) == {"a", "b"}


# ---- under a bent map --------------------------------------------------------------------------------------


def test_a_smaller_square_comes_closer_to_the_jacobian():
    det = math.exp(0.35 * 1.2)
    gaps = []
    for side in (1.6, 0.4, 0.1):
        scene = figures.magnified_square(lambda x: bend(bend(x)), lambda z: unbend(unbend(z)), (1.2, 0.2), side)
        ratio = float(said(scene).split("image / square = ")[1].split(" ")[0])
        gaps.append(abs(ratio - det**2))
        assert f"|det J| = {det**2:.3f}" in said(scene)
    assert gaps[0] > gaps[1] > gaps[2] < 2e-3


def test_the_density_written_is_the_formula():
    words = said(figures.magnified_square(bend, unbend, (0.5, -0.4)))
    z = bend(torch.tensor([[0.5, -0.4]], dtype=torch.float64))
    p_z = math.exp(-z.square().sum().item() / 2) / (2 * math.pi)
    det = math.exp(0.35 * 0.5)
    assert f"p(x) = {p_z:.3f} × {det:.3f} = {p_z * det:.3f}" in words


def test_it_follows_the_point_and_the_side():
    live = Live(
        lambda at, side: figures.magnified_square(bend, unbend, at, side),
        Point("at", (1.2, 0.2)),
        Slider("side", "Side", 0.1, 2.0, value=1.0, step=0.1),
    )
    live.set(at=(-2.0, 1.0), side=0.1)
    assert "(-2.00, 1.00)" in live.scene.alt and f"{math.exp(-0.7):.3f} times as large" in live.scene.alt
    assert live.scene.shown().alt == live.scene.alt


# ---- one after another -------------------------------------------------------------------------------------


def test_log_dets_add_up_to_that_of_the_whole():
    scene = figures.maps_in_a_row({"turn": turn, "bend": bend}, (0.3, -0.7))
    whole = figures.compute_jacobians(lambda x: bend(turn(x)), torch.tensor([[0.3, -0.7]], dtype=torch.float64))
    total = torch.linalg.slogdet(whole)[1].item()
    first, second = math.log(2), 0.35 * 1.4  # bend sees a = -2 * -0.7
    assert total == pytest.approx(first + second)
    assert f"{first:+.2f} by turn, {second:+.2f} by bend; together {total:+.2f}" in scene.alt
    words = said(scene)
    assert "after turn: area × 2.00" in words and f"after bend: area × {math.exp(second):.2f}" in words
    assert f"together {total:+.2f}" in words
    arrows = [shape["points"] for shape in scene.drawing().shapes if shape["kind"] == "arrow"]
    assert arrows[1][0] == pytest.approx(arrows[0][2], abs=0.2)  # head to tail
    assert (arrows[2][0], arrows[2][2]) == pytest.approx((arrows[0][0], arrows[1][2]), abs=0.2)
    assert scene.shown().alt == scene.alt


def test_one_map_or_three_are_accepted_and_none_is_refused():
    for count in (1, 3):
        scene = figures.maps_in_a_row({f"map {i}": bend for i in range(count)}, (0.0, 0.0))
        assert len(scene.panels) == count + 2 and scene.drawing().handles.keys() == {"at"}
    with pytest.raises(GlowliteError, match="no map"):
        figures.maps_in_a_row({}, (0.0, 0.0))
