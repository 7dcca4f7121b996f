"""The explorers in a page whose pictures PyTorch computes in the kernel, over a widget's comm."""

import base64
import json

import nbformat
import numpy as np
import pytest
import torch

from benchmarks import exactness
from benchmarks.web import flat_and_chessboard
from glowlab.web import bundle
from glowlab.web.widgets import AttributesExplorer, InterpolationExplorer, StudioExplorer, TemperatureExplorer
from glowlite.data import faces
from glowlite.errors import GlowliteError

from .conftest import Watched
from .lab import Lab, run_all
from .visitor import WIDE, apart, number, pictures, slider
from .web_site import Site, flat, make_model, png, read, rests

AFTER, MIDDLE = ".gl-pair > :nth-child(2)", ".gl-trio > :nth-child(2)"
GONE = "The notebook's kernel is gone: run this cell again."
# A widget's model, as anywidget hands it to render(); the kernel is behind `askKernel`.
STUB = """
    import widget from "./widget.js";
    const listeners = {}, state = STATE;
    const toText = (buffer) => btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""));
    const toView = (text) => new DataView(Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0)).buffer);
    Object.assign(globalThis, { asked: [], flying: 0, most: 0, silent: false });
    globalThis.model = {
        get: (name) => state[name],
        set: (name, value) => { state[name] = value; (listeners[`change:${name}`] ?? []).forEach((each) => each()); },
        save_changes: () => {},
        on: (name, listener) => (listeners[name] ??= []).push(listener),
        off: (name, listener) => { listeners[name] = listeners[name].filter((each) => each !== listener); },
        tell: (name, ...about) => listeners[name].slice().forEach((each) => each(...about)),
        send: async (question, callbacks, buffers) => {
            asked.push(question.kind);
            most = Math.max(most, ++flying);
            const [answer, content] = await askKernel(question, buffers.map(toText));
            while (silent) await new Promise((done) => setTimeout(done, 100));
            flying--;
            model.tell("msg:custom", { id: -1 }, []); // an answer to another page of the notebook
            model.tell("msg:custom", answer, content.map(toView));
        },
    };
    globalThis.end = widget.render({ model, el: document.body });
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A model that no page computes, and a page to be filled."""
    folder = tmp_path_factory.mktemp("site")
    make_model(folder / "odd.safetensors", edge=True, scale="sigmoid")
    (folder / "widget.js").write_text(bundle.widget(), encoding="utf-8")
    running = Site(folder, "widget.html")
    yield running
    running.stop()


@pytest.fixture
def odd(site):
    return site.folder / "odd.safetensors"


@pytest.fixture
def show(browser, site):
    """A function: a page that shows a widget, whose kernel is this process; what went wrong unseen fails the test."""
    opened = []

    def make(made, clock: bool = False):
        state = {
            name: getattr(made, name) for name in ("element", "settings", "weights", "models", "engine", *made.settings)
        }
        stub = STUB.replace("STATE", json.dumps(state))
        text = f"<!doctype html><link rel=icon href='data:,'><body><script type=module>{stub}</script>"
        (site.folder / site.page).write_text(text, encoding="utf-8")

        def ask(question: dict, buffers: list[str]):
            sent = []
            made.send = lambda message, content: sent.append((message, content))
            made._answer(made, question, [memoryview(base64.b64decode(each)) for each in buffers])
            ((message, content),) = sent
            return message, [base64.b64encode(each).decode() for each in content]

        watched = Watched(browser, site.address, viewport=WIDE)
        opened.append(watched)
        if clock:
            watched.page.clock.install()
        watched.page.expose_function("askKernel", ask)
        watched.page.goto(f"{site.address}{site.page}")
        rests(watched.page)
        return watched.page

    yield make
    for watched in opened:
        watched.context.close()
    assert not [wrong for watched in opened for wrong in watched.wrong]


def drawn(made) -> np.ndarray:
    """What an explorer's main pictures must be, by PyTorch."""
    return flat(made.pictures if isinstance(made, TemperatureExplorer) else made.picture[None])


