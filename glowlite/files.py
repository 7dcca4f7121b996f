"""Files that are written whole or not at all."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from glowlite.errors import GlowliteError

UNFINISHED = ".glowlite-"  # how the names of files begin while they are written


def write_atomically(
    path: str | Path, content: bytes | Callable[[BinaryIO], object], before: Callable[[], object] | None = None
) -> None:
    """Write the whole file or nothing: first beside its place and flushed to disk, then moved there.

    content: bytes, or a function that writes to an open file. before: called once all is on disk, right before the
    move. Missing folders are made; where `path` is a link, the file that it leads to is written. What killed writers
    left in the folder is removed after ten minutes. GlowliteError where there is no room or no permission, or where the
    name is that of a folder or a device.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(f"{folder}/new/note.txt", b"whole")
    ...     Path(f"{folder}/new/note.txt").read_bytes()
    b'whole'
    """
    try:
        if Path(path).exists() and not Path(path).is_file():
            raise GlowliteError(f"{path} is a folder or a device, not a file: choose another name.")
        place = Path(path).resolve()
        place.parent.mkdir(parents=True, exist_ok=True)
        remove_unfinished(place.parent)
        handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=UNFINISHED)
        try:
            with os.fdopen(handle, "wb") as file:
                if callable(content):
                    content(file)
                else:
                    file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            if before:
                before()
            os.replace(temporary, place)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise GlowliteError(f"{path} cannot be written: {error.strerror or error}.") from error


def remove_unfinished(folder: Path, age: float = 600) -> None:
    """Remove what killed writers left in a folder, if it is older than `age` seconds; 0: all, as nobody else writes.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Path(folder, f"{UNFINISHED}1").touch()
    ...     remove_unfinished(Path(folder), age=0)
    ...     list(Path(folder).iterdir())
    []
    """
    for path in folder.glob(f"{UNFINISHED}*"):
        try:
            if not age or path.stat().st_mtime < time.time() - age:
                path.unlink()
        except OSError:
            pass  # of another person, or gone already
