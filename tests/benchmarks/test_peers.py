"""The comparison with other libraries: that what is compared is alike, and that the whole runs."""

import os
import re

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import memory, peers
from benchmarks.contenders import BUILDERS, Size

# the peers call functions that PyTorch has since deprecated
pytestmark = pytest.mark.filterwarnings("ignore")
MODULES = {"normflows": "normflows", "nflows": "nflows", "FrEIA": "FrEIA.modules"}
TINY = "--side 16 --levels 2 --depth 1 --width 8 --batch 4 --rounds 2 --steps 1".split()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """One thread, since more of them wait for each other where other tests run too; a small square product."""
    monkeypatch.setattr(peers, "SQUARE", 64)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def built(library: str, size: Size):
    if library in MODULES:
        pytest.importorskip(MODULES[library])
    return BUILDERS[library](size)


def forward_flops(contender, size: Size) -> int:
    with FlopCounterMode(display=False) as counter:
        contender.log_density(torch.rand(1, 3, size.side, size.side) - 0.5)
    return counter.get_total_flops()


@pytest.mark.parametrize("library", MODULES)
def test_architectures_are_equal(library):
    """Parameters within a twentieth, or a tenth where the mixing is fixed (FrEIA); work within a twentieth."""
    size = Size()
    other, ours = built(library, size), built("glowlite", size)
    ours.model.initialize(torch.rand(4, 3, 32, 32) - 0.5)
    assert other.parameters() == pytest.approx(ours.parameters(), rel=0.1 if library == "FrEIA" else 0.05)
    assert forward_flops(other, size) == pytest.approx(forward_flops(ours, size), rel=0.05)


@pytest.mark.parametrize("library", BUILDERS)
@pytest.mark.parametrize("layout", peers.LAYOUTS)
def test_each_contender_trains_and_samples(library, layout):
    size = Size(side=8, levels=2, depth=2, width=8)
    built(library, size)
    images = torch.randint(100, 130, (16, 3, 8, 8), dtype=torch.uint8)
    entry = peers.prepare(BUILDERS[library], size, layout, images)
    before = peers.loss(entry, images).item()
    for _ in range(30):
        peers.train_step(entry, images)
    assert peers.loss(entry, images).item() < before - 0.02
    entry.contender.model.eval()
    with torch.no_grad():
        assert entry.contender.sample(3).shape == (3, 3, 8, 8)


def test_products_are_those_of_the_convolutions():
    """Counted by hand, and by PyTorch in a model whose networks are all there is to it."""
    size = Size(side=8, levels=1, depth=2, width=8)
    assert peers.convolution_products(size, 3) == {(48, 54, 8): 2, (48, 8, 8): 2, (48, 72, 12): 2}
    model = BUILDERS["glowlite"](size).model
    for module in model.modules():
        if hasattr(module, "initialized"):
            module.initialized = True
    networks = [step.flows[2].network for step in list(model.levels[0].steps.flows)[1:]]
    with FlopCounterMode(display=False) as counter:
        for network in networks:
            network(torch.rand(3, 6, 4, 4))
    by_hand = sum(2 * m * k * n * count for (m, k, n), count in peers.convolution_products(size, 3).items())
    assert counter.get_total_flops() == by_hand


def test_the_rate_weighs_each_product_by_how_often_it_is_needed():
    rate = peers.ProductRate({(4, 4, 4): 3, (8, 8, 8): 1}, torch.device("cpu"))
    rate.best = {(4, 4, 4): 1.0, (8, 8, 8): 2.0}
    assert rate.flops() == pytest.approx((3 * 128 + 1024) / (3 * 1.0 + 2.0))
    rate.measure_round()
    assert all(took < 1 for took in rate.best.values())


def test_ahead_is_a_median_of_ratios_that_is_more_than_one_where_ours_is_faster():
    ours, other = (peers.Entry(None, "contiguous", None) for _ in range(2))
    ours.measured.update({peers.TRAIN: [20.0, 30.0, 40.0], peers.ONE: [1.0, 2.0, 3.0]})
    other.measured.update({peers.TRAIN: [10.0, 10.0, 10.0], peers.ONE: [4.0, 4.0, 4.0]})
    assert peers.ahead(ours, other, peers.TRAIN) == 3
    assert peers.ahead(ours, other, peers.ONE) == 2


def test_the_table_is_printed_and_written_only_when_asked(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(peers, "RESULTS", tmp_path / "RESULTS-peers.md")
    assert peers.main([*TINY, "--libraries", "glowlite"]) == 0
    assert not peers.RESULTS.exists()
    assert peers.main([*TINY, "--libraries", "glowlite", "--write"]) == 0
    printed, written = capsys.readouterr().out, peers.RESULTS.read_text()
    for text in (printed, written):
        assert "16 x 16 RGB, L=2, K=1, width 8, batch 4" in text
        assert re.search(r"\| glowlite +\| [\d,]+ \| 0\.\d+ \| [\d.]+\*? \|", text)
        assert re.search(r"GFLOP/s: \d+% of the first, \d+% of the second", text)
        assert re.search(r"\| glowlite \| (-?\d+)? \| \d+ \| \d+ \| \d+ \| \d+ \| \d+ \|", text)


@pytest.mark.skipif(not os.access(memory.CLEAR, os.W_OK), reason="memory is measured on Linux")
def test_peak_memory_grows_with_the_batch():
    size = Size(side=32, levels=1, depth=8, width=32)
    small, large = (int(peers.peak_memory("glowlite", "channels_last", size, batch)) for batch in (8, 32))
    assert large > 2.5 * small > 10


def test_all_time_of_a_step_is_in_some_group():
    images = torch.randint(0, 256, (8, 3, 16, 16), dtype=torch.uint8)
    entry = peers.prepare(BUILDERS["glowlite"], Size(side=16, levels=2, depth=2, width=16), "contiguous", images)
    spent = peers.time_by_group(entry, images, steps=2)
    assert set(spent) == {*peers.GROUPS, peers.REST} and min(spent.values()) > 0


def test_a_library_that_is_missing_is_left_out_with_a_word(capsys, monkeypatch):
    def missing(size):
        raise ModuleNotFoundError("No module named 'nflows'")

    monkeypatch.setitem(peers.BUILDERS, "nflows", missing)
    assert peers.main([*TINY, "--libraries", "nflows"]) == 0
    told = capsys.readouterr()
    assert "nflows is left out (No module named 'nflows')" in told.err
    assert "| nflows" not in told.out
