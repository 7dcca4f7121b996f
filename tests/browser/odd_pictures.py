"""Odd and damaged pictures, as files: turned, of other colours, cut short, larger than they are."""

import base64
import io
import random
import struct
import zlib

import numpy as np
from PIL import Image

COLOURS = np.array([[[200, 30, 40], [20, 180, 60]], [[40, 60, 220], [240, 230, 20]]], np.uint8)  # no symmetry
PATCHES = COLOURS.repeat(40, 0).repeat(40, 1)  # (80, 80, 3)


def encode(pixels, kind="PNG", **options) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def header(width: int, height: int, depth: int = 8, colour: int = 2, rows: bytes = b"") -> bytes:
    """A PNG by hand; rows are as filtered, a 0 before each."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    start = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + start + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def sixteen_bits() -> bytes:
    rows = b"".join(b"\0" + (row.astype(">u2") * 257).astype(">u2").tobytes() for row in PATCHES)
    return header(80, 80, 16, 2, rows)


def turned() -> bytes:
    """As a camera held on its side stores it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(np.ascontiguousarray(np.rot90(PATCHES)), "JPEG", quality=95, exif=exif)


def moving(kind: str, **options) -> bytes:
    other = Image.fromarray(PATCHES[::-1].copy())
    return encode(PATCHES, kind, save_all=True, append_images=[other] * 3, **options)


def palette() -> bytes:
    image = Image.fromarray(PATCHES).convert("P", palette=Image.Palette.ADAPTIVE)
    return encode(image, transparency=image.getpixel((0, 0)))


ODD = {
    "16 bits": sixteen_bits,
    "CMYK": lambda: encode(Image.fromarray(PATCHES).convert("CMYK"), "JPEG", quality=95),
    "palette with transparency": palette,
    "turned by a camera": turned,
    "animated GIF": lambda: moving("GIF"),
    "animated WebP": lambda: moving("WEBP", lossless=True),
    "a name of many letters": lambda: encode(PATCHES),
    "12 MB": lambda: encode(PATCHES),
}


def fuzzed(count: int, seed: int = 0) -> list[str]:
    """Pictures in four formats, a few bytes of each changed, put in, taken out or cut off; in base 64."""
    chance = random.Random(seed)
    noise = np.random.default_rng(seed).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    originals = [encode(noise, kind) for kind in ("PNG", "JPEG", "WEBP", "GIF")]
    files = []
    for number in range(count):
        data = bytearray(originals[number % 4])
        for _ in range(chance.choice([1, 3, 10, 40])):
            place, kind = chance.randrange(len(data)), chance.random()
            if kind < 0.7:
                data[place] = chance.randrange(256)
            elif kind < 0.85:
                data[place:place] = chance.randbytes(chance.randrange(1, 9))
            else:
                del data[place : place + chance.randrange(1, 9)]
        if chance.random() < 0.6:
            del data[chance.randrange(len(data)) :]
        files.append(base64.b64encode(data).decode())
    return files


WRONG = [
    b"Dear diary, " * 50,
    b"<!DOCTYPE html><script>alert(1)</script>",
    b"PK\3\4" + bytes(90),
    b"%PDF-1.7\n" + bytes(90),
]
WRONG += [
    b"<svg xmlns='http://www.w3.org/2000/svg' width='99' height='99'/>",
    b"\0\0\0\x18ftypheic" + bytes(64),
    bytes(500),
]
# Where a file's header has its width and height, and of how many bytes and which end they are.
SIZES = {"PNG": (16, 4, "big"), "GIF": (6, 2, "little"), "WEBP": (26, 2, "little"), "JPEG": (0, 2, "big")}


def enlarged(kind: str, chance: random.Random) -> bytes:
    """A small picture whose header says that it is large."""
    data = bytearray(encode(PATCHES, kind))
    at, count, order = SIZES[kind]
    at = at or data.index(b"\xff\xc0") + 5
    sides = b"".join(chance.randrange(9_000, 16_000).to_bytes(count, order) for _ in range(2))
    data[at : at + 2 * count] = sides
    return bytes(data)


def damaged(count: int, seed: int = 0) -> list[bytes]:
    """Files that are changed, cut short, empty, no pictures, or said to be huge, in turn."""
    chance = random.Random(seed)
    changed = [base64.b64decode(file) for file in fuzzed(count, seed)]
    files = []
    for number in range(count):
        kind = number % 5
        if kind == 1:
            whole = encode(PATCHES, chance.choice(list(SIZES)))
            files.append(whole[: chance.randrange(1, len(whole))])
        elif kind == 2:
            files.append(chance.choice(WRONG) if number % 2 else chance.randbytes(chance.randrange(1, 3000)))
        elif kind == 3:
            files.append(enlarged(chance.choice(list(SIZES)), chance))
        elif kind == 4 and number % 10 == 4:
            files.append(b"")
        else:
            files.append(changed[number])
    return files
