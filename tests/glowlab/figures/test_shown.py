"""Rows of pictures, charts, the map, the live picture: each shows its numbers, and has alt text."""

import base64
import io
import math

import numpy as np
import pytest
import torch
from PIL import Image

from glowlab.explorers.gallery import read_portraits
from glowlab.figures import charts, glow_map, live, rows, style
from glowlab.figures.colours import MEANINGS, PALETTE
from glowlite.errors import GlowliteError
from tests.glowlab.figures.painted import pixels, words


def pictures(count, channels=3, size=64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, channels, size, size), generator=generator, dtype=torch.uint8)


# ---- what is shown -----------------------------------------------------------------------------------------


def test_a_shown_picture_has_its_words_in_every_form():
    made, ax = style.figure(2, 1)
    shown = style.show(made, 'A "chart" & more.')
    data, metadata = shown._repr_mimebundle_()
    assert metadata["image/png"] == {"alt": 'A "chart" & more.', "width": 192}
    assert data["text/plain"] == repr(shown) == 'A "chart" & more.'
    assert 'alt="A &quot;chart&quot; &amp; more."' in data["text/html"]
    stored = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGBA")
    whole = Image.open(io.BytesIO(shown.png)).convert("RGBA")
    apart = np.abs(np.asarray(stored, int) - np.asarray(whole, int)) * np.asarray(whole)[..., 3:] / 255
    assert apart.mean() < 2  # 256 colours are enough


def test_the_page_shows_the_very_pixels_of_the_png():
    shown = rows.row(pictures(2), alt="Noise.")
    page = shown._repr_mimebundle_()[0]["text/html"]
    webp = base64.b64decode(page.split("base64,")[1].split('"')[0])
    again = np.asarray(Image.open(io.BytesIO(webp)).convert("RGBA"))
    seen = pixels(shown)[..., 3] == 255
    assert np.array_equal(again[seen], pixels(shown)[seen])


def test_photographs_are_stored_with_a_little_loss_in_much_less_room():
    photographs = list(read_portraits(64)[0][:3])
    exact, lossy = (rows.row(photographs, alt="Three.", exact=exact)._repr_mimebundle_()[0] for exact in (True, False))
    assert all(len(lossy[kind]) < 0.6 * len(exact[kind]) for kind in ("text/html", "image/png"))
    seen, near = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(data["text/html"].split("base64,")[1].split('"')[0]))), int)
        for data in (exact, lossy)
    )
    opaque = seen[..., 3] == 255
    assert seen.shape == near.shape and np.abs(seen - near)[opaque].mean() < 3


@pytest.mark.parametrize("alt", ["", "  "])
def test_a_picture_without_words_is_refused(alt):
    made, _ = style.figure(2, 1)
    with pytest.raises(ValueError, match="words"):
        style.show(made, alt)
    with pytest.raises(GlowliteError, match="alt"):
        rows.row(pictures(1), alt=alt)


