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
# # 11 · Interpolation
#
# Two people, and a way from one to the other. Through pixels it leads past ghosts, through latents past people.
# But there is more than one way through latents. Which is the good one, and what could tell?
#
# **After this notebook you can** walk from face to face on a straight line or on an arc, say what each does to
# temperature, likelihood and picture, choose which levels go along, and name places where all ways fail.

# %% [markdown]
# **Needs.** Temperature (10) and many scales (06). No GPU, no training.
#
# **Minutes.** About 30 to read and 10 for the exercises; all cells run in under 120 seconds.
#
# **Symbols.**
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $a, b$ | latents of the first and of the second face | `Glow.encode` |
# | $t$ | how far on the way, 0 at $a$ and 1 at $b$ | `latents.lerp` |
# | $\omega$ | the angle between $a$ and $b$ | `latents.slerp` |
# | $\lvert\varepsilon\rvert / \sqrt D$ | effective temperature | `latents.effective_temperature` |
# | $D$ | how many numbers a picture has | `Glow.dims` |

# %% [markdown]
# ## 1 · Who stands half-way?
#
# Two faces were drawn, and two programs asked for the picture half-way. One of them mixes the pixels. The other
# mixes the latents, and decodes. Which is which? Drag the slider.

# %%
import torch

import glowlite
from glowlite import latents
from glowlite.data import faces

torch.set_grad_enabled(False)  # nothing is trained in this notebook
model = glowlite.load("faces64")
people = faces.draw(64, seed=5).images
firsts, seconds = people[:32], people[32:]  # 32 pairs
z_firsts, z_seconds = model.encode(firsts), model.encode(seconds)


# %%
def one(z, i):
    return [eps[i : i + 1] for eps in z]  # the latents of one picture


first, second = firsts[10:11], seconds[10:11]
a, b = one(z_firsts, 10), one(z_seconds, 10)

# %%
from glowlab.figures.live import Button, CheckBox, Choice, Live, Slider
from glowlab.figures.rows import side_by_side


def blend(x, y, t):
    return torch.lerp(x.float(), y.float(), t).round().to(torch.uint8)


def walk(t):
    line = [(1 - t) * x + t * y for x, y in zip(a, b, strict=True)]
    shown = {"first": first, "?": blend(first, second, t), "??": model.decode(line), "second": second}
    alt = f"Two faces. Between them, at t = {t:.2f}, mixed pixels, which show both, and one face by mixed latents."
    return side_by_side(shown, alt)


Live(walk, Slider("t", "How far", 0.0, 1.0, value=0.5, step=0.01, ends=("first", "second")))

# %% [markdown]
# **?** is the **pixel blend**, a double exposure, a ghost: long hair hangs over it like a veil. **??**, on the
# **straight line** between the latents, is somebody, with hair of one colour, if with glasses that fade.
#
# `latents.lerp` is that line of code, $(1 - t)\,a + t\,b$, level by level. And since nothing is lost between pixels
# and latents, the way begins and ends at the very pictures:

# %% tags=["nbval-check-output"]
for t, end in ((0.0, first), (1.0, second)):
    wrong = (model.decode(latents.lerp(a, b, t)) != end).sum().item()
    print(f"t = {t:.0f}: {wrong} of {end.numel():,} numbers are wrong")

# %%
from glowlab.figures.glow_map import glow_map

glow_map("z")

# %% [markdown]
# ## 2 · What is a ghost worth?
#
# No face of the training data looks like a double exposure. The model gives every picture a likelihood, in bits
# per dimension: the fewer, the likelier (notebook 07). What does it say of ghosts?

# %%
from glowlab.checks import Prediction

guess = Prediction(
    "32 half-way pixel blends and the 64 faces they are made of: which does the model find likelier?",
    ["the faces", "the blends", "no difference"],
)
guess

# %%
mixed = blend(firsts, seconds, 0.5)
bits_faces = model.bits_per_dim(people)
bits_mixed = model.bits_per_dim(mixed)

