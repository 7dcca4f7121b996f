"""What the kernel answers a page that leaves the computing to it, and which models do so of themselves."""

import json

import pytest
import torch
import traitlets

from benchmarks import exactness
from glowlab.web import kernel
from glowlab.web.widgets import EXPLORERS, TemperatureExplorer
from glowlite.errors import GlowliteError
from glowlite.glow import Glow, GlowConfig

SHAPE = (3, 16, 16)


def ready(shape=SHAPE, **more) -> Glow:
    """A model, of a configuration that no page computes unless `more` says otherwise."""
    torch.manual_seed(0)
    model = Glow(GlowConfig(shape, **{"levels": 2, "depth": 1, "width": 4, "edge": True, "scale": "sigmoid"} | more))
    model.initialize(torch.rand(16, *shape) - 0.5)
    return model.eval()


def ask(made, kind: str, *tensors: torch.Tensor) -> tuple[dict, list[bytes]]:
    """What a page gets for an answer."""
    sent = []
    made.send = lambda *answer: sent.append(answer)
    made._answer(made, {"kind": kind, "id": 0.25}, [memoryview(values.numpy().tobytes()) for values in tensors])
    ((message, buffers),) = sent
    assert message.pop("id") == 0.25
    json.dumps(message, allow_nan=False)
    return message, buffers


def test_what_a_page_cannot_compute_is_left_to_the_kernel(monkeypatch):
    plain = ready(edge=False, scale="bounded")
    engines = [[made(model).engine for made in EXPLORERS.values()] for model in (plain, ready())]
    assert engines == [["page"] * 4, ["kernel"] * 4]
    monkeypatch.setattr(kernel, "MOST", sum(p.numel() for p in plain.parameters()))
    assert TemperatureExplorer(plain).engine == "page"
    monkeypatch.setattr(kernel, "MOST", kernel.MOST - 1)
    assert TemperatureExplorer(plain).engine == "kernel"


def test_one_may_choose_the_engine():
    assert TemperatureExplorer(ready(edge=False, scale="bounded"), engine="kernel").engine == "kernel"
    both = TemperatureExplorer("faces64", models="models/faces64.bin", engine="kernel")
    assert (both.engine, both.models) == ("kernel", "")
    with pytest.raises(traitlets.TraitError):
        TemperatureExplorer(ready(), engine="abacus")
    message, _ = ask(TemperatureExplorer(ready(), engine="page"), "weights")
    assert message["error"].startswith("a page cannot show this model")
    message, _ = ask(TemperatureExplorer(ready((2, 16, 16)), engine="kernel"), "weights")
    assert message["error"].endswith("those of this model have 2 channels")


def test_a_page_cannot_change_the_engine():
    made = TemperatureExplorer(ready())
    made.set_state({"engine": "page"})
    assert made.engine == "kernel"


def test_a_dashboards_kernel_answers_nothing():
    made = TemperatureExplorer("faces64", models="models/faces64.bin")
    made.send = lambda *answer: pytest.fail("it answered")
    made._answer(made, {"kind": "encode", "id": 1}, [bytes(64 * 64 * 3)])


def test_pictures_there_and_back():
    made = TemperatureExplorer(ready())
    generator = torch.Generator().manual_seed(0)
    images = torch.cat([make(2, 16, generator) for make in (exactness.noise, exactness.extremes)])
    for image in images:
        flat = image.permute(1, 2, 0).contiguous()
        _, buffers = ask(made, "encode", flat)
        latents = made.model.encode(image[None])
        assert buffers == [eps.numpy().tobytes() for eps in latents]
        message, (content,) = ask(made, "draw", *latents)
        assert content == flat.numpy().tobytes() and message == {"clamped": 0.0}
        message, _ = ask(made, "bitsPerDim", flat)
        assert message == {"bits": made.model.bits_per_dim(image[None]).item()}


def test_latents_of_doubles_stay_doubles(monkeypatch):
    made = TemperatureExplorer(ready())
    latents = [torch.randn(1, *shape) for shape in made.model.latent_shapes]
    kinds = []
    monkeypatch.setattr(
        made.model, "inverse", lambda given: kinds.append([e.dtype for e in given]) or torch.zeros(1, *SHAPE)
    )
    for one, other in ((0, 0), (1, 0), (0, 1)):
        ask(made, "draw", *[eps.double() if double else eps for eps, double in zip(latents, (one, other), strict=True)])
    assert kinds == [[torch.float32] * 2, [torch.float64] * 2, [torch.float64] * 2]


def test_numbers_that_are_not_finite_are_none():
    made = TemperatureExplorer(ready())
    far = [torch.full((1, *shape), 3e38) for shape in made.model.latent_shapes]
    assert ask(made, "draw", *far)[0] == {"clamped": None}
    made.model.bits_per_dim = lambda images: torch.tensor([torch.nan])
    assert ask(made, "bitsPerDim", torch.zeros(16, 16, 3, dtype=torch.uint8))[0] == {"bits": None}


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (GlowliteError("Take another."), "Take another."),
        (RuntimeError("CUDA out of memory.\nTried"), "The notebook's kernel failed: CUDA out of memory."),
        (MemoryError(), "The notebook's kernel failed: MemoryError"),
    ],
)
def test_an_error_is_one_sentence(error, sentence):
    made = TemperatureExplorer(ready())

    def fail(images):
        raise error

    made.model.bits_per_dim = fail
    assert ask(made, "bitsPerDim", torch.zeros(16, 16, 3, dtype=torch.uint8)) == ({"error": sentence}, [])


def test_no_weights_are_sent():
    for model in (ready(edge=False, scale="bounded"), ready(), ready((1, 8, 8))):
        _, (content,) = ask(TemperatureExplorer(model, engine="kernel"), "weights")
        head = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        assert not [name for name in head if name.startswith("levels.")]
        assert json.loads(head["__metadata__"]["glow"])["latent_shapes"] == [list(s) for s in model.latent_shapes]
