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
# # 15b · Directions
#
# Glow is from 2018. What did flows become after it? Where else can they go?
#
# **After this notebook you can** read a table of later flows with care, put a transformer into a coupling, mend an
# autoregressive flow, train a flow by flow matching and know its exact density, give a flow a label, and move the
# pitch of a sound with a slider.

# %% [markdown]
# **Needs.** Notebooks 02 (coupling layers), 07 (bits per dimension) and 12 (directions). No GPU.
#
# **Minutes.** About 75 to read and 45 for the exercises; all cells run in under 60 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $x$, $z$ | a datum and its latent, or a point of noise | `Flow.forward` |
# | $x_a$, $x_b$ | the halves of $x$: the first stays, the second moves | `Coupling.halves` |
# | $s$, $t$ in a coupling | scale and shift | `Coupling.scale_and_shift` |
# | $t$ in sections 4 and 5 | time, 0 at the noise and 1 at the datum | not in the package |
# | $v$ | velocity of a point | not in the package |

# %% [markdown]
# ## 1 · What came after
#
# These are the parts of Glow. In each later model some of them were exchanged.

# %%
from glowlab.figures.glow_map import glow_map

glow_map("squeeze", "actnorm", "mixing", "coupling", "split")

# %% [markdown]
# Held-out bits per dimension and FID (a distance between drawn and real pictures), as published. "-": not given
# where we looked.
#
# | model | what is new | CIFAR-10 | ImageNet 64 | which files | FID |
# |---|---|---|---|---|---|
# | Glow 2018 | | 3.35 | 3.81 | old | - |
# | Flow++ 2019 | curves, attention, learned noise | 3.08 | 3.69 | old | - |
# | Residual flows 2019 | $x + g(x)$ | 3.28 | 3.76 | not said | 46.4, CIFAR-10 |
# | DenseFlow 2021 | added noise dimensions | 2.98 | 3.35 | new | 34.9, CIFAR-10 |
# | Jet 2024 | transformers in couplings | - | 3.66 | old | - |
# | TarFlow 2024 | transformers, autoregressive | - | 2.99 | not said | 2.66, ImageNet 64 with labels |
# | STARFlow 2025 | the same, on latents of an autoencoder | - | - | - | 2.40, ImageNet 256 with labels |
#
# <details><summary>Sources</summary>
#
# Glow: its paper. Flow++: table of Child (2020), arXiv 2011.10650; that paper used the old files. Residual flows: list
# of results at sotaverified.org; CIFAR-10: their paper, arXiv 1906.02735. DenseFlow: list of results at
# paperswithcode.com; files: `imagenet64.py` in matejgrcic/DenseFlow loads the new ones. Jet: configuration
# `proj/jet/imagenet64.py` in google-research/big_vision. TarFlow, arXiv 2412.06329: a published summary of the paper;
# its authors call the files "official" (apple/ml-tarflow, issues 3 and 14). STARFlow: quoted as a rival in a later
# paper's table, 1.4 billion weights, arXiv 2506.06276.
#
# </details>

# %%
from glowlab.checks import Prediction

guess = Prediction(
    "DenseFlow: 3.35 bits/dim on ImageNet 64. Jet: 3.66. Which is the better model of these pictures?",
    ["DenseFlow", "Jet", "these two numbers cannot tell"],
)
guess

# %% [markdown]
# Two sets of files carry the name ImageNet 64. The *old* ones are from van den Oord et al. (2016). They are gone from
# their place; the *new* ones there were made small in another way, with smoothing.
#
# Does that matter? We make the same drawn faces small in two ways: every fourth pixel, or the mean of 4 x 4 pixels.

# %%
import torch

from glowlab.figures.rows import row
from glowlite.data import faces
from glowlite.evaluation import codec_bits_per_dim

large = faces.draw(64, size=64, seed=3).images
small = {
    "every fourth pixel": large[..., ::4, ::4].contiguous(),
    "means of 4 x 4": torch.nn.functional.avg_pool2d(large.float(), 4).round().to(torch.uint8),
}
row(
    [each[0] for each in small.values()],
    list(small),
    alt="One face of 16 by 16 pixels, made small in two ways: every fourth pixel has hard edges, means are softer.",
    height=192,
)

