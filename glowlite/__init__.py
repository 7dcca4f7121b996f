"""glowlite: a small, readable Glow (Kingma & Dhariwal 2018) to learn from, train and explore.

>>> import glowlite
>>> from glowlite.data import faces
>>> model = glowlite.load("faces64")  # a trained flow
>>> images, attributes = faces.draw(2, seed=1)  # uint8 (2, 3, 64, 64), and the truth about each face
>>> latents = model.encode(images)  # one tensor per level
>>> bool((model.decode(latents) == images).all())  # every pixel comes back
True
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("glowlite")
except PackageNotFoundError:  # a plain checkout that was never installed
    __version__ = "0+unknown"

MODULES = {"Glow": "glow", "GlowConfig": "glow", "PRESETS": "glow", "fuse": "fusion", "load": "checkpoint"}
__all__ = list(MODULES)


def __getattr__(name: str):
    """Import torch only when it is needed, so that `glowlite --help` answers at once."""
    if name in MODULES:
        return getattr(import_module(f"glowlite.{MODULES[name]}"), name)
    raise AttributeError(f"module 'glowlite' has no attribute {name!r}")
