"""The server's settings and the mistakes one can make when starting it; tests/browser starts it for good."""

import json
import logging
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_notebook
from tornado.websocket import WebSocketClosedError
from traitlets.config import Config
from voila.execute import VoilaExecutor

from glowlab import serve
from glowlab.explorers import NAMES
from glowlab.serving import server
from glowlite.errors import GlowliteError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_said_with_what_to_do(taken):
    with pytest.raises(GlowliteError, match=f"Port {taken} is taken.*--port"):
        serve.free_port("127.0.0.1", taken)


def test_port_zero_finds_one_that_can_be_used():
    port = serve.free_port("127.0.0.1", 0)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_is_a_port(port):
    with pytest.raises(GlowliteError, match="from 1 to 65535"):
        serve.free_port("127.0.0.1", port)


def test_a_host_that_is_not_ours_is_said():
    with pytest.raises(GlowliteError, match="192.0.2.1|address"):
        serve.free_port("192.0.2.1", 0)  # an address reserved for documentation


def test_dashboards_are_found_by_name_and_by_path(tmp_path):
    assert serve.find_dashboard("studio") == ROOT / "notebooks" / "dashboards" / "studio.ipynb"
    mine = tmp_path / "mine.ipynb"
    mine.write_text("{}")
    assert serve.find_dashboard(str(mine)) == mine
    with pytest.raises(GlowliteError, match="no dashboard 'attic'"):
        serve.find_dashboard("attic")


def test_the_dashboard_has_a_title_and_little_code():
    notebook = json.loads(serve.find_dashboard("studio").read_text())
    assert notebook["metadata"]["title"] == "Glow studio"
    assert len(notebook["cells"]) <= 2 and all(not cell.get("outputs") for cell in notebook["cells"])


def test_the_dashboards_show_their_explorers_and_import_no_pytorch():
    lines = ["import sys"]
    for name in NAMES:
        (cell,) = json.loads(serve.find_dashboard(name).read_text())["cells"]
        source = "".join(cell["source"]).splitlines()
        lines += [
            *source[:-1],
            f"made = {source[-1]}",
            f"assert made.element == 'glow-{name}'",
            "made._repr_mimebundle_()",
        ]
    script = "\n".join([*lines, "print('torch' in sys.modules)"])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.stdout == "False\n", done.stderr


def test_only_this_machine_gets_in_without_a_token():
    local, open_to_all = server.make_settings("127.0.0.1", 1, "", 5), server.make_settings("0.0.0.0", 1, "secret", 5)
    assert not local["Voila"]["tornado_settings"]["allow_remote_access"]
    assert open_to_all["Voila"]["token"] == "secret"
    for config in (local, open_to_all):
        assert "disable_check_xsrf" not in config["Voila"]["tornado_settings"]
        assert config["VoilaConfiguration"]["file_allowlist"] == []
        assert config["Voila"]["port_retries"] == 0
        assert config["Kernels"]["places"] == 5


def test_an_explorer_whose_output_comes_late_is_waited_for():
    # nbclient waits four seconds and then goes on without it: under a crowd, pages stayed without their explorer.
    executor = VoilaExecutor(new_notebook(), config=Config(server.make_settings("127.0.0.1", 1, "", 5)))
    assert executor.iopub_timeout > 60 and executor.raise_on_iopub_timeout


@pytest.fixture
def started(monkeypatch):
    """What a server would be started with, instead of starting one."""
    seen = []

    class Running:
        def start(self):
            pass

    def make(served, notebooks, host, port, token, visitors, answers, domain, weights):
        seen.append(SimpleNamespace(**locals()))
        return Running()

    monkeypatch.setattr(server, "make_server", make)
    return seen


def test_strangers_are_given_a_token_of_their_own(started):
    serve.run(port=0, host="0.0.0.0", open_browser=False)
    serve.run(port=0, host="127.0.0.1", open_browser=False)
    serve.run(port=0, host="0.0.0.0", open_browser=False, token="only ours")
    serve.run(port=0, open_browser=False, domain="glow.example.org")
    tokens = [made.token for made in started]
    assert min(len(tokens[0]), len(tokens[3])) >= 20 and tokens[1:3] == ["", "only ours"]


@pytest.mark.parametrize("where", [{"host": "0.0.0.0"}, {"domain": "glow.example.org"}])
def test_a_token_that_can_be_guessed_is_refused(started, where):
    for token in ("spring", "1234567", "x"):
        with pytest.raises(GlowliteError, match="can be guessed.*at least 8"):
            serve.run(port=0, open_browser=False, token=token, **where)
    assert not started


def test_behind_a_web_server_its_name_is_let_in_and_its_address_shown(started, capsys):
    serve.run(port=0, open_browser=False, domain="glow.example.org", token="only ours")
    started[0].answers()
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "The explorers are at  https://glow.example.org/?token=only%20ours"
    assert lines[2].endswith(f"passes requests on to http://127.0.0.1:{started[0].port}")
    names = server.make_settings("127.0.0.1", 1, "secret", 5, "glow.example.org")["Voila"]["tornado_settings"]
    assert names["local_hostnames"] == ["127.0.0.1", "localhost", "::1", "glow.example.org"]


