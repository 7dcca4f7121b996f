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
# # 12b · Editing faces
#
# A direction is a list of numbers, and a slider adds it. That makes an editor for faces. How does one build it so that
# nothing is lost, what can it not do, and whose opinions are in its sliders?
#
# **After this notebook you can** find the faults of an editor, choose for each face the step that has the effect you
# want, and say what a straight line in latents cannot do.

# %% [markdown]
# **Needs.** Directions (12). No GPU, no training.
#
# **Minutes.** About 35 to read and 30 for the exercises; all cells run in under 60 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $\varepsilon$ | the white latents of a face, all levels | `Glow.encode` |
# | $d$ | a direction, such as a smile | `load_directions` |
# | $\alpha$ | the amount: how many steps along $d$ | `latents.add` |
# | $r(\alpha)$ | what a reader finds in the face after $\alpha$ steps | |

# %% [markdown]
# ## 1 · There and back
#
# Take a face and the smile that comes with the model. Add the smile, then take it off again. Which pixels are wrong?

# %%
import torch

import glowlite
from glowlab.figures.rows import row
from glowlite import latents
from glowlite.checkpoint import load_directions
from glowlite.data import faces

torch.set_grad_enabled(False)  # nothing is trained in this notebook
model, directions = glowlite.load("faces64"), load_directions("faces64")
face = faces.draw(1, seed=11, attributes={"beard": -0.4, "glasses": -0.35, "hair_length": -0.6}).images
eps_face = model.encode(face)


# %%
def close(images):  # without the shoulders and most of the background
    return images[..., 12:56, 10:54]


there = latents.add(eps_face, directions["smile"], 1.0)
back = latents.add(there, directions["smile"], -1.0)
row(
    [close(model.decode(eps)) for eps in (eps_face, there, back)],
    ["the face", "with the smile", "and without it"],
    alt="A face with thin glasses; the same face smiling; the face of the beginning.",
    height=176,
)

# %% tags=["nbval-check-output"]
print("all equal:", torch.equal(model.decode(back), face))

# %% [markdown]
# None. An editor needs the two ends of Glow, and the way between them must lose nothing:

# %%
from glowlab.figures.glow_map import glow_map

glow_map("x", "z")

# %% [markdown]
# Now do it as people do: save the smiling face as a picture, whose pixels are whole numbers from 0 to 255. The
# next day, encode that picture and take the smile off.

# %%
from glowlab.checks import Prediction

guess = Prediction(
    "How many of the 12,288 numbers of the face are wrong now?",
    ["none", "up to half", "more than half"],
)
guess

# %%
saved = model.decode(there)  # uint8: rounded, and cut off at 0 and 255
next_day = model.decode(latents.add(model.encode(saved), directions["smile"], -1.0))

# %% tags=["varies: rounding differs between processors"]
wrong = (next_day != face).sum().item()
away = (next_day.int() - face.int()).abs()
print(f"{wrong:,} are wrong, most by {away[away > 0].float().median():.0f}, the worst by {away.max()}")

# %% tags=["nbval-check-output"]
guess.outcome(
    "none" if wrong == 0 else "up to half" if wrong < face.numel() / 2 else "more than half",
    "The flow lost nothing; the file did. Rounding moved the latents a little.",
)

# %%
from glowlab.figures.rows import face_change

face_change(
    close(face),
    close(next_day),
    "the next day",
    alt="The face, the same face a day later, and where they differ: by a grey level here and there.",
    reach=4.0,
).shown()

# %% [markdown]
# Is rounding to blame? Leave it out: keep the pixels as the fractions that `inverse` gives.

# %% tags=["nbval-check-output"]
fractions = model.inverse(there)  # (1, 3, 64, 64), not rounded
eps_again, _ = model(fractions)
unsmiled = model.decode(latents.add(eps_again, directions["smile"], -1.0))
print("without rounding, all equal:", torch.equal(unsmiled, face))

# %% [markdown]
# So an editor keeps the *latents* of the face and the places of its sliders, and decodes from those each time.

