"""What a test asks of a running server, past any browser: pages, connections to kernels."""

import asyncio
import http.client
import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from .conftest import LONG

SECONDS = LONG / 1000
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


async def connect(server, kernel: str, **headers):
    parts = urlsplit(server.address)
    address = f"ws://{parts.netloc}/api/kernels/{kernel}/channels?session_id={uuid.uuid4()}"
    request = HTTPRequest(address, headers=headers, request_timeout=SECONDS, connect_timeout=SECONDS)
    return await websocket_connect(request)


async def leave(socket) -> None:
    """Close a connection, and wait until the other side has."""
    socket.close()
    while await asyncio.wait_for(socket.read_message(), SECONDS) is not None:
        pass


def refused(server, kernel: str, **headers) -> int:
    """The status with which a connection is refused; 0 if it is not."""

    async def run() -> int:
        try:
            socket = await connect(server, kernel, **headers)
        except HTTPClientError as error:
            return error.code
        await leave(socket)
        return 0

    return finished(run())


def message(kind: str, channel: str = "shell", **content) -> str:
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": "s", "username": "", "version": "5.3"}
    rest = {"parent_header": {}, "metadata": {}, "buffers": [], "channel": channel, "content": content}
    return json.dumps({"header": header, **rest})
