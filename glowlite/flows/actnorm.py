"""ActNorm: one scale and one shift per channel, set so that the first batch comes out with mean 0 and variance 1."""

import torch
from torch import Tensor, nn

from glowlite.errors import GlowliteError
from glowlite.flows.base import Flow

LOG_SCALE_FACTOR = 3.0  # the published code trains log_s / 3, which lets scales learn three times as fast


class ActNorm(Flow):
    """z = s * x + b, per channel; log_det = H * W * sum(log |s|)  (Kingma & Dhariwal 2018, section 3.1).

    Cost: O(H W C) both ways. x and z are (B, C, H, W), or (B, C) with H * W = 1. The first batch in training mode
    sets s and b; after that they are ordinary parameters. Whether that has happened is saved with the weights.

    Errors: an evaluation before any data was seen raises GlowliteError.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.log_s = nn.Parameter(torch.zeros(channels))  # log s / LOG_SCALE_FACTOR
        self.b = nn.Parameter(torch.zeros(channels))
        self.register_buffer("initialized", torch.zeros((), dtype=torch.bool))
        self.ready = False  # the same flag where Python can read it without waiting for a device

    def log_scale(self) -> Tensor:
        """log s, shape (C,)."""
        return self.log_s * LOG_SCALE_FACTOR

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.prepare(x)
        log_s = self.log_scale()
        z = x * per_channel(log_s.exp(), x) + per_channel(self.b, x)
        return z, (x[0, 0].numel() * log_s.sum()).expand(x.shape[0])

    def inverse(self, z: Tensor) -> Tensor:
        self.require_data()
        return (z - per_channel(self.b, z)) * per_channel(torch.exp(-self.log_scale()), z)

    def prepare(self, x: Tensor) -> None:
        """Take scale and shift from this batch, if none has been seen in training mode yet."""
        if not self.ready:
            if not self.training:
                self.require_data()
            self.initialize(x)

    @torch.no_grad()
    def initialize(self, x: Tensor) -> None:
        """Set s = 1 / std and b = -mean / std of each channel of x (finite for a constant channel)."""
        values = x.detach().transpose(0, 1).flatten(1).double()  # (C, B*H*W); float64: this is done once
        mean, std = values.mean(1), values.std(1, unbiased=False)
        s = 1 / std.clamp_min(1e-3)  # a constant channel has no scale to learn from; 1000 is stretch enough
        self.log_s.copy_(s.log() / LOG_SCALE_FACTOR)
        self.b.copy_(-mean * s)
        self.mark_ready()

    def mark_ready(self) -> None:
        """Treat the present scale and shift as the ones to use."""
        self.initialized.fill_(True)
        self.ready = True

    def require_data(self) -> None:
        if not self.ready:
            raise GlowliteError(
                "ActNorm has not seen data yet: call initialize(x) on the model with a batch of data, or load weights"
            )

    def _load_from_state_dict(self, state_dict, prefix, *args):
        super()._load_from_state_dict(state_dict, prefix, *args)
        self.ready = bool(self.initialized)


def per_channel(values: Tensor, like: Tensor) -> Tensor:
    """(C,) -> (1, C, 1, 1), or as many axes as `like` has."""
    return values.view(1, -1, *[1] * (like.dim() - 2))
