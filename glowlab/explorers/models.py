"""The models that a page's address can ask for, and the credit that a page owes for them."""

import json
from urllib.parse import parse_qsl

from glowlite.folders import ASSETS

MODELS = {"faces64": "drawn", "portraits64": "real"}  # and the kind of faces that each learned from
USUAL = "faces64"
PORTRAITS = "The portraits are in the public domain; those of Katherine Johnson and Kalpana Chawla are by NASA."


def asked_model(query: str) -> str:
    """The model that an address asks for; the usual one where it asks for none, or for one that is not in MODELS."""
    asked = dict(parse_qsl(query.lstrip("?"))).get("model")
    return asked if asked in MODELS else USUAL


def credit(name: str) -> str:
    """Two sentences: whose pictures a model of real faces learned from, and whose portraits stand beside it."""
    card = json.loads((ASSETS / "checkpoints" / f"{name}.json").read_text(encoding="utf-8"))
    return f"The model of real faces learned from {card['credit'].partition(';')[0]}. {PORTRAITS}"
