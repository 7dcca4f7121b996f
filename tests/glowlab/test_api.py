"""The API pages: a page for each module, self-contained, and left out without pdoc."""

import re

import pytest

from glowlab import pages, site
from glowlab.pages import api


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return {name: make() for name, make in api.list_pages().items()}


def test_every_module_has_a_page(made):
    assert {"api/glowlite.html", "api/glowlite/flows/actnorm.html", "api/glowlite/data/faces.html"} < set(made)
    assert not any("cli" in name or "__" in name for name in made)
    for name, page in made.items():
        module = name.removeprefix("api/").removesuffix(".html").replace("/", ".")
        assert f"<title>{module} · Glow" in page and page.count("<h1") == 1


def test_docstrings_and_examples_are_on_them(made):
    page = made["api/glowlite/flows/actnorm.html"]
    assert "section 3.1" in page and "log_scale" in page
    assert "ScriptModule" not in page and "Inherited Members" not in page  # PyTorch's words
    assert 'id="Glow.encode"' in made["api/glowlite.html"]


def test_a_page_loads_nothing(made):
    loads = r"<(?:script|link|img|iframe)[^>]*(?:src|href)=(?!['\"]data:)|@import|url\((?!['\"]?data:)"
    for name, page in made.items():
        assert re.findall(loads, page) == [], name
        assert '<link rel="icon" href="data:image/svg' in page  # else a browser asks for /favicon.ico


def test_links_between_them_hold(made):
    for name, page in made.items():
        for link in re.findall(r'href="(\.\./[^"#]*)', page):
            parts = name.split("/")[:-1]
            while link.startswith("../"):
                parts, link = parts[:-1], link.removeprefix("../")
            assert "/".join([*parts, link]) in {*made, "index.html"}, f"{name} links to {link}"


def test_the_site_has_them_and_says_so(tmp_path):
    assert "api/glowlite.html" in [file.name for file in site.list_files(tmp_path)]
    assert 'href="api/glowlite.html"' in pages.render_landing(live=False)
    assert "api/glowlite" not in pages.render_landing(live=True)


def test_without_pdoc_they_are_left_out(monkeypatch, tmp_path):
    monkeypatch.setattr(api, "is_available", lambda: False)
    assert not any(file.name.startswith("api/") for file in site.list_files(tmp_path))
    assert "api/glowlite" not in pages.render_landing(live=False)
