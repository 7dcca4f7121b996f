"""Other answers to the exercises of notebook 02: tensors filled in place."""

import torch


def additive_inverse(z, network):
    half = z.shape[1] // 2
    x = torch.zeros(z.shape)  # float32, whatever z is
    x[:, :half] = z[:, :half]
    x[:, half:] = z[:, half:] - network(z[:, :half])
    return x


def affine(x, scale_and_shift):
    half = x.shape[1] // 2
    log_s, t = scale_and_shift(x[:, :half])
    z = x.clone()
    z[:, half:] += t
    z[:, half:] *= torch.exp(log_s)
    log_det = torch.zeros(len(x))
    for i in range(len(x)):
        log_det[i] = log_s[i].sum()
    return z, log_det


def mended(x, first, second):  # the other way: x_a moves first
    half = x.shape[1] // 2
    z = x.clone()
    log_r, u = second(x[:, half:])
    z[:, :half] = (x[:, :half] + u) * log_r.exp()
    log_s, t = first(z[:, :half].clone())
    z[:, half:] = (x[:, half:] + t) * log_s.exp()
    log_det = torch.zeros(len(x))
    log_det += log_s.sum(1)
    log_det += log_r.sum(1)
    return z, log_det
