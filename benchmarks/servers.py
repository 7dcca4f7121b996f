"""What the benchmarks of pages run, and the tests of pages with them: a server in a process of its own, a Chromium."""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil

from glowlite.errors import GlowliteError

ROOT = Path(__file__).parents[1]
LONG = 300  # seconds
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"  # what asks another host is refused at once

PLAIN = """\
import torch
from ipywidgets import interact
from PIL import Image
from glowlite import checkpoint, latents
from glowlite.data import faces

model, directions = checkpoint.load("faces64"), checkpoint.load_directions("faces64")
start = model.encode(faces.draw(1, seed=7).images)

@interact(amount=(-1.0, 1.0, 0.02))
def show(amount=0.0):
    image = model.decode(latents.add(start, directions["smile"], amount))[0]
    return Image.fromarray(image.permute(1, 2, 0).numpy()).resize((256, 256))
"""


def find_chromium() -> str:
    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        if name and (path := shutil.which(name)):
            return path
    raise GlowliteError("no Chromium found: install it, or name one in the environment variable CHROMIUM")


class Server:
    """`glowlite explore` in a process of its own, on a free port; `lines` is what it printed.

    `address` is what it says it is at: the first page, an explorer given by name, or a notebook given by path.
    """

    def __init__(self, dashboard: str = "", *options: str, port: int = 0):
        chosen = ["--dashboard", dashboard] if dashboard else []
        given = ["--port", str(port), "--no-browser", *chosen, *options]
        command = [sys.executable, "-m", "glowlite", "explore", *given]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=subprocess.STDOUT, text=True)
        self.lines: list[str] = []
        self._answers = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._answers.wait(LONG)
        found = re.search(r"http://\S+", "".join(self.lines))
        if found is None:
            self.stop()
            raise GlowliteError("the server did not start: " + "".join(self.lines))
        self.address = found.group()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line)
            if "http://" in line:
                self._answers.set()
        self._answers.set()

    def stop(self) -> None:
        """End it and its kernels."""
        self.process.terminate()
        self.process.wait(LONG)
        self._reader.join()
        self.process.stdout.close()

    def kernels(self) -> list[psutil.Process]:
        """The processes of visitors."""
        found = []
        for child in self.family()[1:]:
            with suppress(psutil.NoSuchProcess):  # it has just ended
                ours = child.name().startswith("glow-") or "ipykernel_launcher" in " ".join(child.cmdline())
                if ours and child.status() != psutil.STATUS_ZOMBIE:
                    found.append(child)
        return found

    def family(self) -> list[psutil.Process]:
        """The server and all that it started."""
        server = psutil.Process(self.process.pid)
        return [server, *server.children(recursive=True)]

    def memory(self) -> float:
        """All that the server and its kernels take, in MB; what processes share is counted once."""
        total = 0
        for process in self.family():
            with suppress(psutil.NoSuchProcess):
                known = process.memory_full_info()
                total += getattr(known, "pss", known.uss)
        return total / 2**20

    def worked(self) -> float:
        """Seconds of a core that the server and the kernels there now have used."""
        total = 0.0
        for process in self.family():
            with suppress(psutil.NoSuchProcess):
                total += sum(process.cpu_times()[:2])
        return total


def write_plain(folder: str) -> str:
    """The yardstick's notebook."""
    import nbformat

    path = Path(folder) / "plain.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(PLAIN)]), path)
    return str(path)


class Plain(Server):
    """Voila as it comes, with a notebook of one's own."""

    def __init__(self, notebook: str):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "-m", "voila", notebook, "--no-browser", f"--port={port}"]
        env = os.environ | {"OMP_NUM_THREADS": "1"}
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=quiet, stderr=quiet)
        self.address = f"http://127.0.0.1:{port}/"
        for _ in range(LONG):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.5)
        raise GlowliteError("Voila did not start")

    def stop(self) -> None:
        """End it and its kernels."""
        family = self.family()[1:]
        self.process.terminate()
        self.process.wait(LONG)
        for kernel in family:
            if kernel.is_running():
                kernel.kill()
