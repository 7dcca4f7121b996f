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
# # 15 · Limits
#
# A flow knows how likely every picture is. Does it know what a face is? It can bend a plane. Can it cut one? This
# notebook measures what flows cannot do, and what other models do better.
#
# **After this notebook you can** build a score for foreign pictures and judge it, say what a flow must stretch, make
# an inverse explode and cure it, and compare a flow with an autoregressive model and a VAE by numbers.

# %% [markdown]
# **Needs.** Change of variables (01), bits per dimension (07), temperature (10). No GPU.
#
# **Minutes.** About 55 to read and 45 for the exercises; all cells run in under 60 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | bits | bits per dimension by the model | `Glow.bits_per_dim` |
# | $L$ | the same by a PNG file | `codec_bits_per_dim` |
# | $\lvert\varepsilon\rvert / \sqrt D$ | distance of the latents from the middle | `latents.effective_temperature` |
# | $\log s$, $t$ | scale and shift of a coupling | `Coupling.scale_and_shift` |
# | $w$ | weight of one draw of a VAE | here |

# %% [markdown]
# ## 1 · Likelihood is not novelty
#
# Our second model, `portraits64`, learned from photographs of faces. Here is a painted face; the same, blurred; one
# flat colour; and noise. The model has never seen any of them.

# %%
import torch

import glowlite
from glowlab import foreign as others
from glowlab.checks import Prediction
from glowlab.explorers.gallery import read_portraits

