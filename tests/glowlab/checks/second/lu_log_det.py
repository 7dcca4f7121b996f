"""Other answers to the exercises of notebook 04: loops over rows, a Jacobian row by row."""

import torch


def build_w(P, L, U, sign, log_s):
    C = len(L)
    lower, upper = torch.zeros(C, C), torch.zeros(C, C)
    for i in range(C):
        lower[i, :i] = L[i, :i]
        lower[i, i] = 1
        upper[i, i] = sign[i] * log_s[i].exp()
        upper[i, i + 1 :] = U[i, i + 1 :]
    return torch.einsum("ij,jk,kl->il", P.float(), lower, upper)


def counts_right(layer, x):
    x = x.clone().requires_grad_()
    z, log_det = layer(x)
    n = x[0].numel()
    J = torch.zeros(n, n)
    for i in range(n):
        (pulled,) = torch.autograd.grad(z[0].flatten()[i], x, retain_graph=True)
        J[i] = pulled[0].flatten()
    return abs(torch.linalg.det(J).abs().log().item() - log_det[0].item()) < 1e-3


def undo(z, P, lower, upper):
    y = P.T @ z
    C = len(y)
    half = torch.zeros(y.shape)
    for i in range(C):
        half[i] = y[i] - lower[i, :i].float() @ half[:i]
    x = torch.zeros(y.shape)
    for i in reversed(range(C)):
        x[i] = (half[i] - upper[i, i + 1 :].float() @ x[i + 1 :]) / upper[i, i]
    return x
