"""What the server answers at each address; an address that is not in `addresses` does not exist."""

import asyncio
import functools
import secrets
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import FileFindHandler, JupyterHandler
from jupyter_server.services.kernels.handlers import KernelHandler
from tornado import web
from tornado.iostream import StreamClosedError
from voila.handler import VoilaHandler
from voila.static_file_handler import MultiStaticFileHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from glowlab.explorers import NAMES
from glowlab.films import film
from glowlab.serving.kernels import Early, Full
from glowlite.errors import GlowliteError

KERNEL_ID = r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
STARTED = secrets.token_hex(8)  # tells an open page whether the server is still the one it came from
GOING_AWAY = 1001  # why a browser closes a connection whose page is left; one that was lost has another reason
WAIT = 20  # seconds after which a visitor who found no room may try again
PATIENCE = 18  # heartbeats of Voila, one each ten seconds, after which a kernel is not waited for any more
SORRY = '<p class="gl-sorry">This explorer could not start. The terminal it was started from says why.</p>'
WORDS = {
    403: ("Not from here", "This server does not answer to that name, or not to that page."),
    404: ("There is no such page", "Nothing is served at this address."),
    405: ("That is not done here", "This address can be read, and nothing else."),
    503: (
        "The house is full",
        "As many visitors are here as this machine has room for. As soon as somebody leaves there is room for you.",
    ),
}
NO_TOKEN = (
    "This server asks for a token",
    "Whoever started it can read the whole address, token and all, in the terminal. Open that, or type the token here:",
)


