"""Two processes run one function, talk, and never wait for ever."""

import os
import threading

import pytest
import torch
from torch import distributed

from glowlab.processes import Processes, loopback_only, pack
from glowlite.errors import GlowliteError


@pytest.fixture(scope="module")
def pair():
    processes = Processes(2)
    yield processes
    processes.close()


def add_up(rank, world, numbers):
    numbers = numbers + rank
    distributed.all_reduce(numbers)
    return os.getpid(), numbers


def test_each_process_gets_the_sum_and_fewer_may_work(pair):
    (one, first), (two, second) = pair.run(add_up, torch.ones(3))
    assert len({one, two, os.getpid()}) == 3
    assert torch.equal(first, torch.full((3,), 3.0)) and torch.equal(second, first)
    ((again, alone),) = pair.run(add_up, torch.ones(3), world=1)
    assert again == one and torch.equal(alone, torch.ones(3))


def test_a_function_of_a_notebook_takes_along_what_it_uses(pair, capsys):
    cell = (
        "def helper(n):\n    return n if n < 1 else helper(n - 1)\n\n\ndef f(rank, world, more=5):\n"
        "    print('seen by', rank)\n    return helper(3), [base + rank + more for _ in '1']\n"
    )
    space = {"__name__": "__main__", "base": 10, "unused": object(), "torch": torch}
    exec(cell, space)
    assert pair.run(space["f"]) == [(0, [15]), (0, [16])]
    assert capsys.readouterr().out == "process 0: seen by 0\nprocess 1: seen by 1\n"


def divide(rank, world):
    distributed.barrier()
    if rank == 1:
        return 1 / 0
    distributed.barrier()


def test_an_error_in_one_process_is_raised_here_and_the_next_call_works(pair):
    with pytest.raises(ZeroDivisionError) as caught:
        pair.run(divide)
    assert "in process 1 of 2" in caught.value.__notes__[0] and "1 / 0" in caught.value.__notes__[0]
    assert len(pair.run(add_up, torch.ones(1))) == 2


def waits_alone(rank, world):
    if rank == 0:
        distributed.barrier()


def sleeps(rank, world):
    import time

    time.sleep(60 * rank)


def dies(rank, world):
    os._exit(3)


@pytest.mark.parametrize(
    ("function", "words"),
    [(waits_alone, "equally often"), (sleeps, "not done after 1 seconds"), (dies, "has died at work")],
)
def test_nobody_waits_for_ever(pair, function, words):
    pair.run(add_up, torch.ones(1))
    with pytest.raises(GlowliteError, match=words):
        pair.run(function, limit=1 if function is sleeps else 60)
    assert len(pair.run(add_up, torch.ones(1))) == 2


def test_what_cannot_be_done_is_said(pair):
    with pytest.raises(GlowliteError, match="there are 2 processes"):
        pair.run(add_up, torch.ones(1), world=3)
    with pytest.raises(GlowliteError, match="cannot be sent"):
        pack(threading.Lock())


def test_where_no_process_can_be_started_there_is_a_sentence(monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError("not here")

    monkeypatch.setattr("multiprocessing.context.SpawnProcess.start", refuse)
    with pytest.raises(GlowliteError, match="cannot be started here .*not here"):
        Processes(2).run(add_up, torch.ones(1))


def test_processes_talk_by_the_loopback_interface_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("GLOO_SOCKET_IFNAME", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("socket.if_nameindex", lambda: [(1, "eth0"), (2, "lo0")])
    assert loopback_only()["GLOO_SOCKET_IFNAME"] == "lo0"
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "eth0")
    assert loopback_only()["GLOO_SOCKET_IFNAME"] == "eth0"
    monkeypatch.setattr("sys.platform", "win32")
    assert loopback_only()["USE_LIBUV"] == "0"
