"""TrainConfig: the settings of a training run, each with its default, its help text and its limits.

The command line makes its options from these fields, so this module loads without torch.
"""

from dataclasses import asdict, dataclass, field, fields, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING

from glowlite.errors import GlowliteError

if TYPE_CHECKING:
    from glowlite.glow import GlowConfig


LARGEST = 10**15  # of any number that has no limit of its own


def setting(default, help: str, choices: tuple[str, ...] = (), **limits):
    """A field of TrainConfig with its help text, to which choices are added, and its limits: min, max or above."""
    if choices:
        help = f"{help}: {' or '.join(choices)}."
    return field(default=default, metadata={"help": help, "choices": choices, **limits})


@dataclass(frozen=True)
class TrainConfig:
    """The settings of a training run. Counts are of images, unless a name says otherwise.

    >>> from glowlite.glow import PRESETS
    >>> TrainConfig(PRESETS["tiny"], out="runs/tiny", batch=64).lr
    0.002
    """

    model: "GlowConfig"
    out: str
    data: str = setting(
        "faces",
        'Training pictures: "faces" (rendered without end), mnist, fashion-mnist, cifar10, celeba, or a folder.',
    )
    flip: bool = setting(False, "Mirror each image left to right with probability 1/2.")
    images: int = setting(1_000_000, "Images to see in all; may grow on --resume.", above=0)
    batch: int = setting(32, "Images per step, of all devices together.", above=0, max=2**16)
    optimizer: str = setting("muon", "Optimizer", choices=("muon", "adamw", "adamax"))
    lr: float = setting(2e-3, "Learning rate.", above=0)
    warmup: int = setting(5_000, "Images over which the learning rate rises.", min=0)
    decay: float = setting(0.3, "Last fraction of the images, over which the learning rate falls to 0.", min=0, max=1)
    decay_shape: str = setting("linear", "How it falls", choices=("linear", "cosine"))
    ema: int = setting(20_000, "Images over which the weights are averaged (EMA).", min=0)
    clip: float = setting(10.0, "Largest norm of the gradient of bits per dimension; 0 never clips.", min=0)
    init_batch: int = setting(256, "Images that initialise every ActNorm.", above=0, max=2**16)
    validate_every: int = setting(25_000, "Images between validations; never more than 100 epochs.", above=0)
    validation_count: int = setting(512, "Held-out images of a validation.", above=0, max=2**20)
    log_every: int = setting(1_000, "Images between lines of metrics.", above=0)
    checkpoint_minutes: float = setting(5.0, "Minutes between saved states.", min=0)
    seed: int = setting(0, "Seed of weights, data and noise.", min=0, max=2**31 - 1)
    accelerator: str = setting("auto", "Accelerator", choices=("auto", "cpu", "gpu", "cuda", "mps"))
    devices: int = setting(
        1, "How many devices of that kind; under torchrun as many as it starts processes.", above=0, max=1024
    )
    micro_batch: int = setting(
        0,
        "Images that a device computes at a time, to save memory: it sums the gradients of several such parts "
        "(gradient accumulation); 0: its whole share of the batch.",
        min=0,
        max=2**16,
    )
    precision: str = setting(
        "float32",
        "Precision of products: tf32 of all, on recent GPUs; bf16 of the couplings' networks, on GPUs and CPUs that "
        "have it (twice as fast there)",
        choices=("float32", "tf32", "bf16"),
    )
    memory: str = setting(
        "stored",
        "Activations for the backward pass: all of them; one for each step and the rest computed again; or one for "
        "each level and the rest from its inverse",
        choices=("stored", "checkpointed", "reversible"),
    )
    channels_last: bool = setting(True, "Keep images in memory with their channels last.")
    threads: int = setting(0, "CPU threads; 0 leaves PyTorch's choice.", min=0, max=1024)

    def __post_init__(self):
        object.__setattr__(self, "model", replace(self.model, seed=self.seed))
        for each in fields(self):
            value = getattr(self, each.name)
            if wanted := _broken_limit(value, each.default, **each.metadata):
                raise GlowliteError(f"{each.name} must be {wanted}, not {value!r}")
        if (self.memory, self.precision) == ("reversible", "tf32"):
            raise GlowliteError("tf32 cannot undo a step exactly, so reversible memory needs precision float32 or bf16")
        if self.batch % self.devices:
            raise GlowliteError(f"a batch of {self.batch} cannot be shared equally by {self.devices} devices")

    def to_dict(self) -> dict:
        """Plain values for JSON."""
        return asdict(self) | {"model": self.model.to_dict()}

    @classmethod
    def from_dict(cls, values: dict) -> "TrainConfig":
        """The reverse of `to_dict`; a setting that this version does not know is an error."""
        from glowlite.glow import GlowConfig

        if unknown := set(values) - {each.name for each in fields(cls)}:
            raise GlowliteError(f"unknown setting {', '.join(sorted(unknown))} in a training run's state")
        return cls(**values | {"model": GlowConfig.from_dict(values["model"])})


def _broken_limit(value, default, choices=(), above=None, min=None, max=LARGEST, **other) -> str:
    """The limit that a value breaks, in words; "" if it breaks none. NaN breaks every limit."""
    if choices:
        return "" if value in choices else " or ".join(choices)
    if above is None and min is None:
        return ""
    kind, name = (Real, "a number") if isinstance(default, float) else (Integral, "a whole number")
    if isinstance(value, bool) or not isinstance(value, kind):
        return name
    if above is not None and not value > above:
        return f"more than {above}"
    if min is not None and max < LARGEST and not min <= value <= max:
        return f"from {min} to {max:,}"
    if min is not None and not value >= min:
        return f"{min} or more"
    return "" if value <= max else f"at most {max:,}"
