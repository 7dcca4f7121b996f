"""The server behind `glowlite explore`: addresses, kernels, settings, the page around an explorer."""
