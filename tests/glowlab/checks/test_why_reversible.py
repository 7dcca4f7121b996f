"""The checks of notebook 00, each tried on the solution, the stub and the mistakes one makes."""

import pytest
import torch

from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlab.checks.why_reversible import byte_maps, is_reversible, there_and_back, unmix
from glowlite.data.pictures import read_picture
from glowlite.glow import PRESETS, Glow
from tests.helpers import perturb


@pytest.fixture(scope="module")
def model():
    """Small, never trained, and all its parameters moved: a flow all the same."""
    glow = Glow(PRESETS["tiny"])
    return perturb(glow, torch.rand(16, *glow.config.shape) - 0.5, amount=0.02).eval()


# ---- unmix -------------------------------------------------------------------------------------------------


def in_place(left, mixed, f):
    mixed -= f(left)
    return left, mixed


def crashes(left, mixed, f):
    return left, mixed - f(lefft)  # noqa: F821


UNMIX = {
    "solution": (lambda left, mixed, f: (left, mixed - f(left)), None),
    "as a list": (lambda left, mixed, f: [left, mixed - f(left)], None),
    "adds again": (lambda left, mixed, f: (left, mixed + f(left)), "wrong sign"),
    "difference reversed": (lambda left, mixed, f: (left, f(left) - mixed), "wrong way round"),
    "f of the mixed half": (lambda left, mixed, f: (left, mixed - f(mixed)), "f was given the mixed half"),
    "moves the left half": (lambda left, mixed, f: (left - f(mixed), mixed), "the wrong half moves"),
    "nothing undone": (lambda left, mixed, f: (left, mixed), "still mixed"),
    "only what was added": (lambda left, mixed, f: (left, f(left)), "taken away"),
    "halves swapped": (lambda left, mixed, f: (mixed - f(left), left), "changed places"),
    "one thing": (lambda left, mixed, f: mixed - f(left), "two things"),
    "half done": (lambda left, mixed, f: (left, ...), "right half is still missing"),
    "in place": (in_place, "in place"),
    "off the clock": (lambda left, mixed, f: (left, mixed.int() - f(left).int()), "multiples of 256"),
    "floats": (lambda left, mixed, f: (left, mixed / 255), "became torch.float32"),
    "wrong shape": (lambda left, mixed, f: (left, (mixed - f(left))[0]), "shape"),
    "an f of one's own": (lambda left, mixed, f: (left, mixed - left * 3), "never calls the f"),
    "another scale": (lambda left, mixed, f: (left, mixed - f(left) * 3), "numbers of the right half"),
    "a typing mistake": (crashes, "at the line `return left, mixed - f(lefft)"),
}


@pytest.mark.parametrize("name", UNMIX)
def test_unmix_names_the_mistake(name):
    attempt, words = UNMIX[name]
    for seed in range(5):
        verdict = unmix(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake
    assert bool(verdict) is (words is None)


def not_implemented(*given):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [lambda *given: None, lambda *given: ..., lambda *given: (..., ...), not_implemented])
def test_an_untouched_stub_is_not_a_mistake(stub, model):
    for verdict in (unmix(stub), is_reversible(stub), there_and_back(stub, model)):
        assert verdict.state == UNTRIED and not verdict
        assert "goes on" in repr(verdict)


# ---- reversible or not -------------------------------------------------------------------------------------

EVERY = torch.arange(256, dtype=torch.uint8)


def count(f):
    return len(f(EVERY).unique())


REVERSIBLE = {
    "solution": (lambda f: count(f) == 256, None),
    "a tensor": (lambda f: torch.tensor(count(f) == 256), None),
    "of numpy": (lambda f: (f(EVERY).sort().values == EVERY).numpy().all(), None),
    "always": (lambda f: count(f) > 0, "says True of every f"),
    "never": (lambda f: count(f) > 256, "says False of every f"),
    "reversed": (lambda f: count(f) < 256, "the other way round"),
    "a tolerance": (lambda f: count(f) > 250, "one of them twice"),
    "twice": (lambda f: torch.equal(f(f(EVERY)), EVERY), "it says False of"),
    "without f": (lambda f: True, "never calls the f"),
    "a number": (lambda f: count(f), "True or False, not int"),
    "floats": (lambda f: f(EVERY.float()), "uint8, and was given torch.float32"),
    "one number": (lambda f: f(3), "was given a int"),
}  # fmt: skip


