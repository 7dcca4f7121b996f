"""Checks of notebook 08: FlowStep put together from its three parts, Glow from steps, splits and the top prior.

What is right is decided by the classes of glowlite.flows and by glowlite.Glow, with the same weights, in float64. The
third exercise asks for a log-det that a friend got wrong.
"""

import math
from collections.abc import Iterator
from itertools import permutations, product

import torch
from torch import Tensor

from glowlab.checks.answers import tensor_of
from glowlab.checks.base import Mistake, check, name_mistake, run, same
from glowlab.checks.glow_assembled_parts import (
    CLAMP,
    actnorm,
    conv1x1,
    copy_weights,
    coupling,
    like,
    lines_of,
    moved,
    one_each,
    pair,
    run_inverse,
    with_weights,
)
from glowlab.checks.solutions import glow_assembled as answers
from glowlite.flows import ActNorm, Chain, Coupling, Flow, InvertibleConv1x1
from glowlite.flows.mixing import convolve1x1
from glowlite.glow import Glow, GlowConfig

__all__ = ["copy_weights", "flow_step", "glow", "lines_of", "mended_logit", "stand_in_glow", "stand_in_step"]


def stand_in_step(attempt: type) -> type:
    """The student's class with methods that are right, under another name; the class itself stays as it is."""
    return _stand_in(attempt, answers.FlowStep)


def stand_in_glow(attempt: type) -> type:
    """The same for exercise 2."""
    return _stand_in(attempt, answers.Glow)


def _stand_in(attempt: type, right: type) -> type:
    return type(f"StandIn{right.__name__}", (attempt,), {"forward": right.forward, "inverse": right.inverse})


# ---- exercise 1 --------------------------------------------------------------------------------------------

NAMES = ("ActNorm", "the 1x1 convolution", "the coupling")


def through(flows: list[Flow], x: Tensor) -> Tensor:
    for flow in flows:
        x = flow(x)[0]
    return x


def backwards(flows: list[Flow], z: Tensor) -> Tensor:
    for flow in flows:
        z = flow.inverse(z)
    return z


