"""Flow, the base of every layer: a function with an inverse and a log-det; and Chain, several in a row."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Flow(nn.Module):
    """A bijection between data x and latent z.

    `forward(x)` gives `(z, log_det)`: data to latent, with log_det = log |det dz/dx| in nats, shape (B,).
    `inverse(z)` gives x back. The density of x is then that of z, corrected by the change of volume
    (Dinh et al. 2014, section 2; Kingma & Dhariwal 2018, section 2):

        log p(x) = log p(z) + log_det
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """From data to latent: (z, log_det), log_det (B,) in nats."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def inverse(self, z: Tensor) -> Tensor:
        """From latent to data: x."""
        raise NotImplementedError(f"{type(self).__name__} has no inverse")


class Chain(Flow):
    """Flows one after another. Their log-dets add up, because the changes of volume multiply.

    `forward(x, keep=True)` also gives the list of all tensors in between (x first, z last), to draw them.

    >>> from glowlite.flows import Reverse, Squeeze
    >>> chain = Chain(Squeeze(), Reverse(4))
    >>> z, log_det = chain(torch.ones(2, 1, 4, 4))
    >>> z.shape, log_det
    (torch.Size([2, 4, 2, 2]), tensor([0., 0.]))
    """

    def __init__(self, *flows: Flow):
        super().__init__()
        self.flows = nn.ModuleList(flows)

    def forward(self, x: Tensor, keep: bool = False):
        total, between = no_change(x), [x]
        for flow in self.flows:
            x, log_det = flow(x)
            total = total + log_det
            if keep:
                between.append(x)
        return (x, total, between) if keep else (x, total)

    def inverse(self, z: Tensor) -> Tensor:
        for flow in reversed(self.flows):
            z = flow.inverse(z)
        return z


def fold(move: Callable[[Tensor], Tensor], weight: Tensor) -> tuple[Tensor, Tensor]:
    """`move` after a convolution, as one convolution: (weight (C_out, C_in, k, k), bias (C_out,)).

    `move` is a flow's forward or inverse, affine at each pixel: move(weight * x) = weight' * x + bias. The bias is
    move(0), and weight' is move(the weights of each input channel) minus the bias. So the formula is written once, in
    the flow, and needs no pass over the pictures.
    """
    bias = move(weight.new_zeros(1, len(weight)))  # (1, C_out)
    columns = move(weight.transpose(0, 1))  # (C_in, C_out, k, k)
    return (columns - bias[..., None, None]).transpose(0, 1), bias[0]


def no_change(x: Tensor) -> Tensor:
    """The log-det of a map that keeps volumes: zeros of shape (B,), with x's type (float32 at least)."""
    return x.new_zeros(x.shape[0], dtype=torch.promote_types(x.dtype, torch.float32))


def to_float64(values: Tensor) -> Tensor:
    """The same numbers in float64; on the CPU where the device has none, as Apple's GPUs."""
    try:
        return values.double()
    except TypeError:
        return values.cpu().double()


def allow_tf32(allowed: bool) -> None:
    """Let recent GPUs round products of float32 to 11 bits (TF32), or keep all 24; left alone, convolutions round."""
    torch.backends.cudnn.allow_tf32 = allowed
    torch.set_float32_matmul_precision("high" if allowed else "highest")


@contextmanager
def full_float32() -> Iterator[None]:
    """Products of float32 keep all 24 bits, and afterwards what they kept before."""
    before = torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
    allow_tf32(False)
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before[0]
        torch.set_float32_matmul_precision(before[1])


def sum_features(values: Tensor) -> Tensor:
    """Sum everything but the batch: (B, ...) -> (B,)."""
    return values.flatten(1).sum(1)
