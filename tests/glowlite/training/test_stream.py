"""Batches: a function of seed and step alone, and never a picture that is held out."""

import pytest
import torch
from PIL import Image

from glowlite.data import faces, pictures
from glowlite.errors import GlowliteError
from glowlite.training.stream import TRAINING_SEEDS, FaceStream, PictureStream, open_stream
from glowlite.training.stream import test_pictures as held_out


def test_batches_of_faces_depend_on_seed_step_and_rank_alone():
    stream, same = FaceStream(16, 4, seed=0), FaceStream(16, 4, seed=0)
    stream.batch(0)
    assert torch.equal(stream.batch(7), same.batch(7))
    others = [
        FaceStream(16, 4, seed=1).batch(7),
        same.batch(8),
        FaceStream(16, 4, 0, rank=1, world=2).batch(7),
    ]
    assert not any(torch.equal(stream.batch(7), other) for other in others)


def test_two_processes_share_out_the_steps_between_them(monkeypatch):
    seeds = []
    monkeypatch.setattr(faces, "draw", lambda *_, seed, **__: seeds.append(seed) or faces.Faces(None, {}))
    for rank in (0, 1):
        stream = FaceStream(16, 4, seed=9, rank=rank, world=2)
        for step in range(50):
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


def test_every_epoch_shows_each_training_picture_once_and_no_held_out_one():
    stream = PictureStream(numbered(30), batch=9, seed=0)
    kept_back = set(stream.held_out(100)[:, 0, 0, 0].tolist())
    assert len(kept_back) == 3
    seen = torch.cat([stream.batch(step) for step in range(6)])[:, 0, 0, 0].tolist()
    first, second = seen[:27], seen[27:54]
    assert set(first) == set(second) == set(range(30)) - kept_back
    assert first != second
    assert set(PictureStream(numbered(30), 9, seed=1).held_out(100)[:, 0, 0, 0].tolist()) == kept_back


def test_two_processes_see_together_what_one_would_see():
    alone = PictureStream(numbered(30), batch=8, seed=0)
    pair = [PictureStream(numbered(30), batch=4, seed=0, rank=rank, world=2) for rank in (0, 1)]
    for step in range(8):
        assert torch.equal(torch.cat([stream.batch(step) for stream in pair]), alone.batch(step))


def test_data_that_cannot_fit_the_model_is_refused():
    with pytest.raises(GlowliteError, match="square and in colour"):
        open_stream("faces", (1, 28, 28), 8, 0)
    with pytest.raises(GlowliteError, match="at least 2 pictures"):
        PictureStream(numbered(1), 8, 0)


def test_a_folder_and_a_data_set_are_read_in_the_models_shape(tmp_path, monkeypatch):
    for number, picture in enumerate(faces.draw(12, size=32, seed=0).images):
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(tmp_path / f"{number:02}.png")
    stream = open_stream(str(tmp_path), (3, 16, 16), batch=4, seed=0)
    assert stream.batch(0).shape == (4, 3, 16, 16)
    assert stream.held_out(100).shape == (1, 3, 16, 16)
    with pytest.raises(GlowliteError, match="square and in colour"):
        open_stream(str(tmp_path), (1, 28, 28), 4, 0)

    splits = {"train": numbered(30), "test": numbered(5)}
    monkeypatch.setattr(pictures, "load", lambda name, split: pictures.Pictures(splits[split], None))
    assert open_stream("mnist", (1, 2, 2), 4, 0).images is splits["train"]
    assert torch.equal(held_out("mnist", (1, 2, 2), 3), splits["test"][:3])
    with pytest.raises(GlowliteError, match="choose a preset of the same shape"):
        open_stream("mnist", (3, 16, 16), 4, 0)
