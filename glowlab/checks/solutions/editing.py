"""Answers to the exercises of notebook 12b."""

import torch

from glowlite import latents


def edit(picture, moves, encode, decode, directions):
    eps = encode(picture)  # once; an edited picture is rounded
    places, shown = {}, []
    for name, place in moves:
        places[name] = place  # where the slider stands now, not how far it goes on
        moved = eps
        for slider, amount in places.items():
            moved = latents.add(moved, directions[slider], amount)
        shown.append(decode(moved))
    return shown


def amounts_for(reading, wanted, low, high):
    for _ in range(20):
        middle = (low + high) / 2
        too_little = reading(middle) < wanted
        low = torch.where(too_little, middle, low)
        high = torch.where(too_little, high, middle)
    return (low + high) / 2
