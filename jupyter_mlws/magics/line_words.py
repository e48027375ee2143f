"""Splits a `%mlws` line into words: as a shell does, but lists and dicts in `-p key=[...]` stay whole."""

from __future__ import annotations

import re
import shlex

_VALUE = re.compile(r"(?:^|(?<=\s))(?:-p|--parameter)(?:\s+|=)([^\W\d]\w*)=(?=[\[{(])")
_PAIRS = {"[": "]", "{": "}", "(": ")"}


def split(line: str) -> list[str]:
    """Return the words of `line`. Raises `ValueError` for a quote that is not closed."""
    words: list[str] = []
    begin = 0
    for found in _VALUE.finditer(line):
        end = _end_of(line, found.end())
        # Inside quotes, or in the value before, it is no parameter of its own.
        if found.start() < begin or end is None or not _is_whole(line[begin : found.start()]):
            continue
        words += shlex.split(line[begin : found.start()])
        words += ["-p", f"{found[1]}={line[found.end() : end]}"]
        begin = end
    return words + shlex.split(line[begin:])


def _is_whole(text: str) -> bool:
    """Return whether every quote in `text` is closed."""
    try:
        shlex.split(text)
    except ValueError:
        return False
    return True


def _end_of(line: str, begin: int) -> int | None:
    """Return where the bracket at `begin` is closed and the word ends; None where it is not so."""
    expected: list[str] = []
    quote = ""
    position = begin
    while position < len(line):
        sign = line[position]
        if quote:
            if sign == "\\":
                position += 1
            elif sign == quote:
                quote = ""
        elif sign in "'\"":
            quote = sign
        elif sign in _PAIRS:
            expected.append(_PAIRS[sign])
        elif expected and sign == expected[-1]:
            expected.pop()
            if not expected:
                rest = line[position + 1 :]
                return position + 1 if not rest or rest[0].isspace() else None
        position += 1
    return None
