"""Other answers to the exercises of notebook 05: channel by channel, filled in place."""

import torch


def scale_and_shift(x):
    C = x.shape[1]
    s, b = torch.zeros(C), torch.zeros(C)
    for c in range(C):
        values = x[:, c].flatten()
        variance = ((values - values.mean()) ** 2).mean()
        s[c] = 1000 if variance < 1e-6 else 1 / variance.sqrt()
        b[c] = -values.mean() * s[c]
    return s, b


def forward(x, log_s, b):
    z = torch.zeros(x.shape)
    log_det = torch.zeros(len(x))
    for c in range(x.shape[1]):
        z[:, c] = x[:, c] * log_s[c].exp() + b[c]
        log_det += x.shape[2] * x.shape[3] * log_s[c]
    return z, log_det


def initialise(steps, x):
    for step in steps:
        x, _ = step(x)  # in training mode an ActNorm sets itself by the first batch that it sees
    return x
