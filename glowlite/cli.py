"""The command line: `glowlite train | evaluate | sample | faces | align | export | ...`, and the lab's commands.

Another package adds its commands by an entry point of the group "glowlite.commands": a function that takes `app`.
Each command imports torch and the like itself, so that `--help` answers at once.
"""

import difflib
import inspect
import io
import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from glowlite.errors import GlowliteError, quoted, speaks
from glowlite.training.settings import TrainConfig

app = typer.Typer(
    help="Train, measure and explore Glow, a generative model that can be run backwards.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Name = Annotated[str, typer.Argument(help="A shipped model (faces64, portraits64) or a .safetensors file of your own.")]
Device = Annotated[str, typer.Option(help="Where to compute: auto, cpu, cuda, cuda:1, mps.")]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Same seed, same pictures.")]
Count = Annotated[int, typer.Option(min=1, max=100_000, help="How many pictures.")]
SheetCount = Annotated[int, typer.Option(min=1, max=10_000, help="How many pictures.")]


def with_settings(command: Callable) -> Callable:
    """Replace `**settings` in a command's signature by an option for each field of TrainConfig that has a help text."""
    signature = inspect.signature(command)
    parameters = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
    for field in fields(TrainConfig):
        if "help" in field.metadata:
            option = Annotated[field.type, typer.Option(help=field.metadata["help"])]
            parameters.append(
                inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=option)
            )
    command.__signature__ = signature.replace(parameters=parameters)
    return command


@app.command()
@with_settings
def train(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Folder of the run: state, metrics, model.")],
    preset: Annotated[str, typer.Option(help="The model: tiny, faces32, faces64, mnist, cifar10, ...")] = "faces64",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out, with its own settings unless given.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
    **settings,
) -> None:
    """Train a model. Ctrl-C saves and stops; --resume goes on as if nothing had happened."""
    given = {name for name in context.params if context.get_parameter_source(name).name != "DEFAULT"}
    asked = {name: value for name, value in settings.items() if name in given}
    if "preset" in given or not resume:
        asked["model"] = find_preset(preset)
    from glowlite.training import config as runs
    from glowlite.training import loop as training

    config = runs.continued(out, asked) if resume else TrainConfig(out=str(out), **asked)
    result = training.train(config, resume=resume, progress=not quiet)
    if speaks():
        report(result, out)
    if result.stopped_by:
        raise typer.Exit(128 + result.stopped_by)


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="Folder of a training run.")],
    name: Annotated[
        str, typer.Option(help="Name among the models that ship, or a path: with a / or ending in .safetensors.")
    ],
    count: Annotated[int, typer.Option(min=1, max=100_000, help="Held-out pictures to measure for the card.")] = 1000,
    credit: Annotated[str, typer.Option(help="Whose data it learned from, for the card.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the weights, for the card.")] = "",
    data_licence: Annotated[str, typer.Option(help="Licence of the data, for the card.")] = "",
    data: Annotated[str, typer.Option(help="The run's folder of pictures, if it lies elsewhere now.")] = "",
    device: Device = "auto",
) -> None:
    """Save a run's averaged weights as a model with a card."""
    from glowlite import checkpoint
    from glowlite.training import config as runs

    path = Path(name if name.endswith(".safetensors") else f"{name}.safetensors")
    if re.fullmatch(r"[\w-]+", name):  # a name, and no path
        path = checkpoint.SHIPPED / path
    facts = {"credit": credit, "licence": licence, "data_licence": data_licence}
    facts = {key: text for key, text in facts.items() if text}
    card = runs.export(out, path, count, find_device(device), data, facts)
    held_out = card["held_out"]
    typer.echo(f"{path}: {held_out['bits_per_dim']:.3f} bits/dim on {held_out['pictures']} held-out pictures")


@app.command()
def evaluate(
    name: Name,
    count: Count = 1000,
    data: Annotated[
        str,
        typer.Option(help='"faces", a data set (its test split), or a folder (all of it); else what its card names.'),
    ] = "",
    batch: Annotated[int, typer.Option(min=1, help="Pictures at a time.")] = 128,
    device: Device = "auto",
) -> None:
    """Bits per dimension on held-out pictures, beside what PNG and lossless WebP need for the same ones."""
    from glowlite import checkpoint, evaluation, pixels
    from glowlite.training.stream import is_folder, test_pictures

    model = checkpoint.load(name, find_device(device))
    learned = checkpoint.read_card(name, required=False).get("data", "faces")
    if not data and is_folder(learned):
        raise GlowliteError(f"{name} was trained on pictures of {learned}: name other pictures with --data.")
    data = data or learned
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
    count: SheetCount = 16,
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
    count: SheetCount = 64,
    size: Annotated[int, typer.Option(min=8, max=1024, help="Side of a face in pixels.")] = 64,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="The PNG to write.")] = Path("faces.png"),
) -> None:
    """Render faces of the training data, as one PNG."""
    from glowlite.data import faces as drawn

    save_sheet(drawn.draw(count, size=size, seed=seed).images, out)


