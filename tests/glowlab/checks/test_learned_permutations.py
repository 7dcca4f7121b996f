"""The checks of notebook 03, each tried on the solution, the stub and the mistakes one makes."""

import pytest
import torch
import torch.nn.functional as F

from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlab.checks.learned_permutations import log_det, mix, unmix
from glowlite.flows.mixing import InvertibleConv1x1


def conv(x, W, **more):
    return F.conv2d(x, W[:, :, None, None], **more)


def last(x):
    return x.permute(0, 2, 3, 1)


def first_pixel_only(x, W):
    z = x.clone()
    z[:, :, 0, 0] = x[:, :, 0, 0] @ W.T
    return z


def first_picture_only(x, W):
    return torch.cat([conv(x[:1], W), x[1:]])


def in_place(x, W):
    x.copy_(conv(x, W))
    return x


def crashes(x, W):
    return W @ x


MIX = {
    "solution": (conv, None),
    "einsum": (lambda x, W: torch.einsum("ij,bjhw->bihw", W, x), None),
    "matmul": (lambda x, W: (last(x) @ W.T).permute(0, 3, 1, 2), None),
    "flattened": (lambda x, W: (W @ x.flatten(2)).view(x.shape), None),
    "transposed": (lambda x, W: conv(x, W.T), "W is transposed"),
    "transposed by einsum": (lambda x, W: torch.einsum("ij,bihw->bjhw", W, x), "row i of W"),
    "the way back": (lambda x, W: conv(x, W.inverse()), "the way back"),
    "nothing": (lambda x, W: x, "nothing was mixed"),
    "the diagonal": (lambda x, W: x * W.diagonal()[:, None, None], "only the diagonal"),
    "twice": (lambda x, W: conv(conv(x, W), W), "used twice"),
    "reshaped at the end": (lambda x, W: (last(x) @ W.T).reshape(x.shape), "only permute moves axes"),
    "reshaped at the start": (
        lambda x, W: (x.reshape(last(x).shape) @ W.T).permute(0, 3, 1, 2),
        "only permute moves axes",
    ),
    "channels last": (lambda x, W: last(x) @ W.T, "channels come last"),
    "padding": (lambda x, W: conv(x, W, padding=1), "no padding"),
    "still flat": (lambda x, W: W @ x.flatten(2), "in one row"),
    "one pixel": (first_pixel_only, "the first pixel is right"),
    "one picture": (first_picture_only, "the first picture is right"),
    "averaged": (lambda x, W: conv(x, W).mean((2, 3)), "must keep its shape"),
    "with its log-det": (lambda x, W: (conv(x, W), torch.linalg.slogdet(W)[1]), "one thing"),
    "not a tensor": (lambda x, W: conv(x, W).numpy(), "must give back a tensor"),
    "in float64": (lambda x, W: conv(x.double(), W.double()), None),
    "whole numbers": (lambda x, W: conv(x, W).long(), "give back floats"),
    "in place": (in_place, "in place"),
    "scaled": (lambda x, W: 2 * conv(x, W), "off by up to"),
    "not finite": (lambda x, W: conv(x, W) / 0, "not finite"),
    "shapes that do not fit": (crashes, "at the line `return W @ x`"),
}


def logs(W):
    return torch.linalg.slogdet(W)[1]


def pixels(x):
    return x.shape[2] * x.shape[3]


LOG_DET = {
    "solution": (lambda x, W: (pixels(x) * logs(W)).expand(len(x)), None),
    "as the package": (lambda x, W: package(W)(x)[1], None),
    "log of the size of det": (lambda x, W: pixels(x) * W.det().abs().log() * torch.ones(len(x)), None),
    "no gradient": (lambda x, W: torch.full((len(x),), (pixels(x) * logs(W)).item()), "no gradient goes through them"),
    "forgot h x w": (lambda x, W: logs(W).expand(len(x)), "you forgot h x w"),
    "wrong sign": (lambda x, W: (-pixels(x) * logs(W)).expand(len(x)), "right size and the wrong sign"),
    "wrong sign of one pixel": (lambda x, W: -logs(W).expand(len(x)), "wrong sign, and you forgot"),
    "all numbers": (lambda x, W: (x[0].numel() * logs(W)).expand(len(x)), "channels were counted twice"),
    "the whole batch": (lambda x, W: (pixels(x) * len(x) * logs(W)).expand(len(x)), "batch was counted"),
    "all numbers of the batch": (lambda x, W: (x.numel() * logs(W)).expand(len(x)), "batch and channels were counted"),
    "height only": (lambda x, W: (x.shape[2] * logs(W)).expand(len(x)), "forgot the width"),
    "width only": (lambda x, W: (x.shape[3] * logs(W)).expand(len(x)), "forgot the height"),
    "added": (lambda x, W: ((x.shape[2] + x.shape[3]) * logs(W)).expand(len(x)), "you added"),
    "wrong axes": (lambda x, W: (x.shape[1] * x.shape[2] * logs(W)).expand(len(x)), "wrong two axes"),
    "no log": (lambda x, W: (pixels(x) * W.det().abs()).expand(len(x)), "log is missing"),
    "no log, one pixel": (lambda x, W: W.det().abs().expand(len(x)), "log is missing"),
    "the volume": (lambda x, W: (W.det().abs() ** pixels(x)).expand(len(x)), "volume itself"),
    "log of det": (lambda x, W: (pixels(x) * W.det().log()).expand(len(x)), "negative determinant"),
    "in bits": (lambda x, W: (pixels(x) * W.det().abs().log2()).expand(len(x)), "in bits"),
    "log10": (lambda x, W: (pixels(x) * W.det().abs().log10()).expand(len(x)), "log10"),
    "the sign": (lambda x, W: torch.linalg.slogdet(W)[0].expand(len(x)), "sign of det W"),
    "both of slogdet": (lambda x, W: torch.linalg.slogdet(W), "two things, as slogdet"),
    "both of slogdet, for each": (
        lambda x, W: tuple(part.expand(len(x)) for part in torch.linalg.slogdet(W)),
        "two things, as slogdet",
    ),
    "with its z": (lambda x, W: (conv(x, W), pixels(x) * logs(W)), "the log-det alone"),
    "the diagonal": (lambda x, W: (pixels(x) * W.diag().abs().log().sum()).expand(len(x)), "triangular"),
    "one number": (lambda x, W: pixels(x) * logs(W), "each picture of the batch gets one"),
    "a plain number": (lambda x, W: (pixels(x) * logs(W)).item(), "each picture of the batch gets one"),
    "a column": (lambda x, W: (pixels(x) * logs(W)).expand(len(x), 1), "each picture of the batch gets one"),
    "one per pixel": (lambda x, W: logs(W).expand(len(x), *x.shape[2:]), "you forgot h x w"),
    "not a number": (lambda x, W: "0.3", "must give back a tensor"),
    "infinite": (lambda x, W: (pixels(x) * (W.det() * 0).log()).expand(len(x)), "not finite"),
    "a third": (lambda x, W: (pixels(x) / 3.1 * logs(W)).expand(len(x)), "for a picture of"),
}


