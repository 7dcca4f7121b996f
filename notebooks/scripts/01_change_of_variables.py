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
# # 01 · Change of variables
#
# Put ink on a rubber band and stretch it. The ink gets paler, and none of it is lost. That is the whole of
# today's formula, and every likelihood in this course rests on it.
#
# **After this notebook you can** say how dense data are once you know where a flow takes them, get the sign
# right without looking it up, read a determinant as an area, add up log-dets by hand, and say what maximum
# likelihood is.

# %% [markdown]
# **Needs.** Notebook 00, slopes, and what a matrix does to a vector. No GPU, no training.
#
# **Minutes.** About 55 to read and 45 for the exercises; all cells run in under 15 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $z = f(x)$ | forward: data to latent | `Flow.forward` |
# | $x = f^{-1}(z)$ | the way back | `Flow.inverse` |
# | $\log p(z)$ | how dense latents are: standard normal | `standard_normal_log_prob` |
# | $J$ | the Jacobian: all slopes $\partial z_i / \partial x_j$ in a table | |
# | $\log \lvert\det J\rvert$ | log-det, in nats (section 2) | `Chain.forward` |
# | $\log p(x)$ | how dense data are | `Glow.log_density` |
# | $D$ | how many numbers $x$ has | `Glow.dims` |

# %% [markdown]
# ## 1 · Where does the ink go?
#
# In notebook 00 a flow turned faces into standard normal numbers. How dense those lie is well known: thick
# around 0, thin further out. But how dense are *faces*? All we have is the function between the two.

# %%
from glowlab.figures.glow_map import glow_map

glow_map("x", "z", "log_det")

# %% [markdown]
# Take the smallest case: one number $x$, one number $z = f(x)$, and a curve $f$ that only rises. Think of
# $p(z)$ as ink along the $z$ axis, and cut it into eight slabs that hold the same amount. Each slab goes
# across to the curve, and down to the $x$ axis. Before you see it:

# %%
from glowlab.checks import Prediction

guess = Prediction(
    "One slab meets a steep part of the curve, another a flat part. Both are equally high on the z axis. "
    "Which is denser on the x axis?",
    ["the steep one", "the flat one", "both alike"],
)
guess

# %%
from glowlab.figures.change_of_variables import add_handles, bent_curve, ink_slabs
from glowlab.figures.live import CheckBox, Live, Point, Slider

names = ["left", "middle", "right"]
points = [Point("left", (-1.2, -1.5)), Point("middle", (-0.2, 0.1)), Point("right", (1.4, 0.7))]


def slabs(left, middle, right, slab):
    curve = bent_curve(left, middle, right)
    return add_handles(ink_slabs(curve, slab), curve, names)


# %%
Live(slabs, *points, Slider("slab", "Slab", 1, 8, value=4, step=1))

# %% [markdown]
# Drag the three points. The ink on the $x$ axis gathers and thins, and its amount stays: a slab holds one
# eighth on either axis. At the right, its two shapes have the same area. So a slab can only be dense by being
# narrow. Which parts of the curve make it narrow?
#
# To be fair we compare slabs that are mirror images on the $z$ axis, and so equally high there: 2 and 7, 3 and 6,
# 4 and 5.

# %%
from glowlab.figures.change_of_variables import slab_edges

f = bent_curve(*[point.value for point in points])  # the curve as it was at first
z_edges = slab_edges(8)[1:-1]  # the six slabs in the middle
x_edges = f.inverse(z_edges)
steepness = z_edges.diff() / x_edges.diff()
on_z, on_x = (1 / 8) / z_edges.diff(), (1 / 8) / x_edges.diff()  # ink over width: the height

# %% tags=["nbval-check-output"]
print("slab  slope  high on z  high on x")
for pair in ((2, 7), (3, 6), (4, 5)):
    for slab in pair:
        i = slab - 2
        print(f"{slab:4}  {steepness[i]:5.2f}  {on_z[i]:9.2f}  {on_x[i]:9.2f}")

