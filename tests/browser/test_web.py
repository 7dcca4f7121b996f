"""The flow in a page answers as PyTorch does, gives every pixel back, and does without what a page's policy forbids."""

import importlib.util

import pytest
import torch

from benchmarks.web_page import WebPage, from_text
from glowlab.web import compile, export
from glowlite import checkpoint
from glowlite import latents as latent_space
from glowlite.glow import Glow, GlowConfig

TINY = {
    "gray": GlowConfig((1, 28, 28), levels=2, depth=2, width=10, n_bits=3),
    "additive": GlowConfig((3, 8, 16), levels=3, depth=(1, 2, 1), width=(8, 6, 5), coupling="additive", n_bits=8),
    "shuffled": GlowConfig((3, 4, 4), levels=1, depth=2, width=8, permutation="shuffle", clamp=1.0, n_bits=5),
    "plainly": GlowConfig((1, 4, 4), levels=1, depth=1, width=4, coupling="additive", permutation="plain"),
}
FAR = GlowConfig((3, 8, 8), levels=2, depth=8, width=8)  # many steps and no clamp: pictures lie far out


def perturbed(config: GlowConfig) -> Glow:
    """A model whose every parameter moves something."""
    model = Glow(config)
    images = torch.rand(64, *config.shape, generator=torch.Generator().manual_seed(1)) - 0.5
    model.initialize(images)
    noise = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=noise)
    return model.eval()


@pytest.fixture(scope="module")
def tiny() -> dict[str, Glow]:
    """Small models of other configurations."""
    return {name: perturbed(config) for name, config in (TINY | {"far": FAR}).items()}


@pytest.fixture(scope="module")
def web(browser, tiny, tmp_path_factory):
    """A page with these models, their weights of float32 throughout, as PyTorch has them."""
    folder, files = tmp_path_factory.mktemp("tiny"), {}
    for name, model in tiny.items():
        files[f"{name}.bin"] = export.to_bin(checkpoint.save(folder / name, model, {}), torch.float32)
    page = WebPage(browser, files)
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def flows(web):
    """A function: the flow of a name in the page, by wasm or by plain JavaScript."""
    return web.open


def noise(count: int, shape=(3, 64, 64)) -> torch.Tensor:
    return torch.randint(0, 256, (count, *shape), generator=torch.Generator().manual_seed(3)).to(torch.uint8)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("name", TINY)
def test_other_configurations_answer_as_pytorch_does(flows, tiny, name, plain):
    model, flow = tiny[name].double(), flows(name, plain)
    images = noise(2, model.config.shape)
    with torch.no_grad():
        for ours, theirs in zip(flow.encode(images), model.encode(images), strict=True):
            assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-4)
        latents = latent_space.sample_eps(model.latent_shapes, 2, torch.Generator().manual_seed(5))
        assert torch.allclose(flow.inverse(latents), model.inverse([eps.double() for eps in latents]), atol=1e-4)
    assert flow.there_and_back(images)[0].tolist() == [0, 0]
    assert torch.allclose(flow.bits_per_dim(images), model.bits_per_dim(images), rtol=1e-5)
    for temperature in (0.7, [0.2, 0.9, 0.5][: model.config.levels]):
        sampled = model.sample(3, temperature, torch.Generator().manual_seed(1))
        assert (flow.sample(1, 3, temperature).int() - sampled.int()).abs().max() <= 1


def test_a_picture_that_floats_would_lose_is_encoded_in_double(flows):
    for name, needed in (("far", True), ("gray", False)):  # far out both
        wrong, double = flows(name).there_and_back(noise(4, flows(name).shape).ge(128).byte() * 255)
        assert double.tolist() == [needed] * 4, name
        assert wrong.tolist() == [0] * 4


@pytest.mark.parametrize("plain", [False, True])
def test_latents_that_are_no_numbers_are_black(flows, plain):
    flow = flows("shuffled", plain)
    x = flow.inverse([torch.full((1, *shape), torch.nan) for shape in flow.latent_shapes])
    assert x.isnan().all()
    body = "return [...flows[key].decode(flows[key].latentShapes.map(() => new Float32Array(48).fill(NaN)))]"
    assert flow.page.run(body, key=flow.key) == [0] * 48


# ---- the kernels -------------------------------------------------------------------------------------------------

KERNELS = """
    const wasm = await glow.compile(read(bytes, Uint8Array), 1e6), random = new glow.Generator(1);
    const both = (count, scale = 1) => {  // the same numbers for plain JavaScript, and in wasm's memory
        const values = glow.randn(count, random).map((value) => value * scale), place = wasm.alloc(count);
        place.set(values);
        return [Float64Array.from(values), place];
    };
    const apart = (a, b) => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);"""


