"""A run as a process: the signals that stop it, the lock of its folder, and the devices it uses."""

import logging
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

from glowlite.errors import GlowliteError, speaks
from glowlite.files import remove_unfinished
from glowlite.flows.base import allow_tf32
from glowlite.training.settings import TrainConfig

LOCK = ".lock"  # in a run's folder; the system frees it when the process ends, however it ends
MEETING = 120.0  # seconds until all processes of a run must have found each other
NOT_MET = (
    f"The processes of this run did not find each other within {MEETING:.0f} s: did all machines start, and do their "
    "firewalls let them connect? docs/training.md says more."
)
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
    except NotImplementedError:
        pass  # a file system without locks, such as a bucket of a cloud
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
    """Start Fabric on the devices asked for, or in torchrun's processes. Returns when all processes have met.

    All is float32; "tf32" lowers only the precision of matrix products.
    """
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it greets every process
    allow_tf32(config.precision == "tf32")
    devices, nodes = size_of_torchrun() if TorchElasticEnvironment.detect() else (config.devices, 1)
    if config.batch % (devices * nodes):
        raise GlowliteError(
            f"A batch of {config.batch} cannot be shared equally by {devices * nodes} processes: "
            "choose a --batch that is a multiple of their number, or another number of processes."
        )
    try:
        fabric = Fabric(
            accelerator=config.accelerator,
            devices=devices,
            num_nodes=nodes,
            precision="32-true",
            plugins=LightningEnvironment() if is_alone_in_slurm_job() else None,
        )
    except (RuntimeError, ValueError, MisconfigurationException) as error:
        raise GlowliteError(
            f"Cannot train on {devices} x {config.accelerator}: {str(error).splitlines()[0]}"
        ) from error
    late = threading.Timer(MEETING, end, [NOT_MET if speaks() else "", 2])
    late.daemon = True
    if devices * nodes > 1:
        late.start()
    try:
        fabric.launch()
    except RuntimeError as error:
        raise GlowliteError(f"{NOT_MET} ({str(error).splitlines()[0]})") from error
    finally:
        late.cancel()
    return fabric


def size_of_torchrun() -> tuple[int, int]:
    """(processes on each machine, machines) of the run that torchrun started."""
    here, world = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["WORLD_SIZE"])
    if world % here:
        raise GlowliteError(
            f"torchrun started {here} of {world} processes on this machine: let every machine have the same number, "
            "with --nproc-per-node."
        )
    return here, world // here


def require_same(fabric: Fabric, images: int, facts: dict) -> None:
    """GlowliteError where this process would take other steps than the first one."""
    first_images, first_facts = fabric.broadcast((images, facts))
    if (first_images, first_facts) != (images, facts):
        raise GlowliteError(
            f"Process {fabric.global_rank} would begin after {images:,} images and the first one after "
            f"{first_images:,}, or their settings or pictures differ: give all machines the same command, and the "
            "same folders of the run and of the pictures."
        )


def end(text: str, code: int) -> None:
    """End this process at once, from any of its threads, with a sentence or, where it is "", silently."""
    if text:
        tell(text)
    os._exit(code)


def tell(text: str) -> None:
    """Say a sentence below a progress bar, past the locks and buffers that another thread may hold."""
    with suppress(OSError):
        os.write(2, f"\nglowlite: {text}\n".encode())


def is_alone_in_slurm_job() -> bool:
    """Whether Slurm started this process alone. Fabric takes any job of several tasks for several processes."""
    alone = int(os.environ.get("SLURM_STEP_NUM_TASKS", 1)) == 1  # set by srun, which starts one process a task
    return "SLURM_NTASKS" in os.environ and alone and not TorchElasticEnvironment.detect()
