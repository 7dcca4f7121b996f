"""The checks of notebook 06, each tried on the solution, the stub and the mistakes one makes."""

import pytest
import torch
import torch.nn.functional as F

from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlab.checks.many_scales import checkerboard, from_latents, masked_coupling, random_flow, unsqueeze

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


# ---- a checkerboard coupling --------------------------------------------------------------------------------


def masks(x):
    keep = checkerboard(x)
    return keep, 1 - keep


def shifted(formula):
    return lambda x, network: formula(x, network, *masks(x))


def changes_x(x, network):
    keep, move = masks(x)
    x += move * network(keep * x)
    return x


MASKED = {
    "solution": (shifted(lambda x, f, keep, move: x + move * f(keep * x)), None),
    "by where": (shifted(lambda x, f, keep, move: torch.where(keep == 1, x, x + f(x * keep))), None),
    "the faulty one": (shifted(lambda x, f, keep, move: x + move * f(x)), "that is the faulty one still"),
    "all move": (shifted(lambda x, f, keep, move: x + f(keep * x)), "every pixel moves, those"),
    "all move, all seen": (shifted(lambda x, f, keep, move: x + f(x)), "the network sees all of them"),
    "exchanged": (shifted(lambda x, f, keep, move: x + keep * f(move * x)), "black and white"),
    "sees what moves": (shifted(lambda x, f, keep, move: x + move * f(move * x)), "those alone that stay"),
    "minus": (shifted(lambda x, f, keep, move: x - move * f(keep * x)), "is subtracted"),
    "shift alone": (shifted(lambda x, f, keep, move: move * (x + f(keep * x))), "are lost"),
    "nothing": (lambda x, f: x.clone(), "nothing has moved"),
    "the answer is masked": (shifted(lambda x, f, keep, move: x + keep * f(keep * x)), "masked twice"),
    "twice": (shifted(lambda x, f, keep, move: x + 2 * move * f(keep * x)), "misses x"),
    "in place": (changes_x, "in place"),
    "two things": (shifted(lambda x, f, keep, move: (x, keep)), "must be a tensor"),
}


