"""Answers to the exercises of notebook 01."""

import torch


def slope(f, x):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(f(x).sum(), x)[0]  # dz/dx, of the shape of x


def log_prob(f, x):
    z = f(x)
    log_p_z = -0.5 * z**2 - 0.5 * torch.log(torch.tensor(2 * torch.pi))
    return log_p_z + slope(f, x).abs().log()  # abs: f may fall


def log_det(J):
    a, b, c, d = J[:, 0, 0], J[:, 0, 1], J[:, 1, 0], J[:, 1, 1]
    return (a * d - b * c).abs().log()


def log_det_of_both(x, y):
    of_sway = 0.4 * torch.tanh(x[:, 1])  # J = [[exp(0.4 tanh x2), ...], [0, 1]]
    of_bend = 0.35 * y[:, 0]  # J = [[1, 0], [..., exp(0.35 y1)]], at y, where bend begins
    return of_sway + of_bend
