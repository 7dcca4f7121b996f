"""Glow: the configuration with its presets, one step of flow, and the whole multi-scale model.

x -> [squeeze -> K steps -> split] x (L - 1) -> squeeze -> K steps -> top prior      (Kingma & Dhariwal 2018, figure 2)
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import torch
from torch import Tensor, nn

from glowlite import latents as latent_space
from glowlite import pixels
from glowlite.errors import GlowliteError
from glowlite.flows import ActNorm, Chain, CheckerboardCoupling, Coupling, Split, Squeeze, TopPrior, reversible
from glowlite.flows.base import full_float32, no_change, to_float64
from glowlite.flows.mixing import make_mixing
from glowlite.flows.multiscale import standard_normal_log_prob

SEVERAL = ("shape", "depth", "width", "checkerboard")  # settings that may be several numbers


@dataclass(frozen=True)
class GlowConfig:
    """The configuration of a Glow. `depth` (K), `width` and `checkerboard` are one number, or one for each level.

    >>> GlowConfig((3, 32, 32), levels=3, depth=4).per_level("depth")
    (4, 4, 4)
    """

    shape: tuple[int, int, int] = (3, 64, 64)  # C, H, W
    levels: int = 4  # L
    depth: int | tuple[int, ...] = 8  # K, steps of flow per level
    width: int | tuple[int, ...] = 64  # channels inside the coupling's network
    coupling: str = "affine"  # or "additive"
    scale: str = "bounded"  # or "sigmoid", the paper's, which can shrink to nothing
    permutation: str = "lu"  # or "plain", "shuffle", "reverse"
    n_bits: int = 8  # what the likelihood counts; encode and decode keep all 8 whatever this is
    clamp: float = 0.0  # limit of what a coupling's network sees, in standard deviations; 0 for none
    edge: bool = False  # the paper's extra channel that marks padding
    checkerboard: int | tuple[int, ...] = 0  # RealNVP's couplings of pixels, before a level's squeeze
    seed: int = 0  # of the first weights

    def __post_init__(self):
        for each in fields(self):
            value = getattr(self, each.name)
            value = tuple(value) if isinstance(value, list) else value
            object.__setattr__(self, each.name, value)
            parts = value if isinstance(value, tuple) and each.name in SEVERAL else (value,)
            kind = int if each.name == "shape" else type(each.default)
            if not all(type(part) in ((int, float) if kind is float else (kind,)) for part in parts):
                raise GlowliteError(f"{each.name} is made of {kind.__name__} alone, not {value!r}")
        pixels.check_bits(self.n_bits)
        if not 0 <= self.clamp < math.inf:
            raise GlowliteError(f"clamp must be a limit above 0, or 0 for none, not {self.clamp}")
        if (
            not isinstance(self.shape, tuple)
            or len(self.shape) != 3
            or not (1 <= min(self.shape) <= max(self.shape) <= 2**16 and 1 <= self.levels <= 16)
        ):
            raise GlowliteError(
                f"a shape is (C, H, W), each at most 65,536, and levels at least 1 and at most 16, not {self.shape} "
                f"and {self.levels}"
            )
        channels, height, width = self.shape
        side = 2**self.levels
        if height % side or width % side:
            raise GlowliteError(
                f"{height} x {width} pixels cannot be halved {self.levels} times: height and width must be multiples "
                f"of {side}; crop the pictures or use fewer levels"
            )
        for name, least in (("depth", 0), ("width", 1), ("checkerboard", 0)):
            if not least <= min(self.per_level(name)) <= max(self.per_level(name)) <= 2**16:
                raise GlowliteError(
                    f"{name} must be at least {least} and at most 65,536 at every level, not {getattr(self, name)}"
                )
        if not all(map(sum, zip(self.per_level("depth"), self.per_level("checkerboard"), strict=True))):
            raise GlowliteError(f"every level needs a step of flow: depth is {self.depth} and checkerboard 0")

    def per_level(self, name: str) -> tuple[int, ...]:
        """`depth`, `width` or `checkerboard` as one number for each level."""
        value = getattr(self, name)
        value = (value,) * self.levels if isinstance(value, int) else value
        if len(value) != self.levels:
            raise GlowliteError(f"{name} {value} must be one number, or one for each of the {self.levels} levels")
        return value

    def to_dict(self) -> dict:
        """Plain numbers, strings and lists, for JSON."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: dict) -> "GlowConfig":
        """The reverse of `to_dict`; GlowliteError names a key that is not known."""
        if unknown := set(values) - {field.name for field in fields(cls)}:
            raise GlowliteError(f"unknown setting {', '.join(sorted(unknown))} in a Glow's configuration")
        return cls(**values)


