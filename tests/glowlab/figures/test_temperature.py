"""Figures of notebook 10: draws, powers and halves have the distances, widths and shares that are written."""

import math

import numpy as np
import pytest
import torch

from glowlab.figures import temperature as figures
from glowlab.figures.live import Choice, Live, Slider
from glowlite.errors import GlowliteError
from glowlite.latents import effective_temperature
from tests.glowlab.figures.painted import words


def dots(scene, panel: int, colour: str) -> tuple[np.ndarray, np.ndarray]:
    """x and y, in the panel's units, of the first dots of this colour on it."""
    drawn = scene.drawing()
    left, _, width, _ = scene.panels[panel].plot
    for shape in drawn.shapes:
        if shape["kind"] == "dots" and shape["fill"] == colour:
            points = np.array(shape["points"]).reshape(-1, 2)
            if left <= points[:, 0].mean() <= left + width:
                return scene.panels[panel].from_page(points[:, 0], points[:, 1])
    raise AssertionError(f"no {colour} dots")


def lines(scene, panel: int, colour: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """x and y, in the panel's units, of every line of this colour that lies on it."""
    drawn, found = scene.drawing(), []
    left, _, width, _ = scene.panels[panel].plot
    for shape in drawn.shapes:
        if shape["kind"] == "path" and shape.get("stroke") == colour:
            points = np.array(shape["points"]).reshape(-1, 2)
            if left - 1 <= points[:, 0].mean() <= left + width + 1:
                found.append(scene.panels[panel].from_page(points[:, 0], points[:, 1]))
    return found


# ---- the shell ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dims", [1, 2, 10, 100, 12_288])
def test_mean_and_spread_are_those_of_draws(dims):
    count = 400 if dims > 1000 else 20_000
    eps = torch.randn(count, dims, 1, 1, generator=torch.Generator().manual_seed(dims))
    distance = effective_temperature([eps])
    mean, spread = figures.mean_and_spread(dims)
    assert distance.mean().item() == pytest.approx(mean, abs=5 * spread / count**0.5)
    assert distance.std().item() == pytest.approx(spread, rel=0.15)
    assert dims < 100 or spread == pytest.approx(1 / math.sqrt(2 * dims), rel=0.01)


@pytest.mark.parametrize("dims, temperature", [(2, 1.0), (10, 0.7), (12_288, 1.3), (12_288, 0.1)])
def test_draws_are_shown_at_their_distance(dims, temperature):
    scene = figures.draws_in_shell(dims, temperature)
    x, y = dots(scene, 0, "z")
    radius = temperature * torch.tensor(figures.normal_draws(dims)[0])
    shown = torch.tensor(np.hypot(x, y))
    inside = radius < 1.9
    assert len(x) == figures.COUNT
    torch.testing.assert_close(shown[inside], radius[inside].double(), rtol=0, atol=0.02)
    mean, spread = figures.mean_and_spread(dims)
    assert f"{temperature * mean:.2f} ± {temperature * spread:.3f}" in scene.alt
    peak_x, peak_y = lines(scene, 1, "z")[0]
    mode = temperature * math.sqrt((dims - 1) / dims)
    assert peak_x[np.argmax(peak_y)] == pytest.approx(mode, abs=0.02) and peak_y.max() == pytest.approx(1, abs=0.02)


def test_in_one_dimension_there_is_as_much_room_everywhere():
    scene = figures.draws_in_shell(1)
    _, room = lines(scene, 1, "amber")[0]
    assert room == pytest.approx(1, abs=0.02)
    (_, density), (_, product) = lines(scene, 1, "log_det")[0], lines(scene, 1, "z")[0]
    assert density == pytest.approx(product, abs=0.01)
    assert np.abs(dots(scene, 0, "z")[1]).max() < 0.02, "a line has no second number"


def test_the_shell_follows_its_controls():
    live = Live(
        lambda dims, T: figures.draws_in_shell(int(dims), T),
        Choice("dims", "D", {"2": "2", "12288": "12,288"}),
        Slider("T", "Temperature", 0.1, 1.3, value=1.0),
    )
    live.controls["dims"].value = "12288"
    live.controls["T"].value = 0.5
    assert "12,288 dimensions at temperature 0.50" in live.scene.alt and live.scene.shown().png


@pytest.mark.parametrize("call", [(0, 1.0), (2, 0.0), (2, -1.0), (2, float("nan"))])
def test_impossible_shells_are_refused(call):
    with pytest.raises(GlowliteError, match="above 0"):
        figures.draws_in_shell(*call)


def test_the_bound_holds_for_draws_that_can_be_counted():
    dims = 10
    eps = torch.randn(100_000, dims, generator=torch.Generator().manual_seed(0))
    for radius in (0.3, 0.5, 0.7, 0.9):
        share = (eps.norm(dim=1) / dims**0.5 <= radius).double().mean().item()
        assert 0 < share <= math.exp(figures.log_share_bound(radius, dims))
    assert figures.log_share_bound(1.0, dims) == 0


def test_likely_and_typical_add_up():
    for radius in (0.05, 0.7, 1.0, 1.4):
        scene = figures.likely_and_typical(radius)
        said = [float(text.split(": ")[1].replace("−", "-").replace(",", "")) for text in words(scene) if ": " in text]
        density, room, product = said
        assert density == round(-12_288 * radius**2 / 2) and density + room == pytest.approx(product, abs=1)
        assert product <= 0
    x, y = lines(figures.likely_and_typical(0.7), 0, "z")[0]
    assert x[np.argmax(y)] == pytest.approx(1, abs=0.05)
    for bad in (0, 1.5):
        with pytest.raises(GlowliteError, match="distance"):
            figures.likely_and_typical(bad)


# ---- powers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.5, 0.7, 1.0, 1.5])
def test_powers_have_the_widths_that_are_written(temperature):
    scene = figures.density_powers(temperature)
    for colour, power in (("pink", temperature**2), ("log_det", temperature**-2)):
        x, y = lines(scene, 0, colour)[0]
        wanted = np.exp(-power * x**2 / 2)
        wanted /= np.trapezoid(wanted, x)
        assert y == pytest.approx(wanted, abs=0.02)
    said = " ".join(words(scene))
    assert f"T²: width {1 / temperature:.2f}" in said and f"1/T²: width {temperature:.2f}" in said
    drawn = float(said.split("draws times T: width ")[1][:4])
    assert drawn == pytest.approx(temperature, abs=0.011)


def test_powers_off_the_chart_are_refused():
    with pytest.raises(GlowliteError, match=r"0\.5 to 1\.5"):
        figures.density_powers(0.4)


def test_densities_have_the_share_of_each_half():
    line = torch.linspace(-4, 4, 81)
    grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)  # x along a row
    densities = {}
    for name, middle in (("even", 0.0), ("right", 1.0)):
        density = torch.exp(-((grid[..., 0] - middle) ** 2) / 2 - grid[..., 1] ** 2 / 2)
        densities[name] = density / density.sum()
    scene = figures.left_right_densities(densities, 4.0)
    assert "left half: 50%  right half: 50%" in words(scene) and "left half: 16%  right half: 84%" in words(scene)
    assert "of even 50%, of right 16%" in scene.alt and scene.shown().png
    for bad in (torch.ones(3, 4) / 12, torch.ones(3, 3), torch.ones(9) / 9):
        with pytest.raises(GlowliteError, match="square grid"):
            figures.left_right_densities({"bad": bad}, 1.0)