torch.set_grad_enabled(False)
portraits = read_portraits(64)[0]
face = portraits[5:6]
flat = face.float().mean((2, 3), keepdim=True).byte().expand_as(face).contiguous()
noise = torch.randint(0, 256, face.shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
pictures = {"a face": face, "blurred": others.blurred(face), "one colour": flat, "noise": noise}

# %%
guess = Prediction("Which one does a model of faces find likeliest?", [*pictures])
guess

# %%
from glowlab.figures.rows import row

model = glowlite.load("portraits64")
bits = {name: model.bits_per_dim(picture).item() for name, picture in pictures.items()}
row(
    pictures.values(),
    [f"{name}\n{value:.2f} bits" for name, value in bits.items()],
    alt="A painted face, the same face blurred, its mean colour, and coloured noise, with bits per dimension.",
    height=220,
    exact=False,
)

# %% tags=["nbval-check-output"]
guess.outcome(min(bits, key=bits.get), "One colour is far likelier than the face, though no face looks like that.")

# %% [markdown]
# Notebook 10 met this with grey squares: a likely picture need not be typical. Nalisnick et al. (2019a) found it for
# Glow, PixelCNN and VAEs alike. How bad is it? `python -m benchmarks.foreign` asked both shipped models about eight
# sets of foreign pictures, 100 of each (26 portraits). Blue: held-out pictures of the model's own kind.

# %%
from glowlab.figures import limits as figures
from glowlab.figures.live import Choice, Live

record = others.load_foreign()["models"]
numbers = {name: {s: figures.as_tensors(n) for s, n in each["sets"].items()} for name, each in record.items()}


def asked(name):
    rest = {key: n["bits"] for key, n in numbers[name].items() if key not in ("usual", "own")}
    span = (0, 6) if name == "portraits64" else (2, 9)
    return figures.strips({"own": numbers[name]["own"]["bits"], **rest}, "bits per dimension", span)


Live(asked, Choice("name", "Model", {name: name for name in record}, value="portraits64"))

# %% [markdown]
# One number for each set would help. Take a face and a foreign picture at random. How often does the foreign one have
# the higher score? This is the **AUROC**: 1 tells all, 0.5 is guessing, below 0.5 the score is misleading.


# %%
def auroc(own, foreign):  # (N,), (M,)
    higher = (foreign[:, None] > own).double() + 0.5 * (foreign[:, None] == own)  # a tie counts half
    return higher.mean().item()


# %% tags=["nbval-check-output"]
own, strange = numbers["portraits64"]["own"]["bits"], numbers["portraits64"]["flat colour"]["bits"]
assert abs(auroc(own, strange) - others.auroc(own, strange)) < 1e-6
print(f"flat colour against faces, by bits: {auroc(own, strange):.2f}")

# %% [markdown]
# Four scores, made of three numbers:
#
# - **likelihood**: bits.
# - **typicality**: how far bits are from those of usual faces, on either side (Nalisnick et al. 2019b, who use it for
#   whole batches; we score single pictures).
# - **distance**: the same for $\lvert\varepsilon\rvert / \sqrt D$.
# - **less PNG**: bits less the bits $L$ of a PNG file (Serrà et al. 2020). A simple picture is cheap for everybody;
#   PNG says how cheap.

# %%
figures.area_table(record).shown()

# %% [markdown]
# Orange fields are below 0.5: those pictures look more like faces than faces do. By likelihood, blur fools both
# models. The other scores mend that. But look at the row "upside down". On drawn faces every score sees it. On
# photographs none does.
#
# Now PNG. Pictures far above the line cost the model more bits than they cost PNG:

# %%
figures.bits_against_png(record["portraits64"]["sets"], 8).shown()

# %% [markdown]
# Why is it so? Kirichenko et al. (2020) show that couplings mostly learn how neighbouring pixels go together, and
# little of what the picture shows. Neighbours go together in the same way when a photograph stands on its head.
#
# But a better model would not be enough. Le Lan and Dinh (2020) point out that a density depends on the coordinates.
# Take one normal number, and two outliers:

# %% tags=["nbval-check-output"]
import math

x = torch.tensor([0.0, 3.0, 6.0])
log_p = -(x**2) / 2 - math.log(2 * math.pi) / 2  # the true density
for name, log_det in {"x itself": 0 * x, "y with dy/dx = p(x)": log_p, "y with dy/dx = p(x)²": 2 * log_p}.items():
    print(f"{name:22} log-density", [round(value, 1) for value in (log_p - log_det).tolist()])

# %% [markdown]
# All three are perfect models of the same numbers; each $y$ is a bijection of $x$ (notebook 01). In the first the
# outlier is unlikely. In the second everything is equally likely. In the third the outlier is the likeliest. So a
# density alone never says what is foreign. Someone has to say what "unusual" means.

# %% [markdown]
# ## Exercise 1 · A score that beats likelihood
#
# Make one that beats all four. `numbers` and `usual` are dicts of "bits", "png" and "distance", one number for each
# picture; `usual` is of pictures known to be faces. Return one score for each picture in `numbers`, higher for the
# more foreign. It is judged on both models and all eight sets: the mean AUROC must be above that of each of the four,
# and none below 0.4.


# %%
def novelty(numbers, usual):
    return ...


# %% tags=["nbval-check-output"]
from glowlab.checks import limits as check

check.novelty(novelty)

# %% [markdown]
# `check.novelty.hint()` and `check.novelty.solution()` help. Is the winner now a detector of everything that is no
# face? It was made after looking at these eight sets. A ninth may pass.

# %% [markdown]
# ## 2 · Two blobs
#
# A second limit is the shape of things. Can a flow take a bell, which is in one piece, to two pieces?


# %%
def blobs(count, generator, a=2.0, s=0.25):
    side = 2 * (torch.rand(count, 1, generator=generator) < 0.5) - 1
    middle = torch.cat([side * a, torch.zeros(count, 1)], 1)
    return middle + s * torch.randn(count, 2, generator=generator)


def between(samples, a=2.0, s=0.25):  # the share of samples that is in no blob
    away = [(samples - torch.tensor([side * a, 0.0])).norm(dim=1) for side in (-1, 1)]
    return (torch.stack(away).amin(0) > 5 * s).float().mean().item()


# %%
figures.points_map(blobs(800, torch.Generator().manual_seed(3))).shown()

# %% [markdown]
# Here is a small flow in the plane: eight affine couplings, each with a small network, as in notebook 02. `bound`
# limits $\log s$, as the package does; without it, $\log s$ is free.

# %%
from torch import nn


def make_networks(seed):
    torch.manual_seed(seed)
    networks = nn.ModuleList(
        nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2)) for _ in range(8)
    )
    for network in networks:  # every coupling starts as the identity
        network[-1].weight.data.zero_()
        network[-1].bias.data.zero_()
    return networks


def scale_and_shift(seen, network, bound):
    t, h = network(seen).chunk(2, 1)
    return (bound * h.tanh() if bound else h), t  # log s, t


# %%
def forward(x, networks, bound):
    total = 0
    for network in networks:
        a, b = x.chunk(2, 1)
        log_s, t = scale_and_shift(a, network, bound)
        x, total = torch.cat([(b + t) * log_s.exp(), a], 1), total + log_s.sum(1)  # and the halves swap
    return x, total


