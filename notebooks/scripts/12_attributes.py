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
# # 12 · Attributes
#
# Give the model a hundred faces, say of each whether it has a beard, and it can put a beard on anybody. It learns
# nothing for that: a subtraction is enough. Why does it work, how well, and when does it go wrong?
#
# **After this notebook you can** make a direction from labels, say how much of it is chance and why it works all the
# same, measure what it moves, and part two attributes that come together.

# %% [markdown]
# **Needs.** The levels of the latents (06) and interpolation (11). No GPU, no training.
#
# **Minutes.** About 45 to read and 10 for the exercises; all cells run in under 60 seconds.
#
# **Symbols.**
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $z$ | the latents of a face, all levels (10 called them $\varepsilon$) | `Glow.encode` |
# | $D$ | how many numbers they are | `Glow.dims` |
# | $a$ | a direction: one number for each number of $z$ | `latents.mean_difference` |
# | $z + \alpha a$ | the face, $\alpha$ steps along $a$ | `latents.add` |
# | $y$ | a label, yes or no, or a number from -1 to 1 | `Faces.attributes` |
# | $N$ | how many labelled faces a direction is made from | |

# %% [markdown]
# ## 1 · One list, three faces
#
# Three faces, and what became of them. The same list of 12,288 numbers was added to the latents of each, and nothing
# else was done. What is this list?

# %%
import torch

import glowlite
from glowlab.figures.attributes import picture_grid
from glowlite import latents
from glowlite.checkpoint import load_directions
from glowlite.data import faces

torch.set_grad_enabled(False)  # nothing is trained in this notebook
model = glowlite.load("faces64")
even = torch.linspace(-1, 1, 16)
mixed = even[torch.randperm(16, generator=torch.Generator().manual_seed(0))]
sixteen = faces.draw(16, seed=77, attributes={"beard": even, "glasses": mixed})  # for looking and measuring alone
some, z_some = sixteen.images, model.encode(sixteen.images)


# %%
def close(images):  # without the shoulders and most of the ground
    return images[..., 12:56, 10:54]


smile = load_directions("faces64")["smile"]  # the list
after = model.decode(latents.add(z_some, smile, 1.0))
who = [6, 11, 13]
picture_grid(
    [close(some[who]), close(after[who])],
    ["", "", ""],
    ["z", "z + list"],
    alt="Three sad or earnest people; below them the same three, smiling, and little else about them has changed.",
    zoom=3,
)

# %% [markdown]
# It is a smile. In notebook 00 it was on a slider, ready made. Now make such a list yourself. Glow is used from its
# two ends only:

# %%
from glowlab.figures.glow_map import glow_map

glow_map("x", "z")

# %% [markdown]
# ## 2 · With, minus without
#
# Take 200 drawn faces and one thing that is known of each: has it a beard? Most people have none, and so it is with
# drawn ones. Let us encode them, which takes a few seconds.

# %% tags=["nbval-check-output"]
labelled = faces.draw(200, seed=1)
beard = labelled.attributes["beard"]  # (200,), from -1, none, to +1, full
has = beard > -1  # (200,), yes or no
z = model.encode(labelled.images)  # four levels, (200, C, H, W) each
print(f"{has.sum()} with, {(~has).sum()} without")

# %%
from glowlab.checks import Prediction

guess = Prediction(
    "Average the latents of all who have a beard, number by number, and decode. What does one see?",
    ["one of these people", "noise", "a smooth face with a beard"],
)
guess

# %%
from glowlab.figures.rows import row

mean_with = [level[has].mean(0, keepdim=True) for level in z]
mean_without = [level[~has].mean(0, keepdim=True) for level in z]
row(
    [close(model.decode(mean_without)), close(model.decode(mean_with))],
    ["mean without", "mean with"],
    alt="Two blurred faces that look like one person, without and with a dark beard.",
    height=220,
)

# %% tags=["nbval-check-output"]
guess.outcome("a smooth face with a beard", "What differs from face to face averages out; the beard is shared.")

# %% [markdown]
# The two means look like one person, shaved and not. So take one from the other, and what they share goes away as
# well:
#
# $$a = \frac{1}{n_\text{with}} \sum_{\text{with}} z \;-\; \frac{1}{n_\text{without}} \sum_{\text{without}} z$$
#
# That is the paper's direction. Add it to anyone: $z + \alpha a$.

