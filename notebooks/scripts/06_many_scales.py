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
# # 06 · Many scales
#
# A face is large things and small ones: whose face it is, the line of a lid, the grain of the picture. Glow
# sorts them, the fine ones out first. Here you see how a number finds its level, and what each level knows.
#
# **After this notebook you can** follow every number through squeeze and split and back, say why half of them
# leave early and what they leave behind, and decode a picture from the list of its latents.

# %% [markdown]
# **Needs.** Change of variables (01) and coupling layers (02). No GPU, no training.
#
# **Minutes.** About 25 to read and 10 for the exercises; all cells run in under 120 seconds.
#
# **Symbols.**
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $C, H, W$ | channels, height and width | `GlowConfig.shape` |
# | $L$ | how many levels there are | `GlowConfig.levels` |
# | $z_l$ | the half that leaves at level $l$ | `Split.forward` |
# | $\mu, \sigma$ | mean and std that the other half expects of it | `Split.mean_and_log_std` |
# | $\varepsilon_l = (z_l - \mu) / \sigma$ | the latents of level $l$, white | `multiscale.whiten` |
# | $D$ | how many numbers there are in all | `Glow.dims` |

# %% [markdown]
# ## 1 · Half of the numbers, by dice
#
# The latents of a face come as a list, one tensor a level. Level 1 alone holds half of all numbers:

# %%
import torch

import glowlite
from glowlite.data import faces

torch.set_grad_enabled(False)  # nothing is trained in this notebook
model = glowlite.load("faces64")
face = faces.draw(1, seed=2).images  # uint8 (1, 3, 64, 64)
z = model.encode(face)

# %% tags=["nbval-check-output"]
for l, eps in enumerate(z, start=1):
    share = eps.numel() / model.dims
    print(f"level {l}: {str(tuple(eps.shape[1:])):13} {eps.numel():>6,} numbers, {share:5.1%}")

# %% [markdown]
# Throw them away, all 6,144, and put as many fresh normal numbers in their place. Levels 2, 3 and 4 stay.

# %%
from glowlab.checks import Prediction

guess = Prediction(
    "Level 1, half of all the numbers, is thrown anew by dice. What does decode show?",
    ["the same face, a little changed", "another face", "noise"],
)
guess

# %%
from glowlite import latents

dice = torch.Generator().manual_seed(2)
fresh = latents.sample_eps(model.latent_shapes, 1, dice)  # four levels of normal numbers
one = model.decode([fresh[0], z[1], z[2], z[3]])
four = model.decode([z[0], z[1], z[2], fresh[3]])

# %%
from glowlab.figures.rows import row

row(
    [face, one, four],
    ["the face", "level 1 thrown anew", "level 4 thrown anew"],
    alt="A face; nearly the same face with other fine detail around eyes and mouth; somebody else.",
)

# %% tags=["nbval-check-output"]
guess.outcome("the same face, a little changed", "Half of the numbers are about fine detail.")

# %% [markdown]
# And the picture on the right? There only level 4 was thrown, an eighth of the numbers, and somebody else looks
# at us. So the levels do not know the same things. Nobody told the model what belongs where: it follows from
# training, and from two plain operations.

# %%
from glowlab.figures.glow_map import glow_map

glow_map("squeeze", "split", "z")

# %% [markdown]
# ## 2 · Squeeze: pixels become channels
#
# A coupling layer needs channels to part, and a picture has few: three, or one. Where do more come from, if
# nothing may be made up and nothing lost? Here is a picture of 8 by 8 numbered tiles, with one channel, where each
# block of 2 by 2 has four shades. **Squeeze** collects the tiles of one shade. Drag it, and follow tile 10.

# %%
from glowlab.figures.live import Button, CheckBox, Choice, Live, Slider
from glowlab.figures.many_scales import first_squeeze, moving_tiles, whitening

Live(first_squeeze, Slider("at", "Squeeze", 0.0, 1.0, value=1.0, step=0.02, ends=("picture", "squeezed")))

# %% [markdown]
# One channel of 8 by 8 has become four of 4 by 4. What were neighbours now lie one behind the other, at the
# same place. In code, with $i$ and $j$ for the row and the column in a block:


