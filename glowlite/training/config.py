"""Training schedules, the saved state of a run, and its export as a checkpoint with a card."""

import math
from dataclasses import replace
from datetime import date
from pathlib import Path

import torch
from torch import Tensor

from glowlite import checkpoint, evaluation
from glowlite.errors import GlowliteError
from glowlite.glow import PRESETS, Glow, GlowConfig
from glowlite.training.settings import TrainConfig
from glowlite.training.stream import full_name, is_folder, open_stream, short_name, test_pictures

# In a run's folder. The best model is that of the best validation, kept where pictures are a limited number.
STATE, METRICS, MODEL, BEST = "last.safetensors", "metrics.jsonl", "model.safetensors", "best.safetensors"


# What may change when a run goes on: the schedule from there on, and what leaves the weights alone.
MAY_CHANGE = (
    *("flip", "images", "lr", "warmup", "decay", "decay_shape", "ema", "clip"),
    *("validate_every", "log_every", "checkpoint_minutes", "memory", "micro_batch"),
    *("accelerator", "devices", "threads"),
)


def learning_rate(config: TrainConfig, seen: int) -> float:
    """lr of the step that follows `seen` images: linear warm-up, flat, then down to 0 at `config.images`.

    >>> config = TrainConfig(PRESETS["tiny"], "runs/tiny", lr=1.0, images=1000, batch=100, warmup=200, decay=0.5)
    >>> [learning_rate(config, seen) for seen in (0, 400, 750)]
    [0.5, 1.0, 0.5]
    """
    rate = config.lr * min(1.0, (seen + config.batch) / max(config.warmup, 1))
    falling = config.decay * config.images
    left = min(1.0, max(0, config.images - seen) / falling) if falling else 1.0
    return rate * (left if config.decay_shape == "linear" else 0.5 - 0.5 * math.cos(math.pi * left))


def ema_decay(config: TrainConfig, step: int) -> float:
    """The share of the average of weights that a step keeps: a short memory at first, `config.ema` images later."""
    long = math.exp(-config.batch / config.ema) if config.ema else 0.0
    return min(long, (1 + step) / (10 + step))


ADAMW, ADAMAX, MUON = {"step", "exp_avg", "exp_avg_sq"}, {"step", "exp_avg", "exp_inf"}, {"momentum"}
KEPT = {"adamw": [ADAMW], "adamax": [ADAMAX], "muon": [MUON, ADAMW]}  # by an optimizer for a parameter


def read_run(out: str | Path) -> tuple[dict[str, Tensor], dict]:
    """Tensors and facts of the state in a run's folder. GlowliteError if there is none, or if it lacks anything."""
    path = Path(out) / STATE
    if not path.exists():
        raise GlowliteError(f"{out} holds no training to go on with ({STATE} is missing): start one without --resume.")
    tensors, meta = checkpoint.read_state(path)
    if meta.get("kind") != "glowlite training":
        raise GlowliteError(f"{path} is not the state of a training run.")
    try:
        config = TrainConfig.from_dict(meta["train"])
        tensors = tensors if meta.get("format", 1) >= checkpoint.FORMAT else _from_format_1(tensors, config.model, meta)
        model = checkpoint.build(config.model, with_prefix(tensors, "model."))
        checkpoint.build(config.model, with_prefix(tensors, "average."))
    except (GlowliteError, LookupError, TypeError) as error:
        raise GlowliteError(f"{path} cannot be used, so start a new run: {error}") from error
    kept = {}
    for name, value in with_prefix(tensors, "optimizer.").items():
        name, _, key = name.rpartition(".")
        kept.setdefault(name, {})[key] = value.shape
    for name, weight in model.named_parameters():
        one = kept.get(name, {})
        fits = all(shape == weight.shape for key, shape in one.items() if key != "step")
        if set(one) not in KEPT[config.optimizer] or not fits:
            raise GlowliteError(f"{path} lacks the optimizer's memory of {name}, so start a new run.")
    return tensors, meta


def last_state(out: str | Path) -> str:
    """Where the last good state of a run is, in words."""
    state = Path(out) / STATE
    return f"the last good state is {state}" if state.exists() else "no state was saved yet"


