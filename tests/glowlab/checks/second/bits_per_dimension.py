"""Other answers to the exercises of notebook 07: shifted bits and noise added in place; a picture at a time."""

import math

import torch


def dequantise(images, n_bits):
    bin_width = 1 / 2**n_bits
    x = (images >> (8 - n_bits)).float() * bin_width
    x += torch.empty(images.shape).uniform_(0, bin_width)
    x -= 0.5
    return x


def to_bits_per_dim(log_density, shape, n_bits):
    D = torch.Size(shape).numel()
    bits = torch.zeros(len(log_density))
    for i in range(len(log_density)):
        bits[i] = n_bits - log_density[i].item() / D / math.log(2)
    return bits
