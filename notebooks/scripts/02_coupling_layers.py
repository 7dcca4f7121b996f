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
# # 02 · Coupling layers
#
# A flow must run backwards, and its log-det must be cheap. A deep network offers neither. A coupling layer
# contains a network of any kind, and offers both.
#
# **After this notebook you can** undo a coupling without undoing its network, read its log-det from a
# triangular matrix, train a flow on two moons and watch it layer by layer, find a fault in a flow, and say why Glow
# bounds the scale.

# %% [markdown]
# **Needs.** Notebook 01: $\log p(x) = \log p(z) + \text{log-det}$. A little torch: modules, autograd. No GPU.
#
# **Minutes.** About 60 to read and 45 for the exercises; all cells run in under 60 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $x_a$, $x_b$ | the two halves of $x$: one stays, one moves | `Coupling.forward` |
# | $t$ | the shift, which a network computes from $x_a$ | `Coupling.scale_and_shift` |
# | $s$ | the stretch, from the same network; the code holds $\log s$ | `Coupling.scale_and_shift` |
# | $\log\lvert\det J\rvert$ | the log-det, nats, one for each example | `base.sum_features` |
# | $h$ | the half of the network's answer from which the layer makes $\log s$ | `CouplingNetwork` |
# | $0.7$ | the bound on $\log s$ | `coupling.SCALE_BOUND` |

# %% [markdown]
# ## 1 · Two wishes
#
# A flow needs two things: an inverse, and the log-det of its Jacobian $J$, the matrix of all $\partial z_i /
# \partial x_j$. For a picture of $D$ numbers that matrix has $D^2$ entries, and its determinant takes about
# $D^3$ operations. How many is that for one face of 64 by 64?

# %% tags=["nbval-check-output"]
D = 3 * 64 * 64
print(f"{D**2:,} entries, {D**3:,} operations")

# %% [markdown]
# Nearly two trillion ($2 \cdot 10^{12}$), for one layer and one face. So nobody computes that determinant. Instead
# the layer is built so that its determinant is simple. This is today's place on the map:

# %%
from glowlab.figures.glow_map import glow_map

glow_map("coupling", "log_det")

# %% [markdown]
# ## 2 · Slide the columns
#
# Each point $x$ of the plane is two numbers: $x_a$ is its place from left to right, $x_b$ its height. Now
# slide every column of the plane up or down, by an amount that depends on $x_a$ alone. Here are four ways to
# choose the amount. None of these functions has an inverse.

# %%
import torch

networks = {
    "wave": lambda x_a: torch.sin(3 * x_a),  # up and down again
    "fold": lambda x_a: x_a.abs() - 1,  # the same for 1 and -1
    "stairs": lambda x_a: x_a.round(),  # the same for 0.6 and 0.7
    "hash": lambda x_a: torch.sin(5000 * x_a),  # as good as random
}

# %%
from glowlab.figures.coupling_layers import sliding_columns
from glowlab.figures.live import Button, Choice, Live, Slider


def slide(network, amount):
    return sliding_columns(lambda x_a: amount * networks[network](x_a))


Live(
    slide,
    Choice("network", "Network", {name: name for name in networks}),
    Slider("amount", "Amount", 0.0, 1.5, value=1.0, step=0.05),
)

# %% [markdown]
# Whatever you choose, the stripes come back. Nothing went sideways, so $x_a$ is still there to be read. From
# it anyone can find out how far the column slid, and slide it back. The function itself is never undone:
#
# $$z_a = x_a \qquad z_b = x_b + t(x_a)$$
#
# This is **additive coupling**. Pictures are tensors (B, C, H, W): batch, channels, height, width. Their halves are
# halves of the channels, and $t$ is a deep network.


# %%
def additive(x, network):
    x_a, x_b = x.chunk(2, dim=1)  # each (B, C/2, H, W)
    return torch.cat([x_a, x_b + network(x_a)], dim=1)


# %% [markdown]
# ## Exercise 1 · The way back
#
# Write the inverse of `additive`. It gets `z` of shape (B, C, H, W) and the same `network`, and returns `x`. In
# notebook 00 you did this with bytes; now it is a layer.


# %%
def additive_inverse(z, network):
    return ...


# %% tags=["nbval-check-output"]
from glowlab.checks import coupling_layers as check

check.additive_inverse(additive_inverse)

