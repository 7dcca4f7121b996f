"""Helpers of several tests: perturbed layers, Jacobians by autograd, old names of tensors, the command line."""

import re

import torch

from glowlite import cli


def perturb(module, x=None, amount=0.1, seed=0):
    """Let `module` see x once, then move *all* its parameters a little: nothing is at a special value any more."""
    generator = torch.Generator().manual_seed(seed)
    module.train()
    with torch.no_grad():
        if x is not None:
            module(x)
        for parameter in module.parameters():
            parameter.add_(amount * torch.randn(parameter.shape, generator=generator).to(parameter))
    return module


def jacobian_log_det(forward, x):
    """log |det dz/dx| of each example by autograd, (B,); forward gives (z or list of latents, log_det)."""

    def flat(one):
        z = forward(one[None])[0]
        parts = z if isinstance(z, list) else [z]
        return torch.cat([part.flatten() for part in parts])

    matrices = [torch.autograd.functional.jacobian(flat, one, vectorize=True) for one in x]
    return torch.stack([torch.linalg.slogdet(m.reshape(x[0].numel(), -1))[1] for m in matrices])


def name_of_format_1(name, levels):
    """What a Glow's tensor was called in files of format 1, which kept steps, splits and the top in three places."""
    name = re.sub(rf"levels\.{levels - 1}\.split\.", "top.", name)
    name = re.sub(r"levels\.(\d+)\.split\.", r"splits.\1.", name)
    return name.replace(".steps.", ".", 1)


def glowlite(*arguments) -> int:
    """The exit code of a command of `glowlite` that runs in this process."""
    try:
        cli.main([str(argument) for argument in arguments])
    except SystemExit as end:
        return end.code or 0
    return 0
