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
# # 10 · Temperature
#
# One number decides how bold the model's drawings are. Turn it down, and faces grow cleaner and more alike, until
# only one face is left, whatever the random numbers are. How likely is that face, and is it a good one?
#
# **After this notebook you can** say where normal draws lie in many dimensions, tell likely from typical, test for
# foreign pictures, sample with a temperature for each level, and say which density that samples from.

# %% [markdown]
# **Needs.** Many scales (06) and bits per dimension (07). No GPU, no training.
#
# **Minutes.** About 60 to read and 45 for the exercises; all cells run in under 60 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $\varepsilon$ | the white latents of all levels | `Glow.encode` |
# | $D$ | how many numbers they hold | `Glow.dims` |
# | $T$ | temperature: what $\varepsilon$ is multiplied by | `latents.scale` |
# | $\lvert\varepsilon\rvert / \sqrt D$ | effective temperature | `latents.effective_temperature` |
# | $\mu, \sigma$ | mean and std that a level's prior expects | `Split.mean_and_log_std` |
# | $p_T(x)$ | the density of samples at temperature $T$ | `Glow.sample` |

# %% [markdown]
# ## 1 · Sixteen people and a slider
#
# Choose one of these sixteen faces. Drag the temperature to 0, slowly, and back. Does it stay the same person? Then go
# beyond 1.

# %%
from glowlab.web.widgets import TemperatureExplorer

TemperatureExplorer()

# %% [markdown]
# It does. Each face has its own draw $\varepsilon$ of 12,288 normal numbers, and $T \varepsilon$ is decoded. At 0 all
# sixteen are the same face. At 0.7, the paper's choice, they are clean and different. At 1 they vary as widely as the
# model expects faces to vary.

# %%
import torch

import glowlite
from glowlab.checks import Prediction
from glowlite import latents
from glowlite.data import faces

torch.set_grad_enabled(False)  # nothing is trained in this notebook
model = glowlite.load("faces64")
eps = latents.sample_eps(model.latent_shapes, 16, torch.Generator().manual_seed(1))
drawn = faces.draw(16, seed=5).images  # by the program that the model learned from


def at(temperature):
    return model.decode([temperature * level for level in eps])  # uint8 (16, 3, 64, 64)


def middle(image):  # what is shown below: the face, without most of the background
    return image[..., 8:56, 8:56]


# %% [markdown]
# The model also judges pictures, in bits per dimension: the fewer, the likelier. (Below each picture of the next
# row stands the mean over all sixteen of its kind.)

# %%
guess = Prediction(
    "Which picture does the model find likeliest?",
    ["a drawn face, like those it learned from", "a sample at T = 1", "the one face of T = 0"],
)
guess

# %%
from glowlab.figures.rows import row

shown = {"a drawn face": drawn} | {f"T = {T:g}": at(T) for T in (1, 0.7, 0)}
bits = {name: model.bits_per_dim(images).mean().item() for name, images in shown.items()}
row(
    [middle(images[3]) for images in shown.values()],
    [f"{name}\n{bits[name]:.2f} bits/dim" for name in shown],
    alt="A drawn face, a rough sample at temperature 1, the same one cleaner at 0.7, and the mean face at 0: "
    "smooth, and average in everything.",
)

# %% tags=["nbval-check-output"]
likeliest = min(bits, key=bits.get)
guess.outcome(
    "the one face of T = 0" if likeliest == "T = 0" else "a sample at T = 1",
    f"It needs {bits['T = 0']:.2f} bits per dimension, drawn faces {bits['a drawn face']:.2f} (means of sixteen).",
)

# %% [markdown]
# Look at the likeliest one. Hair neither short nor long, skin neither light nor dark, eyes neither open nor shut: it is
# average in everything, and no person is. No draw is ever near it, yet the model finds it far likelier than the faces
# it was made for.
#
# Is the model wrong? No. To see why, look at where its draws lie, at the last box of the map (its $z$ is our
# $\varepsilon$):

# %%
from glowlab.figures.glow_map import glow_map

glow_map("z", "log_det")

# %% [markdown]
# ## 2 · Where a normal draw lies
#
# The normal density is highest in the middle, at $\varepsilon = 0$. So where are the draws?

