"""Aligned faces: eyes at their places for any turn, scale and place, smooth, and with a word where it went wrong."""

import math
import sys
import types

import numpy as np
import pytest
import torch
from PIL import Image

from glowlite.data.align import EYES, align, align_folder, outside
from glowlite.data.eyes import find_eyes, read_eyes
from glowlite.errors import GlowliteError


def dots(shape, *points, radius) -> torch.Tensor:
    """A grey picture with a bright soft dot at each point (x, y)."""
    y, x = torch.meshgrid(torch.arange(shape[0]) + 0.5, torch.arange(shape[1]) + 0.5, indexing="ij")
    near = torch.stack([((x - a) ** 2 + (y - b) ** 2) / (2 * radius**2) for a, b in points]).amin(0)
    return (60 + 180 * torch.exp(-near)).to(torch.uint8)[None].expand(3, -1, -1)


def centres(crop) -> list[complex]:
    """Where the bright dots of the left and the right half are, in pixels from the upper left corner."""
    weight = (crop[0].double() - 62).clamp(min=0)
    half, found = crop.shape[2] // 2, []
    for first, part in ((0, weight[:, :half]), (half, weight[:, half:])):
        y, x = torch.meshgrid(torch.arange(part.shape[0]) + 0.5, torch.arange(part.shape[1]) + 0.5, indexing="ij")
        found.append(complex((x * part).sum() / part.sum() + first, (y * part).sum() / part.sum()))
    return found


@pytest.mark.parametrize("size", [32, 64, 100])
@pytest.mark.parametrize("distance", [12, 30, 75, 240, 700])
@pytest.mark.parametrize("turn", [-40, 0, 25])
def test_eyes_come_to_their_places(size, distance, turn):
    side = 4 * distance
    step = distance * complex(math.cos(math.radians(turn)), math.sin(math.radians(turn)))
    left = complex(side * 0.45, side * 0.55) - step / 2
    eyes = [(eye.real, eye.imag) for eye in (left, left + step)]
    image = dots((side, side + 5), *eyes, radius=distance / 12)
    crop = align(image, *eyes, size)
    assert crop.shape == (3, size, size) and crop.dtype == torch.uint8 and crop.is_contiguous()
    for found, place in zip(centres(crop), EYES, strict=True):
        assert abs(found - place * size / 64) < 0.12 * max(1, size / 64)
    assert torch.equal(align(image, *reversed(eyes), size), crop), "eyes in either order"


def test_a_picture_that_lies_right_already_stays_as_it_is():
    image = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 16, 16), dtype=np.uint8))
    image = image.repeat_interleave(4, 1).repeat_interleave(4, 2)
    crop = align(image, (16.4, 16.5), (46.1, 16.6))
    assert (crop.int() - image.int()).abs()[:, 1::4, 1::4].max() <= 1
    assert align(image[:1], (16.4, 16.5), (46.1, 16.6)).shape == (1, 64, 64)


@pytest.mark.parametrize("scale", [2, 3.7, 9, 31])
def test_a_fine_pattern_becomes_grey_and_no_moire(scale):
    side = int(64 * scale)
    checks = (torch.arange(side)[:, None] + torch.arange(side)).remainder(2).mul(255).to(torch.uint8)
    eyes = [(eye.real * scale, eye.imag * scale) for eye in EYES]
    crop = align(checks[None], *eyes).float()
    assert (crop - 127.5).abs().max() < (25 if scale < 4 else 5)


def test_beyond_the_edge_the_edge_goes_on():
    image = torch.zeros(3, 64, 64, dtype=torch.uint8)
    image[:, :, 0], image[:, 0] = 200, 200
    crop = align(image, (-13.6, -13.5), (16.1, -13.4))  # 30 pixels further to the left and up
    assert crop[:, :28, :].unique().tolist() == [200] and crop[:, :, :28].unique().tolist() == [200]
    assert crop[:, 33:, 33:].unique().tolist() == [0]
    assert outside(image.shape, (-13.6, -13.5), (16.1, -13.4)) == pytest.approx(1 - (34 / 64) ** 2, abs=0.01)
    assert align(image, (-900, -900), (-870, -900)).unique().tolist() == [200]


