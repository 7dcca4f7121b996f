"""Serve a dashboard to this machine's browser:  python -m glowlite.explorers.serve [--port 8866]

Voila runs the notebook for each visitor in a kernel of its own; its settings are here, with the reasons.
"""

import argparse
import errno
import logging
import os
import secrets
import socket
import sys
import webbrowser
from pathlib import Path

from glowlite.errors import GlowliteError

HERE = Path(__file__).resolve().parent
LOOPBACK = ("127.0.0.1", "localhost", "::1")
EXTENSIONS = ["@jupyter-widgets/jupyterlab-manager", "anywidget", "@voila-dashboards/widgets-manager8"]
# The browser itself refuses whatever is not from here; widgets arrive as blobs, styles and workers in the
# page.
POLICY = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'self'"


def find_dashboard(name: str = "studio") -> Path:
    """The notebook of a dashboard, by name, or a path to one of your own. GlowliteError if there is none."""
    if name.endswith(".ipynb") and Path(name).is_file():
        return Path(name).resolve()
    for root in (HERE.parent, HERE.parents[1]):  # an installed package, a checkout
        path = root / "notebooks" / "dashboards" / f"{name}.ipynb"
        if path.is_file():
            return path
    raise GlowliteError(
        f"There is no dashboard {name!r}; run this from a checkout, or give the path of a notebook."
    )


def free_port(host: str, port: int) -> int:
    """`port` if it is free (0: any that is). GlowliteError, with what to do, if it is not."""
    if not 0 <= port < 65536:
        raise GlowliteError(f"A port is a number from 1 to 65535, not {port}.")
    try:
        family = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][
            0
        ]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if (
                os.name == "posix"
            ):  # a port whose last user has just gone is free; on Windows the option means otherwise
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return probe.getsockname()[1]
    except socket.gaierror as error:
        raise GlowliteError(
            f"{host!r} is no address of this machine; leave --host out to use 127.0.0.1."
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise GlowliteError(
                f"Port {port} is taken; choose another with --port (make explore PORT={port + 1})."
            ) from error
        if error.errno == errno.EACCES:
            raise GlowliteError(
                f"Port {port} is not for ordinary users; choose one above 1023 with --port."
            ) from error
        raise GlowliteError(f"Cannot listen on {host}, port {port}: {error.strerror}.") from error


def settings(host: str, port: int, token: str) -> dict:
    """Voila's configuration."""
    local = host in LOOPBACK
    tornado = {"headers": {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer"}}
    if local:
        # A closing page asks to end its kernel, without a token against forgery, and would be refused
        # (voila#1458).
        tornado["disable_check_xsrf"] = True
        # Only pages opened by a local name: another site cannot reach us by pointing its own name at
        # 127.0.0.1.
        tornado |= {"allow_remote_access": False, "local_hostnames": list(LOOPBACK)}
    return {
        "Voila": {
            "ip": host,
            "port": port,
            "port_retries": 0,  # a busy port is an error, never a silent move to another
            "token": token,
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
            "preheat_kernel": True,  # one kernel waits, loaded and drawn, for the next visitor
            "default_pool_size": 1,
        },
        "VoilaExecutor": {"startup_timeout": 300},
        # Between server and kernels: files of this user rather than ports that every user of the machine can
        # reach.
        "KernelManager": {"transport": "tcp" if os.name == "nt" else "ipc"},
        # The next kernel is made once the page just opened has had the machine to itself for a moment.
        "VoilaKernelManager": {"fill_delay": 5},
        # Kernels of pages that vanished without a word (a closed laptop) end after a few minutes.
        "MappingKernelManager": {"cull_interval": 60, "cull_idle_timeout": 300, "cull_connected": False},
    }


def can_open_browser() -> bool:
    """Whether there is a screen: on Linux without one, `webbrowser` opens a text browser in the terminal."""
    if sys.platform in ("darwin", "win32") or os.environ.get("BROWSER"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def prepare_environment() -> None:
    """Variables for the server and its kernels: where template and package are, how many threads."""

    def prepend(name: str, path: Path) -> None:
        os.environ[name] = os.pathsep.join(filter(None, [str(path), os.environ.get(name, "")]))

    prepend("JUPYTER_PATH", HERE)  # holds voila/templates/glow
    prepend("PYTHONPATH", HERE.parents[1])
    # Every visitor has a kernel of its own. One thread draws a small picture about as soon as several do, and
    # where kernels compete for cores, threads that wait for each other are slower by far.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def make_app(notebook: Path, host: str, port: int, token: str, open_browser: bool):
    """The Voila application for one notebook, configured and ready to start."""
    prepare_environment()
    try:
        from jupyter_core.paths import jupyter_path
        from traitlets.config import Config
        from voila.app import Voila
    except ImportError as error:
        raise GlowliteError("The explorers need Voila: pip install 'glowlite[explorers]'") from error

    class Server(Voila):
        @property
        def data_dir(self) -> str:  # Voila takes the first folder of that name, which is that of our template
            return next(p for p in jupyter_path("voila") if (Path(p) / "themes").is_dir())

        def launch_browser(self) -> None:  # called once the server answers
            shown = (
                socket.gethostname()
                if host in ("", "0.0.0.0", "::")
                else f"[{host}]"
                if ":" in host
                else host
            )
            address = f"http://{shown}:{port}/" + (f"?token={token}" if token else "")
            print(f"The studio is at  {address}\nPress Ctrl-C here to stop it.", flush=True)
            if open_browser and can_open_browser():
                webbrowser.open(address)

    Voila.clear_instance()
    app = Server.instance(config=Config(settings(host, port, token)))  # whose log all of Voila writes to
    app.open_browser = True
    logging.getLogger("tornado").setLevel(logging.ERROR)  # a refused request is not news for the terminal
    app.initialize([str(notebook)])
    return app


def main(
    port: int = 8866,
    host: str = "127.0.0.1",
    open_browser: bool = True,
    dashboard: str = "studio",
    token: str = "",
) -> None:
    """Serve until Ctrl-C. GlowliteError if the port is taken, or the dashboard or Voila is missing.

    On any host but this machine's own, visitors need a token: one is made up where none is given, and is part
    of the address that is printed.
    """
    notebook = find_dashboard(dashboard)
    if host not in LOOPBACK and not token:
        token = secrets.token_urlsafe(24)
    port = free_port(host, port)
    app = make_app(notebook, host, port, token, open_browser)
    app.start()  # returns on Ctrl-C or a termination signal, its kernels ended
    print("Stopped.", flush=True)


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m glowlite.explorers.serve", description="Serve the studio."
    )
    parser.add_argument(
        "--port", type=int, default=8866, help="0 takes any that is free (default: %(default)s)"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="0.0.0.0 lets others in, with a token (default: %(default)s)"
    )
    parser.add_argument("--token", default="", help="what visitors from elsewhere need; made up if not given")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument(
        "--dashboard", default="studio", help="its name, or the path of a notebook (default: %(default)s)"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    options = parse()
    try:
        main(options.port, options.host, not options.no_browser, options.dashboard, options.token)
    except GlowliteError as error:
        sys.exit(f"{error}")
    except KeyboardInterrupt:
        sys.exit(130)
