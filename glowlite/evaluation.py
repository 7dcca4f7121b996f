"""Evaluation: bits per dimension of a model and of codecs, and a meter that reads attributes off pictures."""

import io
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from glowlite import latents, pixels
from glowlite.data import faces
from glowlite.errors import GlowliteError
from glowlite.glow import Glow
from glowlite.seeds import generator

METER_SEED = 70_000_000  # faces that neither a flow's training nor its measurement draws


@torch.no_grad()
def bits_per_dim(model, images: Tensor, batch: int = 128, seed: int = 0) -> Tensor:
    """Bits per dimension of each picture under `model`: uint8 (N, C, H, W) -> (N,) float64 on the CPU.

    The dequantisation noise comes from `seed`, batch by batch, so two models are measured with the same noise.
    """
    device = next(model.parameters()).device
    noise = generator(device, seed)
    parts = [model.bits_per_dim(part.to(device), generator=noise) for part in images.split(batch)]
    return torch.cat(parts).double().cpu()


def codec_bits_per_dim(images: Tensor, codec: str) -> Tensor:
    """Bits per dimension of a lossless codec, one picture a file: uint8 (N, C, H, W) -> (N,) float64.

    codec: "png" (Pillow's optimize) or "webp" (lossless, method 6, quality 100: the slowest and smallest).

    >>> codec_bits_per_dim(faces.draw(2, size=32).images, "png") > 3
    tensor([True, True])
    """
    options = {
        "png": {"format": "PNG", "optimize": True},
        "webp": {"format": "WEBP", "lossless": True, "method": 6, "quality": 100},
    }
    if codec not in options:
        raise GlowliteError(f"Unknown codec {codec!r}: choose png or webp.")
    sizes = []
    for image in images.cpu():
        array = image[0].numpy() if len(image) == 1 else image.permute(1, 2, 0).contiguous().numpy()
        file = io.BytesIO()
        Image.fromarray(array).save(file, **options[codec])
        sizes.append(8 * file.tell() / image.numel())
    return torch.tensor(sizes, dtype=torch.float64)


class AttributeMeter(nn.Module):
    """uint8 faces (B, 3, size, size) -> (B, attributes): each reading in the attribute's own unit, about [-1, 1].

    >>> AttributeMeter(["smile", "beard"])(faces.draw(4, size=32).images).shape
    torch.Size([4, 2])
    """

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


def train_meter(count: int = 16_384, epochs: int = 10, size: int = 64, seed: int = METER_SEED) -> AttributeMeter:
    """Train a meter on `count` drawn faces, with noise added so that it looks at shapes and not at grain.

    Returns it in eval mode. The same seed and number of threads give the same meter. Takes minutes.
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
