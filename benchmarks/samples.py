"""How near a model's samples are to held-out pictures, as a Frechet distance:  python -m benchmarks.samples

The distance (Heusel et al. 2017) is measured in the last feature maps of the attribute meter, trained by seed on the
labelled pictures of the model's data. That of training pictures to the same held-out ones is the least to hope for.
"""

import argparse

import torch
from torch import Tensor

from glowlite import checkpoint, pixels
from glowlite.data import faces, labelled
from glowlite.evaluation import frechet_distance, train_meter
from glowlite.fusion import fuse

SEED = 0  # of the meter and of the samples


def pictures(data: str, shape: tuple[int, int, int], split: str, count: int) -> Tensor:
    """Pictures as the model learns from: drawn faces as they come, not those that show every amount of a beard."""
    if data == "faces":
        return faces.draw(count, shape[1], labelled.SEEDS[split]).images
    return labelled.read(data, shape, split, count).images


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
        generator = torch.Generator().manual_seed(SEED)
        parts = [model.sample(len(part), temperature, generator) for part in held_out.split(64)]
        rows[f"samples at {temperature:g}"] = torch.cat(parts)
    rows[f"held-out pictures in {model.config.n_bits} bits"] = pixels.quantize(held_out, model.config.n_bits)
    print(f"{arguments.model}: Frechet distance to {len(held_out)} held-out pictures of {data}\n")
    print("| pictures | distance |\n|---|---|")
    for what, images in rows.items():
        print(f"| {what} | {frechet_distance(meter.features(images), there):.3f} |")


if __name__ == "__main__":
    main()
