"""Coupling: a network sees one half of the values and moves the other half. The network is never inverted."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glowlite.errors import GlowliteError
from glowlite.flows.actnorm import LOG_SCALE_FACTOR, ActNorm
from glowlite.flows.base import Flow, fold, no_change, sum_features

SCALE_BOUND = 0.7


class Coupling(Flow):
    """x = (x_a, x_b) by channels;  z_a = x_a,  z_b = (x_b + t) * s  with (log s, t) from a network that sees x_a only.

    log_det = sum(log s). Triangular Jacobian, so O(D) instead of O(D^3); both ways cost one pass of the network.
    (Dinh et al. 2016, section 3.2; Kingma & Dhariwal 2018, section 3.3; shift first, as in the published code.)

    - kind: "affine", or "additive" with s = 1 (NICE), so that log_det = 0 and nothing shrinks.
    - scale: "bounded", log s = 0.7 tanh(h), so one step stretches or shrinks by at most 2.01; or "sigmoid",
      s = sigmoid(h + 2) as in the published code, which cannot stretch but can shrink to almost nothing, and the
      inverse divides by that.
    - clamp: the network sees x_a clamped to [-clamp, clamp]; 0 for no limit. On a picture unlike the data the
      network's answers would grow from step to step until float32 loses pixels on the way back (Behrmann et al. 2021,
      "Understanding and mitigating exploding inverses"). The data themselves hardly pass 5 standard deviations. Noise
      of 0 and 255 alone comes back off by 0.2 of a grey value with faces64, and by 1 without the clamp (0.5 is lost);
      `Glow.encode` uses float64 there.

    >>> layer, x = Coupling(channels=4, width=16), torch.randn(2, 4, 8, 8)
    >>> z, log_det = layer(x)
    >>> torch.equal(z, x), log_det.shape  # every coupling starts as the identity
    (True, torch.Size([2]))
    """

    def __init__(self, channels: int, width: int, kind="affine", scale="bounded", edge=True, clamp=0.0):
        super().__init__()
        if kind not in ("affine", "additive"):
            raise GlowliteError(f"unknown coupling {kind!r}: choose 'affine' or 'additive'")
        if scale not in ("bounded", "sigmoid"):
            raise GlowliteError(f"unknown scale {scale!r}: choose 'bounded' or 'sigmoid'")
        if channels < 2:
            raise GlowliteError(f"coupling needs at least 2 channels to cut in half, not {channels}")
        self.kind, self.scale, self.clamp = kind, scale, clamp
        self.autocast: torch.dtype | None = None  # the type of the network's products, such as torch.bfloat16
        self.halves = channels // 2, channels - channels // 2  # conditioning, moved
        outputs = self.halves[1] * (1 if kind == "additive" else 2)
        self.network = CouplingNetwork(self.halves[0], width, outputs, edge)

    def cut(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The halves of x: the one that the network sees (B, C_a, H, W), and the one that moves (B, C_b, H, W)."""
        return x.split(self.halves, 1)

    def join(self, x_a: Tensor, x_b: Tensor) -> Tensor:
        """x from its halves."""
        return torch.cat([x_a, x_b], 1)

    def scale_and_shift(self, x_a: Tensor) -> tuple[Tensor | None, Tensor]:
        """(log s, t) for the other half, both (B, C_b, H, W); log s is None when additive."""
        seen = x_a.clamp(-self.clamp, self.clamp) if self.clamp else x_a
        with torch.autocast(x_a.device.type, self.autocast, enabled=self.autocast is not None):
            h = self.network(seen).to(x_a.dtype)
        if self.kind == "additive":
            return None, h
        t, h = h.chunk(2, dim=1)
        if self.scale == "sigmoid":
            return F.logsigmoid(h + 2), t
        return SCALE_BOUND * torch.tanh(h), t

    def forward(self, x: Tensor, answer: tuple | None = None) -> tuple[Tensor, Tensor]:
        """(z, log_det (B,) in nats). answer: what `scale_and_shift` says of x_a, where it is known already."""
        x_a, x_b = self.cut(x)  # (B, C_a, H, W), (B, C_b, H, W)
        log_s, t = answer or self.scale_and_shift(x_a)
        z_b = x_b + t if log_s is None else (x_b + t) * log_s.exp()
        return self.join(x_a, z_b), no_change(x) if log_s is None else sum_features(log_s)

    def inverse(self, z: Tensor, answer: tuple | None = None) -> Tensor:
        """x, as `forward` without the log-det."""
        z_a, z_b = self.cut(z)
        log_s, t = answer or self.scale_and_shift(z_a)
        x_b = z_b - t if log_s is None else z_b * torch.exp(-log_s) - t
        return self.join(z_a, x_b)


