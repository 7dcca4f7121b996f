"""Flows of the plane: densities have mass 1, layers are the flow's own, a sketch follows the strokes."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from glowlab.figures import coupling_layers_plane as figures
from glowlab.figures.coupling_layers_plane import Layers, Sketch, density_and_loss, density_map, density_maps, mass
from glowlite.data import toy2d
from glowlite.errors import GlowliteError
from glowlite.flows import Chain, Coupling, Reverse, Shuffle
from glowlite.flows.multiscale import standard_normal_log_prob
from tests.glowlab.figures.painted import pixels


def bell(x):
    return standard_normal_log_prob(x)


@pytest.fixture
def flow():
    """Three random couplings in the plane, with a permutation after each, and one at the start."""
    parts = [Reverse(2)]
    for _ in range(3):
        coupling = Coupling(2, width=1)
        coupling.network = nn.Sequential(nn.Linear(1, 8), nn.SiLU(), nn.Linear(8, 2))
        parts += [coupling, Reverse(2)]
    return Chain(*parts)


@pytest.fixture
def points():
    return toy2d.draw("moons", 400)


def log_prob(flow):
    def of(x):
        z, log_det = flow(x)
        return bell(z) + log_det

    return of


# ---- densities ---------------------------------------------------------------------------------------------


def test_a_heat_map_is_the_density_top_row_first():
    density = density_map(lambda x: bell(x - torch.tensor([1.0, 2.0])), reach=6.0)
    assert density.shape == (figures.FINE, figures.FINE)
    assert mass(density, reach=6.0) == pytest.approx(1, abs=1e-4)
    row, column = divmod(density.argmax().item(), figures.FINE)
    assert 6 - (row + 0.5) * 12 / figures.FINE == pytest.approx(2, abs=0.06)
    assert (column + 0.5) * 12 / figures.FINE - 6 == pytest.approx(1, abs=0.06)
    assert density.max() == pytest.approx(1 / (2 * math.pi), rel=0.01)


def test_maps_beside_each_other_share_one_scale_of_colours(points):
    scene = density_maps({"bell": bell, "narrow": lambda x: bell(2 * x) + math.log(4)}, points)
    faint, strong = (image[..., 3].max() for image in scene.drawing().images)
    assert strong == 255 and faint == pytest.approx(255 / 4, abs=8)
    assert "bell: at most 0.16; narrow: at most 0.64" in scene.alt
    assert pixels(scene.shown()).size


def test_training_shows_the_curve_so_far_and_the_mean_of_its_end(points):
    scene = density_and_loss(bell, points, [3.0] * 40 + [2.0] * 20, 100)
    assert "60 of 100 steps" in scene.alt and "2.00 nats" in scene.alt
    (curve,) = [s for s in scene.drawing().shapes if s.get("stroke") == "log_det"]
    assert len(curve["points"]) == 120
    assert "not begun" in density_and_loss(bell, points, [], 100).alt


# ---- layers ------------------------------------------------------------------------------------------------


def test_the_first_layer_is_the_data_and_the_last_the_latents(flow, points):
    layers = Layers(flow, points)
    with torch.no_grad():
        z = flow(points[: figures.SHOWN])[0]
    assert len(layers) == 3
    assert torch.equal(layers.points(0), points[: figures.SHOWN])
    last = layers.points(3)  # the last Reverse, after the coupling, is not among them
    assert torch.allclose(last, z) or torch.allclose(last, z.flip(1))


def test_each_coupling_moves_one_axis_of_the_drawing_and_the_words_say_which(flow, points):
    layers = Layers(flow, points)
    for layer in (1, 2, 3):
        moved = (layers.points(layer) - layers.points(layer - 1)).abs().amax(0) > 1e-6
        assert moved.tolist() == {"sideways": [True, False], "up and down": [False, True]}[layers.name_axis(layer)]
    assert [layers.name_axis(layer) for layer in (1, 2, 3)] == ["sideways", "up and down", "sideways"]
    assert "of the data" in layers(0).alt and "moved" not in layers(0).alt


def test_points_latents_and_densities_of_a_layer_fit_together(flow, points):
    layers = Layers(flow, points)
    with torch.no_grad():
        z = flow(points[: figures.SHOWN])[0]
        own = density_map(log_prob(flow), figures.FAR)
    for layer in range(4):
        assert torch.allclose(layers.inverse(layer, z), layers.points(layer), atol=1e-5)
        assert mass(layers.density(layer), figures.FAR) == pytest.approx(1, abs=0.03)
    assert torch.allclose(layers.density(0), own, atol=1e-6)


def test_permutations_of_any_kind_are_undone_in_the_drawing(points):
    still = Chain(Reverse(2), Coupling(2, width=4), Reverse(2), Shuffle(2), Reverse(2), Coupling(2, width=4))
    for part in still.flows:
        if isinstance(part, Coupling):
            part.network = nn.Linear(1, 2)
            nn.init.zeros_(part.network.weight)
            nn.init.zeros_(part.network.bias)
    layers = Layers(still, points)
    assert all(torch.equal(layers.points(layer), points[: figures.SHOWN]) for layer in range(3))


def test_a_layer_is_drawn_once_and_has_words(flow, points):
    layers = Layers(flow, points)
    assert layers(2) is layers(2) and "after coupling 2 of 3" in layers(2).alt
    assert pixels(layers(2).shown()).size
    strip = layers.strip(3, 1, 0)
    assert [panel.title for panel in strip.panels] == ["z", "1 left to undo", "x"] and "3, 1, 0" in strip.alt
    assert pixels(strip.shown()).size


def test_the_unit_lines_are_straight_and_a_unit_apart():
    lines = figures.unit_lines()
    assert lines.shape == (14, figures.FINE + 1, 2)
    assert lines[:7, 0, 1].tolist() == lines[7:, 0, 0].tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert (lines[:7, :, 1].std(1) == 0).all() and (lines[7:, :, 0].std(1) == 0).all()


def test_what_is_no_flow_of_the_plane_is_refused(flow, points):
    with pytest.raises(GlowliteError, match="couplings"):
        Layers(Chain(Reverse(2)), points)
    with pytest.raises(GlowliteError, match=r"\(N, 2\)"):
        Layers(flow, torch.zeros(5, 3))


# ---- a sketch ----------------------------------------------------------------------------------------------


def stroke(*points):
    return np.array(points, float)


def test_before_anything_is_drawn_the_chosen_shape_counts():
    sketch = Sketch("rings")
    assert not sketch.drawn and torch.equal(sketch.points(50), toy2d.draw("rings", 50))
    assert "the shape: rings" in sketch.scene.alt
    sketch.set(shape="spiral")
    assert torch.equal(sketch.points(50, seed=2), toy2d.draw("spiral", 50, seed=2))


def test_strokes_are_collected_with_the_pen_lifted_between_them():
    sketch = Sketch()
    sketch.set(pen=stroke((-2, 0), (-2, 1)))
    sketch.set(pen=stroke((2, 0), (2, 1)))
    points = sketch.points(2000)
    assert sketch.drawn and points.shape == (2000, 2) and "the drawing" in sketch.scene.alt
    assert (points[:, 0].abs() > 1.4).all()
    assert (points[:, 0] > 0).float().mean() == pytest.approx(0.5, abs=0.05)
    assert torch.equal(points, sketch.points(2000))


def test_wiping_or_choosing_takes_the_drawing_away():
    sketch = Sketch("heart")
    sketch.set(pen=stroke((-1, 0), (1, 0)))
    sketch.controls["wipe"].clicks += 1
    assert not sketch.drawn and sketch.shape == "heart"
    sketch.set(pen=stroke((-1, 0), (1, 0)))
    sketch.set(shape="moons")
    assert not sketch.drawn and sketch.shape == "moons"
    sketch.set(pen=stroke((0, 0), (0, 1)))
    assert sketch.drawn and len(sketch.strokes) == 1


def test_the_mouse_on_the_pad_draws():
    sketch = Sketch()
    panel = sketch.scene.panels[0]
    sketch.board.trace = [1, "pen", panel.to_page([-1.0, 1.0], [0.5, 0.5]).flatten().tolist()]
    assert sketch.strokes[0] == pytest.approx(np.array([[-1, 0.5], [1, 0.5]]), abs=0.02)
    assert any(shape.get("width") == 4 for shape in sketch.scene.drawing().shapes)
