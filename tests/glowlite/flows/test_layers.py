"""Every layer, one loop: round trip, log-det against the autograd Jacobian, gradients, state, copies."""

import copy

import pytest
import torch
from torch import nn

from glowlite.errors import GlowliteError
from glowlite.flows import (
    ActNorm,
    Chain,
    CheckerboardCoupling,
    Coupling,
    InvertibleConv1x1,
    InvertibleConv1x1LU,
    Reverse,
    Shuffle,
    Split,
    Squeeze,
    TopPrior,
)
from glowlite.flows.coupling import convolve
from glowlite.glow import FlowStep, GlowConfig
from tests.helpers import jacobian_log_det, perturb

SHAPE = (4, 4, 2)  # C, H, W: not square, so that swapped axes and a forgotten H or W show


class SplitAsFlow(nn.Module):
    """A split or the top prior, its two outputs side by side, so that the loops below fit it too."""

    def __init__(self, split):
        super().__init__()
        self.split = split

    def forward(self, x):
        stays, eps, log_det = self.split(x)
        return torch.cat([stays, eps], 1), log_det

    def inverse(self, z):
        stays = z.shape[1] // 2 if isinstance(self.split, Split) else 0
        return self.split.inverse(z[:, :stays], z[:, stays:])


class OddCoupling(Coupling):
    """One of three channels says how the other two move; the fourth passes."""

    def __init__(self):
        super().__init__(3, 8)

    def forward(self, x):
        z, log_det = super().forward(x[:, :3])
        return torch.cat([z, x[:, 3:]], 1), log_det

    def inverse(self, z):
        return torch.cat([super().inverse(z[:, :3]), z[:, 3:]], 1)


def step(permutation):
    return FlowStep(4, 8, GlowConfig((3, 8, 8), 1, 1, 8, permutation=permutation, edge=True))


LAYERS = {
    "actnorm": lambda: ActNorm(4),
    "additive": lambda: Coupling(4, 8, "additive"),
    "affine bounded": lambda: Coupling(4, 8, "affine", "bounded"),
    "affine sigmoid": lambda: Coupling(4, 8, "affine", "sigmoid", edge=False),
    "coupling of odd channels": lambda: Chain(Reverse(4), OddCoupling()),
    "checkerboard": lambda: CheckerboardCoupling(4, 8, seen=0),
    "checkerboard additive": lambda: CheckerboardCoupling(4, 8, "additive", seen=1),
    "reverse": lambda: Reverse(4),
    "shuffle": lambda: Shuffle(4),
    "1x1 plain": lambda: InvertibleConv1x1(4),
    "1x1 lu": lambda: InvertibleConv1x1LU(4),
    "squeeze": lambda: Squeeze(),
    "split": lambda: SplitAsFlow(Split(4)),
    "top prior": lambda: SplitAsFlow(TopPrior(SHAPE)),
    "step lu": lambda: step("lu"),
    "step plain": lambda: step("plain"),
    "step reverse": lambda: step("reverse"),
    "step checkerboard": lambda: FlowStep(4, 8, GlowConfig((3, 8, 8), 1, 1, 8, edge=True), seen=0),
}


@pytest.fixture(params=LAYERS)
def layer(request):
    return perturb(LAYERS[request.param]().double(), torch.randn(16, *SHAPE, dtype=torch.float64))


@pytest.fixture
def x():
    return torch.randn(3, *SHAPE, dtype=torch.float64)


def test_inverse_undoes_forward(layer, x):
    z, log_det = layer(x)
    assert log_det.shape == (3,)
    assert (layer.inverse(z) - x).abs().max() < 1e-10
    z32, _ = layer.float()(x.float())
    assert (layer.inverse(z32) - x.float()).abs().max() < 1e-4


def test_log_det_is_that_of_the_jacobian(layer, x):
    _, log_det = layer(x)
    assert torch.allclose(log_det, jacobian_log_det(layer, x), atol=1e-9)


def test_types_follow_and_input_stays(layer, x):
    before = x.clone()
    z, log_det = layer(x)
    layer.inverse(z)
    assert torch.equal(x, before)
    assert z.dtype == log_det.dtype == torch.float64
    z, log_det = layer.float()(x.float())
    assert z.dtype == log_det.dtype == torch.float32


def test_every_parameter_gets_a_gradient(layer, x):
    z, log_det = layer(x.requires_grad_())
    (z.square().sum() - log_det.sum()).backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


def test_state_dict_holds_everything(layer, x, request):
    fresh = LAYERS[request.node.callspec.params["layer"]]().double()
    fresh.load_state_dict(layer.state_dict())
    other = torch.randn_like(x)
    for got, want in zip(fresh.eval()(other), layer.eval()(other), strict=True):
        assert torch.equal(got, want)


def test_deepcopy_is_a_copy(layer, x):
    twin = copy.deepcopy(layer)
    want = twin(x)[0]
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.1)
    assert torch.equal(twin(x)[0], want)


