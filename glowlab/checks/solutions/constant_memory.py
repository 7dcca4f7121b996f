"""Answers to the exercises of notebook 13."""

import torch

from glowlab.checks.constant_memory import scale_and_shift


def backward(z, grad_z, grad_log_det, network):
    z_a, z_b = z.detach().chunk(2, 1)
    x_a = z_a.clone().requires_grad_()
    log_s, t = scale_and_shift(x_a, network)  # the network runs once: its answer serves both ways
    x_b = (z_b * (-log_s).exp() - t).detach().requires_grad_()
    outputs = torch.cat([x_a, (x_b + t) * log_s.exp()], 1), log_s.sum((1, 2, 3))
    inputs = x_a, x_b, *network.parameters()
    grad_a, grad_b, *grad_weights = torch.autograd.grad(outputs, inputs, (grad_z, grad_log_det))
    return torch.cat([x_a, x_b], 1).detach(), torch.cat([grad_a, grad_b], 1), grad_weights


step_backward = backward  # as the notebook does it


def backward_chain(z, grad_z, grad_log_det, networks):
    grad_weights = []
    for network in reversed(networks):
        x, grad_x, found = step_backward(z, grad_z, grad_log_det, network)
        z, grad_z = x.flip(1), grad_x.flip(1)
        grad_weights.insert(0, found)
    return grad_z, grad_weights
