"""Checks of notebook 03: the invertible 1x1 convolution, its log-det, and the way back through a hidden matrix."""

import math

import torch
from torch import Tensor

from glowlab.checks.answers import miscounted
from glowlab.checks.base import Mistake, check, name_mistake, run, same
from glowlite.flows.mixing import InvertibleConv1x1, Mixing, convolve1x1, random_rotation


def random_batch(generator: torch.Generator) -> Tensor:
    """(B, C, h, w): different primes, so that no axis and no product is taken for another by luck."""
    sizes = torch.tensor([2, 3, 5, 7])[torch.randperm(4, generator=generator)].tolist()
    return torch.randn(sizes, generator=generator)


def random_matrix(channels: int, sign: int, generator: torch.Generator) -> Tensor:
    """(C, C), far from singular and from a rotation, whose determinant has this sign and not size 1."""
    stretch = torch.rand(channels, generator=generator) * 0.6 + 0.2
    W = random_rotation(channels, generator) * stretch.exp() @ random_rotation(channels, generator)
    if torch.linalg.det(W).sign() != sign:
        W[0] = -W[0]
    return W


def call(attempt, x: Tensor, W: Tensor):
    """The result of the student's function; a Mistake if it changes its inputs."""
    given = x.clone(), W.clone()
    result = run(attempt, x, W)
    if not torch.equal(x, given[0]) or not torch.equal(W, given[1]):
        raise Mistake("it changes what it is given, in place: make new tensors, or the caller's change, too")
    return result


def picture(result, like: Tensor) -> Tensor:
    """The result as a batch of pictures of the right shape, in float64, or the Mistake that it is something else."""
    if isinstance(result, (tuple, list)):
        raise Mistake("it must give back one thing, a batch of pictures; the log-det has its own exercise")
    if not isinstance(result, Tensor):
        raise Mistake(f"it must give back a tensor, not a {type(result).__name__}")
    batch, channels, height, width = like.shape
    shape = tuple(result.shape)
    if shape == (batch, height, width, channels):
        raise Mistake(
            f"the channels come last in yours, {shape}: they must go back to the second place, {tuple(like.shape)}"
        )
    if shape[:2] == (batch, channels) and shape[2:] == (height + 2, width + 2):
        raise Mistake("the picture grew by a ring of pixels: a kernel of 1 x 1 needs no padding")
    if shape == (batch, channels, height * width):
        raise Mistake("the pixels are still in one row: give them their height and width back")
    if result.shape != like.shape:
        raise Mistake(f"the picture must keep its shape, {tuple(like.shape)}, not become {shape}")
    if not result.is_floating_point():
        raise Mistake(f"the numbers came as {like.dtype} and went as {result.dtype}: give back floats")
    return result.detach().double()


def diagnose_axes(result: Tensor, x: Tensor, M: Tensor) -> None:
    """Raise the Mistake of M applied with `reshape` where axes have to be moved."""
    batch, channels, height, width = x.shape
    x, M = x.double(), M.double()
    cut = x.reshape(batch, height, width, channels) @ M.T
    scrambled = cut.reshape(x.shape), (x.permute(0, 2, 3, 1) @ M.T).reshape(x.shape), cut.permute(0, 3, 1, 2)
    if any(same(result, wrong) for wrong in scrambled):
        raise Mistake("right shape, but the numbers changed places: reshape cuts anew, and only permute moves axes")


def diagnose(result: Tensor, expected: Tensor, wrong: dict[str, Tensor]) -> None:
    """Return if `result` is as expected; else raise the Mistake that explains it best."""
    if same(result, expected):
        return
    name_mistake(result, wrong)
    if not torch.isfinite(result).all():
        raise Mistake("some of its numbers are not finite")
    if same(result[:, :, 0, 0], expected[:, :, 0, 0]):
        raise Mistake("the first pixel is right, but not all are: every pixel goes through the same matrix")
    if same(result[0], expected[0]):
        raise Mistake("the first picture is right, but not the others: a batch holds more than one")
    off = (result - expected).abs().max().item()
    raise Mistake(f"the numbers are not those of the matrix product at every pixel: off by up to {off:.2g}")