@pytest.fixture(scope="module")
def kernels() -> bytes:
    """kernels.c as it is now, where the compiler is installed; else what was compiled."""
    if importlib.util.find_spec("ziglang"):
        return compile.compile_kernels()
    return (compile.HERE / "kernels.wasm").read_bytes()


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (4, 4), (5, 7), (8, 16)])
def test_convolutions_of_wasm_are_those_of_plain_javascript(web, kernels, size):
    body = """
        return [[1, 3, 4], [3, 5, 12], [3, 8, 16], [1, 13, 20]].map(([k, cIn, cOut], number) => {
            const [height, width] = size, relu = number % 2 === 1, shape = [k, k, cIn, cOut];
            const counts = [height * width * cIn, k * k * cIn * cOut, cOut];
            const [x, weights, bias] = counts.map((count) => both(count, 0.3));
            const y = both(height * width * cOut);
            [glow.plain, wasm].forEach((kernels, i) => {
                const convolution = { weights: weights[i], bias: bias[i], shape };
                kernels.convolve(x[i], convolution, y[i], height, width, relu);
            });
            return [apart(...y), Math.min(...y[0]) < 0 && !relu, Math.min(...y[1]) >= 0 && relu];
        });"""
    for error, negative, positive in web.run(KERNELS + body, bytes=kernels, size=size):
        assert error < 1e-5 and negative + positive <= 1


@pytest.mark.parametrize("affine", [False, True])
def test_couplings_of_wasm_are_those_of_plain_javascript(web, kernels, affine):
    """Far answers of the network, too: h of 200 is no more than a full tanh."""
    body = """
        return [0.5, 200].flatMap((scale) => [[1, 2, 4], [7, 6, 12], [16, 3, 8]].map(([pixels, half, cH]) => {
            const x = both(2 * pixels * half), h = both(pixels * cH), before = [...x[0]];
            for (let n = 0; n < pixels; n++) {  // what log s is made from
                for (let c = half; c < cH; c++) h.forEach((each) => (each[n * cH + c] *= scale));
            }
            const again = h[1].slice();
            const couple = (each, i, forward) => each.couple(x[i], h[i], pixels, half, cH, affine, forward);
            const logDets = [glow.plain, wasm].map((each, i) => couple(each, i, true));
            const forward = apart(...x), moved = apart(before, x[0]);
            h[1].set(again);
            [glow.plain, wasm].forEach((each, i) => couple(each, i, false));
            return [forward, moved, apart(before, x[0]), apart(before, x[1]), logDets[0] - logDets[1]];
        }));"""
    for forward, moved, *back in web.run(KERNELS + body, bytes=kernels, affine=affine):
        assert moved > 0.1
        assert max(forward, *map(abs, back)) < 1e-5


@pytest.mark.parametrize("counts", [[1, 3, 17, 15], [16, 2, 40, 33]])
def test_random_numbers_are_pytorchs(web, counts):
    """Fewer than 16, a multiple of 16, and neither; one after another, as they share a generator's state."""
    body = """
        const generator = new glow.Generator(seed);
        return counts.map((count) => [write(glow.rand(count, generator)), write(glow.randn(count, generator))]);"""
    for seed in (0, 1, 2**31 - 1):
        generator = torch.Generator().manual_seed(seed)
        for count, (uniform, normal) in zip(counts, web.run(body, seed=seed, counts=counts), strict=True):
            assert torch.equal(from_text(uniform, "float32"), torch.rand(count, generator=generator))
            assert (from_text(normal, "float32") - torch.randn(count, generator=generator)).abs().max() < 3e-6


def test_the_arithmetic_of_latents_is_pytorchs(web):
    shapes = [(6, 8, 8), (24, 4, 4)]
    a, b = (latent_space.sample_eps(shapes, 1, torch.Generator().manual_seed(seed)) for seed in (1, 2))
    flat = {name: latent_space.flatten(each) for name, each in (("a", a), ("b", b), ("c", [-eps for eps in a]))}
    body = """
        const [x, y, opposite] = [a, b, c].map((text) => split(read(text, Float32Array), shapes));
        const all = [glow.scale(x, 0.7), glow.scale(x, [0.5, 2]), glow.lerp(x, y, 0.3), glow.slerp(x, y, 0.3),
            glow.slerp(x, x, 0.3), glow.slerp(x, opposite, 0.3), glow.add(x, y, -1.5)];
        return [all.map(join), glow.effectiveTemperature(x)];"""
    ours, temperature = web.run(body, **flat, shapes=shapes)
    theirs = [latent_space.scale(a, 0.7), latent_space.scale(a, [0.5, 2]), latent_space.lerp(a, b, 0.3)]
    theirs += [latent_space.slerp(a, other, 0.3) for other in (b, a, [-eps for eps in a])]
    theirs += [latent_space.add(a, b, -1.5)]
    for one, other in zip(ours, theirs, strict=True):
        assert (from_text(one, "float64") - latent_space.flatten(other)[0]).abs().max() < 1e-6
    assert temperature == pytest.approx(latent_space.effective_temperature(a).item(), abs=1e-6)


# ---- the engine --------------------------------------------------------------------------------------------------

