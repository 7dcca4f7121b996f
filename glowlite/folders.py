"""ASSETS: the folder of what ships with the package, such as weights and posters."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
# An installed package has its assets inside, a checkout beside it.
ASSETS = HERE / "assets" if (HERE / "assets").is_dir() else HERE.parent / "assets"
