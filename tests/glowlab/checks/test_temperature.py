"""The checks of notebook 10, each tried on the solution, the stub and the mistakes one makes."""

import math

import pytest
import torch
from torch.distributions import Normal

from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlab.checks.temperature import foreign, sample, tempered_log_prob
from glowlab.checks.temperature_density import random_latents
from glowlite import latents as latent_space
from glowlite.flows.multiscale import standard_normal_log_prob, whiten

# ---- the log-density of a cooled normal --------------------------------------------------------------------


def terms(latents, T, exponent=None, height=None, rest=None):
    """The formula, a term of it replaced."""
    eps = latent_space.flatten(latents)
    D, squares = eps.shape[1], eps.square().sum(1)
    a = -squares / (2 * T**2) if exponent is None else exponent(eps, T)
    b = -D * math.log(T) if height is None else height(D, T)
    c = -D / 2 * math.log(2 * math.pi) if rest is None else rest(D)
    return a + b + c


def by_torch(latents, T):
    return sum(Normal(0, T).log_prob(eps).flatten(1).sum(1) for eps in latents)


def by_whitening(latents, T):
    total = 0
    for eps in latents:
        white, log_det = whiten(eps, 0 * eps, torch.full_like(eps, math.log(T)))
        total = total + standard_normal_log_prob(white) + log_det
    return total


def in_place(latents, T):
    for eps in latents:
        eps /= T
    return by_torch(latents, 1.0)


def first_level(latents, T):
    return by_torch(latents[:1], T)


def crashes(latents, T):
    return latents.square().sum(1)


