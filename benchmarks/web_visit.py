"""A visit to the static site, for benchmarks/web.py: bytes on the wire, time to open, slider to picture, memory."""

import functools
import gzip
import json
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median, quantiles

from benchmarks.web_page import memory
from glowlab import site

NEEDED = re.compile(r"(index|explore/.*)\.html|explorers\.js|models/.*\.bin|sw\.js")
SLIDERS = {"studio": "Smile", "temperature": "Temperature", "interpolation": "How far", "attributes": "Smile"}
SIXTEEN = 16
VISITORS = 1000
SLOW = 10e6 / 8  # bytes a second
# Notes when each canvas is drawn on.
HOOK = """
    window.drawn = [];
    const put = CanvasRenderingContext2D.prototype.putImageData;
    CanvasRenderingContext2D.prototype.putImageData = function (...given) {
        drawn.push([performance.now(), this.canvas]);
        return put.apply(this, given);
    };"""
OPENED = """() => {
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    return [paint.startTime, drawn[0][0]];
}"""
# Milliseconds from each move to the first picture, and to the last of so many; a move comes when the explorer rests, or
# as soon as it settles, when it computes the bits per dimension of the picture before.
MOVES = """async ({ label, count, wanted, states }) => {
    const explorer = document.querySelector("main [address]"), first = [], all = [];
    const sliders = [...explorer.querySelectorAll("input[type=range]")];
    const input = sliders.find((each) => each.labels[0].textContent === label);
    const until = async (what) => { while (!what()) await new Promise((done) => setTimeout(done, 4)); };
    const [low, high, step] = [input.min, input.max, input.step].map(Number);
    const stops = Math.floor((high - low) / step + 0.5);
    for (let i = 0; i < count; i++) {
        if (i % stops === 0 && "seed" in explorer.values) explorer.change({ seed: 100 + i }); // pictures not drawn yet
        await until(() => states.includes(explorer.dataset.state));
        window.drawn = [];
        const start = performance.now();
        input.value = low + step * (i % stops);
        input.dispatchEvent(new Event("input", { bubbles: true }));
        const shown = () => drawn.filter(([, canvas]) => canvas.closest(".gl-show"));
        const canvases = () => new Set(shown().map(([, canvas]) => canvas));
        await until(() => canvases().size >= wanted || (wanted === 1 && shown().length));
        first.push(shown()[0][0] - start);
        all.push(shown().at(-1)[0] - start);
    }
    return [first, all];
}"""

STATES = (["resting"], ["settling", "resting"])


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass


@contextmanager
def serve() -> Iterator[tuple[Path, str]]:
    """The explorers of the site in a folder, and the address of a plain web server that gives it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in site.list_files(folder):
            if NEEDED.fullmatch(file.name):
                content = file.make()
                (folder / file.name).parent.mkdir(exist_ok=True)
                (folder / file.name).write_bytes(content.encode() if isinstance(content, str) else content)
        server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def weigh(folder: Path) -> None:
    """Print the bytes of a first visit: the landing page, one explorer, its model, what is kept for offline."""
    first = json.loads(re.search("FIRST = (.*);", (folder / "sw.js").read_text(encoding="utf-8"))[1])
    print("\na first visit, kB | plain | gzip\n---|---|---")
    for model in ("faces64", "portraits64"):
        total = [0, 0]
        for name in [*first, "sw.js", f"models/{model}.bin"]:
            content = (folder / name).read_bytes()
            sizes = [len(content), len(gzip.compress(content, 6))]
            total = [a + b for a, b in zip(total, sizes, strict=True)]
            if model == "faces64" or name.startswith("models"):
                print(f"{name} | {sizes[0] / 1000:,.0f} | {sizes[1] / 1000:,.0f}")
        print(f"all, with {model} | {total[0] / 1000:,.0f} | {total[1] / 1000:,.0f}")
        print(f"{VISITORS} visitors of it | {VISITORS * total[0] / 1000:,.0f} | {VISITORS * total[1] / 1000:,.0f}")
    for path in sorted((folder / "models").glob("*.labels.bin")):
        content = path.read_bytes()
        print(
            f"{path.name}, when asked for | {len(content) / 1000:,.0f} | {len(gzip.compress(content, 6)) / 1000:,.0f}"
        )


def open_page(context, address: str, slow: bool = False):
    """(page, [milliseconds to what is painted first, to the first picture of the model])"""
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.add_init_script(HOOK)
    if slow:
        limits = {"offline": False, "latency": 20, "downloadThroughput": SLOW, "uploadThroughput": SLOW}
        context.new_cdp_session(page).send("Network.emulateNetworkConditions", limits)
    page.goto(address)
    page.wait_for_selector("[data-state=resting]")
    return page, page.evaluate(OPENED)


def visit(browser, rounds: int, moves: int) -> None:
    """Print the tables."""
    with serve() as (folder, address):
        weigh(folder)
        print("\nopening, ms | cold: poster | live | warm: poster | live | 10 Mbit/s, not packed: live | memory, MB")
        print("---|---|---|---|---|---|---")
        for name in SLIDERS:
            opened = {"cold": [], "warm": []}
            for _ in range(rounds):
                context = browser.new_context()
                for kind, times in opened.items():
                    page, took = open_page(context, f"{address}explore/{name}.html")
                    times.append(took)
                    if kind == "cold":
                        page.wait_for_timeout(500)  # for the service worker
                        page.close()
                size = memory()
                context.close()
            context = browser.new_context()
            _, (_, slow) = open_page(context, f"{address}explore/{name}.html", slow=True)
            context.close()
            cells = [median(part) for times in opened.values() for part in zip(*times, strict=True)]
            print(f"{name} | {' | '.join(f'{cell:.0f}' for cell in cells)} | {slow:.0f} | {size:.0f}", flush=True)
        print("\nslider to picture, ms | from rest: median | 95 % within | while numbers come: median | 95 % within")
        print("---|---|---|---|---")
        for name, label in SLIDERS.items():
            wanted, took = SIXTEEN if name == "temperature" else 1, []
            for states in STATES:
                context = browser.new_context()  # which has no pictures yet
                page, _ = open_page(context, f"{address}explore/{name}.html")
                given = {"label": label, "count": moves, "wanted": wanted, "states": states}
                took.append(page.evaluate(MOVES, given))
                context.close()
            first, last = zip(*took, strict=True)
            title = f"{name}, the first of sixteen" if wanted > 1 else name
            print(f"{title} | {' | '.join(map(spread, first))}", flush=True)
            if wanted > 1:
                print(f"{name}, all sixteen | {' | '.join(map(spread, last))}")


def spread(times: list[float]) -> str:
    return f"{median(times):.0f} | {quantiles(times, n=20)[-1]:.0f}"
