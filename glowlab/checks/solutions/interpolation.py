"""Answers to the exercises of notebook 11."""

import math

import torch

from glowlite import latents


def slerp(a, b, t):
    flat_a, flat_b = latents.flatten(a), latents.flatten(b)  # (B, D): all levels side by side
    cosine = torch.cosine_similarity(flat_a, flat_b, dim=1)
    w = torch.acos(cosine.clamp(-1, 1))  # (B,), one angle for each pair
    line = torch.sin(w) < 1e-6
    safe = torch.where(line, torch.ones_like(w), w)  # no 0/0, even where the line is taken
    of_a = torch.where(line, torch.ones_like(w) * (1 - t), torch.sin((1 - t) * safe) / torch.sin(safe))
    of_b = torch.where(line, torch.ones_like(w) * t, torch.sin(t * safe) / torch.sin(safe))
    of_a, of_b = of_a.view(-1, 1, 1, 1), of_b.view(-1, 1, 1, 1)
    return [of_a * x + of_b * y for x, y in zip(a, b, strict=True)]


def some_levels(a, b, t, moving):
    chosen = [level for level in range(len(a)) if moving[level]]
    if not chosen:
        return list(a)
    moved = latents.slerp([a[level] for level in chosen], [b[level] for level in chosen], t)
    now = list(a)  # a new list with the same tensors
    for level, eps in zip(chosen, moved, strict=True):
        now[level] = eps
    return now


def angle_of_growth(factor):
    # 2 sin(w/2) / sin(w) = 2 sin(w/2) / (2 sin(w/2) cos(w/2)) = 1 / cos(w/2)
    return 2 * math.acos(1 / factor)
