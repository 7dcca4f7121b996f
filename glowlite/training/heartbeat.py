"""Heartbeat between a run's processes: where one fails or is gone, all end, with one sentence on each machine.

A thread of each process exchanges a short message with all others every second, over gloo, whatever the training is
busy with: a validation or a slow disk stops no beat. So a collective of the training itself may wait for as long as
all are alive.
"""

import secrets
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import distributed

from glowlite.errors import GlowliteError
from glowlite.training.process import end, tell

BEAT = 1.0  # seconds between two messages
SILENCE = 15.0  # seconds after which a process that does not answer is taken for dead
LENGTH = 1000  # bytes of a message
WORKING, DONE = "", "done"  # messages; any other tells a mistake
PATIENCE = 3.0  # seconds in which it must show whether an error comes from a process that is gone


class Heartbeat:
    """Context in which the processes of `fabric` watch each other. One process alone watches nobody.

    gone: called for the sentence to end with when a process is gone. Leaving waits until all have left, and ends the
    group of processes: one that exits within it may be aborted by the threads of its messages, or wait for ever.

    >>> with Heartbeat(Fabric(accelerator="cpu", devices=1), gone=lambda: "start again with --resume."):
    ...     pass  # one process trains
    """

    def __init__(self, fabric: Fabric, gone: Callable[[], str]):
        self.world, self.rank, self.gone = fabric.world_size, fabric.global_rank, gone
        self.message, self.changed = WORKING, threading.Event()
        if self.world > 1:
            self.group = distributed.new_group(backend="gloo", timeout=timedelta(seconds=SILENCE))
            # the right to speak for a machine is a file: who removes it speaks
            self.right = Path(tempfile.gettempdir()) / f"glowlite-{fabric.broadcast(secrets.token_hex(8))}"
            self.right.touch()
            fabric.barrier()
            self.thread = threading.Thread(target=self.beat, daemon=True)

    def __enter__(self):
        if self.world > 1:
            self.thread.start()
        return self

    def __exit__(self, kind, error, trace):
        if self.world == 1 or isinstance(error, KeyboardInterrupt):
            return
        if isinstance(error, Exception) and not isinstance(error, GlowliteError):
            self.thread.join(PATIENCE)  # which ends this process if another one is gone
        if error is not None and self.may_speak():  # before the others hear of it, and before the file goes
            tell(self.words(error))
        if isinstance(error, GlowliteError):
            error.told = True
        self.say(DONE if error is None else self.words(error))
        self.thread.join()
        self.right.unlink(missing_ok=True)
        distributed.destroy_process_group()

    def words(self, error: BaseException) -> str:
        if isinstance(error, GlowliteError):
            return str(error)
        return f"Process {self.rank} failed: {(str(error).splitlines() or [type(error).__name__])[0]}"

    def say(self, message: str) -> None:
        """Send another message from now on."""
        self.message = message
        self.changed.set()

    def beat(self) -> None:
        """Exchange messages until all are done, or one of them tells a mistake, or no answer comes."""
        heard = [torch.zeros(LENGTH, dtype=torch.uint8) for _ in range(self.world)]
        while True:
            mine = self.message
            self.changed.clear()
            own = mine.encode()[:LENGTH].ljust(LENGTH, b"\0")
            try:
                distributed.all_gather(heard, torch.frombuffer(bytearray(own), dtype=torch.uint8), self.group)
            except RuntimeError:
                return self.end(f"Another process of this run, its machine or its network is gone; {self.gone()}", 1)
            messages = [bytes(one.tolist()).rstrip(b"\0").decode(errors="ignore") for one in heard]
            mistakes = [message for message in messages if message not in (WORKING, DONE)]
            if mine not in (WORKING, DONE) or all(message == DONE for message in messages):
                return None  # the main thread goes on, or raises its mistake
            if mistakes:
                return self.end(mistakes[0], 2)
            self.changed.wait(BEAT)

    def may_speak(self) -> bool:
        """Whether no other process of this machine has spoken."""
        with suppress(FileNotFoundError):
            self.right.unlink()
            return True
        return False

    def end(self, text: str, code: int) -> None:
        end(text if self.may_speak() else "", code)
