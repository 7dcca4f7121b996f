"""glowlite: a small, readable Glow (Kingma & Dhariwal 2018) to learn from, train and explore.

import glowlite
model = glowlite.load("faces64")          # a trained flow, ready
latents = model.encode(images)            # images uint8 (B, 3, 64, 64) -> one tensor per level
model.decode(latents)                     # the very same pixels
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("glowlite")
except PackageNotFoundError:  # a plain checkout that was never installed
    __version__ = "0+unknown"

__all__ = ["Glow", "GlowConfig", "PRESETS", "load"]


def __getattr__(name: str):
    """Import torch only when a flow is asked for, so that `glowlite --help` answers at once."""
    if name in ("Glow", "GlowConfig", "PRESETS"):
        from glowlite import glow

        return getattr(glow, name)
    if name == "load":
        from glowlite.checkpoint import load

        return load
    raise AttributeError(f"module 'glowlite' has no attribute {name!r}")
