"""The small widgets and the frame, without a browser."""

import base64
import io
import re
from pathlib import Path

import pytest
import torch
import traitlets
from PIL import Image

from glowlab.figures.colours import MEANINGS
from glowlab.widgets.controls import Button, Choice, Slider
from glowlab.widgets.frame import SORRY, Frame
from glowlab.widgets.picture import Picture, to_bytes, to_png
from glowlite.errors import GlowliteError

PNG = "image/png"
THEME = Path(__file__).parents[3] / "glowlab" / "widgets" / "theme.css"


def random_picture(channels=3, size=8):
    return torch.randint(0, 256, (channels, size, size), dtype=torch.uint8)


def open_png(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


@pytest.mark.parametrize("channels", [1, 3])
def test_bytes_and_png_hold_the_pixels(channels):
    image = random_picture(channels)
    rgb = image.expand(3, -1, -1)
    assert torch.frombuffer(bytearray(to_bytes(image)), dtype=torch.uint8).view(8, 8, 3).equal(rgb.permute(1, 2, 0))
    assert open_png(to_png(image)).tobytes() == to_bytes(image)
    enlarged = open_png(to_png(image, 5))
    assert enlarged.size == (40, 40)
    assert enlarged.resize((8, 8), Image.Resampling.NEAREST).tobytes() == to_bytes(image)


def test_a_picture_leaves_a_png_where_no_kernel_runs():
    image = random_picture()
    picture = Picture(image, label="A face.")
    data = picture._repr_mimebundle_()
    data = data[0] if isinstance(data, tuple) else data
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"] == "A face."
    shown = open_png(base64.b64decode(data[PNG])).resize((8, 8), Image.Resampling.NEAREST)
    assert shown.tobytes() == to_bytes(image)


def test_a_picture_sends_pixels_of_its_size():
    picture = Picture(random_picture(size=8))
    picture.show(random_picture(1, 4), other=random_picture(1, 4))
    assert (picture.width, picture.height) == (4, 4)
    assert len(picture.pixels) == len(picture.other) == 4 * 4 * 3


def test_a_slider_stays_within_its_range():
    slider = Slider(min=0.0, max=1.0)
    slider.value = 7
    assert slider.value == 1.0


def move(slider: Slider, value: float, epoch: int | None = None) -> None:
    """Send what the page sends when the slider is dragged; it knew `epoch`, or the latest."""
    slider.set_state({"move": [slider.epoch if epoch is None else epoch, value]})


def test_a_slider_follows_the_page_but_not_moves_older_than_what_was_set_here():
    slider, seen = Slider(value=0.2), []
    slider.observe(lambda change: seen.append(change["new"]), "value")
    known = slider.epoch
    move(slider, 0.5)
    assert slider.value == 0.5 and slider.epoch == known
    slider.put(0.5)  # the very same value, but from here on older moves are void
    move(slider, 0.9, epoch=known)
    assert slider.value == 0.5 and slider.epoch == known + 1
    for back in (0.0, 0.2):
        slider.value = back
        move(slider, 0.9, epoch=slider.epoch - 1)
        assert slider.value == back
    move(slider, -0.3)
    assert slider.value == -0.3 and seen == [0.5, 0.0, 0.2, -0.3]


def test_what_is_set_while_a_move_is_answered_reaches_the_page():
    slider = Slider(max=3.0)
    slider.observe(lambda change: slider.set_trait("value", round(change["new"])), "value")
    move(slider, 1.9)
    assert slider.value == 2.0 and slider.epoch == 1  # the page hears of it
    move(slider, 2.0)
    assert slider.value == 2.0 and slider.epoch == 1
    move(slider, 9.0)
    assert slider.value == 3.0 and slider.epoch == 2


def test_a_choice_knows_its_options():
    choice = Choice(options=[["a", "A"], ["b", "B"]], value="a")
    with pytest.raises(traitlets.TraitError, match="not one of"):
        choice.value = "c"


def test_a_button_counts_clicks():
    clicks = []
    button = Button(label="Go")
    button.on_click(lambda: clicks.append(1))
    button.click()
    button.click()
    assert clicks == [1, 1]


def test_a_page_cannot_set_a_limit():
    slider = Slider()
    slider.set_state({"max": 100.0, "move": [slider.epoch, 50.0]})
    assert slider.value == slider.max == 1.0


def test_a_mistake_is_said_and_a_fault_is_said_kindly_and_logged(capfd):
    frame = Frame("Title", "Promise")

    def mistake():
        raise GlowliteError("Choose another file.")

    def fault():
        raise RuntimeError("secret detail")

    frame.guard(mistake)()
    assert frame.head.notice == {"text": "Choose another file.", "kind": "bad"}
    frame.guard(fault)()
    assert frame.head.notice == {"text": SORRY, "kind": "bad"}
    assert frame.guard(lambda: 3)() == 3
    frame.notify("")
    assert frame.head.notice == {}


def test_a_fault_is_logged(caplog):
    frame = Frame("Title", "Promise")
    frame.guard(lambda: 1 / 0)()
    assert "ZeroDivisionError" in caplog.text


def test_the_style_sheet_has_the_projects_colours():
    css = THEME.read_text()
    for meaning, (light, dark) in MEANINGS.items():
        name = meaning.replace("_", "-")
        found = re.search(rf"--gl-{name}: light-dark\((#\w+), (#\w+)\)", css)
        assert found and found.groups() == (light.lower(), dark.lower()), meaning


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_and_marks_stand_out_from_their_ground(theme):
    pairs = re.findall(r"--gl-([\w-]+): light-dark\((#\w+), (#\w+)\)", THEME.read_text())
    colours = {name: shades[theme] for name, *shades in pairs}
    for ground in ("ground", "card", "well"):
        assert contrast(colours["text"], colours[ground]) >= 7
    for ground in ("ground", "card"):  # WCAG 2.2: 4.5 for text, 3 for what one operates
        assert contrast(colours["soft"], colours[ground]) >= 4.5
        assert contrast(colours["bad"], colours[ground]) >= 4.5
        for meaning in ("x", "z", "log-det"):
            assert contrast(colours[meaning], colours[ground]) >= 3
