"""`-p key value`: parameters as two words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

Pairs = Sequence[tuple[str, str]]


def parameter_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `-p KEY VALUE`, which may be given often."""
    return click.option(
        "-p",
        "--parameter",
        "pairs",
        nargs=2,
        multiple=True,
        metavar="KEY VALUE",
        help="A parameter: a Python literal, else text.",
    )(command)


def as_parameters(pairs: Pairs) -> dict[str, object]:
    """Return the parameters by name."""
    from jupyter_mlws.client import literals

    for key, _ in pairs:
        if "=" in key:
            name, _, value = key.partition("=")
            raise click.UsageError(f"-p takes two words: -p {name} {value or 'VALUE'}")
    return {key: literals.parse(value) for key, value in pairs}
