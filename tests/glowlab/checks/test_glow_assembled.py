"""The checks of notebook 08, each tried on the solution, the stub and the mistakes one makes."""

import math

import pytest
import torch
from torch import nn

from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlab.checks.glow_assembled import flow_step, glow, mended_logit, stand_in_glow, stand_in_step
from glowlab.checks.glow_assembled_parts import (
    CLAMP,
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
from glowlab.checks.solutions.glow_assembled import FlowStep as Step
from glowlab.checks.solutions.glow_assembled import Glow as Whole
from glowlite.flows import ActNorm, Chain, Coupling, InvertibleConv1x1, Split
from glowlite.glow import Glow, GlowConfig
from tests.helpers import jacobian_log_det, perturb


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


def without_gradient(self, x):
    with torch.no_grad():
        return Step.forward(self, x)


def z_detached(self, x):
    z, log_det = Step.forward(self, x)
    return z.detach(), log_det


def network_detached(self, x):
    z, log_det = Step.forward(self, x)
    x, a = actnorm(x, *self.norm)
    x, b = conv1x1(x, self.W)
    return z, a + b + coupling(x.detach(), self.network)[1]


def in_place(self, x):
    x *= 1.0
    x += 1
    return Step.forward(self, x)


def crashes(self, x):
    return actnorm(x, *self.norm) + conv1x1(y, self.W)  # noqa: F821


def forgotten_norm(self, x):
    return actnorm(x, self.norm)


FORWARD = {
    "solution": (Step.forward, None),
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
    "z only": (lambda self, x: Step.forward(self, x)[0], "two things"),
    "a pair in a pair": (still_a_pair, "still a pair"),
    "backwards": (lambda self, x: (Step.inverse(self, x), torch.zeros(len(x))), "the other way"),
    "x as it came": (lambda self, x: (x, torch.zeros(len(x))), "as it came"),
    "items": (with_log_det(lambda a, b, c: a.item() + b.item() + c), "ActNorm and the 1x1 convolution has no gradient"),
    "one detached": (
        with_log_det(lambda a, b, c: a + b.detach() + c),
        "the 1x1 convolution has no gradient",
    ),
    "all detached": (with_log_det(lambda a, b, c: (a + b + c).detach()), "and no gradient"),
    "no_grad": (without_gradient, "and no gradient"),
    "the network's part detached": (network_detached, "does not reach all weights"),
    "z detached": (z_detached, "z has the right value, but its gradient"),
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
    "a pair": (lambda self, z: (Step.inverse(self, z), 0), "inverse gives x alone"),
    "still a stub": (lambda self, z: ..., "inverse is still missing"),
    "wrong shape": (lambda self, z: Step.inverse(self, z)[0], "the shape"),
    "W transposed": (
        lambda self, z: actnorm_inverse(conv1x1(coupling_inverse(z, self.network), self.W.T)[0], *self.norm),
        "undoes a rotation only",
    ),
    "a little off": (lambda self, z: Step.inverse(self, z) + 1e-3, "the largest error"),
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
    latents, total = Whole.forward(self, x)
    return latents[-1:], total


def summed(*names):
    """The right latents, and the sum of only these log-dets: levels, last, splits, top."""

    def forward(self, x):
        latents, _ = Whole.forward(self, x)
        _, y, with_splits, last = walk(self, x)
        levels = walk(self, x, split_log_det=False)[2]
        terms = {"levels": levels, "last": last, "splits": with_splits - levels, "top": self.top(y)[2]}
        return latents, sum(terms[name] for name in names)

    return forward


def raw(self, x):
    latents, _ = Whole.forward(self, x)
    y = x
    for l, (level, prior) in enumerate(zip(self.levels, self.priors, strict=False)):
        y, _ = level(y)
        latents[l] = y.chunk(2, 1)[1]
        y, _, _ = split(y, prior)
    return latents, 0


def one_level_changed(self, x):
    latents, total = Whole.forward(self, x)
    return [latents[0] + 0.1, *latents[1:]], total


def overwritten(self, x):
    """total = log_det at each level, where += was meant; the split's is added."""
    latents, _ = Whole.forward(self, x)
    for level, prior in zip(self.levels, self.priors, strict=False):
        x, total = level(x)
        x, _, log_det = split(x, prior)
        total = total + log_det
    x, log_det = self.levels[-1](x)
    return latents, total + log_det + self.top(x)[2]


ASSEMBLED = {
    "solution": (Whole.forward, None),
    "the wrong half": (swapped, "the wrong half leaves"),
    "no top prior": (without_top, "have to go through self.top"),
    "last level forgotten": (last_forgotten, "the last level's numbers are missing"),
    "only the last level": (only_the_last, "only the last level's"),
    "coarsest first": (
        lambda self, x: (Whole.forward(self, x)[0][::-1], Whole.forward(self, x)[1]),
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
        lambda self, x: (Whole.forward(self, x)[0], Whole.forward(self, x)[1].sum()),
        "not a single one for all",
    ),
    "wrong sign": (
        lambda self, x: (Whole.forward(self, x)[0], -Whole.forward(self, x)[1]),
        "the wrong sign",
    ),
    "a sum over the batch": (
        lambda self, x: (Whole.forward(self, x)[0], Whole.forward(self, x)[1].sum()),
        "one number for each",
    ),
    "no gradient": (
        lambda self, x: (Whole.forward(self, x)[0], Whole.forward(self, x)[1].detach()),
        "log_det has no gradient",
    ),
    "latents detached": (
        lambda self, x: ([eps.detach() for eps in Whole.forward(self, x)[0]], Whole.forward(self, x)[1]),
        "the latents have no gradient",
    ),
    "stacked": (lambda self, x: (Whole.forward(self, x)[0][0], 0), "a list with one tensor"),
    "latents only": (lambda self, x: Whole.forward(self, x)[0], "two things"),
    "log_det still dots": (lambda self, x: (Whole.forward(self, x)[0], ...), "log_det is still missing"),
    "in place": (lambda self, x: Whole.forward(self, x.add_(1)), "in place"),
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
    "a pair": (lambda self, latents: (Whole.inverse(self, latents), 0), "inverse gives x alone"),
    "still a stub": (lambda self, latents: ..., "inverse is still missing"),
    "one level": (lambda self, latents: self.levels[-1].inverse(latents[-1]), "the shape"),
    "finest first": (finest_first, "Do the sizes not fit? the last level comes first"),
    "misaligned": (misaligned, "split_inverse and after that level.inverse"),
    "first level last": (lambda self, latents: Whole.inverse(self, latents[::-1]), "it stops"),
    "dark": (lambda self, latents: Whole.inverse(self, latents) / 2, "the largest error"),
}


@pytest.mark.parametrize("name", DISASSEMBLED)
def test_glow_names_the_mistake_in_inverse(name):
    method, words = DISASSEMBLED[name]
    for seed in range(3):
        state(glow(replaced(Whole, inverse=method), seed=seed), words)


# ---- the friend's log-det ----------------------------------------------------------------------------------


def logit(x):
    p = 0.05 + 0.9 * (x + 0.5)
    return (p / (1 - p)).log(), -(p * (1 - p)).log().sum((1, 2, 3))


def adding(amount):
    """The friend's log-det and `amount` of x more."""
    return lambda x: (logit(x)[0], logit(x)[1] + amount(x))


SLOPE = math.log(0.9)
LOGITS = {
    "right": (adding(lambda x: x[0].numel() * SLOPE), None),
    "the friend's": (logit, "still the friend's"),
    "once": (adding(lambda x: SLOPE), "counted once"),
    "per pixel": (adding(lambda x: x[0, 0].numel() * SLOPE), "not H x W"),
    "the batch, too": (adding(lambda x: x.numel() * SLOPE), "the batch were counted"),
    "wrong sign": (adding(lambda x: -x[0].numel() * SLOPE), "smaller, not larger"),
    "no log": (adding(lambda x: 0.9 * x[0].numel()), "adds its log"),
    "times 0.9": (lambda x: (logit(x)[0], 0.9 * logit(x)[1]), "so its log is added"),
    "the way back": (lambda x: (logit(x)[0], -logit(x)[1] - x[0].numel() * SLOPE), "the way back"),
    "z changed": (lambda x: (logit(x)[0] * 0.9, logit(x)[1]), "z was right"),
    "summed over the batch": (adding(lambda x: x[0].numel() * SLOPE - logit(x)[1] + logit(x)[1].sum()), "is off by"),
    "one number": (lambda x: (logit(x)[0], logit(x)[1].sum()), "one number for each"),
    "z alone": (lambda x: logit(x)[0], "two things"),
    "in place": (lambda x: logit(x.mul_(0.5)), "in place"),
    "no gradient": (
        lambda x: (logit(x)[0], (logit(x)[1] + x[0].numel() * SLOPE).detach()),
        "log_det has no gradient",
    ),
}


@pytest.mark.parametrize("name", LOGITS)
def test_mended_logit_names_the_mistake(name):
    attempt, words = LOGITS[name]
    for seed in range(5):
        state(mended_logit(attempt, seed=seed), words)


# ---- all ---------------------------------------------------------------------------------------------------


def not_implemented(*given):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [lambda *given: None, lambda *given: (..., ...), not_implemented])
def test_an_untouched_stub_is_not_a_mistake(stub):
    for check, base in ((flow_step, Step), (glow, Whole)):
        attempt = replaced(base, forward=stub, inverse=lambda *given: ...)
        assert check(attempt).state == UNTRIED and not check(attempt)
    assert mended_logit(stub).state == UNTRIED


def test_a_stand_in_is_right_and_leaves_the_students_class_alone():
    stub = {"forward": lambda self, x: (..., ...), "inverse": lambda self, z: ...}
    for check, base, stand_in in ((flow_step, Step, stand_in_step), (glow, Whole, stand_in_glow)):
        attempt = replaced(base, **stub)
        helper = stand_in(attempt)
        assert check(helper) and helper.__name__.startswith("StandIn")
        assert check(attempt).state == UNTRIED, "the stub has become right"


def test_the_checks_leave_the_random_numbers_of_the_notebook_alone():
    torch.manual_seed(3)
    flow_step(Step)
    glow(Whole)
    after = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(after, torch.rand(1))


def test_hints_come_one_by_one_and_the_solution_is_an_answer():
    for check, words in ((flow_step, "log_det_conv"), (glow, "log_det_split"), (mended_logit, "math.log(0.9)")):
        assert len({str(check.hint()) for _ in range(3)}) == 3
        assert words in check.solution().text


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
    config = GlowConfig((3, 8, 8), 2, (1, 2), (4, 6), permutation=permutation, clamp=CLAMP)
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
    assert lines_of(Step.forward) == 5 and lines_of(Whole.inverse) == 5
    assert lines_of(Step) == lines_of(stand_in_step(Step)) == 15
