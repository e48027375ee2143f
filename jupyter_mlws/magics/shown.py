"""What a command shows: as HTML where that is drawn, as text elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Shown:
    """A text and its HTML twin, for IPython to choose from."""

    def __init__(self, text: str, html: str) -> None:
        self.text = text
        self.html = html

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.html}


def show(value: Any) -> Callable[[], None]:
    """Put `value` under the cell; return what shows it anew, as it is then, in the same place."""
    from IPython.display import display

    handle = display(value, display_id=True)  # type: ignore[no-untyped-call]

    def again() -> None:
        if handle is not None:
            handle.update(value)

    return again
