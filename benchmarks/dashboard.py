"""Slider to new picture, and page load, in a real Chromium:  python -m benchmarks.dashboard

Times are taken inside the page: from the slider's input event to the moment the picture has changed. In the same run,
turn by turn, the plainest way is measured as a yardstick: ipywidgets' `interact` around a function that returns the
picture.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median, quantiles

from glowlite.errors import GlowliteError

ROOT = Path(__file__).parents[1]
LONG = 300  # seconds
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()

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

# Each moves its slider by one step and gives the milliseconds until the picture has changed.
MOVE_STUDIO = """(up) => new Promise((done, fail) => {
    setTimeout(() => fail(new Error("the picture did not change")), 60000);
    const input = document.querySelector(".gl-sliders input[type=range]");
    const canvas = document.querySelector(".gl-pair > :nth-child(2) canvas");
    const start = performance.now();
    new MutationObserver((changes, observer) => {
        observer.disconnect();
        done(performance.now() - start);
    }).observe(canvas, { attributeFilter: ["data-frame"] });
    input.value = Number(input.value) + (up ? 0.02 : -0.02);
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
READY_STUDIO = ".gl-pair > :nth-child(2) canvas.gl-drawn"
READY_PLAIN = "#rendered_cells img"


class Server:
    """`python -m glowlite.explorers.serve` in a process of its own, on a free port; `lines` is what it printed."""

    def __init__(self, dashboard: str = "studio"):
        options = ["--port", "0", "--no-browser", "--dashboard", dashboard]
        command = [sys.executable, "-m", "glowlite.explorers.serve", *options]
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


def load(browser, address: str, ready: str):
    """Open a page of its own: (page, seconds until the first picture is drawn)."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.set_default_timeout(1000 * LONG)
    start = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(f"{ready}, .gl-sorry, .gl-notice:not([hidden])")
    seconds = time.perf_counter() - start
    if page.locator(ready).count() == 0:
        raise GlowliteError(f"{address} shows no picture but: {page.locator('#rendered_cells').inner_text()}")
    return page, seconds


def moves(page, script: str, count: int, pause: float) -> list[float]:
    """Milliseconds of `count` moves, up and down by turns of ten; `pause` seconds between them."""
    times = []
    for i in range(count):
        times.append(page.evaluate(script, (i // 10) % 2 == 0))
        time.sleep(pause)
    return times


def row(name: str, times: list[float], cold: float, warm: float) -> str:
    high = quantiles(times, n=20, method="inclusive")[-1]
    return f"{name:22} {median(times):9.0f} {high:9.0f} {min(times):9.0f} {cold:10.1f} {warm:10.1f}"


def measure(count: int = 60, rounds: int = 3, pause: float = 0.05) -> str:
    """Run everything and return the table."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        version = browser.version
        kinds = {
            "studio": ("studio", MOVE_STUDIO, READY_STUDIO),
            "plain interact": (write_plain(folder), MOVE_PLAIN, READY_PLAIN),
        }
        servers, pages, loads, times = {}, {}, {}, {name: [] for name in kinds}
        try:
            for name, (dashboard, script, ready) in kinds.items():
                servers[name] = Server(dashboard)
                first, cold = load(browser, servers[name].address, ready)  # its kernel starts with the server
                first.context.close()
                time.sleep(15)  # the kernel for the next visitor is made meanwhile
                pages[name], warm = load(browser, servers[name].address, ready)
                loads[name] = cold, warm
                if name == "studio":  # from the middle, so that no move ends at the slider's end
                    pages[name].get_by_role("button", name="Reset", exact=True).click()
                    time.sleep(2)
                moves(pages[name], script, 10, pause)
            for _ in range(rounds):  # by turns, so that other work on the machine falls on both
                for name, (_, script, _) in kinds.items():
                    pages[name].bring_to_front()
                    times[name] += moves(pages[name], script, -(-count // rounds), pause)
        finally:
            browser.close()
            for server in servers.values():
                server.stop()
    heads = ("median ms", "95 % ms", "least ms", "cold s", "warm s")
    lines = [
        f"slider to new picture, {len(times['studio'])} moves; page load to first picture (cold: server just started)",
        f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}, Chromium {version}",
        "",
        f"{'':22} {heads[0]:>9} {heads[1]:>9} {heads[2]:>9} {heads[3]:>10} {heads[4]:>10}",
        *(row(name, times[name], *loads[name]) for name in kinds),
    ]
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
