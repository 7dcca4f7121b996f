"""The pages around the explorers: complete, linked, self-contained, and true to the notebooks they are made from."""

import base64
import io
import posixpath
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
import torch
from PIL import Image

from glowlab import pages
from glowlab.explorers.models import MODELS
from glowlab.notebooks import WIDGET
from glowlab.pages import api, course, mathml, notebook
from glowlab.web import posters, tables, widgets
from glowlite.errors import GlowliteError

LESSONS = course.list_lessons()
FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$]+?\$", re.DOTALL)


class Read(HTMLParser):
    """What a test asks of a page: links, what it loads, ids, images, how often each tag stands there, its words."""

    def __init__(self, text: str):
        super().__init__()
        self.links, self.loads, self.ids, self.alts, self.words = [], [], [], [], []
        self.tags: Counter = Counter()
        self.current: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags[tag] += 1
        self.ids += [found["id"]] if "id" in found else []
        if tag == "a":
            self.links += [found["href"]] if "href" in found else []
            self.current += [found["href"]] if "aria-current" in found else []
        elif tag == "img":
            self.alts.append(found.get("alt"))
            self.loads.append(found["src"])
        elif tag in ("script", "link", "iframe", "source"):
            self.loads.append(found.get("src") or found.get("href") or "")

    def handle_data(self, data):
        self.words.append(data)


def formulas(path: Path) -> int:
    """How many formulas a notebook's text has, outside of code."""
    count = 0
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            count += len(FORMULA.findall(re.sub(r"```.*?```|`[^`]*`", "", cell.source, flags=re.DOTALL)))
    return count


# ---- where one lands ------------------------------------------------------------------------------------


@pytest.mark.parametrize("live", [True, False])
def test_the_landing_page_leads_everywhere(live):
    page = Read(pages.render_landing(live))
    end = "" if live else ".html"
    for explorer in course.EXPLORERS:
        assert page.links.count(f"explore/{explorer.name}{end}") == 3  # header, card, footer
    text = " ".join(" ".join(page.words).split())
    for lesson in LESSONS:
        assert f"notebooks/{lesson.page}" in page.links and lesson.title in text
        assert f"{lesson.read} min to read, {lesson.exercises} for the exercises" in text
    assert all(f"docs/{name}.html" in page.links and title in text for name, (title, _) in course.DOCS.items())
    assert all(load.startswith("data:") or not load for load in page.loads)
    assert page.current == 2 * ["./" if live else "index.html"]  # where one is, in header and footer
    assert ("make explore" in text) is not live and "make lab" in text


def test_a_promise_is_emphasised_where_its_notebook_does_so():
    assert "<em>normalizing flows</em>" in LESSONS[0].promise_html
    assert not any("*" in lesson.promise_html + lesson.promise_text for lesson in LESSONS)


@pytest.mark.parametrize("live", [True, False])
def test_the_first_page_shows_the_mona_lisa_first_and_says_whose_faces_the_model_learned_from(live):
    page = Read(pages.render_landing(live))
    way = f"explore/studio{'' if live else '.html'}?model=portraits64&face=mona-lisa"
    assert page.links.count(way) == 1 and "Mona Lisa" in page.alts[0]
    assert "FairFace (Karkkainen & Joo 2021), CC BY 4.0" in " ".join(page.words)


@pytest.mark.parametrize("explorer", course.EXPLORERS, ids=lambda explorer: explorer.name)
def test_an_explorer_as_a_page(explorer):
    text = pages.render_explorer(explorer.name)
    page = Read(text)
    assert page.tags[f"glow-{explorer.name}"] == 1 and "../explorers.js" in page.loads
    assert {f"{explorer.name}.html", f"{explorer.name}.html?model=portraits64"} <= set(
        map(posixpath.basename, page.links)
    )
    assert page.alts == [tables.read_table(explorer.name)["poster"]] and page.tags["noscript"] == 1
    for model in MODELS:
        assert f"../models/{model}.bin" in text and posters.read(f"{explorer.name}.{model}") in text
    with pytest.raises(GlowliteError, match="no explorer"):
        pages.render_explorer("nobody")


@pytest.mark.parametrize("file", sorted(posters.FOLDER.iterdir()), ids=lambda file: file.stem)
def test_a_poster_is_small_and_stands_on_light_and_dark(file):
    image = Image.open(file)
    assert image.mode == "RGBA" and image.size[0] > 600 and file.stat().st_size < 30_000
    assert image.getpixel((0, 0))[3] == 0  # a round corner, or nothing


