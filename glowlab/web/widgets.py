"""The explorers of the page as widgets: their settings are traits, which `observe` and `link` work on.

The flow runs in the page; the kernel sends its weights once, and imports PyTorch only to do so. With engine="kernel"
the page asks the kernel for each picture, which PyTorch computes where the model is, for instance on a GPU.
"""

import functools
import json
import uuid
from pathlib import Path
from typing import ClassVar

import traitlets

from glowlab.web import bundle, tables
from glowlab.widgets.base import Widget
from glowlab.widgets.still import Still, view
from glowlite.errors import GlowliteError
from glowlite.folders import ASSETS

THEME = Path(__file__).parents[1] / "widgets" / "theme.css"


class Explorer(Still, Widget):
    """Base of the explorers, for a model: one that ships (by name), the path of a checkpoint, or a Glow.

    engine: "page" or "kernel"; of itself the latter for a model that is too large for a page, or that none can compute
    models: addresses of NAME.bin on a server that has them, the usual one first; the kernel then sends no weights
    directions, card: of a Glow, where it has some
    """

    _css = THEME
    table: ClassVar[str]  # the name of its table
    element = traitlets.Unicode().tag(sync=True)  # of the page
    settings = traitlets.List(traitlets.Unicode()).tag(sync=True)  # names of traits
    weights = traitlets.Unicode().tag(sync=True)  # which the page has or asks for
    models = traitlets.Unicode().tag(sync=True)
    engine = traitlets.Enum(["page", "kernel"]).tag(sync=True)  # what computes

    def __init__(self, model="faces64", models: str = "", directions=None, card=None, engine: str = "", **settings):
        names = list(self.traits(setting=True))
        self.given, self.given_directions, self.given_card = model, directions, card
        learned_from = tables.people(self.card)
        settings = tables.rests(self.table, learned_from) | (settings or tables.opening(self.table, learned_from))
        engine = engine or ("page" if models else self.choose_engine())
        models = models if engine == "page" else ""
        about = {"settings": names, "weights": uuid.uuid4().hex, "models": models, "engine": engine}
        super().__init__(_esm=bundle.widget(), **about, **settings)
        if isinstance(model, (str, Path)) and not models:
            from glowlite import checkpoint

            file = checkpoint.find(model)
            self.weights = f"{file} {file.stat().st_mtime_ns}"  # so that a page asks once for all explorers of a file
        self.on_msg(self._answer)

    @functools.cached_property
    def model(self):
        """The Glow in PyTorch."""
        from glowlite import checkpoint

        return checkpoint.load(self.given) if isinstance(self.given, (str, Path)) else self.given

    @functools.cached_property
    def directions(self) -> dict:
        """Its directions by name, in PyTorch."""
        from glowlite import checkpoint

        is_file = isinstance(self.given, (str, Path)) and checkpoint.directions_path(self.given).is_file()
        found = checkpoint.load_directions(self.given) if is_file else self.given_directions or {}
        return {name: [eps.to(self.model.device) for eps in levels] for name, levels in found.items()}

    @functools.cached_property
    def card(self) -> dict:
        """Its card, read without PyTorch."""
        if not isinstance(self.given, (str, Path)):
            return self.given_card or {}
        files = ASSETS / "checkpoints" / f"{self.given}.json", Path(self.given).with_suffix(".json")
        file = next((file for file in files if file.is_file()), None)
        return json.loads(file.read_text(encoding="utf-8")) if file else {}

    @functools.cached_property
    def gallery(self):
        """The faces to start from, in PyTorch."""
        from glowlab.explorers.gallery import Gallery

        return Gallery(self.model, tables.people(self.card) == "drawn faces")

    def find(self, key: str):
        """The face of a key. GlowliteError where there is none."""
        if key.startswith("own"):
            raise GlowliteError("A picture of one's own stays in the page: the kernel does not have it.")
        if not (face := self.gallery.find(key)):
            known = ", ".join(face.key for face in self.gallery.faces)
            raise GlowliteError(f"There is no face {key!r}; choose from {known}.")
        return face

    @property
    def amounts(self) -> dict[str, float]:
        """Of each attribute that the model has a direction for."""
        return {name: getattr(self, name, 0.0) for name in self.directions}

    def choose_engine(self) -> str:
        """The engine that suits the model."""
        from glowlab.web import kernel

        return "kernel" if kernel.is_needed(self.model) else "page"

    def _answer(self, widget, question: dict, buffers: list) -> None:
        if not self.models:  # a dashboard's page has no questions
            from glowlab.web import kernel

            self.send(*kernel.answer(self, question, buffers))

    def _repr_mimebundle_(self, **kwargs) -> dict:
        if self.models:  # a dashboard, whose kernel does without PyTorch
            return view(self)
        from glowlab.widgets.picture import with_png

        return with_png(self, self.still(), f"{self.title}, as the model draws it")

    def pack(self):
        """The files for the page, `Exported`: the weights that it computes with, and all that is known of the model."""
        import torch

        from glowlab.explorers.precomputed import Precomputed
        from glowlab.web import export

        network = torch.half if self.engine == "page" else None
        if isinstance(self.given, (str, Path)):
            return export.export(self.given, network, self.model)
        return export.pack("model", self.model, self.directions, self.card, Precomputed(), network)