# %% tags=["nbval-check-output"]
print(f"faces {bits_faces.mean():.1f}, blends {bits_mixed.mean():.1f} bits per dimension")
guess.outcome(
    "the blends" if bits_mixed.mean() < bits_faces.mean() - 0.02 else "the faces",
    "Likelihood is not how good a picture looks.",
)

# %% [markdown]
# Why? Look closely at a drawn face: it has grain, like a photograph, with a standard deviation of `faces.GRAIN`
# grey levels. Nobody can guess grain, so every number pays for it:

# %% tags=["nbval-check-output"]
import math

entropy = math.log2(faces.GRAIN * math.sqrt(2 * math.pi * math.e))  # of a normal variable, in bits
print(f"grain of {faces.GRAIN:g} grey levels alone costs {entropy:.2f} of {bits_faces.mean():.1f} bits")

# %% [markdown]
# In the mean of two pictures, two grains partly cancel: $1/\sqrt 2$ of the deviation is left. The blend is
# *smoother*, and smooth is cheap. If that is the reason, then giving the missing grain back must turn it round:

# %%
dice = torch.Generator().manual_seed(1)
missing = faces.GRAIN * 0.5**0.5  # variances add: half of it is there, half of it is missing
grainy = torch.lerp(firsts.float(), seconds.float(), 0.5) + missing * torch.randn(mixed.shape, generator=dice)
bits_grainy = model.bits_per_dim(grainy.round().clamp(0, 255).to(torch.uint8))
blurred = torch.nn.functional.avg_pool2d(firsts[:16].float(), 3, 1, 1, count_include_pad=False)
bits_blurred = model.bits_per_dim(blurred.round().to(torch.uint8))

# %%
from glowlab.figures.interpolation import bits_by_group, curves_along_path

bits_by_group(
    {
        "drawn faces": bits_faces,
        "half-way blends": bits_mixed,
        "blends with grain": bits_grainy,
        "blurred faces": bits_blurred,
    },
    alt="Dots of bits per dimension: blends lie a little below drawn faces, blurred faces far below, and blends "
    "whose grain was put back above all of them.",
)

# %% tags=["nbval-check-output"]
dearer = torch.maximum(bits_faces[:32], bits_faces[32:])
print(f"blends that cost more than both of their faces: {(bits_mixed > dearer).sum()} of 32")
print(f"with their grain put back:                      {(bits_grainy > dearer).sum()} of 32")

# %% [markdown]
# So the model does know that ghosts are no faces: with grain, every one of them is dearer than both people it is
# made of. But most of the bits are spent on grain, and a picture that has less of it wins, whatever it shows. A
# blur wins by even more. Keep that in mind whenever somebody sorts pictures by likelihood.

# %% [markdown]
# ## 3 · At right angles
#
# Back to latents. What is between $a$ and $b$? In two dimensions, two random arrows can stand at any angle. The
# cosine of the angle is $a \cdot b$ over both lengths. In $D$ dimensions $a \cdot b$ is a sum of $D$ products, as
# often above 0 as below. It grows like $\sqrt D$, and the lengths' product like $D$. Draw, and see:

# %% tags=["nbval-check-output"]
for dims in (2, 20, 200, 12288):
    x, y = torch.randn(2, 500, dims, generator=dice)
    size = torch.cosine_similarity(x, y, dim=1).square().mean().sqrt()  # root mean square
    print(f"D = {dims:6,}: the size of a cosine is {size:.3f}, and 1/sqrt(D) is {dims**-0.5:.3f}")
x, y = latents.flatten(z_firsts), latents.flatten(z_seconds)  # (32, D) each, all levels side by side
cosine = torch.cosine_similarity(x, y, dim=1)
print(f"32 pairs of faces: cosine {cosine.mean().abs():.2f} ± {cosine.std():.2f}")

# %% [markdown]
# In 12,288 dimensions two draws practically always stand at right angles, and so do the latents of two faces that
# have nothing to do with each other. So $a$, $b$ and the origin make a right-angled triangle with two equal sides, and
# its long side is the straight line. Its middle is nearer to the origin than both ends:
#
# $$\left\lvert\frac{a + b}{2}\right\rvert^2 = \frac{\lvert a\rvert^2 + \lvert b\rvert^2 + 2\,a \cdot b}{4}
# \approx \frac{D + D + 0}{4} = \frac D 2$$

