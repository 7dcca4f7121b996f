"""Slider to new picture, page load and memory, in a real Chromium:  python -m benchmarks.dashboard

Times are taken inside the page: from the slider's input event to the moment the picture has changed. In the same run,
turn by turn, the plainest way is measured as a yardstick: ipywidgets' `interact` around a function that returns the
picture, served by Voila as it comes. A class at once is in benchmarks/visitors.py.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import psutil

from glowlite.errors import GlowliteError

ROOT = Path(__file__).parents[1]
LONG = 300  # seconds
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
ALONE = (
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"  # what asks another host is refused at once
)

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

# Moves a slider by one step and gives the milliseconds until a picture has changed.
MOVE = """(up) => new Promise((done, fail) => {
    setTimeout(() => fail(new Error("the picture did not change")), 60000);
    const input = document.querySelector("#rendered_cells SLIDER");
    const canvas = document.querySelector("#rendered_cells PICTURE");
    const old = canvas.toDataURL();
    const start = performance.now();
    new MutationObserver((changes, observer) => {
        if (canvas.toDataURL() === old) return;
        observer.disconnect();
        done(performance.now() - start);
    }).observe(canvas, { attributeFilter: ["data-frame"] });
    input.value = Number(input.value) + (up ? STEP : -STEP);
    input.dispatchEvent(new Event("input", { bubbles: true }));
})"""
MOVE_PLAIN = """(up) => new Promise((done, fail) => {
    setTimeout(() => fail(new Error("the picture did not change")), 60000);
    const handle = document.querySelector(".noUi-handle");
    const area = document.querySelector("#rendered_cells");
    const old = area.querySelector("img")?.src;
    const start = performance.now();
    new MutationObserver((changes, observer) => {
        const now = area.querySelector("img")?.src;
        if (!now || now === old) return;
        observer.disconnect();
        done(performance.now() - start);
    }).observe(area, { subtree: true, childList: true, attributes: true });
    const key = up ? "ArrowRight" : "ArrowLeft";
    handle.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
})"""


class Page(NamedTuple):
    """Where an explorer is; functions for the page: the first picture is there, the live one is there, a move."""

    path: str
    first: str
    live: str
    move: str


def page_of(name: str, slider: str, picture: str, step: float) -> Page:
    """An explorer of ours; its film's picture is its first."""
    drawn = f"{picture}[data-frame]"
    return Page(
        f"explore/{name}",
        f"() => [...document.querySelectorAll('{drawn}')].some((canvas) => canvas.checkVisibility())",
        f"() => document.querySelector('html.gl-live #rendered_cells {drawn}')?.checkVisibility()",
        MOVE.replace("SLIDER", slider).replace("PICTURE", picture).replace("STEP", str(step)),
    )


EXPLORERS = {
    "temperature": page_of("temperature", ".gl-side > .gl-slider input", ".gl-grid .gl-tile canvas", 0.05),
    "interpolation": page_of(
        "interpolation", ".gl-row > .gl-slider input", ".gl-trio > :nth-child(2) canvas", 0.01
    ),
    "attributes": page_of(
        "attributes", ".gl-sliders .gl-slider input", ".gl-trio > :nth-child(2) canvas", 0.02
    ),
    "studio": page_of("studio", ".gl-sliders .gl-slider input", ".gl-pair > :nth-child(2) canvas", 0.02),
}
SEEN = "() => document.querySelector('#rendered_cells img')?.checkVisibility()"
PLAIN_PAGE = Page("", SEEN, SEEN, MOVE_PLAIN)


class Server:
    """`python -m glowlite.explorers.serve` in a process of its own, on a free port; `lines` is what it printed.

    `address` is what it says it is at: the first page, an explorer given by name, or a notebook given by path.
    """

    def __init__(self, dashboard: str = "", *options: str, port: int = 0):
        chosen = ["--dashboard", dashboard] if dashboard else []
        given = ["--port", str(port), "--no-browser", *chosen, *options]
        command = [sys.executable, "-m", "glowlite.explorers.serve", *given]
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


def find_chromium() -> str:
    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"):
        if name and (path := shutil.which(name)):
            return path
    raise GlowliteError("no Chromium found: install it, or name one in the environment variable CHROMIUM")


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
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.terminate()
        self.process.wait(LONG)
        for kernel in family:
            if kernel.is_running():
                kernel.kill()


