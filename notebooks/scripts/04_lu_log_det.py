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
# # 04 · LU and a cheap log-det
#
# A matrix that mixes $C$ channels has $C^2$ numbers, and its log-determinant seems to need all of them, in
# $C^3$ steps. Here is a matrix that keeps its log-determinant in plain sight: $C$ numbers, to be added up.
#
# **After this notebook you can** read a determinant off a triangle, build a 1x1 convolution from $P$, $L$ and
# $U$, undo it without inverting anything, test whether any layer counts its log-det right, and say what LU saves.

# %% [markdown]
# **Needs.** Notebook 03: the 1x1 convolution and its log-det, $h w \log |\det W|$.
#
# **Minutes.** About 35 to read and 45 for the exercises; all cells run in under 15 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $C$ | how many channels a picture has | `GlowConfig.shape` |
# | $h$, $w$ | its height and width in pixels | `GlowConfig.shape` |
# | $W$ | the $C \times C$ matrix that mixes channels | `InvertibleConv1x1LU.matrix` |
# | $P$, $L$, $U$ | permutation, lower triangle, upper triangle | `InvertibleConv1x1LU.factors` |
# | $\log s$ | logs of the sizes on $U$'s diagonal | `InvertibleConv1x1LU.log_s` |
# | $\log \lvert\det W\rvert$ | their sum | `InvertibleConv1x1LU.log_abs_det` |

# %% [markdown]
# ## 1 · What does a log-det cost?
#
# The 1x1 convolution of notebook 03 needs `slogdet(W)` at every step of training, in every layer. What does
# that cost when there are more channels? Let us look at the clock.

# %%
import time

import torch

from glowlab.figures import lu_log_det as figures

CHANNELS = [8, 16, 32, 64, 128, 256, 512]


