"""Other answers to the exercises of notebook 09: through a file in memory; by counting up."""

import torch


def save(run):
    import io

    names = ("model", "average", "optimizer")
    file = io.BytesIO()
    torch.save({name: getattr(run, name).state_dict() for name in names} | {"step": run.step}, file)
    file.seek(0)
    return torch.load(file)


def largest_batch(budget, first, second):
    each = (second[1] - first[1]) / (second[0] - first[0])
    batch = 0
    while first[1] + (batch + 1 - first[0]) * each <= budget:
        batch += 1
    return batch
