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
PROBES = 512
RIDGE = 0.005  # how dear a change of the directions is; less parts attributes better on the pictures that are measured
REACH = 2.7  # standard deviations that an attribute moves while its slider goes from -1 to 1


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
    found = disentangle(model.cpu(), found, meter, probes, watch=lambda parts: watch(parts, "disentangling"))
    return found, facts | {"method": "least squares, then disentangled"}


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
    model: Glow,
    directions: dict,
    meter: AttributeMeter,
    images: Tensor,
    reach: float = REACH,
    watch: Callable[[Iterable], Iterable] = iter,
) -> dict:
    """Directions that move their own attribute by `reach` standard deviations from -1 to 1, and the others little.

    First each direction gets the length that moves its own attribute so far. Then the readings' gradients with respect
    to the latents, at random points of the sliders of these images, tell what a small change of a direction would do on
    each. The change is the ridge regression's answer: others stay on every image, not only on average, and pictures
    stay clean because directions change no more than this takes. `images` are pictures used for nothing else.
    """
    names = list(directions)
    order = [meter.names.index(name) for name in names]
    deviation = meter.read(images)[:, order].std(0)
    eps = model.encode(images, batch=64)

    def scaled(directions: dict) -> dict:
        found = {}
        for i, name in enumerate(names):
            low, high = slide(model, eps, directions[name], (-1, 1))[0]
            moved = (meter.read(high) - meter.read(low))[:, order[i]].median() / deviation[i]
            found[name] = [reach / moved * step for step in directions[name]]
        return found

    directions = scaled(directions)
    steps = latents.cat(list(directions.values()))  # (attributes, C_l, H_l, W_l) each
    noise = torch.Generator().manual_seed(0)
    slopes = [
        gradients(model, meter, part, steps, order, noise) / deviation.view(-1, 1)
        for part in watch(list(zip(*(level.split(32) for level in eps), strict=True)))
    ]
    slopes = torch.cat(slopes).flatten(0, 1)  # (images * attributes, D)
    start = latents.flatten(steps)  # (attributes, D)
    wanted = reach / 2 * torch.eye(len(names)).repeat(len(images), 1)  # (images * attributes, attributes)
    gram = slopes @ slopes.T
    ridge = RIDGE * len(images) * gram.diagonal().mean() * torch.eye(len(gram))
    change = slopes.T @ torch.linalg.solve(gram + ridge, wanted - slopes @ start.T)  # (D, attributes)
    levels = latents.unflatten(start + change.T, steps)
    return scaled({name: [level[i : i + 1] for level in levels] for i, name in enumerate(names)})


def gradients(
    model: Glow,
    meter: AttributeMeter,
    eps: latents.Latents,
    steps: latents.Latents,
    order: list[int],
    noise: torch.Generator,
) -> Tensor:
    """Gradients of the meter's readings, in the order of the steps, at random points of the sliders of some pictures.

    eps: latents of B pictures; steps: the k directions, (k, C_l, H_l, W_l) a level. Returns (B, k, D).
    """
    which = torch.randint(len(steps[0]), (len(eps[0]),), generator=noise)
    amount = 2 * torch.rand(len(eps[0]), 1, 1, 1, generator=noise) - 1
    points = [(level + amount * step[which]).requires_grad_() for level, step in zip(eps, steps, strict=True)]
    pictures = ((model.inverse(points) + 0.5) * 256 - 0.5).clamp(0, 255)
    readings = meter(pictures)[:, order].sum(0)
    rows = [latents.flatten(torch.autograd.grad(reading, points, retain_graph=True)) for reading in readings]
    return torch.stack(rows, 1)
