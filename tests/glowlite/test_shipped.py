"""The models that ship: every pixel comes back, their cards tell the truth, and they fit in a clone."""

import math

import pytest
import torch

from glowlite import checkpoint, evaluation
from glowlite.data import faces
from glowlite.fusion import fuse
from glowlite.training import stream

NAME = "faces64"
NAMES = (NAME, "portraits64")
ROUND_TRIP_SEED = 90_000_000


@pytest.fixture(scope="module")
def model():
    return checkpoint.load(NAME)


@pytest.fixture(scope="module", params=NAMES)
def each(request):
    return checkpoint.load(request.param)


def gradients(count=100, size=64, seed=0):
    """Smooth pictures that are no faces: a random colour at each corner and straight lines between."""
    corners = torch.rand(count, 3, 2, 2, generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.interpolate(corners, size=size, mode="bilinear", align_corners=True)
    return (smooth * 255).round().to(torch.uint8)


def noise(count=100, size=64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, size, size), generator=generator, dtype=torch.uint8)


def extremes(size=64):
    """Flat black and white, and a chessboard of single pixels: as far from a face as pixels go."""
    board = (torch.arange(size)[:, None] + torch.arange(size)) % 2 * 255
    flat = torch.zeros(3, size, size)
    return torch.stack([flat, flat + 255, board.expand(3, size, size)]).to(torch.uint8)


@pytest.mark.parametrize(
    "pictures",
    [
        pytest.param(lambda: faces.draw(500, seed=ROUND_TRIP_SEED).images, id="500 faces"),
        pytest.param(gradients, id="100 gradients"),
        pytest.param(noise, id="100 of pure noise"),
        pytest.param(extremes, id="black, white, chessboard"),
    ],
)
@pytest.mark.parametrize("copy", [lambda model: model, fuse], ids=["plain", "fused"])
def test_every_pixel_comes_back(each, pictures, copy):
    pictures, model = pictures(), copy(each)
    wrong = sum((model.decode(model.encode(part)) != part).sum().item() for part in pictures.split(50))
    assert wrong == 0, f"{wrong} of {pictures.numel()} pixel values are wrong"


@pytest.mark.parametrize("name", NAMES)
def test_the_file_fits_in_a_clone(name):
    assert checkpoint.find(name).stat().st_size <= 16 * 2**20


@pytest.mark.parametrize("name", NAMES)
def test_the_card_says_what_an_engineer_asks(name):
    card = checkpoint.read_card(name)
    known = "config parameters sha256 data credit licence data_licence images_seen seconds machine held_out versions"
    for key in known.split():
        assert card[key], key
    for key in ("optimizer", "lr", "batch", "images", "warmup", "decay", "ema", "clip", "precision", "threads"):
        assert key in card["training"], key
    assert card["sha256"] == checkpoint.sha256(checkpoint.find(name))


def test_the_cards_likelihood_is_the_models(model):
    """The first 100 of the card's held-out pictures, against the mean and spread that the card gives for all."""
    held_out = checkpoint.read_card(NAME)["held_out"]
    pictures = stream.test_pictures("faces", model.config.shape, 100)
    bpd = evaluation.bits_per_dim(model, pictures)
    assert abs(bpd.mean().item() - held_out["bits_per_dim"]) < 4 * held_out["spread"] / math.sqrt(100) + 1e-3


def test_directions_are_there_for_every_attribute(model):
    directions = checkpoint.load_directions(NAME)
    assert set(directions) == set(faces.ATTRIBUTES)
    for steps in directions.values():
        assert [tuple(step.shape[1:]) for step in steps] == model.latent_shapes


def test_samples_are_pictures_and_not_all_alike(each):
    samples = each.sample(16, 0.7, torch.Generator().manual_seed(0))
    assert samples.float().std(0).mean() > 5
    assert ((samples == 0) | (samples == 255)).float().mean() < 0.05