# %% tags=["nbval-check-output"]
steeper, denser = steepness > steepness.flip(0), on_x > on_x.flip(0)  # than its mirror image
guess.outcome(
    "the steep one" if (steeper == denser).all() else "the flat one",
    "A steep curve takes a narrow piece of the x axis to a wide piece of the z axis.",
)

# %% [markdown]
# ## 2 · Width times height
#
# A slab's ink is its width times its height, and going over does not change its ink:
#
# $$p(x)\,\Delta x = p(z)\,\Delta z \qquad\text{so}\qquad p(x) = p(z)\,\frac{\Delta z}{\Delta x}$$
#
# This holds in the mean over a slab. Make the slabs thinner, and $\Delta z / \Delta x$ becomes the slope at a
# point. The green line is $p(z)$ times the slope:

# %%
from glowlab.figures.change_of_variables import thinner_slabs

thinner_slabs(f).shown()

# %% [markdown]
# So in one dimension the **change of variables** reads
#
# $$p(x) = p(z)\,\left|\frac{dz}{dx}\right|, \qquad \log p(x) = \log p(z) + \log\left|\frac{dz}{dx}\right|$$
#
# with $z = f(x)$. The bars are there because $f$ may also fall all the way. Then its slope is negative, and
# ink never is. The last term is the **log-det**. In one dimension it is just the logarithm of a stretch.

# %% [markdown]
# Logarithms here are natural ones, and what they count is called **nats**. (With base 2 they are bits; a nat is
# $1 / \log 2 \approx 1.44$ bits.)

# %% [markdown]
# Slopes come from torch. Each $z$ depends on its own $x$ alone, so the derivative of the sum holds all of
# them:


# %%
import torch


def slope(f, x):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(f(x).sum(), x)[0]  # dz/dx, of the shape of x


# %% tags=["nbval-check-output"]
from glowlab.figures.change_of_variables import normal  # the standard normal density

x = torch.linspace(-4, 4, 4001, dtype=torch.float64)
print("same as the curve's own formula:", torch.allclose(slope(f, x), f.slope(x)))

# %% [markdown]
# ## 3 · Forget the Jacobian
#
# The factor is easily forgotten. After all, $p(f(x))$ looks like a density: high where $f$ takes $x$ to the
# middle, low elsewhere. Let us call it the naive one and measure it, for the plainest of all maps, $z = 2x$.

# %%
guess = Prediction("What is the area under the naive density p(2x)?", ["a half", "one", "two"])
guess

# %%
naive = normal(2 * x)
correct = normal(2 * x) * 2  # the slope of 2x is 2

# %% tags=["nbval-check-output"]
for name, p in {"base": normal(x), "naive": naive, "correct": correct}.items():
    print(f"{name:8} area {torch.trapezoid(p, x):.3f}")

# %% tags=["nbval-check-output"]
area = torch.trapezoid(naive, x)
guess.outcome(
    "a half" if area < 0.75 else "one" if area < 1.5 else "two",
    "Squeezing the curve sideways halves its area, and nothing makes up for it.",
)

# %%
from glowlab.figures.change_of_variables import density_curves

density_curves(
    x,
    {
        "base  p(z)": ("z", normal(x)),
        "naive  p(f(x))": ("pink", naive),
        "correct  p(f(x)) · 2": ("x", correct),
    },
).shown()

# %% [markdown]
# Half of the ink is missing under the naive curve: its probabilities add up to a half. Now bend the curve as
# you like. The three bars are areas, measured anew at every move. Can you find a curve where the naive one is
# right?


# %%
def forgetting(left, middle, right, forget):
    curve = bent_curve(left, middle, right)
    return add_handles(ink_slabs(curve, naive=forget, areas_too=True), curve, names)


Live(forgetting, *points, CheckBox("forget", "forget the Jacobian", value=True))

