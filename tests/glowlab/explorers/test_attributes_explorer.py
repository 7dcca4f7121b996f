"""Attributes as a person explores them, through the widgets, without a browser."""

import asyncio

import pytest
import torch

from glowlab.explorers import precomputed
from glowlab.explorers.attribute_state import cosines, paint_change
from glowlab.explorers.attributes import FACE, OPENING, AttributeExplorer, open_attributes
from glowlab.explorers.labelled import Labelled, project
from glowlab.widgets.frame import SORRY, Sorry
from glowlab.widgets.picture import to_bytes
from glowlite import checkpoint
from glowlite import latents as latent_space
from tests.glowlab.explorers.page import drag, entry, open_address, pick, png, upload


@pytest.fixture
def page(model, directions, card) -> AttributeExplorer:
    return AttributeExplorer(model, directions, card, seed=4)


def test_it_opens_on_an_edited_face(page):
    assert page.sliders["smile"].value == OPENING["smile"]
    assert page.before.pixels == to_bytes(page.gallery.faces[FACE].image) != page.after.pixels
    assert page.changed.pixels == to_bytes(paint_change(page.before.image, page.after.image))
    assert "smile" in page.words.says and page.words.hint and "Where it changed: most" in page.changed.label
    assert page.still().shape == (3, 16, 48)


def test_every_slider_changes_the_picture_and_reset_restores_every_pixel(page):
    page.reset.click()
    start = page.before.pixels
    assert page.after.pixels == start and "nowhere" in page.changed.label
    for name, slider in page.sliders.items():
        drag(slider, 1.0)
        assert page.after.pixels != start and page.looks.value == name
        drag(slider, 0.0)
        assert page.after.pixels == start
    drag(page.sliders["smile"], -0.5)
    page.reset.click()
    assert page.after.pixels == start and page.sliders["smile"].value == 0


def test_the_edits_stay_with_another_face(page):
    pick(page.gallery_tiles, 2)
    assert page.before.pixels == to_bytes(page.gallery.faces[2].image) != page.after.pixels
    assert page.sliders["smile"].value == OPENING["smile"] and page.words.says.startswith("Gallery face 3 with")


@pytest.mark.parametrize("count", ["10", "100"])
def test_directions_from_few_labels_are_the_formulas(page, model, directions, count):
    before = page.after.pixels
    page.labels.value = count
    labelled = Labelled(model, directions)
    for _ in labelled.encode(int(count)):
        pass
    found = labelled.find(int(count))
    for name in ("smile", "beard"):
        flat = [latent_space.flatten(of[name]) for of in (page.state.directions, found)]
        assert torch.allclose(*flat, atol=2e-3)
    assert page.state.directions["antennae"] is directions["antennae"]  # nothing is labelled with it
    assert page.after.pixels != before and f"as far as {count} labels know it" in page.words.says
    title = page.looks.value
    alike = torch.cosine_similarity(latent_space.flatten(found[title]), latent_space.flatten(directions[title]))
    assert f"cosine {alike.item():.2f}" in page.note.says
    page.labels.value = "own"
    assert page.after.pixels == before and "labels" not in page.words.says


def test_ten_others_are_another_direction(page):
    assert page.others.disabled
    page.labels.value = "10"
    assert not page.others.disabled
    first = page.after.pixels
    page.others.click()
    assert page.after.pixels != first and "ten=2" in page.head.query
    for _ in range(9):
        page.others.click()
    assert page.after.pixels == first
    page.labels.value = "100"
    assert page.others.disabled


def test_the_chart_places_this_face_among_the_labelled(page, directions):
    pick(page.gallery_tiles, 4)
    page.looks.value = "beard"
    drag(page.sliders["beard"], 0.5)
    step = directions["beard"]
    start = project(page.state.start.latents, step).item()
    now = project(page.state.latents(), step).item()
    assert (
        f"was at {start:+.2f} and is at {now:+.2f}" in page.positions.label
        and "Where 200 labelled" in page.positions.label
    )
    assert now != start
    page.looks.value = "antennae"
    assert "encoded" in page.positions.label  # no labels, no places


