"""The films: that they show what the explorers show today, and how they are packed, embedded and made into posters."""

import base64
import io
import json
import re

import numpy as np
import pytest
import torch
from PIL import Image

from glowlab.explorers import NAMES
from glowlab.films import film, record, snapshot
from glowlab.films.poster import SIZE, Reels, in_colour, make, make_mona_lisa
from glowlab.widgets.picture import Picture, Tiles
from glowlite.errors import GlowliteError

NUMBER = re.compile(r"\d+(?:\.\d+)?")
REMAKE = "record it anew: glowlite record {}"
EVERY = pytest.mark.parametrize("name", NAMES)


# ---- that a film is not older than its explorer ------------------------------------------------------------


def alike(stored, fresh, slack: float = 0.03) -> bool:
    """The same up to what another processor may round otherwise, in numbers and in numbers within words."""
    if isinstance(stored, dict):
        return stored.keys() == fresh.keys() and all(alike(stored[k], fresh[k], slack) for k in stored)
    if isinstance(stored, list | tuple):
        pairs = zip(stored, fresh, strict=False)
        return len(stored) == len(fresh) and all(alike(a, b, slack) for a, b in pairs)
    if isinstance(stored, str):
        numbers = zip(NUMBER.findall(stored), NUMBER.findall(fresh), strict=False)
        near = (abs(float(a) - float(b)) <= (slack if "." in a else 1.0) for a, b in numbers)
        return NUMBER.sub("0", stored) == NUMBER.sub("0", fresh) and all(near)
    if isinstance(stored, int | float) and not isinstance(stored, bool):
        return abs(stored - fresh) <= slack
    return stored == fresh


class Stored:
    """A film's states as `snapshot.state` gives them, but with pictures as arrays."""

    def __init__(self, name: str):
        self.reels = Reels(name)
        opening = self.reels.opening
        self.opening = {
            (number, trait): self.whole(held, [])
            for number, traits in enumerate(opening["traits"])
            for trait, held in traits.items()
        }

    def whole(self, held, pool: list):
        if not isinstance(held, dict) or "$" not in held:
            return held
        if held["$"] == "pictures":
            return [np.asarray(self.reels.pictures[number]) for number in held["of"]]
        return [pool[number] for number in held["of"]] if held["$"] == "list" else held["of"]

    def state(self, number: int) -> tuple[dict, dict]:
        """(point, state) of one of the moves."""
        moves = self.reels.moves
        at, changed = moves["states"][number]
        found = dict(self.opening)
        for trait, held in zip(changed[::2], changed[1::2], strict=True):
            found[tuple(moves["traits"][trait])] = self.whole(moves["pool"][held], moves["pool"])
        return dict(zip(moves["dims"], at, strict=True)), found


def differences(stored: dict, fresh: dict, exact: set[int] = frozenset()) -> list[str]:
    """Where a film and an explorer disagree; pictures of the widgets in `exact` may differ by rounding alone."""
    wrong = [f"{key} is missing" for key in stored.keys() ^ fresh.keys()]
    for (widget, trait), held in fresh.items():
        found = stored.get((widget, trait))
        if isinstance(held, snapshot.Pixels):
            size = found[0].shape if found else (0, 0, 3)
            now = [np.frombuffer(picture, np.uint8).reshape(size) for picture in held.pictures]
            far = max((np.abs(a.astype(int) - b).mean() for a, b in zip(found, now, strict=True)), default=0)
            if far > (0.1 if widget in exact else 6):
                wrong.append(f"{widget}.{trait}: pictures differ by {far:.1f} grey levels")
        elif trait == "images":
            continue  # few bytes, and drawn from the shapes beside them
        elif not alike(found, held, 4.0 if trait == "shapes" else 0.03):
            wrong.append(f"{widget}.{trait}: {str(found)[:90]!r}, but now {str(held)[:90]!r}")
    return wrong


class Opened:
    """An explorer opened as for recording, and how it was before anything moved."""

    def __init__(self, name: str):
        with snapshot.fix_batch_sizes():
            self.script = record.script(name)
        self.state = snapshot.state(self.script.explorer)
        self.opening = record.opening(self.script)[0]


@pytest.fixture(scope="module")
def opened():
    made = {}

    def get(name: str) -> Opened:
        if name not in made:
            made[name] = Opened(name)
        return made[name]

    return get


@EVERY
def test_the_opening_is_that_of_the_explorer_today(name, opened):
    now, stored = opened(name), Stored(name)
    opening = stored.reels.opening
    for key in ("tree", "dims", "controls", "dead", "hints", "parts", "chapters", "size"):
        assert opening[key] == json.loads(json.dumps(now.opening[key])), REMAKE.format(name)
    widgets = snapshot.parts(now.script.explorer)
    stage = next(w for w in widgets if "gl-show" in w._dom_classes)
    shown = {id(w) for w in snapshot.parts(stage)}
    exact = {i for i, w in enumerate(widgets) if id(w) in shown}
    assert any(isinstance(widgets[i], Picture | Tiles) for i in exact)
    assert differences(stored.opening, now.state, exact) == [], REMAKE.format(name)


