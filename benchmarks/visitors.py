"""A class at once, in a real Chromium:  python -m benchmarks.visitors [1 5 10 20 40]

Each visitor is a page of its own that opens the same explorer, waits for its first and its first live picture, then
drags a slider through a state of its own beside all others, as in benchmarks/dashboard.py, only more slowly; of the
temperature's sixteen faces the first is waited for. Browser and server share this machine's cores, which a class's own
laptops would not. The same is done with a plain `interact` dashboard, served by Voila as it comes from the box.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from statistics import median, quantiles

from benchmarks.dashboard import ENOUGH, EXPLORERS, MOVES, PLAIN_PAGE, Move, Page
from benchmarks.servers import ALONE, FLAGS, Plain, Server, find_chromium, write_plain
from glowlite.errors import GlowliteError

AWAKE = (
    "--disable-background-timer-throttling --disable-backgrounding-occluded-windows --disable-renderer-backgrounding"
).split()
PATIENCE = 240  # seconds that a visitor waits
PAUSE = 0.35  # seconds between two moves, more than the page pauses
LOOK = 100  # milliseconds between two looks at a page waited for; one at each frame would keep the cores busy


@dataclass
class Round:
    """What happened to so many visitors at once; seconds, milliseconds, MB."""

    visitors: int
    first: list[float] = field(default_factory=list)  # seconds to the first picture
    live: list[float] = field(default_factory=list)  # seconds to the first live one
    moves: list[Move] = field(default_factory=list)
    memory: float = 0.0  # a visitor's share, in MB
    work: float = 0.0  # seconds of a core that server and kernel took for a visitor to see a live page
    work_move: float = 0.0  # milliseconds of a core for a move
    left: int = -1  # kernels 90 seconds after all have gone

    def row(self) -> str:
        live = f"{len(self.live)}/{self.visitors}"
        first, arrived = middle_and_most(self.first, "{:.1f}"), middle_and_most(self.live, "{:.1f}")
        moves = "-"
        times = [move.time for move in self.moves if move.anew]
        if len(times) > 1:
            moves = f"{median(times):.0f} / {quantiles(times, n=20, method='inclusive')[-1]:.0f}"
        drawn = f"{len(times)}/{len(self.moves)}"
        seen = f"{self.visitors:>8} {live:>7} {first:>13} {arrived:>13} {moves:>13} {drawn:>9}"
        return f"{seen} {self.work:>9.1f} {self.work_move:>8.0f} {self.memory:>10.0f} {self.left:>7}"


def middle_and_most(values: list[float], form: str) -> str:
    return f"{form} / {form}".format(median(values), max(values)) if values else "-"


async def visit(browser, address: str, page: Page, seen: Round, pages: list, all_here: asyncio.Event) -> None:
    """One visitor: arrive, wait for the others, move the slider, stay."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    tab = await context.new_page()
    pages.append(context)
    tab.set_default_timeout(1000 * PATIENCE)
    start = time.perf_counter()
    try:
        answer = await tab.goto(address, wait_until="commit")
        if answer.status == 503:
            print("a visitor was turned away: all places are taken", file=sys.stderr)
            return
        await tab.wait_for_function(page.first, polling=LOOK)
        seen.first.append(time.perf_counter() - start)
        await tab.wait_for_function(page.live, polling=LOOK)
        seen.live.append(time.perf_counter() - start)
    except Exception as error:  # a visitor who gives up is a result
        print(f"a visitor saw no live page: {str(error).splitlines()[0]}", file=sys.stderr)
        return
    await all_here.wait()
    for script in [page.afresh, *[page.move] * MOVES]:
        try:
            found = await tab.evaluate(script)
            if script == page.move:
                seen.moves.append(Move(*found))
        except Exception as error:
            print(f"a move brought nothing: {str(error).splitlines()[0]}", file=sys.stderr)
        await asyncio.sleep(PAUSE)


