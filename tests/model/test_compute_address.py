"""Addresses as people paste them: what is taken, what is refused, and that no sentence holds a secret."""

from __future__ import annotations

import pytest

from jupyter_mlws.model.compute import ComputeCreate
from jupyter_mlws.model.compute_address import AddressInvalid, TokenInvalid, read_address, read_token, shown


@pytest.mark.parametrize(
    ("text", "url", "token"),
    [
        ("http://127.0.0.1:8888", "http://127.0.0.1:8888", None),
        (" https://LAB.example.org:443/user/ada/ ", "https://lab.example.org/user/ada", None),
        ("http://h:80//", "http://h", None),
        ("http://[::1]:9000/x", "http://[::1]:9000/x", None),
        ("http://h:8888/?token=abc", "http://h:8888", "abc"),
        # What Jupyter prints at its start is the address of a page.
        ("http://h:8888/lab?token=abc", "http://h:8888", "abc"),
        ("http://h:8888/user/ada/lab/tree/a.ipynb?token=abc", "http://h:8888/user/ada", "abc"),
        # Without a token it is taken as it stands: a base URL may be called so.
        ("http://h:8888/lab", "http://h:8888/lab", None),
        ("http://h:8888?token=", "http://h:8888", None),
    ],
)
def test_what_is_taken(text: str, url: str, token: str | None) -> None:
    assert tuple(read_address(text)) == (url, token)
    assert tuple(read_address(url)) == (url, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "lab2",
        "ftp://h",
        "javascript:alert(1)",
        "http:/h",
        "http://",
        "http:///x",
        "http://h:0",
        "http://h:99999",
        "http://h:abc",
        "http://[::1",
        "http://h/a b",
        "http://h\n.org",
        "http://h\\x",
        "http://h/../x",
        "http://<b>h</b>",
        "http://" + "h" * 3000,
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(AddressInvalid) as refused:
        read_address(text)
    assert refused.value.message.endswith((".", "taken."))
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    "text",
    [
        "http://ada:hush@h",
        "http://hush@h",
        "http://ada:a/hush@h",
        "http://ada:a?hush@h",
        "http://ada:a#hush@h",
        "ada:hush@h:8888",
        "ftp://h?token=hush",
        "h:8888?token=hush",
        "http://h?token=a@hush",
        "http://h?hush",
        "http://h?key=hush",
        "http://h?token=hush&token=other",
        "http://h?token=hush%0a",
        "http://h?token=hush%20x",
        "http://h:99999/?token=hush",
        "http://h:99999/#token=hush",
    ],
)
def test_no_sentence_shows_a_secret(text: str) -> None:
    assert "hush" not in shown(text)
    try:
        address = read_address(text)
    except (AddressInvalid, TokenInvalid) as refused:
        assert "hush" not in f"{refused} {refused!r} {refused.info!r}"
    else:
        assert "hush" not in address.url
        assert "hush" not in repr(address)


def test_tokens_are_one_word() -> None:
    assert read_token(" abc\n") == "abc"
    for text in ("a b", "a\nb", "a\0b", "ä", "x" * 5000):
        with pytest.raises(TokenInvalid) as refused:
            read_token(text)
        assert text[:10] not in str(refused.value)


def test_what_is_asked_for_shows_neither_token_nor_url() -> None:
    asked = ComputeCreate(type="jupyter", url="http://h?token=hush", token="hush")
    assert "hush" not in f"{asked!r} {asked}"
