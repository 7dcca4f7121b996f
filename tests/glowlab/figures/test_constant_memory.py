"""Figures of notebook 13: what the stepper holds, and that pictures show the numbers they are given."""

import json
import math

import pytest

from glowlab.figures import constant_memory as figures
from glowlite.errors import GlowliteError
from glowlite.flows.reversible import MEMORY
from tests.glowlab.figures.painted import pixels, text, words


def test_the_ways_are_those_of_the_package():
    assert tuple(figures.WAYS) == MEMORY


def test_what_is_held_half_way_forward_at_the_turn_and_at_the_end():
    assert figures.held("stored", 4, 2) == ({0, 1, 2}, {1, 2})
    assert figures.held("checkpointed", 4, 2) == ({0, 1, 2}, set())
    assert figures.held("reversible", 4, 2) == ({2}, set())
    assert figures.held("stored", 4, 5) == ({0, 1, 2, 3, 4}, {1, 2, 3, 4})
    assert figures.held("checkpointed", 4, 5) == ({0, 1, 2, 3, 4}, {4})
    assert figures.held("reversible", 4, 5) == ({3, 4}, {4})
    for way in figures.WAYS:
        assert figures.held(way, 4, 0) == ({0}, set())
        assert figures.held(way, 4, 8) == ({0, 1}, {1})


def test_at_its_most_stored_grows_with_depth_and_inside_and_reversible_does_not():
    def most(way, depth):
        return max(figures.memory_at(way, depth, moment, inside=9) for moment in range(2 * depth + 1))

    assert [most("stored", depth) for depth in (6, 12)] == [61, 121]
    assert [most("checkpointed", depth) for depth in (6, 12)] == [16, 22]
    assert [most("reversible", depth) for depth in (6, 12)] == [11, 11]


@pytest.mark.parametrize(("way", "moment"), [("none", 0), ("stored", 13), ("stored", -1)])
def test_a_moment_that_is_not_there_is_refused(way, moment):
    with pytest.raises(GlowliteError, match="no moment"):
        figures.held(way, 6, moment)


@pytest.mark.parametrize("way", figures.WAYS)
def test_the_stepper_says_what_it_shows_at_every_moment(way):
    for moment in range(13):
        scene = figures.stepper(way, moment)
        places, steps = figures.held(way, 6, moment)
        discs = [s for s in scene.drawing().shapes if s["kind"] == "dots" and s["fill"] == "x" and s["size"] == 8]
        assert len(discs) == len(places) and words(scene).count("inside") == len(steps)
        assert f"{len(places)} of 7" in scene.alt and ("backward" in scene.alt) == (moment > 6)
        assert ("◀ gradient" in words(scene)) == (moment > 6)


def test_the_record_is_read_and_drawn():
    record = figures.load_record()
    scene = figures.recorded(record)
    assert record["rows"][-1]["depth"] == 128 and "reversible 29 MB" in scene.alt
    assert pixels(scene.shown()).shape[1] == 1080


def test_what_is_no_record_is_refused(tmp_path):
    path = tmp_path / "memory.json"
    for content in (None, "{", json.dumps({"kind": "other"})):
        if content is not None:
            path.write_text(content)
        with pytest.raises(GlowliteError, match=r"is no record of memory.* python -m benchmarks.memory|benchmarks"):
            figures.load_record(path)


def test_lines_by_depth_carry_their_names():
    scene = figures.growth([1, 2, 4], {"stored": [1e6, 2e6, 4e6], "reversible": [1e5, 1e5, 1e5]}, "kept")
    assert " stored" in words(scene) and " reversible" in words(scene) and "stored from 1 to 4 MB" in scene.alt


def test_a_bar_says_how_many_gigabytes():
    scene = figures.cards({"stored": 123e9, "checkpointed": 1e10, "reversible": 3.14e9}, "40 pictures")
    assert "stored 123 GB" in text(scene) and "reversible 3.1 GB" in text(scene)
    assert {"8 GB", "24 GB", "80 GB"} <= set(words(scene))


def test_refused_points_get_a_cross_and_infinite_errors_are_drawn():
    errors = {"reversible": [1e-6, 0.1, math.inf], "stored": [1e-6, 1e-5, 1e-4]}
    assert text(figures.wrong_gradients((0, 0.1, 0.2), errors)).count("×") == 0
    scene = figures.wrong_gradients((0, 0.1, 0.2), errors, [False, True, True])
    assert words(scene).count("×") == 2 and "refuses 2 of 3" in scene.alt and "not finite" in scene.alt
    assert "clamp" in text(figures.missed_by((0, 1), {"none": [1e-6, 1], "clamp": [1e-6, 0.1]}))


def test_boxes_and_the_diagram_of_a_step():
    assert "32" in words(figures.kept_boxes({"ActNorm": 12, "hidden 1": 32}, "Two boxes."))
    assert "network" in words(figures.backward_step()) and "pink" not in figures.backward_step().alt
