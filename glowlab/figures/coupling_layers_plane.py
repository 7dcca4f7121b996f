"""Figures of notebook 02: a flow of points in the plane, its density, layers and training, and a pad to draw on."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from glowlab.figures.live import Button, Choice, Live, Trace
from glowlab.figures.scene import Panel, Scene
from glowlab.figures.warp import warped_grid
from glowlite.data import toy2d
from glowlite.errors import GlowliteError
from glowlite.flows.base import Chain
from glowlite.flows.coupling import Coupling
from glowlite.flows.mixing import Permutation
from glowlite.flows.multiscale import standard_normal_log_prob

REACH = 3.0  # from -REACH to REACH is drawn
FAR = 4.0  # the same between the layers, where points go further
FINE = 120  # squares of a heat map along a side
SHADE_STEPS = 24  # of a heat map: few enough that stored pictures stay small
CELLS = 30  # latent squares along a side
SHOWN = 250  # points of the data that are drawn

LogProb = Callable[[Tensor], Tensor]  # points (N, 2) -> log p(x) in nats, (N,)


def density_map(log_prob: LogProb, reach: float = REACH) -> Tensor:
    """p(x) in the middles of FINE x FINE squares that fill [-reach, reach]^2: (FINE, FINE), the top row first."""
    ends = torch.linspace(-reach, reach, FINE + 1)
    middle = (ends[1:] + ends[:-1]) / 2
    y, x = torch.meshgrid(middle.flip(0), middle, indexing="ij")
    with torch.no_grad():
        return log_prob(torch.stack([x.flatten(), y.flatten()], 1)).exp().view(FINE, FINE)


def mass(density: Tensor, reach: float = REACH) -> float:
    """The mass of a density map: the sum of its values times the area of one square."""
    return (density.double().sum() * (2 * reach / len(density)) ** 2).item()


def unit_lines() -> Tensor:
    """The lines a unit apart, up and across, that cut the plane into unit squares: (14, FINE + 1, 2)."""
    along = torch.linspace(-REACH, REACH, FINE + 1)
    at = torch.arange(-REACH, REACH + 1)[:, None].expand(-1, FINE + 1)
    across = torch.stack([along.expand_as(at), at], -1)
    return torch.cat([across, across.flip(-1)])


def plane_panel(scene: Scene, title: str = "", reach: float = REACH) -> Panel:
    """A panel for the square from -reach to reach."""
    span = (-reach, reach)
    return scene.panel(span, span, title=title, equal=True, xticks=[-2, 0, 2], yticks=[-2, 0, 2])


def paint_density(p: Panel, density: Tensor, points: Tensor | None = None, high: float | None = None) -> None:
    """A heat map that fills a panel, points over it; `high` is the density of full colour, else the map's largest."""
    high = high or density.max().item()
    p.image((density / high * SHADE_STEPS).round() / SHADE_STEPS, None, "log_det", low=0.0, high=1.0)
    if points is not None:
        p.dots(*points[:SHOWN].T, colour="x", size=1.5, alpha=0.75)


def density_maps(log_probs: Mapping[str, LogProb], points: Tensor | None = None) -> Scene:
    """Heat maps side by side, one for each name, all with the same scale of colours; points (N, 2) over each."""
    maps = {name: density_map(log_prob) for name, log_prob in log_probs.items()}
    told = "; ".join(f"{name}: at most {density.max():.2f}" for name, density in maps.items())
    scene = Scene(f"Heat maps of p(x), in one scale of colours. Largest density: {told}.", height=290)
    high = max(density.max().item() for density in maps.values())
    for name, density in maps.items():
        p = plane_panel(scene, f"{name}, p(x) at most {density.max():.2f}")
        paint_density(p, density, points, high)
    return scene


def density_and_loss(log_prob: LogProb, points: Tensor, losses: Sequence[float], steps: int, span=(1.0, 3.5)) -> Scene:
    """A flow during training: its density with the data on it, and the curve of -log p in nats against the step.

    losses: one number for each step done so far, of `steps`; span: the range of nats that is drawn.
    """
    density = density_map(log_prob)
    now = f"{np.mean(losses[-20:]):.2f} nats" if losses else "not begun"
    scene = Scene(
        f"The flow's density over the data after {len(losses)} of {steps} steps, and the curve of its loss: {now}.",
        height=300,
    )
    p = plane_panel(scene, "p(x), and data")
    paint_density(p, density, points)
    q = scene.panel((0, 1.04 * steps), span, title=now, xlabel="step", ylabel="nats")
    q.line(np.arange(len(losses)), np.clip(losses, *span), colour="log_det", width=1.5)
    return scene


# ---- layer by layer ----------------------------------------------------------------------------------------


