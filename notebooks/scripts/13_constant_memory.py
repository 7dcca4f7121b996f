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
# # 13 · Memory that does not grow
#
# A network that trains has to remember what it saw on the way, and the deeper it is, the more. A flow can forget: it
# finds its inputs again by its inverse.
#
# **After this notebook you can** count what training keeps in memory, write the backward pass of a reversible step,
# choose between three ways to remember, and say when the reversible one gives wrong gradients.

# %% [markdown]
# **Needs.** Notebook 02 (coupling layers) and the chain rule. Section 8 returns to rounding errors, from notebook 05.
# No GPU.
#
# **Minutes.** About 65 to read and 30 for the exercises; all cells run in under 30 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $K$ | steps of flow in a level | `GlowConfig.depth` |
# | $x$, $z$ | input and output of a step | `FlowStep.forward` |
# | $x_a$, $x_b$ | the halves of its channels: the first stays, the second moves | `Coupling.halves` |
# | $g_z$ | gradient of the loss by $z$; as large as $z$ | `reversible.Reversible.backward` |
# | $g_\ell$ | gradient of the loss by the log-det; one number for each picture | `reversible.Reversible.backward` |

# %% [markdown]
# ## 1 · Why does training need memory at all?
#
# Drawing a face needs little memory: a layer's input may be forgotten as soon as its output is there. Training the
# same model on the same picture needs many times more. Why?

# %%
from glowlab.checks import Prediction

guess = Prediction(
    "PyTorch computes y and will later be asked for gradients. For which y need it keep no numbers?",
    ["y = w * x", "y = x + w", "y = exp(x)"],
)
guess

# %% [markdown]
# PyTorch tells us about each tensor that it keeps for the backward pass (`saved_tensors_hooks`). The next function
# adds up their bytes. What is in memory anyway, such as the weights, goes into `known` and does not count.

# %%
import torch


def kept(run, known=()):
    """Bytes that autograd keeps for the backward pass of `run()`; a tensor counts once."""
    known = {tensor.untyped_storage().data_ptr() for tensor in known}
    found = {}

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        run()
    return sum(found.values())


# %%
w, x = torch.randn(2, 1000, generator=torch.Generator().manual_seed(0)).unbind()
w, x = w.clone().requires_grad_(), x.clone().requires_grad_()
tried = {"y = w * x": lambda: w * x, "y = x + w": lambda: x + w, "y = exp(x)": lambda: x.exp()}
sizes = {name: kept(run) for name, run in tried.items()}

# %% tags=["nbval-check-output"]
guess.outcome(
    min(sizes, key=sizes.get),
    f"Of 1000 numbers each, w * x keeps {sizes['y = w * x']:,} bytes (both), exp(x) keeps "
    f"{sizes['y = exp(x)']:,} (its own result, which is its derivative). A sum has derivative 1, whatever x is.",
)

# %% [markdown]
# So it is the chain rule that needs memory. For $y = w x$ the gradients of the loss are
#
# $$g_w = g_y\, x \qquad g_x = g_y\, w$$
#
# To know by how much $w$ should change, one must know what it was multiplied by. The forward pass goes from the first
# layer to the last, the backward pass from the last to the first. So the first layer's $x$ waits longest.

# %% [markdown]
# ## 2 · One step of Glow
#
# Here is today's part of the map: a step of flow, repeated $K$ times.

# %%
from glowlab.figures.glow_map import glow_map

glow_map("actnorm", "mixing", "coupling")

# %% [markdown]
# We take faces of 32 by 32 pixels and models of one level. Squeezed, a face has 12 channels of 16 by 16; the
# couplings' networks have 32 hidden channels.

# %%
import glowlite
from glowlite import pixels
from glowlite.data import faces

small = faces.draw(8, size=32, seed=0).images
x = pixels.dequantize(small, generator=torch.Generator().manual_seed(0))


def glow(depth):
    model = glowlite.Glow(glowlite.GlowConfig((3, 32, 32), levels=1, depth=depth, width=32))
    model.initialize(x)
    return model.train()


