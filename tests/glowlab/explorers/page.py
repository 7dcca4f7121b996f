"""Do to an explorer what a page does, without a page."""

import io

from PIL import Image


def pick(tiles, index: int) -> None:
    """Click a tile."""
    tiles.set_state({"pick": [tiles.pick[0] + 1, index]})


def drag(slider, value: float) -> None:
    """Move a slider."""
    slider.set_state({"move": [slider.epoch, value]})


def open_address(page, search: str) -> None:
    """Open the page with this query in its address."""
    page._receive(page.head, {"kind": "address", "search": search}, [])


def upload(widget, data: bytes) -> None:
    """Choose a file."""
    widget._receive(widget, {"kind": "slice", "name": "me.png", "part": 0, "parts": 1}, [data])


def entry(page, name: str) -> dict:
    """The readout's entry whose name begins so."""
    return next(entry for entry in page.readout.entries if entry["name"].startswith(name))


def png(colour=(90, 120, 200), size=(40, 30)) -> bytes:
    """A small picture file of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()
