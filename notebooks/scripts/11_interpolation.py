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
# Take two faces and go from one to the other. Mixed pixels show a double exposure; mixed latents mostly show one
# person. But there is more than one way through the latents. Which one is better, and by which measure?
#
# **After this notebook you can** go from face to face on a straight line or on an arc, say what each does to
# temperature, likelihood and picture, choose which levels move, and name cases in which all ways fail.

# %% [markdown]
# **Needs.** Temperature (10) and many scales (06). No GPU, no training.
#
# **Minutes.** About 60 to read and 45 for the exercises; all cells run in under 30 seconds on one core.
#
# **Symbols.** (Words are explained in the [glossary](../docs/glossary.md).)
#
# | symbol | what it is | in the code |
# |---|---|---|
# | $a, b$ | the white latents $\varepsilon$ of the first and of the second face | `Glow.encode` |
# | $t$ | how far we have gone, 0 at $a$ and 1 at $b$ | `latents.lerp` |
# | $\omega$ | the angle between $a$ and $b$ | `latents.slerp` |
# | $\lvert\varepsilon\rvert / \sqrt D$ | effective temperature | `latents.effective_temperature` |
# | $D$ | how many numbers a picture has | `Glow.dims` |

# %% [markdown]
# ## 1 · Two ways to mix faces
#
# Here are two drawn faces. Between them stand two mixtures: one of their pixels, and one of their latents, decoded.
# Drag the slider. Which of the mixtures could be a person?

# %%
import torch

import glowlite
from glowlite import latents
from glowlite.data import faces

torch.set_grad_enabled(False)  # nothing is trained in this notebook
model = glowlite.load("faces64")
people = faces.draw(64, seed=5).images
firsts, seconds = people[:32], people[32:]  # 32 pairs
eps_firsts, eps_seconds = model.encode(firsts), model.encode(seconds)


# %%
def one(eps, i):
    return [level[i : i + 1] for level in eps]  # the latents of one picture


first, second = firsts[10:11], seconds[10:11]
a, b = one(eps_firsts, 10), one(eps_seconds, 10)

# %%
from glowlab.figures.live import Button, CheckBox, Choice, Live, Slider
from glowlab.figures.rows import side_by_side


def blend(x, y, t):
    return torch.lerp(x.float(), y.float(), t).round().to(torch.uint8)


def walk(t):
    line = [(1 - t) * x + t * y for x, y in zip(a, b, strict=True)]
    shown = {"first": first, "pixels": blend(first, second, t), "latents": model.decode(line), "second": second}
    alt = f"Two faces. Between them, at t = {t:.2f}, mixed pixels, which show both, and one face by mixed latents."
    return side_by_side(shown, alt)


Live(walk, Slider("t", "How far", 0.0, 1.0, value=0.5, step=0.01, ends=("first", "second")))

# %% [markdown]
# The **pixel blend** is a double exposure, a *ghost*: both faces can be seen in it, one through the other. On the
# **straight line** between the latents stands one person, with hair of one colour, though the glasses fade.
#
# `latents.lerp` does the same, $(1 - t)\,a + t\,b$, level by level. And since nothing is lost between pixels and
# latents, it begins and ends exactly at the two pictures:

# %% tags=["nbval-check-output"]
for t, end in ((0.0, first), (1.0, second)):
    wrong = (model.decode(latents.lerp(a, b, t)) != end).sum().item()
    print(f"t = {t:.0f}: {wrong} of {end.numel():,} numbers are wrong")

# %%
from glowlab.figures.glow_map import glow_map

glow_map("z")

# %% [markdown]
# ## 2 · How likely is a ghost?
#
# No face of the training data looks like a double exposure. The model gives every picture a likelihood, in bits
# per dimension: the fewer, the likelier (notebook 07). How likely does it find ghosts?

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
print(f"faces {bits_faces.mean():.2f}, blends {bits_mixed.mean():.2f} bits per dimension")
apart = bits_mixed.mean() - bits_faces.mean()
guess.outcome(
    "no difference" if apart.abs() < bits_faces.std() else "the blends" if apart < 0 else "the faces",
    "The two means are nearer than one face is to another. A likely picture need not look good.",
)

