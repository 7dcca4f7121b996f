"""A table of numbers for the pictures of a folder: a CSV file that people make in any spreadsheet."""

import csv
import math
import os
from pathlib import Path

import torch
from torch import Tensor

from glowlite.errors import GlowliteError

UNKNOWN = ("", "nan", "na", "n/a", "-", "?")


def read_attributes(path: str | os.PathLike, names: list[str]) -> dict[str, Tensor]:
    """Read the columns of a CSV file, {column: float32 (N,)}, for N pictures by their paths within a folder.

    The first line is `file,smile,age` or the like; each other line holds a picture's path and its numbers. An empty
    cell and a picture without a line are NaN; lines about other files are passed over. GlowliteError names the first
    line that is wrong.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder, "table.csv")
    ...     _ = table.write_text("file,smile\\nme.png,1.5\\nfriends/you.png,-2\\n")
    ...     read_attributes(table, ["friends/you.png", "me.png", "them.png"])
    {'smile': tensor([-2.0000,  1.5000,     nan])}
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file)
            rows = [(lines.line_num, [cell.strip() for cell in row]) for row in lines if any(map(str.strip, row))]
    except (OSError, UnicodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise GlowliteError(f"{path} cannot be read ({reason}): give a CSV file in UTF-8.") from None
    _, (first, *columns) = rows[0] if rows else (1, [""])
    if first != "file" or not columns or "" in columns or len(set(columns)) < len(columns):
        raise GlowliteError(
            f'{path}, line 1: the head is to be "file" and names of columns, each once, with commas between: '
            "file,smile,age"
        )
    values = torch.full((len(names), len(columns)), math.nan)
    places, lines_of = {name: i for i, name in enumerate(names)}, {}
    for line, (file, *cells) in rows[1:]:
        if len(cells) != len(columns):
            raise GlowliteError(f"{path}, line {line}: {len(columns)} values are to follow the file, not {len(cells)}.")
        name = file.replace("\\", "/").removeprefix("./")
        if name in lines_of:
            raise GlowliteError(f"{path}, line {line}: {file} has a line already ({lines_of[name]}): keep one.")
        lines_of[name] = line
        numbers = torch.tensor([_number(cell, f"{path}, line {line}") for cell in cells])
        if name in places:
            values[places[name]] = numbers
    if names and not lines_of.keys() & places.keys():
        raise GlowliteError(f"{path} names none of the {len(names):,} pictures: write paths as this one, {names[0]}")
    return dict(zip(columns, values.unbind(1), strict=True))


def _number(cell: str, where: str) -> float:
    if cell.lower() in UNKNOWN:
        return math.nan
    try:
        number = float(cell)
    except ValueError:
        number = math.inf
    if math.isinf(number):
        raise GlowliteError(f"{where}: {cell!r} is no number: write it as 1.5, or leave the cell empty.")
    return number
