"""The models' files for pages, made by `glowlite export-web` when they are first asked for, and kept in a cache.

The exports run in processes of their own, so the server never loads PyTorch.
"""

import functools
import hashlib
import logging
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

import pooch

import glowlite
from glowlab.explorers.models import find_weights
from glowlite.errors import GlowliteError

log = logging.getLogger(__name__)
FOLDERS = Path(glowlite.__file__).parent, *(Path(__file__).parents[1] / name for name in ("explorers", "web"))


class Weights:
    """NAME.bin and NAME.labels.bin of each model, by name; `models`: names of those that ship, or paths."""

    def __init__(self, models: list[str], folder: Path | None = None):
        self.models: dict[str, str] = {}
        for model in models:
            self.models.setdefault(Path(model).stem, model)  # of two with one name, the first
        self.folder = folder or Path(pooch.os_cache("glowlite")) / "web"
        self.exporting = {name: threading.Lock() for name in self.models}

    def find(self, name: str) -> Path:
        """The file NAME.bin, also of NAME "MODEL.labels", made where it is missing or old. GlowliteError where that
        fails."""
        model = name if name in self.models else name.removesuffix(".labels")
        if model not in self.models:
            raise GlowliteError(f"There is no model {name} here.")
        with self.exporting[model]:
            folder = self.folder / model / self.version(model)
            if not (folder / f"{model}.bin").is_file():
                self.export(model, folder)
                for old in (self.folder / model).iterdir():
                    if old != folder:
                        shutil.rmtree(old, ignore_errors=True)
        if not (file := folder / f"{name}.bin").is_file():
            raise GlowliteError(f"Nothing is known of labels of {model}.")
        return file

    def version(self, name: str) -> str:
        """A short hash of the model's files and of the code that exports them, by names and times."""
        weights = find_weights(self.models[name]).resolve()
        about = [*list_times(weights.parent.glob(f"{weights.stem}.*")), *self.code]
        return hashlib.sha256("\n".join(about).encode()).hexdigest()[:16]

    @functools.cached_property
    def code(self) -> list[str]:
        return list_times(file for folder in FOLDERS for file in folder.rglob("*.py"))

    def export(self, name: str, folder: Path) -> None:
        """Write NAME.bin to a folder. GlowliteError says why where that fails."""
        command = [sys.executable, "-m", "glowlite", "export-web", self.models[name], "--out", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise GlowliteError(done.stderr.strip().removeprefix("glowlite: ") or f"{name} cannot be exported.")
        for script in folder.glob("*.js"):
            script.unlink()  # only pages from a disk need them

    def export_all(self) -> None:
        """Make the files of all models that have none yet."""
        for name in self.models:
            try:
                self.find(name)
            except GlowliteError as error:
                log.error("the model %s cannot be shown: %s", name, error)


def list_times(files: Iterable[Path]) -> list[str]:
    """The files with the times of their last change."""
    return sorted(f"{file} {file.stat().st_mtime_ns}" for file in files)
