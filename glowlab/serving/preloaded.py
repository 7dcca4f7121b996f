"""All that a visitor's kernel needs, imported once in the process that kernels are forked from (kernels.py).

A fork shares this memory until it writes to it, and starts with all of it in place. Nothing here may start a thread or
open a socket: neither would be there after the fork.
"""

import gc
import importlib
import os

os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # else the debugger, which no visitor uses, warns in the terminal
WANTED = [
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
    "glowlab.serving.forked",
]
for name in WANTED:
    try:
        importlib.import_module(name)
    except ImportError:
        pass  # another version of IPython has it elsewhere; the kernel imports it itself


def open_all() -> None:
    """Open every explorer once, so that all kernels share the weights and what a page opens on (kept.py).

    There is no loop here, so what waits until a page rests is done at once: a class that arrives together need not.
    """
    import ipywidgets

    from glowlab import explorers

    for name in explorers.NAMES:
        getattr(explorers, f"open_{name}")()  # one that cannot open says so on its page
    ipywidgets.Widget.close_all()


open_all()
gc.collect()
gc.freeze()  # the collector would write into every object, and so copy every page
