"""ActNorm: one scale and one shift per channel, set so that the first batch gets mean 0 and variance 1."""

import torch
from torch import Tensor, nn

from glowlite.errors import GlowliteError
from glowlite.flows.base import Flow, to_float64

LOG_SCALE_FACTOR = 3.0  # the published code trains log_s / 3, which lets scales learn three times as fast


class ActNorm(Flow):
    """z = s * x + b, per channel; log_det = H * W * sum(log |s|)  (Kingma & Dhariwal 2018, section 3.1).

    Cost: O(H W C) both ways. x and z are (B, C, H, W), or (B, C) with H * W = 1. The first batch in training mode
    sets s and b; after that they are ordinary parameters. The weights on disk say whether this has happened.

    Errors: GlowliteError in evaluation mode before any data was seen.

    >>> norm, x = ActNorm(3), 5 + 2 * torch.randn(64, 3, 8, 8)
    >>> z, log_det = norm(x)
    >>> bool(z.mean().abs() < 1e-4), torch.allclose(norm.inverse(z), x, atol=1e-4)
    (True, True)
    """

    def __init__(self, channels: int):
        super().__init__()
        self.log_s = nn.Parameter(torch.zeros(channels))  # log s / LOG_SCALE_FACTOR
        self.b = nn.Parameter(torch.zeros(channels))
        self.initialized = False  # a Python bool, so that no step waits for a GPU to tell

    def log_scale(self) -> Tensor:
        """log s, shape (C,)."""
        return self.log_s * LOG_SCALE_FACTOR

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if self.training and not self.initialized:
            self.initialize(x)
        self.require_data()
        log_s = self.log_scale()  # (C,)
        z = per_channel(log_s.exp(), x) * x + per_channel(self.b, x)  # (B, C, H, W)
        return z, (x[0, 0].numel() * log_s.sum()).expand(x.shape[0])

    def inverse(self, z: Tensor) -> Tensor:
        self.require_data()
        return (z - per_channel(self.b, z)) * per_channel(torch.exp(-self.log_scale()), z)

    @torch.no_grad()
    def initialize(self, x: Tensor) -> None:
        """Set s = 1 / std and b = -mean / std of each channel of x (finite for a constant channel)."""
        values = to_float64(x.detach().transpose(0, 1).flatten(1))  # (C, B*H*W); float64: this is done once
        mean, std = values.mean(1), values.std(1, unbiased=False)
        s = 1 / std.clamp_min(1e-3)  # a constant channel has no scale to learn from; 1000 is stretch enough
        self.log_s.copy_(s.log() / LOG_SCALE_FACTOR)
        self.b.copy_(-mean * s)
        self.initialized = True

    def require_data(self) -> None:
        """Raise GlowliteError if no data was seen yet."""
        if not self.initialized:
            raise GlowliteError(
                "ActNorm has not seen data yet: call initialize(x) on the model with a batch of data, or load weights"
            )

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        super()._save_to_state_dict(destination, prefix, keep_vars)
        destination[prefix + "initialized"] = torch.tensor(self.initialized)

    def _load_from_state_dict(self, state_dict, prefix, *args):
        self.initialized = bool(state_dict.pop(prefix + "initialized", self.initialized))
        super()._load_from_state_dict(state_dict, prefix, *args)


def per_channel(values: Tensor, like: Tensor) -> Tensor:
    """(C,) -> (1, C, 1, 1), or as many axes as `like` has."""
    return values.view(1, -1, *[1] * (like.dim() - 2))