# %% [markdown]
# The area can hit 1 by chance, and the pink curve is still not the blue one. Only where the slope is 1
# everywhere do both agree.

# %% [markdown]
# ## 4 · What the log-det is for
#
# There is worse than a missing half. Training looks for the $f$ that makes the data most likely: the mean of
# $\log p(x)$ over the data shall be as high as possible. This is **maximum likelihood**. Suppose we fit $z = s\,x$
# to numbers from $-1$ to $1$, and look at that mean for smaller and smaller $s$.

# %%
data = torch.linspace(-1, 1, 201, dtype=torch.float64)
scales = torch.logspace(-2, 1, 601, dtype=torch.float64)
naive = torch.stack([normal(s * data).log().mean() for s in scales])
correct = naive + scales.log()  # the log-det of z = s x is log s, at every x

# %%
from glowlab.figures.scene import Scene

best = scales[correct.argmax()]
scene = Scene(f"Naive log p is highest where s shrinks to 0; the correct one peaks at s = {best:.2f}.", 250)
ticks = [(-2, "0.01"), (-1, "0.1"), (0, "1"), (1, "10")]
panel = scene.panel(x=(-2, 1), y=(-6.5, 0.5), xticks=ticks, xlabel="s", title="mean log p of the data")
panel.line(scales.log10(), naive, colour="pink")
panel.line(scales.log10(), correct, colour="log_det")
panel.dots([best.log10()], [correct.max()], colour="log_det", size=6)
panel.text(-1.5, -0.3, "naive", colour="pink", bold=True)
panel.text(-1.1, -4.6, "correct: naive + log s", colour="log_det", bold=True, anchor="start")
scene.shown()

# %% [markdown]
# Without the log-det the best flow is the one that crushes everything to 0, where the normal is highest. The
# log-det takes that away: $\log s$ falls without end. Between the two there is one best $s$. Where?

# %% tags=["nbval-check-output"]
root = data.square().mean().sqrt()
print(f"best s on the grid {best:.2f}, one over the spread of the data {1 / root:.2f}")

# %% [markdown]
# The best scale gives the data a spread of 1. Remember that for notebook 05, where ActNorm begins with just
# this scale.
#
# Likelihood also measures a distance. With $q$ the density that the data really have, the mean of
# $\log q(x) - \log p(x)$ over the data is $\text{KL}(q \,\|\, p)$, the Kullback-Leibler divergence. It is 0
# if $p = q$, and greater otherwise. Training cannot change $q$, so to make the data likely is to bring $p$ close to
# $q$.

# %% [markdown]
# ## 5 · Plus or minus?
#
# A wrong sign here is a common mistake. Ask, in this order:
#
# 1. Which way does my function go? Ours is `forward`, data to latent.
# 2. Where it stretches, how did the $x$ lie before? Closer together than the $z$.
# 3. Closer together is denser. So a stretch, $\log\lvert dz/dx\rvert > 0$, **adds**.
#
# Sampling knows no formula, so let it be the judge: draw $z$, go back to $x$, and count.

# %%
generator = torch.Generator().manual_seed(0)
z = torch.randn(20_000, dtype=torch.float64, generator=generator)
samples = f.inverse(z)

# %%
base, log_det = normal(f(x)).log(), slope(f, x).log()
plus, minus = (base + log_det).exp(), (base - log_det).exp()
curves = {"log p(z) + log-det": ("x", plus), "log p(z) − log-det": ("pink", minus)}
density_curves(x, curves, samples).shown()

# %% [markdown]
# Why then do some books have a minus? They begin at the other end, with $x = g(z)$, latent to data. The slopes
# of the two ways are reciprocal, so both say the same:
#
# | you hold | its slope | so |
# |---|---|---|
# | $z = f(x)$, as here | $dz/dx$ | $\log p(x) = \log p(z) + \log\lvert dz/dx\rvert$ |
# | $x = g(z)$ | $dx/dz$ | $\log p(x) = \log p(z) - \log\lvert dx/dz\rvert$ |

