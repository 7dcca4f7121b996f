"""Drawn faces: the same for the same seed however they are drawn, every attribute seen where it should be."""

import pytest
import torch

from glowlite.data import faces
from glowlite.errors import GlowliteError

MEASURED = 24  # faces on which an attribute's effect is measured


@pytest.mark.parametrize("size", [16, 33, 64])
def test_shapes_and_types(size):
    images, attributes = faces.draw(5, size=size, seed=1)
    assert images.shape == (5, 3, size, size) and images.dtype == torch.uint8
    assert set(attributes) == set(faces.ATTRIBUTES) and len(attributes) >= 8
    for values in attributes.values():
        assert values.shape == (5,) and values.dtype == torch.float32


def test_the_same_seed_gives_the_same_faces_and_another_seed_others():
    first, second, other = faces.draw(6, seed=3), faces.draw(6, seed=3), faces.draw(6, seed=4)
    assert torch.equal(first.images, second.images)
    assert all(torch.equal(first.attributes[a], second.attributes[a]) for a in faces.ATTRIBUTES)
    differ = (first.images != other.images).float().mean(dim=(1, 2, 3))
    assert (differ > 0.5).all()


@pytest.mark.parametrize("size", [17, 33, 64])
def test_a_face_depends_neither_on_the_count_nor_on_the_chunk_nor_on_the_threads(size, monkeypatch):
    images, attributes = faces.draw(20, size=size, seed=5)
    for count in (1, 10, 19):
        fewer = faces.draw(count, size=size, seed=5)
        assert torch.equal(fewer.images, images[:count])
        assert all(torch.equal(fewer.attributes[a], attributes[a][:count]) for a in faces.ATTRIBUTES)
    for chunk in (1, 7):
        monkeypatch.setattr(faces, "CHUNK", chunk)
        assert torch.equal(faces.draw(20, size=size, seed=5).images, images)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert torch.equal(faces.draw(20, size=size, seed=5).images, images)
    finally:
        torch.set_num_threads(threads)


def test_drawing_leaves_the_global_random_numbers_alone():
    state = torch.get_rng_state()
    faces.draw(2, seed=1)
    assert torch.equal(torch.get_rng_state(), state)


def test_numbers_are_uniform_and_nearly_uncorrelated():
    table = faces.numbers(4096, seed=7).double()
    assert table.min() >= -1 and table.max() <= 1
    for name, column in zip(faces.PARAMETERS, table.T, strict=True):
        there = column[column > -1] if name in faces.ABSENT else column
        ranks = (torch.arange(len(there)) + 0.5) / len(there) * 2 - 1
        off = (there.sort().values - ranks).abs().max()
        assert off < 0.08 * (4096 / len(there)) ** 0.5, name  # Kolmogorov-Smirnov, far in its tail
    correlation = torch.corrcoef(table.T) - torch.eye(len(faces.PARAMETERS))
    assert correlation.abs().max() < 0.08  # five standard errors


def test_most_people_have_no_beard_and_no_glasses():
    attributes = faces.draw(4096, size=16, seed=7).attributes
    without = {name: (values == -1).double().mean().item() for name, values in attributes.items()}
    for name, share in without.items():
        assert share == pytest.approx(faces.ABSENT.get(name, 0), abs=0.04), name  # five standard errors
    assert without["beard"] > 0.6 and without["glasses"] > 0.6


def test_absence_moves_no_other_number(monkeypatch):
    """All numbers but those in ABSENT are what they would be if everybody had some of everything."""
    table = faces.numbers(64, seed=7)
    monkeypatch.setattr(faces, "ABSENT", {})
    everybody = faces.numbers(64, seed=7)
    for name, now, then in zip(faces.PARAMETERS, table.T, everybody.T, strict=True):
        assert torch.equal(now, then) == (name not in ("beard", "glasses")), name
        assert (now <= then).all()


