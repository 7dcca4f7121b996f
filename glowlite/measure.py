"""A meter for attributes: a small network that reads smile, beard, glasses, ... off a picture of a drawn face.

The drawn faces come with the truth, so a regressor trained on them says how far a slider really moved what it is
named after, and how far it moved everything else.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glowlite import latents, pixels
from glowlite.data import faces
from glowlite.glow import Glow

METER_SEED = 70_000_000  # faces that neither a flow's training nor its measurement draws
PARTING_SEED = (
    75_000_000  # and others again, so that directions are not measured by the meter they were parted with
)


class AttributeMeter(nn.Module):
    """uint8 faces (B, 3, size, size) -> (B, attributes): each reading in the attribute's own unit, about [-1, 1]."""

    def __init__(self, names: list[str], width: int = 24):
        super().__init__()
        self.names = names
        layers, channels = [], 3
        for out in (width, 2 * width, 4 * width, 6 * width):
            layers += [nn.Conv2d(channels, out, 3, stride=2, padding=1), nn.BatchNorm2d(out), nn.ReLU()]
            channels = out
        self.body = nn.Sequential(*layers, nn.Flatten())
        self.head = nn.LazyLinear(len(names))

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.body(images.float() / 128 - 1))

    @torch.no_grad()
    def read(self, images: Tensor) -> Tensor:
        """Readings without gradients, a few hundred pictures at a time."""
        return torch.cat([self(part) for part in images.split(512)])


def train_meter(
    count: int = 16_384, epochs: int = 10, size: int = 64, seed: int = METER_SEED
) -> AttributeMeter:
    """Train a meter on `count` drawn faces, with noise added so that it looks at shapes and not at grain.

    Returns it in eval mode. Deterministic by seed (for one number of threads).
    """
    drawn = faces.draw(count, size, seed)
    wanted = torch.stack(list(drawn.attributes.values()), 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        meter = AttributeMeter(list(drawn.attributes))
        meter.eval()(drawn.images[:2])  # lets the last layer find its size
        meter.train()
        steps, batch = epochs * (count // 128), 128
        optimiser = torch.optim.AdamW(meter.parameters(), 3e-3, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps, pct_start=0.1)
        for _ in range(epochs):
            for places in torch.randperm(count)[: count // batch * batch].split(batch):
                noise = torch.randn(batch, 3, size, size) * 8 * torch.rand(batch, 1, 1, 1)
                loss = F.smooth_l1_loss(meter(drawn.images[places] + noise), wanted[places], beta=0.2)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
    return meter.eval()


@torch.no_grad()
def slide(model: Glow, eps: list[Tensor], direction: list[Tensor], amounts: Sequence[float], batch: int = 64):
    """Pictures at every amount of a direction, uint8 (amounts, B, C, H, W), and whether all was finite."""
    finite, shown = True, []
    for amount in amounts:
        moved = latents.add(eps, direction, amount)
        parts = [model.inverse([e[i : i + batch] for e in moved]) for i in range(0, len(eps[0]), batch)]
        finite &= all(bool(part.isfinite().all()) for part in parts)
        shown.append(torch.cat([pixels.to_uint8(part) for part in parts]))
    return torch.stack(shown), finite


def part(
    model: Glow, directions: dict, meter: AttributeMeter, images: Tensor, reach: float = 2.2, rounds: int = 2
) -> dict:
    """Directions that move their own attribute by `reach` standard deviations from -1 to 1, and no other on average.

    Each round measures how far every direction moves every attribute, (k, k), on these images (faces that served for
    nothing else), and takes the combination of directions whose mean movement is `reach` times the identity.
    """
    names = list(directions)
    order = [meter.names.index(name) for name in names]
    deviation = meter.read(images)[:, order].std(0)
    eps = [torch.cat(level) for level in zip(*(model.encode(p) for p in images.split(64)), strict=True)]
    for _ in range(rounds):
        rows = []
        for name in names:
            low, high = slide(model, eps, directions[name], (-1, 1))[0]
            rows.append((meter.read(high) - meter.read(low))[:, order].mean(0) / deviation)
        mix = reach * torch.linalg.inv(torch.stack(rows))  # (wanted, found)
        levels = [
            torch.cat(level) for level in zip(*directions.values(), strict=True)
        ]  # (found, C_l, H_l, W_l) each
        mixed = [torch.tensordot(mix, level, dims=1) for level in levels]
        directions = {name: [level[i : i + 1] for level in mixed] for i, name in enumerate(names)}
    return directions
