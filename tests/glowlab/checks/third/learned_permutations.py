"""Third answers to the exercises of notebook 03: axes moved, a convolution, a fit to random pictures, numpy."""

import numpy as np
import torch
import torch.nn.functional as F


def mix(x, W):
    return F.conv2d(x, W[..., None, None])


def log_det(x, W):
    size = torch.linalg.svdvals(W).log().sum()
    return size * x[0, 0].numel() * torch.ones(x.shape[0], dtype=x.dtype)


def unmix(z, layer):
    C = z.shape[1]
    inputs = torch.randn(200, C, 1, 1)
    outputs = layer(inputs)
    back = np.linalg.lstsq(outputs.flatten(1).numpy(), inputs.flatten(1).numpy(), rcond=None)[0]
    return torch.from_numpy(z.permute(0, 2, 3, 1).numpy() @ back).permute(0, 3, 1, 2)
