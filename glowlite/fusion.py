"""fuse: a copy of a model whose affine parts are plain convolutions, to decode many pictures with the same weights."""

import copy

import torch
from torch import Tensor, nn

from glowlite.flows.base import Chain, Flow, fold
from glowlite.flows.coupling import EdgeConv2d, convolve
from glowlite.flows.mixing import convolve1x1
from glowlite.glow import FlowStep, Glow


def fuse(model: Glow) -> Glow:
    """A copy of a trained model that computes the same, faster, and cannot be trained.

    ActNorm and mixing become one 1x1 convolution each way, and every convolution of a coupling's network takes its
    ActNorm in, as `torch.nn.utils.fusion` does for convolution and batch norm. Everything is made from the layers' own
    forward and inverse, in float64 on the CPU. What needs float64 later, the model itself computes: W and its inverse,
    each rounded to float32, fit together to 7 digits only. GlowliteError where an ActNorm has not seen data yet.

    >>> from glowlite.glow import PRESETS
    >>> model = Glow(PRESETS["tiny"])
    >>> model.initialize(torch.rand(32, 3, 16, 16) - 0.5)
    >>> latents = model(torch.rand(2, 3, 16, 16) - 0.5)[0]
    >>> torch.allclose(fuse(model).inverse(latents), model.inverse(latents), atol=1e-4)
    True
    """
    fused = copy.deepcopy(model).eval().requires_grad_(False).cpu().double()
    for module in list(fused.modules()):
        for name, child in module.named_children():
            if isinstance(child, EdgeConv2d):
                setattr(module, name, Convolution(*child.folded()).to(model.dtype))
    for step in [module for module in fused.modules() if isinstance(module, FlowStep)]:
        *affine, coupling = step.flows  # ActNorm, and mixing where there is one
        step.flows = nn.ModuleList([Affine(Chain(*affine), affine[0].b).to(model.dtype), coupling])
    fused.in_float64 = model.in_float64
    return fused.to(model.device, model.dtype)


class Convolution(nn.Module):
    """A convolution with constant weights and bias: (B, C_in, H, W) -> (B, C_out, H, W)."""

    def __init__(self, weights: Tensor, bias: Tensor):
        super().__init__()
        self.register_buffer("weights", weights.contiguous())
        self.register_buffer("bias", bias.contiguous())

    def forward(self, x: Tensor) -> Tensor:
        return convolve(x, self.weights, self.bias)


class Affine(Flow):
    """z = W x + b at every pixel, and x = V z + c: the same as `flow`, which is affine at each pixel, both ways."""

    def __init__(self, flow: Flow, like: Tensor):
        super().__init__()
        eye = torch.eye(len(like)).to(like)[..., None, None]  # (C, C, 1, 1)
        for names, move in ((("W", "b"), lambda x: flow(x)[0]), (("V", "c"), flow.inverse)):
            for name, value in zip(names, fold(move, eye), strict=True):
                self.register_buffer(name, value.flatten(1) if value.dim() > 1 else value)
        self.register_buffer("log_det", flow(like[None])[1])  # of one pixel, (1,)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return convolve1x1(x, self.W, self.b), (x[0, 0].numel() * self.log_det).expand(x.shape[0])

    def inverse(self, z: Tensor) -> Tensor:
        return convolve1x1(z, self.V, self.c)
