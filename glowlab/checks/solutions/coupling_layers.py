"""Answers to the exercises of notebook 02."""

import torch


def additive_inverse(z, network):
    z_a, z_b = z.chunk(2, dim=1)
    t = network(z_a)  # z_a is x_a, so this is the shift that was added
    return torch.cat([z_a, z_b - t], dim=1)


def affine(x, scale_and_shift):
    x_a, x_b = x.chunk(2, dim=1)
    log_s, t = scale_and_shift(x_a)
    z = torch.cat([x_a, (x_b + t) * log_s.exp()], dim=1)
    log_det = log_s.sum(dim=(1, 2, 3))  # not over the batch
    return z, log_det
