"""A fused model: the same function, faster, and not to be trained."""

import pytest
import torch

from glowlite.errors import GlowliteError
from glowlite.fusion import Affine, Convolution, fuse
from glowlite.glow import Glow
from tests.glowlite.test_glow import REALNVP, SMALL, pictures, small


@pytest.mark.parametrize("settings", [{}, {"permutation": "reverse"}, {"coupling": "additive", "edge": False}, REALNVP])
def test_a_fused_model_computes_the_same(settings):
    model = small(**settings).double()
    fused, x = fuse(model), torch.rand(3, 3, 8, 8, dtype=torch.float64) - 0.5
    (latents, log_det), (want, want_log_det) = fused(x), model(x)
    assert all(torch.allclose(a, b) for a, b in zip(latents, want, strict=True))
    assert torch.allclose(log_det, want_log_det)
    assert torch.allclose(fused.inverse(want), x)
    kinds = [type(module) for module in fused.modules()]
    steps = 7 if settings is REALNVP else 4
    assert kinds.count(Affine) == steps and kinds.count(Convolution) == steps * 3 + 1


def test_every_pixel_comes_back_from_a_fused_model():
    model = small()
    fused, images = fuse(model), pictures(16)
    assert fused.dtype == torch.float32
    assert torch.equal(fused.decode(fused.encode(images)), images)
    assert torch.equal(fused.decode(model.encode(images)), images)
    assert torch.equal(model.decode(fused.encode(images)), images)


def test_a_fused_model_is_a_copy_that_cannot_be_trained():
    model = small()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    fused = fuse(model)
    assert not fused.training and not any(p.requires_grad for p in fused.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_model_that_has_seen_no_data_cannot_be_fused():
    with pytest.raises(GlowliteError, match="call initialize"):
        fuse(Glow(SMALL))
