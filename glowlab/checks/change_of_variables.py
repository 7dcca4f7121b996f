"""Checks of notebook 01: log p(x) under z = f(x) in one dimension; the log-det of 2 x 2 Jacobians, and of two maps."""

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from glowlab.checks.base import NEAR, Mistake, check, run, same
from glowlite.flows.base import Chain
from glowlite.flows.mixing import InvertibleConv1x1
from glowlite.flows.multiscale import standard_normal_log_prob
from glowlite.glow import Glow

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
GRID = torch.linspace(-30, 30, 1_201)  # where the area under a density is measured


def one_each(result, count: int, what: str) -> Tensor:
    """`result` as (count,) numbers, or the Mistake that it is something else."""
    if not isinstance(result, Tensor):
        raise Mistake(f"give back a tensor, one number for each {what}, not {type(result).__name__}")
    result = result.detach()
    if result.shape != (count,):
        why = ": no axis is added" if result.numel() == count else ""
        if result.numel() == 1:
            why = ": nothing is summed over the batch"
        raise Mistake(f"asked is one number for each {what}, so shape ({count},), not {tuple(result.shape)}{why}")
    if not result.is_floating_point():
        raise Mistake(f"give back floats, not {result.dtype}")
    return result


def explain(result: Tensor, right: Tensor, wrong: Mapping[str, Sequence[Tensor]], otherwise: str) -> None:
    """Return if `result` is `right`; else raise the Mistake whose numbers it has, or how many are `otherwise`."""
    if same(result, right):
        return
    for words, candidates in wrong.items():
        if any(same(result, values) for values in candidates):
            raise Mistake(words)
    many = int((~torch.isclose(result.double(), right, rtol=NEAR, atol=NEAR)).sum())
    raise Mistake(f"{many} of {len(right)} numbers are not {otherwise}")


# ---- log p(x) under z = f(x) -------------------------------------------------------------------------------


def random_map(generator: torch.Generator, falling: bool) -> tuple[Callable, Callable, list]:
    """(f, its slope, the list of what f was called with): steep in the middle, flat outside, rising or falling."""
    a, b, c, d, e = torch.rand(5, generator=generator, dtype=torch.float64).tolist()
    a, b, c, d, e = 0.4 + 0.3 * a, 0.8 + 0.6 * b, 1.2 + 0.8 * c, d - 0.5, 0.3 + e
    sign, seen = (-1 if falling else 1), []

    def f(x: Tensor) -> Tensor:
        seen.append(x)
        return sign * (a * x + b * torch.tanh(c * (x - d)) + e)

    return f, lambda x: sign * (a + b * c / torch.cosh(c * (x - d)) ** 2), seen


def some_x(generator: torch.Generator) -> Tensor:
    """9 to 12 numbers from -3 to 3, in no order."""
    count = int(torch.randint(9, 13, (), generator=generator))
    x = torch.linspace(-3, 3, count) + 0.2 * torch.rand(count, generator=generator)
    return x[torch.randperm(count, generator=generator)]


