"""LRU cache of model outputs: a question asked before, also before a kernel was forked, costs nothing."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor


class Cache:
    """LRU cache of up to `most` results for each model.

    For frozen models only (no parameter needs a gradient); a write to a weight empties the model's cache.
    """

    def __init__(self, most: int):
        self.most = most
        self._results: WeakKeyDictionary[torch.nn.Module, tuple[int, OrderedDict]] = WeakKeyDictionary()

    def get(self, model, keys: Sequence[Hashable], compute: Callable[[list[int]], Sequence[Any]]) -> list:
        """A result for each key; `compute(places)` gives the results of the keys at these places, which are missing."""
        results = self._of(model)
        missing = [i for i, key in enumerate(keys) if key not in results]
        new = dict(zip(missing, compute(missing), strict=True)) if missing else {}
        for i, key in enumerate(keys):
            if i in new:
                results[key] = new[i]
            results.move_to_end(key)
        found = [results[key] for key in keys]
        while len(results) > self.most:
            results.popitem(last=False)
        return found

    def _of(self, model) -> OrderedDict:
        weights = [*model.parameters(), *model.buffers()]  # of a fused model, most are buffers
        if any(weight.requires_grad for weight in weights):
            return OrderedDict()
        version = sum(weight._version for weight in weights)  # counts writes in place
        entry = self._results.get(model)
        if entry is None or entry[0] != version:
            entry = self._results[model] = (version, OrderedDict())
        return entry[1]


def hash_rows(*tensors: Tensor) -> list[bytes]:
    """A key for each of the B rows of these tensors (B, ...): a hash of its bytes."""
    rows = zip(*(tensor.detach().cpu().flatten(1) for tensor in tensors), strict=True)
    return [hashlib.blake2b(b"".join(part.numpy().tobytes() for part in row), digest_size=16).digest() for row in rows]
