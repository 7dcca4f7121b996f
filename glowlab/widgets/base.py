"""The base of our widgets: a page may set only the traits that it has to."""

from typing import ClassVar

import anywidget


class Widget(anywidget.AnyWidget):
    """A widget whose page may set the traits named in `from_page` and no others, such as limits."""

    from_page: ClassVar[tuple[str, ...]] = ()

    def set_state(self, sync_data: dict) -> None:
        """Take over what a page has sent."""
        super().set_state({name: value for name, value in sync_data.items() if name in self.from_page})
