"""Figures of notebook 11: their numbers are those of the package's paths, and bad input is refused."""

import math

import numpy as np
import pytest
import torch

from glowlab.figures import interpolation as figures
from glowlab.figures.live import Button, Choice, Live, Slider
from glowlite import latents
from glowlite.errors import GlowliteError
from tests.glowlab.figures.painted import words


def dots(scene, colour: str) -> np.ndarray:
    found = [s["points"] for s in scene.drawing().shapes if s["kind"] == "dots" and s["fill"] == colour]
    return np.array([points[:2] for points in found])


def picture(value: int, side: int = 64) -> torch.Tensor:
    return torch.full((3, side, side), value, dtype=torch.uint8)


# ---- pictures along a way ------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns, side, zoom", [(3, 64, 3), (6, 64, 2), (3, 56, 3)])
def test_strips_show_each_pixel_as_an_equal_square(columns, side, zoom, monkeypatch):
    made = []
    monkeypatch.setattr(figures.Scene, "shown", lambda scene: made.append(scene.drawing()))
    rows = {"straight line": [picture(9, side)] * columns, "arc": [picture(200, side)[None]] * columns}
    figures.picture_strips(rows, [str(k) for k in range(columns)], "Two rows.")
    (drawing,) = made
    boxes = [shape["box"] for shape in drawing.shapes if shape["kind"] == "image"]
    assert len(boxes) == 2 * columns == len(drawing.images)
    for left, top, wide, high in boxes:
        assert wide == pytest.approx(side * zoom / figures.SHARPNESS, abs=0.11) == pytest.approx(high, abs=0.11)
        assert 0 <= left and left + wide <= 720 and 0 <= top and top + high <= drawing.height
    assert [image[0, 0, 0] for image in drawing.images] == [9] * columns + [200] * columns
    lefts = sorted({box[0] for box in boxes})
    assert len(lefts) == columns and np.diff(lefts).min() > boxes[0][2], "pictures lie on each other"


def test_strips_leave_a_picture_with_words():
    shown = figures.picture_strips({"arc": [picture(0), picture(90)]}, ["a", "b"], "From black to grey.")
    assert shown.alt == "From black to grey." and len(shown.png) > 500


@pytest.mark.parametrize("rows, heads", [({"arc": [picture(0)]}, ["a", "b"]), ({}, ["a"]), ({"arc": []}, [])])
def test_strips_need_a_picture_under_each_head(rows, heads):
    with pytest.raises(GlowliteError, match="one under each head"):
        figures.picture_strips(rows, heads, "Nothing.")