def _paper(shape, levels, depth, coupling="affine", n_bits=8) -> GlowConfig:
    """The paper's settings (table 5 of its appendix, and the published code's defaults)."""
    return GlowConfig(shape, levels, depth, 512, coupling, "sigmoid", "lu", n_bits, edge=True)


PRESETS = {
    "tiny": GlowConfig((3, 16, 16), levels=2, depth=2, width=16),
    "mnist": GlowConfig((1, 28, 28), levels=2, depth=8, width=64),
    "faces32": GlowConfig((3, 32, 32), levels=3, depth=8, width=64),
    "faces64": GlowConfig((3, 64, 64), levels=4, depth=(12, 6, 6, 8), width=(64, 96, 128, 160), clamp=5.0),
    "portraits64": GlowConfig((3, 64, 64), 4, depth=(12, 6, 6, 8), width=(64, 96, 128, 160), n_bits=5, clamp=5.0),
    # Dinh et al. 2016, section 3.6: three couplings of pixels and three of channels a scale, four of pixels at the last
    "realnvp32": GlowConfig((3, 32, 32), 3, (3, 3, 0), permutation="reverse", checkerboard=(3, 3, 4)),
    "cifar10": _paper((3, 32, 32), levels=3, depth=32),
    "imagenet32": _paper((3, 32, 32), levels=3, depth=48),
    "imagenet64": _paper((3, 64, 64), levels=4, depth=48),
    "celebahq256": _paper((3, 256, 256), levels=6, depth=32, coupling="additive", n_bits=5),
}


FAR = 10.0  # standard deviations; latents of pictures like the data stay within
MARGIN = 0.05 / 256  # a tenth of what may be lost before a pixel changes


class FlowStep(Chain):
    """ActNorm, then mixing, then coupling (Kingma & Dhariwal 2018, figure 2a). (B, C, H, W) -> the same shape.

    seen: for a step that couples the pixels of a checkerboard; it needs no mixing, as the colours take turns.
    """

    def __init__(self, channels: int, width: int, config: GlowConfig, seen: int | None = None):
        sizes = channels, width, config.coupling, config.scale, config.edge, config.clamp
        if seen is None:
            super().__init__(ActNorm(channels), make_mixing(config.permutation, channels), Coupling(*sizes))
        else:
            super().__init__(ActNorm(channels), CheckerboardCoupling(*sizes, seen=seen))


