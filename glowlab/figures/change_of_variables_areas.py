"""Figures of notebook 01: determinants as areas, a small square under a bent map, log-dets that add up."""

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from glowlab.figures.scene import Scene
from glowlab.figures.warp import cell_areas, corners_of, lattice, warped_grid
from glowlite.errors import GlowliteError

SQUARE = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
LETTER_F = torch.tensor(
    [[0.3, 0.2], [0.42, 0.2], [0.42, 0.46], [0.62, 0.46], [0.62, 0.57], [0.42, 0.57], [0.42, 0.72], [0.7, 0.72],
     [0.7, 0.83], [0.3, 0.83]], dtype=torch.float64,
)  # fmt: skip
INK_OPACITY = 0.4  # opacity of ink that is spread over an area of 1
FLAT = 1e-9  # an area below this counts as none
ALONG = 24  # points on each side of a square whose image is drawn
CELLS = 20  # along a side of the warped grid; more make the stored picture heavy
SHEET, SQUARES = 1.5, 8  # reach of the sheet that goes through several maps, and its squares along a side
Map = Callable[[Tensor], Tensor]  # (N, 2) -> (N, 2), each point by itself


def compute_jacobians(forward: Map, x: Tensor) -> Tensor:
    """(B, D, D): row i is dz_i / dx at each x (B, D), for a map that treats every point by itself."""
    with torch.enable_grad():
        x = x.detach().clone().requires_grad_()
        z = forward(x)
        rows = [torch.autograd.grad(z[:, i].sum(), x, retain_graph=True)[0] for i in range(z.shape[1])]
    return torch.stack(rows, 1)


def square_around(at: Sequence[float], side: float) -> tuple[Tensor, Tensor]:
    """A square with its middle at `at`: its corners (4, 2), and many points in order around it."""
    if not side > 0:
        raise GlowliteError(f"the side of a square is above 0, not {side}")
    corners = torch.tensor([at[0], at[1]], dtype=torch.float64) + side * (SQUARE - 0.5)
    t = torch.linspace(0, 1, ALONG + 1, dtype=torch.float64)[:-1, None]
    return corners, torch.cat([torch.lerp(p, q, t) for p, q in zip(corners, corners.roll(-1, 0), strict=True)])


# ---- the parallelogram -------------------------------------------------------------------------------------


def parallelogram(a: Sequence[float], b: Sequence[float]) -> Scene:
    """The unit square of x, and what z = W x makes of it, where W takes (1, 0) to `a` and (0, 1) to `b`.

    These two corners are the handles "a" and "b". The ink of the square is spread over the parallelogram, which turns
    pink where W flips it.
    """
    W = torch.tensor([[a[0], b[0]], [a[1], b[1]]], dtype=torch.float64)
    det = (W[0, 0] * W[1, 1] - W[0, 1] * W[1, 0]).item()
    moved = SQUARE @ W.T
    area, colour = cell_areas(moved[None]).item(), "z" if det >= 0 else "pink"
    scene = Scene(
        f"The unit square, and its image: a parallelogram of area {area:.2f} with the corners "
        f"({a[0]:.2f}, {a[1]:.2f}) and ({b[0]:.2f}, {b[1]:.2f}) beside the origin; its determinant is {det:+.2f}.",
        height=330,
    )
    # the weights give both panels the same scale, so that areas can be compared by eye
    view = {"y": (-1.7, 2.3), "equal": True, "yticks": [0, 1, 2]}
    left = scene.panel(x=(-0.4, 1.5), title="x", xticks=[0, 1], weight=144, **view)
    right = scene.panel(x=(-2.4, 2.4), title="z = W x", xticks=[-2, -1, 0, 1, 2], weight=304, **view)
    left.polygons(SQUARE[None], colour="x", alpha=INK_OPACITY, edge="x", width=1.5)
    left.polygons(LETTER_F[None], colour="x", alpha=0.9)
    strength = min(0.9, INK_OPACITY / max(area, FLAT))
    right.polygons(moved[None], colour=colour, alpha=strength, edge=colour, width=1.5)
    right.polygons((LETTER_F @ W.T)[None], colour=colour, alpha=0.9)
    for name, (across, up), corner in (("a", a, "(1, 0)"), ("b", b, "(0, 1)")):
        right.arrow(0, 0, across, up, width=2)
        right.handle(name, across, up, label=f"where {corner} goes")
        beyond = 1 + 0.28 / max(math.hypot(across, up), 0.1)
        right.text(across * beyond, up * beyond, name, size=15, bold=True)
    _write_areas(scene, a, b, det, area, colour)
    return scene


