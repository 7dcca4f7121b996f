"""What every notebook must hold to. `lint(notebook, folder)` gives a sentence for each fault."""

import importlib
import re
import statistics
from html.parser import HTMLParser
from pathlib import Path

from glowlite import PRESETS, Glow
from glowlite.notebooks import WIDGET, reading_minutes

LONGEST_CELL, LONGEST_MEDIAN, MOST_WORDS, MOST_BYTES = 20, 6, 85, 1_000_000
HEAD = ("**After this notebook you can**", "**Needs.**", "**Minutes.**", "**Symbols.**")
END = ("## Summary", "**A harder question.**", "**Next.**", "**In the paper.**")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)[^)]*\)")
IMAGE = re.compile(r"!\[([^\]]*)\]\(")
SYMBOLS = (
    "glowlite",
    "glowlite.glow",
    "glowlite.flows",
    "glowlite.pixels",
    "glowlite.latents",
    "glowlite.checkpoint",
)


def lint(notebook, folder: Path, size: int = 0) -> list[str]:
    """Every fault of `notebook`, which lies in `folder` and is `size` bytes long."""
    faults = [] if size < MOST_BYTES else [f"it has {size:,} bytes; at most {MOST_BYTES:,} are stored"]
    if "widgets" in notebook.metadata:
        faults.append("widget state is stored with it")
    faults += _lengths(notebook) + _headings(notebook) + _parts(notebook) + _symbols(notebook)
    faults += _links(notebook, folder) + _outputs(notebook)
    return faults


def _text(notebook) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def prose(source: str) -> list[str]:
    """The words of a markdown cell that one reads: no tables, no code blocks, no addresses."""
    source = re.sub(r"```.*?```", " ", source, flags=re.DOTALL)
    source = re.sub(r"^\|.*$", " ", source, flags=re.MULTILINE)
    return re.sub(r"\]\([^)]*\)", "]", source).split()


def _lengths(notebook) -> list[str]:
    lines = [
        sum(bool(line.strip()) for line in cell.source.splitlines())
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    faults = [f"a code cell has {n} lines; at most {LONGEST_CELL}" for n in lines if n > LONGEST_CELL]
    if lines and statistics.median(lines) > LONGEST_MEDIAN:
        faults.append(
            f"code cells have {statistics.median(lines)} lines in the median; at most {LONGEST_MEDIAN}"
        )
    for source in _text(notebook):
        if (words := len(prose(source))) > MOST_WORDS:
            faults.append(f"a text cell has {words} words, at most {MOST_WORDS}: {source[:40]!r}")
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
    faults += [f"its end lacks {part}" for part in END if not any(part in source for source in text[-3:])]
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
    rows = [row for source in _text(notebook)[:4] for row in re.findall(r"^\|(.*)\|$", source, re.MULTILINE)][
        2:
    ]
    names = [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[-1])]
    if not names:
        return ["its table of symbols names nothing in the package"]
    return [
        f"the table of symbols names {name}, which the package has not" for name in names if not exists(name)
    ]


def exists(name: str) -> bool:
    """Whether a dotted name such as `Glow.dims` or `latents.slerp` means something in the package."""
    first, *rest = name.split(".")
    for place in SYMBOLS:
        thing = importlib.import_module(place)
        if hasattr(thing, first):
            thing = getattr(thing, first)
            thing = (
                Glow(PRESETS["tiny"]) if thing is Glow else thing
            )  # what is set when it is made counts, too
            for part in rest:
                thing = getattr(thing, part, None)
            return thing is not None
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
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        name = repr(cell.source.splitlines()[-1][:40]) if cell.source else "an empty cell"
        if cell.execution_count is None:
            faults.append(f"the cell that ends on {name} was not run")
        for output in cell.outputs:
            faults += [f"{fault}: {name}" for fault in _output(output)]
    return faults


def _output(output) -> list[str]:
    if output.output_type == "error":
        return [f"an error is stored ({output.ename})"]
    if output.output_type == "stream":
        return ["something was written to stderr"] if output.name == "stderr" else []
    data = output.get("data", {})
    faults = ["a widget is stored that has no kernel"] if WIDGET in data else []
    if (
        not data
        or set(data) == {"text/plain"}
        and re.match(r"<.* at 0x|<Figure|\w+\(children=", data["text/plain"])
    ):
        faults.append("a widget or figure leaves no picture")
    page = _Images(data.get("text/html", ""))
    if page.silent:
        faults.append("an image has no alt text")
    for kind in ("image/png", "image/jpeg", "image/svg+xml"):
        if kind in data and not (output.metadata.get(kind, {}).get("alt") and page.count):
            faults.append("a figure has no alt text")
    return faults
