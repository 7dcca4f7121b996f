"""The contact sheet and the PNG file."""

import numpy as np
import pytest
import torch
from PIL import Image

from glowlite.errors import GlowliteError
from glowlite.sheet import save_png, sheet


def pictures(count, channels=3, height=5, width=4):
    return (
        torch.arange(count * channels * height * width)
        .remainder(251)
        .to(torch.uint8)
        .view(count, channels, height, width)
    )


def test_every_picture_lies_in_its_cell_and_the_rest_is_background():
    images = pictures(5)
    paper = sheet(images, columns=3, gap=2, background=(255, 254, 253))
    assert paper.shape == (2 * 7 + 2, 3 * 6 + 2, 3) and paper.dtype == np.uint8
    rest = np.ones(paper.shape[:2], dtype=bool)
    for i in range(5):
        top, left = 2 + i // 3 * 7, 2 + i % 3 * 6
        assert np.array_equal(paper[top : top + 5, left : left + 4], images[i].permute(1, 2, 0).numpy())
        rest[top : top + 5, left : left + 4] = False
    assert (paper[rest] == (255, 254, 253)).all()


def test_few_pictures_make_a_narrow_sheet_and_gray_becomes_rgb():
    images = pictures(2, channels=1)
    paper = sheet(images.numpy(), columns=8, gap=0)
    assert paper.shape == (5, 8, 3)
    assert np.array_equal(paper[:, 4:, 0], images[1, 0].numpy())
    assert np.array_equal(paper[..., 0], paper[..., 2])


@pytest.mark.parametrize(
    ("images", "options", "says"),
    [
        (torch.zeros(2, 3, 4, 4), {}, "uint8"),
        (torch.zeros(3, 4, 4, dtype=torch.uint8), {}, "shape"),
        (torch.zeros(2, 4, 4, 4, dtype=torch.uint8), {}, "shape"),
        (torch.zeros(0, 3, 4, 4, dtype=torch.uint8), {}, "at least one"),
        (pictures(2), {"columns": 0}, "column"),
        (pictures(2), {"gap": -1}, "gap"),
    ],
)
def test_a_sheet_says_what_is_wrong(images, options, says):
    with pytest.raises(GlowliteError, match=says) as caught:
        sheet(images, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(7, 9, 3), (7, 9)])
def test_a_saved_file_has_the_same_pixels_and_leaves_nothing_else(tmp_path, shape):
    array = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    path = save_png(tmp_path / "new" / "a.png", array)
    assert np.array_equal(np.asarray(Image.open(path)), array)
    assert [file.name for file in path.parent.iterdir()] == ["a.png"]


def test_a_write_that_fails_keeps_the_old_file(tmp_path, monkeypatch):
    path = save_png(tmp_path / "a.png", np.zeros((4, 4, 3), dtype=np.uint8))
    before = path.read_bytes()

    def fail(self, file, **options):
        file.write(b"half a")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(GlowliteError, match="No space left"):
        save_png(path, np.ones((4, 4, 3), dtype=np.uint8))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


def test_what_cannot_be_saved_says_so(tmp_path):
    with pytest.raises(GlowliteError, match="uint8"):
        save_png(tmp_path / "a.png", np.zeros((4, 4, 3)))
    with pytest.raises(GlowliteError, match="shape"):
        save_png(tmp_path / "a.png", np.zeros((4, 4, 2), dtype=np.uint8))
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(GlowliteError, match="cannot be written"):
        save_png(tmp_path / "file" / "a.png", np.zeros((4, 4, 3), dtype=np.uint8))
