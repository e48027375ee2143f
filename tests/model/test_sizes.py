from __future__ import annotations

import pytest

from jupyter_mlws.client import quantities
from jupyter_mlws.model.sizes import size


# labextension/tests/format.test.ts has the same numbers.
@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KB"),
        (4_414_505, "4.21 MB"),
        (400 * 2**20, "400 MB"),
        (1000 * 2**20, "0.977 GB"),
        (2**30 - 1, "1 GB"),
        (3 * 2**29, "1.5 GB"),
        (5 * 10**18, "4441 PB"),
    ],
)
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize("asked", ["512M", "1.5G", "2GB", "12.5GiB", "4T"])
def test_what_was_asked_for_is_read_back(asked: str) -> None:
    assert size(quantities.size(asked)).replace(" ", "") == asked.replace("i", "").rstrip("B") + "B"
