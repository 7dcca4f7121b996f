"""Answers to the exercises of notebook 12b in a third style: all moves in one batch, the step halved."""

import torch


def edit(picture, moves, encode, decode, directions):
    eps = encode(picture)
    places = torch.zeros(len(moves), len(directions))
    for i, (name, place) in enumerate(moves):
        places[i:, list(directions).index(name)] = place
    stacked = [torch.cat([step[level] for step in directions.values()]) for level in range(len(eps))]
    return decode(
        [level + torch.einsum("ms,schw->mchw", places, step) for level, step in zip(eps, stacked, strict=True)]
    )


def amounts_for(reading, wanted, low, high):
    amount, step = low.double(), (high - low).double() / 2
    for _ in range(14):
        amount = amount + step * (reading(amount + step) <= wanted)
        step = step / 2
    return amount
