"""Answers to the exercises of notebook 12 in a third style: sums in a loop, normal equations by hand."""

import random

import torch


def shuffled_effects(eps, has, effect, trials):
    labels = has.tolist()
    answers = []
    for _ in range(trials):
        random.shuffle(labels)
        yes = [i for i, label in enumerate(labels) if label]
        no = [i for i, label in enumerate(labels) if not label]
        direction = [(sum(e[i] for i in yes) / len(yes) - sum(e[i] for i in no) / len(no)).unsqueeze(0) for e in eps]
        answers.append(effect(direction))
    return torch.tensor(answers, dtype=torch.float64)


def separate(eps, y, y2):
    y, y2 = y.double() - y.double().mean(), y2.double() - y2.double().mean()
    first, second, mixed = (y * y).sum(), (y2 * y2).sum(), (y * y2).sum()
    det = first * second - mixed**2
    d, d2 = [], []
    for level in eps:
        with_y = torch.einsum("n,nchw->chw", y, level.double())[None]
        with_y2 = torch.einsum("n,nchw->chw", y2, level.double())[None]
        d += [(second * with_y - mixed * with_y2) / det]
        d2 += [(first * with_y2 - mixed * with_y) / det]
    return d, d2
