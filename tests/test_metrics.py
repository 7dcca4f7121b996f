"""Held-out bits per dimension, the codecs beside them, and the file of metrics."""

import math

import pytest
import torch

from glowlite import metrics
from glowlite.data import faces
from glowlite.errors import GlowliteError
from glowlite.glow import Glow, GlowConfig


def test_bits_per_dim_is_that_of_each_picture_whatever_the_parts():
    model = Glow(GlowConfig((3, 16, 16), levels=2, depth=1, width=8))
    images = faces.draw(10, size=16, seed=1).images
    model.initialize(torch.rand(32, 3, 16, 16) - 0.5)
    model.eval()
    whole = metrics.bits_per_dim(model, images, batch=10, seed=4)
    assert (whole.shape, whole.dtype) == ((10,), torch.float64)
    assert torch.equal(whole, metrics.bits_per_dim(model, images, batch=10, seed=4))
    dims = 3 * 16 * 16
    noise = torch.rand(images.shape, generator=metrics.generator("cpu", 4))
    with torch.no_grad():
        log_prob = model.log_density((images.float() + noise) / 256 - 0.5).double() - dims * math.log(256)
    torch.testing.assert_close(whole, -log_prob / (dims * math.log(2)), rtol=1e-5, atol=0)
    parts = metrics.bits_per_dim(model, images, batch=3, seed=4)
    assert len(set(parts.tolist())) == 10, "each picture has its own"
    torch.testing.assert_close(parts[:3], whole[:3], rtol=1e-5, atol=0)  # the same noise so far


@pytest.mark.parametrize(("codec", "magic"), [("png", b"\x89PNG"), ("webp", b"RIFF")])
@pytest.mark.parametrize("channels", [1, 3])
def test_codecs_spend_bits_where_there_is_something_to_say(codec, magic, channels):
    noise = torch.randint(
        0, 256, (2, channels, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    flat = torch.full_like(noise, 90)
    bpd = metrics.codec_bits_per_dim(torch.cat([noise, flat]), codec)
    assert bpd.shape == (4,)
    if channels == 3:  # WebP stores gray as colour
        assert bool((bpd[:2] >= 8).all()), "noise cannot be compressed"
    assert bool((bpd[:2] < 9.5).all())
    assert bool((bpd[2:] < 0.5).all())
    with pytest.raises(GlowliteError, match="choose png or webp"):
        metrics.codec_bits_per_dim(noise, "gif")


def test_a_line_cut_short_is_left_out_and_later_lines_are_dropped(tmp_path):
    path = tmp_path / "metrics.jsonl"
    file = metrics.MetricsFile(path)
    for images in (8, 16, 24):
        file.write(images=images, bpd=1.0)
    path.write_text(path.read_text() + '{"images": 32, "bp')  # as a power cut leaves it
    assert [line["images"] for line in metrics.read_metrics(path)] == [8, 16, 24]
    metrics.MetricsFile(path, images=16).write(images=24, bpd=2.0)
    lines = [(line["images"], line["bpd"]) for line in metrics.read_metrics(path)]
    assert lines == [(8, 1.0), (16, 1.0), (24, 2.0)]
    assert metrics.MetricsFile(path).path.read_text() == "", "a new run begins with no lines"
    assert metrics.read_metrics(tmp_path / "none") == []


def test_the_machine_and_the_versions_are_named():
    machine = metrics.machine()
    assert machine["device"]
    assert 1 <= machine["cores"]
    assert metrics.versions()["torch"] == torch.__version__
    assert metrics.versions()["python"].startswith("3.")
