"""The server's addresses, kernels and connections: which are open, and that all others are closed."""

import asyncio
import json

import pytest

from .asking import ABSENT, SECONDS, ask, connect, finished, kernel_of, kind_of, leave, message, refused


@pytest.fixture(scope="module")
def visitor(server):
    """The id of a visitor's kernel."""
    status, _, text = ask(server, "/explore/attributes")
    assert status == 200
    kernel = kernel_of(text)
    yield kernel
    ask(server, f"/voila/api/shutdown/{kernel}", "POST")


# ---- what is served, and what is not ------------------------------------------------------------------


def test_the_pages_there_are(server):
    for path, words in {
        "/": "notebooks/00_why_reversible.html",
        "/notebooks/00_why_reversible.html": "Why reversible",
        "/source/flows/actnorm.html": "ActNorm",
        "/docs/glossary.html": "maximum likelihood",
    }.items():
        status, headers, text = ask(server, path)
        assert status == 200 and words in text
        assert headers["Content-Type"].startswith("text/html") and headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]


def test_models_and_the_script_are_there_and_asked_for_once(server):
    for path, kind in {"/explorers.js": "text/javascript", "/models/faces64.bin": "application/octet-stream"}.items():
        status, headers, _ = ask(server, path)
        assert status == 200 and headers["Content-Type"].startswith(kind) and headers["Cache-Control"] == "no-cache"
        assert int(headers["Content-Length"]) > 50_000  # a page shows how much has come
        assert ask(server, path, If_None_Match=headers["Etag"])[0] == 304


@pytest.mark.parametrize(
    "path",
    [
        "/files/studio.ipynb",
        "/files/",
        "/api",
        "/api/contents",
        "/api/contents/studio.ipynb",
        "/api/kernels",
        "/api/kernels/",
        "/api/kernelspecs",
        "/api/sessions",
        "/api/terminals",
        "/api/config/x",
        "/api/status",
        "/api/shutdown",
        "/terminals/websocket/1",
        "/voila/files/studio.ipynb",
        "/voila/files/../../pyproject.toml",
        "/voila/render/studio.ipynb",
        "/voila/render/../../README.md",
        "/voila/tree",
        "/voila/api/contents",
        f"/voila/query/{ABSENT}",
        f"/voila/execution/{ABSENT}",
        f"/api/kernels/{ABSENT}/restart",
        f"/api/kernels/{ABSENT}/interrupt",
        f"/api/kernels/{ABSENT}",
        "/nbconvert/html/studio.ipynb",
        "/lab",
        "/tree",
        "/login",
        "/metrics",
        "/studio.ipynb",
        "/explore/",
        "/explore/attic",
        "/explore/studio.ipynb",
        "/explore/../studio",
        "/explore/%2e%2e%2fdashboards%2fstudio",
        "/notebooks/dashboards/studio.html",
        "/notebooks/../../pyproject.html",
        "/notebooks/%2e%2e%2fREADME.html",
        "/notebooks/00_why_reversible.ipynb",
        "/source/serve.html",
        "/docs/teaching.html",
        "/source/../../pyproject.html",
        "/source//etc/passwd.html",
        "/voila/static/../../../../../pyproject.toml",
        "/voila/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/voila/static/..%2f..%2f..%2fetc%2fpasswd",
        "/voila/static//etc/passwd",
        "/voila/templates/glow/index.html.j2",
        "/voila/templates/glow/static/../index.html.j2",
        "/voila/labextensions/../../../../pyproject.toml",
        "/voila/labextensions/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/voila/labextensions//etc/passwd",
        "/models/",
        "/models/x.bin",
        "/models/faces64.safetensors",
        "/models/faces64.bin.js",
        "/models/../models/x.bin",
        "/models/%2e%2e%2fassets%2fcheckpoints%2ffaces64.bin",
        "/..%2fpyproject.toml",
        "//etc/passwd",
    ],
)
def test_all_else_is_closed(server, path):
    for method in ("GET", "POST", "PUT", "DELETE"):
        status, headers, text = ask(server, path, method, "{}" if method in ("POST", "PUT") else None)
        assert status in (403, 404, 405), (method, status)
        assert "Location" not in headers and "[build-system]" not in text and "root:" not in text


