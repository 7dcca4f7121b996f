"""Answers to the exercises of notebook 15."""

import math

import torch


def novelty(numbers, usual):
    parts = []
    for numbers_of, usual_of in (
        (numbers["bits"], usual["bits"]),
        (numbers["distance"], usual["distance"]),
        (numbers["bits"] - numbers["png"], usual["bits"] - usual["png"]),
    ):
        parts.append((numbers_of - usual_of.mean()).abs() / usual_of.std())  # how many standard deviations away
    return torch.stack(parts).amax(0)  # foreign if any of them is unusual


def stretch(a, s):
    phi = 1 / math.sqrt(2 * math.pi)  # density of z at 0
    p = math.exp(-(a**2) / (2 * s**2)) / (s * math.sqrt(2 * math.pi))  # density of x at 0
    return phi / p


def importance_bound(log_w):
    return log_w.logsumexp(0) - math.log(len(log_w))
