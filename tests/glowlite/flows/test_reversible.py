"""Three ways to remember for the backward pass: equal gradients, less memory, and a way back that is watched."""

import copy
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from glowlite.data import faces
from glowlite.errors import GlowliteError
from glowlite.flows import ActNorm, Chain, InvertibleConv1x1LU, reversible
from glowlite.flows.coupling import Coupling
from glowlite.flows.reversible import set_memory
from glowlite.glow import Glow, GlowConfig
from glowlite.training.config import TrainConfig, continued
from glowlite.training.loop import Trainer, set_precision

PICTURES = {
    "faces": lambda: faces.draw(4, 16).images / 256 - 0.5,
    "noise": lambda: torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(1)) - 0.5,
    "flat": lambda: torch.full((4, 3, 16, 16), 0.25),
}


def trained(dtype=torch.float64, **changes) -> Glow:
    """A model whose weights are far from their start, so that every layer has a gradient."""
    settings = {"levels": 2, "depth": 3, "width": 8} | changes
    model = Glow(GlowConfig((3, 16, 16), **settings)).to(dtype)
    model.initialize((faces.draw(64, 16, seed=3).images / 256 - 0.5).to(dtype))
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.05 * torch.randn(weight.shape, generator=generator, dtype=torch.float64).to(dtype)
    return model.train()


def gradients(model: Glow, x: torch.Tensor, memory: str) -> dict[str, torch.Tensor]:
    """Gradients of the loss by x and by every weight."""
    set_memory(model, memory)
    model.zero_grad()
    x = x.clone().requires_grad_()
    model.log_density(x).mean().backward()
    return {"x": x.grad, **{name: weight.grad for name, weight in model.named_parameters()}}


def far(found: dict, wanted: dict) -> float:
    """The largest relative distance of the gradients of a weight."""
    assert found.keys() == wanted.keys()
    return max(((found[name] - right).norm() / right.norm().clamp(min=1e-12)).item() for name, right in wanted.items())


@pytest.mark.parametrize("pictures", PICTURES)
@pytest.mark.parametrize("memory", reversible.MEMORY[1:])
@pytest.mark.parametrize(("dtype", "most"), [(torch.float64, 1e-8), (torch.float32, 1e-4)])
def test_gradients_are_those_of_stored_activations(memory, pictures, dtype, most):
    model, x = trained(dtype), PICTURES[pictures]().to(dtype)
    assert far(gradients(model, x, memory), gradients(model, x, "stored")) < most


@pytest.mark.parametrize(
    "changes",
    [
        {"permutation": "reverse", "coupling": "additive"},
        {"permutation": "plain", "scale": "sigmoid"},
        {"permutation": "shuffle", "clamp": 1.0},
        {"permutation": "reverse", "checkerboard": 2, "depth": (2, 0)},
        {"permutation": "lu", "checkerboard": 2, "coupling": "additive"},
    ],
    ids=lambda changes: "-".join(map(str, changes.values())),
)
def test_every_kind_of_layer_goes_back(changes):
    model, x = trained(**changes), PICTURES["faces"]().double()
    for memory in reversible.MEMORY[1:]:
        assert far(gradients(model, x, memory), gradients(model, x, "stored")) < 1e-8


def test_with_networks_in_bfloat16_the_way_back_adds_less_error_than_bfloat16_itself():
    model, x = trained(torch.float32), PICTURES["faces"]()
    exact = gradients(model, x, "stored")
    set_precision(model, "bf16")
    stored = gradients(model, x, "stored")
    assert far(gradients(model, x, "reversible"), stored) < 0.5 * far(exact, stored)


def test_a_network_runs_once_more_and_not_twice(monkeypatch):
    model, x, calls = trained(), PICTURES["faces"]().double(), []
    right = Coupling.scale_and_shift
    monkeypatch.setattr(Coupling, "scale_and_shift", lambda self, half: calls.append(self) or right(self, half))
    gradients(model, x, "reversible")
    assert len(calls) == 2 * 6


