"""Plant faults one by one and see that a test notices each: `python -m tests.faults`, or `make faults`.

A test is worth what it catches. Each fault of fault_list_model.py and fault_list_lab.py is planted in a copy of the
package, and the nearest tests run there; they must pass where nothing was planted. Exit status 1 if any is missed.
"""

import argparse
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests import fault_list_lab, fault_list_model
from tests.fault_list_model import Fault

ROOT = Path(__file__).resolve().parent.parent
FAULTS = [*fault_list_model.FAULTS, *fault_list_lab.FAULTS]
os.environ["OMP_NUM_THREADS"] = "1"  # as many tests at once as there are jobs
PROCESSES = multiprocessing.get_context("forkserver" if hasattr(os, "fork") else "spawn")
LOADED = ["torch._dynamo", "pytest", "safetensors.torch", "lightning_fabric"]  # before processes are forked
LIMIT = 900  # seconds for the tests of one fault, which take a few: a fault may also make them run for ever
SLIPS = ("NameError", "ImportError", "ModuleNotFoundError", "SyntaxError", "IndentationError")


class BadFault(Exception):
    """A fault that says nothing about the tests, since it is not what it claims to be."""


def harmed(fault: Fault, root: Path = ROOT) -> str:
    """The text of fault.file with the fault in it. BadFault unless each text to replace is there once."""
    text = (root / fault.file).read_text()
    for old, new in fault.swaps:
        if (found := text.count(old)) != 1:
            raise BadFault(f"{fault.file} has {found} places that read {old!r}, and must have 1")
        text = text.replace(old, new)
    if fault.file.endswith(".py"):
        compile(text, fault.file, "exec")
    return text


@contextmanager
def copy_of_the_package():
    """A folder with the packages, tests/, dashboards, assets/ and pyproject.toml, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        for part in ("glowlite", "glowlab", "benchmarks", "tests", "notebooks/dashboards"):
            shutil.copytree(ROOT / part, Path(folder, part), ignore=shutil.ignore_patterns("__pycache__"))
        Path(folder, "assets").symlink_to(ROOT / "assets", target_is_directory=True)
        shutil.copy(ROOT / "pyproject.toml", folder)
        yield Path(folder)


def run_tests(root: Path, tests) -> tuple[int, str]:
    """(pytest's exit status, its output) for these tests, in a process that knows only the copy in `root`."""
    log = root / "output.txt"
    PROCESSES.set_forkserver_preload(LOADED)
    process = PROCESSES.Process(target=pytest_in, args=(str(root), list(tests), str(log)))
    process.start()
    process.join(LIMIT)
    if process.is_alive():
        process.kill()
        process.join()
        return 1, f"FAILED {tests[0]} - took more than {LIMIT} s"
    return process.exitcode, log.read_text(errors="replace")


def pytest_in(root: str, tests: list[str], log: str) -> None:
    """What that process does. It is forked from one that has loaded PyTorch, which takes most of the time."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(output, stream)
    ours = ("glowlite", "glowlab", "benchmarks", "tests")
    for name in [name for name in sys.modules if name.partition(".")[0] in ours]:
        del sys.modules[name]
    os.chdir(root)
    sys.path.insert(0, root)
    sys.dont_write_bytecode = True
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ |= {
        "PYTHONPATH": os.pathsep.join(paths),
        "COLUMNS": "240",  # or pytest cuts its summary short
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # those installed beside it take seconds to load
    }

    import pytest

    sys.exit(int(pytest.main(["-x", "-q", "--tb=line", "-p", "no:cacheprovider", *tests])))


def who_noticed(status: int, output: str) -> str | None:
    """The first test that failed, and how; None if all passed. BadFault where no test could run."""
    if status == 0:
        return None
    found = re.search(r"^(?:FAILED|ERROR) \S*?(test_.*)$", output, re.MULTILINE)
    if status != 1 or not found or any(f" {slip}:" in found[1] for slip in SLIPS):
        raise BadFault("the tests could not run: " + " / ".join(output.strip().splitlines()[-3:]))
    return found[1]


def plant(fault: Fault) -> tuple[str, str, float]:
    """("caught" | "MISSED" | "BROKEN", by which test or why, seconds) of one fault."""
    start = time.monotonic()
    try:
        with copy_of_the_package() as folder:
            (folder / fault.file).write_text(harmed(fault, folder))
            noticed = who_noticed(*run_tests(folder, fault.tests))
        verdict = ("caught", noticed) if noticed else ("MISSED", f"all passed: {', '.join(fault.tests)}")
    except (BadFault, SyntaxError) as error:
        verdict = "BROKEN", str(error)
    return *verdict, time.monotonic() - start


def unharmed(faults: list[Fault]) -> str | None:
    """What fails of the faults' tests where nothing is planted; None if nothing does."""
    with copy_of_the_package() as folder:
        status, output = run_tests(folder, sorted({test for fault in faults for test in fault.tests}))
    return None if status == 0 else output


def read_arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", metavar="NAME", help="plant those whose name contains NAME")
    parser.add_argument("--list", action="store_true", help="name the faults and the tests that must notice, then stop")
    parser.add_argument("-j", "--jobs", type=int, default=min(os.cpu_count() or 1, 4), help="how many at once")
    return parser.parse_args(words)


def main(words: list[str] | None = None, faults: list[Fault] = FAULTS) -> int:
    options = read_arguments(words)
    if options.only:
        faults = [fault for fault in faults if any(part in fault.name for part in options.only)]
        if not faults:
            print(
                f"No fault has {' or '.join(options.only)} in its name; --list names them all.",
                file=sys.stderr,
            )
            return 2
    if options.list:
        for fault in faults:
            print(f"{fault.name}  ({fault.file}; {', '.join(fault.tests)})")
        return 0
    if output := unharmed(faults):
        print(
            output,
            "\nThese tests fail although nothing was planted, so they cannot tell a fault.",
            file=sys.stderr,
        )
        return 1
    print(f"Nothing planted: the tests pass. Planting {len(faults)} faults.", flush=True)
    width, counts = max(len(fault.name) for fault in faults), {"caught": 0, "MISSED": 0, "BROKEN": 0}
    with ThreadPoolExecutor(max(options.jobs, 1)) as pool:
        for fault, (verdict, why, seconds) in zip(faults, pool.map(plant, faults), strict=True):
            counts[verdict] += 1
            print(f"{verdict}  {fault.name:{width}}  {seconds:4.0f} s  {why}", flush=True)
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return 0 if counts["caught"] == len(faults) else 1


if __name__ == "__main__":
    sys.exit(main())