def with_settings(name: str) -> type[Explorer]:
    """The base class of an explorer: `Explorer` with a trait for each of its settings, which the page may set."""
    traits = {setting: trait.tag(setting=True) for setting, trait in tables.make_traits(name).items()}
    element = traitlets.Unicode(f"glow-{name}").tag(sync=True)
    about = {"from_page": tuple(traits), "title": tables.read_table(name)["title"], "element": element, "table": name}
    return type("Explorer", (Explorer,), traits | about)


class TemperatureExplorer(with_settings("temperature")):
    """The same sixteen samples, nearer to the middle of latent space or further out.

    temperature   of all levels, or of each in `levels`, finest first, where they differ
    seed          of the sixteen; face: the chosen one, 1 to 16
    """

    @traitlets.observe("temperature")
    def _level(self, change) -> None:
        self.levels = []

    @property
    def latents(self) -> list:
        """The latents of the sixteen at this temperature: (16, C_l, H_l, W_l) a level."""
        import torch

        from glowlite import latents

        eps = latents.sample_eps(
            self.model.latent_shapes, 16, torch.Generator().manual_seed(self.seed), self.model.device
        )
        return latents.scale(eps, self.levels or self.temperature)

    @property
    def pictures(self):
        """The sixteen, decoded by PyTorch: uint8 (16, C, H, W)."""
        return self.model.decode(self.latents)

    @property
    def picture(self):
        """The chosen one, uint8 (C, H, W)."""
        return self.pictures[self.face - 1]

    def still(self):
        """The sixteen as one picture, uint8 (C, 4 H, 4 W), for a notebook whose kernel is gone."""
        import torch

        return torch.cat([torch.cat(list(row), -1) for row in self.pictures.split(4)], -2)


class StudioExplorer(with_settings("studio")):
    """A face, edited and blended with a second one.

    face, partner   keys of faces: "gallery-1", "mona-lisa"; "fresh-SEED-TEMPERATURE-NUMBER", one that the model draws
    blend           0: all face, 1: all partner; on the way "linear" or "spherical"
    smile, age, ... the amount of an attribute that the model has a direction for, -1 to 1
    temperature     of the fresh faces, and their seed
    """

    @property
    def latents(self) -> list:
        """The latents of the picture, (1, C_l, H_l, W_l) a level."""
        from glowlab.explorers.editing import PATHS, edit

        start = self.find(self.face).latents
        if self.blend:
            start = PATHS[self.way](start, self.find(self.partner).latents, self.blend)
        return edit(start, self.directions, self.amounts)

    @property
    def picture(self):
        """The face as edited, decoded by PyTorch: uint8 (C, H, W)."""
        return self.model.decode(self.latents)[0]

    def still(self):
        """The face before and after, uint8 (C, H, 2 W)."""
        import torch

        return torch.cat([self.find(self.face).image, self.picture.cpu()], -1)


