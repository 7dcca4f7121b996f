"""Builds the notebooks from their percent scripts: `glowlite notebooks`.

Each notebooks/scripts/NN_name.py becomes notebooks/NN_name.ipynb, in order: cells from the script, run from
first to last in a fresh kernel, then normalised, so that the same code stores the same bytes: no times, no
widget state, ids that follow from a cell's text. The time a reader needs is written into the notebook's and
the script's head; `--check` runs the cells and stores nothing, and says whether that time is still true.

A reader's minutes are an estimate for a second-year student whose English is school English; nobody was timed.
Adults read plain English at about 240 words a minute (Brysbaert 2019, doi:10.1016/j.jml.2019.104047). Text that is
to be learned, full of formulas and in a second language, goes at less than half of that. A line of code is read and
its output compared. About one picture in three is a live figure and is tried for a minute and a half; the others are
looked at for 20 seconds. An exercise is read, tried, run, and mended once or twice; a class with two methods to write
counts as two. The running time is measured: the processor's seconds of the kernel, which has one thread.
"""

import ast
import base64
import hashlib
import html
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from glowlab.figures.style import to_webp
from glowlab.widgets.still import STYLE, WIDGET
from glowlite.errors import GlowliteError

ROOT = Path(__file__).resolve().parent.parent / "notebooks"
TIMEOUT = 600  # seconds for one cell
MINUTES = re.compile(r"(\*\*Minutes\.\*\* )[^.\n]*\.")
RUNNING = re.compile(r"all cells run in under (\d+) seconds")
LIMITS = (15, 30, 60, 120, 240)  # seconds, one of which is said

# What a reader's minutes are counted from; the head of this file says where the numbers come from.
WORDS_PER_MINUTE, SECONDS_PER_LINE, SECONDS_PER_PICTURE, MINUTES_PER_EXERCISE = 100, 6, 45, 15


def scripts(names: Sequence[str] = (), root: Path = ROOT) -> list[Path]:
    """The percent scripts in order; with `names` ("00", "00_why_reversible"), those that begin so."""
    found = sorted((root / "scripts").glob("[0-9][0-9]*_*.py"))
    if not names:
        return found
    chosen = [path for path in found if any(path.stem.startswith(name) for name in names)]
    if missing := [name for name in names if not any(path.stem.startswith(name) for path in found)]:
        raise GlowliteError(f"there is no notebook {missing[0]!r} in {root / 'scripts'}")
    return chosen


def notebook_of(script: Path) -> Path:
    """notebooks/scripts/NN_name.py -> notebooks/NN_name.ipynb."""
    return script.parent.parent / f"{script.stem}.ipynb"


def from_script(script: Path):
    """The notebook that a percent script describes: cells with stable ids, and no outputs."""
    notebook = jupytext.read(script)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    used: set[str] = set()
    for cell in notebook.cells:
        cell["id"] = _id(cell.source, used)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _id(source: str, used: set[str]) -> str:
    """From the cell's text, so that a change elsewhere leaves it alone; a repeated text counts on."""
    for repeat in range(10**6):
        name = hashlib.sha256(f"{repeat or ''}{source}".encode()).hexdigest()[:8]
        if name not in used:
            used.add(name)
            return name
    raise AssertionError("unreachable")


def execute(notebook, folder: Path, timeout: int = TIMEOUT) -> float:
    """Run every cell in a fresh kernel of one thread that works in `folder`; returns the processor's seconds.

    GlowliteError where a cell fails. Where no processor time is known (Windows), the seconds are those of the clock.
    """
    start, before = time.perf_counter(), os.times()
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
    )
    try:
        client.execute(env={**os.environ, "OMP_NUM_THREADS": "1"})
    except CellExecutionError as error:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", str(error))  # without a terminal's colours
        raise GlowliteError(f"a cell fails:\n{plain}") from error
    after = os.times()  # of the kernel, too: it has ended
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds or time.perf_counter() - start


def normalise(notebook) -> None:
    """Leave what is the same at every run. Widgets leave the picture and the words they brought along.

    GlowliteError for a widget that brought none, since where no kernel runs nothing of it would be left.
    """
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key == "tags"}
        if cell.cell_type != "code":
            continue
        kept = []
        for output in cell.outputs:
            if set(output.get("data", {})) == {WIDGET} and kept and "text/html" in kept[-1].get("data", {}):
                continue  # its picture or words are the output before
            if set(output.get("data", {})) <= {WIDGET, "text/plain"} and WIDGET in output.get("data", {}):
                raise GlowliteError(
                    f"a widget leaves nothing to see where no kernel runs, in the cell\n{cell.source}\n"
                    "show it by a figure of glowlab.figures.live, which leaves a picture"
                )
            if "data" in output:
                output["metadata"] = _only_what_is_needed(output["data"], output.get("metadata", {}))
            if output["output_type"] == "stream" and kept and kept[-1].get("name") == output["name"]:
                kept[-1]["text"] += output["text"]
            else:
                kept.append(output)
        cell.outputs = kept


