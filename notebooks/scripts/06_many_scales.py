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
# A face has large features and small ones: whose face it is, the line of a lid, the grain of the picture. Glow
# sorts them, the fine ones first. Here you see how, and what each level holds.
#
# **After this notebook you can** follow every number through squeeze and split and back, split a picture by a
# checkerboard, say why half of the numbers leave early, and decode a picture from its latents.

# %% [markdown]
# **Needs.** Change of variables (01) and coupling layers (02). No GPU, no training.
#
# **Minutes.** About 55 to read and 45 for the exercises; all cells run in under 15 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $C, H, W$ | channels, height and width | `GlowConfig.shape` |
# | $L$ | how many levels there are | `GlowConfig.levels` |
# | $z_l$ | the half that leaves at level $l$, as it leaves | `Split.forward` |
# | $\mu, \sigma$ | mean and std that the other half expects of it | `Split.mean_and_log_std` |
# | $\varepsilon_l = (z_l - \mu) / \sigma$ | the latents of level $l$: what the model gives | `multiscale.whiten` |
# | $D$ | how many numbers there are in all | `Glow.dims` |

# %% [markdown]
# ## 1 · Half of the numbers, drawn again
#
# The latents of a face come as a list, one tensor for each level. Level 1 alone holds half of all numbers:

# %%
import torch

import glowlite
from glowlite.data import faces

torch.set_grad_enabled(False)  # nothing is trained in this notebook
model = glowlite.load("faces64")
face = faces.draw(1, seed=2).images  # uint8 (1, 3, 64, 64)
eps = model.encode(face)  # a list of four tensors

# %% tags=["nbval-check-output"]
for l, part in enumerate(eps, start=1):
    share = part.numel() / model.dims
    print(f"level {l}: {str(tuple(part.shape[1:])):13} {part.numel():>6,} numbers, {share:5.1%}")

# %% [markdown]
# Throw the 6,144 numbers of level 1 away and put as many new normal ones in their place. Levels 2, 3 and 4 stay.

# %%
from glowlab.checks import Prediction

guess = Prediction(
    "Level 1, half of all the numbers, is replaced by new random ones. What does decode show?",
    ["the same face, a little changed", "another face", "noise"],
)
guess

# %%
from glowlite import latents

generator = torch.Generator().manual_seed(2)
fresh = latents.sample_eps(model.latent_shapes, 1, generator)  # four levels of normal numbers
one = model.decode([fresh[0], eps[1], eps[2], eps[3]])
four = model.decode([eps[0], eps[1], eps[2], fresh[3]])

# %%
from glowlab.figures.rows import row

row(
    [face, one, four],
    ["the face", "new level 1", "new level 4"],
    alt="A face; nearly the same face with other fine detail around eyes and mouth; somebody else.",
)

# %% tags=["nbval-check-output"]
guess.outcome("the same face, a little changed", "Half of the numbers are about fine detail.")

# %% [markdown]
# And the picture on the right? There only level 4 is new, an eighth of the numbers, and we see another person. So
# the levels hold different things. Nobody told the model what belongs where: it follows from training, and from two
# simple operations.

# %%
from glowlab.figures.glow_map import glow_map

glow_map("squeeze", "split", "z")

# %% [markdown]
# ## 2 · Squeeze: pixels become channels
#
# A coupling layer splits its input into two halves. Glow splits channels, and a picture has few: three, or one.
# Where do more come from, if no number may be added or lost? Here is a picture of 8 by 8 numbered tiles, with one
# channel, where each block of 2 by 2 has four shades. **Squeeze** collects the tiles of one shade. Drag it, and
# follow tile 10.

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

x = torch.randn(2, 3, 6, 10, generator=generator)
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
# Four small faces, nearly the same. So from two of them one can guess much of the others: exactly what a coupling
# layer is made for. And every layer now looks further: after $l$ squeezes each place stands for a block of $2^l$
# pixels a side, so a 3x3 convolution reaches over $3 \cdot 2^l$ pixels. But a level has many convolutions, one after
# another. On how many pixels does one number at its end really depend? Autograd tells:


# %%
from glowlite import pixels


