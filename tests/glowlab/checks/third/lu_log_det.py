"""Third answers to the exercises of notebook 04: numpy, rows by index, finite differences."""

import numpy as np
import torch


def build_w(P, L, U, sign, log_s):
    lower = np.tril(L.numpy(), -1) + np.identity(len(L), dtype=np.float32)
    upper = np.triu(U.numpy(), 1)
    upper[np.diag_indices(len(U))] = sign.numpy() * np.exp(log_s.numpy())
    return torch.from_numpy((lower @ upper)[P.argmax(1).numpy()])


def counts_right(layer, x):
    batch, n = len(x), x[0].numel()
    all_j = torch.autograd.functional.jacobian(lambda x: layer(x)[0], x).reshape(batch * n, -1)  # of the whole batch
    return np.allclose(np.linalg.slogdet(all_j.numpy())[1], layer(x)[1].sum().item(), rtol=1e-4)


def undo(z, P, lower, upper):
    y = torch.empty_like(z)
    y[P.argmax(1)] = z
    half = torch.linalg.solve_triangular(lower, y, upper=False, unitriangular=True)
    return torch.linalg.solve_triangular(upper.T, half.T, upper=False, left=False).T  # x^T upper^T = half^T
