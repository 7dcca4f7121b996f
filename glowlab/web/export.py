"""A model for the page: `glowlite export-web`.

NAME.bin holds tensors in the layout of safetensors and, in its metadata, all that a page says about the model. Every
convolution comes with what follows it folded in, its weights (k, k, C_in, C_out). A coupling's network is never
inverted, so its weights may be float16; the rest is float32. W of ActNorm and mixing is rounded once, and the page
makes the inverse from what it reads: rounded each for itself, W and its inverse lose pixels. NAME.labels.bin holds what
few labels give, which a page fetches when it is asked for. NAME.bin.js is the same as NAME.bin as a script, for pages
opened from a disk, which may read nothing else.
"""

import base64
import copy
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from safetensors.torch import save as to_bytes
from torch import Tensor

from glowlab.explorers import precomputed
from glowlab.explorers.precomputed import Precomputed
from glowlab.web import measured
from glowlite import checkpoint
from glowlite.errors import GlowliteError
from glowlite.files import write_atomically
from glowlite.fusion import Affine
from glowlite.glow import FlowStep, Glow, GlowConfig

MAX_CHANNELS = 1024  # of kernels.c
FILL = 4  # which computes so many channels at once
KINDS = (".bin", ".labels.bin", ".bin.js", ".labels.bin.js")  # ends of a shipped model's files
LATER = ("measured.few.", "measured.scale.", "measured.sheet")  # names of what is fetched when it is asked for
CARD = ("credit", "licence", "data_licence", "notes", "held_out", "parameters", "sha256")


class Exported(NamedTuple):
    """The files of a model: NAME.bin, and NAME.labels.bin, b"" where nothing is known of labels."""

    bin: bytes
    labels: bytes


def check(config: GlowConfig) -> None:
    """Raise GlowliteError where the page cannot compute a model of this configuration."""
    several = {
        "the extra channel of edge": config.edge,
        "couplings of a checkerboard": any(config.per_level("checkerboard")),
        "the scale 'sigmoid'": config.coupling == "affine" and config.scale != "bounded",
        f"more than {MAX_CHANNELS} channels": max(channels(config)) > MAX_CHANNELS,
        "pictures other than gray or RGB": config.shape[0] not in (1, 3),
    }
    if missing := [what for what, used in several.items() if used]:
        raise GlowliteError(f"a page cannot show this model: it does not know {', nor '.join(missing)}")


def channels(config: GlowConfig) -> list[int]:
    """The channels of each level's state and network."""
    return [config.shape[0] * 2 ** (level + 2) for level in range(config.levels)] + list(config.per_level("width"))


def tensors(model: Glow, network: torch.dtype = torch.half) -> dict[str, Tensor]:
    """The tensors of a model for the page, made in float64: float32, and weights of couplings' networks as said.

    GlowliteError if one is not finite.
    """
    check(model.config)
    model = copy.deepcopy(model).eval().requires_grad_(False).cpu().double()
    found = {}
    for l, level in enumerate(model.levels):
        steps = [step for step in level.steps.flows if isinstance(step, FlowStep)]
        for k, step in enumerate(steps):
            *affine, coupling = step.flows
            once, name = Affine(type(level.steps)(*affine), affine[0].b), f"levels.{l}.steps.{k}"
            found |= convolution(f"{name}.mixing", once.W[:, :, None, None], once.b)
            for part in ("first", "second", "last"):
                weights, bias = getattr(coupling.network, part).folded()
                if part != "first":  # it sees channels that are filled up
                    weights = F.pad(weights, (0, 0, 0, 0, 0, -weights.shape[1] % FILL))
                found |= convolution(f"{name}.{part}", weights, bias, network)
        if l + 1 < len(model.levels):
            found |= convolution(f"levels.{l}.prior", *level.split.prior.folded())
        else:
            table = torch.cat([level.split.mean, level.split.log_std])  # (2C, H, W)
            found[f"levels.{l}.prior"] = table.permute(1, 2, 0).float()  # (H, W, 2C)
    if wrong := [name for name, values in found.items() if not values.isfinite().all()]:
        raise GlowliteError(f"{wrong[0]} holds numbers that are not finite, so this model cannot be shown")
    return {name: values.contiguous() for name, values in found.items()}


