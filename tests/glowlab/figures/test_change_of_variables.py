"""Figures of notebook 01: the slabs of ink are the density, and the areas are measured."""

import math

import pytest
import torch

from glowlab.figures import change_of_variables as figures
from glowlab.figures.change_of_variables import Curve, bent_curve
from glowlab.figures.live import CheckBox, Live, Point, Slider
from glowlite.errors import GlowliteError

HANDLES = [(-1.2, -1.5), (-0.2, 0.1), (1.4, 0.7)]
X = torch.linspace(-7, 7, 1401, dtype=torch.float64)


def random_handles(seed):
    generator = torch.Generator().manual_seed(seed)
    return ((torch.rand(3, 2, generator=generator) - 0.5) * 9).tolist()


def text_of(scene) -> list[str]:
    return [shape["words"] for shape in scene.drawing().shapes if shape["kind"] == "text"]


# ---- the curve ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_any_handles_give_a_smooth_rising_curve(seed):
    curve = bent_curve(*random_handles(seed))
    x = X.clone().requires_grad_()
    (slope,) = torch.autograd.grad(curve(x).sum(), x)
    assert (slope > 0).all() and torch.allclose(slope, curve.slope(X))
    assert slope.diff().abs().max() < 0.5  # no corner: the steps between neighbours are small


@pytest.mark.parametrize("seed", range(5))
def test_the_inverse_takes_every_z_back(seed):
    curve = bent_curve(*random_handles(seed))
    assert torch.allclose(curve.inverse(curve(X)), X, atol=1e-9)
    z = torch.randn(3, 4, dtype=torch.float64)
    assert curve.inverse(z).shape == z.shape and torch.allclose(curve(curve.inverse(z)), z, atol=1e-9)


def test_handles_with_room_are_met_and_the_corners_too():
    curve = bent_curve(*HANDLES)
    x, z = torch.tensor(HANDLES, dtype=torch.float64).unbind(1)
    assert torch.allclose(curve(x), z, atol=0.02)
    ends = curve(torch.tensor([-figures.REACH, figures.REACH], dtype=torch.float64))
    assert torch.allclose(ends, torch.tensor([-figures.TOP, figures.TOP], dtype=torch.float64), atol=1e-6)


def test_handles_that_cross_are_kept_in_order():
    curve = bent_curve((3.9, 3.4), (-3.0, -3.0), (0.0, 0.0))
    assert (curve.x.diff() > 0.24).all() and (curve.z.diff() > 0.09).all()
    assert curve.x[-1] == figures.REACH and curve.z[-1] == figures.TOP


def test_a_curve_through_two_points_is_a_line():
    line = Curve([0, 2], [1, 5])
    assert torch.allclose(line(X), 1 + 2 * X) and torch.allclose(line.slope(X), torch.full_like(X, 2))


@pytest.mark.parametrize(
    "x, z, says", [([0, 1], [1, 1], "increase"), ([0, -1], [0, 1], "increase"), ([0], [0], "two points")]
)
def test_a_curve_that_does_not_rise_is_refused(x, z, says):
    with pytest.raises(GlowliteError, match=says):
        Curve(x, z)


# ---- areas -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_the_correct_area_is_one_and_the_naive_one_is_measured(seed):
    curve = bent_curve(*random_handles(seed))
    found = figures.measure_areas(curve)
    assert found["base"] == pytest.approx(1, abs=1e-6) and found["correct"] == pytest.approx(1, abs=1e-5)
    # the area of p(f(x)) is the mean of 1 / slope over the ink: an independent way to the same number
    z = torch.linspace(-6, 6, 1201, dtype=torch.float64)
    expected = torch.trapezoid(figures.normal(z) / curve.slope(curve.inverse(z)), z).item()
    assert found["naive"] == pytest.approx(expected, rel=2e-3)


def test_a_stretch_by_two_halves_the_naive_area():
    found = figures.measure_areas(Curve([-1, 1], [-2, 2]))
    assert found["naive"] == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("slabs", [2, 8, 24])
def test_slabs_hold_equal_ink(slabs):
    edges = figures.slab_edges(slabs)
    held = torch.special.ndtr(edges).diff()
    assert len(edges) == slabs + 1 and torch.allclose(held, torch.full_like(held, 1 / slabs), atol=4e-5)
    with pytest.raises(GlowliteError, match="two slabs"):
        figures.slab_edges(1)


def test_normal_is_the_density_and_area_the_integral():
    z = torch.linspace(-1, 1, 2001, dtype=torch.float64)
    expected = torch.distributions.Normal(0.0, 1.0).log_prob(z).exp()
    assert torch.allclose(figures.normal(z), expected)
    assert figures.area_under(z, figures.normal(z)) == pytest.approx(math.erf(1 / math.sqrt(2)), abs=1e-6)


# ---- what is drawn -----------------------------------------------------------------------------------------


