"""Steps that are the same in every check, and the questions asked before a cell runs."""

import re

import pytest
import torch

from glowlab.checks import Prediction, predict
from glowlab.checks.base import (
    RIGHT,
    UNTRIED,
    WRONG,
    Mistake,
    check,
    name_mistake,
    run,
    same,
    tried,
)
from glowlite.errors import GlowliteError


def make(seen=None):
    @check("double", hints=["a", "b"], solution=[tried])
    def double(attempt, generator):
        x = torch.randn(3, generator=generator)
        if seen is not None:
            seen.append(x)
        if not torch.allclose(run(attempt, x), 2 * x):
            raise Mistake("not twice <x>")
        yield "it doubles"

    return double


def test_inputs_are_fresh_at_every_call_and_repeat_for_a_seed():
    seen = []
    double = make(seen)
    for seed in (None, None, 3, 3):
        assert double(lambda x: 2 * x, seed=seed)
    rounds = torch.stack(seen).view(4, -1, 3)
    assert not torch.equal(rounds[0], rounds[1]) and torch.equal(rounds[2], rounds[3])
    assert not torch.equal(rounds[2][0], rounds[2][1])


def test_a_verdict_reads_well_as_text_and_as_html():
    double = make()
    right, wrong, untried = (
        double(lambda x: 2 * x),
        double(lambda x: x),
        double(lambda x: None),
    )
    assert [verdict.state for verdict in (right, wrong, untried)] == [
        RIGHT,
        WRONG,
        UNTRIED,
    ]
    assert repr(right) == "✓ double: right\n  ✓ it doubles"
    assert "✗ not twice <x>" in repr(wrong) and "not twice &lt;x&gt;" in wrong._repr_html_()
    assert "not tried yet" in untried._repr_html_()


def test_a_forgotten_return_is_a_mistake_and_an_empty_function_is_not():
    def forgot(x):
        doubled = 2 * x  # noqa: F841

    def dots(x):
        """Twice x."""
        ...

    def unfinished(x):
        return ...

    verdict = make()(forgot)
    assert verdict.state == WRONG and "`return`" in verdict.mistake
    assert make()(dots).state == make()(unfinished).state == UNTRIED


def test_an_attempt_that_holds_only_sometimes_is_wrong():
    calls = []

    def twice(x):
        calls.append(x)
        return 2 * x if len(calls) < 3 else x

    assert make()(twice).state == WRONG


def test_a_wrong_verdict_says_nothing_right_that_its_mistake_denies():
    @check("even", hints=["a"])
    def even(attempt, generator):
        if run(attempt) % 2:
            raise Mistake("odd")
        yield "even"

    given = iter([2, 3])
    assert even(lambda: next(given)).lines() == ["✗ odd"]


def test_a_worked_answer_comes_first_and_is_found_by_module_and_name(monkeypatch):
    def trial(attempt, generator): ...

    trial.__module__ = "glowlab.checks.coupling_layers_more"  # the second file of a notebook's checks
    shown = check("affine", hints=["a"], solution=[tried])(trial).solution()
    first, package = shown.text.split("# The package does it like this:")
    assert "def affine(x, scale_and_shift):" in first and "def tried(result):" in package
    assert shown._repr_markdown_().count("```python\n") == 2
    assert "\ndef tried" in "\n" + check("nothing", hints=["a"], solution=[tried])(trial).solution().text
    monkeypatch.setenv("GLOWLITE_SOLUTIONS", "off")
    assert check("affine", hints=["a"])(trial).solution().text == "Solutions are switched off here; hints are not."


def test_an_error_in_the_attempt_is_one_sentence():
    def broken(x):
        return x @ torch.ones(5, 5)

    verdict = make()(broken)
    assert verdict.state == WRONG and "return x @ torch.ones(5, 5)" in verdict.mistake and "\n" not in verdict.mistake


def test_a_check_does_not_disturb_the_notebooks_random_numbers():
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    make()(lambda x: 2 * x)
    assert torch.equal(torch.rand(2), expected)


def test_rounding_is_no_difference_and_a_shape_is_one():
    a = torch.tensor([1.0, 2.0], dtype=torch.float64)
    assert same(a, a.float() + 1e-6)
    assert not same(a, a + 1e-3) and not same(a, a[None])
    assert not same(a * torch.nan, a * torch.nan) and not same(1.0, a) and not same(None, a)
    assert same([a, a[:1]], (a, a[:1])) and not same([a, a], [a, a + 1]) and not same([a], [a, a])


def test_the_first_mistake_with_these_numbers_is_raised():
    a = torch.ones(2)
    wrong = {"half": a / 2, "twice": 2 * a, "twice again": 2 * a}
    name_mistake(a, wrong)
    with pytest.raises(Mistake, match="^twice$"):
        name_mistake(2 * a, wrong)


def test_a_prediction_is_compared_with_the_outcome_and_may_be_skipped(capsys):
    guess = Prediction("Which?", ["one", "two"])
    assert guess.guess is None and guess.verdict() == guess._said.value == ""
    guess.outcome("two", "Since.")
    assert guess.verdict() == "It is: two. Since."
    guess.toggle.value = "one"
    assert guess.verdict() == "You guessed: one. It is: two. Since."
    guess.toggle.value = "two"
    assert guess.verdict() == "You guessed it: two. Since." and guess.verdict() in guess._said.value
    assert "two" in capsys.readouterr().out


def test_an_outcome_is_folded_until_there_is_a_guess(monkeypatch):
    stored = []
    monkeypatch.setattr(predict, "show_with_still", lambda bundle: stored.append(bundle["text/html"]))
    guess = Prediction("Which?", ["one", "two & more"])
    guess.outcome("two & more")
    assert re.fullmatch(
        "<details><summary>Make a [^<]*</summary><p>It is: two &amp; more.</p></details>",
        stored[0],
    )
    assert guess._said.value == stored[0]  # the widget is folded in the same way
    guess.toggle.value = "one"
    guess.outcome("two & more")
    assert guess._said.value == stored[1] == "<p>You guessed: one. It is: two &amp; more.</p>"


def test_a_prediction_leaves_words_where_no_kernel_runs():
    bundle = Prediction("Is 1 < 2?", ["yes", "no"])._repr_mimebundle_()
    assert "[yes]  [no]" in bundle["text/plain"] and "<li>yes</li>" in bundle["text/html"]
    assert "1 &lt; 2" in bundle["text/html"]


@pytest.mark.parametrize("options", [[], ["one"], ["one", "one"]])
def test_a_prediction_needs_options(options):
    with pytest.raises(GlowliteError, match="two options"):
        Prediction("Which?", options)


def test_an_outcome_is_one_of_the_options():
    with pytest.raises(GlowliteError, match="none of the options"):
        Prediction("Which?", ["one", "two"]).outcome("three")