# %% [markdown]
# ## Exercise 1 · The density of x
#
# Write `log_prob`: it gets any $f$, rising or falling, and a batch `x` of shape (B,). It returns $\log p(x)$
# for each, in nats, where $z = f(x)$ is standard normal: $\log p(z) = -\tfrac12 z^2 - \tfrac12 \log 2\pi$. Use
# `slope` from above.


# %%
def log_prob(f, x):
    return ...


# %% tags=["nbval-check-output"]
from glowlab.checks import change_of_variables as check

check.log_prob(log_prob)

# %% [markdown]
# Stuck? Run `check.log_prob.hint()` in a cell of its own, more than once if you like.
# `check.log_prob.solution()` shows an answer, and how the package does it for any number of dimensions. There $x$
# is (B, ...), `eps` is the package's name for latents, $N(\epsilon; 0, I)$ is the standard normal density of all of
# them at once, and `sum_features` sums all axes but the batch.

# %% [markdown]
# ## 6 · Two numbers at once
#
# A pair $(x_1, x_2)$ becomes a pair $(z_1, z_2)$, and ink now lies on a sheet. What takes the place of the
# stretch? Begin with a matrix, $z = Wx$. It takes the unit square to a parallelogram. Drag its two corners:

# %%
from glowlab.figures.change_of_variables_areas import parallelogram

Live(parallelogram, Point("a", (1.6, 0.4)), Point("b", (-0.5, 1.2)))

# %% [markdown]
# The determinant is the area of the parallelogram. Lay the corners on one line, and it is 0: all ink on a
# line, and no way back. Drag them past each other, and the sheet is turned over: the F is mirrored, the
# determinant is negative, and the area is its size.

# %% [markdown]
# Ink over area, then. What lay on a square of area 1 now lies on $\lvert\det W\rvert$, so it was
# $\lvert\det W\rvert$ times as dense before:
#
# $$\log p(x) = \log p(z) + \log\lvert\det W\rvert$$
#
# In one dimension $W$ is a single number, the slope, and this is the formula of section 2.

# %% [markdown]
# ## Exercise 2 · The log-det
#
# Write `log_det`. It gets a batch of matrices, shape (B, 2, 2), and returns $\log\lvert\det\rvert$ of each, in
# nats, shape (B,). Some of them flip the sheet.


# %%
def log_det(J):
    return ...


# %% tags=["nbval-check-output"]
check.log_det(log_det)

# %% [markdown]
# `check.log_det.hint()` and `check.log_det.solution()` are there, as before. The package's way is for matrices of
# any size.

# %% [markdown]
# ## 7 · A bent sheet
#
# No matrix makes two moons out of a normal cloud. Flows bend. Here is a bend that can be undone: $x_1$ stays,
# and $x_2$ is shifted and stretched by amounts that depend on $x_1$.


# %%
def bend(x):
    x1, x2 = x.unbind(1)  # x (B, 2), data to latent
    return torch.stack([x1, (x2 + 0.8 - 0.3 * x1**2) * torch.exp(0.35 * x1)], 1)


def unbend(z):
    z1, z2 = z.unbind(1)
    return torch.stack([z1, z2 * torch.exp(-0.35 * z1) - 0.8 + 0.3 * z1**2], 1)


# %% [markdown]
# Look closely enough at a smooth curve, and it is a line. Look closely enough at a bent sheet, and it is a
# matrix: the **Jacobian** $J$, whose row $i$ holds the slopes of $z_i$. `slope` from above, once for each row:


# %%
def jacobian(f, x):
    x = x.clone().requires_grad_()
    z = f(x)  # (B, 2)
    rows = [torch.autograd.grad(z[:, i].sum(), x, retain_graph=True)[0] for i in range(2)]
    return torch.stack(rows, 1)  # (B, 2, 2)


# %%
from glowlab.figures.change_of_variables_areas import magnified_square


