"""`%mlws compute`: list, show, create, check, delete."""

from __future__ import annotations

import argparse

from IPython.core.error import StdinNotImplementedError, UsageError

from jupyter_mlws.client import compute_table, compute_token
from jupyter_mlws.magics.look import table
from jupyter_mlws.magics.session import Session
from jupyter_mlws.magics.shown import Shown, show
from jupyter_mlws.model.compute import Compute
from jupyter_mlws.model.compute_address import read_address


def compute(session: Session, options: argparse.Namespace, _cell: str | None) -> None:
    """Do what the verb says."""
    name = options.name
    if options.verb == "list":
        show(computes(session.workspace.computes.list()))
        return
    if not name:
        raise UsageError(f"Give the compute's name: %mlws compute {options.verb} NAME")
    if options.verb == "show":
        show(_page(name, compute_table.facts(session.workspace.computes.get(name))))
    elif options.verb == "create":
        _create(session, name, options)
    elif options.verb == "check":
        show(_page(name, compute_table.found(session.workspace.computes.check(name))))
    else:
        session.workspace.computes.delete(name)
        print(f"The compute {name!r} is deleted, with the token that was kept for it.")


def computes(found: list[Compute]) -> Shown:
    """Return a table of computes."""
    return table(compute_table.HEADS, [compute_table.cells(each) for each in found])


def _create(session: Session, name: str, options: argparse.Namespace) -> None:
    if not options.url:
        raise UsageError(f"Give its address: %mlws compute create {name} --url URL")
    if options.token is not None:
        raise UsageError(
            "A token in the line would be saved with the notebook: leave --token out and you are asked for "
            "it, or give --token-file. If it stands in the cell now, delete it there."
        )
    if read_address(options.url).token is not None:
        raise UsageError(
            "The URL holds the token, which would be saved with the notebook: delete it in the cell, and you "
            "are asked for it."
        )
    token = "" if options.no_token else compute_token.find(url=options.url, file=options.token_file, ask=_ask)
    made = session.workspace.computes.create(
        name,
        type=options.type,
        url=options.url,
        token=token,
        slots=options.slots,
        price_per_hour=options.price_per_hour,
        kernel=options.kernel,
        check=not options.no_check,
    )
    print(f"The compute {made.name!r} is at {made.url}. Use it: %%mlws submit --compute {made.name}")


def _ask() -> str | None:
    from getpass import getpass

    try:
        return getpass("Token of that server (not shown; Enter for none, or for the one that is kept): ")
    except (StdinNotImplementedError, EOFError):
        raise UsageError(
            "Nobody can be asked for the token here: give --token-file, set MLWS_COMPUTE_TOKEN, or say "
            "--no-token."
        ) from None


def _page(title: str, facts: list[tuple[str, str]]) -> Shown:
    return table((title, ""), facts)
