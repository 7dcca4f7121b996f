"""The explorer of temperature as a web component on a static page: what it computes, and what a visitor does there."""

import json

import numpy as np
import pytest
import torch

from glowlab.web import bundle, static
from glowlab.web.export import to_bin
from glowlab.web.widgets import TemperatureExplorer
from glowlite import checkpoint
from glowlite.glow import Glow, GlowConfig
from tests.helpers import perturb

from .conftest import click
from .test_accessible import HEAR
from .visitor import PHONE, WIDE, apart, card, drag, grasp, number, pictures, says, shown, slider
from .web_site import HELD_OUT, Site, Visit, rests

SIXTEEN, STRIP = ".gl-grid", ".gl-card.gl-wide"
EXPLORER = "temperature"
HALF = 2  # grey levels by which weights of float16 may change a picture


def temperature(page):
    return slider(page, "Temperature")


def faces(page, where=SIXTEEN):
    return page.locator(where).get_by_role("radio")


def sampled(path, seed: int, at) -> np.ndarray:
    images = checkpoint.load(path).sample(16, at, torch.Generator().manual_seed(seed))
    return images.permute(0, 2, 3, 1).numpy().astype(int)


# ---- what it computes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("query", "seed", "at"), [("", 1, 0.7), ("?temperature=1.1&seed=12", 12, 1.1)])
def test_the_sixteen_are_those_of_pytorch(visit, folder, query, seed, at):
    page = visit(query)
    assert apart(pictures(page, SIXTEEN), sampled(folder / "tiny.safetensors", seed, at)) <= HALF
    assert number(page, "Effective temperature") == pytest.approx(at, abs=0.02)
    images = torch.from_numpy(pictures(page, SIXTEEN)).permute(0, 3, 1, 2).byte()
    bits = checkpoint.load(folder / "tiny.safetensors").bits_per_dim(images).mean().item()
    assert number(page, "Bits per dimension") == pytest.approx(bits, abs=0.011)
    change = np.abs(pictures(page, SIXTEEN) - sampled(folder / "tiny.safetensors", seed, 0.7)).mean()
    assert number(page, "Change from the start") == pytest.approx(change, abs=0.3)


def test_a_temperature_for_each_level_and_the_strip_of_the_chosen_face(visit, folder):
    page = visit("?levels=0.20_1.10&seed=3&face=5")
    assert apart(pictures(page, SIXTEEN), sampled(folder / "tiny.safetensors", 3, (0.2, 1.1))) <= HALF
    stops = [sampled(folder / "tiny.safetensors", 3, stop)[4] for stop in (0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2)]
    assert apart(pictures(page, STRIP), np.stack(stops)) <= HALF
    assert "the levels at 0.20, 1.10, finest first" in says(page)


def test_charts_tell_their_numbers(visit, folder):
    page = visit("?temperature=0.5")
    label = card(page, "Where the draws lie").get_by_role("img").get_attribute("aria-label")
    assert "these sixteen lie at 0.50" in label and "Encoded drawn faces lie at 1.0" in label
    label = card(page, "Quality against diversity").get_by_role("img").get_attribute("aria-label")
    pca = static.export.precomputed.load(folder / "tiny.safetensors").pca
    images = torch.from_numpy(pictures(page, SIXTEEN)).permute(0, 3, 1, 2).byte()
    assert f"Now: {pca.residual(images):.1f}" in label and "Drawn faces: 6.00 and 40." in label


@pytest.mark.slow
@pytest.mark.parametrize("name", ["faces64", "portraits64"])
def test_models_that_ship_draw_as_pytorch_does(browser, tmp_path, name):
    static.write("temperature", [name], tmp_path)
    running = Site(tmp_path, "temperature.html")
    opened = Visit(browser, f"{running.address}temperature.html?temperature=0.9&seed=5", viewport=WIDE)
    ours, theirs = pictures(opened.page, SIXTEEN), sampled(name, 5, 0.9)
    difference = np.abs(ours - theirs)
    assert difference.max() <= HALF and (difference > 0).mean() < 0.03
    assert "Being measured" not in opened.page.content() and not opened.wrong
    opened.context.close()
    running.stop()


def test_all_sixteen_follow_and_the_latest_move_wins(visit):
    page = visit()
    wanted = pictures(visit("?temperature=1.2"), SIXTEEN)
    moves = """(input) => {
        for (let i = 0; i <= 24; i++) {
            input.value = 0.05 * i;
            input.dispatchEvent(new Event("input", { bubbles: true }));
        }
    }"""
    temperature(page).evaluate(moves)
    rests(page, "?temperature=1.20")
    assert apart(pictures(page, SIXTEEN), wanted) == 0


