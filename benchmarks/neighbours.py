"""An autoregressive model and a VAE beside a flow, on drawn faces of 16 x 16 pixels:  python -m benchmarks.neighbours

Trains a small Glow, then a PixelCNN until it is as likely on held-out faces, then a VAE (glowlab/neighbours.py). Then
measures bits per dimension, the time of likelihoods and samples, the VAE's bounds, the way there and back, and an edit
of hair colour by each model's own latents. Weights that are in assets/runs/neighbours.safetensors are not trained
again; `--again` does. Notebook 15 and RESULTS.md show assets/runs/neighbours.json.
"""

import argparse
import copy
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from glowlab.neighbours import KIND, MODELS, SMALL, VAE, WEIGHTS, build, pictures_of, values_of
from glowlite import checkpoint, latents, pixels
from glowlite.data import faces
from glowlite.files import write_atomically
from glowlite.glow import Glow
from glowlite.training import metrics
from glowlite.training.config import TrainConfig, read_run, with_prefix
from glowlite.training.loop import train
from glowlite.training.stream import FaceStream, test_pictures

SIDE, BATCH, SEED = SMALL.shape[1], 16, 0
IMAGES = {"flow": 40_000, "autoregressive": 60_000, "vae": 40_000}  # the second stops where it is as good as the first
EMA = 0.99  # of the weights of PixelCNN and VAE, a step
VALIDATED = 1_600  # images between validations
HELD_OUT = 512


# ---- training --------------------------------------------------------------------------------------------------------


def bits(model: nn.Module, images: Tensor) -> Tensor:
    """Bits per dimension of each picture, (B,) float64, with one noise; of the VAE its bound with one z."""
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        if isinstance(model, Glow):
            return model.bits_per_dim(images, generator).double()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)  # of the VAE's z
            nats = torch.cat([model.log_prob(part) for part in images.split(128)])
    return pixels.bits_per_dim(nats.double(), images[0].numel())


def train_flow() -> tuple[nn.Module, dict]:
    """A Glow of SMALL, by the package's own loop."""
    with tempfile.TemporaryDirectory() as folder:
        config = TrainConfig(
            SMALL, folder, images=IMAGES["flow"], batch=32, seed=SEED, precision="bf16", accelerator="cpu", threads=1,
            validate_every=10_000, log_every=IMAGES["flow"],
        )  # fmt: skip
        result = train(config, progress=sys.stderr.isatty())
        if result.stopped_by:
            raise KeyboardInterrupt
        tensors, _ = read_run(folder)
    model = Glow(SMALL)
    model.load_state_dict(with_prefix(tensors, "average."))
    return model.eval(), {"images": IMAGES["flow"]}


def train_neighbour(name: str, enough: float = 0.0) -> tuple[nn.Module, dict]:
    """PixelCNN or VAE, its weights averaged; stops where held-out bits per dimension are `enough`.

    Without `enough` the learning rate falls to nothing over the last half.
    """
    torch.manual_seed(SEED)
    model = MODELS[name]().to(memory_format=torch.channels_last)
    average = copy.deepcopy(model).eval()
    stream = FaceStream(SIDE, BATCH, SEED)
    held_out, steps = stream.held_out(HELD_OUT), IMAGES[name] // BATCH
    optimiser = torch.optim.AdamW(model.parameters(), 2e-3, betas=(0.9, 0.99))
    for step in range(steps):
        left = 1.0 if enough else min(1.0, 2 * (1 - step / steps))
        optimiser.param_groups[0]["lr"] = 2e-3 * left * min(1, (step + 1) / 100)
        images = stream.batch(step)
        loss = -model.log_prob(images).mean() / images[0].numel()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        for mine, theirs in zip(average.parameters(), model.parameters(), strict=True):
            mine.data.lerp_(theirs.data, 1 - min(EMA, (1 + step) / (10 + step)))
        seen = (step + 1) * BATCH
        if seen % VALIDATED == 0:
            reached = bits(average, held_out).mean().item()
            print(f"{name}: {seen:,} images, {reached:.4f} bits/dim", file=sys.stderr, flush=True)
            if reached <= enough:
                break
    return average.to(memory_format=torch.contiguous_format), {"images": seen}


