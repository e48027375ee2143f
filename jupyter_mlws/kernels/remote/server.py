"""Another Jupyter server's REST calls: what it is, its kernelspecs, and kernels by their sessions."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest, HTTPResponse
from tornado.websocket import websocket_connect

from jupyter_mlws.kernels.remote.codec import V1
from jupyter_mlws.kernels.remote.token import Token
from jupyter_mlws.kernels.remote.troubles import Unreachable, UrlInvalid, not_jupyter, trouble
from jupyter_mlws.kernels.remote.websocket import Socket
from jupyter_mlws.model.errors import MlwsError

_CONNECT_SECONDS = 10.0
_SECONDS = 20.0
_START_SECONDS = 90.0  # a gateway may bring up a container first
_TRIES = 3
_AGAIN_SECONDS = 0.3
_LARGEST_ANSWER = 256 << 20


def checked_url(url: str) -> str:
    """Return the address of a server without a slash at its end. Raises `UrlInvalid`."""
    parts = urlsplit(url.strip())
    try:
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        port_is_right = False
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_right:
        raise UrlInvalid(
            f"{_bare(url)!r} is no address of a Jupyter server.",
            hint="It begins with http:// or https:// and names a host, such as https://lab2.example.org:8888.",
        )
    if parts.query or parts.fragment or parts.username or parts.password:
        raise UrlInvalid(
            f"The address {_bare(url)!r} holds more than host, port and path.",
            hint="Give the token apart from it, where it is not shown.",
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


class RemoteServer:
    """A Jupyter server that is not ours. Raises errors of ours, with a sentence, for all that is wrong."""

    def __init__(self, url: str, *, name: str, token: Token) -> None:
        """`name` is what users call it."""
        self.url = checked_url(url)
        self.name = name
        self._token = token
        self._http = AsyncHTTPClient(force_instance=True, defaults={"user_agent": "jupyter_mlws"})

    def close(self) -> None:
        """Close what is open."""
        self._http.close()

    async def version(self) -> str:
        """Return what it is, with its version: `Jupyter Server 2.21`."""
        answer = await self._call("GET", "/api", doing="it was asked what it is")
        if not isinstance(answer, dict) or not isinstance(answer.get("version"), str):
            raise not_jupyter(name=self.name, url=self.url, found=f"/api gives {json.dumps(answer)[:100]}")
        gateway = answer.get("gateway_version")
        return f"Jupyter Server {answer['version']}" + (f", gateway {gateway}" if gateway else "")

    async def kernelspecs(self) -> tuple[dict[str, str], str]:
        """Return the languages of the kernelspecs by name, and the name of the default one."""
        answer = await self._call("GET", "/api/kernelspecs", doing="its kernels were listed")
        try:
            specs = {
                str(name): str((each.get("spec") or {}).get("language", "")).lower()
                for name, each in answer["kernelspecs"].items()
            }
            return specs, str(answer.get("default", ""))
        except (KeyError, TypeError, AttributeError) as error:
            raise not_jupyter(
                name=self.name, url=self.url, found="/api/kernelspecs is not as it is"
            ) from error

    async def kernels(self) -> int:
        """Return how many kernels run there."""
        answer = await self._call("GET", "/api/kernels", doing="its kernels were counted")
        return len(answer) if isinstance(answer, list) else 0

    async def start(self, session: str, *, kernel: str) -> str:
        """Start a kernel in a session called `session`; return its id.

        Where an answer was lost, the session that was made is found by its name: one call, one kernel.
        """
        body = {"path": session, "name": session, "type": "mlws", "kernel": {"name": kernel}}
        doing = "a kernel was started"
        for number in range(_TRIES):
            try:
                answer = await self._call(
                    "POST", "/api/sessions", body=body, doing=doing, seconds=_START_SECONDS
                )
                break
            except Exception as error:
                known = await self.find(session) if number else None
                if known is not None:
                    return known
                if number == _TRIES - 1 or not _may_pass(error):
                    raise
                await asyncio.sleep(_AGAIN_SECONDS)
        try:
            return str(answer["kernel"]["id"])
        except (KeyError, TypeError) as error:
            raise not_jupyter(name=self.name, url=self.url, found="/api/sessions gives no kernel") from error

    async def find(self, session: str) -> str | None:
        """Return the id of the kernel of the session called `session`; None when there is none."""
        answer = await self._call("GET", "/api/sessions", doing="its sessions were listed")
        for each in answer if isinstance(answer, list) else ():
            if session in (each.get("path"), each.get("name")) and each.get("kernel"):
                return str(each["kernel"]["id"])
        return None

    async def sessions(self, prefix: str) -> dict[str, str]:
        """Return the kernels of the sessions whose names begin with `prefix`, by these names."""
        answer = await self._call("GET", "/api/sessions", doing="its sessions were listed")
        found = {}
        for each in answer if isinstance(answer, list) else ():
            name = str(each.get("path") or each.get("name") or "")
            if name.startswith(prefix) and each.get("kernel"):
                found[name] = str(each["kernel"]["id"])
        return found

    async def state(self, kernel: str) -> str | None:
        """Return the kernel's execution state; None when it is not there."""
        try:
            answer = await self._call("GET", f"/api/kernels/{_id(kernel)}", doing="a kernel was looked at")
        except _Missing:
            return None
        return str(answer.get("execution_state", "")) if isinstance(answer, dict) else None

    async def interrupt(self, kernel: str) -> None:
        """Interrupt the kernel; nothing when it is gone."""
        try:
            await self._call(
                "POST", f"/api/kernels/{_id(kernel)}/interrupt", body={}, doing="it was interrupted"
            )
        except _Missing:
            return

    async def delete(self, kernel: str) -> None:
        """End the kernel, and its session; nothing when it is gone."""
        try:
            await self._call("DELETE", f"/api/kernels/{_id(kernel)}", doing="a kernel was ended")
        except _Missing:
            return

    async def connect(self, kernel: str, *, session_id: str, seconds: float) -> Socket:
        """Open the kernel's websocket under `session_id`, within `seconds`."""
        address = f"ws{self.url[4:]}/api/kernels/{_id(kernel)}/channels?session_id={quote(session_id)}"
        request = HTTPRequest(
            address,
            headers=self._headers(),
            connect_timeout=min(seconds, _CONNECT_SECONDS),
            request_timeout=seconds,
        )
        try:
            async with asyncio.timeout(seconds):
                connection = await websocket_connect(
                    request, subprotocols=[V1], max_message_size=_LARGEST_ANSWER
                )
        except Exception as error:
            if isinstance(error, HTTPError) and error.code == 404:
                raise KernelGone from error
            raise trouble(error, name=self.name, url=self.url, doing="it was connected to") from error
        return Socket(connection)

    def _headers(self) -> dict[str, str]:
        token = self._token()
        return {"Authorization": f"token {token}"} if token else {}

    async def _call(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        body: Mapping[str, Any] | None = None,
        seconds: float = _SECONDS,
    ) -> Any:
        request = HTTPRequest(
            self.url + path,
            method=method,
            headers={**self._headers(), "Accept": "application/json"},
            body=None if body is None else json.dumps(body),
            connect_timeout=_CONNECT_SECONDS,
            request_timeout=seconds,
            follow_redirects=False,
        )
        try:
            answer = await self._http.fetch(request, raise_error=False)
            if answer.code == 599 or (answer.error is not None and not isinstance(answer.error, HTTPError)):
                raise answer.error or HTTPError(answer.code)
        except Exception as error:
            raise trouble(error, name=self.name, url=self.url, doing=doing) from error
        if answer.code == 404 and re.match("/api/(kernels|sessions)/", path):
            raise _Missing(path)
        if answer.code >= 300:
            refused = HTTPError(answer.code)
            raise trouble(refused, name=self.name, url=self.url, doing=doing, said=_said(answer))
        if not answer.body:
            return None
        try:
            return json.loads(answer.body)
        except ValueError as error:
            found = f"{path} gives {answer.headers.get('Content-Type', 'no JSON')}"
            raise not_jupyter(name=self.name, url=self.url, found=found) from error


async def persistently(do: Callable[[], Awaitable[None]]) -> MlwsError | None:
    """Do something that can be repeated; return the error where several tries fail."""
    for number in range(_TRIES):
        try:
            await do()
            return None
        except MlwsError as error:
            failed = error
        if number < _TRIES - 1:
            await asyncio.sleep(_AGAIN_SECONDS)
    return failed


class KernelGone(Exception):
    """The server has no such kernel any more."""


class _Missing(Exception):
    """A kernel or session that is not there."""


def _may_pass(error: BaseException) -> bool:
    """Whether another try may do: nobody answered, which under load happens."""
    return isinstance(error, Unreachable)


def _said(answer: HTTPResponse) -> str:
    try:
        body = json.loads(answer.body)
        return str(body.get("message") or body.get("reason") or "")
    except (ValueError, AttributeError):
        return ""


def _id(kernel: str) -> str:
    return quote(kernel, safe="")


def _bare(url: str) -> str:
    """Return an address without what may be a secret in it."""
    return re.sub(r"//[^/@]*@", "//", url.strip().split("?")[0].split("#")[0])[:200]
