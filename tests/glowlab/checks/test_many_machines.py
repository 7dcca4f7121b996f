"""The checks of notebook 14, each tried on the solution, the stub and the mistakes one makes."""

import math

import pytest
import torch
from torch import distributed

from glowlab.checks import many_machines as checks
from glowlab.checks.base import RIGHT, UNTRIED, WRONG
from glowlab.checks.many_machines_batch import draw_machines, wrong_smallest
from glowlab.checks.many_machines_share import whole_share
from glowlab.checks.solutions import many_machines as solutions
from glowlite import pixels
from glowlite.seeds import generator


def refused(verdict, words):
    assert verdict.state == WRONG and words in verdict.mistake, verdict


# ---- gradients ------------------------------------------------------------------------------------------------


def summed(model, world):
    for weight in model.parameters():
        distributed.all_reduce(weight.grad)


def divided(model, world):
    for weight in model.parameters():
        weight.grad /= world


def lost(model, world):
    for weight in model.parameters():
        distributed.all_reduce(weight.grad / world)


def by_two(model, world):
    summed(model, world)
    divided(model, 2)


def twice(model, world):
    summed(model, world)
    divided(model, world**2)


def returned(model, world):
    for weight in model.parameters():
        weight.grad = distributed.all_reduce(weight.grad)


def first_alone(model, world):
    for weight in model.parameters():
        distributed.all_reduce(weight.grad)
        weight.grad /= world
        return


def of_weights(model, world):
    for weight in model.parameters():
        distributed.all_reduce(weight)
        weight /= world


def weights_doubled(model, world):
    for weight in model.parameters():
        distributed.all_reduce(weight.data)


def rank_0_alone(model, world):
    if distributed.get_rank() == 0:
        summed(model, world)


def cleared(model, world):
    model.zero_grad(set_to_none=False)


def misspelt(model, world):
    for weight in model.parameters():
        distributed.all_reduce(weight.gradient)


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (summed, "the sum over the processes"),
        (divided, "divided its own gradients, but they were not added"),
        (lost, "give it weight.grad itself"),
        (by_two, "by world, which is 1 then, not by 2"),
        (twice, "divided twice"),
        (returned, "a gradient is gone"),
        (first_alone, "1 of 4 gradients are the mean"),
        (of_weights, "`weight /= world`"),
        (weights_doubled, "it changed the weights"),
        (rank_0_alone, "Each process must call all_reduce"),
        (cleared, "all zero"),
        (misspelt, "AttributeError"),
        (lambda model, world: model, "each process still has its own gradients"),
    ],
)
def test_gradients_that_are_no_mean_are_explained(attempt, words):
    refused(checks.average_gradients(attempt, seed=0), words)


def stub(model, world): ...


def test_a_stub_is_untried_and_the_stand_in_right():
    assert checks.average_gradients(stub).state == UNTRIED
    assert checks.average_gradients(checks.stand_in).state == RIGHT


# ---- a share --------------------------------------------------------------------------------------------------


def noisy(pictures, *seed):
    return pixels.dequantize(pictures, generator=generator("cpu", *seed))


def by_adding(pictures, seed, step, rank, world):
    return noisy(pictures, seed + step).chunk(world)[rank]


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (lambda p, seed, step, rank, world: noisy(p.chunk(world)[rank], seed, step), "same in every process"),
        (lambda p, seed, step, rank, world: noisy(p.chunk(world)[rank], seed, step, rank), "other noise than with one"),
        (lambda p, seed, step, rank, world: noisy(p, seed, step), "gets the whole batch"),
        (lambda p, seed, step, rank, world: noisy(p, seed, step).chunk(world)[0], "take the same pictures"),
        (lambda p, seed, step, rank, world: noisy(p, seed, step)[rank : rank + 12 // world], "is in no share"),
        (lambda p, seed, step, rank, world: noisy(p, seed).chunk(world)[rank], "every step has the same noise"),
        (lambda p, seed, step, rank, world: noisy(p, step).chunk(world)[rank], "every seed has the same noise"),
        (by_adding, "another step of another seed"),
        (lambda p, seed, step, rank, world: pixels.to_float(p).chunk(world)[rank], "have no noise"),
        (lambda p, seed, step, rank, world: p.chunk(world)[rank], "floats with noise"),
        (lambda p, seed, step, rank, world: noisy(p, seed, step).chunk(world), "not a tuple"),
        (lambda p, seed, step, rank, world: noisy(p, seed, step).chunk(world)[rank] + 1, "between -0.5 and 0.5"),
        (lambda p, seed, step, rank, world: noisy(p.flip(2), seed, step).chunk(world)[rank], "alone, one process"),
        (
            lambda p, seed, step, rank, world: torch.cat([noisy(one[None], seed, step) for one in p]).chunk(world)[
                rank
            ],
            "two pictures of one batch",
        ),
    ],
)
def test_a_share_that_is_none_is_explained(attempt, words):
    for seed in range(5):
        refused(checks.share(attempt, seed=seed), words)