@app.command()
def align(
    folder: Annotated[Path, typer.Argument(help="Folder of photographs with one face each.")],
    out: Annotated[Path, typer.Option(help="Folder for the crops.")],
    eyes: Annotated[
        Path | None, typer.Option(help="CSV file: file,left_x,left_y,right_x,right_y. Without it eyes are looked for.")
    ] = None,
    size: Annotated[int, typer.Option(min=8, max=1024, help="Side of a crop in pixels.")] = 64,
) -> None:
    """Crop photographs so that the eyes lie where portraits64 has them, as PNG files to train on or to edit."""
    from glowlite.data import align as aligned

    report = aligned.align_folder(folder, out, eyes, size)
    for name, sentence in {**report.remarks, **report.failed}.items():
        typer.echo(f"{name}: {sentence}", err=True)
    count = report.written + len(report.failed)
    typer.echo(f"{out}: {report.written} of {count} pictures aligned, {size} x {size}")


@app.command()
def directions(
    name: Name,
    data: Annotated[
        str, typer.Option(help='"faces", a data set with attributes, or a folder with --csv; else what its card names.')
    ] = "",
    csv: Annotated[
        str, typer.Option(help="A table of attributes for a folder: the first line file,smile,age or the like.")
    ] = "",
    count: Annotated[
        int, typer.Option(min=16, max=100_000, help="Labelled pictures to make the directions from, at most.")
    ] = 6000,
    part: Annotated[bool, typer.Option(help="Disentangle: let no attribute move another, by measuring it.")] = True,
    seed: Seed = 0,
    batch: Annotated[int, typer.Option(min=1, help="Pictures encoded at a time.")] = 128,
    device: Device = "auto",
) -> None:
    """Find the direction of each attribute in latent space, and save them beside the model."""
    from tqdm import tqdm

    from glowlite import checkpoint
    from glowlite import directions as attribute_directions
    from glowlite.data import labelled

    model = checkpoint.load(name, find_device(device))
    data = data or checkpoint.read_card(name, required=False).get("data", "faces")

    def watch(parts, what: str):
        return tqdm(parts, desc=what, disable=None)

    pictures = labelled.read(data, model.config.shape, csv=csv or None)
    found, facts = attribute_directions.make(model, pictures, count, part, seed, batch, watch)
    path = checkpoint.save_directions(name, found, {"data": data, **facts})
    typer.echo(f"{path}: {', '.join(found)}")


@app.command()
def card(name: Name) -> None:
    """Print a model's card: what it was trained on, for how long, and how well it does."""
    from glowlite import checkpoint

    typer.echo(json.dumps(checkpoint.read_card(name), indent=2))


# ---- helpers ----------------------------------------------------------------------------------------------


def report(result, out: Path) -> None:
    """Say what came of a training."""
    from glowlite.training import config as runs

    held_out = "" if result.val_bpd is None else f", {result.val_bpd:.3f} bits/dim on held-out pictures"
    typer.echo(f"{result.images:,} images in {duration(result.seconds)}{held_out}: {out / runs.MODEL}", err=True)
    if result.best and result.best[0] < result.val_bpd:
        bpd, images = result.best
        typer.echo(f"Validation was best after {images:,} images, {bpd:.3f} bits/dim: {out / runs.BEST}", err=True)
    if result.stopped_by:
        command = quoted("glowlite", "train", "--resume", "--out", out)
        typer.echo(f"Stopped and saved. To go on: {command}", err=True)


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


def add_commands() -> None:
    """Add the commands of other packages, such as the lab's; one that is not there adds none."""
    for entry in entry_points(group="glowlite.commands"):
        try:
            add = entry.load()
        except ImportError:
            continue
        add(app)


add_commands()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a mistake a person can mend is one sentence on stderr and exit code 2."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a ? for what its code page lacks, such as the sign for plus or minus
    try:
        app(arguments, prog_name="glowlite")
    except GlowliteError as error:
        if error.told or not speaks():
            sys.exit(2)
        fail(str(error))
    except OSError as error:
        if error.strerror is None:
            raise
        fail(": ".join(str(part) for part in (error.strerror, error.filename) if part))
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and "allocate" not in str(error):
            raise
        fail("There is not enough memory for this: choose fewer pictures at a time, smaller ones or a smaller model.")


def fail(text: str) -> None:
    print(f"glowlite: {text}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
