"""Explorers: pages on which one moves what a flow computes. Each `open_...()` gives one, with the model that ships."""

import importlib

_HOMES = {  # read when it is asked for, so that a page loads no more than it shows
    "AttributeExplorer": "attributes",
    "InterpolationExplorer": "interpolation",
    "Studio": "studio",
    "TemperatureExplorer": "temperature",
    "open_attributes": "attributes",
    "open_interpolation": "interpolation",
    "open_studio": "studio",
    "open_temperature": "temperature",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