def test_the_chosen_face_is_drawn_first_and_no_face_waits_for_ever(visit):
    page = visit("?face=9")
    order = page.evaluate(
        """async () => {
            const explorer = document.querySelector("glow-temperature"), order = [];
            const decode = explorer.engine.decode.bind(explorer.engine);
            let moves = 0;
            explorer.engine.decode = async (latents) => {
                const ratio = (one, i) => latents[0][i] / one[0][i];
                order.push(explorer.samples.eps.findIndex((one) => Math.abs(ratio(one, 0) / ratio(one, 1) - 1) < 1e-3));
                if (moves++ < 40) explorer.change({ temperature: 0.01 + 0.005 * moves });
                return decode(latents);
            };
            explorer.change({ temperature: 0.01 });
            while (moves < 40) await new Promise((done) => setTimeout(done, 10));
            return order.slice(0, 40);
        }"""
    )
    assert order[0] == 8 and order.count(8) >= 9
    assert set(range(16)) <= set(order)


# ---- what a visitor does -------------------------------------------------------------------------------------------


def test_the_address_brings_it_back_and_old_names_open(visit):
    page = visit("?t=0.35&seed=12&face=4&levels=0.35_1.10")
    rests(page, "?temperature=0.35&levels=0.35_1.10&seed=12&face=4")
    assert page.get_by_role("button", name="Advanced: level by level").get_attribute("aria-expanded") == "true"
    assert faces(page).nth(3).get_attribute("aria-checked") == "true"
    before, said = pictures(page, SIXTEEN), says(page)
    page.reload()
    rests(page, "?temperature=0.35&levels=0.35_1.10&seed=12&face=4")
    assert apart(pictures(page, SIXTEEN), before) == 0 and says(page) == said
    assert temperature(page).input_value() == "0.35"


def test_what_an_address_asks_in_vain_is_said_and_the_rest_is_used(visit):
    page = visit("?t=0.90&seed=many&face=17&levels=1_1_1&controls=temperature,shell,moon&model=none&size=lecture")
    notice = page.get_by_role("alert")
    for text in ("seed=many", "face=17", "levels=1_1_1", "controls=moon", "model=none"):
        assert text in notice.inner_text()
    assert "t=0.90" not in notice.inner_text() and "gl-bad" not in notice.get_attribute("class")
    assert shown(page) == {says(page), "Temperature", "Where the draws lie", "Close this message"}
    page.get_by_role("button", name="Close this message").press("Enter")
    notice.wait_for(state="hidden")
    temperature(page).press("Home")
    rests(page)
    assert page.evaluate("location.search").startswith("?controls=temperature,shell&size=lecture&temperature=0.00")
    assert np.ptp(pictures(page, SIXTEEN), axis=0).max() == 0
    assert says(page).startswith("Sixteen times the same face")


def test_reset_keeps_the_people_and_surprise_me_the_temperature(visit):
    page = visit("?temperature=0.40&face=2")
    first = pictures(page, SIXTEEN)
    click(page, "Surprise me")
    rests(page)
    assert temperature(page).input_value() == "0.4" and apart(pictures(page, SIXTEEN), first) > 5
    seed = page.evaluate("new URLSearchParams(location.search).get('seed')")
    page.get_by_role("button", name="Reset").press("Space")
    rests(page, f"?seed={seed}&face=2")
    assert temperature(page).input_value() == "0.7" and number(page, "Change from the start") == 0


def test_the_slider_by_mouse_and_by_keyboard(visit):
    page = visit()
    grasp(page, temperature(page))
    drag(page, temperature(page), 1.1)
    page.mouse.up()
    rests(page, "?temperature=1.10")
    temperature(page).press("ArrowRight")
    rests(page, "?temperature=1.15")
    assert temperature(page).get_attribute("aria-valuetext") == "1.15, toward wild"
    temperature(page).press("End")
    rests(page, "?temperature=1.30")
    temperature(page).dblclick()
    rests(page, "")
    hints = set()
    for hint in ("choose", "surprise", "strip", "levels"):
        hints.add(page.locator(".gl-hint").inner_text())
        page.evaluate("(hint) => document.querySelector('glow-temperature').use(hint, {})", hint)
        rests(page)
    assert len(hints) == 4 and page.locator(".gl-hint").is_hidden()