# %% tags=["nbval-check-output"]
bits = {way: codec_bits_per_dim(images, "webp").mean().item() for way, images in small.items()}
for way, mean in bits.items():
    print(f"{way:18} {mean:.2f} bits/dim, WebP without loss")
apart = abs(bits["every fourth pixel"] - bits["means of 4 x 4"])
guess.outcome(
    guess.options[2] if apart > 0.1 else guess.options[0],
    f"The way to shrink alone moves WebP by {apart:.2f} here. DenseFlow had the new files, Jet the old ones.",
)

# %% [markdown]
# So a number belongs to a set of files, and a table that mixes them says nothing. ("The former dataset applies
# anti-aliasing and is easier for maximum likelihood training", write the authors of i-DODE, 2023, of the two.) FID has
# troubles of its own, see [the course in one page](../docs/course.md).
#
# What the table does say: two ideas carried flows on, transformers (next) and velocities (section 4).

# %% [markdown]
# ## 2 · A coupling with a transformer
#
# A coupling may contain any network, since nobody inverts it (notebook 02). **Jet** (Kolesnikov et al. 2024) takes a
# *transformer*. A picture of 16 x 16, squeezed twice, has 48 channels at 4 x 4 places. Each place is a *token*, a row
# of 48 numbers. Attention lets every token look at every other one: the network sees the whole picture at once.


# %%
from torch import nn


class AttentionNetwork(nn.Module):
    def __init__(self, c_in, width, c_out, places, blocks=1):
        super().__init__()
        self.enter = nn.Linear(c_in, width)
        self.place = nn.Parameter(0.02 * torch.randn(places, width))  # tells tokens apart
        block = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, "gelu", batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(block, blocks, enable_nested_tensor=False)
        self.leave = nn.Linear(width, c_out)
        nn.init.zeros_(self.leave.weight)  # as in Glow: every
        nn.init.zeros_(self.leave.bias)  # coupling starts as the identity

    def forward(self, x):
        tokens = self.enter(x.flatten(2).transpose(1, 2)) + self.place  # (B, h w, width)
        h = self.leave(self.blocks(tokens))
        return h.transpose(1, 2).unflatten(2, x.shape[2:])  # (B, C_out, h, w)


# %% [markdown]
# The flow around it has one level: squeeze twice, then couplings, with a fixed shuffle of the channels before each. No
# splits on the way, no ActNorm between couplings (one at the entrance sets the pixels' scale), no learned 1x1
# convolution.

# %%
from glowlite import pixels
from glowlite.flows import ActNorm, Chain, Coupling, Shuffle, Squeeze


def attention_steps(couplings=6, channels=48, places=16):
    layers = [Squeeze(), Squeeze(), ActNorm(channels)]
    for _ in range(couplings):
        coupling = Coupling(channels, width=1, edge=False)
        coupling.network = AttentionNetwork(channels // 2, 64, channels, places)
        layers += [Shuffle(channels), coupling]
    return Chain(*layers)


# %% [markdown]
# Is it exact? We set the last layers to random numbers, so that something moves, and go there and back.

# %% tags=["nbval-check-output"]
torch.manual_seed(0)
steps, x = attention_steps(), pixels.to_float(small["means of 4 x 4"])
for part in steps.modules():
    if isinstance(part, AttentionNetwork):
        nn.init.normal_(part.leave.weight, std=0.1)
with torch.no_grad():
    z, log_det = steps.train()(x)
    back = steps.eval().inverse(steps(x)[0])
print("every pixel comes back:", torch.equal(pixels.to_uint8(back), pixels.to_uint8(x)))

# %%
with torch.no_grad():
    between = [x[1], Chain(*steps.flows[:2]).inverse(z[1:2] / 4)[0], back[1]]
row(
    [pixels.to_uint8(each) for each in between],
    ["$x$", "$z$, as a picture", "$x$ again"],
    arrows=["forward", "inverse"],
    alt="A face of 16 by 16 pixels; its latent as a picture of coloured noise; the face again.",
    height=160,
)

# %% tags=["nbval-check-output"]
from glowlab import attention

ours = steps.flows[-1].network
package = attention.AttentionNetwork(24, 64, 48, places=16).eval()
package.load_state_dict(ours.state_dict())
with torch.no_grad():
    tokens = torch.randn(2, 24, 4, 4)
    assert (package(tokens) - ours(tokens)).abs().max() < 1e-6
print("same as glowlab's, to 1e-6")

# %% [markdown]
# Now it learns, for a few seconds, from drawn faces:

# %%
from glowlab.figures import after_glow as figures
from glowlab.figures.live import Watch

training = faces.draw(1024, size=16, seed=1).images
model = attention.AttentionFlow((3, 16, 16)).train()
generator = torch.Generator().manual_seed(0)
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
losses = []
for _ in Watch(60, lambda: figures.falling(losses, 60)):
    batch = training[torch.randint(1024, (64,), generator=generator)]
    loss = model.bits_per_dim(batch, generator).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())