def inverse(z, networks, bound):
    for network in reversed(networks):
        moved, a = z.chunk(2, 1)
        log_s, t = scale_and_shift(a, network, bound)
        z = torch.cat([a, moved * (-log_s).exp() - t], 1)
    return z


# %%
guess = Prediction(
    "Trained for long enough, how many of the flow's samples lie between the blobs?",
    ["none at all", "few, and never none", "always about as many as at the start"],
)
guess

# %% [markdown]
# We also measure how much the inverse, from $z$ to $x$, stretches: the largest singular value of its Jacobian, which
# is 1 over the smallest one of the forward Jacobian.


# %%
def stretch_at(x, networks, bound):
    jacobian = torch.func.vmap(torch.func.jacrev(lambda point: forward(point[None], networks, bound)[0][0]))
    return 1 / torch.linalg.svdvals(jacobian(x))[:, -1]


# %%
draws = torch.randn(4000, 2, generator=torch.Generator().manual_seed(1))
STEPS = (0, 50, 100, 200, 400, 800)


def train(bound, measure=lambda networks: None, seed=0):
    networks, generator, found = make_networks(seed), torch.Generator().manual_seed(0), []
    optimizer = torch.optim.Adam(networks.parameters(), 3e-3)
    for step in range(STEPS[-1] + 1):
        if step in STEPS:
            found.append(measure(networks))
        with torch.enable_grad():
            z, log_det = forward(blobs(256, generator), networks, bound)
            loss = (z.square().sum(1) / 2 - log_det).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(networks.parameters(), 1.0)
        optimizer.step()
    return networks, found


# %%
def measure(networks, bound=0.7):
    samples = inverse(draws, networks, bound)
    return stretch_at(samples, networks, bound).max().item(), between(samples)


calm, found = train(0.7, measure)
most, left = zip(*found, strict=True)
figures.stretching(STEPS, most, left).shown()

# %% tags=["nbval-check-output"]
guess.outcome(
    "few, and never none" if 0 < left[-1] < left[0] / 10 else "none at all",
    "The better the fit, the fewer are between, and the more the inverse must stretch.",
)

# %%
samples = inverse(draws, calm, 0.7)
figures.blobs_map(blobs(800, torch.Generator().manual_seed(3)), stretch_at(samples, calm, 0.7), samples).shown()

# %% [markdown]
# The plane of $z$ is in one piece, and a flow is continuous both ways. So its image is in one piece, too: a thread
# must join the blobs. To make the thread thin, the flow pulls a little of $z$ over a long way. Cornish et al. (2020)
# prove it in general: to come arbitrarily close to a density in two separate parts, stretching (by the flow or its
# inverse) must grow without limit.

# %% [markdown]
# ## Exercise 2 · How much must it stretch?
#
# In one dimension there is only one increasing map that turns the normal density $\varphi(z)$ into a given $p(x)$, so
# the stretch can be derived. Let $p$ be two normal blobs of equal weight, at $-a$ and $a$, each with standard
# deviation $s$. Derive $dx/dz$ at $z = 0$. (Hint: mass is kept, $\varphi(z)\,dz = p(x)\,dx$.)


# %%
def stretch(a, s):
    return ...


# %% tags=["nbval-check-output"]
check.stretch(stretch)

# %% [markdown]
# Once it is right, it says what our blobs of $a = 2$, $s = 0.25$ would need on a line, and blobs twice as wide:

# %% tags=["nbval-check-output"]
if check.stretch(stretch):
    print(*(f"s = {s}: {float(stretch(2, s)):.3g}" for s in (0.25, 0.5, 1)), sep="   ")

# %% [markdown]
# ## 3 · An inverse that explodes
#
# What is stretched is also rounded. Notebooks 05 and 13 showed errors that grow on the way back. Here we make the
# worst case, on purpose: the same flow, with $\log s$ free. On the data, it works:

# %%
wild, _ = train(None)
data = blobs(2000, torch.Generator().manual_seed(4))
loss = {name: (z.square().sum(1) / 2 - d).mean() for name, (z, d) in
        {"free": forward(data, wild, None), "bounded": forward(data, calm, 0.7)}.items()}  # fmt: skip

