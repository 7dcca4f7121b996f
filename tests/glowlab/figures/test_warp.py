"""The warped grid: areas scale by the determinant, mass is kept, and the opacity is the density."""

import math

import pytest
import torch

from glowlab.figures import warp
from glowlab.figures.scene import Scene
from glowlite.errors import GlowliteError
from glowlite.flows import ActNorm, Coupling
from tests.helpers import perturb


def turn(z):
    """Each point around the middle, the further out the further round: keeps areas."""
    angle = 0.5 * z.square().sum(-1)
    c, s = angle.cos(), angle.sin()
    return torch.stack([c * z[:, 0] - s * z[:, 1], s * z[:, 0] + c * z[:, 1]], -1)


def linear(matrix):
    return lambda z: z @ torch.tensor(matrix, dtype=z.dtype).T


def test_the_squares_fill_the_square():
    corners = warp.square_cells(2.0, 8)
    assert corners.shape == (64, 4, 2)
    assert torch.allclose(warp.signed_areas(corners), torch.full((64,), 0.25, dtype=torch.float64))
    assert corners.amin().item() == -2 and corners.amax().item() == 2
    assert corners[1, 0].tolist() == [-1.5, -2.0]  # the second cell lies to the right of the first


@pytest.mark.parametrize(
    "matrix, det",
    [([[2.0, 0.0], [0.0, 0.5]], 1.0), ([[1.0, 2.0], [0.5, -1.0]], -2.0), ([[0.0, 1.0], [1.0, 0.0]], -1.0)],
)
def test_a_linear_map_scales_areas_by_its_determinant(matrix, det):
    squares = warp.square_cells()
    moved = linear(matrix)(squares.view(-1, 2)).view(-1, 4, 2)
    assert torch.allclose(warp.signed_areas(moved), det * warp.signed_areas(squares))
    assert torch.allclose(warp.cell_areas(moved), abs(det) * warp.cell_areas(squares))


def test_areas_of_polygons_with_other_corners():
    triangle = torch.tensor([[[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]]])
    assert warp.cell_areas(triangle).tolist() == [6.0]
    assert warp.signed_areas(triangle.flip(1)).tolist() == [-6.0]


