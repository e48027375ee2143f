from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlws.worker.streams import LONGEST_TEXT, LONGEST_WAIT, Piece, StreamMerger

PIECES = st.lists(
    st.builds(
        Piece,
        st.integers(0, 1),
        st.sampled_from(["stdout", "stderr"]),
        st.builds(
            lambda unit, count: unit * count, st.sampled_from("aé😀\n"), st.integers(0, 3 * LONGEST_TEXT)
        ),
    ),
    max_size=6,
)


@given(PIECES)
def test_nothing_is_lost_moved_or_too_long(pieces):
    merger = StreamMerger()
    given_back = [piece for added in pieces for piece in merger.add(added, now=0.0)] + list(merger.flush())
    assert all(0 < len(piece.text) <= LONGEST_TEXT for piece in given_back)
    assert joined(given_back) == joined(pieces)
    assert list(merger.flush()) == []


def joined(pieces):
    """Adjacent pieces of one cell and stream as one, empty ones left out."""
    whole = []
    for piece in pieces:
        if not piece.text:
            continue
        if whole and (whole[-1][0], whole[-1][1]) == (piece.cell, piece.name):
            whole[-1][2] += piece.text
        else:
            whole.append([piece.cell, piece.name, piece.text])
    return whole


def test_small_pieces_wait_for_each_other():
    merger = StreamMerger()
    assert list(merger.add(Piece(0, "stdout", "a"), now=1.0)) == []
    assert list(merger.add(Piece(0, "stdout", "b"), now=1.0)) == []
    assert not merger.due(1.0)
    assert merger.due(1.0 + LONGEST_WAIT)
    assert list(merger.flush()) == [Piece(0, "stdout", "ab")]
    assert not merger.holds


def test_another_stream_does_not_wait():
    merger = StreamMerger()
    list(merger.add(Piece(0, "stdout", "a"), now=0.0))
    assert list(merger.add(Piece(0, "stderr", "b"), now=0.0)) == [Piece(0, "stdout", "a")]
