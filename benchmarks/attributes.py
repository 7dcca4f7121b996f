"""How far each attribute slider moves what it is named after, and what else it moves:  python -m benchmarks.attributes

On held-out pictures of the model's kind, at evenly spaced stops over the slider's whole range, read by a small
regressor (glowlite.evaluation) that is trained first, on pictures that the directions' own meter was not trained on.
All distances are in standard deviations of the reading over the held-out pictures.
"""

import argparse
from dataclasses import dataclass

import torch
from torch import Tensor

from glowlite import checkpoint
from glowlite.data import labelled
from glowlite.data.labelled import Labelled
from glowlite.directions import PROBED
from glowlite.evaluation import AttributeMeter, slide, train_meter
from glowlite.fusion import fuse
from glowlite.glow import Glow

HELD_OUT = 2048  # pictures at most
STOPS = 7  # -1, -2/3, ... 1
BACK = 0.01  # a reading may go back by this share of the slider's movement: that is the meter's noise


@dataclass
class Effect:
    """What one slider did, over all pictures."""

    name: str
    moved: float  # standard deviations from one end of the slider to the other, median over pictures
    monotone: float  # fraction of pictures whose reading never goes back, but for BACK
    others: float  # |mean movement over pictures| of each other attribute, mean over those
    strays: float  # mean |movement| of the other attributes: also what goes up for one picture and down for the next
    saturated: float  # fraction of values at 0 or 255 at an end of the slider that were not at its middle
    finite: bool

    @property
    def selectivity(self) -> float:
        return self.moved / self.others

    @property
    def precision(self) -> float:
        return self.moved / self.strays


def train_fair_meter(data: str, shape: tuple[int, int, int]) -> AttributeMeter:
    """A meter of other pictures and another seed than the one that disentangled the directions."""
    return train_meter(labelled.read(data, shape).part(PROBED), seed=1)


def saturation(pictures: Tensor) -> Tensor:
    return (pictures == 0) | (pictures == 255)


def measure(model: Glow, directions: dict, meter: AttributeMeter, held_out: Labelled, count: int = 256) -> list[Effect]:
    """The effect of every direction on the first `count` held-out pictures."""
    model = fuse(model)
    deviation = meter.read(held_out.images).std(0)
    eps = model.encode(held_out.images[:count], batch=64)
    effects = []
    for name, direction in directions.items():
        shown, finite = slide(model, eps, direction, torch.linspace(-1, 1, STOPS).tolist())
        readings = torch.stack([meter.read(stop) for stop in shown]) / deviation  # (STOPS, B, attributes)
        own = meter.names.index(name)
        change = readings[-1] - readings[0]
        moved = change[:, own].median()
        rest = [i for i in range(len(meter.names)) if i != own]
        middle = saturation(shown[STOPS // 2])
        new = max((saturation(end) & ~middle).float().mean().item() for end in (shown[0], shown[-1]))
        effects.append(
            Effect(
                name,
                moved.item(),
                (readings[:, :, own].diff(dim=0) > -BACK * moved).all(0).float().mean().item(),
                change[:, rest].mean(0).abs().mean().item(),
                change[:, rest].abs().mean().item(),
                new,
                finite,
            )
        )
    return effects


def table(effects: list[Effect], explained: dict[str, float]) -> str:
    """The effects as a table of Markdown, beside how well the meter reads each attribute."""
    lines = [
        "| attribute | moved (sd) | monotone | others (sd) | times as far | strays (sd) | times as far | "
        "newly saturated | finite | R² of the meter |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for e in effects:
        cells = (e.name, f"{e.moved:.2f}", f"{e.monotone:.1%}", f"{e.others:.3f}", f"{e.selectivity:.1f}")
        cells += (f"{e.strays:.3f}", f"{e.precision:.1f}", f"{e.saturated:.2%}", "yes" if e.finite else "NO")
        lines.append(f"| {' | '.join(cells)} | {explained[e.name]:.2f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="faces64", help="a model that ships, or a path (default: faces64)")
    parser.add_argument("--data", help='"faces" or a data set with attributes (default: what its card names)')
    parser.add_argument("--count", type=int, default=256, help="held-out pictures (default: 256)")
    arguments = parser.parse_args()
    model = checkpoint.load(arguments.model)
    data = arguments.data or checkpoint.read_card(arguments.model, required=False).get("data", "faces")
    shape = model.config.shape
    meter = train_fair_meter(data, shape)
    held_out = labelled.read(data, shape, "test", HELD_OUT)
    effects = measure(model, checkpoint.load_directions(arguments.model), meter, held_out, arguments.count)
    print(f"{arguments.model}, {arguments.count} held-out pictures of {data}, {STOPS} stops from -1 to 1:\n")
    print(table(effects, meter.explained(held_out)))


if __name__ == "__main__":
    main()
