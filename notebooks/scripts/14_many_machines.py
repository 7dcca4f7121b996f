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
# # 14 · Many GPUs, many machines
#
# The faces of the paper were trained by forty GPUs in five machines. What do forty GPUs do that one cannot, and how do
# they agree on one model? We try it with two processes on this machine. No GPU is needed.
#
# **After this notebook you can** train one model by several processes, say what goes wrong if a detail is forgotten,
# calculate what communication costs, and resume a run in which a process was killed.

# %% [markdown]
# **Needs.** Notebooks 05 (ActNorm), 07 (noise) and 09 (a run and its state).
#
# **Minutes.** About 70 to read and 60 for the exercises; all cells run in under 60 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $N$ | the number of processes, called the *world size* | |
# | rank | a process's number, from 0 to $N - 1$ | |
# | $B$ | the batch: pictures of one step, of all processes together | `TrainConfig.batch` |
# | $g_r$ | gradient that the process of rank $r$ computes from its own pictures | |
# | $S$ | bytes of a gradient: four for each weight | |

# %% [markdown]
# ## 1 · Why more than one?
#
# The model of the paper's large faces has 174 million weights. One of the authors wrote that they trained it with 40
# GPUs for about a week.

# %%
from glowlab.checks import Prediction

guess = Prediction(
    "If 40 GPUs share the work without any loss, how long would one GPU need for the same training?",
    ["about two weeks", "about two months", "about nine months"],
)
guess

# %% tags=["nbval-check-output"]
weeks = 40 * 1
guess.outcome(
    "about two weeks" if weeks < 5 else "about two months" if weeks < 20 else "about nine months",
    f"It is {weeks} weeks. And nobody finds good settings at the first try.",
)

# %% [markdown]
# The simplest way to share the work is **data parallel**. Each process has the whole model, and its own share of the
# batch. Each computes a gradient. The mean of all gradients is what everyone then uses for the same step:

# %%
from glowlab.figures import many_machines as figures

figures.parallel().shown()

# %% [markdown]
# So all models begin equal and stay equal. During training no pictures and no weights are sent, only gradients.

# %% [markdown]
# ## 2 · Two processes
#
# A process is a running program, with memory of its own. `pair.run(f)` starts two of them. In each it calls
# `f(rank, world)`, and gives back both answers. (If a cell says that no process can be started here, read on with the
# stored outputs.)

# %% tags=["varies: the system numbers its processes"]
import os

from glowlab.processes import pair


def hello(rank, world):
    return f"I am process {rank} of {world}; the system calls me {os.getpid()}"


pair.run(hello)

# %% [markdown]
# They talk by `torch.distributed`. Its most important word is **all-reduce**: every process hands in a tensor. After
# the call, each one's tensor holds the *sum* over all processes. On GPUs a library called NCCL does the work, on a CPU
# one called gloo.

# %%
guess = Prediction(
    "Process 0 has the number 1, process 1 has the number 10. After all_reduce, which numbers have they?",
    ["11 and 10", "11 and 11", "5.5 and 5.5"],
)
guess


# %%
import torch
from torch import distributed


def add_up(rank, world):
    number = torch.tensor(1.0 if rank == 0 else 10.0)
    distributed.all_reduce(number)  # changes it in place
    return number.item()


# %% tags=["nbval-check-output"]
first, second = pair.run(add_up)
guess.outcome(f"{first:g} and {second:g}", "The sum, and everyone has it. To get a mean, one has to divide.")

# %% [markdown]
# If one process does not call it, the other waits for ever. So `pair.run` ends both when one is done and the other
# still waits for it, and in any case after a minute (or `limit` seconds).


# %% tags=["nbval-check-output"]
def one_does_not_come(rank, world):
    if rank == 0:
        distributed.barrier()  # wait until all are here
    return "done"


try:
    pair.run(one_does_not_come, limit=10)
except Exception as error:
    print(error)

# %% [markdown]
# ## 3 · One batch, two shares
#
# Here are a small flow, with one level of two steps, and a batch of eight faces.

# %%
from glowlab.checks.many_machines import clip, make_model, pictures_of, weights_of
from glowlab.figures.rows import row

