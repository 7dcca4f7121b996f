"""A picture of one's own in a page: its eyes are marked, it is turned and cut as glowlite does, and it stays here."""

import base64
import io
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from playwright.sync_api import expect

from glowlab.web import bundle
from glowlite.data.align import EYES, align, outside

from .conftest import click
from .odd_pictures import COLOURS, ODD, SIZES, damaged, encode, enlarged
from .test_accessible import violations
from .visitor import PHONE, WIDE, apart, looks, pictures, upload
from .web_site import read, rests

EXPLORER = "studio"
FIELD = "Your own picture"
BEFORE = ".gl-pair > :nth-child(1)"
USE, AS_IT_IS = "Use this picture", "Use as it is"
WEB = Path(bundle.__file__).parent
LEFT, RIGHT = (230.0, 160.0), (350.0, 205.0)  # eyes in `PHOTO`


def photo(width: int = 600, height: int = 400) -> np.ndarray:
    """Soft colours in which no two places are alike."""
    small = np.random.default_rng(3).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    return np.array(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


PHOTO = photo()


def aligned(eyes, size: int = 16, picture: np.ndarray = PHOTO) -> np.ndarray:
    """The crop by PyTorch."""
    image = torch.from_numpy(picture).permute(2, 0, 1)
    return align(image, *[tuple(eye) for eye in eyes], size).permute(1, 2, 0).numpy().astype(int)


def dialog(page):
    return page.get_by_role("dialog")


def mark(page, name: str):
    return dialog(page).get_by_role("slider", name=f"{name} eye")


def choose(page, data: bytes) -> None:
    page.get_by_label(FIELD).set_input_files({"name": "me.png", "mimeType": "image/png", "buffer": data})


def give(page, data: bytes | None = None):
    """Choose a file; the dialogue is open afterwards."""
    choose(page, encode(PHOTO) if data is None else data)
    dialog(page).wait_for()
    return page


def place(page, point) -> tuple[float, float]:
    """Where on the page a point of the picture is seen."""
    box = page.locator(".gl-view").bounding_box()
    x, y = page.evaluate("(at) => document.querySelector('.gl-explorer').marks.toView(at)", list(point))
    return box["x"] + x, box["y"] + y


def eyes(page) -> list:
    return page.evaluate("document.querySelector('.gl-explorer').marks.eyes")


def zoom(page) -> float:
    return page.evaluate("document.querySelector('.gl-explorer').marks.zoom")


def used(page) -> np.ndarray:
    """Wait until the picture is used, and give its pixels."""
    page.get_by_role("alert").filter(has_text="It stays on this device: nothing is sent.").wait_for()
    rests(page)
    assert not dialog(page).count()
    return pictures(page, BEFORE)[0]


# ---- the crop ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["mouse", "touch"])
def test_two_taps_mark_the_eyes_and_the_crop_is_that_of_glowlite(visit, way):
    options = {"viewport": PHONE, "has_touch": True, "is_mobile": True} if way == "touch" else {}
    page = give(visit("?model=real", **options))
    tap = page.touchscreen.tap if way == "touch" else page.mouse.click
    left, right = (430, 160), (540, 205)  # both of them nearer to where the second mark stands
    for eye in (right, left):
        tap(*place(page, eye))
    marked = sorted(eyes(page))
    assert np.abs(np.subtract(marked, [left, right])).max() < 2  # pixels of the picture
    expect(mark(page, "First")).to_have_attribute("aria-valuetext", "72 % from the left, 40 % from the top")
    click(page, USE)
    assert apart(used(page), aligned(marked)) <= 1
    rests(page, "?model=real&face=own")


def test_a_second_eye_under_the_first_mark_is_tapped_all_the_same(visit):
    page = give(visit("?model=real"))
    near = (LEFT[0] + 12, LEFT[1] + 2)
    page.mouse.click(*place(page, LEFT))
    expect(mark(page, "First")).to_have_attribute("aria-valuetext", "38 % from the left, 40 % from the top")
    page.mouse.click(*place(page, near))
    assert np.abs(np.subtract(sorted(eyes(page)), [LEFT, near])).max() < 2


def test_by_keyboard(visit):
    page = visit("?model=real")
    upload(page, FIELD, encode(PHOTO), "keyboard")
    dialog(page).wait_for()
    assert page.evaluate("document.activeElement.ariaLabel") == "First eye"
    before = eyes(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.ariaLabel") == "Second eye"
    page.keyboard.press("Shift+ArrowLeft")
    moved = np.subtract(eyes(page), before)
    assert moved[0][0] > 0 and moved[0][1] == pytest.approx(10 * moved[0][0]) == pytest.approx(-moved[1][0])
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.keyboard.press("-")
    assert zoom(page) == 1.5
    for _ in range(5):
        page.keyboard.press("+")
    for _ in range(120):
        page.keyboard.press("Shift+ArrowDown")
    view = page.locator(".gl-view").bounding_box()
    assert eyes(page)[1][1] == 400 and 0 <= place(page, eyes(page)[1])[1] - view["y"] <= view["height"]
    marked = eyes(page)
    page.get_by_role("button", name=USE).focus()
    page.keyboard.press("Enter")
    assert apart(used(page), aligned(marked)) <= 1
    assert page.evaluate("document.activeElement.type") == "file"  # the focus is back


def test_a_mark_is_dragged_and_the_view_zoomed_and_moved(visit):
    page = give(visit("?model=real"))
    for eye in (LEFT, RIGHT):
        page.mouse.click(*place(page, eye))
    page.mouse.move(*place(page, LEFT))
    page.mouse.wheel(0, -400)
    page.wait_for_function("document.querySelector('.gl-zoom output').textContent === '272 %'")
    before, at = place(page, (200, 150)), place(page, (180, 190))
    page.mouse.move(*at)  # beside the marks
    page.mouse.down()
    page.mouse.move(at[0] + 40, at[1] + 30, steps=4)
    page.mouse.up()
    after = place(page, (200, 150))
    assert np.subtract(after, before) == pytest.approx([40, 30], abs=1)
    x, y = place(page, LEFT)
    page.mouse.move(x + 5, y + 5)  # a little beside its middle
    page.mouse.down()
    page.mouse.move(x + 25, y - 15, steps=4)
    assert dialog(page).locator(".gl-loupe").is_visible()
    page.mouse.up()
    assert dialog(page).locator(".gl-loupe").is_hidden()
    goal = page.evaluate("(at) => document.querySelector('.gl-explorer').marks.toPicture(at)", [0, 0])
    box = page.locator(".gl-view").bounding_box()
    scale = page.evaluate("document.querySelector('.gl-explorer').marks.scale")
    wanted = [goal[0] + (x + 20 - box["x"]) / scale, goal[1] + (y - 20 - box["y"]) / scale]
    assert min(eyes(page)) == pytest.approx(wanted, abs=1)
    page.get_by_role("button", name="Zoom out").click()
    assert zoom(page) < 2
    marked = eyes(page)
    click(page, USE)
    assert apart(used(page), aligned(marked)) <= 1


def test_two_fingers_zoom(visit):
    page = give(visit("?model=real", viewport=PHONE, has_touch=True, is_mobile=True))
    client = page.context.new_cdp_session(page)
    box = page.locator(".gl-view").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = eyes(page)

    def touch(kind: str, apart: float) -> None:
        points = [{"x": middle[0] + side * apart, "y": middle[1] + 40, "id": i} for i, side in enumerate((-1, 1))]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points if kind != "touchEnd" else []})

    touch("touchStart", 60)
    for step in (75, 90, 105, 120):
        touch("touchMove", step)
    touch("touchEnd", 120)
    page.wait_for_function("document.querySelector('.gl-zoom output').textContent !== '100 %'")
    assert 1.8 < zoom(page) < 2.2 and eyes(page) == before


