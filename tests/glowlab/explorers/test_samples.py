"""Quality and diversity of samples, and what counts as typical."""

import itertools
import math

import pytest
import torch

from glowlab.explorers.pca import PCA
from glowlab.explorers.samples import COUNT, spread, trade_off
from glowlab.explorers.typical import Typical, read_typical
from glowlite import latents as latent_space


def test_spread_is_the_mean_over_pairs():
    images = torch.randint(0, 256, (5, 3, 4, 4), dtype=torch.uint8)
    pairs = [(a.float() - b.float()).abs().mean() for a, b in itertools.combinations(images, 2)]
    assert spread(images) == pytest.approx(torch.stack(pairs).mean().item(), rel=1e-5)


def test_the_same_people_at_each_temperature(model):
    pca = PCA.fit(torch.rand(96, 48) * 255)
    points = list(trade_off(model, pca, seed=3, stops=(0.0, 0.6)))
    eps = latent_space.sample_eps(model.latent_shapes, COUNT, torch.Generator().manual_seed(3))
    images = model.decode(latent_space.scale(eps, 0.6))
    assert [point.temperature for point in points] == [0.0, 0.6] and points[0].spread == 0
    assert points[1][1:] == pytest.approx((pca.residual(images), spread(images)), rel=1e-5)


def test_typical_and_unlike():
    typical = Typical(5.0, 0.1)
    assert not typical.unlike(5.3)
    assert typical.unlike(5.5) and typical.unlike(4.5)  # too many bits, and too few
    assert typical.unlike(math.nan)


def test_the_card_is_believed_and_what_it_lacks_is_measured():
    measured = torch.tensor([3.0, 4.0, 5.0])
    assert read_typical({"held_out": {"bits_per_dim": 3.2, "spread": 0.1}}, measured) == (3.2, 0.1)
    assert read_typical({"held_out": {"bits_per_dim": 3.2}}, measured) == (3.2, 1.0)
    assert read_typical({}, measured) == (4.0, 1.0)
    assert read_typical({"held_out": {"bits_per_dim": 3.2, "spread": None}}, measured) == (3.2, 1.0)  # of one picture
