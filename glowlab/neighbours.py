"""A small autoregressive model and a small VAE of pictures, to set beside a flow (notebook 15).

Both give a probability to pictures of n bits: uint8 (B, 3, H, W), of which the first n bits of each value count.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glowlab.records import read_record
from glowlite import checkpoint, pixels
from glowlite.folders import ASSETS
from glowlite.glow import Glow, GlowConfig

WEIGHTS = ASSETS / "runs" / "neighbours.safetensors"
KIND = "glowlite neighbours"
N_BITS = 5
LEVELS = 2**N_BITS  # values of a pixel
SMALL = GlowConfig((3, 16, 16), levels=2, depth=8, width=48, n_bits=N_BITS, clamp=5.0)  # the flow beside them


def values_of(images: Tensor) -> Tensor:
    """uint8 pictures -> whole numbers from 0 to LEVELS - 1, int64."""
    pixels.check_images(images)
    return (images >> (8 - N_BITS)).long()


def pictures_of(values: Tensor) -> Tensor:
    """The reverse of `values_of`, spread over 0..255: uint8."""
    return (values * (255 / (LEVELS - 1))).round().to(torch.uint8)


def to_float(values: Tensor) -> Tensor:
    """Values as a network sees them, from -1 to 1."""
    return 2 * values / (LEVELS - 1) - 1


class MaskedConv2d(nn.Conv2d):
    """A convolution that sees only the pixels before each one, in reading order; and, if asked, that one, too."""

    def __init__(self, c_in: int, c_out: int, kernel: int, itself: bool = True):
        super().__init__(c_in, c_out, kernel, padding=kernel // 2)
        mask = torch.ones(kernel, kernel)
        mask[kernel // 2, kernel // 2 + itself :] = 0
        mask[kernel // 2 + 1 :] = 0
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)


class PixelCNN(nn.Module):
    """P(picture) = product of P(value | all values before it): pixels in reading order, then red, green, blue.

    After van den Oord et al. 2016, sections 2 and 3.4, with one head for each colour. The network of all pixels runs
    once for a likelihood, and once for each pixel of a sample.
    """

    def __init__(self, width: int = 48, blocks: int = 4):
        super().__init__()
        self.first = MaskedConv2d(5, width, 7, itself=False)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.ReLU(), MaskedConv2d(width, width, 3), nn.ReLU(), nn.Conv2d(width, width, 1))
            for _ in range(blocks)
        )
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width + seen, width, 1), nn.ReLU(), nn.Conv2d(width, LEVELS, 1))
            for seen in range(3)
        )
        self.reach = 3 + blocks  # how far away a pixel can be and still matter

    def context(self, seen: Tensor) -> Tensor:
        """What is known at each pixel of those before it: (B, 5, H, W) -> (B, width, H, W)."""
        h = self.first(seen)
        for block in self.blocks:
            h = h + block(h)
        return h

    def inputs(self, x: Tensor) -> Tensor:
        """Colours from -1 to 1, and where each pixel is: (B, 3, H, W) -> (B, 5, H, W)."""
        rows, columns = (torch.linspace(-1, 1, size, device=x.device) for size in x.shape[2:])
        places = torch.stack(torch.meshgrid(rows, columns, indexing="ij")).expand(len(x), -1, -1, -1)
        return torch.cat([x, places], 1)

    def log_probs(self, context: Tensor, x: Tensor, colour: int) -> Tensor:
        """log P of each value of one colour, (B, LEVELS, H, W), from the pixels before it and the colours before it."""
        return self.heads[colour](torch.cat([context, x[:, :colour]], 1)).log_softmax(1)

    def log_prob(self, images: Tensor) -> Tensor:
        """log P(picture) in nats, (B,): one pass."""
        values = values_of(images)
        x = to_float(values)
        context = self.context(self.inputs(x))
        said = [self.log_probs(context, x, c).gather(1, values[:, c : c + 1]) for c in range(3)]
        return torch.cat(said, 1).sum((1, 2, 3))

    @torch.no_grad()
    def encode(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The noise from which `decode` draws these pictures, uniform in (0, 1): one pass.

        Each value stands for an interval of noise, as long as its probability; a random point of it is taken.
        """
        values = values_of(images)
        x = to_float(values)
        context, found = self.context(self.inputs(x)), []
        for c in range(3):
            p = self.log_probs(context, x, c).exp()
            mine = p.gather(1, values[:, c : c + 1])
            below = p.cumsum(1).gather(1, values[:, c : c + 1]) - mine
            found.append(below + mine * torch.rand(mine.shape, generator=generator))
        return torch.cat(found, 1)

    @torch.no_grad()
    def decode(self, noise: Tensor, given: Tensor | None = None, rows: int = 0) -> Tensor:
        """Pictures from noise in (0, 1), (B, 3, H, W) -> uint8: pixel after pixel, as each needs those before it.

        given, rows: pictures whose first rows are kept. Only pixels within reach of the next one are computed.
        """
        x = -torch.ones_like(noise) if given is None else to_float(values_of(given))
        height, width = noise.shape[2:]
        for i in range(rows, height):
            for j in range(width):
                top, left = max(0, i - self.reach), max(0, j - self.reach)
                near = self.inputs(x)[:, :, top : i + 1, left : j + self.reach + 1]
                here = self.context(near)[:, :, i - top, j - left, None, None]
                pixel = x[:, :, i : i + 1, j : j + 1]  # a view: what is written there is in x
                for c in range(3):
                    below = self.log_probs(here, pixel, c).exp().cumsum(1)
                    value = (below < noise[:, c : c + 1, i : i + 1, j : j + 1]).sum(1).clamp(max=LEVELS - 1)
                    pixel[:, c] = to_float(value)
        return pictures_of(((x + 1) / 2 * (LEVELS - 1)).round().long())

    def sample(self, n: int, side: int, generator: torch.Generator) -> Tensor:
        """n new pictures, uint8 (n, 3, side, side)."""
        return self.decode(torch.rand(n, 3, side, side, generator=generator))


