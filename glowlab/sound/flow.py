"""A small Glow of notes, its directions, and its trained state.

How a note is written decides what a straight line in latent space can do. So the first layers of the flow, its *form*,
are to choose from:

- "wave"      16 samples, one period of the middle pitch, become 16 channels of a frame
- "spectrum"  each frame's Fourier coefficients, a fixed rotation of its channels
- "turns"     each coefficient as log of its length, and by how much its angle turned since the frame before
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from glowlab.sound.notes import ATTRIBUTES, LENGTH
from glowlite import pixels
from glowlite.errors import GlowliteError
from glowlite.files import write_atomically
from glowlite.flows import ActNorm, Chain, Coupling, InvertibleConv1x1, Split, TopPrior
from glowlite.flows.base import Flow, no_change, sum_features
from glowlite.flows.mixing import Mixing
from glowlite.flows.multiscale import standard_normal_log_prob
from glowlite.folders import ASSETS

FRAME = 16  # samples
FORMS = ("wave", "spectrum", "turns")
FILE = ASSETS / "notes" / "notes.safetensors"

# ---- layers ---------------------------------------------------------------------------------------------------------


class Frames(Flow):
    """A row of samples as frames: (B, 1, 1, T * FRAME) -> (B, FRAME, 1, T). A squeeze along time; log-det 0."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.reshape(len(x), 1, -1, FRAME).permute(0, 3, 1, 2), no_change(x)

    def inverse(self, z: Tensor) -> Tensor:
        return z.permute(0, 2, 3, 1).reshape(len(z), 1, 1, -1)


