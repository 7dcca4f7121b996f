"""The command for a GPU, tried on a CPU: that each part records what it measures, and that nothing stops the others."""

import json
import os
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks import gpu, gpu_parts, gpu_record
from benchmarks.gpu import STATE, cut, join, report, table, told
from benchmarks.gpu_parts import Convolutions, Training, Variant
from benchmarks.gpu_record import Record
from glowlite.errors import GlowliteError
from glowlite.flows.base import allow_tf32
from glowlite.flows.reversible import MEMORY
from glowlite.glow import PRESETS
from glowlite.training.config import TrainConfig, read_run
from glowlite.training.loop import train

# the peers call functions that PyTorch has since deprecated
pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(not hasattr(os, "killpg"), reason="this system has no groups of processes"),
]
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Few pictures, and the precision of products as it was."""
    monkeypatch.setattr(gpu_parts, "POOL", 8)
    monkeypatch.setattr(gpu_record, "LEAST", 0.0)
    yield
    allow_tf32(False)


def rows(path) -> dict[str, dict]:
    return {row["name"]: row for row in json.loads(path.read_text())["rows"]}


def record(tmp_path, seconds=1000.0) -> Record:
    return Record(tmp_path / "part.json", CPU, seconds)


# ---- what is measured ----------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["engines", "peers", "sample"])
def test_each_part_records_what_it_can_and_why_it_cannot_the_rest(part, tmp_path, monkeypatch):
    def missing(size):
        raise ModuleNotFoundError("No module named 'nflows'")

    monkeypatch.setattr(gpu_parts, "BUILDERS", {"glowlite": gpu_parts.BUILDERS["glowlite"], "nflows": missing})
    for name in ("float32", "float32, graph", "bf16, reversible, graph", "bf16, a level compiled"):
        monkeypatch.delitem(gpu_parts.ENGINES, name)
    path = tmp_path / "part.json"
    assert (
        gpu_parts.main([part, "--out", str(path), "--device", "cpu", "--until", str(time.time() + 1000), "--tiny"]) == 0
    )
    found = rows(path)
    assert {name for name, row in found.items() if "error" in row} == {
        name for name in found if "graph" in name or "nflows" in name
    }
    for name, row in found.items():
        if "error" not in row:
            assert row["seconds"] > 0 and row["ratio"] > 0 and row["rounds"] == len(row["times"]) > 1, name
    assert next(iter(found.values()))["ratio"] == 1
    if part == "sample":
        fused = found["fused, float32"]
        assert fused["gflop"] > 0 and 0 < fused["floor"] < fused["milliseconds"]
    if part == "peers":
        assert found["glowlite, contiguous"]["training, images/s"] > 0


@pytest.mark.parametrize(
    "variant",
    [
        *(Variant(memory=memory) for memory in MEMORY),
        *(Variant(pictures=pictures) for pictures in ("copied", "pinned", "picked", "drawn")),
        Variant("bf16", channels_last=False, wait=False),
    ],
)
def test_every_variant_trains(variant):
    torch.manual_seed(0)
    training = Training(variant, "tiny", 4, CPU)
    before = [weight.detach().clone() for weight in training.weights]
    training.turn(2)
    assert training.steps == 2 and all(weight.grad is None for weight in training.weights)
    moved = [not torch.equal(a, b) for a, b in zip(before, training.weights, strict=True)]
    assert sum(moved) > len(moved) / 2


def test_a_step_that_is_not_finite_is_an_error():
    training = Training(Variant(), "tiny", 4, CPU)
    training.weights[0].data.fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="after 1 steps"):
        training.step()


def test_variants_take_turns_and_a_ratio_is_of_one_round(tmp_path, monkeypatch):
    order, slow = [], {"a": 2.0, "b": 1.0, "c": 4.0}
    monkeypatch.setattr(gpu_record.peers, "seconds", lambda work, device: work() or slow[order[-1]])
    kept = record(tmp_path)
    kept.measure({name: lambda name=name: lambda: order.append(name) for name in slow}, rounds=3)
    assert "".join(order) == "aa" + "bab" + "cabc" + "abc" + "bca" + "cab"
    assert {name: row["ratio"] for name, row in rows(kept.path).items()} == {"a": 1, "b": 2, "c": 0.5}


def test_an_error_is_a_line_of_its_row_and_the_rest_goes_on(tmp_path):
    def too_large():
        raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate")

    calls = []

    def breaks():
        calls.append(1)
        if len(calls) > 2:
            raise ValueError("broken")

    kept = record(tmp_path)
    kept.measure({"a": lambda: time.time, "b": too_large, "c": lambda: breaks, "d": lambda: time.time}, rounds=2)
    found = rows(kept.path)
    assert found["b"] == {"name": "b", "error": "OutOfMemoryError: CUDA out of memory."}
    assert found["c"]["error"] == "ValueError: broken"
    assert found["a"]["rounds"] > found["d"]["rounds"] > 2 and "error" not in found["d"]


def test_without_time_nothing_new_begins(tmp_path):
    kept = record(tmp_path, seconds=-1)
    kept.measure({"a": lambda: time.time}, rounds=1)
    assert rows(kept.path) == {"a": {"name": "a", "error": "no time was left"}}


def test_the_least_time_is_that_of_the_limit_that_binds_each_convolution():
    layer = nn.Conv2d(3, 5, 3, padding=1, bias=False)
    with torch.no_grad(), Convolutions() as counted:
        layer(torch.zeros(2, 3, 8, 8))
    work, moved = 2 * (2 * 5 * 64) * 27, 4 * (2 * 3 * 64 + 5 * 27 + 2 * 5 * 64)
    assert counted.seen == [(work, moved)]
    counted.seen.append((1, 10**9))
    assert counted.least(1e3, 1e6) == pytest.approx(work / 1e3 + 1e3)


# ---- the command ---------------------------------------------------------------------------------


def session(tmp_path, monkeypatch, commands: dict[str, str], minutes: float, **more):
    """Run the command with `python -c` for each part; (results, report, seconds it took)."""
    monkeypatch.setattr(gpu, "SHARES", dict.fromkeys(commands, 1))
    monkeypatch.setattr(
        gpu.Session,
        "command",
        lambda self, name, seconds: ["timeit", "-n1", "-r1", commands[name].format(work=self.work)],
    )
    begun = time.monotonic()
    words = ["--out", str(tmp_path), "--device", "cpu", "--tiny", "--minutes", str(minutes)]
    assert gpu.main(words + ["--parts", *commands]) == 0
    took = time.monotonic() - begun
    return json.loads((tmp_path / "results.json").read_text())["parts"], (tmp_path / "report.md").read_text(), took


def test_a_part_that_fails_or_hangs_stops_no_other_and_the_time_is_kept(tmp_path, monkeypatch):
    write = 'open(r\'{work}/steps.json\', \'w\').write(\'{{"rows": [{{"name": "a", "ratio": 2}}]}}\')'
    commands = {
        "tests": "raise SystemError('broken')",
        "steps": f"{write}; import time; time.sleep(1000)",
        "peers": "print('well')",
    }
    parts, text, took = session(tmp_path, monkeypatch, commands, minutes=0.35)
    assert parts["tests"]["told"] == "failed with status 1; log.txt says more"
    assert parts["steps"]["told"] == "stopped, as its time was over" and parts["steps"]["rows"] == [
        {"name": "a", "ratio": 2}
    ]
    assert parts["peers"]["told"] == "done"
    assert "| a | 2.00 |" in text and took < 0.35 * 60
    log = (tmp_path / "log.txt").read_text()
    assert "SystemError: broken" in log and "well" in log


def test_what_has_too_little_time_is_left_out_with_a_sentence(tmp_path, monkeypatch):
    parts, text, took = session(tmp_path, monkeypatch, {"tests": "print(1)"}, minutes=0.05)
    assert parts["tests"]["told"].startswith("left out: it would have had ") and took < 3
    assert "tests: left out" in text


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended may stay in the list until somebody asks for its status."""
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(") ")[2][0] not in "ZX"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system does not tell which processes there are")
def test_who_ignores_the_end_is_killed_with_its_children(tmp_path, monkeypatch):
    write = "open(r'{work}/../%d' % os.getpid(), 'w')"
    stubborn = f"import os, signal, time; signal.signal(15, 1); os.fork(); {write}; time.sleep(60)"
    monkeypatch.setattr(gpu.tempfile, "tempdir", str(tmp_path))
    parts, _, took = session(tmp_path, monkeypatch, {"tests": stubborn}, minutes=0.25)
    assert parts["tests"]["told"] == "killed, as its time was over" and took < 15
    children = [int(path.name) for path in tmp_path.iterdir() if path.name.isdigit()]
    assert len(children) == 2 and not any(alive(child) for child in children)


