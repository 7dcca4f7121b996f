"""Labelled pictures: which columns are attributes, what is left out, and that no test picture is a training one."""

import numpy as np
import pytest
import torch
from PIL import Image

from glowlite.data import faces, labelled
from glowlite.errors import GlowliteError

SHAPE = (3, 16, 16)
NAMES = "smile mouth_open eyes_open brows head_turn head_nod age face_width light_side brightness colour".split()


@pytest.fixture
def put(tmp_path, monkeypatch):
    """A function that writes NAME.npz, with 60 pictures whose first pixel is their number, where data sets are."""
    monkeypatch.setenv("GLOWLITE_DATA", str(tmp_path))

    def write(name, **columns):
        images = np.zeros((60, 16, 16, 3), np.uint8)
        images[:, 0, 0] = np.arange(60)[:, None]
        np.savez(tmp_path / f"{name}.npz", train_images=images, test_images=images[:40], **columns)

    return write


def number(pictures) -> torch.Tensor:
    return pictures.images[:, 0, 0, 0].long()


def test_columns_of_a_data_set_are_standardised_and_stay_with_their_pictures(put):
    size = np.arange(60.0) ** 2
    put("mine", train_size=size, train_hat=np.arange(60) % 2, train_male=np.arange(60) % 3, train_labels=np.arange(60))
    read = labelled.read("mine", SHAPE)
    assert set(read.attributes) == {"size", "hat"}, "labels and sex are none"
    for values in read.attributes.values():
        assert (values.mean().item(), values.std(correction=0).item()) == pytest.approx((0, 1), abs=1e-5)
    wanted = (size - size.mean()) / size.std()
    assert torch.allclose(read.attributes["size"].double(), torch.from_numpy(wanted)[number(read)], atol=1e-5)
    assert not torch.equal(number(read), number(read).sort()[0]), "in another order than that of the file"
    assert torch.equal(number(labelled.read("mine", SHAPE, count=25)), number(read)[:25])
    assert read.mirrored is None


def test_a_picture_without_a_value_is_left_out(put):
    size = np.arange(60.0)
    size[[3, 50]] = np.nan
    put("mine", train_size=size)
    assert sorted(number(labelled.read("mine", SHAPE)).tolist()) == [i for i in range(60) if i not in (3, 50)]


def test_the_smile_of_fairface64_is_measured_and_scored_and_nothing_is_made_of_sex(put):
    rng = np.random.default_rng(0)
    columns = {f"train_{name}": rng.normal(size=60) for name in [*NAMES, "smile_score", "frontality", "male", "race"]}
    put("fairface64", **columns)
    read = labelled.read("fairface64", SHAPE)
    assert list(read.attributes) == NAMES
    measured, score = (columns[f"train_{name}"] for name in ("smile", "smile_score"))
    both = (measured - measured.mean()) / measured.std() + (score - score.mean()) / score.std()
    assert np.allclose(read.attributes["smile"], ((both - both.mean()) / both.std())[number(read)], atol=1e-5)
    assert set(read.mirrored) == {"head_turn", "light_side"}


def test_parts_of_labelled_pictures_share_none(put):
    put("mine", train_size=np.arange(60.0))
    read = labelled.read("mine", SHAPE)
    a, b = read.part(slice(0, None, 2)), read.part(slice(1, None, 2))
    assert sorted([*number(a).tolist(), *number(b).tolist()]) == list(range(60))
    assert torch.equal(a.attributes["size"], read.attributes["size"][::2])


def test_drawn_faces_for_tests_are_others_than_those_to_learn_from():
    read, test = (labelled.read("faces", SHAPE, split, count=30) for split in ("train", "test"))
    assert list(read.attributes) == list(faces.ATTRIBUTES)
    assert torch.equal(read.images, labelled.draw_faces(30, 16, seed=1).images)
    assert not (read.images[:, None] == test.images).flatten(2).all(2).any()


def test_of_drawn_faces_with_labels_half_have_a_beard_of_any_size():
    for name, absent in faces.ABSENT.items():
        shown = labelled.draw_faces(800, 16, seed=1).attributes[name]
        assert 0.43 < (shown == -1).float().mean() < 0.57
        assert torch.histc(shown[shown > -1], 4, -1, 1).min() > 70
        assert (faces.draw(400, 16, seed=1).attributes[name] == -1).float().mean() > absent - 0.1


def test_a_folder_has_its_attributes_from_a_table(tmp_path, monkeypatch):
    monkeypatch.setenv("GLOWLITE_DATA", str(tmp_path / "cache"))
    folder = tmp_path / "pictures"
    folder.mkdir()
    lines = ["file,beard"]
    for i, picture in enumerate(faces.draw(50, 16, seed=2).images):
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(folder / f"{i}.png")
        lines.append(f"{i}.png,{i if i != 7 else ''}")
    table = tmp_path / "table.csv"
    table.write_text("\n".join(lines))
    train, test = (labelled.read(str(folder), SHAPE, split, csv=str(table)) for split in ("train", "test"))
    assert (len(train.images), len(test.images)) == (44, 5)
    assert not (train.images[:, None] == test.images).flatten(2).all(2).any()
    with pytest.raises(GlowliteError, match="give a table of them with --csv"):
        labelled.read(str(folder), SHAPE)


def test_a_data_set_that_lacks_a_column_lacks_its_attribute(put):
    put("fairface64", train_age=np.arange(60), train_smile=np.arange(60))  # and no smile_score
    assert list(labelled.read("fairface64", SHAPE).attributes) == ["age"]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({}, "There are no attributes in mine"),
        ({"male": np.arange(60)}, "There are no attributes in mine"),
        ({"size": np.ones(60)}, "size is the same for all pictures"),
        ({"size": np.where(np.arange(60) < 58, np.nan, 1.0)}, "Only 2 pictures of mine have all 1 attributes"),
    ],
)
def test_data_that_give_no_directions_are_refused(put, columns, says):
    put("mine", **{f"train_{name}": values for name, values in columns.items()})
    with pytest.raises(GlowliteError, match=says):
        labelled.read("mine", SHAPE)


def test_pictures_of_another_size_are_refused(put):
    put("mine", train_size=np.arange(60.0))
    with pytest.raises(GlowliteError, match="the model takes"):
        labelled.read("mine", (3, 32, 32))