# %%
def squeeze(x):
    corners = [x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)]  # four times (B, C, H/2, W/2)
    return torch.stack(corners, dim=2).flatten(1, 2)  # (B, 4C, H/2, W/2)


# %% [markdown]
# With more channels than one, the four corners of the first channel come first, then those of the second, and
# so on. Is it what the package does?

# %% tags=["nbval-check-output"]
from glowlite.flows import Squeeze

x = torch.randn(2, 3, 6, 10, generator=dice)
y, log_det = Squeeze()(x)
assert torch.equal(squeeze(x), y)
print("same as glowlite:", torch.equal(squeeze(x), y))
print("log-det:", log_det.tolist())

# %% [markdown]
# The log-det is 0: numbers move to other places, and none is stretched. On a picture with three channels, corner
# $k$ of every block is in the channels $k$, $k + 4$ and $k + 8$. Together they are a small picture:

# %%
row(
    [face, *(squeeze(face)[:, k::4] for k in range(4))],
    ["$x$", *(f"corner {k}" for k in range(4))],
    alt="A face, and the four small faces that squeeze makes of it: to the eye, all four are alike.",
)

# %% [markdown]
# Four small faces, nearly the same. So whoever has seen two of them can guess much of the others: exactly what a
# coupling layer is made for. And every layer now looks further. A 3x3 convolution reaches over 3 by 3 places,
# and after $l$ squeezes each place stands for a block of $2^l$ pixels a side:

# %% tags=["nbval-check-output"]
for l in range(1, model.config.levels + 1):
    print(f"level {l}: a 3x3 convolution sees {3 * 2**l:2} x {3 * 2**l:2} of the 64 x 64 pixels")

# %% [markdown]
# At level 1 it sees the corner of a mouth, at level 4 most of the picture.

# %% [markdown]
# ## Exercise 1 · Undo a squeeze
#
# Write the way back: (B, 4C, H, W) becomes (B, C, 2H, 2W), and every number returns to its old place.


# %%
def unsqueeze(z):
    x = ...
    return x


# %% tags=["nbval-check-output"]
from glowlab.checks import many_scales as check

check.unsqueeze(unsqueeze)

# %% [markdown]
# `check.unsqueeze.hint()` helps, and `check.unsqueeze.solution()` shows the package's lines, which leave the
# work to torch. A small picture to try it on: `squeeze(torch.arange(16.0).view(1, 1, 4, 4))`.

# %% [markdown]
# ## 3 · Split: half of them leave
#
# After a squeeze come $K$ steps of flow, which you know from notebooks 02 to 05. Then half of the channels are
# called finished and leave. The other half is squeezed again, and goes on. Here are three levels (the steps
# change the numbers on the tiles, but not where they go, so they are left out):

# %%
Live(moving_tiles, Slider("at", "Way to z", 0.0, 6.0, value=4.0, step=0.05, ends=("picture", "all in z")))

# %% [markdown]
# Drag it to the right end and back to the left. No tile is ever lost, and none is made up: $x$ grows small as
# $z$ grows large. What leaves at one level is half of what was there, so for $l < L$
#
# $$\dim z_l = \frac{D}{2^l} \qquad \text{and} \qquad \dim z_L = \frac{D}{2^{L-1}},$$
#
# because at the last level nothing stays.

