"""The models that ship, in a page: every pixel comes back, and PyTorch's answers do."""

import pytest
import torch

from benchmarks import exactness
from benchmarks.web import MODELS, flat_and_chessboard, portraits
from benchmarks.web_page import WebPage, from_text
from glowlab.web import export
from glowlite import checkpoint
from glowlite import latents as latent_space
from glowlite.data import faces


@pytest.fixture(scope="module")
def web(browser):
    """A page with both models; float32 is faces64 with weights of float32 throughout, as PyTorch has them."""
    files = {f"{name}.bin": export.to_bin(name) for name in MODELS}
    page = WebPage(browser, files | {"float32.bin": export.to_bin("faces64", torch.float32)})
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def flows(web):
    """A function: the flow of a name in the page, by wasm or by plain JavaScript."""
    return web.open


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


def test_directions_and_credit_come_along(web):
    body = """
        const buffer = await glow.fetchFile("./portraits64.bin"), head = glow.readHead(buffer);
        const steps = glow.readDirections(buffer);
        return [head.directions, head.credit, head.licence, head.data_licence, join(steps.age)];"""
    listed, credit, licence, data_licence, age = web.run(body)
    directions, card = checkpoint.load_directions("portraits64"), checkpoint.read_card("portraits64")
    assert listed == [{"name": name, "low": -1, "high": 1} for name in directions]
    assert [credit, licence, data_licence] == [card["credit"], card["licence"], card["data_licence"]]
    assert torch.equal(from_text(age, "float64").float(), latent_space.flatten(directions["age"])[0])
