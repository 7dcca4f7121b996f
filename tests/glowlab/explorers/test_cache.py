"""The cache asks a frozen model once; a model that learns, or is written to, is asked again."""

import copy

import pytest
import torch

from glowlab.explorers import render
from glowlab.explorers.cache import Cache, hash_rows
from glowlab.explorers.gallery import Gallery
from glowlab.explorers.render import decode_all, measure_bits
from glowlite.fusion import Convolution, fuse


@pytest.fixture
def frozen(model):
    return copy.deepcopy(model).requires_grad_(False)


@pytest.fixture
def fused(model):
    return fuse(model)


def eps(model, count: int, seed: int = 0) -> list:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(count, *shape, generator=generator) for shape in model.latent_shapes]


def test_only_what_is_missing_is_asked_for(frozen):
    asked = []

    def square(keys):
        return lambda which: asked.append(list(which)) or [keys[i] ** 2 for i in which]

    cache = Cache(3)
    assert cache.get(frozen, [2, 3], square([2, 3])) == [4, 9]
    assert cache.get(frozen, [3, 4, 3], square([3, 4, 3])) == [9, 16, 9]
    assert asked == [[0, 1], [1]]
    cache.get(frozen, [5], square([5]))  # one too many: the one unused longest is dropped
    assert cache.get(frozen, [3, 2], square([3, 2])) == [9, 4] and asked[-1] == [1]


def test_a_model_that_learns_is_asked_every_time(model):
    asked, cache = [], Cache(9)
    for _ in range(2):
        cache.get(model, ["a"], lambda which: asked.append(1) or [0])
    assert len(asked) == 2


@pytest.mark.parametrize("kind", ["frozen", "fused"])
def test_a_write_to_a_weight_empties_the_cache(kind, request):
    model = request.getfixturevalue(kind)
    latents = eps(model, 3)
    before = decode_all(model, latents)
    again = decode_all(model, latents)
    assert [a.image is b.image for a, b in zip(before, again, strict=True)] == [True] * 3
    assert all(one.milliseconds > 0 for one in before) and all(one.milliseconds == 0 for one in again)
    with torch.no_grad():
        if kind == "fused":
            next(part for part in model.modules() if isinstance(part, Convolution)).bias.add_(0.5)
        else:
            next(model.parameters()).add_(0.5)
    after = decode_all(model, latents)
    assert not torch.equal(before[0].image, after[0].image)


def test_rows_are_cached_one_by_one(frozen, monkeypatch):
    latents = eps(frozen, 4)
    whole = decode_all(frozen, latents)
    monkeypatch.setattr(frozen, "inverse", lambda eps: pytest.fail("decoded again"))
    back = decode_all(frozen, [level[[3, 1]] for level in latents])
    assert [one.image is whole[i].image for one, i in zip(back, (3, 1), strict=True)] == [True, True]


def test_answers_are_those_of_the_model(frozen, model):
    latents = eps(frozen, 3)
    for _ in range(2):
        decoded = decode_all(frozen, latents)
        assert all(torch.equal(a.image, b) for a, b in zip(decoded, model.decode(latents), strict=True))
        bits = measure_bits(frozen, decoded[0].image[None])
        assert bits == model.bits_per_dim(decoded[0].image[None]).tolist()


def test_a_picture_that_cannot_be_shown_is_not_cached(frozen):
    broken = [level.fill_(torch.nan) for level in eps(frozen, 1)]
    for _ in range(2):
        with pytest.raises(render.GlowliteError, match="lead out of"):
            decode_all(frozen, broken)


def test_the_faces_of_a_gallery_are_encoded_once_and_each_gallery_has_a_list_of_its_own(frozen):
    first, second = Gallery(frozen), Gallery(frozen)
    assert first.faces[0] is second.faces[0] and first.faces is not second.faces


def test_keys_tell_rows_apart():
    a, b = torch.arange(6).view(2, 3), torch.arange(4).view(2, 2)
    assert len(set(hash_rows(a, b))) == 2 and hash_rows(a, b) == hash_rows(a.clone(), b.clone())
    a[1], b[1] = a[0], b[0]
    b[1, 1] += 1  # alike but for the very last number
    assert len(set(hash_rows(a, b))) == 2