# %% [markdown]
# Notebook 10 measured how far out latents are by the effective temperature, $\lvert\varepsilon\rvert / \sqrt D$:


# %%
def temperature(z):
    return (sum(eps.square().sum((1, 2, 3)) for eps in z) / model.dims).sqrt()  # (B,)


# %% tags=["nbval-check-output"]
middles = latents.lerp(z_firsts, z_seconds, 0.5)
error = (temperature(middles) - latents.effective_temperature(middles)).abs().max()
assert error < 1e-6
print("same as glowlite:", bool(error < 1e-6))
print(f"ends {temperature(z_firsts).mean():.2f}, middle {temperature(middles).mean():.2f}, means of 32")

# %% [markdown]
# Draws of the model lie on a thin shell, at temperature 1, and encoded faces a hair inside it. The straight line
# leaves the shell, and half-way it is at $1 / \sqrt 2 \approx 0.71$ of where it was. Here is the plane that holds $a$,
# $b$ and the origin. Move $t$. Then change $D$: for few dimensions the shell is thick, and the angle anything (press
# *Other draws*).

# %%
from glowlab.figures.interpolation import paths_in_shell

choices = {"2": "2", "20": "20", "200": "200", "12288": "12,288"}
Live(
    lambda t, dims, second, again: paths_in_shell(t, int(dims), second, again),
    Slider("t", "How far", 0.0, 1.0, value=0.5, step=0.01, ends=("a", "b")),
    Slider("second", "Temperature of b", 0.3, 1.4, value=1.0, step=0.05),
    Choice("dims", "D", choices, value="12288"),
    Button("again", "Other draws"),
)

# %% [markdown]
# The orange curve is the other way: along the shell. It keeps the temperature if both ends have the same, and
# passes from one to the other where they differ. How do we compute it?

# %% [markdown]
# ## 4 · The arc
#
# Stay in the plane of $a$ and $b$, and walk at an even pace: at $t$ we have turned by $t\omega$. This is
# **spherical interpolation**, `slerp`:
#
# $$\frac{\sin((1 - t)\,\omega)}{\sin \omega}\; a + \frac{\sin(t\,\omega)}{\sin \omega}\; b
# \qquad \text{with} \qquad \cos \omega = \frac{a \cdot b}{\lvert a\rvert \lvert b\rvert}$$
#
# At $t = 0$ the weights are 1 and 0. Half-way, at a right angle, they are 0.71 and 0.71; on the line, 0.5 and 0.5.

# %% [markdown]
# ## Exercise 1 · Spherical interpolation
#
# Write it for latents as they come: `a` and `b` are lists with one tensor a level, (B, C, H, W) each. There is
# one angle for each pair of pictures, over *all levels together*. Where $a$ and $b$ point the same way, $\sin\omega$
# is 0, and so is what stands over it. Find something sensible for that case, too.


# %%
def arc(a, b, t):
    return ...


# %% tags=["nbval-check-output"]
from glowlab.checks import interpolation as check

check.slerp(arc)

# %% [markdown]
# `check.slerp.hint()` helps, more than once, and `check.slerp.solution()` shows the package's lines. Once the
# check is content, the next figures are made by your function, until then by the package's.

# %%
from glowlab.figures.interpolation import picture_strips

way = arc if check.slerp(arc) else latents.slerp
picture_strips(
    {
        "straight line": [model.decode(latents.lerp(a, b, t))[..., 4:60, 4:60] for t in (0.25, 0.5, 0.75)],
        "arc": [model.decode(way(a, b, t))[..., 4:60, 4:60] for t in (0.25, 0.5, 0.75)],
    },
    ["t = 0.25", "t = 0.50", "t = 0.75"],
    alt="Two rows between the two faces: calm and slightly soft on the straight line, sharper on the arc.",
)

