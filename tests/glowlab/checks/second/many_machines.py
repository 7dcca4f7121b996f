"""Other answers to the exercises of notebook 14: one flat vector, every world-th row, weights broadcast from rank 0."""

import torch
from torch import distributed

from glowlab.checks.many_machines import clip, make_model, pictures_of, weights_of
from glowlab.checks.many_machines import stand_in as average
from glowlab.checks.many_machines import whole_share as my_share
from glowlite import pixels
from glowlite.seeds import generator


def average_gradients(model, world):
    weights = [weight for weight in model.parameters() if weight.grad is not None]
    flat = torch.cat([weight.grad.flatten() for weight in weights]) / world
    distributed.all_reduce(flat)
    for weight, mean in zip(weights, flat.split([weight.numel() for weight in weights])):  # noqa: B905
        weight.grad = mean.view_as(weight)


def share(pictures, seed, step, rank, world):
    noise = torch.rand(pictures.shape, generator=generator("cpu", step, seed))
    return ((pictures + noise) / 256 - 0.5)[rank::world]


def mended(rank, world, seed, steps):
    model = make_model(seed)
    model.initialize(pixels.dequantize(pictures_of(0), generator=generator("cpu", seed, 0)))
    for weight in model.parameters():
        distributed.broadcast(weight.detach(), 0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for step in range(steps):
        optimizer.zero_grad()
        loss = -model.log_density(my_share(pictures_of(step), seed, step, rank, world)).mean() / model.dims
        loss.backward()
        average(model, world)
        clip(model)
        optimizer.step()
        found = [torch.zeros(()) for _ in range(world)]
        distributed.all_gather(found, loss.detach())
        losses.append(torch.stack(found).mean().item())
    return losses, weights_of(model)


def smallest_batch(world, weights, each, bandwidth, latency):
    communication = 2 * (world - 1) * (4 * weights / world / bandwidth + latency)
    batch = 1
    while communication > 0.1 * (communication + batch * each):
        batch += 1
    return batch
