"""The state of a run on disk: whole, or refused in a sentence; never mapped; with all that its optimizer needs."""

import os
import random
from pathlib import Path

import pytest
import torch

from glowlite import checkpoint
from glowlite.errors import GlowliteError
from glowlite.glow import PRESETS
from glowlite.training.config import STATE, TrainConfig, continued, read_run
from glowlite.training.loop import train
from tests.glowlite.test_checkpoint import damage


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a short run for each optimizer."""
    folder = tmp_path_factory.mktemp("runs")
    for optimizer in ("muon", "adamw", "adamax"):
        config = TrainConfig(
            PRESETS["tiny"], str(folder / optimizer), images=16, batch=8, init_batch=16, validation_count=8,
            accelerator="cpu", optimizer=optimizer,
        )  # fmt: skip
        train(config, progress=False)
    return folder


def refusal(out) -> str:
    with pytest.raises(GlowliteError) as caught:
        read_run(out)
    assert "\n" not in str(caught.value) and STATE in str(caught.value)
    return str(caught.value)


def test_every_damage_of_a_state_is_refused_in_a_sentence(run, tmp_path):
    whole, dice = (run / "muon" / STATE).read_bytes(), random.Random(0)
    header = int.from_bytes(whole[:8], "little") + 8
    for trial in range(200):
        part = header if trial % 4 == 0 else len(whole)
        content = damage(whole[:part], dice) + whole[part:]
        if content != whole:
            (tmp_path / STATE).write_bytes(content)
            assert "damaged" in (text := refusal(tmp_path)) or "was not written by glowlite" in text


@pytest.mark.parametrize("optimizer", ["muon", "adamw", "adamax"])
def test_a_state_without_a_part_of_its_optimizer_or_weights_is_refused(run, tmp_path, optimizer):
    tensors, meta = read_run(run / optimizer)
    names = sorted(name for name in tensors if name.startswith("optimizer."))
    dice = random.Random(0)

    def says(kept) -> str:
        checkpoint.write_state(tmp_path / STATE, kept, meta)
        return refusal(tmp_path)

    assert "lacks the optimizer's memory" in says({k: v for k, v in tensors.items() if k not in names})
    for name in dice.sample(names, 5):
        assert "lacks the optimizer's memory" in says({k: v for k, v in tensors.items() if k != name})
    large = next(name for name in names if tensors[name].dim() == 4)
    assert "lacks the optimizer's memory" in says({**tensors, large: tensors[large][:1]})
    for prefix in ("model.", "average."):
        name = dice.choice([name for name in tensors if name.startswith(prefix) and "initialized" not in name])
        assert "do not fit" in says({k: v for k, v in tensors.items() if k != name})
        assert "do not fit" in says({**tensors, name: torch.zeros(3, 3, 3)})


@pytest.mark.parametrize(
    "changes", [{"train": None}, {"train": {}}, {"train": 7}, {"train": {"model": {"levels": 10**9}}}]
)
def test_a_state_whose_settings_cannot_be_is_refused(run, tmp_path, changes):
    tensors, meta = read_run(run / "muon")
    checkpoint.write_state(tmp_path / STATE, tensors, meta | changes)
    assert "cannot be used" in refusal(tmp_path)
    wide = meta["train"] | {"model": meta["train"]["model"] | {"width": 40_000}}
    checkpoint.write_state(tmp_path / STATE, tensors, meta | {"train": wide})
    assert "do not fit" in refusal(tmp_path)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="this system does not tell what is mapped")
def test_a_run_goes_on_where_no_mapped_file_can_be_replaced(run, monkeypatch):
    """As on Windows, by emulation: replacing a file that is mapped is refused."""
    replace = os.replace

    def refuse_mapped(source, target):
        if str(target) in Path("/proc/self/maps").read_text():
            raise PermissionError(13, "The process cannot access the file because it is being used by another process")
        replace(source, target)

    monkeypatch.setattr(os, "replace", refuse_mapped)
    out = run / "adamw"
    before = (out / STATE).read_bytes()
    train(continued(out, {"images": 24}), resume=True, progress=False)
    assert (out / STATE).read_bytes() != before and read_run(out)[1]["images"] == 24