# %% [markdown]
# `check.additive_inverse.hint()` helps. `check.additive_inverse.solution()` shows an answer, then the package's
# lines, which undo both kinds of coupling. The second kind comes now.

# %% [markdown]
# ## 3 · Stretch them, too
#
# Sliding moves ink, and never makes it denser: areas stay as they are. So let the network say a second
# number for each column, a stretch $s > 0$:
#
# $$z_a = x_a \qquad z_b = (x_b + t(x_a)) \cdot s(x_a)$$
#
# This is **affine coupling**. The network says $\log s$, which may be any number: $s = e^{\log s}$ is always above 0.

# %% [markdown]
# (The paper's table 1 keeps $x_b$ and moves $x_a$. It scales before it shifts, $s\,x + t$, as Real NVP does, an older
# flow. Glow's published code shifts first, and so do we. All these are affine couplings.)


# %%
def slide_and_stretch(network, stretch):
    def log_s(x_a):
        return stretch * torch.tanh(2 * x_a)

    return sliding_columns(networks[network], log_s)


Live(
    slide_and_stretch,
    Choice("network", "Network", {name: name for name in networks}),
    Slider("stretch", "Stretch", -0.7, 0.7, value=0.5, step=0.05),
)

# %% [markdown]
# Where a column grew, its ink became thinner; where it shrank, denser. And it still comes back, in the opposite
# order: divide by $s$, then take $t$ away.

# %% [markdown]
# ## 4 · One step at a time
#
# Here is the package's layer, for four numbers instead of a picture. Its own network is made for pictures, so we
# replace it by a small one: two numbers in, four out, which are two of $t$ and two of $h$.

# %%
from torch import nn

from glowlite.flows import Coupling


def small_network(inputs, outputs, width=32):
    first = [nn.Linear(inputs, width), nn.SiLU()]
    second = [nn.Linear(width, width), nn.SiLU()]
    return nn.Sequential(*first, *second, nn.Linear(width, outputs))


# %%
torch.manual_seed(0)
layer = Coupling(4, width=1)  # width: of the network that we replace
layer.network = small_network(2, 4)
with torch.no_grad():
    layer.network[-1].weight.mul_(8)  # larger than in a new one, to see something

# %% [markdown]
# Go through it with the arrows beside the slider: forward up to step 5, and then back. Check a box or two
# with pencil and paper. (Section 6 explains the green box.)

# %%
from glowlab.figures.coupling_layers import LAST, stepper


def step_by_step(step, numbers):
    generator = torch.Generator().manual_seed(numbers)
    return stepper(layer, torch.randn(1, 4, generator=generator), step)


Live(
    step_by_step,
    Slider("step", "Step", 0, LAST, buttons=True),
    Button("numbers", "Other numbers"),
)

# %% [markdown]
# If you only read and run nothing, here is the last step:

# %%
step_by_step(LAST, 0).shown()

# %% [markdown]
# ## 5 · Why any network will do
#
# Look where the arrow of the network points: from $x_a$ to $t$ and $s$, on the way there *and* on the way
# back. It ran twice, both times forward. So it may lose information. (`bend`, in 01, was a
# coupling, too: its shift came from $x_1^2$.)
#
# Here is a network that uses only the sign of its input, in the plane and then in a layer:

# %%
sliding_columns(torch.sign, torch.sign).shown()


# %%
class Careless(nn.Module):
    def forward(self, x_a):
        return torch.cat([100 * x_a.sign(), x_a.sign()], dim=1)  # t, and h: section 12 makes log s of it


# %% tags=["nbval-check-output"]
careless = Coupling(4, width=1)
careless.network = Careless()
generator = torch.Generator().manual_seed(0)
x = torch.randn(1000, 4, generator=generator, dtype=torch.float64)
z, log_det = careless(x)
print("moved by over 100:", bool((z - x).abs().max() > 100))
print("back, error < 1e-9:", bool((careless.inverse(z) - x).abs().max() < 1e-9))

# %% [markdown]
# That is the inverse. A coupling may contain a network of any depth, and going back costs what going forward
# costs: one run of it.

# %% [markdown]
# ## 6 · The Jacobian fills in
#
# Now the log-det. Take a coupling of six numbers, three that stay and three that move. Its Jacobian has
# 36 entries, and autograd computes each of them.

# %%
from glowlab.checks import Prediction

guess = Prediction("How many of the 36 are 0, whatever the network?", ["9", "15", "21"])
guess

