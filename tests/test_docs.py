"""What the instructors' page says of addresses, controls, options and files holds."""

import re
from pathlib import Path

import pytest
import typer
import yaml

from glowlab import explorers
from glowlab.explorers import NAMES
from glowlab.explorers.address import Address
from glowlite import cli
from glowlite.data.faces import ATTRIBUTES

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def opened():
    return {name: getattr(explorers, f"open_{name}")() for name in NAMES}


def test_its_addresses_are_understood(opened):
    found = re.findall(rf"`({'|'.join(NAMES)})\?([^`]+)`", PAGE)
    assert len(found) >= 5
    for name, query in found:
        address = Address(query)
        opened[name].take(address)
        assert not address.sentence(), query
        controls = address.values.get("controls", "")
        assert set(filter(None, controls.split(","))) <= set(opened[name].parts)
        if "t" in address.values:
            assert float(opened[name].query()["t"]) == float(address.values["t"])


@pytest.mark.parametrize("name", NAMES)
def test_every_control_is_named(opened, name):
    line = re.search(rf"^- {name}: (.*)$", PAGE, re.MULTILINE).group(1)
    named = set(re.findall(r"`(\w+)`", line))
    if "each attribute" in line:
        named |= set(ATTRIBUTES)
    assert named == set(opened[name].parts)


EXPLORE = typer.main.get_command(cli.app).commands["explore"]


def test_its_options_exist():
    options = {name for option in EXPLORE.params for name in option.opts}
    named = set(re.findall(r"--[a-z-]+", " ".join(re.findall(r'ARGS="([^"]+)"', PAGE))))
    assert named and named <= options


def test_its_targets_and_links_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"\bmake ([a-z]+)", PAGE)):
        assert f"\n{target}:" in makefile, target
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", PAGE):
        assert (ROOT / "docs" / link).exists(), link
    for path in re.findall(r"\bdeploy/[\w.]+", PAGE):
        assert (ROOT / path).is_file(), path


# ---- deploy/ ---------------------------------------------------------------------------------------------------------


def container() -> list[str]:
    """The instructions of deploy/Containerfile, a line each."""
    text = (ROOT / "deploy" / "Containerfile").read_text()
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return re.sub(r"\\\n\s*", "", lines).splitlines()


def test_the_image_copies_what_there_is_and_is_let_see_it():
    seen = (ROOT / "deploy" / "Containerfile.dockerignore").read_text().split()
    for line in container():
        if line.startswith("COPY"):
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in seen, source


def test_the_image_installs_as_the_makefile_does_and_starts_a_server_that_exists():
    (install,) = [line for line in container() if "pip install" in line]
    assert "-c constraints.txt" in install and '-e ".[lab]"' in install
    (command,) = [line for line in container() if line.startswith("CMD")]
    variables = dict(re.findall(r"(\w+)=\"?([\w.]*)", " ".join(x for x in container() if x.startswith("ENV"))))
    started = re.search(r"glowlite explore (.*)\"\]", command).group(1).replace('\\"', "")
    arguments = [variables[word[1:]] if word.startswith("$") else word for word in started.split()]
    options = EXPLORE.make_context("explore", arguments).params
    assert options["host"] == "0.0.0.0" and not options["browser"] and options["port"] == 8866
    assert not any(line.startswith("USER root") for line in container()) and "USER glow" in container()


def test_the_pod_fits_the_image():
    deployment, service = yaml.safe_load_all((ROOT / "deploy" / "kubernetes.yaml").read_text())
    (pod,) = deployment["spec"]["template"]["spec"]["containers"]
    variables = {variable["name"] for variable in pod["env"]}
    known = set(re.findall(r"(\w+)=", " ".join(x for x in container() if x.startswith("ENV"))))
    assert variables <= known and "TOKEN" in variables
    (port,) = pod["ports"]
    assert f"EXPOSE {port['containerPort']}" in container()
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]
    assert service["spec"]["selector"] == deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == service["spec"]["selector"]