def look(at, side):
    return magnified_square(bend, unbend, at, side)


Live(look, Point("at", (1.2, 0.2)), Slider("side", "Side of the square", 0.1, 2.0, value=1.2, step=0.1))

# %% [markdown]
# Right: latent space, with a regular grid. Left: where `unbend` takes it. Every cell keeps its ink, so it
# darkens where it shrinks. Drag the square, and make it smaller. Its image (grey) closes up to the
# parallelogram of $J$ (green), and the two areas agree.

# %% [markdown]
# So the formula holds at every $x$ with that point's own $J$. Is the ink all there? Measure it, on a fine grid
# over the plane of $x$:
#
# $$\log p(x) = \log p(z) + \log\left|\det\frac{\partial z}{\partial x}\right|$$

# %%
from glowlite.glow import standard_normal_log_prob


def log_abs_det(J):
    return torch.linalg.slogdet(J)[1]  # [0] is the sign


# %%
side = torch.linspace(-12, 12, 801, dtype=torch.float64)
grid = torch.cartesian_prod(side, side)  # (641601, 2)
log_p = standard_normal_log_prob(bend(grid)) + log_abs_det(jacobian(bend, grid))

# %% tags=["nbval-check-output"]
cell = (side[1] - side[0]) ** 2
naive = standard_normal_log_prob(bend(grid)).exp().sum() * cell
print(f"ink on the sheet: {log_p.exp().sum() * cell:.3f}, with the Jacobian forgotten: {naive:.3f}")

# %% [markdown]
# ## 8 · One after another
#
# Glow is dozens of maps in a row. After the first, an area is $\lvert\det J_1\rvert$ times as large; after the
# second, $\lvert\det J_2\rvert$ times that. Factors multiply, so their logarithms add. Here `sway` goes first.


# %%
def sway(x):
    x1, x2 = x.unbind(1)
    return torch.stack([(x1 - 0.6 * torch.sin(1.5 * x2)) * torch.exp(0.4 * torch.tanh(x2)), x2], 1)


# %%
from glowlab.figures.change_of_variables_areas import maps_in_a_row


def both(at):
    return maps_in_a_row({"sway": sway, "bend": bend}, at)


Live(both, Point("at", (-0.9, 0.5)))

# %% [markdown]
# Drag the cell over the sheet. Each map's Jacobian is taken where the cell has got to by then, and the green
# arrows follow one another. One map may undo what the other did to the area.

# %% [markdown]
# ## Exercise 3 · By hand
#
# With pencil and paper, and without autograd: $y = \text{sway}(x)$, then $z = \text{bend}(y)$. Derive
# $\log\lvert\det\rvert$ of the way from $x$ to $z$, and write it as a formula of $x$ and $y$, both (B, 2). It
# returns nats, shape (B,).


# %%
def log_det_of_both(x, y):
    return ...


# %% tags=["nbval-check-output"]
check.log_det_of_both(log_det_of_both)

# %% [markdown]
# `check.log_det_of_both.hint()` and `check.log_det_of_both.solution()` are there. Is your formula as good as
# autograd? Dots on the line say so:

# %%
x = 1.5 * torch.randn(200, 2, generator=generator)
autograd = log_abs_det(jacobian(lambda x: bend(sway(x)), x))
formula = log_det_of_both(x, sway(x)) if check.log_det_of_both(log_det_of_both) else torch.zeros(0)
scene = Scene("A diagonal line, with a dot for each point where the formula and autograd agree.", 230)
panel = scene.panel(x=(-2, 2), y=(-2, 2), equal=True, xlabel="autograd", title="your formula")
panel.line([-2, 2], [-2, 2], colour="faint")
panel.dots(autograd[: len(formula)], formula, colour="log_det", size=2)
scene.shown()

# %% [markdown]
# ### Built by hand
#
# This is a whole flow: a scale and a shift for each number, the log-det, the way back.


