"""Answers to the exercises of notebook 12 in another style: weights, a matrix with a constant, lstsq."""

import torch


def shuffled_effects(eps, has, effect, trials):
    found = torch.zeros(trials)
    n = has.sum()
    for trial in range(trials):
        order = torch.argsort(torch.rand(len(has)))
        weights = torch.full((len(has),), -1.0) / (len(has) - n)
        weights[order[:n]] = 1 / n.float()
        found[trial] = effect([torch.einsum("n,nchw->chw", weights, level)[None] for level in eps])
    return found


def separate(eps, y, y2):
    design = torch.stack([torch.ones(len(y)), y.float(), y2.float()], dim=1)
    steps = [torch.linalg.lstsq(design, level.reshape(len(y), -1)).solution for level in eps]
    d = [step[1].reshape(level[:1].shape) for step, level in zip(steps, eps, strict=True)]
    d2 = [step[2].reshape(level[:1].shape) for step, level in zip(steps, eps, strict=True)]
    return d, d2
