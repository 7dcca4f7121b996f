"""Picture files, one of your own or a data set by name; always uint8 (..., C, H, W).

A picture may come from anyone. So its size is read from its header before anything is decoded, only common
formats are tried, and any error of a decoder becomes one sentence.
"""

import hashlib
import os
import warnings
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageCms
from torch import Tensor

from glowlite.data.datasets import Pictures, load
from glowlite.errors import GlowliteError

__all__ = ["DIGESTS", "Pictures", "UnreadablePicture", "digests", "load", "read_picture", "read_square", "read_upright"]

MAX_BYTES = 100 * 2**20  # of a file
MAX_PIXELS = 200_000_000
MAX_MEMORY = 256 * 2**20  # of a decoded picture
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
# Bytes of a pixel in memory, with the copies that are made of it: 12 where it may be transparent, 9 in other modes.
BYTES = {"1": 2, "L": 1, "RGB": 4, "CMYK": 4, "RGBA": 8}
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
DIGESTS = 2**63  # digests lie below


class UnreadablePicture(GlowliteError):
    """A file that is no picture, or none that can be read; `kind` says why in a word or two."""

    def __init__(self, sentence: str, kind: str):
        super().__init__(sentence)
        self.kind = kind


def digests(images: Tensor) -> np.ndarray:
    """A number in [0, DIGESTS) for each picture, from its pixels alone: int64 (N,) from uint8 (N, C, H, W).

    >>> a, b, c = digests(torch.tensor([1, 2, 1], dtype=torch.uint8).view(3, 1, 1, 1))
    >>> a == c, a == b
    (np.True_, np.False_)
    """
    hashes = (hashlib.blake2b(image.contiguous().numpy(), digest_size=8).digest() for image in images)
    return np.array([int.from_bytes(each) // 2 for each in hashes], np.int64)


def read_picture(source: bytes | str | os.PathLike | BinaryIO, size: int = 64, channels: int = 3) -> Tensor:
    """One picture as a square, uint8 (channels, size, size): the largest one at its middle, resampled.

    source: the bytes of a picture file, its path, or a file open for reading in binary (it stays open). channels: 3 for
    colour, 1 for grey. Lanczos's filter resamples; a large JPEG is decoded at a reduced size. The camera's orientation
    is applied, colours are converted from the file's profile to sRGB, transparency becomes white, 16-bit grey is scaled
    to 8 from as many bits as its largest value needs (8, 10, 12, 14 or 16), and of an animation the first frame is
    taken. UnreadablePicture, one sentence, for anything that is no such picture, is damaged, has a side under MIN_SIDE
    pixels, more than MAX_PIXELS pixels or MAX_BYTES bytes, or would take more than MAX_MEMORY bytes.

    >>> file = BytesIO()
    >>> Image.new("RGB", (100, 80), "red").save(file, "PNG")
    >>> read_picture(file.getvalue(), size=32)[:, 0, 0]
    tensor([255,   0,   0], dtype=torch.uint8)
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the decoders' remarks on odd files; what matters raises
        return read_square(source, check_size(size), channels)


def read_square(source, size: int, channels: int) -> Tensor:
    """`read_picture` for threads, which cannot turn warnings off and on: they belong to the whole process."""

    def square(image: Image.Image) -> Image.Image:
        width, height = image.size
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        return image.resize((size, size), Image.Resampling.LANCZOS, (left, top, left + side, top + side))

    return _read(source, square, channels, 4 * size)[0]


def read_upright(source: bytes | str | os.PathLike | BinaryIO, channels: int = 3) -> tuple[Tensor, float]:
    """A whole picture, uint8 (channels, H, W), and its width over that of the file's picture.

    As `read_picture`, but neither cut nor resampled; only a JPEG with sides of 4,096 pixels or more is decoded at a
    reduced size, with sides of 2,048 at least.

    >>> file = BytesIO()
    >>> Image.new("RGB", (100, 80), "red").save(file, "PNG")
    >>> picture, scale = read_upright(file.getvalue())
    >>> picture.shape, scale
    (torch.Size([3, 80, 100]), 1.0)
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _read(source, lambda image: image, channels, 2048)


def _read(source, resize, channels: int, side: int) -> tuple[Tensor, float]:
    """A file's picture in sRGB or grey, resized, and how far its width was reduced while it was decoded."""
    data, name = _bytes(source)
    image, width = _decode(data, name, side)
    mode, scale = image.mode, image.width / width
    try:
        turn = _turn(image)
        square = _to_rgb(image, resize)
        square = square.transpose(TURNS[turn]) if turn in TURNS else square
        pixels = torch.from_numpy(np.array(square.convert("L") if channels == 1 else square))
    except Exception:
        raise UnreadablePicture(
            f"{name} has a kind of colours ({mode}) that cannot be read: save it as an 8-bit PNG.", "odd colours"
        ) from None
    finally:
        image.close()
    return pixels.view(*pixels.shape[:2], channels).permute(2, 0, 1).contiguous(), scale


def check_size(size) -> int:
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
            raise UnreadablePicture(
                f"{path} cannot be opened ({reason}): check that it may be read.", "not to be opened"
            ) from None
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
        raise UnreadablePicture(f"{name} is empty (0 bytes): choose another file.", "empty")
    if len(data) > MAX_BYTES:
        raise UnreadablePicture(f"{name} has more than {MAX_BYTES // 2**20} MB: make it smaller first.", "too large")
    return data, name


def _decode(data: bytes, name: str, side: int) -> tuple[Image.Image, int]:
    """The decoded picture and the width in its header, or one sentence why not. The header decides before any pixel.

    side: a JPEG may be decoded at a half, a quarter or an eighth of its size if no side gets smaller than this.
    """
    image = _open(data, name)
    width, height = image.size
    refusal = None
    if width * height > MAX_PIXELS:
        found, most = -(-width * height // 10**6), MAX_PIXELS // 10**6
        sentence = f"{name} has {found} million pixels, and at most {most} million are read: shrink it first."
        refusal = UnreadablePicture(sentence, "too large")
    elif min(width, height) < MIN_SIDE:
        sentence = f"{name} is {width} x {height} pixels: choose one of at least {MIN_SIDE} x {MIN_SIDE}."
        refusal = UnreadablePicture(sentence, "too small")
    else:
        image.draft(None, (side, side))
        refusal = _too_large(image, width * height, name)
    try:
        if refusal is None:
            image.load()
            refusal = _too_large(image, width * height, name)  # now it is known whether anything is transparent
    except Exception:
        sentence = f"{name} is damaged or cut short: copy it again from where it came, or choose another."
        refusal = UnreadablePicture(sentence, "damaged")
    if refusal is not None:
        image.close()
        raise refusal from None
    return image, width


def _too_large(image: Image.Image, pixels: int, name: str) -> UnreadablePicture | None:
    """The sentence for a picture that takes too much memory; `pixels` are those of the file, before any reduction."""
    transparent = image.mode in ("LA", "La", "PA") or (image.mode != "RGBA" and "transparency" in image.info)
    memory = image.width * image.height * (12 if transparent else BYTES.get(image.mode, 9))
    if image.format in ("WEBP", "AVIF"):  # their decoders hold several copies
        memory = image.width * image.height * 16 if image.format == "WEBP" else 2 * memory
    if image.info.get("progressive"):  # all coefficients are held at once, whatever the size that is asked for
        memory += pixels * 2 * len(image.getbands())
    if memory <= MAX_MEMORY:
        return None
    found, most = -(-memory // 2**20), MAX_MEMORY // 2**20
    sentence = f"{name} would take {found} MB of memory, and at most {most} MB are used: shrink it first."
    return UnreadablePicture(sentence, "too large")


def _open(data: bytes, name: str) -> Image.Image:
    """Read a picture's header."""
    Image.init()
    try:
        data = _without_text(data)
        for known in [known for known in FORMATS if known in Image.OPEN]:
            make, accepts = Image.OPEN[known]
            if accepts(data[:16]) is True:
                return make(BytesIO(data), "")  # Image.open would add a limit of its own to ours
    except Exception:
        pass
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1"):
        raise UnreadablePicture(f"{name} is a HEIC picture: export it as JPEG or PNG first.", "HEIC")
    sentence = f"{name} is not a picture that can be read: choose one of {', '.join(FORMATS)}."
    raise UnreadablePicture(sentence, "not a picture")


def _without_text(data: bytes) -> bytes:
    """A PNG without its text, which Pillow refuses where it is long. Short XMP stays: it may tell the orientation."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    kept, place = [data[:8]], 8
    while place + 8 <= len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4])
        chunk = data[place:end]
        xmp = chunk[8:].startswith(b"XML:com.adobe.xmp") and len(chunk) < 2**16
        if chunk[4:8] not in (b"tEXt", b"zTXt", b"iTXt") or xmp:
            kept.append(chunk)
        place = end
    return b"".join(kept)


def _to_rgb(image: Image.Image, resize) -> Image.Image:
    """A decoded picture, resized, in sRGB. Profiles are applied last, when it is small."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I;16"):  # Pillow's own conversion would clip at 255
        values = np.asarray(image)
        bits = max(8, int(values.max()).bit_length() + 1 & ~1)  # as cameras and scanners count: 8, 10, 12, 14 or 16
        image = Image.fromarray((values >> (bits - 8)).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise ValueError("32 bits, whose black and white are anyone's guess")
    if image.has_transparency_data:
        image = _to_srgb(resize(image if image.mode == "RGBA" else image.convert("RGBA")), profile)  # weighted by alpha
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    if image.mode not in ("RGB", "L", "CMYK"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    return _to_srgb(resize(image), profile).convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert colours from a profile, such as Display P3, to sRGB; a damaged or misplaced profile changes nothing."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return image


def _turn(image: Image.Image) -> int:
    try:
        return image.getexif().get(ORIENTATION, 1)
    except Exception:
        return 1  # a damaged note beside a good picture