@pytest.mark.parametrize(
    ("image", "eyes", "says"),
    [
        (torch.zeros(3, 64, 64), ((1, 1), (9, 1)), "uint8 .C, H, W., not torch.float32"),
        (torch.zeros(64, 64, dtype=torch.uint8), ((1, 1), (9, 1)), "not torch.uint8 .64, 64."),
        (torch.zeros(3, 64, 64, dtype=torch.uint8), ((1, 1), (2, 2)), "at least 2 pixels apart"),
        (torch.zeros(3, 64, 64, dtype=torch.uint8), ((1, 1), (math.nan, 2)), "at least 2 pixels apart"),
        (torch.zeros(3, 64, 64, dtype=torch.uint8), ((1, 1), (math.inf, 2)), "at least 2 pixels apart"),
        (torch.zeros(3, 64, 64, dtype=torch.uint8), (1, 9), "An eye is a point"),
        (torch.zeros(3, 64, 64, dtype=torch.uint8), ((1, 1), (9, "x")), "An eye is a point"),
    ],
)
def test_what_cannot_be_aligned_is_one_sentence(image, eyes, says):
    with pytest.raises(GlowliteError, match=says):
        align(image, *eyes)


# ---- folders -----------------------------------------------------------------------------------------


HEAD = "file,left_x,left_y,right_x,right_y\n"


@pytest.fixture
def photos(tmp_path):
    """Three photographs, one of them stored on its side by the camera and in a folder, and their eyes."""
    eyes = (150, 160), (310, 190)
    upright = Image.fromarray(dots((400, 500), *eyes, radius=14).permute(1, 2, 0).numpy())
    (tmp_path / "photos" / "b").mkdir(parents=True)
    upright.save(tmp_path / "photos" / "me.png")
    upright.resize((5000, 4000)).save(tmp_path / "photos" / "me.jpg", quality=95)
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.rotate(90, expand=True).save(tmp_path / "photos" / "b" / "you.jpg", exif=exif, quality=95)
    rows = "me.png,150,160,310,190\nme.jpg,1500,1600,3100,1900\nb/you.jpg,150,160,310,190\n"
    (tmp_path / "eyes.csv").write_text(HEAD + rows)
    return tmp_path / "photos"


def read(file) -> torch.Tensor:
    with Image.open(file) as image:
        return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def test_a_folder_is_aligned_with_a_table_of_eyes(photos, tmp_path):
    report = align_folder(photos, tmp_path / "crops", tmp_path / "eyes.csv")
    assert report == (3, {}, {})
    files = sorted(file.relative_to(tmp_path / "crops").as_posix() for file in (tmp_path / "crops").rglob("*.png"))
    assert files == ["b/you.png", "me.png", "me.png.png"]
    for file in files:
        for found, place in zip(centres(read(tmp_path / "crops" / file)), EYES, strict=True):
            assert abs(found - place) < 0.3, file


def test_what_is_poor_or_failed_is_said(photos, tmp_path):
    (photos / "broken.png").write_bytes((photos / "me.png").read_bytes()[:500])
    (tmp_path / "eyes.csv").write_text(
        HEAD + "me.png,10,160,310,190\nme.jpg,,,,\nb/you.jpg,60,60,70,60\nbroken.png,1,1,9,9\n"
    )
    report = align_folder(photos, tmp_path / "crops", tmp_path / "eyes.csv")
    assert report.written == 2 and set(report.failed) == {"broken.png", "me.jpg"}
    assert "damaged" in report.failed["broken.png"] and "not in the table" in report.failed["me.jpg"]
    assert "beyond the picture's edges" in report.remarks["me.png"]
    assert report.remarks["b/you.jpg"] == "the face is small and was enlarged 3.0 times."


