"""What every notebook must hold to. `lint(notebook, folder)` gives a sentence for each fault."""

import functools
import importlib
import re
import statistics
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import nbformat

from glowlab.notebooks import WIDGET, reading_minutes
from glowlab.pages.course import NUMBERED
from glowlite import PRESETS, Glow

LONGEST_CELL, LONGEST_MEDIAN, MOST_WORDS, MOST_BYTES = 20, 6, 85, 1_000_000
LONGEST_WITHOUT_PICTURE = 4  # code cells
LONGEST_ANSWER = 120  # words, folded away
FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
# The notebooks in which a part of Glow is built, and compared with the package's.
BUILT = ("01", "02", "03", "04", "05", "06", "07", "08")
COMPARED, VARIES = "nbval-check-output", "varies: "
PICTURES = ("image/png", "image/jpeg", "image/svg+xml")
HEAD = ("**After this notebook you can**", "**Needs.**", "**Minutes.**", "**Symbols.**")
END = ("## Summary", "**A harder question.**", "**Next.**", "**In the paper.**")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)[^)]*\)")
NAMED = re.compile(r"\bnotebooks?\s+(\d\d[a-z]?)\b(?:[^.:;]{0,15}?\b(?:and|or|to)\s+(\d\d[a-z]?)\b)?", re.IGNORECASE)
IN_BRACKETS = re.compile(r"(?<=\s)\((\d\d[a-z]?)\)")  # "Temperature (10)"
IMAGE = re.compile(r"!\[([^\]]*)\]\(")
SYMBOLS = (
    "glowlite",
    "glowlite.glow",
    "glowlite.flows",
    "glowlite.flows.base",
    "glowlite.flows.actnorm",
    "glowlite.flows.coupling",
    "glowlite.flows.mixing",
    "glowlite.flows.multiscale",
    "glowlite.pixels",
    "glowlite.latents",
    "glowlite.checkpoint",
    "glowlite.evaluation",
    "glowlite.data",
    "glowlite.data.faces",
    "glowlite.training",
    "glowlite.training.settings",
)


def lint(notebook, folder: Path, size: int = 0) -> list[str]:
    """Every fault of `notebook`, which lies in `folder` and is `size` bytes long."""
    faults = [] if size < MOST_BYTES else [f"it has {size:,} bytes; at most {MOST_BYTES:,} are stored"]
    if "widgets" in notebook.metadata:
        faults.append("widget state is stored with it")
    faults += _lengths(notebook) + _headings(notebook) + _parts(notebook) + _symbols(notebook)
    faults += _links(notebook, folder) + _outputs(notebook) + _teaching(notebook) + _next(notebook, folder)
    faults += _named(notebook, folder)
    return faults


def _code(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _name(cell) -> str:
    return f"the cell that begins with {cell.source.splitlines()[0][:40]!r}" if cell.source else "an empty cell"


def _text(notebook) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def prose(source: str) -> list[str]:
    """The words of a markdown cell that one reads: no tables, no code blocks, no addresses, nothing folded away."""
    source = FOLDED.sub(" ", source)
    source = re.sub(r"```.*?```", " ", source, flags=re.DOTALL)
    source = re.sub(r"^\|.*$", " ", source, flags=re.MULTILINE)
    return re.sub(r"\]\([^)]*\)", "]", source).split()


def _lengths(notebook) -> list[str]:
    lines = [sum(bool(line.strip()) for line in cell.source.splitlines()) for cell in _code(notebook)]
    faults = [f"a code cell has {n} lines; at most {LONGEST_CELL}" for n in lines if n > LONGEST_CELL]
    if lines and statistics.median(lines) > LONGEST_MEDIAN:
        faults.append(f"code cells have {statistics.median(lines)} lines in the median; at most {LONGEST_MEDIAN}")
    for source in _text(notebook):
        if (words := len(prose(source))) > MOST_WORDS:
            faults.append(f"a text cell has {words} words, at most {MOST_WORDS}: {source[:40]!r}")
        for answer in FOLDED.findall(source):
            if (words := len(answer.split())) > LONGEST_ANSWER:
                faults.append(f"an answer has {words} words, at most {LONGEST_ANSWER}: {source[:40]!r}")
    return faults


def _headings(notebook) -> list[str]:
    faults, before = [], 0
    for source in _text(notebook):
        bare = re.sub(r"```.*?```", "", source, flags=re.DOTALL)
        for marks, title in re.findall(r"^(#+)\s+(.*)$", bare, re.MULTILINE):
            level = len(marks)
            if level > before + 1 or (level == 1) != (before == 0):
                faults.append(f"heading {title!r} is of level {level} after one of level {before}")
            before = level
    return faults if before else ["it has no heading"]


def _parts(notebook) -> list[str]:
    text = _text(notebook)
    faults = [f"its head lacks {part}" for part in HEAD if not any(part in source for source in text[:4])]
    faults += [f"its end lacks {part}" for part in END if not any(part in source for source in text[-4:])]
    summary = next((source for source in text if "## Summary" in source), "")
    if summary and len(re.findall(r"^- ", summary, re.MULTILINE)) != 5:
        faults.append("its summary is not five lines")
    said = re.search(r"\*\*Minutes\.\*\* About (\d+) to read and (\d+) for the exercises", "\n".join(text))
    if not said:
        faults.append("its minutes are not those that the build writes")
    elif (int(said[1]), int(said[2])) != reading_minutes(notebook):
        faults.append(f"it says {said[1]} and {said[2]} minutes; counted are {reading_minutes(notebook)}")
    return faults


def _symbols(notebook) -> list[str]:
    rows = [row for source in _text(notebook)[:4] for row in re.findall(r"^\|(.*)\|$", source, re.MULTILINE)][2:]
    names = [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[-1])]
    if not names:
        return ["its table of symbols names nothing in the package"]
    return [f"the table of symbols names {name}, which the package has not" for name in names if not exists(name)]


