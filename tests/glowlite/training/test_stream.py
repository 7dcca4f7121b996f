"""Batches: a function of seed and step alone, and never a picture that is held out."""

import numpy as np
import pytest
import torch
from PIL import Image

from glowlite.data import faces, pictures
from glowlite.errors import GlowliteError
from glowlite.pixels import dequantize
from glowlite.training.stream import (
    TRAINING_SEEDS,
    FaceStream,
    PictureStream,
    compare_pictures,
    flip_half,
    full_name,
    open_stream,
    short_name,
)
from glowlite.training.stream import test_pictures as held_out


def test_batches_of_faces_depend_on_seed_and_step_alone():
    stream, same = FaceStream(16, 4, seed=0), FaceStream(16, 4, seed=0)
    stream.batch(0)
    assert torch.equal(stream.batch(7), same.batch(7))
    assert not any(torch.equal(stream.batch(7), other) for other in (FaceStream(16, 4, seed=1).batch(7), same.batch(8)))


def test_no_step_shows_the_faces_of_another(monkeypatch):
    seeds = []
    monkeypatch.setattr(faces, "draw", lambda *_, seed, **__: seeds.append(seed) or faces.Faces(None, {}))
    stream = FaceStream(16, 4, seed=9)
    for step in range(100):
        stream.batch(step)
    assert len(set(seeds)) == 100


def test_held_out_faces_come_from_seeds_that_no_training_uses(monkeypatch):
    seeds = []
    monkeypatch.setattr(faces, "draw", lambda *_, seed, **__: seeds.append(seed) or faces.Faces(None, {}))
    for seed in (0, 1, 12345, 2**40):
        stream = FaceStream(16, 4, seed)
        stream.first(4)
        for step in (0, 1, 10**6, 10**9):
            stream.batch(step)
    assert all(TRAINING_SEEDS <= seed < 2**32 for seed in seeds), "32 bits are all that a CPU generator looks at"
    seeds.clear()
    FaceStream(16, 4, seed=0).held_out(4)
    assert all(0 <= seed < TRAINING_SEEDS for seed in seeds)


def numbered(count: int) -> torch.Tensor:
    """Pictures 1 x 2 x 2 whose pixels all are the picture's number."""
    return torch.arange(count, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 2, 2).contiguous()


def values(images: torch.Tensor) -> set[int]:
    return set(images[:, 0, 0, 0].tolist())


def test_every_epoch_shows_each_training_picture_once_and_no_held_out_one():
    stream = PictureStream(numbered(30), batch=9, seed=0)
    kept_back = values(stream.held_out(100))
    assert 0 < len(kept_back) < 9
    seen = torch.cat([stream.batch(step) for step in range(6)])[:, 0, 0, 0].tolist()
    epoch = 30 - len(kept_back)
    first, second = seen[:epoch], seen[epoch:][:epoch]
    assert set(first) == set(seen) == set(range(30)) - kept_back and len(set(first)) == epoch
    assert first[: len(second)] != second
    assert values(PictureStream(numbered(30), 9, seed=1).held_out(100)) == kept_back


@pytest.mark.parametrize("count", [2, 3, 5, 40])
def test_more_pictures_never_move_one_from_one_side_to_the_other(count):
    """Whatever their number and order, for a run that goes on: its limit is kept."""
    start = PictureStream(numbered(count), batch=4, seed=0)
    kept_back = values(start.held_out(100))
    assert 0 < len(kept_back) < count
    more = numbered(256)[torch.randperm(256)]
    grown = PictureStream(more, batch=4, seed=0, limit=start.limit)
    assert values(grown.held_out(256)) & set(range(count)) == kept_back
    assert values(grown.held_out(256)) | values(more[grown.training]) == set(range(256))


def test_a_tenth_of_many_pictures_is_kept_back():
    images = torch.randint(0, 256, (3000, 1, 3, 3), dtype=torch.uint8)
    assert 240 < len(PictureStream(images, 4, seed=0).held_out(3000)) < 360


def test_equal_pictures_are_left_out_and_batches_do_not_depend_on_their_order():
    twice = torch.cat([numbered(30), numbered(30)])
    stream, same = PictureStream(numbered(30), batch=8, seed=0), PictureStream(twice.flip(0), batch=8, seed=0)
    assert len(same.training) + len(same.validation) == 30
    for step in range(8):
        assert torch.equal(stream.batch(step), same.batch(step))
    assert torch.equal(stream.held_out(9), same.held_out(9))


def test_a_run_without_pictures_on_one_side_is_refused():
    stream = PictureStream(numbered(30), 8, 0)
    for gone, side in ((stream.validation, "training"), (stream.training, "validation")):
        left = [number for number in range(30) if number not in gone.tolist()]
        with pytest.raises(GlowliteError, match=f"All {len(left)} pictures that are left are for {side}"):
            PictureStream(numbered(30)[left], 8, 0, limit=stream.limit)


def test_pictures_that_have_changed_since_are_counted(capsys):
    then = PictureStream(numbered(30), 8, 0).digests
    compare_pictures("new/place", then, "old/place", then)
    assert capsys.readouterr().err == ""
    now = PictureStream(numbered(40)[1:], 8, 0).digests
    compare_pictures("place", now, "place", then)
    assert "place has changed since this run was saved: 10 pictures are new, 1 are gone." in capsys.readouterr().err
    with pytest.raises(GlowliteError, match="new/place lacks 1 of the 30 pictures that this run .* in old/place"):
        compare_pictures("new/place", now, "old/place", then)