def test_a_face_and_a_stop_are_chosen_by_mouse_and_by_keyboard(visit):
    page = visit()
    faces(page).nth(5).click()
    rests(page, "?face=6")
    faces(page).nth(5).press("ArrowRight")
    rests(page, "?face=7")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "face 7"
    seventh = pictures(page, STRIP)
    assert card(page, "One face at seven temperatures").get_by_label("Face 7 at seven temperatures").count() == 1
    faces(page, STRIP).nth(4).click()
    rests(page, "?temperature=0.80&face=7")
    assert apart(pictures(page, SIXTEEN)[6], seventh[4]) == 0
    assert faces(page, STRIP).nth(4).get_attribute("aria-checked") == "true"
    faces(page, STRIP).nth(4).press("End")
    rests(page, "?temperature=1.20&face=7")
    faces(page).nth(6).press("Home")
    rests(page, "?temperature=1.20")


def test_the_levels_behind_the_fold(visit):
    page = visit()
    fold = page.get_by_role("button", name="Advanced: level by level")
    fold.press("Enter")
    names = page.locator(".gl-levels .gl-slider label").all_text_contents()
    assert names == ["Level 1, eps 6 × 8 × 8", "Level 2, eps 24 × 4 × 4"]
    slider(page, names[0]).press("Home")
    rests(page, "?levels=0.00_0.70")
    slider(page, names[0]).dblclick()
    rests(page, "")
    slider(page, names[0]).press("Home")
    slider(page, names[1]).press("Home")  # where all have come to one, so has the large slider
    rests(page, "?temperature=0.00")
    temperature(page).press("ArrowRight")
    rests(page, "?temperature=0.05")
    assert {slider(page, name).input_value() for name in names} == {"0.05"}
    fold.press("Space")
    assert slider(page, names[0]).is_hidden()


def test_a_model_of_real_faces_has_words_and_ranges_of_its_own(visit):
    page = visit("?model=real&t=1.2")
    assert "t=1.2" in page.locator(".gl-notice").inner_text()
    temperature(page).press("End")
    rests(page, "?model=real&temperature=1.00")
    assert "no real face is made of" in page.locator("main").inner_text()
    assert "drawn" not in page.locator("main").inner_text().replace("when each was drawn", "")
    stops = [tile.get_attribute("aria-label") for tile in faces(page, STRIP).all()]
    assert stops == [f"T = {stop}" for stop in ("0.0", "0.2", "0.4", "0.6", "0.7", "0.8", "1.0")]
    assert f"{HELD_OUT['bits_per_dim']:.2f}" in page.locator(".gl-numbers").inner_text()


def test_a_gray_model_of_which_nothing_was_measured(browser, tmp_path):
    gray = perturb(Glow(GlowConfig((1, 8, 8), levels=2, depth=1, width=4)), torch.rand(32, 1, 8, 8) - 0.5, 0.02)
    checkpoint.save(tmp_path / "gray", gray, {})
    static.write("temperature", [tmp_path / "gray.safetensors"], tmp_path)
    running = Site(tmp_path, "temperature.html")
    opened = Visit(browser, f"{running.address}temperature.html", viewport=WIDE)
    text = opened.page.locator("main").inner_text()
    assert "drawn" not in text and "real" not in text and "no picture is made of" in text
    assert opened.page.get_by_role("img", name="Not measured for this model").count() == 1
    assert apart(pictures(opened.page, SIXTEEN)[..., 0], sampled(tmp_path / "gray.safetensors", 1, 0.7)[..., 0]) <= HALF
    assert not opened.wrong
    opened.context.close()
    running.stop()


# ---- everywhere, and for everyone ----------------------------------------------------------------------------------


def test_touch_on_a_phone(visit):
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    box = temperature(page).bounding_box()
    page.touchscreen.tap(box["x"] + 2, box["y"] + box["height"] / 2)
    rests(page, "?temperature=0.00")
    faces(page).nth(2).tap()
    rests(page, "?temperature=0.00&face=3")
    page.get_by_role("button", name="Advanced: level by level").tap()
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_the_state_is_said_after_a_move_and_not_at_every_step(visit):
    page = visit()
    assert page.evaluate(HEAR) == 2
    for _ in range(10):
        temperature(page).press("ArrowRight")
    rests(page, "?temperature=1.20")
    heard = [text for text in page.evaluate("heard") if text]
    assert heard[-1] == says(page) and len(heard) < 10


