"""What goes wrong on the way to a server, each in a sentence of its own."""

from __future__ import annotations

import os

import httpx
from pydantic import ValidationError

from jupyter_mlws.client.discovery import Address
from jupyter_mlws.model.errors import (
    Conflict,
    ErrorAnswer,
    Invalid,
    Malformed,
    MlwsError,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    NotReady,
    TooLarge,
    TooMuch,
)
from jupyter_mlws.version import version as installed

_FAMILIES: dict[int, type[MlwsError]] = {
    family.status: family
    for family in (
        Malformed,
        NotAuthenticated,
        NotAllowed,
        NotFound,
        Conflict,
        TooLarge,
        Invalid,
        TooMuch,
        NotReady,
    )
}


class ConnectionClosed(Conflict):
    """A connection was used after it had been closed."""

    code = "connection_closed"

    def __init__(self) -> None:
        super().__init__("This connection is closed.", hint="Call connect() again.")


class ServerUnreachable(NotReady):
    """Nobody answers at the server's address."""

    code = "server_unreachable"


class ConnectionBroke(NotReady):
    """The connection was lost while a request was under way that must not be sent twice."""

    code = "connection_broke"


class TokenRefused(NotAuthenticated):
    """The server does not accept the token."""

    code = "token_refused"


class NotOurServer(NotFound):
    """There is a server, but without this extension."""

    code = "not_our_server"


class OtherVersion(MlwsError):
    """The server answers in a form that this version of the client does not know."""

    code = "other_version"


def check(response: httpx.Response, *, where: Address) -> None:
    """Raise what an answer of the server at `where` says, unless it is a success."""
    if response.is_success:
        return
    family = _FAMILIES.get(response.status_code, MlwsError)
    try:
        info = ErrorAnswer.model_validate_json(response.content).error
    except ValidationError:
        raise _foreign(response, where) from None
    if response.status_code == 401 or info.code == NotAuthenticated.code:
        raise _refused(where)
    raise family(info.message, hint=info.hint, code=info.code)


def unreachable(error: httpx.TransportError, *, where: Address) -> ServerUnreachable:
    """Return that nobody answers at `where`, and why."""
    return ServerUnreachable(
        f"The server at {where.url} (from {where.source}) cannot be reached: {_reason(error)}.",
        hint="Is it running? Look with: jupyter mlws server status",
    )


def broke(error: httpx.TransportError, *, where: Address) -> ConnectionBroke:
    """Return that it is not known whether a request arrived at `where`."""
    return ConnectionBroke(
        f"The connection to {where.url} was lost while a request was under way ({type(error).__name__}).",
        hint="It may have arrived: look at the list of jobs before sending it again.",
    )


def other_version(error: ValidationError, *, where: Address, version: str | None) -> OtherVersion:
    """Return that the server at `where`, of `version`, answers in a form that is not known here."""
    first = error.errors()[0]
    return OtherVersion(
        f"The server at {where.url} (version {version or 'unknown'}) and this client ({installed()}) do not "
        f"understand each other: {'.'.join(map(str, first['loc']))}: {first['msg']}.",
        hint="Install the same version of jupyter_mlws in both environments and restart them.",
    )


def _foreign(response: httpx.Response, where: Address) -> MlwsError:
    """Return what an answer means that is none of ours: Jupyter's own, or a proxy's."""
    if response.status_code in (401, 403) or response.is_redirect:
        return _refused(where)
    if response.status_code == 404:
        return NotOurServer(
            f"The server at {where.url} (from {where.source}) has no /mlws: jupyter_mlws is not "
            "installed there, not enabled, or older than this client.",
            hint="Look at `jupyter server extension list` in the server's environment.",
        )
    family = NotReady if response.status_code in (502, 503, 504) else MlwsError
    return family(f"The server at {where.url} answered {response.status_code} {response.reason_phrase}.")


def _refused(where: Address) -> TokenRefused:
    return TokenRefused(
        f"The server at {where.url} refuses the token from {where.token_source or where.source}."
        if where.token
        else f"The server at {where.url} (from {where.source}) wants a token and none was given.",
        hint="Set MLWS_TOKEN, or pass connect(token=...), with the token that `jupyter server list` shows.",
    )


def _reason(error: httpx.TransportError) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None and cause.errno > 0:
            return os.strerror(cause.errno)
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__
