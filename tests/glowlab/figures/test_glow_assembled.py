"""Figures of a training run: they show the numbers that were measured, and refuse what they cannot draw."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from glowlab.figures.glow_assembled import GRID, Progress, bits_by_layer, bits_rulers, lines_of_code
from glowlite.errors import GlowliteError
from tests.glowlab.figures.painted import words

FLOOR = (3.0, "the grain alone")


class Run:
    """A model whose held-out bits/dim and samples say how often it was looked at."""

    def __init__(self, size=32):
        self.size, self.looks = size, 0

    def measure(self):
        self.looks += 1
        torch.rand(5)
        samples = torch.full((16, 3, self.size, self.size), 10 * self.looks, dtype=torch.uint8)
        return 7.0 - self.looks / 4, samples


def trained(steps, total=40, every=10, **more):
    run = Run()
    progress = Progress(total, run.measure, every, **more)
    for step in range(steps):
        progress.note(6.0 - step / total)
    return progress, run


def shapes(scene, kind):
    return [shape for shape in scene.drawing().shapes if shape["kind"] == kind]


def test_it_looks_at_the_start_at_regular_moments_and_at_the_end():
    progress, run = trained(25, total=25)
    assert [moment.step for moment in progress.moments] == [0, 10, 20, 25] and run.looks == 4
    assert progress.moments[1].held_out == 6.5 and progress.moments[1].samples[0, 0, 0, 0] == 20


def test_looking_leaves_the_random_numbers_of_the_loop_alone():
    torch.manual_seed(1)
    progress, _ = trained(0)
    progress.scene()
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(1))


def test_the_scene_shows_the_curve_up_to_now_and_the_samples_of_one_moment():
    progress, _ = trained(25, floor=FLOOR)
    scene = progress.scene()
    assert (
        "from 6.8 at the start to 6.2 after 25 steps" in scene.alt and "16 samples as they were after 20" in scene.alt
    )
    assert "samples after 20 steps" in words(scene) and "the grain alone" in words(scene)
    drawn = scene.drawing()
    assert len(drawn.images) == 16 and all((image[..., :3] == 30).all() for image in drawn.images)
    curve = max((shape["points"] for shape in shapes(scene, "path")), key=len)
    assert len(curve) == 2 * 25  # a point for each batch
    earlier = progress.scene(1)
    assert "samples after 10 steps" in words(earlier)
    assert all((image[..., :3] == 20).all() for image in earlier.drawing().images)


def test_the_curves_heights_are_the_numbers():
    progress, _ = trained(25, floor=FLOOR)
    panel = progress.scene().panels[0]
    scene = progress.scene()
    (dot,) = shapes(scene, "dots")
    panel = scene.panels[0]
    x, y = panel.from_page(*dot["points"])
    assert x == pytest.approx(20, abs=0.5) and y == pytest.approx(progress.moments[-1].held_out, abs=0.02)


@pytest.mark.parametrize("size", [16, 32])
def test_a_pixel_of_a_sample_is_a_whole_number_of_stored_pixels(size):
    progress = Progress(10, Run(size).measure)
    boxes = np.array([shape["box"] for shape in shapes(progress.scene(), "image")])
    assert boxes.shape == (16, 4)
    stored = 1.5 * boxes[:, 2:] / size
    assert np.allclose(stored, np.round(stored), atol=0.02) and stored.min() >= 1
    assert boxes[:, 0].max() + boxes[0, 2] - boxes[:, 0].min() == pytest.approx(GRID, abs=0.5)


def test_it_paints_a_picture_at_any_moment():
    progress, _ = trained(40)
    for moment in (0, 2, -1):
        shown = progress.scene(moment).shown()
        assert Image.open(io.BytesIO(shown.png)).width == 1080 and shown.alt


def test_a_run_that_goes_on_beyond_its_end_is_still_drawn():
    progress, _ = trained(60, total=40)
    assert progress.scene().panels[0].x[1] > 60


@pytest.mark.parametrize(
    "samples",
    [
        torch.zeros(9, 3, 8, 8, dtype=torch.uint8),
        torch.zeros(16, 3, 8, 8),
        torch.zeros(3, 8, 8, dtype=torch.uint8),
    ],
)
def test_other_samples_are_refused(samples):
    with pytest.raises(GlowliteError, match="16 samples"):
        Progress(10, lambda: (5.0, samples))


@pytest.mark.parametrize("total, every", [(0, 10), (10, 0)])
def test_a_run_has_steps(total, every):
    with pytest.raises(GlowliteError, match="at least one"):
        Progress(total, Run().measure, every)


def test_the_account_needs_a_value_before_and_after_each_layer():
    runs = {"before": [10, 8, 7, 6.5], "after": [10, 7, 5, 4.25]}
    plot = bits_by_layer(["step 1", "split", "top"], runs, "Two lines.", FLOOR)
    assert plot.alt == "Two lines." and Image.open(io.BytesIO(plot.shown().png)).width == 1080
    assert plot.points("after: 4.25") == ([0, 1, 2, 3], [10, 7, 5, 4.25])
    assert plot.trace("after: 4.25")["text"][1:3] == ["7.00 after step 1, +3.00 saved", "5.00 after split, +2.00 saved"]
    with pytest.raises(GlowliteError, match="3 layers need 4 values, and 'after'"):
        bits_by_layer(["", "split", "top"], {"before": [10, 8, 7, 6.5], "after": [10, 7, 5]}, "Two lines.")


def test_rulers_have_a_mark_for_each_number(monkeypatch):
    seen = []
    monkeypatch.setattr("glowlab.figures.scene.Scene.shown", lambda scene: seen.append(scene))
    bits_rulers({"small": {"WebP": 4.5, "our Glow": 4.25}, "large": {"WebP": 4.0, "shipped Glow": 3.5}}, "Two.", FLOOR)
    (scene,) = seen
    assert {"our Glow 4.25", "shipped Glow 3.50", "WebP 4.00", "raw pixels 8", "small"} <= set(words(scene))
    panel = scene.panels[0]
    places = [panel.from_page(*shape["points"])[0] for shape in shapes(scene, "dots")]
    assert np.allclose(sorted(float(x) for x in places), [3.5, 4.0, 4.25, 4.5, 8, 8], atol=0.01)


def test_the_tally_counts_all_lines_and_its_boxes_do_not_overlap(monkeypatch):
    seen = []
    monkeypatch.setattr("glowlab.figures.scene.Scene.shown", lambda scene: seen.append(scene))
    lines_of_code({"a": 4, "b": 2, "FlowStep": 15, "Glow": 22}, "Boxes.")
    (scene,) = seen
    assert {"4", "2", "15", "22", "Glow"} <= set(words(scene))
    boxes = sorted(shape["box"] for shape in shapes(scene, "box"))
    assert all(left[0] + left[2] <= right[0] for left, right in zip(boxes, boxes[1:], strict=False))
    widths = [box[2] for box in boxes]
    assert widths[3] / widths[2] == pytest.approx((22 - 0.2) / (15 - 0.2), rel=0.02)
