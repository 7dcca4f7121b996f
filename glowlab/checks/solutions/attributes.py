"""Answers to the exercises of notebook 12."""

import torch

from glowlite import latents


def shuffled_effects(eps, has, effect, trials):
    effects = []
    for _ in range(trials):
        shuffled = has[torch.randperm(len(has))]  # as many yes as before, but of other faces
        effects.append(effect(latents.mean_difference(eps, shuffled)))
    return torch.tensor(effects)


def separate(eps, y, y2):
    labels = torch.stack([y, y2], 1)  # (N, 2)
    pinv = torch.linalg.pinv(labels - labels.mean(0))  # (2, N)
    d, d2 = [], []
    for level in eps:
        both = pinv @ (level - level.mean(0)).flatten(1)  # (2, C * H * W)
        d.append(both[0].view(1, *level.shape[1:]))
        d2.append(both[1].view(1, *level.shape[1:]))
    return d, d2
