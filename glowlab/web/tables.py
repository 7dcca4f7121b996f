"""The settings of the explorers, read from the tables that the page reads: traits of widgets, names for teachers."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import traitlets

FOLDER = Path(__file__).parent / "explorers" / "settings"
WORDINGS = json.loads((FOLDER.parent / "wordings.json").read_text(encoding="utf-8"))  # of attributes, by name
REAL = ("fairface64", "celeba")  # data sets of real faces, by the beginning of their names


def people(card: Mapping) -> str:
    """The pictures that a model learned from, in sentences."""
    data = str(card.get("data", ""))
    return "drawn faces" if data == "faces" else "real faces" if data.startswith(REAL) else "pictures"


def read_table(name: str) -> dict:
    """The table of an explorer: title, promise, rows, hints."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def describe(name: str, models: Sequence[str]) -> dict[str, str]:
    """What a page says of an explorer before its model is there; models: the NAMEs of ../models/NAME.bin."""
    table = read_table(name)
    return {
        "explorer": name,
        "title": table["title"],
        "promise": table["promise"].replace("{dims} ", ""),
        "words": table["poster"],
        "addresses": " ".join(f"../models/{quote(model)}.bin" for model in models),
    }


def make_traits(name: str) -> dict[str, traitlets.TraitType]:
    """A trait for each setting of an explorer, by its name."""
    traits = {row["name"]: make_trait(row) for row in list_rows(name)}
    return {name: trait.tag(sync=True) for name, trait in traits.items() if trait is not None}


def list_rows(name: str) -> list[dict]:
    """The rows of an explorer's table, with one for each attribute that has a wording."""
    rows = []
    for row in read_table(name)["rows"]:
        several = [{**row, "name": each, "kind": "slider"} for each in WORDINGS]
        rows += several if row["kind"] == "attributes" else [row]
    return rows


def rests(name: str, learned_from: str) -> dict:
    """The settings that rest elsewhere than the traits of an explorer; `learned_from` is as of `people`."""
    if learned_from == "drawn faces":
        return {}
    return {row["name"]: row["real"]["rest"] for row in read_table(name)["rows"] if "rest" in row.get("real", {})}


def opening(name: str, learned_from: str) -> dict:
    """The settings of the example that an explorer opens on."""
    table = read_table(name)
    return (table if learned_from == "drawn faces" else table | table.get("real", {})).get("opening", {})


def make_trait(row: dict) -> traitlets.TraitType | None:
    """The trait of a row; None for a row that is no setting."""
    match row["kind"]:
        case "slider":
            return traitlets.Float(row["rest"], min=row["min"], max=row["max"])
        case "sliders":
            return traitlets.List(traitlets.Float(min=row["min"], max=row["max"]), row["rest"])
        case "whole":
            return traitlets.Int(row["rest"], min=row["min"], max=row["max"])
        case "choice" if not row["options"]:  # they depend on the model
            return traitlets.Unicode(row["rest"])
        case "choice":
            return traitlets.Enum([value for value, _ in row["options"]], row["rest"])
        case "tick":
            return traitlets.Bool(row["rest"])
        case "face" | "levels":
            return traitlets.Unicode(row["rest"])


def list_controls(name: str) -> list[str]:
    """The names that ?controls= knows of an explorer."""
    return [row["name"] for row in list_rows(name) if row["kind"] not in ("whole", "face")]
