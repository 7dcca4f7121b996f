"""What the explorers know of a model and its pictures, in PyTorch; the pages themselves are in glowlab/web."""

NAMES = ("studio", "temperature", "interpolation", "attributes")
