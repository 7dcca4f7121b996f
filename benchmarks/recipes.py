"""Recipes of training, each at equal work beside what faces64 was first trained with:  python -m benchmarks.recipes

Same data, same seeds, one thread. Equal work: the time of a step is measured side by side with the first recipe's, and
a recipe sees as many images as its steps allow in the time in which the first one sees --images; so the table does not
depend on what else the machine does. 112,000 images at 32 x 32 are about ten minutes of one core. Every finished run is
written to --out at once, and one that is there already is not run again. Without names all recipes are run; --table
only prints what was recorded, --curves draws it.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path
from statistics import median

import torch

from benchmarks.recipe_list import FIRST, RECIPES, Recipe
from benchmarks.runs import read, run_missing, train_curve
from benchmarks.samples import SEED, draw, pictures
from glowlab.figures.style import figure
from glowlite import checkpoint, glow, pixels
from glowlite.data import labelled
from glowlite.errors import GlowliteError
from glowlite.evaluation import AttributeMeter, frechet_distance, train_meter
from glowlite.glow import Glow, GlowConfig
from glowlite.sheet import PAPER
from glowlite.training import optimizers
from glowlite.training.config import MODEL, TrainConfig
from glowlite.training.loop import set_precision
from glowlite.training.stream import open_stream

OUT = Path(__file__).parents[1] / "assets" / "runs" / "recipes.json"
SIZES = {
    32: {"levels": 3, "depth": (4, 6, 8), "width": (64, 96, 128)},
    64: {"levels": 4, "depth": (4, 6, 8, 8), "width": (64, 96, 128, 160)},
}
LABELLED, SAMPLES, TEMPERATURES = 8192, 1536, (1.0, 0.7)  # for the Frechet distance
SHARED = {"batch": 32, "lr": 2e-3, "warmup": 5_000, "decay": 0.3, "ema": 15_000, "clip": 10.0}


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
            self.model = glow.Glow(config.model).to(memory_format=torch.channels_last)
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
        curve = train_curve(task.config(recipe, round(task.images / ratio), folder))
        if curve is None:
            return None
        distances = measure_samples(recipe, checkpoint.load(Path(folder) / MODEL), task)
    return {
        "name": name,
        **vars(task),
        "cost": round(ratio, 3),
        "seen": curve["images"],
        "bits_per_dim": curve["bits_per_dim"],
        "frechet": distances,
    }


@lru_cache
def make_meter(data: str, shape: tuple[int, int, int]) -> AttributeMeter:
    return train_meter(labelled.read(data, shape, count=LABELLED), seed=SEED)


def measure_samples(recipe: Recipe, model: Glow, task: Task) -> dict[str, float]:
    """Frechet distance of samples to held-out pictures, as benchmarks.samples measures it, at two temperatures."""
    meter, distances = make_meter(task.data, model.config.shape), {}
    held_out = meter.features(pictures(task.data, model.config.shape, "test", SAMPLES))
    for temperature in TEMPERATURES:
        drawn = draw(model, SAMPLES, temperature, recipe.finish)
        distances[f"{temperature:g}"] = round(frechet_distance(meter.features(drawn), held_out), 4)
    return distances


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
        "| recipe | pictures | work, images of the first | cost of an image | held-out bits/dim | less than the first "
        "| work to reach the first's last value | Fréchet distance at temperature 1, 0.7 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    firsts = {kind(run): run["bits_per_dim"][-1] for run in runs if run["name"] == FIRST}
    for run in sorted(runs, key=lambda run: (*kind(run), run["bits_per_dim"][-1])):
        recipe, last = RECIPES[run["name"]], run["bits_per_dim"][-1]
        first = firsts.get(kind(run)) if recipe.comparable else None
        share = None if first is None else work_to(run, first)
        what = f"{run['data']}, {run['size']} x {run['size']}"
        cells = [f"{run['name']}: {recipe.words}", what, f"{run['images']:,}"]
        cells += [f"{run['cost']:.2f}", f"{last:.3f}" if recipe.comparable else f"({last:.3f}, of other pictures)"]
        if first is None:
            cells += ["", ""]
        else:
            cells += [f"{first - last:.3f}", "not reached" if share is None else f"{share:.0%}"]
        cells += [", ".join(f"{value:.3f}" for value in run.get("frechet", {}).values())]
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
    plan = [(name, vars(task) | {"name": name}, partial(one_run, name, task)) for name in names]
    return run_missing(plan, path, "glowlite recipes", watch)


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
