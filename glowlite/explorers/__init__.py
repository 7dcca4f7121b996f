"""Explorers: pages on which one moves what a flow computes. `open_studio()` gives the one with faces."""

from glowlite.explorers.studio import Studio, open_studio

__all__ = ["Studio", "open_studio"]
