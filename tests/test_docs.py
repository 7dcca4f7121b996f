"""What the pages of docs/ and README say of addresses, controls, options, files and models holds."""

import json
import re
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import torch
import typer
import yaml
from traitlets import HasTraits

from benchmarks import many
from glowlab.explorers import NAMES
from glowlab.explorers.models import MODELS
from glowlab.web import tables
from glowlite import checkpoint, cli
from glowlite.glow import PRESETS, Glow

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")


def read_setting(row: dict, text: str):
    """The value of a setting, from an address."""
    match row["kind"]:
        case "slider":
            return float(text)
        case "sliders":
            return [float(part) for part in text.split("_")]
        case "whole":
            return int(text)
    return text


def test_its_addresses_are_understood():
    found = re.findall(rf"`({'|'.join(NAMES)})\?([^`]+)`", PAGE)
    assert len(found) >= 5
    for name, query in found:
        settings = dict(parse_qsl(query))
        assert settings.pop("model", "faces64") in MODELS and settings.pop("size", "lecture") == "lecture"
        controls = settings.pop("controls", "")
        assert set(filter(None, controls.split(","))) <= {*tables.list_controls(name), "model"}
        rows = {row["name"]: row for row in tables.list_rows(name)}
        for setting, text in settings.items():
            made = HasTraits()
            made.add_traits(**{setting: tables.make_trait(rows[setting])})
            setattr(made, setting, read_setting(rows[setting], text))  # TraitError where it is out of range


@pytest.mark.parametrize("name", [*NAMES, "each attribute"])
def test_every_control_is_named(name):
    line = re.search(rf"^- {name}: (.*)$", PAGE, re.MULTILINE).group(1)
    named = set(re.findall(r"`(\w+)`", line))
    if name == "each attribute":
        assert named == set(tables.WORDINGS)
    elif "each attribute" in line:
        assert named | set(tables.WORDINGS) == set(tables.list_controls(name))
    else:
        assert named == set(tables.list_controls(name))


COMMANDS = typer.main.get_command(cli.app).commands


def test_its_options_exist():
    for command, make in {"explore": "(?!student)", "student": "student"}.items():
        options = {name for option in COMMANDS[command].params for name in option.opts}
        named = set(re.findall(r"--[a-z-]+", " ".join(re.findall(rf'make {make}.*ARGS="([^"]+)"', PAGE))))
        assert named and named <= options


def test_its_targets_and_links_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"\bmake ([a-z]+)", PAGE)):
        assert f"\n{target}:" in makefile, target
    for path in re.findall(r"\bdeploy/[\w.]+", PAGE):
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("page", ["README.md", "docs/teaching.md", "docs/training.md", "docs/model-cards.md"])
def test_links_pictures_and_benchmarks_exist_and_pictures_are_described_and_small(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (ROOT / page).parent.joinpath(link).exists(), link
    for described, picture in re.findall(r"!\[([^]]*)\]\(([^)]+)\)", text):
        assert len(described) > 20, picture
        assert (ROOT / page).parent.joinpath(picture).stat().st_size < 400_000, picture
    for name in re.findall(r"python -m benchmarks\.(\w+)", text):
        assert (ROOT / "benchmarks" / f"{name}.py").is_file(), name


def test_the_page_of_models_says_what_their_cards_say():
    text = (ROOT / "docs" / "model-cards.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    table = {row[0]: row[1:] for row in rows[: rows.index(next(row for row in rows if row[0] == "age"))]}
    for column, name in enumerate(table[""]):
        card, said = checkpoint.read_card(name), {row: cells[column] for row, cells in table.items() if len(cells) == 2}
        for row, number in {
            "parameters": f"{card['parameters']:,}",
            "pictures seen in training": f"{card['images_seen']:,}",
            "recipe": f"{card['training']['optimizer']}, learning rate {card['training']['lr']:g}, "
            f"batch {card['training']['batch']}, ema {card['training']['ema']:,}",
            "held-out bits/dim": f"{card['held_out']['bits_per_dim']:.3f}, {card['held_out']['pictures']:,} ",
            "licence of the weights; of the data": f"{card['licence']}; {card['data_licence']}",
        }.items():
            assert said[row].lower().startswith(number.lower()), row
        hours = next(cells[column] for row, cells in table.items() if row.startswith("hours"))
        assert hours == f"{card['seconds'] / 3600:.1f}"
        assert f"{card['config']['n_bits']} bits a value" in said["pictures"]


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
    options = COMMANDS["explore"].make_context("explore", arguments).params
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


def test_the_page_of_training_names_options_that_exist():
    page = (ROOT / "docs" / "training.md").read_text()
    ours = {name for option in COMMANDS["train"].params for name in option.opts}
    torchrun = {"--nproc-per-node", "--nnodes", "--node-rank", "--master-addr", "--master-port"}
    others = torchrun | {"--shutdown-timeout", "--max-restarts", "--build-arg"}
    assert set(re.findall(r"(?<!\w)--[a-z][a-z-]+", page)) <= ours | others
    for path in re.findall(r"\b(?:deploy|assets|tests)/[\w./]+\w", page):
        assert (ROOT / path).is_file(), path


def test_the_page_of_training_shows_what_was_measured():
    rows = json.loads((ROOT / "assets" / "runs" / "many.json").read_text())["rows"]
    assert many.table(rows) in (ROOT / "docs" / "training.md").read_text()


def test_the_plan_for_40_gpus_has_the_models_numbers():
    page = (ROOT / "docs" / "training.md").read_text()
    config = PRESETS["celebahq256"]
    with torch.device("meta"):
        weights = dict(Glow(config).named_parameters())
    work = sum(
        2 * weight.numel() * (config.shape[1] / 2 ** (int(name.split(".")[1]) + 1)) ** 2
        for name, weight in weights.items()
        if weight.dim() == 4
    )
    assert f"| {sum(map(torch.numel, weights.values())):,} |" in page and f"| {work / 1e12:.3f} TFLOP |" in page


# ---- the pages of the course --------------------------------------------------------------------------------

NUMBER = re.compile(r"\((\d\d[a-z]?)\)")


def test_the_glossary_is_in_order_and_names_notebooks_that_are_there():
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)[1:]
    words = [word.lower() for word, _ in rows if not set(word) <= {"-", "|"}]
    assert words == sorted(words) and len(words) > 50
    assert {"bijection", "maximum likelihood", "kl divergence", "nats", "white"} <= set(words)
    there = {path.name.partition("_")[0] for path in (ROOT / "notebooks").glob("*.ipynb")}
    named = [NUMBER.findall(text) for word, text in rows if "[" not in text and not set(word) <= {"-", "|"}]
    assert all(named) and {number for found in named for number in found} <= there


@pytest.mark.parametrize("name", ["course", "glossary", "project"])
def test_links_of_the_course_pages_lead_somewhere(name):
    page = ROOT / "docs" / f"{name}.md"
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert links and [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_the_course_page_leads_to_every_notebook_and_the_rubric_adds_up():
    text = (ROOT / "docs" / "course.md").read_text(encoding="utf-8")
    assert [p.name for p in (ROOT / "notebooks").glob("*.ipynb") if f"(../notebooks/{p.name})" not in text] == []
    rubric = (ROOT / "docs" / "project.md").read_text(encoding="utf-8").partition("## Rubric")[2]
    assert sum(map(int, re.findall(r"^\| [a-z ]+ \| (\d+) \|", rubric, re.MULTILINE))) == 100
