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
# In thirty layers, one on top of another, much can go wrong. Two small precautions let even a deep flow begin
# quietly: a look at some data, and a last layer of zeros.
#
# **After this notebook you can** set a layer's scale and shift from data, count what that does to the
# log-det, initialise a deep flow, and say where float32 limits the way back.

# %% [markdown]
# **Needs.** Notebook 02 (coupling layers) and log-dets that add up, from notebook 01.
#
# **Minutes.** About 50 to read and 45 for the exercises; all cells run in under 30 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $s$, $b$ | scale and shift, one of each per channel | `ActNorm.initialize` |
# | $\log s$ | the log of the scale; a third of it is stored | `ActNorm.log_scale` |
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
# Pixels lie between $-0.5$ and $0.5$, so each channel is narrow, and each has a mean of its own. The latents
# at the other end of Glow should have mean 0 and standard deviation 1 (std, or *spread*). **ActNorm** gives
# every channel one scale and one shift:
#
# $$z = s\,x + b$$

# %%
from glowlab.figures.glow_map import glow_map

glow_map("actnorm", "log_det")

# %% [markdown]
# ## 2 · By hand, then by data
#
# Here is one channel. Move the two sliders until the orange histogram fills the space under the grey line, which is
# the standard normal.

# %%
from glowlab.figures import actnorm as figures
from glowlab.figures.live import CheckBox, Choice, Live, Slider


def by_hand(log_s, b):
    return figures.one_channel(x[:, 7], log_s, b, pixels=16)


Live(by_hand, Slider("log_s", "log s", -1.0, 3.0, 0.7), Slider("b", "b", -3.0, 3.0, 0.0))

# %% [markdown]
# That takes a while, and the whole model has thousands of channels. But the mean and the standard deviation of the
# channel, over all pictures and all pixels, say where the sliders belong:

# %%
mean = x.mean((0, 2, 3), keepdim=True)  # (1, 12, 1, 1)
std = x.std((0, 2, 3), keepdim=True, unbiased=False)  # divides by N, so that z gets exactly 1
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
# One special case: a channel can hold the same number in all pixels of the batch. Then its $s$ must stay finite, at
# most 1000. The others still get variance 1 exactly: add nothing to the std.


# %%
def scale_and_shift(x):
    s = ...
    b = ...
    return s, b


# %% tags=["nbval-check-output"]
from glowlab.checks import actnorm as check

check.scale_and_shift(scale_and_shift)

# %% [markdown]
# `check.scale_and_shift.hint()` gives one hint at a time, `check.scale_and_shift.solution()` a worked answer, then
# the package's own lines.

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
# one picture: of large pictures, the paper's GPUs had no room for more. The way back is simply $x = (z - b) / s$.
#
# One detail: the layer stores a third of $\log s$, under the name `log_s`. A step of the optimiser then moves $\log s$
# three times as far, as in the authors' code.

# %% tags=["nbval-check-output"]
print("log_scale() = 3 log_s:", torch.equal(norm.log_scale(), 3 * norm.log_s))
print("and exp of it = 1/std:", torch.allclose(norm.log_scale().exp(), 1 / std.flatten(), rtol=1e-5))

# %% [markdown]
# ## 4 · What it adds to the log-det
#
# Stretching makes a density thinner, and the log-det counts by how much. How much is it here? Take a tiny picture,
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
# Each number of $z$ depends on one number of $x$ alone, so the matrix is diagonal.

# %% [markdown]
# ## Exercise 2 · ActNorm, forward
#
# Write the layer: $z$ and its log-det, from $x$ (B, C, h, w) and the parameters $\log s$ and $b$, each (C,).
# The log-det has the shape (B,). Find its formula in the picture above.


# %%
def forward(x, log_s, b):
    z = ...
    log_det = ...
    return z, log_det


# %% tags=["nbval-check-output"]
check.forward(forward)

# %% [markdown]
# The determinant is the product of the diagonal, where each $s$ stands once for every pixel. Hence
#
# $$\log\det = h \cdot w \cdot \sum_c \log |s_c|$$

# %% tags=["nbval-check-output"]
brute_force = torch.linalg.slogdet(J.reshape(12, 12))[1]
print("h w sum(log s) is the Jacobian's log-det:", torch.allclose(log_det[0], brute_force, atol=1e-6))