# %%
guess = Prediction(
    "Send a point x, ten units from the middle, to z and back, in float32. By how much is it off?",
    ["by a millionth", "by a whole unit or more", "there is no number left"],
)
guess

# %%
line = torch.linspace(-10, 10, 61)
grid = torch.stack(torch.meshgrid(line, line.flip(0), indexing="xy"), -1).view(-1, 2)


def error(networks, bound):
    back = inverse(forward(grid, networks, bound)[0], networks, bound)
    return (back - grid).abs().amax(1).view(61, 61)


errors = {"log s free": error(wild, None), "log s bounded by 0.7": error(calm, 0.7)}
figures.error_maps(errors, 10).shown()

# %% tags=["nbval-check-output"]
free, bounded = errors.values()
lost = (~free.isfinite()).float().mean()
guess.outcome(
    "there is no number left" if lost > 0.5 else "by a whole unit or more",
    "At most places of this map no number is left (black); where one is, it is often far off.",
)
print("free: off by over 1, or no number, at more than a tenth:", bool((~(free < 1)).float().mean() > 0.1))
print("bounded: off by less than 0.01 everywhere:              ", bool((bounded < 0.01).all()))

# %% [markdown]
# Near the data (the middle) both are fine. Further out, the free networks answer with large $\log s$, and eight
# couplings multiply them: $e^{\log s}$ overflows, or is 0 and divided by. Behrmann et al. (2021) call this an
# **exploding inverse**, and for flows on foreign data they advise stable layers, such as a bounded scale. Does the
# bound cost likelihood?

# %% tags=["varies: a short training whose last digits depend on the machine"]
print("loss on new points, nats:", {name: round(value.item(), 1) for name, value in loss.items()})

# %% [markdown]
# A little here. With seeds 1, 2 and 3 the bounded flow fitted as well or better (try `train(0.7, seed=1)`): chance
# decides more than the bound. And the free flow's map was black in all four.
#
# The package bounds $\log s$ by 0.7, too, and limits what a network sees (`clamp`, notebook 05). The paper's own
# scale, a sigmoid, is bounded from above only: it can shrink to nothing, and the inverse divides by that.

# %% [markdown]
# ## 4 · Beside an autoregressive model
#
# Where is one step of Glow in all this? Here:

# %%
from glowlab.figures.glow_map import glow_map

glow_map("coupling", "log_det")

# %% [markdown]
# A coupling moves half of the numbers given the other half, all at once. An **autoregressive** model guesses each
# number given *all* before it. That is the stronger guess. What does it cost?
#
# `glowlab/neighbours.py` has a small PixelCNN (van den Oord et al. 2016). `python -m benchmarks.neighbours` trained a
# small Glow on drawn faces of 16 by 16 pixels and 5 bits, then the PixelCNN until it was as likely on held-out faces.

# %%
from glowlab import neighbours
from glowlite.data import faces

flow, cnn, vae = neighbours.load_neighbours().values()
recorded = neighbours.load_record()
small = faces.draw(400, size=16, seed=3)
images = neighbours.pictures_of(neighbours.values_of(small.images))  # in 5 bits

# %% tags=["nbval-check-output"]
for name, one in recorded["rows"].items():
    print(f"{name:15} {one['parameters']:7,} weights, saw {one['images']:6,} faces: {one['bits_per_dim']:.2f} bits")

# %%
guess = Prediction(
    "Both are equally likely. To draw one face, how much longer does the PixelCNN take?",
    ["as long", "about 3 times", "over 10 times"],
)
guess

# %% [markdown]
# Here it draws one: 256 passes of its network, pixel after pixel in reading order. Every pixel waits for those before
# it.

# %%
drawn = cnn.sample(6, 16, torch.Generator().manual_seed(5))
stages = [drawn[1].clone() for _ in range(4)]
for stage, rows_done in zip(stages, (4, 8, 12, 16), strict=True):
    stage[:, rows_done:] = 160  # not drawn yet
row(
    [*stages, *drawn[2:5]],
    ["64 passes", "128", "192", "256", "", "", ""],
    alt="A face of 16 by 16 pixels that appears from the top down, finished after 256 passes; three more faces.",
    height=130,
)

# %%
figures.times(recorded["rows"]).shown()

