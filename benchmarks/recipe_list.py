"""The recipes that `benchmarks.recipes` tries: changes of settings, and of names in modules."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glowlite import checkpoint, glow, pixels
from glowlite.flows import Chain, coupling
from glowlite.flows.mixing import make_mixing
from glowlite.glow import Glow
from glowlite.training import loop, optimizers

FIRST = "adamax"  # the recipe that all others are compared with
SIGMA = 0.02  # of noise that is added to pictures, where black to white is 1


class Residual(coupling.CouplingNetwork):
    """The hidden layer is added to the one before it."""

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.first(x))
        return self.last(h + F.relu(self.second(h)))


class Gated(coupling.CouplingNetwork):
    """The hidden layer gates itself, and is added to the one before it."""

    def __init__(self, c_in: int, width: int, c_out: int, edge=True):
        super().__init__(c_in, width, c_out, edge)
        self.second = coupling.NormedConv2d(width, 2 * width, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.first(x))
        value, gate = self.second(h).chunk(2, 1)
        return self.last(h + value * torch.sigmoid(gate))


class Silu(coupling.CouplingNetwork):
    """SiLU in the place of ReLU."""

    def forward(self, x: Tensor) -> Tensor:
        return self.last(F.silu(self.second(F.silu(self.first(x)))))


class MixedLevel(glow.Level):
    """One more mixing between the last coupling and the split: both move the second half given the first."""

    def __init__(self, shape, depth, width, last, config, *checkerboard):
        super().__init__(shape, depth, width, last, config, *checkerboard)
        if not last:
            self.steps = Chain(*self.steps.flows, make_mixing(config.permutation, 4 * shape[0]))


class Variational(Glow):
    """A network that has seen the picture moves and stretches the noise within each pixel's bin.

    With u' = g(u; picture), log P(picture) >= E[log p(picture + u') + log |du'/du|] (Ho et al. 2019, "Flow++",
    section 3.1; here g is logistic-affine for each value).
    """

    def __init__(self, config):
        super().__init__(config)
        channels = config.shape[0]
        self.noise = nn.Sequential(
            nn.Conv2d(channels, 32, 3, padding=1), nn.ReLU(), coupling.ZeroConv2d(32, 2 * channels)
        )

    def log_density(self, x: Tensor) -> Tensor:
        bins = 2**self.config.n_bits
        pixel = torch.floor((x + 0.5) * bins)  # (B, C, H, W)
        log_s, t = self.noise((pixel + 0.5) / bins - 0.5).chunk(2, 1)
        h = torch.logit((x + 0.5) * bins - pixel, eps=1e-4)
        moved = h * log_s.exp() + t
        log_det = log_s + log_slope(moved) - log_slope(h)
        return super().log_density((pixel + torch.sigmoid(moved)) / bins - 0.5) + log_det.flatten(1).sum(1)


def log_slope(h: Tensor) -> Tensor:
    """log of the derivative of sigmoid(h)."""
    return F.logsigmoid(h) + F.logsigmoid(-h)


exact = pixels.dequantize


def add_noise(images: Tensor, n_bits: int = 8, generator: torch.Generator | None = None, *place) -> Tensor:
    """Dequantised pictures with Gaussian noise of SIGMA on top."""
    device = images.device if generator is None else generator.device
    noise = torch.randn(images.shape, generator=generator, device=device).to(images.device)
    return exact(images, n_bits, generator, *place) + SIGMA * noise


@torch.enable_grad()
def denoise(model: Glow, x: Tensor) -> Tensor:
    """x + SIGMA^2 grad log p(x): the mean of what a noisy picture was (Tweedie's formula; Zhai et al. 2024)."""
    x = x.requires_grad_()
    (slope,) = torch.autograd.grad(model.log_density(x).sum(), x)
    return (x + SIGMA**2 * slope).detach()


@dataclass(frozen=True)
class Recipe:
    """The changes of a recipe to the first one: settings of the model and the training, and names in modules."""

    words: str
    model: dict = field(default_factory=dict)
    train: dict = field(default_factory=dict)
    patches: tuple = ()  # (module, name, value)
    comparable: bool = True  # whether its bits per dimension are of the same pictures as the first recipe's
    finish: Callable[[Glow, Tensor], Tensor] = lambda model, x: x  # what is done to samples

    def over(self, other: "Recipe") -> "Recipe":
        """These changes on top of another recipe's."""
        model, train, patches = other.model | self.model, other.train | self.train, other.patches + self.patches
        return replace(self, model=model, train=train, patches=patches)

    def applied(self) -> ExitStack:
        """A context in which the names in modules are changed."""
        stack = ExitStack()
        for module, name, value in self.patches:
            stack.enter_context(mock.patch.object(module, name, value))
        return stack


NETWORK = "CouplingNetwork"
MUON = Recipe("Muon for hidden convolutions, Adam for the rest", train={"optimizer": "muon"})
NOW = Recipe("bfloat16 in the couplings' networks", train={"precision": "bf16"}).over(MUON)
CHANGES = {  # each on top of Muon with bfloat16
    "half steps": Recipe("Muon's steps half as long", patches=((optimizers, "MUON_RATE", 1.5),)),
    "double steps": Recipe("Muon's steps twice as long", patches=((optimizers, "MUON_RATE", 6.0),)),
    "mixed": Recipe("a mixing before the split", patches=((glow, "Level", MixedLevel),)),
    "scale 1.5": Recipe("log s up to 1.5, not 0.7", patches=((coupling, "SCALE_BOUND", 1.5),)),
    "residual": Recipe("a residual network", patches=((coupling, NETWORK, Residual),)),
    "gated": Recipe("a gated residual network", patches=((coupling, NETWORK, Gated),)),
    "silu": Recipe("SiLU for ReLU", patches=((coupling, NETWORK, Silu),)),
    "clamp": Recipe("the network sees at most 5", model={"clamp": 5.0}),
    "batch 16": Recipe("batches of 16", train={"batch": 16}),
    "batch 64": Recipe("batches of 64", train={"batch": 64}),
    "rate x2": Recipe("learning rate 4e-3", train={"lr": 4e-3}),
    "long fall": Recipe("the rate falls over the last 80 %, not 30 %", train={"decay": 0.8}),
    "8 6 8": Recipe("8 steps at level 1, not 4", model={"depth": (8, 6, 8)}),
    "12 6 6": Recipe("12, 6, 6 steps", model={"depth": (12, 6, 6)}),
    "8 8 8 narrow": Recipe("8, 8, 8 steps of width 48, 64, 96", model={"depth": (8, 8, 8), "width": (48, 64, 96)}),
    "12 8 6 narrow": Recipe("12, 8, 6 steps of width 48, 64, 96", model={"depth": (12, 8, 6), "width": (48, 64, 96)}),
    "3 4 4 wide": Recipe("3, 4, 4 steps of width 96, 160, 224", model={"depth": (3, 4, 4), "width": (96, 160, 224)}),
    "variational": Recipe(
        "variational dequantisation",
        patches=tuple((module, "Glow", Variational) for module in (glow, loop, checkpoint)),
    ),
    "5 bits": Recipe("pictures of 5 bits", model={"n_bits": 5}, comparable=False),
    "noise": Recipe(
        f"noise of {SIGMA} on pictures, one denoising step for samples",
        patches=((pixels, "dequantize", add_noise),),
        comparable=False,
        finish=denoise,
    ),
    "faces64": Recipe(
        "faces64 today: Muon, bfloat16, more steps at level 1, a clamp",
        model={"depth": (12, 6, 6), "clamp": 5.0},
        train={"ema": 20_000},
    ),
}
RECIPES = {
    FIRST: Recipe("faces64's recipe of 2026-11-22: Adamax", train={"optimizer": "adamax"}),
    "adam": Recipe("Adam", train={"optimizer": "adamw"}),
    "adam x2": Recipe("Adam, learning rate 4e-3", train={"optimizer": "adamw", "lr": 4e-3}),
    "muon": MUON,
    "muon bf16": NOW,
} | {f"muon bf16, {name}": change.over(NOW) for name, change in CHANGES.items()}
