"""Reverse, shuffle or learn: the paper's figure 3 at teaching size:  python -m benchmarks.permutations

Three ways to mix channels x additive and affine coupling x several seeds, all on the same pictures, for as many
of them, with the same optimiser (Kingma & Dhariwal 2018, section 5.1 and figure 3). Runs of one seed see the same
batches with the same noise in the same order. Every finished run is written to --out at once, so that `--resume`
goes on behind the last one. Notebook 03 draws what is in assets/runs/permutations.json.
"""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from statistics import mean, stdev

import torch

from benchmarks.runs import train_curve
from glowlite.errors import GlowliteError
from glowlite.files import write_atomically
from glowlite.glow import Glow, GlowConfig
from glowlite.training import metrics
from glowlite.training.config import TrainConfig
from glowlite.training.stream import open_stream

OUT = Path(__file__).parents[1] / "assets" / "runs" / "permutations.json"
KIND = "glowlite permutations"
PERMUTATIONS = ("reverse", "shuffle", "lu")
COUPLINGS = ("additive", "affine")


@dataclass(frozen=True)
class Settings:
    """What all runs share; counts are of images."""

    data: str = "cifar10"
    side: int = 32
    levels: int = 3
    depth: int = 8
    width: int = 64
    images: int = 14_400
    batch: int = 32
    lr: float = 2e-3
    warmup: int = 1_600
    ema: int = 2_000
    init_batch: int = 256
    validate_every: int = 1_600
    validation_count: int = 512
    seeds: int = 3

    def train_config(self, permutation: str, coupling: str, seed: int, out: str) -> TrainConfig:
        shape = (3, self.side, self.side)
        sizes = {"levels": self.levels, "depth": self.depth, "width": self.width}
        shared = (
            *("data", "images", "batch", "lr", "warmup", "ema", "init_batch"),
            *("validate_every", "validation_count"),
        )
        return TrainConfig(
            model=GlowConfig(shape, **sizes, coupling=coupling, permutation=permutation),
            out=out, seed=seed, optimizer="adamax", accelerator="cpu", threads=1, log_every=self.images,
            **{name: getattr(self, name) for name in shared},
        )  # fmt: skip


def plan(settings: Settings) -> list[tuple[str, str, int]]:
    """(permutation, coupling, seed) of every run; a seed's six runs come together."""
    return [
        (permutation, coupling, seed)
        for seed in range(settings.seeds)
        for coupling in COUPLINGS
        for permutation in PERMUTATIONS
    ]


def one_run(settings: Settings, permutation: str, coupling: str, seed: int) -> dict | None:
    """Train once: the curve of held-out bits per dimension against images seen, or None if it was stopped."""
    with tempfile.TemporaryDirectory() as folder:
        config = settings.train_config(permutation, coupling, seed, folder)
        curve = train_curve(config)
    return curve and {
        "permutation": permutation,
        "coupling": coupling,
        "seed": seed,
        **curve,
        "parameters": sum(weight.numel() for weight in Glow(config.model).parameters()),
    }


def summarize(runs: list[dict]) -> list[dict]:
    """The last held-out value of each kind: mean and spread (standard deviation) over seeds."""
    rows = []
    for coupling in COUPLINGS:
        for permutation in PERMUTATIONS:
            kind = {"permutation": permutation, "coupling": coupling}
            ends = [run["bits_per_dim"][-1] for run in runs if kind.items() <= run.items()]
            if ends:
                spread = round(stdev(ends), 5) if len(ends) > 1 else None
                rows.append(kind | {"seeds": len(ends), "mean": round(mean(ends), 5), "spread": spread})
    return rows


def count_pictures(settings: Settings) -> dict[str, int | None]:
    """How many pictures there are to train on (None: they are drawn without end), and to measure on."""
    stream = open_stream(settings.data, (3, settings.side, settings.side), settings.batch, seed=0)
    training = getattr(stream, "training", None)
    measured = len(stream.held_out(settings.validation_count))
    return {"training": None if training is None else len(training), "measured_on": measured}


def record(settings: Settings, runs: list[dict]) -> dict:
    """All that the file holds. Machine facts name no host and no path."""
    changed = {name: value for name, value in asdict(settings).items() if value != getattr(Settings(), name)}
    options = "".join(f" --{name.replace('_', '-')} {value}" for name, value in changed.items())
    return {
        "kind": KIND,
        "command": f"python -m benchmarks.permutations{options}",
        "date": date.today().isoformat(),
        "settings": asdict(settings),
        "pictures": count_pictures(settings),
        "machine": metrics.machine(),
        "versions": metrics.versions(),
        "summary": summarize(runs),
        "runs": runs,
    }


def save(path: Path, settings: Settings, runs: list[dict]) -> None:
    """Whole or not at all."""
    write_atomically(path, (json.dumps(record(settings, runs), indent=1) + "\n").encode())


def finished(path: Path, settings: Settings, resume: bool) -> list[dict]:
    """The runs that `path` holds already. GlowliteError if it is there unasked, or of other settings."""
    if not path.exists():
        return []
    if not resume:
        raise GlowliteError(f"{path} is there already: --resume goes on with it; or choose another --out.")
    content = json.loads(path.read_text())
    if content.get("kind") != KIND or content["settings"] != asdict(settings):
        raise GlowliteError(f"{path} was recorded with other settings: give those, or choose another --out.")
    return content["runs"]


def table(rows: list[dict]) -> str:
    lines = [
        "| coupling | permutation | held-out bits/dim | spread over seeds | seeds |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        spread = "" if row["spread"] is None else f"{row['spread']:.3f}"
        cells = (row["coupling"], row["permutation"], f"{row['mean']:.3f}", spread, str(row["seeds"]))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def measure(settings: Settings, path: Path, resume: bool = False) -> list[dict] | None:
    """Every run of the plan that `path` does not hold yet; None if one was stopped by a signal."""
    if Path(settings.data).is_dir():
        raise GlowliteError("the record names its data: give a data set by name, not a folder of one's own")
    torch.set_num_threads(1)  # as every run does, so that the record says so from the start
    runs = finished(path, settings, resume)
    done = {(run["permutation"], run["coupling"], run["seed"]) for run in runs}
    left = [kind for kind in plan(settings) if kind not in done]
    save(path, settings, runs)
    start = time.monotonic()
    for count, kind in enumerate(left, start=1):
        run = one_run(settings, *kind)
        if run is None:
            return None
        runs.append(run)
        save(path, settings, runs)
        minutes = (time.monotonic() - start) / count * (len(left) - count) / 60
        print(
            f"{len(runs)} of {len(plan(settings))}: {kind[0]}, {kind[1]}, seed {kind[2]}: "
            f"{run['bits_per_dim'][-1]:.3f} bits/dim in {run['seconds']:.0f} s; about {minutes:.0f} minutes left",
            flush=True,
        )
    return runs


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="default: assets/runs/permutations.json")
    parser.add_argument("--resume", action="store_true", help="go on with the runs in --out")
    for name, value in asdict(Settings()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value, help=f"default: {value}")
    given = vars(parser.parse_args(arguments))
    out, resume = given.pop("out"), given.pop("resume")
    try:
        runs = measure(Settings(**given), out, resume)
    except GlowliteError as error:
        print(error, file=sys.stderr)
        return 1
    if runs is None:
        print(f"Stopped; --resume goes on. Finished runs are in {out}.", file=sys.stderr)
        return 1
    print(table(summarize(runs)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