def wrong_log_probs(x: Tensor, z: Tensor, slope: Tensor, slope_at_z: Tensor) -> dict[str, list[Tensor]]:
    """Wrong values of log p(x), by their diagnosis."""
    base, log_det, c = -(z**2) / 2 - HALF_LOG_2PI, slope.abs().log(), HALF_LOG_2PI
    right, stretch, at_x = base + log_det, slope.abs(), -(x**2) / 2 - HALF_LOG_2PI
    return {
        "that is log p(z): the Jacobian is forgotten": [base],
        "that is the log-det alone: the density at z is missing": [log_det],
        "your log-det has the right size and the wrong sign: where forward stretches, were the x closer together "
        "than the z, or farther apart?": [base - log_det],
        "right size, wrong sign: that is minus log p(x), which one would minimise": [-right],
        "the slope is added as it is: a factor on the density becomes its logarithm on the log density": [
            base + stretch,
            base + slope,
        ],
        "the slope is multiplied with a logarithm: a factor on the density is added to the log density, "
        "as a logarithm": [base * stretch, base * slope],
        "two logarithms are multiplied: the log of a product is a sum": [base * log_det],
        "that is p(x) itself: asked is its logarithm": [right.exp()],
        "log p(z) must be a logarithm, too: here the density itself is added to the log-det": [base.exp() + log_det],
        "abs stands around the logarithm and belongs around the slope: a log-det may be negative": [
            base + log_det.abs()
        ],
        "the normal density was asked at x, and it is z = f(x) that is normal": [at_x + log_det, at_x],
        "the slope was taken at z: the map starts at x, so its slope is needed there": [base + slope_at_z.abs().log()],
        "the normal density is not complete: its constant, half of log 2 pi, is missing": [right + c],
        "the constant of the normal density is half of log 2 pi, not the whole": [right - c],
        "the constant of the normal density has the wrong sign": [right + 2 * c],
        "the logarithm in the normal's constant is of the product 2 pi; yours is of 2 alone, and pi stands outside": [
            right + c - 0.5 * math.log(2) * math.pi
        ],
        "the normal density has z squared over 2; the half is missing": [right - z**2 / 2],
        "the normal density falls away from 0, yours rises: the square needs a minus": [right + z**2],
        "log-dets are in nats, so with torch.log; yours is with another logarithm": [
            base + log_det / math.log(base_of) for base_of in (2, 10)
        ],
    }


@check(
    "log_prob",
    hints=[
        "Three lines are enough: z, then log p(z), then the log-det. What does each need?",
        "log p(z) of the standard normal is -z**2 / 2 minus half of log 2 pi. z is f(x).",
        "slope(f, x) gives dz/dx. A map may fall as well as rise; whether it falls or rises makes no difference to "
        "how much ink there is.",
        "Test the sign by hand with z = 2 x: it stretches, so the ink was denser on the x axis.",
    ],
    solution=[standard_normal_log_prob, Glow.log_density],
)
def log_prob(attempt, generator):
    """attempt(f, x) -> log p(x), shape (B,), where z = f(x) is standard normal; x (B,), f data to latent."""
    x = some_x(generator)
    for falling in (False, True):
        f, slope, seen = random_map(generator, falling)
        exact = x.double()
        z = f(exact)
        slopes = slope(exact), slope(z)
        seen.clear()
        given = x.clone()
        result = run(attempt, f, given)
        if not torch.equal(given.detach(), x):
            raise Mistake("it changes x in place; make new tensors, or the caller's data changes, too")
        result = one_each(result, len(x), "x")
        right = standard_normal_log_prob(z[:, None]) + slopes[0].abs().log()
        if not seen and not same(result, right):
            raise Mistake("it never calls the f that it is given, and f is a different one each time")
        if falling and result.isnan().any() and not (right.isnan()).any():
            raise Mistake(
                "where f falls your answer is not a number: dz/dx is negative there, and ink does not care which way"
            )
        yield "one number for each x"
        where = "falls, though all are right where it rises" if falling else "rises"
        explain(result, right, wrong_log_probs(exact, z, *slopes), f"log p(x), for an f that {where}")
        yield "log p(x) is right for an f that falls" if falling else "log p(x) is right for an f that rises"
    densities = run(attempt, f, GRID.clone()).detach().double().exp()
    measured = torch.trapezoid(densities, GRID.double()).item()
    if abs(measured - 1) > 1e-3:
        raise Mistake(f"over a long grid the area under its density is {measured:.3f}, not 1")
    yield f"the area under your density, measured, is {measured:.3f}"


# ---- the log-det of a 2 x 2 Jacobian -----------------------------------------------------------------------


def random_jacobians(generator: torch.Generator) -> Tensor:
    """(B, 2, 2): turns and stretches, half of them with a flip, areas both above and below 1."""
    count = 2 * int(torch.randint(3, 6, (), generator=generator))
    turns = torch.rand(2, count, generator=generator, dtype=torch.float64) * 1.1 + 0.25  # never along the axes
    c, s = turns.cos(), turns.sin()
    first, last = torch.stack([c, -s, s, c], -1).view(2, count, 2, 2)
    sizes = torch.linspace(-0.9, 1.1, count, dtype=torch.float64)
    shape = 0.35 + 0.3 * torch.rand(count, generator=generator, dtype=torch.float64)
    stretch = torch.stack([sizes / 2 + shape, sizes / 2 - shape], -1).exp()
    stretch[::2, 1] *= -1
    made = (first @ torch.diag_embed(stretch) @ last).float()
    return made[torch.randperm(count, generator=generator)]