@pytest.mark.parametrize(
    ("explorer", "where", "settings", "moved"),
    [
        (TemperatureExplorer, ".gl-grid", {"temperature": 0.5, "seed": 3}, {"temperature": 1.3}),
        (StudioExplorer, AFTER, {"face": "gallery-3", "smile": 0.5}, {"smile": -0.5, "blend": 0.3}),
        (AttributesExplorer, MIDDLE, {"face": "gallery-2", "smile": 0.5}, {"hair_colour": 0.5}),
        (InterpolationExplorer, MIDDLE, {"t": 0.3}, {"t": 0.6, "way": "linear"}),
    ],
)
def test_every_explorer_is_drawn_by_pytorch(show, odd, explorer, where, settings, moved):
    made = explorer(odd, **settings)
    assert made.engine == "kernel"
    page = show(made)
    assert apart(pictures(page, where), drawn(made)) <= 1
    bits = made.model.bits_per_dim(torch.from_numpy(pictures(page, where)).permute(0, 3, 1, 2).byte()).mean().item()
    assert number(page, "Bits per dimension") == pytest.approx(bits, abs=0.011)
    for name, value in moved.items():
        setattr(made, name, value)
        page.evaluate("([name, value]) => model.set(name, value)", [name, value])
    rests(page)
    assert apart(pictures(page, where), drawn(made)) <= 1
    assert page.evaluate("[most, asked.filter((kind) => kind === 'weights').length]") == [1, 1]


def test_a_drag_and_traits_follow_each_other_one_question_at_a_time(show, odd):
    made = TemperatureExplorer(odd)
    page = show(made)
    moves = """(input) => {
        for (let i = 0; i <= 24; i++) {
            input.value = 0.05 * i;
            input.dispatchEvent(new Event("input", { bubbles: true }));
        }
    }"""
    before = page.evaluate("asked.length")
    slider(page, "Temperature").evaluate(moves)
    rests(page)
    made.temperature = page.evaluate("model.get('temperature')")
    assert made.temperature == 1.2
    assert apart(pictures(page, ".gl-grid"), drawn(made)) <= 1
    assert page.evaluate("most") == 1
    assert page.evaluate("asked.length") - before < 24 * 16 / 4


@pytest.mark.parametrize("name", ["odd", pytest.param("faces64", marks=pytest.mark.slow)])
def test_every_pixel_comes_back(show, odd, name):
    made = StudioExplorer(odd if name == "odd" else name, engine="kernel")
    page, model, size = show(made), made.model, made.model.config.shape[-1]
    generator = torch.Generator().manual_seed(0)
    hard = [make(1, size, generator) for make in exactness.KINDS.values()]
    images = torch.cat(
        [faces.draw(2, size, seed=exactness.SEED).images, flat_and_chessboard()[..., :size, :size], *hard]
    )
    there_and_back = """async (image) => {
        const { engine } = document.querySelector("glow-studio");
        const latents = await engine.encode(Uint8Array.from(image));
        const back = await engine.decode(latents);
        const views = latents.map((eps) => {
            const more = new eps.constructor(eps.length + 2);
            more.set(eps, 1);
            return more.subarray(1, -1);
        });
        const { pixels } = await engine.draw(views);
        const same = back.every((value, i) => value === pixels[i]);
        return [latents[0].constructor.name, Array.from(back), same, await engine.bitsPerDim(pixels), latents[0][7]];
    }"""
    kinds = []
    for image in images:
        pixels = image.permute(1, 2, 0).flatten().tolist()
        kind, back, same, bits, some = page.evaluate(there_and_back, pixels)
        assert back == pixels and same
        assert bits == pytest.approx(model.bits_per_dim(image[None]).item(), abs=1e-6)
        latents = model.encode(image[None])[0]
        assert some == pytest.approx(latents.flatten()[7].item(), rel=1e-9)
        assert kind == {4: "Float32Array", 8: "Float64Array"}[latents.itemsize]
        kinds.append(kind)
    assert kinds[:2] == ["Float32Array"] * 2
    assert name == "odd" or "Float64Array" in kinds


def test_a_failure_is_said_and_the_page_lives_on(show, odd):
    made = StudioExplorer(odd)
    page, decode = show(made), made.model.inverse

    def fail(latents):
        raise GlowliteError("The model is busy elsewhere.")

    made.model.inverse = fail
    slider(page, "Smile").press("End")
    page.wait_for_selector(".gl-notice:has-text('The model is busy elsewhere.')")
    made.model.inverse = decode
    slider(page, "Smile").press("Home")
    rests(page)
    made.smile = -1.0
    assert apart(pictures(page, AFTER), drawn(made)) <= 1
    assert not page.locator(".gl-notice").is_visible()


