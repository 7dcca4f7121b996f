"""Films: explorers recorded move by move, which a page plays without a kernel. Record them with

    python -m glowlite.explorers.film [temperature ...]

A page that starts shows the film first, and the live explorer takes its place once it is there; a page without a
kernel shows the film alone. What is recorded is in moves.py and edits.py, how in recorder.py; js/film.js plays it.
"""

import argparse
import base64
import functools
import gzip
import html
import importlib
import json
import logging
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from glowlite.errors import GlowliteError

HERE = Path(__file__).resolve().parent
_ROOTS = (HERE.parent, HERE.parents[1])  # an installed package, a checkout
FOLDER = next((root for root in _ROOTS if (root / "assets").is_dir()), _ROOTS[-1]) / "assets" / "films"
SCRIPTS = {  # name -> where it says what is recorded
    "studio": "edits",
    "temperature": "moves",
    "interpolation": "moves",
    "attributes": "edits",
}
MODEL = "faces64"
PLAYER = ("recorded", "film", "takeover")  # scripts in js/; the last for live explorers alone


def script(name: str, model: str = MODEL):
    """The script of an explorer, which it opens. GlowliteError for an unknown name."""
    if name not in SCRIPTS:
        raise GlowliteError(f"there is no explorer {name!r}; there are {', '.join(SCRIPTS)}")
    return getattr(importlib.import_module(f"glowlite.explorers.{SCRIPTS[name]}"), f"of_{name}")(model)


def files(name: str) -> list[Path]:
    """The files of a film: the opening, which `embed` puts into the page, and those that the page asks for."""
    return [FOLDER / f"{name}.film", *sorted(FOLDER.glob(f"{name}.*.film"))]


# ---- recording --------------------------------------------------------------------------------------------


def opening(made) -> tuple[dict, list]:
    """What a film knows from the start, and its sheets: the stage's pictures without loss, the others with little."""
    from glowlite.explorers import recorder

    root = made.explorer
    widgets = recorder.parts(root)
    number = {id(widget): i for i, widget in enumerate(widgets)}
    found = recorder.state(root)
    stage = next(w for w in widgets if "gl-show" in w._dom_classes)
    on_stage = {number[id(w)] for w in recorder.parts(stage)}
    size = next((w.width, w.height) for w in widgets if recorder.kind(w) in ("picture", "tiles"))
    first = recorder.Sheet(size)
    for (widget, _), value in found.items():
        if widget in on_stage:
            recorder.Pool(first).plain(value)
    second = recorder.Sheet(size, before=first)
    pool = recorder.Pool(second)
    traits = [{} for _ in widgets]
    for (widget, name), value in found.items():
        traits[widget][name] = pool.plain(value)

    controls = []
    for each in made.controls:
        shown = {"shows": number[id(each["shows"])]} if "shows" in each else {}
        rest = {name: value for name, value in each.items() if name != "of"}
        controls.append({**rest, "widget": number[id(each["of"])], **shown})
    moved = {each["widget"] for each in controls}
    able = ("slider", "button", "choice", "toggle", "upload", "tiles", "fold")
    return {
        "size": size,
        "columns": recorder.COLUMNS,
        "tree": recorder.tree(root),
        "traits": traits,
        "dims": {name: dim._asdict() for name, dim in made.dims.items()},
        "controls": controls,
        "dead": [i for i, w in enumerate(widgets) if recorder.kind(w) in able and i not in moved],
        "hints": made.hints,
        "parts": {name: [number[id(w)] for w in of] for name, of in made.parts.items()},
        "chapters": [{"name": name, "when": when} for name, (when, _) in made.chapters.items()],
    }, [(first, True), (second, False)]


def record(
    name: str, model: str = MODEL, tell: Callable[[int, int], None] = lambda done, of: None
) -> list[Path]:
    """Record an explorer; the files written. `tell(states done, of how many)`. GlowliteError where a move fails."""
    from glowlite.checkpoint import write_atomically
    from glowlite.explorers import poster, recorder

    with recorder.steady():
        made = script(name, model)
        start = recorder.state(made.explorer)
        known, sheets = opening(made)
        written = {FOLDER / f"{name}.film": recorder.with_sheets(known, sheets)}
        done, total = 0, made.count()
        for chapter, (_, points) in made.chapters.items():
            kept = recorder.Chapter(start, sheets[-1][0], made.dims)
            for point in points:
                made.go(point)
                if text := made.explorer.head.notice.get("text"):
                    raise GlowliteError(f"{name} at {point} says: {text}")
                kept.add(point, recorder.state(made.explorer))
                done += 1
                tell(done, total)
            written[FOLDER / f"{name}.{chapter}.film"] = kept.packed()
    for old in set(files(name)) - set(written):
        old.unlink(missing_ok=True)
    for path, content in written.items():
        write_atomically(path, content)
    write_atomically(FOLDER / f"{name}.webp", poster.make(name))
    return list(written)


# ---- files ------------------------------------------------------------------------------------------------


