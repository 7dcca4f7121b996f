"""Synthetic notes, and a small Glow of them."""
