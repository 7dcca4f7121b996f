"""What a visitor finds on an explorer's page, and does there by mouse and by keyboard."""

import base64
import io
import os
import re
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, TimeoutError

from .conftest import Watched

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 400, "height": 860}

# ---- a page for many tests ----------------------------------------------------------------------------


def visit(server, browser, name: str, query: str):
    """For a fixture: a page at 1280 pixels that many tests share."""
    watched = Watched(browser, server.explorer(name), viewport=WIDE)
    watched.open(server.explorer(name, query))
    yield watched
    watched.context.close()


RESTS = """(wanted) => {
    const address = new URLSearchParams(location.search);
    return Object.entries(wanted).every(([name, value]) => address.get(name) === value)
        && document.querySelector("[data-state=resting]");
}"""


def rests(page: Page, **state: str | None) -> None:
    """Wait until the address holds these values (None: does not) and all that is measured at rest is shown."""
    try:
        page.wait_for_function(RESTS, arg=state)
    except TimeoutError as error:  # which part of it never came
        raise AssertionError(f"{page.url} does not come to rest at {state}") from error


# ---- what is on the page ------------------------------------------------------------------------------


def pictures(page: Page, where: str) -> np.ndarray:
    """What the canvases in a part of the page hold: (N, H, W, 3), as numbers that can be subtracted."""
    urls = page.eval_on_selector_all(f"{where} canvas", "all => all.map((canvas) => canvas.toDataURL())")
    files = [io.BytesIO(base64.b64decode(url.partition(",")[2])) for url in urls]
    return np.stack([np.array(Image.open(file).convert("RGB")) for file in files]).astype(int)


def apart(some: np.ndarray, others: np.ndarray) -> int:
    """How far two pictures, or sets of them, differ where they differ most, in grey levels."""
    return int(np.abs(some - others).max())


def says(page: Page) -> str:
    return page.locator(".gl-says").first.inner_text()


def number(page: Page, name: str) -> float:
    """A reading of the strip."""
    entry = page.locator(".gl-readout dl > div", has_text=name)
    return float(entry.locator(".gl-number").inner_text().split("\u2009")[0])


def card(page: Page, title: str) -> Locator:
    return page.locator(".gl-card", has=page.get_by_role("heading", name=title, exact=True))


def chart(page: Page, title: str) -> str:
    """The text of the chart in a card, which tells its numbers; waits until they are measured."""
    measured = card(page, title).locator(".gl-chart canvas:not([aria-label='Being measured.'])")
    return measured.get_attribute("aria-label")


def shown(page: Page) -> set[str]:
    """The names of the controls, and the headings, that are to be seen; without single tiles."""
    return set(
        page.evaluate(
            """() => [...document.querySelectorAll(".gl :is(h2, button, input, fieldset, [role=radiogroup])")]
            .filter((e) => e.checkVisibility() && !e.matches(".gl-tile, fieldset input"))
            .map((e) => e.ariaLabel || e.labels?.[0]?.textContent
                || (e.querySelector("legend") ?? e).textContent)"""
        )
    )


STATE = """() => JSON.stringify([
    [...document.querySelectorAll(".gl-says")].map((e) => e.textContent),
    [...document.querySelectorAll(".gl input[type=range]")].map((e) => e.getAttribute("aria-valuetext")),
    [...document.querySelectorAll(".gl input:is([type=radio], [type=checkbox])")].map((e) => e.checked),
    [...document.querySelectorAll(".gl [aria-checked='true']")].map((e) => e.parentNode.ariaLabel + e.ariaLabel),
    [...document.querySelectorAll(".gl [aria-expanded]")].map((e) => e.ariaExpanded),
])"""


def state(page: Page) -> str:
    """All that a visitor has set, and what is said about it."""
    return page.evaluate(STATE)


def comes_to(page: Page, wanted: str) -> None:
    """Wait until that is the state."""
    page.wait_for_function(f"wanted => ({STATE})() === wanted && ({RESTS})({{}})", arg=wanted)


def comes_back(page: Page, where: str, off: int = 0) -> None:
    """Reload; leave and go back: each time all is as it was, the pictures to within `off` grey levels."""
    before, drawn = state(page), pictures(page, where)
    page.reload()
    comes_to(page, before)
    assert (again := apart(pictures(page, where), drawn)) <= off, again
    page.goto("data:text/html,elsewhere")
    page.go_back()
    comes_to(page, before)
    assert (again := apart(pictures(page, where), drawn)) <= off, again
    page.go_forward()
    assert page.url.startswith("data:")