# %% tags=["nbval-check-output"]
a = [w - wo for w, wo in zip(mean_with, mean_without, strict=True)]
theirs = latents.mean_difference(z, has)
same = all(torch.allclose(x, y, atol=1e-6) for x, y in zip(a, theirs, strict=True))
assert same
print("same as glowlite:", same)

# %%
from glowlab.figures.live import Follow

stubble = {"beard": -0.4, "glasses": -0.35, "hair_length": -0.6, "skin_tone": -0.5, "head_turn": 0.2}
face = faces.draw(1, seed=11, attributes=stubble).images  # a face with little of a beard, and thin glasses
z_face = model.encode(face)


def bearded(amount):
    return close(model.decode(latents.add(z_face, a, amount)))


Follow(bearded, "Beard", ("less", "more"), value=1.0, alt="A face with short hair, moved along the beard by {}.")

# %% [markdown]
# Nobody trained anything. And look what moves along at the ends of the slider: the ground, the hair. Two hundred
# labels are few. We come to that.

# %% [markdown]
# ### When labels are numbers
#
# Our faces come with *how much* beard, and yes or no throws that away. With numbers $y$, ask for each number of $z$:
# by how much does it grow when $y$ grows by 1? That is the slope of a least-squares line.
#
# $$a = \frac{\sum_i (y_i - \bar y)\, z_i}{\sum_i (y_i - \bar y)^2}$$


# %% tags=["nbval-check-output"]
def slope(z, y):
    y = y - y.mean()
    return [torch.tensordot(y, level, 1)[None] / (y @ y) for level in z]


def agree(a, b):
    return torch.allclose(latents.flatten(a), latents.flatten(b), atol=1e-5)


by_numbers = slope(z, beard)
same = agree(by_numbers, latents.directions(z, {"beard": beard})["beard"])
assert same
print("slope, same as glowlite:                  ", same)
print("with yes and no, it is with minus without:", agree(slope(z, has.float()), a))
print(f"y with, minus y without: {beard[has].mean() - beard[~has].mean():.1f}")
for name, step in {"yes and no": a, "numbers": by_numbers}.items():
    print(f"length by {name:10}: {latents.flatten(step).norm():.1f}")

# %% [markdown]
# With yes and no it is the same thing. A step is worth about 1 in $y$ either way: that lies between those with
# and those without. With numbers it is shorter all the same: as much beard with less chance in it, from the same
# faces. (Section 5 says why length tells of chance.) We stay with yes and no, which is what most labels are.

# %% [markdown]
# ## 3 · A reader
#
# Now from looking to measuring. How far does a step move the beard, and what else? We need something that reads a
# beard off a picture, and that knows nothing of our latents. Drawn faces come with the truth, so least squares will
# do: 16 by 16 coarse squares of a picture in, ten attributes out.

# %%
names = list(faces.ATTRIBUTES)
BEARD, GLASSES = names.index("beard"), names.index("glasses")


def squares(images):  # uint8 (B, 3, 64, 64) -> (B, 768)
    return torch.nn.functional.avg_pool2d(images.double() / 128 - 1, 4).flatten(1)


def table(attributes):  # (B, 10)
    return torch.stack([attributes[name].double() for name in names], 1)


# %%
lessons = faces.draw(2000, seed=70)
X, Y = squares(lessons.images), table(lessons.attributes)
weights = torch.linalg.lstsq(X - X.mean(0), Y - Y.mean(0)).solution  # (768, 10)


def read(images):
    return (squares(images) - X.mean(0)) @ weights + Y.mean(0)  # (B, 10)


# %%
from glowlab.figures.attributes import readings_scatter

truth, found = table(labelled.attributes), read(labelled.images)  # faces it has not seen
shown = ["beard", "glasses", "smile"]
readings_scatter(
    {name: truth[:, names.index(name)] for name in shown},
    {name: found[:, names.index(name)] for name in shown},
    alt="Three clouds of 200 dots along the diagonal: what is read against what was drawn. The beard's is thinnest.",
)

