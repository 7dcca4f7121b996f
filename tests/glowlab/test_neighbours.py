"""The PixelCNN and the VAE beside a flow: what a pixel may see, exact probabilities, ways back, bounds."""

import math

import pytest
import torch

from glowlab import neighbours
from glowlab.neighbours import LEVELS, VAE, MaskedConv2d, PixelCNN, pictures_of, values_of
from glowlite.data import faces


@pytest.fixture(scope="module")
def images():
    return pictures_of(values_of(faces.draw(3, size=16, seed=4).images))


@pytest.fixture(scope="module")
def cnn():
    torch.manual_seed(0)
    model = PixelCNN(width=8, blocks=2).eval()
    for weight in model.parameters():
        weight.data *= 2
    return model


def test_values_and_pictures_are_there_and_back():
    every = torch.arange(LEVELS, dtype=torch.int64).view(1, 1, 4, 8)
    assert torch.equal(values_of(pictures_of(every)), every)


@pytest.mark.parametrize("itself", [True, False])
def test_a_masked_convolution_sees_only_what_comes_before(itself):
    torch.manual_seed(0)
    layer = MaskedConv2d(1, 1, 5, itself)
    x = torch.randn(1, 1, 7, 7, requires_grad=True)
    (seen,) = torch.autograd.grad(layer(x)[0, 0, 3, 3], x)
    order = seen[0, 0].flatten().nonzero()[:, 0]
    assert order.max() == 3 * 7 + 3 - (not itself)
    assert seen[0, 0, 3, 2] != 0 and seen[0, 0, 1, 5] != 0


@torch.no_grad()
def test_no_probability_depends_on_values_that_come_later(cnn, images):
    x = neighbours.to_float(values_of(images[:1]))
    later = x.clone()
    later[:, 1:, 8, 8] = 1 - later[:, 1:, 8, 8]  # green and blue of one pixel, and all pixels after it
    later.flatten(2)[:, :, 8 * 16 + 9 :] = 0.3
    first, second = (cnn.log_probs(cnn.context(cnn.inputs(each)), each, 0) for each in (x, later))
    assert torch.allclose(first.flatten(2)[..., : 8 * 16 + 9], second.flatten(2)[..., : 8 * 16 + 9], atol=1e-5)
    green = [cnn.log_probs(cnn.context(cnn.inputs(each)), each, 1)[..., 8, 8] for each in (x, later)]
    blue = [cnn.log_probs(cnn.context(cnn.inputs(each)), each, 2)[..., 8, 8] for each in (x, later)]
    assert torch.allclose(*green, atol=1e-5) and not torch.allclose(*blue, atol=1e-5)


@torch.no_grad()
def test_log_prob_is_the_sum_over_values_and_probabilities_add_up(cnn, images):
    x = neighbours.to_float(values_of(images))
    context = cnn.context(cnn.inputs(x))
    total = 0
    for c in range(3):
        said = cnn.log_probs(context, x, c)
        assert torch.allclose(said.exp().sum(1), torch.ones(3, 16, 16), atol=1e-5)
        total = total + said.gather(1, values_of(images)[:, c : c + 1]).sum((1, 2, 3))
    assert torch.allclose(cnn.log_prob(images), total)


def test_decode_of_encode_is_the_picture_so_cropping_loses_nothing(cnn, images):
    noise = cnn.encode(images, torch.Generator().manual_seed(1))
    assert (noise > 0).all() and (noise < 1).all()
    assert torch.equal(cnn.decode(noise), images)


def test_given_rows_stay_and_the_rest_is_drawn(cnn, images):
    noise = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    drawn = cnn.decode(noise, images, rows=10)
    assert torch.equal(drawn[..., :10, :], images[..., :10, :]) and not torch.equal(drawn, images)


@torch.no_grad()
def test_the_weights_of_a_vae_are_those_of_its_parts(images):
    torch.manual_seed(0)
    vae = VAE(latents=4, width=4)
    said, prior, guessed = vae.terms(images, torch.Generator().manual_seed(3))
    mean, log_width = vae.guess(images)
    z = mean + torch.randn(mean.shape, generator=torch.Generator().manual_seed(3)) * log_width.exp()
    unit, guess = torch.distributions.Normal(0, 1), torch.distributions.Normal(mean, log_width.exp())
    assert torch.allclose(prior, unit.log_prob(z).sum(1), atol=1e-4)
    assert torch.allclose(guessed, guess.log_prob(z).sum(1), atol=1e-4)
    values = vae.log_values(z).exp()
    assert torch.allclose(values.sum(1), torch.ones(3, 3, 16, 16), atol=1e-5)
    assert torch.allclose(said, values.log().gather(1, values_of(images)[:, None]).sum((1, 2, 3, 4)), rtol=1e-4)


@torch.no_grad()
def test_the_mean_weight_of_a_vae_is_the_probability(images):
    torch.manual_seed(0)
    vae = VAE(latents=1, width=2)
    generator = torch.Generator().manual_seed(0)
    log_w = torch.stack(
        [sum(t * s for t, s in zip(vae.terms(images, generator), (1, 1, -1), strict=True)) for _ in range(800)]
    )
    z = torch.linspace(-6, 6, 801)[:, None]
    said = vae.log_values(z)  # (801, LEVELS, 3, 16, 16)
    which = values_of(images)
    joint = torch.stack([said.gather(1, one.expand(801, 1, 3, 16, 16)).sum((1, 2, 3, 4)) for one in which], 1)
    exact = (joint - z.square() / 2 - 0.5 * math.log(2 * math.pi) + math.log(12 / 800)).logsumexp(0)
    assert torch.allclose(log_w.logsumexp(0) - math.log(800), exact, atol=0.5)
    assert (log_w.mean(0) < exact).all()


def test_what_ships_are_three_models_of_about_equal_likelihood(images):
    models, record = neighbours.load_neighbours(), neighbours.load_record()
    rows = record["rows"]
    assert list(models) == list(rows) == list(neighbours.MODELS)
    assert abs(rows["flow"]["bits_per_dim"] - rows["autoregressive"]["bits_per_dim"]) < 0.03
    flow, cnn, vae = models.values()
    assert torch.equal(values_of(flow.decode(flow.encode(images))), values_of(images))
    assert all(sum(p.numel() for p in model.parameters()) == rows[name]["parameters"] for name, model in models.items())
    counts = [record["bounds"][key] for key in ("1", "10", "100", "1000")]
    assert counts == sorted(counts, reverse=True)
