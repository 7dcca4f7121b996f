"""The models' files for pages: made when asked for, kept until something changes."""

import os
import subprocess
import sys
import threading

import pytest
import torch

from glowlab.serving.weights import Weights
from glowlite import Glow, GlowConfig, checkpoint
from glowlite.errors import GlowliteError


@pytest.fixture
def tiny(tmp_path) -> str:
    """A model of one's own, with no directions."""
    model = Glow(GlowConfig((3, 8, 8), levels=2, depth=1, width=4))
    model.initialize(torch.rand(16, 3, 8, 8) - 0.5)
    return str(checkpoint.save(tmp_path / "tiny.safetensors", model.eval(), {}))


@pytest.fixture
def counted(monkeypatch) -> list[str]:
    """The models that are exported, by an export that only writes a file."""
    seen = []

    def export(self, name, folder):
        seen.append(name)
        folder.mkdir(parents=True)
        (folder / f"{name}.bin").write_bytes(b"weights")

    monkeypatch.setattr(Weights, "export", export)
    return seen


def test_a_file_is_made_once_and_again_when_its_model_has_changed(tiny, tmp_path, counted):
    weights = Weights([tiny, "faces64"], tmp_path / "cache")
    assert list(weights.models) == ["tiny", "faces64"]
    first = weights.find("tiny")
    assert first.name == "tiny.bin" and weights.find("tiny") == first and counted == ["tiny"]
    assert Weights([tiny], tmp_path / "cache").find("tiny") == first and counted == ["tiny"]  # another server
    weights.find("faces64")
    os.utime(tiny, ns=(1, 1))
    again = weights.find("tiny")
    assert again != first and again.is_file() and not first.exists() and counted == ["tiny", "faces64", "tiny"]
    (tmp_path / "tiny.directions.safetensors").write_bytes(b"")
    assert weights.find("tiny") != again
    assert weights.find("faces64").is_file()  # another model's file stays


def test_visitors_at_once_wait_for_one_export(tiny, tmp_path, counted):
    weights = Weights([tiny], tmp_path / "cache")
    visitors = [threading.Thread(target=weights.find, args=["tiny"]) for _ in range(8)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert counted == ["tiny"]


def test_other_names_open_no_file(tiny, tmp_path):
    weights = Weights([tiny], tmp_path / "cache")
    for name in ("faces64", "../tiny", tiny, ""):
        with pytest.raises(GlowliteError, match="no model"):
            weights.find(name)


@pytest.mark.slow
def test_the_file_is_what_the_command_writes_and_a_model_that_cannot_be_shown_is_one_sentence(tiny, tmp_path):
    file = Weights([tiny], tmp_path / "cache").find("tiny")
    command = [sys.executable, "-m", "glowlite", "export-web", tiny, "--out", str(tmp_path / "out")]
    subprocess.run(command, check=True, capture_output=True)
    assert file.read_bytes() == (tmp_path / "out" / "tiny.bin").read_bytes()
    assert [other.name for other in file.parent.iterdir()] == ["tiny.bin"]
    model = Glow(GlowConfig((3, 8, 8), levels=2, depth=1, width=4, edge=True))
    model.initialize(torch.rand(16, 3, 8, 8) - 0.5)
    edged = str(checkpoint.save(tmp_path / "edged.safetensors", model.eval(), {}))
    with pytest.raises(GlowliteError, match="^a page cannot show this model: it does not know the extra channel"):
        Weights([edged], tmp_path / "cache").find("edged")
