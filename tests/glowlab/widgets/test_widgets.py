"""The small widgets and the frame, without a browser."""

import base64
import io
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import traitlets
from PIL import Image

from glowlab.explorers.render import LONGEST, Updater
from glowlab.figures.colours import MEANINGS
from glowlab.widgets.controls import Button, Choice, Slider, Upload
from glowlab.widgets.frame import SORRY, Frame, Sorry
from glowlab.widgets.picture import Picture, Tiles, to_bytes, to_png
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


def test_tiles_hold_all_pictures():
    tiles = Tiles(label="faces")
    images = torch.stack([random_picture() for _ in range(3)])
    tiles.show(images, ["a", "b", "c"])
    assert tiles.count == 3 and tiles.selected == -1
    assert tiles.pixels == b"".join(to_bytes(image) for image in images)
    assert PNG in tiles._repr_mimebundle_()


def test_captions_stand_below_their_tiles_where_no_kernel_runs():
    tiles = Tiles(label="faces", captions=["T = 0", "0.5", "1"])
    images = torch.stack([random_picture() for _ in range(3)])
    tiles.show(images, ["T = 0.0", "T = 0.5", "T = 1.0"])
    data = tiles._repr_mimebundle_()
    assert data["text/plain"] == "faces: T = 0, 0.5, 1"
    shown = open_png(base64.b64decode(data[PNG]))
    width, height = shown.size
    side = width // 3
    assert height > side
    small = shown.crop((0, 0, width, side)).resize((24, 8), Image.Resampling.NEAREST)
    assert small.tobytes() == to_bytes(torch.cat(list(images), -1))
    for part in range(3):  # words in the middle, and white at both sides
        below = [shown.crop((part * side + x, side, part * side + y, height)) for x, y in
                 ((0, side // 4), (side // 4, 3 * side // 4), (3 * side // 4, side))]  # fmt: skip
        assert [part.convert("L").getextrema()[0] < 128 for part in below] == [False, True, False]


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


def test_choosing_the_same_picture_again_is_a_choice_too():
    tiles, chosen = Tiles(), []
    tiles.on_pick(chosen.append)
    for count, index in enumerate((4, 4, 1), start=1):
        tiles.set_state({"pick": [count, index]})
    assert chosen == [4, 4, 1]


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


def send(upload, data: bytes, parts: int):
    step = -(-len(data) // parts) if data else 0
    for part in range(parts):
        message = {"kind": "slice", "name": "a.png", "part": part, "parts": parts}
        upload._receive(upload, message, [memoryview(data[part * step : (part + 1) * step])])


def test_an_upload_puts_its_slices_together():
    got, refused = [], []
    upload = Upload(lambda data, name: got.append((data, name)), refused.append)
    send(upload, bytes(range(250)), 3)
    send(upload, b"", 1)
    assert got == [(bytes(range(250)), "a.png"), (b"", "a.png")]
    upload._receive(upload, {"kind": "too large", "size": 99}, [])
    assert refused == [99]


def test_an_upload_begun_anew_forgets_the_old_one_and_has_a_limit(caplog):
    got = []
    refused = []
    upload = Upload(lambda data, name: got.append(data), refused.append, most=10)
    upload._receive(upload, {"kind": "slice", "name": "a", "part": 0, "parts": 2}, [b"old"])
    send(upload, b"new", 1)
    assert got == [b"new"]
    send(upload, bytes(100), 4)
    assert got == [b"new"] and refused == [25] and "ignored" in caplog.text
    send(upload, bytes(11), 1)  # all in one slice
    send(upload, bytes(10), 1)
    assert got == [b"new", bytes(10)] and refused == [25, 11]


def test_a_page_cannot_set_a_limit():
    got, refused = [], []
    upload, slider = Upload(lambda data, name: got.append(data), refused.append, most=10), Slider()
    upload.set_state({"most": 10**9, "label": "mine"})
    slider.set_state({"max": 100.0, "move": [slider.epoch, 50.0]})
    send(upload, bytes(100), 1)
    assert got == [] and refused == [100] and upload.label != "mine" and slider.value == 1.0


@pytest.mark.parametrize(
    "message",
    [{}, {"kind": "slice"}, {"kind": "slice", "part": 0}, {"kind": "too large"}, {"kind": "too large", "size": "x"}],
)
def test_a_message_that_is_no_part_of_an_upload_changes_nothing(message):
    got = []
    upload = Upload(lambda data, name: got.append(data), got.append)
    upload._receive(upload, message, [b"x"])
    upload._receive(upload, message, [])
    assert got == []


def test_many_changes_in_one_hold_are_one_update():
    shown = []
    updater = Updater(lambda: shown.append("show"), lambda: shown.append("settle"))
    updater.request()
    assert shown == ["show", "settle"]
    with updater.hold():
        updater.request()
        updater.request()
        assert shown == ["show", "settle"]
    assert shown == ["show", "settle"] * 2
    with updater.hold():
        pass
    assert shown == ["show", "settle"] * 2


def test_while_a_kernel_runs_slow_work_waits_for_rest():
    import asyncio

    shown = []
    updater = Updater(lambda: shown.append("show"), lambda: shown.append("settle"), rest=0.05)

    async def moves():
        for _ in range(4):
            updater.request()
            await asyncio.sleep(0.001)
        assert shown == ["show"] * 4
        while "settle" not in shown:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)

    asyncio.run(asyncio.wait_for(moves(), 60))
    assert shown == ["show"] * 4 + ["settle"]


@pytest.mark.parametrize(
    ("took", "computed", "rest"),
    [(0.01, 0.01, 0.1), (0.08, 0.08, 0.4), (0.08, 0.04, 0.8), (2.0, 0.1, LONGEST)],
    ids=["quick", "slow", "crowded", "very crowded"],
)
def test_slow_work_waits_longer_where_others_want_the_cores(monkeypatch, took, computed, rest):
    import asyncio

    clock, waits = SimpleNamespace(wall=0.0, own=0.0), []
    monkeypatch.setattr("glowlab.explorers.render.time.perf_counter", lambda: clock.wall)
    monkeypatch.setattr("glowlab.explorers.render.time.process_time", lambda: clock.own)

    def show():
        clock.wall, clock.own = clock.wall + took, clock.own + computed

    async def move():
        monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda seconds, *call: waits.append(seconds))
        Updater(show, lambda: None, rest=0.1).request()

    asyncio.run(move())
    assert waits == pytest.approx([rest])


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


def test_the_frame_answers_a_pulse_and_passes_an_address_on(monkeypatch):
    frame = Frame("Title", "Promise")
    sent, queries = [], []
    monkeypatch.setattr(frame.head, "send", sent.append)
    frame.on_address(queries.append)
    frame._receive(frame.head, {"kind": "pulse"}, [])
    frame._receive(frame.head, {"kind": "address", "search": "?smile=1"}, [])
    assert sent == [{"kind": "pulse"}] and queries == ["smile=1"]


def test_sorry_says_why():
    assert Sorry("Studio", "No weights.").head.notice["text"] == "No weights."


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