# ---- the convolution ---------------------------------------------------------------------------------------


@check(
    "mix",
    hints=[
        "Think of one pixel. Its C numbers are a vector, and its new numbers are W times that vector.",
        "Channel i of z is the sum over j of W[i, j] times channel j of x, at all pixels at once.",
        'torch.einsum writes such a sum down as it is said; or F.conv2d, which wants W as (C, C, 1, 1).',
    ],
    solution=[convolve1x1],
)  # fmt: skip
def mix(attempt, generator):
    """attempt(x, W) -> z: x (B, C, h, w) and W (C, C); z = W x at every pixel, any B, C, h and w."""
    x = random_batch(generator)
    W = random_matrix(x.shape[1], 1, generator)
    z = picture(call(attempt, x, W), x)
    yield "it gives back pictures of the same shape"
    x, W = x.double(), W.double()
    diagnose_axes(z, x, W)
    wrong = {
        "W is transposed: channel i of z takes row i of W, and yours takes column i": convolve1x1(x, W.T),
        "that is the way back: forward multiplies by W, not by its inverse": convolve1x1(x, W.inverse()),
        "nothing was mixed: x comes back as it was": x,
        "only the diagonal of W was used, so no channel meets another": x * W.diagonal()[:, None, None],
        "W was used twice": convolve1x1(x, W @ W),
    }
    diagnose(z, convolve1x1(x, W), wrong)
    yield "every pixel of every picture is multiplied by W"


# ---- the log-det -------------------------------------------------------------------------------------------


@check(
    "log_det",
    hints=[
        "The Jacobian of the whole picture has one copy of W for each pixel. How many pixels are there?",
        "The determinant of blocks on a diagonal is the product of theirs, and the log of a product is a sum.",
        "torch.linalg.slogdet gives the sign and log |det|. Each picture of the batch gets the same number: expand.",
    ],
    solution=[Mixing.forward, InvertibleConv1x1.log_abs_det],
)
def log_det(attempt, generator):
    """attempt(x, W) -> (B,) nats: log |det dz/dx| of z = W x at every pixel, any sign of det W."""
    x = random_batch(generator)
    for sign in (1, -1):
        W = random_matrix(x.shape[1], sign, generator).requires_grad_()
        result = call(attempt, x, W)
        diagnose_log_det(result, x, W.detach().double())
        if not result.requires_grad:
            raise Mistake(
                "the log-dets are right, but no gradient goes through them to W, so training could not use them: "
                ".item(), .detach(), float(), torch.full, torch.tensor or numpy cuts it off"
            )
        yield f"right for a W with det {'>' if sign > 0 else '<'} 0"


def same_size(result, size: float) -> bool:
    """Whether every number of `result` is plus or minus `size`."""
    return isinstance(result, Tensor) and bool((result.detach().abs() == size).all())


def diagnose_log_det(result, x: Tensor, W: Tensor) -> None:
    """Return if `result` is h * w * log |det W|, for each picture of x; else raise the Mistake that explains it."""
    batch, _, height, width = x.shape
    pixels = height * width
    sign, one = torch.linalg.slogdet(W)
    expected = pixels * one
    values = torch.tensor(float(result)) if isinstance(result, (int, float)) else result
    if isinstance(result, tuple) and len(result) == 2 and same_size(result[0], 1.0):
        raise Mistake("that is two things, as slogdet gives them: a sign, and the log-det. Only one is asked")
    if isinstance(result, tuple):
        raise Mistake(f"asked is the log-det alone, one tensor of shape (B,), and yours gives {len(result)} things")
    if not isinstance(values, Tensor):
        raise Mistake(f"it must give back a tensor of shape (B,), not a {type(result).__name__}")
    flat = values.detach().double().flatten()
    if flat.isnan().any() and sign < 0:
        raise Mistake("this W has a negative determinant, and its log is nan: take the size of det W first")
    if not flat.isfinite().all():
        raise Mistake("it is not finite: is that the log of a determinant, and of its size?")
    det = one.exp()
    diagonal = W.diagonal().abs().log().sum()
    bare = "the diagonal alone gives det W for triangular matrices only"
    no_log = "the log is missing: log-dets are logarithms, so that they add up"
    wrong = {
        **miscounted(x, one),
        no_log: pixels * det,
        f"{no_log}; and you forgot h x w": det,
        "the log is missing: that is the volume itself, and its log is asked for": det**pixels,
        "that is in bits (log2): log-dets are in nats, the natural logarithm": expected / math.log(2),
        "that is log10: log-dets are in nats, the natural logarithm": expected / math.log(10),
        "that is the sign of det W; the other thing that slogdet gives is its log": sign,
        "that is the sign of det W, at every pixel; the other thing that slogdet gives is its log": pixels * sign,
        bare: pixels * diagonal,
        f"{bare}, and you forgot h x w": diagonal,
    }
    name_mistake(flat, {words: value.expand(len(flat)) for words, value in wrong.items()})
    if not same(flat, expected.expand(len(flat))):
        raise Mistake(
            f"it is {flat[0].item():.4g}, for a picture of {height} x {width} pixels and log |det W| = {one:.4g}"
        )
    if values.shape != (batch,):
        raise Mistake(
            f"the right number, but each picture of the batch gets one: shape ({batch},), not {tuple(values.shape)}"
        )


