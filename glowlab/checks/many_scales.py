"""Checks of notebook 06: undo a squeeze; mend a checkerboard coupling; decode a picture from the list of latents."""

import torch
from torch import Tensor

from glowlab.checks.answers import tensor_of
from glowlab.checks.base import Mistake, check, name_mistake, run, same
from glowlite.flows import Squeeze
from glowlite.glow import Glow, GlowConfig, Level

# ---- unsqueeze ---------------------------------------------------------------------------------------------


def shape_of(result) -> str:
    return str(tuple(result.shape)) if isinstance(result, Tensor) else f"a {type(result).__name__}"


@check(
    "unsqueeze",
    hints=[
        "The picture has C channels and twice the height and width. Make room for it first: z.new_empty(...).",
        "Channel 4c + k of z holds corner k of every block of channel c. z[:, k::4] is corner k of all channels.",
        "Squeeze read the corners by x[:, :, i::2, j::2]. The same expression may stand left of an equals sign.",
    ],
    solution=[Squeeze],
)
def unsqueeze(attempt, generator):
    """attempt(z) -> x: (B, 4C, H, W) -> (B, C, 2H, 2W), so that squeezing x gives z again."""
    batch, channels = torch.randint(2, 4, (2,), generator=generator).tolist()
    height = int(torch.randint(1, 4, (1,), generator=generator)) * 2
    width = height + 2  # never square, so that rows and columns cannot be mixed up unseen
    x = torch.rand(batch, channels, 2 * height, 2 * width, generator=generator)
    z, _ = Squeeze()(x)
    given = z.clone()
    result = run(attempt, z)
    if not torch.equal(z, given):
        raise Mistake("it changes the tensor it is given, in place; make a new one")
    if not isinstance(result, Tensor):
        raise Mistake(f"it must give back one tensor, the picture, not a {type(result).__name__}")
    diagnose_shape(result, x, z)
    yield "each four channels become one, of twice the height and width"
    diagnose_places(result, x, z)
    yield "every number is back in its place"


