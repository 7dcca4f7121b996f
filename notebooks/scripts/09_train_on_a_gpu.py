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
# # 09 · Train on a GPU
#
# The model of notebook 08 drew smears after a few minutes; the shipped models learned for hours. This notebook is about
# those hours: watch a long run, survive its end, fit it into a memory, know its price beforehand.
#
# **After this notebook you can** start a training and follow its curves, stop and resume it to the last digit, choose
# batch and depth for a memory, and say where bfloat16 is safe in a flow.

# %% [markdown]
# **Needs.** Notebook 08. A GPU is welcome and not needed: without one the same cells train a smaller model.
#
# **Minutes.** About 55 to read and 30 for the exercises; all cells run in under 60 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $B$ | the batch: pictures of one step | `TrainConfig.batch` |
# | $K$ | steps of flow in each level | `GlowConfig.depth` |
# | $m_0$ | bytes that a training needs whatever its batch | |
# | $m_1$ | bytes for one more picture in the batch | |
# | preset | a named size of the model | `glow.PRESETS` |

# %% [markdown]
# ## 1 · This machine
#
# All cells below are the same on every machine. Only the sizes differ:

# %% tags=["varies: names the machine's processor"]
import torch

GPU = torch.cuda.is_available()
DEVICE = "cuda" if GPU else "cpu"
PRESET, IMAGES, BATCH = ("faces32", 400_000, 128) if GPU else ("tiny", 6_400, 32)
print(torch.cuda.get_device_name() if GPU else "no GPU of NVIDIA's: the small sizes")
print(f"preset {PRESET}, {IMAGES:,} images in batches of {BATCH}")

# %% [markdown]
# (On a Mac the command below uses its GPU, too, which torch calls `mps`. The cells of this notebook then go on with the
# small sizes.)

# %% [markdown]
# ## 2 · A run
#
# In notebook 08 you wrote the loop yourself. From now on one command does it, so that a run of hours needs no open
# notebook. These are the words that you would type in a terminal:

# %%
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = Path(tempfile.mkdtemp())  # for a run that you want to keep, name a folder of your own


def train(name, *more):
    words = f"train --preset {PRESET} --images {IMAGES} --batch {BATCH} --log-every {IMAGES // 50} --quiet"
    words += (
        f" --validate-every {IMAGES // 16} --warmup {IMAGES // 10} --validation-count 128 --checkpoint-minutes 0.02"
    )
    command = [sys.executable, "-m", "glowlite", *words.split(), "--out", str(RUNS / name), *more]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


# %% [markdown]
# A run writes a line into `metrics.jsonl` now and then: what its batches cost, or what held-out faces cost. We turn
# these lines into curves. They are drawn by plotly: hover over a curve to read it, drag to zoom, double-click to go
# back.

# %%
import plotly.graph_objects as go

from glowlab.figures.curves import Plot, curve
from glowlite.training.metrics import read_metrics


def points(name, key):  # images seen, and the numbers of one kind
    lines = [line for line in read_metrics(RUNS / name / "metrics.jsonl") if key in line]
    return [line["images"] for line in lines], [line[key] for line in lines]


def draw(name="first"):
    batches = curve("training batches", *points(name, "bpd"), "sky")
    held_out = curve("held-out faces", *points(name, "val_bpd"), "log_det", mode="lines+markers")
    figure = go.Figure([batches, held_out])
    figure.update_xaxes(title="images seen", range=[0, IMAGES])
    figure.update_yaxes(title="bits/dim")
    last = f"{held_out.y[-1]:.1f}" if held_out.y else "not measured yet"
    return Plot(figure, f"Two falling curves of bits per dimension against images. Held-out faces at last: {last}.")


# %% [markdown]
# Start it. When it has seen half of its images, the next cell ends it the hard way, as a power cut would: `kill` gives
# the process no time to save anything. (To end a run kindly, press Ctrl-C in its terminal: it saves, then stops.)

# %%
from glowlab.figures.live import watch_process


def half_way():
    images, _ = points("first", "bpd")
    return bool(images) and images[-1] >= IMAGES / 2