def kernels(server: Server) -> list[psutil.Process]:
    """The processes of visitors, and of whom waits for the next one."""
    family = psutil.Process(server.process.pid).children(recursive=True)
    return [
        p for p in family if p.name().startswith("glow-") or "ipykernel_launcher" in " ".join(p.cmdline())
    ]


def memory(server: Server) -> float:
    """All that the server and its kernels take, in MB; what processes share is counted once."""
    family = [psutil.Process(server.process.pid)]
    family += family[0].children(recursive=True)
    total = 0
    for process in family:
        try:
            known = process.memory_full_info()
        except psutil.NoSuchProcess:
            continue
        total += getattr(known, "pss", known.uss)
    return total / 2**20


def load(browser, address: str, page: Page):
    """Open a page of its own: (page, seconds until the first picture, until the first live one)."""
    tab = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    tab.set_default_timeout(1000 * LONG)
    start = time.perf_counter()
    tab.goto(address + page.path, wait_until="commit")
    tab.wait_for_function(page.first)
    first = time.perf_counter() - start
    tab.wait_for_function(page.live)
    return tab, first, time.perf_counter() - start


def moves(tab, script: str, count: int, pause: float) -> list[float]:
    """Milliseconds of `count` moves, up and down by turns of ten; `pause` seconds between them."""
    times = []
    for i in range(count):
        times.append(tab.evaluate(script, (i // 10) % 2 == 0))
        time.sleep(pause)
    return times


def measure(count: int = 60, rounds: int = 3, pause: float = 0.05) -> str:
    """Run everything and return the table."""
    from playwright.sync_api import sync_playwright

    names = ("median ms", "95 % ms", "least ms", "first s", "live s", "first s", "live s", "MB")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*FLAGS, ALONE])
        machine = f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}, Chromium {browser.version}"
        kinds = {**EXPLORERS, "plain interact": PLAIN_PAGE}
        loads, times, sizes, tabs, servers = {}, {name: [] for name in kinds}, {}, {}, []
        try:
            for name, page in kinds.items():
                # A server of its own for each, so that "cold" is the first visitor that a server ever had.
                server = Plain(write_plain(folder)) if page is PLAIN_PAGE else Server()
                servers.append(server)
                visitor, *cold = load(browser, server.address, page)
                visitor.context.close()
                time.sleep(15)  # whatever is made ready for the next visitor is made meanwhile
                before, waiting = memory(server), len(kernels(server))
                tabs[name], *warm = load(browser, server.address, page)
                loads[name] = cold + warm
                print(f"{name}: cold {cold[1]:.1f} s, warm {warm[1]:.1f} s", file=sys.stderr, flush=True)
                if name == "studio" or name == "attributes":  # so that no move ends at the slider's end
                    tabs[name].get_by_role("button", name="Reset", exact=True).click()
                    time.sleep(3)
                moves(tabs[name], page.move, 20, pause)  # there and back
                time.sleep(5)
                sizes[name] = (memory(server) - before) / max(1, len(kernels(server)) - waiting)
            for _ in range(rounds):  # by turns, so that other work on the machine falls on all
                for name, page in kinds.items():
                    tabs[name].bring_to_front()
                    times[name] += moves(tabs[name], page.move, -(-count // rounds), pause)
        finally:
            browser.close()
            for server in servers:
                server.stop()
    lines = [
        f"slider to new picture, {len(times['studio'])} moves; page load to the first and to the first live picture; "
        "memory of a visitor",
        machine,
        "",
        f"{'':30}{'slider to picture':>20}{'cold: server just started':>28}{'warm':>20}",
        f"{'':16}" + "".join(f"{name:>10}" for name in names),
    ]
    for name, found in times.items():
        slow = quantiles(found, n=20, method="inclusive")[-1]
        numbers = [*(f"{value:.0f}" for value in (median(found), slow, min(found)))]
        numbers += [f"{value:.1f}" for value in loads[name]] + [f"{sizes[name]:.0f}"]
        lines.append(f"{name:16}" + "".join(f"{number:>10}" for number in numbers))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dashboard", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--moves", type=int, default=60)
    try:
        print(measure(parser.parse_args().moves))
    except GlowliteError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