def test_use_as_it_is_takes_the_square_at_the_middle(visit):
    page = give(visit("?model=real"))
    page.mouse.click(*place(page, LEFT))
    click(page, AS_IT_IS)
    square = Image.fromarray(PHOTO).crop((100, 0, 500, 400)).resize((16, 16), Image.Resampling.LANCZOS)
    assert np.abs(used(page) - np.array(square).astype(int)).mean() < 2


def test_what_a_crop_is_worth_is_said(visit):
    page = give(visit("?model=real"))
    say = dialog(page).locator(".gl-remark").first
    page.mouse.click(*place(page, (20, 20)))
    page.mouse.click(*place(page, (320, 20)))
    share = outside((400, 600), (20, 20), (320, 20))
    say.filter(has_text="of it lies beyond the picture's edges.").wait_for()
    assert int(say.inner_text().split()[0]) / 100 == pytest.approx(share, abs=0.04)
    for name in ("First", "Second"):
        mark(page, name).focus()
        for _ in range(60):
            page.keyboard.press("Shift+ArrowLeft")
    for name in ("First", "Second"):
        mark(page, name).focus()
        for _ in range(60):
            page.keyboard.press("Shift+ArrowUp")
    say.filter(has_text="Both marks lie on one spot").wait_for()
    assert page.get_by_role("button", name=USE).is_disabled()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
    page.get_by_role("button", name="Cancel").click()
    assert page.get_by_role("alert").is_hidden()