# %%
guess = Prediction(
    "Draw 12,288 normal numbers, many times. How far from the middle are these draws?",
    [
        "most are near it, since the density is highest there",
        "anywhere, near and far",
        "all equally far, nearly",
    ],
)
guess

# %% tags=["nbval-check-output"]
generator = torch.Generator().manual_seed(0)
for D in (1, 2, 10, 100, 12_288):
    distance = torch.randn(500, D, generator=generator).norm(dim=1) / D**0.5
    inside = (distance < 0.5).float().mean()
    found = f"{distance.mean():.2f} ± {distance.std():.2f}"
    print(f"D = {D:6,}: |eps| / sqrt(D) = {found}, {inside:4.0%} below 0.5")

# %% tags=["nbval-check-output"]
guess.outcome(
    "all equally far, nearly" if distance.std() < 0.02 else "anywhere, near and far",
    "In one dimension many draws are near the middle. In 12,288 dimensions none is.",
)

# %% [markdown]
# Distances are divided by $\sqrt D$, so that they can be compared. Choose $D$, and see how the draws leave the
# middle. The direction of each dot is that of its first two numbers.

# %%
from glowlab.figures.live import Choice, Live, Slider
from glowlab.figures.temperature import density_powers, draws_in_shell, likely_and_typical


def where(dims, T):
    return draws_in_shell(int(dims), T)


Live(
    where,
    Choice("dims", "D", {"1": "1", "2": "2", "10": "10", "100": "100", "12288": "12,288"}, value="10"),
    Slider("T", "Temperature", 0.1, 1.3, value=1.0, step=0.05, ends=("calm", "wild"), rest=1.0),
)

# %% [markdown]
# Two things compete. The density of a point gets smaller outward (green). But the **room**, the volume at a distance
# $r$, gets larger, like the surface of a sphere, $r^{D-1}$ (amber). How many draws lie at a distance is the product.
#
# With many dimensions only a thin **shell** is left, at distance 1, as thick as $1 / \sqrt{2D}$. Temperature scales the
# shell: at $T$ nearly all draws are at distance $T$. So a picture's own distance is called its **effective
# temperature**.


# %%
def effective_temperature(eps):
    flat = torch.cat([level.flatten(1) for level in eps], dim=1)  # (B, D)
    return flat.norm(dim=1) / flat.shape[1] ** 0.5


# %% tags=["nbval-check-output"]
eps_drawn = model.encode(drawn)
ours, theirs = effective_temperature(eps_drawn), latents.effective_temperature(eps_drawn)
assert (ours - theirs).abs().max() < 1e-6
print("same as glowlite:", bool((ours - theirs).abs().max() < 1e-6))
print(f"drawn faces, encoded:  {ours.mean():.2f} ± {ours.std():.2f}")
print(f"eps at T = 0.7:        {effective_temperature([0.7 * level for level in eps]).mean():.2f}")
print(f"mean face, encoded:    {effective_temperature(model.encode(at(0))).mean():.2f}")

# %% [markdown]
# Faces that the model has never seen come out just below 1, very near the shell. Training aims at that. The face of
# $T = 0$, which we call the **mean face** from here on, was decoded from 0. Its pixels were then rounded to whole
# numbers, which moves it away from 0 a little. It is still close to the middle, and no drawn face is.

# %% [markdown]
# ## 3 · Likelier, and not more typical
#
# A smaller example first. Toss an unfair coin a thousand times, heads with probability 0.6. Which sequence of tosses
# is the likeliest of all?

# %% tags=["nbval-check-output"]
import math

heads, tails = math.log10(0.6), math.log10(0.4)
sequences = math.log10(math.comb(1000, 600))
print(f"1000 heads:                       10^{1000 * heads:.1f}")
print(f"one sequence with 600 heads:      10^{600 * heads + 400 * tails:.1f}")
print(f"but there are 10^{sequences:.1f} of those: 10^{600 * heads + 400 * tails + sequences:.1f} together")
about = sum(math.comb(1000, k) * 0.6**k * 0.4 ** (1000 - k) for k in range(570, 631))
print(f"all sequences with 570 to 630:    {about:.0%}")