# %%
from glowlab.figures.rows import row

row(small[:6], height=96, alt="Six drawn faces of 32 by 32 pixels.")

# %% [markdown]
# How much does one step more keep? The difference between a model of two steps and one of one step tells. We divide it
# by the number of pixels, to compare it with the 12 channels:


# %%
def kept_by(model, memory="stored"):
    glowlite.flows.reversible.set_memory(model, memory)  # the three ways are explained below
    return kept(lambda: model.log_density(x), [*model.parameters(), x])


per_step = kept_by(glow(2)) - kept_by(glow(1))
per_pixel = per_step / (8 * 16 * 16) / 4  # 8 faces; a float32 has 4 bytes

# %% tags=["nbval-check-output"]
print(f"one step keeps about {per_pixel:.0f} numbers for each pixel, {per_pixel / 12:.0f} times its input")

# %% [markdown]
# Which numbers are they? The shapes of the kept tensors tell: each part's input, the network's two hidden layers, and
# what the derivatives of scale and shift need.

# %%
from glowlab.figures import constant_memory as figures

parts = {"ActNorm": 12, "1x1": 12, "coupling": 12, "hidden 1": 32, "hidden 2": 32, "scale, shift": 18}
figures.kept_boxes(
    parts,
    alt="A row of boxes for one step: the inputs of ActNorm, 1x1 convolution and coupling with 12 numbers for each "
    "pixel, the network's two hidden layers with 32 each, and 18 for scale and shift.",
).shown()

# %% [markdown]
# The two hidden layers need most. (The boxes add up to 118; the rest is small tensors that do not depend on pixels.)
#
# What about many steps?

# %%
guess = Prediction(
    "A model of 4 steps keeps 4 megabytes. What does one of 32 steps keep?",
    ["about 4", "about 12", "about 32"],
)
guess

# %%
depths = [1, 2, 4, 8, 16, 32]
models = {depth: glow(depth) for depth in depths}
stored = [kept_by(models[depth]) for depth in depths]
figures.growth(depths, {"stored": stored}, "kept for the backward pass").shown()

# %% tags=["nbval-check-output"]
megabytes = stored[-1] / 1e6
guess.outcome(
    min(guess.options, key=lambda option: abs(int(option.split()[1]) - megabytes)),
    f"It is {megabytes:.0f}: each step keeps its own. Pictures, channels and steps multiply.",
)

# %% [markdown]
# ## 3 · Three ways to remember
#
# - **stored**: keep everything, as PyTorch does. Nothing is computed twice.
# - **checkpointed**: keep each step's input alone; run the step again when its turn comes (Chen et al. 2016).
# - **reversible**: keep only the last output. Find each step's input by the *inverse*, then run the step again
#   (Gomez et al. 2017, for *RevNets*).

# %%
guess = Prediction(
    "With checkpoints at every step: when is most in memory?",
    ["half-way forward", "when backward begins", "when backward ends"],
)
guess

# %% [markdown]
# Go through a training step, moment by moment: 6 moments forward, then 6 backward. Blue discs are inputs that are in
# memory, orange boxes are insides of steps.

# %%
from glowlab.figures.live import Choice, Live, Slider

Live(
    figures.stepper,
    Choice("way", "Way", {way: way for way in figures.WAYS}, "checkpointed"),
    Slider("moment", "Moment", 0, 12, 7, buttons=True),
)

# %% tags=["nbval-check-output"]
most = max(range(13), key=lambda moment: figures.memory_at("checkpointed", 6, moment, inside=9))
guess.outcome(
    "when backward begins" if most == 7 else "half-way forward" if most < 7 else "when backward ends",
    "All inputs are still there, and the last step's inside has come back.",
)

# %% [markdown]
# Go through it once for each way, and watch the blue discs. Gradients are left out: all three ways need the same ones.
#
# A checkpoint is one line. `checkpoint(step, x)` gives what `step(x)` gives, keeps $x$, and forgets the inside:

# %%
from torch.utils.checkpoint import checkpoint

steps = models[4].levels[0].steps.flows  # a squeeze and 4 steps


