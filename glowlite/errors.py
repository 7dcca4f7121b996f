"""GlowliteError: the one exception for mistakes that a person can correct, and commands as messages show them."""

import os
import shlex
import subprocess


class GlowliteError(ValueError):
    """A mistake that a person can correct. Its text says what is wrong and what to do."""

    told = False  # whether a person has been shown it


def speaks() -> bool:
    """Whether this process is the one of its machine that tells what all its processes know."""
    return os.environ.get("LOCAL_RANK", "0") == "0"


def quoted(*words) -> str:
    """A command as a person may type it: words with spaces, say, are in quotation marks of the system's shell.

    >>> quoted("glowlite", "train", "--out", "runs/x")
    'glowlite train --out runs/x'
    """
    words = [str(word) for word in words]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
