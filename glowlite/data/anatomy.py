"""The anatomy of a drawn face: its proportions, its colours, and the places of its parts on the picture.

Coordinates: x to the right, y down, half a picture is one unit, the head's centre at (0, 0).
Shapes: n["smile"] and all numbers made from it are (B, 1, 1), colours (B, 3, 1, 1), fields (B, H, W).
"""

import torch
from torch import Tensor

from glowlite.data.sdf import colour_of, norm, ramp, rounded_box, wave

SKIN = [(0.99, 0.87, 0.79), (0.97, 0.73, 0.57), (0.80, 0.53, 0.37), (0.42, 0.26, 0.18)]
HAIR = [(0.10, 0.08, 0.09), (0.30, 0.13, 0.09), (0.74, 0.40, 0.14), (0.99, 0.85, 0.60)]
IRIS = [(0.30, 0.17, 0.09), (0.42, 0.36, 0.14), (0.22, 0.52, 0.50), (0.25, 0.50, 0.80)]
FRAME = [(0.24, 0.11, 0.07), (0.07, 0.07, 0.08), (0.08, 0.13, 0.26)]


class Face:
    """The measures and colours of a batch of faces that several parts of the drawing use."""

    def __init__(self, n: dict[str, Tensor]):
        self.n = n
        self.turn = n["head_turn"]
        self.sin = 0.40 * self.turn  # of the angle of the head
        self.cos = (1 - self.sin * self.sin).sqrt()
        self.width = 0.425 + 0.060 * n["face_width"]
        self.height = 0.545 + 0.025 * n["height"]
        self.taper = 0.20 - 0.07 * n["jaw"]
        self.light = 0.9 * n["light"]
        self.length = 0.5 + 0.5 * n["hair_length"]
        self.beard = 0.5 + 0.5 * n["beard"]
        self.glasses = 0.5 + 0.5 * n["glasses"]
        self.age = 0.5 + 0.5 * n["age"]
        self.volume = 0.10 + 0.04 * n["volume"]
        self.side = self.volume * (0.30 + 0.70 * self.length * (2 - self.length))  # short hair lies flat at the sides
        warm = 1 + 0.025 * n["undertone"].unsqueeze(1) * colour_of(self.turn, 0.5, -0.2, -1.5)
        self.skin = ramp(0.5 + 0.5 * n["skin_tone"], SKIN) * warm
        self.skin_dark = self.skin * colour_of(self.turn, 0.66, 0.53, 0.52)
        self.skin_light = self.skin * 0.93 + colour_of(self.turn, 0.085, 0.075, 0.055)
        self.line = self.skin * colour_of(self.turn, 0.58, 0.47, 0.45)
        self.hair = ramp(0.5 + 0.5 * n["hair_colour"], HAIR)
        grey = self.hair * 0.25 + 0.50
        self.brow = torch.lerp(self.hair * 0.62 + 0.02, grey * 0.85, 0.45 * self.age.unsqueeze(1))
        self.grey = grey

    def spot(self, ratio: Tensor | float) -> tuple[Tensor, Tensor]:
        """The x of a feature and how narrow it looks, from its place on a face that looks at us.

        `ratio` is that place in half widths of the face, -1 its left edge and +1 its right.
        """
        side = ratio * self.cos + (1 - ratio * ratio) ** 0.5 * self.sin
        narrow = self.cos - ratio / (1 - ratio * ratio) ** 0.5 * self.sin
        return self.width * side * 0.93 + 0.04 * self.turn, narrow

    def outline(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Signed distance to the face, and where a pixel lies in it: across and along, -1..1."""
        v = y / self.height
        low = v.clamp(min=0)
        u = (x - 0.05 * self.turn * (1 + v)) / (self.width * (1 - self.taper * low * low))
        return (norm(u, v) - 1).mul_(self.width), u, v

    def hair_shape(self, x: Tensor, y: Tensor) -> Tensor:
        """Signed distance to all of the hair as if nothing were before it."""
        n = self.n
        sway = (wave(2.1 * y + n["strand"]) - 0.5) * (0.028 * (1 + n["curl"]) * (0.3 + 0.7 * self.length))
        x = x + 0.03 * self.turn
        v = (y + 0.05) / (self.height + 0.85 * self.volume)
        cap = norm(x / ((self.width + self.side) * (1 - 0.15 * v)), v) - 1
        end = -0.06 + 1.16 * self.length
        cap = torch.maximum(cap.mul_(self.width + self.side), y - end.clamp(min=0.0))
        middle = (end - 0.16) / 2
        half = self.width + 0.8 * self.side + 0.05 * self.length
        fall = rounded_box(x.abs() + sway, y - middle + 0.3 * x * x, half, end - middle, 0.13)
        return torch.minimum(cap, fall)

    def window(self, x: Tensor, y: Tensor) -> Tensor:
        """Signed distance to where the hair leaves the face and the neck free."""
        n = self.n
        u = (x - 0.23 * n["part"] * (-2.5 * y).clamp_(0, 1) - 0.20 * self.sin).abs_() / (0.95 * self.width)
        u = u.add_((wave(1.5 * y + n["strand"] + 0.3) - 0.35).mul_(y.clamp(0, 0.5)).mul_(0.26 + 0.22 * n["curl"]))
        top = 0.350 + 0.075 * n["fringe"]
        return norm(u, y.clamp(max=0) / top).sub_(1).mul_(top)

    def strands(self, x: Tensor, y: Tensor) -> Tensor:
        """A fan of strands that flows down from above the parting, 0..1."""
        fan = (x - 0.22 * self.n["part"]) / (y.clamp(max=0.3) + 1.25)
        return wave(fan * 3.6 + 0.12 * (1 + self.n["curl"]) * wave(1.6 * y + self.n["strand"]) + self.n["strand"])
