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
# # 07 · Bits per dimension
#
# The log-density of a face under our flow is about 38,000. Is that good? Here it becomes a number that you can
# compare with a file on your disk. And you see two ways in which it can deceive.
#
# **After this notebook you can** turn nats into bits per dimension for any number of bits, add the noise that keeps
# a likelihood honest, recognise a flow that learned its pictures by heart, and read papers' tables.

# %% [markdown]
# **Needs.** Change of variables (01), and what a histogram is. No GPU; one fit, of a few seconds.
#
# **Minutes.** About 50 to read and 30 for the exercises; all cells run in under 30 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $D$ | how many numbers a picture has, $C H W$ | `Glow.dims` |
# | $n$ | bits of each number: it has $2^n$ values | `GlowConfig.n_bits` |
# | $\log p(x)$ | the log-density of real numbers, in nats | `Glow.log_density` |
# | $\log P(x)$ | the log-probability of pixels, in nats | `Glow.log_prob` |
# | $u$ | noise that fills a pixel's bin | `pixels.dequantize` |
# | $D \log 2^n$ | minus the log-volume of a bin | `pixels.log_bins` |
# | bits/dim | what one number of a picture costs | `pixels.bits_per_dim` |

# %% [markdown]
# ## 1 · How small can a picture get?
#
# Here is a drawn face. Raw, it takes a byte for each of its 12,288 numbers, so 8 bits per number. PNG and WebP
# make it smaller, and not one pixel is lost. Our Glow has never written a file. But it, too, can say what a
# picture costs.

# %%
import torch

import glowlite
from glowlab.checks import Prediction
from glowlab.figures.rows import row
from glowlite.data import faces

model = glowlite.load("faces64")
some = faces.draw(8, seed=7).images  # uint8 (8, 3, 64, 64)
assert some[0].numel() == model.dims == 12_288
row(some[:5], alt="Five drawn faces.")

# %%
guess = Prediction(
    "Glow has seen faces before, and PNG has not. Which share of PNG's bits does Glow need?",
    ["about a tenth", "about a quarter", "about three quarters"],
)
guess

# %% [markdown]
# For files, bits per dimension is easy: bits of the file, divided by the numbers in the picture.

# %%
import io

from PIL import Image

from glowlite import evaluation


def png_bits(picture):
    file = io.BytesIO()
    Image.fromarray(picture.permute(1, 2, 0).numpy()).save(file, "PNG", optimize=True)
    return 8 * file.tell() / picture.numel()


# %% tags=["nbval-check-output"]
ours = torch.tensor([png_bits(picture) for picture in some])
theirs = evaluation.codec_bits_per_dim(some, "png")
assert (ours - theirs).abs().max() < 1e-6
print("same as glowlite:", bool((ours - theirs).abs().max() < 1e-6))

# %%
from glowlab.figures.bits_per_dimension import price_list

prices = {"raw pixels": 8.0, "PNG": theirs.mean().item()}
prices["WebP, lossless"] = evaluation.codec_bits_per_dim(some, "webp").mean().item()
prices["Glow"] = model.bits_per_dim(some).mean().item()
price_list(prices, "Bits per dimension: raw 8, PNG less, WebP still less, Glow least.")

# %% tags=["nbval-check-output"]
share = prices["Glow"] / prices["PNG"]
guess.outcome(
    "about three quarters" if share > 0.5 else "about a quarter",
    f"It is {share:.0%}. Section 7 says why it cannot be far less.",
)

# %% [markdown]
# It is not quite a fair race. The model was trained on such faces, and whoever reads the file must have the model:

# %% tags=["nbval-check-output"]
size = 4 * sum(parameter.numel() for parameter in model.parameters()) / 1e6
print(f"the model itself: {size:.0f} MB")

# %% [markdown]
# But how can a *density* cost bits? And what does it mean that raw pixels cost 8? The rest of this notebook is
# about the last bar. It is about both ends of our map:

