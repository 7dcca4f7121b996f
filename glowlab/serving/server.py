"""The server: Voila with our addresses, our kernels and our settings, each with its reason."""

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from tornado.websocket import WebSocketClosedError
from traitlets.config import Config

from glowlab.serving import guard, handlers, kernels, patches
from glowlab.serving.weights import Weights

HERE = Path(__file__).resolve().parent
LOOPBACK = ("127.0.0.1", "localhost", "::1")
EXTENSIONS = ["@jupyter-widgets/jupyterlab-manager", "anywidget", "@voila-dashboards/widgets-manager8"]
# The browser refuses everything from other hosts; widgets are blobs, styles and workers are part of the page.
POLICY = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'self'"
# The messages that a page may send to its kernel; none of them runs code.
MESSAGE_TYPES = ("comm_open", "comm_close", "comm_msg", "comm_info_request", "kernel_info_request")


HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def make_settings(host: str, port: int, token: str, visitors: int, domain: str = "", transport: str = "ipc") -> dict:
    """Voila's configuration. `domain`: the name under which a web server in front passes visitors on."""
    tornado = {"headers": HEADERS}
    if host in LOOPBACK:
        # Another site could point its own name at 127.0.0.1; requests under such a name are refused.
        tornado |= patches.limit_hosts((*LOOPBACK, domain) if domain else LOOPBACK)
    return {
        "Voila": {
            "ip": host,
            "port": port,
            "port_retries": 0,  # a busy port is an error, never a silent move to another
            "token": token,
            "identity_provider_class": patches.Identity,
            "kernel_websocket_connection_class": patches.KernelConnection,
            "config_file_paths": [],  # not the settings of the person's other servers
            "tornado_settings": tornado,
            "log_level": logging.ERROR,
        },
        "VoilaConfiguration": {
            "template": "glow",
            "allow_template_override": "NO",
            "allow_theme_override": "NO",
            "file_allowlist": [],  # no files from the notebook's folder are served
            "strip_sources": True,
            "show_tracebacks": False,
            "extension_allowlist": EXTENSIONS,
            "multi_kernel_manager_class": kernels.Kernels,
            "prelaunch_hook": handlers.add_explorer,
            "page_config_hook": handlers.add_server_id,
        },
        # With many visitors an explorer's output may come long after its cell has run, so the page waits for it.
        "VoilaExecutor": {"startup_timeout": 300, "iopub_timeout": 300, "raise_on_iopub_timeout": True},
        "Kernels": {
            "places": visitors,
            # A page that nobody has used for an hour loses its kernel; it offers to start again where it was.
            "cull_interval": 60,
            "cull_idle_timeout": 3600,
            "cull_connected": True,
        },
        "KernelManager": {"transport": transport},
        # A kernel that died is not started again, as its state would be lost without notice; the page says so.
        "KernelRestarter": {"restart_limit": 0, "time_to_dead": 1.0},
    }


class Server(patches.VoilaServer):
    """Voila with the addresses of handlers.py in place of its own."""

    template_folders = (HERE.parent / "widgets",)  # theme.css
    message_types = MESSAGE_TYPES
    headers = HEADERS
    on_start: Callable[[], None]  # called once the server listens
    notebooks: Path | None = None  # the folder of the notebooks that are shown as pages
    weights: Weights

    def make_addresses(self) -> list:
        own = os.path.basename(self.notebook_path) if self.notebook_path else ""
        return handlers.list_addresses(self, own, self.notebooks, self.weights)

    def announce(self) -> None:
        if not self.notebook_path:
            # These take seconds; later ones come from a cache.
            for action in (handlers.render_landing, self.weights.export_all):
                threading.Thread(target=action, daemon=True).start()
        self.on_start()


class TemplateCache(BytecodeCache):
    """Compiled templates in memory. A template whose source has changed is compiled again."""

    def __init__(self):
        self.codes: dict[str, tuple] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self.codes.get(bucket.key, (None, None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.codes[bucket.key] = bucket.checksum, bucket.code


def prepare_environment() -> None:
    """Set the environment variables of the server and its kernels: folders of template and package, threads."""

    def prepend(name: str, path: Path) -> None:
        os.environ[name] = os.pathsep.join(filter(None, [str(path), os.environ.get(name, "")]))

    prepend("JUPYTER_PATH", HERE)  # holds voila/templates/glow
    prepend("PYTHONPATH", HERE.parents[1])
    # Every visitor has a kernel. Where kernels compete for cores, threads that wait for each other are much slower.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def should_log(record: logging.LogRecord) -> bool:
    """False for errors that follow from a page which has closed: a message to it, work of its kernel that has ended.

    A kernel that dies by itself has a line of its own (kernels.py).
    """
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, WebSocketClosedError) or "Kernel died" in f"{record.getMessage()} {error}")


def make_server(
    served: Path,
    notebooks: Path | None,
    host: str,
    port: int,
    token: str,
    visitors: int,
    on_start: Callable,
    domain: str,
    weights: Weights,
) -> Server:
    """A server that is ready to start, for a folder of explorers or for one notebook of a person's own."""
    prepare_environment()
    guard.allow_many_files()
    transport = guard.choose_transport()
    patches.cache_templates(TemplateCache())
    Server.clear_instance()
    # The one instance, as all parts of Voila write to its log.
    server = Server.instance(config=Config(make_settings(host, port, token, visitors, domain, transport)))
    server.on_start, server.notebooks, server.weights, server.open_browser = on_start, notebooks, weights, True
    # Only behind a web server do its headers tell a visitor's address; anyone could send them.
    server.http_options = guard.REQUESTS | {"xheaders": bool(domain)}
    logging.getLogger("tornado").setLevel(logging.ERROR)  # no lines in the terminal for refused requests,
    logging.getLogger("tornado.access").setLevel(logging.CRITICAL)  # nor for those without a free place
    for logger in (logging.getLogger("asyncio"), server.log):
        logger.addFilter(should_log)
    server.initialize([str(served)])
    return server
