"""Figures of notebook 03: channels that moved, channels that met, a matrix on a path, three permutations compared."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import torch
from plotly.subplots import make_subplots
from torch import Tensor

from glowlab.figures.curves import Plot, curve
from glowlab.figures.scene import Panel, Scene
from glowlab.figures.values import MINUS, format_number
from glowlite.checkpoint import SHIPPED
from glowlite.errors import GlowliteError
from glowlite.flows import Chain, Coupling

NAMES = {"none": "nothing", "reverse": "reverse", "shuffle": "shuffle", "lu": "1×1 conv"}
COLOURS = {"reverse": "pink", "shuffle": "amber", "lu": "sky"}
RECORDED = SHIPPED.parent / "runs" / "permutations.json"
AS_IT_CAME, BLENDED, MOVED = "as it came", "only blended", "moved"  # what a seat holds
LOOKS = {AS_IT_CAME: ("ink", 0.1), BLENDED: ("sky", 0.3), MOVED: ("x", 0.8)}  # colour, opacity of the ground
EXACT = 1e-9
LOWEST = -3.0  # log-dets below this leave the picture of a matrix on a path

# ---- channels that moved ---------------------------------------------------------------------------------------------


def perturb_couplings(flow: Chain, x: Tensor, amount: float = 0.1, seed: int = 0) -> Chain:
    """Show x to `flow` once, then change all weights of its couplings at random, in place.

    A coupling starts as the identity, so an untrained flow would show nothing. Layers that mix channels stay as they
    are.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        flow.train()(x)
        for layer in flow.flows:
            for weight in layer.parameters() if isinstance(layer, Coupling) else ():
                weight.add_(amount * torch.randn(weight.shape, generator=generator).to(weight))
    return flow.eval()


def seat_states(jacobians: Tensor) -> list[tuple[str, int]]:
    """The seats' states, from Jacobians (points, C, C) of the flow up to there: (state, channel) for each row.

    AS_IT_CAME  one entry of the row is 1 and the others are 0, at every point: the seat holds that channel of x
    BLENDED     the row is the same at every point: a fixed blend of channels, which no coupling has touched
    MOVED       the row changes from point to point; the channel is then -1, as it is for a blend
    """
    states = []
    for row in jacobians.detach().transpose(0, 1):  # (points, C)
        channel = int(row[0].abs().argmax())
        unit = torch.zeros_like(row)
        unit[:, channel] = 1
        if (row - unit).abs().max() < EXACT:
            states.append((AS_IT_CAME, channel))
        else:
            states.append((BLENDED if (row - row[:1]).abs().max() < EXACT else MOVED, -1))
    return states


def count_unmoved(jacobians: Tensor) -> int:
    """The number of seats that no coupling has reached: they hold a channel of x as it came, or a fixed blend."""
    return sum(state != MOVED for state, _ in seat_states(jacobians))


def seat_chart(journey: Sequence[Tensor], mixings: Sequence[Tensor], step: int, kind: str) -> Scene:
    """The seats after each of the first `step` steps, and the pattern of the Jacobian.

    journey: the Jacobians (points, C, C) before the first step and after each; mixings: each step's (C, C).
    """
    count, last = journey[0].shape[1], len(journey) - 1
    if not 0 <= step <= last or len(mixings) != last:
        raise GlowliteError(f"there are {last} steps and as many mixings, not {step} and {len(mixings)}")
    heard = journey[step].detach().abs().amax(0) > EXACT  # (C, C)
    left, pairs = count_unmoved(journey[step]), int(heard.sum())
    scene = Scene(
        f"{count} seats after {step} steps, with {NAMES[kind]} between couplings. Not moved by a coupling "
        f"yet, and grey or light blue: {left} of {count}. Beside it the pattern of the Jacobian: {pairs} of its "
        f"{count * count} entries are not 0.",
        height=320,
    )
    look = {"xticks": list(range(last + 1)), "yticks": [], "xlabel": "step"}
    at = scene.panel(
        (-0.4, last + 0.4), (-0.7, count - 0.3), weight=2.2, title=f"not moved yet: {left} of {count}", **look
    )
    for column in range(step + 1):
        if column:
            _wires(at, mixings[column - 1], column)
        for seat, (state, channel) in enumerate(seat_states(journey[column])):
            colour, ground = LOOKS[state]
            name = str(channel) if channel >= 0 else ""
            at.box(column - 0.2, count - 1.36 - seat, 0.4, 0.72, name, colour, ground, size=12)
    title = f"not 0: {pairs} of {count * count}"
    _matrix_panel(scene, heard.float(), title, "x", 1.3, xlabel="channel of x", ylabel="seat")
    return scene


