"""Checks of notebook 02: undo an additive coupling; write an affine one with its log-det; mend a flow."""

import math

import torch
from torch import Tensor

from glowlab.checks.answers import tensor_of
from glowlab.checks.base import Mistake, check, name_mistake, run, same
from glowlite.flows.coupling import Coupling

PAPER = (
    "the wrong half moves: these are the roles of the paper's table 1, which keeps x_b and moves x_a; "
    "here x_a, the first half, stays"
)


class Witness:
    """A network without an inverse: (B, C, H, W) -> `outputs` of that shape and type. It notes its inputs."""

    def __init__(self, shape: torch.Size, outputs: int, generator: torch.Generator, trained=False):
        self.shape, self.outputs, self.seen = shape, outputs, []
        weights = torch.randn(outputs, shape[1], shape[1], generator=generator, dtype=torch.float64)
        self.weights = weights.requires_grad_(trained)
        self.phase = torch.rand(outputs, generator=generator, dtype=torch.float64)

    def __call__(self, half):
        """(B, C, H, W) for one output, a tuple of them for more; a Mistake for what is not one half of the channels.

        It takes a batch of any size, so that a loop over the examples works, too.
        """
        if not isinstance(half, Tensor):
            raise Mistake(f"the network takes a tensor, one half of the channels, not a {type(half).__name__}")
        channels, height, width = self.shape[1:]
        shape = tuple(half.shape)
        if shape[1:] == (2 * channels, height, width):
            raise Mistake("the network is given all the channels; it may see only the half that stays as it is")
        if shape in ((channels, height, width), (2 * channels, height, width)):
            raise Mistake(
                f"the network takes a batch; yours is one example, {shape}: keep its axis, as in z[i : i + 1]"
            )
        if shape[1:] != (channels, height, width):
            whole = (self.shape[0], 2 * channels, height, width)
            raise Mistake(f"the network is given {shape} of {whole}: cut the channels in half, dim=1")
        self.seen.append(half.detach().clone())
        given = self.outcome(half)
        return given[0] if self.outputs == 1 else given

    def outcome(self, half: Tensor) -> tuple[Tensor, ...]:
        """Its outputs for this half, without a note that it was called."""
        mixed = torch.einsum("oij,bjhw->obihw", self.weights, half.double())
        return tuple((2 * mixed + self.phase.view(-1, 1, 1, 1, 1)).sin().roll(1, -1).to(half.dtype).unbind(0))


