"""The workflows on GitHub: their commands exist, their Pythons are the project's, and their rights are few."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / ".github/workflows").glob("*.yml")}
TEST, PAGES = (WORKFLOWS[name]["jobs"] for name in ("test", "pages"))
JOBS = [job for workflow in WORKFLOWS.values() for job in workflow["jobs"].values()]
STEPS = [step for job in JOBS for step in job["steps"]]
SCRIPTS = [step["run"] for step in STEPS if "run" in step]
VERSIONS = re.findall(r"Python :: (3\.\d+)", " ".join(PROJECT["classifiers"]))


def test_its_pythons_are_those_of_the_classifiers():
    assert TEST["test"]["strategy"]["matrix"]["python"] == VERSIONS
    given = {step["with"]["python-version"] for step in STEPS if "setup-python" in step.get("uses", "")}
    assert given <= {*VERSIONS, "${{ matrix.python }}"}


def test_it_runs_on_the_three_systems():
    systems = TEST["test"]["strategy"]["matrix"]["os"]
    assert [system.partition("-")[0] for system in systems] == ["ubuntu", "macos", "windows"]


def test_their_commands_exist():
    targets = set(re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), re.M))
    named = [target for script in SCRIPTS for target in re.findall(r"^make ([a-z-]+)", script, re.M)]
    assert {"lint", "env", "test", "site"} <= set(named) <= targets
    assert named.count("lint") == 1


@pytest.mark.parametrize("script", SCRIPTS)
def test_their_scripts_are_bash(script):
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_they_may_only_read_and_end():
    for workflow in WORKFLOWS.values():
        assert workflow["permissions"] == {"contents": "read"} and workflow["concurrency"]["cancel-in-progress"]
    assert all(0 < job["timeout-minutes"] <= 120 for job in JOBS)
    more = [job for job in JOBS if "permissions" in job]
    assert more == [PAGES["publish"]]


def test_the_site_is_built_without_rights_and_published_without_code():
    build, publish = PAGES["build"], PAGES["publish"]
    uses = [step.get("uses", "").partition("@")[0] for step in build["steps"]]
    (made,) = [step["run"] for step in build["steps"] if "run" in step]
    upload = build["steps"][-1]
    assert uses[-1] == "actions/upload-pages-artifact" and f"--out {upload['with']['path']}" in made
    assert upload["with"]["include-hidden-files"]  # .nojekyll
    assert publish["needs"] == "build" and publish["permissions"] == {"pages": "write", "id-token": "write"}
    (step,) = publish["steps"]
    assert step["uses"].startswith("actions/deploy-pages@") and "run" not in step
    assert publish["environment"]["name"] == "github-pages" and step["id"] in publish["environment"]["url"]


def test_the_cache_depends_on_files_that_exist():
    files = [step["with"]["cache-dependency-path"].split() for step in STEPS if "setup-python" in step.get("uses", "")]
    assert files and all((ROOT / name).is_file() for names in files for name in names)
