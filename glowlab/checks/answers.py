"""Parts shared by several checks: the shape of an answer, combinations of mistakes, log-dets that count pixels."""

from collections.abc import Iterator
from itertools import product

import torch
from torch import Tensor

from glowlab.checks.base import Mistake, name_mistake, same


def tensor_of(result, shape: tuple[int, ...], name: str) -> Tensor:
    """`result` where it is a tensor of this shape, else a Mistake that says what it is."""
    if not isinstance(result, Tensor):
        raise Mistake(f"{name} must be a tensor of shape {shape}, not a {type(result).__name__}")
    if tuple(result.shape) != shape:
        raise Mistake(f"{name} must have the shape {shape}, not {tuple(result.shape)}")
    return result.detach()


def least_mistaken(result: Tensor, candidates: Iterator[tuple[list[str], Tensor]]) -> list[str] | None:
    """The fewest mistakes, in words, that lead to `result`: [] where it is right, None if none of them explains it."""
    found = [words for words, value in candidates if same(result, value)]
    return min(found, key=len) if found else None


def variants(*choices: dict[str, Tensor]) -> Iterator[tuple[list[str], tuple]]:
    """Every way to choose one value from each dict, with the words of those that are wrong ("" is right)."""
    for chosen in product(*(choice.items() for choice in choices)):
        yield [words for words, _ in chosen if words], tuple(value for _, value in chosen)


def explain(words: list[str] | None, otherwise: str) -> None:
    """Return if there is no mistake; else raise one, with all that is wrong."""
    if words is None:
        raise Mistake(otherwise)
    if words:
        raise Mistake("; and ".join(words))


# ---- a log-det that counts pixels ---------------------------------------------------------------------------


def random_log_s(channels: int, generator: torch.Generator) -> Tensor:
    """(C,), both above and below 0, whose sum is far from 0: then its size and its sign can be told."""
    log_s = torch.rand(channels, generator=generator) + 0.3
    log_s[0] = -0.4 - 0.2 * log_s[0]
    return log_s


def random_batch(generator: torch.Generator) -> Tensor:
    """x (B, C, h, w), four different sizes."""
    sizes = (torch.randperm(5, generator=generator)[:4] + 3).tolist()
    return torch.randn(sizes, generator=generator)


def miscounted(x: Tensor, share: Tensor) -> dict[str, Tensor]:
    """Wrong log-dets of pictures x (B, C, h, w), by their diagnosis; each of the h * w pixels adds `share`."""
    batch, channels, height, width = x.shape
    right = height * width * share
    return {
        "you forgot h x w: every pixel adds its share to the log-det": share,
        "the log-det has the right size and the wrong sign": -right,
        "the log-det has the wrong sign, and you forgot h x w": -share,
        "the batch was counted, too: each picture has a log-det of its own": batch * right,
        "channels were counted twice: a pixel's share is that of all its channels": channels * right,
        "batch and channels were counted, too: there are h x w pixels": batch * channels * right,
        "you forgot the width: there are h x w pixels": height * share,
        "you forgot the height: there are h x w pixels": width * share,
        "you added h and w: there are h x w pixels": (height + width) * share,
        "those are the wrong two axes: x is (B, C, h, w), so h and w come last": channels * height * share,
    }


def diagnose_log_det(result, x: Tensor, log_s: Tensor) -> None:
    """Return if `result` is h * w * sum(log_s), for each picture of x; else raise the Mistake that explains it."""
    batch, _, height, width = x.shape
    log_s = log_s.double()
    one, pixels = log_s.sum(), height * width
    if isinstance(result, Tensor) and result.numel() == 1 and same(result.reshape(()), one * pixels):
        words = f"each of the {batch} pictures needs its own: shape ({batch},)"
        raise Mistake(f"the log-det is the right number, but {words}")
    values = tensor_of(result, (batch,), "the log-det")
    if same(values, (one * pixels).expand(batch)):
        return
    wrong = {
        **miscounted(x, one),
        "that is the mean of log_s; log-dets add up, so the sum is wanted": log_s.mean() * pixels,
        "log_s may be negative, a channel may shrink: no absolute value": log_s.abs().sum() * pixels,
        "log_s is a log already: no exp in the log-det": log_s.exp().sum() * pixels,
        "the log of a sum is not the sum of logs": log_s.exp().sum().log() * pixels,
        "that is the determinant; its log is wanted": log_s.exp().prod() * pixels,
    }
    name_mistake(values, {words: value.expand(batch) for words, value in wrong.items()})
    size = f"{height} x {width} pixels"
    raise Mistake(f"the log-det is {values[0]:.4g} for pictures of {size} where log_s sums to {one:.4g}")
