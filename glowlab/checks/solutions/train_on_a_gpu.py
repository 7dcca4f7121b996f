"""Answers to the exercises of notebook 09."""


def save(run):
    import copy

    state = {
        "step": run.step,
        "model": run.model.state_dict(),
        "average": run.average.state_dict(),
        "optimizer": run.optimizer.state_dict(),
    }
    return copy.deepcopy(state)  # the run goes on changing its own tensors


def largest_batch(budget, first, second):
    (n1, bytes1), (n2, bytes2) = first, second
    each = (bytes2 - bytes1) / (n2 - n1)  # bytes for one more picture
    fixed = bytes1 - n1 * each
    return max(0, int((budget - fixed) // each))
