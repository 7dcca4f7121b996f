"""Puts answers into the exercises of a notebook and runs it, without a kernel and without painting its figures."""

import ast
import contextlib
import importlib
import io
import linecache
from dataclasses import dataclass
from pathlib import Path

import jupytext

from glowlab.checks.base import Check, Verdict


@dataclass(frozen=True)
class Exercise:
    """An exercise of a notebook: what the student writes, `name`, is handed to `check`, a Check of `module`."""

    name: str
    module: str
    check: str


def cells(script: Path) -> list[str]:
    """The code cells of a notebook's script."""
    return [cell.source for cell in jupytext.read(script).cells if cell.cell_type == "code"]


def exercises(script: Path) -> list[Exercise]:
    """The exercises of a notebook: functions and classes of its own that it hands to a check, each once."""
    trees = [ast.parse(source) for source in cells(script)]
    modules: dict[str, str] = {}  # "check" -> "coupling_layers"
    written, found = set(), {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.ImportFrom) and node.module == "glowlab.checks":
            modules |= {alias.asname or alias.name: alias.name for alias in node.names}
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            written.add(node.name)
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(alias), attr=check), args=[ast.Name(name), *_]):
                is_check = alias in modules and isinstance(getattr(check_module(modules[alias]), check, None), Check)
                if is_check and name in written:
                    found[name] = Exercise(name, modules[alias], check)
    return list(found.values())


def check_module(name: str):
    """The module of glowlab.checks with the checks of a notebook."""
    return importlib.import_module(f"glowlab.checks.{name}")


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
        with contextlib.chdir(script.parent.parent), contextlib.redirect_stdout(io.StringIO()):
            for number, source in enumerate(cells(script)):
                name, source = f"{script.stem}, code cell {number}", put_in(source, answers)
                linecache.cache[name] = len(source), None, source.splitlines(True), name  # for inspect.getsource
                exec(compile(source, name, "exec"), space)
    finally:
        Check.__call__ = call
    return verdicts
