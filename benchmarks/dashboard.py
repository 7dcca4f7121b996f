"""Slider to new picture, page load and memory, in a real Chromium:  python -m benchmarks.dashboard

Times are taken inside the page: from the slider's input event to the moment the picture has changed. In the same run,
turn by turn, the plainest way is measured as a yardstick: ipywidgets' `interact` around a function that returns the
picture, served by Voila as it comes. A class at once is in benchmarks/visitors.py.

Explorers keep what they have drawn, so a slider that goes up and down is soon answered from memory, and some draw ahead
while nothing moves. Here each move asks for a picture that was never drawn: Surprise me brings another state, the
slider jumps to one end (both not measured), and is then dragged one way, twelve moves of a step each, 50 ms after each
new picture. What the page then says of its time to draw shows whether it did draw; moves that were answered from
memory are left out and counted, and where they are half of all there is no result.

Of the temperature's sixteen faces a dragged move draws a few, the chosen one first; the others follow once the slider
rests. So it is measured twice: until the first face has followed, while dragging, and until all sixteen have, each
time a move is followed by such a rest.
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
MOVES = 12  # of a sweep

# What the functions of a page share: `watch` gives the milliseconds from the last press or move until so many of
# its pictures have changed, the first among them, and how many had then.
WATCH = """
    let start;
    const act = (action) => { start = performance.now(); action(); };
    const pause = () => new Promise((done) => setTimeout(done, 50));
    const watch = (wanted = 1, patience = 60000) => new Promise((done, fail) => {
        setTimeout(() => fail(new Error("the picture did not change")), patience);
        let old = look();
        new MutationObserver((changes, observer) => {
            const time = performance.now() - start, now = look();
            if (!now[0]) return;
            if (now[0] === old[0]) old = now;  // what still followed the move before
            const changed = now.filter((picture, i) => picture !== old[i]).length;
            if (changed < wanted) return;
            observer.disconnect();
            done([time, changed]);
        }).observe(...watched);
    });"""
OURS = """
    const input = document.querySelector("#rendered_cells SLIDER");
    const all = [...document.querySelectorAll("#rendered_cells PICTURE")];
    const watched = [all[0], { attributeFilter: ["data-frame"] }];
    const look = () => all.map((canvas) => canvas.toDataURL());
    const find = (where, words) => [...document.querySelectorAll("#rendered_cells " + where)]
        .find((element) => element.textContent.startsWith(words));
    const put = (value) => act(() => {
        input.value = value;
        input.dispatchEvent(new Event("input", { bubbles: true }));
    });"""
# Another state, and the slider at its start there; so the slider goes there first, lest the state is seen elsewhere on
# its way, and again where the state has moved it. By chance the other state is the one that is there.
AFRESH = """
    const begin = async () => {
        if (Number(input.value) === START) return;
        const shown = watch();
        put(START);
        await shown;
    };
    const surprise = (patience) => {
        const shown = watch(1, patience);
        act(() => find(".gl-button button", "Surprise me").click());
        return shown;
    };
    await begin();
    await surprise(20000).catch(() => surprise());
    await begin();
    await pause();"""
# A move. It drew anew if all that changed at first is what the page's numbers, there after the pause, say was drawn.
MOVE = """
    const first = watch(), followed = watch(WANTED);
    put(Number(input.value) + STEP);
    const [time, changed] = await first;
    await pause();
    const [, number, note] = [...find(".gl-readout dl > div", "Time to draw").children].map((e) => e.textContent);
    const some = all.length > 1 ? Number(/^for (\\d+)/.exec(note)?.[1] ?? 0) : 1;
    return [(await followed)[0], changed, changed <= (number.startsWith("\u2013") ? 0 : some)];"""
PLAIN = """
    const area = document.querySelector("#rendered_cells");
    const watched = [area, { subtree: true, childList: true, attributes: true }];
    const look = () => [area.querySelector("img")?.src];
    const press = async (key) => {
        const shown = watch();
        act(() => document.querySelector(".noUi-handle")
            .dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })));
        const found = await shown;
        await pause();
        return found;
    };"""
AFRESH_PLAIN = """
    await press("End");
    await press("Home");"""
MOVE_PLAIN = """
    return [...await press("ArrowRight"), true];  // it keeps nothing"""


class Move(NamedTuple):
    """What a move brought."""

    time: float  # milliseconds
    changed: int  # pictures, with the first change
    anew: bool  # whether these were drawn for it, and not kept from before


class Page(NamedTuple):
    """Where an explorer is; functions for the page: the first picture is there, the live one is there, another state
    with the slider at one end, and moves by what they wait for."""

    path: str
    first: str
    live: str
    afresh: str
    moves: dict[str, str]

    @property
    def move(self) -> str:
        """The move that waits for the first picture."""
        return next(iter(self.moves.values()))


def function(*parts: str) -> str:
    return "async () => {" + "".join(parts) + "\n}"


def page_of(name: str, slider: str, picture: str, start: float, step: float, wanted=None) -> Page:
    """An explorer of ours, whose film's picture is its first; `wanted`: how many pictures a move waits for, by name."""
    drawn = f"{picture}[data-frame]"
    ours = OURS.replace("SLIDER", slider).replace("PICTURE", picture)
    move = MOVE.replace("STEP", str(step))
    return Page(
        f"explore/{name}",
        f"() => [...document.querySelectorAll('{drawn}')].some((canvas) => canvas.checkVisibility())",
        f"() => document.querySelector('html.gl-live #rendered_cells {drawn}')?.checkVisibility()",
        function(ours, WATCH, AFRESH.replace("START", str(start))),
        {
            title: function(ours, WATCH, move.replace("WANTED", str(count)))
            for title, count in (wanted or {name: 1}).items()
        },
    )


