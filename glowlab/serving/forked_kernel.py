"""Turns a forked process into an IPython kernel (kernels.py). Imports little, since the server imports it too."""

import multiprocessing
import os
import signal
import sys
import threading
from pathlib import Path


def run(arguments: list[str], env: dict[str, str], folder: str | None, name: str) -> None:
    """Run an IPython kernel in this process, as `python -m ipykernel_launcher arguments` would."""
    os.setsid()  # signals for this kernel reach what it starts, and Ctrl-C in the terminal does not reach it
    # kernels.py had it blocked; a kernel can be interrupted.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    Path("/proc/self/comm").write_text(name)  # so that `top` and `ps` tell kernels apart
    os.environ.clear()
    os.environ.update(env)
    if folder and os.path.isdir(folder):
        os.chdir(folder)
    threading.Thread(target=_end_with, args=[multiprocessing.parent_process()], daemon=True).start()
    import ipywidgets
    import numpy as np
    import torch
    from ipykernel.kernelapp import IPKernelApp

    torch.seed()  # a fork has its parent's random numbers, the same for all visitors
    np.random.seed()
    # The kernel ends when the process it was forked from has ended. It keeps no history, since nobody types.
    options = [f"--IPKernelApp.parent_handle={os.getppid()}", "--HistoryManager.enabled=False"]
    sys.argv = ["ipykernel_launcher", *arguments, *options]
    app = IPKernelApp.instance()
    app.initialize(sys.argv[1:])
    # ipywidgets was imported before there was a kernel, so it has not yet offered all widgets in one message.
    ipywidgets.register_comm_target()
    app.start()


def _end_with(server) -> None:
    """Wait for the server to end, then end this process: a server that was killed cannot do it."""
    server.join()
    os._exit(1)