@EVERY
def test_moves_are_what_the_explorer_makes_of_them_today(name, opened):
    script, stored = opened(name).script, Stored(name)
    count = len(stored.reels.moves["states"])
    assert [at for at, _ in stored.reels.moves["states"]] == [
        [point[dim] for dim in script.dims] for point in script.chapters["moves"][1]
    ], REMAKE.format(name)
    for number in (0, count // 3, count - 1):
        point, state = stored.state(number)
        with snapshot.fix_batch_sizes():
            script.go(point)
        assert differences(state, snapshot.state(script.explorer)) == [], REMAKE.format(name)
        query = state[next(key for key in state if key[1] == "query")]
        with snapshot.fix_batch_sizes():
            script.explorer._open_address("?" + query)  # what the live explorer is told when it takes over
        assert differences(state, snapshot.state(script.explorer)) == [], f"{query} leads elsewhere"


@EVERY
def test_every_chapter_was_recorded(name, opened):
    chapters = opened(name).script.chapters
    wanted = {film.FOLDER / f"{name}.{chapter}.film" for chapter in chapters}
    assert set(film.files(name)[1:]) == wanted, REMAKE.format(name)
    for chapter, (_, points) in chapters.items():
        content, sheets = film.unpack((film.FOLDER / f"{name}.{chapter}.film").read_bytes())
        assert len(content["states"]) == len(points)
        assert len(sheets) == len(content["sheets"])


def test_a_film_of_something_else_is_noticed(opened):
    stored, fresh = Stored("temperature"), opened("temperature").state
    tiles = next(key for key, held in fresh.items() if isinstance(held, snapshot.Pixels))
    blank = snapshot.Pixels(tuple(bytes(len(p)) for p in fresh[tiles].pictures))
    assert "pictures differ" in differences(stored.opening, {**fresh, tiles: blank})[0]
    says = next(key for key in fresh if key[1] == "says")
    assert differences(stored.opening, {**fresh, says: "Sixteen cats."})


# ---- packing ------------------------------------------------------------------------------------------------


def test_what_is_packed_can_be_unpacked():
    sheet = snapshot.Sheet((4, 4))
    pictures = [bytes([i] * 48) for i in (10, 20, 30)]
    assert [sheet.number(p) for p in (*pictures, pictures[1])] == [0, 1, 2, 1]
    packed = snapshot.with_sheets({"a": "\u2212"}, [(sheet, True)])
    content, (webp,) = film.unpack(packed)
    assert content == {"a": "\u2212", "sheets": [[0, 3, len(webp), True]]}
    pixels = np.asarray(Image.open(io.BytesIO(webp)).convert("RGB"))
    assert pixels.shape == (4, 4 * snapshot.COLUMNS, 3)
    assert [pixels[0, 4 * i, 0] for i in range(4)] == [10, 20, 30, 0]
    assert packed == snapshot.with_sheets({"a": "\u2212"}, [(sheet, True)])


def test_colours_stay_within_their_picture():
    sheet = snapshot.Sheet((16, 16))
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (240, 240, 240)]
    for colour in colours:
        sheet.number(bytes(colour) * 256)
    pixels = np.asarray(in_colour(sheet.webp(), lossless=False)).astype(int)
    for i, colour in enumerate(colours):
        assert np.abs(pixels[:, 16 * i : 16 * i + 16] - colour).max() < 12


def test_a_second_sheet_goes_on_counting_and_keeps_nothing_twice():
    first = snapshot.Sheet((1, 1))
    first.number(b"abc")
    second = snapshot.Sheet((1, 1), before=first)
    assert [second.number(b"xyz"), second.number(b"abc")] == [1, 0]
    with pytest.raises(GlowliteError, match="one size"):
        second.number(b"ab")


def test_values_are_kept_once():
    pool = snapshot.Pool(snapshot.Sheet((1, 1)))
    rows = [{"kind": "dots"}, {"kind": "text"}]
    assert pool.number(0.5) == pool.number(0.5) == 0
    assert pool.values[pool.number(rows)] == {"$": "list", "of": [1, 2]}
    assert pool.values[pool.number([rows[1]])] == {"$": "list", "of": [2]}
    assert pool.values[pool.number(snapshot.Pixels((b"abc", b"abc")))] == {"$": "pictures", "of": [0, 0]}
    assert pool.values[pool.number([b"\0"])] == {"$": "bytes", "of": ["AA=="]}