@functools.cache
def _models() -> list[Glow]:
    """Small flows with every kind of layer, for names that are set when a layer is made."""
    kinds = ("lu", "plain", "shuffle", "reverse")
    return [Glow(replace(PRESETS["tiny"], permutation=kind)) for kind in kinds]


def _part(thing, name: str):
    """`thing.name`, where `thing` may be a class of which a flow has an object; None if there is none."""
    if hasattr(thing, name) or not isinstance(thing, type):
        return getattr(thing, name, None)
    if name in getattr(thing, "__annotations__", {}):
        return name
    made = (module for model in _models() for module in model.modules() if isinstance(module, thing))
    return getattr(next(made, None), name, None)


def exists(name: str) -> bool:
    """Whether a dotted name such as `Glow.dims` or `latents.slerp` means something in the package."""
    for place in SYMBOLS:
        thing = importlib.import_module(place)
        for part in name.split("."):
            thing = _part(thing, part)
        if thing is not None:
            return True
    return False


def _links(notebook, folder: Path) -> list[str]:
    targets = [target for source in _text(notebook) for target in LINK.findall(source)]
    return [
        f"a link leads to {target}, which is not there"
        for target in targets
        if "://" not in target
        and not target.startswith(("#", "mailto:"))
        and not (folder / target.split("#")[0]).exists()
    ]


class _Images(HTMLParser):
    """Counts the images of a page that have no alt."""

    def __init__(self, page: str):
        super().__init__()
        self.silent = self.count = 0
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.count += 1
            self.silent += not (dict(attributes).get("alt") or "").strip()


def _outputs(notebook) -> list[str]:
    faults = []
    for source in _text(notebook):
        if any(not alt.strip() for alt in IMAGE.findall(source)) or _Images(source).silent:
            faults.append(f"an image in the text has no alt text: {source[:40]!r}")
    for cell in _code(notebook):
        if cell.execution_count is None:
            faults.append(f"{_name(cell)} was not run")
        for output in cell.outputs:
            faults += [f"{fault}: {_name(cell)}" for fault in _output(output)]
        faults += _compared(cell)
    return faults


def _compared(cell) -> list[str]:
    """Words that a cell leaves are compared with those of a new run, or a tag says why not."""
    tags = cell.metadata.get("tags", [])
    why = [tag.removeprefix(VARIES).strip() for tag in tags if tag.startswith(VARIES.strip())]
    if any(len(reason.split()) < 2 for reason in why) or (why and COMPARED in tags):
        return [f"{_name(cell)} needs either {COMPARED!r} or one tag that says why its output varies"]
    if any(_says(output) for output in cell.outputs) and COMPARED not in tags and not why:
        return [f"{_name(cell)} leaves words: tag it {COMPARED!r}, or {VARIES + 'why'!r}"]
    return []


def _says(output) -> bool:
    """Whether it holds words of its own: a picture's only tell of it, a prediction's are in the cell's source."""
    if output.output_type == "stream":
        return True
    return "data" in output and not _is_picture(output) and not _is_question(output)