# %% tags=["nbval-check-output"]
for name in shown:
    i = names.index(name)
    print(f"{name:8} correlation with the truth {torch.corrcoef(torch.stack([truth[:, i], found[:, i]]))[0, 1]:.1f}")


# %% [markdown]
# Good enough for means over faces. Now move our 16 other faces from $-a$ to $+a$, and read both ends:


# %% tags=["nbval-check-output"]
def moved(a):
    low, high = (model.decode(latents.add(z_some, a, amount)) for amount in (-1.0, 1.0))
    return read(high) - read(low)  # (16, 10)


change = moved(a)
print(f"beard moved by {change[:, BEARD].mean():.1f} on average; it grew on {(change[:, BEARD] > 0).sum()} of 16 faces")

# %% [markdown]
# ## 4 · Ten labels, a hundred, a thousand
#
# How many labels does one need? Make the direction from 10 and from 100. Encoding 1,000 faces takes a while, so that
# was done before, and is kept with the model.

# %%
from glowlab.explorers import precomputed as known
from glowlab.explorers.labelled import REACH, labels

made = {N: latents.mean_difference([level[:N] for level in z], has[:N]) for N in (10, 100)}
y = labels(["beard"])["beard"]  # of the 1,000 faces
gap = y[y > -1].mean() + 1  # with a beard, minus without
kept = known.load("faces64").few[1000]["beard"]  # a step moves the label by REACH there, and by `gap` here
made[1000] = [level * gap / REACH for level in kept]


# %%
def at(amount, a):
    return close(model.decode(latents.add(z_face, a, amount)))


picture_grid(
    [[at(amount, a) for a in made.values()] for amount in (-1.0, 1.0)],
    ["10 labels", "100 labels", "1,000 labels"],
    ["z − a", "z + a"],
    alt="One face at both ends of three directions. From 10 labels much besides the beard changes: colours, hair, "
    "glasses. From 100 and 1,000 labels it is the beard that changes.",
    zoom=3,
)

# %% [markdown]
# Ten labels grow a beard, and a mess with it. A hundred are hardly worse than a thousand, to the eye. So whoever has
# a hundred has the direction, and it ought to be nearly the same whichever hundred it is?

# %%
guess = Prediction(
    "Make one direction from 100 labels, another from 100 other labels. Each of them grows beards. Their cosine?",
    ["above 0.9", "about 0.5", "below 0.1"],
)
guess

# %% tags=["nbval-check-output"]
other = latents.mean_difference([level[100:] for level in z], has[100:])


def cosine(a, b):
    return torch.cosine_similarity(latents.flatten(a), latents.flatten(b)).item()


alike = cosine(made[100], other)
print(f"cosine {alike:.2f}")
print(f"beard moved by {moved(made[100])[:, BEARD].mean():.1f} and by {moved(other)[:, BEARD].mean():.1f}")

# %% tags=["nbval-check-output"]
guess.outcome(
    "below 0.1" if alike < 0.1 else "about 0.5" if alike < 0.9 else "above 0.9",
    "They are all but at right angles, and do the same thing.",
)

# %% [markdown]
# Two lists with nothing in common, you would say, and both are the beard. Here are all sizes, with the model's own
# direction to compare. That one is from 6,000 faces, with these people among them (in other beards), so chance is
# partly the same chance, and flatters the cosines. The last row has none of that: it is from 100 new faces.

# %% tags=["nbval-check-output"]
own = load_directions("faces64")["beard"]
unseen = faces.draw(100, seed=78)  # no direction was made from these
z_unseen, bearded_too = model.encode(unseen.images), unseen.attributes["beard"] > -1
compared = {f"{N:,}": direction for N, direction in made.items()}
compared["100 new"] = latents.mean_difference(z_unseen, bearded_too)

rest = [i for i in range(10) if i != BEARD]
print(" labels   cosine with the model's own   beard moved   the others moved")
for name, direction in compared.items():
    change = moved(direction).mean(0)
    others = change[rest].abs().mean()
    print(f"{name:>7} {cosine(direction, own):18.2f} {change[BEARD]:22.1f} {others:16.2f}")

# %% [markdown]
# The cosine grows with the labels, though a good part of it is flattery. The beard moves nearly as far with 10 labels
# as with 1,000. What falls is the mess. And new faces do as well as old ones.