def _wires(at: Panel, mixing: Tensor, column: int) -> None:
    """Lines from the seats before a mixing to those after it, the stronger the larger the entry of its matrix."""
    count = len(mixing)
    for to, row in enumerate(mixing.detach().tolist()):
        for start, weight in enumerate(row):
            if weight * weight > 0.04:
                y = [count - 1 - start, count - 1 - to]
                at.line([column - 0.8, column - 0.2], y, "ink", 1.3, alpha=min(1.0, 0.8 * abs(weight)))


def _matrix_panel(scene: Scene, values: Tensor, title: str, colours: str, high: float, **look) -> Panel:
    """A panel with a heat map of a (rows, columns) matrix, its first row on top."""
    rows, columns = values.shape
    edge = 0.02 * max(rows, columns)  # room for the border, which is cut in half without it
    look |= {"equal": True, "xticks": [], "yticks": [], "frame": False, "title": title}
    panel = scene.panel((-edge, columns + edge), (-edge, rows + edge), **look)
    low = None if colours == "diverging" else 0.0
    panel.image(values.detach(), (0, columns, 0, rows), colours, low, high)
    panel.line([0, columns, columns, 0, 0], [0, 0, rows, rows, 0], "ink", 1, alpha=0.7)
    return panel


def meeting_maps(tables: Mapping[str, Tensor], steps: int) -> Scene:
    """Heat maps of how often two channels sat on opposite sides of a coupling, (C, C) for each kind; 0 stays empty."""
    never = {kind: int((table.triu(1) + torch.ones_like(table).tril() < EXACT).sum()) for kind, table in tables.items()}
    told = ", ".join(f"with {NAMES[kind]} {count}" for kind, count in never.items())
    scene = Scene(f"Of the pairs of channels, never on opposite sides in {steps} steps: {told}.", height=260)
    for kind, table in tables.items():
        total = len(table) * (len(table) - 1) // 2
        title = f"{NAMES[kind]}: {never[kind]} of {total} never met"
        _matrix_panel(scene, table, title, "z", float(steps), xlabel="channel of x")
    return scene


def _write_numbers(panel: Panel, values: Tensor, form: str, size: int) -> None:
    rows = len(values)
    for i, row in enumerate(values.detach().tolist()):
        for j, value in enumerate(row):
            number = form.format(round(value, 2) + 0.0).replace("-", MINUS)  # + 0.0: no minus before a zero
            panel.text(j + 0.5, rows - i - 0.5, number, size=size)


def matrix_maps(named: Sequence[tuple[str, Tensor]], alt: str, form: str = "{:.2f}", height: int = 200) -> Scene:
    """Square matrices side by side as heat maps with their numbers, each under its title: (title, (C, C)) pairs."""
    scene = Scene(alt, height)
    for title, values in named:
        _write_numbers(_matrix_panel(scene, values, title, "diverging", 2.5), values, form, 13)
    return scene


# ---- one matrix for every pixel ----------------------------------------------------------------------------


def jacobian_blocks(jacobian: Tensor, size: int, alt: str) -> Scene:
    """The Jacobian (N, N) of a whole picture, pixel by pixel, with its blocks of `size` outlined."""
    if jacobian.dim() != 2 or jacobian.shape[0] != jacobian.shape[1] or len(jacobian) % size:
        raise GlowliteError(f"a Jacobian here is square and made of blocks of {size}, not {tuple(jacobian.shape)}")
    scene = Scene(alt, height=330)
    labels = {"xlabel": "numbers of x, pixel by pixel", "ylabel": "numbers of z"}
    panel = _matrix_panel(scene, jacobian, "", "diverging", float(jacobian.abs().max()), **labels)
    for start in range(0, len(jacobian), size):
        x, y = [start, start + size], len(jacobian) - start
        panel.line([*x, *x[::-1], x[0]], [y, y, y - size, y - size, y], "log_det", 2)
    return scene


# ---- a matrix on a path ------------------------------------------------------------------------------------


def log_of_rotation(R: Tensor) -> Tensor:
    """The antisymmetric (C, C) matrix A with exp(A) = R, the smallest one: t -> exp(t A) turns evenly.

    GlowliteError for a matrix that is no rotation, and for a turn by half a circle, which has two shortest ways.
    """
    R = R.detach().double()
    eye = torch.eye(len(R), dtype=R.dtype)
    if not torch.allclose(R.T @ R, eye, atol=1e-5):
        raise GlowliteError("this matrix is no rotation: its transpose is not its inverse")
    if torch.linalg.det(R) < 0:
        raise GlowliteError("this matrix is a reflection (its determinant is -1): no way of rotations leads to it")
    values, vectors = torch.linalg.eig(R)
    if (values + 1).abs().min() < 1e-6:
        raise GlowliteError("this rotation turns some plane by half a circle, so two ways to it are equally short")
    logs = 1j * values.angle()
    A = (vectors @ torch.diag(logs) @ torch.linalg.inv(vectors)).real
    return (A - A.T) / 2


