"""Forked kernels: they work like ordinary ones, need less, and end with the server."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerFactory

from glowlab.serving import kernels

ROOT = Path(__file__).parents[3]
LONG = 120  # seconds
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not kernels.CAN_FORK, reason="kernels are forked on Linux only"),
    pytest.mark.filterwarnings("default"),  # jupyter_client and pyzmq give warnings
]


@pytest.fixture(scope="module", autouse=True)
def forks():
    factory = KernelProvisionerFactory.instance()
    before = factory.default_provisioner_name
    kernels.use_forks()
    yield kernels.ForkedProvisioner.fork_server
    factory.default_provisioner_name = before


@asynccontextmanager
async def running(**options):
    """A kernel manager and a client, connected; the options are those of `start_kernel`."""
    with tempfile.TemporaryDirectory() as folder:
        async with _running(f"{folder}/kernel.json", options) as pair:
            yield pair


@asynccontextmanager
async def _running(file: str, options: dict):
    manager = AsyncKernelManager(transport="ipc", connection_file=file)
    await manager.start_kernel(**options)
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=LONG)
        yield manager, client
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


async def evaluate(client, code: str) -> str:
    """The value of an expression in the kernel, as text."""
    reply = await client.execute("", user_expressions={"it": code}, reply=True, timeout=LONG)
    answer = reply["content"]["user_expressions"]["it"]
    return answer["data"]["text/plain"] if answer["status"] == "ok" else answer["ename"]


def ends(pid: int) -> bool:
    """Wait until no such process is left, not even as a zombie."""
    for _ in range(10 * LONG):
        if not psutil.pid_exists(pid):
            return True
        time.sleep(0.1)
    return False


def test_a_kernel_is_a_fork_with_everything_loaded():
    async def run():
        async with running() as (manager, client):
            pid = int(await evaluate(client, "__import__('os').getpid()"))
            assert pid == manager.provisioner.pid
            process = psutil.Process(pid)
            assert process.name().startswith("glow-") and "forkserver" in " ".join(process.cmdline())
            loaded = "{'torch', 'glowlab.explorers.studio'} <= set(__import__('sys').modules)"
            assert await evaluate(client, loaded) == "True"
            ready = "__import__('glowlab.explorers.explorer').explorers.explorer._read.cache_info().currsize"
            assert await evaluate(client, ready) == "2"  # both models
            # ipywidgets: a page asks for all widgets in one message, not in one for each.
            asked = "'jupyter.widget.control' in get_ipython().kernel.comm_manager.targets"
            assert await evaluate(client, asked) == "True"

    asyncio.run(run())


def test_visitors_have_random_numbers_of_their_own():
    drawn = "__import__('torch').rand(1).item(), __import__('random').random(), __import__('numpy').random.rand()"

    async def run():
        async with running() as (_, first), running() as (_, second):
            return eval(await evaluate(first, drawn)), eval(await evaluate(second, drawn))

    one, other = asyncio.run(run())
    assert all(a != b for a, b in zip(one, other, strict=True))


def test_a_kernel_has_its_own_environment_and_folder(tmp_path):
    async def run():
        async with running(env={**os.environ, "MINE": "yes"}, cwd=str(tmp_path)) as (_, client):
            assert await evaluate(client, "__import__('os').environ['MINE']") == "'yes'"
            assert await evaluate(client, "__import__('os').getcwd()") == repr(str(tmp_path))

    asyncio.run(run())
    assert "MINE" not in os.environ


def test_a_kernel_computes_with_one_thread_as_the_parent_did():
    """A fork of a process that had threads would wait for ever here."""
    convolve = "t.nn.functional.conv2d(t.ones(1, 3, 64, 64), t.ones(8, 3, 3, 3)).sum().item()"
    code = f"(lambda t: {convolve})(__import__('torch'))"

    async def run():
        async with running() as (_, client):
            return await evaluate(client, code)

    assert float(asyncio.run(run())) == 8 * 62 * 62 * 27


def test_interrupt_restart_and_end():
    async def run():
        async with running() as (manager, client):
            how = {
                "reply": True,
                "timeout": LONG,
                "stop_on_error": False,
            }  # what is asked next is not dropped
            waiting = asyncio.create_task(client.execute("while True: pass", **how))
            while manager.provisioner.process.poll() is None:  # until the loop runs
                await asyncio.sleep(0.2)
                if psutil.Process(manager.provisioner.pid).cpu_percent(0.2) > 20:
                    break
            await manager.interrupt_kernel()
            assert (await waiting)["content"]["ename"] == "KeyboardInterrupt"
            assert await evaluate(client, "1 + 1") == "2"
            first = manager.provisioner.pid
            await manager.restart_kernel()
            await client.wait_for_ready(timeout=LONG)
            second = manager.provisioner.pid
            assert second != first and await evaluate(client, "2 + 2") == "4"
            assert ends(first)
            await manager.shutdown_kernel()  # by asking it
            assert ends(second)

    asyncio.run(run())


def test_a_kernel_that_is_killed_is_noticed_and_leaves_no_zombie():
    async def run():
        async with running() as (manager, _):
            pid = manager.provisioner.pid
            os.kill(pid, signal.SIGKILL)
            for _ in range(10 * LONG):
                if not await manager.is_alive():
                    break
                await asyncio.sleep(0.1)
            assert await manager.provisioner.poll() == -signal.SIGKILL
            assert ends(pid)

    asyncio.run(run())


def test_when_the_process_they_are_forked_from_is_killed_there_is_a_new_one():
    async def run():
        async with running() as (manager, _):
            parent = psutil.Process(manager.provisioner.pid).ppid()
            os.kill(parent, signal.SIGKILL)
            for _ in range(10 * LONG):  # the kernel looks for its parent, and ends
                if not await manager.is_alive():
                    break
                await asyncio.sleep(0.1)
        async with running() as (manager, client):
            assert await evaluate(client, "6 * 7") == "42"
            assert psutil.Process(manager.provisioner.pid).ppid() != parent

    asyncio.run(run())


def test_where_nothing_can_be_forked_an_ordinary_kernel_starts(monkeypatch, caplog):
    def fails(*arguments):
        raise EOFError

    monkeypatch.setattr(kernels.ForkServer, "_start", fails)

    async def run():
        async with running() as (manager, client):
            assert await evaluate(client, "3 * 3") == "9"
            return " ".join(psutil.Process(manager.provisioner.pid).cmdline())

    assert "ipykernel_launcher" in asyncio.run(run())
    assert "could not be forked" in caplog.text


SERVER = """
import asyncio, sys
from glowlab.serving import kernels
from jupyter_client.manager import AsyncKernelManager
async def main():
    kernels.use_forks()
    manager = AsyncKernelManager(transport="ipc", connection_file=sys.argv[1])
    await manager.start_kernel()
    print(manager.provisioner.pid, flush=True)
    await asyncio.sleep(1000)
asyncio.run(main())
"""


def test_no_kernel_outlives_a_server_that_was_killed(tmp_path):
    command = [sys.executable, "-c", SERVER, str(tmp_path / "kernel.json")]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        pid = int(server.stdout.readline())
        parent = psutil.Process(pid).ppid()
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
    assert ends(pid) and ends(parent)


def test_a_fork_has_all_that_an_explorer_opens_on_at_rest():
    code = """
import threading
from glowlite import Glow
from glowlab import explorers
from glowlab.serving import preload
from glowlab.explorers.interpolation_state import InterpolationState
from glowlab.widgets.frame import Sorry
import ipywidgets
assert not ipywidgets.widgets.widget._instances  # a kernel would tell its page of widgets that are not there
assert threading.enumerate() == [threading.main_thread()]
Glow.inverse = Glow.encode = Glow.bits_per_dim = lambda *given: 1 / 0
# It measures mixed pixels, takes a moment and is not cached.
InterpolationState.measure_temperatures = lambda self, images: [1.0] * len(images)
for name in ("studio", "temperature", "interpolation", "attributes"):  # to the end, as there is no loop
    page = getattr(explorers, f"open_{name}")()
    assert not isinstance(page, Sorry) and not page.head.notice, name
"""
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
