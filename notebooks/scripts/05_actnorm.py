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
# # 05 · ActNorm and a calm start
#
# Thirty layers on top of one another are thirty chances for something to go wrong. Two small
# precautions, a look at some data and a handful of zeros, let even a deep flow begin quietly.
#
# **After this notebook you can** set a layer's scale and shift from data, count what that does to the
# log-det, and tell from a first batch whether a training run is going to blow up.

# %% [markdown]
# **Needs.** Notebook 02 (coupling layers) and log-dets that add up, from notebook 01.
#
# **Minutes.** About 25 to read and 15 for the exercises; all cells run in under 60 seconds.
#
# **Symbols.**
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $s$, $b$ | scale and shift, one of each per channel | `ActNorm.initialize` |
# | $\log s$ | what is stored, but for a factor of 3 | `ActNorm.log_scale` |
# | $z = s x + b$ | ActNorm | `ActNorm.forward` |
# | $h$, $w$ | pixels up and across | `GlowConfig.shape` |
# | $K$ | steps of flow in a level | `GlowConfig.depth` |

# %% [markdown]
# ## 1 · What size is a number?
#
# Small pictures are enough today: faces of 8 by 8 pixels. Squeezed, each is 12 channels of 4 by 4
# (notebook 06: each block of 2 by 2 pixels becomes four channels for each colour). What do the numbers in a
# channel look like?

# %%
import math

import torch

import glowlite
from glowlab.figures.rows import latent_picture, row
from glowlite import pixels
from glowlite.data import faces
from glowlite.flows import ActNorm, Squeeze

drawn = faces.draw(1024, size=16, seed=0).images
small = torch.nn.functional.avg_pool2d(drawn.float(), 2).to(torch.uint8)  # (1024, 3, 8, 8)
x, _ = Squeeze()(pixels.to_float(small))  # (1024, 12, 4, 4)

# %%
row(small[:8], height=96, alt="Eight drawn faces of 8 by 8 pixels: hair, skin and shirt, no more.")

# %% [markdown]
# Pixels lie between $-0.5$ and $0.5$, so each channel is narrow, and each has a place of its own. The latents
# at the other end of Glow should have mean 0 and spread 1. **ActNorm** gives every channel one scale and one
# shift:
#
# $$z = s\,x + b$$

# %%
from glowlab.figures.glow_map import glow_map

glow_map("actnorm", "log_det")

# %% [markdown]
# ## 2 · By hand, then by data
#
# Here is one channel. Move the two sliders until the orange numbers lie under the grey line, which is the
# standard normal.

# %%
from glowlab.figures import actnorm as figures
from glowlab.figures.live import CheckBox, Choice, Live, Slider


def by_hand(log_s, b):
    return figures.one_channel(x[:, 7], log_s, b, pixels=16)


Live(by_hand, Slider("log_s", "log s", -1.0, 3.0, 0.7), Slider("b", "b", -3.0, 3.0, 0.0))

# %% [markdown]
# It takes a while, and there are 12 channels here, in the whole model thousands. But you were solving an
# equation, and it has a solution: mean and standard deviation of that channel say where the sliders belong.
# All pictures and all pixels count:

# %%
mean = x.mean((0, 2, 3), keepdim=True)  # (1, 12, 1, 1)
std = x.std((0, 2, 3), keepdim=True, unbiased=False)
z = (x - mean) / std
figures.channel_histograms({"x": x, "z": z}).shown()

# %% [markdown]
# That is all ActNorm does with the first batch that it sees. The package's layer gives the same numbers:

# %% tags=["nbval-check-output"]
norm = ActNorm(12)
same = torch.allclose(norm(x)[0], z, atol=1e-6)
assert same
print("same as glowlite:", same)

# %% [markdown]
# ## Exercise 1 · Scale and shift from a batch
#
# Subtracting and dividing is not yet $s\,x + b$. Which $s$ and $b$ do the same? Return both, of shape (C,),
# for any batch (B, C, h, w).
#
# Take care of one thing: a channel may never change in the batch. Then its $s$ must stay finite, at most 1000.


# %%
def scale_and_shift(x):
    s = ...
    b = ...
    return s, b


