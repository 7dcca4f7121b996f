"""The studio as a person uses it, through its widgets, without a browser."""

import io

import pytest
from PIL import Image

from glowlab.explorers.studio import OPENING, Studio, open_studio
from glowlab.widgets.frame import BROKEN, SORRY, Sorry
from glowlab.widgets.picture import to_bytes
from glowlite import checkpoint
from tests.glowlab.explorers.page import drag, entry, open_address, pick, png, upload


@pytest.fixture
def page(model, directions, card) -> Studio:
    return Studio(model, directions, card, seed=3)


def test_it_opens_on_an_edited_face(page):
    assert page.sliders["smile"].value == OPENING["smile"]
    assert page.after.pixels != page.before.pixels
    assert page.before.pixels == to_bytes(page.gallery.faces[0].image)
    assert "smile" in page.words.says and page.after.label.startswith("After: ")
    assert page.words.hint


def test_every_slider_changes_the_picture_and_reset_restores_every_pixel(page):
    page.reset.click()
    start = page.after.pixels
    assert start == page.before.pixels
    for name, slider in page.sliders.items():
        slider.value = 1.0
        assert page.after.pixels != start, name
        slider.value = 0.0
        assert page.after.pixels == start, name
    page.sliders["smile"].value = -0.5
    pick(page.partner_tiles, 3)
    assert page.after.pixels != start
    page.reset.click()
    assert page.after.pixels == start
    assert page.blend.value == 0.0 and page.sliders["smile"].value == 0.0


def test_a_move_that_was_on_its_way_does_not_undo_reset(page):
    smile = page.sliders["smile"]
    page.reset.click()
    known = smile.epoch
    page.reset.click()  # nothing to undo in the kernel, while on the page the slider is being dragged
    smile.set_state({"move": [known, 0.86]})
    assert smile.value == 0.0 and page.after.pixels == page.before.pixels


def test_another_face_keeps_the_edits(page):
    pick(page.gallery_tiles, 5)
    assert page.before.pixels == to_bytes(page.gallery.faces[5].image)
    assert page.sliders["smile"].value == OPENING["smile"]
    assert page.after.pixels != page.before.pixels
    assert page.words.says.startswith("Gallery face 6 with")


def test_choosing_a_second_face_blends_and_the_slider_and_the_way_count(page):
    page.reset.click()
    pick(page.partner_tiles, 2)
    assert page.blend.value == 0.5
    half = page.after.pixels
    page.path.value = "spherical"
    assert page.after.pixels != half
    page.path.value = "linear"
    assert page.after.pixels == half
    page.blend.value = 0.8
    assert page.after.pixels != half
    assert "blended 80 % with gallery face 3" in page.words.says


def test_fresh_faces_follow_the_temperature_and_are_new_on_demand(page):
    page.reset.click()
    row = page.fresh_tiles.pixels
    page.temperature.value = 1.0
    assert page.fresh_tiles.pixels != row
    pick(page.fresh_tiles, 4)
    chosen = page.after.pixels
    assert chosen == to_bytes(page.gallery.fresh[4].image)
    page.temperature.value = 0.4
    assert page.fresh_tiles.selected == 4
    assert page.after.pixels == to_bytes(page.gallery.fresh[4].image) != chosen
    row = page.fresh_tiles.pixels
    page.new_faces.click()
    assert page.fresh_tiles.pixels != row and page.fresh_tiles.selected == -1
    assert page.partner_tiles.names[-1] == "fresh face 5"


def test_surprise_moves_sliders_to_match_the_picture(page):
    page.surprise.click()
    moved = {name: slider.value for name, slider in page.sliders.items() if slider.value}
    assert moved == page.state.amounts and moved
    assert page.after.pixels == to_bytes(page.state.decode().image)


