"""Pictures of one's own: each format and oddity comes out right, and all else is one clear sentence."""

import io
import random
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from glowlite.data.pictures import folder, read_picture
from glowlite.errors import GlowliteError

COLOURS = np.array([[[200, 30, 40], [20, 180, 60]], [[40, 60, 220], [240, 230, 20]]], np.uint8)  # no symmetry
PATCHES = COLOURS.repeat(32, 0).repeat(32, 1)  # (64, 64, 3): four patches of 32 x 32
NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def encode(pixels, kind="PNG", **options) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def tensor(pixels) -> torch.Tensor:
    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1)


def error(source, size=64) -> str:
    """The one sentence with which reading `source` is refused."""
    with pytest.raises(GlowliteError) as caught:
        read_picture(source, size)
    refusal = caught.value
    assert refusal.__suppress_context__ or refusal.__context__ is None  # no trace of a decoder's own error
    text = str(refusal)
    assert text.endswith(".") and "\n" not in text
    return text


def quarters(picture) -> list[list[int]]:
    """The colours in the middles of the four quarters, row by row."""
    q = picture.shape[-1] // 4
    return [picture[:, y, x].tolist() for y in (q, 3 * q) for x in (q, 3 * q)]


def assert_close(picture, pixels=COLOURS, tolerance=3):
    difference = np.array(quarters(picture)) - np.asarray(pixels, dtype=int).reshape(4, 3)
    assert np.abs(difference).max() <= tolerance, difference


@pytest.mark.parametrize("as_source", [bytes, memoryview, io.BytesIO], ids=lambda f: f.__name__)
def test_every_pixel_of_a_picture_of_the_right_size_is_kept(as_source):
    picture = read_picture(as_source(encode(NOISE)))
    assert picture.dtype == torch.uint8 and picture.is_contiguous()
    assert torch.equal(picture, tensor(NOISE))


def test_a_path_and_an_open_file(tmp_path):
    path = tmp_path / "me.png"
    path.write_bytes(encode(NOISE))
    assert torch.equal(read_picture(path), tensor(NOISE))
    assert torch.equal(read_picture(str(path)), tensor(NOISE))
    with path.open("rb") as file:
        assert torch.equal(read_picture(file), tensor(NOISE))
        assert not file.closed


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "WEBP", "JPEG", "AVIF"])
@pytest.mark.parametrize("size", [32, 64, 128])
def test_formats_and_sizes(kind, size):
    if kind not in Image.registered_extensions().values():
        pytest.skip(f"this Pillow was built without {kind}")
    options = {"quality": 95} if kind in ("WEBP", "JPEG", "AVIF") else {}
    picture = read_picture(encode(PATCHES, kind, **options), size)
    assert picture.shape == (3, size, size)
    assert_close(picture, tolerance=12 if options else 0)


def test_shrinking_averages():
    checks = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)
    picture = read_picture(encode(checks))
    assert (picture.float() - 127.5).abs().max() < 3  # picking single pixels would give 0 or 255


@pytest.mark.parametrize("wide", [True, False])
def test_the_middle_square_is_taken(wide):
    long = np.zeros((64, 200, 3), np.uint8)
    long[:, 68:132] = NOISE if wide else NOISE.transpose(1, 0, 2)
    picture = read_picture(encode(long if wide else long.transpose(1, 0, 2)))
    assert torch.equal(picture, tensor(NOISE))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_cameras_orientation_is_applied(kind, orientation):
    store = {  # how a camera held that way stores the upright picture (EXIF 2.3, tag 274)
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2),
        6: lambda p: np.rot90(p),
        7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
        8: lambda p: np.rot90(p, -1),
    }[orientation]
    stored = Image.fromarray(np.ascontiguousarray(store(PATCHES.repeat(2, 0).repeat(2, 1)[:, 4:-4])))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"exif": exif} | ({"quality": 95} if kind in ("JPEG", "WEBP") else {})
    assert_close(read_picture(encode(stored, kind, **options)), tolerance=12)