# %% [markdown]
# ## Exercise 1 · A direction from few labels
#
# You get latents `z` of labelled faces, `has` (yes or no for each), latents of `others`, and two functions: `decode`
# makes pictures of latents, `read` gives a number for each picture. Return the direction `a`, and `moved`: for each
# of the others, how far the reading goes from $-a$ to $+a$.


# %%
def direction_and_effect(z, has, others, decode, read):
    a = ...  # a list: (1, C, H, W) for each level
    moved = ...  # (how many others,)
    return a, moved


# %% tags=["nbval-check-output"]
from glowlab.checks import attributes as check

check.direction_and_effect(direction_and_effect)

# %% [markdown]
# `check.direction_and_effect.hint()` and `.solution()` help. Once it is content, it is tried with ten other labels
# (until then, the package's lines stand in for it):

# %%
ten, has_ten = [level[110:120] for level in z], has[110:120]
if check.direction_and_effect(direction_and_effect):
    a_ten, _ = direction_and_effect(ten, has_ten, z_some, model.decode, lambda x: read(x)[:, BEARD])
else:
    a_ten = latents.mean_difference(ten, has_ten)
row(
    [close(face), at(1.0, a_ten)],
    ["the face", "ten other labels"],
    alt="A face, and the same face with a beard from ten other labels: another mess than before.",
    height=176,
)

# %% [markdown]
# ## 5 · Why chance does so little harm
#
# A mean over $n$ faces is uncertain: faces differ by a standard deviation $\sigma \approx 1$ in each number of $z$,
# so the mean of $n$ is off by $\sigma / \sqrt n$.

# %% [markdown]
# Let a share $p$ of the $N$ faces have a beard, so that $pN$ faces make one mean and $(1 - p) N$ the other. Then one
# minus the other is off by $\sigma / \sqrt{p (1 - p) N}$. That is each of the $D$ numbers. Together, chance is as long
# as
#
# $$\sigma \sqrt{\frac{D}{p (1 - p) N}}.$$
#
# Where half of them have one, it is $2 \sigma \sqrt{D / N}$.

# %% tags=["nbval-check-output"]
spread = latents.flatten(z).std(0).square().mean().sqrt().item()
lengths = {N: latents.flatten(latents.mean_difference([e[:N] for e in z], has[:N])).norm() for N in (10, 50, 100, 200)}
lengths[1000] = latents.flatten(made[1000]).norm()


def by_chance(N):
    p = (y[:N] > -1).double().mean().item()
    return spread * (model.dims / (p * (1 - p) * N)) ** 0.5


for N, length in lengths.items():
    print(f"{N:5,} labels: length {length:4.1f}, by chance {by_chance(N):.1f}")

# %% [markdown]
# Nearly all of it is chance; at 1,000 labels it begins to show that there is more. Chance stands at right angles to
# what is meant (nearly all of it, with so many numbers), so lengths add by their squares. That tells how long the
# true direction is, the one that all the faces of the world would give:

# %% tags=["nbval-check-output"]
signal = (lengths[1000] ** 2 - by_chance(1000) ** 2).sqrt().item()
print(f"the true direction is about {signal:.1f} long")

# %%
from glowlab.figures.attributes import direction_from_labels
from glowlab.figures.live import Live, Slider

lengths = {N: float(length) for N, length in lengths.items()}
share = (y > -1).double().mean().item()  # p, of all 1,000


def picture(log_labels):
    return direction_from_labels(10**log_labels, signal, model.dims, spread, lengths, share)


Live(picture, Slider("log_labels", "Labels", 1.0, 6.0, value=2.0, step=0.05, ends=("10", "a million")))

# %% [markdown]
# So a direction from 100 labels stands nearly at a right angle to the true one. Why does it work? Because there are
# $D$ ways to be off, and it is off by a little in each:

# %% tags=["nbval-check-output"]
for N in (10, 100, 1000):
    off = by_chance(N) / model.dims**0.5
    print(f"{N:5,} labels: off by {off:.2f} in every number, where faces differ by {spread:.2f}")

# %% [markdown]
# Along the true direction, too, it is off by 0.2 at 100 labels, out of 2.2. So the beard comes at nearly its full
# length. The rest is a push of 0.2 in every other way that faces differ, and nobody sees that. With 10 labels it is
# a push of more than half of what makes people different people. That is the mess.