def test_compiles_without_a_graph_break(layer, x):
    torch._dynamo.reset()
    compiled = torch.compile(layer, fullgraph=True, backend="eager")
    assert torch.allclose(compiled(x)[0], layer(x)[0])


def test_actnorm_whitens_its_first_batch_and_only_that():
    x = torch.randn(64, 3, 4, 4, dtype=torch.float64) * torch.tensor([1.0, 5.0, 0.1]).view(3, 1, 1) + 2
    norm = ActNorm(3).double()
    z = norm(x)[0].transpose(0, 1).flatten(1)
    assert torch.allclose(z.mean(1), torch.zeros(3).double(), atol=1e-8)
    assert torch.allclose(z.var(1, unbiased=False), torch.ones(3).double(), atol=1e-8)
    log_s = norm.log_s.clone()
    norm(x * 3)
    assert torch.equal(log_s, norm.log_s)


def test_actnorm_before_any_data_in_eval_says_so():
    with pytest.raises(GlowliteError, match="not seen data"):
        ActNorm(3).eval()(torch.randn(2, 3, 4, 4))
    with pytest.raises(GlowliteError, match="not seen data"):
        ActNorm(3).inverse(torch.randn(2, 3, 4, 4))


def test_actnorm_of_a_constant_channel_is_finite():
    z, log_det = ActNorm(2)(torch.full((8, 2, 4, 4), 0.25))
    assert z.isfinite().all() and log_det.isfinite().all()


@pytest.mark.parametrize("scale", ["sigmoid", "bounded"])
@pytest.mark.parametrize("h", [-200.0, 200.0])
def test_coupling_scale_is_finite_for_any_network(scale, h):
    coupling = Coupling(4, 8, "affine", scale).eval()
    coupling.network = ConstantNetwork(h)
    z, log_det = coupling(torch.randn(2, *SHAPE))
    assert z.isfinite().all() and log_det.isfinite().all()


class ConstantNetwork(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, x):
        return torch.full((x.shape[0], 4, *x.shape[2:]), self.value)


def test_coupling_moves_the_second_half_as_the_first_says():
    coupling = perturb(Coupling(4, 8).double(), torch.randn(16, *SHAPE, dtype=torch.float64))
    x = torch.randn(1, *SHAPE, dtype=torch.float64)
    z = coupling(x)[0]
    assert torch.equal(z[:, :2], x[:, :2])
    assert (z[:, 2:] - x[:, 2:]).abs().min() > 0


@pytest.mark.parametrize("seen", [0, 1])
def test_a_checkerboard_coupling_moves_one_colour_as_the_other_says(seen):
    coupling = perturb(CheckerboardCoupling(4, 8, seen=seen).double(), torch.randn(16, *SHAPE, dtype=torch.float64))
    x = torch.randn(1, *SHAPE, dtype=torch.float64)
    colour = torch.tensor([[(row + column) % 2 for column in range(2)] for row in range(4)])
    passes, moves = colour == seen, colour != seen
    z, log_det = coupling(x)
    assert torch.equal(z[..., passes], x[..., passes])
    assert (z[..., moves] - x[..., moves]).abs().min() > 0
    others = torch.where(moves, x + 1, x)  # what moves has no say
    assert torch.equal(coupling(others)[1], log_det)
    assert not torch.allclose(coupling(torch.where(passes, x + 1, x))[1], log_det)


def test_a_clamped_coupling_moves_nothing_further_however_far_its_input_lies():
    layer = perturb(Coupling(4, 8, clamp=5.0))
    inside, far = torch.rand(2, 4, 6, 6) * 8 - 4, torch.randn(2, 4, 6, 6).sign() * 5
    free = Coupling(4, 8)
    free.load_state_dict(layer.state_dict())
    assert torch.equal(layer(inside)[0], free(inside)[0])
    (log_s, t), (same_log_s, same_t) = layer.scale_and_shift(far[:, :2]), layer.scale_and_shift(1e6 * far[:, :2])
    assert torch.equal(log_s, same_log_s)
    assert torch.equal(t, same_t)
    assert not torch.allclose(free.scale_and_shift(1e6 * far[:, :2])[1], t)


def test_published_scale_and_order():
    """z_b = (x_b + t) * sigmoid(h + 2): shift first, as in the published code."""
    coupling = perturb(Coupling(4, 8, "affine", "sigmoid").double(), torch.randn(16, *SHAPE, dtype=torch.float64))
    x = torch.randn(2, *SHAPE, dtype=torch.float64)
    t, h = coupling.network(x[:, :2]).chunk(2, 1)
    assert torch.allclose(coupling(x)[0][:, 2:], (x[:, 2:] + t) * torch.sigmoid(h + 2))


def test_a_fresh_coupling_is_the_identity():
    x = torch.randn(2, *SHAPE)
    z, log_det = Coupling(4, 8, "affine", "bounded")(x)
    assert torch.equal(z, x) and torch.equal(log_det, torch.zeros(2))