def all_steps(remember):
    y = x
    for step in steps:
        y, _ = checkpoint(step, y, use_reentrant=False) if remember == "checkpointed" else step(y)
    return y.square().sum()


# %% tags=["nbval-check-output"]
known = [*models[4].parameters(), x]
plain, checkpointed = (kept(lambda way=way: all_steps(way), known) for way in ("stored", "checkpointed"))
print(f"4 steps: stored {plain / 1e6:.1f} MB, checkpointed {checkpointed / 1e6:.1f} MB")

# %% [markdown]
# The price: each step runs twice. A backward pass costs about as much as two forward passes, so a training step goes
# from 3 units of time to 4.

# %% [markdown]
# ## 4 · Forget the input, too
#
# Now the third way. We build it for one coupling. These are the functions of notebook 08, without its limit on what
# the network sees, and with a network of two layers:


# %%
def scale_and_shift(x_a, network):
    t, h = network(x_a).chunk(2, 1)
    return 0.7 * h.tanh(), t  # log s, t


def forward(x, network):
    x_a, x_b = x.chunk(2, 1)
    log_s, t = scale_and_shift(x_a, network)
    return torch.cat([x_a, (x_b + t) * log_s.exp()], 1), log_s.sum((1, 2, 3))


def inverse(z, network):
    z_a, z_b = z.chunk(2, 1)
    log_s, t = scale_and_shift(z_a, network)
    return torch.cat([z_a, z_b * (-log_s).exp() - t], 1)


# %%
from torch import nn


def make_network():
    return nn.Sequential(nn.Conv2d(6, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 12, 3, padding=1))


torch.manual_seed(0)
network = make_network()
squeezed = nn.functional.pixel_unshuffle(x, 2)  # (8, 12, 16, 16)
with torch.no_grad():
    z, log_det = forward(squeezed, network)  # nothing is kept

# %% [markdown]
# After the forward pass only $z$ is left. Then the steps behind this one report two gradients: $g_z$, by $z$, and
# $g_\ell$, by the log-det. Our step must give three things: its input $x$, the gradient by $x$ for the step before it,
# and the gradients of its network's weights.

# %%
figures.backward_step().shown()

# %%
guess = Prediction(
    "To find x and then to go forward again: how often must the network run?",
    ["never", "once", "twice"],
)
guess

# %% [markdown]
# One tool is needed. `torch.autograd.grad(outputs, inputs, grad_outputs)` starts a backward pass in the middle: we
# hand it the gradients by the outputs, it gives those by the inputs. It needs a graph from inputs to outputs. For
# $y = w x$ with $g_y = 10$:

# %% tags=["nbval-check-output"]
w, one = torch.tensor(3.0, requires_grad=True), torch.tensor(2.0, requires_grad=True)
g_w, g_one = torch.autograd.grad(w * one, (w, one), torch.tensor(10.0))
print(f"gradient by w {g_w:.0f} = 10 x 2, by x {g_one:.0f} = 10 x 3")

# %% [markdown]
# ## Exercise 1 · Backward of one step
#
# Write it with the functions above. From $z$ compute $x$; from $x$ record the step once more; then ask for all
# gradients. `grad_z` is $g_z$, with $z$'s shape; `grad_log_det` is $g_\ell$, of shape (B,). `grad_weights` is a list,
# in the order of `network.parameters()`.
#
# Several outputs, and their gradients, may be handed over as tuples.


# %%
def backward(z, grad_z, grad_log_det, network):
    x = ...
    grad_x = ...
    grad_weights = ...
    return x, grad_x, grad_weights


# %% tags=["nbval-check-output"]
from glowlab.checks import constant_memory as check

check.backward(backward)

# %% [markdown]
# `check.backward.hint()` gives one hint at a time, `check.backward.solution()` a worked answer. Until yours is right,
# the cells below use a stand-in:

# %% tags=["nbval-check-output"]
step_backward = backward if check.backward(backward) else check.stand_in
print("below we use:", step_backward.__name__)


