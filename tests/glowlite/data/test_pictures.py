"""Pictures of one's own: each format and oddity comes out right, and all else is one clear sentence."""

import io
import random
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from glowlite.data import pictures
from glowlite.data.pictures import digests, read_picture, read_upright
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
    assert "has 400 million pixels, and at most 200 million" in error(png(20_000, 20_000, 8, 2, b"\0" * 99))
    assert "has 201 million pixels, and at most 200 million" in error(png(20_000, 10_001, 8, 0, b"\0" * 99))
    assert "would take 260 MB of memory, and at most 256 MB" in error(png(8_250, 8_250, 8, 2, b"\0" * 99))
    assert "is 1 x 1 pixels: choose one of at least 16 x 16" in error(encode(NOISE[:1, :1]))
    assert "is 300 x 15 pixels" in error(png(300, 15, 8, 2, b"\0" * 99))
    assert "more than 100 MB" in error(b"\x89PNG" + bytes(100 * 2**20))
    assert "more than 100 MB" in error(io.BytesIO(bytes(101 * 2**20)))


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


def test_grey_is_one_channel():
    ramp = np.linspace(0, 255, 64).round().astype(np.uint8)[None].repeat(64, 0)
    assert torch.equal(read_picture(encode(ramp), channels=1), torch.from_numpy(ramp)[None])
    grey = Image.fromarray(PATCHES).convert("L")
    assert read_picture(encode(PATCHES), channels=1)[0, 16, 16] == grey.getpixel((16, 16))


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_16_bit_grey_is_scaled_by_the_bits_that_its_values_need(bits):
    ramp = np.linspace(0, 2**bits - 1, 64).astype(np.uint16)[None].repeat(64, 0)
    picture = read_picture(encode(ramp))
    assert (picture.max(), picture.min()) == (255, 0)
    assert torch.equal(picture[0, 0], torch.from_numpy(ramp[0] >> (bits - 8)).to(torch.uint8))


def rgb_profile(red, green, blue) -> bytes:
    """An ICC profile (version 2) of an RGB monitor with gamma 1; the colours of its primaries are XYZ, for D50."""

    def fixed(*values):
        return struct.pack(f">{len(values)}i", *(round(v * 65536) for v in values))

    curve = b"curv\0\0\0\0" + struct.pack(">I", 0)  # no points: linear
    name = b"a monitor\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(78),
        b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1.0, 0.8249),
        b"rXYZ": b"XYZ \0\0\0\0" + fixed(*red),
        b"gXYZ": b"XYZ \0\0\0\0" + fixed(*green),
        b"bXYZ": b"XYZ \0\0\0\0" + fixed(*blue),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    table, body = struct.pack(">I", len(tags)), b""
    for tag, content in tags.items():
        content += bytes(-len(content) % 4)
        table += tag + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(content))
        body += content
    head = bytes(4) + b"none" + struct.pack(">I", 0x02400000) + b"mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28)
    head += fixed(0.9642, 1.0, 0.8249) + bytes(48)
    return struct.pack(">I", len(head + table + body)) + head[4:] + table + body


SRGB_PRIMARIES = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
P3_PRIMARIES = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("size", [32, 64])
def test_colours_are_converted_from_the_profile_to_srgb(kind, size):
    grey = np.full((64, 64, 3), 55, np.uint8)  # linear light, so in sRGB about 128
    options = {"quality": 100} if kind in ("JPEG", "WEBP") else {}
    picture = read_picture(encode(grey, kind, icc_profile=rgb_profile(*SRGB_PRIMARIES), **options), size)
    expected = 255 * (1.055 * (55 / 255) ** (1 / 2.4) - 0.055)
    assert (picture.float() - expected).abs().max() < 2, picture.unique()


