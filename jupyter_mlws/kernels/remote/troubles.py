"""What can be wrong with another Jupyter server: one sentence each, with its address and never its token."""

from __future__ import annotations

import errno
import socket
import ssl

from tornado.httpclient import HTTPError
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError

from jupyter_mlws.model.errors import ErrorInfo, Invalid, MlwsError, NotAllowed, NotReady

_LONGEST = 300  # characters of what the other server said


class Unreachable(NotReady):
    """Nobody answers at the address."""

    code = "compute_unreachable"


class TokenRefused(NotAllowed):
    """The server does not accept the token, or wants one."""

    code = "compute_token_refused"


class NotJupyter(Invalid):
    """Somebody answers at the address, but no Jupyter server."""

    code = "not_a_jupyter_server"


class UrlInvalid(Invalid):
    """The address is none."""

    code = "compute_url_invalid"


class RemoteFull(NotReady):
    """The server starts no more kernels."""

    code = "compute_full"


class RemoteFailed(NotReady):
    """The server answered with an error of its own."""

    code = "compute_failed"


class ConnectionLost(NotReady):
    """The connection was lost and did not come back: what became of the job there is not known."""

    code = "connection_lost"


def trouble(error: BaseException, *, name: str, url: str, doing: str, said: str = "") -> MlwsError:
    """Return what `error` means for a user of the compute `name` at `url`, while `doing` something.

    `said` is what the server wrote with its refusal.
    """
    if isinstance(error, MlwsError):
        return error
    if isinstance(error, HTTPError) and not isinstance(error, (HTTPTimeoutError, HTTPStreamClosedError)):
        return _of_status(error.code, name=name, url=url, doing=doing, said=said or error.message or "")
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error)
        return Unreachable(
            f"The compute {name!r} at {url} cannot be reached safely (TLS): {reason}.",
            hint="Its certificate must be valid for that host and known to this machine (SSL_CERT_FILE), "
            "or the address should begin with http:// instead of https://.",
        )
    other = "http://" if url.startswith("https:") else "https://"
    # Somebody is there and does not speak: to a server that waits for the other scheme it looks so.
    silent = isinstance(error, (TimeoutError, HTTPTimeoutError, HTTPStreamClosedError))
    return Unreachable(
        f"The compute {name!r} does not answer at {url}: {_reason(error)}.",
        hint="See that the Jupyter server runs there, and that the host and the port are right"
        + (f"; the address may have to begin with {other}." if silent else "."),
    )


def not_jupyter(*, name: str, url: str, found: str) -> NotJupyter:
    """Return the error for an address at which something else answers; `found` says what it said."""
    return NotJupyter(
        f"What answers at {url} for the compute {name!r} is no Jupyter server: {found[:_LONGEST]}.",
        hint="The address is that of the server itself, with its base URL: what stands before /lab or /tree.",
    )


def kernel_died(name: str) -> ErrorInfo:
    """Return what to say of a kernel of the compute `name` that died."""
    return ErrorInfo(
        code="kernel_died",
        message=f"The kernel died on {name}.",
        hint="It may have run out of memory there; the log of that server says more.",
    )


def kernel_gone(name: str) -> ErrorInfo:
    """Return what to say of one that its server does not know any more."""
    return ErrorInfo(
        code="kernel_died",
        message=f"The kernel is not there any more: somebody ended it, or the server of {name} began anew.",
        hint="What the job has done so far is in its log; run it again if that is safe.",
    )


def _of_status(status: int, *, name: str, url: str, doing: str, said: str) -> MlwsError:
    said = " ".join(said.split())[:_LONGEST]
    tail = f": {said}" if said else ""
    if status in (401, 403) and "kernel" in said.lower() and "limit" in said.lower():
        return _full(status, name=name, url=url, said=said)
    if status in (401, 403):
        return TokenRefused(
            f"The compute {name!r} at {url} does not accept the token (HTTP {status}).",
            hint="It may have expired, or belong to another server: create the compute again with a new one.",
        )
    if status in (301, 302, 307, 308):
        return TokenRefused(
            f"The compute {name!r} at {url} sends elsewhere, as to a login page (HTTP {status}).",
            hint="Give its token, and the address at which the server itself answers.",
        )
    if status in (404, 405):
        return not_jupyter(name=name, url=url, found=f"HTTP {status} while {doing}")
    if status in (429, 503) or (status >= 500 and "limit" in said.lower()):
        return _full(status, name=name, url=url, said=said)
    return RemoteFailed(
        f"The compute {name!r} at {url} failed while {doing} (HTTP {status}){tail}.",
        hint="The log of that server says more.",
    )


def _full(status: int, *, name: str, url: str, said: str) -> RemoteFull:
    return RemoteFull(
        f"The compute {name!r} at {url} starts no more kernels now (HTTP {status})"
        + (f": {said}." if said else "."),
        hint="Shut down kernels there, give the compute fewer slots, or ask for --retries.",
    )


def _reason(error: BaseException) -> str:
    if isinstance(error, (HTTPTimeoutError, TimeoutError)):
        return "no answer in time"
    if isinstance(error, HTTPStreamClosedError):
        return "it closed the connection"
    if isinstance(error, socket.gaierror):
        return "no such host"
    if isinstance(error, OSError) and error.errno:
        known = {errno.ECONNREFUSED: "the connection was refused", errno.ECONNRESET: "it cut the connection"}
        return known.get(error.errno, error.strerror or str(error))
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
