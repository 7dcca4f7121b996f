"""The studio's state: edits of latents by the controls."""

import math
import random
from urllib.parse import urlencode

import pytest
import torch

from glowlab.explorers.address import OWN, Address
from glowlab.explorers.gallery import FRESH, GALLERY_SEED, PEOPLE, Gallery, sample_faces
from glowlab.explorers.studio_state import StudioState
from glowlab.explorers.typical import Typical, read_typical
from glowlite import latents as latent_space
from glowlite.errors import GlowliteError
from glowlite.training.stream import TRAINING_SEEDS


@pytest.fixture
def gallery(model) -> Gallery:
    return Gallery(model)


@pytest.fixture
def state(model, directions, gallery) -> StudioState:
    return StudioState(model, directions, gallery.faces[0], gallery.faces[1])


def test_untouched_the_face_comes_back_exactly(state):
    assert torch.equal(state.decode().image, state.start.image)


def test_an_edit_adds_its_direction_and_reset_gives_the_very_same_pixels(state):
    before = state.latents()
    state.set_amount("smile", 0.5)
    state.set_amount("beard", -1.0)
    for level, eps in enumerate(state.latents()):
        step = 0.5 * state.directions["smile"][level] - state.directions["beard"][level]
        assert torch.allclose(eps, before[level] + step, atol=1e-6)
    assert not torch.equal(state.decode().image, state.start.image)
    assert state.change(state.decode().image) > 0
    state.reset()
    assert torch.equal(state.decode().image, state.start.image)
    assert state.change(state.decode().image) == 0


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_a_blend_runs_from_the_first_face_to_the_second(state, path):
    state.path = path
    state.blend = 1.0
    off = (state.decode().image.int() - state.partner.image.int()).abs().max()
    assert off <= 1  # rounding of the weights may move a value over a bin's edge
    state.blend = 0.5
    half = state.decode().image
    assert not torch.equal(half, state.start.image) and not torch.equal(half, state.partner.image)


def test_the_arc_keeps_the_temperature_that_the_straight_line_loses(state, model):
    state.start, state.partner = sample_faces(model, 2, 1.0, seed=5)
    state.blend = 0.5
    line = state.decode().temperature
    state.path = "spherical"
    arc = state.decode().temperature
    ends = [latent_space.effective_temperature(face.latents).item() for face in (state.start, state.partner)]
    assert line < 0.85 * min(ends)
    assert arc == pytest.approx(sum(ends) / 2, rel=0.05)


def test_edits_come_on_top_of_the_blend(state):
    state.blend = 0.25
    blended = state.latents()
    state.set_amount("smile", 1.0)
    for level, eps in enumerate(state.latents()):
        assert torch.allclose(eps, blended[level] + state.directions["smile"][level], atol=1e-6)


@pytest.mark.parametrize("amount", [math.nan, math.inf])
def test_an_amount_must_be_a_number(state, amount):
    with pytest.raises(GlowliteError, match="must be a number"):
        state.set_amount("smile", amount)


def test_an_unknown_attribute_is_named(state):
    with pytest.raises(GlowliteError, match="no direction 'nose'.*smile"):
        state.set_amount("nose", 1.0)


def test_latents_that_explode_are_refused_rather_than_shown(state):
    state.directions = {"smile": [torch.full_like(eps, torch.inf) for eps in state.start.latents]}
    state.set_amount("smile", 1.0)
    with pytest.raises(GlowliteError, match="Move the last slider back"):
        state.decode()


def test_clamped_values_are_counted(state):
    assert state.decode().saturated == 0
    state.directions = {"smile": [1e3 * torch.ones_like(eps) for eps in state.start.latents]}
    state.set_amount("smile", 1.0)
    assert 0.2 < state.decode().saturated <= 1


def test_fresh_faces_differ_only_by_temperature(model):
    cold, hot = sample_faces(model, 3, 0.5, seed=2), sample_faces(model, 3, 1.0, seed=2)
    other = sample_faces(model, 3, 0.5, seed=3)
    for a, b, c in zip(cold, hot, other, strict=True):
        for eps_a, eps_b, eps_c in zip(a.latents, b.latents, c.latents, strict=True):
            assert torch.allclose(2 * eps_a, eps_b)
            assert not torch.allclose(eps_a, eps_c)


def test_a_fresh_face_as_start_shows_the_pixels_of_its_tile(state, model):
    state.start = sample_faces(model, 2, 0.7, seed=4)[1]
    assert torch.equal(state.decode().image, state.start.image)


