"""The checks of notebook 06, each tried on the solution, the stub and the mistakes one makes."""

import pytest
import torch
import torch.nn.functional as F

from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlab.checks.many_scales import from_latents, random_flow, unsqueeze

# ---- unsqueeze ---------------------------------------------------------------------------------------------


def by_slices(z, order=(0, 1, 2, 3), step=4):
    batch, channels, height, width = z.shape
    x = z.new_empty(batch, channels // 4, 2 * height, 2 * width)
    for k, place in enumerate(order):
        x[:, :, place // 2 :: 2, place % 2 :: 2] = z[:, k::step]
    return x


def corners_first(z):
    batch, channels, height, width = z.shape
    x = z.new_empty(batch, channels // 4, 2 * height, 2 * width)
    for k, part in enumerate(z.chunk(4, dim=1)):
        x[:, :, k // 2 :: 2, k % 2 :: 2] = part
    return x


def quarters(z):
    top = torch.cat([z[:, 0::4], z[:, 1::4]], 3)
    return torch.cat([top, torch.cat([z[:, 2::4], z[:, 3::4]], 3)], 2)


def same_corner(z):
    x = by_slices(z)
    x[:, :, 1::2, 1::2] = x[:, :, 0::2, 0::2]
    return x


def in_place(z):
    x = by_slices(z)
    z.zero_()
    return x


def crashes(z):
    return F.pixel_shufle(z, 2)


def reshape(z):
    return z.reshape(len(z), z.shape[1] // 4, 2 * z.shape[2], 2 * z.shape[3])


UNSQUEEZE = {
    "slices": (by_slices, None),
    "torch's own": (lambda z: F.pixel_shuffle(z, 2), None),
    "reshape alone": (reshape, "reshape alone"),
    "rows for columns": (lambda z: by_slices(z, (0, 2, 1, 3)), "exchanged"),
    "corners first": (corners_first, "wrong channels go together"),
    "quarters": (quarters, "interleave"),
    "corners backwards": (lambda z: by_slices(z, (3, 2, 1, 0)), "upper left"),
    "two corners exchanged": (lambda z: by_slices(z, (0, 1, 3, 2)), "not in their place"),
    "a corner twice": (same_corner, "lost or doubled"),
    "squeezed again": (lambda z: F.pixel_unshuffle(z, 2), "squeezes once more"),
    "nothing": (lambda z: z, "nothing was put back"),
    "enlarged": (lambda z: F.interpolate(z, scale_factor=2), "enlarged every channel"),
    "one channel": (lambda z: by_slices(z)[:, :1], "one channel"),
    "batch mixed": (lambda z: by_slices(z).flatten(0, 1)[:, None], "pictures of the batch"),
    "no batch": (lambda z: by_slices(z)[0], "has the shape"),
    "with a log-det": (lambda z: (by_slices(z), torch.zeros(len(z))), "one tensor"),
    "in place": (in_place, "in place"),
    "a typing mistake": (crashes, "at the line `return F.pixel_shufle(z, 2)`"),
}


@pytest.mark.parametrize("name", UNSQUEEZE)
def test_unsqueeze_names_the_mistake(name):
    attempt, words = UNSQUEEZE[name]
    for seed in range(5):
        verdict = unsqueeze(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict


# ---- decode from the list of latents -----------------------------------------------------------------------


def solution(latents, flow):
    x = flow.levels[-1].inverse(flow.top.inverse(latents[-1]))
    for l in reversed(range(len(flow.splits))):
        x = flow.levels[l].inverse(flow.splits[l].inverse(x, latents[l]))
    return x


def by_zip(latents, flow):
    x = flow.levels[-1].inverse(flow.top.inverse(latents[-1]))
    for level, split, eps in list(zip(flow.levels[:-1], flow.splits, latents[:-1], strict=True))[::-1]:
        x = level.inverse(split.inverse(x, eps))
    return x


def no_top(latents, flow):
    x = flow.levels[-1].inverse(latents[-1])
    for l in reversed(range(len(flow.splits))):
        x = flow.levels[l].inverse(flow.splits[l].inverse(x, latents[l]))
    return x


def side_by_side(latents, flow):
    x = flow.levels[-1].inverse(flow.top.inverse(latents[-1]))
    for l in reversed(range(len(flow.splits))):
        x = flow.levels[l].inverse(torch.cat([x, latents[l]], 1))
    return x


def changed_places(latents, flow):
    x = flow.levels[-1].inverse(flow.top.inverse(latents[-1]))
    for l in reversed(range(len(flow.splits))):
        x = flow.levels[l].inverse(flow.splits[l].inverse(latents[l], x))
    return x


def no_split(latents, flow):
    x = flow.levels[-1].inverse(flow.top.inverse(latents[-1]))
    for l in reversed(range(len(flow.splits))):
        x = flow.levels[l].inverse(x)
    return x


def first_level_first(latents, flow):
    x = flow.top.inverse(latents[-1])
    for level in flow.levels:
        x = level.inverse(x)
    return x


def last_level_forgotten(latents, flow):
    x = flow.top.inverse(latents[-1])
    for l in reversed(range(len(flow.splits))):
        x = flow.levels[l].inverse(flow.splits[l].inverse(x, latents[l]))
    return x


def first_level_forgotten(latents, flow):
    x = flow.levels[-1].inverse(flow.top.inverse(latents[-1]))
    for l in reversed(range(1, len(flow.splits))):
        x = flow.levels[l].inverse(flow.splits[l].inverse(x, latents[l]))
    return flow.splits[0].inverse(x, latents[0])


def stops_early(latents, flow):
    x = flow.levels[-1].inverse(flow.top.inverse(latents[-1]))
    for l in reversed(range(1, len(flow.splits))):
        x = flow.levels[l].inverse(flow.splits[l].inverse(x, latents[l]))
    return x


def forwards(latents, flow):
    x, _ = flow.levels[-1](flow.top.inverse(latents[-1]))
    return x


def other_latents(latents, flow):
    x = flow.levels[-1].inverse(flow.top.inverse(latents[-1]))
    for l in reversed(range(len(flow.splits))):
        x = flow.levels[l].inverse(flow.splits[l].inverse(x, latents[-1]))
    return x


def pops(latents, flow):
    x = flow.levels[-1].inverse(flow.top.inverse(latents.pop()))
    for l in reversed(range(len(flow.splits))):
        x = flow.levels[l].inverse(flow.splits[l].inverse(x, latents.pop()))
    return x


def top_twice(latents, flow):
    flow.top.inverse(latents[-1])
    return solution(latents, flow)


def only_one(latents, flow):
    x = flow.levels[-1].inverse(flow.top.inverse(latents[-1]))
    for l in reversed(range(len(flow.splits))):
        x = flow.levels[l].inverse(flow.splits[l].inverse(x))
    return x


LATENTS = {
    "solution": (solution, None),
    "by zip": (by_zip, None),
    "no top": (no_top, "top.inverse was never called: the last latents are white"),
    "side by side": (side_by_side, "inverse was never called: eps must become z"),
    "changed places": (changed_places, "changed places"),
    "no split": (no_split, "a split puts back the half that left"),
    "first level first": (first_level_first, "is it its turn?"),
    "last level forgotten": (last_level_forgotten, "is it its turn?"),
    "first level forgotten": (first_level_forgotten, "levels[0].inverse was never called"),
    "stops early": (stops_early, "splits[0].inverse was never called"),
    "forwards": (forwards, "goes from data to latent"),
    "other latents": (other_latents, "is it its turn?"),
    "at a temperature": (
        lambda latents, flow: solution([0.7 * eps for eps in latents], flow),
        "latents as they are",
    ),
    "some thrown away": (
        lambda latents, flow: solution([eps * (l > 0) for l, eps in enumerate(latents)], flow),
        "latents as they are",
    ),
    "pops": (pops, "no pop"),
    "all at once": (lambda latents, flow: flow.inverse(latents), "does it all at once"),
    "top twice": (top_twice, "2 times"),
    "one thing to a split": (only_one, "takes two things"),
    "the whole list": (lambda latents, flow: flow.top.inverse(latents), "given a list"),
    "no piece": (lambda latents, flow: latents[0], "none of the pieces"),
    "a list": (lambda latents, flow: [solution(latents, flow)], "one tensor"),
    "bytes": (lambda latents, flow: ((solution(latents, flow) + 0.5) * 256).to(torch.uint8), "bytes come later"),
    "shifted": (lambda latents, flow: solution(latents, flow) + 0.5, "something else changed"),
    "one picture": (lambda latents, flow: solution(latents, flow)[0], "has the shape"),
    "another name": (lambda latents, flow: flow.tops, "AttributeError: this flow has top"),
}  # fmt: skip


@pytest.mark.parametrize("name", LATENTS)
def test_from_latents_names_the_mistake(name):
    attempt, words = LATENTS[name]
    for seed in range(5):
        verdict = from_latents(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict


def test_the_random_flow_uses_every_piece_and_is_a_flow():
    for seed in range(4):
        flow = random_flow(torch.Generator().manual_seed(seed))
        generator = torch.Generator().manual_seed(seed)
        x = torch.rand(3, *flow.config.shape, dtype=torch.float64, generator=generator) - 0.5
        with torch.no_grad():
            latents, _ = flow(x)
            torch.testing.assert_close(solution(latents, flow), x, rtol=0, atol=1e-6)
            mean, log_std = flow.splits[0].mean_and_log_std(x[:, :1].repeat(1, flow.splits[0].stays, 1, 1))
        assert mean.abs().max() > 0.01 and log_std.abs().max() > 0.01, "the prior is at rest"


# ---- both --------------------------------------------------------------------------------------------------


def not_implemented(*given):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [lambda *given: None, lambda *given: ..., not_implemented])
def test_an_untouched_stub_is_not_a_mistake(stub):
    for verdict in (unsqueeze(stub), from_latents(stub)):
        assert verdict.state == UNTRIED and not verdict
        assert "goes on" in repr(verdict)


def test_hints_come_one_by_one_and_the_solution_is_the_packages_source():
    for check, count, line in (
        (unsqueeze, 3, "F.pixel_shuffle(z, 2)"),
        (from_latents, 4, "self.splits[level].inverse(x, latents[level])"),
    ):
        texts = [str(check.hint()) for _ in range(count + 1)]
        assert texts[0].startswith(f"Hint 1 of {count}") and texts[count] == texts[0]
        assert len(set(texts)) == count
        assert line in check.solution().text
