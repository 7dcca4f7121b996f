"""torchrun on two machines: two network namespaces joined by a cable. They need root on Linux; else skipped.

Each has a folder of its own for temporary files, and both see the folder of the run, as machines of a cluster do.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from glowlite.training import config as runs
from tests.glowlite.training.test_many import GONE, TINY, assert_alike, stop_after
from tests.glowlite.training.world import free_port, train_in

ROOT = Path(__file__).parents[3]
NAMES = ("glowlite-0", "glowlite-1")


def ip(*words) -> bool:
    """Whether an `ip` command succeeds."""
    return subprocess.run(["ip", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


@pytest.fixture
def cable():
    """Two namespaces, 10.77.0.1 and 10.77.0.2, with a cable from one to the other."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("two network namespaces need Linux, its `ip` and root")
    for name in NAMES:
        ip("netns", "del", name)
    if not all(ip("netns", "add", name) for name in NAMES):
        pytest.skip("this machine lets nobody make network namespaces")
    try:
        link = ("link", "add", "card0", "netns", NAMES[0], "type", "veth", "peer", "name", "card1", "netns", NAMES[1])
        if not ip(*link):
            pytest.skip("this machine lets nobody make a pair of virtual network cards")
        for number, name in enumerate(NAMES):
            assert ip("-n", name, "address", "add", f"10.77.0.{number + 1}/24", "dev", f"card{number}")
            assert ip("-n", name, "link", "set", "lo", "up")
            assert ip("-n", name, "link", "set", f"card{number}", "up")
        yield
    finally:
        for name in NAMES:
            ip("netns", "del", name)


def start(number: int, port: int, folder: Path, *words) -> subprocess.Popen:
    """torchrun on one of the two machines, in a session of its own; its output in a file."""
    command = ["ip", "netns", "exec", NAMES[number], sys.executable, "-m", "torch.distributed.run"]
    command += ["--nnodes", "2", "--node-rank", str(number), "--nproc-per-node", "1"]
    command += ["--master-addr", "10.77.0.1", "--master-port", str(port), "-m", "glowlite", "train"]
    own = folder / f"machine {number}"
    own.mkdir(exist_ok=True)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "GLOO_SOCKET_IFNAME": f"card{number}", "TMPDIR": str(own)}
    with (own / "said.txt").open("w") as said:
        return subprocess.Popen(
            [*command, *map(str, words)], stdout=said, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )


def said(folder: Path, number: int) -> str:
    return (folder / f"machine {number}" / "said.txt").read_text(errors="replace")


def end(agents: list[subprocess.Popen]) -> None:
    """End torchrun and the processes that it started, by their ids."""
    for agent in agents:
        for pid in [agent.pid, *children(agent.pid)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        agent.wait()


def children(pid: int) -> list[int]:
    """Ids of the children of a process, and of their children."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if Path(f"/proc/{pid}").exists() else []
    return [each for child in map(int, found) for each in (child, *children(child))]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["unplugged", "killed"])
def test_where_a_machine_is_gone_the_other_ends_with_a_sentence_and_the_run_goes_on(cable, tmp_path, how):
    out, port = tmp_path / "run", free_port()
    words = ("--out", out, *TINY, "--images", "100000", "--checkpoint-minutes", "0")
    agents = [start(number, port, tmp_path, *words) for number in (0, 1)]
    try:
        limit = time.monotonic() + 120
        while not (out / runs.STATE).exists():
            assert time.monotonic() < limit and all(each.poll() is None for each in agents), said(tmp_path, 0)
            time.sleep(0.1)
        workers = children(agents[0].pid)
        begun = time.monotonic()
        if how == "unplugged":
            assert ip("-n", NAMES[1], "link", "set", "card1", "down")
        else:
            end(agents[1:])
        while any(Path(f"/proc/{pid}").exists() for pid in workers):
            assert time.monotonic() < begun + 30, "the limit that docs/training.md states"
            time.sleep(0.1)
        print(f"{how}: the processes ended after {time.monotonic() - begun:.1f} s")
        agents[0].wait(60)
        print(f"{how}: torchrun ended after {time.monotonic() - begun:.1f} s")
        if how == "unplugged":
            agents[1].wait(60)
            print(f"{how}: the other torchrun ended after {time.monotonic() - begun:.1f} s")
            assert said(tmp_path, 1).count(GONE) == 1, said(tmp_path, 1)
        assert said(tmp_path, 0).count(GONE) == 1, said(tmp_path, 0)
    finally:
        end(agents)
    shorter = partial(stop_after, runs.read_run(out)[1]["step"] + 5)
    train_in(tmp_path, 1, "--out", out, "--resume", "--quiet", before=shorter)
    train_in(tmp_path, 1, "--out", tmp_path / "whole", *TINY, "--images", "100000", before=shorter)
    assert_alike(out, tmp_path / "whole")
