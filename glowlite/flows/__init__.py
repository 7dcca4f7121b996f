"""The layers of Glow, one idea a file: base, actnorm, coupling, mixing, multiscale."""

from glowlite.flows.actnorm import ActNorm
from glowlite.flows.base import Chain, Flow
from glowlite.flows.coupling import CheckerboardCoupling, Coupling
from glowlite.flows.mixing import InvertibleConv1x1, InvertibleConv1x1LU, Reverse, Shuffle
from glowlite.flows.multiscale import Split, Squeeze, TopPrior

__all__ = [
    "ActNorm",
    "Chain",
    "CheckerboardCoupling",
    "Coupling",
    "Flow",
    "InvertibleConv1x1",
    "InvertibleConv1x1LU",
    "Reverse",
    "Shuffle",
    "Split",
    "Squeeze",
    "TopPrior",
]