def strips(scene, colour) -> list:
    """The filled slabs of one colour: areas in the panel's units, in order, for what lies in its box."""
    drawing = scene.drawing()
    width = scene.panels[0].plot[2]
    unit = (scene.panels[0].x[1] - scene.panels[0].x[0]) / width
    found = []
    for shape in drawing.shapes:
        if shape.get("fill") != colour or shape["kind"] not in ("path", "polygons"):
            continue
        flat = shape["points"][0] if shape["kind"] == "polygons" else shape["points"]
        points = torch.tensor(flat, dtype=torch.float64).view(-1, 2) * unit
        x, y = points.unbind(1)
        found.append(0.5 * (x * y.roll(-1) - x.roll(-1) * y).sum().abs().item())
    return found[:8]


def test_every_slab_shows_the_same_ink_on_both_axes():
    scene = figures.ink_slabs(bent_curve((-1.0, -1.2), (0.2, 0.1), (1.0, 1.3)), slab=2)
    for colour in ("z", "x"):
        inside = torch.tensor(strips(scene, colour))[1:-1] / figures.UNIT_DENSITY
        assert torch.allclose(inside, torch.full_like(inside, 1 / 8), rtol=0.06)  # page units are rounded


def test_the_followed_slab_has_its_width_and_height():
    curve = bent_curve(*HANDLES)
    edges = figures.slab_edges(8)
    z, x = edges.diff()[3].item(), curve.inverse(edges).diff()[3].item()
    scene = figures.ink_slabs(curve, slab=4)
    assert f"{z:.2f} wide on the z axis and {x:.2f} on the x axis" in scene.alt
    said = text_of(scene)
    assert f"x: {x:.2f} wide × {1 / 8 / x:.2f} high = 0.125" in said
    assert f"high × Δz/Δx:  {1 / 8 / z:.2f} × {z / x:.2f} = {1 / 8 / x:.2f}" in said
    assert scene.shown().alt == scene.alt


def test_the_three_areas_are_written_and_naive_draws_its_curve():
    curve = bent_curve(*HANDLES)
    found = figures.measure_areas(curve)
    for forget in (False, True):
        scene = figures.ink_slabs(curve, naive=forget, areas_too=True)
        assert {f"{area:.3f}" for area in found.values()} <= set(text_of(scene))
        assert f"naive {found['naive']:.3f}" in scene.alt
        pink = [shape for shape in scene.drawing().shapes if shape.get("stroke") == "pink"]
        assert len(pink) == forget


def test_a_drag_redraws_and_handles_lie_on_the_curve():
    names = ["a", "b", "c"]

    def draw(a, b, c, slab, forget):
        curve = bent_curve(a, b, c)
        return figures.add_handles(figures.ink_slabs(curve, slab, naive=forget), curve, names)

    points = [Point(name, at) for name, at in zip(names, HANDLES, strict=True)]
    live = Live(draw, *points, Slider("slab", "Slab", 1, 8, value=4, step=1), CheckBox("forget", "forget"))
    before = live.scene.alt
    for seed in range(5):
        a, b, c = random_handles(seed)
        live.set(a=a, b=b, c=c, slab=1 + seed, forget=bool(seed % 2))
        panel, curve = live.scene.panels[0], bent_curve(a, b, c)
        handles = live.scene.drawing().handles
        for i, name in enumerate(names, start=1):
            x, z = panel.from_page(handles[name]["x"], handles[name]["y"])
            assert curve(torch.tensor(float(x), dtype=torch.float64)) == pytest.approx(float(z), abs=0.02)
            assert x == pytest.approx(curve.x[i].item(), abs=0.01)
    assert live.scene.alt != before


def test_ink_and_handles_state_mistakes():
    curve = bent_curve(*HANDLES)
    with pytest.raises(GlowliteError, match="slabs 1 to 8"):
        figures.ink_slabs(curve, slab=9)
    with pytest.raises(GlowliteError, match="3 inner points"):
        figures.add_handles(figures.ink_slabs(curve), curve, ["one"])


def test_densities_are_drawn_with_their_areas_and_samples_behind():
    x = torch.linspace(-5, 5, 1001, dtype=torch.float64)
    curves = {"right": ("x", figures.normal(x)), "double": ("pink", 2 * figures.normal(x))}
    samples = torch.randn(5000, generator=torch.Generator().manual_seed(0))
    scene = figures.density_curves(x, curves, samples)
    assert "right 1.000, double 2.000, over a histogram" in scene.alt and len(scene.panels) == 2
    assert {" area 1.000", " area 2.000"} <= set(text_of(scene))
    assert "histogram" not in figures.density_curves(x, curves).alt
    with pytest.raises(GlowliteError, match="no density"):
        figures.density_curves(x, {})


def test_thinner_slabs_come_closer_to_the_line():
    curve = bent_curve(*HANDLES)
    gaps = []
    for count in (8, 96):
        edges = curve.inverse(figures.slab_edges(count))[1:-1]
        middle = (edges[1:] + edges[:-1]) / 2
        line = figures.normal(curve(middle)) * curve.slope(middle)
        gaps.append((1 / count / edges.diff() - line).abs().max().item())
    assert gaps[1] < gaps[0] / 10
    scene = figures.thinner_slabs(curve, (8, 96))
    assert [panel.title for panel in scene.panels] == ["8 slabs", "96 slabs"] and "8, 96" in scene.alt
