"""Figures of notebook 07: their numbers are those that the package computes."""

import math

import numpy as np
import pytest
import torch

from glowlab.figures import bits_per_dimension as figures
from glowlab.figures.live import Choice, Live, Slider
from glowlite import pixels
from glowlite.errors import GlowliteError
from tests.glowlab.figures.painted import words

LN2 = math.log(2)
COUNTS = torch.randint(0, 90, (256,), generator=torch.Generator().manual_seed(0))


def shapes(scene, kind: str, fill=None, stroke=None) -> list[np.ndarray]:
    """Points (N, 2) in page units of all shapes of one kind and colour."""
    found = [
        shape
        for shape in scene.drawing().shapes
        if shape["kind"] == kind and shape.get("fill") == fill and shape.get("stroke") == stroke
    ]
    return [np.array(shape["points"]).reshape(-1, 2) for shape in found]


# ---- histograms --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_bits", [1, 3, 8])
def test_probabilities_sum_to_one_and_the_density_has_area_one(n_bits):
    probability = figures.merge_counts(COUNTS, n_bits)
    assert probability.shape == (2**n_bits,) and probability.sum().item() == pytest.approx(1)
    images = torch.arange(256, dtype=torch.uint8)
    wanted = torch.zeros(2**n_bits).index_add_(0, (images >> (8 - n_bits)).long(), COUNTS.float())
    torch.testing.assert_close(probability.float(), wanted / COUNTS.sum())
    scene = figures.histogram_and_density(COUNTS, n_bits)
    areas = []
    for panel, bars in zip(scene.panels, shapes(scene, "path", fill="x"), strict=True):
        x, y = panel.from_page(bars[:, 0], bars[:, 1])
        areas.append(np.trapezoid(y, x))
    assert areas[1] == pytest.approx(1, abs=0.02)
    assert areas[0] == pytest.approx(1 / 2**n_bits, abs=0.02)
    assert f"highest: {probability.max():.3f}" in words(scene)


@pytest.mark.parametrize("counts", [torch.ones(255), torch.zeros(256)])
def test_counts_of_something_else_are_refused(counts):
    with pytest.raises(GlowliteError, match="256 values"):
        figures.histogram_and_density(counts, 8)
    with pytest.raises(GlowliteError, match="from 1 to 8"):
        figures.histogram_and_density(COUNTS, 9)


# ---- spikes and races --------------------------------------------------------------------------------------


def test_spikes_show_the_density_and_mark_its_width():
    widths, asked = torch.tensor([1.0, 0.5, 0.25]), []
    bare, noisy = torch.tensor([0.3, 0.6, 1.2]), torch.tensor([0.3, 0.2, -500.0])

    def log_p(x, width):
        asked.append(width)
        return torch.full_like(x, math.log(6.0))

    scene = figures.spikes(0.25, log_p, widths, bare, noisy, 0.35)
    assert asked == [0.25] and "up to 6.0" in " ".join(words(scene))
    left, right = scene.panels
    (curve,) = shapes(scene, "path", stroke="x")
    assert left.from_page(curve[:, 0], curve[:, 1])[1] == pytest.approx(6.0, abs=0.05)
    dots = [shape for shape in scene.drawing().shapes if shape["kind"] == "dots"]
    x, y = right.from_page(*dots[0]["points"])
    assert (float(x), float(y)) == (pytest.approx(2, abs=0.05), pytest.approx(1.2, abs=0.02))
    assert "1.20 nats" in scene.alt and "-500.00" in scene.alt and "above 0.35" in scene.alt
    assert scene.shown().png


def test_fit_curves_show_both_fits_so_far():
    before = figures.fit_curves([], [], 0.4, 200)
    assert before.shown().png and "after 0 of 200" in before.alt
    scene = figures.fit_curves([0.4, 1.0, 5.0], [0.4, 0.3, 0.2], 0.4, 200)
    (line,) = shapes(scene, "path", stroke="pink")
    x, y = scene.panels[0].from_page(line[:, 0], line[:, 1])
    assert y == pytest.approx([0.4, 1.0, 5.0], abs=0.05) and x == pytest.approx([0, 1, 2], abs=0.3)
    assert {" with noise", " without noise", "no honest model gets higher "} <= set(words(scene))
    strokes = [shape.get("stroke") for shape in scene.drawing().shapes if shape["kind"] == "path"]
    last = {colour: len(strokes) - strokes[::-1].index(colour) for colour in ("ink", "log_det")}
    assert last["ink"] > last["log_det"], "the dashed line is hidden under the fit that reaches it"


def test_a_price_list_draws_every_price_to_scale(monkeypatch):
    kept = []
    monkeypatch.setattr(figures.Scene, "shown", lambda self: kept.append(self))
    figures.price_list({"raw": 8.0, "Glow": 3.5}, "Two bars.", ("the grain", 3.05))
    (scene,) = kept
    widths = [
        np.ptp(np.array(shape["points"])[:, ::2]) for shape in scene.drawing().shapes if shape["kind"] == "polygons"
    ]
    assert widths[1] / widths[0] == pytest.approx(8 / 3.5, rel=0.01)
    assert {"8.00", "3.50", "the grain: 3.05"} <= set(words(scene))
    with pytest.raises(GlowliteError, match="at least one price"):
        figures.price_list({}, "None.")


