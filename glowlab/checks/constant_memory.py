"""Checks of notebook 13: the backward pass of one coupling that kept only its output, and of a chain of them.

What is right is decided by autograd with stored activations. Gradients of the loss are small here, so that those of the
weights, sums over all pixels, are of size 1 and float32 is exact enough.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from glowlab.checks.base import Mistake, Untried, check, name_mistake, run, same
from glowlite.flows.coupling import SCALE_BOUND
from glowlite.flows.reversible import Reversible

__all__ = ["backward", "backward_chain", "stand_in"]

# ---- the notebook's functions ---------------------------------------------------------------------------------


def scale_and_shift(x_a, network):
    t, h = network(x_a).chunk(2, 1)
    return SCALE_BOUND * h.tanh(), t


def forward(x, network):
    x_a, x_b = x.chunk(2, 1)
    log_s, t = scale_and_shift(x_a, network)
    return torch.cat([x_a, (x_b + t) * log_s.exp()], 1), log_s.sum((1, 2, 3))


def inverse(z, network):
    z_a, z_b = z.chunk(2, 1)
    log_s, t = scale_and_shift(z_a, network)
    return torch.cat([z_a, z_b * (-log_s).exp() - t], 1)


def stand_in(z, grad_z, grad_log_det, network):
    """The worked answer of exercise 1, for a notebook whose own is not right yet."""
    return backward.answer()(z, grad_z, grad_log_det, network)


# ---- exercise 1 -------------------------------------------------------------------------------------------------


def random_step(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, nn.Module]:
    """x (B, C, h, w), the gradients of z and of log_det, and a network far from zero."""
    count, half = (torch.randperm(3, generator=generator)[:2] + 2).tolist()
    x = torch.randn(count, 2 * half, 4, 4, generator=generator)
    grad_z = torch.randn(x.shape, generator=generator) / 8
    grad_log_det = (torch.rand(count, generator=generator) + 0.5) / -8
    return x, grad_z, grad_log_det, random_network(half, generator)


def random_network(half: int, generator: torch.Generator) -> nn.Module:
    with torch.random.fork_rng(devices=[]):  # the notebook's own random numbers stay as they are
        network = nn.Sequential(nn.Conv2d(half, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2 * half, 3, padding=1))
    for weight in network.parameters():
        weight.data = 0.2 * torch.randn(weight.shape, generator=generator)
    return network


def gradients(x: Tensor, network: nn.Module, grad_z: Tensor, grad_log_det: Tensor) -> list[Tensor]:
    """Of x, then of each weight, from stored activations."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        return list(torch.autograd.grad(forward(x, network), (x, *network.parameters()), (grad_z, grad_log_det)))


def with_graph_of_the_inverse(z, network, grad_z, grad_log_det) -> list[Tensor]:
    """The same where x still hangs on the weights by the inverse."""
    with torch.enable_grad():
        x = inverse(z, network)
        return list(torch.autograd.grad(forward(x, network), (x, *network.parameters()), (grad_z, grad_log_det)))


def through_the_inverse(z, network, grad_z) -> list[Tensor]:
    """The gradients of the way back, not of the way forth."""
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        return list(torch.autograd.grad(inverse(z, network), (z, *network.parameters()), grad_z))