# ---- what a person does -------------------------------------------------------------------------------


def slider(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name, exact=True)


def at(thing: Locator, value: float) -> tuple[float, float]:
    """Where on the page a slider's handle stands at this value."""
    box = thing.bounding_box()
    low, high = (float(thing.get_attribute(name)) for name in ("min", "max"))
    share = (value - low) / (high - low)
    return box["x"] + 10 + share * (box["width"] - 20), box["y"] + box["height"] / 2


def grasp(page: Page, thing: Locator) -> None:
    """Press the mouse on the slider's handle; `page.mouse.up()` lets go."""
    thing.scroll_into_view_if_needed()
    page.mouse.move(*at(thing, float(thing.input_value())))
    page.mouse.down()


def drag(page: Page, thing: Locator, value: float) -> None:
    """Move the grasped handle to this value, over what lies between."""
    page.mouse.move(*at(thing, value), steps=5)


@contextmanager
def held(page: Page, canvas: str, button: str, key: str):
    """Hold a picture meanwhile: with the mouse where `key` is "", else its button with that key."""
    if key:
        page.get_by_role("button", name=button).focus()
        page.keyboard.down(key)
    else:
        page.locator(canvas).scroll_into_view_if_needed()
        box = page.locator(canvas).bounding_box()
        page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 3)
        page.mouse.down()
    yield
    page.keyboard.up(key) if key else page.mouse.up()


def upload(page: Page, field: str, data: bytes, way: str) -> None:
    """Give a file to an upload field: choose it with the "mouse" or the "keyboard", or "drop" it."""
    file = page.get_by_label(field, exact=True)
    if way == "drop":
        file.evaluate(
            """(input, data) => {
                const transfer = new DataTransfer();
                transfer.items.add(new File([new Uint8Array(data)], "mine.png"));
                const made = { dataTransfer: transfer, bubbles: true, cancelable: true };
                input.closest("label").dispatchEvent(new DragEvent("drop", made));
            }""",
            list(data),
        )
        return
    with page.expect_file_chooser() as asked:
        if way == "mouse":
            page.locator(".gl-upload label", has_text=re.compile(f"^{field}$")).click()
        else:
            file.press("Enter")
    asked.value.set_files({"name": "mein Bild, röd.png", "mimeType": "image/png", "buffer": data})


# ---- how the page looks -------------------------------------------------------------------------------

# Text that leaves the window, its own box, or lies on other text.
FAULTS = """() => {
    scrollTo(0, 0); // else a part that stays in sight lies on what it has passed
    const texts = [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility()
        && !e.closest(".gl-skip, legend, canvas")
        && [...e.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
    const boxes = texts.map((e) => {
        const range = document.createRange();
        range.selectNodeContents(e);
        return range.getBoundingClientRect();
    });
    const found = [];
    texts.forEach((e, i) => {
        const words = e.textContent.trim().slice(0, 40), a = boxes[i];
        if (a.left < -0.5 || a.right > innerWidth + 0.5) found.push("outside: " + words);
        const isBox = !(e instanceof SVGElement) && e.clientWidth;
        if (isBox && e.scrollWidth > e.clientWidth + 1) found.push("too narrow: " + words);
        boxes.forEach((b, j) => {
            const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
            const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
            if (i < j && wide > 1 && high > 3 && !e.contains(texts[j]))
                found.push("overlap: " + words + " / " + texts[j].textContent.trim().slice(0, 40));
        });
    });
    if (document.documentElement.scrollWidth > innerWidth) found.push("scrolls sideways");
    return found;
}"""


def looks(page: Page, name: str) -> list[str]:
    """What is wrong with the page wide and narrow, light and dark; GLOWLITE_SCREENSHOTS=folder keeps pictures of it."""
    folder, found = os.environ.get("GLOWLITE_SCREENSHOTS"), []
    size = page.viewport_size
    for viewport in (WIDE, PHONE):
        page.set_viewport_size(viewport)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            found += [f"{viewport['width']} {theme}: {fault}" for fault in page.evaluate(FAULTS)]
            if folder:
                page.wait_for_timeout(500)  # charts are painted anew
                path = Path(folder) / f"{name}-{viewport['width']}-{theme}.png"
                page.screenshot(path=path, full_page=True)
    page.emulate_media(color_scheme=None)
    page.set_viewport_size(size)
    return found
