"""Temperature as a person explores it, through its widgets, without a browser."""

import asyncio

import pytest
import torch

from glowlab.explorers import precomputed
from glowlab.explorers.pca import PCA
from glowlab.explorers.samples import COUNT, STOPS, SampleQuality, Samples, spread, trade_off
from glowlab.explorers.temperature import OPENING, SEED, STRIP, TemperatureExplorer, open_temperature
from glowlab.films.snapshot import fix_batch_sizes
from glowlab.widgets.frame import SORRY, Sorry
from glowlab.widgets.picture import to_bytes
from glowlite import checkpoint
from glowlite import latents as latent_space
from tests.glowlab.explorers.page import drag, entry, open_address, pick


@pytest.fixture
def page(model, card) -> TemperatureExplorer:
    return TemperatureExplorer(model, card, seed=4)


def sixteen(model, temperature, seed=SEED) -> torch.Tensor:
    eps = latent_space.sample_eps(model.latent_shapes, COUNT, torch.Generator().manual_seed(seed))
    return model.decode(latent_space.scale(eps, temperature))


def test_it_opens_finished_on_sixteen_faces(page, model):
    assert page.tiles.count == COUNT and page.tiles.pixels == to_bytes(sixteen(model, OPENING))
    assert page.strip.count == len(STRIP) and "0.70" in page.words.says and page.words.hint
    assert page.still().shape == (3, 64, 64)
    data = page._repr_mimebundle_()
    data = data[0] if isinstance(data, tuple) else data
    assert "image/png" in data


@pytest.mark.parametrize("temperature", [0.0, 0.35, 1.0, 1.3])
def test_the_same_draws_at_every_temperature(page, model, temperature):
    drag(page.slider, temperature)
    assert page.tiles.pixels == to_bytes(sixteen(model, temperature))
    assert entry(page, "Effective")["value"] == f"{page.sheet.effective.mean():.2f}"
    assert page.sheet.effective.mean().item() == pytest.approx(temperature, rel=0.05)
    assert f"t={temperature:.2f}" in page.head.query


def test_at_zero_all_are_one(page):
    drag(page.slider, 0.0)
    assert len({to_bytes(image) for image in page.shown}) == 1
    assert "the same face" in page.words.says


def test_each_level_can_be_set_alone_and_the_slider_takes_them_together(page, model):
    drag(page.level_sliders[1], 0.2)
    assert page.tiles.pixels == to_bytes(sixteen(model, [OPENING, 0.2]))
    assert "levels=0.70_0.20" in page.head.query and "0.70, 0.20" in page.words.says
    assert page.strip.selected == -1
    drag(page.slider, 1.0)
    assert page.temperatures == (1.0, 1.0) and "levels" not in page.head.query
    assert page.tiles.pixels == to_bytes(sixteen(model, 1.0))
    page.reset.click()
    assert page.slider.value == OPENING and page.tiles.pixels == to_bytes(sixteen(model, OPENING))


def test_levels_that_agree_are_one_temperature(page):
    for slider in page.level_sliders:
        drag(slider, 0.2)
    assert page.slider.value == 0.2 and "at temperature 0.20: hardly more" in page.words.says
    assert page.head.query == "t=0.20&seed=1"
    epochs = [slider.epoch for slider in page.level_sliders]
    drag(page.level_sliders[-1], 0.2)  # a move that is still on its way is not dropped
    assert [slider.epoch for slider in page.level_sliders] == epochs
    open_address(page, "?t=0.70&levels=0.30_0.30")
    assert page.slider.value == 0.3 and "at temperature 0.30" in page.words.says


def test_surprise_draws_others_and_repeats_by_seed(page, model, card):
    before = page.tiles.pixels
    page.surprise.click()
    other = TemperatureExplorer(model, card, seed=4)
    other.surprise.click()
    assert before != page.tiles.pixels == other.tiles.pixels
    assert page.tiles.pixels == to_bytes(sixteen(model, OPENING, page.samples.seed))


