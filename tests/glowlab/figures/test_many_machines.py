"""Figures of notebook 14: the ring really adds, times add up, and pictures show the numbers they are given."""

import pytest

from glowlab.figures import many_machines as figures
from glowlite.errors import GlowliteError
from tests.glowlab.figures.painted import pixels, text, words


def test_a_ring_gives_everyone_all_sums_after_two_rounds_and_not_earlier():
    for world in (2, 3, 4):
        parts = [own[:world] for own in figures.RING[:world]]
        states, sums = figures.ring_states(parts), [sum(column) for column in zip(*parts, strict=True)]
        assert len(states) == 2 * (world - 1) + 1
        assert all(own == sums for own in states[-1]) and not all(own == sums for own in states[-2])
        assert states[0] == [list(own) for own in parts]
        for rank in range(world):  # after the first way round each holds one whole sum, another one each
            whole = [part for part in range(world) if states[world - 1][rank][part] == sums[part]]
            assert whole == [(rank + 1) % world]


def test_a_ring_needs_as_many_parts_as_processes():
    with pytest.raises(GlowliteError, match="2 processes hold 2 parts"):
        figures.ring_states([[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize("moment", range(7))
def test_the_ring_shows_what_is_held_and_sent(moment):
    scene = figures.ring(4, moment)
    states = figures.ring_states(figures.RING)
    shown = [shape["words"] for shape in scene.drawing().shapes if shape.get("size") == 16]
    assert shown == [str(number) for own in states[moment] for number in own]
    arrows = [shape for shape in scene.drawing().shapes if shape["kind"] == "arrow"]
    assert len(arrows) == (5 if moment else 0)  # four, one of which goes round the edge
    assert f"{sum(s['stroke'] == 'log_det' for s in scene.drawing().shapes if s['kind'] == 'box')} of 16" in scene.alt


def test_communication_grows_with_the_messages_and_hardly_with_the_bytes():
    assert figures.communication(1, 1e9, 1e9, 1.0) == 0
    assert figures.communication(2, 1e9, 1e9, 0) == pytest.approx(1)
    assert figures.communication(1000, 1e9, 1e9, 0) == pytest.approx(2, rel=1e-2)
    assert figures.communication(11, 0, 1e9, 0.5) == pytest.approx(10)


def test_buckets_go_out_in_order_when_they_are_ready():
    once, four = figures.overlapped(1), figures.overlapped(4)
    assert once == [(0, 8, 8, pytest.approx(13.35))]
    assert four[-1][-1] < once[-1][-1]
    for (_, ready, begin, end), (_, _, after, _) in zip(four, four[1:], strict=False):
        assert ready <= begin < end <= after
    assert figures.overlapped(40)[-1][-1] > figures.overlapped(6)[-1][-1]


def test_pictures_show_the_numbers_they_are_given():
    marks = [[[0, 0.1, 0.3, 0.35, 0.4]], [[0, 0.3, 0.3, 0.35, 0.4]]]
    scene = figures.timeline(marks, "one step")
    assert "wait 0.20, 0.00 s" in scene.alt and "process 1" in words(scene)
    faults = figures.faults({"none": 1e-9, "own ActNorm": 0.3}, ["own ActNorm"])
    assert "own ActNorm: 3e-01" in faults.alt and "drift apart" in text(faults)
    calculated = figures.scaling(1, 0.5, 7e8, 1.25e9, 5e-5)
    assert "calculated: 1 picture for each GPU" in text(calculated) and "ideal would be 128" in calculated.alt
    rows = {"process 0": [0.5, -1.0], "their mean": [0.1, 0.2]}
    for made in (scene, faults, calculated, figures.gradients(rows), figures.overlap(3), figures.parallel()):
        assert pixels(made.shown()).std() > 0
