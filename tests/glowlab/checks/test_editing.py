"""An editor and a search, of notebook 12b: the checks, tried on answers, stubs and the mistakes one makes."""

import pytest
import torch

from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlab.checks.editing import amounts_for, edit
from glowlab.checks.solutions import editing
from glowlite.latents import add


def faulty(picture, moves, encode, decode, directions):
    shown = []
    for name, place in moves:
        picture = decode(add(encode(picture), directions[name], place))
        shown.append(picture)
    return shown


def encodes_again(picture, moves, encode, decode, directions):
    places, shown = {}, []
    for name, place in moves:
        picture = decode(add(encode(picture), directions[name], place - places.get(name, 0.0)))
        places[name] = place
        shown.append(picture)
    return shown


def adds_places(picture, moves, encode, decode, directions):
    eps, shown = encode(picture), []
    for name, place in moves:
        eps = add(eps, directions[name], place)
        shown.append(decode(eps))
    return shown


def last_alone(picture, moves, encode, decode, directions):
    return [decode(add(encode(picture), directions[name], place)) for name, place in moves]


def wrong_sign(picture, moves, encode, decode, directions):
    return editing.edit(picture, [(name, -place) for name, place in moves], encode, decode, directions)


def never_back(picture, moves, encode, decode, directions):
    """A slider at 0 is forgotten: it stays where it was before."""
    places, shown = {}, []
    for name, place in moves:
        places[name] = place or places[name]
        eps = encode(picture)
        for slider, amount in places.items():
            eps = add(eps, directions[slider], amount)
        shown.append(decode(eps))
    return shown


def by_name(picture, moves, encode, decode, directions):
    """The first picture in front."""
    return [picture, *editing.edit(picture, moves, encode, decode, directions)]


def darkens(picture, *rest):
    shown = editing.edit(picture, *rest)
    picture //= 2
    return shown


def after(change):
    return lambda *given: change(editing.edit(*given))


EDIT = {
    "the answer": (editing.edit, None),
    "encoded each time from the face": (lambda p, m, e, d, s: editing.edit(p, m, lambda _: e(p), d, s), None),
    "a tensor": (after(torch.cat), None),
    "without a batch": (after(lambda shown: [one[0] for one in shown]), None),
    "the faulty one": (faulty, "an edited picture was encoded again"),
    "encodes again": (encodes_again, "something is lost with every move"),
    "adds places": (adds_places, "where the slider stands now"),
    "the last slider alone": (last_alone, "only the slider that moved last"),
    "wrong sign": (wrong_sign, "wrong sign"),
    "never back": (never_back, "the first move is right, and a later one is not"),
    "the first in front": (by_name, "without the one of the beginning"),
    "the last one alone": (after(lambda shown: shown[-1:]), "and yours are 1"),
    "a dict": (after(lambda shown: dict(enumerate(shown))), "a list is wanted"),
    "one of them a name": (after(lambda shown: ["smile", *shown[1:]]), "must be a picture"),
    "not decoded": (after(lambda shown: [one + 1 for one in shown]), "did not come from decode"),
    "half": (lambda p, m, e, d, s: editing.edit(p, [(n, a / 2) for n, a in m], e, d, s), "were not what you decoded"),
    "in place": (darkens, "the picture is not what it was"),
    "one level": (lambda p, m, e, d, s: [d(e(p)[:1]) for _ in m], "the latents of all levels"),
    "latents encoded": (lambda p, m, e, d, s: [d(e(e(p)[0])) for _ in m], "encode takes a picture"),
    "a typing mistake": (lambda p, m, *rest: m.keys(), "AttributeError"),
}  # fmt: skip


@pytest.mark.parametrize("name", EDIT)
def test_edit_names_the_mistake(name):
    attempt, words = EDIT[name]
    for seed in range(5):
        verdict = edit(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict


def halved(reading, wanted, low, high, turns=20, upward=True):
    for _ in range(turns):
        middle = (low + high) / 2
        go_up = (reading(middle) < wanted) == upward
        low, high = torch.where(go_up, middle, low), torch.where(go_up, high, middle)
    return (low + high) / 2


def line(reading, wanted, low, high):
    first, last = reading(low), reading(high)
    return low + (wanted - first) / (last - first) * (high - low)


def newton(reading, wanted, low, high):
    return reading(2 * high)


def fine_grid(reading, wanted, low, high):
    tried = [low + (high - low) * i / 4000 for i in range(4001)]
    off = torch.stack([(reading(amounts) - wanted).abs() for amounts in tried])
    return torch.stack(tried).gather(0, off.argmin(0)[None])[0]


AMOUNTS = {
    "the answer": (editing.amounts_for, None),
    "float64": (lambda r, w, low, high: halved(r, w.double(), low.double(), high.double()), None),
    "too few turns": (lambda *given: halved(*given, turns=3), "go on halving"),
    "the middle": (lambda *given: halved(*given, turns=0), "that is the middle"),
    "the wrong way": (lambda *given: halved(*given, upward=False), "it goes the wrong way"),
    "a straight line": (line, "a straight line"),
    "one for all": (lambda *given: halved(*given).mean().expand(len(given[1])), "all faces have the same"),
    "one number": (lambda *given: halved(*given).mean(), "an amount of its own"),
    "a float": (lambda *given: halved(*given).mean().item(), "an amount of its own"),
    "a column": (lambda *given: halved(*given)[:, None], "must have the shape"),
    "a list": (lambda *given: halved(*given).tolist(), "must be a tensor"),
    "not finite": (lambda *given: halved(*given) / 0 * 0, "not a finite number"),
    "outside": (newton, "outside low and high"),
    "the wrong shape asked": (lambda reading, w, low, high: reading(low.mean()), "the argument of reading"),
    "a fine grid": (fine_grid, "was called 4001 times"),
    "a typing mistake": (lambda reading, *rest: reading.rise, "AttributeError"),
}  # fmt: skip


@pytest.mark.parametrize("name", AMOUNTS)
def test_amounts_for_names_the_mistake(name):
    attempt, words = AMOUNTS[name]
    for seed in range(3):
        verdict = amounts_for(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict


def not_implemented(*given):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [lambda *given: None, lambda *given: ..., not_implemented])
@pytest.mark.parametrize("check", [edit, amounts_for], ids=lambda check: check.name)
def test_an_untouched_stub_is_not_a_mistake(check, stub):
    verdict = check(stub)
    assert verdict.state == UNTRIED and not verdict


@pytest.mark.parametrize("check", [edit, amounts_for], ids=lambda check: check.name)
def test_hints_come_one_by_one_and_the_worked_answer_is_shown(check):
    texts = [str(check.hint()) for _ in check._hints]
    assert texts[0].startswith("Hint 1 of") and len(set(texts)) == len(texts)
    assert f"def {check.name}(" in check.solution().text