pictures = pictures_of(step=0)
row(
    pictures,
    ["0", "0", "0", "0", "1", "1", "1", "1"],
    alt="Eight drawn faces of 16 by 16 pixels; the first four are those of process 0, the others those of process 1.",
    height=96,
)

# %% [markdown]
# The loss is a mean over pictures. First the gradient of all eight, then those of the two halves, all with the same
# weights and the same noise:

# %%
from glowlite import pixels
from glowlite.seeds import generator

x = pixels.dequantize(pictures, generator=generator("cpu", 0, 0))
model = make_model(seed=0)
model.initialize(x)


def gradient(x):
    model.zero_grad()
    (-model.log_density(x).mean() / model.dims).backward()
    return torch.cat([weight.grad.flatten() for weight in model.parameters()])


big, g_0, g_1 = gradient(x), gradient(x[:4]), gradient(x[4:])

# %%
some = (g_0 - g_1).abs().topk(24).indices  # where they differ most
rows = {"process 0": g_0, "process 1": g_1, "their mean": (g_0 + g_1) / 2, "one big batch": big}
figures.gradients({name: g[some].tolist() for name, g in rows.items()}).shown()

# %% [markdown]
# The mean of the two is the gradient of the big batch, because a mean over eight is the mean of two means over four:
#
# $$\frac{1}{8} \sum_{i=1}^{8} g(x_i) = \frac{1}{2} \left( \frac{1}{4} \sum_{i=1}^{4} g(x_i)
# + \frac{1}{4} \sum_{i=5}^{8} g(x_i) \right)$$

# %% [markdown]
# ## Exercise 1 · Average gradients
#
# `backward()` is done: each weight of the model has its own process's gradient in `weight.grad`. Afterwards each must
# have the mean over all `world` processes there. Your function runs in both processes. It gives nothing back.


# %%
def average_gradients(model, world): ...


# %% tags=["nbval-check-output"]
from glowlab.checks import many_machines as check

verdict = check.average_gradients(average_gradients)
verdict

# %% [markdown]
# The check really starts two processes. `check.average_gradients.hint()` gives one hint at a time,
# `check.average_gradients.solution()` a worked answer. Until yours is right, the cells below use a stand-in. Does it
# equal one big batch?

# %%
average = average_gradients if verdict else check.stand_in


def averaged_gradient(rank, world, x):
    model = make_model(seed=0)
    model.initialize(x)
    mine = x.chunk(world)[rank]  # a share of the batch
    (-model.log_density(mine).mean() / model.dims).backward()
    average(model, world)
    return torch.cat([weight.grad.flatten() for weight in model.parameters()])


# %% tags=["nbval-check-output"]
both = pair.run(averaged_gradient, x)
print("both processes have the same gradient:   ", torch.equal(*both))
print("it is that of the big batch, to rounding:", torch.allclose(both[0], big, atol=1e-6))

# %%
rows = {"process 0, averaged": both[0], "process 1, averaged": both[1], "one big batch": big}
figures.gradients({name: g[some].tolist() for name, g in rows.items()}).shown()

# %% [markdown]
# ## 4 · Five ways to go wrong
#
# A wrong gradient raises no error. The loss falls all the same, only more slowly, or to a worse place. Here are five
# mistakes that are easily made.


# %%
def attempt(rank, world, fault):
    sizes = (3, 5) if fault == "unequal shares" else (4, 4)
    model = make_model(seed=rank if fault == "own weights" else 0)
    mine = x.split(sizes)[rank] if world > 1 else x
    model.initialize(mine if fault == "own ActNorm" else x)
    if fault == "same noise":
        mine = pixels.dequantize(pictures.split(sizes)[rank], generator=generator("cpu", 0, 0))
    (-model.log_density(mine).mean() / model.dims).backward()
    average(model, 1 if fault == "summed" else world)
    found = torch.cat([weight.grad.flatten() for weight in model.parameters()])
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    return found, torch.cat([weight.detach().flatten() for weight in model.parameters()])


# %% [markdown]
# - **summed**: the sum in place of the mean.
# - **unequal shares**: three pictures here, five there; the mean of their means is not the mean of eight.
# - **own weights**: each process draws its weights from a seed of its own.
# - **same noise**: each process draws noise for its own four pictures, from the same seed.
# - **own ActNorm**: each initialises its ActNorms from its own share.