# %% tags=["nbval-check-output"]
slower = recorded["rows"]["autoregressive"]["sample 1"] / recorded["rows"]["flow"]["sample 1"]
guess.outcome(
    "over 10 times" if slower > 10 else "about 3 times" if slower > 2 else "as long",
    "It was measured on one core, where each pass is small. Its likelihood needs one pass, as training does.",
)

# %% [markdown]
# A picture of 256 by 256 has 65,536 pixels, and the passes grow with it. The paper says it so: the time to draw with
# an autoregressive model is proportional to the number of dimensions (section 1). (Keeping old results makes each
# pass cheaper, not fewer: Ramachandran et al. 2017.)
#
# Now an edit of a given face. The flow has latents to move, as in notebook 12:

# %%
from glowlite import latents

blond = small.attributes["hair_colour"] > 0
direction = latents.mean_difference(flow.encode(images), blond)
dark = images[~blond][:4]
fair = flow.decode(latents.add(flow.encode(dark), direction, 1.0))
row(
    [*dark, *fair],
    [*["given"] * 4, *["hair + 1"] * 4],
    alt="Four faces with dark hair, and the same four after an edit: their hair is lighter.",
    height=120,
)

# %% [markdown]
# The PixelCNN has no such latents. What it does easily: keep the first rows of a face, and draw the rest anew.

# %%
kept = dark[:1].expand(5, -1, -1, -1).contiguous()
redrawn = cnn.decode(torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(2)), kept, rows=7)
row(
    [dark[0], *redrawn],
    ["given", *["below: anew"] * 5],
    alt="A face, and five whose upper seven rows are those of the face; mouths, beards and clothes below differ.",
    height=130,
)

# %% [markdown]
# Is that fair? It draws from random numbers, and these can be found again: each value stands for an interval of noise
# (`PixelCNN.encode`). So the benchmark took that noise for latents, moved it by the same difference of means, and
# drew again. Attributes were read by a linear regression from pixels.

# %%
guess = Prediction(
    "Moved by its noise, the PixelCNN's hair colour goes ...",
    ["nowhere", "most of the way, and little else changes", "most of the way, and much else changes, too"],
)
guess

# %%
figures.edits(recorded["edit"]).shown()

# %% tags=["nbval-check-output"]
moved, else_flow = recorded["edit"]["autoregressive"], recorded["edit"]["flow"]["others"]
much = "much else changes, too" if moved["others"] > 2 * else_flow else "little else changes"
guess.outcome(
    f"most of the way, and {much}" if moved["moved"] > 0.5 else "nowhere",
    f"All else moved {moved['others'] / else_flow:.1f} times as far as by the flow's latents.",
)

# %% [markdown]
# A share of 1 is the whole way from dark to blond. So there *is* something to move. But a pixel's noise says only
# what the pixels before it did not. Change an early one, and all later pixels mean something else: the face changes
# with the hair. And each edit takes 256 passes. The paper puts it more strictly: hidden layers of autoregressive
# models have unknown marginal distributions, so valid manipulations are much more difficult (section 1).

# %% [markdown]
# ## 5 · A bound, and a number
#
# A **variational autoencoder** (VAE; Kingma and Welling 2013) draws a short $z$ and decodes it. A picture's
# probability is a mean over *all* $z$, which nobody can compute. An encoder guesses which $z$ matter, as $q(z \mid
# x)$, and each draw gets a weight
#
# $$w = \frac{p(x \mid z)\, p(z)}{q(z \mid x)}, \qquad z \sim q(z \mid x)$$
#
# Its mean is $p(x)$. The mean of $\log w$ is less: the **lower bound** (ELBO) that is trained.


# %%
def log_weights(images, K):  # (K, B), nats
    generator = torch.Generator().manual_seed(0)
    parts = (vae.terms(images, generator) for _ in range(K))
    return torch.stack([said + prior - guessed for said, prior, guessed in parts])


log_w = log_weights(images[:64], 50)

# %% [markdown]
# ## Exercise 3 · Find the fault
#
# With $K$ draws the log of the *mean* weight is a better bound (Burda et al. 2015), and with $K \to \infty$ it
# reaches $\log p(x)$. Somebody wrote it like this. It runs, and gives a bound, but more draws do not help. Mend it.
#
# ```python
# def importance_bound(log_w):  # (K, B)
#     return log_w.mean(0)  # (B,)
# ```


# %%
def importance_bound(log_w):  # (K, B) -> (B,), nats
    return ...


