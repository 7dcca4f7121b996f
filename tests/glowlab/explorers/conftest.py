"""A small untrained flow with made-up directions: all an explorer needs, without the model that ships."""

import pytest
import torch

from glowlite import Glow, GlowConfig, pixels
from glowlite.data import faces


@pytest.fixture(autouse=True)
def few(monkeypatch) -> None:
    """A PCA of few faces."""
    monkeypatch.setattr("glowlab.explorers.pca.COUNT", 96)


@pytest.fixture(scope="session")
def model() -> Glow:
    torch.manual_seed(0)
    glow = Glow(GlowConfig((3, 16, 16), levels=2, depth=2, width=8))
    glow.initialize(pixels.to_float(faces.draw(64, size=16, seed=1).images))
    with torch.no_grad():  # an untrained coupling is the identity; this one does something
        for parameter in glow.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return glow.eval()


@pytest.fixture(scope="session")
def directions(model) -> dict:
    names = ("smile", "hair_colour", "beard", "antennae")  # the last is an attribute that has no wording
    shapes = model.latent_shapes
    return {name: [0.3 * torch.randn(1, *shape) for shape in shapes] for name in names}


@pytest.fixture
def card() -> dict:
    return {"held_out": {"bits_per_dim": 5.0, "spread": 0.5}}
