"""Three sets of pictures that never meet: to train on, to choose by (validation), to report on (test)."""

import torch

from glowlite.data import faces, pictures
from glowlite.training.stream import FaceStream, open_stream
from glowlite.training.stream import test_pictures as to_report_on


def test_validation_faces_are_not_the_ones_to_report_on(monkeypatch):
    seeds = []
    monkeypatch.setattr(faces, "draw", lambda *_, seed, **__: seeds.append(seed) or faces.Faces(None, {}))
    stream = FaceStream(16, 4, seed=0)
    stream.first(4)
    stream.batch(0)
    stream.held_out(4)
    to_report_on("faces", (3, 16, 16), 4)
    assert len(set(seeds)) == 4


def test_validation_pictures_of_a_data_set_are_not_of_its_test_split(monkeypatch):
    numbers = torch.arange(20, dtype=torch.uint8).view(20, 1, 1, 1).expand(20, 1, 2, 2)
    splits = {"train": numbers, "test": numbers + 20}
    monkeypatch.setattr(pictures, "load", lambda name, split: pictures.Pictures(splits[split], None))
    stream = open_stream("mnist", (1, 2, 2), 4, 0)
    for shown in (stream.first(4), stream.batch(0), stream.held_out(4)):
        assert shown.max() < 20
    assert to_report_on("mnist", (1, 2, 2), 4).min() >= 20
