"""Recipes of training, each at equal work beside what faces64 was first trained with:  python -m benchmarks.recipes

Same data, same seeds, one thread. Equal work: the time of a step is measured side by side with the first recipe's, and
a recipe sees as many images as its steps allow in the time in which the first one sees --images; so the table does not
depend on what else the machine does. 112,000 images at 32 x 32 are about ten minutes of one core. Every finished run is
written to --out at once, and one that is there already is not run again. Without names all recipes are run; --table
only prints what was recorded, --curves draws it.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor

from glowlab.figures.style import figure
from glowlite import glow, pixels
from glowlite.errors import GlowliteError
from glowlite.files import write_atomically
from glowlite.flows import Chain, coupling
from glowlite.flows.mixing import make_mixing
from glowlite.glow import Glow, GlowConfig
from glowlite.sheet import PAPER
from glowlite.training import metrics, optimizers
from glowlite.training.config import METRICS, TrainConfig
from glowlite.training.loop import set_precision, train
from glowlite.training.stream import open_stream

OUT = Path(__file__).parents[1] / "assets" / "runs" / "recipes.json"
SIZES = {
    32: {"levels": 3, "depth": (4, 6, 8), "width": (64, 96, 128)},
    64: {"levels": 4, "depth": (4, 6, 8, 8), "width": (64, 96, 128, 160)},
}
FIRST = "adamax"  # the recipe that all others are compared with
SHARED = {"batch": 32, "lr": 2e-3, "warmup": 5_000, "decay": 0.3, "ema": 15_000, "clip": 10.0}


# ---- what is tried ---------------------------------------------------------------------------------------------------


class Residual(coupling.CouplingNetwork):
    """The hidden layer is added to the one before it."""

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.first(x))
        return self.last(h + F.relu(self.second(h)))


class Gated(coupling.CouplingNetwork):
    """The hidden layer gates itself, and is added to the one before it."""

    def __init__(self, c_in: int, width: int, c_out: int, edge=True):
        super().__init__(c_in, width, c_out, edge)
        self.second = coupling.NormedConv2d(width, 2 * width, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.first(x))
        value, gate = self.second(h).chunk(2, 1)
        return self.last(h + value * torch.sigmoid(gate))


class Silu(coupling.CouplingNetwork):
    """SiLU in the place of ReLU."""

    def forward(self, x: Tensor) -> Tensor:
        return self.last(F.silu(self.second(F.silu(self.first(x)))))


class MixedLevel(glow.Level):
    """One more mixing between the last coupling and the split: both move the second half given the first."""

    def __init__(self, shape, depth, width, last, config):
        super().__init__(shape, depth, width, last, config)
        if not last:
            self.steps = Chain(*self.steps.flows, make_mixing(config.permutation, 4 * shape[0]))


@dataclass(frozen=True)
class Recipe:
    """The changes of a recipe to the first one: settings of the model and the training, and names in modules."""

    words: str
    model: dict = field(default_factory=dict)
    train: dict = field(default_factory=dict)
    patches: tuple = ()  # (module, name, value)

    def over(self, other: "Recipe") -> "Recipe":
        """These changes on top of another recipe's."""
        return Recipe(self.words, other.model | self.model, other.train | self.train, other.patches + self.patches)

    def applied(self) -> ExitStack:
        """A context in which the names in modules are changed."""
        stack = ExitStack()
        for module, name, value in self.patches:
            stack.enter_context(mock.patch.object(module, name, value))
        return stack


