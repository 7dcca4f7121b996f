"""How far each attribute slider moves what it is named after, and what else it moves:  python -m benchmarks.attributes

On held-out drawn faces, at evenly spaced stops over the slider's whole range, read by a small regressor
(glowlite.evaluation) that is trained first on faces of its own.
All distances are in standard deviations of the reading over the held-out faces.
"""

import argparse
from dataclasses import dataclass

import torch
from torch import Tensor

from glowlite import checkpoint
from glowlite.data import faces
from glowlite.evaluation import AttributeMeter, slide, train_meter
from glowlite.fusion import fuse
from glowlite.glow import Glow

HELD_OUT_SEED = 80_000_000
STOPS = 7  # -1, -2/3, ... 1


@dataclass
class Effect:
    """What one slider did, over all faces."""

    name: str
    moved: float  # standard deviations from one end of the slider to the other, median over faces
    monotone: float  # fraction of faces whose reading never goes back
    others: float  # |mean movement over faces| of each other attribute, mean over those
    strays: float  # mean |movement| of the other attributes: also what goes up for one face and down for the next
    saturated: float  # fraction of pixels at 0 or 255 at an end of the slider that were not at its middle
    finite: bool

    @property
    def selectivity(self) -> float:
        return self.moved / self.others


def saturation(pictures: Tensor) -> Tensor:
    return (pictures == 0) | (pictures == 255)


def measure(model: Glow, directions: dict, meter: AttributeMeter, count: int = 256) -> list[Effect]:
    """The effect of every direction on `count` held-out faces."""
    model = fuse(model)
    held_out = faces.draw(count, model.config.shape[1], seed=HELD_OUT_SEED).images
    deviation = meter.read(faces.draw(2048, model.config.shape[1], seed=HELD_OUT_SEED + 1).images).std(0)
    eps = model.encode(held_out, batch=64)
    effects = []
    for name, direction in directions.items():
        shown, finite = slide(model, eps, direction, torch.linspace(-1, 1, STOPS).tolist())
        readings = torch.stack([meter.read(stop) for stop in shown]) / deviation  # (STOPS, B, attributes)
        own = meter.names.index(name)
        change = readings[-1] - readings[0]
        rest = [i for i in range(len(meter.names)) if i != own]
        middle = saturation(shown[STOPS // 2])
        new = max((saturation(end) & ~middle).float().mean().item() for end in (shown[0], shown[-1]))
        effects.append(
            Effect(
                name,
                change[:, own].median().item(),
                (readings[:, :, own].diff(dim=0) > 0).all(0).float().mean().item(),
                change[:, rest].mean(0).abs().mean().item(),
                change[:, rest].abs().mean().item(),
                new,
                finite,
            )
        )
    return effects


def table(effects: list[Effect]) -> str:
    lines = [
        "| attribute | moved (sd) | monotone | others (sd) | times as far | strays (sd) | newly saturated | finite |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for e in effects:
        cells = (e.name, f"{e.moved:.2f}", f"{e.monotone:.1%}", f"{e.others:.3f}", f"{e.selectivity:.1f}")
        cells += (f"{e.strays:.3f}", f"{e.saturated:.2%}", "yes" if e.finite else "NO")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="faces64", help="a model that ships, or a path (default: faces64)")
    parser.add_argument("--count", type=int, default=256, help="held-out faces (default: 256)")
    arguments = parser.parse_args()
    model = checkpoint.load(arguments.model)
    meter = train_meter(size=model.config.shape[1])
    held_out = faces.draw(2048, model.config.shape[1], seed=HELD_OUT_SEED + 1)
    truth = torch.stack(list(held_out.attributes.values()), 1)
    error = (meter.read(held_out.images) - truth).square().mean(0).sqrt()
    print("The meter's error on held-out faces (an attribute's standard deviation is 0.58):")
    print("  " + ", ".join(f"{name} {e:.3f}" for name, e in zip(meter.names, error.tolist(), strict=True)))
    print(f"\n{arguments.model}, {arguments.count} held-out faces, {STOPS} stops from -1 to 1:\n")
    print(table(measure(model, checkpoint.load_directions(arguments.model), meter, arguments.count)))


if __name__ == "__main__":
    main()