@check(
    "backward",
    hints=[
        "Two things are needed: x, which inverse(z, network) gives, and a graph from x to z, which forward(x, network) "
        "records once x.requires_grad_() was called.",
        "x must not hang on the weights: find it under torch.no_grad(), or detach it.",
        "One call gives all: torch.autograd.grad((z, log_det), (x, *network.parameters()), (grad_z, grad_log_det)). "
        "The first of its results is the gradient of x.",
    ],
    solution=[Reversible.backward],
)
def backward(attempt, generator):
    """attempt(z, grad_z, grad_log_det, network) gives x, grad_x and a list of the gradients of network.parameters()."""
    x, grad_z, grad_log_det, network = random_step(generator)
    calls = []
    hook = network.register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        z, _ = forward(x, network)
    calls.clear()
    given = [part.clone() for part in (z, grad_z, grad_log_det)]
    with torch.enable_grad():
        result = run(attempt, z, grad_z, grad_log_det, network)
    runs = len(calls)
    hook.remove()
    if not all(map(torch.equal, given, (z, grad_z, grad_log_det))):
        raise Mistake("it changes what it is given, in place; make new tensors instead")
    back, grad_x, grad_weights = three(result, x, network)
    explain_x(back, x, z)
    yield "x: the input is found again by the inverse"
    right = gradients(x, network, grad_z, grad_log_det)
    explain_grad_x(grad_x, x, z, network, grad_z, grad_log_det)
    yield "grad_x: both halves, with z and log_det"
    explain_grad_weights(grad_weights, right, x, z, network, grad_z, grad_log_det)
    yield "grad_weights: one for each weight of the network"
    for name, part in (("x", back), ("grad_x", grad_x)):
        if part.grad_fn is not None:
            raise Mistake(
                f"right numbers, but {name} still holds the graph of this step, so the memory of a chain would grow "
                f"again: give back {name}.detach()"
            )
    again = attempt(z, grad_z, grad_log_det, network)
    if not same(list(again[2]), right[1:]):
        raise Mistake(
            "called a second time, it gives other gradients of the weights: .backward() adds to .grad, so use "
            "torch.autograd.grad, which leaves .grad alone"
        )
    yield "nothing of the graph is left behind"
    if runs == 1:
        yield "and the network ran only once"


def three(result, x: Tensor, network: nn.Module) -> tuple[Tensor, Tensor, list]:
    if not isinstance(result, (tuple, list)) or len(result) != 3:
        raise Mistake("it must give back three things: return x, grad_x, grad_weights")
    back, grad_x, grad_weights = result
    for name, part in zip(("x", "grad_x", "grad_weights"), result, strict=True):
        if part is None or part is Ellipsis:
            if name == "grad_weights":
                raise Mistake("x and grad_x are there; the gradients of the network's weights are still missing, and "
                              "nothing would be trained")  # fmt: skip
            raise Mistake(f"{name} is still missing")
    for name, part in (("x", back), ("grad_x", grad_x)):
        if not isinstance(part, Tensor) or part.shape != x.shape:
            what = tuple(part.shape) if isinstance(part, Tensor) else type(part).__name__
            raise Mistake(f"{name} must have the shape {tuple(x.shape)} of z, not {what}")
    if not isinstance(grad_weights, (list, tuple)):
        raise Mistake("grad_weights is a list with one tensor for each of network.parameters(), "
                      f"not a {type(grad_weights).__name__}")  # fmt: skip
    count = len(list(network.parameters()))
    if len(grad_weights) != count:
        more = ": the gradient of x is no gradient of a weight" if len(grad_weights) == count + 1 else ""
        raise Mistake(f"grad_weights has {len(grad_weights)} tensors; the network has {count} weights{more}")
    return back, grad_x, list(grad_weights)


def explain_x(back: Tensor, x: Tensor, z: Tensor) -> None:
    if same(back, x):
        return
    if same(back, z):
        raise Mistake("x is z: the input was not computed again; inverse(z, network) finds it")
    raise Mistake(f"x is not the input of this step: it is off by up to {(back.detach() - x).abs().max():.2g}")