async def open_once(playwright, address: str, page: Page) -> None:
    """The first visitor that a server ever has: files are read from disk, and Voila as it comes may show nothing."""
    browser = await playwright.chromium.launch(executable_path=find_chromium(), args=[*FLAGS, ALONE])
    tab = await browser.new_page()
    try:
        await tab.goto(address, wait_until="commit")
        await tab.wait_for_function(page.live, polling=LOOK, timeout=1000 * ENOUGH)
    except Exception as error:
        print(f"the first visitor saw no live page: {str(error).splitlines()[0]}", file=sys.stderr)
    await browser.close()


async def come(playwright, server, address: str, page: Page, count: int) -> Round:
    """So many visitors at once; then they leave."""
    seen, pages, all_here = Round(count), [], asyncio.Event()
    browser = await playwright.chromium.launch(executable_path=find_chromium(), args=[*FLAGS, *AWAKE, ALONE])
    before, waiting, work = server.memory(), len(server.kernels()), server.worked()
    visits = [asyncio.create_task(visit(browser, address, page, seen, pages, all_here)) for _ in range(count)]
    while len(seen.live) + sum(task.done() for task in visits) < count:
        await asyncio.sleep(0.2)
    await asyncio.sleep(2)  # what follows the first picture
    seen.memory = (server.memory() - before) / max(1, len(server.kernels()) - waiting)
    worked = server.worked()
    seen.work = (worked - work) / count
    all_here.set()
    await asyncio.gather(*visits)
    drawn = len(seen.moves) + 2 * len(seen.live)  # another state takes two pictures
    seen.work_move = 1000 * (server.worked() - worked) / max(1, drawn)
    for context in pages:
        await context.close()
    await browser.close()
    start = time.perf_counter()
    while len(server.kernels()) > waiting and time.perf_counter() - start < 90:
        await asyncio.sleep(1)
    seen.left = max(0, len(server.kernels()) - waiting)
    return seen


async def measure(counts: list[int], pages: list[str]) -> str:
    from playwright.async_api import async_playwright

    names = {
        "visitors": 8,
        "live": 7,
        "first s": 13,
        "live s": 13,
        "move ms": 13,
        "anew": 9,
        "core s": 9,
        "core ms": 8,
        "MB/visitor": 10,
        "left": 7,
    }
    head = " ".join(f"{name:>{width}}" for name, width in names.items())
    lines = [
        "medians / the slowest; of moves the median / 95 %; anew: those that drew something new, of all; only these",
        "are counted; core: what server and kernel, not the browser, compute for a visitor until live, and for a move;",
        "left: kernels that outlive their visitors",
        "",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name in pages:
            plain = name == "plain"
            page = PLAIN_PAGE if plain else EXPLORERS[name]
            title = "plain interact, Voila as it comes" if plain else f"explorer: {name}"
            lines += [title, head]
            async with async_playwright() as playwright:
                for count in counts:
                    # Afresh for each round, so that none inherits another's load.
                    server = Plain(write_plain(folder)) if plain else Server("", "--visitors", str(2 * count))
                    try:
                        await asyncio.sleep(12)  # until it has got ready what it makes ahead
                        address = server.address + page.path
                        await open_once(playwright, address, page)
                        await asyncio.sleep(12)  # until that one's kernel has ended
                        lines.append((await come(playwright, server, address, page, count)).row())
                        print(lines[-1], file=sys.stderr)
                    finally:
                        server.stop()
            lines.append("")
    machine = f"{os.cpu_count()} cores for server and browser together, load average {os.getloadavg()[0]:.1f}"
    return "\n".join([machine, *lines])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.visitors", description=__doc__.splitlines()[0])
    parser.add_argument("counts", type=int, nargs="*", default=[1, 5, 10, 20, 40])
    choices = [*EXPLORERS, "plain"]
    parser.add_argument("--pages", nargs="+", choices=choices, default=["temperature", "plain"])
    options = parser.parse_args()
    try:
        print(asyncio.run(measure(options.counts, options.pages)))
    except GlowliteError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
