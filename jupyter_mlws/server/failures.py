"""The one place that turns whatever went wrong into a status and a sentence."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from pydantic import ValidationError
from tornado import web

from jupyter_mlws.model.errors import (
    ErrorAnswer,
    ErrorInfo,
    Malformed,
    MlwsError,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    TooLarge,
    TooMuch,
)

_FAMILIES: dict[int, type[MlwsError]] = {
    family.status: family for family in (Malformed, NotAuthenticated, NotAllowed, NotFound, TooLarge, TooMuch)
}


class MethodNotAllowed(MlwsError):
    """The path exists, but not with this method."""

    status, code = 405, "method_not_allowed"


class WrongToken(NotAuthenticated):
    """A token was given, and it is not this server's."""

    code = "wrong_token"


class XsrfMissing(NotAllowed):
    """A browser's request that changes something came without Jupyter's XSRF token, or from another site."""

    code = "xsrf"


class Internal(MlwsError):
    """A mistake of ours. What happened is in the server's log, under a reference."""


def not_authenticated(*, token_given: bool) -> NotAuthenticated:
    """Return the error for a request without a user."""
    if token_given:
        return WrongToken(
            "The token is not the one of this server.",
            hint="`jupyter server list` shows the servers of this account with their tokens.",
        )
    return NotAuthenticated(
        "You are not logged in to this Jupyter server.",
        hint="Log in with a browser, or send the header `Authorization: token TOKEN`.",
    )


@dataclass(frozen=True)
class Failure:
    """What to answer, and what to note in the log where it is a mistake of ours."""

    status: int
    info: ErrorInfo
    note: str | None = None

    @property
    def body(self) -> bytes:
        """The JSON of the answer."""
        return ErrorAnswer(error=self.info).model_dump_json().encode()


def explain(error: BaseException, *, method: str, path: str) -> Failure:
    """Return what to answer to a request on `path` that ended with `error`."""
    if isinstance(error, MlwsError):
        return Failure(error.status, error.info)
    if isinstance(error, web.HTTPError):
        return Failure(error.status_code, _of_tornado(error, method=method, path=path))
    reference = secrets.token_hex(4)
    kind = "a stored record cannot be read" if isinstance(error, ValidationError) else type(error).__name__
    where = f"{method} {path[:200]}"
    internal = Internal(
        f"The server failed at {where} ({kind}).",
        hint=f"What happened is in the server's log under the reference {reference}; please report it.",
    )
    return Failure(internal.status, internal.info, note=f"Failed at {where}, reference {reference}")


def _of_tornado(error: web.HTTPError, *, method: str, path: str) -> ErrorInfo:
    if error.status_code == 405:
        return MethodNotAllowed(f"{path[:200]} does not know the method {method[:20]}.").info
    sentence = error.log_message or error.reason or f"The request was refused with {error.status_code}."
    family = _FAMILIES.get(error.status_code)
    code = family.code if family else ("internal" if error.status_code >= 500 else "refused")
    return ErrorInfo(code=code, message=str(sentence).rstrip(".") + ".")