def test_mistakes_with_folders_and_tables(photos, tmp_path):
    with pytest.raises(GlowliteError, match="crops lies in .*photos"):
        align_folder(photos, photos / "crops", tmp_path / "eyes.csv")
    (tmp_path / "eyes.csv").write_text("file,left_x,left_y,right_x\nme.png,1,2,3\n")
    with pytest.raises(GlowliteError, match="has no column right_y: its head is to be file,left_x,"):
        read_eyes(tmp_path / "eyes.csv", ["me.png"])
    (tmp_path / "eyes.csv").write_text(HEAD + "me.png,,,,\n")
    with pytest.raises(GlowliteError, match="No picture in .* could be aligned. b/you.jpg: its eyes are not in"):
        align_folder(photos, tmp_path / "crops", tmp_path / "eyes.csv")
    with pytest.raises(GlowliteError, match="is not there"):
        align_folder(photos / "none", tmp_path / "crops", tmp_path / "eyes.csv")


# ---- eyes that are found -----------------------------------------------------------------------------


def test_without_opencv_a_sentence_says_what_to_do(photos, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(GlowliteError, match=r"OpenCV is needed: pip install .*\[align\].*--eyes"):
        align_folder(photos, tmp_path / "crops")


class Cascade:
    """Instead of OpenCV's: a face at (30, 20) of side 120, and boxes of eyes in a face of 240 x 240."""

    eyes = [(54, 74, 40, 40), (140, 80, 48, 40), (100, 180, 40, 40)]

    def __init__(self, path):
        self.kind = path

    def detectMultiScale(self, image, *_, **__):
        if "frontalface" not in self.kind:
            assert image.shape == (240, 240)
            return np.array(self.eyes)
        return np.array([(5, 5, 50, 50), (30, 20, 120, 120)]) if image.any() else ()


@pytest.fixture
def opencv(monkeypatch):
    def resize(image, size, fx=1, fy=1, interpolation=None):
        size = size or (round(image.shape[1] * fx), round(image.shape[0] * fy))
        return np.array(Image.fromarray(image).resize(size))

    data = types.SimpleNamespace(haarcascades="")
    stub = types.SimpleNamespace(CascadeClassifier=Cascade, resize=resize, INTER_AREA=0, data=data)
    monkeypatch.setitem(sys.modules, "cv2", stub)
    monkeypatch.setattr("glowlite.data.eyes._cascade", lambda kind: Cascade(kind))


@pytest.mark.parametrize("scale", [1, 4])
def test_eyes_are_found_in_the_largest_face(opencv, scale):
    image = torch.full((3, 600 * scale, 800 * scale), 90, dtype=torch.uint8)
    left, right = find_eyes(image)  # shrunk to 800 x 600, then the face to 240 x 240: each pixel of it is half of one
    assert left == pytest.approx((scale * (30 + 74 / 2), scale * (20 + 94 / 2)))
    assert right == pytest.approx((scale * (30 + 164 / 2), scale * (20 + 100 / 2)))


def test_where_no_face_or_only_one_eye_is_found(opencv, monkeypatch):
    assert find_eyes(torch.zeros(3, 300, 300, dtype=torch.uint8)) is None
    monkeypatch.setattr(Cascade, "eyes", [(54, 74, 40, 40)])
    assert find_eyes(torch.full((1, 300, 300), 90, dtype=torch.uint8)) is None


def test_opencv_finds_the_eyes_of_portraits():
    pytest.importorskip("cv2")
    from glowlite.folders import ASSETS

    files = sorted((ASSETS / "portraits").glob("*.png"))
    errors = []
    for file in files:
        with Image.open(file) as image:
            large = np.pad(np.array(image.convert("RGB").resize((320, 320))), ((160, 160), (160, 160), (0, 0)), "edge")
        found = find_eyes(torch.from_numpy(large).permute(2, 0, 1))
        if found:
            errors += [
                abs(complex(*eye) - (5 * place + 160 * (1 + 1j))) / 5 for eye, place in zip(found, EYES, strict=True)
            ]
    assert len(errors) >= len(files) and np.median(errors) < 2  # at least half of them, in pixels of 64
