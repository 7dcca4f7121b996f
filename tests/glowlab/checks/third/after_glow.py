"""A third answer to the exercises of notebook 15b: the input shifted, distances, comparisons."""

import torch


def mended(x, network):
    before = torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1)
    m, a = network(before).split(x.shape[2], 2)
    return (x - m) * (-a).exp(), (-a).sum(2).sum(1)


def matching_loss(velocity, x, z, t):
    point = torch.lerp(z, x, t.expand_as(x))
    return torch.linalg.vector_norm(velocity(point, t) - x + z, dim=1).pow(2).mean()


def conditional(x, label, scale_and_shift):
    hot = (label[:, None] == torch.arange(3)).to(x.dtype)
    x_a, x_b = x.unbind(1)
    log_s, t = (part.squeeze(1) for part in scale_and_shift(torch.cat([x_a[:, None], hot], dim=1)))
    return torch.stack([x_a, (x_b + t) * log_s.exp()], 1), log_s
