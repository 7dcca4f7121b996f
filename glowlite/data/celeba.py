"""CelebA (Liu et al. 2015) from its published files, cropped as by RealNVP and Glow."""

import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from glowlite.errors import GlowliteError

IMAGES, ATTRIBUTES, PARTITION = "img_align_celeba", "list_attr_celeba.txt", "list_eval_partition.txt"
BOX = (15, 40, 163, 188)  # left, top, right, bottom of the 148 x 148 pixels of 178 x 218 that both papers keep
SPLITS = {"train": "0", "test": "2"}  # in the list of partitions; 1 is its validation part, which is left out


def size_of(name: str) -> int | None:
    """The side of the pictures of "celeba" (64), "celeba32" and so on; None for any other name.

    >>> size_of("celeba"), size_of("celeba128"), size_of("mnist")
    (64, 128, None)
    """
    found = re.fullmatch(r"celeba(\d{1,3})?", name)
    return int(found[1] or 64) or None if found else None


def convert(folder: Path, size: int) -> dict[str, np.ndarray]:
    """The arrays of both splits: train_images uint8 (N, size, size, 3) and train_Smiling int8 (N,), -1 or 1, ..."""
    images = folder / IMAGES if (folder / IMAGES).is_dir() else folder / f"{IMAGES}.zip"
    if missing := [path.name for path in (images, folder / ATTRIBUTES, folder / PARTITION) if not path.exists()]:
        raise GlowliteError(
            "CelebA's terms are yours to agree to, so it is not downloaded: fetch its files from its authors' page and "
            f"put them into {folder}, where {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing."
        )
    try:
        return _arrays(images, folder, size)
    except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
        raise GlowliteError(f"A file in {folder} is damaged or incomplete ({error}): fetch it again.") from None


def _arrays(images: Path, folder: Path, size: int) -> dict[str, np.ndarray]:
    _, header, *rows = (folder / ATTRIBUTES).read_text().splitlines()
    values = {name: [int(mark) for mark in marks] for name, *marks in map(str.split, rows)}
    parts = dict(line.split() for line in (folder / PARTITION).read_text().splitlines())
    arrays = {}
    for split, part in SPLITS.items():
        names = [name for name, which in parts.items() if which == part]
        marks = np.array([values[name] for name in names], np.int8)
        arrays |= {f"{split}_{column}": marks[:, i] for i, column in enumerate(header.split())}
        arrays[f"{split}_images"] = _read_all(images, names, size, split)
    return arrays


def _read_all(images: Path, names: list[str], size: int, split: str) -> np.ndarray:
    """The pictures of those names in a folder or in the published archive: uint8 (N, size, size, 3)."""
    with nullcontext() if images.is_dir() else zipfile.ZipFile(images) as archive:
        root = images if archive is None else zipfile.Path(archive, f"{IMAGES}/")

        def read_one(name: str) -> np.ndarray:
            with Image.open(BytesIO((root / name).read_bytes())) as image:
                return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.LANCZOS, BOX))

        found = np.empty((len(names), size, size, 3), np.uint8)
        with ThreadPoolExecutor(4) as threads:
            for i, picture in enumerate(tqdm(threads.map(read_one, names), f"CelebA, {split}", len(names), delay=1)):
                found[i] = picture
    return found