# ---- the shell -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dims", [2, 200, 12288])
@pytest.mark.parametrize("t, second", [(0.5, 1.0), (0.3, 0.5)])
def test_the_shell_shows_the_temperatures_of_both_ways(dims, t, second):
    a, b = torch.randn(2, 1, 1, 1, dims, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    scene = figures.paths_in_shell(t, dims, second, again=4)
    line = latents.effective_temperature(latents.lerp([a], [second * b], t)).item()
    arc = latents.effective_temperature(latents.slerp([a], [second * b], t)).item()
    assert f"straight line: {line:.2f}" in words(scene) and f"arc: {arc:.2f}" in words(scene)
    angle = math.degrees(math.acos(torch.cosine_similarity(a.flatten(), b.flatten(), dim=0).item()))
    assert f"angle {angle:.0f}°" in words(scene)
    assert f"temperature {line:.2f}" in scene.alt and f"{dims:,} numbers" in scene.alt
    plane = scene.panels[0]
    for colour, norm in (("pink", line), ("z", arc)):  # in the plane, each stop lies as far from 0 as it says
        scene.place_panels()
        x, y = plane.from_page(*dots(scene, colour)[0])
        assert math.hypot(x, y) == pytest.approx(norm, abs=0.02) or norm > 1.5


def test_in_many_dimensions_the_shell_is_thin_and_the_angle_right():
    told = words(figures.paths_in_shell(0.5, 12288))
    assert "angle 90°" in told and "straight line: 0.71" in told
    norms = torch.randn(4000, 200, generator=torch.Generator().manual_seed(0)).norm(dim=1) / 200**0.5
    assert figures.shell_spread(200) == pytest.approx(norms.std().item(), rel=0.05)
    assert figures.shell_spread(12288) < 0.01


def test_controls_move_the_shell():
    live = Live(
        lambda t, dims, second, again: figures.paths_in_shell(t, int(dims), second, again),
        Slider("t", "How far", 0.0, 1.0, value=0.5),
        Slider("second", "Temperature", 0.3, 1.4, value=1.0),
        Choice("dims", "D", {"2": "2", "200": "200"}, value="200"),
        Button("again", "Other draws"),
    )
    seen = {live.scene.alt}
    live.set(t=0.1)
    seen.add(live.scene.alt)
    live.set(dims="2")
    seen.add(live.scene.alt)
    live.controls["again"].click()
    assert live.values["again"] == 1 and len(seen | {live.scene.alt}) == 4


@pytest.mark.parametrize("call", [(-0.1, 20), (1.1, 20), (0.5, 1), (0.5, 20, 0.0)])
def test_impossible_shells_are_refused(call):
    with pytest.raises(GlowliteError, match="the shell needs"):
        figures.paths_in_shell(*call)


# ---- the formula's weights -----------------------------------------------------------------------------------


@pytest.mark.parametrize("degrees", [0.0, 1.0, 60.0, 90.0, 150.0, 179.0])
@pytest.mark.parametrize("part", [0.25, 0.5])
def test_weights_are_those_of_slerp(degrees, part):
    turn = math.radians(degrees)
    a = [torch.tensor([[[[1.0, 0.0]]]], dtype=torch.float64)]
    b = [torch.tensor([[[[math.cos(turn), math.sin(turn)]]]], dtype=torch.float64)]
    first, second = figures.slerp_weight(1 - part, degrees), figures.slerp_weight(part, degrees)
    assert torch.allclose(first * a[0] + second * b[0], latents.slerp(a, b, part)[0], atol=1e-6)


@pytest.mark.parametrize("degrees, said", [(0, "0.50"), (90, "0.71"), (120, "1.00"), (180, "∞")])
def test_arc_weights_states_the_weights_half_way(degrees, said):
    scene = figures.arc_weights(degrees)
    assert f"half-way: {said} a + {said} b" in words(scene) and f"takes {said} of" in scene.alt
    assert len(scene.shown().png) > 2000


@pytest.mark.parametrize("degrees", [-1, 181])
def test_impossible_angles_are_refused(degrees):
    with pytest.raises(GlowliteError, match="0 to 180 degrees"):
        figures.arc_weights(degrees)


# ---- what pictures cost --------------------------------------------------------------------------------------


def test_groups_and_curves_are_drawn_with_their_means(monkeypatch):
    made = []
    monkeypatch.setattr(figures.Scene, "shown", lambda scene: made.append(scene))
    figures.bits_by_group({"faces": torch.tensor([3.4, 3.6]), "blends": torch.tensor([3.3, 3.4, 3.5])}, "Dots.")
    assert {"3.50", "3.40", "faces", "blends"} <= set(words(made[0]))
    flat = torch.full((5, 3), 3.5)
    curve = flat - torch.tensor([0, 0.2, 0.4, 0.2, 0])[:, None]
    figures.curves_along_path({"straight line": curve, "arc": flat}, "Curves.")
    texts = {s["words"]: s["points"][1] for s in made[1].drawing().shapes if s["kind"] == "text"}
    assert texts["arc"] < texts["straight line"], "the lower curve's name stands below"
    lowest = dots(made[1], "pink")
    points = next(s["points"] for s in made[1].drawing().shapes if s["kind"] == "dots" and s["fill"] == "pink")
    assert len(lowest) == 1 and len(points) == 10 and max(points[1::2]) == points[5], "the middle is lowest"


@pytest.mark.parametrize("groups", [{}, {"faces": torch.empty(0)}, {str(k): torch.ones(2) for k in range(6)}])
def test_groups_without_pictures_are_refused(groups):
    with pytest.raises(GlowliteError, match="groups"):
        figures.bits_by_group(groups, "Dots.")


@pytest.mark.parametrize("curves", [{}, {"arc": torch.ones(5)}, {"arc": torch.ones(1, 5)}])
def test_curves_of_no_length_are_refused(curves):
    with pytest.raises(GlowliteError, match="two stops"):
        figures.curves_along_path(curves, "Curves.")