def stored_values(model: Glow, x: torch.Tensor, memory: str) -> int:
    """How many values the graph keeps for the backward pass; weights do not count."""
    set_memory(model, memory)
    kept, own = {}, {weight.data_ptr() for weight in model.parameters()}

    def pack(tensor):
        if tensor.data_ptr() not in own and len(tensor) == len(x):
            kept[tensor.data_ptr(), tensor.shape] = tensor.numel()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model.log_density(x)
    return sum(kept.values())


def test_what_is_kept_does_not_grow_with_depth():
    x = PICTURES["faces"]().double()
    kept = {
        memory: [stored_values(trained(depth=depth), x, memory) for depth in (2, 8)] for memory in reversible.MEMORY
    }
    assert kept["reversible"][0] == kept["reversible"][1]
    assert kept["reversible"][1] < kept["checkpointed"][1] < kept["stored"][1] / 3
    assert kept["stored"][1] > 3 * kept["stored"][0]


def explode(model: Glow) -> Glow:
    """A model whose first level shrinks its input a thousandfold, then adds so much that the digits are lost."""
    with torch.no_grad():
        for step in model.levels[0].steps.flows[1:]:
            step.flows[0].log_s -= 2.5
            step.flows[0].b += 1e4
    return model


def test_where_the_way_back_fails_gradients_are_nan_and_never_wrong():
    model, x = explode(trained(torch.float32)), PICTURES["noise"]()
    assert all(value.isfinite().all() for value in gradients(model, x, "stored").values())
    found = gradients(model, x, "reversible")
    assert found["x"].isnan().all()
    for name, gradient in found.items():
        assert gradient.isnan().all() == name.startswith(("x", "levels.0.steps."))


def test_a_way_back_that_misses_by_a_thousandth_counts_as_failed():
    model, x = trained(torch.float32), PICTURES["faces"]()
    right = ActNorm.inverse
    for error, fails in ((1e-6, False), (1e-3, True)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ActNorm, "inverse", lambda self, z, error=error: right(self, z) + error)
            assert gradients(model, x, "reversible")["x"].isnan().all() == fails


def test_frozen_weights_get_no_gradient_and_a_flow_used_twice_gets_both():
    norm = ActNorm(4)
    chain = Chain(norm, Coupling(4, width=8), InvertibleConv1x1LU(4), norm).double()
    x = torch.randn(8, 4, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    chain(x)
    chain.flows[1].requires_grad_(False)
    found = {}
    for memory in reversible.MEMORY:
        chain.zero_grad()
        z, log_det = reversible.run(chain, x, memory)
        (z.square().sum() - log_det.sum()).backward()
        found[memory] = {name: weight.grad for name, weight in chain.named_parameters() if weight.requires_grad}
    assert all(weight.grad is None for weight in chain.flows[1].parameters())
    assert far(found["reversible"], found["stored"]) < 1e-8 and far(found["checkpointed"], found["stored"]) < 1e-8


def test_an_unknown_memory_is_refused():
    with pytest.raises(GlowliteError, match="unknown memory 'none': choose one of stored, checkpointed, reversible"):
        set_memory(trained(), "none")


# ---- in training ---------------------------------------------------------------------------------


def settings(out, **changes) -> TrainConfig:
    counts = {"images": 64, "batch": 8, "warmup": 8, "ema": 32, "init_batch": 32, "validation_count": 8}
    model = GlowConfig((3, 16, 16), levels=2, depth=2, width=8)
    return TrainConfig(model, str(out), accelerator="cpu", threads=1, **counts | changes)


class NoStop:
    signal = 0


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_training_takes_the_same_steps_with_clipping_and_average(tmp_path, precision):
    steps, averages = {}, {}
    for memory in reversible.MEMORY:
        trainer = Trainer(
            settings(tmp_path / memory, memory=memory, precision=precision, clip=0.5, optimizer="adamw"), progress=False
        )
        assert {level.memory for level in trainer.glow.levels} == {memory}
        steps[memory] = torch.tensor([trainer.step(NoStop)[:2] for _ in range(6)])
        averages[memory] = torch.cat([weight.flatten() for weight in trainer.average.parameters()])
    assert steps["stored"][:, 1].min() > 0.5, "every step is clipped"
    for memory in reversible.MEMORY[1:]:
        torch.testing.assert_close(steps[memory], steps["stored"], rtol=1e-3, atol=0)
        assert (averages[memory] - averages["stored"]).abs().mean() < 1e-5


def test_a_run_whose_inverse_explodes_stops_with_one_sentence_and_goes_on_checkpointed(tmp_path):
    trainer = Trainer(settings(tmp_path, memory="reversible"), progress=False)
    fails = "inverse no longer finds its inputs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ActNorm, "inverse", lambda self, z: z * math.nan)
        with pytest.raises(GlowliteError, match=rf"{fails}.* no state .* --memory checkpointed\.$"):
            trainer.step(NoStop)
    trainer.step(NoStop)
    trainer.save()
    set_memory(trainer.glow, "reversible")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ActNorm, "inverse", lambda self, z: z * math.nan)
        with pytest.raises(GlowliteError, match=rf"{fails}.* last good state .* checkpointed --resume\.$") as caught:
            trainer.step(NoStop)
        assert "\n" not in str(caught.value)
        goes_on = Trainer(continued(tmp_path, {"memory": "checkpointed"}), resume=True, progress=False)
        assert math.isfinite(goes_on.step(NoStop)[1])