START = """
    const heard = [];
    const engine = await glow.openModel("./gray.bin", { progress: (done, of) => heard.push([done, of]) });
    const pixels = new Uint8Array(784).map((_, i) => i % 251);"""


def test_the_engine_computes_in_a_worker(web):
    body = """
        const back = await engine.decode(await engine.encode(pixels));
        const bits = await engine.bitsPerDim(pixels), flow = await model("gray");
        const faces = await engine.sample(1, 2, 0.7);
        engine.stop();
        return { kernels: engine.kernels, notes: engine.notes, same: String(back) === String(pixels),
            bits: bits - flow.bitsPerDim(pixels), faces: String(faces) === String(flow.sample(1, 2, 0.7)),
            last: heard.at(-1), name: engine.head.name };"""
    found = web.run(START + body)
    size = len(web.files["gray.bin"])
    same = {"kernels": "WebAssembly", "notes": [], "same": True, "bits": 0, "faces": True, "name": "gray"}
    assert found == same | {"last": [size, size]}


def test_the_latest_question_wins_and_the_others_are_answered(web):
    body = """
        const ask = (value, key) => engine.encode(pixels.map(() => value), key).then((found) => found && found[0][0]);
        const all = await Promise.all([ask(0, "a"), ask(1, "a"), ask(2, "a"), ask(3), ask(4, "a"), ask(5, "b")]);
        engine.stop();
        return all.map((value) => value !== null);"""
    assert web.run(START + body) == [True, False, False, True, True, True]


def test_an_error_in_the_worker_reaches_the_page(web):
    body = """
        const failed = await engine.decode([]).catch((error) => error.message);
        const after = await engine.encode(pixels);
        return [failed, after.length];"""
    failed, after = web.run(START + body)
    assert failed and after == 2


@pytest.mark.parametrize(
    ("policy", "kernels", "notes"),
    [
        ("script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; worker-src 'none'", "WebAssembly", ["workers"]),
        ("script-src 'self' 'unsafe-inline'; worker-src blob:", "plain JavaScript", ["WebAssembly"]),
        ("script-src 'self' 'unsafe-inline'", "plain JavaScript", ["workers", "WebAssembly"]),
    ],
)
def test_what_a_policy_forbids_is_done_without_and_said(browser, web, policy, kernels, notes):
    files = {"gray.bin": web.files["gray.bin"]}
    strict = WebPage(browser, files, {"Content-Security-Policy": policy})
    body = """
        const back = await engine.decode(await engine.encode(pixels));
        return [engine.kernels, engine.notes, String(back) === String(pixels)];"""
    found, said, same = strict.run(START + body)
    assert found == kernels and same
    assert [f"forbids {what}" in note for what, note in zip(notes, said, strict=True)] == [True] * len(notes)
    strict.context.close()


def test_a_page_from_a_disk_reads_the_script(browser, web, tmp_path):
    (tmp_path / "gray.bin.js").write_text(export.to_script(web.files["gray.bin"]))
    module = web.files["glow.js"].decode()
    page = f'<!doctype html><script type="module">{module}\nObject.assign(globalThis, {{ openModel }});</script>'
    (tmp_path / "index.html").write_text(page)
    opened = browser.new_page()
    opened.goto((tmp_path / "index.html").as_uri())
    body = """async () => {
        const engine = await openModel("gray.bin");
        const pixels = new Uint8Array(784).map((_, i) => i % 251);
        const back = await engine.decode(await engine.encode(pixels));
        return [engine.kernels, engine.notes, String(back) === String(pixels)];
    }"""
    assert opened.evaluate(body) == ["WebAssembly", [], True]
    with pytest.raises(Exception, match="Is it beside the page"):
        opened.evaluate("() => openModel('none.bin')")
    opened.close()


@pytest.mark.parametrize("harm", ["cut", "head", "empty"])
def test_a_damaged_file_is_said_in_a_sentence(web, harm):
    whole = web.files["gray.bin"]
    web.files["harmed.bin"] = {"cut": whole[:-4], "head": b"\xff" * 500, "empty": b""}[harm]
    said = web.run("return glow.openModel('./harmed.bin').catch((error) => error.message)")
    assert said == "The model's file is damaged. Reload the page to fetch it again."


def test_a_missing_file_is_said_in_a_sentence(web):
    said = web.run("return glow.openModel('./none.bin').catch((error) => error.message)")
    assert said == "The model ./none.bin cannot be fetched. Reload the page to try again."


# ---- canvases ----------------------------------------------------------------------------------------------------


def test_pictures_go_to_a_canvas_and_back(web):
    body = """
        const colour = Uint8Array.from({ length: 12 }, (_, i) => 20 * i), gray = Uint8Array.from([0, 9, 128, 255]);
        const both = [[colour, [3, 2, 2]], [gray, [1, 2, 2]]];
        return both.map(([pixels, shape]) => String(glow.fromImageData(glow.toImageData(pixels, shape), shape[0])));"""
    assert web.run(body) == [",".join(str(20 * i) for i in range(12)), "0,9,128,255"]
