"""What can go wrong for a user. Each family has one HTTP status; each error has a code of its own.

An error is one sentence that says what is wrong, with the name or the value in it, and a hint that says
what to do. Errors of one room stand beside their owner and derive from one of the families here.
"""

from __future__ import annotations

from typing import ClassVar

from jupyter_mlws.model.record import Record


class ErrorInfo(Record):
    """An error as it is stored and sent: machine-readable code, sentence, and what to do."""

    code: str
    message: str
    hint: str | None = None


class ErrorAnswer(Record):
    """The body of every REST answer that is not a success."""

    error: ErrorInfo


class MlwsError(Exception):
    """Base of all errors meant for the user's eyes."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self._code = code or type(self).code

    @property
    def info(self) -> ErrorInfo:
        """The error as a record."""
        return ErrorInfo(code=self._code, message=self.message, hint=self.hint)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message

    def _render_traceback_(self) -> list[str]:
        """Show IPython the sentence: the way through our code tells a user nothing."""
        return [f"\x1b[31m{type(self).__name__}\x1b[0m: {self}"]


class Malformed(MlwsError):
    """The request cannot be read at all: broken JSON, a body that is no notebook."""

    status, code = 400, "malformed"


class NotAuthenticated(MlwsError):
    """Nobody is logged in, or the token is wrong."""

    status, code = 401, "not_authenticated"


class NotAllowed(MlwsError):
    """Known, but not permitted."""

    status, code = 403, "not_allowed"


class NotFound(MlwsError):
    """There is nothing of that name."""

    status, code = 404, "not_found"


class Conflict(MlwsError):
    """It exists already, or its status does not allow it now."""

    status, code = 409, "conflict"


class TooLarge(MlwsError):
    """A body larger than the limit."""

    status, code = 413, "too_large"


class Invalid(MlwsError):
    """Readable, but a value is not valid."""

    status, code = 422, "invalid"


class TooMuch(MlwsError):
    """More than the limit at this moment."""

    status, code = 429, "too_much"


class NotReady(MlwsError):
    """Will work later, or elsewhere: starting, locked, read-only, not reachable."""

    status, code = 503, "not_ready"