class CheckerboardCoupling(Coupling):
    """Coupling whose halves are the pixels of a checkerboard: the network sees one colour and moves the other.

    Both halves keep the shape (B, C, H, W), with 0 at the other half's pixels; log s and t are 0 at the pixels seen.
    seen: 0 where the network sees the pixels with row + column even, 1 where it sees the others.
    (Dinh et al. 2016, section 3.4, equation 9.)

    >>> layer, x = CheckerboardCoupling(channels=3, width=16, seen=0), torch.randn(2, 3, 4, 4)
    >>> layer.cut(x)[0][0, 0] == x[0, 0]
    tensor([[ True, False,  True, False],
            [False,  True, False,  True],
            [ True, False,  True, False],
            [False,  True, False,  True]])
    """

    def __init__(self, channels: int, width: int, *settings, seen: int):
        super().__init__(2 * channels, width, *settings)  # from all channels, for all channels
        self.seen = seen

    def mask(self, x: Tensor) -> Tensor:
        """True at the pixels that the network sees, (H, W)."""
        rows, columns = (torch.arange(size, device=x.device) for size in x.shape[2:])
        return (rows[:, None] + columns) % 2 == self.seen

    def cut(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x * self.mask(x), x * ~self.mask(x)

    def join(self, x_a: Tensor, x_b: Tensor) -> Tensor:
        return torch.where(self.mask(x_a), x_a, x_b)

    def scale_and_shift(self, x_a: Tensor) -> tuple[Tensor | None, Tensor]:
        log_s, t = super().scale_and_shift(x_a)
        moved = ~self.mask(x_a)
        return None if log_s is None else log_s * moved, t * moved


class CouplingNetwork(nn.Module):
    """3x3 -> ActNorm -> ReLU -> 1x1 -> ActNorm -> ReLU -> zero 3x3  (Kingma & Dhariwal 2018, section 5 and code).

    (B, C_in, H, W) -> (B, C_out, H, W). The last layer starts at zero, so every step starts as the identity.
    """

    def __init__(self, c_in: int, width: int, c_out: int, edge=True):
        super().__init__()
        self.first = NormedConv2d(c_in, width, kernel=3, edge=edge)
        self.second = NormedConv2d(width, width, kernel=1)
        self.last = ZeroConv2d(width, c_out, edge=edge)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.first(x))  # (B, width, H, W)
        h = F.relu(self.second(h))  # (B, width, H, W)
        return self.last(h)  # (B, C_out, H, W)


class EdgeConv2d(nn.Module):
    """A convolution that sees one more channel: 1 on the ring of padding, 0 inside (published code).

    So the network can tell a picture's border from black. Subclasses define `folded()`: the weights (C_out, C_in, k, k)
    of the convolution and what follows it, with one more input channel for the edge, and the bias (C_out,).
    """

    def __init__(self, c_in: int, c_out: int, kernel: int, edge: bool):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(c_out, c_in, kernel, kernel))
        self.edge_weight = nn.Parameter(torch.zeros(c_out, 1, kernel, kernel)) if edge and kernel > 1 else None

    def weights(self) -> Tensor:
        """(C_out, C_in, k, k), the edge's weights behind them: (C_out, C_in + 1, k, k)."""
        return self.weight if self.edge_weight is None else torch.cat([self.weight, self.edge_weight], 1)

    def forward(self, x: Tensor) -> Tensor:
        return convolve(x, *self.folded())


def convolve(x: Tensor, weights: Tensor, bias: Tensor | None = None) -> Tensor:
    """Convolve x (B, C_in, H, W) -> (B, C_out, H, W); weights for one more channel than x has are those of the edge.

    The edge is the same for every picture, so its part is computed once and added.
    """
    c_in, padding = x.shape[1], weights.shape[-1] // 2
    if weights.shape[1] == c_in:
        return F.conv2d(x, weights, bias, padding=padding)
    ring = F.pad(x.new_zeros(1, 1, *x.shape[2:]), [padding] * 4, value=1.0)  # (1, 1, H + 2, W + 2)
    return F.conv2d(x, weights[:, :c_in], bias, padding=padding) + F.conv2d(ring, weights[:, c_in:])


class NormedConv2d(EdgeConv2d):
    """ActNorm(conv(x)): hidden weights from N(0, 0.05), no bias of its own."""

    def __init__(self, c_in: int, c_out: int, kernel: int, edge=False):
        super().__init__(c_in, c_out, kernel, edge)
        nn.init.normal_(self.weight, std=0.05)
        self.norm = ActNorm(c_out)

    def forward(self, x: Tensor) -> Tensor:
        if not self.norm.initialized:  # it has to see what comes out of the convolution
            return self.norm(convolve(x, self.weights()))[0]
        return super().forward(x)

    def folded(self) -> tuple[Tensor, Tensor]:
        return fold(lambda y: self.norm(y)[0], self.weights())


class ZeroConv2d(EdgeConv2d):
    """exp(3 log_s) * (conv(x) + b), all parameters zero at the start: h = 0, so nothing moves yet."""

    def __init__(self, c_in: int, c_out: int, edge=True):
        super().__init__(c_in, c_out, 3, edge)
        self.b = nn.Parameter(torch.zeros(c_out))
        self.log_s = nn.Parameter(torch.zeros(c_out))

    def folded(self) -> tuple[Tensor, Tensor]:
        scale = torch.exp(self.log_s * LOG_SCALE_FACTOR)  # (C_out,)
        return self.weights() * scale.view(-1, 1, 1, 1), self.b * scale
