"""A row of tiles with captions, alone in Chromium: they are seen, fit a phone, and are not said twice."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe

from glowlab.films.film import HERE as FILMS
from glowlab.films.film import PLAYER, _script_of
from glowlab.widgets import JS

from .visitor import PHONE, WIDE

THEME = (JS.parent / "theme.css").read_text(encoding="utf-8")
MODEL = (FILMS / "js" / f"{PLAYER[0]}.js").read_text(encoding="utf-8")  # Model, which no kernel stands behind
SEVEN = ["T = 0", "0.2", "0.4", "0.6", "0.8", "1.0", "1.2"]
NAMES = [f"T = {number / 5:.1f}" for number in range(7)]
HTML = f"""<!doctype html><html lang="en" class="gl-page"><title>Tiles</title>
<style>{THEME} body {{ margin: 16px; background: var(--gl-ground) }}</style>
<main class="jupyter-widgets gl"><h1>Tiles</h1><div class="gl-card"><div class="gl-seven"><div></div></div></div></main>
<script>{MODEL}
const renders = {{ {_script_of("tiles")} }};
const show = (traits) => {{
  const side = 8, count = traits.names.length;
  const pixels = new Uint8Array(side * side * 3 * count).fill(120);
  const el = document.querySelector(".gl-seven > div");
  el.replaceChildren();
  window.model = new Model({{ pixels, count, width: side, height: side, selected: 2, pick: [0, -1], ...traits }},
    () => {{}}, () => {{}});
  renders.tiles({{ model, el }});
}};
</script></html>"""
SEEN = """() => [...document.querySelectorAll(".gl-caption")].filter((e) => e.checkVisibility())
    .map((e) => e.textContent)"""
# Words that are wider than their tile, or take two lines.
TIGHT = """() => [...document.querySelectorAll(".gl-caption")].filter((e) => {
    const range = document.createRange();
    range.selectNodeContents(e);
    const [words, tile] = [range.getBoundingClientRect(), e.parentNode.getBoundingClientRect()];
    return words.left < tile.left || words.right > tile.right || range.getClientRects().length > 1;
}).map((e) => e.textContent)"""


@pytest.fixture
def show(browser):
    """A function that shows a row of seven tiles with these traits."""
    context = browser.new_context(viewport=WIDE)
    page = context.new_page()
    page.set_content(HTML)

    def make(**traits):
        page.evaluate(f"show({json.dumps({'label': 'Seven', 'names': NAMES, **traits})})")
        return page

    yield make
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("zoom", [1, 1.2], ids=["plain", "lecture"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_captions_are_seen_and_fit(show, viewport, zoom, theme):
    page = show(captions=SEVEN)
    page.set_viewport_size(viewport)
    page.emulate_media(color_scheme=theme)
    page.evaluate("zoom => { document.body.style.zoom = zoom; }", zoom)
    assert page.evaluate(SEEN) == SEVEN and page.evaluate(TIGHT) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page).response["violations"]
    assert [violation["id"] for violation in found] == []


def test_a_tile_is_called_by_its_name_alone_and_keys_choose_it(show):
    page = show(captions=SEVEN)
    tiles = page.get_by_role("radio")
    assert [tile.get_attribute("aria-label") for tile in tiles.all()] == NAMES
    assert all(seen in name for seen, name in zip(SEVEN, NAMES, strict=True))  # who says what is seen is understood
    assert page.locator(".gl-caption:not([aria-hidden=true])").count() == 0
    tiles.nth(2).press("ArrowRight")
    assert page.evaluate("model.get('selected')") == 3
    page.locator(".gl-caption").nth(5).click()
    assert page.evaluate("model.get('pick')") == [2, 5]


@pytest.mark.parametrize("captions", [{}, {"captions": []}], ids=["film of before", "none"])
def test_without_captions_a_tile_is_its_picture_and_they_may_come_later(show, captions):
    page = show(**captions)
    assert page.evaluate(SEEN) == []
    tile, canvas = (page.locator(f".gl-tile{part}").first.bounding_box() for part in ("", " canvas"))
    assert tile == pytest.approx(canvas, abs=0.1)
    page.evaluate("captions => model.put({ captions })", SEVEN)
    assert page.evaluate(SEEN) == SEVEN
