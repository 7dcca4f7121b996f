"""Visitors' kernels: forked from one process that has loaded everything, limited in number, ended when left.

On Linux a kernel is a fork of a process that has imported torch and read the model (preloaded.py): it is there in a
tenth of the time and shares most of its memory with all others. Elsewhere kernels are ordinary ones.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import EntryPoint
from multiprocessing import forkserver
from pathlib import Path

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from traitlets import Float, Integer

from glowlab.serving import forked

log = logging.getLogger(__name__)
CAN_FORK = sys.platform == "linux"
FORKING = "glow-forking"
LAUNCHER = ["-m", "ipykernel_launcher"]
MEGABYTE = 2**20
FORK, ANEW = 90 * MEGABYTE, 280 * MEGABYTE  # what a visitor costs, measured, and some to spare
A_CORE = 20  # visitors for each core, most of whom look and do not drag at one time
KEPT_BACK = 1024 * MEGABYTE  # for the system, the server and what kernels share
GROUP = Path("/sys/fs/cgroup")  # where a container's limits stand
PRELOADED = "glowlab.serving.preloaded"


class Forks:
    """Starts forked kernels, in a thread of its own: the first one waits until everything is loaded."""

    def __init__(self):
        self.context = multiprocessing.get_context("forkserver")
        self.thread = ThreadPoolExecutor(1, "forks")  # one: what starts processes is not made for several
        self.thread.submit(self._load)

    async def start(self, *arguments) -> "Forked":
        return await asyncio.get_running_loop().run_in_executor(self.thread, self._start, arguments)

    def _load(self) -> None:
        # Ctrl-C in the terminal reaches the loading process too, which would answer with a traceback.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        self.context.set_forkserver_preload([PRELOADED])
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _start(self, arguments: tuple) -> "Forked":
        self._load()  # for the case that it was killed
        process = self.context.Process(target=forked.run, args=arguments, daemon=True)
        process.start()
        return Forked(process)


class Forked:
    """A forked process with the methods of subprocess.Popen that jupyter_client uses."""

    stdin = stdout = stderr = None

    def __init__(self, process):
        self.process, self.pid = process, process.pid

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self) -> int | None:
        self.process.join()
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.process.terminate()

    def kill(self) -> None:
        self.process.kill()


class ForkedProvisioner(LocalProvisioner):
    """How jupyter_client starts, signals and ends a forked kernel. Other languages' kernels start as ever."""

    forks: Forks | None = None

    async def launch_kernel(self, cmd: list[str], **kwargs):
        if cmd[1:3] != LAUNCHER or os.path.realpath(cmd[0]) != os.path.realpath(sys.executable):
            return await super().launch_kernel(cmd, **kwargs)
        # Plain strings: some of Voila's are of its own kind, and the kernel would have to import Voila to read them.
        env = {str(key): str(value) for key, value in kwargs.get("env", os.environ).items()}
        folder = kwargs.get("cwd")
        name = f"glow-{self.kernel_id[:8]}"
        try:
            self.process = await self.forks.start(cmd[3:], env, folder, name)
        except (OSError, EOFError):
            log.exception("a kernel could not be forked; it is started anew")
            return await super().launch_kernel(cmd, **kwargs)
        self.pid = self.pgid = self.process.pid
        self.cwd = folder or os.getcwd()
        return self.connection_info


def use_forks() -> None:
    """Make `ForkedProvisioner` the way in which this process starts kernels, and begin to load what they share."""
    if ForkedProvisioner.forks is None:
        ForkedProvisioner.forks = Forks()
    factory = KernelProvisionerFactory.instance()
    here = f"{__name__}:{ForkedProvisioner.__name__}"
    factory.provisioners[FORKING] = EntryPoint(FORKING, here, KernelProvisionerFactory.GROUP_NAME)
    factory.default_provisioner_name = FORKING


class Full(Exception):
    """As many visitors are here as there is room for."""


