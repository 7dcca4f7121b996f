"""Checks of notebook 04: W from its factors, its log-det from log_s, and W undone by two triangular solves."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from glowlite.checks.base import Mistake, check, run
from glowlite.flows.mixing import InvertibleConv1x1LU, Mixing


class Factors(NamedTuple):
    """What a layer stores: P (C, C), L and U (C, C) with all their numbers, sign and log_s (C,); float64."""

    P: Tensor
    L: Tensor
    U: Tensor
    sign: Tensor
    log_s: Tensor

    def lower(self) -> Tensor:
        return self.L.tril(-1) + torch.eye(len(self.L)).to(self.L)

    def upper(self) -> Tensor:
        return self.U.triu(1) + torch.diag(self.sign * self.log_s.exp())


def random_factors(generator: torch.Generator) -> Factors:
    """Factors at which no mistake can hide: P is not its own inverse, both signs occur, all numbers count."""
    channels = int(torch.randint(4, 8, (1,), generator=generator))
    order = torch.randperm(channels, generator=generator)
    while torch.equal(order[order], torch.arange(channels)):
        order = torch.randperm(channels, generator=generator)
    L, U = torch.randn(2, channels, channels, generator=generator, dtype=torch.float64)
    sign = torch.ones(channels, dtype=torch.float64)
    sign[torch.randperm(channels, generator=generator)[: channels // 2]] = -1
    return Factors(
        torch.eye(channels, dtype=torch.float64)[order], L, U, sign, random_log_s(channels, generator)
    )


def random_log_s(channels: int, generator: torch.Generator) -> Tensor:
    """(C,) float64, both above and below 0, whose sum is far from 0: then its size and its sign can be told."""
    log_s = torch.rand(channels, generator=generator, dtype=torch.float64) + 0.3
    log_s[0] = -0.4 - 0.2 * log_s[0]
    return log_s


def same(a: Tensor, b: Tensor) -> bool:
    """Equal but for rounding; float32 is precise enough."""
    return a.shape == b.shape and torch.allclose(a.double(), b.double(), rtol=1e-5, atol=1e-5)


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


# ---- W from its factors ------------------------------------------------------------------------------------

ORDERS = {
    "": lambda P, lower, upper: P @ lower @ upper,
    "P is on the wrong side: W = P (L + I) (...)": lambda P, lower, upper: lower @ upper @ P,
    "lower comes before upper, W = P lower upper": lambda P, lower, upper: P @ upper @ lower,
    "P is transposed: use it as it is given": lambda P, lower, upper: P.T @ lower @ upper,
    "P is missing": lambda P, lower, upper: lower @ upper,
    "* multiplies number by number, not matrices: use @": lambda P, lower, upper: P * lower * upper,
}


def wrong_products(given: Factors) -> Iterator[tuple[list[str], Tensor]]:
    P, L, U, sign, log_s = given
    eye = torch.eye(len(L)).to(L)
    lowers = {
        "": given.lower(),
        "the identity is missing from L + I": L.tril(-1),
        "the numbers of L on and above its diagonal must not count: they are no parameters": L + eye,
        "the diagonal of L must not count, I is there in its place": L.tril() + eye,
        "L brings its own diagonal; a lower triangle with ones there is asked for": L.tril(),
    }
    diagonals = {
        "": sign * log_s.exp(),
        "the signs are missing from the diagonal": log_s.exp(),
        "the diagonal holds log_s itself; its exp is wanted": sign * log_s,
        "the sign belongs outside the exp": (sign * log_s).exp(),
        "log_s is missing from the diagonal": sign,
        "the diagonal is missing from U": torch.zeros_like(log_s),
    }
    rests = {
        "": U.triu(1),
        "the numbers of U on and below its diagonal must not count": U,
        "the diagonal of U must not count, sign * exp(log_s) is there in its place": U.triu(),
    }
    for words, (order, lower, rest, diagonal) in variants(ORDERS, lowers, rests, diagonals):
        yield words, order(P, lower, rest + torch.diag(diagonal))


@check(
    "build_w",
    hints=[
        "Two triangles are needed. tril(-1) keeps what is strictly below the diagonal, triu(1) what is above it.",
        "The lower triangle gets ones on its diagonal: add torch.eye. The upper one gets sign * exp(log_s) there.",
        "torch.diag turns (C,) numbers into a matrix with these on its diagonal. Then multiply: P, lower, upper, by @.",
    ],
    solution=[InvertibleConv1x1LU.factors, InvertibleConv1x1LU.matrix],
)
def build_w(attempt, generator):
    """attempt(P, L, U, sign, log_s) -> W (C, C) = P (L + I) (U + diag(sign * exp(log_s))).

    Of L and U, which are full (C, C) tables, the strict triangles alone count.
    """
    given = random_factors(generator)
    result = run(attempt, *(part.clone() for part in given))
    W = tensor_of(result, tuple(given.P.shape), "W")
    yield "W has a row and a column for each channel"
    off = (W - given.P @ given.lower() @ given.upper()).abs().max()
    otherwise = (
        f"W is not P (L + I) (U + diag(...)), by up to {off:.2g}: print each factor, where are its zeros?"
    )
    explain(least_mistaken(W, wrong_products(given)), otherwise)
    yield "it is P (L + I) (U + diag(sign * exp(log_s))), and nothing outside the triangles counts"
    if not same(torch.linalg.slogdet(W)[1], given.log_s.sum()):
        raise Mistake("its log |det| is not sum(log_s)")
    yield "slogdet agrees: log |det W| = sum(log_s)"


# ---- the log-det -------------------------------------------------------------------------------------------


def random_batch(generator: torch.Generator) -> Tensor:
    """x (B, C, H, W), float64, four different sizes."""
    sizes = (torch.randperm(5, generator=generator)[:4] + 3).tolist()
    return torch.randn(sizes, generator=generator, dtype=torch.float64)


def diagnose_log_det(result, x: Tensor, log_s: Tensor) -> None:
    """Return if `result` is H * W * sum(log_s), for each picture of x; else raise the Mistake that explains it."""
    batch, channels, height, width = x.shape
    one, pixels = log_s.sum(), height * width
    if isinstance(result, Tensor) and result.numel() == 1 and same(result.reshape(()), one * pixels):
        words = f"each of the {batch} pictures needs its own: shape ({batch},)"
        raise Mistake(f"the log-det is the right number, but {words}")
    values = tensor_of(result, (batch,), "the log-det")
    if same(values, (one * pixels).expand(batch)):
        return
    wrong = {
        "you forgot H x W: every pixel adds its share to the log-det": one,
        "the log-det has the right size and the wrong sign": -one * pixels,
        "the log-det has the wrong sign, and you forgot H x W": -one,
        "the batch was counted, too: each picture has a log-det of its own": one * pixels * batch,
        "you forgot the width: there are H x W pixels": one * height,
        "you forgot the height: there are H x W pixels": one * width,
        "channels were counted twice: the sum runs over them already": one * pixels * channels,
        "that is the mean of log_s; log-dets add up, so the sum is wanted": log_s.mean() * pixels,
        "log_s may be negative, a channel may shrink: no absolute value": log_s.abs().sum() * pixels,
        "log_s is a log already: no exp in the log-det": log_s.exp().sum() * pixels,
        "the log of a sum is not the sum of logs": log_s.exp().sum().log() * pixels,
        "that is the determinant; its log is wanted": log_s.exp().prod() * pixels,
    }
    for words, value in wrong.items():
        if same(values, value.expand(batch)):
            raise Mistake(words)
    size = f"{height} x {width} pixels"
    raise Mistake(f"the log-det is {values[0]:.4g} for pictures of {size} where log_s sums to {one:.4g}")


@check(
    "log_det",
    hints=[
        "log |det W| of one pixel is the sum of log_s. How often is W applied to one picture?",
        "Once at each of the H x W pixels, and log-dets add up. x.shape is (B, C, H, W).",
        "All pictures of the batch get the same number: make B of it, for example with expand(B).",
    ],
    solution=[InvertibleConv1x1LU.log_abs_det, Mixing.forward],
)
def log_det(attempt, generator):
    """attempt(x, log_s) -> (B,) nats: the log-det of the layer for each picture of x (B, C, H, W)."""
    x = random_batch(generator)
    log_s = random_log_s(x.shape[1], generator)
    diagnose_log_det(run(attempt, x.clone(), log_s.clone()), x, log_s)
    yield "one number for each picture"
    yield "it counts every pixel, and slogdet of W would say the same"


# ---- two triangular solves ---------------------------------------------------------------------------------


class NoInverse(TorchFunctionMode):
    """Notes whether a matrix is inverted, or a general system solved, on the way."""

    DEAR = ("inverse", "inv", "inv_ex", "pinv", "pinverse", "solve")

    def __init__(self):
        super().__init__()
        self.used = ""

    def __torch_function__(self, function, types, arguments=(), named=None):
        name = getattr(function, "__name__", "").removeprefix("linalg_")
        self.used = name if name in self.DEAR else self.used
        return function(*arguments, **(named or {}))


def wrong_undos(z: Tensor, P: Tensor, lower: Tensor, upper: Tensor) -> Iterator[tuple[list[str], Tensor]]:
    """Every wrong way to undo P lower upper that the hints could lead to; solve_triangular ignores one triangle."""
    solve = torch.linalg.solve_triangular

    def diagonal(y: Tensor) -> Tensor:
        return y / upper.diagonal()[:, None]

    def unit(y: Tensor) -> Tensor:
        return solve(upper, y, upper=True, unitriangular=True)

    lowers = {
        "": lambda y: solve(lower, y, upper=False),
        "the lower triangle was solved as an upper one (upper=True), so only its diagonal was seen": lambda y: (
            y
        ),
        "the lower triangle is applied once more, not undone": lambda y: lower @ y,
        "the lower triangle is still there (solved with upper=True, only its diagonal is seen)": lambda y: y,
    }
    uppers = {
        "": lambda y: solve(upper, y, upper=True),
        "the upper triangle was solved as a lower one (upper=False), so only its diagonal was seen": diagonal,
        "unitriangular=True takes ones for the diagonal, and the upper triangle has others": unit,
        "the upper triangle is applied once more, not undone": lambda y: upper @ y,
        "the upper triangle is still there": lambda y: y,
    }
    permutations = {
        "": lambda y: P.T @ y,
        "P was applied once more; its inverse is its transpose": lambda y: P @ y,
        "P was not undone": lambda y: y,
    }
    inside_out = "W = P lower upper: P was applied last, so it must be undone first, then lower, then upper"
    orders = {"": (0, 1, 2), inside_out: (2, 1, 0), inside_out + " ": (0, 2, 1), inside_out + "  ": (1, 2, 0)}
    for words, (undo_p, undo_lower, undo_upper, order) in variants(permutations, lowers, uppers, orders):
        y, steps = z, (undo_p, undo_lower, undo_upper)
        for i in order:
            y = steps[i](y)
        yield [word.strip() for word in words], y


@check(
    "undo",
    hints=[
        "W x = P (lower (upper x)). Which of the three was applied last? Undo that one first.",
        "The inverse of a permutation matrix is its transpose, P.T: no solving there.",
        "torch.linalg.solve_triangular(A, y, upper=...) gives the x with A x = y. You need it twice.",
    ],
    solution=[InvertibleConv1x1LU.inverse_matrix],
)
def undo(attempt, generator):
    """attempt(z, P, lower, upper) -> x, both (C, N), a column for each pixel, where z = P lower upper x."""
    given = random_factors(generator)
    P, lower, upper = given.P, given.lower(), given.upper()
    x = torch.randn(
        len(P), int(torch.randint(8, 13, (1,), generator=generator)), generator=generator
    ).double()
    z = P @ lower @ upper @ x
    with NoInverse() as watch:
        result = run(attempt, z.clone(), P.clone(), lower.clone(), upper.clone())
    result = tensor_of(result, tuple(x.shape), "x")
    yield "a column for each pixel"
    if same(result, P @ lower @ upper @ z):
        raise Mistake("that is W applied once more, not undone")
    off = (result - x).abs().max()
    otherwise = f"x does not come back, it is off by up to {off:.2g}: undo P, then lower, then upper"
    explain(least_mistaken(result, wrong_undos(z, P, lower, upper)), otherwise)
    yield "x comes back"
    if watch.used:
        raise Mistake(
            f"right, but {watch.used} costs c^3 and sees no triangle: solve_triangular, twice, needs c^2 a pixel"
        )
    yield "and no matrix was inverted"