def test_ends_are_told_in_words():
    assert told(0, True) == "done" and "memory" in told(-9, False) and "over" in told(-15, True)


def test_a_table_has_the_columns_that_are_known():
    text = table([{"name": "a|b", "ratio": 1.5, "peak": 2000.0}, {"name": "c", "error": "none"}])
    assert text.splitlines()[2:] == ["| a/b | 1.50 | 2,000 |  |", "| c |  |  | none |"]
    assert "copy 2.00 TB/s" in report({"sample": {"told": "done", "rates": {"copy": 2e12}}}, "x")


def test_a_state_goes_through_its_pieces(tmp_path, monkeypatch, capsys):
    config = TrainConfig(PRESETS["tiny"], str(tmp_path / "run"), images=16, batch=8, init_batch=16, validation_count=8)
    train(config, progress=False)
    monkeypatch.setattr(gpu, "PIECE", 100_000)
    (tmp_path / f"{STATE}.97").write_text("of an older state")
    pieces = cut(tmp_path / "run" / STATE, tmp_path)
    assert len(pieces) > 2 and all(path.stat().st_size <= 100_000 for path in pieces)
    assert sorted(tmp_path.glob(f"{STATE}.*")) == pieces
    assert gpu.main(["--join", str(tmp_path), str(tmp_path / "again")]) == 0
    assert (tmp_path / "again" / STATE).read_bytes() == (tmp_path / "run" / STATE).read_bytes()
    with pytest.raises(GlowliteError, match="already holds a training"):
        join(tmp_path, tmp_path / "again")
    pieces[1].unlink()
    assert gpu.main(["--join", str(tmp_path), str(tmp_path / "broken")]) == 1
    assert "damaged" in capsys.readouterr().err


@pytest.mark.slow
def test_the_training_goes_on_where_the_call_before_ended(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    words = ["--device", "cpu", "--tiny", "--minutes", "30", "--parts", "training"]
    assert gpu.main([*words, "--out", str(tmp_path / "first"), "--images", "16"]) == 0
    assert (
        gpu.main([*words, "--out", str(tmp_path / "second"), "--images", "32", "--state", str(tmp_path / "first")]) == 0
    )
    for name, images in (("first", 16), ("second", 32)):
        part = json.loads((tmp_path / name / "results.json").read_text())["parts"]["training"]
        assert part["told"] == "done" and part["images"] == part["lines"][-1]["images"] == images
        assert part["pieces"] == [f"{STATE}.00"] and (tmp_path / name / f"{STATE}.00").exists()
    join(tmp_path / "second", tmp_path / "run")
    assert read_run(tmp_path / "run")[1]["step"] == 4
