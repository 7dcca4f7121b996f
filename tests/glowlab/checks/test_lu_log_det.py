"""The checks of notebook 04, each tried on the solution, the stub and the mistakes one makes."""

import numpy as np
import pytest
import torch

from glowlab.checks import lu_log_det as checks
from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlite.flows import InvertibleConv1x1LU

solve = torch.linalg.solve_triangular


def verdicts(check, attempt, words):
    for seed in range(5):
        verdict = check(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict
    assert bool(verdict) is (words is None)


def eye(L):
    return torch.eye(len(L), dtype=L.dtype)


def lower(L):
    return L.tril(-1) + eye(L)


def upper(U, sign, log_s):
    return U.triu(1) + torch.diag(sign * log_s.exp())


# ---- W from its factors ------------------------------------------------------------------------------------


def as_the_layer_does(P, L, U, sign, log_s):
    layer = InvertibleConv1x1LU(len(L)).double()
    layer.order = P.argmax(1)
    layer.sign = sign
    layer.L.data, layer.U.data, layer.log_s.data = L, U, log_s
    return layer.matrix()


def in_loops(P, L, U, sign, log_s):
    unit, rest = torch.zeros_like(L), torch.zeros_like(U)
    for i in range(len(L)):
        for j in range(len(L)):
            unit[i, j] = 1 if i == j else L[i, j] if i > j else 0
            rest[i, j] = sign[i] * log_s[i].exp() if i == j else U[i, j] if i < j else 0
    return P @ unit @ rest


def without_sign(P, L, U, sign, log_s):
    return P @ lower(L) @ (U.triu(1) + torch.diag(log_s.exp()))


def without_exp(P, L, U, sign, log_s):
    return P @ lower(L) @ (U.triu(1) + torch.diag(sign * log_s))


def two_mistakes(P, L, U, sign, log_s):
    return lower(L) @ (U.triu(1) + torch.diag(log_s.exp()))


def diagonal_as_a_vector(P, L, U, sign, log_s):
    return P @ lower(L) @ (U.triu(1) + sign * log_s.exp())


BUILD = {
    "the package's": (as_the_layer_does, None),
    "one line": (lambda P, L, U, s, l: P @ (lower(L) @ upper(U, s, l)), None),
    "in loops": (in_loops, None),
    "by rows of P": (lambda P, L, U, s, l: (lower(L) @ upper(U, s, l))[P.argmax(1)], None),
    "in float32": (lambda P, L, U, s, l: P.float() @ lower(L).float() @ upper(U, s, l).float(), None),
    "no identity": (lambda P, L, U, s, l: P @ L.tril(-1) @ upper(U, s, l), "identity is missing"),
    "L not masked": (lambda P, L, U, s, l: P @ (L + eye(L)) @ upper(U, s, l), "L on and above its diagonal"),
    "tril() + I": (lambda P, L, U, s, l: P @ (L.tril() + eye(L)) @ upper(U, s, l), "I is there in its place"),
    "L's own diagonal": (lambda P, L, U, s, l: P @ L.tril() @ upper(U, s, l), "brings its own diagonal"),
    "U not masked": (lambda P, L, U, s, l: P @ lower(L) @ (U + torch.diag(s * l.exp())), "U on and below"),
    "triu()": (lambda P, L, U, s, l: P @ lower(L) @ (U.triu() + torch.diag(s * l.exp())), "diagonal of U must"),
    "no diagonal": (lambda P, L, U, s, l: P @ lower(L) @ U.triu(1), "diagonal is missing from U"),
    "no sign": (without_sign, "signs are missing"),
    "no exp": (without_exp, "its exp is wanted"),
    "sign inside": (
        lambda P, L, U, s, l: P @ lower(L) @ (U.triu(1) + torch.diag((s * l).exp())),
        "outside the exp",
    ),
    "no log_s": (lambda P, L, U, s, l: P @ lower(L) @ (U.triu(1) + torch.diag(s)), "log_s is missing"),
    "no P": (lambda P, L, U, s, l: lower(L) @ upper(U, s, l), "P is missing"),
    "P last": (lambda P, L, U, s, l: lower(L) @ upper(U, s, l) @ P, "wrong side"),
    "P transposed": (lambda P, L, U, s, l: P.T @ lower(L) @ upper(U, s, l), "P is transposed"),
    "U before L": (lambda P, L, U, s, l: P @ upper(U, s, l) @ lower(L), "lower comes before upper"),
    "by numbers": (lambda P, L, U, s, l: P * lower(L) * upper(U, s, l), "use @"),
    "plus 1": (lambda P, L, U, s, l: P @ (L.tril(-1) + 1) @ upper(U, s, l), "L + 1 adds 1 to every number"),
    "no torch.diag": (diagonal_as_a_vector, "torch.diag makes a diagonal"),
    "neither diag nor sign": (
        lambda P, L, U, s, l: P @ lower(L) @ (U.triu(1) + l.exp()),
        "signs are missing from the diagonal; and (C,) numbers added",
    ),
    "two at once": (two_mistakes, "P is missing; and the signs are missing"),
    "not explained": (lambda P, L, U, s, l: P @ lower(L) @ upper(U, s, l) + 1, "where are its zeros"),
    "a vector": (lambda P, L, U, s, l: l, "must have the shape"),
    "a number": (lambda P, L, U, s, l: 1.0, "not a float"),
    "a typing mistake": (lambda P, L, U, s, l: P @ lowr(L), "NameError"),  # noqa: F821
}  # fmt: skip


@pytest.mark.parametrize("name", BUILD)
def test_build_w_names_the_mistake(name):
    verdicts(checks.build_w, *BUILD[name])


def test_what_does_not_count_is_not_said_to_be_no_parameter():
    mistake = checks.build_w(BUILD["L not masked"][0], seed=0).mistake
    assert mistake.endswith("must not count") and "parameter" not in mistake


# ---- a test of any layer's log-det ---------------------------------------------------------------------------


def by_jacobian(layer, x):
    J = torch.autograd.functional.jacobian(lambda one: layer(one[None])[0].flatten(), x[0])
    return torch.linalg.slogdet(J.reshape(x[0].numel(), -1))[1]


def near(layer, x, expected, room=1e-4):
    return abs(layer(x)[1][0] - expected).item() < room


def through_w(layer, x):
    """W read off one pixel: right for every layer of one W."""
    W = layer(torch.eye(3)[:, :, None, None])[0][:, :, 0, 0].T
    return near(layer, x, torch.linalg.slogdet(W)[1] * x[0, 0].numel())


COUNTS_RIGHT = {
    "solution": (lambda layer, x: near(layer, x, by_jacobian(layer, x)), None),
    "a tensor": (lambda layer, x: torch.isclose(layer(x)[1][0], by_jacobian(layer, x), rtol=1e-3), None),
    "by W": (through_w, None),
    "too strict": (lambda layer, x: near(layer, x, by_jacobian(layer, x), 1e-12), "right"),
    "one pixel": (lambda layer, x: near(layer, x, by_jacobian(layer, x[:, :, :1, :1])), "is called wrong"),
    "a square": (lambda layer, x: near(layer, x[..., :2], by_jacobian(layer, x[..., :2])), "square pictures alone"),
    "size alone": (
        lambda layer, x: abs(abs(layer(x)[1][0]) - abs(by_jacobian(layer, x))) < 1e-3,
        "has the wrong sign",
    ),
    "not 0": (lambda layer, x: layer(x)[1][0].item() != 0, "passes"),
    "always": (lambda layer, x: True, "says True of every layer"),
    "never": (lambda layer, x: False, "says False of every layer"),
    "a number": (lambda layer, x: 1.0, "not a float"),
    "one for each picture": (lambda layer, x: layer(x)[1] > 0, "one answer"),
    "crashes": (lambda layer, x: layer.weight, "AttributeError"),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS_RIGHT)
def test_counts_right_names_the_mistake(name):
    verdicts(checks.counts_right, *COUNTS_RIGHT[name])


# ---- two triangular solves ---------------------------------------------------------------------------------


def solution(z, P, lower, upper):
    half = solve(lower, P.T @ z, upper=False, unitriangular=True)
    return solve(upper, half, upper=True)


def two_solves(y, lower, upper):
    return solve(upper, solve(lower, y, upper=False), upper=True)


def by_hand(z, P, lower, upper):
    y = (P.T @ z).clone()
    for i in range(len(y)):
        y[i] = y[i] - lower[i, :i] @ y[:i]
    for i in reversed(range(len(y))):
        y[i] = (y[i] - upper[i, i + 1 :] @ y[i + 1 :]) / upper[i, i]
    return y


UNDO = {
    "solution": (solution, None),
    "by hand": (by_hand, None),
    "P again": (lambda z, P, l, u: solve(u, solve(l, P @ z, upper=False), upper=True), "its transpose"),
    "P forgotten": (lambda z, P, l, u: solve(u, solve(l, z, upper=False), upper=True), "P was not undone"),
    "inside out": (lambda z, P, l, u: P.T @ solve(l, solve(u, z, upper=True), upper=False), "P was applied last"),
    "upper first": (lambda z, P, l, u: solve(l, solve(u, P.T @ z, upper=True), upper=False), "P was applied last"),
    "P last": (lambda z, P, l, u: P.T @ solve(u, solve(l, z, upper=False), upper=True), "P was applied last"),
    "flag of the lower": (lambda z, P, l, u: solve(u, solve(l, P.T @ z, upper=True), upper=True), "upper=True"),
    "flag of the upper": (lambda z, P, l, u: solve(u, solve(l, P.T @ z, upper=False), upper=False), "upper=False"),
    "ones in the upper": (
        lambda z, P, l, u: solve(u, solve(l, P.T @ z, upper=False), upper=True, unitriangular=True),
        "ones for the diagonal",
    ),
    "lower applied": (lambda z, P, l, u: solve(u, l @ P.T @ z, upper=True), "lower triangle is applied"),
    "upper applied": (lambda z, P, l, u: u @ solve(l, P.T @ z, upper=False), "upper triangle is applied"),
    "half way": (lambda z, P, l, u: solve(l, P.T @ z, upper=False), "upper triangle is still there"),
    "W again": (lambda z, P, l, u: P @ l @ u @ z, "applied once more, not undone"),
    "nothing": (lambda z, P, l, u: z, "is still there"),
    "inv": (lambda z, P, l, u: torch.linalg.inv(P @ l @ u) @ z, "inv costs C^3"),
    "inverse": (lambda z, P, l, u: (P @ l @ u).inverse() @ z, "inverse costs C^3"),
    "a general solve": (lambda z, P, l, u: torch.linalg.solve(P @ l @ u, z), "solve costs C^3"),
    "P inverted": (lambda z, P, l, u: two_solves(P.inverse() @ z, l, u), "right, but P needs no inverse"),
    "P by a general solve": (lambda z, P, l, u: two_solves(torch.linalg.solve(P, z), l, u), "P needs no solve"),
    "P in float64": (
        lambda z, P, l, u: two_solves(P.double().inverse().float() @ z, l, u),
        "P needs no inverse",
    ),
    "inv by numpy": (
        lambda z, P, l, u: torch.from_numpy(np.linalg.inv((P @ l @ u).numpy()) @ z.numpy()),
        "inv costs C^3",
    ),
    "P by numpy": (
        lambda z, P, l, u: two_solves(torch.from_numpy(np.linalg.solve(P.numpy(), z.numpy())), l, u),
        "P needs no solve",
    ),
    "inv of nothing": (lambda z, P, l, u: torch.linalg.inv(), "TypeError"),
    "P by name": (lambda z, P, l, u: two_solves(torch.linalg.inv(A=P) @ z, l, u), "its transpose, P.T"),
    "P and lower inverted": (
        lambda z, P, l, u: solve(u, l.inverse() @ P.inverse() @ z, upper=True),
        "solve_triangular, twice",
    ),
    "not explained": (lambda z, P, l, u: solution(z, P, l, u) * 2, "does not come back"),
    "one column": (lambda z, P, l, u: solution(z, P, l, u)[:, 0], "must have the shape"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNDO)
def test_undo_names_the_mistake(name):
    verdicts(checks.undo, *UNDO[name])


# ---- stubs, hints, solutions -------------------------------------------------------------------------------


def not_implemented(*given):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [lambda *given: None, lambda *given: ..., not_implemented])
@pytest.mark.parametrize("check", [checks.build_w, checks.counts_right, checks.undo], ids=lambda check: check.name)
def test_an_untouched_stub_is_not_a_mistake(check, stub):
    verdict = check(stub)
    assert verdict.state == UNTRIED and not verdict and "goes on" in repr(verdict)


def test_the_solutions_are_the_packages_own():
    assert "P @ (lower @ upper)" in checks.build_w.solution().text
    assert "solve_triangular" in checks.undo.solution().text
    for check in (checks.build_w, checks.counts_right, checks.undo):
        assert str(check.hint()).startswith("Hint 1 of 3")