# %% tags=["nbval-check-output"]
from glowlab.checks import actnorm as check

check.scale_and_shift(scale_and_shift)

# %% [markdown]
# `check.scale_and_shift.hint()` gives a hint at a time, `check.scale_and_shift.solution()` the package's own
# lines.

# %% [markdown]
# ## 3 · The second batch
#
# Perhaps you know batch normalisation, which looks at every batch, all through training. Does ActNorm?

# %%
from glowlab.checks import Prediction

guess = Prediction(
    "Our ActNorm has seen one batch. Now it gets a brighter one. What is the mean of its z?",
    ["0 again", "above 0"],
)
guess

# %%
brighter = 1.3 * (x + 0.5) - 0.5
z_brighter, _ = norm(brighter)
figures.channel_histograms({"z, first batch": z, "z, a brighter batch": z_brighter}).shown()

# %% tags=["nbval-check-output"]
guess.outcome(
    "above 0" if z_brighter.mean() > 0.1 else "0 again",
    "The first batch set s and b. From then on they are ordinary parameters, which gradients move.",
)

# %% [markdown]
# So what happens to a picture never depends on the other pictures in its batch. A batch may be as small as
# one picture, as it had to be on the paper's GPUs with large pictures, and the way back is simply
# $x = (z - b) / s$.
#
# One detail: the layer stores a third of $\log s$. A step of the optimiser then moves $\log s$ three times as
# far, as in the authors' code.

# %% tags=["nbval-check-output"]
print("log_scale() = 3 log_s:", torch.equal(norm.log_scale(), 3 * norm.log_s))
print("and exp of it = 1/std:", torch.allclose(norm.log_scale().exp(), 1 / std.flatten(), rtol=1e-5))

# %% [markdown]
# ## 4 · What it adds to the log-det
#
# Stretching thins a density out, and the log-det keeps count of it. How much is it here? Take a tiny picture,
# 3 channels of 2 by 2, and let autograd write down the whole Jacobian.

# %%
tiny = torch.randn(8, 3, 2, 2, generator=torch.Generator().manual_seed(0))
tiny = tiny.double() * torch.tensor([0.4, 0.8, 1.6]).view(1, 3, 1, 1)
tiny_norm = ActNorm(3).double()
_, log_det = tiny_norm(tiny)
J = torch.autograd.functional.jacobian(lambda one: tiny_norm(one[None])[0].flatten(), tiny[0])

# %%
figures.jacobian_map(J.reshape(12, 12), channels=3).shown()

# %% [markdown]
# Each number of $z$ depends on one number of $x$ alone, so the matrix is diagonal, and its determinant is
# the product of that diagonal. Each $s$ stands there once for every pixel. Hence
#
# $$\log\det = h \cdot w \cdot \sum_c \log |s_c|$$

# %% tags=["nbval-check-output"]
brute_force = torch.linalg.slogdet(J.reshape(12, 12))[1]
print("h w sum(log s) is the Jacobian's log-det:", torch.allclose(log_det[0], brute_force, atol=1e-6))

# %% [markdown]
# The bar beside your sliders in section 2 was this sum for one channel of 4 by 4 pixels: stretching brings
# 16 nats for each unit of $\log s$. So the log-det rewards stretching. What keeps a flow from stretching
# without end is the normal density, which falls off where the numbers go.

# %% [markdown]
# ## Exercise 2 · ActNorm, forward
#
# Write the layer: $z$ and its log-det, from $x$ (B, C, h, w) and the parameters $\log s$ and $b$, each (C,).
# The log-det has the shape (B,).


# %%
def forward(x, log_s, b):
    z = ...
    log_det = ...
    return z, log_det


# %% tags=["nbval-check-output"]
check.forward(forward)

# %% [markdown]
# Once the check is content, the picture below is yours; until then the package's layer makes it.

# %%
layer, face = ActNorm(3), pixels.to_float(small)
z, _ = layer(face)
if check.forward(forward):
    z, _ = forward(face, layer.log_scale(), layer.b)
row(
    [small[2], latent_picture(z[2], reach=2)],
    ["$x$", "$z$"],
    arrows=["forward"],
    height=160,
    alt="A face of 8 by 8 pixels, and its z in stronger colours, where grey is 0.",
)

