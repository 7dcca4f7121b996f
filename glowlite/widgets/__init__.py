"""Widgets: what a page is made of, each a small class here and a small module in js/."""
