"""An explorer's page is told the model that its address asks for, and which to offer."""

import pytest

from glowlab.serving.explorer import describe_explorer

MODELS = ["faces64", "portraits64"]


def describe(query: str, models: list[str] = MODELS) -> dict:
    return describe_explorer("studio", query, models)


@pytest.mark.parametrize("query", ["", "face=gallery-2", "model=faces64", "model=nothing"])
def test_without_a_word_on_it_the_model_is_the_usual_one(query):
    found = describe(query)
    assert found["model"] == found["credit"] == ""
    assert [(link["faces"], link["query"], link["chosen"]) for link in found["links"]] == [
        ("drawn", "", True),
        ("real", "?model=portraits64", False),
    ]


def test_another_model_is_named_with_its_credit():
    found = describe("smile=1&model=portraits64")
    assert found["model"] == "portraits64" and "FairFace" in found["credit"]
    assert [link["chosen"] for link in found["links"]] == [False, True]


def test_the_choice_can_be_left_out_like_any_control():
    assert not describe("controls=smile&model=portraits64")["links"]
    assert [link["query"] for link in describe("controls=smile,model")["links"]] == [
        "?controls=smile%2Cmodel",
        "?model=portraits64&controls=smile%2Cmodel",
    ]


def test_a_model_of_ones_own_is_the_usual_one():
    found = describe("", ["my faces", *MODELS])
    assert found["addresses"] == "../models/my%20faces.bin ../models/faces64.bin ../models/portraits64.bin"
    assert [(link["faces"], link["query"]) for link in found["links"]] == [
        ("my faces", ""),
        ("drawn", "?model=faces64"),
        ("real", "?model=portraits64"),
    ]
    assert found["model"] == "" and describe("model=faces64", ["my faces", *MODELS])["model"] == "faces64"