# %% [markdown]
# Why? Look closely at a drawn face: it has grain, like a photograph, with a standard deviation of `faces.GRAIN`
# grey levels. Grain cannot be predicted, so it costs bits in every number:

# %% tags=["nbval-check-output"]
import math

variance = faces.GRAIN**2 + 1 / 12  # rounding to whole grey levels adds 1/12
entropy = 0.5 * math.log2(2 * math.pi * math.e * variance)  # of a normal variable, in bits
print(f"grain of {faces.GRAIN:g} grey levels alone costs {entropy:.2f} of {bits_faces.mean():.2f} bits")

# %% [markdown]
# In the mean of two pictures, two grains partly cancel: $1/\sqrt 2$ of the deviation is left. The blend is
# *smoother*, and smooth pictures cost fewer bits. That pays for what is strange in it. If this is the reason, then
# blends to which we add the missing grain must cost more than faces:

# %%
generator = torch.Generator().manual_seed(1)
missing = faces.GRAIN * 0.5**0.5  # variances add: half of it is there, half of it is missing
grainy = torch.lerp(firsts.float(), seconds.float(), 0.5) + missing * torch.randn(mixed.shape, generator=generator)
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
    alt="Dots of bits per dimension: blends lie where drawn faces lie, more widely spread; blurred faces lie far "
    "below, and blends whose grain was put back above.",
)

# %% tags=["nbval-check-output"]
highest = torch.maximum(bits_faces[:32], bits_faces[32:])
print(f"blends that cost more than both of their faces: {(bits_mixed > highest).sum()} of 32")
print(f"with their grain put back:                      {(bits_grainy > highest).sum()} of 32")

# %% [markdown]
# So the model does know that ghosts are not faces: with grain, every one of them costs more than both people it is
# made of. But most of the bits are spent on grain, and a picture with less grain costs less, whatever it shows. A
# blurred face costs even less. Remember this whenever somebody sorts pictures by likelihood.

# %% [markdown]
# ## 3 · At right angles
#
# Back to latents. What is between $a$ and $b$? In two dimensions, two random arrows can stand at any angle. The
# cosine of the angle is $a \cdot b$ divided by both lengths. In $D$ dimensions $a \cdot b$ is a sum of $D$ products, as
# often above 0 as below. It grows like $\sqrt D$, and the product of the lengths like $D$. Draw, and see:

# %% tags=["nbval-check-output"]
for dims in (2, 20, 200, 12288):
    x, y = torch.randn(2, 500, dims, generator=generator)
    size = torch.cosine_similarity(x, y, dim=1).square().mean().sqrt()  # root mean square
    print(f"D = {dims:6,}: the size of a cosine is {size:.3f}, and 1/sqrt(D) is {dims**-0.5:.3f}")
x, y = latents.flatten(eps_firsts), latents.flatten(eps_seconds)  # (32, D) each, all levels side by side
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
def temperature(eps):
    return (sum(level.square().sum((1, 2, 3)) for level in eps) / model.dims).sqrt()  # (B,)


# %% tags=["nbval-check-output"]
middles = latents.lerp(eps_firsts, eps_seconds, 0.5)
error = (temperature(middles) - latents.effective_temperature(middles)).abs().max()
assert error < 1e-6
print("same as glowlite:", bool(error < 1e-6))
print(f"ends {temperature(eps_firsts).mean():.2f}, middle {temperature(middles).mean():.2f}, means of 32")

