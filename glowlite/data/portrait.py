"""Paint a face from back to front, with shapes given by signed distance functions.

Coordinates and shapes as in anatomy.py; a mask is the opacity, 0 to 1, of what is painted.
"""

import torch
from torch import Tensor

from glowlite.data.anatomy import FRAME, IRIS, Face
from glowlite.data.sdf import Canvas, bump, colour_of, cover, norm, ramp, rgb, rounded_box, wave


def _background(c: Canvas, f: Face, sx: Tensor, sy: Tensor) -> None:
    n = f.n
    hue, saturation, value = n["hue"] / 2, 0.33 + 0.15 * n["saturation"], 0.81 + 0.11 * n["value"]
    top = rgb(hue + 0.06 * n["gradient"], saturation * 0.8, value * 1.06)
    bottom = rgb(hue - 0.06 * n["gradient"], saturation * 1.15, value * 0.80)
    cream = colour_of(sx, 0.97, 0.88, 0.76)
    top, bottom = torch.lerp(top, cream, 0.25), torch.lerp(bottom, cream * 0.9, 0.15)
    c.image.copy_(torch.lerp(top, bottom, (0.5 + 0.5 * sy - 0.16 * f.light * sx).clamp_(0, 1).unsqueeze(1)))
    disc = cover(norm(*torch.broadcast_tensors(sx - 0.02 * f.light, sy + 0.06)) - (0.80 + 0.10 * n["disc"]), c.pixel)
    c.paint(disc.mul_(0.42), rgb(hue + 0.02, saturation * 0.45, torch.full_like(value, 0.95)))


def _body(c: Canvas, f: Face) -> None:
    n, x, y = f.n, c.x, c.y
    half = 0.17 + 0.10 * f.width
    flare = (y - 0.58).clamp(min=0)
    neck = cover(x.abs() - half - 1.4 * flare * flare, c.pixel)
    neck = neck.mul_(y > 0.1)
    chin = ((y - f.height + 0.30 * x * x) * 3.6).clamp_(0, 1)  # in the chin's shadow 0, out of it 1
    c.shade(neck, f.skin_dark * 0.92, f.skin, chin * (0.78 + 0.5 * f.light * x))
    broad = 0.86 + 0.10 * n["shoulder"]
    torso = norm(x / broad, (y - 1.34) / 0.66).sub_(1).mul_(0.66)
    u, v = x.abs() / (half + 0.07), (y - 0.62).clamp(min=0) / (0.22 + 0.09 * n["neck_depth"])
    point = 0.5 + 0.5 * n["neckline"]
    opening = (torch.lerp(norm(u, v), u + v, point) - 1).mul_(0.2)
    cloth = cover(torch.maximum(torso, -opening), c.pixel)
    value = 0.60 + 0.26 * n["cloth_value"]
    colour = rgb(n["cloth_hue"] / 2, 0.50 - 0.12 * n["cloth_value"], value)
    lit = (0.55 + 0.45 * f.light * x - 0.5 * (y - 0.95)).clamp_(0, 1)
    c.shade(cloth, colour * colour_of(x, 0.62, 0.60, 0.68), colour * 0.95 + 0.045, lit)
    collar = cover((opening - 0.022).abs_() - 0.022, c.pixel).mul_(cloth)
    c.paint(collar.mul_(0.55), colour * 0.62)


