"""Foreign pictures: what the sets hold, what AUROC says of known numbers, and the record that ships."""

import pytest
import torch

from glowlab import foreign
from glowlite import Glow, GlowConfig
from glowlite.data import faces
from glowlite.errors import GlowliteError


def made(count=6):
    own = faces.draw(count, size=64, seed=2).images
    return own, foreign.make_foreign(own, torch.Generator().manual_seed(0))


def test_each_set_holds_what_its_name_says():
    own, sets = made()
    assert all(images.dtype == torch.uint8 and images.shape[1:] == (3, 64, 64) for images in sets.values())
    assert (sets["flat colour"] == sets["flat colour"][..., :1, :1]).all()
    assert torch.equal(sets["upside down"].flip(2), own)
    assert all(
        len(image.unique(dim=1)) and len(image.flatten(1).unique(dim=1)[0]) == 2 for image in sets["chessboards"]
    )
    rough = [(images[..., 1:].float() - images[..., :-1].float()).abs().mean() for images in (own, sets["blurred"])]
    assert rough[1] < 0.7 * rough[0]
    assert len(sets["portraits"]) == 26


def test_the_same_seed_makes_the_same_sets_and_changes_nothing():
    own, first = made()
    before = own.clone()
    again = foreign.make_foreign(own, torch.Generator().manual_seed(0))
    assert all(torch.equal(first[name], again[name]) for name in first) and torch.equal(own, before)


@pytest.mark.parametrize(
    ("own", "others", "area"),
    [
        ([1, 2], [3, 4], 1.0),
        ([3, 4], [1, 2], 0.0),
        ([1, 1], [1, 1], 0.5),
        ([1, 3], [2, 2], 0.5),
        ([1, 2], [2, 3], 0.875),
    ],
)
def test_auroc_of_known_numbers(own, others, area):
    assert foreign.auroc(torch.tensor(own), torch.tensor(others)) == area


def test_scores_rise_with_what_is_unusual():
    usual = {"bits": torch.tensor([3.0, 5.0]), "png": torch.tensor([4.0, 4.0]), "distance": torch.tensor([0.9, 1.1])}
    numbers = {"bits": torch.tensor([2.0, 4.0]), "png": torch.tensor([1.0, 7.0]), "distance": torch.tensor([1.5, 1.0])}
    found = foreign.scores(numbers, usual)
    assert found["likelihood"].tolist() == [2, 4] and found["typicality"].tolist() == [2, 0]
    assert found["less PNG"].tolist() == [1, -3]
    assert found["distance"].tolist() == pytest.approx([0.5, 0], abs=1e-6)


def test_png_sees_the_bits_that_the_likelihood_counts():
    images = faces.draw(2, size=16, seed=1).images
    sizes = []
    for n_bits in (8, 3):
        model = Glow(GlowConfig((3, 16, 16), levels=1, depth=1, width=4, n_bits=n_bits))
        model.initialize(torch.rand(4, 3, 16, 16) - 0.5)
        sizes.append(foreign.measure(model.eval(), images)["png"])
    assert (sizes[1] < 0.7 * sizes[0]).all()


def test_the_record_that_ships_has_both_models_and_eight_foreign_sets():
    record = foreign.load_foreign()
    for one in record["models"].values():
        assert len(one["auroc"]) == 8 and set(one["sets"]) == {"usual", "own", *one["auroc"]}
    assert set(record["models"]) == {"faces64", "portraits64"}


def test_a_missing_record_is_told(tmp_path):
    with pytest.raises(GlowliteError, match="python -m benchmarks.foreign"):
        foreign.read_record(tmp_path / "none.json", foreign.KIND, "benchmarks.foreign")