# %% [markdown]
# ### Good for writing, bad for reading
#
# Then does such a direction also *recognise* a beard? Project the 100 new faces on it, and on the model's own: those
# with a beard should lie further along.

# %%
from glowlab.figures.attributes import attribute_histograms

judges = {"from 100 labels": made[100], "the model's own": own}
flat = latents.flatten(z_unseen)  # (100, D)
along = {name: flat @ latents.flatten(step)[0] / latents.flatten(step).norm() for name, step in judges.items()}

# %%
attribute_histograms(
    along,
    dict.fromkeys(along, bearded_too),
    alt="Histograms of faces with and without a beard. Along the direction from 100 labels they lie on top of one "
    "another; along the model's own they are fairly well apart.",
)

# %% tags=["nbval-check-output"]
for name, values in along.items():
    right = (values[bearded_too, None] > values[~bearded_too]).double().mean()
    print(f"{name}: of one with a beard and one without, the former is further along in {right:.0%} of all pairs")

# %% [markdown]
# From 100 labels it is little better than a coin, which would get 50 %. A face's place along the direction tells of the
# beard as much as the cosine with the true one says, and for the rest of everything else about the face. Writing does
# not ask for that. So judge a direction by what it does to pictures, not by a cosine, and not as a classifier.

# %% [markdown]
# ### The explorer
#
# All of this can be moved. Go to *How many labels* and choose 10, then press *Ten others* a few times. It says the
# cosine with the model's own (flattered, as in the table). Then look at *How the directions overlap*: cosines between
# attributes.

# %%
from glowlab.explorers import open_attributes

open_attributes()

# %% [markdown]
# ## 6 · Tied together
#
# Our faces are drawn so that any attribute goes with any other. Collected faces are not like that. Let us make such
# a collection, by choosing. So that there is enough to choose from, 400 faces get any amount of beard and of glasses.
# Keep all that have much of both, or little of both. Of those with much of only one, keep one in nine.

# %%
beards, glasses, dice = torch.rand(3, 400, generator=torch.Generator().manual_seed(0))
beards, glasses = 2 * beards - 1, 2 * glasses - 1  # from -1, none, to 1
many = faces.draw(400, seed=12, attributes={"beard": beards, "glasses": glasses})
keep = ((beards > 0) == (glasses > 0)) | (dice < 1 / 9)

# %%
from glowlab.figures.attributes import attribute_quadrants

attribute_quadrants(
    beards,
    glasses,
    keep,
    ("beard", "glasses"),
    alt="Dots by beard and glasses. Nearly all that are kept lie in two opposite quarters: both, or neither.",
)

# %% tags=["nbval-check-output"]
has_beard, has_glasses = beards[keep] > 0, glasses[keep] > 0
tied = torch.corrcoef(torch.stack([has_beard, has_glasses]).float())[0, 1].item()
z_tied = model.encode(many.images[keep])
print(f"{len(has_beard)} faces, correlation of the labels {tied:.1f}")

# %%
guess = Prediction(
    "From these faces: with a beard, minus without. A step along it on our 16 faces. What do their glasses do?",
    ["they stay", "they come along", "they go away"],
)
guess

# %% tags=["nbval-check-output"]
naive = latents.mean_difference(z_tied, has_beard)
naive_glasses = latents.mean_difference(z_tied, has_glasses)
effects = {"with − without": moved(naive).mean(0)[[BEARD, GLASSES]].tolist()}
along = effects["with − without"][1] / effects["with − without"][0]
assert along > 0.25
guess.outcome("they come along", "The direction is what sets the two groups apart, and glasses do, too.")

# %%
row(
    [close(face), at(1.0, naive)],
    ["the face", "with − without"],
    alt="A face with thin glasses and little of a beard; the same face with a beard, and with dark glasses.",
    height=176,
)

# %% [markdown]
# The direction knows nothing of beards. It knows what sets one heap of pictures apart from another. Three ways to
# part the two suggest themselves.
#
# **Project out.** Take off what the direction shares with that of the glasses:


# %%
def project_out(a, other):
    share = (latents.flatten(a) * latents.flatten(other)).sum() / latents.flatten(other).square().sum()
    return [x - share * y for x, y in zip(a, other, strict=True)]


projected = project_out(naive, naive_glasses)

# %% [markdown]
# **Like with like.** Among those with glasses, with a beard minus without; the same among those without glasses; and
# the mean of both. Now both sides have equally many glasses.

# %%
sides = [
    latents.mean_difference([level[group] for level in z_tied], has_beard[group])
    for group in (has_glasses, ~has_glasses)
]
balanced = [(x + y) / 2 for x, y in zip(*sides, strict=True)]

# %% [markdown]
# ## Exercise 2 · Part them by regression
#
# The third way is yours. A face's latents are a mean, plus a step if it has a beard, plus another step if it has
# glasses, plus all the rest:
#
# $$z_i \approx m + y_i\, a + y_i'\, a'$$
#
# Find $a$ and $a'$ *together*, by least squares: `a` and `a2` in the code. `y` and `y2` are 0 or 1 for each face.


# %%
def part(z, y, y2):
    a = ...  # a list: (1, C, H, W) for each level
    a2 = ...
    return a, a2


# %% tags=["nbval-check-output"]
check.part(part)

# %% [markdown]
# `check.part.hint()` and `check.part.solution()` help: section 2 had one label, and now there are two. Here is
# what each way does to our 16 faces. (If yours is not there yet, the package's stands in for it.)

# %%
from glowlab.figures.attributes import effect_bars

if check.part(part):
    regressed, _ = part(z_tied, has_beard.float(), has_glasses.float())
else:
    both = {"beard": has_beard.float(), "glasses": has_glasses.float()}
    regressed = latents.directions(z_tied, both)["beard"]
ways = {"projected out": projected, "like with like": balanced, "regression": regressed}
for way, direction in ways.items():
    effects[way] = moved(direction).mean(0)[[BEARD, GLASSES]].tolist()
effect_bars(
    effects,
    ("beard", "glasses"),
    alt="Bars for four ways. With minus without moves beard and glasses. Projected out, the beard moves half as "
    "far and glasses hardly. Like with like and regression move the beard in full and make glasses a little fainter.",
)

# %%
row(
    [at(1.0, regressed)],
    ["regression"],
    alt="The same face with a beard, and with the thin glasses that it has.",
    height=176,
)

# %% tags=["nbval-check-output"]
alone = (has_beard != has_glasses).sum().item()
print(f"faces with one of the two alone: {alone} of {len(has_beard)}")
for way, direction in {"with - without": naive, "regression": regressed}.items():
    print(f"{way:14} length {latents.flatten(direction).norm():.0f}")

# %% [markdown]
# Parting has a price. What tells beards from glasses comes from those few faces, so there is more chance in the
# direction: it is longer. (That glasses now move a little the other way may well be chance, too.) And if nobody had
# one without the other, no arithmetic could part them. Then only other pictures help.

# %% [markdown]
# ## 7 · There and back
#
# Add the smile of section 1, then take it off again. Which pixels are wrong?

# %% tags=["nbval-check-output"]
there = latents.add(z_face, smile, 1.0)
back = latents.add(there, smile, -1.0)
print("all equal:", torch.equal(model.decode(back), face))

# %% [markdown]
# None. Now do it as people do: save the smiling face as a picture, whose pixels are whole numbers from 0 to 255.
# Next day, encode that picture, and take the smile off.

# %%
guess = Prediction(
    "How many of the 12,288 numbers of the face come back wrong now?",
    ["none", "up to half", "more than half"],
)
guess

# %%
saved = model.decode(there)  # uint8: rounded, and cut off at 0 and 255
next_day = model.decode(latents.add(model.encode(saved), smile, -1.0))

# %% tags=["varies: rounding differs between processors"]
wrong = (next_day != face).sum().item()
away = (next_day.int() - face.int()).abs()
print(f"{wrong:,} are wrong, most by {away[away > 0].float().median():.0f}, the worst by {away.max()}")

