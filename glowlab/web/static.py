"""An explorer as a static page: HTML with a poster, the script of all explorers, models beside it.

Any web server gives it to any number of visitors; it opens from a disk, too.
"""

import base64
import html
from collections.abc import Sequence
from pathlib import Path

from glowlab.web import bundle, export
from glowlab.web.tables import read_table
from glowlab.web.widgets import EXPLORERS
from glowlab.widgets.picture import to_png

THEME = Path(__file__).parents[1] / "widgets" / "theme.css"
ELEMENT = """\
<glow-{name} class="gl gl-explorer" models="{models}" address>
<div class="gl-head"><h1>{title}</h1><p class="gl-promise">{promise}</p></div>
<div class="gl-stage gl-even"><img class="gl-poster" src="{poster}" alt="{words}"></div>
</glow-{name}>
"""
PAGE = f"""<!doctype html>
<html lang="en" class="gl-page">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}} · Glow, explorable</title>
<link rel="icon" href="data:,">
<style>
{{style}}
body {{{{ margin: 0; padding: 16px; background: var(--gl-ground); }}}}
</style>
</head>
<body>
<main>
{ELEMENT}</main>
<script src="explorers.js"></script>
</body>
</html>
"""


def write(name: str, models: Sequence[str | Path], out: Path) -> Path:
    """Write NAME.html, explorers.js and models/ to `out`: an explorer of these models, the usual one first."""
    (out / "models").mkdir(parents=True, exist_ok=True)
    files = [export.write(model, out / "models")[0] for model in models]
    (out / "explorers.js").write_text(bundle.script(), encoding="utf-8")
    page = out / f"{name}.html"
    page.write_text(render(name, models[0], [f"models/{file.name}" for file in files]), encoding="utf-8")
    return page


def render(name: str, model: str | Path, addresses: Sequence[str]) -> str:
    """The page of an explorer, with a poster by this model, for models at these addresses."""
    made = EXPLORERS[name](model)
    poster = "data:image/png;base64," + base64.b64encode(to_png(made.still())).decode()
    return PAGE.format(style=THEME.read_text("utf-8"), **describe(name, addresses, poster, made.model.dims))


def element(name: str, addresses: Sequence[str], poster: str, dims: int) -> str:
    """The element of an explorer, for a page around it that brings theme.css and the script."""
    return ELEMENT.format(**describe(name, addresses, poster, dims))


def describe(name: str, addresses: Sequence[str], poster: str, dims: int) -> dict[str, str]:
    """What ELEMENT says; dims: numbers of a picture."""
    table = read_table(name)
    promise = table["promise"].replace("{dims}", f"{dims:,}")
    words = {"title": table["title"], "promise": promise, "words": table["poster"], "models": " ".join(addresses)}
    return {"name": name, "poster": poster} | {key: html.escape(text) for key, text in words.items()}
