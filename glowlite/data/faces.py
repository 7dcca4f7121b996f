"""Drawn faces whose attributes are known: any number, at any size, the same for the same seed.

Every face is a list of numbers in [-1, 1]: ATTRIBUTES, which come with the drawing as labels, and VARIATION,
which is not told, so that a model must learn by itself what else differs. `render` is a function of these
numbers alone.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from glowlite.data.portrait import paint
from glowlite.errors import GlowliteError

ATTRIBUTES: dict[str, str] = {
    "smile": "-1 corners of the mouth down, +1 a broad smile that shows teeth and lifts the cheeks",
    "hair_colour": "-1 nearly black, over brown and copper, to +1 light blond",
    "hair_length": "-1 short, above the ears, to +1 past the shoulders",
    "beard": "-1 none, over stubble, to +1 full",
    "glasses": "-1 none, +1 thick dark frames",
    "skin_tone": "-1 light, +1 dark",
    "head_turn": "-1 to the left of the picture, 0 facing us, +1 to the right",
    "age": "-1 young, +1 grey streaks in the hair, lines on the forehead, beside eyes and mouth",
    "eye_openness": "-1 nearly closed, +1 wide open",
    "face_width": "-1 slim, +1 round",
}
VARIATION: dict[str, str] = {
    "hue": "background: hue, once around the circle",
    "saturation": "background: pale to rich",
    "value": "background: darker to lighter",
    "gradient": "background: how far the hue drifts from top to bottom, either way",
    "disc": "background: size of the light disc behind the head",
    "light": "light from the left or from the right",
    "shift_x": "the whole figure, left or right",
    "shift_y": "the whole figure, up or down",
    "scale": "the whole figure, small or large",
    "roll": "head tilted left or right",
    "height": "face short or long",
    "jaw": "jaw pointed or square",
    "undertone": "skin cool or warm",
    "eye_hue": "iris brown, green, blue",
    "eye_size": "eyes small or large",
    "eye_space": "eyes close or far apart",
    "eye_tilt": "outer corners down or up",
    "gaze": "looking left or right",
    "brow_height": "brows low or high",
    "brow_arch": "brows straight or arched",
    "brow_weight": "brows fine or strong",
    "nose_width": "nose narrow or broad",
    "nose_length": "nose short or long",
    "mouth_width": "mouth narrow or wide",
    "lip_full": "lips thin or full",
    "lip_colour": "lips like the skin or rose-red",
    "part": "parting left or right",
    "fringe": "forehead covered or free",
    "volume": "hair flat or voluminous",
    "curl": "hair straight or wavy",
    "strand": "where the strands of the hair lie",
    "cloth_hue": "clothes: hue, once around the circle",
    "cloth_value": "clothes: dark or light",
    "neckline": "neckline round or pointed",
    "neck_depth": "neckline high or low",
    "shoulder": "shoulders narrow or broad",
    "frame_hue": "frames black, brown or blue",
    "grain": "key of the picture's grain",
}
PARAMETERS = (*ATTRIBUTES, *VARIATION)  # the columns of a table of numbers
ABSENT = {"beard": 0.65, "glasses": 0.7}  # the share of people who have none: their number is -1
GRAIN = 2.0  # standard deviation of the grain in grey levels
CHUNK = 16  # faces of 64 x 64 pixels drawn at once on a CPU, so that they stay in its cache
CHUNK_GPU = 2048


class Faces(NamedTuple):
    """images: uint8 (count, 3, size, size); attributes: name -> (count,) float32 in [-1, 1]."""

    images: Tensor
    attributes: dict[str, Tensor]


def numbers(count: int, seed: int = 0, attributes: Mapping[str, Tensor | float] | None = None) -> Tensor:
    """The numbers of `count` faces: float32 (count, len(PARAMETERS)) on the CPU, each uniform in [-1, 1].

    Most people have no beard and no glasses: there the share in ABSENT is -1, and the rest is uniform.
    `attributes` sets some by name (of ATTRIBUTES or VARIATION), to one number or to (count,). The first k
    rows are the same for every count >= k. Raises GlowliteError for a count below 1, an unknown name, a value
    outside [-1, 1].

    >>> numbers(3, attributes={"smile": 1})[:, PARAMETERS.index("smile")]
    tensor([1., 1., 1.])
    """
    if count <= 0:
        raise GlowliteError(f"Cannot draw {count} faces: ask for at least 1.")
    table = torch.rand(count, len(PARAMETERS), generator=torch.Generator().manual_seed(seed)) * 2 - 1
    for name, share in ABSENT.items():
        column = table[:, PARAMETERS.index(name)]  # its lowest part becomes -1, the rest is stretched to [-1, 1]
        column.copy_(((column + 1 - 2 * share) / (1 - share) - 1).clamp(min=-1))
    for name, value in (attributes or {}).items():
        if name not in PARAMETERS:
            raise GlowliteError(f"Faces have no attribute {name!r}: choose from {', '.join(ATTRIBUTES)}.")
        value = torch.as_tensor(value, dtype=torch.float32, device="cpu")
        if value.shape not in ((), (count,)):
            raise GlowliteError(f"Attribute {name!r} has shape {tuple(value.shape)}: give one number or {count}.")
        if not bool((value.abs() <= 1).all()):
            raise GlowliteError(f"Attribute {name!r} must lie between -1 and 1.")
        table[:, PARAMETERS.index(name)] = value
    return table


def _hash(h: Tensor) -> Tensor:
    """Mix int32 in place, so that each bit depends on all: C. Wellons' lowbias32, public domain.

    Signed shifts repeat the sign; the mask makes them unsigned.
    """
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B - 2**32)):
        h.bitwise_xor_((h >> shift).bitwise_and_(2 ** (32 - shift) - 1)).mul_(factor)
    return h.bitwise_xor_((h >> 16).bitwise_and_(0xFFFF))


def grain(keys: Tensor, size: int) -> Tensor:
    """Noise like a camera's for keys (B,) in [-1, 1]: (B, 3, size, size), of deviation GRAIN grey levels.

    A hash of key, pixel and channel gives four bytes; their sum is nearly Gaussian, its variance is
    4 (256^2 - 1) / 12. Without grain the pictures would be so smooth that their density is a needle.
    """
    place = _hash(torch.arange(3 * size * size, dtype=torch.int32, device=keys.device)).view(1, 3, size, size)
    h = _hash(place ^ _hash(((keys + 1) * 2**23).to(torch.int32)).view(-1, 1, 1, 1))
    pairs = (h & 0x00FF00FF) + (h.bitwise_right_shift_(8).bitwise_and_(0x00FF00FF))
    total = (pairs & 0xFFFF) + (pairs >> 16)
    return total.to(torch.float32).sub_(510).mul_(GRAIN / ((256**2 - 1) / 3) ** 0.5)


def render(table: Tensor, size: int = 64) -> Tensor:
    """Draw faces from their numbers (B, len(PARAMETERS)): float32 (B, 3, size, size) in 0..1, no grain.

    A pure function, computed on the table's device. ATTRIBUTES and VARIATION describe each column.

    >>> render(numbers(1), size=32).shape
    torch.Size([1, 3, 32, 32])
    """
    return paint({name: n.view(-1, 1, 1) for name, n in zip(PARAMETERS, table.unbind(1), strict=True)}, size)


def draw(
    count: int,
    size: int = 64,
    seed: int = 0,
    device: str | torch.device = "cpu",
    attributes: Mapping[str, Tensor | float] | None = None,
    rows: slice = slice(None),
) -> Faces:
    """Draw `count` faces of `size` x `size` pixels, with grain, on `device`.

    The same seed gives the same faces, and `draw(k)` the first k of any longer draw. `attributes` fixes some,
    for example {"smile": 0.5}, to one number or to (count,) in [-1, 1]; `rows` picks the ones that are
    drawn. Pixels stay within about 6..250. Raises GlowliteError for a count below 1, a size below 16, an unknown
    attribute, a value outside [-1, 1].

    >>> images, attributes = draw(2, size=32, seed=1, attributes={"glasses": 1})
    >>> images.shape, attributes["glasses"]
    (torch.Size([2, 3, 32, 32]), tensor([1., 1.]))
    """
    if size < 16:
        raise GlowliteError(f"Cannot draw faces of {size} pixels: the smallest size is 16.")
    table = numbers(count, seed, attributes)[rows]
    labels = {name: table[:, i].to(device, copy=True) for i, name in enumerate(ATTRIBUTES)}
    images = torch.empty(len(table), 3, size, size, dtype=torch.uint8, device=device)
    chunk = max(1, (CHUNK if images.device.type == "cpu" else CHUNK_GPU) * 64 * 64 // size**2)
    for part, image in zip(table.to(device).split(chunk), images.split(chunk), strict=True):
        picture = render(part, size).mul_(231).add_(12.5)  # 12..243; the half rounds
        image.copy_(picture.add_(grain(part[:, PARAMETERS.index("grain")], size)))
    return Faces(images, labels)
