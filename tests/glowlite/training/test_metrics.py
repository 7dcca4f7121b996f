"""The file of metrics, and the machine and versions of a run."""

import pytest
import torch

from glowlite.training import metrics


def test_a_line_cut_short_is_left_out_and_later_lines_are_dropped(tmp_path):
    path = tmp_path / "metrics.jsonl"
    file = metrics.MetricsFile(path)
    for images in (8, 16, 24):
        file.write(images=images, bpd=1.0)
    path.write_text(path.read_text() + '{"images": 32, "bp')  # as a power cut leaves it
    assert [line["images"] for line in metrics.read_metrics(path)] == [8, 16, 24]
    metrics.MetricsFile(path, images=16).write(images=24, bpd=2.0)
    lines = [(line["images"], line["bpd"]) for line in metrics.read_metrics(path)]
    assert lines == [(8, 1.0), (16, 1.0), (24, 2.0)]
    assert metrics.MetricsFile(path).path.read_text() == "", "a new run begins with no lines"
    assert metrics.read_metrics(tmp_path / "none") == []


@pytest.mark.parametrize("damage", [b"\xff\xfe\x00", b"5", b"{}", b'{"images": "8"}', b"[" * 100_000, b"{'images': 8}"])
def test_a_damaged_line_is_left_out_and_those_around_it_are_kept(tmp_path, damage):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"images": 8}\n' + damage + b'\n{"images": 16}\n')
    metrics.MetricsFile(path, images=16).write(images=24)
    assert [line["images"] for line in metrics.read_metrics(path)] == [8, 16, 24]


def test_lines_that_find_no_room_are_written_with_the_next(tmp_path, monkeypatch):
    path = tmp_path / "metrics.jsonl"
    file = metrics.MetricsFile(path)
    file.write(images=8)

    def open_full(self, mode):
        with open(path, mode) as opened:
            opened.write('{"imag')  # all that there was room for
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(type(path), "open", open_full)
        file.write(images=16)
        file.write(images=24)
    file.write(images=32)
    assert [line["images"] for line in metrics.read_metrics(path)] == [8, 16, 24, 32]


def test_the_machine_and_the_versions_are_named():
    machine = metrics.machine()
    assert machine["device"]
    assert 1 <= machine["cores"]
    assert metrics.versions()["torch"] == torch.__version__
    assert metrics.versions()["python"].startswith("3.")
