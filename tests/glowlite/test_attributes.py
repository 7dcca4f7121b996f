"""What the sliders promise, measured against the generator by a regressor that this file trains."""

import pytest
import torch

from benchmarks.attributes import HELD_OUT_SEED, measure, table
from glowlite import checkpoint
from glowlite.data import faces
from glowlite.evaluation import train_meter

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def meter():
    return train_meter()


@pytest.fixture(scope="module")
def effects(meter):
    effects = measure(checkpoint.load("faces64"), checkpoint.load_directions("faces64"), meter)
    print("\n" + table(effects))
    return effects


def test_the_meter_reads_every_attribute(meter):
    held_out = faces.draw(1024, seed=HELD_OUT_SEED + 2)
    truth = torch.stack(list(held_out.attributes.values()), 1)
    explained = 1 - (meter.read(held_out.images) - truth).var(0) / truth.var(0)
    assert explained.min() > 0.9, dict(zip(meter.names, explained.tolist(), strict=True))


def test_each_slider_moves_its_attribute_all_one_way(effects):
    assert {e.name: e.monotone for e in effects if e.monotone < 0.99} == {}


def test_each_slider_moves_its_attribute_far(effects):
    assert {e.name: e.moved for e in effects if e.moved < 2} == {}


def test_each_slider_leaves_the_others_alone(effects):
    assert {e.name: e.selectivity for e in effects if e.selectivity < 15} == {}


def test_no_slider_breaks_the_picture(effects):
    assert {e.name for e in effects if not e.finite} == set()
    assert {e.name: e.saturated for e in effects if e.saturated > 0.03} == {}