# %% [markdown]
# All heads is the likeliest, and nobody has ever seen it. One sees sequences with about 600 heads. Each of them is
# far less likely, but there are so many that together they have nearly all the probability. They are the **typical
# set**. For normal draws it is the shell.
#
# Here are the three curves of section 2 for 12,288 dimensions, as logs. (The room is scaled so that the highest point
# of the sum is 0.) Drag from the shell to the middle:

# %%
Live(
    likely_and_typical,
    Slider("radius", "Distance", 0.05, 1.4, value=0.7, step=0.05, ends=("middle", "far"), rest=1.0),
)

# %% [markdown]
# From the shell to the middle the log-density gains $D/2 = 6{,}144$ nats, and the log of the room loses more. How
# probable is it that a draw at temperature 1 is as near to the middle as one at 0.9? The orange curve, density × room,
# is an upper bound (Chernoff's bound, a limit on the probability of rare events; here for $r < 1$):
#
# $$\log P(\lvert\varepsilon\rvert / \sqrt D \le r) \;\le\; D \left(\log r + \tfrac{1 - r^2}{2}\right)$$

# %% tags=["nbval-check-output"]
D = model.dims
for r in (0.99, 0.95, 0.9, 0.7):
    nats = D * (math.log(r) + (1 - r**2) / 2)
    print(f"at {r:.2f} or nearer: at most 10^{nats / math.log(10):.1f}")

# %% [markdown]
# So at $T = 0.7$ we do not choose the better ones of the model's faces. We look where the model itself never draws
# one. How likely does it find pictures from there? Here are samples of eight temperatures, beside the band of drawn
# faces: their mean, and one and three standard deviations to both sides.

# %%
from glowlab.figures.temperature import bits_by_temperature, quality_and_diversity
from glowlite import checkpoint

card = checkpoint.read_card(checkpoint.find("faces64"))["held_out"]  # measured on 1,000 drawn faces
temperatures = (0, 0.3, 0.5, 0.7, 0.85, 1, 1.15, 1.3)
cost = [model.bits_per_dim(at(T)).mean().item() for T in temperatures]
bits_by_temperature(temperatures, cost, (card["bits_per_dim"], card["spread"]))

# %% tags=["nbval-check-output"]
gain = cost[5] - cost[0]
away = (card["bits_per_dim"] - cost[0]) / card["spread"]
print(f"from T = 1 to T = 0: {gain:.2f} bits per dimension fewer")
print(f"of these, the normal density has D/2 nats: {0.5 / math.log(2):.2f}")
print(f"the mean face is {away:.0f} standard deviations likelier than drawn faces are")

# %% [markdown]
# The rest of the gain comes from the log-det: near the mean face the flow packs pictures a little more densely.
#
# So to find out whether a picture could be a draw, do not ask whether it is likely. Ask whether it is *as likely as
# draws are*. The curve crosses the band of drawn faces at about $T = 1$, and at 0.7 it is far below.

# %% [markdown]
# ### Foreign pictures
#
# Does this matter elsewhere? Nalisnick et al. (2019) trained Glow on the photographs of CIFAR-10, and asked it about
# house numbers (SVHN), which it had never seen. It found them *likelier* than CIFAR-10's own test pictures. House
# numbers are smoother, and smooth pictures are easy to guess.
#
# We ask our model about pictures unlike its faces. Two numbers may tell: bits, and the distance
# $\lvert\varepsilon\rvert / \sqrt D$, in which the log-det has no part.


# %%
def plain(grey):
    return torch.full((1, 3, 64, 64), grey, dtype=torch.uint8)


new = faces.draw(64, seed=7).images  # more faces that the model has never seen
grain = 2 * torch.randn(1, 3, 64, 64, generator=generator)  # like that of the drawn faces
kinds = {
    "faces": new,
    "grey": plain(128),
    "black": plain(0),
    "grainy grey": (128 + grain).round().to(torch.uint8),
    "upside down": new.flip(-2),
}

# %%
new_bits = {name: model.bits_per_dim(images) for name, images in kinds.items()}
distances = {name: effective_temperature(model.encode(images)) for name, images in kinds.items()}
row(
    [images[0] for images in kinds.values()],
    [f"{name}\n{new_bits[name].mean():.2f} bits\nat {distances[name].mean():.2f}" for name in kinds],
    alt="A face, a grey square, a black one, a grey one with grain, and a face upside down, with bits and distance.",
    height=192,
    exact=False,
)

