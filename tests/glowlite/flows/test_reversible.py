"""Three ways to remember for the backward pass: equal gradients, less memory, and a way back that is watched."""

import copy

import pytest
import torch

from glowlite.data import faces
from glowlite.flows import reversible
from glowlite.flows.coupling import Coupling
from glowlite.glow import Glow, GlowConfig
from glowlite.training.loop import set_memory, set_precision

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
    ],
    ids=lambda changes: changes["permutation"],
)
def test_every_kind_of_layer_goes_back(changes):
    model, x = trained(**changes), PICTURES["faces"]().double()
    assert far(gradients(model, x, "reversible"), gradients(model, x, "stored")) < 1e-8


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


def test_where_the_way_back_fails_gradients_are_nan_and_never_wrong():
    model, x = trained(torch.float32), PICTURES["noise"]()
    with torch.no_grad():
        for step in model.levels[0].steps.flows[1:]:
            step.flows[0].log_s -= 2.5  # shrinks a thousandfold, then a bias swallows the digits
            step.flows[0].b += 1e4
    assert gradients(model, x, "stored")["x"].isfinite().all()
    assert gradients(model, x, "reversible")["x"].isnan().all()


def test_without_gradients_nothing_is_computed_twice():
    model, x = trained(), PICTURES["faces"]().double()
    set_memory(model, "reversible")
    with torch.no_grad():
        latents, log_det = model(x)
    whole = copy.deepcopy(model)
    set_memory(whole, "stored")
    wanted, right = whole(x)
    assert torch.equal(log_det, right) and all(map(torch.equal, latents, wanted))
