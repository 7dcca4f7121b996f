"""The server: Voila with our addresses, our kernels and our settings, each with its reason."""

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from jupyter_core.paths import jupyter_path
from tornado.websocket import WebSocketClosedError
from traitlets.config import Config
from voila.app import Voila
from voila.voila_identity_provider import VoilaIdentityProvider

from glowlab.serving import compiled, handlers, kernels

HERE = Path(__file__).resolve().parent
LOOPBACK = ("127.0.0.1", "localhost", "::1")
EXTENSIONS = ["@jupyter-widgets/jupyterlab-manager", "anywidget", "@voila-dashboards/widgets-manager8"]
# The browser itself refuses whatever is not from here; widgets arrive as blobs, styles and workers in the page.
POLICY = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'self'"
MESSAGES = [
    "comm_open",
    "comm_close",
    "comm_msg",
    "comm_info_request",
    "kernel_info_request",
]  # none runs code


def settings(host: str, port: int, token: str, visitors: int) -> dict:
    """Voila's configuration."""
    headers = {
        "Content-Security-Policy": POLICY,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    tornado = {"headers": headers}
    if host in LOOPBACK:
        # Only pages opened by a local name: another site cannot reach us by pointing its own name at 127.0.0.1.
        tornado |= {"allow_remote_access": False, "local_hostnames": list(LOOPBACK)}
    return {
        "Voila": {
            "ip": host,
            "port": port,
            "port_retries": 0,  # a busy port is an error, never a silent move to another
            "token": token,
            "identity_provider_class": VoilaIdentityProvider,  # a token or nothing: no passwords, no page to log in
            "kernel_websocket_connection_class": kernels.Connection,
            "config_file_paths": [],  # settings of the person's other servers are not ours
            "tornado_settings": tornado,
            "log_level": logging.ERROR,
        },
        "VoilaConfiguration": {
            "template": "glow",
            "allow_template_override": "NO",
            "allow_theme_override": "NO",
            "file_allowlist": [],  # no files are served, whatever lies beside the notebook
            "strip_sources": True,
            "show_tracebacks": False,
            "extension_allowlist": EXTENSIONS,
            "multi_kernel_manager_class": kernels.Kernels,
            "page_config_hook": handlers.name_server,
        },
        # Under a crowd an explorer's output may come long after the word that its cell has run; it is waited for.
        "VoilaExecutor": {"startup_timeout": 300, "iopub_timeout": 300, "raise_on_iopub_timeout": True},
        "VoilaExporter": {"filters": {"film": "glowlab.films.film.embed"}},  # what the template shows at first
        "Kernels": {
            "most": visitors,
            # A page left open and unseen gives its place back after an hour; it offers to start again where it was.
            "cull_interval": 60,
            "cull_idle_timeout": 3600,
            "cull_connected": True,
        },
        # Between server and kernels: files of this user rather than ports that every user of the machine can reach.
        "KernelManager": {"transport": "tcp" if os.name == "nt" else "ipc"},
        # A kernel that died is not started again behind the page's back, without what was in it: the page says so.
        "KernelRestarter": {"restart_limit": 0, "time_to_dead": 1.0},
    }


class Server(Voila):
    """Voila, with the addresses of handlers.py in place of its own."""

    answers: Callable[[], None]  # called once the server can be reached
    notebooks: Path | None = None  # the folder of the notebooks that are shown as pages

    @property
    def data_dir(self) -> str:  # Voila takes the first folder of that name, which is that of our template
        return next(p for p in jupyter_path("voila") if (Path(p) / "themes").is_dir())

    def setup_template_dirs(self) -> None:
        super().setup_template_dirs()
        self.template_paths.append(str(HERE.parent / "widgets"))  # theme.css

    def init_settings(self) -> dict:
        made = super().init_settings()
        self.kernel_manager.allowed_message_types = MESSAGES
        return made

    def init_handlers(self) -> list:
        own = os.path.basename(self.notebook_path) if self.notebook_path else ""
        return handlers.addresses(self, own, self.notebooks)

    def launch_browser(self) -> None:  # called once the server listens
        if not self.notebook_path:
            threading.Thread(target=handlers.landing, daemon=True).start()  # it takes seconds, but only once
        self.answers()


def prepare_environment() -> None:
    """Variables for the server and its kernels: where template and package are, how many threads."""

    def prepend(name: str, path: Path) -> None:
        os.environ[name] = os.pathsep.join(filter(None, [str(path), os.environ.get(name, "")]))

    prepend("JUPYTER_PATH", HERE)  # holds voila/templates/glow
    prepend("PYTHONPATH", HERE.parents[1])
    # Every visitor has a kernel of its own. One thread draws a small picture about as soon as several do, and where
    # kernels compete for cores, threads that wait for each other are slower by far.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def worth_telling(record: logging.LogRecord) -> bool:
    """False for a message that was on its way to a page when that closed."""
    return not (record.exc_info and isinstance(record.exc_info[1], WebSocketClosedError))


def make_server(
    served: Path,
    notebooks: Path | None,
    host: str,
    port: int,
    token: str,
    visitors: int,
    fork: bool,
    answers: Callable,
) -> Server:
    """The server, ready to start: for a folder of explorers, or for one notebook of a person's own."""
    prepare_environment()
    if fork:
        kernels.use_forks()
    compiled.keep_templates()
    Voila.clear_instance()
    server = Server.instance(config=Config(settings(host, port, token, visitors)))  # whose log all of Voila writes to
    server.answers, server.notebooks, server.open_browser = answers, notebooks, True
    logging.getLogger("tornado").setLevel(logging.ERROR)  # a refused request is not news for the terminal,
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)  # nor is one for which there was no room
    logging.getLogger("asyncio").addFilter(worth_telling)
    server.initialize([str(served)])
    return server
