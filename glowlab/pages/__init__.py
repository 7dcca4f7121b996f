"""The pages around the explorers: the landing page, notebooks and source files as pages.

The server of the explorers sends them (`live=True`), and `glowlite site` writes them into a folder of files.
All styles, scripts and pictures are in the page itself; links are relative.
"""

import functools
import hashlib
from pathlib import Path, PurePosixPath

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

import glowlite
from glowlab.explorers.models import MODELS, credit
from glowlab.pages import api
from glowlab.pages.course import (
    DOCS,
    EXPLORERS,
    LAB,
    READING_ORDER,
    find_doc,
    list_lessons,
    read_lesson,
)
from glowlab.web import posters, tables
from glowlite.errors import GlowliteError

__all__ = ["render_doc", "render_explorer", "render_landing", "render_notebook", "render_source", "render_worker"]
HERE = Path(__file__).resolve().parent
MODEL = Path(glowlite.__file__).resolve().parent
CURVES = 'class="gl-curves-still"'  # in a notebook's output that holds curves
FOLDERS = [HERE / "templates", HERE, LAB / "serving/voila/templates/glow", LAB / "widgets"]


@functools.cache
def _make_environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDERS),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def _render(template: str, root: str, live: bool, here: str, **values) -> str:
    suffix = "" if live else ".html"
    return _make_environment().get_template(template).render(root=root, suffix=suffix, live=live, here=here, **values)


def render_landing(live: bool) -> str:
    """The first page: the Mona Lisa, the explorers, the notebooks, how to run them. `live`: of the server."""
    cards = [{"explorer": explorer, "poster": posters.read(f"{explorer.name}.faces64")} for explorer in EXPLORERS]
    lessons = list_lessons()
    values = {"cards": cards, "lessons": lessons, "sources": list(READING_ORDER.items())}
    values |= {"mona_lisa": posters.read(posters.MONA_LISA), "credit": credit("portraits64")}
    values["docs"] = {name: title for name, (title, _) in DOCS.items() if lessons and find_doc(name)}
    values["api"] = not live and api.is_available()  # only the static edition has these pages
    return _render("landing.html.j2", "", live, "landing", **values)


def render_notebook(path: Path | str, live: bool = True) -> str:
    """A notebook as one page, as it was last run. GlowliteError if it is no notebook of this course."""
    path = Path(path).resolve()
    if not path.is_file():
        raise GlowliteError(f"There is no notebook {path.name}.")
    return _render_notebook(path, live, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _render_notebook(path: Path, live: bool, changed: int) -> str:
    from glowlab.figures import curves
    from glowlab.pages.notebook import convert

    lesson = read_lesson(path)
    if lesson is None:
        raise GlowliteError(f"{path.name} does not begin as a notebook of this course does.")
    body, headings = convert(path, "" if live else ".html")
    lessons = list_lessons()
    names = [each.path.name for each in lessons]
    index = names.index(path.name) if path.name in names else None
    before = lessons[index - 1] if index else None
    after = lessons[index + 1] if index is not None and index + 1 < len(lessons) else None
    values = {"lesson": lesson, "body": Markup(body), "headings": headings, "before": before, "after": after}
    values["course"] = DOCS["course"][0] if find_doc("course") else ""
    values["curves"] = Markup(curves.page_script(f"../scripts/{curves.LIBRARY.name}")) if CURVES in body else ""
    return _render("page.html.j2", "../", live, "notebooks", **values)


def render_doc(name: str, live: bool = True) -> str:
    """A page of docs/, such as "glossary". GlowliteError if it is not in DOCS, or not here."""
    from glowlab.pages.notebook import convert_text

    path = find_doc(name)
    if path is None:
        raise GlowliteError(f"There is no page {name}.")
    body, headings = convert_text(path, "" if live else ".html")
    title, summary = DOCS[name]
    values = {"title": title, "summary": summary, "body": Markup(body), "headings": headings}
    return _render("doc.html.j2", "../", live, "notebooks", **values)


def render_source(file: str, live: bool = True) -> str:
    """A file of the package, such as "flows/actnorm.py", in colours. GlowliteError if it is not in READING_ORDER."""
    if file not in READING_ORDER:
        raise GlowliteError(f"There is no page for {file}.")
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    text = (MODEL / file).read_text(encoding="utf-8")
    colours = HtmlFormatter(linenos="inline", anchorlinenos=True, lineanchors="line", wrapcode=True)
    body = highlight(text, PythonLexer(), colours).replace("<pre>", '<pre tabindex="0">', 1)
    root = "../" * (1 + file.count("/"))
    files = [None, *READING_ORDER, None]
    index = files.index(file)
    before, after = (
        (other, f"{root}source/{PurePosixPath(other).with_suffix('.html')}") if other else None
        for other in (files[index - 1], files[index + 1])
    )
    values = {"file": file, "summary": READING_ORDER[file], "body": Markup(body), "before": before, "after": after}
    return _render("source.html.j2", root, live, "source", **values)


def render_explorer(name: str) -> str:
    """An explorer of the static edition, which runs the models in ../models. GlowliteError if there is none."""
    found = [explorer for explorer in EXPLORERS if explorer.name == name]
    if not found:
        raise GlowliteError(f"There is no explorer {name!r}.")
    usual, *others = MODELS
    queries = {usual: ".html"} | {model: f".html?model={model}" for model in others}
    values = {
        "explorer": found[0],
        "about": tables.describe(name, list(MODELS)) | {"poster": posters.read(f"{name}.{usual}")},
        "posters": {usual: ""} | {model: posters.read(f"{name}.{model}") for model in others},
        "models": [{"query": queries[model], "faces": faces, "chosen": False} for model, faces in MODELS.items()],
        "credit": credit("portraits64"),
    }
    return _render("explorer.html.j2", "../", False, name, **values)


def render_worker(site: Path) -> str:
    """The service worker of the static edition in the folder `site`, all of whose files are there but this one."""
    hashes = {"models": hashlib.sha256(), "pages": hashlib.sha256()}
    for path in sorted(path for path in site.rglob("*") if path.is_file()):
        name = path.relative_to(site).as_posix()
        kind = "models" if name.startswith("models/") else "pages"
        hashes[kind].update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    first = ["index.html", "explorers.js", *(f"explore/{explorer.name}.html" for explorer in EXPLORERS)]
    values = {kind: made.hexdigest()[:16] for kind, made in hashes.items()}
    return _make_environment().get_template("sw.js").render(first=first, **values)
