"""Training: one loop for CPU and GPU that can stop at any step and later go on exactly.

The unit of every schedule is images seen. Batches and noise are functions of (seed, step), so a saved state
is the weights, their average, the optimiser and the step number. Lightning Fabric places the model, on one
process or on several; the loop itself is here.
"""

import copy
import math
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, distributed
from torch.optim.swa_utils import get_ema_multi_avg_fn
from tqdm import tqdm

from glowlite import checkpoint, evaluation, pixels
from glowlite.errors import GlowliteError
from glowlite.flows import Coupling
from glowlite.flows.reversible import set_memory
from glowlite.glow import Glow
from glowlite.seeds import generator
from glowlite.training import metrics
from glowlite.training.config import (
    BEST,
    METRICS,
    MODEL,
    STATE,
    TrainConfig,
    ema_decay,
    last_state,
    learning_rate,
    read_run,
    run_card,
    with_prefix,
)
from glowlite.training.heartbeat import Heartbeat
from glowlite.training.nonfinite import PICTURES, first_nonfinite
from glowlite.training.optimizers import make_optimizer
from glowlite.training.process import StopRequest, locked, require_same, start_fabric
from glowlite.training.stream import compare_pictures, flip_half, full_name, open_stream

EPOCHS = 100  # at most between two validations
NOISE, START, VALIDATION, FLIP = 1, 2, 3, 4  # what a random generator is for; mixed into its seed
SMALLER = "try again with a smaller --lr or --clip"


@dataclass
class Result:
    """The end of a run: val_bpd in bits per dimension, `stopped_by` the number of a signal or 0.

    best: the best val_bpd of all and the images seen then, if the pictures are a limited number.
    """

    images: int
    seconds: float
    val_bpd: float | None
    stopped_by: int
    best: tuple[float, int] | None = None


def train(config: TrainConfig, resume: bool = False, progress: bool = True) -> Result:
    """Train until `config.images` or a signal to stop, and leave a state and a usable model in `config.out`.

    resume: go on from the state there; the steps that follow are those of a run that was never stopped.
    Errors: GlowliteError for a folder that holds a run already (or none, on resuming) or where another one is at
    work, for a last state that cannot be saved, and for a loss or gradient that is not finite; the state on disk
    is then the last good one.

    >>> import tempfile
    >>> from glowlite.glow import PRESETS
    >>> with tempfile.TemporaryDirectory() as out:
    ...     config = TrainConfig(PRESETS["tiny"], out, images=32, batch=16, validation_count=8, accelerator="cpu")
    ...     train(config, progress=False).images
    32
    """
    fabric = start_fabric(config)
    heartbeat = Heartbeat(fabric, lambda: f"{last_state(config.out)}: start again with --resume.")
    with StopRequest() as stop, heartbeat, locked(Path(config.out)):
        return Trainer(config, resume, progress, fabric).fit(stop)


