"""How near a model's samples are to held-out pictures, as a Frechet distance:  python -m benchmarks.samples

The distance (Heusel et al. 2017) is measured in the last feature maps of the attribute meter, trained by seed on the
labelled pictures of the model's data. That of training pictures to the same held-out ones is the least to hope for.
"""

import argparse
from collections.abc import Callable

import torch
from torch import Tensor

from glowlite import checkpoint, latents, pixels
from glowlite.data import faces, labelled
from glowlite.evaluation import frechet_distance, train_meter
from glowlite.fusion import fuse
from glowlite.glow import Glow

SEED = 0  # of the meter and of the samples
BATCH = 64  # samples drawn at a time


def pictures(data: str, shape: tuple[int, int, int], split: str, count: int) -> Tensor:
    """Pictures as the model learns from: drawn faces as they come, not those that show every amount of a beard."""
    if data == "faces":
        return faces.draw(count, shape[1], labelled.SEEDS[split]).images
    return labelled.read(data, shape, split, count).images


def draw(model: Glow, count: int, temperature: float, finish: Callable = lambda model, x: x) -> Tensor:
    """Samples by SEED, uint8 (count, C, H, W); finish(model, x): what is done to them while they are still floats."""
    generator, parts = torch.Generator().manual_seed(SEED), []
    for start in range(0, count, BATCH):
        eps = latents.sample_eps(model.latent_shapes, min(BATCH, count - start), generator)
        with torch.no_grad():
            x = model.inverse(latents.scale(eps, temperature))
        parts.append(pixels.to_uint8(finish(model, x)))
    return torch.cat(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="faces64", help="a model that ships, or a path (default: faces64)")
    parser.add_argument("--data", help='"faces" or a data set with attributes (default: what its card names)')
    parser.add_argument("--count", type=int, default=1500, help="pictures of each kind (default: 1500)")
    parser.add_argument("--temperatures", type=float, nargs="+", default=[0.7, 1.0])
    arguments = parser.parse_args()
    model = fuse(checkpoint.load(arguments.model))
    data = arguments.data or checkpoint.read_card(arguments.model, required=False).get("data", "faces")
    known = labelled.read(data, model.config.shape)
    train, held_out = (pictures(data, model.config.shape, split, arguments.count) for split in ("train", "test"))
    meter = train_meter(known, seed=SEED)
    there = meter.features(held_out)
    rows = {"training pictures": train}
    for temperature in arguments.temperatures:
        rows[f"samples at {temperature:g}"] = draw(model, len(held_out), temperature)
    rows[f"held-out pictures in {model.config.n_bits} bits"] = pixels.quantize(held_out, model.config.n_bits)
    print(f"{arguments.model}: Frechet distance to {len(held_out)} held-out pictures of {data}\n")
    print("| pictures | distance |\n|---|---|")
    for what, images in rows.items():
        print(f"| {what} | {frechet_distance(meter.features(images), there):.3f} |")


if __name__ == "__main__":
    main()
