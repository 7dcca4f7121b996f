"""The studio in a real Chromium: every control by mouse and by keyboard, uploads good and bad, downloads."""

import base64
import io

import pytest
from PIL import Image

from .conftest import AFTER, BEFORE, becomes, changes, click, pixels, png

TILES = ".gl-tiles"  # gallery, blend, fresh: in this order on the page


def tiles(page, row: int):
    return page.locator(TILES).nth(row).get_by_role("radio")


def attribute_names(page) -> list[str]:
    return page.locator(".gl-sliders .gl-slider label").all_inner_texts()


def fresh_row(page) -> str:
    return page.eval_on_selector_all(
        ".gl-wide .gl-tile canvas", "all => all.map((canvas) => canvas.toDataURL()).join()"
    )


def fresh_row_changes(page, old: str) -> str:
    script = (
        "old => [...document.querySelectorAll('.gl-wide .gl-tile canvas')]"
        ".map((canvas) => canvas.toDataURL()).join() !== old"
    )
    page.wait_for_function(script, arg=old)
    return fresh_row(page)


def test_it_opens_on_an_edited_face(new_page):
    page = new_page()
    assert page.title() == "Glow studio"
    assert page.get_by_role("heading", level=1).inner_text() == "Glow studio"
    assert pixels(page) != pixels(page, BEFORE)
    assert "with" in page.locator(".gl-says").inner_text()
    assert page.locator(".gl-hint").inner_text()
    assert len(page.locator(".gl-number").all_inner_texts()) == 4
    assert page.locator("text=open_studio").count() == 0  # no source is shown
    assert not page.locator("#gl-skeleton").is_visible()


def test_each_attribute_by_mouse_and_back_to_the_very_same_pixels(page):
    start = pixels(page)
    names = attribute_names(page)
    assert len(names) >= 8
    for name in names:
        slider = page.get_by_role("slider", name=name, exact=True)
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        y = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] / 2, y)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.7 * box["width"], y, steps=4)
        now = changes(page, start)
        page.mouse.move(box["x"] + 0.9 * box["width"], y, steps=4)  # the button is still down: it follows
        changes(page, now)
        page.mouse.up()
        assert float(slider.input_value()) > 0.5
        click(page, "Reset")
        becomes(page, start)
        page.wait_for_function("name => document.getElementById(name).value == 0", arg=slider.get_attribute("id"))


def test_each_attribute_by_keyboard(page):
    start = pixels(page)
    for name in attribute_names(page):
        slider = page.get_by_role("slider", name=name, exact=True)
        slider.focus()
        for _ in range(3):
            slider.press("PageUp")
        now = changes(page, start)
        slider.press("End")
        changes(page, now)
        assert slider.get_attribute("aria-valuetext").startswith("+1.00, toward ")
        slider.dblclick()
        becomes(page, start)


def test_the_gallery_by_mouse_and_by_arrow_keys(page):
    start = pixels(page, BEFORE)
    tiles(page, 0).nth(4).click()
    fourth = changes(page, start, BEFORE)
    becomes(page, fourth)  # nothing is edited, so before and after are the same
    tiles(page, 0).nth(4).press("ArrowRight")
    fifth = changes(page, fourth, BEFORE)
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "gallery face 6"
    assert tiles(page, 0).nth(5).get_attribute("aria-checked") == "true"
    tiles(page, 0).nth(5).press("Home")
    becomes(page, start, BEFORE)
    assert fifth != start


def test_blending_with_a_second_face_both_ways(page):
    start = pixels(page)
    tiles(page, 1).nth(7).click()
    half = changes(page, start)
    blend = page.get_by_role("slider", name="Blend")
    assert blend.input_value() == "0.5"
    page.get_by_role("radio", name="arc").check(force=True)
    arc = changes(page, half)
    page.get_by_role("radio", name="arc").press("ArrowLeft")
    becomes(page, half)
    blend.press("End")
    whole = changes(page, half)
    second = tiles(page, 1).nth(7).locator("canvas").evaluate("canvas => canvas.toDataURL()")
    assert len({start, half, arc, whole}) == 4
    difference = page.evaluate(
        """async ([a, b]) => {
            const data = await Promise.all([a, b].map(async (url) => {
                const picture = await createImageBitmap(await (await fetch(url)).blob());
                const canvas = new OffscreenCanvas(picture.width, picture.height);
                canvas.getContext("2d").drawImage(picture, 0, 0);
                return canvas.getContext("2d").getImageData(0, 0, picture.width, picture.height).data;
            }));
            return Math.max(...data[0].map((value, i) => Math.abs(value - data[1][i])));
        }""",
        [whole, second],
    )
    assert difference <= 1  # the end of the way is the second face


