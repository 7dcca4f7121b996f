"""Explorers: pages with controls for a flow. Each `open_...()` opens one with the model that ships."""

import importlib

NAMES = ("studio", "temperature", "interpolation", "attributes")
_HOMES = {  # imported on demand, so that a page loads no more than it shows
    "AttributeExplorer": "attributes",
    "InterpolationExplorer": "interpolation",
    "Studio": "studio",
    "TemperatureExplorer": "temperature",
    **{f"open_{name}": name for name in NAMES},
}
__all__ = ["NAMES", *sorted(_HOMES)]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
