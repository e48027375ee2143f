"""What a command shows: as HTML where that is drawn, as text elsewhere."""

from __future__ import annotations

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


def show(value: Any) -> None:
    """Put `value` under the cell."""
    from IPython.display import display

    display(value)  # type: ignore[no-untyped-call]
