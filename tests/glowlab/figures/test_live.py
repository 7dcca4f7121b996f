"""Live figures: controls change values, values the scene; what a page sends; what a loop shows."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from glowlab.figures import live
from glowlab.figures.live import Button, CheckBox, Choice, Live, Point, Slider, Trace, Watch, watch_process
from glowlab.figures.scene import Scene
from glowlab.widgets.still import WIDGET
from glowlite.errors import GlowliteError


def draw(amount=0.5, layer=0, naive=False, kind="a", again=0, corner=(1.0, 1.0), stroke=()):
    scene = Scene(f"{amount} {layer} {naive} {kind} {again}", height=200)
    panel = scene.panel(x=(0, 2), y=(0, 2), frame=False)
    panel.line([0, 1], [0, amount])
    panel.handle("corner", *corner, "a corner")
    panel.pad("stroke", "draw here")
    if len(stroke):
        panel.dots(*np.asarray(stroke).T)
    return scene


KNOBS = (
    Slider("amount", "Amount", 0.0, 2.0, 0.5),
    Slider("layer", "Layer", 0, 8, 3, buttons=True),
    CheckBox("naive", "Naive"),
    Choice("kind", "Kind", {"a": "A", "b": "B"}),
    Button("again", "Again"),
    Point("corner", (1, 1)),
    Trace("stroke"),
)


@pytest.fixture
def made():
    return Live(draw, *KNOBS)


def test_it_starts_from_the_controls_values(made):
    assert made.scene.alt == "0.5 3 False a 0"
    assert made.values["corner"] == (1.0, 1.0) and made.values["stroke"].shape == (0, 2)


def test_each_control_redraws(made):
    before = made.board.shapes
    made.controls["amount"].value = 1.25
    assert made.scene.alt.startswith("1.25 3") and made.board.shapes != before
    made.set(layer=5, naive=True, kind="b")
    made.controls["again"].click()
    assert made.board.label == "1.25 5 True b 1"


def test_a_slider_of_whole_numbers_gives_whole_numbers_and_has_buttons(made):
    made.controls["layer"].set_state({"move": [made.controls["layer"].epoch, 4.0]})
    assert made.values["layer"] == 4 and isinstance(made.values["layer"], int)
    _, outer = KNOBS[1].make(lambda name, value: None)
    slider, back, on = outer.children
    for button, expected in ((on, 4), (on, 5), (back, 4)):
        button.click()
        assert slider.value == expected


def test_a_handle_is_dragged_in_the_units_of_its_panel(made):
    (panel,) = made.scene.panels
    across, down = panel.to_page(0.25, 1.75)
    made.board.set_state({"drag": [1, "corner", across, down]})
    assert made.values["corner"] == pytest.approx((0.25, 1.75))
    assert made.board.handles["corner"]["x"] == pytest.approx(across)
    made.board.set_state({"drag": [2, "nobody", 5, 5]})
    made.board.set_state({"drag": [3, "corner", -999, 5]})
    assert made.values["corner"][0] == 0.0


def test_a_stroke_arrives_in_the_units_of_its_panel(made):
    (panel,) = made.scene.panels
    points = np.array([[0.5, 0.5], [1.0, 1.5], [1.9, 0.1]])
    made.board.set_state({"trace": [1, "stroke", panel.to_page(*points.T).ravel().tolist()]})
    assert np.allclose(made.values["stroke"], points)
    assert any(shape["kind"] == "dots" for shape in made.board.shapes)


def test_an_error_while_a_control_moves_is_shown_and_the_picture_stays():
    def fragile(amount):
        if amount > 1:
            raise GlowliteError("that is too much")
        return Scene(f"at {amount}")

    made = Live(fragile, Slider("amount", "Amount", 0.0, 2.0, 0.5))
    made.controls["amount"].value = 1.5
    assert made.head.notice == {"text": "that is too much", "kind": "bad"} and made.scene.alt == "at 0.5"
    made.controls["amount"].value = 0.2
    assert made.head.notice == {} and made.scene.alt == "at 0.2"


def test_the_bundle_has_widget_picture_and_words(made):
    bundle, metadata = made._repr_mimebundle_()
    assert WIDGET in bundle
    assert bundle["text/plain"] == made.scene.alt == metadata["image/png"]["alt"]
    assert 'alt="0.5 3 False a 0"' in bundle["text/html"]


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda: Live(draw, Slider("amount", "A", 0, 1), CheckBox("amount", "B")), "name of its own"),
        (lambda: Live(draw, Slider("amount", "A", 0, 1)), "no control has that name"),
        (lambda: Slider("a", "A", 0, 1, 3), "cannot start at 3"),
        (lambda: Slider("a", "A", 1, 1), "cannot start"),
        (lambda: Choice("a", "A", {"b": "B"}, "c"), "none of the options"),
        (lambda: Watch(0, draw), "at least one step"),
    ],
)
def test_mistakes_are_stated(wrong, words):
    with pytest.raises(GlowliteError, match=words):
        wrong()


def test_a_loop_is_watched_to_its_end(monkeypatch):
    shown, updates = [], []

    class Handle:
        def update(self, bundle, metadata, raw):
            assert raw and WIDGET not in bundle, "the widget stays as it is"
            updates.append(metadata["image/png"]["alt"])

    monkeypatch.setattr(live, "show_with_still", lambda bundle, _, display_id: shown.append(bundle) or Handle())
    done = 0

    def draw():
        torch.rand(5)  # does not disturb the loop's own numbers
        return Scene(f"after {done}")

    torch.manual_seed(0)
    expected = torch.rand(4).tolist()
    torch.manual_seed(0)
    got = []
    for step in (watch := Watch(4, draw, every=0.0)):
        got.append(torch.rand(()).item())
        done = step + 1
        assert watch.scene.alt == f"after {step}"
    assert got == expected and updates == ["after 4"]
    assert [bundle[WIDGET]["model_id"] for bundle in shown] == [watch.model_id]
    assert "4 steps in" in watch.progress.value and "max" in watch.progress.value


def started(*lines):
    command = [sys.executable, "-c", "\n".join(["import sys, time", *lines])]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_a_process_is_watched_until_it_ends(capsys):
    drawn = []
    watch_process(started("time.sleep(0.3)"), lambda: drawn.append(1) or draw(), every=0.05)
    assert len(drawn) > 2


def test_a_process_may_be_left_before_its_end(capsys):
    process = started("time.sleep(600)")
    watch_process(process, draw, until=lambda: True)
    assert process.poll() is None
    process.kill()
    process.communicate()


def test_a_process_that_fails_is_told(capsys):
    with pytest.raises(GlowliteError, match="status 3: no such preset"):
        watch_process(started("print('no such preset', file=sys.stderr)", "sys.exit(3)"), draw, every=0.05)