# %%
class Affine:
    def __init__(self, s, b):
        self.s, self.b = s, b

    def forward(self, x):  # (B, 2) -> (B, 2), (B,)
        return x * self.s + self.b, self.s.abs().log().sum().expand(len(x))

    def inverse(self, z):
        return (z - self.b) / self.s


# %% [markdown]
# Its Jacobian is diagonal, so the determinant is the product of the scales. The package calls this layer
# ActNorm. Let it take its scale from some data (notebook 05 tells how), and compare:

# %%
from glowlite.flows import ActNorm

x = torch.randn(500, 2, generator=generator) * torch.tensor([2.0, 0.5]) + torch.tensor([1.0, -1.5])
norm = ActNorm(2)
norm.initialize(x)
mine = Affine(norm.log_scale().exp().detach(), norm.b.detach())

# %% tags=["nbval-check-output"]
z, log_dets = mine.forward(x)
z_norm, log_dets_norm = norm(x)
same = torch.allclose(z, z_norm, atol=1e-6) and torch.allclose(log_dets, log_dets_norm, atol=1e-6)
assert same
print("same as glowlite:", same, "| there and back:", torch.allclose(mine.inverse(z), x, atol=1e-5))

# %% [markdown]
# What does its sheet look like? The dots are the data. A scale and a shift can only move the sheet and make it
# wider or narrower:

# %%
from glowlab.figures.warp import warped_grid

scene = Scene("Dots in a wide flat cloud on a stretched sheet; as latents, a round cloud around 0.", 260)
view = {"x": (-6.5, 8.5), "y": (-4, 4), "equal": True}
left, right = scene.panel(title="data x", **view), scene.panel(title="latent z", **view)
warped_grid(left, mine.inverse, cells=12, colour="x", edge="faint")
warped_grid(right, lambda z: z, cells=12, colour="z", edge="faint")
left.dots(*x[:200].T, colour="ink", size=1.5)
right.dots(*z[:200].T, colour="ink", size=1.5)
scene.shown()

# %% [markdown]
# And this is a row of flows. Each hands its $z$ on, and the log-dets are added up:


# %%
def chain(flows, x):
    total = 0
    for flow in flows:
        x, log_det = flow.forward(x)
        total = total + log_det
    return x, total


# %%
from glowlite.flows import Chain, InvertibleConv1x1

turn = InvertibleConv1x1(2, torch.Generator().manual_seed(1))  # a matrix W, at first a rotation
with torch.no_grad():
    turn.weight.mul_(1.5)  # and now it stretches, too

# %% [markdown]
# Is it the package's `Chain`? And do its log-dets agree with the Jacobian of the whole row, which knows
# nothing of the single flows?

# %% tags=["nbval-check-output"]
z, total = chain([norm, turn, norm], x)
z_chain, total_chain = Chain(norm, turn, norm)(x)
same = torch.allclose(z, z_chain, atol=1e-6) and torch.allclose(total, total_chain, atol=1e-6)
assert same
print("same as glowlite:", same)
whole = log_abs_det(jacobian(lambda x: chain([norm, turn, norm], x)[0], x))
print("same as the log-det of the whole:", torch.allclose(total, whole, atol=1e-4))

# %% [markdown]
# ## 9 · What it costs
#
# The same formula runs in the model of notebook 00, for 12,288 numbers at a time. Here it is, on one face:

# %%
import glowlite
from glowlab.figures.rows import latent_picture, row
from glowlite import pixels
from glowlite.data import faces

model = glowlite.load("faces64")
face = faces.draw(1, seed=2).images
with torch.no_grad():
    x_face = pixels.to_float(face)  # (1, 3, 64, 64)
    z_face, log_det_face = model(x_face)
    log_p_z = sum(standard_normal_log_prob(eps) for eps in z_face)

# %%
row(
    [face, latent_picture(z_face[0])],
    [f"log p(x) = {model.log_density(x_face).item():,.0f}", f"log p(z) = {log_p_z.item():,.0f}"],
    arrows=[f"{log_det_face.item():+,.0f}"],
    alt="A face with its log density, and its latents with theirs; over the arrow between them the log-det.",
)