class Trainer:
    """The state of a run and its loop; call `train` to use it."""

    def __init__(self, config: TrainConfig, resume: bool = False, progress: bool = True, fabric: Fabric | None = None):
        self.out = Path(config.out)
        if (self.out / STATE).exists() and not resume:
            raise GlowliteError(
                f"{self.out} already holds a training: --resume goes on with it; or choose another --out."
            )
        tensors, meta = read_run(self.out) if resume else ({}, {})
        self.config = config = replace(config, data=full_name(config.data))
        self.progress = progress
        self.steps = meta.get("step", 0)
        self.seconds, self.val_bpd = meta.get("seconds", 0.0), meta.get("val_bpd")
        self.validation_pictures = meta.get("validation_pictures", config.validation_count)
        self.best = meta.get("best")  # (bits/dim of a validation, images)
        # sums of bits/dim and gradient norm, and how many, since the last line of metrics
        self.window = meta.get("window", [0.0, 0.0, 0])
        if config.threads:
            torch.set_num_threads(config.threads)
        self.fabric = fabric or start_fabric(config)
        self.device = self.fabric.device
        self.main = self.fabric.is_global_zero
        self.place = self.fabric.global_rank, self.fabric.world_size
        batch, seed, shape = config.batch // self.fabric.world_size, config.seed, config.model.shape
        with self.fabric.rank_zero_first(local=True):  # which caches the pictures of a folder
            self.stream = open_stream(config.data, shape, batch, seed, self.device, *self.place, meta.get("limit"))
        self.validate_every = config.validate_every
        if self.is_limited:
            self.validate_every = min(config.validate_every, EPOCHS * len(self.stream.training))
        if "pictures" in tensors:
            compare_pictures(config.data, self.stream.digests, meta["train"]["data"], tensors["pictures"])
        self.layout = torch.channels_last if config.channels_last else torch.contiguous_format
        glow = Glow(config.model).to(self.device, memory_format=self.layout)
        if not resume:
            self.initialize(glow)
        self.average = copy.deepcopy(glow).requires_grad_(False).eval()
        self.glow = glow.train()
        set_precision(glow, config.precision)
        set_memory(glow, config.memory)
        self.optimizer = make_optimizer(config.optimizer, glow, config.lr)
        if resume:
            self.restore(tensors)
        pictures = 0 if self.stream.digests is None else int(self.stream.digests.sum())
        require_same(self.fabric, self.images, config.to_dict() | {"out": "", "data": pictures})
        self.model, self.stepper = self.fabric.setup(glow, self.optimizer)
        if not resume:
            self.average.load_state_dict(glow.state_dict())  # the first process has sent its weights to all
        self.model.mark_forward_method("log_density")
        if self.main:
            self.out.mkdir(parents=True, exist_ok=True)
            self.log = metrics.MetricsFile(self.out / METRICS, self.images)

    @property
    def images(self) -> int:
        """Images seen so far."""
        return self.steps * self.config.batch

    @property
    def is_limited(self) -> bool:
        """Whether the pictures can run out, so that a model may learn them by heart."""
        return self.stream.limit is not None

    def initialize(self, glow: Glow) -> None:
        """Set every ActNorm from one large batch, the same on every process."""
        noise = generator(self.device, self.config.seed, START)
        x = pixels.dequantize(self.stream.first(self.config.init_batch), self.config.model.n_bits, noise)
        glow.initialize(x.contiguous(memory_format=self.layout))

    # ---- the loop ----------------------------------------------------------------------------------------

    def fit(self, stop: StopRequest) -> Result:
        config, clock, saved = self.config, time.monotonic(), time.monotonic()
        bar = tqdm(
            total=config.images, initial=self.images, unit=" images", unit_scale=True, smoothing=0.02,
            disable=not (self.progress and self.main), mininterval=0.5 if os.isatty(2) else 30, delay=0.1,
        )  # fmt: skip
        smooth, stopped, line = None, 0, (time.monotonic(), self.images)
        while self.images < config.images and not stopped:
            bpd, norm, rate, stopped = self.step(stop)
            now = time.monotonic()
            self.seconds, clock = self.seconds + now - clock, now
            smooth = bpd if smooth is None else 0.98 * smooth + 0.02 * bpd
            self.window = [self.window[0] + bpd, self.window[1] + norm, self.window[2] + 1]
            if self.passed(config.log_every):
                speed = (self.images - line[1]) / max(now - line[0], 1e-9)
                self.write_line(rate, speed)
                line = (now, self.images)
            if self.passed(self.validate_every) or (self.images >= config.images and not stopped):
                self.validate()
                line = (line[0] + time.monotonic() - now, line[1])  # speed is of training alone
            if time.monotonic() - saved > 60 * config.checkpoint_minutes:
                self.attempt(self.save)
                saved = time.monotonic()
            held_out = "" if self.val_bpd is None else f", validation {self.val_bpd:.3f}"
            bar.set_postfix_str(f"{smooth:.3f} bits/dim{held_out}", refresh=False)
            with suppress(OSError):  # a log on a full disk
                bar.update(config.batch)
        with suppress(OSError):
            bar.close()
        self.save()
        self.save_model(MODEL)
        return Result(self.images, self.seconds, self.val_bpd, stopped, self.best)

    def step(self, stop: StopRequest) -> tuple[float, float, float, int]:
        """One step: (bits/dim of the batch, gradient norm before clipping, learning rate, signal or 0)."""
        config = self.config
        rate = learning_rate(config, self.images)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        # 0, on every process: what the first of several once had, so that older states go on exactly
        noise = generator(self.device, config.seed, NOISE, self.steps, 0)
        images = self.stream.batch(self.steps)
        if config.flip:
            images = flip_half(images, generator(self.device, config.seed, FLIP, self.steps, 0), *self.place)
        x = pixels.dequantize(images, config.model.n_bits, noise, *self.place)
        x = x.contiguous(memory_format=self.layout)
        self.stepper.zero_grad(set_to_none=True)
        loss = self.backward(x)
        norm = self.fabric.clip_gradients(
            self.model, self.stepper, max_norm=config.clip or math.inf, error_if_nonfinite=False
        )
        # The one wait for the device in a step. It must come before the weights change: a step with a
        # gradient that is not finite would leave nothing to save, and no layer to name.
        bpd, norm, asked = self.agree(torch.stack([loss, norm, loss.new_full((), float(stop.signal))]))
        if not (math.isfinite(bpd) and math.isfinite(norm)):
            raise GlowliteError(self.explain(x, "loss" if not math.isfinite(bpd) else "gradient"))
        self.stepper.step()
        self.update_average()
        self.steps += 1
        return bpd, norm, rate, round(asked)

    def backward(self, x: Tensor) -> Tensor:
        """Bits/dim of this process's share of the batch; leaves its gradients, averaged over all processes."""
        loss, parts = 0.0, x.split(self.config.micro_batch or len(x))
        for number, part in enumerate(parts, 1):
            with self.fabric.no_backward_sync(self.model, enabled=number < len(parts)):
                log_prob = self.model.log_density(part) - pixels.log_bins(self.glow.dims, self.config.model.n_bits)
                bpd = pixels.bits_per_dim(log_prob, self.glow.dims).mean() * (len(part) / len(x))
                self.fabric.backward(bpd)
            loss = loss + bpd.detach()
        return loss

    def agree(self, values: Tensor) -> list[float]:
        """(loss, norm, signal) over all processes: means of the first two, the largest of the last."""
        if self.fabric.world_size > 1:
            means = self.fabric.all_reduce(values[:2].clone(), reduce_op="mean")
            values = torch.cat([means, self.fabric.all_reduce(values[2:].clone(), reduce_op="max")])
        return values.tolist()

    def update_average(self) -> None:
        update = get_ema_multi_avg_fn(ema_decay(self.config, self.steps))
        with torch.no_grad():
            update(list(self.average.parameters()), list(self.glow.parameters()), None)

    def passed(self, every: int) -> bool:
        """Whether the last step went past a multiple of `every` images."""
        return self.images // every > (self.images - self.config.batch) // every

    def write_line(self, rate: float, speed: float) -> None:
        bpd, norm, steps = self.window
        self.window = [0.0, 0.0, 0]
        if self.main:
            self.log.write(
                images=self.images,
                seconds=round(self.seconds, 2),
                bpd=bpd / steps,
                grad_norm=norm / steps,
                lr=rate,
                images_per_second=round(speed, 2),
            )

    def validate(self) -> None:
        """Bits per dimension of the averaged weights on the pictures kept back; the same noise every time."""
        pictures = self.stream.held_out(self.config.validation_count)
        rank, world = self.place
        bpd = evaluation.bits_per_dim(self.average, pictures, seed=VALIDATION, rank=rank, world=world).sum()
        if world > 1:  # each has measured its part of them
            bpd = self.fabric.all_reduce(bpd.to(self.device), reduce_op="sum")
        self.val_bpd, self.validation_pictures = bpd.item() / len(pictures), len(pictures)
        if self.main:
            self.log.write(images=self.images, seconds=round(self.seconds, 2), val_bpd=self.val_bpd)
        if self.is_limited and (self.best is None or self.val_bpd < self.best[0]):
            self.best = (self.val_bpd, self.images)
            self.attempt(lambda: self.save_model(BEST))

    # ---- what is kept ------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write the whole state to `out`, atomically; GlowliteError instead if a number of it is not finite."""
        if not self.main:
            return
        tensors = {f"model.{name}": value for name, value in self.glow.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.average.state_dict().items()}
        for name, weight in self.glow.named_parameters():
            state = self.optimizer.state.get(weight, {})
            tensors |= {f"optimizer.{name}.{key}": value for key, value in state.items()}
        for name, value in tensors.items():  # a step from a finite gradient may still overflow
            if not bool(value.isfinite().all().cpu()):
                raise GlowliteError(
                    f"After {self.images:,} images {name} is not finite; {last_state(self.out)}: {SMALLER}."
                )
        if self.stream.digests is not None:
            tensors["pictures"] = self.stream.digests
        checkpoint.write_state(self.out / STATE, tensors, self.facts())

    def save_model(self, name: str) -> None:
        """Write the averaged weights, with a card, as the model `name` in `out`."""
        if self.main:
            checkpoint.save(self.out / name, self.average, run_card(self.config, self.facts()))

    def attempt(self, save: Callable[[], None]) -> None:
        """Call `save`; where nothing can be written, say so and go on: the file of before is still there."""
        try:
            save()
        except GlowliteError as error:
            with suppress(OSError):
                tqdm.write(f"{error} What was saved before is kept; the next checkpoint tries again.", file=sys.stderr)

    def facts(self) -> dict:
        """All of the state that is not a tensor, for JSON."""
        return {
            "kind": "glowlite training",
            "format": checkpoint.FORMAT,
            "train": self.config.to_dict(),
            "step": self.steps,
            "images": self.images,
            "seconds": self.seconds,
            "val_bpd": self.val_bpd,
            "best": self.best,
            "validation_pictures": self.validation_pictures,
            "limit": self.stream.limit,
            "window": self.window,
            "machine": metrics.machine(self.device),
            "versions": metrics.versions(),
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Weights, average and optimiser from the tensors that `save` wrote."""
        for prefix, model in (("model.", self.glow), ("average.", self.average)):
            model.load_state_dict(with_prefix(tensors, prefix))
        for name, weight in self.glow.named_parameters():
            for key, value in with_prefix(tensors, f"optimizer.{name}.").items():
                if key != "step":  # in the weight's memory layout, as the optimiser would make it
                    value = torch.empty_like(weight).copy_(value).detach()
                self.optimizer.state[weight][key] = value

    def explain(self, x: Tensor, what: str) -> str:
        """One sentence for a loss or gradient that is not finite: its first layer, and the last good state."""
        set_memory(self.glow, "stored")
        found = [first_nonfinite(self.glow, x)]
        if self.place[1] > 1:  # it may be in the pictures of one process alone
            found *= self.place[1]
            distributed.all_gather_object(found, found[0])
        where = min(found, key=lambda each: each.startswith("no layer"))
        if what == "gradient" and self.config.memory == "reversible" and where.startswith("no layer"):
            return (
                f"After {self.images:,} images the model's inverse no longer finds its inputs, and reversible memory "
                f"would give wrong gradients; {last_state(self.out)}: go on with --memory checkpointed"
                f"{' --resume' * (self.out / STATE).exists()}."
            )
        advice = "look at what --data holds" if where == PICTURES else SMALLER
        kept = last_state(self.out)
        return f"The {what} is not finite after {self.images:,} images, first in {where}; {kept}: {advice}."


def set_precision(model: Glow, precision: str) -> None:
    """Let the couplings' networks multiply in bfloat16 if precision is "bf16"; all else stays in float32."""
    for layer in model.modules():
        if isinstance(layer, Coupling):
            layer.autocast = torch.bfloat16 if precision == "bf16" else None
