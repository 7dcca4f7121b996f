"""Figures of notebook 12 show the numbers they are given, and refuse mistakes."""

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image

from glowlab.figures import attributes as figures
from glowlab.figures.live import Live, Slider
from glowlab.figures.scene import Scene
from glowlite import latents
from glowlite.errors import GlowliteError
from tests.glowlab.figures.painted import words


@pytest.fixture
def scenes(monkeypatch):
    """The scenes behind the pictures that were shown."""
    made = []
    shown = Scene.shown
    monkeypatch.setattr(Scene, "shown", lambda scene: made.append(scene) or shown(scene))
    return made


def dots(scene, fill: str) -> list[np.ndarray]:
    """(N, 2) in the panels' units, one array for each panel that has dots of this colour."""
    drawing, found = scene.drawing(), []
    for panel in scene.panels:
        left, top, width, high = panel.plot
        for shape in drawing.shapes:
            if shape["kind"] == "dots" and shape["fill"] == fill and shape["clip"] == panel.clip():
                points = np.array(shape["points"]).reshape(-1, 2)
                found.append(np.stack(panel.from_page(points[:, 0], points[:, 1]), 1))
    return found


# ---- faces -------------------------------------------------------------------------------------------------


def flat(value: int) -> torch.Tensor:
    return torch.full((3, 8, 8), value, dtype=torch.uint8)


def test_every_picture_stands_at_its_place():
    shown = figures.picture_grid([[flat(10), flat(60)], [flat(110), flat(160)]], ["a", "b"], ["", ""], "alt", zoom=4)
    pixels = np.asarray(Image.open(io.BytesIO(shown.png)).convert("RGBA"))
    solid = pixels[..., 3] == 255
    values = {value: np.argwhere((pixels[..., 0] == value) & solid) for value in (10, 60, 110, 160)}
    assert [len(at) for at in values.values()] == [32 * 32] * 4
    (first, second, third, fourth) = (at.min(0) for at in values.values())
    assert first[0] == second[0] < third[0] == fourth[0]
    assert first[1] == third[1] < second[1] == fourth[1]
    assert shown.alt == "alt"


def test_names_and_titles_take_room_only_where_there_are_some():
    pictures = [[flat(0)]]
    bare, titled, named = (
        Image.open(io.BytesIO(figures.picture_grid(pictures, columns, rows, "alt", zoom=8).png)).size
        for columns, rows in (([""], [""]), (["title"], [""]), ([""], ["name"]))
    )
    assert bare == (64, 64)
    assert titled[0] == 64 < titled[1] and named[1] == 64 < named[0]


@pytest.mark.parametrize(
    "pictures, columns, rows",
    [([], [], []), ([[flat(0)], [flat(0), flat(0)]], ["a"], ["", ""]), ([[flat(0)]], ["a", "b"], [""])],
)  # fmt: skip
def test_a_grid_without_a_picture_for_each_place_is_refused(pictures, columns, rows):
    with pytest.raises(GlowliteError, match="a picture for each place"):
        figures.picture_grid(pictures, columns, rows, "alt")


def test_pictures_of_a_grid_have_one_size_and_words():
    with pytest.raises(GlowliteError, match="one size"):
        figures.picture_grid([[flat(0), flat(0)[:, :4]]], ["a", "b"], [""], "alt")
    with pytest.raises(ValueError, match="words"):
        figures.picture_grid([[flat(0)]], ["a"], [""], " ")


def test_a_reading_stands_over_the_rendered_value(scenes):
    truth, read = torch.tensor([-1.0, 0.0, 0.5]), torch.tensor([-0.7, 0.2, 0.9])
    figures.readings_scatter({"beard": truth, "smile": -truth}, {"beard": read, "smile": read}, "alt")
    first, second = dots(scenes[0], "x")
    np.testing.assert_allclose(first, torch.stack([truth, read], 1), atol=0.02)
    np.testing.assert_allclose(second, torch.stack([-truth, read], 1), atol=0.02)
    assert "beard" in words(scenes[0]) and "as read" in words(scenes[0])


# ---- chance ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count, share", [(20, 0.5), (200, 0.5), (200, 0.2)])
def test_the_length_of_chance_is_that_of_a_difference_of_means_of_noise(count, share):
    generator = torch.Generator().manual_seed(0)
    found = []
    for _ in range(20):
        z = [3.0 * torch.randn(count, 12, 8, 8, generator=generator)]
        has = torch.arange(count) < count * share
        found.append(latents.flatten(latents.mean_difference(z, has)).norm().item())
    assert sum(found) / 20 == pytest.approx(figures.chance_length(count, 768, 3.0, share), rel=0.02)


@pytest.mark.parametrize("labels, said", [(10, "10"), (123, "120"), (1234, "1,200"), (10**6, "1,000,000")])
def test_the_angle_is_that_of_chance_against_signal(labels, said):
    scene = figures.direction_from_labels(labels, signal=3.0, dims=10_000)
    off = math.atan2(200 / math.sqrt(labels), 3.0)
    few = figures.direction_from_labels(labels, signal=3.0, dims=10_000, share=0.2)
    assert f"cosine {math.cos(math.atan2(250 / math.sqrt(labels), 3.0)):.2f}" in words(few)
    assert f"cosine {math.cos(off):.2f}" in words(scene)
    assert f"from {said} labels" in words(scene)
    assert f"{math.degrees(off):.0f} degrees" in scene.alt
    ring = scene.panels[0]
    scene.drawing()
    arrow = next(s for s in scene.drawing().shapes if s["kind"] == "arrow" and s["stroke"] == "z")
    x, y = ring.from_page(*np.array(arrow["points"]).reshape(-1, 2)[1])
    assert math.atan2(y, x) == pytest.approx(off, abs=0.01)