class VAE(nn.Module):
    """z ~ N(0, I); given z, all values are independent. (Kingma & Welling 2013; for pictures of 16 x 16.)

    An encoder guesses z from a picture, as a normal with a mean and a width for each of its numbers.
    """

    def __init__(self, latents: int = 32, width: int = 32):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(2 * width, 2 * width, 4, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(32 * width, 2 * latents),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Linear(latents, 32 * width), nn.ReLU(), nn.Unflatten(1, (2 * width, 4, 4)),
            nn.ConvTranspose2d(2 * width, 2 * width, 4, stride=2, padding=1), nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(width, 3 * LEVELS, 3, padding=1),
        )  # fmt: skip

    def guess(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-width of z, (B, latents) each."""
        return self.encoder(to_float(values_of(images))).chunk(2, 1)

    def log_values(self, z: Tensor) -> Tensor:
        """log P of each value at each pixel: (B, LEVELS, 3, H, W)."""
        return self.decoder(z).unflatten(1, (LEVELS, 3)).log_softmax(1)

    def terms(self, images: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """log P(picture | z), log p(z), log q(z | picture) at one z from the encoder's guess: (B,) each, in nats."""
        mean, log_width = self.guess(images)
        noise = torch.randn(mean.shape, generator=generator)
        z = mean + noise * log_width.exp()
        said = self.log_values(z).gather(1, values_of(images)[:, None])
        constant = -0.5 * math.log(2 * math.pi)
        prior = (constant - z.square() / 2).sum(1)
        guessed = (constant - noise.square() / 2 - log_width).sum(1)
        return said.sum((1, 2, 3, 4)), prior, guessed

    def log_prob(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The lower bound of log P(picture) with one z, (B,), in nats (the ELBO)."""
        said, prior, guessed = self.terms(images, generator)
        return said + prior - guessed

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """At each pixel the likeliest value: (B, latents) -> uint8 (B, 3, H, W)."""
        return pictures_of(self.log_values(z).argmax(1))

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """n new pictures, uint8; every value is drawn from what the decoder says of it."""
        latents = self.decoder[0].in_features
        p = self.log_values(torch.randn(n, latents, generator=generator)).exp()  # (n, LEVELS, 3, H, W)
        drawn = torch.rand(n, 1, *p.shape[2:], generator=generator)
        return pictures_of((p.cumsum(1) < drawn).sum(1).clamp(max=LEVELS - 1))


MODELS = {"flow": lambda: Glow(SMALL), "autoregressive": PixelCNN, "vae": VAE}


def build(name: str, tensors: dict[str, Tensor]) -> nn.Module:
    """The model of that name, in eval mode, from the tensors of all three, kept as float16."""
    model = MODELS[name]().eval()
    mine = {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}
    model.load_state_dict({key: v.float() if v.is_floating_point() else v for key, v in mine.items()})
    return model


def load_neighbours() -> dict[str, nn.Module]:
    """The three models that `python -m benchmarks.neighbours` trained on drawn faces. GlowliteError if it did not."""
    tensors, _ = checkpoint.read_state(WEIGHTS)
    return {name: build(name, tensors) for name in MODELS}


def load_record() -> dict:
    """What `python -m benchmarks.neighbours` measured of them."""
    return read_record(WEIGHTS.with_suffix(".json"), KIND, "benchmarks.neighbours")
