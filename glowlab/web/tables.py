"""The settings of the explorers, read from the tables that the page reads: traits of widgets, names for teachers."""

import json
from pathlib import Path

import traitlets

FOLDER = Path(__file__).parent / "explorers" / "settings"


def read_table(name: str) -> dict:
    """The table of an explorer: title, promise, rows, hints."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def make_traits(name: str) -> dict[str, traitlets.TraitType]:
    """A trait for each setting of an explorer, by its name."""
    traits = {row["name"]: make_trait(row) for row in read_table(name)["rows"]}
    return {name: trait.tag(sync=True) for name, trait in traits.items() if trait is not None}


def make_trait(row: dict) -> traitlets.TraitType | None:
    """The trait of a row; None for a row that is no setting."""
    match row["kind"]:
        case "slider":
            return traitlets.Float(row["rest"], min=row["min"], max=row["max"])
        case "sliders":
            return traitlets.List(traitlets.Float(min=row["min"], max=row["max"]), row["rest"])
        case "whole":
            return traitlets.Int(row["rest"], min=row["min"], max=row["max"])
        case "choice":
            return traitlets.Enum([value for value, _ in row["options"]], row["rest"])
        case "tick":
            return traitlets.Bool(row["rest"])


def list_controls(name: str) -> list[str]:
    """The names that ?controls= knows of an explorer."""
    return [row["name"] for row in read_table(name)["rows"] if row["kind"] != "whole"]
