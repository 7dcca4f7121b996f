"""Notes, meters and the Glow of notes: what is known of a note is heard, and every sample comes back."""

import pytest
import torch

from glowlab.sound import flow, notes
from glowlite import pixels
from glowlite.errors import GlowliteError
from glowlite.flows import Chain


def trained_a_little(form, coupling="additive"):
    """A small model whose ActNorms are set and whose weights are far from the start."""
    model = flow.NoteFlow(form, coupling, depth=2, width=8, levels=2)
    with torch.no_grad():
        model.train()(pixels.dequantize(notes.draw(32).notes, generator=torch.Generator().manual_seed(0)))
        for number, weight in enumerate(model.parameters()):
            weight += 0.02 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(number))
    return model.eval()


def test_notes_are_the_same_for_the_same_seed_and_lie_in_range():
    one, other = notes.draw(4, seed=3), notes.draw(4, seed=3)
    assert torch.equal(one.notes, other.notes) and torch.equal(one.attributes, other.attributes)
    assert one.notes.shape == (4, 1, 1, notes.LENGTH) and one.notes.dtype == torch.uint8
    assert 10 < one.notes.min() and one.notes.max() < 245, "nothing is cut off"


def test_the_meter_of_pitch_is_right_to_a_tenth_of_a_cent():
    sounds, attributes = notes.draw(128, seed=5)
    assert (notes.pitch(sounds) - 200 * attributes[:, 0]).abs().max() < 0.1


@pytest.mark.parametrize("name", notes.ATTRIBUTES)
def test_each_meter_follows_its_own_attribute(name):
    which = notes.ATTRIBUTES.index(name)
    attributes = torch.zeros(5, 4)
    attributes[:, which] = torch.linspace(-1, 1, 5)
    heard = notes.measure(notes.play(attributes, torch.Generator().manual_seed(0)))
    assert (heard[name].diff() > 0).all()
    for other in set(notes.ATTRIBUTES) - {name}:
        spread = (heard[other].max() - heard[other].min()).item()
        assert spread < {"pitch": 0.2, "loudness": 0.3, "brightness": 0.15, "attack": 8}[other], other


@pytest.mark.parametrize("form", flow.FORMS)
@pytest.mark.parametrize("coupling", ["additive", "affine"])
def test_every_sample_comes_back(form, coupling):
    sounds = notes.draw(8, seed=1).notes
    model = trained_a_little(form, coupling)
    assert torch.equal(model.decode(model.encode(sounds)), sounds)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(flow.Spectrum(), (2, 16, 1, 3)), (flow.Turns(), (2, 16, 1, 3)), (flow.Haar(), (2, 4, 1, 6)),
     (flow.Frames(), (2, 1, 1, 32)), (Chain(flow.Frames(), flow.Spectrum(), flow.Turns()), (1, 1, 1, 48))],
)  # fmt: skip
def test_the_log_det_of_each_layer_is_that_of_its_jacobian(layer, shape):
    layer = layer.double()
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z, log_det = layer(x)
    assert torch.allclose(layer.inverse(z), x, atol=1e-6)  # the table of the rotation is float32
    size = x[0].numel()
    jacobian = torch.autograd.functional.jacobian(
        lambda one: layer(one.view(1, *shape[1:]))[0].flatten(), x[0].flatten()
    )
    assert log_det[0] == pytest.approx(torch.linalg.slogdet(jacobian.view(size, size))[1].item(), abs=1e-6)


def test_a_sharper_tone_turns_more_in_each_frame():
    time = torch.arange(notes.LENGTH) / notes.RATE
    for cents in (-100.0, 0.0, 150.0):
        hertz = notes.CENTRE * 2 ** (cents / 1200)
        wave = torch.sin(2 * torch.pi * hertz * time).view(1, 1, 1, -1)
        turns = Chain(flow.Frames(), flow.Spectrum(), flow.Turns())(wave)[0]
        first = turns[0, 2 + 7, 0, 1:].mean().item()  # of the first harmonic, after 7 lengths
        assert first == pytest.approx(2 * torch.pi * (hertz / notes.CENTRE - 1), abs=0.02)


def test_directions_find_what_moves_with_an_attribute_and_drop_chance():
    generator = torch.Generator().manual_seed(0)
    attributes = 2 * torch.rand(2000, 4, generator=generator) - 1
    eps = torch.randn(2000, 3, 1, 2, generator=generator)
    eps[:, 1, 0, 0] += 2 * attributes[:, 0]
    (found,) = flow.find_directions([eps], attributes)
    assert found[0, 1, 0, 0] == pytest.approx(2, abs=0.15)
    assert found.count_nonzero() <= 2
    moved = flow.move([eps], [found], "pitch", 0.5)
    assert (moved[0] - eps)[:, 1, 0, 0].mean() == pytest.approx(1, abs=0.1)


def test_a_saved_model_is_the_same_and_a_missing_one_is_a_sentence(tmp_path):
    model = flow.halved(trained_a_little("turns"))
    directions = [torch.ones(4, *eps.shape[1:]) for eps in model.encode(notes.draw(1).notes)]
    flow.save(model, directions, {"model": model.settings}, tmp_path / "notes.safetensors")
    again, found = flow.load(tmp_path / "notes.safetensors")
    sounds = notes.draw(3, seed=2).notes
    assert all(torch.equal(a, b) for a, b in zip(model.encode(sounds), again.encode(sounds), strict=True))
    assert all(map(torch.equal, directions, found))
    with pytest.raises(GlowliteError, match="benchmarks.notes --train"):
        flow.load(tmp_path / "none.safetensors")
    with pytest.raises(GlowliteError, match="unknown form"):
        flow.NoteFlow("picture")


def test_the_shipped_model_moves_pitch_and_loses_no_sample():
    model, directions = flow.load()
    sounds = notes.draw(16, seed=9).notes
    latents = model.encode(sounds)
    assert torch.equal(model.decode(latents), sounds)
    before = notes.pitch(sounds)
    for cents in (-100, 100):
        moved = notes.pitch(model.decode(flow.move(latents, directions, "pitch", cents / 200))) - before
        assert 0.7 < (moved.median() / cents).item() < 1.3


def test_a_sound_to_hear_is_as_long_as_the_notes_and_their_gaps():
    heard = notes.audio(notes.draw(2).notes)
    assert len(heard.data) == 44 + 2 * 2 * 2 * (notes.LENGTH + notes.LENGTH // 4)  # a head, then 16 bits a sample