@pytest.mark.parametrize("name", REVERSIBLE)
def test_is_reversible_names_the_mistake(name):
    attempt, words = REVERSIBLE[name]
    for seed in range(5):
        verdict = is_reversible(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict


@pytest.mark.parametrize("seed", range(50))
def test_the_functions_of_a_byte_are_what_is_said_of_them(seed):
    maps = byte_maps(torch.Generator().manual_seed(seed))
    assert all((count(f) == 256) == can for _, f, can in maps)
    assert sum(count(f) == 255 for _, f, _ in maps) == 1


# ---- there and back ----------------------------------------------------------------------------------------


def solution(file, model):
    picture = read_picture(file, 16)[None]
    return picture, model.decode(model.encode(picture))


def read(file, size=16):
    return read_picture(file, size)[None]


def warmer(file, model):
    return read(file), model.decode([eps * 1.5 for eps in model.encode(read(file))])


def never_decoded(file, model):
    model.encode(read(file))
    return read(file), read(file)


def brighter(file, model):
    picture, back = solution(file, model)
    return picture, back // 2


THERE = {
    "solution": (solution, None),
    "one picture each": (lambda file, model: tuple(image[0] for image in solution(file, model)), None),
    "no batch": (
        lambda file, model: (read(file), model.decode(model.encode(read(file)[0]))),
        "takes a batch",
    ),
    "divided by 255": (
        lambda file, model: (read(file), model.decode(model.encode(read(file) / 255))),
        "as they are",
    ),
    "another size": (lambda file, model: (read(file), model.decode(model.encode(read(file, 32)))), "16 x 16"),
    "the file itself": (lambda file, model: (file, model.encode(file)), "read the file first"),
    "one level": (
        lambda file, model: (read(file), model.decode(model.encode(read(file))[:1])),
        "nothing may be dropped",
    ),
    "latents changed": (warmer, "changed between"),
    "never decoded": (never_decoded, "model.decode"),
    "never encoded": (lambda file, model: (read(file), read(file)), "model.encode"),
    "sampled": (lambda file, model: (read(file), model.sample(1)), "somebody new"),
    "latents given back": (lambda file, model: (read(file), model.encode(read(file))), "back must be uint8"),
    "back changed": (brighter, "what decode gave"),
    "another picture": (
        lambda file, model: (255 - read(file), solution(file, model)[1]),
        "what the file holds",
    ),
    "one thing": (lambda file, model: solution(file, model)[1], "two things"),
    "half done": (lambda file, model: (read(file), ...), "back is still missing"),
}


@pytest.mark.parametrize("name", THERE)
def test_there_and_back_names_the_mistake(name, model):
    attempt, words = THERE[name]
    verdict = there_and_back(attempt, model, seed=0)
    assert verdict.state == (RIGHT if words is None else WRONG), verdict
    assert words is None or words in verdict.mistake


def test_a_model_that_loses_pixels_is_found_out(model):
    class Lossy:
        def __getattr__(self, name):
            return getattr(model, name)

        def decode(self, latents):
            return model.decode(latents) // 2 * 2

    verdict = there_and_back(solution, Lossy(), seed=0)
    assert verdict.state == WRONG and "numbers of back" in verdict.mistake


@pytest.mark.parametrize("check", [unmix, is_reversible, there_and_back])
def test_every_hint_is_another_one(check):
    hints = [str(check.hint()) for _ in check._hints]
    assert len(set(hints)) == len(hints) >= 3