# %% tags=["nbval-check-output"]
same = torch.allclose(model.log_density(x_face), log_p_z + log_det_face)
print(f"log p(x) = log p(z) + log-det: {same};  the Jacobian has {model.dims**2:,} slopes")

# %% [markdown]
# The log-det, over the arrow, is huge and positive: faces are very few among all pictures, and forward has to
# stretch them over the whole normal cloud. But 151 million slopes for one face? And a determinant takes some
# $\tfrac13 D^3$ multiplications on top. How long would that be?

# %% tags=["varies: seconds of this machine"]
import time

start = time.perf_counter()
torch.linalg.slogdet(torch.randn(1024, 1024, generator=generator))
seconds = time.perf_counter() - start
days = seconds * (model.dims / 1024) ** 3 * 10_000 / 86_400
print(f"D = 1024: {seconds:.3f} s.  D = 12,288, each of 10,000 faces once: {days:,.0f} days")

# %% [markdown]
# And training looks at each face many times. Yet `model(x_face)` came back at once. It never made that table.
# It is built from maps whose determinant can be read off, and you have met one. This is the Jacobian of `bend`
# at two points:

# %% tags=["nbval-check-output"]
two = torch.tensor([[-1.0, 0.5], [1.5, -1.0]], dtype=torch.float64)
J = jacobian(bend, two)
print(J.numpy().round(2))

# %% [markdown]
# A 0 in the upper right corner, always: $z_1$ does not depend on $x_2$. The determinant of such a triangular
# matrix is the product of its diagonal, whatever stands below it. That takes $D$ multiplications.

# %%
scene = Scene("Three 12 x 12 matrices: one full, one with zeros above the diagonal, one diagonal.", 230)
full = torch.randn(12, 12, generator=generator)
kinds = {"any: ⅓ D³": full, "triangular: D": full.tril(), "diagonal: D": full.diag().diag()}
for name, matrix in kinds.items():
    panel = scene.panel(title=name, equal=True, xticks=[], yticks=[])
    panel.image(matrix, colours="diverging")
scene.shown()

# %% tags=["nbval-check-output"]
from_diagonal = J.diagonal(dim1=1, dim2=2).log().sum(1)
print("the diagonal is enough:", torch.allclose(from_diagonal, log_abs_det(J)))

# %% [markdown]
# So the plan for Glow: many maps in a row, each with an inverse, each with a Jacobian that is triangular,
# diagonal or small. The first of them bends as a network tells it. That is the next notebook.

# %% [markdown]
# ## Summary
#
# - Where forward stretches by 2, the ink was twice as dense before: none is lost.
# - So a stretch adds: $\log p(x) = \log p(z) + \text{log-det}$.
# - Maximum likelihood: training raises the mean of $\log p(x)$; without the log-det it crushes all to a point.
# - The determinant is the factor on areas. Its sign tells of flips, and ink ignores it.
# - Maps in a row add their log-dets. One costs $D^3$, unless its map is made to be cheap.

# %% [markdown]
# **A harder question.** Let $p(z)$ be flat instead: 1 between 0 and 1, and 0 elsewhere. Which $f$ makes $x$
# standard normal? You know its slope everywhere before you know the function. What is its name?
#
# <details><summary>One answer</summary>
#
# Where $p(z) = 1$, all of $p(x)$ is slope. So $dz/dx$ is the normal density, and $f$ sums it up from the left: the
# normal's cumulative distribution function, $\Phi$ (`torch.special.ndtr`). Its inverse, `torch.special.ndtri`,
# turns `torch.rand` into normal numbers.
#
# </details>

# %% [markdown]
# **Next.** 02, Coupling layers: maps that bend as they please, with a determinant that costs next to nothing.
#
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 2; Dinh et al. (2014), *NICE*, section 2.
