"""One run in several processes: the steps of one process to rounding, and an end with one sentence when one is gone."""

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest
import torch

from glowlite import checkpoint
from glowlite.errors import GlowliteError
from glowlite.flows.reversible import MEMORY
from glowlite.glow import PRESETS, Glow
from glowlite.training import config as runs
from glowlite.training import heartbeat, loop, metrics, process
from glowlite.training.config import TrainConfig
from tests.glowlite.training.world import World, train_in

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork a process"),
    pytest.mark.slow,
]
TINY = (
    *("--preset", "tiny", "--batch", "8", "--init-batch", "16", "--validation-count", "6", "--log-every", "8"),
    *("--validate-every", "64", "--accelerator", "cpu", "--threads", "1", "--quiet", "--flip"),
)
GONE = "Another process of this run, its machine or its network is gone"


def lines(out: Path) -> list[dict]:
    """The metrics of a run without what depends on the clock."""
    clock = ("seconds", "images_per_second")
    return [{k: v for k, v in line.items() if k not in clock} for line in metrics.read_metrics(out / runs.METRICS)]


def assert_alike(out: Path, whole: Path) -> None:
    """Both runs have the same metrics to rounding."""
    ours, others = lines(out), lines(whole)
    assert len(ours) == len(others) > 3
    for one, other in zip(ours, others, strict=True):
        assert one == pytest.approx(other, rel=1e-4)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a run in one process."""
    folder = tmp_path_factory.mktemp("whole")
    train_in(folder, 1, "--out", folder / "run", "--images", "128", *TINY)
    return folder / "run"


# ---- the same steps --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "memory"), [(2, "stored"), (2, "checkpointed"), (2, "reversible"), (4, "stored")])
def test_several_processes_take_the_steps_of_one(whole, tmp_path, size, memory):
    assert memory in MEMORY
    said = train_in(tmp_path, size, "--out", tmp_path / "run", "--images", "128", *TINY, "--memory", memory)
    assert said.count("\n") == 1 and "128 images in" in said, "one of them speaks"
    assert_alike(tmp_path / "run", whole)
    assert sorted(os.listdir(tmp_path / "run")) == sorted(os.listdir(whole))


def test_a_run_goes_on_with_other_numbers_of_processes(whole, tmp_path):
    out = tmp_path / "run"
    train_in(tmp_path, 2, "--out", out, "--images", "128", *TINY, before=partial(stop_after, 5))
    train_in(tmp_path, 1, "--out", out, "--resume", "--quiet", before=partial(stop_after, 11))
    train_in(tmp_path, 4, "--out", out, "--resume", "--quiet", "--micro-batch", "1")
    assert_alike(out, whole)


def stop_after(steps: int, rank: int) -> None:
    """Stop a run after its step number `steps`, as Ctrl-C would, but with exit code 0."""
    fit = loop.Trainer.fit

    def shorter(self, stop):
        step = self.step

        def last(stop):
            bpd, norm, rate, _ = step(stop)
            return bpd, norm, rate, int(self.steps == steps)

        self.step = last
        result = fit(self, stop)
        result.stopped_by = 0
        return result

    loop.Trainer.fit = shorter


def test_a_run_stopped_in_the_middle_goes_on_to_the_bit(tmp_path):
    for name, parts in (("whole", [None]), ("broken", [partial(stop_after, 5), None])):
        for number, before in enumerate(parts):
            words = ["--resume"] if number else []
            train_in(tmp_path, 2, "--out", tmp_path / name, "--images", "96", *TINY, *words, before=before)
    assert lines(tmp_path / "broken") == lines(tmp_path / "whole")
    whole, broken = (runs.read_run(tmp_path / name)[0] for name in ("whole", "broken"))
    assert [name for name in whole if not torch.equal(whole[name], broken[name])] == []


class NoStop:
    signal = 0


@pytest.mark.parametrize("memory", MEMORY)
def test_micro_batches_give_the_gradients_of_the_whole_batch(tmp_path, memory):
    found, seen = [], []
    for micro in (0, 3):  # 3, 3 and 2 images
        config = TrainConfig(
            PRESETS["tiny"], str(tmp_path), batch=8, init_batch=16, micro_batch=micro, memory=memory, accelerator="cpu"
        )
        trainer = loop.Trainer(config, progress=False)
        trainer.glow.register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0])))
        bpd = [trainer.step(NoStop)[0] for _ in range(3)]
        found.append((bpd, [weight.grad.clone() for weight in trainer.glow.parameters()]))
    (whole, gradients), (parts, others) = found
    assert seen == [8] * 3 + [3, 3, 2] * 3
    assert parts == pytest.approx(whole, rel=1e-5)
    for one, other in zip(gradients, others, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def start_unlike(rank: int) -> None:
    """Processes on unlike machines: each begins with weights of its own, and tells what it has after two steps."""
    initialize, setup = Glow.initialize, loop.Trainer.fit

    def otherwise(self, x):
        initialize(self, x)
        for weight in self.parameters():
            weight.data.mul_(1 + 0.01 * rank)

    def fit(self, stop):
        result = setup(self, stop)
        for name, model in (("weights", self.glow), ("average", self.average)):
            torch.save(model.state_dict(), self.out.parent / f"{name} {rank}.pt")
        return result

    Glow.initialize, loop.Trainer.fit = otherwise, fit


def test_all_processes_begin_and_end_with_the_same_weights(tmp_path):
    train_in(tmp_path, 2, "--out", tmp_path / "run", "--images", "16", *TINY, before=start_unlike)
    for name in ("weights", "average"):
        first, second = (torch.load(tmp_path / f"{name} {rank}.pt") for rank in (0, 1))
        assert [key for key in first if not torch.equal(first[key], second[key])] == []


# ---- mistakes: one sentence, and no traceback of any process ---------------------------------------------------------


def refusal(folder: Path, size: int, *words, before=None) -> str:
    """What a run said that ended with a mistake in every process."""
    with World(folder, size, "train", *words, before=before) as world:
        codes = world.codes()
        said = world.said()
    assert codes == [2] * size, said
    assert "Traceback" not in said and said.count("glowlite: ") == 1, said
    return said


def test_a_batch_that_cannot_be_shared_is_refused_once(tmp_path):
    said = refusal(tmp_path, 3, "--out", tmp_path / "run", *TINY)
    assert "A batch of 8 cannot be shared equally by 3 processes" in said


def disk_is_full(rank: int) -> None:
    def full(*args, **options):
        raise GlowliteError("last.safetensors cannot be written: No space left on device.")

    checkpoint.write_state = full


def test_a_full_disk_at_the_end_is_told_once(tmp_path):
    said = refusal(tmp_path, 2, "--out", tmp_path / "run", "--images", "16", *TINY, before=disk_is_full)
    assert "No space left on device" in said


def pictures_of_1_are_spoilt(rank: int) -> None:
    dequantize = loop.pixels.dequantize
    if rank == 1:
        loop.pixels.dequantize = lambda *given: dequantize(*given) * (torch.nan if len(given[0]) == 4 else 1)


def test_pictures_of_one_process_that_are_not_finite_are_named(tmp_path):
    said = refusal(tmp_path, 2, "--out", tmp_path / "run", *TINY, before=pictures_of_1_are_spoilt)
    assert "The loss is not finite after 0 images, first in the pictures themselves; no state was saved yet" in said


def process_1_has_another_seed(rank: int) -> None:
    made = TrainConfig.__init__
    if rank == 1:
        TrainConfig.__init__ = lambda self, **given: made(self, **given | {"lr": 0.5})


def test_processes_with_other_settings_are_refused(tmp_path):
    said = refusal(tmp_path, 2, "--out", tmp_path / "run", *TINY, before=process_1_has_another_seed)
    assert "Process 1 would begin after 0 images and the first one after 0, or their settings" in said


def process_1_breaks(rank: int) -> None:
    def broken(self, step):
        raise RuntimeError("a bug\nof two lines")

    if rank == 1:
        loop.open_stream = lambda *given: type("Broken", (), {"digests": None, "limit": None, "first": broken})()


def test_a_process_that_breaks_ends_all_and_only_it_shows_a_traceback(tmp_path):
    with World(
        tmp_path, 3, "train", "--out", tmp_path / "run", *TINY, "--batch", "6", before=process_1_breaks
    ) as world:
        codes, said = world.codes(), world.said()
    assert codes == [2, 1, 2] and said.count("Traceback") == 1
    assert said.count("glowlite: Process 1 failed: a bug\n") == 1


# ---- a process that is gone ------------------------------------------------------------------------------------------


def wait_for(path: Path, world: World) -> None:
    end = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < end and all(each.is_alive() for each in world.processes), world.said()
        time.sleep(0.01)


@pytest.mark.parametrize(("killed", "number"), [(0, "SIGKILL"), (2, "SIGKILL"), (1, "SIGSTOP")])
def test_where_a_process_is_gone_all_end_with_one_sentence_and_the_run_goes_on(tmp_path, killed, number):
    out = tmp_path / "run"
    words = ("--out", out, "--images", "100000", "--checkpoint-minutes", "0")
    before = silent_for_2_seconds if number == "SIGSTOP" else None
    with World(tmp_path, 3, "train", *words, *TINY, "--batch", "6", before=before) as world:
        wait_for(out / runs.STATE, world)
        os.kill(world.processes[killed].pid, getattr(signal, number))
        left = [each for each in world.processes if each is not world.processes[killed]]
        begun = time.monotonic()
        for each in left:
            each.join(60)
        assert time.monotonic() - begun < 30, "the limit that docs/training.md states"
        said = world.said()
    assert [each.exitcode for each in left] == [1, 1] and "Traceback" not in said
    assert said.count(GONE) == 1 and f"the last good state is {out / runs.STATE}: start again with --resume" in said
    images = runs.read_run(out)[1]["images"]
    train_in(tmp_path, 2, "--out", out, "--resume", "--quiet", "--images", images + 24)
    assert runs.read_run(out)[1]["images"] == images + 24


def silent_for_2_seconds(rank: int) -> None:
    heartbeat.SILENCE = 2.0


def slow_disk(rank: int) -> None:
    """Writing a state takes much longer than a process may be silent."""
    heartbeat.SILENCE, heartbeat.BEAT, write = 2.0, 0.2, checkpoint.write_state

    def slowly(*args, **options):
        time.sleep(4.0)
        write(*args, **options)

    checkpoint.write_state = slowly


def test_a_slow_disk_ends_no_run(tmp_path):
    said = train_in(tmp_path, 2, "--out", tmp_path / "run", "--images", "16", *TINY, before=slow_disk)
    assert "16 images in" in said and GONE not in said


def test_processes_that_never_come_are_not_waited_for_long(tmp_path):
    with World(tmp_path, 2, "train", "--out", tmp_path / "run", *TINY, before=only_the_first_comes) as world:
        codes, said = world.codes(), world.said()
    assert codes == [2, 0] and said.count("did not find each other") == 1


def only_the_first_comes(rank: int) -> None:
    process.MEETING = 2.0
    if rank:
        os._exit(0)
