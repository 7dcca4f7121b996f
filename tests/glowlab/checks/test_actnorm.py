"""The checks of notebook 05, each tried on the solution, the stub and the mistakes one makes."""

import pytest
import torch

from glowlab.checks import actnorm as checks
from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlite.flows import ActNorm

EVERYWHERE = (0, 2, 3)


def verdicts(check, attempt, words):
    for seed in range(5):
        verdict = check(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict
    assert bool(verdict) is (words is None)


# ---- scale and shift from a batch --------------------------------------------------------------------------


def mean_and_std(x, axes=EVERYWHERE):
    return x.mean(axes), x.std(axes, unbiased=False).clamp_min(1e-3)


def solution(x):
    mean, std = mean_and_std(x)
    return 1 / std, -mean / std


def as_the_layer_does(x):
    layer = ActNorm(x.shape[1])
    layer.initialize(x)
    return layer.log_scale().exp().detach(), layer.b.detach()


def with_(s=lambda mean, std: 1 / std, b=lambda mean, std: -mean / std):
    return lambda x: (s(*mean_and_std(x)), b(*mean_and_std(x)))


def added(amount):
    def attempt(x):
        mean, std = x.mean(EVERYWHERE), x.std(EVERYWHERE, unbiased=False) + amount
        return 1 / std, -mean / std

    return attempt


def batch_norm(eps, unbiased=False):
    def attempt(x):
        s = (x.var(EVERYWHERE, unbiased=unbiased) + eps) ** -0.5
        return s, -x.mean(EVERYWHERE) * s

    return attempt


def no_clamp(x):
    s = 1 / x.std(EVERYWHERE, unbiased=False)
    return s, -x.mean(EVERYWHERE) * s


def in_place(x):
    x -= x.mean(EVERYWHERE, keepdim=True)
    return 1 / x.std(EVERYWHERE, unbiased=False), torch.zeros(x.shape[1])


def by_n_minus_1(x):
    std = x.std(EVERYWHERE).clamp_min(1e-3)
    return 1 / std, -x.mean(EVERYWHERE) / std


def one_for_all(x):
    return (1 / x.std(unbiased=False)).expand(x.shape[1]), -x.mean(EVERYWHERE) / x.std(unbiased=False)


def kept_axes(x):
    std = x.std(EVERYWHERE, keepdim=True, unbiased=False)
    return 1 / std, -x.mean(EVERYWHERE, keepdim=True) / std


SCALE = {
    "solution": (solution, None),
    "the package's": (as_the_layer_does, None),
    "as a list": (lambda x: list(solution(x)), None),
    "N - 1": (by_n_minus_1, "divides by N - 1"),
    "std": (with_(s=lambda mean, std: std), "s = 1 / std"),
    "1 / variance": (with_(s=lambda mean, std: 1 / std**2), "1 / variance"),
    "variance": (with_(s=lambda mean, std: std**2), "that is the variance"),
    "log s": (with_(s=lambda mean, std: -std.log()), "that is log s;"),
    "log s / 3": (with_(s=lambda mean, std: -std.log() / 3), "log s / 3"),
    "around zero": (lambda x: (x.square().mean(EVERYWHERE) ** -0.5, x.mean(EVERYWHERE)), "around the mean"),
    "mean": (with_(s=lambda mean, std: mean), "that is the mean"),
    "swapped": (lambda x: solution(x)[::-1], "s comes first"),
    "the first picture": (lambda x: solution(x[:1]), "first picture alone"),
    "one for all": (one_for_all, "one scale for all"),
    "eps added": (added(1e-2), "is added to the std"),
    "a little added": (added(1e-3), "is added to the std"),
    "batch norm": (batch_norm(1e-5), "about 1e-05 is added to the variance"),
    "batch norm, a smaller eps": (batch_norm(1e-6), "about 1e-06 is added to the variance"),
    "batch norm, N - 1": (batch_norm(1e-5, unbiased=True), "is added to the variance"),
    "negative": (with_(s=lambda mean, std: -1 / std), "upside down"),
    "std, N - 1": (lambda x: (x.std(EVERYWHERE), x.mean(EVERYWHERE)), "s = 1 / std"),
    "another s": (with_(s=lambda mean, std: 2 / std), "has variances from"),
    "b sign": (with_(b=lambda mean, std: mean / std), "b has the wrong sign"),
    "b unscaled": (with_(b=lambda mean, std: -mean), "mean must be scaled"),
    "b unscaled, sign": (with_(b=lambda mean, std: mean), "and it has the wrong sign"),
    "b divided by s": (with_(b=lambda mean, std: -mean * std), "instead of multiplied"),
    "another b": (with_(b=lambda mean, std: mean * 7), "has means from"),
    "never clamped": (no_clamp, "never changes"),
    "hardly clamped": (added(1e-9), "never changes"),
    "numbers": (lambda x: (1.0, 0.0), "one number for all channels"),
    "a picture each": (lambda x: solution_over(x, (2, 3)), "one for each picture, too"),
    "a pixel each": (lambda x: solution_over(x, (0,)), "one for each pixel"),
    "the wrong axis": (lambda x: solution_over(x, (1, 2, 3)), "keep axis 1"),
    "another axis": (lambda x: solution_over(x, (0, 1, 2)), "not one for each channel"),
    "axes kept": (kept_axes, "flatten it"),
    "in place": (in_place, "in place"),
    "one thing": (lambda x: solution(x)[0], "two things"),
    "half done": (lambda x: (solution(x)[0], ...), "b is still missing"),
    "a typing mistake": (lambda x: x.stdd(), "AttributeError"),
}


def solution_over(x, axes):
    mean, std = mean_and_std(x, axes)
    return 1 / std, -mean / std


@pytest.mark.parametrize("name", SCALE)
def test_scale_and_shift_names_the_mistake(name):
    verdicts(checks.scale_and_shift, *SCALE[name])


# ---- forward -----------------------------------------------------------------------------------------------


def wide(values):
    return values.view(1, -1, 1, 1)


def z_of(x, log_s, b):
    return x * wide(log_s.exp()) + wide(b)


def log_det_of(x, log_s):
    return (x[0, 0].numel() * log_s.sum()).expand(len(x))


def like_the_layer(x, log_s, b):
    layer = ActNorm(x.shape[1]).double()
    layer.log_s.data, layer.b.data = log_s / 3, b
    layer.initialized = True
    return layer(x)


def z_as(formula):
    return lambda x, log_s, b: (formula(x, wide(log_s), wide(b)), log_det_of(x, log_s))


def log_det_as(formula):
    return lambda x, log_s, b: (z_of(x, log_s, b), formula(x, log_s))


def changed_in_place(x, log_s, b):
    x *= wide(log_s.exp())
    x += wide(b)
    return x, log_det_of(x, log_s)


FORWARD = {
    "solution": (lambda x, l, b: (z_of(x, l, b), log_det_of(x, l)), None),
    "the package's": (like_the_layer, None),
    "shift first": (z_as(lambda x, l, b: (x + b) * l.exp()), "b is added before"),
    "log_s times x": (z_as(lambda x, l, b: x * l + b), "s = exp(log_s) is wanted"),
    "factor 3": (z_as(lambda x, l, b: x * (3 * l).exp() + b), "exp(3 log_s)"),
    "divided": (z_as(lambda x, l, b: x / l.exp() + b), "forward multiplies"),
    "the inverse": (z_as(lambda x, l, b: (x - b) / l.exp()), "that is the inverse"),
    "b subtracted": (z_as(lambda x, l, b: x * l.exp() - b), "b is subtracted"),
    "no b": (z_as(lambda x, l, b: x * l.exp()), "b is missing"),
    "no scale": (z_as(lambda x, l, b: x + b), "the scale is missing"),
    "something else": (z_as(lambda x, l, b: x * l.exp() + 2 * b), "z is not exp(log_s) * x + b"),
    "no h x w": (log_det_as(lambda x, l: l.sum().expand(len(x))), "forgot h x w"),
    "wrong sign": (log_det_as(lambda x, l: -log_det_of(x, l)), "right size and the wrong sign"),
    "one for all": (log_det_as(lambda x, l: log_det_of(x, l)[0]), "needs its own"),
    "batch counted": (log_det_as(lambda x, l: log_det_of(x, l) * len(x)), "batch was counted"),
    "channels twice": (log_det_as(lambda x, l: log_det_of(x, l) * x.shape[1]), "counted twice"),
    "scales added": (log_det_as(lambda x, l: log_det_of(x, l.exp())), "no exp in the log-det"),
    "mean": (log_det_as(lambda x, l: log_det_of(x, l) / len(l)), "the mean of log_s"),
    "axes do not meet": (lambda x, l, b: (x * l.exp() + b, log_det_of(x, l)), "RuntimeError"),
    "z alone": (lambda x, l, b: z_of(x, l, b), "two things"),
    "half done": (lambda x, l, b: (z_of(x, l, b), ...), "log_det is still missing"),
    "in place": (changed_in_place, "in place"),
}


@pytest.mark.parametrize("name", FORWARD)
def test_forward_names_the_mistake(name):
    verdicts(checks.forward, *FORWARD[name])


# ---- the first batch of many steps -------------------------------------------------------------------------


def step_by_step(steps, x):
    for step in steps:
        step.flows[0].initialize(x)
        x, _ = step(x)
    return x


def all_by_x(steps, x):
    h = x
    for step in steps:
        step.flows[0].initialize(x)
        h, _ = step(h)
    return h


def by_the_first_pictures(steps, x):
    step_by_step(steps, x[:2])
    return step_by_step([], x)


def norms_alone(steps, x):
    for step in steps:
        step.flows[0].initialize(x)
        x, _ = step.flows[0](x)
    return x


def the_first_alone(steps, x):
    steps[0].flows[0].initialize(x)
    return x


def given_back_too_early(steps, x):
    for step in steps:
        before = x
        x, _ = step(x)
    return before


def no_return(steps, x):
    step_by_step(steps, x)


def moved_in_place(steps, x):
    x.copy_(step_by_step(steps, x))
    return x


INITIALISE = {
    "solution": (step_by_step, None),
    "all by x": (all_by_x, "step 2 was set by x itself"),
    "few pictures": (by_the_first_pictures, "step 1 was set by something else"),
    "norms alone": (norms_alone, "step 2 was set by something else"),
    "the first alone": (the_first_alone, "step 2 has seen no data"),
    "too early": (given_back_too_early, "not what the last step makes"),
    "no return": (no_return, "gives nothing back"),
    "in place": (moved_in_place, "in place"),
    "a tuple": (lambda steps, x: steps[0](step_by_step(steps, x)), "must be a tensor"),
}


@pytest.mark.parametrize("name", INITIALISE)
def test_initialise_names_the_mistake(name):
    verdicts(checks.initialise, *INITIALISE[name])


# ---- stubs, hints, solutions -------------------------------------------------------------------------------


def not_implemented(*given):
    raise NotImplementedError


ALL = (checks.scale_and_shift, checks.forward, checks.initialise)


@pytest.mark.parametrize("stub", [lambda *given: None, lambda *given: (..., ...), not_implemented])
@pytest.mark.parametrize("check", ALL, ids=lambda check: check.name)
def test_an_untouched_stub_is_not_a_mistake(check, stub):
    verdict = check(stub)
    assert verdict.state == UNTRIED and not verdict and "goes on" in repr(verdict)


def test_the_solutions_are_the_packages_own():
    assert "std.clamp_min" in checks.scale_and_shift.solution().text
    assert "log_s.sum()" in checks.forward.solution().text
    assert "if self.training and not self.initialized" in checks.initialise.solution().text
    for check in ALL:
        assert str(check.hint()).startswith("Hint 1 of")
