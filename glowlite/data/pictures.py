"""Picture files: one of your own, a folder, or a data set by name; always uint8 (..., C, H, W).

A picture may come from anyone. So its size is read from its header before anything is decoded, only common
formats are tried, and any error of a decoder becomes one sentence.
"""

import os
import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm

from glowlite.data.datasets import Pictures, load
from glowlite.errors import GlowliteError

__all__ = ["Pictures", "folder", "load", "read_picture"]

MAX_BYTES = 50 * 2**20
MAX_PIXELS = 50_000_000
MIN_SIDE = 16  # pixels; a smaller picture would be mostly invented
FORMATS = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
    "AVIF": (".avif",),
}
ORIENTATION = 0x0112  # the EXIF tag; its values 2 to 8 say how the stored picture is to be turned
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


# --- one picture ----------------------------------------------------------------------------------------


def read_picture(source: bytes | str | os.PathLike | BinaryIO, size: int = 64) -> Tensor:
    """One picture as a colour square, uint8 (3, size, size): the largest one at its middle, resampled.

    source: the bytes of a picture file, its path, or a file open for reading in binary (it stays open).
    Lanczos's filter resamples. The camera's orientation is applied, transparency becomes white, 16 bits are
    scaled to 8, and of an animation the first frame is taken. GlowliteError, in one sentence, for anything
    that is no such picture, is damaged, has a side under MIN_SIDE pixels, or has more than MAX_PIXELS pixels
    or MAX_BYTES bytes.

    >>> file = BytesIO()
    >>> Image.new("RGB", (100, 80), "red").save(file, "PNG")
    >>> read_picture(file.getvalue(), size=32)[:, 0, 0]
    tensor([255,   0,   0], dtype=torch.uint8)
    """
    size = _check_size(size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the decoders' remarks on odd files; what matters raises
        return _read(source, size)


def _read(source, size: int) -> Tensor:
    data, name = _bytes(source)
    image = _decode(data, name)
    try:
        square = _square(image, size)
    except Exception:
        raise GlowliteError(
            f"{name} has a kind of colours ({image.mode}) that cannot be read: save it as an 8-bit PNG."
        ) from None
    finally:
        image.close()
    return torch.from_numpy(np.array(square)).permute(2, 0, 1).contiguous()


def _check_size(size) -> int:
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 4096:
        raise GlowliteError(f"The size of a picture is a whole number of pixels from 1 to 4096, not {size!r}.")
    return size


def _bytes(source) -> tuple[bytes, str]:
    """The content of `source`, and what to call it when something is wrong with it."""
    name = "The picture"
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
    elif isinstance(source, (str, os.PathLike)):
        path = Path(source)
        name = path.name or str(path)
        try:
            if path.is_dir():
                raise GlowliteError(f"{path} is a folder: name one picture in it.")
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            raise GlowliteError(f"There is no file {path}: check its name and folder.") from None
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            reason = getattr(error, "strerror", None) or error
            raise GlowliteError(f"{path} cannot be opened ({reason}): check that it may be read.") from None
    else:
        try:
            data = source.read(MAX_BYTES + 1)
        except (AttributeError, OSError, ValueError) as error:
            raise GlowliteError(
                f"A picture is read from bytes, a path or a file open for reading, not from this ({error})."
            ) from None
        if not isinstance(data, bytes):
            raise GlowliteError('The picture\'s file is open as text: open it with mode "rb".')
    if not data:
        raise GlowliteError(f"{name} is empty (0 bytes): choose another file.")
    if len(data) > MAX_BYTES:
        raise GlowliteError(f"{name} has more than {MAX_BYTES // 2**20} MB: make it smaller first.")
    return data, name


def _decode(data: bytes, name: str) -> Image.Image:
    """Open and decode, or say in one sentence why not. The header decides before any pixel is decoded."""
    Image.init()
    try:
        image = Image.open(BytesIO(data), formats=[known for known in FORMATS if known in Image.OPEN])
    except Image.DecompressionBombError as error:  # Pillow's own limit, about 180 million
        found = re.search(r"\d+", str(error))
        raise _too_large(name, int(found.group()) if found else 2 * Image.MAX_IMAGE_PIXELS) from None
    except Exception:
        if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1"):
            raise GlowliteError(f"{name} is a HEIC picture: export it as JPEG or PNG first.") from None
        known = ", ".join(FORMATS)
        raise GlowliteError(f"{name} is not a picture that can be read: choose one of {known}.") from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        image.close()
        raise _too_large(name, width * height)
    if min(width, height) < MIN_SIDE:
        image.close()
        raise GlowliteError(f"{name} is {width} x {height} pixels: choose one of at least {MIN_SIDE} x {MIN_SIDE}.")
    try:
        image.load()
    except Exception:
        image.close()
        raise GlowliteError(
            f"{name} is damaged or cut short: copy it again from where it came, or choose another."
        ) from None
    return image


def _too_large(name: str, pixels: int) -> GlowliteError:
    found, most = pixels // 10**6, MAX_PIXELS // 10**6
    return GlowliteError(f"{name} has {found} million pixels, and at most {most} million are read: shrink it first.")


def _square(image: Image.Image, size: int) -> Image.Image:
    """The middle square of a decoded picture in RGB, size x size; turned upright last, when it is small."""
    turn = _turn(image)
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    image = image.crop((left, top, left + side, top + side))
    if image.mode.startswith("I;16"):  # Pillow's own conversion would clip at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise ValueError("32 bits, whose black and white are anyone's guess")
    if image.has_transparency_data:
        image = image.convert("RGBA").resize((size, size), Image.Resampling.LANCZOS)  # weighted by alpha
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)
    return image.transpose(TURNS[turn]) if turn in TURNS else image


def _turn(image: Image.Image) -> int:
    try:
        return image.getexif().get(ORIENTATION, 1)
    except Exception:
        return 1  # a damaged note beside a good picture


# --- a folder -------------------------------------------------------------------------------------------


def folder(path: str | os.PathLike, size: int = 64) -> Tensor:
    """Every picture in a folder and the folders in it, uint8 (N, 3, size, size), in the order of their paths.

    Each is read as by `read_picture`. Files that are named like pictures and cannot be read are left out,
    with one warning that counts them; other files are not looked at. GlowliteError where there is no folder,
    or no picture in it.
    """
    path, size = Path(path), _check_size(size)
    if not path.is_dir():
        reason = "is a file, not a folder" if path.exists() else "does not exist"
        raise GlowliteError(f"{path} {reason}: give a folder that holds pictures.")
    suffixes = {suffix for group in FORMATS.values() for suffix in group}
    files = sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in suffixes and not file.name.startswith(".") and file.is_file()
    )
    if not files:
        raise GlowliteError(f"{path} holds no pictures: give a folder with files such as .png or .jpg in it.")

    def read(file: Path) -> Tensor | GlowliteError:
        try:
            return _read(file, size)
        except GlowliteError as error:
            return error

    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as threads:
        warnings.simplefilter("ignore")  # once around all threads: the filters belong to the whole process
        bar = tqdm(threads.map(read, files), "reading pictures", len(files), disable=len(files) < 1000)
        found = list(bar)
    errors = [picture for picture in found if isinstance(picture, GlowliteError)]
    images = [picture for picture in found if isinstance(picture, Tensor)]
    if not images:
        raise GlowliteError(f"None of the {len(files)} pictures in {path} can be read; the first: {errors[0]}")
    if errors:
        warnings.warn(
            f"{len(errors)} of the {len(files)} pictures in {path} cannot be read and are left out; "
            f"the first: {errors[0]}",
            stacklevel=2,
        )
    return torch.stack(images)
