"""Puts answers into the exercises of a notebook and runs it, without a kernel and without painting its figures."""

import ast
import contextlib
import io
import linecache
from pathlib import Path

import jupytext
import torch

from glowlab.checks.base import Check, Verdict
from glowlab.exercises import Exercise, statements
from glowlab.exercises import exercises as found_exercises


def cells(script: Path) -> list[str]:
    """The code cells of a notebook's script."""
    return [cell.source for cell in jupytext.read(script).cells if cell.cell_type == "code"]


def exercises(script: Path) -> list[Exercise]:
    """The exercises of a notebook's script."""
    return found_exercises(statements(cells(script)))


def definitions(path: Path) -> dict[str, str]:
    """The source of each function and class at the top of a file."""
    text = path.read_text(encoding="utf-8")
    nodes = [node for node in ast.parse(text).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    return {node.name: ast.get_source_segment(text, node) for node in nodes}


def put_in(source: str, answers: dict[str, str]) -> str:
    """A cell with the definition of each name of `answers` in place of its own."""
    lines = source.split("\n")
    for node in reversed(ast.parse(source).body):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in answers:
            lines[node.lineno - 1 : node.end_lineno] = answers[node.name].split("\n")
    return "\n".join(lines)


def run(script: Path, answers: dict[str, str]) -> list[Verdict]:
    """Run a notebook's cells with `answers` in its exercises; every verdict that its cells ask for.

    One process and one namespace, in the notebooks' folder, as in a kernel; nothing is displayed.
    """
    space = {"__name__": "__main__", "display": lambda *shown, **options: None}
    verdicts, call = [], Check.__call__

    def noted(self, *arguments, **options):
        verdicts.append(call(self, *arguments, **options))
        return verdicts[-1]

    Check.__call__ = noted
    try:
        quiet = contextlib.redirect_stdout(io.StringIO())
        with contextlib.chdir(script.parent.parent), quiet, torch.enable_grad():  # a notebook may switch gradients off
            for number, source in enumerate(cells(script)):
                name, source = f"{script.stem}, code cell {number}", put_in(source, answers)
                linecache.cache[name] = len(source), None, source.splitlines(True), name  # for inspect.getsource
                exec(compile(source, name, "exec"), space)
    finally:
        Check.__call__ = call
    return verdicts