NETWORK = "CouplingNetwork"
MUON = Recipe("Muon for hidden convolutions, Adam for the rest", train={"optimizer": "muon"})
NOW = Recipe("bfloat16 in the couplings' networks", train={"precision": "bf16"}).over(MUON)
CHANGES = {  # each on top of Muon with bfloat16
    "half steps": Recipe("Muon's steps half as long", patches=((optimizers, "MUON_RATE", 1.5),)),
    "double steps": Recipe("Muon's steps twice as long", patches=((optimizers, "MUON_RATE", 6.0),)),
    "mixed": Recipe("a mixing before the split", patches=((glow, "Level", MixedLevel),)),
    "scale 1.5": Recipe("log s up to 1.5, not 0.7", patches=((coupling, "SCALE_BOUND", 1.5),)),
    "residual": Recipe("a residual network", patches=((coupling, NETWORK, Residual),)),
    "gated": Recipe("a gated residual network", patches=((coupling, NETWORK, Gated),)),
    "silu": Recipe("SiLU for ReLU", patches=((coupling, NETWORK, Silu),)),
    "clamp": Recipe("the network sees at most 5", model={"clamp": 5.0}),
    "batch 16": Recipe("batches of 16", train={"batch": 16}),
    "batch 64": Recipe("batches of 64", train={"batch": 64}),
    "rate x2": Recipe("learning rate 4e-3", train={"lr": 4e-3}),
    "long fall": Recipe("the rate falls over the last 80 %, not 30 %", train={"decay": 0.8}),
    "8 6 8": Recipe("8 steps at level 1, not 4", model={"depth": (8, 6, 8)}),
    "12 6 6": Recipe("12, 6, 6 steps", model={"depth": (12, 6, 6)}),
    "8 8 8 narrow": Recipe("8, 8, 8 steps of width 48, 64, 96", model={"depth": (8, 8, 8), "width": (48, 64, 96)}),
    "12 8 6 narrow": Recipe("12, 8, 6 steps of width 48, 64, 96", model={"depth": (12, 8, 6), "width": (48, 64, 96)}),
    "3 4 4 wide": Recipe("3, 4, 4 steps of width 96, 160, 224", model={"depth": (3, 4, 4), "width": (96, 160, 224)}),
    "faces64": Recipe(
        "faces64 today: Muon, bfloat16, more steps at level 1, a clamp",
        model={"depth": (12, 6, 6), "clamp": 5.0},
        train={"ema": 20_000},
    ),
}
RECIPES = {
    FIRST: Recipe("faces64's recipe of 2026-11-22: Adamax", train={"optimizer": "adamax"}),
    "adam": Recipe("Adam", train={"optimizer": "adamw"}),
    "adam x2": Recipe("Adam, learning rate 4e-3", train={"optimizer": "adamw", "lr": 4e-3}),
    "muon": MUON,
    "muon bf16": NOW,
} | {f"muon bf16, {name}": change.over(NOW) for name, change in CHANGES.items()}


# ---- how it is tried -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """What all runs of a table share. images: of the first recipe; the others see as many as cost the same."""

    size: int = 32
    images: int = 112_000
    data: str = "faces"
    seed: int = 0

    def config(self, recipe: Recipe, images: int, out: str) -> TrainConfig:
        """The settings of one training."""
        sizes = SIZES[self.size] | recipe.model
        for name in ("depth", "width"):  # a recipe names the first three levels; a fourth stays as it is
            sizes[name] += SIZES[self.size][name][len(sizes[name]) :]
        return TrainConfig(
            model=GlowConfig((3, self.size, self.size), **sizes),
            out=out, data=self.data, images=images, seed=self.seed, accelerator="cpu", threads=1,
            log_every=images, validate_every=max(1, images // 8), validation_count=512, checkpoint_minutes=1e6,
            **SHARED | {"optimizer": "adamax"} | recipe.train,
        )  # fmt: skip


class Clock:
    """The training steps of a recipe, timed one at a time in CPU seconds for an image."""

    def __init__(self, recipe: Recipe, task: Task):
        self.recipe, self.times = recipe, []
        config = task.config(recipe, 1, "")
        with recipe.applied():
            self.model = Glow(config.model).to(memory_format=torch.channels_last)
            self.optimizer = optimizers.make_optimizer(config.optimizer, self.model, config.lr)
        stream = open_stream(task.data, config.model.shape, config.batch, task.seed)
        self.model.initialize(pixels.dequantize(stream.first(config.init_batch)))
        set_precision(self.model, config.precision)
        self.x = pixels.dequantize(stream.batch(0)).contiguous(memory_format=torch.channels_last)

    def tick(self) -> None:
        with self.recipe.applied():
            start = time.process_time()
            self.optimizer.zero_grad()
            (-self.model.log_density(self.x).mean() / self.model.dims).backward()
            self.optimizer.step()
            self.times.append((time.process_time() - start) / len(self.x))


def cost(recipe: Recipe, task: Task, first: Recipe = RECIPES[FIRST], rounds: int = 12) -> float:
    """The time that an image takes with a recipe, in those of the first recipe: the median of interleaved steps."""
    ours, theirs = Clock(recipe, task), Clock(first, task)
    for _ in range(rounds):
        ours.tick()
        theirs.tick()
    return median(a / b for a, b in zip(ours.times[2:], theirs.times[2:], strict=True))


def one_run(name: str, task: Task) -> dict | None:
    """Train once: held-out bits per dimension against images seen; None if it was stopped by a signal."""
    recipe = RECIPES[name]
    ratio = 1.0 if name == FIRST else cost(recipe, task)
    with tempfile.TemporaryDirectory() as folder, recipe.applied():
        result = train(task.config(recipe, round(task.images / ratio), folder), progress=sys.stderr.isatty())
        if result.stopped_by:
            return None
        lines = [line for line in metrics.read_metrics(Path(folder) / METRICS) if "val_bpd" in line]
    return {
        "name": name,
        **vars(task),
        "cost": round(ratio, 3),
        "seen": [line["images"] for line in lines],
        "bits_per_dim": [round(line["val_bpd"], 5) for line in lines],
    }


def read(path: Path) -> list[dict]:
    """The runs recorded so far."""
    return json.loads(path.read_text())["runs"] if path.exists() else []


def save(path: Path, runs: list[dict], kind: str = "glowlite recipes") -> None:
    """Write all runs, whole or not at all."""
    content = {"kind": kind, "machine": metrics.machine(), "versions": metrics.versions(), "runs": runs}
    write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())