# %%
def picture(numbers):  # (8, 12, 16, 16) -> the third face, (3, 32, 32)
    return pixels.to_uint8(nn.functional.pixel_shuffle(numbers.detach(), 2))[2]


found, _, _ = step_backward(z, z / 8, -torch.ones(8) / 8, network)
row(
    map(picture, (squeezed, z, found)),
    ["$x$, forgotten", "$z$, kept", "$x$, found again"],
    arrows=["forward", "inverse"],
    alt="A face; the same after one coupling, with other colours in half of its numbers; the first face again.",
    height=128,
)

# %% tags=["nbval-check-output"]
runs = []
hook = network.register_forward_hook(lambda *_: runs.append(1))
check.stand_in(z, torch.ones_like(z), torch.ones(8), network)
hook.remove()
guess.outcome(
    ["never", "once", "twice"][len(runs)],
    "It only sees the half that stayed: z_a is x_a. So one answer, log s and t, serves the way back and the way forth. "
    "(Calling inverse and then forward is right, too, and runs it twice.)",
)

# %% [markdown]
# Two things are easily forgotten. The log-det depends on $x_a$ and on the weights, so $g_\ell$ has its share. And
# $x_a$ gets its gradient by *two* ways: straight from $z_a$, and through the network.

# %% [markdown]
# ## 5 · A chain of steps
#
# One coupling leaves half of the channels alone. So we reverse the channels before each coupling (notebook 03), and
# chain eight of them. `flip(1)` reverses axis 1, and undoes itself.


# %%
def forward_chain(x, networks):
    total = 0
    for network in networks:
        x, log_det = forward(x.flip(1), network)
        total = total + log_det
    return x, total


torch.manual_seed(0)
networks = [make_network() for _ in range(8)]

# %% [markdown]
# The same chain, made of the package's parts, is for comparing later:

# %%
from glowlite.flows import Chain, Coupling, Reverse, reversible

flows = []
for network in networks:
    coupling = Coupling(12, width=32, edge=False)
    coupling.network = network
    flows += [Reverse(12), coupling]
chain = Chain(*flows)
weights = [weight for network in networks for weight in network.parameters()]

# %%
on_the_way = [squeezed, *(forward_chain(squeezed, networks[:count])[0] for count in (2, 4, 8))]
row(
    map(picture, on_the_way),
    ["$x$", "2 steps", "4 steps", "$z$"],
    alt="A face, and what becomes of it after 2, 4 and 8 steps: its outline can still be seen.",
    height=128,
)

# %% [markdown]
# ## Exercise 2 · Backward of the chain
#
# Go from the last step to the first with `step_backward(z, grad_z, grad_log_det, network)`, which gives `x`, `grad_x`
# and the gradients of one network. What does each step hand on to the one before it? Return the gradient by the
# chain's input, and a list with a list of gradients for each of `networks`.


# %%
def backward_chain(z, grad_z, grad_log_det, networks):
    return ..., ...  # grad_x, grad_weights


# %% tags=["nbval-check-output"]
verdict = check.backward_chain(backward_chain)
verdict

# %% [markdown]
# `check.backward_chain.hint()` and `check.backward_chain.solution()` are there. Now compare: with PyTorch's own way,
# which stores, and with the package's `reversible.run`, on the same networks. The loss is the negative log-likelihood,
# up to a constant: $\tfrac12 \lVert z\rVert^2 - \log\det$ for each picture, and its mean. So $g_z = z/B$ and
# $g_\ell = -1/B$, with $B$ pictures.


# %%
def gradients(memory):
    z, log_det = reversible.run(chain, squeezed, memory)
    loss = (z.square().sum() / 2 - log_det.sum()) / len(z)
    return torch.autograd.grad(loss, weights)


def our_gradients(walk=backward_chain if verdict else check.chain_backward):
    with torch.no_grad():
        z, log_det = forward_chain(squeezed, networks)
    _, found = walk(z, z / len(z), -torch.ones(len(z)) / len(z), networks)
    return [gradient for step in found for gradient in step]


# %% tags=["nbval-check-output"]
def apart(found, right):
    found, right = (torch.cat([part.flatten() for part in each]).double() for each in (found, right))
    return ((found - right).norm() / right.norm()).item()


