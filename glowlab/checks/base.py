"""The check of an exercise: a property is tried on fresh random inputs, and a mistake is named.

A check is a generator function that takes what the student wrote and a torch.Generator:

    @check("unmix", hints=["..."], solution=[Coupling.inverse])
    def unmix(attempt, generator):
        x = torch.rand(4, generator=generator)
        y = tried(attempt(x))              # None or ... : not tried yet
        if torch.equal(y, -x):
            raise Mistake("right size, wrong sign")
        yield "it has the right sign"      # each yield is something that holds

Its worked answer is the function of the same name in solutions/, in the file named after the notebook.
"""

import dis
import html
import importlib.util
import inspect
import linecache
import os
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from glowlite.errors import GlowliteError

UNTRIED, RIGHT, WRONG = "not tried yet", "right", "not yet right"
MARKS = {UNTRIED: "○", RIGHT: "✓", WRONG: "✗"}
COLOURS = {UNTRIED: "#797979", RIGHT: "#009E73", WRONG: "#D55E00"}
_NOTHING = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}  # instructions of Python's machine
ROUNDS = 3  # fresh inputs tried at each call
NEAR = 1e-5  # the tolerance of every check: inputs are float32 of size 1, as in the notebooks, and so are answers


class Mistake(Exception):
    """The mistake of an attempt, in words for the student; it never shows the answer."""


class Untried(Exception):
    """The stub is as it was."""


@dataclass(frozen=True)
class Verdict:
    """The result of a check: `state` UNTRIED, RIGHT or WRONG, `holds` what is right, `mistake` what is not."""

    name: str
    state: str
    holds: tuple[str, ...] = ()
    mistake: str = ""

    def __bool__(self) -> bool:
        return self.state == RIGHT

    def lines(self) -> list[str]:
        """The verdict as a person reads it, a line each."""
        if self.state == UNTRIED:
            return ["Replace the dots by your lines and run both cells again. The notebook goes on either way."]
        said = [f"✓ {fact}" for fact in self.holds]
        if self.state == WRONG:
            said += [f"✗ {self.mistake}"]
        return said

    def __repr__(self) -> str:
        return "\n".join([f"{MARKS[self.state]} {self.name}: {self.state}", *(f"  {line}" for line in self.lines())])

    def _repr_html_(self) -> str:
        items = "".join(f"<div>{html.escape(line)}</div>" for line in self.lines())
        look = f"border-left: 4px solid {COLOURS[self.state]}; padding: 2px 12px; max-width: 46em"
        return f'<div style="{look}"><b>{html.escape(self.name)}: {self.state}</b>{items}</div>'


