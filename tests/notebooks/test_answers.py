"""Every notebook with its exercises solved: each verdict is right, and the cells run on to the end."""

from pathlib import Path

import pytest

import glowlab.checks.solutions
from glowlab.notebooks import scripts
from tests.notebooks.solved import definitions, exercises, put_in, run

SCRIPTS = scripts()
FOLDERS = {
    "solutions": Path(glowlab.checks.solutions.__file__).parent,
    "second": Path(__file__).parents[1] / "glowlab" / "checks" / "second",
}


def answers_to(script, folder) -> dict[str, str]:
    """The source of an answer to each exercise; fails where one is missing."""
    found, missing = {}, []
    for exercise in exercises(script):
        path = folder / f"{exercise.module}.py"
        source = definitions(path).get(exercise.name) if path.is_file() else None
        if source is None:
            missing.append(f"{path.parent.name}/{path.name} has no {exercise.name}")
        else:
            found[exercise.name] = source
    assert not missing, "; ".join(missing)
    return found


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_notebook_has_exercises_and_a_check_for_each(script):
    headings = [line for line in script.read_text(encoding="utf-8").splitlines() if line.startswith("# ## Exercise")]
    found = exercises(script)
    assert len(headings) == len(found) >= 1, f"{len(headings)} headings, and checks of {[one.name for one in found]}"
    named = {one.name: one.find_check().name for one in found}
    assert named == {name: name for name in named}, "a check carries another name than its exercise"


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_with_answers_every_verdict_is_right_and_the_notebook_runs_on(script, folder):
    answers = answers_to(script, FOLDERS[folder])
    verdicts = run(script, answers)
    assert {verdict.name for verdict in verdicts} == set(answers)
    assert [verdict for verdict in verdicts if not verdict] == []


def test_an_answer_takes_the_place_of_the_stub_alone():
    cell = "import torch\n\n\ndef f(x):\n    y = ...\n    return y\n\n\nf(2)  # used"
    changed = put_in(cell, {"f": "def f(x):\n    return 2 * x", "g": "def g(): ..."})
    assert changed == "import torch\n\n\ndef f(x):\n    return 2 * x\n\n\nf(2)  # used"


def test_a_wrong_answer_is_noticed():
    script = SCRIPTS[2]
    wrong = dict(answers_to(script, FOLDERS["solutions"]), affine="def affine(x, scale_and_shift):\n    return x, 0")
    assert exercises(script)[1].name == "affine"
    with pytest.raises(AssertionError):
        assert all(run(script, wrong))