def test_the_chart_of_overlaps_follows_the_directions(page):
    before = page.overlap.label
    page.labels.value = "10"
    assert page.overlap.label != before
    apart = cosines(page.state.directions) - torch.eye(4)
    assert f"{apart.flatten()[apart.abs().argmax()]:+.2f}" in page.overlap.label


def test_stored_directions_are_not_found_again(model, directions, card, monkeypatch):
    names = ["smile", "hair_colour", "beard"]
    few = {100: {name: [2 * step for step in directions[name]] for name in names}}
    stored = precomputed.Precomputed({name: torch.linspace(-1, 1, 300) for name in names}, few)
    monkeypatch.setattr(Labelled, "encode", lambda self, count: iter([1 / 0]))
    page = AttributeExplorer(model, directions, card, stored)
    page.labels.value = "100"
    assert not page.head.notice and page.state.directions["beard"] is few[100]["beard"]
    page.looks.value = "beard"
    assert "Where 300 labelled" in page.positions.label and "cosine 1.00" in page.note.says


def test_the_numbers_are_those_of_the_picture(page, model):
    drag(page.sliders["beard"], 0.8)
    image = page.decoded.image
    assert entry(page, "Bits")["value"] == f"{model.bits_per_dim(image[None]).item():.2f}"
    change = (image.float() - page.before.image.float()).abs().mean().item()
    assert entry(page, "Change")["value"] == f"{change:.1f}" != "0.0"
    wanted = latent_space.effective_temperature(page.state.latents()).item()
    assert entry(page, "Effective")["value"] == f"{wanted:.2f}"


def test_surprise_moves_sliders_by_seed(page, model, directions, card):
    page.surprise.click()
    moved = {name: slider.value for name, slider in page.sliders.items() if slider.value}
    assert moved == {name: amount for name, amount in page.state.amounts.items() if amount} and len(moved) >= 2
    other = AttributeExplorer(model, directions, card, seed=4)
    other.surprise.click()
    assert other.after.pixels == page.after.pixels


def test_a_picture_of_ones_own_comes_back_and_can_be_moved(page):
    upload(page.upload, png())
    assert page.before.pixels == page.after.pixels and "went through the flow and back" in page.head.notice["text"]
    assert "unlike the drawn faces" in page.head.notice["text"] and page.gallery_tiles.selected == 12
    drag(page.sliders["smile"], 1.0)
    assert page.before.pixels != page.after.pixels and "face=own" in page.head.query
    assert page.words.says == "Your picture, moved towards a much bigger smile, as drawn faces have it."


def test_one_looks_at_what_is_moved_most(page):
    open_address(page, "?smile=0.4&beard=-0.9")
    assert page.looks.value == "beard"
    open_address(page, "?smile=0.4&beard=-0.9&look=smile")
    assert page.looks.value == "smile"
    for _ in range(8):
        page.surprise.click()
        amounts = {name: abs(amount) for name, amount in page.state.amounts.items()}
        assert amounts[page.looks.value] == max(amounts.values())


@pytest.mark.parametrize("data", [b"", b"not a picture", png()[:40]], ids=["empty", "text", "truncated"])
def test_a_bad_upload_is_one_sentence_and_changes_nothing(page, data):
    before = page.after.pixels
    upload(page.upload, data)
    assert page.head.notice["kind"] == "bad" and page.head.notice["text"] != SORRY
    assert page.after.pixels == before


def test_the_address_holds_everything(page, model, directions, card):
    pick(page.gallery_tiles, 6)
    page.surprise.click()
    page.labels.value = "10"
    page.others.click()
    page.looks.value = "beard"
    other = AttributeExplorer(model, directions, card)
    open_address(other, "?" + page.head.query)
    assert other.after.pixels == page.after.pixels and other.head.query == page.head.query
    assert other.looks.value == "beard" and not other.head.notice


