"""The figures of the last runs with `--write`, kept in results.json, each with its day and machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = Path(__file__).with_name("results.json")


@dataclass(frozen=True)
class Figure:
    """One number that a goal speaks of."""

    value: float
    where: str
    """Day, machine and how busy it was, in one line."""


def kept() -> dict[str, Figure]:
    """Return the figures by name; empty where nothing was ever kept."""
    try:
        content = json.loads(FILE.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {name: Figure(**each) for name, each in content.items()}


def keep(figures: Mapping[str, float], *, where: str) -> None:
    """Put `figures` in the place of those of the same names; the others stay as they are."""
    found = kept() | {name: Figure(value, where) for name, value in figures.items()}
    content = {name: asdict(found[name]) for name in sorted(found)}
    FILE.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