def test_edge_channel_equals_concatenating_it():
    """Adding the ring's part afterwards is what one more input channel, 1 on the padding, would give."""
    network = perturb(Coupling(4, 8).double(), torch.randn(16, *SHAPE, dtype=torch.float64)).network.last
    x = torch.randn(2, 8, 4, 2, dtype=torch.float64)
    padded = torch.nn.functional.pad(x, [1] * 4)
    ring = 1 - torch.nn.functional.pad(torch.ones(2, 1, 4, 2, dtype=torch.float64), [1] * 4)
    weight = torch.cat([network.weight, network.edge_weight], 1)
    want = torch.nn.functional.conv2d(torch.cat([padded, ring], 1), weight, network.b)
    want = want * torch.exp(3 * network.log_s).view(1, -1, 1, 1)
    assert torch.allclose(network(x), want)


def test_lu_permutation_is_not_trained():
    mixing = InvertibleConv1x1LU(6).double()
    order, optimiser = mixing.order.clone(), torch.optim.Adam(mixing.parameters(), 0.05)
    for _ in range(20):
        z, log_det = mixing(torch.randn(8, 6, 4, 4, dtype=torch.float64))
        optimiser.zero_grad()
        (z.square().sum() - log_det.sum()).backward()
        optimiser.step()
    assert torch.equal(mixing.order, order)
    want = 16 * torch.linalg.slogdet(mixing.matrix())[1]
    assert torch.allclose(mixing(torch.randn(1, 6, 4, 4).double())[1], want)


def test_mixings_start_as_rotations():
    for mixing in (InvertibleConv1x1(12), InvertibleConv1x1LU(12)):
        W = mixing.matrix().double()
        assert torch.allclose(W @ W.T, torch.eye(12).double(), atol=1e-5)
    plain, lu = (kind(12, torch.Generator().manual_seed(3)) for kind in (InvertibleConv1x1, InvertibleConv1x1LU))
    assert torch.allclose(lu.matrix(), plain.matrix(), atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_a_shuffle_is_undone_whatever_its_order(seed):
    """Seven channels: hardly any order of theirs undoes itself, as many of four do."""
    shuffle = Shuffle(7, torch.Generator().manual_seed(seed))
    x = torch.randn(2, 7, 3, 2)
    assert torch.equal(shuffle.inverse(shuffle(x)[0]), x)
    assert torch.equal(shuffle(x)[0], x[:, shuffle.order])


def test_squeeze_gathers_two_by_two_blocks():
    x = torch.arange(16.0).view(1, 1, 4, 4)
    z = Squeeze()(x)[0]
    assert z[0, :, 0, 0].tolist() == [0, 1, 4, 5]
    with pytest.raises(GlowliteError, match="even"):
        Squeeze()(torch.zeros(1, 1, 3, 4))


def test_step_equals_its_parts_in_the_papers_order():
    for kind in ("lu", "plain"):
        whole = perturb(step(kind).double(), torch.randn(16, *SHAPE, dtype=torch.float64))
        norm, mixing, coupling = whole.flows
        assert [type(part) for part in (norm, coupling)] == [ActNorm, Coupling]
        x = torch.randn(2, *SHAPE, dtype=torch.float64)
        z, total = x, 0
        for part in (norm, mixing, coupling):
            z, log_det = part(z)
            total = total + log_det
        assert torch.allclose(whole(x)[0], z) and torch.allclose(whole(x)[1], total)
        assert torch.allclose(whole.inverse(z), x)


@pytest.mark.parametrize("edge", [True, False])
def test_a_normed_convolution_is_actnorm_after_a_convolution(edge):
    network = perturb(Coupling(4, 8, edge=edge).double(), torch.randn(16, *SHAPE, dtype=torch.float64)).network
    for layer, channels in ((network.first, 2), (network.second, 8)):
        x = torch.randn(2, channels, 4, 2, dtype=torch.float64)
        assert torch.allclose(layer(x), layer.norm(convolve(x, layer.weights()))[0])


def test_chain_hands_over_everything_in_between():
    chain = Chain(Reverse(4), Squeeze())
    x = torch.randn(2, 4, 4, 2)
    z, _, between = chain(x, keep=True)
    assert [tuple(part.shape) for part in between] == [(2, 4, 4, 2), (2, 4, 4, 2), (2, 16, 2, 1)]
    assert torch.equal(between[0], x) and torch.equal(between[-1], z)


@pytest.mark.parametrize("kind", [InvertibleConv1x1, InvertibleConv1x1LU])
def test_the_inverse_follows_every_change_of_the_weights(kind):
    """An optimiser's step, loading, a copy and another type must all be noticed."""
    mixing, x = kind(6), torch.randn(2, 6, 4, 4)

    def undone(layer, x):
        return torch.allclose(layer.inverse(layer(x)[0]), x, atol=1e-4)

    with torch.no_grad():
        assert undone(mixing, x)
        for parameter in mixing.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        assert undone(mixing, x)
        twin = copy.deepcopy(mixing)
        next(twin.parameters()).mul_(1.5)
        assert undone(twin, x) and undone(mixing, x)
        mixing.load_state_dict(kind(6).state_dict())
        assert undone(mixing, x)
        assert undone(mixing.double(), x.double())
