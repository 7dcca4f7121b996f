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
# Give the model a hundred faces, say for each whether it has a beard, and it can put a beard on anybody. Nothing is
# trained for that: a subtraction is enough. Why does it work, how well, and when does it fail?
#
# **After this notebook you can** make a direction from labels, test whether it is more than chance, say why it works
# though most of it is chance, and separate two attributes that come together.

# %% [markdown]
# **Needs.** The levels of the latents (06) and interpolation (11). No GPU, no training.
#
# **Minutes.** About 55 to read and 30 for the exercises; all cells run in under 60 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $\varepsilon$ | the white latents of a face, all levels (06, 10) | `Glow.encode` |
# | $D$ | how many numbers they are | `Glow.dims` |
# | $d$ | a direction: one number for each number of $\varepsilon$ | `latents.mean_difference` |
# | $\varepsilon + \alpha d$ | the face, $\alpha$ steps along $d$ | `latents.add` |
# | $y$ | a label, yes or no, or a number from -1 to 1 | `Faces.attributes` |
# | $N$ | how many labelled faces a direction is made from | |

# %% [markdown]
# ## 1 · One list, three faces
#
# The upper row shows three faces. We add the same list of 12,288 numbers to the latents of each; the lower row shows
# the result. What is this list?

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
sixteen = faces.draw(16, seed=77, attributes={"beard": even, "glasses": mixed})  # only to look at and to measure
some, eps_some = sixteen.images, model.encode(sixteen.images)


# %%
def close(images):  # without the shoulders and most of the background
    return images[..., 12:56, 10:54]


smile = load_directions("faces64")["smile"]  # the list
after = model.decode(latents.add(eps_some, smile, 1.0))
who = [6, 11, 13]
picture_grid(
    [close(some[who]), close(after[who])],
    ["", "", ""],
    ["ε", "ε + list"],
    alt="Three sad or earnest people; below them the same three, smiling, and little else about them has changed.",
    zoom=3,
)

# %% [markdown]
# It is a smile. In notebook 00 it was ready made, on a slider. Now make such a list yourself. You need only the two
# ends of Glow:

# %%
from glowlab.figures.glow_map import glow_map

glow_map("x", "z")

# %% [markdown]
# ## 2 · With, minus without
#
# Take 200 drawn faces and one thing that is known of each: does it have a beard? Most have none. Encode
# them, which takes a few seconds.

# %% tags=["nbval-check-output"]
labelled = faces.draw(200, seed=1)
beard = labelled.attributes["beard"]  # (200,), from -1, none, to +1, full
has = beard > -1  # (200,), yes or no
eps = model.encode(labelled.images)  # four levels, (200, C, H, W) each
print(f"{has.sum()} with, {(~has).sum()} without")

# %%
from glowlab.checks import Prediction

guess = Prediction(
    "Average the latents of all who have a beard, number by number, and decode. What do you see?",
    ["one of these people", "noise", "a smooth face with a thin beard"],
)
guess

# %%
from glowlab.figures.rows import row

mean_with = [level[has].mean(0, keepdim=True) for level in eps]
mean_without = [level[~has].mean(0, keepdim=True) for level in eps]
row(
    [close(model.decode(mean_without)), close(model.decode(mean_with))],
    ["mean without", "mean with"],
    alt="Two smooth faces that look like one person; the chin of the second is darker, as by a thin beard.",
    height=220,
)

# %% tags=["nbval-check-output"]
guess.outcome("a smooth face with a thin beard", "What differs averages out; thin and full beards make a thin one.")

# %% [markdown]
# The two means look like one person. The chin of the second is darker. (They differ in other things, too, by
# **chance**: 69 faces are few.) Subtract one from the other, and what they share goes away:
#
# $$d = \frac{1}{n_\text{with}} \sum_{\text{with}} \varepsilon \;-\;
# \frac{1}{n_\text{without}} \sum_{\text{without}} \varepsilon$$
#
# That is the paper's direction. Add it to anyone: $\varepsilon + \alpha d$.

# %% tags=["nbval-check-output"]
d = [w - wo for w, wo in zip(mean_with, mean_without, strict=True)]
theirs = latents.mean_difference(eps, has)
same = all(torch.allclose(x, y, atol=1e-6) for x, y in zip(d, theirs, strict=True))
assert same
print("same as glowlite:", same)

# %%
from glowlab.figures.live import Follow