def _write_areas(scene: Scene, a, b, det: float, area: float, colour: str) -> None:
    """The determinant's arithmetic in words, with the area as measured."""
    panel = scene.panel(x=(0, 1), y=(0, 1), frame=False, weight=220)
    log = f"{math.log(area):+.2f}" if area > FLAT else "−∞"
    lines = [
        (0.92, "W = (a b)", "ink", True),
        (0.83, f"  {a[0]:+.2f}   {b[0]:+.2f}", "ink", False),
        (0.75, f"  {a[1]:+.2f}   {b[1]:+.2f}", "ink", False),
        (0.62, "det W = a₁b₂ − a₂b₁", "ink", True),
        (0.53, f"  = {a[0] * b[1]:.2f} − {a[1] * b[0]:.2f} = {det:+.2f}".replace("− -", "+ "), colour, True),
        (0.40, f"area, measured: {area:.2f}", "ink", False),
        (0.31, f"log |det W| = {log}", "log_det", True),
        (0.18, "flipped: the F is mirrored" if det < 0 else "not flipped", colour, False),
    ]
    for height, words, shade, bold in lines:
        panel.text(0, height, words.replace("-", "−"), colour=shade, anchor="start", bold=bold)


# ---- a small square under a bent map -----------------------------------------------------------------------


def magnified_square(forward: Map, inverse: Map, at: Sequence[float], side: float = 0.9, reach: float = 4.0) -> Scene:
    """A square of x around `at`, its image in z, and the parallelogram that the Jacobian at `at` makes of it.

    forward is data to latent, inverse the way back. Left data space with the warped grid and the handle "at", right
    latent space. Below the two areas: image over square as measured, and |det J|; the smaller `side` is, the better
    they agree.
    """
    point = torch.tensor([[at[0], at[1]]], dtype=torch.float64)
    corners, around = square_around(at, side)
    (J,) = compute_jacobians(forward, point)
    with torch.no_grad():
        image, middle = forward(around), forward(point)
    linear = middle + (corners - point) @ J.T
    measured, det = cell_areas(image[None]).item() / side**2, torch.linalg.det(J).abs().item()
    p_z = math.exp(-middle.square().sum().item() / 2) / (2 * math.pi)
    scene = Scene(
        f"A bent sheet over data space with a small square at ({at[0]:.2f}, {at[1]:.2f}), and latent space with the "
        f"square's image, {measured:.3f} times as large; the Jacobian's parallelogram is {det:.3f} times as large.",
        height=360,
        rows=(7, 1),
    )
    view = {
        "x": (-reach, reach),
        "y": (-reach, reach),
        "equal": True,
        "xticks": [-3, 0, 3],
        "yticks": [-3, 0, 3],
    }
    left, right = scene.panel(title="data x", **view), scene.panel(title="latent z = f(x)", **view)
    peak = warped_grid(right, lambda z: z, cells=CELLS, colour="z").density.max().item()
    warped_grid(left, inverse, cells=CELLS, colour="x", peak=peak)
    left.polygons(corners[None], colour="ink", alpha=0.6)
    left.handle("at", float(at[0]), float(at[1]), label="the middle of the square")
    right.polygons(image[None], colour="ink", alpha=0.6)
    right.polygons(linear[None], colour="log_det", alpha=0.0, edge="log_det", width=2.5)
    words = scene.panel(x=(0, 3), y=(0, 1), row=1, frame=False)
    words.text(0.1, 0.5, f"image / square = {measured:.3f}", anchor="start", bold=True)
    words.text(1.42, 0.5, f"|det J| = {det:.3f}", colour="log_det", bold=True)
    words.text(2.95, 0.5, f"p(x) = {p_z:.3f} × {det:.3f} = {p_z * det:.3f}", colour="x", anchor="end", bold=True)
    return scene


