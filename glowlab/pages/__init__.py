"""The pages around the explorers: where one lands, notebooks as pages, files of the package to read.

The server of the explorers gives them (`live=True`), and `python -m glowlab.site` writes them into a folder of files.
All styles, scripts and pictures are in the page itself; links are relative.
"""

import base64
import functools
from pathlib import Path, PurePosixPath

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

import glowlite
from glowlab.pages.course import EXPLORERS, LAB, READ, first_picture, lesson, lessons
from glowlite.errors import GlowliteError

__all__ = ["explorer_page", "landing", "notebook_page", "source_page"]
HERE = Path(__file__).resolve().parent
MODEL = Path(glowlite.__file__).resolve().parent
FOLDERS = [HERE / "templates", HERE, LAB / "serving/voila/templates/glow", LAB / "widgets"]


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDERS),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def _render(template: str, root: str, live: bool, here: str, **values) -> str:
    suffix = "" if live else ".html"
    made = _environment().get_template(template)
    return made.render(root=root, suffix=suffix, live=live, here=here, **values)


def landing(live: bool) -> str:
    """The first page: the explorers, the notebooks, how to run them. `live`: on a server, where explorers compute."""
    doors = [{"explorer": explorer, "poster": _poster(explorer.name)} for explorer in EXPLORERS]
    course = lessons()
    hero = Markup(first_picture(course[0].path)) if course else ""
    values = {"doors": doors, "lessons": course, "sources": list(READ.items()), "hero": hero}
    return _render("landing.html.j2", "", live, "landing", **values)


def _poster(name: str) -> str:
    """A small picture of the explorer as a data address; "" where none was made."""
    from glowlab.films import film

    try:
        return "data:image/webp;base64," + base64.b64encode(film.poster(name)).decode()
    except (GlowliteError, OSError):  # nothing was recorded
        return ""


def notebook_page(path: Path | str, live: bool = True) -> str:
    """A notebook as one page, as it was last run. GlowliteError where it is no notebook of ours."""
    path = Path(path).resolve()
    if not path.is_file():
        raise GlowliteError(f"There is no notebook {path.name}.")
    return _notebook_page(path, live, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _notebook_page(path: Path, live: bool, changed: int) -> str:
    from glowlab.pages.notebook import convert

    this = lesson(path)
    if this is None:
        raise GlowliteError(f"{path.name} does not begin as a notebook of this course does.")
    body, headings = convert(path, "" if live else ".html")
    beside = [each.path.name for each in lessons()]
    place = beside.index(path.name) if path.name in beside else None
    before = lessons()[place - 1] if place else None
    after = lessons()[place + 1] if place is not None and place + 1 < len(beside) else None
    values = {"lesson": this, "body": Markup(body), "headings": headings, "before": before, "after": after}
    return _render("page.html.j2", "../", live, "notebooks", **values)


def source_page(file: str, live: bool = True) -> str:
    """A file of the package, such as "flows/actnorm.py", with its colours. GlowliteError for any not in `READ`."""
    if file not in READ:
        raise GlowliteError(f"There is no page for {file}.")
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    text = (MODEL / file).read_text(encoding="utf-8")
    colours = HtmlFormatter(linenos="inline", anchorlinenos=True, lineanchors="line", wrapcode=True)
    body = highlight(text, PythonLexer(), colours).replace("<pre>", '<pre tabindex="0">', 1)
    root = "../" * (1 + file.count("/"))
    files = list(READ)
    place = files.index(file)
    beside = [
        (other, f"{root}source/{PurePosixPath(other).with_suffix('.html')}") if other else None
        for other in (
            files[place - 1] if place else None,
            files[place + 1] if place + 1 < len(files) else None,
        )
    ]
    values = {"file": file, "says": READ[file], "body": Markup(body), "before": beside[0], "after": beside[1]}
    return _render("source.html.j2", root, live, "source", **values)


def explorer_page(name: str) -> str:
    """An explorer as a recording that needs no model behind it. GlowliteError where none was made."""
    from glowlab.films import film

    found = [explorer for explorer in EXPLORERS if explorer.name == name]
    if not found:
        raise GlowliteError(f"There is no explorer {name!r}.")
    embedded = film.embed(name, base="../films/", scripts=True)
    if not embedded:
        raise GlowliteError(f"There is no film of {name} yet; record it: python -m glowlab.films.record {name}")
    values = {"explorer": found[0], "film": Markup(embedded)}
    return _render("explorer.html.j2", "../", False, name, **values)