stubble = {"beard": -0.4, "glasses": -0.35, "hair_length": -0.6, "skin_tone": -0.5, "head_turn": 0.2}
face = faces.draw(1, seed=11, attributes=stubble).images  # a face with little of a beard, and thin glasses
eps_face = model.encode(face)


def bearded(amount):
    return close(model.decode(latents.add(eps_face, d, amount)))


Follow(bearded, "Beard", ("less", "more"), value=1.0, alt="A face with short hair, moved along the beard by {}.")

# %% [markdown]
# At the ends of the slider other things move, too: the background, the hair. Two hundred labels are few (section
# 4).

# %% [markdown]
# ### When labels are numbers
#
# Drawn faces come with *how much* beard they have, and yes or no throws that away. With numbers $y$, ask for each
# number of $\varepsilon$: by how much does it grow when $y$ grows by 1? That is the slope of a least-squares line.
#
# $$d = \frac{\sum_i (y_i - \bar y)\, \varepsilon_i}{\sum_i (y_i - \bar y)^2}$$


# %% tags=["nbval-check-output"]
def slope(eps, y):
    y = y - y.mean()
    return [torch.tensordot(y, level, 1)[None] / (y @ y) for level in eps]


def agree(first, second):
    return torch.allclose(latents.flatten(first), latents.flatten(second), atol=1e-5)


by_numbers = slope(eps, beard)
assert agree(by_numbers, latents.directions(eps, {"beard": beard})["beard"])
print("with yes and no, the slope is with minus without:", agree(slope(eps, has.float()), d))


# %%
def at(amount, direction):
    return close(model.decode(latents.add(eps_face, direction, amount)))


row(
    [close(face), at(1.0, d), at(1.0, by_numbers)],
    ["the face", "yes or no", "numbers"],
    alt="A face with little beard; the same face with a beard by either direction. With numbers the rest changes less.",
    height=176,
)

# %% [markdown]
# The two beards are alike: a step is worth about 1 in $y$ either way. Numbers use the same faces better, so other
# things change a little less. We stay with yes and no, as most labels are.

# %% [markdown]
# ## 3 · A reader
#
# How far does a step move the beard, and what else does it move? To measure that we need a function that reads a
# beard from a picture and knows nothing of latents. Of drawn faces we know the truth, so least squares will do. It
# computes ten attributes from 16 by 16 coarse squares of a picture.

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
# Good enough for means over faces. Now move our 16 other faces from $-d$ to $+d$, and read both ends:


# %% tags=["nbval-check-output"]
def moved(direction):
    low, high = (model.decode(latents.add(eps_some, direction, amount)) for amount in (-1.0, 1.0))
    return read(high) - read(low)  # (16, 10)


change = moved(d)
print(f"beard moved by {change[:, BEARD].mean():.1f} on average; it grew on {(change[:, BEARD] > 0).sum()} of 16 faces")

# %% [markdown]
# ## 4 · Ten labels, a hundred, a thousand
#
# How many labels does one need? Make the direction from 10 and from 100. Encoding 1,000 faces takes longer, so that
# was done before, and is kept with the model.

# %%
from glowlab.explorers import precomputed as known
from glowlab.explorers.labelled import REACH, labels

made = {N: latents.mean_difference([level[:N] for level in eps], has[:N]) for N in (10, 100)}
y = labels(["beard"])["beard"]  # of the 1,000 faces
gap = y[y > -1].mean() + 1  # with a beard, minus without
kept = known.load("faces64").few[1000]["beard"]  # its step moves the label by REACH, a step of ours by `gap`
made[1000] = [level * gap / REACH for level in kept]


# %%
picture_grid(
    [[at(amount, direction) for direction in made.values()] for amount in (-1.0, 1.0)],
    ["10 labels", "100 labels", "1,000 labels"],
    ["ε − d", "ε + d"],
    alt="One face at both ends of three directions. From 10 labels much besides the beard changes: colours, hair, "
    "glasses. From 100 and 1,000 labels it is the beard that changes.",
    zoom=3,
)

# %% [markdown]
# Ten labels grow a beard, and much else changes with it. To the eye, a hundred are hardly worse than a thousand. Have
# we found *the* direction, then? If so, another hundred labels should give nearly the same one.

# %%
guess = Prediction(
    "Make one direction from 100 labels, another from 100 other labels. Each of them grows beards. Their cosine?",
    ["above 0.9", "about 0.5", "below 0.1"],
)
guess

# %% tags=["nbval-check-output"]
other = latents.mean_difference([level[100:] for level in eps], has[100:])