def trained(path: Path, again: bool = False) -> tuple[dict[str, nn.Module], dict]:
    """The three models, of weights rounded to float16 as they are kept, and what each training took."""
    tensors, facts = checkpoint.read_state(path) if path.is_file() and not again else ({}, {})
    models: dict[str, nn.Module] = {}
    for name in MODELS:
        if name not in facts:
            if name == "flow":
                model, facts[name] = train_flow()
            else:
                held_out = FaceStream(SIDE, BATCH, SEED).held_out(HELD_OUT)
                enough = bits(models["flow"], held_out).mean().item() if name == "autoregressive" else 0.0
                model, facts[name] = train_neighbour(name, enough)
            tensors |= {
                f"{name}.{key}": value.half() if value.is_floating_point() else value
                for key, value in model.state_dict().items()
            }
            checkpoint.write_state(path, tensors, facts)
        models[name] = build(name, tensors)
    return models, facts


# ---- what is measured ------------------------------------------------------------------------------------------------


def seconds(run: Callable[[], object], repeats: int = 3) -> float:
    """Median seconds of the processor for a call; with one thread those of a clock, unless others work beside it."""
    took = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        took.append(time.process_time() - start)
    return statistics.median(took)


def time_samples(models: dict[str, nn.Module]) -> dict[str, dict[str, float]]:
    """Seconds a picture of drawing 1 and 64 at once, and of the likelihood of 64."""
    images = FaceStream(SIDE, 64, SEED).held_out(64)
    found = {}
    for name, model in models.items():
        draw = partial(sample, name, model)
        repeats = 1 if name == "autoregressive" else 15
        with torch.no_grad():
            found[name] = {
                "sample 1": seconds(partial(draw, 1), repeats),
                "sample 64": seconds(partial(draw, 64), repeats) / 64,
                "likelihood 64": seconds(partial(bits, model, images), repeats) / 64,
            }
    return found


def sample(name: str, model: nn.Module, count: int) -> Tensor:
    """New faces at temperature 1, uint8, by SEED."""
    generator = torch.Generator().manual_seed(SEED)
    if name == "flow":
        return model.sample(count, 1.0, generator)
    return model.sample(count, SIDE, generator) if name == "autoregressive" else model.sample(count, generator)


@torch.no_grad()
def bounds(vae: VAE, images: Tensor, counts: tuple[int, ...]) -> dict[str, float]:
    """Bits per dimension by importance weighting with K draws of z, for each K; K = 1 is the lower bound (ELBO)."""
    generator, weights = torch.Generator().manual_seed(SEED), []
    for _ in range(max(counts)):
        said, prior, guessed = vae.terms(images, generator)
        weights.append((said + prior - guessed).double())
    log_w = torch.stack(weights)  # (K, B)
    found = {}
    for count in counts:
        groups = log_w.unflatten(0, (-1, count))  # all draws are used, in groups of K
        nats = (groups.logsumexp(1) - math.log(count)).mean(0)
        found[str(count)] = pixels.bits_per_dim(nats, images[0].numel()).mean().item()
    return found


def noise_bound(flow: Glow, images: Tensor, count: int) -> float:
    """Bits per dimension of the flow's mean likelihood over several dequantisation noises."""
    each = torch.stack([flow.log_prob(images, torch.Generator().manual_seed(seed)).double() for seed in range(count)])
    return pixels.bits_per_dim(each.logsumexp(0) - math.log(count), flow.dims).mean().item()


# ---- an edit ---------------------------------------------------------------------------------------------------------


def read_linear(images: Tensor, attributes: dict[str, Tensor]) -> Callable[[Tensor], Tensor]:
    """A ridge regression that reads all attributes off pictures, in standard deviations: (B, 3, H, W) -> (B, A)."""
    wanted = torch.stack(list(attributes.values()), 1).double()
    wanted = (wanted - wanted.mean(0)) / wanted.std(0)

    def design(x: Tensor) -> Tensor:
        flat = x.flatten(1).double() / 128 - 1
        return torch.cat([flat, torch.ones(len(flat), 1, dtype=flat.dtype)], 1)

    A = design(images)
    weights = torch.linalg.solve(A.T @ A + torch.eye(A.shape[1], dtype=A.dtype), A.T @ wanted)
    return lambda x: design(x) @ weights