# %% [markdown]
# Draws of the model lie on a thin shell, at temperature 1, and encoded faces slightly inside it. The straight line
# leaves the shell: half-way its distance is $1 / \sqrt 2 \approx 0.71$ of what it was. Here is the plane that holds
# $a$, $b$ and the origin. Move $t$. Then change $D$: with few dimensions the shell is thick, and any angle is possible
# (press *Other draws*).

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
# The orange curve is the other way: along the shell. It keeps the temperature if both ends have the same one, and
# changes steadily from one to the other if not. How do we compute it?

# %% [markdown]
# ## 4 · The arc
#
# Stay in the plane of $a$ and $b$, and turn by $t\omega$, at a constant speed. This is **spherical interpolation**,
# `slerp`:
#
# $$\frac{\sin((1 - t)\,\omega)}{\sin \omega}\; a + \frac{\sin(t\,\omega)}{\sin \omega}\; b
# \qquad \text{with} \qquad \cos \omega = \frac{a \cdot b}{\lvert a\rvert \lvert b\rvert}$$
#
# At $t = 0$ the weights are 1 and 0. Half-way, at a right angle, both are 0.71; on the line, both are 0.5. The weights
# depend on the angle alone. Drag it to both ends:

# %%
from glowlab.figures.interpolation import arc_weights

Live(arc_weights, Slider("degrees", "Angle between a and b", 0.0, 180.0, value=90.0, step=1.0))

# %% [markdown]
# ## Exercise 1 · Spherical interpolation
#
# Write it for latents as they come: `a` and `b` are lists with one tensor for each level, (B, C, H, W). There is one
# angle for each pair of pictures, over *all levels together*. Where $a$ and $b$ point the same way, both $\sin\omega$
# and the numbers above it are 0. Find something sensible for that case, too.


# %%
def slerp(a, b, t):
    return ...


# %% tags=["nbval-check-output"]
from glowlab.checks import interpolation as check

check.slerp(slerp)

# %% [markdown]
# `check.slerp.hint()` helps, more than once, and `check.slerp.solution()` shows an answer. From here on, figures use
# `way`: your function once it is right, until then the package's.

# %%
from glowlab.figures.interpolation import picture_strips

way = slerp if check.slerp(slerp) else latents.slerp
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
# notebook 10 that such pictures are smoother. On the arc it is as sharp as its ends.

# %%
guess = Prediction(
    "Half-way on the straight line: how likely is the picture, compared with the faces at its ends?",
    ["less likely", "about as likely", "likelier"],
)
guess

# %%
stops = torch.linspace(0, 1, 5).tolist()
x, y = firsts[:8], seconds[:8]  # eight pairs
xs, ys = [level[:8] for level in eps_firsts], [level[:8] for level in eps_seconds]  # and their latents
pictures = {
    "pixel blend": [blend(x, y, t) for t in stops],
    "straight line": [model.decode(latents.lerp(xs, ys, t)) for t in stops],
    "arc": [model.decode(way(xs, ys, t)) for t in stops],
}
bits = {name: torch.stack([*map(model.bits_per_dim, shown)]) for name, shown in pictures.items()}  # (5, 8)

# %%
curves_along_path(
    bits,
    alt="Bits per dimension along the way, for 8 pairs. On the arc and for pixel blends the mean stays where it is; on "
    "the straight line it falls a lot.",
)

# %% tags=["nbval-check-output"]
line, curve = bits["straight line"], bits["arc"]
print(f"half-way: {line[2].mean():.1f} on the line, {curve[2].mean():.1f} on the arc")
guess.outcome(
    "likelier" if line[2].mean() < line[0].mean() - 0.1 else "about as likely", "A low temperature costs few bits."
)

# %% [markdown]
# The straight line passes nearer to 0 than any face, and at 0 the density of latents is highest. So its middle is
# likelier than the people at its ends. This does not make it a better face. Let us measure something else:
# by how many grey levels does a pixel differ from its neighbour?


# %% tags=["nbval-check-output"]
def contrast(picture):
    return picture.float().diff(dim=-1).abs().mean().item()


