"""The checks of notebook 01, each tried on the solution, the stub and the mistakes one makes."""

import math

import pytest
import torch

from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlab.checks.change_of_variables import (
    log_det,
    log_det_of_both,
    log_prob,
    random_jacobians,
    random_map,
    some_x,
    sway,
)

SEEDS = range(8)


def slope(f, x):
    """dz/dx, as the notebook computes it."""
    x = x.detach().clone().requires_grad_()
    return torch.autograd.grad(f(x).sum(), x)[0]


def log_normal(z):
    return -(z**2) / 2 - math.log(2 * math.pi) / 2


def try_all(check, table, name):
    attempt, words = table[name]
    for seed in SEEDS:
        verdict = check(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict
    return verdict


# ---- log_prob ----------------------------------------------------------------------------------------------


def solution(f, x):
    return log_normal(f(x)) + slope(f, x).abs().log()


def by_distribution(f, x):
    z = f(x)
    return torch.distributions.Normal(0.0, 1.0).log_prob(z) + torch.log(torch.abs(slope(f, x)))


def in_place(f, x):
    result = solution(f, x)
    x += 1
    return result


def keeps_a_graph(f, x):
    x = x.clone().requires_grad_()
    z = f(x)
    return log_normal(z) + torch.autograd.grad(z.sum(), x, create_graph=True)[0].abs().log()


def only_nearby(f, x):
    return torch.where(x.abs() > 4, 0 * x, solution(f, x))


def crashes(f, x):
    return log_normal(f(x)) + sloppe(f, x)  # noqa: F821


def falls_wrong(f, x):
    return log_normal(f(x)) + slope(f, x).clamp(min=1e-3).log()


def guesses(f, x):
    return log_normal(2 * x) + math.log(2)


LOG_PROB = {
    "solution": (solution, None),
    "torch's own normal": (by_distribution, None),
    "with a graph": (keeps_a_graph, None),
    "in float64": (lambda f, x: solution(f, x.double()), None),
    "forgotten": (lambda f, x: log_normal(f(x)), "the Jacobian is forgotten"),
    "wrong sign": (lambda f, x: log_normal(f(x)) - slope(f, x).abs().log(), "right size and the wrong sign"),
    "slope of the way back": (
        lambda f, x: log_normal(f(x)) + (1 / slope(f, x)).abs().log(),
        "right size and the wrong sign",
    ),
    "minus everything": (lambda f, x: -solution(f, x), "minus log p(x)"),
    "no abs": (lambda f, x: log_normal(f(x)) + slope(f, x).log(), "ink does not care which way"),
    "no log": (lambda f, x: log_normal(f(x)) + slope(f, x), "becomes its logarithm"),
    "no log, with abs": (lambda f, x: log_normal(f(x)) + slope(f, x).abs(), "becomes its logarithm"),
    "times the slope": (lambda f, x: log_normal(f(x)) * slope(f, x), "multiplied with a logarithm"),
    "times the log-det": (
        lambda f, x: log_normal(f(x)) * slope(f, x).abs().log(),
        "two logarithms are multiplied",
    ),
    "density": (lambda f, x: solution(f, x).exp(), "p(x) itself"),
    "half a density": (
        lambda f, x: log_normal(f(x)).exp() + slope(f, x).abs().log(),
        "must be a logarithm, too",
    ),
    "log-det alone": (lambda f, x: slope(f, x).abs().log(), "log-det alone"),
    "abs outside": (lambda f, x: log_normal(f(x)) + slope(f, x).log().abs(), "abs stands around"),
    "normal at x": (lambda f, x: log_normal(x) + slope(f, x).abs().log(), "asked at x"),
    "normal at x, forgotten": (lambda f, x: log_normal(x) + 0 * f(x), "asked at x"),
    "slope at z": (lambda f, x: log_normal(f(x)) + slope(f, f(x)).abs().log(), "slope was taken at z"),
    "no constant": (lambda f, x: -(f(x) ** 2) / 2 + slope(f, x).abs().log(), "not complete"),
    "whole constant": (lambda f, x: solution(f, x) - math.log(2 * math.pi) / 2, "not the whole"),
    "constant's sign": (lambda f, x: solution(f, x) + math.log(2 * math.pi), "constant of the normal"),
    "log 2 times pi": (
        lambda f, x: -1 / 2 * f(x) ** 2 - 1 / 2 * math.log(2) * math.pi + slope(f, x).abs().log(),
        "of the product 2 pi",
    ),
    "no half": (lambda f, x: solution(f, x) - f(x) ** 2 / 2, "the half is missing"),
    "rises": (lambda f, x: solution(f, x) + f(x) ** 2, "needs a minus"),
    "bits": (lambda f, x: log_normal(f(x)) + slope(f, x).abs().log2(), "nats"),
    "decimal": (lambda f, x: log_normal(f(x)) + slope(f, x).abs().log10(), "nats"),
    "summed": (lambda f, x: solution(f, x).sum(), "nothing is summed"),
    "a sum that keeps its axis": (lambda f, x: solution(f, x).sum(0, keepdim=True), "nothing is summed"),
    "a column": (lambda f, x: solution(f, x)[:, None], "no axis is added"),
    "a number": (lambda f, x: 0.5, "not float"),
    "whole numbers": (lambda f, x: solution(f, x).long(), "floats"),
    "in place": (in_place, "in place"),
    "another f": (guesses, "never calls the f"),
    "falling wrong": (falls_wrong, "falls, though all are right"),
    "something else": (lambda f, x: solution(f, x) + x, "numbers are not log p(x)"),
    "only nearby": (only_nearby, "under its density"),
    "a typing mistake": (crashes, "at the line `return log_normal(f(x)) + sloppe(f, x)"),
}


@pytest.mark.parametrize("name", LOG_PROB)
def test_log_prob_names_the_mistake(name):
    verdict = try_all(log_prob, LOG_PROB, name)
    if verdict:
        assert verdict.holds[-1] == "the area under your density, measured, is 1.000"


def test_what_is_right_so_far_is_said_too():
    verdict = log_prob(LOG_PROB["no abs"][0], seed=0)
    assert "log p(x) is right for an f that rises" in verdict.holds


def test_the_random_maps_are_monotone_and_their_slope_is_theirs():
    for seed in SEEDS:
        generator = torch.Generator().manual_seed(seed)
        x = some_x(generator).sort().values.double()
        for falling in (False, True):
            f, its_slope, _ = random_map(generator, falling)
            assert (f(x).diff() < 0).all() if falling else (f(x).diff() > 0).all()
            assert torch.allclose(its_slope(x), slope(f, x))
            assert its_slope(x).abs().min() < 1 < its_slope(x).abs().max()  # log-dets of both signs


# ---- log_det -----------------------------------------------------------------------------------------------


def parts(J):
    return J[:, 0, 0], J[:, 0, 1], J[:, 1, 0], J[:, 1, 1]


def det(J):
    a, b, c, d = parts(J)
    return a * d - b * c


def unbatched(J):
    return J[0, 0] * J[1, 1] - J[0, 1] * J[1, 0]


def spoils(J):
    result = det(J).abs().log()
    J *= 2
    return result


class OnceOnly:
    """Right in the first call of each round, and 0 afterwards."""

    def __init__(self):
        self.calls = 0

    def __call__(self, J):
        self.calls += 1
        return det(J).abs().log() * (self.calls % 2)


LOG_DET = {
    "solution": (lambda J: det(J).abs().log(), None),
    "slogdet": (lambda J: torch.linalg.slogdet(J)[1], None),
    "singular values": (lambda J: torch.linalg.svdvals(J).log().sum(-1), None),
    "of the transposed": (lambda J: torch.linalg.slogdet(J.mT).logabsdet, None),
    "no abs": (lambda J: det(J).log(), "negative"),
    "no log": (det, "area with a sign"),
    "no log, with abs": (lambda J: det(J).abs(), "logarithm is still to be taken"),
    "wrong sign": (lambda J: -det(J).abs().log(), "right size, wrong sign"),
    "of the inverse": (lambda J: torch.linalg.slogdet(J.inverse())[1], "right size, wrong sign"),
    "plus": (lambda J: (parts(J)[0] * parts(J)[3] + parts(J)[1] * parts(J)[2]).abs().log(), "are added"),
    "diagonal": (lambda J: J.diagonal(dim1=1, dim2=2).abs().log().sum(1), "triangular"),
    "other diagonal": (lambda J: J.flip(1).diagonal(dim1=1, dim2=2).abs().log().sum(1), "triangular"),
    "trace": (lambda J: J.diagonal(dim1=1, dim2=2).sum(1).abs().log(), "trace"),
    "rows": (lambda J: (J.prod(2)[:, 0] - J.prod(2)[:, 1]).abs().log(), "wrong numbers are multiplied"),
    "columns": (lambda J: (J.prod(1)[:, 0] - J.prod(1)[:, 1]).abs().log(), "wrong numbers are multiplied"),
    "abs outside": (lambda J: det(J).abs().log().abs(), "abs stands around"),
    "squared": (lambda J: (det(J) ** 2).log(), "twice too large"),
    "bits": (lambda J: det(J).abs().log2(), "nats"),
    "decimal": (lambda J: det(J).abs().log10(), "nats"),
    "both of slogdet": (torch.linalg.slogdet, "two things"),
    "the sign of slogdet": (lambda J: torch.linalg.slogdet(J)[0], "the sign, the first of the two"),
    "no batch axis": (lambda J: unbatched(J), "the batch axis comes first, J[:, 0, 0]"),
    "no batch axis, with the log": (lambda J: unbatched(J).abs().log(), "the batch axis comes first"),
    "no batch axis, no abs": (lambda J: unbatched(J).log(), "the batch axis comes first"),
    "two of them": (lambda J: det(J).abs().log()[:2], "not (2,)"),
    "summed": (lambda J: det(J).abs().log().sum(), "nothing is summed"),
    "mean": (lambda J: det(J).abs().log().mean(), "nothing is summed"),
    "a list": (lambda J: det(J).abs().log().tolist(), "not list"),
    "clamped": (lambda J: det(J).clamp(min=1e-6).log(), "wrong for those that flip"),
    "a zero": (lambda J: (0 * det(J)).log(), "not finite"),
    "in place": (spoils, "in place"),
    "something else": (lambda J: det(J).abs().log() + 0.1, "not the logarithm of the area"),
    "once only": (OnceOnly(), "one after the other"),
    "a typing mistake": (lambda J: det(j).abs().log(), "NameError"),  # noqa: F821
}


@pytest.mark.parametrize("name", LOG_DET)
def test_log_det_names_the_mistake(name):
    try_all(log_det, LOG_DET, name)


@pytest.mark.parametrize("wrong", [lambda J: det(J).abs().log().sum(), lambda J: det(J)[:, None], lambda J: det(J)[:2]])
def test_only_the_reason_that_holds_is_given_for_a_wrong_shape(wrong):
    said = log_det(wrong, seed=0).mistake
    assert "so shape (" in said and ("summed" in said) + ("is added" in said) + ("J[0, 0]" in said) <= 1
    assert ("summed" in said or "is added" in said) == (wrong(random_jacobians(torch.Generator())).shape != (2,))


def test_the_random_jacobians_flip_shrink_and_stretch():
    for seed in SEEDS:
        J = random_jacobians(torch.Generator().manual_seed(seed))
        sizes = det(J).abs()
        assert (det(J) < 0).sum() == (det(J) > 0).sum() == len(J) // 2
        assert sizes.min() < 0.5 and sizes.max() > 2


# ---- the log-det of two maps -------------------------------------------------------------------------------


def bend(x):
    """The notebook's second map."""
    x1, x2 = x.unbind(1)
    return torch.stack([x1, (x2 + 0.8 - 0.3 * x1**2) * torch.exp(0.35 * x1)], 1)


def of_sway(x):
    return 0.4 * torch.tanh(x[:, 1])


def of_bend(y):
    return 0.35 * y[:, 0]


def spoils_both(x, y):
    return x.mul_(2)[:, 0] + y[:, 0]


BOTH = {
    "solution": (lambda x, y: of_sway(x) + of_bend(y), None),
    "sway at y": (lambda x, y: of_sway(y) + of_bend(y), None),  # x2 stays, so it is the same
    "bend at x": (lambda x, y: of_sway(x) + of_bend(x), "bend begins where sway ended"),
    "sway alone": (lambda x, y: of_sway(x), "sway alone"),
    "bend alone": (lambda x, y: of_bend(y), "bend alone"),
    "wrong sign": (lambda x, y: -of_sway(x) - of_bend(y), "the way back"),
    "one wrong sign": (lambda x, y: of_sway(x) - of_bend(y), "one of the two"),
    "no log": (lambda x, y: (of_sway(x) + of_bend(y)).exp(), "its logarithm is asked"),
    "added": (lambda x, y: of_sway(x).exp() + of_bend(y).exp(), "determinants are added"),
    "log of the sum": (lambda x, y: (of_sway(x).exp() + of_bend(y).exp()).log(), "determinants are added"),
    "multiplied": (lambda x, y: of_sway(x) * of_bend(y), "logarithms are multiplied"),
    "slope of tanh": (lambda x, y: 0.4 * (1 - torch.tanh(x[:, 1]) ** 2) + of_bend(y), "slope of tanh"),
    "axes exchanged": (lambda x, y: of_sway(x.flip(1)) + of_bend(y.flip(1)), "took the other one"),
    "no tanh": (lambda x, y: 0.4 * x[:, 1] + of_bend(y), "tanh is missing"),
    "something else": (lambda x, y: of_sway(x) + of_bend(y) + 0.1, "not the log-det of both"),
    "summed": (lambda x, y: (of_sway(x) + of_bend(y)).sum(), "nothing is summed"),
    "in place": (spoils_both, "in place"),
}


@pytest.mark.parametrize("name", BOTH)
def test_log_det_of_both_names_the_mistake(name):
    try_all(log_det_of_both, BOTH, name)


def test_the_formula_is_that_of_the_jacobian():
    x = torch.randn(6, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    whole = [torch.autograd.functional.jacobian(lambda one: bend(sway(one[None]))[0], one) for one in x]
    right = torch.linalg.slogdet(torch.stack(whole))[1]
    assert torch.allclose(BOTH["solution"][0](x, sway(x)), right)


# ---- all ---------------------------------------------------------------------------------------------------


def not_implemented(*given):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [lambda *given: None, lambda *given: ..., not_implemented])
def test_an_untouched_stub_is_not_a_mistake(stub):
    for verdict in (log_prob(stub), log_det(stub), log_det_of_both(stub)):
        assert verdict.state == UNTRIED and not verdict
        assert "goes on" in repr(verdict)


@pytest.mark.parametrize(
    "check, hints, says",
    [
        (log_prob, 4, ["def standard_normal_log_prob", "def log_density", "+ log_det"]),
        (log_det, 4, ["def log_abs_det", "slogdet"]),
    ],
)
def test_hints_come_one_by_one_and_the_solution_is_the_packages_source(check, hints, says):
    texts = [str(check.hint()) for _ in range(hints + 1)]
    assert texts[0].startswith(f"Hint 1 of {hints}") and texts[hints] == texts[0]
    assert len(set(texts)) == hints
    assert all(words in check.solution().text for words in says)
