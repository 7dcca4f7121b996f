"""Record the films of the explorers, and make the first page's picture of the Mona Lisa: `glowlite record`.

What is recorded is in moves.py and edits.py, how a state is written down in snapshot.py.
"""

from collections.abc import Callable
from pathlib import Path

from glowlab.films import edits, moves, poster, snapshot
from glowlab.films.film import FOLDER, files
from glowlite.errors import GlowliteError
from glowlite.files import write_atomically

SCRIPTS = {
    "studio": edits.of_studio,
    "temperature": moves.of_temperature,
    "interpolation": moves.of_interpolation,
    "attributes": edits.of_attributes,
}
MODEL = "faces64"
MONA_LISA = "mona-lisa"


def script(name: str, model: str = MODEL):
    """The script of an explorer, which it opens. GlowliteError for an unknown name."""
    if name not in SCRIPTS:
        raise GlowliteError(f"there is no explorer {name!r}; there are {', '.join(SCRIPTS)}")
    return SCRIPTS[name](model)


def opening(made) -> tuple[dict, list]:
    """The opening of a film and its sheets: the stage's pictures without loss, the others with little."""
    root = made.explorer
    widgets = snapshot.parts(root)
    number = {id(widget): i for i, widget in enumerate(widgets)}
    found = snapshot.state(root)
    stage = next(w for w in widgets if "gl-show" in w._dom_classes)
    on_stage = {number[id(w)] for w in snapshot.parts(stage)}
    size = next((w.width, w.height) for w in widgets if snapshot.kind(w) in ("picture", "tiles"))
    first = snapshot.Sheet(size)
    for (widget, _), value in found.items():
        if widget in on_stage:
            snapshot.Pool(first).plain(value)
    second = snapshot.Sheet(size, before=first)
    pool = snapshot.Pool(second)
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
        "columns": snapshot.COLUMNS,
        "tree": snapshot.tree(root),
        "traits": traits,
        "dims": {name: dim._asdict() for name, dim in made.dims.items()},
        "controls": controls,
        "dead": [i for i, w in enumerate(widgets) if snapshot.kind(w) in able and i not in moved],
        "hints": made.hints,
        "parts": {name: [number[id(w)] for w in of] for name, of in made.parts.items()},
        "chapters": [{"name": name, "when": when} for name, (when, _) in made.chapters.items()],
    }, [(first, True), (second, False)]


def record(name: str, model: str = MODEL, progress: Callable[[int, int], None] = lambda done, of: None) -> list[Path]:
    """Record an explorer, or make the picture of the Mona Lisa; the files written.

    `progress(states done, of how many)`. GlowliteError where a move fails.
    """
    if name == MONA_LISA:
        path = FOLDER / f"{MONA_LISA}.webp"
        write_atomically(path, poster.make_mona_lisa())
        return [path]
    with snapshot.fix_batch_sizes():
        made = script(name, model)
        start = snapshot.state(made.explorer)
        known, sheets = opening(made)
        written = {FOLDER / f"{name}.film": snapshot.with_sheets(known, sheets)}
        done, total = 0, made.count()
        for chapter, (_, points) in made.chapters.items():
            kept = snapshot.Chapter(start, sheets[-1][0], made.dims)
            for point in points:
                made.go(point)
                if text := made.explorer.head.notice.get("text"):
                    raise GlowliteError(f"{name} at {point} says: {text}")
                kept.add(point, snapshot.state(made.explorer))
                done += 1
                progress(done, total)
            written[FOLDER / f"{name}.{chapter}.film"] = kept.packed()
    for old in set(files(name)) - set(written):
        old.unlink(missing_ok=True)
    for path, content in written.items():
        write_atomically(path, content)
    write_atomically(FOLDER / f"{name}.webp", poster.make(name))
    return list(written)
