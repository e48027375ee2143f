"""Identifiers: of jobs, short, unique, and in the order of time; of workspaces, as any of them is made."""

from __future__ import annotations

import secrets
import time

# Crockford's base 32, lower case: no i, l, o, u, so that an id read aloud is typed right.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_EPOCH_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z
_TIME_CHARACTERS = 8  # 40 bits of milliseconds: until the year 2059
_RANDOM_CHARACTERS = 5  # 25 bits
ID_PATTERN = "^[0-9a-hjkmnp-tv-z]{13}$"
"""Regular expression that every job id matches; an id is safe as the name of a folder."""
WORKSPACE_ID_PATTERN = "^[0-9a-f]{32}$"
"""The same for workspaces."""


def new_id(*, now_ms: int | None = None, random_bits: int | None = None) -> str:
    """Return a new id of 13 characters. Ids made in different milliseconds sort by time.

    `now_ms` is the time since 1970 in milliseconds and `random_bits` 25 random bits; both are taken
    from the machine when they are not given.
    """
    milliseconds = int(time.time() * 1000) if now_ms is None else now_ms
    noise = secrets.randbits(5 * _RANDOM_CHARACTERS) if random_bits is None else random_bits
    elapsed = max(0, milliseconds - _EPOCH_MS)
    return _encode(elapsed, _TIME_CHARACTERS) + _encode(noise, _RANDOM_CHARACTERS)


def _encode(number: int, length: int) -> str:
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(length)))
