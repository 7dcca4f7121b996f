"""The command line: `glowlite train | evaluate | sample | faces | export | directions | explore | card`.

typer, because help texts, types and messages for a mistyped option come from the signatures. What is heavy is
imported inside the commands, so that `--help` answers at once.
"""

import difflib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from glowlite.errors import GlowliteError

app = typer.Typer(
    help="Train, measure and explore Glow, a generative model that can be run backwards.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Name = Annotated[str, typer.Argument(help="A model that ships (faces64) or a .safetensors file of your own.")]
Device = Annotated[str, typer.Option(help="Where to compute: auto, cpu, cuda, cuda:1, mps.")]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Same seed, same pictures.")]
Count = Annotated[int, typer.Option(min=1, help="How many pictures.")]


def option(text: str, name: str | None = None, **limits):
    """A training option. Not given, it is the run's own on resuming, else the default of `TrainConfig`."""
    return typer.Option(*([name] if name else []), help=text, show_default=False, **limits)


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="Folder of the run: state, metrics, model.")],
    preset: Annotated[str | None, option("The model: tiny, faces32, faces64, mnist, cifar10, ... [faces64]")] = None,
    data: Annotated[str | None, option('"faces", drawn afresh for ever; mnist, cifar10; or a folder. [faces]')] = None,
    images: Annotated[int | None, option("Images to see altogether; may grow on --resume. [1,000,000]", min=1)] = None,
    batch: Annotated[int | None, option("Images a step. [64]", min=1)] = None,
    lr: Annotated[float | None, option("Learning rate. [0.002]")] = None,
    optimizer: Annotated[str | None, option("adamax or adamw. [adamax]")] = None,
    warmup: Annotated[int | None, option("Images over which the learning rate rises. [10,000]", min=0)] = None,
    decay: Annotated[float | None, option("Last fraction of the images, over which it falls to 0. [0.3]")] = None,
    decay_shape: Annotated[str | None, option("linear or cosine. [linear]")] = None,
    ema: Annotated[int | None, option("Images the average of weights looks back over. [50,000]", min=0)] = None,
    clip: Annotated[float | None, option("Largest gradient norm; 0 never clips. [100]", min=0)] = None,
    init_batch: Annotated[int | None, option("Images that set every ActNorm at the start. [256]", min=1)] = None,
    validate_every: Annotated[int | None, option("Images between validations. [25,000]", min=1)] = None,
    validation_count: Annotated[int | None, option("Held-out images they use. [512]", min=1)] = None,
    log_every: Annotated[int | None, option("Images between lines of metrics. [1,000]", min=1)] = None,
    checkpoint_minutes: Annotated[float | None, option("Minutes between saved states. [5]", min=0)] = None,
    seed: Annotated[int | None, option("Of weights, data and noise. [0]", min=0)] = None,
    accelerator: Annotated[str | None, option("auto, cpu, gpu or mps. [auto]")] = None,
    devices: Annotated[int | None, option("How many of them. [1]", min=1)] = None,
    precision: Annotated[str | None, option("float32, or tf32 on a recent GPU. [float32]")] = None,
    channels_last: Annotated[
        bool | None,
        option("Memory layout: channels last or not. [last]", "--channels-last/--no-channels-last"),
    ] = None,
    threads: Annotated[int | None, option("CPU threads; 0 leaves PyTorch's choice. [0]", min=0)] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out, exactly where it was.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Train a model. Ctrl-C saves and stops; --resume goes on as if nothing had happened."""
    asked = {name: value for name, value in locals().items() if value is not None}
    for name in ("out", "preset", "resume", "quiet"):
        asked.pop(name, None)
    if preset is not None or not resume:
        asked["model"] = find_preset(preset or "faces64")
    from glowlite.training import config as runs
    from glowlite.training import loop as training

    if resume:
        config = runs.continued(out, asked)
    else:
        config = runs.TrainConfig(out=str(out), **asked)
    result = training.train(config, resume=resume, progress=not quiet)
    held_out = "" if result.val_bpd is None else f", {result.val_bpd:.3f} bits/dim on held-out pictures"
    typer.echo(f"{result.images:,} images in {duration(result.seconds)}{held_out}: {out / runs.MODEL}", err=True)
    if result.stopped_by:
        typer.echo(f"Stopped and saved. To go on: glowlite train --resume --out {out}", err=True)
        raise typer.Exit(128 + result.stopped_by)


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="Folder of a training run.")],
    name: Annotated[str, typer.Option(help="Name among the models that ship, or a path ending in .safetensors.")],
    count: Annotated[int, typer.Option(min=1, help="Held-out pictures to measure for the card.")] = 1000,
    device: Device = "auto",
) -> None:
    """Save a run's averaged weights as a model with a card."""
    from glowlite import checkpoint
    from glowlite.training import config as runs

    path = Path(name) if name.endswith(".safetensors") else checkpoint.SHIPPED / f"{name}.safetensors"
    card = runs.export(out, path, count, find_device(device))
    held_out = card["held_out"]
    typer.echo(f"{path}: {held_out['bits_per_dim']:.3f} bits/dim on {held_out['pictures']} held-out pictures")


