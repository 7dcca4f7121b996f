"""The flow in a page answers as PyTorch does, gives every pixel back, and does without what a page's policy forbids."""

import json

import pytest
import torch

from benchmarks import exactness
from benchmarks.web_page import WebPage, from_text
from glowlab.web import export
from glowlite import checkpoint
from glowlite import latents as latent_space
from glowlite.data import faces, pictures
from glowlite.folders import ASSETS
from glowlite.glow import Glow, GlowConfig

MODELS = ("faces64", "portraits64")
TINY = {
    "gray": GlowConfig((1, 28, 28), levels=2, depth=2, width=10, n_bits=3),
    "additive": GlowConfig((3, 8, 16), levels=3, depth=(1, 2, 1), width=(8, 6, 5), coupling="additive", n_bits=8),
    "shuffled": GlowConfig((3, 4, 4), levels=1, depth=2, width=8, permutation="shuffle", clamp=1.0, n_bits=5),
    "plainly": GlowConfig((1, 4, 4), levels=1, depth=1, width=4, coupling="additive", permutation="plain"),
}


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
    return {name: perturbed(config) for name, config in TINY.items()}


@pytest.fixture(scope="module")
def web(browser, tiny, tmp_path_factory):
    """A page with all models; those but the two that ship have weights of float32 throughout, as PyTorch."""
    files = {f"{name}.bin": export.to_bin(name) for name in MODELS}
    files["float32.bin"] = export.to_bin("faces64", torch.float32)
    folder = tmp_path_factory.mktemp("tiny")
    for name, model in tiny.items():
        files[f"{name}.bin"] = export.to_bin(checkpoint.save(folder / name, model, {}), torch.float32)
    page = WebPage(browser, files)
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def flows(web):
    """A function: the flow of a name in the page, by wasm or by plain JavaScript; each is opened once."""
    opened = {}

    def get(name: str, plain: bool = False):
        if (name, plain) not in opened:
            opened[name, plain] = web.open(name, plain)
        return opened[name, plain]

    return get


def noise(count: int, shape=(3, 64, 64)) -> torch.Tensor:
    return torch.randint(0, 256, (count, *shape), generator=torch.Generator().manual_seed(3)).to(torch.uint8)


def flat_and_chessboard() -> torch.Tensor:
    at = torch.arange(64)
    board = (at[:, None] + at) % 2 * 255
    return torch.stack([torch.zeros(64, 64), torch.full((64, 64), 255), board])[:, None].repeat(1, 3, 1, 1).byte()


def portraits() -> torch.Tensor:
    paths = sorted((ASSETS / "portraits").glob("*.png"))
    return torch.stack([pictures.read_picture(path, 64) for path in paths])


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_every_pixel_comes_back(flows, name):
    """Few of each; `python -m benchmarks.web --exact` takes many."""
    flow, generator = flows(name), torch.Generator().manual_seed(0)
    assert flow.kernels == "WebAssembly"
    likely = torch.cat([faces.draw(4, seed=exactness.SEED).images, portraits()])
    hard = [make(1, 64, generator) for make in exactness.KINDS.values()]
    images = torch.cat([likely, flat_and_chessboard(), *hard])
    wrong, double = flow.there_and_back(images)
    assert wrong.tolist() == [0] * len(images)
    assert not double[: len(likely)].any()


def test_a_picture_that_floats_would_lose_is_encoded_in_double(flows):
    images = torch.cat([faces.draw(1).images, exactness.extremes(1, 64, torch.Generator().manual_seed(0))])
    assert flows("faces64").there_and_back(images)[1].tolist() == [False, True]


@pytest.mark.parametrize("plain", [False, True])
def test_it_answers_as_pytorch_does(flows, plain):
    model, flow = checkpoint.load("faces64"), flows("float32", plain)
    assert flow.kernels == ("plain JavaScript" if plain else "WebAssembly")
    images = torch.cat([faces.draw(1, seed=4).images, portraits()[:1]])
    for ours, theirs in zip(flow.encode(images), model.encode(images), strict=True):
        assert (ours - theirs).abs().max() < 2e-4
    assert (flow.bits_per_dim(images) - model.bits_per_dim(images)).abs().max() < 2e-6
    latents = latent_space.sample_eps(model.latent_shapes, 2, torch.Generator().manual_seed(5))
    latents = latent_space.scale(latents, 0.8)
    with torch.no_grad():
        assert (flow.inverse(latents) - model.inverse(latents)).abs().max() < 2e-5


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


@pytest.mark.parametrize("name", MODELS)
def test_half_weights_change_a_picture_by_a_grey_level_at_most(flows, name):
    ours = flows(name).sample(1, 4, 0.7)
    theirs = checkpoint.load(name).sample(4, 0.7, torch.Generator().manual_seed(1))
    difference = (ours.int() - theirs.int()).abs()
    assert difference.max() <= 2 and (difference > 0).float().mean() < 0.03


def test_a_temperature_for_each_level(flows):
    ours = flows("float32").sample(2, 1, [0.2, 0.9, 0.5, 1.1])
    theirs = checkpoint.load("faces64").sample(1, (0.2, 0.9, 0.5, 1.1), torch.Generator().manual_seed(2))
    assert (ours.int() - theirs.int()).abs().max() <= 1


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


def test_directions_and_credit_come_along(web):
    body = """
        const buffer = await glow.fetchWeights("./portraits64.bin"), head = glow.readHead(buffer);
        const steps = glow.readDirections(buffer);
        return [head.directions, head.credit, head.licence, head.data_licence, join(steps.age)];"""
    listed, credit, licence, data_licence, age = web.run(body)
    directions, card = checkpoint.load_directions("portraits64"), checkpoint.read_card("portraits64")
    assert listed == [{"name": name, "low": -1, "high": 1} for name in directions]
    assert [credit, licence, data_licence] == [card["credit"], card["licence"], card["data_licence"]]
    assert torch.equal(from_text(age, "float64").float(), latent_space.flatten(directions["age"])[0])


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


def test_the_head_is_json_that_names_every_tensor(web):
    content = web.files["faces64.bin"]
    head = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    kinds = {name.rpartition(".")[2]: tensor["dtype"] for name, tensor in head.items() if ".first." in name}
    assert kinds == {"weights": "F16", "bias": "F32"}
