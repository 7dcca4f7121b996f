"""Checks of notebook 07: dequantise pixels of n bits; turn a density's nats into bits per dimension."""

import math

import torch
from torch import Tensor

from glowlab.checks.answers import variants
from glowlab.checks.base import Mistake, check, name_mistake, run, same
from glowlite.pixels import bits_per_dim, dequantize, log_bins

EDGE = 1e-3  # of a bin: what rounding to float32 may move a point over its edge

# ---- dequantise --------------------------------------------------------------------------------------------


@check(
    "dequantise",
    hints=[
        "To keep n of 8 bits, drop the last 8 - n: a whole division by 2^(8 - n), or the shift images >> (8 - n).",
        "There are 2^n bins in a range of width 1. How wide is one? The noise must fill one, and no more.",
        "torch.rand(images.shape) is uniform from 0 to 1. Add it while the pixels are whole numbers, and divide after.",
        "At the very end the range moves from (0, 1) to (-0.5, 0.5).",
    ],
    solution=[dequantize],
)
def dequantise(attempt, generator):
    """attempt(images, n_bits) -> x: uint8 (B, C, H, W) -> a random point of each pixel's bin, in (-0.5, 0.5)."""
    images = torch.randint(0, 256, (4, 3, 64, 32), generator=generator, dtype=torch.uint8)
    few = int(torch.randint(2, 7, (1,), generator=generator))
    for n_bits in (8, few):
        x = called(attempt, images, n_bits, generator)
        u = (x + 0.5) * 2**n_bits - kept(images, n_bits)  # where in its bin a number lies
        if not inside(u):
            raise Mistake(outside(x, u, images, n_bits))
        yield "floor gives every integer back" + (", of fewer bits, too" if n_bits < 8 else "")
        diagnose_noise(u, images, n_bits)
        again = called(attempt, images, n_bits, generator)
        if torch.equal(again, x):
            raise Mistake("the noise is the same at every call; it has to be fresh")
        yield "the noise fills each bin evenly" + (", however wide bins are" if n_bits < 8 else "")


def called(attempt, images: Tensor, n_bits: int, generator: torch.Generator) -> Tensor:
    """The attempt's result in float64; a Mistake where it is no batch of floats. Leaves torch's own generator alone."""
    given = images.clone()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
        x = dequantised(attempt, given, n_bits)
    if not torch.equal(given, images):
        raise Mistake("it changes the pictures it is given, in place; make a new tensor")
    if not isinstance(x, Tensor):
        raise Mistake(f"it must give back one tensor, not a {type(x).__name__}")
    if x.shape != images.shape:
        raise Mistake(f"x must have the shape of the pictures, {tuple(images.shape)}, not {tuple(x.shape)}")
    if not x.dtype.is_floating_point:
        raise Mistake(f"x is {x.dtype}: whole numbers have no room for noise, so make them floats first")
    return x.double()


def dequantised(attempt, images: Tensor, n_bits: int):
    """The attempt's result; a Mistake of its own where bytes are divided by 2^8, which is 0 as a byte."""
    try:
        return run(attempt, images, n_bits)
    except Mistake as mistake:
        if "ZeroDivisionError" in str(mistake):
            raise Mistake(
                f"2^{n_bits} does not fit into a byte and becomes 0, and nothing can be divided by that; to keep n "
                "bits, drop the last 8 - n"
            ) from mistake
        raise


def kept(images: Tensor, n_bits: int) -> Tensor:
    return (images >> (8 - n_bits)).double()


def inside(u: Tensor, low: float = 0.0, high: float = 1.0, edge: float = EDGE) -> bool:
    return bool(((u >= low - edge) & (u <= high + edge)).all())


