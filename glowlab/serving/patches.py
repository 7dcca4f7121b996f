"""Every private or undocumented part of Voila and Jupyter that the server uses, in this one file.

Such a part may change with any version. To try a new version: read this file, run `make test-browser`, add it to TRIED.

Two uses cannot stand here:

- voila/templates/glow/ fills blocks of nbconvert's and Voila's templates. index.html.j2 calls `kernel_start` and
  `cell_generator`, defines the functions that Voila's scripts expect (`voila_heartbeat`, `display_cells`, ...), and
  takes `main_js` and `voila-style.js` from Voila. It also replaces `AbortSignal.timeout`: anywidget
  drops all messages of a widget that takes longer than two seconds to start. page.css undoes the layout of Voila's
  elements by their ids (`#rendered_cells`, `#jp-main-content-panel`). After a change pages stay empty.
- glowlab/pages/notebook.py takes the Markdown renderer from `nbconvert.filters.markdown_mistune`, and its template
  fills blocks of nbconvert's. After a change notebooks have no pages.
"""

import asyncio
import functools
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import ClassVar

from jinja2 import BytecodeCache, Environment
from jupyter_core.paths import jupyter_path
from jupyter_server.base.handlers import FileFindHandler, JupyterHandler
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.handlers import KernelHandler
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from jupyter_server.utils import ensure_async
from tornado import web
from tornado.ioloop import IOLoop
from voila.app import Voila
from voila.exporter import VoilaExporter
from voila.handler import VoilaHandler
from voila.static_file_handler import MultiStaticFileHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler
from voila.voila_identity_provider import VoilaIdentityProvider

from glowlab.serving import guard

# The versions with which all of this was tried; a test compares their first two numbers with those installed.
TRIED = {
    "voila": ["0.5.13"],
    "jupyter_server": ["2.21.1"],
    "jupyter_client": ["8.10.0"],
    "nbclient": ["0.11.0"],
    "nbconvert": ["7.17.2"],
    "ipykernel": ["7.4.0"],
    "ipywidgets": ["8.1.9"],
    "anywidget": ["0.11.0"],
    "tornado": ["6.6.1"],
}


# ---- the server ---------------------------------------------------------------------------------------


class VoilaServer(Voila):
    """Voila with addresses, template folders and kernel messages of its subclass."""

    # Overrides methods of Voila's application that it calls while it starts; none is documented. If one is renamed,
    # Voila's own addresses are open, which test_closed.py notices.
    template_folders: tuple[Path, ...] = ()
    message_types: tuple[str, ...] = ()  # that a page may send to its kernel
    http_options: dict = {}  # of tornado's HTTPServer
    headers: dict[str, str] = {}  # of every answer
    make_addresses: Callable[[], list]
    announce: Callable[[], None]  # called when the server listens

    @property
    def data_dir(self) -> str:
        """The folder of Voila's own files. Voila takes the first folder "voila", which is that of our template."""
        return next(path for path in jupyter_path("voila") if (Path(path) / "themes").is_dir())

    def setup_template_dirs(self) -> None:
        super().setup_template_dirs()
        self.template_paths.extend(map(str, self.template_folders))

    def init_settings(self) -> dict:
        made = super().init_settings()
        self.kernel_manager.allowed_message_types = list(self.message_types)  # Voila sets its own, with one more
        return made

    def init_handlers(self) -> list:
        self.app.listen = functools.partial(self.app.listen, **self.http_options)
        self.app.add_transform(type("OwnHeaders", (guard.Headers,), {"headers": self.headers}))
        return self.make_addresses()

    def launch_browser(self) -> None:
        # Ctrl-C stops the loop as a termination signal does; as an exception it would hit whatever runs just then.
        self.ioloop = IOLoop.current()
        signal.signal(signal.SIGINT, self._handle_signal_stop)
        self.announce()

    def stop(self) -> None:
        """End the kernels, then all that still runs for pages."""
        for number in (signal.SIGINT, signal.SIGTERM):  # a second Ctrl-C has nothing more to stop
            signal.signal(number, signal.SIG_IGN)
        super().stop()
        loop = self.ioloop.asyncio_loop
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=2))