@app.command()
def evaluate(
    name: Name,
    count: Count = 1000,
    data: Annotated[str, typer.Option(help='"faces", a data set (its test split), or a folder (all of it).')] = "faces",
    batch: Annotated[int, typer.Option(min=1, help="Pictures at a time.")] = 128,
    device: Device = "auto",
) -> None:
    """Bits per dimension on held-out pictures, beside what PNG and lossless WebP need for the same ones."""
    from glowlite import checkpoint, evaluation, pixels
    from glowlite.training.stream import test_pictures

    model = checkpoint.load(name, find_device(device))
    images = test_pictures(data, model.config.shape, count)
    rows = [(Path(name).stem, evaluation.bits_per_dim(model, images, batch))]
    shown = pixels.quantize(images, model.config.n_bits)  # codecs get no more bits to store than the model
    for codec, label in (("png", "PNG, optimised"), ("webp", "WebP, lossless")):
        rows.append((label, evaluation.codec_bits_per_dim(shown, codec)))
    shape, n_bits = " x ".join(map(str, model.config.shape)), model.config.n_bits
    typer.echo(f"{len(images)} pictures ({data}), {shape}, {n_bits} bits a value; mean ± standard error")
    typer.echo(f"{'':<20}{'bits/dim':>10}{'':>10}{'bytes a picture':>18}")
    for label, bpd in rows:
        error = bpd.std(correction=1).item() / len(bpd) ** 0.5 if len(bpd) > 1 else 0.0
        size = bpd.mean().item() * model.dims / 8
        typer.echo(f"{label:<20}{bpd.mean().item():>10.3f}  ± {error:<6.3f}{size:>18,.0f}")
    typer.echo("A codec's file holds one picture, header included; the model's is the length for an ideal coder.")


@app.command()
def sample(
    name: Name,
    count: Count = 16,
    temperature: Annotated[float, typer.Option(min=0, help="1 is the model's own; lower is calmer.")] = 0.7,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="The PNG to write.")] = Path("samples.png"),
    device: Device = "auto",
) -> None:
    """Draw fresh pictures from a model, as one PNG."""
    import torch

    from glowlite import checkpoint

    model = checkpoint.load(name, find_device(device))
    generator = torch.Generator().manual_seed(seed)  # on the CPU: the same pictures on every machine
    save_sheet(model.sample(count, temperature=temperature, generator=generator).cpu(), out)


@app.command()
def faces(
    count: Count = 64,
    size: Annotated[int, typer.Option(min=8, max=1024, help="Side of a face in pixels.")] = 64,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="The PNG to write.")] = Path("faces.png"),
) -> None:
    """Draw faces of the training data, as one PNG."""
    from glowlite.data import faces as drawn

    save_sheet(drawn.draw(count, size=size, seed=seed).images, out)


