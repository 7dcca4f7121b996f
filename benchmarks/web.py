"""The model in a page beside PyTorch on one thread:  python -m benchmarks.web

In turns, so that a busy machine is busy for all: decode and encode one picture, by wasm and by plain JavaScript in a
real Chromium, by PyTorch as it is and fused (glowlite.fusion). Milliseconds, medians; of CPU time, of the turns' means.
Then how far the page's answers are from PyTorch's, the memory that a model adds to a page, and bytes on the wire.
With --exact instead: do all pictures come back, likely ones and hard ones? With --visit instead: a visit to the static
site, its bytes, the time to open, from a slider to its picture, and the memory of a page.
"""

import argparse
import gzip
import time
from collections.abc import Callable
from statistics import median

import torch

from benchmarks import exactness, web_visit
from benchmarks.web_page import WebFlow, WebPage, chromium, memory, to_page, worked
from glowlab.web import export
from glowlite import checkpoint
from glowlite import latents as latent_space
from glowlite.data import faces, pictures
from glowlite.folders import ASSETS
from glowlite.fusion import fuse
from glowlite.glow import Glow

MODELS = ("faces64", "portraits64")
TEMPERATURE = 0.7
# `times` runs of a method of a flow, each timed in the page
RUN = """
    const flow = flows[key], pixels = read(image, Uint8Array), latents = flow.encode(pixels), times = [];
    for (let i = 0; i < count; i++) {
        const start = performance.now();
        what === "decode" ? flow.decode(latents) : flow.encode(pixels);
        times.push(performance.now() - start);
    }
    return times;"""


# ---- speed -------------------------------------------------------------------------------------------------------


def in_page(flow: WebFlow, image: torch.Tensor, what: str, count: int) -> tuple[list[float], float]:
    """(wall milliseconds of each run, CPU milliseconds of all)."""
    before = worked()
    times = flow.page.run(RUN, key=flow.key, image=to_page(image)[0], what=what, count=count)
    return times, worked() - before


def in_python(action: Callable, count: int) -> tuple[list[float], float]:
    """The same of PyTorch."""
    before, times = time.process_time(), []
    for _ in range(count):
        start = time.perf_counter()
        action()
        times.append(1000 * (time.perf_counter() - start))
    return times, 1000 * (time.process_time() - before)


def race(web: WebPage, name: str, rounds: int) -> None:
    """Print a row for each way."""
    model = checkpoint.load(name)
    image = faces.draw(1, seed=exactness.SEED).images
    wasm, plain = web.open(name), web.open(name, plain=True)
    ways = {}
    for label, flow, count in (("page, wasm", wasm, 5), ("page, plain JavaScript", plain, 2)):
        ways[label] = lambda what, flow=flow, count=count: in_page(flow, image, what, count)
    for label, each in (("PyTorch", model), ("PyTorch, fused", fuse(model))):
        eps = each.encode(image)
        ways[label] = lambda what, each=each, eps=eps: in_python(
            lambda: each.decode(eps) if what == "decode" else each.encode(image), 5
        )
    results = {(label, what): ([], []) for label in ways for what in ("decode", "encode")}
    for number in range(rounds + 1):
        for (label, what), (walls, shares) in results.items():
            times, cpu = ways[label](what)
            if number:  # the first warms up
                walls += times
                shares.append(cpu / (len(times) + (label.startswith("page"))))  # a page encodes once more before
    print(f"\n{name}, ms | decode, wall | decode, CPU | encode, wall | encode, CPU\n---|---|---|---|---")
    for label in ways:
        cells = [f"{median(part):.0f}" for what in ("decode", "encode") for part in results[label, what]]
        print(f"{label} | {' | '.join(cells)}", flush=True)


# ---- exactness ---------------------------------------------------------------------------------------------------


def portraits() -> torch.Tensor:
    """The 13 that ship."""
    paths = sorted((ASSETS / "portraits").glob("*.png"))
    return torch.stack([pictures.read_picture(path, 64) for path in paths])