@torch.enable_grad()
def dependence(level):
    """|d y / d x| for one place at the end of a level's steps, (64, 64), its pixels added up over colours."""
    y = x = pixels.dequantize(face, 8, torch.Generator().manual_seed(0)).requires_grad_()
    for l in range(level):
        y, _ = model.levels[l].steps(y.chunk(2, dim=1)[0] if l else y)
    middle = y.shape[-1] // 2
    (gradient,) = torch.autograd.grad(y[0, :, middle, middle].sum(), x)
    return gradient[0].abs().sum(0)


# %%
maps = [dependence(level) for level in (1, 2, 3, 4)]
row(
    [(255 * (g / g.max()).sqrt()).to(torch.uint8)[None] for g in maps],
    [f"level {l}" for l in (1, 2, 3, 4)],
    alt="Four bright spots on black, each about twice as wide as the one before: the pixels that one place sees.",
    height=160,
)

# %% tags=["nbval-check-output"]
for l, gradient in enumerate(maps, start=1):
    reached = (gradient > 0).sum().item()
    most = (gradient.flatten().sort(descending=True).values.cumsum(0) < 0.9 * gradient.sum()).sum().item()
    print(f"level {l}: one convolution {(3 * 2**l) ** 2:5,} pixels, the level {reached:5,}, 90 % of it {most:5,}")

# %% [markdown]
# In principle a number of level 1 depends on the whole picture already. In practice nearly everything that counts
# lies close by: at level 1 the corner of a mouth, at level 4 most of the face. (How far it *can* depend is called the
# receptive field, how far it *does* the effective one.)

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
# `check.unsqueeze.hint()` helps; `check.unsqueeze.solution()` shows a worked answer, then the package's lines, which
# leave the work to torch. A small picture to try it on: `squeeze(torch.arange(16.0).view(1, 1, 4, 4))`.

# %% [markdown]
# ### Halves without channels: a checkerboard
#
# There is another way to split a picture: the black and the white fields of a checkerboard. Real NVP, Glow's
# predecessor, has such couplings before each squeeze. Each pixel has four neighbours in the other half, so the
# network can guess well.


# %%
def checkerboard(x):  # (B, C, H, W) -> (H, W): 1 where row + column is even, 0 elsewhere
    rows, columns = torch.arange(x.shape[-2])[:, None], torch.arange(x.shape[-1])
    return ((rows + columns) % 2 == 0).to(x)


keep = checkerboard(face)
row(
    [face, face * keep, face * (1 - keep)],
    ["x", "keep x", "(1 - keep) x"],
    alt="A face and its two checkerboard halves.",
    height=192,
)

# %% [markdown]
# ## Exercise 2 · Find the fault
#
# Here is an additive coupling with this mask. It runs. But its inverse, which is right, does not bring $x$ back:


# %%
def faulty_coupling(x, network):
    keep = checkerboard(x)
    shift = network(x)
    return x + (1 - keep) * shift


def inverse_coupling(z, network):
    keep = checkerboard(z)
    return z - (1 - keep) * network(keep * z)


# %% [markdown]
# Find the fault, and write the coupling right. `network` gives a tensor of the shape of what it gets.


# %%
def masked_coupling(x, network):
    z = ...
    return z


# %% tags=["nbval-check-output"]
verdict = check.masked_coupling(masked_coupling)
verdict

# %%
couple = masked_coupling if verdict else faulty_coupling
torch.manual_seed(0)
network = torch.nn.Conv2d(3, 3, 3, padding=1)
x = pixels.to_float(face)
back = inverse_coupling(couple(x, network), network)
row(
    [face, pixels.to_uint8(back)],
    ["x", "there and back"],
    alt="The face, and what comes back: a face with a checkerboard over it as long as the fault is there.",
    height=128,
)

# %% [markdown]
# (It is yours once the check says right, and the faulty one until then.) The log-det of this coupling is 0. Glow has
# no checkerboards: its 1x1 convolutions mix the channels, and the halves of channels are enough.

# %% [markdown]
# ## 3 · Split: half of them leave
#
# After a squeeze come $K$ steps of flow, which you know from notebooks 02 to 05. Then half of the channels are
# called finished and leave. The other half is squeezed again, and goes on. Here are three levels (the steps
# change the numbers on the tiles, but not where they go, so they are left out):

