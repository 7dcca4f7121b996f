"""The kernels of a server: their number, and when one is ended."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from pathlib import Path
from unittest import mock

import psutil
import pytest
from jupyter_client.kernelspec import NoSuchKernel
from tornado.iostream import StreamClosedError
from traitlets.config import Config

from glowlab.serving import handlers, kernels

LONG = 120  # seconds
pytestmark = pytest.mark.filterwarnings("default")  # jupyter_client and pyzmq give warnings


@asynccontextmanager
async def open_server(tmp_path, **options):
    """The kernels of a server, which are ended afterwards."""
    here = kernels.Kernels(root_dir=str(tmp_path), connection_dir=str(tmp_path), **options)
    try:
        yield here
    finally:
        await here.shutdown_all(now=True)


async def wait_until_empty(here) -> bool:
    for _ in range(10 * LONG):
        if not len(here):
            return True
        await asyncio.sleep(0.1)
    return False


def test_so_many_kernels_start_and_no_more(tmp_path):
    async def run():
        async with open_server(tmp_path, places=2) as here:
            four = [here.start_kernel() for _ in range(4)]  # at once: those that are starting count too
            came = await asyncio.gather(*four, return_exceptions=True)
            both = [kernel for kernel in came if isinstance(kernel, str)]
            assert len(both) == 2 and sum(isinstance(e, kernels.AllPlacesTaken) for e in came) == 2
            with pytest.raises(kernels.AllPlacesTaken):
                await here.start_kernel()
            await here.end(both[0])
            await here.end(both[0])  # once more does no harm
            await here.start_kernel()
            some = await asyncio.gather(*[here.start_kernel() for _ in range(4)], return_exceptions=True)
            assert all(isinstance(error, kernels.AllPlacesTaken) for error in some)
            assert len(here) == 2

    asyncio.run(run())


def test_a_kernel_ends_once_whoever_asks_for_it(tmp_path):
    async def run():
        async with open_server(tmp_path) as here:
            kernel = await here.start_kernel()
            # Its page, the clock, and Ctrl-C, all at one time.
            ends = [here.end(kernel), here._end_unused(kernel), here.shutdown_kernel(kernel), here.shutdown_all()]
            await asyncio.gather(*ends)
            assert not len(here)
            here.release(kernel, 0.0)
            await asyncio.sleep(0.1)

    asyncio.run(run())


def test_a_page_gets_its_kernel_early_or_is_told_at_once_that_there_is_none(tmp_path):
    async def run():
        async with open_server(tmp_path, places=1) as here:
            first, second = kernels.PageKernel(here), kernels.PageKernel(here)
            kernel = await first.start_kernel()
            assert kernel not in here and not first.has_failed()  # it is yet to start
            with pytest.raises(kernels.AllPlacesTaken):
                await second.start_kernel()
            assert second.has_failed()
            assert await (await first.get_kernel(kernel)).is_alive()
            assert here.list_kernel_ids() == [kernel]

    asyncio.run(run())


def test_a_page_that_is_left_at_its_first_byte_lets_its_kernel_go():
    async def generate(notebook):
        yield "<html>"

    page = mock.Mock(spec=handlers.ExplorerPage, notebook="", request=mock.Mock(headers={}), generate=generate)
    page.flush.side_effect = StreamClosedError
    asyncio.run(handlers.ExplorerPage.get(page, "studio"))
    page.leave.assert_called_once_with()


def test_a_kernel_that_does_not_start_is_known_to_have_failed(tmp_path):
    async def run():
        here = kernels.Kernels(root_dir=str(tmp_path), connection_dir=str(tmp_path))
        early = kernels.PageKernel(here)
        with pytest.raises(NoSuchKernel):
            await early.get_kernel(await early.start_kernel(kernel_name="a language nobody speaks"))
        assert early.has_failed() and not here.is_full() and len(here) == 0

    asyncio.run(run())


def test_a_kernel_whose_page_is_gone_waits_a_little_and_ends(tmp_path):
    async def run():
        async with open_server(tmp_path, patience=1.0) as here:
            left, kept = await here.start_kernel(), await here.start_kernel()
            for kernel in (left, kept):
                here.notify_connect(kernel)
            here.notify_disconnect(left)
            here.notify_disconnect(kept)
            here.notify_connect(kept)  # a page that was away for a moment
            await asyncio.sleep(6)
            assert here.list_kernel_ids() == [kept]

    asyncio.run(run())


def test_a_kernel_whose_page_never_comes_ends(tmp_path):
    async def run():
        async with open_server(tmp_path, patience=0.2) as here:
            await here.start_kernel()
            assert await wait_until_empty(here)

    asyncio.run(run())


def test_a_kernel_that_died_gives_its_place_back(tmp_path, caplog):
    async def run():
        config = Config({"KernelRestarter": {"restart_limit": 0, "time_to_dead": 0.5}})
        async with open_server(tmp_path, config=config) as here:
            kernel = await here.start_kernel()
            here.notify_connect(kernel)
            os.kill(here.get_kernel(kernel).provisioner.pid, signal.SIGKILL)
            assert await wait_until_empty(here)

    asyncio.run(run())
    assert "has died" in caplog.text


def test_places_are_counted_by_memory_and_cores(monkeypatch):
    def count_with(megabytes: int) -> tuple[int, int]:
        class Memory:
            available = megabytes * kernels.MEGABYTE

        monkeypatch.setattr(psutil, "virtual_memory", Memory)
        monkeypatch.setattr(kernels, "CGROUP", Path("nowhere"))
        monkeypatch.setattr(os, "cpu_count", lambda: 64)
        return kernels.count_places()

    assert count_with(100) == 2  # too little memory; two places all the same
    assert 80 < count_with(8192) < 150
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert kernels.count_places() == 80


def test_places_in_a_container_are_counted_by_its_memory(monkeypatch, tmp_path):
    (tmp_path / "memory.max").write_text(f"{3000 * kernels.MEGABYTE}\n")
    (tmp_path / "memory.current").write_text(f"{1000 * kernels.MEGABYTE}\n")
    monkeypatch.setattr(kernels, "CGROUP", tmp_path)
    assert kernels.count_places() <= 12
    (tmp_path / "memory.max").write_text("max\n")
    assert kernels.count_places() >= 2
