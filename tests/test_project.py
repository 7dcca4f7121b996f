"""The project's own files agree with each other: versions, dependencies, commands, what a wheel holds."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import typer
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import glowlite
from glowlite import cli

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}


def requirements(*groups) -> dict[str, Requirement]:
    found = [Requirement(line) for group in groups for line in group]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def pins() -> dict[str, Requirement]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return requirements([line for line in lines if line and not line.startswith("#")])


def conda() -> dict[str, SpecifierSet]:
    """What environment.yml names, those that pip brings there included."""
    found = {}
    for entry in yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]:
        for line in entry["pip"] if isinstance(entry, dict) else [entry]:
            name, rest = re.fullmatch(r"([A-Za-z0-9_.-]+?)\s*([=<>!].*)?", line).groups()
            single = re.fullmatch(r"=([0-9.]+)", rest or "")  # conda's python=3.11 is any 3.11
            found[name] = SpecifierSet(f"=={single[1]}.*" if single else rest or "")
    return found


def targets() -> dict[str, str]:
    """The commands that `make help` lists, each with its line."""
    run = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(re.findall(r"^  ([a-z-]+) +(.+)$", run.stdout, re.M))


needs_make = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")


def test_one_version_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"] == glowlite.__version__
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_dependency_is_pinned_within_its_range():
    found = pins()
    for name, requirement in requirements(PROJECT["dependencies"], *EXTRAS.values()).items():
        assert name in found, f"{name} has no pin"
        (pin,) = found[name].specifier
        assert pin.operator == "==" and requirement.specifier.contains(pin.version), f"{name}: {pin}"


def test_pins_are_versions_and_nothing_of_the_machine_that_made_them():
    for name, requirement in pins().items():
        (pin,) = requirement.specifier
        assert pin.operator == "==" and Version(pin.version).local is None and not requirement.url, name


def test_every_pin_serves_every_python():
    """A package that needs 3.11.5, say, would shut out who has 3.11.2, as Debian 12 has."""
    pythons = SpecifierSet(PROJECT["requires-python"])
    for name, requirement in pins().items():
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # of the peers, say
            continue
        if requirement.specifier.contains(distribution.version):
            served = SpecifierSet(distribution.metadata.get("Requires-Python") or "")
            for python in filter(pythons.contains, ("3.11.0", "3.12.0", "3.13.0")):
                assert served.contains(python), f"{name} {distribution.version} needs Python {served}"


IMPORT_NAMES = {"PIL": "pillow", "cv2": "opencv-python-headless", "bs4": "beautifulsoup4", "yaml": "pyyaml"}
BROUGHT_BY = {
    "beautifulsoup4": "nbconvert",
    "ipython": "ipykernel",
    "jupyter-client": "voila",
    "jupyter-core": "voila",
    "jupyter-server": "voila",
    "markupsafe": "nbconvert",
    "pygments": "nbconvert",
    "requests": "pooch",
    "tornado": "jupyterlab",
    "traitlets": "ipywidgets",
}


def extras_of(path: str) -> tuple[str, ...]:
    """The extras whose packages a file may import."""
    if path in ("glowlab/notebooks.py", "glowlab/pages/api.py"):
        return ("lab", "dev")
    if path == "glowlite/data/eyes.py":
        return ("align",)
    return {"glowlite": (), "glowlab": ("lab",)}.get(path.partition("/")[0], tuple(EXTRAS))


@pytest.mark.parametrize("folder", ["glowlite", "glowlab", "tests", "benchmarks"])
def test_every_import_is_a_dependency(folder):
    paths = list((ROOT / folder).rglob("*.py"))
    assert paths
    for path in paths:
        extras = extras_of(path.relative_to(ROOT).as_posix())
        declared = requirements(PROJECT["dependencies"], *(EXTRAS[extra] for extra in extras))
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module]
            for top in {module.partition(".")[0] for module in modules}:
                if top in sys.stdlib_module_names or (ROOT / top).is_dir():
                    continue
                name = canonicalize_name(IMPORT_NAMES.get(top, top))
                if name in BROUGHT_BY:
                    brought = [Requirement(line) for line in metadata.requires(BROUGHT_BY[name])]
                    assert name in {canonicalize_name(r.name) for r in brought if not r.marker or r.marker.evaluate()}
                    name = BROUGHT_BY[name]
                assert name in declared, f"{path} imports {top}"


def test_every_dependency_has_a_range():
    for name, requirement in requirements(PROJECT["dependencies"], *EXTRAS.values()).items():
        assert any(spec.operator == ">=" for spec in requirement.specifier), name


def test_the_conda_environment_is_the_projects():
    found = conda()
    wanted = requirements(PROJECT["dependencies"], EXTRAS["lab"])
    names = {name: CONDA_NAMES.get(name, name) for name in wanted}
    assert set(found) == set(names.values()) | {"python", "pip"}
    for name, requirement in wanted.items():
        assert found[names[name]] == requirement.specifier, name
    (python,) = found["python"]
    assert SpecifierSet(PROJECT["requires-python"]).contains(python.version.removesuffix(".*"))


def test_binder_takes_the_same_environment():
    assert (ROOT / ".binder" / "environment.yml").read_text() == (ROOT / "environment.yml").read_text()


def test_binder_opens_copies_without_outputs():
    build = (ROOT / ".binder" / "postBuild").read_text()
    (folder,) = re.findall(r"^python -m glowlite student (\w+)$", build, re.M)
    assert f"urlpath=lab/tree/{folder}`" in (ROOT / "docs" / "teaching.md").read_text()


def test_the_notebooks_extra_takes_what_colab_has():
    """As googlecolab/backend-info lists it for runtime 2026.01, so that no package of a running kernel is replaced."""
    has = {"anywidget": "0.9.21", "filelock": "3.20.3", "ipywidgets": "7.7.1", "matplotlib": "3.10.0", "numpy": "2.0.2"}
    has |= {"pillow": "11.3.0", "pooch": "1.8.2", "safetensors": "0.7.0", "torch": "2.9.0", "tqdm": "4.67.1"}
    has |= {"typer": "0.21.1", "plotly": "5.24.1"}
    wanted = requirements(PROJECT["dependencies"], EXTRAS["notebooks"])
    assert set(wanted) - set(has) == {"lightning-fabric"}, "the only one that it has not"
    assert [name for name in has if not wanted[name].specifier.contains(has[name])] == []


def test_the_hooks_run_the_pinned_tools():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    found = pins()
    for repo in hooks["repos"]:
        for hook in repo["hooks"]:
            for line in hook["additional_dependencies"]:
                requirement = Requirement(line)
                assert requirement.specifier == found[canonicalize_name(requirement.name)].specifier


@needs_make
def test_make_help_lists_every_command_and_each_exists():
    listed = targets()
    phony = set(re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), re.M))
    assert set(listed) == phony
    for name in listed:
        subprocess.run(["make", "-n", name], cwd=ROOT, capture_output=True, check=True)


@needs_make
@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_commands_that_pages_name_exist(page):
    named = set(re.findall(r"(?:^|`)make ([a-z]+(?:-[a-z]+)*)", (ROOT / page).read_text(), re.M))
    assert named and named <= set(targets())


@needs_make
def test_what_make_runs_can_be_run():
    """Every `python -m MODULE` of the Makefile is ours or a pinned package's, and every `glowlite` command exists."""
    makefile, pinned = (ROOT / "Makefile").read_text(), set(pins())
    brought = metadata.packages_distributions().items()  # import name -> packages
    installed = {module for module, packages in brought if pinned & set(map(canonicalize_name, packages))} | {"pip"}
    for module in set(re.findall(r"-m ([a-z_.]+)", makefile)) - {"venv"}:
        path = ROOT / module.replace(".", "/")
        ours = path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()
        assert ours or module.partition(".")[0] in installed, module
    commands = set(re.findall(r"-m glowlite ([a-z]+)", makefile))
    assert commands and commands <= set(typer.main.get_command(cli.app).commands)


def test_ci_runs_what_a_person_runs():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o100, "it is executable"
    assert script.read_text().rstrip().endswith("\nmake test")
    subprocess.run(["bash", "-n", script], check=True)


def test_the_readme_leads_to_every_notebook():
    text = (ROOT / "README.md").read_text()
    notebooks = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert notebooks and [name for name in notebooks if f"(notebooks/{name})" not in text] == []