def test_wide_colours_become_those_of_srgb_and_alpha_stays():
    red = np.zeros((32, 32, 4), np.uint8)
    red[..., 0] = red[..., 3] = 255
    red[:16, :, 3] = 0
    to_p3 = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), io.BytesIO(rgb_profile(*P3_PRIMARIES)), "RGB", "RGB"
    )
    stored = np.array(ImageCms.applyTransform(Image.fromarray(PATCHES), to_p3))
    assert np.abs(stored.astype(int) - PATCHES).max() > 30  # so it does matter
    assert_close(read_picture(encode(stored, icc_profile=rgb_profile(*P3_PRIMARIES))), tolerance=4)
    picture = read_picture(encode(red, icc_profile=rgb_profile(*P3_PRIMARIES)), 32)
    assert picture[:, 0, 0].tolist() == [255] * 3 and picture[:, 31, 0].tolist() == [255, 0, 0]


def test_srgb_and_useless_profiles_change_no_pixel():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, b"nonsense", rgb_profile(*P3_PRIMARIES)[:200]):
        assert torch.equal(read_picture(encode(NOISE, icc_profile=profile)), tensor(NOISE))
    grey = np.arange(64, dtype=np.uint8)[None].repeat(64, 0)
    misplaced = read_picture(encode(grey, icc_profile=rgb_profile(*P3_PRIMARIES)))
    assert torch.equal(misplaced[0], torch.from_numpy(grey))


def test_a_png_with_much_text_opens():
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("prompt", "x" * 2_000_000, zip=True)
    text.add_itxt("workflow", "y" * 2_000_000, zip=True)
    data = encode(NOISE, pnginfo=text)
    assert len(data) < 50_000
    assert torch.equal(read_picture(data), tensor(NOISE))
    late = data[:-12] + data[33 : data.index(b"IDAT") - 4] + data[-12:]  # the same text after the pixels
    assert torch.equal(read_picture(late), tensor(NOISE))


def test_large_pictures_of_phones_are_read(monkeypatch):
    patches = Image.fromarray(COLOURS).resize((8160, 6144), Image.Resampling.NEAREST)
    assert_close(read_picture(encode(patches, compress_level=1)), tolerance=1)
    black = read_picture(encode(Image.new("1", (7072, 7072))))
    assert black.unique().tolist() == [0]
    huge = encode(patches.resize((16320, 12240), Image.Resampling.NEAREST), "JPEG")  # 200 million pixels
    sizes = []
    load = pictures.Image.Image.resize
    monkeypatch.setattr(pictures.Image.Image, "resize", lambda image, *a: sizes.append(image.size) or load(image, *a))
    assert_close(read_picture(huge), tolerance=12)
    assert sizes == [(2040, 1530)], "not decoded at an eighth"


def test_a_progressive_jpeg_is_held_whole_and_judged_so():
    data = bytearray(encode(NOISE, "JPEG", progressive=True))
    place = data.index(b"\xff\xc2") + 5
    data[place : place + 4] = struct.pack(">HH", 12_000, 16_000)
    assert "MB of memory, and at most 256 MB" in error(bytes(data))


def test_a_reduced_jpeg_is_as_good_as_a_whole_one():
    smooth = Image.fromarray(NOISE).resize((16, 16)).resize((1600, 1200), Image.Resampling.BICUBIC)
    reduced, whole = read_picture(encode(smooth, "JPEG", quality=95)), read_picture(encode(smooth))
    assert (reduced.float() - whole.float()).abs().mean() < 1


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_whole_picture_is_upright_and_neither_cut_nor_shrunk(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = PATCHES[:, :40]
    picture, scale = read_upright(encode(stored, exif=exif))
    assert torch.equal(picture, tensor(stored if orientation == 1 else np.rot90(stored, -1).copy())) and scale == 1
    large = encode(Image.fromarray(PATCHES).resize((5000, 4400), Image.Resampling.NEAREST), "JPEG", exif=exif)
    picture, scale = read_upright(large)
    assert scale == 0.5 and sorted(picture.shape[1:]) == [2200, 2500]
    assert read_upright(encode(PATCHES), channels=1)[0].shape == (1, 64, 64)


def test_digests_tell_pictures_apart_by_their_pixels_alone():
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2000, 1, 4, 4), dtype=np.uint8))
    found = digests(images)
    assert len(set(found.tolist())) == 2000 and np.array_equal(found[7:9], digests(images[7:9]))
    assert 150 < (found < pictures.DIGESTS / 10).sum() < 250, "not evenly spread"