def explain_grad_x(grad_x: Tensor, x, z, network, grad_z, grad_log_det) -> None:
    """Return if grad_x is right; else raise the Mistake that explains it."""

    def of_x(at=x, grad_z=grad_z, grad_log_det=grad_log_det):
        return gradients(at, network, grad_z, grad_log_det)[0]

    right, nothing = of_x(), torch.zeros_like
    a, b = (slice(None), slice(0, x.shape[1] // 2)), (slice(None), slice(x.shape[1] // 2, None))
    straight, by_network, no_b = grad_z.clone(), right.clone(), right.clone()
    straight[b], by_network[a], no_b[a] = right[b], right[a] - grad_z[a], grad_z[a]
    if same(grad_x, right):
        return
    forgot = "the gradient of log_det was forgotten: log_det depends on x_a, by the network, so it has its share"
    direct = "the network's half lacks the direct way: z_a is x_a, so grad_z of that half is added to what comes back "
    wrong = {
        forgot: of_x(grad_log_det=nothing(grad_log_det)),
        "the gradient of z was forgotten; only log_det has its share": of_x(grad_z=nothing(grad_z)),
        direct + "through the network": by_network,
        "the network's half lacks the way through the network: x_a also moves z_b and log_det": straight,
        "the gradients are those at z: the network saw the right half, but the step must be run again from x, the "
        "input that inverse finds": of_x(at=z),
        "grad_x is grad_z as it came: the step has changed nothing in it": grad_z,
        "that is the gradient of the inverse; wanted is that of forward, run again from x":
            through_the_inverse(z, network, grad_z)[0],
        "the gradient of log_det has the wrong sign; hand it on as it is given": of_x(grad_log_det=-grad_log_det),
        "each picture has its own grad_log_det, of shape (B,); they were averaged or added":
            of_x(grad_log_det=grad_log_det.mean().expand_as(grad_log_det)),
        "each picture has its own grad_log_det, of shape (B,); they were added":
            of_x(grad_log_det=grad_log_det.sum().expand_as(grad_log_det)),
        "grad_log_det was taken as 1; the loss decides what it is":
            of_x(grad_log_det=torch.ones_like(grad_log_det)),
        "grad_z was taken as 1; it is handed to your function":
            of_x(grad_z=torch.ones_like(grad_z), grad_log_det=torch.ones_like(grad_log_det)),
    }  # fmt: skip
    name_mistake(grad_x, wrong)
    halves = [name for name, half in (("x_a", a), ("x_b", b)) if not same(grad_x[half], right[half])]
    raise Mistake(f"the gradient of {' and of '.join(halves)} is not that of autograd with stored activations")


def explain_grad_weights(found: list, right: list[Tensor], x, z, network, grad_z, grad_log_det) -> None:
    """Return if the gradients of the weights are right; else raise the Mistake that explains them."""
    if any(part is None for part in found):
        raise Mistake(
            "some gradients of weights are None: torch.autograd.grad gives one for each weight it is asked for"
        )
    shapes = [tuple(part.shape) if isinstance(part, Tensor) else type(part).__name__ for part in found]
    wanted = [tuple(weight.shape) for weight in network.parameters()]
    if shapes != wanted:
        order = " in the order of network.parameters()" if sorted(map(str, shapes)) == sorted(map(str, wanted)) else ""
        raise Mistake(f"the gradients of the weights must have the weights' shapes {wanted}{order}, not {shapes}")
    if same(found, right[1:]):
        return
    nothing = torch.zeros_like(grad_log_det)
    name_mistake(found, {
        "the gradients of the weights are all zero: nothing would be trained": [torch.zeros_like(p) for p in found],
        "x still hangs on the weights, by the inverse: what the weights do on the way back cancels what they do on the "
        "way forth. Find x under torch.no_grad(), or detach it": with_graph_of_the_inverse(
            z, network, grad_z, grad_log_det
        )[1:],
        "grad_x is right, but the weights lack the gradient of log_det":
            gradients(x, network, grad_z, nothing)[1:],
        "the gradients of the weights are those at z, not at x": gradients(z, network, grad_z, grad_log_det)[1:],
        "the gradients of the weights are those of the inverse": through_the_inverse(z, network, grad_z)[1:],
        "the gradients of the weights are counted twice": [2 * part for part in right[1:]],
        "they are the weights themselves, not their gradients": list(network.parameters()),
    })  # fmt: skip
    raise Mistake("the gradients of the weights are not those of autograd with stored activations")


# ---- exercise 2 -------------------------------------------------------------------------------------------------


def chain_backward(
    z, grad_z, grad_log_det, networks, order=None, flip_z=True, flip_grad=True, hand_z=True, hand_grad=True, shares=None
) -> tuple[Tensor, list[list[Tensor]]]:
    """(grad_x, gradients of each network's weights) with the mistakes asked for; with none, the right ones.

    shares: which steps' log-det counts.
    """
    first_grad, first_z = grad_z, z
    found: list = [None] * len(networks)
    for k in order or reversed(range(len(networks))):
        share = grad_log_det if shares is None or k in shares else torch.zeros_like(grad_log_det)
        with torch.no_grad():
            x = inverse(z, networks[k])
        grad_x, *found[k] = gradients(x, networks[k], grad_z, share)
        z = (x.flip(1) if flip_z else x) if hand_z else first_z
        grad_z = (grad_x.flip(1) if flip_grad else grad_x) if hand_grad else first_grad
    return (grad_x.flip(1) if flip_grad else grad_x), found


@check(
    "backward_chain",
    hints=[
        "Go through reversed(networks): what was done last is undone first.",
        "Each step hands its x on as the next z, and its grad_x as the next grad_z. grad_log_det is the same for every "
        "step, because log-dets are added.",
        "Forward was forward(x.flip(1), network). So on the way back flip both: x.flip(1) and grad_x.flip(1).",
    ],
    solution=[Reversible.backward],
)
def backward_chain(attempt, generator):
    """attempt(z, grad_z, grad_log_det, networks) gives grad_x and a list with a list of gradients for each network."""
    x, grad_z, grad_log_det, first = random_step(generator)
    networks = [first, *(random_network(x.shape[1] // 2, generator) for _ in range(2))]
    z = x
    with torch.no_grad():
        for network in networks:
            z, _ = forward(z.flip(1), network)
    with torch.enable_grad():
        result = run(attempt, z.clone(), grad_z.clone(), grad_log_det.clone(), list(networks))
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Mistake("it must give back two things: return grad_x, grad_weights")
    grad_x, found = result
    if grad_x is None or grad_x is Ellipsis or found is None or found is Ellipsis:
        raise Untried if grad_x is found else Mistake("one of the two is still missing: return grad_x, grad_weights")
    if not isinstance(grad_x, Tensor) or grad_x.shape != x.shape:
        raise Mistake(f"grad_x must be a tensor of the shape {tuple(x.shape)} of z")
    if not isinstance(found, (list, tuple)) or not all(isinstance(part, (list, tuple)) for part in found):
        raise Mistake("grad_weights is a list with a list of gradients for each network")
    if len(found) != len(networks):
        raise Mistake(f"there are {len(networks)} networks, but gradients of {len(found)}")
    explain_chain([grad_x, *(list(part) for part in found)], z, grad_z, grad_log_det, networks)
    yield "grad_x: the gradient came back through all steps"
    yield "grad_weights: those of each network, in the order of networks"


def explain_chain(found: list, z, grad_z, grad_log_det, networks: Sequence[nn.Module]) -> None:
    """Return if all gradients are right; else raise the Mistake that explains them."""
    last, arguments = len(networks) - 1, (z, grad_z, grad_log_det, networks)

    def like(**mistakes) -> list:
        grad_x, weights = chain_backward(*arguments, **mistakes)
        return [grad_x, *weights]

    right = like()
    if same(found, right):
        return
    name_mistake(found, {
        "right gradients, but in the order of the way back: the first network's come first":
            [right[0], *reversed(right[1:])],
        "the gradients of the weights are right, but grad_x is not turned round: undo the flip of the first step, too":
            [right[0].flip(1), *right[1:]],
        "the steps are undone in the order of forward; the last one comes first": like(order=range(last + 1)),
        "only the last step got grad_log_det; log-dets are added, so each step gets the same one": like(shares={last}),
        "only the first step got grad_log_det; log-dets are added, so each step gets the same one": like(shares={0}),
        "no step got grad_log_det": like(shares=()),
        "x was flipped on the way back, but not its gradient: it belongs to the same channels": like(flip_grad=False),
        "the gradient was flipped, but not x: the step before it got the wrong halves": like(flip_z=False),
        "nothing was flipped on the way back: forward flips the channels before each step":
            like(flip_z=False, flip_grad=False),
        "every step got the first z; a step's x is the z of the step before it": like(hand_z=False),
        "every step got the first grad_z; a step's grad_x is the grad_z of the step before it": like(hand_grad=False),
    })  # fmt: skip
    if same(found[-1], right[-1]):
        raise Mistake("the last step's gradients are right, those before it are not: look at what is handed on")
    raise Mistake(
        "already the last step's gradients are wrong: it comes first, and gets z and grad_z as they are given"
    )