def test_an_address_without_a_word_on_a_slider_leaves_it_at_rest(page):
    open_address(page, "?face=gallery-2")
    assert page.after.pixels == page.before.pixels == to_bytes(page.gallery.faces[1].image)


@pytest.mark.parametrize("query", ["smile=7", "smile=x&look=nose", "labels=11", "face=gallery-0", "ten=11&beard=nan"])
def test_nonsense_in_an_address_is_left_out_with_a_sentence(page, query):
    open_address(page, "?" + query)
    assert "its address asks for" in page.head.notice["text"]
    assert page.after.pixels == page.before.pixels and page.labels.value == "own"


def test_an_instructor_can_leave_controls_out(page):
    open_address(page, "?controls=smile,labels&smile=1")
    hidden = {name for name, slider in page.sliders.items() if slider.layout.display == "none"}
    assert hidden == set(page.sliders) - {"smile"} and page.sections["labels"].layout.display is None
    assert all(page.parts[name].layout.display == "none" for name in ("gallery", "upload", "places", "surprise"))
    assert page.head.query.endswith("controls=smile%2Clabels")


def test_hints_move_on_and_say_when_a_face_is_held_back(page):
    seen = [page.words.hint]
    drag(page.sliders["smile"], 0.2)
    seen.append(page.words.hint)
    page.reset.click()
    seen.append(page.words.hint)
    page.labels.set_state({"value": "10"})
    seen.append(page.words.hint)
    assert len(set(seen)) == 4
    page.state.directions = {name: [30 * step for step in of] for name, of in page.own.items()}
    page.own.update(page.state.directions)
    page.labels.value = "own"
    drag(page.sliders["beard"], 1.0)
    assert "held at an effective temperature" in page.words.hint


def test_while_labels_are_encoded_the_page_goes_on(model, directions, card):
    async def scene():
        page = AttributeExplorer(model, directions, card)
        await asyncio.sleep(0.15)
        page.labelled.batch_size.most = page.labelled.batch_size.count = 1
        page.labels.value = "100"
        before, said = page.after.pixels, set()
        for _ in range(2000):
            await asyncio.sleep(0.002)
            said.add(page.note.says)
            if len(said) == 3:
                drag(page.sliders["beard"], 0.9)  # with the directions as they were
                assert page.after.pixels != before
            if not page.scheduler.busy and "100 labels" in page.words.says and len(said) > 5:
                break
        assert any(words.endswith("of 100 labelled faces encoded.") for words in said)
        assert page.state.directions["smile"] is not page.own["smile"] and not page.head.notice

    asyncio.run(scene())


def test_a_fault_keeps_the_picture(page, monkeypatch, caplog):
    before, good = page.after.pixels, page.model.inverse
    monkeypatch.setattr(page.model, "inverse", lambda latents: 1 / 0)
    drag(page.sliders["smile"], 0.3)
    assert page.head.notice == {"text": SORRY, "kind": "bad"} and page.after.pixels == before
    monkeypatch.setattr(page.model, "inverse", good)
    drag(page.sliders["smile"], 0.4)
    assert page.after.pixels != before and page.head.notice == {}


def test_it_opens_from_a_checkpoint_and_says_what_is_missing(model, directions, tmp_path, card):
    path = checkpoint.save(tmp_path / "small.safetensors", model, card)
    assert "no directions yet" in open_attributes(path).head.notice["text"]
    checkpoint.save_directions(path, directions, {"count": 64, "parted": True})
    opened = open_attributes(path)
    assert isinstance(open_attributes(tmp_path / "none"), Sorry)
    assert isinstance(opened, AttributeExplorer)
    assert opened.note.says == "These are the model's own, from 64 labels, parted by measuring what each of them moves."


def test_an_address_that_only_hides_controls_leaves_the_opening(page):
    before = page.after.pixels
    open_address(page, "?controls=smile,overlap")
    assert page.after.pixels == before and any(page.state.amounts.values())
