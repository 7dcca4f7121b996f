"""Two tied attributes, of notebook 12: the check, tried on the solution, the stub and the mistakes one makes."""

import pytest
import torch

from glowlab.checks.attributes_tied import separate, tied_labels
from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlite import latents
from glowlite.latents import mean_difference


def slopes(z, labels, centre=True):
    by = torch.linalg.pinv(labels - labels.mean(0) if centre else labels)
    both = [torch.tensordot(by, eps - eps.mean(0) if centre else eps, 1) for eps in z]
    return [level[:1] for level in both], [level[1:] for level in both]


def regress(z, a, b):
    return slopes(z, torch.stack([a, b], 1))


def with_a_constant(z, a, b):
    labels = torch.stack([a, b, torch.ones_like(a)], 1)
    both = [torch.linalg.lstsq(labels, eps.flatten(1)).solution[:2].view(2, *eps.shape[1:]) for eps in z]
    return [level[:1] for level in both], [level[1:] for level in both]


def like_with_like(z, a, b):
    def one(this, other):
        pairs = [mean_difference([eps[other == k] for eps in z], this[other == k] > 0.5) for k in (0, 1)]
        return [(x + y) / 2 for x, y in zip(*pairs, strict=True)]

    return one(a, b), one(b, a)


def packages(z, a, b):
    return latents.directions(z, {"a": a, "b": b})


def naive(z, a, b):
    return mean_difference(z, a > 0.5), mean_difference(z, b > 0.5)


def project_out(step, other):
    x, y = latents.flatten(step)[0], latents.flatten(other)[0]
    return [s - (x @ y / (y @ y)) * o for s, o in zip(step, other, strict=True)]


def projected(z, a, b):
    first, second = naive(z, a, b)
    return project_out(first, second), project_out(second, first)


def projected_as_well(z, a, b):
    first, second = regress(z, a, b)
    return project_out(first, second), project_out(second, first)


def one_against_the_other(z, a, b):
    first = mean_difference([eps[a != b] for eps in z], (a > b)[a != b])
    return first, [-step for step in first]


def single_faces(z, a, b):
    def face(x, y):
        return ((a == x) & (b == y)).nonzero()[0]

    def less(p, q):
        return [eps[p] - eps[q] for eps in z]

    return less(face(1, 0), face(0, 0)), less(face(0, 1), face(0, 0))


def alone_and_neither(z, a, b):
    """Right on average, but those who have both are left out: nearly twice as far off as it need be."""

    def mean(x, y):
        return [eps[(a == x) & (b == y)].mean(0, keepdim=True) for eps in z]

    def less(x, y):
        return [p - q for p, q in zip(mean(x, y), mean(0, 0), strict=True)]

    return less(1, 0), less(0, 1)


def share_taken_off(z, a, b):
    first, second = naive(z, a, b)
    r = torch.corrcoef(torch.stack([a, b]))[0, 1]
    return tuple([x - r * y for x, y in zip(p, q, strict=True)] for p, q in ((first, second), (second, first)))


def one_after_the_other(z, a, b):
    """y2 from what the slope on y alone has left."""
    first = [torch.tensordot(a - a.mean(), eps, 1)[None] / (a - a.mean()).square().sum() for eps in z]
    rest = [eps - a.view(-1, 1, 1, 1) * step for eps, step in zip(z, first, strict=True)]
    return first, [torch.tensordot(b - b.mean(), eps, 1)[None] / (b - b.mean()).square().sum() for eps in rest]


def covariances(z, a, b, mean=True):
    labels = torch.stack([a, b], 1)
    labels = (labels - labels.mean(0)) / (len(a) if mean else 1)
    both = [torch.tensordot(labels.T, eps, 1) for eps in z]
    return [level[:1] for level in both], [level[1:] for level in both]


def scaled(number):
    return lambda z, a, b: tuple([number * level for level in step] for step in regress(z, a, b))


def length_one(z, a, b):
    return tuple([s / latents.flatten(step).norm() for s in step] for step in regress(z, a, b))


def face_and_all(z, a, b):
    first, second = regress(z, a, b)
    return [s + 0.5 * eps.mean(0) for s, eps in zip(first, z, strict=True)], second


def labels_uncentred(z, a, b):
    return slopes([eps - eps.mean(0) for eps in z], torch.stack([a, b], 1), centre=False)


def centred_in_place(z, a, b):
    for eps in z:
        eps -= eps.mean(0)
    return regress(z, a, b)