def outside(x: Tensor, u: Tensor, images: Tensor, n_bits: int) -> str:
    """The reason why floor does not give the integers back."""
    bins, k = 2**n_bits, kept(images, n_bits)
    rounded, low_bits = (images.double() * bins / 256).round(), (images.long() % bins).double()
    explanations = {
        f"all 8 bits are still there: drop the last 8 - n first, here {8 - n_bits}": (x + 0.5) * bins - images,
        "the 0.5 was not taken away: x has to lie in (-0.5, 0.5), yours in (0, 1)": u - bins / 2,
        "yours lies in (-1, 1), and x has to lie in (-0.5, 0.5), with bins half as wide": (x + 1) / 2 * bins - k,
        "it was not divided by the number of bins": x - k,
        "it was not divided by the number of bins, only moved by 0.5": x + 0.5 - k,
        fence_posts(bins): (x + 0.5) * (bins - 1) - k,
        "255 is the largest pixel, not the number of bins: from 0 to 255 there are 256": (x + 0.5) * 255 - images,
        "all pixels are in the first bin: bytes count to 255 and begin again, so do not multiply them": u + k,
        "the bits that are kept are the wrong ones: % keeps the last ones, which are fine detail": u + k - low_bits,
        "pixels were rounded to fewer bits; dropping the last ones goes downward": u + k - rounded,
    }  # fmt: skip
    for words, place in explanations.items():
        if inside(place):
            return words
    if inside(u, -0.5, 0.5):
        return (
            "the noise goes from -1/2 to 1/2 of a bin, so half of the points fall into the bin below; "
            "a bin begins at its integer"
        )
    if inside((x + 0.5 - k / (bins - 1)) * bins):
        return fence_posts(bins)
    dropped = (images.long() % 2 ** (8 - n_bits)).double() / 2 ** (8 - n_bits)
    if inside(u - dropped) and n_bits < 8:
        return f"the division must be whole, //: the {8 - n_bits} bits that should go are still in x, behind the point"
    spread = u - u.mean()
    kurtosis = (spread**4).mean() / spread.square().mean().square().clamp_min(1e-300)
    if 2.7 < kurtosis < 3.3:
        return "that is Gaussian noise, which leaves the bin on both sides; it has to be uniform"
    if inside(u, 0, bins) and u.max() > 1.5:
        return (
            f"the noise is {u.max():.0f} bins wide and hides the pixel; it has to be one bin wide, "
            f"which is 1/{bins} here"
        )
    width = (u.max() - u.min()).item()
    if abs(width - 1) < 0.01:
        return f"every bin is filled, but shifted by {u.min():.2f} of its width; a bin begins at its integer"
    wrong = ((u < -EDGE) | (u > 1 + EDGE)).double().mean().item()
    return f"for {wrong:.0%} of the pixels, floor((x + 0.5) * {bins}) is another integer than the one kept"


def fence_posts(bins: int) -> str:
    return f"{bins - 1} was taken for the number of bins: from 0 to {bins - 1} there are {bins}"


def diagnose_noise(u: Tensor, images: Tensor, n_bits: int) -> None:
    """The Mistake of noise that stays in its bin but does not fill it as it should."""
    if u.std() < 1e-3:
        raise Mistake("there is no noise: equal pixels all land on one point, and a density can spike there")
    low_bits = (images.long() % 2 ** (8 - n_bits)).double()
    if n_bits < 8 and torch.corrcoef(torch.stack([u.flatten(), low_bits.flatten()]))[0, 1] > 0.5:
        raise Mistake("n_bits does not count: the bits that should go are still in x, in place of noise")
    if len((u / u.max() * 1e4).round().unique()) < u.numel() / 8:
        raise Mistake("many pixels share one random number; draw one for each")
    if u.max() < 0.9:
        part = u.max().item()
        why = ", since it is 1/256 wide whatever n is" if abs(part * 256 / 2**n_bits - 1) < 0.1 else ""
        raise Mistake(f"the noise fills only {part:.2g} of each bin{why}; the bin of n bits is 1/2^n wide")
    share = torch.histc(u.clamp(0, 1), 10, 0, 1) / u.numel()
    if (share - 0.1).abs().max() > 0.02:
        raise Mistake("the noise stays in its bin, but does not fill it evenly: uniform noise is as dense everywhere")


# ---- nats to bits per dimension ----------------------------------------------------------------------------


@check(
    "to_bits_per_dim",
    hints=[
        "Three steps: from density to probability, from nats to bits, from the whole picture to one of its numbers.",
        "A bin is 1/2^n wide in each of D dimensions, so its volume is 2^(-n D). What is the log of that, in nats?",
        "A bit is log 2 nats (the natural log, math.log). D counts every number of the picture: C * H * W.",
        "Bits are a cost: the likelier the picture, the fewer. So there is a minus.",
    ],
    solution=[bits_per_dim, log_bins],
)
def to_bits_per_dim(attempt, generator):
    """attempt(log_density, shape, n_bits): log p(x) in nats (B,), shape (C, H, W) -> bits per dimension (B,)."""
    channels, height, width, few = (
        int(torch.randint(low, high, (1,), generator=generator)) for low, high in ((2, 5), (5, 9), (10, 17), (2, 7))
    )
    shape, dims = (channels, height, width), channels * height * width
    for n_bits in (8, few):
        nats = dims * (torch.rand(5, generator=generator) * 0.5 + 0.2) * n_bits * math.log(2)
        given = nats.clone()
        result = run(attempt, given, shape, n_bits)
        if not torch.equal(given, nats):
            raise Mistake("it changes the log-densities it is given, in place")
        result = as_numbers(result, nats)
        diagnose_bits(result, nats.double(), shape, n_bits)
        yield "right for 8 bits" if n_bits == 8 else "right for any number of bits"


