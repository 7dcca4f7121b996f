"""Several processes that run one function at the same time and talk to each other by torch.distributed (gloo).

    processes = Processes(2)
    processes.run(function, 5)   # [function(0, 2, 5), function(1, 2, 5)]: rank, world, then the arguments

The function may be one of a notebook. The processes start at the first call and wait for the next one; they use the
loopback interface alone, so neither a network nor the machine's name has to work. Nothing waits for ever.
"""

import contextlib
import datetime
import dis
import importlib
import io
import linecache
import marshal
import multiprocessing
import os
import pickle
import socket
import sys
import tempfile
import time
import traceback
import types
from collections.abc import Callable
from multiprocessing.connection import Connection, wait

from glowlite.errors import GlowliteError

START = 120  # seconds in which a process must be ready: it imports torch
SAME = (
    "Each process must call all_reduce, broadcast and barrier equally often, in the same order and with tensors of the "
    "same shape: else one waits for another for ever."
)
GRACE = 1.0  # seconds in which the others may tell their own error, where one has failed


class Processes:
    """`run(function, *arguments)` calls `function(rank, world, *arguments)` in each of `world` processes.

    limit: seconds for one call, after which all processes are ended. What a process prints is printed here.
    """

    def __init__(self, world: int = 2, limit: float = 60):
        self.world, self.limit = world, limit
        self._started: list[tuple[multiprocessing.Process, Connection]] = []

    def run(self, function: Callable, *arguments, world: int | None = None, limit: float | None = None) -> list:
        """What each process gives back, by rank.

        world: fewer processes than there are; limit: seconds for this call. GlowliteError where the processes cannot
        start or do not finish in time. An error in a process is raised here, with the process's number.
        """
        world, limit = world or self.world, limit or self.limit
        if not 1 <= world <= self.world:
            raise GlowliteError(f"there are {self.world} processes, so {world} cannot run at once")
        job = pack((function, arguments))
        self.start()
        chosen = self._started[:world]
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            for rank, (_, connection) in enumerate(chosen):
                connection.send_bytes(pickle.dumps((rank, world, f"{folder}/meet", limit, job)))
            answers = self._collect(chosen, limit)
        for rank, (text, _, _) in sorted(answers.items()):
            for line in text.splitlines():
                print(f"process {rank}: {line}")
        failed = [error for _, _, error in answers.values() if error is not None]
        own = [error for error in failed if "Connection" not in str(error)]
        if len(answers) < world or (failed and not own):
            self.close()
        if own:
            raise own[0]
        if failed or len(answers) < world:
            why = "one process waited for another that was done" if failed else f"not done after {limit:g} seconds"
            raise GlowliteError(f"{why}, so all were ended. {SAME}")
        return [answers[rank][1] for rank in range(world)]

    def close(self) -> None:
        """End the processes; the next call starts new ones."""
        for process, connection in self._started:
            connection.close()
            process.kill()
            process.join()
        self._started = []

    def start(self) -> None:
        """Start the processes that are not there. GlowliteError where they cannot start."""
        if self._started and all(process.is_alive() for process, _ in self._started):
            return
        self.close()
        context = multiprocessing.get_context("spawn")  # as on Windows and Mac; a fork would copy torch's threads
        try:
            for _ in range(self.world):
                ours, theirs = context.Pipe()
                process = context.Process(target=serve, args=(theirs,), daemon=True)
                process.start()
                theirs.close()
                self._started.append((process, ours))
            ready = [connection.poll(START) and connection.recv() for _, connection in self._started]
        except (OSError, EOFError) as error:
            ready = [f"{type(error).__name__}: {error}"]
        if wrong := [str(answer or "no answer") for answer in ready if answer != "ready"]:
            self.close()
            raise GlowliteError(
                f"two processes cannot be started here ({wrong[0]}): run this on a machine on which Python may start "
                "others, or read on; the stored outputs show what they do."
            )

    def _collect(self, chosen: list, limit: float) -> dict:
        """{rank: (what it printed, its result, its error)} of those that answer in time, in order of arrival."""
        waiting, answers = {connection: rank for rank, (_, connection) in enumerate(chosen)}, {}
        end = time.monotonic() + limit
        while waiting and (left := end - time.monotonic()) > 0:
            for connection in wait(list(waiting), left):
                rank = waiting.pop(connection)
                try:
                    answers[rank] = pickle.loads(connection.recv_bytes())
                except (EOFError, OSError):
                    answers[rank] = "", None, GlowliteError(f"process {rank} has died at work. {SAME}")
                if answers[rank][2] is not None:
                    end = min(end, time.monotonic() + GRACE)
        return answers