# %% [markdown]
# ## Exercise 3 · ActNorm, back
#
# And undo it.


# %%
def inverse(z, log_s, b):
    return ...  # x


# %% tags=["nbval-check-output"]
check.inverse(inverse)

# %%
back = inverse(z, layer.log_scale(), layer.b) if check.inverse(inverse) else layer.inverse(z)
row(
    [latent_picture(z[2], reach=2), pixels.to_uint8(back[2:3])],
    ["$z$", "$x$"],
    arrows=["inverse"],
    height=160,
    alt="The face's z, and the face again.",
)

# %% [markdown]
# Each has `.hint()` and `.solution()`. All three together are the file `flows/actnorm.py`: fewer than 80
# lines, and most of them are for what can go wrong.

# %% [markdown]
# ## 5 · Thirty layers
#
# Why go to that trouble? Because a flow is deep. Let us send the faces through 30 steps of Glow that were
# never trained, with ActNorm or without it. And for once let the couplings' last layer begin like any other
# layer, with small random weights.


# %%
def stack(actnorm, spread, scale, depth=30):
    config = glowlite.GlowConfig((3, 8, 8), levels=1, depth=depth, width=16, scale=scale)
    steps = glowlite.Glow(config).levels[0].steps.flows[1:]  # what comes after the squeeze
    dice = torch.Generator().manual_seed(1)
    for norm, _, coupling in (step.flows for step in steps):
        torch.nn.init.normal_(coupling.network.last.weight, std=spread, generator=dice)
        if not actnorm:
            norm.initialized = True  # s = 1 and b = 0, whatever the data
    return steps


# %% [markdown]
# On the way we note the standard deviation of the signal and the log-det so far. Then we go all the way back
# and see by how much $x$ is missed.


# %%
@torch.no_grad()
def passage(steps, x):
    h, stds, log_dets = x, [x.std().item()], [0.0]
    for step in steps:
        h, log_det = step(h)
        stds.append(h.std().item())
        log_dets.append(log_dets[-1] + log_det.mean().item() / x[0].numel())
    for step in reversed(steps):
        h = step.inverse(h)
    return figures.Passage(stds, log_dets, (h - x).abs().max().item())


# %%
guess = Prediction(
    "No ActNorm, bounded scale (notebook 02), weights of spread 0.05: after 30 steps the signal's spread is ...",
    ["much smaller", "about the same", "much larger"],
)
guess

# %% tags=["nbval-check-output"]
wild = passage(stack(actnorm=False, spread=0.05, scale="bounded"), x[:16])
factor = wild.std[-1] / wild.std[0]
guess.outcome(
    "much larger" if factor > 3 else "much smaller" if factor < 1 / 3 else "about the same",
    "Each step adds a little to what it moves, and the next step starts from that.",
)

# %% [markdown]
# Now all settings: with ActNorm or without, spreads from 0 to 0.1, and two ways to make a scale: this
# package's bounded one and the paper's $\operatorname{sigmoid}(h + 2)$. The chosen one is in colour, the
# others are grey.

# %%
from itertools import product

SPREADS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1)
settings = product((True, False), SPREADS, ("bounded", "sigmoid"))
measured = {setting: passage(stack(*setting), x[:16]) for setting in settings}


# %%
def thirty(actnorm, spread, scale):
    spread = min(SPREADS, key=lambda each: abs(each - spread))  # the nearest that was measured
    others = [other for setting, other in measured.items() if setting[2] == scale]
    words = f"ActNorm {'on' if actnorm else 'off'}, last layer {f'{spread:.2f}' if spread else 'zero'}"
    return figures.signal_by_depth(others, measured[actnorm, spread, scale], words)


Live(
    thirty,
    CheckBox("actnorm", "ActNorm"),
    Slider("spread", "Spread of the last layer's weights", 0.0, 0.1, 0.06, step=0.02),
    Choice("scale", "Scale", {"bounded": "bounded", "sigmoid": "sigmoid(h + 2)"}),
)