def test_pictures_of_a_poster_stand_in_rows_of_equal_width():
    red, blue = (torch.zeros(3, 8, 8, dtype=torch.uint8) for _ in range(2))
    red[0], blue[2] = 255, 255
    whole = posters.compose([[red, red], [blue, blue, blue, blue]])
    left, top, right, bottom = whole.getbbox()
    assert whole.size == posters.SIZE and right - left == posters.SIZE[0] - left * 2 and bottom - top > 400
    assert whole.getpixel((320 - 100, top + 50))[:3] == (255, 0, 0) and whole.getpixel((320, top + 50))[3] == 0
    assert whole.getpixel((320 + 50, bottom - 50))[:3] == (0, 0, 255)


def test_a_new_notebook_appears_by_itself(monkeypatch, tmp_path):
    shutil.copy(LESSONS[0].path, tmp_path)
    new = nbformat.v4.new_notebook()
    text = "# 77 · A new one\n\nWhat is $x^2$ when\n`x` < 1?\n\n**Minutes.** About 45 to read and 5 for the exercises."
    new.cells = [nbformat.v4.new_markdown_cell(text)]
    nbformat.write(new, tmp_path / "77_new.ipynb")
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "99_empty.ipynb")
    monkeypatch.setattr(course, "find_notebooks", lambda: tmp_path)
    page = pages.render_landing(live=False)
    assert [lesson.number for lesson in course.list_lessons()] == ["00", "77"]
    assert "notebooks/77_new.html" in Read(page).links and "45 min to read, 5 for" in page
    assert "<msup>" in page and "<code>x</code> &lt; 1?" in page and "99_empty" not in page


def test_without_notebooks_there_are_none(monkeypatch):
    monkeypatch.setattr(course, "find_notebooks", lambda: None)
    page = Read(pages.render_landing(live=True))
    assert not any(link.startswith("notebooks/") for link in page.links)
    anchors = {link.partition("#")[2] for link in page.links if "#" in link}
    assert "notebooks" in anchors <= set(page.ids)  # the bar's "Notebooks" leads to where they are to be had
    assert "download the repository" in " ".join(" ".join(page.words).split())


def test_cards_and_header_name_the_explorers_as_they_name_themselves():
    names = [explorer.name for explorer in course.EXPLORERS]
    titles = {name: tables.read_table(name)["title"] for name in names}
    assert {explorer.name: explorer.title for explorer in course.EXPLORERS} == titles
    header = (course.LAB / "serving/voila/templates/glow/bar.html.j2").read_text()
    named = re.findall(r'\("(\w+)", "\w+"\)', header)
    assert named == [explorer.name for explorer in course.EXPLORERS]
    assert sorted(named) == sorted(widgets.EXPLORERS)


# ---- notebooks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.path.stem)
def test_a_notebook_as_a_page(lesson):
    text = pages.render_notebook(lesson.path, live=False)
    page = Read(text)
    assert page.tags["math"] == formulas(lesson.path) > 0
    body = re.sub(r"(?s)<pre.*?</pre>|<code.*?</code>|<script.*?</script>|<style.*?</style>", "", text)
    assert not re.search(r"\$[^$<]+\$", re.sub(r'alttext="[^"]*"', "", body))  # no formula was left as LaTeX
    for phrase in ("Loading widget", WIDGET, "Output()", "children=(", "<merror", "\x1b["):
        assert phrase not in body
    assert page.alts and all(alt and len(alt.split()) > 2 for alt in page.alts)
    assert all(load.startswith("data:") or not load for load in page.loads)
    assert len(page.ids) == len(set(page.ids))
    assert all(link[1:] in page.ids for link in page.links if link.startswith("#"))
    assert page.tags["h1"] == 1 and page.tags["main"] == 1
    assert page.tags["details"] == page.tags["summary"]
    assert len(text.encode()) < 1_200_000
    others = {other.page for other in LESSONS}
    place = LESSONS.index(lesson)
    beside = {LESSONS[i].page for i in (place - 1, place + 1) if 0 <= i < len(LESSONS)}
    named = {f"{name}.html" for name in re.findall(r"\((\w+)\.ipynb\)", lesson.path.read_text(encoding="utf-8"))}
    assert beside | named == {link for link in page.links if link in others}


def test_a_png_becomes_a_smaller_picture_with_the_same_pixels():
    file = io.BytesIO()
    picture = Image.effect_noise((80, 60), 40).convert("RGB")
    picture.save(file, "PNG")
    address = notebook._shrink_png("data:image/png;base64," + base64.b64encode(file.getvalue()).decode())
    kind, data = address.split(",")
    made = Image.open(io.BytesIO(base64.b64decode(data)))
    assert kind == "data:image/webp;base64" and len(base64.b64decode(data)) < len(file.getvalue())
    assert made.convert("RGB").tobytes() == picture.tobytes()