def cosine(first, second):
    return torch.cosine_similarity(latents.flatten(first), latents.flatten(second)).item()


alike = cosine(made[100], other)
print(f"cosine {alike:.2f}")
print(f"beard moved by {moved(made[100])[:, BEARD].mean():.1f} and by {moved(other)[:, BEARD].mean():.1f}")

# %% tags=["nbval-check-output"]
guess.outcome(
    "below 0.1" if alike < 0.1 else "about 0.5" if alike < 0.9 else "above 0.9",
    "They are nearly at right angles, and do the same thing.",
)

# %% [markdown]
# Two lists have nearly nothing in common, and both make a beard. The table compares all sizes with the model's own
# direction, which is from many more faces. If the faces of this notebook are among them, both directions share some
# chance, and the cosines are a little too large. The last row is free of that: it is from 100 new faces.

# %% tags=["nbval-check-output"]
own = load_directions("faces64")["beard"]
unseen = faces.draw(100, seed=78)  # no direction was made from these
eps_unseen, bearded_too = model.encode(unseen.images), unseen.attributes["beard"] > -1
compared = {f"{N:,}": direction for N, direction in made.items()}
compared["100 new"] = latents.mean_difference(eps_unseen, bearded_too)

rest = [i for i in range(10) if i != BEARD]
print(" labels   cosine with the model's own   beard moved   the others moved")
for name, direction in compared.items():
    change = moved(direction).mean(0)
    others = change[rest].abs().mean()
    print(f"{name:>7} {cosine(direction, own):18.2f} {change[BEARD]:22.1f} {others:16.2f}")

# %% [markdown]
# The beard moves nearly as far with 10 labels as with 1,000. What falls is the change of everything else. Cosines stay
# near 0 in all rows, and new faces do as well as old ones.

# %% [markdown]
# ## 5 · Why chance does so little harm
#
# A mean over $n$ faces is uncertain: in each number of $\varepsilon$, faces differ by a standard deviation
# $\sigma \approx 1$, so the mean of $n$ faces is off by $\sigma / \sqrt n$.

# %% [markdown]
# Let a share $p$ of the $N$ faces have a beard: $pN$ faces make one mean and $(1 - p) N$ the other. Squares of
# independent errors add: $\frac{\sigma^2}{pN} + \frac{\sigma^2}{(1 - p) N} = \frac{\sigma^2}{p (1 - p) N}$. That is
# the mean square of the error in each of the $D$ numbers. All of them together make a vector of length
#
# $$\sigma \sqrt{\frac{D}{p (1 - p) N}}.$$
#
# Where half of the faces have a beard, that is $2 \sigma \sqrt{D / N}$.

# %% tags=["nbval-check-output"]
spread = latents.flatten(eps).std(0).square().mean().sqrt().item()
lengths = {}
for N in (10, 50, 100, 200):
    few = latents.mean_difference([level[:N] for level in eps], has[:N])
    lengths[N] = latents.flatten(few).norm()
lengths[1000] = latents.flatten(made[1000]).norm()


def by_chance(N):
    p = (y[:N] > -1).double().mean().item()
    return spread * (model.dims / (p * (1 - p) * N)) ** 0.5


for N, length in lengths.items():
    print(f"{N:5,} labels: length {length:4.1f}, by chance {by_chance(N):.1f}")

# %% [markdown]
# Nearly all of the length is chance; with 1,000 labels one begins to see more than chance. With so many numbers the
# error is nearly at a right angle to the true direction, the one that infinitely many faces would give. So the squares
# of their lengths add, which tells how long the true direction is:

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
# So a direction from 100 labels is nearly at a right angle to the true one. Why does it work? Because the error is
# spread over $D$ numbers, and is small in each:

# %% tags=["nbval-check-output"]
for N in (10, 100, 1000):
    off = by_chance(N) / model.dims**0.5
    print(f"{N:5,} labels: off by {off:.2f} in every number, where faces differ by {spread:.2f}")

# %% [markdown]
# Measured along the true direction, the error is no larger than in one number. With 100 labels that is little beside
# the length of the true direction, so the beard comes at nearly its full size. Every other number gets a small push,
# which nobody sees. With 10 labels the push is nearly as large as what makes two people different. That is why so much
# else changes.

# %% [markdown]
# ## Exercise 1 · Design an experiment: the beard, or chance?
#
# A direction from few labels is nearly all chance, and yet it moves the beard. Would *any* labels do that? A test:
# shuffle the labels among the faces, so that they say nothing about them, and do all the rest as before.
#
# `effect(d)` gives a number for a direction. Return the effects of `trials` directions, each made from the same faces
# with the labels shuffled again.