def wrong_log_dets(jacobian: Tensor) -> dict[str, list[Tensor]]:
    """Wrong values of log |det J|, by their diagnosis."""
    a, b, c, d = jacobian.flatten(1).unbind(1)
    det = a * d - b * c
    right = det.abs().log()
    return {
        "that is the determinant, an area with a sign: asked is the logarithm of its size": [det],
        "that is the area, |det|: its logarithm is still to be taken": [det.abs()],
        "that is the sign, the first of the two things that slogdet gives: it only tells of flips": [det.sign()],
        "right size, wrong sign: that is the log-det of the way back": [-right],
        "the two products are added: the second one must be taken away": [(a * d + b * c).abs().log()],
        "only one diagonal was used: that is enough for a triangular matrix, and these are not": [
            (a * d).abs().log(),
            (b * c).abs().log(),
        ],
        "that is the trace, a sum; areas come from products": [(a + d).abs().log()],
        "the wrong numbers are multiplied: each product takes one number from each row and each column": [
            (a * b - c * d).abs().log(),
            (a * c - b * d).abs().log(),
        ],
        "abs stands around the logarithm: where a map shrinks areas, its log-det is negative": [right.abs()],
        "twice too large: that is the logarithm of the squared determinant": [2 * right],
        "log-dets are in nats, so with torch.log; yours is with another logarithm": [
            right / math.log(base_of) for base_of in (2, 10)
        ],
    }


def forgets_the_batch(result, jacobian: Tensor) -> bool:
    """Whether `result` is computed from J[0, 0], J[0, 1], ..., as if the batch axis were not there."""
    jacobian = jacobian.double()
    det = jacobian[0, 0] * jacobian[1, 1] - jacobian[0, 1] * jacobian[1, 0]  # (2,)
    likely = det, det.abs(), det.log(), det.abs().log()
    if not isinstance(result, Tensor) or result.shape != det.shape:
        return False
    return any(torch.allclose(result.detach().double(), values, NEAR, NEAR, equal_nan=True) for values in likely)


@check(
    "log_det",
    hints=[
        "The determinant of [[a, b], [c, d]] is the signed area of the parallelogram: a d - b c.",
        "J[:, 0, 1] is the number in row 0, column 1 of every matrix of the batch at once.",
        "A flip makes the determinant negative, and ink cannot be negative. Which function loses a sign?",
        "torch.linalg.slogdet does it for any D. It gives two things, and only one is the log-det.",
    ],
    solution=[InvertibleConv1x1.log_abs_det],
)
def log_det(attempt, generator):
    """attempt(jacobian) -> log |det|, in nats, shape (B,), for Jacobians (B, 2, 2), some of which flip."""
    jacobian = random_jacobians(generator)
    given = jacobian.clone()
    result = run(attempt, given)
    if not torch.equal(given, jacobian):
        raise Mistake("it changes the matrices it is given, in place; make new ones")
    if isinstance(result, tuple) and len(result) == 2:
        raise Mistake("that is two things, as slogdet gives them: a sign, and the log-det. Only one is asked")
    if forgets_the_batch(result, jacobian):
        raise Mistake(
            f"asked is one number for each matrix, so shape ({len(jacobian)},), not (2,): J[0, 0] is a row of the "
            "first matrix; the batch axis comes first, J[:, 0, 0]"
        )
    result = one_each(result, len(jacobian), "matrix")
    yield "one number for each matrix"
    exact = jacobian.double()
    right = torch.linalg.slogdet(exact)[1]
    flips = torch.linalg.det(jacobian) < 0
    if result.isnan().any() or result.isinf().any():
        if same(result[~flips], right[~flips]):
            raise Mistake(
                "where a map flips, its determinant is negative and your logarithm is not a number: how much ink "
                "there is does not depend on the flip"
            )
        raise Mistake("some of the numbers are not finite, and no area here is 0")
    if same(result[~flips], right[~flips]) and not same(result, right):
        raise Mistake("right for the maps that keep the way round, wrong for those that flip")
    explain(result, right, wrong_log_dets(exact), "the logarithm of the area")
    yield "the logarithm of the area is right, with a flip and without"
    both = run(attempt, jacobian @ jacobian.flip(0))
    if not same(both.detach(), right + right.flip(0)):
        raise Mistake("right for these maps, but not for two of them one after the other")
    yield "for two maps one after the other your log-dets add up"


