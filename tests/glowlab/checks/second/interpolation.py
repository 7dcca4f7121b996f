"""Other answers to the exercises of notebook 11: one picture at a time, tensors filled in place, bisection."""

import math

import torch

from glowlite import latents


def slerp(a, b, t):
    now = [torch.zeros(x.shape) for x in a]
    for i in range(len(a[0])):
        dot = sum((x[i] * y[i]).sum() for x, y in zip(a, b, strict=True))
        norm_a = sum((x[i] ** 2).sum() for x in a).sqrt()
        norm_b = sum((y[i] ** 2).sum() for y in b).sqrt()
        w = math.acos(max(-1.0, min(1.0, (dot / norm_a / norm_b).item())))
        u, v = 1 - t, t
        if math.sin(w) > 1e-4:
            u, v = math.sin((1 - t) * w) / math.sin(w), math.sin(t * w) / math.sin(w)
        for level in range(len(a)):
            now[level][i] = u * a[level][i] + v * b[level][i]
    return now


def some_levels(a, b, t, moving):
    if not any(moving):
        return [x.clone() for x in a]
    pairs = [(x, y) for x, y, moves in zip(a, b, moving, strict=True) if moves]
    moved = iter(latents.slerp([x for x, _ in pairs], [y for _, y in pairs], t))
    return [next(moved) if moves else x.clone() for x, moves in zip(a, moving, strict=True)]


def angle_of_growth(factor):
    low, high = 0.0, math.pi
    while high - low > 1e-6:
        middle = (low + high) / 2
        if 2 * math.sin(middle / 2) / math.sin(middle) < factor:
            low = middle
        else:
            high = middle
    return low
