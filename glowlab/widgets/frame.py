"""The frame of every live figure: title and promise, notices, guarded callbacks, layout."""

import functools
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import ipywidgets
import traitlets
from torch import Tensor

from glowlab.widgets import JS
from glowlab.widgets.base import Widget
from glowlab.widgets.picture import with_png
from glowlab.widgets.still import Still
from glowlite.errors import GlowliteError

log = logging.getLogger("glowlab.explorers")
SORRY = "That did not work, and the fault is ours. The picture stays as it was; Reset starts again."


def log_to_terminal() -> None:
    """Send our log to the terminal: a kernel's own standard error ends in the browser, where nobody looks."""
    if not log.handlers:
        handler = logging.StreamHandler(sys.__stderr__)
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
        log.addHandler(handler)


class Head(Widget):
    """Title, promise in one line, and notices; brings the style sheet."""

    from_page = ("notice",)
    _esm = JS / "head.js"
    _css = Path(__file__).parent / "theme.css"
    title = traitlets.Unicode().tag(sync=True)
    promise = traitlets.Unicode().tag(sync=True)
    notice = traitlets.Dict().tag(sync=True)  # {"text": ..., "kind": "info" or "bad"}, or empty


def box(name: str, *children, title: str = "", note: str = "", label: str = "") -> ipywidgets.Box:
    """A box of CSS class gl-<name> with these children, under a heading and a note where given."""
    parts = list(children)
    if title or note:
        text = f"<h2>{title}</h2>" if title else ""
        text += f"<p>{note}</p>" if note else ""
        parts.insert(0, ipywidgets.HTML(text).add_class("gl-heading"))
    made = ipywidgets.Box(parts)
    made.add_class(f"gl-{name}")
    return made


class Frame(Still, ipywidgets.Box):
    """A figure's outermost box: a subclass adds its parts by `place`, guards its callbacks by `guard`."""

    def __init__(self, title: str, promise: str):
        super().__init__()
        self.add_class("gl")
        log_to_terminal()
        self.head = Head(title=title, promise=promise)
        self.children = [self.head]

    def place(self, *children) -> None:
        """Put these under the head."""
        self.children = [self.head, *children]

    def notify(self, text: str, kind: str = "info") -> None:
        """Show a sentence above the picture until something changes; kind "info" or "bad"."""
        self.head.notice = {"text": text, "kind": kind} if text else {}

    def guard(self, action: Callable) -> Callable:
        """Wrap `action`: an exception becomes one kind sentence on the page and a line in the log."""

        @functools.wraps(action)
        def guarded(*args, **kwargs):
            try:
                return action(*args, **kwargs)
            except GlowliteError as error:
                self.notify(str(error), "bad")
            except Exception:
                log.exception("%s failed", getattr(action, "__name__", "a callback"))
                self.notify(SORRY, "bad")

        return guarded

    def still(self) -> Tensor | None:
        """The picture that is shown where no kernel runs: uint8 (C, H, W)."""
        return None

    def _repr_mimebundle_(self, **kwargs):
        words = f"{self.head.title}: {self.head.promise}".strip(": ")
        return with_png(self, self.still(), words)