# %% [markdown]
# The bar beside your sliders in section 2 was this sum for one channel of 4 by 4 pixels: stretching brings
# 16 nats for each unit of $\log s$. So the log-det rewards stretching. What keeps a flow from stretching
# without end is the normal density, which is small for large numbers.
#
# Here is a face and its $z$, by your function once it is right, and by the package's layer until then:

# %%
layer, face = ActNorm(3), pixels.to_float(small)
z, _ = layer(face)
if check.forward(forward):
    z, _ = forward(face, layer.log_scale().detach(), layer.b.detach())
row(
    [small[2], latent_picture(z[2], reach=2)],  # full colour at -2 and at 2
    ["$x$", "$z$"],
    arrows=["forward"],
    height=160,
    alt="A face of 8 by 8 pixels, and its z in stronger colours, where grey is 0.",
)

# %% [markdown]
# ## 5 · Thirty layers
#
# Why all this? Because a flow is deep. Let us send the faces through 30 steps of Glow (30 layers in the plots) that
# were never trained, with ActNorm or without it. In Glow the last layer of each coupling's network starts with zeros
# (notebook 02). Here we also try small random weights.


# %%
def stack(actnorm, spread, scale, depth=30):
    config = glowlite.GlowConfig((3, 8, 8), levels=1, depth=depth, width=16, scale=scale)
    steps = glowlite.Glow(config).levels[0].steps.flows[1:]  # what comes after the squeeze
    generator = torch.Generator().manual_seed(1)
    for norm, _, coupling in (step.flows for step in steps):
        torch.nn.init.normal_(coupling.network.last.weight, std=spread, generator=generator)
        if not actnorm:
            norm.initialized = True  # s = 1 and b = 0, whatever the data
    return steps


# %% [markdown]
# On the way we note the signal's standard deviation and the log-det so far. Then we go back and measure the largest
# error.


# %%
@torch.no_grad()
def passage(steps, x):
    signal, stds, log_dets = x, [x.std().item()], [0.0]
    for step in steps:
        signal, log_det = step(signal)
        stds.append(signal.std().item())
        log_dets.append(log_dets[-1] + log_det.mean().item() / x[0].numel())
    for step in reversed(steps):
        signal = step.inverse(signal)
    return figures.Passage(stds, log_dets, (signal - x).abs().max().item())


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
# Now all settings: with ActNorm or without, spreads from 0 to 0.1, and both scales of notebook 02, bounded or the
# paper's sigmoid. The chosen one is in colour, the others are grey.

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
    Choice("scale", "Scale", {"bounded": "bounded", "sigmoid": "sigmoid"}),
)

# %% [markdown]
# Try the extremes, first with the bounded scale.
#
# - *Off, spread above 0*: the signal grows, and the inverse in float32 misses $x$: at a spread of 0.1 by up to 8.
# - *On, spread above 0*: the signal's spread stays near 1. The error is smaller, though still 0.24 at a spread of 0.1.
#   But look at the right plot. Each coupling adds to the signal, ActNorm shrinks it again, and that lowers the log-det:
#   from a spread of 0.04 on it falls.

# %% [markdown]
# And where the last layer begins at zero:
#
# - *Off, zero*: nothing happens with the bounded scale. With the paper's, half of the channels shrink by
#   $\operatorname{sigmoid}(2) = 0.88$ at every step, and the signal fades.
# - *On, zero*: calm with either scale.

# %% tags=["nbval-check-output"]
on, off = measured[True, 0.1, "bounded"], measured[False, 0.1, "bounded"]
calm, faded = measured[True, 0.0, "bounded"], measured[False, 0.0, "sigmoid"]
print("off, 0.1:  more than fiftyfold:", off.std[-1] > 50 * off.std[0], " inverse wrong by 2 or more:", off.error > 2)
print("on, 0.1:   spread near 1:", 0.5 < on.std[-1] < 2, " inverse wrong by 0.05 to 1:", 0.05 < on.error < 1)
closer = [measured[True, each, "bounded"].error < measured[False, each, "bounded"].error for each in SPREADS[1:]]
log_dets = {each: measured[True, each, "bounded"].log_det for each in SPREADS}
print("on, above 0: inverse always closer than off:", all(closer))
print(
    "on: from its first layer on the log-det falls at",
    *(each for each, run in log_dets.items() if run[-1] < run[1]),
)
print("off, zero: sigmoid fades to less than a third:", faded.std[-1] < faded.std[0] / 3)
print("on, zero:  spread near 1:", 0.9 < calm.std[-1] < 1.1, " inverse within 1e-4:", calm.error < 1e-4)