# %% [markdown]
# ## Exercise 1 · Find the faults in this editor
#
# A user moves sliders, one after another. `moves` is a list of `(name, place)`: the slider `name` now stands at
# `place`. The editor returns the picture after each move. It runs, and its first picture is right.

# %%
from glowlab.checks import editing as check


def faulty(picture, moves, encode, decode, directions):
    shown = []
    for name, place in moves:
        eps = encode(picture)
        picture = decode([level + place * step for level, step in zip(eps, directions[name], strict=True)])
        shown.append(picture)
    return shown


moves = [("smile", 1.0), ("beard", 1.0), ("smile", 0.5), ("smile", 0.0), ("beard", 0.0)]

# %%
row(
    [close(face), *map(close, faulty(face, moves, model.encode, model.decode, directions))],
    ["the face", *(f"{name} {place:g}" for name, place in moves)],
    alt="The face and five edits. At the end both sliders are at 0, and the face still smiles and has a beard.",
    height=132,
)

# %% [markdown]
# At the end all sliders are at 0, and the face is not the one of the beginning. There are two faults. Find them, and
# write an editor without them.


# %%
def edit(picture, moves, encode, decode, directions):
    return ...  # a list: the picture after each move


# %% tags=["nbval-check-output"]
verdict = check.edit(edit)
verdict

# %% [markdown]
# `check.edit.hint()` and `.solution()` help. The same moves with your editor (or, until it is right, with a stand-in of
# ours):

# %%
editor = edit if verdict else check.edit.answer()
shown = editor(face, moves, model.encode, model.decode, directions)
row(
    [close(face), *map(close, shown)],
    ["the face", *(f"{name} {place:g}" for name, place in moves)],
    alt="The face and five edits: smiling, with a beard too, smiling less, earnest, and the face of the beginning.",
    height=132,
)

# %% tags=["nbval-check-output"]
print("all sliders at 0, every pixel as before:", torch.equal(shown[-1].view_as(face), face))

# %% [markdown]
# ## 2 · The same step for everyone?
#
# One list is added to any face. Does it do the same to all? To measure that, we need the reader of notebook 12, least
# squares from coarse squares of a picture to its attributes:

# %%
names = list(faces.ATTRIBUTES)


def squares(images):  # uint8 (B, 3, 64, 64) -> (B, 768)
    return torch.nn.functional.avg_pool2d(images.double() / 128 - 1, 4).flatten(1)


lessons = faces.draw(2000, seed=70)
X, Y = squares(lessons.images), torch.stack([lessons.attributes[name].double() for name in names], 1)
weights = torch.linalg.lstsq(X - X.mean(0), Y - Y.mean(0)).solution  # (768, 10)


def read(images, name):  # (B,)
    return ((squares(images) - X.mean(0)) @ weights + Y.mean(0))[:, names.index(name)]


# %% [markdown]
# Move eight faces along three directions, in seven stops.

# %%
from glowlab.figures.attributes import reading_curves

even = torch.linspace(-1, 1, 16)
mixed = even[torch.randperm(16, generator=torch.Generator().manual_seed(0))]
eight = faces.draw(16, seed=77, attributes={"beard": even, "glasses": mixed}).images[:8]
eps_eight = model.encode(eight)
amounts = torch.linspace(-1, 1, 7).tolist()


def journey(name):
    shown = [model.decode(latents.add(eps_eight, directions[name], amount)) for amount in amounts]
    return torch.stack([read(images, name) for images in shown])  # (7, 8)


found = {name: journey(name) for name in ("beard", "glasses", "head_turn")}
reading_curves(
    amounts,
    {name.replace("_", " "): values for name, values in found.items()},
    alt="Three panels with a line for each of eight faces. They rise, some steeply and some less.",
)

# %% tags=["nbval-check-output"]
for name, values in found.items():
    moved = values[-1] - values[0]
    rising = (values.diff(dim=0) > 0).all(0).sum()
    print(f"{name:9} rises at every stop for {rising} of 8 faces; they move by {moved.min():.1f} to {moved.max():.1f}")

# %% [markdown]
# They go the right way, but not equally far. The step is the same in $\varepsilon$, and what it does depends on the
# face. A direction is a mean over many faces, and need not fit each of them.