def listed(names) -> str:
    names = list(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


@check(
    "FlowStep",
    hints=[
        "Hand the picture on: what actnorm gives is what conv1x1 gets. Each also gives a log-det: keep all three.",
        "actnorm(x, *self.norm), conv1x1(x, self.W) and coupling(x, self.network), in this order.",
        "Backwards: undo the last part first. The inverse of a 1x1 convolution is one with W^-1.",
    ],
    solution=[Chain],
)
def flow_step(attempt, generator):
    """attempt(channels, width) is a module with forward(x) -> (z, log_det) and inverse(z) -> x."""
    channels = 2 * int(torch.randint(2, 5, (1,), generator=generator))
    count, height, width = torch.randint(2, 6, (3,), generator=generator).tolist()
    with torch.random.fork_rng(devices=[]):  # the notebook's own random numbers stay as they are
        conv = InvertibleConv1x1(channels, generator)
        parts = ActNorm(channels), conv, Coupling(channels, 6, edge=False, clamp=CLAMP)
    theirs = moved(Chain(*parts), generator)
    step = with_weights(attempt, theirs, channels, 6)
    x = torch.randn(count, channels, height, width, generator=generator).double()
    with torch.no_grad():
        yield from judge_step(step, theirs, x)
    explain_gradient(step, x)
    yield "it can be trained: gradients reach all weights"


def judge_step(step, theirs: Chain, x: Tensor) -> Iterator[str]:
    flows = list(theirs.flows)
    given = x.clone()
    z, log_det = pair(run(step.forward, x), "z")
    if not torch.equal(x, given):
        raise Mistake("forward changes the x that it is given, in place; make a new tensor instead")
    explain_z(like(z, x, "z"), x, flows)
    yield "forward: ActNorm, 1x1 convolution, coupling, each after the other"
    explain_log_det(log_det, x, flows)
    yield "log_det: all three add up"
    explain_x(run_inverse(step.inverse, z.clone()), x, z, flows)
    yield "inverse: every x comes back, up to rounding"


def explain_gradient(step, x: Tensor) -> None:
    """Return if z and log_det depend on all weights as they should; else name what cuts the gradient off."""
    z, log_det = step(x)
    y, norm = actnorm(x, *step.norm)
    y, conv = conv1x1(y, step.W)
    right, last = coupling(y, step.network)
    terms = [gradient(term.expand(len(x)).sum(), step) for term in (norm, conv, last)]
    found = gradient(log_det.sum(), step)
    cut = "; .item(), .detach(), float() and torch.no_grad() cut it off, and training could not raise the log-det"
    if not found.any():
        raise Mistake(f"log_det has the right value and no gradient{cut}")
    for kept in product((1, 0), repeat=3):
        if same(found, sum(k * term for k, term in zip(kept, terms, strict=True))):
            if lost := [name for name, k in zip(NAMES, kept, strict=True) if not k]:
                raise Mistake(f"log_det has the right value, but the log-det of {listed(lost)} has no gradient{cut}")
            break
    else:
        raise Mistake(f"log_det has the right value, but its gradient does not reach all weights{cut}")
    if not same(gradient((z * x).sum(), step), gradient((right * x).sum(), step)):
        raise Mistake("z has the right value, but its gradient does not reach all weights: leave out .detach() and "
                      "torch.no_grad()")  # fmt: skip


def gradient(value: Tensor, module) -> Tensor:
    """The derivatives of `value` by all parameters of `module`, side by side; 0 where there is none."""
    weights = list(module.parameters())
    if not value.requires_grad:
        return torch.cat([torch.zeros_like(w).flatten() for w in weights])
    parts = torch.autograd.grad(value, weights, retain_graph=True, allow_unused=True, materialize_grads=True)
    return torch.cat([part.flatten() for part in parts])


def explain_z(z: Tensor, x: Tensor, flows: list[Flow]) -> None:
    """Return if z is right; else raise the Mistake that explains it best."""
    if same(z, through(flows, x)):
        return
    if same(z, x):
        raise Mistake("z is x as it came")
    for i, flow in enumerate(flows):
        if same(z, through([flow], x)):
            raise Mistake(f"{NAMES[i]} was given x itself: each part takes what the part before it gave")
    for kept in ((0, 1), (0, 2), (1, 2)):
        if same(z, through([flows[i] for i in kept], x)):
            left_out = ({0, 1, 2} - set(kept)).pop()
            raise Mistake(f"{NAMES[left_out]} is left out of z, or what it gave was not handed on")
    for order in permutations(range(3)):
        if same(z, through([flows[i] for i in order], x)):
            raise Mistake(f"another order than the paper's: z went through {listed(NAMES[i] for i in order)}")
        if same(z, backwards([flows[i] for i in order], x)):
            raise Mistake("forward goes from data to latents; yours goes the other way, through the inverses")
    raise Mistake("z is not what ActNorm, the 1x1 convolution and the coupling make of x, one after the other")


def explain_log_det(log_det, x: Tensor, flows: list[Flow]) -> None:
    values = []
    for flow in flows:
        x, value = flow(x)
        values.append(value)
    if isinstance(log_det, Tensor) and log_det.dim() == 0 and same(log_det, values[0][0] + values[1][0]):
        raise Mistake(f"the log-det of {NAMES[2]} is missing, which differs from picture to picture")
    log_det = one_each(log_det, len(x))
    explain_sum(log_det, dict(zip(NAMES, values, strict=True)))


def explain_sum(log_det: Tensor, terms: dict[str, Tensor]) -> None:
    """Return if log_det is the sum of all terms; else name those that are missing or have the wrong sign."""
    if same(log_det, sum(terms.values())):
        return
    if same(log_det, -sum(terms.values())):
        raise Mistake("log_det has the right size and the wrong sign")
    if same(log_det, sum(terms.values()).mean().expand(len(log_det))):
        raise Mistake("log_det is a mean over the batch; each picture has its own")
    for factors in sorted(product((1, 0, -1), repeat=len(terms)), key=lambda f: sum(v != 1 for v in f)):
        if same(log_det, sum(f * term for f, term in zip(factors, terms.values(), strict=True))):
            gone = [name for name, f in zip(terms, factors, strict=True) if f == 0]
            turned = [name for name, f in zip(terms, factors, strict=True) if f < 0]
            said = [f"the log-det of {listed(gone)} is missing"] if gone else []
            said += [f"the log-det of {listed(turned)} is subtracted, not added"] if turned else []
            raise Mistake("; ".join(said))
    raise Mistake("log_det is not the sum of the log-dets of all that x went through")


def explain_x(result, x: Tensor, z: Tensor, flows: list[Flow]) -> None:
    """Return if inverse gave x back; else raise the Mistake that explains it best."""
    back = like(result, x, "what inverse gives")
    if same(back, x):
        return
    for order in permutations(range(3)):
        if order != (2, 1, 0) and same(back, backwards([flows[i] for i in order], z)):
            first = "the same order as forward" if order == (0, 1, 2) else "another order"
            raise Mistake(f"the inverses stand in {first}; what was done last must be undone first")
    norm, conv, coupling = flows
    if same(back, norm.inverse(convolve1x1(coupling.inverse(z), conv.matrix().T))):
        raise Mistake("W^T undoes a rotation only, and training makes W any matrix: take its inverse")
    for done in product((True, False, None), repeat=3):  # undone, done once more, left out
        y = z
        for i in (2, 1, 0):
            y = y if done[i] is None else flows[i].inverse(y) if done[i] else flows[i](y)[0]
        if same(back, y):
            wrong = [f"{NAMES[i]} is done once more" for i in range(3) if done[i] is False]
            wrong += [f"{NAMES[i]} is not undone" for i in range(3) if done[i] is None]
            raise Mistake(listed(wrong))
    raise Mistake(f"inverse(forward(x)) is not x: the largest error is {(back - x).abs().max():.2g}")


# ---- exercise 2 --------------------------------------------------------------------------------------------

ORDER = (  # said where sizes do not fit on the way back
    "the last level comes first, with self.top; then, for each level before it, split_inverse and after that "
    "level.inverse, with that level's eps and prior"
)


@check(
    "Glow",
    hints=[
        "Start with an empty list and a total of 0. Each level: x, log_det = level(x), then the split.",
        "zip(self.levels, self.priors) ends before the last level, whose x goes to self.top: nothing stays there.",
        "Backwards: self.top.inverse(latents[-1][:, :0], latents[-1]) and the last level's inverse; then for the other "
        "levels, from the last to the first, split_inverse(x, eps, prior) and level.inverse.",
    ],
    solution=[Glow.forward, Glow.inverse],
)
def glow(attempt, generator):
    """attempt(shape, depth, width) is a module with forward(x) -> (latents, log_det) and inverse(latents) -> x."""
    levels = 3  # with two, there would be one split only, whose place in line shows nothing
    count = int(torch.randint(2, 4, (1,), generator=generator))
    sizes = (2**levels * torch.randint(1, 3, (2,), generator=generator)).tolist()
    depth = tuple(torch.randint(1, 3, (levels,), generator=generator).tolist())
    shape, width = (3, *sizes), (6,) * levels
    theirs = moved(Glow(GlowConfig(shape, levels, depth, width, permutation="plain", clamp=CLAMP)), generator)
    ours = with_weights(attempt, theirs, shape, depth, width)
    x = torch.rand(count, *shape, generator=generator).double() - 0.5
    with torch.no_grad():
        yield from judge_glow(ours, theirs, x)
    latents, log_det = ours(x)
    for name, value in (("log_det has", log_det), ("the latents have", sum(eps.sum() for eps in latents))):
        if not gradient(value.sum(), ours).any():
            cut = ".item(), .detach(), float() and torch.no_grad() cut it off"
            raise Mistake(f"right values, but {name} no gradient, so nothing could be trained; {cut}")
    yield "it can be trained: the gradient is not cut off"


def judge_glow(ours, theirs: Glow, x: Tensor) -> Iterator[str]:
    given = x.clone()
    latents, log_det = pair(run(ours.forward, x), "latents")
    if not torch.equal(x, given):
        raise Mistake("forward changes the x that it is given, in place; make a new tensor instead")
    if not isinstance(latents, (list, tuple)):
        raise Mistake(f"the latents are a list with one tensor for each level, not a {type(latents).__name__}")
    explain_latents(list(latents), theirs, x)
    yield "the latents: one tensor for each level, finest first, all white"
    explain_total(log_det, theirs, x)
    yield "log_det: levels, splits and top prior add up"
    handed = [eps.clone() for eps in latents]
    back = run_inverse(ours.inverse, handed, ORDER)
    if not same(handed, latents):
        raise Mistake("inverse takes latents out of the caller's list or changes them; they may be needed again")
    explain_picture(like(back, x, "what inverse gives"), x, list(latents), theirs)
    yield "inverse: every x comes back"


def walk(theirs: Glow, x: Tensor, swap=False, white=True, top=True) -> list[Tensor]:
    """The latents that come from these mistakes: what stays kept, what leaves not whitened, no top prior."""
    latents = []
    for level in theirs.levels[:-1]:
        y, _ = level.steps(x)
        x, eps, _ = level.split(y)
        eps = eps if white else y.chunk(2, 1)[1]
        x, eps = (eps, x) if swap else (x, eps)
        latents.append(eps)
    x, _ = theirs.levels[-1].steps(x)
    return [*latents, theirs.levels[-1].split(x)[1] if top else x]


def explain_latents(latents: list, theirs: Glow, x: Tensor) -> None:
    """Return if all latents are right; else raise the Mistake that explains them best."""
    right = walk(theirs, x)
    if same(latents, right):
        return
    if same(latents, right[:-1]):
        raise Mistake("the last level's numbers are missing: whatever is left at the end belongs to z, too")
    if same(latents, right[-1:]):
        raise Mistake("only the last level's latents are there: at each split, keep the half that leaves")
    if same(latents, right[::-1]):
        raise Mistake("the levels are in the wrong order: the finest, which leaves first, comes first")
    explanations = {
        "the wrong half leaves: split gives (what stays, eps, log_det), and what stays goes on": {"swap": True},
        "the last level's numbers are not white: they still have to go through self.top": {"top": False},
        "what leaves was not whitened by what stays: use split": {"white": False},
        "nothing was whitened: use split at each level and self.top at the last": {
            "white": False,
            "top": False,
        },
    }
    for words, how in explanations.items():
        if same(latents, walk(theirs, x, **how)):
            raise Mistake(words)
    if len(latents) != len(right):
        raise Mistake(f"{len(right)} levels give {len(right)} tensors of latents, not {len(latents)}")
    wrong = next(l for l in range(len(right)) if not same(latents[l], right[l]))
    raise Mistake(f"the latents of level {wrong + 1} are not what its steps and its split make of x")


def explain_total(log_det, theirs: Glow, x: Tensor) -> None:
    terms = {}
    *before, last = theirs.levels
    for i, level in enumerate(before, start=1):
        x, terms[f"level {i}"] = level.steps(x)
        x, _, terms[f"split {i}"] = level.split(x)
    x, terms["the last level"] = last.steps(x)
    _, _, terms["the top prior"] = last.split(x)
    explain_sum(one_each(log_det, len(x)), terms)


def explain_picture(back: Tensor, x: Tensor, latents: list[Tensor], theirs: Glow) -> None:
    if same(back, x):
        return
    for top, swap in ((False, False), (True, True), (False, True)):
        *before, last = theirs.levels
        y = last.steps.inverse(last.split.inverse(x[:, :0], latents[-1]) if top else latents[-1])
        for level, eps in reversed(list(zip(before, latents, strict=False))):
            y = level.inverse(eps, y) if swap else level.inverse(y, eps)
        if same(back, y):
            words = ["the last level's latents are still white: self.top.inverse comes first"] * (not top)
            words += ["what stays and what left are swapped: split_inverse(stays, eps, prior)"] * swap
            raise Mistake("; ".join(words))
    raise Mistake(f"inverse(forward(x)) is not x: the largest error is {(back - x).abs().max():.2g}")


# ---- exercise 3 --------------------------------------------------------------------------------------------


@check(
    "mended_logit",
    hints=[
        "z is right. Compare the friend's log_det with brute force for one number: x of the shape (1, 1, 1, 1).",
        "Two functions stand one inside the other: x -> p -> z. By the chain rule their log-dets add up.",
        "The friend has the slope of the second one, dz/dp = 1 / (p (1 - p)). What is dp/dx?",
    ],
    solution=[],
)
def mended_logit(attempt, generator):
    """attempt(x) -> (z, log_det): z = log(p / (1 - p)) with p = 0.05 + 0.9 (x + 0.5), x (B, C, H, W)."""
    count, channels, height, width = (torch.randperm(5, generator=generator)[:4] + 2).tolist()
    x = torch.rand(count, channels, height, width, generator=generator) - 0.5
    given = x.clone()
    result = run(attempt, x)
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Mistake("it must give back two things: z, log_det")
    if not torch.equal(x, given):
        raise Mistake("it changes the x that it is given, in place; make a new tensor instead")
    p = 0.05 + 0.9 * (x.double() + 0.5)
    if not same(tensor_of(result[0], tuple(x.shape), "z"), (p / (1 - p)).log()):
        raise Mistake("z was right, and now it is another: only the log-det has a fault")
    yield "z is as it was"
    log_det, numbers = one_each(result[1], count), x[0].numel()
    friends, slope = -(p * (1 - p)).log().sum((1, 2, 3)), math.log(0.9)
    right = friends + numbers * slope
    words = {
        "that is still the friend's log-det; brute force gives another": friends,
        "each of the C x H x W numbers is scaled by 0.9; it was counted once": friends + slope,
        "each channel's numbers are scaled, too: C x H x W numbers, not H x W": friends + height * width * slope,
        "the pictures of the batch were counted, too; each picture has its own log-det":
            friends + count * numbers * slope,
        "0.9 makes p change less, so the log-det gets smaller, not larger": friends - numbers * slope,
        "0.9 is a slope; a log-det adds its log": friends + 0.9 * numbers,
        "the log-det is multiplied by 0.9; the slope is, so its log is added": 0.9 * friends,
        "that is the log-det of the way back": -right,
    }  # fmt: skip
    if not same(log_det, right):
        name_mistake(log_det, words)
        raise Mistake(f"log_det is off by {(log_det - right)[0]:.3g} for the first picture")
    yield "log_det is that of the Jacobian"
    if not attempt(x.requires_grad_())[1].requires_grad:
        raise Mistake("log_det has no gradient: .item(), .detach(), float() and torch.no_grad() cut it off")