def test_gray_in_8_1_and_16_bits():
    ramp = np.linspace(0, 255, 64).round().astype(np.uint8)[None].repeat(64, 0)
    for data in (encode(ramp), encode(ramp, "JPEG", quality=100)):
        picture = read_picture(data)
        assert (picture - torch.from_numpy(ramp).int()).abs().max() <= 2
    black_and_white = Image.fromarray(ramp).point(lambda v: 255 * (v > 99), "1")
    assert read_picture(encode(black_and_white)).unique().tolist() == [0, 255]
    for kind in ("PNG", "TIFF"):
        sixteen = read_picture(encode(ramp.astype(np.uint16) * 257, kind))
        assert torch.equal(sixteen, torch.from_numpy(ramp).expand(3, -1, -1))


def png(width, height, depth, colour, rows=b"") -> bytes:
    """A PNG by hand: colour 2 is RGB, 6 is RGBA; rows are as filtered, a 0 before each."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(rows)) if rows else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def test_16_bit_colour_is_scaled():
    rows = b"".join(b"\0" + row.astype(">u2").__mul__(257).astype(">u2").tobytes() for row in NOISE)
    assert torch.equal(read_picture(png(64, 64, 16, 2, rows)), tensor(NOISE))


def test_cmyk():
    data = encode(Image.fromarray(PATCHES).convert("CMYK"), "JPEG", quality=95)
    assert Image.open(io.BytesIO(data)).mode == "CMYK"
    assert_close(read_picture(data), tolerance=12)


def test_a_palette():
    data = encode(Image.fromarray(PATCHES).convert("P", palette=Image.Palette.ADAPTIVE))
    assert Image.open(io.BytesIO(data)).mode == "P"
    assert_close(read_picture(data), tolerance=1)


@pytest.mark.parametrize("size", [32, 64])
def test_transparency_becomes_white(size):
    alpha = np.array([[0, 255], [128, 64]], np.uint8).repeat(32, 0).repeat(32, 1)
    picture = read_picture(encode(np.dstack([PATCHES, alpha])), size)
    share = np.array([[0, 255], [128, 64]])[..., None] / 255
    assert_close(picture, COLOURS * share + 255 * (1 - share), tolerance=3)
    assert read_picture(encode(Image.fromarray(alpha * 0).convert("LA")), size).unique().tolist() == [0]


def test_a_transparent_palette_and_a_transparent_colour():
    image = Image.fromarray(PATCHES).convert("P", palette=Image.Palette.ADAPTIVE)
    expected = COLOURS.copy()
    expected[0, 0] = 255
    for kind in ("PNG", "GIF"):
        assert_close(read_picture(encode(image, kind, transparency=image.getpixel((0, 0)))), expected, tolerance=1)
    data = encode(PATCHES, transparency=tuple(map(int, COLOURS[0, 0])))
    assert_close(read_picture(data), expected, tolerance=0)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(kind):
    other = Image.fromarray(PATCHES[::-1].copy())
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encode(PATCHES, kind, save_all=True, append_images=[other, other], **options)
    assert Image.open(io.BytesIO(data)).n_frames > 1
    assert_close(read_picture(data), tolerance=1)


def test_what_is_no_picture_says_so(tmp_path):
    assert "is empty (0 bytes)" in error(b"")
    assert "not a picture that can be read: choose one of PNG, JPEG" in error(b"Dear diary, " * 100)
    assert "not a picture" in error(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n" + b"0 " * 500)
    assert "is a HEIC picture: export it as JPEG" in error(b"\0\0\0\x18ftypheic" + b"\0" * 64)
    assert "There is no file" in error(tmp_path / "me.png")
    assert "is a folder" in error(tmp_path)
    assert "not from this" in error(7)
    assert 'open it with mode "rb"' in error(io.StringIO("text"))
    path = tmp_path / "notes.png"
    path.write_text("no picture")
    assert error(path).startswith("notes.png is not a picture")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_picture_cut_short_says_so(kind, share):
    data = encode(NOISE, kind)
    text = error(data[: int(len(data) * share)])
    assert "damaged or cut short" in text or "not a picture" in text  # the latter where even the header is gone


def test_sizes_are_judged_before_anything_is_decoded(monkeypatch):
    def decoded(self):
        raise AssertionError("decoded all the same")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded)
    assert "has 400 million pixels, and at most 50 million" in error(png(20_000, 20_000, 8, 2, b"\0" * 99))
    assert "has 51 million pixels" in error(png(7_150, 7_150, 8, 2, b"\0" * 99))
    assert "is 1 x 1 pixels: choose one of at least 16 x 16" in error(encode(NOISE[:1, :1]))
    assert "is 300 x 15 pixels" in error(png(300, 15, 8, 2, b"\0" * 99))
    assert "more than 50 MB" in error(b"\x89PNG" + bytes(50 * 2**20))
    assert "more than 50 MB" in error(io.BytesIO(bytes(51 * 2**20)))


def test_a_bomb_in_few_bytes_is_refused():
    """Few bytes that would become many: a whole PNG of 900 million pixels is under a megabyte."""
    packed = zlib.compressobj(9)
    rows = b"".join(packed.compress(bytes(30_001 * 100)) for _ in range(3)) + packed.flush()
    header = png(30_000, 30_000, 8, 0)
    assert "900 million" in error(header[:-12] + struct.pack(">I", len(rows)) + b"IDAT" + rows + bytes(4))


@pytest.mark.parametrize("mode", ["I", "F"])
def test_32_bit_pictures_are_refused(mode):
    assert "save it as an 8-bit PNG" in error(encode(Image.new(mode, (32, 32), 7), "TIFF"))


@pytest.mark.parametrize("size", [0, -1, 5000, 6.5, "64", True, None])
def test_a_size_that_is_none(size):
    assert "whole number of pixels" in error(encode(NOISE), size)


def test_files_changed_at_random_give_a_picture_or_a_sentence():
    random_ = random.Random(0)
    kinds = ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"]
    originals = [encode(PATCHES[:40, :48], kind) for kind in kinds]
    originals += [encode(Image.fromarray(PATCHES[:32, :32]).convert(mode)) for mode in ("P", "LA", "RGBA", "1")]
    refused = 0
    for trial in range(250):
        data = bytearray(originals[trial % len(originals)])
        for _ in range(random_.choice([1, 2, 5, 20])):
            data[random_.randrange(len(data))] = random_.randrange(256)
        if random_.random() < 0.3:
            del data[random_.randrange(len(data)) :]
        try:
            picture = read_picture(bytes(data), 16)
            assert picture.shape == (3, 16, 16) and picture.dtype == torch.uint8
        except GlowliteError as refusal:
            refused += 1
            assert "\n" not in str(refusal)
    assert 25 < refused < 225  # both happened


@pytest.fixture
def album(tmp_path):
    (tmp_path / "b").mkdir()
    for name, value in (("b/2.jpg", 80), ("a.png", 10), ("b/1.JPG", 40)):
        kind = "PNG" if name.endswith("png") else "JPEG"
        (tmp_path / name).write_bytes(encode(np.full((40, 50, 3), value, np.uint8), kind))
    (tmp_path / "notes.txt").write_text("none of them")
    (tmp_path / ".hidden.png").write_bytes(b"nor this")
    return tmp_path


def test_a_folder_is_read_in_the_order_of_its_paths(album):
    images = folder(album, 32)
    assert images.shape == (3, 3, 32, 32) and images.dtype == torch.uint8
    assert images[:, 0, 5, 5].tolist() == [10, 40, 80]
    assert torch.equal(folder(str(album), 32), images)


def test_what_a_folder_holds_beside_pictures_is_counted_once(album):
    (album / "broken.png").write_bytes(encode(NOISE)[:200])
    (album / "empty.gif").write_bytes(b"")
    with pytest.warns(UserWarning, match="2 of the 5 pictures in .* the first: broken.png is damaged") as caught:
        images = folder(album, 32)
    assert len(caught) == 1 and len(images) == 3


def test_folders_without_pictures(tmp_path):
    for path, reason in (
        (tmp_path, "holds no pictures"),
        (tmp_path / "nowhere", "does not exist"),
        (tmp_path / "x.png", "is a file, not a folder"),
    ):
        if path.suffix:
            path.write_bytes(b"")
        with pytest.raises(GlowliteError, match=reason):
            folder(path)
    with pytest.raises(GlowliteError, match="None of the 1 pictures in .*; the first: x.png is empty"):
        folder(tmp_path)