run = train("first")
watch_process(run, draw, until=half_way)
run.kill()
words = run.communicate()

# %% [markdown]
# ## 3 · Go on
#
# Every few seconds the run had saved its state. (By default it does so every five minutes.) From the last of these
# it goes on with `--resume`; the rest that it had learned after that is lost, and will be learned again.

# %%
from glowlab.checks import Prediction

guess = Prediction(
    "One run is killed and resumed. Another with the same seed is never stopped. At the end, their bits/dim are ...",
    ["equal to the last digit", "equal to two digits", "clearly different"],
)
guess

# %%
watch_process(train("first", "--resume"), draw)

# %% [markdown]
# There is no seam. Here is the other run, which nobody stops, and both in one picture:

# %%
other = train("second")
other.communicate()  # waits for its end

both = go.Figure(
    [
        curve("killed and resumed", *points("first", "bpd"), "z", 6, opacity=0.5),
        curve("never stopped", *points("second", "bpd"), "x", 1.5),
    ]
)
both.update_xaxes(title="images seen")
both.update_yaxes(title="bits/dim of batches")
Plot(both, "Two curves of bits per dimension, a thick and a thin one, exactly on top of each other.")

# %% tags=["nbval-check-output"]
(at, ours), (_, theirs) = points("first", "bpd"), points("second", "bpd")
print(f"{sum(a == b for a, b in zip(ours, theirs, strict=True))} of {len(theirs)} numbers are equal to the last digit")
guess.outcome(
    "equal to the last digit" if ours == theirs else "equal to two digits",
    "On one kind of machine: a GPU may add in another order, and then the last digits differ.",
)

# %% [markdown]
# How can that be? Random numbers are drawn in each step: faces, noise. The trick is that they come from (seed, step)
# alone, as `glowlite/training/stream.py` draws them. So the state needs no generator's memory, only the number of the
# step.

# %% [markdown]
# ## 4 · What is in a state?
#
# Let us open the file, and count what is in there.

# %%
from collections import Counter

from glowlite.training.config import read_run

tensors, facts = read_run(RUNS / "first")
sizes = Counter()
for name, tensor in sorted(tensors.items()):
    sizes[name.partition(".")[0]] += tensor.nbytes
kilobytes = [size / 1000 for size in sizes.values()]
bars = go.Figure(go.Bar(x=list(sizes), y=kilobytes, marker_color="#0072B2"))
bars.update_yaxes(title="kilobytes")
bars.update_layout(height=240)
Plot(bars, "Three bars: average, model and optimizer. The first two are equal, the last is larger.")

# %% tags=["nbval-check-output"]
print(
    "the numbers kept for one bias:", *sorted(name for name in tensors if "levels.0.split.prior.b" in name), sep="\n  "
)
print("and facts:", *(f"{name} {facts[name]}" for name in ("step", "images")), "the settings, seconds, ...", sep="\n  ")

# %% [markdown]
# - **model**: the weights, as the last step left them.
# - **average**: their moving average (EMA), which draws better faces. This is what `model.safetensors` holds.
# - **optimizer**: its memory of past gradients; Adam keeps two numbers for each weight, Muon one.
# - **facts**: the step, which stands for all random numbers, and the settings.

# %% [markdown]
# ## Exercise 1 · Find the fault
#
# Here is a small run, made of the same four parts, and `restore`, which gives a new run all that a state holds.

# %% tags=["nbval-check-output"]
import inspect

from glowlab.checks import train_on_a_gpu as check
from glowlab.checks.train_on_a_gpu import SmallRun, restore

print(inspect.getsource(SmallRun))
print(inspect.getsource(restore))


# %% [markdown]
# A friend saves the state after 10 steps like this. Then the run goes on for 30 steps; and a new run, restored from
# the state, should do the same 30 steps again.


# %%
def faulty_save(run):
    return {"model": run.model.state_dict(), "step": run.step}


