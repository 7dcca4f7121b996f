"""The checks of notebook 02, each tried on the solution, the stub and the mistakes one makes."""

import math

import pytest
import torch

from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlab.checks.coupling_layers import Witness, additive_inverse, affine, mended, random_halves
from glowlite.flows import Coupling
from tests.helpers import jacobian_log_det


def cut(x):
    return x.chunk(2, dim=1)


def join(a, b):
    return torch.cat([a, b], dim=1)


# ---- inverse of additive coupling --------------------------------------------------------------------------


def undone(z, network):
    z_a, z_b = cut(z)
    return join(z_a, z_b - network(z_a))


def second(change):
    """An attempt that leaves the first half alone and makes change(z_a, z_b, network) of the second."""

    def attempt(z, network):
        z_a, z_b = cut(z)
        return join(z_a, change(z_a, z_b, network))

    return attempt


def in_place(z, network):
    z_a, z_b = cut(z)
    z_b -= network(z_a)
    return z


def rows_cut(z, network):
    z_a, z_b = z.chunk(2, dim=2)
    return torch.cat([z_a, z_b - network(z_a)], dim=2)


def crashes(z, network):
    return z - networkk(z)  # noqa: F821


ADDITIVE = {
    "solution": (undone, None),
    "slices": (
        lambda z, network: join(z[:, : z.shape[1] // 2], z[:, z.shape[1] // 2 :] - network(z[:, : z.shape[1] // 2])),
        None,
    ),
    "one example at a time": (lambda z, f: torch.cat([undone(one[None], f) for one in z]), None),
    "one example without its axis": (
        lambda z, f: torch.stack([one - torch.cat([f(one[: len(one) // 2])] * 2) for one in z]),
        "keep its axis",
    ),
    "in float64": (lambda z, f: undone(z.double(), f), None),
    "the paper's halves": (lambda z, f: join(cut(z)[0] - f(cut(z)[1]), cut(z)[1]), "the roles of the paper's table 1"),
    "adds again": (second(lambda a, b, f: b + f(a)), "wrong sign"),
    "difference reversed": (second(lambda a, b, f: f(a) - b), "wrong way round"),
    "network of the moved half": (second(lambda a, b, f: b - f(b)), "asked with the half that moved"),
    "both": (second(lambda a, b, f: b + f(b)), "wrong sign, and the network"),
    "only the shift": (second(lambda a, b, f: f(a)), "the shift alone"),
    "divides": (second(lambda a, b, f: b / f(a)), "divides by the shift"),
    "nothing undone": (lambda z, network: z.clone(), "nothing was undone"),
    "no network": (second(lambda a, b, f: b - a), "never calls the network"),
    "twice the shift": (second(lambda a, b, f: b - 2 * f(a)), "off by up to"),
    "the wrong half": (lambda z, f: join(cut(z)[0] - f(cut(z)[0]), cut(z)[1]), "the wrong half moves"),
    "halves swapped": (lambda z, f: join(cut(z)[1] - f(cut(z)[0]), cut(z)[0]), "changed places"),
    "everything into the network": (lambda z, f: z - f(z), "all the channels"),
    "cut along the rows": (rows_cut, "cut the channels in half, dim=1"),
    "the halves as a list": (lambda z, f: z - f(cut(z)), "not a tuple"),
    "not joined": (lambda z, f: (cut(z)[0], cut(z)[1] - f(cut(z)[0])), "join them to one x"),
    "a log-det too": (lambda z, f: (undone(z, f), torch.zeros(len(z)), 1), "not 3 things"),
    "one half only": (lambda z, f: cut(z)[1] - f(cut(z)[0]), "only one half"),
    "joined along the batch": (lambda z, f: torch.cat([cut(z)[0], cut(z)[1]], dim=0), "along the channels"),
    "a number": (lambda z, f: 3, "must be a tensor"),
    "in place": (in_place, "in place"),
    "a typing mistake": (crashes, "at the line `return z - networkk(z)"),
}


@pytest.mark.parametrize("name", ADDITIVE)
def test_additive_inverse_names_the_mistake(name):
    attempt, words = ADDITIVE[name]
    for seed in range(5):
        verdict = additive_inverse(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake
    assert bool(verdict) is (words is None)


# ---- affine coupling ---------------------------------------------------------------------------------------


def moved(x_b, log_s, t):
    return (x_b + t) * log_s.exp()


def total(log_s, t):
    return log_s.sum((1, 2, 3))


def forward(move=moved, log_det=total, ask=lambda a, b: a, put=join):
    """The solution, with one part of it replaced."""

    def attempt(x, scale_and_shift):
        x_a, x_b = cut(x)
        log_s, t = scale_and_shift(ask(x_a, x_b))
        return put(x_a, move(x_b, log_s, t)), log_det(log_s, t)

    return attempt


def unasked(x, scale_and_shift):
    x_a, x_b = cut(x)
    return join(x_a, (x_b + x_a) * x_a.exp()), x_a.sum((1, 2, 3))


def affine_in_place(x, scale_and_shift):
    x_a, x_b = cut(x)
    log_s, t = scale_and_shift(x_a)
    x_b += t
    x_b *= log_s.exp()
    return x, total(log_s, t)


def papers_table(x, scale_and_shift):
    x_a, x_b = cut(x)
    log_s, t = scale_and_shift(x_b)
    return join(x_a * log_s.exp() + t, x_b), total(log_s, t)


@torch.no_grad()
def without_gradient(x, scale_and_shift):
    return forward()(x, scale_and_shift)


def log_dets(change):
    return forward(log_det=change)


AFFINE = {
    "solution": (forward(), None),
    "a list": (lambda x, f: list(forward()(x, f)), None),
    "one example at a time": (
        lambda x, f: tuple(map(torch.cat, zip(*(forward()(one[None], f) for one in x), strict=True))),
        None,
    ),
    "the paper's table 1": (papers_table, "which keeps x_b and moves x_a"),
    "no gradient": (without_gradient, "no gradient goes through it to the network"),
    "a gradient cut off": (log_dets(lambda log_s, t: total(log_s, t).detach()), "no gradient goes through it"),
    "scale first": (forward(lambda b, log_s, t: b * log_s.exp() + t), "the shift comes first"),
    "no exponential": (forward(lambda b, log_s, t: (b + t) * log_s), "s = exp(log s)"),
    "divided": (forward(lambda b, log_s, t: (b + t) / log_s.exp()), "divides by the scale"),
    "the way back": (forward(lambda b, log_s, t: b / log_s.exp() - t), "that is the inverse"),
    "no scale": (forward(lambda b, log_s, t: b + t), "not yet scaled"),
    "no shift": (forward(lambda b, log_s, t: b * log_s.exp()), "not shifted"),
    "minus t": (forward(lambda b, log_s, t: (b - t) * log_s.exp()), "the shift has the wrong sign"),
    "log_s and t swapped": (forward(lambda b, log_s, t: (b + log_s) * t.exp()), "changed places"),
    "asked with x_b": (forward(ask=lambda a, b: b), "ask it with x_a"),
    "asked with x": (forward(ask=join), "all the channels"),
    "did not move": (forward(lambda b, log_s, t: b), "did not move"),
    "never asked": (unasked, "never calls the scale_and_shift"),
    "twice the shift": (forward(lambda b, log_s, t: (b + 2 * t) * log_s.exp()), "off by up to"),
    "halves swapped": (forward(put=lambda a, b: join(b, a)), "changed places"),
    "the wrong half": (forward(put=lambda a, b: join(a + 1, b)), "the wrong half moves"),
    "not joined": (forward(put=lambda a, b: (a, b)), "join them to one z"),
    "only z": (lambda x, f: forward()(x, f)[0], "two things"),
    "half done": (lambda x, f: (forward()(x, f)[0], ...), "log_det is still missing"),
    "in place": (affine_in_place, "in place"),
    "zero": (log_dets(lambda log_s, t: log_s.new_zeros(len(log_s))), "additive coupling only"),
    "wrong sign": (log_dets(lambda log_s, t: -total(log_s, t)), "the wrong sign"),
    "the whole batch": (log_dets(lambda log_s, t: log_s.sum()), "adds up the whole batch"),
    "as a number": (log_dets(lambda log_s, t: log_s.sum().item()), "adds up the whole batch"),
    "over channels": (log_dets(lambda log_s, t: log_s.sum(1)), "one number for each example"),
    "a mean": (log_dets(lambda log_s, t: log_s.mean((1, 2, 3))), "a mean"),
    "no H x W": (log_dets(lambda log_s, t: log_s.mean((2, 3)).sum(1)), "you forgot H x W"),
    "the first pixel": (log_dets(lambda log_s, t: log_s[:, :, 0, 0].sum(1)), "you forgot H x W"),
    "H x W twice": (log_dets(lambda log_s, t: total(log_s, t) * log_s[0, 0].numel()), "counts H x W twice"),
    "scales": (log_dets(lambda log_s, t: log_s.exp().sum((1, 2, 3))), "must add up their logs"),
    "determinant": (log_dets(lambda log_s, t: log_s.exp().flatten(1).prod(1)), "determinant itself"),
    "shifts": (log_dets(lambda log_s, t: t.sum((1, 2, 3))), "a shift stretches nothing"),
    "shifts too": (log_dets(lambda log_s, t: (log_s + t).sum((1, 2, 3))), "a shift stretches nothing"),
    "bits": (log_dets(lambda log_s, t: total(log_s, t) / math.log(2)), "natural logarithms"),
    "log of log_s, nan": (log_dets(lambda log_s, t: log_s.log().sum((1, 2, 3))), "no second log"),
    "log of log_s": (log_dets(lambda log_s, t: log_s.abs().log().sum((1, 2, 3))), "takes the log twice"),
    "a little off": (log_dets(lambda log_s, t: total(log_s, t) + 0.01), "log_det is off by"),
    "words": (log_dets(lambda log_s, t: "much"), "not str"),
}


@pytest.mark.parametrize("name", AFFINE)
def test_affine_names_the_mistake(name):
    attempt, words = AFFINE[name]
    for seed in range(5):
        verdict = affine(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake
    assert bool(verdict) is (words is None)


def test_the_solution_has_the_log_det_of_its_jacobian():
    generator = torch.Generator().manual_seed(0)
    x = join(*random_halves(generator)).double()
    network = Witness(torch.Size((1, *cut(x)[0].shape[1:])), 2, generator)
    expected = torch.cat([forward()(one[None], network)[1] for one in x])
    assert torch.allclose(jacobian_log_det(lambda one: forward()(one, network), x), expected, atol=1e-9)


# ---- a flow with a fault -----------------------------------------------------------------------------------


def both_halves(x, first, second, late=True, log_det=None):
    x_a, x_b = cut(x)
    log_s, t = first(x_a)
    z_b = (x_b + t) * log_s.exp()
    log_r, u = second(z_b if late else x_b)
    z_a = (x_a + u) * log_r.exp()
    return join(z_a, z_b), (log_s + log_r).sum(1) if log_det is None else log_det(log_s, log_r)


def one_half(x, first, second):
    z, log_det = both_halves(x, first, second)
    return join(cut(x)[0], cut(z)[1]), log_det


def old_stretch(x, first, second):
    z, _ = both_halves(x, first, second)
    return z, both_halves(x, first, second, late=False)[1]


def with_log_det(change):
    return lambda x, first, second: both_halves(x, first, second, log_det=change)


MENDED = {
    "solution": (both_halves, None),
    "the other half first": (lambda x, f, g: turned(both_halves(turned(x), g, f)), None),
    "as it was": (lambda x, f, g: both_halves(x, f, g, late=False), "z is what it was"),
    "only the log-det": (
        lambda x, f, g: (both_halves(x, f, g, late=False)[0], both_halves(x, f, g)[1]),
        "z is what it was",
    ),
    "one half": (one_half, "one half does not move"),
    "one network": (lambda x, f, g: both_halves(x, f, f), "never asked"),
    "networks exchanged": (lambda x, f, g: both_halves(x, g, f), "none of the two flows"),
    "the old stretch": (old_stretch, "log_det still holds the stretch that second gave"),
    "one log-det": (with_log_det(lambda log_s, log_r: log_s.sum(1)), "not the sum of both"),
    "no gradient": (with_log_det(lambda log_s, log_r: (log_s + log_r).sum(1).detach()), "no gradient"),
    "a wrong shape": (with_log_det(lambda log_s, log_r: log_s + log_r), "must have the shape"),
    "everything into a network": (lambda x, f, g: f(x), "sees one half"),
    "z alone": (lambda x, f, g: both_halves(x, f, g)[0], "two things"),
    "in place": (lambda x, f, g: both_halves(x.mul_(2), f, g), "in place"),
}


def turned(given):
    """x with its halves exchanged, or (z, log_det) with those of z exchanged."""
    if isinstance(given, tuple):
        return turned(given[0]), given[1]
    return join(*reversed(cut(given)))


@pytest.mark.parametrize("name", MENDED)
def test_mended_names_the_mistake(name):
    attempt, words = MENDED[name]
    for seed in range(5):
        verdict = mended(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake


# ---- all ---------------------------------------------------------------------------------------------------


def not_implemented(*given):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [lambda *given: None, lambda *given: ..., lambda *given: (..., ...), not_implemented])
def test_an_untouched_stub_is_not_a_mistake(stub):
    for verdict in (additive_inverse(stub), affine(stub), mended(stub)):
        assert verdict.state == UNTRIED and not verdict
        assert "goes on" in repr(verdict)


@pytest.mark.parametrize("check", [additive_inverse, affine, mended])
def test_every_hint_is_another_one_and_none_is_the_answer(check):
    hints = [str(check.hint()) for _ in check._hints]
    assert len(set(hints)) == len(hints) >= 3
    assert not any("torch.cat([z_a, z_b - " in hint for hint in hints)


def test_the_solutions_are_the_packages_source_and_the_package_passes():
    assert "def inverse" in additive_inverse.solution().text
    assert "def forward" in affine.solution().text and "sum_features(log_s)" in affine.solution().text

    def with_package(kind, way):
        def attempt(x, network):
            layer = Coupling(x.shape[1], width=1, kind=kind)
            layer.scale_and_shift = lambda x_a: (None, network(x_a)) if kind == "additive" else network(x_a)
            return getattr(layer, way)(x)

        return attempt

    assert additive_inverse(with_package("additive", "inverse"))
    assert affine(with_package("affine", "forward"))