# %% [markdown]
# Go through the corners, first with the bounded scale.
#
# - *Off, spread above 0*: the signal grows from layer to layer, and float32 loses the way back: at 0.1 by 8.
# - *On, spread above 0*: the spread stays near 1, and the way back is missed by less, though still by 0.24 at
#   0.1. But look right: what couplings add, which costs no log-det, ActNorm squeezes again, which does. From
#   0.04 on the log-det falls.

# %% [markdown]
# And where the last layer begins at zero:
#
# - *Off, zero*: nothing happens with the bounded scale. With the paper's, half of the channels shrink by
#   $\operatorname{sigmoid}(2) = 0.88$ at every step, and the signal fades.
# - *On, zero*: calm, both ways.

# %% tags=["nbval-check-output"]
on, off = measured[True, 0.1, "bounded"], measured[False, 0.1, "bounded"]
calm, faded = measured[True, 0.0, "bounded"], measured[False, 0.0, "sigmoid"]
print("off, 0.1:  more than fiftyfold:", off.std[-1] > 50 * off.std[0], " way back lost:", off.error > 2)
print("on, 0.1:   spread near 1:", 0.5 < on.std[-1] < 2, " way back misses by 0.05 to 1:", 0.05 < on.error < 1)
closer = [measured[True, each, "bounded"].error < measured[False, each, "bounded"].error for each in SPREADS[1:]]
log_dets = {each: measured[True, each, "bounded"].log_det for each in SPREADS}
print("on, above 0: way back always closer than off:", all(closer))
print(
    "on: from its first layer on the log-det falls at",
    *(each for each, run in log_dets.items() if run[-1] < run[1]),
)
print("off, zero: sigmoid fades to less than a third:", faded.std[-1] < faded.std[0] / 3)
print("on, zero:  spread near 1:", 0.9 < calm.std[-1] < 1.1, " way back within 1e-4:", calm.error < 1e-4)

# %% [markdown]
# ## 6 · A handful of zeros
#
# So there are two precautions, and each does what the other cannot. The second one is in the paper, too: the
# last layer of each coupling's network begins with all weights zero. Then $\log s = 0$ and $t = 0$, and the
# coupling is the identity.

# %% tags=["nbval-check-output"]
from glowlite.flows import Coupling

coupling = Coupling(12, width=16, edge=False)
few = x[:64]
moved, log_det = coupling(few)
print("the identity:", torch.equal(moved, few), " log-det 0:", not log_det.any())

# %%
guess = Prediction(
    "The weights of the last layer are all zero. Will training ever move them?",
    ["never: zero times anything is zero", "yes, at the first step", "yes, but only from the second step on"],
)
guess

# %%
optimiser = torch.optim.SGD(coupling.parameters(), lr=0.1)


def train_a_step():
    optimiser.zero_grad()
    (coupling(few)[0] - few.roll(1, 1)).square().mean().backward()  # any loss will do
    optimiser.step()
    return [name for name, p in coupling.network.named_parameters() if "weight" in name and p.grad.any()]


# %% tags=["nbval-check-output"]
for number in (1, 2):
    print(f"step {number}: a gradient for", *train_a_step())

# %% tags=["nbval-check-output"]
guess.outcome(
    "yes, at the first step",
    "Its gradient is made of its input, which is not zero. The layers before it wait for the second step.",
)

# %% [markdown]
# ## 7 · How many pictures are enough?
#
# One question is left. ActNorm believes its first batch. How large must that be? At the last level of a
# small Glow a channel may have a single pixel. Squeeze our faces until they are 192 channels of one pixel;
# take the scales from the first few; look at the others.


# %%
points = torch.nn.functional.pixel_unshuffle(pixels.to_float(small), 8)  # (1024, 192, 1, 1)


def believe(pictures):
    norm = ActNorm(192)
    norm(points[:pictures])  # sets scale and shift
    z, _ = norm(points[512:])
    return figures.first_batch_stds(z.std(0).flatten().detach(), pictures)


Live(believe, Slider("pictures", "Pictures in the first batch", 1, 64, 2, buttons=True))

# %% [markdown]
# Two pictures that happen to agree in a pixel make ActNorm think that this channel hardly changes. It blows
# it up, some channels almost a hundredfold, and the next picture does not agree. One picture says nothing
# about spread at all; then the layer's limit of 1000 is all that holds.