def work_to(run: dict, goal: float) -> float | None:
    """The share of the first recipe's work after which a run's averaged weights need at most `goal` bits/dim."""
    work = [seen * run["cost"] / run["images"] for seen in run["seen"]]
    points = list(zip(work, run["bits_per_dim"], strict=True))
    if points[0][1] <= goal:
        return points[0][0]
    for (start, high), (end, low) in pairwise(points):
        if low <= goal:
            return start + (end - start) * (high - goal) / (high - low)
    return None


def kind(run: dict) -> tuple:
    """What runs must have in common to be compared."""
    return tuple(run[name] for name in vars(Task()))


def table(runs: list[dict]) -> str:
    """The runs in groups of one task each, the best last value first."""
    lines = [
        "| recipe | size | work, images of the first | cost of an image | held-out bits/dim | less than the first "
        "| work to reach the first's last value |",
        "|---|---|---|---|---|---|---|",
    ]
    firsts = {kind(run): run["bits_per_dim"][-1] for run in runs if run["name"] == FIRST}
    for run in sorted(runs, key=lambda run: (*kind(run), run["bits_per_dim"][-1])):
        first, last = firsts.get(kind(run)), run["bits_per_dim"][-1]
        share = None if first is None else work_to(run, first)
        cells = [f"{run['name']}: {RECIPES[run['name']].words}", str(run["size"]), f"{run['images']:,}"]
        cells += [f"{run['cost']:.2f}", f"{last:.3f}", "" if first is None else f"{first - last:.3f}"]
        cells += ["not reached" if share is None else f"{share:.0%}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def draw_curves(runs: list[dict]):
    """A figure of held-out bits per dimension against the work done, in images of the first recipe."""
    shown, axes = figure(height=3.2)
    for run in sorted(runs, key=lambda run: -run["bits_per_dim"][-1]):
        work = [seen * run["cost"] / 1000 for seen in run["seen"]]
        axes.plot(work, run["bits_per_dim"], "o-", markersize=4, label=RECIPES[run["name"]].words)
    axes.set(xlabel="work: thousand images of the first recipe", ylabel="held-out bits/dim")
    axes.legend()
    return shown


def measure(names: list[str], task: Task, path: Path, watch: Callable[[str], None] = print) -> bool:
    """Run every recipe that `path` does not hold yet for this task; False if one was stopped by a signal."""
    if unknown := set(names) - set(RECIPES):
        raise GlowliteError(f"There is no recipe {', '.join(sorted(unknown))}: choose from {'; '.join(RECIPES)}.")
    torch.set_num_threads(1)
    for name in names:
        if any((vars(task) | {"name": name}).items() <= run.items() for run in read(path)):
            continue
        run = one_run(name, task)
        if run is None:
            return False
        save(path, [*read(path), run])
        watch(f"{name}: {run['bits_per_dim'][-1]:.4f} bits/dim after {run['seen'][-1]:,} images")
    return True


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="which recipes; all if none is given")
    parser.add_argument("--out", type=Path, default=OUT, help="default: assets/runs/recipes.json")
    parser.add_argument("--table", action="store_true", help="only print what was recorded")
    parser.add_argument("--curves", type=Path, help="draw what was recorded of this task")
    for name, value in vars(Task()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value, help=f"default: {value}")
    given = vars(parser.parse_args(arguments))
    names, out, curves = given.pop("names"), given.pop("out"), given.pop("curves")
    only = given.pop("table") or curves
    try:
        if not only and not measure(names or list(RECIPES), Task(**given), out):
            print("Stopped; the same command goes on.", file=sys.stderr)
            return 1
    except GlowliteError as error:
        print(error, file=sys.stderr)
        return 1
    if curves:
        draw_curves([run for run in read(out) if kind(run) == tuple(given.values())]).savefig(
            curves, dpi=192, facecolor=[value / 255 for value in PAPER]
        )
    print(table(read(out)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
