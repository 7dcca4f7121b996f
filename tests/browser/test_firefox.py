"""The explorers of static pages in Firefox: live from a server and from a disk, exact, and moved by keyboard."""

import pytest

from glowlab.web import static
from glowlab.web.widgets import EXPLORERS

from .firefox import Firefox, find_firefox
from .web_site import Site, make_model

pytestmark = pytest.mark.slow
RIGHT = "\ue014"  # the arrow key, as WebDriver names it
LIVE = """
    const explorer = document.querySelector("[models]"), end = performance.now() + 60000;
    while (explorer.dataset.state !== "resting") {
        if (performance.now() > end) throw new Error(`it is ${explorer.dataset.state}: ${explorer.innerText}`);
        await new Promise((done) => setTimeout(done, 50));
    }
"""
# wrong values of pictures that came back; how they are computed
BACK = f"""{LIVE}
    let state = 1;
    const noise = () => (state = (state * 48271) % 2147483647) & 255;
    const kinds = [() => 0, () => 255, (i) => 255 * (i & 1), noise, () => 255 * (noise() >> 7)];
    const wrong = [];
    for (const kind of kinds) {{
        const pixels = Uint8Array.from({{ length: explorer.dims }}, (_, i) => kind(i));
        const back = await explorer.engine.decode(await explorer.engine.encode(pixels.slice()));
        wrong.push(pixels.filter((value, i) => value !== back[i]).length);
    }}
    return [wrong, explorer.engine.kernels];
"""
AFTER = "return document.querySelector('.gl-pair > :nth-child(2) canvas').toDataURL();"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    make_model(folder / "tiny.safetensors")
    for name in EXPLORERS:
        static.write(name, [folder / "tiny.safetensors"], folder)
    running = Site(folder, "studio.html")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    if not (program := find_firefox()):
        pytest.skip("there is no Firefox")
    running = Firefox(program, tmp_path_factory.mktemp("profile"))
    yield running
    running.stop()


@pytest.fixture(params=["a server", "a disk"])
def address(request, site) -> str:
    return site.address if request.param == "a server" else f"{site.folder.as_uri()}/"


@pytest.mark.parametrize("name", EXPLORERS)
def test_every_explorer_is_live(firefox, address, name):
    firefox.open(f"{address}{name}.html")
    said = firefox.run(f"{LIVE} return [explorer.querySelector('.gl-notice').hidden, explorer.innerText];")
    assert said[0] and "Bits per dimension" in said[1] and "Time to draw" in said[1]


def test_every_pixel_comes_back(firefox, address):
    firefox.open(f"{address}studio.html")
    assert firefox.run(BACK) == [[0] * 5, "WebAssembly"]


def test_a_slider_moves_by_keyboard_and_the_address_follows(firefox, site):
    firefox.open(f"{site.address}studio.html?face=gallery-2")
    before = firefox.run(f"{LIVE} {AFTER}")
    firefox.press("input[type=range]", 9 * RIGHT)  # the first attribute
    firefox.run("while (!location.search.includes('smile=')) await new Promise((done) => setTimeout(done, 50));")
    assert firefox.run(f"{LIVE} {AFTER}") != before
