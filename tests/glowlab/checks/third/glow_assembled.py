"""Third answers to the exercises of notebook 08: a list of parts, einsum, another form of the slope."""

import torch
from torch import nn

from glowlab.checks.glow_assembled_parts import (
    actnorm,
    actnorm_inverse,
    conv1x1,
    coupling,
    coupling_inverse,
    split,
    split_inverse,
)
from glowlite.flows import Chain, Squeeze, TopPrior
from glowlite.flows.coupling import CouplingNetwork, ZeroConv2d
from glowlite.flows.mixing import random_rotation


class FlowStep(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.norm = nn.Parameter(torch.zeros(2, channels, 1, 1))
        self.W = nn.Parameter(random_rotation(channels))
        self.network = CouplingNetwork(channels // 2, width, channels, edge=False)

    def parts(self):
        return [(actnorm, tuple(self.norm)), (conv1x1, (self.W,)), (coupling, (self.network,))]

    def forward(self, x):
        log_dets = []
        for part, weights in self.parts():
            x, log_det = part(x, *weights)
            log_dets.append(log_det.float().expand(len(x)))
        return x, torch.stack(log_dets).sum(0)

    def inverse(self, z):
        y = coupling_inverse(z, self.network)
        y = torch.linalg.solve(self.W, y.flatten(2)).view_as(y)
        return actnorm_inverse(y, *self.norm)


class Glow(nn.Module):
    def __init__(self, shape, depth, width):
        super().__init__()
        sizes = [shape[0] * 2 ** (level + 2) for level in range(len(depth))]
        steps = [[FlowStep(c, w) for _ in range(k)] for c, k, w in zip(sizes, depth, width, strict=True)]
        self.levels = nn.ModuleList(Chain(Squeeze(), *level) for level in steps)
        self.priors = nn.ModuleList(ZeroConv2d(c // 2, c, edge=False) for c in sizes[:-1])
        self.top = TopPrior((sizes[-1], shape[1] >> len(depth), shape[2] >> len(depth)))

    def ends(self):
        return [*self.priors, None]

    def forward(self, x):
        latents, parts = [], []
        for level, prior in zip(self.levels, self.ends(), strict=True):
            x, of_steps = level(x)
            x, eps, of_split = self.top(x) if prior is None else split(x, prior)
            latents += [eps]
            parts += [of_steps, of_split]
        return tuple(latents), sum(parts)

    def inverse(self, latents):
        x = latents[-1][:, :0]
        for level, prior, eps in list(zip(self.levels, self.ends(), latents, strict=True))[::-1]:
            x = self.top.inverse(x, eps) if prior is None else split_inverse(x, eps, prior)
            x = level.inverse(x)
        return x


def mended_logit(x):
    p = 0.9 * x + 0.5
    z = -torch.log(1 / p - 1)
    slope = 0.9 / p + 0.9 / (1 - p)  # 1 / p + 1 / (1 - p) is 1 / (p (1 - p))
    return z, torch.einsum("bchw->b", slope.log())
