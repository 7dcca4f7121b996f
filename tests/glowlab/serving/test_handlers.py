"""An explorer's page is told the model that its address asks for, and which to offer."""

from types import SimpleNamespace

import nbformat
import pytest

from glowlab.serving.handlers import add_models


def metadata(query: str) -> dict:
    """The metadata that the page's template finds."""
    notebook = nbformat.v4.new_notebook()
    add_models(SimpleNamespace(request=SimpleNamespace(query=query)), notebook, "")
    return notebook.metadata


@pytest.mark.parametrize("query", ["", "face=gallery-2", "model=faces64", "model=nothing"])
def test_without_a_word_on_it_the_model_is_the_usual_one(query):
    found = metadata(query)
    assert "model" not in found and "credit" not in found
    assert [(link["faces"], link["query"], link["chosen"]) for link in found.models] == [
        ("drawn", "", True),
        ("real", "?model=portraits64", False),
    ]


def test_another_model_is_named_with_its_credit():
    found = metadata("smile=1&model=portraits64")
    assert found.model == "portraits64" and "FairFace" in found.credit
    assert [link["chosen"] for link in found.models] == [False, True]


def test_the_choice_can_be_left_out_like_any_control():
    assert "models" not in metadata("controls=smile&model=portraits64")
    kept = metadata("controls=smile,model")
    assert [link["query"] for link in kept.models] == [
        "?controls=smile%2Cmodel",
        "?model=portraits64&controls=smile%2Cmodel",
    ]
