"""The static edition:  python -m glowlab.site [--out site], or `make site`

Writes a folder of plain files: the explorers as recordings, the notebooks and the package as pages. Any web server can
give it to any number of visitors, under any address; `python -m http.server --directory site` is one. None is needed:
site/index.html opens from a disk.
"""

import argparse
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from glowlite.errors import GlowliteError

OURS = ".glowlite-site"  # a file in every folder that this has written, which it may therefore replace


@dataclass(frozen=True)
class File:
    """A file of the site: where it lies, and what makes its content. `page`: one opens it; else a page asks for it."""

    name: str
    make: Callable[[], str | bytes]
    page: bool = True


def files() -> Iterator[File]:
    """Every file of the site, the first page first."""
    from glowlab import pages
    from glowlab.films import film
    from glowlab.pages import course

    yield File("index.html", lambda: pages.landing(live=False))
    for explorer in course.EXPLORERS:
        yield File(f"explore/{explorer.name}.html", lambda name=explorer.name: pages.explorer_page(name))
        for path in film.files(explorer.name)[1:]:  # the first is in the page
            name = path.with_suffix(".js").name
            yield File(f"films/{name}", lambda path=path: film.as_script(path), page=False)
    for lesson in course.lessons():
        yield File(f"notebooks/{lesson.page}", lambda path=lesson.path: pages.notebook_page(path, live=False))
    for file in course.READ:
        name = f"source/{PurePosixPath(file).with_suffix('.html')}"
        yield File(name, lambda file=file: pages.source_page(file, live=False))
    yield File(
        OURS,
        lambda: "Written by python -m glowlab.site, which replaces this folder when it runs again.\n",
        False,
    )
    yield File(".nojekyll", lambda: "", False)  # or GitHub's pages would leave out what begins with a dot or a line


def build(out: Path, tell: Callable[[File, int], None] = lambda file, size: None) -> dict[str, int]:
    """Write the site to `out`: {name: bytes} of its pages. `tell(file, bytes)` after each file.

    It is written beside `out` and then takes its place, so that `out` is whole at any time. GlowliteError where `out`
    is something else than an earlier site or an empty folder.
    """
    out = out.absolute()
    check(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    made = out.with_name(f".{out.name}-{secrets.token_hex(4)}")
    made.mkdir()
    sizes = {}
    try:
        for file in files():
            content = file.make()
            data = content.encode() if isinstance(content, str) else content
            path = made / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            if file.page:
                sizes[file.name] = len(data)
            tell(file, len(data))
        replace(out, made)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return sizes


def check(out: Path) -> None:
    """GlowliteError, with what to do, where `out` is not for us to replace."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise GlowliteError(f"{out} is there and is no folder; name another with --out.")
    if out.is_dir() and any(out.iterdir()) and not (out / OURS).is_file():
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


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns 0, or 1 where something is missing."""
    parser = argparse.ArgumentParser(prog="python -m glowlab.site", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("site"), help="the folder (default: %(default)s)")
    options = parser.parse_args(arguments)
    total = 0

    def tell(file: File, size: int) -> None:
        nonlocal total
        total += size
        if size:
            print(f"  {size / 1000:8.1f} kB  {file.name}", flush=True)

    try:
        sizes = build(options.out, tell)
    except (GlowliteError, OSError) as error:
        print(f"{error}", file=sys.stderr)
        return 1
    heaviest = max(sizes, key=sizes.get)
    print(
        f"{len(sizes)} pages, {total / 1e6:.1f} MB in {options.out}; the heaviest is {heaviest} with "
        f"{sizes[heaviest] / 1000:.0f} kB.\n"
        f"To look at it, open {options.out / 'index.html'}, or: python -m http.server --directory {options.out}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