def test_noise_that_differs_from_call_to_call_is_found():
    verdict = checks.share(lambda p, seed, step, rank, world: pixels.dequantize(p).chunk(world)[rank])
    refused(verdict, "other noise than with one")


def test_the_package_shares_noise_as_the_exercise_asks():
    def share(pictures, seed, step, rank, world):
        return pixels.dequantize(pictures.chunk(world)[rank], 8, generator("cpu", seed, step), rank, world)

    assert checks.share(share).state == RIGHT
    assert checks.share(lambda *given: ...).state == UNTRIED


# ---- a training -----------------------------------------------------------------------------------------------


def faulty(**faults):
    return lambda rank, world, seed, steps: checks.loop(rank, world, seed, steps, **faults)


def rank_0_start(rank, world, seed, steps):
    model = checks.make_model(seed)
    model.initialize(whole_share(checks.pictures_of(0), seed, 0, 0, world))
    return [0.0] * steps, checks.weights_of(model)


def alone(rank, world, seed, steps):
    model = checks.make_model(seed)
    model.initialize(whole_share(checks.pictures_of(0), seed, 0, 0, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(steps):
        x = whole_share(checks.pictures_of(step), seed, step, rank, world)
        optimizer.zero_grad()
        (-model.log_density(x).mean() / model.dims).backward()
        optimizer.step()
    return [0.0] * steps, checks.weights_of(model)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (faulty(own_seed=True, own_start=True, clip_first=True, own_loss=True), "begin with different weights"),
        (faulty(own_start=True, clip_first=True, own_loss=True), "the ActNorms are not: each process"),
        (faulty(clip_first=True, own_loss=True), "clips its own gradient"),
        (faulty(own_loss=True), "the loss of its own share"),
        (rank_0_start, "not those of the whole batch"),
        (alone, "averaged before every step"),
        (lambda rank, world, seed, steps: checks.loop(rank, world, 0, steps), "not with those of make_model(seed)"),
        (lambda rank, world, seed, steps: checks.loop(rank, world, seed, steps)[0], "two things"),
        (lambda rank, world, seed, steps: ([], checks.weights_of(checks.make_model(seed))), "ActNorms"),
        (lambda rank, world, seed, steps: ([], []), "weights_of(model)"),
    ],
)
def test_a_training_with_a_fault_is_explained(attempt, words):
    refused(checks.mended(attempt, seed=1), words)


@pytest.mark.slow
def test_a_training_without_faults_is_right_and_a_stub_untried():
    assert checks.mended(faulty(), seed=1).state == RIGHT
    assert checks.mended(lambda rank, world, seed, steps: (..., ...)).state == UNTRIED


# ---- a batch --------------------------------------------------------------------------------------------------


def test_every_mistake_about_the_batch_is_named():
    for seed in range(10):
        case = draw_machines(torch.Generator().manual_seed(seed))
        for words, number in wrong_smallest(*case).items():
            if words:
                # the check draws the case from the same seed
                refused(checks.smallest_batch(lambda *given, number=number: number, seed=seed), words)


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        (lambda *given: 10**9, "more than are needed"),
        (lambda *given: 0, "too few"),
        (lambda *given: solutions.smallest_batch(*given) - 0.5, "round up"),
        (lambda *given: "many", "not a str"),
        (lambda *given: math.inf, "whole number"),
        (lambda *given: solutions.smallest_batch(*given) if given[0] > 1 else 0, "nobody to talk to"),
        (lambda *given: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_batch_that_is_none_is_explained(attempt, words):
    refused(checks.smallest_batch(attempt, seed=0), words)


def test_a_batch_left_open_is_untried():
    assert checks.smallest_batch(lambda *given: ...).state == UNTRIED
