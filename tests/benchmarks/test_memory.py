"""The measurement of memory against depth: that it runs, counts what is kept, and writes what it measured."""

import json
import re
import sys

import pytest
import torch

from benchmarks import memory
from benchmarks.memory import Settings, main, options, prepare, saved_bytes, table
from glowlite.flows.reversible import MEMORY, set_memory

TINY = Settings(side=16, levels=1, width=8, batch=2, deepest=8, rounds=1)
linux = pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_depths_double_up_to_the_deepest():
    assert TINY.depths() == [4, 8] and Settings().depths() == [4, 8, 16, 32, 64, 128]


def test_bytes_that_are_saved_grow_with_depth_but_for_the_reversible_way():
    kept = {}
    for name in MEMORY:
        for depth in TINY.depths():
            model, x = prepare(TINY, depth)
            set_memory(model, name)
            kept[name, depth] = saved_bytes(model, x)
    assert kept["reversible", 8] == kept["reversible", 4] < kept["checkpointed", 8] < kept["stored", 8]
    assert kept["stored", 8] > 1.9 * kept["stored", 4]
    assert kept["checkpointed", 8] > 1.5 * kept["checkpointed", 4]


@linux
def test_the_whole_runs_and_is_written(tmp_path, capfd):
    assert main(["--out", str(tmp_path / "memory.json"), *options(TINY)]) == 0
    text = (tmp_path / "memory.json").read_text()
    record = json.loads(text)
    changed = "--side 16 --levels 1 --width 8 --batch 2 --deepest 8 --rounds 1"
    assert record["command"] == f"python -m benchmarks.memory {changed}"
    assert [row["depth"] for row in record["rows"]] == [4, 8] and str(tmp_path) not in text
    for row in record["rows"]:
        assert row["ratio"]["stored"] == 1 and row["parameters"] > 0
        for what in ("saved", "grown", "seconds", "ratio"):
            assert set(row[what]) == set(MEMORY)
    told = capfd.readouterr().out
    assert table(record["rows"]) in told and re.search(r"reversible: K = 8 needs -?\d+\.\d\d times", told)


@linux
def test_a_process_grows_by_what_a_step_stores():
    settings = Settings(side=32, levels=1, width=32, batch=16)
    words = ["benchmarks.memory", *memory.options(settings), "--one", "16"]
    stored, reversible = (memory.in_a_process(*words, name) for name in ("stored", "reversible"))
    assert 0.8 * stored["saved"] < stored["grown"] < 2 * stored["saved"]
    assert reversible["grown"] < stored["grown"] / 3


def test_elsewhere_than_on_linux_one_sentence_says_so(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(memory, "CLEAR", tmp_path / "none")
    assert main([]) == 1
    assert "run this on Linux" in capsys.readouterr().err
