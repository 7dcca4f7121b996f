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


def mended(x, first, second):
    x_a, x_b = x.chunk(2, dim=1)
    log_s, t = first(x_a)
    z_b = (x_b + t) * log_s.exp()
    log_r, u = second(z_b)  # z_b, which is still there on the way back; x_b is not
    z_a = (x_a + u) * log_r.exp()
    return torch.cat([z_a, z_b], dim=1), (log_s + log_r).sum(1)