def test_behind_a_hub_its_path_is_part_of_the_address(started, capsys):
    serve.run(port=0, open_browser=False, domain="hub.example.org/user/ada/proxy/8866/", token="only ours")
    started[0].answers()
    assert "https://hub.example.org/user/ada/proxy/8866/?token=" in capsys.readouterr().out
    assert started[0].domain == "hub.example.org"


def test_a_model_of_ones_own_is_offered_first(started, tmp_path, monkeypatch):
    serve.run(port=0, open_browser=False)
    assert list(started[0].weights.models) == ["faces64", "portraits64"]
    monkeypatch.setattr("glowlab.serving.weights.Weights.find", lambda self, name: name)
    (tmp_path / "mine.safetensors").touch()
    serve.run(port=0, open_browser=False, model=str(tmp_path / "mine.safetensors"))
    assert list(started[1].weights.models) == ["mine", "faces64", "portraits64"]
    with pytest.raises(GlowliteError, match="There is no model 'elsewhere'"):
        serve.run(port=0, open_browser=False, model="elsewhere")


def test_the_first_lines_name_the_address(started, capsys):
    serve.run(port=0, open_browser=False)
    serve.run(port=0, open_browser=False, dashboard="temperature", token="a b")
    serve.run(port=0, open_browser=False, lecture=True)
    for made in started:
        made.answers()
    lines = [line for line in capsys.readouterr().out.splitlines() if line != "Stopped."]
    one, two, three = started
    assert lines[0] == f"The explorers are at  http://127.0.0.1:{one.port}/"
    assert lines[1] == "Press Ctrl-C here to stop."
    assert lines[2] == f"The explorer temperature is at  http://127.0.0.1:{two.port}/explore/temperature?token=a%20b"
    assert lines[5] == f"The explorers are at  http://127.0.0.1:{three.port}/?size=lecture"
    assert "F11" in lines[6]


def test_an_explorer_by_name_is_opened_and_a_notebook_by_path_is_served_alone(started, tmp_path):
    mine = tmp_path / "mine.ipynb"
    mine.write_text("{}")
    serve.run(port=0, open_browser=False, dashboard="attributes")
    serve.run(port=0, open_browser=False, dashboard=str(mine))
    assert [made.served for made in started] == [ROOT / "notebooks" / "dashboards", mine]
    assert started[0].notebooks == ROOT / "notebooks"
    with pytest.raises(GlowliteError, match="no dashboard 'attic'"):
        serve.run(port=0, dashboard="attic")


def test_visitors_are_as_many_as_said_or_as_memory_allows(started):
    serve.run(port=0, open_browser=False, visitors=7)
    serve.run(port=0, open_browser=False)
    assert started[0].visitors == 7 and started[1].visitors >= 2


def test_a_server_for_others_names_an_address_that_others_can_reach():
    assert serve.find_public_host("::1") == "[::1]" and serve.find_public_host("example") == "example"
    assert serve.find_public_host("0.0.0.0") not in ("0.0.0.0", "")


@pytest.mark.parametrize(("variables", "opens"), [({}, False), ({"DISPLAY": ":0"}, True), ({"BROWSER": "x"}, True)])
def test_a_browser_is_opened_only_where_there_is_a_screen(monkeypatch, variables, opens):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert serve.can_open_browser() is opens


def test_the_environment_of_kernels(monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", "/elsewhere")
    for name in ("PYTHONPATH", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "")  # so that it is put back afterwards, whatever was there
        monkeypatch.delenv(name)
    server.prepare_environment()
    explorers, elsewhere = os.environ["JUPYTER_PATH"].split(os.pathsep)
    assert elsewhere == "/elsewhere"
    assert (Path(explorers) / "voila" / "templates" / "glow" / "conf.json").is_file()
    assert (Path(os.environ["PYTHONPATH"]) / "glowlite").is_dir()
    assert os.environ["OMP_NUM_THREADS"] == "1"


def test_on_the_command_line_a_mistake_is_one_sentence(taken):
    command = [sys.executable, "-m", "glowlite", "explore", "--no-browser", "--port", str(taken)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith(f"glowlite: Port {taken} is taken") and done.stderr.count("\n") == 1


def test_a_page_that_closes_is_no_news_and_all_else_is(caplog):
    log = logging.getLogger("asyncio")
    log.addFilter(server.should_log)
    try:
        for error in (WebSocketClosedError(), DeadKernelError("Kernel died"), ZeroDivisionError("news")):
            log.error("Task exception was never retrieved", exc_info=error)
        log.error("Kernel died while waiting for execute reply.")
    finally:
        log.removeFilter(server.should_log)
    assert "news" in caplog.text and not re.search("WebSocketClosedError|Kernel died", caplog.text)


def test_the_server_itself_computes_nothing_and_loads_little():
    script = "import sys, glowlab.serving.server; print(sorted({'torch', 'numpy', 'ipywidgets'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.stdout == "[]\n", done.stderr