# %% [markdown]
# Compare the middles. On the straight line it is soft: its latents are at temperature 0.7, and you know from
# notebook 10 that such pictures are calmer. On the arc it is as sharp as its ends.

# %%
guess = Prediction(
    "Half-way on the straight line: how likely is the picture, beside the faces at its ends?",
    ["less likely", "about as likely", "likelier"],
)
guess

# %%
stops = torch.linspace(0, 1, 5).tolist()
x, y, za, zb = firsts[:8], seconds[:8], [eps[:8] for eps in z_firsts], [eps[:8] for eps in z_seconds]
pictures = {
    "pixel blend": [blend(x, y, t) for t in stops],
    "straight line": [model.decode(latents.lerp(za, zb, t)) for t in stops],
    "arc": [model.decode(way(za, zb, t)) for t in stops],
}
bits = {name: torch.stack([*map(model.bits_per_dim, shown)]) for name, shown in pictures.items()}  # (5, 8)

# %%
curves_along_path(
    bits,
    alt="Bits per dimension along the way, for 8 pairs. On the arc they stay where they are; the pixel blend falls "
    "a little half-way, and the straight line a lot.",
)

# %% tags=["nbval-check-output"]
line, curve = bits["straight line"], bits["arc"]
print(f"half-way: {line[2].mean():.1f} on the line, {curve[2].mean():.1f} on the arc")
guess.outcome("likelier" if line[2].mean() < line[0].mean() - 0.1 else "about as likely", "Cold is cheap.")

# %% [markdown]
# The straight line passes nearer to 0 than any face lies, and at 0 the density of latents is highest. That it is
# likelier than the people at its ends says as little for it as it did for the ghosts. So ask something else:
# by how many grey levels does a pixel differ from its neighbour?


# %% tags=["nbval-check-output"]
def contrast(picture):
    return picture.float().diff(dim=-1).abs().mean().item()


for name, shown in pictures.items():
    ends = (contrast(shown[0]) + contrast(shown[4])) / 2
    print(f"{name:14} ends {ends:.1f}, half-way {contrast(shown[2]):.1f}")
print(f"temperature half-way on the arc: {temperature(way(za, zb, 0.5)).mean():.2f}")

# %% [markdown]
# The line's middle lacks about a seventh of the contrast. The arc's has nearly that of its ends, their
# likelihood, and their temperature. By these numbers alone nothing tells the arc from the faces. Your eyes may still
# find fault. Look for it:

# %%
from glowlab.explorers import open_interpolation

open_interpolation()

# %% [markdown]
# Press *Surprise me* a few times. Can you find a pair where the straight line looks better than the arc? One
# where both fail? Which features fade, and which glide? Upload two pictures of your own: nothing that is not a
# drawn face was ever seen by this model, and the ends still come back exactly.

# %% [markdown]
# ## 5 · Only some of them move
#
# Latents come in levels (notebook 06). Nobody says that all of them have to go. Let one level go the whole way,
# while the other three stay with the first face:

# %% tags=["nbval-check-output"]
for l in range(1, 5):
    moved = [*za[: l - 1], zb[l - 1], *za[l:]]
    change = (model.decode(moved).float() - x.float()).abs().mean()
    print(f"level {l}: {za[l - 1][0].numel():5,} numbers move, and the picture by {change:2.0f} grey levels")

# %% [markdown]
# ## Exercise 2 · Chosen levels, along the arc
#
# Write the way on which chosen levels move: `moving` holds True or False for each. Those that move share one arc,
# `latents.slerp`, with one angle. The others stay as in `a`.


# %%
def some_levels(a, b, t, moving):
    return ...


# %% tags=["nbval-check-output"]
check.some_levels(some_levels)

# %% [markdown]
# `check.some_levels.hint()` and `check.some_levels.solution()` are there; the solution is the explorer's own. The
# next figure uses yours as soon as it is right. Until then, levels that move go on straight lines.

# %%
from glowlab.figures.rows import face_change


def straight(a, b, t, moving):
    return [torch.lerp(x, y, t) if moves else x for x, y, moves in zip(a, b, moving, strict=True)]