def test_an_upload_comes_back_exactly_and_says_that_it_is_foreign(page):
    upload(page.upload, png())
    assert page.before.pixels == page.after.pixels
    assert "every pixel is the same" in page.head.notice["text"]
    assert "unlike the drawn faces" in page.head.notice["text"]
    assert "5.00 \u00b1 0.50" in page.head.notice["text"]
    assert entry(page, "Bits")["flag"] and "unlike" in entry(page, "Bits")["note"]
    assert page.partner_tiles.names[-1] == "your picture"
    assert page.words.says == "Your picture, unchanged."
    assert page.head.query == "face=own"
    drag(page.sliders["smile"], 1.0)
    assert page.words.says == "Your picture, moved towards a much bigger smile, as drawn faces have it."
    open_address(page, page.head.query)
    assert "cannot hold a picture of your own" in page.head.notice["text"]


def test_a_link_to_a_picture_of_ones_own_opens_on_a_face_and_says_why(page):
    open_address(page, "?face=own&with=own&blend=0.5&smile=1.00")
    assert page.words.says == "Gallery face 1 with a much bigger smile."
    assert page.head.notice["text"].count("cannot hold a picture of your own") == 1


def test_the_address_holds_the_fresh_faces(page, model, directions, card):
    drag(page.temperature, 0.9)
    assert page.head.query.endswith("heat=0.90")
    page.new_faces.click()
    pick(page.fresh_tiles, 2)
    assert "face=fresh-2-0.90-3" in page.head.query and page.head.query.endswith("heat=0.90&draw=2")
    other = Studio(model, directions, card)
    open_address(other, page.head.query)
    assert other.fresh_tiles.pixels == page.fresh_tiles.pixels and other.after.pixels == page.after.pixels
    assert other.fresh_tiles.selected == 2
    drag(other.temperature, 0.2)  # so that it still follows
    assert "face=fresh-2-0.20-3" in other.head.query and other.after.pixels != page.after.pixels


def test_a_control_that_is_not_there_is_said_and_hides_nothing_alone(page):
    open_address(page, "?controls=Smile")
    assert "controls=Smile" in page.head.notice["text"]
    assert page.sliders["beard"].layout.display is None and "controls" not in page.head.query
    open_address(page, "?controls=foo, beard")
    assert "controls=foo" in page.head.notice["text"]
    assert page.sliders["beard"].layout.display is None and page.sliders["smile"].layout.display == "none"
    assert page.head.query.endswith("controls=beard")


@pytest.mark.parametrize("data", [b"", b"not a picture", png()[:40]], ids=["empty", "text", "truncated"])
def test_a_bad_upload_is_one_sentence_and_changes_nothing(page, data):
    before = page.after.pixels
    upload(page.upload, data)
    assert page.head.notice["kind"] == "bad"
    assert page.head.notice["text"] not in ("", SORRY) and "\n" not in page.head.notice["text"]
    assert page.after.pixels == before
    page.sliders["smile"].value = 0.1  # the next move that works takes the sentence away
    assert page.head.notice == {}


def test_a_file_that_is_too_large_is_refused(page):
    page.upload._receive(page.upload, {"kind": "too large", "name": "x", "size": 99 * 2**20}, [])
    assert page.head.notice["text"] == "That file has 99 MB; please choose one of at most 32 MB."


def test_download_gives_the_pixels_shown(page, monkeypatch):
    sent = []
    monkeypatch.setattr(page.download, "send", lambda message, buffers: sent.append((message, buffers)))
    page.download.click()
    (message, (data,)) = sent[0]
    picture = Image.open(io.BytesIO(data))
    assert message["name"].endswith(".png") and picture.size == (512, 512)
    assert picture.resize((16, 16), Image.Resampling.NEAREST).tobytes() == page.after.pixels


def test_the_numbers_are_those_of_the_picture(page):
    page.reset.click()
    image = page.gallery.faces[0].image
    assert entry(page, "Change")["value"] == "0.0"
    assert entry(page, "Bits")["value"] == f"{page.state.model.bits_per_dim(image[None]).item():.2f}"
    assert "5.00" in entry(page, "Bits")["note"]
    page.sliders["smile"].value = 1.0
    decoded = page.state.decode()
    assert entry(page, "Effective")["value"] == f"{decoded.temperature:.2f}"
    difference = (decoded.image.float() - image.float()).abs().mean().item()
    assert entry(page, "Change")["value"] == f"{difference:.1f}" != "0.0"


