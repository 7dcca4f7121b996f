"""CelebA from small files of the published form."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from glowlite.data import datasets
from glowlite.data.pictures import load
from glowlite.errors import GlowliteError

PARTS = {"000001.jpg": 0, "000002.jpg": 2, "000003.jpg": 1, "000004.jpg": 0}


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The three published files; each picture is dark but for the 148 x 148 pixels that are kept."""
    monkeypatch.setenv("GLOWLITE_DATA", str(tmp_path))
    folder = tmp_path / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    for number, name in enumerate(PARTS, 1):
        pixels = np.zeros((218, 178, 3), np.uint8)
        pixels[40:188, 15:163] = 50 * number
        Image.fromarray(pixels).save(folder / "img_align_celeba" / name, quality=95)
    rows = "\n".join(f"{name}  1 {'-1' if i % 2 else ' 1'}" for i, name in enumerate(PARTS))
    (folder / "list_attr_celeba.txt").write_text(f"4\nSmiling Young \n{rows}\n")
    (folder / "list_eval_partition.txt").write_text("".join(f"{name} {part}\n" for name, part in PARTS.items()))
    return folder


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(("name", "size"), [("celeba", 64), ("celeba32", 32)])
def test_pictures_and_attributes_of_both_splits(files, name, size, zipped):
    if zipped:
        with zipfile.ZipFile(files / "img_align_celeba.zip", "w") as archive:
            for file in sorted((files / "img_align_celeba").iterdir()):
                archive.write(file, f"img_align_celeba/{file.name}")
                file.unlink()
        (files / "img_align_celeba").rmdir()
    train, test = load(name).images, load(name, "test").images
    assert train.shape == (2, 3, size, size) and test.shape == (1, 3, size, size)
    for picture, value in ((train[0], 50), (train[1], 200), (test[0], 100)):
        assert (picture[:, 4:-4, 4:-4].float() - value).abs().max() < 3
        assert picture[:, 0].float().mean() > 0.8 * value, "more than the published box"
    assert datasets.load_attributes(name)["Smiling"].tolist() == [1, 1]
    assert datasets.load_attributes(name)["Young"].tolist() == [1, -1]
    assert datasets.load_attributes(name, "test")["Young"].tolist() == [-1]
    with np.load(files.parent / f"{name}.npz") as kept:
        assert kept["train_Young"].dtype == np.int8 and "train_labels" not in kept


def test_what_is_missing_is_said_in_one_sentence(files):
    (files / "list_attr_celeba.txt").unlink()
    with pytest.raises(GlowliteError, match="put them into .*celeba, where list_attr_celeba.txt is missing.$"):
        load("celeba")
    (files / "img_align_celeba").rename(files / "elsewhere")
    with pytest.raises(GlowliteError, match="where img_align_celeba.zip and list_attr_celeba.txt are missing.$"):
        load("celeba")
    assert not (files.parent / "celeba.npz").exists()


@pytest.mark.parametrize("damage", ["picture", "attributes", "partition", "zip"])
def test_a_damaged_file_is_one_sentence(files, damage):
    if damage == "picture":
        (files / "img_align_celeba" / "000002.jpg").unlink()
    elif damage == "attributes":
        (files / "list_attr_celeba.txt").write_text("4\nSmiling Young\n000001.jpg 1 1\n")
    elif damage == "partition":
        (files / "list_eval_partition.txt").write_text("000001.jpg\n")
    else:
        (files / "img_align_celeba").rename(files / "elsewhere")
        (files / "img_align_celeba.zip").write_bytes(b"PK no zip")
    with pytest.raises(GlowliteError, match="A file in .*celeba is damaged or incomplete .*: fetch it again.$"):
        load("celeba")