class Text:
    """Words shown as they are: a hint."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text


class Solution(Text):
    """Python sources under their headings, {heading: source}, with their colours where the page has some."""

    def __init__(self, sources: Mapping[str, str]):
        super().__init__("\n\n".join(f"# {heading}\n\n{source}" for heading, source in sources.items()))
        self._sources = sources

    def _repr_markdown_(self) -> str:
        return "\n\n".join(f"{heading}\n```python\n{source}\n```" for heading, source in self._sources.items())


class Check:
    """Call it with what you wrote. `hint()` gives the next hint, `solution()` a worked answer."""

    def __init__(self, name: str, trial: Callable[..., Iterator[str]], hints: Sequence[str], solution: Sequence):
        self.name, self.trial = name, trial
        self._hints, self._solution, self._given = list(hints), list(solution), 0
        self.__doc__ = trial.__doc__

    def __repr__(self) -> str:
        return f"the check of {self.name}: call it with what you wrote; .hint() and .solution() help"

    def __call__(self, attempt, *more, seed: int | None = None) -> Verdict:
        """Try `attempt` on fresh random inputs (the same ones for the same `seed`)."""
        generator = torch.Generator()
        if seed is None:
            generator.seed()  # from the system, so that the notebook's own random numbers stay as they are
        else:
            generator.manual_seed(seed)
        holds: dict[str, None] = {}  # in order, each once
        for _ in range(ROUNDS):
            held = []  # in this round: what held in an earlier one may be the mistake of this one
            try:
                for fact in self.trial(attempt, *more, generator=generator):
                    held.append(fact)
            except Untried:
                return Verdict(self.name, UNTRIED)
            except Mistake as mistake:
                return Verdict(self.name, WRONG, tuple(dict.fromkeys(held)), str(mistake))
            holds |= dict.fromkeys(held)
        return Verdict(self.name, RIGHT, tuple(holds))

    def hint(self) -> Text:
        """The next hint; after the last one they begin again."""
        hint = self._hints[self._given % len(self._hints)]
        number = self._given % len(self._hints) + 1
        self._given += 1
        return Text(f"Hint {number} of {len(self._hints)}: {hint}")

    def answer(self):
        """The function or class in solutions/ that answers the exercise; None where there is none."""
        words = self.trial.__module__.removeprefix(f"{__package__}.").split("_")
        for end in range(len(words), 0, -1):  # a second file of checks carries the notebook's name and a word more
            module = f"{__package__}.solutions.{'_'.join(words[:end])}"
            if importlib.util.find_spec(module):
                return getattr(importlib.import_module(module), self.name, None)
        return None

    def solution(self) -> Text:
        """A worked answer that can be pasted, then the source in the package that does this."""
        if os.environ.get("GLOWLITE_SOLUTIONS", "").lower() == "off":
            return Text("Solutions are switched off here; hints are not.")
        sources = {}
        if (answer := self.answer()) is not None:
            sources["One answer, to be pasted over the exercise's dots:"] = _source(answer)
        if self._solution:
            sources["The package does it like this:"] = "\n\n".join(map(_source, self._solution))
        return Solution(sources)


def check(name: str, hints: Sequence[str], solution: Sequence = ()) -> Callable[[Callable], Check]:
    """Make a Check of a generator function for the exercise `name`; `solution`: what in the package does the same."""
    return lambda trial: Check(name, trial, hints, solution)


def run(attempt: Callable, *arguments, gives: bool = True):
    """Call the student's function. Untried for a stub; a Mistake quotes the line where it fails.

    gives: whether it has to give something back; else it changes what it is given.
    """
    try:
        result = attempt(*arguments)
    except (Mistake, Untried):
        raise
    except NotImplementedError:
        raise Untried from None
    except Exception as error:
        raise Mistake(f"it stops{_line(error, attempt)} with {type(error).__name__}: {_first(error)}") from error
    if not gives and not _empty(attempt):
        return result
    if result is None and not _empty(attempt):
        raise Mistake("it gives nothing back: does it end on a `return`?")
    return tried(result)


def _empty(function: Callable) -> bool:
    """Whether nothing is done in it: dots, `pass` or a docstring alone."""
    code = getattr(function, "__code__", None)
    return code is not None and all(line.opname in _NOTHING for line in dis.get_instructions(code))


def tried(result):
    """`result`, unless it is what a stub gives: None, the dots, or a tuple in which all are."""
    parts = result if isinstance(result, tuple) and result else (result,)
    if all(part is None or part is Ellipsis for part in parts):
        raise Untried
    return result


def same(a, b) -> bool:
    """Whether two tensors, or two lists of them, have one shape and equal numbers, to NEAR of their size and of 1."""
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if not isinstance(a, Tensor) or not isinstance(b, Tensor) or a.shape != b.shape:
        return False
    return torch.allclose(a.detach().double(), b.detach().double(), rtol=NEAR, atol=NEAR)


def name_mistake(result, wrong: Mapping) -> None:
    """Raise the first Mistake of `wrong`, {words: numbers}, that leads to the numbers of `result`, if one does."""
    for words, numbers in wrong.items():
        if same(result, numbers):
            raise Mistake(words)


def _source(thing) -> str:
    return textwrap.dedent(inspect.getsource(thing)).rstrip()


def _first(error: Exception) -> str:
    words = str(error).strip().split("\n")[0] or "no further words"
    return words if isinstance(error, GlowliteError) or len(words) <= 160 else words[:157] + "..."


def _line(error: Exception, attempt: Callable) -> str:
    """Quotes the line of the student's function that the error came from."""
    code = getattr(attempt, "__code__", None)
    trace, found = error.__traceback__, None
    while trace is not None:
        if code is not None and trace.tb_frame.f_code is code:
            found = trace
        trace = trace.tb_next
    if found is None:
        return ""
    text = linecache.getline(code.co_filename, found.tb_lineno).strip()
    return f" at the line `{text}`" if text else ""
