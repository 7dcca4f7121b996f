"""Latents of edited and interpolated faces, by their formulas."""

import itertools

import pytest
import torch

from glowlab.explorers.editing import LIMIT, SHADES, edit, interpolate, limit, mix_pixels, paint_change
from glowlab.explorers.gallery import Gallery, sample_faces
from glowlite import latents as latent_space


@pytest.fixture(scope="module")
def faces(model):
    return Gallery(model).faces


def same(a, b) -> bool:
    return all(torch.equal(one, other) for one, other in zip(a, b, strict=True))


def test_an_edit_adds_its_direction_and_none_gives_the_very_same_pixels(faces, model, directions):
    start = faces[0].latents
    edited = edit(start, directions, {"smile": 0.5, "beard": -1.0, "hair_colour": 0.0})
    for now, eps, smile, beard in zip(edited, start, directions["smile"], directions["beard"], strict=True):
        assert torch.allclose(now, eps + 0.5 * smile - beard, atol=1e-6)
    assert torch.equal(model.decode(edit(start, directions, {"smile": 0.0}))[0], faces[0].image)


def test_a_face_is_held_back_before_it_leaves_all_faces_behind(faces, directions):
    start = faces[0].latents
    far = edit(start, {"smile": [20 * step for step in directions["smile"]]}, {"smile": 1.0})
    most = max(LIMIT, latent_space.effective_temperature(start).item())
    assert latent_space.effective_temperature(limit(far, start)).item() == pytest.approx(most, rel=1e-3)
    assert limit(start, start) is start
    hot = [2 * eps for eps in start]
    assert limit(hot, hot) is hot  # a foreign picture: never held below where it started


def test_ways_follow_their_formulas(faces):
    first, second = faces[2], faces[5]
    mixed = mix_pixels(first.image, second.image, 0.25).float()
    assert (mixed - (0.75 * first.image.float() + 0.25 * second.image.float())).abs().max() <= 0.5
    for way, path in (("linear", latent_space.lerp), ("spherical", latent_space.slerp)):
        found = interpolate(first.latents, second.latents, 0.25, way, (True, True))
        assert same(found, path(first.latents, second.latents, 0.25))


@pytest.mark.parametrize("moving", list(itertools.product((True, False), repeat=2)))
@pytest.mark.parametrize("way", ["linear", "spherical"])
def test_levels_that_do_not_move_stay_the_firsts(faces, way, moving):
    first, second = faces[2].latents, faces[5].latents
    for level, eps in enumerate(interpolate(first, second, 0.6, way, moving)):
        assert torch.equal(eps, first[level]) != moving[level]
    for now, a, b, moves in zip(interpolate(first, second, 1.0, way, moving), first, second, moving, strict=True):
        assert torch.allclose(now, b if moves else a, atol=1e-6)


def test_the_arc_keeps_the_temperature_that_the_straight_line_loses(model):
    one, other = (face.latents for face in sample_faces(model, 2, 1.0, seed=5))
    line, arc = (interpolate(one, other, 0.5, way, (True, True)) for way in ("linear", "spherical"))
    ends = [latent_space.effective_temperature(eps).item() for eps in (one, other)]
    assert latent_space.effective_temperature(line).item() < 0.85 * min(ends)
    assert latent_space.effective_temperature(arc).item() == pytest.approx(sum(ends) / 2, rel=0.05)


def test_the_picture_of_change_is_dark_where_nothing_changed_and_brightest_where_most_did():
    before = torch.full((3, 9, 9), 100, dtype=torch.uint8)
    after = before.clone()
    after[:, 0, 8] = 255
    after[:, 4, 4] = 110
    shown = paint_change(before, after)
    assert shown.shape == (3, 9, 9) and shown.dtype == torch.uint8
    assert torch.equal(shown[:, 8, 0].float(), SHADES[0]) and torch.equal(shown[:, 0, 8].float(), SHADES[-1])
    assert SHADES[0].sum() < shown[:, 4, 4].sum() < SHADES[2].sum()
