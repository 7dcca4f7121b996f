"""Third answers to the exercises of notebook 14: all_gather, noise picture by picture, a closed formula by division."""

import torch
from torch import distributed

from glowlab.checks.many_machines import loop
from glowlite.seeds import generator


def average_gradients(model, world):
    with torch.no_grad():
        for weight in model.parameters():
            parts = [torch.empty_like(weight.grad) for _ in range(world)]
            distributed.all_gather(parts, weight.grad.contiguous())
            weight.grad.copy_(sum(parts) / world)
    return model


def share(pictures, seed, step, rank, world):
    size = len(pictures) // world
    rows = range(rank * size, (rank + 1) * size)
    noisy = [pictures[k] + torch.rand(pictures[k].shape, generator=generator("cpu", seed, step, k)) for k in rows]
    return torch.stack(noisy) / 256 - 0.5


def mended(rank, world, seed, steps):
    return list(loop(rank, world, seed, steps))


def smallest_batch(world, weights, each, bandwidth, latency):
    needed = 18 * (world - 1) * (4 * weights / world / bandwidth + latency) / each
    return torch.tensor(max(1.0, -(-needed // 1)))
