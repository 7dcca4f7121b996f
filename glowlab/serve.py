"""Serve the explorers to this machine's browser, or to a class: `glowlite explore`.

The addresses, the kernels and the settings, each with its reason, are in serving/.
"""

import errno
import os
import secrets
import socket
import sys
import webbrowser
from pathlib import Path
from urllib.parse import quote

from glowlite.errors import GlowliteError

HERE = Path(__file__).resolve().parent
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHORTEST_TOKEN = 8
LECTURE = [
    "It opens in large type; F11 fills the screen, and the button in the header goes back to small type.",
    "A page's state is in its address: open the places of your talk beforehand, and keep their addresses.",
    "?controls=... in an address leaves only those controls on the page; the instructors' page lists them.",
]


def find_folder(name: str) -> Path | None:
    """The folder of the dashboards ("notebooks/dashboards") or of the notebooks, where there is one."""
    for root in (HERE, HERE.parent):  # an installed package, a checkout
        if (root / name).is_dir():
            return root / name
    return None


def find_dashboard(name: str = "studio") -> Path:
    """The notebook of a dashboard, by name, or a path to one of your own. GlowliteError if there is none."""
    if name.endswith(".ipynb") and Path(name).is_file():
        return Path(name).resolve()
    folder = find_folder("notebooks/dashboards")
    if folder is not None and (folder / f"{name}.ipynb").is_file():
        return folder / f"{name}.ipynb"
    raise GlowliteError(f"There is no dashboard {name!r}; run this from a checkout, or give the path of a notebook.")


def free_port(host: str, port: int) -> int:
    """`port` if it is free (0: any that is). GlowliteError, with what to do, if it is not."""
    if not 0 <= port < 65536:
        raise GlowliteError(f"A port is a number from 1 to 65535, not {port}.")
    try:
        family = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name == "posix":  # a port is free when its last user has gone; on Windows the option means otherwise
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return probe.getsockname()[1]
    except socket.gaierror as error:
        raise GlowliteError(f"{host!r} is no address of this machine; leave --host out to use 127.0.0.1.") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise GlowliteError(
                f"Port {port} is taken; choose another with --port (make explore PORT={port + 1})."
            ) from error
        if error.errno == errno.EACCES:
            raise GlowliteError(f"Port {port} is not for ordinary users; choose one above 1023 with --port.") from error
        raise GlowliteError(f"Cannot listen on {host}, port {port}: {error.strerror}.") from error


def can_open_browser() -> bool:
    """Whether there is a screen: on Linux without one, `webbrowser` opens a text browser in the terminal."""
    if sys.platform in ("darwin", "win32") or os.environ.get("BROWSER"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def find_public_host(host: str) -> str:
    """The name by which others reach a server that listens at `host`."""
    if host in ("", "0.0.0.0", "::"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:  # sends nothing, but chooses a way out
            try:
                probe.connect(("192.0.2.1", 9))
                return probe.getsockname()[0]
            except OSError:
                return socket.gethostname()
    return f"[{host}]" if ":" in host else host


def run(
    port: int = 8866,
    host: str = "127.0.0.1",
    open_browser: bool = True,
    dashboard: str = "",
    token: str = "",
    visitors: int = 0,
    lecture: bool = False,
    domain: str = "",
    model: str = "",
) -> None:
    """Serve until Ctrl-C. GlowliteError if the port is taken or there is no such dashboard.

    On any host but this machine's own, visitors need a token: one is made up where none is given, and is part
    of the address that is printed. `dashboard` is the name of an explorer to open, or the path of a notebook of
    your own, which is then all that is served. `visitors` is how many kernels may run; 0: as many as suit this machine.
    `domain` is the name under which a web server in front, with TLS, passes visitors on, with a path where it has one;
    they need a token too. `model` is one that ships, or the path of a checkpoint, which the explorers open first.
    """
    from glowlab.explorers.models import list_models
    from glowlab.serving import kernels, server, weights

    offered = weights.Weights(list_models(model))
    if model:
        offered.find(Path(model).stem)  # so that one that a page cannot show is refused here
    served = find_dashboard(dashboard or "studio")
    own = dashboard.endswith(".ipynb")
    if host not in LOOPBACK or domain:
        token = token or secrets.token_urlsafe(24)
        if len(token) < SHORTEST_TOKEN:
            raise GlowliteError(
                f"A token of {len(token)} letters can be guessed; give at least {SHORTEST_TOKEN}, or none to get one."
            )
    port = free_port(host, port)
    visitors = visitors or kernels.count_places()
    query = "&".join(filter(None, [lecture and "size=lecture", token and f"token={quote(token)}"]))
    path = "" if own or not dashboard else f"explore/{dashboard}"
    place = f"https://{domain.rstrip('/')}" if domain else f"http://{find_public_host(host)}:{port}"
    address = f"{place}/{path}" + (f"?{query}" if query else "")

    def announce() -> None:
        what = f"{served.name} is" if own else f"The explorer {dashboard} is" if dashboard else "The explorers are"
        hints = LECTURE if lecture else []
        if token:
            hints = [
                *hints,
                f"Whoever has this address gets in, {visitors} at a time; without its token nobody does.",
            ]
        if domain:
            hints = [f"The web server for {domain} passes requests on to http://127.0.0.1:{port}", *hints]
        print("\n".join([f"{what} at  {address}", *hints, "Press Ctrl-C here to stop."]), flush=True)
        if open_browser and can_open_browser():
            webbrowser.open(address)

    folder, name = served if own else served.parent, domain.partition("/")[0]
    running = server.make_server(folder, find_folder("notebooks"), host, port, token, visitors, announce, name, offered)
    running.start()  # returns on Ctrl-C or a termination signal, its kernels ended
    print("Stopped.", flush=True)
