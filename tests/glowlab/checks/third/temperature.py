"""Third answers to the exercises of notebook 10: extremes, torch.distributions, one picture at a time."""

import torch


def foreign(values, usual):
    return [not (usual.min() <= value <= usual.max()) for value in values]


def tempered_log_prob(eps, temperature):
    flat = torch.cat([level.flatten(1) for level in eps], dim=1).float()
    return torch.distributions.Normal(0.0, temperature).log_prob(flat).sum(dim=1)


def sample(model, n, temperature, generator):
    count = len(model.latent_shapes)
    scales = list(temperature) if isinstance(temperature, list) else count * [temperature]
    pictures = []
    for _ in range(n):
        eps = [
            torch.normal(0.0, float(t), (1, *s), generator=generator)
            for t, s in zip(scales, model.latent_shapes, strict=True)
        ]
        pictures.append(model.decode(eps))
    return torch.cat(pictures)
