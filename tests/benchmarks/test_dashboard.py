"""What a slider is timed by: moves through pictures never drawn before, in a real Chromium."""

import pytest

from benchmarks.dashboard import (
    EXPLORERS,
    MOVES,
    PLAIN_PAGE,
    Move,
    anew,
    load,
    page_of,
    sweep,
    table,
)
from benchmarks.servers import Server
from benchmarks.visitors import Round
from glowlite.errors import GlowliteError

DREW, KEPT = Move(30.0, 1, True), Move(3.0, 1, False)
TILES = "() => [...document.querySelectorAll('#rendered_cells .gl-grid canvas')].map((c) => c.toDataURL())"
# Stands for Voila as it comes: each key brings another picture after 20 ms.
PLAIN = """<div id="rendered_cells"><div class="noUi-handle"></div><img src="data:,0"></div><script>
    window.keys = [];
    document.querySelector(".noUi-handle").addEventListener("keydown", (event) => {
        keys.push(event.key);
        setTimeout(() => { document.querySelector("img").src = "data:," + keys.length; }, 20);
    });
</script>"""

# Stands for an explorer: the last of three pictures still follows the move before, then the first two follow this one.
OURS = """<div id="rendered_cells"><input type="range" max="5"><canvas></canvas><canvas></canvas><canvas></canvas>
<div class="gl-readout"><dl><div><dt>Time to draw</dt><dd>NUMBER</dd><dd>NOTE</dd></div></dl></div></div><script>
    let frames = 0;
    const all = [...document.querySelectorAll("canvas")];
    function paint(some) {
        some.forEach((canvas) => canvas.getContext("2d").fillRect(0, 0, 2 + frames, 2));
        frames++;
        all.forEach((canvas) => { canvas.dataset.frame = frames; });
    }
    document.querySelector("input").addEventListener("input", () => {
        setTimeout(() => paint(all.slice(2)), 10);
        setTimeout(() => paint(all.slice(0, 2)), 30);
    });
</script>"""


@pytest.fixture(scope="module")
def server(chromium):
    running = Server()
    yield running
    running.stop()


@pytest.fixture
def tab(server, browser, request):
    """The live page of the explorer that the test is about."""
    opened = load(browser, server.address, EXPLORERS[request.param])[0]
    yield opened
    opened.context.close()


def moves_back(script: str) -> str:
    """The move the other way."""
    assert script.count("Number(input.value) + ") == 1
    return script.replace("Number(input.value) + ", "Number(input.value) - ")


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("tab, name", [(name, name) for name in EXPLORERS], indirect=["tab"])
def test_every_sweep_draws_anew_and_the_way_back_does_not(tab, name):
    """Numbers that come late on a busy machine may hide that a move drew, so two of twelve are let pass."""
    page = EXPLORERS[name]
    for _ in range(2):
        moves = sweep(tab, page, page.move)
        assert len(moves) == MOVES and all(move.time > 0 for move in moves)
        assert len(anew(name, moves)) >= MOVES - 2
    back = [Move(*tab.evaluate(moves_back(page.move))) for _ in range(MOVES - 1)]
    with pytest.raises(GlowliteError, match="kept from before"):
        anew(name, back)
    assert sum(move.anew for move in back) <= 2


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("tab", ["temperature"], indirect=True)
def test_of_the_temperature_one_move_waits_for_a_face_and_the_other_for_all(tab):
    page = EXPLORERS["temperature"]
    titles = {"temperature, first face": 1, "temperature, all sixteen": 16}
    assert list(page.moves) == list(titles)
    tab.evaluate(page.afresh)
    for title, least in titles.items():
        before = tab.evaluate(TILES)
        move = Move(*tab.evaluate(page.moves[title]))
        changed = [one != other for one, other in zip(before, tab.evaluate(TILES), strict=True)]
        assert changed[0] and sum(changed) >= least
        assert move.changed < 16  # with the first


@pytest.mark.browser
@pytest.mark.parametrize(
    "number, note, drew",
    [
        ("31\u2009ms", "for 2; the others follow", True),
        ("31\u2009ms", "for 1; the others follow", False),  # two came, so one was kept
        ("31\u2009ms", "all sixteen faces", False),  # of a sheet drawn before
        ("\u2013\u2009ms", "for 2; the others follow", False),
    ],
)
def test_a_move_drew_what_the_page_says_was_drawn(browser, number, note, drew):
    tab = browser.new_page()
    tab.set_content(OURS.replace("NUMBER", number).replace("NOTE", note))
    move = Move(*tab.evaluate(page_of("", "input", "canvas", 0, 1).move))
    assert move.time > 25 and move.changed == 2 and move.anew == drew
    tab.close()


@pytest.mark.browser
def test_the_plain_page_makes_as_many_moves_from_one_end(browser):
    tab = browser.new_page()
    tab.set_content(PLAIN)
    moves = sweep(tab, PLAIN_PAGE, PLAIN_PAGE.move)
    assert tab.evaluate("keys") == ["End", "Home", *["ArrowRight"] * MOVES]
    assert all(move.anew and move.changed == 1 and move.time > 15 for move in moves)
    tab.close()


@pytest.mark.browser
def test_a_picture_that_stays_is_an_error(browser):
    tab = browser.new_page()
    tab.set_content(PLAIN.replace("window.keys", "return; window.keys"))
    with pytest.raises(Exception, match="the picture did not change"):
        tab.evaluate(PLAIN_PAGE.afresh.replace("60000", "100"))
    tab.close()


def test_kept_moves_are_not_counted_and_half_of_them_are_refused():
    assert anew("studio", [DREW, KEPT, DREW]) == [30.0, 30.0]
    for moves in ([KEPT, KEPT], [DREW, KEPT], [DREW, KEPT, KEPT]):
        with pytest.raises(GlowliteError, match="studio: only"):
            anew("studio", moves)


def test_the_table_says_how_many_moves_drew():
    some = [Move(30.0, 2, True), Move(50.0, 4, True), Move(1.0, 16, False)]
    text = table(
        {"temperature, first face": some, "studio": [DREW] * 3},
        {"temperature, first face": [1, 2, 3, 4, 5], "studio": [6, 7, 8, 9, 10]},
        "a machine",
    )
    first, studio = text.splitlines()[-2:]
    assert first.split()[3:] == ["40", "49", "30", "2/3", "3", "1.0", "2.0", "3.0", "4.0", "5"]
    assert studio.split()[1:6] == ["30", "30", "30", "3/3", "1"]
    with pytest.raises(GlowliteError, match="studio: only 0 of 3"):
        table({"studio": [KEPT] * 3}, {}, "a machine")


def test_a_class_counts_the_moves_that_drew():
    row = Round(2, first=[1.0, 1.0], live=[1.0, 2.0], moves=[DREW, DREW, KEPT]).row()
    assert "30 / 30" in row and "2/3" in row
