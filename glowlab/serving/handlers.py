"""The server's answers, address by address; an address that is not in `list_addresses` does not exist."""

import asyncio
import functools
import secrets
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from tornado import web
from tornado.iostream import StreamClosedError

from glowlab.explorers import NAMES
from glowlab.serving import patches
from glowlab.serving.explorer import describe_explorer
from glowlab.serving.kernels import AllPlacesTaken, PageKernel
from glowlab.serving.weights import Weights
from glowlab.web import bundle
from glowlab.widgets import JS
from glowlite.errors import GlowliteError

KERNEL_ID = r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
SERVER_ID = secrets.token_hex(8)  # tells an open page whether the server is still the one it came from
RETRY_SECONDS = 20  # after which a visitor who found no free place may try again
MAX_HEARTBEATS = 18  # of Voila, one every ten seconds; then the page no longer waits for its kernel
NOT_STARTED = '<p class="gl-sorry">This notebook could not start. The terminal it was started from says why.</p>'
MESSAGES = {
    400: ("Not understood", "This address is damaged; ask for it again, or open the first page."),
    403: ("Access refused", "This server answers only pages of its own, under its own name."),
    404: ("Page not found", "There is no page at this address."),
    405: ("Not possible", "This address can only be read."),
    503: (
        "All places are taken",
        "This machine serves as many visitors as it can. As soon as one of them leaves, there is a place for you.",
    ),
}
UNKNOWN_ERROR = "Something went wrong", "The terminal in which this server was started says what."
TOO_MANY_TOKENS = "Too many wrong tokens", "Tokens from this network are not read for a minute; then try again."
NO_TOKEN = (
    "This server asks for a token",
    "The terminal in which it was started shows the whole address, with the token. Open that, or type the token here:",
)


class Page(JupyterHandler):
    """A page of ours. Errors become one or two sentences on the page, and one line in the terminal."""

    async def prepare(self) -> None:
        if not self.check_host():
            raise web.HTTPError(403)
        try:
            await patches.check_visitor(self)
        except web.HTTPError as error:
            if error.status_code != 403 or self.current_user is not None:
                raise
            if self.identity_provider.has_guessed(self):
                self.show_message(429, *TOO_MANY_TOKENS)
            else:
                self.show_message(403, *NO_TOKEN, ask=True)
            return
        if self.request.method == "GET" and self.get_query_argument("token", ""):
            # It is in a cookie from now on, and out of the address, which may be projected or copied.
            names = [name for name in self.request.query_arguments if name != "token"]
            rest = urlencode([(name, value) for name in names for value in self.get_query_arguments(name)])
            # Relative: a path that begins with two slashes would lead to another site.
            self.redirect("./" + self.request.path.rpartition("/")[2] + (f"?{rest}" if rest else ""))

    def show_message(self, status: int, title: str, text: str, **more) -> None:
        """Answer with a page of one or two sentences."""
        self.clear()
        self.set_status(status)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        if status == 503:
            self.set_header("Retry-After", str(RETRY_SECONDS))
        root = "../" * (self.request.path.count("/") - 1) or "./"
        values = {"title": title, "text": text, "retry": RETRY_SECONDS, "root": root, **more}
        self.finish(patches.render_template(self, "message.html", **values))

    def write_error(self, status_code: int, **kwargs) -> None:
        self.show_message(status_code, *MESSAGES.get(status_code, UNKNOWN_ERROR))


class SharedPage(Page):
    """A page that is the same for all visitors: `render` returns its text, or raises GlowliteError if there is none."""

    def initialize(self, render: Callable[..., str]) -> None:
        self.render_page = render

    async def get(self, *which: str) -> None:
        try:  # in a thread, as the first time takes a second
            text = await asyncio.get_running_loop().run_in_executor(None, self.render_page, *which)
        except GlowliteError as error:
            raise web.HTTPError(404) from error
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.finish(text)


def render_landing() -> str:
    """The first page: explorers and notebooks, with their pictures."""
    from glowlab import pages

    return pages.render_landing(live=True)


def render_notebook(folder: Path | None, stem: str) -> str:
    """A notebook as a page. Its name is looked up among the notebooks of `folder`, never joined to a path."""
    from glowlab import pages

    known = {path.stem: path for path in folder.glob("*.ipynb")} if folder else {}
    if stem not in known:
        raise GlowliteError(f"There is no notebook {stem}.")
    return pages.render_notebook(known[stem])


def render_doc(name: str) -> str:
    """A page of docs/; `pages` knows which there are."""
    from glowlab import pages

    return pages.render_doc(name)


def render_source(file: str) -> str:
    """A file of the package as a page; `pages` knows which files have one."""
    from glowlab import pages

    return pages.render_source(f"{file}.py")


class Script(Page):
    """The script of all explorers."""

    async def get(self) -> None:
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.finish(read_script())  # tornado answers 304 to whoever has it


@functools.cache
def read_script() -> str:
    return bundle.script()


class ModelFile(Page, web.StaticFileHandler):
    """A model's file, made when it is first asked for."""

    def initialize(self, weights: Weights) -> None:
        self.weights = weights

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")

    async def head(self, name: str) -> None:
        await self.get(name, include_body=False)

    async def get(self, name: str, include_body: bool = True) -> None:
        try:
            file = await asyncio.get_running_loop().run_in_executor(None, self.weights.find, name)
        except GlowliteError as error:
            raise web.HTTPError(404) from error
        web.StaticFileHandler.initialize(self, str(file.parent))
        await web.StaticFileHandler.get(self, file.name, include_body)


