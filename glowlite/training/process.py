"""A run as a process: the signals that stop it, the lock of its folder, and the devices it uses."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import LightningEnvironment, TorchElasticEnvironment
from lightning_fabric.utilities.exceptions import MisconfigurationException
from lightning_fabric.utilities.rank_zero import rank_zero_only

from glowlite.errors import GlowliteError
from glowlite.files import remove_unfinished
from glowlite.flows.base import allow_tf32
from glowlite.training.settings import TrainConfig

LOCK = ".lock"  # in a run's folder; the system frees it when the process ends, however it ends
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # Ctrl-C, `kill`, a closed terminal, and that of Windows


class StopRequest:
    """Notes Ctrl-C, SIGTERM and a closed terminal, so that the loop stops between two steps.

    A second Ctrl-C ends at once. A signal that is ignored, as `nohup` ignores SIGHUP, stays ignored.
    """

    def __init__(self):
        self.signal, self.handlers = 0, {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():  # Python allows handlers nowhere else
            for number in [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self.handlers[number] = signal.signal(number, self.ask)
        return self

    def __exit__(self, *error):
        for number, handler in self.handlers.items():
            signal.signal(number, handler)

    def ask(self, number, frame):
        if self.signal and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = self.signal or number


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keep a run's folder for this process; GlowliteError where another one has it. A folder left empty is removed.

    Of a run's processes the first has the lock. It removes what an earlier one had half written when it was killed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, locked(Path(folder) / "run"):
    ...     (Path(folder) / "run").is_dir()
    True
    """
    if rank_zero_only.rank != 0:
        yield
        return
    made = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise GlowliteError(
            f"Another training is at work in {out}: wait for its end, or choose another --out."
        ) from None
    except PermissionError as error:
        raise GlowliteError(f"{out} cannot be written ({error.strerror}): choose another --out.") from None
    try:
        remove_unfinished(out, age=0)
        yield
    finally:
        lock.release()
        with suppress(OSError):
            if all(file.name == LOCK for file in out.iterdir()):
                (out / LOCK).unlink(missing_ok=True)
                if made:
                    out.rmdir()


def start_fabric(config: TrainConfig) -> Fabric:
    """Start Fabric on the devices asked for, in float32; "tf32" lowers only the precision of matrix products."""
    allow_tf32(config.precision == "tf32")
    try:
        fabric = Fabric(
            accelerator=config.accelerator,
            devices=config.devices,
            precision="32-true",
            plugins=LightningEnvironment() if is_alone_in_slurm_job() else None,
        )
    except (RuntimeError, ValueError, MisconfigurationException) as error:
        raise GlowliteError(
            f"Cannot train on {config.devices} x {config.accelerator}: {str(error).splitlines()[0]}"
        ) from error
    fabric.launch()
    return fabric


def is_alone_in_slurm_job() -> bool:
    """Whether Slurm started this process alone. Fabric takes any job of several tasks for several processes."""
    alone = int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) == 1  # set by srun, which starts one process a task
    return "SLURM_NTASKS" in os.environ and alone and not TorchElasticEnvironment.detect()