def test_its_cells_and_pictures_are_all_there():
    lesson = LESSONS[0]
    cells = nbformat.read(lesson.path, as_version=4).cells
    page = Read(pages.render_notebook(lesson.path))
    assert [f"cell-{cell.id}" for cell in cells] == [name for name in page.ids if name.startswith("cell-")]
    pictures = [o for cell in cells for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
    assert len(page.alts) == len(pictures)
    printed = [o.text for cell in cells for o in cell.get("outputs", []) if o.output_type == "stream"]
    words = "".join(page.words)
    assert printed and all(text.strip() in words for text in printed)


def test_a_notebook_that_was_built_again_is_read_again(tmp_path):
    path = tmp_path / LESSONS[0].path.name
    text = LESSONS[0].path.read_text()
    path.write_text(text)
    assert "Why reversible?" in pages.render_notebook(path)
    path.write_text(text.replace("Why reversible?", "Why indeed?"))
    assert "Why indeed?" in pages.render_notebook(path)


def test_what_is_no_notebook_of_ours_is_refused(tmp_path):
    with pytest.raises(GlowliteError, match="no notebook nothing.ipynb"):
        pages.render_notebook(tmp_path / "nothing.ipynb")
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "plain.ipynb")
    with pytest.raises(GlowliteError, match="does not begin"):
        pages.render_notebook(tmp_path / "plain.ipynb")


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("03_learned_permutations.ipynb", "03_learned_permutations.html"),
        ("03_learned_permutations.ipynb#a-part", "03_learned_permutations.html#a-part"),
        ("../notebooks/12b_editing.ipynb", "../notebooks/12b_editing.html"),
        ("../docs/glossary.md", "../docs/glossary.html"),
        ("project.md", "project.html"),
        ("../docs/teaching.md", "../docs/teaching.md"),  # of which there is no page
        ("dashboards/studio.ipynb", "../explore/studio.html"),
        ("../glowlite/flows/actnorm.py", "../source/flows/actnorm.html"),
        ("../glowlite/training.py", "../glowlite/training.py"),  # of which there is no page
        ("https://arxiv.org/abs/1807.03039", "https://arxiv.org/abs/1807.03039"),
        ("#summary", "#summary"),
    ],
)
def test_links_lead_to_pages(target, leads_to):
    assert notebook.rewrite_link(target, ".html") == leads_to
    assert notebook.rewrite_link(target, "") == leads_to.replace("studio.html", "studio")


def test_an_explorer_in_a_notebook_leads_to_its_page(tmp_path):
    path = tmp_path / LESSONS[0].path.name
    book = nbformat.read(LESSONS[0].path, as_version=4)
    book.cells += [nbformat.v4.new_code_cell(f"{name}()") for name in ("AttributesExplorer", "FileExplorer")]
    nbformat.write(book, path)
    links = Read(pages.render_notebook(path, live=True)).links
    before = Read(pages.render_notebook(LESSONS[0].path, live=True)).links
    assert links.count("../explore/attributes") == before.count("../explore/attributes") + 1
    assert len(links) == len(before) + 1


def test_answers_fold_out_with_their_markdown():
    made = notebook.render_markdown("<details><summary>One answer</summary>\n\nYes: $x^2$ and `x`.\n\n</details>")
    assert made.startswith("<details><summary>One answer</summary>") and made.strip().endswith("</details>")
    assert "<msup>" in made and "<code>x</code>" in made


# ---- pages of docs/ -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", course.DOCS)
def test_a_page_of_docs(name):
    text = pages.render_doc(name, live=False)
    page = Read(text)
    assert course.DOCS[name][0] in page.words and page.tags["h1"] == 1 and page.tags["main"] == 1
    assert page.tags["math"] == len(FORMULA.findall(re.sub("`[^`]*`", "", course.find_doc(name).read_text())))
    assert not re.search(r"\$[^$<]+\$", re.sub(r'alttext="[^"]*"', "", text)) and "<merror" not in text
    assert all(link[1:] in page.ids for link in page.links if link.startswith("#"))


@pytest.mark.parametrize("name", ["teaching", "../README", "", "Glossary"])
def test_no_other_page_of_docs_is_given(name):
    with pytest.raises(GlowliteError, match="no page"):
        pages.render_doc(name)


def test_the_last_notebook_leads_to_the_course_page():
    assert "../docs/course.html" in Read(pages.render_notebook(LESSONS[-1].path, live=False)).links
    first = Read(pages.render_notebook(LESSONS[0].path, live=False)).links
    assert "../docs/course.html" not in first and "../docs/glossary.html" in first


# ---- formulas -------------------------------------------------------------------------------------------


def plain(latex: str, **options) -> str:
    """MathML without what every element has."""
    made = mathml.to_mathml(latex, **options)
    return re.sub(r' (xmlns|alttext|stretchy|display|form|lspace|rspace|width)="[^"]*"', "", made)