def as_numbers(result, like: Tensor) -> Tensor:
    if isinstance(result, (list, tuple)) and all(isinstance(part, (int, float, Tensor)) for part in result):
        result = torch.stack([torch.as_tensor(part, dtype=torch.float64) for part in result])
    if not isinstance(result, Tensor):
        raise Mistake(f"it must give back a tensor, one number for each picture, not a {type(result).__name__}")
    if result.shape != like.shape:
        raise Mistake(
            f"{len(like)} pictures need {len(like)} numbers, not the shape {tuple(result.shape)}: no mean, no sum"
        )
    return result.double()


def diagnose_bits(result: Tensor, nats: Tensor, shape: tuple[int, int, int], n_bits: int) -> None:
    """Return if `result` is right; else raise the Mistake that explains it."""
    dims, ln2, ln10 = math.prod(shape), math.log(2), math.log(10)
    wanted = bits_per_dim(nats - log_bins(dims, n_bits), dims)
    if same(result, wanted):
        return

    def per_dim(offset: float, d: int = dims, unit: float = ln2) -> Tensor:
        return -(nats - offset) / (d * unit)

    bins = dims * n_bits * ln2
    explanations = {
        "right size, wrong sign: bits are a cost, so likelier pictures need fewer": -wanted,
        "you forgot D log 2^n: a probability is the density times the volume of a bin": per_dim(0),
        "forgotten: D log 2^n, and the minus": -per_dim(0),
        "the sign of D log 2^n is wrong: a bin is small, so log P is smaller than log p": per_dim(-bins),
        "log 2^n was taken away once; it counts for each of the D dimensions": per_dim(n_bits * ln2),
        "those are nats per dimension still: a bit is log 2 nats": per_dim(bins, unit=1.0),
        "multiplied by log 2 where one divides: a nat is more than a bit": per_dim(bins, unit=1 / ln2),
        "log10 was used for the unit; a bit is log 2 nats, by the natural log": per_dim(bins, unit=ln10),
        "log10 was used for the bins, but log p is in nats: take the natural log": per_dim(bins / ln10),
        "log10 throughout, but log p is in nats: take the natural log": per_dim(bins / ln10, unit=ln2 / ln10),
        "D log 2^n is in bits there (log2), but log p is in nats: bring both to one unit": per_dim(bins / ln2),
        "log2 of 2, which is 1, was taken for log 2: the unit is still the nat": per_dim(bins / ln2, unit=1.0),
        "log 256 was taken away, which is right for 8 bits only": per_dim(dims * math.log(256)),
        fence_posts(2**n_bits): per_dim(dims * math.log(2**n_bits - 1)),
        "2^n was taken away, without its log": per_dim(dims * 2**n_bits),
        "you forgot C: D counts every number, so colours count, too": per_dim(bins / shape[0], dims // shape[0]),
        "you forgot C in D log 2^n": per_dim(bins / shape[0]),
        "you forgot C where you divide by D": per_dim(bins, dims // shape[0]),
        "D became C times D: C was counted twice": per_dim(bins * shape[0], dims * shape[0]),
        "that is for the whole picture; divide by D": wanted * dims,
        "it was divided by n_bits, too: those are shares of the raw size, not bits": wanted / n_bits,
        "the pictures of the batch were counted among the dimensions": wanted / len(nats),
        "log p was given as it is": nats,
    }
    name_mistake(result, explanations)
    for words, (d, sign, base) in variants(
        {"": dims, "D counts every number of the picture, colours, too": dims // shape[0]},
        {"": 1, "the bin makes log P smaller than log p, not larger": -1},
        {"": 2**n_bits, "256 is the number of values for 8 bits alone": 256},
    ):
        if same(result, per_dim(sign * d * math.log(base), d)):
            raise Mistake("there are faults left: " + "; ".join(words))
    flat = bits_per_dim(torch.zeros(1, dtype=torch.float64) - log_bins(dims, n_bits), dims).item()
    raise Mistake(
        f"for log p = {nats[0]:.0f} nats, {shape} and {n_bits} bits it is another number than yours, "
        f"{result[0]:.4g}. Try log p = 0, a density of 1 everywhere: that must give {flat:.0f}"
    )
