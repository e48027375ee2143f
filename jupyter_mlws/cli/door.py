"""How every command reaches the workspace, and how it writes its answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

    from jupyter_mlws.client import Workspace

json_option = click.option("--json", "as_json", is_flag=True, help="Write one JSON document, for programs.")


def workspace(context: click.Context, *, start: bool = True, quiet: bool = False) -> Workspace:
    """Return the workspace that the options before the command name; it is closed with the command."""
    from jupyter_mlws.client import connect

    asked = context.find_root().obj
    found = connect(
        asked["workspace"],
        url=asked["url"],
        start=start,
        say=(lambda text: None) if quiet else say,
    )
    context.call_on_close(found.close)
    return found


def say(text: str) -> None:
    """Tell a line of progress, where it does not mix with the answer."""
    click.echo(click.style(text, dim=True), err=True)


def write_json(value: BaseModel | Iterable[BaseModel] | dict[str, Any]) -> None:
    """Write one JSON document."""
    click.echo(json.dumps(_plain(value), ensure_ascii=False, indent=2))


def write_json_line(value: BaseModel | dict[str, Any]) -> None:
    """Write one line of JSON."""
    click.echo(json.dumps(_plain(value), ensure_ascii=False))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return [_plain(item) for item in value]


def console() -> Console:
    """Return the terminal; without colours where it is none, and as wide as its reader needs."""
    from rich.console import Console

    made = Console(highlight=False, soft_wrap=False)
    # A file or a pipe has no width: nothing is cut there.
    return made if sys.stdout.isatty() else Console(highlight=False, width=400)