class Spectrum(Mixing):
    """The Fourier transform of each frame: a 1x1 convolution that is not learned, and a rotation, so log-det 0.

    Channels: the mean, the fastest change, then cosine and sine of each harmonic of CENTRE.
    """

    def __init__(self):
        super().__init__()
        angle = 2 * math.pi * torch.arange(FRAME, dtype=torch.float64) / FRAME
        rows = [torch.ones_like(angle) / math.sqrt(2), torch.cos(angle * FRAME / 2) / math.sqrt(2)]
        for k in range(1, FRAME // 2):
            rows += [torch.cos(k * angle), -torch.sin(k * angle)]
        self.register_buffer("rotation", (torch.stack(rows) * math.sqrt(2 / FRAME)).float(), persistent=False)

    def matrix(self) -> Tensor:
        return self.rotation

    def inverse_matrix(self) -> Tensor:
        return self.rotation.T

    def log_abs_det(self) -> Tensor:
        return self.rotation.new_zeros(())


class Turns(Flow):
    """(cosine, sine) of each harmonic -> (log of its length r, how far its angle turned since the last frame).

    A harmonic at exactly CENTRE does not turn from frame to frame; one that is sharper by a share p turns by 2 pi k p.
    The area r dr d(angle) gives log_det = -2 sum(log r). Differences of angles, modulo a full turn, keep volumes.
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        cosine, sine = x[:, 2::2], x[:, 3::2]
        log_r = (cosine.square() + sine.square()).clamp_min(1e-12).log() / 2
        angle = torch.atan2(sine, cosine)
        turn = torch.cat([angle[..., :1], angle.diff(dim=-1)], -1)
        turn = torch.remainder(turn + math.pi, 2 * math.pi) - math.pi
        return torch.cat([x[:, :2], log_r, turn], 1), -2 * sum_features(log_r)

    def inverse(self, z: Tensor) -> Tensor:
        log_r, turn = z[:, 2:].chunk(2, 1)
        r, angle = log_r.exp(), turn.cumsum(-1)
        pairs = torch.stack([r * angle.cos(), r * angle.sin()], 2)
        return torch.cat([z[:, :2], pairs.flatten(1, 2)], 1)


class Haar(Flow):
    """Two frames -> their sum and their difference, over sqrt 2: (B, C, 1, T) -> (B, 2C, 1, T / 2). A rotation."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        a, b = x[..., ::2], x[..., 1::2]
        return torch.cat([a + b, a - b], 1) / math.sqrt(2), no_change(x)

    def inverse(self, z: Tensor) -> Tensor:
        total, difference = z.chunk(2, 1)
        return torch.stack([total + difference, total - difference], -1).flatten(-2) / math.sqrt(2)


def step(channels: int, width: int, swap: bool, kind: str) -> Chain:
    """ActNorm, 1x1 convolution, coupling, with a network along time. The convolution starts as I, or swaps halves."""
    mixing, coupling = InvertibleConv1x1(channels), Coupling(channels, 1, kind, edge=False)
    mixing.weight.data = torch.eye(channels).roll(channels // 2 if swap else 0, 0)
    coupling.network = nn.Sequential(
        nn.Conv2d(channels // 2, width, (1, 3), padding=(0, 1)), nn.ReLU(),
        nn.Conv2d(width, width, 1), nn.ReLU(),
        nn.Conv2d(width, channels if kind == "affine" else channels // 2, (1, 3), padding=(0, 1)),
    )  # fmt: skip
    for weight in coupling.network[-1].parameters():
        nn.init.zeros_(weight)
    return Chain(ActNorm(channels), mixing, coupling)


class NoteFlow(nn.Module):
    """A Glow of notes: its form, then levels that halve time; differences leave, sums stay.

    Couplings are additive, as for the paper's faces: an affine one's scale depends on the note, and so then does how
    far a slider moves it.

    forward(x) -> (latents, log_det), inverse(latents) -> x, as `Glow`; encode, decode and bits take uint8 notes.
    """

    def __init__(self, form="turns", coupling="additive", depth=3, width=48, levels=7, seed=0):
        super().__init__()
        if form not in FORMS:
            raise GlowliteError(f"unknown form {form!r}: choose one of {', '.join(FORMS)}")
        self.settings = {
            "form": form,
            "coupling": coupling,
            "depth": depth,
            "width": width,
            "levels": levels,
            "seed": seed,
        }
        self.form = Chain(*(Frames(), Spectrum(), Turns())[: FORMS.index(form) + 1])
        self.levels, self.splits = nn.ModuleList(), nn.ModuleList()
        channels, last = 2 * FRAME, levels - 1
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for level in range(levels):
                steps = (step(channels, width, number > 0, coupling) for number in range(depth))
                self.levels.append(Chain(Haar(), *steps))
                top = (channels, 1, LENGTH // FRAME >> levels)
                self.splits.append(TopPrior(top) if level == last else Split(channels, edge=False))

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        x, total = self.form(x)
        latents = []
        for level, split in zip(self.levels, self.splits, strict=True):
            x, log_det = level(x)
            x, eps, log_det_split = split(x)
            latents.append(eps)
            total = total + log_det + log_det_split
        return latents, total

    def inverse(self, latents: Sequence[Tensor]) -> Tensor:
        x = latents[-1][:, :0]
        for level, split, eps in zip(reversed(self.levels), reversed(self.splits), reversed(latents), strict=True):
            x = level.inverse(split.inverse(x, eps))
        return self.form.inverse(x)

    @torch.no_grad()
    def encode(self, notes: Tensor) -> list[Tensor]:
        """uint8 notes -> latents, one tensor for each level."""
        return self(pixels.to_float(notes))[0]

    @torch.no_grad()
    def decode(self, latents: Sequence[Tensor]) -> Tensor:
        """Latents -> uint8 notes."""
        return pixels.to_uint8(self.inverse(latents))

    def bits(self, notes: Tensor, generator: torch.Generator) -> Tensor:
        """Bits for each sample, (B,), of uint8 notes with fresh noise: a bound, as for pictures."""
        latents, log_det = self(pixels.dequantize(notes, generator=generator))
        log_prob = sum(standard_normal_log_prob(eps) for eps in latents) + log_det - pixels.log_bins(LENGTH, 8)
        return pixels.bits_per_dim(log_prob, LENGTH)


# ---- directions, and the trained state ------------------------------------------------------------------------------


def find_directions(latents: Sequence[Tensor], attributes: Tensor, sure: float = 4.0) -> list[Tensor]:
    """By how much each latent moves for each attribute from 0 to 1: a list of (4, C, 1, T), one for each level.

    Least squares on the attributes. What is smaller than `sure` standard errors could be chance, and becomes 0.
    """
    known = attributes - attributes.mean(0)
    inverse = torch.linalg.inv(known.T @ known)
    found = []
    for eps in latents:
        flat = eps.flatten(1) - eps.flatten(1).mean(0)
        slope = inverse @ known.T @ flat  # (4, D)
        spread = (flat - known @ slope).square().mean(0).sqrt()
        error = inverse.diagonal().sqrt()[:, None] * spread
        found.append((slope * (slope.abs() > sure * error)).view(-1, *eps.shape[1:]))
    return found


def move(latents: Sequence[Tensor], directions: Sequence[Tensor], name: str, amount: float) -> list[Tensor]:
    """Latents moved by `amount` along the direction of one of ATTRIBUTES."""
    which = ATTRIBUTES.index(name)
    return [eps + amount * direction[which] for eps, direction in zip(latents, directions, strict=True)]


def halved(model: NoteFlow) -> NoteFlow:
    """The model with its weights rounded to half precision, as they are stored; it computes in float32 all the same."""
    state = {key: value.half() if value.is_floating_point() else value for key, value in model.state_dict().items()}
    model.load_state_dict(state)  # copied into float32
    return model


def save(model: NoteFlow, directions: Sequence[Tensor], card: dict, path: Path = FILE) -> None:
    """Weights of half precision, and directions, in one file of safetensors; beside it the card, as JSON."""
    tensors = {f"model.{key}": value.half() if value.is_floating_point() else value
               for key, value in model.state_dict().items()}  # fmt: skip
    tensors |= {f"direction.{level}": direction for level, direction in enumerate(directions)}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, safetensors.torch.save(tensors))
    write_atomically(path.with_suffix(".json"), (json.dumps(card, indent=1) + "\n").encode())


def load(path: Path = FILE) -> tuple[NoteFlow, list[Tensor]]:
    """The trained model, in evaluation mode, and its directions. GlowliteError if they are not there."""
    try:
        card = json.loads(path.with_suffix(".json").read_text())
        tensors = safetensors.torch.load(path.read_bytes())
    except (OSError, ValueError):
        raise GlowliteError(f"no trained notes in {path}: `python -m benchmarks.notes --train` makes them") from None
    model = NoteFlow(**card["model"])
    state = {key.removeprefix("model."): value for key, value in tensors.items() if key.startswith("model.")}
    model.load_state_dict(state)
    levels = range(len(model.levels))
    return model.eval(), [tensors[f"direction.{level}"].float() for level in levels]
