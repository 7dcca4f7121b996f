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
# # 00 · Why reversible?
#
# A face becomes numbers, and the numbers become the face again, every pixel. Models that can do that are called
# **normalizing flows**: trained functions with an inverse that take data to numbers of a simple, normal density.
# This course is about one of them, Glow.
#
# **After this notebook you can** take any picture through a Glow and back, tell reversible from not, undo a step
# made with a function nobody can undo, and compare flows with other generative models.

# %% [markdown]
# **Needs.** numpy's way of indexing and a little torch. No GPU, no training.
#
# **Minutes.** About 40 to read and 45 for the exercises; all cells run in under 15 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $x$ | a picture, as numbers | `pixels.to_float` |
# | $z$ | its latents: what the flow turns it into | `Glow.encode` |
# | $x = f^{-1}(z)$ | the way back | `Glow.decode` |
# | $D$ | how many numbers a picture has | `Glow.dims` |
# | $L$ | how many levels the latents come in | `GlowConfig.levels` |

# %% [markdown]
# ## 1 · Which one is the original?
#
# Look at the next picture. One of the two faces was drawn by a program. The other was rebuilt from the
# speckle between them, and from nothing else. Which is which?

# %%
import torch

import glowlite
from glowlab.figures.rows import latent_picture, row
from glowlite.data import faces

model = glowlite.load("faces64")

# %%
face = faces.draw(1, seed=2).images  # uint8 (1, 3, 64, 64)
z = model.encode(face)  # the latents: a list of tensors
back = model.decode(z)  # uint8 (1, 3, 64, 64)
row(
    [face, latent_picture(z[0]), back],
    ["$x$", "some of $z$", "?"],
    arrows=["encode", "decode"],
    alt="A drawn face, the coloured speckle of its latents, and the same face decoded from them.",
)

# %% [markdown]
# The drawn one is on the left. If you could not tell, that is because there is nothing to tell. Count the
# numbers that differ:

# %% tags=["nbval-check-output"]
wrong = (back != face).sum().item()
print(f"{wrong} of {face.numel():,} numbers are wrong")

# %% [markdown]
# 64 rows, 64 columns and 3 colours make $D = 12{,}288$ numbers, each a whole number from 0 to 255. All of
# them came back exactly, out of something that looks like the snow on an old television.

# %% [markdown]
# ## 2 · Only for faces?
#
# This Glow was trained on drawn faces and on nothing else. So perhaps it knows faces by heart. Let us hand it
# the least face-like picture there is: pure noise, every number random.

# %%
from glowlab.checks import Prediction

guess = Prediction(
    "How many of the 12,288 numbers of a picture of pure noise come back wrong?",
    ["none", "some", "most of them"],
)
guess

# %%
generator = torch.Generator().manual_seed(0)
noise = torch.randint(0, 256, face.shape, dtype=torch.uint8, generator=generator)
z_noise = model.encode(noise)
noise_back = model.decode(z_noise)

# %% tags=["nbval-check-output"]
wrong = (noise_back != noise).sum().item()
print(f"{wrong} of {noise.numel():,} numbers are wrong")

# %% tags=["nbval-check-output"]
guess.outcome(
    "none" if wrong == 0 else "some" if wrong < noise.numel() / 2 else "most of them",
    "Being reversible was not learned from faces: it is how the model is built.",
)

# %%
row(
    [noise, latent_picture(z_noise[0]), noise_back],
    ["pure noise", "some of its $z$", "back again"],
    arrows=["encode", "decode"],
    alt="Pure noise, its latents in harsher colours than a face's, and the same noise again.",
)

# %% [markdown]
# What did change are the latents: look how much harsher their colours are than those of the face. The model
# takes any picture, but it does not find all of them equally likely. Keep that thought for section 5.

# %% [markdown]
# ## Exercise 1 · There and back
#
# Your turn, with a picture of your own. This reads one from a file:

# %% tags=["nbval-check-output"]
from glowlite.data.pictures import read_picture

print(read_picture.__doc__.splitlines()[0])

# %% [markdown]
# Take the picture in `file` through `model` and back, and return both pictures as batches of one. This model
# knows pictures of 64 by 64 pixels.


# %%
def there_and_back(file, model):
    picture = ...
    back = ...
    return picture, back


# %% tags=["nbval-check-output"]
from glowlab.checks import why_reversible as check

