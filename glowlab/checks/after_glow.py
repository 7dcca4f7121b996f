"""Checks of notebook 15b: an autoregressive flow mended, the flow matching loss, a coupling that knows a label."""

import torch
import torch.nn.functional as F
from torch import Tensor

from glowlab.checks.base import Mistake, check, name_mistake, run, same

__all__ = ["conditional", "matching_loss", "mended"]

KINDS = 3  # labels of exercise 3: 0, 1, 2


def random_numbers(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator)


def two(result, log_det_shape: tuple[int, ...], z_shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """z and log_det of an answer, of the right shapes."""
    if not isinstance(result, tuple) or len(result) != 2:
        raise Mistake("it must give back two things: return z, log_det")
    z, log_det = result
    for name, part, shape in (("z", z, z_shape), ("log_det", log_det, log_det_shape)):
        if part is None or part is Ellipsis:
            raise Mistake(f"{name} is still missing")
        if not isinstance(part, Tensor) or part.shape != shape:
            what = tuple(part.shape) if isinstance(part, Tensor) else type(part).__name__
            raise Mistake(f"{name} must have the shape {shape}, not {what}")
    return z, log_det


# ---- exercise 1 -------------------------------------------------------------------------------------------------


def causal_network(tokens: int, channels: int, generator: torch.Generator):
    """A network whose answer for a token, (m, a), depends on that token and on all before it."""
    weight = random_numbers(generator, tokens, tokens, channels, 2 * channels) / (tokens * channels) ** 0.5
    weight = weight * torch.ones(tokens, tokens).tril()[..., None, None]  # from token s to token t only if s <= t
    bias = 0.3 * random_numbers(generator, 2 * channels)

    def network(x: Tensor) -> Tensor:
        return torch.tanh(torch.einsum("bsc,tscd->btd", x, weight.to(x)) + bias.to(x))

    return network


def scaled(x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    m, a = h.chunk(2, 2)
    return (x - m) * torch.exp(-a), -a.sum((1, 2))


def later(h: Tensor) -> Tensor:
    """Every token gets the answer for the token before it, the first one zeros."""
    return F.pad(h[:, :-1], (0, 0, 1, 0))


@check(
    "mended",
    hints=[
        "Going back, token t is x_t = z_t exp(a_t) + m_t. Which tokens are known at that moment? What does network(x) "
        "need for its answer at place t?",
        "The network's answer at place t - 1 has seen tokens 0 to t - 1: just those that are known when token t is "
        "wanted. So h has to move by one place along axis 1.",
        "The first token has nothing before it: its m and a are 0. torch.nn.functional.pad(h[:, :-1], (0, 0, 1, 0)) "
        "puts one place of zeros in front.",
    ],
)
def mended(attempt, generator):
    """attempt(x, network) gives z (B, T, C) and log_det (B,); network(x) (B, T, 2C) is causal."""
    count, tokens, channels = (torch.randint(2, 5, (3,), generator=generator)).tolist()
    x = random_numbers(generator, count, tokens + 1, channels)
    network = causal_network(tokens + 1, channels, generator)
    z, log_det = two(run(attempt, x.clone(), network), (count,), tuple(x.shape))
    h = network(x)
    right, right_log_det = scaled(x, later(h))
    by_input = scaled(x, network(F.pad(x[:, :-1], (0, 0, 1, 0))))  # an equally good flow
    if same(z, by_input[0]) and same(log_det, by_input[1]):
        right, right_log_det = by_input
    m, a = h.chunk(2, 2)
    name_mistake(z, {
        "token t is still moved by an answer that has seen token t itself; on the way back it is not known yet":
            scaled(x, h)[0],
        "h moved the wrong way: token t now depends on token t + 1, which comes later":
            scaled(x, F.pad(h[:, 1:], (0, 0, 0, 1)))[0],
        "the first token got the last one's answer, which has seen everything; it must get zeros (roll brings it "
        "round)": scaled(x, h.roll(1, 1))[0],
        "m is right, but a still comes from the token itself": (x - later(m)) * torch.exp(-a),
        "a is right, but m still comes from the token itself": (x - m) * torch.exp(-later(a)),
    } if not same(z, right) else {})  # fmt: skip
    if not same(z, right):
        raise Mistake("z is not (x - m) exp(-a) with m and a from the tokens before")
    yield "z: each token is moved by what those before it say"
    name_mistake(log_det, {} if same(log_det, right_log_det) else {
        "log_det has the wrong sign: exp(-a) shrinks where a is positive": -right_log_det,
        "z is right, but log_det still adds up the answers that did not move": scaled(x, h)[1],
    })  # fmt: skip
    if not same(log_det, right_log_det):
        raise Mistake("log_det is not the sum of the -a that were used")
    yield "log_det: the sum of the -a that were used"


# ---- exercise 2 -------------------------------------------------------------------------------------------------


@check(
    "matching_loss",
    hints=[
        "Three lines: the point on the way, the velocity that leads straight from z to x, the mean squared distance "
        "between that and what velocity(point, t) says.",
        "At t = 0 the point is the noise z, at t = 1 the datum x: (1 - t) * z + t * x. Its derivative by t does not "
        "depend on t.",
        "(velocity(point, t) - (x - z)).square() has two numbers for each pair: add those, then take the mean over the "
        "pairs.",
    ],
)
def matching_loss(attempt, generator):
    """attempt(velocity, x, z, t) gives one number; x and z are (N, 2), t (N, 1)."""
    count = int(torch.randint(5, 9, (), generator=generator))
    x, z = random_numbers(generator, count, 2), random_numbers(generator, count, 2)
    t = torch.rand(count, 1, generator=generator)
    weight, bias = random_numbers(generator, 3, 2), random_numbers(generator, 2)

    def velocity(points: Tensor, times: Tensor) -> Tensor:
        if not isinstance(points, Tensor) or points.shape != x.shape:
            raise Mistake(f"velocity(points, t) takes points of the shape {tuple(x.shape)}")
        times = torch.as_tensor(times, dtype=points.dtype).expand(count, 1)
        return torch.tanh(torch.cat([points, times], 1) @ weight + bias)

    found = run(attempt, velocity, x.clone(), z.clone(), t.clone())
    if not isinstance(found, Tensor) or found.dim():
        what = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise Mistake(f"the loss is one number, a tensor of no axes, not {what}: take the mean over the pairs")

    def loss(at, wanted) -> Tensor:
        return (velocity(at, t) - wanted).square().sum(1).mean()

    point, straight = (1 - t) * z + t * x, x - z
    right = loss(point, straight)
    if not same(found, right):
        off = (velocity(point, t) - straight).square()
        name_mistake(found, {
            "that velocity leads back, from data to noise: z is where t = 0 and x where t = 1, so it is x - z":
                loss(point, -straight),
            "the ends are changed over: at t = 0 the point is z, at t = 1 it is x": loss(t * z + (1 - t) * x, straight),
            "point and velocity both lead from x to z: t = 0 is the noise z, t = 1 the datum x":
                loss(t * z + (1 - t) * x, -straight),
            "velocity is asked at x; it has to learn what to do half-way, at the point for time t": loss(x, straight),
            "velocity is asked at z; it has to learn what to do half-way, at the point for time t": loss(z, straight),
            "wanted is x - z, not x itself: a velocity is a difference": loss(point, x),
            "wanted is the velocity x - z, not the point": loss(point, point),
            "the mean also goes over the two coordinates: add these, then take the mean over the pairs": off.mean(),
            "the sum goes over the pairs too: take their mean": off.sum(),
            "the distance is not squared: only its square has the mean velocity as its minimum":
                off.sum(1).sqrt().mean(),
        })  # fmt: skip
        raise Mistake("it is not the mean squared distance between velocity(point, t) and x - z")
    yield "the point for time t lies on the straight line from z to x"
    yield "the loss is the mean squared distance to the velocity x - z"


# ---- exercise 3 -------------------------------------------------------------------------------------------------


@check(
    "conditional",
    hints=[
        "Nothing changes in a coupling but what its network sees. torch.cat puts x_a and the label side by side.",
        f"A label is no quantity: 2 is not twice 1. torch.nn.functional.one_hot(label, {KINDS}) gives {KINDS} numbers, "
        "a 1 at the label's place; .float() makes them fit x_a.",
        "log_s, t = scale_and_shift(torch.cat([x_a, one_hot], 1)); then z_b = (x_b + t) * exp(log_s), as always.",
    ],
)
def conditional(attempt, generator):
    """attempt(x, label, scale_and_shift) gives z (B, 2) and log_det (B,); label (B,) holds whole numbers."""
    count = int(torch.randint(5, 9, (), generator=generator))
    x, label = random_numbers(generator, count, 2), torch.randint(KINDS, (count,), generator=generator)
    weight, bias = random_numbers(generator, 1 + KINDS, 2), random_numbers(generator, 2)

    def scale_and_shift(seen: Tensor) -> tuple[Tensor, Tensor]:
        if not isinstance(seen, Tensor) or seen.dim() != 2 or len(seen) != count:
            raise Mistake(f"scale_and_shift takes one tensor of the shape (B, {1 + KINDS})")
        if seen.shape[1] == 1:
            raise Mistake("scale_and_shift sees x_a alone: the label is missing")
        if seen.shape[1] == 2:
            raise Mistake("the label went in as one number, or x went in whole; the network should see x_a and the "
                          "label as one-hot numbers")  # fmt: skip
        if seen.shape[1] != 1 + KINDS:
            raise Mistake(f"scale_and_shift should see {1 + KINDS} numbers for each point, x_a and {KINDS} of the "
                          f"label; it got {seen.shape[1]}")  # fmt: skip
        log_s, t = torch.tanh(seen.float() @ weight + bias).chunk(2, 1)
        return 0.7 * log_s, t

    z, log_det = two(run(attempt, x.clone(), label.clone(), scale_and_shift), (count,), (count, 2))
    hot = F.one_hot(label, KINDS).float()
    x_a, x_b = x.chunk(2, 1)
    log_s, t = scale_and_shift(torch.cat([x_a, hot], 1))
    right = torch.cat([x_a, (x_b + t) * log_s.exp()], 1)
    if not same(z, right):
        other_s, other_t = scale_and_shift(torch.cat([x_b, hot], 1))
        first_s, first_t = scale_and_shift(torch.cat([hot, x_a], 1))
        name_mistake(z, {
            "shift first, then scale: z_b = (x_b + t) * s": torch.cat([x_a, x_b * log_s.exp() + t], 1),
            "log_s is the logarithm of s: multiply by its exponential": torch.cat([x_a, (x_b + t) * log_s], 1),
            "the halves are changed over: the first number stays and is seen, the second moves":
                torch.cat([(x_a + other_t) * other_s.exp(), x_b], 1),
            "x_a comes first in what the network sees, the label after it":
                torch.cat([x_a, (x_b + first_t) * first_s.exp()], 1),
            "the halves of z are in the wrong order": right.flip(1),
        })  # fmt: skip
        raise Mistake("z is not (x_a, (x_b + t) s) with log s and t of x_a and the label")
    yield "z: the second number moves as the first one and the label say"
    if not same(log_det, log_s[:, 0]):
        name_mistake(log_det, {
            "log_det has the wrong sign": -log_s[:, 0],
            "log_det is log s, not s": log_s.exp()[:, 0],
            "log_det has nothing of t in it: a shift keeps areas": (log_s + t)[:, 0],
            "log_det is a number for each point, not one for all": log_s.sum().expand(count),
        })  # fmt: skip
        raise Mistake("log_det is not the log s of each point")
    yield "log_det: log s, one for each point; the label moves nothing by itself"
