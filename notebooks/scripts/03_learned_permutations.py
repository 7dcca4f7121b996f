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
# # 03 · Learned permutations
#
# A coupling layer moves one half of the channels and leaves the other half as it is. So between couplings they
# must change places, or *seats*. One can reverse their order, or shuffle it. Glow learns a better way.
#
# **After this notebook you can** say what reversing, shuffling and a 1x1 convolution do between couplings, write
# that convolution with its log-det and its inverse, and read figure 3 of the paper.

# %% [markdown]
# **Needs.** Notebooks 01 (log-det) and 02 (coupling), and the product of a matrix and a vector.
#
# **Minutes.** About 50 to read and 45 for the exercises; all cells run in under 60 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $C$ | how many channels a picture has | `GlowConfig.shape` |
# | $h, w$ | its height and width in pixels | `GlowConfig.shape` |
# | $W$ | the matrix that mixes channels, $C \times C$ | `InvertibleConv1x1.matrix` |
# | $\log\lvert\det W\rvert$ | how much $W$ stretches volume, in nats | `InvertibleConv1x1.log_abs_det` |
# | $K$ | how many steps of flow follow one another | `GlowConfig.depth` |

# %% [markdown]
# ## 1 · Who never moved?
#
# Every step of Glow has three parts. Today it is the one in the middle, which sits between the couplings and
# looks as if it did little.

# %%
import torch

from glowlab.figures.glow_map import glow_map

glow_map("mixing")

# %% [markdown]
# Take it out, and see what is lost. We follow eight channels through eight couplings, with something between them
# or with nothing.


# %%
from glowlab.figures import learned_permutations as figures
from glowlite.flows import Chain, Coupling
from glowlite.flows.mixing import Permutation, make_mixing


def build(kind, steps=8):
    generator, layers = torch.Generator().manual_seed(4), []
    for _ in range(steps):
        stay = kind == "none"
        layers.append(Permutation(torch.arange(8)) if stay else make_mixing(kind, 8, generator))
        layers.append(Coupling(8, 16, "additive"))
    return Chain(*layers).double()


# %% [markdown]
# Who moved? The Jacobian knows: a row with a single 1 and zeros everywhere else, at every $x$, is a channel that
# sits there as it came.

