"""Other answers to the exercises of notebook 15b: fresh tensors that are filled, means by hand."""

import torch


def mended(x, network):
    h = torch.zeros(x.shape[0], x.shape[1], 2 * x.shape[2])
    h[:, 1:] = network(x)[:, :-1]
    m, a = h[..., : x.shape[2]], h[..., x.shape[2] :]
    z = (x - m) / a.exp()
    return z, -a.flatten(1).sum(1)


def matching_loss(velocity, x, z, t):
    wanted = x - z
    off = velocity(z + t * wanted, t) - wanted
    return (off * off).sum() / len(x)


def conditional(x, label, scale_and_shift):
    x_a, x_b = x[:, :1], x[:, 1:]
    hot = torch.eye(3)[label]
    log_s, t = scale_and_shift(torch.hstack([x_a, hot]))
    z = x.clone()
    z[:, 1:] = torch.exp(log_s) * (x_b + t)
    return z, log_s[:, 0]
