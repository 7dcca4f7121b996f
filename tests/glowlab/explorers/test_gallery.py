"""The faces to start from: drawn ones, portraits, fresh ones."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image

from glowlab.explorers.gallery import FRESH, GALLERY_SEED, PEOPLE, PORTRAITS, Gallery, read_portraits, sample_faces
from glowlite.training.stream import TRAINING_SEEDS


@pytest.fixture(scope="module")
def gallery(model) -> Gallery:
    return Gallery(model)


def test_the_gallery_is_a_dozen_faces_no_run_has_seen(gallery, model):
    assert GALLERY_SEED < TRAINING_SEEDS
    assert len(gallery.faces) == 12
    assert all(len(values) == 12 and max(map(abs, values)) <= 1 for values in PEOPLE.values())
    assert len({face.image.numpy().tobytes() for face in gallery.faces}) == 12
    assert torch.equal(model.decode(gallery.faces[3].latents)[0], gallery.faces[3].image)


def test_fresh_faces_differ_only_by_temperature(model):
    cold, hot = sample_faces(model, 3, 0.5, seed=2), sample_faces(model, 3, 1.0, seed=2)
    other = sample_faces(model, 3, 0.5, seed=3)
    for a, b, c in zip(cold, hot, other, strict=True):
        for eps_a, eps_b, eps_c in zip(a.latents, b.latents, c.latents, strict=True):
            assert torch.allclose(2 * eps_a, eps_b)
            assert not torch.allclose(eps_a, eps_c)


def test_a_key_finds_its_face(gallery, model):
    row = sample_faces(model, FRESH, 0.9, seed=1)
    assert gallery.find("gallery-1") is gallery.faces[0]
    assert torch.equal(gallery.find("fresh-1-0.90-3").image, row[2].image) and row[2].key == "fresh-1-0.90-3"
    assert not torch.equal(gallery.find("fresh-2-0.90-3").image, row[2].image)


@pytest.mark.parametrize(
    "key", ["gallery-99", "fresh-1-nan-1", "fresh-1-0.7-99", "fresh-0-0.9-1", "fresh-1-9-1", "fresh-", "fresh-1", ""]
)
def test_nonsense_is_no_face(gallery, key):
    assert gallery.find(key) is None


# ---- the portraits -------------------------------------------------------------------------------------------


def test_each_portrait_is_in_the_table_with_its_maker_and_why_it_is_free():
    rows = list(csv.DictReader((PORTRAITS / "portraits.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["file"] for row in rows} == {path.stem for path in PORTRAITS.glob("*.png")} and len(rows) == 13
    assert all(value for row in rows for value in row.values()) and not any(None in row for row in rows)
    assert len({row["name"] for row in rows}) == len(rows)


def test_the_gallery_holds_the_portraits_pixel_for_pixel(model):
    gallery = Gallery(model, drawn=False)
    assert [face.key for face in gallery.faces][:2] == ["mona-lisa", "girl-with-a-pearl-earring"]
    assert gallery.find("van-gogh-self-portrait").name == "Van Gogh's self-portrait"
    assert gallery.find("gallery-1") is None
    images, names, _ = read_portraits(64)
    with Image.open(PORTRAITS / "mona_lisa.png") as stored:
        wanted = torch.from_numpy(np.array(stored.convert("RGB"))).movedim(-1, 0)
    assert torch.equal(images[names.index("Mona Lisa")], wanted)