def test_noise_histograms_have_the_points_in_place(monkeypatch):
    kept = []
    monkeypatch.setattr(figures.Scene, "shown", lambda self: kept.append(self))
    even = torch.rand(3, 500, generator=torch.Generator().manual_seed(0))
    kinds = {"one bin": torch.arange(3.0)[:, None] + even, "too wide": 3 * even}
    figures.noise_histograms(kinds, "Two kinds of noise.")
    (scene,) = kept
    for panel, wide in zip(scene.panels, (1.0, 3.0), strict=True):
        assert [tick for tick, _ in panel.xticks] == [0, 1, 2, 3], "a bin begins at its value, and so do the ticks"
        bars = [shapes(scene, "path", fill=colour) for colour in ("x", "amber", "pink")]
        for i, (first, second) in enumerate(bars):
            mine = first if panel is scene.panels[0] else second
            x, y = panel.from_page(mine[:, 0], mine[:, 1])
            assert np.trapezoid(y, x) == pytest.approx(1, abs=0.05)
            filled = x[y > 0.05]
            assert np.ptp(filled) == pytest.approx(wide, abs=0.11)
            assert filled.min() == pytest.approx(i if wide == 1 else 0, abs=0.06)
    for bad in ({}, {"one": even[0]}, {"two": even[:2]}):
        with pytest.raises(GlowliteError, match="three pixel values"):
            figures.noise_histograms(bad, "Noise.")


# ---- the ruler ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dims, n_bits", [(12288, 8), (3072, 5), (784, 1)])
def test_one_point_reads_alike_on_every_scale(dims, n_bits):
    generator = torch.Generator().manual_seed(dims)
    for log_density in ((torch.rand(5, generator=generator) * 9e4 - 1.5e4).double()).tolist():
        density, log_prob, nats, bits, size = figures.read_scales(log_density, dims, n_bits)
        wanted = torch.tensor(log_density - pixels.log_bins(dims, n_bits), dtype=torch.float64)
        assert density == log_density and log_prob == pytest.approx(wanted.item())
        assert bits == pytest.approx(pixels.bits_per_dim(wanted, dims).item())
        assert nats == pytest.approx(bits * LN2) and size == pytest.approx(bits * dims / 8)


def test_a_density_of_one_costs_all_bits():
    for n_bits in range(1, 9):
        assert figures.read_scales(0.0, 100, n_bits)[3] == pytest.approx(n_bits)


@pytest.mark.parametrize("log_density, dims, n_bits", [(38_000.0, 12288, 8), (-9_000.0, 4096, 3), (79_000.0, 3072, 8)])
def test_each_scale_puts_its_numbers_where_they_belong(log_density, dims, n_bits):
    scene = figures.likelihood_ruler(log_density, dims, n_bits)
    panel = scene.panels[0]
    wanted = [
        lambda v: v,
        lambda v: v + dims * n_bits * LN2,
        lambda v: dims * n_bits * LN2 - dims * v,
        lambda v: dims * n_bits * LN2 - dims * LN2 * v,
        lambda v: dims * n_bits * LN2 - 8 * LN2 * v,
    ]
    seen = 0
    for shape in scene.drawing().shapes:
        if shape["kind"] == "text" and shape["size"] == 11:
            at, height = panel.from_page(*shape["points"])
            scale = int(np.argmin([abs(height + 0.14 - y) for _, y in figures.SCALES]))
            number = float(shape["words"].replace("−", "-").replace(",", ""))
            assert float(at) == pytest.approx(wanted[scale](number), abs=200), (shape["words"], scale)
            seen += 1
    assert seen >= 12
    read = figures.read_scales(log_density, dims, n_bits)
    assert f" {read[3]:,.2f} ".replace("-", "−") in words(scene)
    assert f"{read[3]:.2f} bits per dimension" in scene.alt


def test_the_ruler_follows_its_controls():
    def at(nats, shape, n_bits):
        return figures.likelihood_ruler(nats, int(shape), n_bits)

    live = Live(
        at,
        Slider("nats", "log p", -15_000, 80_000, value=38_000, step=100),
        Choice("shape", "D", {"12288": "faces", "3072": "small"}),
        Slider("n_bits", "n", 1, 8, value=8),
    )
    before = live.scene.alt
    live.controls["shape"].value = "3072"
    live.controls["n_bits"].value = 5
    live.controls["nats"].value = 4_000
    assert live.scene.alt == figures.likelihood_ruler(4_000, 3072, 5).alt != before


@pytest.mark.parametrize("call", [(9e4, 100, 8), (-2e4, 100, 8), (0, 100, 9)])
def test_values_off_the_ruler_are_refused(call):
    with pytest.raises(GlowliteError, match="the ruler goes|from 1 to 8"):
        figures.likelihood_ruler(*call)


def test_overfitting_tells_where_each_curve_is_lowest():
    shown = figures.overfitting({"seen": [7.0, 5.0, 4.0, 3.0, 2.0], "unseen": [7.0, 6.0, 6.5, 8.0, 9.0]}, every=20)
    assert "seen: 7.0 at first, lowest 2.0 at step 80, 2.0 at last" in shown.alt
    assert "unseen: 7.0 at first, lowest 6.0 at step 20, 9.0 at last" in shown.alt
    assert shown.points("lowest of unseen") == ([20], [6.0])
