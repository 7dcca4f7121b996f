"""Curves: plotly's figure as JSON, points that are added, the picture and the numbers that a notebook stores."""

import gzip
import json
import re

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from plotly.subplots import make_subplots

from glowlab.figures import curves
from glowlab.figures.colours import PALETTE
from glowlab.figures.curves import Curves, Plot, curve
from glowlab.figures.live import Watch
from glowlab.widgets.still import WIDGET
from glowlite.errors import GlowliteError
from tests.glowlab.figures.painted import pixels


def plot(**look):
    return Plot(
        go.Figure(curve("loss", torch.arange(3), np.array([8.0, float("nan"), 1 / 3]), "log_det", **look)), "One."
    )


def coloured(picture, name):
    wanted = list(bytes.fromhex(PALETTE[name][1:]))
    return int((np.abs(picture[..., :3].astype(int) - wanted).max(-1) < 12).sum())


def test_numbers_are_plain_and_short():
    made = plot()
    assert made.points("loss") == ([0, 1, 2], [8.0, None, 0.333333])
    assert "template" not in made.figure["layout"]
    json.dumps(made.figure, allow_nan=False)


def test_a_figure_may_be_a_dict():
    figure = {"data": [{"name": "a", "x": [1], "y": [2.0], "mode": "markers"}], "layout": {"height": 200}}
    assert Plot(figure, "A dot.").shown().png


def test_the_picture_shows_every_curve_of_every_panel():
    figure = make_subplots(1, 2, subplot_titles=["left", "right"])
    figure.add_trace(curve("a", [1, 10], [1, 2], "x"), 1, 1)
    figure.add_trace(curve("b", [1, 10], [2, 1], "z", line_dash="dash"), 1, 2)
    figure.add_trace(go.Bar(x=[4], y=[1], marker_color=PALETTE["pink"]), 1, 2)
    figure.add_hline(y=1.5, line_color=PALETTE["amber"], row=1, col=1)
    figure.update_xaxes(type="log", tickvals=[1, 10])
    picture = pixels(Plot(figure, "Two panels.").shown())
    left, right = picture[:, : picture.shape[1] // 2], picture[:, picture.shape[1] // 2 :]
    for name, here, there in (("x", left, right), ("z", right, left), ("pink", right, left), ("amber", left, right)):
        above = slice(0, 400)  # without the legend
        assert coloured(here[above], name) > 100 and coloured(there[above], name) == 0, name


def test_what_is_stored_holds_the_numbers_for_pages_that_can_draw():
    bundle, metadata = Plot(go.Figure(curve("</script>", [1], [2], "x")), "A <curve>.").shown()._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == "A <curve>." and bundle["text/html"].count("</script>") == 1
    numbers = json.loads(re.search("<script[^>]*>(.*)</script>", bundle["text/html"])[1])
    assert numbers["figure"]["data"][0]["name"] == "</script>" and numbers["label"] == "A <curve>."
    assert numbers["shades"]["#0072B2"] == "#56B4E9"


def test_points_are_added_and_the_page_hears_of_it():
    made = Curves(plot())
    seen = []
    made.observe(lambda change: seen.append(change["new"]["data"][0]["y"]), "figure")
    made.append(loss=(3, 0.25))
    made.append(loss=([4, 5], torch.tensor([0.5, 0.125])))
    assert seen[-1] == [8.0, None, 0.333333, 0.25, 0.5, 0.125] and len(seen) == 2
    assert made.plot.points("loss")[0] == [0, 1, 2, 3, 4, 5]
    with pytest.raises(GlowliteError, match="no curve 'lost': choose of loss"):
        made.append(lost=(1, 1))


def test_the_kernel_sends_plotly_when_a_page_asks(monkeypatch):
    made, sent = Curves(plot()), []
    monkeypatch.setattr(made, "send", lambda content, buffers: sent.append((content, buffers)))
    made._handle_custom_msg({"kind": "other"}, [])
    assert sent == []
    made._handle_custom_msg({"kind": "library"}, [])
    ((content, (packed,)),) = sent
    assert content == {"kind": "library"} and gzip.decompress(packed) == curves.LIBRARY.read_bytes()
    assert len(packed) < 600_000


def test_a_page_may_set_nothing():
    made = Curves(plot())
    made.set_state({"label": "other", "figure": {}, "address": "https://example.org/plotly.js"})
    assert made.label == "One." and made.figure["data"] and made.address == ""


def test_plotly_is_named_with_its_licence():
    assert "MIT" in (curves.LIBRARY.parent / "LICENSE").read_text()
    assert b"plotly.js (cartesian - minified)" in curves.LIBRARY.read_bytes()[:100]


def test_a_loop_can_be_watched_by_curves():
    ys = []
    watch = Watch(3, lambda: Plot(go.Figure(curve("loss", range(len(ys)), list(ys), "z")), f"{len(ys)} points."))
    for step in watch:
        ys.append(step)
    assert watch.scene.points("loss") == ([0, 1, 2], [0, 1, 2]) and watch.scene.alt == "3 points."
    assert WIDGET in watch._repr_mimebundle_()[0]


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: Plot(go.Figure(), " "), "need alt"),
        (lambda: Plot(go.Figure(go.Pie(values=[1])), "A pie."), "not of pie"),
        (lambda: curve("a", [1], [1], "mauve"), "no colour 'mauve'"),
    ],
)
def test_what_cannot_be_shown_is_refused(make, words):
    with pytest.raises(GlowliteError, match=words):
        make()