def test_products_in_tf32_cannot_be_undone(tmp_path):
    with pytest.raises(GlowliteError, match="reversible memory needs precision float32 or bf16"):
        settings(tmp_path, memory="reversible", precision="tf32")


def test_the_choices_of_training_are_those_of_the_flows():
    assert TrainConfig.__dataclass_fields__["memory"].metadata["choices"] == reversible.MEMORY


WORKER = """if True:
    import sys
    import torch
    from torch import distributed
    from torch.nn.parallel import DistributedDataParallel
    from glowlite.flows.reversible import set_memory
    rank, folder = int(sys.argv[1]), sys.argv[2]
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    model, x = torch.load(f"{folder}/model.pt", weights_only=False)
    class Density(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model
        def forward(self, x):
            return model.log_density(x)
    found = {}
    for memory in ("stored", "checkpointed", "reversible"):
        set_memory(model, memory)
        model.zero_grad()
        parallel = DistributedDataParallel(Density())
        parallel(x[rank::2]).mean().backward()
        found[memory] = {name: weight.grad.clone() for name, weight in model.named_parameters()}
    torch.save(found, f"{folder}/{rank}.pt")
    distributed.destroy_process_group()
"""


def test_two_processes_average_the_gradients_of_every_way(tmp_path):
    model, x = trained(), PICTURES["faces"]().double()
    right = gradients(model, x, "stored")
    del right["x"]
    model.zero_grad()
    torch.save((model, x), tmp_path / "model.pt")
    environment = os.environ | {"PYTHONPATH": str(Path(reversible.__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(rank), str(tmp_path)], env=environment) for rank in (0, 1)
    ]
    try:
        assert [worker.wait(timeout=120) for worker in workers] == [0, 0]
    finally:
        for worker in workers:
            worker.kill()
    for rank in (0, 1):
        for found in torch.load(tmp_path / f"{rank}.pt").values():
            assert far(found, right) < 1e-8


def test_without_gradients_nothing_is_computed_twice():
    model, x = trained(), PICTURES["faces"]().double()
    set_memory(model, "reversible")
    with torch.no_grad():
        latents, log_det = model(x)
    whole = copy.deepcopy(model)
    set_memory(whole, "stored")
    wanted, right = whole(x)
    assert torch.equal(log_det, right) and all(map(torch.equal, latents, wanted))
