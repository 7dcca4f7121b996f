"""Held-out bits per dimension, the codecs beside them, and the file of evaluation."""

import math

import pytest
import torch

from glowlite import evaluation
from glowlite.data import faces
from glowlite.data.labelled import Labelled
from glowlite.errors import GlowliteError
from glowlite.glow import Glow, GlowConfig
from glowlite.seeds import generator


def test_bits_per_dim_is_that_of_each_picture_whatever_the_parts():
    model = Glow(GlowConfig((3, 16, 16), levels=2, depth=1, width=8))
    images = faces.draw(10, size=16, seed=1).images
    model.initialize(torch.rand(32, 3, 16, 16) - 0.5)
    model.eval()
    whole = evaluation.bits_per_dim(model, images, batch=10, seed=4)
    assert (whole.shape, whole.dtype) == ((10,), torch.float64)
    assert torch.equal(whole, evaluation.bits_per_dim(model, images, batch=10, seed=4))
    dims = 3 * 16 * 16
    noise = torch.rand(images.shape, generator=generator("cpu", 4))
    with torch.no_grad():
        log_prob = model.log_density((images.float() + noise) / 256 - 0.5).double() - dims * math.log(256)
    torch.testing.assert_close(whole, -log_prob / (dims * math.log(2)), rtol=1e-5, atol=0)
    parts = evaluation.bits_per_dim(model, images, batch=3, seed=4)
    assert len(set(parts.tolist())) == 10, "each picture has its own"
    torch.testing.assert_close(parts[:3], whole[:3], rtol=1e-5, atol=0)  # the same noise so far


@pytest.mark.parametrize(("codec", "magic"), [("png", b"\x89PNG"), ("webp", b"RIFF")])
@pytest.mark.parametrize("channels", [1, 3])
def test_codecs_spend_bits_where_there_is_something_to_say(codec, magic, channels):
    noise = torch.randint(0, 256, (2, channels, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    flat = torch.full_like(noise, 90)
    bpd = evaluation.codec_bits_per_dim(torch.cat([noise, flat]), codec)
    assert bpd.shape == (4,)
    if channels == 3:  # WebP stores gray as colour
        assert bool((bpd[:2] >= 8).all()), "noise cannot be compressed"
    assert bool((bpd[:2] < 9.5).all())
    assert bool((bpd[2:] < 0.5).all())
    with pytest.raises(GlowliteError, match="choose png or webp"):
        evaluation.codec_bits_per_dim(noise, "gif")


def test_frechet_distance_is_that_of_the_two_gaussians():
    noise = torch.Generator().manual_seed(2)
    a = torch.randn(4000, 3, generator=noise, dtype=torch.float64)
    a = torch.linalg.qr(a - a.mean(0))[0] * 3999**0.5  # covariance: exactly the identity
    mix = torch.tensor([[2.0, 0.5, 0.0], [0.5, 1.0, 0.3], [0.0, 0.3, 1.5]], dtype=torch.float64)  # positive definite
    shift = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    assert evaluation.frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    # covariances I and mix^2, whose root is mix: tr(I + mix^2 - 2 mix) = |I - mix|^2
    wanted = shift.square().sum() + (torch.eye(3) - mix).square().sum()
    assert evaluation.frechet_distance(a, a @ mix + shift) == pytest.approx(wanted.item(), rel=1e-9)
    assert evaluation.frechet_distance(a @ mix + shift, a) == pytest.approx(wanted.item(), rel=1e-9)
    flat = torch.cat([a[:, :2], a[:, :1]], 1)  # a singular covariance
    assert evaluation.frechet_distance(flat, flat + shift) == pytest.approx(shift.square().sum().item(), rel=1e-6)


def bright(count, mirrored):
    """Pictures with one half brighter and one darker, and by how much the right one is, in standard deviations."""
    noise = torch.Generator().manual_seed(count)
    side = torch.randn(count, generator=noise).clamp(-2, 2)
    images = torch.full((count, 3, 16, 16), 128.0)
    images[..., 8:] += 20 * side.view(-1, 1, 1, 1)
    images[..., :8] -= 20 * side.view(-1, 1, 1, 1)
    return Labelled(images.to(torch.uint8), {"side": side}, mirrored)


def test_a_meter_learns_by_seed_and_mirrors_only_where_it_may():
    right = evaluation.train_meter(bright(2048, ("side",)), epochs=5, seed=3)
    assert right.explained(bright(200, None))["side"] > 0.9
    again, other = (evaluation.train_meter(bright(2048, ("side",)), epochs=5, seed=seed) for seed in (3, 4))
    images = bright(200, None).images
    assert torch.equal(again.read(images), right.read(images))
    assert not torch.equal(other.read(images), right.read(images))
    assert right.features(images).shape == (200, 144)
    confused = evaluation.train_meter(bright(2048, ()), epochs=5, seed=3)  # mirrored, but the sign is said to stay
    assert confused.explained(bright(200, None))["side"] < 0.5
    plain = evaluation.train_meter(bright(2048, None), epochs=5, seed=3)
    assert plain.explained(bright(200, None))["side"] > 0.9
