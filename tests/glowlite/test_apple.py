"""Apple's GPUs, by emulation: everything that computes on the model's device does without float64, which they refuse.

A tensor "on the GPU" is a real one on the CPU in a wrapper that says "mps". Whatever would make it float64 raises the
TypeError that PyTorch raises on such a Mac, and so does a product of tensors on two devices.
"""

from contextlib import nullcontext

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

from glowlite import evaluation, latents, pixels
from glowlite.fusion import fuse
from glowlite.glow import PRESETS, Glow, GlowConfig
from glowlite.training import loop
from glowlite.training.config import TrainConfig

GPU = torch.device("mps", 0)
RESTS = ("aten::_to_copy", "aten::copy_", "aten::index.Tensor", "aten::index_put_")  # take tensors of two devices


class OnGPU(torch.Tensor):
    """A tensor that says it is on the GPU, around a real one."""

    @staticmethod
    def __new__(cls, real):
        if real.dtype == torch.float64:
            raise TypeError(
                "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64."
            )
        strides, start = real.stride(), real.storage_offset()
        return torch.Tensor._make_wrapper_subclass(
            cls, real.shape, strides=strides, storage_offset=start, dtype=real.dtype, device="meta"
        )

    def __init__(self, real):
        self.inner = real

    def __repr__(self):
        return f"OnGPU({self.inner})"

    device = property(lambda self: GPU)  # PyTorch's own code, which has no such GPU here, takes it for "meta"
    is_meta = False

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function is torch.Tensor.new_tensor:  # PyTorch makes it without any operator
            return torch.tensor(args[1], dtype=args[0].dtype).to(GPU)
        if function is torch.Tensor.tolist:
            return args[0].inner.tolist()
        with torch._C.DisableTorchFunctionSubclass():
            return function(*args, **(kwargs or {}))

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return run(function, args, kwargs or {})


def run(function, args, kwargs):
    """Run an operator on the real tensors, and wrap what belongs on the GPU."""
    given = [each for each in tree_flatten((args, kwargs))[0] if isinstance(each, torch.Tensor)]
    name = function._schema.name
    mine = [each for each in given if isinstance(each, OnGPU)]
    others = [each for each in given if not isinstance(each, OnGPU) and each.dim()]
    if mine and others and not any(name == rest.partition(".")[0] for rest in RESTS) and "foreach" not in name:
        raise RuntimeError(f"Expected all tensors to be on the same device, but found mps and cpu in {name}")
    target = kwargs.get("device")
    # "meta" is what PyTorch's own code takes our GPU for; who makes a tensor there means tensors without memory.
    there = ("mps", "meta") if name == "aten::_to_copy" else ("mps",)
    on_gpu = bool(mine) if target is None else torch.device(target).type in there
    if name == "aten::copy_":
        on_gpu = isinstance(args[0], OnGPU)
    real_args, real_kwargs = tree_map(
        lambda each: each.inner if isinstance(each, OnGPU) else each, (args, dict(kwargs))
    )
    if target is not None and on_gpu:
        real_kwargs["device"] = torch.device("cpu")
    result = function(*real_args, **real_kwargs)
    known = {id(each.inner): each for each in mine}  # what is changed in place stays the tensor that it was

    def wrap(each):
        if not isinstance(each, torch.Tensor):
            return each
        return known[id(each)] if id(each) in known else OnGPU(each) if on_gpu else each

    return tree_map(wrap, result)


class Mac(TorchDispatchMode):
    """While it is on, tensors can be made on the GPU and moved there."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return run(function, args, kwargs or {})


class Fabric:
    """The part of Fabric that a training on one device uses."""

    device, is_global_zero, global_rank, world_size = GPU, True, 0, 1

    def setup(self, model, optimizer):
        model.mark_forward_method = lambda name: None
        return model, optimizer

    def backward(self, loss):
        loss.backward()

    def clip_gradients(self, model, optimizer, max_norm, error_if_nonfinite):
        return torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm, foreach=False)

    def broadcast(self, values):
        return values

    def rank_zero_first(self, local):
        return nullcontext()

    def no_backward_sync(self, model, enabled):
        return nullcontext()


@pytest.fixture
def mac(monkeypatch):
    """A Mac with a GPU; generators of random numbers are the CPU's, for want of others."""
    seeded = evaluation.generator

    def generator(device, *numbers):
        return seeded("cpu", *numbers)

    for module in (evaluation, loop):
        monkeypatch.setattr(module, "generator", generator)
    monkeypatch.setattr("glowlite.training.stream.generator", generator)
    with Mac():
        yield