def test_settings_too_far_out_are_said(show, odd):
    page = show(StudioExplorer(odd))
    page.evaluate("document.querySelector('glow-studio').engine.directions.smile.forEach((eps) => eps.fill(3e38))")
    slider(page, "Smile").press("End")
    page.wait_for_selector(".gl-notice:has-text('out of what the model can draw')")


def test_a_kernel_that_is_gone_is_said(show, odd):
    page = show(StudioExplorer(odd))
    page.evaluate("silent = true")
    slider(page, "Smile").press("End")
    page.wait_for_function("flying === 1")
    page.evaluate("model.tell('comm_live_update')")  # as Jupyter's widgets do, which then cannot send
    page.wait_for_selector(f'.gl-notice:has-text("{GONE}")')
    page.locator(".gl-notice button").click()
    page.evaluate("void (model.send = () => { throw new Error('Kernel is dead'); })")
    slider(page, "Smile").press("Home")
    page.wait_for_selector(f'.gl-notice:has-text("{GONE}")')
    assert page.evaluate("model.get('smile')") == -1


def test_a_kernel_that_is_busy_is_said_and_waited_for(show, odd):
    made = StudioExplorer(odd)
    page = show(made, clock=True)
    page.evaluate("silent = true")
    slider(page, "Smile").press("End")
    page.wait_for_function("flying === 1")
    page.clock.run_for(15_000)
    assert not page.locator(".gl-notice").is_visible()
    page.clock.run_for(10_000)
    page.wait_for_selector(".gl-notice:has-text('does not answer yet')")
    page.evaluate("silent = false")
    rests(page)
    made.smile = 1.0
    assert apart(pictures(page, AFTER), drawn(made)) <= 1
    assert not page.locator(".gl-notice").is_visible()


def test_where_a_picture_of_ones_own_goes_is_said(show, odd):
    page, content = show(StudioExplorer(odd)), png()
    page.locator("input[type=file]").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": content})
    page.wait_for_selector(".gl-notice:has-text('every pixel is the same')")
    assert "It goes to this notebook's kernel alone." in page.locator(".gl-notice").inner_text()
    rests(page)
    assert apart(pictures(page, AFTER)[0], read(content)) == 0


def test_the_labels_are_sent_when_they_are_asked_for(show, odd):
    made = AttributesExplorer(odd, face="gallery-2", smile=0.5)
    page = show(made)
    assert page.evaluate("asked.includes('labels')") is False
    page.get_by_role("radio", name="100", exact=True).check(force=True)
    page.wait_for_function("asked.includes('labels')")
    rests(page)
    made.labels = "100"
    assert apart(pictures(page, MIDDLE), drawn(made)) <= 2


# ---- in JupyterLab -------------------------------------------------------------------------------------------------

CELLS = (
    """from glowlab.web.widgets import StudioExplorer
explorer = StudioExplorer("faces64", engine="kernel", smile=0.2)
explorer""",
    """import time
print(explorer.smile, explorer.picture.sum().item())
time.sleep(600 * (explorer.smile == -1))""",
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory, chromium):
    running = Lab(tmp_path_factory.mktemp("lab"))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, running.folder / "kernel.ipynb")
    yield running
    running.stop()


@pytest.mark.slow
def test_in_jupyterlab(lab, browser):
    watched = Watched(browser, lab.address, viewport=WIDE)
    page = watched.page
    lab.open(page, "kernel.ipynb")
    run_all(page)
    rests(page)
    slider(page, "Smile").press("End")
    rests(page)
    shown = int(pictures(page, AFTER).sum())
    run_second = """() => {
        window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1;
        void window.jupyterapp.commands.execute("notebook:run-cell");
    }"""
    told = "[...document.querySelectorAll('.jp-OutputArea pre')].find((e) => e.textContent.startsWith(NUMBER))"
    page.evaluate(run_second)
    page.wait_for_function(told.replace("NUMBER", "'1.0 '"))
    assert abs(int(page.locator(".jp-OutputArea pre").last.inner_text().split()[1]) - shown) < 200
    page.evaluate("explorer => explorer.change({ smile: -1 })", page.query_selector("glow-studio"))
    rests(page)
    page.evaluate(run_second)
    page.wait_for_function(told.replace("NUMBER", "'-1.0 '"))  # the kernel is busy now
    slider(page, "Smile").press("ArrowRight")
    page.wait_for_selector("[data-state=moving]")
    assert watched.wrong == []
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    page.wait_for_selector(f'.gl-notice:has-text("{GONE}")')
    assert [wrong for wrong in watched.wrong if "Connection lost" not in wrong] == []
    watched.context.close()