# %% tags=["nbval-check-output"]
D, L = model.dims, model.config.levels
sizes = [D // 2**l for l in range(1, L)] + [D // 2 ** (L - 1)]
print(" + ".join(f"{size:,}" for size in sizes), "=", f"{sum(sizes):,}", "= D:", sum(sizes) == D)
assert sizes == [eps.numel() for eps in z]

# %% [markdown]
# ### What would it cost to keep them?
#
# Each squeeze makes four channels of one. If nothing ever left, channels would grow fourfold a level. A 1x1
# convolution (notebook 03) takes $H W C^2$ multiplications. In each pair, the first number is with splits, the
# second without. Which grows, the first number or the second?

# %% tags=["nbval-check-output"]
print("with splits or without:")
print("level   channels     multiplications of one 1x1 convolution")
for l in range(1, L + 1):
    places = (64 // 2**l) ** 2
    half, whole = 12 * 2 ** (l - 1), 3 * 4**l  # channels if half of them leave, and if none do
    print(f"{l:5}   {half:3} or {whole:3}   {places * half**2:9,} or {places * whole**2:9,}")

# %% [markdown]
# With splits, channels only double, and every level costs the same. Without them, level 4 would cost 64 times as
# much as level 1. There is a second gain: the latents of level 1 are judged after the first steps. So the early layers
# learn from them directly, and not through everything that follows.

# %% [markdown]
# ## 4 · What stays says what to expect
#
# Before they leave, look at both halves of level 1. They are channels of one picture. Our model takes twelve steps
# there, `portraits64` four. It is the same Glow, trained on photographs (FairFace, Karkkainen & Joo 2021, CC BY 4.0),
# and its splits have more to do. So give it a portrait:

# %%
from glowlab.explorers.gallery import read_portraits
from glowlite.pixels import dequantize

real = glowlite.load("portraits64")
portraits, names, _ = read_portraits(64)  # thirteen, all in the public domain
lisa = dequantize(portraits[[names.index("Mona Lisa")]], real.config.n_bits, dice)  # with noise, as it was trained

# %%
y, _ = real.levels[0].steps(lisa)  # squeeze and 4 steps of flow: (1, 12, 32, 32)
stays, leaves = y.chunk(2, dim=1)  # (1, 6, 32, 32) each
split = real.levels[0].split
mean, log_std = split.mean_and_log_std(stays)

# %%
second = [part[0, 1] for part in (stays, leaves, mean, log_std.exp())]  # channel 1 of each
whitening(
    *second,
    alt="The Mona Lisa in the channel that stays, and again, under much grain, in the one that leaves. The predicted "
    "mean shows her once more, without the grain; eps is only grain.",
).shown()

# %% [markdown]
# Second picture: what leaves is a face, and grain. But the face can be *guessed* from what stays, and a small
# network does that. It looks at what stays and says for every number that leaves: I expect the mean
# $\mu$, give or take $\sigma$. This is the **learned prior** of the split.

# %% [markdown]
# The latents are what it could not guess, in units of what it did not know:
#
# $$\varepsilon = \frac{z - \mu}{\sigma}$$
#
# This is called **whitening**. If the prior is right, $\varepsilon$ is standard normal, and no face is left in it.
# Look at the last picture again: only grain.


# %%
def split_and_whiten(y, prior):
    stays, leaves = y.chunk(2, dim=1)
    mean, log_std = prior(stays)
    eps = (leaves - mean) / log_std.exp()
    log_det = -log_std.sum((1, 2, 3))  # every number was divided by its std
    return stays, eps, log_det


# %% tags=["nbval-check-output"]
ours, theirs = split_and_whiten(y, split.mean_and_log_std), split(y)
error = max(((a - b).abs() / (1 + b.abs())).max().item() for a, b in zip(ours, theirs, strict=True))
assert error < 1e-6
print("same as glowlite:", error < 1e-6)
print("eps is what the model gives:", torch.allclose(theirs[1], real(lisa)[0][0], atol=1e-6))

# %% [markdown]
# Nothing is lost by whitening: whoever has what stayed can ask the same network again, so
# $z = \mu + \sigma \varepsilon$. It is an affine coupling whose other half has gone. Look at more of it:


# %%
def look(level, channel):
    x = lisa
    for l in range(int(level)):
        y, _ = real.levels[l].steps(x)
        x, leaves = y.chunk(2, dim=1)
    mean, log_std = real.levels[l].split.mean_and_log_std(x)
    parts = [part[0, channel] for part in (x, leaves, mean, log_std.exp())]
    return whitening(*parts, alt=f"Whitening at level {level}, channel {channel}: eps shows only grain.")


Live(look, Choice("level", "Level", {"1": "1", "2": "2", "3": "3"}, value="2"), Slider("channel", "Channel", 0, 5))

# %% [markdown]
# At level 1 the guess is best: whoever knows the colours on both sides of an edge knows much about the edge.
# Deeper down there is less to guess.

# %% [markdown]
# ### Two ways to say the same
#
# Papers write the learned prior as a density of what leaves, $\mathcal N(z; \mu, \sigma)$. We whiten, count a
# log-det, and have one prior for all, $\mathcal N(\varepsilon; 0, 1)$. Is it the same likelihood?

# %% tags=["nbval-check-output"]
from torch.distributions import Normal

eps, log_det = theirs[1:]
by_density = Normal(mean, log_std.exp()).log_prob(leaves).sum()
by_whitening = Normal(0, 1).log_prob(eps).sum() + log_det
print("the same:", torch.allclose(by_density, by_whitening))

# %% [markdown]
# White latents are handy: temperature, mixing and dice treat all levels alike. At the last level nothing stays
# that could guess, so its prior is a table of means and stds (`TopPrior`), and it whitens just the same.

# %% [markdown]
# ### What is a good guess worth?
#
# Compare the learned prior with one that knows only a mean and a std for each channel, the same everywhere.
# How much likelier does it find the numbers that leave? Ask both models about pictures of their kind:

# %%
import math


def gain(y, split):
    stays, leaves = y.chunk(2, dim=1)
    mean, log_std = split.mean_and_log_std(stays)
    learned = Normal(mean, log_std.exp()).log_prob(leaves)
    plain = Normal(leaves.mean((0, 2, 3), True), leaves.std((0, 2, 3), keepdim=True)).log_prob(leaves)
    return stays, (learned - plain).mean() / math.log(2)  # nats to bits


# %% tags=["nbval-check-output"]
for name, glow, images in (("portraits64", real, portraits), ("faces64", model, faces.draw(64, seed=3).images)):
    x = dequantize(images, glow.config.n_bits, dice)
    for l, level in enumerate(glow.levels[:-1], start=1):
        x, bits = gain(level.steps(x)[0], level.split)
        print(f"{name}, level {l}: {bits:.1f} bits for each number that leaves")

# %% [markdown]
# A bit is a factor of two; 0.4 bits, at level 1 of `portraits64`, are one of 1.3 for each of 6,144 numbers. (Bits are
# the subject of notebook 07.) `faces64` gains less: what can be guessed, its twelve couplings have guessed before. Here
# is what whitening does to the numbers of one portrait:

# %%
from glowlab.figures.charts import against_normal

against_normal(
    {"what leaves, $z_1$": [leaves], "the same, whitened": [eps]},
    alt="Histograms of level 1: what leaves lies beside the normal curve; whitened it follows it.",
)

# %% [markdown]
# ## Exercise 2 · From the list, back to the picture
#
# Now the whole way back. You get the list of latents and a flow. Each of its levels, `flow.levels[l]`, counted from 0,
# has two parts, and each part has an `inverse`:
#
# - `split.inverse(stays, eps)` puts together what stayed and what left,
# - `steps.inverse(y)` undoes the steps, and the squeeze before them.
#
# At the last level nothing stays. There `stays` has no channels: `latents[-1][:, :0]`.


# %%
def from_latents(latents, flow):
    x = ...
    return x


# %% tags=["nbval-check-output"]
check.from_latents(from_latents)

# %% [markdown]
# `check.from_latents.hint()` and `check.from_latents.solution()` are there, too. It helps to drag the tiles of
# section 3 from right to left and to write down what happens. The check uses tiny random flows, of two or of
# three levels. Once it is content, your function decodes our face (until then, the face stands in for it):

# %%
from glowlite.pixels import to_uint8

mine = to_uint8(from_latents(z, model)) if check.from_latents(from_latents) else face
row(
    [face, mine],
    ["the face", f"{(mine != face).sum()} are wrong"],
    alt="The face, and the same face decoded level by level.",
    height=192,
)

# %% [markdown]
# ## 5 · What each level holds
#
# Back to the dice. Choose a level and how far its numbers go towards fresh ones (at 1 nothing of the old ones
# is left). On the way, `slerp` (spherical interpolation) mixes old and fresh by a sine and a cosine, so that the
# mixture stays standard normal; plain averages would come out too small. Then tick the box: this level is kept,
# and the other three are thrown.

# %%
from glowlab.figures.rows import face_change


def thrown(level, strength, keep, again):
    fresh = latents.sample_eps(model.latent_shapes, 1, torch.Generator().manual_seed(again + 1))
    mixed = latents.slerp(z, fresh, strength)  # on a great circle: as normal as both
    chosen = [(l == int(level)) != keep for l in range(1, L + 1)]
    changed = [new if mine else old for new, old, mine in zip(mixed, z, chosen, strict=True)]
    words = f"level {level} kept, others thrown" if keep else f"level {level} thrown"
    alt = f"A face, the same face with {words} as far as {strength:.2f}, and in pink where the two differ."
    return face_change(face, model.decode(changed), words, alt)


# %%
Live(
    thrown,
    Choice("level", "Level", {"1": "1", "2": "2", "3": "3", "4": "4"}, value="3"),
    Slider("strength", "How far", 0.0, 1.0, value=1.0, step=0.02, ends=("its own", "fresh")),
    CheckBox("keep", "keep this level, throw the others"),
    Button("again", "Other dice"),
)

# %% [markdown]
# Try level 4 with the box ticked: seven eighths of all numbers are thrown, and it is still the same person. With
# level 1 ticked, it is somebody new at every throw.
#
# Next, no dice: set levels to 0, where the normal density is highest, and add them again one after the other.

# %%
kept = [[eps if l >= first else 0 * eps for l, eps in enumerate(z)] for first in (4, 3, 2, 1, 0)]
row(
    [model.decode(levels) for levels in kept],
    ["all at 0", "level 4", "4 and 3", "4, 3, 2", "all"],
    alt="Five pictures: a blurred average face, then the face smooth, and sharper with every level.",
)

# %% [markdown]
# From right to left this is a way to make pictures simpler. With all latents at 0, the
# model shows what it expects before it has been told anything.

# %% [markdown]
# ### Fine and coarse, measured
#
# A blur removes fine changes and spares coarse ones. So throw each level anew in 16 faces, blur the change over
# squares of 2, 4, 8 and 16 pixels, and see how much of it is left.


# %%
some = faces.draw(16, seed=3).images
z_some, fresh = model.encode(some), latents.sample_eps(model.latent_shapes, 16, dice)


def change(level):
    changed = [new if l == level else old for l, (new, old) in enumerate(zip(fresh, z_some, strict=True))]
    return model.decode(changed).float() - some.float()  # (16, 3, 64, 64)


def left(difference):
    blurred = [torch.nn.functional.avg_pool2d(difference, size) for size in (1, 2, 4, 8, 16)]
    return torch.stack([b.square().mean().sqrt() for b in blurred])  # (5,), root mean square


# %%
shares = [left(change(l)) for l in range(L)]
shares = [size / size[0] for size in shares]
assert shares[0][1] < 0.33 and shares[3][1] > 0.9  # after squares of 2 pixels

# %%
from glowlab.figures.many_scales import blur_chart

blur_chart(shares, "Four falling lines: a blur of 2 removes most of level 1's change and hardly any of level 4's.")

# %% [markdown]
# A blur over 2 by 2 pixels takes away most of what level 1 did, and almost nothing of level 4. Each level
# lives at its scale. (It is a matter of degree: a network decides, not a ruler.)

# %% [markdown]
# ## Summary
#
# - Squeeze: each 2 by 2 block becomes four channels, with log-det 0.
# - Split: half of the channels leave; all levels together have $D$ numbers.
# - What stays predicts what leaves: $\varepsilon = (z - \mu) / \sigma$, with log-det $-\sum \log \sigma$.
# - Decoding goes backwards, last level first: at each the split, then the steps and the squeeze.
# - Here level 4, an eighth of the numbers, says whose face it is; level 1, half of them, fine detail.

# %% [markdown]
# **A harder question.** Suppose that what leaves could be guessed perfectly: each number is a function of those
# that stay. What would a very good prior do to $\sigma$, to the log-det, to the likelihood? The package keeps $\log
# \sigma$ between -2 and 2. Which trouble does that prevent, and what does it cost?

# %% [markdown]
# <details><summary>One answer</summary>
#
# $\sigma$ goes to 0, and log-det and likelihood grow without end. But $z - \mu$ is only known up to rounding, and a
# tiny $\sigma$ would make large $\varepsilon$ of that. The bound lets it grow by $e^2 \approx 7.4$ at most. The
# cost: over $\sigma = 1$, a number gains at most 2 nats.
#
# </details>
#
# **Next.** 07, Bits per dimension: what a likelihood of pixels means, and how it can cheat.
#
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 3 and figure 2b; Dinh et al. (2016), *Density
# estimation using Real NVP*, section 3.6, where squeeze and split come from.