def random_halves(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """x_a and x_b of a random shape (B, C, H, W), standard normal."""
    batch, channels, height, width = (torch.randint(2, 5, (4,), generator=generator)).tolist()
    values = torch.randn(2, batch, channels, height, width + 1, generator=generator)
    return values[0], values[1]


def has_gradient(log_det: Tensor, of: str) -> None:
    """Raise a Mistake where `log_det` cannot be trained by: right numbers, and no gradient."""
    if not log_det.requires_grad:
        raise Mistake(
            f"log_det has the right numbers, but no gradient goes through it to {of}, so training could not use it: "
            ".item(), .detach(), float(), numpy or no_grad cuts it off"
        )


def whole_tensor(result, like: Tensor, name: str) -> Tensor:
    """The tensor of both halves that was given back, or the Mistake that it is something else."""
    if isinstance(result, (tuple, list)):
        if len(result) == 2 and all(isinstance(part, Tensor) and part.dim() == 4 for part in result):
            raise Mistake(f"it gives two halves; join them to one {name}: torch.cat([..., ...], dim=1)")
        raise Mistake(f"it must give back one tensor, {name}, not {len(result)} things")
    if not isinstance(result, Tensor):
        raise Mistake(f"{name} must be a tensor, not {type(result).__name__}")
    if result.shape == like.shape:
        return result
    half = (like.shape[0], like.shape[1] // 2, *like.shape[2:])
    if tuple(result.shape) == half:
        raise Mistake(f"only one half is given back; {name} has both, joined by torch.cat([..., ...], dim=1)")
    raise Mistake(
        f"{name} must have the shape that came in, {tuple(like.shape)}, not {tuple(result.shape)}"
        + ("; the halves are joined along the channels, dim=1" if result.numel() == like.numel() else "")
    )


# ---- inverse of additive coupling --------------------------------------------------------------------------


@check(
    "additive_inverse",
    hints=[
        "Cut z as additive cuts x. Which of the two halves is still the one that x had?",
        "The network was asked with x_a. z_a is x_a, so the same question gives the same shift t.",
        "Take t away from the half that moved, and join: the half that stayed comes first.",
    ],
    solution=[Coupling.inverse],
)
def additive_inverse(attempt, generator):
    """attempt(z, network) -> x, where z = [x_a, x_b + network(x_a)], (B, C, H, W), for any network."""
    x_a, x_b = random_halves(generator)
    network = Witness(x_a.shape, 1, generator)
    (t,) = network.outcome(x_a)
    z = torch.cat([x_a, x_b + t], 1)
    given = z.clone()
    result = run(attempt, z, network)
    if not torch.equal(z, given):
        raise Mistake("it changes the z that it is given, in place; make new tensors, or the caller's z changes, too")
    x = whole_tensor(result, z, "x")
    yield "it gives back one x of the right shape"
    new_a, new_b = x.chunk(2, dim=1)
    if same(new_a, x_b) and same(new_b, x_a):
        raise Mistake("both halves are right, but they changed places: the half that stayed comes first")
    if same(new_b, z[:, x_a.shape[1] :]) and same(new_a, x_a - network.outcome(new_b)[0]):
        raise Mistake(PAPER)
    if not same(new_a, x_a):
        raise Mistake("the wrong half moves: additive left the first half alone, so it must come back as it is")
    yield "the half that stayed comes back as it is"
    diagnose_shift(new_b, x_a, x_b, t, network)
    yield "the half that moved is back, for a network that it never saw before"


def diagnose_shift(new: Tensor, x_a: Tensor, x_b: Tensor, t: Tensor, network: Witness) -> None:
    """Return if `new` is x_b; else raise the Mistake that explains it best."""
    if same(new, x_b):
        return
    z_b = x_b + t
    (other,) = network.outcome(z_b)
    explanations = {
        "the second half is still shifted: nothing was undone": z_b,
        "right size, wrong sign: it adds the shift once more": z_b + t,
        "the difference is the wrong way round: it is the shift minus z_b": t - z_b,
        "the network is asked with the half that moved; it was asked with the half that stayed": z_b - other,
        "wrong sign, and the network is asked with the half that moved": z_b + other,
        "that is the shift alone; it still has to be taken away from z_b": t,
        "it divides by the shift; what was added is taken away": z_b / t,
    }
    name_mistake(new, explanations)
    if not network.seen:
        raise Mistake("it never calls the network that it is given, and that is a different one each time")
    raise Mistake(f"the second half is off by up to {(new - x_b).abs().max():.2g}")


# ---- affine coupling and its log-det -----------------------------------------------------------------------


@check(
    "affine",
    hints=[
        "Cut x in two along the channels. The first half stays, and it is what scale_and_shift is asked with.",
        "The second half: first add t, then multiply by s. You are given log_s, and s is its exponential.",
        "The Jacobian's diagonal holds a 1 for each number that stays and s for each that moves. The log of a "
        "product is the sum of the logs.",
        "Sum over channels, rows and columns, but not over the batch: log_s.sum(dim=(1, 2, 3)).",
    ],
    solution=[Coupling.forward],
)
def affine(attempt, generator):
    """attempt(x, scale_and_shift) -> (z, log_det): z_b = (x_b + t) s with log s, t = scale_and_shift(x_a)."""
    x_a, x_b = random_halves(generator)
    network = Witness(x_a.shape, 2, generator, trained=True)
    log_s, t = network.outcome(x_a)
    x = torch.cat([x_a, x_b], 1)
    given = x.clone()
    try:
        result = run(attempt, x, network)
    except Mistake as mistake:
        if "modified inplace" not in str(mistake):
            raise
        words = "a half that chunk gave is changed in place, and torch has no gradient for that: x_b = x_b + t"
        raise Mistake(words) from mistake
    if not torch.equal(x, given):
        raise Mistake("it changes the x that it is given, in place; make new tensors, or the caller's x changes, too")
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Mistake("it must give back two things, the latent and its log-det: return z, log_det")
    for name, part in zip(("z", "log_det"), result, strict=True):
        if part is None or part is Ellipsis:
            raise Mistake(f"{name} is still missing")
    z = whole_tensor(result[0], x, "z")
    new_a, new_b = z.chunk(2, dim=1)
    if same(new_a, (x_b + t) * log_s.exp()) and same(new_b, x_a):
        raise Mistake("both halves are right, but they changed places: the half that stays comes first")
    other_log_s, other_t = network.outcome(x_b)
    paper = x_a * other_log_s.exp() + other_t, (x_a + other_t) * other_log_s.exp()
    if same(new_b, x_b) and any(same(new_a, moved) for moved in paper):
        raise Mistake(PAPER)
    if not same(new_a, x_a):
        raise Mistake("the wrong half moves: x_a, the first half of the channels, must stay as it is")
    yield "x_a stays as it is"
    diagnose_scale(new_b, x_a, x_b, log_s, t, network)
    yield "x_b moves as it should, for a network that it never saw before"
    diagnose_log_det(result[1], log_s, t)
    has_gradient(result[1], "the network")
    yield "log_det is the log of the Jacobian's determinant, one number for each example"


def diagnose_scale(new: Tensor, x_a, x_b, log_s: Tensor, t: Tensor, network: Witness) -> None:
    """Return if `new` is z_b; else raise the Mistake that explains it best."""
    s = log_s.exp()
    if same(new, (x_b + t) * s):
        return
    other_log_s, other_t = network.outcome(x_b)
    explanations = {
        "x_b did not move at all": x_b,
        "scaled first, then shifted, as the papers write it; here, as in Glow's code, the shift comes first": x_b * s
        + t,
        "it multiplies by log s; the scale is s = exp(log s)": (x_b + t) * log_s,
        "it divides by the scale; that is how the way back begins": (x_b + t) / s,
        "that is the inverse; forward shifts, then scales": x_b / s - t,
        "it is shifted, and not yet scaled": x_b + t,
        "it is scaled, and not shifted": x_b * s,
        "the shift has the wrong sign: forward adds it": (x_b - t) * s,
        "log s and t changed places: scale_and_shift gives log s first": (x_b + log_s) * t.exp(),
        "the network is asked with the half that moves, so nobody could undo it; ask it with x_a": (x_b + other_t)
        * other_log_s.exp(),
    }
    name_mistake(new, explanations)
    if not network.seen:
        raise Mistake("it never calls the scale_and_shift that it is given, and that is a different one each time")
    raise Mistake(f"the second half is off by up to {(new - (x_b + t) * s).abs().max():.2g}")


def diagnose_log_det(log_det, log_s: Tensor, t: Tensor) -> None:
    """Return if `log_det` is the sum of log s of each example; else raise the Mistake that explains it best."""
    if isinstance(log_det, (int, float)):
        log_det = torch.tensor(float(log_det))
    if not isinstance(log_det, Tensor):
        raise Mistake(f"log_det must be a tensor, not {type(log_det).__name__}")
    log_det = log_det.detach().double()
    right, batch = log_s.sum((1, 2, 3)), len(log_s)
    if same(log_det, right):
        return
    if log_det.dim() == 0 and same(log_det, right.sum()):
        raise Mistake("log_det adds up the whole batch; every example needs its own, so leave dim 0 alone")
    if log_det.shape != right.shape:
        raise Mistake(f"log_det must have one number for each example, shape ({batch},), not {tuple(log_det.shape)}")
    name_mistake(log_det, wrong_log_dets(log_s, t, right))
    if log_det.isnan().any():
        raise Mistake("log_det is not a number (nan): log_s is a logarithm already, so it needs no second log")
    raise Mistake(f"log_det is off by up to {(log_det - right).abs().max():.2g}")


def wrong_log_dets(log_s: Tensor, t: Tensor, right: Tensor) -> dict[str, Tensor]:
    """Wrong log-dets (B,), by their diagnosis."""
    pixels = log_s[0, 0].numel()
    per_pixel = log_s.flatten(2)[:, :, 0].sum(1)  # of the first pixel

    def over(values: Tensor) -> Tensor:
        return values.sum((1, 2, 3))

    return {
        "log_det is 0, which is right for additive coupling only: here the moved half is stretched": right * 0,
        "log_det has the right size and the wrong sign": -right,
        "log_det is a mean; a determinant is a product of all, so its log is a sum": log_s.mean((1, 2, 3)),
        "log_det has one pixel's share: you forgot H x W": right / pixels,
        "log_det is that of the first pixel: you forgot H x W": per_pixel,
        "log_det counts H x W twice: the sum over rows and columns has it already": right * pixels,
        "log_det adds up the scales s; it must add up their logs": over(log_s.exp()),
        "that is the determinant itself; log_det is its log": right.exp(),
        "log_det adds up the shifts, and a shift stretches nothing": over(t),
        "log_det holds the shifts as well, and a shift stretches nothing": over(log_s + t),
        "log_det is in bits; use natural logarithms, nats": right / math.log(2),
        "log_det takes the log twice: log_s is a logarithm already": over(log_s.abs().log()),
    }


# ---- a flow with a fault -----------------------------------------------------------------------------------


class HalfNetwork:
    """(B, n) -> log s and t, both (B, n): smooth, without an inverse, to be trained. It counts its calls."""

    def __init__(self, size: int, generator: torch.Generator):
        self.calls, self.size = 0, size
        self.weights = (1.5 * torch.randn(2, size, size, generator=generator)).requires_grad_()
        self.phase = torch.rand(2, 1, size, generator=generator)

    def __call__(self, half):
        if not isinstance(half, Tensor) or half.shape[-1:] != (self.size,):
            what = tuple(half.shape) if isinstance(half, Tensor) else type(half).__name__
            raise Mistake(f"a network sees one half, (B, {self.size}), and was given {what}")
        self.calls += 1
        return self.outcome(half)

    def outcome(self, half: Tensor) -> tuple[Tensor, Tensor]:
        """Its outputs for this half; the call is not counted."""
        log_s, t = (half @ self.weights + self.phase).sin().unbind(0)
        return log_s, t


@check(
    "mended",
    hints=[
        "Go backwards with pencil and paper: you hold z_a and z_b alone. What does each network need?",
        "first is asked with x_a, and second with x_b. On the way back, which of these two could be known first?",
        "Neither: z_a needs x_b to be undone, and z_b needs x_a. One network has to be asked with a half of z.",
        "Move x_b first. From then on only z_b is left of it, so second has to be asked with z_b.",
    ],
)
def mended(attempt, generator):
    """attempt(x, first, second) -> (z, log_det): both halves (B, n) of x (B, 2 n) move, and z can be undone."""
    batch, size = torch.randint(2, 5, (2,), generator=generator).tolist()
    x = torch.randn(batch, 2 * size, generator=generator)
    first, second = HalfNetwork(size, generator), HalfNetwork(size, generator)
    given = x.clone()
    result = run(attempt, x, first, second)
    if not torch.equal(x, given):
        raise Mistake("it changes the x that it is given, in place; make new tensors, or the caller's x changes, too")
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Mistake("it must give back two things, the latent and its log-det: return z, log_det")
    z, log_det = tensor_of(result[0], (batch, 2 * size), "z"), tensor_of(result[1], (batch,), "log_det")
    if not (first.calls and second.calls):
        raise Mistake("one of the two networks is never asked: both halves must still move")
    x_a, x_b = x.chunk(2, 1)
    (log_s, z_b), (log_r, old_a) = coupled(first, x_a, x_b), coupled(second, x_b, x_a)
    late_r, z_a = coupled(second, z_b, x_a)
    early_s, other_b = coupled(first, old_a, x_b)  # the other way to mend it: x_a moves first, and z_a moves x_b
    if same(z, torch.cat([old_a, z_b], 1)):
        raise Mistake(
            "z is what it was, and the fault is in z: with z alone in your hands, neither half can be undone, since "
            "each waits for the other"
        )
    if same(z, torch.cat([x_a, z_b], 1)) or same(z, torch.cat([old_a, x_b], 1)):
        raise Mistake("it can be undone, but one half does not move any more: both must move")
    if same(z, torch.cat([old_a, other_b], 1)):
        right, logs = early_s + log_r, {"first": log_s + log_r}
    elif same(z, torch.cat([z_a, z_b], 1)):
        right, logs = log_s + late_r, {"second": log_s + log_r}
    else:
        raise Mistake("z is not that of a mended layer; change as little as you can")
    yield "from z alone, one half comes back first, and then the other"
    for name, wrong in logs.items():
        if same(log_det, wrong.sum(1)):
            raise Mistake(f"log_det still holds the stretch that {name} gave for the old half")
    if not same(log_det, right.sum(1)):
        raise Mistake("z is right, but log_det is not the sum of both stretches, one number for each example")
    has_gradient(result[1], "the networks")
    yield "log_det is that of the Jacobian"


def coupled(network: HalfNetwork, stays: Tensor, moves: Tensor) -> tuple[Tensor, Tensor]:
    """(log s, the moved half) of an affine coupling."""
    log_s, t = network.outcome(stays)
    return log_s, (moves + t) * log_s.exp()
