"""Third answers to the exercises of notebook 09: clones, tensor by tensor; a line fitted by numpy."""

import copy

import numpy as np


def save(run):
    def cloned(part):
        return {name: tensor.clone() for name, tensor in part.state_dict().items()}

    state = {"model": cloned(run.model), "average": cloned(run.average), "seed": run.seed}
    state["optimizer"] = copy.deepcopy(run.optimizer.state_dict())
    state["step"] = run.step
    return state


def largest_batch(budget, first, second):
    each, fixed = np.polyfit(*zip(first, second, strict=True), 1)
    return np.floor(max(budget - fixed, 0) / each)