SEPARATE = {
    "regression": (regress, None),
    "with a constant": (with_a_constant, None),
    "like with like": (like_with_like, None),
    "the package's": (lambda *given: tuple(packages(*given).values()), None),
    "the package's dict": (packages, "not a dict"),
    "lists of levels": (lambda *given: [list(step) for step in regress(*given)], None),
    "without a batch": (lambda *g: tuple([s[0] for s in step] for step in regress(*g)), "level 1 of d must have the"),
    "one without a batch": (lambda *g: (regress(*g)[0], [s[0] for s in regress(*g)[1]]), "keep the 1 in front"),
    "differences of means": (naive, "still tied"),
    "one of them tied": (lambda *g: (regress(*g)[0], naive(*g)[1]), "d2 alone is wrong: each"),
    "the other tied": (lambda *g: (naive(*g)[0], regress(*g)[1]), "d alone is wrong: each"),
    "projected out": (projected, "too much is taken away"),
    "projected out as well": (projected_as_well, "separated already"),
    "one against the other": (one_against_the_other, "one goes up while the other goes down"),
    "single faces": (single_faces, "it leaves out some of the faces"),
    "alone and neither": (alone_and_neither, "it leaves out some of the faces"),
    "float64": (lambda z, a, b: regress([eps.double() for eps in z], a.double(), b.double()), None),
    "changed places": (lambda *g: regress(*g)[::-1], "changed places"),
    "wrong sign": (scaled(-1), "wrong sign"),
    "half": (scaled(0.5), "half as long"),
    "twice": (scaled(2), "twice as long"),
    "three times": (scaled(3), "3.00 times as long"),
    "length 1": (length_one, "brought to length 1"),
    "no centring": (lambda z, a, b: slopes(z, torch.stack([a, b], 1), centre=False), "means were not subtracted"),
    "labels not centred": (labels_uncentred, "the labels' means"),
    "covariances": (covariances, "covariances"),
    "sums": (lambda *g: covariances(*g, mean=False), "sums over labels"),
    "share taken off": (share_taken_off, "1 - correlation^2"),
    "the mean face with it": (face_and_all, "of the mean face"),
    "a mixture": (lambda *g: (regress(*g)[0], [x + 0.3 * y for x, y in zip(*regress(*g)[::-1], strict=True)]),
                  "your d2 moves y by 0.30 and y2 by 1.00"),
    "one after the other": (one_after_the_other, "your d moves y by 1.00 and y2 by 0."),
    "noise": (lambda *g: tuple([torch.randn_like(s) for s in step] for step in regress(*g)), "something else"),
    "one direction": (lambda *g: [regress(*g)[0]], "two directions are wanted"),
    "one still to write": (lambda *g: (regress(*g)[0], ...), "still to be written"),
    "flattened": (lambda *g: tuple(map(latents.flatten, regress(*g))), "flattened"),
    "first level alone": (lambda *g: tuple(step[:1] for step in regress(*g)), "has 1 levels"),
    "both in one": (lambda *g: tuple([torch.cat(p) for p in zip(*regress(*g), strict=True)] for _ in (1, 2)), "(1, "),
    "in place": (centred_in_place, "eps is not what it was"),
    "a typing mistake": (lambda z, a, b: latents.direction(z, a), "AttributeError"),
}  # fmt: skip


@pytest.mark.parametrize("name", SEPARATE)
def test_separate_names_the_mistake(name):
    attempt, words = SEPARATE[name]
    torch.manual_seed(0)
    for seed in range(5):
        verdict = separate(attempt, seed=seed)
        assert verdict.state == (RIGHT if words is None else WRONG), verdict
        assert words is None or words in verdict.mistake, verdict


def test_the_labels_are_tied_but_can_be_separated():
    for seed in range(4):
        a, b = tied_labels(400, torch.Generator().manual_seed(seed), alone=(10, 30))
        assert 0.7 < torch.corrcoef(torch.stack([a, b]))[0, 1] < 0.9
        a, b = tied_labels(24, torch.Generator().manual_seed(seed))
        assert {(x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)} == {
            (0, 0),
            (0, 1),
            (1, 0),
            (1, 1),
        }


def not_implemented(*given):
    raise NotImplementedError


@pytest.mark.parametrize("stub", [lambda *given: None, lambda *given: (..., ...), not_implemented])
def test_an_untouched_stub_is_not_a_mistake(stub):
    verdict = separate(stub)
    assert verdict.state == UNTRIED and not verdict
    assert "goes on" in repr(verdict)


def test_hints_come_one_by_one_and_the_solution_is_the_packages_source():
    texts = [str(separate.hint()) for _ in range(5)]
    assert texts[0].startswith("Hint 1 of 4") and texts[-1] == texts[0]
    assert len(set(texts)) == 4
    assert "torch.linalg.pinv(labels - labels.mean(0))" in separate.solution().text