# %%
from glowlab.figures.glow_map import glow_map

glow_map("x", "log_det")

# %% [markdown]
# ## 2 · From histogram to density
#
# Count how often each of the 256 values occurs in 64 faces, in all pixels and colours. Divided by their sum,
# the counts are probabilities $P$. A flow gives no probabilities. It gives a density $p$ over real numbers from
# -0.5 to 0.5. Drag $n$, and watch both:

# %%
from glowlab.figures.bits_per_dimension import histogram_and_density
from glowlab.figures.live import Choice, Live, Slider

values = faces.draw(64, seed=8).images.flatten().long()
counts = values.bincount(minlength=256)  # (256,)


def merge(n_bits):
    return histogram_and_density(counts, n_bits)


Live(merge, Slider("n_bits", "Bits n", 1, 8, value=5, ends=("2 values", "256 values")))

# %% [markdown]
# With one bit more, every value becomes two, and probabilities halve. The density stays, because the bins get
# narrower, too. A bin is $1 / 2^n$ wide, so
#
# $$P = p \cdot \frac{1}{2^n} \qquad\text{and}\qquad \log P = \log p - \log 2^n.$$
#
# A picture of $D$ numbers is a point in $D$ dimensions, and its bin is a small cube:
#
# $$\log P(x) = \log p(x) - D \log 2^n.$$

# %% [markdown]
# ## 3 · The likelihood that ran away
#
# So fit a density to pixels, and make it as large as we can. Take a bell for each of the 256 values, as high as
# the value is frequent. One parameter is free: how wide the bells are.

# %%
from torch.distributions import Normal

P = counts / counts.sum()  # (256,)
middles = (torch.arange(256) + 0.5) / 256 - 0.5  # of the bins


def log_p(x, width):  # x (N,) -> log-density (N,); width in bins
    bells = Normal(middles, width / 256).log_prob(x[:, None])  # (N, 256)
    return torch.logsumexp(bells + P.log(), dim=1)


# %%
guess = Prediction(
    "Pixels sit in the middle of their bins. Narrow bells get half as wide. The mean log p at the pixel values ...",
    ["stays as it is", "grows, but less each time", "grows by log 2 each time"],
)
guess

# %% [markdown]
# Measure it twice: at the pixel values as they are, and at points spread evenly over each pixel's bin.

# %%
widths = 2.0 ** -torch.arange(-1, 8.5, 0.5)  # from 2 bins to 1/256 of one
u = (torch.arange(8) + 0.5) / 8 - 0.5  # 8 places in a bin
places = middles[:, None] + u / 256  # (256, 8)


def mean_log_p(x, width):  # x (256, ...): places for each value, which count as often as the value
    log = log_p(x.flatten(), width).view(256, -1).mean(1)
    return (P * log)[P > 0].sum()


# %%
bare = torch.stack([mean_log_p(middles, w) for w in widths])
noisy = torch.stack([mean_log_p(places, w) for w in widths])
entropy = -(P * P.log())[P > 0].sum()  # of the pixel values, in nats
ceiling = torch.log(torch.tensor(256.0)) - entropy

# %%
from glowlab.figures.bits_per_dimension import spikes


def narrow(halvings):
    return spikes(2.0**-halvings, log_p, widths, bare, noisy, ceiling)


Live(narrow, Slider("halvings", "Bells", -1.0, 8.0, value=3.0, step=0.5, ends=("wide", "narrow")))

# %% tags=["nbval-check-output"]
steps = bare.diff()[-4:]  # each for a width divided by the root of 2
doubles = (2 * steps - 0.6931).abs().max() < 0.01
guess.outcome(
    "grows by log 2 each time" if doubles else "stays as it is",
    "Half as wide is twice as high in the middle, and the pixels are there.",
)

