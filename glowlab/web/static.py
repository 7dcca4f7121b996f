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
PAGE = """<!doctype html>
<html lang="en" class="gl-page">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Glow, explorable</title>
<link rel="icon" href="data:,">
<style>
{style}
body {{ margin: 0; padding: 16px; background: var(--gl-ground); }}
</style>
</head>
<body>
<main>
<glow-{name} class="gl gl-explorer" models="{models}" address>
<div class="gl-head"><h1>{title}</h1><p class="gl-promise">{promise}</p></div>
<div class="gl-stage gl-even"><img class="gl-poster" src="data:image/png;base64,{poster}" alt="{words}"></div>
</glow-{name}>
</main>
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
    table, made = read_table(name), EXPLORERS[name](model)
    table["promise"] = table["promise"].replace("{dims}", f"{made.model.dims:,}")
    words = {key: html.escape(table[key]) for key in ("title", "promise")}
    poster = base64.b64encode(to_png(made.still())).decode()
    about = {"name": name, "models": html.escape(" ".join(addresses)), "poster": poster}
    return PAGE.format(style=THEME.read_text("utf-8"), words=html.escape(table["poster"]), **about, **words)