def test_a_chosen_face_runs_through_all_temperatures_and_a_stop_sets_it(page, model):
    pick(page.tiles, 5)
    for stop, temperature in enumerate(STRIP):
        assert to_bytes(sixteen(model, temperature)[5]) == to_bytes(page.strip.images[stop])
    pick(page.strip, 1)
    assert page.slider.value == STRIP[1] and page.strip.selected == 1
    assert page.tiles.pixels == to_bytes(sixteen(model, STRIP[1])) and page.tiles.selected == 5


def test_the_numbers_are_those_of_the_sixteen(page, model):
    drag(page.slider, 1.1)
    now, start = sixteen(model, 1.1), sixteen(model, OPENING)
    assert float(entry(page, "Bits")["value"]) == pytest.approx(model.bits_per_dim(now).mean().item(), abs=0.015)
    assert entry(page, "Change")["value"] == f"{(now.float() - start.float()).abs().mean().item():.1f}"
    assert not entry(page, "Bits")["stale"] and "5.00" in entry(page, "Bits")["note"]


def test_spread_is_the_mean_over_pairs():
    images = torch.randint(0, 256, (5, 3, 4, 4), dtype=torch.uint8)
    pairs = [(images[i].float() - images[j].float()).abs().mean() for i in range(5) for j in range(5) if i != j]
    assert spread(images) == pytest.approx(torch.stack(pairs).mean().item(), rel=1e-5)


def test_the_curve_is_measured_where_none_is_stored(page, model):
    assert [point.temperature for point in page.points] == list(STOPS)
    images = sixteen(model, STOPS[5], seed=1)
    assert page.points[5].residual == pytest.approx(page.pca.residual(images), rel=1e-4)
    assert page.points[5].spread == pytest.approx(spread(images), rel=1e-4)
    assert page.points[0].spread == 0 and "Drawn faces" in page.trade.label


def test_stored_measurements_are_not_made_again(model, card, monkeypatch):
    points = [SampleQuality(t, 3 + t, 20 * t) for t in STOPS]
    pca = PCA.fit(torch.rand(60, 48))
    stored = precomputed.Precomputed(points=points, radii=torch.full((50,), 0.9), pca=pca)
    for name in ("trade_off", "coarse_faces"):
        monkeypatch.setattr(f"glowlab.explorers.temperature.{name}", lambda *_: 1 / 0)
    page = TemperatureExplorer(model, card, stored)
    assert page.points == points and "drawn faces lie at 0.90" in page.shell.label
    assert not page.head.notice


def test_measuring_the_curve_can_be_taken_up_again(model):
    whole, parts, pca = [], [], PCA.fit(torch.rand(60, 48))
    for _ in trade_off(model, pca, whole):
        pass
    for _ in trade_off(model, pca, parts):
        if len(parts) == 3:
            break
    for _ in trade_off(model, pca, parts):
        pass
    assert parts == whole and [point.temperature for point in parts] == list(STOPS)


def test_the_shell_follows(page):
    assert f"lie at {page.sheet.effective.mean():.2f}" in page.shell.label
    drag(page.slider, 0.2)
    assert f"lie at {page.sheet.effective.mean():.2f}" in page.shell.label


async def rest(page) -> None:
    await asyncio.sleep(0.15)
    while page.scheduler.busy:
        await asyncio.sleep(0.01)


def test_while_it_moves_a_few_follow_the_chosen_first_and_at_rest_all_the_latest_wins(model, card, monkeypatch):
    async def scene():
        page = TemperatureExplorer(model, card)
        page.samples.moving.most = page.samples.moving.count = 2
        pick(page.tiles, 9)
        await rest(page)
        before = list(page.shown)
        drag(page.slider, 1.25)
        changed = {i for i in range(COUNT) if not torch.equal(before[i], page.shown[i])}
        assert 9 in changed and len(changed) == 2  # at once, in the same call
        drag(page.slider, 1.15)
        changed = {i for i in range(COUNT) if not torch.equal(before[i], page.shown[i])}
        assert len(changed) == 3  # the chosen one again, and one that had waited longer
        await asyncio.sleep(0.11)
        drag(page.slider, 0.15)  # while the rest is under way
        wanted = sixteen(model, 0.15)
        await rest(page)
        assert page.tiles.pixels == to_bytes(wanted)
        assert not entry(page, "Bits")["stale"]
        near = page.samples.at((0.2, 0.2))
        assert near.complete()  # what an arrow key asks for next is there already

    monkeypatch.setattr("glowlab.explorers.scheduler.Scheduler.crowded", False)  # whatever else runs here
    with fix_batch_sizes():  # as many at a time on a busy machine as on an idle one
        asyncio.run(scene())