# %% [markdown]
# Without noise, nothing ever stops it. Narrow the bells, and the density at the pixel values doubles, again
# and again, to infinity. The model learns nothing about faces by that. It only learns that pixels are whole
# numbers.
#
# With noise, narrow bells are punished: much of it falls between them, where the density is nearly 0. The dashed
# line is what the true frequencies of the values would get. No model that tells the truth about pixels is above.

# %% [markdown]
# ### A fit that falls for it
#
# Does a fit find this? Gradient ascent finds it at once. Two widths begin at half a bin; one sees bare pixels, the
# other pixels with noise.

# %%
from glowlab.figures.bits_per_dimension import fit_curves
from glowlab.figures.live import Watch

torch.manual_seed(0)
logs = [torch.tensor(-0.7, requires_grad=True) for _ in range(2)]  # log of each width, in bins
adam = torch.optim.Adam(logs, lr=0.03)
tracks = [], []
for _ in Watch(200, lambda: fit_curves(*tracks, ceiling.item(), 200)):
    v = values[torch.randint(len(values), (128,))]
    for log_width, noise, track in zip(logs, (0, 1), tracks, strict=True):
        x = middles[v] + noise * (torch.rand(128) - 0.5) / 256
        fit = log_p(x, log_width.exp()).mean()
        (-fit).backward()
        track.append(fit.item())
    adam.step()
    adam.zero_grad()

# %% [markdown]
# A deep flow does the same, and better: it has millions of parameters for it. Its training curve looks splendid, and
# means nothing.

# %% [markdown]
# ## 4 · Noise that fills the bin
#
# Why this noise? A pixel stands for its bin, and its probability is the density, averaged over the bin, times
# the bin's volume. With $u$ uniform in the bin,
#
# $$\log P(x) = \log \mathbb E_u\, p(x + u) - D \log 2^n \;\ge\; \mathbb E_u \log p(x + u) - D \log 2^n.$$

# %% [markdown]
# This is so since the mean of logs is at most the log of the mean (Jensen's inequality: the log bends downward). So
# training raises a lower bound of $\log P(x)$.
#
# How far below is it? For our bells we can compute both sides:

# %% tags=["nbval-check-output"]
for w in (1.0, 0.5, 0.25, 0.125):
    log = log_p(places.flatten(), w).view(256, 8)
    exact = (P * log.exp().mean(1).log())[P > 0].sum()  # the log of the mean over the bin
    gap = (exact - mean_log_p(places, w)).item()
    print(f"bells {w:5.3f} of a bin wide: the bound is {abs(gap):.1f} nats below")

# %% [markdown]
# For a density that is smooth inside the bins the bound is tight, and training makes it so. Other noise gives no such
# bound without a correction (the last question is about that). Here are three neighbouring pixel values, each in its
# colour, with four kinds of noise:

# %%
from glowlab.figures.bits_per_dimension import noise_histograms

value = torch.arange(3.0)[:, None]  # 0, 1, 2: each bin begins at its value
generator = torch.Generator().manual_seed(0)
even, bell = torch.rand(3, 4000, generator=generator), torch.randn(3, 4000, generator=generator)
kinds = {"none": value + 0.5 + 0 * even, "too narrow": value + even / 4}
kinds |= {"Gaussian": value + 0.5 + bell / 2, "one bin wide": value + even}
alt = "No noise: spikes. Narrow: gaps. Gaussian: neighbours overlap. One bin wide: no gap, no overlap."
noise_histograms(kinds, alt)

# %% [markdown]
# The first two leave gaps, and the density can spike again. The third reaches into the neighbours' bins, so that one
# pixel value cannot be told from the next. Uniform noise of the bin's own width covers the line once, evenly. Adding
# it is called **dequantisation**.

# %% [markdown]
# ## Exercise 1 · Dequantise
#
# Write it for any $n$. Of each pixel keep the first $n$ of its 8 bits. That leaves the whole numbers from 0 to
# $2^n - 1$. Go to a random point of the bin, and let all bins together fill the range from -0.5 to 0.5.


