"""The checks of notebook 07, each tried on the solution, the stub and the mistakes one makes."""

import math

import pytest
import torch

from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlab.checks.bits_per_dimension import dequantise, to_bits_per_dim
from glowlite import pixels

LN2 = math.log(2)

# ---- dequantise --------------------------------------------------------------------------------------------


def keep(images, n):
    return (images >> (8 - n)).float()


def noise(images):
    return torch.rand(images.shape)


def in_place(images, n):
    images >>= 8 - n
    return (images + noise(images)) / 2**n - 0.5


def seeded(images, n):
    generator = torch.Generator().manual_seed(0)
    return (keep(images, n) + torch.rand(images.shape, generator=generator)) / 2**n - 0.5


def overflowing(images, n):
    return ((images * 2**n / 256).floor() + noise(images)) / 2**n - 0.5


def by_all_bins(images, n):
    return (images // 2**n + noise(images)) / 2**n - 0.5


def rest_of_bytes(images, n):
    return (images % 2**n + noise(images)) / 2**n - 0.5


def crashes(images, n):
    return (keep(images, n) + torch.rand(images)) / 2**n - 0.5


DEQUANTISE = {
    "solution": (lambda images, n: (keep(images, n) + noise(images)) / 2**n - 0.5, None),
    "the package's": (pixels.dequantize, None),
    "whole division": (lambda images, n: (images // 2 ** (8 - n) + noise(images)) / 2**n - 0.5, None),
    "noise after dividing": (lambda images, n: keep(images, n) / 2**n + noise(images) / 2**n - 0.5, None),
    "in float64": (lambda images, n: (keep(images, n) + noise(images).double()) / 2**n - 0.5, None),
    "no noise": (lambda images, n: keep(images, n) / 2**n - 0.5, "no noise"),
    "the middle of the bin": (lambda images, n: (keep(images, n) + 0.5) / 2**n - 0.5, "no noise"),
    "Gaussian": (
        lambda images, n: (keep(images, n) + torch.randn(images.shape)) / 2**n - 0.5,
        "that is Gaussian noise",
    ),
    "narrow Gaussian": (
        lambda images, n: (keep(images, n) + 0.5 + 0.2 * torch.randn(images.shape)) / 2**n - 0.5,
        "that is Gaussian noise",
    ),
    "centred": (lambda images, n: (keep(images, n) + noise(images) - 0.5) / 2**n - 0.5, "the bin below"),
    "1/256 whatever n": (
        lambda images, n: keep(images, n) / 2**n + noise(images) / 256 - 0.5,
        "1/256 wide whatever n is",
    ),
    "half a bin": (lambda images, n: (keep(images, n) + noise(images) / 2) / 2**n - 0.5, "0.5 of each bin"),
    "over the whole range": (lambda images, n: keep(images, n) / 2**n + noise(images) - 0.5, "bins wide"),
    "by 255": (lambda images, n: keep(images, n) / (2**n - 1) + noise(images) / 2**n - 0.5, "number of bins"),
    "all by 255": (lambda images, n: (images + noise(images)) / 255 - 0.5, "number of bins"),
    "no 0.5": (lambda images, n: (keep(images, n) + noise(images)) / 2**n, "0.5 was not taken away"),
    "from -1 to 1": (lambda images, n: (keep(images, n) + noise(images)) / 2**n * 2 - 1, "(-1, 1)"),
    "not divided": (lambda images, n: keep(images, n) + noise(images), "not divided"),
    "n_bits ignored": (lambda images, n: (images + noise(images)) / 256 - 0.5, "n_bits does not count"),
    "the last bits": (lambda images, n: (images.long() % 2**n + noise(images)) / 2**n - 0.5, "wrong ones"),
    "divided by 2^n": (by_all_bins, "does not fit into a byte"),
    "the rest of bytes": (rest_of_bytes, "does not fit into a byte"),
    "all 8 bits": (lambda images, n: (images + noise(images)) / 2**n - 0.5, "all 8 bits are still there"),
    "no whole division": (
        lambda images, n: (images / 2 ** (8 - n) + noise(images)) / 2**n - 0.5,
        "the division must be whole, //",
    ),
    "rounded": (
        lambda images, n: ((images.float() * 2**n / 256).round() + noise(images)) / 2**n - 0.5,
        "rounded to fewer bits",
    ),
    "shifted": (lambda images, n: (keep(images, n) + 0.5 + noise(images)) / 2**n - 0.5, "shifted by 0.50"),
    "one for all": (lambda images, n: (keep(images, n) + torch.rand(len(images), 1, 1, 1)) / 2**n - 0.5, "share"),
    "one for the colours": (
        lambda images, n: (keep(images, n) + torch.rand(1, 1, *images.shape[2:])) / 2**n - 0.5,
        "share",
    ),
    "not even": (lambda images, n: (keep(images, n) + noise(images) ** 2) / 2**n - 0.5, "evenly"),
    "other bits": (lambda images, n: (255 - images + noise(images)) / 256 - 0.5, "another integer"),
    "the same each time": (seeded, "the same at every call"),
    "in place": (in_place, "in place"),
    "overflow": (overflowing, "begin again"),
    "bytes": (lambda images, n: images >> (8 - n), "torch.uint8"),
    "one picture": (lambda images, n: pixels.dequantize(images, n)[0], "the shape of the pictures"),
    "two things": (lambda images, n: (pixels.dequantize(images, n), n), "one tensor"),
    "a crash": (crashes, "at the line `return (keep(images, n) + torch.rand(images))"),
}  # fmt: skip


@pytest.mark.parametrize("name", DEQUANTISE)
def test_dequantise_names_the_mistake(name):
    attempt, words = DEQUANTISE[name]
    for seed in range(5):
        verdict = dequantise(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict


def test_the_check_leaves_the_dice_of_the_notebook_alone():
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    assert dequantise(pixels.dequantize)
    assert torch.equal(torch.rand(2), wanted)


# ---- nats to bits per dimension ----------------------------------------------------------------------------


def bits(log_density, shape, n, offset=None, dims=None, unit=LN2):
    dims = dims or math.prod(shape)
    offset = dims * n * LN2 if offset is None else offset
    return -(log_density - offset) / (dims * unit)


def plane(shape):
    return shape[1] * shape[2]


def fills(log_density, shape, n):
    log_density -= math.prod(shape) * n * LN2
    return -log_density / (math.prod(shape) * LN2)


def typing_mistake(log_density, shape, n):
    return -log_density / (math.prod(shap) * LN2)  # noqa: F821


BITS = {
    "solution": (bits, None),
    "n minus": (lambda lp, s, n: n - lp / (math.prod(s) * LN2), None),
    "by log2": (lambda lp, s, n: n - lp * math.log2(math.e) / math.prod(s), None),
    "a list of floats": (lambda lp, s, n: [n - p / (math.prod(s) * LN2) for p in lp.tolist()], None),
    "no bins": (lambda lp, s, n: bits(lp, s, n, offset=0), "you forgot D log 2^n"),
    "no bins, no minus": (lambda lp, s, n: -bits(lp, s, n, offset=0), "and the minus"),
    "bins with the wrong sign": (
        lambda lp, s, n: bits(lp, s, n, offset=-math.prod(s) * n * LN2),
        "the sign of D log 2^n",
    ),
    "no minus": (lambda lp, s, n: -bits(lp, s, n), "right size, wrong sign"),
    "bins once": (lambda lp, s, n: bits(lp, s, n, offset=n * LN2), "each of the D dimensions"),
    "nats": (lambda lp, s, n: bits(lp, s, n, unit=1), "nats per dimension still"),
    "times log 2": (lambda lp, s, n: bits(lp, s, n, unit=1 / LN2), "multiplied by log 2"),
    "log10 for the unit": (lambda lp, s, n: bits(lp, s, n, unit=math.log(10)), "log10 was used for the unit"),
    "log10 for the bins": (
        lambda lp, s, n: bits(lp, s, n, offset=math.prod(s) * math.log10(2**n)),
        "log10 was used for the bins",
    ),
    "log10 throughout": (
        lambda lp, s, n: bits(lp, s, n, offset=math.prod(s) * math.log10(2**n), unit=math.log10(2)),
        "log10 throughout",
    ),
    "log2 for the bins": (lambda lp, s, n: bits(lp, s, n, offset=math.prod(s) * n), "one unit"),
    "log2 throughout": (
        lambda lp, s, n: bits(lp, s, n, offset=math.prod(s) * n, unit=1),
        "the unit is still the nat",
    ),
    "always 256": (lambda lp, s, n: bits(lp, s, 8), "right for 8 bits only"),
    "255": (lambda lp, s, n: bits(lp, s, n, offset=math.prod(s) * math.log(2**n - 1)), "the number of bins"),
    "no log": (lambda lp, s, n: bits(lp, s, n, offset=math.prod(s) * 2**n), "without its log"),
    "no colours": (lambda lp, s, n: bits(lp, s, n, dims=plane(s)), "you forgot C: D counts"),
    "the faulty lines": (
        lambda lp, s, n: bits(lp, s, n, offset=-plane(s) * math.log(256), dims=plane(s)),
        "there are faults left: D counts every number",
    ),
    "one fault of three mended": (
        lambda lp, s, n: bits(lp, s, n, offset=-math.prod(s) * n * LN2 * 8 / n),
        "smaller than log p",
    ),
    "no colours in the bins": (
        lambda lp, s, n: bits(lp, s, n, offset=plane(s) * n * LN2),
        "you forgot C in D log 2^n",
    ),
    "no colours below": (
        lambda lp, s, n: bits(lp, s, n, offset=math.prod(s) * n * LN2) * s[0],
        "where you divide by D",
    ),
    "colours twice": (lambda lp, s, n: bits(lp, s, n, dims=s[0] * math.prod(s)), "counted twice"),
    "the whole picture": (lambda lp, s, n: bits(lp, s, n) * math.prod(s), "the whole picture"),
    "by n": (lambda lp, s, n: bits(lp, s, n) / n, "divided by n_bits"),
    "by the batch": (lambda lp, s, n: bits(lp, s, n) / len(lp), "pictures of the batch"),
    "nothing done": (lambda lp, s, n: lp.clone(), "given as it is"),
    "mean": (lambda lp, s, n: bits(lp, s, n).mean(), "no mean"),
    "a number": (lambda lp, s, n: 3.5, "not a float"),
    "something else": (lambda lp, s, n: bits(lp, s, n) + 1, "that must give"),
    "in place": (fills, "in place"),
    "a typing mistake": (typing_mistake, "NameError"),
}


@pytest.mark.parametrize("name", BITS)
def test_to_bits_per_dim_names_the_mistake(name):
    attempt, words = BITS[name]
    for seed in range(5):
        verdict = to_bits_per_dim(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict


def test_the_check_says_what_holds_before_it_says_what_does_not():
    verdict = to_bits_per_dim(BITS["always 256"][0], seed=0)
    assert verdict.holds == ("right for 8 bits",)
    assert to_bits_per_dim(bits, seed=0).holds == ("right for 8 bits", "right for any number of bits")


# ---- both --------------------------------------------------------------------------------------------------


def not_implemented(*given):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [lambda *given: None, lambda *given: ..., not_implemented])
def test_an_untouched_stub_is_not_a_mistake(stub):
    for verdict in (dequantise(stub), to_bits_per_dim(stub)):
        assert verdict.state == UNTRIED and not verdict
        assert "goes on" in repr(verdict)


def test_hints_come_one_by_one_and_the_solution_is_the_packages_source():
    for check, line in ((dequantise, "torch.rand(images.shape"), (to_bits_per_dim, "dims * math.log(2)")):
        texts = [str(check.hint()) for _ in range(5)]
        assert texts[0].startswith("Hint 1 of 4") and texts[4] == texts[0] and len(set(texts)) == 4
        assert line in check.solution().text
    assert "def log_bins" in to_bits_per_dim.solution().text
