"""How a model serves different people, by age, brightness and turn of the head:  python -m benchmarks.groups

On held-out people, and never by race or sex. The smile slider goes from -1 to 1; a meter that is trained first, on
pictures that the directions' own meter was not trained on (glowlite.evaluation), reads how far each smile moves. One
standard deviation is that of the readings of all held-out people, the same for every group.
"""

import argparse

import torch
from torch import Tensor

from benchmarks.attributes import saturation, train_fair_meter
from glowlite import checkpoint, pixels
from glowlite.data import datasets
from glowlite.errors import GlowliteError
from glowlite.evaluation import AttributeMeter, bits_per_dim, codec_bits_per_dim, slide
from glowlite.fusion import fuse
from glowlite.glow import Glow
from glowlite.latents import Latents

# Of the nine classes of fairface64, the last two, with few people, are taken together.
AGES = {"0-2": 0, "3-9": 1, "10-19": 2, "20-29": 3, "30-39": 4, "40-49": 5, "50-59": 6, "60 and over": 7}
BRIGHTNESS = {"darkest tenth": (0, 0.1), "darkest third": (0, 1 / 3), "middle third": (1 / 3, 2 / 3)}
BRIGHTNESS |= {"brightest third": (2 / 3, 1)}
TURN = {"straightest third": (0, 1 / 3), "middle third": (1 / 3, 2 / 3), "most turned third": (2 / 3, 1)}
TURN |= {"most turned tenth": (0.9, 1)}


def between(values: Tensor, low: float, high: float) -> Tensor:
    """Whether each value lies between two quantiles of those that are known: bool (N,), False for NaN.

    >>> between(torch.tensor([3.0, 1.0, torch.nan, 2.0]), 0.5, 1.0)
    tensor([ True, False, False,  True])
    """
    low, high = values[values.isfinite()].quantile(torch.tensor([low, high]))
    return (values >= low) & (values <= high)


def split(images: Tensor, columns: dict[str, Tensor]) -> dict[str, Tensor]:
    """Groups of people, {name: bool (N,)}."""
    if missing := {"age", "head_turn"} - columns.keys():
        raise GlowliteError(f"The data have no column {' and no '.join(sorted(missing))}: give data that do.")
    age, brightness, turn = columns["age"].clamp(max=7), images.float().mean((1, 2, 3)), columns["head_turn"].abs()
    groups = {"all": torch.ones(len(images), dtype=torch.bool)}
    groups |= {f"age {name}": age == value for name, value in AGES.items()}
    groups |= {f"brightness: {name}": between(brightness, *ends) for name, ends in BRIGHTNESS.items()}
    return groups | {f"head: {name}": between(turn, *ends) for name, ends in TURN.items()}


def measure(model: Glow, smile: Latents, meter: AttributeMeter, images: Tensor) -> dict[str, Tensor]:
    """Numbers for every person, {what: (N,)}, and of saturation one for each end of the slider, (N, 2)."""
    model = fuse(model)
    low, middle, high = slide(model, model.encode(images, batch=64), smile, (-1, 0, 1))[0]
    own = meter.names.index("smile")
    kept = pixels.quantize(images, model.config.n_bits)  # codecs get no more bits to store than the model
    fresh = [(saturation(end) & ~saturation(middle)).flatten(1).float().mean(1) for end in (low, high)]
    return {
        "bits/dim": bits_per_dim(model, images),
        "PNG": codec_bits_per_dim(kept, "png"),
        "WebP": codec_bits_per_dim(kept, "webp"),
        "pixels wrong": (middle != images).flatten(1).sum(1),
        "smile moved (sd)": (meter.read(high) - meter.read(low))[:, own] / meter.read(images)[:, own].std(),
        "newly saturated": torch.stack(fresh, 1),
    }


def table(people: dict[str, Tensor], groups: dict[str, Tensor]) -> str:
    """A row of Markdown for each group: means, but the median of the smile's movement, and all wrong pixel values."""
    lines = [f"| group | people | {' | '.join(people)} |", "|---" * (2 + len(people)) + "|"]
    for name, group in groups.items():
        bits, png, webp, wrong, moved, fresh = (values[group] for values in people.values())
        if len(bits) == 0:
            continue
        error = bits.std(correction=0) / len(bits) ** 0.5
        cells = (name, f"{len(bits):,}", f"{bits.mean():.3f} ± {error:.3f}", f"{png.mean():.3f}", f"{webp.mean():.3f}")
        cells += (f"{wrong.sum():,}", f"{moved.median():.2f}", f"{fresh.mean(0).max():.2%}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="portraits64", help="a model that ships, or a path (default: portraits64)")
    parser.add_argument("--data", help="a data set with the columns age and head_turn (default: what its card names)")
    parser.add_argument("--count", type=int, help="held-out people (default: all)")
    arguments = parser.parse_args()
    model, directions = checkpoint.load(arguments.model), checkpoint.load_directions(arguments.model)
    data = arguments.data or checkpoint.read_card(arguments.model)["data"]
    images = datasets.load(data, "test").images[: arguments.count]
    columns = {name: values[: arguments.count] for name, values in datasets.load_attributes(data, "test").items()}
    groups = split(images, columns)
    meter = train_fair_meter(data, model.config.shape)
    people = measure(model, directions["smile"], meter, images)
    print(f"{arguments.model}, {len(images):,} held-out people of {data}:\n")
    print(table(people, groups))
    print("\nGlasses and hats are not labelled in these data, so they are not measured.")


if __name__ == "__main__":
    main()