def room(fork: bool = CAN_FORK) -> int:
    """How many visitors this machine is good for by its free memory, or its container's, and its cores; at least 2."""
    import psutil

    free = psutil.virtual_memory().available
    try:  # Linux, in a container with a limit
        limit = int((GROUP / "memory.max").read_text())
        free = min(free, limit - int((GROUP / "memory.current").read_text()))
    except (OSError, ValueError):
        pass
    return max(2, min((free - KEPT_BACK) // (FORK if fork else ANEW), A_CORE * (os.cpu_count() or 1)))


class Kernels(AsyncMappingKernelManager):
    """The kernels that run: at most `most`; one that has died, or whose page is gone, is let go at once."""

    most = Integer(40, config=True, help="How many kernels may run at once.")
    patience = Float(60, config=True, help="Seconds that a kernel waits for its page to come back.")

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._starting = 0
        self._said = False  # that the house is full

    async def start_kernel(self, **kwargs) -> str:
        """As its parent; Full when there is no room."""
        if self.full():
            if not self._said:
                log.warning("the house is full: %d visitors; --visitors N lets in more or fewer", self.most)
            self._said = True
            raise Full
        self._said = False
        self._starting += 1
        try:
            kernel_id = await super().start_kernel(**kwargs)
        finally:
            self._starting -= 1
        self._soon(5 * self.patience, kernel_id)  # its page may never come
        return kernel_id

    def full(self) -> bool:
        """Whether there is no room for one more."""
        return len(self) + self._starting >= self.most

    def pages(self, kernel_id: str) -> int:
        """How many pages are connected to a kernel."""
        return self._kernel_connections.get(kernel_id, 0)

    def _handle_kernel_died(self, kernel_id: str) -> None:
        log.error("the kernel of a visitor has died: %s", kernel_id)
        self._soon(0, kernel_id)

    def notify_disconnect(self, kernel_id: str) -> None:
        """A page's connection has closed."""
        super().notify_disconnect(kernel_id)
        self._soon(self.patience, kernel_id)

    def left(self, kernel_id: str, seconds: float = 2.0) -> None:
        """A page is being left; it will not come back, but another may have this kernel."""
        self._soon(min(self.patience, seconds), kernel_id)

    def _soon(self, seconds: float, kernel_id: str) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, lambda: loop.create_task(self._end_if_left(kernel_id)))

    async def _end_if_left(self, kernel_id: str) -> None:
        if kernel_id not in self:
            return
        alive = await self.get_kernel(kernel_id).is_alive()
        if not alive or not self.pages(kernel_id):
            await self.end(kernel_id)

    async def end(self, kernel_id: str) -> None:
        """End a kernel, if it is still there."""
        if kernel_id in self:
            try:
                await self.shutdown_kernel(kernel_id, now=True)
            except KeyError:
                pass  # another request has ended it meanwhile


class Early:
    """The kernels for one page, which is sent while its kernel still starts: the film needs none.

    Voila waits for a kernel before it sends a byte. Here it gets an id at once, and the kernel where it comes to that.
    """

    def __init__(self, kernels: Kernels):
        self.kernels = kernels
        self.starting: asyncio.Future[str] | None = None

    async def start_kernel(self, **options) -> str:
        """The id of a kernel that will be there; Full when there is no room."""
        kernel_id = str(uuid.uuid4())
        self.starting = asyncio.ensure_future(self.kernels.start_kernel(kernel_id=kernel_id, **options))
        await asyncio.sleep(0)  # by then it knows whether there is room
        if self.failed():
            self.starting.result()
        return kernel_id

    async def left(self) -> None:
        """The page was left before all of it was sent: nobody will ask for its kernel."""
        if self.starting is not None:
            await asyncio.wait([self.starting])
            if not self.failed():
                self.kernels.left(self.starting.result(), 10.0)  # by then what runs in it has ended

    def failed(self) -> bool:
        """Whether the kernel did not start."""
        return self.starting is not None and self.starting.done() and self.starting.exception() is not None

    def get_kernel(self, kernel_id: str) -> asyncio.Future:
        """The kernel, once it is there."""

        async def started():
            await self.starting
            return self.kernels.get_kernel(kernel_id)

        return asyncio.ensure_future(started())


class Connection(ZMQChannelsWebsocketConnection):
    """The connection of a page and its kernel."""

    def on_restart_failed(self) -> None:
        """The kernel died; nobody tried to start it again."""
        self._send_status_message("dead")
