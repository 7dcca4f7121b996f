"""Answers to the exercises of notebook 10."""

import math

import torch

from glowlite import latents


def foreign(values, usual):
    away = (values - usual.mean()).abs()  # too likely is as foreign as too unlikely
    return away > 2.5 * usual.std()


def tempered_log_prob(eps, temperature):
    flat = latents.flatten(eps)  # (B, D): all levels side by side
    D = flat.shape[1]
    log_prob = -0.5 * (flat / temperature).square().sum(1)
    log_prob = log_prob - D * math.log(temperature) - D / 2 * math.log(2 * math.pi)
    return log_prob


def sample(model, n, temperature, generator):
    shapes = model.latent_shapes
    if isinstance(temperature, (int, float)):
        temperature = [temperature] * len(shapes)  # the same for every level
    eps = [t * torch.randn(n, *shape, generator=generator) for t, shape in zip(temperature, shapes, strict=True)]
    images = model.decode(eps)
    return images
