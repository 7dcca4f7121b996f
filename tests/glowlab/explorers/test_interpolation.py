"""Between two faces, as a person explores it, through its widgets, without a browser."""

import asyncio

import pytest

from glowlab.explorers.interpolation import OPENING, InterpolationExplorer, open_interpolation
from glowlab.explorers.interpolation_state import WAYS
from glowlab.widgets.frame import SORRY, Sorry
from glowlab.widgets.picture import to_bytes
from glowlite import checkpoint
from glowlite import latents as latent_space
from tests.glowlab.explorers.page import drag, entry, open_address, pick, png, upload


@pytest.fixture
def page(model, card) -> InterpolationExplorer:
    return InterpolationExplorer(model, card, seed=4)


def test_it_opens_half_way_with_all_rows(page, model):
    first, second = (page.gallery.faces[i] for i in OPENING)
    wanted = model.decode(latent_space.slerp(first.latents, second.latents, 0.5))[0]
    assert page.picture.pixels == to_bytes(wanted)
    assert [picture.pixels for picture in page.ends] == [to_bytes(first.image), to_bytes(second.image)]
    assert all(tiles.count == 7 for tiles in page.rows.values())
    assert "50 % of the way from gallery face" in page.words.says and page.words.hint
    assert page.still().shape == (3, 16, 48)
    assert "arc" in page.bits_chart.label and "straight line" in page.temperature_chart.label


def test_the_slider_moves_and_holding_compares_with_the_pixel_blend(page):
    seen = {page.picture.pixels}
    for t in (0.1, 0.35, 0.9):
        drag(page.slider, t)
        seen.add(page.picture.pixels)
        assert page.picture.other == to_bytes(page.state.blend(t)) != page.picture.pixels
    assert len(seen) == 4
    drag(page.slider, 0.0)
    assert page.picture.pixels == page.ends[0].pixels and "where the way begins" in page.words.says
    drag(page.slider, 1.0)
    assert page.picture.pixels == page.ends[1].pixels and "where the way ends" in page.words.says


def test_each_way_is_another_picture_and_pixels_have_nothing_to_compare_with(page):
    seen = set()
    for way in WAYS:
        page.way.value = way
        seen.add(page.picture.pixels)
        assert bool(page.picture.other) == (way != "pixels")
    assert len(seen) == 3
    page.reset.click()
    assert page.way.value == "spherical" and page.picture.pixels in seen


def test_a_stop_of_a_row_is_shown_large(page):
    pick(page.rows["linear"], 2)
    assert page.way.value == "linear" and page.slider.value == pytest.approx(1 / 3, abs=0.01)
    assert page.rows["linear"].selected == 2 and page.rows["spherical"].selected == -1
    drag(page.slider, 0.4)
    assert page.rows["linear"].selected == -1


def test_levels_can_stay_behind(page):
    everything = page.picture.pixels
    page.levels[1].value = False
    some = page.picture.pixels
    assert some != everything and "Level 2 stayed as in gallery face" in page.words.says
    assert "levels=1" in page.head.query
    page.levels[0].value = False
    assert page.picture.pixels == page.ends[0].pixels and "levels=none" in page.head.query
    page.reset.click()
    assert page.picture.pixels == everything and "levels" not in page.head.query


def test_other_faces_give_other_rows(page):
    rows = {way: tiles.pixels for way, tiles in page.rows.items()}
    pick(page.gallery_tiles[0], 3)
    pick(page.gallery_tiles[1], 9)
    assert page.state.first is page.gallery.faces[3] and page.state.second is page.gallery.faces[9]
    assert all(tiles.pixels != rows[way] for way, tiles in page.rows.items())
    assert page.gallery_tiles[0].selected == 3 and page.gallery_tiles[1].selected == 9
    pick(page.gallery_tiles[1], 3)
    assert "Both pictures are gallery face 4" in page.words.says
    assert page.picture.pixels == page.ends[0].pixels


def test_surprise_takes_two_people_by_seed(page, model, card):
    page.surprise.click()
    assert page.state.first is not page.state.second
    other = InterpolationExplorer(model, card, seed=4)
    other.surprise.click()
    assert other.picture.pixels == page.picture.pixels


def test_the_numbers_are_those_of_the_picture(page, model):
    drag(page.slider, 0.7)
    image = page.decoded.image
    assert float(entry(page, "Bits")["value"]) == pytest.approx(model.bits_per_dim(image[None]).item(), abs=0.006)
    change = (image.float() - page.state.first.image.float()).abs().mean().item()
    assert entry(page, "Change")["value"] == f"{change:.1f}"
    eps = latent_space.slerp(page.state.first.latents, page.state.second.latents, 0.7)
    assert entry(page, "Effective")["value"] == f"{latent_space.effective_temperature(eps).item():.2f}"
    page.way.value = "pixels"
    encoded = model.encode(page.decoded.image[None])
    assert entry(page, "Effective")["value"] == f"{latent_space.effective_temperature(encoded).item():.2f}"


@pytest.mark.parametrize("end", [0, 1])
def test_a_picture_of_ones_own_can_be_either_end(page, end):
    upload(page.uploads[end], png())
    face = (page.state.first, page.state.second)[end]
    assert face.name == f"your {('first', 'second')[end]} picture" and page.ends[end].pixels == to_bytes(face.image)
    text = page.head.notice["text"]
    assert f"the {('first', 'second')[end]} one now" in text and "unlike the drawn faces" in text
    assert page.gallery_tiles[end].selected == 12 and page.gallery_tiles[1 - end].count == 13
    drag(page.slider, float(end))
    assert page.picture.pixels == page.ends[end].pixels
    assert f"{'ab'[end]}=own" in page.head.query