class AttributesExplorer(with_settings("attributes")):
    """A face, moved along directions, and where it changes.

    face            a key, as of StudioExplorer; smile, age, ...: amounts, -1 to 1
    labels          "own", the model's own directions, or those that "10", "100" or "1000" labels give; ten: which ten
    look            the attribute that the charts show
    """

    @property
    def steps(self) -> dict:
        """The directions by name, as `labels` says."""
        from glowlab.explorers import precomputed
        from glowlab.explorers.labelled import Labelled

        if self.labels == "own":
            return self.directions
        is_file = isinstance(self.given, (str, Path))
        stored = precomputed.load(self.given) if is_file else precomputed.Precomputed()
        labels = None if tables.people(self.card) == "drawn faces" else stored.labels
        labelled = Labelled(self.model, self.directions, stored.positions, stored.few, labels=labels)
        count, batch = int(self.labels), self.ten - 1 if self.labels == "10" else 0
        if not labelled.ready(count, batch):
            for _ in labelled.encode(count * (batch + 1)):
                pass
        return {**self.directions, **labelled.find(count, batch)}

    @property
    def latents(self) -> list:
        """The latents of the picture, (1, C_l, H_l, W_l) a level."""
        from glowlab.explorers.editing import edit, limit

        start = self.find(self.face).latents
        return limit(edit(start, self.steps, self.amounts), start)

    @property
    def picture(self):
        """The face as edited, decoded by PyTorch: uint8 (C, H, W)."""
        return self.model.decode(self.latents)[0]

    def still(self):
        """The face before, after, and where it changed: uint8 (C, H, 3 W)."""
        import torch

        from glowlab.explorers.editing import paint_change

        before, after = self.find(self.face).image, self.picture.cpu()
        return torch.cat([before, after, paint_change(before, after)], -1)


class InterpolationExplorer(with_settings("interpolation")):
    """Two faces, and the pictures between them.

    face, partner   keys of faces, as of StudioExplorer
    t               0: the face, 1: the partner; on the way "pixels", "linear" or "spherical"
    levels          the levels that move: "all", "none", or their numbers, such as "134"
    """

    @property
    def moving(self) -> list[bool]:
        """Whether each level moves."""
        numbers = range(1, len(self.model.latent_shapes) + 1)
        return [self.levels == "all" or str(number) in self.levels for number in numbers]

    @property
    def latents(self) -> list:
        """The latents at t, (1, C_l, H_l, W_l) a level; of mixed pixels, those that the picture is encoded as."""
        from glowlab.explorers.editing import interpolate

        if self.way == "pixels":
            return self.model.encode(self.picture[None])
        ends = self.find(self.face).latents, self.find(self.partner).latents
        return interpolate(*ends, self.t, self.way, self.moving)

    @property
    def picture(self):
        """The picture at t, uint8 (C, H, W)."""
        from glowlab.explorers.editing import mix_pixels

        if self.way == "pixels":
            return mix_pixels(self.find(self.face).image, self.find(self.partner).image, self.t)
        return self.model.decode(self.latents)[0]

    def still(self):
        """The first picture, the one at t, the second: uint8 (C, H, 3 W)."""
        import torch

        return torch.cat([self.find(self.face).image, self.picture.cpu(), self.find(self.partner).image], -1)


ALL = (AttributesExplorer, InterpolationExplorer, StudioExplorer, TemperatureExplorer)
EXPLORERS = {explorer.table: explorer for explorer in ALL}
