"""What a forked kernel does first (kernels.py starts it). Imports little: the server imports this as well."""

import multiprocessing
import os
import signal
import sys
import threading
from pathlib import Path


def run(arguments: list[str], env: dict[str, str], folder: str | None, name: str) -> None:
    """Become an IPython kernel: what `python -m ipykernel_launcher arguments` would be."""
    os.setsid()  # signals for this kernel reach what it starts, and Ctrl-C in the terminal does not reach it
    signal.pthread_sigmask(
        signal.SIG_UNBLOCK, [signal.SIGINT]
    )  # kernels.py had it blocked; a kernel can be interrupted
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

    torch.seed()  # a fork has its parent's random numbers, all visitors the same
    np.random.seed()
    # The process we were forked from may end, too; the kernel itself looks for that. No history is kept: nobody types.
    options = [f"--IPKernelApp.parent_handle={os.getppid()}", "--HistoryManager.enabled=False"]
    sys.argv = ["ipykernel_launcher", *arguments, *options]
    app = IPKernelApp.instance()
    app.initialize(sys.argv[1:])
    # Imported before there was a kernel, it could not tell one where pages ask for all widgets at once.
    ipywidgets.register_comm_target()
    app.start()


def _end_with(server) -> None:
    server.join()
    os._exit(1)  # killed hard, the server could not end us
