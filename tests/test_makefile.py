"""Every target of the Makefile: run here where that takes seconds, else the commands of its recipe are checked."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from glowlite import cli
from tests.test_project import ROOT, needs_make, targets

pytestmark = needs_make
READY = [f"--assume-old=.venv/.ready-{name}" for name in ("lab", "dev", "peers", "wasm")]
ENVIRONMENT = [f"PY={Path(sys.executable).as_posix()}", *READY]
# Run whole, with these options.
RUN = {
    "help": [],
    "faces": ["--count 1 --size 16 --out {folder}/a.png"],
    "train": [
        "--preset tiny --images 16 --batch 8 --init-batch 16 --validation-count 8 --accelerator cpu --out {folder}/a"
    ],
    "faults": ["--list"],
}
# Run whole on a folder of their own, as they change or remove files.
ELSEWHERE = ("format", "lint", "clean", "clean-env")
# Their recipes are checked: they build the environment, serve pages, or take minutes.
RECIPE = (
    *("env", "explore", "present", "lab", "test", "test-unit", "test-notebooks", "test-browser"),
    *("bench", "notebooks", "precompute", "site", "student", "wasm"),
)


def make(*arguments, folder=ROOT, check=True) -> str:
    command = ["make", "-f", ROOT / "Makefile", "-C", folder, *ENVIRONMENT, *arguments]
    outside = {name: value for name, value in os.environ.items() if name not in ("ARGS", "MAKEFLAGS", "MAKELEVEL")}
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=outside)
    assert not check or run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


def test_every_target_is_in_one_of_the_lists():
    assert sorted([*RUN, *ELSEWHERE, *RECIPE]) == sorted(targets())


@pytest.mark.parametrize("target", RUN)
def test_what_takes_seconds_does_what_it_says(target, tmp_path):
    options = [f"ARGS={each.format(folder=tmp_path.as_posix())}" for each in RUN[target]]
    said = make(target, *options)
    if target == "faces":
        assert (tmp_path / "a.png").stat().st_size > 100
    elif target == "train":
        assert (tmp_path / "a" / "model.safetensors").is_file()
    else:
        assert len(said.splitlines()) > 10


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_what_changes_files_does_what_it_says(tmp_path):
    for name in ("build", ".venv/bin", "notes/__pycache__"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n")
    (tmp_path / "constraints.txt").touch()
    code = tmp_path / "code.py"
    code.write_text("import os\nx = {  'a':1 }\n")
    assert "F401" in make("lint", folder=tmp_path, check=False)
    make("format", folder=tmp_path)
    assert code.read_text() == 'x = {"a": 1}\n'
    make("lint", folder=tmp_path)
    make("clean", folder=tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_dir()) == [".venv", "bin", "notes"]
    make("clean-env", folder=tmp_path)
    assert not (tmp_path / ".venv").exists()


def commands(target) -> list[list[str]]:
    """The commands that a target runs, as `python -m` gets them; options of the person are there too."""
    wanted = ["PORT=8867", "HOST=0.0.0.0", "VISITORS=3"] if target in ("explore", "present") else []
    said = make("--dry-run", target, *wanted).replace("\\\n", " ")
    lines = [line for part in said.splitlines() for line in part.split("; ")]
    python = re.escape(Path(sys.executable).as_posix())
    return [shlex.split(found[1]) for line in lines if (found := re.search(rf"{python} -m (.+)$", line))]


@pytest.mark.parametrize("target", RECIPE)
def test_the_commands_of_a_recipe_exist_with_their_options(target, pytestconfig):
    found = commands(target)
    assert found or target == "env"
    known = {name for option in pytestconfig._parser._anonymous.options for name in option.names()}
    known |= {name for group in pytestconfig._parser._groups for option in group.options for name in option.names()}
    for module, *options in found:
        if module == "glowlite":
            name, *rest = options
            command = typer.main.get_command(cli.app).commands[name]
            command.make_context(name, rest)  # refuses what the command does not know
        elif module == "pytest":
            given = {option.partition("=")[0] for option in options if option.startswith("-")}
            assert given <= known, given - known
            places = [option for option in options if not option.startswith("-") and "/" in option or option == "tests"]
            assert places and all(any(ROOT.glob(place)) for place in places)
        else:
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file() or module == "jupyterlab"


def test_the_command_line_runs_by_either_of_its_modules(tmp_path):
    for module in ("glowlite", "glowlite.cli"):
        out = tmp_path / f"{module}.png"
        subprocess.run(
            [sys.executable, "-m", module, "faces", "--count", "1", "--size", "16", "--out", out], check=True
        )
        assert out.stat().st_size > 100