# %%
wide = Coupling(6, width=1)
wide.network = small_network(3, 6)
with torch.no_grad():
    wide.network[-1].weight.mul_(8)
x = torch.randn(6, generator=torch.Generator().manual_seed(0))


def jacobian(layer, x):  # (6, 6): row i holds dz_i / dx
    return torch.autograd.functional.jacobian(lambda x: layer(x[None])[0][0], x)


J = jacobian(wide, x)

# %% tags=["nbval-check-output"]
zeros = (J == 0).sum().item()
print(f"{zeros} of {J.numel()} are exactly 0")

# %% tags=["nbval-check-output"]
guess.outcome(str(zeros), "Each number depends on itself, and a moved one also on those that stay.")

# %%
from glowlab.figures.coupling_layers import jacobian_rows

rows = Slider("rows", "Rows", 0, 6, value=5, buttons=True)
Live(lambda rows: jacobian_rows(J, 3, rows), rows)

# %% [markdown]
# The upper rows: what stays depends on itself alone. The lower ones: a moved number depends on its own $x$
# with slope $s$, and on $x_a$ in whatever way the network chooses.
#
# All derivatives of the network lie *below* the diagonal. Above it everything is 0, and the determinant of such a
# triangular matrix is the product of its diagonal:
#
# $$\log\lvert\det J\rvert = \sum \log s$$

# %% tags=["nbval-check-output"]
log_det = wide(x[None])[1].item()
diagonal = J.diagonal().log().sum().item()
everything = torch.linalg.slogdet(J)[1].item()
print("sum of the diagonal's logs:", abs(diagonal - log_det) < 1e-5)
print("determinant of all of it:  ", abs(everything - log_det) < 1e-5)

# %% [markdown]
# No derivative of the network is needed, and no determinant: a sum over $D/2$ numbers that the layer has
# already. For additive coupling every $s$ is 1, so its log-det is 0:

# %%
from glowlab.figures.coupling_layers import jacobian_patterns

plain = Coupling(6, width=1, kind="additive")
plain.network = small_network(3, 3)
with torch.no_grad():
    plain.network[-1].weight.mul_(8)
jacobian_patterns({"additive": jacobian(plain, x), "affine": J}, 3).shown()

# %% [markdown]
# ## Exercise 2 · Forward, with its log-det
#
# Write affine coupling. `scale_and_shift(x_a)` gives $\log s$ and $t$, both (B, C/2, H, W). Return `z` and
# `log_det`, which has shape (B,). Training will go through it, so keep its gradient: no `.item()`.


# %%
def affine(x, scale_and_shift):
    z = ...
    log_det = ...
    return z, log_det


# %% tags=["nbval-check-output"]
check.affine(affine)

# %% [markdown]
# As before: `check.affine.hint()` and `check.affine.solution()`.

# %% [markdown]
# ## 7 · The same as the package
#
# The way back of `affine` begins where it ended: divide, then take away. The package's `Coupling` must give the same
# numbers as our few lines, and as your `affine`, once it is right.


# %%
def affine_inverse(z, scale_and_shift):
    z_a, z_b = z.chunk(2, dim=1)
    log_s, t = scale_and_shift(z_a)  # z_a is x_a
    return torch.cat([z_a, z_b / log_s.exp() - t], dim=1)


affine_layer, additive_layer = Coupling(4, width=8), Coupling(4, width=8, kind="additive")
for one in (affine_layer, additive_layer):
    nn.init.normal_(one.network.last.weight)  # a new layer's are 0, and move nothing
x = torch.randn(5, 4, 3, 3, generator=generator)  # five pictures of 3 by 3 pixels, with 4 channels

# %% tags=["nbval-check-output"]
z, log_det = affine_layer(x)
scale_and_shift = affine_layer.scale_and_shift
mine = affine(x, scale_and_shift) if check.affine(affine) else (z, log_det)
pairs = [
    (additive(x, additive_layer.network), additive_layer(x)[0]),
    (affine_inverse(z, scale_and_shift), affine_layer.inverse(z)),
    (affine_inverse(z, scale_and_shift), x),
    *zip(mine, (z, log_det), strict=True),
]
same = all(torch.allclose(ours, theirs, atol=1e-5) for ours, theirs in pairs)
assert same
print("same as glowlite:", same)

# %% [markdown]
# ## 8 · Two moons
#
# Can such a simple move be useful? Here are points $x$ in the shape of two moons. Behind them is the density of a
# flow that does nothing yet: the bell of $z$.

