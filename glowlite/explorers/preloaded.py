"""All that a visitor's kernel needs, imported once in the process that kernels are forked from (kernels.py).

A fork shares this memory until it writes to it, and starts with all of it in place. Nothing here may start a thread or
open a socket: neither would be there after the fork.
"""

import gc
import importlib
import os

os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = (
    "1"  # else the debugger, which no visitor uses, warns in the terminal
)
WANTED = [
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "tornado.platform.asyncio",
    "zmq.utils.garbage",
    "glowlite.explorers.forked",
    "glowlite.explorers.attributes",
    "glowlite.explorers.interpolation",
    "glowlite.explorers.studio",
    "glowlite.explorers.temperature",
]
for name in WANTED:
    try:
        importlib.import_module(name)
    except ImportError:
        pass  # another version of IPython has it elsewhere; the kernel imports it itself


def read_model() -> None:
    """Read the model that ships, so that all kernels share its weights."""
    from glowlite.errors import GlowliteError
    from glowlite.explorers.explorer import shared

    try:
        shared("faces64")
    except GlowliteError:
        pass  # the explorer itself will say what is wrong


read_model()
gc.collect()
gc.freeze()  # the collector would write into every object, and so copy every page