def test_both_ends_can_be_pictures_of_ones_own(page):
    for end, colour in enumerate([(90, 120, 200), (200, 40, 60)]):
        upload(page.uploads[end], png(colour))
    assert "from your first picture to your second picture" in page.words.says
    assert [tiles.selected for tiles in page.gallery_tiles] == [12, 13]
    pick(page.gallery_tiles[0], 2)  # the first stays in the gallery
    pick(page.gallery_tiles[0], 12)
    assert page.state.first.name == "your first picture"


def test_the_angle_and_clamped_values_are_said(page):
    upload(page.uploads[0], png())
    upload(page.uploads[1], png((91, 121, 200)))
    angle = page.state.angle()
    assert angle < 60 and page.apart.says.startswith(f"These two stand at {angle:.0f}°")
    middle = latent_space.effective_temperature(page.state.latents(0.5, "linear")).item()
    assert f"temperature is {middle:.2f}" in page.apart.says
    for tick in page.levels:
        tick.value = False
    assert page.apart.says == ""
    page.decoded = page.decoded._replace(saturated=0.041)
    assert page.hint().startswith("4% of the values are at full dark or full light")


@pytest.mark.parametrize("data", [b"", b"not a picture", png()[:40]], ids=["empty", "text", "truncated"])
def test_a_bad_upload_is_one_sentence_and_changes_nothing(page, data):
    before = page.picture.pixels
    upload(page.uploads[0], data)
    assert page.head.notice["kind"] == "bad" and page.head.notice["text"] != SORRY
    assert page.picture.pixels == before
    drag(page.slider, 0.2)
    assert page.head.notice == {}


def test_a_file_that_is_too_large_is_refused(page):
    page.uploads[1]._receive(page.uploads[1], {"kind": "too large", "name": "x", "size": 99 * 2**20}, [])
    assert page.head.notice["text"] == "That file has 99 MB; please choose one of at most 32 MB."


def test_the_address_holds_everything(page, model, card):
    page.surprise.click()
    drag(page.slider, 0.35)
    page.way.value = "linear"
    page.levels[0].value = False
    other = InterpolationExplorer(model, card)
    open_address(other, "?" + page.head.query)
    assert other.picture.pixels == page.picture.pixels and other.head.query == page.head.query
    assert not other.head.notice and other.slider.value == 0.35


@pytest.mark.parametrize("query", ["a=gallery-99", "t=2&way=round", "levels=9", "b=fresh-x&t=nan", "a=&b=%%&t=x"])
def test_nonsense_in_an_address_is_left_out_with_a_sentence(page, query):
    before = page.picture.pixels
    open_address(page, "?" + query)
    assert page.picture.pixels == before and "its address asks for" in page.head.notice["text"]


def test_an_instructor_can_leave_controls_out(page):
    open_address(page, "?controls=t,rows")
    assert page.slider.layout.display is None and page.sections["rows"].layout.display is None
    for part in (page.way, *page.uploads, page.surprise, page.sections["first"], page.readout):
        assert part.layout.display == "none"
    assert page.head.query.endswith("controls=t%2Crows")


def test_hints_move_on(page):
    seen = [page.words.hint]
    drag(page.slider, 0.3)
    seen.append(page.words.hint)
    page.picture.set_state({"compared": 1})
    seen.append(page.words.hint)
    page.way.set_state({"value": "linear"})
    seen.append(page.words.hint)
    assert len(set(seen)) == 4


def test_the_chart_of_bits_follows_the_slider(page):
    def dashes() -> str:
        drag(page.slider, page.slider.value + 0.01)
        return str(page.bits_chart.scene)

    assert dashes() != dashes()


def test_old_rows_stay_until_new_ones_are_whole(model, card):
    async def scene():
        page = InterpolationExplorer(model, card)
        await asyncio.sleep(0.2)
        while page.scheduler.busy:
            await asyncio.sleep(0.01)
        page.state.decoding.most = page.state.decoding.count = 1
        old = {way: tiles.pixels for way, tiles in page.rows.items()}
        seen = {way: {pixels} for way, pixels in old.items()}
        pick(page.gallery_tiles[0], 8)
        while page.scheduler.busy or not any(len(pictures) > 1 for pictures in seen.values()):
            await asyncio.sleep(0.005)
            for way, tiles in page.rows.items():
                seen[way].add(tiles.pixels)
        assert all(len(pictures) == 2 for pictures in seen.values())

    asyncio.run(asyncio.wait_for(scene(), 120))


def test_a_fault_keeps_the_picture(page, monkeypatch, caplog):
    before, good = page.picture.pixels, page.model.inverse
    monkeypatch.setattr(page.model, "inverse", lambda latents: good(latents) / 0)
    drag(page.slider, 0.3)
    assert "Move the last slider back" in page.head.notice["text"] and page.picture.pixels == before
    monkeypatch.setattr(page.model, "inverse", good)
    drag(page.slider, 0.4)
    assert page.picture.pixels != before and page.head.notice == {}


def test_it_opens_from_a_checkpoint_and_says_so_where_there_is_none(model, tmp_path, card):
    path = checkpoint.save(tmp_path / "small.safetensors", model, card)
    assert isinstance(open_interpolation(path), InterpolationExplorer)
    assert isinstance(open_interpolation(tmp_path / "none"), Sorry)