for name, shown in pictures.items():
    ends = (contrast(shown[0]) + contrast(shown[4])) / 2
    print(f"{name:14} ends {ends:.1f}, half-way {contrast(shown[2]):.1f}")
print(f"temperature half-way on the arc: {temperature(way(xs, ys, 0.5)).mean():.2f}")

# %% [markdown]
# The line's middle lacks about a seventh of the contrast. The arc's middle has nearly the contrast of its ends, their
# likelihood, and their temperature. These numbers do not tell it from a face. Perhaps your eyes do. Look:

# %%
from glowlab.web.widgets import InterpolationExplorer

InterpolationExplorer()

# %% [markdown]
# Press *Surprise me* a few times. Can you find a pair where the straight line looks better than the arc? One
# where both fail? Which features fade, and which move? Upload two pictures of your own: this model has seen nothing
# but drawn faces, and the ends still come back exactly.

# %% [markdown]
# ## 5 · Only some levels move
#
# Latents come in levels (notebook 06), and not all of them have to move. Let one level go the whole way, while the
# other three stay with the first face:

# %% tags=["nbval-check-output"]
for l in range(1, 5):
    moved = [*xs[: l - 1], ys[l - 1], *xs[l:]]
    change = (model.decode(moved).float() - x.float()).abs().mean()
    print(f"level {l}: {xs[l - 1][0].numel():5,} numbers move, and the picture by {change:2.0f} grey levels")

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
# `check.some_levels.hint()` and `check.some_levels.solution()` are there. The next figure uses your function once it is
# right, until then a stand-in: levels that move go on straight lines.

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
# grain of somebody else. Now tick level 4 alone. It carries the person, colours and background; the finer levels hold
# details *given* level 4.

# %% [markdown]
# ## 6 · One angle, or one for each level?
#
# Does it matter that the angle is taken over the whole list? For two independent faces, the angle is about a right
# angle in every level:

# %% tags=["nbval-check-output"]
for l, (u, v) in enumerate(zip(xs, ys, strict=True), start=1):
    degrees = torch.rad2deg(torch.acos(torch.cosine_similarity(u.flatten(1), v.flatten(1)))).mean()
    print(f"level {l}: {degrees:.0f} degrees")
each = [way([u], [v], 0.5)[0] for u, v in zip(xs, ys, strict=True)]  # an arc for each level
apart = (model.decode(each).float() - pictures["arc"][2].float()).abs().mean()
print(f"half-way, the two kinds of arc differ by {apart:.1f} grey levels")

# %% [markdown]
# It hardly matters. It does matter where two faces *share* something. Take a second face that has the first one's
# level 4, and random numbers in all other levels. From one to the other, level 4 should not change at all.

# %%
from glowlab.figures.rows import row


def growth(eps):  # of level 4
    return (eps[3].norm() / a[3].norm()).item()


twin = latents.sample_eps(model.latent_shapes, 1, torch.Generator().manual_seed(0))
twin[3] = a[3]
whole = latents.slerp(a, twin, 0.5)  # one angle for all levels
each = [latents.slerp([x], [y], 0.5)[0] for x, y in zip(a, twin, strict=True)]
row(
    [picture[..., 6:54, 8:56] for picture in (first, model.decode(whole), model.decode(each))],
    ["first", f"one angle,\n{growth(whole):.2f}", f"one for each,\n{growth(each):.2f}"],
    alt="The first face; half-way to its twin with one angle, paler and harder; the same with an angle for "
    "each level, in the colours of the first.",
    height=192,
)

# %% [markdown]
# The numbers say how many times as long level 4 is half-way as at both ends. With one angle for all, both ends have a
# weight of more than a half. What both share is counted twice, so it grows. The straight line would keep it, as
# $\frac12 + \frac12 = 1$.
# **The arc keeps the length of the whole, and exaggerates what is shared.**

