"""Answers to the exercises of notebook 14."""

import torch
from torch import distributed

from glowlab.checks.many_machines import clip, make_model, pictures_of, weights_of
from glowlab.checks.many_machines import stand_in as average
from glowlab.checks.many_machines import whole_share as my_share
from glowlite import pixels
from glowlite.seeds import generator


def average_gradients(model, world):
    for weight in model.parameters():
        if weight.grad is not None:
            distributed.all_reduce(weight.grad)  # the sum over all processes, in place
            weight.grad /= world


def share(pictures, seed, step, rank, world):
    x = pixels.dequantize(pictures, generator=generator("cpu", seed, step))  # the whole batch, in every process
    return x.chunk(world)[rank]


def mended(rank, world, seed, steps):
    model = make_model(seed)  # the same weights everywhere
    model.initialize(my_share(pictures_of(0), seed, 0, 0, 1))  # the whole batch
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for step in range(steps):
        x = my_share(pictures_of(step), seed, step, rank, world)
        loss = -model.log_density(x).mean() / model.dims
        optimizer.zero_grad()
        loss.backward()
        average(model, world)
        clip(model)  # after averaging, as one process would
        optimizer.step()
        mean = loss.detach().clone()
        distributed.all_reduce(mean)
        losses.append(mean.item() / world)
    return losses, weights_of(model)


def smallest_batch(world, weights, each, bandwidth, latency):
    import math

    communication = 2 * (world - 1) / world * 4 * weights / bandwidth + 2 * (world - 1) * latency
    # communication <= (communication + batch * each) / 10
    return max(1, math.ceil(9 * communication / each))
