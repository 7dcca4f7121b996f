"""Weights on disk: safetensors (never pickle), and beside them a JSON card that tells how they were made."""

import hashlib
import json
import os
import re
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor

from glowlite.errors import GlowliteError, quoted
from glowlite.files import write_atomically
from glowlite.folders import ASSETS
from glowlite.glow import Glow, GlowConfig

SHIPPED = ASSETS / "checkpoints"


NO_CHECKSUM = "0" * 64  # stands in a file while its checksum is computed
FORMAT = 2  # of the names of a Glow's tensors; files without a number are of format 1


def write_state(path: str | Path, tensors: dict[str, Tensor], meta: dict, before=None) -> None:
    """Tensors and JSON-able facts in one safetensors file, written atomically, with a checksum of the whole file.

    before: as of `write_atomically`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_state(f"{folder}/state.safetensors", {"x": torch.ones(2)}, {"step": 3})
    ...     read_state(f"{folder}/state.safetensors")
    ({'x': tensor([1., 1.])}, {'step': 3})
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = to_bytes(plain, metadata={"glowlite": NO_CHECKSUM + json.dumps(meta)})
    checksum = _checksum(content, NO_CHECKSUM)
    write_atomically(path, content.replace(NO_CHECKSUM.encode(), checksum.encode(), 1), before)


def read_state(path: str | Path) -> tuple[dict[str, Tensor], dict]:
    """Read (tensors, meta) from a file of `write_state`. GlowliteError if it is missing, damaged or not ours.

    The file is read, not mapped: Windows lets nobody replace a file that is mapped.
    """
    path = Path(path)
    if not os.path.isfile(path):
        raise GlowliteError(f"there is no file {path}")
    try:
        content = path.read_bytes()
        tensors = from_bytes(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        text = header.get("__metadata__", {}).get("glowlite")
        if text is not None:
            if not text.startswith("{"):  # files of earlier versions have no checksum
                checksum, text = text[: len(NO_CHECKSUM)], text[len(NO_CHECKSUM) :]
                if _checksum(content, checksum) != checksum:
                    raise ValueError("the checksum differs")
            return tensors, dict(json.loads(text))
    except OSError as error:
        raise GlowliteError(f"{path} cannot be read: {error.strerror or error}") from error
    except (SafetensorError, ValueError, TypeError, LookupError, RuntimeError) as error:
        raise GlowliteError(f"{path} is damaged or no safetensors file; fetch or write it again") from error
    raise GlowliteError(f"{path} was not written by glowlite, so what its weights mean is unknown")


def _checksum(content: bytes, checksum: str) -> str:
    """The sha256 of a file with zeros in place of its checksum."""
    place = content.index(checksum.encode())
    digest = hashlib.sha256(content[:place] + NO_CHECKSUM.encode())
    digest.update(memoryview(content)[place + len(NO_CHECKSUM) :])
    return digest.hexdigest()


def build(config: GlowConfig, tensors: dict[str, Tensor]) -> Glow:
    """A Glow with these weights; nothing is allocated for it before they are known to fit. GlowliteError if not."""
    try:
        if sum(config.per_level("depth")) > len(tensors):
            raise RuntimeError("fewer tensors than steps")
        with torch.device("meta"):
            model = Glow(config)
        wanted = model.state_dict()
        tensors = {name: value.to(wanted[name].dtype) if name in wanted else value for name, value in tensors.items()}
        model.load_state_dict(tensors, assign=True)
    except (RuntimeError, TypeError, OverflowError) as error:
        raise GlowliteError("the weights do not fit their configuration; this is no model of this version") from error
    return model


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
    place = path.with_suffix(".json")
    meta = {"config": model.config.to_dict(), "format": FORMAT}
    # A card goes before its weights do: whoever is killed here leaves a model without a card, never one with another's.
    write_state(path, model.state_dict(), meta, before=lambda: place.unlink(missing_ok=True))
    parameters = sum(p.numel() for p in model.parameters())
    card = {"config": model.config.to_dict(), "parameters": parameters, "sha256": sha256(path), **card}
    card = json.loads(json.dumps(card), parse_constant=lambda _: None)  # JSON has no NaN
    write_atomically(place, (json.dumps(card, indent=2, allow_nan=False) + "\n").encode())
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
    try:
        config = GlowConfig.from_dict(meta["config"])
        model = build(config, renamed(tensors, meta, config.levels))
    except GlowliteError as error:
        raise GlowliteError(f"{path}: {error}") from error
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
    """The card of a model as a dict; {} if it has none and none is required. A NaN, which is no JSON, becomes None."""
    path = find(name_or_path).with_suffix(".json")
    if not path.is_file():
        if required:
            raise GlowliteError(f"there is no card {path}")
        return {}
    try:
        card = json.loads(path.read_bytes(), parse_constant=lambda _: None)
        if not isinstance(card, dict):
            raise ValueError("no object")
    except (ValueError, RecursionError) as error:
        raise GlowliteError(f"the card {path} is not valid JSON; fetch it again") from error
    return card


def find(name_or_path: str | Path) -> Path:
    """The path of a model's weights, from a name among those that ship or a path. GlowliteError if there is none.

    >>> find("faces64").name
    'faces64.safetensors'
    """
    path = Path(name_or_path)
    shipped = SHIPPED / f"{name_or_path}.safetensors"
    if path.suffix != ".safetensors" and os.path.isfile(shipped):
        return shipped
    if os.path.isfile(path):
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
        raise GlowliteError(
            f"there are no directions {path}; make them with: {quoted('glowlite', 'directions', name_or_path)}"
        )
    tensors, meta = read_state(path)
    if meta.get("model_sha256") != sha256(find(name_or_path)):
        raise GlowliteError(
            f"{path} was made for other weights; make it again with: {quoted('glowlite', 'directions', name_or_path)}"
        )
    try:
        levels = range(len(tensors) // len(meta["names"]))
        return {name: [tensors[f"{name}.{level}"].float().to(device) for level in levels] for name in meta["names"]}
    except (LookupError, TypeError, ZeroDivisionError) as error:
        raise GlowliteError(
            f"{path} is damaged; make it again with: {quoted('glowlite', 'directions', name_or_path)}"
        ) from error
