"""RESULTS.md from the records in assets/runs:  python -m benchmarks.results

`--add runs/NAME` first makes the record of a training: its command, the curve of its validations, and bits per
dimension of its averaged weights on held-out pictures, as `glowlite evaluate` measures them. `--add faces64` does so
for a model. A record added again replaces the one before.
"""

import argparse
import copy
import json
import math
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import arrangements, foreign, memory, neighbours, permutations, recipes
from glowlite import checkpoint, evaluation, pixels
from glowlite.errors import GlowliteError
from glowlite.files import write_atomically
from glowlite.glow import PRESETS, Glow, GlowConfig
from glowlite.training import metrics
from glowlite.training.config import METRICS, read_run, run_card, with_prefix
from glowlite.training.settings import TrainConfig
from glowlite.training.stream import test_pictures

ROOT = Path(__file__).parents[1]
RUNS, OUT = ROOT / "assets" / "runs", ROOT / "RESULTS.md"
KIND = "glowlite run"
PASS = 50_000  # training pictures of CIFAR-10
# Bits per dimension that others published: data, who, figure.
PUBLISHED = (
    ("mnist", "[UvA's tutorial](https://uvadlc-notebooks.readthedocs.io) on flows, 0.56 million parameters", "1.078"),
    ("mnist", "the same with variational dequantisation, 0.63 million", "1.043"),
    ("mnist", "the same at several scales, 1.71 million, after hours on an RTX 3090", "1.020"),
    ("cifar10", "RealNVP (Dinh et al. 2016)", "3.49"),
    ("cifar10", "Glow (Kingma & Dhariwal 2018): L=3, K=32, width 512, 44 million parameters", "3.35"),
    ("cifar10", "y0ast's port of Glow, with Adamax", "3.39"),
    ("cifar10", "the same with Adam", "3.48"),
    ("cifar10", "chrischute's port of Glow", "3.49"),
    ("cifar10", "Flow++ (Ho et al. 2019)", "3.08"),
)


# ---- a record --------------------------------------------------------------------------------------------------------


def add(what: str, count: int, noises: int, note: str, runs: Path = RUNS) -> Path:
    """The record of a training, as runs/NAME.json. what: a run's folder, or the name of a model."""
    model, card, curve = trained(what)
    images = test_pictures(card["data"], model.config.shape, count)
    record = {
        "kind": KIND,
        "name": Path(what).resolve().name,
        "command": command(model.config, card["training"]),
        **{name: card[name] for name in ("data", "seed", "images_seen", "seconds", "machine", "versions")},
        "config": model.config.to_dict(),
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "gflop": round(gflop(copy.deepcopy(model)), 4),
        "curve": {
            "images": [line["images"] for line in curve],
            "seconds": [round(line["seconds"]) for line in curve],
            "bits_per_dim": [round(line["val_bpd"], 4) for line in curve],
        },
        "held_out": held_out(model.eval(), images, noises),
        "note": note or card.get("notes", ""),
        "date": date.today().isoformat(),
    }
    path = runs / f"{record['name']}.json"
    write_atomically(path, (json.dumps(record, indent=1) + "\n").encode())
    return path


def trained(what: str) -> tuple[Glow, dict, list[dict]]:
    """A model, its card, and its validations: of a run's folder the last averaged weights, else a model by name."""
    if not Path(what).is_dir():
        return checkpoint.load(what), checkpoint.read_card(what), []
    tensors, meta = read_run(what)
    config = TrainConfig.from_dict(meta["train"])
    model = Glow(config.model)
    model.load_state_dict(with_prefix(tensors, "average."))
    lines = metrics.read_metrics(Path(what) / METRICS)
    return model, run_card(config, meta), [line for line in lines if "val_bpd" in line]


def command(model: GlowConfig, training: dict) -> str:
    """The line that starts a training; its folder is left out."""
    plain = replace(model, seed=0)
    preset = next((name for name, other in PRESETS.items() if other == plain), None)
    if preset is None:
        raise GlowliteError("a record names the preset of its model, and this one is of none: add it to PRESETS first")
    words = [f"glowlite train --preset {preset}"]
    for name, value in training.items():
        if value != TrainConfig.__dataclass_fields__[name].default:
            option = f"--{name.replace('_', '-')}"
            words.append(option if value is True else f"{option} {value}")
    return " ".join(words)


def gflop(model: Glow) -> float:
    """Billions of operations of one pass of one picture; training takes three times as many. Changes the model."""
    with FlopCounterMode(display=False) as counter:
        model.train()(torch.zeros(1, *model.config.shape))  # an ActNorm that has seen nothing starts here
    return counter.get_total_flops() / 1e9


