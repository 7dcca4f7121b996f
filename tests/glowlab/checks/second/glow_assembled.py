"""Other answers to the exercises of notebook 08: loops, places in lists, log-dets in float32."""

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
        self.norm = nn.Parameter(torch.zeros(2, channels, 1, 1))
        self.W = nn.Parameter(random_rotation(channels))
        self.network = CouplingNetwork(channels // 2, width, channels, edge=False)

    def forward(self, x):
        log_det = torch.zeros(len(x))
        z, value = actnorm(x, self.norm[0], self.norm[1])
        log_det += value
        z, value = conv1x1(z, self.W)
        log_det += value
        z, value = coupling(z, self.network)
        log_det += value
        return z, log_det

    def inverse(self, z):
        x = conv1x1(coupling_inverse(z, self.network), torch.linalg.inv(self.W))[0]
        return actnorm_inverse(x, self.norm[0], self.norm[1])


Step = FlowStep


class Glow(nn.Module):
    def __init__(self, shape, depth, width):
        super().__init__()
        sizes = [shape[0] * 2 ** (level + 2) for level in range(len(depth))]
        steps = [[Step(c, w) for _ in range(k)] for c, k, w in zip(sizes, depth, width, strict=True)]
        self.levels = nn.ModuleList(Chain(Squeeze(), *level) for level in steps)
        self.priors = nn.ModuleList(ZeroConv2d(c // 2, c, edge=False) for c in sizes[:-1])
        self.top = TopPrior((sizes[-1], shape[1] >> len(depth), shape[2] >> len(depth)))

    def forward(self, x):
        log_det = torch.zeros(len(x))
        latents = []
        for i in range(len(self.levels)):
            x, value = self.levels[i](x)
            log_det += value
            x, eps, value = split(x, self.priors[i]) if i < len(self.priors) else self.top(x)
            log_det += value
            latents.append(eps)
        return latents, log_det

    def inverse(self, latents):
        latents = list(latents)
        eps = latents.pop()
        x = self.levels[-1].inverse(self.top.inverse(eps[:, :0], eps))
        for i in range(len(self.priors) - 1, -1, -1):
            x = self.levels[i].inverse(split_inverse(x, latents.pop(), self.priors[i]))
        return x


def mended_logit(x):
    p = 0.05 + 0.9 * (x + 0.5)
    z = torch.logit(p)
    log_det = torch.zeros(len(x))
    for i in range(len(x)):
        log_det[i] = x[i].numel() * math.log(0.9) - p[i].log().sum() - (1 - p[i]).log().sum()
    return z, log_det
