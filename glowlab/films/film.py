"""Films: explorers recorded move by move (record.py), which a page plays without a kernel.

A page that starts shows the film first, and the live explorer takes its place once it is there; a page without a
kernel shows the film alone. js/film.js plays it.
"""

import base64
import functools
import gzip
import html
import json
import logging
import zlib
from pathlib import Path

from glowlab.explorers import NAMES
from glowlab.widgets import JS
from glowlite.errors import GlowliteError
from glowlite.folders import ASSETS

HERE = Path(__file__).resolve().parent
FOLDER = ASSETS / "films"
STYLES = (HERE.parent / "figures" / "live.css", HERE / "film.css")
PLAYER = ("recorded", "film", "takeover")  # scripts in js/; the last for live explorers alone


def files(name: str) -> list[Path]:
    """The files of a film: the opening, which `embed` puts into the page, and those that the page asks for."""
    return [FOLDER / f"{name}.film", *sorted(FOLDER.glob(f"{name}.*.film"))]


# ---- files ------------------------------------------------------------------------------------------------


def pack(content: dict, sheets: list[bytes]) -> bytes:
    """The length of the JSON (4 bytes, big-endian), the JSON in gzip, the sheets; content["sheets"] has their sizes."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    packed = gzip.compress(text.encode(), 9, mtime=0)
    return b"".join([len(packed).to_bytes(4, "big"), packed, *sheets])


def unpack(packed: bytes) -> tuple[dict, list[bytes]]:
    """The reverse of `pack`. GlowliteError where it is no film, or half of one."""
    length = 4 + int.from_bytes(packed[:4], "big")
    try:
        content, sheets = json.loads(gzip.decompress(packed[4:length])), []
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise GlowliteError("A film cannot be read; record it: glowlite record") from error
    for _, _, size, _ in content["sheets"]:
        sheets.append(packed[length : length + size])
        length += size
    return content, sheets


def as_script(path: Path) -> str:
    """A film's file as a script: a page opened from a disk may fetch nothing, but run what lies beside it."""
    return f'document.currentScript.film = "{base64.b64encode(path.read_bytes()).decode()}";\n'


# ---- playing ----------------------------------------------------------------------------------------------


def _script_of(kind: str) -> str:
    """A widget's module as a function that gives its render."""
    source = (JS / f"{kind}.js").read_text(encoding="utf-8")
    body, found, _ = source.rpartition("export default { render };")
    if not found:
        raise GlowliteError(f"js/{kind}.js does not end on: export default {{ render }};")
    return f"{json.dumps(kind)}: (() => {{\n{body}return render;\n}})()"


def _kinds(tree: dict) -> set[str]:
    return {tree["kind"]}.union(*map(_kinds, tree.get("children", ())))


def embed(name: str, base: str = "../films/", live: bool = False, scripts: bool = False) -> str:
    """A film as a fragment of HTML; its page brings theme.css. "" where it was not recorded, or is broken.

    base      where the page finds the film's other files, relative to itself or absolute
    live      whether a live explorer is to take its place, in #rendered_cells
    scripts   whether those files lie there `as_script`, with names that end in .js
    """
    path = FOLDER / f"{name}.film"
    if name not in NAMES or not path.is_file():
        return ""
    try:
        return _embed(name, base, live, scripts, path.stat().st_mtime_ns)
    except GlowliteError as error:  # the explorer opens without a film
        logging.getLogger("glowlab.explorers").warning("%s: %s", path.name, error)
        return ""


@functools.lru_cache(maxsize=16)
def _embed(name: str, base: str, live: bool, scripts: bool, changed: int) -> str:
    content, sheets = unpack((FOLDER / f"{name}.film").read_bytes())
    content |= {"name": name, "webp": [base64.b64encode(sheet).decode() for sheet in sheets]}
    kinds = sorted(_kinds(content["tree"]) - {"box", "html"})
    renders = ",\n".join(map(_script_of, kinds))
    player = "".join((HERE / "js" / f"{part}.js").read_text(encoding="utf-8") for part in PLAYER[: 3 if live else 2])
    styles = "".join(file.read_text(encoding="utf-8") for file in STYLES)
    head = next(traits for traits in content["traits"] if "promise" in traits)
    inert = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    ways = (" data-live" if live else "") + (" data-scripts" if scripts else "")
    return f"""<style>{styles}</style>
<div class="gl-film" data-base="{html.escape(base)}"{ways}>
<p class="gl-film-kind"><strong>recorded</strong> <span role="status"></span></p>
<div class="gl-film-stage"><h1>{html.escape(head["title"])}</h1><p>{html.escape(head["promise"])}</p></div>
<script type="application/json">{inert}</script>
</div>
<script>
(() => {{
const film = document.currentScript.previousElementSibling;
const renders = {{
{renders}
}};
{player}
play(film, renders);
}})();
</script>
"""


def poster(name: str) -> bytes:
    """The first page's picture of an explorer, or of the Mona Lisa, as WebP. GlowliteError where it was not made."""
    path = FOLDER / f"{name}.webp"
    if not path.is_file():
        raise GlowliteError(f"There is no film of {name} yet; record it: glowlite record {name}")
    return path.read_bytes()
