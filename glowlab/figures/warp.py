"""A grid of latent squares after a flow's inverse: the smaller a cell becomes, the denser its ink."""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from glowlab.figures.scene import Panel
from glowlite.errors import GlowliteError

STRONGEST = 0.9  # opacity of the densest cells
FULL_QUANTILE = 0.98  # this share of the cells is below full opacity, so that one tight fold does not dim all others
NO_AREA = 1e-9  # a cell folded to nothing counts as this large: dense, and still finite


class Cells(NamedTuple):
    """The squares of latent space after the flow's inverse: N cells, corners in order around each.

    corners (N, 4, 2) in data space; mass (N,) of the standard normal in each; density (N,) = mass / area.
    """

    corners: Tensor
    mass: Tensor
    density: Tensor


def square_cells(reach: float = 3.0, cells: int = 24) -> Tensor:
    """Corners (cells^2, 4, 2), anticlockwise, of the squares that fill [-reach, reach]^2, row by row from below."""
    return corners_of(lattice(reach, cells), cells)


def signed_areas(corners: Tensor) -> Tensor:
    """The area of each polygon of (N, k, 2) by the shoelace formula; negative where its corners run clockwise."""
    x, y = corners.unbind(-1)
    return 0.5 * (x * y.roll(-1, -1) - x.roll(-1, -1) * y).sum(-1)


def cell_areas(corners: Tensor) -> Tensor:
    """The area of each polygon of (N, k, 2), (N,), whichever way round its corners run."""
    return signed_areas(corners).abs()


def cell_masses(reach: float = 3.0, cells: int = 24) -> Tensor:
    """The mass of the standard normal in each cell of `square_cells`: (cells^2,), float64.

    Exact: the difference of the normal's distribution function along one side, times that along the other.
    """
    ends = torch.linspace(-reach, reach, cells + 1, dtype=torch.float64)
    side = (0.5 * torch.erf(ends / math.sqrt(2))).diff()
    return (side[:, None] * side).flatten()


def density_of_cells(
    inverse: Callable[[Tensor], Tensor], reach: float = 3.0, cells: int = 24, dtype: torch.dtype | None = None
) -> Cells:
    """The squares of [-reach, reach]^2 after `inverse`, latent (N, 2) to data (N, 2), with their densities.

    A cell keeps its mass and changes its area, so its density is mass / area: the change of variables formula,
    measured (Dinh et al. 2014, section 2). `dtype` is what `inverse` is called with, else torch's default.
    GlowliteError where `inverse` gives another shape or something that is not finite.
    """
    points = lattice(reach, cells).to(dtype or torch.get_default_dtype())
    with torch.no_grad():
        moved = inverse(points)
    if not isinstance(moved, Tensor) or moved.shape != points.shape:
        got = tuple(moved.shape) if isinstance(moved, Tensor) else type(moved).__name__
        raise GlowliteError(f"inverse must give one point for each: {tuple(points.shape)}, not {got}")
    if not moved.isfinite().all():
        raise GlowliteError("inverse gives points that are not finite, so there is no sheet to draw")
    corners, mass = corners_of(moved.cpu().double(), cells), cell_masses(reach, cells)
    return Cells(corners, mass, mass / cell_areas(corners).clamp_min(NO_AREA))


def compute_opacities(density: Tensor, peak: float | None = None) -> Tensor:
    """density (N,) -> opacity (N,), proportional to it up to `peak` and no stronger beyond.

    peak: the density drawn at full strength; give it to compare pictures, else it is found so that 2 % of the
    cells reach it.
    """
    peak = float(density.quantile(FULL_QUANTILE)) if peak is None else float(peak)
    if not (math.isfinite(peak) and peak > 0):
        raise GlowliteError(f"the density drawn at full strength must be above 0, not {peak}")
    return STRONGEST * (density / peak).clamp(max=1.0)


def warped_grid(
    panel: Panel,
    inverse: Callable[[Tensor], Tensor],
    reach: float = 3.0,
    cells: int = 24,
    colour: str = "z",
    peak: float | None = None,
    edge: str | None = "faint",
) -> Cells:
    """Draw the squares of [-reach, reach]^2 after `inverse` (latent to data) on `panel`, and return the Cells.

    A cell's opacity is the density there. `edge` colours the lines of the grid, None leaves them out; `peak` is
    the density at full strength, as in `compute_opacities`. Errors as in `density_of_cells`.
    """
    made = density_of_cells(inverse, reach, cells)
    panel.polygons(made.corners, colour=colour, alpha=compute_opacities(made.density, peak), edge=edge, width=0.5)
    return made


def lattice(reach: float, cells: int) -> Tensor:
    """The (cells + 1)^2 corners in float64, each once, so that neighbours share them."""
    if not reach > 0 or cells < 1:
        raise GlowliteError(f"a grid reaches further than 0 and has at least one cell, not {reach} and {cells}")
    ends = torch.linspace(-reach, reach, cells + 1, dtype=torch.float64)
    y, x = torch.meshgrid(ends, ends, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], -1)


def corners_of(points: Tensor, cells: int) -> Tensor:
    """The corners of the squares, (cells^2, 4, 2), from the points of a lattice."""
    grid = points.view(cells + 1, cells + 1, 2)
    around = [grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]]
    return torch.stack([part.flatten(0, 1) for part in around], 1)
