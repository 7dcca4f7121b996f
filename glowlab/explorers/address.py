"""Read a page's address: numbers, choices and faces by name, and a sentence on values that cannot be used."""

import math
from collections.abc import Callable, Iterable
from typing import TypeVar
from urllib.parse import parse_qsl

Found = TypeVar("Found")
OWN = "own"  # stands for a person's own picture, which an address cannot hold
LONGEST = 24  # letters of a value that the sentence repeats


class Address:
    """The query of an address. A value that is missing, or cannot be used, becomes the default."""

    def __init__(self, query: str):
        self.values = dict(parse_qsl(query.lstrip("?")))
        self.left_out: list[str] = []
        self.lost = False  # whether it asked for a person's own picture

    def number(self, name: str, low: float, high: float, default: float) -> float:
        """A number from low to high."""

        def read(text: str) -> float | None:
            value = float(text)
            return value if math.isfinite(value) and low <= value <= high else None

        return self.read(name, read, default)

    def whole(self, name: str, low: int, high: int, default: int) -> int:
        """A whole number from low to high."""
        return self.read(name, lambda text: value if low <= (value := int(text)) <= high else None, default)

    def number_list(self, name: str, count: int, low: float, high: float) -> list[float] | None:
        """`count` numbers from low to high with "_" between them; None where there are none."""

        def read(text: str) -> list[float] | None:
            values = [float(part) for part in text.split("_")]
            return values if len(values) == count and all(low <= v <= high for v in values) else None

        return self.read(name, read, None)

    def one_of(self, name: str, options: Iterable[str], default: str) -> str:
        """One of a few words."""
        options = list(options)
        return self.read(name, lambda text: text if text in options else None, default)

    def face(self, name: str, find: Callable[[str], Found | None], default: Found) -> Found:
        """A face, by its key."""
        if self.values.get(name) != OWN:
            return self.read(name, find, default)
        self.lost = True
        return default

    def read(self, name: str, find: Callable[[str], Found | None], default: Found) -> Found:
        """`find(value)`; the default where there is no value, or where `find` gives None or fails."""
        text = self.values.get(name)
        if text is None:
            return default
        try:
            found = find(text)
        except ValueError:
            found = None
        if found is None:
            self.leave_out(name, text)
            return default
        return found

    def leave_out(self, name: str, text: str) -> None:
        """Remember a value that cannot be used."""
        self.left_out.append(f"{name}={text[:LONGEST]}{'…' if len(text) > LONGEST else ''}")

    def sentence(self) -> str:
        """One or two sentences on the values that were left out; empty where there are none."""
        words = []
        if self.lost:
            words.append("An address cannot hold a picture of your own; please choose its file again.")
        if self.left_out:
            asked = " and ".join(self.left_out)
            words.append(f"This page cannot do what its address asks for with {asked}; that was left out.")
        return " ".join(words)
