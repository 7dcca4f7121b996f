"""A coupling with a transformer: the identity at the start, exact both ways, with the log-det of its Jacobian."""

import torch

from glowlab.attention import AttentionFlow, AttentionNetwork


def moved(**settings) -> AttentionFlow:
    """A small flow whose weights are far from the start."""
    model = AttentionFlow((1, 4, 8), steps=2, width=8, **settings).train()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        model(torch.randn(16, 1, 4, 8, generator=generator))
        for weight in model.parameters():
            weight += 0.1 * torch.randn(weight.shape, generator=generator)
    return model.eval().double()


def test_a_network_starts_at_zero_and_then_sees_every_place():
    torch.manual_seed(0)
    network = AttentionNetwork(3, 8, 5, places=6)
    x = torch.randn(2, 3, 2, 3)
    assert torch.equal(network(x), torch.zeros(2, 5, 2, 3))
    torch.nn.init.normal_(network.leave.weight)
    other = x.clone()
    other[:, :, 1, 2] += 1
    assert (network(x) != network(other)).any(1).all(), "each place sees the last one"


def test_the_inverse_is_exact_and_the_log_det_that_of_the_jacobian():
    for parts_of_glow in (False, True):
        model = moved(parts_of_glow=parts_of_glow)
        x = torch.randn(2, 1, 4, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        eps, log_det = model(x)
        assert torch.allclose(model.inverse(eps), x, atol=1e-10)
        jacobian = torch.autograd.functional.jacobian(lambda one, model=model: model(one[None])[0].flatten(), x[0])
        assert torch.isclose(log_det[0], torch.linalg.slogdet(jacobian.view(32, 32))[1], atol=1e-8)


def test_bits_of_a_picture_do_not_depend_on_others():
    model = moved().float()
    images = torch.randint(256, (3, 1, 4, 8), dtype=torch.uint8)
    alone = model.bits_per_dim(images[:1], torch.Generator().manual_seed(0))
    together = model.bits_per_dim(images, torch.Generator().manual_seed(0))
    assert together.shape == (3,) and torch.isclose(alone[0], together[0], atol=1e-4)