package = gradients("reversible")
error = apart(our_gradients(), package)
assert error < 1e-6
print("same as glowlite's reversible.run, to 1e-6:", error < 1e-6)
print("same as with stored activations, to 1e-5:  ", apart(our_gradients(), gradients("stored")) < 1e-5)

# %% [markdown]
# The package does the same in `glowlite/flows/reversible.py`: a class
# `torch.autograd.Function`, whose `forward` keeps the last output and whose `backward` is your loop, for any flow. So
# `loss.backward()` works as always.

# %% [markdown]
# ## 6 · Measured
#
# What is kept, for a whole Glow, three ways?

# %%
guess = Prediction(
    "The reversible way, from 1 step to 32: how much more is kept after the forward pass?",
    ["32 times as much", "about 6 times", "nothing more"],
)
guess

# %%
kept_bytes = {way: [kept_by(models[depth], way) for depth in depths] for way in figures.WAYS}
figures.growth(depths, kept_bytes, "kept for the backward pass").shown()

# %% tags=["nbval-check-output"]
for way, (first, *_, last) in kept_bytes.items():
    print(f"{way:13} K = 1: {first / 1e6:5.2f} MB   K = 32: {last / 1e6:5.2f} MB")
times = kept_bytes["reversible"][-1] / kept_bytes["reversible"][0]
options = {32: "32 times as much", 6: "about 6 times", 1: "nothing more"}
guess.outcome(options[min(options, key=lambda many: abs(many - times))], "The same bytes, whatever the depth.")

# %% [markdown]
# That is what is kept *between* forward and backward. While a step goes back, its inside is in memory, too. So how
# much does a process really grow? This was recorded by `python -m benchmarks.memory`, up to 128 steps in each of two
# levels of width 64, for 16 faces of 64 by 64:

# %%
record = figures.load_record()
figures.recorded(record).shown()

# %% tags=["nbval-check-output"]
print(f"recorded {record['date']}, {record['machine']['device']}, one thread:")
first, last = record["rows"][0], record["rows"][-1]
for way in figures.WAYS:
    grown = [row["grown"][way] / 1e6 for row in (first, last)]
    print(f"{way:13} K = 4: {grown[0]:4.0f} MB   K = 128: {grown[1]:4.0f} MB   time x {last['ratio'][way]:.2f}")

# %% [markdown]
# Reversible, 128 steps need hardly more than 4. The price is time: somewhat more than the third that we counted,
# because on a CPU the small operations of the inverse cost as well.

# %% [markdown]
# ## 7 · What fits on a card?
#
# A GPU's memory is what limits a model. Take the paper's faces of 256 by 256: 6 levels of 32 steps, width 512, 174
# million weights, additive couplings. From section 2 we know how to count: at each pixel of a level with $C$ channels,
# a step keeps $3C + 2 \cdot 512$ numbers (and no more, since an additive coupling has no scale).


# %%
def needed(batch, depth, width=512):
    """Bytes for a training step of `batch` pictures."""
    levels = [(3 * 2 ** (level + 1), (256 >> level) ** 2) for level in range(1, 7)]  # channels, pixels
    inside = [batch * 4 * (3 * c + 2 * width) * size for c, size in levels]  # of one step of each level
    inputs = [batch * 4 * c * size for c, size in levels]
    fixed = 174e6 * depth / 32 * 4 * 4  # weights, gradients, two averages of Adam
    return {
        "stored": fixed + depth * sum(inside) + inside[0],  # and the gradients inside one step
        "checkpointed": fixed + depth * sum(inputs) + 2 * inside[0],
        "reversible": fixed + sum(inputs) + 2 * inside[0],
    }


# %%
guess = Prediction(
    "Calculated for a card of 80 GB, 32 steps: checkpointed, it holds about 400 pictures. And reversible?",
    ["about as many, half more at most", "ten times as many", "a hundred times as many"],
)
guess

# %% [markdown]
# Choose depth and batch. Dashed lines are the memory of three common cards:

# %%
Live(
    lambda depth, batch: figures.cards(needed(batch, depth), f"{batch} pictures, K = {depth}"),
    Slider("depth", "K", 4, 256, 32, step=4),
    Slider("batch", "pictures", 1, 400, 40),
)

# %% tags=["nbval-check-output"]
fits = {way: max(b for b in range(1, 2000) if needed(b, 32)[way] <= 80e9) for way in figures.WAYS}
print("calculated, 80 GB, K = 32, pictures:", fits)
print("calculated,  8 GB, K = 32, pictures:", end=" ")
print({way: max(b for b in range(2000) if needed(b, 32)[way] <= 8e9) for way in figures.WAYS})
more = fits["reversible"] / fits["checkpointed"]
guess.outcome(
    guess.options[0] if more < 1.6 else guess.options[1] if more < 30 else guess.options[2],
    "With 32 steps the inside of one step is larger than 32 inputs, so checkpoints already save nearly all.",
)

# %% [markdown]
# So most is won from stored to checkpointed. The authors of Glow trained these faces with checkpoints, 40 pictures on
# 40 GPUs. Reversible wins clearly where a model is deep and its networks are narrow, as in section 6. At $K = 256$ the
# weights alone need more than 20 GB.
#
# Does such a count hold? For the recorded model, $K = 128$ (affine, so 4.5 numbers for each channel):

# %% tags=["nbval-check-output"]
settings = record["settings"]
inside = sum(4 * (4.5 * c + 2 * 64) * size for c, size in ((12, 32 * 32), (24, 16 * 16)))
formula = settings["batch"] * 128 * inside
print(f"counted {formula / 1e6:.0f} MB, measured {last['saved']['stored'] / 1e6:.0f} MB")

# %% [markdown]
# ## 8 · Where it fails
#
# The inverse is exact on paper. A computer rounds (notebook 05). What forward shrinks, the inverse stretches, rounding
# errors included. One number is enough to see it: shrink $x$ to a thousandth, then add 100.

# %% tags=["nbval-check-output"]
number = torch.tensor(0.1234567)
there = number / 1000 + 100
back = (there - 100) * 1000
print(f"x = {number:.7f}   z = {there:.7f}   back: {back:.7f}")

# %% [markdown]
# The last digits of $x$ had no room beside 100. Nothing is wrong with $z$, nor with a gradient that was computed from
# the stored $x$. But a reversible backward pass goes on with this $x$, and with everything that is computed from it.
#
# Now a whole model. Here are 16 steps of Glow that were set by data. The **strength** is the spread of the weights in
# each network's last layer (0 at the start of training).


# %%
def glow_steps(strength):
    model = glowlite.Glow(glowlite.GlowConfig((3, 8, 8), levels=1, depth=16, width=16))
    steps, generator = model.levels[0].steps, torch.Generator().manual_seed(1)
    for step in steps.flows[1:]:
        nn.init.normal_(step.flows[-1].network.last.weight, std=strength, generator=generator)
    model.initialize(tiny)
    return steps


tiny = pixels.dequantize(
    nn.functional.avg_pool2d(faces.draw(16, size=16, seed=0).images.float(), 2).to(torch.uint8),
    generator=torch.Generator().manual_seed(0),
)


# %%
@torch.no_grad()
def there_and_back(strength):
    steps = glow_steps(strength)
    return pixels.to_uint8(steps.inverse(steps(tiny)[0]))[-1]  # of the last face


row(
    [pixels.to_uint8(tiny)[-1], *map(there_and_back, (0.1, 0.2, 0.3))],
    ["$x$", "strength 0.1", "strength 0.2", "strength 0.3"],
    alt="A face of 8 by 8 pixels; the same after the way there and back at strength 0.1; at 0.2 it is hardly to be "
    "recognised; at 0.3 only noise is left.",
    height=128,
)

# %% [markdown]
# Our loop again, for steps of any kind, and as trusting as before: it takes for granted that the inverse finds $x$.
# Beside it the way that stores.