def held_out(model: Glow, images: torch.Tensor, noises: int) -> dict:
    """Bits per dimension of pictures: with one noise each, and of the mean likelihood over several.

    The first is a bound of the picture's own likelihood, which the mean over more noises comes closer to (importance
    samples, as UvA's tutorial takes 8).
    """
    bits = torch.stack([evaluation.bits_per_dim(model, images, seed=seed) for seed in range(noises)])
    nats = torch.logsumexp(-bits * model.dims * math.log(2), 0) - math.log(noises)
    return {
        "bits_per_dim": round(bits[0].mean().item(), 4),
        "error": round(bits[0].std().item() / len(images) ** 0.5, 4),
        "noises": noises,
        "of_mean_likelihood": round(pixels.bits_per_dim(nats, model.dims).mean().item(), 4),
        "pictures": len(images),
    }


# ---- the page --------------------------------------------------------------------------------------------------------


def rows(head: str, lines: Iterable[Iterable]) -> str:
    """A table of Markdown; head: its titles, with | between them."""
    count = head.count("|") + 1
    return "\n".join([f"| {head} |", "|---" * count + "|", *(f"| {' | '.join(map(str, line))} |" for line in lines)])


def read(name: str, runs: Path = RUNS) -> dict:
    """The record of that name."""
    return json.loads((runs / f"{name}.json").read_text())


def trainings(runs: Path) -> list[dict]:
    """The records of trainings, by data and name."""
    found = [json.loads(path.read_text()) for path in sorted(runs.glob("*.json"))]
    return sorted((run for run in found if run.get("kind") == KIND), key=lambda run: (run["data"], run["name"]))


def likelihood(found: list[dict]) -> str:
    """Each training with what it took, and how to repeat it."""
    lines = []
    for run in found:
        held = run["held_out"]
        cells = [run["name"], f"{run['data']}, {run['config']['n_bits']} bits", f"{run['parameters']:,}"]
        cells += [f"{run['images_seen']:,}", f"{run['seconds'] / 60:,.0f}"]
        lines.append([*cells, f"{held['bits_per_dim']:.3f} ± {held['error']:.3f}", f"{held['pictures']:,}"])
    head = "training | data | parameters | images seen | minutes by the clock | held-out bits/dim | pictures measured"
    words = [
        f"- {run['name']}: `{run['command']}`, seed {run['seed']}. {run['machine']['device']}, "
        f"threads: {run['machine']['threads']}, PyTorch {run['versions']['torch']}; "
        f"recorded {run['date']}. {run['note']}".rstrip()
        for run in found
    ]
    return rows(head, lines) + "\n\n" + "\n".join(words)


def beside(data: str, found: list[dict]) -> str:
    """Our trainings on one data set beside what others published."""
    lines = []
    for run in (run for run in found if run["data"] == data):
        held, name = run["held_out"], f"{run['name']}, {run['parameters']:,} parameters, {run['images_seen']:,} images"
        lines.append((name, f"{held['bits_per_dim']:.3f}"))
        if held["noises"] > 1:
            words = f"the same, mean likelihood over {held['noises']} noises"
            lines.append((words, f"{held['of_mean_likelihood']:.3f}"))
    return rows("model | bits/dim", lines + [(who, bits) for name, who, bits in PUBLISHED if name == data])


def against_time(run: dict) -> str:
    """The validations of a training."""
    curve = run["curve"]
    lines = zip(curve["images"], curve["seconds"], curve["bits_per_dim"], strict=True)
    return rows(
        "images seen | minutes by the clock | validation bits/dim",
        ((f"{images:,}", f"{seconds / 60:.0f}", f"{bits:.3f}") for images, seconds, bits in lines),
    )


def paper(found: list[dict]) -> str:
    """What the paper's CIFAR-10 configuration would cost here, from the fastest rate that a training reached."""
    rates = {run["name"]: 3 * run["gflop"] * run["images_seen"] / run["seconds"] for run in found}
    fastest = max(rates, key=rates.get)
    one, two = (gflop(Glow(replace(PRESETS["cifar10"], depth=depth))) for depth in (1, 2))
    work = 3 * (one + (PRESETS["cifar10"].depth - 1) * (two - one))
    return (
        "The paper's configuration (`--preset cifar10`) was not trained here: its bits per dimension are not measured. "
        f"What it would cost, calculated: a picture takes {work:.0f} GFLOP, forward and backward, and the best rate of "
        f"a training above is {rates[fastest]:.0f} GFLOP/s ({fastest}). So one pass over the {PASS:,} training "
        f"pictures takes {work * PASS / rates[fastest] / 3600:.1f} hours of one thread."
    )


