"""PCA of drawn faces and its residual."""

import torch

from glowlab.explorers import pca
from glowlab.explorers.pca import PCA, coarse, coarse_faces
from glowlite.data import faces


def test_the_residual_counts_in_grey_levels_what_the_components_miss():
    torch.manual_seed(0)
    mean, basis = 100 * torch.rand(48), torch.linalg.qr(torch.randn(48, 48)).Q
    people = mean + torch.randn(4000, 19) * torch.linspace(20, 10, 19) @ basis[:, :19].T
    found = PCA.fit(people)
    assert found.components.shape == (48, 19)  # of 48, as 300 of 768
    assert torch.allclose(found.components.T @ found.components, torch.eye(19), atol=1e-5)
    assert torch.allclose(found.components.T @ basis[:, 19:], torch.zeros(19, 29), atol=1e-4)
    away = 6 * 48**0.5 * basis[:, 30]  # 6 grey levels, root mean square, where no face ever is
    images = (mean + 15 * basis[:, 3] + away).view(1, 3, 4, 4).repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert abs(found.residual(images) - 6) < 0.05 and found.residual(images - images + 0.0) > 6


def test_coarse_pictures_are_means_of_four_by_four_pixels():
    images = torch.randint(0, 256, (2, 3, 8, 12), dtype=torch.uint8)
    wanted = images.double().view(2, 3, 2, 4, 3, 4).mean((3, 5)).flatten(1)
    assert torch.allclose(coarse(images).double(), wanted, atol=1e-4)


def test_new_faces_are_less_odd_than_noise(monkeypatch):
    monkeypatch.setattr(pca, "COUNT", 320)
    pieces = list(coarse_faces(16))
    assert len(pieces) == 10 and pieces[0].shape == (32, 48)
    found = PCA.fit(torch.cat(pieces))
    new = faces.draw(32, 16, seed=7).images
    noise = torch.randint(0, 256, new.shape, dtype=torch.uint8)
    seen = faces.draw(32, 16, seed=pca.SEED).images  # the first that the PCA is made of
    assert found.residual(seen) < 1.3 * found.residual(new) < 0.3 * found.residual(noise)
