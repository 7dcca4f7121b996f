"""Data sets by name: downloaded or converted once, and kept as one .npz each; and data sets of your own beside them."""

import gzip
import os
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from glowlite.data import celeba
from glowlite.errors import GlowliteError
from glowlite.files import write_atomically


class Pictures(NamedTuple):
    """images uint8 (N, C, H, W), and labels int64 (N,), or None where the set has none."""

    images: Tensor
    labels: Tensor | None


class Archive(NamedTuple):
    """A file of a data set as its authors published it."""

    url: str
    md5: str


class Source(NamedTuple):
    """The archives of a data set, and the function that turns them into arrays."""

    archives: tuple[Archive, ...]
    convert: Callable[[list[Path]], dict[str, np.ndarray]]


def cache_folder() -> Path:
    """The folder of data sets: the one that the environment variable GLOWLITE_DATA names, else the user's cache."""
    import pooch

    return Path(os.environ.get("GLOWLITE_DATA") or pooch.os_cache("glowlite")).expanduser()


def is_known(name: str) -> bool:
    """Whether there is a data set of that name: a published one, or one of your own in `cache_folder()`."""
    return name in SOURCES or celeba.size_of(name) is not None or (cache_folder() / f"{name}.npz").is_file()


def write_npz(file: Path, **arrays) -> None:
    """Save arrays as `file`, which appears at the end, whole. GlowliteError if there is no room for it."""
    try:
        write_atomically(file, lambda opened: np.savez(opened, **arrays))
    except GlowliteError as error:
        raise _no_room(file, error.__cause__ or error) from None


def load(name: str, split: str = "train") -> Pictures:
    """The "train" or "test" split of a data set, by its name.

    "mnist" (LeCun et al., 1998) and "fashion-mnist" (Xiao et al., 2017), both (N, 1, 28, 28), and "cifar10"
    (Krizhevsky, 2009), (N, 3, 32, 32), are downloaded the first time, checked against their published checksums and
    kept as NAME.npz in `cache_folder()`. "celeba" (Liu et al., 2015), (N, 3, 64, 64), or at another size "celeba32",
    is made there from its published files, which you fetch (see data/celeba.py). Any other NAME.npz there serves as
    well: uint8 arrays train_images and test_images, (N, H, W) or (N, H, W, 3), and if there are labels,
    train_labels and test_labels, (N,). GlowliteError for an unknown name or split, a file that is damaged,
    and a set that is not there and cannot be had.

    >>> np.savez(cache_folder() / "mine.npz", train_images=np.zeros((5, 28, 28), np.uint8))
    >>> load("mine").images.shape
    torch.Size([5, 1, 28, 28])
    """
    file, arrays = _arrays(name, split)
    images, labels = arrays["images"], arrays.get("labels")
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] != 3):
        raise GlowliteError(
            f"{split}_images in {file} are {images.dtype} {images.shape}: "
            "they are to be uint8, (N, H, W) or (N, H, W, 3)."
        )
    if labels is not None and labels.shape != images.shape[:1]:
        raise GlowliteError(
            f"{file} has {len(images)} {split}_images, but labels of shape {labels.shape}: give one for each."
        )
    colours = torch.from_numpy(images if images.ndim == 4 else images[..., None])  # (N, H, W, C)
    return Pictures(
        colours.permute(0, 3, 1, 2).contiguous(),
        None if labels is None else torch.from_numpy(labels.astype(np.int64)),
    )


def load_attributes(name: str, split: str = "train") -> dict[str, Tensor]:
    """The columns of numbers that a data set has beside its pictures and labels: {attribute: float32 (N,)}.

    They are the arrays train_smile, test_smile and so on of NAME.npz; NaN where a value is not known.

    >>> columns = {"train_images": np.zeros((2, 28, 28), np.uint8), "train_smile": np.array([-1, 1])}
    >>> np.savez(cache_folder() / "mine.npz", **columns)
    >>> load_attributes("mine")
    {'smile': tensor([-1.,  1.])}
    """
    file, arrays = _arrays(name, split, columns=True)
    columns = {key: values for key, values in arrays.items() if values.ndim == 1}
    if len({len(values) for values in columns.values()}) > 1:
        counts = ", ".join(f"{split}_{key} {len(values)}" for key, values in columns.items())
        raise GlowliteError(f"The columns of {file} differ in their number of values ({counts}): give one a picture.")
    return {key: torch.from_numpy(values.astype(np.float32)) for key, values in columns.items()}