# %%
guess = Prediction(
    "After one step with one of these mistakes, the processes no longer have the same model. With which?",
    ["summed", "same noise", "own ActNorm"],
)
guess

# %%
names = ["none", "summed", "unequal shares", "own weights", "same noise", "own ActNorm"]
results = {name: pair.run(attempt, name) for name in names}
errors = {name: ((found - big).norm() / big.norm()).item() for name, ((found, _), _) in results.items()}
apart = [name for name, ((_, ours), (_, theirs)) in results.items() if not torch.equal(ours, theirs)]
figures.faults(errors, apart).shown()

# %% tags=["nbval-check-output"]
guess.outcome(
    next(name for name in guess.options if name in apart),
    "Wrong gradients are at least wrong alike. But who begins with another model stays with another one.",
)

# %% [markdown]
# ActNorm is the trap of this model: it is initialised by data (notebook 05), and so depends on *which* data.

# %%
from glowlab.figures.glow_map import glow_map

glow_map("x", "actnorm")

# %% [markdown]
# There are two cures: initialise every process from the same pictures, or let rank 0 send its numbers to all
# (`broadcast`). The package does both.
#
# "Same noise" is harder to notice. Its mean over many steps is right. But eight pictures with four different noises
# tell less than eight with eight.

# %% [markdown]
# ## Exercise 2 · A share of the batch
#
# Better still: let the batch not depend on the number of processes at all. Then a run of two processes does the same
# steps as one, and may go on with four. `pictures` is the whole batch of a step, uint8. `share` gives this process
# its part, with noise, as `pixels.dequantize(images, generator=...)` makes it. Use `generator("cpu", seed, step)`.


# %%
def share(pictures, seed, step, rank, world):
    return ...


# %% tags=["nbval-check-output"]
verdict = check.share(share)
verdict

# %% [markdown]
# (Until it is right, a stand-in takes its place.) With two, four or eight processes, each is given other rows of the
# same eight noisy faces. Here is the first picture of rank 0 of 2, of rank 1 of 2, and of rank 1 of 4:

# %%
my_share = share if verdict else check.whole_share

shares = [my_share(pictures, 0, 0, rank, 2) for rank in range(2)] + [my_share(pictures, 0, 0, 1, 4)]
row(
    [pixels.to_uint8(each[0]) for each in shares],
    ["0 of 2", "1 of 2", "1 of 4"],
    alt="Three faces: the first picture in the share of rank 0 of 2, of rank 1 of 2, and of rank 1 of 4.",
    height=110,
)

# %% tags=["nbval-check-output"]
for world in (2, 4, 8):
    parts = torch.cat([my_share(pictures, 0, 0, rank, world) for rank in range(world)])
    alone = my_share(pictures, 0, 0, 0, 1)
    print(
        f"{world} processes share what one would take:",
        torch.equal(*(x.flatten().sort().values for x in (parts, alone))),
    )

# %% [markdown]
# ## 5 · How do forty numbers become one?
#
# One process could collect all gradients, add them and hand out the sum. With 40 processes it would receive 39
# gradients and send 39, and everyone would wait for it. In a **ring**, each process talks to its right neighbour
# alone. The gradient is cut into $N$ parts. At each moment every process sends *one* part.

# %%
guess = Prediction(
    "Four processes, each with four parts. After how many messages has everyone all four sums?",
    ["4", "6", "12"],
)
guess

# %% [markdown]
# Go through it message by message. Blue numbers are a process's own, orange ones are sums of some, green ones are
# sums of all. What goes out at the right comes in at the left.

# %%
from glowlab.figures.live import Live, Slider

Live(lambda moment: figures.ring(4, moment), Slider("moment", "Message", 0, 6, 3, buttons=True))

# %% tags=["nbval-check-output"]
states = figures.ring_states(figures.RING)
right = [sum(part) for part in zip(*figures.RING, strict=True)]
needed = next(moment for moment, held in enumerate(states) if all(own == right for own in held))
guess.outcome(str(needed), "Three to add up, once round the ring. Three more to hand out the sums.")

# %% [markdown]
# So there are $2 (N - 1)$ messages, and each carries $1/N$ of the gradient's $S$ bytes. A process sends
#
# $$2\, \frac{N - 1}{N}\, S \text{ bytes}$$
#
# which is less than $2S$, for 4 processes as for 4000. (Patarasuk and Yuan 2009 show that no method needs less.)

