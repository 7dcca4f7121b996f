"""Limits for visitors who mean harm: frames that are no messages, guesses of the token, paths of sockets."""

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from tornado.httputil import HTTPHeaders

from glowlab.serving import guard
from tests.browser.asking import message, pack

GOOD = [b"shell", b'{"msg_id": "1", "msg_type": "comm_msg"}', b"{}", b"{}", b"{}"]


def number(value: int) -> bytes:
    return value.to_bytes(8, "little")


def damaged() -> dict[str, bytes | str]:
    """Frames that are no messages."""
    good = pack(*GOOD)
    return {
        "empty": b"",
        "text": "{}",
        "claims 100,000,000 parts": number(100_000_000) + b"x" * 100,
        "claims 100,000,000 parts in the older protocol": (100_000_000).to_bytes(4, "big") + b"x" * 60,
        "claims 2^63 parts": number(2**63) + good[8:],
        "a million empty parts, all there": number(1_000_000) + number(8_000_008) * 1_000_000,
        "no content": pack(*GOOD[:4]),
        "cut off": good[:-1],
        "too long": good + b"x",
        "places out of order": good[:16] + good[24:32] + good[16:24] + good[32:],
        "a place behind the end": good[:24] + number(2**60) + good[32:],
        "a channel that is no text": pack(b"\xff", *GOOD[1:]),
        "a header that is no JSON": pack(GOOD[0], b"{", *GOOD[2:]),
        "a header without a type": pack(GOOD[0], b'{"msg_id": "1"}', *GOOD[2:]),
        "a type that is a number": pack(GOOD[0], b'{"msg_id": "1", "msg_type": 7}', *GOOD[2:]),
        "content that is a list": pack(*GOOD[:4], b"[]"),
        "deeply nested": pack(*GOOD[:4], b'{"a":' + b"[" * 100_000),
        "200 kB of JSON": pack(*GOOD[:4], b'{"a": "' + b"x" * 200_000 + b'"}'),
    }


@pytest.mark.parametrize("name", damaged())
def test_a_damaged_frame_is_no_message(name):
    assert not guard.is_message(damaged()[name])


@pytest.mark.parametrize("buffers", [[], [b""], [bytes(512 * 1024)], [b"a"] * 50])
def test_what_pages_send_is_a_message(buffers):
    assert guard.is_message(pack(*GOOD, *buffers))
    assert guard.is_message(message("comm_msg", comm_id="1", data={"state": {"move": [0, 0.5]}}))


def test_an_address_that_guesses_tokens_has_to_wait(monkeypatch, caplog):
    now = [0.0]
    monkeypatch.setattr(guard, "time", SimpleNamespace(monotonic=lambda: now[0]))
    guesses = guard.Guesses()
    for count in range(guard.MOST_GUESSES):
        assert not guesses.are_too_many("192.0.2.1"), count
        guesses.note("192.0.2.1")
    assert guesses.are_too_many("192.0.2.1") and not guesses.are_too_many("192.0.2.2")
    assert caplog.text.count("a wrong token from 192.0.2.1") == 10 and "has to wait" in caplog.text
    now[0] = guard.WINDOW
    assert not guesses.are_too_many("192.0.2.1")
    guesses.note("192.0.2.2")
    assert list(guesses.times) == ["192.0.2.2"]  # the others are forgotten


def test_one_visitor_cannot_be_many_addresses():
    assert guard.network("2001:db8::1") == guard.network("2001:db8::ffff:2") != guard.network("2001:db8:0:1::1")
    assert guard.network("192.0.2.1") == "192.0.2.1" and guard.network("no address") == "no address"


def test_every_answer_has_the_headers_that_it_did_not_set_itself():
    headers = HTTPHeaders({"X-One": "own"})
    transform = type("Headers", (guard.Headers,), {"headers": {"X-One": "1", "X-Two": "2"}})(None)
    transform.transform_first_chunk(200, headers, b"", True)
    assert dict(headers.get_all()) == {"X-One": "own", "X-Two": "2"}


@pytest.fixture
def folder(monkeypatch):
    """Makes a folder for temporary files whose path has so many letters."""
    monkeypatch.setattr(tempfile, "tempdir", None)

    def make(root: Path, letters: int) -> str:
        path = str(root / ("x" * (letters - len(str(root)) - 1)))
        os.makedirs(path)
        monkeypatch.setenv("TMPDIR", path)
        return path

    return make


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such sockets")
@pytest.mark.parametrize(("letters", "fits"), [(30, True), (37, True), (38, False), (48, False), (90, False)])
def test_sockets_have_short_paths(folder, letters, fits):
    with tempfile.TemporaryDirectory(dir="/tmp") as root:
        path = folder(Path(root), letters)
        assert guard.choose_transport() == "ipc"
        assert tempfile.gettempdir() == (path if fits else "/tmp")
        made = tempfile.mkdtemp(prefix="voila_")
        os.rmdir(made)
        assert len(f"{made}/kernel-{'0' * 36}-ipc-5") <= guard.SOCKET_PATH


def test_where_no_path_is_short_enough_there_are_ports(monkeypatch, folder):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert guard.choose_transport() == "tcp"