def _head(c: Canvas, f: Face, window: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    n, x, y = f.n, c.x, c.y
    for side in (-1, 1):  # the far ear goes behind the head, the near one comes forward
        centre = side * f.width * (0.99 - 0.05 * side * f.turn) - 0.02 * f.turn
        ear = norm((x - centre) / 0.075, (y - 0.03) / 0.12)
        lit = (0.2 + 0.6 * ear).clamp_(0, 1)
        c.shade(cover((ear - 1).mul_(0.085), c.pixel), f.skin_dark, f.skin, lit)
    distance, u, v = f.outline(x, y)
    lit = (0.92 + 0.36 * f.light * u).sub_(0.42 * (u * u + v * v)).sub_(0.10 * v)
    lit = lit.sub_((1 + window / 0.12).clamp_(0, 1).mul_(0.24)).clamp_(0, 1)  # the hair's shadow
    skin = cover(distance, c.pixel)
    c.shade(skin, f.skin_dark, f.skin_light, lit)
    blush = f.skin * colour_of(x, 1.03, 0.74, 0.72)
    for side in (-1, 1):
        at, narrow = f.spot(0.56 * side)
        cheek = bump(((x - at) / (0.17 * narrow)) ** 2 + ((y - 0.15 + 0.03 * n["smile"]) / 0.15) ** 2)
        c.paint(cheek.mul_(0.42 + 0.16 * n["smile"]).mul_(skin), blush)
    return skin, distance, u, v


def _lines(c: Canvas, f: Face) -> None:
    """Lines of age: forehead, beside the eyes, under the eyes, from the nose to the mouth."""
    x, y, at, strength = c.x, c.y, f.spot(0.0)[0], f.age * (0.35 + 0.4 * f.age)
    across = bump(((x - at) / 0.27) ** 2)
    for k, line in enumerate((-0.235, -0.30)):
        c.paint(
            bump(((y - line + 0.25 * (x - at) ** 2) / 0.021) ** 2)
            .mul_(across)
            .mul_(strength * (1 - 0.2 * k))
            .mul_(c.skin),
            f.line,
        )
    for side in (-1, 1):
        fx, narrow = f.spot(0.36 * side)
        u = side * (x - fx) / narrow.clamp(min=0.3)
        fold = bump(((u - 0.02 - 0.42 * (y - 0.15)) / 0.026) ** 2).mul_(bump(((y - 0.24) / 0.13) ** 2))
        bag = bump(((y - 0.085 - 0.9 * (u - 0.02) ** 2 + 0.03) / 0.022) ** 2).mul_(bump(((u - 0.02) / 0.12) ** 2))
        crow = bump(((u - 0.205) / 0.06) ** 2).mul_(wave((y + 0.03) * 17).mul_(bump(((y + 0.03) / 0.12) ** 2)))
        c.paint(
            torch.maximum(torch.maximum(fold * 1.1, bag * 0.8), crow).clamp_(max=1).mul_(strength).mul_(c.skin),
            f.line,
        )


def _nose(c: Canvas, f: Face) -> None:
    n, x, y = f.n, c.x, c.y
    base = 0.165 + 0.025 * n["nose_length"]
    wide = 0.082 + 0.016 * n["nose_width"]
    at = f.spot(0.0)[0] + 0.05 * f.turn  # it stands out of the face, so it moves further
    ridge = bump(((x - at + 0.055 * f.light - 0.03 * f.turn) / 0.06) ** 2 + ((y - 0.03) / 0.19) ** 2)
    c.paint(ridge.mul_(0.38), f.skin_dark)
    under = bump(((x - at) / (wide * 1.25)) ** 2 + ((y - base - 0.012) / 0.042) ** 2)
    c.paint(under.mul_(0.85), f.line)
    ball = bump(((x - at) / wide) ** 2 + ((y - base + 0.035) / 0.06) ** 2)
    c.paint(ball.mul_(0.6), f.skin_light)
    for side in (-1, 1):
        hole = bump(((x - at - side * wide * 0.5) / 0.032) ** 2 + ((y - base - 0.008) / 0.022) ** 2)
        c.paint(hole.mul_(0.8), f.line * 0.7)


def _eye(c: Canvas, f: Face, side: int) -> None:
    n, x, y = f.n, c.x, c.y
    ratio = 0.445 + 0.03 * n["eye_space"]
    at, narrow = f.spot(side * ratio)
    half = (0.325 + 0.03 * n["eye_size"]) * f.width * narrow.clamp(min=0.45)
    u = (x - at) / half
    v = y + 0.045 + side * 0.016 * n["eye_tilt"] * u
    arch = (1 - u * u).clamp_(min=-4)
    size = 0.5 + 0.5 * n["eye_openness"]
    upper, lower = 0.015 + 0.094 * size, 0.016 + 0.034 * size - 0.006 * n["smile"]
    socket = bump((u / 1.45) ** 2 + ((v + 0.035) / 0.13) ** 2)
    c.paint(socket.mul_(0.28).mul_(c.skin), f.skin_dark)
    gap = torch.maximum(-v - upper * arch, v - lower * arch)
    white = cover(gap, c.pixel)
    c.shade(white, colour_of(x, 0.66, 0.64, 0.66), colour_of(x, 0.95, 0.94, 0.92), ((v + upper) * 13).clamp_(0, 1))
    radius = norm((x - at - 0.018 * n["gaze"] - 0.02 * f.turn) / narrow.clamp(min=0.45) ** 0.5, v + 0.022)
    iris = cover(radius - 0.072, c.pixel).mul_(white)
    colour = ramp(0.5 + 0.5 * n["eye_hue"], IRIS)
    c.shade(iris, colour * 0.55, colour * 1.05, ((v + 0.06) * 9).clamp_(0, 1))
    c.paint(cover(radius - 0.033, c.pixel).mul_(white), colour_of(x, 0.06, 0.05, 0.06))
    glint = cover(norm(x - at - 0.03 * f.light, v + 0.045) - 0.02, c.pixel)
    c.paint(glint.mul_(white).mul_(0.95), colour_of(x, 0.95, 0.95, 0.94))
    inside = cover(u.abs() - 1.06, 0.25)
    lid = cover((v + upper * arch).abs_() - 0.013, c.pixel).mul_(inside)
    c.paint(lid.mul_(0.9), f.hair * 0.15 + f.skin * 0.08 + 0.03)
    crease = bump(((v + upper * arch + 0.034) / 0.02) ** 2).mul_(inside)
    c.paint(crease.mul_(0.45), f.line)


def _brow(c: Canvas, f: Face, side: int) -> None:
    n = f.n
    at, narrow = f.spot(side * (0.455 + 0.03 * n["eye_space"]))
    u = (c.x - at) * side / (0.38 * f.width * narrow.clamp(min=0.45))
    v = c.y + 0.195 + 0.02 * n["brow_height"] - 0.008 * u.clamp(-1, 1) - (0.022 + 0.018 * n["brow_arch"]) * u * u
    thick = (0.024 + 0.008 * n["brow_weight"]) * (1 - 0.35 * u - 0.5 * u * u)
    c.paint(cover(v.abs_() - thick, c.pixel + 0.012).mul_(0.88).mul_(c.skin), f.brow)


def _beard(c: Canvas, f: Face, distance: Tensor, u: Tensor, v: Tensor) -> None:
    x, y, b = c.x, c.y, f.beard
    low = v.clamp(0, 1)
    inside = cover(distance - 0.11 * b * low * low, c.pixel)
    side = u - 0.8 * f.sin * (1 - u * u).clamp(min=0)
    side = (side * side).clamp_(max=1)
    edge = 0.30 - 0.075 * b - 0.07 * b * side - 0.26 * b * side * side * side
    mask = cover(edge - y, 0.10).mul_(inside).mul_(b * (1.75 - 0.80 * b))
    texture = wave((x - 0.3 * f.sin) / (1.5 - y) * 8 + f.n["strand"])
    field = (0.38 + 0.25 * f.light * u + 0.20 * texture - 0.3 * (v - 0.6)).clamp_(0, 1)
    grey = 0.65 * f.age.unsqueeze(1) ** 2
    c.shade(
        mask,
        torch.lerp(f.hair * 0.32 + 0.02, f.grey * 0.6, grey),
        torch.lerp(f.hair * 0.68 + 0.02, f.grey * 0.95, grey),
        field,
    )


def _mouth(c: Canvas, f: Face) -> None:
    n, smile = f.n, f.n["smile"]
    at, narrow = f.spot(0.0)
    half = (0.165 + 0.015 * n["mouth_width"] + 0.030 * smile) * narrow
    u = (c.x - at - 0.02 * f.turn) / half
    u2 = u * u
    arch = (1 - u2).clamp_(min=-4)
    v = c.y - 0.325 + (0.072 * smile + 0.024) * (u2 - 0.45)
    gape = 0.030 * ((1 + 9 * (smile + 0.25) ** 2).sqrt() + 3 * (smile + 0.25)) * 0.33  # opens with the smile, smoothly
    full = 0.036 + 0.008 * n["lip_full"]
    shadow = bump(((v - full - gape - 0.045) / 0.045) ** 2 + (u / 0.8) ** 2)
    c.paint(shadow.mul_(0.30), f.skin_dark)
    rose = colour_of(u, 0.80, 0.30, 0.32) * (0.45 + 0.62 * f.skin)
    colour = torch.lerp(f.skin * colour_of(u, 0.88, 0.66, 0.64), rose, 0.55 + 0.35 * n["lip_colour"].unsqueeze(1))
    lips = cover(torch.maximum(-v - (gape + 0.8 * full) * arch, v - (gape + full) * arch), c.pixel)
    lit = (0.45 + 9 * (v - gape * arch)).clamp_(0.15, 1)
    c.shade(lips, colour * 0.72, colour * 1.06, lit)
    inner = cover(v.abs() - gape * arch, c.pixel).mul_(cover(u.abs() - 0.97, 0.12)).mul_((gape * 50).clamp(0, 1))
    dark = colour * 0.30 + 0.02
    c.paint(inner, dark)
    teeth = cover(torch.maximum((v + 0.25 * gape * arch).abs_() - 0.62 * gape * arch, u.abs() - 0.86), c.pixel)
    c.paint(teeth.mul_(0.95).mul_(((gape - 0.012) * 60).clamp(0, 1)), colour_of(u, 0.95, 0.93, 0.90))
    line = cover(v.abs_() - 0.008, c.pixel).mul_(cover(u.abs() - 1.08, 0.2))
    c.paint(line.mul_((1 - gape * 22).clamp(0, 1)), colour * 0.45)


def _hair(c: Canvas, f: Face, mask: Tensor, strand: Tensor, back: bool) -> None:
    x, y = c.x, c.y
    nx, ny = x / (f.width + f.volume), (y + 0.05) / (f.height + f.volume)
    lit = (0.42 + 0.28 * f.light * nx).add_(0.15 * strand).sub_(0.16 * nx * nx)
    if back:
        lit = lit.mul_(0.45)
    else:
        shine = bump(((ny + 0.74 - 0.42 * (nx - 0.3 * f.light) ** 2) / 0.20) ** 2)
        lit = lit.add_(shine.mul_(0.36).mul_(0.5 + 0.5 * strand))
    lit = lit.clamp_(0, 1)
    light = (f.hair + colour_of(x, 0.13, 0.10, 0.08)).clamp(max=0.97)
    c.shade(mask, f.hair * colour_of(x, 0.60, 0.50, 0.48), light, lit)
    grey = wave((x - 0.22 * f.n["part"]) / (y.clamp(max=0.3) + 1.25) * 4.4 + f.n["strand"] + 0.35)
    grey = grey.mul_(0.62).add_(0.22).mul_(mask).mul_(f.age * (0.35 + 0.55 * f.age))
    c.shade(grey, f.grey * (0.40 if back else 0.70), f.grey * 1.1 + 0.08, lit)


def _glasses(c: Canvas, f: Face) -> None:
    x, y, g = c.x, c.y + 0.035, f.glasses
    colour = ramp(0.5 + 0.5 * f.n["frame_hue"], FRAME)
    thick = 0.006 + 0.018 * g
    half = 0.378 * f.width
    lenses = []
    for side in (-1, 1):
        at, narrow = f.spot(side * (0.455 + 0.03 * f.n["eye_space"]))
        lenses.append(rounded_box((x - at) / narrow.clamp(min=0.45), y, half, half * 0.84, half * 0.6))
    lens = torch.minimum(*lenses)
    c.paint(cover(lens, c.pixel).mul_(0.14 * g), colour_of(x, 0.93, 0.95, 0.95))
    bar = torch.maximum((x - 0.05 * f.turn).abs() - f.width, (y + 0.03).abs() - thick)  # bridge and temples
    frame = torch.minimum(lens.abs() - thick, torch.maximum(bar, -lens))
    c.paint(cover(frame, c.pixel).mul_(g * (2 - g) * 0.96), colour)


def paint(n: dict[str, Tensor], size: int) -> Tensor:
    """Paint faces from numbers n (name -> (B, 1, 1) in [-1, 1]): float32 (B, 3, size, size) in 0..1."""
    device = n["smile"].device
    f = Face(n)
    line = (torch.arange(size, device=device, dtype=torch.float32) * 2 + 1) / size - 1
    sx, sy = line.view(1, 1, -1), line.view(1, -1, 1)
    zoom, tilt = 1.0 + 0.05 * n["scale"], 0.06 * n["roll"]
    dx, dy = (sx - 0.035 * n["shift_x"]) * zoom, (sy + 0.035 - 0.03 * n["shift_y"]) * zoom
    c = Canvas(
        torch.empty(len(f.turn), 3, size, size, device=device),
        dx - tilt * dy,
        dy + tilt * dx,
        zoom * 3.2 / size,
    )
    _background(c, f, sx, sy)
    hair, window, strand = f.hair_shape(c.x, c.y), f.window(c.x, c.y), f.strands(c.x, c.y)
    _hair(c, f, cover(hair, c.pixel), strand, back=True)
    _body(c.window(0.0, 1), f)
    skin, distance, u, v = _head(c, f, window)
    c.skin = skin
    _lines(c.window(-0.50, 0.55, -0.65, 0.65), f)
    _nose(c.window(-0.30, 0.35, -0.45, 0.45), f)
    for side in (-1, 1):
        _eye(c.window(-0.35, 0.20, -0.65, 0.65), f, side)
        _brow(c.window(-0.42, 0.0, -0.65, 0.65), f, side)
    _beard(c, f, distance, u, v)
    _mouth(c.window(0.05, 0.60, -0.55, 0.55), f)
    _hair(c, f, cover(torch.maximum(hair, -window), c.pixel), strand, back=False)
    _glasses(c.window(-0.40, 0.30, -0.70, 0.70), f)
    return c.image.clamp_(0, 1)
