"""What a test asks of a running server, past any browser: pages, connections to kernels."""

import asyncio
import base64
import http.client
import json
import os
import re
import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from benchmarks.servers import LONG as SECONDS

PROTOCOL = "v1.kernel.websocket.jupyter.org"
ABSENT = uuid.UUID(int=1)


def ask(server, path: str, method: str = "GET", body: str | None = None, **headers) -> tuple[int, dict, str]:
    """(status, headers, text); the path goes out as it stands here."""
    parts = urlsplit(server.address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=SECONDS)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, {"Host": parts.netloc, **named})
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read().decode(errors="replace")
    connection.close()
    return found


def kernel_of(page: str) -> str:
    """The id of the kernel that a page of ours has."""
    return re.search(r'"kernelId": "([0-9a-f-]{36})"', page).group(1)


# ---- the connection to a kernel -----------------------------------------------------------------------


def finished(coroutine):
    """What a coroutine returns. In a thread of its own, as playwright's loop runs in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


async def connect(server, kernel: str, protocols=(PROTOCOL,), **headers):
    parts = urlsplit(server.address)
    address = f"ws://{parts.netloc}/api/kernels/{kernel}/channels?session_id={uuid.uuid4()}"
    request = HTTPRequest(address, headers=headers, request_timeout=SECONDS, connect_timeout=SECONDS)
    return await websocket_connect(request, subprotocols=list(protocols))


async def leave(connection, code: int | None = None) -> None:
    """Close a connection, and wait until the other side has."""
    connection.close(code)
    while await asyncio.wait_for(connection.read_message(), SECONDS) is not None:
        pass


def knock(server, kernel: str) -> None:
    """Ask for a connection, and be gone before it is made."""
    parts, key = urlsplit(server.address), base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET /api/kernels/{kernel}/channels?session_id={uuid.uuid4()} HTTP/1.1",
        f"Host: {parts.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {PROTOCOL}",
    ]
    with socket.create_connection((parts.hostname, parts.port), SECONDS) as impatient:
        impatient.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
        time.sleep(0.5)  # the server begins
    time.sleep(0.5)  # and notices


def refused(server, kernel: str, protocols=(PROTOCOL,), **headers) -> int:
    """The status with which a connection is refused; 0 if it is not."""

    async def run() -> int:
        try:
            connected = await connect(server, kernel, protocols, **headers)
        except HTTPClientError as error:
            return error.code
        await leave(connected)
        return 0

    return finished(run())


def pack(*parts: bytes) -> bytes:
    """A frame of these parts: the channel's name, header, parent header, metadata, content, buffers."""
    places = [8 * (len(parts) + 2)]
    for part in parts:
        places.append(places[-1] + len(part))
    return b"".join(place.to_bytes(8, "little") for place in [len(places), *places]) + b"".join(parts)


def message(kind: str, channel: str = "shell", **content) -> bytes:
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": "s", "username": "", "version": "5.3"}
    return pack(channel.encode(), *[json.dumps(part).encode() for part in (header, {}, {}, content)])


def kind_of(frame: bytes) -> str:
    """The type of a message."""
    start, end = (int.from_bytes(frame[8 * i : 8 * (i + 1)], "little") for i in (2, 3))
    return json.loads(frame[start:end])["msg_type"]
