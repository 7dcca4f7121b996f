"""Third answers to the exercises of notebook 01: a column at a time, singular values, numpy."""

import math

import numpy as np
import torch


def log_prob(f, x):
    column = x.detach().reshape(-1, 1).requires_grad_(True)
    z = f(column)
    (slope,) = torch.autograd.grad(z, column, torch.ones_like(z), create_graph=True)
    p = torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    safe = torch.where(p > 0, p.log(), -z * z / 2 - math.log(2 * math.pi) / 2)
    return torch.squeeze(safe + 0.5 * torch.log(slope**2), 1)


def log_det(J):
    return torch.linalg.svdvals(J).log().sum(-1)


def log_det_of_both(x, y):
    return torch.from_numpy(0.4 * np.tanh(x.numpy()[:, 1]) + 0.35 * y.numpy()[:, 0])