# ---- the log-det of two maps, by hand ----------------------------------------------------------------------


def sway(x: Tensor) -> Tensor:
    """The notebook's first map of the plane, (B, 2) -> (B, 2)."""
    x1, x2 = x.unbind(1)
    return torch.stack([(x1 - 0.6 * torch.sin(1.5 * x2)) * torch.exp(0.4 * torch.tanh(x2)), x2], 1)


def wrong_sums(x: Tensor, y: Tensor) -> dict[str, list[Tensor]]:
    """Wrong log-dets of `sway` and then `bend`, by their diagnosis."""
    (x1, x2), (y1, y2) = x.unbind(1), y.unbind(1)
    first, second = 0.4 * torch.tanh(x2), 0.35 * y1
    squared = 1 - torch.tanh(x2) ** 2
    return {
        "bend begins where sway ended, so its log-det is needed at y; yours is at x": [first + 0.35 * x1],
        "that is the log-det of sway alone": [first],
        "that is the log-det of bend alone": [second, 0.35 * x1],
        "right size, wrong sign: that is the log-det of the way back": [-first - second],
        "one of the two log-dets has the wrong sign: both maps go forward": [first - second, second - first],
        "that is the determinant of both, a factor on areas: its logarithm is asked": [(first + second).exp()],
        "the determinants are added: factors multiply, and their logarithms add up": [
            first.exp() + second.exp(),
            (first.exp() + second.exp()).log(),
        ],
        "the logarithms are multiplied: they add up": [first * second],
        "the slope of tanh is not needed: the derivative along x1 leaves exp(0.4 tanh(x2)) as it is": [
            0.4 * squared + second,
            0.4 * squared * torch.tanh(x2) + second,
        ],
        "sway's factor depends on x2, and bend's on y1; yours took the other one": [
            0.4 * torch.tanh(x1) + second,
            first + 0.35 * y2,
            0.4 * torch.tanh(x1) + 0.35 * y2,
        ],
        "that is the log-det of bend twice": [0.35 * x1 + second],
        "the tanh is missing: sway stretches by exp(0.4 tanh(x2))": [0.4 * x2 + second],
    }


@check(
    "log_det_of_both",
    hints=[
        "Begin with bend alone. Its Jacobian has four slopes. One of them is 0; which is then left in a d - b c?",
        "The slope of z2 along y2 is exp(0.35 y1), since nothing else depends on y2. So its log-det is 0.35 y1.",
        "In sway it is x2 that stays, so the slope of y1 along x1 does the stretching.",
        "Log-dets add up, each taken where its own map begins: sway begins at x, and bend at y.",
    ],
    solution=[Chain.forward],
)
def log_det_of_both(attempt, generator):
    """attempt(x, y) -> log |det dz/dx| for y = sway(x), z = bend(y), shape (B,); x and y (B, 2)."""
    count = int(torch.randint(5, 9, (), generator=generator))
    x = 1.5 * torch.randn(count, 2, generator=generator)
    y = sway(x)
    given = x.clone(), y.clone()
    result = run(attempt, x, y)
    if not torch.equal(x, given[0]) or not torch.equal(y, given[1]):
        raise Mistake("it changes x or y in place; make new tensors")
    result = one_each(result, count, "point")
    yield "one number for each point"
    x, y = x.double(), y.double()
    right = 0.4 * torch.tanh(x[:, 1]) + 0.35 * y[:, 0]
    explain(result, right, wrong_sums(x, y), "the log-det of both maps")
    yield "it is the log-det of the whole way, from a formula"