# ---- the way back ------------------------------------------------------------------------------------------


class HiddenMix:
    """W x at every pixel, for pictures of any number and size; W itself is not shown. It counts its calls."""

    def __init__(self, W: Tensor):
        self._W, self.calls = W, 0

    def __call__(self, x):
        channels = len(self._W)
        if not isinstance(x, Tensor) or x.dim() != 4 or x.shape[1] != channels:
            what = tuple(x.shape) if isinstance(x, Tensor) else f"a {type(x).__name__}"
            raise Mistake(f"layer takes pictures, (B, {channels}, h, w), and was given {what}")
        if not x.is_floating_point():
            raise Mistake(f"layer takes pictures of floats, and was given {x.dtype}")
        self.calls += 1
        return convolve1x1(x.double(), self._W.double()).to(x.dtype)


@check(
    "unmix",
    hints=[
        "You may choose the pictures that go into layer. One pixel is enough. Which one shows you a part of W?",
        "A pixel with a 1 in channel j and 0 elsewhere comes out as column j of W. C such pixels show all of W.",
        "torch.eye(C).view(C, C, 1, 1) is a batch of these pixels. Picture j of what comes out is column j.",
        "Undoing is mixing with another matrix, torch.linalg.inv(W). Your `mix` can do that.",
    ],
    solution=[Mixing.inverse, InvertibleConv1x1.inverse_matrix],
)
def unmix(attempt, generator):
    """attempt(z, layer) -> x, where z = layer(x), and layer multiplies every pixel by a W that is not shown."""
    x = random_batch(generator)
    W = random_matrix(x.shape[1], 1, generator)
    layer = HiddenMix(W)
    z = layer(x)
    layer.calls, given = 0, z.clone()
    result = run(attempt, z, layer)
    if not torch.equal(z, given):
        raise Mistake("it changes the z that it is given, in place: make new tensors, or the caller's z changes, too")
    back = picture(result, z)
    yield "it gives back pictures of the same shape"
    x, z, W = x.double(), z.double(), W.double()
    if torch.allclose(back, x, rtol=1e-4, atol=1e-4):
        yield "every pixel is what it was, to four digits, for a W that it never saw"
        return
    if not layer.calls:
        raise Mistake("it never calls layer, and W is a different one each time: find it out by calling layer")
    inverse = W.inverse()
    diagnose_axes(back, z, inverse)
    wrong = {
        "W was applied once more: that mixes twice": convolve1x1(z, W),
        "the matrix found is transposed: a pixel with a 1 in channel j comes out as column j of W, not as row j":
            convolve1x1(z, inverse.T),
        "the transpose of W undoes rotations only, and training leaves those behind": convolve1x1(z, W.T),
        "1 / W inverts each number alone; the inverse of a matrix is another thing": convolve1x1(z, 1 / W),
        "nothing was undone: z comes back as it was": z,
        "-W is not the inverse: W multiplies, it does not add": convolve1x1(z, -W),
    }  # fmt: skip
    diagnose(back, x, wrong)
