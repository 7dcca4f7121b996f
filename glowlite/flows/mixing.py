"""Mixing of channels between couplings: reverse them, shuffle them, or learn it (the invertible 1x1 convolution)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glowlite.errors import GlowliteError
from glowlite.flows.base import Flow, no_change, to_float64


class Permutation(Flow):
    """z[:, i] = x[:, order[i]]; log_det = 0. The order is saved with the weights. Cost O(D)."""

    def __init__(self, order: Tensor):
        super().__init__()
        self.register_buffer("order", order)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x[:, self.order], no_change(x)

    def inverse(self, z: Tensor) -> Tensor:
        return z[:, torch.argsort(self.order)]


class Reverse(Permutation):
    """Channels in reverse order (RealNVP's way to let both halves move).

    >>> Reverse(3)(torch.tensor([[1.0, 2.0, 3.0]]))[0]
    tensor([[3., 2., 1.]])
    """

    def __init__(self, channels: int):
        super().__init__(torch.arange(channels).flip(0))


class Shuffle(Permutation):
    """Channels in a random order, drawn once and then fixed.

    >>> Shuffle(3).order.sort().values
    tensor([0, 1, 2])
    """

    def __init__(self, channels: int, generator: torch.Generator | None = None):
        super().__init__(torch.randperm(channels, generator=generator))


class Mixing(Flow):
    """z = W x at every pixel, W a (C, C) matrix  (Kingma & Dhariwal 2018, section 3.2).

    log_det = H * W * log |det W|. A permutation is the special case of a 0/1 matrix. W starts as a random rotation, so
    log_det starts at 0. Subclasses define W: `matrix()`, `inverse_matrix()`, `log_abs_det()`.
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return convolve1x1(x, self.matrix()), (x[0, 0].numel() * self.log_abs_det()).expand(x.shape[0])

    def inverse(self, z: Tensor) -> Tensor:
        return convolve1x1(z, self.inverse_matrix())


class InvertibleConv1x1(Mixing):
    """W itself is the parameter. Cost: O(H W C^2) to apply, O(C^3) for log |det W| at every step.

    >>> layer, x = InvertibleConv1x1(4), torch.randn(2, 4, 8, 8)
    >>> z, log_det = layer(x)
    >>> torch.allclose(layer.inverse(z), x, atol=1e-5), bool(log_det.abs().max() < 1e-3)
    (True, True)
    """

    def __init__(self, channels: int, generator: torch.Generator | None = None):
        super().__init__()
        self.weight = nn.Parameter(random_rotation(channels, generator))

    def matrix(self) -> Tensor:
        return self.weight

    def inverse_matrix(self) -> Tensor:
        return torch.linalg.inv(to_float64(self.weight)).to(self.weight)

    def log_abs_det(self) -> Tensor:
        return torch.linalg.slogdet(to_float64(self.weight))[1].to(self.weight)


class InvertibleConv1x1LU(Mixing):
    """W = P (L + I) (U + diag(sign * exp(log_s))): log |det W| = sum(log_s), in O(C) instead of O(C^3).

    P (a permutation) and the signs stay fixed; L (strictly lower), U (strictly upper) and log_s are learned
    (Kingma & Dhariwal 2018, section 3.2).

    >>> layer = InvertibleConv1x1LU(4)
    >>> P, lower, upper = layer.factors()
    >>> torch.allclose(P @ lower @ upper, layer.matrix(), atol=1e-5)
    True
    """

    def __init__(self, channels: int, generator: torch.Generator | None = None):
        super().__init__()
        P, L, U = torch.linalg.lu(random_rotation(channels, generator).double())
        diagonal = U.diagonal()
        self.register_buffer("order", P.argmax(1))  # P as a permutation: (P A)[i] = A[order[i]]
        self.register_buffer("sign", diagonal.sign().float())
        self.log_s = nn.Parameter(diagonal.abs().log().float())
        self.L = nn.Parameter(L.tril(-1).float())
        self.U = nn.Parameter(U.triu(1).float())

    def factors(self) -> tuple[Tensor, Tensor, Tensor]:
        """(P, unit lower triangular, upper triangular), each (C, C), whose product is W."""
        eye = torch.eye(len(self.L), dtype=self.L.dtype, device=self.L.device)
        return (
            eye[self.order],
            self.L.tril(-1) + eye,
            self.U.triu(1) + torch.diag(self.sign * self.log_s.exp()),
        )

    def matrix(self) -> Tensor:
        P, lower, upper = self.factors()
        return P @ (lower @ upper)

    def inverse_matrix(self) -> Tensor:
        P, lower, upper = (to_float64(factor) for factor in self.factors())  # float64: rounding here would add up
        half = torch.linalg.solve_triangular(lower, P.T, upper=False, unitriangular=True)
        return torch.linalg.solve_triangular(upper, half, upper=True).to(self.L)

    def log_abs_det(self) -> Tensor:
        return self.log_s.sum()


MIXINGS = {"lu": InvertibleConv1x1LU, "plain": InvertibleConv1x1, "shuffle": Shuffle, "reverse": Reverse}


def make_mixing(kind: str, channels: int, generator: torch.Generator | None = None) -> Flow:
    """One of `MIXINGS` by its short name; GlowliteError for any other name."""
    if kind not in MIXINGS:
        raise GlowliteError(f"unknown permutation {kind!r}: choose one of {', '.join(MIXINGS)}")
    return Reverse(channels) if kind == "reverse" else MIXINGS[kind](channels, generator)


def random_rotation(channels: int, generator: torch.Generator | None = None) -> Tensor:
    """A random orthogonal (C, C) matrix: the Q of QR of a Gaussian one, so |det| = 1 (published code)."""
    gaussian = torch.randn(channels, channels, generator=generator, dtype=torch.float64)
    return torch.linalg.qr(gaussian)[0].float()


def convolve1x1(x: Tensor, matrix: Tensor, bias: Tensor | None = None) -> Tensor:
    """matrix @ x + bias at every pixel: (B, C, H, W) -> the same shape; also (B, C)."""
    if x.dim() == 2:
        return F.linear(x, matrix, bias)
    return F.conv2d(x, matrix[:, :, None, None], bias)
