"""A widget is shown by two outputs where that hides what is not wanted, else by one."""

import sys

import pytest
import torch

from glowlab.widgets import still
from glowlab.widgets.picture import Picture
from glowlab.widgets.still import STYLE, WIDGET

PICTURE = torch.randint(0, 256, (3, 8, 8), dtype=torch.uint8)


@pytest.fixture
def outputs(monkeypatch):
    """What `display` was given, in order."""
    given = []
    for name in ("SERVER_SOFTWARE", "VSCODE_PID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(still, "display", lambda data, **options: given.append(data))
    return given


def test_the_picture_comes_first_and_hides_itself(outputs):
    picture = Picture(PICTURE, label="A <face>.")
    picture._ipython_display_()
    first, second = outputs
    assert first["text/html"].endswith(STYLE) and WIDGET not in first and first["text/plain"] == "A <face>."
    assert first["text/html"].startswith(f'<img src="data:image/png;base64,{first["image/png"]}" alt="A &lt;face&gt;."')
    assert second == {WIDGET: {"version_major": 2, "version_minor": 0, "model_id": picture.model_id}}


def test_words_of_its_own_stay(outputs):
    still.show_with_still({WIDGET: {}, "text/html": "<p>Which?</p>", "text/plain": "Which?"})
    assert outputs == [{"text/html": f"<p>Which?</p>{STYLE}", "text/plain": "Which?"}, {WIDGET: {}}]


def test_a_widget_that_leaves_nothing_is_one_output(outputs):
    Picture(label="Nothing yet.")._ipython_display_()
    (only,) = outputs
    assert set(only) == {WIDGET, "text/plain"}


@pytest.mark.parametrize("place", ["Voila", "Colab", "VS Code"])
def test_elsewhere_there_is_one_output(outputs, place, monkeypatch):
    if place == "Voila":
        monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    elif place == "VS Code":
        monkeypatch.setenv("VSCODE_PID", "1")
    else:
        monkeypatch.setitem(sys.modules, "google.colab", sys)
    Picture(PICTURE, label="A face.")._ipython_display_()
    (only,) = outputs
    assert set(only) == {WIDGET, "text/plain", "image/png"}
