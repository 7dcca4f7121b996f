"""The groups of people, and what a model's table of them says."""

import pytest
import torch

from benchmarks.groups import between, measure, split, table
from glowlite.errors import GlowliteError
from glowlite.evaluation import AttributeMeter
from glowlite.glow import PRESETS, Glow

COUNT = 12


@pytest.fixture(scope="module")
def images():
    return torch.randint(0, 256, (COUNT, 3, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


@pytest.fixture(scope="module")
def model(images):
    model = Glow(PRESETS["tiny"])
    model.initialize(images.float() / 256 - 0.5)
    return model.eval()


def test_people_stand_in_the_groups_of_their_age_brightness_and_turn():
    images = torch.arange(9, dtype=torch.uint8).view(9, 1, 1, 1).expand(9, 3, 16, 16) * 20
    turn = torch.tensor([0.1, -0.9, 0.2, 0.3, -0.4, 0.5, 0.6, torch.nan, 0.0])
    groups = split(images, {"age": torch.arange(9.0), "head_turn": turn})
    people = {name: group.nonzero()[:, 0].tolist() for name, group in groups.items()}
    assert people["all"] == list(range(9))
    assert people["age 0-2"] == [0] and people["age 50-59"] == [6] and people["age 60 and over"] == [7, 8]
    assert people["brightness: darkest third"] == [0, 1, 2] and people["brightness: brightest third"] == [6, 7, 8]
    assert people["head: straightest third"] == [0, 2, 8], "by the size of the turn, to either side"
    assert people["head: most turned tenth"] == [1], "who has no landmarks is in no group of the head"


def test_no_group_is_made_of_race_or_sex(images):
    columns = {name: torch.ones(COUNT) for name in ("age", "head_turn", "male", "race")}
    assert all(name.partition(" ")[0] in ("all", "age", "brightness:", "head:") for name in split(images, columns))
    with pytest.raises(GlowliteError, match="no column head_turn"):
        split(images, {"age": torch.ones(COUNT)})


def test_a_slider_that_does_nothing_moves_nothing_and_every_pixel_comes_back(model, images):
    still = [torch.zeros(1, *shape) for shape in model.latent_shapes]
    meter = AttributeMeter(["age", "smile"]).eval()
    people = measure(model, still, meter, images)
    assert people["pixels wrong"].sum() == 0 and people["smile moved (sd)"].abs().max() == 0
    assert people["newly saturated"].shape == (COUNT, 2) and people["newly saturated"].max() == 0
    torch.testing.assert_close(people["bits/dim"].mean().float(), model.bits_per_dim(images).mean(), atol=0.05, rtol=0)
    assert (people["PNG"] > 8).all(), "noise cannot be packed, and a file has a header"
    far = [100 + step for step in still]
    assert measure(model, far, meter, images)["newly saturated"].max() > 0.1


def test_the_table_has_a_row_a_group_and_none_for_nobody():
    people = {"bits/dim": [1.0, 2.0, 6.0], "PNG": [3.0] * 3, "WebP": [2.0] * 3, "pixels wrong": [0, 1, 4]}
    people |= {"smile moved (sd)": [1.0, 2.0, 9.0], "newly saturated": [[0.0, 0.2], [0.0, 0.4], [0.9, 0.0]]}
    groups = {"all": [True] * 3, "first two": [True, True, False], "nobody": [False] * 3}
    tensors = ({k: torch.tensor(v) for k, v in each.items()} for each in (people, groups))
    head, _, *rows = table(*tensors).splitlines()
    assert head == "| group | people | bits/dim | PNG | WebP | pixels wrong | smile moved (sd) | newly saturated |"
    assert rows == [
        "| all | 3 | 3.000 ± 1.247 | 3.000 | 2.000 | 5 | 2.00 | 30.00% |",
        "| first two | 2 | 1.500 ± 0.354 | 3.000 | 2.000 | 1 | 1.00 | 30.00% |",
    ]


def test_between_takes_both_ends():
    assert between(torch.arange(5.0), 0.25, 0.5).tolist() == [False, True, True, False, False]