def flat_and_chessboard() -> torch.Tensor:
    """Black, white, and a chessboard whose fields are pixels."""
    at = torch.arange(64)
    board = (at[:, None] + at) % 2 * 255
    return torch.stack([torch.zeros(64, 64), torch.full((64, 64), 255), board])[:, None].repeat(1, 3, 1, 1).byte()


@torch.no_grad()
def differences(model: Glow, flow: WebFlow, count: int) -> list[float]:
    """Largest differences from PyTorch: of x decoded (in grey values), latents encoded, bits per dimension."""
    images = torch.cat([faces.draw(count, seed=exactness.SEED).images, portraits()])
    eps = latent_space.sample_eps(model.latent_shapes, count, torch.Generator().manual_seed(1))
    eps = latent_space.scale(eps, TEMPERATURE)
    pairs = [
        (256 * flow.inverse(eps), 256 * model.inverse(eps)),
        (latent_space.flatten(flow.encode(images)), latent_space.flatten(model.encode(images))),
        (flow.bits_per_dim(images), model.bits_per_dim(images)),
    ]
    return [(ours - theirs).abs().max().item() for ours, theirs in pairs]


def check(web: WebPage, name: str, count: int) -> None:
    """Print how many values are wrong after encode and decode, for likely and hard pictures."""
    generator, flow = torch.Generator().manual_seed(0), web.open(name)
    kinds = {"drawn faces": faces.draw(50, seed=exactness.SEED).images, "portraits": portraits()}
    kinds |= {"black, white, chessboard": flat_and_chessboard(), "uniform noise": exactness.noise(20, 64, generator)}
    kinds |= {kind: make(count, 64, generator) for kind, make in exactness.KINDS.items() if kind not in kinds}
    print(f"\n{name} | pictures | wrong values | in double\n---|---|---|---")
    for kind, images in kinds.items():
        wrong, double = flow.there_and_back(images)
        print(f"{kind} | {len(images)} | {wrong.sum()} | {double.float().mean():.0%}", flush=True)


# ---- the tables --------------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12, help="turns of each way (default: 12)")
    parser.add_argument("--exact", action="store_true", help="send pictures there and back instead")
    parser.add_argument("--visit", action="store_true", help="visit the static site instead")
    parser.add_argument("--moves", type=int, default=60, help="with --visit: moves of a slider (default: 60)")
    parser.add_argument("--count", type=int, default=20, help="with --exact: pictures of each hard kind (default: 20)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.visit:
        with chromium() as browser:
            return web_visit.visit(browser, arguments.rounds, arguments.moves)
    files = {f"{name}.bin": export.to_bin(name) for name in MODELS}
    with chromium() as browser:
        if arguments.exact:
            web = WebPage(browser, files)
            for name in MODELS:
                check(web, name, arguments.count)
            return
        web = WebPage(browser, files)
        for name in MODELS:
            race(web, name, arguments.rounds)
        print("\nlargest difference from PyTorch | x, grey values | latents | bits/dim\n---|---|---|---")
        full = {f"{name}-float32": export.to_bin(name, torch.float32) for name in MODELS}
        web.files |= {f"{name}.bin": content for name, content in full.items()}
        for name in (*MODELS, *full):
            found = differences(checkpoint.load(name.partition("-")[0]), web.open(name), 4)
            print(f"{name} | {' | '.join(f'{value:.1e}' for value in found)}", flush=True)
        web.context.close()
        empty = WebPage(browser, files)
        before = memory()
        empty.run("const engine = await glow.openModel('./faces64.bin'); await engine.sample(1, 16, 0.7);")
        print(f"\nmemory that faces64 adds to a page: {memory() - before:.0f} MB")
        print("\non the wire, kB | plain | gzip\n---|---|---")
        script = {"faces64.bin.js": export.to_script(files["faces64.bin"]).encode()}
        for name, content in {"glow.js": empty.files["glow.js"], **files, **script}.items():
            print(f"{name} | {len(content) / 1000:,.0f} | {len(gzip.compress(content)) / 1000:,.0f}")


if __name__ == "__main__":
    main()
