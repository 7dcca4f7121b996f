"""Widgets: what a page is made of, each a small class here and a small module in js/."""

from pathlib import Path

JS = Path(__file__).resolve().parent / "js"
