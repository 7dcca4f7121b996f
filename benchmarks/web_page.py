"""A page in a real Chromium that holds models, for tests and for benchmarks/web.py."""

import base64
from collections.abc import Mapping
from contextlib import contextmanager

import numpy as np
import psutil
import torch
from torch import Tensor

from benchmarks.servers import FLAGS, find_chromium
from glowlab.web.bundle import bundle

ORIGIN = "http://glow.test"  # answered by playwright itself
# What pages of tests share: bytes of pictures and floats of latents, there and back as base64.
HELPERS = """
    import * as glow from "./glow.js";
    const read = (text, Kind) => new Kind(glow.readBase64(text).buffer);
    const write = (array) => {
        let text = "";
        const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
        for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
        return btoa(text);
    };
    const split = (flat, shapes) => {
        let end = 0;
        return shapes.map((shape) => flat.slice(end, (end += shape.reduce((a, b) => a * b))));
    };
    const join = (latents) => {
        const flat = Float64Array.from(latents.flatMap((eps) => [...eps]));
        return write(flat);
    };
    const model = async (name, plain) => {
        const buffer = await glow.fetchFile(`./${name}.bin`);
        return glow.load(buffer, plain ? null : glow.supplies.wasm);
    };
    Object.assign(globalThis, { glow, read, write, split, join, model, flows: {} });
"""


@contextmanager
def chromium():
    """A Chromium that playwright drives."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield browser
        browser.close()


def renderers() -> list[psutil.Process]:
    """The processes of pages."""
    children = psutil.Process().children(recursive=True)
    alive = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if "--type=renderer" in " ".join(child.cmdline())]


def worked() -> float:
    """Milliseconds of a core that pages have used."""
    return 1000 * sum(sum(process.cpu_times()[:2]) for process in renderers())


def memory() -> float:
    """MB that the pages have for themselves."""
    return sum(process.memory_full_info().uss for process in renderers()) / 1e6


class WebPage:
    """A page with the modules as `glow`, and files at its address.

    headers: those that its host sends with every file.
    """

    def __init__(self, browser, files: Mapping[str, bytes], headers: Mapping[str, str] | None = None):
        self.files = {
            "index.html": b'<!doctype html><script type="module" src="helpers.js"></script>',
            "helpers.js": HELPERS.encode(),
            "glow.js": bundle().encode(),
            **files,
        }
        self.headers = dict(headers or {})
        self.context = browser.new_context()
        self.page = self.context.new_page()
        self.page.set_default_timeout(300_000)
        self.page.route("**/*", self._answer)
        self.page.goto(f"{ORIGIN}/index.html")
        self.page.wait_for_function("globalThis.flows")

    def _answer(self, route) -> None:
        name = route.request.url.removeprefix(f"{ORIGIN}/")
        if name not in self.files:
            route.fulfill(status=404, body="")
            return
        kind = {"html": "text/html", "js": "text/javascript"}.get(name.rpartition(".")[2], "application/octet-stream")
        headers = {"Content-Type": kind, "Content-Length": str(len(self.files[name])), **self.headers}
        route.fulfill(body=self.files[name], headers=headers)

    def run(self, body: str, **arguments):
        """What the body of an async function gives; it sees the arguments by name, tensors and arrays as base64."""
        given = {name: to_text(value) for name, value in arguments.items()}
        script = f"async ({{ {', '.join(given)} }}) => {{ {body} }}"
        return self.page.evaluate(script, given)

    def open(self, name: str, plain: bool = False) -> "WebFlow":
        """The model of the file NAME.bin; `plain`: by plain JavaScript."""
        key = f"{name}-plain" if plain else name
        kernels = self.run(
            "flows[key] = await model(name, plain); return flows[key].work.name", key=key, name=name, plain=plain
        )
        return WebFlow(self, key, kernels)


class WebFlow:
    """A Glow in a page, asked with PyTorch's tensors: uint8 (B, C, H, W), latents (B, C_l, H_l, W_l) a level."""

    def __init__(self, page: WebPage, key: str, kernels: str):
        self.page, self.key, self.kernels = page, key, kernels
        self.shape = page.run("return flows[key].config.shape", key=key)
        self.latent_shapes = page.run("return flows[key].latentShapes", key=key)

    def _each(self, body: str, **batches) -> list:
        """body, run for each row of the batches."""
        count = len(next(iter(batches.values())))
        rows = [{name: batch[i] for name, batch in batches.items()} for i in range(count)]
        return [self.page.run(f"const flow = flows[key]; {body}", key=self.key, **row) for row in rows]

    def encode(self, images: Tensor) -> list[Tensor]:
        """Latents, as float64; those of float32 hold the same numbers."""
        flat = self._each("return join(flow.encode(read(image, Uint8Array)))", image=to_page(images))
        return self._levels([from_text(text, np.float64) for text in flat])

    def inverse(self, latents: list[Tensor]) -> Tensor:
        """Latents -> x (B, C, H, W), float64. Latents of float64 are decoded in double."""
        rows = torch.cat([eps.flatten(1) for eps in latents], 1)
        kind = "Float64Array" if rows.dtype == torch.float64 else "Float32Array"
        body = f"return write(Float64Array.from(flow.inverse(split(read(row, {kind}), flow.latentShapes))))"
        return from_page([from_text(text, np.float64) for text in self._each(body, row=rows)], self.shape)

    def there_and_back(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Wrong values of each picture after encode and decode, and whether its latents were double."""
        body = """
            const pixels = read(image, Uint8Array), latents = flow.encode(pixels);
            const wrong = flow.decode(latents).reduce((sum, value, i) => sum + (value !== pixels[i]), 0);
            return [wrong, latents[0] instanceof Float64Array];"""
        found = self._each(body, image=to_page(images))
        return torch.tensor([wrong for wrong, _ in found]), torch.tensor([double for _, double in found])

    def bits_per_dim(self, images: Tensor) -> Tensor:
        bits = self._each("return flow.bitsPerDim(read(image, Uint8Array))", image=to_page(images))
        return torch.tensor(bits, dtype=torch.float64)

    def sample(self, seed: int, count: int, temperature) -> Tensor:
        """uint8 (B, C, H, W)"""
        body = "return flows[key].sample(seed, count, temperature).map(write)"
        texts = self.page.run(body, key=self.key, seed=seed, count=count, temperature=temperature)
        return from_page([from_text(text, np.uint8) for text in texts], self.shape)

    def _levels(self, rows: list[Tensor]) -> list[Tensor]:
        sizes = [int(np.prod(shape)) for shape in self.latent_shapes]
        parts = torch.stack(rows).split(sizes, 1)
        return [part.view(-1, *shape) for part, shape in zip(parts, self.latent_shapes, strict=True)]


def to_page(images: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, H, W, C)"""
    return images.permute(0, 2, 3, 1).contiguous()


def from_page(rows: list[Tensor], shape) -> Tensor:
    """Rows (H * W * C,) -> (B, C, H, W)"""
    channels, height, width = shape
    return torch.stack(rows).view(-1, height, width, channels).permute(0, 3, 1, 2)


def to_text(value):
    """Tensors and bytes as base64, the rest as it is."""
    if isinstance(value, Tensor):
        value = value.contiguous().numpy().tobytes()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def from_text(text: str, kind) -> Tensor:
    return torch.from_numpy(np.frombuffer(base64.b64decode(text), kind).copy())
