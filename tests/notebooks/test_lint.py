"""The rules can fail: a sound notebook passes, and each way to spoil it is named."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebooks.lint import exists, lint

HEAD = """# 03 · A title

**After this notebook you can** count.

**Needs.** Nothing.

**Minutes.** About 5 to read and 30 for the exercises; all cells run in under 15 seconds.

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

**Next.** 04, Another title: why.

**In the paper.** Section 2."""
IMG = '<img src="data:," alt="a dot">'


def picture(alt="a dot", page=IMG):
    data = {"image/png": "AA==", "text/plain": "a dot", "text/html": page}
    metadata = {"image/png": {"alt": alt} if alt else {}}
    return new_output("execute_result", data=data, metadata=metadata, execution_count=1)


def said(text="True", kind="execute_result"):
    count = {"execution_count": 1} if kind == "execute_result" else {}
    return new_output(kind, data={"text/plain": text, "text/html": f"<p>{text}</p>"}, **count)


def cell(source, *outputs, tags=()):
    return new_code_cell(source, execution_count=1, outputs=list(outputs), metadata={"tags": list(tags)})


CODE, ASK, PRINT, END_AT = 1, 2, 4, -1


def sound():
    return new_notebook(
        cells=[
            new_markdown_cell(HEAD),
            cell("glow_map('z')", picture()),
            cell("guess = Prediction('?', ['a', 'b'])\nguess", said("Predict: ?  [a]  [b]")),
            cell("guess.outcome('a')", said("It is: a.", "display_data"), tags=["nbval-check-output"]),
            cell("assert mine == theirs\nprint(1)", new_output("stream", text="1\n"), tags=["varies: a clock"]),
            new_markdown_cell("## Exercise 1 · Add\n\nAdd."),
            new_markdown_cell("## Exercise 2 · Take away\n\nTake."),
            new_markdown_cell(END),
        ]
    )


@pytest.fixture
def folder(tmp_path):
    """Where the sound notebook lies: the next one is there, and none between it and 06."""
    for number, name in (("04", "Another title"), ("06", "The last")):
        nbformat.write(new_notebook(cells=[new_markdown_cell(f"# {number} · {name}")]), tmp_path / f"{number}_a.ipynb")
    return tmp_path


def test_a_sound_notebook_has_no_fault(folder):
    assert lint(sound(), folder) == []


def test_a_second_part_follows_the_first_and_is_named_by_its_letter(folder):
    nbformat.write(new_notebook(cells=[new_markdown_cell("# 03b · More of it")]), folder / "03b_more.ipynb")
    notebook = sound()
    assert lint(notebook, folder) == ["'**Next.**' does not go on with 03b"]
    notebook.cells[END_AT].source = END.replace("04, Another title", "03b, More of it (06)")
    assert lint(notebook, folder) == []
    notebook.cells[0].source = HEAD.replace("# 03 ·", "# 03b ·")
    assert lint(notebook, folder) == ["'**Next.**' does not go on with 04"]


def text(index, old, new):
    def spoil(notebook):
        assert old in notebook.cells[index].source
        notebook.cells[index].source = notebook.cells[index].source.replace(old, new)

    return spoil


def code(**changes):
    return lambda notebook: notebook.cells[CODE].update(changes)


def output(made):
    return lambda notebook: notebook.cells[CODE].update(outputs=[made])


def tagged(*tags):
    return lambda notebook: notebook.cells[PRINT].metadata.update(tags=list(tags))


def many_cells(notebook):
    notebook.cells[PRINT + 1 : PRINT + 1] = [cell("x = 1"), cell("x = 2"), cell("x = 3"), cell("x = 4")]


def longer(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source += "\nx = 1" * (7 - len(cell.source.splitlines()))


def display(data):
    return output(new_output("display_data", data=data))


SPOILT = {
    "long cell": (code(source="x = 1\n" * 21), "21 lines"),
    "long median": (longer, "lines in the median"),
    "many words": (text(5, "Add.", "word " * 90), "words"),
    "long answer": (text(5, "Add.", "<details>" + "word " * 130 + "</details>"), "an answer has 13"),
    "heading skipped": (text(5, "## Exercise", "### Exercise"), "level 3 after"),
    "second title": (text(5, "## Exercise", "# Exercise"), "level 1 after"),
    "no outcome": (text(0, "**After this notebook you can**", "You can"), "lacks **After"),
    "no needs": (text(0, "**Needs.**", ""), "lacks **Needs"),
    "no symbols": (text(0, "**Symbols.**", ""), "lacks **Symbols"),
    "no minutes": (text(0, "**Minutes.** About 5", "**Minutes.** Some"), "minutes"),
    "no number": (text(0, "# 03 · A title", "# A title"), "heading is not"),
    "wrong minutes": (text(0, "About 5 to read", "About 60 to read"), "counted are"),
    "no summary": (text(END_AT, "## Summary", "## In short"), "lacks ## Summary"),
    "short summary": (text(END_AT, "- e\n", ""), "five lines"),
    "no question": (text(END_AT, "**A harder question.**", ""), "lacks **A harder"),
    "no next": (text(END_AT, "**Next.**", ""), "lacks **Next"),
    "wrong next": (text(END_AT, "04", "05"), "does not go on with 04"),
    "next is not the next": (text(END_AT, "04, Another title", "06, The last"), "does not go on with 04"),
    "names none that is there": (
        text(5, "Add.", "As in notebook 05."),
        "names notebook 05, which is not there",
    ),
    "names a second part": (text(5, "Add.", "As in notebook 06b."), "names notebook 06b, which is not there"),
    "names two": (text(5, "Add.", "As in notebooks 04 to 07."), "names notebook 07, which is not there"),
    "needs none that is there": (
        text(0, "Nothing.", "Two titles (05)."),
        "names notebook 05, which is not there",
    ),
    "code names none that is there": (
        code(source="glow_map('z')  # notebook 05"),
        "names notebook 05, which",
    ),
    "no paper": (text(END_AT, "**In the paper.**", ""), "lacks **In the paper"),
    "unknown symbol": (text(0, "Glow.dims", "Glow.colour"), "Glow.colour"),
    "no table": (text(0, "`Glow.dims`", "D"), "names nothing"),
    "dead link": (text(5, "Add.", "See [there](nowhere.ipynb)."), "nowhere.ipynb"),
    "image without alt": (text(5, "Add.", "![](picture.png)"), "no alt text"),
    "figure without alt": (output(picture(alt="")), "a figure has no alt"),
    "figure without a page's alt": (output(picture(page="")), "a figure has no alt"),
    "img without alt": (output(picture(page='<img src="data:,">')), "an image has no alt"),
    "not run": (code(execution_count=None), "was not run"),
    "error": (output(new_output("error", ename="ValueError", evalue="", traceback=[])), "an error is stored"),
    "stderr": (output(new_output("stream", name="stderr", text="careful")), "stderr"),
    "widget": (display({"application/vnd.jupyter.widget-view+json": {}, "text/html": "a"}), "no kernel"),
    "bare widget": (display({"text/plain": "VBox(children=(...))"}), "no picture"),
    "bare figure": (display({"text/plain": "<Figure size 640x480 with 1 Axes>"}), "no picture"),
    "not compared": (tagged(), "leaves words"),
    "result not compared": (lambda notebook: notebook.cells[3].metadata.clear(), "leaves words"),
    "varies for no reason": (tagged("varies: "), "why its output varies"),
    "varies in a word": (tagged("varies: clock"), "why its output varies"),
    "compared and varies": (tagged("varies: a clock", "nbval-check-output"), "needs either"),
    "no prediction": (lambda notebook: notebook.cells.pop(ASK), "needs a Prediction"),
    "no outcome of it": (lambda notebook: notebook.cells.pop(ASK + 1), "each with its outcome"),
    "one exercise": (text(6, "## Exercise 2 ·", "##"), "two exercises"),
    "exercises out of order": (text(6, "Exercise 2", "Exercise 3"), "found ['1', '3']"),
    "no map": (code(source="x = 1"), "no map"),
    "nothing asserted": (
        lambda notebook: notebook.cells[PRINT].update(source="print(1)"),
        "equal the package's",
    ),
    "no picture for long": (
        many_cells,
        "5 code cells and no picture, from the cell that begins with 'assert",
    ),
    "widget state": (lambda notebook: notebook.metadata.update(widgets={}), "widget state"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_each_fault_is_named(name, folder):
    spoil, words = SPOILT[name]
    notebook = nbformat.from_dict(sound())
    spoil(notebook)
    assert any(words in fault for fault in lint(notebook, folder)), lint(notebook, folder)


def test_a_large_notebook_is_a_fault(folder):
    assert any("bytes" in fault for fault in lint(sound(), folder, 1_000_000))


def test_a_link_that_leads_somewhere_is_none(folder):
    (folder / "there.ipynb").touch()
    notebook = sound()
    notebook.cells[5].source += " [there](there.ipynb#part) [web](https://example.org) [below](#below)"
    assert lint(notebook, folder) == []


@pytest.mark.parametrize(
    "name", ["Glow.encode", "Glow.dims", "GlowConfig.levels", "latents.slerp", "pixels.to_float", "Coupling"]
)
def test_symbols_that_exist(name):
    assert exists(name)


@pytest.mark.parametrize("name", ["Glow.nothing", "latent", "pixels.nothing.at_all", "Nothing"])
def test_symbols_that_do_not(name):
    assert not exists(name)


@pytest.mark.parametrize("name", ["ActNorm.log_scale", "InvertibleConv1x1.weight", "GlowConfig.levels"])
def test_what_is_set_when_a_layer_is_made_exists_too(name):
    assert exists(name) and not exists(name + "er")


def test_the_next_notebook_is_named_by_its_title(folder):
    nbformat.write(new_notebook(cells=[new_markdown_cell("# 04 · A third title")]), folder / "04_a.ipynb")
    assert lint(sound(), folder) == ["'**Next.**' does not say 'A third title', which is the next one's title"]


def test_the_next_notebook_need_not_have_the_next_number(folder):
    (folder / "04_a.ipynb").unlink()
    assert lint(sound(), folder) == ["'**Next.**' does not go on with 06"]
    notebook = sound()
    text(END_AT, "04, Another title", "06, The last")(notebook)
    assert lint(notebook, folder) == []


def test_the_last_notebook_goes_on_with_none(tmp_path):
    assert lint(sound(), tmp_path) == ["'**Next.**' goes on with 04, and this is the last one"]
    notebook = sound()
    text(END_AT, "04, Another title: why", "The studio")(notebook)
    assert lint(notebook, tmp_path) == []


def test_what_is_folded_away_may_be_an_answer(folder):
    notebook = sound()
    notebook.cells[5].source += f"\n\n<details><summary>One answer</summary>{'word ' * 100}</details>"
    assert lint(notebook, folder) == []


@pytest.mark.parametrize("made", [picture(), said("Predict: ?"), new_output("display_data", data={"text/html": IMG})])
def test_what_needs_no_comparison(made, folder):
    notebook = sound()
    notebook.cells[PRINT].update(outputs=[made], metadata={})
    assert lint(notebook, folder) == []
