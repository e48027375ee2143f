"""MLflow's limits for names and values, and how ours are fitted into them; pure.

The numbers are those of mlflow/utils/validation.py, version 3.17.2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TypeVar

PAIRS_A_BATCH = 100
"""Parameters, or tags, in one request."""
PARAMETER_CHARACTERS = 6000
TAG_CHARACTERS = 8000

_FILE_NAME_CHARACTERS = 60  # of at most 4 bytes each: a file system takes 255
_REFUSED_IN_PATHS = re.compile(r"[\x00-\x1f\x7f#%:\\/]")

_Value = TypeVar("_Value")


def batches(values: Mapping[str, _Value], size: int) -> Iterator[list[tuple[str, _Value]]]:
    """Split `values` into lists of at most `size` pairs; none when there are no values."""
    pairs = iter(values.items())
    while some := list(islice(pairs, size)):
        yield some


def fitting_params(params: Mapping[str, object]) -> tuple[dict[str, str], list[str]]:
    """Return the parameters as texts that MLflow takes, and the names of those that were cut."""
    texts = {name: str(value) for name, value in params.items()}
    cut = [name for name, text in texts.items() if len(text) > PARAMETER_CHARACTERS]
    return {name: _shortened(text, PARAMETER_CHARACTERS) for name, text in texts.items()}, cut


def fitting_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags with values cut to what MLflow takes."""
    return {name: _shortened(value, TAG_CHARACTERS) for name, value in tags.items()}


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def artifact_name(name: str) -> str:
    """Return the last part of the path `name` with `_` for what MLflow refuses in a path; its end stays."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    allowed = _REFUSED_IN_PATHS.sub("_", last)[-_FILE_NAME_CHARACTERS:]
    return allowed if allowed.strip(". ") else "source"


def metric_from_json(value: float | str) -> float | None:
    """Return a metric of an answer; None when it is no finite number."""
    number = float(value)
    return number if math.isfinite(number) else None
