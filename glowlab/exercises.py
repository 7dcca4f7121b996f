"""The exercises of a notebook: which there are, and the lines that an answer needs to run by itself."""

import ast
import builtins
import importlib.util
import linecache
import symtable
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

from glowlab.checks.base import Check

DEFINES = (ast.FunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Exercise:
    """The student writes `name`; the cell calls `module.check(name, *more)`, a Check of glowlab.checks."""

    name: str
    module: str
    check: str
    more: tuple[str, ...] = ()

    def find_check(self) -> Check | None:
        """The Check itself; None where there is none of this name."""
        module = f"glowlab.checks.{self.module}"
        found = getattr(importlib.import_module(module), self.check, None) if importlib.util.find_spec(module) else None
        return found if isinstance(found, Check) else None


def code_cells(path: Path) -> list[str]:
    """The sources of a notebook's code cells."""
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def parse(source: str) -> list[ast.stmt]:
    """A cell's statements, with IPython's own (%magic, !command) as calls; SyntaxError where it is no Python."""
    return ast.parse(TransformerManager().transform_cell(source)).body


def statements(cells: Sequence[str]) -> list[ast.stmt]:
    """The statements of all cells that are Python."""
    found = []
    for source in cells:
        try:
            found += parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return found


def exercises(notebook: Sequence[ast.stmt]) -> list[Exercise]:
    """The exercises among a notebook's statements: functions and classes of its own that it hands to a check."""
    modules: dict[str, str] = {}  # "check" -> "coupling_layers"
    written, found = set(), {}
    for node in (node for statement in notebook for node in ast.walk(statement)):
        if isinstance(node, ast.ImportFrom) and node.module == "glowlab.checks":
            modules |= {alias.asname or alias.name: alias.name for alias in node.names}
        if isinstance(node, DEFINES):
            written.add(node.name)
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(alias), attr=check), args=[ast.Name(name), *more]):
                if alias in modules and name in written and name not in found:
                    found[name] = Exercise(name, modules[alias], check, tuple(map(ast.unparse, more)))
    return [exercise for exercise in found.values() if exercise.find_check()]


def binds(statement: ast.stmt) -> set[str]:
    """The names that an import, a definition or an assignment binds."""
    if isinstance(statement, DEFINES):
        return {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        nodes = [node for target in targets for node in ast.walk(target)]
        return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return set()


def needs(source: str) -> set[str]:
    """The global names that these lines read, now or when their functions are called."""

    def tables(table) -> Iterator:
        yield table
        for child in table.get_children():
            yield from tables(child)

    return {
        symbol.get_name()
        for table in tables(symtable.symtable(source, "lines", "exec"))
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (symbol.is_global() or table.get_type() == "module")
    }


def find_answer(exercise: Exercise, mine: Sequence[ast.stmt], course: Sequence[ast.stmt]) -> int | None:
    """The place in a student's statements of the last definition that the course has not, else of the stub.

    A function of another name counts where a cell hands it to the exercise's check. None where there is no definition.
    """
    handed = [one.name for one in exercises(mine) if (one.module, one.check) == (exercise.module, exercise.check)]
    given = {ast.dump(one) for one in course}  # without lines and comments
    for name in (exercise.name, *handed):
        if found := definitions(name, mine):
            return ([place for place in found if ast.dump(mine[place]) not in given] or found)[-1]
    return None


def definitions(name: str, notebook: Sequence[ast.stmt]) -> list[int]:
    """The places at which a function or class of this name is defined."""
    return [place for place, one in enumerate(notebook) if isinstance(one, DEFINES) and one.name == name]


def around(notebook: Sequence[ast.stmt], place: int) -> list[ast.stmt]:
    """Statements in the order in which one looks for a name that is used at `place`: upwards, then what comes later."""
    return [*reversed(notebook[: place + 1]), *notebook[place + 1 :]]


def fill(space: dict, names: set[str], *sources: Sequence[ast.stmt]) -> None:
    """Give `space` these names and all that they need, each by the first statement in the `sources` that binds it.

    What is in `space` already stays as it is.
    """
    for name in sorted(names - set(space) - set(dir(builtins))):
        if statement := next((one for source in sources for one in source if name in binds(one)), None):
            execute(space, statement, *sources)


def execute(space: dict, statement: ast.stmt, *sources: Sequence[ast.stmt]) -> None:
    """Run one statement in `space`, after those that bind what it needs."""
    text = ast.unparse(statement)
    missing = needs(text) - binds(statement)
    for name in binds(statement):
        space.setdefault(name, None)  # two functions may need each other
    fill(space, missing, *sources)
    file = f"<lines {len(linecache.cache)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)  # so that a verdict can quote one
    exec(compile(text, file, "exec"), space)