# %%
def dequantise(images, n_bits):  # uint8 (B, C, H, W)
    x = ...
    return x


# %% tags=["nbval-check-output"]
from glowlab.checks import bits_per_dimension as check

check.dequantise(dequantise)

# %% [markdown]
# `check.dequantise.hint()` helps, and `check.dequantise.solution()` shows a worked answer. The check draws random
# pictures and asks whether floor gives every integer back, and whether the noise fills the bins evenly.
#
# Can one see the noise? It is smaller than the smallest step of a pixel. (The package's function makes this picture,
# or yours, once the check says right.)

# %%
from glowlite import pixels

face = some[:1]
torch.manual_seed(0)
x = dequantise(face, 8) if check.dequantise(dequantise) else pixels.dequantize(face, 8)
noise = (256 * x) % 1  # what lies behind the point
row(
    [face, (256 * noise).to(torch.uint8), pixels.to_uint8(x)],
    ["pixels", "noise, 256 times as strong", "together"],
    alt="A face, the noise that is added, made visible, and the face with its noise, which looks the same.",
    height=192,
)

# %% tags=["nbval-check-output"]
print("every pixel comes back:", torch.equal(pixels.to_uint8(x), face))

# %% [markdown]
# ## 5 · Nats, bits, dimensions
#
# From a log-density there are three steps.
#
# - The volume of the bin makes a probability of the density.
# - A bit is $\log 2 = 0.693$ nats (the nat belongs to the natural logarithm). Bits are a cost, hence a minus.
# - Dividing by $D$ makes large and small pictures comparable.
#
# Here they are as scales on one ruler. The line stands at our face. Drag it, and change $D$ and $n$.

# %%
from glowlab.figures.bits_per_dimension import likelihood_ruler

with torch.no_grad():
    log_density = model.log_density(pixels.dequantize(face, 8, torch.Generator().manual_seed(0)))  # nats, (1,)


def read(nats, dims, n_bits):
    return likelihood_ruler(nats, int(dims), n_bits)


Live(
    read,
    Slider("nats", "log p(x)", -15_000, 80_000, value=round(log_density.item() / 100) * 100, step=100),
    Choice("dims", "D", {"12288": "3 × 64 × 64", "4096": "1 × 64 × 64", "3072": "3 × 32 × 32"}),
    Slider("n_bits", "Bits n", 1, 8, value=8),
)

# %% [markdown]
# Where $\log p = 0$, the density is 1 everywhere, and each of the $2^n$ values is as likely as any other. That costs
# $n$ bits per dimension, whatever $D$ is. It is the price of **knowing nothing**.
#
# Left of it is worse than nothing. At the other end $P > 1$ begins: no honest model is there, and the fit of section 3
# went there. Now forget $C$, that is, choose 1 × 64 × 64: the same nats look impossible.

# %% [markdown]
# ## Exercise 2 · Find the faults
#
# These lines end somebody's program. They run. But for a density of 1 and 5 bits the answer must be 5:

# %% tags=["nbval-check-output"]
import math


def faulty_bits_per_dim(log_density, shape, n_bits):  # nats (B,); shape is (C, H, W)
    C, H, W = shape
    D = H * W
    log_prob = log_density + D * math.log(256)
    return -log_prob / (D * math.log(2))


print(faulty_bits_per_dim(torch.zeros(1), (3, 64, 64), 5))

# %% [markdown]
# There are three faults. Write the function right, for any shape and any $n$.


# %%
def to_bits_per_dim(log_density, shape, n_bits):
    bits = ...
    return bits


# %% tags=["nbval-check-output"]
check.to_bits_per_dim(to_bits_per_dim)

# %% [markdown]
# In one line it is
#
# $$\text{bits/dim} = -\frac{\log p(x) - D \log 2^n}{D \log 2}$$
#
# and for our face:

