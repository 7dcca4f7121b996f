"""A flow of transformers beside a small Glow, at equal CPU time:  python -m benchmarks.attention

Drawn faces of 16 x 16 pixels. Every model learns for the same CPU seconds on one thread, with the same batches in the
same order and the same shape of the learning rate. Its height is the best of three, each tried for a quarter of the
time. Also Glow without some of its parts, and the transformers with them.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.runs import learn_for, save
from glowlab.attention import AttentionFlow
from glowlite import Glow, GlowConfig, pixels
from glowlite.data import faces

OUT = Path(__file__).parents[1] / "assets" / "runs" / "attention.json"
SHAPE, COUNT, HELD_OUT, BATCH = (3, 16, 16), 4096, 512, 64
RATES = (1e-3, 3e-3, 6e-3)


def glow(**changes) -> Glow:
    return Glow(GlowConfig(**{"shape": SHAPE, "levels": 3, "depth": 4, "width": 32} | changes))


MODELS = {
    "Glow": glow,
    "Glow, one level": partial(glow, levels=1, depth=12),
    "Glow, channels reversed": partial(glow, permutation="reverse"),
    "transformers": partial(AttentionFlow, SHAPE),
    "transformers, ActNorm, 1x1": partial(AttentionFlow, SHAPE, parts_of_glow=True),
}


def bits(model: nn.Module, images: Tensor, generator: torch.Generator) -> Tensor:
    """Mean bits per dimension, with fresh noise."""
    dims = images[0].numel()
    log_prob = model.log_density(pixels.dequantize(images, generator=generator)) - pixels.log_bins(dims, 8)
    return pixels.bits_per_dim(log_prob, dims).mean()


def train(model: nn.Module, images: Tensor, held_out: Tensor, seconds: float, lr: float) -> dict:
    """Learn for so many CPU seconds; the curve is of the averaged weights on held-out pictures."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        model.train()(pixels.dequantize(images[:256], generator=generator))  # sets every ActNorm

    def loss_of_batch() -> Tensor:
        return bits(model, images[torch.randint(0, len(images), (BATCH,), generator=generator)], generator)

    average, curve = learn_for(
        seconds, model, torch.optim.Adam(model.parameters(), lr), loss_of_batch,
        lambda average: bits(average, held_out, torch.Generator().manual_seed(1)).item(),
        warmup=30, fall=2, ema=0.98, clip=10.0,
    )  # fmt: skip
    curve = [[spent, steps * BATCH, found] for spent, steps, found in curve]
    return {"lr": lr, "seconds": round(seconds), "curve": curve, "round_trip": missed_by(average, held_out)}


@torch.no_grad()
def missed_by(model: nn.Module, images: Tensor) -> float:
    """The largest error of the way there and back, in grey levels of 256; beyond 0.5 a pixel would change."""
    x = pixels.to_float(images)
    return round((model.inverse(model(x)[0]) - x).abs().max().item() * 256, 5)


def measure(name: str, images: Tensor, held_out: Tensor, seconds: float) -> dict:
    """The run at the best learning rate."""
    torch.set_num_threads(1)
    tried = {lr: train(MODELS[name](), images, held_out, seconds / 4, lr)["curve"][-1][2] for lr in RATES}
    model = MODELS[name]()
    run = train(model, images, held_out, seconds, min(tried, key=tried.get))
    parameters = sum(weight.numel() for weight in model.parameters())
    return {"name": name, "parameters": parameters, **run, "rates": {str(lr): bpd for lr, bpd in tried.items()}}


def table(runs: list[dict]) -> str:
    lines = ["| model | parameters | pictures seen | bits/dim | largest error, grey levels |", "|---|---|---|---|---|"]
    for run in runs:
        _, seen, found = run["curve"][-1]
        lines.append(f"| {run['name']} | {run['parameters']:,} | {seen:,} | {found:.3f} | {run['round_trip']} |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="default: assets/runs/attention.json")
    parser.add_argument("--seconds", type=float, default=60, help="CPU seconds for each model; default: 60")
    given = parser.parse_args(arguments)
    images, held_out = (faces.draw(count, size=16, seed=seed).images for count, seed in ((COUNT, 1), (HELD_OUT, 2)))
    runs = []
    for name in MODELS:
        runs.append(measure(name, images, held_out, given.seconds))
        save(given.out, runs, "glowlite attention")
        print(table(runs[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
    print(table(runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