pair = Processes(2)  # those that notebook 14 and its checks share


# ---- in the other process -----------------------------------------------------------------------------------


def serve(connection: Connection) -> None:
    """The life of a process: run what comes, until the one who started it is gone."""
    os.environ |= loopback_only()
    import torch
    from torch import distributed

    torch.set_num_threads(1)
    connection.send("ready" if distributed.is_available() else "this torch was built without torch.distributed")
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            connection.send_bytes(answer(*pickle.loads(connection.recv_bytes())))


def answer(rank: int, world: int, meeting: str, limit: float, job: bytes) -> bytes:
    """Run a job in a group of `world` processes; (what it printed, result, error), pickled."""
    from torch import distributed

    printed = io.StringIO()
    try:
        store, timeout = distributed.FileStore(meeting, world), datetime.timedelta(seconds=limit)
        distributed.init_process_group("gloo", store=store, rank=rank, world_size=world, timeout=timeout)
        distributed.barrier()  # else one that is done at once leaves while another still connects
        with contextlib.redirect_stdout(printed):
            function, arguments = pickle.loads(job)
            result = function(rank, world, *arguments)
        return pack((printed.getvalue(), result, None))
    except Exception as raised:
        error = raised
        error.add_note(f"in process {rank} of {world}: {traceback.format_exc()}")
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    return pickle.dumps((printed.getvalue(), None, error))


def loopback_only() -> dict[str, str]:
    """The environment in which processes of one machine talk by its loopback interface, whatever its name is."""
    if sys.platform == "win32":  # torch finds the interface by itself, and has no libuv
        return {"USE_LIBUV": "0"} | os.environ
    name = next((name for _, name in socket.if_nameindex() if name in ("lo", "lo0")), None)
    return ({"GLOO_SOCKET_IFNAME": name} if name else {}) | os.environ


# ---- functions on their way -----------------------------------------------------------------------------------


class Pickler(pickle.Pickler):
    """Pickles functions of a notebook by their code, with the global names they use; pickle itself sends only names."""

    def reducer_override(self, thing):
        if isinstance(thing, types.ModuleType):
            return importlib.import_module, (thing.__name__,)
        if not isinstance(thing, types.FunctionType) or is_importable(thing):
            return NotImplemented
        code = thing.__code__
        names = {name: thing.__globals__[name] for name in used_names(code) if name in thing.__globals__}
        cells = tuple(cell.cell_contents for cell in thing.__closure__ or ())
        made = marshal.dumps(code), linecache.getlines(code.co_filename), thing.__name__, cells
        return make_function, made, (names, thing.__defaults__, thing.__kwdefaults__), None, None, complete


def pack(thing) -> bytes:
    """Pickle with the functions of a notebook. GlowliteError where something in it cannot be sent."""
    buffer = io.BytesIO()
    try:
        Pickler(buffer).dump(thing)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise GlowliteError(f"this cannot be sent to another process: {error}") from error
    return buffer.getvalue()


def is_importable(function: types.FunctionType) -> bool:
    """Whether another process finds the function by its module and name."""
    module = sys.modules.get(function.__module__)
    return function.__module__ != "__main__" and getattr(module, function.__qualname__, None) is function


def used_names(code: types.CodeType) -> set[str]:
    """The global names that a function and the functions inside it look up."""
    own = {line.argval for line in dis.get_instructions(code) if line.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return own.union(*(used_names(part) for part in code.co_consts if isinstance(part, types.CodeType)))


def make_function(code: bytes, lines: list[str], name: str, cells: tuple) -> types.FunctionType:
    """A function without its global names, which `complete` adds; a function may call itself."""
    code = marshal.loads(code)
    linecache.cache[code.co_filename] = sum(map(len, lines)), None, lines, code.co_filename  # to quote a line
    space = {"__name__": "__main__", "__builtins__": __builtins__}
    return types.FunctionType(code, space, name, None, tuple(map(types.CellType, cells)))


def complete(function: types.FunctionType, state: tuple) -> None:
    """Give a made function its global names and defaults."""
    names, function.__defaults__, function.__kwdefaults__ = state
    function.__globals__.update(names)