# %% tags=["varies: the last digits depend on the processor"]
log_prob = log_density - model.dims * math.log(2**8)  # of the pixels
bits = -log_prob / math.log(2)  # of the whole picture
bits_per_dim = bits / model.dims
print(f"log p(x) = {log_density.item():9,.0f} nats")
print(f"log P(x) = {log_prob.item():9,.0f} nats")
print(f"         = {bits.item():9,.0f} bits, or {bits.item() / 8:,.0f} bytes")
print(f"         = {bits_per_dim.item():9.2f} bits per dimension")
theirs = model.bits_per_dim(face, torch.Generator().manual_seed(0))
assert (bits_per_dim - theirs).abs() < 1e-6
print("same as glowlite:", bool((bits_per_dim - theirs).abs() < 1e-6))

# %% [markdown]
# ## 6 · Fewer bits
#
# For its large faces, the paper keeps 5 bits of 8. What does that do to pictures, and to prices?

# %%
few = {n: pixels.quantize(face, n) for n in (8, 5, 3, 1)}
png = {n: evaluation.codec_bits_per_dim(picture, "png").item() for n, picture in few.items()}
row(
    list(few.values()),
    [f"$n = {n}$: {2**n} values\nPNG: {png[n]:.1f} bits/dim" for n in few],
    alt="A face with 8, 5, 3 and 1 bits: hardly a difference at 5, patches at 3, a few pure colours at 1.",
    height=192,
)

# %% [markdown]
# At 5 bits one has to look twice, and PNG needs 3 bits instead of nearly 5: the bits that were dropped are nearly
# noise, and noise is what costs. So **a number for 5 bits cannot be compared with one for 8**. Knowing nothing
# costs 5 there, and not 8. Look for $n$ beside every table.

# %% [markdown]
# Two more readings. The noise is new each time: how much does the price of a face change with it? And the paper
# reports 3.35 bits per dimension for CIFAR-10, whose pictures are 3 × 32 × 32, with 8 bits: how many bytes is that?

# %% tags=["nbval-check-output"]
prices_of_one = [model.bits_per_dim(face, torch.Generator().manual_seed(seed)) for seed in range(8)]
print("spread over 8 draws of noise below 0.01 bits:", bool(torch.cat(prices_of_one).std() < 0.01))
print(f"CIFAR-10: {3.35 * 3 * 32 * 32 / 8:,.0f} bytes a picture, instead of {3 * 32 * 32:,}")

# %% [markdown]
# ## 7 · How good can it get?
#
# A last question about the bars of section 1. Could a better model reach 1 bit per dimension? Our faces have a
# grain, like a photograph: normal noise with a standard deviation of 2 grey levels, rounded. Nobody can predict
# noise. On average over many faces, no model pays less than this noise costs:

# %% tags=["nbval-check-output"]
grain = Normal(0.0, faces.GRAIN)
edges = torch.arange(-20, 22) - 0.5
q = grain.cdf(edges).diff()  # probability of each whole number
floor = -(q * q.log2())[q > 0].sum().item()
print(f"the grain alone: {floor:.2f} bits per dimension")

# %%
values_only = {"raw pixels": 8.0, "how often values occur": entropy.item() / math.log(2)}
price_list(
    {**values_only, **prices},
    "Five bars of bits per dimension: raw, histogram, PNG, WebP, Glow. A dashed line marks the grain.",
    floor=("the grain, which nobody can guess", floor),
)

# %% [markdown]
# So nine tenths of what Glow pays are grain. All that makes a face lies in the rest: hair, skin, a smile.
# That is why a small gain in bits per dimension can mean much, and why the number says little about looks. For
# natural photographs nobody knows the floor.

# %% [markdown]
# ## 8 · Learned by heart
#
# Our faces are drawn as they are needed, so the model never sees one twice. Real pictures are few. Take two portraits
# (paintings in the public domain), cut into 32 patches of 16 by 16 pixels. A small flow learns from these patches
# alone. Now and then we ask it about patches of four *other* portraits.