@app.command()
def directions(
    name: Name,
    count: Annotated[int, typer.Option(min=16, help="Labelled faces to make the directions from.")] = 4096,
    part: Annotated[bool, typer.Option(help="Part attributes that drag each other along, by measuring it.")] = True,
    seed: Seed = 1,
    batch: Annotated[int, typer.Option(min=1, help="Faces encoded at a time.")] = 128,
    device: Device = "auto",
) -> None:
    """Find the direction of each attribute of a face in latent space, and keep them beside the model."""
    from tqdm import tqdm

    from glowlite import checkpoint, evaluation
    from glowlite import directions as attribute_directions
    from glowlite.data import faces as drawn
    from glowlite.training.stream import face_size

    model = checkpoint.load(name, find_device(device))
    size = face_size(model.config.shape)
    images, attributes = drawn.draw(count, size=size, seed=seed)

    def watch(parts):
        return tqdm(parts, desc="encoding", unit=f" x {batch} faces", disable=None)

    found = attribute_directions.find(model, images, attributes, batch, watch)
    facts = {"data": "faces", "count": count, "seed": seed, "parted": part}
    if part:
        typer.echo("Training a meter of attributes, and measuring what each direction moves ...", err=True)
        meter = evaluation.train_meter(size=size, seed=attribute_directions.METER_SEED)
        probe = drawn.draw(128, size=size, seed=attribute_directions.METER_SEED + 1).images
        found = attribute_directions.disentangle(model.cpu(), found, meter, probe)
    path = checkpoint.save_directions(name, found, facts)
    typer.echo(f"{path}: {', '.join(found)}")


@app.command()
def explore(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page.")] = 8866,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Open the explorers in the browser."""
    try:
        from glowlab import serve
    except ModuleNotFoundError as error:
        raise GlowliteError(
            f"The explorers need {error.name}: run make explore, or pip install 'glowlite[explorers]'"
        ) from error
    serve.main(port=port, open_browser=browser)


@app.command()
def card(name: Name) -> None:
    """Print a model's card: what it was trained on, for how long, and how well it does."""
    from glowlite import checkpoint

    typer.echo(json.dumps(checkpoint.read_card(name), indent=2))


# ---- helpers ----------------------------------------------------------------------------------------------


def find_preset(name: str):
    """The preset's GlowConfig; a GlowliteError lists the presets and guesses which one was meant."""
    from glowlite.glow import PRESETS

    if name not in PRESETS:
        close = difflib.get_close_matches(name, PRESETS, n=1)
        guess = f" Did you mean {close[0]}?" if close else ""
        raise GlowliteError(f"There is no preset {name!r}.{guess} The presets are {', '.join(PRESETS)}.")
    return PRESETS[name]


def find_device(name: str):
    """The torch device of that name; "auto" takes a GPU where there is one."""
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise GlowliteError(f"The device {name!r} cannot be used here: try cpu.") from error
    return device


def save_sheet(images, out: Path) -> None:
    """Pictures uint8 (N, C, H, W) as one contact sheet, about as wide as it is high."""
    from glowlite.sheet import save_png, sheet

    save_png(out, sheet(images, columns=max(1, round(len(images) ** 0.5))))
    typer.echo(f"{out}: {len(images)} pictures")


def duration(seconds: float) -> str:
    """Seconds as a person says them: 3 h 5 min, 12 min, 40 s."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a mistake a person can mend is one sentence on stderr and exit code 2."""
    try:
        app(arguments, prog_name="glowlite")
    except GlowliteError as error:
        fail(str(error))
    except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
        if error.filename is None:
            raise
        fail(f"{error.strerror}: {error.filename}")


def fail(text: str) -> None:
    print(f"glowlite: {text}", file=sys.stderr)
    sys.exit(2)