# %% [markdown]
# ## Exercise 2 · The same effect for everyone
#
# Let a slider say what the picture shows, not how far to go. `reading(alpha)` takes an amount for each face, (B,), and
# returns what is read in each face after that step, (B,). It rises with `alpha`, and nothing else is known of it. Find
# the amounts between `low` and `high` at which `wanted` is read, to 0.01.


# %%
def amounts_for(reading, wanted, low, high):
    return ...  # (B,)


# %% tags=["nbval-check-output"]
verdict = check.amounts_for(amounts_for)
verdict

# %% [markdown]
# `check.amounts_for.hint()` and `.solution()` help. Below, each face gets its own amount of beard (until yours is
# right, from a stand-in of ours). `wanted` is a face's own reading plus 0.8.

# %%
from glowlab.figures.attributes import picture_grid


def reading(alpha):
    return read(model.decode(latents.add(eps_eight, directions["beard"], alpha.float())), "beard")


search = amounts_for if verdict else check.amounts_for.answer()
before = reading(torch.zeros(8))
own = search(reading, before + 0.8, torch.zeros(8), torch.full((8,), 4.0)).float()
same_step = model.decode(latents.add(eps_eight, directions["beard"], own.mean().item()))
own_step = model.decode(latents.add(eps_eight, directions["beard"], own))

# %%
picture_grid(
    [list(close(images)[1::2]) for images in (eight, same_step, own_step)],
    ["", "", "", ""],
    ["before", "same step", "own step"],
    alt="Four faces: as they were; each moved by the same step to a beard; each moved by a step of its own.",
    zoom=3,
)

# %% tags=["nbval-check-output"]
for words, images in {"same step": same_step, "own step": own_step}.items():
    effect = read(images, "beard") - before
    print(f"{words}: the beard grew by {effect.min():.1f} to {effect.max():.1f}")

# %% [markdown]
# The same effect for all, as our reader reads it. Look at the faces, too: a longer step changes more than the beard.

# %% [markdown]
# ### Too far

# %%
steps = [2, 4, 8]
row(
    [close(model.decode(latents.add(eps_face, directions["beard"], step))) for step in steps],
    [f"{step} steps" for step in steps],
    alt="A growing beard: full at two steps, then darker and darker; at eight steps it is a flat patch.",
    height=176,
)

# %% tags=["varies: rounding differs between processors"]
for step in [1, *steps]:
    x = model.inverse(latents.add(eps_face, directions["beard"], step))  # before pixels are rounded and cut off
    cut = ((x < -0.5) | (x >= 0.5)).double().mean()
    print(f"steps: {step}, all finite: {bool(x.isfinite().all())}, cut off at black or white: {cut:.1%}")

# %% [markdown]
# The bounded scales of the couplings keep all numbers finite (a plain `sigmoid` may not, see notebook 10). But the
# model has seen no face so far out, and pixels reach black or white. The explorer's sliders end at one step, for that
# reason.

# %% [markdown]
# ## 3 · What a straight line cannot do
#
# Drawn faces allow a test that photographs do not: draw *the same person* with darker glasses, or with the head turned,
# and compare.

# %%
from glowlab.explorers.labelled import REACH

pictures = {}
for name in ("glasses", "head_turn"):
    start, goal = (faces.draw(1, seed=3, attributes={name: value}).images for value in (0.0, REACH))
    one, half = (model.decode(latents.add(model.encode(start), directions[name], amount)) for amount in (1.0, 0.5))
    pictures[name] = list(map(close, [start, half, one, goal]))
picture_grid(
    list(pictures.values()),
    ["start", "half a step", "one step", "the truth"],
    ["glasses", "head turn"],
    alt="Glasses: one step darkens the frames as the truth does, though in black instead of brown. Head turn: in the "
    "truth eyes and nose have moved, while the step shows a blend of two faces.",
    zoom=3,
)

# %% [markdown]
# Glasses work, though not in the colour of this frame: the list holds an average frame. The head does not turn. Eyes
# and nose would have to move to other pixels, and a straight line only blends them in there. (Our reader does not
# notice that, and the eye does. So look as well as measure.)
#
# Half a step of glasses gives half-dark frames. Drawn faces have such frames. In photographs glasses are there or not,
# and the half-way picture shows nothing that exists.

