"""A model of real faces in the explorers: which one an address asks for, its gallery, what can be known of it."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image

from glowlab.explorers import precomputed
from glowlab.explorers.attributes import AttributeExplorer, open_attributes
from glowlab.explorers.gallery import PORTRAITS, Gallery, read_portraits
from glowlab.explorers.interpolation import InterpolationExplorer
from glowlab.explorers.labelled import FEW
from glowlab.explorers.models import MODELS, asked_model, credit
from glowlab.explorers.studio import Studio, open_studio
from glowlab.explorers.temperature import UNMEASURED, TemperatureExplorer
from glowlite import checkpoint
from glowlite import latents as latent_space
from glowlite.data import faces
from glowlite.errors import GlowliteError
from tests.glowlab.explorers.page import open_address, pick, png, upload


@pytest.fixture
def real(card) -> dict:
    """The card of a model of real faces."""
    return {**card, "data": "people"}


# ---- the model of an address --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "model"),
    [
        ("", "faces64"),
        ("face=gallery-2", "faces64"),
        ("model=faces64", "faces64"),
        ("?smile=1&model=portraits64", "portraits64"),
        ("model=", "faces64"),
        ("model=runs/mine.safetensors", "faces64"),  # no file of the server's is opened by an address
        ("model=../../etc/passwd", "faces64"),
    ],
)
def test_an_address_asks_for_one_of_the_models_that_ship(query, model):
    assert asked_model(query) == model


def test_every_model_that_can_be_asked_for_ships_with_directions_and_measurements():
    for name in MODELS:
        found = precomputed.load(name)
        assert set(checkpoint.load_directions(name)) == set(found.positions)
        assert found.pca and len(found.points) == 14 and set(FEW[1:]) <= set(found.few)


def test_a_page_opens_with_the_model_of_its_address_and_keeps_it_there(monkeypatch):
    monkeypatch.setenv("QUERY_STRING", "model=portraits64")
    page = open_studio()
    assert page.state.start.name == "Mona Lisa" and "mouth_open" in page.sliders
    open_address(page, "?model=portraits64&face=mona-lisa")
    assert page.head.query == "model=portraits64&face=mona-lisa" and not page.head.notice
    assert page.after.pixels == page.before.pixels
    open_address(page, "?model=portraits64&controls=smile,model")
    assert page.head.query.startswith("model=portraits64&") and "smile%2Cmodel" in page.head.query
    assert not page.head.notice


def test_the_usual_model_is_not_named_in_the_address(monkeypatch):
    monkeypatch.delenv("QUERY_STRING", raising=False)
    page = open_studio()
    assert "hair_colour" in page.sliders and "model" not in page.head.query
    assert "model" not in open_studio("portraits64").head.query  # a notebook's choice is not the address's


def test_a_model_that_does_not_exist_is_one_sentence(monkeypatch):
    monkeypatch.setenv("QUERY_STRING", "model=celebrities")
    page = open_studio()
    before = page.after.pixels
    open_address(page, "?model=celebrities")
    assert "with model=celebrities; that was left out" in page.head.notice["text"]
    assert page.after.pixels == before and "model" not in page.head.query  # it opens as it does without an address


def test_who_is_to_be_credited_is():
    words = credit("portraits64")
    assert "FairFace (Karkkainen & Joo 2021), CC BY 4.0." in words and "NASA" in words


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
    drawn = Gallery(model)
    assert drawn.find("gallery-1") is drawn.faces[0] and len(drawn.faces) == 12  # addresses of old stay valid


# ---- the explorers -------------------------------------------------------------------------------------------


def test_they_open_on_portraits_and_say_real_faces(model, directions, real):
    studio = Studio(model, directions, real)
    assert studio.before.label == "Before: Mona Lisa." and studio.words.says.startswith("Mona Lisa with")
    ways = InterpolationExplorer(model, real)
    assert (ways.state.first.name, ways.state.second.name) == ("Mona Lisa", "Kalpana Chawla")
    draws = TemperatureExplorer(model, real)
    assert draws.slider.max == 1.0 and draws.trade.label == UNMEASURED
    assert draws.readout.entries[0]["note"].startswith("real faces:")
    page = AttributeExplorer(model, directions, real)
    assert page.before.label == "Before: Mona Lisa."
    for each in (studio, ways, draws, page):
        assert each.head.promise and "drawn face" not in " ".join(text for _, text in each.hints)


def test_a_picture_of_ones_own_is_compared_with_real_faces(model, directions, real):
    page = AttributeExplorer(model, directions, real)
    upload(page.upload, png())
    assert "unlike the real faces the model learned from" in page.head.notice["text"]
    page.sliders["smile"].value = 1.0
    assert page.words.says.endswith("as real faces have it.")
    near = AttributeExplorer(model, directions, {**real, "held_out": {"bits_per_dim": page.bits, "spread": 5.0}})
    upload(near.upload, png())
    assert "unlike" not in near.head.notice["text"]


def test_only_what_is_known_of_real_faces_can_be_chosen(model, directions, real):
    page = AttributeExplorer(model, directions, real)
    assert page.labels.options == [["own", "the model's own"]] and page.others.layout.display == "none"
    assert "No labelled faces were measured" in page.positions.label
    labels = {"smile": torch.linspace(-1, 1, 300)}
    few = {10: {"smile": [2 * step for step in directions["smile"]]}}
    stored = precomputed.Precomputed({"smile": torch.linspace(-1, 1, 300)}, few, labels=labels)
    page = AttributeExplorer(model, directions, real, stored)
    assert [value for value, _ in page.labels.options] == ["10", "own"]
    page.labels.value = "10"
    assert page.state.directions["smile"] is few[10]["smile"] and "Where 300 labelled" in page.positions.label
    assert "others" not in dict(page.hints) and not page.head.notice
    open_address(page, "?labels=10&ten=2")
    assert "ten=2" in page.head.notice["text"]
    pick(page.gallery_tiles, 12)
    assert page.words.says.startswith("Van Gogh's self-portrait")


def test_few_labels_of_portraits64_were_measured():
    page = open_attributes("portraits64")
    for labels in ("10", "100", "1000"):
        page.labels.value = labels
        assert f"From {int(labels):,} labels" in page.note.says and not page.head.notice
    assert "Where 1,000 labelled faces lie" in page.positions.label


# ---- what is measured ----------------------------------------------------------------------------------------


@pytest.fixture
def people(tmp_path, monkeypatch) -> None:
    """A data set with measured labels, made of drawn faces."""
    monkeypatch.setenv("GLOWLITE_DATA", str(tmp_path))
    arrays = {}
    for split, seed in (("train", 3), ("test", 4)):
        images, attributes = faces.draw(120, 16, seed)
        arrays[f"{split}_images"] = images.movedim(1, -1).numpy()
        arrays |= {f"{split}_{name}": 7 + 3 * attributes[name].numpy() for name in ("smile", "beard")}
    arrays["test_beard"][5] = np.nan  # not measured on this one
    np.savez(tmp_path / "people.npz", **arrays)


def test_measurements_of_real_faces_come_from_their_labels(model, directions, real, people, tmp_path, monkeypatch):
    monkeypatch.setattr(precomputed, "COUNT", 100)
    path = checkpoint.save(tmp_path / "small.safetensors", model, real)
    checkpoint.save_directions(path, {name: directions[name] for name in ("smile", "beard")})
    precomputed.measure(path)
    found = precomputed.load(path)
    assert sorted(found.few) == [10, 100] and len(found.radii) == len(found.labels["smile"]) == 100
    for values in found.labels.values():
        assert values.mean().abs() < 1e-2 and values.std().item() == pytest.approx(3**-0.5, rel=0.02)
    assert found.real.residual > 0 and found.real.spread > 0
    page = TemperatureExplorer(model, real, found)
    assert "Real faces:" in page.trade.label
    step = latent_space.flatten(found.few[100]["smile"])
    assert torch.isfinite(step).all() and step.norm() > 0


def test_without_the_data_nothing_is_measured(model, directions, real, tmp_path, monkeypatch):
    monkeypatch.setenv("GLOWLITE_DATA", str(tmp_path))
    path = checkpoint.save(tmp_path / "small.safetensors", model, real)
    checkpoint.save_directions(path, directions)
    with pytest.raises(GlowliteError, match="people"):
        precomputed.measure(path)
