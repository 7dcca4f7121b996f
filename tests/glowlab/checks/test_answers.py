"""Parts shared by several checks: the shape of an answer, and the fewest mistakes that explain it."""

import pytest
import torch

from glowlab.checks import answers
from glowlab.checks.base import Mistake


def test_a_tensor_of_the_right_shape_comes_back_without_its_gradient():
    given = torch.ones(2, 3, requires_grad=True)
    assert torch.equal(answers.tensor_of(given, (2, 3), "z"), torch.ones(2, 3))
    assert not answers.tensor_of(given, (2, 3), "z").requires_grad


@pytest.mark.parametrize(
    "result, words",
    [
        (1.0, "z must be a tensor of shape (2, 3), not a float"),
        (torch.ones(3, 2), "z must have the shape (2, 3), not (3, 2)"),
    ],
)
def test_anything_else_is_named(result, words):
    with pytest.raises(Mistake) as said:
        answers.tensor_of(result, (2, 3), "z")
    assert str(said.value) == words


def test_variants_are_all_choices_with_the_words_of_the_wrong_ones():
    found = {value: words for words, value in answers.variants({"": 1, "two": 2}, {"": 3, "four": 4})}
    assert found == {(1, 3): [], (1, 4): ["four"], (2, 3): ["two"], (2, 4): ["two", "four"]}


def test_the_fewest_mistakes_are_told():
    one = torch.ones(2)
    candidates = [(["a", "b"], one), (["c"], one), ([], 2 * one)]
    assert answers.least_mistaken(one, iter(candidates)) == ["c"]
    assert answers.least_mistaken(2 * one, iter(candidates)) == []
    assert answers.least_mistaken(3 * one, iter(candidates)) is None


def test_mistakes_are_raised_in_words_and_no_mistake_is_silent():
    answers.explain([], "something else")
    with pytest.raises(Mistake, match="^a; and b$"):
        answers.explain(["a", "b"], "something else")
    with pytest.raises(Mistake, match="^something else$"):
        answers.explain(None, "something else")


@pytest.mark.parametrize("seed", range(5))
def test_random_inputs_hide_no_mistake(seed):
    dice = torch.Generator().manual_seed(seed)
    x = answers.random_batch(dice)
    assert x.dtype == torch.float32 and len(set(x.shape)) == 4
    log_s = answers.random_log_s(x.shape[1], dice)
    assert log_s.min() < 0 < log_s.max() and abs(log_s.sum()) > 0.1


def test_a_log_det_is_right_with_every_pixel_for_every_picture():
    dice = torch.Generator().manual_seed(0)
    x = answers.random_batch(dice)
    log_s = answers.random_log_s(x.shape[1], dice)
    right = (x[0, 0].numel() * log_s.sum()).expand(len(x))
    answers.diagnose_log_det(right, x, log_s)
    with pytest.raises(Mistake, match="forgot h x w"):
        answers.diagnose_log_det(right / x[0, 0].numel(), x, log_s)
    with pytest.raises(Mistake, match="each of the"):
        answers.diagnose_log_det(right[0], x, log_s)
