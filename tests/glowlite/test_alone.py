"""glowlite alone: without glowlab, and without every package that only the extras bring."""

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# Runs before each script below, so that importing a blocked package fails as if it were not installed.
BLOCK = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""


def with_dependencies(names) -> set[str]:
    """The installed packages among `names`, and all that they need."""
    found, new = set(), {canonicalize_name(name) for name in names}
    while new:
        found |= new
        needed = set()
        for name in new:
            try:
                lines = metadata.requires(name) or []
            except metadata.PackageNotFoundError:  # of an extra that is not installed here
                continue
            for requirement in map(Requirement, lines):
                if not requirement.marker or requirement.marker.evaluate({"extra": ""}):
                    needed.add(canonicalize_name(requirement.name))
        new = needed - found
    return found


@pytest.fixture(scope="module")
def blocked() -> set[str]:
    """The import names of glowlab and of all packages but glowlite's dependencies."""
    core = with_dependencies(Requirement(line).name for line in PROJECT["dependencies"])
    extras = with_dependencies(
        Requirement(line).name for lines in PROJECT["optional-dependencies"].values() for line in lines
    )
    brings = {}  # import name -> the packages that bring it
    for name, packages in metadata.packages_distributions().items():
        brings[name] = {canonicalize_name(package) for package in packages}
    return {"glowlab"} | {name for name, packages in brings.items() if packages & extras and not packages & core}


def run(blocked: set[str], script: str, expect: int = 0) -> str:
    """What the script prints, in a process that cannot import what is blocked."""
    code = f"BLOCKED = {sorted(blocked)!r}\n{BLOCK}\n{script}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == expect, done.stderr
    return done.stdout + done.stderr


def test_what_is_blocked_is_what_the_extras_bring(blocked):
    assert {"anywidget", "ipywidgets", "matplotlib", "voila", "pytest", "IPython", "tornado"} <= blocked
    assert not blocked & {"torch", "numpy", "PIL", "safetensors", "typer", "tqdm", "pooch", "lightning_fabric"}
    run(blocked, "import glowlab", expect=1)


def test_every_module_can_be_imported(blocked):
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "glowlite").rglob("*.py")]
    names = sorted(name.removesuffix(".__init__") for name in modules if not name.endswith("__main__"))
    assert len(names) > 20
    run(blocked, f"import importlib\nfor name in {names!r}: importlib.import_module(name)")


def test_the_model_that_ships_encodes_decodes_and_samples(blocked):
    script = """
import glowlite
from glowlite.data import faces

model = glowlite.load("faces64")
images = faces.draw(2, seed=1).images
assert (model.decode(model.encode(images)) == images).all()
print(tuple(glowlite.fuse(model).sample(2).shape))
"""
    assert "(2, 3, 64, 64)" in run(blocked, script)


def test_help_lists_the_commands_of_the_model_alone(blocked):
    told = run(blocked, "from glowlite import cli\ncli.main(['--help'])")
    commands = set(re.findall(r"^  ([a-z]+) ", told.partition("Commands:")[2], re.M))
    assert {"train", "sample", "directions"} <= commands and not {"explore", "site"} & commands


@pytest.mark.parametrize(
    ("command", "extras"), [("explore", "lab"), ("site", "lab"), ("notebooks", "lab,dev"), ("posters", "lab")]
)
def test_a_command_of_the_lab_says_what_to_install(blocked, command, extras):
    told = run(blocked - {"glowlab"}, f"from glowlite import cli\ncli.main([{command!r}])", expect=2)
    assert re.fullmatch(rf"glowlite: This command needs \w+: pip install 'glowlite\[{extras}\]'\n", told)
