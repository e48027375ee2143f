"""The pure parts of the driver `remote`: messages on the websocket, their order, and what errors mean."""

from __future__ import annotations

import json
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httpclient import HTTPError

from jupyter_mlws.kernels.remote.caller import request
from jupyter_mlws.kernels.remote.codec import V1, Wire, decode, encode
from jupyter_mlws.kernels.remote.inside_kept import Budget, Kept
from jupyter_mlws.kernels.remote.sequence import Sequence
from jupyter_mlws.kernels.remote.server import checked_url
from jupyter_mlws.kernels.remote.troubles import UrlInvalid, trouble

HEADER = json.dumps({"msg_id": "1", "msg_type": "stream", "session": "s"}).encode()


def wire(number: int) -> Wire:
    return Wire(
        "iopub", HEADER, metadata=json.dumps({"mlws": number}).encode(), content=b'{"text": "\xc3\xa9"}'
    )


@pytest.mark.parametrize("protocol", [None, V1])
@pytest.mark.parametrize("buffers", [[], [b"\x00\xff"], [b"", b"abc", b"\n"]])
def test_a_message_comes_out_as_it_went_in(protocol: str | None, buffers: list[bytes]) -> None:
    sent = Wire("control", HEADER, b'{"msg_id": "0"}', b'{"mlws": 7}', b'{"a": [1, null]}', buffers)
    got = decode(encode(sent, protocol=protocol), protocol=protocol)
    assert (got.channel, got.id, got.type, got.parent_id, got.number) == ("control", "1", "stream", "0", 7)
    assert json.loads(got.content) == {"a": [1, None]}
    assert got.buffers == buffers


@pytest.mark.parametrize("data", [b"", b"\x01", "no json", '"text"', b"\xff" * 40])
@pytest.mark.parametrize("protocol", [None, V1])
def test_what_is_no_message_is_refused(data: bytes | str, protocol: str | None) -> None:
    with pytest.raises(ValueError):
        decode(data, protocol=protocol)


@given(st.permutations(range(12)), st.lists(st.integers(0, 11)))
def test_messages_come_out_once_and_in_order(order: list[int], again: list[int]) -> None:
    sequence, out = Sequence(), []
    for number in [*order, *again]:
        out += sequence.take(wire(number), number)
    assert [each.number for each in out] == list(range(12))
    assert not sequence.lacks


def test_what_is_missing_is_known_and_what_is_lost_is_counted() -> None:
    sequence = Sequence()
    assert sequence.take(wire(0), 0) == [wire(0)]
    assert sequence.take(wire(4), 4) == []
    assert sequence.lacks
    lost, ready = sequence.skip_to(4)
    assert lost == 3
    assert ready == [wire(4)]
    sequence.learn(6)
    assert sequence.lacks
    assert sequence.expected == 5


def test_the_kernel_keeps_what_was_not_heard_of() -> None:
    kept = Kept()
    for number in range(10):
        kept.add("iopub", [b"x" * 300_000, str(number).encode()])
    first, channels, pieces = kept.piece(2)
    assert (first, channels) == (2, ["iopub"] * 3)
    assert [frames[1] for frames in pieces] == [b"2", b"3", b"4"]
    kept.heard(9)
    assert kept.piece(2)[0] == 9
    assert kept.next == 10
    for _ in range(400):
        kept.add("iopub", [b"x" * 300_000])
    assert kept.size <= 64 << 20
    assert kept.piece(0)[0] > 9


def test_no_more_is_sent_unasked_than_a_server_lets_through() -> None:
    budget = Budget(0.0)
    for start in range(10):
        sent = sum(1000 for step in range(30_000) if budget.take(1000, start * 3 + step / 10_000))
        assert sent <= 3_000_000
    few = Budget(0.0)
    assert sum(few.take(10, step / 10_000) for step in range(30_000)) <= 3_000


@pytest.mark.parametrize(
    ("error", "said", "code", "words"),
    [
        (HTTPError(403), "", "compute_token_refused", "token"),
        (HTTPError(401), "", "compute_token_refused", "token"),
        (HTTPError(302), "", "compute_token_refused", "login"),
        (HTTPError(404), "", "not_a_jupyter_server", "no Jupyter server"),
        (HTTPError(503), "Max kernels", "compute_full", "Max kernels"),
        (HTTPError(403), "Resource Limit: kernel limit reached", "compute_full", "limit"),
        (HTTPError(500), "broken", "compute_failed", "broken"),
        (ConnectionRefusedError(111, "refused"), "", "compute_unreachable", "refused"),
        (TimeoutError(), "", "compute_unreachable", "no answer in time"),
        (ssl.SSLError(1, "CERTIFICATE_VERIFY_FAILED"), "", "compute_unreachable", "TLS"),
    ],
)
def test_each_trouble_is_a_sentence(error: Exception, said: str, code: str, words: str) -> None:
    found = trouble(error, name="lab2", url="https://lab2.example.org", doing="a test", said=said)
    assert found.info.code == code
    assert words in found.message
    assert "'lab2'" in found.message
    assert "https://lab2.example.org" in found.message
    assert found.hint


@pytest.mark.parametrize(
    "url", ["", "lab2", "ftp://x", "http://", "http://h:99999", "http://h/?token=secret"]
)
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(UrlInvalid) as caught:
        checked_url(url)
    assert "secret" not in str(caught.value)


def test_a_url_loses_its_slash() -> None:
    assert checked_url(" https://h:1/base/ ") == "https://h:1/base"


def test_a_message_that_is_sent_again_is_the_same_with_another_signature() -> None:
    wire = request("mlws_request", {"do": "look"}, session="s", buffers=[b"x"])
    again = wire.anew()
    assert (again.id, again.content, again.buffers) == (wire.id, wire.content, wire.buffers)
    assert again.metadata != wire.metadata != wire.anew().metadata