def test_hints_move_on(page):
    first = page.words.hint
    page.sliders["smile"].value = 0.2
    second = page.words.hint
    page.after.set_state({"compared": 1})
    assert len({first, second, page.words.hint}) == 3


def test_hints_end_and_a_share_of_clamped_values_is_warned_of(page):
    page.reset.click()
    page.used.update(name for name, _ in page.hints)
    page.sliders["smile"].value = 0.2
    assert page.words.hint == ""
    page.decoded = page.decoded._replace(saturated=0.2)
    assert page.hint().startswith("20% of the values")


def test_nonsense_in_an_address_is_said(page):
    page._receive(page.head, {"kind": "address", "search": "?face=gallery-2&smile=blue"}, [])
    assert "smile=blue" in page.head.notice["text"] and page.words.says.startswith("Gallery face 2")


def test_an_address_sets_everything(page):
    page._receive(page.head, {"kind": "address", "search": "?face=gallery-4&smile=-0.5&with=gallery-2&blend=0.3"}, [])
    assert page.before.pixels == to_bytes(page.gallery.faces[3].image)
    assert page.sliders["smile"].value == -0.5 and page.sliders["hair_colour"].value == 0
    assert page.blend.value == 0.3 and page.partner_tiles.selected == 1
    assert page.head.query == "face=gallery-4&with=gallery-2&blend=0.30&smile=-0.50"


def test_an_instructor_can_leave_controls_out(page):
    page._receive(page.head, {"kind": "address", "search": "?controls=smile,gallery&smile=1"}, [])
    hidden = {name for name, slider in page.sliders.items() if slider.layout.display == "none"}
    assert hidden == set(page.sliders) - {"smile"}
    assert page.sections["gallery"].layout.display is None and page.upload.layout.display == "none"
    assert page.sections["blend"].layout.display == "none"
    assert page.head.query.endswith("&controls=smile%2Cgallery")
    page.show_only("")
    assert page.sections["blend"].layout.display is None and page.upload.layout.display is None


def test_a_fault_while_drawing_keeps_the_picture_and_the_controls(page, monkeypatch, caplog):
    before = page.after.pixels
    good = page.state.model.inverse
    monkeypatch.setattr(page.state.model, "inverse", lambda latents: 1 / 0)
    page.sliders["smile"].value = 0.3
    assert page.head.notice == {"text": SORRY, "kind": "bad"} and "ZeroDivisionError" in caplog.text
    assert page.after.pixels == before
    monkeypatch.setattr(page.state.model, "inverse", good)
    page.sliders["smile"].value = 0.4
    assert page.after.pixels != before and page.head.notice == {}


def test_where_no_kernel_runs_before_and_after_are_left(page):
    data = page._repr_mimebundle_()
    data = data[0] if isinstance(data, tuple) else data
    assert "image/png" in data and data["text/plain"].startswith("Glow studio: A flow turns a face into")
    assert page.still().shape == (3, 16, 32)


def test_it_opens_from_a_checkpoint_and_says_so_where_there_is_none(model, directions, tmp_path, card):
    path = checkpoint.save(tmp_path / "small.safetensors", model, card)
    assert "no directions" in open_studio(path).head.notice["text"]
    checkpoint.save_directions(path, directions)
    opened = open_studio(path)
    assert isinstance(opened, Studio) and opened.typical == (5.0, 0.5)
    missing = open_studio(tmp_path / "other")
    assert isinstance(missing, Sorry) and "no model" in missing.head.notice["text"]


def test_a_broken_installation_is_said_kindly(monkeypatch, caplog):
    monkeypatch.setattr(checkpoint, "find", lambda name: 1 / 0)
    assert open_studio().head.notice["text"] == BROKEN
    assert "ZeroDivisionError" in caplog.text
