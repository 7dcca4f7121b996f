"""Slider to new picture, page load and memory, in a real Chromium:  python -m benchmarks.dashboard

Times are taken inside the page: from the slider's input event to the moment the picture has changed. In the same run,
turn by turn, the plainest way is measured as a yardstick: ipywidgets' `interact` around a function that returns the
picture, served by Voila as it comes. A class at once is in benchmarks/visitors.py.
"""

import argparse
import os
import sys
import tempfile
import time
from statistics import median, quantiles
from typing import NamedTuple

from benchmarks.servers import ALONE, FLAGS, LONG, Plain, Server, find_chromium, write_plain
from glowlite.errors import GlowliteError

ENOUGH = 30  # seconds that a lone visitor waits for the first picture

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


def load(browser, address: str, page: Page, again: bool = True):
    """Open a page of its own: (page, seconds until the first picture, until the first live one)."""
    from playwright.sync_api import TimeoutError

    tab = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    tab.set_default_timeout(1000 * LONG)
    start = time.perf_counter()
    tab.goto(address + page.path, wait_until="commit")
    try:
        tab.wait_for_function(page.first, timeout=1000 * ENOUGH)
    except TimeoutError:  # of Voila as it comes, the first visitor may see "Running ..." for ever
        if not again:
            raise
        print(f"no picture after {ENOUGH} s; another visitor comes in place of this one", file=sys.stderr)
        tab.context.close()
        return load(browser, address, page, again=False)
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
                before, waiting = server.memory(), len(server.kernels())
                tabs[name], *warm = load(browser, server.address, page)
                loads[name] = cold + warm
                print(f"{name}: cold {cold[1]:.1f} s, warm {warm[1]:.1f} s", file=sys.stderr, flush=True)
                if name in ("studio", "attributes"):  # so that no move ends at the slider's end
                    tabs[name].get_by_role("button", name="Reset", exact=True).click()
                    time.sleep(3)
                moves(tabs[name], page.move, 20, pause)  # there and back
                time.sleep(5)
                sizes[name] = (server.memory() - before) / max(1, len(server.kernels()) - waiting)
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
