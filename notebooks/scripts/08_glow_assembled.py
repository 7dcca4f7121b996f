# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 08 · Glow, assembled
#
# The parts of seven notebooks become one model here, and you train it. In a few minutes its samples turn from
# coloured noise into blurred faces.
#
# **After this notebook you can** put a step of flow and a whole Glow together from parts of your own, prove that
# its log-det is the Jacobian's, choose how to train it, and say what its bits per dimension may be compared with.

# %% [markdown]
# **Needs.** The parts of notebooks 01 to 07; each is shown again in a few lines. No GPU.
#
# **Minutes.** About 75 to read and 75 for the exercises; all cells run in under 120 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $K$ | steps of flow in each level | `GlowConfig.depth` |
# | $L$ | levels | `GlowConfig.levels` |
# | $\varepsilon_l$ | the white latents of level $l$; $\varepsilon$ means all of them | `Glow.forward` |
# | $z$ | what one step makes of its input $x$ | `FlowStep.forward` |
# | $s$, $t$, $h$, $W$ | scale, shift, the network's answer for $s$ (02), the 1x1 convolution's matrix (03) | |
# | log-det | $\log\lvert\det \partial z / \partial x\rvert$, in nats | `FlowStep.forward` |
# | $D$ | how many numbers a picture has | `Glow.dims` |
# | bits/dim | $-\log_2 P(\text{picture}) / D$ | `Glow.bits_per_dim` |

# %% [markdown]
# ## 1 · All parts together
#
# Here is the map again, with all boxes lit. Do you remember the formula, the inverse and the log-det of each box?

# %%
from glowlab.figures.glow_map import glow_map

glow_map()

# %% [markdown]
# Here is each part once more, as functions of its weights. **ActNorm** (notebook 05) has a
# scale and a shift for each channel. It does the same at all $H \cdot W$ pixels, so its log-det is
# $H \cdot W \sum \log s$. The **1x1 convolution** (03, 04) multiplies the channels of every pixel by one matrix $W$.
# Its inverse needs no function of its own: it is a 1x1 convolution with $W^{-1}$.

# %%
import math

import torch
import torch.nn.functional as F
from torch import nn


def actnorm(x, log_s, b):
    return x * log_s.exp() + b, x[0, 0].numel() * log_s.sum()


def actnorm_inverse(z, log_s, b):
    return (z - b) * (-log_s).exp()


def conv1x1(x, W):
    return F.conv2d(x, W[:, :, None, None]), x[0, 0].numel() * W.slogdet()[1]


# %% [markdown]
# The **coupling** (02) gives one half of the channels to a network, which says how to shift and scale the other half.
# The bound 0.7 keeps each step from stretching or shrinking by more than $e^{0.7}$, about 2. The network's input is
# limited to -5 ... 5, which changes hardly any number of a face, so its answers stay moderate for other pictures, too.


# %%
def coupling(x, network):
    x_a, x_b = x.chunk(2, 1)
    t, h = network(x_a.clamp(-5, 5)).chunk(2, 1)
    log_s = 0.7 * h.tanh()
    return torch.cat([x_a, (x_b + t) * log_s.exp()], 1), log_s.sum((1, 2, 3))


def coupling_inverse(z, network):
    z_a, z_b = z.chunk(2, 1)
    t, h = network(z_a.clamp(-5, 5)).chunk(2, 1)
    return torch.cat([z_a, z_b * (-0.7 * h.tanh()).exp() - t], 1)


# %% [markdown]
# **Which network?** Any will do, since nobody inverts it. The paper has three convolutions, 3x3, 1x1 and 3x3, with
# ReLU between them. An ActNorm follows each of the first two, only to keep numbers moderate: it is no part of the flow,
# so its log-det does not count. Hidden weights start small, from $\mathcal N(0, 0.05^2)$. The last layer starts at
# zero, so each coupling starts as the identity.