@pytest.mark.parametrize("reach, cells", [(1.0, 5), (3.0, 24)])
def test_masses_add_up_to_what_the_square_holds(reach, cells):
    mass = warp.cell_masses(reach, cells)
    assert mass.sum().item() == pytest.approx(math.erf(reach / math.sqrt(2)) ** 2, abs=1e-12)
    points = torch.randn(200_000, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    column, row = ((points + reach) * cells / (2 * reach)).floor().long().unbind(-1)
    inside = (points.abs() < reach).all(-1)
    counted = torch.bincount((row * cells + column)[inside], minlength=cells**2) / len(points)
    assert (counted - mass).abs().max() < 2e-3  # cell by cell, in the order of the corners


@pytest.mark.parametrize("inverse", [turn, linear([[2.0, 1.0], [0.0, 0.3]]), lambda z: z.sinh()])
def test_density_times_area_is_the_mass_of_the_square(inverse):
    cells = warp.density_of_cells(inverse, 2.0, 16)
    total = (cells.density * warp.cell_areas(cells.corners)).sum().item()
    assert total == pytest.approx(math.erf(2 / math.sqrt(2)) ** 2, abs=1e-9)


def test_the_density_is_the_one_of_the_formula():
    z = torch.tensor([[0.5, -0.25]], dtype=torch.float64)
    cells = warp.density_of_cells(lambda z: torch.stack([z[:, 0].sinh(), 3 * z[:, 1]], -1), 1.0, 256)
    x = torch.tensor([z[0, 0].sinh(), 3 * z[0, 1]])
    nearest = (cells.corners.mean(1) - x).norm(dim=-1).argmin()
    expected = math.exp(-z.square().sum() / 2) / (2 * math.pi) / (3 * math.cosh(0.5))
    assert cells.density[nearest].item() == pytest.approx(expected, rel=0.01)


def test_it_takes_the_inverse_of_a_flow_and_makes_no_graph():
    torch.manual_seed(0)
    flow = ActNorm(2)
    perturb(flow, torch.randn(64, 2) * torch.tensor([3.0, 0.5]))
    cells = warp.density_of_cells(flow.inverse)
    assert not cells.density.requires_grad
    expected = warp.cell_areas(warp.square_cells()) * torch.exp(-flow.log_scale().sum()).item()
    assert torch.allclose(warp.cell_areas(cells.corners), expected, rtol=1e-4)
    coupling = perturb(Coupling(2, 8, "additive"), torch.randn(8, 2, 1, 1))
    cells = warp.density_of_cells(lambda z: coupling.inverse(z[:, :, None, None])[:, :, 0, 0])
    assert cells.corners.shape == (576, 4, 2)


def test_a_cell_folded_to_nothing_stays_finite():
    cells = warp.density_of_cells(lambda z: z * torch.tensor([1.0, 0.0]))
    assert cells.density.isfinite().all()
    assert warp.compute_opacities(cells.density).max() <= warp.STRONGEST


def test_opacity_follows_the_density():
    density = torch.linspace(0, 1, 101, dtype=torch.float64)
    own = warp.compute_opacities(density)
    assert (own == warp.STRONGEST).float().mean() == pytest.approx(0.03, abs=0.011)
    assert own[49].item() == pytest.approx(warp.STRONGEST * 0.5)
    assert warp.compute_opacities(density, peak=2.0).max().item() == pytest.approx(warp.STRONGEST / 2)


def polygons(scene) -> dict:
    (shape,) = [shape for shape in scene.drawing().shapes if shape["kind"] == "polygons"]
    return shape


def test_the_grid_is_drawn_and_its_middle_is_darkest():
    scene = Scene("A sheet.", 300)
    cells = warp.warped_grid(scene.panel(x=(-4.5, 4.5), y=(-4.5, 4.5), equal=True), turn, cells=10)
    shape = polygons(scene)
    assert len(shape["points"]) == len(shape["alpha"]) == 100 and shape["fill"] == "z"
    assert max(shape["alpha"]) == shape["alpha"][44] == pytest.approx(warp.STRONGEST, abs=1e-3)
    assert torch.allclose(torch.tensor(shape["alpha"]), warp.compute_opacities(cells.density).float(), atol=1e-3)
    assert shape["alpha"][0] < 0.05
    assert scene.shown().alt == "A sheet."


def test_squeezing_darkens_when_the_peak_is_given():
    alphas = []
    for factor in (1.0, 0.8):
        scene = Scene("A sheet.", 300)
        panel = scene.panel(x=(-3, 3), y=(-3, 3))
        warp.warped_grid(panel, lambda z, factor=factor: factor * z, cells=6, peak=1.0, colour="x")
        alphas.append(torch.tensor(polygons(scene)["alpha"]))
    assert torch.allclose(alphas[1], alphas[0] / 0.64, atol=2e-3)


@pytest.mark.parametrize(
    "inverse, says",
    [
        (lambda z: z[:, :1], "one point for each"),
        (lambda z: z.tolist(), "not list"),
        (lambda z: z / 0, "not finite"),
    ],
)
def test_mistakes_are_stated(inverse, says):
    with pytest.raises(GlowliteError, match=says):
        warp.density_of_cells(inverse)


@pytest.mark.parametrize("reach, cells", [(0.0, 4), (-1.0, 4), (1.0, 0)])
def test_a_grid_needs_room(reach, cells):
    with pytest.raises(GlowliteError, match="grid"):
        warp.square_cells(reach, cells)


@pytest.mark.parametrize("peak", [0.0, -1.0, float("nan")])
def test_full_strength_is_above_zero(peak):
    with pytest.raises(GlowliteError, match="full strength"):
        warp.compute_opacities(torch.ones(3), peak)
