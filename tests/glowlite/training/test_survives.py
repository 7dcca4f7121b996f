"""What a training survives: numbers that are not finite, `kill -9`, a full disk, a read-only folder, a second run.

Each time the last good state is kept, nothing is left half written, and the run goes on exactly.
`KILLS=40 pytest -s tests/glowlite/training/test_survives.py -k killed` kills it at 40 random moments.
"""

import math
import multiprocessing
import os
import random
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from glowlite import checkpoint
from glowlite.data import faces
from glowlite.errors import GlowliteError
from glowlite.files import UNFINISHED
from glowlite.flows.reversible import MEMORY
from glowlite.glow import GlowConfig
from glowlite.sheet import save_png
from glowlite.training import config as runs
from glowlite.training import loop, metrics
from glowlite.training.config import TrainConfig
from glowlite.training.loop import Trainer, train
from glowlite.training.process import LOCK
from tests.glowlite.training.test_loop import stop_after

KILLS = int(os.environ.get("KILLS", "5"))
OWN = {
    LOCK,
    runs.STATE,
    runs.METRICS,
    *(f"{name}.{end}" for name in ("model", "best") for end in ("safetensors", "json")),
}
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork a process")


def settings(out, **changes) -> TrainConfig:
    """A tiny run that saves its state at every step."""
    return TrainConfig(
        out=str(out),
        **{
            "model": GlowConfig((3, 16, 16), levels=2, depth=1, width=8), "images": 64, "batch": 8, "warmup": 24,
            "ema": 64, "init_batch": 16, "log_every": 8, "validate_every": 16, "validation_count": 8,
            "checkpoint_minutes": 0, "accelerator": "cpu", "threads": 1,
        } | changes,
    )  # fmt: skip


def run(config, resume=False):
    return train(config, resume, progress=False)


def contents(out) -> tuple[list[dict], dict]:
    """Metrics and state of a run without what depends on the clock."""
    clock = ("seconds", "images_per_second")
    lines = metrics.read_metrics(Path(out) / runs.METRICS)
    return [{k: v for k, v in line.items() if k not in clock} for line in lines], runs.read_run(out)[0]


def assert_same(out, whole) -> None:
    """The run in `out` is the one in `whole`, number for number, and left nothing else behind."""
    (lines, tensors), (wanted_lines, wanted) = contents(out), contents(whole)
    assert lines == wanted_lines and tensors.keys() == wanted.keys()
    assert [name for name in wanted if not torch.equal(tensors[name], wanted[name])] == []
    assert {path.name for path in Path(out).iterdir()} <= OWN


def assert_whole(out: Path) -> None:
    """Every file of a run is complete, or has a name that says that it is not."""
    for path in out.iterdir():
        assert path.name in OWN or path.name.startswith(UNFINISHED), path.name
    if (out / runs.STATE).exists():
        runs.read_run(out)
    for name in (runs.MODEL, runs.BEST):
        if (out / name).exists():
            checkpoint.load(out / name)


# ---- numbers that are not finite -----------------------------------------------------------------

WHERE = {
    "pictures": "loss is not finite after 24 images, first in the pictures themselves; .*what --data holds",
    "weight": r"loss is not finite after 24 images, first in the parameter levels\.0\.\S+\.first\.weight; .*--lr",
    "gradient": r"gradient is not finite after 24 images, first in the gradient of levels\.0\.\S+\.first\.weight; .*",
    "optimizer": r"loss is not finite after 32 images, first in the parameter levels\.0\.\S+\.first\.weight; .*--lr",
}


def plant(what: str, trainer: Trainer, monkeypatch) -> None:
    """Make one number NaN from the fourth step on; in the optimizer's memory, between the third step and the fourth."""
    name = next(name for name, _ in trainer.glow.named_parameters() if name.endswith("network.first.weight"))
    weight, step, dequantize = trainer.glow.get_parameter(name), trainer.step, loop.pixels.dequantize

    def spoil(values: torch.Tensor) -> torch.Tensor:
        if trainer.steps >= 3:
            values = values.clone()
            values[(0,) * values.dim()] = math.nan
        return values

    def spoilt_step(stop):
        if trainer.steps == 3 and what == "weight":
            weight.data = spoil(weight.data)
        if trainer.steps == 3 and what == "optimizer":
            momentum = trainer.optimizer.state[weight]["momentum"]
            momentum[(0,) * momentum.dim()] = math.nan
        return step(stop)

    trainer.step = spoilt_step
    if what == "pictures":
        monkeypatch.setattr(loop.pixels, "dequantize", lambda *given: spoil(dequantize(*given)))
    if what == "gradient":
        weight.register_hook(spoil)


@pytest.fixture(scope="module", params=MEMORY)
def whole(request, tmp_path_factory) -> TrainConfig:
    """The settings of a run that nothing disturbed, in each of the three ways of memory."""
    config = settings(tmp_path_factory.mktemp("undisturbed") / "run", memory=request.param, validate_every=1000)
    run(config)
    return config


@pytest.mark.parametrize("what", WHERE)
def test_a_number_that_is_not_finite_is_named_and_the_last_good_state_kept(what, whole, tmp_path, monkeypatch):
    config = replace(whole, out=str(tmp_path / "run"))
    with monkeypatch.context() as patch:
        trainer = Trainer(config, progress=False)
        plant(what, trainer, patch)
        with pytest.raises(GlowliteError, match=WHERE[what]) as caught:
            trainer.fit(loop.StopRequest())
    assert "\n" not in str(caught.value) and f"last good state is {tmp_path / 'run' / runs.STATE}" in str(caught.value)
    tensors, meta = runs.read_run(tmp_path / "run")
    assert meta["images"] == 24 and all(value.isfinite().all() for value in tensors.values())
    run(config, resume=True)
    assert_same(tmp_path / "run", whole.out)


