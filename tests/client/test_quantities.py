import pytest

from jupyter_mlws.client import quantities


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4G", 4 * 2**30),
        ("4GB", 4 * 2**30),
        ("4GiB", 4 * 2**30),
        ("512m", 512 * 2**20),
        ("1.5 k", 1536),
        ("1048576", 2**20),
        (2**20, 2**20),
    ],
)
def test_memory_is_read_in_bytes(text, expected):
    assert quantities.size(text) == expected


@pytest.mark.parametrize("text", ["", "lots", "-4G", "4X", "0", 0, -1, "4 G B", True, "nan"])
def test_what_is_no_memory_is_a_sentence_with_the_value(text):
    with pytest.raises(quantities.QuantityInvalid, match="is not an amount of memory"):
        quantities.size(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90", 90),
        ("90s", 90),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1.5d", 129600),
        (2.5, 2.5),
        (7, 7),
        ("1 h 5 m", 3900),
    ],
)
def test_time_is_read_in_seconds(text, expected):
    assert quantities.duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "-1h", "0s", 0, "5 parsecs", "1h5", float("nan"), float("inf"), True]
)
def test_what_is_no_time_is_a_sentence_with_the_value(text):
    with pytest.raises(quantities.QuantityInvalid, match="is not a length of time"):
        quantities.duration(text)
