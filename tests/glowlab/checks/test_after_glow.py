"""The checks of notebook 15b, each tried on the stub and the mistakes one makes."""

import pytest
import torch
import torch.nn.functional as F

from glowlab.checks import after_glow as checks
from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlab.checks.solutions import after_glow as solutions


def verdicts(check, attempt, words):
    for seed in range(5):
        verdict = check(attempt, seed=seed)
        assert verdict.state == WRONG, verdict
        assert words in verdict.mistake, verdict


@pytest.mark.parametrize("name", checks.__all__)
def test_the_answer_is_right_and_the_stub_untried(name):
    check = getattr(checks, name)
    assert check(getattr(solutions, name)).state == RIGHT
    assert check(lambda *_: ...).state == UNTRIED
    assert check(lambda *_: (..., ...)).state == UNTRIED


# ---- exercise 1 -----------------------------------------------------------------------------------------------------


def by(change, sign=-1):
    """z and log_det with the answers h changed by `change`."""

    def attempt(x, network):
        m, a = change(network(x)).chunk(2, 2)
        return (x - m) * torch.exp(-a), sign * a.sum((1, 2))

    return attempt


def log_det_of_the_leak(x, network):
    return solutions.mended(x, network)[0], -network(x).chunk(2, 2)[1].sum((1, 2))


def only_m(x, network):
    h = network(x)
    m, a = checks.later(h).chunk(2, 2)[0], h.chunk(2, 2)[1]
    return (x - m) * torch.exp(-a), -a.sum((1, 2))


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (by(lambda h: h), "has seen token t itself"),
        (by(lambda h: F.pad(h[:, 1:], (0, 0, 0, 1))), "moved the wrong way"),
        (by(lambda h: h.roll(1, 1)), "the last one's answer"),
        (by(checks.later, sign=1), "wrong sign"),
        (only_m, "a still comes"),
        (log_det_of_the_leak, "did not move"),
        (lambda x, network: x, "two things"),
        (lambda x, network: (x, x), "must have the shape"),
        (lambda x, network: (x, x.sum((1, 2))), "z is not"),
    ],
)
def test_a_leak_or_another_mistake_is_named(attempt, words):
    verdicts(checks.mended, attempt, words)


def test_the_network_of_the_check_is_causal():
    network = checks.causal_network(4, 2, torch.Generator().manual_seed(0))
    x = torch.randn(1, 4, 2)
    changed = x.clone()
    changed[:, 2] += 1
    same = torch.isclose(network(x), network(changed)).all(2)[0]
    assert same.tolist() == [True, True, False, False]


# ---- exercise 2 -----------------------------------------------------------------------------------------------------


def loss(at=lambda x, z, t: (1 - t) * z + t * x, wanted=lambda x, z, t: x - z, end=lambda off: off.sum(1).mean()):
    return lambda velocity, x, z, t: end((velocity(at(x, z, t), t) - wanted(x, z, t)).square())


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (loss(wanted=lambda x, z, t: z - x), "leads back"),
        (loss(at=lambda x, z, t: t * z + (1 - t) * x), "ends are changed over"),
        (loss(lambda x, z, t: t * z + (1 - t) * x, lambda x, z, t: z - x), "both lead from x to z"),
        (loss(at=lambda x, z, t: x), "asked at x"),
        (loss(at=lambda x, z, t: z), "asked at z"),
        (loss(wanted=lambda x, z, t: x), "not x itself"),
        (loss(wanted=lambda x, z, t: (1 - t) * z + t * x), "not the point"),
        (loss(end=lambda off: off.mean()), "two coordinates"),
        (loss(end=lambda off: off.sum()), "sum goes over the pairs"),
        (loss(end=lambda off: off.sum(1).sqrt().mean()), "not squared"),
        (loss(end=lambda off: off.sum(1)), "one number"),
        (lambda velocity, x, z, t: velocity(t, x), "takes points"),
        (loss(wanted=lambda x, z, t: x + z), "is not the mean"),
    ],
)
def test_a_wrong_loss_is_named(attempt, words):
    verdicts(checks.matching_loss, attempt, words)


# ---- exercise 3 -----------------------------------------------------------------------------------------------------


def coupling(see, move=lambda x_b, log_s, t: (x_b + t) * log_s.exp(), det=lambda log_s, t: log_s.sum(1)):
    def attempt(x, label, scale_and_shift):
        log_s, t = scale_and_shift(see(x, label))
        return torch.cat([x[:, :1], move(x[:, 1:], log_s, t)], 1), det(log_s, t)

    return attempt


def hot(x, label):
    return torch.cat([x[:, :1], F.one_hot(label, 3).float()], 1)


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (coupling(lambda x, label: x[:, :1]), "label is missing"),
        (coupling(lambda x, label: torch.cat([x[:, :1], label[:, None].float()], 1)), "one-hot"),
        (coupling(lambda x, label: torch.cat([x, F.one_hot(label, 3).float()], 1)), "should see 4 numbers"),
        (coupling(lambda x, label: hot(x, label).roll(-1, 1)), "x_a comes first"),
        (coupling(hot, lambda x_b, log_s, t: x_b * log_s.exp() + t), "shift first"),
        (coupling(hot, lambda x_b, log_s, t: (x_b + t) * log_s), "logarithm"),
        (coupling(hot, det=lambda log_s, t: -log_s.sum(1)), "wrong sign"),
        (coupling(hot, det=lambda log_s, t: log_s), "must have the shape"),
        (coupling(hot, det=lambda log_s, t: log_s.exp().sum(1)), "not s"),
        (coupling(hot, det=lambda log_s, t: log_s.sum().expand(len(log_s))), "for each point"),
        (coupling(hot, det=lambda log_s, t: 0 * log_s.sum(1)), "log_det is not"),
        (coupling(hot, lambda x_b, log_s, t: x_b), "z is not"),
    ],
)
def test_a_wrong_coupling_is_named(attempt, words):
    verdicts(checks.conditional, attempt, words)
