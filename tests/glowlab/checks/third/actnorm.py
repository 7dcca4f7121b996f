"""Third answers to the exercises of notebook 05: numpy, einsum, the parts of a step one by one."""

import numpy as np
import torch


def scale_and_shift(x):
    flat = np.moveaxis(x.numpy(), 1, 0).reshape(x.shape[1], -1)
    s = 1 / np.maximum(flat.std(axis=1), 1e-3)
    return [torch.from_numpy(s), torch.from_numpy(-flat.mean(axis=1) * s)]


def forward(x, log_s, b):
    z = torch.einsum("bchw,c->bchw", x, torch.exp(log_s)) + b[:, None, None]
    return z, torch.ones(len(x)) * (log_s.sum() * x[0, 0].numel())


def initialise(steps, x):
    for norm, mixing, coupling in (step.flows for step in steps):
        norm.initialize(x)
        for flow in (norm, mixing, coupling):
            x = flow(x)[0]
    return x
