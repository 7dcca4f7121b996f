"""Many scales: trade pixels for channels (squeeze), and let half of them go at every level (split)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glowlite.errors import GlowliteError
from glowlite.flows.base import Flow, no_change, sum_features
from glowlite.flows.coupling import ZeroConv2d

STD_BOUND = 2.0  # a prior's log std stays in (-2, 2): no latent is divided by next to nothing


class Squeeze(Flow):
    """Each 2 x 2 block of pixels becomes 4 channels: (B, C, H, W) -> (B, 4C, H/2, W/2); log_det = 0.

    (Dinh et al. 2016, section 3.6.) GlowliteError where H or W is odd.
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        height, width = x.shape[2:]
        if height % 2 or width % 2:
            raise GlowliteError(f"cannot squeeze {height} x {width} pixels: height and width must be even")
        return F.pixel_unshuffle(x, 2), no_change(x)

    def inverse(self, z: Tensor) -> Tensor:
        return F.pixel_shuffle(z, 2)


def whiten(z: Tensor, mean: Tensor, log_std: Tensor) -> tuple[Tensor, Tensor]:
    """eps = (z - mean) / std, so that eps is standard normal under the prior; log_det = -sum(log std), nats, (B,)."""
    return (z - mean) * torch.exp(-log_std), -sum_features(log_std.expand_as(z))


def unwhiten(eps: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """z = mean + std * eps: the way back."""
    return mean + eps * log_std.exp()


def bound(log_std: Tensor) -> Tensor:
    """Smoothly into (-STD_BOUND, STD_BOUND); close to the identity near 0."""
    return STD_BOUND * torch.tanh(log_std / STD_BOUND)


class Split(nn.Module):
    """Half of the channels leave: what stays predicts mean and std of what goes, as white eps.

    forward(x) -> (stays, eps, log_det); inverse(stays, eps) -> x. Nothing is lost: x has 2C channels, stays and eps
    have C each. The learned prior N(mean(stays), std(stays)) is folded into the bijection, so that every latent of the
    whole flow is standard normal. (Dinh et al. 2016, section 3.6; Kingma & Dhariwal 2018, section 3 and its published
    code `split2d_prior`.)
    """

    def __init__(self, channels: int, edge=True):
        super().__init__()
        self.stays = channels // 2
        self.prior = ZeroConv2d(self.stays, 2 * (channels - self.stays), edge)

    def mean_and_log_std(self, stays: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_std = self.prior(stays).chunk(2, dim=1)
        return mean, bound(log_std)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        stays, leaves = x[:, : self.stays], x[:, self.stays :]
        eps, log_det = whiten(leaves, *self.mean_and_log_std(stays))
        return stays, eps, log_det

    def inverse(self, stays: Tensor, eps: Tensor) -> Tensor:
        return torch.cat([stays, unwhiten(eps, *self.mean_and_log_std(stays))], 1)


class TopPrior(nn.Module):
    """The last level's prior: a learned mean and std for every channel and place, (C, H, W); all of x leaves as eps.

    forward(x) -> (stays, eps, log_det) and inverse(stays, eps) -> x, as `Split`; of what stays there are 0 channels.

    The published code learns one per channel and lets it vary at borders by the edge channel; a table says the same
    with less machinery.
    """

    def __init__(self, shape: tuple[int, int, int]):
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(shape))
        self.log_std = nn.Parameter(torch.zeros(shape))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return x[:, :0], *whiten(x, self.mean, bound(self.log_std))

    def inverse(self, stays: Tensor, eps: Tensor) -> Tensor:
        return unwhiten(eps, self.mean, bound(self.log_std))


def standard_normal_log_prob(eps: Tensor) -> Tensor:
    """log N(eps; 0, I) in nats, shape (B,)."""
    return -0.5 * (sum_features(eps * eps) + eps[0].numel() * math.log(2 * math.pi))