def limit_hosts(names: tuple[str, ...]) -> dict:
    """Tornado settings by which the server answers to these host names only."""
    # Jupyter Server reads them in `JupyterHandler.check_host`; Voila has no option for them. If they are renamed,
    # another site's name for this machine is let in, which test_closed.py notices.
    return {"allow_remote_access": False, "local_hostnames": list(names)}


class Identity(VoilaIdentityProvider):
    """Asks for a token, never for a password; whoever guesses is slowed down."""

    # Voila does not document its class; if it moves, its import fails.
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.cookie_options = {"samesite": "Lax", **self.cookie_options}
        self.guesses = guard.Guesses()

    async def get_user_token(self, handler: JupyterHandler):
        """The visitor, by the token of a request; None where it has none, or a wrong one."""
        if not self.token or not self.get_token(handler) or self.has_guessed(handler):
            return None
        user = await ensure_async(super().get_user_token(handler))
        if user is None:
            self.guesses.note(handler.request.remote_ip)
        return user

    def has_guessed(self, handler: JupyterHandler) -> bool:
        """Whether too many wrong tokens have come from where this request comes from."""
        return self.guesses.are_too_many(handler.request.remote_ip)


# ---- pages --------------------------------------------------------------------------------------------


def cache_templates(cache: BytecodeCache) -> None:
    """Compile each template once for all pages of this process."""
    # Replaces nbconvert's `_create_environment`, since Voila compiles its templates for every page, which takes half a
    # second. If it is renamed, the server does not start.
    create = getattr(VoilaExporter, "plain_environment", VoilaExporter._create_environment)

    def create_cached(exporter) -> Environment:
        environment = create(exporter)
        environment.bytecode_cache = cache
        return environment

    VoilaExporter.plain_environment, VoilaExporter._create_environment = create, create_cached


async def check_visitor(handler: JupyterHandler) -> None:
    """Prepare `handler` for a request; tornado.web.HTTPError where the visitor may not make it."""
    # `_redirect_to_login` is private: without it, a visitor without a token is sent to a page to log in, which Voila
    # lacks. If it goes, `prepare` raises a TypeError and no page comes.
    await JupyterHandler.prepare(handler, _redirect_to_login=False)


def render_template(handler: JupyterHandler, name: str, **values) -> str:
    """One of the server's templates as text."""
    # The key under which Voila stores its templates is not documented. Without it, no message is shown.
    return handler.settings["voila_jinja2_env"].get_template(name).render(base_url=handler.base_url, **values)


class NotebookHandler(VoilaHandler):
    """Runs a notebook as a page, in a kernel from `page_kernels`."""

    # Voila's handler asks `self.kernel_manager` for `start_kernel` and `get_kernel`; here it gets an object with just
    # these two. If it asks for more, pages answer with status 500. Its `get_generator` is not documented either.
    page_kernels = None

    @property
    def all_kernels(self) -> "KernelManager":
        return super().kernel_manager

    @property
    def kernel_manager(self):
        return self.page_kernels

    def generate(self, path: str) -> AsyncIterator[str]:
        """The page, part by part."""
        return self.get_generator(path=path)


def is_heartbeat(part: str) -> bool:
    """Whether a part of a page only says that the next one is not ready, as Voila does every ten seconds."""
    # Voila marks it by nothing but this call. If that changes, a page whose kernel hangs never says so.
    return "voila_heartbeat()" in part


def list_notebook_options(app: VoilaServer) -> dict:
    """The arguments of `NotebookHandler`'s address."""
    # As in `Voila.init_handlers`. If Voila needs more of them, explorers answer with status 500.
    return {
        "template_paths": app.template_paths,
        "config": app.config,
        "voila_configuration": app.voila_configuration,
    }


class PlainErrors:
    """Errors as their number alone, for addresses that no person opens."""

    def write_error(self, status_code: int, **kwargs) -> None:
        self.finish(f"{status_code}\n")


class Files(PlainErrors, MultiStaticFileHandler):
    """Files of several folders."""


class Extensions(PlainErrors, FileFindHandler):
    """Scripts of the widgets, which Voila's page loads."""


def list_file_addresses(app: VoilaServer) -> list[tuple]:
    """The addresses of the scripts and styles that Voila's page asks for."""
    # As in `Voila.init_handlers`. If a page asks for another address, its widgets do not appear.
    return [
        (r"/voila/(?:templates/glow/)?static/(.*)", Files, {"paths": app.static_paths}),
        (r"/voila/labextensions/(.*)", Extensions, {"path": app.labextensions_path}),
    ]