def _arrays(name: str, split: str, columns: bool = False) -> tuple[Path, dict[str, np.ndarray]]:
    """A data set's file, made if need be, and its images and labels, or else its other columns, of one split."""
    if split not in ("train", "test"):
        raise GlowliteError(f'A data set has the splits "train" and "test", not {split!r}.')
    file = cache_folder() / f"{name}.npz"
    if not file.is_file():
        if size := celeba.size_of(name):
            write_npz(file, **celeba.convert(cache_folder() / "celeba", size))
        elif name in SOURCES:
            _fetch(name, file)
        else:
            raise GlowliteError(
                f"There is no data set {name!r}: {', '.join(SOURCES)} and celeba are known by name, and a folder, "
                f"or {file}, would do."
            )
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
            known, prefix = {f"{split}_images", f"{split}_labels"}, f"{split}_"
            others = [key for key in arrays if key.startswith(prefix) and key not in known]
            wanted = others if columns else [f"{split}_images", *({f"{split}_labels"} & set(arrays))]
            return file, {key.removeprefix(prefix): arrays[key] for key in wanted}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise GlowliteError(f"{file} is damaged or incomplete ({error}): delete it and load it again.") from None


def _fetch(name: str, file: Path) -> None:
    """Download, check and convert the data set `name`; `file` appears at the end, whole."""
    import pooch
    import requests

    source, folder = SOURCES[name], file.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=f"{name}-") as scratch:
            paths = [
                Path(pooch.retrieve(archive.url, f"md5:{archive.md5}", path=scratch, progressbar=True))
                for archive in source.archives
            ]
            write_npz(file, **source.convert(paths))
    except requests.exceptions.RequestException as error:
        if error.response is not None:
            error.response.close()  # pooch leaves it open
        raise GlowliteError(
            f"{name} is not in {folder} and cannot be downloaded now: connect to the network once, or put "
            f"{file.name} there, or name the folder that holds it in the environment variable GLOWLITE_DATA."
        ) from None
    except OSError as error:
        raise _no_room(file, error) from None
    except GlowliteError:
        raise
    except ValueError:  # pooch: the checksum differs
        raise GlowliteError(
            f"What was downloaded for {name} is not what its authors published (its checksum differs): "
            f"try again later, or put {file.name} into {folder} yourself."
        ) from None


def _no_room(file: Path, error: Exception) -> GlowliteError:
    return GlowliteError(
        f"{file.stem} cannot be kept in {file.parent} ({getattr(error, 'strerror', None) or error}): "
        "name a folder with room in the environment variable GLOWLITE_DATA."
    )


def _mnist(paths: list[Path]) -> dict[str, np.ndarray]:
    """The four IDX files: a header of 4 bytes, 4 more for each axis, then uint8 values."""

    def idx(path: Path) -> np.ndarray:
        data = gzip.decompress(path.read_bytes())
        axes = data[3]
        shape = np.frombuffer(data, ">u4", axes, offset=4)
        return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape)

    names = ("train_images", "train_labels", "test_images", "test_labels")
    return {name: idx(path) for name, path in zip(names, paths, strict=True)}


def _cifar10(paths: list[Path]) -> dict[str, np.ndarray]:
    """Six files of records: one byte of label, then 3 x 32 x 32 bytes of pixels."""
    batches = {"train": [f"data_batch_{i}.bin" for i in range(1, 6)], "test": ["test_batch.bin"]}
    arrays = {}
    with tarfile.open(paths[0]) as tar:
        for split, names in batches.items():
            data = b"".join(tar.extractfile(f"cifar-10-batches-bin/{name}").read() for name in names)
            records = np.frombuffer(data, np.uint8).reshape(-1, 1 + 3 * 32 * 32)
            arrays[f"{split}_labels"] = records[:, 0]
            arrays[f"{split}_images"] = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return arrays


_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_FASHION = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
_CIFAR10 = "https://www.cs.toronto.edu/~kriz/"
_IDX = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")


def _idx_archives(url: str, *md5s: str) -> tuple[Archive, ...]:
    return tuple(Archive(f"{url}{name}-ubyte.gz", md5) for name, md5 in zip(_IDX, md5s, strict=True))


SOURCES = {
    "mnist": Source(
        _idx_archives(
            _MNIST,
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "d53e105ee54ea40749a09fcbcd1e9432",
            "9fb629c4189551a2d022fa330f9573f3",
            "ec29112dd5afa0611ce80d1b7f02629c",
        ),
        _mnist,
    ),
    "fashion-mnist": Source(
        _idx_archives(
            _FASHION,
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
        _mnist,
    ),
    # The binary version, for the usual one is a pickle, and a pickle may run code.
    "cifar10": Source((Archive(_CIFAR10 + "cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"),), _cifar10),
}