# %%
from glowlab.figures.coupling_layers_plane import Layers, Sketch, density_and_loss, density_map, density_maps, mass
from glowlite.data import toy2d
from glowlite.flows.multiscale import standard_normal_log_prob

moons = toy2d.draw("moons", 20_000)  # (N, 2)
held_out = toy2d.draw("moons", 5_000, seed=1)  # never used for training, only to judge
density_maps({"the bell": standard_normal_log_prob}, held_out).shown()

# %% [markdown]
# One coupling leaves half of the numbers as they were. So couplings come in chains, and the halves change
# roles in between. `Reverse` swaps them. Its log-det is 0, and a `Chain` adds all log-dets up.

# %%
from glowlite.flows import Chain, Reverse


def new_flow(kind="affine", couplings=8):
    torch.manual_seed(1)
    parts = []
    for _ in range(couplings):
        coupling = Coupling(2, width=1, kind=kind)
        coupling.network = small_network(1, 2 if kind == "affine" else 1)
        nn.init.zeros_(coupling.network[-1].weight)  # as in Glow: every step starts as
        nn.init.zeros_(coupling.network[-1].bias)  # the identity, so nothing moves yet
        parts += [coupling, Reverse(2)]
    return Chain(*parts)


# %%
def log_prob(flow, x):
    z, log_det = flow(x)
    return standard_normal_log_prob(z) + log_det  # (N,), nats


# %% [markdown]
# Training is maximum likelihood (notebook 01). The loss is minus the mean of $\log p(x)$, in nats, and one step
# of it is what you know from any network:


# %%
def learner(flow, data, steps=600):
    optimizer = torch.optim.Adam(flow.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)  # ever smaller steps
    generator = torch.Generator().manual_seed(0)

    def one_step():
        batch = data[torch.randint(len(data), (256,), generator=generator)]
        loss = -log_prob(flow, batch).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        return loss.item()

    return one_step


# %%
from functools import partial

from glowlab.figures.live import Watch


def train(flow, data, steps=600):
    losses, one_step = [], learner(flow, data, steps)

    def picture():
        return density_and_loss(partial(log_prob, flow), data, losses, steps)

    for _ in Watch(steps, picture):
        losses.append(one_step())


# %% [markdown]
# Run the next cell and watch. It takes seconds.

# %%
flow = new_flow()
with torch.no_grad():
    before = -log_prob(flow, held_out).mean().item()
train(flow, moons)

# %% tags=["nbval-check-output"]
with torch.no_grad():
    after = -log_prob(flow, held_out).mean().item()
area = mass(density_map(partial(log_prob, flow)))
print("on held-out points better by over half a nat:", before - after > 0.5)
print("the integral of the density is still 1, within 1 %:", abs(area - 1) < 0.01)

# %% [markdown]
# The second line is the change of variables at work: whatever the training did, no ink was made and none was
# lost.

# %% [markdown]
# ## Exercise 3 · Find the fault
#
# One coupling moves one half. Somebody wanted a layer that moves both, with two networks. It runs, it trains, and
# its loss falls. But it is no flow:


# %%
def both_halves(x, first, second):  # x (B, 2 n); first and second as scale_and_shift above
    x_a, x_b = x.chunk(2, dim=1)
    log_s, t = first(x_a)
    z_b = (x_b + t) * log_s.exp()
    log_r, u = second(x_b)
    z_a = (x_a + u) * log_r.exp()
    return torch.cat([z_a, z_b], dim=1), (log_s + log_r).sum(1)


# %%
class BothHalves(nn.Module):
    def __init__(self, move, layers=4):
        super().__init__()
        flows = new_flow(couplings=2 * layers).flows
        self.move, self.couplings = move, nn.ModuleList(flows[::2])  # without the Reverses

    def forward(self, x):
        total = 0
        for first, second in zip(self.couplings[::2], self.couplings[1::2], strict=True):
            x, log_det = self.move(x, first.scale_and_shift, second.scale_and_shift)
            total = total + log_det
        return x, total


def fit(move, steps=300):
    both = BothHalves(move)
    one_step = learner(both, moons, steps)
    for _ in range(steps):
        one_step()
    return partial(log_prob, both)


# %%
faulty = fit(both_halves)
density_maps({"both_halves": faulty}, held_out).shown()

# %% tags=["nbval-check-output"]
with torch.no_grad():
    print("its loss is lower than our flow's:", -faulty(held_out).mean().item() < after)
