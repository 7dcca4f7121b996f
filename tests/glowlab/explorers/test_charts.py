"""The charts at the ends of the sliders: no dot is cut off, and no words lie under dots or curves."""

import numpy as np
import pytest
import torch

from glowlab.explorers import charts
from glowlab.explorers.samples import COUNT, STOPS, SampleQuality

SIZE = 12  # of the words
REAL = SampleQuality(0.7, 0.83, 33.7)
# What faces64 gives, up to rounding: oddness and spread at temperatures 0 to 1.3.
ODD = 0.50, 0.50, 0.51, 0.53, 0.55, 0.60, 0.67, 0.75, 0.86, 0.99, 1.13, 1.30, 1.49, 1.72
SPREAD = 0.0, 4.7, 9.1, 13.0, 16.5, 19.4, 21.8, 23.9, 25.5, 26.9, 28.0, 28.8, 29.4, 29.9
CURVE = [SampleQuality(*row) for row in zip(STOPS, ODD, SPREAD, strict=True)]


def dots(made) -> list[tuple[float, float, float, list]]:
    """x, y, radius and clip of every dot, in page units."""
    shapes = [shape for shape in made.shapes if shape["kind"] == "dots"]
    return [(*xy, s["size"], s["clip"]) for s in shapes for xy in np.reshape(s["points"], (-1, 2)).tolist()]


def cut(made) -> list:
    """Dots that are partly clipped away."""
    found = []
    for x, y, r, (left, top, wide, high) in dots(made):
        if not (left <= x - r and x + r <= left + wide and top <= y - r and y + r <= top + high):
            found.append((x, y, r))
    return found


def words_box(made, words: str) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of these words, roughly."""
    (shape,) = [s for s in made.shapes if s["kind"] == "text" and s["words"] == words]
    (x, y), wide = shape["points"], 0.58 * SIZE * len(shape["words"])
    left = x - wide * {"start": 0, "middle": 0.5, "end": 1}[shape["anchor"]]
    top = y - SIZE * {"top": 0, "middle": 0.5, "bottom": 1}[shape["baseline"]]
    assert left >= 0 and left + wide <= made.width and top >= 0 and top + SIZE <= made.height
    return left, top, left + wide, top + SIZE


def struck(made, words: str) -> list:
    """Dots and points of strokes that lie on these words."""
    left, top, right, bottom = words_box(made, words)
    on = [(x, y) for x, y, r, _ in dots(made) if left - r < x < right + r and top - r < y < bottom + r]
    for shape in made.shapes:
        if shape["kind"] == "path" and shape.get("stroke"):
            points = np.reshape(shape["points"], (-1, 2))
            for (x0, y0), (x1, y1) in zip(points[:-1], points[1:], strict=True):
                x, y = np.linspace(x0, x1, 200), np.linspace(y0, y1, 200)
                inside = (left < x) & (x < right) & (top < y) & (y < bottom)
                on += list(zip(x[inside], y[inside], strict=True))
    return on


def shell(temperature: float, chosen: int):
    effective = temperature * (1 + 0.01 * torch.linspace(-1, 1, COUNT))
    radii = 1 + 0.02 * torch.linspace(-1, 1, 96)
    return charts.shell(effective, radii, 12_288, chosen).drawing()


@pytest.mark.parametrize("chosen", range(COUNT))
@pytest.mark.parametrize("temperature", [0.0, 0.35, 0.5, 0.7, 1.0, 1.15, 1.3])
def test_the_ring_holds_every_draw_and_its_words_are_free(temperature, chosen):
    made = shell(temperature, chosen)
    assert cut(made) == [] and struck(made, "shell of T = 1") == []
    if any(shape.get("words") == "likeliest" for shape in made.shapes):
        assert struck(made, "likeliest") == []
    else:
        assert temperature < 0.7


@pytest.mark.parametrize("now", CURVE, ids=lambda point: f"T={point.temperature}")
def test_the_trade_shows_where_it_is_now_from_end_to_end(now):
    made = charts.trade(CURVE, now, REAL).drawing()
    assert cut(made) == []
    for t in (0.0, 0.5, 0.7, 1.0, 1.3):
        assert struck(made, f"T = {t:g}") == []


@pytest.mark.parametrize("high", [3.6, 165.0], ids=["faces", "noise"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "second"])
@pytest.mark.parametrize("t", [0.0, 0.2, 0.5, 1.0])
def test_the_way_shows_both_its_ends_and_its_words_are_free(t, first, high):
    at = np.linspace(0, 1, 7)
    values = high + (3.5 - high) * (at if first else 1 - at)
    curves = {way: (at, values - bend * at * (1 - at)) for way, bend in (("pixels", 0.4), ("linear", 1.6))}
    curves["spherical"] = at, values
    now = float(np.interp(t, at, values))
    made = charts.along(curves, t, ("spherical", now), "Bits.", (3.4, 3.62)).drawing()
    assert cut(made) == [] and struck(made, "drawn faces") == []
