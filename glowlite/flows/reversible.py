"""Backpropagation that keeps little: the activations between a chain's steps are computed again instead of stored.

Three ways, of equal gradients. "stored": as PyTorch does it; memory grows with every activation. "checkpointed": the
input of each step is kept, and its activations are computed again (Chen et al. 2016, "Training deep nets with sublinear
memory cost"); memory grows with the number of steps. "reversible": only the chain's output is kept, and each input is
computed from it by the inverse (Gomez et al. 2017, "The reversible residual network", section 3); memory does not grow.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import checkpoint

from glowlite.errors import GlowliteError
from glowlite.flows.base import Chain, Flow, no_change
from glowlite.flows.coupling import Coupling

MEMORY = ("stored", "checkpointed", "reversible")
EVERY = 61  # one of so many values of a chain's input is kept, to see whether the way back finds it
# How far it may miss, as a share of the largest value, for each type of the couplings' products. On the models that
# ship, float32 misses by 1e-6 and bfloat16 by 4e-3; gradients are off by a hundredth where float32 misses by 4e-4.
TOLERANCE = {None: 1e-4, torch.bfloat16: 3e-2}


def set_memory(model: nn.Module, memory: str) -> None:
    """Choose what every level of a Glow keeps for its gradients: one of MEMORY, or GlowliteError."""
    if memory not in MEMORY:
        raise GlowliteError(f"unknown memory {memory!r}: choose one of {', '.join(MEMORY)}")
    for level in model.levels:
        level.memory = memory


def run(chain: Chain, x: Tensor, memory: str = "stored") -> tuple[Tensor, Tensor]:
    """`chain(x)`: (z, log_det (B,) in nats), with one of the three ways to remember for the backward pass.

    All gradients of "reversible" become NaN where the way back misses the input by more than TOLERANCE, so none is
    silently wrong. Use "checkpointed" there: the inverse explodes (Behrmann et al. 2021, "Understanding and mitigating
    exploding inverses in invertible neural networks", section 3).

    >>> from glowlite.flows import ActNorm, Coupling
    >>> chain, x = Chain(ActNorm(4), Coupling(4, width=8)), torch.randn(8, 4, 6, 6)
    >>> _ = chain(x)  # sets both ActNorms
    >>> for memory in MEMORY:
    ...     run(chain, x, memory)[0].square().sum().backward()
    """
    if memory == "stored" or not torch.is_grad_enabled():
        return chain(x)
    if memory == "reversible":
        return Reversible.apply(chain, x, *chain.parameters())
    total = no_change(x)
    for step in chain.flows:
        x, log_det = checkpoint(step, x, use_reentrant=False, preserve_rng_state=False)
        total = total + log_det
    return x, total


class Reversible(torch.autograd.Function):
    """A chain that keeps its output alone. Its weights are arguments, so that autograd hands out their gradients."""

    @staticmethod
    def forward(ctx, chain: Chain, x: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor]:
        """(z, log_det); z is kept for the way back, and some values of x to see where it arrives."""
        z, log_det = chain(x)
        ctx.chain = chain
        ctx.save_for_backward(z, x.flatten()[::EVERY].clone(), *weights)
        return z, log_det

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor, grad_log_det: Tensor) -> tuple[Tensor | None, ...]:
        """From the last flow to the first: its input by the inverse, then its gradients, then the flow before it."""
        z, seen, *weights = ctx.saved_tensors
        gradients, tolerance = {}, 0.0
        for flow in leaves(ctx.chain):
            own = [weight for weight in flow.parameters() if weight.requires_grad]
            with torch.enable_grad():
                x, *outputs = redo(flow, z)
            if not outputs[1].requires_grad:  # it keeps volumes
                outputs = outputs[:1]
            found = torch.autograd.grad(outputs, (*x, *own), (grad, grad_log_det)[: len(outputs)])
            for weight, part in zip(own, found[len(x) :], strict=True):
                gradients[weight] = gradients.get(weight, 0) + part
            grad, z = found[0], x[0].detach()
            if isinstance(flow, Coupling):
                grad, z = flow.join(*found[:2]), flow.join(*(part.detach() for part in x))
            tolerance = max(tolerance, TOLERANCE[getattr(flow, "autocast", None)])
        missed = (z.flatten()[::EVERY] - seen).abs().amax() / seen.abs().amax().clamp(min=1)
        wrong = torch.zeros_like(missed)  # no GPU has to wait for it, as for an error
        wrong.masked_fill_(~(missed <= tolerance), torch.nan)
        return None, grad + wrong, *(gradients[w].add_(wrong) if w in gradients else None for w in weights)


def leaves(flow: Flow) -> Iterator[Flow]:
    """The flows of a chain, and of chains in it, from the last to the first."""
    if isinstance(flow, Chain):
        for part in reversed(flow.flows):
            yield from leaves(part)
    else:
        yield flow


def redo(flow: Flow, z: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
    """From a flow's output z: its input, whole or in a coupling's halves; then z and log_det with a graph from it.

    A coupling's network runs once: it sees the half that stayed, so its answer serves the way back and the way forth.
    """
    if not isinstance(flow, Coupling):
        with torch.no_grad():
            x = flow.inverse(z)
        x.requires_grad_()
        return [x], *flow(x)
    x_a = flow.cut(z)[0].detach().requires_grad_()
    answer = flow.scale_and_shift(x_a)
    with torch.no_grad():
        x_b = flow.cut(flow.inverse(z, answer))[1].clone()
    x_b.requires_grad_()
    return [x_a, x_b], *flow(flow.join(x_a, x_b), answer)