@pytest.fixture(scope="module")
def modules(site, browser):
    """A page that can import the modules."""
    shutil.copytree(WEB, site.folder / "web", ignore=shutil.ignore_patterns("__pycache__"))
    page = browser.new_page()
    page.goto(site.address + "web/kernels.c")
    yield page
    page.close()


CROP = """async ([file, eyes, places, size]) => {
    const { alignFace, judgeCrop } = await import("./explorers/files.js");
    const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
    const picture = await createImageBitmap(new Blob([bytes]));
    const image = alignFace(picture, eyes, places, size);
    return [[...image.data], judgeCrop(picture, eyes, places, size)];
}"""
CROPS = {
    "small": [(230.5, 160.2), (243, 158)],
    "large": [(60, 200), (560, 240)],
    "steep": [(300, 100), (330, 320)],
    "right one first": [(400, 150), (210, 130)],
    "at the edge": [(2, 390), (90, 398)],
    "outside": [(-400, -300), (-300, -310)],
}


@pytest.mark.parametrize("size", [16, 64])
@pytest.mark.parametrize("which", CROPS)
def test_every_crop_is_that_of_glowlite(modules, which, size):
    places = [[eye.real / 64, eye.imag / 64] for eye in EYES]
    file = base64.b64encode(encode(PHOTO)).decode()
    data, judged = modules.evaluate(CROP, [file, CROPS[which], places, size])
    found = np.array(data).reshape(size, size, 4)
    assert apart(found[..., :3], aligned(CROPS[which], size)) <= 1 and (found[..., 3] == 255).all()
    assert judged["outside"] == pytest.approx(outside((400, 600), *CROPS[which]), abs=0.02)


# ---- kinds of pictures ---------------------------------------------------------------------------------------------

P3 = {"rXYZ": (0.51512, 0.2412, -0.00105), "gXYZ": (0.29198, 0.69225, 0.04189), "bXYZ": (0.1571, 0.06657, 0.78407)}