@pytest.mark.parametrize("name", MASKED)
def test_masked_coupling_names_the_mistake(name):
    attempt, words = MASKED[name]
    for seed in range(5):
        verdict = masked_coupling(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict


# ---- decode from the list of latents -----------------------------------------------------------------------


def solution(latents, flow):
    x = latents[-1][:, :0]
    for level, eps in zip(reversed(flow.levels), reversed(latents), strict=True):
        x = level.steps.inverse(level.split.inverse(x, eps))
    return x


def by_number(latents, flow):
    x = latents[-1].new_zeros(len(latents[-1]), 0, *latents[-1].shape[2:])
    for l in reversed(range(len(flow.levels))):
        x = flow.levels[l].split.inverse(x, latents[l])
        x = flow.levels[l].steps.inverse(x)
    return x


def below_the_top(latents, flow, y):
    """The right way from what the last split gives back, y."""
    x = flow.levels[-1].steps.inverse(y)
    for level, eps in zip(flow.levels[-2::-1], latents[-2::-1], strict=True):
        x = level.steps.inverse(level.split.inverse(x, eps))
    return x


def no_top(latents, flow):
    return below_the_top(latents, flow, latents[-1])


def top_with(stays):
    return lambda latents, flow: below_the_top(
        latents, flow, flow.levels[-1].split.inverse(stays(latents), latents[-1])
    )


def undo(stay_put):
    """The right way but for the splits of the levels before the last: stay_put(split, x, eps) in their place."""

    def attempt(latents, flow):
        *before, last = flow.levels
        x = last.steps.inverse(last.split.inverse(latents[-1][:, :0], latents[-1]))
        for level, eps in reversed(list(zip(before, latents[:-1], strict=True))):
            x = level.steps.inverse(stay_put(level.split, x, eps))
        return x

    return attempt


def first_level_first(latents, flow):
    x = flow.levels[-1].split.inverse(latents[-1][:, :0], latents[-1])
    for level in flow.levels:
        x = level.steps.inverse(x)
    return x


def last_steps_forgotten(latents, flow):
    x = flow.levels[-1].split.inverse(latents[-1][:, :0], latents[-1])
    for level, eps in zip(flow.levels[-2::-1], latents[-2::-1], strict=True):
        x = level.steps.inverse(level.split.inverse(x, eps))
    return x


def stops_early(latents, flow):
    x = latents[-1][:, :0]
    for l in reversed(range(1, len(flow.levels))):
        x = flow.levels[l].steps.inverse(flow.levels[l].split.inverse(x, latents[l]))
    return x


def first_steps_forgotten(latents, flow):
    return flow.levels[0].split.inverse(stops_early(latents, flow), latents[0])


def pops(latents, flow):
    x = latents[-1][:, :0]
    for level in reversed(flow.levels):
        x = level.steps.inverse(level.split.inverse(x, latents.pop()))
    return x


def top_twice(latents, flow):
    flow.levels[-1].split.inverse(latents[-1][:, :0], latents[-1])
    return solution(latents, flow)


LATENTS = {
    "solution": (solution, None),
    "by number": (by_number, None),
    "no top": (no_top, "split.inverse was never called: eps must become z by mean and std, at the last level"),
    "side by side": (undo(lambda split, x, eps: torch.cat([x, eps], 1)), "inverse was never called: eps must become z"),
    "changed places": (undo(lambda split, x, eps: split.inverse(eps, x)), "changed places"),
    "no split": (undo(lambda split, x, eps: x), "a split puts back the half that left"),
    "the top given None": (top_with(lambda latents: None), "not a tensor; nothing stays at the last level"),
    "the top given eps twice": (top_with(lambda latents: latents[-1]), "nothing stays at the last level, so begin"),
    "first level first": (first_level_first, "is it its turn?"),
    "last steps forgotten": (last_steps_forgotten, "is it its turn?"),
    "first steps forgotten": (first_steps_forgotten, "levels[0].steps.inverse was never called"),
    "stops early": (stops_early, "levels[0].split.inverse was never called"),
    "forwards": (lambda latents, flow: flow.levels[-1].steps(latents[-1])[0], "goes from data to latent"),
    "a level forwards": (lambda latents, flow: flow.levels[-1](latents[-1])[0], "by its split and its steps"),
    "other latents": (undo(lambda split, x, eps: split.inverse(x, torch.cat([eps, eps], 1))), "is it its turn?"),
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
    "both at once": (lambda latents, flow: flow.levels[0].inverse(latents[0], latents[0]), "does both at once"),
    "top twice": (top_twice, "2 times"),
    "one thing to a split": (lambda latents, flow: flow.levels[-1].split.inverse(latents[-1]), "takes two things"),
    "the whole list": (lambda latents, flow: flow.levels[-1].steps.inverse(latents), "given a list"),
    "no piece": (lambda latents, flow: latents[0], "none of the pieces"),
    "a list": (lambda latents, flow: [solution(latents, flow)], "one tensor"),
    "bytes": (lambda latents, flow: ((solution(latents, flow) + 0.5) * 256).to(torch.uint8), "bytes come later"),
    "shifted": (lambda latents, flow: solution(latents, flow) + 0.5, "something else changed"),
    "one picture": (lambda latents, flow: solution(latents, flow)[0], "has the shape"),
    "another name": (lambda latents, flow: flow.top, "AttributeError: this flow has levels"),
    "another part": (lambda latents, flow: flow.levels[0].step, "AttributeError: a level has steps and a split"),
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
        flow = random_flow(torch.Generator().manual_seed(seed)).double()
        generator = torch.Generator().manual_seed(seed)
        x = torch.rand(3, *flow.config.shape, dtype=torch.float64, generator=generator) - 0.5
        with torch.no_grad():
            latents, _ = flow(x)
            torch.testing.assert_close(solution(latents, flow), x, rtol=0, atol=1e-6)
            split = flow.levels[0].split
            mean, log_std = split.mean_and_log_std(x[:, :1].repeat(1, split.stays, 1, 1))
        assert mean.abs().max() > 0.01 and log_std.abs().max() > 0.01, "the prior is at rest"


# ---- both --------------------------------------------------------------------------------------------------


def not_implemented(*given):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [lambda *given: None, lambda *given: ..., not_implemented])
def test_an_untouched_stub_is_not_a_mistake(stub):
    for verdict in (unsqueeze(stub), masked_coupling(stub), from_latents(stub)):
        assert verdict.state == UNTRIED and not verdict
        assert "goes on" in repr(verdict)


def test_hints_come_one_by_one_and_the_solution_is_the_packages_source():
    for check, count, line in (
        (unsqueeze, 3, "F.pixel_shuffle(z, 2)"),
        (from_latents, 3, "self.steps.inverse(self.split.inverse(stays, eps))"),
    ):
        texts = [str(check.hint()) for _ in range(count + 1)]
        assert texts[0].startswith(f"Hint 1 of {count}") and texts[count] == texts[0]
        assert len(set(texts)) == count
        assert line in check.solution().text