def edit(models: dict[str, nn.Module], attribute: str = "hair_colour", shown: int = 16) -> dict[str, dict[str, float]]:
    """Move an attribute by the difference of means of each model's latents: how far it and the others went.

    moved: as a share of the way between faces without and with it. others: mean distance of the other readings, in
    standard deviations.
    """
    images, attributes = faces.draw(2000, SIDE, 151)
    images = pictures_of(values_of(images))
    read = read_linear(images, attributes)
    column, has = list(attributes).index(attribute), attributes[attribute] > 0
    way = (read(images[has])[:, column].mean() - read(images[~has])[:, column].mean()).item()
    chosen = (~has).nonzero()[:shown, 0]
    found = {}
    with torch.no_grad():
        for name, (encode, decode) in ways(models).items():
            z = encode(images)
            step = z[has].mean(0) - z[~has].mean(0)
            before, after = read(images[chosen]), read(decode(z[chosen] + step))
            change = after - before
            others = [k for k in range(len(attributes)) if k != column]
            found[name] = {
                "moved": change[:, column].mean().item() / way,
                "others": change[:, others].abs().mean().item(),
                "unmoved": (decode(z[chosen]).float() - images[chosen].float()).abs().mean().item(),
            }
    return found


def ways(models: dict[str, nn.Module]) -> dict[str, tuple[Callable, Callable]]:
    """For each model, pictures -> latents (B, D) and back. The autoregressive one has only the noise of its draws."""
    flow, cnn, vae = models.values()
    shapes = [torch.empty(1, *shape) for shape in flow.latent_shapes]
    unit = torch.distributions.Normal(0, 1)

    def to_noise(images: Tensor) -> Tensor:
        u = cnn.encode(images, torch.Generator().manual_seed(SEED))
        return unit.icdf(u.clamp(1e-6, 1 - 1e-6)).flatten(1)

    return {
        "flow": (
            lambda images: latents.flatten(flow.encode(images)),
            lambda z: flow.decode(latents.unflatten(z, shapes)),
        ),
        "autoregressive": (to_noise, lambda z: cnn.decode(unit.cdf(z).view(-1, 3, SIDE, SIDE))),
        "vae": (lambda images: vae.guess(images)[0], vae.decode),
    }


# ---- the record ------------------------------------------------------------------------------------------------------


def measure(models: dict[str, nn.Module], facts: dict) -> dict:
    """All that the record holds."""
    images = test_pictures("faces", SMALL.shape, 1000)
    flow, _, vae = models.values()
    times = time_samples(models)
    rows = {}
    for name, model in models.items():
        each = bits(model, images)
        rows[name] = {
            "parameters": sum(weight.numel() for weight in model.parameters()),
            "bits_per_dim": each.mean().item(),
            "error": each.std().item() / len(each) ** 0.5,
            **times[name],
            **facts[name],
        }
    few = images[:50]
    return {
        "rows": rows,
        "bounds": bounds(vae, few, (1, 10, 100, 1000)),
        "flow_noises": {str(count): noise_bound(flow, few, count) for count in (1, 10, 100)},
        "edit": edit(models),
    }


def table(record: dict) -> str:
    """The models side by side."""
    lines = [
        "| model | parameters | images seen | held-out bits/dim | ms a sample | ms a sample of 64 | ms a likelihood |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in record["rows"].items():
        times = (f"{1000 * row[key]:.2f}" for key in ("sample 1", "sample 64", "likelihood 64"))
        said = f"{row['bits_per_dim']:.3f} ± {row['error']:.3f}" + (" (a bound)" if name == "vae" else "")
        cells = [name, f"{row['parameters']:,}", f"{row['images']:,}", said, *times]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def bound_table(record: dict) -> str:
    """Bits per dimension by the number of draws."""
    counts = list(record["bounds"])
    lines = [f"| | {' | '.join(f'K = {int(count):,}' for count in counts)} |", "|---" * (1 + len(counts)) + "|"]
    for name, each in (("VAE", record["bounds"]), ("flow", record["flow_noises"])):
        cells = (f"{each[count]:.3f}" if count in each else "" for count in counts)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def rounded(value):
    """Numbers of five digits, in dicts of dicts."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return float(f"{value:.5g}") if isinstance(value, float) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--again", action="store_true", help="train all three anew")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="default: assets/runs/neighbours.safetensors")
    given = parser.parse_args()
    torch.set_num_threads(1)
    models, facts = trained(given.weights, given.again)
    record = {"kind": KIND, "command": "python -m benchmarks.neighbours", "date": date.today().isoformat()}
    record |= {"machine": metrics.machine(), "versions": metrics.versions()}
    record |= rounded(measure(models, facts))
    write_atomically(given.weights.with_suffix(".json"), (json.dumps(record, indent=1) + "\n").encode())
    print(table(record))
    print(json.dumps({key: record[key] for key in ("bounds", "flow_noises", "edit")}, indent=1))


if __name__ == "__main__":
    main()
