"""Temperature, interpolation and directions."""

import math

import pytest
import torch

from glowlite import latents as space
from glowlite.errors import GlowliteError

SHAPES = [(6, 8, 8), (12, 4, 4), (48, 2, 2)]


def draw(n, seed):
    return space.sample_eps(SHAPES, n, torch.Generator().manual_seed(seed))


def test_effective_temperature_is_one_for_the_model_and_t_at_t():
    eps = draw(64, 0)
    assert space.effective_temperature(eps).mean().item() == pytest.approx(1, abs=0.02)
    assert space.effective_temperature(space.scale(eps, 0.7)).mean().item() == pytest.approx(0.7, abs=0.02)


def test_scale_takes_one_number_a_level():
    scaled = space.scale(draw(2, 0), [0.0, 1.0, 2.0])
    assert scaled[0].abs().max() == 0
    assert torch.equal(scaled[1], draw(2, 0)[1]) and torch.equal(scaled[2], 2 * draw(2, 0)[2])


@pytest.mark.parametrize("path", [space.lerp, space.slerp])
def test_paths_start_and_end_at_their_ends(path):
    a, b = draw(3, 1), draw(3, 2)
    for t, end in ((0.0, a), (1.0, b)):
        assert all(torch.allclose(x, y, atol=1e-5) for x, y in zip(path(a, b, t), end, strict=True))


def test_a_straight_midpoint_is_cold_and_a_great_circles_is_not():
    a, b = draw(32, 1), draw(32, 2)
    assert space.effective_temperature(space.lerp(a, b, 0.5)).mean().item() == pytest.approx(0.5**0.5, abs=0.02)
    assert space.effective_temperature(space.slerp(a, b, 0.5)).mean().item() == pytest.approx(1, abs=0.02)


def test_slerp_of_a_point_with_itself_is_that_point():
    a = draw(2, 1)
    between = space.slerp(a, a, 0.3)
    assert all(torch.allclose(x, y, atol=1e-5) for x, y in zip(between, a, strict=True))


def test_slerp_between_opposites_is_the_straight_line_and_never_chance():
    for seed in range(8):
        a = space.sample_eps([(6, 8, 8), (24, 4, 4)], 16, torch.Generator().manual_seed(seed))
        between = space.slerp(a, [-level for level in a], 0.25)
        assert all(torch.allclose(got, 0.5 * level, atol=1e-6) for got, level in zip(between, a, strict=True))


@pytest.mark.parametrize("degrees", [30.0, 90.0, 150.0])
def test_slerp_turns_at_an_even_pace_and_keeps_the_norm(degrees):
    """The two ends lie in different levels in part: the angle is the one over all levels together."""

    def on_circle(angle):
        x, y = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        return [torch.tensor([[[[x]]]]), torch.tensor([[[[y]]]])]

    for t in (1 / 3, 1 / 2, 0.9):
        got, want = space.slerp(on_circle(0), on_circle(degrees), t), on_circle(t * degrees)
        assert torch.allclose(space.flatten(got), space.flatten(want), atol=1e-5)


def planted(n, noise=1.0, tie=0.0):
    """Latents that move along known directions as two attributes do; `tie` makes them go together."""
    generator = torch.Generator().manual_seed(7)
    true = {name: [torch.randn(1, *s, generator=generator) for s in SHAPES] for name in ("a", "b")}
    values = {name: torch.rand(n, generator=generator) * 2 - 0.5 for name in ("a", "b")}
    values["b"] = tie * values["a"] + (1 - tie) * values["b"]
    eps = space.scale(space.sample_eps(SHAPES, n, generator), noise)
    for name in ("a", "b"):
        eps = space.add(eps, true[name], values[name])
    return eps, values, true


def cosine(a, b):
    return torch.cosine_similarity(space.flatten(a), space.flatten(b)).item()


def test_directions_are_the_planted_slopes_even_where_attributes_go_together():
    eps, values, true = planted(2000, noise=0.1, tie=0.7)
    found = space.directions(eps, values)
    for name in ("a", "b"):
        error = space.flatten(found[name]) - space.flatten(true[name])
        assert error.norm() < 0.05 * space.flatten(true[name]).norm()
    naive = space.mean_difference(eps, values["a"] > 0)
    assert cosine(naive, true["a"]) < 0.95 < cosine(found["a"], true["a"])


def test_mean_difference_is_with_minus_without():
    eps, values, true = planted(4000)
    step = space.mean_difference(eps, values["a"] > 0)
    assert [tuple(e.shape) for e in step] == [(1, *s) for s in SHAPES]
    assert cosine(step, true["a"]) > 0.95
    for side in (torch.zeros(4000, dtype=torch.bool), torch.ones(4000, dtype=torch.bool)):
        with pytest.raises(GlowliteError, match="one side is empty"):
            space.mean_difference(eps, side)


def test_too_few_pictures_for_directions():
    eps, values, _ = planted(2)
    with pytest.raises(GlowliteError, match="at least 3 pictures"):
        space.directions(eps, values)


def test_add_keeps_the_latents_kind_of_numbers():
    assert space.add(draw(2, 0), [step[:1].double() for step in draw(1, 5)], 0.5)[0].dtype == torch.float32


def test_add_takes_a_number_or_one_for_each_picture():
    eps, direction = draw(2, 0), [e[:1] for e in draw(1, 5)]
    moved = space.add(eps, direction, torch.tensor([0.0, 2.0]))
    assert torch.equal(moved[0][0], eps[0][0])
    assert torch.allclose(moved[2][1], eps[2][1] + 2 * direction[2][0])
    assert torch.allclose(space.add(eps, direction, 2.0)[2][1], moved[2][1])
