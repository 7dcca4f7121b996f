"""The API pages: modules, classes and functions of glowlite with their docstrings and examples, made by pdoc."""

import importlib.util
import pkgutil
from collections.abc import Callable
from pathlib import Path

import glowlite

LAB = Path(__file__).resolve().parents[1]
TEMPLATES = LAB / "pages/templates/api"
LEFT_OUT = ("glowlite.__main__", "glowlite.cli")  # the command, which `glowlite --help` describes


def is_available() -> bool:
    """Whether pdoc, which is among the developers' packages, is installed."""
    return importlib.util.find_spec("pdoc") is not None


def list_pages() -> dict[str, Callable[[], str]]:
    """{"api/glowlite.html": a function that makes the page, ...}, a page for each module; empty without pdoc."""
    if not is_available():
        return {}
    import pdoc

    found = [module.name for module in pkgutil.walk_packages(glowlite.__path__, "glowlite.")]
    names = ["glowlite", *(name for name in found if name not in LEFT_OUT)]
    for name in glowlite.__all__:  # pdoc sees only what is imported already
        setattr(glowlite, name, getattr(glowlite, name))
    modules = {name: pdoc.doc.Module.from_name(name) for name in names}
    pdoc.render.configure(docformat="markdown", search=False, template_directory=TEMPLATES)
    pdoc.render.env.loader.searchpath.append(LAB / "serving/voila/templates/glow")  # bar.html.j2 has the site's icon
    return {
        f"api/{name.replace('.', '/')}.html": lambda module=module: pdoc.render.html_module(module, modules)
        for name, module in modules.items()
    }
