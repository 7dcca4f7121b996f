"""The workflow on GitHub: its commands exist, its Pythons are the project's, and it may only read."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())
JOBS = WORKFLOW["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]
SCRIPTS = [step["run"] for step in STEPS if "run" in step]


def test_its_pythons_are_those_of_the_classifiers():
    versions = re.findall(r"Python :: (3\.\d+)", " ".join(PROJECT["classifiers"]))
    assert JOBS["test"]["strategy"]["matrix"]["python"] == versions
    given = {step["with"]["python-version"] for step in STEPS if "setup-python" in step.get("uses", "")}
    assert given <= {*versions, "${{ matrix.python }}"}


def test_it_runs_on_the_three_systems():
    systems = JOBS["test"]["strategy"]["matrix"]["os"]
    assert [system.partition("-")[0] for system in systems] == ["ubuntu", "macos", "windows"]


def test_its_commands_exist():
    targets = set(re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), re.M))
    named = [target for script in SCRIPTS for target in re.findall(r"^make ([a-z-]+)", script, re.M)]
    assert {"lint", "env", "test"} <= set(named) <= targets
    assert named.count("lint") == 1


@pytest.mark.parametrize("script", SCRIPTS)
def test_its_scripts_are_bash(script):
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_it_may_only_read_and_ends():
    assert WORKFLOW["permissions"] == {"contents": "read"} and WORKFLOW["concurrency"]["cancel-in-progress"]
    assert all(0 < job["timeout-minutes"] <= 120 and "permissions" not in job for job in JOBS.values())


def test_the_cache_depends_on_files_that_exist():
    files = [step["with"]["cache-dependency-path"].split() for step in STEPS if "setup-python" in step.get("uses", "")]
    assert files and all((ROOT / name).is_file() for names in files for name in names)
