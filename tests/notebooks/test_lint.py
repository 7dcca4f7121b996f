"""The rules can fail: a sound notebook passes, and each way to spoil it is named."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebooks.lint import exists, lint

HEAD = """# 01 · A title

**After this notebook you can** count.

**Needs.** Nothing.

**Minutes.** About 5 to read and 5 for the exercises; all cells run in under 15 seconds.

**Symbols.**

| symbol | what it is | in the code |
|---|---|---|
| $D$ | how many numbers | `Glow.dims` |
"""
END = """## Summary

- a
- b
- c
- d
- e

**A harder question.** Why?

**Next.** 02.

**In the paper.** Section 2."""
IMG = '<img src="data:," alt="a dot">'


def picture(alt="a dot", page=IMG):
    data = {"image/png": "AA==", "text/plain": "a dot", "text/html": page}
    metadata = {"image/png": {"alt": alt} if alt else {}}
    return new_output("execute_result", data=data, metadata=metadata, execution_count=1)


def sound():
    code = new_code_cell("1 + 1", execution_count=1, outputs=[picture()])
    return new_notebook(
        cells=[
            new_markdown_cell(HEAD),
            code,
            new_markdown_cell("## Exercise 1 · Add\n\nAdd."),
            new_markdown_cell(END),
        ]
    )


def test_a_sound_notebook_has_no_fault(tmp_path):
    assert lint(sound(), tmp_path) == []


def text(index, old, new):
    def spoil(notebook):
        assert old in notebook.cells[index].source
        notebook.cells[index].source = notebook.cells[index].source.replace(old, new)

    return spoil


def code(**changes):
    return lambda notebook: notebook.cells[1].update(changes)


def output(made):
    return lambda notebook: notebook.cells[1].update(outputs=[made])


def display(data):
    return output(new_output("display_data", data=data))


SPOILT = {
    "long cell": (code(source="x = 1\n" * 21), "21 lines"),
    "long median": (code(source="x = 1\n" * 7), "median"),
    "many words": (text(2, "Add.", "word " * 90), "words"),
    "heading skipped": (text(2, "## Exercise", "### Exercise"), "level 3 after"),
    "second title": (text(2, "## Exercise", "# Exercise"), "level 1 after"),
    "no outcome": (text(0, "**After this notebook you can**", "You can"), "lacks **After"),
    "no needs": (text(0, "**Needs.**", ""), "lacks **Needs"),
    "no symbols": (text(0, "**Symbols.**", ""), "lacks **Symbols"),
    "no minutes": (text(0, "**Minutes.** About 5", "**Minutes.** Some"), "minutes"),
    "wrong minutes": (text(0, "About 5 to read", "About 60 to read"), "counted are"),
    "no summary": (text(3, "## Summary", "## In short"), "lacks ## Summary"),
    "short summary": (text(3, "- e\n", ""), "five lines"),
    "no question": (text(3, "**A harder question.**", ""), "lacks **A harder"),
    "no next": (text(3, "**Next.**", ""), "lacks **Next"),
    "no paper": (text(3, "**In the paper.**", ""), "lacks **In the paper"),
    "unknown symbol": (text(0, "Glow.dims", "Glow.colour"), "Glow.colour"),
    "no table": (text(0, "`Glow.dims`", "D"), "names nothing"),
    "dead link": (text(2, "Add.", "See [there](nowhere.ipynb)."), "nowhere.ipynb"),
    "image without alt": (text(2, "Add.", "![](picture.png)"), "no alt text"),
    "figure without alt": (output(picture(alt="")), "a figure has no alt"),
    "figure without a page's alt": (output(picture(page="")), "a figure has no alt"),
    "img without alt": (output(picture(page='<img src="data:,">')), "an image has no alt"),
    "not run": (code(execution_count=None), "was not run"),
    "error": (output(new_output("error", ename="ValueError", evalue="", traceback=[])), "an error is stored"),
    "stderr": (output(new_output("stream", name="stderr", text="careful")), "stderr"),
    "widget": (display({"application/vnd.jupyter.widget-view+json": {}, "text/html": "a"}), "no kernel"),
    "bare widget": (display({"text/plain": "VBox(children=(...))"}), "no picture"),
    "bare figure": (display({"text/plain": "<Figure size 640x480 with 1 Axes>"}), "no picture"),
    "widget state": (lambda notebook: notebook.metadata.update(widgets={}), "widget state"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_each_fault_is_named(name, tmp_path):
    spoil, words = SPOILT[name]
    notebook = nbformat.from_dict(sound())
    spoil(notebook)
    assert any(words in fault for fault in lint(notebook, tmp_path)), lint(notebook, tmp_path)


def test_a_large_notebook_is_a_fault(tmp_path):
    assert any("bytes" in fault for fault in lint(sound(), tmp_path, 1_000_000))


def test_a_link_that_leads_somewhere_is_none(tmp_path):
    (tmp_path / "there.ipynb").touch()
    notebook = sound()
    notebook.cells[2].source += " [there](there.ipynb#part) [web](https://example.org) [below](#below)"
    assert lint(notebook, tmp_path) == []


@pytest.mark.parametrize(
    "name", ["Glow.encode", "Glow.dims", "GlowConfig.levels", "latents.slerp", "pixels.to_float", "Coupling"]
)
def test_symbols_that_exist(name):
    assert exists(name)


@pytest.mark.parametrize("name", ["Glow.nothing", "latent", "pixels.nothing.at_all", "Nothing"])
def test_symbols_that_do_not(name):
    assert not exists(name)