# %%
import plotly.graph_objects as go

from glowlab.figures.curves import Plot, curve

worlds = list(range(2, 41))
sent = go.Figure(
    [
        curve("a ring", worlds, [2 * (N - 1) / N for N in worlds], "log_det"),
        curve("one collects all", worlds, [2 * (N - 1) for N in worlds], "z"),
    ]
)
sent.update_xaxes(title="processes")
sent.update_yaxes(title="bytes sent, in S", type="log")
Plot(sent, "Bytes that the busiest process moves: in a ring just under 2 S; where one collects all, up to 78 S.")

# %% [markdown]
# There is a price: messages come one after another, and each has a delay, the **latency**. So a ring is good for large
# tensors, and bad for small ones.

# %% [markdown]
# ## 6 · Who waits for whom?
#
# Let us look at the clock in both processes. In each step they compute, wait for each other (`barrier`), average, and
# change the weights. To average, we put all gradients into one long vector. It will soon be clear why.


# %%
def average_flat(model, world):
    gradients = [weight.grad for weight in model.parameters()]
    flat = torch.cat([gradient.flatten() for gradient in gradients]) / world
    distributed.all_reduce(flat)
    for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


# %%
import time

import glowlite


def timed(rank, world, average, late=0.0, steps=3):
    model = glowlite.Glow(glowlite.PRESETS["tiny"])
    mine = torch.rand(8, 3, 16, 16, generator=generator("cpu", rank)) - 0.5
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    marks = []
    for step in range(-1, steps):  # the first one warms up
        if step <= 0:
            distributed.barrier()
            start = time.perf_counter()
        at = [time.perf_counter()]
        (-model.log_density(mine).mean() / model.dims).backward()
        time.sleep(late if rank == 1 else 0.0)
        at.append(time.perf_counter())
        for part in (distributed.barrier, lambda: average(model, world), optimizer.step):
            part()
            at.append(time.perf_counter())
        marks.append([moment - start for moment in at])
    return marks[1:]


# %%
marks = pair.run(timed, average_flat)
figures.timeline(marks, "measured on this machine: three steps").shown()

# %% [markdown]
# Grey is waiting: who is ready first waits for the other. (If other programs use this machine, there is much grey.)
# Now a slow machine: process 1 needs 0.4 seconds more in each step, as if its disk were slow. It is called a
# **straggler**.

# %%
guess = Prediction(
    "How much longer does a step of process 0 take, then?",
    ["not at all: it computes as before", "half of the delay", "the whole delay"],
)
guess

# %%
DELAY = 0.4
late = pair.run(timed, average_flat, DELAY)
figures.timeline(late, "process 1 is late in each step").shown()

# %% tags=["nbval-check-output"]
waited = sum(step[2] - step[1] for step in late[0]) / len(late[0])
guess.outcome(
    guess.options[0] if waited < 0.2 * DELAY else guess.options[1] if waited < 0.6 * DELAY else guess.options[2],
    "All have to wait for the last one. Of 1000 GPUs, one that is too hot slows all.",
)

# %% [markdown]
# ### Messages and buckets
#
# In exercise 1 you probably called all-reduce once for each weight tensor, and this model has dozens of them. Each call
# costs the latency. With one long vector it is one call:

# %%
each, once = pair.run(timed, check.stand_in), marks
needs = [1000 * min(step[3] - step[2] for step in of[0]) for of in (each, once)]
bars = go.Figure(go.Bar(x=["one for each tensor", "one for all"], y=needs, marker_color="#D55E00"))
bars.update_yaxes(title="milliseconds for the mean")
bars.update_layout(height=260)
Plot(bars, "Two bars of milliseconds: one all-reduce for each tensor takes many times as long as one for all.")

# %% [markdown]
# But who sends everything at once, has to wait for the end of the backward pass. And the last layers' gradients are
# ready long before the first layers'. So `DistributedDataParallel` collects them in **buckets** (of 25 MB, if nobody
# says otherwise), and sends each while the backward pass goes on. How many buckets are best here?

# %%
Live(figures.overlap, Slider("buckets", "Buckets", 1, 20, 4, buttons=True))

# %% [markdown]
# More buckets hide more of the time, until their latencies add up. The package uses `DistributedDataParallel`
# through Lightning Fabric.

