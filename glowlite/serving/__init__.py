"""The server behind `python -m glowlite.serve`: addresses, kernels, settings, the page around an explorer."""
