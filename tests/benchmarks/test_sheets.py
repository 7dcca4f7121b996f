"""The sheets of a model: what stands on them, and that they can be written."""

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import sheets
from glowlab.explorers.gallery import draw_people
from glowlite import checkpoint
from glowlite.data import faces
from glowlite.fusion import fuse
from glowlite.glow import PRESETS, Glow
from glowlite.sheet import PAPER

NAMES = ["Mona Lisa", "Queen Liliʻuokalani"]


@pytest.fixture(scope="module")
def model():
    model = Glow(PRESETS["tiny"])
    model.initialize(faces.draw(32, 16).images.float() / 256 - 0.5)
    return model.eval()


@pytest.fixture(scope="module")
def eps(model):
    return model.encode(faces.draw(2, 16).images)


def still(model, names):
    """Directions that change nothing."""
    return {name: [torch.zeros(1, *shape) for shape in model.latent_shapes] for name in names}


def inked(image: Image.Image) -> np.ndarray:
    """Where words stand: bool (H, W)."""
    return (np.asarray(image) != PAPER).any(2)


def test_words_stay_inside_their_strip_whatever_their_length():
    for text in ("smile", "Girl with a Pearl Earring", "Queen Liliʻuokalani", "Vigée Le Brun's self-portrait"):
        strip = inked(sheets.write(text, 112, 20))
        assert strip.any() and not strip[:, [0, -1]].any() and not strip[[0, -1]].any(), text
    assert sheets.write("Girl with a Pearl Earring", 112, 20).height > sheets.write("Mona Lisa", 112, 20).height
    assert not inked(sheets.write("", 112)).any()


def test_amounts_are_written_with_a_true_minus():
    assert [sheets.signed(amount) for amount in (-1, -0.5, 0, 0.5, 1)] == ["−1", "−0.5", "0", "+0.5", "+1"]


def test_rows_and_columns_keep_every_picture():
    red, blue = Image.new("RGB", (10, 20), "red"), Image.new("RGB", (30, 10), "blue")
    for paper in (sheets.beside([red, blue]), sheets.below([red, blue])):
        pixels = np.asarray(paper).reshape(-1, 3)
        assert (pixels == (255, 0, 0)).all(1).sum() == 200 and (pixels == (0, 0, 255)).all(1).sum() == 300


def test_there_are_four_sliders_on_a_sheet_and_three_rows_for_each(model, eps):
    made = sheets.sliders(model, still(model, "abcdef"), eps, NAMES, side=64)
    assert len(made) == 2 and made[0].width == made[1].width
    block = (made[0].height - made[1].height) / 2
    assert block == 3 * (64 + sheets.GAP) + sheets.write("a", 100).height + sheets.GAP


def test_a_slider_at_zero_shows_the_face_as_it_is(model, eps):
    shown = sheets.one_slider(model, "smile", still(model, ["smile"])["smile"], eps, side=16)
    face = faces.draw(1, 16).images[0].permute(1, 2, 0).numpy()
    gap = sheets.GAP
    for i in range(5):
        assert np.array_equal(np.asarray(shown)[gap : gap + 16, gap + 20 * i : gap + 20 * i + 16], face)


def test_an_interpolation_begins_and_ends_with_its_faces(model, eps):
    sheet = np.asarray(sheets.interpolations(model, eps, NAMES, side=16))
    first, last = faces.draw(2, 16).images.permute(0, 2, 3, 1).numpy()
    gap = sheets.GAP
    low, high = len(sheet) - gap - 16, len(sheet) - gap  # rows of the pictures, from the bottom
    assert np.array_equal(sheet[low:high, gap : gap + 16], first)
    assert np.array_equal(sheet[low:high, -gap - 16 : -gap], last)


def test_every_sheet_of_a_model_is_written_and_a_real_one_shows_portraits(model, tmp_path, monkeypatch, capsys):
    path = checkpoint.save(tmp_path / "small", model, {"data": "fairface64"})
    checkpoint.save_directions(path, still(model, ["smile", "age"]))
    asked = []
    monkeypatch.setattr(sheets, "read_portraits", lambda size: asked.append(size) or draw_people(size))
    monkeypatch.setattr("sys.argv", ["sheets", "--model", str(path), "--out", str(tmp_path / "pictures")])
    sheets.main()
    assert asked == [16]
    written = {file.name for file in (tmp_path / "pictures").iterdir()}
    assert written == {f"small.{what}.webp" for what in ("smile", "samples", "interpolations", "sliders-1")}
    assert "small.samples.webp: 932 x" in capsys.readouterr().out
    with Image.open(tmp_path / "pictures" / "small.samples.webp") as samples:
        assert samples.size == (932, 978)


def test_samples_are_the_same_each_time(model):
    first, again = (sheets.samples(fuse(model), side=16) for _ in range(2))
    assert first.tobytes() == again.tobytes()