# %% [markdown]
# Plain grey is likelier than any face, just as SVHN is for CIFAR-10. Black and grainy grey cost what faces cost: by
# bits alone they pass. Their distances, above 1.1, do not, since faces lie between 0.97 and 1.03. A face upside down is
# far away in both.

# %% [markdown]
# ## Exercise 1 · A test for foreign pictures
#
# Design a test. It gets one number for each of $N$ pictures, `values`, and the same kind of number for many pictures
# that are known to be faces, `usual`. It says True for the pictures that are foreign. At most one face in 20 may be
# called foreign, and the test must work for bits, for distances, and for any other unit.


# %%
def foreign(values, usual):  # (N,) and (M,) -> (N,), True or False
    return ...


# %% tags=["nbval-check-output"]
from glowlab.checks import temperature as check

check.foreign(foreign)

# %% [markdown]
# `check.foreign.hint()` helps, and `check.foreign.solution()` shows an answer. Once yours is right, here is what it
# finds: the share of pictures called foreign, by bits and by distance.

# %% tags=["nbval-check-output"]
if check.foreign(foreign):
    for name in kinds:
        said = [torch.as_tensor(foreign(n[name], n["faces"])).float().mean() for n in (new_bits, distances)]
        print(f"{name:12} by bits {said[0]:4.0%}, by distance {said[1]:4.0%}")

# %% [markdown]
# No such test proves that a picture is a face. It only says that the model cannot tell it from one by this number.

# %% [markdown]
# ## 4 · What does cooling do to a density?
#
# The paper says that at temperature $T$ it samples from
#
# $$p_T(x) \propto p(x)^{T^2},$$
#
# and that, with additive coupling, one gets this by multiplying the standard deviation of $p(z)$ by $T$. Let us
# compare the formula with the multiplication.

# %%
guess = Prediction(
    "Raise a normal density to the power T² with T = 0.7, and scale its area back to 1. The bell gets ...",
    ["narrower", "neither", "wider"],
)
guess

# %% tags=["nbval-check-output"]
x = torch.linspace(-12, 12, 4001, dtype=torch.float64)
log_p = -(x**2) / 2  # of the standard normal, without its constant


def width(power):
    p = (power * log_p).softmax(0)  # the power, and its area back to 1
    return (p * x**2).sum().sqrt().item()


draws = torch.randn(100_000, generator=generator)
print("   T   power T²   power 1/T²   draws times T")
for T in (0.5, 0.7, 1, 1.3):
    print(f"{T:4.1f}   {width(T**2):8.2f}   {width(1 / T**2):10.2f}   {(T * draws).std():13.2f}")

# %% tags=["nbval-check-output"]
guess.outcome(
    "wider" if width(0.49) > 1 else "narrower",
    f"It gets {width(0.49):.2f} wide. The power 1/T² makes it narrower.",
)

# %%
Live(
    density_powers,
    Slider("temperature", "Temperature", 0.5, 1.5, value=0.7, step=0.05, ends=("calm", "wild"), rest=1.0),
)

# %% [markdown]
# Multiplying by $T$ is the power $1/T^2$. The reason fits in a line: the power $a$ makes
# $-\tfrac12 a\, \varepsilon^2$ of $-\tfrac12 \varepsilon^2$, which is a bell of width $1/\sqrt a$. So for width $T$
# one needs $a = 1/T^2$:
#
# $$p_T(x) \propto p(x)^{1/T^2}$$
#
# Read as it is printed, $T = 0.7$ would make samples wilder, not calmer. The published code multiplies
# $\varepsilon$ by $T$, and so do we.

# %% [markdown]
# ## Exercise 2 · The log-density at temperature T
#
# How likely are latents among those of temperature $T$? Write $\log \mathcal N(\varepsilon;\, 0,\, T^2 I)$ in nats, one
# number for each picture. `eps` is the list of all levels, and $T$ counts for all of them.


# %%
def tempered_log_prob(eps, temperature):  # a list of (B, C, H, W), a number above 0
    log_prob = ...
    return log_prob


# %% tags=["nbval-check-output"]
check.tempered_log_prob(tempered_log_prob)

