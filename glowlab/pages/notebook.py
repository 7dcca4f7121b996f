"""A notebook's cells as HTML, by nbconvert, with formulas as MathML and links to our pages."""

import base64
import functools
import io
import re
from pathlib import Path, PurePosixPath

import nbformat
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from PIL import Image
from traitlets.config import Config

from glowlab.pages.course import DOCS, EXPLORERS, READING_ORDER
from glowlab.pages.mathml import to_mathml

TEMPLATES = Path(__file__).parent / "templates"
EXPLORER_NAMES = {explorer.name for explorer in EXPLORERS}


class Renderer(IPythonRenderer):
    """Nbconvert's Markdown renderer, with `$...$` and `$$...$$` as MathML."""

    def inline_math(self, body: str) -> str:
        return to_mathml(body)

    def block_math(self, body: str) -> str:
        return to_mathml(body, display=True)


def render_markdown(source: str) -> str:
    """A markdown cell as HTML, without anchors in its headings."""
    return MarkdownWithMath(renderer=Renderer(escape=False, exclude_anchor_links=True)).render(source)


@functools.cache
def _make_exporter() -> HTMLExporter:
    order = ["text/html", "image/svg+xml", "image/png", "image/jpeg", "text/markdown", "text/plain"]
    made = HTMLExporter(
        config=Config({"NbConvertBase": {"display_data_priority": order}}),
        extra_template_basedirs=[str(TEMPLATES)],
        template_name="notebook",
    )
    made.register_filter("markdown2html", render_markdown)
    return made


def convert(path: Path, suffix: str) -> tuple[str, list[tuple[str, str]]]:
    """The notebook's cells as HTML, and (id, text) of its headings of level 2.

    `suffix` is the end of explorers' addresses: ".html" in a folder of files, "" on a server.
    """
    body, _ = _make_exporter().from_notebook_node(nbformat.read(path, as_version=4))
    return finish(BeautifulSoup(body, "html.parser"), suffix)


def convert_text(path: Path, suffix: str) -> tuple[str, list[tuple[str, str]]]:
    """A page of docs/ as HTML, and (id, text) of its headings of level 2, as in `convert`."""
    return finish(BeautifulSoup(render_markdown(path.read_text(encoding="utf-8")), "html.parser"), suffix)


def finish(soup: BeautifulSoup, suffix: str) -> tuple[str, list[tuple[str, str]]]:
    """Links to our pages, tables and long lines that scroll, smaller pictures, ids of headings."""
    for link in soup.find_all("a", href=True):
        link["href"] = rewrite_link(link["href"], suffix)
    for cell in soup.select(".gl-code"):
        if found := re.search(r"\b([A-Z][a-z]+)Explorer\(", cell.find("pre").get_text()):
            _link_to_explorer(soup, cell, found[1].lower(), suffix)
    for table in soup.find_all("table"):
        table.wrap(
            soup.new_tag("div", attrs={"class": "gl-table", "tabindex": "0", "role": "group", "aria-label": "Table"})
        )
    for block in soup.select(".highlight > pre, .gl-out > pre"):
        block["tabindex"] = "0"  # a long line scrolls in a box, with the keyboard too
    for image in soup.find_all("img", src=re.compile("^data:image/png;base64,")):
        image["src"] = _shrink_png(image["src"])
    for formula in soup.find_all("math", display="inline"):
        _keep_punctuation(soup, formula)
    headings, used = [], set()
    for heading in soup.find_all("h2"):
        words = heading.get_text(" ", strip=True)
        name = base = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "part"
        while name in used:
            name = f"{base}-{len(used)}"
        used.add(name)
        heading["id"] = name
        headings.append((name, words))
    return str(soup), headings


def _link_to_explorer(soup: BeautifulSoup, cell, name: str, suffix: str) -> None:
    """Add a link to the explorer under its picture."""
    if name in EXPLORER_NAMES:
        line = soup.new_tag("p", attrs={"class": "gl-play"})
        line.append(link := soup.new_tag("a", href=f"../explore/{name}{suffix}"))
        link.string = "Open this explorer on a page of its own"
        cell.append(line)


def _shrink_png(png: str) -> str:
    """A PNG in a data address as lossless WebP, if that is smaller."""
    file = io.BytesIO()
    data = base64.b64decode(png.partition(",")[2])
    Image.open(io.BytesIO(data)).save(file, "WEBP", lossless=True, quality=80, method=4)
    if len(file.getvalue()) >= len(data):
        return png
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()


def _keep_punctuation(soup: BeautifulSoup, formula) -> None:
    """Keep a formula and the comma or the 's after it on one line."""
    after = formula.next_sibling
    close = re.match(r"[^\s\w(]\S{0,2}", after) if isinstance(after, str) else None
    if close:
        after.replace_with(after[close.end() :])
        formula.wrap(soup.new_tag("span", attrs={"class": "gl-nowrap"})).append(close[0])


def rewrite_link(target: str, suffix: str) -> str:
    """A notebook's link on our pages: to the page of its target if there is one, else unchanged."""
    path, mark, part = target.partition("#")
    if "://" in path or not path:
        return target
    place = PurePosixPath(path)
    if place.parent.name == "dashboards" and place.stem in EXPLORER_NAMES:
        return f"../explore/{place.stem}{suffix}"
    if place.suffix == ".ipynb" or (place.suffix == ".md" and place.stem in DOCS):
        return f"{place.with_suffix('.html')}{mark}{part}"
    inside = path.partition("glowlite/")[2]
    if inside in READING_ORDER:
        return f"../source/{PurePosixPath(inside).with_suffix('.html')}{mark}{part}"
    return target