check.there_and_back(there_and_back, model)

# %% [markdown]
# Stuck? Run `check.there_and_back.hint()` in a cell of its own, more than once if you like.
# `check.there_and_back.solution()` shows an answer, and then the package's own lines.
#
# Right? Then put a picture of yours into this notebook's folder, and write its name below. Until then you see
# our face.

# %%
my_file = None  # for example "holiday.jpg"

mine = there_and_back(my_file, model) if my_file else (face, back)
row(mine, ["there", "and back"], alt="A picture and what came back of it, alike.")

# %% [markdown]
# ## 3 · How pictures get lost
#
# Most ways to turn a picture into numbers cannot be turned back. Here is one that everybody knows: make a
# thumbnail, 8 by 8, and enlarge it again.


# %%
def thumbnail(picture):
    return torch.nn.functional.avg_pool2d(picture.float(), 8).round().to(torch.uint8)


small = thumbnail(face)  # (1, 3, 8, 8)
large = torch.nn.functional.interpolate(small, size=(64, 64), mode="bicubic")

# %%
row(
    [face, small, large],
    [f"{face.numel():,} numbers", f"{small.numel()} numbers", f"{(large != face).sum():,} are wrong"],
    arrows=["shrink", "enlarge"],
    alt="A face, its thumbnail of 8 by 8 squares, and the thumbnail enlarged: only a blur.",
)

# %% [markdown]
# Fewer numbers, so of course something is missing. But there is a sharper way to say why no clever enlarging
# will ever bring it back. Mirror each strip of 8 columns in place:

# %%
strips = face.unflatten(-1, (8, 8))  # (1, 3, 64, 8 strips, 8 columns)
mirrored = strips.flip(-1).flatten(-2)  # (1, 3, 64, 64)
row(
    [face, mirrored, thumbnail(face), thumbnail(mirrored)],
    ["a face", "its strips mirrored", "thumbnail", "thumbnail"],
    alt="A face, the face with strips mirrored so that it looks broken, two equal thumbnails.",
)

# %% tags=["nbval-check-output"]
print("same picture:  ", torch.equal(face, mirrored))
print("same thumbnail:", torch.equal(thumbnail(face), thumbnail(mirrored)))

# %% [markdown]
# Two pictures, one thumbnail. Whoever is given the thumbnail cannot know which of the two it was, and
# neither can any network. So this is what **reversible**, or **invertible**, means:
#
# > No two pictures share a code, and every code belongs to a picture.
#
# Mathematics calls such an $f$ a **bijection**. It has an inverse: $z = f(x)$ and $x = f^{-1}(z)$.

# %% [markdown]
# ## Exercise 2 · Can it be undone?
#
# Design an experiment. `f` takes each byte, 0 to 255, to a byte, and you cannot look inside. You can only call it
# with a tensor of bytes (`dtype=torch.uint8`). Write `is_reversible`: it returns True if `f` can be undone, and
# False if not. Three functions to begin with:

# %%
functions = {
    "255 - x": lambda x: 255 - x,
    "x // 2": lambda x: x // 2,
    "3 * x": lambda x: 3 * x,  # goes round: after 255 comes 0
}
row(
    [face, *(f(face) for f in functions.values())],
    ["x", *functions],
    height=160,
    alt="A face, its negative, the face darkened, and the face in garish false colours.",
)


# %%
def is_reversible(f):
    return ...  # True or False


# %% tags=["nbval-check-output"]
check.is_reversible(is_reversible)

# %% [markdown]
# `check.is_reversible.hint()` and `check.is_reversible.solution()` are there as before. What do you expect of
# `3 * x`? It looks lost, so ask your function:

# %% tags=["nbval-check-output"]
for name, f in functions.items():
    print(f"{name:8}", is_reversible(f) if check.is_reversible(is_reversible) else "?")

# %% [markdown]
# ## 4 · What is in a latent?
#
# Then the numbers cannot have become fewer. Where are they? Here is the machine that notebooks 01 to 08 take
# apart. Today we stay at its two ends.

# %%
from glowlab.figures.glow_map import glow_map

glow_map("x", "z")

# %% [markdown]
# On the way from $x$ to $z$, some of the numbers leave at each of $L$ levels. That is why `encode` gave a
# list. Do the sizes add up?

