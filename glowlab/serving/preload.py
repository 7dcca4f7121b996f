"""Loads what every visitor's kernel needs, once, in the process that kernels are forked from (kernels.py).

A fork starts with all of it in memory, and shares that memory until it writes to it. Nothing here may start a thread or
open a socket: a fork has neither.
"""

import gc
import importlib
import os

os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # else the debugger, which no visitor uses, warns in the terminal
MODULES = [
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "numpy.random",
    "tornado.platform.asyncio",
    "zmq.utils.garbage",
    "glowlab.serving.forked_kernel",
]
for name in MODULES:
    try:
        importlib.import_module(name)
    except ImportError:
        pass  # another version of IPython has it elsewhere; the kernel imports it itself


def open_all() -> None:
    """Open every explorer once, so that all kernels share the weights and the first results (explorers/cache.py).

    No event loop runs here, so the work that a page does at rest is done at once, and no kernel repeats it.
    """
    import ipywidgets

    from glowlab import explorers
    from glowlab.explorers.models import MODELS

    for model in MODELS:
        for name in explorers.NAMES:
            getattr(explorers, f"open_{name}")(model)  # where one cannot open, its page shows why
    ipywidgets.Widget.close_all()


open_all()
gc.collect()
gc.freeze()  # else the garbage collector writes to every object, and so copies all of the shared memory