# %%
guess = Prediction(
    "A small Glow and this flow learn for the same time on one core. Which has fewer bits per dimension?",
    ["Glow", "the transformers", "both the same, to 0.05"],
)
guess

# %% [markdown]
# Recorded by `python -m benchmarks.attention`: 16 x 16 drawn faces, 30 CPU seconds for each model, the best of three
# learning rates.

# %%
record = figures.load_runs("attention")
figures.learning(record, "bits per dimension").shown()

# %% tags=["nbval-check-output"]
ends = {run["name"]: run["curve"][-1][2] for run in record}
for name, end in ends.items():
    print(f"{name:28} {end:.2f}")
better = ends["Glow"] - ends["transformers"]
guess.outcome(
    guess.options[2] if abs(better) < 0.05 else guess.options[better > 0],
    "And every one of them gives each pixel back.",
)

# %% [markdown]
# Equal, to the second digit. Jet drops multi-scale, ActNorm and the learned 1x1 convolution, the parts of notebooks
# 06, 05 and 03. Does that mean they are useless?
#
# Look at the lines "one level" and "channels reversed": a small Glow needs its parts. A convolution sees a few pixels;
# squeezes let it see further, mixing lets channels meet. Attention sees all places at once, and its own normalization
# (LayerNorm) keeps numbers at their size.

# %% [markdown]
# The same holds for pictures of CIFAR-10, recorded by `python -m benchmarks.arrangements` (notebook 03 has the paper's
# curves; ActNorm's part is in notebook 05):

# %% tags=["nbval-check-output"]
for each in figures.load_runs("arrangements")[:3]:
    print(f"{each['name']:8} {each['bits_per_dim'][-1]:.2f} bits/dim at equal time")

# %% [markdown]
# ## 3 · A flow that reads
#
# **TarFlow** (Zhai et al. 2024) lets a transformer read the tokens in order. Token $x_t$ is moved by what the tokens
# *before* it say:
#
# $$z_t = (x_t - m_t)\, e^{-a_t} \qquad m_t, a_t \text{ from } x_0, \ldots, x_{t-1}$$
#
# One pass gives all of $z$ and $\log\det = -\sum a$. The way back goes token by token: $x_0$, then $x_1$, and so on.

# %% [markdown]
# A *causal* network is one whose answer at place $t$ sees the tokens 0 to $t$. Here is a small one:


# %%
def network(x):  # (B, T, 1) -> (B, T, 2): m and a
    seen = x.cumsum(1)
    return torch.cat([seen.sin(), 0.5 * seen.cos()], 2)


def leaky(x, network):
    m, a = network(x).chunk(2, 2)
    return (x - m) * torch.exp(-a), -a.sum((1, 2))


# %% [markdown]
# It runs. Something is wrong, though. Compare its log-det with the true one, from the Jacobian:

# %% tags=["nbval-check-output"]
from torch.autograd.functional import jacobian

tokens = torch.linspace(-1, 0.8, 6).view(1, 6, 1)


def true_log_det(flow):
    matrix = jacobian(lambda x: flow(x, network)[0].flatten(), tokens).view(6, 6)
    return matrix, torch.linalg.slogdet(matrix)[1].item()


matrix, true = true_log_det(leaky)
print(f"leaky says {leaky(tokens, network)[1].item():.2f}, true is {true:.2f}")

# %%
figures.jacobians({"leaky": matrix}).shown()

# %% [markdown]
# ## Exercise 1 · Find the fault
#
# What does $z_t$ depend on in `leaky`? Could you compute $x_t$ from $z_t$ and the tokens before? Mend it. `x` is
# (B, T, C); `network(x)` is causal and gives (B, T, 2C), first $m$, then $a$. The first token has nothing before it: it
# stays as it is.