# %% tags=["nbval-check-output"]
for level, eps in enumerate(z, start=1):
    print(f"level {level}: {str(tuple(eps.shape[1:])):13} {eps[0].numel():>6,} numbers")
print(f"together:                {sum(eps[0].numel() for eps in z):>6,} = D")

# %% [markdown]
# They do, to the last number. Each level is smaller in height and width and has more channels: first the fine
# grain, last what is left when everything finer has been told.

# %%
row(
    [latent_picture(eps) for eps in z],
    [f"level {level}\n{eps.shape[2]} x {eps.shape[3]}" for level, eps in enumerate(z, start=1)],
    alt="Four levels of latents: speckle of 32, 16, 8 and 4 squares a side.",
)

# %% [markdown]
# ## 5 · What the numbers look like
#
# One by one they say little. So look at all of them at once: a histogram for the face, and one for the
# noise.

# %%
from glowlab.figures.charts import against_normal

against_normal(
    {"z of the face": z, "z of pure noise": z_noise},
    alt="Histograms: the face's follows the standard normal curve, that of noise is far wider.",
)

# %% [markdown]
# The grey line is the standard normal, drawn and not fitted. Training has bent the flow until the numbers of
# faces fall under it. The numbers of noise do not: they lie far outside, where a normal variable hardly ever
# goes.

# %% [markdown]
# So a picture is foreign if its numbers lie farther from 0 than normal ones do. Is a picture whose numbers lie
# nearer a face, then? Here is the root of their mean square (1 for normal numbers) for four pictures. Beside
# it are the **bits per dimension**: how many bits a number of this picture takes, if the model says how likely
# each picture is. Raw pixels take 8.

# %%
from glowlite import latents

grey = torch.full_like(face, 128)
pictures = {"face": face, "mirrored": mirrored, "plain grey": grey, "noise": noise}
size = {name: latents.flatten(model.encode(x)).square().mean().sqrt() for name, x in pictures.items()}
bits = {name: model.bits_per_dim(x).item() for name, x in pictures.items()}
row(
    [face, mirrored, grey],
    [f"{name}\n{bits[name]:.2f} bits" for name in ("face", "mirrored", "plain grey")],
    height=160,
    alt="A face, the face with mirrored strips and a plain grey square, with the bits that each takes.",
)

# %% tags=["nbval-check-output"]
for name in pictures:
    print(f"{name:10}  root mean square {size[name]:5.2f}   {bits[name]:5.2f} bits per dimension")

# %% [markdown]
# Mirroring its strips kept every pixel of the face, and the model notices. But plain grey lies nearer to 0 than a
# face, takes fewer bits, and is no face. It is easy to predict, and that is all that bits measure. Notebook 10
# explains it. How a histogram becomes a likelihood is the story of notebook 01.

# %% [markdown]
# ## 6 · The other way round
#
# If faces become standard normal numbers, then perhaps standard normal numbers become faces. Draw some, a
# little closer to the middle than usual (that 0.7 is called temperature), and decode:

# %%
fresh = model.sample(5, temperature=0.7, generator=torch.Generator().manual_seed(3))
row(fresh, alt="Five faces that the model made up from normally distributed numbers.")

# %% [markdown]
# Nobody drew these five, and none of them was in the training data. They were random numbers a moment ago. So a
# flow is a **generative model**: from examples it learns to make new ones.

# %% [markdown]
# ## 7 · Turn one thing
#
# Here is what makes latents a good place to work in. `smile` is a direction: a step for each of the 12,288
# numbers, found from labelled faces. Go along it, and decode.

# %%
from glowlite.checkpoint import load_directions

smile = load_directions("faces64")["smile"]


def smiling(amount):
    return model.decode(latents.add(z, smile, amount))  # z + amount * smile


# %%
from glowlab.figures.live import Follow

Follow(smiling, "Smile", ("frown", "smile"), value=0.9, alt="The face, smile at {}.")

# %% [markdown]
# Drag it. Hair, skin and background stay, because nothing of them was lost. And at 0 you do not get a
# face *like* the first one, you get the first one:

# %% tags=["nbval-check-output"]
print("the face itself at 0:", torch.equal(smiling(0.0), face))

# %% [markdown]
# The [studio](dashboards/studio.ipynb) has a slider for each attribute, blends faces, and takes your own
# pictures. In a terminal, `glowlite explore` opens it as a page.