# %%
def trusting(steps, x):
    with torch.no_grad():
        z, _ = steps(x)
    grad, grad_log_det, found = z / len(z), -torch.ones(len(z)).to(z) / len(z), []
    for step in list(steps.flows)[:0:-1]:  # down to the first step; the squeeze has no weights
        with torch.no_grad():
            y = step.inverse(z)
        y.requires_grad_()
        weights = list(step.parameters())
        grad, *own = torch.autograd.grad(step(y), (y, *weights), (grad, grad_log_det))
        z, found = y.detach(), own + found
    return found


def run_steps(steps, x, memory):
    z, log_det = reversible.run(steps, x, memory)
    loss = (z.square().sum() / 2 - log_det.sum()) / len(z)
    return torch.autograd.grad(loss, list(steps.parameters()))


# %%
guess = Prediction(
    "Strength 0.3, float32: the gradients of our trusting loop, beside the right ones, are ...",
    ["equal to a thousandth", "off by a few percent", "something else entirely"],
)
guess

# %%
import copy

STRENGTHS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
errors = {name: [] for name in ("reversible", "stored, checkpointed", "reversible, float64")}
refused = []
for strength in STRENGTHS:
    steps = glow_steps(strength)
    exact = copy.deepcopy(steps).double()
    right = run_steps(exact, tiny.double(), "stored")
    errors["reversible"].append(apart(trusting(steps, tiny), right))
    others = [apart(run_steps(steps, tiny, way), right) for way in ("stored", "checkpointed")]
    errors["stored, checkpointed"].append(max(others))
    errors["reversible, float64"].append(apart(trusting(exact, tiny.double()), right))
    guarded = run_steps(steps, tiny, "reversible")
    refused.append(any(gradient.isnan().any() for gradient in guarded))

# %%
figures.wrong_gradients(STRENGTHS, errors).shown()

# %% tags=["nbval-check-output"]
worst = errors["reversible"][-1]
guess.outcome(
    guess.options[0] if worst < 2e-3 else guess.options[1] if worst < 0.3 else guess.options[2],
    "They are many times longer than the right ones and point elsewhere.",
)

# %% [markdown]
# And nobody said a word: no error, no NaN. A training would follow these gradients and fail some steps later. At
# strength 0.15 they are a few percent off, which is even harder to notice.
#
# Behrmann et al. (2021) call this an **exploding inverse**. The forward pass stays calm, ActNorm sees to that, and so
# do gradients from stored numbers. But the inverse multiplies errors from step to step.

# %% tags=["nbval-check-output"]
print("all gradients of the trusting loop are finite:", all(part.isfinite().all() for part in trusting(steps, tiny)))
print("at 0.15 it is off by a few percent:           ", 0.005 < errors["reversible"][3] < 0.3)
print("stored and checkpointed stay right to 5%:     ", max(errors["stored, checkpointed"]) < 0.05)
print("reversible in float64, to a millionth:        ", max(errors["reversible, float64"]) < 1e-6)

# %% [markdown]
# ### A guard
#
# The package keeps one of 61 values of $x$, and compares it after the way back. If it is off by more than a
# ten-thousandth of the largest, *all* gradients become NaN: better none than wrong ones.

# %%
figures.wrong_gradients(STRENGTHS, errors, refused).shown()

# %% tags=["nbval-check-output"]
trusted = [error for error, nan in zip(errors["reversible"], refused, strict=True) if not nan]
print("strength 0 to 0.05: gradients are given:", not any(refused[:2]))
print("from 0.15 on they are refused:          ", all(refused[3:]))
print("whatever is given is right to 0.1%:     ", max(trusted) < 1e-3)

# %% [markdown]
# Training checks every step for NaN and stops before a weight has changed. What does it say? We let a small training
# meet such a model:

# %%
import tempfile

from glowlite.errors import GlowliteError
from glowlite.training.config import TrainConfig
from glowlite.training.loop import StopRequest, Trainer

