"""The checks of notebook 13, each tried on the solution, the stub and the mistakes one makes."""

import pytest
import torch

from glowlab.checks import constant_memory as checks
from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlab.checks.constant_memory import forward, inverse, stand_in
from glowlab.checks.solutions.constant_memory import backward_chain


def verdicts(check, attempt, words):
    for seed in range(5):
        verdict = check(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict
    assert bool(verdict) is (words is None)


def find_x(z, network):
    with torch.no_grad():
        return inverse(z, network).requires_grad_()


def parts(z, grad_z, grad_log_det, network, x=None):
    """x, grad_x, grad_weights of the step as if it ran from this x."""
    x = find_x(z, network) if x is None else x
    grad_x, *rest = torch.autograd.grad(forward(x, network), (x, *network.parameters()), (grad_z, grad_log_det))
    return x.detach(), grad_x, rest


def changed(change):
    """The right answer, changed by `change(x, grad_x, grad_weights, grad_z)`."""
    return lambda z, gz, gl, network: change(*parts(z, gz, gl, network), gz)


def not_recomputed(z, grad_z, grad_log_det, network):
    return parts(z, grad_z, grad_log_det, network, z.clone().requires_grad_())


def gradients_at_z(z, grad_z, grad_log_det, network):
    return find_x(z, network).detach(), *not_recomputed(z, grad_z, grad_log_det, network)[1:]


def forgot_log_det(z, grad_z, grad_log_det, network):
    x = find_x(z, network)
    again, _ = forward(x, network)
    grad_x, *rest = torch.autograd.grad(again, (x, *network.parameters()), grad_z)
    return x.detach(), grad_x, rest


def forgot_z(z, grad_z, grad_log_det, network):
    return parts(z, torch.zeros_like(grad_z), grad_log_det, network)


def no_detach(z, grad_z, grad_log_det, network):
    return parts(z, grad_z, grad_log_det, network, inverse(z, network))


def weights_by_the_inverse(z, grad_z, grad_log_det, network):
    x, grad_x, rest = no_detach(z, grad_z, grad_log_det, network)
    return x.detach(), grad_x, rest


def through_the_inverse(z, grad_z, grad_log_det, network):
    z = z.clone().requires_grad_()
    x = inverse(z, network)
    grad_x, *rest = torch.autograd.grad(x, (z, *network.parameters()), grad_z)
    return x.detach(), grad_x, rest


def graph_kept(z, grad_z, grad_log_det, network):
    x, grad_x, rest = parts(z, grad_z, grad_log_det, network)
    return inverse(z, network), grad_x, rest


def second_order(z, grad_z, grad_log_det, network):
    x = find_x(z, network)
    weights = [*network.parameters()]
    grad_x, *rest = torch.autograd.grad(forward(x, network), (x, *weights), (grad_z, grad_log_det), create_graph=True)
    return x.detach(), grad_x, rest


def accumulates(z, grad_z, grad_log_det, network):
    x = find_x(z, network)
    torch.autograd.backward(forward(x, network), (grad_z, grad_log_det))
    return x.detach(), x.grad, [weight.grad.clone() for weight in network.parameters()]


def in_place(z, grad_z, grad_log_det, network):
    found = parts(z, grad_z, grad_log_det, network)
    z.copy_(found[0])
    return found


def half(x, which):
    return x.chunk(2, 1)[which]


def network_way_alone(x, grad_x, weights, grad_z):
    return x, torch.cat([half(grad_x, 0) - half(grad_z, 0), half(grad_x, 1)], 1), weights


def straight_alone(x, grad_x, weights, grad_z):
    return x, torch.cat([half(grad_z, 0), half(grad_x, 1)], 1), weights


def by_mean(z, grad_z, grad_log_det, network):
    return parts(z, grad_z, grad_log_det.mean().expand_as(grad_log_det), network)


STEP = {
    "solution": (stand_in, None),
    "inverse and forward": (parts, None),
    "as a list": (lambda *given: list(parts(*given)), None),
    "not recomputed": (not_recomputed, "x is z: the input was not computed again"),
    "gradients at z": (gradients_at_z, "the gradients are those at z"),
    "no log_det": (forgot_log_det, "the gradient of log_det was forgotten"),
    "log_det alone": (forgot_z, "the gradient of z was forgotten"),
    "no direct way": (changed(network_way_alone), "lacks the direct way"),
    "the direct way alone": (changed(straight_alone), "lacks the way through the network"),
    "grad_z as it came": (changed(lambda x, gx, gw, gz: (x, gz, gw)), "grad_x is grad_z as it came"),
    "no detach": (no_detach, "x still hangs on the weights"),
    "weights by the inverse": (weights_by_the_inverse, "x still hangs on the weights"),
    "of the inverse": (through_the_inverse, "gradient of the inverse"),
    "x with its graph": (graph_kept, "x still holds the graph"),
    "grad_x with its graph": (second_order, "grad_x still holds the graph"),
    "mean of grad_log_det": (by_mean, "each picture has its own grad_log_det"),
    "minus log_det": (lambda z, gz, gl, n: parts(z, gz, -gl, n), "wrong sign"),
    "ones for log_det": (lambda z, gz, gl, n: parts(z, gz, torch.ones_like(gl), n), "taken as 1"),
    "no weights": (changed(lambda x, gx, gw, gz: (x, gx, None)), "weights are still missing"),
    "an empty list": (changed(lambda x, gx, gw, gz: (x, gx, [])), "has 0 tensors; the network has 4"),
    "x among the weights": (changed(lambda x, gx, gw, gz: (x, gx, [gx, *gw])), "no gradient of a weight"),
    "None for a weight": (changed(lambda x, gx, gw, gz: (x, gx, [None, *gw[1:]])), "None"),
    "weights in another order": (changed(lambda x, gx, gw, gz: (x, gx, gw[::-1])), "in the order of"),
    "zeros": (changed(lambda x, gx, gw, gz: (x, gx, [0 * part for part in gw])), "all zero"),
    "twice": (changed(lambda x, gx, gw, gz: (x, gx, [2 * part for part in gw])), "counted twice"),
    "other weights": (changed(lambda x, gx, gw, gz: (x, gx, [part + 1 for part in gw])), "not those of autograd"),
    "another grad_x": (changed(lambda x, gx, gw, gz: (x, 3 * gx, gw)), "the gradient of x_a and of x_b is not"),
    "another x": (changed(lambda x, gx, gw, gz: (x + 1, gx, gw)), "off by up to 1"),
    "a wrong shape": (changed(lambda x, gx, gw, gz: (x, half(gx, 0), gw)), "grad_x must have the shape"),
    "a tensor of weights": (changed(lambda x, gx, gw, gz: (x, gx, gw[0])), "is a list"),
    "two things": (changed(lambda x, gx, gw, gz: (x, gx)), "three things"),
    "half done": (changed(lambda x, gx, gw, gz: (x, ..., gw)), "grad_x is still missing"),
    "accumulates": (accumulates, "called a second time"),
    "in place": (in_place, "in place"),
    "a typing mistake": (lambda z, *more: z.chunks(2), "AttributeError"),
}


@pytest.mark.parametrize("name", STEP)
def test_backward_names_the_mistake(name):
    verdicts(checks.backward, *STEP[name])


def test_one_run_of_the_network_is_noted():
    assert "the network ran only once" in checks.backward(stand_in, seed=0).holds[-1]
    assert "ran only once" not in " ".join(checks.backward(parts, seed=0).holds)


# ---- the chain ---------------------------------------------------------------------------------------------


def wrong(**mistakes):
    return lambda z, gz, gl, networks: checks.chain_backward(z, gz, gl, networks, **mistakes)


def walk(change):
    return lambda *given: change(*backward_chain(*given))


CHAIN = {
    "solution": (backward_chain, None),
    "as a list": (walk(lambda gx, gw: [gx, tuple(gw)]), None),
    "in forward's order": (wrong(order=range(3)), "the last one comes first"),
    "log_det of the last": (wrong(shares={2}), "only the last step got grad_log_det"),
    "log_det of the first": (wrong(shares={0}), "only the first step got grad_log_det"),
    "no log_det": (wrong(shares=()), "no step got grad_log_det"),
    "gradient not flipped": (wrong(flip_grad=False), "but not its gradient"),
    "x not flipped": (wrong(flip_z=False), "but not x"),
    "nothing flipped": (wrong(flip_z=False, flip_grad=False), "nothing was flipped"),
    "z not handed on": (wrong(hand_z=False), "every step got the first z"),
    "grad not handed on": (wrong(hand_grad=False), "every step got the first grad_z"),
    "reversed lists": (walk(lambda gx, gw: (gx, gw[::-1])), "in the order of the way back"),
    "last flip forgotten": (walk(lambda gx, gw: (gx.flip(1), gw)), "not turned round"),
    "doubled first": (walk(lambda gx, gw: (gx, [[2 * p for p in gw[0]], *gw[1:]])), "what is handed on"),
    "all wrong": (walk(lambda gx, gw: (gx, [[p + 1 for p in part] for part in gw])), "already the last step"),
    "one step": (walk(lambda gx, gw: (gx, gw[:1])), "but gradients of 1"),
    "a flat list": (walk(lambda gx, gw: (gx, [p for part in gw for p in part])), "a list with a list"),
    "half done": (walk(lambda gx, gw: (gx, ...)), "still missing"),
    "one thing": (walk(lambda gx, gw: gx), "two things"),
    "a wrong shape": (walk(lambda gx, gw: (gx[:, :1], gw)), "of the shape"),
}


@pytest.mark.parametrize("name", CHAIN)
def test_backward_chain_names_the_mistake(name):
    verdicts(checks.backward_chain, *CHAIN[name])


def stub_backward(z, grad_z, grad_log_det, network):
    x = ...
    grad_x = ...
    grad_weights = ...
    return x, grad_x, grad_weights


@pytest.mark.parametrize(
    ("check", "stub"),
    [(checks.backward, stub_backward), (checks.backward_chain, lambda z, gz, gl, networks: (..., ...))],
)
def test_a_stub_is_not_tried_yet(check, stub):
    assert check(stub, seed=0).state == UNTRIED


def test_a_check_leaves_the_notebooks_random_numbers_alone():
    torch.manual_seed(1)
    checks.backward(stand_in)
    checks.backward_chain(backward_chain)
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(after, torch.rand(1))
