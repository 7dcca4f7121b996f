"""Figures of notebook 03: their numbers are right, and bad input is refused."""

import math

import pytest
import torch

from glowlab.figures import learned_permutations as figures
from glowlite.errors import GlowliteError
from glowlite.flows import Chain, Coupling
from glowlite.flows.mixing import Permutation, make_mixing, random_rotation
from tests.glowlab.figures.painted import text, words

POINTS = torch.randn(6, 4, 1, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def jacobians(kind, steps=3):
    generator = torch.Generator().manual_seed(1)
    layers = []
    for _ in range(steps):
        layers += [Permutation(torch.arange(4)) if kind == "none" else make_mixing(kind, 4, generator)]
        layers += [Coupling(4, 8, "additive")]
    x = POINTS.clone().requires_grad_()
    flow = figures.perturb_couplings(Chain(*layers).double(), x)
    made = [
        torch.stack([torch.autograd.grad(z[:, i].sum(), x, retain_graph=True)[0].flatten(1) for i in range(4)], 1)
        for z in flow(x, keep=True)[2][::2]
    ]
    return made, [layer(torch.eye(4).double())[0].T for layer in flow.flows[::2]]


# ---- who moved ---------------------------------------------------------------------------------------------


def test_perturbed_couplings_move_and_the_mixing_stays():
    flow = Chain(make_mixing("lu", 4), Coupling(4, 8, "affine")).double()
    before = {name: value.clone() for name, value in flow.state_dict().items()}
    figures.perturb_couplings(flow, POINTS)
    for name, value in flow.state_dict().items():
        assert torch.equal(value, before[name]) is name.startswith("flows.0."), name
    assert (flow(POINTS)[1].std() > 1e-3) and not flow.training


@pytest.mark.parametrize(("kind", "counts"), [("none", [4, 2, 2, 2]), ("reverse", [4, 2, 0, 0]), ("lu", [4, 2, 0, 0])])
def test_seats_that_no_coupling_has_moved_are_counted(kind, counts):
    assert [figures.count_unmoved(J) for J in jacobians(kind)[0]] == counts


def test_a_seat_holds_a_channel_a_blend_or_something_moved():
    same = torch.tensor([[0.0, 1, 0], [0.5, 0.5, 0], [1, 0, 2]]).expand(4, 3, 3).clone()
    same[0, 2, 0] = 3
    states = [(figures.AS_IT_CAME, 1), (figures.BLENDED, -1), (figures.MOVED, -1)]
    assert figures.seat_states(same) == states
    scaled = torch.diag(torch.tensor([2.0, 1.0])).expand(4, 2, 2)  # a fixed factor is no channel as it came
    assert figures.seat_states(scaled) == [(figures.BLENDED, -1), (figures.AS_IT_CAME, 1)]


def test_seats_show_the_count_and_the_pattern():
    journey, mixings = jacobians("reverse")
    scene = figures.seat_chart(journey, mixings, 1, "reverse")
    assert "not moved yet: 2 of 4" in text(scene) and "light blue: 2 of 4" in scene.alt
    heard = int((journey[1].abs().amax(0) > 1e-9).sum())
    assert heard == 8 and f"{heard} of its 16 entries" in scene.alt
    boxes = [shape for shape in scene.drawing().shapes if shape["kind"] == "box"]
    assert len(boxes) == 8  # two columns of seats
    assert len(scene.shown().png) > 1000


@pytest.mark.parametrize("step", [-1, 4])
def test_seats_refuse_a_step_that_is_not_there(step):
    with pytest.raises(GlowliteError, match="there are 3 steps"):
        figures.seat_chart(*jacobians("reverse"), step, "reverse")


def test_pairs_that_never_met_are_counted_once():
    table = torch.tensor([[0.0, 3, 0], [3, 0, 0], [0, 0, 0]])
    scene = figures.meeting_maps({"reverse": table, "shuffle": torch.ones(3, 3)}, steps=3)
    assert "with reverse 2, with shuffle 0" in scene.alt and "reverse: 2 of 3 never met" in text(scene)
    assert len(scene.drawing().images) == 2


# ---- matrices ----------------------------------------------------------------------------------------------


def test_blocks_are_outlined_one_for_each_pixel():
    scene = figures.jacobian_blocks(torch.block_diag(*[torch.ones(3, 3)] * 4), 3, "Four blocks.")
    green = [shape for shape in scene.drawing().shapes if shape.get("stroke") == "log_det"]
    assert len(green) == 4
    for wrong in (torch.ones(4, 3), torch.ones(4, 4), torch.ones(3)):
        with pytest.raises(GlowliteError, match="blocks of 3"):
            figures.jacobian_blocks(wrong, 3, "Blocks.")


@pytest.mark.parametrize("channels", [2, 3, 6])
def test_the_log_of_a_rotation_leads_there_by_rotations(channels):
    R = random_rotation(channels, torch.Generator().manual_seed(channels)).double()
    R[0] = R[0] * torch.linalg.det(R).sign()
    A = figures.log_of_rotation(R)
    assert torch.equal(A, -A.T) and torch.allclose(torch.matrix_exp(A), R, atol=1e-6)
    half = torch.matrix_exp(A / 2)
    assert torch.allclose(half @ half.T, torch.eye(channels).double(), atol=1e-9)
    assert torch.allclose(half @ half, R, atol=1e-6)


def test_a_quarter_turn_has_the_angle_in_its_log():
    quarter = torch.tensor([[0.0, -1], [1, 0]])
    expected = torch.tensor([[0.0, -math.pi / 2], [math.pi / 2, 0]]).double()
    assert torch.allclose(figures.log_of_rotation(quarter), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("matrix", "why"),
    [
        (torch.eye(3)[[1, 0, 2]], "reflection"),
        (2 * torch.eye(3), "no rotation"),
        (torch.diag(torch.tensor([-1.0, -1, 1])), "half a circle"),
    ],
)
def test_matrices_without_a_single_shortest_turn_are_refused(matrix, why):
    with pytest.raises(GlowliteError, match=why):
        figures.log_of_rotation(matrix)


def test_a_matrix_on_a_path_has_its_log_det():
    face = torch.zeros(3, 4, 4, dtype=torch.uint8)
    curve = ([0.0, 1, 2], [0.0, -math.inf, 0.5])
    scene = figures.matrix_on_path(torch.diag(torch.tensor([2.0, 1, 1])), 0.5, curve, face, "turn")
    assert "log |det W| = 0.69" in text(scene) and "0.69" in scene.alt and "2.00" in text(scene)
    flat = figures.matrix_on_path(torch.ones(3, 3), 0.5, curve, face, "mirror")
    assert "= \N{MINUS SIGN}∞" in text(flat) and flat.shown().png
    dots = [shape for shape in flat.drawing().shapes if shape["kind"] == "dots"]
    assert len(dots) == 1


def test_matrices_show_their_numbers_without_a_minus_zero():
    scene = figures.matrix_maps([("a", torch.tensor([[1.0, -1e-9], [-2.5, 0]])), ("b", torch.eye(2))], "Two matrices.")
    assert {"1.00", "0.00", "\N{MINUS SIGN}2.50", "a", "b"} == set(words(scene))
    assert "\N{MINUS SIGN}0.00" not in text(scene) and len(scene.drawing().images) == 2


def test_the_border_of_a_matrix_stands_around_its_numbers_and_is_not_cut():
    shapes = figures.matrix_maps([("a", torch.eye(3))], "A matrix.").drawing().shapes
    image, border = (next(s for s in shapes if s["kind"] == kind) for kind in ("image", "path"))
    left, top, width, height = image["box"]
    across, down = border["points"][::2], border["points"][1::2]
    assert (min(across), max(across)) == (left, left + width) and (min(down), max(down)) == (
        top,
        top + height,
    )
    clip = border["clip"]
    assert clip[0] + border["width"] <= left and left + width + border["width"] <= clip[0] + clip[2]


# ---- the race ----------------------------------------------------------------------------------------------


def some_runs():
    return [
        {
            "permutation": kind,
            "coupling": coupling,
            "seed": seed,
            "images": [1, 2],
            "bits_per_dim": [6.0, end + seed],
        }
        for coupling in ("additive", "affine")
        for kind, end in (("reverse", 5.0), ("shuffle", 4.5), ("lu", 4.0))
        for seed in (0, 1)
    ]


def test_run_curves_state_means_over_seeds():
    assert figures.final_bits(some_runs())["affine", "lu"] == (4.5, pytest.approx(2**-0.5))
    plot = figures.run_curves(some_runs(), 2, (3.5, 6.5))
    assert "affine, reverse 5.50" in plot.alt and "affine, 1×1 conv 4.50" in plot.alt
    assert plot.points("1×1 conv") == ([1, 2], [6.0, 4.5]) and plot.points("shuffle, seed 1") == ([1, 2], [6.0, 5.5])
    assert len(plot.figure["data"]) == 12 + 6  # every run, and a mean for each kind
    assert plot.shown().png


def test_run_curves_are_drawn_from_the_start():
    assert "none yet" in figures.run_curves([], 10, (3, 6)).alt
    begun = some_runs()[:1]
    unequal = [begun[0], begun[0] | {"images": [1], "bits_per_dim": [6.0], "seed": 1}]
    plot = figures.run_curves(unequal, 2, (3, 6))
    assert len(plot.figure["data"]) == 2, "no mean of curves that differ in length"


def test_the_record_that_ships_is_whole():
    record = figures.load_runs()
    settings = record["settings"]
    kinds = {(run["coupling"], run["permutation"], run["seed"]) for run in record["runs"]}
    assert len(kinds) == len(record["runs"]) == 6 * settings["seeds"]
    for run in record["runs"]:
        assert run["images"][-1] == settings["images"] and len(run["images"]) == len(run["bits_per_dim"])
    means = figures.final_bits(record["runs"])
    for row in record["summary"]:
        mean, spread = means[row["coupling"], row["permutation"]]
        assert (row["mean"], row["spread"]) == (
            pytest.approx(mean, abs=1e-4),
            pytest.approx(spread, abs=1e-4),
        )


def test_a_missing_or_wrong_record_is_one_sentence(tmp_path):
    with pytest.raises(GlowliteError, match="python -m benchmarks.permutations"):
        figures.load_runs(tmp_path / "none.json")
    for content, why in (("{", "damaged"), ("[]", "no record"), ('{"kind": "else"}', "no record")):
        (tmp_path / "bad.json").write_text(content)
        with pytest.raises(GlowliteError, match=why):
            figures.load_runs(tmp_path / "bad.json")