def display_p3() -> bytes:
    """A profile of Display P3: that of sRGB with other primaries."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for i in range(int.from_bytes(profile[128:132])):
        name, start = profile[132 + 12 * i :][:4].decode(), int.from_bytes(profile[136 + 12 * i :][:4])
        for number, value in enumerate(P3.get(name, ())):
            at = start + 8 + 4 * number
            profile[at : at + 4] = round(value * 65536).to_bytes(4, signed=True)
        if name == "desc":
            profile[start:] = profile[start:].replace("sRGB".encode("utf-16-be"), "Test".encode("utf-16-be"), 1)
    return bytes(profile)


def test_a_colour_profile_is_honoured(visit):
    four = np.array([[[230, 60, 60], [60, 200, 80]], [[60, 80, 220], [200, 200, 60]]], np.uint8)
    colours = four.repeat(8, 0).repeat(8, 1)
    profile = display_p3()
    expected = ImageCms.profileToProfile(
        Image.fromarray(colours), ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    )
    page = visit("?model=real")
    choose(page, encode(colours, icc_profile=profile))
    found = used(page)
    assert apart(found, np.array(expected).astype(int)) <= 3 and apart(found, colours.astype(int)) > 10


def test_a_picture_that_the_camera_turned_is_marked_upright(visit):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encode(np.ascontiguousarray(np.rot90(PHOTO)), "JPEG", quality=98, exif=exif)
    page = give(visit("?model=real"), turned)
    for eye in (LEFT, RIGHT):
        page.mouse.click(*place(page, eye))
    marked = eyes(page)
    click(page, USE)
    assert apart(used(page), aligned(marked)) <= 6


@pytest.mark.parametrize("what", ODD)
def test_odd_pictures_come_out_right(visit, what):
    """Turned by a camera, of other colours, transparent, animated: as people see them elsewhere."""
    page = give(visit("?model=real"), ODD[what]())
    click(page, AS_IT_IS)
    expected = COLOURS.astype(int)
    if "transparency" in what:
        expected = np.where([[[True], [False]], [[False], [False]]], 255, expected)
    assert apart(used(page)[4::8, 4::8], expected) <= 12


@pytest.mark.parametrize("kind", [*SIZES, "lossless"])
def test_a_huge_picture_is_refused_before_it_is_decoded(visit, kind):
    page = visit("?model=real")
    data = enlarged(kind, random.Random(0)) if kind in SIZES else b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + b"\xff" * 40
    choose(page, data)
    page.get_by_role("alert").filter(has_text="million pixels, and at most 100 million are read").wait_for()


# Gives each file in its turn, uses it as it is where it can be read, and tells what stands in the notice afterwards.
ALL = """async (files) => {
    const input = document.querySelector(".gl-upload input"), said = [];
    const notice = document.querySelector(".gl-head .gl-notice"), explorer = document.querySelector(".gl-explorer");
    for (const text of files) {
        if (!notice.hidden) notice.querySelector("button").click();
        const transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], "fuzz.png"));
        input.files = transfer.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
        const end = Date.now() + 60_000;
        while (notice.hidden && Date.now() < end) {
            await new Promise((done) => setTimeout(done, 1));
            const open = explorer.querySelector("dialog[open]");
            if (open) [...open.querySelectorAll("button")].find((b) => b.textContent === "Use as it is").click();
        }
        said.push([notice.querySelector("span").textContent, notice.classList.contains("gl-bad")]);
    }
    return said;
}"""


@pytest.mark.slow
def test_five_hundred_damaged_files_are_one_sentence_each_and_the_page_lives_on(visit):
    page = visit("?model=real")
    said = page.evaluate(ALL, [base64.b64encode(file).decode() for file in damaged(500)])
    assert len(said) == 500 and 0.5 < np.mean([bad for _, bad in said]) < 0.97
    for text, bad in said:
        assert text.endswith(".") and "\n" not in text and "fault is ours" not in text
        assert text.count(". ") == 0 if bad else text.startswith("Your picture")
    for words in ("0 bytes", "HEIC", "million pixels", "not a picture that can be read"):
        assert any(words in text for text, bad in said if bad), words
    choose(page, encode(PHOTO[:16, :16]))
    page.get_by_role("alert").filter(has_text="every pixel is the same").wait_for()
    assert apart(used(page), PHOTO[:16, :16].astype(int)) == 0


# ---- ways to give one ----------------------------------------------------------------------------------------------


def drop_file(page, path: Path, x: float, y: float) -> None:
    """Drop a file from the desktop, as a person does."""
    client = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        client.send("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": data})


@pytest.mark.parametrize("where", [(4, 4), (640, 60), (300, 300)], ids=["margin", "title", "picture"])
def test_a_file_may_be_dropped_anywhere_and_never_replaces_the_page(visit, tmp_path, where):
    (tmp_path / "me.png").write_bytes(encode(PHOTO))
    page = visit("?model=real")
    drop_file(page, tmp_path / "me.png", *where)
    dialog(page).wait_for()
    click(page, AS_IT_IS)
    used(page)
    assert page.url.endswith("?model=real&face=own")


def test_a_folder_is_said_and_so_is_a_file_that_cannot_be_read(visit, tmp_path):
    page = visit("?model=real")
    (tmp_path / "holiday").mkdir()
    drop_file(page, tmp_path / "holiday", 300, 300)
    page.get_by_role("alert").filter(has_text="holiday cannot be read here. Is it a folder, or a file").wait_for()
    click(page, "Close this message")
    (tmp_path / "cloud.png").write_bytes(b"")
    drop_file(page, tmp_path / "gone.png", 300, 300)
    page.get_by_role("alert").filter(has_text="gone.png cannot be read here.").wait_for()


DROP = """([kinds, name]) => {
    const transfer = new DataTransfer();
    for (const [kind, text] of Object.entries(kinds)) transfer.setData(kind, text);
    const made = { bubbles: true, cancelable: true };
    const event = name === "drop" ? new DragEvent(name, { ...made, dataTransfer: transfer })
        : new ClipboardEvent(name, { ...made, clipboardData: transfer });
    return !document.querySelector("main").dispatchEvent(event);
}"""


def test_a_picture_of_another_page_is_used_where_it_comes_along_and_else_said(visit):
    page = visit("?model=real")
    there = {"text/uri-list": "https://example.org/a.png", "text/html": "<img src='https://example.org/a.png'>"}
    assert page.evaluate(DROP, [there, "drop"])
    page.get_by_role("alert").filter(has_text="A picture of another page cannot be read from here.").wait_for()
    data = f"data:image/png;base64,{base64.b64encode(encode(PHOTO[:16, :16])).decode()}"
    assert page.evaluate(DROP, [{"text/uri-list": data, "text/html": "<img>"}, "drop"])
    assert apart(used(page), PHOTO[:16, :16].astype(int)) == 0
    click(page, "Close this message")
    assert page.evaluate(DROP, [{"text/plain": "hello"}, "drop"]) and page.get_by_role("alert").is_hidden()
    assert not page.evaluate(DROP, [{"text/plain": "hello"}, "paste"])


def test_a_picture_is_pasted(visit):
    page = visit("?model=real")
    page.evaluate(
        """(data) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(data)], "image.png", { type: "image/png" }));
            const made = { clipboardData: transfer, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new ClipboardEvent("paste", made));
        }""",
        list(encode(PHOTO)),
    )
    dialog(page).wait_for()
    page.keyboard.press("Escape")
    dialog(page).wait_for(state="hidden")
    assert page.get_by_role("alert").is_hidden()


def test_a_newer_picture_replaces_the_one_in_the_dialogue(visit, tmp_path):
    (tmp_path / "me.png").write_bytes(encode(PHOTO[::-1]))
    page = give(visit("?model=real"))
    drop_file(page, tmp_path / "me.png", 640, 400)
    shown = "document.querySelector('.gl-explorer').marks.picture"
    page.evaluate(f"globalThis.older = {shown}")
    page.wait_for_function(f"{shown} !== older || older.width === 600")
    for eye in (LEFT, RIGHT):
        page.mouse.click(*place(page, eye))
    marked = eyes(page)
    click(page, USE)
    assert apart(used(page), aligned(marked, picture=np.ascontiguousarray(PHOTO[::-1]))) <= 1


def test_a_dialogue_that_was_closed_leaves_the_next_one_open(visit):
    page = give(visit("?model=real"))
    page.evaluate(
        """async () => {
            const { marks } = document.querySelector(".gl-explorer");
            const copy = await createImageBitmap(marks.picture);
            const closed = new Promise((done) => marks.element.addEventListener("close", done));
            marks.close(null);
            marks.ask(copy);
            await closed; // which is told later
        }"""
    )
    assert dialog(page).count() == 1


# ---- the camera ----------------------------------------------------------------------------------------------------

CAMERA = """(() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
    const pen = canvas.getContext("2d");
    const draw = () => {
        pen.fillStyle = "rgb(200, 40, 40)"; pen.fillRect(0, 0, 320, 480);
        pen.fillStyle = "rgb(40, 60, 200)"; pen.fillRect(320, 0, 320, 480);
    };
    setInterval(draw, 30);
    globalThis.tracks = [];
    navigator.mediaDevices.getUserMedia = async () => {
        if (globalThis.refusal) throw new DOMException("no", globalThis.refusal);
        const stream = canvas.captureStream(10);
        globalThis.tracks.push(...stream.getTracks());
        return stream;
    };
})()"""
ENDED = "tracks.map((track) => track.readyState)"


def test_the_camera_takes_a_picture_as_in_a_mirror_and_is_off_afterwards(visit):
    page = visit("?model=real")
    page.evaluate(CAMERA)
    click(page, "Use the camera")
    page.get_by_role("button", name="Take the picture").wait_for()
    page.get_by_role("button", name="Take the picture").click()
    page.get_by_role("heading", name="Where are the eyes?").wait_for()
    assert page.evaluate(ENDED) == ["ended"]
    click(page, AS_IT_IS)
    left, right = used(page)[:, :7].mean((0, 1)), pictures(page, BEFORE)[0][:, 9:].mean((0, 1))
    assert left[2] > 150 > left[0] and right[0] > 150 > right[2]
    click(page, "Use the camera")
    page.get_by_role("button", name="Take the picture").wait_for()
    page.wait_for_function("tracks.length === 2")
    page.keyboard.press("Escape")
    page.wait_for_function("tracks[1].readyState === 'ended'")


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ("NotAllowedError", "The camera may not be used here: allow it in the browser, or choose"),
        ("NotFoundError", "No camera was found"),
        ("NotReadableError", "The camera does not answer"),
    ],
)
def test_a_camera_that_is_not_to_be_had_is_one_sentence(visit, refusal, words):
    page = visit("?model=real")
    page.evaluate(f"{CAMERA}; globalThis.refusal = '{refusal}'")
    click(page, "Use the camera")
    notice = page.get_by_role("alert").filter(has_text=words)
    notice.wait_for()
    assert "gl-bad" in notice.get_attribute("class") and not dialog(page).count()


def test_without_a_camera_there_is_no_button(browser, site):
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page = context.new_page()
    page.goto(f"{site.address}{site.page}?model=real")
    rests(page)
    assert page.get_by_label(FIELD).count() == 1 and not page.get_by_role("button", name="Use the camera").count()
    context.close()


# ---- everywhere, and for everyone ----------------------------------------------------------------------------------


def test_nothing_leaves_the_device(visit):
    page, requests = visit("?model=real"), []
    assert "It stays on this device: nothing is sent." in page.locator(".gl-upload").inner_text()
    page.context.on("request", lambda request: requests.append(request.url))
    page.on("websocket", lambda socket: requests.append(socket.url))
    page.evaluate(CAMERA)
    for way in ("file", "camera"):
        if way == "file":
            give(page)
        else:
            click(page, "Use the camera")
            page.get_by_role("button", name="Take the picture").click()
            page.get_by_role("heading", name="Where are the eyes?").wait_for()
        page.mouse.click(*place(page, LEFT))
        click(page, USE)
        used(page)
        click(page, "Close this message")
    assert requests == [] and page.url.endswith("?model=real&face=own")
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_axe_finds_no_violation_in_the_dialogues(visit, viewport, theme):
    page = visit("?model=real", viewport=viewport, color_scheme=theme)
    page.evaluate(CAMERA)
    click(page, "Use the camera")
    page.wait_for_function("!document.querySelector('.gl-camera .gl-primary').disabled")
    assert violations(page) == []
    page.keyboard.press("Escape")
    give(page)
    assert violations(page) == []


def test_how_the_dialogue_looks(visit):
    page = give(visit("?model=real"))
    for eye in (LEFT, RIGHT):
        page.mouse.click(*place(page, eye))
    page.evaluate("for (const e of document.querySelectorAll('.gl-explorer > :not(dialog)')) e.style.display = 'none'")
    assert looks(page, "web-marks") == []
    width = page.evaluate("document.querySelector('dialog').getBoundingClientRect().width")
    assert width <= WIDE["width"]


def test_a_picture_of_the_models_size_is_taken_pixel_by_pixel(visit):
    page = visit("?model=real")
    data = encode(PHOTO[:16, :16])
    choose(page, data)
    assert apart(used(page), read(data)) == 0
