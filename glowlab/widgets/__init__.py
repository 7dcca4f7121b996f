"""Widgets: the parts of a page, each a small class here and a small module in js/."""

from pathlib import Path

JS = Path(__file__).resolve().parent / "js"
