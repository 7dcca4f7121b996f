"""Other answers to the exercises of notebook 01: torch's own normal, tensors filled in place."""

import torch


def slope(f, x):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(f(x).sum(), x)[0]


def log_prob(f, x):
    p = torch.zeros(len(x))
    p += torch.distributions.Normal(0.0, 1.0).log_prob(f(x))
    p += torch.log(torch.abs(slope(f, x)))
    return p


def log_det(J):
    return torch.tensor([torch.linalg.slogdet(one).logabsdet for one in J])


def log_det_of_both(x, y):
    det = torch.ones(len(x))
    det *= torch.exp(0.4 * torch.tanh(x[:, 1]))
    det *= torch.exp(0.35 * y[:, 0])
    return torch.log(det)
