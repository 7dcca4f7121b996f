"""The same Glow built from four libraries: this one, normflows, nflows and FrEIA.

Every one is L levels of K steps on 8-bit colour pictures; a step is a per-channel affine map, a mixing of
channels and an affine coupling whose network is 3x3 -> 1x1 -> 3x3 convolutions of one width. What one has
no part for is said in its `differences`; nothing is added to slow a library down or to speed it up.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

import torch
from torch import Tensor, nn

from glowlite.flows.multiscale import standard_normal_log_prob
from glowlite.fusion import fuse
from glowlite.glow import Glow, GlowConfig


@dataclass(frozen=True)
class Size:
    side: int = 32
    levels: int = 3
    depth: int = 8
    width: int = 64

    def shapes(self) -> list[tuple[int, int, int]]:
        """(C, H, W) inside each level, finest first: a squeeze makes C four times, a split halves it."""
        return [(12 * 2**i, self.side // 2 ** (i + 1), self.side // 2 ** (i + 1)) for i in range(self.levels)]


@dataclass
class Contender:
    """log_density(x float (B, 3, H, W)) -> (B,) nats;  sample(n) -> (n, 3, H, W) by its own function."""

    library: str
    version: str
    model: nn.Module
    log_density: Callable[[Tensor], Tensor]
    sample: Callable[[int], Tensor]
    differences: str

    def parameters(self) -> int:
        return sum(p.numel() for p in self.model.parameters() if p.requires_grad)


class PlainNetwork(nn.Sequential):
    """3x3 -> ReLU -> 1x1 -> ReLU -> zero 3x3, with biases: for libraries that leave it to the user."""

    def __init__(self, c_in: int, c_out: int, width: int):
        last = nn.Conv2d(width, c_out, 3, padding=1)
        nn.init.zeros_(last.weight)
        super().__init__(nn.Conv2d(c_in, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU(), last)

    def forward(self, x: Tensor, context=None) -> Tensor:
        return super().forward(x)


def glowlite(size: Size) -> Contender:
    config = GlowConfig((3, size.side, size.side), size.levels, size.depth, size.width)
    model = Glow(config)
    fused = functools.cache(lambda: fuse(model))  # once, before the first decoding
    differences = "it decodes with glowlite.fuse's copy of the model; split priors predicted from what stays"
    return Contender("glowlite", "", model, model.log_density, lambda n: fused().sample(n, 1.0), differences)


def normflows(size: Size) -> Contender:
    import normflows as nf

    shapes = size.shapes()[::-1]  # coarsest first, from latents to pictures
    flows = [
        [nf.flows.GlowBlock(shape[0], size.width, net_actnorm=True) for _ in range(size.depth)] + [nf.flows.Squeeze()]
        for shape in shapes
    ]
    latents = [shapes[0], *((channels // 2, height, width) for channels, height, width in shapes[1:])]
    merges = [nf.flows.Merge() for _ in shapes[1:]]
    priors = [nf.distributions.DiagGaussian(shape) for shape in latents]
    model = nf.MultiscaleFlow(priors, flows, merges, class_cond=False)
    return Contender(
        "normflows", metadata.version("normflows"), model, lambda x: model.log_prob(x, None),
        lambda n: model.sample(n)[0],
        "same parts (ActNorm, LU 1x1, ActNorm in the network); a split's prior is a table, not predicted; "
        "scale is sigmoid(h + 2); its sample() also sums log-dets",
    )  # fmt: skip


def nflows(size: Size) -> Contender:
    from nflows import transforms
    from nflows.distributions.normal import StandardNormal
    from nflows.flows.base import Flow
    from nflows.utils.torchutils import create_mid_split_binary_mask

    def step(channels):
        def network(c_in, c_out):
            return PlainNetwork(c_in, c_out, size.width)

        return [
            transforms.ActNorm(channels),
            transforms.OneByOneConvolution(channels),
            transforms.AffineCouplingTransform(create_mid_split_binary_mask(channels), network),
        ]

    whole = transforms.MultiscaleCompositeTransform(size.levels)
    for shape in size.shapes():
        steps = [part for _ in range(size.depth) for part in step(shape[0])]
        whole.add_transform(transforms.CompositeTransform([transforms.SqueezeTransform(), *steps]), shape)
    model = Flow(whole, StandardNormal([3 * size.side**2]))
    return Contender(
        "nflows", metadata.version("nflows"), model, model.log_prob, model.sample,
        "ActNorm and LU 1x1 as in Glow, but priors are fixed; biases instead of ActNorm in the network; "
        "scale is sigmoid(h + 2) + 0.001; its sample() also sums log-dets",
    )  # fmt: skip


def freia(size: Size) -> Contender:
    from FrEIA.framework import GraphINN, InputNode, Node, OutputNode
    from FrEIA.modules import AllInOneBlock, IRevNetDownsampling, Split

    def network(c_in, c_out):
        return PlainNetwork(c_in, c_out, size.width)

    step = {
        "subnet_constructor": network,
        "affine_clamping": 0.7,
        "global_affine_type": "EXP",
        "permute_soft": True,
    }
    nodes, outputs = [InputNode(3, size.side, size.side)], []
    for level in range(size.levels):
        nodes.append(Node(nodes[-1].out0, IRevNetDownsampling, {}))
        for _ in range(size.depth):
            nodes.append(Node(nodes[-1].out0, AllInOneBlock, step))
        if level < size.levels - 1:
            nodes.append(Node(nodes[-1].out0, Split, {}))
            outputs.append(OutputNode(nodes[-1].out1))
    outputs.append(OutputNode(nodes[-1].out0))
    model = GraphINN(nodes + outputs)
    shapes = size.shapes()
    latents = [(channels // 2, height, width) for channels, height, width in shapes[:-1]] + [shapes[-1]]

    def log_density(x):
        eps, log_det = model(x)
        return sum(standard_normal_log_prob(part) for part in eps) + log_det

    def sample(n):
        device = next(model.parameters()).device
        return model([torch.randn(n, *shape, device=device) for shape in latents], rev=True)[0]

    return Contender(
        "FrEIA", metadata.version("FrEIA"), model, log_density, sample,
        "its AllInOneBlock: the rotation is fixed, as it has no LU 1x1; the affine map is not set from data; "
        "priors are fixed; biases instead of ActNorm in the network",
    )  # fmt: skip


BUILDERS = {"glowlite": glowlite, "normflows": normflows, "nflows": nflows, "FrEIA": freia}
