"""What the benchmarks of pages run, and the tests of pages with them: a server in a process of its own, a Chromium."""

import os
import re
import shutil
import subprocess
import sys
import threading
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
                ours = "ipykernel_launcher" in " ".join(child.cmdline())
                if ours and child.status() != psutil.STATUS_ZOMBIE:
                    found.append(child)
        return found

    def family(self) -> list[psutil.Process]:
        """The server and all that it started."""
        server = psutil.Process(self.process.pid)
        return [server, *server.children(recursive=True)]

    def worked(self) -> float:
        """Seconds of a core that the server and the kernels there now have used."""
        total = 0.0
        for process in self.family():
            with suppress(psutil.NoSuchProcess):
                total += sum(process.cpu_times()[:2])
        return total