# %%
def shuffled_effects(eps, has, effect, trials):
    return ...  # a tensor, (trials,)


# %% tags=["nbval-check-output"]
from glowlab.checks import attributes as check

verdict = check.shuffled_effects(shuffled_effects)
verdict

# %% [markdown]
# `check.shuffled_effects.hint()` and `.solution()` help. Now the experiment, with 40 labels and 30 shuffles. (Until
# yours is right, a stand-in of ours carries it out.)

# %%
from glowlab.figures.attributes import effect_dots

forty, has_forty = [level[:40] for level in eps], has[:40]


def beard_moved(direction):
    return moved(direction)[:, BEARD].mean().item()


torch.manual_seed(0)
experiment = shuffled_effects if verdict else check.shuffled_effects.answer()
shuffled = torch.as_tensor(experiment(forty, has_forty, beard_moved, 30))
real = beard_moved(latents.mean_difference(forty, has_forty))
effect_dots(shuffled, real, alt="Thirty dots around 0, and one far to the right of them: the direction of the labels.")

# %% tags=["nbval-check-output"]
print("shuffled labels that move the beard as far as the real ones:", (shuffled >= real).sum().item(), "of 30")

# %% [markdown]
# The directions from shuffled labels are as long as the real one, so length tells nothing. The effect does: shuffled
# labels move the beard either way, and not as far. (With ten labels the test hardly decides. Try it: among ten faces a
# shuffle often gives most of the labels to the same faces again.)

# %% [markdown]
# ### Good for changing, bad for recognising
#
# Does such a direction also *recognise* a beard? Project the 100 new faces on it, and on the model's own: those with
# a beard should lie farther along. Take all pairs of one with and one without.

# %%
from glowlab.figures.attributes import attribute_histograms

judges = {"from 100 labels": made[100], "the model's own": own}
flat = latents.flatten(eps_unseen)  # (100, D)
along = {name: flat @ latents.flatten(step)[0] / latents.flatten(step).norm() for name, step in judges.items()}

# %%
attribute_histograms(
    along,
    dict.fromkeys(along, bearded_too),
    alt="Histograms of faces with and without a beard. Along the direction from 100 labels they lie on top of one "
    "another; along the model's own those with a beard lie farther right, and the two overlap.",
)

# %% tags=["nbval-check-output"]
for name, values in along.items():
    right = (values[bearded_too, None] > values[~bearded_too]).double().mean()
    print(f"{name}: the face with a beard lies farther along in {right:.0%} of all pairs")

# %% [markdown]
# From 100 labels it is little better than a coin, which gets 50 %. A face's place along the direction depends on the
# beard only as far as the direction is the true one; most of it depends on everything else about the face. For
# *changing* a face that does not matter. So judge a direction by what it does to pictures, not by a cosine, and do not
# use it to classify.

# %% [markdown]
# ### The explorer
#
# Here you can try all of this. Go to *How many labels* and choose 10, then press *Ten others* a few times. It shows the
# cosine with the model's own. Then look at *How the directions overlap*: cosines between attributes.

# %%
from glowlab.web.widgets import AttributesExplorer

AttributesExplorer()

# %% [markdown]
# ## 6 · Tied together
#
# In our drawn faces every attribute is independent of every other. Collected faces are not like that. Let us make such
# a collection by choosing. 400 faces get any amount of beard and of glasses. Keep all that have much of both, or little
# of both. Of those with much of only one, keep one in nine.

# %%
beards, glasses, luck = torch.rand(3, 400, generator=torch.Generator().manual_seed(0))
beards, glasses = 2 * beards - 1, 2 * glasses - 1  # from -1, none, to 1
many = faces.draw(400, seed=12, attributes={"beard": beards, "glasses": glasses})
keep = ((beards > 0) == (glasses > 0)) | (luck < 1 / 9)

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
eps_tied = model.encode(many.images[keep])
print(f"{len(has_beard)} faces, correlation of the labels {tied:.1f}")

# %%
guess = Prediction(
    "Make the direction from these faces: with a beard, minus without. Our 16 faces move along it. And their glasses?",
    ["they stay as they are", "they get stronger", "they get fainter"],
)
guess