# %% [markdown]
# ## Exercise 3 · Find the fault
#
# A colleague sets the ActNorms of 30 steps from one batch, by these lines. They run without an error. But the
# picture below shows that something is wrong: after every ActNorm the spread should be 1, the grey line at
# the very bottom.


# %%
def faulty_initialise(steps, x):
    for step in steps:
        norm, mixing, coupling = step.flows
        norm.initialize(x)  # s and b such that norm(x) has mean 0 and variance 1
    signal = x
    for step in steps:
        signal, log_det = step(signal)
    return signal


# %%
def show_stds(initialise):
    steps = stack(actnorm=True, spread=0.06, scale="bounded")
    with torch.no_grad():
        signal, stds = x[:16], []
        initialise(steps, signal)
        for step in steps:
            stds.append(step.flows[0](signal)[0].std().item())
            signal, _ = step(signal)
    return figures.std_after_actnorm(stds).shown()


show_stds(faulty_initialise)

# %% [markdown]
# Find the fault, and write the function without it. Like the faulty one, it returns what comes out of the last step.


# %%
def initialise(steps, x): ...


# %% tags=["nbval-check-output"]
verdict = check.initialise(initialise)
verdict

# %% [markdown]
# `check.initialise.hint()` and `check.initialise.solution()` are there. Once it is right, the next cell shows your
# spreads. (The package sets each ActNorm by the first batch that arrives at it; `model.initialize` sends one through.)

# %%
if verdict:
    show_stds(initialise)

# %% [markdown]
# ## 6 · Is the way back exact?
#
# The *formula* of a flow loses nothing. A computer rounds: float32 keeps about seven digits of every number, float64
# sixteen. So each layer's result is a little wrong: the larger the numbers, the larger the error. On the way back the
# layers stretch these errors, as they stretch the signal.

# %% [markdown]
# A picture survives small errors: `decode` rounds to whole grey values, so less than half a grey value does no harm.
# How close do we come? Take the shipped model, faces, and pictures very unlike them: random colours, all 0 or 255.

# %%
model = glowlite.load("faces64")
generator = torch.Generator().manual_seed(0)


