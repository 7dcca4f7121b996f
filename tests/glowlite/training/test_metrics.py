"""The file of metrics, and the machine and versions of a run."""

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


def test_the_machine_and_the_versions_are_named():
    machine = metrics.machine()
    assert machine["device"]
    assert 1 <= machine["cores"]
    assert metrics.versions()["torch"] == torch.__version__
    assert metrics.versions()["python"].startswith("3.")