# %%
def mended(x, network):
    return ..., ...  # z, log_det


# %% tags=["nbval-check-output"]
from glowlab.checks import after_glow as check

verdict = check.mended(mended)
verdict

# %% [markdown]
# `check.mended.hint()` gives one hint at a time, `check.mended.solution()` a worked answer. Until yours is right, a
# worked answer stands in below. Again the Jacobians: what $z_t$ (rows) depends on.

# %%
whole = mended if verdict else check.mended.answer()
figures.jacobians({"leaky": matrix, "mended": true_log_det(whole)[0]}).shown()

# %% tags=["nbval-check-output"]
matrix, true = true_log_det(whole)
print("mended: log-det as the Jacobian says:", abs(whole(tokens, network)[1].item() - true) < 1e-5)

# %% [markdown]
# Both matrices are triangular. In the first, though, the diagonal holds more than $e^{-a}$, because $m_t$ and $a_t$
# move with $x_t$. A leak like this is dangerous: the loss falls and falls, and nothing can be drawn from the model.
#
# Now one can see the price. TarFlow's density takes one pass; a draw takes one pass for *each* token.

# %% [markdown]
# ## 4 · Many small steps
#
# Take a third road. A step $z \to z + \frac1K v(z)$ with a network $v$ can be inverted if it is small enough: it is
# a *residual* flow. With $K$ such steps, and $K$ ever larger, points move along a *velocity field*:
#
# $$\frac{dz}{dt} = v(z, t) \qquad t \text{ from } 0 \text{ (noise) to } 1 \text{ (data)}$$

# %% [markdown]
# Any smooth $v$ will do. No halves, no triangular matrix: run time backward, and you are back.
#
# But how to learn $v$? By likelihood one would have to solve the equation at every step of training.

# %% [markdown]
# **Flow matching** (Lipman et al. 2023, Liu et al. 2023, Albergo & Vanden-Eijnden 2023) needs no solver. Take a point
# of noise $z$ and a datum $x$, at random. Walk from one to the other in a straight line. At time $t$ you are at
#
# $$(1 - t)\, z + t\, x \qquad \text{with velocity } x - z$$
#
# Ask the network for that velocity, with squared error. Many lines pass through a place; the network learns their mean.

# %%
from glowlite.data import toy2d

moons = toy2d.draw("moons", 20_000)
held_out = toy2d.draw("moons", 2_000, seed=1)
noise = torch.randn(1000, 2, generator=torch.Generator().manual_seed(2))
figures.pairs(noise, moons).shown()

# %% [markdown]
# ## Exercise 2 · The flow matching loss
#
# `velocity(points, t)` is the network; `x` and `z` are (N, 2), `t` is (N, 1). The loss is the mean, over the pairs, of
# the squared length of the difference between what `velocity` says half-way and what it should say.


# %%
def matching_loss(velocity, x, z, t):
    return ...


# %% tags=["nbval-check-output"]
verdict = check.matching_loss(matching_loss)
verdict

# %% [markdown]
# `check.matching_loss.hint()` and `check.matching_loss.solution()` are there. The rest of the training:

# %%
torch.manual_seed(0)
hidden = [nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU()]
net = nn.Sequential(nn.Linear(3, 64), nn.SiLU(), *hidden, nn.Linear(64, 2))


def velocity(points, t):
    return net(torch.cat([points, t], 1))


