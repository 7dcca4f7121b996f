"""Learned 1x1 convolutions, other mixings, RealNVP, at equal images and equal time:  python -m benchmarks.arrangements

The claim of section 6.1 and figure 3 of Kingma & Dhariwal 2018, with RealNVP's arrangement beside it (Dinh et al. 2016,
section 3.6). Data, seeds, optimizer and couplings are the same for all. The learning rate does not fall, and weights
are averaged; so one run answers both questions: held-out bits per dimension after --images images, and after the time
in which the learned 1x1 convolutions see so many. A busy machine stretches the clock, so time is the CPU seconds of
steps side by side. Every finished run is written to --out at once, and one that is there already is not run again.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean

from benchmarks import recipes
from benchmarks.recipe_list import Recipe
from benchmarks.recipes import Task
from benchmarks.runs import read, run_missing, train_curve
from glowlite.glow import PRESETS, Glow, GlowConfig
from glowlite.training.config import TrainConfig

OUT = Path(__file__).parents[1] / "assets" / "runs" / "arrangements.json"
GLOW = "lu"  # the one whose time the others get
REALNVP = {name: getattr(PRESETS["realnvp32"], name) for name in ("depth", "permutation", "checkerboard")}
ARRANGEMENTS = {
    GLOW: Recipe("Glow: learned invertible 1x1 convolutions", model={"permutation": "lu"}),
    "shuffle": Recipe("a fixed shuffle of the channels", model={"permutation": "shuffle"}),
    "reverse": Recipe("reversed channels", model={"permutation": "reverse"}),
    "realnvp": Recipe("RealNVP: checkerboards, and reversed channels", model=REALNVP),
}
VALIDATIONS = 8  # within the budget


@dataclass(frozen=True)
class Budget(Task):
    """What all runs share; counts are of images."""

    size: int = 32
    images: int = 9_600
    data: str = "cifar10"
    seeds: int = 2
    depth: int = 6
    width: int = 32

    def config(self, recipe: Recipe, images: int, out: str) -> TrainConfig:
        sizes = {"levels": 3, "depth": self.depth, "width": self.width} | recipe.model
        return TrainConfig(
            model=GlowConfig((3, self.size, self.size), **sizes),
            out=out, data=self.data, images=images, seed=self.seed, accelerator="cpu", threads=1,
            optimizer="muon", precision="bf16", batch=32, lr=2e-3, warmup=1_600, decay=0.0, ema=2_000, clip=10.0,
            validate_every=max(1, self.images // VALIDATIONS), validation_count=512, log_every=images,
            checkpoint_minutes=1e6,
        )  # fmt: skip


def one_run(name: str, budget: Budget) -> dict | None:
    """Train once, for the time and for the images of the budget, whichever is more; None if a signal stopped it."""
    ratio = 1.0 if name == GLOW else recipes.cost(ARRANGEMENTS[name], budget, ARRANGEMENTS[GLOW])
    images = round(budget.images * max(1, 1 / ratio))
    with tempfile.TemporaryDirectory() as folder:
        config = budget.config(ARRANGEMENTS[name], images, folder)
        curve = train_curve(config)
    return curve and {
        "name": name,
        **vars(budget),
        "cost": round(ratio, 3),
        "parameters": sum(weight.numel() for weight in Glow(config.model).parameters()),
        "seconds": curve["seconds"],
        "seen": curve["images"],
        "bits_per_dim": curve["bits_per_dim"],
    }


def after(run: dict, images: float) -> float:
    """Held-out bits per dimension after so many images, on the line between two validations."""
    points = list(zip(run["seen"], run["bits_per_dim"], strict=True))
    for (start, high), (end, low) in zip(points, points[1:], strict=False):
        if images <= end:
            return high + (low - high) * max(0.0, (images - start) / (end - start))
    return points[-1][1]


def summarize(runs: list[dict]) -> list[dict]:
    """For each arrangement: cost of an image, bits per dimension of each seed after equal images and equal time."""
    rows = []
    for name in ARRANGEMENTS:
        if mine := [run for run in runs if run["name"] == name]:
            cost = mean(run["cost"] for run in mine)
            equal = {"images": [], "time": []}
            for run in sorted(mine, key=lambda run: run["seed"]):
                equal["images"].append(round(after(run, run["images"]), 3))
                equal["time"].append(round(after(run, run["images"] / cost), 3))
            rows.append({"name": name, "parameters": mine[0]["parameters"], "cost": round(cost, 2), **equal})
    return rows


def table(runs: list[dict]) -> str:
    """The comparison; with several seeds, each one's value and their mean."""

    def values(each: list[float]) -> str:
        return f"{mean(each):.3f}" + (f" ({', '.join(f'{value:.3f}' for value in each)})" if len(each) > 1 else "")

    lines = [
        "| arrangement | seeds | parameters | time of an image | at equal images | at equal time |",
        "|---|---|---|---|---|---|",
    ]
    for row in summarize(runs):
        cells = [ARRANGEMENTS[row["name"]].words, str(len(row["time"])), f"{row['parameters']:,}", f"{row['cost']:.2f}"]
        lines.append(f"| {' | '.join([*cells, values(row['images']), values(row['time'])])} |")
    return "\n".join(lines)


def measure(budget: Budget, path: Path, watch: Callable[[str], None] = print) -> bool:
    """Every run that `path` does not hold yet, a seed's together; False if one was stopped by a signal."""
    plan = []
    for seed in range(budget.seeds):
        one = Budget(**vars(budget) | {"seed": seed})
        plan += [
            (f"{name}, seed {seed}", vars(one) | {"name": name}, partial(one_run, name, one)) for name in ARRANGEMENTS
        ]
    return run_missing(plan, path, "glowlite arrangements", watch)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="default: assets/runs/arrangements.json")
    for name in ("images", "data", "seeds", "depth", "width"):
        default = getattr(Budget(), name)
        parser.add_argument(f"--{name}", type=type(default), default=default, help=f"default: {default}")
    given = vars(parser.parse_args(arguments))
    out = given.pop("out")
    if not measure(Budget(**given), out):
        print("Stopped; the same command goes on.", file=sys.stderr)
        return 1
    print(table(read(out)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
