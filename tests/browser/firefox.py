"""A real Firefox, as distributions pack it, driven through its Marionette port; Playwright needs its own."""

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path

from tests.glowlite.training.world import free_port

NAMES = ("firefox-esr", "firefox")
SECONDS = 120  # until it is there, and for a page or a script


def find_firefox() -> str | None:
    """The path of a Firefox; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Firefox:
    """A browser without a window; RuntimeError where it says that something went wrong.

    Each command is [0, number, name, parameters], each answer [1, number, error, result], as JSON behind its length
    (firefox-source-docs.mozilla.org/testing/marionette/Protocol.html). Commands are those of WebDriver.
    """

    def __init__(self, program: str, profile: Path):
        port = free_port()
        (profile / "user.js").write_text(f'user_pref("marionette.port", {port});\n')
        command = [program, "--headless", "--no-remote", "--marionette", "--profile", str(profile)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.number = 0
        self.socket = self._connect(port)
        self.answers = self.socket.makefile("rb")
        self._read()  # it greets
        self.ask("WebDriver:NewSession")
        self.ask("WebDriver:SetTimeouts", script=SECONDS * 1000, pageLoad=SECONDS * 1000)

    def _connect(self, port: int) -> socket.socket:
        end = time.monotonic() + SECONDS
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), SECONDS)
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    self.stop()
                    raise
                time.sleep(0.2)

    def _read(self):
        length = b""
        while not length.endswith(b":"):
            length += self.answers.read(1)
        return json.loads(self.answers.read(int(length[:-1])))

    def ask(self, name: str, **parameters):
        """The result of a command."""
        self.number += 1
        content = json.dumps([0, self.number, name, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(content), content))
        _, _, error, result = self._read()
        if error:
            raise RuntimeError(f"{name}: {error['message']}")
        return result

    def open(self, address: str) -> None:
        self.ask("WebDriver:Navigate", url=address)

    def run(self, body: str, *given):
        """What an asynchronous function of JavaScript with this body gives; `given` is its array of arguments."""
        script = f"""const given = [...arguments], done = given.pop();
            (async () => {{ {body} }})().then(done, (error) => done({{ error: String(error) }}));"""
        found = self.ask("WebDriver:ExecuteAsyncScript", script=script, args=list(given))["value"]
        if isinstance(found, dict) and "error" in found:
            raise RuntimeError(found["error"])
        return found

    def press(self, selector: str, keys: str) -> None:
        """Type keys into an element."""
        found = self.ask("WebDriver:FindElement", using="css selector", value=selector)["value"]
        self.ask("WebDriver:ElementSendKeys", id=next(iter(found.values())), text=keys)

    def stop(self) -> None:
        if self.number:
            self.answers.close()
            self.socket.close()
        self.process.terminate()
        self.process.wait()
