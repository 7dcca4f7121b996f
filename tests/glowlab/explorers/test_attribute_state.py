"""The attribute explorer's state, and descriptions of a change."""

import pytest
import torch

from glowlab.explorers.attribute_state import (
    LIMIT,
    SHADES,
    AttributeState,
    cosines,
    describe_directions,
    locate_change,
    paint_change,
)
from glowlab.explorers.gallery import Gallery
from glowlite import latents as latent_space


def test_the_picture_of_change_is_dark_where_nothing_changed_and_brightest_where_most_did():
    before = torch.full((3, 9, 9), 100, dtype=torch.uint8)
    after = before.clone()
    after[:, 0, 8] = 255
    after[:, 4, 4] = 110
    shown = paint_change(before, after)
    assert shown.shape == (3, 9, 9) and shown.dtype == torch.uint8
    assert torch.equal(shown[:, 8, 0].float(), SHADES[0]) and torch.equal(shown[:, 0, 8].float(), SHADES[-1])
    assert SHADES[0].sum() < shown[:, 4, 4].sum() < SHADES[2].sum()


def test_where_it_changed_is_said():
    before = torch.full((3, 9, 9), 100, dtype=torch.uint8)
    assert locate_change(before, before) == "nowhere"
    for row, words in enumerate(("at the top", "in the middle", "at the bottom")):
        for column, side in enumerate(("left", "", "right")):
            after = before.clone()
            after[:, 3 * row + 1, 3 * column + 1] = 200
            assert locate_change(before, after) == f"most {words}" + (f", {side}" if side else "")


def test_cosines_of_directions(directions):
    found = cosines(directions)
    flat = [latent_space.flatten(step) for step in directions.values()]
    assert found.shape == (4, 4) and torch.allclose(found.diagonal(), torch.ones(4), atol=1e-5)
    assert found[1, 2].item() == pytest.approx(torch.cosine_similarity(flat[1], flat[2]).item(), abs=1e-5)


def test_a_face_is_held_back_before_it_leaves_all_faces_behind(model, directions):
    gallery = Gallery(model).faces
    state = AttributeState(model, {"smile": [20 * step for step in directions["smile"]]}, gallery[0])
    state.set_amount("smile", 1.0)
    most = max(LIMIT, latent_space.effective_temperature(gallery[0].latents).item())
    assert latent_space.effective_temperature(state.latents()).item() == pytest.approx(most, rel=1e-3)
    assert state.limited
    state.set_amount("smile", 0.0)
    assert torch.equal(state.decode().image, gallery[0].image) and not state.limited
    hot = gallery[0]._replace(latents=[2 * eps for eps in gallery[0].latents])
    state.start = hot  # a foreign picture: never held below where it started
    assert all(torch.equal(a, b) for a, b in zip(state.latents(), hot.latents, strict=True)) and not state.limited


def test_where_directions_come_from():
    assert describe_directions({}) == "These are the model's own."
    assert describe_directions({"count": 4096}) == "These are the model's own, from 4,096 labels."
    assert describe_directions({"count": 9, "parted": True}).endswith(
        "labels, parted by measuring what each of them moves."
    )
