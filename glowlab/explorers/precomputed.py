"""What the explorers know about a model before anyone has moved anything; finding it out takes a minute.

So for a model that ships it was done once, and kept beside the weights:

    python -m glowlab.explorers.precomputed faces64
"""

import argparse
import sys
from dataclasses import dataclass, field

import torch
from torch import Tensor

from glowlab.explorers.labelled import COUNT, FEW, SEED, Labelled
from glowlab.explorers.pca import Likeness, crowd
from glowlab.explorers.samples import Point, trade_off
from glowlab.widgets.frame import log
from glowlite import checkpoint
from glowlite.errors import GlowliteError

KEPT = FEW[1:]  # the directions from ten labels are found on the spot


@dataclass
class Known:
    """Empty where nothing was kept.

    places   name -> (COUNT,): where the labelled faces lie along each of the model's directions
    few      how many labels -> name -> the direction they give
    radii    (COUNT,): the labelled faces' effective temperatures
    likeness what drawn faces are made of
    points   how clean and how varied samples are, temperature by temperature
    """

    places: dict[str, Tensor] = field(default_factory=dict)
    few: dict[int, dict[str, list[Tensor]]] = field(default_factory=dict)
    radii: Tensor = field(default_factory=lambda: torch.zeros(0))
    likeness: Likeness | None = None
    points: list[Point] = field(default_factory=list)


def file_of(name: str):
    return checkpoint.find(name).with_suffix(".explorers.safetensors")


def made_for(name: str) -> dict[str, str]:
    """What the weights and directions are that all of this was measured on."""
    files = {"model_sha256": checkpoint.find(name), "directions_sha256": checkpoint.directions_path(name)}
    return {key: checkpoint.sha256(file) if file.is_file() else "" for key, file in files.items()}


def write(name: str, names: list[str], known: Known) -> None:
    """Keep it: places and parts as float16, directions in 8 bits a number; 0.7 MB for faces64."""
    tensors = {
        "places": torch.stack([known.places[n] for n in names], 1).half(),
        "radii": known.radii.half(),
        "mean": known.likeness.mean,
        "parts": known.likeness.parts.half(),
        "points": torch.tensor(known.points),
    }
    for count in KEPT:
        for level, eps in enumerate(zip(*(known.few[count][n] for n in names), strict=True)):
            values = torch.cat(eps)  # (attributes, C_l, H_l, W_l)
            scale = values.abs().amax((1, 2, 3), keepdim=True) / 127
            tensors[f"few.{count}.{level}"] = (values / scale).round().to(torch.int8)
            tensors[f"scale.{count}.{level}"] = scale
    checkpoint.write_state(file_of(name), tensors, {**made_for(name), "names": names, "seed": SEED})


def load(name: str) -> Known:
    """What was kept for a model; empty where there is nothing, or where it belongs to other weights."""
    path = file_of(name)
    if not path.is_file():
        return Known()
    try:
        tensors, facts = checkpoint.read_state(path)
        if any(facts.get(key) != value for key, value in made_for(name).items()):
            raise GlowliteError(f"{path} was made for other weights or directions")
        names = facts["names"]
        places = dict(zip(names, tensors["places"].float().T, strict=True))
        few = {count: dict(zip(names, _unpack(tensors, count, len(names)), strict=True)) for count in KEPT}
        likeness = Likeness(tensors["mean"], tensors["parts"].float())
        points = [Point(*row) for row in tensors["points"].tolist()]
        return Known(places, few, tensors["radii"].float(), likeness, points)
    except (GlowliteError, KeyError, TypeError, ValueError) as error:
        log.warning("what was kept for the explorers is left out: %s", error)
        return Known()


def _unpack(tensors: dict[str, Tensor], count: int, names: int) -> list[list[Tensor]]:
    levels = sum(name.startswith(f"few.{count}.") for name in tensors)
    steps = [tensors[f"few.{count}.{level}"] * tensors[f"scale.{count}.{level}"] for level in range(levels)]
    return [[step[i : i + 1] for step in steps] for i in range(names)]


def find_out(name: str, tell=lambda words: None) -> None:
    """Measure all of it and keep it beside the model's weights."""
    model = checkpoint.load(name)
    labelled = Labelled(model, checkpoint.load_directions(name))
    for done in labelled.encode(COUNT):
        tell(f"{done:,} of {COUNT:,} labelled faces encoded")
    labelled.place()
    few = {count: labelled.find(count) for count in KEPT}
    likeness = Likeness.of(torch.cat(list(crowd(model.config.shape[-1]))))
    known = Known(labelled.places, few, labelled.radii, likeness)
    for _ in trade_off(model, likeness, known.points):
        tell(f"{len(known.points)} temperatures measured")
    write(name, labelled.names, known)


def main() -> None:
    description = "Measure what the explorers know about a model, and keep it beside its weights."
    parser = argparse.ArgumentParser(prog="python -m glowlab.explorers.precomputed", description=description)
    parser.add_argument("name", help="a model that ships, or the path of one of your own, with its directions")
    name = parser.parse_args().name
    try:
        find_out(name, lambda words: print(f"\r{words}    ", end="", file=sys.stderr, flush=True))
    except GlowliteError as error:
        sys.exit(str(error))
    print(f"\n{file_of(name)}: {file_of(name).stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
