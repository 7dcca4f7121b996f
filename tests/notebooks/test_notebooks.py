"""Every stored notebook: it is what its script says, and it holds to the rules in lint.py."""

import jupytext
import nbformat
import pytest

from glowlab.notebooks import ROOT, from_script, notebook_of, scripts
from tests.notebooks.lint import lint, title

SCRIPTS = scripts()
NOTEBOOKS = sorted(ROOT.glob("*.ipynb"))


def cells(notebook) -> list[tuple]:
    return [(c.cell_type, c.source, c.id, tuple(c.metadata.get("tags", ()))) for c in notebook.cells]


def test_there_are_notebooks_and_each_has_a_script():
    assert SCRIPTS
    assert [notebook_of(script) for script in SCRIPTS] == NOTEBOOKS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_notebook_is_what_its_script_says(script):
    stored = nbformat.read(notebook_of(script), as_version=4)
    assert cells(stored) == cells(from_script(script)), "run: make notebooks"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_holds_to_the_rules(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert lint(notebook, path.parent, path.stat().st_size) == []
    assert title(notebook)[0] == path.stem.partition("_")[0]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_jupyterlab_pairs_it_with_its_script(script):
    from jupytext.config import load_jupytext_configuration_file, notebook_formats
    from jupytext.paired_paths import paired_paths

    config = load_jupytext_configuration_file(str(ROOT / "jupytext.toml"))
    notebook = notebook_of(script)
    formats = notebook_formats(jupytext.read(notebook), config, str(notebook))
    paths = [path for path, _ in paired_paths(str(notebook), formats[0], formats)]
    assert str(script) in paths


def test_the_dashboards_get_no_scripts():
    from jupytext.config import load_jupytext_configuration_file

    config = load_jupytext_configuration_file(str(ROOT / "dashboards" / "jupytext.toml"))
    assert config.default_formats(str(ROOT / "dashboards" / "studio.ipynb")) == "ipynb"
