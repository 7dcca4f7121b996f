"""Answers to the exercises of notebook 07."""

import math

import torch


def dequantise(images, n_bits):
    kept = images // 2 ** (8 - n_bits)  # the first n of 8 bits
    u = torch.rand(images.shape)
    x = (kept + u) / 2**n_bits - 0.5
    return x


def to_bits_per_dim(log_density, shape, n_bits):
    C, H, W = shape
    D = C * H * W
    log_prob = log_density - D * math.log(2**n_bits)  # all in nats
    return -log_prob / (D * math.log(2))
