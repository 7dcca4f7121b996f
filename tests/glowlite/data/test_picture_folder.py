"""Folders of pictures: which files are read, what is said about the others, and that nothing is read twice."""

import os

import numpy as np
import pytest
import torch
from PIL import Image

from glowlite.data import picture_folder
from glowlite.errors import GlowliteError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GLOWLITE_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache" / "folders"


def save(path, value=None, size=(50, 40), **options):
    """A picture file, of one value or of noise of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(list(str(path).encode())).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    image = Image.fromarray(noise) if value is None else Image.new("RGB", size, (value,) * 3)
    image.save(path, **options)


@pytest.fixture
def album(tmp_path):
    folder = tmp_path / "album"
    for name, value in (("b/2.jpg", 80), ("a.png", 10), ("b/1.JPG", 40)):
        save(folder / name, value)
    return folder


def test_a_folder_is_read_in_the_order_of_its_paths(album):
    images, names = picture_folder.read(album, 32)
    assert images.shape == (3, 3, 32, 32) and images.dtype == torch.uint8
    assert names == ["a.png", "b/1.JPG", "b/2.jpg"]
    assert images[:, 0, 5, 5].tolist() == [10, 40, 80]
    assert torch.equal(picture_folder.read(str(album), 32).images, images)


def test_grey_pictures_and_colour_ones_are_read_as_either(album):
    Image.new("L", (40, 40), 90).save(album / "c.png")
    assert picture_folder.read(album, 28, channels=1).images[:, :, 5, 5].tolist() == [[10], [40], [80], [90]]
    assert picture_folder.read(album, 28, channels=3).images.shape == (4, 3, 28, 28)


def test_one_line_says_what_was_passed_over_and_why(album, capsys):
    for number in range(3):
        (album / "b" / f"{number}.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    (album / "renamed.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(64))
    save(album / "whole.png")
    (album / "broken.png").write_bytes((album / "whole.png").read_bytes()[:900])
    (album / "empty.gif").write_bytes(b"")
    save(album / "copy of whole.png", size=(8, 8))
    (album / "same.png").write_bytes((album / "whole.png").read_bytes())
    (album / "notes.txt").write_text("none of them")
    save(album / "@eaDir" / "a.png" / "SYNOPHOTO_THUMB_M.jpg")
    save(album / "Thumbnails" / "a.png")
    save(album / ".trash" / "gone.png")
    (album / "._a.png").write_bytes(b"a note of a Mac")
    (album / "nowhere.png").symlink_to(album / "not there.png")
    _, names = picture_folder.read(album, 32)
    assert names == ["a.png", "b/1.JPG", "b/2.jpg", "same.png"]
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and told.startswith(f"{album}: 4 pictures; passed over: 4 x HEIC (export them as")
    for kind in ("1 x damaged", "1 x empty", "1 x too small", "1 x duplicate", "1 x .txt file", "1 x link to nothing"):
        assert kind in told
    assert "3 x folder of thumbnails or hidden" in told
    picture_folder.read(album, 32)
    assert capsys.readouterr().err == told, "the second time, from what was kept"


def test_class_folders_that_are_links_are_followed_and_circles_are_not(album, tmp_path, capsys):
    save(tmp_path / "elsewhere" / "far.png", 120)
    (album / "cats").symlink_to(tmp_path / "elsewhere")
    (album / "b" / "up").symlink_to(album)
    (tmp_path / "elsewhere" / "round").symlink_to(tmp_path / "elsewhere")
    (album / "again").symlink_to(album / "b")
    assert picture_folder.read(album).names == ["a.png", "b/1.JPG", "b/2.jpg", "cats/far.png"]
    assert "3 x folder linked twice" in capsys.readouterr().err


def test_what_was_read_is_kept_and_only_changes_are_read(album, cache, monkeypatch):
    before = picture_folder.read(album, 16).images
    read, calls = picture_folder.read_square, []
    monkeypatch.setattr(picture_folder, "read_square", lambda file, *a: calls.append(file.name) or read(file, *a))
    assert torch.equal(picture_folder.read(album, 16).images, before) and calls == []
    save(album / "a.png", 200)
    os.utime(album / "a.png", (1, 1))
    save(album / "new.png", 220)
    images = picture_folder.read(album, 16).images
    assert images[:, 0, 0, 0].tolist() == [200, 40, 80, 220] and sorted(calls) == ["a.png", "new.png"]
    (album / "new.png").unlink()
    assert len(picture_folder.read(album, 16).images) == 3
    calls.clear()
    assert picture_folder.read(album, 32).images.shape == (3, 3, 32, 32) and len(calls) == 3
    assert picture_folder.read(album, 16, 1).images.shape == (3, 1, 16, 16)
    assert len(list(cache.iterdir())) == 3


def test_a_damaged_cache_is_made_again_and_a_missing_one_is_no_error(album, cache, monkeypatch):
    images = picture_folder.read(album, 16).images
    (kept,) = cache.iterdir()
    for damage in (b"", kept.read_bytes()[:300], b"PK" + bytes(100)):
        kept.write_bytes(damage)
        assert torch.equal(picture_folder.read(album, 16).images, images)
        assert len(kept.read_bytes()) > 1000
    monkeypatch.setenv("GLOWLITE_DATA", str(album / "a.png"))  # a file, so no folder can be made there
    assert torch.equal(picture_folder.read(album, 16).images, images)


def test_folders_without_pictures(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "x.png").write_bytes(b"")
    for path, reason in (
        (empty, "holds no pictures .it is empty."),
        (tmp_path / "nowhere", "is not there"),
        (tmp_path / "x.png", "is a file, not a folder"),
    ):
        with pytest.raises(GlowliteError, match=reason):
            picture_folder.read(path)
    (empty / "a.heic").write_bytes(b"")
    with pytest.raises(GlowliteError, match=r"holds no pictures \(1 x HEIC \(export them as JPEG\)\)"):
        picture_folder.read(empty)
    (empty / "x.png").write_bytes(b"")
    with pytest.raises(GlowliteError, match="No picture in .* can be read: 1 x HEIC .*, 1 x empty"):
        picture_folder.read(empty)
