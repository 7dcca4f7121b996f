"""A scene: units to page units, its shapes, one sentence for each mistake, and its picture."""

import io
import json
import re

import numpy as np
import pytest
import torch
from PIL import Image

from glowlab.figures.colours import PALETTE
from glowlab.figures.scene import WIDTH, Scene
from glowlab.figures.values import round_ticks, ticks, to_rgba
from glowlab.widgets import JS
from glowlite.errors import GlowliteError


def scene(**options):
    return Scene("A test.", **options)


def pixels(made) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(made.shown().png)).convert("RGBA"))


def test_units_go_to_the_page_and_back():
    made = scene()
    panel = made.panel(x=(-2, 3), y=(1, 5), xlabel="x", title="t")
    made.drawing()
    left, top, width, high = panel.plot
    assert np.allclose(panel.to_page([-2, 3], [1, 5]), [[left, top + high], [left + width, top]])
    x, y = torch.rand(20).numpy() * 5 - 2, torch.rand(20).numpy() * 4 + 1
    assert np.allclose(panel.from_page(*panel.to_page(x, y).T), (x, y))
    assert panel.from_page(-500, 9999) == (-2, 1)  # kept inside


def test_panels_share_the_page_by_weight_and_by_row():
    made = scene(height=400, rows=(1, 3))
    wide, narrow, under = made.panel(weight=2), made.panel(), made.panel(row=1, yticks=[])
    made.drawing()
    for panel in (wide, narrow, under):
        left, top, width, high = panel.plot
        assert left >= 0 and top >= 0 and left + width <= WIDTH and top + high <= 400
    assert wide.plot[0] + wide.plot[2] < narrow.plot[0] and wide.plot[2] > 1.7 * narrow.plot[2]
    assert under.plot[1] > 100 and under.plot[3] > 2.5 * wide.plot[3]


def test_equal_units_are_equally_long():
    made = scene()
    panel = made.panel(x=(0, 10), y=(0, 2), equal=True)
    made.drawing()
    assert panel.plot[2] / 10 == pytest.approx(panel.plot[3] / 2)


def everything():
    made = scene()
    panel = made.panel(x=(0, 4), y=(0, 4), title="All", xlabel="x", ylabel="y")
    panel.line([0, 1, 2], torch.tensor([0.0, 1, 0]), dash=True)
    panel.area([0, 1], [1, 2], base=[0, 1])
    panel.bars([0, 1, 2], [1, 2])
    panel.polygons(torch.rand(3, 4, 2), alpha=[0.1, 0.5, 2.0], edge="faint")
    panel.dots([1, 2], [1, 2], "pink")
    panel.image(torch.randn(4, 5), (0, 1, 3, 4), "diverging")
    panel.text(1, 1, "words", bold=True)
    panel.box(0, 0, 1, 1, "box", "z")
    panel.arrow(0, 0, 1, 1)
    panel.handle("h", 2.0, 2.0, "a handle")
    panel.pad("p", "a pad")
    return made


def test_every_shape_is_plain_and_stays_on_the_page():
    made = everything().drawing()
    assert {shape["kind"] for shape in made.shapes} == {
        "path", "polygons", "dots", "image", "text", "box", "arrow",
    }  # fmt: skip
    json.dumps([made.shapes, made.handles, made.pads])
    assert made.handles["h"]["label"] == "a handle" and made.pads["p"]["box"]
    assert made.images[0].shape == (4, 5, 4)
    polygons = next(shape for shape in made.shapes if shape["kind"] == "polygons")
    assert polygons["alpha"] == [0.1, 0.5, 1.0]


def test_the_picture_shows_its_shapes():
    empty, full = scene(), everything()
    empty.panel(x=(0, 4), y=(0, 4), title="All", xlabel="x", ylabel="y")
    assert (pixels(full) != pixels(empty)).any(-1).mean() > 0.05
    assert full.shown().alt == "A test." and full.shown().width == WIDTH


@pytest.mark.parametrize("colour", ["x", "z", "log_det", "#123456"])
def test_a_colour_is_painted_as_it_is(colour):
    made = scene(height=100)
    made.panel(frame=False).area([0, 1], [1, 1], colour=colour, alpha=1.0)
    middle = pixels(made)[75, 540]
    expected = PALETTE.get(colour, colour)
    assert middle.tolist() == [*bytes.fromhex(expected[1:7]), 255]