# ---- one map after another ---------------------------------------------------------------------------------


def maps_in_a_row(maps: Mapping[str, Map], at: Sequence[float], side: float = 0.5, reach: float = 2.9) -> Scene:
    """A sheet and one cell of it through the maps, name -> map, one after the other; below, their log-dets add up.

    Over each panel stands the factor by which its map has changed the cell's area: |det J| at the cell's middle, which
    is the handle "at".
    """
    if not maps:
        raise GlowliteError("there is no map to go through")
    middle = torch.tensor([[at[0], at[1]]], dtype=torch.float64)
    sheet, cell = lattice(SHEET, SQUARES), square_around(at, side)[1]
    stages, log_dets = [(sheet, cell)], []
    for change in maps.values():
        log_dets.append(torch.linalg.slogdet(compute_jacobians(change, middle)[0])[1].item())
        with torch.no_grad():
            middle, sheet, cell = change(middle), change(sheet), change(cell)
        stages.append((sheet, cell))
    each = ", ".join(f"{value:+.2f} by {name}" for name, value in zip(maps, log_dets, strict=True))
    scene = Scene(
        f"A sheet of squares, bent by one map after another, with one cell followed. Log-dets there: {each}; together "
        f"{sum(log_dets):+.2f}.",
        height=370,
        rows=(2.1, 1.1),
    )
    titles = ["x", *(f"after {n}: area × {math.exp(v):.2f}" for n, v in zip(maps, log_dets, strict=True))]
    for i, (sheet, cell) in enumerate(stages):
        panel = scene.panel(x=(-reach, reach), y=(-reach, reach), title=titles[i], equal=True, frame=False)
        panel.polygons(corners_of(sheet, SQUARES), colour="ink", alpha=0.0, edge="faint", width=0.5)
        panel.polygons(cell[None], colour="x" if i == 0 else "z" if i == len(maps) else "amber", alpha=0.85)
    scene.panels[0].handle("at", float(at[0]), float(at[1]), label="the cell to follow")
    _add_logs(scene, list(maps), log_dets)
    return scene


def _add_logs(scene: Scene, names: Sequence[str], log_dets: Sequence[float]) -> None:
    """Arrows head to tail on one number line, and their sum under them."""
    sums = [sum(log_dets[:i]) for i in range(len(log_dets) + 1)]
    reach = max(1.0, 1.9 * max(map(abs, sums)))
    rows = len(names) + 1
    panel = scene.panel(x=(-reach, reach), y=(0, rows), row=1, xlabel="log-det, in nats", yticks=[])
    panel.line([0, 0], [0, rows], colour="faint", width=1)
    for i, (name, value) in enumerate(zip(names, log_dets, strict=True)):
        height = rows - i - 0.4
        panel.arrow(sums[i], height, sums[i + 1], height, colour="log_det", width=2.5)
        words = f"  {name} {value:+.2f}  ".replace("-", "−")
        panel.text(sums[i + 1], height, words, colour="log_det",
                   anchor="start" if value >= 0 else "end", bold=True)  # fmt: skip
    panel.arrow(0, 0.6, sums[-1], 0.6, colour="ink", width=3)
    words = f"  together {sums[-1]:+.2f}  ".replace("-", "−")
    panel.text(sums[-1], 0.6, words, anchor="start" if sums[-1] >= 0 else "end", bold=True)
