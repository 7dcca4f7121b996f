"""The models that a page's address can ask for, and the credit that a page owes for them. Loads no PyTorch."""

import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl

from glowlite.errors import GlowliteError
from glowlite.folders import ASSETS

MODELS = {"faces64": "drawn", "portraits64": "real"}  # and the kind of faces that each learned from
CHECKPOINTS = ASSETS / "checkpoints"
PORTRAITS = "The portraits are in the public domain; those of Katherine Johnson and Kalpana Chawla are by NASA."


def list_models(first: str = "") -> list[str]:
    """The models that a server offers: `first`, one that ships or a path of one's own, before those that ship.

    GlowliteError where there is no such file.
    """
    if first and first not in MODELS and not (first.endswith(".safetensors") and Path(first).is_file()):
        known = ", ".join(MODELS)
        raise GlowliteError(f"There is no model {first!r}: give a path to a .safetensors file, or one of {known}.")
    return list(dict.fromkeys([first or next(iter(MODELS)), *MODELS]))


def find_weights(model: str) -> Path:
    """The weights of a model of such a list."""
    return CHECKPOINTS / f"{model}.safetensors" if model in MODELS else Path(model)


def asked_model(query: str, names: Sequence[str]) -> str:
    """The model that an address asks for, of these; the first where it asks for none of them."""
    asked = dict(parse_qsl(query.lstrip("?"))).get("model")
    return asked if asked in names else names[0]


def credit(name: str) -> str:
    """Two sentences: whose pictures a model of real faces learned from, and whose portraits stand beside it."""
    card = json.loads((CHECKPOINTS / f"{name}.json").read_text(encoding="utf-8"))
    return f"The model of real faces learned from {card['credit'].partition(';')[0]}. {PORTRAITS}"
