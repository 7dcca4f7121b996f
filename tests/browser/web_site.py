"""A static page with an explorer in a real Chromium, and a small model for it that draws at once."""

import functools
import io
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from playwright.sync_api import Browser, Page

from glowlab.explorers import precomputed
from glowlab.explorers.pca import PCA
from glowlab.explorers.samples import SampleQuality
from glowlab.web import static
from glowlite import checkpoint, pixels
from glowlite.data import faces
from glowlite.glow import Glow, GlowConfig
from tests.helpers import perturb

from .conftest import Watched
from .visitor import WIDE

HELD_OUT = {"bits_per_dim": 6.5, "spread": 0.5}


def make_model(path: Path, data: str = "faces", **more) -> Glow:
    """A model of 16 x 16 pixels, saved with all that explorers know of one; `more`: of its configuration."""
    torch.manual_seed(0)
    model = Glow(GlowConfig((3, 16, 16), levels=2, depth=2, width=8, **more))
    model.initialize(pixels.to_float(faces.draw(64, size=16, seed=1).images))
    perturb(model, amount=0.02).eval()
    checkpoint.save(path, model, {"data": data, "held_out": HELD_OUT})
    names = ["smile", "hair_colour", "antennae"]  # the last has no wording
    checkpoint.save_directions(path, dict(zip(names, draw_directions(model, len(names)), strict=True)))
    stops = [SampleQuality(0.1 * stop, 1.0 + stop, 4.0 * stop) for stop in range(14)]
    some = {name: torch.randn(100) for name in names[:2]}
    pca = PCA.fit(torch.rand(96, 48) * 255)
    found = precomputed.Precomputed(some, {}, 1 + 0.02 * torch.randn(100), pca, stops, SampleQuality(0.0, 6.0, 40.0))
    precomputed.write(path, names[:2], found)
    return model


def draw_directions(model: Glow, count: int) -> list[list[torch.Tensor]]:
    return [[0.4 * torch.randn(1, *shape) for shape in model.latent_shapes] for _ in range(count)]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass


class Site:
    """A folder on a plain web server; `page` is the one to open."""

    def __init__(self, folder: Path, page: str, handler: type[Quiet] = Quiet):
        self.folder, self.page = folder, page
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=folder))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}/"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def serve(explorer: str, folder: Path):
    """For a fixture: an explorer's page, with a model of drawn faces and one of real ones, on a plain web server."""
    for name, data in (("tiny", "faces"), ("real", "fairface64")):
        make_model(folder / f"{name}.safetensors", data)
    static.write(explorer, [folder / "tiny.safetensors", folder / "real.safetensors"], folder)
    running = Site(folder, f"{explorer}.html")
    yield running
    running.stop()


class Visit(Watched):
    """A page of such a folder, watched for errors and requests to other hosts."""

    def __init__(self, browser: Browser, address: str, **options):
        super().__init__(browser, address, **options)
        self.page.goto(address)
        rests(self.page)


def png(size: int = 16, seed: int = 0) -> bytes:
    """A picture of noise."""
    file = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


def read(content: bytes) -> np.ndarray:
    """The pixels of a picture's file, as numbers that can be subtracted."""
    return np.array(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def flat(images: torch.Tensor) -> np.ndarray:
    """uint8 (..., C, H, W) -> (..., H, W, C), as numbers that can be subtracted."""
    return images.movedim(-3, -1).numpy().astype(int)


@contextmanager
def visits(browser: Browser, site: Site):
    """A function that opens a page at a query; AssertionError at the end where anything went wrong unseen."""
    opened = []

    def make(query: str = "", name: str = site.page, **options) -> Page:
        opened.append(Visit(browser, f"{site.address}{name}{query}", **{"viewport": WIDE, **options}))
        return opened[-1].page

    yield make
    for one in opened:
        one.context.close()
    wrong = [wrong for one in opened for wrong in one.wrong]
    assert not wrong, wrong[:9]


def rests(page: Page, query: str | None = None) -> None:
    """Wait until nothing moves, and all is measured and painted; the address must then be this, where it is given."""
    page.wait_for_selector("[data-state=resting]")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    found = page.evaluate("location.search")
    assert query in (None, found)