# %% [markdown]
# ## Exercise 3 · Find the faults
#
# A friend trains on several processes like this. It runs, and it reports a loss. `clip` shortens a gradient that is too
# long (notebook 08); `my_share` and `average` are those from above.


# %%
def friend(rank, world, seed, steps):
    model = make_model(seed + rank)
    model.initialize(my_share(pictures_of(0), seed, 0, rank, world))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for step in range(steps):
        x = my_share(pictures_of(step), seed, step, rank, world)
        loss = -model.log_density(x).mean() / model.dims
        optimizer.zero_grad()
        loss.backward()
        clip(model)
        average(model, world)
        optimizer.step()
        losses.append(loss.item())
    return losses, weights_of(model)


# %%
def losses_of(train):
    alone, two = pair.run(train, 0, 12, world=1), pair.run(train, 0, 12)
    figure = go.Figure(
        [
            curve("one process", range(12), alone[0][0], "x", 6, opacity=0.4),
            *(curve(f"process {rank} of 2", range(12), two[rank][0], c) for rank, c in enumerate(("z", "pink"))),
        ]
    )
    figure.update_xaxes(title="step")
    figure.update_yaxes(title="loss")
    away = max(abs(a - b) for a, b in zip(alone[0][0], two[1][0], strict=True))
    return Plot(figure, f"Loss of one process and of two; process 1 is at most {away:.2f} away from the one.")


losses_of(friend)

# %% [markdown]
# Write `mended`, for which one process and two do the same: the same weights after every step, and the same losses,
# those of the whole batch, reported by every process. There are four faults.


# %%
def mended(rank, world, seed, steps):
    return ..., ...  # losses, weights_of(model)


# %% tags=["nbval-check-output"]
check.mended(mended)

# %% [markdown]
# There are hints and a solution again. When it is right, the thin curves lie on the thick one:

# %%
losses_of(mended if check.mended(mended) else friend)

# %% [markdown]
# ## 7 · Twice as fast?
#
# One process, then two, each with one thread and with 8 pictures in a step. How many pictures per second does this
# machine learn from?


# %%
def speed(rank, world, steps=10):
    marks = timed(rank, world, average_flat, steps=steps)
    return 8 * world * steps / marks[-1][-1]


one, two = pair.run(speed, world=1)[0], min(pair.run(speed))
bars = go.Figure(go.Bar(x=["one process", "two processes", "twice one"], y=[one, two, 2 * one], marker_color="#0072B2"))
bars.update_yaxes(title="pictures per second")
bars.update_layout(height=260)
Plot(bars, "Three bars of pictures per second: one process, two processes, and twice the first.")

# %% tags=["varies: rests on measured speeds"]
print(f"efficiency of two processes: {two / (2 * one):.0%}")

# %% [markdown]
# The **efficiency** is measured speed over ideal speed. Waiting and communication take the rest.
#
# For real machines we calculate. Computing takes $b\,t$: $b$ pictures for each GPU, $t$ seconds for a picture.
# Communication takes
#
# $$2\, \frac{N - 1}{N}\, \frac{S}{W} + 2 (N - 1) L$$
#
# where $W$ is the bandwidth in bytes per second, and $L$ the latency of a message. A step is the sum of both.

# %% [markdown]
# Choose the batch of each GPU and the network. The gradients are those of 174 million weights; a picture takes 0.4
# seconds. All of this is **calculated**:

# %%
WEIGHTS = 174_100_000
GIGABIT = 1e9 / 8  # bytes per second

Live(
    lambda batch, gigabits: figures.scaling(batch, 0.4, 4 * WEIGHTS, gigabits * GIGABIT, 5e-5),
    Slider("batch", "pictures for each GPU", 1, 64, 1),
    Slider("gigabits", "network, Gbit/s", 1, 100, 10),
)

# %% [markdown]
# Computing grows with $b$, communication does not. So a larger batch for each GPU makes communication small. But the
# whole batch is $N b$, and a very large one learns less from each picture.

# %% [markdown]
# ## Exercise 4 · Design
#
# Plan a training. How many pictures must each GPU take at least, so that communication is at most a tenth
# of a step? `each` is $t$, `bandwidth` is $W$, `latency` is $L$; a weight's gradient has four bytes.