# %%
from glowlab.explorers.gallery import read_portraits

portraits, names, _ = read_portraits(64)


def patches(pictures):  # (B, 3, 64, 64) -> (16 B, 3, 16, 16)
    return pictures.unfold(2, 16, 16).unfold(3, 16, 16).permute(0, 2, 3, 1, 4, 5).flatten(0, 2)


seen, unseen = patches(portraits[:2]), patches(portraits[3:7])
row([portraits[1], *seen[[20, 21, 25, 26]]], height=128, alt="A portrait, and four of its patches: eyes, nose, mouth.")

# %%
guess = Prediction(
    "The flow goes on learning from its 32 patches. What do the patches that it never sees cost?",
    ["less and less", "less, then more and more", "always the same"],
)
guess

# %%
small = glowlite.Glow(glowlite.GlowConfig((3, 16, 16), levels=2, depth=4, width=32))
generator = torch.Generator().manual_seed(0)
small.initialize(pixels.dequantize(seen, 8, generator))
adam = torch.optim.Adam(small.parameters(), lr=2e-3)
curves = {"the 32 patches it learns": [], "patches it never sees": []}
for step in range(241):
    if step % 20 == 0:
        with torch.no_grad():
            for curve, pictures in zip(curves.values(), (seen, unseen), strict=True):
                curve.append(small.bits_per_dim(pictures, torch.Generator().manual_seed(1)).mean().item())
    batch = seen[torch.randint(len(seen), (16,), generator=generator)]
    loss = -small.log_density(pixels.dequantize(batch, 8, generator)).mean() / small.dims
    adam.zero_grad()
    loss.backward()
    adam.step()

# %%
from glowlab.figures.bits_per_dimension import overfitting

overfitting(curves, every=20)

# %% tags=["nbval-check-output"]
learned, unknown = curves.values()
best = min(unknown)
guess.outcome(
    "less, then more and more" if best < unknown[0] and unknown[-1] > best + 1 else "less and less",
    "The density gathers around the 32 patches, and less and less of it is left for others.",
)
assert learned[-1] < learned[0] - 2

# %% [markdown]
# Hover over the lowest point of the second curve: after which step would you have stopped?
#
# This is **overfitting**. Maximum likelihood asks for nothing else: a density that is high at the pictures that it was
# shown. So only the price of pictures that were *not* shown tells what a model has learned. Papers report that one.
# The cures: more pictures, a smaller model, or to stop where the second curve is lowest.

# %% [markdown]
# ## Summary
#
# - $\log P = \log p - D \log 2^n$: a probability is density times the volume of a bin.
# - On bare pixels a density can grow without end.
# - Uniform noise, exactly one bin wide, makes $\log p$ a lower bound that is honest.
# - Bits/dim is $-\log P / (D \log 2)$; knowing nothing costs $n$; files compare with it.
# - Numbers compare only for the same $n$ and the same pictures, none of them used in training.

# %% [markdown]
# **A harder question.** The noise need not be uniform, if the model is told about it. Suppose that it may
# choose for each pixel how to spread in its bin, with density $q(u \mid x)$. Which term must be added to the bound,
# and which $q$ makes it tight? (This is variational dequantisation: Ho et al. (2019), *Flow++*.)

# %% [markdown]
# <details><summary>One answer</summary>
#
# $-\mathbb E_q \log q(u \mid x)$, with $u$ in bins; for uniform noise that is 0. It is tight where $p(x+u) / q$ is
# the same all over the bin: $q$ is the model's own density there, made to integrate to 1.
#
# </details>
#
# **Next.** 08, Glow, assembled: all parts in one model, trained in a few minutes.
#
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 2 and its tables of results; Theis et al. (2016),
# *A note on the evaluation of generative models*, section 3.1, for the noise and the bound.