# %%
config = glowlite.GlowConfig((3, 8, 8), levels=3, depth=4, width=16)


def begin(first):
    model = glowlite.Glow(config)
    model.initialize(pixels.to_float(small[:first]))  # <- the one line
    return model


# %%
def train(model, steps=40):
    dice, bits = torch.Generator().manual_seed(0), []
    optimiser = torch.optim.Adamax(model.parameters(), lr=2e-3)
    for _ in range(steps):
        batch = small[torch.randint(len(small), (32,), generator=dice)]
        log_p = model.log_density(pixels.dequantize(batch, 8, dice)).mean()
        loss = 8 - log_p / (model.dims * math.log(2))  # bits per dimension
        bits.append(loss.item())
        if not loss.isfinite():
            break
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return bits


# %% [markdown]
# Here is a small Glow, trained for 40 steps of 32 pictures. Everything is the same each time, first weights
# and order of pictures included. Only the number in that one line differs. (A last run, for comparison, looks
# at no data at all.)

# %%
guess = Prediction(
    "The scales come from 2 pictures instead of 256, then training goes on for 40 steps. It ends up ...",
    ["as good", "a little behind", "over a thousand times worse"],
)
guess

# %%
runs = {f"{first} picture{'s' * (first > 1)}": train(begin(first)) for first in (1, 2, 256)}

without = glowlite.Glow(config)
for module in without.modules():
    if isinstance(module, ActNorm):
        module.initialized = True  # s = 1 and b = 0, whatever the data
runs["no data at all"] = train(without)

# %%
figures.training_curves(runs, calm="256 pictures").shown()

# %% tags=["nbval-check-output"]
behind = runs["2 pictures"][-1] / runs["256 pictures"][-1]
guess.outcome(
    "as good" if behind < 1.02 else "a little behind" if behind < 1000 else "over a thousand times worse",
    "Scales that are too large multiply from layer to layer, and gradients with them.",
)

# %% [markdown]
# That is a run that blew up, and its cure is one line: `model.initialize` with 256 pictures. With one
# picture not even the second step is a number. And without any data ($s = 1$, $b = 0$) nothing explodes, but
# the start is worse, and 40 steps later the run is still behind.

# %% tags=["nbval-check-output"]
first = {name: run[0] for name, run in runs.items()}
last = {name: run[-1] for name, run in runs.items()}
print("256 pictures: better than raw pixels before the first step:", first["256 pictures"] < 8)
print("2 pictures:   beyond 1000 bits, first and last:", min(first["2 pictures"], last["2 pictures"]) > 1000)
print("1 picture:    no number any more at step", len(runs["1 picture"]))
print("no data:      behind by half a bit or more:", last["no data at all"] > last["256 pictures"] + 0.5)

# %% [markdown]
# If a training run of your own meets NaN in its first steps, ask first what ActNorm saw. Next try a smaller
# learning rate that is reached slowly (a warm-up); the paper's code and this package's have both.

# %% [markdown]
# ## Summary
#
# - ActNorm: $z = s x + b$ per channel. The first batch sets both, then gradients move them.
# - Its log-det is $h w \sum \log |s|$: each pixel counts.
# - It holds a signal's spread near 1, however deep the flow.
# - Zeros in a coupling's last layer make it begin as the identity; they still learn.
# - The first batch must be large (256 pictures were enough here): too small a one is a known cause of NaN.

# %% [markdown]
# **A harder question.** ActNorm stands right before the 1x1 convolution, and $W(sx + b)$ is a convolution
# again. Write down its matrix and its bias; `FlowStep.forward` does just that to save a pass over the
# picture. Then why keep $s$ and $b$ as parameters?
#
# <details><summary>One answer</summary>
#
# The matrix is $W \operatorname{diag}(s)$, the bias $Wb$. $W$ could hold $s$ (with LU: $U$'s columns times $s$),
# though not $b$. But data sets $s$ and $b$ at once, and leaves $W$ the rotation it was; and each gets gradients
# of its own.
#
# </details>

# %% [markdown]
# **Next.** 06, Many scales: half of the numbers leave early.
#
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 3.1 (ActNorm) and 3.3 (zero initialisation).