def test_the_canvas_has_the_colours_of_the_palette():
    fixed = re.search(r"const FIXED = \{(.*?)\}", (JS / "board.js").read_text())[1]
    found = dict(re.findall(r'(\w+): "(#\w+)"', fixed))
    assert len(found) == 3 and found.items() <= PALETTE.items()


def test_lines_end_at_the_panel_and_coordinates_are_finite():
    made = scene(height=200)
    panel = made.panel(x=(0, 1), y=(0, 1), frame=False)
    panel.line([0, 1, 2], [1e9, np.nan, -np.inf], width=20)
    made.drawing()
    shape = made.drawing().shapes[0]
    assert np.isfinite(shape["points"]).all() and np.abs(shape["points"]).max() < 10_000
    inside = pixels(made)[..., 3] > 0
    assert not inside[:, : int(1.5 * panel.plot[0]) - 2].any()


def test_ticks():
    assert [v for v, _ in ticks((0, 1), None)] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert ticks((-1, 1), [-2, -1, (0.5, "half")]) == [(-1.0, "\N{MINUS SIGN}1"), (0.5, "half")]
    assert ticks((0, 1), []) == []


def test_values_become_pixels():
    ramp = to_rgba(np.array([[0.0, 1.0, 2.0]]), "z")
    assert ramp[0, :, 3].tolist() == [0, 128, 255] and (ramp[0, 2, :3] == [213, 94, 0]).all()
    both = to_rgba(np.array([[-1.0, 0.0, 4.0]]), "diverging", high=2.0)
    assert both[0, :, 3].tolist() == [128, 0, 255] and (both[0, 0, :3] == [0, 114, 178]).all()
    picture = torch.randint(0, 256, (1, 3, 2, 5), dtype=torch.uint8)
    assert (to_rgba(picture, "z")[..., :3] == picture[0].permute(1, 2, 0).numpy()).all()


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda: Scene(" "), "alt"),
        (lambda: scene().panel(x=(1, 1)), "x goes from"),
        (lambda: scene().panel(y=(0, float("inf"))), "y goes from"),
        (lambda: scene().panel(row=1), "rows 0 to 0"),
        (lambda: scene().panel().line([1], [1, 2]), "as many x as y"),
        (lambda: scene().panel().line([1], [1], colour="red"), "no colour 'red'"),
        (lambda: scene().panel().bars([0, 1], [1, 2]), "3 edges"),
        (lambda: scene().panel().polygons(np.zeros((3, 2))), "polygons are"),
        (lambda: scene().panel().image(np.zeros((2, 2, 2))), "an image is"),
    ],
)
def test_mistakes_are_stated(wrong, words):
    with pytest.raises(GlowliteError, match=words):
        wrong()


def test_a_narrow_scene_has_its_own_width():
    made = Scene("A chart.", height=200, width=400)
    left, right = made.panel(), made.panel()
    assert made.drawing().width == 400 and left.plot[0] + left.plot[2] < right.plot[0]
    assert right.plot[0] + right.plot[2] <= 400
    assert pixels(made).shape[1] == 600  # one and a half stored pixels for each unit


@pytest.mark.parametrize(
    "low, high, wanted",
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 1.4, [0, 0.5, 1]),
        (-3, 3, [-2, 0, 2]),
        (0.9, 1.1, [0.9, 0.95, 1, 1.05, 1.1]),
        (0.11, 0.29, [0.15, 0.2, 0.25]),
        (0, 12288, [0, 5000, 10000]),
        (-1e-3, 2e-3, [-1e-3, 0, 1e-3, 2e-3]),
    ],
)
def test_ticks_are_round_numbers_between_the_ends(low, high, wanted):
    assert np.allclose(round_ticks(low, high), wanted)


def test_there_are_always_ticks():
    for low, high in (torch.randn(500, 2) * 10.0 ** torch.randint(-4, 5, (500, 1))).sort(1).values.tolist():
        found, slack = round_ticks(low, high), 1e-6 * (high - low)
        assert 2 <= len(found) <= 6 and low <= found[0] + slack and found[-1] <= high + slack
