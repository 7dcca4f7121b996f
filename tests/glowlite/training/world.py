"""Processes of one run, started as torchrun starts them but forked from one that has loaded PyTorch already."""

import multiprocessing
import os
import random
import socket
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from glowlite import cli

LIMIT = 120  # seconds for all processes of a test


def free_port() -> int:
    """A port that is free, and that no other test gets by asking the system for any: those lie above 32767."""
    for port in random.SystemRandom().sample(range(20000, 32768), 100):
        with closing(socket.socket()) as place, suppress(OSError):
            place.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


def member(rank: int, size: int, port: int, words: list[str], log: str, before: Callable[[int], None] | None) -> None:
    """`glowlite words` as process `rank` of `size`, its output in a file; before(rank) is called first."""
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size),
        "GROUP_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "TORCHELASTIC_RUN_ID": "test",
    }  # fmt: skip
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(output, stream)
    if before:
        before(rank)
    cli.main(words)


class World:
    """`size` processes of one `glowlite` command; what they say goes into one file."""

    def __init__(self, folder: Path, size: int, *words, before: Callable[[int], None] | None = None):
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["glowlite.training.loop", "glowlite.data.faces", "safetensors.torch"])
        self.log, port = folder / f"said {time.monotonic()}.txt", free_port()
        words = [str(word) for word in words]
        self.processes = [
            context.Process(target=member, args=(rank, size, port, words, str(self.log), before))
            for rank in range(size)
        ]
        for process in self.processes:
            process.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for process in self.processes:
            process.kill()
            process.join()

    def codes(self) -> list[int]:
        """Exit codes, once all have ended."""
        end = time.monotonic() + LIMIT
        for process in self.processes:
            process.join(max(0.0, end - time.monotonic()))
        return [process.exitcode for process in self.processes]

    def said(self) -> str:
        return self.log.read_text(errors="replace")


def train_in(folder: Path, size: int, *words, before=None) -> str:
    """What `glowlite train words` of so many processes said, once it has ended well."""
    with World(folder, size, "train", *words, before=before) as world:
        codes = world.codes()
        assert codes == [0] * size, world.said()
        return world.said()
