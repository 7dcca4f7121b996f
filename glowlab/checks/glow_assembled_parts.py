"""Parts of the checks of notebook 08: Glow's parts as functions of their weights, copied weights, counted lines.

The notebook defines the same functions. The worked answers in solutions/glow_assembled.py are put together from them.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glowlab.checks.base import Mistake, Untried, run
from glowlite.flows import ActNorm
from glowlite.flows.coupling import SCALE_BOUND
from glowlite.flows.multiscale import bound
from glowlite.glow import PRESETS, Glow

CLAMP = PRESETS["faces64"].clamp

# ---- the parts, as functions of their weights --------------------------------------------------------------


def actnorm(x, log_s, b):
    return x * log_s.exp() + b, x[0, 0].numel() * log_s.sum()


def actnorm_inverse(z, log_s, b):
    return (z - b) * (-log_s).exp()


def conv1x1(x, W):
    return F.conv2d(x, W[:, :, None, None]), x[0, 0].numel() * W.slogdet()[1]


def coupling(x, network):
    x_a, x_b = x.chunk(2, 1)
    t, h = network(x_a.clamp(-CLAMP, CLAMP)).chunk(2, 1)
    log_s = SCALE_BOUND * h.tanh()
    return torch.cat([x_a, (x_b + t) * log_s.exp()], 1), log_s.sum((1, 2, 3))


def coupling_inverse(z, network):
    z_a, z_b = z.chunk(2, 1)
    t, h = network(z_a.clamp(-CLAMP, CLAMP)).chunk(2, 1)
    return torch.cat([z_a, z_b * (-SCALE_BOUND * h.tanh()).exp() - t], 1)


def split(x, prior):
    stays, leaves = x.chunk(2, 1)
    mean, log_std = prior(stays).chunk(2, 1)
    return stays, (leaves - mean) * (-bound(log_std)).exp(), -bound(log_std).sum((1, 2, 3))


def split_inverse(stays, eps, prior):
    mean, log_std = prior(stays).chunk(2, 1)
    return torch.cat([stays, mean + eps * bound(log_std).exp()], 1)


# ---- weights, and lines of code ----------------------------------------------------------------------------


@torch.no_grad()
def copy_weights(theirs: nn.Module, ours: nn.Module) -> None:
    """Give `ours` the weights of `theirs`: the package's FlowStep or Glow to the notebook's of the same sizes.

    W of the 1x1 convolution is multiplied out, whatever it is made from.
    """
    if not isinstance(theirs, Glow):
        norm, conv, coupling = theirs.flows
        ours.norm.copy_(torch.stack([norm.log_scale(), norm.b])[..., None, None])
        ours.W.copy_(conv.matrix())
        ours.network.load_state_dict(coupling.network.state_dict())
        return
    for level, their_level in zip(ours.levels, theirs.levels, strict=True):
        for step, their_step in zip(level.flows[1:], their_level.steps.flows[1:], strict=True):  # after the squeeze
            copy_weights(their_step, step)
    *splits, top = (level.split for level in theirs.levels)
    for prior, their_split in zip(ours.priors, splits, strict=True):
        prior.load_state_dict(their_split.prior.state_dict())
    ours.top.load_state_dict(top.state_dict())


def lines_of(thing: Callable) -> int:
    """Lines of code of a function, or of a class with all its methods: no blank ones, comments or docstrings."""
    if inspect.isclass(thing):  # what it has from torch is not counted, what it has from another class is
        classes = [part for part in thing.__mro__ if part not in nn.Module.__mro__]
        methods = {name: method for part in reversed(classes) for name, method in vars(part).items()}
        return 1 + sum(lines_of(method) for method in methods.values() if inspect.isfunction(method))
    source = textwrap.dedent(inspect.getsource(thing))
    lines = [line.strip() for line in source.splitlines()]
    first = ast.parse(source).body[0].body[0]
    if isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", None), str):
        lines[first.lineno - 1 : first.end_lineno] = []
    return sum(bool(line) and not line.startswith("#") for line in lines)


# ---- the shape of an answer ---------------------------------------------------------------------------


@torch.no_grad()
def moved(module: nn.Module, generator: torch.Generator) -> nn.Module:
    """In float64, every parameter at a random place and every ActNorm initialized: a layer during training."""
    module.double().eval()
    for part in module.modules():
        if isinstance(part, ActNorm):
            part.initialized = True
    for parameter in module.parameters():
        parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator).to(parameter))
    return module


def with_weights(attempt: type, theirs: nn.Module, *sizes) -> nn.Module:
    """The student's class made with these sizes, in float64, with the weights of `theirs`."""
    with torch.random.fork_rng(devices=[]):  # its first weights shall not use up the notebook's random numbers
        ours = run(attempt, *sizes).double().eval()
    try:
        copy_weights(theirs, ours)
    except (AttributeError, RuntimeError, ValueError) as error:
        raise Mistake("the weights are not where __init__ puts them: leave __init__ as it was") from error
    return ours


def pair(result, what: str) -> tuple:
    """The two things that forward gives, or the Mistake that it gives something else."""
    if not isinstance(result, tuple) or len(result) != 2:
        raise Mistake(f"forward must give back two things: {what}, log_det")
    for name, part in zip((what, "log_det"), result, strict=True):
        if part is None or part is Ellipsis:
            raise Mistake(f"{name} is still missing")
    return tuple(result)


def like(result, x: Tensor, name: str) -> Tensor:
    """`result` if it is a tensor of x's shape, or the Mistake that it is not."""
    if isinstance(result, (tuple, list)) and name == "z":
        raise Mistake("z is still a pair: each part gives (z, log_det), so take it apart with z, log_det = ...")
    if isinstance(result, (tuple, list)):
        raise Mistake("inverse gives x alone: on the way back no log-det is needed")
    if not isinstance(result, Tensor) or result.shape != x.shape:
        what = tuple(result.shape) if isinstance(result, Tensor) else type(result).__name__
        raise Mistake(f"{name} must have the shape {tuple(x.shape)}, not {what}")
    return result


def one_each(log_det, count: int) -> Tensor:
    if not isinstance(log_det, Tensor) or log_det.shape != (count,):
        what = tuple(log_det.shape) if isinstance(log_det, Tensor) else type(log_det).__name__
        what = "a single one for all" if what == () else what
        raise Mistake(f"log_det must have one number for each of the {count} pictures, not {what}")
    return log_det


def run_inverse(inverse: Callable, z, advice: str = "") -> object:
    """The result of inverse. A stub is a Mistake here, since forward is right already.

    advice: said where sizes do not fit.
    """
    try:
        return run(inverse, z)
    except Untried:
        raise Mistake("forward is right; inverse is still missing") from None
    except Mistake as mistake:
        if advice and "RuntimeError" in str(mistake):
            raise Mistake(f"{mistake}. Do the sizes not fit? {advice}") from None
        raise
