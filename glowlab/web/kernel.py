"""A page's questions, answered by the kernel: files of its model and, with engine="kernel", what PyTorch computes.

That is for models that a page cannot compute, or that are on a GPU, or still training. A page sends the bytes of a
picture, (H, W, C), or its latents, float32 or float64, (C_l, H_l, W_l) a level; arithmetic of latents stays there.
"""

import logging
import math

import torch
from torch import Tensor

from glowlab.web import export
from glowlite import pixels
from glowlite.errors import GlowliteError
from glowlite.flows.base import full_float32, to_float64
from glowlite.glow import Glow

log = logging.getLogger("glowlab.web")
MOST = 16_000_000  # parameters for a page: five times those of faces64, so 32 MB to send and 0.1 s a picture


def is_needed(model: Glow) -> bool:
    """Whether a page cannot compute a model, or its weights are too many for one."""
    try:
        export.check(model.config)
    except GlowliteError:
        return True
    return sum(p.numel() for p in model.parameters()) > MOST


def answer(explorer, question: dict, buffers: list) -> tuple[dict, list[bytes]]:
    """The message that answers a question, {kind, id}, and its buffers; an `error` is a sentence."""
    about = {"id": question.get("id")}
    try:
        kind = question.get("kind")
        if kind in ("weights", "labels"):
            made = explorer.pack()
            return about, [made.bin if kind == "weights" else made.labels]
        more, content = ANSWERS[kind](explorer.model, [bytearray(buffer) for buffer in buffers])
        return about | more, content
    except GlowliteError as error:
        return about | {"error": str(error)}, []
    except Exception as error:  # such as too little memory on a GPU; the page lives on
        log.exception("a page's question was not answered")
        words = (str(error) or type(error).__name__).splitlines()[0]
        return about | {"error": f"The notebook's kernel failed: {words}"}, []


def encode(model: Glow, buffers: list[bytearray]) -> tuple[dict, list[bytes]]:
    """A picture -> its latents; of float64 where floats would lose pixels."""
    latents = model.encode(read_picture(model, buffers))
    kind = torch.float64 if latents[0].dtype == torch.float64 else torch.float32
    return {}, [write(eps.to(kind)) for eps in latents]


@torch.no_grad()
@full_float32()
def draw(model: Glow, buffers: list[bytearray]) -> tuple[dict, list[bytes]]:
    """Latents -> a picture, and the share of values beyond black or white, None where one is not finite."""
    x = model.inverse(read_latents(model, buffers))
    clamped = (x.abs() > 0.5).float().mean().item() if x.isfinite().all() else None
    return {"clamped": clamped}, [write(pixels.to_uint8(x)[0].permute(1, 2, 0))]


def bits_per_dim(model: Glow, buffers: list[bytearray]) -> tuple[dict, list[bytes]]:
    """A picture -> its bits per dimension, None where they are not finite."""
    bits = model.bits_per_dim(read_picture(model, buffers)).item()
    return {"bits": bits if math.isfinite(bits) else None}, []


ANSWERS = {"encode": encode, "draw": draw, "bitsPerDim": bits_per_dim}


def read_picture(model: Glow, buffers: list[bytearray]) -> Tensor:
    """Bytes (H, W, C) -> uint8 (1, C, H, W)."""
    channels, height, width = model.config.shape
    return torch.frombuffer(buffers[0], dtype=torch.uint8).view(height, width, channels).permute(2, 0, 1)[None]


def read_latents(model: Glow, buffers: list[bytearray]) -> list[Tensor]:
    """Latents of one picture, (1, C_l, H_l, W_l) a level: float64 where a level is, else of the model's type."""
    shapes = model.latent_shapes
    is_double = [len(buffer) == 8 * math.prod(shape) for buffer, shape in zip(buffers, shapes, strict=True)]
    kinds = [torch.float64 if double else torch.float32 for double in is_double]
    found = [torch.frombuffer(buffer, dtype=kind) for buffer, kind in zip(buffers, kinds, strict=True)]
    found = [eps.view(1, *shape) for eps, shape in zip(found, shapes, strict=True)]
    if any(is_double):
        device = to_float64(torch.zeros(1, device=model.device)).device  # that of the model, where it has float64
        return [eps.to(device, torch.float64) for eps in found]
    return [eps.to(model.device, model.dtype) for eps in found]


def write(values: Tensor) -> bytes:
    return values.cpu().contiguous().numpy().tobytes()
