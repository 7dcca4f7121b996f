"""The record of a run: a file of metrics, and the machine and versions that made it."""

import json
import os
import platform
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import torch

from glowlite.files import write_atomically


class MetricsFile:
    """One JSON object a line, appended; on resuming, lines later than the saved state are cut off.

    Lines that cannot be written, as on a full disk, are written with the next ones.

    A line of training has images, seconds, bpd, grad_norm, lr, images_per_second; one of validation has
    images, seconds, val_bpd. bpd is bits per dimension (mean since the line before), seconds are of training
    in all.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as out:
    ...     MetricsFile(f"{out}/metrics.jsonl").write(images=64, bpd=5.5)
    ...     read_metrics(f"{out}/metrics.jsonl")
    [{'images': 64, 'bpd': 5.5}]
    """

    def __init__(self, path: str | Path, images: int = 0):
        self.path = Path(path)
        kept = [line for line in read_metrics(self.path) if line["images"] <= images] if images else []
        write_atomically(self.path, "".join(json.dumps(line) + "\n" for line in kept).encode())
        self.unwritten = ""

    def write(self, **values) -> None:
        self.unwritten += json.dumps(values) + "\n"
        try:
            with self.path.open("a") as file:
                file.write(self.unwritten)
            self.unwritten = ""
        except OSError:
            self.unwritten = "\n" + self.unwritten.lstrip()  # a part of it may stand there


def read_metrics(path: str | Path) -> list[dict]:
    """Lines of a metrics file, oldest first; none where there is no file; damaged or cut lines are left out."""
    path = Path(path)
    lines = []
    for text in path.read_text(errors="replace").splitlines() if path.exists() else []:
        with suppress(ValueError, RecursionError):
            line = json.loads(text)
            if isinstance(line, dict) and isinstance(line.get("images"), int):
                lines.append(line)
    return lines


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine(device: torch.device | str = "cpu") -> dict:
    """The machine of a measurement: device (GPU or processor name), cores, threads, system."""
    device = torch.device(device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return {
        "device": name,
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a result depends on."""
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