def extreme(height, width):  # 0 or 255 at random, repeated until it is 64 x 64
    some = torch.randint(0, 2, (4, 3, height, width), generator=generator)
    return (255 * some).to(torch.uint8).repeat_interleave(64 // height, 2).repeat_interleave(64 // width, 3)


@torch.no_grad()
def errors(images, model):
    """The largest latent, and the largest error of the way back in grey values, of each picture."""
    x = pixels.to_float(images).to(model.dtype)
    eps, _ = model(x)  # the latents, a list (notebook 06)
    largest = torch.stack([part.abs().flatten(1).amax(1) for part in eps]).amax(0)
    return largest, 256 * (model.inverse(eps) - x).abs().flatten(1).amax(1)


# %%
kinds = {"faces": faces.draw(4, seed=2).images, "pixels": extreme(64, 64), "stripes": extreme(64, 1)}
found = {name: errors(images, model) for name, images in kinds.items()}
found["stripes, in float64"] = errors(kinds["stripes"], model.in_float64("cpu"))
figures.way_back_errors(found).shown()

# %% tags=["nbval-check-output"]
print("faces: below a hundredth of a grey value:", bool(found["faces"][1].max() < 0.01))
print("hard pictures: over ten times as much:   ", bool(found["pixels"][1].min() > 10 * found["faces"][1].max()))
print("in float64: below a millionth:           ", bool(found["stripes, in float64"][1].max() < 1e-6))
hard = kinds["stripes"]
print("encode and decode give each pixel back:  ", torch.equal(model.decode(model.encode(hard)), hard))

# %% [markdown]
# No latent of a face is much larger than 5. Those of a picture very unlike faces reach several hundred, and the error
# grows with them. Here no pixel is lost yet. But among thousands of stripes the worst was wrong by 2.3 grey values
# (`benchmarks/exactness.py`). So `encode` checks itself: where latents lie far out, it decodes at once, and if the
# error is too large it computes again in float64.

# %% [markdown]
# The configuration helps, too: this model limits what a coupling's network sees to $\pm 5$ (`clamp`).
# Faces hardly go further, so for them nothing changes; but far out the network's answers no longer grow, nor do their
# errors. And float64 has its limit, too: in a flow of random layers, with latents of a million, it was wrong by 13 grey
# values.

# %% [markdown]
# If you write your own flow, measure this error. ActNorm and small weights keep it small; nothing makes it 0. Errors
# that grow on the way back are called *exploding inverses* (see 12b).

# %% [markdown]
# ## 7 · A last layer of zeros
#
# ActNorm is the first precaution. The second one is in the paper, too: the last layer of each coupling's network
# begins with all weights zero. Then $\log s = 0$ and $t = 0$, and the coupling is the identity.

# %% tags=["nbval-check-output"]
from glowlite.flows import Coupling

coupling = Coupling(12, width=16, edge=False)  # edge: an extra input that marks the border (notebook 08)
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
def train_steps(steps):
    coupling = Coupling(12, width=16, edge=False)
    optimiser = torch.optim.SGD(coupling.parameters(), lr=0.1)
    for number in range(1, steps + 1):
        optimiser.zero_grad()
        (coupling(few)[0] - few.roll(1, 1)).square().mean().backward()  # any loss will do
        optimiser.step()
        moved = [name for name, p in coupling.network.named_parameters() if "weight" in name and p.grad.any()]
        print(f"step {number}: a gradient for", *moved)


# %% tags=["nbval-check-output"]
train_steps(2)

# %% tags=["nbval-check-output"]
guess.outcome(
    "yes, at the first step",
    "Its gradient is made of its input, which is not zero. The layers before it wait for the second step.",
)

# %% [markdown]
# ## 8 · How many pictures are enough?
#
# How large must ActNorm's first batch be? At the last level of a
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
# If two pictures happen to be nearly equal in a pixel, their std there is tiny. ActNorm divides by it, and other
# pictures are not equal there: in some channels they grow almost a hundredfold. One picture says nothing about spread
# at all; then only the limit of 1000 remains.

# %%
config = glowlite.GlowConfig((3, 8, 8), levels=3, depth=4, width=16)


def begin(first):
    model = glowlite.Glow(config)
    model.initialize(pixels.to_float(small[:first]))  # <- the one line
    return model


# %%
def train(model, steps=40):
    generator, bits = torch.Generator().manual_seed(0), []
    optimiser = torch.optim.Adamax(model.parameters(), lr=2e-3)
    for _ in range(steps):
        batch = small[torch.randint(len(small), (32,), generator=generator)]
        log_p = model.log_density(pixels.dequantize(batch, 8, generator)).mean()
        loss = 8 - log_p / (model.dims * math.log(2))  # bits per dimension
        bits.append(loss.item())
        if not loss.isfinite():
            break
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return bits


# %% [markdown]
# Here is a small Glow, trained for 40 steps of 32 pictures. Its loss is in bits per dimension, the subject of
# notebook 07: the smaller, the better. Everything is the same each time, first weights and order of pictures
# included. Only the number in that one line differs. (A last run, for comparison, looks at no data at all.)

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
# Such a run blows up, and one line cures it: `model.initialize` with 256 pictures. With one picture the loss is not
# even a number at the second step. And without any data ($s = 1$, $b = 0$) nothing explodes, but the start is
# worse, and 40 steps later the run is still behind.

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
# - ActNorm: $z = s x + b$ per channel. The first batch sets both; then they are trained.
# - Its log-det is $h w \sum \log |s|$: each pixel counts.
# - It holds a signal's spread near 1, so the way back is nearer to exact in float32.
# - Zeros in a coupling's last layer make it begin as the identity; they still learn.
# - The first batch must be large (here 256 pictures); a small one can cause NaN.

# %% [markdown]
# **A harder question.** ActNorm stands right before the 1x1 convolution, and $W(sx + b)$ is a convolution
# again. Write down its matrix and its bias; `FlowStep.forward` does just that to save a pass over the
# picture. Then why keep $s$ and $b$ as parameters?
#
# <details><summary>One answer</summary>
#
# The matrix is $W \operatorname{diag}(s)$, the bias $Wb$. $W$ could hold $s$ (with LU: $U$'s columns times $s$),
# though not $b$. But data sets $s$ and $b$ at once, and $W$ stays the rotation that it was; and each gets gradients
# of its own.
#
# </details>

# %% [markdown]
# **Next.** 06, Many scales: half of the numbers leave early.
#
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 3.1 (ActNorm) and 3.3 (zero initialisation).