mine = some_levels if check.some_levels(some_levels) else straight


def some(t, **moving):
    said = ", ".join(name[1] for name, moves in moving.items() if moves) or "none"
    picture = model.decode(mine(a, b, t, tuple(moving.values())))
    alt = f"The first face, what it is at t = {t:.2f} with these levels moving: {said}, and in pink the change."
    return face_change(first, picture, f"levels that move: {said}", alt)


# %%
Live(
    some,
    Slider("t", "How far", 0.0, 1.0, value=1.0, step=0.02, ends=("first", "second")),
    *(CheckBox(f"l{level}", f"level {level}", level < 4) for level in range(1, 5)),
)

# %% [markdown]
# Levels 1 to 3 have gone all the way, seven eighths of all numbers, and it is still the first person, with edges and
# grain that fit somebody else. Now tick level 4 alone. It carries the person, colours and background; the finer
# levels hold details *given* what level 4 has said.

# %% [markdown]
# ## 6 · One angle, or one for each level?
#
# Does it matter that the angle is taken over the whole list? For two faces that have nothing to do with each other,
# every level stands at a right angle of its own:

# %% tags=["nbval-check-output"]
for l, (u, v) in enumerate(zip(za, zb, strict=True), start=1):
    degrees = torch.rad2deg(torch.acos(torch.cosine_similarity(u.flatten(1), v.flatten(1)))).mean()
    print(f"level {l}: {degrees:.0f} degrees")
each = [way([u], [v], 0.5)[0] for u, v in zip(za, zb, strict=True)]  # an arc for each level
apart = (model.decode(each).float() - pictures["arc"][2].float()).abs().mean()
print(f"half-way, the two kinds of arc differ by {apart:.1f} grey levels")

# %% [markdown]
# It hardly matters. It does where two faces *share* something. Take a second face that has the first one's level 4,
# and dice for all else. On the way between them level 4 has nowhere to go.

# %%
from glowlab.figures.rows import row

twin = latents.sample_eps(model.latent_shapes, 1, torch.Generator().manual_seed(0))
twin[3] = a[3]
whole = latents.slerp(a, twin, 0.5)
apiece = [latents.slerp([x], [y], 0.5)[0] for x, y in zip(a, twin, strict=True)]
row(
    [picture[..., 6:54, 8:56] for picture in (first, model.decode(whole), model.decode(apiece))],
    ["first", "one angle", "one a level"],
    alt="The first face; half-way to its twin with one angle, paler and harder; the same with an angle for "
    "each level, in the colours of the first.",
    height=192,
)

# %% tags=["nbval-check-output"]
print(f"level 4 half-way, one angle:   {(whole[3].norm() / a[3].norm()):.2f} times as long as at both ends")
print(f"level 4 half-way, one a level: {(apiece[3].norm() / a[3].norm()):.2f} times")

# %% [markdown]
# With one angle for all, not far from 90 degrees, each end has a weight of about two thirds. What both have in common
# is there twice, so it grows by a third, a caricature. The straight line would have kept it, as
# $\frac12 + \frac12 = 1$. So the arc's rule has a price: **it keeps the length of the whole, and exaggerates what is
# shared.**

# %% [markdown]
# ### Where the formula gives up
#
# The weights depend on the angle alone. Drag it to both ends.

# %%
from glowlab.figures.interpolation import arc_weights

Live(arc_weights, Slider("degrees", "Angle between a and b", 0.0, 180.0, value=90.0, step=1.0))

# %% [markdown]
# Towards 0 degrees both weights go to a half: the straight line. At 0 itself the formula says $0/0$, though the way
# is plain. So the package goes straight there. At 180 degrees the trouble is real:

# %% tags=["nbval-check-output"]
w = torch.tensor(0.0)
print("weight at 0 degrees, by the formula:", (torch.sin(0.5 * w) / torch.sin(w)).item())
same = latents.slerp(a, a, 0.5)
print("slerp from a to a stays at a:", all(torch.allclose(x, y) for x, y in zip(same, a, strict=True)))
opposite = [-eps for eps in a]
print(f"half-way from a to -a: temperature {temperature(latents.slerp(a, opposite, 0.5)).item():.2f}")

