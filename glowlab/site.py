"""The static edition: `glowlite site`.

A folder of plain files: the explorers with their models, the notebooks and the package as pages. Any web server can
give it to any number of visitors, under any address; site/index.html also opens from a disk, without a server.
"""

import functools
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from glowlite.errors import GlowliteError

MARK = ".glowlite-site"  # a file in every folder that this has written, which it may therefore replace


@dataclass(frozen=True)
class File:
    """A file of the site: its path and the function that makes its content. `page`: a person opens it."""

    name: str
    make: Callable[[], str | bytes]
    page: bool = True


def list_files(folder: Path) -> Iterator[File]:
    """Every file of the site in this folder, the first page first."""
    from glowlab import pages
    from glowlab.explorers.models import MODELS
    from glowlab.figures import curves
    from glowlab.pages import api, course
    from glowlab.web import bundle, export

    yield File("index.html", lambda: pages.render_landing(live=False))
    for explorer in course.EXPLORERS:
        yield File(f"explore/{explorer.name}.html", lambda name=explorer.name: pages.render_explorer(name))
    yield File("explorers.js", bundle.script, page=False)
    files = functools.cache(export.files)
    for model in MODELS:
        for kind in export.KINDS:
            name = f"{model}{kind}"
            yield File(f"models/{name}", lambda model=model, name=name: files(model)[name], page=False)
    for lesson in course.list_lessons():
        yield File(f"notebooks/{lesson.page}", lambda path=lesson.path: pages.render_notebook(path, live=False))
    yield File(f"scripts/{curves.LIBRARY.name}", curves.LIBRARY.read_bytes, page=False)
    for name in filter(course.find_doc, course.DOCS):
        yield File(f"docs/{name}.html", lambda name=name: pages.render_doc(name, live=False))
    for file in course.READING_ORDER:
        name = f"source/{PurePosixPath(file).with_suffix('.html')}"
        yield File(name, lambda file=file: pages.render_source(file, live=False))
    for name, make in api.list_pages().items():
        yield File(name, make)
    yield File(MARK, lambda: "Written by glowlite site, which replaces this folder when it runs again.\n", page=False)
    # Without this file GitHub's pages would leave out names that begin with a dot or an underscore.
    yield File(".nojekyll", lambda: "", page=False)
    yield File("sw.js", lambda: pages.render_worker(folder), page=False)  # the last, as it tells what the others hold


def build(out: Path, progress: Callable[[File, int], None] = lambda file, size: None) -> dict[str, int]:
    """Write the site to `out`: {name: bytes} of its pages. `progress(file, bytes)` after each file.

    It is written beside `out` and then takes its place, so that `out` is whole at any time. GlowliteError where `out`
    is something else than an earlier site or an empty folder.
    """
    out = out.absolute()
    check_folder(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    made = out.with_name(f".{out.name}-{secrets.token_hex(4)}")
    made.mkdir()
    sizes = {}
    try:
        for file in list_files(made):
            content = file.make()
            data = content.encode() if isinstance(content, str) else content
            path = made / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            if file.page:
                sizes[file.name] = len(data)
            progress(file, len(data))
        replace(out, made)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return sizes


def check_folder(out: Path) -> None:
    """Raise a GlowliteError where `out` is neither an earlier site nor an empty folder."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise GlowliteError(f"{out} is there and is no folder; name another with --out.")
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        raise GlowliteError(f"{out} holds files that are not of an earlier site; name another folder with --out.")


def replace(out: Path, made: Path) -> None:
    """Put the folder `made` in the place of `out`; what was there is removed last."""
    old = made.with_name(made.name + "-old")
    if out.exists():
        out.rename(old)
    try:
        made.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)
