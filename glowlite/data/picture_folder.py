"""A folder of pictures: which files count, what is passed over, and a cache, so that nothing is read twice."""

import hashlib
import os
import sys
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from glowlite.data.datasets import cache_folder, write_npz
from glowlite.data.pictures import FORMATS, UnreadablePicture, check_size, digests, read_square
from glowlite.errors import GlowliteError

SUFFIXES = {suffix for group in FORMATS.values() for suffix in group}
THUMBNAILS = {"thumbs", "thumbnails", "@eadir", "__macosx"}  # what systems make of pictures that are there already
DUPLICATE = "duplicate"


class Folder(NamedTuple):
    """images: uint8 (N, C, size, size); names: their paths within the folder, with "/", in order."""

    images: Tensor
    names: list[str]


def read(path: str | os.PathLike, size: int = 64, channels: int = 3) -> Folder:
    """Read every picture in a folder and the folders in it, in the order of their paths, each as `read_picture` does.

    Folders that are links are followed. Hidden folders and those of thumbnails are passed over, and so are files that
    cannot be read and pictures equal to one before; one line on stderr counts them. What was read is kept in
    `cache_folder()`. GlowliteError where there is no folder, or no picture in it.

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as album:
    ...     Image.new("RGB", (40, 30), "red").save(Path(album, "red.png"))
    ...     images, names = read(album, size=16)
    >>> images.shape, names
    (torch.Size([1, 3, 16, 16]), ['red.png'])
    """
    path, size = check_folder(path), check_size(size)
    files, passed = find_files(path)
    if not files:
        raise GlowliteError(f"{path} holds no pictures ({_listed(passed) or 'it is empty'}): give a folder with some.")
    pictures = _read_all(path, files, size, channels)
    good = {name: picture for name, picture in pictures.items() if isinstance(picture, np.ndarray)}
    passed.update(kind for kind in pictures.values() if isinstance(kind, str))
    if not good:
        raise GlowliteError(f"No picture in {path} can be read: {_listed(passed)}.")
    images = torch.from_numpy(np.stack(list(good.values())))
    _, first = np.unique(digests(images), return_index=True)
    first = np.sort(first)
    passed[DUPLICATE] = len(good) - len(first)
    names = list(good)
    if len(first) < len(names):
        images, names = images[torch.from_numpy(first)], [names[i] for i in first]
    left_out = f"; passed over: {_listed(passed)}" if passed.total() else ""
    print(f"{path}: {len(names):,} pictures{left_out}", file=sys.stderr)
    return Folder(images, names)


def check_folder(path: str | os.PathLike) -> Path:
    """The path of a folder that is there. GlowliteError if it is none."""
    path = Path(path)
    if not path.is_dir():
        reason = "is a file, not a folder" if path.exists() else "is not there"
        raise GlowliteError(f"{path} {reason}: name a folder that holds pictures, in its present place.")
    return path


def find_files(path: Path) -> tuple[dict[str, Path], Counter[str]]:
    """The files that are pictures by their name, by their path within the folder, and all others counted by kind."""
    files, passed = {}, Counter()
    for file in _walk(path, {os.path.realpath(path)}, passed):
        suffix = file.suffix.lower()
        if not file.exists():
            passed["link to nothing"] += 1
        elif suffix in SUFFIXES:
            files[file.relative_to(path).as_posix()] = file
        else:
            passed["HEIC" if suffix in (".heic", ".heif") else f"{suffix or 'other'} file"] += 1
    return dict(sorted(files.items())), passed


def _walk(folder: Path, seen: set[str], passed: Counter[str]) -> Iterator[Path]:
    """All files below a folder; each folder once, however many links lead to it."""
    for entry in sorted(folder.iterdir(), key=lambda entry: (entry.is_symlink(), entry.name)):
        if not entry.is_dir():
            if not entry.name.startswith("."):  # as the notes that a Mac leaves beside each file
                yield entry
        elif entry.name.startswith(".") or entry.name.lower() in THUMBNAILS:
            passed["folder of thumbnails or hidden"] += 1
        elif (real := os.path.realpath(entry)) in seen:
            passed["folder linked twice"] += 1
        else:
            seen.add(real)
            yield from _walk(entry, seen, passed)


def _listed(passed: Counter[str]) -> str:
    """Kinds and how many of each: "40 x HEIC (export them as JPEG), 2 x damaged"."""
    hints = {"HEIC": " (export them as JPEG)"}
    return ", ".join(f"{count:,} x {kind}{hints.get(kind, '')}" for kind, count in passed.most_common() if count)


def _read_all(path: Path, files: dict[str, Path], size: int, channels: int) -> dict[str, np.ndarray | str]:
    """Each file's picture (C, size, size), or the kind of its fault; from the cache where the file has not changed."""
    place = hashlib.blake2b(os.path.realpath(path).encode(), digest_size=8).hexdigest()
    cache = cache_folder() / "folders" / f"{path.resolve().name}-{place}-{channels}x{size}x{size}.npz"
    stats = {name: file.stat() for name, file in files.items()}
    keys = {name: f"{name}|{stat.st_size}|{stat.st_mtime_ns}" for name, stat in stats.items()}
    kept = _read_cache(cache)
    new = [name for name, key in keys.items() if key not in kept]

    def read_one(name: str) -> np.ndarray | str:
        try:
            return read_square(files[name], size, channels).numpy()
        except UnreadablePicture as error:
            return error.kind

    with warnings.catch_warnings(), ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
        warnings.simplefilter("ignore")  # once around all threads
        bar = tqdm(threads.map(read_one, new), "reading pictures", len(new), unit=" pictures", delay=1)
        kept |= zip((keys[name] for name in new), bar, strict=True)
    found = {name: kept[key] for name, key in keys.items()}
    if new:
        images = [picture for picture in found.values() if isinstance(picture, np.ndarray)]
        kinds = [picture if isinstance(picture, str) else "" for picture in found.values()]
        with suppress(GlowliteError):  # without a cache the next start reads again
            write_npz(cache, keys=np.array(list(keys.values())), kinds=np.array(kinds), images=np.array(images))
    return found


def _read_cache(cache: Path) -> dict[str, np.ndarray | str]:
    """What an earlier call kept; nothing where the file is missing or damaged."""
    try:
        with cache.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            images = iter(arrays["images"])
            pairs = zip(arrays["keys"].tolist(), arrays["kinds"].tolist(), strict=True)
            return {key: kind or next(images) for key, kind in pairs}
    except (OSError, ValueError, KeyError, EOFError, StopIteration, zipfile.BadZipFile):
        return {}
