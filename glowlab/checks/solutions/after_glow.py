"""Answers to the exercises of notebook 15b."""

import torch


def mended(x, network):
    h = network(x)[:, :-1]  # the answers at places 0 to T - 2, which have not seen the next token
    h = torch.nn.functional.pad(h, (0, 0, 1, 0))  # zeros for the first token
    m, a = h.chunk(2, 2)
    return (x - m) * torch.exp(-a), -a.sum((1, 2))


def matching_loss(velocity, x, z, t):
    point = (1 - t) * z + t * x
    wanted = x - z
    return (velocity(point, t) - wanted).square().sum(1).mean()


def conditional(x, label, scale_and_shift):
    x_a, x_b = x.chunk(2, 1)
    hot = torch.nn.functional.one_hot(label, 3).float()
    log_s, t = scale_and_shift(torch.cat([x_a, hot], 1))
    return torch.cat([x_a, (x_b + t) * log_s.exp()], 1), log_s.sum(1)