LOG_PROB = {
    "formula": (terms, None),
    "torch": (by_torch, None),
    "whitened": (by_whitening, None),
    "float32": (lambda z, T: by_torch(z, T).float(), None),
    "no height": (lambda z, T: by_torch([eps / T for eps in z], 1.0), "you forgot D log T"),
    "one log T": (lambda z, T: terms(z, T, height=lambda D, T: -math.log(T)), "once for each of the D"),
    "log of T^2": (lambda z, T: terms(z, T, height=lambda D, T: -2 * D * math.log(T)), "log of the variance"),
    "half": (lambda z, T: terms(z, T, height=lambda D, T: -D / 2 * math.log(T)), "no factor 1/2"),
    "height's sign": (lambda z, T: terms(z, T, height=lambda D, T: D * math.log(T)), "sign of D log T"),
    "no log": (lambda z, T: terms(z, T, height=lambda D, T: -D * T), "without its log"),
    "T, not T^2": (lambda z, T: terms(z, T, lambda eps, T: -(eps**2).sum(1) / (2 * T)), "stands T^2"),
    "times T": (lambda z, T: terms(z, T, lambda eps, T: -((T * eps) ** 2).sum(1) / 2), "divided by T"),
    "no half": (lambda z, T: terms(z, T, lambda eps, T: -((eps / T) ** 2).sum(1)), "a factor 1/2"),
    "no T there": (lambda z, T: terms(z, T, lambda eps, T: -(eps**2).sum(1) / 2), "missing in the exponent"),
    "not squared": (lambda z, T: terms(z, T, lambda eps, T: -eps.sum(1) / (2 * T**2)), "must be squared"),
    "norm": (lambda z, T: terms(z, T, lambda eps, T: -eps.norm(dim=1) / (2 * T**2)), "squared is wanted"),
    "plus": (lambda z, T: terms(z, T, lambda eps, T: ((eps / T) ** 2).sum(1) / 2), "exponent is negative"),
    "no constant": (lambda z, T: terms(z, T, rest=lambda D: 0), "forgot the constant"),
    "one constant": (lambda z, T: terms(z, T, rest=lambda D: -math.log(2 * math.pi) / 2), "log 2 pi counts"),
    "two at once": (
        lambda z, T: terms(z, T, height=lambda D, T: 0, rest=lambda D: 0),
        "narrower bell is higher; and you forgot the constant",
    ),
    "all signs": (lambda z, T: -by_torch(z, T), "wrong sign"),
    "first level": (first_level, "only level 1"),
    "last level": (lambda z, T: by_torch(z[-1:], T), "only level"),
    "bits": (lambda z, T: by_torch(z, T) / math.log(2), "those are bits"),
    "per dimension": (lambda z, T: by_torch(z, T) / latent_space.flatten(z).shape[1], "per dimension"),
    "power T^2": (lambda z, T: by_torch(z, 1.0) * T**2, "wider, not narrower"),
    "power 1/T^2": (lambda z, T: by_torch(z, 1.0) / T**2, "before it is made to integrate"),
    "density": (lambda z, T: by_torch([eps.double() for eps in z], T).exp(), "its log is wanted"),
    "T^2 as the width": (lambda z, T: by_torch(z, T**2), "T^2 was taken for the width"),
    "root of T as the width": (lambda z, T: by_torch(z, T**0.5), "the root of T was taken"),
    "mean of a level's numbers": (
        lambda z, T: sum(Normal(0, T).log_prob(eps).flatten(1).mean(1) for eps in z),
        "each level's numbers were averaged",
    ),
    "mean of levels": (lambda z, T: by_torch(z, T) / len(z), "mean over levels"),
    "a list": (lambda z, T: [Normal(0, T).log_prob(eps).flatten(1).sum(1) for eps in z], "so sum them"),
    "batch summed": (lambda z, T: by_torch(z, T).sum(), "the sum of the batch"),
    "batch meant": (lambda z, T: by_torch(z, T).mean(), "the mean of the batch"),
    "not summed": (lambda z, T: Normal(0, T).log_prob(latent_space.flatten(z)), "must have the shape"),
    "zeros": (lambda z, T: torch.zeros(len(z[0])), "Try eps = 0"),
    "in place": (in_place, "in place"),
    "a crash": (crashes, "at the line `return latents.square()"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOG_PROB)
def test_tempered_log_prob_names_the_mistake(name):
    attempt, words = LOG_PROB[name]
    for seed in range(5):
        verdict = tempered_log_prob(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict


def test_the_latents_it_is_tried_on_are_a_list_as_a_model_gives_it():
    for seed in range(20):
        latents = random_latents(torch.Generator().manual_seed(seed))
        assert 2 <= len(latents) <= 3 and len({len(eps) for eps in latents}) == 1
        assert all(
            a.shape[1] < b.shape[1] and a.shape[2] > b.shape[2] for a, b in zip(latents, latents[1:], strict=False)
        )


# ---- sampling ----------------------------------------------------------------------------------------------


def draw(model, n, temperature, generator, change=lambda eps, t, l: eps * t, noise=torch.randn):
    """The solution, with what each level becomes, or where its noise comes from, replaced."""
    levels = len(model.latent_shapes)
    per_level = [temperature] * levels if isinstance(temperature, (int, float)) else temperature
    eps = [noise(n, *shape, generator=generator) for shape in model.latent_shapes]
    return model.decode([change(e, t, l) for l, (e, t) in enumerate(zip(eps, per_level, strict=True))])


def by_package(model, n, temperature, generator):
    eps = latent_space.sample_eps(model.latent_shapes, n, generator)
    return model.decode(latent_space.scale(eps, temperature))


def one_by_one(model, n, temperature, generator):
    return torch.cat([draw(model, n // 4, temperature, generator) for _ in range(4)])


def with_list(choose):
    """An attempt that makes something else of a list."""

    def attempt(model, n, temperature, generator):
        if isinstance(temperature, list):
            temperature = choose(temperature)
        return draw(model, n, temperature, generator)

    return attempt


def number_only(model, n, temperature, generator):
    return model.decode([temperature * torch.randn(n, *s, generator=generator) for s in model.latent_shapes])


def list_only(model, n, temperature, generator):
    return model.decode(
        [t * torch.randn(n, *s, generator=generator) for t, s in zip(temperature, model.latent_shapes, strict=True)]
    )


def float_only(model, n, temperature, generator):
    per_level = [temperature] * len(model.latent_shapes) if isinstance(temperature, float) else list(temperature)
    return draw(model, n, per_level, generator)


def own_generator(model, n, temperature, generator):
    return draw(model, n, temperature, None)


def seeds(model, n, temperature, generator):
    return draw(model, n, temperature, generator.manual_seed(0))


def one_copied(model, n, temperature, generator):
    return draw(model, 1, temperature, generator).repeat(n, 1, 1, 1)


def same_eps(model, n, temperature, generator):
    return draw(model, n, temperature, generator, lambda eps, t, l: t * eps[:1].expand_as(eps))


def expanded(*axes):
    """eps that are the same along some axes of (n, C, H, W)."""

    def attempt(model, n, temperature, generator):
        def noise(*shape, generator):
            small = [1 if axis in axes else size for axis, size in enumerate(shape)]
            return torch.randn(small, generator=generator).expand(shape)

        return draw(model, n, temperature, generator, noise=noise)

    return attempt


one_channel, one_number = expanded(1), expanded(2, 3)


def in_pairs(model, n, temperature, generator):
    return draw(model, n, temperature, generator, lambda eps, t, l: t * eps[: n // 2].repeat_interleave(2, 0))


def laplace(model, n, temperature, generator):
    def noise(*shape, generator):
        u = torch.rand(shape, generator=generator).clamp(1e-6, 1 - 1e-6) - 0.5
        return -u.sign() * (1 - 2 * u.abs()).log() / 2**0.5

    return draw(model, n, temperature, generator, noise=noise)


def one_vector(model, n, temperature, generator):
    most = max(math.prod(shape) for shape in model.latent_shapes)
    eps = torch.randn(n, most, generator=generator)
    shapes = model.latent_shapes
    per_level = temperature if isinstance(temperature, list) else [temperature] * len(shapes)
    parts = [eps[:, : math.prod(s)].reshape(n, *s) for s in shapes]
    return model.decode([t * part for t, part in zip(per_level, parts, strict=True)])


def cools_pixels(model, n, temperature, generator):
    return (draw(model, n, 1.0, generator) * 0.7).to(torch.uint8)


def cut_off(model, n, temperature, generator):
    return draw(model, n, temperature, generator, lambda eps, t, l: 1.05 * t * eps.clamp(-2, 2))


def spends_the_list(model, n, temperature, generator):
    if isinstance(temperature, list):
        return draw(model, n, [temperature.pop(0) for _ in model.latent_shapes], generator)
    return draw(model, n, temperature, generator)


def running(model, n, temperature, generator):
    levels = len(model.latent_shapes)
    per_level = [temperature] * levels if isinstance(temperature, (int, float)) else temperature
    return draw(model, n, [math.prod(per_level[: l + 1]) for l in range(levels)], generator)


def changed(change, **more):
    return lambda *given: draw(*given, change=change, **more)


SAMPLE = {
    "solution": (draw, None),
    "the package's": (by_package, None),
    "in four parts": (one_by_one, None),
    "squared": (changed(lambda eps, t, l: eps * t**2), "T squared"),
    "root": (changed(lambda eps, t, l: eps * t**0.5), "root of T"),
    "divided": (changed(lambda eps, t, l: eps / t), "divided by T"),
    "added": (changed(lambda eps, t, l: eps + t), "added to eps"),
    "not at all": (changed(lambda eps, t, l: eps), "changes nothing"),
    "first level only": (changed(lambda eps, t, l: eps * (t if l == 0 else 1)), "level 2 still has width 1"),
    "last level forgotten": (changed(lambda eps, t, l: eps * (t if eps.shape[2] > 2 else 1)), "temperature is for all"),
    "uniform": (changed(lambda eps, t, l: eps * t, noise=torch.rand), "torch.rand;"),
    "cut off": (cut_off, "do not cut"),
    "running product": (running, "adds up from level to level"),
    "first of the list": (with_list(lambda ts: ts[0]), "first temperature of the list"),
    "last of the list": (with_list(lambda ts: ts[-1]), "last temperature of the list"),
    "mean of the list": (with_list(lambda ts: sum(ts) / len(ts)), "mean of the temperatures|every level has width 1"),
    "list reversed": (with_list(lambda ts: ts[::-1]), "wrong order"),
    "number only": (number_only, "where the temperature is a list"),
    "list only": (list_only, "where the temperature is the number 0.6"),
    "float only": (float_only, "where the temperature is the number 1,"),
    "a generator of its own": (own_generator, "generator=generator"),
    "seeds": (seeds, "do not seed"),
    "one copied": (one_copied, "one picture was drawn and copied"),
    "one map for all channels": (one_channel, "neighbouring channels have the same eps"),
    "one number for each channel": (one_number, "neighbouring rows|neighbouring columns"),
    "pairs of pictures": (in_pairs, "neighbouring pictures have the same eps"),
    "Laplace": (laplace, "not normal draws"),
    "cut off at 3": (changed(lambda eps, t, l: t * eps.clamp(-3, 3)), "do not cut"),
    "the same eps": (same_eps, "the same eps"),
    "one vector": (one_vector, "share their random numbers"),
    "one picture": (lambda model, n, T, g: draw(model, 1, T, g), "decode was given 1"),
    "a batch too many": (lambda *given: draw(*given)[:, None], "and you return (96, 1, "),
    "cools pixels": (cools_pixels, "after decode"),
    "changes pixels": (lambda *given: draw(*given) // 2, "after decode"),
    "spends the list": (spends_the_list, "changes the list"),
    "no decode": (lambda model, n, T, g: torch.zeros(n, *model.latent_shapes[0]), "nothing went through"),
    "latents": (lambda model, n, T, g: [torch.randn(n, *s) for s in model.latent_shapes], "nothing went through"),
    "one level": (lambda model, n, T, g: model.decode([torch.randn(n, *model.latent_shapes[0])]), "all"),
    "no batch": (lambda model, n, T, g: model.decode([torch.randn(s) for s in model.latent_shapes]), "have the shape"),
    "all at once": (lambda model, n, T, g: model.sample(n, T, g), "not needed"),
    "a list of pictures": (lambda *given: list(draw(*given)), "one tensor"),
    "another name": (lambda model, n, T, g: model.shapes, "no shapes"),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLE)
def test_sample_names_the_mistake(name):
    attempt, words = SAMPLE[name]
    for seed in range(3):
        verdict = sample(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or any(part in verdict.mistake for part in words.split("|")), verdict


# ---- foreign pictures --------------------------------------------------------------------------------------


def scores(values, usual):
    return (values - usual.mean()).abs() / usual.std()


FOREIGN = {
    "two standard deviations": (lambda v, u: scores(v, u) > 2, None),
    "four": (lambda v, u: scores(v, u) > 4, None),
    "between the extremes": (lambda v, u: (v < u.min()) | (v > u.max()), None),
    "a list": (lambda v, u: (scores(v, u) > 2.5).tolist(), None),
    "0 and 1": (lambda v, u: (scores(v, u) > 2.5).float(), None),
    "only above": (lambda v, u: v > u.mean() + 2 * u.std(), "far below all usual ones pass"),
    "only below": (lambda v, u: v < u.mean() - 2 * u.std(), "far above all usual ones pass"),
    "the other way round": (lambda v, u: scores(v, u) < 2, "True is for foreign"),
    "one standard deviation": (lambda v, u: scores(v, u) > 1, "of the faces are called foreign"),
    "always": (lambda v, u: v == v, "100% of the faces are called foreign"),
    "never": (lambda v, u: v != v, "how widely `usual` spreads"),
    "a fixed limit": (lambda v, u: (v - u.mean()).abs() > 0.12, "with distances, values far"),
    "a share of the mean": (lambda v, u: (v / u.mean() - 1).abs() > 0.05, "with distances, values far"),
    "its own mean": (lambda v, u: (v - v.mean()).abs() > 3 * u.std(), "pass"),
    "their own spread": (lambda v, u: (v - u.mean()).abs() > 2 * v.std(), "pass"),
    "scores": (scores, "those are numbers"),
    "one answer": (lambda v, u: (scores(v, u) > 2).any(), "for each of the 512"),
    "in place": (lambda v, u: scores(v.sub_(1), u) > 2, "in place"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_names_the_mistake(name):
    attempt, words = FOREIGN[name]
    for seed in range(5):
        verdict = foreign(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict


# ---- both --------------------------------------------------------------------------------------------------


def not_implemented(*given):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [lambda *given: None, lambda *given: ..., not_implemented])
def test_an_untouched_stub_is_not_a_mistake(stub):
    for verdict in (tempered_log_prob(stub), sample(stub), foreign(stub)):
        assert verdict.state == UNTRIED and not verdict
        assert "goes on" in repr(verdict)


def test_hints_come_one_by_one_and_the_package_does_it_like_this():
    for check, count, line in (
        (tempered_log_prob, 3, "(z - mean) * torch.exp(-log_std)"),
        (sample, 4, "eps * t for eps, t in zip"),
        (foreign, 3, "usual.std()"),
    ):
        texts = [str(check.hint()) for _ in range(count + 1)]
        assert texts[0].startswith(f"Hint 1 of {count}") and texts[count] == texts[0]
        assert len(set(texts)) == count
        assert line in check.solution().text