def test_surprise_changes_the_picture_and_repeats_by_seed(state, gallery):
    state.surprise(random.Random(1), gallery.faces)
    first = dict(state.amounts), state.blend
    assert 2 <= len(state.amounts) <= 4
    assert all(0.4 <= abs(amount) <= 1 for amount in state.amounts.values())
    assert not torch.equal(state.decode().image, state.start.image)
    state.surprise(random.Random(1), gallery.faces)
    assert (state.amounts, state.blend) == first


def test_surprise_blends_now_and_then_never_with_the_face_itself(state, gallery):
    chance = random.Random(0)
    blended = 0
    for _ in range(60):
        state.surprise(chance, gallery.faces)
        blended += state.blend > 0
        assert not state.blend or state.partner is not state.start
    assert 5 < blended < 40


def test_typical_and_unlike():
    typical = Typical(5.0, 0.1)
    assert not typical.unlike(5.3)
    assert typical.unlike(5.5) and typical.unlike(4.5)  # too many bits, and too few
    assert typical.unlike(math.nan)


def test_the_card_is_believed_and_what_it_lacks_is_measured():
    measured = torch.tensor([3.0, 4.0, 5.0])
    assert read_typical({"held_out": {"bits_per_dim": 3.2, "spread": 0.1}}, measured) == (3.2, 0.1)
    assert read_typical({"held_out": {"bits_per_dim": 3.2}}, measured) == (3.2, 1.0)
    assert read_typical({}, measured) == (4.0, 1.0)
    assert read_typical({"held_out": {"bits_per_dim": 3.2, "spread": None}}, measured) == (3.2, 1.0)  # of one picture


def test_the_address_holds_the_state(state, gallery, model, directions):
    state.partner = gallery.faces[4]
    state.blend, state.path = 0.35, "spherical"
    state.set_amount("smile", 0.5)
    state.set_amount("antennae", -0.25)
    other = StudioState(model, directions, gallery.faces[3])
    other.take(Address(urlencode(state.query())), gallery.find)
    assert torch.equal(other.decode().image, state.decode().image)
    assert other.query() == state.query()


def test_the_address_holds_a_fresh_face(state, gallery, model, directions):
    gallery.fresh_seed = 9
    gallery.sample_fresh(0.8)
    state.start = gallery.fresh[2]
    other = StudioState(model, directions, gallery.faces[3])
    other.take(Address(urlencode(state.query())), gallery.find)
    assert torch.equal(other.decode().image, state.start.image)


@pytest.mark.parametrize(
    "query",
    [
        "face=gallery-99&smile=x&blend=1e999&path=round&nose=1",
        "face=fresh-1-nan-1",
        "face=fresh-1-0.7-99",
        "face=fresh-0-9-1",
        "face=fresh-&with=fresh-1",
        "%%%&&==",
    ],
)
def test_nonsense_in_an_address_is_left_out(state, gallery, query):
    state.take(Address(query), gallery.find)
    assert torch.equal(state.decode().image, gallery.faces[0].image)
    assert state.path == "linear" and not state.amounts


def test_an_address_cannot_leave_the_sliders(state, gallery):
    address = Address("smile=50&with=gallery-2&blend=-3")
    state.take(address, gallery.find)
    assert state.amounts == {} and state.blend == 0.0
    assert "smile=50" in address.sentence() and "blend=-3" in address.sentence()


def test_the_gallery_keeps_one_extra_face_of_each_kind(gallery):
    gallery.sample_fresh(0.7)
    assert len(gallery.fresh) == FRESH
    own = [gallery.faces[0]._replace(key=OWN, name=f"your {end} picture") for end in ("first", "second")]
    for face in (gallery.fresh[0], gallery.fresh[1], *own, own[0]):
        gallery.add(face)
    names = [face.name for face in gallery.partners()[12:]]
    assert names == ["fresh face 2", "your first picture", "your second picture"]


def test_a_fresh_face_in_an_address_is_the_one_in_the_row(gallery):
    gallery.sample_fresh(0.9)
    assert gallery.find("fresh-1-0.90-3") is gallery.fresh[2]
    assert gallery.find("fresh-2-0.90-3") is not gallery.fresh[2]


def test_the_gallery_is_a_dozen_faces_no_run_has_seen(gallery, model):
    assert GALLERY_SEED < TRAINING_SEEDS
    assert len(gallery.faces) == 12
    assert all(len(values) == 12 and max(map(abs, values)) <= 1 for values in PEOPLE.values())
    assert len({face.image.numpy().tobytes() for face in gallery.faces}) == 12
    assert torch.equal(model.decode(gallery.faces[3].latents)[0], gallery.faces[3].image)