def images(count=8):
    return torch.randint(0, 256, (count, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_the_emulation_refuses_float64_and_mixed_devices(mac):
    here = torch.ones(3)
    there = here.to(GPU)
    assert there.device == GPU and (there + 1).device == GPU and there.cpu().device.type == "cpu"
    for wrong in (
        lambda: there.double(),
        lambda: here.double().to(GPU),
        lambda: torch.zeros(3, dtype=torch.float64, device=GPU),
        lambda: torch.empty_like(there, dtype=torch.float64),
    ):
        with pytest.raises(TypeError, match="float64"):
            wrong()
    with pytest.raises(RuntimeError, match="same device"):
        there + here
    assert torch.equal(there.cpu().double(), here.double())


@pytest.mark.parametrize("permutation", ["lu", "plain", "shuffle", "reverse"])
def test_a_model_computes_on_an_apple_gpu_what_it_computes_on_the_cpu(mac, permutation):
    model = Glow(GlowConfig((3, 16, 16), levels=2, depth=2, width=16, permutation=permutation)).to(GPU)
    noisy = pixels.dequantize(images(), 8, torch.Generator().manual_seed(0))
    model.initialize(noisy.to(GPU))
    assert model.device == GPU
    same = Glow(model.config)
    same.load_state_dict({name: value.cpu() for name, value in model.state_dict().items()})
    same.eval(), model.eval()
    there, here = model.encode(images().to(GPU)), same.encode(images())
    for a, b in zip(there, here, strict=True):
        assert a.device == GPU and torch.allclose(a.cpu(), b, atol=1e-4)
    assert torch.equal(model.decode(there).cpu(), images())
    bpd = evaluation.bits_per_dim(model, images().to(GPU))
    assert bpd.dtype == torch.float64 and torch.allclose(bpd, evaluation.bits_per_dim(same, images()), atol=1e-4)
    assert model.sample(2, 0.7, torch.Generator().manual_seed(0)).device == GPU
    assert model.log_prob(images().to(GPU)).device == GPU


def test_latents_directions_and_a_fused_model_do_without_float64(mac):
    a, b = ([torch.randn(4, *shape).to(GPU) for shape in ((6, 8, 8), (24, 4, 4))] for _ in range(2))
    half = latents.slerp(a, b, 0.5)
    assert all(x.device == GPU for x in half)
    for x, y in zip(half, latents.slerp([x.cpu() for x in a], [x.cpu() for x in b], 0.5), strict=True):
        assert torch.allclose(x.cpu(), y, atol=1e-6)
    labels = {"smile": torch.tensor([-1.0, 0.0, 1.0, 2.0]), "age": torch.tensor([0.0, 1.0, 1.0, -1.0]).to(GPU)}
    found = latents.directions(a, labels)
    assert found["smile"][0].device == GPU and latents.add(a, found["age"], torch.ones(4).to(GPU))[1].device == GPU
    assert latents.effective_temperature(a).device == latents.mean_difference(a, labels["smile"] > 0)[0].device == GPU
    features = torch.randn(40, 5).to(GPU)
    assert evaluation.frechet_distance(features, features) < 1e-6
    model = Glow(PRESETS["tiny"]).to(GPU)
    model.initialize(torch.rand(8, 3, 16, 16).to(GPU) - 0.5)
    drawn = [x.to(GPU) for x in latents.sample_eps(model.latent_shapes, 2)]
    assert (fuse(model).inverse(drawn) - model.eval().inverse(drawn)).abs().max().cpu() < 1e-4


@pytest.mark.parametrize(
    ("optimizer", "memory"),
    [("muon", "stored"), ("adamw", "stored"), ("adamax", "stored"), ("muon", "checkpointed"), ("muon", "reversible")],
)
def test_a_run_trains_on_an_apple_gpu_and_goes_on(mac, monkeypatch, tmp_path, optimizer, memory):
    monkeypatch.setattr(loop, "start_fabric", lambda config: Fabric())
    drawn = images(64)
    for place in ("batch", "first", "held_out"):
        monkeypatch.setattr(
            f"glowlite.training.stream.FaceStream.{place}",
            lambda self, number, place=place: drawn[: number if place != "batch" else 8].to(GPU),
        )
    config = TrainConfig(
        PRESETS["tiny"], str(tmp_path), images=16, batch=8, init_batch=32, validation_count=8, log_every=8,
        optimizer=optimizer, memory=memory, flip=True, channels_last=False,
    )  # fmt: skip
    assert loop.train(config, progress=False).images == 16
    longer = TrainConfig(**{**config.__dict__, "images": 24})
    assert loop.train(longer, resume=True, progress=False).val_bpd > 0