class Page(JupyterHandler):
    """A page of ours. Who is not let in is told why; what fails is a sentence here, and a line in the terminal."""

    async def prepare(self) -> None:
        if not self.check_host():
            raise web.HTTPError(403)
        try:
            await super().prepare(_redirect_to_login=False)
        except web.HTTPError:
            if self.current_user is not None:
                raise
            self.say(403, *NO_TOKEN, ask=True)
            return
        if self.request.method == "GET" and self.get_query_argument("token", ""):
            # It is in a cookie from now on, and out of an address that may be projected, copied and kept.
            names = [name for name in self.request.query_arguments if name != "token"]
            rest = urlencode([(name, value) for name in names for value in self.get_query_arguments(name)])
            self.redirect(self.request.path + (f"?{rest}" if rest else ""))

    def say(self, status: int, title: str, words: str, **more) -> None:
        """A page of one or two sentences."""
        self.clear()
        self.set_status(status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        if status == 503:
            self.set_header("Retry-After", str(WAIT))
        template = self.settings["voila_jinja2_env"].get_template("words.html")
        self.finish(template.render(title=title, words=words, base_url=self.base_url, wait=WAIT, **more))

    def write_error(self, status_code: int, **kwargs) -> None:
        broken = "Something went wrong", "The terminal that this server was started from says what."
        self.say(status_code, *WORDS.get(status_code, broken))


class Reading(Page):
    """A page that is the same for everybody: `make` gives its text, or a GlowliteError where there is none."""

    def initialize(self, make: Callable[..., str]) -> None:
        self.make = make

    async def get(self, *which: str) -> None:
        try:  # in a thread, as the first time takes a second
            text = await asyncio.get_running_loop().run_in_executor(None, self.make, *which)
        except GlowliteError as error:
            raise web.HTTPError(404) from error
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.finish(text)


def landing() -> str:
    """The explorers and the notebooks, with their pictures."""
    from glowlab import pages

    return pages.landing(live=True)


def notebook(folder: Path | None, stem: str) -> str:
    """A notebook as a page. Its name is looked up among those there are, never joined to a path."""
    from glowlab import pages

    known = {path.stem: path for path in folder.glob("*.ipynb")} if folder else {}
    if stem not in known:
        raise GlowliteError(f"There is no notebook {stem}.")
    return pages.notebook_page(known[stem])


def source(file: str) -> str:
    """A file of the package as a page; `pages` knows which may be read."""
    from glowlab import pages

    return pages.source_page(f"{file}.py")


class Explorer(Page, VoilaHandler):
    """An explorer of a visitor's own: a kernel starts, or there is no room."""

    def initialize(self, notebook: str = "", **voila) -> None:
        VoilaHandler.initialize(self, **voila)
        self.notebook = notebook
        self.early = Early(self.settings["kernel_manager"])

    @property
    def kernel_manager(self) -> Early:
        return self.early

    def on_connection_close(self) -> None:  # somebody reloads a page that has not come yet, again and again
        super().on_connection_close()
        asyncio.get_running_loop().create_task(self.early.left())

    async def get(self, name: str = "") -> None:
        if not self.notebook and name not in NAMES:
            raise web.HTTPError(404)
        asked = self.request.headers
        if asked.get("Sec-Fetch-Site") == "cross-site" and asked.get("Sec-Fetch-Dest") != "document":
            raise web.HTTPError(403)  # another site's page starts kernels here, in a frame or as a picture
        if "prefetch" in asked.get("Sec-Purpose", ""):
            raise web.HTTPError(503)  # nobody is there yet
        try:
            silent = 0
            async for part in self.get_generator(path=self.notebook or f"{name}.ipynb"):
                silent = silent + 1 if "voila_heartbeat()" in part else 0  # every ten seconds without a word
                stuck = silent >= PATIENCE or (silent and self.early.failed())
                self.write(SORRY if stuck else part)
                await self.flush()
                if stuck:
                    return
        except StreamClosedError:
            pass  # the page was left before all of it was sent
        except Full:
            self.say(503, *WORDS[503], waits=True, film=film.embed(name, f"{self.base_url}films/") if name else "")


def name_server(page_config: dict, **voila) -> dict:
    """What an explorer's page knows (Voila's hook), and which server it came from."""
    return page_config | {"server": STARTED}


class Alive(Page):
    """How a kernel is, for the page that has it (voila/templates/glow/watch.js)."""

    async def get(self, kernel_id: str) -> None:
        kernels = self.kernel_manager
        state, pages = "gone", 0
        if kernel_id in kernels:
            kernel = kernels.get_kernel(kernel_id)
            state = kernel.execution_state if await kernel.is_alive() else "gone"
            pages = kernels.pages(kernel_id)
        self.set_header("Cache-Control", "no-store")
        self.finish({"state": state, "pages": pages, "server": STARTED})


class Room(Page):
    """Whether one more visitor would find room, for pages that wait for it."""

    async def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.finish({"room": not self.kernel_manager.full()})


class Health(Page):
    """That the server answers, for what looks after it (deploy/kubernetes.yaml): without a token, and nothing more."""

    @allow_unauthenticated
    def get(self) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish("ok")

    head = get


class Leave(Page):
    """A page that closes ends its kernel. Only that page knows the kernel's id, so nothing else proves who asks."""

    def check_xsrf_cookie(self) -> None:
        if not self.check_origin():
            raise web.HTTPError(403)

    async def post(self, kernel_id: str) -> None:
        await self.kernel_manager.end(kernel_id)
        self.set_status(204)


class Kernel(KernelHandler):
    """Voila's page asks for its kernel by id before it connects, and may do nothing else with it."""

    SUPPORTED_METHODS = ("GET",)


class Channels(VoilaKernelWebsocketHandler):
    """The connection of a page and its kernel. Where it comes from, and with which token, was looked at before."""

    def on_close(self) -> None:
        kernels, kernel_id, went = self.kernel_manager, self.kernel_id, self.close_code == GOING_AWAY
        super().on_close()
        if went:
            kernels.left(kernel_id)

    def write_error(self, status_code: int, **kwargs) -> None:
        self.finish(f"{status_code}\n")


class Nothing(Page):
    """Every other address."""

    @allow_unauthenticated
    def get(self, path: str) -> None:
        raise web.HTTPError(404)

    head = post = put = patch = delete = options = get

    def check_xsrf_cookie(self) -> None:
        pass  # nothing happens here


class Static(FileFindHandler):
    """The files of the page: scripts and styles that came with Voila and the widgets."""

    def write_error(self, status_code: int, **kwargs) -> None:
        self.finish(f"{status_code}\n")


class Files(MultiStaticFileHandler):
    """The same, from Voila's own folders; and films."""

    def write_error(self, status_code: int, **kwargs) -> None:
        self.finish(f"{status_code}\n")


def addresses(app, own: str, notebooks: Path | None) -> list[tuple]:
    """Every address there is. `own`: a notebook of a person's own, served at / in place of all other pages."""
    voila = {
        "template_paths": app.template_paths,
        "config": app.config,
        "voila_configuration": app.voila_configuration,
    }
    if own:
        pages = [(r"/", Explorer, {"notebook": own, **voila})]
    else:
        pages = [
            (r"/", Reading, {"make": landing}),
            (r"/explore/([a-z]+)", Explorer, voila),
            (r"/notebooks/([0-9a-z_]+)\.html", Reading, {"make": functools.partial(notebook, notebooks)}),
            (r"/source/([0-9a-z_/]+)\.html", Reading, {"make": source}),
        ]
    return [
        *pages,
        (rf"/alive/{KERNEL_ID}", Alive),
        (r"/room", Room),
        (r"/health", Health),
        (rf"/voila/api/shutdown/{KERNEL_ID}", Leave),
        (rf"/api/kernels/{KERNEL_ID}", Kernel),
        (rf"/api/kernels/{KERNEL_ID}/channels", Channels),
        (r"/voila/(?:templates/glow/)?static/(.*)", Files, {"paths": app.static_paths}),
        (r"/films/([a-z0-9.-]+\.film)", Files, {"paths": [str(film.FOLDER)]}),
        (r"/voila/labextensions/(.*)", Static, {"path": app.labextensions_path}),
        (r"/(.*)", Nothing),
    ]