config = glowlite.GlowConfig((3, 16, 16), levels=1, depth=16, width=16)
options = {"memory": "reversible", "batch": 16, "init_batch": 64, "validation_count": 8, "accelerator": "cpu"}
folder = tempfile.TemporaryDirectory()
trainer = Trainer(TrainConfig(config, folder.name, **options), progress=False)
for step in trainer.glow.levels[0].steps.flows[1:]:
    nn.init.normal_(step.flows[-1].network.last.weight, std=0.3)

# %% tags=["nbval-check-output"]
try:
    trainer.step(StopRequest())
except GlowliteError as error:
    print(error)

# %% [markdown]
# ### Cures
#
# - **checkpointed**: never asks the inverse, so it is always right. This is what the sentence advises.
# - **float64**: errors start a billion times smaller (see the figure). But numbers take twice the room, and GPUs are
#   slow at them.
# - **a calmer model**: bounded scales, small weights, ActNorm. `clamp` limits what a coupling's network sees; it keeps
#   foreign pictures from causing large answers.
#
# Does `clamp` help here, where the pictures are not foreign?


# %%
@torch.no_grad()
def way_back(strength, clamp):
    steps = glow_steps(strength)
    for step in steps.flows[1:]:
        step.flows[-1].clamp = clamp
    return (steps.inverse(steps(tiny)[0]) - tiny).abs().max().item()


missed = {clamp: [way_back(strength, clamp) for strength in STRENGTHS[1:]] for clamp in (0.0, 3.0)}
figures.missed_by(STRENGTHS[1:], {"no clamp": missed[0.0], "clamp 3": missed[3.0]}).shown()

# %% [markdown]
# Hardly: these are the pictures that set the ActNorms, so few numbers pass 3. And a model that was trained, such as
# `faces64`? Its 32 steps have learned to be calm:

# %%
model = glowlite.load("faces64").train()
x = pixels.dequantize(faces.draw(2, seed=5).images, generator=torch.Generator().manual_seed(0))
found = {}
for memory in ("stored", "reversible"):
    reversible.set_memory(model, memory)
    found[memory] = torch.autograd.grad(model.log_density(x).mean(), list(model.parameters()))

# %% tags=["nbval-check-output"]
print("faces64, stored and reversible are equal to 0.1%:", apart(found["reversible"], found["stored"]) < 1e-3)

# %% [markdown]
# ## Summary
#
# - Backward needs what forward saw: stored, memory grows with every step.
# - Checkpoints keep each step's input and run the step again, for a third of the time or more on top.
# - A reversible step finds its input by the inverse, for the same price: memory does not grow.
# - Its backward: find $x$, run the step again, hand back all gradients, with the log-det's share.
# - Where the inverse explodes, gradients are wrong without a word. A guard must look.

# %% [markdown]
# **A harder question.** Checkpoints need not stand at every step. With one at every $k$-th of $K$ steps, $K / k$
# inputs are kept, and $k$ insides are in memory at once. An inside is as large as $a$ inputs. Which $k$ is best, for
# $a = 1$ and for our $a = 9$, when $K = 36$?
#
# <details><summary>One answer</summary>
#
# $K/k + a k$ is smallest at $k = \sqrt{K / a}$: there its derivative $-K/k^2 + a$ is 0. For $a = 1$ that is 6 of 36,
# and memory grows with $\sqrt K$: the "sublinear memory cost" in the title of Chen et al. For $a = 9$ it is every
# second step: $18 + 18 = 36$ inputs in place of $36 + 9 = 45$. So with thick steps it gains little over a checkpoint
# at each.
#
# </details>

# %% [markdown]
# **Next.** 14, Many GPUs, many machines: how many processes train one model. In notebook 08 you built a model that
# gives every pixel back. Notebook 05 showed what rounding does to that. Today the way back paid for memory, as long as
# rounding stayed small.

# %% [markdown]
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 1 (memory). Gomez, Ren, Urtasun and Grosse (2017), *The
# reversible residual network*. Chen, Xu, Zhang and Guestrin (2016), *Training deep nets with sublinear memory cost*.
# Behrmann, Vicol, Wang, Grosse and Jacobsen (2021), *Understanding and mitigating exploding inverses in invertible
# neural networks*.