def test_fixed_attributes_are_fixed_and_leave_the_others_alone():
    free, smile = faces.draw(4, seed=8), torch.linspace(-1, 1, 4)
    images, attributes = faces.draw(4, seed=8, attributes={"smile": smile, "age": 0.25})
    assert torch.equal(attributes["smile"], smile)
    assert (attributes["age"] == 0.25).all()
    assert torch.equal(attributes["beard"], free.attributes["beard"])
    same = faces.draw(4, seed=8, attributes=free.attributes)
    assert torch.equal(same.images, free.images)
    assert not torch.equal(images, free.images)


def test_labels_are_a_copy():
    labels = faces.draw(3, seed=1).attributes
    assert all(value.is_contiguous() and value._base is None for value in labels.values())


def test_pictures_keep_away_from_black_and_white():
    picture = faces.render(faces.numbers(128, seed=9), 64)
    assert picture.isfinite().all() and picture.min() >= 0 and picture.max() <= 1
    ends = faces.numbers(64, seed=9).sign()  # every number at an end of its range
    assert faces.render(ends, 64).isfinite().all()
    images = faces.draw(128, seed=9).images
    assert images.min() >= 4 and images.max() <= 251


@pytest.mark.parametrize("name", faces.PARAMETERS)
def test_every_number_changes_the_picture(name):
    worn = {"glasses": 1.0} if name == "frame_hue" else {}
    low, high = (faces.draw(8, seed=11, attributes={**worn, name: value}).images.float() for value in (-0.9, 0.9))
    assert ((low - high).abs().amax(dim=(1, 2, 3)) > 2).float().mean() > 0.7


def test_sizes_look_alike():
    table = faces.numbers(16, seed=12)
    large = torch.nn.functional.avg_pool2d(faces.render(table, 256), 4)
    small = faces.render(table, 64)
    assert (large - small).abs().mean() < 0.02  # soft edges differ a little, nothing else
    assert (large - small).abs().mean(dim=(1, 2, 3)).max() < 0.03


def test_the_grain_is_gaussian_white_and_of_the_stated_size():
    noise = faces.grain(faces.numbers(64, seed=13)[:, -1], 64)
    assert faces.PARAMETERS[-1] == "grain"
    assert abs(noise.mean()) < 0.01 and abs(noise.std() - faces.GRAIN) < 0.01
    unit = noise / faces.GRAIN
    assert abs((unit**4).mean() - 2.7) < 0.05  # four uniform bytes: 3 - 6 / (5 * 4)
    for one, other in (
        (unit[:-1], unit[1:]),
        (unit[:, 0], unit[:, 1]),
        (unit[:, 1], unit[:, 2]),
        (unit[..., 1:], unit[..., :-1]),
        (unit[..., 1:, :], unit[..., :-1, :]),
    ):
        assert abs((one * other).mean()) < 0.01


def luminance(picture):
    return (picture * picture.new_tensor([0.30, 0.59, 0.11]).view(1, 3, 1, 1)).sum(dim=1)


def box(top, bottom, left, right):
    """Mean luminance in a window of the screen, -1..1."""

    def measure(picture):
        side = picture.shape[-1]
        rows, columns = (
            slice(round((a + 1) / 2 * side), round((b + 1) / 2 * side)) for a, b in ((top, bottom), (left, right))
        )
        return luminance(picture[:, :, rows, columns]).mean(dim=(1, 2))

    return measure


def balance(picture):
    """How much brighter the right half of the face's place is than the left, where one side is hair."""
    return box(-0.2, 0.3, 0.0, 0.42)(picture) - box(-0.2, 0.3, -0.42, 0.0)(picture)


def curve(picture):
    """How much lower the dark of the mouth lies in its middle than at its corners."""
    dark = (1 - luminance(picture)[:, 56:72]) ** 4  # rows of the mouth, at 96 pixels
    rows = torch.arange(16.0).view(1, 16, 1)
    height = (dark * rows).sum(dim=1) / dark.sum(dim=1)  # (B, 96)
    corners = (height[:, 34:40].mean(dim=1) + height[:, 56:62].mean(dim=1)) / 2
    return height[:, 44:52].mean(dim=1) - corners