def pack(content: dict, sheets: list[bytes]) -> bytes:
    """The length of the JSON (4 bytes, big-endian), the JSON in gzip, the sheets; content["sheets"] has their sizes."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    packed = gzip.compress(text.encode(), 9, mtime=0)
    return b"".join([len(packed).to_bytes(4, "big"), packed, *sheets])


def unpack(packed: bytes) -> tuple[dict, list[bytes]]:
    """What `pack` was given. GlowliteError where it is no film, or half of one."""
    length = 4 + int.from_bytes(packed[:4], "big")
    try:
        content, sheets = json.loads(gzip.decompress(packed[4:length])), []
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise GlowliteError("A film cannot be read; record it: python -m glowlite.explorers.film") from error
    for _, _, size, _ in content["sheets"]:
        sheets.append(packed[length : length + size])
        length += size
    return content, sheets


# ---- playing ----------------------------------------------------------------------------------------------


def _script_of(kind: str) -> str:
    """A widget's module as a function that gives its render."""
    source = (HERE / "js" / f"{kind}.js").read_text(encoding="utf-8")
    body, found, _ = source.rpartition("export default { render };")
    if not found:
        raise GlowliteError(f"js/{kind}.js does not end on: export default {{ render }};")
    return f"{json.dumps(kind)}: (() => {{\n{body}return render;\n}})()"


def _kinds(tree: dict) -> set[str]:
    return {tree["kind"]}.union(*map(_kinds, tree.get("children", ())))


def embed(name: str, base: str = "../films/", live: bool = False) -> str:
    """A film as a fragment of HTML; its page brings theme.css. "" where it was not recorded, or is broken.

    base   where the page finds the film's other files, relative to itself or absolute
    live   whether a live explorer is to take its place, in #rendered_cells
    """
    path = FOLDER / f"{name}.film"
    if name not in SCRIPTS or not path.is_file():
        return ""
    try:
        return _embed(name, base, live, path.stat().st_mtime_ns)
    except GlowliteError as error:  # an explorer does without
        logging.getLogger("glowlite.explorers").warning("%s: %s", path.name, error)
        return ""


@functools.lru_cache(maxsize=16)
def _embed(name: str, base: str, live: bool, changed: int) -> str:
    content, sheets = unpack((FOLDER / f"{name}.film").read_bytes())
    content |= {"name": name, "webp": [base64.b64encode(sheet).decode() for sheet in sheets]}
    kinds = sorted(_kinds(content["tree"]) - {"box", "html"})
    scripts = ",\n".join(map(_script_of, kinds))
    player = "".join(
        (HERE / "js" / f"{part}.js").read_text(encoding="utf-8") for part in PLAYER[: 3 if live else 2]
    )
    styles = "".join((HERE / file).read_text(encoding="utf-8") for file in ("live.css", "film.css"))
    head = next(traits for traits in content["traits"] if "promise" in traits)
    inert = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return f"""<style>{styles}</style>
<div class="gl-film" data-base="{html.escape(base)}"{" data-live" if live else ""}>
<p class="gl-film-kind"><strong>recorded</strong> <span role="status"></span></p>
<div class="gl-film-stage"><h1>{html.escape(head["title"])}</h1><p>{html.escape(head["promise"])}</p></div>
<script type="application/json">{inert}</script>
</div>
<script>
(() => {{
const film = document.currentScript.previousElementSibling;
const renders = {{
{scripts}
}};
{player}
play(film, renders);
}})();
</script>
"""


def poster(name: str) -> bytes:
    """A picture of the explorer for a card of 320 x 240 pixels, as WebP. GlowliteError where it was not recorded."""
    path = FOLDER / f"{name}.webp"
    if name not in SCRIPTS or not path.is_file():
        raise GlowliteError(
            f"There is no film of {name} yet; record it: python -m glowlite.explorers.film {name}"
        )
    return path.read_bytes()


# ---- the command ------------------------------------------------------------------------------------------


def _progress(name: str, start: float) -> Callable[[int, int], None]:
    def tell(done: int, of: int) -> None:
        left = (time.monotonic() - start) / done * (of - done)
        words = f"{name}: {done:,} of {of:,} states, about {left:.0f} s left"
        print(f"\r{words}    ", end="", file=sys.stderr, flush=True)

    return tell


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m glowlite.explorers.film", description="Record the films of the explorers."
    )
    parser.add_argument("names", nargs="*", help=f"some of {', '.join(SCRIPTS)}; all where none is named")
    for name in parser.parse_args(argv).names or SCRIPTS:
        try:
            written = record(name, tell=_progress(name, time.monotonic()))
        except GlowliteError as error:
            sys.exit(f"\n{error}")
        sizes = [path.stat().st_size / 1000 for path in written]
        print(
            f"\n{name}: {len(written)} files, {sum(sizes):.0f} kB; opening {sizes[0]:.0f}, moves {sizes[1]:.0f}"
        )


if __name__ == "__main__":
    main()
