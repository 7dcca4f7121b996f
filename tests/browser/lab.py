"""A JupyterLab of our own over a copy of the notebooks, and what a test does with a notebook that is open in it."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page

from glowlab.serve import free_port

ROOT = Path(__file__).parents[2]
RUN = 600_000  # milliseconds for all cells of one notebook
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # every cell is on the page, also those out of sight
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "extensionmanager-extension/plugin": {"enabled": False},
}


class Lab:
    """`jupyter lab` in a process of its own: on loopback, behind a token, without a person's settings."""

    def __init__(self, folder: Path):
        self.folder = folder / "notebooks"
        aside = shutil.ignore_patterns(".ipynb_checkpoints")
        shutil.copytree(ROOT / "notebooks", self.folder, ignore=aside)
        for name, values in SETTINGS.items():
            path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        own = {
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "IPYTHONDIR": "ipython",
        }
        environment = os.environ | {name: str(folder / place) for name, place in own.items()}
        environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "JUPYTER_PREFER_ENV_PATH": "1"}
        self.token, self.log = secrets.token_hex(16), folder / "log.txt"
        self.address = f"http://127.0.0.1:{free_port('127.0.0.1', 0)}"
        options = [
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.address.rpartition(':')[2]}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.folder}",
            f"--IdentityProvider.token={self.token}",
            "--LabApp.extension_manager=readonly",
            "--expose-app-in-browser",
        ]
        with self.log.open("w") as log:
            command = [sys.executable, "-m", "jupyterlab", *options]
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        self._wait()

    def _wait(self) -> None:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.address}/api?token={self.token}", timeout=30).close()
                return
            except OSError:
                time.sleep(0.2)
            if self.process.poll() is not None:
                break
        self.stop()
        raise AssertionError(f"JupyterLab did not start:\n{self.log.read_text()}")

    def stop(self) -> None:
        """End it and its kernels."""
        self.process.terminate()
        self.process.wait(RUN / 1000)

    def open(self, page: Page, notebook: str) -> None:
        """Show a notebook, its kernel ready."""
        page.goto(f"{self.address}/lab/workspaces/{Path(notebook).stem}/tree/{notebook}?reset&token={self.token}")
        wait(
            page,
            """(() => {
                const panel = window.jupyterapp?.shell.currentWidget;
                return panel?.sessionContext?.session?.kernel?.status === "idle" && panel.content.model?.cells.length;
            })()""",
        )


def wait(page: Page, script: str) -> None:
    """Until the script gives true; AssertionError with the words of a dialog that JupyterLab opens instead."""
    dialog = "document.querySelector('.jp-Dialog')?.textContent"
    page.wait_for_function(f"() => {dialog} || {script}", timeout=RUN)
    assert not (words := page.evaluate(dialog)), words


def run_all(page: Page) -> None:
    """Run every cell, and wait until all are done and what they show is on the page."""
    page.evaluate(
        """() => {
            window.ended = null;
            const done = (value) => (window.ended = String(value));
            window.jupyterapp.commands.execute("notebook:run-all-cells").then(done, done);
        }"""
    )
    wait(page, "window.ended !== null")
    wait(
        page,
        """(() => {
            const busy = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status !== "idle";
            return !busy && ![...document.querySelectorAll(".jp-OutputArea")].some((area) =>
                area.textContent.includes("Loading widget"));
        })()""",
    )


def outputs(page: Page) -> list[dict]:
    """Of each code cell: id, first line, execution count, its outputs as a notebook would store them."""
    return page.evaluate(
        """() => [...window.jupyterapp.shell.currentWidget.content.widgets]
            .filter((cell) => cell.model.type === "code")
            .map((cell) => ({
                id: cell.model.id,
                line: cell.model.sharedModel.getSource().split("\\n")[0],
                count: cell.model.executionCount,
                outputs: cell.model.outputs.toJSON(),
            }))"""
    )


def set_theme(page: Page, name: str) -> None:
    """Light or Dark."""
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })",
        f"JupyterLab {name}",
    )
    wanted = str(name == "Light").lower()
    page.wait_for_function("light => document.body.dataset.jpThemeLight === light", arg=wanted)


def photograph(page: Page, folder: Path, name: str, piece: int = 1500) -> None:
    """The whole notebook, light and dark, in pictures of `piece` pixels' height."""
    width = page.viewport_size["width"]
    for theme in ("Dark", "Light"):
        set_theme(page, theme)
        area = page.locator(".jp-NotebookPanel-notebook .jp-WindowedPanel-outer")
        high = area.evaluate("area => area.scrollHeight")
        page.set_viewport_size({"width": width, "height": piece + 120})
        for number, top in enumerate(range(0, high, piece)):
            area.evaluate("(area, top) => (area.scrollTop = top)", top)
            page.wait_for_timeout(300)
            area.screenshot(path=folder / f"{name}-{theme.lower()}-{number:02}.png")
