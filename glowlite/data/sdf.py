"""Small parts of drawing with signed distance functions: soft edges, bumps, shapes, and a canvas to paint on.

A signed distance is negative inside a shape and positive outside, in units of half a picture. Everything
here uses only operations that IEEE arithmetic rounds exactly (+, -, *, /, sqrt, min, max), no exp and no sin:
those may differ in their last bit with a tensor's length, and a face must not depend on how many are drawn
beside it.
"""

import torch
from torch import Tensor


def cover(distance: Tensor, width: Tensor | float) -> Tensor:
    """Opacity of a shape: 1 where `distance` < -width / 2, 0 where it is > width / 2, smoothstep between."""
    c = (0.5 - distance / width).clamp_(0, 1)
    return (3 - 2 * c).mul_(c).mul_(c)


def bump(square: Tensor) -> Tensor:
    """A bell (1 - square)^2 of height 1 that ends where `square`, which is (r / radius)^2, reaches 1."""
    b = (1 - square).clamp_(min=0)
    return b.mul_(b)


def wave(t: Tensor) -> Tensor:
    """A smooth wave from 0 (whole t) to 1 (half-way) and back, of period 1."""
    a = (t - torch.floor(t)).mul_(2).sub_(1).abs_()  # 1 at whole t, 0 half-way
    return (2 * a).sub_(3).mul_(a).mul_(a).add_(1)


def norm(u: Tensor, v: Tensor) -> Tensor:
    """Length of (u, v)."""
    return (u * u).add_(v * v).sqrt_()


def rounded_box(x: Tensor, y: Tensor, half_x: Tensor, half_y: Tensor, radius: Tensor | float) -> Tensor:
    """Signed distance to a box with half sides `half_x`, `half_y` and corners rounded by `radius`."""
    dx, dy = x.abs() - (half_x - radius), y.abs() - (half_y - radius)
    inside = torch.maximum(dx, dy).clamp_(max=0)
    return norm(dx.clamp_(min=0), dy.clamp_(min=0)).add_(inside).sub_(radius)


def ramp(t: Tensor, colours: list[tuple[float, float, float]]) -> Tensor:
    """Colour (B, 3, 1, 1) at t (B, 1, 1) in 0..1 on the Bezier curve of RGB control points: no kinks."""
    points = [torch.tensor(c, dtype=t.dtype, device=t.device).view(1, 3, 1, 1) for c in colours]
    t = t.unsqueeze(1)
    while len(points) > 1:  # de Casteljau
        points = [a + (b - a) * t for a, b in zip(points, points[1:], strict=False)]
    return points[0]


def rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Colour (B, 3, 1, 1) of hue (one turn = 1), saturation and value, each (B, 1, 1)."""
    h = (hue - torch.floor(hue)) * 6
    turned = torch.stack([(h - 3).abs() - 1, 2 - (h - 2).abs(), 2 - (h - 4).abs()], dim=1).clamp(0, 1)
    return value.unsqueeze(1) * (1 - saturation.unsqueeze(1) * (1 - turned))


def colour_of(like: Tensor, *values: float) -> Tensor:
    return like.new_tensor(values).view(1, 3, 1, 1)


class Canvas:
    """Pictures (B, 3, H, W) to paint on, with x, y (B, H, W) of every pixel and the width `pixel` of edges.

    `skin` is the mask of the face, once that is painted.
    """

    def __init__(self, image: Tensor, x: Tensor, y: Tensor, pixel: Tensor, skin: Tensor | None = None):
        self.image, self.x, self.y, self.pixel, self.skin = image, x, y, pixel, skin

    def window(self, top: float, bottom: float, left: float = -1.0, right: float = 1.0) -> "Canvas":
        """The part between these screen coordinates (-1..1): painting there costs only its own pixels."""
        h, w = self.image.shape[-2:]
        rows = slice(max(0, int((top + 1) / 2 * h)), min(h, int((bottom + 1) / 2 * h) + 1))
        cols = slice(max(0, int((left + 1) / 2 * w)), min(w, int((right + 1) / 2 * w) + 1))
        x, y = self.x[:, rows, cols], self.y[:, rows, cols]
        skin = None if self.skin is None else self.skin[:, rows, cols]
        return Canvas(self.image[..., rows, cols], x, y, self.pixel, skin)

    def paint(self, mask: Tensor, colour: Tensor) -> None:
        """Lay a colour (B, 3, 1, 1) over the picture with opacity `mask` (B, H, W)."""
        self.image.lerp_(colour, mask.unsqueeze(1))

    def shade(self, mask: Tensor, dark: Tensor, light: Tensor, field: Tensor) -> None:
        """The same with a colour that runs from `dark` to `light` with `field` (B, H, W) in 0..1."""
        self.image.lerp_(torch.lerp(dark, light, field.unsqueeze(1)), mask.unsqueeze(1))
