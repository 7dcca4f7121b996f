"""What training and evaluation report: lines of metrics, bits per dimension (codecs' too), the machine."""

import io
import json
import os
import platform
from importlib import metadata
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from glowlite.data.stream import generator
from glowlite.errors import GlowliteError


class MetricsFile:
    """One JSON object a line, appended; on resuming, lines later than the saved state are cut off.

    A line of training has images, seconds, bpd, grad_norm, lr, images_per_second; one of validation has
    images, seconds, val_bpd. bpd is bits per dimension (mean since the line before), seconds are of training
    in all.
    """

    def __init__(self, path: str | Path, images: int = 0):
        self.path = Path(path)
        kept = [line for line in read_metrics(self.path) if line["images"] <= images] if images else []
        fresh = self.path.with_suffix(".tmp")
        fresh.write_text("".join(json.dumps(line) + "\n" for line in kept))
        os.replace(fresh, self.path)

    def write(self, **values) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(values) + "\n")


def read_metrics(path: str | Path) -> list[dict]:
    """Lines of a metrics file, oldest first; none where there is no file; a line cut short is left out."""
    path = Path(path)
    lines = []
    for text in path.read_text().splitlines() if path.exists() else []:
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            break
    return lines


@torch.no_grad()
def bits_per_dim(model, images: Tensor, batch: int = 128, seed: int = 0) -> Tensor:
    """Bits per dimension of each picture under `model`: uint8 (N, C, H, W) -> (N,) float64 on the CPU.

    The dequantisation noise is that of `seed`, batch by batch, so two models are measured on equal terms.
    """
    device = next(model.parameters()).device
    noise = generator(device, seed)
    parts = [model.bits_per_dim(part.to(device), generator=noise) for part in images.split(batch)]
    return torch.cat(parts).double().cpu()


def codec_bits_per_dim(images: Tensor, codec: str) -> Tensor:
    """Bits per dimension of a lossless codec, one picture a file: uint8 (N, C, H, W) -> (N,) float64.

    codec: "png" (Pillow's optimize) or "webp" (lossless, method 6, quality 100: the slowest and smallest).
    """
    options = {
        "png": {"format": "PNG", "optimize": True},
        "webp": {"format": "WEBP", "lossless": True, "method": 6, "quality": 100},
    }
    if codec not in options:
        raise GlowliteError(f"Unknown codec {codec!r}: choose png or webp.")
    sizes = []
    for pixels in images.cpu():
        array = pixels[0].numpy() if len(pixels) == 1 else pixels.permute(1, 2, 0).contiguous().numpy()
        file = io.BytesIO()
        Image.fromarray(array).save(file, **options[codec])
        sizes.append(8 * file.tell() / pixels.numel())
    return torch.tensor(sizes, dtype=torch.float64)


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine(device: torch.device | str = "cpu") -> dict:
    """What a figure was measured on: device (GPU or processor name), cores, threads, system."""
    device = torch.device(device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return {
        "device": name,
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    found = {"python": platform.python_version(), "torch": torch.__version__}
    for package in ("glowlite", "numpy", "safetensors", "lightning-fabric", "pillow"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            pass  # used from its sources, without having been installed
    return found


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()