def _only_what_is_needed(data: dict, metadata: dict) -> dict:
    """Drops from `data` what is of no use when stored; returns the metadata, with a picture's words."""
    data.pop(WIDGET, None)
    if "text/html" in data:
        data["text/html"] = data["text/html"].removesuffix(STYLE)
        if data["text/html"].startswith('<img src="data:image/png'):  # it gets a smaller one below
            del data["text/html"]
    if "image/png" not in data:
        return {}
    data["image/png"] = data["image/png"].replace("\n", "")
    about = {key: metadata.get("image/png", {}).get(key) for key in ("alt", "width", "height")}
    about["alt"] = about["alt"] or data.get("text/plain")
    if about["alt"] and "text/html" not in data:  # by which JupyterLab and converted pages can tell the words
        webp = base64.b64encode(to_webp(base64.b64decode(data["image/png"]))).decode()
        alt = html.escape(about["alt"])
        data["text/html"] = f'<img src="data:image/webp;base64,{webp}" alt="{alt}" style="max-width: 100%">'
    return {"image/png": {key: value for key, value in about.items() if value}}


def reading_minutes(notebook) -> tuple[int, int]:
    """Minutes to read, and more for the exercises, counted from words, lines of code, pictures, exercises."""
    words = lines = pictures = exercises = to_write = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            words += len(cell.source.split())
            exercises += len(re.findall(r"^#+ Exercise", cell.source, re.MULTILINE))
        else:
            lines += sum(bool(line.strip()) for line in cell.source.splitlines())
            pictures += sum("image/png" in output.get("data", {}) for output in cell.outputs)
            to_write += _functions_to_write(cell.source)
    read = words / WORDS_PER_MINUTE + lines * SECONDS_PER_LINE / 60 + pictures * SECONDS_PER_PICTURE / 60
    return max(5, 5 * round(read / 5)), MINUTES_PER_EXERCISE * max(exercises, to_write)


def _functions_to_write(source: str) -> int:
    """The functions and methods in which `...` stands for what a student writes."""
    functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    return sum(any(_is_left_open(part) for part in ast.walk(function)) for function in functions)


def _is_left_open(node: ast.AST) -> bool:
    """Whether it is `return ...`, `return ..., ...` or `z = ...`; `x[..., 0]` is not."""
    if not isinstance(node, (ast.Return, ast.Assign)):
        return False
    return any(getattr(part, "value", None) is ... for part in (node.value, *getattr(node.value, "elts", ())))


def write_minutes(notebook, script: Path, seconds: float) -> None:
    """Put the measured time into the head, in the notebook and in its script."""
    read, exercises = reading_minutes(notebook)
    running = next((limit for limit in LIMITS if seconds <= limit), 600)
    before = script.read_text()
    if (said := RUNNING.search(before)) and seconds <= int(said[1]) <= max(LIMITS[0], 4 * seconds):
        running = int(said[1])  # still true, and no machine is equally busy twice
    text = (
        f"About {read} to read and {exercises} for the exercises; all cells run in under {running} seconds on one core."
    )
    head = notebook.cells[0:3]
    cell = next((cell for cell in head if MINUTES.search(cell.source)), None)
    if cell is None:
        raise GlowliteError(f"{script.name} has no line '**Minutes.** ...' in its first three cells")
    after = MINUTES.sub(rf"\g<1>{text}", before, count=1)
    if after != before:
        script.write_text(after)
        cell.source = MINUTES.sub(rf"\g<1>{text}", cell.source, count=1)


def still_true(said: int, seconds: float) -> bool:
    """Whether "under `said` seconds", which tells of half of that and more, is within a factor of two of `seconds`."""
    return (said == LIMITS[0] or said / 4 <= seconds) and seconds <= 2 * said


def check(script: Path) -> tuple[float, int]:
    """Run a notebook's cells and store nothing: (seconds they took, seconds that its head says)."""
    said = RUNNING.search(script.read_text())
    if not said:
        raise GlowliteError(f"{script.name} does not say how long its cells run: build it first")
    return execute(from_script(script), script.parent.parent), int(said[1])


def build(script: Path) -> float:
    """Script -> executed, normalised notebook beside its folder; returns the seconds its cells took."""
    notebook = from_script(script)
    seconds = execute(notebook, script.parent.parent)
    write_minutes(notebook, script, seconds)
    normalise(notebook)
    ids = from_script(script)  # the head has changed, perhaps
    for cell, fresh in zip(notebook.cells, ids.cells, strict=True):
        cell["id"] = fresh["id"]
    nbformat.validate(notebook)
    target = notebook_of(script)
    target.write_text(nbformat.writes(notebook) + "\n")
    return seconds
