"""The comparison of ways to mix channels: what its runs share, that it can be stopped, and what it writes."""

import json
import re

import pytest
import torch

from benchmarks import permutations, runs
from benchmarks.permutations import Settings, finished, main, measure, one_run, plan, summarize
from glowlab.figures.learned_permutations import load_runs
from glowlite.errors import GlowliteError
from glowlite.training.loop import Result

TINY = Settings(
    data="faces", side=16, levels=1, depth=2, width=8, images=64, batch=16, warmup=16, ema=16, init_batch=32,
    validate_every=32, validation_count=8, seeds=2,
)  # fmt: skip
OPTIONS = [
    word
    for name, value in vars(TINY).items()
    if value != getattr(Settings(), name)
    for word in (f"--{name.replace('_', '-')}", str(value))
]


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def fake_run(settings, permutation, coupling, seed):
    value = {"reverse": 3.0, "shuffle": 2.0, "lu": 1.0}[permutation] + 0.1 * seed + (coupling == "affine")
    kind = {"permutation": permutation, "coupling": coupling, "seed": seed}
    return kind | {"images": [1, 2], "bits_per_dim": [9.0, value], "seconds": 1.0, "parameters": 1}


def test_the_plan_holds_every_kind_once_and_a_seed_together():
    kinds = plan(TINY)
    assert len(set(kinds)) == len(kinds) == 12
    assert [seed for _, _, seed in kinds] == 6 * [0] + 6 * [1]


def test_runs_differ_in_mixing_coupling_and_seed_alone():
    a, b = (TINY.train_config(*kind, out="x").to_dict() for kind in (("reverse", "additive", 0), ("lu", "affine", 0)))
    differ = {key for key in a["model"] if a["model"][key] != b["model"][key]}
    assert differ == {"permutation", "coupling"}
    assert {k: v for k, v in a.items() if k != "model"} == {k: v for k, v in b.items() if k != "model"}


def test_a_run_learns_and_comes_out_the_same_again():
    run = one_run(TINY, "lu", "additive", 0)
    assert run["images"] == [32, 64] and run["bits_per_dim"][1] < run["bits_per_dim"][0] < 9
    assert one_run(TINY, "lu", "additive", 0)["bits_per_dim"] == run["bits_per_dim"]
    assert one_run(TINY, "reverse", "additive", 0)["parameters"] < run["parameters"]


def test_what_is_written_can_be_read_and_names_no_path(tmp_path, capsys):
    out = tmp_path / "somewhere" / "runs.json"
    assert main(["--out", str(out), *OPTIONS, "--seeds", "1"]) == 0
    record = load_runs(out)
    assert len(record["runs"]) == 6 and len(record["summary"]) == 6
    assert record["pictures"] == {"training": None, "measured_on": 8}
    assert record["command"].startswith("python -m benchmarks.permutations --data faces --side 16")
    assert str(tmp_path) not in out.read_text()
    assert {"device", "cores", "threads", "system"} == set(record["machine"]) and record["versions"]["torch"]
    told = capsys.readouterr().out
    assert "6 of 6" in told and "minutes left" in told and re.search(r"\| affine \| lu \| \d\.\d{3} \|", told)


def test_the_command_that_is_recorded_makes_the_same_settings(tmp_path, monkeypatch):
    monkeypatch.setattr(permutations, "one_run", fake_run)
    out = tmp_path / "runs.json"
    assert main(["--out", str(out), *OPTIONS]) == 0
    first = json.loads(out.read_text())
    words = first["command"].split()[3:]
    again = tmp_path / "again.json"
    assert main(["--out", str(again), *words]) == 0
    assert json.loads(again.read_text())["settings"] == first["settings"] == vars(TINY)


def test_a_comparison_that_was_stopped_goes_on_behind_its_last_run(tmp_path, monkeypatch):
    out, asked = tmp_path / "runs.json", []

    def stops_at_the_fourth(settings, *kind):
        asked.append(kind)
        return None if len(asked) == 4 else fake_run(settings, *kind)

    monkeypatch.setattr(permutations, "one_run", stops_at_the_fourth)
    assert measure(TINY, out) is None
    assert len(json.loads(out.read_text())["runs"]) == 3
    with pytest.raises(GlowliteError, match="--resume goes on"):
        measure(TINY, out)
    runs = measure(TINY, out, resume=True)
    assert len(runs) == 12 and asked == plan(TINY)[:4] + plan(TINY)[3:]


def test_a_stopped_training_gives_no_run(monkeypatch):
    monkeypatch.setattr(runs, "train", lambda config, progress: Result(16, 1.0, None, stopped_by=15))
    assert one_run(TINY, "lu", "affine", 0) is None


def test_other_settings_and_folders_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(permutations, "one_run", fake_run)
    out = tmp_path / "runs.json"
    measure(TINY, out)
    assert main(["--out", str(out), "--resume", *OPTIONS, "--width", "16"]) == 1
    assert "other settings" in capsys.readouterr().err
    assert main(["--out", str(tmp_path / "new.json"), *OPTIONS, "--data", str(tmp_path)]) == 1
    assert "not a folder" in capsys.readouterr().err
    assert finished(tmp_path / "new.json", TINY, resume=True) == []


def test_the_summary_is_mean_and_standard_deviation_over_seeds():
    runs = [fake_run(TINY, *kind) for kind in plan(TINY)]
    rows = {(row["coupling"], row["permutation"]): row for row in summarize(runs)}
    assert rows["affine", "shuffle"]["mean"] == pytest.approx(3.05)
    assert rows["affine", "shuffle"]["spread"] == pytest.approx(0.1 / 2**0.5, abs=1e-5)
    assert summarize(runs[:1])[0]["spread"] is None