# %% tags=["nbval-check-output"]
guess.outcome(
    "none" if wrong == 0 else "up to half" if wrong < face.numel() / 2 else "more than half",
    "The flow is exact; the file was not. Rounding moved the latents a little.",
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
# Where is the loss? Leave out the rounding alone: keep the pixels as the fractions that `inverse` gives.

# %% tags=["nbval-check-output"]
fractions = model.inverse(there)  # (1, 3, 64, 64), not rounded
z_again, _ = model(fractions)
print("without rounding, all equal:", torch.equal(model.decode(latents.add(z_again, smile, -1.0)), face))

# %% tags=["varies: rounding differs between processors"]
now = face
for _ in range(10):
    smiled = model.decode(latents.add(model.encode(now), smile, 1.0))
    now = model.decode(latents.add(model.encode(smiled), smile, -1.0))
away = (now.int() - face.int()).abs()
print(f"after ten such days: {(away > 0).sum():,} wrong, {away.float().mean():.1f} grey levels on average")

# %% [markdown]
# So an editor keeps the *latents* of the face and its sliders, and decodes from those each time. That is why Reset
# in the explorer gives the very same pixels.

# %% [markdown]
# ## 8 · The same step for everyone?
#
# One list, added to any face. Does it do the same to all? Move eight faces along three of the model's own
# directions, in seven stops.

# %%
from glowlab.figures.attributes import reading_curves

amounts = torch.linspace(-1, 1, 7).tolist()
eight = [level[:8] for level in z_some]


def journey(name):
    step = load_directions("faces64")[name]
    shown = [read(model.decode(latents.add(eight, step, amount))) for amount in amounts]
    return torch.stack(shown)[:, :, names.index(name)]  # (7, 8)


found = {name: journey(name) for name in ("beard", "glasses", "head_turn")}

# %%
reading_curves(
    amounts,
    {name.replace("_", " "): values for name, values in found.items()},
    alt="Three panels with a line for each of eight faces, all rising; those of the glasses are the steeper the "
    "higher they begin.",
)

# %% tags=["nbval-check-output"]
for name, values in found.items():
    print(f"{name:9} always rising for {(values.diff(dim=0) > 0).all(0).sum()} of 8 faces")
wear = sixteen.attributes["glasses"] > 0
way = moved(load_directions("faces64")["glasses"])[:, GLASSES]
print(f"glasses move by {way[wear].mean():.1f} where there are some, by {way[~wear].mean():.1f} where there are none")

# %% [markdown]
# Always the right way, but not equally far. The step is the same in $z$, and what it does depends on the face:
# frames grow dark where there are frames, and come out fainter where there are none. The step is a mean over many
# faces, and nobody promised that it fits each of them.

# %% [markdown]
# ### Too far

# %%
steps = [2, 4, 8]
row(
    [at(step, own) for step in steps],
    [f"{step} steps" for step in steps],
    alt="A growing beard: full at two steps, nearly black at four, a flat black patch with green at eight.",
    height=220,
)

# %% tags=["nbval-check-output"]
for step in [1, *steps]:
    x = model.inverse(latents.add(z_some, own, step))  # before pixels are rounded and cut off
    cut = ((x < -0.5) | (x >= 0.5)).double().mean()
    print(f"steps: {step}, all finite: {bool(x.isfinite().all())}, cut off at black or white: {cut:.1%}")

# %% [markdown]
# The couplings' bounded scales keep all numbers finite (a plain `sigmoid` may not, see notebook 10). But so far out no
# face ever was, and pixels run into black or white. The explorer's sliders end at one step, for that reason.

# %% [markdown]
# ### What a straight line cannot do
#
# Drawn faces allow a test that photographs do not: draw *the same person* with darker glasses, or with the head
# turned, and compare.

# %%
pictures = {}
for name in ("glasses", "head_turn"):
    start, goal = (faces.draw(1, seed=3, attributes={name: value}).images for value in (0.0, REACH))
    step = load_directions("faces64")[name]
    one, half = (model.decode(latents.add(model.encode(start), step, amount)) for amount in (1.0, 0.5))
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
# Glasses work, if not in this frame's own colour: the list holds an average frame. The head does not turn. Eyes and
# nose would have to move to other pixels, and a straight line blends them in there instead. (Our reader is content
# with that, and the eye is not. So look as well as measure.)
#
# Half a step of glasses gives half-dark frames. Drawn faces have such frames. In photographs glasses are there or
# not, and what lies half-way is a ghost.

# %% [markdown]
# ### Not a cause
#
# In section 6 a step along the beard put glasses on people. Beards do not cause glasses: the collection tied them,
# and regression could undo that since we knew of the glasses. It cannot part a beard from what nobody labelled. A
# direction says what comes together in a heap of pictures, never what would happen if.

# %% [markdown]
# ## 9 · The Mona Lisa smiles
#
# All this works with people who lived, too. `portraits64` is the same Glow, and it learned from photographs. Its
# smile was found as ours was, from labels: how wide a mouth is and how far its corners are up, measured in each
# photograph. Now add that list to a painting that the model has never seen.

# %%
from glowlab.explorers.gallery import read_portraits

real, real_smile = glowlite.load("portraits64"), load_directions("portraits64")["smile"]
portraits, titles, _ = read_portraits(64)  # thirteen, all in the public domain
lisa = portraits[titles.index("Mona Lisa")][None]
z_lisa = real.encode(lisa)

amounts = (-1.0, 0.0, 1.0)
row(
    [real.decode(latents.add(z_lisa, real_smile, amount)) for amount in amounts],
    [f"smile {amount:+.0f}" for amount in amounts],
    alt="Three times the Mona Lisa: earnest, with the corners of her mouth down; as she was painted; and smiling.",
    height=256,
    exact=False,
)

# %% tags=["nbval-check-output"]
print("in the middle she is herself, every pixel:", torch.equal(real.decode(z_lisa), lisa))

# %% [markdown]
# Her mouth changes most, and her cheeks go along, as cheeks do. In the studio this is a slider, one of eleven: choose
# *real* at the top of its page.
#
# `portraits64` learned from FairFace (Karkkainen & Joo 2021), CC BY 4.0.

# %% [markdown]
# ## 10 · Whose attributes?
#
# Our labels are the numbers that the faces were drawn with, so they are true. Labels of photographs are somebody's
# opinion. In CelebA, whose labels the published directions came from, they include "Attractive", "Young" and "Male",
# each yes or no, given by others. Nobody asked the people shown.
#
# A direction made of them is real all the same: it holds how judges judge, and who was photographed how.

# %% [markdown]
# And then it becomes a slider, which looks like a fact. Whatever went together with "attractive" in that collection,
# age or make-up or skin, moves along with it, as glasses moved with our beard. To part them, somebody must notice,
# and must have labels for it.
#
# Drawn people are spared this. They are good for learning the method, and do not answer the question. `portraits64`
# has sliders for what can be measured in a picture, and for age, which others guessed.

# %% [markdown]
# ## Summary
#
# - A direction is the mean of $z$ with, minus the mean without; with numbers, a slope.
# - From few labels it is nearly all chance, $2\sigma\sqrt{D/N}$ long or a little more, and works all the same.
# - Judge it by what it moves in other faces, and what else.
# - Tied data make tied directions; regression on both parts them, and pays in chance.
# - In latents $+a$ and $-a$ cancel exactly; through a saved picture they do not.

# %% [markdown]
# **A harder question.** Projecting out gave the right direction, at a third of the length. Is that luck? Suppose you
# had a million labels, tied as in section 6. What would projecting out give then?

# %% [markdown]
# <details><summary>One answer</summary>
#
# Yes. With few labels both directions are nearly all chance, and the *same* chance in so far as the labels agree:
# their cosine is the labels' correlation $r$. Taking off $r$ times the other leaves $(1 - r^2)\,a$: for $r = 0.8$, a
# third.
#
# With a million labels no chance is left. They are $a + r a'$ and $a' + r a$. If $a$ and $a'$ are equally long and
# at right angles, the cosine is $2r/(1 + r^2)$, more than $r$. Too much is taken off, and the step takes glasses
# *away*. Regression is right with few labels and with many.
#
# </details>
#
# **Next.** This is where the course ends so far; the README lists what is still to come. Meanwhile all that you can do
# now is together in the studio, `make explore`. And `glowlite train --data FOLDER --out runs/mine` trains a Glow on
# pictures of your own.
#
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 6, "Semantic manipulation"; the labels there are
# those of Liu et al. (2015), *Deep learning face attributes in the wild*.
