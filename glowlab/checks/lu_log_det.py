"""Checks of notebook 04: W from its factors, a test of any layer's log-det, W undone by two triangular solves."""

import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from glowlab.checks.answers import explain, least_mistaken, random_log_s, tensor_of, variants
from glowlab.checks.base import Mistake, check, run, same
from glowlite.flows.mixing import InvertibleConv1x1LU


class Factors(NamedTuple):
    """The tensors of a layer: P (C, C), L and U (C, C) with all their numbers, sign and log_s (C,)."""

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
    # small, so that float32 undoes W to five digits
    L, U = 0.5 * torch.randn(2, channels, channels, generator=generator)
    sign = torch.ones(channels)
    sign[torch.randperm(channels, generator=generator)[: channels // 2]] = -1
    return Factors(torch.eye(channels)[order], L, U, sign, random_log_s(channels, generator))


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
        "the numbers of L on and above its diagonal must not count": L + eye,
        "the diagonal of L must not count, I is there in its place": L.tril() + eye,
        "L brings its own diagonal; a lower triangle with ones there is asked for": L.tril(),
        "L + 1 adds 1 to every number of L; the identity is a matrix, torch.eye": L.tril(-1) + 1,
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
    shapes = {
        "": torch.diag,
        "(C,) numbers added to a matrix go to every row; torch.diag makes a diagonal of them": lambda d: d,
    }
    for words, (order, lower, rest, diagonal, shape) in variants(ORDERS, lowers, rests, diagonals, shapes):
        yield words, order(P, lower, rest + shape(diagonal))


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
    otherwise = f"W is not P (L + I) (U + diag(...)), by up to {off:.2g}: print each factor, where are its zeros?"
    explain(least_mistaken(W, wrong_products(given)), otherwise)
    yield "it is P (L + I) (U + diag(sign * exp(log_s))), and nothing outside the triangles counts"
    if not same(torch.linalg.slogdet(W)[1], given.log_s.sum()):
        raise Mistake("its log |det| is not sum(log_s)")
    yield "slogdet agrees: log |det W| = sum(log_s)"


# ---- a test of any layer's log-det ---------------------------------------------------------------------------

Layer = Callable[[Tensor], tuple[Tensor, Tensor]]  # x (B, C, h, w) -> z, log_det (B,)


def layer_of(W: Tensor, log_det: Callable[[Tensor], float]) -> Layer:
    """z = W x at every pixel, with whatever `log_det` counts for the batch x."""
    return lambda x: (torch.einsum("ij,bjhw->bihw", W, x), x.new_ones(len(x)) * log_det(x))


def random_layers(generator: torch.Generator) -> tuple[dict[str, Layer], dict[str, Layer]]:
    """Layers of three channels in float32 whose log-det is right, and others whose log-det is not, by their fault."""
    L, U = 0.5 * torch.randn(2, 3, 3, generator=generator)
    U[0, 1], L[0, 1] = 1.0, 0.8  # L counts nowhere above its diagonal, except in the layer that forgot this
    log_s = random_log_s(3, generator)
    lower, upper = L.tril(-1) + torch.eye(3), U.triu(1) + torch.diag(log_s.exp())
    W, full, one = lower @ upper, (L.triu(1) + lower) @ upper, log_s.sum().item()
    right = {
        "P, L, U": layer_of(W.flip(0), lambda x: one * x[0, 0].numel()),
        "one that shrinks": layer_of(W.inverse(), lambda x: -one * x[0, 0].numel()),
    }
    wrong = {
        "forgets h x w": layer_of(W, lambda x: one),
        "has the wrong sign": layer_of(W, lambda x: -one * x[0, 0].numel()),
        "counts the batch, too": layer_of(W, lambda x: one * x[:, 0].numel()),
        "is right for square pictures alone": layer_of(W, lambda x: one * x.shape[2] ** 2),
        "forgets that L has numbers above its diagonal here": layer_of(full, lambda x: one * x[0, 0].numel()),
        "is 0 always": layer_of(W, lambda x: 0.0),
    }
    return right, wrong


def verdict_of(attempt, layer: Layer, x: Tensor) -> bool:
    """The attempt's True or False."""
    result = run(attempt, layer, x.clone())
    if isinstance(result, (Tensor, np.ndarray, np.generic)):
        values = np.asarray(result)
        if values.size != 1:
            raise Mistake(f"one answer for the layer is asked for, True or False, not {values.size} of them")
        result = values.item()
    if not isinstance(result, bool):
        raise Mistake(f"it must give back True or False, not a {type(result).__name__}")
    return result


@check(
    "counts_right",
    hints=[
        "A flow's log-det is log |det J|, where J holds the derivatives of all z by all x of ONE picture.",
        "torch.autograd.functional.jacobian(f, one) gives J of a function f. Let f call the layer on one[None] and "
        "flatten its z. J.reshape(n, n) is a square then, with n = C h w.",
        "torch.linalg.slogdet(J)[1] is its log |det|. Compare with the layer's own by torch.isclose: float32 has seven "
        "digits, so == is too strict.",
    ],
    solution=[],
)
def counts_right(attempt, generator):
    """attempt(layer, x) -> bool: whether log_det of `z, log_det = layer(x)` is the one that its Jacobian has."""
    x = torch.randn(3, 3, 2, 4, generator=generator)
    right, wrong = random_layers(generator)
    said = {name: verdict_of(attempt, layer, x) for name, layer in (right | wrong).items()}
    if len(set(said.values())) == 1:
        never = "; float32 has seven digits, so leave room for the last two or three" if not any(said.values()) else ""
        raise Mistake(f"it says {said['P, L, U']} of every layer, of right ones and of wrong ones{never}")
    if not all(said[name] for name in right):
        raise Mistake(
            "a layer that counts right is called wrong. Is J that of one picture? Is log |det J| meant, whatever the "
            "sign of the determinant?"
        )
    yield "layers that count right pass"
    if passed := [fault for fault in wrong if said[fault]]:
        raise Mistake(f"a layer passes whose log-det {passed[0]}")
    yield f"{len(wrong)} layers that count wrong are all found"


# ---- two triangular solves ---------------------------------------------------------------------------------


class NoInverse(TorchFunctionMode):
    """Notes an inverse or a general solve by torch, numpy or scipy; one of P or its transpose in `used_on_p`."""

    DEAR = ("inverse", "inv", "inv_ex", "pinv", "pinverse", "solve")

    def __init__(self, P: Tensor):
        super().__init__()
        self.P, self.used, self.used_on_p = P, "", ""

    def __enter__(self):
        self.before = sys.getprofile()
        sys.setprofile(self.look)
        return super().__enter__()

    def __exit__(self, *error):
        sys.setprofile(self.before)
        return super().__exit__(*error)

    def look(self, frame, event: str, _) -> None:
        """Sees each call of a Python function; those of numpy and scipy are such."""
        code = frame.f_code
        if event == "call" and code.co_name in self.DEAR and "linalg" in code.co_filename:
            self.note(code.co_name, next(iter(frame.f_locals.values()), None))

    def __torch_function__(self, function, types, arguments=(), named=None):
        name, named = getattr(function, "__name__", "").removeprefix("linalg_"), named or {}
        if name in self.DEAR:
            self.note(name, next(iter((*arguments, *named.values())), None))
        return function(*arguments, **named)

    def note(self, name: str, matrix) -> None:
        matrix = torch.from_numpy(matrix) if isinstance(matrix, np.ndarray) else matrix
        if isinstance(matrix, Tensor) and (same(matrix, self.P) or same(matrix, self.P.T)):
            self.used_on_p = name
        else:
            self.used = name


def wrong_undos(z: Tensor, P: Tensor, lower: Tensor, upper: Tensor) -> Iterator[tuple[list[str], Tensor]]:
    """The wrong ways to undo P lower upper that the hints could lead to; solve_triangular ignores one triangle."""
    solve = torch.linalg.solve_triangular

    def diagonal(y: Tensor) -> Tensor:
        return y / upper.diagonal()[:, None]

    def unit(y: Tensor) -> Tensor:
        return solve(upper, y, upper=True, unitriangular=True)

    lowers = {
        "": lambda y: solve(lower, y, upper=False),
        "the lower triangle was solved as an upper one (upper=True), so only its diagonal was seen": lambda y: y,
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
    x = torch.randn(len(P), int(torch.randint(8, 13, (1,), generator=generator)), generator=generator)
    z = P @ lower @ upper @ x
    with NoInverse(P) as watch:
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
            f"right, but {watch.used} costs C^3 and sees no triangle: solve_triangular, twice, needs C^2 a pixel"
        )
    if watch.used_on_p:
        raise Mistake(f"right, but P needs no {watch.used_on_p}: what undoes a permutation is its transpose, P.T")
    yield "and no matrix was inverted"