class ExplorerPage(Page, patches.NotebookHandler):
    """A notebook as a page, in a kernel of the visitor's own.

    An explorer needs no kernel: there its code can follow what a visitor does. Where no place is free it goes without.
    """

    def initialize(self, weights: Weights, notebook: str = "", **options) -> None:
        patches.NotebookHandler.initialize(self, **options)
        self.models, self.notebook = list(weights.models), notebook
        self.page_kernels = PageKernel(self.all_kernels)

    def on_connection_close(self) -> None:  # a visitor may reload a page again and again before it has come
        super().on_connection_close()
        self.leave()

    def leave(self) -> None:
        """The page was left before all of it was sent, so nobody will ask for its kernel."""
        asyncio.get_running_loop().create_task(self.page_kernels.release())

    async def get(self, name: str = "") -> None:
        if not self.notebook and name not in NAMES:
            raise web.HTTPError(404)
        headers = self.request.headers
        if headers.get("Sec-Fetch-Site") == "cross-site" and headers.get("Sec-Fetch-Dest") != "document":
            raise web.HTTPError(403)  # a page of another site starts kernels here, in a frame or as a picture
        if "prefetch" in headers.get("Sec-Purpose", ""):
            raise web.HTTPError(503)  # the browser loads the page ahead; no person has opened it
        try:
            heartbeats = 0
            async for part in self.generate(self.notebook or f"{name}.ipynb"):
                heartbeats = heartbeats + 1 if patches.is_heartbeat(part) else 0
                stuck = heartbeats >= MAX_HEARTBEATS or (heartbeats and self.page_kernels.has_failed())
                self.write(NOT_STARTED if stuck else part)
                await self.flush()
                if stuck:
                    return
        except StreamClosedError:  # tornado does not call on_connection_close for one that was left at the first byte
            self.leave()
        except AllPlacesTaken:
            if self.notebook:
                self.show_message(503, *MESSAGES[503], waits=True)
            else:
                about = describe_explorer(name, self.request.query, self.models)
                self.finish(patches.render_template(self, "explorer.html", about=about))


def add_explorer(handler: ExplorerPage, notebook, cwd: str) -> None:
    """Tell an explorer's page (Voila's hook) all that `describe_explorer` gives."""
    if not handler.notebook:
        notebook.metadata |= describe_explorer(notebook.metadata.explorer, handler.request.query, handler.models)


def add_server_id(page_config: dict, **voila) -> dict:
    """Voila's settings for an explorer's page (its hook), with the server that it came from."""
    return page_config | {"server": SERVER_ID}


class KernelState(Page):
    """The state of a kernel, for the page that has it (voila/templates/glow/watch.js)."""

    async def get(self, kernel_id: str) -> None:
        kernels = self.kernel_manager
        state, pages = "gone", 0
        if kernel_id in kernels and await kernels.get_kernel(kernel_id).is_alive() and kernel_id in kernels:
            state = kernels.kernel_model(kernel_id)["execution_state"]
            pages = kernels.count_pages(kernel_id)
        self.set_header("Cache-Control", "no-store")
        self.finish({"state": state, "pages": pages, "server": SERVER_ID})


class Places(Page):
    """Whether a place is free, for pages that wait for one."""

    async def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.finish({"free": not self.kernel_manager.is_full()})


class Health(Page):
    """A sign that the server runs, for container platforms (deploy/kubernetes.yaml); needs no token."""

    @allow_unauthenticated
    def get(self) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish("ok")

    head = get


class EndKernel(Page):
    """Ends the kernel of a page that closes. Only that page knows the kernel's id, so the id is proof enough."""

    def check_xsrf_cookie(self) -> None:
        if not self.check_origin():
            raise web.HTTPError(403)

    async def post(self, kernel_id: str) -> None:
        await self.kernel_manager.end(kernel_id)
        self.set_status(204)


class NotFound(Page):
    """Every other address."""

    @allow_unauthenticated
    def get(self, path: str) -> None:
        raise web.HTTPError(404)

    head = post = put = patch = delete = options = get

    def check_xsrf_cookie(self) -> None:
        pass  # no request changes anything here


def list_addresses(app: patches.VoilaServer, own: str, notebooks: Path | None, weights: Weights) -> list[tuple]:
    """All addresses. `own`: a notebook of a person's own, served at / in place of all other pages."""
    options = {"weights": weights, **patches.list_notebook_options(app)}
    if own:
        pages = [(r"/", ExplorerPage, {"notebook": own, **options})]
    else:
        pages = [
            (r"/", SharedPage, {"render": render_landing}),
            (r"/explore/([a-z]+)", ExplorerPage, options),
            (r"/notebooks/([0-9a-z_]+)\.html", SharedPage, {"render": functools.partial(render_notebook, notebooks)}),
            (r"/docs/([a-z]+)\.html", SharedPage, {"render": render_doc}),
            (r"/source/([0-9a-z_/]+)\.html", SharedPage, {"render": render_source}),
        ]
    return [
        *pages,
        (rf"/alive/{KERNEL_ID}", KernelState),
        (r"/places", Places),
        (r"/health", Health),
        (rf"/voila/api/shutdown/{KERNEL_ID}", EndKernel),  # Voila's page asks for this address when it closes
        (rf"/api/kernels/{KERNEL_ID}", patches.KernelInfo),
        (rf"/api/kernels/{KERNEL_ID}/channels", patches.KernelSocket),
        *patches.list_file_addresses(app),
        (r"/scripts/(plotly-cartesian\.min\.js)", patches.Files, {"paths": [str(JS.parent / "plotly")]}),
        (r"/explorers\.js", Script),
        (r"/models/([^/]+)\.bin", ModelFile, {"weights": weights}),
        (r"/(.*)", NotFound),
    ]