# %% [markdown]
# ## 8 · How can one build such a thing?
#
# A network is made of functions that cannot be undone. Here is one, called `wild`: it squares, and many
# numbers have the same square. (Bytes, uint8, go round: after 255 comes 0.)


# %%
def wild(half):
    return half * half + 77


def mix(left, right, f):
    return left, right + f(left)


# %%
left, right = face.chunk(2, dim=-1)  # each (1, 3, 64, 32)
_, mixed = mix(left, right, wild)
row(
    [face, torch.cat([left, mixed], dim=-1)],
    ["a face", "its right half mixed"],
    arrows=["mix"],
    alt="A face, and the same face with its right half turned to garish specks.",
)

# %%
guess = Prediction(
    "wild cannot be undone. Can mix, which uses it, be undone?",
    ["never", "only for some functions f", "for every f"],
)
guess

# %% [markdown]
# ## Exercise 3 · Undo it
#
# Write `unmix`. It gets what `mix` gave, and the same `f`, and returns the left and the right half as they
# were.


# %%
def unmix(left, mixed, f):
    return ...  # the left half, the right half


# %% tags=["nbval-check-output"]
check.unmix(unmix)

# %% [markdown]
# As before, `check.unmix.hint()` helps, and `check.unmix.solution()` shows an answer. The check calls your
# function with halves and an `f` that it has never seen. Once it is right, the face below is whole again:

# %%
halves = unmix(left, mixed, wild) if check.unmix(unmix) else (left, mixed)
row(
    [torch.cat([left, mixed], dim=-1), torch.cat(halves, dim=-1)],
    ["mixed", "after your unmix"],
    arrows=["unmix"],
    alt="The half-mixed face, and what unmix makes of it: the whole face, once it is written.",
)

# %% tags=["nbval-check-output"]
guess.outcome("for every f", "The left half is there, so f can be asked again.")

# %% [markdown]
# This is the whole trick of the **coupling layer**. `f` may be a deep network, and nobody ever has to invert
# it. Alternate the halves, add a few more reversible steps, repeat this some dozens of times: that is Glow.

# %% [markdown]
# ## 9 · Why reversible at all?
#
# Flows are one kind of generative model beside others. This is what each can tell, and how many times its
# network runs for it:
#
# | model | likelihood of a picture | drawing a picture | latents of a given picture |
# |---|---|---|---|
# | autoregressive (PixelCNN) | exact, one run | a run for each number: 12,288 | none |
# | variational autoencoder (VAE) | a bound, one run | one run | approximate, one run |
# | adversarial network (GAN) | none | one run | none |
# | diffusion | a bound, many runs | tens to hundreds of runs | approximate, many runs |
# | **flow (Glow)** | exact, one run | one run | exact, one run |

# %% [markdown]
# Only the last row has everything in one run, and section 7 needs its last column. A fourth gain is **memory**.
# Training stores what each layer was given, so its memory grows with the depth. A reversible layer can compute
# that again from its output (PyTorch does not do so by itself).
#
# The price: every layer needs an inverse, and no number may be dropped. So flows need more layers and more
# training. The sharpest pictures today come from diffusion models.

# %% [markdown]
# ## Summary
#
# - Reversible, a bijection: no two pictures share a code, and every code belongs to a picture.
# - Glow's latents hold as many numbers as the picture, $D$, in $L$ levels.
# - Any picture comes back exactly: the flow has an inverse, and rounding to bytes removes the small errors of
#   float32. (Where they are too large, `encode` uses float64.)
# - Training decides *where* pictures go: faces become standard normal numbers.
# - The trick: change one half by anything computed from the other.

# %% [markdown]
# **A harder question.** Would a Glow that was never trained bring every pixel back too? Decide first. Then
# try it: `new = glowlite.Glow(model.config)`, and, because its ActNorm must see data once,
# `new.initialize(glowlite.pixels.to_float(faces.draw(256).images))`. What do its samples look like, and why?
#
# <details><summary>One answer</summary>
#
# Yes, every pixel: no layer had to be trained to have an inverse. Its samples are noise. ActNorm has set the mean
# and the spread of each channel, but nothing has been learned of how neighbours belong together.
#
# </details>

# %% [markdown]
# **Next.** 01, Change of variables: what happens to a density when space is stretched.
#
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, sections 1 and 2; the mix is additive coupling, Dinh
# et al. (2014), *NICE*, section 3.2.
