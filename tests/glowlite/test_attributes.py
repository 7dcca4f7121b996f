"""The promises of the sliders, measured on held-out pictures by a meter that did not make the directions."""

import pytest

from benchmarks.attributes import HELD_OUT, measure, table, train_fair_meter
from glowlite import checkpoint
from glowlite.data import datasets, labelled
from glowlite.data.labelled import Labelled
from glowlite.evaluation import train_meter

pytestmark = pytest.mark.slow
METER_SEED = 70_000_000


@pytest.fixture(scope="module", params=["faces64", "portraits64"])
def measured(request):
    """How well the meter reads each attribute, and the effects of one model's sliders."""
    data = checkpoint.read_card(request.param)["data"]
    if data != "faces" and not datasets.is_known(data):
        pytest.skip(f"{data}.npz is not in {datasets.cache_folder()}")
    model = checkpoint.load(request.param)
    if data == "faces":  # attributes in their own unit, of faces that no direction was made from
        meter = train_meter(Labelled(*labelled.draw_faces(16_384, 64, METER_SEED)), epochs=10, seed=METER_SEED)
        held_out = Labelled(*labelled.draw_faces(HELD_OUT, 64, labelled.SEEDS["test"]))
    else:
        meter = train_fair_meter(data, model.config.shape)
        held_out = labelled.read(data, model.config.shape, "test", HELD_OUT)
    explained = meter.explained(held_out)
    effects = measure(model, checkpoint.load_directions(request.param), meter, held_out)
    print("\n" + table(effects, explained))
    return data, explained, effects


def test_the_meter_reads_every_attribute(measured):
    data, explained, _ = measured
    least = 0.9 if data == "faces" else 0.5  # the age of real people is a guess, by decades
    assert {name: share for name, share in explained.items() if share < least} == {}


def test_each_slider_moves_its_attribute_all_one_way(measured):
    data, _, effects = measured
    least = 0.99 if data == "faces" else 0.98
    assert {e.name: e.monotone for e in effects if e.monotone < least} == {}


def test_each_slider_moves_its_attribute_far(measured):
    assert {e.name: e.moved for e in measured[2] if e.moved < 2} == {}


def test_each_slider_leaves_the_others_alone(measured):
    assert {e.name: e.selectivity for e in measured[2] if e.selectivity < 15} == {}


def test_no_slider_breaks_the_picture(measured):
    effects = measured[2]
    assert {e.name for e in effects if not e.finite} == set()
    assert {e.name: e.saturated for e in effects if e.saturated > 0.03} == {}