PAGE = """# Results

Written by `python -m benchmarks.results` from the records in [assets/runs](assets/runs/README.md), so change those and
not this page. Figures of others are quoted. The machine is small, shared and busy: minutes by the clock say little of
another one.

## Likelihood

{likelihood}

Bits per dimension of 5 and of 8 bits do not compare. Held-out pictures are those of the data's test split, or faces of
a seed kept for this.

### MNIST, 28 x 28, 8 bits

{mnist}

UvA's code averages the likelihood of a test picture over 8 noises, so a row of ours that does the same compares.

### CIFAR-10, 32 x 32, 8 bits

{cifar10}

{against_time}

{paper}

## Does a learned 1x1 convolution help?

Kingma & Dhariwal 2018 (section 6.1, figure 3) find that it does better than a fixed shuffle, which does better than
reversed channels. `{mixing[command]}`: {mixing[settings][data]}, L={mixing[settings][levels]},
K={mixing[settings][depth]}, width {mixing[settings][width]}, {mixing[settings][images]:,} images each, Adamax:

{mixings}

Beside RealNVP's arrangement, at equal images and at equal time (`python -m benchmarks.arrangements`): {one[data]}, L=3,
K={one[depth]}, width {one[width]}, affine couplings, Muon, bfloat16. Held-out bits per dimension after {one[images]:,}
images, and after the time in which the learned convolutions see so many: the mean, and
in brackets each seed's where there are several.

{arrangements}

RealNVP here is its arrangement alone: at each scale three couplings of a checkerboard, a squeeze and three couplings of
channels, and at the last scale four of a checkerboard. The rest is Glow's: the coupling's network, where the paper has
a residual one, and ActNorm, where it has batch normalisation.

## Recipes of training

At equal work beside the first recipe, on drawn faces (`python -m benchmarks.recipes`). "Bearded faces" are drawn faces
as they first were, when everybody had some beard and some glasses:

{recipes}

## Memory

A training step against depth K, with activations stored, checkpointed, or found by the inverse (`{grown[command]}`):

{memory}

## Foreign pictures

How well four scores tell eight sets of foreign pictures from held-out ones of the model's own kind: the area under the
ROC curve, 0.5 for guessing (`{strange[command]}`; notebook 15 says what the scores are):

{foreign}

## Beside an autoregressive model and a VAE

On drawn faces of 16 x 16 pixels in 5 bits; the autoregressive model was trained until it was as likely as the flow on
held-out faces, the times are of one thread (`{beside_it[command]}`):

{neighbours}

The VAE's bound by importance weighting with K draws of z, and the flow's by K noises in each pixel's bin, in bits per
dimension on 50 faces:

{bounds}

## Speed

Beside other libraries of flows: [benchmarks/RESULTS-peers.md](benchmarks/RESULTS-peers.md), by
`python -m benchmarks.peers`.
"""


def page(runs: Path = RUNS) -> str:
    """All of RESULTS.md."""
    found, mixing, arranged = trainings(runs), read("permutations", runs), read("arrangements", runs)["runs"]
    grown, strange, beside_it = (read(name, runs) for name in ("memory", "foreign", "neighbours"))
    curves = [f"Validations of {run['name']}:\n\n{against_time(run)}" for run in found if run["data"] == "cifar10"]
    return PAGE.format(
        likelihood=likelihood(found),
        mnist=beside("mnist", found),
        cifar10=beside("cifar10", found),
        against_time="\n\n".join(curves) or "No training on CIFAR-10 is recorded yet.",
        paper=paper(found),
        mixing=mixing,
        mixings=permutations.table(mixing["summary"]),
        one=arranged[0],
        arrangements=arrangements.table(arranged),
        recipes=recipes.table(read("recipes", runs)["runs"]),
        grown=grown,
        memory=memory.table(grown["rows"]),
        strange=strange,
        foreign=foreign.table(strange["models"]),
        beside_it=beside_it,
        neighbours=neighbours.table(beside_it),
        bounds=neighbours.bound_table(beside_it),
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--add", metavar="RUN", help="record first: a run's folder, or the name of a model")
    parser.add_argument("--count", type=int, default=1000, help="held-out pictures to measure on (1000)")
    parser.add_argument("--noises", type=int, default=1, help="noises a picture, whose likelihoods are averaged (1)")
    parser.add_argument("--note", default="", help="a sentence about the run, for the page")
    given = parser.parse_args(arguments)
    try:
        if given.add:
            print(add(given.add, given.count, given.noises, given.note))
        write_atomically(OUT, page().encode())
    except GlowliteError as error:
        print(error, file=sys.stderr)
        return 1
    print(OUT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