STRAIGHT = {"shift_x": 0, "shift_y": 0, "roll": 0, "scale": 0, "part": 0, "light": 0, "saturation": -1}
PLAIN = {"beard": -1, "glasses": -1, "age": -1, "head_turn": 0, "hair_length": -1, "hair_colour": -1}
DARK_ON_LIGHT = {"hair_colour": -1, "skin_tone": -1, "age": -1, "head_turn": 0}
EFFECTS = [  # attribute, what is measured, its sign, what else is fixed
    ("skin_tone", box(0.0, 0.2, -0.2, 0.2), -1, {}),
    ("hair_colour", box(-0.58, -0.46, -0.15, 0.15), +1, {"age": -1}),
    ("hair_length", box(-0.1, 0.95, -0.62, -0.40), -1, {**DARK_ON_LIGHT, "value": 1, "cloth_value": 1}),
    ("beard", box(0.36, 0.46, -0.12, 0.12), -1, DARK_ON_LIGHT),
    ("glasses", box(-0.22, 0.04, -0.40, 0.40), -1, {**DARK_ON_LIGHT, "eye_openness": -1}),
    ("smile", curve, +1, {**PLAIN, "skin_tone": -0.5, "lip_colour": 1}),
    ("eye_openness", box(-0.20, -0.03, -0.32, 0.32), +1, {**PLAIN, "skin_tone": 1}),
    ("age", box(-0.58, -0.46, -0.15, 0.15), +1, {"hair_colour": -1}),
    ("age", box(-0.37, -0.25, -0.12, 0.12), -1, {**PLAIN, "skin_tone": -0.5, "fringe": 1}),  # lines
    ("face_width", box(0.1, 0.3, -0.46, -0.34), -1, {**PLAIN, "skin_tone": 1, "value": 1}),
    ("head_turn", balance, +1, {**PLAIN, "hair_length": 1}),
]


def test_the_effect_of_every_attribute_is_measured():
    assert {name for name, *_ in EFFECTS} == set(faces.ATTRIBUTES)


@pytest.mark.parametrize(("name", "measure", "sign", "fixed"), EFFECTS)
def test_an_attribute_moves_what_it_should_and_ever_the_same_way(name, measure, sign, fixed):
    values = []
    for value in torch.linspace(-1, 1, 7).tolist():
        table = faces.numbers(MEASURED, seed=21, attributes={**STRAIGHT, **fixed, name: value})
        values.append(measure(faces.render(table, 96)))
    values = torch.stack(values) * sign  # (7, MEASURED)
    steps = values.diff(dim=0)
    assert (steps.mean(dim=1) > 0).all(), steps.mean(dim=1)
    assert ((values[-1] - values[0]) > 0).all()
    assert (steps > -0.1 * (values[-1] - values[0])).float().mean() > 0.9


def test_turning_left_mirrors_turning_right():
    mirrored = {**STRAIGHT, "eye_tilt": 0, "gaze": 0, "strand": 0, "curl": -1, "age": -1}
    left, right = (
        faces.render(faces.numbers(8, seed=22, attributes={**mirrored, "head_turn": turn}), 64) for turn in (-0.7, 0.7)
    )
    assert (left - right.flip(-1)).abs().mean() < 1e-4  # the eye painted second may touch the first
    assert (left - right).abs().mean() > 0.01


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: faces.draw(0), "at least 1"),
        (lambda: faces.draw(-3), "at least 1"),
        (lambda: faces.draw(2, size=15), "smallest size is 16"),
        (lambda: faces.draw(2, attributes={"smiel": 0.5}), "'smiel'.*smile"),
        (lambda: faces.draw(2, attributes={"smile": 1.5}), "between -1 and 1"),
        (lambda: faces.draw(2, attributes={"smile": float("nan")}), "between -1 and 1"),
        (lambda: faces.draw(2, attributes={"smile": torch.zeros(3)}), "shape"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(call, says):
    with pytest.raises(GlowliteError, match=says) as caught:
        call()
    assert "\n" not in str(caught.value)
