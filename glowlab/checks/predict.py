"""A question before a cell runs: a guess is recorded by a toggle and compared with what came out."""

import html
from collections.abc import Sequence

import ipywidgets

from glowlab.widgets.controls import Choice
from glowlab.widgets.frame import Frame
from glowlab.widgets.still import Still, show_with_still, view
from glowlite.errors import GlowliteError

FOLDED = "Make a guess above, or click here to see what came out."


class Prediction(Still):
    """`Prediction(question, options)` shows a toggle; later, `outcome(answer)` tells how the guess did.

    Neither waits for anyone, so a notebook runs from end to end without a guess. Until there is one, the outcome is
    folded; a guess made afterwards still counts. Where no kernel runs, the question and its options are left as text,
    and the outcome as it was: folded, or compared with the guess.
    """

    def __init__(self, question: str, options: Sequence[str]):
        if len(options) < 2 or len(set(options)) != len(options):
            raise GlowliteError("a prediction needs two options or more, all different")
        self.question, self.options = question, list(options)
        self.toggle = Choice(options=[[option, option] for option in self.options], label="Your guess")
        self.answer: str | None = None
        self._said = ipywidgets.HTML()
        self.toggle.observe(lambda change: self._say(), "value")
        self.widget = Frame("", "")
        self.widget.add_class("gl-predict")
        self.widget.head.layout.display = "none"
        ask = f"<b>Predict before you run.</b> {html.escape(self.question)}"
        self.widget.place(ipywidgets.HTML(ask), self.toggle)

    @property
    def guess(self) -> str | None:
        """The option chosen so far, or None."""
        return self.toggle.value or None

    def outcome(self, answer: str, why: str = "") -> None:
        """Say what came out, one of the options, beside the guess, or folded while there is none; `why` is added."""
        if answer not in self.options:
            raise GlowliteError(f"{answer!r} is none of the options: {', '.join(self.options)}")
        self.answer, self._why = answer, why
        self._say()
        show_with_still(_bundle(self._said, self.verdict(), self._said.value))

    def verdict(self) -> str:
        """The sentence that compares guess and outcome; empty while there is no outcome."""
        if self.answer is None:
            return ""
        if self.guess is None:
            text = f"It is: {self.answer}."
        elif self.guess == self.answer:
            text = f"You guessed it: {self.answer}."
        else:
            text = f"You guessed: {self.guess}. It is: {self.answer}."
        return f"{text} {self._why}".strip()

    def _say(self) -> None:
        page = f"<p>{html.escape(self.verdict())}</p>" if self.answer is not None else ""
        if page and self.guess is None:
            page = f"<details><summary>{FOLDED}</summary>{page}</details>"
        self._said.value = page

    def _repr_mimebundle_(self, include=None, exclude=None):
        text = f"Predict: {self.question}  " + "  ".join(f"[{option}]" for option in self.options)
        items = "".join(f"<li>{html.escape(option)}</li>" for option in self.options)
        page = f"<p><b>Predict before you run.</b> {html.escape(self.question)}</p><ul>{items}</ul>"
        return _bundle(self.widget, text, page)


def _bundle(widget: ipywidgets.DOMWidget, text: str, page: str) -> dict:
    """The output of a cell that shows a widget: the widget, or `page` and `text` where no kernel runs."""
    return {**view(widget), "text/html": page, "text/plain": text}
