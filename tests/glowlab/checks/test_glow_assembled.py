"""The checks of notebook 08, each tried on the solution, the stub and the mistakes one makes."""

import pytest
import torch
from torch import nn

from glowlab.checks import glow_assembled_parts as ours
from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlab.checks.glow_assembled import flow_step, glow
from glowlab.checks.glow_assembled_parts import (
    actnorm,
    actnorm_inverse,
    conv1x1,
    copy_weights,
    coupling,
    coupling_inverse,
    lines_of,
    split,
    split_inverse,
)
from glowlite.flows import ActNorm, Chain, Coupling, InvertibleConv1x1, Split, Squeeze, TopPrior
from glowlite.flows.coupling import CouplingNetwork, ZeroConv2d
from glowlite.flows.mixing import random_rotation
from glowlite.glow import Glow, GlowConfig
from tests.helpers import jacobian_log_det, perturb


class Step(nn.Module):
    """The class of exercise 1, its two methods those that stand in; the mistakes below replace one of them."""

    def __init__(self, channels, width):
        super().__init__()
        self.norm = nn.Parameter(torch.zeros(2, channels, 1, 1))
        self.W = nn.Parameter(random_rotation(channels))
        self.network = CouplingNetwork(channels // 2, width, channels, edge=False)

    forward, inverse = ours.step_forward, ours.step_inverse


class Whole(nn.Module):
    """The class of exercise 2, likewise."""

    def __init__(self, shape, depth, width):
        super().__init__()
        sizes = [shape[0] * 2 ** (level + 2) for level in range(len(depth))]
        steps = [[Step(c, w) for _ in range(k)] for c, k, w in zip(sizes, depth, width, strict=True)]
        self.levels = nn.ModuleList(Chain(Squeeze(), *level) for level in steps)
        self.priors = nn.ModuleList(ZeroConv2d(c // 2, c, edge=False) for c in sizes[:-1])
        self.top = TopPrior((sizes[-1], *(side >> len(depth) for side in shape[1:])))

    forward, inverse = ours.glow_forward, ours.glow_inverse


def replaced(base, **methods):
    return type(base.__name__, (base,), methods)


def state(verdict, words):
    assert verdict.state == (RIGHT if words is None else WRONG), verdict
    assert words is None or words in verdict.mistake, verdict
    assert bool(verdict) is (words is None)


# ---- FlowStep ----------------------------------------------------------------------------------------------


def by_loop(self, x):
    total = 0
    for part, weights in ((actnorm, tuple(self.norm)), (conv1x1, (self.W,)), (coupling, (self.network,))):
        x, log_det = part(x, *weights)
        total = log_det + total
    return x, total


def ordered(*names):
    def forward(self, x):
        total = torch.zeros(len(x)).to(x)
        for name in names:
            if name == "norm":
                x, log_det = actnorm(x, *self.norm)
            else:
                x, log_det = conv1x1(x, self.W) if name == "conv" else coupling(x, self.network)
            total = total + log_det
        return x, total

    return forward


def x_every_time(self, x):
    _, a = actnorm(x, *self.norm)
    _, b = conv1x1(x, self.W)
    z, c = coupling(x, self.network)
    return z, a + b + c


def with_log_det(change):
    """The right z, and change(a, b, c) of the three log-dets."""

    def forward(self, x):
        y, a = actnorm(x, *self.norm)
        y, b = conv1x1(y, self.W)
        z, c = coupling(y, self.network)
        return z, change(a, b, c)

    return forward


def still_a_pair(self, x):
    z, a = actnorm(x, *self.norm)
    z, b = conv1x1(z, self.W)
    return coupling(z, self.network), a + b


def in_place(self, x):
    x *= 1.0
    x += 1
    return ours.step_forward(self, x)


def crashes(self, x):
    return actnorm(x, *self.norm) + conv1x1(y, self.W)  # noqa: F821


def forgotten_norm(self, x):
    return actnorm(x, self.norm)


FORWARD = {
    "solution": (ours.step_forward, None),
    "a loop": (by_loop, None),
    "conv first": (ordered("conv", "norm", "coupling"), "the 1x1 convolution, ActNorm and the coupling"),
    "coupling first": (ordered("coupling", "conv", "norm"), "another order than the paper's"),
    "no conv": (ordered("norm", "coupling"), "the 1x1 convolution is left out"),
    "no coupling": (ordered("norm", "conv"), "the coupling is left out"),
    "x every time": (x_every_time, "the coupling was given x itself"),
    "only the last log-det": (with_log_det(lambda a, b, c: c), "log-det of ActNorm and the 1x1 convolution"),
    "no conv's log-det": (with_log_det(lambda a, b, c: a + c), "the 1x1 convolution is missing"),
    "no coupling's log-det": (with_log_det(lambda a, b, c: a + b), "differs from picture to picture"),
    "wrong sign": (with_log_det(lambda a, b, c: -a - b - c), "right size and the wrong sign"),
    "one subtracted": (with_log_det(lambda a, b, c: a - b + c), "1x1 convolution is subtracted"),
    "mean over the batch": (with_log_det(lambda a, b, c: (a + b + c).mean()), "one number for each"),
    "mean for each": (
        with_log_det(lambda a, b, c: 0 * c + (a + b + c).mean()),
        "a mean over the batch",
    ),
    "a product": (with_log_det(lambda a, b, c: a * b * c), "not the sum"),
    "a list": (with_log_det(lambda a, b, c: [a, b, c]), "one number for each"),
    "log_det still dots": (with_log_det(lambda a, b, c: ...), "log_det is still missing"),
    "z only": (lambda self, x: ours.step_forward(self, x)[0], "two things"),
    "a pair in a pair": (still_a_pair, "still a pair"),
    "backwards": (lambda self, x: (ours.step_inverse(self, x), torch.zeros(len(x))), "the other way"),
    "x as it came": (lambda self, x: (x, torch.zeros(len(x))), "as it came"),
    "in place": (in_place, "in place"),
    "a typing mistake": (crashes, "at the line `return actnorm"),
    "the star forgotten": (forgotten_norm, "missing 1 required positional argument"),
}


@pytest.mark.parametrize("name", FORWARD)
def test_flow_step_names_the_mistake_in_forward(name):
    method, words = FORWARD[name]
    for seed in range(3):
        state(flow_step(replaced(Step, forward=method), seed=seed), words)


def undo(*steps):
    """inverse as a list of what is done: "norm", "conv", "coupling" undone, with "+" before it done once more."""

    def inverse(self, z):
        for name in steps:
            if name == "norm":
                z = actnorm_inverse(z, *self.norm)
            elif name == "+norm":
                z = actnorm(z, *self.norm)[0]
            elif name in ("conv", "+conv"):
                z = conv1x1(z, self.W if name[0] == "+" else self.W.inverse())[0]
            else:
                z = (coupling_inverse if name[0] != "+" else lambda *a: coupling(*a)[0])(z, self.network)
        return z

    return inverse


INVERSE = {
    "solution": (undo("coupling", "conv", "norm"), None),
    "the same order": (undo("norm", "conv", "coupling"), "the same order as forward"),
    "another order": (undo("conv", "coupling", "norm"), "another order"),
    "W again": (undo("coupling", "+conv", "norm"), "the 1x1 convolution is done once more"),
    "forward again": (undo("+coupling", "+conv", "+norm"), "ActNorm is done once more, the 1x1"),
    "no norm": (undo("coupling", "conv"), "ActNorm is not undone"),
    "two mistakes": (undo("coupling", "+conv"), "done once more and ActNorm is not undone"),
    "a pair": (lambda self, z: (ours.step_inverse(self, z), 0), "inverse gives x alone"),
    "still a stub": (lambda self, z: ..., "inverse is still missing"),
    "wrong shape": (lambda self, z: ours.step_inverse(self, z)[0], "the shape"),
    "W transposed": (
        lambda self, z: actnorm_inverse(conv1x1(coupling_inverse(z, self.network), self.W.T)[0], *self.norm),
        "undoes a rotation only",
    ),
    "a little off": (lambda self, z: ours.step_inverse(self, z) + 1e-3, "the largest error"),
}


@pytest.mark.parametrize("name", INVERSE)
def test_flow_step_names_the_mistake_in_inverse(name):
    method, words = INVERSE[name]
    for seed in range(3):
        verdict = flow_step(replaced(Step, inverse=method), seed=seed)
        state(verdict, words)
        assert "log_det: all three add up" in verdict.holds


def test_weights_in_another_place_are_named():
    class Other(Step):
        def __init__(self, channels, width):
            super().__init__(channels, width)
            self.W = nn.Parameter(torch.zeros(1, 1))

    state(flow_step(Other), "leave __init__ as it was")


# ---- Glow --------------------------------------------------------------------------------------------------


def walk(self, x, swap=False, split_log_det=True, first_only=False):
    latents, total = [], 0
    for level, prior in zip(self.levels, self.priors, strict=False):
        x, log_det = level(x)
        stays, eps, log_det_split = split(x, prior)
        x, eps = (eps, stays) if swap else (stays, eps)
        latents.append(eps)
        total = total + log_det + (log_det_split if split_log_det else 0)
    x, log_det = self.levels[-1](x)
    return latents, x, total, log_det


def swapped(self, x):
    latents, x, total, log_det = walk(self, x, swap=True)
    _, eps, log_det_top = self.top(x)
    return [*latents, eps], total + log_det + log_det_top


def without_top(self, x):
    latents, x, total, log_det = walk(self, x)
    return [*latents, x], total + log_det


def last_forgotten(self, x):
    latents, _, total, _ = walk(self, x)
    return latents, total


def only_the_last(self, x):
    latents, total = ours.glow_forward(self, x)
    return latents[-1:], total


def summed(*names):
    """The right latents, and the sum of only these log-dets: levels, last, splits, top."""

    def forward(self, x):
        latents, _ = ours.glow_forward(self, x)
        _, y, with_splits, last = walk(self, x)
        levels = walk(self, x, split_log_det=False)[2]
        terms = {"levels": levels, "last": last, "splits": with_splits - levels, "top": self.top(y)[2]}
        return latents, sum(terms[name] for name in names)

    return forward


def raw(self, x):
    latents, _ = ours.glow_forward(self, x)
    y = x
    for l, (level, prior) in enumerate(zip(self.levels, self.priors, strict=False)):
        y, _ = level(y)
        latents[l] = y.chunk(2, 1)[1]
        y, _, _ = split(y, prior)
    return latents, 0


def one_level_changed(self, x):
    latents, total = ours.glow_forward(self, x)
    return [latents[0] + 0.1, *latents[1:]], total


def overwritten(self, x):
    """total = log_det at each level, where += was meant; the split's is added."""
    latents, _ = ours.glow_forward(self, x)
    for level, prior in zip(self.levels, self.priors, strict=False):
        x, total = level(x)
        x, _, log_det = split(x, prior)
        total = total + log_det
    x, log_det = self.levels[-1](x)
    return latents, total + log_det + self.top(x)[2]


ASSEMBLED = {
    "solution": (ours.glow_forward, None),
    "the wrong half": (swapped, "the wrong half leaves"),
    "no top prior": (without_top, "have to go through self.top"),
    "last level forgotten": (last_forgotten, "the last level's numbers are missing"),
    "only the last level": (only_the_last, "only the last level's"),
    "coarsest first": (
        lambda self, x: (ours.glow_forward(self, x)[0][::-1], ours.glow_forward(self, x)[1]),
        "the wrong order",
    ),
    "not whitened": (raw, "not whitened"),
    "one level changed": (one_level_changed, "the latents of level 1"),
    "no splits' log-det": (summed("levels", "last", "top"), "the log-det of split 1 and split 2 is missing"),
    "no top's log-det": (summed("levels", "last", "splits"), "the log-det of the top prior is missing"),
    "steps only": (summed("levels", "last"), "split 1, split 2 and the top prior is missing"),
    "last only": (summed("last", "top"), "level 1, split 1, level 2 and split 2 is missing"),
    "the total overwritten": (overwritten, "level 1 and split 1 is missing"),
    "one for all": (
        lambda self, x: (ours.glow_forward(self, x)[0], ours.glow_forward(self, x)[1].sum()),
        "not a single one for all",
    ),
    "wrong sign": (
        lambda self, x: (ours.glow_forward(self, x)[0], -ours.glow_forward(self, x)[1]),
        "the wrong sign",
    ),
    "a sum over the batch": (
        lambda self, x: (ours.glow_forward(self, x)[0], ours.glow_forward(self, x)[1].sum()),
        "one number for each",
    ),
    "stacked": (lambda self, x: (ours.glow_forward(self, x)[0][0], 0), "a list with one tensor"),
    "latents only": (lambda self, x: ours.glow_forward(self, x)[0], "two things"),
    "log_det still dots": (lambda self, x: (ours.glow_forward(self, x)[0], ...), "log_det is still missing"),
    "in place": (lambda self, x: ours.glow_forward(self, x.add_(1)), "in place"),
    "squeezed twice": (
        lambda self, x: self.levels[0](nn.functional.pixel_unshuffle(x, 2)),
        "it stops",
    ),
}


@pytest.mark.parametrize("name", ASSEMBLED)
def test_glow_names_the_mistake_in_forward(name):
    method, words = ASSEMBLED[name]
    for seed in range(3):
        state(glow(replaced(Whole, forward=method), seed=seed), words)


def undo_top(self, eps):
    return self.top.inverse(eps[:, :0], eps)  # nothing stays


def back(top=True, swap=False):
    def inverse(self, latents):
        x = self.levels[-1].inverse(undo_top(self, latents[-1]) if top else latents[-1])
        for l in reversed(range(len(self.priors))):
            halves = (latents[l], x) if swap else (x, latents[l])
            x = self.levels[l].inverse(split_inverse(*halves, self.priors[l]))
        return x

    return inverse


def pops(self, latents):
    x = self.levels[-1].inverse(undo_top(self, latents.pop()))
    for level, prior in reversed(list(zip(self.levels, self.priors, strict=False))):
        x = level.inverse(split_inverse(x, latents.pop(), prior))
    return x


def finest_first(self, latents):
    """The levels in the order of forward."""
    x = self.levels[-1].inverse(undo_top(self, latents[-1]))
    for level, prior, eps in zip(self.levels, self.priors, latents, strict=False):
        x = level.inverse(split_inverse(x, eps, prior))
    return x


def misaligned(self, latents):
    """Both lists turned round, though one is shorter: each prior meets another level's eps."""
    x = undo_top(self, latents[-1])
    for level, prior, eps in zip(reversed(self.levels), reversed(self.priors), latents[::-1], strict=False):
        x = level.inverse(split_inverse(x, eps, prior))
    return x


DISASSEMBLED = {
    "solution": (back(), None),
    "no top": (back(top=False), "self.top.inverse comes first"),
    "halves swapped": (back(swap=True), "what stays and what left are swapped"),
    "both": (back(top=False, swap=True), "swapped"),
    "pops": (pops, "out of the caller's list"),
    "a pair": (lambda self, latents: (ours.glow_inverse(self, latents), 0), "inverse gives x alone"),
    "still a stub": (lambda self, latents: ..., "inverse is still missing"),
    "one level": (lambda self, latents: self.levels[-1].inverse(latents[-1]), "the shape"),
    "finest first": (finest_first, "Do the sizes not fit? the last level comes first"),
    "misaligned": (misaligned, "split_inverse and after that level.inverse"),
    "first level last": (lambda self, latents: ours.glow_inverse(self, latents[::-1]), "it stops"),
    "dark": (lambda self, latents: ours.glow_inverse(self, latents) / 2, "the largest error"),
}


@pytest.mark.parametrize("name", DISASSEMBLED)
def test_glow_names_the_mistake_in_inverse(name):
    method, words = DISASSEMBLED[name]
    for seed in range(3):
        state(glow(replaced(Whole, inverse=method), seed=seed), words)


# ---- both --------------------------------------------------------------------------------------------------


def not_implemented(*given):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [lambda *given: None, lambda *given: (..., ...), not_implemented])
def test_an_untouched_stub_is_not_a_mistake(stub):
    for check, base in ((flow_step, Step), (glow, Whole)):
        verdict = check(replaced(base, forward=stub, inverse=lambda *given: ...))
        assert verdict.state == UNTRIED and not verdict


def test_the_checks_leave_the_random_numbers_of_the_notebook_alone():
    torch.manual_seed(3)
    flow_step(Step)
    glow(Whole)
    after = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(after, torch.rand(1))


def test_hints_and_solutions_are_the_packages_source():
    for check, words in ((flow_step, "log_det_conv"), (glow, "log_det_split")):
        assert len({str(check.hint()) for _ in range(3)}) == 3
        assert words in check.solution().text and "def inverse" in check.solution().text


# ---- what stands in, and what helps ------------------------------------------------------------------------


def test_the_parts_are_those_of_the_package():
    x = torch.randn(3, 8, 4, 6, dtype=torch.float64)
    norm, conv, couple = ActNorm(8), InvertibleConv1x1(8), Coupling(8, 6, edge=False)
    perturb(Chain(norm, conv, couple).double(), x)
    log_s, b = norm.log_scale()[:, None, None], norm.b[:, None, None]
    pairs = [
        (actnorm(x, log_s, b), norm(x)),
        (conv1x1(x, conv.weight), conv(x)),
        (coupling(x, couple.network), couple(x)),
    ]
    part = perturb(Split(8, edge=False).double(), x)
    ours_split, theirs_split = split(x, part.prior), part(x)
    pairs.append((ours_split, theirs_split))
    for mine, theirs in pairs:
        assert all((a - b).abs().max() < 1e-9 for a, b in zip(mine, theirs, strict=True))
    assert torch.allclose(actnorm_inverse(norm(x)[0], log_s, b), x)
    assert torch.allclose(coupling_inverse(couple(x)[0], couple.network), x)
    assert torch.allclose(split_inverse(*ours_split[:2], part.prior), x)


@pytest.mark.parametrize("permutation", ["plain", "lu"])
def test_a_copy_computes_the_same_and_its_log_det_is_the_jacobians(permutation):
    config = GlowConfig((3, 8, 8), 2, (1, 2), (4, 6), permutation=permutation, clamp=ours.CLAMP)
    theirs = perturb(Glow(config).double(), torch.rand(8, 3, 8, 8).double() - 0.5).eval()
    mine = Whole(config.shape, config.depth, config.width).double()
    copy_weights(theirs, mine)
    x = torch.rand(2, 3, 8, 8).double() - 0.5
    with torch.no_grad():
        (latents, log_det), (expected, expected_log_det) = mine(x), theirs(x)
        assert all(torch.allclose(a, b, atol=1e-10) for a, b in zip(latents, expected, strict=True))
        assert torch.allclose(log_det, expected_log_det)
        assert torch.allclose(mine.inverse(latents), x, atol=1e-10)
    assert torch.allclose(jacobian_log_det(mine, x), log_det, atol=1e-8)
    assert sum(p.numel() for p in mine.parameters()) <= sum(p.numel() for p in theirs.parameters())


def test_lines_are_counted_without_blanks_comments_and_docstrings():
    class Small:
        """Not counted."""

        def one(self):
            # not counted

            return 1  # counted

        def two(self):
            """Not counted,
            nor this."""
            return 2

    assert lines_of(Small) == 5
    assert lines_of(ours.step_forward) == 5 and lines_of(ours.glow_inverse) == 5
    assert lines_of(Step) == 15
