"""Three ways from one face to another, by their formulas."""

import itertools

import pytest
import torch

from glowlab.explorers.between import STOPS, WAYS, Between, levels_of, levels_text
from glowlab.explorers.gallery import Shelf, fresh_faces
from glowlite import latents as latent_space


@pytest.fixture
def between(model) -> Between:
    gallery = Shelf(model).gallery
    return Between(model, gallery[2], gallery[5])


@pytest.mark.parametrize("way", WAYS)
def test_every_way_begins_and_ends_at_the_very_pictures(between, way):
    between.way = way
    for t, face in ((0.0, between.first), (1.0, between.second)):
        between.t = t
        assert torch.equal(between.draw().image, face.image)


@pytest.mark.parametrize("way", WAYS)
def test_at_the_end_it_says_whose_picture_that_is(between, way):
    between.way, between.t = way, 1.0
    assert between.describe(1.0).startswith(f"{between.second.name.capitalize()}, where the way ends")
    between.choose(between.first, between.second, (False, True))
    words = between.describe(1.0)
    if way == "pixels":
        assert "where the way ends" in words and "stayed" not in words
    else:
        assert words.startswith("The end of the way from") and f"Level 1 stayed as in {between.first.name}" in words


def test_the_angle_is_between_the_levels_that_move(between):
    between.choose(between.first, between.second, (False, True))
    a, b = between.first.latents[1].flatten(), between.second.latents[1].flatten()
    wanted = torch.rad2deg(torch.acos(a @ b / (a.norm() * b.norm()))).item()
    assert between.angle() == pytest.approx(wanted, abs=1e-3)
    between.choose(between.first, between.second, (False, False))
    assert between.angle() is None and between.describe_angle() == ""


def test_pixels_are_mixed_and_latents_follow_their_formulas(between, model):
    first, second = between.first, between.second
    mixed = between.blend(0.25).float()
    assert (mixed - (0.75 * first.image.float() + 0.25 * second.image.float())).abs().max() <= 0.5
    for way, path in (("linear", latent_space.lerp), ("spherical", latent_space.slerp)):
        wanted = path(first.latents, second.latents, 0.25)
        assert all(torch.equal(a, b) for a, b in zip(between.latents(0.25, way), wanted, strict=True))


@pytest.mark.parametrize("levels", list(itertools.product((True, False), repeat=2)))
@pytest.mark.parametrize("way", ["linear", "spherical"])
def test_levels_that_do_not_move_stay_the_firsts(between, way, levels):
    between.choose(between.first, between.second, levels)
    now = between.latents(0.5, way)
    for level, moves in enumerate(levels):
        assert torch.equal(now[level], between.first.latents[level]) != moves
    if way == "spherical" and any(levels):  # along the great circle of the moving levels alone
        moving = [level for level, moves in enumerate(levels) if moves]
        norms = [
            latent_space.flatten([eps[level] for level in moving]).norm()
            for eps in (between.first.latents, now, between.second.latents)
        ]
        assert min(norms[0], norms[2]) * 0.98 < norms[1] < max(norms[0], norms[2]) * 1.02


def test_rows_hold_what_the_ways_give_and_what_it_measures(between, model):
    for way in WAYS:
        for _ in between.finish(way):
            pass
        for _ in between.weigh(way):
            pass
        between.way = way
        for stop, t in zip(between.rows[way], STOPS, strict=True):
            between.t = t
            assert (stop.image.int() - between.draw().image.int()).abs().max() <= 1  # rounding of a batch
            assert stop.bits == pytest.approx(model.bits_per_dim(stop.image[None]).item(), abs=0.02)
    eps = model.encode(between.rows["pixels"][3].image[None])
    wanted = latent_space.effective_temperature(eps).item()
    assert between.rows["pixels"][3].temperature == pytest.approx(wanted, rel=1e-4)
    between.choose(between.second, between.first, between.levels)
    assert between.missing("linear") == list(range(7))


def test_half_way_between_draws_the_line_is_cold_and_the_arc_is_not(model):
    ends = fresh_faces(model, 2, 1.0, seed=3)
    between = Between(model, *ends)
    t, line = between.curves["linear"]
    assert min(line) == line[12] == pytest.approx(0.71, abs=0.04) and t[12] == 0.5
    assert min(between.curves["spherical"][1]) > 0.9
    between.choose(*ends, (False, False))
    assert set(between.curves["linear"][1]) == {between.curves["linear"][1][0]}


@pytest.mark.parametrize("levels", [(True, False, True), (False, False, False), (True, True, True)])
def test_levels_as_text(levels):
    assert levels_of(levels_text(levels), 3) == levels


@pytest.mark.parametrize("text", ["", "4", "0", "1x", "1-2", "none1"])
def test_text_that_names_no_levels(text):
    assert levels_of(text, 3) is None
