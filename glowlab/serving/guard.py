"""Limits for visitors who mean harm: frames that are not messages, guesses of the token, connections left half open."""

import ipaddress
import itertools
import json
import logging
import os
import struct
import tempfile
import time

from tornado.web import OutputTransform

log = logging.getLogger(__name__)
PROTOCOL = "v1.kernel.websocket.jupyter.org"  # of WebSocket frames; the only one that our pages speak
MOST_PARTS = 100  # of a message; a page of ours sends the four of JSON and one buffer
MOST_JSON = 2**17  # bytes in the four parts of JSON together
PAGES_PER_KERNEL = 8  # connections to one kernel; a page has one, and one more while it connects again
# Seconds that a request may take to arrive, and the largest body; no page of ours sends one.
REQUESTS = {"idle_connection_timeout": 20, "body_timeout": 20, "max_body_size": 2**16}
MOST_OPEN = 8192  # files and sockets of the server, where the system allows so many
SOCKET_PATH = 103  # bytes of a socket's path on a Mac; on Linux it has 107
# Bytes that follow the folder for temporary files: "/voila_12345678/kernel-", an id of 36, "-ipc-5".
OWN_PATH = 66
WINDOW, MOST_GUESSES = 60.0, 10  # seconds, and wrong tokens of one address in them


def is_message(frame: bytes | str) -> bool:
    """Whether a frame holds a message: its parts lie in order and fill it, and the first four are JSON objects.

    The layout is: the number of places, the places (8 bytes each, little endian), then the parts from place to place.
    The parts are the channel's name, header, parent header, metadata, content and buffers.
    """
    if not isinstance(frame, bytes):
        return False
    count = int.from_bytes(frame[:8], "little")
    start = 8 * (count + 1)
    if not 6 <= count <= MOST_PARTS + 2 or start > len(frame):
        return False
    places = struct.unpack_from(f"<{count}Q", frame, 8)
    ordered = all(before <= after for before, after in itertools.pairwise(places))
    if not ordered or places[0] != start or places[-1] != len(frame) or places[5] - places[1] > MOST_JSON:
        return False
    try:
        frame[places[0] : places[1]].decode()
        parts = [json.loads(frame[places[i] : places[i + 1]]) for i in range(1, 5)]
    except (ValueError, RecursionError):
        return False
    return all(isinstance(part, dict) for part in parts) and all(
        isinstance(parts[0].get(name), str) for name in ("msg_id", "msg_type")
    )


class Guesses:
    """Wrong tokens of the last minute; an address that sent too many is not listened to."""

    def __init__(self):
        self.times: dict[str, list[float]] = {}

    def note(self, address: str) -> None:
        """Note a wrong token, with a line in the terminal."""
        now = time.monotonic()
        recent = {key: [at for at in times if now - at < WINDOW] for key, times in self.times.items()}
        self.times = {key: times for key, times in recent.items() if times}
        times = self.times.setdefault(network(address), [])
        times.append(now)
        more = "; it has to wait a minute" if len(times) >= MOST_GUESSES else ""
        log.warning("a wrong token from %s, %d in a minute%s", address, len(times), more)

    def are_too_many(self, address: str) -> bool:
        """Whether tokens from `address` are refused, right or wrong."""
        now = time.monotonic()
        return sum(now - at < WINDOW for at in self.times.get(network(address), [])) >= MOST_GUESSES


def network(address: str) -> str:
    """The address of one visitor: with IPv6 the first half, since the other half is free to choose."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else address


class Headers(OutputTransform):
    """Adds `headers` to every answer that has not set them itself, files and errors included."""

    headers: dict[str, str] = {}

    def __init__(self, request):
        pass

    def transform_first_chunk(self, status_code: int, headers, chunk: bytes, finishing: bool):
        for name, value in self.headers.items():
            if name not in headers:
                headers[name] = value
        return status_code, headers, chunk


def allow_many_files() -> None:
    """Raise this process's limit of open files: a visitor needs a dozen, and a Mac allows 256."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN if hard == resource.RLIM_INFINITY else min(MOST_OPEN, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def choose_transport() -> str:
    """The way in which server and kernels talk: files of this user ("ipc"), or ports where there can be none ("tcp").

    All users of the machine can reach ports. A long TMPDIR, such as a Mac's, leaves no room for a socket's path, so
    this process's temporary files then go to /tmp, in folders that only their user can open.
    """
    if os.name == "nt":
        return "tcp"
    for folder in (tempfile.gettempdir(), "/tmp"):
        if len(os.fsencode(folder)) + OWN_PATH <= SOCKET_PATH and os.access(folder, os.W_OK | os.X_OK):
            tempfile.tempdir = folder
            return "ipc"
    return "tcp"
