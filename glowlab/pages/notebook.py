"""A notebook's cells as HTML: nbconvert does the work, with formulas as MathML and links that lead to our pages."""

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

from glowlab.pages.course import EXPLORERS, READ
from glowlab.pages.mathml import to_mathml

TEMPLATES = Path(__file__).parent / "templates"
OURS = {explorer.name for explorer in EXPLORERS}


class Renderer(IPythonRenderer):
    """Markdown as nbconvert understands it; `$...$` and `$$...$$` become MathML."""

    def inline_math(self, body: str) -> str:
        return to_mathml(body)

    def block_math(self, body: str) -> str:
        return to_mathml(body, display=True)


def markdown(source: str) -> str:
    """A markdown cell as HTML, without anchors in its headings."""
    return MarkdownWithMath(renderer=Renderer(escape=False, exclude_anchor_links=True)).render(source)


@functools.cache
def _exporter() -> HTMLExporter:
    order = ["text/html", "image/svg+xml", "image/png", "image/jpeg", "text/markdown", "text/plain"]
    made = HTMLExporter(
        config=Config({"NbConvertBase": {"display_data_priority": order}}),
        extra_template_basedirs=[str(TEMPLATES)],
        template_name="notebook",
    )
    made.register_filter("markdown2html", markdown)
    return made


def convert(path: Path, suffix: str) -> tuple[str, list[tuple[str, str]]]:
    """The notebook's cells as HTML, without its head's title, and (id, words) of its headings of level 2.

    `suffix` is how the addresses of explorers end: ".html" in a folder of files, nothing on a server.
    """
    body, _ = _exporter().from_notebook_node(nbformat.read(path, as_version=4))
    soup = BeautifulSoup(body, "html.parser")
    for link in soup.find_all("a", href=True):
        link["href"] = address(link["href"], suffix)
    for cell in soup.select(".gl-code"):
        if found := re.search(r"\bopen_(\w+)\(", cell.find("pre").get_text()):
            _add_the_way_to_play(soup, cell, found[1], suffix)
    for table in soup.find_all("table"):
        table.wrap(
            soup.new_tag("div", attrs={"class": "gl-table", "tabindex": "0", "role": "group", "aria-label": "Table"})
        )
    for block in soup.select(".highlight > pre, .gl-out > pre"):
        block["tabindex"] = "0"  # a long line scrolls in its own box, by keyboard too
    for image in soup.find_all("img", src=re.compile("^data:image/png;base64,")):
        image["src"] = _smaller(image["src"])
    for formula in soup.find_all("math", display="inline"):
        _keep_with_its_comma(soup, formula)
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


def _add_the_way_to_play(soup: BeautifulSoup, cell, name: str, suffix: str) -> None:
    """An explorer has left one picture: under it, a link to where it moves."""
    if name in OURS:
        line = soup.new_tag("p", attrs={"class": "gl-play"})
        line.append(link := soup.new_tag("a", href=f"../explore/{name}{suffix}"))
        link.string = "Open this explorer on a page of its own"
        cell.append(line)


def _smaller(png: str) -> str:
    """A PNG in a data address as lossless WebP, where that is smaller."""
    file = io.BytesIO()
    data = base64.b64decode(png.partition(",")[2])
    Image.open(io.BytesIO(data)).save(file, "WEBP", lossless=True, quality=80, method=4)
    if len(file.getvalue()) >= len(data):
        return png
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()


def _keep_with_its_comma(soup: BeautifulSoup, formula) -> None:
    """A line may end after a formula, but not between it and the comma or the 's that follows."""
    after = formula.next_sibling
    close = re.match(r"[^\s\w(]\S{0,2}", after) if isinstance(after, str) else None
    if close:
        after.replace_with(after[close.end() :])
        formula.wrap(soup.new_tag("span", attrs={"class": "gl-nowrap"})).append(close[0])


def address(target: str, suffix: str) -> str:
    """Where a link of a notebook leads on our pages: to a page where there is one, else nowhere new."""
    path, mark, part = target.partition("#")
    if "://" in path or not path:
        return target
    place = PurePosixPath(path)
    if place.suffix == ".ipynb":
        if place.parent.name == "dashboards" and place.stem in OURS:
            return f"../explore/{place.stem}{suffix}"
        return f"{place.stem}.html{mark}{part}"
    inside = path.partition("glowlite/")[2]
    if inside in READ:
        return f"../source/{PurePosixPath(inside).with_suffix('.html')}{mark}{part}"
    return target
