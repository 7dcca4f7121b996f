"""A running server without a browser: odd requests, guesses, damaged frames, half-open requests, Ctrl-C."""

import asyncio
import os
import shutil
import signal
import socket
import time
from urllib.parse import urlsplit

import psutil
import pytest

from benchmarks.servers import Server
from glowlab.serving import guard
from tests.browser.asking import ABSENT, SECONDS, ask, connect, finished, kernel_of, kind_of, leave, message, refused

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="Windows ends processes in other ways"),
]
DOMAIN, TOKEN = "glow.example.org", "open sesame"
FORWARDED = {"Host": DOMAIN, "X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def proxied():
    """A server as a web server in front of it sees it."""
    running = Server("", "--domain", DOMAIN, "--token", TOKEN)
    yield running
    running.stop()


def test_the_web_server_in_front_is_let_in_with_the_token(proxied):
    assert proxied.lines[0].strip().endswith(f"https://{DOMAIN}/?token=open%20sesame")
    assert ask(proxied, "/", **FORWARDED)[0] == 403
    status, headers, _ = ask(proxied, "/?token=open%20sesame&size=lecture", **FORWARDED)
    assert status == 302 and headers["Location"] == "./?size=lecture"
    cookie = headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" in cookie
    assert ask(proxied, "/", Cookie=cookie.partition(";")[0], **FORWARDED)[0] == 200
    assert ask(proxied, "/?token=open%20sesame", Host="other.example.org")[0] == 403
    # The page's connection comes from the domain, and is asked for under it.
    assert refused(proxied, str(ABSENT), Origin="https://other.example.org", **FORWARDED) == 403


@pytest.mark.parametrize("path", ["//example.org/", "/\\example.org", "//example.org", "/%2f%2fexample.org/"])
def test_no_address_leads_to_another_site(proxied, path):
    status, headers, _ = ask(proxied, f"{path}?token=open%20sesame")
    assert status == 404 or headers["Location"].startswith("./")


@pytest.mark.parametrize("path", ["/?token=%ff", "/%ff", "/explore/%ff", "/?token=open%20sesame&x=%c3%28"])
def test_a_damaged_address_is_said(proxied, path):
    status, _, text = ask(proxied, path)
    assert status == 400 and "damaged" in text


@pytest.mark.parametrize(
    "path",
    ["/", "/health", "/x", "/%ff", f"/api/kernels/{ABSENT}", f"/api/kernels/{ABSENT}/channels", f"/alive/{ABSENT}"]
    + [
        "/voila/static/voila.js",
        "/voila/static/x",
        "/voila/labextensions/x",
        "/explorers.js",
        "/models/faces64.bin",
        "/models/x.bin",
    ],
)
def test_every_answer_has_a_policy(proxied, path):
    for method in ("GET", "POST"):
        _, headers, _ = ask(proxied, path, method)
        assert headers["X-Content-Type-Options"] == "nosniff" and "Content-Security-Policy" in headers, method


def test_guesses_are_slowed_and_named(proxied):
    there = {"X_Forwarded_For": "192.0.2.7", **FORWARDED}
    codes = [ask(proxied, f"/?token=guess{i}", **there)[0] for i in range(guard.MOST_GUESSES + 2)]
    assert codes == [403] * (guard.MOST_GUESSES - 1) + [429] * 3
    assert ask(proxied, "/?token=open%20sesame", **there)[0] == 429  # right, but nobody looks
    assert ask(proxied, "/?token=open%20sesame", **FORWARDED)[0] == 302
    said = [line for line in proxied.lines if "wrong token" in line]
    assert len(said) == guard.MOST_GUESSES and all("192.0.2.7" in line for line in said)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /explore/studio HTTP/1.1\r\nHost: ",
        b"POST /health HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n",
        b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
    ],
)
def test_a_request_that_does_not_arrive_is_given_up(proxied, sent):
    parts = urlsplit(proxied.address)
    with socket.create_connection((parts.hostname, parts.port)) as half:
        half.sendall(sent)
        half.settimeout(SECONDS)
        while half.recv(4096):
            pass  # until the server closes it


def test_damaged_frames_end_their_connection_and_nothing_else(request):
    running = Server("", "--visitors", "2")
    request.addfinalizer(running.stop)
    status, _, text = ask(running, "/explore/attributes")
    assert status == 200
    kernel, before = kernel_of(text), psutil.Process(running.process.pid).memory_info().rss

    async def close_code(frame: bytes | str) -> int:
        socket = await connect(running, kernel)
        await socket.write_message(frame, binary=isinstance(frame, bytes))
        while await asyncio.wait_for(socket.read_message(), SECONDS) is not None:
            pass
        code = socket.close_code
        socket.close()
        return code

    async def run() -> None:
        page = await connect(running, kernel)
        for frame in (
            (100_000_000).to_bytes(8, "little") + b"x" * 100,
            (100_000_000).to_bytes(4, "big") + b"x" * 100,
            message("comm_msg")[:-1],
            '{"channel": "shell", "header": {"msg_type": "kernel_info_request"}}',
        ):
            assert await close_code(frame) == 1002
        await page.write_message(message("kernel_info_request"), binary=True)
        while kind_of(await asyncio.wait_for(page.read_message(), SECONDS)) != "kernel_info_reply":
            pass
        crowd = [await connect(running, kernel) for _ in range(guard.PAGES_PER_KERNEL - 1)]
        assert await asyncio.to_thread(refused, running, kernel) == 503
        for each in (page, *crowd):
            await leave(each)

    finished(run())
    assert refused(running, kernel, protocols=()) == refused(running, kernel, protocols=("x",)) == 400
    assert psutil.Process(running.process.pid).memory_info().rss - before < 50 * 2**20

    async def go_away() -> None:
        socket = await connect(running, kernel)
        socket.close(1001)
        while await socket.read_message() is not None:
            pass

    finished(go_away())
    time.sleep(1)  # its kernel ends two seconds after its page
    running.process.send_signal(signal.SIGINT)
    running.process.send_signal(signal.SIGINT)
    running.process.wait(SECONDS)
    assert len(running.lines) == 3 and running.lines[-1] == "Stopped.\n", "".join(running.lines)


@pytest.mark.parametrize("letters", [48, 90])
def test_kernels_answer_whatever_the_length_of_tmpdir(tmp_path, monkeypatch, request, letters):
    folder = f"/tmp/{tmp_path.name}".ljust(letters, "x")
    os.makedirs(folder)
    request.addfinalizer(lambda: shutil.rmtree(folder))
    monkeypatch.setenv("TMPDIR", folder)
    running = Server()
    request.addfinalizer(running.stop)
    status, _, text = ask(running, "/explore/attributes")
    assert status == 200 and "could not start" not in text and refused(running, kernel_of(text)) == 0
