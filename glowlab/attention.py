"""A coupling whose network is a transformer, and a flow of one level made of them, for notebook 15b.

The idea of Jet (Kolesnikov et al. 2024): squares of pixels are tokens, a transformer says how half of each token's
channels scale and shift the other half. No multi-scale, no ActNorm between the steps, no learned 1x1 convolution.
"""

import torch
from torch import Tensor, nn

from glowlite import pixels
from glowlite.flows import ActNorm, Chain, Coupling, Shuffle, Squeeze, TopPrior
from glowlite.flows.mixing import make_mixing
from glowlite.flows.multiscale import standard_normal_log_prob

HEADS = 4


class AttentionNetwork(nn.Module):
    """(B, C_in, h, w) -> (B, C_out, h, w) by a small transformer that sees each of the h w places as a token.

    The last layer starts at zero, so every coupling starts as the identity.
    """

    def __init__(self, c_in: int, width: int, c_out: int, places: int, blocks: int = 1):
        super().__init__()
        self.enter = nn.Linear(c_in, width)
        self.place = nn.Parameter(0.02 * torch.randn(places, width))
        block = nn.TransformerEncoderLayer(width, HEADS, 2 * width, 0.0, "gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(block, blocks, enable_nested_tensor=False)
        self.leave = nn.Linear(width, c_out)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.enter(x.flatten(2).transpose(1, 2)) + self.place  # (B, h w, width)
        h = self.leave(self.blocks(tokens))
        return h.transpose(1, 2).unflatten(2, x.shape[2:])


class AttentionFlow(nn.Module):
    """One level: squeeze twice, then `steps` couplings with a transformer each, a fixed shuffle before every one.

    forward(x) -> (eps, log_det), inverse(eps) -> x, for x (B, C, H, W). parts_of_glow: ActNorm and a learned 1x1
    convolution before each coupling in place of the shuffle.
    """

    def __init__(self, shape: tuple[int, int, int], steps=6, width=64, parts_of_glow=False, seed=0):
        super().__init__()
        c, h, w = 16 * shape[0], shape[1] // 4, shape[2] // 4
        layers = [Squeeze(), Squeeze(), ActNorm(c)]  # one ActNorm, so that pixels come in with variance 1
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for _ in range(steps):
                coupling = Coupling(c, 1, edge=False)
                coupling.network = AttentionNetwork(c // 2, width, c, h * w)
                layers += [ActNorm(c), make_mixing("lu", c)] if parts_of_glow else [Shuffle(c)]
                layers.append(coupling)
        self.steps, self.prior = Chain(*layers), TopPrior((c, h, w))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        z, log_det = self.steps(x)
        _, eps, log_det_prior = self.prior(z)
        return eps, log_det + log_det_prior

    def inverse(self, eps: Tensor) -> Tensor:
        return self.steps.inverse(self.prior.inverse(eps[:, :0], eps))

    def log_density(self, x: Tensor) -> Tensor:
        """log p(x) in nats, (B,)."""
        eps, log_det = self(x)
        return standard_normal_log_prob(eps) + log_det

    def bits_per_dim(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Bits per dimension of uint8 pictures (B, C, H, W), with fresh noise."""
        dims = images[0].numel()
        log_prob = self.log_density(pixels.dequantize(images, generator=generator)) - pixels.log_bins(dims, 8)
        return pixels.bits_per_dim(log_prob, dims)
