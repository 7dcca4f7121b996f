"""Attribute directions: find one for each attribute, then disentangle and scale them by measurement."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from glowlite import latents
from glowlite.data.labelled import Labelled
from glowlite.evaluation import AttributeMeter, slide, train_meter
from glowlite.fusion import fuse
from glowlite.glow import Glow

MEASURED = slice(0, None, 2)  # of the labelled pictures: those that train the meter which disentangles
PROBED = slice(1, None, 2)  # those on which it measures; a meter for a fair judgement is trained on these, too
PROBES = 256
REACH = 2.6  # standard deviations that an attribute moves while its slider goes from -1 to 1


def make(
    model: Glow,
    pictures: Labelled,
    count: int,
    part: bool = True,
    seed: int = 0,
    batch: int = 128,
    watch: Callable[[Iterable, str], Iterable] = lambda parts, what: parts,
) -> tuple[dict[str, latents.Latents], dict]:
    """Directions from at most `count` labelled pictures, disentangled if `part`, and the facts about them.

    A meter is trained on half of the pictures, from `seed`. `watch` wraps what is gone through, with a word on it.
    """
    model = fuse(model)
    images = pictures.images[:count]
    attributes = {name: values[:count] for name, values in pictures.attributes.items()}
    found = find(model, images, attributes, batch, lambda parts: watch(parts, "encoding"))
    facts = {"count": len(images), "seed": seed, "parted": part, "method": "least squares", "reach": REACH}
    if not part:
        return {name: [REACH / 2 * step for step in steps] for name, steps in found.items()}, facts
    meter = train_meter(pictures.part(MEASURED), seed=seed, watch=lambda epochs: watch(epochs, "training a meter"))
    probes = pictures.images[PROBED][:PROBES]
    return disentangle(model.cpu(), found, meter, probes), facts | {"method": "least squares, then disentangled"}


def find(
    model: Glow,
    images: Tensor,
    attributes: dict[str, Tensor],
    batch: int = 128,
    watch: Callable[[Iterable], Iterable] = iter,
) -> dict[str, latents.Latents]:
    """The direction of each attribute, from labelled pictures: {name: one (1, C_l, H_l, W_l) a level}.

    images: uint8 (B, C, H, W); attributes: {name: (B,)}. The pictures are encoded `batch` at a time, on the model's
    device, and the least-squares slopes of their latents are the directions (`latents.directions`). `watch` wraps
    the batches, as tqdm does, to show the progress. GlowliteError with fewer pictures than attributes + 1.

    >>> from glowlite.checkpoint import load
    >>> from glowlite.data import faces
    >>> images, attributes = faces.draw(12)
    >>> [tuple(step.shape) for step in find(load("faces64"), images, attributes)["smile"]][:2]
    [(1, 6, 32, 32), (1, 12, 16, 16)]
    """
    encoded = [[eps.cpu() for eps in model.encode(part.to(model.device))] for part in watch(images.split(batch))]
    return latents.directions(latents.cat(encoded), attributes)


def disentangle(
    model: Glow, directions: dict, meter: AttributeMeter, images: Tensor, reach: float = REACH, rounds: int = 2
) -> dict:
    """Directions that move their own attribute by `reach` standard deviations from -1 to 1, and no other on average.

    Each round measures how far every direction moves every attribute, (k, k), on these images (faces used for nothing
    else), and takes the combination of directions whose mean movement is `reach` times the identity.
    """
    names = list(directions)
    order = [meter.names.index(name) for name in names]
    deviation = meter.read(images)[:, order].std(0)
    eps = model.encode(images, batch=64)
    for _ in range(rounds):
        rows = []
        for name in names:
            low, high = slide(model, eps, directions[name], (-1, 1))[0]
            rows.append((meter.read(high) - meter.read(low))[:, order].mean(0) / deviation)
        mix = reach * torch.linalg.inv(torch.stack(rows))  # (wanted, found)
        levels = latents.cat(list(directions.values()))  # (found, C_l, H_l, W_l) each
        mixed = [torch.tensordot(mix, level, dims=1) for level in levels]
        directions = {name: [level[i : i + 1] for level in mixed] for i, name in enumerate(names)}
    return directions