# %%
x = torch.randn(16, 8, 1, 1, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
x.requires_grad_()


def jacobian(z):  # (16, 8, 8): dz_i / dx_j at each of 16 points
    rows = [torch.autograd.grad(z[:, i].sum(), x, retain_graph=True)[0] for i in range(8)]
    return torch.stack(rows, 1)[..., 0, 0]


# %%
journeys, mixings = {}, {}
for kind in ("none", "reverse", "shuffle", "lu"):  # lu is the 1x1 convolution
    flow = figures.perturb_couplings(build(kind), x)  # a fresh coupling does nothing yet: move its weights
    between = flow(x, keep=True)[2]
    journeys[kind] = [jacobian(z) for z in between[::2]]
    mixings[kind] = [mixing(torch.eye(8).double())[0].T for mixing in flow.flows[::2]]

# %%
figures.seat_chart(journeys["none"], mixings["none"], 8, "none").shown()

# %% [markdown]
# Grey with a number: a channel of $x$, just as it came. Blue: moved. On the right, the pattern of the Jacobian. Even
# after eight steps, channels 0 to 3 have not moved at all, and above the diagonal all stays 0, as in notebook 02.

# %% [markdown]
# So the channels must change seats between couplings. There are three ways:
#
# - **reverse**: the last becomes the first;
# - **shuffle**: draw an order for each step once, and keep it;
# - **1x1 convolution**: let every seat take a blend of all channels.

# %%
from glowlab.checks import Prediction

guess = Prediction(
    "Which of the three needs most steps until couplings have moved all seats?",
    ["reverse", "shuffle", "1x1 conv"],
)
guess

# %% [markdown]
# Move through the steps, and change what lies between the couplings. Light blue, which only the third will show,
# is a blend of channels by fixed numbers, which no coupling has moved yet.

# %%
from glowlab.figures.live import Choice, Live, Slider, Watch


def who_moved(step, kind):
    return figures.seat_chart(journeys[kind], mixings[kind], step, kind)


Live(
    who_moved,
    Slider("step", "Steps", 0, 8, value=4, buttons=True),
    Choice("kind", "Between couplings", figures.NAMES, value="shuffle"),
)

# %% tags=["nbval-check-output"]
needed = {}
for kind in ("reverse", "shuffle", "lu"):
    needed[kind] = [figures.count_unmoved(J) for J in journeys[kind]].index(0)
    print(f"{figures.NAMES[kind]:9} {needed[kind]} steps")

# %% tags=["nbval-check-output"]
slowest = max(needed, key=needed.get)
guess.outcome(
    {"lu": "1x1 conv"}.get(slowest, slowest),
    "Each shuffle moves about half of those that are left, so some wait long; reversing needs no luck.",
)

# %% [markdown]
# Were these shuffles unlucky? No: of eight channels a shuffle needs 4.7 steps in the mean, and two only in one
# of about a hundred draws. Reversing needs two, always, and so does the 1x1 convolution. So why would anybody
# prefer a shuffle to reversing?

# %% [markdown]
# ## 2 · Who met whom?
#
# Because to have moved is not enough. In a coupling, the first half decides how the other half moves: it *speaks*.
# Two channels that always sit in the *same* half never tell each other anything directly. Let us count, for
# each pair, how often they sat in different halves.

# %% [markdown]
# In a blend, a channel sits in many seats, with a share of it in each. Which share? The squares in a column of a
# rotation add up to 1, so they are shares.


# %%
def meetings(kind):
    R, met = torch.eye(8).double(), torch.zeros(8, 8).double()
    for mixing in mixings[kind]:
        R = mixing @ R  # row i: which channels seat i holds, couplings left aside
        speaks = (R[:4] ** 2).sum(0)  # the share of each channel in the first half, which speaks
        met += torch.outer(speaks, 1 - speaks) + torch.outer(1 - speaks, speaks)
    return met.detach()


# %%
figures.meeting_maps({kind: meetings(kind) for kind in ("reverse", "shuffle", "lu")}, steps=8).shown()

# %% [markdown]
# The stronger the colour, the more often the two met. With reversing, the same four always sit together, however
# many steps one adds. A shuffle brings all pairs together sooner or later. With a 1x1 convolution, one share of
# each channel speaks while the rest of it is moved: it even meets itself.
#
# Does that matter for pictures? Look at where squeeze (notebook 06: each block of 2 by 2 pixels becomes four
# channels for each colour) puts the colours of four neighbouring pixels:

# %% tags=["nbval-check-output"]
from glowlite.flows import Squeeze

colours = torch.tensor([0.0, 1, 2]).view(1, 3, 1, 1).expand(1, 3, 2, 2)  # R, G, B in 2 x 2 pixels
channels = Squeeze()(colours)[0].flatten().int().tolist()
names = "".join("RGB"[i] for i in channels)
print("speak:", " ".join(names[:6]), "   are moved:", " ".join(names[6:]))

# %% [markdown]
# The four reds sit together. Neighbouring reds are nearly equal, so they would have most to tell each other. With
# reversing they can do so only through greens and blues. Remember this for section 6.

# %% [markdown]
# ## 3 · A permutation is a matrix
#
# Reversing and shuffling only move numbers from seat to seat. A matrix can do that: a single 1 in each row and
# column, zeros elsewhere. And a matrix can do more. Here the three channels are red, green and blue, and every
# pixel's three numbers are multiplied by the same $W$.


# %%
def mix_slowly(x, W):
    z = torch.empty_like(x)
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            z[:, :, i, j] = x[:, :, i, j] @ W.T  # W times the C numbers of this pixel
    return z


# %%
from glowlite import pixels
from glowlite.data import faces
from glowlite.flows.mixing import random_rotation

face = faces.draw(1, seed=2).images  # uint8 (1, 3, 64, 64)
x_face = pixels.to_float(face)
swap = torch.eye(3)[[2, 1, 0]]  # red and blue change seats
rotation = random_rotation(3, torch.Generator().manual_seed(1))
any_matrix = torch.tensor([[1.2, -0.5, 0.0], [0.3, 0.6, 0.1], [0.0, -0.7, 1.5]])

# %%
from glowlab.figures.rows import row

row(
    [face, *(pixels.to_uint8(mix_slowly(x_face, W)) for W in (swap, rotation, any_matrix))],
    ["as it is", "a permutation", "a rotation", "any matrix"],
    alt="A face in its own colours, with red and blue swapped, with rotated colours, with stronger colours.",
)

# %% [markdown]
# This is a convolution whose kernel covers one pixel: the **invertible 1x1 convolution**. Nothing says that its
# entries must be 0 and 1. They are numbers like any other weight, so training can choose them, as long as $W$
# has an inverse.

# %% [markdown]
# ## Exercise 1 · Every pixel at once
#
# `mix_slowly` visits pixel after pixel. Write `mix` without a loop over pixels, for $x$ of shape $(B, C, h, w)$ and
# $W$ of shape $(C, C)$.


# %%
def mix(x, W):
    return ...  # z, of the same shape as x


# %% tags=["nbval-check-output"]
from glowlab.checks import learned_permutations as check

check.mix(mix)

# %% [markdown]
# Stuck? `check.mix.hint()` helps, more than once if need be, and `check.mix.solution()` shows an answer, and the
# package's own lines. In the package the layer is `InvertibleConv1x1`, and $W$ is its weight:

# %% tags=["nbval-check-output"]
from glowlite.flows import InvertibleConv1x1

layer = InvertibleConv1x1(3, torch.Generator().manual_seed(1)).double()
z, _ = layer(x_face.double())  # and its log-det, to which we come soon
same = torch.allclose(mix_slowly(x_face.double(), layer.weight), z, atol=1e-6)
print("same as glowlite:", same)
assert same

# %% [markdown]
# ## 4 · How much volume?
#
# A flow must account for every stretch. Say that at one pixel $W$ stretches volume by $\log|\det W| = 0.1$. Our
# picture has 8 by 8 pixels and 3 channels.

# %%
guess = Prediction(
    "What is the log-det of the whole picture?",
    ["0.1", "0.8", "6.4", "19.2"],
)
guess

# %% [markdown]
# Ask autograd for the Jacobian of the whole picture. Let the numbers stand pixel by pixel: first the three of
# the first pixel, then those of the second, and so on.


# %%
def whole_jacobian(layer, side):
    def flat(numbers):
        x = numbers.view(1, side, side, 3).permute(0, 3, 1, 2)  # (1, 3, side, side)
        return layer(x)[0].permute(0, 2, 3, 1).flatten()

    return torch.autograd.functional.jacobian(flat, torch.rand(3 * side**2).double())


# %%
longer = torch.tensor(0.1 / 3).exp()  # in each of three directions, so that log |det W| = 0.1
layer.weight.data = (longer * rotation).double()
figures.jacobian_blocks(
    whole_jacobian(layer, 2),
    3,
    "The 12 by 12 Jacobian of a picture of 2 by 2 pixels: four equal blocks of 3 by 3 on the diagonal, one for "
    "each pixel, and zeros everywhere else.",
).shown()

# %% [markdown]
# Four pixels, four times the same block, and zeros elsewhere, because no pixel hears of another. A determinant
# of blocks is the product of their determinants. And for 8 by 8 pixels:

# %% tags=["nbval-check-output"]
J = whole_jacobian(layer, 8)
total = torch.linalg.slogdet(J)[1].item()
print(f"Jacobian: {len(J)} x {len(J)},  log |det J| = {total:.1f}")

# %% tags=["nbval-check-output"]
guess.outcome(f"{total:.1f}", "Each of the 64 pixels stretches by 0.1, and logs of products add up.")

# %% [markdown]
# ## Exercise 2 · The log-det
#
# Write it without the large Jacobian: from $W$ and the shape of $x$ alone, and for any sign of $\det W$. One
# number for each picture of the batch, so shape $(B,)$. $W$ will be trained through it, so its gradient must stay:
# no `.item()`.


# %%
def log_det(x, W):
    return ...  # (B,), in nats


# %% tags=["nbval-check-output"]
check.log_det(log_det)

# %% [markdown]
# `check.log_det.hint()` and `check.log_det.solution()` are there as before. The package against the large
# Jacobian:

# %% tags=["nbval-check-output"]
_, theirs = layer(torch.rand(2, 3, 8, 8).double())
same = torch.allclose(theirs, torch.full((2,), total).double(), atol=1e-6)
print("same as glowlite:", same)
assert same

# %% [markdown]
# ## Exercise 3 · The hidden matrix
#
# To decode, the colours must come back. Somewhere there is a matrix that undoes $W$. It looks nothing like $W$, and
# yet the two multiply to the identity:

# %%
undo = torch.linalg.inv(any_matrix)
figures.matrix_maps(
    [
        ("any matrix W", any_matrix),
        ("its inverse", undo),
        ("their product", (undo @ any_matrix).round(decimals=4)),
    ],
    "Three matrices with their numbers: any matrix W, its inverse, and their product, which is the identity.",
).shown()

# %% [markdown]
# But what if nobody shows you $W$? Design an experiment. `layer(x)` multiplies every pixel by a $W$ that you cannot
# see; you may call it with any pictures $(B, C, h, w)$ you like. Write `unmix`: from $z$ and `layer`, it gives the
# $x$ with `layer(x)` equal to $z$.


# %%
def unmix(z, layer):
    return ...  # x, of the same shape as z


# %% tags=["nbval-check-output"]
check.unmix(unmix)

# %% [markdown]
# Right? Then the third face below is made by your function, else by a stand-in that is told $W$.


# %%
def hidden(x):
    return mix_slowly(x, any_matrix)


z = hidden(x_face)
yours = check.unmix(unmix) and check.mix(mix)
back = unmix(z, hidden) if yours else mix_slowly(z, any_matrix.inverse())
row(
    [face, pixels.to_uint8(z), pixels.to_uint8(back)],
    ["x", "z", "by your unmix" if yours else "by a stand-in"],
    arrows=["layer", "unmix"],
    alt="A face, the face in the stronger colours that any matrix gave it, and the first face again.",
)

# %% tags=["nbval-check-output"]
print("numbers that differ:", (pixels.to_uint8(back) != face).sum().item())

# %% [markdown]
# ## 5 · On the way from a rotation to a permutation
#
# How does a learned matrix start? Glow draws a random rotation. Like a permutation, it keeps volume, and its
# log-det is 0. Is a permutation a rotation, then? For three channels there are six of them:

# %%
from itertools import permutations

six = [torch.eye(3)[list(order)] for order in permutations(range(3))]
dets = [round(torch.linalg.det(P).item()) for P in six]
figures.matrix_maps(
    [(f"det = {det:+d}".replace("-", "−"), P) for det, P in zip(dets, six, strict=True)],
    f"The six permutation matrices of three channels; their determinants are {dets}.",
    form="{:.0f}",
    height=160,
).shown()

# %% [markdown]
# Three are. The others have determinant $-1$, like a mirror. Take one of each kind, and walk there from a
# rotation $Q$. To the first we can *turn* evenly, or go in a *straight line*, number by number. To the mirror
# no turn leads, so there we go straight.
#
# (`log_of_rotation` finds the turn from $Q$ to the end, and `matrix_exp` makes a share of it.)

# %%
Q = random_rotation(3, torch.Generator().manual_seed(1)).double()
Q = Q * torch.linalg.det(Q).sign()  # for three channels, -Q has the other sign
ends = {"turn": torch.eye(3)[[1, 2, 0]].double(), "mirror": torch.eye(3)[[2, 1, 0]].double()}
ends["straight"] = ends["turn"]
whole_turn = figures.log_of_rotation(Q.T @ ends["turn"])  # Q exp(whole_turn) is the permutation


# %%
def W_at(way, path):
    if way > 1:  # past the permutation: stretch its rows
        return torch.exp((way - 1) * torch.tensor([0.5, 0.3, 0.1]).double())[:, None] * ends[path]
    if path == "turn":
        return Q @ torch.matrix_exp(way * whole_turn)
    return (1 - way) * Q + way * ends[path]


# %%
paths = {"turn": "by turning", "straight": "in a straight line", "mirror": "straight to a mirror"}
steps = torch.linspace(0, 2, 201).tolist()
curves = {path: [torch.linalg.slogdet(W_at(way, path))[1] for way in steps] for path in ends}


def on_the_way(way, path):
    layer.weight.data.copy_(W_at(way, path))
    with torch.no_grad():
        coloured = pixels.to_uint8(layer(x_face.double())[0])
    return figures.matrix_on_path(layer.weight, way, (steps, curves[path]), coloured, paths[path])


# %%
Live(
    on_the_way,
    Slider("way", "Along the way", 0.0, 2.0, value=0.4, step=0.02, ends=("rotation", "beyond")),
    Choice("path", "How", paths),
)

# %% [markdown]
# Turning, every $W$ on the way is a rotation, and the log-det stays at 0. In a straight line volume shrinks and
# comes back. Past the permutation the rows are stretched, and the log-det leaves 0 for good.
#
# Now walk *straight to a mirror*. From $\det = 1$ to $\det = -1$ every path goes through 0, and there $W$ has no
# inverse.

# %% tags=["nbval-check-output"]
for path in ("turn", "straight", "mirror"):
    lowest = round(min(curves[path]).item(), 2) + 0.0
    print(f"{path:9} lowest log-det:", lowest if lowest > -9 else "minus infinity")

# %% [markdown]
# So a $W$ that is trained by small steps keeps the sign of its determinant. That costs nothing: minus signs do
# not hinder a coupling. It may leave the rotations, though. The log-det counts every stretch.

# %% [markdown]
# ## 6 · A race
#
# Which of the three is best? Train them, on the smallest picture there is: 2 by 2 pixels of a drawn face, which
# squeeze turns into the 12 channels of section 2, at a single place.


# %%
def patches(count, seed):
    generator = torch.Generator().manual_seed(seed)
    x = pixels.dequantize(faces.draw(64, size=32, seed=seed).images, 8, generator)
    x = Squeeze()(x)[0].permute(0, 2, 3, 1).reshape(-1, 12, 1, 1)
    return x[torch.randperm(len(x), generator=generator)[:count]]


train, held_out = patches(16_000, seed=1), patches(1_000, seed=2)

# %% [markdown]
# Four steps of flow, each ActNorm (notebook 05), a way to mix, and a coupling. The score is in bits per
# dimension, which you know from notebook 00: how many bits one number takes. Lower is better, and 8 is what it
# takes without a model. (Notebook 07 derives the two lines that compute it.)

# %%
from glowlite import GlowConfig
from glowlite.flows.multiscale import standard_normal_log_prob
from glowlite.glow import FlowStep


def bits(flow, x):
    z, total = flow(x)
    log_p = standard_normal_log_prob(z) + total - pixels.log_bins(12, 8)
    return pixels.bits_per_dim(log_p, 12).mean()


def new_flow(permutation, coupling, seed):
    torch.manual_seed(seed)
    config = GlowConfig(permutation=permutation, coupling=coupling)
    return Chain(*[FlowStep(12, 16, config) for _ in range(4)])


# %%
def one_run(permutation, coupling, seed):
    run = {"permutation": permutation, "coupling": coupling, "seed": seed, "images": [], "bits_per_dim": []}
    flow, generator = new_flow(permutation, coupling, seed), torch.Generator().manual_seed(seed)
    flow(train[:1024])  # ActNorm looks at its data
    optimizer = torch.optim.Adam(flow.parameters(), lr=5e-3)
    for step in range(1, 81):
        batch = train[torch.randint(len(train), (128,), generator=generator)]
        optimizer.zero_grad()
        bits(flow, batch).backward()
        optimizer.step()
        if step % 10 == 0:
            with torch.no_grad():
                run["bits_per_dim"].append(bits(flow, held_out).item())
            run["images"].append(128 * step)
    return run


# %%
guess = Prediction(
    "Same data, same batches, same number of steps. Which ends last, with the most bits?",
    ["reverse", "shuffle", "1x1 conv"],
)
guess

# %% [markdown]
# Three ways to mix, two kinds of coupling, three seeds: 18 runs of 80 steps.

# %%
kinds = [(c, p) for c in ("additive", "affine") for p in ("reverse", "shuffle", "lu")]
runs = []
for i in Watch(18, lambda: figures.run_curves(runs, 10_240, (5.2, 6.8), "patches seen"), what="runs"):
    coupling, permutation = kinds[i % 6]
    runs.append(one_run(permutation, coupling, seed=i // 6))

# %% tags=["nbval-check-output"]
last = {(r["coupling"], r["seed"], r["permutation"]): r["bits_per_dim"][-1] for r in runs}
for coupling in ("additive", "affine"):
    won = sum(min(("reverse", "shuffle", "lu"), key=lambda p: last[coupling, seed, p]) == "lu" for seed in range(3))
    print(f"{coupling}: the 1x1 convolution is lowest for {won} of 3 seeds")

# %% tags=["nbval-check-output"]
means = figures.final_bits(runs)
worst = max(("reverse", "shuffle", "lu"), key=lambda p: sum(means[c, p][0] for c in ("additive", "affine")))
guess.outcome(
    {"lu": "1x1 conv"}.get(worst, worst),
    "With reversing all have moved early, but the same channels always sit together.",
)

# %% [markdown]
# Thin lines are single seeds, thick ones their means. (Hover over a line to read it. Drag a box to zoom in, and
# double-click to go back. A click on a name hides its lines.) Shuffling becomes better than reversing, though by little
# where the coupling is additive. The learned matrix is better than both from the start: a blend lets the four
# reds speak and be moved at once.

# %% [markdown]
# ## 7 · The race on pictures
#
# Two by two pixels are not a picture. So the same race was run with whole Glows on small photographs, those of
# CIFAR-10 (Krizhevsky, 2009), and recorded. This is the command, and these are its settings:

# %% tags=["nbval-check-output"]
record = figures.load_runs()
settings = record["settings"]
print(record["command"])
print("K = {depth}, L = {levels}, width {width}, data: {data}".format(**settings))
print(f"each run saw {settings['images']:,} of {record['pictures']['training']:,} pictures, once")
print(f"measured on {record['pictures']['measured_on']} others")

# %%
figures.run_curves(record["runs"], settings["images"], (4.0, 6.5))

# %% tags=["nbval-check-output"]
print("coupling  between   bits/dim, mean and standard deviation over 3 seeds")
for line in record["summary"]:
    kind = figures.NAMES[line["permutation"]]
    print(f"{line['coupling']:9} {kind:9} {line['mean']:.3f}  {line['spread']:.3f}")

# %% [markdown]
# Is that order luck? Then a lucky run of one kind would overtake an unlucky run of the next:


# %% tags=["nbval-check-output"]
def finals(coupling, permutation):
    kind = {"coupling": coupling, "permutation": permutation}
    return [run["bits_per_dim"][-1] for run in record["runs"] if kind.items() <= run.items()]


for c in ("additive", "affine"):
    print(f"{c}: worst 1x1 still below best shuffle:", max(finals(c, "lu")) < min(finals(c, "shuffle")))
    print(f"{c}: worst shuffle still below best reverse:", max(finals(c, "shuffle")) < min(finals(c, "reverse")))

# %% [markdown]
# This is the beginning of a training, not its end: Glow's own 3.35 bits per dimension on CIFAR-10 are far away. But the
# paper's figure 3 shows the same order, for larger models that train for much longer.

# %% [markdown]
# ## Summary
#
# - With nothing between couplings, half of the channels never move.
# - Reversing moves all of them in two steps, but the same channels stay together; a shuffle separates them by luck.
# - An invertible 1x1 convolution multiplies every pixel by one learned $W$; permutations are a special case.
# - Its log-det is $h \cdot w \cdot \log|\det W|$; it starts at 0.
# - On the same data and budget it did best, with both couplings, on patches and on pictures.

# %% [markdown]
# **A harder question.** Is it the learning that helps, or would a random rotation do that is never trained? Decide
# first. Then let `new_flow` call `step.flows[1].requires_grad_(False)` for every `step` of its chain, run
# `one_run("lu", coupling, seed)` again, and compare where it ends.
#
# <details><summary>One answer</summary>
#
# Both help. In this race a fixed rotation beats every shuffle, and the learned matrix beats every fixed rotation.
# In the mean over seeds, the fixed rotation lies about halfway between shuffling and learning.
#
# </details>

# %% [markdown]
# **Next.** 04, LU and a cheap log-det: $\det W$ costs $C^3$, unless one is clever.
#
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, sections 3.2 and 5.1, figure 3. Reversing is from Dinh et
# al. (2016), *Real NVP*, section 3.5.
