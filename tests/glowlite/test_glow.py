"""The whole Glow: exact inverse, exact likelihood, presets, pictures of every kind."""

import json
import math
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from glowlite import checkpoint, pixels
from glowlite.errors import GlowliteError
from glowlite.flows import ActNorm, Coupling, Reverse, Squeeze
from glowlite.glow import PRESETS, Glow, GlowConfig
from tests.helpers import jacobian_log_det, perturb

SMALL = GlowConfig((3, 8, 8), levels=2, depth=2, width=8, edge=True)
REALNVP = {"permutation": "reverse", "checkerboard": (3, 2), "depth": (2, 0)}


def pictures(n=8, shape=(3, 8, 8), seed=0):
    return torch.randint(0, 256, (n, *shape), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def small(amount=0.05, **settings):
    """A small Glow in eval mode, every parameter moved off its start."""
    config = replace(SMALL, **settings)
    model = Glow(config)
    model.initialize(torch.rand(64, *config.shape) - 0.5)
    return perturb(model, amount=amount).eval()


def test_latents_lose_nothing():
    for config in PRESETS.values():
        if config.shape[1] <= 64 and config.per_level("width")[0] < 512:
            assert sum(c * h * w for c, h, w in Glow(config).latent_shapes) == torch.Size(config.shape).numel()


@pytest.mark.parametrize("permutation", ["lu", "plain", "shuffle", "reverse"])
@pytest.mark.parametrize("coupling, scale", [("affine", "bounded"), ("affine", "sigmoid"), ("additive", "bounded")])
def test_inverse_of_forward_after_moving_all_parameters(permutation, coupling, scale):
    x = torch.rand(4, 3, 8, 8, dtype=torch.float64) - 0.5
    model = small(permutation=permutation, coupling=coupling, scale=scale).double()
    before = x.clone()
    latents, _ = model(x)
    kept = [eps.clone() for eps in latents]
    assert (model.inverse(latents) - x).abs().max() < 1e-10
    assert torch.equal(x, before) and all(torch.equal(a, b) for a, b in zip(latents, kept, strict=True))
    model.float()
    assert (model.inverse(model(x.float())[0]) - x.float()).abs().max() < 1e-4


@pytest.mark.parametrize("channels", [1, 3])
def test_realnvps_arrangement_gives_every_pixel_back_and_keeps_its_likelihood_in_a_file(channels, tmp_path):
    model, images = small(shape=(channels, 8, 8), **REALNVP), pictures(16, (channels, 8, 8))
    assert torch.equal(model.decode(model.encode(images)), images)
    x = torch.rand(4, channels, 8, 8, dtype=torch.float64) - 0.5
    assert (model.double().inverse(model(x)[0]) - x).abs().max() < 1e-10
    loaded = checkpoint.load(checkpoint.save(tmp_path / "model", model.float(), {}))
    assert torch.equal(loaded.log_prob(images), model.log_prob(images))


def test_realnvps_preset_is_arranged_as_in_the_paper():
    """Section 3.6: three checkerboard masks, squeeze, three channel masks a scale; four checkerboard masks at last."""
    levels = Glow(PRESETS["realnvp32"]).levels
    for level in levels[:-1]:
        *pixelwise, squeeze = level.steps.flows[:4]
        assert [step.flows[-1].seen for step in pixelwise] == [0, 1, 0] and type(squeeze) is Squeeze
        assert [tuple(map(type, step.flows)) for step in level.steps.flows[4:]] == 3 * [(ActNorm, Reverse, Coupling)]
    *pixelwise, squeeze = levels[-1].steps.flows
    assert [step.flows[-1].seen for step in pixelwise] == [0, 1, 0, 1] and type(squeeze) is Squeeze


@pytest.mark.parametrize("settings", [{"scale": "bounded"}, {"scale": "sigmoid"}, REALNVP])
def test_log_det_is_that_of_the_jacobian(settings):
    model = small(**settings).double()
    x = torch.rand(2, 3, 8, 8, dtype=torch.float64) - 0.5
    assert torch.allclose(model(x)[1], jacobian_log_det(model, x), atol=1e-7)


def test_density_integrates_to_one():
    """Pictures of 2 x 2 gray pixels: a grid over R^4 wide enough for its tails, times the cells' volume."""
    config = GlowConfig((1, 2, 2), levels=1, depth=2, width=4)
    model = Glow(config).double()
    model.initialize(torch.randn(256, 1, 2, 2, dtype=torch.float64))
    perturb(model, amount=0.05)
    axis = torch.linspace(-6.5, 6.5, 21, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis, axis, axis).view(-1, 1, 2, 2)
    with torch.no_grad():
        total = sum(model.log_density(part).exp().sum() for part in grid.split(50_000))
    assert (total * (axis[1] - axis[0]) ** 4).item() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("n_bits", range(1, 9))
def test_a_uniform_density_costs_exactly_n_bits(channels, n_bits):
    """log p(x) = 0 on the unit cube: all pictures are equally likely. Twice the density saves one bit."""
    model = Glow(GlowConfig((channels, 4, 4), levels=1, depth=1, width=4, n_bits=n_bits))
    images = pictures(5, (channels, 4, 4))
    for bits in (0, 2):
        nats = bits * math.log(2) * channels * 4 * 4
        model.log_density = lambda x, nats=nats: x.new_full((len(x),), nats)
        assert torch.allclose(model.bits_per_dim(images), torch.full((5,), float(n_bits - bits)), atol=1e-5)


@pytest.mark.parametrize("n_bits", [1, 5, 8])
def test_decode_of_encode_is_every_pixel(n_bits):
    model = small(n_bits=n_bits)
    images = pictures(32)
    assert torch.equal(model.decode(model.encode(images)), images)


def strange():
    """A model whose latents of these pictures go far, so that float32 loses some on the way back: (model, pictures)."""
    model = small(amount=0.07, depth=(6, 2))
    return model, pictures(16) // 128 * 255


def test_float64_keeps_pictures_that_float32_would_lose():
    model, images = strange()
    x = pixels.to_float(images)
    with torch.no_grad():
        plain = model(x)[0]
        lost = (model.decode(plain) != images).flatten(1).any(1)
        assert lost.any(), "else this test tests nothing"
        latents = model.encode(images)
        assert all(eps.dtype == torch.float64 for eps in latents)
        assert torch.equal(model.decode(latents), images)
        assert (model.inverse(latents) - x)[lost].abs().max() < 1e-6
        assert model.inverse(latents).dtype == torch.float32
    assert all(p.dtype == torch.float32 for p in model.parameters()), "the model stays as it is"
    tame = small()
    assert all(eps.dtype == torch.float32 for eps in tame.encode(images))
    assert all(eps.dtype == torch.float64 for eps in tame.double().encode(images))


def test_log_prob_is_the_same_each_time_and_follows_a_generator():
    model, images = small(), pictures(3)
    assert torch.equal(model.log_prob(images), model.log_prob(images))
    other = model.log_prob(images, torch.Generator().manual_seed(1))
    assert not torch.equal(other, model.log_prob(images))
    assert torch.equal(other, model.log_prob(images, torch.Generator().manual_seed(1)))


def test_what_a_picture_costs_does_not_depend_on_those_beside_it():
    model, images = small(), pictures(5)
    alone = torch.cat([model.bits_per_dim(image[None]) for image in images])
    assert torch.allclose(model.bits_per_dim(images), alone, atol=1e-5)
    assert torch.allclose(model.bits_per_dim(images.flip(0)), alone.flip(0), atol=1e-5)


def test_any_batch_gives_the_same_answer():
    model, images = small(), pictures(5)
    x = pixels.to_float(images)
    together, log_density = model.encode(images), model.log_density(x)
    for i in range(5):
        for whole, alone in zip(together, model.encode(images[i : i + 1]), strict=True):
            assert torch.allclose(whole[i : i + 1], alone, atol=1e-5)
        assert torch.allclose(log_density[i : i + 1], model.log_density(x[i : i + 1]))


def test_pictures_and_latents_that_are_given_stay_as_they_are():
    model, images = small(n_bits=5), pictures(3)
    latents = model.encode(images)
    kept = [eps.clone() for eps in latents]
    model.decode(latents)
    model.bits_per_dim(images)
    assert torch.equal(images, pictures(3))
    assert all(torch.equal(a, b) for a, b in zip(latents, kept, strict=True))


def test_temperature_scales_every_level_of_fresh_latents_and_no_others():
    model = small()
    generator = torch.Generator().manual_seed(3)
    eps = [torch.randn(2, *shape, generator=generator) for shape in model.latent_shapes]
    for temperature in (0.7, [0.2, 0.9]):
        per_level = [temperature] * 2 if isinstance(temperature, float) else temperature
        want = model.decode([t * e for t, e in zip(per_level, eps, strict=True)])
        assert torch.equal(model.sample(2, temperature, torch.Generator().manual_seed(3)), want)
    with pytest.raises(GlowliteError, match="one for each of the 2 levels"):
        model.sample(2, [1.0, 1.0, 1.0])
    with pytest.raises(GlowliteError, match="at least 0"):
        model.sample(2, -1.0)


def test_a_new_process_gets_the_same_likelihood_from_the_file(tmp_path):
    """Every kind of permutation, on pictures not met before; one process, since starting one takes long."""
    other, want = pictures(4, seed=9), {}
    torch.save(other, tmp_path / "other.pt")
    for permutation in ("lu", "plain", "shuffle", "reverse"):
        model = small(permutation=permutation, seed=5)
        want[str(checkpoint.save(tmp_path / permutation, model, {}))] = model.log_prob(other)
    script = (
        "import json, sys, torch; from glowlite.checkpoint import load; "
        "other = torch.load(sys.argv[1], weights_only=True); "
        "print(json.dumps([load(path).log_prob(other).double().tolist() for path in sys.argv[2:]]))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "other.pt"), *want]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for got, (path, log_prob) in zip(json.loads(output), want.items(), strict=True):
        assert torch.allclose(torch.tensor(got), log_prob, rtol=1e-6), path


def test_every_parameter_learns():
    model = small()
    (-model.log_density(torch.rand(4, 3, 8, 8) - 0.5).mean()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_read_is_what_runs(preset, monkeypatch):
    """Who doubles what `ActNorm.forward` gives changes training and encoding, in the step and in the network."""
    settings = {"shape": (PRESETS[preset].shape[0], 8, 8), "levels": 1, "depth": 1, "width": 8}
    config = replace(PRESETS[preset], **settings, checkerboard=int(PRESETS[preset].checkerboard != 0))
    model = perturb(Glow(config), torch.rand(16, *config.shape) - 0.5, amount=0.05).eval()
    images, x = pictures(2, config.shape), torch.rand(2, *config.shape) - 0.5
    eps, nats = model.encode(images)[0], model.log_density(x)
    coupling = model.levels[0].steps.flows[-1].flows[-1]
    h = torch.randn(2, coupling.halves[0], 4, 4)
    hidden = coupling.network.first(h)
    forward = ActNorm.forward

    def doubled(self, x):
        z, log_det = forward(self, x)
        return 2 * z, log_det

    monkeypatch.setattr(ActNorm, "forward", doubled)
    assert torch.allclose(coupling.network.first(h), 2 * hidden, atol=1e-5)
    assert not torch.allclose(model.encode(images)[0].double(), eps.double(), atol=0.1)  # float64 where far out
    model.train()
    assert not torch.allclose(model.log_density(x), nats, atol=0.1)


def test_compiles_without_a_graph_break():
    torch._dynamo.reset()
    model = small(depth=1, checkerboard=(1, 0))  # every kind of part is there, and tracing takes long for each step
    x = torch.rand(2, 3, 8, 8) - 0.5
    compiled = torch.compile(lambda x: model.log_density(x), fullgraph=True, backend="eager")
    assert torch.allclose(compiled(x), model.log_density(x))


def test_first_weights_come_from_the_seed_alone():
    torch.manual_seed(1)
    a = Glow(SMALL)
    before = torch.get_rng_state()
    b = Glow(SMALL)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))
    c = Glow(replace(SMALL, seed=1))
    assert not torch.equal(a.levels[0].steps.flows[1].flows[1].L, c.levels[0].steps.flows[1].flows[1].L)


def test_initialize_makes_every_actnorm_ready_and_an_untouched_model_says_what_to_do():
    model = Glow(SMALL).eval()
    with pytest.raises(GlowliteError, match="call initialize"):
        model.encode(pictures())
    with pytest.raises(GlowliteError, match="call initialize"):
        model.sample(1)
    model.initialize(torch.rand(16, 3, 8, 8) - 0.5)
    assert not model.training
    assert model.bits_per_dim(pictures()).isfinite().all()


# What each published setting weighs, in parameters. Without the edge channel these are the counts known for
# faithful re-implementations (44.1, 66.2, 111.7 and 175.1 million); the edge channel adds 9 weights to each
# filter of a 3x3.
COUNTS = {
    "tiny": 21_512,
    "mnist": 155_200,
    "faces32": 741_648,
    "faces64": 3_097_744,
    "portraits64": 3_097_744,
    "realnvp32": 298_274,
    "cifar10": 44_620_596,
    "imagenet32": 66_928_308,
    "imagenet64": 112_642_884,
    "celebahq256": 176_109_156,
}


@pytest.mark.parametrize("preset", PRESETS)
def test_parameter_counts(preset):
    with torch.device("meta"):
        model = Glow(PRESETS[preset])
    assert sum(p.numel() for p in model.parameters()) == COUNTS[preset]


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"shape": (3, 30, 32)}, "30 x 32 pixels cannot be halved 2 times"),
        ({"levels": 0}, "levels at least 1"),
        ({"depth": (2, 2, 2)}, "one for each of the 2 levels"),
        ({"width": 0}, "at least 1"),
        ({"depth": 0}, "every level needs a step of flow"),
        ({"depth": -1, "checkerboard": 2}, "depth must be at least 0"),
        ({"checkerboard": (1, 2, 3)}, "one for each of the 2 levels"),
        ({"checkerboard": -1}, "checkerboard must be at least 0"),
        ({"n_bits": 9}, "from 1 to 8"),
        ({"coupling": "addditive"}, "choose 'affine' or 'additive'"),
        ({"scale": "exp"}, "choose 'bounded' or 'sigmoid'"),
        ({"clamp": -1.0}, "clamp must be a limit above 0"),
        ({"clamp": math.nan}, "clamp must be a limit above 0"),
        ({"permutation": "lü"}, "choose one of lu, plain, shuffle, reverse"),
    ],
)
def test_a_setting_that_cannot_be_is_one_clear_sentence(settings, words):
    with pytest.raises(GlowliteError, match=words):
        Glow(replace(SMALL, **settings))