@pytest.mark.parametrize("crowded", [False, True])
def test_where_others_want_the_cores_nothing_is_drawn_ahead(model, card, monkeypatch, crowded):
    page = TemperatureExplorer(model, card)
    monkeypatch.setattr("glowlab.explorers.scheduler.Scheduler.crowded", crowded)
    drag(page.slider, 0.2)
    assert page.sheet.complete() and not entry(page, "Bits")["stale"]
    assert page.samples.at((0.25, 0.25)).complete() != crowded


def test_sheets_are_cached_up_to_a_limit(model):
    samples = Samples(model, 1)
    first = samples.at((0.5, 0.5))
    first.decode([3], samples.decoding)
    assert samples.at((0.5, 0.5)) is first and first.missing(range(COUNT)) == [i for i in range(16) if i != 3]
    for i in range(100):
        samples.at((i / 100, 0.0))
    assert len(samples.sheets) < 60


def test_the_address_holds_everything(page, model, card):
    page.surprise.click()
    drag(page.slider, 0.4)
    drag(page.level_sliders[0], 1.2)
    pick(page.tiles, 7)
    other = TemperatureExplorer(model, card)
    open_address(other, "?" + page.head.query)
    assert other.tiles.pixels == page.tiles.pixels and other.head.query == page.head.query
    assert other.chosen == 7 and other.fold.value and not other.head.notice


@pytest.mark.parametrize("query", ["t=9", "t=nan&seed=-3", "levels=1_1_1&face=17", "seed=x&levels=a", "t=%%"])
def test_nonsense_in_an_address_is_left_out_with_a_sentence(page, query):
    open_address(page, "?" + query)
    assert page.slider.value == OPENING and page.samples.seed == SEED and page.chosen == 0
    assert "its address asks for" in page.head.notice["text"] and page.head.notice["kind"] == "info"


def test_an_instructor_can_leave_controls_out(page):
    page.fold.value = True
    open_address(page, "?controls=temperature,shell&t=0.50")
    assert page.slider.layout.display is None and page.sections["shell"].layout.display is None
    hidden = [page.fold, page.advanced, page.surprise, page.sections["strip"], page.readout]
    assert all(part.layout.display == "none" for part in hidden)
    assert page.head.query.endswith("controls=temperature%2Cshell")


def test_hints_move_on(page):
    seen = [page.words.hint]
    for act in (lambda: drag(page.slider, 0.3), lambda: drag(page.slider, 1.2), lambda: pick(page.tiles, 2)):
        act()
        seen.append(page.words.hint)
    assert len(set(seen)) == 4


def test_a_fault_keeps_the_pictures_and_the_page_goes_on(page, model, monkeypatch, caplog):
    before, good = page.tiles.pixels, model.inverse
    monkeypatch.setattr(model, "inverse", lambda latents: 1 / 0)
    drag(page.slider, 0.33)
    assert page.head.notice == {"text": SORRY, "kind": "bad"} and page.tiles.pixels == before
    monkeypatch.setattr(model, "inverse", lambda latents: good(latents) * float("nan"))
    drag(page.slider, 0.31)
    assert "Move the last slider back" in page.head.notice["text"] and page.tiles.pixels == before
    monkeypatch.setattr(model, "inverse", good)
    drag(page.slider, 0.4)
    assert page.tiles.pixels == to_bytes(sixteen(model, 0.4)) and page.head.notice == {}


def test_it_opens_from_a_checkpoint_and_says_so_where_there_is_none(model, tmp_path, card):
    path = checkpoint.save(tmp_path / "small.safetensors", model, card)
    assert isinstance(open_temperature(path), TemperatureExplorer)
    assert isinstance(open_temperature(tmp_path / "none"), Sorry)


def test_an_address_is_brought_to_what_the_slider_can_show(page):
    open_address(page, "?t=0.73&levels=0.71_1.02")
    assert page.slider.value == 0.75 and page.temperatures == (0.7, 1.0)
