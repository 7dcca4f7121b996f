"""Reads the records in assets/runs, which commands of `benchmarks` write and notebooks show."""

import json
from pathlib import Path

from glowlite.errors import GlowliteError


def read_record(path: str | Path, kind: str, module: str) -> dict:
    """The record that `python -m MODULE` writes. GlowliteError if it is not there, or of another kind."""
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        record = None
    if not isinstance(record, dict) or record.get("kind") != kind:
        raise GlowliteError(
            f"{path} is no record of {module}: get it with the repository, or record it by `python -m {module}`"
        )
    return record