# %% tags=["nbval-check-output"]
verdict = check.importance_bound(importance_bound)
verdict

# %% [markdown]
# Until yours is right, the next cell uses a stand-in.

# %% tags=["nbval-check-output"]
bound = importance_bound if verdict else check.importance_bound.answer()
gains = [(bound(log_w[:K]) - log_w.mean(0)).mean().item() for K in (1, 5, 50)]
print("below we use:", "your own" if verdict else "a stand-in")
print("50 draws are better than 5, and 5 than the bound of one:", gains[2] > gains[1] > 0)

# %%
figures.bound_curves(recorded["bounds"], recorded["flow_noises"]).shown()

# %% [markdown]
# With a thousand draws the VAE's number still improves. How far is it from the truth? Nobody knows: that is what
# "only a bound" means. The flow's density is exact with no draws at all.
#
# One thing must be said. The *probability of pixels* is a bound for the flow, too: it comes from noise in each
# pixel's bin (notebook 07). Its line shows how much more noises gain. The PixelCNN alone gives pixels an exact
# probability.

# %% [markdown]
# And "latents only approximately": encode faces and decode them again.

# %% tags=["nbval-check-output"]
off = {"flow": flow.decode(flow.encode(images)), "VAE": vae.decode(vae.guess(images)[0])}
for name, again in off.items():
    print(f"{name}: pixels that differ {(again != images).float().mean():.0%}")

# %%
row(
    [*images[:4], *off["VAE"][:4]],
    [*["given"] * 4, *["and back"] * 4],
    alt="Four faces, and what the VAE's decoder makes of their latents: alike, smoother, details differ.",
    height=120,
)

# %% [markdown]
# ## 6 · Who is good at what
#
# Each cell is shown in this course, or has its source.
#
# | | likelihood | a sample | latents of a picture | samples look |
# |---|---|---|---|---|
# | GAN | none | one pass | none (paper, section 1) | sharp (Karras et al. 2019) |
# | VAE | a bound (section 5) | one pass (4) | approximate (5) | smooth (5) |
# | autoregressive | exact, one pass (4) | a pass for each pixel (4) | its noise, one pass (4) | good if small (4) |
# | flow | exact density (notebook 07) | one pass (4) | exact (notebook 05) | rough at $T = 1$ (notebook 10) |
# | diffusion | a bound (Ho et al. 2020) | many passes (Ho et al.) | by an ODE (Song et al. 2021) | sharp (Ho et al.) |

# %% [markdown]
# Two more rows of merits for flows: edits of real pictures ([12](12_attributes.ipynb)), and training memory that does
# not grow with depth ([13](13_constant_memory.ipynb)). Two against them: no number may be dropped on the way, so
# flows are large; and sections 1 to 3.

# %% [markdown]
# ## Summary
#
# - Likelihood is no measure of novelty: flat colours and blur can be likelier than faces.
# - Better scores ask what is unusual, in several numbers. Each has blind spots.
# - What is in one piece stays so: a thread joins two blobs, and the inverse stretches.
# - A free scale explodes away from the data; a bounded one does not.
# - Autoregressive: as likely, slow to draw, hard to edit. VAE: a bound, and approximate latents.

# %% [markdown]
# **A harder question.** A flow could start from another base than one normal: two of them, a mixture. Would that cure
# the thread of section 2? And what would it do to interpolation?
#
# <details><summary>One answer</summary>
#
# With one base blob for each data blob, nothing has to be pulled apart, and the thread is as thin as the gap in the
# base. But somebody must know how many blobs there are, and a straight line between pictures of two blobs now passes
# through latents that the model never draws. For faces there seem to be no gaps: interpolations in notebook 11 stay
# faces.
#
# </details>

# %% [markdown]
# **Next.** 15b, Directions: what came after Glow, and where else flows can go.

# %% [markdown]
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 1. Nalisnick et al. (2019a), *Do deep generative
# models know what they don't know?* Nalisnick et al. (2019b), *Detecting out-of-distribution inputs using
# typicality*. Serrà et al. (2020), *Input complexity*. Kirichenko et al. (2020), *Why normalizing flows fail*. Le Lan
# and Dinh (2020), *Perfect density models*. Cornish et al. (2020), *Relaxing bijectivity constraints*. Behrmann et
# al. (2021), *Exploding inverses*. Burda et al. (2015), *Importance weighted autoencoders*.
