"""Hard pictures come back, the search makes them harder, and float32 alone would lose some of them."""

import pytest
import torch

from benchmarks import exactness
from glowlite import checkpoint, pixels
from glowlite.fusion import fuse
from glowlite.glow import FAR, PRESETS, Glow


@pytest.fixture(scope="module", params=["faces64", "portraits64"])
def shipped(request):
    return fuse(checkpoint.load(request.param))


@pytest.fixture(scope="module")
def tiny():
    model = Glow(PRESETS["tiny"])
    model.initialize(torch.rand(64, 3, 16, 16) - 0.5)
    return model.eval().requires_grad_(False)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kind", exactness.KINDS)
def test_a_kind_is_pictures_of_any_size_drawn_from_a_generator(kind):
    make = exactness.KINDS[kind]
    for size in (16, 64):
        images = make(5, size, generator())
        assert images.dtype == torch.uint8 and images.shape == (5, 3, size, size)
        assert torch.equal(images, make(5, size, generator()))
        assert len(images.flatten(1).unique(dim=0)) > 1


def test_every_pixel_of_ten_hard_kinds_comes_back(shipped):
    """100 pictures of each model; the table of benchmarks.exactness has thousands."""
    images = torch.cat([make(10, 64, generator()) for make in exactness.KINDS.values()])
    trip = exactness.travel(shipped, images, batch=50)
    assert trip.wrong.sum() == 0
    assert trip.error.max() < 0.25, "in grey values; from 0.5 on a pixel is wrong"
    assert trip.double.any() and not trip.double.all()


def test_float32_alone_loses_pixels_of_pictures_that_encode_saves():
    model = fuse(checkpoint.load("faces64"))
    boards = exactness.chessboards(64, 64, generator(1))
    lost = exactness.travel_in_float32(model, boards).wrong > 0
    assert lost.any()
    assert exactness.travel(model, boards[lost]).error.max() < 1e-3


def test_the_search_makes_pictures_come_back_worse_and_keeps_within_its_limit(tiny):
    images = exactness.noise(4, 16, generator())
    before = exactness.travel_in_float32(tiny, images)
    limit = before.furthest.max().item() + 0.5
    found, trip, tries = exactness.search(tiny, images, 9, generator(), limit)
    assert tries == 36 and (trip.furthest <= limit).all()
    assert (trip.error >= before.error).all() and (trip.error > before.error).any()
    assert torch.equal(exactness.travel_in_float32(tiny, found).wrong, trip.wrong)


def test_the_trace_tells_the_error_at_every_step_down_to_the_pixels(tiny):
    image = exactness.noise(1, 16, generator())[0]
    rows = exactness.trace(tiny, image)
    assert len(rows) == sum(len(level.steps.flows) for level in tiny.levels) + 1
    assert rows[-1][0] == "pixels" and 0 < rows[-1][2] < 1e-3
    error = exactness.travel_in_float32(tiny, image[None]).error.item()
    assert rows[-1][2] * 256 == pytest.approx(error, rel=1e-3)


def test_a_row_counts_what_came_back_wrong(tiny):
    images = exactness.noise(2, 16, generator())
    latents = tiny(pixels.to_float(images))[0]
    latents[0][0] += 1  # somebody changes the first picture
    trip = exactness.compare(tiny, images, latents)
    assert trip.wrong[0] > 0 and trip.wrong[1] == 0 and trip.error[0] > 0.5 > trip.error[1]
    assert exactness.row("two", trip).startswith(f"| two | 2 | {trip.wrong[0]:,} |")
    assert trip.furthest.max() < FAR