# %%
def hidden(x, layer):  # convolution, ActNorm, ReLU
    y = F.conv2d(x, layer.weight, padding=layer.weight.shape[-1] // 2)
    log_s, b = layer.norm.log_scale()[:, None, None], layer.norm.b[:, None, None]
    return actnorm(y, log_s, b)[0].relu()


def network(x_a, layers):
    y = hidden(hidden(x_a, layers.first), layers.second)
    last = layers.last  # it scales each channel by exp(3 log_s), which also starts at 1
    return F.conv2d(y, last.weight, last.b, padding=1) * (3 * last.log_s).exp()[:, None, None]


# %% [markdown]
# The **split** (06) lets half of the channels leave, whitened by a prior that the other half predicts. Its network
# is one 3x3 convolution, which starts at zero. `bound` keeps $\log \sigma$ between -2 and 2.

# %%
from glowlite.flows.multiscale import bound


def split(x, prior):
    stays, leaves = x.chunk(2, 1)
    mean, log_std = prior(stays).chunk(2, 1)
    return stays, (leaves - mean) * (-bound(log_std)).exp(), -bound(log_std).sum((1, 2, 3))


def split_inverse(stays, eps, prior):
    mean, log_std = prior(stays).chunk(2, 1)
    return torch.cat([stays, mean + eps * bound(log_std).exp()], 1)


# %%
glow_map("actnorm", "mixing", "coupling", "split", "log_det")

# %% [markdown]
# All the lit boxes are written now. (Squeeze only moves numbers.) Are they the same as the package's? We compare them
# with the parts of the trained model, in float64, so that no rounding hides a mistake.

# %%
import glowlite

exact = glowlite.load("faces64").double()  # the shipped model, in float64
norm, conv, couple = exact.levels[0].steps.flows[1].flows  # its very first step
x = torch.rand(2, 12, 8, 8, dtype=torch.float64) - 0.5
pairs = {
    "actnorm": (actnorm(x, norm.log_scale()[:, None, None], norm.b[:, None, None]), norm(x)),
    "conv1x1": (conv1x1(x, conv.matrix()), conv(x)),
    "coupling": (coupling(x, couple.network), couple(x)),
    "network": ([network(x[:, :6], couple.network)], [couple.network(x[:, :6])]),
    "split": (split(x, exact.levels[0].split.prior), exact.levels[0].split(x)),
}


# %% tags=["nbval-check-output"]
def agree(ours, theirs):
    error = max(((a - b).abs() / (1 + b.abs())).max() for a, b in zip(ours, theirs, strict=True))
    assert error < 1e-6
    return error.item() < 1e-6


for name, (ours, theirs) in pairs.items():
    print(f"{name:9} same as glowlite: {agree(ours, theirs)}")

# %% [markdown]
# ## 2 · A step of flow
#
# A step is three parts, one after the other. Each may stretch or shrink space. Which of the three changes the
# volume most, in the first step of the trained model?

# %%
from glowlab.checks import Prediction

guess = Prediction(
    "In the first step of the trained model, which log-det has the largest absolute value?",
    ["ActNorm", "the 1x1 convolution", "the coupling"],
)
guess

# %%
from glowlite.data import faces
from glowlite.pixels import to_float

face = faces.draw(1, seed=2).images  # uint8 (1, 3, 64, 64)
y, _ = exact.levels[0].steps.flows[0](to_float(face).double())  # squeezed: (1, 12, 32, 32)
stages, shares = [y], {}
for name, part in zip(guess.options, (norm, conv, couple), strict=True):
    y, log_det = part(y)
    stages.append(y)
    bits = log_det.item() / y.numel() / math.log(2)  # for each number
    shares[name] = round(bits, 2) + 0.0  # + 0.0: no minus before 0.00

# %%
from glowlab.figures.rows import latent_picture, row

row(
    [latent_picture(stage[0, 6:9]) for stage in stages],  # three of the channels that the coupling moves
    ["squeezed", *(f"{bits:+.2f} bits" for bits in shares.values())],
    arrows=["ActNorm", "1x1 conv", "coupling"],
    alt="Three channels of a face: nearly grey; clear and rich in contrast after ActNorm; in other colours after the "
    "1x1 convolution; little changed after the coupling.",
)

# %% tags=["nbval-check-output"]
for name, bits in shares.items():
    print(f"{name:20} log-det {bits:+.2f} bits for each number")
largest = max(shares, key=lambda name: abs(shares[name]))
guess.outcome(largest, "Pixels lie close together, so the first thing to do is to spread them.")

# %% [markdown]
# The pictures show three channels as colours, and below them the log-dets. By the chain rule (01) these add up. So
# do those of all steps. And here is the coupling's network at work: three channels of what it gets, of both hidden
# layers (64 channels each; most are 0 after ReLU, here grey), and of the shift that it gives, three times as large so
# that one sees it.

# %%
with torch.no_grad():
    seen = stages[2][:, :6].clamp(-5, 5)
    first = hidden(seen, couple.network.first)
    second = hidden(first, couple.network.second)
    t = network(seen, couple.network)[:, :6]
row(
    [latent_picture(maps[0]) for maps in (seen, first, second, 3 * t)],
    ["$x_a$", "hidden", "hidden", "3 $t$"],
    arrows=["3x3", "1x1", "3x3"],
    alt="A face in three channels; two hidden layers, where its edges light up; the shift, in which these edges can "
    "still be seen.",
)

# %% [markdown]
# ## Exercise 1 · FlowStep
#
# Write the two methods. `self.norm` holds $\log s$ and $b$, so that `actnorm(x, *self.norm)` gets both. The order
# is that of the map. Which order does the way back need?
#
# The network is the package's. (`edge=False` leaves out an input channel that marks the picture's border; the
# published code has it.)

# %%
from glowlite.flows.coupling import CouplingNetwork
from glowlite.flows.mixing import random_rotation


class FlowStep(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.norm = nn.Parameter(torch.zeros(2, channels, 1, 1))  # log s and b
        self.W = nn.Parameter(random_rotation(channels))
        self.network = CouplingNetwork(channels // 2, width, channels, edge=False)

    def forward(self, x):
        return ..., ...  # z, log_det

    def inverse(self, z):
        return ...  # x


# %% tags=["nbval-check-output"]
from glowlab.checks import glow_assembled as check

check.flow_step(FlowStep)

# %% [markdown]
# `check.flow_step.hint()` gives the next hint, `check.flow_step.solution()` a worked answer. From here on the notebook
# uses the name `Step`: your class once it is right, and until then a **stand-in**, so that the cells below can run.
# The output says which. With the weights of the trained model's first step, are the numbers the same?

# %% tags=["nbval-check-output"]
Step = FlowStep if check.flow_step(FlowStep) else check.stand_in_step(FlowStep)
theirs = exact.levels[0].steps.flows[1]
step = Step(12, 64).double()
check.copy_weights(theirs, step)
print(f"{Step.__name__}, same as glowlite: {agree(step(x), theirs(x))}")
print(f"{Step.__name__}, and back:         {agree([step.inverse(step(x)[0])], [x])}")

# %% [markdown]
# ## 3 · Many levels
#
# Next, the whole. A level squeezes and takes $K$ steps. `Chain` does that: it hands $x$ from part to part and adds
# the log-dets. Every level except the last ends in a split. What is left at the end goes through `TopPrior`, a table
# of means and stds (06).

# %%
glow_map("squeeze", "split", "z", "log_det")

# %% [markdown]
# ## Exercise 2 · Glow
#
# `forward` collects a list with $\varepsilon_l$ of every level, and adds all log-dets. `inverse` takes such a list
# and does not change it:
#
# - `x, log_det = level(x)` and `level.inverse(x)`, for each of `self.levels`;
# - `split` and `split_inverse`, for each of `self.priors` (the last level has none);
# - for the last level `stays, eps, log_det = self.top(x)`. All numbers leave, so `stays` is empty. On the way back:
#   `self.top.inverse(latents[-1][:, :0], latents[-1])`, where `[:, :0]` is such an empty tensor.

# %%
from glowlite.flows import Chain, Squeeze, TopPrior
from glowlite.flows.coupling import ZeroConv2d


class Glow(nn.Module):
    def __init__(self, shape, depth, width):
        super().__init__()
        sizes = [shape[0] * 2 ** (level + 2) for level in range(len(depth))]  # channels after each squeeze
        steps = [[Step(c, w) for _ in range(k)] for c, k, w in zip(sizes, depth, width, strict=True)]
        self.levels = nn.ModuleList(Chain(Squeeze(), *level) for level in steps)
        self.priors = nn.ModuleList(ZeroConv2d(c // 2, c, edge=False) for c in sizes[:-1])
        self.top = TopPrior((sizes[-1], shape[1] >> len(depth), shape[2] >> len(depth)))

    def forward(self, x):
        return ..., ...  # a list of eps, log_det

    def inverse(self, latents):
        return ...  # x


# %% tags=["nbval-check-output"]
check.glow(Glow)

# %% [markdown]
# As before, there are `check.glow.hint()` and `check.glow.solution()`, and a stand-in until yours is right. How many
# lines is the whole of Glow? We count yours, those of the functions above, and what we took from the package: the
# network's layers, the loop, squeeze, the table.

# %% tags=["nbval-check-output"]
from glowlite.flows import ActNorm, base, multiscale
from glowlite.flows import coupling as package

Whole = Glow if check.glow(Glow) else check.stand_in_glow(Glow)
here = [actnorm, actnorm_inverse, conv1x1, coupling, coupling_inverse, split, split_inverse]
networks = [CouplingNetwork, package.NormedConv2d, ZeroConv2d, package.EdgeConv2d, package.convolve, base.fold]
others = [Chain, Squeeze, TopPrior, ActNorm, multiscale.bound, random_rotation]
parts = {"functions": here, "networks": networks, "others": others, Step.__name__: [Step], Whole.__name__: [Whole]}
lines = {name: sum(map(check.lines_of, some)) for name, some in parts.items()}
print(" + ".join(f"{name} {count}" for name, count in lines.items()), "=", sum(lines.values()), "lines of code")

# %%
from glowlab.figures.glow_assembled import lines_of_code

lines_of_code(lines, alt="A row of boxes, as wide as each part is long; the two exercises are two of the shortest.")

# %% [markdown]
# The exercises are the smaller part. Most lines belong to what any network needs: layers, their first weights, a loop.
# What makes it a *flow* is what you wrote and the functions above.

# %% [markdown]
# ## 4 · Borrowed weights
#
# Is it right? Give it the weights of the shipped model, all 32 steps of them.

# %% tags=["nbval-check-output"]
ours = Whole(exact.config.shape, exact.config.depth, exact.config.width).double()
check.copy_weights(exact, ours)
with torch.no_grad():
    latents, log_det = ours(to_float(face).double())
    expected, expected_log_det = exact(to_float(face).double())
print(f"{Whole.__name__}, same as glowlite: {agree([*latents, log_det], [*expected, expected_log_det])}")

# %% [markdown]
# The same latents and the same log-det, up to rounding. So these lines must be able to make new faces, too:

# %%
from glowlite.latents import sample_eps, scale
from glowlite.pixels import to_uint8

eps = sample_eps(exact.latent_shapes, 3, torch.Generator().manual_seed(1))
eps = scale(eps, 0.7)  # a temperature of 0.7: all latents times 0.7, for calmer faces (notebook 10)
with torch.no_grad():
    drawn = to_uint8(ours.inverse([e.double() for e in eps]))
row(
    drawn,
    alt="Three clear faces with different hair and skin, two of them smiling, drawn by the assembled model.",
    exact=False,
)

# %% [markdown]
# The lines above drew these three faces, with weights that were trained before. Now we train weights of our own.

# %% [markdown]
# ## 5 · A model that knows nothing
#
# Ours will be small: faces of 32 by 32 pixels, $L = 3$ levels of $K = 4$ steps.

# %% tags=["nbval-check-output"]
SHAPE, DEPTH, WIDTH = (3, 32, 32), (4, 4, 4), (32, 32, 32)
torch.manual_seed(0)
model = Whole(SHAPE, DEPTH, WIDTH)
print(f"{sum(p.numel() for p in model.parameters()):,} parameters in {sum(DEPTH)} steps")
print(f"{sum(p.numel() for p in exact.parameters()):,} in the {sum(exact.config.depth)} of the shipped model")

# %% [markdown]
# ActNorm starts from data (05): the first batch should leave it with mean 0 and std 1. A hook does this: torch calls
# `calm` with the input of each step, just before the step itself. (The networks' own ActNorms do it by themselves.)


# %%
def calm(step, inputs):
    std, mean = torch.std_mean(inputs[0], (0, 2, 3), keepdim=True)  # (1, C, 1, 1) each
    step.norm.data = torch.cat([-std.log(), -mean / std])


def start(model, x):
    hooks = [m.register_forward_pre_hook(calm) for m in model.modules() if isinstance(m, Step)]
    with torch.no_grad():
        model.train()(x)
    for hook in hooks:
        hook.remove()


# %%
from glowlite.pixels import dequantize
from glowlite.training.stream import FaceStream

stream = FaceStream(size=32, batch=8, seed=0)  # draws new faces for every batch
noise = torch.Generator().manual_seed(0)
start(model, dequantize(stream.first(256), generator=noise))
held_out = stream.held_out(32)  # faces that no batch will ever contain
row(held_out[:4], alt="Four drawn faces of 32 by 32 pixels: coarse, with hair, eyes and mouth.", height=128)

# %% [markdown]
# It has seen one batch, and learned nothing yet. Two questions before you look.

# %%
pixels_back = Prediction(
    "An untrained Glow encodes 32 faces and decodes them. How many of the 98,304 numbers come back wrong?",
    ["none", "some", "nearly all"],
)
pixels_back

# %%
first_sample = Prediction(
    "And if the untrained Glow decodes normal numbers, what does one see?",
    ["one flat colour", "coloured noise", "a blurred face"],
)
first_sample


# %% tags=["nbval-check-output"]
def round_trip(model, images):
    with torch.no_grad():
        latents, _ = model(to_float(images))
        return to_uint8(model.inverse(latents))


wrong = (round_trip(model, held_out) != held_out).sum().item()
print(f"{wrong} of {held_out.numel():,} numbers are wrong")
pixels_back.outcome("none" if wrong == 0 else "some", "Every part can be undone; nothing has to be learned for it.")

# %%
latents, _ = model(to_float(held_out[:1]))
shapes = [eps.shape[1:] for eps in latents]
eps = scale(sample_eps(shapes, 16, torch.Generator().manual_seed(5)), 0.7)
with torch.no_grad():
    untrained = to_uint8(model.inverse(eps))
row(untrained[:3], alt="Three untrained samples: coloured noise, no trace of a face.", height=160)


# %% tags=["varies: the last digit differs between processors"]
def neighbours(images):  # how alike is a pixel to the one on its right? 1: always the same, 0: not at all
    left, right = images[..., :-1].flatten(), images[..., 1:].flatten()
    return torch.corrcoef(torch.stack([left, right]).float())[0, 1]


alike = neighbours(untrained)
print(f"neighbours' correlation: {neighbours(held_out):.2f} in faces, {alike:.2f} in these samples")

# %% tags=["nbval-check-output"]
first_sample.outcome(
    "coloured noise" if alike < 0.5 else "a blurred face",
    "ActNorm has set the brightness. Little yet ties a pixel to its neighbour.",
)

# %% [markdown]
# ### The log-det, against brute force
#
# One last test before training: is our log-det that of the Jacobian? Autograd can compute the whole matrix if the
# model is tiny: ours gets 4 by 4 pixels, 48 numbers. All weights are changed a little, so that none has a special
# value such as 0.

# %%
tiny = Whole((3, 4, 4), (2, 2), (8, 8)).double()
generator = torch.Generator().manual_seed(1)
start(tiny, torch.rand(64, 3, 4, 4, generator=generator).double() - 0.5)
for weight in tiny.parameters():
    weight.data += 0.1 * torch.randn(weight.shape, generator=generator)
small = torch.rand(1, 3, 4, 4, generator=generator).double() - 0.5


# %%
def flat(x):
    return torch.cat([eps.flatten() for eps in tiny(x)[0]])


J = torch.autograd.functional.jacobian(flat, small).view(48, 48)  # d eps_i / d x_j

# %%
from glowlab.figures.scene import Scene

scene = Scene("A square of 48 by 48 cells, nearly all coloured: each number of eps depends on all of x.", 320)
levels, colours = [(12, "level 2"), (36, "level 1")], [(8, "red"), (24, "green"), (40, "blue")]
panel = scene.panel((0, 48), (0, 48), equal=True, title="d eps / dx", xticks=colours, yticks=levels)
panel.image(J, colours="diverging", high=J.abs().quantile(0.8).item())  # blue below 0, orange above
scene.shown()

# %% [markdown]
# Blue is below 0, orange above. There are no zeros left, and no triangle from which to read a determinant. Each part
# had its own simple pattern; their product has none. Still, its log-det is the sum of theirs:

# %% tags=["nbval-check-output"]
brute_force = torch.linalg.slogdet(J)[1]
log_det = tiny(small)[1].double()
assert (brute_force - log_det).abs() < 1e-5
print("slogdet of the Jacobian = our sum:", torch.allclose(brute_force, log_det, atol=1e-5))

# %% [markdown]
# ## Exercise 3 · Find the fault
#
# A friend puts one more layer in front of Glow, as Real NVP does: a *logit*, which stretches the pixels' interval
# over the whole line. All pixels still come back, training runs, and the friend's model needs 0.15 bits per
# dimension *less*. The friend is happy. Should you be?


# %% tags=["nbval-check-output"]
def friends_logit(x):  # x from -0.5 to 0.5
    p = 0.05 + 0.9 * (x + 0.5)  # from 0.05 to 0.95, since the logit of 0 or 1 is infinite
    z = (p / (1 - p)).log()
    log_det = -(p * (1 - p)).log().sum((1, 2, 3))
    return z, log_det


z, log_det = friends_logit(small)
back = (z.sigmoid() - 0.05) / 0.9 - 0.5
print("all pixels come back:", torch.allclose(back, small))

# %%
scene = Scene("A curve of z over x from -0.5 to 0.5: steep at both ends, flatter in the middle.", 200)
panel = scene.panel((-0.5, 0.5), (-3, 3), title="the friend's layer", xlabel="x", ylabel="z")
line = torch.linspace(-0.5, 0.5, 101)
panel.line(line, friends_logit(line.view(1, 1, 1, -1))[0].flatten(), "log_det")
scene.shown()

# %% [markdown]
# That pixels come back says nothing about the log-det. Test it by brute force, as above. Where does the difference
# come from? Write the layer without the fault.


# %%
def mended_logit(x):
    return ..., ...  # z, log_det


# %% tags=["nbval-check-output"]
check.mended_logit(mended_logit)

# %% [markdown]
# ## 6 · Training
#
# The loss is the number of bits that a face costs, divided by $D$. To make it small is maximum likelihood (01). From
# notebook 07:
# $8 - \log_2 p(x) / D$ bits per dimension, when pixels have 256 values and the noise of dequantisation fills their
# bins.


# %% tags=["nbval-check-output"]
def bits_per_dim(model, x):
    latents, log_det = model(x)
    squares = sum((eps**2).sum((1, 2, 3)) for eps in latents)
    D = x[0].numel()
    log_p = -0.5 * (squares + D * math.log(2 * math.pi)) + log_det
    return 8 - log_p / (D * math.log(2))


x = dequantize(face, generator=torch.Generator().manual_seed(0)).double()
with torch.no_grad():
    print("same as glowlite:", agree([bits_per_dim(ours, x)], [exact.bits_per_dim(face)]))

# %% [markdown]
# How low can it go? The grain of these faces is pure chance, rounded normal noise, and from notebook 07 you know what
# it costs. On average over faces, no model can do with fewer bits:

# %% tags=["nbval-check-output"]
edges = torch.arange(-20, 22) - 0.5  # of the grey levels
q = torch.distributions.Normal(0.0, faces.GRAIN).cdf(edges).diff()
FLOOR = -(q * q.log2())[q > 0].sum().item()
print(f"the grain alone: {FLOOR:.2f} bits per dimension")

# %% [markdown]
# The untrained model stands between that and the 8 bits of raw pixels:

# %%
from glowlab.figures.glow_assembled import Progress, bits_rulers

fixed_noise = dequantize(held_out, generator=torch.Generator().manual_seed(1))
with torch.no_grad():
    before = bits_per_dim(model, fixed_noise).mean().item()
bits_rulers(
    {"32 held-out faces": {"untrained Glow": before}},
    alt="A ruler from the grain to the 8 bits of raw pixels; the untrained Glow stands far to the right.",
    floor=(FLOOR, "the grain alone"),
)

# %% [markdown]
# While it trains, we look at three things: the loss of each batch, bits/dim of 32 held-out faces, and 16 samples
# from *the same* $\varepsilon$, at temperature 0.7. So a sample changes only because the model changes.

# %%
import copy

STEPS = 700


def measure():
    return bits_per_dim(model, fixed_noise).mean().item(), to_uint8(model.inverse(eps))


progress = Progress(STEPS, measure, every=25, floor=(FLOOR, "the grain alone"))
untrained_model = copy.deepcopy(model)  # kept for later

# %%
guess = Prediction(
    "Where will the curve of the held-out faces run, late in training?",
    ["above that of the batches", "on it", "below it"],
)
guess

# %% [markdown]
# ### Four choices
#
# | | here | shipped `faces64` | published code, CIFAR-10 |
# |---|---|---|---|
# | optimiser, learning rate | Adamax, 0.004 | Muon, 0.002 | Adamax, 0.001 |
# | warm-up | 40 steps | 5,000 faces | 10 epochs |
# | gradient clipped at | 10 | 10 | not clipped |
# | batch; $K$; $L$; width | 8; 4; 3; 32 | 32; 6 to 12; 4; 64 to 160 | 64; 32; 3; 512 |
#
# **Adamax** is Adam with the largest recent gradient in place of the root mean square, so one odd batch cannot make a
# weight jump. **Muon** treats a layer's gradient as a matrix and makes all its singular values about 1,
# so that every direction is learned equally fast.

# %% [markdown]
# **Warm-up**: at the start all shifts are 0 and the optimiser's averages are empty, so the learning rate rises slowly
# to its full size. Later it falls, so that the weights settle. **Clipping**: a gradient longer than 10 is shortened to
# 10; it keeps its direction.
#
# Run the next cell, and watch. Each step draws 8 new faces. Half of the cores work, so that the page stays quick.

# %%
import os

from glowlab.figures.live import Watch


def rate(step):  # the share of the full learning rate: up over 40 steps, then down to a tenth
    return min(1, (step + 1) / 40) * (1 - 0.9 * step / STEPS)


torch.set_num_threads(max(1, os.cpu_count() // 2))
optimizer = torch.optim.Adamax(model.parameters(), lr=4e-3)
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
for step in Watch(STEPS, progress.scene):
    x = dequantize(stream.batch(step), generator=noise)
    loss = bits_per_dim(model, x).mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 10.0)
    optimizer.step()
    schedule.step()
    progress.note(loss.item())

# %% [markdown]
# First the colours settle, then a head and hair appear; eyes and mouth come last, and stay blurred.

# %% tags=["nbval-check-output"]
first, last = progress.moments[0], progress.moments[-1]
print("bits/dim of held-out faces fell by more than 2:", first.held_out - last.held_out > 2)
print("samples' neighbours are alike:", bool(neighbours(last.samples) > 0.8))

# %% tags=["nbval-check-output"]
gap = last.held_out - sum(progress.batches[-50:]) / 50
guess.outcome(
    "on it" if abs(gap) < 0.1 else "above that of the batches" if gap > 0 else "below it",
    "It never sees a face twice, so it cannot learn one by heart. (Notebook 07 shows a model that does.)",
)

# %% [markdown]
# A few hundredths of a bit above or below are chance: 32 faces are a small sample.

# %% [markdown]
# ## 7 · What it has learned
#
# Go back in time. The samples were kept every 25 steps:

# %%
from glowlab.figures.live import Live, Slider

latest = len(progress.moments) - 1
Live(progress.scene, Slider("moment", "Moment", 0, latest, value=min(4, latest), buttons=True))

# %% [markdown]
# And the pixels? We encode and decode all 32 faces once more:

# %% tags=["nbval-check-output"]
wrong = (round_trip(model, held_out) != held_out).sum().item()
print(f"{wrong} of {held_out.numel():,} numbers are wrong")

# %% [markdown]
# As before the first step, every pixel of every face comes back.

# %% [markdown]
# ### Where the bits went
#
# Without any log-det, standard normal numbers would cost $\frac12 \log_2 2\pi e \approx 2$ bits each, and the bins of
# width 1/256 add 8: about 10.
# Each layer's log-det lowers this cost. The next figure follows the cost from layer to layer. Hover over a point to see
# what its layer saves.


# %%
def bill(model, x):
    log_dets = []
    for level, prior in zip(model.levels, [*model.priors, None], strict=True):
        x, _ = level.flows[0](x)  # squeeze, which is free
        for step in level.flows[1:]:
            x, log_det = step(x)
            log_dets.append(log_det.mean())
        x, *_, log_det = split(x, prior) if prior else model.top(x)
        log_dets.append(log_det.mean())
    return torch.stack(log_dets)


def still_to_pay(model, x):
    with torch.no_grad():
        saved = bill(model, x) / (x[0].numel() * math.log(2))  # bits for each number
        at_the_end = bits_per_dim(model, x).mean()
    return [(at_the_end + saved[i:].sum()).item() for i in range(len(saved) + 1)]


# %%
from glowlab.figures.glow_assembled import bits_by_layer

ends = ["split 1", "split 2", "top"]
names = [name for end, k in zip(ends, DEPTH, strict=True) for name in [*(f"step {i + 1}" for i in range(k)), end]]
bills = {
    "untrained": still_to_pay(untrained_model, fixed_noise),
    "trained": still_to_pay(model, fixed_noise),
}
bits_by_layer(
    names,
    bills,
    alt="Two falling lines of bits per number from layer to layer. Both fall steeply in the first step; "
    "the trained one goes on falling, mostly at level 1, and ends lower.",
    floor=(FLOOR, "the grain alone"),
)

# %% [markdown]
# No step saves more than the first, trained or not: its ActNorm spreads the pixels. What training adds is in the
# steps after it, and in the splits, whose priors have learned to guess. Because log-dets add up, each layer's share of
# the gain is a number.

# %% [markdown]
# ## 8 · Beside the shipped model
#
# The shipped `faces64` is the same model, with more of everything.

# %% tags=["nbval-check-output"]
from glowlite.checkpoint import read_card

card = read_card("faces64")
rows = {
    "parameters": (sum(p.numel() for p in model.parameters()), card["parameters"]),
    "levels": (len(DEPTH), card["config"]["levels"]),
    "steps of flow": (sum(DEPTH), sum(card["config"]["depth"])),
    "numbers a face": (math.prod(SHAPE), exact.dims),
    "faces seen": (8 * STEPS, card["images_seen"]),
}
for name, (mine, shipped) in rows.items():
    print(f"{name:15} ours {mine:9,}   shipped {shipped:9,}   {shipped / mine:4.1f} times")

# %%
row(
    [*last.samples[[0, 3, 4]], *drawn[:2]],
    ["ours", "ours", "ours", "shipped", "shipped"],
    alt="Three blurred faces of 32 by 32 pixels, of our model, beside two clear ones of 64 by 64.",
    height=128,
)

# %% [markdown]
# Both are drawn at temperature 0.7, by the same code. The eye can compare these pictures. Can the numbers be compared,
# too? Here are both models on the same 32 held-out people, drawn at the size that each model knows:

# %% tags=["varies: training ends a little elsewhere on another processor"]
large = FaceStream(size=64, batch=8, seed=0).held_out(32)  # the same people as held_out
glow_bits = {32: last.held_out, 64: glowlite.load("faces64").bits_per_dim(large).mean().item()}
print(f"ours {glow_bits[32]:.2f}, shipped {glow_bits[64]:.2f} bits/dim")

# %%
guess = Prediction(
    "WebP, a picture format without loss, stores both sets. Where does a number cost more bits?",
    ["in the faces of 32 x 32", "in those of 64 x 64", "the same in both"],
)
guess

# %%
from glowlite.evaluation import codec_bits_per_dim


def webp(images):  # all faces as one tall picture: one file header, not 32
    tall = images.transpose(0, 1).flatten(1, 2)[None]  # (1, 3, N * H, W)
    return codec_bits_per_dim(tall, "webp").item()


webp_bits = {32: webp(held_out), 64: webp(large)}

# %% tags=["nbval-check-output"]
dearer = max(webp_bits, key=webp_bits.get)
guess.outcome(
    f"in {'the faces' if dearer == 32 else 'those'} of {dearer} x {dearer}",
    "In a larger picture neighbours are more alike, so each number is easier to guess.",
)

# %% [markdown]
# So bits/dim at different sizes **cannot be compared**: part of the difference between our number and the shipped
# model's comes from the size alone. What can be compared stands on one ruler, with the same pictures:

# %%
bits_rulers(
    {
        "the faces, 32 x 32": {"WebP": webp_bits[32], "our Glow": glow_bits[32]},
        "the same, 64 x 64": {"WebP": webp_bits[64], "shipped Glow": glow_bits[64]},
    },
    alt="Two rulers of bits per dimension. On each, Glow lies between the grain and WebP; the shipped model is much "
    "nearer to the grain than ours.",
    floor=(FLOOR, "the grain alone"),
)

# %% tags=["nbval-check-output"]
print("ours beats WebP on its ruler: ", glow_bits[32] < webp_bits[32])
print("and so does the shipped model:", glow_bits[64] < webp_bits[64])

# %% [markdown]
# On its ruler, the shipped model is nearer to the grain than ours. It has more levels, more steps, wider networks, and
# has seen many more faces. Two numbers cannot tell which of these matters. For that, runs must differ in one
# thing only, on the same pictures, as in the race of notebook 03.

# %% [markdown]
# ## Summary
#
# - A step is ActNorm, 1x1 convolution, coupling; log-dets add, inverses run in reverse order.
# - Levels squeeze, take $K$ steps and split; with its networks, Glow has about 200 lines.
# - Trained or not, every face comes back. Only the Jacobian proves that the log-det is right.
# - Adamax or Muon, warm-up and clipped gradients train it; at fixed $\varepsilon$ samples show how it improves.
# - Bits/dim can be compared only on the same pictures at the same size.

# %% [markdown]
# **A harder question.** Turn the step around: coupling first, ActNorm last. Would it still be a flow, with all
# pixels back and the right log-det? (Our check would refuse it.) What do you expect of bits/dim at the start, and why
# does the paper put ActNorm first? Change both methods, and look at the first moments of training.
#
# <details><summary>One answer</summary>
#
# It is still a flow: reversible parts may stand in any order, their log-dets still add up, and every pixel comes back.
# But then a network gets numbers of any size, in the first step pixels that hardly differ. With ActNorm in front, each
# network starts with numbers of mean 0 and std 1, which its first weights are made for.
#
# </details>

# %% [markdown]
# **Next.** 09, Train on a GPU: longer runs, their curves, their memory and their price. It works without a GPU, too.
#
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 3 with figure 2 for the model, section 5 for its
# training and its bits per dimension.