# %% [markdown]
# `check.tempered_log_prob.hint()` and `.solution()` help. Once yours is right, it says which temperature suits drawn
# faces best. Is it 1?

# %% tags=["nbval-check-output"]
if check.tempered_log_prob(tempered_log_prob):
    candidates = [0.7, 0.9, 0.99, 1.0, 1.1]
    scores = [tempered_log_prob(eps_drawn, T).mean().item() for T in candidates]
    print("drawn faces suit best T =", candidates[scores.index(max(scores))])

# %% [markdown]
# ## 5 · From $\varepsilon$ to pictures, and where it stops being exact
#
# For pictures, $\log p(x) = \log p(\varepsilon) + \log\det$. With *additive* coupling the log-det is the same for all
# pictures, a constant. Then multiplying $\varepsilon$ by $T$ samples from $p(x)^{1/T^2}$ exactly. That is why the paper
# speaks of additive coupling.
#
# Our model has *affine* coupling: its log-det differs from picture to picture. Here is the smallest flow of that kind,
# with two numbers, made by hand. `strength` 0 makes it additive.


# %%
def to_eps(x, strength):  # (..., 2) -> eps (..., 2), log_det (...)
    x_a, x_b = x.unbind(-1)
    log_s = strength * torch.tanh(2 * x_a)
    eps_b = (x_b + 0.5 * (x_a**2 - 1)) * log_s.exp()
    return torch.stack([x_a, eps_b], -1), log_s


def log_density(x, strength, T=1.0):  # of what one gets by decoding T * eps
    eps, log_det = to_eps(x, strength)
    return torch.distributions.Normal(0, T).log_prob(eps).sum(-1) + log_det


# %% [markdown]
# On a grid both are easy: the power $1/T^2$ of the density at temperature 1, and the density of $T \varepsilon$ sent
# back through the flow. Here it is affine. Make it additive, and watch the shares of both halves.

# %%
from glowlab.figures.temperature import left_right_densities

line = torch.linspace(-5, 5, 101)
grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)  # (101, 101, 2)


def both(strength, T):
    plain = log_density(grid, strength)
    logs = {
        "p(x)": plain,
        "p(x) to the power 1/T²": plain / T**2,
        "T · eps, decoded": log_density(grid, strength, T),
    }
    p = {name: log.flatten().softmax(0).view_as(log) for name, log in logs.items()}
    return left_right_densities(p, 5)


Live(
    both,
    Slider("strength", "Coupling", 0.0, 0.8, value=0.7, step=0.05, ends=("additive", "affine"), rest=0.0),
    Slider("T", "Temperature", 0.5, 1.3, value=0.7, step=0.05, ends=("calm", "wild"), rest=1.0),
)

# %% tags=["nbval-check-output"]
for strength in (0.0, 0.7):
    power = (log_density(grid, strength) / 0.7**2).flatten().softmax(0)
    scaled = log_density(grid, strength, 0.7).flatten().softmax(0)
    apart = (power - scaled).abs().sum() / 2  # the share of the one that is not in the other
    print(f"strength {strength}: {apart:3.0%} would have to move to make one density of the other")

# %% [markdown]
# Additive: the same. Affine: not the same. A power of $p$ favours places where density is high, and on the right it
# is high because the flow has squeezed points together there. Multiplying $\varepsilon$ ignores that: it leaves half
# of the draws on each side.
#
# So for Glow with affine coupling, "temperature" means what the code does, $T \varepsilon$, and no more. It is a good
# recipe. Only the formula beside it is not exact.

# %% [markdown]
# ## 6 · Scale eps, not z
#
# Before we write the sampler, one trap. Each split's prior predicts the numbers that it adds:
# $z = \mu + \sigma \varepsilon$ (notebook 06). So here $z$ is what leaves a split before it is whitened, and
# $\varepsilon$ is what we store. Temperature is about what is *not* known, so
#
# $$z = \mu + \sigma\, T \varepsilon \qquad\text{and not}\qquad z = T (\mu + \sigma \varepsilon).$$

# %%
from glowlite.pixels import to_uint8


