"""The lab's commands of `glowlite`: explore, present, site, export-web, notebooks, student, grade,
precompute, posters.

`glowlite --help` imports this file, so it imports nothing of the lab itself; each command imports what it runs.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from glowlite.errors import GlowliteError, quoted


def add(app: typer.Typer) -> None:
    """Add the lab's commands to the command line: the entry point of pyproject.toml."""
    app.command()(explore)
    large = {"default_map": {"lecture": True}}
    app.command("present", help="Open the explorers in large type, for a lecture hall.", context_settings=large)(
        explore
    )
    for command in (site, export_web, notebooks, student, grade, precompute, posters):
        app.command()(command)


@contextmanager
def needs(extras: str) -> Iterator[None]:
    """Turn a missing package into a GlowliteError that says which extras of glowlite to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "glowlite", "glowlab"):  # a fault of our own
            raise
        raise GlowliteError(f"This command needs {package}: pip install 'glowlite[{extras}]'") from error


@needs("lab")
def explore(
    port: Annotated[int, typer.Option(help="Port of the page; 0 takes any that is free.")] = 8866,
    host: Annotated[
        str, typer.Option(help="Address to listen at; 0.0.0.0 lets others in, with a token.")
    ] = "127.0.0.1",
    token: Annotated[str, typer.Option(help="Token of visitors from elsewhere; made up if not given.")] = "",
    visitors: Annotated[int, typer.Option(min=0, help="Most visitors at once; 0: as memory and cores allow.")] = 0,
    lecture: Annotated[bool, typer.Option("--lecture", help="Open in large type, for a projector.")] = False,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser, or only print its address.")] = True,
    dashboard: Annotated[str, typer.Option(help="An explorer to open, or the path of a notebook to serve alone.")] = "",
    domain: Annotated[str, typer.Option(help="Name under which a web server in front passes visitors on.")] = "",
    model: Annotated[str, typer.Option(help="A model to open first: one that ships, or a .safetensors file.")] = "",
) -> None:
    """Open the explorers in the browser."""
    from glowlab import serve

    serve.run(port, host, browser, dashboard, token, visitors, lecture, domain, model)


@needs("lab")
def site(out: Annotated[Path, typer.Option(help="The folder to write.")] = Path("site")) -> None:
    """Write the explorers and notebooks as a folder of plain files, for any web server or none."""
    from glowlab import site

    total = 0

    def progress(file: site.File, size: int) -> None:
        nonlocal total
        total += size
        if size:
            typer.echo(f"  {size / 1000:8.1f} kB  {file.name}")

    sizes = site.build(out, progress)
    heaviest = max(sizes, key=sizes.get)
    typer.echo(
        f"{len(sizes)} pages, {total / 1e6:.1f} MB in {out}; the heaviest is {heaviest} with "
        f"{sizes[heaviest] / 1000:.0f} kB.\n"
        f"To look at it, open {out / 'index.html'}, or: {quoted('python', '-m', 'http.server', '--directory', out)}"
    )


@needs("lab")
def export_web(
    name: Annotated[str, typer.Argument(help="A model that ships (faces64) or a .safetensors file of your own.")],
    out: Annotated[Path, typer.Option(help="The folder to write to.")] = Path("."),
) -> None:
    """Write a model, its directions and its credit for web pages: NAME.bin, and as a script for pages from a disk."""
    from glowlab.web import export

    for path in export.write(name, out):
        typer.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


@needs("lab,dev")
def notebooks(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which notebooks, such as 00 or 00_why_reversible; all if none is given.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Store nothing; compare the time that cells take with the one stated.")
    ] = False,
) -> None:
    """Build the notebooks from their scripts: run every cell and store what it shows."""
    from glowlab import notebooks

    chosen, wrong = notebooks.scripts(names or ()), 0
    if not chosen:
        raise GlowliteError(f"There are no scripts in {notebooks.ROOT / 'scripts'}: run this from a checkout.")
    for script in chosen:
        typer.echo(f"{script.stem} ... ", nl=False)
        if check:
            seconds, stated = notebooks.check(script)
            right = notebooks.still_true(stated, seconds)
            wrong += not right
            verdict = "" if right else ": more than a factor of two off"
            typer.echo(f"{seconds:.0f} s, and says under {stated} s{verdict}")
        else:
            seconds = notebooks.build(script)
            typer.echo(f"{seconds:.0f} s, {notebooks.notebook_of(script).stat().st_size // 1000} kB")
    if wrong:
        raise typer.Exit(1)


@needs("lab")
def student(
    folder: Annotated[Path, typer.Argument(help="Where to write them, outside the clone.")],
    colab: Annotated[
        str, typer.Option(help="OWNER/NAME on GitHub: the copies get badges and a cell for Google Colab.")
    ] = "",
    branch: Annotated[str, typer.Option(help="The branch there that will hold the copies.")] = "student",
) -> None:
    """Copy the notebooks without outputs, for students; what they have changed is never overwritten."""
    from glowlab import student

    copied = student.write(folder, colab, branch)
    typer.echo(f"{folder}: {len(copied.written)} notebooks written, {len(copied.same)} were there.")
    if copied.kept:
        typer.echo(
            f"These differ from the course's, but you have changed them, so they stay: {', '.join(copied.kept)}. "
            "Rename one, and the next call writes the course's beside it."
        )


@needs("lab")
def grade(
    folder: Annotated[Path, typer.Argument(help="The submissions: notebooks, or a folder of them for each student.")],
    out: Annotated[Path | None, typer.Option(help="The CSV file to write; without it, the table is printed.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the checks' inputs, the same for all students.")] = 0,
    seconds: Annotated[float, typer.Option(min=1, help="CPU seconds for an exercise.")] = 60,
    memory: Annotated[int, typer.Option(min=500, help="MB of memory for a submission.")] = 4000,
    jobs: Annotated[int, typer.Option(min=1, help="Submissions at a time.")] = 2,
) -> None:
    """Mark the exercises of notebooks that were handed in: a table with a row for each, and why."""
    from glowlab import grade

    if out and folder.resolve() in out.resolve().parents:
        raise GlowliteError(f"{out} lies among the submissions: name a file elsewhere.")

    def progress(one: grade.Marked) -> None:
        typer.echo(f"{one.file}: {one.right} of {len(one.states)}", err=True)

    table = grade.table(grade.grade(folder, grade.Limits(seconds, memory, seed), jobs, progress))
    if out:
        out.write_text(table, encoding="utf-8-sig")  # so that Excel reads it, too
    else:
        typer.echo(table, nl=False)


@needs("lab")
def precompute(
    name: Annotated[str, typer.Argument(help="A model that ships, or the path of one of your own, with directions.")],
) -> None:
    """Measure what the explorers show of a model at once, and save it beside the weights."""
    from glowlab.explorers import precomputed

    precomputed.measure(name, show_progress)
    path = precomputed.find_file(name)
    typer.echo(f"\n{path}: {path.stat().st_size / 1000:.0f} kB")


@needs("lab")
def posters() -> None:
    """Make the pictures of the explorers and of the Mona Lisa that stand until a model is there."""
    from glowlab.explorers.models import MODELS
    from glowlab.web import posters

    for name, size in posters.make_all(MODELS):
        typer.echo(f"{posters.FOLDER / name}: {size / 1000:.0f} kB")


def show_progress(text: str) -> None:
    """Write over the line in the terminal."""
    print(f"\r{text}    ", end="", file=sys.stderr, flush=True)