print("but the integral of its p(x) is over 2, and not 1:", mass(density_map(faulty)) > 2)

# %% [markdown]
# A low loss is worth nothing if $p(x)$ is no density. Find the fault, and write `mended`: both halves still move,
# $x$ can be computed from $z$, and `log_det` is right.


# %%
def mended(x, first, second):
    return ...


# %% tags=["nbval-check-output"]
check.mended(mended)

# %% [markdown]
# `check.mended.hint()` and `check.mended.solution()` are there. Once it is right, the next cell trains it:

# %%
if check.mended(mended):
    good = fit(mended)
    print(f"the integral of p(x) is {mass(density_map(good)):.2f}")
    density_maps({"mended": good}, held_out).shown()

# %% [markdown]
# ## 9 · Layer by layer
#
# Back to the flow of section 8. What did each coupling do? `flow(x, keep=True)` also returns everything in between.
#
# First backwards, from $z$ to $x$. The latent plane with its unit squares goes through the couplings' inverses. A
# square keeps its ink, so where it is squeezed it gets dark.

# %%
layers = Layers(flow, held_out)
layers.strip(8, 6, 4, 2, 0).shown()

# %% [markdown]
# Move the slider through the couplings: 0 is the data, 8 are the latents. The left picture shows the points on their
# way to $z$, over the density there. The right one shows the latent squares on their way back.

# %%
Live(
    layers,
    Slider("layer", "Couplings", 0, 8, value=4, ends=("x", "z"), buttons=True),
)

# %% [markdown]
# Each coupling moves points along one axis only, in turn up or down and sideways. Eight such simple moves
# bend a bell into two moons. Nearly: a thin thread of density joins the moons. A flow whose networks are smooth
# bends and stretches the plane, and can never tear it.

# %% [markdown]
# ## 10 · A shape of your own
#
# Draw something with the mouse, in as many strokes as you like. Or choose a shape, which works by keyboard,
# too. Then run the cell after it, and again whenever you have drawn something else.

# %%
sketch = Sketch("heart")
sketch

# %%
own_flow = new_flow()
train(own_flow, sketch.points(20_000))

# %% [markdown]
# What is hard for such a flow? Try `checkerboard`: it has sharp edges and eight separate squares.

# %% [markdown]
# ## 11 · Additive or affine?
#
# Additive couplings are simpler. Can they do the same? We train a flow of them on the moons: as many
# couplings, networks and steps.

# %%
guess = Prediction(
    "How dense does the additive flow's p(x) become where the data lie closest?",
    ["as dense as the affine flow's", "less dense, but denser than the bell's top", "no denser than the bell's top"],
)
guess

# %%
additive_flow = new_flow("additive")
one_step = learner(additive_flow, moons)
losses = [one_step() for _ in range(600)]

# %%
flows = {"additive": additive_flow, "affine": flow}
both = {name: partial(log_prob, one) for name, one in flows.items()}
density_maps(both, held_out).shown()

# %% [markdown]
# The top of the bell, a standard normal in the plane, is $1/(2\pi) \approx 0.159$.

# %% tags=["nbval-check-output"]
with torch.no_grad():
    nats = {name: -log_p(held_out).mean().item() for name, log_p in both.items()}
top = {name: density_map(log_p).max().item() for name, log_p in both.items()}
print("additive stays below 1 / 2 pi:", top["additive"] < 0.15916)
print("affine goes above it:         ", top["affine"] > 0.15916)
print("affine is better by over 0.2 nats:", nats["additive"] - nats["affine"] > 0.2)

# %% tags=["nbval-check-output"]
guess.outcome(
    guess.options[2 if top["additive"] < 0.15916 else 1 if top["additive"] < top["affine"] else 0],
    "Its log-det is 0: it slides ink about, and cannot press it together.",
)

# %% [markdown]
# An additive flow keeps every area, so it has to spread the moons over as much of the plane as the bell
# covers. In Glow each step has an ActNorm as well: a scale and a shift for each channel, the same for every
# picture (notebook 05). What that changes is the harder question at the end. The paper's faces of 256 by 256
# were made with additive coupling.

# %% [markdown]
# ## 12 · A bound for the scale
#
# How is $s$ made from the network's $h$? In Glow's code, $s = \text{sigmoid}(h + 2)$. Why the 2? Before training
# $h = 0$ (the network's last layer starts at zero), and in 32 steps a number is moved by about 16 couplings. What is
# left of it? (The third row is this package's way, explained below.)

