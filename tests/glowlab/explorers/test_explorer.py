"""What all explorers share: addresses, slow work in pieces, folding, opening."""

import asyncio
import importlib
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from glowlab import serve
from glowlab.explorers import explorer
from glowlab.explorers.address import Address
from glowlab.explorers.explorer import Explorer, get_typical, load_shared, open_explorer
from glowlab.explorers.render import decode, decode_all
from glowlab.explorers.scheduler import LONGEST, PAUSE, PIECE, BatchSize, Scheduler
from glowlab.widgets.controls import Slider
from glowlab.widgets.fold import Fold
from glowlab.widgets.frame import BROKEN, SORRY, Sorry
from glowlite import checkpoint
from glowlite import latents as latent_space
from glowlite.errors import GlowliteError
from glowlite.fusion import Affine

# ---- addresses --------------------------------------------------------------------------------------------


def test_an_address_gives_numbers_and_choices():
    address = Address("?t=0.5&n=7&way=arc&levels=0.5_1&empty=")
    assert address.number("t", 0, 1, 0.7) == 0.5 and address.whole("n", 0, 9, 1) == 7
    assert address.one_of("way", ["line", "arc"], "line") == "arc"
    assert address.number_list("levels", 2, 0, 1) == [0.5, 1.0]
    assert address.number("missing", 0, 1, 0.7) == 0.7 and address.number_list("missing", 2, 0, 1) is None
    assert address.sentence() == ""


@pytest.mark.parametrize("text", ["x", "nan", "inf", "1e999", "-0.1", "1.1", "0,5", "%00", "½"])
def test_a_number_that_makes_no_sense_is_left_out_and_said(text):
    address = Address(f"t={text}")
    assert address.number("t", 0, 1, 0.7) == 0.7
    assert address.sentence().startswith("This page cannot do what its address asks for with t=")


@pytest.mark.parametrize("text", ["1", "1_2_3", "1_x", "1_9", "_", "nan_1"])
def test_a_list_of_numbers_must_be_whole(text):
    address = Address(f"levels={text}")
    assert address.number_list("levels", 2, 0, 2) is None and "levels=" in address.sentence()


def test_all_that_was_left_out_is_in_one_sentence_and_no_longer_than_need_be():
    address = Address("n=1.5&way=round&t=" + 500 * "9")
    address.whole("n", 0, 9, 1), address.one_of("way", ["arc"], "arc"), address.number("t", 0, 1, 0)
    assert "n=1.5 and way=round and t=999" in address.sentence() and len(address.sentence()) < 200


# ---- slow work --------------------------------------------------------------------------------------------


def test_without_a_loop_work_is_done_at_once():
    done, work = [], Scheduler()
    work.start(done.append(i) for i in range(5))
    assert done == [0, 1, 2, 3, 4] and not work.busy


def test_other_things_happen_between_pieces_and_new_work_drops_the_old():
    done = []

    def count(name: str, pieces: int):
        for i in range(pieces):
            done.append(f"{name}{i}")
            yield

    async def scene():
        work = Scheduler()
        work.start(count("old", 1000))
        while len(done) < 3:
            await asyncio.sleep(0)  # what the page's messages would do
        assert work.busy
        work.start(count("new", 3))
        seen = len(done)
        while work.busy:
            await asyncio.sleep(0.001)
        assert done[seen:] == ["new0", "new1", "new2"]
        work.start(count("more", 1000))
        work.stop()
        await asyncio.sleep(0.02)
        assert not any(name.startswith("more") for name in done)

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("took", "computed", "pause", "crowded"),
    [(0.04, 0.04, PAUSE, False), (0.2, 0.05, 4 * 0.15, True), (9.0, 1.0, LONGEST, True)],
)
def test_work_that_waited_for_a_core_leaves_it_to_others_for_longer(monkeypatch, took, computed, pause, crowded):
    clock = SimpleNamespace(wall=0.0, own=0.0)
    monkeypatch.setattr("glowlab.explorers.scheduler.time.perf_counter", lambda: clock.wall)
    monkeypatch.setattr("glowlab.explorers.scheduler.time.process_time", lambda: clock.own)

    def pieces():
        while True:
            clock.wall, clock.own = clock.wall + took, clock.own + computed
            yield

    async def scene():
        loop, pauses = asyncio.get_running_loop(), []
        monkeypatch.setattr(loop, "call_later", lambda seconds, *call: pauses.append(seconds) or soon(*call))

        def soon(go_on, *rest):
            if len(pauses) < 4:
                loop.call_soon(go_on, *rest)

        work = Scheduler()
        work.start(pieces())
        while len(pauses) < 4:
            await asyncio.sleep(0)
        assert pauses == pytest.approx([PAUSE, pause, pause, pause]) and work.crowded == crowded
        work.start(pieces())
        assert not work.crowded  # other work, other times

    asyncio.run(scene())


def test_a_fault_ends_the_work_with_a_sentence():
    page = explorer.Frame("", "")

    def breaks():
        yield
        raise ZeroDivisionError

    work = Scheduler(page.guard)
    work.start(breaks())
    assert not work.busy and page.head.notice["text"] == SORRY


