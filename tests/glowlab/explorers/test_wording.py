"""The explorers' words and strip of numbers."""

from glowlab.explorers.render import Decoded
from glowlab.explorers.typical import Typical
from glowlab.explorers.wording import WORDINGS, change, describe, listing, readout_entries, wording
from glowlite.data.faces import ATTRIBUTES


def test_every_attribute_of_the_faces_has_a_wording_with_two_ends():
    assert set(ATTRIBUTES) <= set(WORDINGS)
    for words in WORDINGS.values():
        assert words.low and words.high and words.low != words.high
        assert "{}" in words.less and "{}" in words.more


def test_an_unknown_attribute_is_spoken_of_plainly():
    assert wording("ear_size").title == "Ear size"
    assert change("ear_size", 0.5) == "more ear size"


def test_amounts_become_words():
    assert change("smile", 0.05) == ""
    assert change("smile", 0.2) == "a slightly bigger smile"
    assert change("smile", -0.5) == "a smaller smile"
    assert change("hair_colour", 0.95) == "much blonder hair"


def test_lists():
    assert [listing(list(items)) for items in ("", "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]


def test_descriptions():
    assert describe("gallery face 3", {}) == "Gallery face 3, unchanged."
    assert describe("your picture", {"beard": 0.5}) == "Your picture with more beard."
    half = describe("gallery face 3", {"age": -0.9}, "gallery face 5", 0.5)
    assert half == "Gallery face 3, blended 50 % with gallery face 5, then given much younger features."
    assert describe("gallery face 3", {}, "x", 1.0) == "Gallery face 3, turned all the way into x."
    assert describe("gallery face 3", {}, "x", 0.0) == "Gallery face 3, unchanged."


def test_numbers_that_are_not_known_yet_are_a_dash_and_no_warning():
    decoded = Decoded(None, 12.0, 0.0, 0.7)
    bits, *_ = readout_entries(float("nan"), True, Typical(3.5, 0.05), decoded, 0.0)
    assert bits["value"] == "\u2013" and bits["note"].startswith("held-out faces") and not bits["flag"]
    *_, time = readout_entries(3.5, False, Typical(3.5, 0.05), decoded._replace(milliseconds=0.0), 0.0)
    assert time["value"] == "\u2013"  # nothing was decoded
    bits, *_ = readout_entries(9.0, False, Typical(3.5, 0.05), decoded, 0.0)
    assert bits["value"] == "9.00" and bits["flag"] and "unlike" in bits["note"]