def test_the_poster_stands_until_the_model_is_there_and_stays_where_there_is_none(browser, site, folder):
    html = (folder / "temperature.html").read_text(encoding="utf-8").replace("models/tiny.bin", "models/none.bin")
    (folder / "none.html").write_text(html, encoding="utf-8")
    page = browser.new_page()
    page.goto(f"{site.address}none.html")
    page.get_by_role("alert").filter(has_text="The model models/none.bin cannot be fetched.").wait_for()
    assert page.get_by_role("img", name="Faces that the model draws").is_visible()
    assert page.get_by_role("heading", level=1).inner_text() == "Temperature"
    assert page.get_by_role("progressbar").count() == 0
    page.close()


def test_browsers_without_light_dark_show_the_slider(visit, folder):
    html = (folder / "temperature.html").read_text(encoding="utf-8").replace("light-dark(", "not-known(")
    (folder / "old.html").write_text(html, encoding="utf-8")
    page = visit(name="old.html", color_scheme="dark")
    colours = page.evaluate(
        """() => ["--gl-line", "--gl-z", "--gl-card"].map((name) => {
            document.body.style.color = `var(${name})`;
            return getComputedStyle(document.querySelector(".gl-slider input")).getPropertyValue(name);
        })"""
    )
    assert colours == ["#dedbd4", "#d55e00", "#ffffff"]
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"


# ---- in a notebook -------------------------------------------------------------------------------------------------

# A widget's model, as anywidget hands it to render(), with its messages kept in `sent`.
STUB = """
    import widget from "./widget.js";
    const listeners = {}, state = STATE;
    Object.assign(globalThis, { sent: [], asked: 0 });
    globalThis.model = {
        get: (name) => state[name],
        set: (name, value) => { state[name] = value; (listeners[`change:${name}`] ?? []).forEach((each) => each()); },
        save_changes: () => sent.push({ ...state }),
        on: (name, listener) => (listeners[name] ??= []).push(listener),
        off: (name, listener) => { listeners[name] = listeners[name].filter((each) => each !== listener); },
        send: async (question) => {
            asked++;
            const content = await (await fetch("models/tiny.bin")).arrayBuffer();
            listeners["msg:custom"].forEach((each) => each(question, [new DataView(content)]));
        },
    };
    globalThis.end = widget.render({ model, el: document.body });
"""


def write_notebook(folder, made: TemperatureExplorer) -> str:
    """Write a page that shows this widget, and give its name."""
    state = {name: getattr(made, name) for name in ("element", "settings", "weights", "models", *made.settings)}
    stub = STUB.replace("STATE", json.dumps(state))
    page = f"<!doctype html><link rel=icon href='data:,'><body><script type=module>{stub}</script>"
    (folder / "widget.js").write_text(bundle.widget(), encoding="utf-8")
    (folder / "widget.html").write_text(page, encoding="utf-8")
    return "widget.html"


def test_a_widget_and_its_page_follow_each_other(visit, folder):
    made = TemperatureExplorer(folder / "tiny.safetensors", temperature=0.4, seed=3)
    page = visit(name=write_notebook(folder, made))
    assert apart(pictures(page, SIXTEEN), made.pictures.permute(0, 2, 3, 1).numpy().astype(int)) <= HALF
    temperature(page).press("End")
    rests(page)
    assert page.evaluate("sent.at(-1).temperature") == 1.3
    page.evaluate("model.set('levels', [0.2, 0.9])")
    page.evaluate("model.set('face', 8)")
    rests(page)
    made.levels, made.face = [0.2, 0.9], 8
    shown = pictures(page, SIXTEEN)
    assert apart(shown, made.pictures.permute(0, 2, 3, 1).numpy().astype(int)) <= HALF
    assert apart(shown[7], made.picture.permute(1, 2, 0).numpy().astype(int)) <= HALF
    page.evaluate("end(), model.set('face', 2)")
    assert faces(page).nth(7).get_attribute("aria-checked") == "true"
    assert page.evaluate("location.search") == ""  # the address is the notebook's


def test_two_widgets_of_a_model_ask_for_its_weights_once(visit, folder):
    page = visit(name=write_notebook(folder, TemperatureExplorer(folder / "tiny.safetensors")))
    again = """async () => {
        const { default: widget } = await import("./widget.js?again");
        widget.render({ model, el: document.body });
    }"""
    page.evaluate(again)
    page.wait_for_function("document.querySelectorAll('[data-state=resting]').length === 2")
    assert page.evaluate("asked") == 1


def test_the_kernel_sends_what_the_site_gives(folder):
    made, sent = TemperatureExplorer(folder / "tiny.safetensors"), []
    made.send = lambda message, buffers: sent.append((message, buffers))
    made._answer(made, {"kind": "weights", "id": 0.5}, [])
    assert sent == [({"id": 0.5}, [to_bin(folder / "tiny.safetensors")])]