def test_a_chapter_holds_what_differs_and_refuses_other_widgets():
    chapter = snapshot.Chapter({(0, "a"): 1, (1, "b"): 2}, snapshot.Sheet((1, 1)), ["t"])
    chapter.add({"t": 0.5}, {(0, "a"): 1, (1, "b"): 3})
    content, sheets = film.unpack(chapter.packed())
    assert content["traits"] == [[1, "b"]] and content["states"] == [[[0.5], [0, 0]]] and sheets == []
    with pytest.raises(GlowliteError, match="other parts"):
        chapter.add({"t": 0.6}, {(0, "a"): 1})


def test_numbers_of_charts_are_rounded():
    given = {"points": (1.23456, np.float32(2.0)), "width": 2, "name": "x", "low": -0.001}
    assert snapshot.rounded(given) == {"points": [1.23, 2.0], "width": 2, "name": "x", "low": 0.0}


def test_pictures_are_told_apart_and_page_talk_is_left_out():
    tiles = Tiles()
    tiles.show(torch.arange(2 * 3 * 4 * 4, dtype=torch.uint8).reshape(2, 3, 4, 4), ["a", "b"])
    state = snapshot.state(tiles)
    assert [len(p) for p in state[0, "pixels"].pictures] == [48, 48]
    assert (0, "pick") not in state and state[0, "names"] == ["a", "b"]


# ---- on pages -----------------------------------------------------------------------------------------------


@EVERY
def test_a_page_with_a_film_is_light(name):
    opening = len(film.embed(name).encode())
    assert opening < 250_000
    assert opening + len(film.as_script(film.FOLDER / f"{name}.moves.film")) < 1_000_000
    assert sum(path.stat().st_size for path in film.files(name)) < 2_000_000


@EVERY
def test_the_fragment_asks_no_other_host_and_is_whole(name):
    markup = film.embed(name, base="films/")
    assert 'data-base="films/"' in markup and "data-live>" not in markup
    assert not re.search(r"https?://", markup)
    assert markup.count("<script") == markup.count("</script>") == 2
    content = json.loads(re.search(r'<script type="application/json">(.*?)</script>', markup, re.S).group(1))
    assert content["name"] == name and len(content["webp"]) == len(content["sheets"])
    assert "export default" not in markup and "takeover" not in markup


def test_a_live_page_brings_what_takes_over():
    markup = film.embed("studio", live=True)
    assert "data-live>" in markup and "class Handover" in markup
    assert "class Handover" not in film.embed("studio")


def test_a_film_can_lie_there_as_scripts(tmp_path):
    assert "data-scripts>" in film.embed("studio", scripts=True)
    assert "data-scripts>" not in film.embed("studio")
    path = tmp_path / "studio.moves.film"
    path.write_bytes(bytes(range(256)))
    held = re.fullmatch(r'document\.currentScript\.film = "([\w+/=]+)";\n', film.as_script(path)).group(1)
    assert base64.b64decode(held) == bytes(range(256))


def test_where_nothing_was_recorded_there_is_no_film(monkeypatch, tmp_path):
    monkeypatch.setattr(film, "FOLDER", tmp_path)
    assert film.embed("nothing") == film.embed("studio") == ""
    with pytest.raises(GlowliteError, match="record it"):
        film.poster("studio")
    with pytest.raises(GlowliteError, match="there is no explorer"):
        record.script("nothing")


@pytest.mark.parametrize("spoil", [lambda film: film[:900], lambda film: b"", lambda film: film[:4] + b"x" * 99])
def test_a_broken_film_is_left_out_and_said(monkeypatch, tmp_path, caplog, spoil):
    whole = (film.FOLDER / "studio.film").read_bytes()
    monkeypatch.setattr(film, "FOLDER", tmp_path)
    (tmp_path / "studio.film").write_bytes(spoil(whole))
    assert film.embed("studio") == ""
    assert "studio.film: A film cannot be read" in caplog.text


@EVERY
def test_posters_are_small_and_stand_on_any_ground(name):
    data = film.poster(name)
    picture = Image.open(io.BytesIO(data))
    assert len(data) < 30_000 and picture.format == "WEBP" and picture.size == SIZE
    pixels = np.asarray(picture.convert("RGBA"))
    assert pixels[0, 0, 3] == 0  # nothing behind the pictures
    assert pixels[..., :3][pixels[..., 3] > 200].std() > 25  # and something on them
    today = np.asarray(Image.open(io.BytesIO(make(name))).convert("RGBA"))
    assert np.abs(today.astype(int) - pixels).mean() < 2  # it is made of the film that lies beside it


def test_the_mona_lisa_smiles_as_the_model_has_it_today():
    stored, today = (
        np.asarray(Image.open(io.BytesIO(data)).convert("RGBA")).astype(int)
        for data in (film.poster("mona-lisa"), make_mona_lisa())
    )
    assert stored.shape == today.shape and np.abs(stored - today).mean() < 2, REMAKE.format("mona-lisa")
    before, after = np.split(stored[:, : stored.shape[1] // 2 * 2, :3], 2, axis=1)
    assert np.abs(before - after)[len(before) // 2 :].mean() > 4  # about the mouth