def scaled_z(T):  # the trap: z is scaled where eps should be
    x = eps[-1][:, :0]  # nothing stays at the last level
    for level, e in zip(reversed(model.levels), reversed(eps), strict=True):
        pair = level.split.inverse(x, e)  # what stayed, and z
        pair[:, x.shape[1] :] *= T
        x = level.steps.inverse(pair)
    return to_uint8(x)


# %%
row(
    [middle(at(0)[0]), middle(scaled_z(0)[0])],
    ["$T = 0$ on eps", "$T = 0$ on $z$"],
    alt="Two mean faces. With temperature on eps it is clear; with temperature on z it is faded, in other colours.",
)

# %% [markdown]
# Scaling $z$ also shrinks $\mu$, which is knowledge: colours change, and features fade that the priors had predicted.
# Our latents are white, so `latents.scale` is safe from this. Programs that keep $z$ in their lists are not.

# %% [markdown]
# ## Exercise 3 · A temperature for every level
#
# Write the sampler. `temperature` is a number, or a list with one for each level, finest first. The model has
# `latent_shapes`, one (C, H, W) for each level, and `decode`. All random numbers come from `generator`.


# %%
def sample(model, n, temperature, generator):
    images = ...
    return images


# %% tags=["nbval-check-output"]
check.sample(sample)

# %% [markdown]
# `check.sample.hint()` and `check.sample.solution()` are there as before. The check draws some hundred pictures from a
# small random model and measures, level by level, the width of the numbers that you decoded. The next cell draws three
# faces, with 0 at level 1 and 0.9 at level 4: by your function once it is right, until then by the package's.

# %%
mine = sample if check.sample(sample) else glowlite.Glow.sample
three = mine(model, 3, [0, 0.6, 0.7, 0.9], generator=torch.Generator().manual_seed(2))
row(middle(three), alt="Three faces with a temperature for each level: different people, little detail.", exact=False)

# %% [markdown]
# ## 7 · Which level may be cooled?
#
# Level 1 holds half of all numbers, level 4 an eighth (notebook 06). Set a single level to 0 and leave the others at
# 0.7. How varied are the sixteen then? Measure by how many grey levels two pictures differ, averaged over all pairs.

# %%
guess = Prediction(
    "Which level, set to 0, makes the sixteen faces nearly the same?",
    ["level 1, with half of all numbers", "level 2", "level 3", "level 4, with an eighth"],
)
guess

# %%
from glowlab.explorers.samples import spread

cooled = {0: at(0.7)}
for l in (1, 2, 3, 4):
    cooled[l] = model.decode(latents.scale(eps, [0.0 if k == l else 0.7 for k in (1, 2, 3, 4)]))

pairs = [torch.cat([middle(cooled[l][i]) for i in (2, 5)], 1) for l in (0, 1, 4)]
row(
    pairs,
    ["all at 0.7", "level 1 at 0", "level 4 at 0"],
    alt="Two people, three times. With level 1 at 0 they are the same two, with less detail; with level 4 at 0 they "
    "have become one person.",
    height=384,
)

# %% tags=["nbval-check-output"]
varied = {l: spread(images) for l, images in cooled.items()}
for l, grey in varied.items():
    print(f"{f'level {l} at 0' if l else 'all at 0.7':14}  two of them differ by {grey:2.0f} grey levels")

# %% tags=["nbval-check-output"]
names = ["level 1, with half of all numbers", "level 2", "level 3", "level 4, with an eighth"]
guess.outcome(
    names[min((1, 2, 3, 4), key=varied.get) - 1],
    "It says whose face it is; the other levels only add detail.",
)

# %% [markdown]
# So each level may have its own temperature. Levels 1 to 3 can be cooled, and people stay nearly as varied as before.
# The variety comes from level 4, which can stay at 1. Try it in the explorer of section 1, under *Advanced*: which
# temperatures do you like best?

# %% [markdown]
# ## 8 · Quality against diversity
#
# We can measure diversity. What is quality? Not likelihood, as we saw. Here is one way. From 1,536 drawn faces take
# the 300 directions in which they differ most (their principal components). The part of a new picture that these
# directions cannot express is unlike faces.


# %%
def coarse(images):  # means of 4 x 4 pixels, since grain would hide the rest: (N, 768)
    return torch.nn.functional.avg_pool2d(images.float(), 4).flatten(1)