def test_no_kernel_is_made_or_listed_for_whoever_asks(server, visitor, tmp_path):
    before = {kernel.pid for kernel in server.kernels()}
    made = tmp_path / "made"
    wish = {
        "name": "python3",
        "path": str(tmp_path),
        "env": {"PYTHONSTARTUP": "x"},
        "code": f"open({str(made)!r}, 'w')",
    }
    for path in ("/api/kernels", "/api/kernels/", "/api/sessions", "/voila/api/kernels"):
        for headers in ({}, {"Content_Type": "application/json", "Origin": server.address[:-1]}):
            assert ask(server, path, "POST", json.dumps(wish), **headers)[0] == 404
        status, _, text = ask(server, path)
        assert status == 404 and visitor not in text
    assert {kernel.pid for kernel in server.kernels()} == before and not made.exists()


def test_of_a_kernel_one_knows_there_is_little_to_do(server, visitor):
    address = f"/api/kernels/{visitor}"
    assert json.loads(ask(server, address)[2])["id"] == visitor
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert ask(server, address, method)[0] in (403, 404, 405)
    for action in ("restart", "interrupt"):
        assert ask(server, f"{address}/{action}", "POST")[0] == 404
    assert ask(server, f"/voila/api/shutdown/{visitor}", "POST", Origin="http://attacker.example")[0] == 403
    assert ask(server, f"/voila/api/shutdown/{visitor}")[0] == 405
    assert json.loads(ask(server, f"/alive/{visitor}")[2])["state"] in ("idle", "busy", "starting")
    assert json.loads(ask(server, f"/alive/{ABSENT}")[2])["state"] == "gone"


def test_another_sites_name_for_this_machine_is_refused(server, visitor):
    for path in (
        "/",
        "/explore/studio",
        f"/alive/{visitor}",
        f"/api/kernels/{visitor}",
        "/notebooks/x.html",
        "/x",
    ):
        assert ask(server, path, Host="attacker.example")[0] == 403, path
    assert ask(server, f"/voila/api/shutdown/{visitor}", "POST", Host="attacker.example")[0] == 403


# ---- the connection to a kernel -----------------------------------------------------------------------


def test_a_connection_from_elsewhere_is_refused(server, visitor):
    assert refused(server, visitor, Origin="http://attacker.example") == 403
    assert refused(server, visitor, Origin="null") == 403
    assert refused(server, visitor, Host="attacker.example", Origin="http://attacker.example") == 403
    assert refused(server, str(ABSENT)) == 404
    assert refused(server, visitor, Origin=server.address[:-1]) == 0


def test_no_message_runs_code(server, visitor, tmp_path):
    made = tmp_path / "made"
    code = f"open({str(made)!r}, 'w')"

    async def run() -> set[str]:
        socket = await connect(server, visitor)
        for channel in ("shell", "control"):
            for sent in (
                message("execute_request", channel, code=code, silent=False),
                message("complete_request", channel, code=code, cursor_pos=0),
                message("inspect_request", channel, code=code, cursor_pos=0),
                message("debug_request", channel, command="attach", arguments={}),
                message("shutdown_request", channel, restart=False),
            ):
                await socket.write_message(sent, binary=True)
        await socket.write_message(message("execute_request", "stdin", code=code), binary=True)
        await socket.write_message(message("kernel_info_request"), binary=True)
        kinds = set()
        while "kernel_info_reply" not in kinds:  # what was sent before has been dealt with
            kinds.add(kind_of(await asyncio.wait_for(socket.read_message(), SECONDS)))
        await leave(socket)
        return kinds

    kinds = finished(run())
    assert not kinds & {"execute_reply", "complete_reply", "inspect_reply", "debug_reply", "shutdown_reply"}
    assert not made.exists()
    assert json.loads(ask(server, f"/alive/{visitor}")[2])["state"] != "gone"


def test_a_page_that_went_without_a_word_is_told_from_one_that_is_there(server, visitor):
    def pages() -> int:
        return json.loads(ask(server, f"/alive/{visitor}")[2])["pages"]

    async def run() -> int:
        socket = await connect(server, visitor)
        await socket.write_message(message("kernel_info_request"), binary=True)
        await socket.read_message()
        here = await asyncio.to_thread(pages)
        await leave(socket)
        return here

    before = pages()
    assert finished(run()) == before + 1
