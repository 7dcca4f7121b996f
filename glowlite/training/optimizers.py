"""The optimizers of a training: Muon for hidden convolutions, or AdamW or Adamax as PyTorch has them."""

import torch
from torch import Tensor, nn

from glowlite.flows.coupling import NormedConv2d

MUON_RATE = 3.0  # a hidden weight moves by about 0.6 times the learning rate in a step, root mean square
MOMENTUM = 0.95
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # takes singular values from (0, 1] to about 0.7 ... 1.2 in five rounds


class Muon(torch.optim.AdamW):
    """Muon for the hidden convolutions of every coupling's network, Adam for all other parameters.

    Muon (K. Jordan et al. 2024, "Muon: an optimizer for hidden layers") replaces the gradient's momentum, as a matrix
    (C_out, k k C_in), by the nearest matrix whose singular values are about 1: rare directions are learned as fast as
    the common ones. A step's root mean square is 0.2 times its rate, which is about that of Adam (Liu et al. 2025,
    "Muon is scalable for LLM training", section 2.2).

    >>> from glowlite.glow import PRESETS, Glow
    >>> rest, hidden = Muon(Glow(PRESETS["tiny"]), lr=1e-3).param_groups
    >>> len(hidden["params"])  # two in each of four couplings
    8
    """

    def __init__(self, model: nn.Module, lr: float):
        hidden = [module.weight for module in model.modules() if isinstance(module, NormedConv2d)]
        known = {id(weight) for weight in hidden}
        rest = [weight for weight in model.parameters() if id(weight) not in known]
        super().__init__([{"params": rest}, {"params": hidden}], lr=lr, foreach=True, weight_decay=0.0)

    @torch.no_grad()
    def step(self) -> None:
        groups = self.param_groups
        self.param_groups = groups[:1]  # the parameters that Adam moves
        super().step()
        self.param_groups = groups
        rate, alike = groups[1]["lr"], {}
        for weight in groups[1]["params"]:
            alike.setdefault(weight.shape, []).append(weight)
        for weights in alike.values():  # the layers of one level together
            directions = orthogonalize(torch.stack([self._momentum(weight) for weight in weights]))
            length = 0.2 * max(directions.shape[1:]) ** 0.5
            for weight, direction in zip(weights, directions, strict=True):
                weight.sub_(direction.view_as(weight), alpha=MUON_RATE * length * rate)

    def _momentum(self, weight: Tensor) -> Tensor:
        """Nesterov's momentum of a weight (C_out, C_in, k, k), as a matrix (C_out, C_in k k)."""
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        momentum = state["momentum"].mul_(MOMENTUM).add_(weight.grad)
        return (weight.grad + MOMENTUM * momentum).flatten(1)


def orthogonalize(matrices: Tensor) -> Tensor:
    """Set the singular values of matrices (B, m, n) to about 1 and keep their singular vectors, by Newton-Schulz.

    >>> torch.linalg.svdvals(orthogonalize(torch.randn(1, 3, 50)))[0] > 0.5
    tensor([True, True, True])
    """
    a, b, c = NEWTON_SCHULZ
    x = matrices / (torch.linalg.vector_norm(matrices, dim=(1, 2), keepdim=True) + 1e-7)
    wide = x if x.shape[1] <= x.shape[2] else x.mT
    for _ in range(5):  # x <- a x + (b A + c A^2) x  with A = x x^T
        gram = wide @ wide.mT
        wide = torch.baddbmm(wide, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return wide if x.shape[1] <= x.shape[2] else wide.mT


def make_optimizer(name: str, model: nn.Module, lr: float) -> torch.optim.Optimizer:
    """The optimizer of that name, of `TrainConfig.optimizer`, for all parameters of a model."""
    if name == "muon":
        return Muon(model, lr)
    if name == "adamax":
        return torch.optim.Adamax(model.parameters(), lr, foreach=True)
    return torch.optim.AdamW(model.parameters(), lr, foreach=True, weight_decay=1e-4)