# %% [markdown]
# ## 4 · The Mona Lisa smiles
#
# All this works with real people, too. `portraits64` is the same Glow, trained on photographs. Its smile was found as
# ours was, from labels: how wide a mouth is and how far its corners are up, measured in each photograph. Now add that
# list to a painting that the model has never seen.

# %%
from glowlab.explorers.gallery import read_portraits

real, real_smile = glowlite.load("portraits64"), load_directions("portraits64")["smile"]
portraits, titles, _ = read_portraits(64)  # thirteen, all in the public domain
lisa = portraits[titles.index("Mona Lisa")][None]
eps_lisa = real.encode(lisa)

amounts = (-1.0, 0.0, 1.0)
row(
    [real.decode(latents.add(eps_lisa, real_smile, amount)) for amount in amounts],
    [f"smile {amount:+.0f}" for amount in amounts],
    alt="Three times the Mona Lisa: earnest, with the corners of her mouth down; as she was painted; and smiling.",
    height=256,
    exact=False,
)

# %% tags=["nbval-check-output"]
print("in the middle every pixel is as painted:", torch.equal(real.decode(eps_lisa), lisa))

# %% [markdown]
# Her mouth changes most, and her cheeks move with it, as cheeks do. In the studio this is one of the sliders: choose
# *real* at the top of its page.
#
# `portraits64` learned from FairFace (Karkkainen & Joo 2021), CC BY 4.0.

# %% [markdown]
# ## 5 · Whose attributes?
#
# Our labels are the numbers that the faces were drawn with, so they are true. Labels of photographs are somebody's
# opinion. The published directions came from the labels of CelebA. Among them are "Attractive", "Young" and "Male",
# each yes or no, given by others. Nobody asked the people in the pictures.
#
# A direction made of them is real all the same: it holds how the judges judge, and who was photographed how.

# %% [markdown]
# And then it becomes a slider, which looks like a fact. Whatever came together with "attractive" in that collection,
# such as age, make-up or skin, moves along with it, as glasses moved with the beard in notebook 12. To separate them,
# somebody must notice, and must have labels for it.
#
# Drawn people do not raise this question, and do not answer it. `portraits64` has sliders for what can be measured in a
# picture, and for age, which others guessed.

# %% [markdown]
# ## Summary
#
# - In latents $+d$ and $-d$ cancel; through a saved picture they do not, because pixels are rounded.
# - An editor keeps latents and sliders, and decodes from both each time.
# - The same step moves faces unequally; a search gives each face the step that it needs.
# - A straight line changes colour and shade well, and cannot move a part to another place.
# - A direction holds what its labels hold, opinions included, and never says what causes what.

# %% [markdown]
# **A harder question.** In float32, $(\varepsilon + d) - d$ is not exactly $\varepsilon$, and `decode` of `encode` is
# not exactly the identity either. Yet every pixel came back. What repairs the small errors, and when would it fail?

# %% [markdown]
# <details><summary>One answer</summary>
#
# Rounding to whole pixels. On faces, a pixel comes back less than a hundredth of a grey level off. It takes half a grey
# level to change the pixel, so rounding gives exactly the old picture.
#
# It fails where layers stretch too much. On very strange pictures, such as black and white stripes in full colours,
# float32 alone is off by more than a grey level. `Glow.encode` notices that and uses float64. Behrmann et al. (2021)
# call such flows numerically non-invertible.
#
# The same rounding *lost* the face in section 1. There the pixels of the smiling face were fractions, and rounding
# changed them.
#
# </details>
#
# **Next.** 13, Memory that does not grow: what the way back is good for in training. [The course in one
# page](../docs/course.md) ties the notebooks together and shows what lies around Glow;
# [the project](../docs/project.md) lets you use it all.
#
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 6, "Semantic manipulation"; the labels there are
# those of Liu et al. (2015), *Deep learning face attributes in the wild*. Behrmann, Vicol, Wang, Grosse and Jacobsen
# (2021), *Understanding and mitigating exploding inverses in invertible neural networks*.