# %% tags=["nbval-check-output"]
start = {"sigmoid(h)": 0.5, "sigmoid(h + 2)": torch.tensor(2.0).sigmoid().item()}
for name, s in (start | {"exp(0.7 tanh(h))": 1.0}).items():
    print(f"{name:16}   s = {s:.2f}   s ** 16 = {s**16:.5f}")

# %% [markdown]
# Without the 2, the couplings would shrink a picture to almost nothing, and ActNorm would have to enlarge it
# again at every step. With it, training starts nearer to the identity, though not at it (0.13 is left). And later
# $s$ can still come close to 0. Forward, that looks harmless. Say $h = -10$, and somebody edits a latent by 0.1.

# %%
guess = Prediction(
    "z_b is edited by 0.1, and s = sigmoid(-10 + 2). How far does x_b jump?",
    ["about 0.1", "about 3", "about 300"],
)
guess


# %%
def jump(h, scale):
    layer = Coupling(2, width=1, scale=scale)
    layer.network = nn.Linear(1, 2)
    with torch.no_grad():
        layer.network.weight.zero_()
        layer.network.bias.copy_(torch.tensor([0.0, h]))  # always t = 0 and h
        x = layer.inverse(torch.tensor([[0.0, 0.0], [0.0, 0.1]]))
    return (x[1, 1] - x[0, 1]).item()


# %% tags=["nbval-check-output"]
print("    h   sigmoid(h + 2)   exp(0.7 tanh(h))")
for h in (5.0, 0.0, -5.0, -10.0, -20.0):
    print(f"{h:5.0f}   {jump(h, 'sigmoid'):14.3g}   {jump(h, 'bounded'):16.3g}")

# %% tags=["nbval-check-output"]
far = jump(-10.0, "sigmoid")
answer = "about 0.1" if far < 1 else "about 3" if far < 30 else "about 300"
guess.outcome(answer, "The inverse divides by s, and s is nearly 0.")

# %% [markdown]
# A face's latents hold thousands of numbers, and an editor of faces (12b) changes all of them. One tiny $s$ is enough
# to ruin a pixel. So this package bounds $s$ from both sides: $\log s = 0.7 \tanh(h)$. Move $h$:

# %%
from glowlab.figures.coupling_layers import scale_curves

Live(scale_curves, Slider("h", "h", -12.0, 6.0, value=-5.0, step=0.5))

# %%
import math

from glowlite.flows.coupling import SCALE_BOUND

# %% tags=["nbval-check-output"]
print(f"one coupling stretches by at most {math.exp(SCALE_BOUND):.2f}, either way")
print(f"eight of them change an area by at most {math.exp(8 * SCALE_BOUND):.0f}")

# %% [markdown]
# The sigmoid has another limit: $s < 1$, so it can only shrink, and ActNorm must do all the stretching. The
# bounded scale starts at exactly 1 and goes either way. `Coupling(..., scale="sigmoid")` gives you the
# published one.

# %% [markdown]
# ## Summary
#
# - A coupling keeps one half and moves the other, by a shift and a stretch computed from the half that stays.
# - To undo it, ask the network again, forward: any network will do.
# - The Jacobian is triangular, and its log-det is $\sum \log s$.
# - In a chain the halves change roles: simple moves bend a bell into moons.
# - Additive coupling keeps areas; affine presses ink together, and its scale needs a bound.

# %% [markdown]
# **A harder question.** Put an `ActNorm(2)` before each coupling of the additive flow (`from glowlite.flows
# import ActNorm`; the first batch it sees sets it up). Additive needs more nats than affine: how many of these does
# ActNorm save? Its log-det is the same number for every point. How, then, can the density become high on the moons?

# %% [markdown]
# <details><summary>One answer</summary>
#
# Nearly all: about 1.72 nats, where affine coupling has 1.69. One log-det for all points multiplies every density by
# one factor. If it is above 1, the density on the moons can be more than 0.159. Then it must be less elsewhere: the
# couplings slide the rest of the plane far out, where the bell is thin.
#
# </details>

# %% [markdown]
# **Next.** 03, Learned permutations: a single coupling leaves one half as it was, so the halves must change
# roles. Reversing them is one way. Glow learns a better one.
#
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 3.3; additive coupling: Dinh et al. (2014),
# *NICE*, section 3.2; affine: Dinh et al. (2016), *Real NVP*, section 3.2.