def seconds(work, repeats=7):
    work()  # once to warm up
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return sorted(times)[repeats // 2]  # the median


# %%
generator = torch.Generator().manual_seed(0)
matrices = [torch.randn(C, C, generator=generator) for C in CHANNELS]
by_slogdet = [seconds(lambda W=W: torch.linalg.slogdet(W)) for W in matrices]
figures.time_curves(CHANNELS, {"one log-det": {"slogdet(W)": by_slogdet}})

# %% [markdown]
# Both axes are logarithmic, so a power $C^p$ is a straight line of slope $p$. With few channels the clock
# mostly measures the call itself. With many the line bends up towards $C^3$: eliminating one unknown after
# another takes about $C^3 / 3$ multiplications. (The times are those of the machine that built this page;
# yours differ. Hover over a point to read its time.)

# %%
from glowlab.figures.glow_map import glow_map

glow_map("mixing", "log_det")

# %% [markdown]
# ## 2 · Matrices that show their determinant
#
# A determinant is a change of volume. So let us take a square and move it by three special matrices, one
# after the other:
#
# - $U$, an **upper triangle**: two stretches on its diagonal, and one number beside it;
# - $L$, a **lower triangle** with ones on its diagonal, and one number below it;
# - $P$, a **permutation**, which swaps the axes or not.

# %%
from glowlab.checks import Prediction

guess = Prediction(
    "Five things can be moved: both stretches, the number in U, the number in L, the swap. Which change the area?",
    ["all of them", "the stretches and the swap", "the stretches alone"],
)
guess

# %%
from glowlab.figures.live import CheckBox, Choice, Live, Slider


def square(log_s1, log_s2, u, l, swap):
    s1, s2 = torch.tensor([log_s1, log_s2]).exp().tolist()
    U = torch.tensor([[s1, u], [0.0, s2]])
    L = torch.tensor([[1.0, 0.0], [l, 1.0]])
    P = torch.eye(2).flip(0) if swap else torch.eye(2)
    return figures.square_through_factors({"U": U, "L": L, "P": P})


Live(
    square,
    Slider("log_s1", "log s, first", -0.4, 0.4, 0.2),
    Slider("log_s2", "log s, second", -0.4, 0.4, 0.0),
    Slider("u", "number in U", -0.6, 0.6, 0.5),
    Slider("l", "number in L", -0.6, 0.6, -0.4),
    CheckBox("swap", "P swaps the axes", True),
)

# %% tags=["nbval-check-output"]
guess.outcome(
    "the stretches alone",
    "What stands beside a diagonal only shears: base and height stay. A swap mirrors, which keeps the size.",
)

# %% [markdown]
# It is the same with more channels. The numbers below a diagonal of ones, or above any diagonal, do not count:
# the determinant of a triangle is the **product of its diagonal**. (You met that in notebook 02: the
# Jacobian of a coupling is a triangle.)

# %% tags=["nbval-check-output"]
U = torch.randn(6, 6, generator=generator, dtype=torch.float64).triu()
L = torch.randn(6, 6, generator=generator, dtype=torch.float64).tril(-1) + torch.eye(6)
print("det U is the product of its diagonal:", torch.allclose(torch.linalg.det(U), U.diagonal().prod()))
print("det L is 1:", torch.allclose(torch.linalg.det(L), torch.ones(()).double()))

# %% [markdown]
# ## 3 · Any matrix from such pieces
#
# Gaussian elimination, which you know from solving equations, says more: every invertible matrix is a product
# $W = P L U$. `torch.linalg.lu` does it. Let us take apart the random orthogonal matrix from which a 1x1
# convolution starts: a rotation, or a rotation and a mirror.

# %%
generator = torch.Generator().manual_seed(4)
gaussian = torch.randn(12, 12, generator=generator, dtype=torch.float64)
W, _ = torch.linalg.qr(gaussian)  # W W^T = I, so det W is 1 or -1
P, L, U = torch.linalg.lu(W)
figures.factor_maps(P, L, U, U.diagonal().abs().log().sum()).shown()

# %% [markdown]
# Blue is below 0, orange above. Nearly all of $W$'s numbers went into the two triangles; $P$ says in which
# order to take the rows. (It is needed: a swap of two channels is $P$ alone, and no $L U$ equals it.) The
# determinants of $W$ and of $U$ have the same size, and perhaps another sign:
#
# $$\log |\det W| = \sum_i \log |u_{ii}|$$

# %% [markdown]
# Here it is 0: neither a rotation nor a mirror changes a volume. Now the layer: stretch the diagonal a little,
# apply the product at every pixel, count the log-det once for each. The package's layer, drawn from the same
# seed and stretched alike, must agree:

# %% tags=["nbval-check-output"]
from glowlite.flows import InvertibleConv1x1, InvertibleConv1x1LU

stretch = torch.rand(12, generator=generator)
stretched = U.triu(1) + torch.diag(U.diagonal() * stretch.exp())  # now the log-det is not 0
x = torch.randn(2, 12, 16, 16, generator=generator).double()  # (B, C, h, w)
z = torch.einsum("ij,bjhw->bihw", P @ L @ stretched, x)
log_det = 16 * 16 * stretched.diagonal().abs().log().sum()

layer = InvertibleConv1x1LU(12, torch.Generator().manual_seed(4)).double()
layer.log_s.data += stretch
their_z, their_log_det = layer(x)
same = torch.allclose(z, their_z, atol=1e-6) and torch.allclose(log_det, their_log_det[0], rtol=1e-6)
assert same
print("same as glowlite:", same)

# %% [markdown]
# ## 4 · Keep the factors, forget W
#
# But to factor $W$ at every step costs $C^3$ again. So start at the other end: **let the factors be the parameters.**
# Training moves $L$ below its diagonal, $U$ above its own, and the diagonal itself, written as
#
# $$u_{ii} = \pm\, s_i = \pm\, e^{\log s_i}$$
#
# The permutation and the signs stay as they were drawn. An exp is never 0, so $W$ can never become singular.

# %% [markdown]
# Move one of these parameters, and watch $W$ and the log-det. First, decide (rows and columns are counted from
# 0):

# %%
guess = Prediction(
    "A single number of L is moved, in row 7 and column 2. How many of W's 144 entries change?",
    ["1", "10", "100", "all 144"],
)
guess

# %%
PLACES = {"L": (7, 2), "U": (2, 7), "log_s": 4}


def nudge(which, amount):
    moved = InvertibleConv1x1LU(12, torch.Generator().manual_seed(4)).requires_grad_(False)
    getattr(moved, which)[PLACES[which]] += amount
    marked = ("U", 4, 4) if which == "log_s" else (which, *PLACES[which])
    return figures.factor_maps(*moved.factors(), moved.log_abs_det(), marked)


Live(
    nudge,
    Choice("which", "Move", {"L": "a number of L", "U": "a number of U", "log_s": "log s of a channel"}),
    Slider("amount", "by", -1.0, 1.0, 0.8, rest=0.0),
)

# %% tags=["nbval-check-output"]
moved = InvertibleConv1x1LU(12, torch.Generator().manual_seed(4)).requires_grad_(False)
W = moved.matrix()
moved.L[7, 2] += 0.8
changed = ((moved.matrix() - W).abs() > 1e-6).sum().item()
guess.outcome(
    str(changed),
    "One row of W gets 0.8 times row 2 of U more, and that begins at column 2. The log-det stays.",
)

# %% [markdown]
# ## Exercise 1 · W from its factors
#
# Build $W = P\,(L + I)\,(U + \operatorname{diag}(\text{sign} \cdot e^{\log s}))$.
#
# `P`, `L` and `U` are (C, C), `sign` and `log_s` are (C,). Parameters come as full tables: of `L` only the
# numbers strictly below the diagonal count, of `U` only those strictly above.


# %%
def build_w(P, L, U, sign, log_s):
    W = ...
    return W


# %% tags=["nbval-check-output"]
from glowlab.checks import lu_log_det as check

check.build_w(build_w)

# %% [markdown]
# Stuck? `check.build_w.hint()` gives one hint at a time, `check.build_w.solution()` a worked answer and then the
# package's own lines.

# %% [markdown]
# ## Exercise 2 · Does this layer count right?
#
# A wrong log-det raises no error. Training even likes it: if a layer counts too much, the likelihood looks better
# than it is. So write a test for *any* layer, of which you know neither formula nor weights: you can only call
# `z, log_det = layer(x)`, with `x` (B, C, h, w). Give back True where `log_det` is that of the layer's Jacobian,
# else False. The check hands you eight layers; six of them count wrong.


# %%
def counts_right(layer, x):
    return ...  # True or False


# %% tags=["nbval-check-output"]
check.counts_right(counts_right)

# %% [markdown]
# Such a test finds nearly every fault in a flow that you write yourself. (It is for small pictures: the Jacobian of
# a whole face has $12288^2$ numbers.) Here is the Jacobian of a right layer, with the numbers of each pixel side by
# side. $W$ stands in it $h w$ times:

# %%
figures.jacobian_of_pixels(InvertibleConv1x1LU(4, torch.Generator().manual_seed(1)).matrix(), pixels=6).shown()

# %% [markdown]
# Training needs more than the log-det: its gradient. For LU, each $\log s_i$ pulls with $h w$, whatever the rest
# of the matrix does. For a plain $W$ it is $h w$ times $W^{-\top}$, an inverse at every step. Autograd agrees:

# %% tags=["nbval-check-output"]
plain = InvertibleConv1x1(12, torch.Generator().manual_seed(4)).double()
(pull_of_w,) = torch.autograd.grad(plain(x)[1][0], plain.weight)
(pull_of_log_s,) = torch.autograd.grad(layer(x)[1][0], layer.log_s)
print("log s pulls with h w:     ", torch.equal(pull_of_log_s, torch.full((12,), 256.0).double()))
print("W pulls with h w inv(W).T:", torch.allclose(pull_of_w, 256 * plain.weight.inverse().T, atol=1e-3))

# %% [markdown]
# ## 5 · What is saved?

# %%
guess = Prediction(
    "How much longer does sum(log_s) take for 512 channels than for 8?",
    ["less than 4 times", "about 64 times", "about 262,144 times"],
)
guess

# %%
log_s = [W.diagonal().clone() for W in matrices]
by_sum = [seconds(lambda s=s: s.sum()) for s in log_s]
figures.time_curves(CHANNELS, {"one log-det": {"slogdet(W)": by_slogdet, "sum(log_s)": by_sum}})

# %% tags=["varies: rests on measured times"]
times = by_sum[-1] / by_sum[0]
guess.outcome(
    "less than 4 times" if times < 4 else "about 64 times" if times < 4000 else "about 262,144 times",
    "There are 64 times as many additions, and 512 additions still take less time than the call itself.",
)

# %% [markdown]
# So the log-det has become free. Is the *layer* free? No. It multiplies $P$, $L$ and $U$ to get $W$, and a
# product of matrices costs $C^3$, too. Then $W$ is applied to every pixel, $C^2$ each. Let us time all of
# it, forward and backward, with 8 pictures of 4 by 4 pixels:


# %%
def step(kind, C):
    layer, x = kind(C, generator), torch.randn(8, C, 4, 4, generator=generator)

    def work():
        z, log_det = layer(x)
        (z.sum() - log_det.sum()).backward()

    return work


layers = {"plain W": InvertibleConv1x1, "P, L, U": InvertibleConv1x1LU}
whole = {name: [seconds(step(kind, C)) for C in CHANNELS] for name, kind in layers.items()}

# %%
alone = {"slogdet(W)": by_slogdet, "sum(log_s)": by_sum}
figures.time_curves(CHANNELS, {"one log-det": alone, "the whole layer": whole})

# %% [markdown]
# On the right the two lines lie close together, and which is lower depends on size and machine. That is what
# the authors found as well: they expected a gain for large $C$, and in their networks measured hardly any.
# Where there are few pixels and many channels, one can apply the factors one after another, $P(L(Ux))$, and
# the $C^3$ is gone altogether.

# %% [markdown]
# How much is it in a real model? Here is one step of flow from the trained one, at its deepest level, 96
# channels of 4 by 4 pixels, on 32 pictures:

# %% tags=["varies: seconds of this machine"]
import glowlite

model = glowlite.load("faces64")
deep = model.levels[3].steps.flows[1]  # the first step of the last level
x96, W96 = torch.randn(32, 96, 4, 4, generator=generator), torch.randn(96, 96, generator=generator)
share = seconds(lambda: torch.linalg.slogdet(W96)) / seconds(lambda: deep(x96))
print(f"slogdet would be about {100 * share:.1f} % of this step, forward")

# %% [markdown]
# So at the sizes of Glow LU saves little time. What else it gives: a log-det and a gradient that cost nothing
# (`slogdet` is as exact, but not free), a $W$ that cannot become singular, and the next exercise.

# %% [markdown]
# ## Exercise 3 · Back through two triangles
#
# A triangular system is solved from its corner, one unknown after another, at $C^2$ for each pixel. No
# inverse is needed:

# %% tags=["nbval-check-output"]
A = torch.tensor([[2.0, 0.0], [3.0, 1.0]])  # 2 x1 = 4, then 3 x1 + x2 = 7
print(torch.linalg.solve_triangular(A, torch.tensor([[4.0], [7.0]]), upper=False).flatten())

# %% [markdown]
# Undo $z = P L U x$. Here `lower` and `upper` are the full triangles, with their diagonals, and `z` is
# (C, N): a column for each of N pixels.


# %%
def undo(z, P, lower, upper):
    return ...  # x, (C, N)


# %% tags=["nbval-check-output"]
check.undo(undo)

# %% [markdown]
# (The package undoes $P$, $L$ and $U$ for all $C$ columns of the identity at once and keeps the result,
# $W^{-1}$, until a weight changes: an explorer decodes many pictures with the same weights.)

# %% [markdown]
# ## 6 · What training makes of them
#
# The shipped model has 32 such layers, all of them trained. We can also look at them before training: the first
# weights follow from the seed in its configuration.

# %%
start = glowlite.Glow(model.config)  # the same model before training


def lu_layers(glow):
    return [part for part in glow.modules() if isinstance(part, InvertibleConv1x1LU)]


before, after = lu_layers(start), lu_layers(model)


def compare(layer):
    return figures.before_after_training(before, after, layer)


Live(compare, Slider("layer", "Layer", 1, len(after), 4, buttons=True))

# %% [markdown]
# The patterns stay: training bends the matrix it was given, it does not look for another one. But
# look at $W W^\top$, which is the identity for an orthogonal matrix. After training it is not: some mixtures of
# channels are stretched, others shrunk. (The smallest and the largest of the singular values, `svdvals`, are the
# least and the greatest stretch of any direction.) Toward the end the log-det has left 0, too, most of all in the
# last level, from layer 25 on.

# %% tags=["nbval-check-output"]
same = [torch.equal(a.order, b.order) and torch.equal(a.sign, b.sign) for a, b in zip(before, after, strict=True)]
print("P and the signs never moved:", all(same), "in", len(same), "layers")
pairs = [(a.matrix().flatten(), b.matrix().flatten()) for a, b in zip(before, after, strict=True)]
alike = min(torch.cosine_similarity(a, b, dim=0).item() for a, b in pairs)
print(f"W before and after, cosine of the angle between them: {alike:.1f} or more")
stretches = torch.linalg.svdvals(after[25].matrix().detach())
print(f"layer 26 stretches by {stretches.min():.1f} to {stretches.max():.1f}, before by 1")

# %% [markdown]
# ## Summary
#
# - A triangle's determinant is the product of its diagonal; a permutation's is 1 or $-1$.
# - $W = P\,(L + I)\,(U + \operatorname{diag}(\pm s))$, with the factors as parameters and $P$, signs fixed.
# - Then the log-det is $h w \sum \log s$: $C$ additions instead of $C^3$ steps.
# - The product still costs $C^3$, so the layer as a whole is hardly faster at Glow's sizes.
# - The way back is two triangular solves, and $W$ can never become singular.

# %% [markdown]
# **A harder question.** $P$ and the signs stay as they were drawn. Take two channels, $P = I$ and signs
# $(+, -)$. Can training reach the swap, with rows $(0, 1)$ and $(1, 0)$? Write $W$ with $\ell$, $u$, $s_1$,
# $s_2$ and see where these would have to go. Does it matter?
#
# <details><summary>One answer</summary>
#
# $W$ has the rows $(s_1, u)$ and $(\ell s_1, \ell u - s_2)$. With $s_1 = \varepsilon$, $u = 1$ and
# $\ell = s_2 = 1/\varepsilon$ they are $(\varepsilon, 1)$ and $(1, 0)$: as close as one likes, never there. It
# hardly matters: training bends the $W$ it was given only a little.
#
# </details>

# %% [markdown]
# **Next.** 05, ActNorm and a calm start: why thirty layers do not blow up.
#
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 3.2, "LU decomposition".