loss_of = matching_loss if verdict else check.matching_loss.answer()
optimizer = torch.optim.Adam(net.parameters(), lr=4e-3)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 2500)
for _ in range(2500):
    x = moons[torch.randint(len(moons), (512,))]
    loss = loss_of(velocity, x, torch.randn_like(x), torch.rand(512, 1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()

# %%
guess = Prediction(
    "In training, straight lines from noise to data cross one another. And the ways of points in the learned flow?",
    ["they cross, too", "they never cross"],
)
guess

# %% [markdown]
# To draw, let noise run from $t = 0$ to 1 in $K$ steps. (Each step looks at the velocity half-way through itself, the
# *midpoint* rule.)


# %%
@torch.no_grad()
def run(points, steps=40):
    way = [points]
    for k in range(steps):
        t = torch.full((len(points), 1), k / steps)
        half = points + velocity(points, t) / (2 * steps)
        points = points + velocity(half, t + 0.5 / steps) / steps
        way.append(points)
    return torch.stack(way)  # (steps + 1, N, 2)


way = run(noise)

# %%
figures.ways((noise, moons[:1000]), way).shown()

# %% tags=["nbval-check-output"]
guess.outcome(
    guess.options[1],
    "At one place and time there is one velocity, so two points that met would have the same way ever after, and "
    "before. That is why the flow has an inverse.",
)

# %% [markdown]
# Move through time. Grey arrows show the velocity at that moment:

# %%
from glowlab.figures.live import Live, Slider

Live(
    lambda t: figures.moment(way[round(40 * t)], velocity, t),
    Slider("t", "time", 0.0, 1.0, 0.5, step=0.025),
)

# %% [markdown]
# ### Its exact density
#
# A coupling has its log-det. A velocity field has its *divergence*, the trace of its Jacobian: how fast a small area
# grows there. Along the way of a point (Chen et al. 2018, *instantaneous change of variables*):
#
# $$\log p(x) = \log \mathcal N(z) - \int_0^1 \operatorname{tr} \frac{\partial v}{\partial x}\, dt$$
#
# In two dimensions the trace is two derivatives. (In thousands of dimensions it must be estimated.)


# %%
from glowlite.flows.multiscale import standard_normal_log_prob


def divergence(points, t):
    points = points.detach().requires_grad_()
    with torch.enable_grad():
        v = velocity(points, t)
        rows = [torch.autograd.grad(v[:, i].sum(), points, retain_graph=True)[0][:, i] for i in range(2)]
    return v.detach(), sum(rows)


def log_prob(x, steps=40):
    total = torch.zeros(len(x))
    for k in reversed(range(steps)):  # from data back to noise
        t = torch.full((len(x), 1), (k + 1) / steps)
        half = x - velocity(x, t).detach() / (2 * steps)
        v, spread = divergence(half, t - 0.5 / steps)
        x, total = x - v / steps, total - spread / steps
    return standard_normal_log_prob(x) + total


# %% [markdown]
# Beside it, the coupling flow of notebook 02, trained by likelihood:

# %%
from glowlab.figures.coupling_layers_plane import density_map, density_maps, mass
from glowlite.flows import Reverse


def plane_network(inputs, outputs):
    last = nn.Linear(32, outputs)
    nn.init.zeros_(last.weight), nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(inputs, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU(), last)


torch.manual_seed(0)
couplings = []
for _ in range(8):
    couplings += [Coupling(2, width=1), Reverse(2)]
    couplings[-2].network = plane_network(1, 2)
coupled = Chain(*couplings)


# %%
def coupled_log_prob(x):
    z, log_det = coupled(x)
    return standard_normal_log_prob(z) + log_det


def learn(parameters, loss_of, steps):
    optimizer = torch.optim.Adam(parameters, lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        loss = loss_of(torch.randint(20_000, (256,)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()


learn(coupled.parameters(), lambda which: -coupled_log_prob(moons[which]).mean(), 500)

# %%
both = {"flow matching": log_prob, "couplings": coupled_log_prob}
density_maps(both, held_out[:300]).shown()

# %% tags=["nbval-check-output"]
nats = {name: -log_p(held_out).mean().item() for name, log_p in both.items()}
for name, log_p in both.items():
    print(f"{name:14} mass is 1, within 2 %: {abs(mass(density_map(log_p)) - 1) < 0.02}")
print("held-out nats of the two, within 0.3:", abs(nats["flow matching"] - nats["couplings"]) < 0.3)

# %% [markdown]
# The mass under both maps is 1: both are true densities. Flow matching never asked for likelihood, and comes close in
# it to the couplings that did, in about the same seconds. Its network may be of any kind. The price is the draw, which
# takes $K$ passes.
#
# How large must $K$ be? We measure how far the points of 200 steps are missed:

# %% tags=["nbval-check-output"]
exact = run(noise, 200)[-1]
for steps, limit in {1: 0.5, 4: 0.1, 16: 0.02}.items():
    missed = (run(noise, steps)[-1] - exact).norm(dim=1).mean().item()
    print(f"{2 * steps:3} passes: missed by less than {limit}: {missed < limit}")

# %% [markdown]
# And the points themselves, after few passes:

# %%
figures.clouds({f"{2 * steps} passes": run(noise, steps)[-1] for steps in (1, 2, 4)}).shown()

# %% [markdown]
# Diffusion models are close relatives: with noise in another schedule, the same field can be read from them. So at
# the end the two families met.

# %% [markdown]
# ## 5 · A flow that knows a label
#
# One flow for three shapes: give every coupling's network the label as well, and it models $p(x \mid c)$. The label is
# not transformed, so log-det and inverse stay as they are.

# %% [markdown]
# ## Exercise 3 · A conditional coupling
#
# `x` is (B, 2), its first number $x_a$, its second $x_b$; `label` is (B,), whole numbers 0, 1, 2. `scale_and_shift`
# gives `log_s, t`, (B, 1) each, for a tensor (B, 4): first $x_a$, then the label as three numbers, a 1 at its place
# (*one-hot*). As always $z_b = (x_b + t)\, s$.


# %%
def conditional(x, label, scale_and_shift):
    return ..., ...  # z, log_det


# %% tags=["nbval-check-output"]
verdict = check.conditional(conditional)
verdict

# %% [markdown]
# `check.conditional.hint()` and `check.conditional.solution()` are there. A chain of eight, which learns three shapes:

# %%
SHAPES = ("moons", "rings", "heart")
data = torch.cat([toy2d.draw(shape, 7000) for shape in SHAPES])[:20_000]
labels = torch.arange(3).repeat_interleave(7000)[:20_000]
layer = conditional if verdict else check.conditional.answer()
torch.manual_seed(0)
networks = nn.ModuleList(plane_network(4, 2) for _ in range(8))


def log_prob_given(x, label):
    total = 0
    for each in networks:

        def scale_and_shift(seen, each=each):
            log_s, t = each(seen).chunk(2, 1)
            return 0.7 * log_s.tanh(), t

        x, log_det = layer(x, label, scale_and_shift)
        x, total = x.flip(1), total + log_det
    return standard_normal_log_prob(x) + total


# %%
learn(networks.parameters(), lambda which: -log_prob_given(data[which], labels[which]).mean(), 600)
maps = {
    shape: lambda x, label=label: log_prob_given(x, torch.full((len(x),), label)) for label, shape in enumerate(SHAPES)
}
density_maps(maps).shown()

# %% [markdown]
# And, for nothing, a classifier: by Bayes' rule the likeliest label of a point is the one whose density is highest
# there (the three labels are equally frequent).

# %% tags=["nbval-check-output"]
with torch.no_grad():
    points = {shape: toy2d.draw(shape, 500, seed=5) for shape in SHAPES}
    said = {shape: torch.stack([log_p(x) for log_p in maps.values()]).argmax(0) for shape, x in points.items()}
right = sum((said[shape] == label).float().mean().item() for label, shape in enumerate(SHAPES)) / 3
print("right more often than 60 % (by chance: 33 %):", right > 0.6)

# %% [markdown]
# ## 6 · Beyond pictures
#
# "The pitch of a musical sound" is one of the directions that the authors of Glow imagined. Here are notes of half a
# second, made from six harmonics, with known pitch, loudness, brightness and attack. Listen:

# %% tags=["varies: sound rather than text"]
from glowlab.sound import flow as sound
from glowlab.sound import notes

examples, truth = notes.draw(5, seed=4)
notes.audio(examples[:3])

# %%
figures.spectrograms(
    {f"{200 * known[0]:+.0f} cents": note for note, known in zip(examples[:4], truth[:4].tolist(), strict=True)},
    alt="Spectrograms of four notes: horizontal lines, the harmonics, at different heights, some fading in slowly.",
).shown()

# %% [markdown]
# 100 cents are a semitone. A note is a row of 2,048 samples of 8 bits: a picture one pixel high. A meter reads the
# pitch from the highest peak of its spectrum. Is the meter right?

# %% tags=["nbval-check-output"]
many, attributes = notes.draw(256, seed=6)
off = (notes.pitch(many) - 200 * attributes[:, 0]).abs().max().item()
print("the meter is right to 0.1 cent on 256 notes:", off < 0.1)

# %% [markdown]
# A slider is a straight line. Can it move a pitch? Samples of a wave go up *and* down as
# the pitch rises. So it matters how a note is written. Three *forms*, each an exact flow:
#
# - **samples**: 16 of them, one period of the middle pitch (250 Hz), become a *frame*
# - **Fourier coefficients** of each frame: a fixed 1x1 convolution, a rotation
# - **lengths and turns**: each coefficient's length, as a logarithm, and how far its angle turned since the last frame

# %%
guess = Prediction(
    "In which form can a straight line raise the pitch of a note?",
    ["samples", "Fourier coefficients", "lengths and turns"],
)
guess

# %%
runs = figures.load_runs("notes")
figures.reach(runs).shown()

# %% tags=["nbval-check-output"]
for each in runs:
    end, bits_each = each["pitch"][-1][1], each["curve"][-1][2]
    print(f"{each['form']:8} {each['coupling']:8} {bits_each:.2f} bits/sample   asked 200, moved {end:.0f} cents")
best = max(runs[:3], key=lambda run: run["pitch"][-1][1])
guess.outcome(
    figures.FORM_WORDS[best["form"]],
    "A tone 2 % too high turns 2 % further in each frame. So a higher pitch is a number added to the turns.",
)

# %% [markdown]
# The first two do not move at all. Each note has its own phase: a sample is as often positive as negative, whatever the
# pitch, and so are cosine and sine. The mean of the latents says nothing of pitch. That the likelihood gets better
# from form to form is no accident either: what is simple to say is simple to predict.

# %% [markdown]
# Bars show the middle 80 % of 64 notes. An affine coupling's scale depends on the note, so the slider takes each note
# another way. Additive couplings, as the paper took for faces, move all notes alike. That model learned for 100
# seconds, the others for 30; it is the one that ships:

# %%
model, directions = sound.load()
held_out_notes, _ = notes.draw(64, seed=2)
latents = model.encode(held_out_notes)
slid = {
    cents: model.decode(sound.move(latents, directions, "pitch", cents / 200)) for cents in (-200, -100, 0, 100, 200)
}
figures.spectrograms(
    {f"{cents:+} cents": slid[cents][0] for cents in (-200, 0, 200)},
    alt="Spectrograms of one note with its pitch slider at three places: lines move up, noise appears between them.",
).shown()

# %% tags=["varies: sound rather than text"]
notes.audio(torch.stack([slid[cents][0] for cents in slid]))

# %% tags=["nbval-check-output"]
print("samples that do not come back, of 64 notes:", (slid[0] != held_out_notes).sum().item())
before = notes.pitch(held_out_notes)
for cents in (-200, -100, 100, 200):
    low, middle, high = runs[-1]["pitch"][runs[-1]["stops"].index(cents / 200)]  # recorded
    moved = (notes.pitch(slid[cents]) - before).median().item()
    print(
        f"asked {cents:+} cents: moved {middle:+.0f}; eight of ten notes between {low:+.0f} and {high:+.0f};", end=" "
    )
    print("here the same, to 3 cents:", abs(moved - middle) < 3)

# %% [markdown]
# The other sliders are heard in the next cell: brightness at -1, 0, 1, then attack at -1, 0, 1.

# %% tags=["varies: sound rather than text"]
heard = [
    model.decode(sound.move([eps[:1] for eps in latents], directions, name, amount))
    for name in ("brightness", "attack")
    for amount in (-1.0, 0.0, 1.0)
]
notes.audio(torch.cat(heard))

# %%
shown = {"brightness -1": heard[0], "brightness 1": heard[2], "attack -1": heard[3], "attack 1": heard[5]}
figures.spectrograms(
    shown,
    alt="Spectrograms of a note: fewer and more upper lines; then with a quick and with a slow start.",
).shown()

# %% tags=["nbval-check-output"]
for name in ("loudness", "brightness", "attack"):
    low, high = (notes.measure(model.decode(sound.move(latents, directions, name, amount))) for amount in (-1.0, 1.0))
    up = (high[name] > low[name]).float().mean().item()
    astray = (high["pitch"] - low["pitch"]).abs().median().item()
    print(f"{name:10} rises for {up:.0%} of the notes; pitch moves by less than 5 cents: {astray < 5}")

# %% [markdown]
# ### And without learning?

# %%
guess = Prediction(
    "A new flow of notes, in the form of lengths and turns, that has learned nothing yet: asked for 200 cents, it ...",
    ["moves no pitch", "moves it by about 100", "moves it by nearly 200"],
)
guess

# %%
fresh = sound.NoteFlow("turns").train()
with torch.no_grad():
    fresh(pixels.dequantize(many))  # sets every ActNorm
fresh.eval()
some, known = notes.draw(1024, seed=7)
found = sound.find_directions(fresh.encode(some), known)
fresh_notes = fresh.decode(sound.move(fresh.encode(held_out_notes), found, "pitch", 1.0))

# %%
figures.spectrograms(
    {"the note": held_out_notes[0], "untrained": fresh_notes[0], "trained": slid[200][0]},
    alt="Spectrograms of a note, and of it moved up by 200 cents by the untrained and by the trained flow.",
).shown()

# %% tags=["nbval-check-output"]
moved = (notes.pitch(fresh_notes) - before).median().item()
with torch.no_grad():
    untrained = fresh.bits(held_out_notes, torch.Generator().manual_seed(0)).mean().item()
guess.outcome(
    guess.options[round(moved / 100)],
    "The form does it. Learning makes a better density: "
    f"from {untrained:.1f} bits a sample to {runs[-1]['curve'][-1][2]:.1f}.",
)

# %% [markdown]
# What does not work: look between the lines of a note that was moved far. There is noise now, and one hears it. At
# 200 cents the fifth harmonic turns by $5 \cdot 12\ \% = 61\ \%$ of a full turn in each frame. More than a half cannot
# be told from a turn the other way round. There the straight line breaks.

# %% [markdown]
# So the post was right: pitch can be a direction. But the flow did not find the form; we did, by thinking about
# sounds. In a picture of the spectrum a higher pitch is a shift upward, and a shift is no straight line, as for the
# head that would not turn in notebook 12b.

# %% [markdown]
# Every form was a flow, so nothing was lost, and even the log-det of "lengths and turns" is short: $-2 \sum \log r$,
# because an area in polar coordinates is $r\, dr\, d\varphi$. (The code is `glowlab/sound/flow.py`.)

# %% [markdown]
# ## 7 · Where the course ends
#
# You began with a picture that became numbers and came back. You know the parts that make this possible, what they
# cost, what they are good for and where they fail. [The course in one page](../docs/course.md) shows where today's
# models have their places in the family. The course has no further notebook, but it has [a
# project](../docs/project.md), which is yours.

# %% [markdown]
# ## Summary
#
# - Bits per dimension belong to one set of files; ImageNet 64 is the name of two.
# - A transformer in a coupling sees the whole picture; the coupling itself stays as it was.
# - An autoregressive flow takes one pass for a density, many for a draw.
# - Flow matching learns a velocity by regression; its divergence gives the exact density.
# - A straight line means something in the right form: a pitch is a turn in each frame.

# %% [markdown]
# **A harder question.** Flow matching pairs noise and data at random. Suppose that in a batch one pairs each $x$ with a
# $z$ near it instead, so that the lines cross less. What becomes of the learned field, and of the number of steps that
# a draw needs?
#
# <details><summary>One answer</summary>
#
# Where lines do not cross, the velocity that is wanted at a place has one value, and the mean over lines is that
# value. The learned ways become straighter, and a straight way needs few steps: a straight one at constant speed
# needs a single one. Pairs from a small optimal transport problem in each batch do this (Tong et al. 2023);
# "rectified flow" (Liu et al. 2023) makes new pairs by running a trained flow, and learns again. The distribution at
# the end stays the same, as long as the pairs have the right noise and the right data.
#
# </details>

# %% [markdown]
# **Next.** Nothing but your own questions. [The project](../docs/project.md) names some, and ends with a rubric.

# %% [markdown]
# **In the paper.** Kolesnikov et al. (2024), *Jet*. Zhai et al. (2024), *Normalizing flows are capable generative
# models* (TarFlow). Gu et al. (2025), *STARFlow*. Chen, Rubanova, Bettencourt and Duvenaud (2018), *Neural ordinary
# differential equations*. Lipman et al. (2023), *Flow matching for generative modeling*. Prenger et al. (2019),
# *WaveGlow*, for sound.
