"""Operations on latents: temperature, interpolation, attribute directions.

Latents are a list, one white tensor eps (B, C_l, H_l, W_l) per level, finest first. Every function here works on all
levels together, as the published demo does.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from glowlite.errors import GlowliteError
from glowlite.flows.base import to_float64

Latents = list[Tensor]


def sample_eps(shapes: Sequence, n: int, generator: torch.Generator | None = None, device=None) -> Latents:
    """n draws from N(0, I): one (n, C_l, H_l, W_l) tensor for each (C_l, H_l, W_l) in shapes.

    >>> [tuple(eps.shape) for eps in sample_eps([(6, 8, 8), (24, 4, 4)], n=2)]
    [(2, 6, 8, 8), (2, 24, 4, 4)]
    """
    where = generator.device if generator is not None else device
    return [torch.randn(n, *shape, generator=generator, device=where).to(device or where) for shape in shapes]


def cat(parts: Sequence[Latents]) -> Latents:
    """Latents of several batches as those of one: (B_1, ...), (B_2, ...), ... -> (B_1 + B_2 + ..., ...) a level."""
    return [torch.cat(level) for level in zip(*parts, strict=True)]


def scale(latents: Latents, temperature: float | Sequence[float]) -> Latents:
    """temperature * eps: one number, or one for each level (finest first).

    >>> scale([torch.ones(1, 1, 1, 1), torch.ones(1, 1, 1, 1)], [0.5, 2])
    [tensor([[[[0.5000]]]]), tensor([[[[2.]]]])]
    """
    per_level = [temperature] * len(latents) if isinstance(temperature, (int, float)) else list(temperature)
    if len(per_level) != len(latents):
        raise GlowliteError(f"give one temperature, or one for each of the {len(latents)} levels, not {len(per_level)}")
    if not all(t >= 0 for t in per_level):
        raise GlowliteError(f"a temperature is a number of at least 0, not {temperature}")
    return [eps * t for eps, t in zip(latents, per_level, strict=True)]


def flatten(latents: Latents) -> Tensor:
    """All levels side by side: (B, D).

    >>> flatten([torch.zeros(2, 6, 8, 8), torch.zeros(2, 24, 4, 4)]).shape
    torch.Size([2, 768])
    """
    return torch.cat([eps.flatten(1) for eps in latents], 1)


def unflatten(flat: Tensor, like: Latents) -> Latents:
    """The reverse of `flatten`: (B, D) -> latents of the shapes of `like`.

    >>> eps = sample_eps([(6, 8, 8), (24, 4, 4)], n=2)
    >>> all(torch.equal(a, b) for a, b in zip(unflatten(flatten(eps), eps), eps))
    True
    """
    parts = flat.split([eps[0].numel() for eps in like], 1)
    return [part.view(-1, *eps.shape[1:]) for part, eps in zip(parts, like, strict=True)]


def effective_temperature(latents: Latents) -> Tensor:
    """|eps| / sqrt(D), shape (B,): 1 for a typical draw of the model, t for one at temperature t.

    >>> effective_temperature([torch.full((1, 6, 8, 8), 0.7)])
    tensor([0.7000])
    """
    eps = flatten(latents)
    return torch.linalg.vector_norm(eps, dim=1) / eps.shape[1] ** 0.5


def lerp(a: Latents, b: Latents, t: float) -> Latents:
    """(1 - t) a + t b: the straight line. Half-way between two draws it is as cold as temperature 0.71.

    >>> lerp([torch.zeros(1, 1, 1, 1)], [torch.ones(1, 1, 1, 1)], 0.25)
    [tensor([[[[0.2500]]]])]
    """
    dtype = torch.promote_types(a[0].dtype, b[0].dtype)  # those of a picture far out are float64
    return [torch.lerp(x.to(dtype), y.to(dtype), t) for x, y in zip(a, b, strict=True)]


def slerp(a: Latents, b: Latents, t: float) -> Latents:
    """The great circle from a to b, over all levels at once: it keeps the norm, and so the temperature.

    (sin((1 - t) w) a + sin(t w) b) / sin(w), where w is the angle between a and b; the straight line where w is
    tiny or half a turn.

    >>> a, b = sample_eps([(6, 8, 8)], n=1), sample_eps([(6, 8, 8)], n=1)
    >>> bool(effective_temperature(slerp(a, b, 0.5)) > effective_temperature(lerp(a, b, 0.5)))
    True
    """
    flat_a, flat_b = to_float64(flatten(a)), to_float64(flatten(b))  # else chance decides between opposites
    cosine = torch.cosine_similarity(flat_a, flat_b, dim=1).clamp(-1, 1)
    angle = torch.acos(cosine).view(-1, 1, 1, 1)
    parallel = torch.sin(angle) < 1e-4
    safe = torch.where(parallel, torch.ones_like(angle), angle)
    weight_a = torch.where(parallel, 1 - t + 0 * angle, torch.sin((1 - t) * safe) / torch.sin(safe))
    weight_b = torch.where(parallel, t + 0 * angle, torch.sin(t * safe) / torch.sin(safe))
    weight_a, weight_b = (weight.to(a[0]) for weight in (weight_a, weight_b))
    return [weight_a * x + weight_b * y for x, y in zip(a, b, strict=True)]


def add(latents: Latents, direction: Latents, amount: float | Tensor) -> Latents:
    """eps + amount * direction; amount is a number, or (B,).

    >>> add([torch.zeros(2, 1, 1, 1)], [torch.ones(1, 1, 1, 1)], torch.tensor([1.0, 3.0]))[0].flatten()
    tensor([1., 3.])
    """
    if isinstance(amount, Tensor):
        amount = amount.view(-1, 1, 1, 1)
    return [eps + amount * step.to(eps) for eps, step in zip(latents, direction, strict=True)]


def mean_difference(latents: Latents, has: Tensor) -> Latents:
    """mean(eps | with) - mean(eps | without), each (1, C_l, H_l, W_l); has: bool (B,).

    The published demo's direction (Kingma & Dhariwal 2018, section 6). GlowliteError if either side is empty.

    >>> mean_difference([torch.tensor([1.0, 2.0, 6.0]).view(3, 1, 1, 1)], torch.tensor([False, False, True]))
    [tensor([[[[4.5000]]]])]
    """
    if not has.any() or has.all():
        raise GlowliteError("a direction needs pictures with the attribute and pictures without it; one side is empty")
    return [eps[has].mean(0, keepdim=True) - eps[~has].mean(0, keepdim=True) for eps in latents]


def directions(latents: Latents, attributes: dict[str, Tensor]) -> dict[str, Latents]:
    """The change of eps when one attribute grows by 1 and the others stay, for each: one (1, C_l, H_l, W_l) a level.

    These are the least-squares slopes of eps on all attributes at once. For a single yes/no attribute this is the
    difference of means; together, attributes that are correlated in the data do not drag each other along.
    latents hold B pictures, attributes are (B,) each; GlowliteError with fewer pictures than attributes + 1.

    >>> smile = torch.tensor([-1.0, 0.0, 1.0])
    >>> bool((directions([3 * smile.view(3, 1, 1, 1)], {"smile": smile})["smile"][0] - 3).abs() < 1e-5)
    True
    """
    names = list(attributes)
    values = torch.stack([attributes[name].cpu().double() for name in names], 1)
    if len(values) <= len(names):
        raise GlowliteError(f"{len(names)} directions need at least {len(names) + 1} pictures, not {len(values)}")
    projector = torch.linalg.pinv(values - values.mean(0)).to(latents[0])  # (attributes, B)
    slopes = [(projector @ (eps - eps.mean(0)).flatten(1)).view(-1, 1, *eps.shape[1:]) for eps in latents]
    return {name: [slope[i] for slope in slopes] for i, name in enumerate(names)}
