"""Shows a widget and, for a notebook opened without its kernel, the picture or the words that it leaves.

A front end shows one part of an output, and the widget comes first. Where the kernel of a stored notebook is gone,
JupyterLab finds no widget and says so in place of the picture. So a cell leaves two outputs, first the picture, then
the widget; a style sheet hides the picture while the widget is there, and the error message once it is not.
"""

import html
import os
import sys

from IPython.display import display

WIDGET = "application/vnd.jupyter.widget-view+json"
STYLE = (
    '<style class="gl-still">'
    ".jp-OutputArea-child:has(> .jp-OutputArea-output > .gl-still)"
    ":has(+ .jp-OutputArea-child > .jp-OutputArea-output > .lm-Widget),"
    ".jp-OutputArea-child:has(> .jp-OutputArea-output > .gl-still)"
    " + .jp-OutputArea-child:has(> .jp-OutputArea-output.jupyter-widgets) { display: none; }"
    "</style>"
)


def view(widget) -> dict:
    """The part of an output that shows a widget, with any release of ipywidgets."""
    return {WIDGET: {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}}


def show_with_still(bundle: dict, metadata: dict | None = None, **options):
    """Display a bundle of widget and picture, or words, as two outputs; options go to the first one's `display`."""
    if set(bundle) <= {WIDGET, "text/plain"} or not takes_two_outputs():
        return display(bundle, metadata=metadata, raw=True, **options)
    handle = display(still(bundle), metadata=metadata, raw=True, **options)
    display({WIDGET: bundle[WIDGET]}, raw=True)
    return handle


def still(bundle: dict) -> dict:
    """The bundle without its widget, and with the style sheet that hides it while the widget is there."""
    kept = {kind: value for kind, value in bundle.items() if kind != WIDGET}
    if "text/html" not in kept:
        alt = html.escape(kept["text/plain"])
        kept["text/html"] = f'<img src="data:image/png;base64,{kept["image/png"]}" alt="{alt}" style="max-width: 100%">'
    return {**kept, "text/html": kept["text/html"] + STYLE}


def takes_two_outputs() -> bool:
    """Whether notebooks are shown by JupyterLab or its kin, not by Voila, Google Colab or VS Code."""
    voila = os.environ.get("SERVER_SOFTWARE", "").startswith("voila")
    return not (voila or "google.colab" in sys.modules or "VSCODE_PID" in os.environ)


class Still:
    """A widget that leaves a picture or words: its class has `_repr_mimebundle_`, with the widget and these."""

    def _ipython_display_(self, **kwargs) -> None:
        bundle = self._repr_mimebundle_()
        show_with_still(*(bundle if isinstance(bundle, tuple) else (bundle,)))