@pytest.mark.parametrize("world", [2, 4])
def test_several_processes_see_together_what_one_would_see(world):
    alone = PictureStream(numbered(30), 8, seed=0), FaceStream(16, 8, seed=0)
    for rank in range(world):
        own = slice(rank * 8 // world, (rank + 1) * 8 // world)
        part = (
            PictureStream(numbered(30), 8 // world, seed=0, rank=rank, world=world),
            FaceStream(16, 8 // world, seed=0, rank=rank, world=world),
        )
        for step in range(5):
            for whole, stream in zip(alone, part, strict=True):
                assert torch.equal(stream.batch(step), whole.batch(step)[own])


def test_several_processes_turn_and_blur_the_pictures_as_one_would():
    images, seed = FaceStream(16, 12, seed=0).batch(0), torch.Generator
    flipped, noisy = flip_half(images, seed().manual_seed(1)), dequantize(images, 8, seed().manual_seed(1))
    for rank, part in enumerate(images.chunk(3)):
        own = slice(4 * rank, 4 * rank + 4)
        assert torch.equal(flip_half(part, seed().manual_seed(1), rank, 3), flipped[own])
        assert torch.equal(dequantize(part, 8, seed().manual_seed(1), rank, 3), noisy[own])


def test_data_that_cannot_fit_the_model_is_refused():
    with pytest.raises(GlowliteError, match="square and in colour"):
        open_stream("faces", (1, 28, 28), 8, 0)
    with pytest.raises(GlowliteError, match="at least 2 different pictures"):
        PictureStream(numbered(1).expand(5, -1, -1, -1), 8, 0)


def test_a_folder_and_a_data_set_are_read_in_the_models_shape(tmp_path, monkeypatch):
    monkeypatch.setenv("GLOWLITE_DATA", str(tmp_path / "cache"))
    tmp_path = tmp_path / "pictures"
    tmp_path.mkdir()
    for number, picture in enumerate(faces.draw(12, size=32, seed=0).images):
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(tmp_path / f"{number:02}.png")
    stream = open_stream(str(tmp_path), (3, 16, 16), batch=4, seed=0)
    assert stream.batch(0).shape == (4, 3, 16, 16)
    assert stream.held_out(100).shape[1:] == (3, 16, 16)
    assert open_stream(str(tmp_path), (1, 28, 28), 4, 0).batch(0).shape == (4, 1, 28, 28)
    for shape in ((3, 16, 32), (2, 16, 16)):
        with pytest.raises(GlowliteError, match="squares, in colour or grey"):
            open_stream(str(tmp_path), shape, 4, 0)

    splits = {"train": numbered(30), "test": numbered(5)}
    monkeypatch.setattr(pictures, "load", lambda name, split: pictures.Pictures(splits[split], None))
    assert open_stream("mnist", (1, 2, 2), 4, 0).images is splits["train"]
    assert torch.equal(held_out("mnist", (1, 2, 2), 3), splits["test"][:3])
    with pytest.raises(GlowliteError, match="choose a preset of the same shape"):
        open_stream("mnist", (3, 16, 16), 4, 0)


@pytest.mark.parametrize("name", ["faces", "mnist", "celeba", "mine"])
def test_a_name_is_a_data_set_even_beside_a_folder_of_that_name(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GLOWLITE_DATA", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cache").mkdir()
    np.savez(tmp_path / "cache" / "mine.npz", train_images=np.zeros((3, 16, 16, 3), np.uint8))
    assert full_name(name) == short_name(name) == name
    for folder in (f"./{name}", f"{name}/", str(tmp_path / name)):
        assert full_name(folder) == str(tmp_path / name) and short_name(folder) == f"{name}/"
    (tmp_path / name).mkdir()
    assert full_name(name) == name
    assert full_name("cache") == str(tmp_path / "cache"), "any other folder needs no ./"
    monkeypatch.setattr(pictures, "load", lambda name, split: pictures.Pictures(faces.draw(9, 16, 0).images, None))
    for read in (lambda: open_stream(name, (3, 16, 16), 4, 0), lambda: held_out(name, (3, 16, 16), 2)):
        read()
        assert capsys.readouterr().err == f"{name} is read as the data set of that name; for the folder say ./{name}\n"


def test_a_folder_that_is_not_there_any_more(tmp_path):
    with pytest.raises(GlowliteError, match="gone is not there: name a folder .* in its present place"):
        open_stream(str(tmp_path / "gone"), (3, 16, 16), 4, 0)


def test_a_folder_of_grey_pictures_trains_the_grey_preset(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (6, 40, 30), dtype=np.uint8)
    for i, picture in enumerate(noise):
        stored = picture if i % 2 else picture.astype(np.uint16) * 16  # 8 bits, and 12 of 16
        Image.fromarray(stored).save(tmp_path / f"{i}.png")
    stream = open_stream(str(tmp_path), (1, 28, 28), batch=4, seed=0)
    assert stream.batch(0).shape == (4, 1, 28, 28) and stream.batch(0).float().std() > 20