# ---- kernels ------------------------------------------------------------------------------------------


class KernelInfo(KernelHandler):
    """Voila's page asks for its kernel by id before it connects, and may do nothing else with it."""

    # Jupyter's handler would also delete kernels. If its module moves, the import fails.
    SUPPORTED_METHODS = ("GET",)


class KernelSocket(PlainErrors, VoilaKernelWebsocketHandler):
    """Connects a page to its kernel; token and origin of the page are checked by its parents."""

    # A closed page leaves its kernel running in Voila (issue 1458), so this ends it. `kernel_id` and `kernel_manager`
    # of Jupyter's handler are not documented; if one is renamed, kernels of closed pages stay for an hour.
    GOING_AWAY = 1001  # the reason that a browser gives when its page is left; a lost connection has another
    pages: ClassVar[dict[str, set]] = {}  # connected or connecting, of each kernel

    async def prepare(self) -> None:
        await super().prepare()
        offered = self.request.headers.get("Sec-WebSocket-Protocol", "").split(",")
        if guard.PROTOCOL not in [name.strip() for name in offered]:
            raise web.HTTPError(400)  # Jupyter would speak an older protocol, which nobody checks here
        pages = self.pages.setdefault(self.path_args[0], set())
        if len(pages) >= guard.PAGES_PER_KERNEL:
            raise web.HTTPError(503)
        pages.add(self)

    async def pre_get(self) -> None:
        try:
            await super().pre_get()
        except TimeoutError as error:  # the kernel has ended meanwhile
            raise web.HTTPError(404) from error
        if self.connection is None:  # the page was left while its kernel started; Jupyter would fail with an error
            raise web.HTTPError(404)

    def on_finish(self) -> None:
        super().on_finish()
        if self.get_status() != 101:  # no connection came of the request
            self.leave()

    def leave(self) -> None:
        pages = self.pages.get(self.path_args[0], set())
        pages.discard(self)
        if not pages:
            self.pages.pop(self.path_args[0], None)

    def on_close(self) -> None:
        self.leave()
        kernels, kernel_id, is_left = self.kernel_manager, self.kernel_id, self.close_code == self.GOING_AWAY
        super().on_close()
        if is_left:
            kernels.release(kernel_id)


class KernelConnection(ZMQChannelsWebsocketConnection):
    """Passes messages between a page and its kernel; tells the page when the kernel has died."""

    PROTOCOL_ERROR = 1002
    is_counted = False  # among the pages of its kernel

    # Jupyter would also take a page off the count that was left before it was connected. `connect` and `disconnect` are
    # the methods that its handler calls; if one is renamed, kernels end though a page is there.
    def connect(self):
        self.is_counted = True
        return super().connect()

    def disconnect(self) -> None:
        if self.is_counted:
            super().disconnect()
        elif self._open_sessions.get(self.session_key) is self.websocket_handler:
            del self._open_sessions[self.session_key]

    # Jupyter reads as many parts as a frame claims to have, which takes gigabytes. `handle_incoming_message` is the
    # method that its handler calls; if it is renamed, frames are not checked, which test_closed.py notices.
    def handle_incoming_message(self, incoming_msg: bytes | str) -> None:
        if guard.is_message(incoming_msg):
            super().handle_incoming_message(incoming_msg)
        else:
            self.websocket_handler.close(self.PROTOCOL_ERROR)

    # The parent also logs a failed restart. Here nobody tries to restart, so a line about it would mislead.
    # `_send_status_message` is private; if it goes, the page learns of the death from its next look (watch.js).
    def on_restart_failed(self) -> None:
        self._send_status_message("dead")


class KernelManager(AsyncMappingKernelManager):
    """Jupyter's kernels; a subclass says in `on_death` what happens when one has died."""

    # Replaces a private method that forgets a dead kernel without cleaning up after it. If it is renamed, the files of
    # a dead kernel stay. The subclass also overrides `start_kernel`, as Voila does not limit kernels (issue 617), and
    # `notify_disconnect`, which Jupyter's connections call; if they are renamed, kernels have no limit and no end.
    def _handle_kernel_died(self, kernel_id: str) -> None:
        self.on_death(kernel_id)

    def on_death(self, kernel_id: str) -> None:
        raise NotImplementedError
