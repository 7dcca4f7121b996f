"""A class at once on one server, in a real Chromium:  python -m benchmarks.visitors [1 10 40]

Each visitor is a page of its own that opens the same explorer, waits until all its pictures are drawn, and then drags a
slider beside all others. Browser and server share this machine's cores, which a class's own laptops would not: the
visitors' times are this machine's, the server's work and the kernels' memory are not.
"""

import argparse
import asyncio
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import mean, median, quantiles
from urllib.request import urlopen

import psutil

from benchmarks.servers import ALONE, FLAGS, Server, find_chromium
from glowlab.explorers import NAMES
from glowlab.explorers.models import MODELS
from glowlite.errors import GlowliteError

AWAKE = (
    "--disable-background-timer-throttling --disable-backgrounding-occluded-windows --disable-renderer-backgrounding"
).split()
PATIENCE = 300  # seconds that a visitor waits
MOVES, PAUSE = 12, 0.35  # of each visitor; seconds between two, more than the page takes as a rest
LOOK = 100  # milliseconds between two looks at a page waited for; one at each frame would keep the cores busy
LEFT = 90  # seconds after which no kernel should be left
SEEN = "() => document.querySelector('#explorer h1')?.checkVisibility()"
LIVE = "() => document.querySelector('html.gl-ready [data-state=resting]')"
# Milliseconds from a step of the first slider until a picture has changed.
MOVE = """() => new Promise((done) => {
    const input = document.querySelector("#explorer input[type=range]");
    const up = Number(input.value) + 3 * Number(input.step) <= Number(input.max);
    const start = performance.now();
    const seen = new MutationObserver(() => {
        seen.disconnect();
        done(performance.now() - start);
    });
    seen.observe(document.querySelector("#explorer"), { subtree: true, attributeFilter: ["data-frame"] });
    input.value = up ? Number(input.value) + Number(input.step) : input.min;
    input.dispatchEvent(new Event("input", { bubbles: true }));
})"""
COLUMNS = {
    "visitors": "of them with a live page, with a kernel",
    "seen s": "until title and words are there: median, the slowest",
    "live s": "until every picture is drawn and measured: median, the slowest",
    "move ms": "slider to picture, while all move: median, 95 % within",
    "core ms": "what server and kernels compute for a visitor to come, for a move of one visitor",
    "MB": "a kernel's memory: its share (PSS), and all it holds (RSS)",
    "left": f"kernels that are left {LEFT} s after all have gone",
}


@dataclass
class Round:
    """What happened to so many visitors at once."""

    visitors: int
    seen: list[float] = field(default_factory=list)  # seconds
    live: list[float] = field(default_factory=list)
    moves: list[float] = field(default_factory=list)  # milliseconds
    work: float = 0.0  # milliseconds of a core for a visitor to come
    work_move: float = 0.0  # and for a move
    share: list[float] = field(default_factory=list)  # MB of each kernel
    whole: list[float] = field(default_factory=list)
    left: int = -1

    def row(self) -> dict[str, str]:
        """The cells of COLUMNS."""
        slow = quantiles(self.moves, n=20, method="inclusive")[-1] if len(self.moves) > 1 else float("nan")
        return {
            "visitors": f"{self.visitors}: {len(self.live)}, {len(self.share)}",
            "seen s": f"{median(self.seen):.1f}, {max(self.seen):.1f}" if self.seen else "-",
            "live s": f"{median(self.live):.1f}, {max(self.live):.1f}" if self.live else "-",
            "move ms": f"{median(self.moves):.0f}, {slow:.0f}" if self.moves else "-",
            "core ms": f"{self.work:.0f}, {self.work_move:.1f}",
            "MB": f"{mean(self.share):.0f}, {mean(self.whole):.0f}" if self.share else "-",
            "left": str(self.left),
        }


async def visit(browser, address: str, found: Round, pages: list, all_here: asyncio.Event) -> None:
    """One visitor: arrive, wait for the others, move the slider, stay."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    pages.append(context)
    tab = await context.new_page()
    tab.set_default_timeout(1000 * PATIENCE)
    start = time.perf_counter()
    try:
        await tab.goto(address, wait_until="commit")
        await tab.wait_for_function(SEEN, polling=LOOK)
        found.seen.append(time.perf_counter() - start)
        await tab.wait_for_function(LIVE, polling=LOOK)
        found.live.append(time.perf_counter() - start)
        await all_here.wait()
        for _ in range(MOVES):
            found.moves.append(await tab.evaluate(MOVE))
            await asyncio.sleep(PAUSE)
    except Exception as error:  # a visitor who gives up is a result
        print(f"a visitor gave up: {str(error).splitlines()[0]}", file=sys.stderr)


async def come(playwright, server: Server, address: str, count: int) -> Round:
    """So many visitors at once; then they leave."""
    found, pages, all_here = Round(count), [], asyncio.Event()
    browser = await playwright.chromium.launch(executable_path=find_chromium(), args=[*FLAGS, *AWAKE, ALONE])
    before = server.worked()
    visits = [asyncio.create_task(visit(browser, address, found, pages, all_here)) for _ in range(count)]
    while len(found.live) + sum(task.done() for task in visits) < count:
        await asyncio.sleep(0.2)
    arrived = server.worked()
    while True:  # until the kernels of all are there, too
        await asyncio.sleep(5)
        now = server.worked()
        if now - arrived < 0.1:
            break
        arrived = now
    found.work = 1000 * (arrived - before) / count
    for kernel in server.kernels():
        with suppress(psutil.NoSuchProcess):
            known = kernel.memory_full_info()
            found.share.append(getattr(known, "pss", known.uss) / 2**20)
            found.whole.append(known.rss / 2**20)
    arrived = server.worked()
    all_here.set()
    await asyncio.gather(*visits)
    found.work_move = 1000 * (server.worked() - arrived) / max(1, len(found.moves))
    for context in pages:
        await context.close()
    await browser.close()
    start = time.perf_counter()
    while server.kernels() and time.perf_counter() - start < LEFT:
        await asyncio.sleep(1)
    found.left = len(server.kernels())
    return found


async def measure(counts: list[int], name: str) -> str:
    """A table with a row for each number of visitors."""
    from playwright.async_api import async_playwright

    rows = []
    async with async_playwright() as playwright:
        for count in counts:
            server = Server("", "--visitors", str(2 * count))  # a new one, so that none inherits another's load
            try:
                for model in MODELS:  # which are made when they are first asked for
                    await asyncio.to_thread(urlopen, f"{server.address}models/{model}.bin")
                await asyncio.sleep(5)
                rows.append((await come(playwright, server, f"{server.address}explore/{name}", count)).row())
                print(rows[-1], file=sys.stderr, flush=True)
            finally:
                server.stop()
    widths = {column: max(len(column), *(len(row[column]) for row in rows)) for column in COLUMNS}
    lines = [
        "  ".join(row[column].rjust(widths[column]) for column in COLUMNS) for row in [{c: c for c in COLUMNS}, *rows]
    ]
    machine = f"{name}; {os.cpu_count()} cores for server and browser together, load average {os.getloadavg()[0]:.1f}"
    return "\n".join([machine, *(f"{column}: {words}" for column, words in COLUMNS.items()), "", *lines])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.visitors", description=__doc__.splitlines()[0])
    parser.add_argument("counts", type=int, nargs="*", default=[1, 10, 40])
    parser.add_argument("--explorer", choices=NAMES, default="temperature")
    options = parser.parse_args()
    try:
        print(asyncio.run(measure(options.counts, options.explorer)))
    except GlowliteError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