# %%
def smallest_batch(world, weights, each, bandwidth, latency):
    return ...


# %% tags=["nbval-check-output"]
verdict = check.smallest_batch(smallest_batch)
verdict

# %% [markdown]
# With it (or with a worked answer until then) we look at forty GPUs and at networks of 2018 and of today:

# %%
from glowlab.checks.solutions.many_machines import smallest_batch as worked_answer

plan = smallest_batch if verdict else worked_answer
networks = (1, 5, 10, 25, 50, 100, 200, 400)
needed = [int(plan(40, WEIGHTS, 0.4, gigabits * GIGABIT, 5e-5)) for gigabits in networks]
figure = go.Figure(curve("40 GPUs", networks, needed, "z", mode="lines+markers"))
figure.update_xaxes(title="network, Gbit/s", type="log", tickvals=networks)
figure.update_yaxes(title="pictures for each GPU", type="log")
Plot(figure, f"Smallest batch for each GPU: {needed[0]} at 1 Gbit/s, falling to {needed[-1]} at 400 Gbit/s.")

# %% [markdown]
# ### Forty GPUs in 2018
#
# Known: five machines of eight GPUs, 174 million weights, one picture for each GPU in a step, about a week. The paper
# names neither the network nor the seconds of a step. So the rest is **calculated**, from assumptions that you can
# change: a GPU does 5 trillion operations per second, a network moves 10 Gbit/s.

# %%
OPERATIONS, NETWORK = 5e12, 10 * GIGABIT

