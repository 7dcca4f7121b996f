"""The server behind `python -m glowlab.serve`: addresses, kernels, settings, the page around an explorer."""