def luminance(colour: str) -> float:
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return sum(weight * v for weight, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", ["#ffffff", "#111111"])  # JupyterLab's grounds, light and dark
def test_figures_can_be_read_on_a_light_and_on_a_dark_page(page):
    assert contrast(style.INK, page) > 4.3
    assert min(contrast(PALETTE[name], page) for name in MEANINGS) > 3


def test_a_figure_has_no_ground_of_its_own():
    made, ax = style.figure(2, 1)
    assert pixels(style.show(made, "An empty chart."))[0, 0, 3] == 0


# ---- rows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count, zoom, arrows", [(1, 4, 0), (4, 4, 0), (5, 3, 0), (3, 4, 2)])
def test_every_pixel_becomes_a_square_and_keeps_its_colour(count, zoom, arrows):
    images = pictures(count)
    shown = pixels(rows.row(images, ["a caption"] * count, "Noise.", ["go"] * arrows))
    assert shown.shape[1] <= rows.PAGE
    side, gap = 64 * zoom, rows.ARROW_WIDTH if arrows else rows.PICTURE_GAP
    for i, image in enumerate(images):
        left = i * (side + gap)
        expected = image.permute(1, 2, 0).numpy().repeat(zoom, 0).repeat(zoom, 1)
        assert np.array_equal(shown[:side, left : left + side, :3], expected)


def test_pictures_of_other_sizes_and_gray_ones_fit_beside_each_other():
    images = [pictures(1)[0], pictures(1, 1, 8), pictures(1, 3, 28)[0], pictures(1, 3, 600)[0]]
    shown = pixels(rows.row(images, alt="Noise."))
    assert shown.shape[1] <= rows.PAGE and shown.shape[0] <= 256
    assert np.array_equal(shown[0, 272, :3], [images[1][0, 0, 0, 0]] * 3)


@pytest.mark.parametrize(
    "images, captions, arrows, says",
    [
        ([], [], [], "at least one"),
        (pictures(2), ["one"], [], "as many captions"),
        (pictures(3), [], ["one"], "2 arrows"),
        (pictures(2).float(), [], [], "torch.float32"),
        ([...], [], [], "ellipsis"),
    ],
)
def test_a_row_states_mistakes(images, captions, arrows, says):
    with pytest.raises(GlowliteError, match=says):
        rows.row(images, captions, "Noise.", arrows)


def test_latents_as_colours():
    eps = torch.stack([torch.full((2, 2), value) for value in (-9.0, 0.0, 3.0, 1.0)])
    picture = rows.latent_picture(eps[None])
    assert picture.dtype == torch.uint8 and picture[:, 0, 0].tolist() == [0, 128, 255]


def test_pictures_side_by_side_are_as_large_as_there_is_room():
    two, four = (rows.side_by_side({str(k): pictures(1) for k in range(count)}, "Greys.") for count in (2, 4))
    assert two.height > four.height and words(four) == ["0", "1", "2", "3"]
    for scene in (two, four):
        for shape in scene.drawing().shapes:
            if shape["kind"] == "image":
                assert shape["box"][2] == shape["box"][3] and shape["box"][1] + shape["box"][3] <= scene.height
    with pytest.raises(GlowliteError, match="at least one picture"):
        rows.side_by_side({}, "Nothing.")


def test_the_change_of_a_face_is_measured():
    face = torch.full((1, 3, 4, 4), 100, dtype=torch.uint8)
    other = face.clone()
    other[:, 0] += 12  # red alone: 4 grey levels in the mean of the colours
    scene = rows.face_change(face, other, "redder", "Two.")
    assert "the change: 4.0 grey levels" in words(scene) and "redder" in words(scene)
    first, second, change = scene.drawing().images
    assert (first[..., :3] == 100).all() and (second[..., 0] == 112).all()
    assert change[..., 3].min() == change[..., 3].max() == round(4 / 64 * 255)
    for bad in (other[..., :2], other.float()):
        with pytest.raises(GlowliteError, match="uint8 pictures of one shape"):
            rows.face_change(face, bad, "", "Two.")


# ---- charts and the map ------------------------------------------------------------------------------------


def test_the_histogram_is_a_density_with_the_share_beyond(monkeypatch):
    kept = []
    monkeypatch.setattr(style, "show", lambda made, alt: kept.append(made) or alt)
    generator = torch.Generator().manual_seed(0)
    near = [torch.randn(1, 3, 32, 32, generator=generator), torch.randn(1, 6, 8, 8, generator=generator)]
    charts.against_normal({"near": near, "far": [20 * eps for eps in near]})
    first, second = kept[0].axes
    (stairs,) = first.patches
    values, edges, _ = stairs.get_data()
    assert (values * np.diff(edges)).sum() == pytest.approx(1, abs=1e-6)
    assert abs(values.max() - 1 / math.sqrt(2 * math.pi)) < 0.06
    texts = [[text.get_text() for text in ax.texts] for ax in (first, second)]
    assert not any("beyond" in text for text in texts[0]) and any("76% lie" in text for text in texts[1])


def test_the_map_colours_the_named_parts():
    whole, ends = glow_map.glow_map(), glow_map.glow_map("x", "z")
    assert "the picture x, the latents z" in ends.alt and "Lit" not in whole.alt
    blue = np.array([int(PALETTE["x"][i : i + 2], 16) for i in (1, 3, 5)])

    def lit(shown, colour):
        image = pixels(shown)
        return ((abs(image[..., :3].astype(int) - colour) < 3).all(-1) & (image[..., 3] > 250)).sum()

    assert lit(ends, blue) > 200 > 20 > lit(glow_map.glow_map("z"), blue)
    with pytest.raises(GlowliteError, match="no part 'y'"):
        glow_map.glow_map("y")


# ---- live --------------------------------------------------------------------------------------------------


def test_the_picture_follows_the_slider_and_leaves_a_png():
    made = live.Follow(
        lambda value: torch.full((1, 3, 4, 4), int(100 + 50 * value), dtype=torch.uint8), "Gray", alt="At {}."
    )
    assert made.picture.image[0, 0, 0] == 100 and made.picture.label == "At +0.00."
    made.slider.value = 0.5
    assert made.picture.image[0, 0, 0] == 125 and made.picture.label == "At +0.50."
    assert made.picture.other == bytes([100]) * 48
    data = made._repr_mimebundle_()
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(data["image/png"]))))
    assert (image == 125).all() and data["text/plain"] == "At +0.50."
    assert "application/vnd.jupyter.widget-view+json" in data


def test_a_mistake_while_drawing_is_a_sentence_and_the_old_picture_stays():
    def draw(value):
        if value > 0:
            raise GlowliteError("Too far.")
        return torch.zeros(3, 4, 4, dtype=torch.uint8)

    made = live.Follow(draw, "Gray")
    before = made.picture.pixels
    made.slider.value = 1.0
    assert made.head.notice["text"] == "Too far." and made.picture.pixels == before
    assert made.head.layout.display == "flex"


def test_the_stored_png_has_fewer_colours_unless_it_is_a_photograph():
    chart = style.show(style.figure(3, 2)[0], "A chart.")
    shades = torch.linspace(0, 255, 64 * 64).view(64, 64).round().to(torch.uint8)
    photograph = rows.row([torch.stack([shades, shades.T, 255 - shades])], alt="Many colours.")
    for shown, whole in ((chart, False), (photograph, True)):
        data, _ = shown._repr_mimebundle_()
        assert (base64.b64decode(data["image/png"]) == shown.png) is whole


def test_a_caption_longer_than_its_picture_is_not_cut():
    made = pixels(rows.row(pictures(1), ["much longer than the picture is wide"], "A picture.", height=64))
    words = made[70:, :, 3] > 0
    assert words.any() and not words[:, [0, 1, -2, -1]].any()
