"""Held-out bits per dimension, the codecs beside them, and the file of evaluation."""

import math

import pytest
import torch

from glowlite import evaluation
from glowlite.data import faces
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
