"""Every explorer of a static page for everyone: on all screens, by keyboard, for axe-core, and from a disk."""

import shutil

import pytest

from glowlab.web.widgets import EXPLORERS

from .test_accessible import FOCUS, STOPS, violations
from .visitor import PHONE, WIDE, looks
from .web_site import rests, serve

LOCAL = ("file:", "data:", "blob:")


@pytest.fixture(scope="module", params=EXPLORERS)
def site(request, tmp_path_factory):
    yield from serve(request.param, tmp_path_factory.mktemp("site"))


def unfold(page):
    for fold in page.locator("[aria-expanded=false]").all():
        fold.click()
    return page


def test_how_it_looks(visit, site):
    assert looks(unfold(visit()), f"web-{site.page}") == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_axe_finds_no_violation(visit, viewport, theme):
    assert violations(unfold(visit("?face=nobody", viewport=viewport, color_scheme=theme))) == []


def test_the_keyboard_reaches_everything_in_reading_order(visit):
    page = unfold(visit())
    page.evaluate("document.activeElement.blur()")
    page.evaluate("document.querySelector('h1').tabIndex = -1, document.querySelector('h1').focus()")
    count = page.evaluate(STOPS)
    reached = []
    for _ in range(count):
        page.keyboard.press("Tab")
        reached.append(tuple(page.evaluate(FOCUS)))
    assert count >= 8 and reached == [(stop, True) for stop in range(count)]


def test_it_opens_from_a_disk(browser, site, tmp_path):
    for name in (site.page, "explorers.js", "models/tiny.bin.js"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(site.folder / name, tmp_path / name)
    page, wrong = browser.new_page(), []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("request", lambda request: None if request.url.startswith(LOCAL) else wrong.append(request.url))
    page.goto((tmp_path / site.page).as_uri())
    rests(page)
    assert page.locator("canvas").count() >= 12 and not wrong
    page.close()
