"""The interpolation explorer's state: three ways between two faces, by their formulas."""

import itertools

import pytest
import torch

from glowlab.explorers.gallery import Gallery, sample_faces
from glowlab.explorers.interpolation_state import STOPS, WAYS, InterpolationState, format_levels, parse_levels
from glowlite import latents as latent_space


@pytest.fixture
def state(model) -> InterpolationState:
    gallery = Gallery(model).faces
    return InterpolationState(model, gallery[2], gallery[5])


@pytest.mark.parametrize("way", WAYS)
def test_every_way_begins_and_ends_at_the_very_pictures(state, way):
    state.way = way
    for t, face in ((0.0, state.first), (1.0, state.second)):
        state.t = t
        assert torch.equal(state.decode().image, face.image)


@pytest.mark.parametrize("way", WAYS)
def test_at_the_end_it_says_whose_picture_that_is(state, way):
    state.way, state.t = way, 1.0
    assert state.describe(1.0).startswith(f"{state.second.name.capitalize()}, where the way ends")
    state.choose(state.first, state.second, (False, True))
    words = state.describe(1.0)
    if way == "pixels":
        assert "where the way ends" in words and "stayed" not in words
    else:
        assert words.startswith("The end of the way from") and f"Level 1 stayed as in {state.first.name}" in words


def test_the_angle_is_between_the_levels_that_move(state):
    state.choose(state.first, state.second, (False, True))
    a, b = state.first.latents[1].flatten(), state.second.latents[1].flatten()
    wanted = torch.rad2deg(torch.acos(a @ b / (a.norm() * b.norm()))).item()
    assert state.angle() == pytest.approx(wanted, abs=1e-3)
    state.choose(state.first, state.second, (False, False))
    assert state.angle() is None and state.describe_angle() == ""


def test_pixels_are_mixed_and_latents_follow_their_formulas(state, model):
    first, second = state.first, state.second
    mixed = state.blend(0.25).float()
    assert (mixed - (0.75 * first.image.float() + 0.25 * second.image.float())).abs().max() <= 0.5
    for way, path in (("linear", latent_space.lerp), ("spherical", latent_space.slerp)):
        wanted = path(first.latents, second.latents, 0.25)
        assert all(torch.equal(a, b) for a, b in zip(state.latents(0.25, way), wanted, strict=True))


@pytest.mark.parametrize("levels", list(itertools.product((True, False), repeat=2)))
@pytest.mark.parametrize("way", ["linear", "spherical"])
def test_levels_that_do_not_move_stay_the_firsts(state, way, levels):
    state.choose(state.first, state.second, levels)
    now = state.latents(0.5, way)
    for level, moves in enumerate(levels):
        assert torch.equal(now[level], state.first.latents[level]) != moves
    if way == "spherical" and any(levels):  # along the great circle of the moving levels alone
        moving = [level for level, moves in enumerate(levels) if moves]
        norms = [
            latent_space.flatten([eps[level] for level in moving]).norm()
            for eps in (state.first.latents, now, state.second.latents)
        ]
        assert min(norms[0], norms[2]) * 0.98 < norms[1] < max(norms[0], norms[2]) * 1.02


def test_rows_hold_what_the_ways_give_and_what_it_measures(state, model):
    for way in WAYS:
        for _ in state.finish(way):
            pass
        for _ in state.measure(way):
            pass
        state.way = way
        for stop, t in zip(state.rows[way], STOPS, strict=True):
            state.t = t
            assert (stop.image.int() - state.decode().image.int()).abs().max() <= 1  # rounding of a batch
            assert stop.bits == pytest.approx(model.bits_per_dim(stop.image[None]).item(), abs=0.02)
    eps = model.encode(state.rows["pixels"][3].image[None])
    wanted = latent_space.effective_temperature(eps).item()
    assert state.rows["pixels"][3].temperature == pytest.approx(wanted, rel=1e-4)
    state.choose(state.second, state.first, state.levels)
    assert state.missing("linear") == list(range(7))


def test_half_way_between_draws_the_line_is_cold_and_the_arc_is_not(model):
    ends = sample_faces(model, 2, 1.0, seed=3)
    state = InterpolationState(model, *ends)
    t, line = state.curves["linear"]
    assert min(line) == line[12] == pytest.approx(0.71, abs=0.04) and t[12] == 0.5
    assert min(state.curves["spherical"][1]) > 0.9
    state.choose(*ends, (False, False))
    assert set(state.curves["linear"][1]) == {state.curves["linear"][1][0]}


@pytest.mark.parametrize("levels", [(True, False, True), (False, False, False), (True, True, True)])
def test_levels_as_text(levels):
    assert parse_levels(format_levels(levels), 3) == levels


@pytest.mark.parametrize("text", ["", "4", "0", "1x", "1-2", "none1"])
def test_text_that_names_no_levels(text):
    assert parse_levels(text, 3) is None