def test_the_curve_falls_to_the_signal_and_measured_lengths_are_dots():
    scene = figures.direction_from_labels(100, 3.0, 10_000, measured={10: 60.0, 1000: 7.0})
    points = np.concatenate(dots(scene, "x"))
    np.testing.assert_allclose(points[:2], [[1, 60], [3, 7]], atol=0.4)
    now = dots(scene, "z")[0][0]
    np.testing.assert_allclose(now, [2, math.hypot(3, 20)], atol=0.4)
    assert "measured" in words(scene)
    assert "measured" not in words(figures.direction_from_labels(100, 3.0, 10_000))


def test_the_number_of_labels_can_be_dragged():
    live = Live(
        lambda log_labels: figures.direction_from_labels(10**log_labels, 3.0, 10_000),
        Slider("log_labels", "Labels", 1.0, 6.0, value=2.0, step=0.05),
    )
    before = live.scene.alt
    live.controls["log_labels"].value = 4.0
    assert "With 10,000 labels" in live.scene.alt != before


def test_histograms_separate_with_and_without(scenes):
    values = torch.tensor([-1.0, -0.9, -0.8, 0.8, 0.9, 1.0])
    has = values > 0
    figures.attribute_histograms({"a": values, "b": -values}, {"a": has, "b": has}, "alt")
    drawing = scenes[0].drawing()
    for panel, without_is_left in zip(scenes[0].panels, (True, False), strict=True):
        middle = {}
        for shape in drawing.shapes:
            if shape["kind"] == "path" and shape.get("fill") in ("sky", "amber") and shape["clip"] == panel.clip():
                points = np.array(shape["points"]).reshape(-1, 2)
                x, y = panel.from_page(points[:, 0], points[:, 1])
                middle[shape["fill"]] = np.average(x, weights=y + 1e-9)
        assert (middle["sky"] < middle["amber"]) == without_is_left


# ---- tied attributes ---------------------------------------------------------------------------------------


def test_quadrants_count_those_that_are_kept(scenes):
    first = torch.tensor([0.5, 0.5, 0.5, -0.5, -0.5, -0.5, 0.9])
    second = torch.tensor([0.5, 0.6, -0.5, 0.5, -0.5, -0.6, -0.9])
    kept = torch.tensor([True, True, True, True, True, True, False])
    figures.attribute_quadrants(first, second, kept, ("beard", "glasses"), "alt")
    said = words(scenes[0])
    places = [said.index(word) for word in ("both", "beard alone", "glasses alone", "neither")]
    assert [said[at - 1] for at in places] == ["2", "1", "1", "2"]
    assert "and 1 left out, in grey" in said
    assert len(dots(scenes[0], "x")[0]) == 6 and len(dots(scenes[0], "ink")[0]) == 1


def test_bars_are_as_long_as_their_numbers(scenes):
    figures.effect_bars({"naive": (1.5, 0.9), "parted": (1.4, -0.1)}, ("beard", "glasses"), "alt")
    panel = scenes[0].panels[0]
    found = []
    for shape in scenes[0].drawing().shapes:
        if shape["kind"] == "polygons":
            corners = np.array(shape["points"]).reshape(-1, 2)
            x, _ = panel.from_page(corners[:, 0], corners[:, 1])
            found.append((shape["fill"], x[1] - x[0]))
    assert [colour for colour, _ in found] == ["pink", "sky"] * 2
    np.testing.assert_allclose([length for _, length in found], [1.5, 0.9, 1.4, -0.1], atol=0.01)
    said = words(scenes[0])
    assert {"+1.50", "+0.90", "+1.40", "−0.10", "naive", "parted", "beard", "glasses"} <= set(said)
    with pytest.raises(GlowliteError, match="no way"):
        figures.effect_bars({}, ("a", "b"), "alt")


def test_a_line_for_each_face(scenes):
    amounts = [-1.0, 0.0, 1.0]
    values = torch.tensor([[-1.0, 0.0], [0.0, 0.5], [1.0, 1.5]])
    figures.reading_curves(amounts, {"beard": values, "smile": -values}, "alt")
    for panel, sign in zip(scenes[0].panels, (1, -1), strict=True):
        lines = [
            s for s in scenes[0].drawing().shapes
            if s["kind"] == "path" and s.get("stroke") == "z" and s["clip"] == panel.clip()
        ]  # fmt: skip
        assert len(lines) == 2
        for line, wanted in zip(lines, sign * values.T, strict=True):
            points = np.array(line["points"]).reshape(-1, 2)
            x, y = panel.from_page(points[:, 0], points[:, 1])
            np.testing.assert_allclose(x, amounts, atol=0.02)
            np.testing.assert_allclose(y, wanted, atol=0.02)


def test_effects_are_dots_at_their_numbers(scenes):
    figures.effect_dots(torch.tensor([-0.5, 0.25, 0.5]), 2.0, "alt")
    panel = scenes[0].panels[0]
    found = {}
    for shape in scenes[0].drawing().shapes:
        if shape["kind"] == "dots":
            x, _ = panel.from_page(*np.array(shape["points"]).reshape(-1, 2).T)
            found[shape["fill"]] = x
    np.testing.assert_allclose(found["ink"], [-0.5, 0.25, 0.5], atol=0.02)
    np.testing.assert_allclose(found["z"], [2.0], atol=0.02)
    assert {"shuffled labels", "real labels"} <= set(words(scenes[0]))
