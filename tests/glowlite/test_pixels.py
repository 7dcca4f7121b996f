"""Pixels to numbers and back, and nats to bits."""

import math

import pytest
import torch

from glowlite import pixels
from glowlite.errors import GlowliteError

ALL = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)


@pytest.mark.parametrize("n_bits", range(1, 9))
def test_the_floor_of_a_dequantised_value_is_the_integer(n_bits):
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        x = pixels.dequantize(ALL, n_bits, generator)
        assert torch.equal(((x.double() + 0.5) * 2**n_bits).floor().long(), ALL.long() >> (8 - n_bits))
        assert x.min() >= -0.5 and x.max() <= 0.5


@pytest.mark.parametrize("n_bits", [1, 5, 8])
def test_noise_is_uniform_and_fills_its_bin(n_bits):
    images = torch.full((1, 1, 512, 512), 200, dtype=torch.uint8)
    x = pixels.dequantize(images, n_bits, torch.Generator().manual_seed(0))
    u = (x + 0.5) * 2**n_bits - (200 >> (8 - n_bits))
    assert u.mean().item() == pytest.approx(1 / 2, abs=0.01)
    assert u.var().item() == pytest.approx(1 / 12, abs=0.002)
    assert u.min() < 0.01 and u.max() > 0.99
    assert torch.histc(u, 10, 0, 1).div(u.numel()).sub(0.1).abs().max() < 0.01


def test_the_middle_of_every_bin_comes_back():
    assert torch.equal(pixels.to_uint8(pixels.to_float(ALL)), ALL)
    assert torch.equal(
        pixels.to_uint8(torch.tensor([-9.0, 9.0, math.inf, -math.inf, math.nan])).float(),
        torch.tensor([0.0, 255.0, 255.0, 0.0, 0.0]),
    )


@pytest.mark.parametrize("n_bits", range(1, 9))
def test_fewer_bits_still_reach_from_black_to_white(n_bits):
    shown = pixels.quantize(ALL, n_bits)
    assert shown.min() == 0 and shown.max() == 255
    assert len(shown.unique()) == 2**n_bits
    assert torch.equal(pixels.quantize(shown, n_bits), shown)
    assert (shown.float() - ALL.float()).abs().max() <= 256 / 2**n_bits


def test_nats_to_bits():
    assert pixels.bits_per_dim(torch.tensor([-12 * math.log(2)]), 4).item() == pytest.approx(3)
    assert pixels.log_bins(6, 5) == pytest.approx(6 * math.log(32))


@pytest.mark.parametrize("n_bits", [0, 9, -1])
def test_other_numbers_of_bits_are_refused(n_bits):
    with pytest.raises(GlowliteError, match="from 1 to 8"):
        pixels.dequantize(ALL, n_bits)


def test_the_same_seed_gives_the_same_noise():
    a, b = (pixels.dequantize(ALL, 8, torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(a, b)


def test_the_pictures_given_stay_as_they_are():
    images = ALL.clone()
    pixels.quantize(images, 3)
    pixels.dequantize(images, 3)
    pixels.to_float(images)
    assert torch.equal(images, ALL)