class Level(nn.Module):
    """Squeeze, K steps of flow, then half of the channels leave as white eps; at the last level all of them do.

    Where the configuration says so, steps that couple the pixels of a checkerboard come before the squeeze.

    forward(x) -> (stays, eps, log_det): (B, C, H, W) -> (B, 2C, H/2, W/2) twice, or none and (B, 4C, H/2, W/2).
    inverse(stays, eps) -> x. (Kingma & Dhariwal 2018, figure 2b.)

    >>> level = Level((3, 16, 16), depth=2, width=16, last=False, config=PRESETS["tiny"])
    >>> stays, eps, log_det = level(torch.randn(8, 3, 16, 16))
    >>> stays.shape, eps.shape
    (torch.Size([8, 6, 8, 8]), torch.Size([8, 6, 8, 8]))
    """

    def __init__(self, shape, depth: int, width: int, last: bool, config: GlowConfig, checkerboard: int = 0):
        super().__init__()
        C, H, W = shape
        pixelwise = (FlowStep(C, width, config, seen=number % 2) for number in range(checkerboard))
        self.steps = Chain(*pixelwise, Squeeze(), *(FlowStep(4 * C, width, config) for _ in range(depth)))
        self.split = TopPrior((4 * C, H // 2, W // 2)) if last else Split(4 * C, config.edge)
        self.memory = "stored"  # what is kept for gradients: see flows/reversible.py

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        y, log_det = reversible.run(self.steps, x, self.memory)  # (B, 4C, H/2, W/2)
        stays, eps, log_det_split = self.split(y)
        return stays, eps, log_det + log_det_split

    def inverse(self, stays: Tensor, eps: Tensor) -> Tensor:
        return self.steps.inverse(self.split.inverse(stays, eps))


class Glow(nn.Module):
    """The whole flow. `forward` is data to latent; latents are a list of white eps, one (B, C_l, H_l, W_l) a level.

    For a person: `encode`, `decode`, `sample`, `log_prob`, `bits_per_dim`, all on uint8 pictures (B, C, H, W).

    >>> from glowlite.data import faces
    >>> images = faces.draw(8, size=16).images
    >>> model = Glow(PRESETS["tiny"])
    >>> model.initialize(pixels.dequantize(images))
    >>> latents = model.encode(images)
    >>> [tuple(eps.shape) for eps in latents], bool((model.decode(latents) == images).all())
    ([(8, 6, 8, 8), (8, 24, 4, 4)], True)
    >>> model.sample(4).shape, model.bits_per_dim(images).shape
    (torch.Size([4, 3, 16, 16]), torch.Size([8]))
    """

    def __init__(self, config: GlowConfig):
        super().__init__()
        self.config = config
        channels, height, width = config.shape
        self.dims = channels * height * width  # D
        self.levels, self.latent_shapes = nn.ModuleList(), []
        plan = zip(*(config.per_level(name) for name in ("depth", "width", "checkerboard")), strict=True)
        with torch.random.fork_rng(devices=[]):  # the first weights come from config.seed; nothing else is disturbed
            torch.manual_seed(config.seed)
            for level, (depth, hidden, checkerboard) in enumerate(plan, start=1):
                last = level == config.levels
                self.levels.append(Level((channels, height, width), depth, hidden, last, config, checkerboard))
                channels, height, width = (4 if last else 2) * channels, height // 2, width // 2
                self.latent_shapes.append((channels, height, width))  # of eps, and of what stays

    # ---- the bijection ------------------------------------------------------------------------------------------

    def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
        """x (B, C, H, W) in (-0.5, 0.5) -> (eps of every level, log_det (B,) in nats, whitening included)."""
        self.check_shape(x)
        latents, total = [], no_change(x)
        for level in self.levels:
            x, eps, log_det = level(x)  # eps (B, C_l, H_l, W_l)
            latents.append(eps)
            total = total + log_det
        return latents, total

    def inverse(self, latents: Sequence[Tensor]) -> Tensor:
        """eps of every level -> x (B, C, H, W). The latents are not scaled by any temperature.

        Latents of float64 are decoded in float64, by a copy of the model; x has the type of the model.
        """
        self.check_latents(latents)
        model = self
        if latents[0].dtype == torch.float64 and self.dtype != torch.float64:
            model = self.in_float64(latents[0].device)
        x = latents[-1][:, :0]  # nothing stays at the last level
        for level, eps in zip(reversed(model.levels), reversed(latents), strict=True):
            x = level.inverse(x, eps)
        return x.to(self.device, self.dtype)

    def log_density(self, x: Tensor) -> Tensor:
        """log p(x) in nats, (B,): log N(eps; 0, I) over all levels + log_det."""
        latents, log_det = self(x)
        return sum(standard_normal_log_prob(eps) for eps in latents) + log_det

    def initialize(self, x: Tensor) -> None:
        """Set every ActNorm from a batch x (B, C, H, W), best of 256 or more: with too few the loss may become NaN."""
        norms = [module for module in self.modules() if isinstance(module, ActNorm)]
        for norm in norms:
            norm.initialized = False
        was_training = self.training
        with torch.no_grad():
            self.train()(x)
        self.train(was_training)

    # ---- for a person: uint8 in, uint8 out -----------------------------------------------------------------------

    @torch.no_grad()
    @full_float32()
    def encode(self, images: Tensor, batch: int = 128) -> list[Tensor]:
        """uint8 (B, C, H, W) -> latents, `batch` pictures at a time. Deterministic; `decode` gives every pixel back.

        Pictures unlike the data can lie so far out that float32 has too few digits for the way back. So those with a
        latent beyond FAR are decoded at once; where a value is off by more than MARGIN, the picture is encoded in
        float64, and the latents of the whole batch become float64. Keep them so: as float32 they lose pixels again.
        float64 ends, too: a flow without clamp whose latents reach a million can still lose pixels.
        """
        x = pixels.to_float(images).to(self.device, self.dtype)
        latents = latent_space.cat([self(part)[0] for part in x.split(batch)])
        lost = self._find_lost(x, latents, batch)
        if self.dtype == torch.float64 or len(lost) == 0:
            return latents
        x, latents = to_float64(x[lost]), [to_float64(eps) for eps in latents]  # on the CPU for Apple's GPUs
        model = self.in_float64(x.device)
        exact = latent_space.cat([model(part)[0] for part in x.split(batch)])
        return [eps.index_copy(0, lost.to(x.device), better) for eps, better in zip(latents, exact, strict=True)]

    def _find_lost(self, x: Tensor, latents: list[Tensor], batch: int) -> Tensor:
        """The numbers of the pictures beyond FAR that these latents do not give back within MARGIN."""
        lost = []
        far = ~(latent_space.flatten(latents).abs().amax(1) <= FAR)  # NaN is far, too
        for which in far.nonzero()[:, 0].split(batch) if far.any() else ():
            error = (self.inverse([eps[which] for eps in latents]) - x[which]).abs().flatten(1).amax(1)
            lost.append(which[~(error <= MARGIN)])
        return torch.cat(lost) if lost else far.new_zeros(0, dtype=torch.long)

    def in_float64(self, device: torch.device) -> "Glow":
        """A copy that computes in float64 on a device that has it."""
        return copy.deepcopy(self).to(device).double()

    @torch.no_grad()
    @full_float32()
    def decode(self, latents: Sequence[Tensor]) -> Tensor:
        """Latents -> uint8 (B, C, H, W)."""
        return pixels.to_uint8(self.inverse(latents))

    @torch.no_grad()
    def sample(self, n: int, temperature=0.7, generator: torch.Generator | None = None) -> Tensor:
        """n new pictures, uint8: eps ~ N(0, temperature^2) at every level; one temperature, or one per level."""
        eps = latent_space.sample_eps(self.latent_shapes, n, generator, self.device)
        return self.decode(latent_space.scale([e.to(self.dtype) for e in eps], temperature))

    @torch.no_grad()
    @full_float32()
    def log_prob(self, images: Tensor, generator: torch.Generator | None = None, batch: int = 128) -> Tensor:
        """log P(picture) in nats, (B,), for pictures of config.n_bits: log p(x) - D log 2^n at dequantised pixels x.

        Its mean over noise is a lower bound. Without a generator every picture gets the same noise every time, so the
        result for one picture does not depend on the others in the batch.
        """
        return torch.cat([self._log_prob(part, generator) for part in images.split(batch)])

    def _log_prob(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        alike = [images] if generator else images.split(1)  # what gets noise of its own
        noisy = [pixels.dequantize(i, self.config.n_bits, generator or torch.Generator().manual_seed(0)) for i in alike]
        x = torch.cat(noisy).to(self.device, self.dtype)  # (B, C, H, W)
        return self.log_density(x) - pixels.log_bins(self.dims, self.config.n_bits)

    def bits_per_dim(self, images: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """-log2 P(picture) / D, (B,)."""
        return pixels.bits_per_dim(self.log_prob(images, generator), self.dims)

    @property
    def device(self) -> torch.device:
        """The device of the model's weights."""
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the model's weights: float32, unless it was changed."""
        return next(self.parameters()).dtype

    # ---- checks --------------------------------------------------------------------------------------------------

    def check_shape(self, x: Tensor) -> None:
        if x.dim() != 4 or tuple(x.shape[1:]) != self.config.shape:
            raise GlowliteError(
                f"this model takes (batch, {', '.join(map(str, self.config.shape))}), not {tuple(x.shape)}"
            )

    def check_latents(self, latents: Sequence[Tensor]) -> None:
        got = [tuple(eps.shape[1:]) for eps in latents]
        if got != self.latent_shapes:
            raise GlowliteError(f"this model's latents are (batch, C, H, W) with {self.latent_shapes}, not {got}")
