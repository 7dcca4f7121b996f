"""A frozen model is asked once; one that learns, or is written to, is asked anew."""

import copy

import pytest
import torch

from glowlab.explorers import render
from glowlab.explorers.cache import Kept, keys_of
from glowlab.explorers.gallery import Shelf
from glowlab.explorers.render import draw_all, weigh_all


@pytest.fixture
def frozen(model):
    return copy.deepcopy(model).requires_grad_(False)


def eps(model, count: int, seed: int = 0) -> list:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(count, *shape, generator=generator) for shape in model.latent_shapes]


def test_only_what_is_missing_is_asked_for(frozen):
    asked = []

    def square(keys):
        return lambda which: asked.append(list(which)) or [keys[i] ** 2 for i in which]

    kept = Kept(3)
    assert kept.all(frozen, [2, 3], square([2, 3])) == [4, 9]
    assert kept.all(frozen, [3, 4, 3], square([3, 4, 3])) == [9, 16, 9]
    assert asked == [[0, 1], [1]]
    kept.all(frozen, [5], square([5]))  # one too many: the one unused longest goes
    assert kept.all(frozen, [3, 2], square([3, 2])) == [9, 4] and asked[-1] == [1]


def test_a_model_that_learns_is_asked_every_time(model):
    asked, kept = [], Kept(9)
    for _ in range(2):
        kept.all(model, ["a"], lambda which: asked.append(1) or [0])
    assert len(asked) == 2


def test_weights_that_are_written_to_make_all_forgotten(frozen):
    latents = eps(frozen, 3)
    before = draw_all(frozen, latents)
    again = draw_all(frozen, latents)
    assert [a.image is b.image for a, b in zip(before, again, strict=True)] == [True] * 3
    assert all(one.milliseconds > 0 for one in before) and all(one.milliseconds == 0 for one in again)
    with torch.no_grad():
        next(frozen.parameters()).add_(0.5)
    after = draw_all(frozen, latents)
    assert not torch.equal(before[0].image, after[0].image)


def test_rows_are_known_by_themselves_in_any_company(frozen, monkeypatch):
    latents = eps(frozen, 4)
    whole = draw_all(frozen, latents)
    monkeypatch.setattr(frozen, "inverse", lambda eps: pytest.fail("drawn again"))
    back = draw_all(frozen, [level[[3, 1]] for level in latents])
    assert [one.image is whole[i].image for one, i in zip(back, (3, 1), strict=True)] == [True, True]


def test_answers_are_those_of_the_model(frozen, model):
    latents = eps(frozen, 3)
    for _ in range(2):
        drawn = draw_all(frozen, latents)
        assert all(torch.equal(a.image, b) for a, b in zip(drawn, model.decode(latents), strict=True))
        bits = weigh_all(frozen, drawn[0].image[None])
        assert bits == model.bits_per_dim(drawn[0].image[None]).tolist()


def test_nothing_is_kept_of_a_picture_that_cannot_be_shown(frozen):
    broken = [level.fill_(torch.nan) for level in eps(frozen, 1)]
    for _ in range(2):
        with pytest.raises(render.GlowliteError, match="lead out of"):
            draw_all(frozen, broken)


def test_a_gallery_is_encoded_once_and_each_shelf_has_a_list_of_its_own(frozen):
    first, second = Shelf(frozen), Shelf(frozen)
    assert first.gallery[0] is second.gallery[0] and first.gallery is not second.gallery


def test_keys_tell_rows_apart():
    a, b = torch.arange(6).view(2, 3), torch.arange(4).view(2, 2)
    assert len(set(keys_of(a, b))) == 2 and keys_of(a, b) == keys_of(a.clone(), b.clone())
    a[1], b[1] = a[0], b[0]
    b[1, 1] += 1  # alike but for the very last number
    assert len(set(keys_of(a, b))) == 2
