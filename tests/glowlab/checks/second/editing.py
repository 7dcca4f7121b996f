"""Answers to the exercises of notebook 12b in another style: a sum that is corrected, masks, a stop."""


def edit(picture, moves, encode, decode, directions):
    eps = [level.clone() for level in encode(picture)]
    stands = dict.fromkeys(directions, 0.0)
    pictures = []
    for name, place in moves:
        for level, step in zip(eps, directions[name], strict=True):
            level += (place - stands[name]) * step
        stands[name] = place
        pictures += [decode(eps)]
    return pictures


def amounts_for(reading, wanted, low, high):
    low, high = low.clone(), high.clone()
    while (high - low).max() > 1e-3:
        middle = low + (high - low) / 2
        below = reading(middle) < wanted
        low[below] = middle[below]
        high[~below] = middle[~below]
    return high