# %% [markdown]
# ## Exercise 3 · The angle of a growth
#
# A derivation. What both ends share has, half-way on the arc, the factor $2 \sin(\omega/2) / \sin \omega$. Simplify it
# on paper. Then solve for the angle: at which $\omega$, in radians, does the shared part grow by a given `factor`, a
# number above 1?


# %%
def angle_of_growth(factor):
    return ...


# %% tags=["nbval-check-output"]
check.angle_of_growth(angle_of_growth)

# %% [markdown]
# Once it is right, it tells from the growth of level 4 at which angle the two faces above stand:

# %% tags=["nbval-check-output"]
if check.angle_of_growth(angle_of_growth):
    degrees = math.degrees(angle_of_growth(growth(whole)))
    cosine = torch.cosine_similarity(latents.flatten(a), latents.flatten(twin))
    print(f"by your formula {degrees:.1f} degrees, measured {torch.rad2deg(torch.acos(cosine)).item():.1f}")

# %% [markdown]
# ### Where the formula fails
#
# Near 0 degrees both weights go to a half: the straight line. At 0 itself the formula says $0/0$, though it is clear
# where to go. So the package goes straight there. At 180 degrees the problem is real:

# %% tags=["nbval-check-output"]
w = torch.tensor(0.0)
print("weight at 0 degrees, by the formula:", (torch.sin(0.5 * w) / torch.sin(w)).item())
same = latents.slerp(a, a, 0.5)
print("slerp from a to a stays at a:", all(torch.allclose(x, y) for x, y in zip(same, a, strict=True)))
opposite = [-level for level in a]
print(f"half-way from a to -a: temperature {temperature(latents.slerp(a, opposite, 0.5)).item():.2f}")

# %% [markdown]
# Between opposite points of a sphere *every* direction leads to the other end, as all meridians lead from pole to pole.
# No formula can choose, so the package's goes straight, through the origin, and half-way is at temperature 0. But is
# there an opposite of a face?

# %% [markdown]
# ## 7 · Ways that fail
#
# ### Somebody else is in the way
#
# There is: change all signs, and decode. The straight line has to pass the origin. On the sphere, one can go through
# any other person. Take anybody, $c$. How far is it to $c$, and from there to the end?

# %%
c = one(eps_seconds, 17)  # anybody
row(
    [model.decode(eps)[..., 6:58, 6:58] for eps in (a, latents.lerp(a, opposite, 0.5), c, opposite)],
    ["a", "half-way,\nstraight", "half-way,\nthrough c", "the\nopposite"],
    alt="The first face; the mean face, half-way on the straight line; the third person c, half-way on the sphere; the "
    "opposite of the first face, hardly a face.",
    height=208,
    exact=False,
)

# %% tags=["nbval-check-output"]
for name, end in {"a": a, "the opposite": opposite}.items():
    degrees = torch.rad2deg(torch.acos(torch.cosine_similarity(latents.flatten(c), latents.flatten(end))))
    print(f"from c to {name:12} {degrees.item():.0f} degrees")

# %% [markdown]
# The straight line passes `decode` of zeros, the mean face of notebook 10. *Every* straight line is nearest to it
# half-way; that is why its middle is smooth. On the sphere $c$ stands half-way, a third person who has nothing to do
# with either end. But any two faces stand at right angles, so *everybody* is half-way from $a$ to its opposite, and no
# choice is better than another.

# %% [markdown]
# ### Half a pair of glasses
#
# Draw the same 8 people twice, without glasses and with thick frames, and go half-way.


# %%
def drawn(count=8, **attributes):
    return faces.draw(count, seed=11, attributes={"beard": -1.0, "glasses": -1.0, **attributes}).images


none, full = drawn(), drawn(glasses=1.0)
eps_none, eps_full = model.encode(none), model.encode(full)
half = model.decode(latents.slerp(eps_none, eps_full, 0.5))
row(
    [p[1:2, :, 16:40, 12:52] for p in (none, half, drawn(glasses=0.0), full)],
    ["none", "half-way", "thin frames, drawn", "thick"],
    alt="Eyes without glasses; half-way on the arc, a faint trace of a frame; thin frames as they are drawn, a little "
    "darker; thick frames.",
    height=150,
)