def _is_picture(output) -> bool:
    data = output.get("data", {})
    return any(kind in data for kind in PICTURES) or bool(_Images(data.get("text/html", "")).count)


def _is_question(output) -> bool:
    return output.get("data", {}).get("text/plain", "").startswith("Predict: ")


def _teaching(notebook) -> list[str]:
    """Look often, predict, do, and know where in Glow one is."""
    code = "\n".join(cell.source for cell in _code(notebook))
    faults = []
    if not code.count("Prediction(") == code.count(".outcome(") > 0:
        faults.append("it needs a Prediction, or more, each with its outcome")
    exercises = re.findall(r"^## Exercise (\d+) · \S", "\n".join(_text(notebook)), re.MULTILINE)
    if len(exercises) < 2 or exercises != [str(n + 1) for n in range(len(exercises))]:
        faults.append(f"it needs two exercises or more, headed '## Exercise 1 · ...'; found {exercises}")
    if "glow_map(" not in code:
        faults.append("it has no map of Glow")
    if _number(notebook) in BUILT and not re.search(r"^\s*assert ", code, re.MULTILINE):
        faults.append("nothing that it builds is asserted to equal the package's")
    bare: list[str] = []
    for cell in _code(notebook):
        if any(map(_is_picture, cell.outputs)):
            bare = []
        elif not any(map(_is_question, cell.outputs)) and ".outcome(" not in cell.source:
            bare.append(_name(cell))
            if len(bare) == LONGEST_WITHOUT_PICTURE + 1:
                faults.append(f"{len(bare)} code cells and no picture, from {bare[0]} to {bare[-1]}")
    return faults


def title(notebook) -> tuple[str, str] | None:
    """(number, title) from the heading `# 03 · Learned permutations`; the number may be 12b."""
    found = re.match(r"# (\d\d[a-z]?) · (.+)", notebook.cells[0].source) if notebook.cells else None
    return (found[1], found[2].strip()) if found else None


def _number(notebook) -> str:
    found = title(notebook)
    return found[0] if found else ""


def _number_of(path: Path) -> str:
    return path.name.partition("_")[0]


def _next(notebook, folder: Path) -> list[str]:
    """It says which notebook comes next, of those that are there, by number and title; the last one names none."""
    if title(notebook) is None:
        return ["its heading is not '# NN · Title'"]
    later = [path for path in sorted(folder.glob(NUMBERED)) if _number_of(path) > _number(notebook)]
    said = re.search(r"\*\*Next\.\*\*\s+\[?(\d\d[a-z]?)\b(.*?)(?:\n\n|\Z)", "\n\n".join(_text(notebook)), re.DOTALL)
    if not later:
        return [f"'**Next.**' goes on with {said[1]}, and this is the last one"] if said else []
    if not said or said[1] != _number_of(later[0]):
        return [f"'**Next.**' does not go on with {_number_of(later[0])}"]
    name = title(nbformat.read(later[0], as_version=4))
    if name and name[1].lower() not in " ".join(said[2].split()).lower():
        return [f"'**Next.**' does not say {name[1]!r}, which is the next one's title"]
    return []


def _named(notebook, folder: Path) -> list[str]:
    """Every notebook that it names is there: in its text, and in what its code shows or remarks."""
    there = {_number_of(path) for path in folder.glob(NUMBERED)} | {_number(notebook)}
    text = "\n\n".join(_text(notebook))
    words = "\n\n".join(cell.source for cell in notebook.cells)
    named = {number for pair in NAMED.findall(words) for number in pair if number}
    named.update(IN_BRACKETS.findall(text))
    return [f"it names notebook {number}, which is not there" for number in sorted(named - there)]


def _output(output) -> list[str]:
    if output.output_type == "error":
        return [f"an error is stored ({output.ename})"]
    if output.output_type == "stream":
        return ["something was written to stderr"] if output.name == "stderr" else []
    data = output.get("data", {})
    faults = ["a widget is stored that has no kernel"] if WIDGET in data else []
    if not data or set(data) == {"text/plain"} and re.match(r"<.* at 0x|<Figure|\w+\(children=", data["text/plain"]):
        faults.append("a widget or figure leaves no picture")
    page = _Images(data.get("text/html", ""))
    if page.silent:
        faults.append("an image has no alt text")
    for kind in PICTURES:
        if kind in data and not (output.metadata.get(kind, {}).get("alt") and page.count):
            faults.append("a figure has no alt text")
    return faults
