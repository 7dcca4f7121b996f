"""Figures of notebook 02: the numbers in the boxes are the layer's own, at every step; bad input is refused."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from glowlab.figures import coupling_layers as figures
from glowlab.figures.coupling_layers import (
    BACK,
    LAST,
    jacobian_patterns,
    jacobian_rows,
    scale_curves,
    sliding_columns,
    stepper,
)
from glowlite.errors import GlowliteError
from glowlite.flows import Coupling
from tests.glowlab.figures.painted import pixels, words


def network(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 8), nn.SiLU(), nn.Linear(8, outputs))


@pytest.fixture
def layer():
    made = Coupling(4, width=1)
    made.network = network(2, 4)
    nn.init.normal_(made.network[-1].weight)
    return made


def number(text: str) -> float:
    return float(text.replace("\N{MINUS SIGN}", "-"))


def shown_numbers(scene) -> list[float]:
    found = []
    for text in words(scene)[:-1]:  # the last words are the sentence
        try:
            found.append(number(text))
        except ValueError:
            continue
    return found


# ---- the stepper -------------------------------------------------------------------------------------------


def test_the_last_forward_step_shows_every_number_of_the_layer(layer):
    x = torch.randn(1, 4)
    scene = stepper(layer, x, 5)
    with torch.no_grad():
        z, log_det = layer(x)
        log_s, t = layer.scale_and_shift(x[:, :2])
    expected = torch.cat([x, t, log_s.exp(), x[:, 2:] + t, z], 1).flatten().tolist()
    assert sorted(shown_numbers(scene)) == pytest.approx(sorted(expected), abs=6e-4)
    (sentence,) = [text for text in words(scene) if " = " in text and "log" not in text]
    first, second = log_s.flatten().tolist()
    left, total = sentence.split(" = ")
    assert number(total) == pytest.approx(log_det.item(), abs=6e-4)
    assert number(left.split(" ")[0]) == pytest.approx(first, abs=6e-4)
    assert number(left.split(" ")[2]) == pytest.approx(abs(second), abs=6e-4)
    assert f"log-det = {total}" in scene.alt


@pytest.mark.parametrize("step, count", [(0, 4), (1, 6), (2, 10), (3, 12), (4, 14), (5, 14)])
def test_going_forward_boxes_fill_one_after_the_other(layer, step, count):
    assert len(shown_numbers(stepper(layer, torch.randn(1, 4), step))) == count


@pytest.mark.parametrize("step, count", [(6, 4), (7, 6), (8, 10), (9, 12), (10, 14)])
def test_going_back_boxes_are_emptied_first_and_end_at_x(layer, step, count):
    x = torch.randn(1, 4)
    scene = stepper(layer, x, step)
    assert len(shown_numbers(scene)) == count
    assert any("÷ s" in text for text in words(scene)) and "back, from z to x" in scene.alt
    if step == LAST:
        assert sorted(shown_numbers(scene)) == sorted(shown_numbers(stepper(layer, x, 5)))


def test_the_way_back_shows_the_inverse(layer):
    x = torch.randn(1, 4)
    layer.inverse = lambda z: torch.full_like(z, 9.0)  # a wrong inverse must be seen
    assert shown_numbers(stepper(layer, x, LAST)).count(9.0) == 4
    assert 9.0 not in shown_numbers(stepper(layer, x, BACK - 1))


def test_additive_couplings_and_pictures_of_one_pixel_are_accepted():
    plain = Coupling(4, width=4, kind="additive")
    plain.network = network(2, 2)
    assert shown_numbers(stepper(plain, torch.randn(1, 4), 5)).count(1.0) == 2
    conv = Coupling(4, width=4)
    assert "log-det = 0.000" in stepper(conv, torch.randn(1, 4, 1, 1), 5).alt


def test_the_stepper_is_a_picture_with_words(layer):
    shown = stepper(layer, torch.randn(1, 4), 4).shown()
    assert pixels(shown).shape[1] == 1080 and "step 4 of 10" in shown.alt


@pytest.mark.parametrize(
    "shape, step, says", [((1, 6), 0, "room for 4"), ((2, 4), 0, "room for 4"), ((1, 4), 11, "11")]
)
def test_the_stepper_states_mistakes(layer, shape, step, says):
    with pytest.raises(GlowliteError, match=says):
        stepper(layer, torch.randn(shape), step)


# ---- the Jacobian ------------------------------------------------------------------------------------------


@pytest.fixture
def jacobian():
    wide = Coupling(6, width=1)
    wide.network = network(3, 6)
    x = torch.randn(6)
    return torch.autograd.functional.jacobian(lambda x: wide(x[None])[0][0], x), wide(x[None])[1].item()


def test_rows_fill_and_the_logs_of_the_diagonal_add_up_to_the_log_det(jacobian):
    J, log_det = jacobian
    full = words(jacobian_rows(J, 3))
    assert full.count("0") == 21 and full.count("1") == 3
    (total,) = [text for text in full if text.startswith("sum = ")]
    assert number(total[6:]) == pytest.approx(log_det, abs=6e-4)
    for i in range(3, 6):
        assert f"{J[i, i]:.2f}" in full
    part = words(jacobian_rows(J, 3, 3))
    assert part.count("0") == 15 and part.count("1") == 3 and "sum = 0.000" in part
    assert words(jacobian_rows(J, 3, 0)).count("0") == 0


def test_patterns_stand_side_by_side(jacobian):
    scene = jacobian_patterns({"one": jacobian[0], "two": torch.eye(6)}, 3)
    assert [panel.title for panel in scene.panels] == ["one", "two"]
    assert words(scene).count("0") == 21 + 30 and "one and two" in scene.alt
    assert pixels(scene.shown()).size


@pytest.mark.parametrize("shape, stays", [((3, 4), 2), ((4,), 2), ((4, 4), 4), ((4, 4), 0)])
def test_a_jacobian_is_square_and_part_of_it_stays(shape, stays):
    for draw in (lambda J: jacobian_rows(J, stays), lambda J: jacobian_patterns({"J": J}, stays)):
        with pytest.raises(GlowliteError, match=r"\(D, D\)"):
            draw(torch.zeros(shape))


def test_numbers_never_read_minus_zero():
    assert figures.format_fixed(-0.0004, 3) == "0.000" and figures.format_fixed(-0.0006, 3) == "\N{MINUS SIGN}0.001"
    assert figures.format_fixed(0.25, 2, plus=True) == "+0.25" and figures.format_fixed(-1e-9, plus=True) == "0.00"


# ---- columns -----------------------------------------------------------------------------------------------


def heights(scene) -> list[np.ndarray]:
    """For each panel, y of every band's corners in the panel's units, (columns, bands, 4)."""
    shapes = [shape for shape in scene.drawing().shapes if shape["kind"] == "polygons"]
    found = []
    for panel, shape in zip(scene.panels, shapes, strict=True):
        points = np.array(shape["points"]).reshape(figures.COLUMNS, figures.BANDS, 4, 2)
        _, top, _, high = panel.plot
        found.append(panel.y[1] - (points[..., 1] - top) / high * (panel.y[1] - panel.y[0]))
    return found


def test_columns_slide_by_t_stretch_by_s_and_come_back():
    scene = sliding_columns(torch.sin, log_s=lambda a: 0.3 * a)
    before, after, again = heights(scene)
    edges = np.linspace(-figures.REACH, figures.REACH, figures.COLUMNS + 1)
    middle = ((edges[1:] + edges[:-1]) / 2)[:, None, None]
    expected = (before + np.sin(middle)) * np.exp(0.3 * middle)
    seen = abs(expected) < 4
    assert abs(after - expected)[seen].max() < 0.02  # drawn to a tenth of a page unit
    assert abs(again - before).max() < 0.02


def test_without_a_scale_every_band_keeps_its_height():
    _, after, _ = heights(sliding_columns(lambda a: a.sign()))
    thick = after[..., 2] - after[..., 0]
    assert abs(thick - 2 * figures.REACH / figures.BANDS).max() < 0.03


def test_columns_refuse_what_is_not_finite():
    with pytest.raises(GlowliteError, match="finite"):
        sliding_columns(lambda a: a / 0)
    with pytest.raises(GlowliteError, match="finite"):
        sliding_columns(torch.sin, log_s=lambda a: a * 1e4)


# ---- the scale ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sigmoid", "bounded"])
def test_the_scales_are_those_of_the_package(kind):
    layer = Coupling(2, width=1, scale=kind)
    layer.network = nn.Linear(1, 2)
    h = torch.linspace(-12, 6, 7)
    with torch.no_grad():
        layer.network.weight.copy_(torch.tensor([[0.0], [1.0]]))
        layer.network.bias.zero_()
        log_s = layer.scale_and_shift(h[:, None])[0].flatten()
    assert torch.allclose(figures.log_scales(h)[kind], log_s, atol=1e-6)


def test_the_marked_factors_are_written():
    scene = scale_curves(-10.0)
    said = [text for text in words(scene) if text.startswith("inverse stretches")]
    assert said == [f"inverse stretches by {1 + math.exp(8):,.0f}", "inverse stretches by 2.01"]
    assert "sigmoid 2,982" in scene.alt and pixels(scene.shown()).size