def test_a_last_step_that_overflows_is_not_saved(tmp_path, monkeypatch):
    trainer = Trainer(settings(tmp_path, images=32, validate_every=1000), progress=False)
    plant("optimizer", trainer, monkeypatch)
    with pytest.raises(
        GlowliteError, match=r"After 32 images model\.levels\.0\S+ is not finite; the last good state is"
    ):
        trainer.fit(loop.StopRequest())
    assert runs.read_run(tmp_path)[1]["images"] == 24 and not (tmp_path / runs.MODEL).exists()


# ---- kill -9, and a second run -------------------------------------------------------------------


def start(config, resume=False):
    """Train in a process that is forked from one that has loaded PyTorch already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["glowlite.training.loop", "glowlite.data.faces", "safetensors.torch"])
    process = context.Process(target=train, args=(config, resume, False))
    process.start()
    return process


def wait_for(path: Path) -> float:
    """Seconds until there is a file."""
    begun = time.monotonic()
    while not path.exists():
        assert time.monotonic() < begun + 60, f"{path.name} was not written"
        time.sleep(0.005)
    return time.monotonic() - begun


@forks
@pytest.mark.slow
def test_killed_at_any_moment_a_run_leaves_whole_files_and_goes_on_exactly(tmp_path, monkeypatch):
    monkeypatch.setenv("GLOWLITE_DATA", str(tmp_path / "cache"))
    (tmp_path / "album").mkdir()
    for number, face in enumerate(faces.draw(24, size=16, seed=0).images):
        save_png(tmp_path / "album" / f"{number}.png", face.permute(1, 2, 0))
    config = settings(tmp_path / "killed", data=str(tmp_path / "album"), images=8 * 8 * (KILLS + 1))
    out, dice, seen = tmp_path / "killed", random.Random(0), []
    start(replace(config, out=str(tmp_path / "first"), images=8)).join()  # PyTorch is loaded now, and the data are read
    process = start(config)
    span = 2 * wait_for(out / runs.STATE)
    for kill in range(KILLS):
        if kill:
            process = start(config, resume=(out / runs.STATE).exists())
            time.sleep(dice.uniform(0, span))
        process.kill()
        process.join()
        assert_whole(out)
        half = [path for path in out.iterdir() if path.name.startswith(UNFINISHED)]
        images = runs.read_run(out)[1]["images"] if (out / runs.STATE).exists() else 0
        seen.append((images, len(half)))
    assert seen[-1][0] < config.images, "all kills met a run at work"
    run(config, resume=True)
    run(replace(config, out=str(tmp_path / "whole"), checkpoint_minutes=100))
    assert_same(out, tmp_path / "whole")
    moved = sum(a < b for (a, _), (b, _) in zip([(0, 0), *seen], seen, strict=False))
    print(f"{KILLS} kills: {moved} after new states, {sum(half for _, half in seen)} in the middle of a file")


@forks
@pytest.mark.slow
def test_a_second_run_is_refused_and_the_first_goes_on_exactly(tmp_path):
    config = settings(tmp_path / "run", images=400, checkpoint_minutes=100)
    process = start(config)
    wait_for(tmp_path / "run" / runs.METRICS)
    for resume in (False, True):
        with pytest.raises(GlowliteError, match="Another training is at work in .*run"):
            run(config, resume)
    assert process.is_alive(), "it was at work all the while"
    process.join()
    assert process.exitcode == 0
    run(replace(config, out=str(tmp_path / "whole")))
    assert_same(tmp_path / "run", tmp_path / "whole")


# ---- nowhere to write ----------------------------------------------------------------------------


@contextmanager
def no_room(out: Path):
    """No file may grow beyond half a state."""
    resource = pytest.importorskip("resource", reason="this system has no limit of a file's size")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((out / runs.STATE).stat().st_size // 2, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def read_only(out: Path):
    """Nobody may write into a folder; root, who always may, is somebody else for a while."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    out.chmod(0o555)
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        out.chmod(0o755)


@pytest.fixture
def public():
    """A folder that everybody may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
@pytest.mark.parametrize(("nowhere", "says"), [(no_room, "File too large"), (read_only, "Permission denied")])
def test_where_nothing_can_be_written_the_last_state_stays_and_the_run_goes_on_later(public, capsys, nowhere, says):
    config, out = settings(public / "run", validate_every=1000), public / "run"
    run(replace(config, out=str(public / "whole")))
    stop_after(config, 3)
    before = (out / runs.STATE).read_bytes()
    trainer = Trainer(config, resume=True, progress=False)
    with nowhere(out), pytest.raises(GlowliteError, match=f"{runs.STATE} cannot be written: {says}"):
        trainer.fit(loop.StopRequest())
    assert capsys.readouterr().err.count("What was saved before is kept; the next checkpoint tries again.") == 5
    assert (out / runs.STATE).read_bytes() == before and {path.name for path in out.iterdir()} <= OWN
    run(config, resume=True)
    assert_same(out, public / "whole")


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_no_run_begins_in_a_read_only_folder(public):
    out = public / "run"
    out.mkdir()
    with read_only(out), pytest.raises(GlowliteError, match=r"run cannot be written \(Permission denied\).*--out"):
        run(settings(out))
    assert list(out.iterdir()) == []