def compare(save):
    run = SmallRun()
    before = run.train(10)
    state = save(run)
    after = run.train(30)
    again = restore(SmallRun(), state).train(30)
    never = curve("never stopped", range(40), before + after, "x", 5, opacity=0.5)
    resumed = curve("restored after 10 steps", range(10, 40), again, "z", 2)
    figure = go.Figure([never, resumed])
    figure.update_xaxes(title="step")
    figure.update_yaxes(title="loss")
    away = max(abs(a - b) for a, b in zip(after, again, strict=True))
    return Plot(figure, f"Loss of a run that was never stopped and of a restored one; at most {away:.3f} apart.")


compare(faulty_save)

# %% [markdown]
# The orange curve starts elsewhere. There is more than one fault. Write `save` without them; it gives a dict of parts,
# under the names that they have in the run.


# %%
def save(run):
    return ...


# %% tags=["nbval-check-output"]
check.save(save)

# %% [markdown]
# `check.save.hint()` gives one hint at a time, `check.save.solution()` a worked answer, then the lines of the package.
# Once yours is right, the orange line lies on the blue one:

# %%
compare(save) if check.save(save) else compare(faulty_save)

# %% [markdown]
# ## 5 · Does it fit?
#
# A GPU is fast, and its memory is small. What fills it? To learn, every layer keeps its activations until the backward
# pass. Autograd tells us what it keeps, so we can count bytes, on any machine:

# %%
from dataclasses import replace

from glowlite import pixels
from glowlite.data import faces
from glowlite.flows.reversible import set_memory
from glowlite.glow import PRESETS, Glow

STATES = 5  # numbers for each weight: itself, its gradient, its average, two of the optimizer