# %% [markdown]
# Between opposite points of a sphere *every* direction leads to the goal, like all meridians from pole to pole. No
# formula can choose, so the package's goes straight, through the origin, and half-way is at temperature 0. But is there
# such a thing as the opposite of a face?

# %% [markdown]
# ## 7 · Ways that fail
#
# ### Somebody else is in the way
#
# There is: change all signs, and decode. On the straight line, one has to pass the origin. On the sphere, one may
# choose by way of whom. Take anybody, $c$. How far is it to $c$, and on from there?

# %% tags=["nbval-check-output"]
c = one(z_seconds, 17)  # anybody
for name, end in {"a": a, "the opposite": opposite}.items():
    degrees = torch.rad2deg(torch.acos(torch.cosine_similarity(latents.flatten(c), latents.flatten(end))))
    print(f"from c to {name:12} {degrees.item():.0f} degrees")

# %%
row(
    [model.decode(z)[..., 6:58, 6:58] for z in (a, latents.lerp(a, opposite, 0.5), c, opposite)],
    ["a", "half-way,\nstraight", "half-way,\nby way of c", "the\nopposite"],
    alt="The first face; the mean face, half-way on the straight line; the third person c, half-way on the sphere; the "
    "opposite of the first face, hardly a face.",
    height=208,
)

# %% [markdown]
# Straight, one passes `decode` of zeros, the mean face of notebook 10. *Every* straight way leans towards it half-way:
# that is its calm. On the sphere $c$ stands half-way, a third person who has nothing to do with either end. But any two
# faces stand at right angles, so *everybody* is half-way from $a$ to its opposite, and nobody has a better claim.

# %% [markdown]
# ### Half a pair of glasses
#
# Draw the same 8 people twice, without glasses and with thick frames, and go half-way.


# %%
def drawn(count=8, **attributes):
    return faces.draw(count, seed=11, attributes={"beard": -1.0, "glasses": -1.0, **attributes}).images


none, full = drawn(), drawn(glasses=1.0)
z_none, z_full = model.encode(none), model.encode(full)
half = model.decode(latents.slerp(z_none, z_full, 0.5))
row(
    [p[1:2, :, 16:40, 12:52] for p in (none, half, drawn(glasses=0.0), full)],
    ["none", "half-way", "thin frames, drawn", "thick"],
    alt="Eyes without glasses; half-way on the arc, a pale frame with gaps; thin frames as they are drawn, a little "
    "darker; thick frames.",
    height=150,
)

# %% tags=["nbval-check-output"]
step = full.float() - none.float()


def paint(picture):  # how much of the frame is there: 0 none, 1 all of it
    return (((picture.float() - none.float()) * step).sum() / step.square().sum()).item()


print(f"half-way on the arc {paint(half):.1f}, thin frames as they are drawn {paint(drawn(glasses=0.0)):.1f}")

# %% [markdown]
# The drawing program has thin frames. They are not what stands half-way: there the thick frame is fading in, paler
# than the thin one, and with gaps. Among photographs it is worse, for nobody ever wore half a pair of glasses.
# A model that has to show something fades it. Look for it in the explorer, where one of two wears glasses.

# %% [markdown]
# ### Turning one's head
#
# A last one. The same people look left, and right. Who stands half-way?

# %%
left, right, ahead = drawn(head_turn=-1.0), drawn(head_turn=1.0), drawn(head_turn=0.0)
turned = model.decode(latents.slerp(model.encode(left), model.encode(right), 0.5))
row(
    [p[1:2, :, 8:48, 12:52] for p in (left, blend(left, right, 0.5), turned, right, ahead)],
    ["left", "pixel blend", "arc, half-way", "right", "ahead, drawn"],
    alt="A face turned left, a double exposure, a half-way face whose features have faded, the face turned right, and "
    "the face looking ahead as it should be.",
    height=160,
)