def matrix_on_path(W: Tensor, t: float, curve: tuple[Tensor, Tensor], face: Tensor, path: str) -> Scene:
    """W (3, 3) as a heat map, a face (uint8) whose colours went through it, and log |det W| along the path.

    curve: positions (n,) and log-dets (n,) of the whole path; t: the position of W.
    """
    det = torch.linalg.det(W).item()
    log_det = math.log(abs(det)) if abs(det) > 1e-6 else -math.inf
    said = format_number(log_det, 2) if math.isfinite(log_det) else MINUS + "∞"
    scene = Scene(
        f"At {t:.2f} on the way {path}: the matrix W as a heat map, a face whose colours went through it, and the "
        f"curve of log |det W| along the way; here it is {said}.",
        height=250,
    )
    _write_numbers(_matrix_panel(scene, W, "W", "diverging", 2.5), W, "{:.2f}", 14)
    picture = scene.panel((0, 1), (0, 1), equal=True, frame=False, title="W at every pixel")
    picture.image(face)
    stops = [(0, "rotation"), (1, "permutation"), (2, "beyond")]
    at = scene.panel((0, 2.2), (LOWEST, 1.5), title=f"log |det W| = {said}", xticks=stops, weight=1.5)
    position, values = (np.asarray(part, float) for part in curve)
    at.line(position, np.clip(np.nan_to_num(values, neginf=-99.0), -99.0, 99.0), "log_det")
    at.dots([t], [max(LOWEST, log_det)], "log_det", size=7)
    return scene


# ---- training curves ---------------------------------------------------------------------------------------


def load_runs(path: str | Path = RECORDED) -> dict:
    """The recorded comparison that `python -m benchmarks.permutations` writes. GlowliteError if it is not there."""
    path = Path(path)
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        raise GlowliteError(
            f"{path} is not there: get it with the repository, or record it by `python -m benchmarks.permutations`"
        ) from None
    except ValueError:
        raise GlowliteError(f"{path} is damaged: get it anew with the repository") from None
    if not isinstance(content, dict) or content.get("kind") != "glowlite permutations":
        raise GlowliteError(f"{path} is no record of `python -m benchmarks.permutations`")
    return content


def final_bits(runs: Sequence[Mapping]) -> dict[tuple[str, str], tuple[float, float]]:
    """(coupling, permutation) -> mean and standard deviation over seeds of the last bits per dimension."""
    ends: dict[tuple[str, str], list[float]] = {}
    for run in runs:
        ends.setdefault((run["coupling"], run["permutation"]), []).append(run["bits_per_dim"][-1])
    return {kind: (mean(values), stdev(values) if len(values) > 1 else 0.0) for kind, values in ends.items()}


def run_curves(runs: Sequence[Mapping], last: float, y: tuple[float, float], xlabel: str = "pictures seen") -> Plot:
    """Held-out bits per dimension of every run (thin) and their mean over seeds (thick), a panel per coupling.

    runs: dicts with permutation, coupling, seed, images and bits_per_dim, as in the record; x ends at `last`.
    """
    means = final_bits(runs)
    told = "; ".join(f"{c}, {NAMES[p]} {value:.2f}" for (c, p), (value, _) in means.items()) or "none yet"
    panels = ("additive", "affine")
    figure = make_subplots(1, 2, subplot_titles=[f"{coupling} coupling" for coupling in panels])
    figure.update_xaxes(title=xlabel, range=[0, 1.02 * last], tickvals=[0, last], ticktext=["0", f"{last:,.0f}"])
    figure.update_yaxes(range=y)
    figure.update_yaxes(title="bits/dim", col=1)
    for column, coupling in enumerate(panels, start=1):
        for kind, colour in COLOURS.items():
            look = {"legendgroup": kind, "hovertemplate": "%{y:.3f} after %{x:,}"}
            chosen = [run for run in runs if (run["coupling"], run["permutation"]) == (coupling, kind)]
            for run in chosen:
                name = f"{NAMES[kind]}, seed {run['seed']}"
                thin = curve(name, run["images"], run["bits_per_dim"], colour, 1, opacity=0.6, showlegend=False, **look)
                figure.add_trace(thin, 1, column)
            if chosen and len({tuple(run["images"]) for run in chosen}) == 1:
                mean_curve = np.mean([run["bits_per_dim"] for run in chosen], 0)
                thick = curve(NAMES[kind], chosen[0]["images"], mean_curve, colour, 3, showlegend=column == 1, **look)
                figure.add_trace(thick, 1, column)
    return Plot(
        figure,
        f"Held-out bits per dimension against {xlabel}, lower is better. At the end, in the mean over seeds: {told}.",
    )