def bytes_of_step(batch, depth, memory="stored"):
    model = Glow(replace(PRESETS["tiny"], depth=depth))
    x = pixels.dequantize(faces.draw(batch, size=16).images)
    model.initialize(x)
    set_memory(model, memory)
    kept = {}

    def note(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        model.log_density(x)
    weights = sum(weight.nbytes for weight in model.parameters())
    return STATES * weights + sum(kept.values())


# %%
guess = Prediction(
    "From batch 8 to batch 16 at the same depth: the bytes of a step become ...",
    ["twice as many", "less than twice as many", "more than twice as many"],
)
guess

# %%
BATCHES, DEPTHS = (1, 2, 4, 8, 16), (1, 2, 4, 8)
found = {K: [bytes_of_step(B, K) / 1e6 for B in BATCHES] for K in DEPTHS}
colours = ("sky", "x", "pink", "z")
memory = go.Figure(
    [
        curve(f"K = {K}", BATCHES, found[K], colour, mode="lines+markers", hovertemplate="batch %{x}: %{y:.2f} MB")
        for K, colour in zip(DEPTHS, colours, strict=True)
    ]
)
memory.update_xaxes(title="batch")
memory.update_yaxes(title="megabytes", rangemode="tozero")
Plot(memory, "Four straight lines of megabytes against the batch; the deeper the model, the steeper and the higher.")

# %% tags=["nbval-check-output"]
ratio = found[4][4] / found[4][3]
guess.outcome(
    "less than twice as many" if ratio < 1.95 else "more than twice as many" if ratio > 2.05 else "twice as many",
    f"Times {ratio:.2f}: weights, gradients and optimizer do not grow with the batch.",
)
print("slopes for K = 1, 2, 4, 8 in MB for a picture:", *(f"{(b[4] - b[3]) / 8:.3f}" for b in found.values()))

# %% [markdown]
# Straight lines: $\text{bytes} = m_0 + m_1 B$. Both $m_0$ and $m_1$ grow with the depth $K$. Two measurements with
# small batches give the whole line. So you can find the largest batch without ever seeing "out of memory".

# %% [markdown]
# ## Exercise 2 · The largest batch
#
# Two measurements at one depth are given, each as `(batch, bytes)`. How large may the batch be within `budget` bytes?
# If no picture fits, it is 0.


# %%
def largest_batch(budget, first, second):
    return ...


# %% tags=["nbval-check-output"]
check.largest_batch(largest_batch)

# %% [markdown]
# Again there are hints and a solution. Now choose, with a budget of your own. (Until your function is right, a worked
# answer stands in for it.) Try the three ways that `glowlite train --memory` knows, too:

# %%
from glowlab.checks.solutions.train_on_a_gpu import largest_batch as worked_answer

BUDGET = 4e6  # bytes; tiny's faces are tiny, too. Change it.
WAYS = {"stored": "z", "checkpointed": "pink", "reversible": "log_det"}
choose = largest_batch if check.largest_batch(largest_batch) else worked_answer
fits = {way: [] for way in WAYS}
for way in WAYS:
    for K in DEPTHS:
        measured = [(B, bytes_of_step(B, K, way)) for B in (2, 4)]
        fits[way].append(int(choose(BUDGET, *measured)))

largest = go.Figure([curve(way, DEPTHS, fits[way], WAYS[way], mode="lines+markers") for way in WAYS])
largest.update_xaxes(title="depth K", tickvals=DEPTHS)
largest.update_yaxes(title="largest batch", type="log")
Plot(largest, "Largest batch against depth, three ways: stored falls fastest, checkpointed less, reversible least.")

# %% tags=["nbval-check-output"]
for way in WAYS:
    print(f"{way:13} largest batch for K = 1, 2, 4, 8:", *fits[way])

# %% [markdown]
# - `stored`: all activations are kept. Fastest.
# - `checkpointed`: one for each step of flow is kept, and the rest is computed a second time.
# - `reversible`: only the last is kept. A flow can compute its inputs from its outputs!
#
# The last two take about 1.4 times as long on a CPU (`python -m benchmarks.memory`). Notebook 13, *Memory that does not
# grow*, is about the third way.

# %% [markdown]
# The forecast counts what autograd keeps. Convolutions need some workspace besides, so leave some room. On a GPU
# measure the truth: `torch.cuda.max_memory_allocated()` after one step.

# %% [markdown]
# ## 6 · How fast?
#
# A GPU has thousands of small cores. A small batch leaves most of them idle. How does the speed depend on the batch,
# on this machine?

# %%
import time


def images_per_second(batch, seconds=0.3):
    model = Glow(PRESETS[PRESET]).to(DEVICE)
    x = pixels.dequantize(faces.draw(batch, size=PRESETS[PRESET].shape[1]).images).to(DEVICE)
    model.initialize(x)
    seen, start = -batch, time.perf_counter()
    while time.perf_counter() - start < seconds:
        (-model.log_density(x).mean()).backward()
        if GPU:
            torch.cuda.synchronize()  # wait until it is done, or we would time only the asking
        if seen < 0:
            start = time.perf_counter()  # the first step warms up
        seen += batch
    return seen / (time.perf_counter() - start)


# %%
sizes = (1, 4, 16, 64)
speeds = [images_per_second(B) for B in sizes]
speed = go.Figure(curve("images per second", sizes, speeds, "x", mode="lines+markers", hovertemplate="%{y:.0f}"))
speed.update_xaxes(title="batch", type="log", tickvals=sizes)
speed.update_yaxes(title="images per second", rangemode="tozero")
Plot(speed, "Images per second against the batch: a rising curve.")

# %% [markdown]
# The curve rises: each step has a price of its own, for hundreds of small operations that must be started one by one.
# Many pictures share it. Where the curve is flat, the processor is busy, and a larger batch only costs memory. But a
# larger batch also means fewer steps for the same images. So take the smallest batch that is nearly as fast as the
# largest.

# %% [markdown]
# ## 7 · Half the bits
#
# Recent GPUs multiply much faster in **bfloat16**: 16 bits for a number, of which 7 store its digits, so two or three
# decimal digits are right. Can a flow live with that? Here are the shipped model and four faces, there and back,
# three times:

# %%
import glowlite
from glowlite.training.loop import set_precision

pictures = faces.draw(4, seed=2).images
exact = glowlite.load("faces64").to(DEVICE)
networks = glowlite.load("faces64").to(DEVICE)
set_precision(networks, "bf16")  # products of the couplings' networks; all else stays in float32
everything = glowlite.load("faces64").to(DEVICE).bfloat16()

# %%
guess = Prediction(
    "Only the couplings' networks compute in bfloat16, and all else in float32. How far off are the bits/dim?",
    ["less than 0.001", "about 0.02", "about 1"],
)
guess


# %%
@torch.no_grad()
def there_and_back(model):
    x = pixels.to_float(pictures).to(DEVICE, model.dtype)
    back = model.inverse(model(x)[0])
    bits = 8 - model.log_density(x).double() / (model.dims * torch.tensor(2.0).log().item())
    return bits.mean().item(), pixels.to_uint8(back.float()).cpu()


trips = {
    "float32": there_and_back(exact),
    "networks in bfloat16": there_and_back(networks),
    "all in bfloat16": there_and_back(everything),
}

# %%
from glowlab.figures.rows import row

wrong = {name: back != pictures for name, (_, back) in trips.items()}
row(
    [pictures[0], *((255 * each[0].any(0, keepdim=True)).to(torch.uint8) for each in wrong.values())],
    ["a face", "float32", "networks in\nbfloat16", "all in\nbfloat16"],
    alt="A face, and maps of the pixels that came back wrong: none in float32, a few with networks in bfloat16, and "
    "about half with all in bfloat16.",
    height=150,
)

# %% tags=["nbval-check-output"]
off = {name: abs(bits - trips["float32"][0]) for name, (bits, _) in trips.items()}
share = {name: each.float().mean().item() for name, each in wrong.items()}
print("float32: numbers that came back wrong:", wrong["float32"].sum().item())
print("networks in bfloat16: wrong, but below 2 %:", 0 < share["networks in bfloat16"] < 0.02)
print("all in bfloat16: wrong, more than a quarter:", share["all in bfloat16"] > 0.25)
guess.outcome(
    "less than 0.001" if off["networks in bfloat16"] < 0.001 else "about 0.02",
    "The network may say anything: its answer, rounded or not, is what is added and what the log-det counts.",
)

# %%
from glowlab.figures.glow_map import glow_map

glow_map("coupling")

# %% [markdown]
# This is why `--precision bf16` touches only the network inside the coupling, the one part that nobody inverts. It does
# nearly all multiplications. The **bijections** stay in float32: $z = s(x + t)$, $W x$ and the log-dets. Rounding
# *there* loses digits of the picture itself, and a sum of thousands of log-dets in 8 bits is no number to train on.

# %% [markdown]
# A few pixels were lost even so: on the way back the network sees an input that differs in the last digit, and may
# round it to the other side. Training does not mind. But `encode` and `decode` should give every pixel back, so a model
# that was trained with `--precision bf16` is saved, and used, in float32.

# %% [markdown]
# ## 8 · What does it cost?
#
# Before a long run, one short one tells you the price. Put in your own numbers: the watts of your machine are printed
# on it, an hour's price stands in the list of whoever rents it out. All that the next cell prints is **calculated**.

# %% tags=["varies: rests on a measured speed"]
SPEED = points("first", "images_per_second")[1][-1]  # measured above, of this preset on this machine
GOAL = 1_000_000  # images
WATTS, PRICE_PER_KWH, PRICE_PER_HOUR = 300, 0.30, 0.00  # your numbers


def cost(images, speed, watts, per_kwh, per_hour):
    hours = images / speed / 3600
    kwh = hours * watts / 1000
    return hours, kwh, kwh * per_kwh + hours * per_hour


hours, kwh, money = cost(GOAL, SPEED, WATTS, PRICE_PER_KWH, PRICE_PER_HOUR)
print(f"calculated, at {SPEED:.0f} images per second: {hours:.2f} hours, {kwh:.3f} kWh, {money:.2f} of your currency")

# %% [markdown]
# Is it worth it? Hours grow in proportion to images, but bits/dim fall ever more slowly. Zoom into the end of your
# curve: how much did the last quarter bring? And stop early if a run is clearly worse than another: that is what live
# curves are for.

# %% [markdown]
# ## 9 · Pictures of your own
#
# Put pictures into a folder and name it: `glowlite train --data my_folder`. Put its path here; until then, a folder of
# drawn faces stands in for it.

# %%
from PIL import Image

MY_FOLDER = ""  # "/home/me/photos"
folder = Path(MY_FOLDER) if MY_FOLDER else RUNS / "album"
if not MY_FOLDER:
    folder.mkdir(exist_ok=True)
    for number, face in enumerate(faces.draw(60, size=48, seed=4).images):
        Image.fromarray(face.permute(1, 2, 0).numpy()).save(folder / f"{number:02}.png")
    Image.fromarray(face.permute(1, 2, 0).numpy()).save(folder / "the last one again.png")

# %% [markdown]
# Each picture is cut to a square and made as small as the model wants it. Files that cannot be read are passed over,
# and pictures that are there twice count once. About a tenth is held out. Which ones depends on each picture's own
# bytes: if you add pictures tomorrow and resume, no held-out picture becomes one to train on.

# %%
import contextlib
import io

from glowlite.data import picture_folder
from glowlite.training.stream import PictureStream

size, channels = PRESETS[PRESET].shape[1], PRESETS[PRESET].shape[0]
with contextlib.redirect_stderr(io.StringIO()) as said:
    album = picture_folder.read(folder, size, channels).images
stream = PictureStream(album, batch=8, seed=0)
row([*stream.batch(0)[:6]], height=110, alt="Six small pictures of the folder, cut to squares: a batch.")

# %% tags=["nbval-check-output"]
print(said.getvalue().strip().rpartition("/")[2])
print(f"to train on: {len(stream.training)}, held out: {len(stream.validation)}")

# %% [markdown]
# A folder is small, so a model can learn it by heart (notebook 07). Therefore such a run keeps a second file,
# `best.safetensors`: the model as it was when the held-out pictures were cheapest. Mirrored pictures (`--flip`) double
# a folder. Eyes at equal places help more than anything else: `glowlite align`.

# %% [markdown]
# ## 10 · The result
#
# Last, what the run of section 2 has learned:

# %%
mine = glowlite.load(RUNS / "first" / "model.safetensors")
drawn = mine.sample(6, temperature=0.7, generator=torch.Generator().manual_seed(0))
row([*drawn], height=110, alt="Six samples of the model from section 2: blurred colours of hair, skin and shirt.")

# %% [markdown]
# On a CPU it is the smallest preset, after a minute. `glowlite train --preset faces64 --out runs/mine` on a GPU gives
# you what the explorers show; `glowlite train --help` lists everything that you can choose.

# %% [markdown]
# ## Summary
#
# - A run is a command; its curves come from a file of metrics.
# - A state holds weights, average, optimizer and step; batches follow from (seed, step), so resuming is exact.
# - Memory is $m_0 + m_1 B$, and both grow with depth; two ways keep less and compute more.
# - A larger batch is faster until the processor is busy.
# - bfloat16 is safe in the coupling's network; bijections and log-dets stay in float32.

# %% [markdown]
# **A harder question.** A run is resumed on another GPU, with other kernels for its convolutions. The first loss
# afterwards agrees to six digits, the hundredth to two, and the curves look alike. Is the resumed run wrong? What could
# you still compare, to be sure that nothing was lost?
#
# <details><summary>One answer</summary>
#
# No. Sums in another order differ in the last digit, and training amplifies such differences, as two runs of other
# seeds show. Compare what does not depend on the order of sums: the state itself, tensor by tensor, after loading and
# before the first step; the batches of the next steps, which follow from (seed, step); and the learning rate. If those
# agree, the rest is rounding. At the end, compare bits/dim of held-out pictures with the spread between seeds.
#
# </details>

# %% [markdown]
# **Next.** 10, Temperature: one number that decides how bold a model's drawings are.
#
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 5, and its appendix for the settings of their runs.
# Gomez et al. (2017), *The reversible residual network*, for memory. Chen et al. (2016), *Training deep nets with
# sublinear memory cost*, for checkpoints.
