"""Many scales: turn pixels into channels (squeeze), and put half of them aside at every level (split)."""

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

    >>> Squeeze()(torch.zeros(1, 3, 8, 8))[0].shape
    torch.Size([1, 12, 4, 4])
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
    """z = mean + std * eps: the inverse of `whiten`."""
    return mean + eps * log_std.exp()


def bound(log_std: Tensor) -> Tensor:
    """Bound log_std smoothly to (-STD_BOUND, STD_BOUND); close to the identity near 0."""
    return STD_BOUND * torch.tanh(log_std / STD_BOUND)


class Split(nn.Module):
    """Half of the channels leave as white eps: a network predicts their mean and std from the half that stays.

    forward(x) -> (stays, eps, log_det); inverse(stays, eps) -> x. Nothing is lost: x has 2C channels, stays and eps
    have C each. The learned prior N(mean(stays), std(stays)) is part of the bijection, so every latent of the whole
    flow is standard normal. (Dinh et al. 2016, section 3.6; Kingma & Dhariwal 2018, section 3 and its published code
    `split2d_prior`.)

    >>> stays, eps, log_det = Split(channels=12)(torch.randn(2, 12, 4, 4))
    >>> stays.shape, eps.shape
    (torch.Size([2, 6, 4, 4]), torch.Size([2, 6, 4, 4]))
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

    forward(x) -> (stays, eps, log_det) and inverse(stays, eps) -> x, as `Split`; `stays` has 0 channels here.

    The published code learns one mean and std per channel and lets them vary at borders by the edge channel; a table
    does the same with less code.

    >>> stays, eps, log_det = TopPrior((24, 4, 4))(torch.randn(2, 24, 4, 4))
    >>> stays.shape, eps.shape
    (torch.Size([2, 0, 4, 4]), torch.Size([2, 24, 4, 4]))
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
    """log N(eps; 0, I) in nats, shape (B,).

    >>> standard_normal_log_prob(torch.zeros(1, 2))
    tensor([-1.8379])
    """
    return -0.5 * (sum_features(eps * eps) + eps[0].numel() * math.log(2 * math.pi))