# %% tags=["nbval-check-output"]
naive = latents.mean_difference(eps_tied, has_beard)
naive_glasses = latents.mean_difference(eps_tied, has_glasses)
effects = {"with − without": moved(naive).mean(0)[[BEARD, GLASSES]].tolist()}
beard_by, glasses_by = effects["with − without"]
assert glasses_by > 0.25 * beard_by
guess.outcome("they get stronger", "The direction holds all that differs between the two groups, and glasses do.")

# %%
row(
    [close(face), at(1.0, naive)],
    ["the face", "with − without"],
    alt="A face with thin glasses and little of a beard; the same face with a beard, and with dark glasses.",
    height=176,
)

# %% [markdown]
# The direction knows nothing of beards. It holds what differs between one set of pictures and another. There are three
# ways to separate the two attributes.
#
# **Project out.** Take away what the direction shares with that of the glasses:


# %%
def project_out(direction, other):
    share = (latents.flatten(direction) * latents.flatten(other)).sum() / latents.flatten(other).square().sum()
    return [x - share * y for x, y in zip(direction, other, strict=True)]


projected = project_out(naive, naive_glasses)

# %% [markdown]
# **Like with like.** Use only the faces with glasses, and make the direction from them: with a beard minus without. Do
# the same with the faces without glasses, and take the mean of both directions. Now glasses cancel.

# %%
sides = [
    latents.mean_difference([level[group] for level in eps_tied], has_beard[group])
    for group in (has_glasses, ~has_glasses)
]
balanced = [(x + y) / 2 for x, y in zip(*sides, strict=True)]

# %% [markdown]
# ## Exercise 2 · Separate them by regression
#
# The third way is yours. A face's latents are a mean, plus a step if it has a beard, plus another step if it has
# glasses, plus all the rest:
#
# $$\varepsilon_i \approx m + y_i\, d + y_i'\, d'$$
#
# Find $d$ and $d'$ *together*, by least squares: `d` and `d2` in the code. `y` and `y2` are 0 or 1 for each face.


# %%
def separate(eps, y, y2):
    d = ...  # a list: (1, C, H, W) for each level
    d2 = ...
    return d, d2


# %% tags=["nbval-check-output"]
verdict = check.separate(separate)
verdict

# %% [markdown]
# `check.separate.hint()` and `.solution()` help: section 2 had one label, now there are two. Here is what each way
# does to our 16 faces, from $-d$ to $+d$. (Until yours is right, a stand-in of ours gives the last pair of bars.)

# %%
from glowlab.figures.attributes import effect_bars

regression = separate if verdict else check.separate.answer()
regressed, _ = regression(eps_tied, has_beard.float(), has_glasses.float())
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
# Separating has a price. Only those few faces tell beards from glasses, so there is more chance in the direction: it is
# longer. (That glasses now move a little the other way may be chance, too.) If nobody had one without the other, no
# arithmetic could separate them. Then only other pictures help.
#
# And regression can undo a tie only if it has a label for it. A direction says what comes together in a collection of
# pictures, never what causes what.

# %% [markdown]
# ## Summary
#
# - A direction is the mean of $\varepsilon$ with, minus the mean without; with numbers, a slope.
# - From few labels it is nearly all chance, $2\sigma\sqrt{D/N}$ long or a little more, and works nevertheless.
# - Judge it by what it moves in other faces, and what else it moves.
# - Shuffled labels tell whether an effect is more than chance.
# - Tied data give tied directions; regression on both labels separates them, with more chance in the result.

# %% [markdown]
# **A harder question.** Projecting out hardly changed the glasses, and moved the beard less than half as far. Was
# that luck? Suppose you had a million labels, tied as in section 6. What would projecting out give then?

# %% [markdown]
# <details><summary>One answer</summary>
#
# Yes. With few labels both directions are nearly all chance, and where the labels agree it is the *same* chance: their
# cosine is the labels' correlation $r$. Taking away $r$ times the other leaves $(1 - r^2)\,d$: for $r = 0.8$, 0.36 $d$.
#
# With a million labels no chance is left. The directions are $d + r d'$ and $d' + r d$. If $d$ and $d'$ are equally
# long and at right angles, the cosine is $2r/(1 + r^2)$, more than $r$. Too much is taken away, and the step *removes*
# glasses. Regression is right with few labels and with many.
#
# </details>
#
# **Next.** 12b, Editing faces: build an editor on such directions, find its faults, and see where a straight line
# fails.
#
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 6, "Semantic manipulation"; the labels there are
# those of Liu et al. (2015), *Deep learning face attributes in the wild*.
