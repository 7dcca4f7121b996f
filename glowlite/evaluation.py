"""Evaluation: bits per dimension of a model and of codecs, and a meter that reads attributes off pictures."""

import io
from collections.abc import Callable, Iterable, Sequence

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from glowlite import latents, pixels
from glowlite.data.labelled import Labelled
from glowlite.errors import GlowliteError
from glowlite.glow import Glow
from glowlite.seeds import generator


@torch.no_grad()
def bits_per_dim(model: Glow, images: Tensor, batch: int = 128, seed: int = 0, rank: int = 0, world: int = 1) -> Tensor:
    """Bits per dimension of each picture under `model`: uint8 (N, C, H, W) -> (N,) float64 on the CPU.

    The dequantisation noise comes from `seed`, batch by batch, so two models are measured with the same noise.
    Of `world` processes each measures every `world`-th picture of a batch, from number `rank` on.
    """
    noise = generator(model.device, seed)
    found = [torch.empty(0, dtype=torch.float64)]
    for part in images.split(batch):
        x = pixels.dequantize(part, model.config.n_bits, noise)[rank::world]
        if len(x):
            log_density = model.log_density(x.to(model.device, model.dtype))
            log_prob = log_density - pixels.log_bins(model.dims, model.config.n_bits)
            found.append(pixels.bits_per_dim(log_prob, model.dims).cpu().double())
    return torch.cat(found)


def codec_bits_per_dim(images: Tensor, codec: str) -> Tensor:
    """Bits per dimension of a lossless codec, one picture a file: uint8 (N, C, H, W) -> (N,) float64.

    codec: "png" (Pillow's optimize) or "webp" (lossless, method 6, quality 100: the slowest and smallest).

    >>> from glowlite.data import faces
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
    """A small convolutional network that reads attributes off pictures, in standard deviations.

    uint8 (B, 3, size, size) -> (B, attributes).

    >>> from glowlite.data import faces
    >>> AttributeMeter(["smile", "beard"])(faces.draw(4, size=32).images).shape
    torch.Size([4, 2])
    """

    def __init__(self, names: list[str], channels: int = 3, width: int = 24):
        super().__init__()
        self.names = names
        layers = []
        for out in (width, 2 * width, 4 * width, 6 * width):
            layers += [nn.Conv2d(channels, out, 3, stride=2, padding=1), nn.BatchNorm2d(out), nn.ReLU()]
            channels = out
        self.body = nn.Sequential(*layers)
        self.head = nn.LazyLinear(len(names))

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.body(images.float() / 128 - 1).flatten(1))

    @torch.no_grad()
    def read(self, images: Tensor) -> Tensor:
        """Readings without gradients, a few hundred pictures at a time."""
        return torch.cat([self(part) for part in images.split(512)])

    @torch.no_grad()
    def features(self, images: Tensor) -> Tensor:
        """Means of the last feature maps, (B, 6 width)."""
        return torch.cat([self.body(part.float() / 128 - 1).mean((2, 3)) for part in images.split(512)])

    def explained(self, pictures: Labelled) -> dict[str, float]:
        """R2 of each attribute: the share of its variance that the readings explain."""
        wanted = torch.stack([pictures.attributes[name] for name in self.names], 1)
        left = (self.read(pictures.images) - wanted).square().mean(0) / wanted.var(0, correction=0)
        return dict(zip(self.names, (1 - left).tolist(), strict=True))


def train_meter(
    pictures: Labelled, epochs: int = 14, seed: int = 0, watch: Callable[[Iterable], Iterable] = iter
) -> AttributeMeter:
    """Train a meter on labelled pictures, with noise added so that it looks at shapes and not at grain.

    Where the pictures may be mirrored, half of every batch is. Returns the meter in eval mode. The same seed and number
    of threads give the same meter. Takes minutes; `watch` wraps the epochs, as tqdm does, to show the progress.
    """
    images, wanted = pictures.images, torch.stack(list(pictures.attributes.values()), 1)
    signs = torch.tensor([-1.0 if name in (pictures.mirrored or ()) else 1.0 for name in pictures.attributes])
    batch = min(128, len(images))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        meter = AttributeMeter(list(pictures.attributes), images.shape[1])
        meter.eval()(images[:2])  # lets the last layer find its size
        meter.train().to(memory_format=torch.channels_last)
        optimiser = torch.optim.AdamW(meter.parameters(), 3e-3, weight_decay=5e-2)
        steps = epochs * (len(images) // batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps, pct_start=0.1)
        for _ in watch(range(epochs)):
            for places in torch.randperm(len(images))[: len(images) // batch * batch].split(batch):
                shown, truth = images[places], wanted[places]
                if pictures.mirrored is not None:
                    turned = torch.rand(batch) < 0.5
                    shown = torch.where(turned.view(-1, 1, 1, 1), shown.flip(3), shown)
                    truth = torch.where(turned.view(-1, 1), truth * signs, truth)
                noise = torch.randn(shown.shape) * 8 * torch.rand(batch, 1, 1, 1)
                shown = (shown + noise).contiguous(memory_format=torch.channels_last)
                loss = F.smooth_l1_loss(meter(shown), truth, beta=0.3)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
    return meter.eval()


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Frechet distance between the Gaussians with the means and covariances of two sets of features, (N, F) each.

    |mean_a - mean_b|^2 + tr(A + B - 2 (A B)^(1/2)), computed in float64. With the features of an Inception network
    this is FID (Heusel et al. 2017, section 2); those of a meter give numbers that compare only among themselves.

    >>> a = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    >>> round(frechet_distance(a, a + 3), 6), round(frechet_distance(a, 2 * a - 1), 6)
    (18.0, 2.666667)
    """
    a, b = a.cpu().double(), b.cpu().double()
    A, B = a.T.cov(), b.T.cov()
    values, vectors = torch.linalg.eigh(A)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    both = torch.linalg.eigvalsh(root @ B @ root).clamp(min=0).sqrt().sum()  # tr (A B)^(1/2)
    return ((a.mean(0) - b.mean(0)).square().sum() + A.trace() + B.trace() - 2 * both).item()


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
