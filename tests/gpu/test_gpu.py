"""On a GPU: every pixel back, gradients three ways, a training that goes on exactly, bfloat16 where it belongs.

Skipped without one; GLOWLITE_TEST_DEVICE=cpu tries the same on a CPU.
"""

import math
import os
from dataclasses import replace

import pytest
import torch

from benchmarks.gpu_record import peak_of
from glowlite import checkpoint, evaluation, latents
from glowlite.data import faces
from glowlite.errors import GlowliteError
from glowlite.flows import ActNorm, Coupling
from glowlite.flows.reversible import MEMORY, set_memory
from glowlite.fusion import fuse
from glowlite.glow import PRESETS, Glow, GlowConfig
from glowlite.training import config as runs
from glowlite.training.config import TrainConfig
from glowlite.training.loop import Trainer, train
from tests.glowlite.flows.test_reversible import PICTURES, far, gradients, trained
from tests.glowlite.training.test_loop import NoStop, history, stop_after

DEVICE = torch.device(os.environ.get("GLOWLITE_TEST_DEVICE", "cuda"))
GPU = DEVICE.type == "cuda"
pytestmark = [pytest.mark.gpu, pytest.mark.skipif(GPU and not torch.cuda.is_available(), reason="there is no GPU")]
gpu_only = pytest.mark.skipif(not GPU, reason="only a GPU tells its memory")


@pytest.fixture(autouse=True)
def exact(monkeypatch):
    """Convolutions as trainings in float32 have them, and the same every time."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)


def settings(out, **changes) -> TrainConfig:
    values = {"model": PRESETS["tiny"], "images": 96, "batch": 8, "warmup": 24, "init_batch": 32, "log_every": 8}
    values |= {"validate_every": 32, "validation_count": 8, "accelerator": "cuda" if GPU else "cpu", "ema": 64}
    return TrainConfig(out=str(out), **values | changes)


@pytest.mark.parametrize("name", ["faces64", "portraits64"])
def test_every_pixel_comes_back_even_where_convolutions_may_round_to_tf32(name, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)  # as PyTorch has it
    model = checkpoint.load(name, DEVICE)
    noise = torch.randint(0, 256, (8, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    harsh = (noise > 127).to(torch.uint8) * 255
    flat = torch.full((2, 3, 64, 64), 255, dtype=torch.uint8)
    for images in (faces.draw(16, seed=5).images, noise, harsh, flat):
        eps = model.encode(images.to(DEVICE))
        assert all(part.device.type == DEVICE.type for part in eps)
        assert torch.equal(model.decode(eps).cpu(), images)


def test_a_fused_model_and_the_cpu_decode_the_same():
    model, here = checkpoint.load("faces64", DEVICE), checkpoint.load("faces64")
    eps = [0.7 * part for part in latents.sample_eps(here.latent_shapes, 4, torch.Generator().manual_seed(0))]
    there = [part.to(DEVICE) for part in eps]
    for x in (model.inverse(there), fuse(model).inverse(there)):
        assert (x.cpu() - here.inverse(eps)).abs().max() < 1e-3
    images = faces.draw(4, seed=5).images
    bpd = [evaluation.bits_per_dim(each, images.to(each.device)).mean().item() for each in (model, here)]
    assert bpd[0] == pytest.approx(bpd[1], abs=0.02)  # of other noise


@pytest.mark.parametrize("pictures", PICTURES)
@pytest.mark.parametrize("memory", MEMORY[1:])
@pytest.mark.parametrize(("dtype", "most"), [(torch.float64, 1e-8), (torch.float32, 1e-4)])
def test_gradients_are_those_of_stored_activations_and_of_the_cpu(memory, pictures, dtype, most):
    model, x = trained(dtype), PICTURES[pictures]().to(dtype)
    wanted = gradients(model, x, "stored")
    found = {name: gradient.cpu() for name, gradient in gradients(model.to(DEVICE), x.to(DEVICE), memory).items()}
    assert far(found, wanted) < 10 * most
    model.to(DEVICE)
    stored = {name: gradient.clone() for name, gradient in gradients(model, x.to(DEVICE), "stored").items()}
    assert far(gradients(model, x.to(DEVICE), memory), stored) < most


@gpu_only
def test_reversible_memory_does_not_grow_with_depth():
    peaks = {}
    for depth in (4, 32):
        model = Glow(GlowConfig((3, 32, 32), 1, depth, 64)).to(DEVICE)
        x = torch.rand(64, 3, 32, 32, device=DEVICE) - 0.5
        model.initialize(x)
        for memory in ("stored", "reversible"):
            set_memory(model, memory)
            model.train().zero_grad()
            with peak_of(DEVICE) as found:
                model.log_density(x).mean().backward()
            peaks[memory, depth] = found["peak"] - sum(w.grad.nbytes for w in model.parameters()) / 2**20
    assert peaks["reversible", 32] < 1.3 * peaks["reversible", 4]
    assert peaks["stored", 32] > 4 * peaks["stored", 4]


@pytest.mark.parametrize("optimizer", ["muon", "adamax"])
@pytest.mark.parametrize("memory", MEMORY)
def test_a_training_goes_on_exactly(tmp_path, memory, optimizer):
    config = settings(tmp_path / "whole", memory=memory, optimizer=optimizer, precision="bf16", flip=True)
    train(config, progress=False)
    broken = replace(config, out=str(tmp_path / "broken"))
    stop_after(broken, 5)
    train(broken, resume=True, progress=False)
    assert history(tmp_path / "broken") == history(tmp_path / "whole")
    whole, again = (runs.read_run(tmp_path / name)[0] for name in ("whole", "broken"))
    assert [name for name in whole if not torch.equal(whole[name], again[name])] == []


@pytest.mark.parametrize("memory", MEMORY)
def test_bfloat16_is_for_the_couplings_networks_alone(tmp_path, memory):
    trainer = Trainer(settings(tmp_path, precision="bf16", memory=memory), progress=False)
    inside, outside = set(), set()
    for module in trainer.glow.modules():
        if isinstance(module, Coupling):
            module.network.last.register_forward_hook(lambda module, given, out: inside.add(out.dtype))
            module.register_forward_hook(lambda module, given, out: outside.update(part.dtype for part in out))
    for level in trainer.glow.levels:
        level.split.register_forward_hook(lambda module, given, out: outside.update(part.dtype for part in out))
    trainer.step(NoStop)
    assert inside == {torch.bfloat16} and outside == {torch.float32}
    assert all(weight.grad.dtype == torch.float32 for weight in trainer.glow.parameters())


def test_a_weight_that_is_not_finite_is_named_and_the_state_kept(tmp_path):
    trainer = Trainer(settings(tmp_path, checkpoint_minutes=0), progress=False)
    trainer.step(NoStop)
    trainer.save()
    name, norm = next((name, module) for name, module in trainer.glow.named_modules() if isinstance(module, ActNorm))
    norm.b.data[0] = math.nan
    with pytest.raises(GlowliteError, match=f"first in the parameter {name}.b; the last good state is"):
        trainer.fit(NoStop)
    assert runs.read_run(tmp_path)[1]["images"] == 8