def diagnose_shape(result: Tensor, x: Tensor, z: Tensor) -> None:
    batch, channels, height, width = x.shape
    if result.shape == x.shape:
        return
    if result.shape == z.shape:
        raise Mistake("the shape is that of z still: nothing was put back")
    if result.shape == (batch, 16 * channels, height // 4, width // 4):
        raise Mistake("that squeezes once more; the way back makes channels fewer and the picture larger")
    if result.shape == (batch, 4 * channels, height, width):
        raise Mistake("it enlarged every channel: numbers were repeated or made up, not put back")
    if result.shape[0] != batch and result.numel() == x.numel():
        raise Mistake(f"pictures of the batch were mixed: {batch} came in, {result.shape[0]} came out")
    if result.shape == (batch, 1, height, width):
        raise Mistake(f"it makes one channel; four channels become one, so {4 * channels} become {channels}")
    raise Mistake(f"the picture has the shape {tuple(x.shape)}, yours {shape_of(result)}")


def diagnose_places(result: Tensor, x: Tensor, z: Tensor) -> None:
    if torch.equal(result.to(x), x):
        return
    for words, wrong in misplaced(z).items():
        if torch.equal(result.to(x), wrong):
            raise Mistake(words)
    if torch.equal(result.flatten().sort().values.to(x), x.flatten().sort().values):
        away = (result != x).double().mean().item()
        raise Mistake(f"all numbers are there, but {away:.0%} of them not in their place")
    raise Mistake("some numbers are lost or doubled: every number of z must come back once")


def misplaced(z: Tensor) -> dict[str, Tensor]:
    """Pictures that typical mistakes make of z, by their diagnosis."""
    batch, channels, height, width = z.shape
    shape = (batch, channels // 4, 2 * height, 2 * width)
    blocks = z.unflatten(1, (channels // 4, 2, 2))  # (B, C, i, j, H, W); the picture is (B, C, H, i, W, j)
    corners_first = z.unflatten(1, (2, 2, channels // 4))  # (B, i, j, C, H, W)
    made = {
        "reshape alone keeps the numbers in their old order: the four corners of a block must become neighbours": z,
        "rows and columns of the blocks are exchanged: the second corner stands to the right of the first, "
        "not below it": blocks.permute(0, 1, 4, 3, 5, 2),
        "the wrong channels go together: the four corners of channel c are 4c, 4c + 1, 4c + 2, 4c + 3, side by "
        "side": corners_first.permute(0, 3, 4, 1, 5, 2),
        "the four channels were laid side by side as quarters of the picture; they interleave, one number of each "
        "in every block": blocks.permute(0, 1, 2, 4, 3, 5),
        "the corners come in the wrong order: the first channel is the upper left one": blocks.flip(2, 3).permute(
            0, 1, 4, 2, 5, 3
        ),
    }
    return {words: wrong.reshape(shape) for words, wrong in made.items()}


# ---- a checkerboard coupling --------------------------------------------------------------------------------


def checkerboard(x: Tensor) -> Tensor:
    """(H, W): 1 where row + column is even, 0 elsewhere."""
    rows, columns = torch.arange(x.shape[-2])[:, None], torch.arange(x.shape[-1])
    return ((rows + columns) % 2 == 0).to(x)


def random_network(channels: int, generator: torch.Generator):
    """A 3x3 convolution with random weights and a tanh; its answer has the shape of what it is given."""
    weight = torch.randn(channels, channels, 3, 3, generator=generator)
    return lambda x: torch.conv2d(x, weight.to(x), padding=1).tanh()


@check(
    "masked_coupling",
    hints=[
        "The way back must ask the network the same question. What does it have at hand: x, or only z?",
        "Of z only the pixels with keep = 1 are those of x. So on the way there, too, the network may see these alone.",
        "keep * x is the picture with 0 at every pixel that will move.",
    ],
    solution=[],
)
def masked_coupling(attempt, generator):
    """attempt(x, network) -> z: pixels with keep = 1 stay; the others move by what network makes of those that stay."""
    batch, channels, height, width = (torch.randperm(5, generator=generator)[:4] + 2).tolist()
    x = torch.randn(batch, channels, height, width, generator=generator)
    network, keep = random_network(channels, generator), checkerboard(x)
    given = x.clone()
    z = run(attempt, given, network)
    if not torch.equal(given, x):
        raise Mistake("it changes the picture it is given, in place; make a new tensor")
    z = tensor_of(z, tuple(x.shape), "z")
    move = 1 - keep
    name_mistake(z, {
        "nothing has moved": x,
        "that is the faulty one still: its network sees the pixels that move, and on the way back they are gone": (
            x + move * network(x)
        ),
        "every pixel moves, those that the network looks at, too; these must stay": x + network(keep * x),
        "every pixel moves, and the network sees all of them": x + network(x),
        "black and white are exchanged: pixels with keep = 1 stay, the others move": x + keep * network(move * x),
        "the network sees the pixels that move; it may see those alone that stay": x + move * network(move * x),
        "the shift is subtracted; the way back already subtracts it": x - move * network(keep * x),
        "the network's answer is masked twice, so nothing moves where it should": x + keep * network(keep * x),
        "the pixels that stay are lost: add the shift to x": move * (x + network(keep * x)),
    })  # fmt: skip
    yield "pixels with keep = 1 stay"
    back = z - move * network(keep * z)
    if not same(back, x):
        raise Mistake(f"the way back misses x by up to {(back - x).abs().max():.2g}")
    if not same(z, x + move * network(keep * x)):
        raise Mistake("x comes back, but the shift is not the network's answer to keep * x")
    yield "the others move, and x comes back"


# ---- decode from the list of latents -----------------------------------------------------------------------


class Piece:
    """The steps or the split of a level; only their inverse may be used, and what it is given is looked at.

    sizes: (C, H, W) of each tensor that it takes; eps: the latents that a split takes as its second.
    """

    def __init__(self, name: str, part, sizes: list[tuple[int, ...]], called: list[str], eps: Tensor | None = None):
        self.name, self.part, self.sizes, self.called, self.eps = name, part, sizes, called, eps

    def inverse(self, *given):
        if len(given) != len(self.sizes):
            parts = "two things, what stays and eps" if len(self.sizes) == 2 else "one tensor"
            raise Mistake(f"{self.name}.inverse takes {parts}, and was given {len(given)}")
        for tensor, size in zip(given, self.sizes, strict=True):
            if not isinstance(tensor, Tensor):
                none = "; nothing stays at the last level: latents[-1][:, :0], with 0 channels" if 0 in size else ""
                raise Mistake(f"{self.name}.inverse was given a {type(tensor).__name__}, not a tensor{none}")
            if tuple(tensor.shape[1:]) != size:
                raise Mistake(
                    f"{self.name}.inverse was given {tuple(tensor.shape)}, and its way back begins with "
                    f"(batch, {', '.join(map(str, size))}): {self.reason(tensor, size)}"
                )
        if self.eps is not None and not same(given[-1], self.eps):
            if same(given[0], self.eps):
                raise Mistake(f"what stays and eps changed places in {self.name}.inverse(stays, eps)")
            raise Mistake(f"{self.name}.inverse was not given its latents as they are in the list")
        self.called.append(self.name)
        return self.part.inverse(*given)

    def reason(self, tensor: Tensor, size: tuple[int, ...]) -> str:
        """A likely reason why a tensor is not of this size (C, H, W)."""
        if size[0] == 0:
            return "nothing stays at the last level, so begin with 0 channels, latents[-1][:, :0]"
        if self.name.endswith("steps") and tuple(tensor.shape[1:]) == (size[0] // 2, *size[1:]):
            return "a split puts back the half that left first"
        return "is it its turn?"

    def __call__(self, *given):
        raise Mistake(f"{self.name}(...) goes from data to latent; the way back is {self.name}.inverse(...)")

    forward = __call__


class PiecesOfLevel:
    """`steps` and `split` of a level, each a Piece; inverse and forward of both together are not for this exercise."""

    def __init__(self, name: str, level: Level, stays: int, eps: Tensor, called: list[str]):
        channels, *places = eps.shape[1:]
        sizes = [(stays, *places), (channels, *places)]
        self.steps = Piece(f"{name}.steps", level.steps, [(stays + channels, *places)], called)
        self.split = Piece(f"{name}.split", level.split, sizes, called, eps)
        self.name = name

    def __call__(self, *given):
        raise Mistake(f"{self.name}(...) goes from data to latent; the way back is by its split and its steps")

    def __getattr__(self, name: str):
        if name == "inverse":
            raise Mistake(f"{self.name}.inverse does both at once; here use its split.inverse and its steps.inverse")
        raise AttributeError(f"a level has steps and a split, but no {name}")


class Pieces:
    """The levels of a flow, without the methods that would do everything at once; `called` notes what was undone."""

    def __init__(self, flow: Glow, latents: list[Tensor]):
        self.called: list[str] = []
        stays = [*(eps.shape[1] for eps in latents[:-1]), 0]
        parts = enumerate(zip(flow.levels, stays, latents, strict=True))
        self.levels = [PiecesOfLevel(f"levels[{l}]", *part, self.called) for l, part in parts]

    def __getattr__(self, name: str):
        if name in ("inverse", "decode", "sample", "forward", "encode"):
            raise Mistake(f"flow.{name} does it all at once; here put the pieces together, level by level")
        raise AttributeError(f"this flow has levels, but no {name}")


def random_flow(generator: torch.Generator) -> Glow:
    """A tiny flow with random weights throughout, of two or three levels."""
    levels = int(torch.randint(2, 4, (1,), generator=generator))
    config = GlowConfig(
        (2, 8, 16), levels=levels, depth=1, width=4, seed=int(torch.randint(1000, (1,), generator=generator))
    )
    flow = Glow(config).eval()
    flow.initialize(torch.rand(8, *config.shape, generator=generator) - 0.5)
    for parameter in flow.parameters():
        parameter.data += 0.2 * torch.randn(parameter.shape, generator=generator)
    return flow


@check(
    "from_latents",
    hints=[
        "Go backwards: the last level comes first. Nothing stayed there, so begin with x = latents[-1][:, :0].",
        "At each level the split comes first: it takes x, which stayed, and that level's eps. Then come the steps.",
        "for l in reversed(range(len(flow.levels))): level l with latents[l]. Each level's x goes to the next split.",
    ],
    solution=[Glow.inverse, Level.inverse],
)
@torch.no_grad()
def from_latents(attempt, generator):
    """attempt(latents, flow) -> x (B, C, H, W), by flow.levels[l].steps and flow.levels[l].split of a random flow."""
    flow = random_flow(generator)
    latents = [torch.randn(2, *shape, generator=generator) for shape in flow.latent_shapes]
    x = flow.inverse(latents)
    handed = [eps.clone() for eps in latents]
    pieces = Pieces(flow, latents)
    result = run(attempt, handed, pieces)
    if not same(handed, latents):
        raise Mistake("the list of latents is not what it was: take from it without changing it (no pop)")
    if not isinstance(result, Tensor):
        raise Mistake(f"it must give back one tensor, the picture, not a {type(result).__name__}")
    diagnose_calls(pieces)
    yield "every piece is undone once, the last one first"
    if result.dtype == torch.uint8:
        raise Mistake("bytes come later: give back the numbers that the first level's inverse gives")
    if result.shape != x.shape:
        raise Mistake(f"the picture has the shape {tuple(x.shape)}, yours {tuple(result.shape)}")
    if not same(result, x):
        raise Mistake("every piece was undone, but something else changed the numbers on the way")
    yield "the picture is the one that these latents stand for, whether of two levels or three"


def diagnose_calls(pieces: Pieces) -> None:
    """The Mistake of a piece that was left out or done twice."""
    if not pieces.called:
        raise Mistake("none of the pieces was undone: each level's split and steps have an inverse")
    reasons = {
        "split": "eps must become z by mean and std, at the last level, too",
        "steps": "nothing may be left out",
    }
    for piece in [part for level in reversed(pieces.levels) for part in (level.split, level.steps)]:
        if piece.name not in pieces.called:
            raise Mistake(f"{piece.name}.inverse was never called: {reasons[piece.name.split('.')[1]]}")
        if (times := pieces.called.count(piece.name)) > 1:
            raise Mistake(f"{piece.name}.inverse was called {times} times: each piece is undone once")