levels = [(3 * 2 ** (level + 1), (256 >> level) ** 2) for level in range(1, 7)]  # channels, pixels
forward = sum(
    32 * size * 2 * (9 * (c // 2) * 512 + 512 * 512 + 9 * 512 * (c // 2))  # 32 steps, their three convolutions
    for c, size in levels
)
picture = 4 * forward / OPERATIONS  # forward, forward again for checkpoints, and backward counts twice
sending = figures.communication(40, 4 * WEIGHTS, NETWORK, 5e-5)
steps = 7 * 24 * 3600 / (picture + sending)

# %% tags=["nbval-check-output"]
print(f"calculated: a picture takes {forward / 1e12:.2f} trillion operations forward, {picture:.2f} s in training")
print(f"calculated: each GPU sends {2 * 39 / 40 * 4 * WEIGHTS / 1e9:.2f} GB in a step, {sending:.2f} s")
print(f"calculated: a week is {steps:,.0f} steps, {40 * steps / 30000:,.0f} times each of the 30,000 faces")
print(f"calculated: communication would be below a tenth from {plan(40, WEIGHTS, picture, NETWORK, 5e-5)} pictures on")

# %%
ways = {"10 Gbit/s": sending, "100 Gbit/s": sending / 10}
marks = [[[0, picture, picture, picture + each, picture + each]] for each in ways.values()]
figures.timeline(marks, "calculated: one step of 2018, with two networks", list(ways)).shown()

# %% [markdown]
# With these assumptions a GPU would wait most of the time, unless the backward pass hides a part of it. More pictures
# for each GPU would help, if its memory had room for them: this is where notebook 13 comes in.

# %% [markdown]
# ## 8 · One of them dies
#
# Of forty GPUs, sooner or later one fails. In practice the command `torchrun` starts the processes, on one machine or
# on many. Here it is in its long form. Each `glowlite train` is told that it is one of two:

# %%
import subprocess
import sys
import tempfile
from pathlib import Path

from glowlab.processes import loopback_only

RUNS = Path(tempfile.mkdtemp())
TORCHRUN = "torch.distributed.run --standalone --local-addr 127.0.0.1 --nproc-per-node 2 -m"
TRAIN = (
    "glowlite train --preset tiny --images 1280 --batch 32 --init-batch 64 --warmup 320 --log-every 64 --quiet "
    "--validate-every 1280 --validation-count 32 --checkpoint-minutes 0.01 --out"
)


def start(name, processes, *more):
    words = f"-m {TORCHRUN if processes == 2 else ''} {TRAIN}".split()
    command = [sys.executable, *words, str(RUNS / name), *more]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=loopback_only())


# %%
from glowlite.training.metrics import read_metrics


def points(name):
    file = RUNS / name / "metrics.jsonl"
    lines = [line for line in read_metrics(file) if "bpd" in line] if file.exists() else []
    return [line["images"] for line in lines], [line["bpd"] for line in lines]


def draw():
    found = [curve("never stopped", *points("second"), "x", 6, opacity=0.4), curve("killed", *points("first"), "z")]
    figure = go.Figure(found)
    figure.update_xaxes(title="images seen", range=[0, 1280])
    figure.update_yaxes(title="bits/dim")
    return Plot(figure, f"Falling curves of bits per dimension: killed to {len(found[1].x)} points.")


# %% [markdown]
# Half-way, the next cell kills one of the two, as a failing machine would. What does the other one do?

# %%
guess = Prediction(
    "One of two processes is killed. The other one ...",
    ["goes on alone", "waits for ever", "ends, too"],
)
guess

# %%
import psutil

from glowlab.figures.live import watch_process


def half_way():
    images, _ = points("first")
    return bool(images) and images[-1] >= 640 and (RUNS / "first" / "last.safetensors").exists()


run = start("first", 2)
watch_process(run, draw, until=half_way)
workers = psutil.Process(run.pid).children()
workers[1].kill()
words = run.communicate(timeout=120)[1]

# %% tags=["nbval-check-output"]
gone = not any(worker.is_running() for worker in workers)
guess.outcome(
    "ends, too" if gone else "waits for ever",
    "It cannot average with someone who is gone. torchrun ends it, and says who failed first.",
)

# %% [markdown]
# Only the seconds since the last state are lost (notebook 09). Let us say that there is no second machine any more. So
# we resume with *one* process, and compare with a run of one process that never stopped:

# %%
watch_process(start("first", 1, "--resume"), draw)

# %%
watch_process(start("second", 1), draw)

# %% tags=["nbval-check-output"]
(at, ours), (there, theirs) = points("first"), points("second")
off = [abs(a - b) for a, b in zip(ours, theirs, strict=True)]
print("the same images were counted:", at == there)
print("the first ten numbers agree to a ten-thousandth:", max(off[:10]) < 1e-4)
print("all agree to a hundredth of a bit:", max(off) < 0.01)

# %% [markdown]
# They are one curve, though two processes made the first half of it and one the second. The batch follows from seed
# and step alone, as in exercise 2. Only the last digits differ: two processes add in another order, and training
# slowly makes such differences larger.

# %% [markdown]
# On many machines the command is the same on each: `torchrun --nnodes 5 --nproc-per-node 8 --rdzv-backend c10d
# --rdzv-endpoint HOST:29500 -m glowlite train ...`. All must be able to reach HOST, and to read one folder for `--out`.

# %% [markdown]
# ## Summary
#
# - Data parallel: each process takes a share of the batch; the mean of all gradients makes one step.
# - Weights, ActNorm and noise must not depend on rank or on the number of processes.
# - A ring moves $2 (N-1)/N$ of the gradient through each process; latencies add up.
# - All wait for the slowest; large messages during the backward pass hide communication.
# - A process that dies ends the run; its last state goes on, on any number of processes.

# %% [markdown]
# **A harder question.** A friend sums gradients over 8 processes and forgets to divide. With SGD the training
# explodes. With Adam, nobody notices. Why? And where would one still notice?
#
# <details><summary>One answer</summary>
#
# SGD subtracts the gradient itself, so each step is 8 times too long. Adam divides the mean gradient by the root of
# the mean square: both get 8 times as large, and the factor cancels. (Only the tiny $\epsilon$ in its denominator
# counts less.) But clipping comes first: a limit that was chosen for the mean now cuts nearly every gradient, and the
# reported gradient norm is 8 times as large. With another number of processes, it is another factor.
#
# </details>

# %% [markdown]
# **Next.** 15, Limits: what a flow cannot do, measured. [The course in one page](../docs/course.md) ties all together;
# [the project](../docs/project.md) lets you use it.

# %% [markdown]
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 6 and its appendix, and the issues of its code
# (github.com/openai/glow, number 37: forty GPUs, about a week). Patarasuk and Yuan (2009), *Bandwidth optimal
# all-reduce algorithms for clusters of workstations*. Sergeev and Del Balso (2018), *Horovod*, which the authors used.
# Li et al. (2020), *PyTorch distributed: experiences on accelerating data parallel training*.