# From each start, twelve steps lead past every stop that the page draws by itself while it rests.
EXPLORERS = {
    "temperature": page_of(
        "temperature",
        ".gl-side > .gl-slider input",
        ".gl-grid .gl-tile canvas",
        0.05,
        0.1,
        {"temperature, first face": 1, "temperature, all sixteen": 16},
    ),
    "interpolation": page_of(
        "interpolation", ".gl-row > .gl-slider input", ".gl-trio > :nth-child(2) canvas", 0.05, 0.02
    ),
    "attributes": page_of("attributes", ".gl-sliders .gl-slider input", ".gl-trio > :nth-child(2) canvas", -0.3, 0.04),
    "studio": page_of("studio", ".gl-sliders .gl-slider input", ".gl-pair > :nth-child(2) canvas", -0.3, 0.04),
}
SEEN = "() => document.querySelector('#rendered_cells img')?.checkVisibility()"
PLAIN_PAGE = Page(
    "",
    SEEN,
    SEEN,
    function(PLAIN, WATCH, AFRESH_PLAIN),
    {"plain interact": function(PLAIN, WATCH, MOVE_PLAIN)},
)


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


def sweep(tab, page: Page, move: str) -> list[Move]:
    """Another state, and the slider dragged through it."""
    tab.evaluate(page.afresh)
    return [Move(*tab.evaluate(move)) for _ in range(MOVES)]


def rest(server: Server) -> None:
    """Wait until its kernels have nothing left to do, so that they are in no other's way; a minute at most."""
    before = server.worked()
    for _ in range(60):
        time.sleep(1)
        now = server.worked()
        if now - before < 0.1:
            return
        before = now


def anew(name: str, moves: list[Move]) -> list[float]:
    """The milliseconds of those moves that drew something new. GlowliteError where half or more did not."""
    found = [move.time for move in moves if move.anew]
    if 2 * len(found) <= len(moves):
        raise GlowliteError(
            f"{name}: only {len(found)} of {len(moves)} moves were drawn anew, the others kept from before; "
            "their times would say nothing about drawing"
        )
    return found


def measure(count: int = 60) -> str:
    """Run everything and return the table."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*FLAGS, ALONE])
        machine = f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}, Chromium {browser.version}"
        kinds = {**EXPLORERS, "plain interact": PLAIN_PAGE}
        made, loads, tabs, servers = (
            {title: [] for page in kinds.values() for title in page.moves},
            {},
            {},
            {},
        )
        try:
            for name, page in kinds.items():
                # A server of its own for each, so that "cold" is the first visitor that a server ever had.
                servers[name] = server = Plain(write_plain(folder)) if page is PLAIN_PAGE else Server()
                visitor, *cold = load(browser, server.address, page)
                visitor.context.close()
                time.sleep(15)  # whatever is made ready for the next visitor is made meanwhile
                before, waiting = server.memory(), len(server.kernels())
                tabs[name], *warm = load(browser, server.address, page)
                print(f"{name}: cold {cold[1]:.1f} s, warm {warm[1]:.1f} s", file=sys.stderr, flush=True)
                for _ in range(2):
                    sweep(tabs[name], page, page.move)
                rest(server)
                size = (server.memory() - before) / max(1, len(server.kernels()) - waiting)
                loads[next(iter(page.moves))] = [*cold, *warm, size]
            for _ in range(-(-count // MOVES)):  # by turns, so that other work on the machine falls on all
                for name, page in kinds.items():
                    tabs[name].bring_to_front()
                    for title, move in page.moves.items():
                        made[title] += sweep(tabs[name], page, move)
                        rest(servers[name])
        finally:
            browser.close()
            for server in servers.values():
                server.stop()
    return table(made, loads, machine)


def table(made: dict[str, list[Move]], loads: dict[str, list[float]], machine: str) -> str:
    """A row for all moves of a kind; `loads`: seconds to the pictures, cold and warm, and MB of a visitor."""
    names = ("median ms", "95 % ms", "least ms", "anew", "at once", *("first s", "live s") * 2, "MB")
    lines = [
        "slider to new picture; page load to the first and to the first live picture; memory of a visitor",
        "anew: moves that drew a picture never drawn before, of all; only these are counted",
        "at once: pictures that change first, of one or, for the temperature, of sixteen",
        machine,
        "",
        f"{'':26}{'slider to picture':>30}{'':20}{'cold: server just started':>26}{'warm':>14}",
        f"{'':26}" + "".join(f"{name:>10}" for name in names),
    ]
    for name, moves in made.items():
        found = anew(name, moves)
        slow = quantiles(found, n=20, method="inclusive")[-1]
        numbers = [f"{value:.0f}" for value in (median(found), slow, min(found))]
        numbers += [
            f"{len(found)}/{len(moves)}",
            f"{median(move.changed for move in moves if move.anew):.0f}",
        ]
        if name in loads:
            *seconds, size = loads[name]
            numbers += [f"{value:.1f}" for value in seconds] + [f"{size:.0f}"]
        lines.append(f"{name:26}" + "".join(f"{number:>10}" for number in numbers))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboard", description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=60, help=f"of each slider, in sweeps of {MOVES}")
    try:
        print(measure(parser.parse_args().moves))
    except GlowliteError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