def test_a_batch_size_finds_how_much_fits(monkeypatch):
    now, each = [0.0], 0.0
    monkeypatch.setattr("glowlab.explorers.scheduler.time.perf_counter", lambda: now[0])

    def wait(count):
        now[0] += count * each / 1000

    batch_size = BatchSize(2, most=16)
    for each, settled in ((1.0, 16), (20.0, 2), (500.0, 1), (10.0, 4)):
        for _ in range(40):
            count = batch_size.count
            took = batch_size.run(lambda count=count: wait(count), count)
            assert took == pytest.approx(count * each)
        assert batch_size.count in (settled - 1, settled, settled + 1)
    assert each * batch_size.count < 1.4 * PIECE


def test_a_batch_size_shrinks_at_once_and_learns_nothing_from_cached_pictures(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("glowlab.explorers.scheduler.time.perf_counter", lambda: now[0])

    def sixteen(fresh: int) -> int:
        now[0] += 0.020 * fresh
        return fresh

    batch_size = BatchSize(16, most=16)
    for _ in range(20):
        batch_size.run(lambda: sixteen(0), 16)
    assert batch_size.count == 16
    batch_size.run(lambda: sixteen(16), 16)
    assert batch_size.count == PIECE // 20
    batch_size.run(lambda: sixteen(1), 16)  # one of them, and quick: that says nothing about two at once
    assert batch_size.count == PIECE // 20


# ---- the rest ---------------------------------------------------------------------------------------------


def test_a_fold_shows_and_hides():
    inside = Slider()
    fold = Fold(inside, label="More")
    assert inside.layout.display == "none"
    fold.set_state({"value": True})
    assert inside.layout.display is None
    fold.value = False
    assert inside.layout.display == "none"


def test_no_part_of_an_explorer_covers_one_of_a_widget(model):
    """ipywidgets' own attributes would be lost: this once broke a page only where it was displayed."""
    import ipywidgets

    from glowlab.explorers import AttributeExplorer, InterpolationExplorer, TemperatureExplorer

    ours = {"__module__", "__doc__", "__init__", "__annotations__"}
    machinery = set(vars(type("Plain", (ipywidgets.Box,), {})))
    for kind in (Explorer, TemperatureExplorer, InterpolationExplorer, AttributeExplorer):
        covered = set(vars(kind)) & set(dir(ipywidgets.Box)) - ours - machinery
        assert not covered, kind


def test_typical_bits_are_those_of_the_card_or_measured(model, card):
    assert get_typical(model, card) == (5.0, 0.5)
    measured = get_typical(model, {})
    assert measured.spread > 0 and 1 < measured.mean < 9


def test_a_model_is_read_once_in_a_process(model, directions, card, tmp_path):
    path = checkpoint.save(tmp_path / "small.safetensors", model, card)
    first, none, found = load_shared(path)
    assert none == {} and found["held_out"] == card["held_out"]
    assert load_shared(path)[0] is first and not any(weight.requires_grad for weight in first.parameters())
    assert any(isinstance(part, Affine) for part in first.modules())  # fused
    other = checkpoint.save(tmp_path / "other.safetensors", model, card)
    checkpoint.save_directions(other, directions)
    assert set(load_shared(other)[1]) == set(directions) and load_shared(other)[0] is not first


def test_what_cannot_open_says_why(monkeypatch, tmp_path, caplog):
    missing = open_explorer("Title", str(tmp_path / "none"), lambda *parts: None)
    assert isinstance(missing, Sorry) and "no model" in missing.head.notice["text"]
    monkeypatch.setattr(explorer, "load_shared", lambda name: (1, 2, 3))
    broken = open_explorer("Title", "x", lambda *parts: 1 / 0)
    assert broken.head.notice["text"] == BROKEN and "ZeroDivisionError" in caplog.text


def test_a_page_loads_no_more_than_it_shows():
    script = (
        "import sys; from glowlab.explorers import open_studio; assert 'glowlab.explorers.charts' not in sys.modules;"
        "from glowlab.explorers import *; assert open_temperature and open_attributes and open_interpolation"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=300)
    with pytest.raises(ImportError):
        from glowlab.explorers import nothing  # noqa: F401


@pytest.mark.parametrize("name", ["temperature", "interpolation", "attributes"])
def test_each_has_a_dashboard_of_one_cell(name):
    notebook = json.loads(serve.find_dashboard(name).read_text())
    (cell,) = notebook["cells"]
    assert f"open_{name}()" in "".join(cell["source"]) and not cell["outputs"]
    title = importlib.import_module(f"glowlab.explorers.{name}").TITLE
    assert notebook["metadata"]["title"] == title


def test_many_pictures_at_once_are_the_same_pictures(model):
    eps = latent_space.sample_eps(model.latent_shapes, 3, torch.Generator().manual_seed(5))
    together = decode_all(model, eps)
    for i, decoded in enumerate(together):
        alone = decode(model, [level[i : i + 1] for level in eps])
        assert (alone.image.int() - decoded.image.int()).abs().max() <= 1  # rounding of a batch
        assert decoded.temperature == pytest.approx(alone.temperature, rel=1e-5)
        assert decoded.saturated == pytest.approx(alone.saturated, abs=2e-3)
    with pytest.raises(GlowliteError, match="Move the last slider back"):
        decode_all(model, [level.index_fill(0, torch.tensor([1]), torch.nan) for level in eps])
