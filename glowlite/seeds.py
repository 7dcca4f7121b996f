"""Seeds: mix several numbers into one, so that every random draw of a run has its own generator."""

import torch


def mix(*numbers: int) -> int:
    """A seed in [0, 2**31) from several numbers, mixed as in splitmix64 (Steele et al. 2014).

    >>> mix(1, 2) == mix(1, 2), mix(1, 2) == mix(2, 1)
    (True, False)
    """
    state = 0
    for number in numbers:
        state = (state + number + 0x9E3779B97F4A7C15) % 2**64
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB % 2**64
        state ^= state >> 31
    return state >> 33


def generator(device: torch.device | str, *numbers: int) -> torch.Generator:
    """A random generator on `device`, seeded by `mix` of the numbers."""
    return torch.Generator(device).manual_seed(mix(*numbers))
