"""Curves on a page of plain files, offline: plotly.js is loaded once, hover and zoom work, light and dark."""

import shutil

import plotly.graph_objects as go
import pytest

from glowlab.figures import curves
from glowlab.figures.colours import MEANINGS

PAGE = """<!doctype html><html lang="en" class="gl-page"><meta name="viewport" content="width=device-width">
<title>t</title><style>html {{ color-scheme: light dark }} body {{ color: light-dark(#1f2328, #eceae6) }}</style>
<body>{stills}<div style="height: 5000px"></div>{last}<script type="module">{script}</script></body></html>"""


@pytest.fixture
def address(tmp_path):
    """A page with two plots at its top, and one far below."""
    lines = [curves.curve(name, [0, 1, 2], [3.0, 2.0, 1.0 + i], "x") for i, name in enumerate(("first", "second"))]
    stills = [curves.Plot(go.Figure(lines), f"Plot {i}.").shown()._repr_mimebundle_()[0]["text/html"] for i in range(3)]
    script = curves.page_script("plotly.js")
    (tmp_path / "page.html").write_text(PAGE.format(stills="".join(stills[:2]), last=stills[2], script=script))
    shutil.copy(curves.LIBRARY, tmp_path / "plotly.js")
    return (tmp_path / "page.html").as_uri()


def visit(browser, address, **options):
    page = browser.new_context(offline=True, **options).new_page()
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    page.wait_for_function("document.querySelectorAll('[data-drawn]').length === 2", timeout=300_000)
    assert not wrong
    return page, asked


@pytest.mark.parametrize("scheme, number", [("light", 0), ("dark", 1)])
def test_curves_follow_light_and_dark(browser, address, scheme, number):
    page, asked = visit(browser, address, color_scheme=scheme, viewport={"width": 400, "height": 800})
    wanted = MEANINGS["x"][number].lstrip("#")
    rgb = ", ".join(str(int(wanted[i : i + 2], 16)) for i in (0, 2, 4))
    stroke = page.locator(".scatterlayer .js-line").first.evaluate("line => getComputedStyle(line).stroke")
    assert stroke == f"rgb({rgb})"
    assert [url.rpartition("/")[2] for url in asked] == ["page.html", "plotly.js"], "once, and nothing from elsewhere"
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    labels = page.locator(".gl-curves > [role=img]").evaluate_all("all => all.map((el) => el.ariaLabel)")
    assert labels[:2] == ["Plot 0.", "Plot 1."]
    page.context.close()


def test_one_hovers_and_zooms(browser, address):
    page, _ = visit(browser, address, viewport={"width": 1000, "height": 800})
    box = page.locator(".gl-curves .nsewdrag").first.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(middle[0] + 3, middle[1])
    page.wait_for_function("document.querySelector('.hoverlayer .hovertext')?.textContent.includes('2')")
    reach = "() => document.querySelector('.js-plotly-plot').layout.xaxis.range.map(Number)"
    before = page.evaluate(reach)
    page.mouse.down()
    page.mouse.move(middle[0] + 150, middle[1] + 80, steps=5)
    page.mouse.up()
    page.wait_for_function(f"() => ({reach})()[0] > {before[0]} + 0.5")
    titles = page.locator(".modebar-btn").evaluate_all("all => all.map((b) => b.dataset.title)")
    assert len(titles) == 8, "four for each plot, and none that sends numbers to another host"
    page.context.close()


def test_what_is_far_below_waits_until_it_is_seen(browser, address):
    page, _ = visit(browser, address)
    assert page.locator("[data-drawn]").count() == 2
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_function("document.querySelectorAll('[data-drawn]').length === 3", timeout=300_000)
    page.context.close()
