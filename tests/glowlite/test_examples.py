"""The examples in glowlite's docstrings give what they say."""

import doctest
import importlib
import pkgutil

import pytest

import glowlite

NAMES = [module.name for module in pkgutil.walk_packages(glowlite.__path__, "glowlite.")]
# The command line, files without a function for users, and the parts of a drawn face.
WITHOUT = {"cli", "folders", "flows", "data", "data.sdf", "data.anatomy", "data.portrait", "training"}


@pytest.mark.parametrize("name", [name for name in ["glowlite", *NAMES] if not name.endswith("__main__")])
def test_examples(name, monkeypatch, tmp_path):
    monkeypatch.setenv("GLOWLITE_DATA", str(tmp_path))
    module = importlib.import_module(name)
    found = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.failed == 0  # pytest shows what doctest printed
    assert (found.attempted == 0) == (name.removeprefix("glowlite.") in WITHOUT), "a module has no example"