@pytest.mark.parametrize(
    ("latex", "part"),
    [
        (r"\log p(x)", "<mi>log</mi><mspace /><mi>p</mi>"),
        (r"\log(x)", "<mi>log</mi><mo>(</mo>"),
        (r"C\log C", "<mi>C</mi><mspace /><mi>log</mi><mspace /><mi>C</mi>"),
        (
            r"\log\lvert\det W\rvert",
            "<mi>log</mi><mspace /><mo>|</mo><mi>det</mi><mspace /><mi>W</mi><mo>|</mo>",
        ),
        (r"-\log_2 P", "<msub><mi>log</mi><mn>2</mn></msub><mspace /><mi>P</mi>"),
        (r"\Delta z / \Delta x", '<mi mathvariant="normal">Δ</mi><mi>z</mi><mo>/</mo>'),
        (r"12{,}288", "<mtext>12,288</mtext>"),
        (r"\mathcal N(z; 0, I)", "<mi>𝒩</mi><mo>(</mo><mi>z</mi><mo>;</mo>"),
        (r"\mathbb E_q", "<msub><mi>𝔼</mi><mi>q</mi></msub>"),
        (
            r"\frac{a}{2^n}",
            "<mfrac><mrow><mi>a</mi></mrow><mrow><msup><mn>2</mn><mi>n</mi></msup></mrow></mfrac>",
        ),
    ],
)
def test_formulas_in_mathml(latex, part):
    assert part in plain(latex)


def test_bars_stand_close_to_what_they_enclose():
    made = mathml.to_mathml("|x| + |y|")
    assert re.findall(r'form="(\w+)"', made) == ["prefix", "postfix"] * 2


def test_a_formula_says_its_latex_and_can_be_scrolled():
    assert 'alttext="x_1"' in mathml.to_mathml(" x_1 ") and "tabindex" not in mathml.to_mathml("x_1")
    block = mathml.to_mathml("x_1", display=True)
    assert 'display="block"' in block and 'tabindex="0"' in block


@pytest.mark.parametrize("latex", [r"\nosuchcommand x", r"\left( x", r"x^{2"])
def test_a_formula_that_cannot_be_read_is_an_error(latex):
    with pytest.raises(GlowliteError, match="this formula"):
        mathml.to_mathml(latex)


# ---- source ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", course.READING_ORDER)
def test_a_file_of_the_package_as_a_page(file):
    page = Read(pages.render_source(file, live=False))
    source = (pages.MODEL / file).read_text()
    assert source.strip().splitlines()[-1].strip() in "".join(page.words)
    assert f"line-{len(source.splitlines())}" in page.ids  # a line can be linked to
    up = "../" * (1 + file.count("/"))
    assert f"{up}explore/studio.html" in page.links and f"{up}index.html" in page.links


@pytest.mark.parametrize("file", ["../pyproject.toml", "cli.py", "", "/etc/passwd", "flows/../glow.py"])
def test_no_other_file_has_a_page(file):
    with pytest.raises(GlowliteError, match="no page"):
        pages.render_source(file)


def test_relative_links_leave_no_page_behind():
    """Every link of every page leads to a page there is, by its file's name: from the file where it stands."""
    made = {"index.html": pages.render_landing(live=False)}
    made |= {f"notebooks/{lesson.page}": pages.render_notebook(lesson.path, live=False) for lesson in LESSONS}
    made |= {f"docs/{name}.html": pages.render_doc(name, live=False) for name in course.DOCS}
    made |= {f"source/{f[:-3]}.html": pages.render_source(f, live=False) for f in course.READING_ORDER}
    known = {*made, *api.list_pages(), *(f"explore/{explorer.name}.html" for explorer in course.EXPLORERS)}
    for name, text in made.items():
        for link in Read(text).links:
            if urlsplit(link).scheme or link.startswith("#"):
                continue
            path = Path("/", name).parent.joinpath(re.split("[?#]", link)[0])
            found = Path(*_normal(path)).as_posix()
            assert found in known, f"{name} links to {link}"


def _normal(path: Path) -> list[str]:
    parts: list[str] = []
    for part in path.parts[1:]:
        if part == "..":
            parts.pop()  # IndexError where a link leaves the site
        else:
            parts.append(part)
    return parts


def test_no_class_of_the_pages_is_one_of_the_explorers_on_them():
    sheets = ["widgets/theme.css", "pages/pages.css", "serving/voila/templates/glow/page.css"]
    theme, *others = (set(re.findall(r"\.(gl-[a-z-]+)", (course.LAB / sheet).read_text("utf-8"))) for sheet in sheets)
    assert theme & set.union(*others) == {"gl-page"} and len(theme) > 50