def package(W):
    layer = InvertibleConv1x1(len(W))
    layer.weight.data.copy_(W)
    return layer


def found(layer, C):
    """W, by an experiment."""
    return layer(torch.eye(C).view(C, C, 1, 1))[:, :, 0, 0].T


def with_W(answer):
    """An answer of z and W as one of z and layer."""
    return lambda z, layer: answer(z, found(layer, z.shape[1]))


UNMIX = {
    "solution": (with_W(lambda z, W: conv(z, torch.linalg.inv(W))), None),
    "as the package": (with_W(lambda z, W: package(W).inverse(z)), None),
    "solve": (with_W(lambda z, W: torch.linalg.solve(W, z.flatten(2)).view(z.shape)), None),
    "without calling it": (lambda z, layer: conv(z, torch.eye(z.shape[1]) * 2), "never calls layer"),
    "mixed again": (lambda z, layer: layer(z), "mixes twice"),
    "mixed again, by the matrix": (with_W(conv), "mixes twice"),
    "the matrix transposed": (with_W(lambda z, W: conv(z, W.inverse().T)), "the matrix found is transposed"),
    "transposed for inverted": (with_W(lambda z, W: conv(z, W.T)), "rotations only"),
    "number by number": (with_W(lambda z, W: conv(z, 1 / W)), "each number alone"),
    "nothing": (with_W(lambda z, W: z), "nothing was undone"),
    "minus": (with_W(lambda z, W: conv(z, -W)), "-W is not the inverse"),
    "reshaped": (with_W(lambda z, W: (last(z) @ W.inverse().T).reshape(z.shape)), "only permute moves axes"),
    "channels last": (with_W(lambda z, W: last(z) @ W.inverse().T), "channels come last"),
    "inverse of another": (with_W(lambda z, W: conv(z, torch.linalg.inv(W + torch.eye(len(W))))), "off by up to"),
    "a table for a picture": (lambda z, layer: layer(torch.eye(z.shape[1])), "layer takes pictures"),
    "whole numbers": (lambda z, layer: layer(torch.ones_like(z).long()), "pictures of floats"),
    "in place": (lambda z, layer: z.mul_(2), "in place"),
    "a typing mistake": (lambda z, layer: conv(z, torch.linalg.inverse(layer)), "stops"),
}
ALL = [
    *((mix, name, *MIX[name]) for name in MIX),
    *((log_det, name, *LOG_DET[name]) for name in LOG_DET),
    *((unmix, name, *UNMIX[name]) for name in UNMIX),
]


@pytest.mark.parametrize(
    ("check", "attempt", "words"),
    [pytest.param(check, attempt, words, id=f"{check.name}-{name}") for check, name, attempt, words in ALL],
)
def test_the_mistake_is_named(check, attempt, words):
    for seed in range(5):
        verdict = check(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake
    assert bool(verdict) is (words is None)


def not_implemented(*given):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [lambda *given: None, lambda *given: ..., not_implemented])
@pytest.mark.parametrize("check", [mix, log_det, unmix])
def test_an_untouched_stub_is_not_a_mistake(check, stub):
    verdict = check(stub)
    assert verdict.state == UNTRIED and not verdict and "goes on" in repr(verdict)


def test_what_holds_is_said_in_the_notebooks_words():
    assert log_det(LOG_DET["solution"][0]).holds == (
        "right for a W with det > 0",
        "right for a W with det < 0",
    )
    assert "every pixel adds its share" in log_det(LOG_DET["forgot h x w"][0]).mistake


def test_both_signs_of_a_determinant_are_tried():
    signs = set()

    def attempt(x, W):
        signs.add(W.det().sign().item())
        return (pixels(x) * logs(W)).expand(len(x))

    assert log_det(attempt) and signs == {-1.0, 1.0}


def test_a_result_that_needs_gradients_is_as_good():
    assert log_det(lambda x, W: package(W)(x)[1]) and mix(lambda x, W: package(W)(x)[0])


@pytest.mark.parametrize("check", [mix, log_det, unmix])
def test_every_hint_is_another_one(check):
    hints = [str(check.hint()) for _ in check._hints]
    assert len(set(hints)) == len(hints) >= 3
