"""Pictures of one's own through the page: odd ones are shown, bad ones are one kind sentence, and memory comes back."""

import base64

import numpy as np
import pytest
from PIL import Image

from .odd_pictures import COLOURS, ODD, PATCHES, encode, fuzzed, header
from .visitor import apart, drawn, pictures, rests, slider, visit

pytestmark = pytest.mark.slow

MEGABYTE = 2**20
# Of each explorer: its upload field, where the picture goes, where the moved one is, a slider.
PLACES = {
    "studio": ("Your own picture", ".gl-pair > :nth-child(1)", ".gl-pair > :nth-child(2)", "Smile"),
    "interpolation": (
        "Your own picture as the first",
        ".gl-trio > :nth-child(1)",
        ".gl-trio > :nth-child(2)",
        "How far",
    ),
}


@pytest.fixture(scope="module", params=PLACES)
def opened(request, server, browser):
    yield from visit(server, browser, request.param, "")


@pytest.fixture
def place(opened, request):
    """(page, its upload field, where the picture goes, where the moved one is, a slider)"""
    opened.wrong.clear()
    rests(opened.page)
    yield opened.page, *PLACES[request.node.callspec.params["opened"]]
    assert not opened.wrong


def give(page, field: str, data: bytes, name: str = "mine.png", padding: int = 0) -> None:
    """Choose a file made in the page: `data` and then so many zeros, which picture formats do not mind."""
    page.get_by_label(field, exact=True).evaluate(
        """(input, [text, name, padding]) => {
            const data = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([data, new Uint8Array(padding)], name));
            input.files = transfer.files;
            input.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        [base64.b64encode(data).decode(), name, padding],
    )


def notice(page):
    """What stands above the pictures, once there is something."""
    found = page.locator(".gl-head .gl-notice").first
    found.wait_for()
    return found.locator("span").inner_text(), "gl-bad" in found.get_attribute("class")


def close(page) -> None:
    page.get_by_role("button", name="Close this message").click()
    page.locator(".gl-head .gl-notice").first.wait_for(state="hidden")


def test_odd_pictures_come_out_right(place):
    page, field, where, _, _ = place
    for what, make in ODD.items():
        name = "Ünïcødé 图片 🙂 'a&b'<i>.png" if "name" in what else "mine.png"
        give(page, field, make(), name, 12 * MEGABYTE if what == "12 MB" else 0)
        text, bad = notice(page)
        assert not bad and text.startswith("Your picture"), what
        rests(page)
        quarters = pictures(page, where)[0][16::32, 16::32]
        expected = COLOURS.astype(int)
        if "transparency" in what:
            expected = np.where([[[True], [False]], [[False], [False]]], 255, expected)
        assert apart(quarters, expected) <= 12, what
        close(page)


BAD = {
    "empty": (lambda: b"", "is empty"),
    "text": (lambda: b"Dear diary, " * 50, "not a picture"),
    "SVG": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg' width='99' height='99'/>", "not a picture"),
    "HEIC": (lambda: b"\0\0\0\x18ftypheic" + b"\0" * 64, "is a HEIC picture"),
    "a page": (lambda: b"<!DOCTYPE html><script>alert(1)</script>", "not a picture"),
    "PNG cut short": (lambda: encode(PATCHES)[:-80], "damaged or cut short"),
    "JPEG cut short": (lambda: encode(PATCHES, "JPEG")[:700], "damaged or cut short"),
    "one pixel": (lambda: encode(PATCHES[:1, :1]), "1 x 1 pixels"),
    "a line": (lambda: encode(np.zeros((10_000, 1, 3), np.uint8)), "1 x 10000 pixels"),
    "32 bits": (lambda: encode(Image.new("F", (32, 32), 7), "TIFF"), "8-bit PNG"),
    "bomb": (lambda: header(30_000, 30_000, 8, 0, bytes(30_001 * 300)), "900 million pixels"),
    "large": (lambda: header(20_000, 11_000, 8, 0, bytes(100)), "220 million pixels"),
    "50 MB": (lambda: encode(PATCHES), "50 MB"),
}


def test_bad_files_are_one_kind_sentence_each_and_the_page_goes_on(place):
    page, field, where, moved, name = place
    give(page, field, encode(PATCHES))
    notice(page)
    close(page)
    rests(page)
    before = pictures(page, where), pictures(page, moved)
    for what, (make, words) in BAD.items():
        give(page, field, make(), f"{what}.png", 50 * MEGABYTE if what == "50 MB" else 0)
        text, bad = notice(page)
        assert bad and words in text, what
        assert text.endswith(".") and 20 < len(text) < 160 and text.count(". ") == 0, text
        close(page)
    rests(page)
    assert apart(pictures(page, where), before[0]) == apart(pictures(page, moved), before[1]) == 0
    give(page, field, b"no picture")
    assert notice(page)[1]
    with drawn(page):
        slider(page, name).press("End")
    assert apart(pictures(page, moved), before[1]) > 0
    page.locator(".gl-head .gl-notice").first.wait_for(state="hidden")  # a move answers the sentence
    slider(page, name).dblclick()
    rests(page)


# Gives each file in its turn to the upload field, and tells what stands in the notice afterwards.
ALL = """async ([field, files]) => {
    const input = [...document.querySelectorAll(".gl-upload input")].find((e) => e.ariaLabel === field);
    const notice = document.querySelector(".gl-head .gl-notice"), said = [];
    for (const text of files) {
        if (!notice.hidden) notice.querySelector("button").click();
        const told = new Promise((done) => {
            const watch = new MutationObserver(() => {
                if (notice.hidden) return;
                watch.disconnect();
                done();
            });
            watch.observe(notice, { attributeFilter: ["hidden"] });
        });
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], "fuzz.png"));
        input.files = transfer.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
        await told;
        said.push([notice.querySelector("span").textContent, notice.classList.contains("gl-bad")]);
    }
    return said;
}"""


def test_five_hundred_damaged_files_and_memory_comes_back(place, server):
    page, field, where, _, _ = place
    kernel = server.kernel(page)
    files = fuzzed(500 if where.startswith(".gl-pair") else 150)
    large = base64.b64encode(encode(Image.effect_noise((3000, 3000), 90), "JPEG", quality=50)).decode()
    said, own = [], []
    for start in range(0, len(files), 50):
        said += page.evaluate(ALL, [field, [*files[start : start + 50], large]])
        own.append(kernel.memory_full_info().uss / MEGABYTE)  # what it shares is counted when it is first read
    grown = own[-1] - own[1]  # once it has grown to what reading a large picture takes
    refused = [text for text, bad in said if bad]
    assert len(said) >= len(files) and 0.2 * len(files) < len(refused) < 0.9 * len(files)
    for text, bad in said:
        assert text.endswith(".") and "\n" not in text and "fault is ours" not in text
        assert bad or text.startswith("Your picture")
    print(f"{len(refused)} of {len(said)} refused, {len(set(refused))} sentences; {grown:.1f} MB")
    assert grown < 16  # a large picture takes 27 when it is decoded, and eight more of them came
    close(page)
    give(page, field, encode(PATCHES))
    assert notice(page)[0].startswith("Your picture")
    rests(page)
    assert apart(pictures(page, where)[0][16::32, 16::32], COLOURS.astype(int)) <= 12
