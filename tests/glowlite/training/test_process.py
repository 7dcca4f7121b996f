"""A run as a process: signals, one run a folder, and the devices of a job."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from glowlite.errors import GlowliteError
from glowlite.glow import PRESETS
from glowlite.training.config import TrainConfig
from glowlite.training.process import LOCK, SIGNALS, StopRequest, locked, size_of_torchrun, start_fabric

NUMBERS = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
ROOT = Path(__file__).parents[3]


# ---- signals -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("usual_signals")
@pytest.mark.parametrize("number", NUMBERS)
def test_a_second_ctrl_c_ends_at_once_and_the_handlers_are_put_back(number):
    before = [signal.getsignal(each) for each in NUMBERS]
    with StopRequest() as stop:
        signal.raise_signal(number)
        assert stop.signal == number
        signal.raise_signal(signal.SIGTERM)
        assert stop.signal == number, "saving goes on, however many signals a scheduler sends"
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert [signal.getsignal(each) for each in NUMBERS] == before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")
def test_a_signal_that_nohup_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopRequest() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert stop.signal == 0
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


# ---- one run a folder ----------------------------------------------------------------------------


def test_a_folder_left_empty_is_removed_and_one_that_was_there_stays(tmp_path):
    for folder, stays in ((tmp_path / "new", False), (tmp_path, True)):
        with pytest.raises(GlowliteError, match="a mistake"), locked(folder):
            raise GlowliteError("a mistake")
        assert folder.exists() == stays
    assert list(tmp_path.iterdir()) == []
    with locked(tmp_path / "run"):
        (tmp_path / "run" / "state").write_text("")
    assert (tmp_path / "run" / "state").exists()


def test_a_process_that_was_killed_leaves_neither_its_lock_nor_half_a_file(tmp_path):
    code = """if True:
        import os, sys
        from pathlib import Path
        from glowlite.files import write_atomically
        from glowlite.training.process import locked
        def write(file):
            file.write(b"half"); file.flush(); print("there", flush=True); sys.stdin.read()
        with locked(Path(sys.argv[1])):
            write_atomically(Path(sys.argv[1], "state"), write)
    """
    arguments = [sys.executable, "-c", code, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    try:
        assert process.stdout.readline() == b"there\n"
        with pytest.raises(GlowliteError, match="Another training is at work"), locked(tmp_path):
            pass
        assert len(list(tmp_path.iterdir())) == 2, "the lock, and half a file"
    finally:
        process.kill()
        process.communicate()
    assert len(list(tmp_path.iterdir())) == 2
    with locked(tmp_path):
        assert [file.name for file in tmp_path.iterdir()] == [LOCK]


# ---- devices -------------------------------------------------------------------------------------


@pytest.fixture
def config():
    return TrainConfig(PRESETS["tiny"], "nowhere", accelerator="cpu")


JOB = {"SLURM_NTASKS": "4", "SLURM_JOB_ID": "123", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0"}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"SLURM_NTASKS_PER_NODE": "4"},
        {"SLURM_NNODES": "2"},
        {"SLURM_STEP_NUM_TASKS": "1"},
        {"SLURM_JOB_NAME": "bash"},
    ],
)
def test_a_job_of_several_tasks_may_train_in_one_process(config, monkeypatch, more):
    for name, value in (JOB | more).items():
        monkeypatch.setenv(name, value)
    fabric = start_fabric(config)
    assert fabric.world_size == 1 and fabric.is_global_zero


def test_four_tasks_of_srun_with_one_device_are_refused(config, monkeypatch):
    for name, value in (JOB | {"SLURM_STEP_NUM_TASKS": "4"}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(GlowliteError, match="Cannot train on 1 x cpu: .*ntasks"):
        start_fabric(config)


# ---- torchrun ------------------------------------------------------------------------------------


@pytest.fixture
def torchrun(monkeypatch):
    """Set the variables of a process that torchrun started: `here` of `world` are on this machine."""

    def start(here: int, world: int):
        for name, value in {"TORCHELASTIC_RUN_ID": "1", "RANK": 0, "LOCAL_RANK": 0, "GROUP_RANK": 0}.items():
            monkeypatch.setenv(name, str(value))
        monkeypatch.setenv("LOCAL_WORLD_SIZE", str(here))
        monkeypatch.setenv("WORLD_SIZE", str(world))

    return start


def test_the_number_of_machines_is_torchruns(torchrun):
    torchrun(2, 6)
    assert size_of_torchrun() == (2, 3)
    torchrun(2, 5)
    with pytest.raises(GlowliteError, match="torchrun started 2 of 5 processes on this machine"):
        size_of_torchrun()


def test_one_process_of_torchrun_trains_alone_in_a_job_of_several_tasks_too(torchrun, config, monkeypatch):
    torchrun(1, 1)
    for name, value in JOB.items():
        monkeypatch.setenv(name, value)
    assert start_fabric(config).world_size == 1


def test_a_batch_is_shared_equally_or_refused(torchrun, config):
    torchrun(3, 6)
    with pytest.raises(GlowliteError, match="A batch of 32 cannot be shared equally by 6 processes: .*--batch"):
        start_fabric(config)


def test_a_bucket_without_locks_is_no_mistake(tmp_path, monkeypatch):
    def refuse(self, blocking):
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr("glowlite.training.process.FileLock.acquire", refuse)
    with locked(tmp_path):
        (tmp_path / "state").write_text("")
