"""The planter of faults itself: its list fits the package, and it tells a caught fault from a missed one."""

import re
from multiprocessing import forkserver

import pytest

from tests.fault_list_model import PIXELS, fault
from tests.faults import FAULTS, ROOT, BadFault, harmed, main, who_noticed

FLOOR = f"{PIXELS}::test_nats_to_bits"
SIGN = ("return -log_prob / (dims", "return log_prob / (dims")


@pytest.mark.parametrize("one", FAULTS, ids=lambda one: one.name)
def test_every_fault_finds_its_place_and_its_tests(one):
    assert harmed(one) != (ROOT / one.file).read_text()
    for test in one.tests:
        path, _, function = test.partition("::")
        text = (ROOT / path).read_text()
        assert f"def {function.partition('[')[0] or 'test_'}" in text, test


def test_faults_have_names_of_their_own():
    assert len({one.name for one in FAULTS}) == len(FAULTS) >= 24


def test_a_text_that_is_not_there_just_once_is_an_error():
    with pytest.raises(BadFault, match="has 0 places"):
        harmed(fault("gone", "glowlite/pixels.py", "no such text", "", at=PIXELS))
    with pytest.raises(BadFault, match=r"has \d+ places"):
        harmed(fault("everywhere", "glowlite/pixels.py", "images", "", at=PIXELS))
    with pytest.raises(SyntaxError):
        harmed(fault("nonsense", "glowlite/pixels.py", *(SIGN[0], "return return"), at=PIXELS))


def test_only_a_failing_test_counts_as_noticing():
    assert who_noticed(0, "1 passed") is None
    assert "test_a" in who_noticed(1, "FAILED tests/test_x.py::test_a - assert 1 == 2\n1 failed")
    for status, output in (
        (4, "ERROR: not found: tests/test_x.py::test_b"),
        (2, "ERROR tests/test_x.py - ImportError: no"),
        (1, "FAILED tests/test_x.py::test_a - NameError: name 'tpyo' is not defined"),
    ):
        with pytest.raises(BadFault):
            who_noticed(status, output)


@pytest.fixture
def server_of_its_own():
    """Stop the fork server before and after: a process has one, and other tests load other things in theirs."""
    forkserver._forkserver._stop()
    yield
    forkserver._forkserver._stop()


@pytest.mark.slow
def test_a_caught_fault_and_a_missed_one_are_told_apart(capsys, server_of_its_own):
    seen = fault("seen", "glowlite/pixels.py", *SIGN, at=FLOOR)
    unseen = fault("unseen", "glowlite/pixels.py", "if images.dtype != torch.uint8 or", "if False or", at=FLOOR)
    assert main(["-j", "1"], [seen, unseen]) == 1
    output = capsys.readouterr().out
    assert re.search(r"caught +seen .*test_nats_to_bits", output)
    assert re.search(r"MISSED +unseen ", output)
    assert "1 caught, 1 MISSED, 0 BROKEN" in output