def convolution(name: str, weights: Tensor, bias: Tensor, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Weights (C_out, C_in, k, k) -> (k, k, C_in, C_out) of `dtype`, or float32 where it has no such large numbers, and
    the bias; C_out is filled up with channels of 0."""
    more = -len(weights) % FILL
    dtype = dtype if weights.abs().max() <= torch.finfo(dtype).max else torch.float32
    weights = F.pad(weights, (0, 0, 0, 0, 0, 0, 0, more)).permute(2, 3, 1, 0)
    return {f"{name}.weights": weights.to(dtype), f"{name}.bias": F.pad(bias, (0, more)).float()}


def describe(name: str | Path, model: Glow, directions: dict, card: dict, more: dict) -> dict:
    """What the page says about a model, and `more`."""
    return {
        "format": 1,
        "name": Path(name).stem,
        "config": model.config.to_dict(),
        "latent_shapes": [list(shape) for shape in model.latent_shapes],
        "directions": [{"name": each, "low": -1.0, "high": 1.0} for each in directions],
        **{key: card[key] for key in CARD if key in card},
        **more,
    }


def export(name: str | Path, network: torch.dtype | None = torch.half, model: Glow | None = None) -> Exported:
    """The files of a model that ships or of a checkpoint, with its directions, card and measurements.

    model: itself, where it is loaded already
    """
    directions, card = {}, checkpoint.read_card(name, required=False)
    if (path := checkpoint.directions_path(name)).is_file():
        directions = checkpoint.load_directions(name)
        card["directions"] = checkpoint.read_state(path)[1]
    return pack(name, model or checkpoint.load(name), directions, card, precomputed.load(name), network)


def to_bin(name: str | Path, network: torch.dtype = torch.half) -> bytes:
    """NAME.bin alone."""
    return export(name, network).bin


def pack(
    name: str | Path,
    model: Glow,
    directions: dict[str, list[Tensor]],
    card: dict,
    stored: Precomputed,
    network: torch.dtype | None = torch.half,
) -> Exported:
    """The files of a model and of what is known about it; of the latter alone where `network` is None."""
    if (count := model.config.shape[0]) not in (1, 3):
        raise GlowliteError(f"an explorer shows gray or RGB pictures, and those of this model have {count} channels")
    kind = torch.half if network else torch.float32
    steps = {f"directions.{each}.{l}": eps[0].to(kind) for each, eps in directions.items() for l, eps in enumerate(eps)}
    pictures, gallery = measured.starts(model.config, card)
    places, labelled = measured.labels(model.config, stored)
    content = (tensors(model, network) if network else {}) | steps | measured.tensors(stored) | pictures | places
    made = {key: value for key, value in card.get("directions", {}).items() if key in ("count", "parted")}
    images = pictures.get("measured.gallery")
    measure = None if images is None else lambda: model.bits_per_dim(images.permute(0, 3, 1, 2)).cpu()
    more = measured.facts(card, stored, measure) | {"gallery": gallery, "labelled": labelled, "made": made}
    later = {key: content.pop(key) for key in list(content) if key.startswith(LATER)}
    about = finite(describe(name, model, directions, card, more))
    return Exported(write_tensors(content, about), write_tensors(later, {}))


def finite(value):
    """The same, with None for numbers that are not finite: JSON has none."""
    if isinstance(value, Mapping):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_tensors(tensors: dict[str, Tensor], head: dict) -> bytes:
    """A file of tensors; b"" without tensors and head. Of float16 all low bytes come first, then all high bytes,
    (2, ...), named NAME.halves: a server that packs what it sends packs these better."""
    found = {}
    for name, values in tensors.items():
        if values.dtype == torch.half:
            name, values = f"{name}.halves", values[..., None].view(torch.uint8).movedim(-1, 0).contiguous()
        found[name] = values
    return to_bytes(found, metadata={"glow": json.dumps(head, allow_nan=False)}) if found or head else b""


def to_script(content: bytes) -> str:
    """A .bin as a script, for pages opened from a disk."""
    return f'glowFile("{base64.b64encode(content).decode()}");\n'


def files(name: str | Path) -> dict[str, bytes]:
    """All files of a model by name, NAME.bin first, each as a script, too."""
    made = export(name)
    binaries = {f"{Path(name).stem}.bin": made.bin}
    if made.labels:
        binaries[f"{Path(name).stem}.labels.bin"] = made.labels
    return binaries | {f"{file}.js": to_script(content).encode() for file, content in binaries.items()}


def write(name: str | Path, out: Path) -> list[Path]:
    """Write `files` to the folder `out`, and return their paths."""
    out.mkdir(parents=True, exist_ok=True)
    made = files(name)
    for file, content in made.items():
        write_atomically(out / file, content)
    return [out / file for file in made]
