"""Directions by measurement, on pictures that a linear map and a linear meter stand in for."""

import pytest
import torch

from glowlite import directions, evaluation, pixels
from glowlite.data import labelled
from glowlite.glow import PRESETS, Glow

NAMES = ["left", "right", "top"]


class Plain:
    """A flow that does nothing: a picture is its own latent."""

    def encode(self, images, batch=64):
        return [pixels.to_float(images)]

    def inverse(self, latents):
        return latents[0]


class Regions:
    """A meter that reads the mean brightness of three regions, which overlap."""

    names = NAMES[::-1]  # in another order than the directions

    def __call__(self, images):
        x = images.float() / 32
        parts = {"left": x[..., :8], "right": x[..., 8:], "top": x[:, :, :8]}
        return torch.stack([parts[name].mean((1, 2, 3)) for name in self.names], 1)

    read = __call__


@pytest.fixture
def images():
    """Grey pictures of four quarters, each of its own brightness, none near black or white."""
    quarters = torch.randint(90, 160, (24, 1, 2, 2), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    return quarters.repeat_interleave(8, 2).repeat_interleave(8, 3).repeat(1, 3, 1, 1)


def moved(found, images):
    """How far each direction moves each reading from -1 to 1, in standard deviations: (directions, readings)."""
    meter = Regions()
    order = [meter.names.index(name) for name in found]
    eps = Plain().encode(images)
    ends = [evaluation.slide(Plain(), eps, step, (-1, 1))[0] for step in found.values()]
    return torch.stack([((meter(high) - meter(low)) / meter(images).std(0)).mean(0)[order] for low, high in ends])


def test_disentangled_directions_move_only_their_own_attribute_and_as_far_as_asked(images):
    tangled = {name: [torch.zeros(1, 3, 16, 16)] for name in NAMES}
    tangled["left"][0][..., :12] = 0.05
    tangled["right"][0][..., 4:] = 0.08
    tangled["top"][0][:, :, :10] = 0.03
    assert moved(tangled, images).min() > 0.5, "each moves all readings"
    found = moved(directions.disentangle(Plain(), tangled, Regions(), images, reach=4), images)  # far: bytes round
    assert torch.allclose(found.diag(), torch.full((3,), 4.0), atol=0.13)
    assert (found - torch.diag(found.diag())).abs().max() < 0.1


def test_made_directions_come_with_the_facts_about_them():
    pictures = labelled.read("faces", (3, 16, 16), count=80)
    model = Glow(PRESETS["tiny"])
    model.initialize(pixels.dequantize(pictures.images))
    shown = []

    def watch(parts, what):
        shown.append(what)
        return parts

    plain, facts = directions.make(model, pictures, 60, part=False, watch=watch)
    assert (facts["count"], facts["parted"], shown) == (60, False, ["encoding"])
    wanted = directions.find(model, pictures.images[:60], {k: v[:60] for k, v in pictures.attributes.items()})
    for name, steps in wanted.items():  # from the mean to half of the reach
        assert all(
            torch.allclose(a, directions.REACH / 2 * b, atol=1e-3) for a, b in zip(plain[name], steps, strict=True)
        )
    parted, facts = directions.make(model, pictures, 60, watch=watch)
    assert (
        facts["parted"]
        and list(parted) == list(plain)
        and shown[1:] == ["encoding", "training a meter", "disentangling"]
    )
    assert not torch.allclose(parted["smile"][0], plain["smile"][0])