# %%
Live(moving_tiles, Slider("at", "Way to z", 0.0, 6.0, value=4.0, step=0.05, ends=("picture", "all in z")))

# %% [markdown]
# Drag it to the right end and back to the left. No tile is ever lost, and none is added: $x$ grows small as
# $z$ grows large. What leaves at one level is half of what was there, so for $l < L$
#
# $$\dim z_l = \frac{D}{2^l} \qquad \text{and} \qquad \dim z_L = \frac{D}{2^{L-1}},$$
#
# because at the last level nothing stays.

# %% tags=["nbval-check-output"]
D, L = model.dims, model.config.levels
sizes = [D // 2**l for l in range(1, L)] + [D // 2 ** (L - 1)]
print(" + ".join(f"{size:,}" for size in sizes), "=", f"{sum(sizes):,}", "= D:", sum(sizes) == D)
assert sizes == [part.numel() for part in eps]

# %% [markdown]
# ### What would it cost to keep them?
#
# Each squeeze makes four channels of one. If nothing ever left, each level would have four times as many. A 1x1
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
# much as level 1. There is a second gain: the loss sees the latents of level 1 right after the first steps. So the
# early layers learn from them directly, and not through everything that follows.

# %% [markdown]
# ## 4 · What stays says what to expect
#
# Before they leave, look at both halves of level 1. They are channels of one picture:

# %%
noisy = pixels.dequantize(face, model.config.n_bits, generator)  # with noise, as it was trained
y, _ = model.levels[0].steps(noisy)  # squeeze and 12 steps of flow: (1, 12, 32, 32)
stays, leaves = y.chunk(2, dim=1)  # (1, 6, 32, 32) each
split = model.levels[0].split
mean, log_std = split.mean_and_log_std(stays)

# %%
third = [part[0, 2] for part in (stays, leaves, mean, log_std.exp())]  # channel 2 of each
whitening(
    *third,
    alt="A face in the channel that stays, and again, under much grain, in the one that leaves. The predicted mean "
    "shows it once more, without the grain; eps is only grain.",
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
print("eps is what the model gives:", torch.allclose(theirs[1], model(noisy)[0][0], atol=1e-6))

# %% [markdown]
# Nothing is lost by whitening: whoever has what stayed can ask the same network again, so
# $z = \mu + \sigma \varepsilon$. It is an affine coupling whose other half has gone. Look at more of it:


# %%
def look(level, channel):
    stays = noisy
    for l in range(int(level)):
        y, _ = model.levels[l].steps(stays)
        stays, leaves = y.chunk(2, dim=1)
    mean, log_std = model.levels[l].split.mean_and_log_std(stays)
    parts = [part[0, channel] for part in (stays, leaves, mean, log_std.exp())]
    return whitening(*parts, alt=f"Whitening at level {level}, channel {channel}: eps shows only grain.")


Live(look, Choice("level", "Level", {"1": "1", "2": "2", "3": "3"}, value="2"), Slider("channel", "Channel", 0, 5))

# %% [markdown]
# At levels 1 and 2 much can be guessed: whoever knows the colours on both sides of an edge knows much about the edge.
# At level 3 there is less to guess.

# %% [markdown]
# ### Two ways to say the same
#
# Papers write the learned prior as a density of what leaves, $\mathcal N(z; \mu, \sigma)$. We whiten, count a
# log-det, and have one prior for all, $\mathcal N(\varepsilon; 0, 1)$. Is it the same likelihood?

# %% tags=["nbval-check-output"]
from torch.distributions import Normal

white, log_det = theirs[1:]
by_density = Normal(mean, log_std.exp()).log_prob(leaves).sum()
by_whitening = Normal(0, 1).log_prob(white).sum() + log_det
print("the same:", torch.allclose(by_density, by_whitening))

# %%
from glowlab.figures.charts import against_normal

against_normal(
    {"what leaves, $z_1$": [leaves[:, 2]], "the same, whitened": [white[:, 2]]},
    alt="Histograms of channel 2 at level 1: what leaves lies beside the normal curve; whitened it follows it.",
)

# %% [markdown]
# White latents are handy: temperature, mixing and sampling treat all levels alike. At the last level nothing stays
# to guess from, so its prior is a table of means and stds (`TopPrior`), and it whitens just the same.

# %% [markdown]
# ### What is a good guess worth?
#
# Compare the learned prior with one that knows only a mean and a std for each channel, the same everywhere.
# How much likelier does it find the numbers that leave? Ask it about 64 faces:

# %%
import math


def gain(y, split):
    stays, leaves = y.chunk(2, dim=1)
    mean, log_std = split.mean_and_log_std(stays)
    learned = Normal(mean, log_std.exp()).log_prob(leaves)
    plain = Normal(leaves.mean((0, 2, 3), True), leaves.std((0, 2, 3), keepdim=True)).log_prob(leaves)
    return stays, (learned - plain).mean() / math.log(2)  # nats to bits


# %% tags=["nbval-check-output"]
stays = pixels.dequantize(faces.draw(64, seed=3).images, model.config.n_bits, generator)
for l, level in enumerate(model.levels[:-1], start=1):
    stays, bits = gain(level.steps(stays)[0], level.split)
    print(f"level {l}: {bits:.1f} bits for each number that leaves")

# %% [markdown]
# A bit is a factor of two; 0.2 bits, at level 1, are one of 1.15 for each of 6,144 numbers. (Bits are the subject of
# notebook 07.) It is no more, for the twelve steps before have guessed much already: their couplings move one half
# given the other, too.

# %% [markdown]
# ## Exercise 3 · From the list, back to the picture
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
# It helps to drag the tiles of section 3 from right to left and to write down what happens. The check uses tiny
# random flows, of two or of three levels. Once it says right, your function decodes our face (until then, the face
# itself stands there):

# %%
verdict = check.from_latents(from_latents)
mine = pixels.to_uint8(from_latents(eps, model)) if verdict else face
row(
    [face, mine],
    ["the face", f"{(mine != face).sum()} are wrong"],
    alt="The face, and the same face decoded level by level.",
    height=192,
)

# %% [markdown]
# ## 5 · What each level holds
#
# Choose a level and how far its numbers go towards new random ones (at 1 nothing of the old ones is left). On the
# way, `slerp` (spherical interpolation) mixes old and new by a sine and a cosine, so that the mixture stays standard
# normal; plain averages would be too small. Then tick the box: this level is kept, and the other three are replaced.

# %%
from glowlab.figures.rows import face_change


def replaced(level, strength, keep, again):
    fresh = latents.sample_eps(model.latent_shapes, 1, torch.Generator().manual_seed(again + 1))
    mixed = latents.slerp(eps, fresh, strength)  # on a great circle: as normal as both
    chosen = [(l == int(level)) != keep for l in range(1, L + 1)]
    changed = [new if mine else old for new, old, mine in zip(mixed, eps, chosen, strict=True)]
    words = f"level {level} kept, the others new" if keep else f"new level {level}"
    alt = f"A face, the same face with {words} as far as {strength:.2f}, and in pink where the two differ."
    return face_change(face, model.decode(changed), words, alt)


# %%
Live(
    replaced,
    Choice("level", "Level", {"1": "1", "2": "2", "3": "3", "4": "4"}, value="3"),
    Slider("strength", "How far", 0.0, 1.0, value=1.0, step=0.02, ends=("its own", "fresh")),
    CheckBox("keep", "keep this level, replace the others"),
    Button("again", "Other random numbers"),
)

# %% [markdown]
# Try level 4 with the box ticked: seven eighths of all numbers are new, and it is still the same person. With level 1
# ticked, it is somebody new every time.
#
# Next, nothing random: set levels to 0, where the normal density is highest, and add them again one after the other.

# %%
kept = [[part if l >= first else 0 * part for l, part in enumerate(eps)] for first in (4, 3, 2, 1, 0)]
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
# A blur removes fine changes and leaves coarse ones. So replace each level in 16 faces, blur the change over
# squares of 2, 4, 8 and 16 pixels, and see how much of it is left.


# %%
some = faces.draw(16, seed=3).images
eps_some, fresh = model.encode(some), latents.sample_eps(model.latent_shapes, 16, generator)


def change(level):
    changed = [new if l == level else old for l, (new, old) in enumerate(zip(fresh, eps_some, strict=True))]
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
# has its scale. (The limits are not sharp: training decides them.)

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