def test_wrong_pictures_and_latents_are_named_with_both_shapes():
    model = small()
    with pytest.raises(GlowliteError, match=r"takes \(batch, 3, 8, 8\), not \(2, 1, 8, 8\)"):
        model.encode(pictures(2, (1, 8, 8)))
    with pytest.raises(GlowliteError, match="must be uint8"):
        model.encode(torch.rand(2, 3, 8, 8))
    with pytest.raises(GlowliteError, match="latents are"):
        model.decode([torch.zeros(1, 3, 8, 8)])


def test_configuration_survives_json():
    for config in PRESETS.values():
        assert GlowConfig.from_dict(config.to_dict()) == config
    with pytest.raises(GlowliteError, match="unknown setting breadth"):
        GlowConfig.from_dict({"breadth": 3})


def test_pixels_are_computed_with_all_bits_of_float32(monkeypatch):
    """Left alone, recent GPUs round products to TF32: no pixel would come back for certain."""

    def precision():
        return torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()

    seen, right = [], Coupling.scale_and_shift
    monkeypatch.setattr(Coupling, "scale_and_shift", lambda self, x_a: seen.append(precision()) or right(self, x_a))
    model = Glow(PRESETS["tiny"])
    model.initialize(torch.rand(8, 3, 16, 16) - 0.5)
    before, images = precision(), torch.zeros(2, 3, 16, 16, dtype=torch.uint8)
    try:
        torch.backends.cudnn.allow_tf32 = True
        torch.set_float32_matmul_precision("high")
        seen.clear()
        for compute in (model.encode, model.log_prob, lambda images: model.decode(model.encode(images))):
            compute(images)
            assert precision() == (True, "high")
    finally:
        torch.backends.cudnn.allow_tf32 = before[0]
        torch.set_float32_matmul_precision(before[1])
    assert len(seen) == 4 * 4 and set(seen) == {(False, "highest")}
