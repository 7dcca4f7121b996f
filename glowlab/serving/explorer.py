"""What an explorer's page tells beside the explorer: addresses of its models, links that choose one, credit."""

from urllib.parse import parse_qs, urlencode

from glowlab.explorers.models import MODELS, asked_model, credit
from glowlab.web import posters
from glowlab.web.tables import describe


def describe_explorer(name: str, query: str, models: list[str]) -> dict:
    """What an explorer's page tells: addresses of the models, links that choose one, the credit of the one chosen."""
    chosen, controls = asked_model(query, models), parse_qs(query).get("controls", [""])[-1]
    links = []
    for model in models:
        values = {"model": "" if model == models[0] else model, "controls": controls}
        kept = urlencode({key: value for key, value in values.items() if value})
        links.append(
            {"faces": MODELS.get(model, model), "query": f"?{kept}" if kept else "", "chosen": model == chosen}
        )
    return {
        **describe(name, models),
        "poster": posters.read(f"{name}.{chosen}") if chosen in MODELS else "",
        "model": "" if chosen == models[0] else chosen,
        "credit": f" {credit(chosen)}" if MODELS.get(chosen) == "real" else "",
        "links": [] if controls and "model" not in controls.split(",") else links,
    }