# %% tags=["nbval-check-output"]
step = full.float() - none.float()


def paint(picture):  # how much of the frame is there: 0 none, 1 all of it
    return (((picture.float() - none.float()) * step).sum() / step.square().sum()).item()


print(f"half-way on the arc {paint(half):.1f}, thin frames as they are drawn {paint(drawn(glasses=0.0)):.1f}")

# %% [markdown]
# The drawing program has thin frames, but they do not stand half-way. There one sees only a faint trace of the thick
# frame. With photographs it is worse, since nobody ever wore half a pair of glasses, and the model
# has to show something. Look for it in the explorer, where one of two wears glasses.

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
# It should look at us. Instead the features of one side fade out, and those of the other fade in. Half-way both are
# faint, most of all the mouth. Eyes must *move* here, over many pixels, and this model has not learned that a head
# turns as a whole. Would a larger one, trained for longer? With a large GPU you can try: this trains one with 48 steps
# in each level.
#
# ```sh
# glowlite train --preset imagenet64 --data faces --batch 16 --out runs/large
# ```

# %% [markdown]
# ## 8 · Real people
#
# All people above are drawn. `portraits64` is the same Glow, and it learned from photographs of people, cropped to
# their faces. It has never seen a painting. Let it go from the Mona Lisa to the astronaut Kalpana Chawla:

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
ends = [torch.equal(real.decode(eps), picture) for eps, picture in ((u, lisa), (v, kalpana))]
print("both ends exact:", all(ends))
degrees = torch.rad2deg(torch.acos(torch.cosine_similarity(latents.flatten(u), latents.flatten(v)))).item()
print(f"they stand at {degrees:.0f} degrees")

# %% [markdown]
# A painting is not a photograph, and it still comes back, pixel for pixel. Half-way on the arc stands somebody who
# never existed. `InterpolationExplorer("portraits64")` has all thirteen.
#
# `portraits64` learned from FairFace (Karkkainen & Joo 2021), CC BY 4.0; the photograph of Kalpana Chawla is by NASA.

# %% [markdown]
# ## Summary
#
# - Mixed pixels are a double exposure; mixed latents are mostly somebody, and both ends are exact.
# - Ghosts are as likely as faces, and the middles of lines *likelier*: smooth pictures cost few bits.
# - Draws stand at right angles, so the middle of the line is at temperature $1/\sqrt 2$, and smoother.
# - The arc keeps the temperature, exaggerates what both ends share, and is undefined for opposites.
# - Level 4 carries the person; glasses fade and heads do not turn.

# %% [markdown]
# **A harder question.** Two people who both wear glasses share a little: $a = s + u$ and $b = s + v$, with $s$, $u$ and
# $v$ at right angles and $s$ short. What do you expect of the glasses half-way, on the line and on the arc? Try it:
# `drawn(64, glasses=0.7)`, and the direction of notebook 12, `checkpoint.load_directions("faces64")["glasses"]`.

# %% [markdown]
# <details><summary>One answer</summary>
#
# On the line each weight is $1/2$, so $s$ stays $s$. On the arc, at nearly a right angle, each is $1 / \sqrt 2$, so $s$
# becomes $\sqrt 2$ times as long. So glasses should grow heavier: 1.4 times as far along their direction, and measured
# it is so. With independent faces this does not happen, since what all of them share is the mean of the latents,
# which training has made nearly 0.
#
# </details>
#
# **Next.** 12, Attributes: a direction for each thing a face can have, found from a few labels.
#
# **In the paper.** Kingma and Dhariwal (2018), *Glow*, section 6 and figure 5, where real faces are joined by straight
# lines; White (2016), *Sampling Generative Networks*, where spherical interpolation is proposed for latents.
