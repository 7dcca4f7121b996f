"""Measurements that the explorers need of a model; they take a minute.

For a model that ships they were made once, and lie beside its weights:

    glowlite precompute faces64
    glowlite precompute portraits64    # needs the labelled pictures it learned from: GLOWLITE_DATA
"""

import logging
from dataclasses import dataclass, field

import torch
from torch import Tensor

from glowlab.explorers.gallery import GALLERY_SEED, learned_drawn_faces
from glowlab.explorers.labelled import COUNT, FEW, SEED, Labelled
from glowlab.explorers.pca import COUNT as PCA_COUNT
from glowlab.explorers.pca import PCA, coarse, coarse_faces
from glowlab.explorers.samples import SampleQuality, spread, trade_off
from glowlite import checkpoint
from glowlite import latents as latent_space
from glowlite.data import datasets, faces
from glowlite.data.labelled import read as read_labelled
from glowlite.errors import GlowliteError

log = logging.getLogger("glowlab.explorers")
STORED = FEW[1:]  # numbers of labels; the directions from ten drawn faces are found when asked for
REAL = 24  # faces of the data whose quality is measured beside that of samples


@dataclass
class Precomputed:
    """Measurements of a model; empty where none are stored.

    positions   name -> (COUNT,): positions of the labelled faces along the model's directions
    few      how many labels -> name -> the direction they give
    radii    (COUNT,): the labelled faces' effective temperatures
    pca      of coarse faces of the data
    points   quality and diversity of samples at each temperature
    real     those of faces of the data
    labels   name -> (COUNT,): what the labelled faces are labelled with; empty for drawn faces, which are made anew
    """

    positions: dict[str, Tensor] = field(default_factory=dict)
    few: dict[int, dict[str, list[Tensor]]] = field(default_factory=dict)
    radii: Tensor = field(default_factory=lambda: torch.zeros(0))
    pca: PCA | None = None
    points: list[SampleQuality] = field(default_factory=list)
    real: SampleQuality | None = None
    labels: dict[str, Tensor] = field(default_factory=dict)


def find_file(name: str):
    return checkpoint.find(name).with_suffix(".explorers.safetensors")


def hash_files(name: str) -> dict[str, str]:
    """SHA-256 of the weights and of the directions that the measurements belong to."""
    files = {"model_sha256": checkpoint.find(name), "directions_sha256": checkpoint.directions_path(name)}
    return {key: checkpoint.sha256(file) if file.is_file() else "" for key, file in files.items()}


def write(name: str, names: list[str], precomputed: Precomputed) -> None:
    """Store the measurements: positions and components as float16, directions as int8; 0.7 to 0.9 MB at 64 x 64."""
    tensors = {
        "places": torch.stack([precomputed.positions[n] for n in names], 1).half(),
        "radii": precomputed.radii.half(),
        "mean": precomputed.pca.mean,
        "parts": precomputed.pca.components.half(),
        "points": torch.tensor(precomputed.points),
        "real": torch.tensor(precomputed.real),
    }
    if precomputed.labels:
        tensors["labels"] = torch.stack([precomputed.labels[n] for n in names], 1).half()
    for count, found in precomputed.few.items():
        directions = latent_space.cat([found[n] for n in names])
        for level, values in enumerate(directions):  # (attributes, C_l, H_l, W_l)
            scale = values.abs().amax((1, 2, 3), keepdim=True) / 127
            tensors[f"few.{count}.{level}"] = (values / scale).round().to(torch.int8)
            tensors[f"scale.{count}.{level}"] = scale
    checkpoint.write_state(find_file(name), tensors, {**hash_files(name), "names": names, "seed": SEED})


def load(name: str) -> Precomputed:
    """Read the measurements of a model; empty where there are none, or where they belong to other weights."""
    path = find_file(name)
    if not path.is_file():
        return Precomputed()
    try:
        tensors, facts = checkpoint.read_state(path)
        if any(facts.get(key) != value for key, value in hash_files(name).items()):
            raise GlowliteError(f"{path} was made for other weights or directions")
        names = facts["names"]
        positions = dict(zip(names, tensors["places"].float().T, strict=True))
        counts = sorted({int(key.split(".")[1]) for key in tensors if key.startswith("few.")})
        few = {count: dict(zip(names, _unpack(tensors, count, len(names)), strict=True)) for count in counts}
        pca = PCA(tensors["mean"], tensors["parts"].float())
        points = [SampleQuality(*row) for row in tensors["points"].tolist()]
        real = SampleQuality(*tensors["real"].tolist()) if "real" in tensors else None
        labels = dict(zip(names, tensors["labels"].float().T, strict=True)) if "labels" in tensors else {}
        return Precomputed(positions, few, tensors["radii"].float(), pca, points, real, labels)
    except (GlowliteError, KeyError, TypeError, ValueError) as error:
        log.warning("the precomputed measurements of the explorers are left out: %s", error)
        return Precomputed()


def _unpack(tensors: dict[str, Tensor], count: int, names: int) -> list[list[Tensor]]:
    levels = sum(name.startswith(f"few.{count}.") for name in tensors)
    steps = [tensors[f"few.{count}.{level}"] * tensors[f"scale.{count}.{level}"] for level in range(levels)]
    return [[step[i : i + 1] for step in steps] for i in range(names)]


def measure(name: str, progress=lambda words: None) -> None:
    """Make all measurements of a model and store them beside its weights."""
    model, directions = checkpoint.load(name), checkpoint.load_directions(name)
    card, size = checkpoint.read_card(name, required=False), model.config.shape[-1]
    if learned_drawn_faces(card):
        labelled, numbers, labels, count = Labelled(model, directions), STORED, {}, COUNT
        people, some = torch.cat(list(coarse_faces(size))), faces.draw(REAL, size, GALLERY_SEED).images
    else:
        held_out = read_labelled(card["data"], model.config.shape, "test", COUNT)
        labels = {name: values / 3**0.5 for name, values in held_out.attributes.items() if name in directions}
        labelled = Labelled(model, directions, labels=labels, images=lambda count: held_out.images[:count])
        count = len(held_out.images)
        numbers = [number for number in (FEW[0], *STORED) if number <= count]  # a page cannot encode these faces
        people, some = coarse(datasets.load(card["data"]).images[:PCA_COUNT]), held_out.images[-REAL:]
    for done in labelled.encode(count):
        progress(f"{done:,} of {count:,} labelled faces encoded")
    labelled.place()
    few = {number: labelled.find(number) for number in numbers}
    pca = PCA.fit(people)
    real = SampleQuality(0.0, pca.residual(some), spread(some))
    precomputed = Precomputed(labelled.positions, few, labelled.radii, pca, real=real, labels=labels)
    for point in trade_off(model, pca):
        precomputed.points.append(point)
        progress(f"{len(precomputed.points)} temperatures measured")
    write(name, labelled.names, precomputed)
