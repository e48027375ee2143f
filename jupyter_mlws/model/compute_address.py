"""Reads the address of a server as people paste it, and keeps its secrets out of what is shown. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit, urlunsplit

from jupyter_mlws.model.errors import Invalid

LONGEST_URL = 2048
_LONGEST_TOKEN = 4096
_SHOWN = 100
_PORTS = {"http": 80, "https": 443}
# What Jupyter prints at its start is the address of a page, with the token behind it.
_PAGE = re.compile(r"/(?:lab|tree|notebooks|doc)(?:/.*)?$")


class AddressInvalid(Invalid):
    """A URL at which no server can be."""

    code = "address_invalid"


class TokenInvalid(Invalid):
    """A token that no server can have given out."""

    code = "token_invalid"


class Address(NamedTuple):
    """Where a server is, and the token that stood in its URL."""

    url: str
    """Without user, query, fragment, and slash at the end."""
    token: str | None

    def __repr__(self) -> str:
        return f"Address({self.url!r})"


def read_address(text: str) -> Address:
    """Return the address in `text`; of a page's address with a token, that of its server.

    Raises `AddressInvalid`, whose sentence holds neither password nor token.
    """
    text = text.strip()
    if not text:
        raise AddressInvalid("The URL is empty.", hint=_EXAMPLE)
    if len(text) > LONGEST_URL:
        raise AddressInvalid(f"The URL has {len(text):,} characters; at most {LONGEST_URL:,} are taken.")
    if re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise _invalid(text, "it holds a space, a backslash or a control character")
    parts = _split(text)
    if "@" in parts.netloc:
        raise AddressInvalid(
            f"The URL {shown(text)!r} has a user name or a password before its host, which are not kept.",
            hint="Give the URL without them, and the server's token as the token.",
        )
    query = parse_qsl(parts.query, keep_blank_values=True)
    if any(name != "token" for name, _ in query):
        raise _invalid(text, "the address of a server has no query but ?token=")
    tokens = {value for _, value in query}
    if len(tokens) > 1:
        raise _invalid(text, "it holds two different tokens")
    path = _PAGE.sub("", parts.path) if tokens else parts.path
    url = urlunsplit((parts.scheme.lower(), _host(parts), path.rstrip("/"), "", ""))
    return Address(url, read_token(tokens.pop()) or None if tokens else None)


def read_token(text: str) -> str:
    """Return a token without the space around it. Raises `TokenInvalid`, which does not show it."""
    token = text.strip()
    if len(token) > _LONGEST_TOKEN:
        raise TokenInvalid(f"The token has {len(token):,} characters; at most {_LONGEST_TOKEN:,} are taken.")
    if not re.fullmatch(r"[\x21-\x7e]*", token):
        raise TokenInvalid(
            "The token holds a space, a line break or another character that no token has.",
            hint="Is it perhaps the wrong file? Give the token alone.",
        )
    return token


def shown(text: str) -> str:
    """Return a URL, or what should be one, as it may be shown: without user, password, query, fragment."""
    text = text.strip()
    if "@" in text:
        # A password may hold any of the signs that end it.
        return f"{text.partition('://')[0][:8]}://…" if "://" in text else "…"
    bare = re.split(r"[?#]", text, maxsplit=1)[0]
    return bare if len(bare) <= _SHOWN else bare[:_SHOWN] + "…"


_EXAMPLE = "Write for example https://lab.example.org:8888/base."


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _invalid(text, "its host or port cannot be read") from error
    if parts.scheme.lower() not in _PORTS or not text.lower().startswith(("http://", "https://")):
        raise _invalid(text, "it does not begin with http:// or https://")
    if not parts.hostname or not re.fullmatch(r"[^\s/?#@%<>\"'`{}|^,;()]+", parts.hostname):
        raise _invalid(text, "it names no host")
    if port == 0:
        raise _invalid(text, "0 is not the port of a server")
    if any(part in (".", "..") for part in parts.path.split("/")):
        raise _invalid(text, "its path leads upwards")
    return parts


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = parts.port
    return host if port is None or port == _PORTS[parts.scheme.lower()] else f"{host}:{port}"


def _invalid(text: str, reason: str) -> AddressInvalid:
    return AddressInvalid(f"The URL {shown(text)!r} is not valid: {reason}.", hint=_EXAMPLE)
