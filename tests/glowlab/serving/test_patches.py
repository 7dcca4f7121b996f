"""Private parts of Voila and Jupyter: used in patches.py alone, and only with versions that were tried."""

import ast
import re
from importlib.metadata import version
from pathlib import Path

import pytest
from jinja2 import DictLoader
from voila.exporter import VoilaExporter

from glowlab import serving
from glowlab.serving import patches, server

FILES = [path for path in Path(serving.__file__).parent.glob("*.py") if path.name != "patches.py"]
PRIVATE = re.compile(r"_[a-z]\w*")


def describe_untried(package: str, installed: str) -> str:
    """A sentence about a version that was not tried; "" if its first two numbers are those of one that was."""
    short = ".".join(installed.split(".")[:2])
    if short in [".".join(tried.split(".")[:2]) for tried in patches.TRIED[package]]:
        return ""
    return (
        f"{package} {short} was not tried: read glowlab/serving/patches.py, run make test-browser, then add it to TRIED"
    )


def find_private_names(code: str) -> set[str]:
    """Private attributes and arguments in `code` that it does not define itself."""
    nodes = list(ast.walk(ast.parse(code)))
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    own |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    used |= {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg}
    return {name for name in used - own if PRIVATE.fullmatch(name)}


@pytest.mark.parametrize("package", patches.TRIED)
def test_the_installed_version_was_tried(package):
    assert not (sentence := describe_untried(package, version(package))), sentence


def test_a_new_version_is_named_with_what_to_do(monkeypatch):
    monkeypatch.setitem(patches.TRIED, "voila", ["0.5.13", "0.7.0"])
    assert describe_untried("voila", "0.5.99") == describe_untried("voila", "0.7.1") == ""
    words = "voila 0.6 was not tried: read glowlab/serving/patches.py, run make test-browser, then add it to TRIED"
    assert describe_untried("voila", "0.6.1") == words


def test_private_names_are_found():
    assert find_private_names("self._own = 1\nself._own") == set()
    assert find_private_names("other._theirs\ncall(_option=1)\nother.__class__") == {"_theirs", "_option"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_other_files_use_no_private_part(path):
    code = path.read_text()
    assert find_private_names(code) <= {"_exit"}  # os._exit, which is documented
    assert not re.search(r"^\s*(from|import) voila", code, re.MULTILINE)  # nearly nothing of Voila is documented


def test_voila_compiles_a_template_once():
    create = VoilaExporter._create_environment
    patches.cache_templates(server.TemplateCache())
    try:
        sources = {"page.html": "{{ 1 + 1 }}"}
        pages = []
        for source in ("{{ 1 + 1 }}", "{{ 1 + 1 }}", "{{ 3 }}"):
            environment = VoilaExporter()._create_environment()
            sources["page.html"] = source
            environment.loader = DictLoader(dict(sources))
            pages.append(environment.get_template("page.html").render())
            cache = environment.bytecode_cache
        assert pages == ["2", "2", "3"] and len(cache.codes) == 1
    finally:
        VoilaExporter._create_environment = create