torch.manual_seed(0)  # for svd_lowrank
crowd = coarse(faces.draw(1536, seed=6).images)
mean = crowd.mean(0)
components = torch.svd_lowrank(crowd - mean, q=300, niter=2)[2]  # (768, 300)


def oddness(images):  # what is left over, in grey levels, mean over the pictures
    centred = coarse(images) - mean
    return (centred - centred @ components @ components.T).square().mean(1).sqrt().mean().item()


# %%
more = latents.sample_eps(model.latent_shapes, 48, torch.Generator().manual_seed(2))
samples = [model.decode(latents.scale(more, T)) for T in temperatures]
odd, varied = [oddness(images) for images in samples], [spread(images) for images in samples]
quality_and_diversity(temperatures, odd, varied, (oddness(new), spread(new)))

# %% [markdown]
# Cooler samples are cleaner and more alike: quality costs diversity. On the left the curve crosses the line of drawn
# faces below $T = 1$; at 1, samples hold more of what no face has. On the right, samples vary less than drawn faces,
# even at 1. The explorer of section 1 has both in one chart, *Quality against diversity*.

# %% tags=["nbval-check-output"]
limit = oddness(new)
clean = [T for T, images in zip(temperatures, samples, strict=True) if oddness(images) < limit]
print(f"samples are as clean as drawn faces up to T = {max(clean)}")
print(f"at T = 0.7, two samples differ {varied[3] / spread(new):.0%} as much as two drawn faces")

# %% [markdown]
# At $T = 0$ this measure finds no fault. No measure of single faces can tell that one face for everybody is too few.
# Papers often use the FID, which compares the means and covariances of two *sets* of pictures, in the features of a
# network. It depends on that network and on how many pictures there are.

# %% [markdown]
# ## 9 · Where it fails
#
# Above 1 the flow decodes latents at which training never put a face. And 0 is the mean of all latents. Is its picture
# also the mean of all pictures?

# %%
average = faces.draw(512, seed=6).images.float().mean(0).round().to(torch.uint8)
row(
    [middle(image) for image in (at(2)[2], at(0)[2], average)],
    ["T = 2", "T = 0", "average of 512"],
    alt="At temperature 2 a face that has dissolved into patches and specks; the face of temperature 0, smooth and "
    "whole; the average of 512 pictures, a blur almost without eyes.",
)

# %% [markdown]
# At 2 the face falls apart. (Its numbers stay finite, since our coupling bounds its scales. With the published
# `sigmoid` scale they may not.) The face of $T = 0$ is not the average of pictures: it has eyes and edges. Still, it is
# nobody's. This is why a half-way point between two faces needs care, which is the next notebook's subject.

# %% [markdown]
# ## Summary
#
# - In many dimensions, normal draws lie in a thin shell at effective temperature 1; $T$ scales it.
# - The middle is likelier than the shell, and no draw is there; foreign pictures may be likelier than faces.
# - $T \varepsilon$ samples from $p^{1/T^2}$, not $p^{T^2}$, and exactly so only where the log-det is constant.
# - Temperature scales $\varepsilon$, never what a prior knows.
# - A lower temperature gives cleaner pictures and less variety, most of which comes from level 4.

# %% [markdown]
# **A harder question.** The paper's model of large faces has additive coupling in every step. ActNorm and 1x1
# convolutions have a constant log-det, too. Its splits have learned priors with $\mu$ and $\sigma$. Does multiplying
# $\varepsilon$ by $T$ sample from $p(x)^{1/T^2}$ exactly there?

# %% [markdown]
# <details><summary>One answer</summary>
#
# Not quite. Whitening, $\varepsilon = (z - \mu) / \sigma$, is itself an affine coupling: what stays decides by
# how much the other half is scaled. Its log-det, $-\sum \log \sigma$, depends on the picture unless $\sigma$ is the
# same for all. With a $\mu$ that is learned and a $\sigma$ that is fixed, it would be exact.
#
# </details>
#
# **Next.** 11 · Interpolation: the way from one face to another, and how to stay on the shell.
#
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 6, where the formula is, and figure 8; Parmar et al.
# (2018), *Image Transformer*, for samples at a reduced temperature before it; Nalisnick et al. (2019), *Do deep
# generative models know what they don't know?*
