"""Answers to the exercises of notebook 08."""

import math

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
        self.norm = nn.Parameter(torch.zeros(2, channels, 1, 1))  # log s and b
        self.W = nn.Parameter(random_rotation(channels))
        self.network = CouplingNetwork(channels // 2, width, channels, edge=False)

    def forward(self, x):
        x, log_det_norm = actnorm(x, *self.norm)
        x, log_det_conv = conv1x1(x, self.W)
        z, log_det_coupling = coupling(x, self.network)
        return z, log_det_norm + log_det_conv + log_det_coupling

    def inverse(self, z):
        z = coupling_inverse(z, self.network)
        z, _ = conv1x1(z, self.W.inverse())
        return actnorm_inverse(z, *self.norm)


Step = FlowStep  # as the notebook does it


class Glow(nn.Module):
    def __init__(self, shape, depth, width):
        super().__init__()
        sizes = [shape[0] * 2 ** (level + 2) for level in range(len(depth))]  # channels after each squeeze
        steps = [[Step(c, w) for _ in range(k)] for c, k, w in zip(sizes, depth, width, strict=True)]
        self.levels = nn.ModuleList(Chain(Squeeze(), *level) for level in steps)
        self.priors = nn.ModuleList(ZeroConv2d(c // 2, c, edge=False) for c in sizes[:-1])
        self.top = TopPrior((sizes[-1], shape[1] >> len(depth), shape[2] >> len(depth)))

    def forward(self, x):
        latents, total = [], 0
        for level, prior in zip(self.levels, self.priors, strict=False):  # the last level has no split
            x, log_det = level(x)
            x, eps, log_det_split = split(x, prior)
            latents, total = [*latents, eps], total + log_det + log_det_split
        x, log_det = self.levels[-1](x)
        _, eps, log_det_top = self.top(x)  # nothing stays
        return [*latents, eps], total + log_det + log_det_top

    def inverse(self, latents):
        x = self.levels[-1].inverse(self.top.inverse(latents[-1][:, :0], latents[-1]))  # nothing stays
        for level, prior, eps in reversed(list(zip(self.levels, self.priors, latents, strict=False))):
            x = level.inverse(split_inverse(x, eps, prior))
        return x


def mended_logit(x):
    p = 0.05 + 0.9 * (x + 0.5)
    z = (p / (1 - p)).log()
    # dz/dx = dz/dp * dp/dx = 1 / (p (1 - p)) * 0.9
    log_slope = math.log(0.9) - (p * (1 - p)).log()
    return z, log_slope.sum((1, 2, 3))