def with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, by the rest of their names."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _from_format_1(tensors: dict[str, Tensor], config: GlowConfig, meta: dict) -> dict[str, Tensor]:
    """Rename a state's tensors to today's names. Format 1 numbered weights: of all steps, of all splits, of the top."""
    new = {}
    for prefix in ("model.", "average."):
        part = checkpoint.renamed(with_prefix(tensors, prefix), meta, config.levels)
        new |= {prefix + name: value for name, value in part.items()}
    with torch.device("meta"):
        names = [name for name, _ in Glow(config).named_parameters()]
    top = f"levels.{config.levels - 1}.split."
    numbered = sorted(names, key=lambda name: (".split." in name) + name.startswith(top))  # else in their order
    for index, name in enumerate(numbered):
        part = with_prefix(tensors, f"optimizer.{index}.")
        new |= {f"optimizer.{name}.{key}": value for key, value in part.items()}
    return new


def continued(out: str | Path, changes: dict) -> TrainConfig:
    """Settings with which the run in `out` goes on: its own and `changes`, of MAY_CHANGE alone.

    The data may lie elsewhere now; that they are the same pictures is seen when they are read.
    """
    config = TrainConfig.from_dict(read_run(out)[1]["train"])
    if "data" in changes:
        changes = changes | {"data": full_name(changes["data"])}
    new = replace(config, **changes | {"out": str(out)})
    for name in changes:
        was, now = getattr(config, name), getattr(new, name)
        moved = name == "data" and "faces" not in (was, now)
        if name not in MAY_CHANGE and now != was and not moved:
            raise GlowliteError(
                f"{name} was {_shown(was)} when the run in {out} began and cannot become {_shown(now)} now: "
                f"leave it out, or start a new run (only {', '.join(MAY_CHANGE)} may change)."
            )
    return new


def _shown(value) -> str:
    """A setting in an error message; a model by the name of its preset."""
    if isinstance(value, GlowConfig):
        value = replace(value, seed=0)
        return next((name for name, preset in PRESETS.items() if preset == value), "another model")
    return str(value)


def run_card(config: TrainConfig, meta: dict) -> dict:
    """The part of a checkpoint's card that describes the run that made it; `meta` are the facts of its state."""
    data = short_name(config.data)
    pictures = meta.get("validation_pictures", config.validation_count)
    settings = {key: value for key, value in config.to_dict().items() if key not in ("model", "out")}
    return {
        "data": data,
        "seed": config.seed,
        "images_seen": meta["images"],
        "seconds": round(meta["seconds"], 1),
        "machine": meta["machine"],
        "validation": {"bits_per_dim": meta["val_bpd"], "pictures": pictures},
        "training": settings | {"data": data},
        "versions": meta["versions"],
        "date": date.today().isoformat(),
    }


def export(
    out: str | Path, path: str | Path, count: int = 1000, device="cpu", data: str = "", facts: dict | None = None
) -> dict:
    """Save a run's averaged weights as the checkpoint `path`, with a card; returns the card.

    The card's held-out bits per dimension are measured here, on at most `count` pictures that neither trained
    the model nor chose anything about it. Seconds are of training, over all the times the run was resumed.
    data: where the run's pictures are now, if not where they were. facts: more for the card, such as its licence.
    """
    tensors, meta = read_run(out)
    config = continued(out, {"data": data} if data else {})
    model = Glow(config.model)
    model.load_state_dict(with_prefix(tensors, "average."))
    model.eval().to(device)
    if is_folder(config.data):  # has no test split, but a part that no batch contained
        what = f"validation pictures of {short_name(config.data)}"
        stream = open_stream(config.data, config.model.shape, config.batch, config.seed, limit=meta.get("limit"))
        pictures = stream.held_out(count)
    else:
        what = "faces of a seed kept for this" if config.data == "faces" else f"test split of {config.data}"
        pictures = test_pictures(config.data, config.model.shape, count)
    bpd = evaluation.bits_per_dim(model, pictures)
    card = run_card(config, meta) | (facts or {})
    card |= {
        "held_out": {
            "bits_per_dim": round(bpd.mean().item(), 4),
            # standard deviation from picture to picture
            "spread": round(bpd.std().item(), 4) if len(bpd) > 1 else None,
            "pictures": len(bpd),
            "what": what,
        }
    }
    checkpoint.save(path, model.cpu(), card)
    return card
