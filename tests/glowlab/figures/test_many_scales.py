"""Figures of notebook 06: tiles follow the numbers of the flow; whitening and blurs show their values."""

import numpy as np
import pytest
import torch

from glowlab.figures import many_scales as figures
from glowlab.figures.live import Live, Slider
from glowlite.errors import GlowliteError
from glowlite.flows import Squeeze
from tests.glowlab.figures.painted import text


def numbers(scene) -> dict[str, tuple[float, float]]:
    """The numbers of the tiles, and the places of these words."""
    shapes = [shape for shape in scene.drawing().shapes if shape["kind"] == "text"]
    return {shape["words"]: tuple(shape["points"]) for shape in shapes if shape["words"].isdigit()}


# ---- stages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side, levels", [(8, 3), (4, 2), (16, 2), (2, 1)])
def test_no_tile_is_lost_and_none_is_made_up(side, levels):
    found = figures.list_stages(side, levels)
    assert [stage.verb for stage in found] == ["", *["squeeze", "split"] * (levels - 1), "squeeze", "leave"]
    for stage in found:
        parts = [*stage.z, *([] if stage.x is None else [stage.x])]
        assert torch.cat([part.flatten() for part in parts]).sort().values.tolist() == list(range(side**2))
    assert found[-1].x is None
    sizes = [side**2 // 2**l for l in range(1, levels)] + [side**2 // 2 ** (levels - 1)]
    assert [eps.numel() for eps in found[-1].z] == sizes


def test_the_stages_are_those_of_the_package():
    picture = torch.arange(64).view(1, 1, 8, 8)
    once = Squeeze()(picture)[0]
    twice = Squeeze()(once[:, :2])[0]
    found = figures.list_stages(8, 3)
    assert torch.equal(found[1].x, once[0]) and torch.equal(found[2].z[0], once[0, 2:])
    assert torch.equal(found[3].x, twice[0]) and torch.equal(found[4].z[1], twice[0, 4:])


def test_the_shades_sort_the_corners_of_a_block():
    picture, squeezed = figures.list_stages(8, 3)[:2]
    before, after = figures.tile_colours(picture), figures.tile_colours(squeezed)
    assert before == after, "a tile keeps its shade when it is squeezed"
    for k, channel in enumerate(squeezed.x):
        assert {after[tile] for tile in channel.flatten()} == {figures.BLUES[k]}
    assert figures.tile_colours(figures.list_stages(8, 3)[-1]) == [figures.ORANGE] * 64


@pytest.mark.parametrize("at", range(7))
def test_no_tile_lies_on_another_nor_off_the_page(at):
    where = figures.tile_corners(figures.list_stages(8, 3)[at])
    apart = np.abs(where[:, None] - where[None]).max(-1) + 9 * np.eye(64)
    assert apart.min() > figures.TILE_SIDE - 1e-9
    assert (where > -1e-9).all() and (where + figures.TILE_SIDE < (figures.ACROSS, figures.UP)).all()


# ---- the scene ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", range(2, 7))
def test_every_number_stands_on_the_page_once(at):
    scene = figures.moving_tiles(at)
    assert sorted(numbers(scene), key=int) == [str(n) for n in range(1, 65)]
    stage = figures.list_stages(8, 3)[at]
    assert stage.sizes() in scene.alt and "on their way" not in scene.alt
    assert text(scene).count("z") == len(stage.z) + 1  # its labels, and "in z"


def test_tiles_fly_between_two_stops():
    before, between, after = (numbers(figures.moving_tiles(at)) for at in (1.0, 1.5, 2.0))
    for number in ("9", "64"):  # they leave, to the right
        assert before[number][0] < between[number][0] < after[number][0]
    assert "split →" in text(figures.moving_tiles(1.5)) and "→" not in text(figures.moving_tiles(2))
    assert numbers(figures.moving_tiles(1.05)) == before, "a stop is wide enough to hit"
    assert "on their way" in figures.moving_tiles(1.5).alt


def test_the_squeeze_has_the_picture_beside_it():
    scene = figures.first_squeeze(1.0)
    assert text(scene).split(" | ").count("10") == 2 and "before the squeeze" in scene.alt
    assert numbers(figures.moving_tiles(1.0))["10"] != numbers(scene)["10"], "the later one is the copy"
    assert numbers(scene) == numbers(figures.first_squeeze(0.0)), "the copy stays where it is"
    with pytest.raises(GlowliteError, match="from 0 to 1"):
        figures.first_squeeze(1.1)


def test_the_counts_add_up():
    for at, said in (
        (0, "64 in x + 0 in z = 64"),
        (4, "16 in x + 48 in z = 64"),
        (6, "0 in x + 64 in z = 64"),
    ):
        assert said in text(figures.moving_tiles(at))


def test_a_slider_moves_them():
    live = Live(figures.moving_tiles, Slider("at", "Way to z", 0.0, 6.0, value=4.0, step=0.05))
    before = numbers(live.scene)
    live.controls["at"].value = 6.0
    assert numbers(live.scene) != before and live.scene.alt == figures.moving_tiles(6).alt


@pytest.mark.parametrize("call", [(-0.1,), (6.1,), (0, 6, 2), (0, 8, 4), (0, 8, 0)])
def test_impossible_tiles_are_refused(call):
    with pytest.raises(GlowliteError, match="moves|halved"):
        figures.moving_tiles(*call)


# ---- whitening, blurs --------------------------------------------------------------------------------------


def test_whitening_shows_eps():
    generator = torch.Generator().manual_seed(0)
    stays, leaves, mean = torch.randn(3, 4, 4, generator=generator)
    scene = figures.whitening(stays, leaves, mean, torch.full((4, 4), 0.5), "Whitening.")
    *_, std, eps = scene.drawing().images
    strength = ((leaves - mean) / 0.5).abs().div(3).clamp(max=1) * 255
    assert np.abs(eps[..., 3] - strength.numpy()).max() <= 0.51
    assert (std[..., 3] == round(0.25 * 255)).all()
    assert scene.shown().alt == "Whitening."
    with pytest.raises(GlowliteError, match="one channel"):
        figures.whitening(stays[None], leaves[None], mean[None], mean[None], "Whitening.")


def test_the_chart_has_a_line_for_each_level():
    shown = figures.blur_chart([[1, 0.25, 0.1], [1, 0.9, 0.1]], "Two falling lines.")
    assert shown.alt == "Two falling lines." and len(shown.png) > 2000
    for bad in ([], [[1, 0.5], [1]], [[1, 0.5]] * 5):
        with pytest.raises(GlowliteError, match="1 to 4 levels"):
            figures.blur_chart(bad, "Lines.")
