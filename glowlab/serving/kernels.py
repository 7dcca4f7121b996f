"""Visitors' kernels: limited in number, ended when left."""

import asyncio
import logging
import os
import uuid
from pathlib import Path

from traitlets import Float, Integer

from glowlab.serving import patches

log = logging.getLogger(__name__)
MEGABYTE = 2**20
VISITOR_BYTES = 80 * MEGABYTE  # for a kernel, measured, with a margin
VISITORS_PER_CORE = 40  # a kernel works while it starts; a move costs it nothing
RESERVED_BYTES = 1024 * MEGABYTE  # for the system and the server
ARGUMENTS = ["--HistoryManager.enabled=False"]  # nobody types
CGROUP = Path("/sys/fs/cgroup")  # a container's limits


def count_places() -> int:
    """The number of visitors that this machine can serve, by its free memory (or its container's) and its cores.

    At least 2.
    """
    import psutil

    free = psutil.virtual_memory().available
    try:  # Linux, in a container with a limit
        limit = int((CGROUP / "memory.max").read_text())
        free = min(free, limit - int((CGROUP / "memory.current").read_text()))
    except (OSError, ValueError):
        pass
    by_memory = (free - RESERVED_BYTES) // VISITOR_BYTES
    return max(2, min(by_memory, VISITORS_PER_CORE * (os.cpu_count() or 1)))


class AllPlacesTaken(Exception):
    """No further kernel may start."""


class Kernels(patches.KernelManager):
    """The running kernels: at most `places`. A kernel that has died, or whose page is gone, is ended."""

    places = Integer(40, config=True, help="How many kernels may run at once.")
    patience = Float(60, config=True, help="Seconds that a kernel waits for its page to come back.")

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._starting = 0
        self._warned = False
        self._ends: dict[str, asyncio.Task] = {}
        self._closed = False

    async def start_kernel(self, **kwargs) -> str:
        """Start a kernel. AllPlacesTaken where no place is free."""
        if self.is_full():
            if not self._warned:
                log.warning("all %d places are taken; --visitors N sets their number", self.places)
            self._warned = True
            raise AllPlacesTaken
        self._warned = False
        self._starting += 1
        try:
            kernel_id = await super().start_kernel(**kwargs, extra_arguments=ARGUMENTS)
        finally:
            self._starting -= 1
        self._check_later(5 * self.patience, kernel_id)  # its page may never come
        return kernel_id

    def is_full(self) -> bool:
        """Whether all places are taken."""
        return len(self) + self._starting >= self.places

    def count_pages(self, kernel_id: str) -> int:
        """The number of pages that are connected to a kernel."""
        return self.kernel_model(kernel_id)["connections"] if kernel_id in self else 0

    def on_death(self, kernel_id: str) -> None:
        log.error("the kernel of a visitor has died: %s", kernel_id)
        self._check_later(0, kernel_id)

    def notify_disconnect(self, kernel_id: str) -> None:
        """Note that a page's connection has closed."""
        super().notify_disconnect(kernel_id)
        self._check_later(self.patience, kernel_id)

    def release(self, kernel_id: str, seconds: float = 2.0) -> None:
        """End a kernel soon, as its page was left; not if another page has this kernel."""
        self._check_later(min(self.patience, seconds), kernel_id)

    def _check_later(self, seconds: float, kernel_id: str) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, lambda: self._closed or loop.create_task(self._end_unused(kernel_id)))

    async def _end_unused(self, kernel_id: str) -> None:
        if kernel_id not in self:
            return
        alive = await self.get_kernel(kernel_id).is_alive()
        if not alive or not self.count_pages(kernel_id):
            await self.end(kernel_id)

    async def end(self, kernel_id: str) -> None:
        """End a kernel, if it is still there."""
        if kernel_id in self:
            await self.shutdown_kernel(kernel_id, now=True)

    async def shutdown_kernel(self, kernel_id: str, now: bool = False, restart: bool = False) -> None:
        """End a kernel. Its page, the clock and Ctrl-C may ask for that at one time; it ends once."""
        if kernel_id not in self._ends:
            self._ends[kernel_id] = asyncio.ensure_future(super().shutdown_kernel(kernel_id, now, restart))
            self._ends[kernel_id].add_done_callback(lambda task: self._ends.pop(kernel_id))
        await asyncio.shield(self._ends[kernel_id])

    async def shutdown_all(self, now: bool = False) -> None:
        """End all kernels, for good."""
        self._closed = True
        await asyncio.gather(*[self.end(kernel_id) for kernel_id in self.list_kernel_ids()])


class PageKernel:
    """The kernel of one page, which is sent while its kernel still starts, since an explorer needs none.

    Voila waits for a kernel before it sends a byte. Here it gets an id at once, and waits only when it uses the kernel.
    """

    def __init__(self, kernels: Kernels):
        self.kernels = kernels
        self.starting: asyncio.Future[str] | None = None

    async def start_kernel(self, **options) -> str:
        """Begin to start a kernel; its id. AllPlacesTaken where no place is free."""
        kernel_id = str(uuid.uuid4())
        self.starting = asyncio.ensure_future(self.kernels.start_kernel(kernel_id=kernel_id, **options))
        await asyncio.sleep(0)  # by then it knows whether a place is free
        if self.has_failed():
            self.starting.result()
        return kernel_id

    async def release(self) -> None:
        """End the kernel soon after it has started."""
        if self.starting is not None:
            await asyncio.wait([self.starting])
            if not self.has_failed():
                self.kernels.release(self.starting.result(), 10.0)  # by then Voila has run the notebook in it

    def has_failed(self) -> bool:
        """Whether the kernel did not start."""
        return self.starting is not None and self.starting.done() and self.starting.exception() is not None

    def get_kernel(self, kernel_id: str) -> asyncio.Future:
        """The kernel, as soon as it has started."""

        async def wait():
            await self.starting
            return self.kernels.get_kernel(kernel_id)

        return asyncio.ensure_future(wait())