def test_a_density_has_its_first_row_at_the_bottom():
    p = torch.zeros(3, 3)
    p[0, 1] = 1.0
    image = figures.left_right_densities({"low": p}, 1.0).drawing().images[0]
    assert image[2, 1, 3] == 255 and image[..., 3].sum() == 255


# ---- what a temperature costs ------------------------------------------------------------------------------


@pytest.fixture
def kept(monkeypatch):
    scenes = []
    monkeypatch.setattr(figures.Scene, "shown", lambda self: scenes.append(self))
    return scenes


def test_bits_stand_over_their_temperature(kept):
    t, bits = [0, 0.5, 1.0], [2.7, 2.9, 3.5]
    figures.bits_by_temperature(t, bits, (3.5, 0.05))
    x, y = dots(kept[0], 0, "z")
    assert x == pytest.approx(t, abs=0.01) and y == pytest.approx(bits, abs=0.01)
    x, y = next(line for line in lines(kept[0], 0, "ink") if len(line[0]) == 101)
    assert y == pytest.approx(2.7 + x**2 / 2 / math.log(2), abs=0.02), "T^2 / 2 nats a number"
    assert "3.50 ± 0.05" in kept[0].alt and "2.70 at 0 to 3.50 at 1" in kept[0].alt


def test_both_measures_stand_beside_drawn_faces(kept):
    figures.quality_and_diversity([0, 1.0], [0.4, 1.2], [0.0, 28.0], (0.8, 35.0))
    for panel, (values, other) in enumerate((([0.4, 1.2], 0.8), ([0.0, 28.0], 35.0))):
        assert dots(kept[0], panel, "z")[1] == pytest.approx(values, abs=0.3 if panel else 0.01)
        assert lines(kept[0], panel, "x")[0][1] == pytest.approx(other, abs=0.3 if panel else 0.01)
    assert "0.40 grey levels at T = 0 to 1.20 at 1" in kept[0].alt and "it is 35" in kept[0].alt
