"""Third answers to the exercises of notebook 10: extremes, torch.distributions, pictures in two parts."""

import torch


def foreign(values, usual):
    low, high = usual.min().item(), usual.max().item()
    return [not low <= value <= high for value in values.tolist()]


def tempered_log_prob(eps, temperature):
    flat = torch.cat([level.flatten(1) for level in eps], dim=1).float()
    return torch.distributions.Normal(0.0, temperature).log_prob(flat).sum(dim=1)


def sample(model, n, temperature, generator):
    levels = len(model.latent_shapes)
    scales = list(temperature) if isinstance(temperature, list) else levels * [temperature]
    pictures = []
    for count in (n // 2, n - n // 2):  # in two parts
        pairs = zip(scales, model.latent_shapes, strict=True)
        eps = [torch.normal(0.0, float(t), (count, *shape), generator=generator) for t, shape in pairs]
        pictures.append(model.decode(eps))
    return torch.cat(pictures)