def test_fresh_faces_at_a_temperature(page):
    row = fresh_row(page)
    click(page, "New faces")
    row = fresh_row_changes(page, row)
    page.get_by_role("slider", name="Temperature").press("Home")
    cold = fresh_row_changes(page, row)
    page.get_by_role("slider", name="Temperature").press("End")
    fresh_row_changes(page, cold)
    start = pixels(page, BEFORE)
    tiles(page, 2).nth(2).click()
    chosen = changes(page, start, BEFORE)
    assert chosen == tiles(page, 2).nth(2).locator("canvas").evaluate("canvas => canvas.toDataURL()")
    page.get_by_role("slider", name="Temperature").dblclick()
    changes(page, chosen, BEFORE)  # a chosen fresh face follows the temperature
    tiles(page, 0).nth(0).click()
    becomes(page, start, BEFORE)


def test_surprise_me_then_the_numbers_and_the_address_tell(page):
    start = pixels(page)
    click(page, "Surprise me")
    now = changes(page, start)
    page.wait_for_function("!document.querySelector('.gl-says').textContent.endsWith('unchanged.')")
    assert page.locator(".gl-readout dl > div").nth(2).locator(".gl-number").inner_text() != "0.0"
    page.wait_for_function("location.search.includes('face=gallery-1')")
    assert now != start


def test_hold_to_compare_by_mouse_and_by_keyboard(page):
    page.get_by_role("slider", name="Smile").press("End")
    edited = changes(page, pixels(page, BEFORE))
    page.wait_for_timeout(500)
    edited = pixels(page)
    box = page.locator(AFTER).bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    becomes(page, pixels(page, BEFORE))
    page.mouse.up()
    becomes(page, edited)
    page.locator(".gl-hold:visible").focus()
    page.keyboard.down("Space")
    becomes(page, pixels(page, BEFORE))
    page.keyboard.up("Space")
    becomes(page, edited)


def test_download_is_the_picture(page):
    page.get_by_role("slider", name="Smile").press("End")
    changes(page, pixels(page, BEFORE))
    page.wait_for_timeout(500)
    shown = Image.open(io.BytesIO(base64.b64decode(pixels(page).split(",")[1]))).convert("RGB")
    with page.expect_download() as download:
        click(page, "Download")
    saved = Image.open(download.value.path())
    assert download.value.suggested_filename == "glow-studio.png" and saved.width % shown.width == 0
    assert saved.resize(shown.size, Image.Resampling.NEAREST).tobytes() == shown.tobytes()


def test_a_picture_of_ones_own_comes_back_and_can_be_edited(page):
    start = pixels(page, BEFORE)
    field = page.get_by_label("Your own picture")
    field.set_input_files({"name": "red.png", "mimeType": "image/png", "buffer": png()})
    mine = changes(page, start, BEFORE)
    becomes(page, mine)
    alert = page.get_by_role("alert").filter(has_text="Your picture")
    assert "every pixel is the same" in alert.inner_text() and "bits per dimension" in alert.inner_text()
    rgb = Image.open(io.BytesIO(base64.b64decode(mine.split(",")[1]))).convert("RGB")
    assert rgb.getcolors() == [(64 * 64, (200, 60, 40))]
    page.get_by_role("slider", name="Smile").press("End")
    changes(page, mine)
    page.get_by_role("button", name="Close this message").click()
    assert not alert.is_visible()
    tiles(page, 0).nth(0).click()
    becomes(page, start, BEFORE)


def give(page, data: bytes, padding: int = 0) -> None:
    """Choose a file made in the page: `data` and then so many zeros, which picture formats do not mind."""
    page.evaluate(
        """([data, padding]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(data), new Uint8Array(padding)], "mine.png"));
            const input = document.querySelector(".gl-upload input");
            input.files = transfer.files;
            input.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        [list(data), padding],
    )


def test_a_large_photo_goes_through_in_slices(page):
    start = pixels(page, BEFORE)
    give(page, png(colour=(20, 30, 220)), padding=12 * 2**20)  # more than a web socket takes in one message
    changes(page, start, BEFORE)
    tiles(page, 0).nth(0).click()
    becomes(page, start, BEFORE)


@pytest.mark.parametrize(
    ("data", "padding"),
    [(b"", 0), (b"no picture at all", 0), (png()[:60], 0), (png(), 33 * 2**20)],
    ids=["empty", "text", "truncated", "too large"],
)
def test_a_bad_file_is_one_kind_sentence_and_the_page_goes_on(page, data, padding):
    start = pixels(page)
    give(page, data, padding)
    page.wait_for_selector(".gl-notice.gl-bad:not([hidden])")
    sentence = page.locator(".gl-notice.gl-bad:not([hidden]) span").inner_text()
    assert 20 < len(sentence) < 250 and "Traceback" not in sentence and "Error" not in sentence
    assert pixels(page) == start
    page.get_by_role("slider", name="Smile").press("End")
    changes(page, start)
    page.wait_for_selector(".gl-notice.gl-bad", state="hidden")


def test_a_file_can_be_dropped(page):
    start = pixels(page, BEFORE)
    data = list(png(colour=(10, 200, 90)))
    page.evaluate(
        """(data) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(data)], "green.png", { type: "image/png" }));
            const drop = new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
            document.querySelector(".gl-upload label").dispatchEvent(drop);
        }""",
        data,
    )
    changes(page, start, BEFORE)
    tiles(page, 0).nth(0).click()
    becomes(page, start, BEFORE)
