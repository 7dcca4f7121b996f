"""Weights on disk: safetensors (never pickle), and beside them a JSON card that tells how they were made."""

import hashlib
import json
import re
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from glowlite.errors import GlowliteError
from glowlite.files import write_atomically
from glowlite.folders import ASSETS
from glowlite.glow import Glow, GlowConfig

SHIPPED = ASSETS / "checkpoints"


FORMAT = 2  # of the names of a Glow's tensors; files without a number are of format 1


def write_state(path: str | Path, tensors: dict[str, Tensor], meta: dict) -> None:
    """Tensors and JSON-able facts in one safetensors file, written atomically.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_state(f"{folder}/state.safetensors", {"x": torch.ones(2)}, {"step": 3})
    ...     read_state(f"{folder}/state.safetensors")
    ({'x': tensor([1., 1.])}, {'step': 3})
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_atomically(path, to_bytes(plain, metadata={"glowlite": json.dumps(meta)}))


def read_state(path: str | Path) -> tuple[dict[str, Tensor], dict]:
    """Read (tensors, meta) from a file of `write_state`. GlowliteError if it is missing, damaged or not ours."""
    path = Path(path)
    if not path.is_file():
        raise GlowliteError(f"there is no file {path}")
    try:
        with safe_open(path, framework="pt") as file:
            meta = (file.metadata() or {}).get("glowlite")
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError) as error:
        raise GlowliteError(f"{path} is damaged or no safetensors file; fetch or write it again") from error
    if meta is None:
        raise GlowliteError(f"{path} was not written by glowlite, so what its weights mean is unknown")
    return tensors, json.loads(meta)


def save(path: str | Path, model: Glow, card: dict) -> Path:
    """Write model weights to `path` (.safetensors) and their card beside it (.json), and return the path.

    The card gets the configuration, the number of parameters and the weights' sha256. The caller gives the rest: data
    and seed, images seen, held-out bits/dim and so on.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(f"{folder}/tiny", Glow(GlowConfig((3, 16, 16), levels=2)), {"data": "none"})
    ...     load(path).config.shape, read_card(path)["data"]
    ((3, 16, 16), 'none')
    """
    path = Path(path).with_suffix(".safetensors")
    write_state(path, model.state_dict(), {"config": model.config.to_dict(), "format": FORMAT})
    parameters = sum(p.numel() for p in model.parameters())
    card = {"config": model.config.to_dict(), "parameters": parameters, "sha256": sha256(path), **card}
    write_atomically(path.with_suffix(".json"), (json.dumps(card, indent=2) + "\n").encode())
    return path


def load(name_or_path: str | Path, device: str | torch.device = "cpu") -> Glow:
    """A trained Glow in eval mode: one that ships ("faces64") or a file of your own.

    GlowliteError if there is no such model, if the file is damaged (its sha256 is not its card's), or if the weights do
    not fit the configuration.

    >>> load("faces64").config.levels
    4
    """
    path = find(name_or_path)
    card = read_card(path, required=False)
    if "sha256" in card and card["sha256"] != sha256(path):
        raise GlowliteError(f"{path} is not the file its card describes (sha256 differs); fetch it again")
    tensors, meta = read_state(path)
    if not isinstance(meta.get("config"), dict):
        raise GlowliteError(f"{path} holds no configuration of a Glow, so no model can be built from it")
    model = Glow(GlowConfig.from_dict(meta["config"]))
    try:
        model.load_state_dict(renamed(tensors, meta, model.config.levels))
    except RuntimeError as error:
        raise GlowliteError(
            f"the weights in {path} do not fit its configuration; it is no model of this version"
        ) from error
    return model.to(device).eval()


def renamed(tensors: dict[str, Tensor], meta: dict, levels: int) -> dict[str, Tensor]:
    """Rename a Glow's tensors from a file of any format to today's names: format 1 kept a level in three places."""
    if meta.get("format", 1) >= 2:
        return tensors
    rules = ((r"^levels\.(\d+)\.", r"levels.\1.steps."), (r"^splits\.(\d+)\.", r"levels.\1.split."))
    rules += ((r"^top\.", f"levels.{levels - 1}.split."),)
    names = {name: name for name in tensors}
    for old, new in rules:
        names = {name: re.sub(old, new, now) if now == name else now for name, now in names.items()}
    return {now: tensors[name] for name, now in names.items()}


def read_card(name_or_path: str | Path, required: bool = True) -> dict:
    """The card of a model as a dict; {} if it has none and none is required."""
    path = find(name_or_path).with_suffix(".json")
    if not path.is_file():
        if required:
            raise GlowliteError(f"there is no card {path}")
        return {}
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise GlowliteError(f"the card {path} is not valid JSON; fetch it again") from error


def find(name_or_path: str | Path) -> Path:
    """The path of a model's weights, from a name among those that ship or a path. GlowliteError if there is none.

    >>> find("faces64").name
    'faces64.safetensors'
    """
    path = Path(name_or_path)
    shipped = SHIPPED / f"{name_or_path}.safetensors"
    if path.suffix != ".safetensors" and shipped.is_file():
        return shipped
    if path.is_file():
        return path
    names = sorted(p.stem for p in SHIPPED.glob("*.safetensors") if "." not in p.stem)
    raise GlowliteError(
        f"there is no model {str(name_or_path)!r}: give a path to a .safetensors file, or one of those that ship "
        f"({', '.join(names) or 'none here'})"
    )


def sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ---- attribute directions, kept beside the model they belong to ------------------------------------------------------


def directions_path(name_or_path: str | Path) -> Path:
    return find(name_or_path).with_suffix(".directions.safetensors")


def save_directions(name_or_path: str | Path, directions: dict[str, list[Tensor]], facts: dict | None = None) -> Path:
    """Write directions (name -> one (1, C_l, H_l, W_l) a level) beside their model, as float16: 24 kB a direction."""
    tensors = {f"{name}.{level}": eps.half() for name, steps in directions.items() for level, eps in enumerate(steps)}
    path = directions_path(name_or_path)
    write_state(
        path,
        tensors,
        {"model_sha256": sha256(find(name_or_path)), "names": list(directions), **(facts or {})},
    )
    return path


def load_directions(name_or_path: str | Path, device: str | torch.device = "cpu") -> dict[str, list[Tensor]]:
    """The directions that belong to a model. GlowliteError if there are none, or if other weights made them.

    >>> sorted(load_directions("faces64"))[:3]
    ['age', 'beard', 'eye_openness']
    """
    path = directions_path(name_or_path)
    if not path.is_file():
        raise GlowliteError(f"there are no directions {path}; make them with: glowlite directions {name_or_path}")
    tensors, meta = read_state(path)
    if meta.get("model_sha256") != sha256(find(name_or_path)):
        raise GlowliteError(
            f"{path} was made for other weights; make it again with: glowlite directions {name_or_path}"
        )
    levels = len(tensors) // max(len(meta["names"]), 1)
    return {name: [tensors[f"{name}.{level}"].float().to(device) for level in range(levels)] for name in meta["names"]}