class Layers:
    """`Layers(flow, points)(k)`: points and density after k couplings of a Chain of points in the plane, as a Scene.

    Left: the data after k couplings, over their density there, which the remaining couplings give. Right: the latent
    squares after the inverse of the remaining couplings. Permutations between couplings are undone in the picture, so
    that the axes stay where they are. GlowliteError for a flow without couplings.
    """

    def __init__(self, flow: Chain, points: Tensor):
        places = [i + 1 for i, layer in enumerate(flow.flows) if isinstance(layer, Coupling)]
        if not places or points.shape[1] != 2:
            raise GlowliteError("Layers needs a Chain with couplings, and points (N, 2)")
        self.flow, self.places = flow, [0, *places]
        with torch.no_grad():
            self.between = flow(points[:SHOWN], keep=True)[2]
        self.scenes: dict[int, Scene] = {}  # a cache

    def __len__(self) -> int:
        return len(self.places) - 1

    def order(self, place: int) -> list[int]:
        """The axis in the picture of each channel, after `place` parts of the Chain."""
        order = torch.arange(2)
        for layer in self.flow.flows[:place]:
            if isinstance(layer, Permutation):
                order = order[layer.order]
        return order.tolist()

    def points(self, layer: int) -> Tensor:
        """The data after `layer` couplings, (N, 2), in the picture's axes."""
        return self._upright(self.between[self.places[layer]], self.places[layer])

    def density(self, layer: int) -> Tensor:
        """The heat map of the density after `layer` couplings, which the rest of the flow gives."""
        place = self.places[layer]
        rest, order = Chain(*self.flow.flows[place:]), self.order(place)

        def log_prob(points: Tensor) -> Tensor:
            z, log_det = rest(points[:, order])
            return standard_normal_log_prob(z) + log_det

        return density_map(log_prob, FAR)

    @torch.no_grad()
    def inverse(self, layer: int, z: Tensor) -> Tensor:
        """z (N, 2) brought back until `layer` couplings are left to undo, in the picture's axes."""
        place = self.places[layer]
        return self._upright(Chain(*self.flow.flows[place:]).inverse(z), place)

    def _upright(self, points: Tensor, place: int) -> Tensor:
        return points[:, np.argsort(self.order(place))]

    def name_axis(self, layer: int) -> str:
        """Words for the axis along which coupling number `layer`, from 1, moved the points."""
        return ("sideways", "up and down")[self.order(self.places[layer])[1]]

    def __call__(self, layer: int) -> Scene:
        if layer not in self.scenes:
            self.scenes[layer] = self._draw(layer)
        return self.scenes[layer]

    def _draw(self, layer: int) -> Scene:
        density = self.density(layer)
        where = f"after coupling {layer} of {len(self)}, which moved them {self.name_axis(layer)}"
        scene = Scene(
            f"Points and density {where if layer else 'of the data'}, and the squares of latent space brought back to "
            f"here. The largest density is {density.max():.2f}.",
            height=300,
        )
        title = f"after {layer} of {len(self)}: moved {self.name_axis(layer)}" if layer else "0: the data"
        paint_density(plane_panel(scene, title, FAR), density, self.points(layer))
        self.grid(plane_panel(scene, "latent squares, back to here", FAR), layer)
        return scene

    def grid(self, p: Panel, layer: int) -> None:
        """Draw small latent squares on a panel, with `layer` couplings left to undo, and lines a unit apart."""
        warped_grid(p, lambda z: self.inverse(layer, z), REACH, CELLS, edge=None)
        for line in self.inverse(layer, unit_lines().flatten(0, 1)).view(-1, FINE + 1, 2):
            p.line(*line.T, colour="ink", width=0.8, alpha=0.6)

    def strip(self, *layers: int) -> Scene:
        """The latent squares at some layers, side by side."""
        scene = Scene(
            f"The squares of latent space with {', '.join(map(str, layers))} of {len(self)} couplings left to undo: a "
            "plain square is bent step by step into the shape of the data.",
            height=170,
        )
        for layer in layers:
            title = {0: "x", len(self): "z"}.get(layer, f"{layer} left to undo")
            p = scene.panel((-FAR, FAR), (-FAR, FAR), title=title, equal=True, frame=False)
            self.grid(p, layer)
        return scene


# ---- a shape of one's own ----------------------------------------------------------------------------------


class Sketch(Live):
    """A pad to draw a shape on, or one of toy2d.SHAPES to choose instead; `points(count)` gives samples of it.

    The last action counts: a stroke adds to the drawing, a choice replaces the drawing by that shape, and `Wipe`
    removes the drawing.
    """

    def __init__(self, shape: str = "heart"):
        self.shape, self.strokes = shape, []
        self._last = (shape, None, 0)  # shape, pen, wipe, as they were
        names = {name: name for name in toy2d.SHAPES}
        super().__init__(self._follow, Choice("shape", "Or choose", names, shape), Trace("pen"), Button("wipe", "Wipe"))

    @property
    def drawn(self) -> bool:
        """Whether there is a drawing."""
        return bool(self.strokes)

    def points(self, count: int, seed: int = 0) -> Tensor:
        """`count` points of the drawing, or of the chosen shape: float32 (count, 2)."""
        if not self.drawn:
            return toy2d.draw(self.shape, count, seed)
        lifted = np.full((1, 2), np.nan)
        strokes = np.concatenate([part for stroke in self.strokes for part in (stroke, lifted)])
        return toy2d.along(strokes, count, torch.Generator().manual_seed(seed))

    def _follow(self, shape: str, pen: np.ndarray, wipe: int) -> Scene:
        old_shape, old_pen, old_wipe = self._last
        if wipe != old_wipe:
            self.strokes = []
        elif shape != old_shape:
            self.shape, self.strokes = shape, []
        elif len(pen) and pen is not old_pen:
            self.strokes = [*self.strokes, pen]
        self._last = (shape, pen, wipe)
        return self._scene()

    def _scene(self) -> Scene:
        what = "the drawing" if self.drawn else f"the shape: {self.shape}"
        scene = Scene(f"A pad to draw on, and beside it points of {what}, which the flow will learn.", height=330)
        p = plane_panel(scene, "draw here with the mouse")
        p.pad("pen", "draw a shape here")
        if not self.drawn:
            p.text(0, 0, "nothing drawn yet", "faint")
        for stroke in self.strokes:
            p.line(*stroke.T, colour="x", width=4)
        q = plane_panel(scene, "points of " + what)
        q.dots(*self.points(1000).T, colour="x", size=1.4, alpha=0.7)
        return scene