# %% tags=["nbval-check-output"]
def off(picture):  # root mean square of the error in grey levels
    return (picture.float() - ahead.float()).square().mean().sqrt().item()


for name, picture in {"left": left, "pixel blend": blend(left, right, 0.5), "arc": turned}.items():
    print(f"{name:11} {off(picture):.0f} grey levels from looking ahead")

# %% [markdown]
# It should look at us. Instead the features of one side fade, and those of the other come. Half-way both are
# faint, the mouth most of all. Eyes must *move* here, over many pixels, and this model has not learned turning a head
# as one thing. Would a larger one, trained for longer? With a large GPU you can try: this trains one of 48 steps a
# level.
#
# ```sh
# glowlite train --preset imagenet64 --data faces --batch 16 --out runs/large
# ```

# %% [markdown]
# ## 8 · People who lived
#
# Nobody here was ever alive. `portraits64` is the same Glow, and it learned from photographs of people, cropped to
# their faces. It has never seen a painting. Let it walk from the Mona Lisa to the astronaut Kalpana Chawla:

# %%
from glowlab.explorers.gallery import read_portraits

real = glowlite.load("portraits64")
portraits, names, _ = read_portraits(64)  # thirteen, all in the public domain
lisa, kalpana = (portraits[names.index(name)][None] for name in ("Mona Lisa", "Kalpana Chawla"))
u, v = real.encode(lisa), real.encode(kalpana)
row(
    [lisa, real.decode(way(u, v, 0.5)), kalpana],
    ["Mona Lisa", "half-way", "K. Chawla"],
    alt="The Mona Lisa, a smiling astronaut, and between them a clear face half-way on the arc.",
    height=128,
    exact=False,
)

# %% tags=["nbval-check-output"]
ends = [torch.equal(real.decode(z), picture) for z, picture in ((u, lisa), (v, kalpana))]
print("both ends exact:", all(ends))
degrees = torch.rad2deg(torch.acos(torch.cosine_similarity(latents.flatten(u), latents.flatten(v)))).item()
print(f"they stand at {degrees:.0f} degrees")

# %% [markdown]
# A painting is no photograph, and it comes back all the same, pixel for pixel. Half-way on the arc stands somebody who
# never was. The explorer has all thirteen: choose *real* at the top of its page.
#
# `portraits64` learned from FairFace (Karkkainen & Joo 2021), CC BY 4.0; the photograph of Kalpana Chawla is by NASA.

# %% [markdown]
# ## Summary
#
# - Mixed pixels are a double exposure; mixed latents are mostly somebody, and both ends are exact.
# - Ghosts and cold middles are *likelier* than faces: smooth is cheap, likelihood is not quality.
# - Draws stand at right angles, so the middle of the line is at temperature $1/\sqrt 2$, and calmer.
# - The arc keeps the temperature, exaggerates what both ends share, and is undefined for opposites.
# - Level 4 carries the person; glasses fade and heads do not turn.

# %% [markdown]
# **A harder question.** Let both ends share a part: $a = s + u$ and $b = s + v$, with $s$, $u$ and $v$ at right angles
# and $s$ short. How long is the shared part half-way, on the line and on the arc? So what would you expect of two
# people who both wear glasses? Try it: `drawn(64, glasses=0.7)`, and the direction of notebook 12,
# `checkpoint.load_directions("faces64")["glasses"]`.

# %% [markdown]
# <details><summary>One answer</summary>
#
# Each weight is $1/2$ on the line, so $s$ stays $s$. On the arc each is $1 / (2 \cos(\omega / 2))$, and $s$ grows by
# $1 / \cos(\omega / 2)$: by $\sqrt 2$ at nearly a right angle. So glasses should grow heavier: 1.4 times as far
# along their direction, and measured it is so. Faces at random are safe, as what all of them share is the mean of the
# latents, and training has made that nearly 0.
#
# </details>
#
# **Next.** 12, Attributes: a direction for each thing a face can have, found from a few labels.
#
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 6 and figure 5, where real faces are joined by straight
# lines; White (2016), *Sampling Generative Networks*, where spherical interpolation is proposed for latents.
